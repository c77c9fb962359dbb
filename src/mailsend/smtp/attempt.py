"""One endpoint: connect, greeting, EHLO, STARTTLS, EHLO again, AUTH."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from mailsend.capabilities import Capabilities
from mailsend.cause import Cause
from mailsend.endpoint import Endpoint, Security
from mailsend.errors import (
    MailsendError,
    ProtocolViolation,
    ServiceUnavailable,
    SessionError,
    TlsError,
)
from mailsend.failures import Symptom
from mailsend.profile.smtp_profile import SmtpProfile
from mailsend.scrub import Scrubber
from mailsend.smtp import certificate, dial
from mailsend.smtp.authentication import Proof, authenticate
from mailsend.smtp.exchange import Exchange
from mailsend.smtp.session import Session
from mailsend.smtp.tls import context_for_looking_only
from mailsend.smtp.wire import Wire
from mailsend.smtp.witness import Witness
from mailsend.stage import Stage
from mailsend.timeouts import Timeouts, Watch
from mailsend.transcript import Transcript

_T = TypeVar("_T")

# RFC 5321 §3.2: a server that does not know EHLO is asked with HELO. Any other refusal of
# EHLO is a refusal.
_EHLO_UNKNOWN: Final = frozenset({500, 501, 502, 504})
_LOOK_SECONDS: Final = 5.0
_READABLE: Final = {
    Cause.CERTIFICATE_EXPIRED: Symptom.CERTIFICATE_EXPIRED,
    Cause.CERTIFICATE_NOT_YET_VALID: Symptom.CERTIFICATE_NOT_YET_VALID,
    Cause.CERTIFICATE_HOSTNAME_MISMATCH: Symptom.CERTIFICATE_FOR_ANOTHER_HOST,
}


class Attempt:
    """An attempt to open a session at one endpoint. Made for one use.

    Args:
        profile: settings.
        endpoint: where.
        watch: with this endpoint's share of the budgets.
        resolver: finds the addresses of a name.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        profile: SmtpProfile,
        endpoint: Endpoint,
        watch: Watch,
        *,
        resolver: dial.Resolver,
        clock: Callable[[], float],
    ) -> None:
        self._profile = profile
        self._endpoint = endpoint
        self._watch = watch
        self._resolver = resolver
        self._clock = clock
        others = tuple(other for other in profile.endpoints if other != endpoint)
        witness = Witness(endpoint, Transcript(), others, profile.provider)
        self.wire = Wire(witness, profile.limits, resolver=resolver, clock=clock)
        self._exchange = Exchange(self.wire, watch)

    def open(self, context: ssl.SSLContext | None, proof: Proof | None) -> Session:
        """Open a session; whatever goes wrong, nothing stays open.

        Args:
            context: for TLS; None only where the endpoint has none.
            proof: what to authenticate with, or None.

        Raises:
            MailsendError: As :func:`mailsend.smtp.opening.open_session`.
        """
        if proof is not None:
            # From the first word on: a server may have learned it in an earlier session.
            self.wire.scrubber = Scrubber(proof.secret)

        def run() -> Session:
            capabilities = self._reach(context, self._profile.tls.pinned_sha256)
            if proof is not None:
                authenticate(self._exchange, capabilities, proof)
            return Session(
                self._profile, self.wire, self._profile.usable(capabilities), clock=self._clock
            )

        return self._or_close(run)

    def _or_close(self, action: Callable[[], _T]) -> _T:
        try:
            try:
                return action()
            except MailsendError:
                self.wire.drop()
                raise
        except BaseException:  # an interrupt too, also one that comes at the close above
            self.wire.drop()
            raise

    def _reach(self, context: ssl.SSLContext | None, pins: tuple[str, ...]) -> Capabilities:
        """Everything up to the EHLO that counts: encrypted, if it is to be."""
        self._connect(context, pins)
        if self._endpoint.security is not Security.STARTTLS:
            self._greeting()
        # All that was learned before TLS may be forged (RFC 3207 §4.2).
        return self._hello()

    def _connect(self, context: ssl.SSLContext | None, pins: tuple[str, ...]) -> None:
        """Everything up to the end of the TLS handshake, if there is to be one."""
        security = self._endpoint.security
        implicit = security is Security.IMPLICIT_TLS
        self.wire.open(self._watch, context if implicit else None, pins)
        if security is Security.STARTTLS:
            assert context is not None  # noqa: S101 - made for every profile with encryption
            self._greeting()
            self._start_tls(self._hello(), context, pins)

    def _greeting(self) -> None:
        reply = self.wire.read(self._watch.deadline(Stage.GREETING))
        if reply.code == 220:
            return
        if reply.code >= 400:
            raise self.wire.witness.refusal(
                ServiceUnavailable, "the server does not take the session", Stage.GREETING, reply
            )
        raise self._exchange.nonsense(Stage.GREETING, reply)

    def _hello(self) -> Capabilities:
        name = self._profile.client_name or self.wire.address_literal
        reply = self._exchange.command(Stage.EHLO, f"EHLO {name}")
        if reply.is_positive:
            return Capabilities.from_ehlo(reply)
        if reply.code in _EHLO_UNKNOWN:
            reply = self._exchange.command(Stage.EHLO, f"HELO {name}")
            if reply.is_positive:
                return Capabilities(reply.lines[0])
        if reply.code >= 400:
            raise self.wire.witness.refusal(
                ServiceUnavailable, f"the server does not take {name} as a client", Stage.EHLO,
                reply,
            )  # fmt: skip
        raise self._exchange.nonsense(Stage.EHLO, reply)

    def _start_tls(
        self, capabilities: Capabilities, context: ssl.SSLContext, pins: tuple[str, ...]
    ) -> None:
        witness = self.wire.witness
        if "STARTTLS" not in capabilities:
            # What was taken for the answer to EHLO may have been something else.
            self._exchange.require_silence(Stage.STARTTLS)
            raise witness.failure(TlsError, Symptom.STARTTLS_NOT_OFFERED, Stage.STARTTLS)
        reply = self._exchange.command(Stage.STARTTLS, "STARTTLS")
        if reply.code >= 400:
            raise witness.refusal(
                TlsError, "the server refused STARTTLS, which the profile requires",
                Stage.STARTTLS, reply,
            )  # fmt: skip
        if reply.code != 220:
            raise self._exchange.nonsense(Stage.STARTTLS, reply)
        if self.wire.has_unread:
            raise witness.failure(ProtocolViolation, Symptom.STARTTLS_INJECTION, Stage.STARTTLS)
        self.wire.shake_hands(context, pins, self._watch.deadline(Stage.TLS))

    # -- a certificate that was refused

    def with_the_certificate(self, error: SessionError) -> SessionError:
        """The error, with what the certificate says where its names or dates are the reason.

        OpenSSL tells that they do not fit, and not what they are. So the certificate is read over
        a second connection, within what is left of the handshake's budget. Its chain is verified
        there as ever. What has to come before the handshake is sent, and nothing after it.
        """
        symptom = _READABLE.get(error.cause) if isinstance(error, TlsError) else None
        seconds = min(_LOOK_SECONDS, self._watch.latest.at - self._clock())
        peer = self.wire.peer
        if symptom is None or seconds <= 0 or peer is None:
            return error
        watch = Watch(Timeouts.uniform(seconds, total=seconds), self._clock)
        look = Attempt(
            self._profile, self._endpoint, watch, resolver=lambda *_: [peer], clock=self._clock
        )
        try:
            seen = look._certificate(context_for_looking_only(self._profile.tls))
        except (MailsendError, OSError, ValueError):
            return error  # it is what happened, with or without what more could have been said
        if not certificate.confirms(seen, symptom, self._endpoint.host, dt.datetime.now(dt.UTC)):
            return error  # another server behind the same address has another certificate
        told = self.wire.witness.failure(
            TlsError,
            symptom,
            Stage.TLS,
            names=certificate.names(seen),
            validity=certificate.validity(seen),
        )
        told.__cause__ = error.__cause__
        return told

    def _certificate(self, context: ssl.SSLContext) -> Mapping[str, Any]:
        def run() -> Mapping[str, Any]:
            self._connect(context, ())
            seen = self.wire.certificate
            self.wire.close()
            return seen

        return self._or_close(run)
