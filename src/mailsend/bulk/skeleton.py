"""The octets of a message with gaps for what is each receiver's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.policy import SMTP, Policy
from typing import Any, Final

from attrs import field, frozen

from mailsend.composition.header_fields import HeaderField, MailboxesField
from mailsend.composition.mailbox import ATOMS
from mailsend.composition.mime_parts import checked_text, encoded_text
from mailsend.message.header_section import hides_line_end, read_header_section
from mailsend.message.reading import addresses_in
from mailsend.message.verification import not_as_asked
from mailsend.message.writing import field_octets, wire_policy

_BOUNDARY: Final = re.compile(rb'boundary="([^"\r\n]+)"')


@frozen
class Skeleton:
    """Octets that were rendered once, cut where receivers differ. Made by :meth:`of`.

    Attributes:
        pieces: octets, and the names of gaps between them.
        boundaries: those of the message, which no text may have in it.
        policy: by which fields are written into it.
    """

    pieces: tuple[bytes | str, ...] = field(repr=False)
    boundaries: tuple[bytes, ...]
    policy: Policy[Any]

    @classmethod
    def of(
        cls, octets: bytes, fields: Mapping[str, str], marks: Mapping[str, str], *, utf8: bool
    ) -> Skeleton:
        """Cut a message up.

        Args:
            octets: a message as ``render()`` makes it.
            fields: names of its header fields, in lower case, to names of gaps.
            marks: lines to names of gaps. Each is the whole text of one of its parts, and occurs
                nowhere else.
            utf8: whether fields are written in UTF-8.
        """
        cuts = [
            (one.start, one.end, fields[one.name.lower()])
            for one in read_header_section(octets).fields
            if one.name.lower() in fields
        ]
        for mark, gap in marks.items():
            # As text_part() writes it: the transfer encoding is the last field of a text.
            whole = f"Content-Transfer-Encoding: 7bit\r\n\r\n{mark}\r\n".encode("ascii")
            start = octets.index(whole)
            cuts.append((start, start + len(whole), gap))
        pieces: list[bytes | str] = []
        position = 0
        for start, end, gap in sorted(cuts):
            pieces += [octets[position:start], gap]
            position = end
        pieces.append(octets[position:])
        return cls(
            tuple(piece for piece in pieces if piece),
            tuple(b"--" + boundary for boundary in set(_BOUNDARY.findall(octets))),
            wire_policy(SMTP, eight_bit=False, utf8=utf8),
        )

    def filled(self, made: Mapping[str, bytes]) -> bytes:
        """The message with every gap filled."""
        return b"".join([made[p] if isinstance(p, str) else p for p in self.pieces])

    def field(self, value: HeaderField) -> bytes:
        """A header field, seen to be one.

        Raises:
            InvalidMessage: It is not.
        """
        octets = field_octets(value.name, value, self.policy)
        if b"=?" in octets and hides_line_end(octets):
            raise not_as_asked(f"a line end in an encoded word of {value.name}")
        return octets

    def receiver(self, value: MailboxesField) -> bytes:
        """The field To, seen to be one with the one address that it is asked to have.

        Raises:
            InvalidMessage: It is not.
        """
        octets = self.field(value)
        (mailbox,) = value.mailboxes
        # Of a name of plain words there is only one reading.
        if mailbox.name and not ATOMS.fullmatch(mailbox.name):
            text = octets[3:].replace(b"\r\n", b"").strip(b" ").decode("utf-8")
            address = mailbox.parts.on_the_wire
            if addresses_in("To", text, mailbox.rules) != (address,):
                raise not_as_asked("other addresses in To than the message has")
        return octets

    def text(self, name: str, value: str) -> bytes | None:
        """A text with its transfer encoding, or None where it has a boundary in it.

        Raises:
            InvalidMessage: It cannot be written.
        """
        encoding, lines = encoded_text(checked_text(name, value))
        octets = lines.replace("\n", "\r\n").encode("ascii")
        if any(boundary in octets for boundary in self.boundaries):
            return None
        return b"Content-Transfer-Encoding: %b\r\n\r\n%b" % (encoding.encode("ascii"), octets)
