"""Whatever can be asked of compose(), and what a reader has to find in return.

What is expected is made from what is asked, never from the message that compose() returns.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import zip_longest
from typing import Any, Final

from hypothesis import strategies as st

from mailsend import (
    Alternative,
    Attachment,
    AutoSubmitted,
    CalendarInvitation,
    ForwardedMessage,
    ListUnsubscribe,
    Mailbox,
    Priority,
)
from mailsend.address import AddressRules

from .reader import Entity

RULES: Final = AddressRules(quoted_local_parts=True, address_literals=True)

# What has a meaning of its own somewhere in a message, to be put together at random.
_TRAPS: Final = (
    *"\"'\\,;:<>@()[]=?_.-%&*#/ ", "é", "日", "😀", "ﬁ", "e\u0301", "\u00ad", "\u200d", "ا",
    "=?utf-8?q?", "=?iso-8859-1?b?", "?=", "=?utf-8?q?a?=", "=?utf-8?q?=0D=0AX-Evil:_1?=",
    "=0A", "=2C", "%0D%0A", "utf-8''", "evil@evil.example", ", <evil@evil.example>", "  ", '\\"',
    " word", "w" * 80, "w" * 998, "日" * 30, "é " * 40, "--", "From ", "Bcc: evil@evil.example",
)  # fmt: skip
_TRAPS_OF_TEXTS: Final = (
    *_TRAPS, "\r\n", "\n", "\r", ".", "\n.\n", "\n..", "\nFrom x", " \n", "\t\n", "\x0c",
    "y" * 1500, "é" * 600, "\x85", "\u2028", "\n--\n", "=\n",
)  # fmt: skip


def _made_of(pieces: tuple[str, ...], at_most: int) -> st.SearchStrategy[str]:
    # A list of choices says the same, and takes Hypothesis many times as long.
    one = st.characters(codec="ascii", max_codepoint=len(pieces) - 1)
    return st.text(one, max_size=at_most).map(lambda text: "".join(pieces[ord(c)] for c in text))


def _mingled(first: str, second: str) -> str:
    return "".join(c for pair in zip_longest(first, second, fillvalue="") for c in pair)


_BIDI: Final = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_LETTERS: Final = st.characters(
    exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters=_BIDI
)
LINES: Final = (
    st.text(_LETTERS, max_size=40)
    | _made_of(_TRAPS, 12)
    | st.builds(_mingled, st.text(_LETTERS, max_size=8), _made_of(_TRAPS, 8))
    | st.builds(lambda text, times: text * times, _made_of(_TRAPS, 4), st.integers(2, 9))
).map(lambda text: text[:998])
TEXTS: Final = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200
) | _made_of(_TRAPS_OF_TEXTS, 30)


def _words(letters: str, at_most: int, at_least: int = 1) -> st.SearchStrategy[str]:
    return st.text(letters, min_size=at_least, max_size=at_most).filter(
        lambda text: "=?" not in text
    )


_ALPHANUMERIC: Final = string.ascii_letters + string.digits
_ATEXT: Final = _ALPHANUMERIC + "!#$%&'*+/=?^_`{|}~-"
_ATOM: Final = re.compile(rf"[{re.escape(_ATEXT)}]+(?:\.[{re.escape(_ATEXT)}]+)*")
_LOCAL_PARTS: Final = _words(_ATEXT, 12) | st.builds("{}.{}".format, *[_words(_ATEXT, 9)] * 2)
_QUOTED: Final = _words(_ATEXT + ' "\\()<>[]:;@,.', 20)
_DOMAINS: Final = st.sampled_from(
    [("x.org", "x.org"), ("Mail.Example", "Mail.Example"), ("a-1.b.example", "a-1.b.example"),
     ("bücher.example", "xn--bcher-kva.example"), ("例え.jp", "xn--r8jz45g.jp"),
     ("[192.0.2.1]", "[192.0.2.1]")]
)  # fmt: skip
_UNICODE_LOCAL_PARTS: Final = st.sampled_from(["δοκιμή", "用户", "jürgen.x", "पता+1"])


@dataclass(frozen=True)
class Person:
    """A mailbox as it is given, and how it is to be read."""

    mailbox: Mailbox
    address: str

    @property
    def shown(self) -> tuple[str, str]:
        return self.mailbox.name, self.address


def people(*, utf8: bool) -> st.SearchStrategy[Person]:
    local_parts = _LOCAL_PARTS | _QUOTED
    if utf8:
        local_parts |= _UNICODE_LOCAL_PARTS

    def person(local_part: str, domain: tuple[str, str], name: str) -> Person:
        if local_part.isascii() and not _ATOM.fullmatch(local_part):
            local_part = '"' + re.sub(r'(["\\])', r"\\\1", local_part) + '"'
        mailbox = Mailbox(f"{local_part}@{domain[0]}", name, rules=RULES)
        return Person(mailbox, f"{local_part}@{domain[1]}")

    return st.builds(person, local_parts, _DOMAINS, LINES)


_ID_TEXT: Final = "".join(map(chr, range(33, 127))).translate(dict.fromkeys(map(ord, "<>@")))
IDS: Final = st.builds("<{}@{}>".format, *[_words(_ID_TEXT, 80)] * 2).filter(
    lambda text: "=?" not in text
)
_OWN_IDS: Final = st.builds("<{}.{}@x.{}>".format, *[_words(_ATEXT, 40)] * 3)
_UNSUBSCRIBING: Final = st.builds(
    lambda page, subject, one_click: ListUnsubscribe(
        [f"https://x.example/{page}", f"mailto:off@x.example?subject={subject}"],
        one_click=one_click,
    ),
    _words(_ALPHANUMERIC + "._~:/?#@!$&'()*+,;=-", 300, 0),
    _words(_ALPHANUMERIC + "._~-", 100, 0),
    st.booleans(),
)
_DATES: Final = st.builds(
    lambda seconds, minutes: datetime.fromtimestamp(seconds, timezone(timedelta(minutes=minutes))),
    st.integers(10**8, 4 * 10**9),
    st.integers(-12 * 60, 14 * 60),
)
FILE_NAMES: Final = LINES.map(lambda text: text.replace("\\", "/").rpartition("/")[2] or "x")
_TYPES: Final = st.sampled_from(
    ["application/octet-stream", "text/plain", "text/html", "image/png", "application/x-Y.z+json"]
)
_FILES: Final = st.builds(Attachment, st.binary(max_size=300), FILE_NAMES, content_type=_TYPES)
_FORWARDED: Final = st.builds(
    lambda header, body, name: ForwardedMessage(f"{header}\r\n\r\n{body}".encode(), filename=name),
    st.builds("X-{}:{}\r\nX-{}: {}\r\n {}".format, *[_words(_ALPHANUMERIC + "-", 40)] * 5),
    st.lists(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])), max_size=4).map(
        "\r\n".join
    ),
    st.none() | FILE_NAMES,
)
_CALENDARS: Final = st.builds(
    lambda summary, name: CalendarInvitation(
        f"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:{summary}\r\nEND:VCALENDAR\r\n",
        filename=name,
    ),
    LINES,
    st.none() | FILE_NAMES,
)
_CONTENT_IDS: Final = _words(_ALPHANUMERIC + "!#$%&'*+/=^_`{|}~.@-", 40)
_OWN_FIELDS: Final = st.dictionaries(
    st.sampled_from(["X-Test", "Comments", "Keywords", "Organization", "x-very-" + "long-" * 12]),
    LINES,
    max_size=3,
)


@st.composite
def headers_asked(
    draw: st.DrawFn, *, utf8: bool
) -> tuple[dict[str, Any], Callable[[Entity], None]]:
    """Arguments for compose() that make header fields, and a check of what was read."""
    several = st.lists(people(utf8=utf8), max_size=3)
    sender = draw(people(utf8=utf8))
    authors, to, cc, bcc, reply_to = (draw(several) for _ in range(5))
    to = to or [draw(people(utf8=utf8))]
    subject, own = draw(LINES), draw(_OWN_FIELDS)
    answered, before = draw(st.lists(IDS, max_size=2)), draw(st.lists(IDS, max_size=9))
    message_id, date = draw(_OWN_IDS), draw(_DATES)
    unsubscribe = draw(st.none() | _UNSUBSCRIBING)
    priority = draw(st.none() | st.sampled_from(Priority))
    automatic = draw(st.none() | st.sampled_from(AutoSubmitted))
    arguments = {
        "sender": sender.mailbox,
        "authors": [one.mailbox for one in authors],
        "to": [one.mailbox for one in to],
        "cc": [one.mailbox for one in cc],
        "bcc": [one.mailbox for one in bcc],
        "reply_to": [one.mailbox for one in reply_to],
        "subject": subject,
        "headers": own,
        "in_reply_to": answered,
        "references": before,
        "message_id": message_id,
        "date": date,
        "list_unsubscribe": unsubscribe,
        "priority": priority,
        "auto_submitted": automatic,
        "rules": RULES,
    }
    alone = len(authors) == 1 and authors[0].address.lower() == sender.address.lower()
    listed = {
        "from": authors or [sender],
        "sender": [] if not authors or alone else [sender],
        "reply-to": reply_to,
        "to": to,
        "cc": cc,
    }
    fields = {
        "Subject": subject,
        **own,
        "Message-ID": message_id,
        "MIME-Version": "1.0",
        "In-Reply-To": " ".join(answered),
        "References": " ".join(before),
        "Importance": priority and priority.value,
        "X-Priority": priority and {"high": "1", "normal": "3", "low": "5"}[priority.value],
        "Auto-Submitted": automatic and automatic.value,
        "List-Unsubscribe": unsubscribe and ", ".join(f"<{uri}>" for uri in unsubscribe.uris),
        "List-Unsubscribe-Post": (
            "List-Unsubscribe=One-Click" if unsubscribe and unsubscribe.one_click else None
        ),
    }

    def check(read: Entity) -> None:
        for name, there in listed.items():
            assert read.mailboxes.get(name, ()) == tuple(one.shown for one in there), name
        expected = {
            name: value for name, value in fields.items() if value or name in {"Subject", *own}
        }
        for name, value in expected.items():
            assert read.field(name) == value, name
        written = datetime.strptime(read.field("Date"), "%a, %d %b %Y %H:%M:%S %z")
        assert written == date
        assert written.utcoffset() == date.utcoffset()
        of_content = [name for name, _ in read.fields if name.lower().startswith("content-")]
        assert sorted(name.lower() for name, _ in read.fields) == sorted(
            [*map(str.lower, expected), *map(str.lower, of_content), "date"]
            + [name for name, there in listed.items() if there]
        )

    return arguments, check


def canonical(text: str) -> bytes:
    """The lines of a text as mail has them: each ends with CRLF, the last one too."""
    lines = re.sub(r"\r\n|\r|\n", "\r\n", text)
    return (lines if not lines or lines.endswith("\r\n") else lines + "\r\n").encode()


Check = Callable[[Entity], None]


def text_check(text: str, content_type: str, **parameters: str) -> Check:
    def check(read: Entity) -> None:
        assert (read.content_type, read.disposition) == (content_type, None)
        assert read.parameters == {"charset": "utf-8", **parameters}
        assert read.octets == canonical(text)

    return check


def file_check(
    octets: bytes, content_type: str, disposition: str, name: str | None, content_id: str = ""
) -> Check:
    def check(read: Entity) -> None:
        assert (read.content_type, read.disposition) == (content_type.lower(), disposition)
        assert read.parameters == {}
        assert read.disposition_parameters == ({} if name is None else {"filename": name})
        assert read.octets == octets
        if content_id:
            assert read.field("Content-ID") == f"<{content_id}>"

    return check


def parts_check(subtype: str, checks: list[Check], **parameters: str) -> Check:
    def check(read: Entity) -> None:
        assert read.content_type == f"multipart/{subtype}"
        assert {k: v for k, v in read.parameters.items() if k != "boundary"} == parameters
        assert len(read.parts) == len(checks)
        for part, check_part in zip(read.parts, checks, strict=True):
            check_part(part)

    return check


@st.composite
def contents_asked(draw: st.DrawFn) -> tuple[dict[str, Any], Check]:
    """Arguments for compose() that make the body, and a check of what was read."""
    text, html = draw(st.none() | TEXTS), draw(st.none() | TEXTS)
    inline = {} if html is None else draw(st.dictionaries(_CONTENT_IDS, _FILES, max_size=2))
    markdown, calendar = draw(st.none() | TEXTS), draw(st.none() | _CALENDARS)
    files = draw(st.lists(_FILES | _FORWARDED, max_size=3))
    arguments = {
        "text": text,
        "html": html,
        "inline": inline,
        "alternatives": [] if markdown is None else [Alternative(markdown, "text/markdown")],
        "calendar": calendar,
        "attachments": files,
    }
    forms = [] if text is None else [text_check(text, "text/plain")]
    if html is not None:
        shown = text_check(html, "text/html")
        images = [
            file_check(image.content, str(image.content_type), "inline", image.filename, name)
            for name, image in inline.items()
        ]
        forms.append(
            parts_check("related", [shown, *images], type="text/html") if images else shown
        )
    if markdown is not None:
        forms.append(text_check(markdown, "text/markdown"))
    if calendar is not None:
        forms.append(text_check(calendar.content, "text/calendar", method="REQUEST"))
    forms = forms or [text_check("", "text/plain")]
    body = forms[0] if len(forms) == 1 else parts_check("alternative", forms)
    attached = [
        file_check(
            one.content,
            "message/rfc822" if isinstance(one, ForwardedMessage) else str(one.content_type),
            "attachment",
            one.filename,
        )
        for one in files
    ]
    if calendar is not None and calendar.filename is not None:
        octets = calendar.content.encode()
        attached.append(file_check(octets, "application/ics", "attachment", calendar.filename))
    return arguments, parts_check("mixed", [body, *attached]) if attached else body
