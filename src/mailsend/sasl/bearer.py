"""The SASL mechanisms for access tokens: OAUTHBEARER and XOAUTH2."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from mailsend.reply import printable
from mailsend.sasl.exchange import Claim
from mailsend.secret import Hidden

_MAX_EXPLANATION: Final = 300  # characters of a server's JSON that an error shows
_SHOWN: Final = ("status", "error_description", "scope", "schemes")


class Bearer:
    """One message with the token, and perhaps an error in a challenge.

    A server that does not take the token says why in JSON, and fails the exchange when that has
    been answered (RFC 7628 §3.2.2, §3.2.3).

    Args:
        message: makes the message.
        answer: what the error is answered with.
    """

    is_complete = True

    def __init__(self, message: Callable[[], bytes], answer: bytes) -> None:
        self._message = message
        self._answer = answer
        self._sent = False
        self._refused = False
        self.explanation: Hidden[str] | None = None
        """What the server said of the token, in words, if anything; it may quote the token."""

    def initial_response(self) -> bytes:
        self._sent = True
        return self._message()

    def respond(self, challenge: bytes) -> bytes | None:
        if not challenge and not self._sent:
            return self.initial_response()
        if self._refused:
            return None
        self._refused = True
        words = _explanation_of(challenge)
        self.explanation = None if words is None else Hidden(words)
        return self._answer


def oauthbearer(claim: Claim) -> Bearer:
    """OAUTHBEARER (RFC 7628 §3.1)."""
    # RFC 5801 §4: what separates the parts of the header is written otherwise in a name.
    name = claim.name.replace(b"=", b"=3D").replace(b",", b"=2C")
    where = f"host={claim.host}\x01port={claim.port}\x01".encode()
    head = b"n,a=" + name + b",\x01" + where + b"auth=Bearer "
    return Bearer(lambda: head + claim.proof + b"\x01\x01", b"\x01")


def xoauth2(claim: Claim) -> Bearer:
    """XOAUTH2: Google's and Microsoft's, older than RFC 7628. An error is answered with nothing."""
    head = b"user=" + claim.name + b"\x01auth=Bearer "
    return Bearer(lambda: head + claim.proof + b"\x01\x01", b"")


def _explanation_of(challenge: bytes) -> str | None:
    """The known members of a server's JSON about a token; None if there are none."""
    try:
        members = json.loads(challenge)
    except (ValueError, RecursionError):
        return None
    if not isinstance(members, dict):
        return None
    words = [f"{key} {members[key]}" for key in _SHOWN if isinstance(members.get(key), str | int)]
    text = ", ".join(words)[:_MAX_EXPLANATION]
    return printable(text.encode("utf-8", "backslashreplace")) or None
