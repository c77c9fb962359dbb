"""A conversation cut behind any octet ends in one outcome, which agrees with what was stored."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from typing import Final, Literal, Self, TypeAlias

import pytest
from attrs import frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailsend import (
    DeliveryReport,
    DeliveryUncertain,
    Envelope,
    ImplicitTlsTransport,
    InsecurePlaintextTransport,
    MailsendError,
    MessageRefused,
    RecipientsRefused,
    SenderRefused,
    SessionError,
    StartTlsTransport,
    Timeouts,
    report_of,
)
from mailsend.testing import Answer, SmtpServer
from mailsend.transport.smtp import SmtpTransport

CONTENT: Final = b"Subject: cut\r\n\r\n.x\r\n"
BOB, EVE = "bob@example.org", "eve@example.org"
ENVELOPE: Final = Envelope("ada@example.org", [BOB, EVE])
# The stages that a silent connection is waited for; everything else happens at once.
BUDGET: Final = 0.05

Way: TypeAlias = Literal["to the server", "to the client"]
End: TypeAlias = Literal["close", "reset", "silence"]
ENDS: Final[tuple[End, ...]] = ("close", "reset", "silence")


@frozen
class Cut:
    """Where a connection is cut.

    Attributes:
        way: the direction whose octets are counted.
        after: how many of them pass.
        end: what happens then, on both sides: FIN, RST, or nothing at all any more.
    """

    way: Way
    after: int
    end: End


class CuttingProxy:
    """Stands between one client and one server, and cuts their connection at one octet.

    Everything that passed the cut reaches the server, also after a FIN; an RST may overtake it.
    """

    def __init__(self, port: int, cut: Cut | None = None) -> None:
        self._server = port
        self._cut = cut
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._run)
        self._left, self._leave = socket.socketpair()
        self.port: int = self._listener.getsockname()[1]
        self.passed: dict[Way, int] = {"to the server": 0, "to the client": 0}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leave.close()
        self._thread.join()
        self._left.close()
        self._listener.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._left, selectors.EVENT_READ)
            if any(key.fileobj is self._left for key, _ in selector.select()):
                return
        client, _ = self._listener.accept()
        with client, socket.create_connection(("127.0.0.1", self._server)) as server:
            for side in (client, server):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pass_on(client, server)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        ways: dict[socket.socket, tuple[Way, socket.socket]] = {
            client: ("to the server", server),
            server: ("to the client", client),
        }
        with selectors.DefaultSelector() as selector:
            for readable in (*ways, self._left):
                selector.register(readable, selectors.EVENT_READ)
            while True:
                if self._is_at_the_cut():
                    self._end(client, server)
                    return
                for key, _ in selector.select():
                    if key.fileobj is self._left:
                        return
                    source = client if key.fileobj is client else server
                    way, target = ways[source]
                    try:
                        octets = source.recv(self._room(way))
                        target.sendall(octets)
                    except OSError:  # one of the two has gone
                        return
                    if not octets:
                        return
                    self.passed[way] += len(octets)
                    if self._is_at_the_cut():
                        break

    def _room(self, way: Way) -> int:
        cut = self._cut
        return cut.after - self.passed[way] if cut is not None and cut.way == way else 65536

    def _is_at_the_cut(self) -> bool:
        return self._cut is not None and self.passed[self._cut.way] >= self._cut.after

    def _end(self, *sides: socket.socket) -> None:
        assert self._cut is not None
        if self._cut.end == "silence":
            self._left.recv(1)  # until the test is over
        elif self._cut.end == "reset":
            for side in sides:
                linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


VARIANTS: Final[dict[str, type[SmtpTransport]]] = {
    "implicit_tls": ImplicitTlsTransport,
    "starttls": StartTlsTransport,
    "insecure_plaintext": InsecurePlaintextTransport,
}


@frozen
class Ending:
    """How a run over a proxy ended, and what passed."""

    error: MailsendError | None
    report: DeliveryReport | None
    stored: frozenset[str]
    passed: dict[Way, int]


def run(
    server: SmtpServer, mode: str, cut: Cut | None = None, timeouts: Timeouts | None = None
) -> Ending:
    """Send one message over a connection that is cut."""
    before = len(server.messages)
    error: MailsendError | None = None
    with CuttingProxy(server.port, cut) as proxy:
        quiet = BUDGET if cut is not None and cut.end == "silence" else 5.0
        timeouts = timeouts or Timeouts.uniform(quiet)
        profile = server.profile(port=proxy.port, timeouts=timeouts)
        transport = VARIANTS[mode](profile)
        try:
            report: DeliveryReport | None = transport.send_raw(ENVELOPE, CONTENT)
        except MailsendError as caught:
            error, report = caught, report_of(caught)
        transport.close()
    # The server goes on with what has reached it, and ends when the proxy has.
    server.wait_closed()
    stored = frozenset(r for message in server.messages[before:] for r in message.recipients)
    return Ending(error, report, stored, dict(proxy.passed))


def judge(ending: Ending, where: object) -> None:
    """Hold what the client says against what the server has."""
    report, error = ending.report, ending.error
    assert report is not None, where
    buckets = [*report.accepted, *report.refused, *report.uncertain, *report.not_sent]
    assert sorted(buckets) == [BOB, EVE], where
    assert set(report.accepted) <= ending.stored, where
    assert ending.stored <= {*report.accepted, *report.uncertain}, where
    # The class says the same as the report.
    assert isinstance(error, DeliveryUncertain) is bool(report.uncertain), where
    if report.accepted:
        assert error is None, where
    elif not report.uncertain:
        assert isinstance(
            error, SessionError | SenderRefused | RecipientsRefused | MessageRefused
        ), where
        assert error.safe_to_retry, where


def scripted(mode: str, extensions: list[str], *, refuse: bool) -> SmtpServer:
    server = SmtpServer(security=mode, extensions=extensions)
    if refuse:
        server.on("RCPT", Answer("550 5.1.1 Unknown"), match=b"<eve@", times=None)
    return server


@pytest.mark.parametrize("way", ["to the server", "to the client"])
@pytest.mark.parametrize("refuse", [False, True], ids=["both taken", "one refused"])
@pytest.mark.parametrize("extensions", [["PIPELINING"], []], ids=["pipelined", "one by one"])
def test_a_cut_behind_any_octet(extensions: list[str], refuse: bool, way: Way) -> None:
    seen: set[str] = set()
    with scripted("insecure_plaintext", extensions, refuse=refuse) as server:
        whole = run(server, "insecure_plaintext")
        assert whole.error is None
        for after in range(whole.passed[way] + 1):
            # Silence has to be waited for, so only some octets are followed by it.
            for end in ENDS if after % 8 == 0 else ENDS[:2]:
                cut = Cut(way, after, end)
                ending = run(server, "insecure_plaintext", cut)
                judge(ending, cut)
                assert ending.report is not None
                seen |= {outcome.outcome.value for outcome in ending.report.outcomes}
    expected = {"accepted", "uncertain", "not_sent"} | ({"refused"} if refuse else set())
    assert seen == expected


def test_a_reply_that_is_lost_leaves_it_uncertain() -> None:
    """The case that matters most, spelled out: stored, answered, and the answer cut off."""
    with scripted("insecure_plaintext", [], refuse=False) as server:
        whole = run(server, "insecure_plaintext")
        # Behind the final reply come only QUIT and its reply.
        end = whole.passed["to the client"] - len(b"221 Bye\r\n")
        first = end - len(b"250 Ok: queued as 00000001\r\n") + 1
        timeouts = Timeouts(end_of_data=BUDGET)
        for kind in ENDS:
            for after in range(first, end):
                cut = Cut("to the client", after, kind)
                ending = run(server, "insecure_plaintext", cut, timeouts)
                assert isinstance(ending.error, DeliveryUncertain), (kind, after)
                assert ending.report is not None
                assert ending.report.uncertain == (BOB, EVE)
                assert ending.stored == {BOB, EVE}
        ending = run(server, "insecure_plaintext", Cut("to the client", end, "close"))
        assert ending.report is not None
        assert ending.report.accepted == (BOB, EVE)


Encrypted: TypeAlias = dict[str, tuple[SmtpServer, dict[Way, int]]]


@pytest.fixture(scope="module")
def encrypted() -> Iterator[Encrypted]:
    """A server for each mode, and how many octets a whole conversation with it has."""
    with contextlib.ExitStack() as stack:
        servers = {
            mode: stack.enter_context(scripted(mode, ["PIPELINING"], refuse=True))
            for mode in ("implicit_tls", "starttls")
        }
        yield {mode: (server, run(server, mode).passed) for mode, server in servers.items()}


@pytest.mark.parametrize("mode", ["implicit_tls", "starttls"])
@settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=300,
    # The servers are shared by all examples on purpose: each has its own message.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    way=st.sampled_from(["to the server", "to the client"]),
    position=st.floats(0, 1),
    at_the_end=st.booleans(),
    end=st.sampled_from(["close", "reset", "close", "reset", "silence"]),
)
def test_a_cut_within_tls(
    encrypted: Encrypted, mode: str, way: Way, position: float, at_the_end: bool, end: End
) -> None:
    server, whole = encrypted[mode]
    span = 300 if at_the_end else whole[way]  # most of TLS is its handshake
    cut = Cut(way, whole[way] - round(position * span), end)
    judge(run(server, mode, cut), cut)
