"""ReplyParser: what it takes, what it refuses, and its bounds."""

from __future__ import annotations

import pytest

from mailsend.reply import MAX_LINE_OCTETS, MAX_LINES, MalformedReply, Reply, ReplyParser


def parse_all(octets: bytes, parser: ReplyParser | None = None) -> list[Reply]:
    parser = parser or ReplyParser()
    parser.feed(octets)
    replies = []
    while (reply := parser.next_reply()) is not None:
        replies.append(reply)
    return replies


@pytest.mark.parametrize(
    "octets",
    [
        b"\r\n",
        b"\n",
        b" \r\n",
        b"2_2 ok\r\n",
        b"+22 ok\r\n",
        b" 22 ok\r\n",
        b"999 ok\r\n",
        b"600 ok\r\n",
        b"100 ok\r\n",
        b"000 ok\r\n",
        b"-25 ok\r\n",
        b"25\r\n",
        b"25 ok\r\n",
        b"2500 ok\r\n",
        b"250ok\r\n",
        b"250\tok\r\n",
        b"250_ok\r\n",
        b"\xb2\xb5\xb0 ok\r\n",
        "２５０ ok\r\n".encode(),
        b"\xef\xbb\xbf250 ok\r\n",
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        b"HTTP/1.1 400 Bad Request\r\n",
        b"* OK IMAP4rev1 ready\r\n",
        b"+OK POP3 ready\r\n",
        b"\x15\x03\x01\x00\x02\x02\n",
        b"\xfe\x00garbage \x80\x81\n",
        b"what\r\n",
        b"250-one\r\n\r\n",
        b"250-one\r\nok\r\n",
    ],
)
def test_what_is_no_reply_line_is_refused(octets: bytes) -> None:
    with pytest.raises(MalformedReply) as caught:
        parse_all(octets)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "octets",
    [
        b"220-mx.example.test\r\n521 5.5.1 Protocol error\r\n",
        b"250-2.1.5 one\r\n550 5.1.1 two\r\n",
        b"250-a\r\n250-b\r\n251 c\r\n",
        b"550-a\r\n250 b\r\n",
    ],
)
def test_one_reply_has_one_code(octets: bytes) -> None:
    with pytest.raises(MalformedReply, match="two codes"):
        parse_all(octets)


def test_the_code_of_one_reply_does_not_bind_the_next() -> None:
    codes = [reply.code for reply in parse_all(b"250-a\r\n250 b\r\n550 c\r\n354 d\r\n")]
    assert codes == [250, 550, 354]


def test_a_line_may_be_as_long_as_the_bound_and_no_longer() -> None:
    longest = b"250 " + b"x" * (MAX_LINE_OCTETS - 6) + b"\r\n"
    assert len(longest) == MAX_LINE_OCTETS
    assert parse_all(longest)[0].text == "x" * (MAX_LINE_OCTETS - 6)
    with pytest.raises(MalformedReply, match=str(MAX_LINE_OCTETS)):
        parse_all(b"x".join([longest[:-2], b"\r\n"]))


def test_a_long_line_is_refused_before_its_end_arrives() -> None:
    parser = ReplyParser(max_line_octets=100)
    parser.feed(b"250 " + b"x" * 95)
    assert parser.next_reply() is None
    parser.feed(b"x")
    with pytest.raises(MalformedReply, match="100 octets"):
        parser.next_reply()


def test_a_reply_may_have_as_many_lines_as_the_bound_and_no_more() -> None:
    assert len(parse_all(b"250-x\r\n" * (MAX_LINES - 1) + b"250 x\r\n")[0].lines) == MAX_LINES
    with pytest.raises(MalformedReply, match=f"{MAX_LINES} lines"):
        parse_all(b"250-x\r\n" * MAX_LINES)


def test_the_bound_of_lines_is_of_one_reply_not_of_the_stream() -> None:
    parser = ReplyParser(max_lines=2)
    assert len(parse_all(b"250-a\r\n250 b\r\n" * 10, parser)) == 10


def test_an_endless_reply_is_cut_off_while_little_is_held() -> None:
    parser = ReplyParser(max_line_octets=512, max_lines=16)
    for _ in range(15):
        parser.feed(b"250-" + b"x" * 400 + b"\r\n")
        assert parser.next_reply() is None
    parser.feed(b"250-" + b"x" * 400 + b"\r\n")
    with pytest.raises(MalformedReply, match="16 lines"):
        parser.next_reply()
    assert parser.octets_waiting <= 512


def test_leftovers_are_seen() -> None:
    parser = ReplyParser()
    assert not parser.has_leftover
    parser.feed(b"250-a\r\n")
    assert parser.next_reply() is None
    assert parser.has_leftover
    assert parser.octets_waiting == 0
    parser.feed(b"250 b\r\n22")
    assert parser.next_reply() == Reply(250, None, ("a", "b"))
    assert parser.has_leftover
    assert parser.octets_waiting == 2


def test_carriage_returns_before_the_line_feed_are_no_text() -> None:
    assert parse_all(b"250 ok\r\r\n")[0].text == "ok"
