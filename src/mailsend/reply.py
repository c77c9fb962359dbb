"""SMTP replies: the value, and the parser that turns bytes into it (RFC 5321 §4.2)."""

from __future__ import annotations

import re
from typing import Final

from attrs import field, frozen

MAX_LINE_OCTETS: Final = 4096
"""Default bound of a reply line. RFC 5321 §4.5.3.1.5 says 512; real servers send longer ones."""

MAX_LINES: Final = 128
"""Default bound of the lines of one reply: the longest EHLO reply seen has about 30."""

_RECENT: Final = 16
_SHOWN: Final = 80  # octets of what is no reply
_SHORT_LINE: Final = 500
_SHORT_LINES: Final = 40
_LINE: Final = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
_ENHANCED: Final = re.compile(r"([245])\.([0-9]{1,3})\.([0-9]{1,3})(?:[ \t]+|\Z)")


class MalformedReply(ValueError):
    """Bytes from the server that are not an SMTP reply.

    Args:
        what: which rule they break.
        line: the first octets of the line that breaks it.
    """

    def __init__(self, what: str, line: bytes = b"") -> None:
        super().__init__(what, line)
        self.what = what
        self.line = line

    def __str__(self) -> str:
        return self.what


@frozen
class EnhancedStatus:
    """An enhanced mail system status code (RFC 3463 §2), such as 5.7.8.

    Attributes:
        class_: 2 success, 4 persistent transient failure, 5 permanent failure.
        subject: 0 to 999; 7 is security or policy.
        detail: 0 to 999.

    Raises:
        ValueError: A number is out of its range.
    """

    class_: int
    subject: int
    detail: int

    def __attrs_post_init__(self) -> None:
        if self.class_ not in {2, 4, 5}:
            raise ValueError(f"an enhanced status code begins with 2, 4 or 5, not {self.class_!r}")
        if not (0 <= self.subject <= 999 and 0 <= self.detail <= 999):
            raise ValueError(f"subject and detail are 0 to 999, not {self.subject}.{self.detail}")

    def __str__(self) -> str:
        return f"{self.class_}.{self.subject}.{self.detail}"

    @classmethod
    def parse(cls, text: str) -> EnhancedStatus:
        """Read ``"5.7.8"``.

        Raises:
            ValueError: The text is anything else.
        """
        match = _ENHANCED.match(text)
        if match is None or match.group() != text or text != text.rstrip():
            raise ValueError(f"not an enhanced status code: {text!r}")
        return cls(*map(int, match.groups()))


def _as_lines(lines: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (lines,) if isinstance(lines, str) else tuple(lines)


@frozen
class Reply:
    """What a server answered to one command.

    Attributes:
        code: 200 to 599.
        enhanced: the enhanced status code of RFC 2034, if the server sent one.
        lines: the text of each line, without the reply code and without the enhanced status
            code. At least one, possibly empty. Octets that are not UTF-8 and characters that do
            not print appear escaped, so a reply can be shown on a terminal or written to a log.

    Raises:
        ValueError: The code is out of range, or there is no line.
    """

    code: int
    enhanced: EnhancedStatus | None = None
    lines: tuple[str, ...] = field(default=("",), converter=_as_lines)

    def __attrs_post_init__(self) -> None:
        if not 200 <= self.code <= 599:
            raise ValueError(f"a reply code is 200 to 599, not {self.code}")
        if not self.lines:
            raise ValueError("a reply has at least one line, if only an empty one")

    @property
    def text(self) -> str:
        """The lines joined by line feeds."""
        return "\n".join(self.lines)

    def shortened(self) -> Reply:
        """The reply with at most 40 lines of 500 characters, for whoever keeps it."""
        if len(self.lines) <= _SHORT_LINES and sum(map(len, self.lines)) <= _SHORT_LINE:
            return self
        lines = tuple(line[:_SHORT_LINE] for line in self.lines[:_SHORT_LINES])
        return Reply(self.code, self.enhanced, lines)

    @property
    def is_positive(self) -> bool:
        """2yz: done as asked. 251 and 252 are as good as 250 (RFC 5321 §4.2.1)."""
        return self.code < 300

    @property
    def is_intermediate(self) -> bool:
        """3yz: the server waits for more, as after DATA."""
        return 300 <= self.code < 400

    @property
    def is_transient(self) -> bool:
        """4yz: the same command may succeed later. Decided by the reply code alone."""
        return 400 <= self.code < 500

    @property
    def is_permanent(self) -> bool:
        """5yz: the same command will be refused again. Decided by the reply code alone."""
        return self.code >= 500

    def __str__(self) -> str:
        words = [str(self.code)]
        if self.enhanced is not None:
            words.append(str(self.enhanced))
        words += [line for line in self.lines if line]
        return " ".join(words)

    @classmethod
    def parse(cls, data: bytes | str) -> Reply:
        """Read one complete reply, with or without the last line's end.

        Raises:
            MalformedReply: It is not exactly one well-formed reply.
        """
        octets = data.encode() if isinstance(data, str) else bytes(memoryview(data))
        parser = ReplyParser()
        parser.feed(octets if octets.endswith(b"\n") else octets + b"\r\n")
        reply = parser.next_reply()
        if reply is None or parser.has_leftover:
            raise MalformedReply(f"not exactly one reply: {octets[:80]!r}")
        return reply


def printable(octets: bytes) -> str:
    """Octets from the network as text that is safe to show: UTF-8, everything else escaped."""
    text = octets.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class ReplyParser:
    """Cuts a stream of octets into replies, however the network chopped it.

    Lenient where real servers are and nothing is lost by it (a bare LF ends a line; a reply code
    may stand alone), strict where a guess could misreport a delivery: the code is three digits
    beginning with 2 to 5, and every line of a reply has the same one (RFC 5321 §4.2.1).

    Args:
        max_line_octets: bound of one line, its end included.
        max_lines: bound of the lines of one reply.
    """

    def __init__(self, max_line_octets: int = MAX_LINE_OCTETS, max_lines: int = MAX_LINES) -> None:
        self._max_line = max_line_octets
        self._max_lines = max_lines
        self._buffer = b""
        self._start = 0  # a position, since cutting off each line would copy all that follow
        self._texts: list[bytes] = []
        self._code: bytes | None = None
        # A server answers most commands of a session in the same words every time.
        self._recent: dict[bytes, Reply] = {}

    @property
    def has_leftover(self) -> bool:
        """Whether octets were fed that no reply has used up yet."""
        return bool(self.octets_waiting or self._texts)

    @property
    def octets_waiting(self) -> int:
        """How many octets were fed that no line has used up yet."""
        return len(self._buffer) - self._start

    @property
    def beginning(self) -> bytes:
        """The first octets that were fed and that no line has used up yet."""
        return self._buffer[self._start : self._start + _SHOWN]

    def feed(self, octets: bytes) -> None:
        """Add what has arrived."""
        self._buffer = self._buffer[self._start :] + octets if self.octets_waiting else octets
        self._start = 0

    def forget(self) -> None:
        """Let go of what replies have used up: a server may have quoted something secret in it."""
        self._buffer, self._start = self._buffer[self._start :], 0
        self._recent.clear()

    def next_reply(self) -> Reply | None:
        """Take the next complete reply, or None if more octets are needed.

        Raises:
            MalformedReply: The next line cannot belong to a reply, or a bound is passed. The
                stream is out of step from here on.
        """
        while self._start < len(self._buffer):
            end = self._buffer.find(b"\n", self._start)
            length = (end + 1 if end >= 0 else len(self._buffer)) - self._start
            if length > self._max_line or (end < 0 and length == self._max_line):
                raise MalformedReply(
                    f"a reply line of more than {self._max_line} octets", self.beginning
                )
            if end < 0:
                return None
            line = self._buffer[self._start : end]
            self._start = end + 1
            if not self._texts and (known := self._recent.get(line)) is not None:
                return known
            match = _LINE.fullmatch(line.rstrip(b"\r"))
            if match is None:
                shown = printable(line.rstrip(b"\r")[:_SHOWN])
                raise MalformedReply(f"not a reply line: {shown!r}", line.rstrip(b"\r")[:_SHOWN])
            code, separator, text = match.groups()
            if self._code is not None and code != self._code:
                raise MalformedReply(
                    f"one reply with two codes, {self._code.decode()} and {code.decode()}"
                )
            self._code = code
            self._texts.append(text or b"")
            if separator != b"-":
                texts, self._texts, self._code = self._texts, [], None
                reply = _build(int(code), texts)
                if len(texts) == 1 and len(self._recent) < _RECENT:
                    self._recent[line] = reply
                return reply
            if len(self._texts) >= self._max_lines:
                raise MalformedReply(f"a reply of more than {self._max_lines} lines")
        return None


def _build(code: int, texts: list[bytes]) -> Reply:
    lines = [printable(text).strip() for text in texts]
    match = _ENHANCED.match(lines[0]) if lines[0][1:2] == "." else None
    if match is None:
        return Reply(code, None, tuple(lines))
    status = EnhancedStatus(*map(int, match.groups()))
    # RFC 2034 §4 repeats the code on every line.
    prefix = match.group().rstrip()
    return Reply(code, status, tuple(_without(prefix, line) for line in lines))


def _without(prefix: str, line: str) -> str:
    rest = line[len(prefix) :]
    return rest.lstrip() if line.startswith(prefix) and rest[:1] in {"", " ", "\t"} else line
