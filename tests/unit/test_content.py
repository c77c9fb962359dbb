"""prepare() and dot_stuff(): the octets of a message as SMTP carries them."""

from __future__ import annotations

import pytest

from mailsend.content import END_OF_DATA, dot_stuff, prepare
from mailsend.errors import InvalidMessage


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        (b"", b"\r\n"),
        (b"a", b"a\r\n"),
        (b"a\r\n", b"a\r\n"),
        (b"a\n", b"a\r\n"),
        (b"a\r", b"a\r\n"),
        (b"a\r\nb", b"a\r\nb\r\n"),
        (b"a\nb\rc\r\nd", b"a\r\nb\r\nc\r\nd\r\n"),
        (b"\r", b"\r\n"),
        (b"\n", b"\r\n"),
        (b"\r\r", b"\r\n\r\n"),
        (b"\n\n", b"\r\n\r\n"),
        (b"\n\r", b"\r\n\r\n"),
        (b"\r\r\n", b"\r\n\r\n"),
        (b"\r\n\n", b"\r\n\r\n"),
        # What smugglers send (SMTP smuggling, 2023): a line end that only one side sees.
        (b"x\r.\r\ny", b"x\r\n.\r\ny\r\n"),
        (b"x\n.\ny", b"x\r\n.\r\ny\r\n"),
        (b"x\n.\r\ny", b"x\r\n.\r\ny\r\n"),
        (b"x\r\n.\ny", b"x\r\n.\r\ny\r\n"),
        (b"x\r\n.\ry", b"x\r\n.\r\ny\r\n"),
        (b"x\r.\ry", b"x\r\n.\r\ny\r\n"),
        # Other separators of Unicode end no line of mail.
        ("x\x0b\x0c\x1c\x85\u2028y".encode(), "x\x0b\x0c\x1c\x85\u2028y\r\n".encode()),
    ],
)
def test_every_line_ends_with_crlf(given: bytes, canonical: bytes) -> None:
    content = prepare(given)
    assert content.data == canonical
    assert content.size == len(canonical)


@pytest.mark.parametrize(
    ("canonical", "stuffed"),
    [
        (b"\r\n", b"\r\n"),
        (b".\r\n", b"..\r\n"),
        (b"..\r\n", b"...\r\n"),
        (b"a\r\n.\r\nb\r\n", b"a\r\n..\r\nb\r\n"),
        (b"a\r\n..b\r\n", b"a\r\n...b\r\n"),
        (b".\r\n.\r\n.\r\n", b"..\r\n..\r\n..\r\n"),
        (b"\r\n.\r\n", b"\r\n..\r\n"),
        (b"a.b.\r\n", b"a.b.\r\n"),
        (b"a\r\n .\r\n", b"a\r\n .\r\n"),
    ],
)
def test_a_dot_at_the_start_of_a_line_is_doubled(canonical: bytes, stuffed: bytes) -> None:
    assert dot_stuff(canonical) == stuffed
    assert (dot_stuff(canonical) + END_OF_DATA).endswith(b"\r\n.\r\n")


def test_nothing_smuggled_survives_preparing_and_stuffing() -> None:
    for end in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r\n.\r\n", b"\r.\r\n"):
        sent = dot_stuff(prepare(b"a" + end + b"MAIL FROM:<e@evil.org>\r\n").data)
        assert b"\n.\r\n" not in sent
        assert b"\r\n.\r\n" not in sent + b"QUIT\r\n"
        assert sent.replace(b"\r\n", b"").count(b"\r") == 0
        assert sent.replace(b"\r\n", b"").count(b"\n") == 0


@pytest.mark.parametrize("given", [b"\0", b"a\0b", b"x\r\n\0.\r\n", b"a" * 5000 + b"\0"])
def test_nul_is_refused(given: bytes) -> None:
    with pytest.raises(InvalidMessage, match="NUL"):
        prepare(given)


@pytest.mark.parametrize("before", [b"", b"x\r\n", b"x\r\n" * 700, b"y" * 998 + b"\r\n"])
@pytest.mark.parametrize("after", [b"", b"\r\n", b"\n", b"\r", b"\r\nz\r\n", b"\nz"])
def test_a_line_has_at_most_998_octets(before: bytes, after: bytes) -> None:
    assert prepare(before + b"x" * 998 + after).size >= 1000
    with pytest.raises(InvalidMessage, match="998"):
        prepare(before + b"x" * 999 + after)


def test_octets_count_not_characters() -> None:
    assert prepare("é".encode() * 499).size == 1000
    with pytest.raises(InvalidMessage, match="998"):
        prepare("é".encode() * 500)


@pytest.mark.parametrize(
    ("given", "eight_bit", "in_header"),
    [
        (b"Subject: x\r\n\r\nbody\r\n", False, False),
        (b"Subject: x\r\n\r\nb\xc3\xb6dy\r\n", True, False),
        (b"Subject: x\n\nb\xc3\xb6dy", True, False),
        (b"Subject: \xc3\xb6\r\n\r\nbody\r\n", True, True),
        (b"Subject: \xc3\xb6\r\n\r\nb\xc3\xb6dy\r\n", True, True),
        (b"Subject: \xc3\xb6\r\n", True, True),
        (b"Subject: x\r\n", False, False),
        # An empty header section: all that follows is body.
        (b"\r\nb\xc3\xb6dy\r\n", True, False),
        (b"\nb\xc3\xb6dy\n\nmore", True, False),
    ],
)
def test_eight_bit_octets_are_seen_where_they_are(
    given: bytes, eight_bit: bool, in_header: bool
) -> None:
    content = prepare(given)
    assert (content.eight_bit, content.eight_bit_header) == (eight_bit, in_header)


@pytest.mark.parametrize(
    "given", [bytearray(b"a\n"), memoryview(b"a\n"), memoryview(b"xaxx\n")[1::3]]
)
def test_other_kinds_of_octets(given: bytes) -> None:
    assert prepare(given).data == b"a\r\n"


@pytest.mark.parametrize("given", ["text", None, 5, [b"x"]])
def test_anything_else_is_refused(given: object) -> None:
    with pytest.raises(InvalidMessage, match="content has to be bytes"):
        prepare(given)  # type: ignore[arg-type]
