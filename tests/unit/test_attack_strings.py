"""The strings of known advisories, through both doors: an EmailMessage, and octets.

Whatever the door, either the message is refused, or its octets are exactly what was asked. What the
octets say is judged by tests/octets_reader.py, which shares nothing with mailsend or ``email``.
"""

from __future__ import annotations

from collections.abc import Callable
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.mime.text import MIMEText
from typing import Any

import octets_reader as independent
import pytest

from mailsend import InvalidAddress, InvalidMessage, MemoryTransport

Asked = tuple[list[str], list[str]]  # names of all fields, and the recipients

EVIL = "evil@evil.org"
LONG = '"' + "A" * 60 + f", {EVIL}, " + "B" * 60 + '" <ok@good.example>'
WORD = "=?utf-8?q?A=2C_evil=40evil=2Eorg=2C_B?= <ok@good.example>"
MANY = ", ".join(f"u{i}@x.org" for i in range(60))

# row of the advisory, the field, its value
STRINGS: list[tuple[str, str, Any]] = [
    ("6 bpo-43124 CRLF in an address", "To", "b@x.org\r\nRCPT TO:<evil@evil.org>"),
    ("6 bpo-43124 LF in an address", "To", "b@x.org\nRCPT TO:<evil@evil.org>"),
    ("6 GHSA-g7hc-96xr-gvvx CR alone", "To", "b@x.org\rRCPT TO:<evil@evil.org>"),
    ("6 CVE-2025-7962 UTF-16 truncation", "To", "b@x.org\u760d\u760aRCPT TO:<evil@evil.org>"),
    ("6 NUL", "To", "b@x.org\0<evil@evil.org>"),
    ("6 VT", "To", "b\x0b@x.org"),
    ("7 GHSA-wpwj-69cm-q9c5 parameter", "To", "<b@x.org> NOTIFY=NEVER"),
    ("7 parameter inside", "To", "b@x.org NOTIFY=NEVER"),
    ("7 ORCPT", "To", "b@x.org> ORCPT=rfc822;evil@evil.org"),
    ("8 CVE-2023-27043", "To", "alice@example.org)bob@good.example"),
    ("8 CVE-2023-27043 comma", "To", "alice@example.org,evil@evil.org)bob@good.example"),
    ("8 angle", "To", "alice@example.org<bob@good.example>"),
    ("8 angle after comment", "To", "(alice@example.org)<bob@good.example>"),
    ("8 two angles", "To", "<a@good.example> <evil@evil.org>"),
    ("9 GHSA-mm7p-fcc7-pg87", "To", '"e@evil.org x"@good.example'),
    ("9 in angles", "To", 'x <"e@evil.org x"@good.example>'),
    ("10 NUL that was dropped", "To", "b\0c@x.org"),
    ("10 U+2028 that was dropped", "To", "b\u2028c@x.org"),
    ("10 U+2028 before an angle", "To", "evil@evil.org\u2028<b@x.org>"),
    ("10 semicolon", "To", "b@x.org;e@evil.org"),
    ("11 Address with a list", "To",
     lambda: Address("n", username="b", domain="x.org, e@evil.org")),
    ("11 Address with NUL", "To", lambda: Address("n", username="b\0", domain="x.org")),
    ("11 Address with a quote", "To", lambda: Address('n" <evil@evil.org>', "b", "x.org")),
    ("12 CVE-2024-6923", "Subject", "=?utf-8?q?=0A?=Bcc: evil@evil.org"),
    ("12 CVE-2024-6923 trailing", "Subject", "hello\n"),
    ("12 CVE-2024-6923 blank line", "Subject", "=?utf-8?q?x=0D=0A=0D=0Aanother_body?="),
    ("12 raw", "Subject", "x\nBcc: evil@evil.org"),
    ("12 raw CRLF", "Subject", "x\r\nBcc: evil@evil.org"),
    ("12 raw blank line", "Subject", "x\r\n\r\nanother body"),
    ("12 raw CR", "Subject", "x\rBcc: evil@evil.org"),
    ("12 fold", "Subject", "x\r\n Bcc: evil@evil.org"),
    ("12 fold of blanks", "Subject", "x\r\n \r\nBcc: evil@evil.org"),
    ("12 line end in a name", "To",
     "=?utf-8?q?a=0D=0ABcc=3A_evil=40evil=2Eorg?= <ok@good.example>"),
    ("12 line end in a name, base64", "To",
     "=?utf-8?b?YQ0KQmNjOiBldmlsQGV2aWwub3Jn?= <ok@good.example>"),
    ("13 CVE-2026-1299", "X-Test", "a\nBcc: evil@evil.org"),
    ("13 gh-144125 bare CR", "X-Test", "a\rBcc: evil@evil.org"),
    ("14 field name", "X\r\nBcc", "evil@evil.org"),
    ("14 field name with a colon", "Bcc: evil@evil.org\r\nX", "1"),
    ("14 field name with a blank", "Bcc ", "evil@evil.org"),
    ("14 field name that is empty", "", "evil@evil.org"),
    ("14 field name beyond ASCII", "X-Ü", "1"),
    ("15 CVE-2025-1795", "To", ", ".join(f'"Ünïcode, {i}" <u{i}@x.org>' for i in range(12))),
    ("15 in Cc", "Cc", ", ".join(f'"Ünïcode, {i}" <u{i}@x.org>' for i in range(12))),
    ("16 gh-80222", "To", LONG),
    ("16 gh-80222 Reply-To", "Reply-To", LONG),
    ("16 gh-80222 by Address", "To",
     lambda: Address("A" * 60 + f", {EVIL}, " + "B" * 60, "ok", "good.example")),
    ("16 longer than a line", "To", LONG.replace("A" * 60, "A" * 990)),
    ("17 gh-122754", "To", f"{WORD}, {MANY}"),
    ("17 gh-122754 alone", "To", WORD),
    ("17 gh-122754 Subject", "Subject", "=?utf-8?q?x=0D=0ABcc=3A_evil=40evil=2Eorg?= " + "y" * 90),
    ("19 local part", "To", "bü@x.org"),
    ("19 local part as a word", "To", "=?utf-8?q?b=C3=BC?=@x.org"),
    ("19 domain", "To", "b@bücher.example"),
    ("26 CVE-2025-14874", "To", "(" * 1500 + "b@x.org"),
    ("26 nested comments that close", "To", "(" * 1500 + ")" * 1500 + "b@x.org"),
    ("26 nested groups", "To", "a:" * 200 + "b@x.org" + ";" * 200),
    ("26 quotes", "To", '"\\' * 5000),
]  # fmt: skip


def modern(field: str, value: Any) -> Message[Any, Any]:
    message = EmailMessage()
    message["From"], message["X-First"] = "ada@x.org", "1"
    if field.lower() not in {"to", "cc"}:
        message["To"] = "ok@good.example"
    message[field] = value() if callable(value) else value
    message["X-Last"] = "1"
    message.set_content("the body\n")
    return message


def legacy(field: str, value: Any) -> Message[Any, Any]:
    message = MIMEText("the body\n")
    message["From"], message["X-First"] = "ada@x.org", "1"
    if field.lower() not in {"to", "cc"}:
        message["To"] = "ok@good.example"
    message[field] = str(value()) if callable(value) else value
    message["X-Last"] = "1"
    return message


def as_octets(field: str, value: Any) -> bytes:
    to = "" if field.lower() in {"to", "cc"} else "To: ok@good.example\r\n"
    text = str(value()) if callable(value) else value
    return (
        f"From: ada@x.org\r\nX-First: 1\r\n{to}{field}: {text}\r\nX-Last: 1\r\n\r\nthe body\r\n"
    ).encode()


def sent(message: Message[Any, Any] | bytes) -> tuple[tuple[str, ...], bytes]:
    transport = MemoryTransport()
    transport.send(message)
    (submission,) = transport.submissions
    return submission.envelope.recipients, submission.content


def judge(recipients: tuple[str, ...], octets: bytes, names: set[str]) -> None:
    read = independent.read(octets)
    assert [n for n in read.names if n not in MADE] == [n for n in read.names if n in names]
    assert read.names.count("x-first") == read.names.count("x-last") == 1
    assert read.body == b"the body\r\n"
    assert "bcc" not in read.names
    named = [a for n in ("to", "cc") for v in read.all(n) for a in independent.addresses(v)]
    assert sorted(named) == sorted(recipients)
    assert not {EVIL, "e@evil.org"} & set(recipients)


MADE = {"mime-version", "content-type", "content-transfer-encoding"}


@pytest.mark.parametrize("make", [modern, legacy])
@pytest.mark.parametrize(("field", "value"), [pytest.param(f, v, id=i) for i, f, v in STRINGS])
def test_by_an_object(
    make: Callable[[str, Any], Message[Any, Any]], field: str, value: Any
) -> None:
    try:
        message = make(field, value)
    except (ValueError, RecursionError, IndexError, TypeError, AttributeError):
        return  # the standard library refuses it, or fails: nothing can be sent
    try:
        recipients, octets = sent(message)
    except (InvalidMessage, InvalidAddress):
        return
    judge(recipients, octets, {"from", "to", "cc", "x-first", "x-last", field.lower()} - {"bcc"})
    asked = [str(v) for n, v in message.items() if n.lower() == field.lower()]
    there = [independent.decoded(v) for v in independent.read(octets).all(field.lower())]
    if field in {"Subject", "X-Test"}:
        assert ["".join(v.split()) for v in there] == [
            "".join(independent.decoded(v).split()) for v in asked
        ]


# What is written there in octets is a line end that begins a field, so it is what was asked.
A_FIELD_OF_ITS_OWN = {
    "6 bpo-43124 CRLF in an address", "12 raw CRLF", "14 field name",
    "14 field name with a colon",
}  # fmt: skip


@pytest.mark.parametrize(("row", "field", "value"), [pytest.param(*s, id=s[0]) for s in STRINGS])
def test_by_octets(row: str, field: str, value: Any) -> None:
    try:
        given = as_octets(field, value)
        recipients, octets = sent(given)
    except (InvalidMessage, InvalidAddress, ValueError):
        return
    read = independent.read(octets)
    assert "bcc" not in read.names
    if row == "12 raw blank line":
        assert octets == given  # whoever writes octets says where the header section ends
        return
    if row in A_FIELD_OF_ITS_OWN:
        assert set(read.names) <= {"from", "x-first", "to", "subject", "x", "x-last", "rcpt to"}
        return
    assert octets == given
    judge(recipients, octets, {"from", "to", "cc", "x-first", "x-last", field.lower()})


NEVER = ("6 ", "7 ", "9 ", "10 ", "12 line end", "19 local part as", "8 CVE", "8 angle", "8 two")
MUST_BE_REFUSED = [row for row, _, _ in STRINGS if row.startswith(NEVER)]
MUST_BE_REFUSED.remove("8 angle after comment")


@pytest.mark.parametrize("row", MUST_BE_REFUSED)
def test_addresses_that_are_never_guessed(row: str) -> None:
    field, value = next((f, v) for r, f, v in STRINGS if r == row)
    with pytest.raises((InvalidMessage, InvalidAddress)):
        sent(as_octets(field, value))
    for make in (modern, legacy):
        with pytest.raises((InvalidMessage, InvalidAddress, ValueError)):
            sent(make(field, value))


@pytest.mark.parametrize(
    "name", ["a\nBcc: evil@evil.org", "a\r\n\r\nevil", "a\rb", "a\0b", 'a"; b="c']
)
@pytest.mark.parametrize("kind", [EmailMessage, Message])
def test_row_18_attachment_names(kind: type[Message[Any, Any]], name: str) -> None:
    message = kind()
    message["From"], message["To"] = "ada@x.org", "ok@good.example"
    part = MIMEText("attached\n")
    message["MIME-Version"], message["Content-Type"] = "1.0", 'multipart/mixed; boundary="B"'
    try:
        part.add_header("Content-Disposition", "attachment", filename=name)
        message.set_payload([part])
        recipients, octets = sent(message)
    except (InvalidMessage, InvalidAddress, ValueError):
        return
    assert recipients == ("ok@good.example",)
    (piece,) = independent.parts(independent.read(octets).body, "B")
    read = independent.read(piece)
    assert read.names == [*["content-type", "mime-version"], "content-transfer-encoding",
                          "content-disposition"]  # fmt: skip
    assert read.body == b"attached\r\n"


@pytest.mark.parametrize(
    "smuggled", [b"x\r.\r\ny", b"x\n.\ny", b"x\r\n.\ny", b"x\n.\r\ny", b"\n.\r", b"x\r\n\0.\r\ny"]
)
def test_row_20_smuggling(smuggled: bytes) -> None:
    head = b"From: ada@x.org\r\nTo: ok@good.example\r\n\r\n"
    as_object = MIMEText("")
    as_object["From"], as_object["To"] = "ada@x.org", "ok@good.example"
    as_object.set_payload(smuggled.decode())
    for message in (head + smuggled, as_object):
        try:
            _, octets = sent(message)
        except InvalidMessage:
            assert b"\0" in smuggled
            continue
        assert octets.count(b"\r\n") == octets.count(b"\r") == octets.count(b"\n")
        assert b"\0" not in octets


def test_row_26_thousands_of_addresses_arrive() -> None:
    to = ",\r\n ".join(f'"Lovelace, {i}" <u{i}@x.org>' for i in range(3000))
    recipients, octets = sent(f"From: ada@x.org\r\nTo: {to}\r\n\r\nx\r\n".encode())
    assert list(recipients) == independent.addresses(independent.read(octets).all("to")[0])
    assert len(recipients) == 3000
