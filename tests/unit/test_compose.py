"""compose(): a message from its parts."""

# ruff: noqa: E501 - a table is read by its rows
from __future__ import annotations

import email
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from mailsend import Attachment, InvalidAddress, InvalidMessage, compose
from mailsend.message import envelope_of, parse, render

PNG = b"\x89PNG\r\n\x1a\n\0\xff"


def make(**parts: Any) -> EmailMessage:
    return compose(**{"sender": "ada@x.org", "to": "bob@x.org", **parts})


def sent(message: EmailMessage) -> EmailMessage:
    """What the receiver reads."""
    octets = render(parse(message), eight_bit=False, utf8=False)
    there = email.message_from_bytes(octets, policy=policy.default)
    assert isinstance(there, EmailMessage)
    return there


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part is not None
    text = part.get_content()
    assert isinstance(text, str)
    return text.replace("\r\n", "\n")


def structure(message: EmailMessage) -> Any:
    kind = message.get_content_type()
    if message.is_multipart():
        return (kind, [structure(part) for part in message.iter_parts()])  # type: ignore[arg-type]
    return kind


def test_the_least_message() -> None:
    message = make()
    assert message["From"] == "ada@x.org"
    assert message["To"] == "bob@x.org"
    assert message["Subject"] == ""
    assert structure(message) == "text/plain"
    assert "Cc" not in message
    assert "Bcc" not in message
    assert "Reply-To" not in message


def test_date_and_message_id() -> None:
    one, other = make(sender="Ada <ada@bücher.example>"), make()
    for message in (one, other):
        date = parsedate_to_datetime(message["Date"])
        assert abs((datetime.now(date.tzinfo) - date).total_seconds()) < 3600
        assert date.tzinfo is not None
    assert one["Message-ID"] != other["Message-ID"]
    assert one["Message-ID"].endswith("@xn--bcher-kva.example>")
    assert other["Message-ID"].endswith("@x.org>")


def test_recipients_of_every_kind() -> None:
    message = make(
        to=["bob@x.org", "Carol <carol@x.org>"],
        cc='"Lovelace, Ada" <al@x.org>',
        bcc=("dan@x.org", "eve@x.org"),
        reply_to="office@x.org",
    )
    envelope = envelope_of(parse(message))
    assert envelope.reverse_path == "ada@x.org"
    assert envelope.recipients == (
        "bob@x.org",
        "carol@x.org",
        "al@x.org",
        "dan@x.org",
        "eve@x.org",
    )
    there = sent(message)
    assert "Bcc" not in there
    assert there["Reply-To"] == "office@x.org"
    assert [a.addr_spec for a in there["Cc"].addresses] == ["al@x.org"]
    assert there["Cc"].addresses[0].display_name == "Lovelace, Ada"


@pytest.mark.parametrize("kind", ["to", "cc", "bcc"])
def test_one_kind_of_recipient_is_enough(kind: str) -> None:
    message = compose(sender="ada@x.org", **{kind: "bob@x.org"})  # type: ignore[arg-type]
    assert envelope_of(parse(message)).recipients == ("bob@x.org",)


def test_nobody_is_not_enough() -> None:
    with pytest.raises(InvalidMessage, match="no recipient"):
        compose(sender="ada@x.org", reply_to="bob@x.org")


@pytest.mark.parametrize(
    ("given", "name", "address"),
    [
        ("b@x.org", "", "b@x.org"),
        ("<b@x.org>", "", "b@x.org"),
        ("Bob <b@x.org>", "Bob", "b@x.org"),
        ("Bob<b@x.org>", "Bob", "b@x.org"),
        ("  Bob Builder   <b@x.org>", "Bob Builder", "b@x.org"),
        ('"Bob" <b@x.org>', "Bob", "b@x.org"),
        ('"Builder, Bob" <b@x.org>', "Builder, Bob", "b@x.org"),
        ('"a@b.org" <b@x.org>', "a@b.org", "b@x.org"),
        ('"say \\"hi\\" \\\\" <b@x.org>', 'say "hi" \\', "b@x.org"),
        ("J. R. O'Hara <b@x.org>", "J. R. O'Hara", "b@x.org"),
        ("Jörg <b@x.org>", "Jörg", "b@x.org"),
        ("日本 太郎 <b@x.org>", "日本 太郎", "b@x.org"),
        ("Bob <b@bücher.example>", "Bob", "b@xn--bcher-kva.example"),
        ("Bob <b@straße.example>", "Bob", "b@xn--strae-oqa.example"),
    ],
)
def test_mailboxes(given: str, name: str, address: str) -> None:
    there = sent(make(to=[given]))["To"].addresses
    assert [(a.display_name, a.addr_spec) for a in there] == [(name, address)]


@pytest.mark.parametrize(
    "given",
    [
        "",
        " ",
        "Bob",
        "b@x.org, c@x.org",
        "Bob <b@x.org>, Carol <c@x.org>",
        "Builder, Bob <b@x.org>",
        "a@b.org <b@x.org>",
        "Team: b@x.org;",
        "b@x.org (Bob)",
        "Bob (the) <b@x.org>",
        "<b@x.org> Bob",
        "<b@x.org><c@x.org>",
        "Bob <b@x.org> <c@x.org>",
        "Bob <>",
        '"Bob <b@x.org>',
        '"Bob" Builder <b@x.org>',
        '"Bob"" <b@x.org>',
        "Bob <b @x.org>",
        "Bob < b@x.org >",
        "Bob <b@x.org",
        "Bob b@x.org>",
        "Bob\u202eevil <b@x.org>",
    ],
)
@pytest.mark.parametrize("field", ["sender", "to", "cc", "bcc", "reply_to"])
def test_what_is_no_single_mailbox(given: str, field: str) -> None:
    with pytest.raises((InvalidAddress, InvalidMessage), match=field):
        make(**{field: given})


TEXT, HTML = "Grüße\n", "<p>Grüße</p>\n"
PDF = Attachment(b"%PDF", "minutes.pdf")
LOGO = {"logo": Attachment(PNG, "logo.png")}


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({}, "text/plain"),
        ({"text": TEXT}, "text/plain"),
        ({"html": HTML}, "text/html"),
        ({"text": TEXT, "html": HTML}, ("multipart/alternative", ["text/plain", "text/html"])),
        ({"text": TEXT, "attachments": [PDF]}, ("multipart/mixed", ["text/plain", "application/pdf"])),
        ({"attachments": [PDF, PDF]},
         ("multipart/mixed", ["text/plain", "application/pdf", "application/pdf"])),
        ({"html": HTML, "inline": LOGO}, ("multipart/related", ["text/html", "image/png"])),
        ({"text": TEXT, "html": HTML, "inline": LOGO, "attachments": [PDF]},
         ("multipart/mixed",
          [("multipart/alternative",
            ["text/plain", ("multipart/related", ["text/html", "image/png"])]),
           "application/pdf"])),
    ],
)  # fmt: skip
def test_structure(parts: dict[str, Any], expected: Any) -> None:
    there = sent(make(**parts))
    assert structure(there) == expected
    if "text" in parts:
        assert text_of(there) == TEXT
    if "html" in parts:
        assert text_of(there, "html") == HTML


def test_inline_images_are_found_by_their_id() -> None:
    there = sent(make(html='<img src="cid:logo">', inline=LOGO))
    image = next(part for part in there.walk() if part.get_content_type() == "image/png")
    assert isinstance(image, EmailMessage)
    assert image["Content-ID"] == "<logo>"
    assert image.get_content_disposition() == "inline"
    assert image.get_content() == PNG


def test_inline_images_need_html() -> None:
    with pytest.raises(InvalidMessage, match="inline"):
        make(text="x", inline=LOGO)


@pytest.mark.parametrize(
    ("name", "content_type", "expected"),
    [
        ("minutes.pdf", None, "application/pdf"),
        ("photo.JPG", None, "image/jpeg"),
        ("table.csv", None, "text/csv"),
        ("data.tar.gz", None, "application/octet-stream"),
        ("noextension", None, "application/octet-stream"),
        ("mail.eml", None, "application/octet-stream"),
        ("x.bin", "application/x-own+zip", "application/x-own+zip"),
    ],
)
def test_attachments(name: str, content_type: str | None, expected: str) -> None:
    there = sent(make(attachments=[Attachment(PNG, name, content_type)]))
    part = next(there.iter_attachments())
    assert part.get_content_type() == expected
    assert part.get_filename() == name
    assert part.get_content_disposition() == "attachment"
    assert part.get_payload(decode=True) == PNG


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\x.txt", "x.txt"),
        ("a/b\\c.txt", "c.txt"),
        ("..", ".."),
        ('quo"ted.txt', 'quo"ted.txt'),
        ("semi;colon=x.txt", "semi;colon=x.txt"),
        ("bücher 日本.txt", "bücher 日本.txt"),
        ("x" * 300 + ".txt", "x" * 300 + ".txt"),
        ("%41'*0.txt", "%41'*0.txt"),
    ],
)
def test_file_names(given: str, shown: str) -> None:
    there = sent(make(attachments=[Attachment(b"x", given)]))
    assert [part.get_filename() for part in there.iter_attachments()] == [shown]


@pytest.mark.parametrize("name", ["=?utf-8?q?a=0D=0AX-Evil=3A_1=0D=0A=0D=0Aevil?=", "=?utf-8?q?=0A?=.png",
                                  "=?utf-8?b?YQ0KWC1FdmlsOiAx?=", "=?utf-8?q?=0A"])  # fmt: skip
@pytest.mark.parametrize("parts", ["attachments", "inline"])
def test_no_file_name_adds_to_its_part(name: str, parts: str) -> None:
    file = Attachment(PNG, name, "image/png")
    ours = (
        make(attachments=[file]) if parts == "attachments" else make(html="x", inline={"i": file})
    )
    (part,) = (part for part in sent(ours).walk() if part.get_content_type() == "image/png")
    assert part.get_filename() == name
    # Nor where a caller's own message has it: the part is refused when it is written.
    message = make(text="x")
    add = message.add_related if parts == "inline" else message.add_attachment
    add(PNG, maintype="image", subtype="png", filename=name)
    try:
        there = sent(message)
    except InvalidMessage:
        return
    (part,) = (part for part in there.walk() if part.get_content_type() == "image/png")
    assert "X-Evil" not in part
    assert part.get_payload(decode=True) == PNG


def test_attachments_from_paths(tmp_path: Path) -> None:
    file = tmp_path / "minutes.txt"
    file.write_bytes(b"one\ntwo\r\n\xff")
    message = make(attachments=[str(file), file, Attachment.from_path(file)])
    file.unlink()
    parts = list(sent(message).iter_attachments())
    assert [part.get_filename() for part in parts] == ["minutes.txt"] * 3
    assert {part.get_payload(decode=True) for part in parts} == {b"one\ntwo\r\n\xff"}


def test_attachments_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidMessage, match=r"missing\.pdf cannot be read: No such file"
    ) as caught:
        make(attachments=[tmp_path / "missing.pdf"])
    assert isinstance(caught.value.__cause__, FileNotFoundError)
    with pytest.raises(InvalidMessage, match="cannot be read: Is a directory"):
        make(attachments=[tmp_path])


def test_further_headers() -> None:
    references = " ".join(f"<{i:03}-{'x' * 30}@mail.example.org>" for i in range(20))
    there = sent(
        make(
            headers={
                "In-Reply-To": "<1@x.org>",
                "References": references,
                "List-Unsubscribe": "<https://x.org/u?a=1&b=2>, <mailto:u@x.org>",
                "X-Groesse": "Grüße",
                "Auto-Submitted": "auto-generated",
            }
        )
    )
    assert there["In-Reply-To"] == "<1@x.org>"
    assert there["References"] == references
    assert there["List-Unsubscribe"] == "<https://x.org/u?a=1&b=2>, <mailto:u@x.org>"
    assert there["X-Groesse"] == "Grüße"
    assert there["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize(
    "name",
    ["From", "to", "CC", "Bcc", "Reply-To", "Subject", "Date", "Message-ID", "Sender",
     "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Content-Disposition",
     "Resent-To", "resent-bcc", "Resent-Anything"],
)  # fmt: skip
def test_headers_that_other_arguments_set(name: str) -> None:
    with pytest.raises(InvalidMessage, match=f"(?i){name}"):
        make(headers={name: "x"})


@pytest.mark.parametrize("subject", ["", "Hello", "Grüße", "日本" * 200, "x" * 2000, "a" + " b" * 900,
                                     "trailing ", "tab-free: colon"])  # fmt: skip
def test_subjects(subject: str) -> None:
    assert make(subject=subject)["Subject"] == subject
    assert sent(make(subject=subject))["Subject"] == subject


@pytest.mark.parametrize(
    "text",
    ["", "x", "x\n", "\n\nx\n\n", ".\n..\n", "From me\n", "x" * 2000, "日" * 2000, "a\r\nb\rc\nd",
     " trailing \n", "\ttab\x0c", "-- \nsig"],
)  # fmt: skip
def test_texts(text: str) -> None:
    expected = text.replace("\r\n", "\n").replace("\r", "\n")
    octets = render(parse(make(text=text)), eight_bit=True, utf8=False)
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    assert text_of(sent(make(text=text))).rstrip("\n") == expected.rstrip("\n")


def test_nothing_needs_smtputf8_for_a_domain_or_a_name() -> None:
    message = make(sender="Jörg <j@bücher.example>", to="Bö <b@straße.example>", subject="ü")
    assert not parse(message).needs_smtputf8
    assert not envelope_of(parse(message)).needs_smtputf8
    assert render(parse(message), eight_bit=False, utf8=False).isascii()
    assert parse(make(to="jörg@x.org")).needs_smtputf8


def test_an_attachment_shows_no_octets() -> None:
    assert "secret" not in repr(Attachment(b"secret", "x.txt"))
