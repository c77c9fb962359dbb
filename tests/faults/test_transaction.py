"""E: what a server answers to a sender, recipients and a content, and to RSET and QUIT."""

from __future__ import annotations

import time

import pytest

from mailsend import (
    CapabilityError,
    Cause,
    DeliveryUncertain,
    Envelope,
    MessageRefused,
    Outcome,
    RecipientsRefused,
    Scope,
    SenderRefused,
    SessionTimeout,
    Stage,
    open_transport,
)
from mailsend.testing import Action, Answer, Close, Flood, Garbage, Hang, Normal, Reset, StopReading

from .matrix import (
    BOB,
    BUDGET,
    EVE,
    HANGING,
    PIPELINED,
    SERIAL,
    USER,
    WHOLE,
    Bench,
    Case,
    On,
    content,
    everywhere,
    table,
    vast,
)

ACCEPTED, REFUSED, NOT_SENT = Outcome.ACCEPTED, Outcome.REFUSED, Outcome.NOT_SENT
END: dict[str, tuple[Action, ...]] = {"": (), " and end": (Close(),)}
GROUPING = {"pipelined": PIPELINED, "unpipelined": SERIAL}
in_both_groupings = pytest.mark.parametrize(
    "extensions", list(GROUPING.values()), ids=list(GROUPING)
)


def unknown(recipient: str, reply: str = "550 5.1.1 Unknown") -> On:
    return On("RCPT", Answer(reply), match=f"<{recipient}>".encode())


@table(
    case
    for grouping, extensions in GROUPING.items()
    for case in [
        *(
            Case(f"E1 {reply[:3]} {grouping}", On("MAIL", Answer(reply)), SenderRefused,
                 stage=Stage.MAIL, code=int(reply[:3]), retryable=reply[0] == "4",
                 server={"extensions": extensions})
            for reply in ["450 Later", "451 Later", "550 Not you", "553 Not so", "501 What?"]
        ),
        Case(f"E2 one refused {grouping}", unknown(BOB), None, ends=(REFUSED, ACCEPTED),
             code=250, server={"extensions": extensions}),
        Case(f"E2 the other deferred {grouping}", unknown(EVE, "450 4.2.0 Later"), None,
             ends=(ACCEPTED, REFUSED), code=250, server={"extensions": extensions}),
        Case(f"E2 refused, and then the message too {grouping}",
             (unknown(BOB), On("END_OF_DATA", Answer("554 Spam"))), MessageRefused, code=554,
             ends=(REFUSED, REFUSED), server={"extensions": extensions}),
        Case(f"E2 refused, and then it is uncertain {grouping}",
             (unknown(BOB), On("END_OF_DATA", Close())), DeliveryUncertain,
             ends=(REFUSED, Outcome.UNCERTAIN), server={"extensions": extensions}),
        Case(f"E3 all refused {grouping}", (unknown(BOB), unknown(EVE)), RecipientsRefused,
             stage=Stage.RCPT, cause=Cause.MAILBOX_UNKNOWN, code=550, ends=REFUSED,
             retryable=False, server={"extensions": extensions}),
        Case(f"E3 one of them only deferred {grouping}",
             (unknown(BOB), unknown(EVE, "450 4.2.0 Later")), RecipientsRefused,
             stage=Stage.RCPT, code=450, ends=REFUSED, retryable=True,
             server={"extensions": extensions}),
        *(
            Case(f"E5 {code} to everything {grouping}",
                 (On("MAIL", Answer(f"{code} fine")), On("RCPT", Answer(f"{code} fine"), times=2),
                  On("END_OF_DATA", Answer(f"{code} fine"))),
                 None, ends=ACCEPTED, code=code, server={"extensions": extensions})
            for code in (200, 250, 251, 252, 299)
        ),
        *(
            Case(f"E8 {code} {grouping}", On("DATA", Answer(f"{code} No")), MessageRefused,
                 stage=Stage.DATA, code=code, ends=REFUSED, retryable=code < 500,
                 server={"extensions": extensions})
            for code in (450, 451, 550, 554)
        ),
        *(
            Case(f"E9 {code}{how} {grouping}", On("END_OF_DATA", Answer(f"{code} No"), *end),
                 MessageRefused, stage=Stage.END_OF_DATA, code=code, ends=REFUSED,
                 retryable=code < 500, server={"extensions": extensions})
            for code in (450, 451, 452, 550, 552, 554)
            for how, end in END.items()
        ),
    ]
)  # fmt: skip
def test_the_server_says_no_or_yes(bench: Bench, case: Case, mode: str, delivery: str) -> None:
    server = bench.play(case, mode, delivery)
    assert len(server.messages) == (not {ACCEPTED, Outcome.UNCERTAIN}.isdisjoint(case.ends))
    assert server.violations == ()


@everywhere()
@in_both_groupings
@pytest.mark.parametrize(
    ("script", "scope"),
    [
        (On("MAIL", Answer("550 5.7.1 Not you")), Scope.SENDER),
        (On("RCPT", Answer("550 5.1.1 Unknown"), times=2), Scope.RECIPIENT),
        (On("DATA", Answer("554 5.6.0 No")), Scope.MESSAGE),
        (On("END_OF_DATA", Answer("554 5.6.0 No")), Scope.MESSAGE),
    ],
    ids=["E1", "E3", "E8", "E9"],
)
def test_a_refusal_concerns_what_it_says_and_leaves_the_session_usable(
    bench: Bench, mode: str, delivery: str, extensions: tuple[str, ...], script: On, scope: Scope
) -> None:
    server = bench.serve(mode, delivery, extensions=extensions)
    server.on(script.stage, *script.actions, **script.options)
    with open_transport(bench.profile(server, mode)) as transport:
        first = bench.attempt(transport, content(1))
        second = bench.attempt(transport, content(2))
    bench.inspect(server, first, second)
    assert first.error is not None
    assert first.error.scope is scope
    assert second.ends == (ACCEPTED, ACCEPTED)
    assert server.connections == 1


@everywhere()
@in_both_groupings
def test_e4_a_recipient_named_twice_is_asked_for_once(
    bench: Bench, mode: str, delivery: str, extensions: tuple[str, ...]
) -> None:
    server = bench.serve(mode, delivery, extensions=extensions)
    server.on("RCPT", Answer("550 5.1.1 Unknown"), times=None)
    twice = Envelope(USER, [BOB, EVE, BOB, "bob@EXAMPLE.org"])
    with open_transport(bench.profile(server, mode)) as transport:
        attempt = bench.attempt(transport, content(), twice)
    bench.inspect(server, attempt)
    assert type(attempt.error) is RecipientsRefused
    assert attempt.ends == (REFUSED, REFUSED)
    assert len([c for c in server.commands if c.startswith(b"RCPT")]) == 2
    assert (b"DATA" in server.commands) is (extensions is PIPELINED)
    assert server.messages == ()


@everywhere()
@in_both_groupings
def test_e6_too_many_recipients_are_refused_and_taken_in_the_next_message(
    bench: Bench, mode: str, delivery: str, extensions: tuple[str, ...]
) -> None:
    server = bench.serve(mode, delivery, extensions=extensions)
    server.on("RCPT", Answer("452 4.5.3 Too many recipients"), skip=3, times=2)
    everybody = Envelope(USER, [f"{n}@example.org" for n in range(5)])
    with open_transport(bench.profile(server, mode)) as transport:
        first = bench.attempt(transport, content(1), everybody)
        assert first.report is not None
        rest = Envelope(USER, list(first.report.refused))
        second = bench.attempt(transport, content(2), rest)
    bench.inspect(server, first, second)
    assert first.ends == (*(ACCEPTED,) * 3, *(REFUSED,) * 2)
    assert {reply.code for reply in first.report.refused.values()} == {452}
    assert second.ends == (ACCEPTED, ACCEPTED)
    assert [len(message.recipients) for message in server.messages] == [3, 2]


TO_NOTHING: dict[str, Action] = {"554": Normal(), "250": Answer("250 2.0.0 Ok")}


@table(
    Case(f"E7 354 for nobody, then {name}",
         (On("RCPT", Answer("550 5.1.1 Unknown"), times=2), On("DATA", Answer("354 go on")),
          On("END_OF_DATA", action)),
         RecipientsRefused, stage=Stage.RCPT, code=550, ends=REFUSED)
    for name, action in TO_NOTHING.items()
)  # fmt: skip
def test_nobody_gets_an_empty_content(bench: Bench, case: Case, mode: str, delivery: str) -> None:
    server = bench.play(case, mode, delivery)
    assert b"DATA\r\n.\r\n" in b"".join(server.raw)
    assert b"Subject" not in b"".join(server.raw)


# E10, the rest of it: the replies to the content that are none are in test_replies.


@everywhere()
@pytest.mark.parametrize(
    "action", [Close(), Reset(), Garbage(), Flood(limit=1_000_000)],
    ids=["end", "reset", "noise", "endless"],
)  # fmt: skip
def test_e10_what_is_uncertain_is_not_sent_again(
    bench: Bench, mode: str, delivery: str, action: Action
) -> None:
    server = bench.serve(mode, delivery)
    server.on("END_OF_DATA", action, skip=1)
    with open_transport(bench.profile(server, mode)) as transport:
        attempts = [bench.attempt(transport, content(number)) for number in range(3)]
    bench.inspect(server, *attempts)
    assert [attempt.ends[0] for attempt in attempts] == [ACCEPTED, Outcome.UNCERTAIN, ACCEPTED]
    assert not attempts[1].error.retryable  # type: ignore[union-attr]  # it is uncertain
    assert server.connections == 2
    assert len(server.messages) == 3  # once each


# E11, E12: what is best effort neither undoes nor hides what came before it

TROUBLE: list[tuple[str, tuple[Action, ...], tuple[str, ...]]] = [
    ("end", (Close(),), ("whole", "lines", "bytes")),
    ("ragged end", (Close(close_notify=False),), WHOLE),
    ("reset", (Reset(),), ("whole", "lines", "bytes")),
    ("silence", (Hang(),), WHOLE),
    ("noise", (Garbage(),), ("whole", "lines", "bytes")),
    ("421", (Answer("421-4.3.2 Closing", "421 4.3.2 now"), Close()), ("whole", "lines", "bytes")),
    ("500", (Answer("500 What?"),), ("whole", "lines", "bytes")),
    ("surplus", (Normal(), Answer("250 2.0.0 and another")), ("whole", "lines", "bytes")),
    ("endless", (Flood(limit=1_000_000),), WHOLE),
]
trouble = pytest.mark.parametrize(
    ("mode", "delivery", "actions"),
    [
        pytest.param(mode, delivery, actions, id=f"{name}-{mode}-{delivery}")
        for name, actions, deliveries in TROUBLE
        for mode in ("implicit_tls", "starttls", "insecure_plaintext")
        for delivery in deliveries
    ],
)


@trouble
def test_e11_trouble_with_quit_changes_nothing(
    bench: Bench, mode: str, delivery: str, actions: tuple[Action, ...]
) -> None:
    server = bench.serve(mode, delivery)
    server.on("QUIT", *actions)
    started = time.monotonic()
    with open_transport(bench.profile(server, mode, budget="quit")) as transport:
        attempt = bench.attempt(transport, content())
    assert time.monotonic() - started < BUDGET + HANGING
    bench.inspect(server, attempt)
    assert attempt.ends == (ACCEPTED, ACCEPTED)
    server.wait_closed()


@trouble
def test_e12_trouble_with_rset_neither_hides_a_refusal_nor_hurts_the_next_message(
    bench: Bench, mode: str, delivery: str, actions: tuple[Action, ...]
) -> None:
    server = bench.serve(mode, delivery)
    server.on("RCPT", Answer("550 5.1.1 Unknown"), times=2)
    server.on("RSET", *actions)
    with open_transport(bench.profile(server, mode, budget="quit")) as transport:
        first = bench.attempt(transport, content(1))
        second = bench.attempt(transport, content(2))
    bench.inspect(server, first, second)
    assert type(first.error) is RecipientsRefused
    assert first.ends == (REFUSED, REFUSED)
    assert second.ends == (ACCEPTED, ACCEPTED)
    assert first.seconds + second.seconds < BUDGET + HANGING


@table([
    Case("E13 larger than SIZE", (), CapabilityError, stage=Stage.MAIL,
         cause=Cause.MESSAGE_TOO_LARGE, retryable=False, unsent=(b"MAIL",),
         server={"extensions": ("SIZE 1000",)}, content=content(lines=60)),
    Case("E13 as large as SIZE", (), None, ends=ACCEPTED, content=content(lines=60),
         server={"extensions": (f"SIZE {len(content(lines=60))}",)}),
    Case("E13 no SIZE in numbers", (), None, ends=ACCEPTED,
         server={"extensions": ("SIZE",)}),
    Case("E13 SIZE 0 is no limit", (), None, ends=ACCEPTED,
         server={"extensions": ("SIZE 0",)}),
    Case("E14 a server that stops reading",
         On("CONTENT", StopReading(), after=1000), SessionTimeout, stage=Stage.DATA,
         cause=Cause.TIMED_OUT, retryable=True, budget="data", deliveries=WHOLE, stalled=True,
         content=vast() * 4),
])  # fmt: skip
def test_messages_too_large_and_servers_too_slow(
    bench: Bench, case: Case, mode: str, delivery: str
) -> None:
    server = bench.play(case, mode, delivery)
    assert len(server.messages) == (case.error == (None,))
