"""Rows of the fault matrix, and how each is played against the embedded server.

The matrix is this project's numbered list of what can go wrong between a client and a server:
C connecting, P replies, T encryption, A authentication, E the transaction, X sharing a session.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from typing import Any, Final

import attrs
import pytest
from attrs import field, frozen

from mailsend import (
    Cause,
    DeliveryUncertain,
    Envelope,
    MailsendError,
    Outcome,
    Password,
    SessionError,
    SmtpProfile,
    Stage,
    Timeouts,
    Transport,
    open_transport,
)
from mailsend.testing import Action, SmtpServer
from mailsend.testing import Stage as ScriptStage

from .judge import Attempt, judge

MODES: Final = ("implicit_tls", "starttls", "insecure_plaintext")
ENCRYPTED: Final = ("implicit_tls", "starttls")
DELIVERIES: Final = ("whole", "lines", "bytes")
WHOLE: Final = ("whole",)

USER: Final = "ada@example.org"
SECRET: Final = "s3cret-Pässwörd"
FORMS: Final = tuple(
    form
    for octets in (SECRET.encode(), f"\0{USER}\0{SECRET}".encode())
    for form in (octets.decode(), base64.b64encode(octets).decode().rstrip("="))
)

BOB, EVE = "bob@example.org", "eve@example.org"
ENVELOPE: Final = Envelope(USER, [BOB, EVE])
PIPELINED: Final = ("PIPELINING", "SIZE 100000000", "8BITMIME", "ENHANCEDSTATUSCODES")
SERIAL: Final = PIPELINED[1:]

BUDGET: Final = 0.3  # seconds of the stage that a server does not finish
PATIENCE: Final = 10.0  # seconds of all other stages, so that a slow machine fails nothing
HANGING: Final = 5.0  # seconds above the budget after which something hung

BEFORE_AUTH: Final = {Stage.CONNECT, Stage.TLS, Stage.GREETING, Stage.EHLO, Stage.STARTTLS}


def content(number: int = 1, lines: int = 200) -> bytes:
    """A content of its own for each number, with dots to stuff."""
    return b"Subject: message %d\r\n\r\n" % number + b".A line of the body.\r\n" * lines


def vast(number: int = 1) -> bytes:
    """A content that no buffer on the way takes whole."""
    return content(number) + (b"x" * 998 + b"\r\n") * 8000


@frozen(init=False)
class On:
    """A script of the server: the arguments of :meth:`SmtpServer.on`."""

    stage: ScriptStage
    actions: tuple[Action, ...]
    options: Mapping[str, Any]

    def __init__(self, stage: ScriptStage, *actions: Action, **options: Any) -> None:
        self.__attrs_init__(stage, actions, options)


def _several(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


@frozen
class Case:
    """A row: what the server does to one message for Bob and Eve, and how that has to end.

    Where several errors, stages or causes are given, the order in which two threads come to run
    decides between them.

    Attributes:
        id: its name in the list, and what tells it from the others of that name.
        script: what the server does.
        error: the class that is raised; None for a report.
        stage: of the error; None is not looked at.
        cause: of the error; None is not looked at.
        code: of the reply that the error or report shows; None is not looked at.
        ends: of Bob and Eve, or of both.
        retryable: of the error; None is not looked at.
        modes: transports in which the case has a meaning.
        deliveries: how replies are written, where that makes a difference.
        budget: the timeout that is over.
        content: of the message.
        server: settings of the server.
        profile: settings of the client.
        unsent: what no command of the client begins with.
        stalled: the server does not even notice that the client leaves.
    """

    id: str
    script: tuple[On, ...] = field(converter=_several)
    error: tuple[type[MailsendError] | None, ...] = field(converter=_several)
    stage: tuple[Stage | None, ...] = field(default=None, converter=_several, kw_only=True)
    cause: tuple[Cause | None, ...] = field(default=None, converter=_several, kw_only=True)
    code: int | None = field(default=None, kw_only=True)
    ends: tuple[Outcome, ...] = field(default=Outcome.NOT_SENT, converter=_several, kw_only=True)
    retryable: bool | None = field(default=None, kw_only=True)
    modes: tuple[str, ...] = field(default=MODES, kw_only=True)
    deliveries: tuple[str, ...] = field(default=DELIVERIES, kw_only=True)
    budget: str | None = field(default=None, kw_only=True)
    content: bytes = field(default=content(), repr=False, kw_only=True)
    server: Mapping[str, Any] = field(factory=dict, kw_only=True)
    profile: Mapping[str, Any] = field(factory=dict, kw_only=True)
    unsent: tuple[bytes, ...] = field(default=(), kw_only=True)
    stalled: bool = field(default=False, kw_only=True)


def up_to(stage: Stage) -> tuple[Stage, ...]:
    """All stages to a reset's: it takes replies with it that were on their way."""
    stages = tuple(Stage)
    return stages[: stages.index(stage) + 1]


def table(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """Each case on each of its transports, with replies delivered in each of its ways."""
    rows = [
        pytest.param(case, mode, delivery, id=f"{case.id}-{mode}-{delivery}")
        for case in cases
        for mode in case.modes
        for delivery in case.deliveries
    ]
    return pytest.mark.parametrize(("case", "mode", "delivery"), rows)


def everywhere(
    modes: tuple[str, ...] = MODES, deliveries: tuple[str, ...] = DELIVERIES
) -> pytest.MarkDecorator:
    """The same two columns for a test that is more than a row."""
    rows = [
        pytest.param(mode, delivery, id=f"{mode}-{delivery}")
        for mode in modes
        for delivery in deliveries
    ]
    return pytest.mark.parametrize(("mode", "delivery"), rows)


def shows_secret(text: str) -> bool:
    """Whether a text has the password in a form in which it, or its exchange, could be seen."""
    return any(form in text for form in FORMS)


def everything(error: MailsendError) -> str:
    """All that an error can be made to show."""
    shown: list[object] = [error.facts(), error.transcript, error.report]
    link: BaseException | None = error
    while link is not None:
        shown += [str(link), repr(link), getattr(link, "reply", None)]
        link = link.__cause__ or link.__context__
    return repr(shown)


class Bench:
    """Starts servers, sends to them, and looks at what came of it.

    Args:
        servers: stops them.
    """

    def __init__(self, servers: ExitStack) -> None:
        self._servers = servers

    def serve(self, mode: str, delivery: str = "whole", **settings: Any) -> SmtpServer:
        """A server that requires AUTH as `USER`."""
        settings = {
            "users": {USER: SECRET},
            "auth_without_tls": mode == "insecure_plaintext",
            "extensions": PIPELINED,
            **settings,
        }
        server = SmtpServer(security=mode, delivery=delivery, **settings)  # type: ignore[arg-type]  # of the table
        return self._servers.enter_context(server)

    def profile(
        self, server: SmtpServer, mode: str, *, budget: str | None = None, **changes: Any
    ) -> SmtpProfile:
        """A profile for it, with little time for the stage of that budget."""
        timeouts = Timeouts.uniform(PATIENCE)
        if budget is not None:
            timeouts = attrs.evolve(timeouts, **{budget: BUDGET})
        settings = {
            "security": mode,
            "timeouts": timeouts,
            "username": USER,
            "credentials": Password(SECRET),
            **changes,
        }
        settings.setdefault(
            "allow_plaintext_credentials",
            mode == "insecure_plaintext" and settings["credentials"] is not None,
        )
        return server.profile(**settings)

    def attempt(
        self, transport: Transport, octets: bytes, envelope: Envelope = ENVELOPE
    ) -> Attempt:
        """One message over an open transport."""
        started = time.monotonic()
        try:
            report = transport.send_raw(envelope, octets)
        except MailsendError as error:
            return Attempt(envelope, octets, error.report, error, time.monotonic() - started)
        return Attempt(envelope, octets, report, None, time.monotonic() - started)

    def submit(
        self,
        profile: SmtpProfile,
        octets: bytes,
        *,
        then: Callable[[Attempt], object] = lambda _: None,
    ) -> Attempt:
        """One message over a transport of its own; `then` sees it before that is closed."""
        started = time.monotonic()
        try:
            with open_transport(profile) as transport:
                attempt = self.attempt(transport, octets)
                assert not shows_secret("\n".join(transport.transcript))
                then(attempt)
        except MailsendError as error:
            attempt = Attempt(ENVELOPE, octets, error.report, error)
        return attrs.evolve(attempt, seconds=time.monotonic() - started)

    def play(self, case: Case, mode: str, delivery: str) -> SmtpServer:
        """Play a row, and compare."""
        server = self.serve(mode, delivery, **case.server)
        for script in case.script:
            server.on(script.stage, *script.actions, **script.options)
        profile = self.profile(server, mode, budget=case.budget, **case.profile)

        def left(attempt: Attempt) -> None:
            # A session that failed is closed at once, not when its owner comes to close it.
            if isinstance(attempt.error, SessionError | DeliveryUncertain) and not case.stalled:
                server.wait_closed()

        attempt = self.submit(profile, case.content, then=left)
        assert attempt.seconds < (BUDGET if case.budget else HANGING) + HANGING
        _compare(case, attempt)
        self.inspect(server, attempt)
        for verb in case.unsent:
            assert not any(command.startswith(verb) for command in server.commands), verb
        return server

    def inspect(self, server: SmtpServer, *attempts: Attempt) -> None:
        """What holds of every case: no mis-report, no secret shown, none sent in the clear."""
        judge(server, *attempts)
        for attempt in attempts:
            error = attempt.error
            if error is None:
                continue
            assert isinstance(error, MailsendError)
            assert not shows_secret(everything(error))
            assert error.safe_to_retry is (Outcome.UNCERTAIN not in attempt.ends)
            if error.stage in BEFORE_AUTH and server.connections == 1:
                octets = b"".join(server.raw)
                assert b"AUTH" not in octets
                assert b"MAIL" not in octets
        for octets in server.raw:
            in_the_clear, upgrade, _ = octets.partition(b"STARTTLS\r\n")
            assert not upgrade or b"AUTH" not in in_the_clear


def _compare(case: Case, attempt: Attempt) -> None:
    error = attempt.error
    kind = type(error) if error is not None else None
    assert kind in case.error, f"{error!r} instead of {case.error}"
    ends = case.ends if len(case.ends) > 1 else case.ends * len(ENVELOPE.recipients)
    if len(case.error) == 1:
        assert attempt.ends == ends
    if error is None:
        reply = attempt.report.reply if attempt.report else None
    else:
        assert case.stage == (None,) or error.stage in case.stage
        assert case.cause == (None,) or error.cause in case.cause
        assert case.retryable is None or error.retryable is case.retryable
        reply = error.reply
    if reply is not None:
        assert all(line.isprintable() for line in reply.lines)
    if case.code is not None:
        assert reply is not None
        assert reply.code == case.code
