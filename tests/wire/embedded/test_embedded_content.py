"""Content through DATA and BDAT of the embedded server: every octet as it was sent."""

from __future__ import annotations

import smtplib
from collections.abc import Iterable
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsend.testing import DEFAULT_EXTENSIONS, Answer, Close, SmtpServer
from mailsend.testing.content import DataDecoder

CHUNKING = (*DEFAULT_EXTENSIONS, "CHUNKING", "BINARYMIME")
GROUP = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n"

# Made of what matters to dot-stuffing, so that every neighbourhood occurs.
fragments = st.lists(
    st.sampled_from([b".", b"..", b"\r\n", b"\r", b"\n", b"a", b"\r\n.\r\n", b"\0"])
)


def stuffed(content: bytes) -> bytes:
    """RFC 5321 §4.5.2, line by line; the content ends with CRLF or is empty."""
    *lines, last = content.split(b"\r\n")
    assert last == b""
    return b"".join((b"." if line[:1] == b"." else b"") + line + b"\r\n" for line in lines)


def decoded(pieces: Iterable[bytes]) -> tuple[bytes, bytes]:
    """The content, and everything behind it."""
    decoder, pieces = DataDecoder(), iter(pieces)
    for piece in pieces:
        if found := decoder.feed(piece):
            return found[0], found[1] + b"".join(pieces)
    raise AssertionError("The end was not found")


def connected(server: SmtpServer) -> closing[smtplib.SMTP]:
    client = smtplib.SMTP(server.host, server.port, "client.example", timeout=5)
    client.ehlo()
    return closing(client)


def exchange(client: smtplib.SMTP, octets: bytes, replies: int = 1) -> list[tuple[int, bytes]]:
    client.send(octets)
    return [client.getreply() for _ in range(replies)]


@given(fragments, fragments, st.data())
def test_unstuffing_undoes_stuffing_wherever_it_is_cut(
    parts: list[bytes], behind: list[bytes], data: st.DataObject
) -> None:
    content = b"".join(parts) + b"\r\n" if parts else b""
    wire = stuffed(content) + b".\r\n" + b"".join(behind)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)))))
    edges = zip([0, *cuts], [*cuts, len(wire)], strict=True)
    assert decoded(wire[a:b] for a, b in edges) == (content, b"".join(behind))


def test_every_single_cut() -> None:
    wire = b"..\r\n.a\r\n\r\n..\r\n.\r\nRSET\r\n"
    for cut in range(len(wire) + 1):
        assert decoded([wire[:cut], wire[cut:]]) == (b".\r\na\r\n\r\n.\r\n", b"RSET\r\n")


@pytest.mark.parametrize(
    "almost", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r\n\0.\r\n"]
)
def test_only_crlf_ends_the_content(almost: bytes) -> None:
    assert DataDecoder().feed(b"a" + almost + b"b") is None


def test_content_octet_by_octet_over_the_wire() -> None:
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        exchange(client, GROUP + b"DATA\r\n", 3)
        for octet in b"..dot\r\n.\r\n":
            client.send(bytes([octet]))
        assert client.getreply()[0] == 250
    assert server.messages[0].content == b".dot\r\n"


def test_empty_content() -> None:
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        exchange(client, GROUP + b"DATA\r\n", 3)
        assert exchange(client, b".\r\n")[0][0] == 250
    assert server.messages[0].content == b""


def test_bdat_takes_octets_as_they_are() -> None:
    with SmtpServer(security="insecure_plaintext", extensions=CHUNKING) as server:
        with connected(server) as client:
            chunks = b"BDAT 5\r\n.a\r\n.BDAT 0\r\nbdat 4 last\r\n\r\n\r\n"
            codes = [code for code, _ in exchange(client, GROUP + chunks + b"RSET\r\n", 6)]
            assert codes == [250] * 6
        assert server.messages[0].content == b".a\r\n.\r\n\r\n"
        assert server.commands[3:] == (b"BDAT 5", b"BDAT 0", b"bdat 4 last", b"RSET")
        assert server.violations == ()


def test_bdat_pipelines_whole_messages() -> None:
    with SmtpServer(security="insecure_plaintext", extensions=CHUNKING) as server:
        with connected(server) as client:
            one = b"RSET\r\n" + GROUP + b"BDAT 3 LAST\r\na\r\n"
            assert all(code == 250 for code, _ in exchange(client, one * 50, 200))
        assert len(server.messages) == 50


def test_bdat_without_a_recipient_swallows_its_chunk() -> None:
    with SmtpServer(security="insecure_plaintext", extensions=CHUNKING) as server:
        with connected(server) as client:
            refused = (
                b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b>\r\nBDAT 6\r\nRSET\r\nBDAT 2 LAST\r\n\r\n"
            )
            codes = [code for code, _ in exchange(client, refused + b"NOOP\r\n", 5)]
            assert codes == [250, 501, 554, 503, 250]
            assert exchange(client, b"BDAT x\r\n")[0][0] == 501
        assert server.messages == ()


def test_a_refused_chunk_taken_for_commands() -> None:
    with SmtpServer(
        security="insecure_plaintext", extensions=CHUNKING, discard_refused_chunks=False
    ) as server:
        with connected(server) as client:
            codes = [code for code, _ in exchange(client, b"BDAT 6 LAST\r\nRSET\r\n", 2)]
            assert codes == [503, 250]
        assert server.commands[-1] == b"RSET"


def test_data_and_bdat_do_not_mix() -> None:
    with SmtpServer(security="insecure_plaintext", extensions=CHUNKING) as server:
        with connected(server) as client:
            exchange(client, GROUP + b"BDAT 2\r\n\r\n", 3)
            assert client.docmd("DATA")[0] == 503
            assert client.docmd("RCPT TO:<c@example.org>")[0] == 503
            client.rset()
            client.docmd("MAIL FROM:<a@example.org> BODY=BINARYMIME")
            client.docmd("RCPT TO:<b@example.org>")
            assert client.docmd("DATA")[0] == 503
            assert exchange(client, b"BDAT 4 LAST\r\n\0\r\xff\n")[0][0] == 250
        assert server.messages[0].content == b"\0\r\xff\n"
        assert server.violations == ()


def test_bdat_that_was_not_offered() -> None:
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        assert exchange(client, b"BDAT 2 LAST\r\n\r\n", 2)[1][0] == 500
    assert "CHUNKING" in server.violations[0]


def test_scripted_chunks() -> None:
    with SmtpServer(security="insecure_plaintext", extensions=CHUNKING) as server:
        with connected(server) as client:
            server.on("BDAT", Answer("452 4.3.1 Full"), match=b"LAST")
            assert exchange(client, GROUP + b"BDAT 1 LAST\r\nx", 3)[2][0] == 452
            server.on("END_OF_DATA", Answer("451 4.3.0 Later"), match=b"y")
            assert exchange(client, b"RSET\r\n" + GROUP + b"BDAT 1 LAST\r\ny", 4)[3][0] == 451
            server.on("END_OF_DATA", Close())
            client.send(b"RSET\r\n" + GROUP + b"BDAT 1 LAST\r\nz")
            assert [client.getreply()[0] for _ in range(3)] == [250] * 3
            with pytest.raises(smtplib.SMTPServerDisconnected):
                client.getreply()
        assert [message.content for message in server.messages] == [b"z"]
