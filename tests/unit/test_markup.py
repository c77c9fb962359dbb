"""HTML read the way browsers read it."""

# ruff: noqa: E501 - a table is read by its rows
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsend.markup import Kind, depth, pieces


def read(source: str) -> list[str]:
    """Pieces in short: ``<a x=y>``, ``</a>``, ``!comment``, ``text``."""
    short = []
    for piece in pieces(source):
        attributes = "".join(f" {name}={value}" for name, value in piece.attributes.items())
        short.append(
            {
                Kind.TEXT: piece.text,
                Kind.START: f"<{piece.name}{attributes}>",
                Kind.END: f"</{piece.name}>",
                Kind.COMMENT: f"!{piece.text}",
            }[piece.kind]
        )
    return short


# What Chromium's parser makes of each; WHATWG HTML §13.2.5 says the same.
CASES = [
    ("", []),
    ("a &amp; b", ["a & b"]),
    ("<p>x</p>", ["<p>", "x", "</p>"]),
    ("<P CLASS=a Title='b' data-x=\"c\" d>", ["<p class=a title=b data-x=c d=>"]),
    ("<a href=x&amp;y?a=1&copy=2>", ["<a href=x&y?a=1&copy=2>"]),
    ("<a href = 'x' >", ["<a href=x>"]),
    ("<a b=1 b=2>", ["<a b=1>"]),
    ("<a/b/c>", ["<a b= c=>"]),
    ("<a =b=c>", ["<a =b=c>"]),
    ('<a b="c"d=e>', ["<a b=c d=e>"]),
    ("<a b=c/>", ["<a b=c/>"]),
    ("<a b=>c", ["<a b=>", "c"]),
    ("<br/>", ["<br>"]),
    ("</p x=y>", ["</p x=y>".replace(" x=y", "")]),
    ("a < b <3 <", ["a ", "<", " b ", "<", "3 ", "<"]),
    ("<!-- a -- b --><i>", ["! a -- b ", "<i>"]),
    ("<!--><i>", ["!", "<i>"]),
    ("<!---><i>", ["!", "<i>"]),
    ("<!-- a --!><i>", ["! a ", "<i>"]),
    ("<!-- a <i>", ["! a <i>"]),
    ("<!doctype html><i>", ["!doctype html", "<i>"]),
    ("<![if !mso]><i>", ["![if !mso]", "<i>"]),
    ("<?xml ?><i>", ["!xml ?", "<i>"]),
    ("</ x><i>", ["! x", "<i>"]),
    ("</>x", ["!", "x"]),
    ("<style>a<b>&amp;</style ><i>", ["<style>", "a<b>&amp;", "</style>", "<i>"]),
    ("<style></styles></STYLE/><i>", ["<style>", "</styles>", "</style>", "<i>"]),
    ("<title><b>&amp;</title><i>", ["<title>", "<b>&", "</title>", "<i>"]),
    ("<title><!--</title><i>-->", ["<title>", "<!--", "</title>", "<i>", "-->"]),
    ("<plaintext><i></plaintext>", ["<plaintext>", "<i></plaintext>"]),
    ("<script>'<b>'", ["<script>", "'<b>'"]),
    ("x<a b='c>", ["x"]),
    ("x<a b", ["x"]),
    ("<a\0b>", ["<a\ufffdb>"]),
    ("<K\u0130>", ["<k\u0130>"]),
]  # fmt: skip


@pytest.mark.parametrize(("source", "expected"), CASES)
def test_pieces(source: str, expected: list[str]) -> None:
    assert read(source) == expected


TOKENS = st.lists(
    st.sampled_from(
        ["<", ">", "/", "a", "=", '"', "'", " ", "!", "-", "--", "<!--", "-->", "<style", "</style>",
         "<title>", "</title>", "&amp;", "\0", "\n", "<plaintext>", "?", "é"]
    ),
    max_size=40,
)  # fmt: skip


@given(TOKENS)
def test_pieces_stand_one_behind_the_other(tokens: list[str]) -> None:
    source = "".join(tokens)
    position = 0
    for piece in pieces(source):
        assert piece.start == position
        assert piece.end > position
        position = piece.end
    assert position <= len(source) + 1


@pytest.mark.parametrize(
    "unit",
    ["<", "<a ", "<!--", "</", '<a b="', "<style>", "&", "<a =", "<a b = ", "<![", "<title>"],
)
def test_hostile_html_takes_no_more_than_one_look_at_each_character(unit: str) -> None:
    # With quadratic time this would run for hours.
    assert sum(1 for _ in pieces(unit * 50_000)) <= 50_001


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<div>" * 7, 7),
        ("<div><p>a</div>" * 9, 2),
        ("<ul><li>a<li>b</ul>" * 9, 2),
        ("<table><tr><td></div>" * 3, 9),
        ("<div></x>" * 9, 9),
        ("<br><img>" * 9, 0),
        ("</p></div>", 0),
        ("<div>" * 99, 51),
    ],
)
def test_depth(source: str, expected: int) -> None:
    assert depth(source, 50) == expected
