"""What a mailing makes is what compose() and render() make of the same, octet for octet."""

from __future__ import annotations

import email
import html
import re
from datetime import UTC, datetime, timedelta, timezone
from email import policy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Template as Jinja
from octets_reader import addresses, decoded, read

from mailsend import (
    Attachment,
    Envelope,
    InvalidAddress,
    InvalidMessage,
    ListUnsubscribe,
    Mailbox,
    compose,
)
from mailsend.bulk import Mailing
from mailsend.message import envelope_of, parse, render

SENDER = Mailbox("news@example.org", "Nëws, of Acme")
ID = "<1@example.org>"
few = settings(max_examples=25)
dates = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001 - the zone is drawn by itself
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-3, minutes=-30))]),
)
nasty = st.sampled_from(
    [*' "\\,;:<>@()[]=?_.-%\'*é日😀\r\n\0\t\x0c\x85\x7f', "=?utf-8?q?", "?=", "=0A", "\r\n\r\n",
     "\r\nBcc: evil@evil.org\r\n", "\nX-Evil: 1", ", evil@evil.org, ", "evil@evil.org", "x" * 70,
     "=?utf-8?q?a=0D=0AX-Evil=3A_1?=", "y" * 1100, "Ünï ", "日" * 30, "\n.\n", "\u2028", "\ud800",
     "$name", "{{ name }}", "${", "\n--", "=20\n", "From x\n", " \n", "&<script>", "  ", "word "]
)  # fmt: skip
values = st.text(max_size=20) | st.lists(nasty, max_size=10).map("".join)
lines = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=80)
locals_ = st.from_regex(r"[a-z]{1,12}(\.[a-zé]{1,12})?", fullmatch=True)


def bare(octets: bytes) -> bytes:
    """The octets with their boundaries called alike."""
    found = dict.fromkeys(re.findall(rb'boundary="(={15}\d{19}={2})"', octets))
    for number, boundary in enumerate(found):
        octets = octets.replace(boundary, b"%038d" % number)
    return octets


def on_the_wire(envelope: Envelope) -> list[tuple[str, bool]]:
    listed = [envelope.sender_address, *envelope.recipient_addresses]
    assert len(envelope.recipients) == 1
    return [(one.on_the_wire, one.needs_smtputf8) for one in listed if one is not None]


def both(mailing: Mailing, to: Any, given_values: dict[str, str], **same: Any) -> bytes | None:
    """The octets of both ways if they are alike, None if both refuse it."""
    parts = {"message_id": ID, "rules": mailing.rules, **same}
    try:
        message = parse(compose(to=to, date=mailing.date, **parts))
        theirs = render(message, eight_bit=False, utf8=message.needs_smtputf8)
    except (InvalidMessage, InvalidAddress):
        theirs = None
    try:
        ours = mailing.render(to, given_values, message_id=ID)
    except (InvalidMessage, InvalidAddress):
        assert theirs is None
        return None
    assert theirs is not None
    assert bare(ours.content) == bare(theirs)
    # One keeps the spelling of its receiver, the other reads the field: the same on the wire.
    assert on_the_wire(ours.envelope) == on_the_wire(envelope_of(message))
    return ours.content


@few
@given(values, values, locals_, dates, st.booleans(), st.booleans(), st.booleans())
def test_dollar(
    name: str, other: str, local: str, date: datetime, files: bool, with_html: bool, usual: bool
) -> None:
    # Where nothing is refused in a line, what stands in the texts is seen.
    line = "".join(c for c in name if c.isprintable()) if usual else name
    word = "a1" if usual else other
    attachments = [Attachment(b"\0\1" * 100, "terms – Ü.pdf")] if files else []
    same: dict[str, Any] = {
        "sender": SENDER,
        "reply_to": ["office@example.org", "Ada <ada@example.org>"],
        "attachments": attachments,
        "priority": "high",
    }
    mailing = Mailing(
        **same,
        syntax="dollar",
        date=date,
        subject="Hi $line, $$5",
        text="Dear ${name},\n$other\n",
        html="<p>$name: $other</p>" if with_html else None,
        headers={"X-Fix": "grün", "X-Name": "a $line b", "Feedback-ID": "$word"},
        list_unsubscribe=["https://example.org/$word", "mailto:a@example.org"],
        one_click=True,
    )
    try:
        unsubscribe = ListUnsubscribe(
            [f"https://example.org/{word}", "mailto:a@example.org"], one_click=True
        )
    except InvalidMessage:
        unsubscribe = None
    headers = {"X-Fix": "grün", "X-Name": f"a {line} b", "Feedback-ID": word}
    got = both(
        mailing,
        Mailbox(f"{local}@example.com", "Lovelace, Ada"),
        {"name": name, "other": other, "line": line, "word": word},
        **same,
        subject=f"Hi {line}, $5",
        text=f"Dear {name},\n{other}\n",
        html=f"<p>{html.escape(name)}: {html.escape(other)}</p>" if with_html else None,
        headers=headers,
        # What is refused by itself is to be refused here too.
        list_unsubscribe=unsubscribe or object(),
    )
    if usual:
        assert (got is None) is any("\0" in text or "\ud800" in text for text in (name, other))
    if got is not None:
        assert unsubscribe is not None
        assert b"evil" not in b"".join(
            re.findall(rb"(?mi)^(?:x-evil|bcc).*", got.split(b"\r\n\r\n")[0])
        )


@few
@given(values, values, locals_, st.booleans())
def test_subject_texts_and_one_header(name: str, other: str, local: str, files: bool) -> None:
    """As above, with less that can be refused, by Jinja2."""
    attachments = [Attachment(b"a;b", "a.csv")] if files else []
    same: dict[str, Any] = {"sender": SENDER, "attachments": attachments}
    mailing = Mailing(
        **same,
        date=datetime(2026, 12, 1, tzinfo=UTC),
        subject="Hi {{ subject }}",
        text="Dear {{ name }},\n{{ other }}",
        html="<p>{{ name }}</p>\n<p>{{ other }}</p>",
        headers={"X-Name": "{{ subject }} b"},
    )
    subject = "".join(c for c in name if c.isprintable())
    page = Jinja("<p>{{ name }}</p>\n<p>{{ other }}</p>", autoescape=True)
    to = f"{local}@example.com"
    got = both(
        mailing,
        to,
        {"name": name, "other": other, "subject": subject},
        **same,
        subject=f"Hi {subject}".strip(),
        text=f"Dear {name},\n{other}",
        html=page.render(name=name, other=other),
        headers={"X-Name": f"{subject} b"},
    )
    unwritable = any("\0" in text or "\ud800" in text for text in (name, other))
    assert (got is None) is unwritable
    if got is None:
        return
    there = read(got)
    assert there.names == [
        "from", "to", "subject", "date", "message-id", "x-name", "mime-version", "content-type",
    ]  # fmt: skip
    assert addresses(there.all("to")[0]) == [to]
    assert decoded(there.all("subject")[0]) == f"Hi {subject}".strip()
    parsed: Any = email.message_from_bytes(got, policy=policy.default)
    plain = parsed.get_body(("plain",)).get_payload(decode=True).decode()
    ended = re.sub("\r\n|\r|\n", "\r\n", f"Dear {name},\n{other}")
    # The reader takes lines as they come, and gives 7bit parts with LF.
    assert re.sub("\r\n", "\n", plain) == re.sub("\r\n", "\n", ended).removesuffix("\n") + "\n"
    assert len(list(parsed.iter_attachments())) == len(attachments)


@few
@given(lines, locals_)
def test_receivers(name: str, local: str) -> None:
    mailing = Mailing(sender=SENDER, text="t", date=datetime(2026, 12, 1, tzinfo=UTC))
    try:
        to = Mailbox(f"{local}@bücher.example", name)
    except InvalidMessage:  # an override of the direction
        return
    got = both(mailing, to, {}, sender=SENDER, text="t")
    assert got is not None
    there = read(got)
    assert addresses(there.all("to")[0]) == [f"{local}@xn--bcher-kva.example"]
    assert there.names.count("to") == 1


@few
@given(values, st.lists(values, max_size=3))
def test_a_list_with_bad_rows_goes_on(text: str, names: list[str]) -> None:
    mailing = Mailing(sender=SENDER, subject="$x", text="$x", syntax="dollar")
    rows: list[Any] = [
        {"address": text, "x": text},
        *({"address": "a@b.org", "x": n} for n in names),
    ]
    bad: list[Any] = []
    made = list(mailing.messages([*rows, {"address": "z@b.org", "x": "z"}], on_error=bad.append))
    assert len(made) + len(bad) == len(rows) + 1
    assert made[-1].envelope.recipients == ("z@b.org",)
    assert all(str(row.error).startswith(f"row {row.number}: ") for row in bad)
    for one in made:
        assert read(one.content).names == [
            "from", "to", "subject", "date", "message-id", "mime-version", "content-type",
            "content-transfer-encoding",
        ]  # fmt: skip
