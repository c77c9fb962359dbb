"""Credentials: who to be at a server, and the proof of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from attrs import frozen

from mailsend import secret_reference
from mailsend.secret import Hidden, Secret
from mailsend.secret_reference import SecretReference


class Password:
    """A password, given or looked up when it is needed.

    No representation, comparison or copy of it shows the secret: ``repr`` names only where it
    comes from, ``attrs.asdict`` and :mod:`copy` keep the object itself, and a password given as
    a string refuses to be pickled (one that is looked up pickles as the reference).

    Args:
        secret: the password itself. Looking it up keeps it out of the source: see the
            constructors ``from_env``, ``from_file``, ``from_command`` and ``from_keyring``.
        allow_plaintext_pickling: let :mod:`pickle` store the password as it is.

    Raises:
        ConfigurationError: It is empty, has control characters or more than 4,096 characters.
    """

    __slots__ = ("_source",)

    _source: Secret | SecretReference

    def __init__(self, secret: str, *, allow_plaintext_pickling: bool = False) -> None:
        held = Hidden(secret)
        del secret  # no traceback that shows local variables may show it
        self._source = Secret(
            held.value,
            allow_plaintext_pickling=allow_plaintext_pickling,
            what="the password",
        )

    @classmethod
    def _from(cls, source: Secret | SecretReference) -> Password:
        password = cls.__new__(cls)
        password._source = source  # noqa: SLF001 - what __init__ does for a string
        return password

    @classmethod
    def from_env(cls, variable: str) -> Password:
        """Read an environment variable at each authentication.

        Raises:
            ConfigurationError: The name cannot be one of a variable.
        """
        return cls._from(secret_reference.in_environment(variable))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Password:
        """Read a file at each authentication; one line end at its end is no part of the password.

        A UserWarning is given where every user of the machine can read it.

        Raises:
            ConfigurationError: The path cannot be one.
        """
        return cls._from(secret_reference.in_file(path))

    @classmethod
    def from_command(cls, command: str | Sequence[str]) -> Password:
        """Run a command at each authentication and take the first line that it prints.

        Args:
            command: words, or one string that is split as a shell splits it. No shell runs. Its
                error output is not captured, so that what ``pass`` or ``gpg`` ask can be read.

        Raises:
            ConfigurationError: There is no command, or its quotes do not close.
        """
        return cls._from(secret_reference.from_command(command))

    @classmethod
    def from_keyring(cls, service: str, username: str) -> Password:
        """Ask the system's keyring at each authentication. Needs ``mailsend[keyring]``.

        Args:
            service: what the entry is for, as in ``python -m keyring set SERVICE USERNAME``.
            username: whose it is.

        Raises:
            ConfigurationError: One of them is no printable text.
        """
        return cls._from(secret_reference.in_keyring(service, username))

    def reveal(self, *, timeout: float = 60.0) -> str:
        """The secret itself.

        Args:
            timeout: seconds that a command or a keyring may take.

        Raises:
            ConfigurationError: It cannot be looked up, or what was found cannot be a password.
        """
        return self.look_up(timeout).reveal()

    def look_up(self, seconds: float) -> Secret:
        """The secret, found where it is kept; see :meth:`reveal`."""
        source = self._source
        if isinstance(source, Secret):
            return source
        found = source.look_up(seconds)
        return Secret(found.value, what=f"the password in {source.place}")

    def is_literally(self, text: str) -> bool:
        """Whether the password was given as a string, and as this one."""
        return bool(text) and self._source == Secret(text)

    def __repr__(self) -> str:
        if not hasattr(self, "_source"):
            return "<Password>"  # its construction failed, and a traceback shows it
        source = "'…'" if isinstance(self._source, Secret) else str(self._source)
        return f"<Password {source}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Password):
            return NotImplemented
        return self._source == other._source

    def __hash__(self) -> int:
        return hash((Password, self._source))

    def __copy__(self) -> Password:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Password:
        return self

    def __reduce__(self) -> tuple[Callable[..., Password], tuple[Secret | SecretReference]]:
        return (Password._from, (self._source,))


@frozen
class ClientCertificate:
    """The profile's TLS client certificate as the proof, for AUTH EXTERNAL (RFC 4422 appendix A).

    Goes with ``tls=TlsOptions(client_cert=..., client_key=...)``. A user name may be given, to ask
    for an identity other than the one that the server derives from the certificate.
    """
