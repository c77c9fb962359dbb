"""SCRAM: the password proves itself without being sent, and the server proves it too.

RFC 5802 and RFC 7677, without channel binding.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import re
import secrets
from typing import Final

from mailsend.cause import Cause
from mailsend.errors import ConfigurationError
from mailsend.reply import printable
from mailsend.sasl.exchange import Claim, SaslError
from mailsend.secret import Hidden

LEAST_ITERATIONS: Final = 4096  # RFC 7677 §4
MOST_ITERATIONS: Final = 1_000_000  # about half a second; a server must not keep a client busy
_GS2_HEADER: Final = b"n,,"  # no channel binding, no other identity to act for
_NONCE_OCTETS: Final = 18
# RFC 5802 §7. Extensions may follow; a mandatory one would come first, and is not understood.
_SERVER_FIRST: Final = re.compile(
    rb"r=(?P<nonce>[!-+\--~]+),s=(?P<salt>[A-Za-z0-9+/]+=*),i=(?P<count>[1-9][0-9]{0,9})(?:,.*)?",
    re.DOTALL,
)
_SERVER_FINAL: Final = re.compile(
    rb"(?:v=(?P<signature>[A-Za-z0-9+/]+=*)|e=(?P<error>[^,]+))(?:,.*)?", re.DOTALL
)


class Scram:
    """One exchange.

    Args:
        claim: name and password. Both are brought to one form by SASLprep; a password that has
            none is used as it is, which is what servers do with it too.
        digest: name of the hash.
        nonce: printable ASCII without commas; random unless a test needs to know it.

    Raises:
        ConfigurationError: The user name cannot be one.
    """

    def __init__(self, claim: Claim, digest: str, nonce: str | None = None) -> None:
        self._claim = claim
        self._digest = digest
        self._nonce = (nonce or secrets.token_urlsafe(_NONCE_OCTETS)).encode()
        self._first = b"n=" + _name(claim) + b",r=" + self._nonce
        self._step = 0
        self._signature = b""
        self.explanation: Hidden[str] | None = None
        """Why the server fails the exchange, in its own words, if it says so."""

    @property
    def is_complete(self) -> bool:
        """Whether the server has proved that it knows the password."""
        return self._step == 3

    def initial_response(self) -> bytes:
        self._step = 1
        return _GS2_HEADER + self._first

    def respond(self, challenge: bytes) -> bytes | None:
        if self._step == 0 and not challenge:
            return self.initial_response()
        if self._step == 1:
            self._step = 2
            return self._client_final(challenge)
        if self._step == 2:
            self._step = 3 if self._verified(challenge) else 4
            return b""
        return None

    def _client_final(self, challenge: bytes) -> bytes:
        match = _SERVER_FIRST.fullmatch(challenge)
        if match is None:
            raise SaslError("the challenge is none of SCRAM")
        if not match["nonce"].startswith(self._nonce) or match["nonce"] == self._nonce:
            raise SaslError("the challenge does not belong to this exchange")
        count = int(match["count"])
        if not LEAST_ITERATIONS <= count <= MOST_ITERATIONS:
            raise SaslError(
                f"the server asks for {count} iterations, and {LEAST_ITERATIONS} to "
                f"{MOST_ITERATIONS} are taken"
            )
        bare = b"c=" + base64.b64encode(_GS2_HEADER) + b",r=" + match["nonce"]
        message = b",".join((self._first, challenge, bare))
        salted = Hidden(
            hashlib.pbkdf2_hmac(
                self._digest, _password(self._claim), _decoded(match["salt"]), count
            )
        )
        self._signature = self._hmac(self._hmac(salted.value, b"Server Key"), message)
        key = Hidden(self._hmac(salted.value, b"Client Key"))
        proof = self._hmac(hashlib.new(self._digest, key.value).digest(), message)
        xored = bytes(a ^ b for a, b in zip(key.value, proof, strict=True))
        return bare + b",p=" + base64.b64encode(xored)

    def _verified(self, challenge: bytes) -> bool:
        match = _SERVER_FINAL.fullmatch(challenge)
        if match is None:
            raise SaslError("the server's last message is none of SCRAM")
        if match["error"] is not None:
            self.explanation = Hidden(printable(match["error"][:80]))
            return False
        if not hmac.compare_digest(_decoded(match["signature"]), self._signature):
            raise SaslError(
                "the server did not prove that it knows the password",
                cause=Cause.SERVER_NOT_PROVED,
            )
        return True

    def _hmac(self, key: bytes, message: bytes) -> bytes:
        return hmac.digest(key, message, self._digest)


def _name(claim: Claim) -> bytes:
    from mailsend.sasl.saslprep import NotPreparable, saslprep  # noqa: PLC0415 - tables of Unicode

    try:
        prepared = saslprep(claim.name.decode(), unassigned=True)
    except NotPreparable as error:
        raise ConfigurationError(f"the user name {error}") from error
    if not prepared:
        raise ConfigurationError("nothing is left of the user name, prepared as RFC 4013 has it")
    return prepared.encode().replace(b"=", b"=3D").replace(b",", b"=2C")


def _password(claim: Claim) -> bytes:
    from mailsend.sasl.saslprep import NotPreparable, saslprep  # noqa: PLC0415 - as above

    try:
        return saslprep(claim.proof.decode()).encode()
    except NotPreparable:
        return claim.proof


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise SaslError("the challenge is not base64 where it has to be") from error


scram_sha_256: Final = functools.partial(Scram, digest="sha256")
"""SCRAM-SHA-256 (RFC 7677)."""

scram_sha_1: Final = functools.partial(Scram, digest="sha1")
"""SCRAM-SHA-1 (RFC 5802)."""
