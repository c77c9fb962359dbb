"""Laws of the transaction: whatever a server answers, the report is true and complete."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from mailsend.capabilities import Capabilities
from mailsend.content import prepare
from mailsend.envelope import Envelope
from mailsend.reply import Reply
from mailsend.report import DeliveryReport, Outcome, RecipientOutcome
from mailsend.stage import Stage
from mailsend.transaction import Payload, Transaction

CONTENT = prepare(b"Subject: x\r\n\r\nbody\r\n")
codes = st.sampled_from([250, 251, 354, 421, 450, 451, 452, 503, 550, 552, 554])
replies = st.builds(Reply, codes)
# Mostly what lets an exchange go on, so that its end is reached.
LIKELY = {
    Stage.RSET: replies,
    Stage.MAIL: st.just(Reply(250)) | st.just(Reply(250)) | replies,
    Stage.RCPT: st.just(Reply(250)) | replies,
    Stage.DATA: st.just(Reply(354)) | st.just(Reply(354)) | replies,
    Stage.END_OF_DATA: st.just(Reply(250)) | replies,
}
addresses = st.lists(
    st.sampled_from(["a@x.org", "a@X.ORG", "b@x.org", "c@y.org", "d@z.org", "A@x.org"]),
    min_size=1,
    max_size=6,
)


@given(addresses, st.booleans(), st.booleans(), st.integers(1, 20), st.booleans(), st.data())
def test_the_report_is_true_and_complete(  # noqa: C901, PLR0915 - one law, read in one go
    recipients: list[str],
    pipelining: bool,
    reset: bool,
    lost_after: int,
    uncertain: bool,
    data: st.DataObject,
) -> None:
    envelope = Envelope("s@x.org", recipients)
    capabilities = Capabilities.offering(*(["PIPELINING"] if pipelining else []))
    transaction = Transaction(envelope, CONTENT, capabilities, reset=reset)
    said: dict[tuple[Stage, str | None], Reply] = {}
    final: Reply | None = None
    handed_over: bytes | None = None
    steps = answers = 0

    def answer(stage: Stage) -> Reply | None:
        nonlocal answers
        answers += 1
        return None if answers > lost_after else data.draw(LIKELY[stage], label=stage.value)

    lost = False
    while not lost and (step := transaction.next_step()) is not None:
        steps += 1
        assert steps <= len(recipients) + 4
        if isinstance(step, Payload):
            assert handed_over is None
            assert said[Stage.DATA, None].is_intermediate
            handed_over = step.data
            final = answer(Stage.END_OF_DATA)
            if final is not None:
                transaction.receive_final(final)
            lost = final is None
            continue
        for command in step:
            assert command.line.endswith(b"\r\n")
            assert command.line.count(b"\r") == command.line.count(b"\n") == 1
            reply = answer(command.stage)
            if reply is None:
                lost = True
                break
            said[command.stage, command.recipient] = reply
            transaction.receive(command, reply)

    report = transaction.report(uncertain=uncertain and handed_over is not None and final is None)

    # One outcome for each mailbox, in the envelope's order.
    assert tuple(o.address for o in report.outcomes) == envelope.recipients
    buckets = [*report.accepted, *report.refused, *report.uncertain, *report.not_sent]
    assert sorted(buckets) == sorted(envelope.recipients)

    mail, go_ahead = said.get((Stage.MAIL, None)), said.get((Stage.DATA, None))
    for address in report.accepted:
        assert mail is not None
        assert mail.is_positive
        assert said[Stage.RCPT, address].is_positive
        assert go_ahead is not None
        assert go_ahead.is_intermediate
        assert final is not None
        assert final.is_positive
        assert handed_over == CONTENT.data
    for address in report.uncertain:
        assert said[Stage.RCPT, address].is_positive
        assert handed_over == CONTENT.data
        assert final is None
    # Who was told yes by everyone is accepted.
    if handed_over == CONTENT.data and final is not None and final.is_positive:
        yes = {a for a in envelope.recipients if said[Stage.RCPT, a].is_positive}
        assert set(report.accepted) == yes
    # Content goes only to somebody.
    if handed_over:
        assert mail is not None
        assert mail.is_positive
        assert any(reply.is_positive for (stage, _), reply in said.items() if stage is Stage.RCPT)
    # Where nobody was accepted and the exchange ended, there is a reply that says why.
    if not lost and not report.accepted and (go_ahead is None or not go_ahead.is_positive):
        assert transaction.deciding is not None
    json.dumps(report.facts())


@given(
    st.lists(
        st.builds(
            RecipientOutcome,
            st.sampled_from(["a@x", "b@x", "c@x", "d@x", "e@x"]),
            st.sampled_from(Outcome),
            replies,
        ),
        unique_by=lambda outcome: outcome.address,
    )
)
def test_every_recipient_is_in_exactly_one_bucket(outcomes: list[RecipientOutcome]) -> None:
    report = DeliveryReport(tuple(outcomes))
    buckets = [*report.accepted, *report.refused, *report.uncertain, *report.not_sent]
    assert sorted(buckets) == sorted(outcome.address for outcome in outcomes)
    assert report.all_accepted == (0 < len(report.accepted) == len(outcomes))
    facts = report.facts()
    assert sum(len(facts[k]) for k in ("accepted", "refused", "uncertain", "not_sent")) == len(
        outcomes
    )
