"""Providers as tables of TOML: the form of the built-in data and of files of one's own."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import fields

from mailsend.endpoint import Endpoint
from mailsend.errors import ConfigurationError
from mailsend.providers.provider import OAuthSettings, Policy, Provider, ProviderLimits
from mailsend.rules import rule_of

SCHEMA: Final = 1
_KEYS: Final = frozenset(f.name for f in fields(Provider))
_TOP: Final = frozenset({"schema", "version", "provider"})


def provider_of(row: Mapping[str, Any]) -> Provider:
    """A provider from a table ``[[provider]]``.

    Endpoints are URLs (``smtps://smtp.example.org:465``), ``regions`` a table of lists of them,
    ``oauth``, ``limits``, each of ``policies`` and each of ``reply_rules`` a table; everything
    else is as in :class:`~mailsend.Provider`.

    Raises:
        ConfigurationError: Naming the provider: a key is unknown, or a value cannot be used.
    """
    name = ascii(row.get("key", "without key"))[:80]
    unknown = sorted(set(row) - _KEYS)
    if unknown:
        raise ConfigurationError(f"provider {name}: the key {unknown[0]!a} is unknown")
    try:
        return Provider(**{key: _value(key, value, row) for key, value in row.items()})
    except (ConfigurationError, TypeError, ValueError, AttributeError) as error:
        what = error.what if isinstance(error, ConfigurationError) else str(error)
        raise ConfigurationError(f"provider {name}: {what}") from error


def _value(key: str, value: Any, row: Mapping[str, Any]) -> Any:
    if key == "reply_rules":
        return tuple(rule_of({"provider": row.get("key"), **rule}) for rule in value)
    return _READERS[key](value) if key in _READERS else value


def _endpoints(urls: Any) -> tuple[Endpoint, ...]:
    if not isinstance(urls, list):
        raise ConfigurationError("endpoints has to be a list of URLs")
    return tuple(map(Endpoint.from_url, urls))


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "endpoints": _endpoints,
    "regions": lambda regions: {name: _endpoints(urls) for name, urls in regions.items()},
    "oauth": lambda settings: OAuthSettings(**settings),
    "limits": lambda limits: ProviderLimits(**limits),
    "policies": lambda policies: tuple(Policy(**policy) for policy in policies),
}


def providers_of(text: str, where: str) -> tuple[Provider, ...]:
    """The providers of a TOML document.

    Args:
        text: the document: ``schema = 1``, and a table ``[[provider]]`` for each.
        where: what errors call it.

    Raises:
        ConfigurationError: It is no TOML, of a newer schema, or has a provider that cannot be
            used.
    """
    try:
        document = tomllib.loads(text)
    except ValueError as error:
        raise ConfigurationError(f"{where} is not TOML: {error}") from error
    unknown = sorted(set(document) - _TOP)
    if unknown:
        raise ConfigurationError(
            f"{where} has an unknown key {unknown[0]}", advice="Write tables [[provider]]"
        )
    if document.get("schema", SCHEMA) != SCHEMA:
        raise ConfigurationError(
            f"{where} is of schema {document['schema']!r}, and this version reads {SCHEMA}",
            advice="Update mailsend, or write schema = 1",
        )
    rows = document.get("provider", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ConfigurationError(f"{where} has no tables of the form [[provider]]")
    try:
        return tuple(map(provider_of, rows))
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error.what}", advice=error.advice) from error


def read_providers(path: str | os.PathLike[str]) -> tuple[Provider, ...]:
    """The providers of a TOML file; see :func:`providers_of`.

    Raises:
        ConfigurationError: It cannot be read, or as :func:`providers_of`.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(
            f"the provider file {path} cannot be read: {reason}",
            advice="Check its path, and that this user may read it",
        ) from error
    return providers_of(text, f"the provider file {path}")
