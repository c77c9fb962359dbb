"""Content that the system takes in pieces arrives as it was, wherever it is cut."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Callable
from typing import Final

import pytest

from mailsend import Envelope, SmtpProfile, open_transport
from mailsend.content import prepare
from mailsend.smtp.wire import Wire
from mailsend.testing import SmtpServer
from mailsend.timeouts import Deadline

Serve = Callable[..., SmtpServer]
ProfileFor = Callable[..., SmtpProfile]

ENVELOPE: Final = Envelope("ada@example.org", ["bob@example.org"])
MODES: Final = ("implicit_tls", "starttls", "insecure_plaintext")

# All words of six letters one after the other, so that CR, LF and dots meet in every way.
WORDS: Final = b"".join(bytes(word) for word in itertools.product(b"\r\n.x", repeat=6))
CONTENTS: Final[dict[str, bytes]] = {
    "words": WORDS,
    "words one octet on": b"x" + WORDS,
    "dots": b".\r\n" * 20_000,
    "dots one octet on": b"\r\n." * 20_000,
    "long lines": (b"." * 998 + b"\r\n") * 60,
}


@pytest.fixture
def small_buffers(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Connections whose system takes a few KiB at once. How often a write had to wait."""
    waits: list[int] = []
    adopt, wait = Wire._adopt, Wire._wait

    def with_a_small_buffer(wire: Wire, sock: socket.socket) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the least that it allows
        adopt(wire, sock)

    def counted(wire: Wire, events: int, deadline: Deadline) -> None:
        waits.append(events)
        wait(wire, events, deadline)

    monkeypatch.setattr(Wire, "_adopt", with_a_small_buffer)
    monkeypatch.setattr(Wire, "_wait", counted)
    return waits


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("content", CONTENTS)
def test_what_is_sent_in_pieces_arrives_whole(
    serve: Serve, profile_for: ProfileFor, small_buffers: list[int], mode: str, content: str
) -> None:
    server = serve(mode)
    octets = CONTENTS[content]
    with open_transport(profile_for(server, mode)) as transport:
        small_buffers.clear()
        assert transport.send_raw(ENVELOPE, octets).all_accepted
        # The next message finds nothing left of it.
        assert transport.send_raw(ENVELOPE, b"next").all_accepted
    assert len(small_buffers) > 5
    assert [m.content for m in server.messages] == [prepare(octets).data, b"next\r\n"]
    assert server.violations == ()


def test_the_end_stands_anywhere_in_a_record(serve: Serve, profile_for: ProfileFor) -> None:
    """The end of data and what is before it are one write of at most a TLS record."""
    server = serve("implicit_tls")
    record = 16384
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        for length in (1, 2, 3, *range(record - 8, record + 8), 2 * record - 4, 2 * record + 1):
            lines = (b".234567890123456789012345678901234567890\r\n" * 1000)[: length - 2] + b"\r\n"
            assert transport.send_raw(ENVELOPE, lines).all_accepted
            assert server.messages[-1].content == prepare(lines).data
    assert server.violations == ()
