"""Verification: octets that differ in anything from what was asked are found out.

The generator is watched while it writes, so few of these can come from it; verification must not
rely on that.
"""

from __future__ import annotations

import email
from email import policy
from typing import Any

import pytest

from mailsend import Attachment, InvalidMessage, compose
from mailsend.message import parse
from mailsend.message.reading import addresses_in
from mailsend.message.verification import verify

TEXT = (
    "From: Ada <a@x.org>\nTo: b@x.org, c@x.org\nSubject: x\nMIME-Version: 1.0\n"
    "Content-Type: multipart/mixed; boundary=B\n\n"
    "--B\nContent-Type: text/plain\n\ntext\n\n"
    "--B\nContent-Type: message/rfc822\n\nSubject: inner\nX-Inner: 1\n\ninner text\n\n"
    "--B\nContent-Type: message/delivery-status\n\nReporting-MTA: x\n\nAction: failed\n\n"
    "--B--\n"
).replace("\n", "\r\n")  # fmt: skip


def check(text: str) -> None:
    message: Any = email.message_from_string(TEXT, policy=policy.default)
    verify(text.encode(), message, parse(message))


def test_what_was_asked_passes() -> None:
    check(TEXT)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Subject: x\r\n", "Subject: x\r\nBcc: e@evil.org\r\n", "other fields.*bcc"),
        ("Subject: x\r\n", "", "other fields.*subject"),
        ("Subject: x\r\n", "Subject: x\r\nSubject: x\r\n", "other fields"),
        ("Subject: x\r\nMIME-Version: 1.0\r\n", "MIME-Version: 1.0\r\nSubject: x\r\n", "other"),
        ("Subject: x\r\n", "Subject: x\r\n\r\n", "other fields"),
        ("Subject: x\r\n", "Subject: x\r\nno field\r\n", "no field after the field Subject"),
        ("Subject: x", "Subject: =?utf-8?q?x=0A?=", "line end in an encoded word of Subject"),
        ("Subject: x", "Subject: " + "x" * 999, "Subject has a line of more than 998"),
        ("c@x.org", "c@x.org, e@evil.org", "other addresses in To"),
        ("b@x.org, c@x.org", "c@x.org, b@x.org", "other addresses in To"),
        ("b@x.org, c@x.org", "b@x.org", "other addresses in To"),
        ("Ada <a@x.org>", "=?utf-8?q?a=40x.org?=", "From"),
        ("--B\r\nContent-Type: text/plain\r\n", "--B\r\nX: 1\r\nContent-Type: text/plain\r\n", "x"),
        ("--B\r\nContent-Type: text/plain\r\n", "--B\r\n", "content-type"),
        ("text/plain\r\n\r\ntext", "text/plain\r\n\r\n\r\ntext", "another text"),
        ("\r\n\r\ntext\r\n", "\r\n\r\ntext", "another text"),
        ("inner text", "another text", "another text"),
        ("X-Inner: 1\r\n", "X-Inner: 1\r\nX-Evil: 1\r\n", "x-evil"),
        ("Reporting-MTA: x\r\n", "Reporting-MTA: x\r\nX-Evil: 1\r\n", "delivery status"),
        ("Action: failed\r\n", "Action: failed\r\n\r\nX-Evil: 1\r\n", "delivery status"),
        ("\r\n\r\ntext\r\n", "\r\n\r\ntext\r\n--B\r\n\r\nevil\r\n", "boundary"),
        ("\r\n\r\ntext\r\n", "\r\n\r\ntext\r\n--B--\r\n", "boundary"),
        ("--B--\r\n", "", "boundary"),
        ("=B\r\n\r\n--B\r\n", "=B\r\n\r\n--B\r\n\r\nevil\r\n--B\r\n", "boundary"),
    ],
)  # fmt: skip
def test_what_was_not_asked_is_found_out(old: str, new: str, words: str) -> None:
    assert old in TEXT
    with pytest.raises(InvalidMessage, match=words):
        check(TEXT.replace(old, new, 1))


def test_two_readings_of_one_field_have_to_be_the_same() -> None:
    class Lying(str):
        __slots__ = ()
        defects = ()
        addresses = ()

    assert addresses_in("To", "b@x.org") == ("b@x.org",)
    with pytest.raises(InvalidMessage, match="other addresses than email"):
        addresses_in("To", Lying("b@x.org"))


def test_what_compose_makes_passes_as_it_is() -> None:
    message = compose(
        sender="a@x.org", to=["b@x.org"], text="a\nb", html="<p>a", subject="Grüße",
        attachments=[Attachment(b"\0" * 999, "größe.bin")],
    )  # fmt: skip
    octets = message.as_bytes(policy=policy.SMTP.clone(max_line_length=998))
    verify(octets, message, parse(message))
