"""Laws of the reply parser."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailsend.reply import EnhancedStatus, MalformedReply, Reply, ReplyParser

codes = st.integers(200, 599)
statuses = st.none() | st.builds(
    EnhancedStatus, st.sampled_from([2, 4, 5]), st.integers(0, 999), st.integers(0, 999)
)
texts = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), max_size=40).map(
    str.strip
)


def wire_form(code: int, lines: list[bytes], end: bytes = b"\r\n") -> bytes:
    return b"".join(
        b"%d%s%s%s" % (code, b" " if i == len(lines) - 1 else b"-", line, end)
        for i, line in enumerate(lines)
    )


raw_lines = st.binary(max_size=40).filter(lambda line: b"\n" not in line)
replies_on_the_wire = st.builds(
    wire_form,
    codes,
    st.lists(raw_lines, min_size=1, max_size=5),
    st.sampled_from([b"\r\n", b"\n"]),
)


def outcome(chunks: list[bytes], max_line: int = 60, max_lines: int = 4) -> list[Reply | str]:
    """What a parser makes of chunks: replies, and the error that ended it."""
    parser = ReplyParser(max_line, max_lines)
    seen: list[Reply | str] = []
    try:
        for chunk in chunks:
            parser.feed(chunk)
            while (reply := parser.next_reply()) is not None:
                seen.append(reply)
    except MalformedReply as error:
        seen.append(str(error))
    return seen


# Around the bounds of `outcome`, and the same again and again, as it is in a session.
around_the_bounds = st.builds(
    wire_form, codes, st.lists(st.integers(52, 58).map(lambda n: b"x" * n), min_size=1, max_size=6)
)
repeated = st.builds(
    lambda replies, times: replies * times,
    st.lists(replies_on_the_wire, max_size=3).map(b"".join),
    st.integers(1, 4),
)
streams = st.lists(
    replies_on_the_wire | around_the_bounds | repeated | st.binary(max_size=60), max_size=5
).map(b"".join)


@given(streams, st.data())
def test_fragments_make_no_difference(octets: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=20)))
    pieces = [octets[a:b] for a, b in zip([0, *cuts], [*cuts, len(octets)], strict=True)]
    whole = outcome([octets])
    assert outcome(pieces) == whole
    assert outcome([octets[i : i + 1] for i in range(len(octets))]) == whole


# Few words, so that the same lines come again, alone and within other replies.
said_before = st.builds(
    wire_form,
    st.sampled_from([250, 354]),
    st.lists(st.sampled_from([b"ok", b"2.0.0 ok", b""]), min_size=1, max_size=3),
)


@given(st.lists(said_before | replies_on_the_wire, max_size=12))
def test_a_reply_means_the_same_behind_others_as_alone(stream: list[bytes]) -> None:
    parser = ReplyParser()
    parser.feed(b"".join(stream))
    assert list(iter(parser.next_reply, None)) == [Reply.parse(octets) for octets in stream]
    assert not parser.has_leftover


@given(st.lists(around_the_bounds | repeated, max_size=2).map(b"".join))
def test_no_cut_in_two_makes_a_difference(octets: bytes) -> None:
    whole = outcome([octets])
    for cut in range(len(octets) + 1):
        assert outcome([octets[:cut], octets[cut:]]) == whole, cut


@given(st.lists(replies_on_the_wire), st.data())
def test_what_is_left_over_does_not_depend_on_fragments(
    stream: list[bytes], data: st.DataObject
) -> None:
    octets = b"".join(stream)
    end = data.draw(st.integers(0, len(octets)))
    whole, single = ReplyParser(), ReplyParser()
    whole.feed(octets[:end])
    replies = sum(1 for _ in iter(whole.next_reply, None))
    for i in range(end):
        single.feed(octets[i : i + 1])
        replies -= single.next_reply() is not None
    assert replies == 0
    assert single.octets_waiting == whole.octets_waiting
    assert single.has_leftover is whole.has_leftover
    ends = {len(b"".join(stream[:n])) for n in range(len(stream) + 1)}
    assert whole.has_leftover is (end not in ends)


@given(st.binary(max_size=300) | st.lists(replies_on_the_wire).map(b"".join))
def test_any_octets_give_replies_or_malformed_reply(octets: bytes) -> None:
    parser = ReplyParser(100, 4)
    parser.feed(octets)
    refusal = ""
    try:
        while (reply := parser.next_reply()) is not None:
            assert 200 <= reply.code <= 599
            assert 1 <= len(reply.lines) <= 4
            assert str(reply).isprintable()
            assert all(line.isprintable() for line in reply.lines)
    except MalformedReply as error:
        refusal = str(error)
    assert refusal.isprintable()


@given(st.lists(st.binary(max_size=80), max_size=60))
def test_what_waits_is_never_more_than_a_line_and_a_chunk(chunks: list[bytes]) -> None:
    parser = ReplyParser(max_line_octets=50, max_lines=3)
    try:
        for chunk in chunks:
            parser.feed(b"250-" + chunk)
            while parser.next_reply() is not None:
                pass
            assert parser.octets_waiting < 50
    except MalformedReply:
        assert parser.octets_waiting <= 50 + 84


@given(codes, st.lists(raw_lines, min_size=1, max_size=5))
def test_code_and_number_of_lines_survive(code: int, lines: list[bytes]) -> None:
    reply = Reply.parse(wire_form(code, lines))
    assert reply.code == code
    assert len(reply.lines) == len(lines)


@given(codes, statuses, texts)
def test_str_of_a_one_line_reply_reads_back(
    code: int, status: EnhancedStatus | None, text: str
) -> None:
    written = str(Reply(code, status, (text,)))
    assert str(Reply.parse(written)) == written
    assert Reply.parse(written).code == code
    if status is not None:
        assert Reply.parse(written) == Reply(code, status, (text,))
