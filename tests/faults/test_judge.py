"""The judge has to see through each kind of mis-report, or the other tests prove nothing."""

from __future__ import annotations

import pytest
from attrs import evolve

from mailsend import DeliveryReport, Outcome, RecipientOutcome, Reply, open_transport
from mailsend.testing import Action, Answer, Close, SmtpServer

from .judge import Attempt, judge
from .matrix import ENVELOPE, MODES, Bench, content

ACCEPTED, REFUSED, NOT_SENT, UNCERTAIN = (
    Outcome.ACCEPTED, Outcome.REFUSED, Outcome.NOT_SENT, Outcome.UNCERTAIN,
)  # fmt: skip


def saying(attempt: Attempt, *ends: Outcome) -> Attempt:
    """The same, with another report."""
    outcomes = tuple(
        RecipientOutcome(address, end, Reply(550) if end is REFUSED else None)
        for address, end in zip(ENVELOPE.recipients, ends, strict=True)
    )
    return evolve(attempt, report=DeliveryReport(outcomes))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("actions", "true", "false"),
    [
        ((Answer("250 Ok"),), [(ACCEPTED, ACCEPTED)],
         [(REFUSED, ACCEPTED), (ACCEPTED, NOT_SENT), (NOT_SENT, NOT_SENT)]),
        ((Answer("550 No"),), [(REFUSED, REFUSED), (NOT_SENT, NOT_SENT)],
         [(ACCEPTED, REFUSED), (ACCEPTED, ACCEPTED)]),
        ((Answer("354 What?"),), [(UNCERTAIN, UNCERTAIN)], [(ACCEPTED, ACCEPTED)]),
        ((Close(),), [(UNCERTAIN, UNCERTAIN)], [(ACCEPTED, ACCEPTED), (UNCERTAIN, ACCEPTED)]),
    ],
    ids=["taken", "refused", "nonsense", "lost"],
)  # fmt: skip
def test_reports_are_compared_with_what_the_server_did(
    bench: Bench, mode: str, actions: tuple[Action, ...], true: list[tuple[Outcome, ...]],
    false: list[tuple[Outcome, ...]],
) -> None:  # fmt: skip
    server = bench.serve(mode)
    server.on("END_OF_DATA", *actions)
    attempt = bench.submit(bench.profile(server, mode), content())
    for ends in true:
        judge(server, saying(attempt, *ends))
    for ends in false:
        with pytest.raises(AssertionError, match="reported"):
            judge(server, saying(attempt, *ends))


@pytest.mark.parametrize("mode", MODES)
def test_what_arrives_twice_is_a_mis_report(bench: Bench, mode: str) -> None:
    server = bench.serve(mode)
    with open_transport(bench.profile(server, mode)) as transport:
        attempts = [bench.attempt(transport, content()) for _ in range(2)]
    with pytest.raises(AssertionError, match="taken 2 times"):
        judge(server, attempts[0])
    with pytest.raises(AssertionError, match="2 times"):
        judge(server, saying(attempts[0], UNCERTAIN, UNCERTAIN))


def test_nothing_is_uncertain_that_was_not_handed_over(bench: Bench) -> None:
    server: SmtpServer = bench.serve("insecure_plaintext")
    server.on("DATA", Close())
    attempt = bench.submit(bench.profile(server, "insecure_plaintext"), content())
    judge(server, attempt)
    with pytest.raises(TimeoutError):
        judge(server, saying(attempt, UNCERTAIN, UNCERTAIN), patience=0.1)
