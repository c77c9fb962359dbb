"""What a reader gets to see of a message, taken from its octets. No octets make it fail."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from typing import Any, Final, TypeVar

from attrs import field, frozen

from mailsend.errors import InvalidMessage
from mailsend.message import AnyMessage

_Found = TypeVar("_Found")

# Codecs that mail does not use, and that are slow or no charset.
_NO_CHARSETS: Final = frozenset({
    "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem",
})  # fmt: skip
_FALLBACK: Final = "utf-8"
_MAX_DECODED: Final = 20_000  # characters: decode_header takes quadratic time on hostile fields


@frozen
class Part:
    """What is neither the text nor the HTML of a message.

    Attributes:
        name: its file name, or "".
        media_type: such as ``image/png``.
        content_id: without its brackets, or "".
        disposition: ``attachment``, ``inline`` or "".
        content: the octets, decoded.
    """

    name: str
    media_type: str
    content_id: str
    disposition: str
    content: bytes = field(repr=False)


@frozen
class Letter:
    """A message as its reader sees it.

    Attributes:
        fields: name and decoded value of each header field.
        text: the plain text, or None.
        html: the HTML, or None.
        parts: all else.
        content: the octets.
    """

    fields: tuple[tuple[str, str], ...]
    text: str | None
    html: str | None
    parts: tuple[Part, ...]
    content: bytes = field(repr=False)

    def first(self, name: str) -> str:
        """The first field of this name, or ""."""
        return next((value for other, value in self.fields if other.lower() == name), "")


def read(content: bytes) -> Letter:
    """Take a message apart.

    Raises:
        InvalidMessage: Its parts are nested too deep.
    """
    try:
        # The parser that gives no objects for header fields: those fail on odd ones.
        message = message_from_bytes(content)
        leaves = list(_leaves(message))
    except RecursionError as error:
        raise InvalidMessage("the parts of the message are nested too deep") from error
    bodies: dict[str, str] = {}
    parts = []
    for leaf in leaves:
        media_type = _tried(leaf.get_content_type, "text/plain")
        disposition = _tried(leaf.get_content_disposition, None) or ""
        if (
            media_type in {"text/plain", "text/html"}
            and media_type not in bodies
            and disposition != "attachment"
        ):
            bodies[media_type] = _text_of(leaf)
        else:
            parts.append(_part_of(leaf, media_type, disposition))
    return Letter(
        tuple((_clean(name), decoded(value)) for name, value in message.raw_items()),
        bodies.get("text/plain"),
        bodies.get("text/html"),
        tuple(parts),
        content,
    )


def decoded(value: Any) -> str:
    """A field's value on one line, encoded words resolved as far as they can be."""
    text = _clean(str(value)).replace("\r", "").replace("\n", "")
    if "=?" not in text or len(text) > _MAX_DECODED:
        return text
    try:
        words = decode_header(text)
    except (HeaderParseError, ValueError):
        return text
    return "".join(
        word if isinstance(word, str) else _in_charset(word, charset) for word, charset in words
    )


def _leaves(message: AnyMessage) -> Iterator[AnyMessage]:
    waiting = [message]
    while waiting:
        part = waiting.pop()
        inner: Any = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(inner, list):
            waiting += reversed(inner)
        else:
            yield part


def _part_of(leaf: AnyMessage, media_type: str, disposition: str) -> Part:
    return Part(
        name=decoded(_tried(leaf.get_filename, None) or ""),
        media_type=_clean(media_type),
        content_id=_clean(str(leaf.get("Content-ID", ""))).strip().strip("<>"),
        disposition=_clean(disposition),
        content=_octets_of(leaf),
    )


def _octets_of(leaf: AnyMessage) -> bytes:
    if leaf.is_multipart():  # a message within the message
        inner: Any = leaf.get_payload()
        return b"".join(_tried(part.as_bytes, b"") for part in inner)
    payload: Any = _tried(lambda: _decoded_payload(leaf), None)
    return payload if isinstance(payload, bytes) else b""


def _decoded_payload(leaf: AnyMessage) -> Any:
    return leaf.get_payload(decode=True)


def _text_of(leaf: AnyMessage) -> str:
    charset = _tried(leaf.get_content_charset, None)
    return _in_charset(_octets_of(leaf), charset).replace("\r\n", "\n").replace("\r", "\n")


def _in_charset(octets: bytes, charset: str | None) -> str:
    try:
        name = codecs.lookup(charset or _FALLBACK).name
        if name.replace("-", "_") not in _NO_CHARSETS:
            return _clean(octets.decode(name, "replace"))
    except (LookupError, ValueError, TypeError):
        pass
    return octets.decode(_FALLBACK, "replace")


def _clean(text: str) -> str:
    """The same without what no output could hold: octets that the parser kept as surrogates."""
    return text.encode("utf-8", "surrogateescape" if _escaped(text) else "replace").decode(
        "utf-8", "replace"
    )


def _escaped(text: str) -> bool:
    return all(not 0xD800 <= ord(c) < 0xDC80 and not 0xDCFF < ord(c) < 0xE000 for c in text)


def _tried(attempt: Callable[[], _Found], otherwise: _Found) -> _Found:
    """What the parser says, where it says anything: it fails in many ways on odd fields."""
    try:
        return attempt()
    except Exception:  # noqa: BLE001 - see above
        return otherwise
