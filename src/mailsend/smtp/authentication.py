"""AUTH: one mechanism, one attempt, and only where nobody can listen (RFC 4954)."""

from __future__ import annotations

import base64
import binascii
import contextlib
import datetime as dt
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Final, TypeVar

from attrs import evolve, frozen

from mailsend.capabilities import Capabilities
from mailsend.cause import Cause
from mailsend.credentials import Password
from mailsend.endpoint import Endpoint
from mailsend.errors import (
    AuthenticationError,
    ConfigurationError,
    MailsendError,
    ProtocolViolation,
    SessionTimeout,
)
from mailsend.logins import Identity, Refusal, fingerprint, logins
from mailsend.meanings import meaning_of
from mailsend.options import TlsOptions
from mailsend.profile.smtp_profile import SmtpProfile
from mailsend.reply import Reply
from mailsend.sasl.exchange import Claim, SaslError, SaslMechanism
from mailsend.sasl.exchange import Exchange as SaslExchange
from mailsend.sasl.mechanisms import choose, usable
from mailsend.scrub import Scrubber
from mailsend.secret import Hidden, Secret
from mailsend.smtp.exchange import Exchange
from mailsend.smtp.wire import Wire
from mailsend.stage import Stage
from mailsend.timeouts import Deadline, Watch
from mailsend.tokens import AccessToken, OAuth2

_T = TypeVar("_T")

_MAX_COMMAND_OCTETS: Final = 512  # RFC 5321 §4.5.3.1.4
_MAX_CHALLENGES: Final = 8  # LOGIN and SCRAM have two; one of the user's own may have more


@frozen(eq=False, repr=False)
class Proof:
    """The credentials of a profile, looked up: what is presented in one login.

    Attributes:
        profile: whose credentials they are.
        secret: the password or the token; None for a client certificate.
        token: the token with what is known of it, or None.
        mark: equal for equal proofs of one kind, and telling nothing else about them.
    """

    profile: SmtpProfile
    secret: Secret | None
    token: AccessToken | None
    mark: bytes

    @classmethod
    def of(cls, profile: SmtpProfile, watch: Watch, refused: AccessToken | None = None) -> Proof:
        """Look the credentials up, within what is left of the time for authentication.

        Args:
            profile: its credentials are looked up; it has some.
            watch: of the call that this is part of.
            refused: a token that the server did not take, for which another one is wanted.

        Raises:
            ConfigurationError: A password cannot be found where it is said to be.
            TokenError: No token could be had.
        """
        credentials = profile.credentials
        seconds = max(0.0, watch.deadline(Stage.AUTH).at - watch.clock())
        if isinstance(credentials, OAuth2):
            token = credentials.look_up(seconds, refused)
            return cls(profile, token.value, token, fingerprint(token.value.reveal()))
        if isinstance(credentials, Password):
            password = credentials.look_up(seconds)
            return cls(profile, password, None, fingerprint(password.reveal()))
        return cls(profile, None, None, _mark_of_certificate(profile.tls))

    def identity(self, endpoint: Endpoint) -> Identity:
        """What a refusal of this login at an endpoint is remembered by."""
        return self._at(endpoint, (type(self.profile.credentials), self.mark))

    def source(self, endpoint: Endpoint) -> Identity:
        """The same for every token from where this one came; for a password, its own identity."""
        if self.token is None:
            return self.identity(endpoint)
        return self._at(endpoint, self.profile.credentials)

    def _at(self, endpoint: Endpoint, proof: Hashable) -> Identity:
        # With the mechanisms, since a right password is refused where the server cannot check it
        # by one of them; the error advises to choose another, and that must not be held up.
        chosen = tuple(m if isinstance(m, str) else m.name for m in self.profile.mechanisms)
        where = evolve(endpoint, host=endpoint.host.lower())
        return Identity(where, self.profile.username, (proof, chosen))

    @property
    def whose(self) -> str:
        """Whose login it is, in words; not the user name where that is the secret too."""
        name = self.profile.username
        if name is None:
            return "the client certificate"
        same = self.secret is not None and self.secret.reveal() == name
        return "<secret>" if same else self.profile.shown_username

    def require_no_refusal(self, endpoint: Endpoint) -> None:
        """Raise what an earlier login with the same credentials was refused with, if that holds.

        Raises:
            AuthenticationError: It was refused, and not long enough ago.
        """
        for identity in dict.fromkeys((self.source(endpoint), self.identity(endpoint))):
            refusal = logins.refusal_of(identity)
            if refusal is not None:
                raise _held(refusal)


def _mark_of_certificate(tls: TlsOptions) -> bytes:
    """Another one for a file that has been replaced: then it is another certificate."""
    octets = b""
    with contextlib.suppress(OSError):  # TLS has read it a moment ago, and is to complain
        octets = b"".join(Path(p).read_bytes() for p in (tls.client_cert, tls.client_key) if p)
    return fingerprint(octets)


def _held(refusal: Refusal) -> AuthenticationError:
    error = refusal.error
    when = dt.datetime.fromtimestamp(refusal.wall, dt.UTC)
    return AuthenticationError(
        f"{error.what} before, and is not asked again before {when:%H:%M:%S} UTC unless the "
        "credentials change",
        stage=error.stage,
        reply=error.reply,
        cause=error.cause,
        scope=error.scope,
        advice=error.advice,
        retry=error.retry,
        link=error.link,
        rule=error.rule,
        endpoint=error.endpoint,
        transcript=error.transcript,
    )


def authenticate(exchange: Exchange, capabilities: Capabilities, proof: Proof) -> None:
    """Present the profile's credentials once.

    Raises:
        ConfigurationError: The connection is not one to send a secret over. None was sent.
        AuthenticationError: The server offers no mechanism that fits, or refused, now or a while
            ago.
        SessionError: The session ended.
    """
    wire, profile = exchange.wire, proof.profile
    credentials = profile.credentials
    assert credentials is not None  # noqa: S101 - there is a proof of them
    _require_a_safe_path(wire, profile)
    offered = capabilities.auth_mechanisms
    chosen = choose(offered, profile.mechanisms, credentials)
    if chosen is None:
        # What was taken for the answer to EHLO may have been something else.
        exchange.require_silence(Stage.AUTH)
        fitting = usable(profile.mechanisms, credentials)
        ours = ", ".join(mechanism.name for mechanism in fitting)
        theirs = ", ".join(offered)[:200] or "no authentication"
        raise wire.witness.error(
            AuthenticationError,
            f"the server offers {theirs}, and the profile can do {ours}",
            Stage.AUTH,
            cause=Cause.AUTHENTICATION_UNAVAILABLE,
            advice="Use credentials of a kind that the server takes"
            if offered
            else "Check the port: submission ports offer AUTH, port 25 often does not",
        )
    deadline = exchange.watch.deadline(Stage.AUTH)
    identity = proof.identity(wire.endpoint)
    with logins.turn(identity, deadline.at - exchange.watch.clock()) as is_ours:
        if not is_ours:
            raise wire.witness.error(
                SessionTimeout,
                "another login with the same credentials took all of the time",
                Stage.AUTH,
                cause=Cause.TIMED_OUT,
            )
        proof.require_no_refusal(wire.endpoint)
        try:
            _log_in(exchange, chosen, proof, deadline)
        except AuthenticationError as error:
            logins.failed(identity, error)
            raise
        logins.succeeded(identity)


def _log_in(exchange: Exchange, chosen: SaslMechanism, proof: Proof, deadline: Deadline) -> None:
    wire, profile = exchange.wire, proof.profile
    scrubber = wire.scrubber or Scrubber(proof.secret)
    scrubber.begin()
    claim = Claim(profile.username, proof.secret, wire.endpoint.host, wire.endpoint.port)
    dialogue = _Dialogue(exchange, chosen, claim, scrubber)
    reply = dialogue.run(deadline)
    steps = dialogue.steps
    scrubber.end()
    wire.forget_replies()
    if reply.code >= 400:
        what = f"the server refused to authenticate {proof.whose} by {chosen.name}"
        raise _refused(wire, what + _explanation(steps, scrubber), chosen, proof, reply)
    if reply.code != 235:
        raise exchange.nonsense(Stage.AUTH, reply)
    if not steps.is_complete:
        raise wire.witness.error(
            ProtocolViolation,
            f"the server says that {chosen.name} succeeded, and has not proved who it is",
            Stage.AUTH,
            cause=Cause.SERVER_NOT_PROVED,
            reply=reply,
        )


def _explanation(steps: SaslExchange, scrubber: Scrubber) -> str:
    """What the server said in a challenge of why it refuses, to be put behind a clause."""
    words = getattr(steps, "explanation", None)
    if not isinstance(words, Hidden) or scrubber.quotes(words.value):
        return ""
    return f" ({words.value})"


def _refused(
    wire: Wire, what: str, chosen: SaslMechanism, proof: Proof, reply: Reply
) -> AuthenticationError:
    error = wire.witness.refusal(AuthenticationError, what, Stage.AUTH, reply)
    if proof.token is not None and error.cause in {Cause.BAD_CREDENTIALS, Cause.UNKNOWN}:
        # The reply speaks of user name and password, as servers do whatever was presented.
        error.cause = Cause.TOKEN_REFUSED
        error.advice = meaning_of(Cause.TOKEN_REFUSED).advice
    elif error.cause is Cause.BAD_CREDENTIALS and proof.secret is None:
        error.advice = (
            "See that the server knows the profile's client certificate, and lets it act as that "
            "user name, if one is given"
        )
    elif error.cause is Cause.BAD_CREDENTIALS and chosen.name not in {"PLAIN", "LOGIN"}:
        error.advice = (
            f"{error.advice}. If they are right, the server may keep the password in a form that "
            f"{chosen.name} cannot check; the profile's mechanisms=('PLAIN',) sends it as it is"
        )
    return error


def _require_a_safe_path(wire: Wire, profile: SmtpProfile) -> None:
    if wire.is_encrypted:
        return
    if not (profile.allow_plaintext_credentials and wire.peer_is_loopback):
        # localhost may resolve to anything; the connection itself is what counts.
        raise ConfigurationError(
            f"the name {wire.endpoint.host} led to another machine, and credentials are never "
            "sent there without encryption",
            stage=Stage.AUTH,
            endpoint=str(wire.endpoint),
            advice="Use Security.IMPLICIT_TLS or Security.STARTTLS",
        )


class _Dialogue:
    """One AUTH command with its challenges (RFC 4954 §4). One mechanism, one attempt."""

    def __init__(
        self,
        exchange: Exchange,
        mechanism: SaslMechanism,
        claim: Claim,
        scrubber: Scrubber,
    ) -> None:
        self._exchange = exchange
        self._wire = exchange.wire
        self._name = mechanism.name
        self._scrubber = scrubber
        self.steps = self._asked(lambda: mechanism.start(claim))
        self._late: Hidden[str] | None = None

    def run(self, deadline: Deadline) -> Reply:
        """The final reply: anything but a challenge.

        Raises:
            ProtocolViolation: The server asked for more than the mechanism has to say, or for
                something else.
            SessionError: The session ended.
        """
        command = f"AUTH {self._name}"
        self._send(command, self._initial_response(len(command)), deadline)
        for _ in range(_MAX_CHALLENGES):
            reply = self._exchange.reply(deadline)
            if reply.code != 334:
                return reply
            challenge = Hidden(reply.text.strip())  # in which a server may quote what it got
            del reply
            response = self._respond(challenge)
            if response is None:
                break
            self._send("", response, deadline)
        raise self._violation("the server asked for more than the mechanism has to say")

    def _initial_response(self, used: int) -> Hidden[str] | None:
        initial = self._ask(self.steps.initial_response)
        if initial is None:
            return None
        encoded = Hidden(base64.b64encode(initial).decode() or "=")
        # Too long for a command line, it waits for the challenge instead (RFC 4954 §4).
        if used + 1 + len(encoded.value) + 2 > _MAX_COMMAND_OCTETS:
            self._late = encoded
            return None
        return encoded

    def _respond(self, encoded: Hidden[str]) -> Hidden[str] | None:
        late, self._late = self._late, None
        if late is not None:
            return late
        try:
            challenge = Hidden(base64.b64decode(encoded.value, validate=True))
        except (binascii.Error, ValueError) as error:
            raise self._violation("the server's challenge is not base64") from error
        response = self._ask(lambda: self.steps.respond(challenge.value))
        return None if response is None else Hidden(base64.b64encode(response).decode())

    def _ask(self, step: Callable[[], bytes | None]) -> bytes | None:
        """What the mechanism says."""
        said = Hidden(self._asked(step))
        if not isinstance(said.value, bytes | None):
            raise self._unusable(f"said {type(said.value).__name__}, and not bytes")
        return said.value

    def _asked(self, step: Callable[[], _T]) -> _T:
        """Run code of the mechanism, which may be one of the user's own."""
        try:
            return step()
        except SaslError as error:
            problem, cause = str(error), error.cause
        except MailsendError:
            raise
        except Exception as error:
            raise self._unusable(f"raised {type(error).__name__}") from error
        # Not as the cause: the frames it came from hold what the server said.
        raise self._violation(f"{self._name} cannot go on: {problem}", cause)

    def _unusable(self, what: str) -> ConfigurationError:
        return self._wire.witness.error(
            ConfigurationError,
            f"the SASL mechanism {self._name} {what}",
            Stage.AUTH,
            cause=Cause.BAD_CONFIGURATION,
            advice="Mend the mechanism that the profile brings along",
        )

    def _send(self, command: str, response: Hidden[str] | None, deadline: Deadline) -> None:
        self._exchange.require_silence(Stage.AUTH)
        self._wire.transcript.sent_secret(
            command if response is None else f"{command} <secret>".strip()
        )
        words = [word for word in (command, response.value if response else "") if word]
        if response is not None:
            self._scrubber.add(response)
        # A memoryview, because it does not show its octets in a traceback either.
        line = Hidden(" ".join(words))
        del words
        self._wire.write(memoryview(f"{line.value}\r\n".encode()), deadline)

    def _violation(self, what: str, cause: Cause = Cause.OUT_OF_STEP) -> ProtocolViolation:
        return self._wire.witness.error(ProtocolViolation, what, Stage.AUTH, cause=cause)
