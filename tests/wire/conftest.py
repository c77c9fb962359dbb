from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from typing import Any

import pytest

from mailsend import Password, SmtpProfile, Timeouts
from mailsend.testing import SmtpServer

USER, SECRET = "ada@example.org", "s3cret-Pässwörd"


@pytest.fixture
def serve() -> Iterator[Callable[..., SmtpServer]]:
    """Start servers that require AUTH as `USER`; they are stopped when the test ends."""
    with ExitStack() as servers:

        def start(security: str = "starttls", **settings: Any) -> SmtpServer:
            settings.setdefault("users", {USER: SECRET})
            settings.setdefault("auth_without_tls", security == "insecure_plaintext")
            return servers.enter_context(SmtpServer(security=security, **settings))

        yield start


@pytest.fixture
def profile_for() -> Callable[..., SmtpProfile]:
    """A profile for a server of `serve`, in the server's mode or another one."""

    def make(server: SmtpServer, security: str | None = None, **changes: Any) -> SmtpProfile:
        changes.setdefault("timeouts", Timeouts.uniform(5))
        changes.setdefault("username", USER)
        changes.setdefault("credentials", Password(SECRET))
        if security is not None:
            changes["security"] = security
        changes.setdefault("allow_plaintext_credentials", security == "insecure_plaintext")
        return server.profile(**changes)

    return make


@pytest.fixture
def silent() -> Callable[..., AbstractContextManager[int]]:
    """A context with an address that neither takes nor refuses connections; gives the port."""
    return _silent


@contextmanager
def _silent(host: str, port: int = 0) -> Iterator[int]:
    """An address that neither takes nor refuses connections: its queue of them is full."""
    with closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = []
        try:
            for _ in range(4):
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex((host, port))
                fillers.append(filler)
            yield port
        finally:
            for filler in fillers:
                filler.close()
