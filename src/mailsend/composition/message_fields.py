"""Header fields with a form of their own: identifiers, dates, and what a message is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

from mailsend.composition.header_fields import HeaderField, MailboxesField, TextField, VerbatimField
from mailsend.composition.mailbox import Mailbox
from mailsend.composition.one_line import check_line
from mailsend.errors import InvalidMessage

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DOT_ATOM: Final = rf"{_ATOM}(?:\.{_ATOM})*"
# What we make ourselves is as RFC 5322 §3.6.4 has it.
_OWN_ID: Final = re.compile(rf"<{_DOT_ATOM}@(?:{_DOT_ATOM}|\[[!-Z^-~]*\])>")
# What others have made is quoted as it is, odd or not, as long as it is one word.
_OTHERS_ID: Final = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")
_MAX_ID: Final = 900  # characters, in a line of 998
_FIELD_NAME: Final = re.compile(r"[!-9;-~]{1,76}")  # with colon and blank a line of 78
# Fields in which no encoded word may stand (RFC 2047 §5), so that none is ever made.
_VERBATIM: Final = frozenset({
    "auto-submitted", "feedback-id", "importance", "in-reply-to", "list-archive",
    "list-help", "list-owner", "list-post", "list-subscribe", "list-unsubscribe",
    "list-unsubscribe-post", "precedence", "priority", "references", "x-priority",
})  # fmt: skip
# Fields of addresses, in which those must not be encoded.
_ADDRESSES: Final = frozenset({
    "disposition-notification-to", "errors-to", "mail-followup-to", "mail-reply-to",
    "return-receipt-to", "x-confirm-reading-to",
})  # fmt: skip
# compose() sets these from its own arguments; given again, they could contradict the envelope.
_OWN_FIELDS: Final = frozenset({
    "from", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id", "sender",
    "mime-version", "content-type", "content-transfer-encoding", "content-disposition",
    "content-id",
})  # fmt: skip


class Priority(StrEnum):
    """How urgent the sender holds a message. Mail programs show it; nothing is faster for it."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def x_priority(self) -> str:
        """As X-Priority has it: 1, 3 or 5."""
        return {"high": "1", "normal": "3", "low": "5"}[self.value]


class AutoSubmitted(StrEnum):
    """Whether a program sent the message by itself (RFC 3834 §5); such are not to be answered."""

    NO = "no"
    AUTO_GENERATED = "auto-generated"
    AUTO_REPLIED = "auto-replied"


_Choice = TypeVar("_Choice", bound=StrEnum)


def chosen(kind: type[_Choice], name: str, value: object) -> _Choice:
    """One of an enumeration, from itself or its text.

    Raises:
        InvalidMessage: There is none such.
    """
    try:
        return kind(value)  # type: ignore[arg-type]  # anything, and most of it is refused
    except ValueError as error:
        choices = ", ".join(kind)
        raise InvalidMessage(
            f"{name} has to be one of {choices}, not {ascii(value)[:80]}"
        ) from error


def message_id(text: str) -> HeaderField:
    """A Message-ID of one's own.

    Raises:
        InvalidMessage: It is not of the form ``<left@right>`` (RFC 5322 §3.6.4).
    """
    text = check_line("message_id", text)
    if len(text) > _MAX_ID:
        raise InvalidMessage(f"message_id has more than {_MAX_ID} characters")
    if not _OWN_ID.fullmatch(text):
        raise InvalidMessage(
            f"message_id {ascii(text)[:80]} is not of the form <left@right> (RFC 5322 §3.6.4)"
        )
    return VerbatimField(text, name="Message-ID")


def identifiers(argument: str, name: str, given: str | Iterable[str]) -> list[HeaderField]:
    """In-Reply-To or References, of the ids of others; no field where there are none.

    Args:
        argument: what to call it in an error.
        name: of the field.
        given: one id, several in one string with blanks between them, or a list.

    Raises:
        InvalidMessage: One is not of the form ``<left@right>``.
    """
    if isinstance(given, str):
        given = check_line(argument, given)
        ids = given.split(" ") if given else []
    elif isinstance(given, Iterable) and not isinstance(given, bytes | bytearray):
        ids = list(given)
    else:
        raise InvalidMessage(f"{argument} has to be a message id or a list of them")
    ids = [check_line(argument, one) for one in ids]
    for one in ids:
        if not _OTHERS_ID.fullmatch(one) or "=?" in one:
            raise InvalidMessage(
                f"{argument} has {ascii(one)[:80]}, which is not of the form <left@right>",
                advice="Give the Message-ID of the message that is answered, in angle brackets",
            )
    return [VerbatimField(" ".join(ids), name=name)] if ids else []


def checked_date(value: object) -> datetime:
    """See that a value can be a Date.

    Raises:
        InvalidMessage: It has no offset from UTC, or none that the field can have.
    """
    if not isinstance(value, datetime):
        raise InvalidMessage(f"date has to be a datetime, not {type(value).__name__}")
    offset = value.utcoffset()
    if offset is None:
        raise InvalidMessage(
            "date has no time zone", advice="Use datetime.now(timezone.utc), or astimezone()"
        )
    if value.year < 1900 or offset.total_seconds() % 60:
        raise InvalidMessage(
            "date is before 1900, or its offset from UTC has seconds (RFC 5322 §3.3)"
        )
    return value


def check_further_name(name: str) -> str:
    """See that a name is that of a header field which no argument of compose() stands for.

    Returns:
        It, in lower case.

    Raises:
        InvalidMessage: It is not.
    """
    if not isinstance(name, str) or not _FIELD_NAME.fullmatch(name):
        raise InvalidMessage(f"{ascii(name)[:80]} is no name of a header field")
    lower = name.lower()
    if lower in _OWN_FIELDS or lower.startswith("resent-"):
        raise InvalidMessage(f"the header field {name} is not set through `headers`")
    if lower == "return-path":
        raise InvalidMessage(
            f"the header field {name} is set by the server that delivers (RFC 5321 §4.4)",
            advice="Say where bounces go with send(message, envelope=Envelope(...))",
        )
    return lower


def further_field(name: str, value: str) -> HeaderField:
    """A header field that no argument of compose() stands for.

    Raises:
        InvalidMessage: It has no such name, is set by an argument, or the value is not one line
            or not of the form that this field needs.
    """
    lower = check_further_name(name)
    value = check_line(f"the header field {name}", value)
    if lower in {"in-reply-to", "references"}:
        if not value:
            raise InvalidMessage(f"the header field {name} is empty")
        return identifiers(f"the header field {name}", name, value)[0]
    if lower in _ADDRESSES and not value.isascii():
        return MailboxesField.of(name, [Mailbox.parse(value, field=f"the header field {name}")])
    verbatim = lower in _VERBATIM or lower in _ADDRESSES
    return (VerbatimField if verbatim else TextField)(value, name=name)
