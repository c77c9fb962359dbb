"""A KeyboardInterrupt at every line that a submission runs: no leak, and the truth about it."""

from __future__ import annotations

import dis
import gc
import linecache
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from attrs import define

import mailsend
from mailsend import (
    DeliveryReport,
    DeliveryUncertain,
    Envelope,
    ImplicitTlsTransport,
    InsecurePlaintextTransport,
    MailsendError,
    MessageRefused,
    PooledTransport,
    RecipientsRefused,
    ServiceUnavailable,
    SessionLost,
    SmtpProfile,
    StartTlsTransport,
    Submission,
    Timeouts,
    report_of,
)
from mailsend.testing import Action, Answer, Close, Normal, Reset, SmtpServer
from mailsend.transport.smtp import SmtpTransport
from mailsend.transport.submission import SubmissionTransport

Serve = Callable[..., SmtpServer]
ProfileFor = Callable[..., SmtpProfile]

PACKAGE = str(Path(mailsend.__file__).parent)
SERVER = str(Path(mailsend.__file__).parent / "testing")
VARIANTS: dict[str, type[SmtpTransport]] = {
    "implicit_tls": ImplicitTlsTransport,
    "starttls": StartTlsTransport,
    "insecure_plaintext": InsecurePlaintextTransport,
}
CONTENT = b"Subject: any line\r\n\r\n.x\r\n"
KEY = "seventh"


class LineInterrupt:
    """Counts the lines that the package runs in this thread, and interrupts at one of them.

    Args:
        at: the number of the line, from 0; None only counts.
    """

    def __init__(self, at: int | None = None) -> None:
        self._at = at
        self.lines = 0
        self.where = ""

    @contextmanager
    def armed(self) -> Iterator[None]:
        previous = sys.gettrace()
        sys.settrace(self._trace)
        try:
            yield
        finally:
            sys.settrace(previous)

    @property
    def has_come(self) -> bool:
        return bool(self.where)

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        name = frame.f_code.co_filename
        if not name.startswith(PACKAGE) or name.startswith(SERVER):
            return None
        frame.f_trace = self._trace
        if event == "line" and not no_interrupt_comes_at(frame):
            self.lines += 1
            if self.lines - 1 == self._at:
                self.where = f"{Path(name).name}:{frame.f_lineno}"
                raise KeyboardInterrupt
        return self._trace


def no_interrupt_comes_at(frame: FrameType) -> bool:
    """Whether the line is a ``try``, a handler's head, a bare ``raise``, or an ended ``with``.

    The interpreter looks for signals where a function starts, where a loop goes back and behind
    a call of C that has returned. None of those is among these, nor is what stands between the
    end of a block and its ``__exit__``; that is what makes ``with lock`` safe.
    """
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    first = first_offsets(frame.f_code).get(frame.f_lineno, 0)
    never = line in {"try:", "raise"} or line.startswith("except ")
    return never or (line.startswith("with ") and frame.f_lasti > first)


@cache
def first_offsets(code: CodeType) -> dict[int, int]:
    offsets: dict[int, int] = {}
    for offset, line in dis.findlinestarts(code):
        if line is not None:
            offsets.setdefault(line, offset)
    return offsets


Course = Callable[[SubmissionTransport, Envelope], DeliveryReport | None]


def from_the_start(transport: SubmissionTransport, envelope: Envelope) -> DeliveryReport:
    transport.open()
    return transport.send_raw(envelope, CONTENT)


def one_message(transport: SubmissionTransport, envelope: Envelope) -> DeliveryReport:
    return transport.send_raw(envelope, CONTENT)


def stream(transport: SubmissionTransport, envelope: Envelope) -> DeliveryReport:
    (report,) = transport.send_many([Submission(envelope, CONTENT, key=KEY)])
    assert report.key == KEY
    if report.error is not None:
        raise report.error
    return report


def goodbye(transport: SubmissionTransport, _: Envelope) -> None:
    transport.close()


def judge(report: DeliveryReport | None, stored: set[str], where: str) -> None:
    """Compare what the client says of recipients with what the server has."""
    if report is None:  # it came before the sending, or after
        assert not stored, where
        return
    assert stored <= {*report.accepted, *report.uncertain}, where
    assert set(report.accepted) <= stored, where


@contextmanager
def leaks() -> Iterator[list[warnings.WarningMessage]]:
    """What was not closed; complete after a ``gc.collect``."""
    gc.collect()
    gc.freeze()  # what is there already need not be searched again and again
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield caught
    finally:
        gc.unfreeze()


@define
class Trial:
    """A course that is run once for every line of it, each time over the same transport.

    Attributes:
        server: that the transport leads to.
        transport: that the course uses.
        course: what is interrupted.
        before: what comes before it each time.
        expected: how the course ends without an interrupt; None for a report.
    """

    server: SmtpServer
    transport: SubmissionTransport
    course: Course
    before: Callable[[], object] = lambda: None
    expected: type[MailsendError] | None = None

    def run(self, step: int = 1) -> int:
        """Interrupt at every `step`-th line; how many lines there are."""
        whole = LineInterrupt()
        assert self._end(whole, Envelope("ada@example.org", ["whole@example.org"])) is self.expected
        with leaks() as leaked:
            for number in range(0, whole.lines, step):
                self._interrupt(number)
                gc.collect()
                assert not leaked, (number, [str(leak.message) for leak in leaked])
        return whole.lines

    def _end(self, tracer: LineInterrupt, envelope: Envelope) -> type[BaseException] | None:
        """Run the course to its end; what it raised. What it says is held against the server."""
        report: DeliveryReport | None = None
        caught: BaseException | None = None
        self.before()
        try:
            with tracer.armed():
                report = self.course(self.transport, envelope)
        except (KeyboardInterrupt, MailsendError) as error:
            caught, report = error, report_of(error)
        assert isinstance(caught, KeyboardInterrupt) is tracer.has_come, tracer.where
        if any("interrupted at" in note for note in getattr(caught, "__notes__", ())):
            # In the middle of the transaction: whatever is written now may be taken for content.
            assert "closed" in repr(self.transport), tracer.where
        if self.course is stream and tracer.has_come and report is not None:
            assert report.key == KEY, tracer.where
        self.transport.close()
        self.server.wait_closed()
        recent = {r for m in self.server.messages[-2:] for r in m.recipients}
        if self.course is not goodbye:
            stored = recent.intersection(envelope.recipients)
            judge(report, stored, f"{tracer.where}: {stored}, {report}")
        return None if caught is None else type(caught)

    def _interrupt(self, number: int) -> None:
        tracer = LineInterrupt(number)
        envelope = Envelope(
            "ada@example.org", [f"bob-{number}@example.org", f"eve-{number}@example.org"]
        )
        ended = self._end(tracer, envelope)
        # Waits may make the course so short that the line does not come.
        assert ended is (KeyboardInterrupt if tracer.has_come else self.expected), tracer.where


@pytest.mark.parametrize(
    ("mode", "extensions", "step"),
    [
        ("insecure_plaintext", ["PIPELINING"], 1),
        ("insecure_plaintext", [], 7),
        ("implicit_tls", ["PIPELINING"], 7),
        ("starttls", ["PIPELINING"], 11),
    ],
)
def test_an_interrupt_at_any_line_leaves_the_truth(
    serve: Serve, profile_for: ProfileFor, mode: str, extensions: list[str], step: int
) -> None:
    server = serve(mode, extensions=extensions)
    server.on("RCPT", Answer("550 5.1.1 Unknown"), match=b"<eve-", times=None)
    transport = VARIANTS[mode](profile_for(server, mode))
    assert Trial(server, transport, from_the_start).run(step) > 1000


@pytest.mark.parametrize(
    ("stage", "actions", "expected"),
    [
        ("END_OF_DATA", (Close(),), DeliveryUncertain),
        ("END_OF_DATA", (Answer("550 5.7.1 No"),), MessageRefused),
        ("RCPT", (Answer("450 4.2.0 Later"),), RecipientsRefused),
        ("MAIL", (Reset(),), SessionLost),
        ("GREETING", (Answer("421 4.3.2 Enough"), Close()), ServiceUnavailable),
    ],
)
def test_so_does_one_on_the_way_to_an_error(
    serve: Serve, stage: Any, actions: tuple[Action, ...], expected: type[MailsendError]
) -> None:
    server = serve("insecure_plaintext", users={})
    server.on(stage, *actions, times=None)
    transport = InsecurePlaintextTransport(server.profile(timeouts=Timeouts(total=5)))
    Trial(server, transport, from_the_start, expected=expected).run(7)


def test_so_does_one_while_a_lost_session_is_replaced(serve: Serve) -> None:
    server = serve("insecure_plaintext", users={})
    server.on("END_OF_DATA", Normal(), Close(), times=None)
    transport = InsecurePlaintextTransport(server.profile())
    before = Envelope("ada@example.org", ["before@example.org"])
    trial = Trial(server, transport, one_message, lambda: transport.send_raw(before, CONTENT))
    assert trial.run(7) > 500


def test_so_does_one_in_a_stream_of_messages(serve: Serve) -> None:
    server = serve("insecure_plaintext", users={})
    transport = InsecurePlaintextTransport(server.profile())
    Trial(server, transport, stream).run(5)


def test_one_while_leaving_leaks_nothing(serve: Serve) -> None:
    server = serve("insecure_plaintext", users={})
    transport = InsecurePlaintextTransport(server.profile())
    Trial(server, transport, goodbye, before=transport.open).run()


@pytest.mark.parametrize(("course", "step"), [(from_the_start, 31), (stream, 29), (goodbye, 3)])
def test_so_it_is_with_a_pool(serve: Serve, course: Course, step: int) -> None:
    server = serve("insecure_plaintext", users={})
    pool = PooledTransport(server.profile(), size=1)
    before = pool.open if course is goodbye else pool.close
    Trial(server, pool, course, before).run(step)
