"""What a server says it can do: the EHLO reply as typed data (RFC 5321 §4.1.1.1)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Final

from attrs import field, frozen

from mailsend.reply import Reply

# More digits than a size in MAIL may have (RFC 1870 §3) are no promise about any message.
_SIZE_DIGITS: Final = 20
_SECONDS: Final = re.compile(r"[0-9]{1,9}")
_DATE_TIME: Final = re.compile(  # RFC 3339 §5.6
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})",
    re.IGNORECASE,
)
_KEYWORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")


@frozen
class Capabilities:
    """The extensions a server offers in this session.

    Attributes:
        identity: the text of the first line: the server's name, and often a greeting.
        extensions: keyword, in upper case, to its parameters as sent. Keywords that mailsend does
            not know are kept.
    """

    identity: str = ""
    extensions: Mapping[str, tuple[str, ...]] = field(factory=dict)

    @classmethod
    def from_ehlo(cls, reply: Reply) -> Capabilities:
        """Read the reply to EHLO. Lines that are no keyword are passed over."""
        extensions: dict[str, tuple[str, ...]] = {}
        for line in reply.lines[1:]:
            words = line.split()
            # "AUTH=LOGIN PLAIN" is the form of servers older than RFC 4954 §3; still met.
            if words and words[0].upper().startswith("AUTH="):
                words[:1] = ["AUTH", words[0][5:]]
            if not words or not _KEYWORD.fullmatch(words[0]):
                continue
            keyword = words[0].upper()
            known = extensions.get(keyword, ())
            extensions[keyword] = known + tuple(w for w in words[1:] if w and w not in known)
        return cls(reply.lines[0], extensions)

    @classmethod
    def offering(cls, *extensions: str) -> Capabilities:
        """Capabilities written by hand: ``Capabilities.offering("SIZE 1000", "8BITMIME")``."""
        return cls.from_ehlo(Reply(250, None, ("", *extensions)))

    def __contains__(self, keyword: str) -> bool:
        return keyword.upper() in self.extensions

    def without(self, keywords: Iterable[str]) -> Capabilities:
        """The same less some extensions: one can be switched off, never on."""
        off = {keyword.upper() for keyword in keywords}
        return Capabilities(
            self.identity, {k: v for k, v in self.extensions.items() if k not in off}
        )

    @property
    def size_limit(self) -> int | None:
        """Largest message in octets, or None where the server names no limit (RFC 1870 §3)."""
        parameters = self.extensions.get("SIZE", ())
        digits = parameters[0] if parameters else ""
        if not (digits.isascii() and digits.isdigit() and len(digits) <= _SIZE_DIGITS):
            return None
        return int(digits) or None

    @property
    def auth_mechanisms(self) -> tuple[str, ...]:
        """SASL mechanisms in the server's order, in upper case (RFC 4954 §3)."""
        return tuple(name.upper() for name in self.extensions.get("AUTH", ()))

    @property
    def deliver_by_minimum(self) -> int | None:
        """The fewest seconds that DELIVERBY takes, or None where none is named (RFC 2852)."""
        parameters = self.extensions.get("DELIVERBY", ())
        # A list with commas, of which this is the first, and may be empty.
        digits = parameters[0].partition(",")[0] if parameters else ""
        return int(digits) if _SECONDS.fullmatch(digits) else None

    @property
    def hold_for_limit(self) -> int | None:
        """The most seconds that a message is held, or None where that is not told (RFC 4865)."""
        parameters = self.extensions.get("FUTURERELEASE", ())
        digits = parameters[0] if parameters else ""
        return int(digits) if _SECONDS.fullmatch(digits) else None

    @property
    def hold_until_limit(self) -> dt.datetime | None:
        """The last moment until which one is, or None where that is not told (RFC 4865)."""
        parameters = self.extensions.get("FUTURERELEASE", ())
        return parse_date_time(parameters[1]) if len(parameters) > 1 else None


def parse_date_time(text: str) -> dt.datetime | None:
    """A date and time of RFC 3339 §5.6, or None if it is none."""
    if not _DATE_TIME.fullmatch(text):
        return None
    try:
        return dt.datetime.fromisoformat(text.upper())
    except ValueError:  # a thirteenth month, or a leap second, which Python does not know
        return None
