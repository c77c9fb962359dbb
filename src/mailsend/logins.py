"""Logins that were refused are not repeated: nobody is locked out by a thousand wrong ones.

One table for the process, because a provider counts what all of it does: whoever opens a session
with the same credentials at the same server is told at once what the first one was told.
"""

from __future__ import annotations

import contextlib
import copy
import hmac
import os
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Final

from attrs import field, frozen

from mailsend.cause import Cause, Retry
from mailsend.endpoint import Endpoint
from mailsend.errors import AuthenticationError

HOLD_SECONDS: Final = {Retry.NEVER: 900.0, Retry.HOURS: 3600.0}
"""How long a refusal holds, by when the reply says that it may be tried again."""

_HOLD_OTHERWISE: Final = 600.0
_MOST: Final = 1000  # credentials that are remembered

# What no login can be blamed for: the server could not check, or was not asked.
_BLAMELESS: Final = frozenset({
    Cause.AUTHENTICATION_TEMPORARY,
    Cause.AUTHENTICATION_UNAVAILABLE,
    Cause.TOKEN_UNAVAILABLE,
})  # fmt: skip


@frozen
class Identity:
    """Credentials at a server, such that nothing can be learned about the secret.

    Attributes:
        endpoint: which server.
        username: who.
        proof: equal for equal credentials.
    """

    endpoint: Endpoint
    username: str | None = field(repr=False)
    proof: Hashable = field(repr=False)


_key = secrets.token_bytes(32)


def fingerprint(secret: str | bytes) -> bytes:
    """Equal for equal secrets, within this process, and telling nothing else about them."""
    octets = secret.encode() if isinstance(secret, str) else secret
    return hmac.digest(_key, octets, "sha256")


@frozen
class Refusal:
    """A login that was refused.

    Attributes:
        error: what it was refused with, without the frames that it went through.
        until: when it may be tried again, on the clock of the table.
        wall: the same as seconds since the epoch, to be shown.
    """

    error: AuthenticationError
    until: float
    wall: float


class _Entry:
    """What is known of one identity.

    Attributes:
        turn: held by whoever logs in while it is not known yet whether the credentials are good.
            Reentrant, for a signal handler that logs in may have come into this thread's own turn.
        good: whether a login has succeeded.
        refusal: the latest, if none has succeeded since.
    """

    def __init__(self) -> None:
        self.turn = threading.RLock()
        self.good = False
        self.refusal: Refusal | None = None


class Logins:
    """Remembers how logins ended. Used by several threads.

    Args:
        clock: seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.begin_anew()

    def begin_anew(self) -> None:
        """Know nothing, and hold no lock, whatever another thread was doing."""
        self._lock = threading.Lock()
        self._entries: OrderedDict[Identity, _Entry] = OrderedDict()

    def let_go(self) -> None:
        """Hold no lock, whatever another thread was doing; what is known stays known."""
        self._lock = threading.Lock()
        for entry in self._entries.values():
            entry.turn = threading.RLock()

    def _entry(self, identity: Identity) -> _Entry:
        """What is known of an identity, which is now the one that was used last."""
        entry = self._entries.setdefault(identity, _Entry())
        self._entries.move_to_end(identity)
        while len(self._entries) > _MOST:
            # A refusal that holds is what the table is for, so it goes last.
            now = self._clock()
            known = ((i, e.refusal) for i, e in self._entries.items() if i != identity)
            idle = (i for i, refusal in known if refusal is None or refusal.until <= now)
            del self._entries[next(idle, next(iter(self._entries)))]
        return entry

    def refusal_of(self, identity: Identity) -> Refusal | None:
        """The refusal that still holds, or None if a login may be tried."""
        with self._lock:
            entry = self._entries.get(identity)
            refusal = None if entry is None else entry.refusal
            if entry is None or refusal is None:
                return None
            if refusal.until > self._clock():
                return refusal
            entry.refusal = None
            return None

    @contextlib.contextmanager
    def turn(self, identity: Identity, seconds: float) -> Iterator[bool]:
        """Log in while nobody else tries the same credentials for the first time.

        Args:
            identity: whose turn it is.
            seconds: how long to wait for it.

        Yields:
            Whether it is one's turn. If not, another login is still going on.
        """
        with self._lock:
            entry = self._entry(identity)
        if entry.good:
            yield True
            return
        try:
            # Within the try: an interrupt may come as soon as it is acquired.
            yield entry.turn.acquire(timeout=max(0.0, min(seconds, threading.TIMEOUT_MAX)))
        finally:
            with contextlib.suppress(RuntimeError):  # it was not acquired
                entry.turn.release()

    def succeeded(self, identity: Identity) -> None:
        """A login was accepted."""
        with self._lock:
            entry = self._entry(identity)
            entry.good, entry.refusal = True, None

    def failed(self, identity: Identity, error: AuthenticationError) -> None:
        """A login was refused; nobody tries these credentials again until the time is over.

        Not where the server could not check them: then nobody counts it as a wrong one.
        """
        if error.cause in _BLAMELESS or error.reply is None:
            return
        seconds = HOLD_SECONDS.get(error.retry, _HOLD_OTHERWISE)
        # The error itself leads to the frames of whoever sends, and is given their report later.
        kept = copy.copy(error)
        kept.__cause__, kept.report, kept.also_failed = None, None, ()
        refusal = Refusal(kept, self._clock() + seconds, time.time() + seconds)
        with self._lock:
            entry = self._entry(identity)
            entry.good, entry.refusal = False, refusal

    def forget(self, port: int) -> None:
        """Forget the logins at a port of this machine: another server listens there now."""
        with self._lock:
            for identity in list(self._entries):
                if identity.endpoint.port == port and identity.endpoint.is_loopback:
                    del self._entries[identity]


logins: Final = Logins()
"""Those of this process."""


if hasattr(os, "register_at_fork"):
    # A thread of the parent may hold a lock that nobody in the child will ever release.
    os.register_at_fork(after_in_child=logins.let_go)
