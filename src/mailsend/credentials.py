"""Credentials: values that can be used and never shown."""

from __future__ import annotations

import hmac
import os
import shlex
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Generic, NoReturn, TypeVar

from mailsend.errors import ConfigurationError

MAX_SECRET_CHARACTERS: Final = 4096

T = TypeVar("T")


class Hidden(Generic[T]):
    """Something secret in transit: tracebacks that show local variables show only this object."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value


class Password:
    """A password, given or looked up when it is needed.

    No representation, comparison or copy of it shows the secret: ``repr`` names only where it
    comes from, ``attrs.asdict`` and :mod:`copy` keep the object itself, and a password given as
    a string refuses to be pickled (one that is looked up pickles as the reference).

    Args:
        secret: the password itself. Looking it up keeps it out of the source: see the
            constructors ``from_env``, ``from_file`` and ``from_command``.

    Raises:
        ConfigurationError: It is empty, has control characters or more than 4,096 characters.
    """

    __slots__ = ("_kind", "_reference", "_secret")

    def __init__(self, secret: str) -> None:
        problem = _problem_of(secret)
        if problem is not None:
            del secret  # no traceback that shows local variables may show it
            raise ConfigurationError(f"the password {problem}")
        self._kind = "string"
        self._reference: tuple[str, ...] = ()
        self._secret: str | None = secret

    @classmethod
    def _referring(cls, kind: str, *reference: str) -> Password:
        password = cls.__new__(cls)
        password._kind, password._reference, password._secret = kind, reference, None  # noqa: SLF001
        return password

    @classmethod
    def from_env(cls, variable: str) -> Password:
        """Read an environment variable at each authentication.

        Raises:
            ConfigurationError: The name cannot be one of a variable.
        """
        if not isinstance(variable, str) or not variable.isprintable() or "=" in variable:
            raise ConfigurationError(f"{ascii(variable)[:80]} is no name of a variable")
        if not variable:
            raise ConfigurationError("the name of the password's environment variable is empty")
        return cls._referring("environment variable", variable)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Password:
        """Read a file at each authentication; one line end at its end is no part of the password.

        Raises:
            ConfigurationError: The path cannot be one.
        """
        text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
        if not isinstance(text, str) or not text or not text.isprintable():
            raise ConfigurationError(f"{ascii(path)[:80]} is no usable path of a password file")
        return cls._referring("file", text)

    @classmethod
    def from_command(cls, command: str | Sequence[str]) -> Password:
        """Run a command at each authentication and take the first line that it prints.

        Args:
            command: words, or one string that is split as a shell splits it. No shell runs. Its
                error output is not captured, so that what ``pass`` or ``gpg`` ask can be read.

        Raises:
            ConfigurationError: There is no command, or its quotes do not close.
        """
        try:
            words = shlex.split(command) if isinstance(command, str) else list(command)
        except (ValueError, TypeError) as error:
            raise ConfigurationError(f"the password command cannot be split: {error}") from error
        if not words or not all(isinstance(word, str) and "\0" not in word for word in words):
            raise ConfigurationError("the password command is no list of words, or contains NUL")
        if not words[0]:
            raise ConfigurationError("the password command is empty")
        return cls._referring("command", *words)

    def reveal(self, *, timeout: float = 60.0) -> str:
        """The secret itself.

        Args:
            timeout: seconds that a command may run.

        Raises:
            ConfigurationError: It cannot be looked up, or what was found cannot be a password.
        """
        if self._secret is not None:
            return self._secret
        secret = _LOOK_UP[self._kind](self._reference, timeout)
        problem = _problem_of(secret)
        if problem is not None:
            del secret
            raise ConfigurationError(f"the password in {self._where()} {problem}")
        return secret

    def is_literally(self, text: str) -> bool:
        """Whether the password was given as a string, and as this one."""
        secret = self._secret
        return secret is not None and hmac.compare_digest(secret.encode(), text.encode())

    def _where(self) -> str:
        # A command's arguments may be private; its program is enough to know which one is meant.
        return f"the {self._kind} {self._reference[0]}"

    def __repr__(self) -> str:
        if not hasattr(self, "_reference"):
            return "<Password>"  # its construction failed, and a traceback shows it
        source = "'…'" if self._kind == "string" else f"from {self._kind} {self._reference[0]!r}"
        return f"<Password {source}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Password):
            return NotImplemented
        if self._secret is None or other._secret is None:
            return (self._kind, self._reference) == (other._kind, other._reference)
        return hmac.compare_digest(self._secret.encode(), other._secret.encode())

    def __hash__(self) -> int:
        # Not of the secret: a hash of it could be compared with hashes of guesses.
        return hash((self._kind, self._reference))

    def __copy__(self) -> Password:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Password:
        return self

    def __reduce__(self) -> tuple[Callable[..., Password], tuple[str, ...]]:
        if self._secret is not None:
            self._refuse_pickling()
        return (_refer, (self._kind, *self._reference))

    def _refuse_pickling(self) -> NoReturn:
        raise TypeError(
            "a password given as a string is not pickled, because pickles are stored and shown; "
            "use Password.from_env, from_file or from_command, which pickle as references"
        )


def _refer(kind: str, *reference: str) -> Password:
    return Password._referring(kind, *reference)  # noqa: SLF001 - the other half of __reduce__


def _problem_of(secret: object) -> str | None:
    if not isinstance(secret, str):
        return f"has to be a string, not {type(secret).__name__}"
    if not secret:
        return "is empty"
    if len(secret) > MAX_SECRET_CHARACTERS:
        return f"has more than {MAX_SECRET_CHARACTERS} characters"
    if any(ord(c) < 32 or 127 <= ord(c) < 160 or 0xD800 <= ord(c) < 0xE000 for c in secret):
        return "contains a control character; was a line end read with it?"
    return None


def _from_environment(reference: tuple[str, ...], _: float) -> str:
    if reference[0] not in os.environ:
        raise ConfigurationError(
            f"the environment variable {reference[0]}, which holds the password, is not set",
            advice=f"Set {reference[0]} before the program starts",
        )
    return os.environ[reference[0]]


def _from_file(reference: tuple[str, ...], _: float) -> str:
    try:
        octets = Hidden(Path(reference[0]).expanduser().read_bytes())
    except OSError as error:
        raise ConfigurationError(
            f"the password file {reference[0]} cannot be read: {error.strerror}",
            advice="Check its path, and that this user may read it",
        ) from error
    return _first_line(octets, f"the password file {reference[0]}", only=True).value


def _from_command(reference: tuple[str, ...], timeout: float) -> str:
    output, problem = _run(reference, timeout)
    if problem is not None:
        raise ConfigurationError(f"the password command {reference[0]} {problem}")
    return _first_line(output, f"the output of the password command {reference[0]}").value


def _run(reference: tuple[str, ...], timeout: float) -> tuple[Hidden[bytes], str | None]:
    try:
        done = subprocess.run(  # noqa: S603 - the caller's own command, and no shell
            reference,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=timeout,
            check=False,
        )
    except (OSError, ValueError) as error:
        return Hidden(b""), f"cannot be run: {getattr(error, 'strerror', None) or error}"
    except subprocess.TimeoutExpired:
        return Hidden(b""), f"did not end within {timeout:g} seconds"
    if done.returncode:
        return Hidden(b""), f"ended with status {done.returncode}"
    return Hidden(done.stdout), None if done.stdout else "printed nothing"


def _first_line(octets: Hidden[bytes], where: str, *, only: bool = False) -> Hidden[str]:
    """Without its line end; `only` takes all of it, so that a second line is found out."""
    text = octets.value.decode("utf-8", "replace")
    valid = "\ufffd" not in text
    text = text.removesuffix("\n") if only else text.partition("\n")[0]
    found = Hidden(text.removesuffix("\r"))
    del text
    if not valid:
        raise ConfigurationError(f"{where} is not UTF-8")
    return found


_LOOK_UP: Final[dict[str, Callable[[tuple[str, ...], float], str]]] = {
    "environment variable": _from_environment,
    "file": _from_file,
    "command": _from_command,
}
