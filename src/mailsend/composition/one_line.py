"""What may stand in a header field: one line of text."""

from __future__ import annotations

import re
from typing import Final

from mailsend.errors import InvalidMessage

_ODD: Final = re.compile("[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def check_line(name: str, text: object) -> str:
    """See that a value is a string without line ends and other control characters.

    Allowed are all characters of which languages are written, the soft hyphen, joiners and the
    like included. Not allowed are controls (C0, C1 and DEL), line and paragraph separators,
    overrides of the writing direction, and lone surrogates.

    Args:
        name: what to call the value in an error.
        text: the value.

    Returns:
        The same text, as a plain string where it is of a subclass.

    Raises:
        InvalidMessage: It is no string, or has such a character.
    """
    if not isinstance(text, str):
        raise InvalidMessage(f"{name} has to be a string, not {type(text).__name__}")
    # What is checked is what is written: str() of an enumeration's member is its name, and a
    # subclass may have other methods than these.
    text = str.__str__(text)
    if (odd := odd_character(text)) is not None:
        raise InvalidMessage(
            f"{name} contains the character {odd}",
            advice="Take out line ends and other control characters",
        )
    return text


def odd_character(text: str) -> str | None:
    """The first character that may not stand in a line, such as U+000A; None where there is none.

    Args:
        text: any text, and no subclass of it.
    """
    # All printable means none of those, and is far quicker to see.
    found = None if text.isprintable() else _ODD.search(text)
    return None if found is None else f"U+{ord(found[0]):04X}"
