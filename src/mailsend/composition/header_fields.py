"""Values of header fields that write themselves, alike on every Python.

The standard library's own folding loses quotes, which makes recipients, and turns identifiers into
encoded words. It leaves folding to a value that has a ``name`` and a ``fold()``
(:class:`email.policy.EmailPolicy`); these are such values. Each is a string that reads as the
standard library's would.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from email.headerregistry import Address as HeaderAddress
from email.headerregistry import Group
from email.policy import Policy
from typing import Any, ClassVar, Final, Self, TypeAlias

from mailsend.composition.encoded_words import encoded_words
from mailsend.composition.mailbox import ATOMS, Mailbox, quoted_string
from mailsend.errors import InvalidMessage

CRLF: Final = "\r\n"
LINE: Final = 78  # characters that a line should not exceed, RFC 5322 §2.1.1
_HARD_LINE: Final = 998  # and those that it must not
# Longer words than this are encoded, where they may be, so that every line can be folded.
_WORD: Final = 900
_BLANK: Final = frozenset({"", " "})
_TEXT: Final = re.compile(r" *[^ ]+")
_VALUE_CHARS: Final = re.compile(r"[A-Za-z0-9 !#$&()*+,./:;<=>?@\[\]^_`{|}~-]*")
_ATTRIBUTE_CHARS: Final = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`{|}~"
)

Piece: TypeAlias = tuple[str, str]
"""A blank at which a line may be folded, and the word after it."""


class HeaderField(str):
    """A value that folds itself. Made by its subclasses.

    Attributes:
        name: of the field.
        defects: none; there for those who look at what the standard library's have.
    """

    __slots__ = ("name",)
    name: str
    defects: ClassVar[tuple[()]] = ()

    def __new__(cls, text: str, *, name: str = "") -> Self:
        made = super().__new__(cls, str.__str__(text))
        made.name = name
        return made

    def fold(self, *, policy: Policy[Any]) -> str:
        """The whole field, its name and last line end included."""
        text = str(self)
        # What most fields are is the same in pieces and in one.
        plain = text.isascii() and "=?" not in text and text[:1] not in _BLANK
        if plain and len(self.name) + 2 + len(text) <= LINE and text[-1] != " ":
            return f"{self.name}: {text}{policy.linesep}"
        pieces = self._pieces(utf8=bool(getattr(policy, "utf8", False)))
        return str(policy.linesep).join([*_lines(self.name, pieces), ""])

    def _pieces(self, *, utf8: bool) -> Iterable[Piece]:
        """What a line may be folded between; each kind of field has its own rule for it."""
        raise NotImplementedError


def _lines(name: str, pieces: Iterable[Piece]) -> list[str]:
    lines = []
    line, filled, empty = f"{name}:", len(name) + 1, True
    for blank, word in pieces:
        size = len(blank) + (len(word) if word.isascii() else len(word.encode()))
        # The first line keeps a word: some readers take a name with nothing behind it for empty.
        if not empty and filled + size > LINE:
            lines.append(line)
            line, filled = "", 0
        line += blank + word
        filled += size
        empty = False
    return [*lines, line if not empty else f"{name}: "]


class TextField(HeaderField):
    """Unstructured text (RFC 5322 §2.2.1), read back as it was given, every blank included."""

    __slots__ = ()

    def _pieces(self, *, utf8: bool) -> Iterable[Piece]:
        text = str(self)
        words = _TEXT.findall(text)
        odd = [
            number
            for number, word in enumerate(words)
            if not (utf8 or word.isascii()) or "=?" in word or len(word.encode()) > _WORD
        ]
        if text.startswith(" "):
            odd.append(0)
        if text.endswith(" "):
            odd.append(len(words) - 1)
        if not odd:
            return _pieces_of(text)
        # One run of encoded words, with exactly one blank between it and what is plain.
        first, last = max(min(odd), 0), max(odd)
        while first > 0 and not _single(words[first]):
            first -= 1
        while last + 1 < len(words) and not _single(words[last + 1]):
            last += 1
        before, after = words[:first], words[last + 1 :]
        run = text[sum(map(len, before)) : len(text) - sum(map(len, after))]
        if text.endswith(" "):
            run, after = text[sum(map(len, before)) :], []
        if before:
            run = run[1:]
        room = LINE - 2 - len(self.name) - 2
        return [
            *_pieces_of("".join(before)),
            *((" ", word) for word in encoded_words(run, first_room=75 if before else room)),
            *map(_piece, after),
        ]


def _pieces_of(text: str) -> list[Piece]:
    """A text that is written as it is, with a blank before it; it has none of its own there."""
    words = _TEXT.findall(text)
    return [(" ", word) if not number else _piece(word) for number, word in enumerate(words)]


def _piece(word: str) -> Piece:
    bare = word.lstrip(" ")
    return (word[: len(word) - len(bare)], bare)


def _single(word: str) -> bool:
    return word.startswith(" ") and not word.startswith("  ")


class VerbatimField(HeaderField):
    """Identifiers, URIs and keywords: printable ASCII, folded at its blanks, never encoded."""

    __slots__ = ()

    def __new__(cls, text: str, *, name: str = "") -> Self:
        """Check the text.

        Raises:
            InvalidMessage: A character has to be encoded, a blank stands at an end, or a word is
                longer than a line.
        """
        # Without a name it is being unpickled or copied, and was checked before.
        if name:
            _check_verbatim(name, text)
        return super().__new__(cls, text, name=name)

    def _pieces(self, *, utf8: bool) -> Iterable[Piece]:  # noqa: ARG002 - there is nothing to encode
        return _pieces_of(str(self))


def _check_verbatim(name: str, text: str) -> None:
    if not (text.isascii() and text.isprintable()) or "=?" in text:
        raise InvalidMessage(
            f"the header field {name} takes printable ASCII only, and no encoded words: "
            f"{ascii(text)[:80]}"
        )
    if not text or text != text.strip(" "):
        raise InvalidMessage(f"the header field {name} is empty, or has blanks at its ends")
    longest = max(map(len, _TEXT.findall(text)))
    if longest > _HARD_LINE - len(name) - 2:
        raise InvalidMessage(
            f"the header field {name} has a word of {longest} characters, longer than a line of "
            f"{_HARD_LINE} (RFC 5322 §2.1.1)"
        )


class SourceField(HeaderField):
    """What stood behind the colon in a message that was read, and is written as it stood."""

    __slots__ = ()

    def fold(self, *, policy: Policy[Any]) -> str:
        """The whole field, its name and last line end included."""
        return f"{self.name}:{self.replace(CRLF, policy.linesep)}{policy.linesep}"


class MailboxesField(HeaderField):
    """A list of mailboxes, of which each is read back as one (RFC 5322 §3.4).

    Attributes:
        mailboxes: those it lists.
    """

    __slots__ = ("mailboxes",)
    mailboxes: tuple[Mailbox, ...]

    @classmethod
    def of(cls, name: str, mailboxes: Iterable[Mailbox]) -> Self:
        """The field of this name."""
        listed = tuple(mailboxes)
        made = cls(", ".join(map(_readable, listed)), name=name)
        made.mailboxes = listed
        return made

    @property
    def addresses(self) -> tuple[HeaderAddress, ...]:
        """As the standard library's address fields have it."""
        return tuple(map(_WrittenAddress, self.mailboxes))

    @property
    def groups(self) -> tuple[Group, ...]:
        """As the standard library's address fields have it."""
        return tuple(Group(None, (address,)) for address in self.addresses)

    def _pieces(self, *, utf8: bool) -> Iterable[Piece]:
        last = len(self.mailboxes) - 1
        for number, mailbox in enumerate(self.mailboxes):
            address = mailbox.parts.on_the_wire
            room = LINE - 2 - len(self.name) - 2 if not number else 75
            name = _phrase(mailbox.name, utf8=utf8, room=room)
            yield from name
            yield " ", (f"<{address}>" if name else address) + ("," if number < last else "")


def _phrase(name: str, *, utf8: bool, room: int) -> list[Piece]:
    """A display name, in the plainest form that no reader can take for more than a name."""
    if not name:
        return []
    # An encoded word in quotes would be decoded by readers that know no better, commas included.
    if (name.isascii() or utf8) and "=?" not in name:
        pieces = _pieces_of(name if ATOMS.fullmatch(name) else quoted_string(name))
        if max(len(word.encode()) for _, word in pieces) <= _WORD:
            return pieces
    return [(" ", word) for word in encoded_words(name, first_room=room)]


def _readable(mailbox: Mailbox) -> str:
    address = mailbox.parts.on_the_wire
    if not mailbox.name:
        return address
    if "=?" in mailbox.name:
        name = " ".join(encoded_words(mailbox.name))
    elif ATOMS.fullmatch(
        mailbox.name if mailbox.name.isascii() else mailbox.name.translate(_NOT_ASCII)
    ):
        name = mailbox.name
    else:
        name = quoted_string(mailbox.name)
    return f"{name} <{address}>"


class _Letters(dict[int, str]):
    def __missing__(self, code: int) -> str:
        return chr(code) if code < 128 else "x"


_NOT_ASCII: Final = _Letters()


class _WrittenAddress(HeaderAddress):
    """An address in the form in which it is written, as the envelope has it too.

    The standard library's own puts no quotes around a local part such as ``a..b``.
    """

    def __init__(self, mailbox: Mailbox) -> None:
        super().__init__(mailbox.name, mailbox.parts.local_part, mailbox.parts.domain)
        self._on_the_wire = mailbox.parts.on_the_wire

    @property
    def addr_spec(self) -> str:
        """Local part and domain, the local part in quotes where it needs them."""
        return self._on_the_wire


class ParametersField(HeaderField):
    """A token with parameters: Content-Type and Content-Disposition (RFC 2045, 2183, 2231).

    Attributes:
        value: the token, in lower case.
        params: the parameters as they are to be read.
    """

    __slots__ = ("params", "value")
    value: str
    params: Mapping[str, str]

    @classmethod
    def of(cls, name: str, value: str, **params: str) -> Self:
        """The field of this name."""
        written = [value, *(part for key in params for part in _parameter(key, params[key]))]
        made = cls("; ".join(written), name=name)
        made.value = value
        made.params = dict(params)
        return made

    @property
    def content_type(self) -> str:
        """As the standard library's Content-Type has it."""
        return self.value

    @property
    def maintype(self) -> str:
        """As the standard library's Content-Type has it."""
        return self.value.partition("/")[0]

    @property
    def subtype(self) -> str:
        """As the standard library's Content-Type has it."""
        return self.value.partition("/")[2]

    @property
    def content_disposition(self) -> str:
        """As the standard library's Content-Disposition has it."""
        return self.value

    def _pieces(self, *, utf8: bool) -> Iterable[Piece]:  # noqa: ARG002 - ASCII in any case
        # Not by splitting the text, in which a name may have a semicolon of its own.
        words = [
            self.value,
            *(part for key, value in self.params.items() for part in _parameter(key, value)),
        ]
        return [(" ", word + (";" if word is not words[-1] else "")) for word in words]


def _parameter(name: str, value: str) -> list[str]:
    """A parameter in quotes; else with percent signs, in parts if it is long (RFC 2231 §3, §4).

    A quote or backslash is not escaped but written with a percent sign, because readers differ in
    how they take an escape off.
    """
    quoted = f'{name}="{value}"'
    plain = _VALUE_CHARS.fullmatch(value) and "=?" not in value and value == value.strip(" ")
    if plain and len(quoted) <= LINE - 2:
        return [quoted]
    octets = [
        c if c in _ATTRIBUTE_CHARS else "".join(f"%{octet:02X}" for octet in c.encode())
        for c in value
    ]
    whole = f"{name}*=utf-8''{''.join(octets)}"
    if len(whole) <= LINE - 2:
        return [whole]
    parts = [f"{name}*0*=utf-8''"]
    for octet in octets:
        if len(parts[-1]) + len(octet) > LINE - 2:
            parts.append(f"{name}*{len(parts)}*=")
        parts[-1] += octet
    return parts
