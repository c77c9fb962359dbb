"""Where providers come from besides the application: a file of the user's, packages, our data."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from mailsend.errors import ConfigurationError
from mailsend.meanings import read_text
from mailsend.providers.catalogue import Catalogue
from mailsend.providers.provider import Provider
from mailsend.providers.reading import read_providers
from mailsend.user_files import configuration_file

ENTRY_POINTS: Final = "mailsend.providers"
"""Group of entry points: each leads to a provider, to several, or to a callable that gives them."""

_LOG: Final = logging.getLogger("mailsend.providers")


def user_file(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The file of the user's own providers, which need not exist; None if there is no home.

    ``$MAILSEND_PROVIDERS``, else ``providers.toml`` in ``$XDG_CONFIG_HOME/mailsend``
    (``~/.config/mailsend`` if that is not set).
    """
    return configuration_file("providers.toml", "MAILSEND_PROVIDERS", environ)


def of_user(path: Path | None) -> Catalogue:
    """The providers of the user's file; none if there is no file, or if it cannot be used.

    What is wrong with it is logged as a warning: everything else has to go on working.
    """
    try:
        return Catalogue.of(() if path is None or not path.exists() else read_providers(path))
    except (ConfigurationError, RecursionError) as error:
        _LOG.warning("The file %s is passed over: %s", path, error)
        return Catalogue.of(())


def of_packages() -> Catalogue:
    """The providers of installed packages; one that fails is logged as a warning and left out.

    Raises:
        OSError: The packages cannot be looked through now.
    """
    from importlib import metadata  # noqa: PLC0415 - needed by the first look-up, not before

    found: list[Provider] = []
    for entry in metadata.entry_points(group=ENTRY_POINTS):
        where = f"the entry point {entry.name} of {entry.dist.name if entry.dist else 'a package'}"
        try:
            added = [*found, *_providers(entry.load())]
            Catalogue.of(added)
        except Exception as error:  # noqa: BLE001 - what a package does wrong is not ours to know
            _LOG.warning("%s is passed over: %s: %s", where, type(error).__name__, error)
        else:
            found = added
    return Catalogue.of(found)


def _providers(loaded: Any) -> Iterable[Provider]:
    given: Any = loaded() if callable(loaded) else loaded
    found: list[Provider] = []
    for provider in (given,) if isinstance(given, Provider) else given:
        if not isinstance(provider, Provider):
            raise TypeError(f"it gives {type(provider).__name__}, and no Provider")
        found.append(provider)
    return found


@functools.cache
def built_in() -> Catalogue:
    """The providers that come with the package."""
    return Catalogue.scan(read_text("providers.toml"))


@functools.cache
def data_version() -> str:
    """The version of the built-in data, apart from that of the code."""
    line = next(x for x in read_text("providers.toml").splitlines() if x.startswith("version = "))
    return line.partition('"')[2].rstrip('"')
