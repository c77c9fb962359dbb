"""Laws of the content: what is stuffed here is unstuffed there to the same octets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise, product

from hypothesis import assume, given
from hypothesis import strategies as st

from mailsend.content import END_OF_DATA, dot_stuff, prepare
from mailsend.errors import InvalidMessage
from mailsend.testing.content import DataDecoder

octets = st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"..", b"a", b" ", b"\xff", b"\r\n.", b"\n."]),
    max_size=40,
).map(b"".join)


def receive(sent: bytes) -> tuple[bytes, bytes]:
    """What a server of RFC 5321 makes of octets after 354: the message, and what is left."""
    message = b""
    while True:
        end = sent.index(b"\r\n")
        line, sent = sent[: end + 2], sent[end + 2 :]
        if line == b".\r\n":
            return message, sent
        message += line.removeprefix(b".")


@given(octets)
def test_what_arrives_is_what_was_prepared(given_octets: bytes) -> None:
    content = prepare(given_octets)
    message, left = receive(dot_stuff(content.data) + END_OF_DATA + b"QUIT\r\n")
    assert message == content.data
    assert left == b"QUIT\r\n"


def all_contents(longest: int) -> Iterator[bytes]:
    """Everything of the octets that matter here, up to a length."""
    for length in range(longest + 1):
        yield from map(bytes, product(b"\r\n.x", repeat=length))


def test_every_short_content_arrives_as_it_was_but_for_line_ends() -> None:
    for given_octets in all_contents(7):
        canonical = re.sub(rb"\r\n|\r|\n", b"\r\n", given_octets)
        canonical += b"" if canonical.endswith(b"\r\n") else b"\r\n"
        on_the_wire = dot_stuff(prepare(given_octets).data) + END_OF_DATA
        assert receive(on_the_wire + b"QUIT\r\n") == (canonical, b"QUIT\r\n"), given_octets
        # Whoever takes less than CRLF for a line end sees the end of data only there, too.
        assert re.search(rb"(?:\A|[\r\n])\.(?:\r|\n)", on_the_wire[:-3]) is None, given_octets


def test_every_short_content_arrives_in_any_two_pieces() -> None:
    for given_octets in all_contents(5):
        canonical = prepare(given_octets).data
        on_the_wire = dot_stuff(canonical) + END_OF_DATA
        for cut in range(1, len(on_the_wire)):
            decoder = DataDecoder()
            assert decoder.feed(on_the_wire[:cut]) is None, (given_octets, cut)
            assert decoder.feed(on_the_wire[cut:]) == (canonical, b""), (given_octets, cut)


@given(octets)
def test_text_is_unchanged_but_for_line_ends(given_octets: bytes) -> None:
    def lines(data: bytes) -> list[bytes]:
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")

    prepared = lines(prepare(given_octets).data)
    assert prepared[-1] == b""
    expected = lines(given_octets)
    assert prepared == (expected if expected[-1] == b"" and given_octets else [*expected, b""])


@given(octets)
def test_preparing_twice_changes_nothing(given_octets: bytes) -> None:
    once = prepare(given_octets)
    assert prepare(once.data) == once
    assert once.data.endswith(b"\r\n")
    assert once.data.replace(b"\r\n", b"").count(b"\r") == 0
    assert once.data.replace(b"\r\n", b"").count(b"\n") == 0


@given(
    st.lists(st.tuples(st.integers(0, 1003), st.sampled_from([b"\r\n", b"\n", b"\r"])), max_size=8)
)
def test_lines_up_to_998_octets_and_no_longer(shape: list[tuple[int, bytes]]) -> None:
    data = b"".join(b"x" * length + end for length, end in shape)
    # CR and LF of two neighbours would make one line end.
    assume(all(a[1] != b"\r" or b != (0, b"\n") for a, b in pairwise(shape)))
    try:
        prepare(data)
    except InvalidMessage:
        assert any(length > 998 for length, _ in shape)
    else:
        assert all(length <= 998 for length, _ in shape)
