"""What is composed is read back letter by letter, by both of the standard library's readers.

The one that knows more, ``policy.default``, keeps the blanks between the encoded words of a display
name, against RFC 2047 §6.2; names are therefore read by the other one, ``policy.compat32``.
"""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from email import policy
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.utils import getaddresses
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from mailsend import Attachment, ForwardedMessage, InvalidMessage, ListUnsubscribe, Mailbox, compose
from mailsend.content import prepare
from mailsend.message import envelope_of, parse, render

BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
nasty = st.sampled_from(
    [*' "\\,;:<>@()[]=?_.-%\'*é日😀ﬁ', "=?utf-8?q?", "?=", "=0A", "=2C", "evil@evil.org", "  ",
     "word ", "x" * 70, "Ünï ", "日" * 30, "=?utf-8?q?a=0D=0AX-Evil=3A_1=0D=0A=0D=0Aevil?=",
     "=?utf-8?q?a=2C_evil=40evil=2Eorg?=", ", evil@evil.org, "]
)  # fmt: skip
letters = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters=BIDI)
lines = (
    st.text(letters, max_size=30)
    | st.lists(nasty, max_size=12).map("".join)
    | st.tuples(
        st.lists(nasty | letters, min_size=1, max_size=9).map("".join), st.integers(1, 9)
    ).map(lambda drawn: drawn[0] * drawn[1])
).map(lambda text: text[:400])
ids = st.from_regex(r"<[!-;=?A-~]{1,80}@[!-;=?A-~]{1,80}>", fullmatch=True).filter(
    lambda text: "=?" not in text
)
flags = st.booleans()
few = settings(max_examples=30)


class Received(NamedTuple):
    octets: bytes
    modern: EmailMessage
    legacy: Message[str, str]


def received(eight_bit: bool, utf8: bool, **parts: Any) -> Received:
    """Compose and render; nothing may be refused, and no field or recipient may be added."""
    message = compose(**{"sender": "ada@x.org", "to": "bob@x.org", "text": "t", **parts})
    ours = parse(message)
    octets = render(ours, eight_bit=eight_bit, utf8=utf8)
    assert prepare(octets).data.rstrip(b"\r\n") == octets.rstrip(b"\r\n")
    head, _, _ = octets.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        assert line.strip(b" ")
        assert len(line) <= 998
        assert len(line) <= 78 or len(line.lstrip(b" ").split(b" ")) <= 2
    for word in re.findall(rb"=\?utf-8\?[qb]\?[^?]*\?=", head):
        assert len(word) <= 75
    if utf8:
        text = octets.decode("utf-8")
        modern = email.message_from_string(text, policy=policy.default)
        legacy = email.message_from_string(text)
    else:
        assert eight_bit or octets.isascii()
        modern = email.message_from_bytes(octets, policy=policy.default)
        legacy = email.message_from_bytes(octets)
    assert isinstance(modern, EmailMessage)
    for there in (modern, legacy):
        assert [n.lower() for n in there.keys()] == [n.lower() for n in message if n != "Bcc"]  # noqa: SIM118
        assert not any("x-evil" in part for part in there.walk())
    named = [a for f in ("to", "cc") for a in addresses(legacy, f)]
    assert list(dict.fromkeys(named)) == list(envelope_of(ours).recipients)
    assert named == [a.addr_spec for f in ("to", "cc") if f in modern for a in modern[f].addresses]
    return Received(octets, modern, legacy)


def unfolded(there: Message[str, str], name: str) -> str:
    return there[name].replace("\r\n", "").replace("\n", "")


def decoded(text: str) -> str:
    return str(make_header(decode_header(text)))


def addresses(there: Message[str, str], name: str) -> list[str]:
    return [a for _, a in getaddresses([unfolded(there, name)])] if name in there else []


def names(there: Message[str, str], name: str) -> list[str]:
    return [decoded(n) for n, _ in getaddresses([unfolded(there, name)])]


@few
@given(lines, lines, flags, flags)
def test_subject_and_own_fields(subject: str, value: str, eight_bit: bool, utf8: bool) -> None:
    got = received(eight_bit, utf8, subject=subject, headers={"X-Test": value, "Comments": value})
    for name, text in (("Subject", subject), ("X-Test", value), ("Comments", value)):
        assert got.modern[name] == text
        # That reader knows nothing of UTF-8 in header fields.
        assert utf8 or decoded(unfolded(got.legacy, name)) == text


@few
@given(st.lists(lines, min_size=1, max_size=5), flags, flags)
def test_display_names(given_names: list[str], eight_bit: bool, utf8: bool) -> None:
    mailboxes = [Mailbox(f"u{i}@x.org", name) for i, name in enumerate(given_names)]
    got = received(
        eight_bit,
        utf8,
        sender=mailboxes[0],
        authors=[*mailboxes, "a@x.org"],
        to=mailboxes,
        cc=["c@x.org", *mailboxes],
        reply_to=mailboxes,
    )
    for field, expected in (
        ("From", [*given_names, ""]),
        ("Sender", given_names[:1]),
        ("To", given_names),
        ("Cc", ["", *given_names]),
        ("Reply-To", given_names),
    ):
        assert utf8 or names(got.legacy, field) == expected
        there = got.modern[field]
        listed = there.addresses if field != "Sender" else [there.address]
        assert [a.display_name.replace(" ", "") for a in listed] == [
            name.replace(" ", "") for name in expected
        ]
        assert not there.defects


@few
@given(lines, flags, flags)
def test_names_are_read_as_they_are_written(text: str, eight_bit: bool, utf8: bool) -> None:
    mailbox = Mailbox("bob@x.org", text)
    assert Mailbox.parse(str(mailbox)) == mailbox
    composed = compose(sender="a@x.org", to=str(mailbox))
    (address,) = composed["To"].addresses
    assert address.display_name == text
    got = received(eight_bit, utf8, to=str(mailbox))
    assert utf8 or names(got.legacy, "To") == [text]


@few
@given(st.lists(lines, min_size=1, max_size=3), st.binary(max_size=200), flags)
def test_file_names(given_names: list[str], octets: bytes, eight_bit: bool) -> None:
    shown = [name.replace("\\", "/").rpartition("/")[2] or "x" for name in given_names]
    files = [Attachment(octets, name) for name in shown]
    got = received(
        eight_bit, False, html="x", attachments=files, inline={"i": Attachment(octets, shown[0])}
    )
    for there in (got.modern, got.legacy):
        parts = [part for part in there.walk() if part["Content-Disposition"]]
        assert [part.get_payload(decode=True) for part in parts] == [octets] * (len(files) + 1)
        assert not any(part.defects for part in there.walk())
    modern = [part for part in got.modern.walk() if part["Content-Disposition"]]
    assert [p["Content-Disposition"].params["filename"] for p in modern] == [shown[0], *shown]
    legacy = [part for part in got.legacy.walk() if part["Content-Disposition"]]
    # Which takes blanks off.
    assert [p.get_filename() for p in legacy] == [n.strip() for n in (shown[0], *shown)]


bodies = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300
) | st.lists(
    nasty | st.sampled_from(["\r\n", "\n", "\r", ".", "\n.\n", "\nFrom x", " \n", "\t\n", "\x0c",
                             "y" * 1500, "\x85", "\u2028", "--", "\n--x\n"]),
    max_size=40,
).map("".join)  # fmt: skip


def canonical(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if not text or text.endswith("\n") else text + "\n"


def payloads(there: Message[Any, Any], kind: str) -> Iterator[str]:
    for part in there.walk():
        if part.get_content_type() == kind:
            octets = part.get_payload(decode=True)
            assert isinstance(octets, bytes)
            yield octets.decode("utf-8").replace("\r\n", "\n")


@few
@given(bodies, bodies, flags)
def test_texts(text: str, html: str, eight_bit: bool) -> None:
    got = received(eight_bit, False, text=text, html=html, attachments=[Attachment(b"", "x")])
    for there in (got.modern, got.legacy):
        assert list(payloads(there, "text/plain")) == [canonical(text)]
        assert list(payloads(there, "text/html")) == [canonical(html)]
    for line in got.octets.split(b"\r\n"):
        assert len(line) <= 998
        assert b"\r" not in line
        assert b"\n" not in line
    alone = received(eight_bit, False, text=text)
    assert list(payloads(alone.modern, "text/plain")) in (
        [canonical(text)],
        [canonical(text).removesuffix("\n")],  # an empty line that ends the message
    )


@few
@given(st.lists(ids, min_size=1, max_size=30), flags, flags)
def test_references(given_ids: list[str], eight_bit: bool, utf8: bool) -> None:
    got = received(eight_bit, utf8, in_reply_to=given_ids[-1], references=given_ids)
    for there in (got.modern, got.legacy):
        assert unfolded(there, "References") == " ".join(given_ids)
        assert unfolded(there, "In-Reply-To") == given_ids[-1]
    assert b"=?" not in got.octets


uris = st.from_regex(
    r"https://[a-z]{1,20}/[A-Za-z0-9._~:/?#@!$&'()*+,;=-]{0,300}", fullmatch=True
) | st.from_regex(r"mailto:[a-z]{1,20}@[a-z]{1,20}\?subject=[A-Za-z0-9._~-]{0,100}", fullmatch=True)


@few
@given(st.lists(uris, min_size=1, max_size=4), flags, flags)
def test_list_unsubscribe(given_uris: list[str], eight_bit: bool, utf8: bool) -> None:
    try:
        value = ListUnsubscribe(given_uris, one_click=True)
    except InvalidMessage:
        value = ListUnsubscribe(given_uris)
        assert sum(uri.startswith("https") for uri in given_uris) != 1
    got = received(eight_bit, utf8, list_unsubscribe=value)
    for there in (got.modern, got.legacy):
        assert unfolded(there, "List-Unsubscribe") == ", ".join(f"<{u}>" for u in given_uris)
        assert ("List-Unsubscribe-Post" in there) is value.one_click
    assert b"=?" not in got.octets.partition(b"\r\n\r\n")[0].replace(b"?=", b"")


header_lines = st.lists(
    st.from_regex(r"X-[A-Z]{1,20}:[ ]{0,3}[!-~]{0,200}(\r\n [!-~]{1,60})?", fullmatch=True),
    min_size=1,
    max_size=5,
).map("\r\n".join)
body_lines = st.lists(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]))).map(
    "\r\n".join
)


@few
@given(header_lines, body_lines, flags, flags)
def test_forwarded_octets(header: str, body: str, eight_bit: bool, utf8: bool) -> None:
    octets = f"{header}\r\n\r\n{body}".encode()
    got = received(eight_bit, utf8, attachments=[ForwardedMessage(octets), Attachment(b"z", "z")])
    assert b"\r\n\r\n" + octets + b"\r\n--" in got.octets
    forwarded = next(got.modern.iter_attachments())
    assert forwarded.get_content_type() == "message/rfc822"


@few
@given(header_lines, body_lines, st.text(letters, min_size=1, max_size=100))
def test_forwarded_eight_bit_octets(header: str, body: str, more: str) -> None:
    plain = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit"
    octets = f"{plain}\r\n{header}\r\n\r\n{body}é{more}\r\n".encode()
    try:
        message = compose(
            sender="a@x.org", to="b@x.org", attachments=[ForwardedMessage(octets)], text="t"
        )
    except InvalidMessage:
        return  # a form that could not be kept
    unchanged = render(parse(message), eight_bit=True, utf8=False)
    assert octets in unchanged
    seven_bit = render(parse(message), eight_bit=False, utf8=False)
    assert seven_bit.isascii()
    there: Any = email.message_from_bytes(seven_bit, policy=policy.default)
    (inner,) = there.iter_attachments()
    text = inner.get_content().get_payload(decode=True).decode()
    assert canonical(text) == canonical(f"{body}é{more}")
