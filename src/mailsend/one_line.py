"""What may stand in a header field: one line of text."""

from __future__ import annotations

from mailsend.errors import InvalidMessage


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
    # All printable means none of those, and is far quicker to see.
    if not text.isprintable():
        for c in text:
            code = ord(c)
            if (
                code < 32
                or 127 <= code < 160
                or 0x2028 <= code <= 0x202E
                or 0x2066 <= code <= 0x2069
                or 0xD800 <= code < 0xE000
            ):
                raise InvalidMessage(
                    f"{name} contains the character U+{code:04X}",
                    advice="Take out line ends and other control characters",
                )
    return text
