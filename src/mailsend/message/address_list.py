"""A strict, linear reader of the address lists in header fields (RFC 5322 §3.4).

Display names, comments and groups are understood and left behind. Obsolete forms (§4.4) are
refused, but for dots in display names, which everybody writes. Encoded words are not decoded: what
stands in one is part of a name, whatever it says (RFC 2047 §5).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, NoReturn

from mailsend.errors import InvalidMessage

MAX_COMMENT_DEPTH: Final = 8

_FOLD: Final = re.compile(r"\r?\n(?=[ \t])")
_CONTROL: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
_TOKEN: Final = re.compile(
    r"""(?P<blank>[ \t]++)
    |(?P<atom>[^\x00-\x20\x7f()<>@,;:\\".\[\]]++)
    |(?P<quoted>"(?:[^"\\]|\\.)*+")
    |(?P<literal>\[[^\[\]\\ \t]*+\])
    |(?P<special>[<>@,;:.])""",
    re.VERBOSE,
)
_COMMENT_MARK: Final = re.compile(r"\\.|[()]")
_OF_A_NAME: Final = frozenset({"atom", "quoted", "."})
_OF_AN_ADDRESS: Final = frozenset({"atom", "quoted", "literal", ".", "@"})


class _Token(NamedTuple):
    kind: str  # atom, quoted, literal, or the special character itself
    start: int
    end: int


def read_address_list(text: str, *, name: str) -> tuple[str, ...]:
    """The bare addresses of a field's value, in order, each as it is written.

    What is returned has the form of an address and is not checked further.

    Args:
        text: the value, folded or not.
        name: the field's name, for errors.

    Raises:
        InvalidMessage: It cannot be read in exactly one way.
    """
    return tuple(_List(_FOLD.sub("", text), name).addresses())


class _List:
    """The course of one reading.

    A separator ends a member: a comma a mailbox, a colon the name of a group, a semicolon the
    group's last mailbox.
    """

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._found: list[str] = []
        self._in_group = False
        self._after_group = False
        self._after_comma = False

    def addresses(self) -> list[str]:
        ends: dict[str, Callable[[list[_Token]], None]] = {
            ",": self._comma, ":": self._begin_group, ";": self._end_group
        }  # fmt: skip
        member: list[_Token] = []
        for token in self._tokens():
            if token.kind in ends:
                ends[token.kind](member)
                member = []
            elif self._after_group:
                self._refuse("something stands between a group and the next comma")
            else:
                member.append(token)
        if self._in_group:
            self._refuse("a group has no end")
        if member or self._after_comma:
            self._mailbox(member)
        return self._found

    def _comma(self, member: list[_Token]) -> None:
        if not self._after_group:
            self._mailbox(member)
        self._after_group, self._after_comma = False, True

    def _begin_group(self, member: list[_Token]) -> None:
        if self._in_group or not member or any(t.kind not in _OF_A_NAME for t in member):
            self._refuse("a colon stands where no group begins")
        self._in_group, self._after_comma = True, False

    def _end_group(self, member: list[_Token]) -> None:
        if not self._in_group:
            self._refuse("a semicolon ends no group")
        if member or self._after_comma:
            self._mailbox(member)
        self._in_group, self._after_group, self._after_comma = False, True, False

    def _refuse(self, problem: str) -> NoReturn:
        raise InvalidMessage(
            f"the field {self._name} has no clear meaning, {problem}: {ascii(self._text)[:80]}",
            advice='Write each address as ada@example.org or "Ada" <ada@example.org>, with commas '
            "between them",
        )

    def _mailbox(self, tokens: list[_Token]) -> None:
        kinds = [token.kind for token in tokens]
        if "<" in kinds:
            begin = kinds.index("<")
            if any(kind not in _OF_A_NAME for kind in kinds[:begin]):
                self._refuse("a display name has characters that need quotes")
            if kinds[-1] != ">":
                self._refuse("something stands behind an address in angle brackets")
            tokens = tokens[begin + 1 : -1]
        if not tokens:
            self._refuse("an address is missing")
        for token, following in zip(tokens, [*tokens[1:], None], strict=True):
            if token.kind not in _OF_AN_ADDRESS:
                self._refuse("an address has characters that it cannot have")
            if following is not None and token.end != following.start:
                self._refuse("an address has blanks or comments in it")
        address = self._text[tokens[0].start : tokens[-1].end]
        if "=?" in address:  # which the standard library writes, and decodes again (RFC 2047 §5)
            self._refuse("an encoded word stands in an address")
        self._found.append(address)

    def _tokens(self) -> Iterator[_Token]:
        text = self._text
        if control := _CONTROL.search(text):
            self._refuse(f"it contains the character U+{ord(control[0]):04X}")
        position = 0
        while position < len(text):
            if text[position] == "(":
                position = self._comment_end(position)
                continue
            match = _TOKEN.match(text, position)
            if match is None:
                self._refuse(f"at {text[position]!a}")
            kind = str(match.lastgroup)
            if kind != "blank":
                yield _Token(match[0] if kind == "special" else kind, position, match.end())
            position = match.end()

    def _comment_end(self, start: int) -> int:
        depth = 0
        for mark in _COMMENT_MARK.finditer(self._text, start):
            depth += {"(": 1, ")": -1}.get(mark[0], 0)
            if depth > MAX_COMMENT_DEPTH:
                self._refuse("comments are nested too deep")
            if depth == 0:
                return mark.end()
        return self._refuse("a comment has no end")
