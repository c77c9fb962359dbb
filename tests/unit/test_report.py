"""DeliveryReport: queue identifiers, buckets, facts."""

from __future__ import annotations

import json
import traceback

import pytest

from mailsend.errors import SessionLost
from mailsend.reply import Reply
from mailsend.report import DeliveryReport, Outcome, RecipientOutcome, leave_report, report_of
from mailsend.stage import Stage


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


# -- exceptions that carry a report


def test_an_exception_tells_what_became_of_the_message() -> None:
    interrupt = KeyboardInterrupt()
    assert report_of(interrupt) is None
    leave_report(interrupt, REPORT, Stage.END_OF_DATA)
    assert report_of(interrupt) is REPORT
    (line,) = interrupt.__notes__
    assert line == (
        "mailsend: interrupted at end of data; uncertain: c@x.org; accepted: a@x.org, e@x.org; "
        "refused: b@x.org; not sent: d@x.org"
    )
    assert traceback.format_exception(interrupt)[-1] == f"{line}\n"


def test_errors_of_the_library_tell_it_the_same_way() -> None:
    assert report_of(SessionLost("x")) is None
    assert report_of(SessionLost("x", report=REPORT)) is REPORT


def test_a_note_is_short_for_many_recipients() -> None:
    addresses = [f"r{n}@x.org" for n in range(1000)]
    interrupt = KeyboardInterrupt()
    leave_report(interrupt, DeliveryReport.nothing_sent(addresses))
    (line,) = interrupt.__notes__
    assert line.startswith("mailsend: interrupted; not sent: r0@x.org, r1@x.org, ")
    assert line.endswith(", r9@x.org and 990 more")
    ten = KeyboardInterrupt()
    leave_report(ten, DeliveryReport.nothing_sent(addresses[:10]))
    assert ten.__notes__[0].endswith(", r9@x.org")


def test_a_message_for_nobody_has_a_note_too() -> None:
    interrupt = KeyboardInterrupt()
    leave_report(interrupt, DeliveryReport(()))
    assert interrupt.__notes__ == ["mailsend: interrupted; it had no recipients"]


def test_the_same_is_told_once() -> None:
    interrupt = KeyboardInterrupt()
    leave_report(interrupt, REPORT, Stage.DATA)
    named = DeliveryReport(REPORT.outcomes, key="other")
    leave_report(interrupt, named)
    assert report_of(interrupt) is named
    assert len(interrupt.__notes__) == 1
    # One object may be raised again, for another message.
    leave_report(interrupt, DeliveryReport.nothing_sent(["z@x.org"]))
    assert interrupt.__notes__[1:] == ["mailsend: interrupted; not sent: z@x.org"]


class _WithItsOwnError(Exception):
    report = "something of the application's"


class _ReadOnlyError(Exception):
    @property
    def report(self) -> None:
        return None


@pytest.mark.parametrize("error", [_WithItsOwnError(), _ReadOnlyError()])
def test_a_report_of_an_application_s_own_stays(error: Exception) -> None:
    own = getattr(error, "report", None)
    leave_report(error, REPORT)
    assert getattr(error, "report", None) is own
    assert report_of(error) is None
    assert len(error.__notes__) == 1
