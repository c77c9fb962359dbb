"""What no test may inherit from another."""

from __future__ import annotations

import pytest

from mailsend.logins import logins


@pytest.fixture(autouse=True)
def _no_login_is_remembered() -> None:
    # The same names and passwords stand in many tests, and a port is soon used again.
    logins.begin_anew()
