"""What became of a message: one outcome for every recipient."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from mailsend.stage import Stage

if TYPE_CHECKING:
    from mailsend.errors import MailsendError
    from mailsend.reply import Reply


class Outcome(StrEnum):
    """How a recipient of a message ended.

    ``ACCEPTED``: the server took responsibility. ``REFUSED``: it said no. ``UNCERTAIN``: cut off
    after the last octet of the content, before the reply. ``NOT_SENT``: provably never taken.
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    NOT_SENT = "not_sent"


@frozen
class RecipientOutcome:
    """One recipient's end.

    Attributes:
        address: as the envelope has it.
        outcome: what became of it.
        reply: the reply that decided, or None where no reply came.

    Raises:
        ValueError: A refusal without the reply that says so.
    """

    address: str
    outcome: Outcome
    reply: Reply | None = None

    def __attrs_post_init__(self) -> None:
        if self.outcome is Outcome.REFUSED and self.reply is None:
            raise ValueError(f"{self.address} cannot be refused without a reply")


# Where servers put their queue identifier in the reply to the end of data; the first that matches
# wins. Seen on Postfix, Exim, Amazon SES, Exchange, OpenSMTPD and Sendmail, Haraka, qmail, Gmail.
_QUEUE_ID: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\bqueued as ([^\s<>()]+)",
        r"\bid=([^\s<>()]+)",
        r"\bInternalId=([0-9]+)",
        r"^([0-9A-Za-z]{6,}) Message accepted for delivery",
        r"\bMessage Queued \(([^)\s]+)\)",
        r"^ok:? ([0-9a-f]{16}-[0-9a-f-]+)",
        r"^ok:? [0-9]{9,} qp ([0-9]+)",
        r"^ok +[0-9]{9,} (\S+) - gsmtp",
    )
)


@frozen
class DeliveryReport:
    """The truth about one message after the server answered, or did not.

    "Accepted" means that the server took responsibility for the message (RFC 5321 §4.2.5), not
    that it arrived.

    Attributes:
        outcomes: one for each recipient, in the envelope's order.
        reply: the final reply: to the content, or to the command that ended the attempt.
        key: the caller's name for the message, from :class:`~mailsend.Submission`.
        endpoint: ``host:port`` of the server, or a word for a transport without one.
        error: in reports of ``send_many``: what ``send`` would have raised, else None.
    """

    outcomes: tuple[RecipientOutcome, ...]
    reply: Reply | None = None
    key: Hashable = None
    endpoint: str | None = None
    error: MailsendError | None = field(default=None, eq=False)

    @classmethod
    def nothing_sent(
        cls, addresses: Iterable[str], reply: Reply | None = None, endpoint: str | None = None
    ) -> DeliveryReport:
        """The report of a message of which provably nothing was taken."""
        outcomes = tuple(RecipientOutcome(address, Outcome.NOT_SENT) for address in addresses)
        return cls(outcomes, reply, endpoint=endpoint)

    def _with(self, outcome: Outcome) -> tuple[str, ...]:
        return tuple(o.address for o in self.outcomes if o.outcome is outcome)

    @property
    def accepted(self) -> tuple[str, ...]:
        """Addresses the server took responsibility for."""
        return self._with(Outcome.ACCEPTED)

    @property
    def refused(self) -> dict[str, Reply]:
        """Addresses the server said no to, each with the reply."""
        return {
            o.address: o.reply
            for o in self.outcomes
            if o.outcome is Outcome.REFUSED and o.reply is not None
        }

    @property
    def uncertain(self) -> tuple[str, ...]:
        """Addresses that may or may not get the message: cut off before the final reply."""
        return self._with(Outcome.UNCERTAIN)

    @property
    def not_sent(self) -> tuple[str, ...]:
        """Addresses for which nothing was ever taken; sending again is safe."""
        return self._with(Outcome.NOT_SENT)

    @property
    def all_accepted(self) -> bool:
        """Whether there are recipients and every one was accepted."""
        return bool(self.outcomes) and all(o.outcome is Outcome.ACCEPTED for o in self.outcomes)

    @property
    def queue_id(self) -> str | None:
        """The server's name for the message, where the final reply tells one."""
        if self.reply is None or not self.reply.is_positive:
            return None
        for pattern in _QUEUE_ID:
            for line in self.reply.lines:
                if match := pattern.search(line):
                    return match.group(1).rstrip(".,;")
        return None

    def facts(self) -> dict[str, Any]:
        """The report as data that :mod:`json` can write."""
        return {
            "accepted": list(self.accepted),
            "refused": {address: str(reply) for address, reply in self.refused.items()},
            "uncertain": list(self.uncertain),
            "not_sent": list(self.not_sent),
            "reply": str(self.reply) if self.reply else None,
            "queue_id": self.queue_id,
            "endpoint": self.endpoint,
        }


def report_of(error: BaseException) -> DeliveryReport | None:
    """What became of the message whose sending an exception ended.

    Args:
        error: what left ``send``, ``send_raw`` or ``send_many``: a
            :class:`~mailsend.MailsendError`, or what cut the call off from outside, such as a
            KeyboardInterrupt or the exception of a signal handler.

    Returns:
        Its report; None where it ended no sending: it came before that began, or from elsewhere.
        An exception object that is raised more than once has the last report it was given.
    """
    report = getattr(error, "report", None)
    return report if isinstance(report, DeliveryReport) else None


_MOST_NAMED: Final = 10  # addresses of one outcome in a note; the report has them all
_WORST_FIRST: Final = (Outcome.UNCERTAIN, Outcome.ACCEPTED, Outcome.REFUSED, Outcome.NOT_SENT)


def leave_report(error: BaseException, report: DeliveryReport, stage: Stage | None = None) -> None:
    """Have an exception from outside carry the report of the message that it interrupted.

    The report becomes its attribute, for :func:`report_of`, and one line of it a note (PEP 678),
    which a traceback shows.

    Args:
        error: the exception. An attribute ``report`` of its own that is something else stays.
        report: what became of the message.
        stage: where the message was, if it was on its way.
    """
    told = report_of(error)
    if told is not None or getattr(error, "report", None) is None:
        with suppress(Exception):  # a class may forbid it, and the note tells all the same
            setattr(error, "report", report)  # noqa: B010 - no BaseException declares it
    if told is None or told.outcomes != report.outcomes:
        where = f" at {stage.value.replace('_', ' ')}" if stage is not None else ""
        error.add_note(f"mailsend: interrupted{where}; {_in_words(report)}")


def _in_words(report: DeliveryReport) -> str:
    parts: list[str] = []
    for outcome in _WORST_FIRST:
        addresses = [o.address for o in report.outcomes if o.outcome is outcome]
        if addresses:
            more = len(addresses) - _MOST_NAMED
            named = ", ".join(addresses[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
            parts.append(f"{outcome.value.replace('_', ' ')}: {named}")
    return "; ".join(parts) or "it had no recipients"
