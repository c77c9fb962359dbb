"""AUTH: one mechanism, one attempt, and only where nobody can listen (RFC 4954)."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from mailsend.capabilities import Capabilities
from mailsend.cause import Cause
from mailsend.errors import AuthenticationError, ConfigurationError, ProtocolViolation
from mailsend.profile import SmtpProfile
from mailsend.reply import Reply
from mailsend.sasl import PASSWORD_MECHANISMS, Mechanism, choose
from mailsend.scrub import Scrubber
from mailsend.secret import Hidden
from mailsend.smtp.exchange import Exchange
from mailsend.smtp.wire import Wire
from mailsend.stage import Stage
from mailsend.timeouts import Deadline

_MAX_COMMAND_OCTETS: Final = 512  # RFC 5321 §4.5.3.1.4
_MAX_CHALLENGES: Final = 4  # LOGIN has two


def authenticate(
    exchange: Exchange, profile: SmtpProfile, capabilities: Capabilities, secret: Hidden[str]
) -> None:
    """Present the profile's credentials once.

    Raises:
        ConfigurationError: The connection is not one to send a secret over. None was sent.
        AuthenticationError: The server offers no mechanism that fits, or refused.
        SessionError: The session ended.
    """
    wire, username = exchange.wire, profile.username or ""
    _require_a_safe_path(wire, profile)
    offered = capabilities.auth_mechanisms
    name = choose(offered, profile.mechanisms)
    if name is None:
        # What was taken for the answer to EHLO may have been something else.
        exchange.require_silence(Stage.AUTH)
        ours = ", ".join(profile.mechanisms or PASSWORD_MECHANISMS)
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
    scrubber = wire.scrubber or Scrubber(username, secret)
    scrubber.begin()
    mechanism = PASSWORD_MECHANISMS[name](username, secret.value)
    reply = _AuthExchange(exchange, mechanism).run(exchange.watch.deadline(Stage.AUTH))
    scrubber.end()
    if reply.code >= 400:
        what = f"the server refused to authenticate {profile.shown_username} by {name}"
        raise wire.witness.refusal(AuthenticationError, what, Stage.AUTH, reply)
    if reply.code != 235:
        raise exchange.nonsense(Stage.AUTH, reply)


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


class _AuthExchange:
    """One AUTH command with its challenges (RFC 4954 §4). One mechanism, one attempt."""

    def __init__(self, exchange: Exchange, mechanism: Mechanism) -> None:
        self._exchange = exchange
        self._wire = exchange.wire
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
            reply = self._exchange.reply(deadline)
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

    def _violation(self, what: str) -> ProtocolViolation:
        return self._wire.witness.error(
            ProtocolViolation, what, Stage.AUTH, cause=Cause.OUT_OF_STEP
        )
