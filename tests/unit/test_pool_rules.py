"""The rules of a pool: limits, the fate of a session, who gets which place."""

from __future__ import annotations

import math

import pytest
from attrs import define, evolve

from mailsend import (
    AuthenticationError,
    Cause,
    ConfigurationError,
    ConnectError,
    MailsendError,
    ProviderLimits,
    Reply,
    ServiceUnavailable,
    SessionTimeout,
    Stage,
    TlsError,
)
from mailsend.transport.pool_rules import (
    ASK_AFTER_SECONDS,
    GROW_AFTER_SECONDS,
    Fate,
    Life,
    Place,
    PoolLimits,
    Turns,
    is_for_want_of_room,
)

LIMITS = PoolLimits(
    size=3, idle_seconds=200.0, max_age_seconds=1000.0, messages_per_session=10, wait_seconds=5.0
)


@define(eq=False)
class Held:
    name: str = ""
    is_held: bool = True


Pool = Turns[str, Held]


def turns(size: int = 3) -> Pool:
    return Turns(evolve(LIMITS, size=size), lambda: "kept")


def joined(pool: Pool, *names: str) -> list[Held]:
    claims = [Held(name) for name in names]
    for claim in claims:
        pool.join(claim)
    return claims


def use(pool: Pool, now: float, life: Life | None) -> Place[str, Held]:
    """A message from its beginning to its end, behind which the session is as given."""
    (claim,) = joined(pool, "passing")
    taken = pool.take(claim, now)
    assert taken is not None
    pool.settle(taken[0], life)
    claim.is_held = False
    return taken[0]


@pytest.mark.parametrize("name", ["size", "messages_per_session"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "4", None, math.inf, 10_001])
def test_counts_are_whole_numbers_above_zero(name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=name):
        PoolLimits(**{name: value})  # type: ignore[arg-type]  # is the subject


@pytest.mark.parametrize("name", ["idle_seconds", "max_age_seconds", "wait_seconds"])
@pytest.mark.parametrize("value", [0, -1.0, True, "4", None, math.inf, math.nan])
def test_seconds_are_numbers_above_zero(name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=name):
        PoolLimits(**{name: value})  # type: ignore[arg-type]  # is the subject


@pytest.mark.parametrize(
    ("known", "size", "messages"),
    [
        (ProviderLimits(), 3, 10),
        (ProviderLimits(connections=2), 2, 10),
        (ProviderLimits(connections=250, messages_per_connection=5000), 3, 10),
        (ProviderLimits(connections=1, messages_per_connection=4), 1, 4),
    ],
)
def test_a_provider_lowers_the_limits_and_never_raises_them(
    known: ProviderLimits, size: int, messages: int
) -> None:
    within = LIMITS.within(known)
    assert within == evolve(LIMITS, size=size, messages_per_session=messages)


@pytest.mark.parametrize(
    ("life", "fate"),
    [
        (Life(opened=0, used=900, messages=1), Fate.KEEP),
        (Life(opened=0, used=901 - ASK_AFTER_SECONDS, messages=1), Fate.KEEP),
        (Life(opened=0, used=900 - ASK_AFTER_SECONDS, messages=1), Fate.ASK_FIRST),
        (Life(opened=0, used=900 - ASK_AFTER_SECONDS, messages=0), Fate.REPLACE),
        (Life(opened=0, used=701, messages=1), Fate.ASK_FIRST),
        (Life(opened=0, used=700, messages=1), Fate.REPLACE),
        (Life(opened=-100, used=900, messages=1), Fate.REPLACE),
        (Life(opened=0, used=900, messages=9), Fate.KEEP),
        (Life(opened=0, used=900, messages=10), Fate.REPLACE),
    ],
)
def test_what_becomes_of_a_session(life: Life, fate: Fate) -> None:
    assert life.fate(LIMITS, 900.0) is fate


def unavailable(
    text: str, stage: Stage = Stage.GREETING, cause: Cause | None = None
) -> MailsendError:
    return ServiceUnavailable("no", stage=stage, reply=Reply.parse(text), cause=cause)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (unavailable("421 4.3.2 Not now"), True),
        (unavailable("421 4.3.2 Not now", Stage.EHLO), True),
        (unavailable("554 5.3.2 Never"), False),
        (unavailable("554 5.7.0 Too many", cause=Cause.TOO_MANY_CONNECTIONS), True),
        (unavailable("421 4.3.2 Not now", Stage.MAIL), False),
        (AuthenticationError("no", stage=Stage.AUTH, cause=Cause.TOO_MANY_LOGINS), True),
        (AuthenticationError("no", stage=Stage.AUTH), False),
        (TlsError("no", stage=Stage.TLS), False),
        (ConnectError("no", stage=Stage.CONNECT), False),
        (SessionTimeout("no", stage=Stage.GREETING), False),
    ],
)
def test_what_says_that_there_is_no_room(error: MailsendError, expected: bool) -> None:
    assert is_for_want_of_room(error) is expected


def test_first_come_first_served() -> None:
    pool = turns(size=1)
    first, second, third = joined(pool, "first", "second", "third")
    assert pool.take(second, 0) is None
    taken = pool.take(first, 0)
    assert taken is not None
    place = taken[0]
    assert pool.take(second, 0) is None
    assert pool.next_in_turn(0) == []
    pool.settle(place, Life(0, 1, 1))
    first.is_held = False
    assert pool.next_in_turn(1) == [second]
    assert pool.take(third, 1) is None
    second.is_held = False  # interrupted while it waited: nobody has to be told
    assert pool.take(third, 1) == (place, Fate.KEEP)


def test_the_most_recently_used_session_goes_first() -> None:
    pool = turns()
    lives = [Life(0, 50, 1), Life(0, 70, 1), Life(0, 60, 1)]
    for place, life in zip(pool.places, lives, strict=True):
        pool.settle(place, life)
    claims = joined(pool, "a", "b", "c")
    taken = [pool.take(claim, 80) for claim in claims]
    assert [t and t[0] for t in taken] == [pool.places[1], pool.places[2], pool.places[0]]


def test_no_session_is_opened_while_one_is_free() -> None:
    pool = turns()
    place = use(pool, 0, Life(0, 0, 1))
    assert use(pool, 1, Life(0, 1, 2)) is place
    # One that is over its time makes room first.
    assert use(pool, 500, Life(500, 500, 1)) is place


def test_what_was_left_in_the_middle_is_given_up() -> None:
    pool = turns(size=1)
    (first,) = joined(pool, "first")
    taken = pool.take(first, 0)
    assert taken is not None
    first.is_held = False
    (second,) = joined(pool, "second")
    assert pool.take(second, 0) == (taken[0], Fate.ABANDON)


def test_a_refused_session_makes_the_pool_smaller_for_a_while() -> None:
    pool = turns()
    a, b, c = joined(pool, "a", "b", "c")
    places = [taken[0] for claim in (a, b, c) if (taken := pool.take(claim, 0))]
    assert pool.refused(places[2], 10)
    pool.join(c, first=True)
    assert pool.room(10) == 2
    assert pool.take(c, 10) is None
    pool.settle(places[0], Life(0, 11, 1))
    a.is_held = False
    assert pool.take(c, 11) == (places[0], Fate.KEEP)
    (d,) = joined(pool, "d")
    assert pool.take(d, 9 + GROW_AFTER_SECONDS) is None
    assert pool.take(d, 10 + GROW_AFTER_SECONDS) is not None
    assert pool.room(1e6) == 3


def test_who_was_served_out_of_turn_and_refused_stands_in_the_queue_once() -> None:
    pool = turns()
    a, b = joined(pool, "a", "b")
    taken = pool.take(b, 0)  # a is not awake yet
    assert taken is not None
    pool.settle(pool.places[2], Life(0, 0, 1))
    assert pool.refused(taken[0], 0)
    pool.join(b, first=True)
    assert list(pool.waiting()) == [b, a]


def test_where_no_other_is_there_the_refusal_counts() -> None:
    pool = turns()
    (a,) = joined(pool, "a")
    taken = pool.take(a, 0)
    assert taken is not None
    assert not pool.refused(taken[0], 0)
    assert pool.room(0) == 3


def test_closing_outdates_what_is_there() -> None:
    pool = turns()
    place = use(pool, 0, Life(0, 0, 1))
    (busy,) = joined(pool, "busy")
    taken = pool.take(busy, 0)
    assert taken == (place, Fate.KEEP)
    idle = pool.places[1]
    pool.settle(idle, Life(0, 0, 1))
    pool.begin_anew()
    assert pool.is_outdated(place)
    closing = Held("closing")
    assert pool.take_spare(closing, 0) == (idle, Fate.REPLACE)
    pool.settle(idle, None)
    assert pool.take_spare(closing, 0) is None
