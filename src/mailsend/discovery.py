"""Discovery: proposals for where an address submits its mail, and how far each can be trusted."""

from __future__ import annotations

import copy
import ipaddress
import logging
import re
import time
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from attrs import frozen

from mailsend.address import Address, parse_address
from mailsend.cause import Cause, Retry
from mailsend.endpoint import Endpoint, Security, check_host
from mailsend.errors import ConfigurationError, ConnectError
from mailsend.providers import Provider, ProviderRegistry, Status, providers
from mailsend.timeouts import MAX_SECONDS

if TYPE_CHECKING:  # slow to import, and nothing else needs it
    import dns.name
    import dns.resolver

_LOG: Final = logging.getLogger("mailsend.discovery")

MAX_RECORDS: Final = 10
"""How many records of one DNS answer are read, the preferred ones first."""

# What inet_aton reads as a part of an address: "127.1", "0x7f000001".
_NUMERIC: Final = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")


class Method(StrEnum):
    """How a proposal was found.

    ``REGISTRY_DOMAIN``: the registry knows the domain. ``SRV_SUBMISSIONS``: the domain's DNS names
    a server with implicit TLS (RFC 8314 §5.1). ``SRV_SUBMISSION``: it names one with STARTTLS (RFC
    6186 §3.1). ``REGISTRY_MX``: the registry knows the host that takes the domain's mail.
    """

    REGISTRY_DOMAIN = "registry_domain"
    SRV_SUBMISSIONS = "srv_submissions"
    SRV_SUBMISSION = "srv_submission"
    REGISTRY_MX = "registry_mx"


@frozen(kw_only=True)
class Proposal:
    """Where an address may submit its mail. Nothing has been connected to.

    Attributes:
        method: how it was found.
        endpoints: in order of preference, each with TLS. Empty where the provider has no SMTP, and
            where it wants a region to be named; `provider` tells which.
        provider: who runs the servers, where the registry knows that, or None.
        authenticated: whether nobody on the way can have made it up: it is from the registry
            alone, or from DNS answers that a trusted resolver validated, see :func:`discover`.
        needs_confirmation: whether a person has to agree before anything is connected to: DNS
            answers that were not authenticated lead to a host outside the mail domain (RFC 6186
            §6, RFC 8314 §5.1). TLS is no help there, for it authenticates the host that was named.
        reason: one sentence for that person.
    """

    method: Method
    endpoints: tuple[Endpoint, ...]
    provider: Provider | None = None
    authenticated: bool
    needs_confirmation: bool
    reason: str


_SERVICES: Final = {
    Method.SRV_SUBMISSIONS: ("_submissions._tcp", Security.IMPLICIT_TLS),
    Method.SRV_SUBMISSION: ("_submission._tcp", Security.STARTTLS),
}


def discover(
    address: str | Address,
    *,
    registry: ProviderRegistry = providers,
    resolver: dns.resolver.Resolver | None = None,
    seconds: float = 10.0,
    thorough: bool = False,
    trust_ad: bool = False,
) -> tuple[Proposal, ...]:
    """Propose where an address submits its mail, the most trustworthy way first.

    Asks the registry for the domain, then DNS for SRV records of ``_submissions._tcp`` and
    ``_submission._tcp``, then the registry for the domain's mail exchangers. The domain is all
    that leaves this machine: there is no HTTP, no connection to a mail server, and no guessing of
    names. Ask when an account is set up and keep the result: RFC 8314 §5.1 forbids asking anew for
    every connection where the answers are not authenticated.

    A domain that says of a service that it has none (the target ``.`` of RFC 2782, the null MX of
    RFC 7505) gets no proposal for it.

    Args:
        address: of the account.
        registry: the providers to go by.
        resolver: whom to ask; None for the system's resolver. It is not changed.
        seconds: the budget of all look-ups together; what one does not need goes to the others.
            Pauses between two tries of a look-up may exceed it slightly.
        thorough: go on after the first authenticated proposal. Without it, an address whose domain
            the registry knows makes no look-up at all.
        trust_ad: let the AD bit of an answer (RFC 4035 §3.2.3) count as authentication, where it
            came from a resolver on a loopback address. Only for a resolver that validates by
            itself: one that hands on what others say, as Docker's does on 127.0.0.11, hands on a
            forged bit too. From any other address the bit never counts.

    Returns:
        Proposals by trust: from the registry, from SRV records, from mail exchangers. Empty if
        there is none.

    Raises:
        InvalidAddress: It is no address.
        ConfigurationError: `seconds` is not a number above 0 and up to 1,000,000.
        ConnectError: Nothing was found, and a look-up failed that may succeed another time.
    """
    parsed = address if isinstance(address, Address) else parse_address(address)
    domain = parsed.domain.lower()
    look_ups = _LookUps(resolver, _checked(seconds), trust_ad=trust_ad)
    found: list[Proposal] = []
    for proposal in _Discovery(domain, registry, look_ups).proposals():
        found.append(proposal)
        if proposal.authenticated and not thorough:
            break
    if not found and look_ups.failures:
        raise look_ups.failure(domain) from look_ups.failures[0]
    return tuple(found)


def _checked(seconds: object) -> float:
    if (
        isinstance(seconds, bool)
        or not isinstance(seconds, int | float)
        or not 0 < seconds <= MAX_SECONDS  # false for not-a-number too
    ):
        raise ConfigurationError(
            f"seconds has to be a number above 0 and up to {MAX_SECONDS}, not {ascii(seconds)[:40]}"
        )
    return float(seconds)


@frozen
class _Discovery:
    """One call of :func:`discover`."""

    domain: str
    registry: ProviderRegistry
    look_ups: _LookUps

    def proposals(self) -> Iterator[Proposal]:
        """Whatever is found, and nothing is looked up before it is asked for."""
        provider = self.registry.for_domain(self.domain)
        if provider is not None:
            why = f"Addresses at {self.domain} belong to {provider.name}"
            yield from self._of_provider(provider, Method.REGISTRY_DOMAIN, why, True)
        for method in _SERVICES:
            yield from self._of_service(method)
        yield from self._of_exchangers()

    def _of_service(self, method: Method) -> Iterator[Proposal]:
        from dns.rdtypes.IN.SRV import SRV  # noqa: PLC0415 - see above

        service, security = _SERVICES[method]
        answer = self.look_ups.ask(f"{service}.{self.domain}", "SRV")
        # RFC 2782 lets clients choose at random, the heavier more often, to share load between
        # connections. This is done once for many, and should come out the same every time.
        records = sorted(
            (record for record in answer.records if isinstance(record, SRV)),
            key=lambda srv: (srv.priority, -srv.weight, srv.target, srv.port),
        )
        read = [_endpoint(srv.target, srv.port, security) for srv in records[:MAX_RECORDS]]
        endpoints = tuple(dict.fromkeys(endpoint for endpoint in read if endpoint is not None))
        if endpoints:
            why = f"The DNS of {self.domain} names {', '.join(map(str, endpoints))} for {service}"
            yield self._proposal(method, endpoints, self._owner(endpoints), why, answer.authentic)

    def _of_exchangers(self) -> Iterator[Proposal]:
        from dns.rdtypes.ANY.MX import MX  # noqa: PLC0415 - see above

        answer = self.look_ups.ask(self.domain, "MX")
        records = sorted(
            (record for record in answer.records if isinstance(record, MX)),
            key=lambda mx: (mx.preference, mx.exchange),
        )
        for record in records[:MAX_RECORDS]:
            host = _host(record.exchange)
            provider = self.registry.for_mx(host) if host else None
            # Where a filter that nobody knows stands in front, an exchanger behind it may tell.
            if provider is not None:
                why = f"Mail for {self.domain} goes to {host}, which belongs to {provider.name}"
                yield from self._of_provider(provider, Method.REGISTRY_MX, why, answer.authentic)
                return

    def _of_provider(
        self, provider: Provider, method: Method, why: str, authenticated: bool
    ) -> Iterator[Proposal]:
        plain = Security.INSECURE_PLAINTEXT
        endpoints = tuple(e for e in provider.endpoints if e.security is not plain)
        if provider.endpoints and not endpoints:
            return  # a testing server on this machine
        if provider.status is Status.NO_SMTP:
            why += ", which takes no mail by SMTP"
        elif not endpoints:
            why += ", where a region has to be named"
        yield self._proposal(method, endpoints, provider, why, authenticated)

    def _proposal(
        self,
        method: Method,
        endpoints: tuple[Endpoint, ...],
        provider: Provider | None,
        why: str,
        authenticated: bool,
    ) -> Proposal:
        inside = bool(endpoints) and all(_is_within(e.host, self.domain) for e in endpoints)
        if not authenticated:
            why += "; the answer could be forged"
            why += "" if inside else f", and it leads outside {self.domain}"
        return Proposal(
            method=method,
            endpoints=endpoints,
            provider=provider,
            authenticated=authenticated,
            needs_confirmation=not authenticated and not inside,
            reason=f"{why}.",
        )

    def _owner(self, endpoints: tuple[Endpoint, ...]) -> Provider | None:
        """The provider whose hosts all of these are."""
        owners = [self.registry.for_host(endpoint.host) for endpoint in endpoints]
        keys = {owner and owner.key for owner in owners}
        return owners[0] if len(keys) == 1 else None


def _is_within(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


# -- what DNS says


def _host(name: dns.name.Name) -> str | None:
    """A name from an answer as a host name, or None if it is none.

    Whoever controls the domain, or the way to it, controls this text.
    """
    if len(name.labels) <= 1:  # the root: there is no such service
        return None
    text = name.to_text(omit_final_dot=True).lower()
    try:
        host = check_host(text)
    except ConfigurationError:
        host = ""
    if not host or _NUMERIC.fullmatch(host.rpartition(".")[2]):
        _LOG.info("a DNS answer is passed over: %s is no host name", ascii(text)[:80])
        return None
    return host


def _endpoint(target: dns.name.Name, port: int, security: Security) -> Endpoint | None:
    host = _host(target)
    try:
        return Endpoint(host, port, security) if host else None
    except ConfigurationError as error:
        _LOG.info("a DNS answer is passed over: %s", error.what)
        return None


@frozen
class _Answer:
    records: tuple[object, ...] = ()
    authentic: bool = False


class _LookUps:
    """The look-ups of one discovery, within one budget. What fails is kept, not raised."""

    def __init__(
        self, resolver: dns.resolver.Resolver | None, seconds: float, *, trust_ad: bool
    ) -> None:
        self._resolver = resolver
        self._trust_ad = trust_ad
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._to_come = len(_SERVICES) + 1
        self.failures: list[Exception] = []

    def ask(self, name: str, kind: str) -> _Answer:
        """The records of a kind; none where there are none and where the look-up failed."""
        import dns.exception  # noqa: PLC0415 - see above
        import dns.flags  # noqa: PLC0415
        import dns.name  # noqa: PLC0415
        import dns.resolver  # noqa: PLC0415

        # Some routers drop questions for SRV records; they must not use up the time of the others.
        lifetime = max(self._end - time.monotonic(), 0.0) / self._to_come
        self._to_come -= 1
        try:
            asked = dns.name.from_text(name + ".")
            answer = self._prepared().resolve(asked, kind, lifetime=lifetime)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.name.NameTooLong):
            return _Answer()
        except dns.exception.DNSException as error:
            _LOG.info("%s records of %s: %s", kind, name, ascii(str(error))[:300])
            self.failures.append(error)
            return _Answer()
        validated = bool(answer.response.flags & dns.flags.AD)
        trusted = self._trust_ad and _is_loopback(answer.nameserver)
        return _Answer(tuple(answer), validated and trusted)

    def _prepared(self) -> dns.resolver.Resolver:
        import dns.flags  # noqa: PLC0415
        import dns.resolver  # noqa: PLC0415

        if self._resolver is None:
            self._resolver = dns.resolver.Resolver()
        if not self._trust_ad:
            return self._resolver
        # Resolvers give the bit to those who show that they understand it (RFC 6840 §5.7).
        asking = copy.copy(self._resolver)
        asking.flags = (dns.flags.RD if asking.flags is None else asking.flags) | dns.flags.AD
        return asking

    def failure(self, domain: str) -> ConnectError:
        """Why nothing is known of a domain, after look-ups failed."""
        import dns.exception  # noqa: PLC0415

        silent = all(isinstance(error, dns.exception.Timeout) for error in self.failures)
        what = f"did not answer within {self._seconds:g} s" if silent else "could not answer"
        return ConnectError(
            f"DNS {what} when asked for the mail servers of {domain}",
            cause=Cause.TIMED_OUT if silent else Cause.NAME_NOT_RESOLVED,
            retry=Retry.MINUTES,
            advice="Try again later, or give host, port and security yourself",
        )


def _is_loopback(nameserver: str | None) -> bool:
    try:
        return ipaddress.ip_address(nameserver or "").is_loopback
    except ValueError:  # the URL of a resolver over HTTPS
        return False
