"""How a session begins: at the profile's endpoint, or the first fallback that can be reached."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Final

from attrs import frozen

from mailsend.cause import Cause, Retry
from mailsend.endpoint import Endpoint, Security
from mailsend.errors import AuthenticationError, ConnectError, MailsendError, SessionError
from mailsend.logins import logins
from mailsend.meanings import read_ahead
from mailsend.profile.smtp_profile import SmtpProfile
from mailsend.smtp import dial
from mailsend.smtp.attempt import Attempt
from mailsend.smtp.authentication import Proof
from mailsend.smtp.session import Session
from mailsend.smtp.tls import client_context
from mailsend.stage import Stage
from mailsend.timeouts import Watch

_LOG: Final = logging.getLogger("mailsend.session")

# Who cannot be trusted, or does not want this client, is not a matter of another port: somebody
# has to know.
_STAYS: Final = frozenset({
    Cause.CERTIFICATE_EXPIRED,
    Cause.CERTIFICATE_NOT_YET_VALID,
    Cause.CERTIFICATE_HOSTNAME_MISMATCH,
    Cause.CERTIFICATE_UNTRUSTED,
    Cause.CERTIFICATE_NOT_STRICT,
    Cause.CERTIFICATE_PIN_MISMATCH,
    Cause.CLIENT_CERTIFICATE_REQUIRED,
    Cause.CLIENT_NAME_REFUSED,
    Cause.CLIENT_ADDRESS_REFUSED,
    Cause.POOR_REPUTATION,
    Cause.ACCOUNT_BLOCKED,
    Cause.RATE_LIMITED,
    Cause.QUOTA_EXCEEDED,
    Cause.TOO_MANY_CONNECTIONS,
    Cause.STARTTLS_INJECTION,
})  # fmt: skip
_SOONEST: Final = tuple(Retry)


def open_session(
    profile: SmtpProfile,
    watch: Watch | None = None,
    *,
    prefer: Endpoint | None = None,
    resolver: dial.Resolver = dial.system_resolver,
    clock: Callable[[], float] = time.monotonic,
) -> Session:
    """Connect and do everything that comes before the first message.

    The endpoints of the profile are tried in order until one can be reached; all of them share
    each stage's budget. What fails at AUTH, or because the server cannot be trusted, is final.

    Args:
        profile: settings.
        watch: of the call that this is part of; None begins a new one.
        prefer: one of the profile's endpoints to try first.
        resolver: finds the addresses of a name.
        clock: seconds that only go forward.

    The password or token is looked up before the connection is made, and leaves only over TLS, or,
    where the profile allows it by name, on a loopback connection. A token that the server refuses
    is replaced once, if there is another, and presented once more over a new connection. What was
    refused is not presented again by this process for a while (:mod:`mailsend.logins`).

    Raises:
        ConfigurationError: The password or a TLS file cannot be read.
        TokenError: No access token could be had.
        ConnectError: No connection. `also_failed` has the errors of the other endpoints.
        TlsError: No encryption, or not with the right server. No credential was sent.
        AuthenticationError: The credentials were refused, or cannot be presented.
        ServiceUnavailable: The server does not want to talk now.
        SessionError: Anything else that ended the session.
    """
    try:
        read_ahead()
    except OSError as error:
        raise ConnectError(
            f"no connection: the tables of this package cannot be read: {error.strerror}",
            stage=Stage.CONNECT,
            cause=Cause.UNREACHABLE,
            advice="Close files and connections that are not needed, or raise this process's limit "
            "of open files",
            endpoint=str(profile.endpoint),
        ) from error
    watch = watch or Watch(profile.timeouts, clock)
    context = None
    if any(e.security is not Security.INSECURE_PLAINTEXT for e in profile.endpoints):
        context = client_context(profile.tls)
    endpoints = sorted(profile.endpoints, key=lambda endpoint: endpoint != prefer)
    opening = _Opening(profile, context, watch, resolver, clock)
    if profile.credentials is None:
        return opening.at_the_first_reached(endpoints, None)
    proof = Proof.of(profile, watch)
    try:
        return opening.at_the_first_reached(endpoints, proof)
    except AuthenticationError as error:
        asked = [e for e in endpoints if str(e) == error.endpoint]
        renewed = _renewed(proof, asked, watch, error)
        if renewed is None:
            _remember(proof, asked, error)
            raise
        _LOG.info("%s Trying once more, with a new token", error)
    try:
        return opening.at_the_first_reached(asked, renewed)
    except AuthenticationError as error:
        _remember(renewed, asked, error)
        raise


def _renewed(
    proof: Proof, asked: Sequence[Endpoint], watch: Watch, error: AuthenticationError
) -> Proof | None:
    """The credentials with a new token, where it was the old one that the server refused."""
    if proof.token is None or error.reply is None or error.retryable or watch.is_over:
        return None
    if any(logins.refusal_of(proof.source(endpoint)) for endpoint in asked):
        return None  # a new one was of no use a while ago
    renewed = Proof.of(proof.profile, watch, refused=proof.token)
    return None if renewed.secret == proof.secret else renewed


def _remember(proof: Proof, asked: Sequence[Endpoint], error: AuthenticationError) -> None:
    for source in map(proof.source, asked):
        # What is told from memory must not hold any longer for that.
        if logins.refusal_of(source) is None:
            logins.failed(source, error)


@frozen
class _Opening:
    """What all attempts of one call have in common."""

    profile: SmtpProfile
    context: ssl.SSLContext | None
    watch: Watch
    resolver: dial.Resolver
    clock: Callable[[], float]

    def at_the_first_reached(self, endpoints: Sequence[Endpoint], proof: Proof | None) -> Session:
        """Open a session at the first of the endpoints that can be reached.

        Raises:
            MailsendError: As :func:`open_session`.
        """
        failed: list[SessionError] = []
        for number, endpoint in enumerate(endpoints):
            if failed and self.watch.is_over:
                break
            share = self.watch.share(len(endpoints), number)
            attempt = Attempt(
                self.profile, endpoint, share, resolver=self.resolver, clock=self.clock
            )
            try:
                if proof is not None:
                    proof.require_no_refusal(endpoint)
                return attempt.open(self.context, proof)
            except SessionError as error:
                failure = attempt.with_the_certificate(error)
                if failure.stage is Stage.AUTH or failure.cause in _STAYS:
                    failure.also_failed = tuple(failed)
                    raise failure from failure.__cause__
                failed.append(failure)
                if number + 1 < len(endpoints):
                    _LOG.warning("%s Trying %s", failure, endpoints[number + 1])
            except MailsendError as error:
                error.also_failed = tuple(failed)
                raise
        first = failed[0]
        first.also_failed = tuple(failed[1:])
        first.retry = min((error.retry for error in failed), key=_SOONEST.index)
        raise first from first.__cause__
