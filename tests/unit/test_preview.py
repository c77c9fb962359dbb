"""The preview page: what it shows, what it finds, and that it holds everything fast."""

# ruff: noqa: E501 - a table is read by its rows
from __future__ import annotations

import html as html_module
import re
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailsend import AddressRules, Attachment, Envelope, InvalidAddress, InvalidMessage, compose
from mailsend.markup import Kind, pieces
from mailsend.message import parse, render
from mailsend.preview import findings_in, preview
from mailsend.preview.checks import GMAIL_CLIPS
from mailsend.preview.frame import framed

PNG = Attachment(b"\x89PNG\r\n\x1a\n", "logo.png")


def make(**parts: Any) -> EmailMessage:
    given = {
        "sender": "Ada <ada@example.org>",
        "to": "bob@example.org",
        "subject": "Hi",
        "text": "x",
    }
    return compose(**{**given, **parts})


def frame_of(page: str) -> str:
    found = re.search(r'<iframe sandbox="" [^>]*srcdoc="([^"]*)"', page)
    assert found is not None
    return html_module.unescape(found[1])


def shown(html: str, **parts: Any) -> str:
    """What the frame has of some HTML, without what every frame has."""
    return frame_of(preview(make(html=html, **parts))).partition("</style>")[2].strip()


def test_everything_is_on_the_page() -> None:
    page = preview(
        make(
            subject="Grüße – and more",
            bcc="eve@example.org",
            text="Plain <words>",
            html="<p>Rich words</p>",
            attachments=[Attachment(b"x" * 1500, "minutes & more.pdf")],
        )
    )
    for expected in (
        "<h1><bdi>Grüße – and more</bdi></h1>",
        "<title>Grüße – and more – preview</title>",
        "<bdi>Ada &lt;ada@example.org&gt;</bdi>",
        "<bdi>ada@example.org → bob@example.org, eve@example.org</bdi>",
        "<bdi>Plain &lt;words&gt;\n</bdi>",
        "<bdi>minutes &amp; more.pdf</bdi>",
        "<bdi>application/pdf</bdi></td><td>1.5 kB</td><td>attached</td>",
        "Subject: =?utf-8?",
        "Nothing odd was found.",
    ):
        assert expected in page
    assert "<p>Rich words</p>" in frame_of(page)


def test_octets_are_shown_as_they_are() -> None:
    message = make(bcc="eve@example.org", html="<p>x</p>")
    octets = render(parse(message), eight_bit=True, utf8=False)
    page = preview(octets)
    assert "Envelope" not in page
    assert "x" in page
    assert preview(b"") != ""
    with pytest.raises(InvalidMessage, match="not str"):
        preview("x")  # type: ignore[arg-type]
    with pytest.raises(InvalidMessage):
        preview(EmailMessage())


def test_what_cannot_be_seen_is_marked() -> None:
    page = preview(b"Subject: a\x07b\r\nFrom: \xe2\x80\xaemoc.evil@\r\n\r\nc\x00\xe2\x81\xa6d")
    for code in ("0007", "202E", "0000", "2066"):
        assert f'<span class="unseen">U+{code}</span>' in page
    assert not set("\x07\x00\u202e\u2066") & set(page)


def test_a_message_without_html_has_no_frame() -> None:
    page = preview(make(text="only"))
    assert "<iframe" not in page
    assert 'id="v-text" checked' in page
    assert "v-phone" not in page.partition("</style>")[2]


IMAGE = "data:image/png;base64,iVBORw0KGgo="


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p CLASS=a>x &amp; y</p>", '<p class="a">x &amp; y</p>'),
        ('<img src="cid:logo" alt="">', f'<img src="{IMAGE}" alt="">'),
        ('<img alt="" src="CID:lo%67o">', f'<img alt="" src="{IMAGE}">'),
        ('<p style="background:url(cid:logo)">', f'<p style="background:url(&quot;{IMAGE}&quot;)">'),
        ('<td background="cid:logo">', f'<td background="{IMAGE}">'),
        ('<img src="cid:other" alt="">', '<img src="data:," data-mailsend-blocked="" alt="">'),
        ('<img src="http://x.example/i" alt="a" width="9">', '<img src="data:," data-mailsend-blocked="" alt="a" width="9">'),
        ('<img src="data:image/svg+xml,x" alt="">', '<img src="data:," data-mailsend-blocked="" alt="">'),
        ('<p style="background:url(http://x.example)">', '<p style="background:url(&quot;data:,&quot;)">'),
        ('<a href="https://x.example/?a=1&copy=2">x</a>', '<a href="#mailsend-link" title="https://x.example/?a=1&amp;copy=2">x</a>'),
        ('<a href="javascript:alert(1)" onclick="x()" target=_top>x</a>', '<a href="#mailsend-link" title="javascript:alert(1)">x</a>'),
        ("<script>x</script>a<!-- b --><iframe>c</iframe><title>d</title>", "a"),
        ("<form action=x><input name=y>z</form>", "z"),
        ("<link rel=preconnect href=http://x.example>a<base href=http://x.example>", "a"),
        ("<meta http-equiv=refresh content=0><meta name=color-scheme content=dark>", '<meta name="color-scheme" content="dark">'),
        ("<style>p{color:red}</style>", "<style>p{color:red}</style>"),
        ("<style>@import 'http://x.example/';</style>", "<style>@import url(data:,);</style>"),
        ("<style>a</styl<!-- </style/>b", "<style>a\\3c /styl\\3c !-- </style>b"),
        ("<x-y>a</x-y></script></iframe>", "a"),
        ("<svg><a>x</a></svg>", "<a>x</a>"),
        ("a < b", "a &lt; b"),
        ("<p title='\"><script>'>", '<p title="&quot;&gt;&lt;script&gt;">'),
    ],
)  # fmt: skip
def test_what_the_frame_shows(html: str, expected: str) -> None:
    actual = shown(html, inline={"logo": PNG})
    assert sorted(re.split(r"[ >]", actual)) == sorted(re.split(r"[ >]", expected))


def test_the_frame_can_do_nothing() -> None:
    page = preview(make(html="<p>x"))
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    for document in (page, frame_of(page)):
        # Before anything of the message.
        assert policy in document[:400]
    assert page.count("<iframe") == 1
    assert 'sandbox=""' in page


FINDINGS = [
    ({"html": "<p>x"}, None),
    ({"text": None, "html": "<p>x"}, "no text part"),
    ({"subject": ""}, "no subject"),
    ({"subject": "x" * 71}, "subject has 71 characters"),
    ({"subject": "x" * 70}, None),
    ({"html": '<img src="cid:a" alt="">'}, "shows cid:a, and no part"),
    ({"html": "<p>x", "inline": {"logo": PNG}}, "logo.png is inline, and the HTML never shows it"),
    ({"html": '<img src="cid:logo" alt="">', "inline": {"logo": PNG}}, None),
    ({"html": "<img src='cid:logo' alt=''>", "inline": {"logo": Attachment(b"<svg/>", "a.svg")}}, "a.svg is image/svg+xml"),
    ({"html": '<img src="cid:logo">', "inline": {"logo": PNG}}, "1 of the images have no alt text"),
    ({"html": '<img alt="" src="https://x.example/a.png">'}, "would load https://x.example/a.png"),
    ({"html": '<link rel=stylesheet href="https://x.example/a.css">'}, "would load https://x.example/a.css"),
    ({"html": '<p style="background: URL( \'//x.example/b\' )">'}, "would load //x.example/b"),
    ({"html": "<p>" + "x" * GMAIL_CLIPS}, "Gmail hides"),
    ({"html": "<p>" + "x" * (GMAIL_CLIPS - 10)}, None),
    ({"html": "<form><input></form>"}, "form, input, which mail clients drop"),
    ({"html": '<a href="https://evil.example">https://bank.example/login</a>'}, "shows https://bank.example/login and leads to https://evil.example"),
    ({"html": '<a href="https://evil.example"><b>www.bank</b>.example</a>'}, "shows www.bank.example and leads to"),
    ({"html": '<a href="https://bank.example.evil.example">bank.com</a>'}, "shows bank.com"),
    ({"html": '<a href="javascript:x">http://bank.example</a>'}, "leads to javascript:x"),
    ({"html": '<a href="https://click.bank.example/1">www.bank.example</a>'}, None),
    ({"html": '<a href="https://www.bank.example/1">https://bank.example</a>'}, None),
    ({"html": '<a href="https://bank.example/1">Log in</a> <a href="https://x.example">minutes.pdf</a>'}, None),
    ({"text": "Dear {{ name }}"}, "the text part has '{{ name }}', which looks like a template"),
    ({"html": "<p>{% if x %}"}, "the html part has '{% if x %}'"),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "expected"), FINDINGS)
def test_what_is_odd(parts: dict[str, Any], expected: str | None) -> None:
    found = [str(finding) for finding in findings_in(make(**parts))]
    assert len(found) == (expected is not None), found
    if expected is not None:
        assert expected in found[0]
        # The page begins sentences with a capital.
        assert html_module.escape(expected[1:]) in preview(make(**parts))


def test_lines_that_no_server_takes_are_a_problem() -> None:
    (finding, *_) = findings_in(b"Subject: x\r\n\r\n" + b"x" * 999)
    assert finding.severity.value == "problem"
    assert "998" in finding.message


def test_large_messages_make_no_larger_pages() -> None:
    lines = b"x" * 78 + b"\r\n"
    octets = b"\r\n".join([
        b"Content-Type: multipart/alternative; boundary=b\r\n",
        b"--b\r\nContent-Type: text/plain\r\n\r\n" + lines * 7000,
        b"--b\r\nContent-Type: text/html\r\n\r\n" + lines * 30_000,
        b"--b--",
    ])  # fmt: skip
    page = preview(octets)
    assert len(page) < 4_000_000
    assert "too large to be shown" in page
    assert "Only the first 500,000 of" in page


@pytest.mark.parametrize(
    "octets",
    [
        b"Content-Type: text/html; charset=punycode\r\n\r\nx",
        b"Content-Type: text/html; charset=\xff\r\n\r\nx",
        b"Content-Type: text/plain; charset=rot13\r\n\r\nx",
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!",
        b"Content-Type: multipart/mixed\r\n\r\nx",
        b'Content-Type: multipart/mixed; boundary="b\r\n\r\nx',
        b"Content-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\r\n\r\nx",
        b"Content-Disposition: attachment; filename*=utf-8''%ff%00\r\n\r\nx",
        b"Content-Disposition: attachment; filename*0*=x; filename*9=y\r\n\r\nx",
        b"Subject: =?utf-8?b?!?= =?nonsense?q?a?= =?utf-8?q?=ff?=\r\n\r\n",
        b"From \xff\r\n\x00: x\r\n",
        b"Subject: " + b"=?a?q?" * 200_000 + b"\r\n\r\n",
    ],
)  # fmt: skip
def test_odd_messages_are_shown_all_the_same(octets: bytes) -> None:
    assert "</html>" in preview(octets)


HEADERS = st.sampled_from([
    b"Subject: ", b"From: ", b"Content-Type: text/html", b"Content-Type: multipart/mixed; boundary=b",
    b"; charset=", b"utf-16", b"utf-7", b"\r\n", b"\r\n\r\n", b"\r\n--b\r\n", b"--b--", b"=?utf-8?q?=3Cimg?=",
    b"Content-ID: <c>", b"Content-Disposition: inline; filename=", b"Content-Transfer-Encoding: base64",
    b"<img src=cid:c onerror=x>", b'"></iframe><script>', b"</textarea></title></pre>", b"<!--", b"'",
    b"<style>", b"</style>", b"url(", b")", b"&quot;", b"\x00", b"\xff\xfe", b"PHNjcmlwdD4=", b"\xe2\x80\xae",
])  # fmt: skip


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.lists(HEADERS, max_size=25).map(b"".join) | st.binary(max_size=200))
def test_no_octets_add_an_element_to_the_page(octets: bytes) -> None:
    page = preview(octets)
    names = {p.name for p in pieces(page) if p.kind is Kind.START}
    assert not names & {"script", "img", "link", "base", "form", "object", "svg", "a", "template"}
    tags = [p for p in pieces(page) if p.kind is Kind.START]
    assert sum(p.name == "iframe" for p in tags) <= 1
    assert sum(p.name == "meta" for p in tags) == 4
    for tag in tags:
        assert not any(name.startswith("on") or name in {"src", "href"} for name in tag.attributes)
        for frame in (tag.attributes["srcdoc"],) if tag.name == "iframe" else ():
            assert tag.attributes["sandbox"] == ""
            inside = [p for p in pieces(frame) if p.kind is Kind.START]
            assert not {p.name for p in inside} & {
                "script",
                "link",
                "base",
                "form",
                "iframe",
                "svg",
            }
            for piece in inside:
                assert not any(name.startswith("on") for name in piece.attributes)
                assert piece.attributes.get("src", "data:").startswith("data:")
    page.encode("utf-8")


def test_rare_forms_of_addresses_are_taken_where_they_are_named() -> None:
    rules = AddressRules(quoted_local_parts=True)
    message = make(to='"ada lovelace"@example.org', rules=rules)
    with pytest.raises(InvalidAddress):
        preview(message)
    envelope = Envelope(None, ['"ada lovelace"@example.org'], rules=rules)
    for page in (preview(message, rules=rules), preview(message, envelope=envelope)):
        assert "&quot;ada lovelace&quot;@example.org" in page
    assert findings_in(message, rules=rules) is not None


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_octets_of_other_types(kind: type) -> None:
    assert "<h1><bdi>Hello" in preview(kind(b"Subject: Hello\r\n\r\nx\r\n"))


@pytest.mark.parametrize("url", ["https://example.org/{}", "cid:{}"])
def test_each_thing_that_was_not_loaded_is_named_once(url: str) -> None:
    source = "".join(f"<img src='{url.format(number % 50_000)}'>" for number in range(60_000))
    framed_html = framed(source, ())
    assert len(framed_html.remote) + len(framed_html.missing) == 50_000


@pytest.mark.parametrize(
    ("text", "target", "misleads"),
    [
        ("www.example.org", "https://example.org/a", False),
        ("example.org", "https://mail.example.org", False),
        ("mail.example.org", "https://example.org", False),
        ("example.org", "https://example.org.evil.com", True),
        ("example.org", "https://notexample.org", True),
        ("example.org", "javascript:alert(1)", True),
    ],
)
def test_links_to_another_host_than_they_show(text: str, target: str, misleads: bool) -> None:
    found = findings_in(make(html=f"<a href='{target}'>{text}</a>"))
    assert any("leads to" in finding.message for finding in found) is misleads
