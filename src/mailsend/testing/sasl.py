"""The server's side of the AUTH mechanisms."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
from collections.abc import Callable, Generator, Mapping
from typing import Final, TypeAlias

from attrs import frozen

Users: TypeAlias = Mapping[str, str]
Exchange: TypeAlias = Generator[bytes, bytes, str | None]
"""Yields challenges, is sent responses; returns the name, or None where the secret is wrong.

Every exchange asks for its first response with an empty challenge if the mechanism lets the client
speak first; the initial response of the AUTH command answers that challenge.
"""


class Malformed(Exception):
    """The response does not have the form the mechanism requires."""


def _verified(users: Users, name: bytes, secret: bytes) -> str | None:
    try:
        user = name.decode()
    except UnicodeDecodeError:
        return None
    known = users.get(user)
    return user if known is not None and known.encode() == secret else None


def _plain(users: Users) -> Exchange:
    """RFC 4616 §2. An authorization identity has to be the name itself."""
    response = yield b""
    parts = response.split(b"\0")
    if len(parts) != 3:
        raise Malformed("PLAIN takes authorization identity, name and password with NUL between")
    authorization, name, password = parts
    if authorization not in (b"", name):
        return None
    return _verified(users, name, password)


def _login(users: Users) -> Exchange:
    name = yield b"Username:"
    password = yield b"Password:"
    return _verified(users, name, password)


def _cram_md5(users: Users) -> Exchange:
    """RFC 2195 §2."""
    challenge = f"<{secrets.token_hex(8)}@localhost>".encode()
    response = yield challenge
    name, space, digest = response.rpartition(b" ")
    if not space:
        raise Malformed("CRAM-MD5 takes name and digest with a space between")
    secret = users.get(name.decode(errors="replace"))
    if secret is None:
        return None
    expected = hmac.new(secret.encode(), challenge, "md5").hexdigest().encode()
    return name.decode() if hmac.compare_digest(expected, digest) else None


def _xoauth2(users: Users) -> Exchange:
    """Google's and Microsoft's: the user's secret is the access token."""
    response = yield b""
    if not (response.startswith(b"user=") and response.endswith(b"\x01\x01")):
        raise Malformed("XOAUTH2 takes user=NAME^Aauth=Bearer TOKEN^A^A")
    name, _, bearer = response[len(b"user=") : -2].partition(b"\x01auth=Bearer ")
    user = _verified(users, name, bearer)
    if user is None:
        yield json.dumps({"status": "401", "schemes": "bearer", "scope": "mail"}).encode()
    return user


def _oauthbearer(users: Users) -> Exchange:
    """RFC 7628 §3.1; the user's secret is the access token."""
    response = yield b""
    header, _, rest = response.partition(b"\x01")
    if not (header.startswith(b"n,a=") and rest.endswith(b"\x01\x01")):
        raise Malformed("OAUTHBEARER takes n,a=NAME,^A...auth=Bearer TOKEN^A^A")
    pairs = rest.split(b"\x01")
    bearer = next((p[12:] for p in pairs if p.startswith(b"auth=Bearer ")), b"")
    name = header[4:].removesuffix(b",").replace(b"=2C", b",").replace(b"=3D", b"=")
    user = _verified(users, name, bearer)
    if user is None:
        yield json.dumps({"status": "invalid_token", "scope": "mail"}).encode()
    return user


@frozen
class ServerMechanism:
    """One SASL mechanism; `client_first` says whether an initial response is possible."""

    start: Callable[[Users], Exchange]
    client_first: bool


MECHANISMS: Final[Mapping[str, ServerMechanism]] = {
    "PLAIN": ServerMechanism(_plain, client_first=True),
    # Never standardised; servers take the name as initial response, and clients send it.
    "LOGIN": ServerMechanism(_login, client_first=True),
    "CRAM-MD5": ServerMechanism(_cram_md5, client_first=False),
    "XOAUTH2": ServerMechanism(_xoauth2, client_first=True),
    "OAUTHBEARER": ServerMechanism(_oauthbearer, client_first=True),
}


def decode(line: bytes) -> bytes:
    """The octets of a base64 line.

    Raises:
        Malformed: It is none.
    """
    try:
        return base64.b64decode(line, validate=True)
    except binascii.Error as error:
        raise Malformed("Not base64") from error
