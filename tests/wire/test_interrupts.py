"""Signals in the middle of a submission: what is left of the connection, and what is told."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from types import FrameType
from typing import NoReturn

import pytest

from mailsend import (
    DeliveryReport,
    Envelope,
    ImplicitTlsTransport,
    InsecurePlaintextTransport,
    MessageRefused,
    SmtpProfile,
    StartTlsTransport,
    Submission,
    Timeouts,
    open_transport,
    report_of,
)
from mailsend.testing import Answer, Drip, Hang, SmtpServer, Stage, StopReading
from mailsend.transport.smtp import SmtpTransport

Serve = Callable[..., SmtpServer]
ProfileFor = Callable[..., SmtpProfile]

VARIANTS: dict[str, type[SmtpTransport]] = {
    "implicit_tls": ImplicitTlsTransport,
    "starttls": StartTlsTransport,
    "insecure_plaintext": InsecurePlaintextTransport,
}
BOB, EVE = "bob@example.org", "eve@example.org"
ENVELOPE = Envelope("ada@example.org", [BOB, EVE])
CONTENT = b"Subject: interrupted\r\n\r\n.x\r\n"


class EnoughError(Exception):
    """What an application's own signal handler may raise."""


KINDS: list[type[BaseException]] = [KeyboardInterrupt, SystemExit, EnoughError]


@contextlib.contextmanager
def interrupts(kind: type[BaseException]) -> Iterator[Callable[[], None]]:
    """A function that interrupts this thread, and while the context lasts a handler that raises."""

    def handler(_: int, __: FrameType | None) -> NoReturn:
        raise kind

    number = signal.SIGINT if kind is KeyboardInterrupt else signal.SIGTERM
    thread = threading.get_ident()
    previous = signal.signal(number, handler)
    try:
        yield lambda: signal.pthread_kill(thread, number)
    finally:
        signal.signal(number, previous)


class Interruption:
    """What an interrupt found: filled in when its context ends.

    Attributes:
        received: what the server had received when it came.
        error: what left the context.
    """

    received: tuple[bytes, ...]
    error: BaseException

    @property
    def report(self) -> DeliveryReport:
        report = report_of(self.error)
        assert report is not None
        return report

    @property
    def notes(self) -> list[str]:
        return self.error.__notes__


@contextlib.contextmanager
def interrupted_when(
    server: SmtpServer, reached: Callable[[], bool], kind: type[BaseException] = KeyboardInterrupt
) -> Iterator[Interruption]:
    """Interrupt this thread as soon as something has come about."""
    found = Interruption()
    with interrupts(kind) as interrupt:

        def watch() -> None:
            latest = time.monotonic() + 20
            while not reached() and time.monotonic() < latest:
                pass  # a look costs less than waiting for a thread to be woken
            found.received = server.raw
            interrupt()

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            with pytest.raises(kind) as caught:
                yield found
        finally:
            watcher.join()
        found.error = caught.value


def is_scripted(server: SmtpServer) -> Callable[[], bool]:
    """Whether the server is doing what its first script says, and nothing else any more."""
    return lambda: bool(server._script._rules[0]._used)


def in_another_thread(action: Callable[[], object]) -> None:
    """Run something where a lock that this thread still had would be in the way."""
    done = threading.Event()

    def run() -> None:
        action()
        done.set()

    threading.Thread(target=run, daemon=True).start()
    assert done.wait(20)


STAGES: list[tuple[str, Stage, str]] = [
    (mode, stage, "not_sent")
    for mode in VARIANTS
    for stage in ("GREETING", "TLS", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA")
    if not (stage == "TLS" and mode == "insecure_plaintext")
    if not (stage == "STARTTLS" and mode != "starttls")
] + [(mode, "END_OF_DATA", "uncertain") for mode in VARIANTS]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("mode", "stage", "outcome"), STAGES)
def test_an_interrupt_closes_the_connection_and_carries_the_truth(
    serve: Serve, profile_for: ProfileFor, mode: str, stage: Stage, outcome: str,
    kind: type[BaseException],
) -> None:  # fmt: skip
    server = serve(mode, extensions=["8BITMIME"])
    server.on(stage, Hang())
    transport = VARIANTS[mode](profile_for(server, mode))
    with interrupted_when(server, is_scripted(server), kind) as interruption:
        transport.send_raw(ENVELOPE, CONTENT)
    server.wait_closed()
    assert server.raw == interruption.received
    assert b"QUIT" not in b"".join(server.raw)

    report = interruption.report
    assert getattr(report, outcome) == (BOB, EVE)
    assert report.endpoint == str(transport.profile.endpoint)
    (line,) = interruption.notes
    assert line.startswith("mailsend: interrupted")
    assert line.endswith(f"; {outcome.replace('_', ' ')}: {BOB}, {EVE}")
    assert line in "".join(traceback.format_exception(interruption.error))
    assert "closed" in repr(transport)

    def send_again() -> None:
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted

    in_another_thread(send_again)
    send_again()
    transport.close()
    assert len(server.messages) == (3 if outcome == "uncertain" else 2)


@pytest.mark.parametrize("mode", VARIANTS)
@pytest.mark.parametrize("kind", KINDS)
def test_in_the_middle_of_the_content_nothing_was_sent(
    serve: Serve, profile_for: ProfileFor, mode: str, kind: type[BaseException]
) -> None:
    server = serve(mode, extensions=["PIPELINING"])
    server.on("CONTENT", StopReading(), after=1000)
    with VARIANTS[mode](profile_for(server, mode)) as transport:
        # More than all the buffers on the way take.
        content = CONTENT + (b"x" * 998 + b"\r\n") * 30_000

        def reached() -> bool:
            return sum(map(len, server.raw)) > 2000

        with interrupted_when(server, reached, kind) as interruption:
            transport.send_raw(ENVELOPE, content)
        assert interruption.report.not_sent == (BOB, EVE)
        assert interruption.notes == [f"mailsend: interrupted at data; not sent: {BOB}, {EVE}"]
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
    assert server.messages[0].content == CONTENT
    assert b"QUIT" not in server.raw[0]


@pytest.mark.parametrize("store", [True, False])
def test_a_recipient_that_was_refused_stays_refused(
    serve: Serve, profile_for: ProfileFor, store: bool
) -> None:
    server = serve("implicit_tls")
    server.on("RCPT", Answer("550 5.1.1 Unknown"), match=b"<eve@")
    server.on("END_OF_DATA", Hang(), store=store)
    with VARIANTS["implicit_tls"](profile_for(server)) as transport:
        with interrupted_when(server, lambda: server.raw[0].endswith(b"\r\n.\r\n")) as interruption:
            transport.send_raw(ENVELOPE, CONTENT)
    assert interruption.report.uncertain == (BOB,)
    assert list(interruption.report.refused) == [EVE]
    server.wait_closed()
    assert len(server.messages) == store


def test_what_was_accepted_before_is_not_in_doubt(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("insecure_plaintext")
    taken: list[str] = []

    def submissions() -> Iterator[Submission]:
        for key in ("first", "second", "third"):
            taken.append(key)
            yield Submission(ENVELOPE, CONTENT, key=key)

    keys = []
    with open_transport(profile_for(server, "insecure_plaintext")) as transport:
        server.on("RCPT", Hang(), skip=2)
        second = b"RCPT TO:<bob@example.org>"
        with interrupted_when(server, lambda: server.commands.count(second) == 2) as interruption:
            for report in transport.send_many(submissions()):
                assert report.all_accepted
                keys.append(report.key)
    assert keys == ["first"]
    assert taken == ["first", "second"]
    assert interruption.report.key == "second"
    assert interruption.report.not_sent == (BOB, EVE)
    assert len(interruption.notes) == 1
    assert len(server.messages) == 1


def test_so_it_is_where_a_message_is_sent_by_its_fields(
    serve: Serve, profile_for: ProfileFor
) -> None:
    server = serve("starttls")
    server.on("END_OF_DATA", Hang())
    message = EmailMessage()
    message["From"], message["To"], message["Bcc"] = "ada@example.org", BOB, EVE
    message.set_content("x")
    with StartTlsTransport(profile_for(server)) as transport:
        with interrupted_when(server, is_scripted(server)) as interruption:
            transport.send(message)
    assert interruption.report.uncertain == (BOB, EVE)


def test_who_waits_for_another_thread_leaves_its_message_alone(
    serve: Serve, profile_for: ProfileFor
) -> None:
    server = serve("insecure_plaintext")
    server.on("END_OF_DATA", Drip(b"250 2.0.0 Ok\r\n", interval=0.05))
    main = threading.get_ident()
    with (
        InsecurePlaintextTransport(profile_for(server, "insecure_plaintext")) as transport,
        interrupts(KeyboardInterrupt) as interrupt,
    ):
        accepted: list[tuple[str, ...]] = []
        sending = threading.Thread(
            target=lambda: accepted.append(transport.send_raw(ENVELOPE, CONTENT).accepted)
        )
        sending.start()
        server.wait_until(lambda: bool(server.messages))

        def watch() -> None:
            while sys._current_frames()[main].f_code is not SmtpTransport._alone.__code__:
                pass  # until it stands before the lock
            interrupt()

        watcher = threading.Thread(target=watch)
        watcher.start()
        with pytest.raises(KeyboardInterrupt) as caught:
            transport.send_raw(Envelope("ada@example.org", ["dan@example.org"]), CONTENT)
        watcher.join()
        sending.join()
        report = report_of(caught.value)
        assert report is not None
        assert report.not_sent == ("dan@example.org",)
        assert accepted == [(BOB, EVE)]
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
    assert server.connections == 1


def test_while_the_connection_is_made_nothing_was_sent(serve: Serve) -> None:
    server = serve("insecure_plaintext", users={})

    server.on("GREETING", Hang())
    with (
        interrupted_when(server, is_scripted(server)) as interruption,
        open_transport(server.profile()),
    ):
        pass
    assert report_of(interruption.error) is None  # no message had been begun
    server.wait_closed()
    assert server.raw == (b"",)


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupt_while_leaving_closes_too(
    serve: Serve, profile_for: ProfileFor, kind: type[BaseException]
) -> None:
    server = serve("implicit_tls")
    server.on("QUIT", Hang())
    transport = ImplicitTlsTransport(profile_for(server, timeouts=Timeouts(quit=60)))
    assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
    with interrupted_when(server, is_scripted(server), kind):
        transport.close()
    server.wait_closed()
    assert "closed" in repr(transport)
    assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
    transport.close()


def test_the_accessor_knows_errors_of_the_library_too(
    serve: Serve, profile_for: ProfileFor
) -> None:
    server = serve("insecure_plaintext")
    server.on("END_OF_DATA", Answer("550 5.7.1 No"))
    with open_transport(profile_for(server, "insecure_plaintext")) as transport:
        with pytest.raises(MessageRefused) as caught:
            transport.send_raw(ENVELOPE, CONTENT)
    assert report_of(caught.value) is caught.value.report is not None
