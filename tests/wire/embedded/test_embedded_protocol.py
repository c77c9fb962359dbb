"""The normal dialogue of the embedded server, and what it finds wrong with a client."""

from __future__ import annotations

import smtplib
from contextlib import closing

import pytest

from mailsend.testing import DEFAULT_EXTENSIONS, Delivery, ReceivedMessage, SmtpServer

WITHOUT_PIPELINING = tuple(name for name in DEFAULT_EXTENSIONS if name != "PIPELINING")


def connected(server: SmtpServer) -> closing[smtplib.SMTP]:
    return closing(smtplib.SMTP(server.host, server.port, "client.example", timeout=5))


def exchange(client: smtplib.SMTP, octets: bytes, replies: int = 1) -> list[tuple[int, bytes]]:
    client.send(octets)
    return [client.getreply() for _ in range(replies)]


def test_smtplib_delivers_a_message() -> None:
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        client.sendmail(
            "ada@example.org",
            ["bob@example.org", "eve@example.org"],
            b"Subject: Hi\r\n\r\n.dots\r\n..\r\n",
            mail_options=["BODY=8BITMIME"],
        )
        assert client.quit() == (221, b"2.0.0 Bye")
        server.wait_closed()
    assert server.messages == (
        ReceivedMessage(
            reverse_path="ada@example.org",
            recipients=("bob@example.org", "eve@example.org"),
            content=b"Subject: Hi\r\n\r\n.dots\r\n..\r\n",
            mail_parameters=("size=26", "BODY=8BITMIME"),
            rcpt_parameters=((), ()),
            client_name="client.example",
            extended=True,
            reply_code=250,
        ),
    )
    assert server.messages[0].message()["Subject"] == "Hi"
    assert server.violations == ()
    assert [line[:4].upper() for line in server.commands] == [
        b"EHLO", b"MAIL", b"RCPT", b"RCPT", b"DATA", b"QUIT",
    ]  # fmt: skip
    assert server.raw[0].endswith(b"\r\n...\r\n.\r\nquit\r\n")


@pytest.mark.parametrize("delivery", ["whole", "lines", "bytes"])
def test_replies_are_the_same_however_they_are_delivered(delivery: Delivery) -> None:
    with (
        SmtpServer(security="insecure_plaintext", delivery=delivery) as server,
        connected(server) as client,
    ):
        assert client.ehlo()[0] == 250
        assert client.has_extn("smtputf8")
        assert client.esmtp_features["size"] == "10485760"
        assert client.noop() == (250, b"2.0.0 Ok")


def test_ehlo_offers_what_the_server_was_given() -> None:
    with (
        SmtpServer(security="insecure_plaintext", extensions=("XYZ 1", "DSN")) as server,
        connected(server) as client,
    ):
        assert client.ehlo()[1].splitlines() == [
            b"localhost greets client.example",
            b"XYZ 1",
            b"DSN",
        ]
        # ENHANCEDSTATUSCODES was not offered.
        assert client.noop() == (250, b"Ok")


def test_helo_offers_nothing() -> None:
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        assert client.helo() == (250, b"localhost greets client.example")
        assert client.docmd("MAIL FROM:<a@example.org> SIZE=1")[0] == 555
        client.sendmail("a@example.org", "b@example.org", b"x")
    assert not server.messages[0].extended


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("EHLO", b"501"),
        ("EHLO two names", b"501"),
        ("EHLO [127.0.0.1]", b"250"),
        ("XYZZY", b"500 5.5.2"),
        ("MAILFROM:<a@example.org>", b"500 5.5.2"),
        ("MAIL  FROM:<a@example.org>", b"501 5.5.4"),
        ("MAIL FROM: <a@example.org>", b"501 5.1.7"),
        ("MAIL FROM:a@example.org", b"501 5.1.7"),
        ("MAIL FROM:<a@example.org", b"501 5.1.7"),
        ("MAIL FROM:<a@example.org>SIZE=1", b"501 5.1.7"),
        ("MAIL FROM:<a..b@example.org>", b"501 5.1.7"),
        ("MAIL FROM:<a@-example.org>", b"501 5.1.7"),
        ("MAIL FROM:<@x.org:a@example.org>", b"501 5.1.7"),
        ("MAIL FROM:<" + "a" * 65 + "@example.org>", b"501 5.1.7"),
        ("MAIL FROM:<Postmaster>", b"501 5.1.7"),
        ("mail from:<a@example.org>", b"250 2.1.0"),
        ("MAIL FROM:<>", b"250 2.1.0"),
        ('MAIL FROM:<"a> b"@example.org>', b"250 2.1.0"),
        ("MAIL FROM:<a@[IPv6:::1]>", b"250 2.1.0"),
        ("MAIL FROM:<ä@example.org>", b"550 5.6.7"),
        ("MAIL FROM:<ä@example.org> SMTPUTF8", b"250 2.1.0"),
        ("MAIL FROM:<a@example.org> SIZE=10485760", b"250 2.1.0"),
        ("MAIL FROM:<a@example.org> SIZE=10485761", b"552 5.3.4"),
        ("MAIL FROM:<a@example.org> SIZE=x", b"501 5.5.4"),
        ("MAIL FROM:<a@example.org> BODY=8BITMIME", b"250 2.1.0"),
        ("MAIL FROM:<a@example.org> BODY=BINARYMIME", b"501 5.5.4"),
        ("MAIL FROM:<a@example.org> BODY=7BIT BODY=7BIT", b"501 5.5.4"),
        ("MAIL FROM:<a@example.org>  BODY=7BIT", b"501 5.5.4"),
        ("MAIL FROM:<a@example.org> RET=HDRS", b"555 5.5.4"),
        ("RCPT TO:<b@example.org>", b"503 5.5.1"),
        ("DATA", b"503 5.5.1"),
        ("BDAT 1", b"500 5.5.2"),
        ("STARTTLS", b"502 5.5.1"),
        ("AUTH PLAIN", b"502 5.5.1"),
        ("RSET now", b"501 5.5.4"),
        ("QUIT now", b"501 5.5.4"),
        ("NOOP now", b"250 2.0.0"),
        ("VRFY ada", b"252 2.5.0"),
    ],
)
def test_answers_to_single_commands(line: str, answer: bytes) -> None:
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        client.ehlo()
        code, text = exchange(client, line.encode() + b"\r\n")[0]
        assert (f"{code} ".encode() + text).startswith(answer)


def test_sequence_of_commands() -> None:
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        assert client.docmd("MAIL FROM:<a@example.org>")[0] == 503
        client.ehlo()
        assert client.docmd("MAIL FROM:<a@example.org>")[0] == 250
        assert client.docmd("MAIL FROM:<a@example.org>")[0] == 503
        assert client.docmd("DATA") == (554, b"5.5.1 No valid recipients")
        assert client.docmd("RCPT TO:<>")[0] == 501
        assert exchange(client, "RCPT TO:<ä@example.org>\r\n".encode())[0][0] == 553
        assert client.docmd("RCPT TO:<b@example.org> NOTIFY=NEVER")[0] == 555
        assert client.docmd("RCPT TO:<Postmaster>")[0] == 250
        assert client.rset()[0] == 250
        assert client.docmd("RCPT TO:<b@example.org>")[0] == 503
        client.docmd("MAIL FROM:<a@example.org>")
        client.ehlo()
        assert client.docmd("RCPT TO:<b@example.org>")[0] == 503


def test_refused_commands_leave_the_message_as_it_is() -> None:
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        client.ehlo()
        client.docmd("MAIL FROM:<a@example.org>")
        client.docmd("RCPT TO:<bad>")
        client.docmd("RCPT TO:<b@example.org>")
        client.data(b"x")
    assert server.messages[0].recipients == ("b@example.org",)


@pytest.mark.parametrize("line", [b"NOOP\n", b"NOOP\rRSET\r\n", b"NO\0OP\r\n"])
def test_line_ends_have_to_be_crlf(line: bytes) -> None:
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        client.ehlo()
        assert exchange(client, line)[0][0] == 500
        assert client.noop()[0] == 250
    assert len(server.violations) == 1
    assert "alone" in server.violations[0]


def test_an_endless_line_ends_the_connection() -> None:
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        assert exchange(client, b"A" * 12288)[0][0] == 554
    assert "12288" in server.violations[0]


def test_pipelined_groups() -> None:
    group = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        client.ehlo()
        assert [code for code, _ in exchange(client, group, 3)] == [250, 250, 354]
        content_and_group = b"one\r\n.\r\nRSET\r\n" + group
        assert [code for code, _ in exchange(client, content_and_group, 5)] == [
            250,
            250,
            250,
            250,
            354,
        ]
        assert exchange(client, b"two\r\n.\r\n")[0][0] == 250
    assert [message.content for message in server.messages] == [b"one\r\n", b"two\r\n"]
    assert server.violations == ()


@pytest.mark.parametrize(
    "octets",
    [b"NOOP\r\nNOOP\r\n", b"EHLO x\r\nNOOP\r\n", b"DATA\r\ncontent\r\n", b"QUIT\r\n\r\n"],
)
def test_commands_that_end_a_group_are_not_followed(octets: bytes) -> None:
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        client.ehlo()
        assert exchange(client, octets)[0] == (554, b"5.5.0 Synchronization error")
        server.wait_until(lambda: bool(server.violations))
    assert "followed" in server.violations[0]


def test_no_groups_without_pipelining() -> None:
    with (
        SmtpServer(security="insecure_plaintext", extensions=WITHOUT_PIPELINING) as server,
        connected(server) as client,
    ):
        client.ehlo()
        group = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n"
        assert exchange(client, group)[0][0] == 554
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.getreply()
    assert len(server.violations) == 1


def test_nothing_follows_the_content_without_pipelining() -> None:
    with (
        SmtpServer(security="insecure_plaintext", extensions=WITHOUT_PIPELINING) as server,
        connected(server) as client,
    ):
        client.ehlo()
        client.mail("a@example.org")
        client.rcpt("b@example.org")
        client.docmd("DATA")
        assert exchange(client, b"x\r\n.\r\nRSET\r\n")[0][0] == 554
    assert server.messages == ()


def test_content_over_the_announced_size_is_refused() -> None:
    with (
        SmtpServer(security="insecure_plaintext", extensions=("SIZE 10",)) as server,
        connected(server) as client,
    ):
        client.ehlo()
        for size, code in ((11, 552), (10, 250)):
            client.mail("a@example.org")
            client.rcpt("b@example.org")
            assert client.data(b"x" * (size - 2) + b"\r\n")[0] == code
    assert [len(message.content) for message in server.messages] == [10]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a\rb\r\n", "CR without LF"),
        (b"a\nb\r\n", "LF without CR"),
        (b"a\n.\nb\r\n", "LF without CR"),
        (b"a\r\n.\nb\r\n", "LF without CR"),
        (b"a\0b\r\n", "NUL"),
        (b"x" * 999 + b"\r\n", "999 octets"),
        ("ä\r\n".encode(), "8BITMIME"),
    ],
)
def test_faults_of_content_are_recorded(content: bytes, words: str) -> None:
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        client.ehlo()
        client.mail("a@example.org")
        client.rcpt("b@example.org")
        client.docmd("DATA")
        assert exchange(client, content + b".\r\n")[0][0] == 250
    assert words in server.violations[0]
    assert len(server.violations) == 1


@pytest.mark.parametrize("option", ["BODY=8BITMIME", "SMTPUTF8"])
def test_announced_eight_bit_content_is_no_fault(option: str) -> None:
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        client.sendmail(
            "a@example.org", "b@example.org", b"x" * 998 + "\r\nä\r\n".encode(), [option]
        )
    assert server.violations == ()
