"""Plays scenarios, each with a server of its own, in bounded time."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from attrs import define, field

from benchmarks.reliability.clients import Client, Verdict
from benchmarks.reliability.judge import Result, judge, limit, taken
from benchmarks.reliability.scenario import Scenario
from mailsend.testing import SmtpServer

BUDGET: Final = 1.0
"""Seconds that every client gets for each stage."""

_PATIENCE: Final = 10.0  # seconds beyond the limit until the client's server is stopped
_AT_ONCE: Final = 12  # scenarios that only wait


@define
class _Run:
    """A client's call, in a thread that can be given up."""

    client: Client
    server: SmtpServer
    scenario: Scenario
    budget: float
    verdict: Verdict = field(init=False)
    started: float = field(init=False, factory=time.monotonic)
    seconds: float | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self.verdict = Verdict(self.scenario)

    def call(self) -> None:
        try:
            self.verdict = self.client.submit(self.server, self.scenario, self.budget)
        except Exception as error:  # noqa: BLE001 - a client's mistake is a result
            self.verdict.raised.append(error)
        self.seconds = time.monotonic() - self.started


def play(client: Client, scenario: Scenario, budget: float = BUDGET) -> Result:
    """Play one scenario with one client.

    Args:
        client: who submits.
        scenario: what.
        budget: seconds the client gets for each stage.
    """
    server = scenario.make_server()
    server.start()
    try:
        if not scenario.listening:
            server.stop()
        run = _Run(client, server, scenario, budget)
        thread = threading.Thread(target=run.call, name=scenario.id, daemon=True)
        thread.start()
        thread.join(limit(scenario, budget) + _PATIENCE)
        if thread.is_alive():
            server.stop()  # a closed connection brings back whoever waits for octets
            thread.join(_PATIENCE)
        seconds = run.seconds if run.seconds is not None else time.monotonic() - run.started
        with contextlib.suppress(TimeoutError):  # a server that stops reading sees no end
            server.wait_closed(timeout=0.5)
    finally:
        server.stop()
    judgement = judge(
        scenario,
        run.verdict,
        server,
        family=client.family,
        seconds=seconds,
        budget=budget,
    )
    return Result(
        scenario=scenario.id,
        client=client.name,
        said={recipient: said.value for recipient, said in run.verdict.said.items()},
        taken=taken(server, scenario),
        raised=tuple(type(error).__name__ for error in run.verdict.raised),
        seconds=round(seconds, 3),
        judgement=judgement,
    )


def play_all(client: Client, scenarios: Iterable[Scenario]) -> Iterator[Result]:
    """Play those of the scenarios that concern the client, as they come to an end.

    Those in which nothing but time goes by are played beside each other, the others alone.
    """
    concerned = [scenario for scenario in scenarios if client.plays(scenario)]
    for scenario in concerned:
        if not scenario.only_waits:
            yield play(client, scenario)
    waiting = [scenario for scenario in concerned if scenario.only_waits]
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="scenario") as pool:
        yield from pool.map(lambda scenario: play(client, scenario), waiting)
