"""Compares what a client said with what the server has: the server's journal decides."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from attrs import asdict, field, frozen

from benchmarks.reliability.clients import Said, Verdict
from benchmarks.reliability.scenario import Course, Scenario
from mailsend.testing import SmtpServer

MARGIN: Final = 1.0
"""Seconds beyond the budgets that are allowed for what is no waiting."""

_BUDGETS: Final = 3  # for the stage that goes wrong, and to say RSET and QUIT


def limit(scenario: Scenario, budget: float) -> float:
    """Seconds that a scenario may take, from connecting to closing.

    One stage of it goes wrong. A client may use its budget up there, and again at each of the two
    commands with which it may clean up.
    """
    return (_BUDGETS * budget + MARGIN) * len(scenario.messages)


@frozen(kw_only=True)
class Judgement:
    """What was wrong with a verdict. Nothing, if every count is 0.

    Attributes:
        wrong_ok: recipients said to be accepted, for whom the server has no message.
        wrong_failed: recipients said to be lost, for whom the server has the message.
        hidden: recipients of `wrong_ok` to whom the server had said no.
        twice: recipients for whom the server has the message more than once.
        undelivered: recipients not delivered to although all their replies were favourable.
        doubted: recipients called uncertain although the server had answered legibly, or had not
            got the whole content.
        foreign: exceptions that are not of the library's own family.
        afterthoughts: exceptions after the sending call had returned its result.
        over_budget: 1 if it took longer than :func:`limit`, or never came back.
        exposed: 1 if the password was sent to a peer that was not proven, or in the clear.
        attempts: attempts to log in, beyond one for each connection.
    """

    wrong_ok: int = 0
    wrong_failed: int = 0
    hidden: int = 0
    twice: int = 0
    undelivered: int = 0
    doubted: int = 0
    foreign: int = 0
    afterthoughts: int = 0
    over_budget: int = 0
    exposed: int = 0
    attempts: int = 0

    @property
    def counts(self) -> dict[str, int]:
        return asdict(self)

    @property
    def faults(self) -> tuple[str, ...]:
        """Names of the counts that are not 0."""
        return tuple(name for name, count in self.counts.items() if count)


_WORDS: Final = {
    Said.ACCEPTED: "accepted",
    Said.UNCERTAIN: "uncertain",
    Said.REFUSED: "lost",
    Said.NOT_SENT: "lost",
    Said.FAILED: "lost",
}


@frozen(kw_only=True)
class Result:
    """One client in one scenario.

    Attributes:
        scenario: its identifier.
        client: its name.
        said: by recipient.
        taken: how many messages the server has, by recipient.
        raised: class names of the exceptions, in order.
        seconds: how long it took.
        judgement: what was wrong.
    """

    scenario: str
    client: str
    said: dict[str, str]
    taken: dict[str, int]
    raised: tuple[str, ...]
    seconds: float
    judgement: Judgement = field(factory=Judgement)

    @property
    def summary(self) -> str:
        """What was said of the recipients, in a word."""
        words = {_WORDS[Said(said)] for said in self.said.values()}
        return words.pop() if len(words) == 1 else "partly"


def taken(server: SmtpServer, scenario: Scenario) -> dict[str, int]:
    """How many messages the server has taken, by recipient."""
    recipients = [r for message in server.messages for r in message.recipients]
    return {recipient: recipients.count(recipient) for recipient in scenario.recipients}


def judge(
    scenario: Scenario,
    verdict: Verdict,
    server: SmtpServer,
    *,
    family: type[Exception],
    seconds: float,
    budget: float,
) -> Judgement:
    """Judge a verdict.

    Args:
        scenario: what was played.
        verdict: what the client said. A recipient of whom it said nothing counts as lost.
        server: has played it, and sees nothing of the client any more.
        family: of the client's own exceptions.
        seconds: how long it took.
        budget: what the client was given for each stage.
    """
    has = taken(server, scenario)
    said = {r: verdict.said.get(r, Said.FAILED) for r in scenario.recipients}
    wrong_ok = [r for r in said if said[r] is Said.ACCEPTED and not has[r]]
    delivers = scenario.course is Course.DELIVERS
    return Judgement(
        wrong_ok=len(wrong_ok),
        wrong_failed=sum(_WORDS[said[r]] == "lost" and has[r] > 0 for r in said),
        hidden=sum(r in scenario.refused for r in wrong_ok),
        twice=sum(count > 1 for count in has.values()),
        undelivered=sum(delivers and not has[r] and r not in scenario.refused for r in said),
        doubted=sum(
            said[r] is Said.UNCERTAIN and scenario.course is not Course.UNKNOWABLE for r in said
        ),
        foreign=sum(not isinstance(error, family) for error in verdict.raised),
        afterthoughts=len(verdict.afterthoughts),
        over_budget=int(seconds > limit(scenario, budget)),
        exposed=int(not scenario.trusted and password_seen(server, scenario.secret)),
        attempts=max(0, _attempts(server) - server.connections),
    )


def _attempts(server: SmtpServer) -> int:
    return sum(command.upper().startswith(b"AUTH ") for command in server.commands)


def password_seen(server: SmtpServer, secret: str) -> bool:
    """Whether a client has written the password, as PLAIN and LOGIN encode it."""
    words = (word for octets in server.raw for word in octets.split())
    return any(secret.encode() in _decoded(word) for word in words)


def _decoded(word: bytes) -> bytes:
    try:
        return base64.b64decode(word, validate=True)
    except binascii.Error:
        return b""
