"""Sessions that threads share: how many, for how long, and what is told when one cannot be had."""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

import pytest

from mailsend import (
    AuthenticationError,
    Cause,
    ConfigurationError,
    DeliveryReport,
    DeliveryUncertain,
    Envelope,
    MailsendError,
    OAuth2,
    Outcome,
    Password,
    PooledTransport,
    ServiceUnavailable,
    SessionError,
    SessionTimeout,
    SmtpProfile,
    Submission,
    Timeouts,
    TokenError,
    compose,
    providers,
    report_of,
)
from mailsend.testing import Action, Answer, Close, Hang, Reset, SmtpServer, check_transport
from mailsend.transport import pool as pool_module

Serve = Callable[..., SmtpServer]
ProfileFor = Callable[..., SmtpProfile]

MODES = ("implicit_tls", "starttls", "insecure_plaintext")
ENVELOPE = Envelope("ada@example.org", ["bob@example.org"])
CONTENT = b"Subject: pooled\r\n\r\nx\r\n"


@pytest.fixture(autouse=True)
def _nobody_looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    # Who is not woken is to be noticed.
    monkeypatch.setattr(pool_module, "_LOOK_AGAIN_SECONDS", 1000.0)


class Clock:
    """The time, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


def pool_with_clock(profile: SmtpProfile, **limits: Any) -> tuple[PooledTransport, Clock]:
    pool, clock = PooledTransport(profile, **limits), Clock()
    pool._clock = clock
    return pool, clock


def send_in_thread(
    pool: PooledTransport, envelope: Envelope = ENVELOPE
) -> tuple[threading.Thread, list[DeliveryReport | BaseException]]:
    ended: list[DeliveryReport | BaseException] = []

    def run() -> None:
        try:
            ended.append(pool.send_raw(envelope, CONTENT))
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, ended


def waiting(pool: PooledTransport) -> int:
    with pool._lock:
        return sum(1 for _ in pool._turns.waiting())


def until(condition: Callable[[], bool]) -> None:
    """For what no server sees: a thread that has come to stand in the queue."""
    latest = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < latest


@pytest.mark.parametrize("mode", MODES)
def test_a_pool_keeps_the_contract(serve: Serve, profile_for: ProfileFor, mode: str) -> None:
    server = serve(mode)

    def received() -> list[tuple[Envelope, bytes]]:
        return [
            (Envelope(m.reverse_path or None, m.recipients), m.content) for m in server.messages
        ]

    profile = profile_for(server, mode)
    check_transport(lambda: PooledTransport(profile), received)
    assert server.violations == ()


@pytest.mark.parametrize("size", [1, 3, 8])
def test_threads_share_sessions_and_each_message_has_one_for_itself(
    serve: Serve, profile_for: ProfileFor, size: int
) -> None:
    threads, messages = 8, 20
    server = serve("implicit_tls")
    server.on("RCPT", Answer("550 5.1.1 Unknown"), match=b"<refused", times=None)
    start = threading.Barrier(threads)

    def send(pool: PooledTransport, thread: int) -> list[DeliveryReport]:
        start.wait(10)
        return list(
            pool.send_many(
                Submission(
                    Envelope("ada@example.org", [f"{thread}-{n}@example.org", "refused@x.test"]),
                    b"Subject: %d-%d\r\n\r\nx\r\n" % (thread, n),
                    key=(thread, n),
                )
                for n in range(messages)
            )
        )

    with (
        PooledTransport(profile_for(server), size=size, messages_per_session=1000) as pool,
        ThreadPoolExecutor(threads) as executor,
    ):
        sent = [executor.submit(send, pool, number) for number in range(threads)]
        reports = [report for future in sent for report in future.result(30)]
        assert 1 <= server.connections <= size
    assert [r.key for r in reports] == [(t, n) for t in range(threads) for n in range(messages)]
    assert {r.accepted for r in reports} == {
        (f"{t}-{n}@example.org",) for t in range(threads) for n in range(messages)
    }
    assert all(list(r.refused) == ["refused@x.test"] for r in reports)
    assert {(m.recipients[0].partition("@")[0].encode(), m.content[9:].split(b"\r")[0])
            for m in server.messages} == {
        (b"%d-%d" % (t, n), b"%d-%d" % (t, n)) for t in range(threads) for n in range(messages)
    }  # fmt: skip
    assert len(server.messages) == threads * messages
    assert server.violations == ()
    server.wait_closed()
    assert server.commands.count(b"QUIT") == server.connections


def test_no_session_is_opened_that_is_not_needed(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls")
    with PooledTransport(profile_for(server), size=4) as pool:
        for _ in range(5):
            assert pool.send_raw(ENVELOPE, CONTENT).all_accepted
    assert server.connections == 1


# -- how long a session is kept


@pytest.mark.parametrize("limits", [{"idle_seconds": 50}, {"max_age_seconds": 50}])
def test_a_session_over_its_time_is_replaced(
    serve: Serve, profile_for: ProfileFor, limits: dict[str, Any]
) -> None:
    server = serve("implicit_tls")
    pool, clock = pool_with_clock(profile_for(server), **limits)
    with pool:
        assert pool.send_raw(ENVELOPE, CONTENT).all_accepted
        clock.ahead += 40
        assert pool.send_raw(ENVELOPE, CONTENT).all_accepted
        assert server.connections == 1
        clock.ahead += 50
        assert pool.send_raw(ENVELOPE, CONTENT).all_accepted
        server.wait_closed(0)
        assert server.raw[0].endswith(b"QUIT\r\n")
    assert [m.connection for m in server.messages] == [0, 0, 1]


def test_a_session_takes_no_more_messages_than_it_may(
    serve: Serve, profile_for: ProfileFor
) -> None:
    server = serve("implicit_tls")
    with PooledTransport(profile_for(server), messages_per_session=2) as pool:
        assert all(
            report.all_accepted for report in pool.send_many([Submission(ENVELOPE, CONTENT)] * 5)
        )
    assert [m.connection for m in server.messages] == [0, 0, 1, 1, 2]


def test_what_a_provider_allows_is_respected(serve: Serve, profile_for: ProfileFor) -> None:
    assert providers.get("microsoft365").limits.connections == 3
    profile = SmtpProfile.for_provider(
        "microsoft365", username="ada@example.org", credentials=Password("x"), mechanisms=("PLAIN",)
    )
    assert PooledTransport(profile).limits.size == 3
    assert PooledTransport(profile, size=2).limits.size == 2
    assert PooledTransport(profile_for(serve()), size=50).limits.size == 50


@pytest.mark.parametrize("name", ["size", "idle_seconds", "max_age_seconds", "wait_seconds"])
def test_a_limit_without_a_meaning_is_refused(
    serve: Serve, profile_for: ProfileFor, name: str
) -> None:
    with pytest.raises(ConfigurationError, match=name):
        PooledTransport(profile_for(serve()), **{name: 0})
    with pytest.raises(ConfigurationError, match="SmtpProfile"):
        PooledTransport("smtp://example.org")  # type: ignore[arg-type]  # is the subject


def test_a_spare_session_is_closed_by_the_next_use(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls")
    pool, clock = pool_with_clock(profile_for(server))
    has_session, may_go_on = threading.Event(), threading.Event()

    def sign(content: bytes) -> bytes:
        has_session.set()
        assert may_go_on.wait(20)
        return content

    with pool:
        message = compose(sender="ada@example.org", to="bob@example.org", text="x")
        holder = threading.Thread(target=lambda: pool.send(message, signers=[sign]))
        holder.start()
        assert has_session.wait(20)
        assert pool.send_raw(ENVELOPE, CONTENT).all_accepted
        may_go_on.set()
        holder.join(20)
        assert (server.connections, len(server.messages)) == (2, 2)
        clock.ahead += 61
        assert pool.send_raw(ENVELOPE, CONTENT).all_accepted
        for connection in (0, 1):
            server.wait_closed(connection)
            assert server.raw[connection].endswith(b"QUIT\r\n")
        assert server.connections == 3
        assert "1 of 4 open" in repr(pool)


@pytest.mark.parametrize("extensions", [["PIPELINING"], ["8BITMIME"]])
def test_one_that_was_idle_for_long_is_asked_first(
    serve: Serve, profile_for: ProfileFor, extensions: list[str]
) -> None:
    server = serve("implicit_tls", extensions=extensions)
    profile = profile_for(server, timeouts=Timeouts(quit=0.05))
    pool, clock = pool_with_clock(profile, idle_seconds=500, max_age_seconds=5000)
    with pool:
        assert pool.send_raw(ENVELOPE, CONTENT).all_accepted
        assert pool.send_raw(ENVELOPE, CONTENT).all_accepted
        assert b"RSET" not in server.commands
        clock.ahead += 61
        assert pool.send_raw(ENVELOPE, CONTENT).all_accepted
        assert server.commands.count(b"RSET") == 1
        assert server.connections == 1
        # As where a firewall has forgotten the connection: nothing comes back at all.
        clock.ahead += 61
        server.on("RSET", Hang())
        assert pool.send_raw(ENVELOPE, CONTENT).all_accepted
        assert server.connections == 2
    assert [m.connection for m in server.messages] == [0, 0, 0, 1]


@pytest.mark.parametrize(
    "actions",
    [(Answer("421 4.4.2 Idle for too long"), Close()), (Close(),), (Reset(),)],
    ids=["421", "close", "reset"],
)
def test_a_server_that_ends_idle_sessions_costs_no_message(
    serve: Serve, profile_for: ProfileFor, actions: Sequence[Action]
) -> None:
    server = serve("implicit_tls")
    with PooledTransport(profile_for(server), size=2) as pool:
        for connection in range(3):
            assert pool.send_raw(ENVELOPE, CONTENT).all_accepted
            server.interrupt(*actions, connection=connection)
        assert pool.send_raw(ENVELOPE, CONTENT).all_accepted
    assert [m.connection for m in server.messages] == [0, 1, 2, 3]


@pytest.mark.parametrize("action", [Close(), Reset(), Answer("421 4.3.2 Enough")])
def test_a_session_that_ends_at_the_next_message_is_replaced_once(
    serve: Serve, profile_for: ProfileFor, action: Action
) -> None:
    server = serve("implicit_tls")
    server.on("MAIL", action, skip=1, times=None)
    with PooledTransport(profile_for(server)) as pool:
        assert pool.send_raw(ENVELOPE, CONTENT).all_accepted
        with pytest.raises(SessionError) as caught:
            pool.send_raw(ENVELOPE, CONTENT)
        assert caught.value.report is not None
        assert caught.value.report.not_sent == ENVELOPE.recipients
    assert (server.connections, len(server.messages)) == (2, 1)


def test_what_is_uncertain_is_told_and_not_tried_again(
    serve: Serve, profile_for: ProfileFor
) -> None:
    server = serve("implicit_tls")
    server.on("END_OF_DATA", Close(), skip=1)
    with PooledTransport(profile_for(server)) as pool:
        assert pool.send_raw(ENVELOPE, CONTENT).all_accepted
        with pytest.raises(DeliveryUncertain):
            pool.send_raw(ENVELOPE, CONTENT)
        assert pool.send_raw(ENVELOPE, CONTENT).all_accepted
    assert [m.connection for m in server.messages] == [0, 0, 1]


# -- waiting


def test_who_waits_in_vain_is_told_so(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls")
    server.on("END_OF_DATA", Hang())
    pool = PooledTransport(profile_for(server), size=1, wait_seconds=0.05)
    thread, ended = send_in_thread(pool)
    server.wait_until(lambda: bool(server.messages))
    with pytest.raises(SessionTimeout, match=r"within 0.05 seconds: 1 are in use") as caught:
        pool.send_raw(ENVELOPE, CONTENT)
    assert caught.value.report is not None
    assert caught.value.report.not_sent == ENVELOPE.recipients
    assert caught.value.retryable
    assert waiting(pool) == 0
    server.stop()
    thread.join(20)
    assert isinstance(ended[0], DeliveryUncertain)
    pool.close()


def test_the_total_of_a_call_counts_the_waiting(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls")
    server.on("END_OF_DATA", Hang())
    profile = profile_for(server, timeouts=Timeouts(total=0.5))
    pool = PooledTransport(profile, size=1)
    first, _ = send_in_thread(pool)
    server.wait_until(lambda: bool(server.messages))
    server.on("END_OF_DATA", Hang())
    with pytest.raises(MailsendError) as caught:
        pool.send_raw(ENVELOPE, CONTENT)
    assert isinstance(caught.value, SessionTimeout | DeliveryUncertain)
    first.join(20)
    pool.close()


def test_the_queue_is_fair(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls")
    server.on("END_OF_DATA", Hang())
    pool = PooledTransport(profile_for(server, timeouts=Timeouts.uniform(20)), size=1)
    first, _ = send_in_thread(pool)
    server.wait_until(lambda: bool(server.messages))
    threads = []
    for number in range(6):
        threads.append(send_in_thread(pool, Envelope("ada@example.org", [f"{number}@x.test"]))[0])
        until(lambda number=number: waiting(pool) == number + 1)  # type: ignore[misc]  # a default
    with pool._lock:
        pool._turns.places[0].kept.session._wire.sock.shutdown(2)  # type: ignore[union-attr]  # open
    for thread in (first, *threads):
        thread.join(20)
    assert [m.recipients[0] for m in server.messages[1:]] == [f"{n}@x.test" for n in range(6)]
    pool.close()


# -- what a server does not give


@pytest.mark.parametrize(
    ("stage", "refusal"),
    [
        ("GREETING", "421 4.7.0 Too many concurrent SMTP connections"),
        ("GREETING", "421 4.3.2 Service not available"),
        ("EHLO", "421 4.3.2 Service not available"),
        ("AUTH", "454 4.7.0 Too many login attempts, please try again later"),
    ],
)
def test_the_pool_shrinks_to_what_the_server_allows(
    serve: Serve, profile_for: ProfileFor, stage: Any, refusal: str
) -> None:
    allowed, threads, messages = 2, 8, 6
    server = serve("insecure_plaintext")
    server.on(stage, Answer(refusal), Close(), skip=allowed, times=None)
    start = threading.Barrier(threads)
    profile = profile_for(server, "insecure_plaintext")
    with PooledTransport(profile, size=threads) as pool, ThreadPoolExecutor(threads) as executor:

        def send(thread: int) -> list[DeliveryReport]:
            start.wait(10)
            items = [Submission(ENVELOPE, CONTENT, key=thread)] * messages
            return list(pool.send_many(items))

        sent = [executor.submit(send, number) for number in range(threads)]
        reports = [report for future in sent for report in future.result(30)]
    assert all(report.all_accepted for report in reports)
    assert len(server.messages) == threads * messages
    assert server.connections <= threads
    assert len({m.connection for m in server.messages}) <= allowed


def test_after_a_minute_one_more_is_tried(
    serve: Serve, profile_for: ProfileFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "_LOOK_AGAIN_SECONDS", 0.01)
    server = serve("implicit_tls")
    server.on("GREETING", Answer("421 4.3.2 Too many connections"), Close(), skip=1)
    server.on("END_OF_DATA", Hang())
    pool, clock = pool_with_clock(profile_for(server, timeouts=Timeouts.uniform(20)), size=2)
    hanging, _ = send_in_thread(pool)
    server.wait_until(lambda: bool(server.messages))
    refused, ended = send_in_thread(pool)
    server.wait_until(lambda: server.connections == 2)
    until(lambda: waiting(pool) == 1)
    until(lambda: pool._turns.room(clock()) == 1)
    clock.ahead += 61
    refused.join(20)
    assert isinstance(ended[0], DeliveryReport)
    assert ended[0].all_accepted
    assert server.messages[1].connection == 2
    server.stop()
    hanging.join(20)
    pool.close()


def test_where_there_is_no_other_session_the_refusal_is_told(
    serve: Serve, profile_for: ProfileFor
) -> None:
    server = serve("implicit_tls")
    server.on("GREETING", Answer("421 4.3.2 Too many connections"), Close(), times=None)
    pool = PooledTransport(profile_for(server))
    with pytest.raises(ServiceUnavailable) as caught:
        pool.send_raw(ENVELOPE, CONTENT)
    assert caught.value.cause is Cause.TOO_MANY_CONNECTIONS
    assert server.connections == 1
    threads = [send_in_thread(pool) for _ in range(4)]
    for thread, _ in threads:
        thread.join(20)
    assert [type(ended[0]) for _, ended in threads] == [ServiceUnavailable] * 4


def test_refused_credentials_stop_everybody_who_waits(
    serve: Serve, profile_for: ProfileFor
) -> None:
    server = serve("implicit_tls")
    asked: list[None] = []
    may_answer = threading.Event()

    def token() -> str:
        asked.append(None)
        assert may_answer.wait(20)
        raise ValueError("none to be had")

    pool = PooledTransport(profile_for(server, credentials=OAuth2(token=token)), size=1)
    threads = [send_in_thread(pool) for _ in range(10)]
    until(lambda: waiting(pool) == 9)
    may_answer.set()
    for thread, _ in threads:
        thread.join(20)
    errors = [ended[0] for _, ended in threads]
    assert [type(error) for error in errors] == [TokenError] * 10
    assert len({id(error) for error in errors}) == 10
    for error in errors:
        report = report_of(error)  # type: ignore[arg-type]  # it is one
        assert report is not None
        assert report.not_sent == ENVELOPE.recipients
    assert len(asked) == 1
    assert server.connections == 0
    assert waiting(pool) == 0


def test_a_wrong_password_is_tried_once(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls")
    pool = PooledTransport(profile_for(server, credentials=Password("wrong")), size=4)
    threads = [send_in_thread(pool) for _ in range(10)]
    for thread, ended in threads:
        thread.join(20)
        assert type(ended[0]) is AuthenticationError
    assert len(server.authentications) == 1


# -- closing


@pytest.mark.parametrize("mode", MODES)
def test_close_waits_for_the_message_that_is_on_its_way(
    serve: Serve, profile_for: ProfileFor, mode: str
) -> None:
    server = serve(mode)
    pool = PooledTransport(profile_for(server, mode), size=2)
    content = b"x\r\n" * 100_000
    ended: list[DeliveryReport] = []
    thread = threading.Thread(target=lambda: ended.append(pool.send_raw(ENVELOPE, content)))
    thread.start()
    server.wait_until(lambda: b"DATA" in server.commands)
    pool.close()
    assert "closed" in repr(pool)
    thread.join(20)
    assert ended[0].all_accepted
    server.wait_closed()
    assert server.commands.count(b"QUIT") == server.connections == 1
    pool.close()
    assert pool.send_raw(ENVELOPE, CONTENT).all_accepted
    pool.close()
    assert server.connections == 2


def test_close_from_within_gives_up_the_session_and_use_is_refused(
    serve: Serve, profile_for: ProfileFor
) -> None:
    server = serve("implicit_tls")
    server.on("END_OF_DATA", Hang())
    pool = PooledTransport(profile_for(server), size=2)
    caught: list[MailsendError] = []

    def handler(_: int, __: object) -> None:
        try:
            pool.send_raw(ENVELOPE, CONTENT)
        except MailsendError as error:
            caught.append(error)
        pool.close()

    def watch() -> None:
        server.wait_until(lambda: bool(server.messages))
        signal.pthread_kill(main, signal.SIGALRM)

    main = threading.get_ident()
    previous = signal.signal(signal.SIGALRM, handler)
    try:
        threading.Thread(target=watch).start()
        with pytest.raises(DeliveryUncertain):
            pool.send_raw(ENVELOPE, CONTENT)
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert isinstance(caught[0], ConfigurationError)
    assert pool.send_raw(ENVELOPE, CONTENT).all_accepted
    pool.close()
    assert b"QUIT" not in server.raw[0]


# -- interrupts and forks


def test_an_interrupted_message_loses_no_place(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls")
    pool = PooledTransport(profile_for(server), size=1)
    main = threading.get_ident()

    def handler(_: int, __: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, handler)
    try:
        for number, stage in enumerate(["MAIL", "END_OF_DATA"]):
            server.on(stage, Hang())  # type: ignore[arg-type]  # a stage

            def watch(number: int = number) -> None:
                server.wait_until(lambda: len(server._script._rules) == number + 1
                                  and bool(server._script._rules[number]._used))  # fmt: skip
                signal.pthread_kill(main, signal.SIGALRM)

            threading.Thread(target=watch).start()
            with pytest.raises(KeyboardInterrupt) as caught:
                pool.send_raw(ENVELOPE, CONTENT)
            report = report_of(caught.value)
            assert report is not None
            ends = Outcome.UNCERTAIN if stage == "END_OF_DATA" else Outcome.NOT_SENT
            assert [o.outcome for o in report.outcomes] == [ends]
            thread, waiter = send_in_thread(pool)
            thread.join(20)
            assert isinstance(waiter[0], DeliveryReport)
            assert waiter[0].all_accepted
            pool.close()
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert b"QUIT" not in server.raw[0]


def test_what_is_interrupted_between_two_steps_is_closed_at_once(
    serve: Serve, profile_for: ProfileFor
) -> None:
    server = serve("implicit_tls")

    def sign(_: bytes) -> bytes:  # while the message has its session, and nothing was written
        raise KeyboardInterrupt

    message = compose(sender="ada@example.org", to="bob@example.org", text="x")
    with PooledTransport(profile_for(server), size=1) as pool:
        with pytest.raises(KeyboardInterrupt) as caught:
            pool.send(message, signers=[sign])
        report = report_of(caught.value)
        assert report is not None
        assert report.not_sent == ("bob@example.org",)
        server.wait_closed(0)
        assert "closed" in repr(pool)
        assert b"QUIT" not in server.raw[0]
        assert pool.send(message).all_accepted
    assert server.connections == 2


def test_who_is_interrupted_while_waiting_leaves_the_others_alone(
    serve: Serve, profile_for: ProfileFor
) -> None:
    server = serve("implicit_tls")
    server.on("END_OF_DATA", Hang())
    pool = PooledTransport(profile_for(server, timeouts=Timeouts.uniform(20)), size=1)
    main = threading.get_ident()

    def handler(_: int, __: object) -> None:
        raise KeyboardInterrupt

    hanging, ended = send_in_thread(pool)
    server.wait_until(lambda: bool(server.messages))

    def watch() -> None:
        until(lambda: waiting(pool) == 1)
        signal.pthread_kill(main, signal.SIGALRM)

    previous = signal.signal(signal.SIGALRM, handler)
    try:
        threading.Thread(target=watch).start()
        with pytest.raises(KeyboardInterrupt) as caught:
            pool.send_raw(ENVELOPE, CONTENT)
    finally:
        signal.signal(signal.SIGALRM, previous)
    report = report_of(caught.value)
    assert report is not None
    assert report.not_sent == ENVELOPE.recipients
    assert waiting(pool) == 0
    assert ended == []
    server.stop()
    hanging.join(20)
    assert isinstance(ended[0], DeliveryUncertain)
    pool.close()


def _in_child(pool: PooledTransport, results: Connection) -> None:
    try:
        pool.send_raw(ENVELOPE, CONTENT)
    except SessionError as error:
        results.send((type(error).__name__, error.cause))
    else:
        results.send(("sent", None))
    pool.close()
    results.send(pool.send_raw(ENVELOPE, CONTENT).all_accepted)
    pool.close()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # forking is the subject
def test_after_a_fork_the_child_is_refused_and_the_parent_goes_on(
    serve: Serve, profile_for: ProfileFor
) -> None:
    server = serve("implicit_tls")
    context = multiprocessing.get_context("fork")
    with PooledTransport(profile_for(server)) as pool:
        assert pool.send_raw(ENVELOPE, CONTENT).all_accepted
        ours, theirs = context.Pipe()
        # Whatever a thread of the parent holds at that moment, the child does not wait for it.
        with pool._lock:
            child = context.Process(target=_in_child, args=(pool, theirs))
            child.start()
        assert ours.poll(20)
        assert ours.recv() == ("SessionError", Cause.FORKED)
        assert ours.poll(20)
        assert ours.recv() is True
        child.join(20)
        assert child.exitcode == 0
        assert pool.send_raw(ENVELOPE, CONTENT).all_accepted
    assert Counter(m.connection for m in server.messages) == {0: 2, 1: 1}
    assert server.commands.count(b"QUIT") == 2
