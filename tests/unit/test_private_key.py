"""PrivateKey: given or looked up, used and never shown."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import attrs
import pytest

from mailsend import ConfigurationError, PrivateKey

SECRET = "MC4CAQAwBQYDK2VwBCIEIZx9s3cret"
PEM = f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n"
GIVEN = PrivateKey(PEM)
REFERENCES = [PrivateKey.from_file("/run/secrets/dkim.pem"), PrivateKey.from_env("DKIM_KEY")]


@attrs.frozen
class Holder:
    key: PrivateKey


def test_what_was_given_is_what_is_revealed() -> None:
    assert GIVEN.reveal() == PEM.encode()
    assert PrivateKey(PEM.encode()) == GIVEN
    assert PrivateKey(PEM + "x") != GIVEN
    assert GIVEN != PEM


def test_a_file_and_a_variable_are_read_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key.pem"
    of_file, of_env = PrivateKey.from_file(file), PrivateKey.from_env("MAILSEND_TEST_KEY")
    for text in (PEM, PEM + "again\n"):
        file.write_text(text)
        file.chmod(0o600)
        monkeypatch.setenv("MAILSEND_TEST_KEY", text.replace("\n", "\\n"))
        assert of_file.reveal() == of_env.reveal() == text.encode()


@pytest.mark.parametrize("key", [GIVEN, *REFERENCES], ids=repr)
def test_it_is_never_shown(key: PrivateKey) -> None:
    for shown in (repr(key), str(key), repr(Holder(key)), str(attrs.asdict(Holder(key)))):
        assert SECRET not in shown
    assert attrs.asdict(Holder(key))["key"] is key
    assert copy.copy(key) is copy.deepcopy(key) is key


@pytest.mark.parametrize("key", REFERENCES, ids=repr)
def test_a_reference_travels(key: PrivateKey) -> None:
    again = pickle.loads(pickle.dumps(key))
    assert again == key
    assert hash(again) == hash(key)
    assert again != GIVEN


def test_what_was_given_does_not_travel() -> None:
    with pytest.raises(TypeError, match="from_file"):
        pickle.dumps(GIVEN)


@pytest.mark.parametrize("pem", ["", SECRET, SECRET.encode(), PEM + "x" * 70_000, 5, None, [PEM]])
def test_what_is_no_key(pem: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        PrivateKey(pem)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("text", ["", SECRET, "x" * 70_000])
def test_what_is_no_key_where_one_should_be(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key.pem"
    file.write_text(text)
    file.chmod(0o600)
    monkeypatch.setenv("MAILSEND_TEST_KEY", text)
    for key in (PrivateKey.from_file(file), PrivateKey.from_env("MAILSEND_TEST_KEY")):
        with pytest.raises(ConfigurationError) as caught:
            key.reveal()
        assert SECRET not in str(caught.value)


def test_what_cannot_be_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAILSEND_TEST_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="is not set"):
        PrivateKey.from_env("MAILSEND_TEST_KEY").reveal()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        PrivateKey.from_file(tmp_path / "missing.pem").reveal()


@pytest.mark.parametrize("name", ["", "A=B", "A\n", 5, None])
def test_names_that_cannot_be(name: Any) -> None:
    with pytest.raises(ConfigurationError):
        PrivateKey.from_env(name)
    if name != "A=B":
        with pytest.raises(ConfigurationError):
            PrivateKey.from_file(name)


def test_a_key_that_everybody_can_read_is_warned_of(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text(PEM)
    file.chmod(0o644)
    with pytest.warns(UserWarning, match="every user of this machine can read the private key f"):
        assert PrivateKey.from_file(file).reveal() == PEM.encode()
