"""Discovery, against a DNS server on loopback."""

from __future__ import annotations

import logging
import pickle
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import dns.flags
import dns.name
import dns.nameserver
import dns.rcode
import dns.resolver
import pytest

from mailsend import (
    Cause,
    ConfigurationError,
    ConnectError,
    Endpoint,
    InvalidAddress,
    Provider,
    ProviderRegistry,
    Retry,
    Security,
)
from mailsend.address import parse_address
from mailsend.discovery import MAX_RECORDS, Method, Proposal, discover
from mailsend.testing import SmtpServer

from .name_server import Behaviour, NameServer, Query, failing, garbled, silent

TLS, STARTTLS = Security.IMPLICIT_TLS, Security.STARTTLS
ACME = Provider(
    key="acme",
    name="Acme Mail",
    endpoints=[Endpoint("smtp.acme.test", 465, TLS)],
    domains=["acme.test"],
    mx_suffixes=["mx.acme.test", "outlook.test"],
)
CLOSED = Provider(key="closed", name="Closed", status="no_smtp", domains=["closed.test"])
REGIONS = Provider(
    key="regions",
    name="Regions",
    regions={"eu": [Endpoint("smtp.eu.regions.test", 465, TLS)]},
    domains=["regions.test"],
    mx_suffixes=["mx.regions.test"],
)
CATCHER = Provider(
    key="catcher",
    name="Catcher",
    category="testing",
    endpoints=[Endpoint("127.0.0.1", 1025, Security.INSECURE_PLAINTEXT)],
    domains=["catcher.test"],
)
SERVFAIL: Final = failing(dns.rcode.SERVFAIL)
THREE: Final = ("_submissions._tcp.example.org", "_submission._tcp.example.org", "example.org")

Serve = Callable[..., NameServer]
Find = Callable[..., tuple[Proposal, ...]]


@pytest.fixture
def registry() -> ProviderRegistry:
    registry = ProviderRegistry()
    for provider in (ACME, CLOSED, REGIONS, CATCHER):
        registry.register(provider)
    return registry


@pytest.fixture
def names() -> Iterator[Serve]:
    """Start DNS servers; they are stopped when the test ends."""
    with ExitStack() as servers:

        def start(records: str = "", **settings: Any) -> NameServer:
            return servers.enter_context(NameServer(records, **settings))

        yield start


@pytest.fixture
def find(registry: ProviderRegistry) -> Find:
    def call(
        server: NameServer, address: str = "ada@example.org", **changes: Any
    ) -> tuple[Proposal, ...]:
        settings: dict[str, Any] = {"registry": registry, "seconds": 5.0, **changes}
        if "resolver" not in settings:
            settings["resolver"] = server.resolver()
        return discover(address, **settings)

    return call


def hosts(proposal: Proposal) -> list[str]:
    return [str(endpoint) for endpoint in proposal.endpoints]


# -- the registry, by domain


def test_a_known_domain_needs_no_look_up(names: Serve, find: Find) -> None:
    server = names("_submissions._tcp.acme.test. SRV 0 0 465 evil.test.")
    (proposal,) = find(server, "ada@acme.test")
    assert proposal == Proposal(
        method=Method.REGISTRY_DOMAIN,
        endpoints=ACME.endpoints,
        provider=ACME,
        authenticated=True,
        needs_confirmation=False,
        reason="Addresses at acme.test belong to Acme Mail.",
    )
    assert server.queries == []


def test_a_thorough_search_goes_on_after_it(names: Serve, find: Find) -> None:
    server = names(
        "_submissions._tcp.acme.test. SRV 0 0 465 new.acme.test.\nacme.test. MX 5 a.mx.acme.test."
    )
    found = find(server, "ada@acme.test", thorough=True)
    assert [p.method for p in found] == [
        Method.REGISTRY_DOMAIN,
        Method.SRV_SUBMISSIONS,
        Method.REGISTRY_MX,
    ]
    assert [p.authenticated for p in found] == [True, False, False]


def test_a_thorough_search_of_a_known_domain_survives_that_dns_fails(
    names: Serve, find: Find
) -> None:
    three = ("_submissions._tcp.acme.test", "_submission._tcp.acme.test", "acme.test")
    server = names(behaviours=dict.fromkeys(three, SERVFAIL))
    assert [p.provider for p in find(server, "ada@acme.test", thorough=True)] == [ACME]
    assert len(server.queries) == 3


@pytest.mark.parametrize(
    ("domain", "provider", "reason"),
    [("closed.test", CLOSED, "takes no mail by SMTP"), ("regions.test", REGIONS, "a region")],
)
def test_a_provider_without_a_server_to_name_is_an_answer_too(
    domain: str, provider: Provider, reason: str, names: Serve, find: Find
) -> None:
    server = names()
    (proposal,) = find(server, f"ada@{domain}")
    assert proposal.provider == provider
    assert proposal.endpoints == ()
    assert reason in proposal.reason
    assert server.queries == []


def test_nothing_without_encryption_is_proposed(names: Serve, find: Find) -> None:
    assert find(names(), "ada@catcher.test") == ()


def test_an_address_may_have_been_read_before(names: Serve, find: Find) -> None:
    address: Any = parse_address("ada@acme.test")
    assert find(names(), address)[0].provider == ACME


# -- SRV


def test_implicit_tls_stands_before_starttls(names: Serve, find: Find) -> None:
    server = names(
        "_submission._tcp.example.org. SRV 0 100 587 smtp.example.org.\n"
        "_submissions._tcp.example.org. SRV 9 1 4650 smtp.example.org."
    )
    first, second = find(server)
    assert (first.method, first.endpoints) == (
        Method.SRV_SUBMISSIONS,
        (Endpoint("smtp.example.org", 4650, TLS),),
    )
    assert (second.method, second.endpoints) == (
        Method.SRV_SUBMISSION,
        (Endpoint("smtp.example.org", 587, STARTTLS),),
    )
    assert [kind for _, kind in server.queries] == ["SRV", "SRV", "MX"]
    assert [name for name, _ in server.queries] == list(THREE)


def test_servers_stand_by_priority_and_then_by_weight(names: Serve, find: Find) -> None:
    owner = "_submissions._tcp.example.org."
    server = names(
        f"{owner} SRV 20 99 465 last.example.org.\n"
        f"{owner} SRV 10 0 465 spare.example.org.\n"
        f"{owner} SRV 10 5 465 light.example.org.\n"
        f"{owner} SRV 10 50 465 heavy.example.org.\n"
        f"{owner} SRV 10 5 465 alike.example.org."
    )
    (proposal,) = find(server)
    assert [endpoint.host.split(".")[0] for endpoint in proposal.endpoints] == [
        "heavy",
        "alike",
        "light",
        "spare",
        "last",
    ]


@pytest.mark.parametrize(
    ("target", "inside"),
    [
        ("example.org", True),
        ("smtp.example.org", True),
        ("a.b.example.org", True),
        ("SMTP.Example.ORG", True),
        ("notexample.org", False),
        ("smtp.notexample.org", False),
        ("example.org.evil.test", False),
        ("smtp.acme.test", False),
        ("org", False),
        ("localhost", False),
    ],
)
def test_a_host_outside_the_domain_has_to_be_confirmed(
    target: str, inside: bool, names: Serve, find: Find
) -> None:
    server = names(f"_submissions._tcp.example.org. SRV 0 0 465 {target}.")
    (proposal,) = find(server, "Ada@Example.ORG")
    assert hosts(proposal) == [f"{target.lower()}:465"]
    assert not proposal.authenticated
    assert proposal.needs_confirmation is not inside
    assert ("leads outside example.org" in proposal.reason) is not inside
    assert "could be forged" in proposal.reason
    assert target.lower() in proposal.reason


def test_one_host_outside_the_domain_is_enough(names: Serve, find: Find) -> None:
    server = names(
        "_submissions._tcp.example.org. SRV 0 0 465 smtp.example.org.\n"
        "_submissions._tcp.example.org. SRV 1 0 465 smtp.evil.test."
    )
    (proposal,) = find(server)
    assert proposal.needs_confirmation


def test_the_registry_tells_whose_the_servers_are(names: Serve, find: Find) -> None:
    server = names(
        "_submissions._tcp.example.org. SRV 0 0 465 smtp.acme.test.\n"
        "_submission._tcp.example.org. SRV 0 0 587 smtp.acme.test.\n"
        "_submission._tcp.example.org. SRV 1 0 587 smtp.example.org."
    )
    first, second = find(server)
    assert first.provider == ACME
    assert first.needs_confirmation
    assert second.provider is None  # one of them is not the provider's


def test_a_service_that_is_not_there_gets_no_proposal(names: Serve, find: Find) -> None:
    server = names(
        "_submissions._tcp.example.org. SRV 0 0 0 .\n"
        "_submission._tcp.example.org. SRV 0 0 587 smtp.example.org."
    )
    (proposal,) = find(server)
    assert proposal.method is Method.SRV_SUBMISSION


def test_an_alias_is_followed_and_its_target_compared_with_the_mail_domain(
    names: Serve, find: Find
) -> None:
    server = names(
        "_submissions._tcp.example.org. CNAME _submissions._tcp.hoster.test.\n"
        "_submissions._tcp.hoster.test. SRV 0 0 465 smtp.hoster.test."
    )
    (proposal,) = find(server)
    assert hosts(proposal) == ["smtp.hoster.test:465"]
    assert proposal.needs_confirmation


def test_aliases_in_a_circle_are_no_answer(names: Serve, find: Find) -> None:
    server = names(
        "_submissions._tcp.example.org. CNAME b.example.org.\n"
        "b.example.org. CNAME _submissions._tcp.example.org.\n"
        "example.org. MX 1 a.mx.acme.test."
    )
    assert [p.method for p in find(server)] == [Method.REGISTRY_MX]


def test_names_are_not_looked_for_in_the_domains_of_this_machine(names: Serve, find: Find) -> None:
    server = names("_submissions._tcp.example.org.evil.test. SRV 0 0 465 smtp.example.org.")
    resolver = server.resolver()
    resolver.search = [dns.name.from_text("evil.test.")]
    resolver.use_search_by_default = True
    assert find(server, resolver=resolver) == ()
    assert [name for name, _ in server.queries] == list(THREE)


def test_an_internationalised_domain_is_asked_for_by_its_a_labels(names: Serve, find: Find) -> None:
    server = names("_submissions._tcp.xn--bcher-kva.test. SRV 0 0 465 smtp.xn--bcher-kva.test.")
    (proposal,) = find(server, "ada@bücher.test")
    assert hosts(proposal) == ["smtp.xn--bcher-kva.test:465"]
    assert not proposal.needs_confirmation
    assert {name.rpartition("xn--bcher-kva")[1] for name, _ in server.queries} == {"xn--bcher-kva"}


# -- the registry, by mail exchanger


def test_a_mail_exchanger_leads_to_its_provider(names: Serve, find: Find) -> None:
    server = names("example.org. MX 10 in1.mx.acme.test.")
    (proposal,) = find(server)
    assert proposal == Proposal(
        method=Method.REGISTRY_MX,
        endpoints=ACME.endpoints,
        provider=ACME,
        authenticated=False,
        needs_confirmation=True,
        reason="Mail for example.org goes to in1.mx.acme.test, which belongs to Acme Mail; the "
        "answer could be forged, and it leads outside example.org.",
    )


@pytest.mark.parametrize(
    ("records", "provider"),
    [
        ("MX 10 mx.filter.test.", None),
        ("MX 10 mx.filter.test. / MX 20 a.mx.acme.test.", ACME),
        ("MX 20 a.mx.acme.test. / MX 10 a.mx.regions.test.", REGIONS),
        ("MX 10 a.mx.acme.test. / MX 20 a.mx.regions.test.", ACME),
        ("MX 10 X.Outlook.Test.", ACME),
        ("MX 10 notoutlook.test.", None),
        ("MX 10 outlook.test.evil.test.", None),
        ("MX 0 .", None),
        (r"MX 10 evil\.outlook.test.", None),
        ("A 192.0.2.1", None),
    ],
)
def test_which_mail_exchanger_decides(
    records: str, provider: Provider | None, names: Serve, find: Find
) -> None:
    server = names("\n".join(f"example.org. {record}" for record in records.split(" / ")))
    assert [p.provider for p in find(server)] == ([provider] if provider else [])


def test_a_provider_by_mail_exchanger_has_to_be_confirmed_without_endpoints_too(
    names: Serve, find: Find
) -> None:
    (proposal,) = find(names("example.org. MX 10 a.mx.regions.test."))
    assert (proposal.endpoints, proposal.needs_confirmation) == ((), True)


# -- what can be authenticated


class From(dns.nameserver.Do53Nameserver):
    """A name server on loopback that says it is elsewhere."""

    def __init__(self, port: int, address: str) -> None:
        super().__init__("127.0.0.1", port)
        self.said = address

    def answer_nameserver(self) -> str:
        return self.said


SIGNED = """\
_submissions._tcp.example.org. SRV 0 0 465 smtp.hoster.test.
example.org. MX 10 a.mx.acme.test.
"""


@pytest.mark.parametrize("thorough", [False, True])
def test_validated_answers_count_if_the_caller_trusts_the_resolver(
    thorough: bool, names: Serve, find: Find
) -> None:
    server = names(SIGNED, authentic=True)
    resolver = server.resolver()
    found = find(server, resolver=resolver, trust_ad=True, thorough=thorough)
    assert [p.method for p in found] == [Method.SRV_SUBMISSIONS, Method.REGISTRY_MX][: 1 + thorough]
    assert all(p.authenticated and not p.needs_confirmation for p in found)
    assert not any("forged" in p.reason for p in found)
    assert resolver.flags is None


def test_the_callers_own_flags_are_kept(names: Serve, find: Find) -> None:
    flags = []

    def look(query: Query) -> bytes:
        flags.append(query.flags)
        return SERVFAIL(query) or b""

    server = names(SIGNED, behaviours={THREE[0]: look})
    resolver = server.resolver()
    resolver.flags = dns.flags.RD | dns.flags.CD
    find(server, resolver=resolver, trust_ad=True)
    assert flags == [dns.flags.RD | dns.flags.CD | dns.flags.AD]


@pytest.mark.parametrize(
    ("authentic", "trust_ad", "address"),
    [
        (True, False, "127.0.0.1"),
        (False, True, "127.0.0.1"),
        (True, True, "192.0.2.53"),
        (True, True, "2001:db8::53"),
        (True, True, "https://127.0.0.1/dns-query"),
    ],
)
def test_otherwise_they_do_not(
    authentic: bool, trust_ad: bool, address: str, names: Serve, find: Find
) -> None:
    server = names(SIGNED, authentic=authentic)
    resolver = server.resolver()
    # The bit is asked for, so that only our judgement is between it and the proposal.
    resolver.flags = dns.flags.RD | dns.flags.AD
    resolver.nameservers = [From(server.port, address)]
    found = find(server, resolver=resolver, trust_ad=trust_ad)
    assert [p.method for p in found] == [Method.SRV_SUBMISSIONS, Method.REGISTRY_MX]
    assert not any(p.authenticated for p in found)
    assert all(p.needs_confirmation for p in found)


# -- hostile answers


def oversized(query: Query) -> bytes:
    """An SRV record whose target has 300 labels."""
    head = struct.pack("!HHHHHH", query.id, 0x8180, 1, 1, 0, 0)
    question = query.question[0].name.to_wire() or b""
    question += struct.pack("!HH", 33, 1)
    target = struct.pack("!HHH", 0, 0, 465) + b"\x01a" * 300 + b"\x00"
    record = b"\xc0\x0c" + struct.pack("!HHIH", 33, 1, 60, len(target)) + target
    return head + question + record


@pytest.mark.parametrize(
    "target",
    [
        r"465 bad\032host.example.org.",
        r"465 a\.b.example.org.",
        r"465 smtp\.example.org.",
        r"465 x\000.example.org.",
        r"465 x\010.example.org.",
        r"465 \195\188.example.org.",
        r"465 a@b.example.org.",
        r"465 a/b.example.org.",
        r"465 a:25.example.org.",
        "465 -a.example.org.",
        "465 *.example.org.",
        "465 127.0.0.1.",
        "465 2130706433.",
        "465 0x7f000001.",
        "465 127.1.",
        "0 smtp.example.org.",
        "465 .",
    ],
)
def test_a_record_that_cannot_be_used_is_passed_over(target: str, names: Serve, find: Find) -> None:
    owner = "_submissions._tcp.example.org."
    server = names(f"{owner} SRV 0 0 {target}\n{owner} SRV 1 0 465 smtp.example.org.")
    (proposal,) = find(server)
    assert hosts(proposal) == ["smtp.example.org:465"]


def test_what_is_passed_over_is_logged_in_ascii(
    names: Serve, find: Find, caplog: pytest.LogCaptureFixture
) -> None:
    server = names(r"_submissions._tcp.example.org. SRV 0 0 465 x\010y.test.")
    with caplog.at_level(logging.INFO, logger="mailsend.discovery"):
        assert find(server) == ()
    (line,) = [r.getMessage() for r in caplog.records if "passed over" in r.getMessage()]
    assert line.isprintable()


def test_a_domain_that_declines_has_done_nothing_wrong(
    names: Serve, find: Find, caplog: pytest.LogCaptureFixture
) -> None:
    server = names("_submissions._tcp.example.org. SRV 0 0 0 .\nexample.org. MX 0 .")
    with caplog.at_level(logging.INFO, logger="mailsend.discovery"):
        assert find(server) == ()
    assert caplog.records == []


def test_only_so_many_records_are_read(names: Serve, find: Find) -> None:
    owner, name = "_submissions._tcp.example.org.", "with-a-rather-long-name"
    server = names(
        "\n".join(f"{owner} SRV {n} 0 465 {name}-{n}.example.org." for n in reversed(range(40)))
    )
    (proposal,) = find(server)
    assert hosts(proposal) == [f"{name}-{n}.example.org:465" for n in range(MAX_RECORDS)]
    assert server.tcp_queries == 1  # more than a datagram takes


def test_the_same_server_is_proposed_once(names: Serve, find: Find) -> None:
    owner = "_submissions._tcp.example.org."
    server = names(f"{owner} SRV 0 0 465 a.example.org.\n{owner} SRV 1 0 465 a.example.org.")
    assert hosts(find(server)[0]) == ["a.example.org:465"]


@pytest.mark.parametrize("nonsense", [garbled, oversized, lambda _: b"", lambda _: b"\x00" * 9])
def test_nonsense_is_no_answer(nonsense: Behaviour, names: Serve, find: Find) -> None:
    server = names("example.org. MX 1 a.mx.acme.test.", behaviours={THREE[0]: nonsense})
    assert [p.provider for p in find(server, seconds=1.5)] == [ACME]


# -- failures


@pytest.mark.parametrize(
    "records", ["", "example.org. A 192.0.2.1", "_submissions._tcp.example.org. TXT hello"]
)
def test_there_may_be_nothing(records: str, names: Serve, find: Find) -> None:
    assert find(names(records)) == ()


def test_a_name_that_no_question_can_be_asked_for_has_nothing(names: Serve, find: Find) -> None:
    server = names()
    assert find(server, f"a@{'x' * 63}.{'y' * 63}.{'z' * 63}.{'q' * 50}") == ()
    assert [kind for _, kind in server.queries] == ["MX"]


@pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED, dns.rcode.NOTIMP])
def test_a_server_that_fails_is_no_sign_that_there_is_nothing(
    rcode: dns.rcode.Rcode, names: Serve, find: Find, caplog: pytest.LogCaptureFixture
) -> None:
    server = names(behaviours={THREE[1]: failing(rcode)})
    with caplog.at_level(logging.INFO, logger="mailsend.discovery"):
        with pytest.raises(ConnectError) as caught:
            find(server)
    error = caught.value
    assert (error.cause, error.retry) == (Cause.NAME_NOT_RESOLVED, Retry.MINUTES)
    assert error.safe_to_retry
    assert error.__cause__ is not None
    assert "example.org" in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert [r.levelno for r in caplog.records] == [logging.INFO]
    assert len(server.queries) == 3  # it went on


def test_what_was_found_counts_more_than_what_failed(names: Serve, find: Find) -> None:
    server = names("example.org. MX 1 a.mx.acme.test.", behaviours={THREE[0]: SERVFAIL})
    assert [p.provider for p in find(server)] == [ACME]


def test_silence_ends_with_the_budget(names: Serve, find: Find) -> None:
    server = names(behaviours=dict.fromkeys(THREE, silent))
    begun = time.monotonic()
    with pytest.raises(ConnectError) as caught:
        find(server, seconds=1)
    assert 0.9 < time.monotonic() - begun < 2
    assert (caught.value.cause, caught.value.retry) == (Cause.TIMED_OUT, Retry.MINUTES)
    assert "within 1 s" in str(caught.value)
    assert {name for name, _ in server.queries} == set(THREE)


def test_silence_to_one_question_leaves_time_for_the_others(names: Serve, find: Find) -> None:
    server = names("example.org. MX 1 a.mx.acme.test.", behaviours=dict.fromkeys(THREE[:2], silent))
    begun = time.monotonic()
    assert [p.provider for p in find(server, seconds=1.5)] == [ACME]
    assert time.monotonic() - begun < 2.5


def test_silence_and_failure_are_told_apart(names: Serve, find: Find) -> None:
    server = names(behaviours={THREE[0]: silent, THREE[1]: SERVFAIL})
    with pytest.raises(ConnectError) as caught:
        find(server, seconds=1.5)
    assert caught.value.cause is Cause.NAME_NOT_RESOLVED


@pytest.mark.parametrize("address", ["", "ada", "ada@", "@example.org", "ada@exa mple.org", 7])
def test_no_address_no_question(address: Any, names: Serve, find: Find) -> None:
    server = names()
    with pytest.raises(InvalidAddress):
        find(server, address)
    assert server.queries == []


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), True, "10", None, 1e9])
def test_a_budget_is_a_number_of_seconds(seconds: Any, names: Serve, find: Find) -> None:
    server = names()
    with pytest.raises(ConfigurationError, match="seconds"):
        find(server, seconds=seconds)
    assert server.queries == []


# -- the system's resolver, and what it costs


def test_the_systems_resolver_is_asked_if_no_other_is_given(
    names: Serve, find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = names("example.org. MX 1 a.mx.acme.test.")
    resolver = server.resolver()
    monkeypatch.setattr(dns.resolver, "Resolver", lambda: resolver)
    assert [p.provider for p in find(server, resolver=None)] == [ACME]


def test_a_system_without_a_resolver_is_a_failed_look_up(
    names: Serve, find: Find, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server, nowhere = names(), str(tmp_path / "resolv.conf")
    resolver = dns.resolver.Resolver
    monkeypatch.setattr(dns.resolver, "Resolver", lambda: resolver(nowhere))
    with pytest.raises(ConnectError) as caught:
        find(server, resolver=None)
    assert caught.value.cause is Cause.NAME_NOT_RESOLVED
    assert find(server, "ada@acme.test", resolver=None, thorough=True)[0].provider == ACME


def test_nothing_is_sent_to_a_mail_server_and_only_the_domain_to_dns(
    names: Serve, find: Find
) -> None:
    with SmtpServer(security="implicit_tls") as mail:
        server = names(f"_submissions._tcp.example.org. SRV 0 0 {mail.port} localhost.")
        (proposal,) = find(server, "secret.person@example.org")
        assert hosts(proposal) == [f"localhost:{mail.port}"]
        assert mail.connections == 0
    assert not any("secret" in name for name, _ in server.queries)


def test_dns_is_imported_when_it_is_needed() -> None:
    code = (
        "import sys; from mailsend.discovery import discover; "
        "from mailsend.providers import ProviderRegistry, Provider; "
        "from mailsend.endpoint import Endpoint; registry = ProviderRegistry(); "
        "registry.register(Provider(key='a', name='A', domains=['a.test'], "
        "endpoints=[Endpoint('smtp.a.test', 465, 'implicit_tls')])); "
        "assert discover('ada@a.test', registry=registry); "
        "sys.exit('dns' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
