"""P: budgets over several stages, and what a server says while octets are being written."""

from __future__ import annotations

import pytest

from mailsend import (
    DeliveryUncertain,
    Envelope,
    MailsendError,
    MessageRefused,
    Outcome,
    ServiceUnavailable,
    SessionLost,
    SessionTimeout,
    Stage,
    Timeouts,
    open_transport,
)
from mailsend.smtp.wire import Wire
from mailsend.testing import Answer, Close, Hang, Reset
from mailsend.timeouts import Deadline

from .matrix import BUDGET, HANGING, MODES, USER, Bench, content, everywhere

ACCEPTED = (Outcome.ACCEPTED, Outcome.ACCEPTED)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("stage", ["GREETING", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"])
def test_p3_the_total_budget_bounds_every_stage(bench: Bench, mode: str, stage: str) -> None:
    server = bench.serve(mode)
    server.on(stage, Hang())  # type: ignore[arg-type]  # of the table
    profile = bench.profile(server, mode, timeouts=Timeouts(total=BUDGET))
    # A session that stands takes no time from the message's budget.
    attempt = bench.submit(profile, content())
    bench.inspect(server, attempt)
    assert type(attempt.error) is SessionTimeout
    assert attempt.error.stage is Stage[stage]
    assert attempt.seconds < 2 * BUDGET + HANGING


@pytest.mark.parametrize("mode", MODES)
def test_p3_the_total_budget_counts_a_new_session_too(bench: Bench, mode: str) -> None:
    server = bench.serve(mode)
    server.on("MAIL", Close(), skip=1)
    server.on("AUTH", Hang(), skip=1)
    profile = bench.profile(server, mode, timeouts=Timeouts(total=BUDGET))
    with open_transport(profile) as transport:
        first = bench.attempt(transport, content(1))
        second = bench.attempt(transport, content(2))
    bench.inspect(server, first, second)
    assert first.ends == ACCEPTED
    assert type(second.error) is SessionTimeout
    assert second.seconds < BUDGET + HANGING


@pytest.mark.parametrize("mode", MODES)
def test_p3_a_slow_kept_session_is_not_tried_again(bench: Bench, mode: str) -> None:
    server = bench.serve(mode)
    server.on("MAIL", Hang(), skip=1)
    with open_transport(bench.profile(server, mode, budget="command")) as transport:
        first = bench.attempt(transport, content(1))
        second = bench.attempt(transport, content(2))
    bench.inspect(server, first, second)
    assert first.ends == ACCEPTED
    assert type(second.error) is SessionTimeout
    assert server.connections == 1


@everywhere()
@pytest.mark.parametrize("script", [Close(), Reset(), Answer("421 4.3.2 Enough")],
                         ids=["end", "reset", "421"])  # fmt: skip
def test_p15_a_kept_session_that_ends_at_the_next_message_is_replaced_once(
    bench: Bench, mode: str, delivery: str, script: Close | Reset | Answer
) -> None:
    server = bench.serve(mode, delivery)
    server.on("MAIL", script, skip=1)
    server.on("MAIL", script, skip=3, times=None)
    with open_transport(bench.profile(server, mode)) as transport:
        attempts = [bench.attempt(transport, content(number)) for number in range(3)]
    bench.inspect(server, *attempts)
    assert [attempt.ends for attempt in attempts[:2]] == [ACCEPTED, ACCEPTED]
    assert isinstance(attempts[2].error, SessionLost | ServiceUnavailable)
    assert server.connections == 3


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("early", "kind"),
    [
        (b"250 2.0.0 Ok: queued as EARLY\r\n", DeliveryUncertain),
        (b"550 5.7.1 Spam\r\n", MessageRefused),
    ],
)
def test_p13_a_reply_that_is_read_while_the_last_octets_are_written_came_too_early(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, mode: str, early: bytes,
    kind: type[MailsendError],
) -> None:  # fmt: skip
    server = bench.serve(mode)
    write = Wire.write

    def blocked(wire: Wire, data: bytes, deadline: Deadline, *, replies_due: int = 0) -> None:
        # What happens in a write that blocks until the server has spoken; buffers decide when.
        if bytes(data).endswith(b"\r\n.\r\n"):
            wire._parser.feed(early)
        write(wire, data, deadline, replies_due=replies_due)

    monkeypatch.setattr(Wire, "write", blocked)
    attempt = bench.submit(bench.profile(server, mode), content())
    assert type(attempt.error) is kind
    assert Outcome.ACCEPTED not in attempt.ends


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("last", "kind", "code"),
    [
        ("421 4.7.0 Too many", ServiceUnavailable, 421),
        # The answer to one recipient is not the reason why the connection broke.
        ("550 5.1.1 No such user", SessionLost, None),
    ],
)
def test_p15_the_reason_is_found_behind_replies_that_came_before_it(
    bench: Bench, mode: str, last: str, kind: type[MailsendError], code: int | None
) -> None:
    server = bench.serve(mode)
    server.on("RCPT", Answer("250 2.1.5 ok"), Answer(last), Reset())
    many = Envelope(USER, [f"recipient-{n:06}-{'x' * 40}@example.org" for n in range(60_000)])
    with open_transport(bench.profile(server, mode)) as transport:
        attempt = bench.attempt(transport, content(), many)
    bench.inspect(server, attempt)
    assert type(attempt.error) is kind
    assert (attempt.error.reply.code if attempt.error.reply else None) == code
    assert attempt.report is not None
    assert attempt.report.not_sent == many.recipients
