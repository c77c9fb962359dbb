"""Transports that hand messages to an SMTP server over one kept session."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import ClassVar, Final

from mailsend.capabilities import Capabilities
from mailsend.cause import Cause
from mailsend.content import Content, prepare
from mailsend.endpoint import Security
from mailsend.envelope import Envelope
from mailsend.errors import (
    CapabilityError,
    ConfigurationError,
    InvalidMessage,
    MailsendError,
    ProtocolViolation,
    SenderRefused,
    SessionError,
)
from mailsend.profile import SmtpProfile
from mailsend.report import DeliveryReport
from mailsend.smtp.opening import open_session
from mailsend.smtp.session import Session
from mailsend.stage import Stage
from mailsend.transport.contract import Transport


def _is_the_sessions_own_end(error: SessionError | SenderRefused) -> bool:
    """Whether a kept session was over, or used up, before it took anything of this message.

    The server had ended it, was out of step on it, or takes no more messages in one session.
    """
    if isinstance(error, SenderRefused):
        return error.cause is Cause.TOO_MANY_MESSAGES
    return error.stage in {Stage.RSET, Stage.MAIL} or isinstance(error, ProtocolViolation)


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
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._session: Session | None = None
        self._process = os.getpid()

    def __repr__(self) -> str:
        state = "open" if self._session is not None and self._session.is_alive else "closed"
        return f"<{type(self).__name__} {self.profile.endpoint} {state}>"

    @contextmanager
    def _alone(self) -> Generator[None, None, None]:
        # Checked before the lock, which a thread of the parent may hold in the child for ever.
        if self._process != os.getpid():
            if self._session is not None:
                raise SessionError(
                    "this transport was opened before a fork, in another process",
                    cause=Cause.FORKED,
                    retryable=False,
                    endpoint=str(self.profile.endpoint),
                    advice="Open a transport in each process, after the fork; close() lets go of "
                    "the other process's session without a word to the server",
                )
            self._process, self._lock, self._owner = os.getpid(), threading.Lock(), None
        if self._owner == threading.get_ident():
            raise ConfigurationError(
                "this transport is used again from within its own sending",
                advice="A signal handler or callback needs a transport of its own",
            )
        with self._lock:
            self._owner = threading.get_ident()
            try:
                yield
            finally:
                self._owner = None

    @property
    def transcript(self) -> tuple[str, ...]:
        """The last lines of the open session's conversation, secrets left out; empty if closed."""
        session = self._session
        return session.transcript if session is not None else ()

    def open(self) -> None:
        with self._alone():
            self._ready()

    def close(self) -> None:
        if self._process != os.getpid():
            # The parent's session: closing this copy of the socket says nothing on it.
            session, self._session = self._session, None
            if session is not None:
                session.abandon()
            return
        with self._alone():
            session, self._session = self._session, None
            if session is not None:
                session.quit()

    @property
    def capabilities(self) -> Capabilities:
        with self._alone():
            return self._ready()[0].capabilities

    def _ready(self) -> tuple[Session, bool]:
        """A session that is alive as far as can be told, and whether it was there before."""
        session = self._session
        if session is not None and session.is_alive and not session.is_stale():
            return session, session.transactions > 0
        self._session = None
        self._session = open_session(self.profile)
        return self._session, False

    def send_raw(self, envelope: Envelope, content: bytes) -> DeliveryReport:
        prepared = self._checked(envelope, content)
        with self._alone():
            session, was_there = self._attempt_open(envelope)
            try:
                return self._submit(session, envelope, prepared)
            except (SessionError, SenderRefused) as error:
                if not (was_there and _is_the_sessions_own_end(error)):
                    raise
            # Nothing of this message was taken, so it goes over a new session, once.
            session.quit()
            session, _ = self._attempt_open(envelope)
            return self._submit(session, envelope, prepared)

    def _checked(self, envelope: Envelope, content: bytes) -> Content:
        if not isinstance(envelope, Envelope):
            raise InvalidMessage(
                f"expected an Envelope, not {type(envelope).__name__}",
                advice="Write Envelope('ada@example.org', ['bob@example.org'])",
            )
        most = self.profile.limits.recipients
        if most is not None and len(envelope.recipients) > most:
            raise CapabilityError(
                f"the message has {len(envelope.recipients)} recipients, and the profile allows "
                f"{most}",
                cause=Cause.TOO_MANY_RECIPIENTS,
                advice="Split the recipients over several messages",
                report=DeliveryReport.nothing_sent(envelope.recipients),
            )
        return prepare(content)

    def _attempt_open(self, envelope: Envelope) -> tuple[Session, bool]:
        try:
            return self._ready()
        except MailsendError as error:
            error.report = DeliveryReport.nothing_sent(envelope.recipients)
            raise

    def _submit(self, session: Session, envelope: Envelope, content: Content) -> DeliveryReport:
        try:
            return session.submit(envelope, content)
        except CapabilityError as error:
            error.report = DeliveryReport.nothing_sent(envelope.recipients)
            error.endpoint = str(self.profile.endpoint)
            raise


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
    transport = _VARIANTS[profile.security](profile)
    transport.open()
    return transport
