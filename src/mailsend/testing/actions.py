"""What a scripted server does instead of its normal answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias, get_args

from attrs import Attribute, define, field, frozen
from attrs.validators import ge

Stage: TypeAlias = Literal[
    "CONNECT",
    "TLS",
    "GREETING",
    "EHLO",
    "HELO",
    "STARTTLS",
    "AUTH",
    "AUTH_RESPONSE",
    "MAIL",
    "RCPT",
    "DATA",
    "CONTENT",
    "END_OF_DATA",
    "BDAT",
    "RSET",
    "NOOP",
    "QUIT",
    "*",
]
"""Where a script takes effect. See :meth:`mailsend.testing.SmtpServer.on`."""

STAGES: Final[frozenset[str]] = frozenset(get_args(Stage))

_WITHOUT_OCTETS: Final = frozenset({"CONNECT", "TLS", "GREETING", "CONTENT"})


def _positive(_: object, attribute: Attribute[float], value: float) -> None:
    if not value > 0:
        raise ValueError(f"{attribute.name} has to be greater than 0, not {value!r}")


@frozen(init=False)
class Answer:
    r"""Send a reply.

    Its code has the effect it has from a real server: after a 250 to RCPT the recipient is
    accepted, after a 354 the content is read, after a 220 to STARTTLS the handshake follows, after
    a 334 to AUTH another line of the client. The code is that of the first complete reply in the
    octets, so that text added behind it is sent and changes nothing::

        Answer("451 4.3.0 Try later")
        Answer("250-2.1.0 One", "250 2.1.0 Two")
        Answer(b"220 Go ahead\r\n250 injected before TLS\r\n")

    Args:
        *parts: bytes are sent as they are; a str is one line, encoded in UTF-8 and ended by CRLF.
    """

    data: bytes

    def __init__(self, *parts: bytes | str) -> None:
        if not parts:
            raise ValueError("Answer has nothing to send")
        octets = (p if isinstance(p, bytes) else p.encode() + b"\r\n" for p in parts)
        object.__setattr__(self, "data", b"".join(octets))


@frozen
class Normal:
    """Do what the server would have done without a script; further actions follow it."""


@frozen
class Close:
    """End the server's side of the connection (TCP FIN). The last action of its list.

    What the client still sends is read, recorded and discarded until it closes too: a plain
    ``close`` with octets unread would make the system send RST instead.

    Attributes:
        close_notify: under TLS, whether the alert that announces the end (RFC 9846 §6.1) is sent
            first. Without it the client sees a truncated stream.
    """

    close_notify: bool = True


@frozen
class Reset:
    """Abort the connection (TCP RST, by a linger time of zero). The last action of its list.

    At CONNECT and GREETING the client may see it while it is still connecting.
    """


@frozen
class Hang:
    """Say nothing any more, but keep reading, until the client leaves or the server stops.

    The last action of its list.
    """


@frozen
class StopReading:
    """Say nothing and read nothing any more, until the server stops. The last of its list.

    The socket's receive buffer is made as small as the system allows. The client's own send
    buffer still takes what it takes: several MiB on Linux, so send more than that to block.
    The server cannot see such a client leave.
    """


@frozen
class Drip:
    """Send a reply octet by octet. Its code has the effect described at :class:`Answer`.

    Attributes:
        data: the octets.
        interval: seconds between two octets.
    """

    data: bytes
    interval: float = field(validator=_positive)


@frozen
class Flood:
    """Send the same octets again and again, such as a reply that never ends.

    Attributes:
        data: the octets to repeat.
        limit: total number of octets after which the next action follows.
    """

    data: bytes = b"250-and another line\r\n"
    limit: int = field(default=64 * 1024 * 1024, validator=ge(1))

    def __attrs_post_init__(self) -> None:
        if not self.data:
            raise ValueError("Flood has nothing to send")


@frozen
class Garbage:
    """Send octets that are no reply: the state of the dialogue does not change.

    Sent in one piece whatever the server's ``delivery``; at the stages CONNECT and TLS in the
    clear.
    """

    data: bytes = b"\x00\xff\xfe SSH-2.0-not_smtp \x80\x81\r\n"


@frozen
class PartialHandshake:
    """Only at the stage TLS: begin the handshake and send no more than the first octets of it.

    Attributes:
        octets: how many octets of the server's first flight are sent.
    """

    octets: int = field(default=60, validator=ge(1))


Action: TypeAlias = (
    Answer | Normal | Close | Reset | Hang | StopReading | Drip | Flood | Garbage | PartialHandshake
)

_FINAL: Final = (Close, Reset, Hang, StopReading)


def _check_kinds(actions: Iterable[object]) -> None:
    for action in actions:
        if not isinstance(action, Action):
            raise TypeError(f"{action!r} is no action; a reply is written Answer('550 No')")


@define
class Rule:
    """One registered script, with the count of what it has seen."""

    stage: Stage
    actions: tuple[Action, ...]
    match: bytes | None = None
    times: int | None = 1
    skip: int = 0
    after: int = 0
    store: bool | None = None
    _seen: int = field(default=0, init=False)
    _used: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        if self.stage not in STAGES:
            raise ValueError(f"There is no stage {self.stage!r}; the stages: {sorted(STAGES)}")
        _check_kinds(self.actions)
        if not self.actions:
            raise ValueError("A script needs at least one action; Normal() changes nothing")
        if any(isinstance(action, _FINAL) for action in self.actions[:-1]):
            raise ValueError("Close, Reset, Hang and StopReading end a list of actions")
        if self.stage != "TLS" and any(isinstance(a, PartialHandshake) for a in self.actions):
            raise ValueError("PartialHandshake belongs to the stage TLS")
        if self.match is not None and self.stage in _WITHOUT_OCTETS:
            raise ValueError(f"At {self.stage} there is nothing to match")
        if (self.times is not None and self.times < 1) or self.skip < 0 or self.after < 0:
            raise ValueError("times is at least 1 (or None); skip and after are at least 0")
        if self.after and self.stage != "CONTENT":
            raise ValueError("after belongs to the stage CONTENT")
        if self.store is not None and self.stage not in ("END_OF_DATA", "BDAT"):
            raise ValueError("store belongs to the stages END_OF_DATA and BDAT")

    def wants(self, stage: Stage, octets: bytes, *, is_command: bool) -> bool:
        """Count an occurrence; whether the rule is to act on it."""
        if self.stage != stage and not (self.stage == "*" and is_command):
            return False
        if self.match is not None and self.match.lower() not in octets.lower():
            return False
        self._seen += 1
        return self._seen > self.skip and (self.times is None or self._used < self.times)

    def use(self) -> Rule:
        """Count an action; the rule itself."""
        self._used += 1
        return self


class Script:
    """The registered rules, in order."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []

    def add(self, rule: Rule) -> None:
        self._rules.append(rule)

    def take(self, stage: Stage, octets: bytes = b"", *, is_command: bool = False) -> Rule | None:
        """The rule for this occurrence of a stage, or None for the normal answer.

        Args:
            stage: the stage.
            octets: what `match` looks at.
            is_command: whether they are a command line, which the stage ``*`` stands for too.
        """
        # A list: every rule counts the occurrence, also those behind the one that acts.
        wanting = [r for r in self._rules if r.wants(stage, octets, is_command=is_command)]
        return wanting[0].use() if wanting else None


def reply_code(actions: Iterable[Action], normal: int) -> int:
    """The code a list of actions answers with, 0 if it sends none.

    Args:
        actions: the list.
        normal: the code that :class:`Normal` stands for.
    """
    for action in actions:
        if isinstance(action, Normal):
            return normal
        if isinstance(action, Answer | Drip):
            return _code(action.data)
    return 0


def _code(data: bytes) -> int:
    # RFC 5321 §4.2.1: the last line of a reply has no hyphen behind its code.
    lines = data.splitlines() or [b""]
    last = next((line for line in lines if line[3:4] != b"-"), lines[0])
    return int(last[:3]) if last[:3].isdigit() else 0
