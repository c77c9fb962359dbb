"""What transports over SMTP sessions share: how a message is reported, whatever ends it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from mailsend.cause import Cause, Retry
from mailsend.content import prepare
from mailsend.envelope import Envelope
from mailsend.errors import CapabilityError, MailsendError, SessionError
from mailsend.profile.smtp_profile import SmtpProfile
from mailsend.report import DeliveryReport, leave_report
from mailsend.stage import Stage
from mailsend.transport.contract import Transport, check_envelope
from mailsend.transport.kept_session import ContentFor, Course


class SubmissionTransport(Transport):
    """Hands messages to the server of a profile. A variant says over which session.

    Args:
        profile: settings.
    """

    def __init__(self, profile: SmtpProfile) -> None:
        self.profile = profile

    @abstractmethod
    def _submit(
        self, envelope: Envelope, content_for: ContentFor, course: Course
    ) -> DeliveryReport:
        """Run the transaction of one message over a session that nobody else uses meanwhile."""

    def send_raw(self, envelope: Envelope, content: bytes) -> DeliveryReport:
        check_envelope(envelope)
        prepared = prepare(content)
        return self._deliver(envelope, lambda _: prepared)

    def _deliver(self, envelope: Envelope, content_for: ContentFor) -> DeliveryReport:
        course = Course(self.profile.endpoint)
        try:
            return self._attempt(envelope, content_for, course)
        except MailsendError:
            raise
        except BaseException as interrupt:
            transaction, endpoint = course.transaction, str(course.endpoint)
            stage: Stage | None = None
            if transaction is None:
                report = DeliveryReport.nothing_sent(envelope.recipients, endpoint=endpoint)
            else:
                report = transaction.report(uncertain=transaction.end_begun, endpoint=endpoint)
                stage = None if transaction.is_over else transaction.stage
            leave_report(interrupt, report, stage)
            raise

    def _attempt(
        self, envelope: Envelope, content_for: ContentFor, course: Course
    ) -> DeliveryReport:
        try:
            self._check_number_of(envelope.recipients)
            return self._submit(envelope, content_for, course)
        except MailsendError as error:
            endpoint = str(course.endpoint)
            error.report = error.report or DeliveryReport.nothing_sent(
                envelope.recipients, endpoint=endpoint
            )
            error.endpoint = error.endpoint or endpoint
            raise

    def _check_number_of(self, recipients: Sequence[str]) -> None:
        most = self.profile.limits.recipients
        if most is not None and len(recipients) > most:
            raise CapabilityError(
                f"the message has {len(recipients)} recipients, and the profile allows {most}",
                cause=Cause.TOO_MANY_RECIPIENTS,
                advice="Split the recipients over several messages",
            )

    def _forked(self) -> SessionError:
        """What a process is told that did not open the sessions which are there."""
        return SessionError(
            "this transport was opened before a fork, in another process",
            cause=Cause.FORKED,
            retry=Retry.NEVER,
            endpoint=str(self.profile.endpoint),
            advice="Open a transport in each process, after the fork; close() lets go of "
            "the other process's session without a word to the server",
        )
