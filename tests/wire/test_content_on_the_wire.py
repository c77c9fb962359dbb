"""Content that the system takes in pieces arrives as it was, wherever it is cut."""

from __future__ import annotations

import itertools
import socket
import ssl
from collections.abc import Callable
from typing import Final

import pytest

from mailsend import Envelope, SmtpProfile, open_transport
from mailsend.content import prepare
from mailsend.smtp.wire import Wire
from mailsend.testing import SmtpServer

Serve = Callable[..., SmtpServer]
ProfileFor = Callable[..., SmtpProfile]

ENVELOPE: Final = Envelope("ada@example.org", ["bob@example.org"])
MODES: Final = ("implicit_tls", "starttls", "insecure_plaintext")

# All words of six letters one after the other, so that CR, LF and dots meet in every way.
WORDS: Final = b"".join(bytes(word) for word in itertools.product(b"\r\n.x", repeat=6))
# Long enough for every system to take them in pieces.
CONTENTS: Final[dict[str, bytes]] = {
    "words": WORDS * 20,
    "words one octet on": b"x" + WORDS * 20,
    "dots": b".\r\n" * 160_000,
    "dots one octet on": b"\r\n." * 160_000,
    "long lines": (b"." * 998 + b"\r\n") * 500,
}


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Connections whose system takes little at once. How much it took when it did not take all."""
    taken: list[int] = []
    adopt, send, send_tls = Wire._adopt, socket.socket.send, ssl.SSLSocket.send

    def with_a_small_buffer(wire: Wire, sock: socket.socket) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the least that it allows
        adopt(wire, sock)

    def watched(sock: socket.socket, data: memoryview) -> int:
        try:
            count = send_tls(sock, data) if isinstance(sock, ssl.SSLSocket) else send(sock, data)
        except (BlockingIOError, ssl.SSLWantWriteError):
            taken.append(0)
            raise
        if count < len(data):
            taken.append(count)
        return count

    monkeypatch.setattr(Wire, "_adopt", with_a_small_buffer)
    monkeypatch.setattr(socket.socket, "send", watched)
    monkeypatch.setattr(ssl.SSLSocket, "send", watched)
    return taken


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("content", CONTENTS)
def test_what_is_sent_in_pieces_arrives_whole(
    serve: Serve, profile_for: ProfileFor, pieces: list[int], mode: str, content: str
) -> None:
    server = serve(mode)
    octets = CONTENTS[content]
    with open_transport(profile_for(server, mode)) as transport:
        assert transport.send_raw(ENVELOPE, octets).all_accepted
        # The next message finds nothing left of it.
        assert transport.send_raw(ENVELOPE, b"next").all_accepted
    assert pieces, "the system took all of it at once, so that nothing has been tried"
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
