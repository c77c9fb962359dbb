"""Hosts that are known: whose they are, and where else the same provider takes submissions."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final

from attrs import frozen

from mailsend.endpoint import Endpoint, Security
from mailsend.meanings import read_table

_SECURITY: Final = {"implicit_tls": Security.IMPLICIT_TLS, "starttls": Security.STARTTLS}
_IN_WORDS: Final = {
    Security.IMPLICIT_TLS: "with implicit TLS",
    Security.STARTTLS: "with STARTTLS",
    Security.INSECURE_PLAINTEXT: "in plaintext",
}
# RFC 8314 §3.3 and RFC 6409 §3.1.
_USUAL: Final = ((465, Security.IMPLICIT_TLS), (587, Security.STARTTLS))


@frozen
class KnownHost:
    """A provider's host.

    Attributes:
        provider: the provider's key.
        ports: where it takes submissions, in order of preference.
    """

    provider: str
    ports: tuple[tuple[int, Security], ...]


@functools.cache
def _known_hosts() -> tuple[tuple[str, KnownHost], ...]:
    return tuple(
        (pattern, KnownHost(row["provider"], tuple(
            (port, _SECURITY[mode]) for port, mode in row["ports"]
        )))
        for row in read_table("hosts.toml")["host"]
        for pattern in row["names"]
    )  # fmt: skip


def known_host(host: str) -> KnownHost | None:
    """What is known of a host, or None."""
    name = host.lower()
    return next((known for pattern, known in _known_hosts() if fnmatchcase(name, pattern)), None)


def provider_of(host: str) -> str | None:
    """The key of the provider that a host belongs to, if it is known."""
    known = known_host(host)
    return None if known is None else known.provider


def other_endpoints(endpoint: Endpoint, tried: Iterable[Endpoint] = ()) -> tuple[Endpoint, ...]:
    """Where else a submission may be possible: the provider's ports, or else the usual ones.

    Args:
        endpoint: the one that failed.
        tried: others that are no news.
    """
    known = known_host(endpoint.host)
    ports = known.ports if known is not None else _USUAL
    places = (Endpoint(endpoint.host, port, security) for port, security in ports)
    seen = {(e.host, e.port) for e in (endpoint, *tried)}
    return tuple(place for place in places if (place.host, place.port) not in seen)


def in_words(endpoints: Iterable[Endpoint]) -> str:
    """Ports in a sentence: ``port 465 with implicit TLS or port 587 with STARTTLS``."""
    named = [f"port {e.port} {_IN_WORDS[e.security]}" for e in endpoints]
    return " or ".join(named) or "another port of the provider"
