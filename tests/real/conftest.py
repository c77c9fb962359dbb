"""Real servers for the tests of this folder.

A server is installed and started when the first test asks for it. One that already runs is used
as it is and left alone; one this run started is stopped at the end, unless MAILSEND_KEEP_SERVERS
is 1. A server that does not start fails the tests that need it: a skipped test proves nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest

from .reader import MessageReader
from .real_server import PostfixServer, RealServer, real_server
from .servers.capsule import Capsule, Installation, ServerError, base_folder
from .servers.recipes import READERS, RECIPES, ServerName

StartServer: TypeAlias = Callable[[ServerName], RealServer]


@pytest.fixture(scope="session")
def start_server() -> Iterator[StartServer]:
    ours: list[Capsule] = []

    def start(name: ServerName) -> RealServer:
        capsule = Capsule(RECIPES[name], base_folder())
        try:
            if capsule.start():
                ours.append(capsule)
        except ServerError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        return real_server(capsule)

    yield start

    if os.environ.get("MAILSEND_KEEP_SERVERS") != "1":
        for capsule in ours:
            capsule.stop()


@pytest.fixture(scope="session", params=list(RECIPES))
def server(request: pytest.FixtureRequest, start_server: StartServer) -> RealServer:
    """Each server in turn: the test runs once with every one of them."""
    return start_server(request.param)


@pytest.fixture(scope="session")
def postfix(start_server: StartServer) -> PostfixServer:
    """Postfix alone, for its odd listeners."""
    running = start_server("postfix")
    assert isinstance(running, PostfixServer)
    return running


@pytest.fixture(scope="session")
def exim(start_server: StartServer) -> RealServer:
    return start_server("exim")


@pytest.fixture(scope="session")
def opensmtpd(start_server: StartServer) -> RealServer:
    return start_server("opensmtpd")


@pytest.fixture(scope="session")
def readers() -> Installation:
    """Parsers that are none of Python's, installed when they are first asked for."""
    installation = Installation(READERS, base_folder())
    try:
        installation.install()
    except ServerError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    return installation


@pytest.fixture(scope="session")
def reader(readers: Installation) -> Iterator[MessageReader]:
    process = MessageReader(readers)
    yield process
    process.close()
