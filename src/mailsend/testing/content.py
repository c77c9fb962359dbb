"""The content of a message on its way through DATA or BDAT."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_END: Final = b"\r\n.\r\n"
_BARE_CR: Final = re.compile(rb"\r(?!\n)")
_BARE_LF: Final = re.compile(rb"(?<!\r)\n")
_LONGEST_LINE: Final = 998  # octets without CRLF, RFC 5322 §2.1.1


class DataDecoder:
    """Finds the end of the content of DATA and undoes dot-stuffing (RFC 5321 §4.5.2).

    Only CRLF "." CRLF ends the content, however it is cut into pieces. Other line ends do not:
    taking them for the end is what makes SMTP smuggling possible.
    """

    def __init__(self) -> None:
        # The CRLF of the DATA command itself may be the one before the final dot (§4.1.1.4).
        self._lines = bytearray(b"\r\n")

    def feed(self, data: bytes) -> tuple[bytes, bytes] | None:
        """Add a piece; None until the end, then the content and the octets behind its end."""
        start = max(0, len(self._lines) - len(_END) + 1)
        self._lines += data
        end = self._lines.find(_END, start)
        if end < 0:
            return None
        stuffed, rest = self._lines[: end + 2], self._lines[end + len(_END) :]
        return bytes(stuffed.replace(b"\r\n.", b"\r\n")[2:]), bytes(rest)


def violations(content: bytes, *, binary: bool, eight_bit: bool) -> Iterator[str]:
    """What is wrong with content, one sentence for each kind.

    Args:
        content: the content, without dot-stuffing.
        binary: BODY=BINARYMIME was given, which lifts all rules (RFC 3030 §3).
        eight_bit: octets above 127 were announced (RFC 6152 §3, RFC 6531 §3.4).
    """
    if binary:
        return
    if _BARE_CR.search(content):
        yield "content has a CR without LF (RFC 5321 §2.3.8)"
    if _BARE_LF.search(content):
        yield "content has an LF without CR (RFC 5321 §2.3.8)"
    if b"\0" in content:
        yield "content has a NUL (RFC 5322 §3.5)"
    if (longest := max(map(len, content.split(b"\r\n")))) > _LONGEST_LINE:
        yield f"content has a line of {longest} octets, 998 are allowed (RFC 5322 §2.1.1)"
    if not eight_bit and not content.isascii():
        yield "content has octets above 127 without BODY=8BITMIME or SMTPUTF8 (RFC 6152 §3)"
