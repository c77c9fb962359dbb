"""Where sign-ins are kept: a file for each, and the secret in it or in the system's keyring."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from attrs import field, frozen

from mailsend import secret_reference
from mailsend.errors import ConfigurationError
from mailsend.oauth import private_file
from mailsend.oauth.settings import as_path
from mailsend.oauth.sign_in import SignIn, checked_name, sign_in_from
from mailsend.patience import NotInTime, within
from mailsend.secret import Hidden

KeptIn: TypeAlias = Literal["file", "keyring"]

KEYRING_SERVICE: Final = "mailsend"
"""The service of the keyring's entries; the user name is the name of the sign-in."""

_SECONDS: Final = 60.0  # for a keyring, which may ask to be unlocked


def default_folder(environ: Mapping[str, str] | None = None) -> Path:
    """The folder of the sign-ins.

    ``$MAILSEND_SIGN_INS``, else ``sign-ins`` in ``$XDG_STATE_HOME/mailsend`` (``~/.local/state``
    if that is not set).

    Raises:
        ConfigurationError: The home folder cannot be told.
    """
    environ = os.environ if environ is None else environ
    named, base = environ.get("MAILSEND_SIGN_INS"), environ.get("XDG_STATE_HOME")
    try:
        if named:
            return Path(named).expanduser()
        return Path(base or "~/.local/state").expanduser() / "mailsend" / "sign-ins"
    except RuntimeError as error:
        raise ConfigurationError(
            "the home folder cannot be told", advice="Set MAILSEND_SIGN_INS to a folder"
        ) from error


def _folder(path: str | Path | None) -> Path:
    return default_folder() if path is None else as_path(path)


@frozen
class SignInStore:
    """Keeps sign-ins in a folder with mode 0700.

    Each has a file with mode 0600, which is replaced as a whole. On Windows the folder's own
    access rights are what protects it. Files that are links, or that others own or can read, are
    refused.

    Attributes:
        folder: where; None for :func:`default_folder`.
    """

    folder: Path = field(default=None, converter=_folder)

    def save(self, sign_in: SignIn, kept_in: KeptIn = "file") -> None:
        """Keep a sign-in, in the place of one with the same name.

        Args:
            sign_in: what to keep.
            kept_in: where its secrets go.

        Raises:
            ConfigurationError: It cannot be kept there.
        """
        private_file.prepare_folder(self.folder)
        document = Hidden({**sign_in.facts(), "kept_in": kept_in})
        if kept_in == "keyring":
            _put_into_keyring(sign_in.name, Hidden(json.dumps(sign_in.secrets().value)))
        else:
            document.value["secrets"] = sign_in.secrets().value
        text = Hidden(json.dumps(document.value, indent=2) + "\n")
        before = self._kept_before(sign_in.name)
        private_file.write(self._file(sign_in.name), text)
        if before == "keyring" and kept_in == "file":
            _remove_from_keyring(sign_in.name)

    def prepare(self, name: str, kept_in: KeptIn = "file") -> None:
        """See that a sign-in could be kept, before anybody signs in for nothing.

        Raises:
            ConfigurationError: The folder cannot be used, or the package keyring is missing.
        """
        with self.locked(name):
            if kept_in == "keyring":
                _keyring()

    def replace(self, sign_in: SignIn) -> None:
        """Keep a sign-in anew, where the one with its name is kept.

        Raises:
            ConfigurationError: There is none, or it cannot be kept.
        """
        self.save(sign_in, self._document(sign_in.name).value["kept_in"])

    def load(self, name: str) -> SignIn:
        """The sign-in of a name.

        Raises:
            ConfigurationError: There is none, or it cannot be read.
        """
        document = self._document(name)
        if document.value["kept_in"] == "keyring":
            reference = secret_reference.in_keyring(KEYRING_SERVICE, name, "refresh token")
            secrets = _read(reference.look_up(_SECONDS))
        else:
            secrets = Hidden(document.value.get("secrets"))
        problem = "has no secrets in it"
        if isinstance(secrets.value, dict):
            facts = {key: value for key, value in document.value.items() if key != "secrets"}
            try:
                return sign_in_from(facts, Hidden(secrets.value))
            except ConfigurationError as error:
                problem = f"cannot be used: {error.what}"
        raise ConfigurationError(f"{self._file(name)} {problem}", advice=_again(name))

    def remove(self, name: str) -> bool:
        """Forget a sign-in.

        Returns:
            Whether there was one.

        Raises:
            ConfigurationError: It cannot be removed.
        """
        file = self._file(name)
        if not file.is_symlink() and not file.exists():
            return False
        if self._kept_before(name) == "keyring":
            _remove_from_keyring(name)
        try:
            file.unlink()
        except OSError as error:
            raise ConfigurationError(f"{file} cannot be removed: {error.strerror}") from error
        return True

    def kept_in(self, name: str) -> KeptIn:
        """Where the secrets of a sign-in are.

        Raises:
            ConfigurationError: There is no such sign-in, or it cannot be read.
        """
        found: KeptIn = self._document(name).value["kept_in"]
        return found

    def names(self) -> list[str]:
        """The names of what is kept, sorted."""
        return sorted(file.stem for file in self.folder.glob("[!.]*.json"))

    @contextlib.contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Let no other thread or process refresh this sign-in meanwhile.

        Raises:
            ConfigurationError: The folder cannot be used.
        """
        private_file.prepare_folder(self.folder)
        with private_file.locked(self._file(name).with_suffix(".lock")):
            yield

    def _kept_before(self, name: str) -> KeptIn | None:
        try:
            return self.kept_in(name)
        except ConfigurationError:
            return None  # there is none; or whatever is there gives way

    def _file(self, name: str) -> Path:
        return self.folder / f"{checked_name(name)}.json"

    def _document(self, name: str) -> Hidden[dict[str, Any]]:
        file = self._file(name)
        text = private_file.read(file)
        if text is None:
            raise ConfigurationError(
                f"nobody has signed in as {name}: there is no {file}", advice=_again(name)
            )
        document = _read(text)
        if not isinstance(document.value, dict) or document.value.get("kept_in") not in {
            "file",
            "keyring",
        }:
            raise ConfigurationError(f"{file} holds no sign-in", advice=_again(name))
        if document.value.get("name") != name:
            # Some file systems take Work for work, and the wrong account must not send.
            raise ConfigurationError(
                f"{file} is the sign-in of {ascii(document.value.get('name'))[:110]}, not of {name}"
            )
        return Hidden(document.value)


def _again(name: str) -> str:
    return f"Sign in: mailsend login microsoft {name}, or mailsend login google {name}"


def _read(text: Hidden[str]) -> Hidden[object]:
    try:
        return Hidden(json.loads(text.value))
    except ValueError:
        return Hidden(None)


def _put_into_keyring(name: str, text: Hidden[str]) -> None:
    keyring = _keyring()
    try:
        back = within(
            _SECONDS,
            lambda: (
                keyring.set_password(KEYRING_SERVICE, name, text.value),
                Hidden(keyring.get_password(KEYRING_SERVICE, name)),
            )[1],
        )
        problem = "" if back.value == text.value else "it did not keep it"
    except NotInTime:
        problem = "it did not answer in time; is it locked?"
    except Exception as error:  # noqa: BLE001 - its backends have error classes of their own
        problem = type(error).__name__
    if problem:  # not within the except: what a backend raises may hold the secret
        raise ConfigurationError(
            f"the keyring did not take the sign-in {name}: {problem}",
            advice="Use --store file. Windows keeps at most 2,560 octets in an entry, and "
            "Microsoft's refresh tokens are longer; a server often has no keyring at all",
        )


def _remove_from_keyring(name: str) -> None:
    keyring = _keyring()
    try:
        if keyring.get_password(KEYRING_SERVICE, name) is not None:
            keyring.delete_password(KEYRING_SERVICE, name)
    except Exception as error:
        raise ConfigurationError(
            f"the keyring entry {KEYRING_SERVICE} of {name} cannot be removed: "
            f"{type(error).__name__}",
            advice=f"Remove it with `python -m keyring del {KEYRING_SERVICE} {name}`",
        ) from error


def _keyring() -> Any:
    try:
        import keyring  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise ConfigurationError(
            "the package keyring is not installed",
            advice="Install mailsend with its extra: mailsend[keyring], or use --store file",
        ) from error
    return keyring
