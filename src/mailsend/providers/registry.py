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
        sources: callables that give a catalogue, each called when it is first needed (by several
            threads, if these come together) and not again. One that raises is logged as a warning
            and asked again the next time. One that looks a provider up meanwhile finds those of
            the others.
    """

    def __init__(self, sources: Iterable[Callable[[], Catalogue]] = ()) -> None:
        self._lock = threading.RLock()  # for changes alone
        self._reading = threading.local()
        self._sources = tuple(sources)
        self._read: tuple[Catalogue, ...] | None = None
        self._own: dict[str, Provider] = {}
        self._hidden: set[str] = set()
        self._registered = Catalogue.of(())

    # -- looking up

    def _layers(self) -> tuple[Catalogue, ...]:
        read = self._read
        return (self._registered, *(self._read_sources() if read is None else read))

    def _read_sources(self) -> tuple[Catalogue, ...]:
        # Without the lock: an import that waits for it in another thread could not go on.
        reading: set[int] = self._reading.__dict__.setdefault("sources", set())
        read: list[Catalogue] = []
        for number, source in enumerate(self._sources):
            if number in reading:
                continue  # it looks a provider up itself, and cannot wait for its own answer
            reading.add(number)
            try:
                read.append(source())
            except Exception as error:  # noqa: BLE001 - one source must not take the others along
                _LOG.warning("providers cannot be read now: %s: %s", type(error).__name__, error)
            finally:
                reading.discard(number)
        with self._lock:
            if self._read is None and len(read) == len(self._sources):
                self._read = tuple(read)
            return self._read or tuple(read)

    def _first(self, find: Callable[[Catalogue], str | None]) -> Provider | None:
        return self._first_of(self._layers(), find)

    def _first_of(
        self, layers: Iterable[Catalogue], find: Callable[[Catalogue], str | None]
    ) -> Provider | None:
        replaced: set[str] = set()
        for layer in layers:
            key = find(layer)
            if key is not None and key not in replaced:
                return layer.load(key)
            # Whoever takes a provider's place takes all its names, domains and hosts away.
            replaced |= {*layer, *self._hidden}
        return None

    def _keys(self) -> Iterator[tuple[Catalogue, str]]:
        replaced: set[str] = set()
        for layer in self._layers():
            keys = list(layer)
            yield from ((layer, key) for key in keys if key not in replaced)
            replaced |= {*keys, *self._hidden}

    def find(self, name: str) -> Provider | None:
        """The provider of a key or alias, or None."""
        return self._first(_called(name))

    def get(self, name: str) -> Provider:
        """The provider of a key or alias, whatever the case.

        Raises:
            UnknownProvider: There is none; the advice has names that are near.
        """
        provider = self.find(name)
        if provider is not None:
            return provider
        names = [n for layer, key in self._keys() for n in layer.names if layer.names[n] == key]
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
            name = domain_to_ascii(_text(domain), field="domain").lower()
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
        name = _text(host)
        return self._first(lambda layer: layer.by_mx(name))

    def for_host(self, host: str) -> Provider | None:
        """The provider that takes submissions at a host, or None."""
        name = _text(host).lower()
        return self._first(lambda layer: layer.hosts.get(name))

    def __iter__(self) -> Iterator[Provider]:
        """All providers, those that were registered first."""
        for layer, key in self._keys():
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
        _, *read = self._layers()
        with self._lock:
            for name in (provider.key, *provider.aliases):
                taken = self._first_of((self._registered, *read), _called(name))
                if taken is not None:
                    raise ConfigurationError(
                        f"the name {name} belongs to the provider {taken.key} already",
                        advice="Choose another key, or use override() to take its place",
                    )
            self._set({**self._own, provider.key: provider})

    def override(self, provider: Provider) -> None:
        """Add a provider in the place of the one that has its key, of which nothing is left.

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
        provider = self.get(key)
        with self._lock:
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


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _called(name: object) -> Callable[[Catalogue], str | None]:
    wanted = _text(name).lower()
    return lambda layer: layer.names.get(wanted)


providers: Final = ProviderRegistry((lambda: of_user(user_file()), of_packages, built_in))
"""The registry that profiles use; an application may add its own providers, or hold another one."""
