"""Where a secret is kept: an environment variable, a file, a command's output, a keyring."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal

from attrs import frozen

from mailsend.errors import ConfigurationError
from mailsend.patience import NotInTime, within
from mailsend.secret import Hidden

_MOST_OCTETS: Final = 65_536  # of a file or of an output; a secret has fewer by far

Kind = Literal["environment variable", "file", "command", "keyring"]


@frozen
class SecretReference:
    """A place to look a secret up, each time it is needed.

    Made by :func:`in_environment`, :func:`in_file`, :func:`from_command` or :func:`in_keyring`.

    Attributes:
        kind: what kind of place.
        words: which: a variable, a path, a command and its arguments, a service and a user.
        what: what is kept there, for errors, such as ``password``.
        lines: whether it has several lines, as a key has; then the last line's end stays too.
    """

    kind: Kind
    words: tuple[str, ...]
    what: str = "password"
    lines: bool = False

    def look_up(self, seconds: float) -> Hidden[str]:
        """The secret, not checked yet.

        Args:
            seconds: how long a command or a keyring may take.

        Raises:
            ConfigurationError: It cannot be read.
        """
        return _LOOK_UP[self.kind](self, seconds)

    @property
    def place(self) -> str:
        """Where it is, in words. A command's arguments may be private, so they are left out."""
        return f"the {self.kind} {self.words[0]}"

    def __str__(self) -> str:
        return f"from {self.kind} {self.words[0]!r}"

    def __repr__(self) -> str:
        return f"<SecretReference {self}>"


def in_environment(variable: str, what: str = "password") -> SecretReference:
    """Refer to an environment variable.

    Raises:
        ConfigurationError: The name cannot be one of a variable.
    """
    if not isinstance(variable, str) or not variable.isprintable() or "=" in variable:
        raise ConfigurationError(f"{ascii(variable)[:80]} is no name of a variable")
    if not variable:
        raise ConfigurationError(f"the name of the {what}'s environment variable is empty")
    return SecretReference("environment variable", (variable,), what)


def in_file(
    path: str | os.PathLike[str], what: str = "password", *, lines: bool = False
) -> SecretReference:
    """Refer to a file, of which one line end at its end is no part of the secret.

    Args:
        path: which file.
        what: what is kept there.
        lines: whether that has several lines, so that the last one's end is part of it.

    Raises:
        ConfigurationError: The path cannot be one.
    """
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str) or not text or not text.isprintable():
        raise ConfigurationError(f"{ascii(path)[:80]} is no usable path of the {what} file")
    return SecretReference("file", (text,), what, lines)


def from_command(command: str | Sequence[str], what: str = "password") -> SecretReference:
    """Refer to the first line that a command prints.

    Args:
        command: words, or one string that is split as a shell splits it. No shell runs. Its error
            output is not captured, so that what ``pass`` or ``gpg`` ask can be read.
        what: what it prints.

    Raises:
        ConfigurationError: There is no command, or its quotes do not close.
    """
    try:
        words = shlex.split(command) if isinstance(command, str) else list(command)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"the {what} command cannot be split: {error}") from error
    if not words or not all(isinstance(word, str) and "\0" not in word for word in words):
        raise ConfigurationError(f"the {what} command is no list of words, or contains NUL")
    if not words[0]:
        raise ConfigurationError(f"the {what} command is empty")
    return SecretReference("command", tuple(words), what)


def in_keyring(service: str, username: str, what: str = "password") -> SecretReference:
    """Refer to an entry of the system's keyring. Needs the extra ``mailsend[keyring]``.

    Args:
        service: what the entry is for, such as ``smtp.example.org``.
        username: whose it is.
        what: what is kept there.

    Raises:
        ConfigurationError: One of them is no printable text.
    """
    for name, word in (("service", service), ("user name", username)):
        if not isinstance(word, str) or not word or not word.isprintable():
            raise ConfigurationError(f"{ascii(word)[:80]} is no {name} of a keyring entry")
    return SecretReference("keyring", (service, username), what)


def _from_environment(reference: SecretReference, _: float) -> Hidden[str]:
    (variable,) = reference.words
    if variable not in os.environ:
        raise ConfigurationError(
            f"the environment variable {variable}, which holds the {reference.what}, is not set",
            advice=f"Set {variable} before the program starts",
        )
    return Hidden(os.environ[variable])


def _from_file(reference: SecretReference, seconds: float) -> Hidden[str]:
    (path,) = reference.words
    where = f"the {reference.what} file {path}"
    try:
        octets, mode = within(seconds, lambda: _read(path))
    except NotInTime as error:
        raise ConfigurationError(
            f"{where} could not be read within {seconds:g} seconds",
            advice="It may be a pipe that nobody writes to, or on a disk that is not there",
        ) from error
    except (OSError, RuntimeError) as error:  # a home that cannot be told is a RuntimeError
        raise ConfigurationError(
            f"{where} cannot be read: {getattr(error, 'strerror', None) or error}",
            advice="Check its path, and that this user may read it",
        ) from error
    if len(octets.value) > _MOST_OCTETS:
        raise ConfigurationError(f"{where} has more than {_MOST_OCTETS:,} octets")
    warn_if_readable_by_all(path, mode, reference.what)
    return _text_of(octets, where) if reference.lines else _first_line(octets, where, only=True)


def _read(path: str) -> tuple[Hidden[bytes], int]:
    with Path(path).expanduser().open("rb") as stream:
        return Hidden(stream.read(_MOST_OCTETS + 1)), os.fstat(stream.fileno()).st_mode


def warn_if_readable_by_all(path: object, mode: int, what: str) -> None:
    """Warn of a file with a secret that every user of the machine can read."""
    if os.name == "posix" and mode & stat.S_IROTH:
        warnings.warn(
            f"every user of this machine can read the {what} file {path}: chmod o-r {path}",
            UserWarning,
            stacklevel=5,
        )


def _from_command(reference: SecretReference, seconds: float) -> Hidden[str]:
    output, problem = _run(reference.words, seconds)
    command = f"the {reference.what} command {reference.words[0]}"
    if problem is not None:
        raise ConfigurationError(f"{command} {problem}")
    return _first_line(output, f"the output of {command}")


def _run(words: tuple[str, ...], seconds: float) -> tuple[Hidden[bytes], str | None]:
    end = time.monotonic() + seconds
    try:
        # No shell. Its output is bounded, for some commands never stop.
        process = subprocess.Popen(  # noqa: S603 - the caller's own command
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        )
    except (OSError, ValueError) as error:
        return Hidden(b""), f"cannot be run: {getattr(error, 'strerror', None) or error}"
    try:
        found = within(seconds, lambda: _output_of(process))
        if len(found.value) > _MOST_OCTETS:
            return Hidden(b""), f"printed more than {_MOST_OCTETS:,} octets"
        status = process.wait(timeout=max(0.0, end - time.monotonic()))
    except (NotInTime, subprocess.TimeoutExpired):
        return Hidden(b""), f"did not end within {seconds:g} seconds"
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if status:
        return Hidden(b""), f"ended with status {status}"
    return found, None if found.value else "printed nothing"


def _output_of(process: subprocess.Popen[bytes]) -> Hidden[bytes]:
    """What it printed, as far as it may be a secret. The pipe is closed by whoever reads it."""
    assert process.stdout is not None  # noqa: S101 - it was asked for
    with process.stdout as stream:
        return Hidden(stream.read(_MOST_OCTETS + 1))


def _first_line(octets: Hidden[bytes], where: str, *, only: bool = False) -> Hidden[str]:
    """Without its line end; `only` takes all of it, so that a second line is found out."""
    text = _text_of(octets, where)
    text.value = text.value.removesuffix("\n") if only else text.value.partition("\n")[0]
    text.value = text.value.removesuffix("\r")
    return text


def _text_of(octets: Hidden[bytes], where: str) -> Hidden[str]:
    text = Hidden(octets.value.decode("utf-8", "replace"))
    if "\ufffd" in text.value:
        raise ConfigurationError(f"{where} is not UTF-8")
    return text


def _from_keyring(reference: SecretReference, seconds: float) -> Hidden[str]:
    service, username = reference.words
    where = f"the keyring entry {service} of {username}"
    try:
        import keyring  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise ConfigurationError(
            f"{where} cannot be read: the package keyring is not installed",
            advice="Install mailsend with its extra: mailsend[keyring]",
        ) from error
    try:
        found = within(seconds, lambda: Hidden(keyring.get_password(service, username)))
    except NotInTime as error:
        raise ConfigurationError(
            f"{where} was not given out within {seconds:g} seconds",
            advice="Unlock the keyring before the program starts",
        ) from error
    except Exception as error:
        # Its backends have error classes of their own, beside keyring's.
        raise ConfigurationError(
            f"{where} cannot be read: {type(error).__name__}",
            advice="`python -m keyring --list-backends` tells which keyring is used",
        ) from error
    if found.value is None:
        raise ConfigurationError(
            f"there is no {where.removeprefix('the ')}",
            advice=f"Store it with `python -m keyring set {service} {username}`",
        )
    return Hidden(found.value)


_LOOK_UP: Final[dict[Kind, Callable[[SecretReference, float], Hidden[str]]]] = {
    "environment variable": _from_environment,
    "file": _from_file,
    "command": _from_command,
    "keyring": _from_keyring,
}
