"""check_domain(): A-labels, IDNA 2008, and one check for each name."""

from __future__ import annotations

import pytest

from mailsend import Envelope, parse_address
from mailsend.address import domain_to_ascii
from mailsend.domain import KEPT_DOMAINS, check_domain, same_for_all_spellings
from mailsend.errors import InvalidAddress


@pytest.mark.parametrize(
    "domain",
    [
        "localhost",
        "relay.test",
        "Example.ORG",
        "ab--cd.example",
        "r3---sn.example",
        "1.2.3",
        "1.2.3.4.5",
        "xn--bcher-kva.example",
        "XN--BCHER-KVA.Example",
        "xn--strae-oqa.de",
        "xn--nxasmm1c.com",
        # Registered before IDNA 2008, or by a registry that does not go by it; they receive mail.
        "xn--i-7iq.ws",
        "xn--ls8h.la",
        # A zero-width non-joiner, as Persian is written (RFC 5892 A.1).
        "xn--mgba3gch31f060k.com",
    ],
)
def test_ascii_is_kept_as_it_is(domain: str) -> None:
    assert check_domain(domain) == domain
    assert domain_to_ascii(domain, field="domain") == domain


@pytest.mark.parametrize(
    ("domain", "ascii_domain"),
    [
        ("bücher.Example", "xn--bcher-kva.Example"),
        ("mail.bücher.xn--strae-oqa.de", "mail.xn--bcher-kva.xn--strae-oqa.de"),
        ("STRAẞE.de", "xn--strae-oqa.de"),
        ("bücher", "xn--bcher-kva"),
        ("אב.example", "xn--4dbc.example"),
        ("אב.xn--4dbc.example", "xn--4dbc.xn--4dbc.example"),
        # More octets in UTF-8 than an address may have, and fewer on the wire.
        (".".join(["й" * 20] * 7), ".".join(["xn--i1a" + "a" * 19] * 7)),
    ],
)
def test_u_labels_become_a_labels(domain: str, ascii_domain: str) -> None:
    assert check_domain(domain) == ascii_domain
    assert check_domain(ascii_domain) == ascii_domain
    for label, given in zip(ascii_domain.split("."), domain.split("."), strict=True):
        if not given.isascii():
            assert label[4:].encode().decode("punycode") == given.lower()


@pytest.mark.parametrize(
    ("domain", "what"),
    [
        # These do not decode, or not to what an A-label could stand for.
        ("xn--bcher-kvb.example", "is no A-label"),
        ("xn--a.example", "is no A-label"),
        ("xn--abc.example", "is no A-label"),
        ("xn--abc-d-.example", "hyphen"),
        ("xn--99999999.example", "is no A-label"),
        ("a.xn--1ug", "is no A-label"),
        # A second spelling of xn--bbk, which would be a second name that is shown alike.
        ("xn---bbk.example", "is no A-label"),
        ("bücher.xn--abc.example", "is no A-label"),
        # A bidi override, a full-width letter, an upper-case one and a full stop, encoded.
        *(
            (f"xn--{hidden.encode('punycode').decode()}.example", "is no A-label")
            for hidden in ("ab\u202ec", "\uff41b", "Übung", "a\u3002b", "a\u200cb", "e\u0301")
        ),
        ("ΒΌΛΟΣ.com", "would be mapped to another one"),
        ("", "is empty"),
        (".", "ends with a dot"),
        ("a.", "ends with a dot"),
        ("..a", "a dot too many"),
        ("bü_cher.example", "contains '_'"),
        ("1.2.3.4", "is an IP address and no domain name"),
        ("[1.2.3.4]", "contains '\\['"),
        ("a\r\nb", "U\\+000D"),
        ("☃.net", "IDNA 2008"),
        # A label of digits alone has no direction of its own (RFC 5893 §2, rule 1).
        ("٠١٢.ابجد.example", "IDNA 2008"),
    ],
)
def test_what_is_no_domain(domain: str, what: str) -> None:
    with pytest.raises(InvalidAddress, match=what) as caught:
        domain_to_ascii(domain, field="domain")
    assert str(caught.value).isprintable()
    with pytest.raises(InvalidAddress):
        parse_address(f"ada@{domain}")


def test_a_domain_that_is_too_long_is_not_remembered() -> None:
    before = check_domain.cache_info().currsize
    with pytest.raises(InvalidAddress, match="has 1000000 octets"):
        domain_to_ascii("é" * 1_000_000, field="domain")
    with pytest.raises(InvalidAddress, match="1000004 characters"):
        parse_address("ada@" + "é" * 1_000_000)
    assert check_domain.cache_info().currsize == before


def test_u_label_and_a_label_are_one_domain() -> None:
    forms = ["bücher.example", "BÜCHER.Example", "xn--bcher-kva.example", "XN--BCHER-KVA.EXAMPLE"]
    assert len({same_for_all_spellings(domain_to_ascii(f, field="f")) for f in forms}) == 1
    envelope = Envelope(None, [f"ada@{form}" for form in forms])
    assert envelope.recipients == ("ada@bücher.example",)
    assert not envelope.needs_smtputf8


def test_each_domain_is_checked_once() -> None:
    check_domain.cache_clear()
    domains = [f"bücher{i}.example" for i in range(20)] + ["☃.net"]
    for number in range(1000):
        try:
            parse_address(f"user{number}@{domains[number % len(domains)]}")
        except InvalidAddress:
            assert domains[number % len(domains)] == "☃.net"
    assert check_domain.cache_info().misses == len(domains)


def test_what_is_remembered_is_bounded() -> None:
    for number in range(KEPT_DOMAINS + 500):
        parse_address(f"ada@host{number}.example")
    info = check_domain.cache_info()
    assert info.currsize == info.maxsize == KEPT_DOMAINS
