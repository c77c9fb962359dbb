"""How a session begins: at the profile's endpoint, or the first fallback that can be reached."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from mailsend.cause import Cause, Retry
from mailsend.endpoint import Endpoint, Security
from mailsend.errors import ConnectError, MailsendError, SessionError
from mailsend.meanings import read_ahead
from mailsend.profile import SmtpProfile
from mailsend.secret import Hidden
from mailsend.smtp import dial
from mailsend.smtp.attempt import Attempt
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

    The password is looked up before the connection is made, and leaves only over TLS, or, where
    the profile allows it by name, on a loopback connection.

    Raises:
        ConfigurationError: The password or a TLS file cannot be read.
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
    credentials = profile.credentials
    secret = None
    if credentials is not None:
        secret = Hidden(credentials.reveal(timeout=profile.timeouts.auth))
    endpoints = sorted(profile.endpoints, key=lambda endpoint: endpoint != prefer)
    failed: list[SessionError] = []
    for number, endpoint in enumerate(endpoints):
        if failed and watch.is_over:
            break
        share = watch.share(len(endpoints), number)
        attempt = Attempt(profile, endpoint, share, resolver=resolver, clock=clock)
        try:
            return attempt.open(context, secret)
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
