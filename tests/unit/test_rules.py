"""The rules: every row of the data, and the book that holds them."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest

from mailsend import Cause, ConfigurationError, Reply, Retry, Rule, Scope, Stage, interpret
from mailsend.meanings import meaning_of, read_table
from mailsend.rules import Confidence, Evidence, RuleBook, built_in_rules, read_rules, reply_rules

BUILT_IN = built_in_rules()
FILES = ("providers", "gmail", "microsoft", "servers", "standard")


def make(**changes: Any) -> Rule:
    values = {"id": "mine", "cause": "mailbox_full", "source": "a test", "codes": [550], **changes}
    return Rule(**values)


def test_there_is_a_rule_for_each_kind_of_evidence() -> None:
    assert {rule.evidence for rule in BUILT_IN} == set(Evidence) - {Evidence.STAGE}
    assert len(BUILT_IN) > 150


@pytest.mark.parametrize("rule", BUILT_IN, ids=lambda rule: rule.id)
def test_a_row_is_complete(rule: Rule) -> None:
    assert rule.source
    assert rule.checked is not None
    assert dt.date(2026, 1, 1) <= rule.checked <= dt.datetime.now(dt.UTC).date()
    assert rule.example is not None
    assert rule.link is None or rule.link.startswith("https://")
    assert rule.advice is None or rule.advice[0].isupper()
    assert rule.advice is None or not rule.advice.endswith(".")


@pytest.mark.parametrize("rule", BUILT_IN, ids=lambda rule: rule.id)
def test_a_row_decides_its_own_example_and_no_other_is_in_its_way(rule: Rule) -> None:
    assert rule.example is not None
    reply = Reply.parse(rule.example)
    for stage in rule.stages or Stage:
        meaning = interpret(reply, stage, rule.provider)
        assert meaning.rule == rule.id, stage
        assert meaning.cause is rule.cause


@pytest.mark.parametrize("rule", BUILT_IN, ids=lambda rule: rule.id)
def test_a_row_says_nothing_that_its_cause_says_already(rule: Rule) -> None:
    meaning = meaning_of(rule.cause)
    assert rule.scope is None or rule.scope is not meaning.scope
    assert rule.retry is None or rule.retry is not meaning.retry
    assert rule.advice != meaning.advice


@pytest.mark.parametrize("cause", Cause)
def test_a_cause_is_explained(cause: Cause) -> None:
    meaning = meaning_of(cause)
    assert meaning.meaning
    assert meaning.meaning[0].islower() or meaning.meaning.startswith("TLS")
    assert meaning.advice
    assert not meaning.advice.endswith(".")
    assert meaning.retry is None or meaning.transient_retry is None
    assert cause is Cause.UNKNOWN or meaning.scope is not None


def test_the_table_of_causes_has_no_row_too_many() -> None:
    assert set(read_table("causes.toml")) - {"schema"} == {cause.value for cause in Cause}


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_rules_has_nothing_but_rules(name: str) -> None:
    table = read_table(f"replies/{name}.toml")
    assert set(table) == {"schema", "rule"}
    assert table["schema"] == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"codes": [250]}, "codes"),
        ({"codes": [True]}, "codes"),
        ({"codes": ["6yz"]}, "codes"),
        ({"enhanced": ["5.7.1"]}, "enhanced"),
        ({"enhanced": ["7"]}, "enhanced"),
        ({"words": "("}, "words"),
        ({"stages": ["dinner"]}, "no stage"),
        ({"stages": "mail"}, "stages"),
        ({"cause": "nonsense"}, "no cause"),
        ({"retry": "soon"}, "no retry"),
        ({"scope": 5}, "no scope"),
        ({"confidence": "sure"}, "no confidence"),
        ({"codes": 250}, "codes"),
        ({"enhanced": [7.8]}, "enhanced"),
        ({"words": re.compile(b"x")}, "words"),
        ({"words": ""}, "words"),
        ({"advice": 5}, "advice"),
        ({"link": ""}, "link"),
        ({"id": ""}, "id"),
        ({"source": " "}, "source"),
        ({"codes": []}, "fits every reply"),
    ],
)
def test_a_rule_that_has_no_meaning_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        make(**changes)


def test_what_a_rule_leaves_out_comes_from_its_cause() -> None:
    book = RuleBook([make()])
    meaning = interpret(Reply.parse("550 no"), Stage.RCPT, rules=book)
    assert (meaning.cause, meaning.scope, meaning.retry) == (
        Cause.MAILBOX_FULL,
        Scope.RECIPIENT,
        Retry.NEVER,
    )
    assert meaning.advice == meaning_of(Cause.MAILBOX_FULL).advice
    assert meaning.confidence is Confidence.UNVERIFIED


def test_what_a_rule_says_counts() -> None:
    rule = make(scope="account", retry="hours", advice="Wait", link="https://example.org")
    meaning = interpret(Reply.parse("550 no"), Stage.RCPT, rules=RuleBook([rule]))
    assert (meaning.scope, meaning.retry, meaning.advice, meaning.link) == (
        Scope.ACCOUNT,
        Retry.HOURS,
        "Wait",
        "https://example.org",
    )


def test_what_people_are_called_is_no_evidence() -> None:
    rule = make(words="throttle|spam", codes=[])
    for text in (
        "<throttle@example.org>: unknown",
        "no spam@x.example here",
        "<a@throttle.example>",
    ):
        assert not rule.fits(Reply(550, None, (text,)), Stage.RCPT), text
    assert rule.fits(Reply(550, None, ("throttle <bob@example.org>",)), Stage.RCPT)


def test_words_may_stand_in_any_line_and_any_case() -> None:
    rule = make(words="quota exceeded", codes=[])
    assert rule.fits(Reply(550, None, ("Sorry", "QUOTA", "Exceeded today")), Stage.RCPT)


def test_added_rules_come_first_and_the_last_of_them_before_the_others() -> None:
    book = RuleBook([make(id="old", words="no")])
    book.add(make(id="first"))
    book.add(make(id="second"))
    assert [rule.id for rule in book] == ["second", "first", "old"]
    found = book.find(Reply.parse("550 no"), Stage.RCPT)
    assert found is not None
    assert found.id == "second"
    book.remove("second")
    assert [rule.id for rule in book] == ["first", "old"]
    with pytest.raises(LookupError):
        book.remove("second")


def test_the_last_rule_can_be_taken_out() -> None:
    book = RuleBook([make()])
    book.remove("mine")
    assert len(book) == 0
    book.add(make())
    assert [rule.id for rule in book] == ["mine"]


def test_an_id_is_given_once() -> None:
    book = RuleBook([make()])
    with pytest.raises(ConfigurationError, match="mine"):
        book.add(make())
    with pytest.raises(ConfigurationError, match="mine"):
        RuleBook([make(), make()])
    assert len(book) == 1


def test_the_book_of_the_package_takes_rules_and_gives_them_back() -> None:
    reply = Reply.parse("550 5.7.1 Blocked by policy")
    before = interpret(reply, Stage.RCPT)
    reply_rules.add(make(id="house-rule", cause="rate_limited", words="blocked by policy"))
    try:
        assert interpret(reply, Stage.RCPT).rule == "house-rule"
    finally:
        reply_rules.remove("house-rule")
    assert interpret(reply, Stage.RCPT) == before


FILE = """
[[rule]]
id = "acme-quota"
provider = "acme"
stages = ["mail", "rcpt"]
codes = ["4yz", 550]
words = 'no more (today|this week)'
cause = "quota_exceeded"
advice = "Ask the help desk for a larger quota"
link = "https://help.acme.example/quota"
source = "the help desk"
checked = 2026-11-23
confidence = "documented"
"""


def test_a_file_adds_rules(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(FILE)
    book = RuleBook()
    (rule,) = book.load(file)
    assert rule.checked == dt.date(2026, 11, 23)
    reply = Reply.parse("451 4.7.1 No more today")
    assert interpret(reply, Stage.MAIL, "acme", rules=book).cause is Cause.QUOTA_EXCEEDED
    assert interpret(reply, Stage.MAIL, rules=book).cause is Cause.UNKNOWN
    assert interpret(reply, Stage.AUTH, "acme", rules=book).cause is Cause.UNKNOWN


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[rule]]\nid = 'x'\n", "source"),
        ("[[rule]]\nid = 'x'\ncause='nonsense'\nsource='y'\ncodes=[550]", "nonsense"),
        ("[[rule]]\nid = 'x'\ncauze='unknown'\n", "cauze"),
        ("rule = 5\n", r"\[\[rule\]\]"),
        ("[[rules]]\nid = 5\n", r"\[\[rule\]\]"),
        ("schema = 2\n", "newer"),
        ("", r"\[\[rule\]\]"),
        ("rule = [5]\n", r"\[\[rule\]\]"),
        ("[[rule\n", "not TOML"),
    ],
)
def test_a_file_that_cannot_be_used_adds_nothing(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(text)
    book = RuleBook()
    with pytest.raises(ConfigurationError, match=words):
        book.load(file)
    assert len(book) == 0


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml"):
        read_rules(tmp_path / "none.toml")


def test_no_rule_is_read_before_one_is_needed() -> None:
    book = type(reply_rules)()
    assert book._rules is None
    assert len(book) == len(BUILT_IN)
