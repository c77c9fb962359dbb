"""Who of a pool may use which session, and for how long: decisions, without a lock and a wait."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import Final, Generic, Protocol, TypeVar

from attrs import Attribute, field, frozen

from mailsend.cause import Cause
from mailsend.errors import ConfigurationError, MailsendError, ServiceUnavailable
from mailsend.providers import ProviderLimits
from mailsend.stage import OPENING

SIZE: Final = 4
IDLE_SECONDS: Final = 60.0
MAX_AGE_SECONDS: Final = 300.0
MESSAGES_PER_SESSION: Final = 100
WAIT_SECONDS: Final = 60.0
MOST: Final = 10_000

ASK_AFTER_SECONDS: Final = 60.0
"""How long a session may have been idle without being asked whether it is still there.

What the server said or closed meanwhile is seen without asking. What cannot be seen is a firewall
that forgot the connection; the shortest memories that are usual are some minutes.
"""

GROW_AFTER_SECONDS: Final = 60.0
"""How long the pool makes do with the sessions that a server let it have, before it asks for one
more."""

_TOO_MANY: Final = frozenset({Cause.TOO_MANY_CONNECTIONS, Cause.TOO_MANY_LOGINS})


def _seconds(_: object, attribute: Attribute[float], value: object) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and 0 < value < math.inf):  # type: ignore[operator]  # it is a number
        raise ConfigurationError(
            f"{attribute.name} has to be a number of seconds above 0, not {ascii(value)[:40]}"
        )


def _count(_: object, attribute: Attribute[int], value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST:
        raise ConfigurationError(
            f"{attribute.name} has to be a whole number from 1 to {MOST:,}, not {ascii(value)[:40]}"
        )


@frozen(kw_only=True)
class PoolLimits:
    """How many sessions, and how long each of them is kept.

    Attributes:
        size: most sessions at a time.
        idle_seconds: longest time that a session is unused before it is replaced.
        max_age_seconds: age at which it takes no further message.
        messages_per_session: most messages that go over one.
        wait_seconds: longest time that a message waits for a session.

    Raises:
        ConfigurationError: One of them is no number above 0, or a count above 10,000.
    """

    size: int = field(default=SIZE, validator=_count)
    idle_seconds: float = field(default=IDLE_SECONDS, validator=_seconds)
    max_age_seconds: float = field(default=MAX_AGE_SECONDS, validator=_seconds)
    messages_per_session: int = field(default=MESSAGES_PER_SESSION, validator=_count)
    wait_seconds: float = field(default=WAIT_SECONDS, validator=_seconds)

    def within(self, known: ProviderLimits) -> PoolLimits:
        """The same, where it is not more than a provider takes."""
        return PoolLimits(
            size=min(self.size, known.connections or self.size),
            idle_seconds=self.idle_seconds,
            max_age_seconds=self.max_age_seconds,
            messages_per_session=min(
                self.messages_per_session,
                known.messages_per_connection or self.messages_per_session,
            ),
            wait_seconds=self.wait_seconds,
        )


class Fate(Enum):
    """What becomes of a session that is free when the next message comes.

    ``ABANDON``: it was left in the middle of something, so not another word goes over it.
    ``REPLACE``: it is over its time. ``ASK_FIRST``: the message goes over it, behind a RSET, which
    changes nothing (RFC 5321 §4.1.1.5) and costs no round trip where the server has PIPELINING; a
    session that gives no answer to it has taken nothing.
    """

    KEEP = "keep"
    ASK_FIRST = "ask_first"
    REPLACE = "replace"
    ABANDON = "abandon"


_TO_BE_CLOSED: Final = frozenset({Fate.REPLACE, Fate.ABANDON})


@frozen
class Life:
    """What is known of one session.

    Attributes:
        opened: when, on the pool's clock.
        used: when it was last used.
        messages: transactions that were begun on it.
    """

    opened: float
    used: float
    messages: int

    def fate(self, limits: PoolLimits, now: float) -> Fate:
        """What to do with it at this instant."""
        idle = now - self.used
        if (
            idle >= limits.idle_seconds
            or now - self.opened >= limits.max_age_seconds
            or self.messages >= limits.messages_per_session
        ):
            return Fate.REPLACE
        if idle < ASK_AFTER_SECONDS:
            return Fate.KEEP
        # The first message of a session is not tried twice, so it does not go over a doubtful one.
        return Fate.ASK_FIRST if self.messages else Fate.REPLACE


def is_for_want_of_room(error: MailsendError) -> bool:
    """Whether a session could not be opened because the server has no room for one more.

    That is so where others work meanwhile, which the caller has to know, and the server says that
    it may be otherwise later. A server that cannot be reached or trusted, and credentials that are
    wrong, are never that.
    """
    if error.stage not in OPENING:
        return False
    reply = error.reply
    later = isinstance(error, ServiceUnavailable) and reply is not None and reply.is_transient
    return later or error.cause in _TOO_MANY


class Claim(Protocol):
    """Somebody who wants, or has, a place."""

    @property
    def is_held(self) -> bool:
        """Whether it is not given up. What ends it needs no word to anybody else."""
        ...


_Claim = TypeVar("_Claim", bound=Claim)
_Kept = TypeVar("_Kept")


class Place(Generic[_Kept, _Claim]):
    """Room for one session.

    Attributes:
        kept: the session's owner.
        life: of the session that is there; None if there is none, or one that broke off.
        claim: of who has the place, or had it last.
        is_settled: whether its last user left it as it should be.
        epoch: of the pool when it was taken last.
    """

    def __init__(self, kept: _Kept) -> None:
        self.kept = kept
        self.life: Life | None = None
        self.claim: _Claim | None = None
        self.is_settled = True
        self.epoch = 0

    @property
    def is_free(self) -> bool:
        return self.claim is None or not self.claim.is_held


class Turns(Generic[_Kept, _Claim]):
    """The places of a pool and the queue for them, first come first served.

    Each change is one assignment, so that an interrupt between any two leaves a state that is true.

    Args:
        limits: of the pool.
        make: makes what a place is for.
    """

    def __init__(self, limits: PoolLimits, make: Callable[[], _Kept]) -> None:
        self.limits = limits
        self.places: Sequence[Place[_Kept, _Claim]] = tuple(
            Place(make()) for _ in range(limits.size)
        )
        self.epoch = 0
        self._queue: deque[_Claim] = deque()
        self._room = limits.size
        self._room_since = -math.inf

    def join(self, claim: _Claim, *, first: bool = False) -> None:
        """Stand in the queue; `first` for who stood there already and got nothing."""
        if first:
            # It may still stand where it was served from.
            others = [other for other in self._queue if other is not claim]
            self._queue = deque([claim, *others])
        else:
            self._queue.append(claim)

    def has_place(self, claim: _Claim) -> bool:
        return any(place.claim is claim for place in self.places)

    def waiting(self) -> Iterator[_Claim]:
        """Who waits, in order."""
        queue = self._queue
        while queue and not self._waits(queue[0]):
            queue.popleft()
        return (claim for claim in tuple(queue) if self._waits(claim))

    def _waits(self, claim: _Claim) -> bool:
        return claim.is_held and not self.has_place(claim)

    def room(self, now: float) -> int:
        """How many sessions there may be now: up to the size, fewer where the server refused."""
        grown = max(0.0, now - self._room_since) // GROW_AFTER_SECONDS
        return int(min(self.limits.size, self._room + grown))

    def available(self, now: float) -> list[Place[_Kept, _Claim]]:
        """The free places, the best first: who is used most often stays, the others run out."""
        free = [place for place in self.places if place.is_free]
        taken = len(self.places) - len(free)
        alive: list[Place[_Kept, _Claim]] = []
        others: list[Place[_Kept, _Claim]] = []
        for place in free:
            (others if self._fate(place, now) in _TO_BE_CLOSED else alive).append(place)
        alive.sort(key=lambda place: -place.life.used if place.life else 0.0)
        # A session that has to go makes room before the new one comes.
        others.sort(key=lambda place: place.life is None)
        return (alive + others)[: max(0, self.room(now) - taken)]

    def _fate(self, place: Place[_Kept, _Claim], now: float) -> Fate:
        if not place.is_settled:
            return Fate.ABANDON
        if place.life is None or place.epoch != self.epoch:
            return Fate.REPLACE
        return place.life.fate(self.limits, now)

    def take(self, claim: _Claim, now: float) -> tuple[Place[_Kept, _Claim], Fate] | None:
        """A place for this claim, and what to do with the session there; None while it waits."""
        for waiting, place in zip(self.waiting(), self.available(now), strict=False):
            if waiting is claim:
                return place, self._give(place, claim, now)
        return None

    def take_spare(self, claim: _Claim, now: float) -> tuple[Place[_Kept, _Claim], Fate] | None:
        """A free place whose session is over its time, to be closed; None if there is none."""
        for place in self.places:
            used = place.life is not None or not place.is_settled
            if used and place.is_free and self._fate(place, now) in _TO_BE_CLOSED:
                return place, self._give(place, claim, now)
        return None

    def _give(self, place: Place[_Kept, _Claim], claim: _Claim, now: float) -> Fate:
        fate = self._fate(place, now)
        # The claim comes last: who is interrupted before it has nothing, and the place is free.
        place.is_settled = False
        place.epoch = self.epoch
        place.claim = claim
        return fate

    def settle(self, place: Place[_Kept, _Claim], life: Life | None) -> None:
        """What a place has, now that its user leaves it as it should be."""
        place.life = life
        place.is_settled = True

    def is_outdated(self, place: Place[_Kept, _Claim]) -> bool:
        """Whether the pool was closed since this place was taken."""
        return place.epoch != self.epoch

    def next_in_turn(self, now: float) -> list[_Claim]:
        """Who waits and could have a place now."""
        waiting = list(self.waiting())
        if not waiting:
            return []
        return [claim for claim, _ in zip(waiting, self.available(now), strict=False)]

    def refused(self, place: Place[_Kept, _Claim], now: float) -> bool:
        """The server did not want this place's session: make do with the others, if there are any.

        Returns:
            Whether there are. If so, its claim has no place any more.
        """
        others = sum(
            1
            for other in self.places
            if other is not place and (other.life is not None or not other.is_free)
        )
        if not others:
            return False
        self._room_since = now
        self._room = others
        self.settle(place, None)
        place.claim = None
        return True

    def begin_anew(self) -> None:
        """Have no session go on for long: each is replaced after what it is doing now."""
        self.epoch += 1
        self._room = self.limits.size
        self._room_since = -math.inf
