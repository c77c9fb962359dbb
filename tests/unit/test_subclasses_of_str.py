"""Texts of a subclass of str: what was checked is what is written."""

from __future__ import annotations

from enum import Enum
from typing import Any

import pytest

from mailsend import Attachment, Envelope, Mailbox, MemoryTransport, compose, parse_address


class Letter(str, Enum):  # noqa: UP042 - whose str() is "Letter.SUBJECT", unlike a StrEnum's
    SENDER = "Ada Lovelace <ada@example.org>"
    RECIPIENT = "bob@example.org"
    SUBJECT = "Welcome"
    TEXT = "Good day.\n"
    ID = "<1@example.org>"
    FILE = "minutes.txt"


class Lying(str):
    """One whose methods tell something else than it holds, as a text marked safe for HTML does."""

    __slots__ = ()

    def __str__(self) -> str:
        return "x\r\nBcc: eve@example.org"

    def __format__(self, spec: str) -> str:
        return str(self)

    def __radd__(self, other: str) -> str:
        return str(self)

    def __add__(self, other: str) -> str:
        return str(self)

    def replace(self, *_: Any) -> str:
        return str(self)

    def encode(self, *_: Any) -> bytes:
        return str(self).encode()

    def rpartition(self, _: str) -> tuple[str, str, str]:
        return ("eve", "@", "example.org")


def octets_of(**parts: Any) -> bytes:
    transport = MemoryTransport()
    transport.send(compose(**parts))
    (submission,) = transport.submissions
    assert submission.envelope == Envelope("ada@example.org", ["bob@example.org"])
    return submission.content


@pytest.mark.parametrize("kind", [str, Lying])
def test_a_message(kind: type[str]) -> None:
    def text(member: Letter) -> str:
        return member if kind is str else Lying(member.value)

    octets = octets_of(
        sender=text(Letter.SENDER),
        to=text(Letter.RECIPIENT),
        subject=text(Letter.SUBJECT),
        text=text(Letter.TEXT),
        html=text(Letter.TEXT),
        message_id=text(Letter.ID),
        references=[text(Letter.ID)],
        attachments=[Attachment(b"x", text(Letter.FILE))],
        headers={"X-Campaign": text(Letter.SUBJECT)},
    )
    for line in (
        b"From: Ada Lovelace <ada@example.org>\r\n",
        b"To: bob@example.org\r\n",
        b"Subject: Welcome\r\n",
        b"Message-ID: <1@example.org>\r\n",
        b"References: <1@example.org>\r\n",
        b"X-Campaign: Welcome\r\n",
        b'filename="minutes.txt"\r\n',
    ):
        assert line in octets
    assert octets.count(b"\r\n\r\nGood day.\r\n") == 2
    assert b"eve" not in octets


def test_addresses_and_names() -> None:
    address = parse_address(Lying("ada@example.org"))
    assert (type(address.text), address.on_the_wire) == (str, "ada@example.org")
    mailbox = Mailbox(Lying("ada@example.org"), Lying("Lovelace, Ada"))
    assert str(mailbox) == '"Lovelace, Ada" <ada@example.org>'
    assert Envelope(None, [Lying("bob@example.org")]).recipients == ("bob@example.org",)
