#!/usr/bin/env python3
"""Check a file of providers: the built-in one, or the one that is named.

Run `python scripts/check_providers.py [FILE]`. Each problem is a line that begins with the key of
the row; with any of them the exit status is 1. Rows that were not checked for a year are warned of.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from mailsend import ConfigurationError
from mailsend.endpoint import Endpoint, Security
from mailsend.providers.provider import Category, Provider, ProviderLimits, Status
from mailsend.providers.reading import SCHEMA, provider_of
from mailsend.rules import Confidence

BUILT_IN: Final = Path(__file__).parents[1] / "src" / "mailsend" / "data" / "providers.toml"
YEAR: Final = dt.timedelta(days=365)
TOP: Final = {"schema", "version", "provider"}
REQUIRED: Final = ("name", "category", "checked", "confidence", "sources")
TEXTS: Final = ("note", "password_note")
# What lies on this machine is a server for tests, or a relay that its user runs here.
LOCAL: Final = {Category.TESTING, Category.RELAY}
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME: Final = re.compile(rf"(?:{_LABEL}\.)+(?=[a-z]){_LABEL}")
_URL: Final = re.compile(r"https://[^\s/@]+\.[^\s/@]+(?:/\S*)?")


@frozen
class Findings:
    """What is wrong with a file, and what is only old."""

    problems: list[str] = field(factory=list)
    warnings: list[str] = field(factory=list)


def check(text: str, today: dt.date) -> Findings:
    """Everything that is wrong with a TOML document of providers."""
    found = Findings()
    try:
        document = tomllib.loads(text)
    except ValueError as error:
        found.problems.append(f"the file is not TOML: {error}")
        return found
    found.problems.extend(_top(document))
    rows = document.get("provider", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        found.problems.append("the file has no tables of the form [[provider]]")
        return found
    providers: list[Provider] = []
    for number, row in enumerate(rows, 1):
        name = str(row.get("key", f"row {number}"))
        found.problems.extend(f"{name}: {problem}" for problem in _raw(row, today))
        try:
            provider = provider_of(row)
        except ConfigurationError as error:
            found.problems.append(f"{name}: {error.what.partition(': ')[2]}")
            continue
        providers.append(provider)
        found.problems.extend(f"{name}: {problem}" for problem in _row(provider))
        if isinstance(provider.checked, dt.date) and today - provider.checked > YEAR:
            found.warnings.append(f"{name}: last checked on {provider.checked}")
    found.problems.extend(_claims(providers))
    return found


def _top(document: dict[str, Any]) -> Iterator[str]:
    if document.get("schema") != SCHEMA:
        yield f"the file is of schema {document.get('schema')!r}, and not {SCHEMA}"
    if not re.fullmatch(r"\d{4}\.\d{2}\.\d{2}(\.\d+)?", str(document.get("version", ""))):
        yield "the version of the file is not of the form 2026.11.23"
    for key in sorted(set(document) - TOP):
        yield f"the file has the unknown key {key}"
    if not document.get("provider"):
        yield "the file has no providers"


def _raw(row: dict[str, Any], today: dt.date) -> Iterator[str]:
    """What can no longer be seen in a provider that was read."""
    wanted = ("key", *REQUIRED, "note" if row.get("status") == Status.NO_SMTP else "username")
    for key in wanted:
        if not row.get(key):
            yield f"{key} is missing"
    checked = row.get("checked")
    if checked is not None and not _is_date(checked):
        yield "checked is not a date"
    elif checked is not None and checked > today:
        yield f"checked is in the future: {checked}"
    for key in ("domains", "mx_suffixes"):
        for name in _list(row, key):
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                yield f"{key} has {name!r}: write a domain in small letters, an IDN as A-labels"
    policies = [policy for policy in _list(row, "policies") if isinstance(policy, dict)]
    dates: list[dt.date] = [p["date"] for p in policies if _is_date(p.get("date"))]
    if len(dates) != len(policies):
        yield "a policy has no date"
    elif dates != sorted(dates):
        yield "the policies are not in the order of their dates"


def _is_date(value: object) -> bool:
    return isinstance(value, dt.date) and not isinstance(value, dt.datetime)


def _list(row: dict[str, Any], key: str) -> list[Any]:
    value = row.get(key, [])
    return value if isinstance(value, list) else []


def _row(provider: Provider) -> Iterator[str]:
    yield from _endpoints(provider)
    yield from _founded(provider)
    yield from _links(provider)
    for key in TEXTS:
        text = getattr(provider, key)
        if text is not None and not re.fullmatch(r"\S(.*\S)?\.", text):
            yield f"{key} is not a sentence that ends with a full stop"


def _endpoints(provider: Provider) -> Iterator[str]:
    for where, endpoints in (("endpoints", provider.endpoints), *provider.regions.items()):
        if len(set(endpoints)) != len(endpoints) or (where != "endpoints" and not endpoints):
            yield f"{where} is empty or has an endpoint twice"
        for endpoint in endpoints:
            if endpoint.is_loopback and provider.category not in LOCAL:
                yield f"{endpoint} is on this machine"
            elif not endpoint.is_loopback and not _NAME.fullmatch(endpoint.host):
                yield f"{endpoint.host} is no host name in small letters"
        if _starttls_first(endpoints) and "recommends port" not in (provider.note or ""):
            yield f"{where} has STARTTLS before implicit TLS, and note names no recommendation"


def _starttls_first(endpoints: tuple[Endpoint, ...]) -> bool:
    modes = [endpoint.security for endpoint in endpoints]
    if Security.STARTTLS not in modes or Security.IMPLICIT_TLS not in modes:
        return False
    last = len(modes) - 1 - modes[::-1].index(Security.IMPLICIT_TLS)
    return modes.index(Security.STARTTLS) < last


def _founded(provider: Provider) -> Iterator[str]:
    limits = provider.limits
    stated = [provider.confidence, limits.confidence, *(p.confidence for p in provider.policies)]
    if Confidence.UNVERIFIED in stated:
        yield "something in it is unverified"
    if limits != ProviderLimits() and not (limits.source and limits.confidence):
        yield "limits have no source or no confidence"


def _links(provider: Provider) -> Iterator[str]:
    links: list[tuple[str, str | None]] = [("sources", url) for url in provider.sources]
    links += [("docs", provider.docs), ("limits", provider.limits.source)]
    links += [("policies", policy.source) for policy in provider.policies]
    if provider.oauth is not None:
        links += [("oauth", provider.oauth.authorization_url), ("oauth", provider.oauth.token_url)]
    for where, url in links:
        if url is not None and not (isinstance(url, str) and _URL.fullmatch(url)):
            yield f"{where} has {url!r}, which is no https URL"
    if len(set(provider.sources)) != len(provider.sources):
        yield "sources has a page twice"


def _claims(providers: list[Provider]) -> Iterator[str]:
    claimed: dict[tuple[str, str], str] = {}
    for provider in providers:
        for what, names in (
            ("name", (provider.key, *provider.aliases)),
            ("domain", provider.domains),
            ("MX suffix", provider.mx_suffixes),
        ):
            for name in names:
                other = claimed.setdefault((what, name), provider.key)
                if other != provider.key or names.count(name) > 1:
                    yield f"{provider.key}: the {what} {name} is claimed by {other} already"
    by_key = {provider.key: provider for provider in providers}
    for provider in providers:
        for domain in provider.domains:
            labels = domain.split(".")
            for end in (".".join(labels[i:]) for i in range(len(labels))):
                owner = by_key[claimed.get(("MX suffix", end), provider.key)]
                # The domain would be found one way, and its mail exchanger another.
                if owner is not provider and provider.name not in (owner.note or ""):
                    yield (
                        f"{provider.key}: the domain {domain} is within the MX suffix {end} of "
                        f"{owner.key}, whose note does not speak of {provider.name}"
                    )


def main(arguments: list[str]) -> int:
    """Check the file, and say what was found."""
    path = Path(arguments[0]) if arguments else BUILT_IN
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"{path} cannot be read: {error}\n")
        return 1
    found = check(text, dt.datetime.now(dt.UTC).date())
    for warning in found.warnings:
        sys.stdout.write(f"warning: {warning}\n")
    for problem in found.problems:
        sys.stdout.write(f"{problem}\n")
    if not found.problems:
        sys.stdout.write(f"{path.name}: nothing is wrong with it\n")
    return 1 if found.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
