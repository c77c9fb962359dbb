"""X: one transport, and threads, forks and interrupts."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection

import pytest

from mailsend import (
    Cause,
    Envelope,
    Outcome,
    PooledTransport,
    SessionError,
    Transport,
    open_transport,
)
from mailsend.smtp.opening import open_session
from mailsend.testing import Answer, Close, Hang, SmtpServer
from mailsend.testing import Stage as ScriptStage

from .judge import Attempt
from .matrix import ENVELOPE, MODES, SERIAL, USER, Bench, content, everywhere

THREADS, MESSAGES = 4, 8


@everywhere()
def test_x1_threads_that_share_a_transport_take_turns(
    bench: Bench, mode: str, delivery: str
) -> None:
    server = bench.serve(mode, delivery)
    server.on("RCPT", Answer("550 5.1.1 Unknown"), match=b"<refused", times=None)
    start = threading.Barrier(THREADS)

    def send(thread: int) -> list[Attempt]:
        start.wait(10)
        return [
            bench.attempt(
                transport,
                content(100 * thread + number, lines=3),
                Envelope(USER, [f"{thread}-{number}@example.org", f"refused-{thread}@example.org"]),
            )
            for number in range(MESSAGES)
        ]

    with (
        open_transport(bench.profile(server, mode)) as transport,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        attempts = [attempt for sent in pool.map(send, range(THREADS)) for attempt in sent]
    bench.inspect(server, *attempts)
    assert len(attempts) == len(server.messages) == THREADS * MESSAGES
    assert {attempt.ends for attempt in attempts} == {(Outcome.ACCEPTED, Outcome.REFUSED)}
    # Each content went to its own recipient and to nobody else.
    right = {attempt.content: attempt.envelope.recipients[:1] for attempt in attempts}
    assert {m.content: m.recipients for m in server.messages} == right
    assert server.connections == 1
    assert server.violations == ()


@pytest.mark.parametrize("mode", MODES)
def test_x1_threads_that_share_a_pool_do_not_mix_their_messages(bench: Bench, mode: str) -> None:
    server = bench.serve(mode)
    server.on("RCPT", Answer("550 5.1.1 Unknown"), match=b"<refused", times=None)
    # Some sessions end at the next message, some in its middle, some behind its end.
    server.on("MAIL", Answer("421 4.4.2 Idle"), Close(), skip=5, times=2)
    server.on("DATA", Close(), skip=9, times=2)
    server.on("END_OF_DATA", Close(), skip=12, times=2)
    start = threading.Barrier(THREADS)

    def send(thread: int) -> list[Attempt]:
        start.wait(10)
        return [
            bench.attempt(
                transport,
                content(100 * thread + number, lines=3),
                Envelope(USER, [f"{thread}-{number}@example.org", f"refused-{thread}@example.org"]),
            )
            for number in range(MESSAGES)
        ]

    with (
        PooledTransport(bench.profile(server, mode), size=2) as transport,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        attempts = [attempt for sent in pool.map(send, range(THREADS)) for attempt in sent]
    bench.inspect(server, *attempts)
    lost = [attempt for attempt in attempts if attempt.ends != (Outcome.ACCEPTED, Outcome.REFUSED)]
    assert sum(Outcome.UNCERTAIN in attempt.ends for attempt in lost) == 2
    assert 4 <= len(lost) <= 6
    right = {attempt.content: attempt.envelope.recipients[:1] for attempt in attempts}
    assert all(right[m.content] == m.recipients for m in server.messages)
    assert len({m.content for m in server.messages}) == len(server.messages)
    assert server.violations == ()


def _in_child(transport: Transport, results: Connection) -> None:
    try:
        transport.send_raw(ENVELOPE, content(2))
    except SessionError as error:
        results.send((type(error), error.cause, error.safe_to_retry))
    else:
        results.send(("sent", None, None))
    transport.close()
    # Let go of, it is as new, with a session of the child's own.
    results.send(transport.send_raw(ENVELOPE, content(3)).all_accepted)
    transport.close()


@everywhere()
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # forking is the subject
def test_x2_a_forked_child_is_refused_and_the_parent_goes_on(
    bench: Bench, mode: str, delivery: str
) -> None:
    server = bench.serve(mode, delivery)
    context = multiprocessing.get_context("fork")
    with open_transport(bench.profile(server, mode)) as transport:
        first = bench.attempt(transport, content(1))
        ours, theirs = context.Pipe()
        child = context.Process(target=_in_child, args=(transport, theirs))
        child.start()
        assert ours.poll(20)
        assert ours.recv() == (SessionError, Cause.FORKED, True)
        assert ours.poll(20)
        assert ours.recv() is True
        child.join(20)
        assert child.exitcode == 0
        last = bench.attempt(transport, content(4))
    bench.inspect(server, first, last)
    assert [m.content for m in server.messages] == [content(1), content(3), content(4)]
    assert [m.connection for m in server.messages] == [0, 1, 0]
    assert server.connections == 2
    assert server.commands.count(b"QUIT") == 2


# -- X3: an interrupt, wherever it comes


class TerminatedError(Exception):
    """What a program's own handler of a signal raises."""


@contextmanager
def interrupted_by(error: type[BaseException], server: SmtpServer, when: Callable[[], bool],
                   ) -> Iterator[None]:  # fmt: skip
    """Within, a signal handler raises `error` as soon as the server has come to something."""

    def handler(_: int, __: object) -> None:
        raise error

    def watch() -> None:
        server.wait_until(when)
        os.kill(os.getpid(), signal.SIGALRM)

    watcher = threading.Thread(target=watch)
    previous = signal.signal(signal.SIGALRM, handler)
    try:
        watcher.start()
        yield
    finally:
        watcher.join(20)
        signal.signal(signal.SIGALRM, previous)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("stage", ["AUTH", "MAIL", "RCPT", "DATA", "END_OF_DATA"])
@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, TerminatedError])
def test_x3_an_interrupt_closes_the_connection_without_a_word(
    bench: Bench, mode: str, stage: ScriptStage, interrupt: type[BaseException]
) -> None:
    server = bench.serve(mode, extensions=SERIAL)
    server.on(stage, Hang())

    def reached() -> bool:
        verb = stage.encode()
        return bool(server.messages) or any(c.startswith(verb) for c in server.commands)

    with interrupted_by(interrupt, server, reached):
        with pytest.raises(interrupt), open_transport(bench.profile(server, mode)) as transport:
            transport.send_raw(ENVELOPE, content())
    server.wait_closed()
    assert b"QUIT" not in b"".join(server.raw)
    assert server.connections == 1


@everywhere()
def test_x3_an_interrupt_before_the_first_message_leaves_no_connection_open(
    bench: Bench, mode: str, delivery: str
) -> None:
    server = bench.serve(mode, delivery)
    profile = bench.profile(server, mode)
    # The clock is asked around every wait, so it stands for a signal that comes in one of them.
    for calls in itertools.count():
        left = itertools.chain(itertools.repeat(None, calls))

        def clock(left: Iterator[None] = left) -> float:
            for _ in left:
                return time.monotonic()
            raise KeyboardInterrupt

        try:
            session = open_session(profile, clock=clock)
        except KeyboardInterrupt:
            server.wait_closed()
        else:
            session.abandon()
            break
    assert calls > 10
    assert b"QUIT" not in b"".join(server.raw)
