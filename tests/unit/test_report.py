"""DeliveryReport: queue identifiers, buckets, facts."""

from __future__ import annotations

import json

import pytest

from mailsend.reply import Reply
from mailsend.report import DeliveryReport, Outcome, RecipientOutcome


@pytest.mark.parametrize(
    ("server", "reply", "queue_id"),
    [
        ("postfix", "250 2.0.0 Ok: queued as 0F84F26C0A2", "0F84F26C0A2"),
        ("postfix long id", "250 2.0.0 Ok: queued as 4WJtz63bNWz9vKc", "4WJtz63bNWz9vKc"),
        ("postfix bdat", "250 2.0.0 Ok: 64 bytes queued as 13AB226C0A2", "13AB226C0A2"),
        ("dovecot", "250 2.0.0 Ok: 278 bytes queued as AEBCB26C0C8", "AEBCB26C0C8"),
        ("exim", "250 OK id=1xVQVN-00001m-1V", "1xVQVN-00001m-1V"),
        (
            "exim bdat",
            "250- 44 byte chunk, total 64\r\n250 OK id=1xVQVN-000025-2T",
            "1xVQVN-000025-2T",
        ),
        ("opensmtpd", "250 2.0.0 1ca9d490 Message accepted for delivery", "1ca9d490"),
        (
            "sendmail",
            "250 2.0.0 6AN9cXT9000169 Message accepted for delivery",
            "6AN9cXT9000169",
        ),
        (
            "haraka",
            "250 Message Queued (858E996A-DA38-4BD9-9153-64F139647DCD.1)",
            "858E996A-DA38-4BD9-9153-64F139647DCD.1",
        ),
        (
            "nodemailer",
            "250 Message queued as db2e5499-a2c4-489e-8a26-90157b225d20",
            "db2e5499-a2c4-489e-8a26-90157b225d20",
        ),
        (
            "aiosmtpd",
            "250 2.0.0 Ok: queued as 031f54094f0149faa09dc8fb4c4d2d6b",
            "031f54094f0149faa09dc8fb4c4d2d6b",
        ),
        (
            "gmail",
            "250 2.0.0 OK  1700000000 d9443c01a7336-1c42si1234567plb.123 - gsmtp",
            "d9443c01a7336-1c42si1234567plb.123",
        ),
        (
            "exchange",
            (
                "250 2.6.0 <m@x.example> [InternalId=1234567890123, Hostname=A.PROD.OUTLOOK.COM] "
                "9999 bytes in 0.150, 65.103 KB/sec Queued mail for delivery"
            ),
            "1234567890123",
        ),
        (
            "ses",
            "250 Ok 010001890abcdef0-11112222-3333-4444-5555-666677778888-000000",
            "010001890abcdef0-11112222-3333-4444-5555-666677778888-000000",
        ),
        ("qmail", "250 ok 1700000000 qp 12345", "12345"),
        ("full stop after it", "250 Ok: queued as ABCDEF.", "ABCDEF"),
        ("in angle brackets", "250 Ok: queued as <ABCDEF>", None),
        ("qpsmtpd names none", "250 Queued! ", None),
        ("plain", "250 2.0.0 Ok", None),
        ("not in a refusal", "550 message queued as ABCDEF", None),
        ("not in a later line's word", "250 identity=x grid=y", None),
    ],
)
def test_queue_id_of_real_replies(server: str, reply: str, queue_id: str | None) -> None:
    report = DeliveryReport((), Reply.parse(reply))
    assert report.queue_id == queue_id, server


def test_without_a_reply_there_is_no_queue_id() -> None:
    assert DeliveryReport(()).queue_id is None


REFUSED = Reply(550, None, "no")
REPORT = DeliveryReport(
    (
        RecipientOutcome("a@x.org", Outcome.ACCEPTED, Reply(250)),
        RecipientOutcome("b@x.org", Outcome.REFUSED, REFUSED),
        RecipientOutcome("c@x.org", Outcome.UNCERTAIN),
        RecipientOutcome("d@x.org", Outcome.NOT_SENT),
        RecipientOutcome("e@x.org", Outcome.ACCEPTED, Reply(250)),
    ),
    Reply.parse("250 Ok: queued as Q1"),
    key=("any", "key"),
    endpoint="smtp.example.org:465",
)


def test_every_recipient_has_its_place() -> None:
    assert REPORT.accepted == ("a@x.org", "e@x.org")
    assert REPORT.refused == {"b@x.org": REFUSED}
    assert REPORT.uncertain == ("c@x.org",)
    assert REPORT.not_sent == ("d@x.org",)
    assert not REPORT.all_accepted
    assert DeliveryReport(REPORT.outcomes[:1]).all_accepted


def test_facts_are_json() -> None:
    assert json.loads(json.dumps(REPORT.facts())) == {
        "accepted": ["a@x.org", "e@x.org"],
        "refused": {"b@x.org": "550 no"},
        "uncertain": ["c@x.org"],
        "not_sent": ["d@x.org"],
        "reply": "250 Ok: queued as Q1",
        "queue_id": "Q1",
        "endpoint": "smtp.example.org:465",
    }
    assert json.loads(json.dumps(DeliveryReport(()).facts()))["reply"] is None
