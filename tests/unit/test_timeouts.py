"""Timeouts and the deadlines made of them."""

from __future__ import annotations

import attrs
import pytest

from mailsend import Stage, Timeouts
from mailsend.timeouts import Watch


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_defaults() -> None:
    assert attrs.asdict(Timeouts()) == {
        "connect": 30,
        "greeting": 60,
        "tls": 30,
        "auth": 60,
        "command": 60,
        "data": 180,
        "end_of_data": 600,
        "quit": 2,
        "total": None,
    }


@pytest.mark.parametrize(("seconds", "goodbye"), [(20, 2), (1.5, 1.5), (0.1, 0.1), (1000, 2)])
def test_uniform_is_every_stage_but_the_goodbye(seconds: float, goodbye: float) -> None:
    timeouts = attrs.asdict(Timeouts.uniform(seconds))
    assert timeouts.pop("quit") == goodbye
    assert timeouts.pop("total") is None
    assert set(timeouts.values()) == {seconds}


TIMEOUTS = Timeouts(connect=1, greeting=2, tls=3, auth=4, command=5, data=6, end_of_data=7, quit=8)


@pytest.mark.parametrize(
    ("stage", "seconds"),
    [
        (Stage.CONNECT, 1),
        (Stage.GREETING, 2),
        (Stage.TLS, 3),
        (Stage.AUTH, 4),
        (Stage.EHLO, 5),
        (Stage.STARTTLS, 5),
        (Stage.MAIL, 5),
        (Stage.RCPT, 5),
        (Stage.DATA, 5),
        (Stage.END_OF_DATA, 7),
        (Stage.RSET, 8),
        (Stage.QUIT, 8),
    ],
)
def test_every_stage_has_a_budget(stage: Stage, seconds: float) -> None:
    assert TIMEOUTS.of(stage) == seconds


def test_no_stage_is_without_one() -> None:
    for stage in Stage:
        assert TIMEOUTS.of(stage) > 0


def test_deadlines_without_a_total() -> None:
    clock = Clock()
    watch = Watch(TIMEOUTS, clock)
    clock.now += 10_000
    deadline = watch.deadline(Stage.AUTH)
    assert (deadline.stage, deadline.seconds, deadline.at) == (Stage.AUTH, 4, clock.now + 4)
    assert watch.deadline(Stage.DATA, 6).at == clock.now + 6


def test_no_deadline_is_after_the_end_of_the_call() -> None:
    clock = Clock()
    watch = Watch(attrs.evolve(TIMEOUTS, total=10), clock)
    assert watch.deadline(Stage.END_OF_DATA).at == 1007
    clock.now = 1005
    deadline = watch.deadline(Stage.END_OF_DATA)
    assert (deadline.seconds, deadline.at) == (10, 1010)
    clock.now = 1020
    assert watch.deadline(Stage.MAIL).at == 1010
