"""AddressRules: quoted local parts and address literals, which are taken where they are named."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest
from attrs import evolve

from mailsend import (
    AddressRules,
    Capabilities,
    ConfigurationError,
    Envelope,
    EnvelopeOptions,
    InvalidAddress,
    InvalidMessage,
    MemoryTransport,
    Notify,
    Outcome,
    Recipient,
    Reply,
    Submission,
    compose,
    parse_address,
)
from mailsend.message import envelope_of, parse, render

QUOTED = AddressRules(quoted_local_parts=True)
LITERALS = AddressRules(address_literals=True)
BOTH = AddressRules(quoted_local_parts=True, address_literals=True)


@pytest.mark.parametrize(
    ("text", "local_part", "on_the_wire"),
    [
        ('"ada lovelace"@example.org', "ada lovelace", '"ada lovelace"@example.org'),
        ('"e@evil.org x"@good.example', "e@evil.org x", '"e@evil.org x"@good.example'),
        ('"x\\"y"@g', 'x"y', '"x\\"y"@g'),
        ('"x\\\\y"@g', "x\\y", '"x\\\\y"@g'),
        ('"(),:;<>@[]"@g', "(),:;<>@[]", '"(),:;<>@[]"@g'),
        ('"a..b"@g', "a..b", '"a..b"@g'),
        ('".a"@g', ".a", '".a"@g'),
        ('"a."@g', "a.", '"a."@g'),
        ('" "@g', " ", '" "@g'),
        ('"a> NOTIFY=NEVER"@x.org', "a> NOTIFY=NEVER", '"a> NOTIFY=NEVER"@x.org'),
        # The form with the least quoting, RFC 5321 §4.1.2.
        ('"ada"@example.org', "ada", "ada@example.org"),
        ('"a.b+c"@example.org', "a.b+c", "a.b+c@example.org"),
        ('"\\a\\d\\a"@example.org', "ada", "ada@example.org"),
        ('"Joe\\,Smith"@example.org', "Joe,Smith", '"Joe,Smith"@example.org'),
        ('"a\\ b"@example.org', "a b", '"a b"@example.org'),
        ('"é x"@bücher.example', "é x", '"é x"@xn--bcher-kva.example'),
        ('"é"@example.org', "é", "é@example.org"),
        (f'"{"x" * 61} "@example.org', "x" * 61 + " ", f'"{"x" * 61} "@example.org'),
    ],
)
def test_quoted_local_parts(text: str, local_part: str, on_the_wire: str) -> None:
    address = parse_address(text, rules=QUOTED)
    assert (address.text, address.local_part) == (text, local_part)
    assert address.on_the_wire == on_the_wire
    assert address.needs_smtputf8 is not local_part.isascii()
    assert parse_address(on_the_wire, rules=QUOTED).identity == address.identity
    with pytest.raises(InvalidAddress, match="its local part is quoted") as caught:
        parse_address(text, rules=LITERALS)
    assert "AddressRules(quoted_local_parts=True)" in str(caught.value.advice)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('""@example.org', "its local part is empty"),
        ('"ada@example.org', "a quotation mark out of place|more than one @"),
        ('ada"@example.org', "a quotation mark out of place"),
        ('a"d"a@example.org', "a quotation mark out of place"),
        ('"a".b@example.org', "a quotation mark out of place"),
        ('"a"."b"@example.org', "a quotation mark out of place"),
        ('"a\\"@example.org', "a quotation mark out of place"),
        ('"a"b"@example.org', "a quotation mark out of place"),
        ('"a\\é"@example.org', "a quotation mark out of place"),
        ('"a"@"b"@example.org', "contains '\"'"),
        ('"a"', "not of the form"),
        ('"a"@', "it is empty"),
        ('"a"@x.org> NOTIFY=NEVER', "angle brackets"),
        ('"a"@x.org NOTIFY=NEVER', "a space"),
        ('"a"@x.org,b@x.org', "several addresses"),
        ('"a"@x.org (Ada)', "a comment"),
        ('"a"@[192.0.2.1]', "an address literal"),
        ('"a\r\nb"@x.org', "U\\+000D, a control character"),
        ('"a\\\rb"@x.org', "U\\+000D, a control character"),
        ('"a\nb"@x.org', "U\\+000A, a control character"),
        ('"a\0b"@x.org', "U\\+0000, a control character"),
        ('"a\tb"@x.org', "U\\+0009, a control character"),
        ('"a\u00a0b"@x.org', "U\\+00A0, a space"),
        ('"a\u202eb"@x.org', "U\\+202E, which changes the direction of text"),
        ('"=?utf-8?q?=0A?="@x.org', "an encoded word"),
        ('"a\uff20b"@x.org', "U\\+FF20, which only looks like others"),
        (f'"{"x" * 62} "@example.org', "its local part has 65 octets"),
        (f'"{chr(92) * 70}"@example.org', "its local part has 72 octets"),
    ],
)
def test_quoting_allows_nothing_else(text: str, what: str) -> None:
    with pytest.raises(InvalidAddress, match=what):
        parse_address(text, rules=QUOTED)
    with pytest.raises(InvalidAddress):
        parse_address(text)


@pytest.mark.parametrize("local", ["ada", "a=?a", "bü", '"a b"', '"\\a\\ b"', '"bü b"'])
def test_the_length_is_that_on_the_wire(local: str) -> None:
    written = parse_address(f"{local}@x", rules=BOTH).on_the_wire.removesuffix("@x")
    # An é alone is xn--9ca, six octets more than the one character it is here.
    domain = f"é.{'.'.join(['x' * 60] * 3)}."
    rest = 254 - len(f"{written}@xn--9ca{domain[1:]}".encode())
    longest = parse_address(f"{local}@{domain}{'y' * rest}", rules=BOTH)
    assert len(longest.on_the_wire.encode()) == 254
    with pytest.raises(InvalidAddress, match="its address has 255 octets"):
        parse_address(f"{local}@{domain}{'y' * (rest + 1)}", rules=BOTH)


@pytest.mark.parametrize(
    ("domain", "same"),
    [
        ("[192.0.2.1]", "[192.0.2.1]"),
        ("[127.0.0.1]", "[127.0.0.1]"),
        ("[IPv6:2001:db8::1]", "[ipv6:2001:0DB8:0::0001]"),
        ("[IPv6:::1]", "[IPv6:0:0:0:0:0:0:0:1]"),
        ("[IPv6:::]", "[IPv6:::0]"),
        ("[IPv6:::ffff:192.0.2.1]", "[IPv6:::FFFF:C000:0201]"),
        ("[IPv6:1:2:3:4:5:6:192.0.2.1]", "[IPv6:1:2:3:4:5:6:c000:201]"),
    ],
)
def test_address_literals(domain: str, same: str) -> None:
    text = f"ada@{domain}"
    address = parse_address(text, rules=LITERALS)
    assert address.domain == domain
    assert address.on_the_wire == text
    assert address.identity == parse_address(f"ada@{same}", rules=LITERALS).identity
    with pytest.raises(InvalidAddress, match="its domain is an address literal") as caught:
        parse_address(text, rules=QUOTED)
    assert "AddressRules(address_literals=True)" in str(caught.value.advice)


@pytest.mark.parametrize(
    "domain",
    [
        "[]", "[", "[192.0.2.1", "192.0.2.1]", "[192.0.2.1]x", "[192.0.2.1].org", "[192.0.2]",
        "[192.0.2.256]", "[192.0.2.01]", "[0300.0.2.1]", "[192.0.2.1.]", "[1]", "[example.org]",
        "[2001:db8::1]", "[IPv6:192.0.2.1]", "[IPv6:2001:db8::1", "[IPv6:]", "[IPv6:1:2]",
        "[IPv6:fe80::1%eth0]", "[IPv6:fe80::1%]", "[IPv6:1::2::3]", "[IPv6:12345::]",
        # The "::" is to stand for two groups at least, RFC 5321 §4.1.3.
        "[IPv6:1:2:3:4:5:6:7::]", "[IPv6:1::2:3:4:5:192.0.2.1]",
        "[IPv6:::1]]", "[[IPv6:::1]", "[IPv6:::1]@x.org", "[x400:c=us]", "[IPv7:::1]",
        "[192.0.2.1]> NOTIFY=NEVER", "[192.0.2.1\r\n]", "[192.0.2.1 ]", "[192.0.2.\u0661]",
        "[192.0.2.1\\]",
    ],
)  # fmt: skip
def test_what_is_no_literal(domain: str) -> None:
    with pytest.raises(InvalidAddress):
        parse_address(f"ada@{domain}", rules=BOTH)


def test_an_ip_address_is_no_domain() -> None:
    with pytest.raises(InvalidAddress, match="no domain name") as caught:
        parse_address("ada@192.0.2.1", rules=BOTH)
    assert "[192.0.2.1]" in str(caught.value.advice)


@pytest.mark.parametrize("value", [None, 1, "yes"])
def test_rules_are_switches(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="address_literals has to be True or False"):
        AddressRules(address_literals=value)
    with pytest.raises(ConfigurationError, match="rules have to be AddressRules"):
        parse_address("ada@example.org", rules=value)
    with pytest.raises(ConfigurationError, match="rules have to be AddressRules"):
        Envelope(None, ["ada@example.org"], rules=value)


def test_an_envelope_merges_quoted_and_unquoted_forms() -> None:
    recipients = [
        '"ada"@example.org',
        "ada@EXAMPLE.org",
        '"a\\da"@example.org',
        '"ada lovelace"@bücher.example',
        '"ada\\ lovelace"@XN--BCHER-KVA.example',
        "ada@[IPv6:2001:db8::1]",
        "ada@[IPv6:2001:DB8:0::1]",
        "Ada@example.org",
    ]
    envelope = Envelope('"b c"@example.org', recipients, rules=BOTH)
    assert [a.on_the_wire for a in envelope.recipient_addresses] == [
        "ada@example.org",
        '"ada lovelace"@xn--bcher-kva.example',
        "ada@[IPv6:2001:db8::1]",
        "Ada@example.org",
    ]
    assert envelope.recipients == (recipients[0], recipients[3], recipients[5], recipients[7])
    assert envelope.sender_address is not None
    assert envelope.sender_address.on_the_wire == '"b c"@example.org'
    with pytest.raises(InvalidAddress, match="recipient"):
        Envelope(None, recipients)
    with pytest.raises(InvalidAddress, match="reverse path"):
        Envelope('"b c"@example.org', ["ada@example.org"])


def test_envelopes_are_equal_by_their_addresses() -> None:
    plain, other = Envelope(None, ["b@x.org"]), Envelope(None, ["b@x.org"], rules=BOTH)
    assert plain == other
    assert hash(plain) == hash(other)
    assert repr(plain) == repr(other)


@pytest.mark.parametrize(
    ("name", "octets"),
    [("Ada", b"To: Ada <%b>\r\n"), ("Ädä", b"To: =?utf-8?b?w4Rkw6Q=?= <%b>\r\n")],
)
@pytest.mark.parametrize("to", ['"ada lovelace"@example.org', "ada@[IPv6:2001:db8::1]"])
def test_from_compose_to_the_octets(to: str, name: str, octets: bytes) -> None:
    with pytest.raises(InvalidAddress, match="to "):
        compose(sender="bob@example.org", to=to)
    message = compose(sender="bob@example.org", to=f"{name} <{to}>", text="x", rules=BOTH)
    with pytest.raises(InvalidAddress, match="To "):
        parse(message)
    parsed = parse(message, BOTH)
    assert envelope_of(parsed).recipients == (to,)
    assert octets % to.encode() in render(parsed, eight_bit=True, utf8=False)


@pytest.mark.parametrize("local_part", ['"a..b"', '".a"', '"a."'])
def test_a_header_that_would_lose_its_quotation_marks_is_refused(local_part: str) -> None:
    message = EmailMessage()
    message["From"] = "bob@example.org"
    message["To"] = f"{local_part}@example.org"
    with pytest.raises((InvalidAddress, InvalidMessage)):
        parse(message, BOTH)


def test_a_quotation_mark_at_the_start_of_a_local_part_is_kept() -> None:
    to = r'"\"ada\""@example.org'
    parsed = parse(compose(sender="bob@example.org", to=to, text="x", rules=BOTH), BOTH)
    assert b"To: %b\r\n" % to.encode() in render(parsed, eight_bit=True, utf8=False)
    assert isinstance(parsed.message, EmailMessage)
    assert parsed.message["To"].addresses[0].username == '"ada"'


def test_an_envelope_of_recipients_with_rules_of_their_own_can_be_changed() -> None:
    quoted = Recipient('"ada lovelace"@example.org', Notify.NEVER, rules=BOTH)
    envelope = Envelope("bob@example.org", [quoted, Recipient("eve@[192.0.2.1]", rules=BOTH)])
    changed = evolve(envelope, options=EnvelopeOptions(priority=3))
    assert changed.recipient_addresses == envelope.recipient_addresses
    assert changed.requests == (quoted,)
    transport = MemoryTransport(capabilities=Capabilities.offering("DSN"))
    assert transport.send_raw(envelope, b"Subject: x\r\n\r\n").all_accepted
    with pytest.raises(ConfigurationError, match="AddressRules"):
        Envelope(None, [quoted], rules=None)  # type: ignore[arg-type]


@pytest.mark.parametrize("local_part", ['"a..b"', '".a"', '"a."', r'"\""', r'"\"a"', r'"\\"'])
def test_compose_keeps_the_quotation_marks(local_part: str) -> None:
    to = f"{local_part}@example.org"
    message = compose(sender="bob@example.org", to=["ada@example.org", to], text="x", rules=BOTH)
    assert message["To"].addresses[1].addr_spec == to
    parsed = parse(message, BOTH)
    assert envelope_of(parsed).recipients == ("ada@example.org", to)
    assert f"To: ada@example.org, {to}\r\n".encode() in render(parsed, eight_bit=True, utf8=False)


def test_a_transport_goes_by_the_rules_it_is_given() -> None:
    to = '"ada lovelace"@example.org'
    message = compose(sender="bob@example.org", to=[to, "eve@[192.0.2.1]"], text="x", rules=BOTH)
    transport = MemoryTransport(
        refuse={"eve@[192.0.2.1]": Reply.parse("550 5.1.1 unknown")},
    )
    with pytest.raises(InvalidAddress):
        transport.send(message)
    for report in (
        transport.send(message, rules=BOTH),
        transport.send(message, envelope=envelope_of(parse(message, BOTH))),
    ):
        assert [(o.address, o.outcome) for o in report.outcomes] == [
            (to, Outcome.ACCEPTED),
            ("eve@[192.0.2.1]", Outcome.REFUSED),
        ]
    assert [s.envelope.recipients for s in transport.submissions] == [(to,), (to,)]


def test_rules_and_options_hold_for_many_messages() -> None:
    to = '"ada lovelace"@example.org'
    message = compose(sender="bob@example.org", to=to, text="x", rules=BOTH)
    transport = MemoryTransport(capabilities=Capabilities.offering("MT-PRIORITY"))
    (refused,) = transport.send_many([message])
    assert isinstance(refused.error, InvalidAddress)
    options = EnvelopeOptions(priority=3)
    submission = Submission(Envelope(None, ["eve@example.org"]), b"Subject: x\r\n\r\n")
    reports = transport.send_many([message, submission], rules=BOTH, options=options)
    assert all(report.all_accepted for report in reports)
    assert [
        (s.envelope.recipients, s.envelope.options.priority) for s in transport.submissions
    ] == [
        ((to,), 3),
        (("eve@example.org",), None),
    ]
    with pytest.raises(ConfigurationError, match="AddressRules"):
        next(transport.send_many([message], rules=True))  # type: ignore[arg-type]
