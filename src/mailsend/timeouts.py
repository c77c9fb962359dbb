"""How long each stage of a submission may take."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from attrs import Attribute, evolve, field, fields, frozen

from mailsend.errors import ConfigurationError
from mailsend.stage import Stage

MAX_SECONDS: Final = 1_000_000  # eleven days; the system's own limits are not far above


def _seconds(_: object, attribute: Attribute[float], value: object) -> None:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 < value <= MAX_SECONDS  # false for not-a-number too
    ):
        raise ConfigurationError(
            f"the timeout {attribute.name} has to be a number of seconds above 0 and up to "
            f"{MAX_SECONDS}, not {ascii(value)[:40]}"
        )


def _seconds_or_none(owner: object, attribute: Attribute[float | None], value: object) -> None:
    if value is not None:
        _seconds(owner, attribute, value)  # type: ignore[arg-type]  # only its name is read


@frozen(kw_only=True)
class Timeouts:
    """Seconds, each a budget for its whole stage however the server trickles its octets.

    Attributes:
        connect: resolving the name and connecting, over all addresses of the host.
        greeting: waiting for the server's first reply.
        tls: the handshake.
        auth: the whole AUTH exchange. Some servers wait seconds before they refuse.
        command: one reply to EHLO, STARTTLS, MAIL, RCPT or DATA.
        data: handing over the whole content. Raise it for large messages on slow lines.
        end_of_data: waiting for the reply to the content. Short values manufacture duplicates:
            RFC 5321 §4.5.3.2.6 asks for ten minutes.
        quit: one reply to QUIT or RSET, which are best effort.
        total: everything that one call of `open`, `send` or `send_raw` does, or None for no bound
            but the others.

    Raises:
        ConfigurationError: A value is not a number above 0 and up to 1,000,000.
    """

    connect: float = field(default=30.0, validator=_seconds)
    greeting: float = field(default=60.0, validator=_seconds)
    tls: float = field(default=30.0, validator=_seconds)
    auth: float = field(default=60.0, validator=_seconds)
    command: float = field(default=60.0, validator=_seconds)
    data: float = field(default=180.0, validator=_seconds)
    end_of_data: float = field(default=600.0, validator=_seconds)
    quit: float = field(default=2.0, validator=_seconds)
    total: float | None = field(default=None, validator=_seconds_or_none)

    @classmethod
    def uniform(cls, seconds: float, total: float | None = None) -> Timeouts:
        """The same budget for every stage but QUIT, which never gets more than its default."""
        names = [f.name for f in fields(cls) if f.name not in {"quit", "total"}]
        # A value that is no number is left to the fields' own check.
        goodbye = min(seconds, 2.0) if isinstance(seconds, int | float) else seconds
        return cls(**dict.fromkeys(names, seconds), quit=goodbye, total=total)

    def of(self, stage: Stage) -> float:
        """The budget of a stage in seconds. DATA means the content; the command is ``command``."""
        return _BUDGET[stage](self)


_BUDGET: dict[Stage, Callable[[Timeouts], float]] = {
    Stage.CONNECT: lambda t: t.connect,
    Stage.GREETING: lambda t: t.greeting,
    Stage.TLS: lambda t: t.tls,
    Stage.AUTH: lambda t: t.auth,
    Stage.EHLO: lambda t: t.command,
    Stage.STARTTLS: lambda t: t.command,
    Stage.MAIL: lambda t: t.command,
    Stage.RCPT: lambda t: t.command,
    Stage.DATA: lambda t: t.command,
    Stage.END_OF_DATA: lambda t: t.end_of_data,
    Stage.RSET: lambda t: t.quit,
    Stage.QUIT: lambda t: t.quit,
}


# What is spent before a session is authenticated, and so on several endpoints.
_SHARED: Final = ("connect", "greeting", "tls", "command")


class Deadline(NamedTuple):
    """An instant by which a stage has to be over.

    Attributes:
        stage: what is waited for.
        seconds: the budget it came from, for the error's words.
        at: the instant, on the monotonic clock of the :class:`Watch` that made it.
    """

    stage: Stage
    seconds: float
    at: float


class Watch:
    """Turns budgets into instants during one call.

    Args:
        timeouts: the budgets.
        clock: seconds that only go forward.
        end: when all of it has to be over; None for `total` from now.
    """

    def __init__(
        self,
        timeouts: Timeouts,
        clock: Callable[[], float] = time.monotonic,
        *,
        end: float | None = None,
    ) -> None:
        self.timeouts = timeouts
        self.clock = clock
        self._begun = clock()
        total = math.inf if timeouts.total is None else timeouts.total
        self._end = self._begun + total if end is None else end
        self.latest = Deadline(Stage.CONNECT, total, self._end)
        """The end of the stage that began last."""

    def deadline(self, stage: Stage, seconds: float | None = None) -> Deadline:
        """The end of a stage that begins now; never later than the end of the whole call."""
        budget = self.timeouts.of(stage) if seconds is None else seconds
        at = self.clock() + budget
        if at <= self._end or self.timeouts.total is None:
            self.latest = Deadline(stage, budget, at)
        else:
            self.latest = Deadline(stage, self.timeouts.total, self._end)
        return self.latest

    def share(self, parts: int, number: int) -> Watch:
        """A watch for one of several attempts to get a session, which share the budgets.

        Each gets at least its equal part of every stage's budget and of `total`; the time that the
        earlier ones did not need goes to the later ones. Together they never take more than one.

        Args:
            parts: how many attempts there may be.
            number: which this is, from 0.
        """
        if parts == 1:
            return self
        passed = self.clock() - self._begun
        budgets = {
            name: min(getattr(self.timeouts, name), self.timeouts.total or math.inf)
            for name in _SHARED
        }
        shares = {
            name: max(budget / parts, (budget - passed) / (parts - number))
            for name, budget in budgets.items()
        }
        left = self._end - self.clock()
        end = self.clock() + left / (parts - number)
        return Watch(evolve(self.timeouts, **shares), self.clock, end=end)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left of the whole call's budget."""
        return self.clock() >= self._end
