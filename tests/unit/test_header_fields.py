"""Header fields that write themselves: what stands on each line, and what can be done with them."""

# ruff: noqa: E501 - a table is read by its rows
from __future__ import annotations

import copy
import email
import pickle
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8, default
from typing import Any

import pytest

from mailsend import InvalidMessage, Mailbox, compose
from mailsend.composition.encoded_words import encoded_words
from mailsend.composition.header_fields import (
    HeaderField,
    MailboxesField,
    ParametersField,
    SourceField,
    TextField,
    VerbatimField,
    _lines,
)


def folded(field: HeaderField, **settings: Any) -> list[str]:
    text = field.fold(policy=SMTP.clone(**settings))
    assert text.endswith("\r\n")
    return text.removesuffix("\r\n").split("\r\n")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ["Subject: "]),
        ("Minutes", ["Subject: Minutes"]),
        ("two  blanks", ["Subject: two  blanks"]),
        ("Grüße", ["Subject: =?utf-8?b?R3LDvMOfZQ==?="]),
        ("Re: Grüße an alle", ["Subject: Re: =?utf-8?b?R3LDvMOfZQ==?= an alle"]),
        ("a ü b ü c", ["Subject: a =?utf-8?b?w7wgYiDDvA==?= c"]),
        ("a  ü  b c", ["Subject: =?utf-8?q?a__=C3=BC__b?= c"]),
        (" x ", ["Subject: =?utf-8?q?_x_?="]),
        ("  ", ["Subject: =?utf-8?q?__?="]),
        ("=?utf-8?q?=0A?=", ["Subject: =?utf-8?b?PT91dGYtOD9xPz0wQT89?="]),
        ("a=?b", ["Subject: =?utf-8?q?a=3D=3Fb?="]),
        ("a" * 65 + " " + "b" * 10, ["Subject: " + "a" * 65, " " + "b" * 10]),
        ("a" * 60 + "   " + "b" * 10, ["Subject: " + "a" * 60, "   " + "b" * 10]),
        ("x" * 200, ["Subject: " + "x" * 200]),
    ],
)
def test_text(text: str, lines: list[str]) -> None:
    field = TextField(text, name="Subject")
    assert folded(field) == lines
    assert field == text
    assert (
        email.message_from_string("\r\n".join([*lines, "", ""]), policy=default)["Subject"] == text
    )


def test_text_in_utf8() -> None:
    assert folded(TextField("Grüße an alle", name="Subject"), utf8=True) == [
        "Subject: Grüße an alle"
    ]
    (line,) = folded(TextField("ü =?utf-8?q?x?=", name="Subject"), utf8=True)
    assert line == "Subject: ü =?utf-8?b?PT91dGYtOD9xP3g/PQ==?="


@pytest.mark.parametrize(
    "text", ["x" * 5000, "ü" * 500, "日本語 " * 100, "wörter und wörter " * 30]
)
@pytest.mark.parametrize("utf8", [True, False])
def test_no_line_and_no_encoded_word_is_too_long(text: str, utf8: bool) -> None:
    for field in (
        TextField(text, name="X-Long"),
        MailboxesField.of("To", [Mailbox("b@x.org", text[:998])]),
    ):
        for line in folded(field, utf8=utf8):
            assert len(line.encode()) <= 998
            if "=?" in line:
                assert len(line) <= 78
                assert max(map(len, line.split(" "))) <= 75


@pytest.mark.parametrize(
    "text", ["日" * 100, '  "=0A' + "日" * 30 + " " * 15, "x" * 300, "a ü" * 60, "é" * 16, "", " "]
)
@pytest.mark.parametrize("room", [75, 40, 1, -5])
def test_encoded_words(text: str, room: int) -> None:
    words = encoded_words(text, first_room=room)
    assert max(map(len, words)) <= 75
    got = email.message_from_string("Subject: " + "\n ".join(words) + "\n\n", policy=default)[
        "Subject"
    ]
    assert got == text


def test_encoded_words_end_with_a_blank_if_there_is_one() -> None:
    text = "Grüße an alle Müller und Jörg " * 8
    words = encoded_words(text)
    assert len(words) > 1
    assert all(str(make_header(decode_header(word))).endswith(" ") for word in words)
    # The reader that keeps the blank between them then has a second one, and no divided word.
    header = f"To: {' '.join(words)} <b@x.org>\n\n"
    (address,) = email.message_from_string(header, policy=default)["To"].addresses
    assert address.display_name.split() == text.split()


EVIL = "A" * 60 + ", evil@evil.org, " + "B" * 60


@pytest.mark.parametrize(
    ("name", "address", "lines"),
    [
        ("", "b@x.org", ["To: b@x.org"]),
        ("Bob", "b@x.org", ["To: Bob <b@x.org>"]),
        ("Bob Builder", "b@x.org", ["To: Bob Builder <b@x.org>"]),
        ("Lovelace, Ada", "b@x.org", ['To: "Lovelace, Ada" <b@x.org>']),
        ("J. R.", "b@x.org", ['To: "J. R." <b@x.org>']),
        ('say "hi" \\', "b@x.org", ['To: "say \\"hi\\" \\\\" <b@x.org>']),
        ("a  b", "b@x.org", ['To: "a  b" <b@x.org>']),
        ("<evil@evil.org>", "b@x.org", ['To: "<evil@evil.org>" <b@x.org>']),
        ("Jörg", "b@x.org", ["To: =?utf-8?b?SsO2cmc=?= <b@x.org>"]),
        ("=?utf-8?q?a=2C_b=40x?=", "b@x.org", ["To: =?utf-8?b?PT91dGYtOD9xP2E9MkNfYj00MHg/PQ==?= <b@x.org>"]),
        ("Bob", "b@bücher.example", ["To: Bob <b@xn--bcher-kva.example>"]),
        # Where the standard library loses the quotes (gh-80222).
        (EVIL, "ok@good.example", [f'To: "{"A" * 60},', f' evil@evil.org, {"B" * 60}"', " <ok@good.example>"]),
    ],
)  # fmt: skip
def test_mailboxes(name: str, address: str, lines: list[str]) -> None:
    assert folded(MailboxesField.of("To", [Mailbox(address, name)])) == lines


def test_a_list_is_folded_between_its_mailboxes() -> None:
    field = MailboxesField.of("Cc", [Mailbox(f"user{i}@mail.example.org") for i in range(6)])
    assert folded(field) == [
        "Cc: user0@mail.example.org, user1@mail.example.org, user2@mail.example.org,",
        " user3@mail.example.org, user4@mail.example.org, user5@mail.example.org",
    ]


def test_a_local_part_of_other_letters_is_never_encoded() -> None:
    field = MailboxesField.of("To", [Mailbox("jörg@bücher.example", "Jörg")])
    assert folded(field, utf8=True) == ['To: "Jörg" <jörg@xn--bcher-kva.example>']
    with pytest.raises(UnicodeEncodeError):
        SMTP.fold_binary("To", field)
    assert "jörg@" in SMTPUTF8.fold_binary("To", field).decode()


def test_many_recipients_are_no_burden() -> None:
    field = MailboxesField.of("To", [Mailbox(f"u{i}@x.org", f"Üser, {i}") for i in range(5000)])
    assert len(field.fold(policy=SMTP)) > 5000 * 20
    assert len(field.addresses) == len(field.groups) == 5000


REFERENCES = " ".join(f"<{i:03}-{'x' * 50}@mail.example.org>" for i in range(3))


def test_identifiers_are_folded_at_blanks_only() -> None:
    lines = folded(VerbatimField(REFERENCES, name="References"))
    assert lines == [
        f"References: <000-{'x' * 50}@mail.example.org>",
        f" <001-{'x' * 50}@mail.example.org>",
        f" <002-{'x' * 50}@mail.example.org>",
    ]


@pytest.mark.parametrize(
    "text",
    ["", " ", " x", "x ", "ü", "a\tb", "a\nb", "=?utf-8?q?x?=", "x" * 990, "a " + "x" * 1000],
)
def test_what_identifiers_cannot_be(text: str) -> None:
    with pytest.raises(InvalidMessage, match="References"):
        VerbatimField(text, name="References")


@pytest.mark.parametrize(
    ("filename", "lines"),
    [
        ("minutes.pdf", ['Content-Disposition: attachment; filename="minutes.pdf"']),
        ("semi;colon=x.txt", ['Content-Disposition: attachment; filename="semi;colon=x.txt"']),
        ('quo"ted.txt', ["Content-Disposition: attachment; filename*=utf-8''quo%22ted.txt"]),
        ("100%41.txt", ["Content-Disposition: attachment; filename*=utf-8''100%2541.txt"]),
        ("it's.txt", ["Content-Disposition: attachment; filename*=utf-8''it%27s.txt"]),
        ("Grüße.pdf", ["Content-Disposition: attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe.pdf"]),
        (" x ", ["Content-Disposition: attachment; filename*=utf-8''%20x%20"]),
        ("=?utf-8?q?=0A?=", ["Content-Disposition: attachment;", " filename*=utf-8''%3D%3Futf-8%3Fq%3F%3D0A%3F%3D"]),
        ("y" * 100, ["Content-Disposition: attachment;", f" filename*0*=utf-8''{'y' * 57};", f" filename*1*={'y' * 43}"]),
    ],
)  # fmt: skip
def test_file_names(filename: str, lines: list[str]) -> None:
    field = ParametersField.of("Content-Disposition", "attachment", filename=filename)
    assert folded(field) == lines
    assert max(map(len, lines)) <= 78
    assert field.content_disposition == "attachment"
    assert field.params == {"filename": filename}
    source = "\r\n".join([*lines, "", ""])
    for there in (
        email.message_from_string(source, policy=default),
        email.message_from_string(source),
    ):
        assert there.get_filename() == filename.strip() or isinstance(there, EmailMessage)
        assert there.get_content_disposition() == "attachment"
    modern = email.message_from_string(source, policy=default)["Content-Disposition"]
    assert modern.params["filename"] == filename
    assert not modern.defects


def test_a_field_that_was_read_is_written_as_it_was() -> None:
    assert folded(SourceField("x\r\n\ty", name="Subject")) == ["Subject:x", "\ty"]


FIELDS: list[HeaderField] = [
    TextField("Grüße", name="Subject"),
    VerbatimField(REFERENCES, name="References"),
    MailboxesField.of("To", [Mailbox("b@x.org", "Lovelace, Ada")]),
    ParametersField.of("Content-Disposition", "attachment", filename="ü.txt"),
]


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_fields_can_be_copied(field: HeaderField) -> None:
    copies = [copy.copy(field), copy.deepcopy(field)]
    copies += [pickle.loads(pickle.dumps(field, protocol)) for protocol in (2, 3, 4, 5)]
    for one in copies:
        assert type(one) is type(field)
        assert one == field
        assert one.name == field.name
        assert one.fold(policy=SMTP) == field.fold(policy=SMTP)


def test_a_message_can_be_copied_and_written_by_the_standard_library() -> None:
    message = compose(
        sender='"Lovelace, Ada" <a@x.org>',
        to=[Mailbox("ok@good.example", EVIL)],
        subject="Grüße",
        references=REFERENCES,
        text="x",
        html="y",
        attachments=[compose(sender="c@x.org", to="d@x.org", text="inner")],
    )
    for same in (message, copy.deepcopy(message), pickle.loads(pickle.dumps(message))):
        assert same["References"] == REFERENCES
        for octets in (same.as_bytes(), same.as_bytes(policy=default), same.as_string().encode()):
            there = email.message_from_bytes(octets, policy=default)
            assert [a.addr_spec for a in there["To"].addresses] == ["ok@good.example"]
            assert there["To"].addresses[0].display_name == EVIL
            assert there["Subject"] == "Grüße"
            assert there["References"] == REFERENCES
            assert there.defects == []


MAILBOX = Mailbox("ada@example.org", "Ada, L")


@pytest.mark.parametrize(
    "field",
    [
        *(TextField(text, name="X-A") for text in (
            "", " ", "a", " a", "a ", "a   b", "é", "=?a", "x" * 73, "x" * 74, "x y" * 30,
        )),
        *(VerbatimField(text, name="References") for text in ("<a@b>", "<a@b>   <c@d>", "<a@b> " * 20 + "x")),
        *(MailboxesField.of("To", listed) for listed in (
            [MAILBOX], [MAILBOX, MAILBOX], [MAILBOX] * 5, [Mailbox("a@x.org", 'a"b\\c')], [Mailbox("a@x.org")],
            [Mailbox("a@x.org", "é")], [Mailbox("a@x.org", "=?")], [Mailbox("jörg@x.org", "A")],
        )),
        ParametersField.of("Content-Disposition", "inline", filename="a  b;c.txt", x="é"),
        ParametersField.of("Content-Type", "text/plain", charset="utf-8"),
    ],
)  # fmt: skip
def test_a_field_of_one_line_is_written_as_its_pieces_are(field: HeaderField) -> None:
    for utf8 in (False, True):
        assert folded(field, utf8=utf8) == _lines(field.name, field._pieces(utf8=utf8))
