"""A kept session: idle, lost, shared, forked, used from within."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection

import pytest

from mailsend import (
    Cause,
    ConfigurationError,
    DeliveryReport,
    DeliveryUncertain,
    Envelope,
    ImplicitTlsTransport,
    InsecurePlaintextTransport,
    MemoryTransport,
    Reply,
    SessionError,
    SessionLost,
    SmtpProfile,
    StartTlsTransport,
    Submission,
    Transport,
    open_transport,
)
from mailsend.testing import Action, Answer, Close, Hang, Reset, SmtpServer, check_transport
from mailsend.transport.smtp import SmtpTransport

Serve = Callable[..., SmtpServer]
ProfileFor = Callable[..., SmtpProfile]

VARIANTS: dict[str, type[SmtpTransport]] = {
    "implicit_tls": ImplicitTlsTransport,
    "starttls": StartTlsTransport,
    "insecure_plaintext": InsecurePlaintextTransport,
}
ENVELOPE = Envelope("ada@example.org", ["bob@example.org"])
CONTENT = b"Subject: again\r\n\r\nx\r\n"


@pytest.mark.parametrize("mode", VARIANTS)
@pytest.mark.parametrize("extensions", [("PIPELINING", "8BITMIME", "SIZE"), ("8BITMIME",)])
def test_smtp_transports_keep_the_contract(
    serve: Serve, profile_for: ProfileFor, mode: str, extensions: Sequence[str]
) -> None:
    server = serve(mode, extensions=extensions)

    def received() -> list[tuple[Envelope, bytes]]:
        return [
            (Envelope(m.reverse_path or None, m.recipients), m.content) for m in server.messages
        ]

    profile = profile_for(server, mode)
    check_transport(lambda: VARIANTS[mode](profile), received)
    assert server.violations == ()


def test_the_memory_transport_keeps_the_contract() -> None:
    transport = MemoryTransport()
    check_transport(
        lambda: transport, lambda: [(s.envelope, s.content) for s in transport.submissions]
    )


class _Forgetful(MemoryTransport):
    """Breaks the contract: what it is given is lost."""

    @property
    def submissions(self) -> tuple[Submission, ...]:
        return ()


class _Careless(MemoryTransport):
    """Breaks the contract: of an envelope it sees only the addresses."""

    def send_raw(self, envelope: Envelope, content: bytes) -> DeliveryReport:
        return super().send_raw(Envelope(envelope.reverse_path, envelope.recipients), content)


def test_the_suite_finds_a_transport_that_breaks_the_contract() -> None:
    transport = _Forgetful()
    with pytest.raises(AssertionError, match="arrives once"):
        check_transport(
            lambda: transport, lambda: [(s.envelope, s.content) for s in transport.submissions]
        )
    refusing = MemoryTransport(refuse={"eve@example.org": Reply(550)})
    with pytest.raises(AssertionError, match="reported once"):
        check_transport(lambda: refusing)
    with pytest.raises(AssertionError, match="drops what it cannot do, such as DSN"):
        check_transport(_Careless)


@pytest.mark.parametrize("mode", VARIANTS)
def test_a_profile_of_another_mode_is_refused(
    serve: Serve, profile_for: ProfileFor, mode: str
) -> None:
    profile = profile_for(serve(mode), mode)
    with open_transport(profile) as transport:
        assert type(transport) is VARIANTS[mode]
    for other in VARIANTS.values():
        if other is not VARIANTS[mode]:
            with pytest.raises(ConfigurationError, match="open_transport"):
                other(profile)


@pytest.mark.parametrize("mode", VARIANTS)
@pytest.mark.parametrize(
    "actions",
    [
        (Answer("421 4.4.2 Idle for too long"), Close()),
        (Answer("421 4.4.2 Idle for too long"), Hang()),
        (Close(),),
        (Close(close_notify=False),),
        (Reset(),),
        (Answer("250 2.0.0 surplus"),),
        (Answer(b"250"),),
    ],
    ids=["421 close", "421", "close", "ragged close", "reset", "surplus", "part of a reply"],
)
def test_a_session_that_ended_while_idle_is_replaced(
    serve: Serve, profile_for: ProfileFor, mode: str, actions: tuple[Action, ...]
) -> None:
    server = serve(mode)
    with open_transport(profile_for(server, mode)) as transport:
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
        server.interrupt(*actions)
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
    assert len(server.messages) == 2
    assert server.connections == 2


@pytest.mark.parametrize("mode", VARIANTS)
@pytest.mark.parametrize("action", [Close(), Reset(), Answer("421 4.3.2 Enough")])
def test_a_session_that_ends_at_the_next_message_is_replaced_once(
    serve: Serve, profile_for: ProfileFor, mode: str, action: Action
) -> None:
    server = serve(mode)
    server.on("MAIL", action, skip=1, times=1)
    with open_transport(profile_for(server, mode)) as transport:
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
    assert len(server.messages) == 2
    server.on("MAIL", action, skip=1, times=None)
    with open_transport(profile_for(server, mode)) as transport:
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
        with pytest.raises(SessionError):
            transport.send_raw(ENVELOPE, CONTENT)
    assert len(server.messages) == 3


@pytest.mark.parametrize("mode", VARIANTS)
def test_a_first_message_is_never_tried_twice(
    serve: Serve, profile_for: ProfileFor, mode: str
) -> None:
    server = serve(mode)
    server.on("MAIL", Close())
    with open_transport(profile_for(server, mode)) as transport:
        with pytest.raises(SessionLost):
            transport.send_raw(ENVELOPE, CONTENT)
        assert server.connections == 1
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted


@pytest.mark.parametrize("mode", VARIANTS)
def test_what_is_uncertain_is_never_tried_again(
    serve: Serve, profile_for: ProfileFor, mode: str
) -> None:
    server = serve(mode)
    server.on("END_OF_DATA", Close(), skip=1)
    with open_transport(profile_for(server, mode)) as transport:
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
        reports = list(transport.send_many([]))
        assert reports == []
        with pytest.raises(Exception, match="no usable reply"):
            transport.send_raw(ENVELOPE, CONTENT)
    assert len(server.messages) == 2  # once each
    assert server.connections == 1


# -- threads, re-entry, fork


class _EnoughError(Exception):
    pass


def alarm_when(server: SmtpServer, condition: Callable[[], bool]) -> None:
    """Send this process SIGALRM as soon as the server has come to something."""

    def watch() -> None:
        server.wait_until(condition)
        os.kill(os.getpid(), signal.SIGALRM)

    threading.Thread(target=watch).start()


def test_use_from_within_is_an_error_and_no_deadlock(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls")
    caught: list[Exception] = []
    with open_transport(profile_for(server, "implicit_tls")) as transport:

        def handler(_: int, __: object) -> None:
            try:
                transport.send_raw(ENVELOPE, CONTENT)
            except Exception as error:  # noqa: BLE001 - looked at below
                caught.append(error)
            raise _EnoughError

        # No reply comes, so the signal handler runs in the middle of the sending.
        server.on("END_OF_DATA", Hang())
        previous = signal.signal(signal.SIGALRM, handler)
        try:
            alarm_when(server, lambda: len(server.messages) == 1)
            with pytest.raises(_EnoughError):
                transport.send_raw(ENVELOPE, CONTENT)
        finally:
            signal.signal(signal.SIGALRM, previous)
    assert isinstance(caught[0], ConfigurationError)


def _in_child(transport: Transport, results: Connection) -> None:
    try:
        transport.send_raw(ENVELOPE, CONTENT)
    except SessionError as error:
        results.send((type(error).__name__, error.cause))
    else:
        results.send(("sent", None))
    transport.close()
    # Let go of, it is as new, with a session of the child's own.
    results.send(transport.send_raw(ENVELOPE, CONTENT).all_accepted)
    transport.close()


@pytest.mark.parametrize("mode", VARIANTS)
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # forking is the subject
def test_after_a_fork_the_child_is_refused_and_the_parent_goes_on(
    serve: Serve, profile_for: ProfileFor, mode: str
) -> None:
    server = serve(mode)
    context = multiprocessing.get_context("fork")
    with open_transport(profile_for(server, mode)) as transport:
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
        ours, theirs = context.Pipe()
        child = context.Process(target=_in_child, args=(transport, theirs))
        child.start()
        assert ours.poll(20)
        assert ours.recv() == ("SessionError", Cause.FORKED)
        assert ours.recv() is True
        child.join(20)
        assert child.exitcode == 0
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
    assert len(server.messages) == 3
    assert server.connections == 2
    assert server.commands.count(b"QUIT") == 2
    assert [message.connection for message in server.messages] == [0, 1, 0]


def test_close_from_within_gives_up_the_session(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls")
    server.on("END_OF_DATA", Hang())
    with open_transport(profile_for(server, "implicit_tls")) as transport:

        def handler(_: int, __: object) -> None:
            transport.close()

        previous = signal.signal(signal.SIGALRM, handler)
        try:
            alarm_when(server, lambda: len(server.messages) == 1)
            with pytest.raises(DeliveryUncertain):
                transport.send_raw(ENVELOPE, CONTENT)
        finally:
            signal.signal(signal.SIGALRM, previous)
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
