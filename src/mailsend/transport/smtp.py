"""Transports that hand messages to an SMTP server over one kept session."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import ClassVar, Final, TypeVar

from mailsend.capabilities import Capabilities
from mailsend.endpoint import Security
from mailsend.envelope import Envelope
from mailsend.errors import ConfigurationError, MailsendError
from mailsend.profile.smtp_profile import SmtpProfile
from mailsend.report import DeliveryReport
from mailsend.timeouts import Watch
from mailsend.transport.kept_session import ContentFor, Course, KeptSession
from mailsend.transport.submission import SubmissionTransport

_T = TypeVar("_T")


class SmtpTransport(SubmissionTransport):
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
        super().__init__(profile)
        # Reentrant, so that a signal handler finds out that it came in the middle instead of
        # waiting for itself.
        self._lock = threading.RLock()
        # Taken only by who has the other; a lock, because nothing comes between the end of its
        # `with` and its release, as it may come between the end of an action and an assignment.
        self._busy = threading.Lock()
        self._kept = KeptSession(profile)
        self._process = os.getpid()

    def __repr__(self) -> str:
        session = self._kept.session
        if session is None or not session.is_alive:
            return f"<{type(self).__name__} {self.profile.endpoint} closed>"
        return f"<{type(self).__name__} {session.endpoint} open>"

    def _alone(self, action: Callable[[], _T]) -> _T:
        """Run an action that no other use of this transport comes between."""
        # Checked before the lock, which a thread of the parent may hold in the child for ever.
        if self._process != os.getpid():
            if self._kept.session is not None:
                raise self._forked()
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
                    self._kept.abandon()
                    raise

    @property
    def transcript(self) -> tuple[str, ...]:
        """The last lines of the open session's conversation, secrets left out; empty if closed."""
        session = self._kept.session
        return session.transcript if session is not None else ()

    def open(self) -> None:
        self._alone(lambda: self._kept.ready(Watch(self.profile.timeouts)))

    def close(self) -> None:
        if self._process != os.getpid():
            self._let_go(busy=True)  # the parent's session: nothing may be said on it
            return
        with self._lock:
            self._let_go(busy=self._busy.locked())

    def _let_go(self, *, busy: bool) -> None:
        self._kept.route.reached = None
        self._kept.let_go(quietly=busy)

    @property
    def capabilities(self) -> Capabilities:
        return self._alone(lambda: self._kept.ready(Watch(self.profile.timeouts)).capabilities)

    def _submit(
        self, envelope: Envelope, content_for: ContentFor, course: Course
    ) -> DeliveryReport:
        def run() -> DeliveryReport:
            return self._kept.submit(envelope, content_for, course, Watch(self.profile.timeouts))

        return self._alone(run)


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
