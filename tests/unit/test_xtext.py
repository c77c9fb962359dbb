"""xtext and the 7-bit form of internationalised addresses, by tables."""

from __future__ import annotations

import pytest

from mailsend.xtext import decode_xtext, encode_utf8_address, encode_xtext


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"", ""),
        (b"ada@example.org", "ada@example.org"),
        (b"ada+news@example.org", "ada+2Bnews@example.org"),
        (b"a=b", "a+3Db"),
        (b"two words", "two+20words"),
        (b'!~"\\;,<>(){}', '!~"\\;,<>(){}'),
        (b"\r\n\0\t\x7f", "+0D+0A+00+09+7F"),
        ("é".encode(), "+C3+A9"),
        (b"+20", "+2B20"),
    ],
)  # fmt: skip
def test_octets_and_their_xtext(octets: bytes, text: str) -> None:
    assert encode_xtext(octets) == text
    assert decode_xtext(text) == octets


def test_what_need_not_be_encoded_may_be() -> None:
    assert decode_xtext("+41+42C") == b"ABC"


@pytest.mark.parametrize("text", ["+", "+4", "+4g", "+2b", "a b", "a=b", "é", "a\n", "\0", "++20"])
def test_what_is_no_xtext(text: str) -> None:
    with pytest.raises(ValueError, match="no xtext"):
        decode_xtext(text)


@pytest.mark.parametrize(
    ("address", "seven_bit", "eight_bit"),
    [
        ("ada@example.org", "ada@example.org", "ada@example.org"),
        ("δ@example.org", r"\x{3B4}@example.org", "δ@example.org"),
        ("é@example.org", r"\x{E9}@example.org", "é@example.org"),
        ("日+本@x.org", r"\x{65E5}\x{2B}\x{672C}@x.org", r"日\x{2B}本@x.org"),
        ("\U0001f600@x.org", r"\x{1F600}@x.org", "\U0001f600@x.org"),
        ("a\\ =@x.org", r"a\x{5C}\x{20}\x{3D}@x.org", r"a\x{5C}\x{20}\x{3D}@x.org"),
        ("a\r\n@x.org", r"a\x{0D}\x{0A}@x.org", r"a\x{0D}\x{0A}@x.org"),
    ],
)
def test_the_address_type_utf_8(address: str, seven_bit: str, eight_bit: str) -> None:
    assert encode_utf8_address(address, seven_bit=True) == seven_bit
    assert encode_utf8_address(address, seven_bit=False) == eight_bit
