from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterator

import pytest

from mailsend.smtp.readiness import (
    READ,
    WRITE,
    Readiness,
    _ByPoll,
    _BySelect,
    readiness_of,
)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    left, right = socket.socketpair()
    with left, right:
        left.setblocking(False)
        yield left, right


@pytest.mark.parametrize("make", [_ByPoll, _BySelect])
def test_both_ways_tell_the_same(
    pair: tuple[socket.socket, socket.socket], make: Callable[[int], Readiness]
) -> None:
    left, right = pair
    readiness = make(left.fileno())
    assert not readiness.wait(READ, 0)
    assert not readiness.wait(READ, -1)
    assert not readiness.wait(READ, 0.01)
    assert readiness.wait(WRITE, 0)
    assert readiness.wait(READ | WRITE, 0)
    right.sendall(b"x")
    assert readiness.wait(READ, 5)
    left.recv(1)
    assert not readiness.wait(READ, 0)
    right.close()
    assert readiness.wait(READ, 5)  # the end can be read too


def test_the_platform_decides(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(readiness_of(pair[0].fileno()), _ByPoll)
    monkeypatch.delattr(select, "poll")
    assert isinstance(readiness_of(pair[0].fileno()), _BySelect)
