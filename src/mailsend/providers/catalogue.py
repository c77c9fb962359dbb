"""Many providers, of which few are ever needed: an index over them, and one read at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from attrs import field, frozen

from mailsend.errors import ConfigurationError
from mailsend.providers.provider import Provider
from mailsend.providers.reading import providers_of

_BLOCK: Final = re.compile(r"^\[\[provider\]\]$", re.MULTILINE)
_LIST: Final = r"^{} = \[([^\]]*)\]"
_KEY: Final = re.compile(r'^key = "([^"]+)"', re.MULTILINE)
_ALIASES, _DOMAINS, _MX = (
    re.compile(_LIST.format(name), re.MULTILINE) for name in ("aliases", "domains", "mx_suffixes")
)
_WORD: Final = re.compile(r'"([^"]+)"')
_HOST: Final = re.compile(r'"smtps?://([^/":]+)')


@frozen
class Catalogue:
    """Providers by everything that they are looked up by.

    Attributes:
        names: key by key or alias.
        domains: key by mail domain.
        mx_suffixes: key by end of a mail exchanger's name.
        hosts: key by host of an endpoint.
        load: the provider of a key.
    """

    names: Mapping[str, str]
    domains: Mapping[str, str]
    mx_suffixes: Mapping[str, str]
    hosts: Mapping[str, str]
    load: Callable[[str], Provider] = field(repr=False)

    @classmethod
    def of(cls, providers: Iterable[Provider]) -> Catalogue:
        """A catalogue of providers that are there already.

        Raises:
            ConfigurationError: Two of them claim the same name, domain or MX suffix.
        """
        by_key: dict[str, Provider] = {}
        names: dict[str, str] = {}
        domains: dict[str, str] = {}
        suffixes: dict[str, str] = {}
        hosts: dict[str, str] = {}
        for provider in providers:
            by_key[provider.key] = provider
            for what, index, claims in (
                ("the name", names, (provider.key, *provider.aliases)),
                ("the domain", domains, provider.domains),
                ("the MX suffix", suffixes, provider.mx_suffixes),
            ):
                for claim in claims:
                    if claim in index:
                        raise ConfigurationError(
                            f"{what} {claim} is claimed by {index[claim]} and by {provider.key}",
                            advice="Leave it with one of them",
                        )
                    index[claim] = provider.key
            for host in _hosts(provider):
                hosts.setdefault(host, provider.key)
        return cls(names, domains, suffixes, hosts, by_key.__getitem__)

    @classmethod
    def scan(cls, text: str) -> Catalogue:
        """A catalogue over the text of the built-in data, of which only the index is read.

        Reading all of it as TOML takes as long as a hundred look-ups. The form that this relies on,
        each list of names from its own line to the next ``]``, is held by a test.
        """
        starts = [match.end() for match in _BLOCK.finditer(text)]
        ends = [*(match.start() for match in _BLOCK.finditer(text)), len(text)][1:]
        blocks: dict[str, str] = {}
        names: dict[str, str] = {}
        domains: dict[str, str] = {}
        suffixes: dict[str, str] = {}
        hosts: dict[str, str] = {}
        for start, end in zip(starts, ends, strict=True):
            block = text[start:end]
            match = _KEY.search(block)
            if match is None:
                raise ConfigurationError("a provider of the built-in data has no key")
            key = match[1]
            blocks[key] = block
            names[key] = key
            for index, pattern in ((names, _ALIASES), (domains, _DOMAINS), (suffixes, _MX)):
                listed = pattern.search(block)
                index.update(dict.fromkeys(_WORD.findall(listed[1]) if listed else (), key))
            for host in _HOST.findall(block):
                hosts.setdefault(host.lower(), key)

        def load(key: str) -> Provider:
            return providers_of(f"[[provider]]{blocks[key]}", "the built-in data")[0]

        return cls(names, domains, suffixes, hosts, load)

    def by_mx(self, host: str) -> str | None:
        """The key whose suffix a mail exchanger's name has; the longest suffix counts."""
        labels = host.lower().rstrip(".").split(".")
        ends = (".".join(labels[i:]) for i in range(len(labels)))
        return next((self.mx_suffixes[end] for end in ends if end in self.mx_suffixes), None)

    def __iter__(self) -> Iterator[str]:
        """The keys, in order."""
        return iter(dict.fromkeys(self.names.values()))


def _hosts(provider: Provider) -> Iterator[str]:
    for endpoint in provider.everywhere:
        yield endpoint.host.lower()
