"""A strict reader of header sections, as octets (RFC 5322 §2.2, §3.6.8).

It knows the grammar that may be generated and nothing of the obsolete one, so that what it reads
no other reader takes for something else.
"""

from __future__ import annotations

import binascii
import re
from typing import Final

from attrs import field, frozen

from mailsend.errors import InvalidMessage

# Possessive, so that a line that is no field costs one pass and no more.
_FIELD: Final = re.compile(rb"([!-9;-~]+):((?:[^\r\n]++|\r\n(?=[ \t]))*+)\r\n")
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BLANK_LINE: Final = re.compile(rb"\r\n[ \t]+\r\n")
# Those octets in an encoded word (RFC 2047 §4) that end a line for whoever writes it decoded.
_WORD: Final = re.compile(rb"=\?[^?\s]*\?([bBqQ])\?([^?\s]*)\?=")
_ENCODED_END: Final = re.compile(rb"=0[0AaDd]")


@frozen
class Field:
    """One header field.

    Attributes:
        name: as it is written.
        octets: all of it, the CRLF at its end included.
        start: where it begins in what was read.
    """

    name: str
    octets: bytes = field(repr=False)
    start: int

    @property
    def end(self) -> int:
        """Where the next field begins."""
        return self.start + len(self.octets)

    @property
    def value(self) -> bytes:
        """Unfolded, without the blanks around it."""
        return self.octets[len(self.name) + 1 :].replace(b"\r\n", b"").strip(b" \t")


@frozen
class HeaderSection:
    """The fields before a body.

    Attributes:
        fields: in their order.
        end: where the body begins; the empty line before it belongs to neither.
    """

    fields: tuple[Field, ...]
    end: int

    @property
    def names(self) -> list[str]:
        """In lower case, in order."""
        return [one.name.lower() for one in self.fields]


def read_header_section(octets: bytes, start: int = 0) -> HeaderSection:
    """Read a header section up to its empty line, or to the end where there is no body.

    Args:
        octets: every line end is CRLF.
        start: where the section begins.

    Raises:
        InvalidMessage: A line is no header field, or not the kind that may be generated.
    """
    fields: list[Field] = []
    position = start
    while position < len(octets):
        if octets.startswith(b"\r\n", position):
            return HeaderSection(tuple(fields), position + 2)
        match = _FIELD.match(octets, position)
        if match is None:
            line = octets[position : position + 80].partition(b"\r\n")[0]
            after = f" after the field {fields[-1].name}" if fields else ""
            raise InvalidMessage(
                f"the header section has a line that is no field{after}: {ascii(line)[1:]}",
                advice="A field is a name, a colon and a value on one line, or folded on lines "
                "that begin with a blank; an empty line ends the section",
            )
        one = Field(match[1].decode("ascii"), match[0], position)
        if _CONTROL.search(one.octets) or _BLANK_LINE.search(one.octets):
            raise InvalidMessage(
                f"the field {one.name[:80]} has a control character or a line of blanks only",
                advice="Take it out; readers disagree on where such a field ends",
            )
        fields.append(one)
        position = one.end
    return HeaderSection(tuple(fields), position)


def hides_line_end(value: bytes) -> bool:
    """Whether an encoded word of a value has a CR, LF or NUL in it.

    No honest one has. Who decodes and writes it again, as the standard library does
    (CVE-2024-6923), makes several fields of one.
    """
    for word in _WORD.finditer(value) if b"=?" in value else ():
        if word[1] in b"qQ":
            if _ENCODED_END.search(word[2]):
                return True
        elif re.search(rb"[\r\n\0]", _base64(word[2])):
            return True
    return False


def _base64(text: bytes) -> bytes:
    try:
        return binascii.a2b_base64(text + b"==")
    except binascii.Error:
        return b""
