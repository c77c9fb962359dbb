"""Timeouts and the deadlines made of them."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def test_a_call_to_one_endpoint_has_all_of_it() -> None:
    watch = Watch(Timeouts(), Clock())
    assert watch.share(1, 0) is watch


@pytest.mark.parametrize("spent", [0.0, 1.0, 9.0, 10.0, 14.9])
def test_what_an_earlier_endpoint_left_over_goes_to_the_later_ones(spent: float) -> None:
    clock = Clock()
    watch = Watch(Timeouts(connect=30), clock)
    assert watch.share(2, 0).timeouts.connect == 15
    clock.now += spent
    assert watch.share(2, 1).timeouts.connect == pytest.approx(30 - spent)


@given(
    st.integers(2, 6),
    st.lists(
        st.tuples(st.sampled_from(["connect", "greeting", "tls", "command"]), st.floats(0, 1)),
        max_size=40,
    ),
)
def test_all_endpoints_together_take_no_more_than_one_budget(
    parts: int, steps: list[tuple[str, float]]
) -> None:
    clock = Clock()
    timeouts = Timeouts(connect=10, greeting=20, tls=5, command=40)
    watch = Watch(timeouts, clock)
    spent = dict.fromkeys(["connect", "greeting", "tls", "command"], 0.0)
    for number in range(parts):
        share = watch.share(parts, number)
        for name in dict.fromkeys(name for name, _ in steps[number::parts]):
            part = dict(steps[number::parts])[name] * getattr(share.timeouts, name)
            spent[name] += part
            clock.now += part
    for name, seconds in spent.items():
        assert seconds <= getattr(timeouts, name) + 1e-6


def test_a_total_is_shared_too() -> None:
    clock = Clock()
    watch = Watch(Timeouts(connect=30, total=8), clock)
    first = watch.share(2, 0)
    assert first.deadline(Stage.CONNECT).seconds == 4
    clock.now += 4
    second = watch.share(2, 1)
    assert second.deadline(Stage.CONNECT).at == pytest.approx(1008)
    clock.now += 3
    assert second.deadline(Stage.GREETING).at == pytest.approx(1008)


def test_one_endpoint_cannot_use_up_the_total_of_the_others() -> None:
    clock = Clock()
    watch = Watch(Timeouts(total=9), clock)
    first = watch.share(3, 0)
    for stage in (Stage.CONNECT, Stage.GREETING, Stage.TLS, Stage.EHLO):
        clock.now = first.deadline(stage).at  # slow at each stage, as far as it may be
    assert clock.now == 1003
    assert watch.share(3, 1).deadline(Stage.CONNECT).at == 1006
    clock.now = 1004
    assert watch.share(3, 2).deadline(Stage.CONNECT).at == 1009
    assert not watch.is_over
    clock.now = 1009
    assert watch.is_over
