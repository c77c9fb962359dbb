"""The AUTH command (RFC 4954)."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Final

from mailsend.testing import sasl
from mailsend.testing.journal import Authentication
from mailsend.testing.mechanisms import MECHANISMS
from mailsend.testing.replies import Refused, Reply
from mailsend.testing.responder import Responder, Turn

_LINE_LIMIT: Final = 12288  # octets, RFC 4954 §4


class _Exchange:
    """One SASL exchange. `user` is the name once it has succeeded."""

    def __init__(self, steps: sasl.Exchange) -> None:
        self._steps = steps
        self.user: str | None = None

    def advance(self, response: bytes | None) -> Reply:
        """Take a response, None to begin; what is answered."""
        try:
            challenge = next(self._steps) if response is None else self._steps.send(response)
        except StopIteration as end:
            self.user = end.value
            if self.user is None:
                return Reply(535, "5.7.8", "Authentication credentials invalid")
            return Reply(235, "2.7.0", "Authentication successful")
        except sasl.MalformedResponse as error:
            raise Refused(501, "5.5.2", str(error)) from error
        return Reply(334, "", base64.b64encode(challenge).decode())


def usable_mechanisms(
    mechanisms: Iterable[sasl.ServerMechanism], certificate_names: tuple[str, ...]
) -> tuple[str, ...]:
    """The names to offer to a client with this certificate."""
    return tuple(m.name for m in mechanisms if certificate_names or not m.needs_certificate)


async def authenticate(responder: Responder, line: bytes) -> None:
    """Serve one AUTH command to the end of its exchange."""
    exchange: _Exchange | None = None
    channel = responder.channel
    context = sasl.SaslContext(
        users=dict(responder.settings.users),
        certificate_names=channel.certificate_names,
        address=channel.address,
    )

    def begin() -> Reply:
        nonlocal exchange
        mechanism, initial = _arguments(responder, line)
        exchange = _Exchange(mechanism.start(context))
        challenge = exchange.advance(None)
        if initial is None:
            return challenge
        if not mechanism.client_first:
            raise Refused(501, "5.7.0", "In this mechanism the server speaks first")
        return exchange.advance(b"" if initial == b"=" else _decoded(initial))

    turn = responder.turn("AUTH", begin, line)
    try:
        while turn.code == 334:
            await responder.answer(turn)
            turn = _answer_to(responder, exchange, await _read_response(responder))
    finally:
        user = (exchange and exchange.user) or ""
        responder.journal.authenticated(
            Authentication(
                mechanism=b"".join(line.split(b" ")[1:2]).decode(errors="replace").upper(),
                user=user or context.claimed,
                reply_code=turn.code,
                tls=channel.tls_version,
                connection=responder.index,
            )
        )
    if turn.code == 235:
        responder.session.user = user  # empty where only the script lets the client in
    await responder.answer(turn)


def _answer_to(responder: Responder, exchange: _Exchange | None, response: bytes) -> Turn:
    def judge() -> Reply:
        if exchange is None:
            raise Refused(501, "5.5.4", "No exchange is going on")
        return exchange.advance(_decoded(response))

    return responder.plan(responder.take("AUTH_RESPONSE", response), judge)


async def _read_response(responder: Responder) -> bytes:
    raw = await responder.channel.read_until(b"\n", _LINE_LIMIT)
    if raw is None or not raw.endswith(b"\r\n") or responder.channel.has_input:
        await responder.out_of_step("not exactly one line in answer to a challenge")
    return raw.removesuffix(b"\r\n")


def _arguments(responder: Responder, line: bytes) -> tuple[sasl.ServerMechanism, bytes | None]:
    """The mechanism and the initial response.

    Raises:
        Refused: AUTH cannot be used now, or not so.
    """
    session, under_tls = responder.session, responder.channel.tls_version is not None
    if not session.client_name:
        raise Refused(503, "5.5.1", "Send EHLO first")
    if session.user is not None:
        raise Refused(503, "5.5.1", "Already authenticated")  # RFC 4954 §4
    if session.transaction is not None:
        raise Refused(503, "5.5.1", "Not during a mail transaction")
    if "AUTH" not in session.offered:
        if responder.settings.authenticates and not under_tls:
            raise Refused(538, "5.7.11", "Encryption required for authentication")
        raise Refused(502, "5.5.1", "AUTH is not offered")
    _, *arguments = line.split(b" ")
    if not 1 <= len(arguments) <= 2 or not all(arguments):
        raise Refused(501, "5.5.4", "Write AUTH MECHANISM [initial-response]")
    name = arguments[0].decode(errors="replace").upper()
    # A script may offer what the server was not told to.
    served = {**MECHANISMS, **{m.name: m for m in responder.settings.mechanisms}}
    if name not in session.offered["AUTH"].upper().split() or name not in served:
        raise Refused(504, "5.5.4", "Unrecognized authentication type")
    return served[name], arguments[1] if len(arguments) == 2 else None


def _decoded(response: bytes) -> bytes:
    """The octets of a response, which may be a cancellation (RFC 4954 §4)."""
    if response == b"*":
        raise Refused(501, "5.7.0", "Authentication cancelled")
    try:
        return sasl.decode(response)
    except sasl.MalformedResponse as error:
        raise Refused(501, "5.5.2", str(error)) from error
