"""From a message to its envelope and octets."""

# ruff: noqa: E501 - a table is read by its rows
from __future__ import annotations

import email
from email import policy
from email.message import EmailMessage, Message
from email.mime.text import MIMEText
from typing import Any

import pytest

from mailsend.errors import InvalidMessage
from mailsend.message import AnyMessage, envelope_of, parse, render


def read(*lines: str, end: str = "\r\n", rules: Any = policy.default) -> AnyMessage:
    message: AnyMessage = email.message_from_string(end.join([*lines, "", "hi", ""]), policy=rules)
    return message


def written(message: AnyMessage, *, eight_bit: bool = False, utf8: bool = False) -> bytes:
    return render(parse(message), eight_bit=eight_bit, utf8=utf8)


FROM = "From: Ada <ada@x.org>"


@pytest.mark.parametrize(
    ("lines", "sender", "recipients"),
    [
        ([FROM, "To: b@x.org"], "ada@x.org", ("b@x.org",)),
        ([FROM, "To: b@x.org, C <c@x.org>", "Cc: d@x.org", "Bcc: e@x.org"], "ada@x.org",
         ("b@x.org", "c@x.org", "d@x.org", "e@x.org")),
        ([FROM, "Bcc: e@x.org"], "ada@x.org", ("e@x.org",)),
        ([FROM, "To: undisclosed-recipients:;", "Bcc: e@x.org"], "ada@x.org", ("e@x.org",)),
        ([FROM, "To: Team: b@x.org, c@x.org;, d@x.org"], "ada@x.org", ("b@x.org", "c@x.org", "d@x.org")),
        ([FROM, "To: b@x.org", "To: c@x.org"], "ada@x.org", ("b@x.org", "c@x.org")),
        ([FROM, "To: b@x.org", "Cc: b@X.org"], "ada@x.org", ("b@x.org",)),
        ([FROM, "To: b@x.org (Bob)"], "ada@x.org", ("b@x.org",)),
        ([FROM, 'To: "b, c" <b@x.org>'], "ada@x.org", ("b@x.org",)),
        ([FROM, "To: J. R. Hacker <b@x.org>"], "ada@x.org", ("b@x.org",)),
        ([FROM, "To: =?utf-8?q?B=C3=BC?= <b@x.org>"], "ada@x.org", ("b@x.org",)),
        ([FROM, "Sender: sec@x.org", "To: b@x.org"], "sec@x.org", ("b@x.org",)),
        (["From: a@x.org, c@x.org", "Sender: sec@x.org", "To: b@x.org"], "sec@x.org", ("b@x.org",)),
        ([FROM, "To: b@x.org", "Bcc: e@x.org", "Resent-From: r@x.org", "Resent-To: s@x.org",
          "Resent-Bcc: t@x.org"], "r@x.org", ("s@x.org", "t@x.org")),
        ([FROM, "To: b@x.org", "Resent-From: r@x.org", "Resent-Sender: q@x.org", "Resent-Cc: s@x.org"],
         "q@x.org", ("s@x.org",)),
        ([FROM, "To: b@x.org", "Resent-Message-ID: <1@x.org>"], "ada@x.org", ("b@x.org",)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("rules", [policy.default, policy.compat32])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_the_envelope_is_what_the_fields_say(
    lines: list[str], sender: str, recipients: tuple[str, ...], rules: Any, end: str
) -> None:
    envelope = envelope_of(parse(read(*lines, rules=rules, end=end)))
    assert envelope.reverse_path == sender
    assert envelope.recipients == recipients


@pytest.mark.parametrize("rules", [policy.default, policy.compat32, policy.SMTP])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("blank", [" ", "\t"])
def test_folded_address_fields_are_read(rules: Any, end: str, blank: str) -> None:
    message = read(FROM, f"To: b@x.org,{end}{blank}c@x.org,{end}{blank}{blank}D <d@x.org>",
                   rules=rules, end=end)  # fmt: skip
    parsed = parse(message)
    assert envelope_of(parsed).recipients == ("b@x.org", "c@x.org", "d@x.org")
    octets = render(parsed, eight_bit=True, utf8=False)
    there = email.message_from_bytes(octets, policy=policy.default)
    assert [a.addr_spec for a in there["to"].addresses] == ["b@x.org", "c@x.org", "d@x.org"]
    assert octets.count(b"\n") == octets.count(b"\r\n")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["To: b@x.org"], "no From address"),
        ([FROM], "no recipient"),
        ([FROM, "To: "], "no recipient"),
        ([FROM, "To: undisclosed-recipients:;"], "no recipient"),
        (["From: a@x.org, b@x.org", "To: c@x.org"], "several people"),
        ([FROM, "From: eve@x.org", "To: b@x.org"], "more than one from"),
        ([FROM, "Sender: a@x.org", "Sender: b@x.org", "To: b@x.org"], "more than one from or sender"),
        ([FROM, "To: b@x.org", "Resent-From: r@x.org", "Resent-From: s@x.org", "Resent-To: t@x.org"],
         "resent more than once"),
        (["From: <>", "To: b@x.org"], "From"),
        (["From: a@x.org b", "To: b@x.org"], "From"),
        ([FROM, "To: b@x.org", "Reply-To: nonsense at all"], "Reply-To"),
    ],
)  # fmt: skip
def test_messages_without_an_envelope(lines: list[str], words: str) -> None:
    with pytest.raises(InvalidMessage, match=words):
        envelope_of(parse(read(*lines)))


@pytest.mark.parametrize(
    "field",
    [
        "To: <@h1,@h2:b@x.org>",
        "To: b . c@x.org",
        "To: b@x . org",
        'To: "b".c@x.org',
        "To: b@x.org (a",
    ],
)
def test_obsolete_forms_are_not_repaired(field: str) -> None:
    with pytest.raises(ValueError, match="To"):
        envelope_of(parse(read(FROM, field)))


@pytest.mark.parametrize("value", ["From: a@x.org\n\nhi", None, {}, object()])
def test_something_else_than_a_message(value: object) -> None:
    with pytest.raises(InvalidMessage, match=r"email\.message\.EmailMessage"):
        parse(value)  # type: ignore[arg-type]


def test_blind_copies_stay_blind_and_the_message_stays_as_it_was() -> None:
    message = read(FROM, "To: b@x.org", "Bcc: e@x.org", "bcc: f@x.org", "Resent-Bcc: g@x.org",
                   "Resent-From: r@x.org", "X-After: 1")  # fmt: skip
    before = message.as_bytes()
    fields = list(message.raw_items())
    octets = written(message)
    for hidden in (b"e@x.org", b"f@x.org", b"g@x.org", b"cc:"):
        assert hidden not in octets.lower()
    assert b"X-After: 1\r\n" in octets
    assert message.as_bytes() == before
    assert list(message.raw_items()) == fields


def test_blind_copies_inside_an_attached_message_stay() -> None:
    inner = EmailMessage()
    inner["Bcc"] = "e@x.org"
    inner.set_content("inner")
    outer = EmailMessage()
    outer["From"], outer["To"] = "a@x.org", "b@x.org"
    outer.set_content("outer")
    outer.add_attachment(inner)
    assert envelope_of(parse(outer)).recipients == ("b@x.org",)


@pytest.mark.parametrize("eight_bit", [True, False])
def test_a_seven_bit_path_gets_seven_bits(eight_bit: bool) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Jörg <a@x.org>", "b@x.org", "Grüße"
    message.set_content("größer\n", cte="8bit")
    message.add_attachment(b"\0\xff", maintype="image", subtype="png", filename="bücher.png")
    octets = written(message, eight_bit=eight_bit)
    assert octets.isascii() is not eight_bit
    head = octets[: octets.index(b"\r\n\r\n")]
    assert head.isascii()
    there = email.message_from_bytes(octets, policy=policy.default)
    assert isinstance(there, EmailMessage)
    assert there["subject"] == "Grüße"
    part = there.get_body(("plain",))
    assert part is not None
    assert part.get_content().replace("\r\n", "\n") == "größer\n"
    attachment = next(there.iter_attachments())
    assert attachment.get_filename() == "bücher.png"
    assert attachment.get_content() == b"\0\xff"


def test_headers_in_utf8_where_they_may_be() -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "jörg@x.org", "b@x.org", "Grüße"
    message.set_content("x")
    parsed = parse(message)
    assert parsed.needs_smtputf8
    assert "From: jörg@x.org\r\n".encode() in render(parsed, eight_bit=True, utf8=True)
    with pytest.raises(InvalidMessage):
        render(parsed, eight_bit=True, utf8=False)


def test_a_blind_international_address_needs_no_utf8_header() -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Bcc"] = "a@x.org", "b@x.org", "jörg@x.org"
    message.set_content("x")
    parsed = parse(message)
    assert not parsed.needs_smtputf8
    assert envelope_of(parsed).needs_smtputf8
    assert render(parsed, eight_bit=False, utf8=False).isascii()


def test_a_legacy_message_cannot_carry_utf8_headers() -> None:
    message = MIMEText("x")
    message["From"], message["To"] = "a@x.org", "b@x.org"
    with pytest.raises(InvalidMessage, match="policy"):
        written(message, utf8=True)


@pytest.mark.parametrize(
    "name", ["References", "In-Reply-To", "List-Unsubscribe", "DKIM-Signature"]
)
def test_identifiers_are_never_encoded_words(name: str) -> None:
    value = " ".join(f"<{i:04}-{'x' * 30}@mail.example.org>" for i in range(20))
    message = EmailMessage()
    message["From"], message["To"], message[name] = "a@x.org", "b@x.org", value
    message.set_content("x")
    octets = written(message)
    assert b"=?" not in octets
    assert email.message_from_bytes(octets, policy=policy.default)[name] == value
    assert max(map(len, octets.split(b"\r\n"))) <= 998


def test_a_signed_message_keeps_its_fields_as_they_are() -> None:
    lines = (FROM, "To: b@x.org", "DKIM-Signature: v=1;\r\n b=" + "A" * 70 + "\r\n " + "B" * 70,
             "X-Odd: three   blanks")  # fmt: skip
    octets = written(read(*lines))
    for line in lines:
        assert line.encode() + b"\r\n" in octets


def test_lines_end_with_crlf_and_from_is_not_mangled() -> None:
    message = Message()
    message["From"], message["To"] = "a@x.org", "b@x.org"
    message.set_payload("From here\nto there\n.\n")
    assert written(message).endswith(b"\r\n\r\nFrom here\r\nto there\r\n.\r\n")


def test_a_boundary_in_the_body_is_found_out() -> None:
    message = EmailMessage()
    message["From"], message["To"] = "a@x.org", "b@x.org"
    message.set_content("--SAME--\nmore\n")
    message.add_attachment(b"x", maintype="image", subtype="png")
    message.set_boundary("SAME")
    try:
        octets = written(message)
    except InvalidMessage:
        return
    there = email.message_from_bytes(octets, policy=policy.default)
    assert isinstance(there, EmailMessage)
    assert len(list(there.iter_attachments())) == 1


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(lambda m: m.set_payload("h\xfc"), id="text that is no ASCII"),
        pytest.param(lambda m: m.set_payload("\ud800", "utf-8"), id="a lone surrogate"),
        pytest.param(lambda m: m.set_payload(5), id="no payload"),
    ],
)
def test_what_cannot_be_written_is_a_clear_error(message: Any) -> None:
    mail = Message()
    mail["From"], mail["To"] = "a@x.org", "b@x.org"
    try:
        message(mail)
    except (UnicodeError, TypeError):
        return
    with pytest.raises(InvalidMessage, match="cannot be written"):
        written(mail)
