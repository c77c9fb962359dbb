"""Scripted answers and faults of the embedded server."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import time
from contextlib import closing

import pytest

from mailsend.testing import (
    Action,
    Answer,
    Close,
    Drip,
    Flood,
    Garbage,
    Hang,
    Normal,
    PartialHandshake,
    Reset,
    SmtpServer,
    Stage,
    StopReading,
)


def plain_socket(server: SmtpServer) -> socket.socket:
    return socket.create_connection((server.host, server.port), timeout=5)


def connected(server: SmtpServer, timeout: float = 5) -> closing[smtplib.SMTP]:
    client = smtplib.SMTP(server.host, server.port, "client.example", timeout=timeout)
    return closing(client)


def send(client: smtplib.SMTP) -> None:
    client.sendmail("a@example.org", ["b@example.org", "c@example.org"], b"x\r\n")


def to_the_end(client: socket.socket) -> bytes:
    with client.makefile("rb") as stream:
        return stream.read()


COMMANDS: list[Stage] = ["EHLO", "MAIL", "RCPT", "DATA", "END_OF_DATA"]
DIALOGUE: list[Stage] = ["GREETING", *COMMANDS]


@pytest.mark.parametrize("stage", COMMANDS[1:])
def test_answer_is_sent_as_it_is_and_refuses(stage: Stage) -> None:
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        server.on(stage, Answer("451-4.3.0 Not", "451 4.3.0 now"), times=None)
        with pytest.raises(smtplib.SMTPException) as caught:
            send(client)
        assert "4.3.0 Not\\n4.3.0 now" in str(caught.value)
        assert client.rset()[0] == 250
    assert server.messages == ()


@pytest.mark.parametrize("stage", DIALOGUE)
def test_close_ends_the_connection_with_fin(stage: Stage) -> None:
    with SmtpServer(security="insecure_plaintext") as server:
        server.on(stage, Close())
        with plain_socket(server) as client:
            walk(client, stage)
            assert client.recv(1) == b""
        server.wait_closed()


@pytest.mark.parametrize("stage", DIALOGUE)
def test_reset_ends_the_connection_with_rst(stage: Stage) -> None:
    with SmtpServer(security="insecure_plaintext") as server:
        server.on(stage, Reset())
        with pytest.raises(ConnectionResetError):
            ask(server, stage)
        server.wait_closed()


@pytest.mark.parametrize("stage", DIALOGUE)
def test_hang_says_nothing_until_the_client_leaves(stage: Stage) -> None:
    with SmtpServer(security="insecure_plaintext") as server:
        server.on(stage, Hang())
        with plain_socket(server) as client:
            walk(client, stage)
            client.settimeout(0.02)
            with pytest.raises(TimeoutError):
                client.recv(1)
            client.sendall(b"still read\r\n")
            server.wait_until(lambda: server.raw[0].endswith(b"still read\r\n"))
        server.wait_closed()


STEPS: dict[Stage, bytes] = {
    "EHLO": b"EHLO client.example\r\n",
    "MAIL": b"MAIL FROM:<a@example.org>\r\n",
    "RCPT": b"RCPT TO:<b@example.org>\r\n",
    "DATA": b"DATA\r\n",
    "END_OF_DATA": b"x\r\n.\r\n",
}


def walk(client: socket.socket, stage: Stage) -> None:
    """Go on until `stage` is sent; its answer is not read."""
    if stage == "GREETING":
        return
    with client.makefile("rb") as replies:
        for step, octets in STEPS.items():
            while replies.readline()[3:4] == b"-":
                pass
            client.sendall(octets)
            if step == stage:
                return


def ask(server: SmtpServer, stage: Stage) -> bytes:
    """Connect, go on until `stage`, and read an octet."""
    with plain_socket(server) as client:
        walk(client, stage)
        return client.recv(1)


def test_connect() -> None:
    with SmtpServer(security="implicit_tls") as server:
        server.on("CONNECT", Reset())
        server.on("CONNECT", Garbage(b"not TLS"), Close())
        with pytest.raises(ConnectionResetError):
            ask(server, "GREETING")
        with plain_socket(server) as client:
            assert to_the_end(client) == b"not TLS"
    assert server.connections == 2


def test_refused_session() -> None:
    with SmtpServer(security="insecure_plaintext") as server:
        server.on("GREETING", Answer("554 5.3.2 No service"))
        with closing(smtplib.SMTP()) as client:
            assert client.connect(server.host, server.port)[0] == 554
            assert client.ehlo("client.example")[0] == 503
            assert client.quit()[0] == 221


def test_normal_and_more() -> None:
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        server.on("NOOP", Normal(), Answer("250 2.0.0 Once more"))
        assert client.noop() == (250, b"Ok")
        assert client.getreply() == (250, b"2.0.0 Once more")


def test_positive_answers_have_their_effect() -> None:
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        server.on("EHLO", Answer("250-odd.example", "250 SIZE 5"))
        server.on("MAIL", Answer("251 ok"))
        server.on("RCPT", Answer("252 maybe"))
        server.on("END_OF_DATA", Answer("200 fine"))
        client.ehlo()
        assert client.esmtp_features == {"size": "5"}
        assert client.docmd("MAIL FROM:<a@example.org> SIZE=6")[0] == 251
        assert client.docmd("RCPT TO:<nobody>")[0] == 252
        client.docmd("DATA")
        client.send(b"x\r\n.\r\n")
        assert client.getreply() == (200, b"fine")
    assert server.messages[0].reverse_path == "a@example.org"
    assert server.messages[0].recipients == ("nobody",)
    assert server.messages[0].mail_parameters == ("SIZE=6",)


def test_content_without_recipients() -> None:
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        server.on("RCPT", Answer("550 5.1.1 Unknown"))
        server.on("DATA", Answer("354 Go ahead"))
        client.ehlo()
        client.send("MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n")
        assert [client.getreply()[0] for _ in range(3)] == [250, 550, 354]
        client.send(b".\r\n")
        assert client.getreply()[0] == 554
    assert server.messages == ()


@pytest.mark.parametrize(
    ("actions", "store", "stored"),
    [
        ([Close()], None, True),
        ([Reset()], None, True),
        ([Hang()], None, True),
        ([Garbage(), Close()], None, True),
        ([Answer("250 2.0.0 Ok")], None, True),
        ([Answer("250-2.0.0 Ok", "550 5.0.0 No")], None, False),
        ([Answer("250 2.0.0 Ok", "550 5.0.0 No")], None, True),
        ([Answer("550 5.0.0 No")], None, False),
        ([Drip(b"451 No\r\n", 0.0001)], None, False),
        ([Answer("550 5.0.0 No")], True, True),
        ([Normal(), Close()], False, False),
        ([Close()], False, False),
    ],
)
def test_what_is_stored(actions: list[Action], store: bool | None, stored: bool) -> None:
    with SmtpServer(security="insecure_plaintext") as server:
        server.on("END_OF_DATA", *actions, store=store)
        with plain_socket(server) as client:
            walk(client, "END_OF_DATA")
            with contextlib.suppress(OSError):  # a reset has come first
                client.shutdown(socket.SHUT_WR)
            server.wait_closed()
    assert len(server.messages) == stored


def test_drip() -> None:
    with SmtpServer(security="insecure_plaintext") as server:
        server.on("GREETING", Drip(b"220 slow\r\n", 0.005))
        begin = time.monotonic()
        with plain_socket(server) as client:
            pieces: list[bytes] = []
            while not pieces or not pieces[-1].endswith(b"\n"):
                pieces.append(client.recv(100))
        assert b"".join(pieces) == b"220 slow\r\n"
        assert time.monotonic() - begin >= 9 * 0.005


@pytest.mark.parametrize("limit", [10, 100_000])
def test_flood_ends_at_its_limit(limit: int) -> None:
    with SmtpServer(security="insecure_plaintext") as server:
        server.on("GREETING", Flood(b"220-and\r\n", limit), Close())
        with plain_socket(server) as client:
            assert to_the_end(client) == (b"220-and\r\n" * limit)[:limit]


def test_stop_reading_blocks_the_sender_and_not_the_server() -> None:
    with SmtpServer(security="insecure_plaintext") as server:
        server.on("DATA", Normal(), StopReading())
        with plain_socket(server) as client:
            walk(client, "DATA")
            assert client.recv(100).startswith(b"354 ")
            client.settimeout(0.1)
            with pytest.raises(TimeoutError):
                client.sendall(b"x" * 64 * 1024 * 1024)
        with connected(server) as other:
            assert other.noop()[0] == 250
    assert not server.raw[0].endswith(b"x")


@pytest.mark.parametrize("after", [0, 1, 5])
def test_content_is_answered_after_so_many_octets(after: int) -> None:
    with SmtpServer(security="insecure_plaintext") as server, plain_socket(server) as client:
        server.on("CONTENT", Answer("250 2.0.0 Early"), after=after)
        server.on("END_OF_DATA", Answer("550 5.7.1 No"))
        walk(client, "DATA")
        with client.makefile("rb") as replies:
            assert replies.readline().startswith(b"354 ")
            if after:
                client.sendall(b"x" * (after - 1))
                client.settimeout(0.02)
                with pytest.raises(TimeoutError):
                    client.recv(1)
                client.settimeout(5)
                client.sendall(b"x")
            assert replies.readline() == b"250 2.0.0 Early\r\n"
            client.sendall(b"\r\n.\r\n")
            assert replies.readline() == b"550 5.7.1 No\r\n"
    assert server.messages == ()


def test_content_that_is_too_short_is_left_alone() -> None:
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        server.on("CONTENT", Reset(), after=100, times=None)
        send(client)
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
            client.sendmail("a@example.org", "b@example.org", b"x" * 101)
    assert len(server.messages) == 1


def test_rules_act_in_their_order() -> None:
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        server.on("NOOP", Answer("250 third"), skip=2)
        server.on("NOOP", Answer("250 first"))
        server.on("NOOP", Answer("250 others"), times=2)
        server.on("*", Answer("250 any"), times=None, match=b"noop please")
        said = [client.docmd("NOOP please")[1] for _ in range(6)]
        assert said == [b"first", b"others", b"third", b"others", b"any", b"any"]


def test_match_looks_at_the_command_without_regard_to_case() -> None:
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        server.on("RCPT", Answer("550 5.1.1 No Bob"), match=b"<B@EXAMPLE", times=None)
        refused = client.sendmail("a@example.org", ["b@example.org", "c@example.org"], b"x")
        assert refused == {"b@example.org": (550, b"5.1.1 No Bob")}
        server.on("*", Answer("550 5.7.1 No spam"), match=b"VRFY")
        assert client.docmd("VRFY x")[0] == 550


@pytest.mark.parametrize(
    ("stage", "actions", "options"),
    [
        ("NOWHERE", [Close()], {}),
        ("MAIL", [], {}),
        ("MAIL", [Close(), Normal()], {}),
        ("MAIL", [PartialHandshake()], {}),
        ("MAIL", [Close()], {"times": 0}),
        ("MAIL", [Close()], {"skip": -1}),
        ("MAIL", [Close()], {"after": 1}),
        ("MAIL", [Close()], {"store": True}),
        ("CONTENT", [Close()], {"match": b"x"}),
    ],
)
def test_rules_without_sense(
    stage: Stage, actions: list[Action], options: dict[str, int | bytes]
) -> None:
    with pytest.raises(ValueError, match=r"."):
        SmtpServer(security="insecure_plaintext").on(stage, *actions, **options)  # type: ignore[arg-type]


def test_actions_without_sense() -> None:
    for make in (Answer, lambda: Drip(b"x", 0), lambda: Flood(b""), lambda: Flood(b"x", 0)):
        with pytest.raises(ValueError, match=r"."):
            make()


def test_answer_encodes_lines() -> None:
    assert Answer("250-ä", b"250 \xff\n").data == b"250-\xc3\xa4\r\n250 \xff\n"


def test_interrupt_an_idle_connection() -> None:
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        client.ehlo()
        server.interrupt(Answer("250 2.0.0 Unasked"))
        assert client.getreply() == (250, b"2.0.0 Unasked")
        assert client.noop()[0] == 250
        server.interrupt(Answer("421 4.3.2 Bye"), Close())
        assert client.sock is not None
        client.sock.settimeout(0)  # it is all there already
        assert client.sock.recv(100) == b"421 4.3.2 Bye\r\n"
        assert client.sock.recv(100) == b""
        client.close()
        server.wait_closed()
        with pytest.raises(LookupError):
            server.interrupt(Close())


def test_interrupt_waits_for_the_end_of_a_command() -> None:
    with SmtpServer(security="insecure_plaintext") as server, plain_socket(server) as client:
        walk(client, "DATA")
        assert client.recv(100).startswith(b"354 ")
        with pytest.raises(TimeoutError):
            server.interrupt(Answer("421 Bye"), timeout=0.02)
        client.sendall(b"\r\n.\r\n")
        assert client.recv(100).startswith(b"250 ")
        server.interrupt(Reset())
        with pytest.raises(ConnectionResetError):
            client.recv(1)
