"""HTML as a stream of tags and texts, read the way browsers read it (WHATWG HTML §13.2.5).

The standard library's parser differs from browsers between the versions mailsend runs on, and takes
quadratic time on input made for it. This one is linear, and never fails.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from enum import Enum
from typing import Final

from attrs import frozen

_TAG_NAME: Final = re.compile(r"[A-Za-z][^\t\n\f\r />]*")
_BEFORE_ATTRIBUTE: Final = re.compile(r"[\t\n\f\r /]*")
_ATTRIBUTE_NAME: Final = re.compile(r"=?[^\t\n\f\r />=]*")
_EQUALS: Final = re.compile(r"[\t\n\f\r ]*=[\t\n\f\r ]*")
_UNQUOTED: Final = re.compile(r"[^\t\n\f\r >]*")
_COMMENT_END: Final = re.compile(r"--!?>")
# A reference without its semicolon is a part of a URL's query, where = or a letter follows.
_QUERY: Final = re.compile(r"&(?=[A-Za-z0-9]+=)")

RAW: Final = frozenset({
    "style", "script", "xmp", "iframe", "noembed", "noframes", "plaintext",
})  # fmt: skip
"""Elements whose content has no tags and no references."""

_ESCAPABLE: Final = frozenset({"title", "textarea"})  # no tags, but references
VOID: Final = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
})  # fmt: skip
"""Elements that have no content and no end tag."""

# Another of the same ends the one that is open.
_ENDED_BY_ITSELF: Final = frozenset({
    "p", "li", "dt", "dd", "tr", "td", "th", "tbody", "thead", "tfoot", "option", "optgroup",
})  # fmt: skip


class Kind(Enum):
    """What a piece of HTML is."""

    TEXT = "text"
    START = "start"
    END = "end"
    COMMENT = "comment"


@frozen
class Piece:
    """A piece of HTML.

    Attributes:
        kind: what it is.
        name: of a tag, in lower case; of a text the raw element it stands in, or "".
        text: of a text, references resolved; of a comment what stands inside.
        attributes: of a start tag, names in lower case, references resolved. The first of a name
            counts, as in browsers.
        start: where it begins in the source.
        end: where the next one begins.
    """

    kind: Kind
    name: str
    text: str
    attributes: dict[str, str]
    start: int
    end: int


def pieces(source: str) -> Iterator[Piece]:
    """Read HTML. What is cut off in the middle of a tag is left out, as in browsers.

    Time and memory grow with the length of the source, not faster.
    """
    position, size = 0, len(source)
    while position < size:
        if source[position] != "<":
            end = source.find("<", position)
            end = size if end < 0 else end
            yield _text(source, position, end)
            position = end
            continue
        piece = _markup(source, position)
        if piece is None:
            return
        yield piece
        position = piece.end
        if piece.kind is Kind.START and (piece.name in RAW or piece.name in _ESCAPABLE):
            end = _end_of_raw(source, piece.name, position)
            if end > position:
                yield _text(source, position, end, raw=piece.name)
            position = end


def depth(source: str, most: int) -> int:
    """How deep elements are nested, up to one more than `most`.

    What is not closed counts as open; elements that browsers add by themselves, such as tbody, do
    not count.
    """
    open_elements: list[str] = []
    deepest = 0
    for piece in pieces(source):
        if piece.kind is Kind.START and piece.name not in VOID:
            if piece.name in _ENDED_BY_ITSELF and open_elements[-1:] == [piece.name]:
                continue
            open_elements.append(piece.name)
            deepest = max(deepest, len(open_elements))
            if deepest > most:
                break
        elif piece.kind is Kind.END:
            last = len(open_elements) - 1
            while last > 0 and piece.name != open_elements[last] in _ENDED_BY_ITSELF:
                last -= 1
            if last >= 0 and open_elements[last] == piece.name:
                del open_elements[last:]
    return deepest


def _text(source: str, start: int, end: int, *, raw: str = "") -> Piece:
    text = source[start:end]
    if raw not in RAW and "&" in text:
        text = html.unescape(text)
    return Piece(Kind.TEXT, raw, text, {}, start, end)


def _markup(source: str, start: int) -> Piece | None:
    """The piece at a ``<``, or None where the source ends within it."""
    if source.startswith("<!--", start):
        return _comment(source, start)
    closing = source.startswith("</", start)
    name = _TAG_NAME.match(source, start + 1 + closing)
    if name is not None:
        return _tag(source, start, name, closing=closing)
    following = source[start + 1 : start + 2]
    if following in {"!", "?"} or (closing and len(source) > start + 2):
        end = source.find(">", start + 2)  # a doctype, or a bogus comment
        end = len(source) if end < 0 else end
        return Piece(Kind.COMMENT, "", source[start + 2 : end], {}, start, end + 1)
    return _text(source, start, start + 1)


def _comment(source: str, start: int) -> Piece:
    for empty in ("<!-->", "<!--->"):
        if source.startswith(empty, start):
            return Piece(Kind.COMMENT, "", "", {}, start, start + len(empty))
    found = _COMMENT_END.search(source, start + 4)
    inner, end = (found.start(), found.end()) if found else (len(source), len(source))
    return Piece(Kind.COMMENT, "", source[start + 4 : inner], {}, start, end)


def _tag(source: str, start: int, name: re.Match[str], *, closing: bool) -> Piece | None:
    attributes: dict[str, str] = {}
    position, size = name.end(), len(source)
    while True:
        position = _match(_BEFORE_ATTRIBUTE, source, position).end()
        if position >= size:
            return None
        if source[position] == ">":
            kind = Kind.END if closing else Kind.START
            return Piece(kind, _lower(name[0]), "", attributes, start, position + 1)
        key = _match(_ATTRIBUTE_NAME, source, position)
        position = key.end()
        value = ""
        equals = _EQUALS.match(source, position)
        if equals is not None:
            position = equals.end()
            quote = source[position : position + 1]
            if quote and quote in "\"'":
                end = source.find(quote, position + 1)
                if end < 0:
                    return None
                value, position = source[position + 1 : end], end + 1
            else:
                unquoted = _match(_UNQUOTED, source, position)
                value, position = unquoted[0], unquoted.end()
        if "&" in value:
            value = html.unescape(_QUERY.sub("&amp;", value))
        attributes.setdefault(_lower(key[0]), value)


def _match(pattern: re.Pattern[str], source: str, position: int) -> re.Match[str]:
    found = pattern.match(source, position)
    assert found is not None  # noqa: S101 - these patterns match the empty string
    return found


def _lower(name: str) -> str:
    # As browsers: ASCII alone, and the replacement character for NUL.
    return name.replace("\0", "\ufffd").translate(_ASCII_LOWER)


_ASCII_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def _end_of_raw(source: str, name: str, position: int) -> int:
    found = None if name == "plaintext" else _RAW_ENDS[name].search(source, position)
    return len(source) if found is None else found.start()


_RAW_ENDS: Final = {
    name: re.compile(rf"</{name}(?=[\t\n\f\r />])", re.IGNORECASE | re.ASCII)
    for name in RAW | _ESCAPABLE
}
