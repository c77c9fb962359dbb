"""SASL mechanisms for AUTH: challenge in, response out, no I/O (RFC 4954 §4)."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from typing import Final, Protocol


class Mechanism(Protocol):
    """One authentication exchange. Used once."""

    name: str
    """The registered name, such as ``PLAIN``."""

    def initial_response(self) -> bytes | None:
        """What is sent with the AUTH command, or None where the server speaks first."""
        ...

    def respond(self, challenge: bytes) -> bytes | None:
        """The answer to a challenge, or None if the mechanism expects no more of them."""
        ...


class Plain:
    """PLAIN (RFC 4616 §2): one message with name and password in UTF-8."""

    name = "PLAIN"

    def __init__(self, username: str, secret: str) -> None:
        self._message = b"\0" + username.encode() + b"\0" + secret.encode()
        self._sent = False

    def initial_response(self) -> bytes:
        self._sent = True
        return self._message

    def respond(self, challenge: bytes) -> bytes | None:
        # An empty challenge asks for the initial response (RFC 4954 §4).
        if challenge or self._sent:
            return None
        return self.initial_response()


class Login:
    """LOGIN: name, then password. Never standardised; offered by nearly every server.

    The prompts differ from server to server and are not read: order is all there is.
    """

    name = "LOGIN"

    def __init__(self, username: str, secret: str) -> None:
        self._answers = [username.encode(), secret.encode()]

    def initial_response(self) -> None:
        return None

    def respond(self, challenge: bytes) -> bytes | None:  # noqa: ARG002 - see the class
        return self._answers.pop(0) if self._answers else None


class CramMd5:
    """CRAM-MD5 (RFC 2195 §2): a keyed hash of the server's challenge."""

    name = "CRAM-MD5"

    def __init__(self, username: str, secret: str) -> None:
        self._username = username.encode()
        self._secret: bytes | None = secret.encode()

    def initial_response(self) -> None:
        return None

    def respond(self, challenge: bytes) -> bytes | None:
        secret, self._secret = self._secret, None
        if secret is None:
            return None
        digest = hmac.new(secret, challenge, "md5").hexdigest()
        return self._username + b" " + digest.encode()


PASSWORD_MECHANISMS: Final[dict[str, Callable[[str, str], Mechanism]]] = {
    "PLAIN": Plain,
    "LOGIN": Login,
    # Last: it protects nothing that TLS does not, and servers that store hashes offer it without
    # being able to check it, so that a right password is refused.
    "CRAM-MD5": CramMd5,
}


def choose(offered: Iterable[str], allowed: Iterable[str] = ()) -> str | None:
    """The mechanism to use: the first of ours that the server offers and the profile allows.

    Args:
        offered: names from the EHLO reply, in any case.
        allowed: the profile's own selection, in order of preference; empty: ours.
    """
    known = {name.upper() for name in offered}
    preference = tuple(name.upper() for name in allowed) or tuple(PASSWORD_MECHANISMS)
    return next((n for n in preference if n in known and n in PASSWORD_MECHANISMS), None)
