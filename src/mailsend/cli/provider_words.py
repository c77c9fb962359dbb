"""A provider in words, for the command line and for the page of the reference."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Final

from attrs import fields, has

from mailsend.endpoint import SCHEMES, Endpoint, Security
from mailsend.providers import (
    Category,
    FromRule,
    PasswordPolicy,
    Provider,
    ProviderLimits,
    Status,
    UsernameRule,
)
from mailsend.rules import Confidence

CATEGORIES: Final = {
    Category.MAILBOX: "Mailboxes",
    Category.ISP: "Internet access providers",
    Category.HOSTING: "Hosting",
    Category.SERVICE: "Sending services",
    Category.RELAY: "Relays",
    Category.TESTING: "Testing",
    None: "Others",
}
"""Headings, in the order in which people look."""

SECURITY: Final = {
    Security.IMPLICIT_TLS: "TLS from the first octet",
    Security.STARTTLS: "STARTTLS, required",
    Security.INSECURE_PLAINTEXT: "no encryption; on this machine only",
}
SHORT_SECURITY: Final = {
    Security.IMPLICIT_TLS: "TLS",
    Security.STARTTLS: "STARTTLS",
    Security.INSECURE_PLAINTEXT: "plain",
}
STATUS: Final = {
    Status.ACTIVE: "takes mail by SMTP",
    Status.NO_SMTP: "takes no mail by SMTP",
    Status.SUNSET: "is coming to its end, see the dates",
    Status.INTERNAL_ONLY: "takes mail to recipients within the organisation alone",
}
USERNAME: Final = {
    UsernameRule.EMAIL: "the whole address",
    UsernameRule.LOCAL_PART: "what stands before the @ of the address",
    UsernameRule.API_KEY: "the API key",
    UsernameRule.TOKEN: "the token, which is the password too",
    UsernameRule.SMTP_CREDENTIAL: "made at the provider for SMTP",
    UsernameRule.ACCOUNT: "the name of the account",
    UsernameRule.ANY: "whatever is given",
    UsernameRule.NONE: "none: there is no authentication",
}
PASSWORD: Final = {
    PasswordPolicy.ACCOUNT: "the account's own",
    PasswordPolicy.APP_PASSWORD: "an app password, not the account's own",
    PasswordPolicy.APP_PASSWORD_IF_2FA: (
        "the account's own; with two-factor authentication an app password"
    ),
    PasswordPolicy.API_KEY: "an API key",
    PasswordPolicy.SMTP_CREDENTIAL: "made at the provider for SMTP",
    PasswordPolicy.OAUTH_ONLY: "none is taken: OAuth2 only",
    PasswordPolicy.OAUTH_OR_ENABLED: "none, unless an administrator allows it; else OAuth2",
    PasswordPolicy.NONE: "none",
}
FROM: Final = {
    FromRule.ACCOUNT: "the account's own address",
    FromRule.ACCOUNT_OR_ALIAS: "the account's own address, or an alias of it",
    FromRule.ACCOUNT_OR_SEND_AS: "the account's own address, or one it has Send As permission for",
    FromRule.ACCOUNT_DOMAIN: "any address of the account's domain",
    FromRule.VERIFIED_DOMAIN: "any address of a domain that was verified at the provider",
    FromRule.APPROVED_SENDER: "a sender that was approved at the provider",
    FromRule.REWRITTEN: "another address is replaced by the account's own",
    FromRule.ANY: "any address",
}
CONFIDENCE: Final = {
    Confidence.RECORDED: "taken down from the server itself",
    Confidence.STANDARD: "a standard says so",
    Confidence.DOCUMENTED: "the provider's own pages say so",
    Confidence.REPORTED: "users and registries say so",
    Confidence.UNVERIFIED: "not verified",
}

_LIMITS: Final = {
    "recipients_per_message": "recipient{s} a message",
    "messages_per_connection": "message{s} a connection",
    "connections": "connection{s} at a time",
    "messages_per_second": "message{s} a second",
    "messages_per_minute": "message{s} a minute",
    "messages_per_hour": "message{s} an hour",
    "messages_per_day": "message{s} a day",
    "recipients_per_day": "recipient{s} a day",
}
_MEBIBYTE: Final = 2**20


def username_of(provider: Provider) -> str | None:
    """The rule for user names in words, or None if it is not known."""
    if provider.username is UsernameRule.LITERAL:
        return f"always {provider.username_literal}"
    return None if provider.username is None else USERNAME[provider.username]


def server_of(provider: Provider) -> str:
    """The server in few words: the endpoint that is preferred, or why there is none."""
    if provider.endpoints:
        first = provider.endpoints[0]
        return f"{first} {SHORT_SECURITY[first.security]}"
    return f"by region ({len(provider.regions)})" if provider.regions else "no SMTP"


def servers(endpoints: Sequence[Endpoint]) -> Iterator[str]:
    """Endpoints, one each, with their protection in words below each other."""
    widest = max((len(str(endpoint)) for endpoint in endpoints), default=0)
    for endpoint in endpoints:
        yield f"{endpoint!s:<{widest}}  {SECURITY[endpoint.security]}"


def ports_of(endpoints: Iterable[Endpoint]) -> str:
    """The ports of endpoints, in their order, each with its protection."""
    return ", ".join(f"{e.port} {SHORT_SECURITY[e.security]}" for e in endpoints)


def regions_of(provider: Provider) -> Iterator[str]:
    """The regions, one each; the ports first, if they are the same in all of them."""
    regions = provider.regions
    if not regions:
        return
    ports = {name: ports_of(endpoints) for name, endpoints in regions.items()}
    alike = len(set(ports.values())) == 1
    if alike:
        yield f"in each: {next(iter(ports.values()))}"
    for name, endpoints in regions.items():
        hosts = " and ".join(dict.fromkeys(endpoint.host for endpoint in endpoints))
        yield f"{name}: {hosts}" if alike else f"{name}: {hosts}, {ports[name]}"


def limits_of(limits: ProviderLimits) -> str:
    """The figures in one line; empty if none is known."""
    words = []
    octets = limits.message_octets
    if octets is not None:
        whole, rest = divmod(octets, _MEBIBYTE)
        words.append(f"{octets:,} octets a message" if rest else f"{whole:,} MiB a message")
    for name, unit in _LIMITS.items():
        number = getattr(limits, name)
        if number is not None:
            words.append(f"{number:,} {unit.format(s='' if number == 1 else 's')}")
    return ", ".join(words)


def matches(provider: Provider, text: str) -> bool:
    """Whether a text is part of its key, aliases, name or domains; of an address, the domain is."""
    wanted = text.rpartition("@")[2].casefold()
    known = (provider.key, *provider.aliases, provider.name, *provider.domains)
    return any(wanted in name.casefold() for name in known)


def facts_of(value: Any) -> Any:
    """A provider, or a part of one, as data that :mod:`json` can write.

    The names and forms are those of the TOML file: endpoints are URLs.
    """
    facts = value
    if isinstance(value, Endpoint):
        scheme = next(name for name, security in SCHEMES.items() if security is value.security)
        facts = f"{scheme}://{value}"
    elif has(type(value)):
        facts = {f.name: facts_of(getattr(value, f.name)) for f in fields(type(value))}
    elif isinstance(value, Mapping):
        facts = {name: facts_of(part) for name, part in value.items()}
    elif isinstance(value, Enum):
        facts = value.value
    elif isinstance(value, dt.date):
        facts = value.isoformat()
    elif isinstance(value, re.Pattern):
        facts = value.pattern
    elif isinstance(value, frozenset):
        facts = sorted(map(facts_of, value))
    elif isinstance(value, tuple):
        facts = [facts_of(part) for part in value]
    return facts
