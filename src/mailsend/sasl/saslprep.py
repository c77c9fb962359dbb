"""SASLprep: one form for all spellings of a user name or a password (RFC 4013, RFC 3454)."""

from __future__ import annotations

import stringprep
from collections.abc import Callable
from typing import Final
from unicodedata import ucd_3_2_0 as unicode_3_2

_PROHIBITED: Final[tuple[Callable[[str], bool], ...]] = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


class NotPreparable(ValueError):
    """The text has a character that SASLprep prohibits, or mixes directions of writing."""


def saslprep(text: str, *, unassigned: bool = False) -> str:
    """The form of a text that is compared and hashed.

    Args:
        text: as it was typed.
        unassigned: take code points that Unicode 3.2 does not have, as for a query (RFC 3454 §7);
            a stored string, such as a password, may have none.

    Raises:
        NotPreparable: There is no such form.
    """
    if text.isascii() and text.isprintable():
        return text
    mapped = "".join(
        " " if stringprep.in_table_c12(c) else c
        for c in text
        if not stringprep.in_table_b1(c) or stringprep.in_table_c12(c)
    )
    prepared = unicode_3_2.normalize("NFKC", mapped)
    for character in prepared:
        if any(prohibits(character) for prohibits in _PROHIBITED):
            raise NotPreparable("has a character that may not stand in it")
        if not unassigned and stringprep.in_table_a1(character):
            raise NotPreparable("has a character that Unicode 3.2 does not know")
    _check_directions(prepared)
    return prepared


def _check_directions(text: str) -> None:
    """RFC 3454 §6."""
    if not any(map(stringprep.in_table_d1, text)):
        return
    if any(map(stringprep.in_table_d2, text)):
        raise NotPreparable("mixes directions of writing")
    if not (stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])):
        raise NotPreparable("mixes directions of writing")
