"""Whatever is set on an EmailMessage by its own API: refused, or read back as what was asked."""

from __future__ import annotations

import base64
import quopri
from email.message import EmailMessage
from email.policy import SMTP, default
from typing import Any

import octets_reader as independent
from hypothesis import given, settings
from hypothesis import strategies as st

from mailsend.address import parse_address
from mailsend.content import prepare
from mailsend.errors import CapabilityError, InvalidAddress, InvalidMessage
from mailsend.message import envelope_of, parse, render
from mailsend.message.address_list import read_address_list

nasty = st.sampled_from(
    [*' "\\,;:<>@()[]=?_.-%é日😀\t', "=?utf-8?q?", "?=", "=0A", "=2C", "evil@evil.org", "word ",
     "=?utf-8?q?a=0D=0AX-Evil=3A_1=0D=0A=0D=0Aevil?=", "=?utf-8?q?a=2C_evil=40evil=2Eorg?=",
     "\r", "\n", "\0", "\x0b", "\x85", "\u2028", "\r\n\r\n", "\nBcc: evil@evil.org", "x" * 70,
     "<b@x.org>", "a@x.org", ", ", "Team: ", ";"]
)  # fmt: skip
printed = st.characters(exclude_categories=["C", "Zl", "Zp"])
anything = st.lists(printed | nasty, max_size=20).map("".join)
names = st.sampled_from(
    ["Subject", "X-Test", "References", "Comments", "List-Unsubscribe", "Thread-Topic",
     "Content-Description", "Message-ID", "Date"]
) | st.text("XBcC-:\r\n \té", min_size=1, max_size=8)  # fmt: skip
addressed = st.sampled_from(["To", "Cc", "Bcc", "Reply-To", "Sender", "Resent-To"])
plain = st.sampled_from(
    ["b@x.org", "Bob <b@x.org>", '"Lovelace, Ada" <ada@x.org>', "b@x.org, c@x.org"]
)
policies = st.sampled_from([default, SMTP, default.clone(utf8=True)])
flags = st.booleans()


def built(policy: Any, fields: list[tuple[str, str]], body: str) -> EmailMessage | None:
    message = EmailMessage(policy=policy)
    try:
        message["From"] = "ada@x.org"
        for name, value in fields:
            message[name] = value
        message.set_content(body)
    except (ValueError, KeyError, IndexError, LookupError, TypeError, AttributeError):
        return None  # the standard library refuses it, or fails
    return message


def octets_of(message: EmailMessage, *, eight_bit: bool, utf8: bool) -> tuple[Any, bytes] | None:
    before = list(message.raw_items())
    try:
        ours = parse(message)
        envelope = envelope_of(ours)
        octets = prepare(render(ours, eight_bit=eight_bit, utf8=utf8)).data
    except (InvalidMessage, InvalidAddress):
        return None
    finally:
        assert list(message.raw_items()) == before
    return envelope, octets


def same(there: str, asked: str) -> bool:
    return "".join(there.split()) == "".join(asked.split())


def body_of(read: independent.Read) -> bytes:
    encoding = (read.all("content-transfer-encoding") or ["7bit"])[0].lower()
    if encoding == "base64":
        return base64.b64decode(read.body)
    return quopri.decodestring(read.body) if encoding == "quoted-printable" else read.body


def lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")


@settings(max_examples=100)
@given(
    policies,
    st.lists(st.tuples(names, anything) | st.tuples(addressed, anything | plain), max_size=5),
    anything,
    flags,
    flags,
)
def test_any_fields_and_any_body(
    policy: Any, fields: list[tuple[str, str]], body: str, eight_bit: bool, utf8: bool
) -> None:
    message = built(policy, [*fields, ("Bcc", "hidden@x.org")], body)
    result = None if message is None else octets_of(message, eight_bit=eight_bit, utf8=utf8)
    if message is None or result is None:
        return
    envelope, octets = result
    read = independent.read(octets)
    asked = [(n.lower(), str(v)) for n, v in message.items() if n.lower() != "bcc"]
    kept = [(n, v) for n, v in asked if n != "content-transfer-encoding"]
    there = [(n, v) for n, v in read.fields if n != "content-transfer-encoding"]
    assert [n for n, _ in there] == [n for n, _ in kept]
    for (name, value), (_, intended) in zip(there, kept, strict=True):
        if name in {"to", "cc", "reply-to", "sender", "from", "resent-to"}:
            assert independent.addresses(value) == independent.addresses(intended)
        elif name not in {"content-type", "mime-version"} and "=?" not in intended:
            assert same(independent.decoded(value), intended), (value, intended)
    if not any(name.startswith("resent") for name, _ in asked):
        visible = [a for n in ("to", "cc") for v in read.all(n) for a in independent.addresses(v)]
        assert {a.lower() for a in envelope.recipients} == {
            a.lower() for a in [*visible, *bcc(message)]
        }
    if not eight_bit:
        assert body_of(read).isascii() or not read.body or read.body.isascii()
        assert read.body.isascii()
    if "\0" not in body:
        assert lines(body_of(read).decode()) == lines(body)


def bcc(message: EmailMessage) -> list[str]:
    return [a.addr_spec for field in message.get_all("Bcc", []) for a in field.addresses]


@settings(max_examples=100)
@given(st.lists(st.tuples(names | addressed, anything | plain), max_size=5), anything, flags)
def test_any_octets_stay_as_they_are(
    fields: list[tuple[str, str]], body: str, eight_bit: bool
) -> None:
    head = "".join(f"{name}: {value}\r\n" for name, value in [("From", "a@x.org"), *fields])
    given_octets = (head + "Bcc: hidden@x.org\r\n\r\n" + body).encode("utf-8", "replace")
    try:
        ours = parse(given_octets)
        envelope_of(ours)
        octets = render(ours, eight_bit=eight_bit, utf8=False)
    except (InvalidMessage, InvalidAddress, CapabilityError):
        return
    section, _, rest = given_octets.partition(b"\r\n\r\n")
    read = independent.read(octets)
    assert "bcc" not in read.names
    # Cut out of the middle, and nothing else.
    whole = independent.read(given_octets[: len(section) + 4].replace(b"\n\n", b"\r\n\r\n"))
    assert read.fields == [(n, v) for n, v in whole.fields if n not in {"bcc", "resent-bcc"}]
    assert lines(read.body.decode()) == lines(rest.decode())


@settings(max_examples=100)
@given(st.lists(anything | plain, max_size=4).map(", ".join))
def test_what_is_read_of_a_list_is_what_the_shortest_reading_finds(text: str) -> None:
    try:
        found = [parse_address(a).text for a in read_address_list(text, name="To")]
    except (InvalidMessage, InvalidAddress):
        return
    assert found == independent.addresses(text)
