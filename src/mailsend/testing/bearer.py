"""The server's side of XOAUTH2 and OAUTHBEARER: a user's secret is the access token."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from mailsend.testing.authority import NAMES
from mailsend.testing.sasl import Exchange, MalformedResponse, SaslContext, ServerMechanism

# The part of a GS2 header before the authorization identity says that there is no channel binding.
_HEADER: Final = re.compile(rb"[ny],a=((?:[^=,]|=2C|=3D)+),")
_XOAUTH2_ERROR: Final = {"status": "401", "schemes": "bearer", "scope": "mail"}
_OAUTHBEARER_ERROR: Final = {"status": "invalid_token", "scope": "mail"}


def xoauth2(*, error: Mapping[str, str] | None = _XOAUTH2_ERROR) -> ServerMechanism:
    """The mechanism XOAUTH2 of Google and Microsoft, with a choice of what it says to a bad token.

    Args:
        error: sent as JSON in a challenge before the 535, as Gmail does, whose scope is
            ``https://mail.google.com/``. None: 535 at once.
    """

    def start(context: SaslContext) -> Exchange:
        response = yield b""
        if not (response.startswith(b"user=") and response.endswith(b"\x01\x01")):
            raise MalformedResponse("XOAUTH2 takes user=NAME^Aauth=Bearer TOKEN^A^A")
        name, _, token = response[len(b"user=") : -2].partition(b"\x01auth=Bearer ")
        user = context.verify(name, token)
        if user is None and error is not None:
            yield from _tell(error)
        return user

    return ServerMechanism("XOAUTH2", start)


def oauthbearer(*, error: Mapping[str, str] | None = _OAUTHBEARER_ERROR) -> ServerMechanism:
    """The mechanism OAUTHBEARER (RFC 7628), with a choice of what it says to a bad token.

    A client that gives host and port has to give those it has connected to (§3.2): a name of the
    server's certificate, and the server's port. Else the status is ``invalid_request``.

    Args:
        error: sent as JSON in a challenge before the 535 (§3.2.2). None: 535 at once.
    """

    def start(context: SaslContext) -> Exchange:
        response = yield b""
        name, pairs = _parse(response)
        scheme, _, token = pairs["auth"].partition(b" ")
        user = context.verify(name, token)
        if not _is_here(pairs, context):
            yield from _tell({"status": "invalid_request"})
            return None
        if scheme.lower() != b"bearer":
            user = None
        if user is None and error is not None:
            yield from _tell(error)
        return user

    return ServerMechanism("OAUTHBEARER", start)


def _tell(error: Mapping[str, str]) -> Exchange:
    response = yield json.dumps(error).encode()
    # RFC 7628 §3.2.3: %x01 for OAUTHBEARER; nothing for XOAUTH2. Servers take one for the other.
    if response not in (b"", b"\x01"):
        raise MalformedResponse("To an error an empty response is the answer, or ^A")
    return None


def _parse(response: bytes) -> tuple[bytes, dict[str, bytes]]:
    """User name and key/value pairs of the client's response (RFC 7628 §3.1).

    Raises:
        MalformedResponse: It is none, or names nobody: this server requires a name.
    """
    header, separator, rest = response.partition(b"\x01")
    found = _HEADER.fullmatch(header)
    if found is None or not separator or not rest.endswith(b"\x01\x01"):
        raise MalformedResponse("OAUTHBEARER takes n,a=NAME,^A...auth=Bearer TOKEN^A^A")
    pairs: dict[str, bytes] = {}
    for pair in rest[:-2].split(b"\x01"):
        key, equals, value = pair.partition(b"=")
        if not (key.isalpha() and equals) or key.decode() in pairs:
            raise MalformedResponse("OAUTHBEARER takes KEY=VALUE pairs, each key once")
        pairs[key.decode()] = value
    if "auth" not in pairs:
        raise MalformedResponse("OAUTHBEARER requires the key auth")
    return found[1].replace(b"=2C", b",").replace(b"=3D", b"="), pairs


def _is_here(pairs: Mapping[str, bytes], context: SaslContext) -> bool:
    ip_address, port = context.address
    hosts = {name.encode() for name in (*NAMES, ip_address)}
    host_is_ours = pairs.get("host", b"localhost").lower() in hosts
    return host_is_ours and pairs.get("port", b"%d" % port) == b"%d" % port
