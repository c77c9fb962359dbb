"""Address lists, read strictly."""

from __future__ import annotations

import pytest

from mailsend.errors import InvalidMessage
from mailsend.message.address_list import read_address_list


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \t ", []),
        ("(nobody)", []),
        ("a@x.org", ["a@x.org"]),
        (" a@x.org , b@x.org ", ["a@x.org", "b@x.org"]),
        ("a@x.org,b@x.org", ["a@x.org", "b@x.org"]),
        ("a@x.org,\r\n b@x.org,\n\tc@x.org", ["a@x.org", "b@x.org", "c@x.org"]),
        ("<a@x.org>", ["a@x.org"]),
        ("< a@x.org >", ["a@x.org"]),
        ("Ada<a@x.org>", ["a@x.org"]),
        ("Ada Lovelace <a@x.org>", ["a@x.org"]),
        ("J. R. Hacker <a@x.org>", ["a@x.org"]),
        ('"Lovelace, Ada <e@evil.org>" <a@x.org>', ["a@x.org"]),
        ('"a\\"b\\\\" <a@x.org>', ["a@x.org"]),
        ('Ada "the, first" Lovelace <a@x.org>', ["a@x.org"]),
        ("Ädä <a@x.org>", ["a@x.org"]),
        ("Ada\xa0Lovelace <a@x.org>", ["a@x.org"]),
        ("=?utf-8?q?A=2C_evil=40evil=2Eorg?= <a@x.org>", ["a@x.org"]),
        ("a@x.org (Ada, <e@evil.org>)", ["a@x.org"]),
        ("(a (nested) \\) comment) a@x.org, b@x.org", ["a@x.org", "b@x.org"]),
        ("Ada (x) <a@x.org> (y)", ["a@x.org"]),
        ("(" * 8 + ")" * 8 + "a@x.org", ["a@x.org"]),
        ("undisclosed-recipients:;", []),
        ("Team: a@x.org, Bob <b@x.org>;", ["a@x.org", "b@x.org"]),
        ("Team: a@x.org; , c@x.org", ["a@x.org", "c@x.org"]),
        ('c@x.org, "The, team": a@x.org;', ["c@x.org", "a@x.org"]),
        ("A: a@x.org;, B: b@x.org;", ["a@x.org", "b@x.org"]),
        ('"a b"@x.org', ['"a b"@x.org']),
        ('<"a,b"@x.org>', ['"a,b"@x.org']),
        ("a@[127.0.0.1]", ["a@[127.0.0.1]"]),
        ("jörg@bücher.example", ["jörg@bücher.example"]),
        # Of the form of an address; whether it is one, parse_address() knows.
        ("me", ["me"]),
        ("a@b@c", ["a@b@c"]),
        ("a..b@x.org", ["a..b@x.org"]),
    ],
)
def test_what_can_be_read_in_one_way(text: str, expected: list[str]) -> None:
    assert list(read_address_list(text, name="To")) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (",", "missing"),
        ("a@x.org,", "missing"),
        (",a@x.org", "missing"),
        ("a@x.org,,b@x.org", "missing"),
        ("<>", "missing"),
        ("Ada <>", "missing"),
        ("a@x.org b@x.org", "blanks"),
        ("a @x.org", "blanks"),
        ("a@x .org", "blanks"),
        ("a(c)@x.org", "blanks"),
        ("<a @x.org>", "blanks"),
        ("Ada Lovelace", "blanks"),
        ("<a@x.org> NOTIFY=NEVER", "behind"),
        ("<a@x.org> <b@x.org>", "cannot have"),
        ("<a@x.org", "behind"),
        ("<<a@x.org>>", "cannot have"),
        ("a@x.org>", "cannot have"),
        ("a@b <c@x.org>", "need quotes"),
        ("[x] <c@x.org>", "need quotes"),
        ("<@evil.org:a@x.org>", "colon"),
        ("<@evil.org,@b:a@x.org>", "behind"),
        ("a@x.org;b@x.org", "semicolon"),
        ("a@x.org;", "semicolon"),
        (":;", "colon"),
        ("a@x.org:b@x.org;", "colon"),
        ("A: B: b@x.org;;", "colon"),
        ("A: a@x.org", "no end"),
        ("A: a@x.org,;", "missing"),
        ("A: a@x.org; b@x.org", "between a group"),
        ("A:;,", "missing"),
        ("a@x.org)b@x.org", "'\\)'"),
        ("(a@x.org", "no end"),
        ("(" * 9 + ")" * 9 + "a@x.org", "too deep"),
        ("(" * 100_000, "too deep"),
        ('"a <a@x.org>', "'\"'"),
        ("a\\@x.org", "at "),
        ("[a@x.org", "at "),
        ("a@x.org\r\nBcc: b@x.org", "U\\+000D"),
        ("a@x.org\nb@x.org", "U\\+000A"),
        ("a\0@x.org", "U\\+0000"),
        ('"a\x0bb" <a@x.org>', "U\\+000B"),
        ("Ada\u2028<a@x.org>", "U\\+2028"),
        ("Ada\x85<a@x.org>", "U\\+0085"),
        ("=?utf-8?q?b?=@x.org", "encoded word"),
        ("<=?utf-8?q?a=40x.org?=>", "encoded word"),
    ],
)
def test_what_cannot_be_read_in_one_way(text: str, words: str) -> None:
    with pytest.raises(InvalidMessage, match=f"the field Reply-To .*{words}"):
        read_address_list(text, name="Reply-To")
