"""Transcript: bounded, and printable whatever the network sends."""

from __future__ import annotations

import pytest

from mailsend.reply import Reply
from mailsend.transcript import MAX_LINES, Transcript


def test_each_side_has_its_mark() -> None:
    transcript = Transcript()
    transcript.note("connected")
    transcript.received(Reply.parse(b"220 mx ESMTP"))
    transcript.sent(b"EHLO host.example.org")
    transcript.received(Reply.parse(b"250-mx\r\n250-PIPELINING\r\n250 8BITMIME"))
    transcript.sent_secret("AUTH PLAIN ***")
    transcript.received(Reply.parse(b"535 5.7.8 Error: authentication failed"))
    assert transcript.tail() == (
        "-- connected",
        "S: 220 mx ESMTP",
        "C: EHLO host.example.org",
        "S: 250-mx",
        "S: 250-PIPELINING",
        "S: 250 8BITMIME",
        "C: AUTH PLAIN ***",
        "S: 535 5.7.8 Error: authentication failed",
    )


def test_only_the_last_entries_are_kept() -> None:
    transcript = Transcript(max_lines=3)
    for number in range(1000):
        transcript.sent(b"NOOP %d" % number)
    assert transcript.tail() == ("C: NOOP 997", "C: NOOP 998", "C: NOOP 999")
    for _ in range(1000):
        transcript.note("x")
    assert len(Transcript().tail()) == 0
    assert len(transcript.tail(10_000)) == 3


def test_the_default_bound() -> None:
    transcript = Transcript()
    for number in range(MAX_LINES + 50):
        transcript.note(str(number))
    assert len(transcript.tail(10_000)) == MAX_LINES
    assert transcript.tail(10_000)[0] == "-- 50"


@pytest.mark.parametrize(("count", "lines"), [(0, 0), (1, 1), (2, 2), (5, 5), (6, 5)])
def test_tail_shows_as_many_as_asked(count: int, lines: int) -> None:
    transcript = Transcript()
    for number in range(5):
        transcript.note(str(number))
    assert len(transcript.tail(count)) == lines


def test_a_long_command_is_cut() -> None:
    transcript = Transcript()
    transcript.sent(b"NOOP " + b"x" * 100_000)
    assert len(transcript.tail()[0]) == len("C: ") + 500


def test_a_long_reply_is_cut() -> None:
    transcript = Transcript()
    transcript.received(Reply(250, None, tuple("x" * 8000 for _ in range(128))))
    tail = transcript.tail()
    assert len(tail) == 40
    assert all(len(line) <= 510 for line in tail)
    assert tail[0].startswith("S: 250-x")
    assert tail[-1].startswith("S: 250 x")


def test_what_does_not_print_is_escaped() -> None:
    transcript = Transcript()
    transcript.sent(b"NOOP \x1b[31m\0\xff\n")
    transcript.received(Reply.parse(b"250 \x1b[31m\0\xff"))
    for line in transcript.tail():
        assert line.isprintable()
        assert "\\x1b[31m" in line
        assert "\\xff" in line


def test_the_enhanced_status_stands_on_every_line() -> None:
    transcript = Transcript()
    transcript.received(Reply.parse(b"550-5.1.1 one\r\n550 5.1.1 two"))
    assert transcript.tail() == ("S: 550-5.1.1 one", "S: 550 5.1.1 two")
