"""P: replies that are too many, too few, odd and right, or to a session that is over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from mailsend import (
    AuthenticationError,
    Cause,
    MessageRefused,
    Outcome,
    ProtocolViolation,
    ServiceUnavailable,
    SessionLost,
    Stage,
    TlsError,
    open_transport,
)
from mailsend.testing import Action, Answer, Close, Garbage, Hang, Normal, Reset

from .matrix import (
    PIPELINED,
    SERIAL,
    WHOLE,
    Bench,
    Case,
    On,
    content,
    everywhere,
    table,
    up_to,
)
from .places import ONE_BY_ONE, OPENING, TRANSACTION, Place

# -- P12: one reply more than was asked for

SURPLUS = Answer("250 2.0.0 and another")
# It may come so late that the client is one command ahead from then on. Then what the answer to
# EHLO should offer is missing, or a server that minds the client's haste ends the session.
LATE_AT_GREETING = (ProtocolViolation, TlsError, AuthenticationError)
LATE_UNPIPELINED = (ProtocolViolation, SessionLost, MessageRefused)


def surplus(place: Place) -> Case:
    error: object = ProtocolViolation
    if place.stage is Stage.GREETING:
        error = LATE_AT_GREETING
    elif place in ONE_BY_ONE:
        error = LATE_UNPIPELINED
    return Case(
        f"P12 surplus after {place.name}",
        On(place.script, Normal(), SURPLUS, skip=place.skip),
        error,
        cause=Cause.OUT_OF_STEP if error is ProtocolViolation else None,
        modes=place.modes,
        server=place.server,
    )


@table([
    *(surplus(p) for p in OPENING if p.name not in {"starttls", "auth", "challenge"}),
    *(surplus(p) for p in TRANSACTION + ONE_BY_ONE if p.script != "DATA"),
    Case("P12 surplus with the greeting", On("GREETING", Answer("220 hello", "250 and another")),
         ProtocolViolation, stage=Stage.EHLO, deliveries=WHOLE, unsent=(b"EHLO",)),
    Case("P12 refusal with the greeting", On("GREETING", Answer("220 hello", "554 Or not")),
         ServiceUnavailable, stage=Stage.EHLO, code=554, deliveries=WHOLE, unsent=(b"EHLO",)),
    Case("P12 refusal with mail", On("MAIL", Answer("250 Ok", "550 Or not")),
         ProtocolViolation, cause=Cause.OUT_OF_STEP),
    Case("P12 surplus with mail unpipelined", On("MAIL", Answer("250 Ok", "250 and another")),
         ProtocolViolation, cause=Cause.OUT_OF_STEP, server={"extensions": SERIAL},
         deliveries=WHOLE, unsent=(b"RCPT",)),
    Case("P12 refusal with mail unpipelined", On("MAIL", Answer("250 Ok", "550 Or not")),
         MessageRefused, code=550, server={"extensions": SERIAL}, deliveries=WHOLE,
         unsent=(b"RCPT",)),
    Case("P12 354 with rcpt 1", On("RCPT", Answer("250 Ok", "354 go")), ProtocolViolation,
         cause=Cause.OUT_OF_STEP),
])  # fmt: skip
def test_a_surplus_reply_is_never_the_answer_to_the_next_command(
    bench: Bench, case: Case, mode: str, delivery: str
) -> None:
    server = bench.play(case, mode, delivery)
    assert server.messages == ()


@everywhere()
def test_p12_a_surplus_reply_after_auth_costs_a_session_or_an_error(
    bench: Bench, mode: str, delivery: str
) -> None:
    server = bench.serve(mode, delivery)
    server.on("AUTH", Normal(), SURPLUS)
    attempt = bench.submit(bench.profile(server, mode), content())
    bench.inspect(server, attempt)
    # Seen before the message, it makes the session stale; seen later, it is out of step.
    assert attempt.error is None or type(attempt.error) is ProtocolViolation
    assert attempt.error is not None or server.connections == 2


@everywhere()
def test_p12_a_surplus_reply_after_the_message_does_not_shift_the_next_ones(
    bench: Bench, mode: str, delivery: str
) -> None:
    server = bench.serve(mode, delivery)
    server.on("END_OF_DATA", Normal(), SURPLUS)
    server.on("RCPT", Answer("550 5.1.1 Unknown"), match=b"<bob@", skip=1, times=None)
    with open_transport(bench.profile(server, mode)) as transport:
        first = bench.attempt(transport, content(1))
        second = bench.attempt(transport, content(2))
    bench.inspect(server, first, second)
    assert first.ends == (Outcome.ACCEPTED, Outcome.ACCEPTED)
    assert second.ends == (Outcome.REFUSED, Outcome.ACCEPTED)
    assert server.connections == 2


# -- P5, P8, P9: replies that are odd and right


def every_reply(lines: Sequence[bytes], end: bytes = b"\r\n") -> Iterable[On]:
    """All positive replies in one shape; what EHLO offers is added to its own."""
    offers = [b"-" + line[1:] for line in lines] + [b"-STARTTLS", b"-8BITMIME", b" AUTH PLAIN"]

    def reply(code: bytes, texts: Sequence[bytes]) -> Answer:
        return Answer(b"".join(code + text + end for text in texts))

    yield On("GREETING", reply(b"220", lines))
    yield On("EHLO", reply(b"250", offers), times=None)
    yield On("STARTTLS", reply(b"220", lines))
    yield On("AUTH", reply(b"235", lines))
    yield On("MAIL", reply(b"250", lines))
    yield On("RCPT", reply(b"250", lines), times=None)
    yield On("DATA", reply(b"354", lines))
    yield On("END_OF_DATA", reply(b"250", lines))


@table(
    Case(name, tuple(every_reply(lines, end)), None, ends=Outcome.ACCEPTED, code=250)
    for name, lines, end in [
        ("P5 one line", [b" ok"], b"\r\n"),
        ("P5 many lines", [b"-one", b"-two", b"-", b" three"], b"\r\n"),
        ("P8 not ASCII", [b" Gr\xc3\xbc\xc3\x9fe"], b"\r\n"),
        ("P8 not UTF-8", [b" \xff\xfe\x80"], b"\r\n"),
        ("P8 NUL and controls", [b"-a\0b\x1b[31mred", b" \x07\x7f\xe2\x80\xae"], b"\r\n"),
        ("P9 bare line feeds", [b"-one", b" two"], b"\n"),
        ("P9 code alone", [b""], b"\r\n"),
        ("P9 code alone at the end", [b"-one", b""], b"\r\n"),
        ("P9 code alone and a bare line feed", [b""], b"\n"),
    ]
)
def test_replies_that_are_odd_and_right(bench: Bench, case: Case, mode: str, delivery: str) -> None:
    server = bench.play(case, mode, delivery)
    assert len(server.messages) == 1


@table([
    Case("P5 pipelined", (), None, ends=Outcome.ACCEPTED, code=250,
         server={"extensions": PIPELINED}),
    Case("P5 unpipelined", (), None, ends=Outcome.ACCEPTED, code=250,
         server={"extensions": SERIAL}),
])  # fmt: skip
def test_without_a_fault_all_is_accepted(
    bench: Bench, case: Case, mode: str, delivery: str
) -> None:
    server = bench.play(case, mode, delivery)
    assert server.violations == ()
    assert server.connections == 1


# -- P16: a session that ended while idle


@everywhere()
@pytest.mark.parametrize(
    "actions",
    [
        (Answer("421 4.4.2 Idle for too long"), Close()),
        (Answer("421-4.4.2 Idle", "421 4.4.2 for too long"), Hang()),
        (Answer("250 2.0.0 surplus"),),
        (Answer(b"421 4.4.2 Idl"),),
        (Garbage(), Close()),
        (Close(),),
        (Close(close_notify=False),),
        (Reset(),),
    ],
    ids=["421 end", "421", "surplus", "part", "noise", "end", "ragged end", "reset"],
)
def test_p16_a_session_that_ended_while_idle_is_replaced(
    bench: Bench, mode: str, delivery: str, actions: tuple[Action, ...]
) -> None:
    server = bench.serve(mode, delivery)
    with open_transport(bench.profile(server, mode)) as transport:
        first = bench.attempt(transport, content(1))
        server.interrupt(*actions)
        second = bench.attempt(transport, content(2))
    bench.inspect(server, first, second)
    assert first.ends == second.ends == (Outcome.ACCEPTED, Outcome.ACCEPTED)
    assert server.connections == 2
    assert server.raw[0].count(b"MAIL") == 1  # nothing is written to a session that is over


# -- P17: EHLO is unknown, or refused


@everywhere()
@pytest.mark.parametrize("code", [500, 501, 502, 504])
def test_p17_a_server_from_before_ehlo_is_asked_with_helo(
    bench: Bench, mode: str, delivery: str, code: int
) -> None:
    server = bench.serve(mode, delivery, users={})
    server.on("EHLO", Answer(f"{code} What?"))
    profile = bench.profile(server, mode, username=None, credentials=None)
    attempt = bench.submit(profile, content())
    bench.inspect(server, attempt)
    assert any(command.startswith(b"HELO ") for command in server.commands)
    if mode == "starttls":  # which only the reply to EHLO can offer
        assert type(attempt.error) is TlsError
        assert attempt.error.cause is Cause.STARTTLS_UNAVAILABLE
    else:
        assert attempt.ends == (Outcome.ACCEPTED, Outcome.ACCEPTED)
        assert not server.messages[0].extended


@table([
    *(
        Case(f"P17 EHLO {code}", On("EHLO", Answer(f"{code} Not you"), times=None),
             ServiceUnavailable, stage=Stage.EHLO, code=code, retryable=code < 500,
             unsent=(b"HELO", b"AUTH", b"MAIL"))
        for code in (421, 450, 451, 550, 554)
    ),
    Case("P17 HELO refused too",
         (On("EHLO", Answer("502 What?")), On("HELO", Answer("550 Not you"))),
         ServiceUnavailable, stage=Stage.EHLO, code=550, unsent=(b"AUTH", b"MAIL")),
    # With credentials, and no way to present them, nothing is sent without.
    Case("P17 HELO and credentials", On("EHLO", Answer("502 What?")), AuthenticationError,
         stage=Stage.AUTH, cause=Cause.AUTHENTICATION_UNAVAILABLE, unsent=(b"AUTH", b"MAIL"),
         modes=("implicit_tls", "insecure_plaintext")),
])  # fmt: skip
def test_a_server_that_refuses_ehlo(bench: Bench, case: Case, mode: str, delivery: str) -> None:
    bench.play(case, mode, delivery)


# -- P18: a group of four commands gets fewer replies

ENDS: dict[str, tuple[Action, ...]] = {
    "end": (Close(),),
    "reset": (Reset(),),
    "end in a reply": (Answer(b"250-2.0.0 a\r\n250"), Close()),
}


def cut(how: str, name: str, before: tuple[On, ...], on: On, stage: Stage,
        ends: tuple[Outcome, ...]) -> Case:  # fmt: skip
    taken = how == "reset"  # and with it the replies that were on their way
    return Case(
        f"P18 {name}, then {how}",
        (*before, On(on.stage, *ENDS[how], **on.options)),
        SessionLost,
        stage=up_to(stage) if taken else stage,
        cause=Cause.CONNECTION_LOST,
        ends=ends,
    )


NOBODY = (Outcome.NOT_SENT, Outcome.NOT_SENT)


@table(
    cut(how, name, before, on, stage, ends)
    for how in ENDS
    for name, before, on, stage, ends in [
        ("no reply", (), On("MAIL"), Stage.MAIL, NOBODY),
        ("one reply", (), On("RCPT"), Stage.RCPT, NOBODY),
        ("two replies", (), On("RCPT", skip=1), Stage.RCPT, NOBODY),
        ("three replies", (), On("DATA"), Stage.DATA, NOBODY),
        ("a refusal", (On("RCPT", Answer("550 5.1.1 Unknown")),), On("RCPT", skip=1), Stage.RCPT,
         (Outcome.REFUSED, Outcome.NOT_SENT)),
    ]
    if not (before and how == "reset")
)  # fmt: skip
def test_fewer_replies_than_commands(bench: Bench, case: Case, mode: str, delivery: str) -> None:
    server = bench.play(case, mode, delivery)
    assert server.messages == ()
    assert b"DATA" in b"".join(server.raw)  # it had been written with the others
