"""How a receiver gets off a list (RFC 2369 §3.2, RFC 8058)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote, urlsplit

from attrs import field, frozen

from mailsend.address import parse_address
from mailsend.errors import InvalidAddress, InvalidMessage

_MAX_URI: Final = 900  # characters: a line of the header section has 998, RFC 5322 §2.1.1
_URI: Final = re.compile(r"(?:https|mailto):[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+", re.IGNORECASE)
_BAD_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


def _uris(value: str | Iterable[str]) -> tuple[str, ...]:
    if not isinstance(value, Iterable) or isinstance(value, bytes | bytearray):
        raise InvalidMessage("the URIs of list_unsubscribe have to be a string or a list of them")
    uris = (value,) if isinstance(value, str) else tuple(value)
    if not uris:
        raise InvalidMessage("list_unsubscribe has no URI")
    for uri in uris:
        _check(uri)
    return uris


def _check(uri: object) -> None:
    shown = ascii(uri)[:80]
    if not (isinstance(uri, str) and _URI.fullmatch(uri)) or _BAD_PERCENT.search(uri):
        raise InvalidMessage(
            f"list_unsubscribe takes https: and mailto: URIs, not {shown}",
            advice="Write https://… or mailto:…, with other characters percent-encoded (RFC 3986)",
        )
    if len(uri) > _MAX_URI:
        raise InvalidMessage(f"a URI of list_unsubscribe has more than {_MAX_URI} characters")
    if not is_https(uri):
        try:
            parse_address(unquote(uri[7:].partition("?")[0]), field="list_unsubscribe")
        except InvalidAddress as error:
            raise InvalidMessage(
                f"the URI {shown} of list_unsubscribe names no address to write to"
            ) from error
        return
    try:
        host = urlsplit(uri).hostname
    except ValueError:
        host = None
    if not host:
        raise InvalidMessage(f"the URI {shown} of list_unsubscribe names no host")


def is_https(uri: str) -> bool:
    """Whether it is one of HTTPS."""
    return uri[:6].lower() == "https:"


@frozen
class ListUnsubscribe:
    """Where a receiver gets off the list that a message was sent to.

    Attributes:
        uris: one URI or several, the preferred one first: ``https://…`` of a page, and
            ``mailto:…`` of an address that takes it as said.
        one_click: whether a POST to the HTTPS URI with the body ``List-Unsubscribe=One-Click``
            takes the receiver off without another question (RFC 8058 §3.1). Mail programs then
            show a button of their own. The server has to be made for it, the URI has to tell
            receiver and list, and the message has to be signed by DKIM with both fields covered.

    Raises:
        InvalidMessage: A URI is none of the two kinds, or `one_click` is set without exactly one
            HTTPS URI.
    """

    uris: tuple[str, ...] = field(converter=_uris)
    one_click: bool = field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.one_click, bool):
            raise InvalidMessage(f"one_click has to be a bool, not {type(self.one_click).__name__}")
        if self.one_click and sum(map(is_https, self.uris)) != 1:
            raise InvalidMessage(
                "one_click needs exactly one https: URI (RFC 8058 §3.1)",
                advice="Name the one that takes the POST, and at most mailto: URIs beside it",
            )

    def __str__(self) -> str:
        return ", ".join(f"<{uri}>" for uri in self.uris)
