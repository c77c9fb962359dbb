"""Every stage cut in every way: the error's class and stage, the outcome, and the budget."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from mailsend import (
    Cause,
    ConnectError,
    DeliveryUncertain,
    Envelope,
    MailsendError,
    MessageRefused,
    ProtocolViolation,
    ServiceUnavailable,
    SessionLost,
    SessionTimeout,
    SmtpProfile,
    Stage,
    Timeouts,
    TlsError,
    open_transport,
)
from mailsend.smtp.wire import Wire
from mailsend.testing import (
    Action,
    Answer,
    Close,
    Drip,
    Flood,
    Garbage,
    Hang,
    Normal,
    Reset,
    SmtpServer,
    StopReading,
)
from mailsend.timeouts import Deadline

Serve = Callable[..., SmtpServer]
ProfileFor = Callable[..., SmtpProfile]

ENVELOPE = Envelope("ada@example.org", ["bob@example.org", "eve@example.org"])
CONTENT = b"Subject: faults\r\n\r\n" + b".A line of the body.\r\n" * 200
BUDGET = 0.3
MODES = ("implicit_tls", "starttls", "insecure_plaintext")

# script stage, how many occurrences to skip, our stage, the name of its budget
EARLY: list[tuple[str, int, Stage, str]] = [
    ("GREETING", 0, Stage.GREETING, "greeting"),
    ("EHLO", 0, Stage.EHLO, "command"),
    ("AUTH", 0, Stage.AUTH, "auth"),
    ("MAIL", 0, Stage.MAIL, "command"),
    ("RCPT", 0, Stage.RCPT, "command"),
    ("RCPT", 1, Stage.RCPT, "command"),
    ("DATA", 0, Stage.DATA, "command"),
]
STARTTLS_ONLY: list[tuple[str, int, Stage, str]] = [
    ("STARTTLS", 0, Stage.STARTTLS, "command"),
    ("EHLO", 1, Stage.EHLO, "command"),
]
LOST: list[tuple[str, Action, type[MailsendError]]] = [
    ("close", Close(), SessionLost),
    ("reset", Reset(), SessionLost),
    ("hang", Hang(), SessionTimeout),
    ("garbage", Garbage(), ProtocolViolation),
    ("blank line", Answer(b"\r\n"), ProtocolViolation),
    ("odd code", Answer(b"2_2 ok\r\n"), ProtocolViolation),
    ("code 999", Answer(b"999 ok\r\n"), ProtocolViolation),
    ("two codes", Answer(b"250-one\r\n251 two\r\n"), ProtocolViolation),
    ("long line", Answer(b"250 " + b"x" * 70_000 + b"\r\n"), ProtocolViolation),
    ("endless", Flood(b"250-more\r\n", limit=8_000_000), ProtocolViolation),
    ("drip", Drip(b"250-" + b"slow " * 40 + b"\r\n", interval=0.02), SessionTimeout),
    ("421", Answer("421 4.3.2 Closing"), ServiceUnavailable),
]
LOST_IDS = [name for name, _, _ in LOST]


def attempt(profile: SmtpProfile) -> MailsendError:
    with pytest.raises(MailsendError) as caught, open_transport(profile) as transport:
        transport.send_raw(ENVELOPE, CONTENT)
    return caught.value


def quick(name: str) -> Timeouts:
    return Timeouts(**{name: BUDGET})


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("kind", "action", "error_class"), LOST, ids=LOST_IDS)
@pytest.mark.parametrize(("where", "skip", "stage", "budget"), EARLY)
def test_before_the_content_nothing_is_sent(
    serve: Serve, profile_for: ProfileFor, mode: str, where: Any, skip: int, stage: Stage,
    budget: str, kind: str, action: Action, error_class: type[MailsendError],
) -> None:  # fmt: skip
    server = serve(mode)
    server.on(where, action, skip=skip)
    started = time.monotonic()
    error = attempt(profile_for(server, mode, timeouts=quick(budget)))
    assert time.monotonic() - started < BUDGET + 5
    if kind == "reset" and where == "GREETING" and error.stage is Stage.CONNECT:
        # The reset came before this side had noticed that it was connected.
        assert isinstance(error, ConnectError | SessionLost)
        return
    assert type(error) is error_class, kind
    assert error.stage is stage
    assert error.safe_to_retry
    assert error.report is None or error.report.not_sent == ENVELOPE.recipients
    assert server.messages == ()
    if kind == "421":
        assert error.reply is not None
        assert error.reply.code == 421


@pytest.mark.parametrize(("kind", "action", "error_class"), LOST, ids=LOST_IDS)
@pytest.mark.parametrize(("where", "skip", "stage", "budget"), STARTTLS_ONLY)
def test_around_starttls_no_credential_leaves(
    serve: Serve, profile_for: ProfileFor, where: Any, skip: int, stage: Stage, budget: str,
    kind: str, action: Action, error_class: type[MailsendError],
) -> None:  # fmt: skip
    server = serve("starttls")
    server.on(where, action, skip=skip)
    error = attempt(profile_for(server, timeouts=quick(budget)))
    assert type(error) is error_class, kind
    assert error.stage is stage
    assert not any(command.startswith(b"AUTH") for command in server.commands)


@pytest.mark.parametrize("mode", ["implicit_tls", "starttls"])
@pytest.mark.parametrize(
    ("action", "error_class"),
    [(Close(), TlsError), (Reset(), TlsError), (Hang(), SessionTimeout), (Garbage(), TlsError)],
    ids=["close", "reset", "hang", "garbage"],
)
def test_the_handshake_is_cut(
    serve: Serve, profile_for: ProfileFor, mode: str, action: Action,
    error_class: type[MailsendError],
) -> None:  # fmt: skip
    server = serve(mode)
    server.on("TLS", action)
    error = attempt(profile_for(server, mode, timeouts=quick("tls")))
    if isinstance(action, Reset) and error.stage is Stage.CONNECT:
        # The reset came before this side had noticed that it was connected.
        assert isinstance(error, ConnectError | SessionLost)
        return
    assert type(error) is error_class
    assert error.stage is Stage.TLS
    assert not any(command.startswith(b"AUTH") for command in server.commands)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("kind", "action"),
    [(name, action) for name, action, _ in LOST if name != "421"]
    + [("354 again", Answer("354 go on")), ("partial", Answer(b"250 2.0.0 Ok: que"))],
)
def test_after_the_last_octet_it_is_uncertain(
    serve: Serve, profile_for: ProfileFor, mode: str, kind: str, action: Action
) -> None:
    server = serve(mode)
    actions = (action, Close()) if kind == "partial" else (action,)
    server.on("END_OF_DATA", *actions, store=True)
    error = attempt(profile_for(server, mode, timeouts=quick("end_of_data")))
    assert type(error) is DeliveryUncertain
    assert error.stage is Stage.END_OF_DATA
    assert not error.safe_to_retry
    assert not error.retryable
    assert error.report is not None
    assert error.report.uncertain == ENVELOPE.recipients
    assert error.report.not_sent == error.report.accepted == ()
    assert error.__cause__ is not None
    assert len(server.messages) == 1  # it was right not to say that nothing was sent


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("code", [421, 451, 452, 550, 552, 554])
def test_a_refusal_of_the_content_is_a_refusal(
    serve: Serve, profile_for: ProfileFor, mode: str, code: int
) -> None:
    server = serve(mode)
    server.on("END_OF_DATA", Answer(f"{code} No"), Close())
    error = attempt(profile_for(server, mode))
    assert type(error) is (ServiceUnavailable if code == 421 else MessageRefused)
    assert error.report is not None
    assert set(error.report.refused) == set(ENVELOPE.recipients)
    assert error.safe_to_retry
    assert error.retryable is (code < 500)
    assert server.messages == ()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("after", [1, 40, 4000])
@pytest.mark.parametrize("action", [Close(), Reset(), Hang()], ids=["close", "reset", "hang"])
def test_cut_within_the_content_nothing_is_sent(
    serve: Serve, profile_for: ProfileFor, mode: str, after: int, action: Action
) -> None:
    server = serve(mode)
    server.on("CONTENT", action, after=after)
    # More than every buffer on the way takes, so that the last octet cannot be handed over.
    content = CONTENT + (b"x" * 998 + b"\r\n") * 8000
    timeouts = Timeouts(end_of_data=BUDGET)
    with (
        pytest.raises(MailsendError) as caught,
        open_transport(profile_for(server, mode, timeouts=timeouts)) as transport,
    ):
        transport.send_raw(ENVELOPE, content)
    error = caught.value
    if isinstance(action, Hang):
        # The server goes on reading, so all of it was handed over.
        assert type(error) is DeliveryUncertain
    else:
        assert type(error) is SessionLost
        assert error.stage is Stage.DATA
        assert error.report is not None
        assert error.report.not_sent == ENVELOPE.recipients
    assert server.messages == ()


@pytest.mark.parametrize("mode", MODES)
def test_a_server_that_stops_reading_ends_in_the_budget(
    serve: Serve, profile_for: ProfileFor, mode: str
) -> None:
    server = serve(mode, extensions=("8BITMIME",))
    server.on("CONTENT", StopReading(), after=1000)
    timeouts = Timeouts(data=0.5)
    with open_transport(profile_for(server, mode, timeouts=timeouts)) as transport:
        started = time.monotonic()
        with pytest.raises(SessionTimeout) as caught:
            transport.send_raw(ENVELOPE, CONTENT + (b"x" * 998 + b"\r\n") * 30_000)
        assert time.monotonic() - started < 6
    assert caught.value.stage is Stage.DATA
    assert caught.value.report is not None
    assert caught.value.report.not_sent == ENVELOPE.recipients


@pytest.mark.parametrize("mode", MODES)
def test_a_refusal_in_the_middle_of_the_content_is_reported_as_what_it_says(
    serve: Serve, profile_for: ProfileFor, mode: str
) -> None:
    server = serve(mode)
    server.on("CONTENT", Answer("552 5.3.4 Too big"), Close(), after=20_000)
    with open_transport(profile_for(server, mode)) as transport:
        with pytest.raises(MessageRefused) as caught:
            transport.send_raw(ENVELOPE, CONTENT + (b"x" * 998 + b"\r\n") * 8000)
        assert caught.value.cause is Cause.MESSAGE_TOO_LARGE
        assert caught.value.report is not None
        assert caught.value.report.not_sent == ENVELOPE.recipients
        # The session is over; the next message goes over a new one.
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
    assert server.connections == 2


@pytest.mark.parametrize("mode", MODES)
def test_a_250_before_the_end_of_data_is_not_taken_for_the_answer(
    serve: Serve, profile_for: ProfileFor, mode: str
) -> None:
    server = serve(mode)
    server.on("DATA", Answer(b"354 go\r\n250 2.0.0 Ok: queued as EARLY\r\n"))
    server.on("END_OF_DATA", Answer("550 5.7.1 No"))
    error = attempt(profile_for(server, mode))
    assert type(error) is ProtocolViolation
    assert error.report is not None
    assert error.report.not_sent == ENVELOPE.recipients
    assert server.messages == ()


@pytest.mark.parametrize("mode", MODES)
def test_a_surplus_reply_does_not_shift_those_that_follow(
    serve: Serve, profile_for: ProfileFor, mode: str
) -> None:
    server = serve(mode)
    server.on("END_OF_DATA", Normal(), Answer("250 2.0.0 and another"))
    server.on("RCPT", Answer("550 5.1.1 Unknown"), match=b"<bob@", skip=1, times=None)
    with open_transport(profile_for(server, mode)) as transport:
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
        second = transport.send_raw(ENVELOPE, CONTENT)
    assert list(second.refused) == ["bob@example.org"]
    assert second.accepted == ("eve@example.org",)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "action",
    [Close(), Reset(), Hang(), Garbage(), Answer("421 bye"), Answer("500 what?")],
    ids=["close", "reset", "hang", "garbage", "421", "500"],
)
def test_trouble_after_success_changes_nothing(
    serve: Serve, profile_for: ProfileFor, mode: str, action: Action
) -> None:
    server = serve(mode)
    server.on("QUIT", action)
    timeouts = Timeouts(quit=BUDGET)
    started = time.monotonic()
    with open_transport(profile_for(server, mode, timeouts=timeouts)) as transport:
        report = transport.send_raw(ENVELOPE, CONTENT)
    assert time.monotonic() - started < BUDGET + 5
    assert report.all_accepted


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("action", [Hang(), Garbage(), Answer("500 no"), Close(), Answer("421 no")])
def test_trouble_with_rset_neither_hides_the_refusal_nor_hurts_the_next_message(
    serve: Serve, profile_for: ProfileFor, mode: str, action: Action
) -> None:
    server = serve(mode)
    server.on("RCPT", Answer("550 5.1.1 Unknown"), times=2)
    server.on("RSET", action)
    timeouts = Timeouts(quit=BUDGET)
    with open_transport(profile_for(server, mode, timeouts=timeouts)) as transport:
        with pytest.raises(MailsendError, match="refused every recipient"):
            transport.send_raw(ENVELOPE, CONTENT)
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
    assert len(server.messages) == 1


def test_the_total_budget_bounds_everything(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("insecure_plaintext")
    server.on("EHLO", Hang())
    started = time.monotonic()
    error = attempt(profile_for(server, "insecure_plaintext", timeouts=Timeouts(total=BUDGET)))
    assert type(error) is SessionTimeout
    assert time.monotonic() - started < BUDGET + 5


@pytest.mark.parametrize(
    ("early", "kind"),
    [
        (b"250 2.0.0 Ok: queued as EARLY\r\n", DeliveryUncertain),
        (b"550 5.7.1 Spam\r\n", MessageRefused),
    ],
)
def test_a_reply_that_is_read_while_the_last_octets_are_written_came_too_early(
    serve: Serve, profile_for: ProfileFor, monkeypatch: pytest.MonkeyPatch, early: bytes,
    kind: type[MailsendError],
) -> None:  # fmt: skip
    server = serve("insecure_plaintext")
    write = Wire.write

    def blocked(wire: Wire, data: bytes, deadline: Deadline, *, replies_due: int = 0) -> None:
        # What happens in a write that blocks until the server has spoken; buffers decide when.
        if bytes(data).endswith(b"\r\n.\r\n"):
            wire._parser.feed(early)
        write(wire, data, deadline, replies_due=replies_due)

    monkeypatch.setattr(Wire, "write", blocked)
    with open_transport(profile_for(server, "insecure_plaintext")) as transport:
        with pytest.raises(kind) as caught:
            transport.send_raw(ENVELOPE, CONTENT)
    assert caught.value.report is not None
    assert not caught.value.report.accepted


def test_the_total_budget_counts_a_new_session_too(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("insecure_plaintext")
    server.on("MAIL", Close(), skip=1)
    server.on("EHLO", Hang(), skip=1)
    profile = profile_for(server, "insecure_plaintext", timeouts=Timeouts(total=1))
    with open_transport(profile) as transport:
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
        started = time.monotonic()
        with pytest.raises(SessionTimeout):
            transport.send_raw(ENVELOPE, CONTENT)
        assert time.monotonic() - started < 6


def test_a_slow_kept_session_is_not_tried_again(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("insecure_plaintext")
    server.on("MAIL", Hang(), skip=1)
    profile = profile_for(server, "insecure_plaintext", timeouts=Timeouts(command=BUDGET))
    with open_transport(profile) as transport:
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
        with pytest.raises(SessionTimeout):
            transport.send_raw(ENVELOPE, CONTENT)
    assert server.connections == 1


@pytest.mark.parametrize(
    ("last", "kind", "code"),
    [
        ("421 4.7.0 Too many", ServiceUnavailable, 421),
        # The answer to one recipient is not the reason why the connection broke.
        ("550 5.1.1 No such user", SessionLost, None),
    ],
)
def test_the_reason_is_found_behind_replies_that_came_before_it(
    serve: Serve, profile_for: ProfileFor, last: str, kind: type[MailsendError], code: int | None
) -> None:
    server = serve("insecure_plaintext", extensions=["PIPELINING"])
    server.on("RCPT", Answer("250 2.1.5 ok"), Answer(last), Reset())
    recipients = [f"recipient-{n:06}-{'x' * 40}@example.org" for n in range(100_000)]
    with open_transport(profile_for(server, "insecure_plaintext")) as transport:
        with pytest.raises(kind) as caught:
            transport.send_raw(Envelope("ada@example.org", recipients), CONTENT)
    assert type(caught.value) is kind
    assert (caught.value.reply.code if caught.value.reply else None) == code
    assert caught.value.report is not None
    assert caught.value.report.not_sent == tuple(recipients)
