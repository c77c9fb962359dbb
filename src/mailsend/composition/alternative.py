"""Forms of a text beside the plain one and the HTML one, for programs that know them."""

from __future__ import annotations

import re
from email.message import EmailMessage
from typing import Final

from attrs import field, frozen

from mailsend.composition.attachment import checked_type, optional_file_name
from mailsend.composition.mime_parts import checked_text, disposed, octets_part, text_part
from mailsend.errors import InvalidMessage

_METHOD: Final = re.compile(r"^METHOD:([A-Za-z0-9-]{1,60})\r?$", re.IGNORECASE | re.MULTILINE)
_CALENDAR: Final = re.compile(
    r"BEGIN:VCALENDAR\r?\n.*\nEND:VCALENDAR\s*", re.IGNORECASE | re.DOTALL
)


def _text(value: str) -> str:
    return checked_text("the content of an alternative", value)


def _text_type(value: str) -> str:
    kind = checked_type(value)
    if not kind.startswith("text/"):
        raise InvalidMessage(f"the content type of an alternative has to be a text, not {kind}")
    return kind


@frozen
class Alternative:
    """The same text in another form.

    Attributes:
        content: the text.
        content_type: such as ``text/markdown``.

    Raises:
        InvalidMessage: The text contains a NUL or a lone surrogate, or the type is none of text.
    """

    content: str = field(repr=False, converter=_text)
    content_type: str = field(converter=_text_type)

    def as_part(self) -> EmailMessage:
        """A MIME entity of it."""
        return text_part(self.content, self.content_type)


def _calendar(value: str | bytes) -> str:
    if isinstance(value, bytes | bytearray):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidMessage("the calendar is not written in UTF-8") from error
    text = checked_text("the calendar", value)
    if not _CALENDAR.fullmatch(text):
        raise InvalidMessage("the calendar does not run from BEGIN:VCALENDAR to END:VCALENDAR")
    return text


@frozen
class CalendarInvitation:
    """An invitation, or another message of iCalendar, that calendar programs answer to.

    It stands last beside the texts of the message, as text/calendar (RFC 6047 §2.4).

    Attributes:
        content: the iCalendar object, text or its octets in UTF-8.
        method: REQUEST, REPLY, CANCEL…; None reads it from the METHOD property.
        filename: such as ``invite.ics``, to attach it as a file too, for those whose program
            knows no invitations; None does not.

    Raises:
        InvalidMessage: The content is no iCalendar object, has no METHOD, or has another one.
    """

    content: str = field(repr=False, converter=_calendar)
    method: str | None = field(default=None)
    filename: str | None = field(default=None, converter=optional_file_name)

    def __attrs_post_init__(self) -> None:
        found = _METHOD.findall(self.content)
        if len(found) != 1:
            raise InvalidMessage(
                f"the calendar has {len(found) or 'no'} METHOD properties where mail needs one",
                advice="An invitation has the line METHOD:REQUEST; attach a calendar that is "
                "none as a file",
            )
        method = found[0] if self.method is None else self.method
        if not isinstance(method, str) or method.upper() != found[0].upper():
            raise InvalidMessage(
                f"the method of the calendar is {found[0]}, not {ascii(method)[:80]}"
            )
        object.__setattr__(self, "method", method.upper())

    def as_part(self) -> EmailMessage:
        """A MIME entity of it, to stand beside the texts."""
        return text_part(self.content, "text/calendar", method=str(self.method))

    def as_file(self) -> EmailMessage | None:
        """A MIME entity of it as an attachment, if it has a file name."""
        if self.filename is None:
            return None
        entity = octets_part(self.content.encode(), "application/ics")
        return disposed(entity, "attachment", self.filename)
