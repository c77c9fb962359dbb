"""The table of logins that were refused."""

from __future__ import annotations

import os
import pickle
import threading
import weakref
from typing import Any

import pytest

from mailsend import (
    AuthenticationError,
    Cause,
    DeliveryReport,
    Endpoint,
    Reply,
    Retry,
    Security,
)
from mailsend import logins as module
from mailsend.logins import HOLD_SECONDS, Identity, Logins, fingerprint

HERE = Endpoint("127.0.0.1", 465, Security.IMPLICIT_TLS)
THERE = Endpoint("smtp.example.org", 465, Security.IMPLICIT_TLS)
REPLY = Reply.parse("535 5.7.8 No")


def identity(name: str = "ada", endpoint: Endpoint = HERE) -> Identity:
    return Identity(endpoint, name, fingerprint("s3cret"))


def error(cause: Cause = Cause.BAD_CREDENTIALS, retry: Retry = Retry.NEVER) -> AuthenticationError:
    return AuthenticationError("refused", reply=REPLY, cause=cause, retry=retry)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("retry", "seconds"),
    [(Retry.NEVER, 900.0), (Retry.HOURS, 3600.0), (Retry.MINUTES, 600.0)],
)
def test_how_long_a_refusal_holds(retry: Retry, seconds: float) -> None:
    clock = Clock()
    table = Logins(clock)
    assert table.refusal_of(identity()) is None
    table.failed(identity(), error(retry=retry))
    clock.now = seconds - 0.001
    assert table.refusal_of(identity()) is not None
    clock.now = seconds
    assert table.refusal_of(identity()) is None
    assert set(HOLD_SECONDS) == {Retry.NEVER, Retry.HOURS}


def test_it_holds_for_the_same_credentials_at_the_same_server() -> None:
    table = Logins(Clock())
    table.failed(identity(), error())
    assert table.refusal_of(Identity(HERE, "ada", fingerprint("s3cret"))) is not None
    assert table.refusal_of(Identity(HERE, "ada", fingerprint("S3cret"))) is None
    assert table.refusal_of(identity("eve")) is None
    assert table.refusal_of(identity(endpoint=THERE)) is None


def test_a_success_ends_it() -> None:
    table = Logins(Clock())
    table.failed(identity(), error())
    table.succeeded(identity())
    assert table.refusal_of(identity()) is None


@pytest.mark.parametrize("cause", [Cause.AUTHENTICATION_TEMPORARY, Cause.TOKEN_UNAVAILABLE])
def test_what_nobody_counts_as_a_wrong_login(cause: Cause) -> None:
    table = Logins(Clock())
    table.failed(identity(), error(cause))
    table.failed(identity(), AuthenticationError("nothing was asked"))
    assert table.refusal_of(identity()) is None


def test_a_server_started_anew_is_another_one() -> None:
    table = Logins(Clock())
    for where in (HERE, THERE):
        table.failed(identity(endpoint=where), error())
    table.forget(465)
    assert table.refusal_of(identity(endpoint=HERE)) is None
    assert table.refusal_of(identity(endpoint=THERE)) is not None


def test_it_does_not_grow_without_end() -> None:
    table = Logins(Clock())
    for number in range(1500):
        with table.turn(identity(str(number)), 1) as ours:
            assert ours
    assert len(table._entries) == module._MOST
    assert identity("1499") in table._entries
    assert identity("0") not in table._entries


def test_one_thread_at_a_time_until_one_has_succeeded() -> None:
    table = Logins(Clock())
    inside, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with table.turn(identity(), 30):
            inside.set()
            assert go_on.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert inside.wait(30)
    with table.turn(identity(), 0.01) as ours:
        assert not ours
    with table.turn(identity("eve"), 0.01) as ours:
        assert ours
    table.succeeded(identity())
    with table.turn(identity(), 0.01) as ours:
        assert ours  # the credentials are known to be good
    go_on.set()
    thread.join(30)


def test_after_a_refusal_good_credentials_are_tried_by_one_thread_again() -> None:
    table = Logins(Clock())
    table.succeeded(identity())
    with table.turn(identity(), 0):
        assert frees(table)
    table.failed(identity(), error())
    with table.turn(identity(), 0):
        assert not frees(table)


def test_a_thread_does_not_wait_for_itself() -> None:
    table = Logins(Clock())
    with table.turn(identity(), 30), table.turn(identity(), 30) as ours:
        assert ours  # as in a signal handler that came in the middle
    with table.turn(identity(), 0.01) as ours:
        assert ours


def test_an_error_gives_the_turn_back() -> None:
    table = Logins(Clock())
    with pytest.raises(KeyboardInterrupt):
        with table.turn(identity(), 30):
            raise KeyboardInterrupt
    with table.turn(identity(), 0.01) as ours:
        assert ours


def frees(table: Logins) -> bool:
    """Whether another thread gets the turn."""
    got: list[bool] = []

    def try_it() -> None:
        with table.turn(identity(), 0) as ours:
            got.append(ours)

    thread = threading.Thread(target=try_it)
    thread.start()
    thread.join(30)
    return got == [True]


class Interrupted:
    """A lock that is acquired, and then an interrupt comes before anybody knows of it."""

    def __init__(self, lock: Any) -> None:
        self.lock = lock
        self.release = lock.release

    def acquire(self, timeout: float) -> bool:
        assert self.lock.acquire(timeout=timeout)
        raise KeyboardInterrupt


def test_an_interrupt_right_after_the_turn_has_come_gives_it_back() -> None:
    table = Logins(Clock())
    with table.turn(identity(), 0):
        pass
    entry = table._entries[identity()]
    lock = entry.turn
    entry.turn = Interrupted(lock)  # type: ignore[assignment]  # what is asked of a lock
    with pytest.raises(KeyboardInterrupt):
        with table.turn(identity(), 30):
            pass
    entry.turn = lock
    assert frees(table)


def test_many_good_logins_do_not_push_a_refused_one_out() -> None:
    clock = Clock()
    table = Logins(clock)
    table.failed(identity(), error())
    for number in range(1500):
        table.succeeded(identity(str(number)))
    assert table.refusal_of(identity()) is not None
    assert len(table._entries) == module._MOST
    clock.now = 10_000  # it holds no longer
    table.succeeded(identity("another"))
    assert identity() not in table._entries
    for number in range(1500):
        table.failed(identity(str(number)), error())
    assert len(table._entries) == module._MOST
    assert table.refusal_of(identity("1499")) is not None


def test_what_is_remembered_leads_to_nobodys_frames_or_recipients() -> None:
    class Witness:
        pass

    def refuse(_: Witness) -> None:
        raise error() from OSError("the reason")

    table, witness = Logins(Clock()), Witness()
    gone = weakref.ref(witness)
    try:
        refuse(witness)
    except AuthenticationError as caught:
        table.failed(identity(), caught)
        caught.report = DeliveryReport.nothing_sent(["bob@example.org"])
    del witness
    refusal = table.refusal_of(identity())
    assert refusal is not None
    assert refusal.error.report is None
    assert gone() is None


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_process_knows_what_was_refused() -> None:
    module.logins.failed(identity(), error())
    child = os.fork()
    if child == 0:
        os._exit(0 if module.logins.refusal_of(identity()) is not None else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # it is what is tested
def test_a_child_process_waits_for_no_thread_of_its_parent() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with module.logins.turn(identity(), 30):
            inside.set()
            assert go_on.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert inside.wait(30)
    child = os.fork()
    if child == 0:
        with module.logins.turn(identity(), 0.01) as ours:
            os._exit(0 if ours else 1)
    _, status = os.waitpid(child, 0)
    go_on.set()
    thread.join(30)
    assert os.waitstatus_to_exitcode(status) == 0


def test_nothing_of_an_identity_shows() -> None:
    assert "ada" not in repr(identity())
    assert fingerprint("s3cret") != fingerprint("S3cret")
    assert b"s3cret" not in fingerprint("s3cret")
    assert b"s3cret" not in pickle.dumps(fingerprint("s3cret"))
