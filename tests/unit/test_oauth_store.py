"""Where sign-ins are kept."""

from __future__ import annotations

import datetime as dt
import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import keyring
import keyring.backend
import keyring.errors
import pytest
from attrs import evolve

from mailsend import ConfigurationError, Secret
from mailsend.oauth import private_file
from mailsend.oauth.sign_in import SignIn, checked_name
from mailsend.oauth.store import SignInStore, default_folder

TOKEN = "0.AXkA-refresh-token-" + "r" * 1500
pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes and links are those of POSIX")


def sign_in(**changes: Any) -> SignIn:
    settings: dict[str, Any] = {
        "name": "work",
        "provider": "google",
        "client_id": "client",
        "refresh_token": Secret(TOKEN, longest=8000),
        "client_secret": Secret("cl1ent-secret"),
        "account": "ada@example.org",
        "scopes": ("https://mail.google.com/", "openid"),
        "authority": "https://oauth2.example/token",
        "ca_file": Path("/etc/ca.pem"),
        "signed_in_at": dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC),
    }
    return SignIn(**{**settings, **changes})


@pytest.fixture
def store(tmp_path: Path) -> SignInStore:
    return SignInStore(tmp_path / "state" / "sign-ins")


class Ring(keyring.backend.KeyringBackend):
    priority = 1

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.trouble: Exception | None = None
        self.forgets = False

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.trouble is not None:
            raise self.trouble
        if not self.forgets:
            self.kept[service, username] = password

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def ring() -> Any:
    before, ring = keyring.get_keyring(), Ring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("changes", [{}, {"client_secret": None, "ca_file": None, "account": ""}])
def test_what_was_kept_comes_back(store: SignInStore, changes: dict[str, Any]) -> None:
    kept = sign_in(**changes)
    store.save(kept)
    assert store.load("work") == kept
    assert store.names() == ["work"]
    assert TOKEN not in repr(kept)


def test_modes_do_not_depend_on_the_umask(store: SignInStore) -> None:
    before = os.umask(0)
    try:
        store.save(sign_in())
        with store.locked("work"):
            pass
    finally:
        os.umask(before)
    assert mode(store.folder) == 0o700
    assert {mode(file) for file in store.folder.iterdir()} == {0o600}


def test_a_file_has_its_mode_before_it_has_words(
    store: SignInStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    fsync = os.fsync

    def look(descriptor: int) -> None:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode):
            seen.append((stat.S_IMODE(status.st_mode), status.st_size > 1000))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    before = os.umask(0)
    try:
        store.save(sign_in())
    finally:
        os.umask(before)
    assert seen == [(0o600, True)]


def test_what_goes_wrong_leaves_the_older_one(
    store: SignInStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(sign_in())

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        store.save(sign_in(account="bob@example.org"))
    assert store.load("work") == sign_in()
    assert [file.name for file in store.folder.iterdir()] == ["work.json"]


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o602, 0o660])
def test_a_file_that_others_reach_is_refused(store: SignInStore, bits: int) -> None:
    store.save(sign_in())
    (store.folder / "work.json").chmod(bits)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        store.load("work")


@pytest.mark.parametrize("bits", [0o750, 0o705, 0o770, 0o777])
def test_a_folder_that_others_reach_is_refused(store: SignInStore, bits: int) -> None:
    store.save(sign_in())
    store.folder.chmod(bits)
    with pytest.raises(ConfigurationError, match="chmod 700"):
        store.save(sign_in())
    with pytest.raises(ConfigurationError, match="chmod 700"), store.locked("work"):
        pass


def test_links_are_not_followed(store: SignInStore, tmp_path: Path) -> None:
    store.save(sign_in())
    file, other = store.folder / "work.json", tmp_path / "other.json"
    file.rename(other)
    file.symlink_to(other)
    with pytest.raises(ConfigurationError, match="symbolic link"):
        store.load("work")
    store.save(sign_in(account="bob@example.org"))  # in the place of the link, not through it
    assert json.loads(other.read_text())["account"] == "ada@example.org"
    (store.folder / "work.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="locking"), store.locked("work"):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_pipes_and_folders_are_no_files(store: SignInStore) -> None:
    store.save(sign_in())
    file = store.folder / "work.json"
    file.unlink()
    os.mkfifo(file, 0o600)
    with pytest.raises(ConfigurationError, match="no regular file"):
        store.load("work")
    file.unlink()
    file.mkdir(0o700)
    with pytest.raises(ConfigurationError):
        store.load("work")


def test_a_file_of_somebody_else_is_refused(
    store: SignInStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(sign_in())
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(ConfigurationError, match="belongs to another user"):
        store.load("work")
    with pytest.raises(ConfigurationError, match="belongs to another user"):
        store.save(sign_in())


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "5", "null", '{"kept_in": "file"}', '{"name": "work", "kept_in": "file"}',
        '{"name": "work", "kept_in": "file", "secrets": {}}', '{"name": "work", "kept_in": "moon"}',
        "x" * 200_000, "\ufffd",
    ],
)  # fmt: skip
def test_files_that_hold_none(store: SignInStore, text: str) -> None:
    store.save(sign_in())
    (store.folder / "work.json").write_text(text)
    with pytest.raises(ConfigurationError):
        store.load("work")


@pytest.mark.parametrize("key", sorted(sign_in().facts()))
@pytest.mark.parametrize("value", [5, None, ["x"], "http://x"])
def test_files_with_something_odd_in_them(store: SignInStore, key: str, value: object) -> None:
    store.save(sign_in())
    file = store.folder / "work.json"
    document = json.loads(file.read_text())
    for broken in ({**document, key: value}, {k: v for k, v in document.items() if k != key}):
        file.write_text(json.dumps(broken))
        try:
            store.load("work")
        except ConfigurationError as error:
            assert TOKEN not in str(error)  # noqa: PT017
    file.write_text(json.dumps({**document, "authority": "http://oauth2.example/token"}))
    with pytest.raises(ConfigurationError, match="no https:// URL"):
        store.load("work")


def test_the_sign_in_of_another_name_is_not_used(store: SignInStore) -> None:
    store.save(sign_in())
    (store.folder / "work.json").rename(store.folder / "Work.json")  # as if case did not matter
    with pytest.raises(ConfigurationError, match="sign-in of 'work', not of Work"):
        store.load("Work")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "-x", ".hidden", "a b", "a\n", "ä", "x" * 101, None, 5]
)
def test_names_that_lead_elsewhere(store: SignInStore, name: Any) -> None:
    with pytest.raises(ConfigurationError, match="no name of a sign-in"):
        store.load(name)
    assert checked_name("ada+mail@example.org") == "ada+mail@example.org"


def test_removing(store: SignInStore) -> None:
    assert not store.remove("work")
    store.save(sign_in())
    store.save(sign_in(name="home"))
    assert store.remove("work")
    assert store.names() == ["home"]
    with pytest.raises(ConfigurationError, match="nobody has signed in as work"):
        store.load("work")


def test_the_keyring_has_the_secrets(store: SignInStore, ring: Ring) -> None:
    store.save(sign_in(), "keyring")
    assert "cl1ent-secret" not in (store.folder / "work.json").read_text()
    assert TOKEN[:20] not in (store.folder / "work.json").read_text()
    assert store.load("work") == sign_in()
    assert store.kept_in("work") == "keyring"
    new = evolve(sign_in(), refresh_token=Secret("n3w-token"))
    store.replace(new)
    assert store.load("work") == new
    assert TOKEN not in str(ring.kept)
    store.remove("work")
    assert not ring.kept


def test_moving_out_of_the_keyring_leaves_nothing_there(store: SignInStore, ring: Ring) -> None:
    store.save(sign_in(), "keyring")
    store.save(sign_in(), "file")
    assert not ring.kept
    assert store.load("work") == sign_in()


def test_a_keyring_that_does_not_take_it(store: SignInStore, ring: Ring) -> None:
    # As on Windows, where the token is longer than an entry may be.
    ring.trouble = keyring.errors.PasswordSetError(f"cannot store {TOKEN}")
    with pytest.raises(ConfigurationError, match="--store file") as caught:
        store.save(sign_in(), "keyring")
    assert "2,560" in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    ring.trouble, ring.forgets = None, True
    with pytest.raises(ConfigurationError, match="did not keep it"):
        store.save(sign_in(), "keyring")
    assert store.names() == []


def test_where_the_folder_is(tmp_path: Path) -> None:
    home = Path.home()
    assert default_folder({}) == home / ".local/state/mailsend/sign-ins"
    assert default_folder({"XDG_STATE_HOME": "/s"}) == Path("/s/mailsend/sign-ins")
    named = {"XDG_STATE_HOME": "/s", "MAILSEND_SIGN_INS": "~/x"}
    assert default_folder(named) == home / "x"
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ConfigurationError, match="MAILSEND_SIGN_INS"):
        SignInStore(file / "in a file").save(sign_in())


def test_a_lock_holds_off_threads(tmp_path: Path) -> None:
    path, order = tmp_path / "lock", []
    inside = threading.Event()

    def second() -> None:
        inside.wait()
        with private_file.locked(path):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with private_file.locked(path):
        inside.set()
        thread.join(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_lock_holds_off_processes_and_ends_with_them(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    program = (
        "import sys; from pathlib import Path; from mailsend.oauth import private_file\n"
        "with private_file.locked(Path(sys.argv[1])):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        got = threading.Event()

        def wait() -> None:
            with private_file.locked(path):
                got.set()

        thread = threading.Thread(target=wait)
        thread.start()
        assert not got.wait(0.1)
        other.kill()
        thread.join(10.0)
        assert got.is_set()
