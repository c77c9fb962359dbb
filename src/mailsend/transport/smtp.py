"""Transports that hand messages to an SMTP server over one kept session."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import ClassVar, Final, TypeVar

from mailsend.capabilities import Capabilities
from mailsend.cause import Cause, Retry
from mailsend.content import Content, prepare
from mailsend.endpoint import Endpoint, Security
from mailsend.envelope import Envelope
from mailsend.errors import (
    CapabilityError,
    ConfigurationError,
    MailsendError,
    ProtocolViolation,
    SenderRefused,
    SessionError,
    SessionTimeout,
)
from mailsend.profile.smtp_profile import SmtpProfile
from mailsend.report import DeliveryReport, leave_report
from mailsend.smtp.opening import open_session
from mailsend.smtp.session import Session
from mailsend.stage import Stage
from mailsend.timeouts import Watch
from mailsend.transaction import Transaction
from mailsend.transport.contract import Transport, check_envelope

_T = TypeVar("_T")


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


class _Course:
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


class SmtpTransport(Transport):
    """What the variants share: one session, opened when needed, kept, and replaced when lost.

    Use a variant, or :func:`open_transport`.
    """

    security: ClassVar[Security]

    def __init__(self, profile: SmtpProfile) -> None:
        if profile.security is not self.security:
            raise ConfigurationError(
                f"{type(self).__name__} is for {self.security.value}, and the profile says "
                f"{profile.security.value}",
                advice="Use open_transport(profile), which chooses the right one",
            )
        self.profile = profile
        # Reentrant, so that a signal handler finds out that it came in the middle instead of
        # waiting for itself.
        self._lock = threading.RLock()
        # Taken only by who has the other; a lock, because nothing comes between the end of its
        # `with` and its release, as it may come between the end of an action and an assignment.
        self._busy = threading.Lock()
        self._session: Session | None = None
        # A port that is blocked would cost its wait again with each new session.
        self._reached: Endpoint | None = None
        self._process = os.getpid()

    def __repr__(self) -> str:
        session = self._session
        if session is None or not session.is_alive:
            return f"<{type(self).__name__} {self.profile.endpoint} closed>"
        return f"<{type(self).__name__} {session.endpoint} open>"

    def _alone(self, action: Callable[[], _T]) -> _T:
        """Run an action that no other use of this transport comes between."""
        # Checked before the lock, which a thread of the parent may hold in the child for ever.
        if self._process != os.getpid():
            if self._session is not None:
                raise SessionError(
                    "this transport was opened before a fork, in another process",
                    cause=Cause.FORKED,
                    retry=Retry.NEVER,
                    endpoint=str(self.profile.endpoint),
                    advice="Open a transport in each process, after the fork; close() lets go of "
                    "the other process's session without a word to the server",
                )
            self._process = os.getpid()
            self._lock, self._busy = threading.RLock(), threading.Lock()
        with self._lock:
            if self._busy.locked():
                raise ConfigurationError(
                    "this transport is used again from within its own sending",
                    advice="A signal handler or callback needs a transport of its own",
                )
            with self._busy:
                try:
                    return action()
                except MailsendError:
                    raise
                except BaseException:
                    # Interrupted anywhere, as between reading octets and understanding them:
                    # nobody knows any more what the session is at.
                    if self._session is not None:
                        self._session.abandon()
                    raise

    @property
    def transcript(self) -> tuple[str, ...]:
        """The last lines of the open session's conversation, secrets left out; empty if closed."""
        session = self._session
        return session.transcript if session is not None else ()

    def open(self) -> None:
        self._alone(lambda: self._ready(Watch(self.profile.timeouts)))

    def close(self) -> None:
        if self._process != os.getpid():
            self._let_go(busy=True)  # the parent's session: nothing may be said on it
            return
        with self._lock:
            self._let_go(busy=self._busy.locked())

    def _let_go(self, *, busy: bool) -> None:
        self._reached = None
        session = self._session
        if session is None:
            return
        try:
            self._session = None
            if not busy:  # in the middle of a message, of which a QUIT would become a part
                session.quit()
        finally:
            session.abandon()

    @property
    def capabilities(self) -> Capabilities:
        return self._alone(lambda: self._ready(Watch(self.profile.timeouts)).capabilities)

    def _ready(self, watch: Watch) -> Session:
        """A session that is alive as far as can be told."""
        session = self._session
        if session is not None and session.is_alive and not session.is_stale():
            return session
        self._session = None
        self._session = open_session(self.profile, watch, prefer=self._reached)
        self._reached = self._session.endpoint
        return self._session

    def send_raw(self, envelope: Envelope, content: bytes) -> DeliveryReport:
        check_envelope(envelope)
        prepared = prepare(content)
        return self._deliver(envelope, lambda _: prepared)

    def _deliver(
        self, envelope: Envelope, content_for: Callable[[Capabilities], Content]
    ) -> DeliveryReport:
        course = _Course(self.profile.endpoint)
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
        self,
        envelope: Envelope,
        content_for: Callable[[Capabilities], Content],
        course: _Course,
    ) -> DeliveryReport:
        try:
            self._check_number_of(envelope.recipients)
            return self._alone(lambda: self._submit(envelope, content_for, course))
        except MailsendError as error:
            endpoint = str(course.endpoint)
            error.report = error.report or DeliveryReport.nothing_sent(
                envelope.recipients, endpoint=endpoint
            )
            error.endpoint = error.endpoint or endpoint
            raise

    def _submit(
        self,
        envelope: Envelope,
        content_for: Callable[[Capabilities], Content],
        course: _Course,
    ) -> DeliveryReport:
        """Run the transaction of one message.

        Args:
            envelope: who it is from and for.
            content_for: makes the content for what the server offers.
            course: told where the session is, and the transaction as soon as there is one.
        """
        watch = Watch(self.profile.timeouts)
        session = self._ready(watch)
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
        session = self._ready(watch)
        course.endpoint = session.endpoint
        return session.submit(envelope, content_for(session.capabilities), watch, course.begin)

    def _check_number_of(self, recipients: Sequence[str]) -> None:
        most = self.profile.limits.recipients
        if most is not None and len(recipients) > most:
            raise CapabilityError(
                f"the message has {len(recipients)} recipients, and the profile allows {most}",
                cause=Cause.TOO_MANY_RECIPIENTS,
                advice="Split the recipients over several messages",
            )


class ImplicitTlsTransport(SmtpTransport):
    """TLS from the first octet, usually on port 465 (RFC 8314 §3.3).

    Args:
        profile: with ``security=Security.IMPLICIT_TLS``.

    Raises:
        ConfigurationError: The profile asks for another mode.
    """

    security = Security.IMPLICIT_TLS


class StartTlsTransport(SmtpTransport):
    """Upgraded to TLS before anything else, usually on port 587, or given up (RFC 3207).

    Args:
        profile: with ``security=Security.STARTTLS``.

    Raises:
        ConfigurationError: The profile asks for another mode.
    """

    security = Security.STARTTLS


class InsecurePlaintextTransport(SmtpTransport):
    """No encryption: everything can be read and changed on the way.

    Args:
        profile: with ``security=Security.INSECURE_PLAINTEXT``.

    Raises:
        ConfigurationError: The profile asks for another mode.
    """

    security = Security.INSECURE_PLAINTEXT


_VARIANTS: Final[dict[Security, type[SmtpTransport]]] = {
    variant.security: variant
    for variant in (ImplicitTlsTransport, StartTlsTransport, InsecurePlaintextTransport)
}


def open_transport(profile: SmtpProfile) -> SmtpTransport:
    """The transport that a profile asks for, opened: connected, encrypted and authenticated.

    Use it as a context manager, or call its ``close``.

    Raises:
        ConfigurationError: A setting turned out unusable, before anything was sent.
        SessionError: The server cannot be reached or trusted, or does not want to talk.
        AuthenticationError: It did not accept the credentials.
    """
    if not isinstance(profile, SmtpProfile):
        raise ConfigurationError(
            f"expected an SmtpProfile, not {type(profile).__name__}",
            advice="Write SmtpProfile(...), or SmtpProfile.from_url(...) for a URL",
        )
    transport = _VARIANTS[profile.security](profile)
    transport.open()
    return transport
