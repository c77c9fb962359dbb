"""Private keys for signing: values that can be used and never shown."""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from mailsend.errors import ConfigurationError
from mailsend.secret import Hidden

MAX_KEY_OCTETS: Final = 65_536


class PrivateKey:
    """A private key in PEM, given or looked up when it is needed.

    No representation, comparison or copy of it shows the key: ``repr`` names only where it comes
    from, ``attrs.asdict`` and :mod:`copy` keep the object itself, and a key given as text refuses
    to be pickled (one that is looked up pickles as the reference).

    Args:
        pem: the key itself. Looking it up keeps it out of the source: see the constructors
            ``from_file`` and ``from_env``.

    Raises:
        ConfigurationError: It is no PEM, or has more than 65,536 octets.
    """

    __slots__ = ("_kind", "_pem", "_reference")

    def __init__(self, pem: str | bytes) -> None:
        octets = _octets(pem)
        problem = _problem_of(octets)
        if problem is not None:
            del pem, octets  # no traceback that shows local variables may show it
            raise ConfigurationError(f"the private key {problem}")
        self._kind = "text"
        self._reference = ""
        self._pem: bytes | None = octets.value

    @classmethod
    def _referring(cls, kind: str, reference: str) -> PrivateKey:
        key = cls.__new__(cls)
        key._kind, key._reference, key._pem = kind, reference, None  # noqa: SLF001
        return key

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> PrivateKey:
        """Read a file each time the key is needed.

        Raises:
            ConfigurationError: The path cannot be one.
        """
        text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
        if not isinstance(text, str) or not text or not text.isprintable():
            raise ConfigurationError("the path of the private key's file is no usable one")
        return cls._referring("file", text)

    @classmethod
    def from_env(cls, variable: str) -> PrivateKey:
        r"""Read an environment variable each time; ``\n`` in it stands for a line end too.

        Raises:
            ConfigurationError: The name cannot be one of a variable.
        """
        usable = isinstance(variable, str) and variable.isprintable() and "=" not in variable
        if not usable or not variable:
            raise ConfigurationError("the name of the private key's variable is no usable one")
        return cls._referring("environment variable", variable)

    def reveal(self) -> bytes:
        """The PEM itself.

        Raises:
            ConfigurationError: It cannot be looked up, or what was found is no PEM.
        """
        if self._pem is not None:
            return self._pem
        octets = _LOOK_UP[self._kind](self._reference)
        problem = _problem_of(octets)
        if problem is not None:
            del octets
            raise ConfigurationError(
                f"the private key in the {self._kind} {self._reference} {problem}"
            )
        return octets.value

    def __repr__(self) -> str:
        if not hasattr(self, "_reference"):
            return "<PrivateKey>"  # its construction failed, and a traceback shows it
        source = "'…'" if self._kind == "text" else f"from {self._kind} {self._reference!r}"
        return f"<PrivateKey {source}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PrivateKey):
            return NotImplemented
        if self._pem is None or other._pem is None:
            return (self._kind, self._reference) == (other._kind, other._reference)
        return hmac.compare_digest(self._pem, other._pem)

    def __hash__(self) -> int:
        # Not of the key: a hash of it could be compared with hashes of guesses.
        return hash((self._kind, self._reference))

    def __copy__(self) -> PrivateKey:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> PrivateKey:
        return self

    def __reduce__(self) -> tuple[Callable[..., PrivateKey], tuple[str, str]]:
        if self._pem is not None:
            raise TypeError(
                "a private key given as text is not pickled, because pickles are stored and "
                "shown; use PrivateKey.from_file or from_env, which pickle as references"
            )
        return (_refer, (self._kind, self._reference))


def _refer(kind: str, reference: str) -> PrivateKey:
    return PrivateKey._referring(kind, reference)  # noqa: SLF001 - the other half of __reduce__


def _octets(pem: object) -> Hidden[bytes]:
    if isinstance(pem, str):
        return Hidden(pem.encode("utf-8", "replace"))
    return Hidden(bytes(pem) if isinstance(pem, bytes | bytearray | memoryview) else b"")


def _problem_of(octets: Hidden[bytes]) -> str | None:
    if len(octets.value) > MAX_KEY_OCTETS:
        return f"has more than {MAX_KEY_OCTETS} octets"
    if b"-----BEGIN " not in octets.value:
        return "is no PEM: there is no line that begins with -----BEGIN"
    return None


def _from_file(path: str) -> Hidden[bytes]:
    try:
        return Hidden(Path(path).expanduser().read_bytes())
    except OSError as error:
        raise ConfigurationError(
            f"the private key's file {path} cannot be read: {error.strerror}",
            advice="Check its path, and that this user may read it",
        ) from error


def _from_environment(variable: str) -> Hidden[bytes]:
    if variable not in os.environ:
        raise ConfigurationError(
            f"the environment variable {variable}, which holds the private key, is not set",
            advice=f"Set {variable} before the program starts",
        )
    return Hidden(os.environ[variable].replace("\\n", "\n").encode("utf-8", "replace"))


_LOOK_UP: Final[dict[str, Callable[[str], Hidden[bytes]]]] = {
    "file": _from_file,
    "environment variable": _from_environment,
}
