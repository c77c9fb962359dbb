"""What has misled other mail software, one row for each; nothing of it is an address.

The second column names the place: a published weakness, or the kind of input.
"""

from __future__ import annotations

import pytest

from mailsend import AddressRules, Envelope, InvalidAddress, InvalidMessage, compose, parse_address

ALL = AddressRules(quoted_local_parts=True, address_literals=True)
SMTP_LINES = "b@x.org\r\nRCPT TO:<e@evil.org>"

REFUSED = [
    # text, where it did harm, what the error says
    (SMTP_LINES, "commands: bpo-43124, CVE-2015-9096", "U+000D, a control character"),
    ("b@x.org\nRCPT TO:<e@evil.org>", "commands: bare LF", "U+000A, a control character"),
    ("b@x.org\rRSET", "commands: bare CR", "U+000D, a control character"),
    ("b@x.org>\r\nDATA", "commands: GHSA-v3q9-hj7j-63hq", "U+000D, a control character"),
    ("b\x0b@x.org", "commands: VT passes putcmd", "U+000B, a control character"),
    ("b@x.org\0", "commands: NUL passes putcmd", "U+0000, a control character"),
    ("b@x.org>\u760d\u760aRCPT TO:<e@evil.org", "CVE-2025-7962, cut to CR LF", "angle brackets"),
    ("<b@x.org> NOTIFY=NEVER", "ESMTP parameters: gh-78772", "angle brackets"),
    ("b@x.org> NOTIFY=NEVER", "ESMTP parameters: GHSA-wpwj-69cm-q9c5", "angle brackets"),
    ("b@x.org NOTIFY=NEVER", "ESMTP parameters without brackets", "contains a space"),
    ("b@x.org> ORCPT=rfc822;e@evil.org", "parameters that name a mailbox", "angle brackets"),
    ("alice@example.org)bob@good.example", "CVE-2023-27043", "parentheses"),
    ("alice@example.org(<bob@good.example", "CVE-2023-27043", "angle brackets"),
    ("alice@example.org]bob@good.example", "CVE-2023-27043", "more than one @"),
    ("alice@example.org;bob@good.example", "CVE-2023-27043", "several addresses"),
    ("alice@example.org:bob@good.example", "CVE-2023-27043", "more than one @"),
    ("alice@example.org.bob@good.example", "CVE-2023-27043", "more than one @"),
    ("alice@example.org[bob@good.example", "CVE-2023-27043", "more than one @"),
    ("alice@example.org\\bob@good.example", "CVE-2023-27043", "more than one @"),
    ('alice@example.org"bob@good.example', "CVE-2023-27043", "more than one @"),
    ('"e@evil.org x"@good.example,', "GHSA-mm7p-fcc7-pg87 and a list", "several addresses"),
    ('"e@evil.org x@good.example', "GHSA-mm7p-fcc7-pg87, not closed", "contains a space"),
    ("b\0c@x.org", "repaired to bc@x.org", "U+0000"),
    ("b\u2028c@x.org", "repaired to c@x.org", "U+2028, a space or line separator"),
    ("b\u2029c@x.org", "repaired to c@x.org", "U+2029, a space or line separator"),
    ("b\x85c@x.org", "read as a line end", "U+0085, a control character"),
    ("u@x.org, e@evil.org", "Address(domain=...) adds a recipient", "several addresses"),
    ("u@x.org,e@evil.org", "the same without a space", "several addresses"),
    ("=?utf-8?q?=0A?=Bcc:e@evil.org", "CVE-2024-6923", "cannot stand before the @"),
    ("=?utf-8?q?b=C3=BC?=@x.org", "an encoded word for a local part", "an encoded word"),
    ("=?utf-8?Q?e=40evil=2Eorg?=@x.org", "an encoded word that is an address", "an encoded word"),
    ("=?iso-8859-1?b?ZUBldmlsLm9yZw==?=@x.org", "the same in base64", "an encoded word"),
    ("=?utf-8?q?A=2C_evil=40evil=2Eorg=2C_B?= <ok@good>", "unpacked when refolded", "brackets"),
    ('"AAA, evil@evil.org, BBB" <ok@good.example>', "gh-80222", "angle brackets"),
    ("a@b <c@d>", "first or last of two", "angle brackets"),
    ("<a@b>c@d", "first or last of two", "angle brackets"),
    ("<a@b.org><c@d.org>", "two in brackets", "angle brackets"),
    ("<b@x.org>", "brackets are the command's own", "angle brackets"),
    ("@a,@b:c@d.org", "source route", "source route"),
    ("@a:b@c.org", "source route", "source route"),
    ("<@a:b@c.org>", "source route", "source route"),
    ("undisclosed-recipients:;", "group", "group"),
    ("friends:a@b.org,c@d.org;", "group", "group"),
    ("a:b:c:;:d@e.org;", "nested group", "group"),
    ("b(x)@x.org", "comment", "comment"),
    ("b@(x)x.org", "comment", "comment"),
    ("b@x.org (Bob)", "comment", "comment"),
    ("", "nothing", "empty"),
    ("<>", "null reverse path as a recipient", "null reverse path"),
    ("me", "no domain", "local-part@domain"),
    ("b@", "no domain", "domain is empty"),
    ("@x.org", "no local part", "local-part@domain"),
    ("mailto:b@x.org", "URL", "URL"),
    (" b@x.org", "a space before", "contains a space"),
    ("b@x.org ", "a space behind", "contains a space"),
    ("b@x.org\t", "a tab", "U+0009"),
    ("b\u00a0c@x.org", "no-break space", "U+00A0"),
    ("b\u3000c@x.org", "ideographic space", "U+3000"),
    ("b@x..org", "dots", "a dot too many"),
    ("b@.x.org", "dots", "a dot too many"),
    (".b@x.org", "dots", "local part has a dot too many"),
    ("b.@x.org", "dots", "local part has a dot too many"),
    ("b..c@x.org", "dots", "local part has a dot too many"),
    ("b@x.org.", "the root's dot", "ends with a dot"),
    ("b@bücher.example.", "the root's dot", "ends with a dot"),
    ("b@-x", "hyphen", "hyphen"),
    ("b@x-.org", "hyphen", "hyphen"),
    ("b@x_y.org", "underscore, RFC 5321 §4.1.2", "contains '_'"),
    ("b@x.org/e", "path", "contains '/'"),
    ("b@x.org:25", "port", "contains ':'"),
    ("b\\@x.org", "backslash", "cannot stand before the @"),
    ("b[c]@x.org", "brackets", "cannot stand before the @"),
    ("x" * 65 + "@x.org", "local part of 65", "local part has 65 octets"),
    ("é" * 33 + "@x.org", "local part of 66 octets", "local part has 66 octets"),
    ("b@" + "x" * 64 + ".org", "label of 64", "label of 64"),
    ("b@" + "ü" * 60 + ".org", "A-label of more than 63", "IDNA 2008"),
    ("b@" + "x." * 130 + "org", "domain of 263", "265 characters"),
    ("b@" + ".".join(["x" * 62] * 4) + "xx", "address of 255", "254 octets"),
    ("b@" + ".".join(["é" * 24] * 9), "255 and more once it is encoded", "its address has"),
    ("b@\u202egro.x", "bidi override", "changes the direction of text"),
    ("\u202bb@x.org", "bidi embedding", "changes the direction of text"),
    ("b\u2067@x.org", "bidi isolate", "changes the direction of text"),
    ("b\u200f@x.org", "bidi mark", "changes the direction of text"),
    ("b\u061c@x.org", "bidi mark", "changes the direction of text"),
    ("b\u200b@x.org", "zero width", "cannot be seen"),
    ("b\u00ad@x.org", "soft hyphen", "cannot be seen"),
    ("\ufeffb@x.org", "byte order mark", "cannot be seen"),
    ("b@x\u200d.org", "joiner", "cannot be seen"),
    ("b\U000e0041@x.org", "tag characters", "cannot be seen"),
    ("b\ud800@x.org", "lone surrogate", "no character of any script"),
    ("b\ue000@x.org", "private use", "no character of any script"),
    ("b\uff20x.org@y.org", "full-width @", "only looks like others"),
    ("b\uff0ec@x.org", "full-width dot", "only looks like others"),
    ("b\uff1c@x.org", "full-width <", "only looks like others"),
    ("b\u2024c@x.org", "one dot leader", "only looks like others"),
    ("b\ufe6bx.org@y.org", "small @", "only looks like others"),
    ("\uff41@x.org", "full-width letter", "only looks like others"),
    ("\ufb01@x.org", "ligature", "only looks like others"),
    ("b@x\u3002org", "ideographic full stop", "only looks like others"),
    ("b@x\uff61org", "half-width full stop", "only looks like others"),
    ("b@\uff58.org", "full-width letter, mapped by IDNA", "only looks like others"),
    ("b@\ufb01le.org", "ligature, mapped by IDNA", "only looks like others"),
    ("b@\u2100.org", "account of, mapped by IDNA", "only looks like others"),
    ("b@\u212aelvin.org", "the sign of kelvin", "normalization form NFC"),
    ("b\u037e@x.org", "the Greek question mark", "normalization form NFC"),
    ("b\u0065\u0301@x.org", "letter and accent apart", "normalization form NFC"),
    ("\u0301b@x.org", "an accent on what stands before it", "mark that belongs to a letter"),
    ("b@\u0301x.org", "an accent on the @", "IDNA 2008"),
    ("b@\u05d0a.org", "both directions in one label", "IDNA 2008"),
    ("b@1.\u05d0\u05d1.org", "RFC 5893 §2 across labels", "IDNA 2008"),
    ("b@☃.net", "no letter", "IDNA 2008"),
]  # fmt: skip


@pytest.mark.parametrize("rules", [AddressRules(), ALL], ids=["default", "all"])
@pytest.mark.parametrize(("text", "_where", "what"), REFUSED)
def test_refused_with_a_reason(text: str, _where: str, what: str, rules: AddressRules) -> None:
    with pytest.raises(InvalidAddress) as caught:
        parse_address(text, field="recipient", rules=rules)
    said = caught.value.what
    assert what in said
    assert said.isprintable()
    assert caught.value.advice
    with pytest.raises(InvalidAddress):
        Envelope("a@x.org", [text], rules=rules)
    with pytest.raises(InvalidAddress):
        Envelope(text, ["a@x.org"], rules=rules)


@pytest.mark.parametrize(("text", "_where", "what"), REFUSED)
def test_compose_takes_at_most_a_display_name(text: str, _where: str, what: str) -> None:
    try:
        message = compose(sender="a@x.org", to=text, text="x", rules=ALL)
    except (InvalidAddress, InvalidMessage):
        return
    # A mailbox with a name is what compose() takes, and only the mailbox in it is one.
    assert "brackets" in what
    (address,) = message["To"].addresses
    assert (address.username, address.domain) in {("ok", "good"), ("ok", "good.example"),
                                                  ("b", "x.org")}  # fmt: skip


TAKEN = [
    # text, where it did harm, what stands in the command
    ('"e@evil.org x"@good.example', "GHSA-mm7p-fcc7-pg87", b'"e@evil.org x"@good.example'),
    ('"x\\"y"@g', "altered by others", b'"x\\"y"@g'),
    ('"a>b"@g', "altered by others", b'"a>b"@g'),
    # Code units that become CR and LF where software cuts them to their lower octet.
    ("b\u760d\u760a@x.org", "CVE-2025-7962", b"b\xe7\x98\x8d\xe7\x98\x8a@x.org"),
    ("b@\u760d\u760a.org", "CVE-2025-7962", b"b@xn--ztyf.org"),
    ("b@straße.de", "the codec idna of the standard library", b"b@xn--strae-oqa.de"),
    ("b@\u0430pple.com", "Cyrillic, which the A-label shows", b"b@xn--pple-43d.com"),
    ("-oQ/tmp@x.org", "options of sendmail: there is no command line here", b"-oQ/tmp@x.org"),
]


@pytest.mark.parametrize(("text", "_where", "octets"), TAKEN)
def test_taken_and_not_altered(text: str, _where: str, octets: bytes) -> None:
    wire = parse_address(text, rules=ALL).on_the_wire.encode()
    assert wire == octets
    assert not set(wire) & set(b"\r\n\0")


class Untouched(str):
    """Text that may be measured and cut, and nothing else."""

    __slots__ = ()

    def _touched(self, *_: object) -> None:
        raise AssertionError("read before its length was refused")

    rpartition = partition = split = isprintable = isascii = encode = count = _touched  # type: ignore[assignment]
    lower = startswith = endswith = __iter__ = __contains__ = _touched  # type: ignore[assignment]


@pytest.mark.parametrize(
    "text",
    [
        "(" * 1_000_000,
        "(" * 1500 + ")" * 1500 + "b@x.org",
        "g:" * 1_000_000 + ";",
        "<" * 1_000_000,
        '"' * 1_000_000,
        '"' + "\\" * 1_000_000,
        "a@" * 1_000_000,
        "@a," * 1_000_000 + ":b@x.org",
        "." * 1_000_000,
        "é" * 1_000_000,
        "b@" + "\u0661" * 1_000_000,
        "b@xn--" + "a" * 1_000_000,
        "b@[" + ":" * 1_000_000,
        " " * 1_000_000 + "b@x.org",
    ],
    ids=lambda text: ascii(text[:6]),
)
@pytest.mark.parametrize("rules", [AddressRules(), ALL], ids=["default", "all"])
def test_what_is_too_long_is_refused_unread(text: str, rules: AddressRules) -> None:
    with pytest.raises(InvalidAddress, match=f"it has {len(text)} characters") as caught:
        parse_address(Untouched(text), rules=rules)
    assert len(str(caught.value)) < 1200
