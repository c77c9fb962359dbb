"""A session that outlives a message, and the rule by which one message goes over it."""

from __future__ import annotations

import time
from collections.abc import Callable

from mailsend.capabilities import Capabilities
from mailsend.cause import Cause
from mailsend.content import Content
from mailsend.endpoint import Endpoint
from mailsend.envelope import Envelope
from mailsend.errors import ProtocolViolation, SenderRefused, SessionError, SessionTimeout
from mailsend.profile.smtp_profile import SmtpProfile
from mailsend.report import DeliveryReport
from mailsend.smtp.opening import open_session
from mailsend.smtp.session import Session
from mailsend.stage import Stage
from mailsend.timeouts import Watch
from mailsend.transaction import Transaction

ContentFor = Callable[[Capabilities], Content]


def _is_the_sessions_own_end(error: SessionError | SenderRefused, session: Session) -> bool:
    """Whether a kept session was over, or used up, before it took anything of this message.

    The server had ended it, was out of step on it, or takes no more messages in one session. Not
    where it was only slow: that would double the time a message may take.
    """
    if isinstance(error, SenderRefused):
        return error.cause is Cause.TOO_MANY_MESSAGES
    if isinstance(error, SessionTimeout):
        return error.stage is Stage.RSET
    before = error.stage in {Stage.RSET, Stage.MAIL}
    return before or (isinstance(error, ProtocolViolation) and not session.content_begun)


class Course:
    """How far one message is; it stays behind when the sending is interrupted.

    Attributes:
        endpoint: where the session is, or is to be.
        transaction: knows at any moment what the server may have; None before there is one.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.transaction: Transaction | None = None

    def begin(self, transaction: Transaction) -> None:
        self.transaction = transaction


class Route:
    """Where the latest session went, for whoever opens the next one.

    Attributes:
        reached: the endpoint; a port that is blocked would cost its wait again with each new
            session. None before there was one.
    """

    def __init__(self) -> None:
        self.reached: Endpoint | None = None


class KeptSession:
    """A session that is opened when needed, kept, and replaced when lost. One owner at a time.

    Args:
        profile: settings.
        route: shared with other sessions of the same profile; None for one of its own.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        profile: SmtpProfile,
        route: Route | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._profile = profile
        self._clock = clock
        self.route = route or Route()
        self.session: Session | None = None
        self.opened = 0.0
        """When that was opened, on this clock."""

    @property
    def is_alive(self) -> bool:
        """Whether there is a session, as far as is known without I/O."""
        session = self.session
        return session is not None and session.is_alive

    def ready(self, watch: Watch) -> Session:
        """A session that is alive as far as can be told without asking.

        Raises:
            MailsendError: As :func:`~mailsend.smtp.opening.open_session`.
        """
        session = self.session
        if session is not None and session.is_alive and not session.is_stale():
            return session
        self.session = None
        self.session = open_session(self._profile, watch, prefer=self.route.reached)
        self.route.reached = self.session.endpoint
        self.opened = self._clock()
        return self.session

    def submit(
        self, envelope: Envelope, content_for: ContentFor, course: Course, watch: Watch
    ) -> DeliveryReport:
        """Run the transaction of one message.

        Args:
            envelope: who it is from and for.
            content_for: makes the content for what the server offers.
            course: told where the session is, and the transaction as soon as there is one.
            watch: of the call that this is part of.

        Raises:
            MailsendError: As :meth:`~mailsend.Transport.send_raw`.
        """
        session = self.ready(watch)
        course.endpoint = session.endpoint
        was_there = session.transactions > 0
        try:
            content = content_for(session.capabilities)
            return session.submit(envelope, content, watch, course.begin)
        except (SessionError, SenderRefused) as error:
            if not (was_there and _is_the_sessions_own_end(error, session)):
                raise
        # Nothing of this message was taken, so it goes over a new session, once.
        course.transaction = None
        session.quit()
        session = self.ready(watch)
        course.endpoint = session.endpoint
        return session.submit(envelope, content_for(session.capabilities), watch, course.begin)

    def abandon(self) -> None:
        """Close the connection, if there is one, without a word."""
        session = self.session
        if session is not None:
            session.abandon()

    def let_go(self, *, quietly: bool) -> None:
        """Have no session any more. Never raises.

        Args:
            quietly: without a QUIT, as in the middle of a message, of which it would become a
                part.
        """
        session = self.session
        if session is None:
            return
        try:
            self.session = None
            if not quietly:
                session.quit()
        finally:
            session.abandon()
