"""The server's side of one SMTP session (RFC 5321), but for the mail transaction."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from mailsend.endpoint import Security
from mailsend.testing.actions import Action, Normal
from mailsend.testing.authentication import authenticate, usable_mechanisms
from mailsend.testing.channel import Disconnected
from mailsend.testing.replies import Refused, Reply
from mailsend.testing.responder import Finished, Responder, Stalled
from mailsend.testing.session import Session
from mailsend.testing.transaction import MailCommands

_LINE_LIMIT: Final = 12288  # octets; the longest line there is, that of AUTH (RFC 4954 §4)
_MAY_BE_FOLLOWED: Final = frozenset({b"RSET", b"MAIL", b"RCPT"})  # RFC 2920 §3.1
_CLIENT_NAME: Final = re.compile(rb"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[!-Z^-~]+\]")


class Dialogue:
    """One session, from accepting the connection to its end."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder
        self._channel = responder.channel
        self._rejected = False
        self._wake = asyncio.Event()
        self._interruptions: deque[tuple[tuple[Action, ...], asyncio.Future[None]]] = deque()
        mail = MailCommands(responder)
        self._commands: dict[bytes, Callable[[bytes], Awaitable[None]]] = {
            b"EHLO": self._hello,
            b"HELO": self._hello,
            b"STARTTLS": self._starttls,
            b"AUTH": self._auth,
            b"MAIL": mail.mail,
            b"RCPT": mail.rcpt,
            b"DATA": mail.data,
            b"BDAT": mail.bdat,
            b"RSET": self._rset,
            b"NOOP": self._noop,
            b"QUIT": self._quit,
        }

    async def run(self) -> None:
        """Return when the connection has ended."""
        try:
            await self._open()
            while True:
                await self._channel.wait_for_input(self._wake)
                self._wake.clear()
                while self._interruptions:
                    await self._interrupt(*self._interruptions.popleft())
                if self._channel.has_input or self._channel.ended:
                    await self._command()
        except Disconnected:
            return
        except Finished:
            await self._channel.discard_all()
        except Stalled:
            await asyncio.Event().wait()
        finally:
            for _, done in self._interruptions:
                done.cancel()

    async def interrupt(self, actions: tuple[Action, ...]) -> None:
        """Have actions done between two commands; return when they are."""
        done = asyncio.get_running_loop().create_future()
        self._interruptions.append((actions, done))
        self._wake.set()
        await done

    async def _interrupt(self, actions: tuple[Action, ...], done: asyncio.Future[None]) -> None:
        if done.cancelled():
            return
        try:
            await self._responder.act(actions, _nothing)
        finally:
            if not done.done():
                done.set_result(None)

    @property
    def _session(self) -> Session:
        return self._responder.session

    # The start

    async def _open(self) -> None:
        if rule := self._responder.take("CONNECT"):
            await self._responder.act(rule.actions, _nothing)
        if self._responder.settings.security is Security.IMPLICIT_TLS:
            await self._handshake()
        if self._channel.has_input:
            await self._responder.out_of_step("octets before the greeting (RFC 5321 §4.3.1)")
        greeting = Reply(220, "", "localhost ESMTP mailsend.testing")
        turn = self._responder.turn("GREETING", greeting)
        self._rejected = turn.code >= 400
        await self._responder.answer(turn)

    async def _handshake(self) -> None:
        await self._channel.wait_for_client_hello()
        rule = self._responder.take("TLS")
        actions = rule.actions if rule else (Normal(),)
        await self._responder.act(actions, self._start_tls)
        if not any(isinstance(action, Normal) for action in actions):
            await self._responder.end()  # it can go on neither in the clear nor under TLS
        self._responder.session = Session()  # RFC 3207 §4.2

    async def _start_tls(self) -> None:
        await self._channel.start_tls(self._responder.tls_context())

    # Commands

    async def _command(self) -> None:
        raw = await self._channel.read_until(b"\n", _LINE_LIMIT)
        if raw is None:
            await self._responder.out_of_step(f"a line of more than {_LINE_LIMIT} octets")
        line = raw.removesuffix(b"\n").removesuffix(b"\r")
        self._responder.journal.commanded(line)
        verb = line.split(b" ", 1)[0].upper()
        # What is behind BDAT is its chunk.
        alone = verb != b"BDAT" and not (self._session.pipelining and verb in _MAY_BE_FOLLOWED)
        if alone and self._channel.has_input:
            text = f"{line!r} was followed before its reply was sent (RFC 2920 §3.1)"
            await self._responder.out_of_step(text)
        if not raw.endswith(b"\r\n") or b"\r" in line or b"\0" in line:
            self._responder.violated(f"{raw!r} has a CR or LF alone, or a NUL")
            await self._responder.reply(Reply(500, "5.5.2", "CR, LF and NUL: only CRLF at the end"))
        elif self._rejected and verb != b"QUIT":
            await self._responder.reply(Reply(503, "5.5.1", "No service here"))  # RFC 5321 §3.1
        else:
            await self._commands.get(verb, self._other)(line)

    async def _other(self, line: bytes) -> None:
        replies = {
            b"VRFY": Reply(252, "2.5.0", "Cannot verify, will take mail"),  # RFC 5321 §3.5.3
            b"EXPN": Reply(502, "5.5.1", "Command not implemented"),
            b"HELP": Reply(214, "2.0.0", "See RFC 5321"),
        }
        unknown = Reply(500, "5.5.2", "Command not recognized")
        reply = replies.get(line.split(b" ", 1)[0].upper(), unknown)
        await self._responder.answer(self._responder.turn("*", reply, line))

    async def _hello(self, line: bytes) -> None:
        verb, _, name = line.partition(b" ")
        extended = verb.upper() == b"EHLO"

        def judge() -> Reply:
            if _CLIENT_NAME.fullmatch(name) is None:
                raise Refused(501, "", "Name a domain or an address literal")
            extensions = self._extensions() if extended else ()
            return Reply(250, "", "\n".join((f"localhost greets {name.decode()}", *extensions)))

        turn = self._responder.turn("EHLO" if extended else "HELO", judge, line)
        if turn.accepts:
            session = self._session
            session.client_name = name.decode(errors="replace")
            session.extended = extended
            session.offered = _keywords(turn.sent) if extended else {}
            session.transaction = None  # RFC 5321 §4.1.4
        await self._responder.answer(turn)

    def _extensions(self) -> tuple[str, ...]:
        settings, under_tls = self._responder.settings, self._channel.tls_version is not None
        offered = list(settings.extensions)
        if settings.security is Security.STARTTLS and not under_tls:
            offered.append("STARTTLS")
        if settings.authenticates and (under_tls or settings.auth_without_tls):
            mechanisms = usable_mechanisms(settings.mechanisms, self._channel.certificate_names)
            offered.append(" ".join(("AUTH", *mechanisms)))
        return tuple(offered)

    async def _starttls(self, line: bytes) -> None:
        def judge() -> Reply:
            _check_alone(line)
            if not self._session.client_name:
                raise Refused(503, "5.5.1", "Send EHLO first")
            if self._channel.tls_version is not None:
                raise Refused(503, "5.5.1", "TLS is active")
            if "STARTTLS" not in self._session.offered:
                raise Refused(502, "5.5.1", "STARTTLS is not offered")
            return Reply(220, "2.0.0", "Ready to start TLS")

        turn = self._responder.turn("STARTTLS", judge, line)
        await self._responder.answer(turn)
        if turn.code == 220:
            await self._handshake()

    async def _auth(self, line: bytes) -> None:
        await authenticate(self._responder, line)

    async def _rset(self, line: bytes) -> None:
        def judge() -> Reply:
            _check_alone(line)
            return Reply(250, "2.0.0", "Ok")

        turn = self._responder.turn("RSET", judge, line)
        if turn.accepts:
            self._session.transaction = None
        await self._responder.answer(turn)

    async def _noop(self, line: bytes) -> None:
        turn = self._responder.turn("NOOP", Reply(250, "2.0.0", "Ok"), line)
        await self._responder.answer(turn)

    async def _quit(self, line: bytes) -> None:
        def judge() -> Reply:
            _check_alone(line)
            return Reply(221, "2.0.0", "Bye")

        turn = self._responder.turn("QUIT", judge, line)
        await self._responder.answer(turn)
        if turn.accepts:
            await self._responder.end()


async def _nothing() -> None:
    """Normal, where nothing is normally answered."""


def _check_alone(line: bytes) -> None:
    if b" " in line:
        raise Refused(501, "5.5.4", "No argument allowed")


def _keywords(reply: bytes) -> dict[str, str]:
    """Keyword in upper case to parameters, of an EHLO reply."""
    lines = (line[4:].decode(errors="replace").partition(" ") for line in reply.splitlines()[1:])
    return {keyword.upper(): parameters for keyword, _, parameters in lines}
