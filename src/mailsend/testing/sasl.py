"""The server's side of SASL (RFC 4422): what a mechanism is, and what it is told."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Generator, Mapping
from typing import Final, TypeAlias

from attrs import Attribute, define, field, frozen

Exchange: TypeAlias = Generator[bytes, bytes, str | None]
"""Yields challenges, is sent responses; returns the name, or None where the proof is wrong.

Every exchange asks for its first response with an empty challenge if the mechanism lets the client
speak first; the initial response of the AUTH command answers that challenge.
"""

_NAME: Final = re.compile(r"[A-Z0-9_-]{1,20}")


class MalformedResponse(Exception):
    """The response does not have the form the mechanism requires; it is answered with 501."""


@define(kw_only=True)
class SaslContext:
    """What a mechanism may know of the session.

    Attributes:
        users: password or access token by name, as they are when the exchange begins.
        certificate_names: whom the client's TLS certificate names; empty without one. First the
            e-mail addresses, then the common name of its subject.
        address: IP address and port that the client has connected to.
        claimed: whom the client says to be. Set by the mechanism, for the record of the server;
            a mechanism that succeeds need not.
    """

    users: Mapping[str, str]
    certificate_names: tuple[str, ...] = ()
    address: tuple[str, int] = ("127.0.0.1", 0)
    claimed: str = ""

    def verify(self, name: bytes, secret: bytes) -> str | None:
        """The user of that name if the secret is theirs, else None; octet by octet."""
        self.claimed = name.decode(errors="replace")
        known = self.users.get(self.claimed)
        return self.claimed if known is not None and known.encode() == secret else None


def _upper(name: str) -> str:
    return name.upper()


def _check_name(_: object, attribute: Attribute[str], value: str) -> None:
    if not _NAME.fullmatch(value):
        raise ValueError(f"{attribute.name} {value!r} is no name of a mechanism (RFC 4422 §3.1)")


@frozen
class ServerMechanism:
    """One SASL mechanism of the server.

    Write one to test a mechanism of your own::

        def start(context: SaslContext) -> Exchange:
            response = yield b"What is the word?"
            return "ada" if response == b"Please" else None

        SmtpServer(mechanisms=["PLAIN", ServerMechanism("X-WORD", start, client_first=False)])

    Args:
        name: 1 to 20 of A-Z, 0-9, hyphen and underscore; other letters become upper case.
        start: begins an exchange: a generator that yields challenges and is sent the responses,
            both before base64. It returns the name of the user, which need not be one of the
            server's `users`, or None, and then 535 is answered. It raises MalformedResponse for
            a response that makes no sense. Another exception is a defect that
            :meth:`SmtpServer.stop` raises.
        client_first: whether an initial response is possible. If so, the first challenge has to
            be empty, and what answers it is the initial response wherever the client sent it.
        needs_certificate: offer it only to a client whose TLS certificate names somebody. The
            server then asks every client for a certificate, and does not insist on it.

    Raises:
        ValueError: The name is none.
    """

    name: str = field(converter=_upper, validator=_check_name)
    start: Callable[[SaslContext], Exchange]
    client_first: bool = field(default=True, kw_only=True)
    needs_certificate: bool = field(default=False, kw_only=True)


def decode(line: bytes) -> bytes:
    """The octets of a base64 line.

    Raises:
        MalformedResponse: It is none.
    """
    try:
        return base64.b64decode(line, validate=True)
    except binascii.Error as error:
        raise MalformedResponse("Not base64") from error
