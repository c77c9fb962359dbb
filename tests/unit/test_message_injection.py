"""Hostile messages: refused, or sent to exactly whom they name, with the fields they have.

Each case is something that the standard library of a supported version has turned into another
recipient, another header field or another body.
"""

from __future__ import annotations

import email
from collections import Counter
from collections.abc import Callable
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import default
from typing import Any

import pytest

from mailsend.errors import InvalidAddress, InvalidMessage
from mailsend.message import AnyMessage, envelope_of, parse, render

Build = Callable[[], AnyMessage]


def modern(*fields: tuple[str, Any], to: Any = "ok@good.example") -> Build:
    def build() -> AnyMessage:
        message = EmailMessage()
        message["From"] = "ada@x.org"
        message["To"] = to
        for name, value in fields:
            message[name] = value
        message.set_content("hi")
        return message

    return build


def legacy(*fields: tuple[str, Any], to: Any = "ok@good.example") -> Build:
    def build() -> AnyMessage:
        message = Message()
        message["From"] = "ada@x.org"
        message["To"] = to
        for name, value in fields:
            message[name] = value
        message.set_payload("hi")
        return message

    return build


def parsed(policy: Any, *lines: str) -> Build:
    octets = "\r\n".join(["From: ada@x.org", *lines, "", "hi", ""]).encode(
        "utf-8", "surrogateescape"
    )

    def build() -> AnyMessage:
        return email.message_from_bytes(octets, policy=policy)

    return build


def with_attachment(kind: type[Message[Any, Any]], file_name: str) -> Build:
    def build() -> AnyMessage:
        message: AnyMessage = kind()
        message["From"] = "ada@x.org"
        message["To"] = "ok@good.example"
        part = MIMEText("x")
        part.add_header("Content-Disposition", "attachment", filename=file_name)
        if isinstance(message, MIMEMultipart):
            message.attach(part)
        else:
            message.add_header("Content-Disposition", "attachment", filename=file_name)
            message.set_payload("x")
        return message

    return build


def attached(kind: type[MIMEMultipart | EmailMessage], name: str, value: str) -> Build:
    """A field of a part, not of the message."""

    def build() -> AnyMessage:
        message = kind()
        message["From"] = "ada@x.org"
        message["To"] = "ok@good.example"
        if isinstance(message, EmailMessage):
            message.set_content("text")
            message.add_attachment("more", headers=[f"{name}: {value}"])
        else:
            part = MIMEText("more")
            part[name] = value
            message.attach(part)
        return message

    return build


def boundary(value: str) -> Build:
    def build() -> AnyMessage:
        message = MIMEMultipart(boundary=value)
        message["From"] = "ada@x.org"
        message["To"] = "ok@good.example"
        message.attach(MIMEText("x"))
        return message

    return build


QUOTED = '"' + "A" * 60 + ", evil@evil.org, " + "B" * 60 + '" <ok@good.example>'
LONG_QUOTED = '"' + "A" * 960 + ", evil@evil.org, " + "B" * 960 + '" <ok@good.example>'
ENCODED = "=?utf-8?q?A=2C_evil=40evil=2Eorg=2C_B?= <ok@good.example>"
MANY = ", ".join(f"u{i}@x.org" for i in range(90))
BCC_IN_WORD = "=?utf-8?q?x=0D=0ABcc=3A_evil=40evil=2Eorg?="
BODY_IN_WORD = "=?utf-8?q?x=0D=0A=0D=0Aanother_body?="

CASES: dict[str, Build] = {}
for _name, _make in (("modern", modern), ("legacy", legacy)):
    CASES |= {
        # One address that parsers have read as another.
        f"{_name} parameter": _make(to="<ok@good.example> NOTIFY=NEVER"),
        f"{_name} parenthesis": _make(to="alice@example.org)bob@good.example"),
        f"{_name} quoted local": _make(to='"evil@evil.org x"@good.example'),
        f"{_name} nul": _make(to="b\0c@x.org"),
        f"{_name} line separator": _make(to="b\u2028c@x.org"),
        f"{_name} vertical tab": _make(to="b\x0bc@x.org"),
        f"{_name} orcpt": _make(to="ok@good.example> ORCPT=rfc822;evil@evil.org"),
        f"{_name} two in one": _make(to="a@x.org b@x.org"),
        f"{_name} two brackets": _make(to="<a@x.org> <b@x.org>"),
        f"{_name} route": _make(to="<@evil.org:ok@good.example>"),
        f"{_name} missing": _make(to="me"),
        f"{_name} half": _make(to="ok@good.example, me"),
        # A name that loses its quotes, or an encoded word that becomes plain, when folded.
        f"{_name} quoted name": _make(to=QUOTED),
        f"{_name} long quoted name": _make(to=LONG_QUOTED),
        f"{_name} encoded name": _make(to=ENCODED),
        f"{_name} encoded name in a long list": _make(to=f"{ENCODED}, {MANY}"),
        f"{_name} unicode names": _make(
            to=", ".join(f'"Ünïcode, {i}" <u{i}@x.org>' for i in range(8))
        ),
        f"{_name} unicode local part": _make(to="bü@x.org"),
        f"{_name} unicode domain": _make(to="b@bücher.example"),
        # A field that becomes two.
        f"{_name} subject": _make(("Subject", "x\nBcc: evil@evil.org")),
        f"{_name} subject crlf": _make(("Subject", "x\r\nBcc: evil@evil.org")),
        f"{_name} subject body": _make(("Subject", "x\r\n\r\nanother body")),
        f"{_name} subject body early": _make(
            ("Subject", "x\n\nanother body"), ("Cc", "c@x.org"), ("X-A", "1"), ("X-B", "2")
        ),
        f"{_name} subject lf word": _make(("Subject", "=?utf-8?q?=0A?=Bcc: evil@evil.org")),
        f"{_name} subject bcc word": _make(("Subject", BCC_IN_WORD)),
        f"{_name} subject body word": _make(("Subject", BODY_IN_WORD), ("Reply-To", "r@x.org")),
        f"{_name} subject end": _make(("Subject", "x\n")),
        f"{_name} field name": _make(("X\r\nBcc", "evil@evil.org")),
        f"{_name} field name colon": _make(("Bcc: evil@evil.org\r\nX", "1")),
        f"{_name} field value": _make(("X-A", "1\r\nBcc: evil@evil.org")),
        f"{_name} next line": _make(("X-A", "1\x85Bcc: evil@evil.org")),
        f"{_name} two to": _make(("X-A", "1"), ("Cc", "c@x.org")),
    }
CASES |= {
    "address object with a list": modern(to=Address("n", username="b", domain="x.org, e@evil.org")),
    "address object quoted": modern(
        to=Address("A" * 60 + ", e@evil.org, " + "B" * 60, "ok", "good.example")
    ),
    "address object encoded": modern(
        to=Address("=?utf-8?q?A=2C_e=40evil=2Eorg?=", "ok", "good.example")
    ),
    "header object": legacy(to=Header("Bü <b@x.org>, c@x.org", "utf-8")),
    "header object subject": legacy(("Subject", Header("Bü\nBcc: e@evil.org", "utf-8"))),
    "legacy two to": legacy(("To", "c@x.org")),
    "parsed refold": parsed(default, f"To: {ENCODED}, {MANY}"),
    "parsed short": parsed(default, f"To: {ENCODED}"),
    "parsed subject": parsed(default, "To: b@x.org", f"Subject: {BCC_IN_WORD}"),
    "parsed long subject": parsed(default, "To: b@x.org", f"Subject: {BCC_IN_WORD} " + "y" * 1000),
    "parsed reply-to": parsed(default, "To: b@x.org", f"Reply-To: {ENCODED}, {MANY}"),
    "parsed raw octets": parsed(default, "To: b@x.org", "Subject: \udcff\udcfe"),
    "parsed legacy": parsed(email.policy.compat32, f"To: {ENCODED}, {MANY}"),
    **{
        f"{kind.__name__} attachment {name!r}": with_attachment(kind, name)
        for kind in (Message, MIMEMultipart)
        for name in ("a\nBcc: e@evil.org", "a\r\nBcc: e@evil.org", 'a"; x="b', "../../a")
    },
    "attachment body": with_attachment(Message, "a\r\n\r\nanother body"),
    "attachment line end": with_attachment(Message, "a\nb"),
    **{
        f"{kind.__name__} part {value!r}": attached(kind, "X-Part", value)
        for kind in (MIMEMultipart, EmailMessage)
        for value in ("1\nX-Evil: 1", "1\r\n\r\nevil", "=?utf-8?q?a=0D=0AX-Evil=3A_1?=")
    },
    "boundary": boundary("B\r\nBcc: e@evil.org"),
}


@pytest.mark.parametrize("eight_bit", [True, False])
@pytest.mark.parametrize("utf8", [True, False])
@pytest.mark.parametrize("case", [*CASES])
def test_hostile_messages(case: str, utf8: bool, eight_bit: bool) -> None:
    try:
        message = CASES[case]()
    except ValueError:
        return  # the standard library refuses it by itself
    before = list(message.raw_items())
    try:
        ours = parse(message)
        envelope = envelope_of(ours)
        octets = render(ours, eight_bit=eight_bit, utf8=utf8)
    except (InvalidMessage, InvalidAddress):
        return
    finally:
        assert list(message.raw_items()) == before
    text = octets.decode("utf-8", "surrogateescape")
    there = email.message_from_string(text, policy=default)
    named = [a.addr_spec for f in ("to", "cc") for h in there.get_all(f, []) for a in h.addresses]
    assert sorted(named) == sorted(envelope.recipients)
    assert "evil@evil.org" not in envelope.recipients
    assert "e@evil.org" not in envelope.recipients
    assert there["bcc"] is None
    names = Counter(name.lower() for name in there)
    asked = Counter(name.lower() for name in message if name.lower() != "bcc")
    assert names - asked <= Counter({"mime-version": 1, "content-transfer-encoding": 1})
    assert there.defects == []
    for part in there.walk():
        assert "X-Evil" not in part
        assert part.defects == []
    body = there.get_payload()
    assert isinstance(body, list) or "another body" not in body


MEANT_FOR_NOBODY = (
    "parameter", "parenthesis", "quoted local", "nul", "line separator", "vertical tab", "orcpt",
    "two in one", "two brackets", "route", "missing", "half",
)  # fmt: skip


@pytest.mark.parametrize("kind", ["modern", "legacy"])
@pytest.mark.parametrize("case", MEANT_FOR_NOBODY)
def test_an_address_that_can_be_read_in_two_ways_is_never_guessed(case: str, kind: str) -> None:
    with pytest.raises(ValueError) as caught:
        envelope_of(parse(CASES[f"{kind} {case}"]()))
    assert type(caught.value) in {ValueError, InvalidMessage, InvalidAddress}


@pytest.mark.parametrize("case", ["quoted name", "encoded name"])
@pytest.mark.parametrize("utf8", [True, False])
def test_a_name_with_commas_is_sent_as_it_is(case: str, utf8: bool) -> None:
    # Where the standard library would lose the quotes, the field is not folded.
    ours = parse(CASES[f"modern {case}"]() if case == "quoted name" else legacy(to=ENCODED)())
    assert envelope_of(ours).recipients == ("ok@good.example",)
    if case == "quoted name":
        assert QUOTED.encode() in render(ours, eight_bit=False, utf8=utf8)
    else:
        assert ENCODED.encode() in render(ours, eight_bit=False, utf8=False)


@pytest.mark.parametrize("count", [600, 1500])
def test_nested_comments_are_no_recursion_error(count: int) -> None:
    with pytest.raises((InvalidMessage, InvalidAddress)):
        parse(legacy(to="(" * count + "b@x.org")())


@pytest.mark.parametrize("make", [modern, legacy])
def test_a_sound_message_passes(make: Callable[..., Build]) -> None:
    message = make(("Subject", "Sound"), ("Cc", '"Lovelace, Ada" <ada@x.org>, b@x.org'))()
    ours = parse(message)
    assert envelope_of(ours).recipients == ("ok@good.example", "ada@x.org", "b@x.org")
    assert b"Subject: Sound\r\n" in render(ours, eight_bit=False, utf8=False)


@pytest.mark.parametrize("name", ["To", "Subject", "X-Odd"])
def test_a_lone_surrogate_in_a_field_is_refused(name: str) -> None:
    message = Message()
    message["From"] = "ada@example.org"
    message["To"] = "bob@example.org"
    message[name] = "a\ud800 <bob@example.org>"
    with pytest.raises(InvalidMessage):
        render(parse(message), eight_bit=True, utf8=False)
