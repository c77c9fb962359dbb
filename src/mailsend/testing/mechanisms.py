"""The mechanisms that the server knows by name."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from typing import Final

from mailsend.testing.bearer import oauthbearer, xoauth2
from mailsend.testing.sasl import Exchange, MalformedResponse, SaslContext, ServerMechanism
from mailsend.testing.scram import scram


def _plain(context: SaslContext) -> Exchange:
    """RFC 4616 §2. An authorization identity has to be the name itself."""
    response = yield b""
    parts = response.split(b"\0")
    if len(parts) != 3:
        raise MalformedResponse("PLAIN takes authorization identity, name and password with NUL")
    authorization, name, password = parts
    user = context.verify(name, password)
    return user if authorization in (b"", name) else None


def _login(context: SaslContext) -> Exchange:
    name = yield b"Username:"
    context.claimed = name.decode(errors="replace")
    password = yield b"Password:"
    return context.verify(name, password)


def _cram_md5(context: SaslContext) -> Exchange:
    """RFC 2195 §2."""
    challenge = f"<{secrets.token_hex(8)}@localhost>".encode()
    response = yield challenge
    name, space, digest = response.rpartition(b" ")
    if not space:
        raise MalformedResponse("CRAM-MD5 takes name and digest with a space between")
    context.claimed = name.decode(errors="replace")
    secret = context.users.get(context.claimed)
    if secret is None:
        return None
    expected = hmac.new(secret.encode(), challenge, "md5").hexdigest().encode()
    return context.claimed if hmac.compare_digest(expected, digest) else None


def _external(context: SaslContext) -> Exchange:
    """RFC 4422 appendix A: the certificate is the proof, and names who the client may be."""
    response = yield b""
    try:
        wanted = response.decode()
    except UnicodeDecodeError as error:
        raise MalformedResponse("EXTERNAL takes an authorization identity in UTF-8") from error
    if "\0" in wanted:
        raise MalformedResponse("EXTERNAL takes an authorization identity without NUL")
    names = context.certificate_names
    context.claimed = wanted or next(iter(names), "")
    return context.claimed if context.claimed in names else None


MECHANISMS: Final[Mapping[str, ServerMechanism]] = {
    mechanism.name: mechanism
    for mechanism in (
        ServerMechanism("PLAIN", _plain),
        # Never standardised; servers take the name as initial response, and clients send it.
        ServerMechanism("LOGIN", _login),
        ServerMechanism("CRAM-MD5", _cram_md5, client_first=False),
        scram("SCRAM-SHA-1"),
        scram("SCRAM-SHA-256"),
        xoauth2(),
        oauthbearer(),
        ServerMechanism("EXTERNAL", _external, needs_certificate=True),
    )
}


def as_mechanism(value: str | ServerMechanism) -> ServerMechanism:
    """The mechanism, looked up if it is given by its name.

    Raises:
        ValueError: There is none of that name.
    """
    if isinstance(value, ServerMechanism):
        return value
    try:
        return MECHANISMS[value.upper()]
    except KeyError:
        known = ", ".join(MECHANISMS)
        raise ValueError(f"mechanisms {value!r} is not one of {known}") from None
