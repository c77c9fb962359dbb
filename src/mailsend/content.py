"""The octets of a message as SMTP carries them (RFC 5321 §2.3.8, §4.5.2)."""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from mailsend.errors import InvalidMessage

MAX_LINE_OCTETS: Final = 1000  # its CRLF included, RFC 5321 §4.5.3.1.6

_LONE_LINE_END: Final = re.compile(rb"\r(?!\n)|(?<!\r)\n")


@frozen
class Content:
    """A complete message, canonical and checked. Made by :func:`prepare`.

    Attributes:
        data: header section and body; every line ends with CRLF, the last one too.
        eight_bit: whether there are octets above 127, which need 8BITMIME (RFC 6152).
        eight_bit_header: whether the header section has some, which need SMTPUTF8 (RFC 6532).
    """

    data: bytes
    eight_bit: bool
    eight_bit_header: bool

    @property
    def size(self) -> int:
        """Octets to declare with SIZE: CRLF line ends counted, dot-stuffing not (RFC 1870 §6)."""
        return len(self.data)


def prepare(data: bytes) -> Content:
    """Bring line ends to CRLF and check what no server may be sent.

    A CR or LF that stands alone ends a line, as it does for every program that shows it: sent as
    it is, it lets one server see an end of data where another sees none.

    Raises:
        InvalidMessage: A NUL, or a line of more than 998 octets.
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise InvalidMessage(f"the content has to be bytes, not {type(data).__name__}")
    octets = bytes(data)
    if b"\0" in octets:
        raise InvalidMessage(
            "the content contains a NUL octet, which mail cannot carry",
            advice="Attach binary data, so that it is encoded as base64",
        )
    octets = with_crlf(octets)
    if not octets.endswith(b"\r\n"):
        octets += b"\r\n"
    if has_overlong_line(octets):
        raise InvalidMessage(
            "the content has a line of more than 998 octets (RFC 5321 §4.5.3.1.6)",
            advice="Encode that part as quoted-printable or base64, as compose() does",
        )
    eight_bit = not octets.isascii()
    end = 0 if octets.startswith(b"\r\n") else octets.find(b"\r\n\r\n")
    header = octets if end < 0 else octets[:end]
    return Content(octets, eight_bit, eight_bit and not header.isascii())


def with_crlf(octets: bytes) -> bytes:
    """The same with CRLF for every CR, LF and CRLF. What has only CRLF is not copied."""
    pairs = octets.count(b"\r\n")
    if octets.count(b"\n") == octets.count(b"\r") == pairs:
        return octets
    if b"\r" not in octets:
        return octets.replace(b"\n", b"\r\n")
    return _LONE_LINE_END.sub(b"\r\n", octets)


def has_overlong_line(octets: bytes, *, line_end: int = 2) -> bool:
    """Whether a line has more than 998 octets.

    Args:
        octets: with one kind of line end, CRLF or LF.
        line_end: the octets of that.
    """
    most = MAX_LINE_OCTETS - 2
    start = 0
    while len(octets) - start > most:
        end = octets.rfind(b"\n", start, start + most + line_end)
        if end < 0:
            return True
        start = end + 1
    return False


END_OF_DATA: Final = b".\r\n"
"""What ends the content; the CRLF before it is the content's own (RFC 5321 §4.1.1.4)."""


def dot_stuff(canonical: bytes) -> bytes:
    """Double the dot at the start of every line that has one (RFC 5321 §4.5.2).

    Args:
        canonical: octets in which every line end is CRLF.
    """
    if b"\n." in canonical:
        canonical = canonical.replace(b"\r\n.", b"\r\n..")
    return b"." + canonical if canonical.startswith(b".") else canonical
