"""Password: given or looked up, used and never shown."""

from __future__ import annotations

import copy
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest

from mailsend import ConfigurationError, Password, SmtpProfile

SECRET = "s3cret-Pässwort"
GIVEN = Password(SECRET)
REFERENCES = [
    Password.from_env("SMTP_PASSWORD"),
    Password.from_file("/run/secrets/smtp"),
    Password.from_command(["pass", "show", "smtp"]),
]


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_given_password_is_revealed_on_request_only() -> None:
    assert GIVEN.reveal() == SECRET
    assert repr(GIVEN) == str(GIVEN) == f"{GIVEN}" == "<Password '…'>"
    assert not hasattr(GIVEN, "__dict__")


@pytest.mark.parametrize(
    ("password", "shown"),
    [
        (REFERENCES[0], "<Password from environment variable 'SMTP_PASSWORD'>"),
        (REFERENCES[1], "<Password from file '/run/secrets/smtp'>"),
        # The words after the program may be private.
        (REFERENCES[2], "<Password from command 'pass'>"),
    ],
)
def test_a_reference_shows_where_it_points(password: Password, shown: str) -> None:
    assert repr(password) == shown


def test_comparison_and_hash() -> None:
    assert Password(SECRET) == GIVEN
    assert Password("other") != GIVEN
    assert Password("é") != Password("e")
    assert Password("SMTP_PASSWORD") != REFERENCES[0]
    assert GIVEN != SECRET
    assert REFERENCES[0] == Password.from_env("SMTP_PASSWORD")
    assert Password.from_env("A") != Password.from_file("A")
    assert Password.from_env("A") != Password.from_env("B")
    assert Password.from_command("a b") == Password.from_command(["a", "b"])
    assert len({Password(SECRET), GIVEN, *REFERENCES}) == 4
    # Equal for all given passwords, so that it cannot be compared with the hashes of guesses.
    assert hash(Password("one")) == hash(Password("two"))


@pytest.mark.parametrize("password", [GIVEN, *REFERENCES])
def test_copies_are_the_object_itself(password: Password) -> None:
    assert copy.copy(password) is password
    assert copy.deepcopy(password) is password
    assert copy.deepcopy({"a": [password]})["a"][0] is password


def test_asdict_keeps_the_object() -> None:
    profile = SmtpProfile(host="h.example", username="ada", credentials=GIVEN)
    fields = attrs.asdict(profile)
    assert fields["credentials"] is GIVEN
    assert SECRET not in repr(fields)
    assert SECRET not in repr(profile)
    assert SECRET not in repr(attrs.astuple(profile))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_given_password_refuses_to_be_pickled(protocol: int) -> None:
    profile = SmtpProfile(host="h.example", username="ada", credentials=GIVEN)
    for value in (GIVEN, profile, [GIVEN]):
        with pytest.raises(TypeError, match="not pickled") as caught:
            pickle.dumps(value, protocol)
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize("password", REFERENCES)
def test_a_reference_is_pickled_as_one(password: Password) -> None:
    assert pickle.loads(pickle.dumps(password)) == password


@pytest.mark.parametrize(
    "secret", ["", "a\nb", "a\r", "\0", "a\tb", "a\x7f", "a\x85", "\ud800", "x" * 4097]
)
def test_what_no_password_can_be(secret: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^the password "):
        Password(secret)


@pytest.mark.parametrize("secret", [" ", " a b ", "x" * 4096, "пароль", "🔑", "\u2028", "%\"'\\"])
def test_what_a_password_may_be(secret: str) -> None:
    assert Password(secret).reveal() == secret


def test_an_environment_variable_is_read_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    password = Password.from_env("MAILSEND_TEST_PASSWORD")
    monkeypatch.delenv("MAILSEND_TEST_PASSWORD", raising=False)
    with pytest.raises(ConfigurationError, match=r"MAILSEND_TEST_PASSWORD.* is not set"):
        password.reveal()
    monkeypatch.setenv("MAILSEND_TEST_PASSWORD", SECRET)
    assert password.reveal() == SECRET
    monkeypatch.setenv("MAILSEND_TEST_PASSWORD", "")
    with pytest.raises(ConfigurationError, match="MAILSEND_TEST_PASSWORD is empty"):
        password.reveal()
    monkeypatch.setenv("MAILSEND_TEST_PASSWORD", SECRET + "\n")
    with pytest.raises(ConfigurationError, match="control character; was a line end"):
        password.reveal()


@pytest.mark.parametrize(
    ("octets", "secret"),
    [
        (SECRET.encode(), SECRET),
        (SECRET.encode() + b"\n", SECRET),
        (SECRET.encode() + b"\r\n", SECRET),
        (b" a b \n", " a b "),
    ],
)
def test_a_file_may_end_with_a_line_end(tmp_path: Path, octets: bytes, secret: str) -> None:
    file = tmp_path / "password"
    file.write_bytes(octets)
    file.chmod(0o600)
    assert Password.from_file(file).reveal() == secret


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"a\nb\n", "control character"),
        (b"a\n\n", "control character"),
        (b"a\0", "control character"),
        (b"a\xff", "not UTF-8"),
        (b"x" * 5000, "more than 4096"),
    ],
)
def test_files_that_hold_no_password(tmp_path: Path, octets: bytes, words: str) -> None:
    file = tmp_path / "password"
    file.write_bytes(octets)
    file.chmod(0o600)
    with pytest.raises(ConfigurationError, match=words):
        Password.from_file(file).reveal()


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file") as caught:
        Password.from_file(tmp_path / "missing").reveal()
    assert isinstance(caught.value.__cause__, FileNotFoundError)
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        Password.from_file(tmp_path).reveal()


@pytest.mark.parametrize(
    ("output", "secret"),
    [
        (SECRET, SECRET),
        (SECRET + "\n", SECRET),
        (SECRET + "\r\n", SECRET),
        (SECRET + "\nuser: ada\nurl: x\n", SECRET),
        ("a\u2028b\n", "a\u2028b"),
    ],
)
def test_a_command_prints_it_on_its_first_line(output: str, secret: str) -> None:
    code = f"import sys; sys.stdout.buffer.write({output.encode()!r})"
    assert Password.from_command(python(code)).reveal() == secret


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (python("pass"), "printed nothing"),
        (python("print()"), "is empty"),
        (python("raise SystemExit(3)"), "ended with status 3"),
        (python("print('x'); raise SystemExit(1)"), "ended with status 1"),
        (python("import sys; sys.stdout.buffer.write(b'a\\xff')"), "is not UTF-8"),
        (python("print('a\\tb')"), "control character"),
        (python("import sys; sys.stdout.buffer.write('a\\x85b'.encode())"), "control character"),
        (["/nonexistent/program"], "cannot be run: No such file"),
    ],
)
def test_commands_that_print_no_password(command: list[str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Password.from_command(command).reveal()


def test_a_command_has_to_end() -> None:
    password = Password.from_command(python("import time; time.sleep(60)"))
    with pytest.raises(ConfigurationError, match=r"did not end within 0.05 seconds"):
        password.reveal(timeout=0.05)


def test_a_command_or_a_file_without_an_end_is_left_soon(tmp_path: Path) -> None:
    endless = python("while True: print('x' * 1000)")
    for password, words in (
        (Password.from_command(endless), r"printed more than 65,536 octets"),
        (Password.from_file("/dev/zero"), r"/dev/zero has more than 65,536 octets"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            password.reveal(timeout=30)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ConfigurationError, match=r"could not be read within 0\.05 seconds"):
        Password.from_file(pipe).reveal(timeout=0.05)
    os.close(os.open(pipe, os.O_WRONLY))  # lets go of the thread that reads it


def test_no_shell_runs() -> None:
    assert Password.from_command("echo $HOME `id` ; ls").reveal() == "$HOME `id` ; ls"


@pytest.mark.parametrize(
    ("make", "value"),
    [
        (Password.from_env, ""),
        (Password.from_env, "A=B"),
        (Password.from_env, "A\0"),
        (Password.from_env, "A\n"),
        (Password.from_env, 5),
        (Password.from_env, None),
        (Password.from_file, ""),
        (Password.from_file, "a\0b"),
        (Password.from_file, "a\nb"),
        (Password.from_file, 5),
        (Password.from_file, None),
        (Password.from_file, b"x"),
        (Password.from_command, ""),
        (Password.from_command, "   "),
        (Password.from_command, "echo 'x"),
        (Password.from_command, []),
        (Password.from_command, [""]),
        (Password.from_command, ["a", "b\0c"]),
        (Password.from_command, ["a", 5]),
        (Password.from_command, 5),
        (Password.from_command, None),
    ],
)
def test_references_that_cannot_be(make: Any, value: object) -> None:
    with pytest.raises(ConfigurationError):
        make(value)


def test_a_file_that_everybody_can_read_is_warned_of(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(SECRET)
    file.chmod(0o644)
    with pytest.warns(UserWarning, match=r"every user of this machine can read the password file"):
        assert Password.from_file(file).reveal() == SECRET
    file.chmod(0o640)  # a group was made for who may
    assert Password.from_file(file).reveal() == SECRET


def test_plaintext_pickling_is_asked_for_by_name() -> None:
    password = Password(SECRET, allow_plaintext_pickling=True)
    again = pickle.loads(pickle.dumps(password))
    assert again == password
    assert pickle.loads(pickle.dumps(again)) == password
    assert SECRET not in repr(again)
