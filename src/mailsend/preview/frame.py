"""The HTML of a message, made into a document that can do nothing, and what it would have done.

What keeps the document from acting is the frame it is shown in: a sandbox, and a content security
policy. That it is written anew, from a list of harmless elements, is for what those do not cover,
such as ``<link rel=preconnect>``.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from attrs import define, field, frozen

from mailsend.markup import VOID, Kind, Piece, pieces
from mailsend.preview.reading import Part

POLICY: Final = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; "
    "base-uri 'none'"
)
"""The content security policy of page and frame."""

MAX_HTML: Final = 2_000_000
"""Characters of HTML that are shown."""

MAX_IMAGES: Final = 20_000_000
"""Octets of images that are shown."""

# Those that an <img> shows as pixels. SVG is a document; mail clients do not show it either.
IMAGE_TYPES: Final = frozenset({
    "image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/avif",
})  # fmt: skip

_ELEMENTS: Final = frozenset({
    "a", "abbr", "acronym", "address", "area", "article", "aside", "b", "bdi", "bdo", "big",
    "blockquote", "body", "br", "caption", "center", "cite", "code", "col", "colgroup", "dd",
    "del", "details", "dfn", "dir", "div", "dl", "dt", "em", "figcaption", "figure", "font",
    "footer", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "html", "i", "img",
    "ins", "kbd", "label", "legend", "li", "main", "map", "mark", "menu", "meta", "nav", "nobr",
    "ol", "p", "pre", "q", "rp", "rt", "ruby", "s", "samp", "section", "small", "span", "strike",
    "strong", "style", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead",
    "time", "tr", "tt", "u", "ul", "var", "wbr",
})  # fmt: skip
_ATTRIBUTES: Final = frozenset({
    "abbr", "align", "alt", "axis", "bgcolor", "border", "cellpadding", "cellspacing", "char",
    "charoff", "class", "clear", "color", "cols", "colspan", "compact", "coords", "datetime",
    "dir", "face", "frame", "headers", "height", "hidden", "hspace", "id", "lang", "media",
    "nohref", "noshade", "nowrap", "open", "reversed", "role", "rowspan", "rules", "scope",
    "shape", "size", "span", "start", "style", "summary", "title", "type", "usemap", "valign",
    "value", "vspace", "width",
})  # fmt: skip
_META: Final = frozenset({"color-scheme", "supported-color-schemes", "viewport"})
_DROPPED_WITH_TEXT: Final = frozenset({
    "script", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "plaintext",
})  # fmt: skip
# Elements that mail clients drop, or make nothing of.
_NOT_IN_MAIL: Final = frozenset({
    "script", "iframe", "object", "embed", "applet", "form", "input", "button", "select",
    "textarea", "video", "audio", "svg", "canvas", "base", "frameset",
})  # fmt: skip
_LOADING: Final = ("src", "srcset", "background", "poster", "data", "dynsrc", "lowsrc")
# Quantifiers that give nothing back: hostile style sheets would make them try for hours.
_CSS_URL: Final = re.compile(
    r"""(?:url\(\s*+(?:"([^"\n]*+)"|'([^'\n]*+)'|([^()"'\s]*+))\s*+\)"""
    r"""|@import\s++(?:"([^"\n]*+)"|'([^'\n]*+)'))""",
    re.IGNORECASE,
)
_BROKEN: Final = "data:,"  # an image that fails shows its alternative text
_LINK: Final = "#mailsend-link"  # a link that looks like one and leads nowhere
_HEAD: Final = (
    '<!doctype html><html><head><meta charset="utf-8">'
    f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    '<meta name="referrer" content="no-referrer">'
    "<style>img[data-mailsend-blocked]{display:inline-block;outline:1px dashed #b45309;"
    "outline-offset:-1px;"
    "background:#fde68a;color:#78350f;font:12px sans-serif}</style>"
)


@frozen
class Link:
    """A link of a message.

    Attributes:
        target: where it leads.
        text: what it shows.
    """

    target: str
    text: str


@define
class Framed:
    """What :func:`framed` made.

    Attributes:
        document: the document for the frame.
        remote: URLs that were not loaded, in order, each once.
        missing: content ids that no part has.
        used: content ids that were found.
        links: links, with their texts.
        without_alt: images without an alternative text.
        dropped: elements that mail clients drop.
        cut: whether HTML or images were too large to be shown in full.
    """

    document: str = ""
    remote: dict[str, None] = field(factory=dict)
    missing: dict[str, None] = field(factory=dict)
    used: set[str] = field(factory=set)
    links: list[Link] = field(factory=list)
    without_alt: int = 0
    dropped: set[str] = field(factory=set)
    cut: bool = False


def framed(source: str, parts: tuple[Part, ...]) -> Framed:
    """Write the HTML of a message anew, so that it does nothing, with its own images in it."""
    return _Writer({p.content_id: p for p in parts if p.content_id}).write(source)


class _Writer:
    def __init__(self, images: Mapping[str, Part]) -> None:
        self._images = images
        self._room = MAX_IMAGES
        self._out: list[str] = [_HEAD]
        self._made = Framed()
        self._target: str | None = None
        self._words: list[str] = []

    def write(self, source: str) -> Framed:
        self._made.cut = len(source) > MAX_HTML
        for piece in pieces(source[:MAX_HTML]):
            if piece.kind is Kind.TEXT:
                self._text(piece)
            elif piece.kind is Kind.START:
                self._start(piece)
            elif piece.kind is Kind.END and piece.name in _ELEMENTS - VOID:
                if piece.name == "a":
                    self._close_link()
                self._out.append(f"</{piece.name}>")
        self._close_link()
        self._made.document = "".join(self._out)
        return self._made

    def _text(self, piece: Piece) -> None:
        text = piece.text.replace("\0", "")
        if piece.name == "style":
            # Nothing in it may end the element, whatever ends a comment or a string of CSS.
            self._out.append(re.sub(r"<(?=[/!])", r"\\3c ", self._css(text)))
        elif piece.name not in _DROPPED_WITH_TEXT:
            self._out.append(html.escape(text, quote=False))
            if self._target is not None:
                self._words.append(text)

    def _start(self, piece: Piece) -> None:
        given = {name: value.replace("\0", "") for name, value in piece.attributes.items()}
        self._note(piece.name, given)
        kept = {name: value for name, value in given.items() if _is_kept(name)}
        if piece.name == "meta":
            if given.get("name", "").lower() not in _META:
                return
            kept = {name: given.get(name, "") for name in ("name", "content")}
        if "style" in kept:
            kept["style"] = self._css(kept["style"])
        for name in _LOADING:
            if name in given:
                self._load(piece.name, name, given[name], kept)
        if piece.name in {"a", "area"} and "href" in given:
            self._open_link(piece.name, given["href"].strip(), kept)
        if piece.name in _ELEMENTS:
            written = "".join(f' {name}="{html.escape(kept[name])}"' for name in kept)
            self._out.append(f"<{piece.name}{written}>")

    def _note(self, element: str, attributes: dict[str, str]) -> None:
        if element in _NOT_IN_MAIL:
            self._made.dropped.add(element)
        if element == "link":
            self._blocked(attributes.get("href", ""))
        if element == "img" and "alt" not in attributes:
            self._made.without_alt += 1

    def _load(self, element: str, name: str, value: str, kept: dict[str, str]) -> None:
        if name == "srcset":
            for candidate in value.split(","):
                self._source(candidate.strip().split(" ")[0])
            return
        source = self._source(value.strip())
        if element == "img" and name == "src":
            kept["src"] = source or _BROKEN
            if not source:
                kept["data-mailsend-blocked"] = ""
        elif name == "background" and source:
            kept["background"] = source

    def _source(self, url: str) -> str:
        """What stands for a URL in the frame: data, or "" where it is not shown."""
        lowered = url[:5].lower()
        if lowered == "data:":
            return url if url[5:].partition(";")[0].lower() in IMAGE_TYPES else ""
        if lowered[:4] != "cid:":
            self._blocked(url)
            return ""
        content_id = url[4:]
        part = self._images.get(content_id) or self._images.get(unquote(content_id))
        if part is None:
            self._made.missing[content_id] = None
            return ""
        self._made.used.add(part.content_id)
        self._room -= len(part.content)
        if part.media_type not in IMAGE_TYPES or self._room < 0:
            self._made.cut = self._made.cut or self._room < 0
            return ""
        return f"data:{part.media_type};base64,{base64.b64encode(part.content).decode()}"

    def _blocked(self, url: str) -> None:
        if url and not url.startswith("#"):
            self._made.remote[url] = None

    def _css(self, text: str) -> str:
        def replaced(found: re.Match[str]) -> str:
            url = next((group for group in found.groups() if group is not None), "").strip()
            if url.startswith("#"):
                return found[0]
            source = self._source(url)
            return f'url("{source or _BROKEN}")' if found[0][:1] != "@" else "@import url(data:,)"

        return _CSS_URL.sub(replaced, text)

    def _open_link(self, element: str, target: str, kept: dict[str, str]) -> None:
        self._close_link()
        if element == "a":
            self._target = target
        else:
            self._made.links.append(Link(target, ""))
        kept["href"] = _LINK
        kept["title"] = f"{kept['title']} ({target})" if kept.get("title") else target

    def _close_link(self) -> None:
        if self._target is not None:
            self._made.links.append(Link(self._target, " ".join("".join(self._words).split())))
        self._target = None
        self._words.clear()


def _is_kept(name: str) -> bool:
    return name in _ATTRIBUTES or re.fullmatch(r"(?:aria|data)-[a-z0-9-]+", name) is not None
