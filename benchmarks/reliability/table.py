"""The results as text, and as data."""

from __future__ import annotations

import datetime as dt
import os
import platform
import ssl
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from attrs import asdict

from benchmarks.reliability.clients import Client
from benchmarks.reliability.judge import Result
from benchmarks.reliability.scenario import Scenario

COUNTS: Final[dict[str, tuple[str, str]]] = {
    "wrong_ok": ("O", "mis-reported ok"),
    "wrong_failed": ("F", "mis-reported failed"),
    "hidden": ("H", "refusal hidden"),
    "twice": ("D", "delivered twice"),
    "undelivered": ("N", "not delivered, needlessly"),
    "doubted": ("?", "declared uncertain, needlessly"),
    "foreign": ("X", "foreign exception"),
    "afterthoughts": ("E", "exception after the result"),
    "over_budget": ("T", "over budget"),
    "exposed": ("P", "password to an unverified or unencrypted peer"),
    "attempts": ("A", "login attempts over one"),
}
"""Mark and words for each count of a judgement."""

_NAME: Final = 48  # columns, of a scenario
_CELL: Final = 20  # columns, of a client


def rows(scenarios: Iterable[Scenario], results: Mapping[str, Mapping[str, Result]]) -> list[str]:
    """A line for each scenario in which clients differ, or one of them did something wrong.

    Args:
        scenarios: in their order.
        results: by client and scenario.
    """
    lines = [f"{'scenario':<{_NAME}}{'server has':<12}" + "".join(f"{c:<{_CELL}}" for c in results)]
    for scenario in scenarios:
        of = [found.get(scenario.id) for found in results.values()]
        played = [result for result in of if result is not None]
        if len({r.summary for r in played}) > 1 or any(r.judgement.faults for r in played):
            lines.append(f"{scenario.id:<{_NAME}}{_has(played):<12}" + "".join(map(_cell, of)))
    return [line.rstrip() for line in lines]


def _has(results: Sequence[Result]) -> str:
    """What the servers have of it: the same thing, unless the client decided."""
    words = {_amount(result) for result in results}
    return words.pop() if len(words) == 1 else "depends"


def _amount(result: Result) -> str:
    counts = result.taken.values()
    return "all" if all(counts) else "some" if any(counts) else "nothing"


def _cell(result: Result | None) -> str:
    if result is None:
        return f"{'-':<{_CELL}}"
    marks = "".join(COUNTS[name][0] for name in result.judgement.faults)
    return f"{result.summary + (f' [{marks}]' if marks else ''):<{_CELL}}"


def summary(results: Mapping[str, Mapping[str, Result]]) -> list[str]:
    """The counts: in how many scenarios each thing happened to each client."""
    width = max(len(words) for _, words in COUNTS.values()) + 4

    def line(label: str, cells: Iterable[object]) -> str:
        return (f"{label:<{width}}" + "".join(f"{cell:>{_CELL}}" for cell in cells)).rstrip()

    def count(name: str) -> list[int]:
        return [
            sum(name in result.judgement.faults for result in of.values())
            for of in results.values()
        ]

    uncertain = [
        sum("uncertain" in r.said.values() for r in of.values()) for of in results.values()
    ]
    return [
        line("   scenarios in which", results),
        line("   played", [len(of) for of in results.values()]),
        *(line(f"{mark}  {words}", count(name)) for name, (mark, words) in COUNTS.items()),
        line("   declared uncertain", uncertain),
    ]


def data(
    clients: Iterable[Client],
    scenarios: Iterable[Scenario],
    results: Mapping[str, Mapping[str, Result]],
    budget: float,
) -> dict[str, Any]:
    """Everything, as :mod:`json` can write it."""
    return {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": {
            "system": platform.system(),
            "architecture": platform.machine(),
            "processors": os.cpu_count(),
        },
        "versions": {
            "python": platform.python_version(),
            "openssl": ssl.OPENSSL_VERSION,
            **{client.name: client.version for client in clients},
        },
        "budget_seconds": budget,
        "counts": {name: words for name, (_, words) in COUNTS.items()},
        "scenarios": [
            {
                "id": scenario.id,
                "what": scenario.what,
                "security": scenario.security.value,
                "course": scenario.course.value,
            }
            for scenario in scenarios
        ],
        "rows": [_row(result) for of in results.values() for result in of.values()],
    }


def _row(result: Result) -> dict[str, Any]:
    return {**asdict(result), "judgement": {n: result.judgement.counts[n] for n in COUNTS}}
