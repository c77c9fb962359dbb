"""Style sheets into style attributes, for mail clients that honour no others."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from mailsend.composition.mime_parts import checked_text
from mailsend.errors import ConfigurationError, InvalidMessage
from mailsend.markup import Kind, Piece, depth, pieces

if TYPE_CHECKING:  # an extra
    import css_inline

MAX_DEPTH: Final = 500
"""How deep elements may be nested. css-inline ends the process at some twenty thousand."""

_SKIPPED: Final = ' data-css-inline="ignore"'
_EVERYWHERE: Final = frozenset({"", "all", "screen"})


def inline_css(html: str) -> str:
    """Move the rules of ``<style>`` elements into the ``style`` attributes of what they match.

    Some clients drop ``<style>``, all know ``style``. Rules that cannot move stay: media queries,
    ``:hover``, ``@font-face``, and a ``<style>`` for other media than the screen. They have to say
    ``!important`` where they are to win over what has moved. Nothing is loaded, neither from the
    network nor from files.

    The result is a whole document: the elements html, head and body are added where they are
    missing. A template is filled in first, since its braces are no HTML.

    Args:
        html: a document or a part of one.

    Raises:
        ConfigurationError: The package css-inline is not installed.
        InvalidMessage: A style sheet is linked, elements are nested deeper than 500, or the text
            is none that can be sent.
    """
    inliner = _inliner()
    html = checked_text("html", html)
    if depth(html, MAX_DEPTH) > MAX_DEPTH:
        raise InvalidMessage(
            f"html has elements nested more than {MAX_DEPTH} deep",
            advice="Look for elements that are not closed",
        )
    prepared = _without_other_media(html)
    try:
        return str(inliner.inline(prepared)).replace(_SKIPPED, "")
    except Exception as error:
        # The package documents one class of its own, and raises others too.
        raise InvalidMessage(
            f"the styles cannot be moved: {type(error).__name__}: {ascii(str(error))[1:-1][:200]}",
            advice="Correct the HTML or its style sheet",
        ) from error


@cache
def _inliner() -> css_inline.CSSInliner:
    try:
        import css_inline  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ConfigurationError(
            "moving styles needs the package css-inline",
            advice='Run pip install "mailsend[html]"',
        ) from error
    return css_inline.CSSInliner(
        load_remote_stylesheets=False,  # its default is to load them, files too
        keep_style_tags=True,
        remove_inlined_selectors=True,
    )


def _without_other_media(html: str) -> str:
    """Have css-inline pass over style elements with a media attribute, which it does not read."""
    parts, position = [], 0
    for piece in pieces(html):
        if piece.kind is not Kind.START:
            continue
        if piece.name == "link":
            _refuse_stylesheet(html, piece)
        elif piece.name == "style" and not _for_all(piece.attributes):
            after_name = piece.start + len("<style")
            parts += [html[position:after_name], _SKIPPED]
            position = after_name
    return "".join([*parts, html[position:]])


def _for_all(attributes: dict[str, Any]) -> bool:
    return attributes.get("media", "").strip().lower() in _EVERYWHERE


def _refuse_stylesheet(html: str, link: Piece) -> None:
    if "stylesheet" in link.attributes.get("rel", "").lower().split():
        line = html.count("\n", 0, link.start) + 1
        target = ascii(link.attributes.get("href", ""))[:80]
        raise InvalidMessage(
            f"html links a style sheet in line {line}: {target}",
            advice="Mail clients load none; put its rules into a <style> element",
        )
