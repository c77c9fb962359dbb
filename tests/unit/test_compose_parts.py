"""compose(): texts, their other forms, and what is attached."""

# ruff: noqa: E501 - a table is read by its rows
from __future__ import annotations

import email
import io
import sys
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from mailsend import (
    Alternative,
    Attachment,
    CalendarInvitation,
    ConfigurationError,
    ForwardedMessage,
    InvalidMessage,
    compose,
)
from mailsend.message import parse, render

INVITATION = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Grüße\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"


def make(**parts: Any) -> EmailMessage:
    return compose(**{"sender": "ada@x.org", "to": "bob@x.org", **parts})


def decoded(part: Any) -> str:
    text: str = part.get_payload(decode=True).decode()
    return text.replace("\r\n", "\n")


def octets_of(message: EmailMessage, *, eight_bit: bool = False) -> bytes:
    return render(parse(message), eight_bit=eight_bit, utf8=False)


def sent(message: EmailMessage) -> EmailMessage:
    there = email.message_from_bytes(octets_of(message), policy=policy.default)
    assert isinstance(there, EmailMessage)
    return there


def structure(message: Any) -> Any:
    kind = message.get_content_type()
    if message.is_multipart() and kind != "message/rfc822":
        return (kind, [structure(part) for part in message.iter_parts()])
    return kind


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("", "7bit"),
        ("x", "7bit"),
        ("x" * 998 + "\n", "7bit"),
        ("tab\there\n\n", "7bit"),
        ("x" * 999, "quoted-printable"),
        ("Grüße an alle, und noch etwas mehr Text", "quoted-printable"),
        ("\x0c", "quoted-printable"),
        ("日本語" * 50, "base64"),
        ("Ж" * 100, "base64"),
    ],
)
def test_the_encoding_of_a_text_is_the_small_one(text: str, encoding: str) -> None:
    there = sent(make(text=text, html=text))
    for part in there.iter_parts():
        assert part["Content-Transfer-Encoding"] == encoding
        assert part.get_content_charset() == "utf-8"
        assert decoded(part).rstrip("\n") == text.rstrip("\n")
    limit = 998 if encoding == "7bit" else 76
    body = octets_of(make(text=text)).partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= limit


@pytest.mark.parametrize(
    "text", [".", "..\n.", "a\n.\nb ü", "From x\n", "ü \n", "ü\t\n", "ü=\n=41"]
)
def test_what_mail_programs_trip_over(text: str) -> None:
    for part in sent(make(text=text, html="x")).iter_parts():
        if part.get_content_type() == "text/plain":
            assert part.get_content().replace("\r\n", "\n") == text.rstrip("\n") + "\n"


def test_a_server_need_offer_nothing() -> None:
    message = make(text="Grüße", html="日本", subject="ü", attachments=[Attachment(b"\xff\0", "ü")])
    assert octets_of(message, eight_bit=True).isascii()


MARKDOWN = Alternative("# Grüße\n", "text/markdown")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"text": "x", "alternatives": [MARKDOWN]}, ("multipart/alternative", ["text/plain", "text/markdown"])),
        ({"alternatives": [MARKDOWN]}, "text/markdown"),
        ({"calendar": CalendarInvitation(INVITATION)}, "text/calendar"),
        ({"text": "x", "html": "y", "alternatives": [MARKDOWN], "calendar": CalendarInvitation(INVITATION)},
         ("multipart/alternative", ["text/plain", "text/html", "text/markdown", "text/calendar"])),
        ({"text": "x", "calendar": CalendarInvitation(INVITATION, filename="invite.ics")},
         ("multipart/mixed", [("multipart/alternative", ["text/plain", "text/calendar"]), "application/ics"])),
        ({"attachments": [ForwardedMessage(b"Subject: x\r\n\r\nhi")]}, ("multipart/mixed", ["text/plain", "message/rfc822"])),
    ],
)  # fmt: skip
def test_structure(parts: dict[str, Any], expected: Any) -> None:
    assert structure(make(**parts)) == expected
    assert structure(sent(make(**parts))) == expected


@pytest.mark.parametrize(
    "content", [INVITATION, INVITATION.encode(), INVITATION.replace("\r\n", "\n")]
)
@pytest.mark.parametrize("method", [None, "REQUEST", "request"])
def test_invitations(content: str | bytes, method: str | None) -> None:
    invitation = CalendarInvitation(content, method=method, filename="invite.ics")
    assert invitation.method == "REQUEST"
    there = sent(make(text="x", calendar=invitation))
    part = next(p for p in there.walk() if p.get_content_type() == "text/calendar")
    assert part.get_param("method") == "REQUEST"
    assert part.get_content_charset() == "utf-8"
    assert decoded(part) == INVITATION.replace("\r\n", "\n")
    (file,) = there.iter_attachments()
    assert file.get_filename() == "invite.ics"
    assert file.get_payload(decode=True) == invitation.content.encode()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("",), "VCALENDAR"),
        (("BEGIN:VEVENT\nEND:VEVENT",), "VCALENDAR"),
        ((INVITATION.replace("METHOD:REQUEST\r\n", ""),), "no METHOD"),
        ((INVITATION.replace("METHOD:REQUEST", "METHOD:REQUEST\r\nMETHOD:CANCEL"),), "2 METHOD"),
        ((INVITATION.replace("REQUEST", "REQUEST; x=1"),), "no METHOD"),
        ((INVITATION, "CANCEL"), "REQUEST, not 'CANCEL'"),
        ((INVITATION, "REQUEST\r\nX"), "method of the calendar"),
        ((INVITATION, 5), "method of the calendar"),
        ((b"\xff",), "UTF-8"),
        ((5,), "calendar has to be a string"),
        ((INVITATION + "\0",), "NUL"),
        ((INVITATION, None, "a\nb"), "name of an attachment"),
    ],
)
def test_invitations_that_are_none(arguments: tuple[Any, ...], word: str) -> None:
    with pytest.raises(InvalidMessage, match=word):
        CalendarInvitation(*arguments)


@pytest.mark.parametrize(
    ("content", "content_type", "word"),
    [("x", "image/png", "has to be a text"), ("x", "text", "content type"), ("x", "text/x; a=b", "content type"),
     ("a\0", "text/x", "NUL"), (b"x", "text/x", "string"), (5, "text/x", "string"), ("x", None, "content type")],
)  # fmt: skip
def test_alternatives_that_are_none(content: Any, content_type: Any, word: str) -> None:
    with pytest.raises(InvalidMessage, match=word):
        Alternative(content, content_type)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"alternatives": MARKDOWN}, "alternatives"),
        ({"alternatives": "x"}, "alternatives"),
        ({"alternatives": ["x"]}, "alternatives"),
        ({"alternatives": 5}, "alternatives"),
        ({"calendar": INVITATION}, "calendar"),
        ({"text_from_html": "yes", "html": "x"}, "text_from_html"),
        ({"text_from_html": True}, "text_from_html"),
        ({"text_from_html": True, "html": "x", "text": "x"}, "text_from_html"),
        ({"text_from_html": True, "html": "<p> </p>"}, "no text"),
        ({"attachments": EmailMessage()}, "attachments"),
        ({"attachments": io.BytesIO(b"x")}, "attachments"),
        ({"attachments": {"a": "b"}}, "attachments"),
        ({"inline": {"x" * 901: Attachment(b"", "x")}, "html": "x"}, "content id"),
        ({"inline": {"x": ForwardedMessage(b"A: b\r\n\r\n")}, "html": "x"}, "attachment"),
    ],
)
def test_bad_values_are_named(arguments: dict[str, Any], word: str) -> None:
    with pytest.raises(InvalidMessage, match=word):
        make(**arguments)


def test_a_text_from_html() -> None:
    html = '<style>p {}</style><p>Hi <b>all</b>,</p><ul><li>one<li>two</ul><a href="https://x.org/a">more</a> <img src="cid:l" alt="Logo">'
    there = sent(make(html=html, text_from_html=True))
    assert structure(there) == ("multipart/alternative", ["text/plain", "text/html"])
    body = there.get_body(("plain",))
    assert body is not None
    assert (
        body.get_content().replace("\r\n", "\n")
        == "Hi all,\n\n  * one\n  * two\n[more](https://x.org/a) [Logo]\n"
    )
    assert structure(sent(make(html=html))) == "text/html"


def test_a_text_from_html_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "inscriptis", None)
    with pytest.raises(ConfigurationError, match=r"mailsend\[html-text\]"):
        make(html="<p>x</p>", text_from_html=True)


def test_open_files(tmp_path: Path) -> None:
    path = tmp_path / "minutes.pdf"
    path.write_bytes(b"%PDF")
    with path.open("rb") as file, path.open("rb") as other:
        message = make(attachments=[file, Attachment.from_file(other, filename="x.txt")])
        assert not file.closed
    stream = io.BytesIO(b"12345")
    stream.seek(2)
    message_of_stream = make(attachments=[Attachment.from_file(stream, filename="n.csv")])
    first, second = sent(message).iter_attachments()
    assert (first.get_filename(), first.get_content_type()) == ("minutes.pdf", "application/pdf")
    assert (second.get_filename(), second.get_content_type()) == ("x.txt", "text/plain")
    assert first.get_payload(decode=True) == second.get_payload(decode=True) == b"%PDF"
    (third,) = sent(message_of_stream).iter_attachments()
    assert third.get_payload(decode=True) == b"345"


def test_files_that_cannot_be_attached(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("x", encoding="utf-8")
    with pytest.raises(InvalidMessage, match="has no name"):
        make(attachments=[io.BytesIO(b"x")])
    with path.open(encoding="utf-8") as file, pytest.raises(InvalidMessage, match="opened as text"):
        make(attachments=[file])
    closed = path.open("rb")
    closed.close()
    with pytest.raises(InvalidMessage, match="cannot be read: read of closed file"):
        make(attachments=[closed])
    with path.open("ab") as written, pytest.raises(InvalidMessage, match="cannot be read"):
        make(attachments=[written])


def test_another_name_and_type(tmp_path: Path) -> None:
    path = tmp_path / "tmp8a7"
    path.write_bytes(b"x")
    file = Attachment.from_path(path, filename="report.pdf", content_type="application/x-own")
    assert (file.filename, file.content_type) == ("report.pdf", "application/x-own")


def test_an_attachment_serves_many_messages() -> None:
    file = Attachment(b"x", "x.txt")
    first, second = make(attachments=[file, file]), make(html="x", inline={"a": file, "b": file})
    assert [p.get_payload(decode=True) for p in sent(first).iter_attachments()] == [b"x", b"x"]
    assert octets_of(second).count(b"Content-ID: <") == 2
    assert file == Attachment(b"x", "x.txt")


def test_no_path_inside_a_message_is_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("s3cret", encoding="utf-8")
    html = f'<img src="{secret}"><img src="file://{secret}"><a href="{secret}">x</a>'
    octets = octets_of(
        make(
            text=str(secret),
            html=html,
            subject=str(secret),
            attachments=[Attachment(b"", str(secret))],
        )
    )
    there = email.message_from_bytes(octets, policy=policy.default)
    assert not any("s3cret" in decoded(p) for p in there.walk() if not p.is_multipart())
    for source in (f"file://{secret}", "https://x.org/a.pdf", "data:text/plain,x"):
        with pytest.raises(InvalidMessage, match="cannot be read"):
            make(attachments=[source])


PLAIN = b"From: c@x.org\r\nSubject:no blank\r\nTo: d@x.org,\r\n\te@x.org\r\n\r\n.\r\nhi\r\n"
EIGHT_BIT = (
    b"From: c@x.org\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n"
)
MULTIPART = (
    b"From: c@x.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\nodd\r\n--B\r\n\r\n"
    + "ü".encode() + b"\r\n--B\r\nContent-Type: text/html; charset=latin-1\r\n\r\n\xfc\r\n--B--\r\nodd too\r\n"
)  # fmt: skip


@pytest.mark.parametrize(
    "octets",
    [PLAIN, PLAIN[:-2], EIGHT_BIT, EIGHT_BIT.replace(b"From: ", b"From:  "), MULTIPART,
     b"A:\r\n\r\n", b"A: b\r\n",
     b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\n" + b"y" * 900],
)  # fmt: skip
def test_a_forwarded_message_is_unchanged(octets: bytes) -> None:
    message = make(
        text="see below", attachments=[ForwardedMessage(octets, "a.eml"), Attachment(b"z", "z")]
    )
    assert b"\r\n\r\n" + octets + b"\r\n--" in octets_of(message, eight_bit=True)
    forwarded, _ = message.iter_attachments()
    assert forwarded["Content-Transfer-Encoding"] == ("7bit" if octets.isascii() else "8bit")
    assert message["Content-Transfer-Encoding"] == (None if octets.isascii() else "8bit")
    assert forwarded.get_filename() == "a.eml"
    assert isinstance(forwarded.get_content(), EmailMessage)
    assert forwarded.get_content().keys() == email.message_from_bytes(octets).keys()


def test_a_forwarded_message_of_unix_lines_gets_those_of_mail() -> None:
    message = make(attachments=[ForwardedMessage(PLAIN.replace(b"\r\n", b"\n"))])
    assert PLAIN in octets_of(message)


def test_eight_bits_are_encoded_inside_where_the_path_has_seven() -> None:
    octets = octets_of(make(attachments=[ForwardedMessage(EIGHT_BIT)]))
    assert octets.isascii()
    there = email.message_from_bytes(octets, policy=policy.default)
    inner = there.get_payload(1).get_content()  # type: ignore[union-attr]
    assert inner.get_content().replace("\r\n", "\n") == "Grüße\n"
    assert inner["Content-Transfer-Encoding"] in {"base64", "quoted-printable"}
    assert there.get_payload(1)["Content-Transfer-Encoding"] in {"7bit", "8bit"}  # type: ignore[index]


def test_message_objects_are_forwarded() -> None:
    inner = make(subject="Grüße", text="ü", attachments=[Attachment(b"x", "x")])
    read = email.message_from_bytes(PLAIN)
    there = sent(make(attachments=[inner, ForwardedMessage(inner), ForwardedMessage(read)]))
    first, second, third = (part.get_content() for part in there.iter_attachments())
    assert first["Subject"] == second["Subject"] == "Grüße"
    assert first.get_body(("plain",)).get_content().rstrip() == "ü"
    assert third["Subject"] == "no blank"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "header field"),
        (b"hello", "header field"),
        (b"From x@y Mon\nSubject: x\n\n", "header field"),
        (b"\r\nhi", "header field"),
        (b"Subject: \xfc\r\n\r\nhi", "eight-bit octets in its header"),
        (b"Bcc: a@x.org\r\n\r\nhi", "Bcc"),
        (b"Subject: x\r\nresent-bcc : a@x.org\r\n\r\nhi", "Bcc"),
        (b"Subject: x\r\n\r\nhi\0", "NUL"),
        (b"Subject: x\r\n\r\n" + b"y" * 1000, "998"),
        (5, "bytes or an email.message"),
        ("Subject: x\n\nhi", "bytes or an email.message"),
        (None, "bytes or an email.message"),
    ],
)
def test_what_cannot_be_forwarded(content: Any, word: str) -> None:
    with pytest.raises(InvalidMessage, match=word):
        ForwardedMessage(content)


def test_no_blind_copy_is_shown_by_forwarding() -> None:
    with pytest.raises(InvalidMessage, match="Bcc"):
        make(attachments=[make(bcc="hidden@x.org")])


@pytest.mark.parametrize(
    "odd",
    [
        MULTIPART.replace(b"--B\r\n\r\n", b"--B  \r\nX:x\r\n\r\n", 1),
        MULTIPART.replace(b"--B--\r\nodd too\r\n", b""),
        EIGHT_BIT.replace(b"From:", b"From :"),
        EIGHT_BIT.replace(b"c@x.org", b"c\x01@x.org"),
    ],
)
def test_an_odd_form_with_eight_bits_is_not_changed_in_silence(odd: bytes) -> None:
    with pytest.raises(InvalidMessage, match="unusual form"):
        ForwardedMessage(odd)


def test_repr_shows_no_octets() -> None:
    for value in (ForwardedMessage(b"Subject: s3cret\r\n\r\n"), Alternative("s3cret", "text/x")):
        assert "s3cret" not in repr(value)


def test_a_composed_message_can_be_added_to() -> None:
    message = make(text="x", html="y", inline={"l": Attachment(b"i", "i.png")})
    message.add_attachment(b"z", maintype="application", subtype="x-own", filename="z.bin")
    message["X-More"] = "1"
    message.replace_header("Subject", "another")
    for number, part in enumerate(message.walk()):
        if part.is_multipart():
            part.set_boundary(f"b{number}")
    first, second = octets_of(message), octets_of(message)
    assert first == second
    there = email.message_from_bytes(first, policy=policy.default)
    assert structure(there) == (
        "multipart/mixed",
        [("multipart/alternative", ["text/plain", ("multipart/related", ["text/html", "image/png"])]),
         "application/x-own"],
    )  # fmt: skip
    related = next(p for p in there.walk() if p.get_content_type() == "multipart/related")
    assert related.get_param("type") == "text/html"
    assert (there["X-More"], there["Subject"]) == ("1", "another")
