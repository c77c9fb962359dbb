"""Waiting for one socket, by the cheapest call that the platform has."""

from __future__ import annotations

import math
import select
from typing import Final, Protocol

READ: Final = 1
WRITE: Final = 2
_LONGEST: Final = 3600.0  # seconds; poll counts milliseconds in 31 bits


class Readiness(Protocol):
    """Tells when a socket can be read or written."""

    def wait(self, events: int, seconds: float) -> bool:
        """Wait at most so long; whether one of the events (or an error) is there.

        Args:
            events: ``READ``, ``WRITE`` or both.
            seconds: 0 or less only looks.
        """
        ...


class _ByPoll:
    """For a moment's look at one descriptor, a fifth of what :mod:`selectors` costs."""

    def __init__(self, descriptor: int) -> None:
        self._poll = select.poll()
        self._descriptor = descriptor
        self._registered = 0

    def wait(self, events: int, seconds: float) -> bool:
        if events != self._registered:
            mask = (select.POLLIN if events & READ else 0) | (
                select.POLLOUT if events & WRITE else 0
            )
            self._poll.register(self._descriptor, mask)
            self._registered = events
        # The caller looks at the clock again, so cutting a wait short costs nothing.
        milliseconds = math.ceil(min(seconds, _LONGEST) * 1000)
        return bool(self._poll.poll(max(0, milliseconds)))


class _BySelect:
    """For platforms without poll, such as Windows."""

    def __init__(self, descriptor: int) -> None:
        self._one = [descriptor]

    def wait(self, events: int, seconds: float) -> bool:
        reading = self._one if events & READ else []
        writing = self._one if events & WRITE else []
        return any(select.select(reading, writing, self._one, max(0.0, seconds)))


def readiness_of(descriptor: int) -> Readiness:
    """For a socket's file descriptor. Holds nothing that would have to be closed."""
    return _ByPoll(descriptor) if hasattr(select, "poll") else _BySelect(descriptor)
