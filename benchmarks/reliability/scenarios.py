"""The table of all scenarios."""

from __future__ import annotations

from typing import Final

from benchmarks.reliability.matrix import matrix
from benchmarks.reliability.scenario import Scenario
from benchmarks.reliability.specials import specials
from benchmarks.reliability.trust import trust

SCENARIOS: Final[tuple[Scenario, ...]] = (*matrix(), *specials(), *trust())
"""In the order in which they are run. Identifiers are unique."""

BY_ID: Final = {scenario.id: scenario for scenario in SCENARIOS}

if len(BY_ID) != len(SCENARIOS):
    raise ValueError("Two scenarios have the same identifier")
