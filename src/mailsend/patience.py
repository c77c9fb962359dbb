"""Waiting for somebody else's code, and no longer than agreed."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class NotInTime(Exception):
    """The call did not return in time. It may still be going on."""


def within(seconds: float, call: Callable[[], T]) -> T:
    """Run a call that may block, and wait for it only so long.

    It runs in a thread of its own, with the caller's context variables. What outlasts the time is
    left to itself, since nothing can stop it; the thread does not keep the process from ending.

    Args:
        seconds: how long to wait.
        call: takes nothing; what it returns is returned, what it raises is raised.

    Raises:
        NotInTime: It did not return within the time.
    """
    returned: list[T] = []
    raised: list[BaseException] = []
    done = threading.Event()
    context = contextvars.copy_context()

    def run() -> None:
        try:
            returned.append(context.run(call))
        except BaseException as error:  # noqa: BLE001 - raised again below, in the other thread
            raised.append(error)
        finally:
            done.set()

    threading.Thread(target=run, name="mailsend-within", daemon=True).start()
    if not done.wait(min(seconds, threading.TIMEOUT_MAX)):
        raise NotInTime(f"no answer within {seconds:g} seconds")
    if raised:
        raise raised.pop()
    return returned.pop()
