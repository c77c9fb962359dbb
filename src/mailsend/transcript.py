"""The record of a conversation, with secrets left out before they are stored."""

from __future__ import annotations

from collections import deque
from typing import Final

from mailsend.reply import Reply, printable

MAX_LINES: Final = 200
_MAX_OCTETS: Final = 500


class Transcript:
    """The last lines of a session, for errors and diagnosis.

    Whoever records decides what is secret, because only the protocol's state tells: a line of an
    AUTH exchange looks like any other.

    Args:
        max_lines: how many are kept.
    """

    def __init__(self, max_lines: int = MAX_LINES) -> None:
        self._lines: deque[str | bytes | Reply] = deque(maxlen=max_lines)

    def sent(self, line: bytes) -> None:
        """Record a command, without its line end. Only the first 500 octets are kept."""
        self._lines.append(line[:_MAX_OCTETS])

    def sent_secret(self, shown: str) -> None:
        """Record that a line was sent whose content is secret; `shown` stands for it."""
        self._lines.append(f"C: {shown}")

    def received(self, reply: Reply) -> None:
        # A hostile reply has a megabyte; a real one to EHLO not a twentieth of what is kept.
        self._lines.append(reply.shortened())

    def note(self, text: str) -> None:
        """Record what happened besides lines: connecting, TLS, content, loss."""
        self._lines.append(f"-- {text}")

    def tail(self, count: int = 20) -> tuple[str, ...]:
        """The last entries as lines to show: ``C:`` ours, ``S:`` the server's, ``--`` events."""
        entries = list(self._lines)[max(0, len(self._lines) - count) :]
        return tuple(line for entry in entries for line in _shown(entry))


def _shown(entry: str | bytes | Reply) -> tuple[str, ...]:
    if isinstance(entry, str):
        return (entry,)
    if isinstance(entry, bytes):
        return (f"C: {printable(entry)}",)
    status = f"{entry.enhanced} " if entry.enhanced else ""
    last = len(entry.lines) - 1
    return tuple(
        f"S: {entry.code}{' ' if i == last else '-'}{status}{line}"
        for i, line in enumerate(entry.lines)
    )
