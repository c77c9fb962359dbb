"""The server's side of SCRAM-SHA-1 and SCRAM-SHA-256 (RFC 5802, RFC 7677)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from typing import Final

from attrs import frozen

from mailsend.sasl.saslprep import NotPreparable, saslprep
from mailsend.testing.sasl import (
    Exchange,
    MalformedResponse,
    SaslContext,
    ServerMechanism,
    decode,
)

_DIGESTS: Final = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}

# RFC 5802 §7. A nonce is printable ASCII without the comma.
_NONCE: Final = rb"[!-+\--~]+"
_NAME: Final = rb"(?:[^=,\0]|=2C|=3D)+"
_CLIENT_FIRST: Final = re.compile(
    rb"(?P<header>(?P<binding>n|y|p=[A-Za-z0-9.-]+),(?:a=(?P<authorization>%b))?,)"
    rb"(?P<bare>n=(?P<name>%b),r=(?P<nonce>%b)(?:,[A-Za-z]=[^,\0]+)*)" % (_NAME, _NAME, _NONCE)
)
_CLIENT_FINAL: Final = re.compile(
    rb"(?P<bare>c=(?P<binding>[A-Za-z0-9/+=]+),r=(?P<nonce>%b)(?:,[A-Za-z]=[^,\0]+)*)"
    rb",p=(?P<proof>[A-Za-z0-9/+=]+)" % _NONCE
)
_SERVER_NONCE: Final = re.compile(rb"r=([^,]*)")


def scram(
    name: str = "SCRAM-SHA-256",
    *,
    iterations: int = 4096,
    salt: bytes | None = None,
    nonce: str | None = None,
    amend: Callable[[bytes], bytes] | None = None,
) -> ServerMechanism:
    """A SCRAM mechanism, right or wrong in the way that a test wants.

    The server proves itself in a challenge that the client answers with an empty response; then
    comes 235 (RFC 4954 §4). No channel binding is offered. Nothing is computed before the
    client's proof is there, so a count of iterations may be beyond what anyone can compute.

    Args:
        name: SCRAM-SHA-1 or SCRAM-SHA-256.
        iterations: how often the password is hashed, from 1. RFC 7677 §4 wants 4,096 at least.
        salt: the salt of everybody's password; None for a new one in each exchange.
        nonce: the server's part of the nonce; None for a new one in each exchange.
        amend: changes each message of the server before it is sent, such as
            ``r=...,s=...,i=4096`` and ``v=...``. What was sent is what counts for the signature
            and for the nonce that the client has to repeat.

    Raises:
        ValueError: There is no such mechanism, or an argument makes no sense.
    """
    digest = _DIGESTS.get(name.upper())
    if digest is None:
        raise ValueError(f"{name!r} is not one of {', '.join(_DIGESTS)}")
    if iterations < 1:
        raise ValueError(f"iterations has to be 1 or more, not {iterations}")
    if nonce is not None and not re.fullmatch(_NONCE, nonce.encode()):
        raise ValueError(f"nonce {nonce!r} has to be printable ASCII without a comma")
    served = _Scram(digest, iterations, salt, nonce, amend or _as_it_is)
    return ServerMechanism(name, served.exchange)


def _as_it_is(message: bytes) -> bytes:
    return message


@frozen
class _Scram:
    digest: str
    iterations: int
    salt: bytes | None
    nonce: str | None
    amend: Callable[[bytes], bytes]

    def exchange(self, context: SaslContext) -> Exchange:
        """RFC 5802 §5."""
        first = _CLIENT_FIRST.fullmatch((yield b""))
        if first is None:
            raise MalformedResponse("SCRAM takes n,,n=NAME,r=NONCE first")
        context.claimed = _name(first["name"])
        authorization = first["authorization"]
        if first["binding"].startswith(b"p") or (
            authorization is not None and _name(authorization) != context.claimed
        ):
            return None
        salt = secrets.token_bytes(16) if self.salt is None else self.salt
        ours = (self.nonce or secrets.token_urlsafe(18)).encode()
        challenge = self.amend(
            b"r=%b%b,s=%b,i=%d" % (first["nonce"], ours, base64.b64encode(salt), self.iterations)
        )
        final = _CLIENT_FINAL.fullmatch((yield challenge))
        if final is None:
            raise MalformedResponse("SCRAM takes c=BINDING,r=NONCE,p=PROOF at last")
        repeated = _SERVER_NONCE.search(challenge)
        if decode(final["binding"]) != first["header"] or (
            repeated is not None and final["nonce"] != repeated[1]
        ):
            return None
        user, secret = _known(context)
        keys = self._keys(secret, salt)
        said = b",".join((first["bare"], challenge, final["bare"]))
        if not keys.proves(decode(final["proof"]), said):
            return None
        signature = base64.b64encode(hmac.digest(keys.server, said, self.digest))
        if (yield self.amend(b"v=" + signature)):
            raise MalformedResponse("To the server's signature an empty response is the answer")
        return user

    def _keys(self, secret: str, salt: bytes) -> _Keys:
        """RFC 5802 §3."""
        password = _prepared(secret, unassigned=False).encode()
        salted = hashlib.pbkdf2_hmac(self.digest, password, salt, self.iterations)
        client = hmac.digest(salted, b"Client Key", self.digest)
        return _Keys(
            digest=self.digest,
            stored=hashlib.new(self.digest, client).digest(),
            server=hmac.digest(salted, b"Server Key", self.digest),
        )


@frozen(kw_only=True)
class _Keys:
    """What a server keeps of a password."""

    digest: str
    stored: bytes
    server: bytes

    def proves(self, proof: bytes, said: bytes) -> bool:
        signature = hmac.digest(self.stored, said, self.digest)
        if len(proof) != len(signature):
            return False
        key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
        return hmac.compare_digest(hashlib.new(self.digest, key).digest(), self.stored)


def _known(context: SaslContext) -> tuple[str, str]:
    """The user who is claimed, with the password; nobody's where there is none.

    So the answer does not tell who exists: it comes after the proof either way.
    """
    for user, secret in context.users.items():
        if _prepared(user, unassigned=True) == context.claimed:
            return user, secret
    return "", secrets.token_hex(16)


def _name(encoded: bytes) -> str:
    try:
        name = encoded.decode()
    except UnicodeDecodeError as error:
        raise MalformedResponse("A name is not UTF-8") from error
    return _prepared(name.replace("=2C", ",").replace("=3D", "="), unassigned=True)


def _prepared(text: str, *, unassigned: bool) -> str:
    """By SASLprep; as it is where there is no such form."""
    try:
        return saslprep(text, unassigned=unassigned)
    except NotPreparable:
        return text
