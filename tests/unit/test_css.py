"""Styles moved into elements, with css-inline kept away from network, files and deep nesting."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mailsend import ConfigurationError, InvalidMessage, inline_css
from mailsend.css import _inliner


def test_rules_move_to_what_they_match() -> None:
    html = inline_css("<style>p { color: red } .b { margin: 0 }</style><p class=b>x</p>")
    assert '<p class="b" style="color: red;margin: 0;">x</p>' in html
    assert "color: red }" not in html


@pytest.mark.parametrize(
    "rule",
    [
        "@media (max-width:600px){p{color:blue !important}}",
        "a:hover { color: blue; }",
        'p::before { content: "x"; }',
        "@font-face{font-family:x}",
        "@import url(http://127.0.0.1:9/x.css);",
        "@media print{p{color:black}}",
    ],
)  # fmt: skip
def test_what_cannot_move_stays(rule: str) -> None:
    html = inline_css(f"<style>{rule} p {{ color: red }}</style><p>x <a>y</a></p>")
    assert rule in html
    assert '<p style="color: red;">' in html


@pytest.mark.parametrize(
    ("media", "moves"),
    [("print", False), ("(max-width: 600px)", False), ("screen", True), ("ALL", True)],
)
def test_styles_for_other_media_stay(media: str, moves: bool) -> None:
    html = inline_css(f'<style media="{media}">p {{ color: red }}</style><p>x</p>')
    assert ("<p style" in html) is moves
    assert ("p { color: red }" in html) is not moves
    assert "data-css-inline" not in html


def test_own_styles_win_and_text_stays() -> None:
    html = inline_css(
        '<!doctype html><style>p{color:red}</style><p style="color:blue">Grüße &amp; 日'
    )
    assert html.startswith("<!DOCTYPE html>")
    assert "blue" in html
    assert "red" not in html.partition("<p")[2]
    assert "Grüße &amp; 日" in html


def test_nothing_is_read_from_files_or_the_network(tmp_path: Path) -> None:
    sheet = tmp_path / "x.css"
    sheet.write_text("p { color: green }", "utf-8")
    for target in (str(sheet), sheet.as_uri(), "http://127.0.0.1:9/x.css", "x.css"):
        with pytest.raises(InvalidMessage, match="links a style sheet in line 2") as caught:
            inline_css(f'<p>\n<link href="{target}" rel="alternate STYLESHEET">')
        assert "<style>" in str(caught.value)
    html = inline_css(f'<style>@import "{sheet.as_uri()}"; b {{ color: red }}</style><p>x</p>')
    assert "green" not in html


def test_nor_where_css_inline_sees_a_link_that_we_do_not(tmp_path: Path) -> None:
    sheet = tmp_path / "x.css"
    sheet.write_text("p { color: green }", "utf-8")
    assert "green" not in _inliner().inline(f'<link rel="stylesheet" href="{sheet}"><p>x</p>')


@pytest.mark.parametrize("depth", [501, 100_000])
def test_deep_nesting_is_refused_before_it_overflows_the_stack(depth: int) -> None:
    with pytest.raises(InvalidMessage, match="more than 500 deep"):
        inline_css("<div>" * depth)
    assert inline_css("<div>" * 499 + "<p>x").count("<div>") == 499


@pytest.mark.parametrize("html", ["a\0", "a\ud800"])
def test_what_no_message_can_hold(html: str) -> None:
    with pytest.raises(InvalidMessage, match="NUL or a lone surrogate"):
        inline_css(html)
    with pytest.raises(InvalidMessage, match="string, not bytes"):
        inline_css(b"x")  # type: ignore[arg-type]


def test_the_extra_is_named_where_it_is_missing() -> None:
    code = (
        "import sys; sys.modules['css_inline'] = None\n"
        "from mailsend import ConfigurationError, inline_css\n"
        "try: inline_css('x')\n"
        "except ConfigurationError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "mailsend[html]" in done.stdout
    assert issubclass(ConfigurationError, ValueError)
