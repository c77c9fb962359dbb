"""Verification: the octets of a message, read back and held against what was asked.

The standard library's generator has turned one recipient into two and one header into several in
each version mailsend runs on. So nothing of its output is believed: the header section of the
message and of every part is read by our own reader, names and addresses are compared, and the text
of each part has to be the one that was given.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

from mailsend.content import MAX_LINE_OCTETS, has_overlong_line, with_crlf
from mailsend.errors import InvalidMessage
from mailsend.message.header_section import HeaderSection, hides_line_end, read_header_section
from mailsend.message.reading import (
    ADDRESS_FIELDS,
    BLIND,
    AnyMessage,
    ParsedMessage,
    addresses_in,
)
from mailsend.message.transfer import octets_of

_REST_OF_BOUNDARY: Final = re.compile(rb"(--)?[ \t]*(?=\r\n|\Z)")
_SEND_OCTETS: Final = "Send the signed message as bytes, as its signer made it: send(octets)"


def verify(content: bytes, written: AnyMessage, parsed: ParsedMessage) -> None:
    """See that octets say what a message says.

    Args:
        content: what was written, with every line end CRLF.
        written: what it was written from: a copy without Bcc, its parts fit for the path.
        parsed: the caller's message, which nobody has written.

    Raises:
        InvalidMessage: They differ; the text names the field or part.
    """
    section = _section(content, written)
    found = [one for one in section.fields if one.name.lower() in ADDRESS_FIELDS]
    asked = [one for one in parsed.fields if one.name not in BLIND]
    for field, intended in zip(found, asked, strict=True):
        text = field.value.decode("utf-8")
        # What reads as it was given, and was understood then, is read the same again.
        again = text != intended.text
        if again and addresses_in(field.name, text, parsed.rules) != intended.addresses:
            raise not_as_asked(f"other addresses in {field.name} than the message has")
    _check_body(content[section.end :], written, parsed.message)


def not_as_asked(what: str) -> InvalidMessage:
    """The error for a header section that says something else than the message."""
    return InvalidMessage(
        f"written as octets, the header section has {what}",
        advice="A header field holds a line end or an address list that the standard library "
        "writes wrongly; build the message with compose(), or shorten the display names",
    )


def _section(octets: bytes, part: AnyMessage) -> HeaderSection:
    """The header section at the start of a part's octets, if it has the part's own fields."""
    section = read_header_section(octets)
    asked = [name.lower() for name in part.keys()]  # noqa: SIM118 - not a dict
    if section.names != asked:
        odd = [name for name in section.names if name not in asked] or [
            name for name in asked if name not in section.names
        ]
        raise not_as_asked(f"other fields than the message: {ascii((odd or asked)[0])[1:41]}")
    for field in section.fields:
        if hides_line_end(field.value):
            raise not_as_asked(f"a line end in an encoded word of {field.name}")
        if len(field.octets) > MAX_LINE_OCTETS and has_overlong_line(field.octets):
            raise InvalidMessage(
                f"the field {field.name} has a line of more than 998 octets (RFC 5322 §2.1.1)",
                advice="Put blanks into its value, where it can be folded",
            )
    if section.end == len(octets) and not octets.endswith(b"\r\n\r\n") and octets != b"\r\n":
        raise not_as_asked("no end")
    return section


def _check_part(octets: bytes, written: AnyMessage, asked: AnyMessage) -> None:
    _check_body(octets[_section(octets, written).end :], written, asked)


def _check_body(body: bytes, written: AnyMessage, asked: Any) -> None:
    inner: Any = vars(written)["_payload"]
    originals: Any = vars(asked)["_payload"]
    kind = written.get_content_type()
    if not written.is_multipart():
        if body != with_crlf(octets_of(written)):
            raise InvalidMessage(
                f"written as octets, a part of type {ascii(kind)[1:41]} has another text than it "
                "was given",
                advice="Look for line ends in the values of its header fields",
            )
    elif kind == "message/delivery-status":
        _check_blocks(body, inner)
    elif written.get_content_maintype() == "message":
        _check_part(body, inner[0], originals[0])
    elif inner:
        pieces = _split(body, written)
        if kind == "multipart/signed":
            _check_signed(pieces[0], originals[0])
        for piece, part, original in zip(pieces, inner, originals, strict=True):
            _check_part(piece, part, original)


def _check_blocks(body: bytes, blocks: Sequence[AnyMessage]) -> None:
    """Each block of a delivery status is a header section of its own (RFC 3464 §2.1)."""
    position = 0
    for block in blocks:
        section = read_header_section(body, position)
        if section.names != [name.lower() for name in block.keys()]:  # noqa: SIM118
            raise not_as_asked("other fields in a delivery status than it was given")
        position = section.end
    if body[position:].strip(b"\r\n"):
        raise not_as_asked("other fields in a delivery status than it was given")


def _split(body: bytes, part: AnyMessage) -> list[bytes]:
    """The parts between the boundary lines (RFC 2046 §5.1.1), as many as were asked."""
    boundary = str(part.get_boundary())
    lines = list(_boundary_lines(body, b"--" + boundary.encode("ascii")))
    count = len(part.get_payload())
    if [last for _, _, last in lines] != [False] * count + [True]:
        raise InvalidMessage(
            f"a part has the boundary {ascii(boundary)[:40]} in its text, or around it another one",
            advice="Let email.message choose the boundary",
        )
    return [body[end + 2 : start] for (_, end, _), (start, _, _) in pairwise(lines)]


def _boundary_lines(body: bytes, delimiter: bytes) -> Iterator[tuple[int, int, bool]]:
    """Where each begins, with the CRLF before it, and ends, without its own; and if it closes."""
    match = _REST_OF_BOUNDARY.match(body, len(delimiter))
    if match and body.startswith(delimiter):
        yield 0, match.end(), bool(match[1])
    # find() is many times faster than a pattern is in what attachments consist of.
    start = body.find(b"\r\n" + delimiter)
    while start >= 0:
        if match := _REST_OF_BOUNDARY.match(body, start + 2 + len(delimiter)):
            yield start, match.end(), bool(match[1])
        start = body.find(b"\r\n" + delimiter, start + 2)


def _check_signed(octets: bytes, original: AnyMessage) -> None:
    """See that a signed part is written as whoever signed it must have seen it (RFC 1847 §2.1).

    That is how the part is written by itself, where that is the same with long fields folded
    and with them left alone.
    """
    for part in original.walk():
        if part.get_content_maintype() == "multipart" and part.get_boundary() is None:
            raise _unlike("it was never written before: it has a part without a boundary")
    apart = copy.deepcopy(original)
    if with_crlf(apart.as_bytes(policy=apart.policy.clone(linesep="\r\n"))) != octets:
        raise _unlike("it can be written in more than one way")


def _unlike(reason: str) -> InvalidMessage:
    return InvalidMessage(
        f"what signature the signed part has cannot be told to be of these octets: {reason}",
        advice=_SEND_OCTETS,
    )
