"""Starting, stopping and waiting for the embedded server."""

from __future__ import annotations

import gc
import smtplib
import socket
import ssl
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

import mailsend.testing
from mailsend.testing import Answer, Flood, Hang, SmtpServer, StopReading

DESCRIPTORS = Path("/proc/self/fd")


def plain_socket(server: SmtpServer) -> socket.socket:
    return socket.create_connection((server.host, server.port), timeout=5)


def descriptors() -> set[str]:
    gc.collect()
    return {path.name for path in DESCRIPTORS.iterdir()}


def test_exports_are_sorted_and_there() -> None:
    names = mailsend.testing.__all__
    assert sorted(names) == sorted(set(names))
    assert all(hasattr(mailsend.testing, name) for name in names)


def test_nothing_is_left_behind() -> None:
    SmtpServer()  # makes the authority
    before = threading.active_count(), descriptors()
    with SmtpServer() as server, ExitStack() as clients:
        server.on("GREETING", Hang())
        server.on("GREETING", StopReading())
        server.on("GREETING", Flood())
        for _ in range(10):
            clients.enter_context(plain_socket(server))
        server.wait_until(lambda: server.connections == 10)
        server.stop()
    assert (threading.active_count(), descriptors()) == before


def test_stop_is_quick_and_may_be_repeated() -> None:
    server = SmtpServer(security="insecure_plaintext").start()
    with plain_socket(server) as client:
        client.recv(100)
        begin = time.monotonic()
        server.stop()
        server.stop()
        assert time.monotonic() - begin < 1
        assert client.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        plain_socket(server)
    with pytest.raises(RuntimeError, match="started once"):
        server.start()


def test_not_started() -> None:
    server = SmtpServer(security="insecure_plaintext")
    server.stop()
    with pytest.raises(RuntimeError, match="not started"):
        _ = server.port
    with pytest.raises(LookupError):
        server.interrupt(Answer("421 Bye"))


def test_what_was_received_is_there_after_the_end() -> None:
    with (
        SmtpServer(security="insecure_plaintext") as server,
        closing(smtplib.SMTP(server.host, server.port, timeout=5)) as client,
    ):
        client.sendmail("a@example.org", "b@example.org", b"x")
    assert len(server.messages) == 1
    assert server.connections == len(server.raw) == 1


def test_connections_are_served_side_by_side() -> None:
    with SmtpServer(security="insecure_plaintext") as server, ExitStack() as stack:
        clients = [stack.enter_context(plain_socket(server)) for _ in range(50)]
        for number, client in enumerate(clients):
            assert client.recv(100).startswith(b"220 ")
            client.sendall(b"NOOP %d\r\n" % number)
        for client in clients:
            assert client.recv(100).startswith(b"250 ")
    assert sorted(server.commands) == sorted(b"NOOP %d" % number for number in range(50))


def test_waiting_is_bounded() -> None:
    with SmtpServer(security="insecure_plaintext") as server:
        with plain_socket(server) as client:
            client.recv(100)
            with pytest.raises(TimeoutError):
                server.wait_closed(timeout=0.01)
            with pytest.raises(TimeoutError):
                server.wait_closed(0, timeout=0.01)
            with pytest.raises(TimeoutError):
                server.wait_until(lambda: bool(server.messages), timeout=0.01)
        server.wait_closed(0)
        server.wait_closed()


def test_the_last_command_counts_though_the_client_left_with_it() -> None:
    with SmtpServer(security="insecure_plaintext") as server:
        with plain_socket(server) as client:
            client.recv(100)
            client.sendall(b"NOOP\r\n")
        server.wait_closed(0)
    assert server.commands == (b"NOOP",)
    assert server.raw == (b"NOOP\r\n",)


def test_ipv6() -> None:
    server = SmtpServer(security="implicit_tls", host="::1").start()
    with server_stopping(server):
        context = ssl.create_default_context(cafile=server.ca_file)
        with closing(smtplib.SMTP_SSL("::1", server.port, context=context, timeout=5)) as client:
            assert client.noop()[0] == 250


def server_stopping(server: SmtpServer) -> ExitStack:
    stack = ExitStack()
    stack.callback(server.stop)
    return stack


def test_a_defect_of_the_server_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def defective(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("mailsend.testing.server.Responder", defective)
    server = SmtpServer(security="insecure_plaintext").start()
    with plain_socket(server) as client:
        assert client.recv(1) == b""
    with pytest.raises(RuntimeError, match="itself") as caught:
        server.stop()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize(
    "options", [{"security": "ssl"}, {"delivery": "slowly"}, {"mechanisms": ("NTLM",)}]
)
def test_arguments_without_meaning(options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"is not (one of|known)"):
        SmtpServer(**options)  # type: ignore[arg-type]
