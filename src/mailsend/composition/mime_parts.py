"""MIME entities in a form that every path carries: lines of 998 octets at most, ASCII only."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Sequence
from email.message import EmailMessage, Message
from email.policy import SMTP
from functools import cache
from typing import Any, Final

from mailsend.composition.header_fields import HeaderField, ParametersField, VerbatimField
from mailsend.content import has_overlong_line
from mailsend.errors import InvalidMessage

_BASE64_LINE: Final = 57  # octets that make a line of 76 characters, RFC 2045 §6.8
_LINE_END: Final = re.compile(r"\r\n|\r")
_SEVEN_BIT: Final = bytes([9, 10, *range(32, 127)])  # what a text may have, RFC 2045 §2.7
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def checked_text(name: str, text: object) -> str:
    """See that a body can be written: a string without NUL and lone surrogates.

    Returns:
        The same text, as a plain string where it is of a subclass.

    Raises:
        InvalidMessage: It cannot.
    """
    if not isinstance(text, str):
        raise InvalidMessage(f"{name} has to be a string, not {type(text).__name__}")
    text = str.__str__(text)
    if "\0" in text or (not text.isascii() and _SURROGATE.search(text)):
        raise InvalidMessage(f"{name} contains a NUL or a lone surrogate")
    return text


def part(
    content_type: HeaderField, encoding: str | None, payload: str | list[Message | str]
) -> EmailMessage:
    """An entity of its header fields and its payload, encoded already."""
    made = EmailMessage(policy=SMTP)
    add_field(made, content_type)
    if encoding is not None:
        add_field(made, standard_field("Content-Transfer-Encoding", encoding))
    made.set_payload(payload)
    return made


def add_field(message: EmailMessage, field: Any) -> None:
    """Add a field as it is.

    ``message[name] = field`` would do the same, and make a class to find out how often the field
    may be there, which takes longer than all the rest of a short message.

    Args:
        message: that does not have the field yet, where it may be there only once.
        field: with a name and a fold() of its own.
    """
    message.set_raw(field.name, field)


@cache
def standard_field(name: str, value: str) -> Any:
    """A field of the standard library's own kind; for a name and a value of the few we write."""
    return SMTP.header_factory(name, value)


def text_part(text: str, content_type: str, **parameters: str) -> EmailMessage:
    """A text in UTF-8, as it is or in the shorter of quoted-printable and base64.

    Line ends become CRLF on the wire (RFC 2046 §4.1.1), and the last line gets one.
    """
    kind = ParametersField.of("Content-Type", content_type, charset="utf-8", **parameters)
    return part(kind, *encoded_text(text))


def encoded_text(text: str) -> tuple[str, str]:
    """The transfer encoding of a text, and the text in it, in lines that end with LF."""
    lines = _LINE_END.sub("\n", text) if "\r" in text else text
    if lines and not lines.endswith("\n"):
        lines += "\n"
    if lines.isascii():
        octets = lines.encode("ascii")
        # Deleting what is allowed is many times as quick as matching it.
        if not octets.translate(None, _SEVEN_BIT) and not has_overlong_line(octets, line_end=1):
            return "7bit", lines
    canonical = lines.replace("\n", "\r\n").encode()
    quoted = binascii.b2a_qp(canonical, istext=True)
    if len(quoted) <= _base64_size(len(canonical)):
        return "quoted-printable", quoted.decode("ascii").replace("\r\n", "\n")
    return "base64", _base64(canonical)


def octets_part(octets: bytes, content_type: str) -> EmailMessage:
    """Octets of any kind, in base64."""
    return part(ParametersField.of("Content-Type", content_type), "base64", _base64(octets))


def multipart(subtype: str, parts: Sequence[EmailMessage], **parameters: str) -> EmailMessage:
    """Several entities as one; its boundary is chosen when it is written."""
    kind = ParametersField.of("Content-Type", f"multipart/{subtype}", **parameters)
    # A multipart is labelled as what is in it (RFC 2045 §6.4).
    eight_bit = any(one.get("Content-Transfer-Encoding") == "8bit" for one in parts)
    return part(kind, "8bit" if eight_bit else None, list(parts))


def disposed(entity: EmailMessage, disposition: str, filename: str | None) -> EmailMessage:
    """The entity, marked as an attachment or as shown inline (RFC 2183)."""
    named = {} if filename is None else {"filename": filename}
    add_field(entity, ParametersField.of("Content-Disposition", disposition, **named))
    return entity


def identified(entity: EmailMessage, content_id: str) -> EmailMessage:
    """The entity, with an id by which an HTML text refers to it (RFC 2392)."""
    add_field(entity, VerbatimField(f"<{content_id}>", name="Content-ID"))
    return entity


def _base64(octets: bytes) -> str:
    return "".join(_base64_lines(octets))


def _base64_lines(octets: bytes) -> Iterable[str]:
    for start in range(0, len(octets), _BASE64_LINE):
        yield binascii.b2a_base64(octets[start : start + _BASE64_LINE]).decode("ascii")


def _base64_size(octets: int) -> int:
    lines = -(-octets // _BASE64_LINE)
    return -(-octets // 3) * 4 + 2 * lines
