"""Answers of the script or of the protocol, and how they reach the client."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import NoReturn

from attrs import frozen

from mailsend.testing.actions import (
    Action,
    Answer,
    Close,
    Drip,
    Flood,
    Garbage,
    Hang,
    Normal,
    PartialHandshake,
    Reset,
    Rule,
    Script,
    Stage,
    StopReading,
    reply_code,
)
from mailsend.testing.channel import Channel, Disconnected
from mailsend.testing.journal import Journal
from mailsend.testing.replies import Refused, Reply
from mailsend.testing.session import Session
from mailsend.testing.settings import Settings


class Finished(Exception):
    """Nothing more is said; what the client sends is read until it leaves."""


class Stalled(Exception):
    """Nothing more is said or read until the server stops."""


@frozen
class Turn:
    """What is going to be answered, known before it is: effects come first, then the reply.

    So whoever has read the reply finds its effect in the journal.

    Attributes:
        code: the code of the answer, 0 if the script sends none.
        normal: what the protocol answers.
        sent: the answer as far as it tells the client something.
        actions: what is done.
        rule: where the script has it from; None without a script.
    """

    code: int
    normal: Reply
    sent: bytes
    actions: tuple[Action, ...]
    rule: Rule | None

    @property
    def accepts(self) -> bool:
        return self.code // 100 == 2


class Responder:
    """Decides between script and protocol, and sends."""

    def __init__(
        self, settings: Settings, script: Script, journal: Journal, channel: Channel, index: int
    ) -> None:
        self.settings = settings
        self.journal = journal
        self.channel = channel
        self.index = index
        self.session = Session()
        self._script = script

    def turn(
        self, stage: Stage, judge: Reply | Callable[[], Reply], line: bytes | None = None
    ) -> Turn:
        """Look up what to answer.

        Args:
            stage: where the dialogue is.
            judge: the normal answer, or what gives it or raises Refused.
            line: the command, for rules that match it; None if there is none.
        """
        return self.plan(self.take(stage, line), judge)

    def take(self, stage: Stage, octets: bytes | None = None) -> Rule | None:
        """The rule for this occurrence of a stage, or None."""
        is_command = octets is not None and stage not in ("AUTH_RESPONSE", "END_OF_DATA")
        return self._script.take(stage, octets or b"", is_command=is_command)

    def plan(self, rule: Rule | None, judge: Reply | Callable[[], Reply]) -> Turn:
        try:
            normal = judge if isinstance(judge, Reply) else judge()
        except Refused as refusal:
            normal = refusal.reply
        actions = rule.actions if rule else (Normal(),)
        said = (a.data for a in actions if isinstance(a, Answer | Drip))
        sent = next(said, self._encode(normal))
        return Turn(reply_code(actions, normal.code), normal, sent, actions, rule)

    async def answer(self, turn: Turn) -> None:
        """Do what was planned."""
        await self.act(turn.actions, lambda: self.reply(turn.normal))

    async def reply(self, reply: Reply) -> None:
        await self._deliver(self._encode(reply))

    def violated(self, text: str) -> None:
        """Record what the client did wrong."""
        self.journal.violated(f"connection {self.index}: {text}")

    async def out_of_step(self, text: str) -> NoReturn:
        """Record it, and end a dialogue in which replies no longer belong to commands."""
        self.violated(text)
        await self.reply(Reply(554, "5.5.0", "Synchronization error"))
        await self.end()

    async def end(self, *, close_notify: bool = True) -> NoReturn:
        """End the server's side of the connection."""
        await self.channel.shut_down(close_notify=close_notify)
        raise Finished

    def tls_context(self) -> ssl.SSLContext:
        if self.settings.tls is None:
            raise RuntimeError("A plaintext server has no certificate")
        return self.settings.tls

    async def act(self, actions: tuple[Action, ...], normal: Callable[[], Awaitable[None]]) -> None:
        """Do one action after the other.

        Args:
            actions: what to do.
            normal: what Normal stands for.

        Raises:
            Disconnected, Finished, Stalled: The dialogue is over.
        """
        for action in actions:
            match action:
                case Normal():
                    await normal()
                case Close() | Reset() | Hang() | StopReading():
                    await self._leave(action)
                case _:
                    await self._send(action)

    async def _send(self, action: Answer | Drip | Flood | Garbage | PartialHandshake) -> None:
        match action:
            case Answer(data):
                await self._deliver(data)
            case Drip(data, interval):
                await self._drip(data, interval)
            case Flood(data, limit):
                await self._flood(data, limit)
            case Garbage(data):
                await self.channel.write(data)
            case PartialHandshake(octets):
                await self.channel.start_partial_tls(self.tls_context(), octets)

    async def _leave(self, action: Close | Reset | Hang | StopReading) -> NoReturn:
        match action:
            case Close(close_notify):
                await self.end(close_notify=close_notify)
            case Reset():
                self.channel.abort()
                raise Disconnected
            case Hang():
                raise Finished
            case StopReading():
                self.channel.stop_reading()
                raise Stalled

    def _encode(self, reply: Reply) -> bytes:
        # RFC 2034 §4: classes 2, 4 and 5 only. A server may leave the codes out, and does here to
        # clients it has not offered them to.
        return reply.encode(enhanced="ENHANCEDSTATUSCODES" in self.session.offered)

    async def _deliver(self, reply: bytes) -> None:
        await self.channel.deliver(reply, self.settings.delivery)

    async def _drip(self, data: bytes, interval: float) -> None:
        for i in range(len(data)):
            if i:
                await asyncio.sleep(interval)
            await self.channel.write(data[i : i + 1])

    async def _flood(self, data: bytes, limit: int) -> None:
        batch = data * max(1, 16384 // len(data))
        left = limit
        while left > 0:
            await self.channel.write(batch[:left])
            left -= len(batch)
            await asyncio.sleep(0)  # a client that reads fast must not keep the loop to itself
