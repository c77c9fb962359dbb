"""Where else the same provider takes submissions, for advice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from mailsend.endpoint import Endpoint, Security
from mailsend.providers import providers

_IN_WORDS: Final = {
    Security.IMPLICIT_TLS: "with implicit TLS",
    Security.STARTTLS: "with STARTTLS",
    Security.INSECURE_PLAINTEXT: "in plaintext",
}
# RFC 8314 §3.3 and RFC 6409 §3.1.
_USUAL: Final = ((465, Security.IMPLICIT_TLS), (587, Security.STARTTLS))


def other_endpoints(endpoint: Endpoint, tried: Iterable[Endpoint] = ()) -> tuple[Endpoint, ...]:
    """Where else a submission may be possible: the provider's ports there, or else the usual ones.

    Args:
        endpoint: the one that failed.
        tried: others that are no news.
    """
    provider = providers.for_host(endpoint.host)
    places: list[Endpoint] = [Endpoint(endpoint.host, *usual) for usual in _USUAL]
    if provider is not None:
        here = [e for e in provider.everywhere if e.host.lower() == endpoint.host.lower()]
        places = [e for e in here if e.port != 25]  # the one that networks block first
    seen = {(e.host.lower(), e.port) for e in (endpoint, *tried)}
    return tuple(e for e in dict.fromkeys(places) if (e.host.lower(), e.port) not in seen)


def in_words(endpoints: Iterable[Endpoint]) -> str:
    """Ports in a sentence: ``port 465 with implicit TLS or port 587 with STARTTLS``."""
    named = [f"port {e.port} {_IN_WORDS[e.security]}" for e in endpoints]
    return " or ".join(named) or "another port of the provider"
