"""Text in a header section that is ASCII only (RFC 2047)."""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from typing import Final

_LONGEST: Final = 75  # characters of an encoded word, RFC 2047 §2
_FRAME: Final = len("=?utf-8?q??=")
# What stands for itself everywhere, display names included (RFC 2047 §5).
_PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")


def encoded_words(text: str, *, first_room: int = _LONGEST) -> list[str]:
    """The text as encoded words, the Q or the B encoding, whichever is shorter.

    A reader puts them together without the blanks that stand between them (RFC 2047 §6.2), so the
    text's own blanks are inside. No character is divided between two, and no word if it is short
    enough.

    Args:
        text: any text without surrogates.
        first_room: characters that the line has left for the first one; it is used as far as a
            word of sensible length fits.
    """
    q = [_q(c) for c in text]
    octets = len(text.encode())
    if sum(map(len, q)) <= (octets + 2) // 3 * 4:
        return [f"=?utf-8?q?{part}?=" for part in _joined(q, first_room)]
    chunks = _joined(list(text), first_room, octets=True)
    return [f"=?utf-8?b?{_base64(part)}?=" for part in chunks]


def _joined(atoms: list[str], first_room: int, *, octets: bool = False) -> Iterator[str]:
    sizes = [len(atom.encode()) if octets else len(atom) for atom in atoms]
    room = _payload(min(first_room, _LONGEST), octets=octets)
    start = filled = 0
    blank = 0  # behind the last blank since the start
    for number, atom in enumerate(atoms):
        while filled + sizes[number] > room and number > start:
            # Behind a blank if there is one: the standard library's reader of display names keeps
            # the blank between encoded words, which then does no harm.
            end = blank if blank > start else number
            yield "".join(atoms[start:end])
            filled -= sum(sizes[start:end])
            start, room = end, _payload(_LONGEST, octets=octets)
        filled += sizes[number]
        if atom in {" ", "_"}:
            blank = number + 1
    yield "".join(atoms[start:])


def _payload(room: int, *, octets: bool) -> int:
    characters = max(room - _FRAME, 20)
    return characters // 4 * 3 if octets else characters


def _q(c: str) -> str:
    if c in _PLAIN:
        return c
    return "_" if c == " " else "".join(f"={octet:02X}" for octet in c.encode())


def _base64(text: str) -> str:
    return binascii.b2a_base64(text.encode(), newline=False).decode("ascii")
