"""How a session begins: connect, greeting, EHLO, STARTTLS, EHLO again, AUTH."""

from __future__ import annotations

import base64
import binascii
import ssl
import time
from collections.abc import Callable
from typing import Final

from mailsend.capabilities import Capabilities
from mailsend.cause import Cause
from mailsend.credentials import Hidden
from mailsend.endpoint import Security
from mailsend.errors import (
    AuthenticationError,
    ConfigurationError,
    MailsendError,
    ProtocolViolation,
    ServiceUnavailable,
    TlsError,
)
from mailsend.interpretation import interpret
from mailsend.profile import SmtpProfile
from mailsend.reply import Reply
from mailsend.sasl import PASSWORD_MECHANISMS, Mechanism, choose
from mailsend.scrub import Scrubber
from mailsend.smtp import dial
from mailsend.smtp.session import Session
from mailsend.smtp.tls import client_context
from mailsend.smtp.wire import Wire
from mailsend.stage import Stage
from mailsend.timeouts import Deadline, Watch
from mailsend.transcript import Transcript

# RFC 5321 §4.1.1.1: a server that does not know EHLO is asked with HELO. Any other refusal of
# EHLO is a refusal.
_EHLO_UNKNOWN: Final = frozenset({500, 501, 502, 504})
_MAX_COMMAND_OCTETS: Final = 512  # RFC 5321 §4.5.3.1.4
_MAX_CHALLENGES: Final = 4  # LOGIN has two


def open_session(
    profile: SmtpProfile,
    watch: Watch | None = None,
    *,
    resolver: dial.Resolver = dial.system_resolver,
    clock: Callable[[], float] = time.monotonic,
) -> Session:
    """Connect and do everything that comes before the first message.

    Args:
        profile: settings.
        watch: of the call that this is part of; None begins a new one.
        resolver: finds the addresses of a name.
        clock: seconds that only go forward.

    The password is looked up before the connection is made, and leaves only over TLS, or, where
    the profile allows it by name, on a loopback connection.

    Raises:
        ConfigurationError: The password or a TLS file cannot be read.
        ConnectError: No connection.
        TlsError: No encryption, or not with the right server. No credential was sent.
        AuthenticationError: The credentials were refused, or cannot be presented.
        ServiceUnavailable: The server does not want to talk now.
        SessionError: Anything else that ended the session.
    """
    opening = _Opening(profile, watch or Watch(profile.timeouts, clock), resolver, clock)
    try:
        return opening.run()
    except BaseException:
        opening.wire.close()
        raise


class _Opening:
    def __init__(
        self,
        profile: SmtpProfile,
        watch: Watch,
        resolver: dial.Resolver,
        clock: Callable[[], float],
    ) -> None:
        self._profile = profile
        self._clock = clock
        self._watch = watch
        self._tls: ssl.SSLContext | None = None
        self.wire = Wire(
            profile.endpoint, profile.limits, Transcript(), resolver=resolver, clock=clock
        )

    def run(self) -> Session:
        profile, wire = self._profile, self.wire
        if profile.security is not Security.INSECURE_PLAINTEXT:
            self._tls = client_context(profile.tls)
        credentials = profile.credentials
        secret = None
        if credentials is not None:
            secret = Hidden(credentials.reveal(timeout=profile.timeouts.auth))
        implicit = profile.security is Security.IMPLICIT_TLS
        wire.open(self._watch, self._tls if implicit else None, profile.tls.pinned_sha256)
        self._greeting()
        capabilities = self._hello()
        if profile.security is Security.STARTTLS:
            self._start_tls(capabilities)
            # All that was learned before TLS may be forged (RFC 3207 §4.2).
            capabilities = self._hello()
        if secret is not None and profile.username is not None:
            self._authenticate(capabilities, profile.username, secret)
        return Session(profile, wire, profile.usable(capabilities), clock=self._clock)

    # -- greeting and EHLO

    def _greeting(self) -> None:
        reply = self.wire.read(self._watch.deadline(Stage.GREETING))
        if reply.code == 220:
            return
        if reply.code >= 400:
            raise self._refused(
                ServiceUnavailable, "the server does not take the session", Stage.GREETING, reply
            )
        raise self._nonsense(Stage.GREETING, reply)

    def _hello(self) -> Capabilities:
        name = self._profile.client_name or self.wire.address_literal
        reply = self._command(Stage.EHLO, f"EHLO {name}")
        if reply.is_positive:
            return Capabilities.from_ehlo(reply)
        if reply.code in _EHLO_UNKNOWN:
            reply = self._command(Stage.EHLO, f"HELO {name}")
            if reply.is_positive:
                return Capabilities(reply.lines[0])
        if reply.code >= 400:
            raise self._refused(
                ServiceUnavailable, f"the server does not take {name} as a client",
                Stage.EHLO, reply,
            )  # fmt: skip
        raise self._nonsense(Stage.EHLO, reply)

    # -- STARTTLS

    def _start_tls(self, capabilities: Capabilities) -> None:
        context = self._tls
        assert context is not None  # noqa: S101 - made for every profile with encryption
        if "STARTTLS" not in capabilities:
            raise self.wire.error(
                TlsError,
                "the server does not offer STARTTLS, which the profile requires",
                stage=Stage.STARTTLS,
                cause=Cause.STARTTLS_UNAVAILABLE,
                advice="Use implicit TLS on port 465 if the server has it. If this server offered "
                "STARTTLS before, somebody may be removing it on the way",
            )
        reply = self._command(Stage.STARTTLS, "STARTTLS")
        if reply.code >= 400:
            error = self._refused(
                TlsError, "the server refused STARTTLS, which the profile requires",
                Stage.STARTTLS, reply,
            )  # fmt: skip
            error.cause = Cause.STARTTLS_UNAVAILABLE
            raise error
        if reply.code != 220:
            raise self._nonsense(Stage.STARTTLS, reply)
        if self.wire.has_unread:
            raise self.wire.error(
                ProtocolViolation,
                "there is more behind the reply to STARTTLS, before encryption began",
                stage=Stage.STARTTLS,
                cause=Cause.STARTTLS_INJECTION,
                advice="Somebody on the way may be inserting replies; nothing was sent",
            )
        self.wire.shake_hands(
            context, self._profile.tls.pinned_sha256, self._watch.deadline(Stage.TLS)
        )

    # -- AUTH

    def _authenticate(self, capabilities: Capabilities, username: str, secret: Hidden[str]) -> None:
        self._require_a_safe_path()
        offered = capabilities.auth_mechanisms
        name = choose(offered, self._profile.mechanisms)
        if name is None:
            ours = ", ".join(self._profile.mechanisms or PASSWORD_MECHANISMS)
            theirs = ", ".join(offered)[:200] or "no authentication"
            raise self.wire.error(
                AuthenticationError,
                f"the server offers {theirs}, and the profile can do {ours}",
                stage=Stage.AUTH,
                cause=Cause.AUTHENTICATION_UNAVAILABLE,
                advice="Check the port: submission ports offer AUTH, port 25 often does not"
                if not offered
                else "Use credentials of a kind that the server takes",
            )
        # It stays for the whole session: what is quoted late is quoted all the same.
        scrubber = self.wire.scrubber = Scrubber(username, secret)
        mechanism = PASSWORD_MECHANISMS[name](username, secret.value)
        reply = _AuthExchange(self, mechanism).run(self._watch.deadline(Stage.AUTH))
        scrubber.presenting = False
        if reply.code >= 400:
            what = f"the server refused to authenticate {self._profile.shown_username} by {name}"
            raise self._refused(AuthenticationError, what, Stage.AUTH, reply)
        if reply.code != 235:
            raise self._nonsense(Stage.AUTH, reply)

    def _require_a_safe_path(self) -> None:
        if self.wire.is_encrypted:
            return
        if not (self._profile.allow_plaintext_credentials and self.wire.peer_is_loopback):
            # localhost may resolve to anything; the connection itself is what counts.
            raise ConfigurationError(
                f"the name {self._profile.host} led to another machine, and credentials are never "
                "sent there without encryption",
                stage=Stage.AUTH,
                endpoint=str(self.wire.endpoint),
                advice="Use Security.IMPLICIT_TLS or Security.STARTTLS",
            )

    # -- what they share

    def _command(self, stage: Stage, line: str) -> Reply:
        waiting = self.wire.unasked(stage)
        if waiting is not None:
            if waiting.code >= 400:
                raise self._refused(
                    ServiceUnavailable, "the server broke off before it was asked", stage, waiting
                )
            raise self._nonsense(stage, waiting)
        self.wire.transcript.sent(line.encode())
        self.wire.write(f"{line}\r\n".encode(), self._watch.deadline(stage))
        return self.not_421(self.wire.read(self._watch.deadline(stage)), stage)

    def not_421(self, reply: Reply, stage: Stage) -> Reply:
        """The reply, unless it ends the session."""
        if reply.code == 421:
            raise self._refused(ServiceUnavailable, "the server ends the session", stage, reply)
        return reply

    def _refused(
        self, kind: type[MailsendError], what: str, stage: Stage, reply: Reply
    ) -> MailsendError:
        meaning = interpret(reply, stage)
        error = self.wire.error(
            kind, what, stage=stage, reply=reply, cause=meaning.cause, advice=meaning.advice
        )
        error.scope, error.retryable = meaning.scope, meaning.retryable
        return error

    def _nonsense(self, stage: Stage, reply: Reply) -> MailsendError:
        return self.wire.error(
            ProtocolViolation,
            f"{reply.code} is no answer at this point",
            stage=stage,
            reply=reply,
            cause=Cause.NOT_SMTP if stage is Stage.GREETING else Cause.OUT_OF_STEP,
        )


class _AuthExchange:
    """One AUTH command with its challenges (RFC 4954 §4). One mechanism, one attempt."""

    def __init__(self, opening: _Opening, mechanism: Mechanism) -> None:
        self._opening = opening
        self._wire = opening.wire
        self._mechanism = mechanism
        self._late: Hidden[str] | None = None

    def run(self, deadline: Deadline) -> Reply:
        """The final reply: anything but a challenge.

        Raises:
            ProtocolViolation: The server asked for more than the mechanism has to say.
            SessionError: The session ended.
        """
        command = f"AUTH {self._mechanism.name}"
        self._send(command, self._initial_response(len(command)), deadline)
        for _ in range(_MAX_CHALLENGES):
            reply = self._opening.not_421(self._wire.read(deadline), Stage.AUTH)
            if reply.code != 334:
                return reply
            response = self._respond(reply)
            if response is None:
                break
            self._send("", response, deadline)
        raise self._violation("the server asked for more than the mechanism has to say")

    def _initial_response(self, used: int) -> Hidden[str] | None:
        initial = self._mechanism.initial_response()
        if initial is None:
            return None
        encoded = Hidden(base64.b64encode(initial).decode() or "=")
        # Too long for a command line, it waits for the challenge instead (RFC 4954 §4).
        if used + 1 + len(encoded.value) + 2 > _MAX_COMMAND_OCTETS:
            self._late = encoded
            return None
        return encoded

    def _respond(self, reply: Reply) -> Hidden[str] | None:
        late, self._late = self._late, None
        if late is not None:
            return late
        try:
            challenge = base64.b64decode(reply.text.strip(), validate=True)
        except (binascii.Error, ValueError) as error:
            raise self._violation("the server's challenge is not base64") from error
        response = self._mechanism.respond(challenge)
        return None if response is None else Hidden(base64.b64encode(response).decode())

    def _send(self, command: str, response: Hidden[str] | None, deadline: Deadline) -> None:
        if self._wire.unasked(Stage.AUTH) is not None:
            raise self._violation("the server answered before it was asked")
        self._wire.transcript.sent_secret(
            command if response is None else f"{command} <secret>".strip()
        )
        words = [word for word in (command, response.value if response else "") if word]
        # A memoryview, because it does not show its octets in a traceback either.
        line = Hidden(" ".join(words))
        del words
        self._wire.write(memoryview(f"{line.value}\r\n".encode()), deadline)

    def _violation(self, what: str) -> MailsendError:
        return self._wire.error(ProtocolViolation, what, stage=Stage.AUTH)
