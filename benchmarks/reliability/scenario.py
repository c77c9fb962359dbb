"""What a scenario is: a server that goes wrong in one way, and what can be known of the outcome."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from attrs import field, frozen

from mailsend import Security
from mailsend.testing import (
    DEFAULT_EXTENSIONS,
    Action,
    Drip,
    Flood,
    Hang,
    SmtpServer,
    Stage,
    StopReading,
)

USER: Final = "ada@example.org"
SECRET: Final = "correct-horse-battery"
SENDER: Final = "ada@example.org"
BOB: Final = "bob@example.org"
EVE: Final = "eve@example.org"
CAROL: Final = "carol@example.org"
EVERYBODY: Final = (BOB, EVE)

PLAINTEXT: Final = Security.INSECURE_PLAINTEXT
STARTTLS: Final = Security.STARTTLS
IMPLICIT_TLS: Final = Security.IMPLICIT_TLS

_SMALL: Final = b"Subject: Reliability\r\n\r\n" + b".A line of the body.\r\n" * 200
_LINE: Final = b"x" * 998 + b"\r\n"


class Course(StrEnum):
    """How the conversation goes, as the script has it.

    ``DELIVERS``: everything a message needs is answered favourably and legibly, whatever happens
    beside or after it. A client that does not deliver fails without need.

    ``BREAKS``: a command is refused, or answered in a way that a client need not put up with. What
    it makes of that is its business; the server's journal tells what came of it.

    ``UNKNOWABLE``: the whole content arrives, or may have, and no legible reply to it comes. The
    server may have the message, and no client can know.
    """

    DELIVERS = "delivers"
    BREAKS = "breaks"
    UNKNOWABLE = "unknowable"


@frozen(kw_only=True)
class Message:
    """One submission.

    Attributes:
        recipients: of the envelope, in order.
        lines: of 1,000 octets each, that the content has more than its few small ones.
    """

    recipients: tuple[str, ...] = EVERYBODY
    lines: int = 0

    @property
    def content(self) -> bytes:
        return _SMALL + _LINE * self.lines


@frozen(init=False)
class Do:
    """One rule of the script; the arguments are those of :meth:`SmtpServer.on`."""

    stage: Stage
    actions: tuple[Action, ...]
    options: Mapping[str, Any]

    def __init__(self, stage: Stage, *actions: Action, **options: Any) -> None:
        self.__attrs_init__(stage, actions, MappingProxyType(options))


@frozen(kw_only=True)
class Scenario:
    """A server, a script for it, and what is submitted to it.

    Attributes:
        id: ``where:what``, unique.
        what: half a sentence.
        course: what can be known of the outcome.
        script: what the server does instead of its normal answers.
        security: how the client is told to connect.
        server: arguments of :class:`SmtpServer`, where they are not the usual ones.
        messages: what is submitted, over one session as far as that lives.
        idle: what happens on the connection between two messages.
        refused: recipients the server says no to, at RCPT or to all of them at another command.
        login: whether the client has credentials.
        secret: the client's password; the server knows :data:`SECRET`.
        trusted: whether the peer may be given the password: it is the one that was asked for, and
            the connection is encrypted or the client was told to do without.
        listening: whether anything listens on the port.
    """

    id: str
    what: str
    course: Course
    script: tuple[Do, ...] = ()
    security: Security = PLAINTEXT
    server: Mapping[str, Any] = field(factory=dict)
    messages: tuple[Message, ...] = (Message(),)
    idle: tuple[Action, ...] = ()
    refused: frozenset[str] = frozenset()
    login: bool = True
    secret: str = SECRET
    trusted: bool = True
    listening: bool = True

    def make_server(self) -> SmtpServer:
        """A new server that follows the script, not yet started."""
        settings: dict[str, Any] = {
            "security": self.security,
            "users": {USER: SECRET},
            "mechanisms": ("PLAIN", "LOGIN"),
            "extensions": DEFAULT_EXTENSIONS,
            "auth_without_tls": self.security is PLAINTEXT,
        }
        server = SmtpServer(**{**settings, **self.server})
        for do in self.script:
            server.on(do.stage, *do.actions, **do.options)
        return server

    def be_idle(self, server: SmtpServer) -> None:
        """Do what happens between two messages. Nothing, if the client has left."""
        if self.idle:
            with contextlib.suppress(LookupError):
                server.interrupt(*self.idle)

    @property
    def recipients(self) -> tuple[str, ...]:
        """All recipients of all messages; nobody gets two of them."""
        return tuple(dict.fromkeys(r for m in self.messages for r in m.recipients))

    @property
    def _actions(self) -> tuple[Action, ...]:
        return tuple(action for do in self.script for action in do.actions)

    @property
    def only_waits(self) -> bool:
        """Whether time goes by in it rather than work is done: several fit beside each other."""
        return not self.heavy and any(isinstance(a, Hang | Drip) for a in self._actions)

    @property
    def heavy(self) -> bool:
        """Whether it moves megabytes, so that it is better alone."""
        large = any(message.lines for message in self.messages)
        return large or any(isinstance(a, Flood | StopReading) for a in self._actions)
