"""Whatever text a caller puts in: refused by name, or read back the same, and nothing added."""

from __future__ import annotations

import email
from collections.abc import Iterator
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mailsend import Attachment, InvalidAddress, InvalidMessage, compose
from mailsend.content import prepare
from mailsend.message import envelope_of, parse, render

# What parsers trip over, most of it allowed in a header field and some of it never.
nasty = st.sampled_from(
    [*' "\\,;:<>@()[]=?_.-%é日😀', "=?utf-8?q?", "?=", "=0A", "=2C", "evil@evil.org", "word ",
     "=?utf-8?q?a=0D=0AX-Evil=3A_1=0D=0A=0D=0Aevil?=", "=?utf-8?q?a=2C_evil=40evil=2Eorg?="]
)  # fmt: skip
part_fields = {"content-type", "content-transfer-encoding", "content-disposition", "content-id",
               "mime-version"}  # fmt: skip
controls = st.sampled_from(
    ["\t", "\r", "\n", "\0", "\x85", "\u2028", "\r\n\r\n", "\nBcc: evil@evil.org"]
)
printed = st.characters(exclude_categories=["C", "Zl", "Zp"])
short = st.lists(printed | nasty, max_size=40).map("".join)
long = st.lists(nasty | st.sampled_from(["x" * 70, "Ünï "]), max_size=80).map("".join)
anything = (
    short | long | st.lists(nasty | controls, max_size=40).map("".join) | st.text(max_size=40)
)
flags = st.booleans()


class Refused(Exception):
    pass


@contextmanager
def refusals_are_fine() -> Iterator[None]:
    try:
        yield
    except (InvalidMessage, InvalidAddress):
        raise Refused from None


def quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def round_trip(
    eight_bit: bool, utf8: bool, *, strangers: bool = False, **parts: Any
) -> EmailMessage:
    """Compose, render, and read by the standard library alone; nothing may have been added."""
    with refusals_are_fine():
        message = compose(
            **{"sender": "ada@x.org", "to": ["bob@x.org", "carol@x.org"], "text": "t", **parts}
        )
        ours = parse(message)
        envelope = envelope_of(ours)
        octets = render(ours, eight_bit=eight_bit, utf8=utf8)
        content = prepare(octets)
    assert content.data.rstrip(b"\r\n") == octets.rstrip(b"\r\n")
    if not eight_bit and not utf8:
        assert octets.isascii()
    there = (
        email.message_from_string(octets.decode("utf-8"), policy=policy.default)
        if utf8
        else email.message_from_bytes(octets, policy=policy.default)
    )
    assert isinstance(there, EmailMessage)
    assert sorted(map(str.lower, there)) == sorted(n.lower() for n in message if n != "Bcc")
    named = [a.addr_spec for f in ("to", "cc") if f in there for a in there[f].addresses]
    assert named == [r for r in envelope.recipients if not r.startswith("hidden")]
    assert [a.addr_spec for a in there["from"].addresses] == [envelope.reverse_path]
    for part in there.iter_parts():
        assert set(map(str.lower, part)) <= part_fields
    assert strangers or not any(a.startswith("evil") for a in envelope.recipients)
    return there


def same_words(there: str, here: str) -> bool:
    """Blanks may be folded; what the caller wrote as an encoded word may be read as one."""
    return "=?" in here or there.split() == here.split()


def lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")


@given(anything, flags, flags)
def test_any_subject(text: str, eight_bit: bool, utf8: bool) -> None:
    try:
        there = round_trip(eight_bit, utf8, subject=text)
    except Refused:
        return
    assert same_words(there["subject"], text)


@given(anything, flags, flags)
def test_any_display_name(text: str, eight_bit: bool, utf8: bool) -> None:
    name = quoted(text)
    try:
        there = round_trip(
            eight_bit,
            utf8,
            sender=f"{name} <ada@x.org>",
            to=[f"{name} <bob@x.org>", "carol@x.org"],
            cc=f"{name} <dan@x.org>",
            bcc=[f"{name} <hidden@x.org>"],
            reply_to=f"{name} <eve@x.org>",
        )
    except Refused:
        return
    for field in ("from", "to", "cc", "reply-to"):
        # The standard library's reader of names keeps the blanks between encoded words, against
        # RFC 2047 §6.2; tests/property/test_compose_laws.py reads them without it.
        name = there[field].addresses[0].display_name
        assert name.replace(" ", "") == text.replace(" ", "")


@given(anything, flags, flags)
def test_any_text_where_a_mailbox_belongs(text: str, eight_bit: bool, utf8: bool) -> None:
    for to in ([text, "bob@x.org"], [f"{text} <bob@x.org>"], [f"{text}@x.org"], [f"b@{text}"]):
        try:
            there = round_trip(eight_bit, utf8, strangers=True, to=to)
        except Refused:
            continue
        assert len(there["to"].addresses) <= len(to)


@given(anything, flags)
def test_any_text_and_html(text: str, eight_bit: bool) -> None:
    try:
        there = round_trip(eight_bit, False, text=text, html=text)
    except Refused:
        return
    for kind in ("plain", "html"):
        part = there.get_body((kind,))
        assert part is not None
        assert lines(part.get_content()) == lines(text)


@given(anything, st.binary(max_size=50), flags)
def test_any_file_name(text: str, octets: bytes, eight_bit: bool) -> None:
    try:
        with refusals_are_fine():
            attachment = Attachment(octets, text)
        there = round_trip(eight_bit, False, attachments=[attachment])
    except Refused:
        return
    (part,) = there.iter_attachments()
    # Not get_filename(), which takes quotes off twice.
    shown = part["content-disposition"].params["filename"]
    assert "/" not in shown
    assert "\\" not in shown
    assert same_words(shown, text.replace("\\", "/").rpartition("/")[2])
    assert part.get_payload(decode=True) == octets


@given(anything, flags, flags)
def test_any_header_value(text: str, eight_bit: bool, utf8: bool) -> None:
    headers = {"X-Test": text, "References": text, "List-Unsubscribe": text}
    try:
        there = round_trip(eight_bit, utf8, headers=headers)
    except Refused:
        return
    assert same_words(there["x-test"], text)


@given(anything)
def test_any_header_name(text: str) -> None:
    try:
        there = round_trip(False, False, headers={text: "x"})
    except Refused:
        return
    assert there[text] == "x"


@given(anything)
def test_any_content_id(text: str) -> None:
    try:
        there = round_trip(False, False, html="x", inline={text: Attachment(b"x", "x.png")})
    except Refused:
        return
    ids = [part["content-id"] for part in there.walk() if part["content-id"]]
    assert ids == [f"<{text}>"]
