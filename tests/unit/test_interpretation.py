"""interpret(): what real replies mean, against a judgement made by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsend import Cause, Interpretation, MessageRefused, Reply, Retry, Scope, Stage, interpret
from mailsend.interpretation import explained
from mailsend.rules import Rule, RuleBook

from .reply_samples import SAMPLES, Sample

ALL = [sample for samples in SAMPLES.values() for sample in samples]


def read(sample: Sample) -> Interpretation:
    return interpret(Reply.parse(sample.reply), sample.stage, sample.provider)


@pytest.mark.parametrize("sample", ALL, ids=lambda s: f"{s.stage.value}-{s.reply[:60]}")
def test_a_sample_is_read_as_a_person_reads_it(sample: Sample) -> None:
    meaning = read(sample)
    assert (meaning.cause, meaning.scope, meaning.retry) == (
        sample.cause,
        sample.scope,
        sample.retry,
    ), meaning.rule


def test_there_are_samples_enough() -> None:
    assert len(ALL) >= 120
    assert len({(s.stage, s.reply, s.provider) for s in ALL}) == len(ALL)


@pytest.mark.parametrize("sample", ALL, ids=lambda s: f"{s.stage.value}-{s.reply[:60]}")
def test_every_answer_says_what_decided_and_what_to_do(sample: Sample) -> None:
    meaning = read(sample)
    assert meaning.advice
    assert meaning.source
    assert str(Reply.parse(sample.reply))[:40] in meaning.words
    assert (meaning.rule is None) == (meaning.confidence is None)
    if meaning.rule is not None:
        assert meaning.rule in meaning.source
    assert meaning.retryable is (meaning.retry is not Retry.NEVER)


@pytest.mark.parametrize("text", ["550 plugh", "554 5.0.0 xyzzy", "571 no idea"])
@pytest.mark.parametrize("stage", [Stage.MAIL, Stage.RCPT, Stage.END_OF_DATA, Stage.AUTH])
def test_what_nothing_explains_is_not_guessed_at(text: str, stage: Stage) -> None:
    meaning = interpret(Reply.parse(text), stage)
    assert meaning.cause is Cause.UNKNOWN
    assert meaning.rule is None
    assert meaning.confidence is None
    assert meaning.words == text
    assert "no rule" in meaning.advice.lower()
    assert "no rule" in meaning.source
    assert meaning.retry is Retry.NEVER


@pytest.mark.parametrize("text", ["250 OK", "354 go on", "235 2.7.0 yes"])
def test_what_is_no_refusal_has_no_cause(text: str) -> None:
    meaning = interpret(Reply.parse(text), Stage.MAIL)
    assert (meaning.cause, meaning.retry) == (Cause.UNKNOWN, Retry.NEVER)
    assert "no failure" in meaning.advice


@given(
    st.builds(
        Reply,
        st.integers(200, 599),
        st.none(),
        st.lists(st.text(max_size=2000), min_size=1, max_size=5).map(tuple),
    ),
    st.sampled_from(Stage),
    st.none() | st.sampled_from(["gmail", "zoho", "acme"]),
)
def test_every_reply_has_an_answer_and_always_the_same(
    reply: Reply, stage: Stage, provider: str | None
) -> None:
    first = interpret(reply, stage, provider)
    assert first == interpret(reply, stage, provider)
    assert len(first.words) <= 40 * 502
    if reply.code < 400:
        assert first.cause is Cause.UNKNOWN


def test_a_long_hostile_text_takes_no_time_to_speak_of() -> None:
    # A pattern that backtracks without bound would not end within the test run.
    for piece in ("a", "too many ", "account ", "message exceeds ", "quota limit daily "):
        interpret(Reply(550, None, (piece * 200_000,)), Stage.END_OF_DATA)


def test_the_evidence_has_an_order() -> None:
    def rule(name: str, **what: object) -> Rule:
        return Rule(id=name, cause=Cause.UNKNOWN, source="here", **what)  # type: ignore[arg-type] # a table

    rows: dict[str, dict[str, object]] = {
        "stage": {"stages": ["mail"]},
        "digit": {"codes": ["5yz"]},
        "code": {"codes": [550]},
        "provider's code": {"provider": "acme", "codes": [550]},
        "enhanced": {"enhanced": ["7.1"]},
        "words": {"words": "no"},
        "provider's words": {"provider": "acme", "words": "no"},
    }
    reply = Reply.parse("550 5.7.1 no")
    names = list(rows)
    for weakest in range(len(names)):
        kept = names[: weakest + 1]
        book = RuleBook(rule(name, **rows[name]) for name in kept)
        meaning = interpret(reply, Stage.MAIL, "acme", rules=book)
        assert meaning.rule == kept[-1]
    assert (
        interpret(reply, Stage.MAIL, rules=RuleBook([rule("p", **rows["provider's words"])])).rule
        is None
    )


@pytest.mark.parametrize(
    ("text", "retry"),
    [("452 4.2.2 over quota", Retry.HOURS), ("552 5.2.2 over quota", Retry.NEVER)],
)
def test_the_reply_code_decides_on_a_retry(text: str, retry: Retry) -> None:
    assert interpret(Reply.parse(text), Stage.RCPT).retry is retry


def test_where_the_digits_differ_the_reply_codes_counts() -> None:
    # RFC 3463 §2 wants both alike; where they are not, the reply code was there first.
    assert interpret(Reply.parse("452 5.2.2 full"), Stage.RCPT).retry is Retry.HOURS
    assert interpret(Reply.parse("552 4.2.2 full"), Stage.RCPT).retry is Retry.NEVER


def test_an_error_carries_all_of_it() -> None:
    reply = Reply.parse("550 5.7.60 SMTP; Client does not have permissions to send as this sender")
    meaning = interpret(reply, Stage.END_OF_DATA)
    error = explained(MessageRefused, "no", meaning, stage=Stage.END_OF_DATA, reply=reply)
    assert (error.cause, error.scope, error.retry) == (
        Cause.SENDER_NOT_ALLOWED,
        Scope.SENDER,
        Retry.NEVER,
    )
    assert error.rule == "microsoft-send-as"
    assert error.link is not None
    assert error.link in str(error)
    assert error.facts()["rule"] == "microsoft-send-as"
