from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from .matrix import Bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Servers, and what is sent to them; the servers are stopped when the test ends."""
    with ExitStack() as servers:
        yield Bench(servers)
