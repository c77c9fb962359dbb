"""parse_address(): checked, never repaired."""

from __future__ import annotations

import pytest

from mailsend.address import parse_address
from mailsend.errors import InvalidAddress, MailsendError


@pytest.mark.parametrize(
    "text",
    [
        "ada@example.org",
        "a@b",
        "root@localhost",
        "first.last+tag@example.org",
        "!#$%&'*+/=?^_`{|}~-@example.org",
        "1@2.3",
        "Ada@Example.ORG",
        "a@xn--bcher-kva.example",
        "a@XN--BCHER-KVA.example",
        "a@1-2.example",
        "ada@printer.local",
        "ada@test",
        f"{'x' * 64}@example.org",
        f"a@{'x' * 63}.example",
        f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 61}",
    ],
)
def test_ascii_addresses_are_kept_as_they_are(text: str) -> None:
    address = parse_address(text)
    local, _, domain = text.rpartition("@")
    assert (address.text, address.local_part, address.domain) == (text, local, domain)
    assert address.on_the_wire == text
    assert not address.needs_smtputf8


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("a@bücher.example", "xn--bcher-kva.example"),
        ("a@BÜCHER.example", "xn--bcher-kva.example"),
        # IDNA 2008 keeps what IDNA 2003 turned into another domain, strasse.example.
        ("a@straße.example", "xn--strae-oqa.example"),
        ("a@faß.de", "xn--fa-hia.de"),
        ("a@βόλος.com", "xn--nxasmm1c.com"),
        # Cyrillic and Latin mixed: another domain than apple.com, and visibly so on the wire.
        ("a@\u0430pple.com", "xn--pple-43d.com"),
        ("a@例え.テスト", "xn--r8jz45g.xn--zckzah"),
        # The kind of domain is the server's knowledge, as it is for ASCII.
        ("a@bücher.local", "xn--bcher-kva.local"),
        ("a@bücher.invalid", "xn--bcher-kva.invalid"),
        ("a@bücher", "xn--bcher-kva"),
    ],
)
def test_international_domains_become_a_labels(text: str, domain: str) -> None:
    address = parse_address(text)
    assert address.text == text
    assert address.domain == domain
    assert address.on_the_wire == f"a@{domain}"
    assert not address.needs_smtputf8


@pytest.mark.parametrize(
    "text", ["bü@x.org", "δοκιμή@example.test", "用户@例え.テスト", "é@localhost"]
)
def test_international_local_parts_need_smtputf8(text: str) -> None:
    address = parse_address(text)
    assert address.needs_smtputf8
    assert address.local_part == text.rpartition("@")[0]
    assert address.on_the_wire.isascii() is False
    assert address.domain.isascii()


@pytest.mark.parametrize(
    "text",
    [
        # Nothing, or half of one.
        "",
        "@",
        "me",
        "@example.org",
        "ada@",
        "ada@@example.org",
        "a@b@c.org",
        # Parameters and recipients smuggled behind it.
        "b@x.org> ORCPT=rfc822;e@evil.org",
        "<b@x.org> NOTIFY=NEVER",
        "b@x.org NOTIFY=NEVER",
        "b@x.org\r\nRCPT TO:<e@evil.org>",
        "b@x.org>\r\nDATA",
        "b@x.org,e@evil.org",
        "b@x.org;e@evil.org",
        "b@x.org, e@evil.org",
        # What parsers have disagreed about.
        "alice@example.org)bob@good.example",
        "a@b <c@d>",
        "<a@b>c@d",
        "<a@b.org>",
        "<a@b.org><c@d.org>",
        "Ada <ada@example.org>",
        '"Ada" <ada@example.org>',
        "ada@example.org (Ada)",
        "(Ada)ada@example.org",
        "@a,@b:c@d.org",
        "<@a:b@c.org>",
        "undisclosed-recipients:;",
        "group:a@b.org;",
        "<>",
        "mailto:ada@example.org",
        # Blanks anywhere.
        " ada@example.org",
        "ada@example.org ",
        "a da@example.org",
        "ada@ example.org",
        "ada@example.org\t",
        "ada\u00a0x@example.org",
        # Quoted local parts and address literals: refused, not altered.
        '"e@evil.org x"@good.example',
        '"x\\"y"@good.example',
        '"ada"@example.org',
        "ada@[127.0.0.1]",
        "ada@[IPv6:::1]",
        # Dots and hyphens out of place.
        ".ada@example.org",
        "ada.@example.org",
        "a..b@example.org",
        "ada@.example.org",
        "ada@example..org",
        "ada@example.org.",
        "ada@-example.org",
        "ada@example-.org",
        "ada@exam_ple.org",
        "ada@bücher.example.",
        "ada@bücher..example",
        # Lengths.
        f"{'x' * 65}@example.org",
        f"{'é' * 33}@example.org",
        f"ada@{'x' * 64}.org",
        f"ada@{'.'.join(['x' * 60] * 5)}",
        f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 62}",
        f"ada@{'ü' * 64}.example",
        "x" * 100_000,
        f"{'x' * 100_000}@example.org",
        f"ada@{'x.' * 50_000}org",
        # Characters that reorder, join, hide, or are none.
        "a\u202eb@example.org",
        "a@ex\u202eample.org",
        "a@ex\u200bample.org",
        "a@ex\u00adample.org",
        "\ufeffada@example.org",
        "a\u2028@example.org",
        "a\u2029@example.org",
        "a\ud800@example.org",
        "ada@\ud800.org",
        "ada@☃.net",
        # Right-to-left and left-to-right in one label (RFC 5893).
        "ada@\u05d0a.org",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddress) as caught:
        parse_address(text, field="recipient")
    assert isinstance(caught.value, ValueError)
    assert str(caught.value).startswith("recipient ")
    assert len(str(caught.value)) < 1000
    assert str(caught.value).isprintable()


CONTROLS = [*range(0x20), 0x7F, *range(0x80, 0xA0)]


@pytest.mark.parametrize("code", CONTROLS)
@pytest.mark.parametrize("template", ["{}ada@example.org", "a{}b@x.org", "a@x{}y.org", "a@x.org{}"])
def test_no_control_character_anywhere(template: str, code: int) -> None:
    with pytest.raises(InvalidAddress, match=f"U\\+{code:04X}"):
        parse_address(template.format(chr(code)))


@pytest.mark.parametrize("value", [None, b"ada@example.org", 5, ["ada@example.org"], object()])
def test_other_types_are_refused(value: object) -> None:
    with pytest.raises(InvalidAddress, match="reverse path has to be a string"):
        parse_address(value, field="reverse path")  # type: ignore[arg-type]


def test_an_error_shows_a_long_address_in_part() -> None:
    with pytest.raises(MailsendError) as caught:
        parse_address("x" * 5000 + "@example.org")
    assert "x" * 80 in str(caught.value)
    assert "x" * 81 not in str(caught.value)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ada@example.org", "ada@EXAMPLE.org", True),
        ("ada@bücher.example", "ada@XN--BCHER-KVA.example", True),
        ("Ada@example.org", "ada@example.org", False),
        ("ada@example.org", "ada@example.com", False),
        ("ada@straße.example", "ada@strasse.example", False),
    ],
)
def test_the_case_of_a_domain_means_nothing(one: str, other: str, same: bool) -> None:
    assert (parse_address(one).identity == parse_address(other).identity) is same
