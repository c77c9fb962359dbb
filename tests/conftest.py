"""What no test may inherit from another."""

from __future__ import annotations

import signal

import pytest

from mailsend.logins import logins


def pytest_configure() -> None:
    """Take interrupts, as the tests of interrupts need.

    What runs in the background of a shell is started with SIGINT ignored, and so are its children.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _no_login_is_remembered() -> None:
    # The same names and passwords stand in many tests, and a port is soon used again.
    logins.begin_anew()
