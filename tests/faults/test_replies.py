"""P: replies that are cut, late, endless or no replies, at each stage of the conversation."""

from __future__ import annotations

import tracemalloc

import pytest
from attrs import frozen

from mailsend import (
    Cause,
    ConnectError,
    DeliveryUncertain,
    MailsendError,
    MessageRefused,
    Outcome,
    ProtocolViolation,
    ServiceUnavailable,
    SessionLost,
    SessionTimeout,
    Stage,
    open_transport,
)
from mailsend.testing import Action, Answer, Close, Drip, Flood, Garbage, Hang, Reset
from mailsend.testing import Stage as ScriptStage

from .matrix import (
    DELIVERIES,
    MODES,
    WHOLE,
    Bench,
    Case,
    On,
    content,
    everywhere,
    table,
    up_to,
    vast,
)
from .places import ONE_BY_ONE, OPENING, TRANSACTION, Place


@frozen
class Fault:
    """What goes wrong there, and what that is without a transaction at stake."""

    id: str
    actions: tuple[Action, ...]
    error: type[MailsendError]
    cause: Cause


def violation(name: str, *actions: Action) -> Fault:
    return Fault(name, actions, ProtocolViolation, Cause.OUT_OF_STEP)


def lost(name: str, *actions: Action) -> Fault:
    return Fault(name, actions, SessionLost, Cause.CONNECTION_LOST)


INSTANT = [
    lost("P1 reset", Reset()),
    lost("P2 end", Close()),
    lost("P2 ragged end", Close(close_notify=False)),
    lost("P2 end in a reply", Answer(b"250-2.0.0 Ok\r\n250 2.0.0 O"), Close()),
    lost("P2 reset in a reply", Answer(b"250 2.0.0 O"), Reset()),
    violation("P6 long line", Answer(b"250 " + b"x" * 9000 + b"\r\n")),
    violation("P7 endless", Flood(b"250-more\r\n", limit=8_000_000)),
    violation("P10 noise", Garbage()),
    violation("P10 blank", Answer(b"\r\n")),
    violation("P10 underscore", Answer(b"2_2 ok\r\n")),
    violation("P10 plus", Answer(b"+22 ok\r\n")),
    violation("P10 space", Answer(b" 250 ok\r\n")),
    violation("P10 run together", Answer(b"250ok\r\n")),
    violation("P10 199", Answer(b"199 ok\r\n")),
    violation("P10 999", Answer(b"999 ok\r\n")),
    violation("P11 250 then 251", Answer(b"250-one\r\n251 two\r\n")),
    violation("P11 250 then 550", Answer(b"250-one\r\n550 two\r\n")),
    violation("P11 550 then 250", Answer(b"550-one\r\n250 two\r\n")),
    Fault("P15 421", (Answer("421 Closing"),), ServiceUnavailable, Cause.SERVICE_UNAVAILABLE),
    Fault("P15 421 end", (Answer("421-So\r\n421 long"), Close()), ServiceUnavailable,
          Cause.SERVICE_UNAVAILABLE),
]  # fmt: skip
# Nothing is delivered, or octet by octet, so the ways of delivery make no difference.
LATE = [
    Fault("P3 silence", (Hang(),), SessionTimeout, Cause.TIMED_OUT),
    Fault("P4 dripped", (Drip(b"250-" + b"slow " * 400, 0.02),), SessionTimeout,
          Cause.TIMED_OUT),
]  # fmt: skip


def at(place: Place, fault: Fault) -> Case:
    """The row of a fault before the content: provably nothing was sent."""
    cause = fault.cause
    if place.stage is Stage.GREETING and cause is Cause.OUT_OF_STEP:
        cause = Cause.NOT_SMTP
    reset = Reset() in fault.actions
    return Case(
        f"{fault.id}-{place.name}",
        On(place.script, *fault.actions, skip=place.skip),
        # A reset may come before this side has noticed that it is connected, and it takes replies
        # with it that were on their way.
        (fault.error, ConnectError) if reset else fault.error,
        stage=up_to(place.stage) if reset else place.stage,
        cause=cause,
        code=421 if fault.error is ServiceUnavailable else None,
        # Whoever is out of step stays so with every try; the rest may be over later.
        retryable=fault.error is not ProtocolViolation,
        modes=place.modes,
        deliveries=WHOLE if fault in LATE or place in ONE_BY_ONE else DELIVERIES,
        budget=place.budget if fault in LATE else None,
        server=place.server,
    )


@table(at(place, fault) for place in OPENING + TRANSACTION for fault in INSTANT + LATE)
def test_before_the_content_nothing_is_sent(
    bench: Bench, case: Case, mode: str, delivery: str
) -> None:
    server = bench.play(case, mode, delivery)
    assert server.messages == ()


@table(at(place, fault) for place in ONE_BY_ONE for fault in INSTANT)
def test_without_pipelining_it_ends_the_same(
    bench: Bench, case: Case, mode: str, delivery: str
) -> None:
    server = bench.play(case, mode, delivery)
    assert server.messages == ()


# E10: the same faults in answer to the content.
def after(fault: Fault) -> Case:
    stored = On("END_OF_DATA", *fault.actions, store=True)
    uncertain = fault.error is not ServiceUnavailable
    return Case(
        fault.id.replace("P", "E10 P", 1),
        stored if uncertain else On("END_OF_DATA", *fault.actions),
        DeliveryUncertain if uncertain else ServiceUnavailable,
        stage=Stage.END_OF_DATA,
        cause=fault.cause,
        ends=Outcome.UNCERTAIN if uncertain else Outcome.REFUSED,
        retryable=not uncertain,
        deliveries=WHOLE if fault in LATE else DELIVERIES,
        budget="end_of_data" if fault in LATE else None,
    )


@table(
    after(fault)
    for fault in [
        *INSTANT,
        *LATE,
        violation("P10 354 again", Answer("354 go on")),
        violation("P7 endless without codes", Flood(b"more", limit=8_000_000)),
    ]
)
def test_after_the_last_octet_it_is_uncertain(
    bench: Bench, case: Case, mode: str, delivery: str
) -> None:
    server = bench.play(case, mode, delivery)
    # Where it is called uncertain, it was right not to say that nothing was sent.
    assert len(server.messages) == (case.error == (DeliveryUncertain,))


# -- within the content


CUTS: list[tuple[str, Action, type[MailsendError], Stage, Cause, Outcome]] = [
    ("P1 reset", Reset(), SessionLost, Stage.DATA, Cause.CONNECTION_LOST, Outcome.NOT_SENT),
    ("P2 end", Close(), SessionLost, Stage.DATA, Cause.CONNECTION_LOST, Outcome.NOT_SENT),
    # The server reads on, so all of it is handed over.
    ("P3 silence", Hang(), DeliveryUncertain, Stage.END_OF_DATA, Cause.TIMED_OUT,
     Outcome.UNCERTAIN),
]  # fmt: skip
CUT = [
    Case(f"{name}-content after {octets}", On("CONTENT", action, after=octets), error,
         stage=stage, cause=cause, ends=end, content=vast(), deliveries=WHOLE,
         budget="end_of_data" if end is Outcome.UNCERTAIN else None)
    for octets in (1, 40, 4000)
    for name, action, error, stage, cause, end in CUTS
]  # fmt: skip
ENDS: dict[str, tuple[Action, ...]] = {"": (), " and end": (Close(),)}
EARLY = [
    Case(f"{name} early {reply[:3]}{how}", On("CONTENT", Answer(reply), *actions, after=20_000),
         error, stage=Stage.DATA, code=code, cause=cause, content=vast())
    for how, actions in ENDS.items()
    for name, reply, error, code, cause in [
        ("P14", "552 5.3.4 Too big", MessageRefused, 552, Cause.MESSAGE_TOO_LARGE),
        ("P14", "451 4.3.0 Later", MessageRefused, 451, Cause.TEMPORARY_FAILURE),
        ("P15", "421 Closing", ServiceUnavailable, 421, Cause.SERVICE_UNAVAILABLE),
        # Followed by the end, it is the loss that stops the writing.
        ("P13", "250 2.0.0 Ok: queued as EARLY", (ProtocolViolation, SessionLost), None,
         (Cause.OUT_OF_STEP, Cause.CONNECTION_LOST)),
    ]
]  # fmt: skip


@table(CUT + EARLY)
def test_within_the_content_nothing_is_sent(
    bench: Bench, case: Case, mode: str, delivery: str
) -> None:
    server = bench.play(case, mode, delivery)
    assert server.messages == ()


@everywhere()
def test_p14_the_next_message_goes_over_a_new_session(
    bench: Bench, mode: str, delivery: str
) -> None:
    server = bench.serve(mode, delivery)
    server.on("CONTENT", Answer("552 5.3.4 Too big"), Close(), after=20_000)
    with open_transport(bench.profile(server, mode)) as transport:
        first = bench.attempt(transport, vast(1))
        second = bench.attempt(transport, content(2))
    bench.inspect(server, first, second)
    assert type(first.error) is MessageRefused
    assert second.ends == (Outcome.ACCEPTED, Outcome.ACCEPTED)
    assert server.connections == 2


P13 = b"354 go\r\n250 2.0.0 Ok: queued as EARLY\r\n"


@table([
    Case("P13 early 250 in one piece",
         (On("DATA", Answer(P13)), On("END_OF_DATA", Answer("550 No"))), ProtocolViolation,
         stage=Stage.DATA, cause=Cause.OUT_OF_STEP, deliveries=WHOLE),
    # However it is cut, the server reads no content before it has written all of it.
    Case("P13 early 250", (On("DATA", Answer(P13)), On("END_OF_DATA", Answer("550 No"))),
         ProtocolViolation, stage=Stage.DATA, cause=Cause.OUT_OF_STEP, content=vast()),
])  # fmt: skip
def test_p13_an_early_250_is_not_taken_for_the_answer_to_the_message(
    bench: Bench, case: Case, mode: str, delivery: str
) -> None:
    server = bench.play(case, mode, delivery)
    assert server.messages == ()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("stage", ["EHLO", "MAIL", "END_OF_DATA"])
def test_p7_what_a_hostile_reply_costs_is_bounded(
    bench: Bench, mode: str, stage: ScriptStage
) -> None:
    server = bench.serve(mode)
    # Each line and each count of them would be taken; all of them together are the trouble.
    server.on(stage, Flood(b"250-" + b"x" * 8000 + b"\r\n", limit=64_000_000))
    profile = bench.profile(server, mode)
    tracemalloc.start()
    try:
        attempt = bench.submit(profile, content())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    bench.inspect(server, attempt)
    assert type(attempt.error) in {ProtocolViolation, DeliveryUncertain}
    assert peak < 8_000_000
