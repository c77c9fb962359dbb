"""Private keys for signing: values that can be used and never shown."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from mailsend import secret_reference
from mailsend.errors import ConfigurationError
from mailsend.secret import Hidden, Secret
from mailsend.secret_reference import SecretReference

MAX_KEY_OCTETS: Final = 65_536
_SECONDS: Final = 60.0  # for a file on a disk that does not answer
_WHAT: Final = "private key"


class PrivateKey:
    """A private key in PEM, given or looked up when it is needed.

    No representation, comparison or copy of it shows the key: ``repr`` names only where it comes
    from, ``attrs.asdict`` and :mod:`copy` keep the object itself, and a key given as text refuses
    to be pickled (one that is looked up pickles as the reference).

    Args:
        pem: the key itself. Looking it up keeps it out of the source: see the constructors
            ``from_file`` and ``from_env``.

    Raises:
        ConfigurationError: It is no PEM, is not UTF-8, or has more than 65,536 octets.
    """

    __slots__ = ("_source",)

    _source: Secret | SecretReference

    def __init__(self, pem: str | bytes) -> None:
        held = _text_of(pem)
        del pem  # no traceback that shows local variables may show it
        self._source = _checked(held, f"the {_WHAT}")

    @classmethod
    def _from(cls, source: Secret | SecretReference) -> PrivateKey:
        key = cls.__new__(cls)
        key._source = source  # noqa: SLF001 - what __init__ does for text
        return key

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> PrivateKey:
        """Read a file each time the key is needed.

        A UserWarning is given where every user of the machine can read it.

        Raises:
            ConfigurationError: The path cannot be one.
        """
        return cls._from(secret_reference.in_file(path, _WHAT, lines=True))

    @classmethod
    def from_env(cls, variable: str) -> PrivateKey:
        r"""Read an environment variable each time; ``\n`` in it stands for a line end too.

        Raises:
            ConfigurationError: The name cannot be one of a variable.
        """
        return cls._from(secret_reference.in_environment(variable, _WHAT))

    def reveal(self) -> bytes:
        """The PEM itself.

        Raises:
            ConfigurationError: It cannot be looked up, or what was found is no PEM.
        """
        source = self._source
        if isinstance(source, Secret):
            return source.reveal().encode()
        found = source.look_up(_SECONDS)
        if source.kind == "environment variable":
            found = Hidden(found.value.replace("\\n", "\n"))
        return _checked(found, f"the {_WHAT} in {source.place}").reveal().encode()

    def __repr__(self) -> str:
        if not hasattr(self, "_source"):
            return "<PrivateKey>"  # its construction failed, and a traceback shows it
        source = "'…'" if isinstance(self._source, Secret) else str(self._source)
        return f"<PrivateKey {source}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PrivateKey):
            return NotImplemented
        return self._source == other._source

    def __hash__(self) -> int:
        return hash((PrivateKey, self._source))

    def __copy__(self) -> PrivateKey:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> PrivateKey:
        return self

    def __reduce__(self) -> tuple[Callable[..., PrivateKey], tuple[Secret | SecretReference]]:
        return (PrivateKey._from, (self._source,))


def _text_of(pem: object) -> Hidden[str]:
    if isinstance(pem, str):
        return Hidden(pem)
    octets = bytes(pem) if isinstance(pem, bytes | bytearray | memoryview) else b""
    return Hidden(octets.decode("utf-8", "replace"))


def _checked(text: Hidden[str], what: str) -> Secret:
    if len(text.value.encode("utf-8", "replace")) > MAX_KEY_OCTETS:
        raise ConfigurationError(f"{what} has more than {MAX_KEY_OCTETS} octets")
    if "-----BEGIN " not in text.value:
        raise ConfigurationError(f"{what} is no PEM: there is no line that begins with -----BEGIN")
    return Secret(text.value, what=what, longest=MAX_KEY_OCTETS, lines=True)
