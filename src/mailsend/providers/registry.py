"""The registry: providers by key, address, domain and mail exchanger."""

from __future__ import annotations

import difflib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from mailsend.address import Address, domain_to_ascii, parse_address
from mailsend.errors import ConfigurationError, InvalidAddress
from mailsend.providers.catalogue import Catalogue
from mailsend.providers.provider import Provider
from mailsend.providers.sources import built_in, of_packages, of_user, user_file

_LOG: Final = logging.getLogger("mailsend.providers")


class UnknownProvider(ConfigurationError, LookupError):
    """No provider is known by that name, or for that address."""


class ProviderRegistry:
    """Providers, and how to find the right one. May be used by several threads.

    What was registered is asked first, then the sources in their order; the first that knows the
    name or domain decides.

    Args:
        sources: callables that give a catalogue, each called once, when it is first needed. One
            that raises an OSError is logged as a warning and asked again the next time.
    """

    def __init__(self, sources: Iterable[Callable[[], Catalogue]] = ()) -> None:
        self._lock = threading.RLock()
        self._sources = tuple(sources)
        self._read: tuple[Catalogue, ...] | None = None
        self._own: dict[str, Provider] = {}
        self._hidden: set[str] = set()
        self._registered = Catalogue.of(())

    # -- looking up

    def _layers(self) -> tuple[Catalogue, ...]:
        with self._lock:
            if self._read is not None:
                return (self._registered, *self._read)
            read: list[Catalogue] = []
            for source in self._sources:
                try:
                    read.append(source())
                except OSError as error:  # as where no file can be opened just now
                    _LOG.warning("providers cannot be read now: %s", error)
            if len(read) == len(self._sources):
                self._read = tuple(read)
            return (self._registered, *read)

    def _first(self, find: Callable[[Catalogue], str | None]) -> Provider | None:
        for number, layer in enumerate(self._layers()):
            key = find(layer)
            if key is not None and (number == 0 or key not in self._hidden):
                return layer.load(key)
        return None

    def find(self, name: str) -> Provider | None:
        """The provider of a key or alias, or None."""
        wanted = name.lower() if isinstance(name, str) else None
        return self._first(lambda layer: layer.names.get(wanted or ""))

    def get(self, name: str) -> Provider:
        """The provider of a key or alias, whatever the case.

        Raises:
            UnknownProvider: There is none; the advice has names that are near.
        """
        provider = self.find(name)
        if provider is not None:
            return provider
        names = [n for layer in self._layers() for n in layer.names if n not in self._hidden]
        near = difflib.get_close_matches(str(name).lower(), names, n=3, cutoff=0.6)
        raise UnknownProvider(
            f"the provider {ascii(name)[:60]} is not known",
            advice=f"Did you mean {' or '.join(near)}?"
            if near
            else "Give host, port and security yourself, or register it; `mailsend providers` "
            "lists those that are known",
        )

    def for_domain(self, domain: str) -> Provider | None:
        """The provider whose users have addresses in this domain, or None. Makes no look-up.

        Args:
            domain: as it stands behind the @; a subdomain is another domain.
        """
        try:
            name = domain_to_ascii(domain, field="domain").lower()
        except InvalidAddress:
            return None
        return self._first(lambda layer: layer.domains.get(name))

    def for_address(self, address: str | Address) -> Provider | None:
        """The provider of an address, by its domain, or None. Makes no look-up.

        Raises:
            InvalidAddress: It is no address.
        """
        parsed = address if isinstance(address, Address) else parse_address(address)
        return self.for_domain(parsed.on_the_wire.rpartition("@")[2])

    def for_mx(self, host: str) -> Provider | None:
        """The provider that a mail exchanger belongs to, or None.

        Args:
            host: its name; compared with suffixes at label borders, the longest first.
        """
        return self._first(lambda layer: layer.by_mx(host))

    def for_host(self, host: str) -> Provider | None:
        """The provider that takes submissions at a host, or None."""
        name = host.lower()
        return self._first(lambda layer: layer.hosts.get(name))

    def __iter__(self) -> Iterator[Provider]:
        """All providers, those that were registered first."""
        seen = set(self._hidden)
        for number, layer in enumerate(self._layers()):
            for key in layer:
                if key not in seen or (number == 0 and key in self._hidden):
                    seen.add(key)
                    yield layer.load(key)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.find(name) is not None

    # -- changing

    def register(self, provider: Provider) -> None:
        """Add a provider; its domains and hosts count before those of the sources.

        Raises:
            ConfigurationError: Its key or an alias is taken; use `override` to take the place of
                a provider.
        """
        self._require(provider)
        with self._lock:
            for name in (provider.key, *provider.aliases):
                taken = self.find(name)
                if taken is not None:
                    raise ConfigurationError(
                        f"the name {name} belongs to the provider {taken.key} already",
                        advice="Choose another key, or use override() to take its place",
                    )
            self._set({**self._own, provider.key: provider})

    def override(self, provider: Provider) -> None:
        """Add a provider in the place of the one that has its key.

        Raises:
            ConfigurationError: An alias, domain or MX suffix belongs to another one that was
                registered.
        """
        self._require(provider)
        with self._lock:
            self._set({**self._own, provider.key: provider})

    def unregister(self, key: str) -> None:
        """Take a provider out, whichever source it is from; `override` brings one back.

        Raises:
            UnknownProvider: There is none of this key.
        """
        with self._lock:
            provider = self.get(key)
            self._set({k: p for k, p in self._own.items() if k != provider.key})
            self._hidden.add(provider.key)

    def _set(self, own: dict[str, Provider]) -> None:
        self._registered = Catalogue.of(own.values())  # raises before anything has changed
        self._own = own

    @staticmethod
    def _require(provider: object) -> None:
        if not isinstance(provider, Provider):
            raise ConfigurationError(
                f"expected a Provider, not {type(provider).__name__}",
                advice="Write Provider(key=..., name=..., endpoints=[...])",
            )


providers: Final = ProviderRegistry((lambda: of_user(user_file()), of_packages, built_in))
"""The registry that profiles use; an application may add its own providers, or hold another one."""
