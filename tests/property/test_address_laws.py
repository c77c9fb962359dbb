"""Laws of addresses and of the URL and password that carry them."""

from __future__ import annotations

import re
from urllib.parse import quote

from email_validator import EmailNotValidError, validate_email
from hypothesis import assume, given
from hypothesis import strategies as st

from mailsend import (
    AddressRules,
    ConfigurationError,
    Envelope,
    InvalidAddress,
    Password,
    SmtpProfile,
    parse_address,
)
from mailsend.testing.syntax import parse_path

nasty = st.sampled_from(
    [*' \t"\\,;:<>@()[]=?_.-%+&#/\r\n\0\x85\u2028é日ß\u202e', "@x.org", "xn--", ".."]
)
anything = st.lists(st.characters() | nasty, max_size=30).map("".join)


@given(anything | anything.map(lambda text: f"{text}@example.org") | anything.map("ada@{}".format))
def test_an_address_is_refused_or_fit_for_a_command(text: str) -> None:
    try:
        address = parse_address(text)
    except InvalidAddress as error:
        refusal = str(error)
    else:
        refusal = ""
    assert refusal.isprintable()
    if refusal:
        return
    wire = address.on_the_wire
    assert address.text == text
    assert wire.isprintable()
    assert not set(wire) & set(' <>()[]\\,;:"')
    assert wire.count("@") == 1
    assert address.domain.isascii()
    assert len(wire.encode()) <= 254
    assert len(address.local_part.encode()) <= 64
    assert text.startswith(address.local_part + "@")
    # What goes on the wire is an address again, and the same one.
    assert parse_address(wire).on_the_wire == wire


ALL = AddressRules(quoted_local_parts=True, address_literals=True)
# RFC 5321 §4.1.2 with RFC 6531 §3.3, written apart from the library's own.
WORD = r'[^\x00- \x7f"(),.:;<>@\[\]\\]+'
QUOTED_STRING = r'"(?:[ !#-\[\]-~\u00a1-\U0010ffff]|\\["\\])+"'
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
MAILBOX = re.compile(
    rf"(?:{WORD}(?:\.{WORD})*|{QUOTED_STRING})@(?:{LABEL}(?:\.{LABEL})*|\[[0-9A-Za-z:.]+\])"
)
printable = st.characters(min_codepoint=32, exclude_categories=["C", "Z"]) | st.just(" ")
contents = st.text(printable, min_size=1, max_size=30)
domains = st.sampled_from(
    ["x.org", "X.org", "localhost", "bücher.example", "xn--bcher-kva.example", "[192.0.2.1]",
     "[IPv6:2001:db8::1]", "[IPv6:2001:DB8:0::1]"]
)  # fmt: skip


def in_quotes(content: str, *, more: bool) -> str:
    """A quoted string with the backslashes it needs, or with all it may have."""
    may = re.compile(r"([ -~])" if more else r'(["\\])')
    return '"' + may.sub(r"\\\1", content) + '"'


locals_ = (
    contents
    | st.builds(in_quotes, contents, more=st.booleans())
    | st.from_regex(r"[a-z]{1,9}(?:\.[a-z+é]{1,9}){0,2}", fullmatch=True)
)


@given(anything | st.builds("{}@{}".format, locals_ | anything, domains | anything))
def test_whatever_the_rules_a_mailbox_is_exact(text: str) -> None:
    refusal: InvalidAddress | None = None
    try:
        address = parse_address(text, rules=ALL)
    except InvalidAddress as error:
        refusal = error
    if refusal is not None:
        assert refusal.advice
        assert refusal.what.isprintable()
        return
    wire = address.on_the_wire
    assert MAILBOX.fullmatch(wire), wire
    assert wire.isprintable()  # no CR, LF, NUL, nor any space but U+0020
    assert " " not in wire.rpartition('"')[2]
    assert len(wire.encode()) <= 254
    assert len(wire.rpartition("@")[0].encode()) <= 64
    again = parse_address(wire, rules=ALL)
    assert again.on_the_wire == wire
    assert again.identity == address.identity
    # A server that reads strictly reads this one mailbox, and nothing behind it.
    path = parse_path(f"RCPT TO:<{wire}>".encode(), {"SMTPUTF8": ""})
    assert (path.address, path.parameters) == (wire, ())
    # The rules add forms and change nothing in others.
    try:
        strict = parse_address(text)
    except InvalidAddress:
        assert text.startswith('"') or "@[" in text
    else:
        assert strict == address


@given(contents, domains, domains)
def test_quoted_forms_are_one_mailbox(content: str, one: str, other: str) -> None:
    texts = [f"{in_quotes(content, more=more)}@{d}" for more, d in ((False, one), (True, other))]
    try:
        first, second = (parse_address(text, rules=ALL) for text in texts)
    except InvalidAddress:
        return
    assert first.local_part == second.local_part == content
    same_domain = parse_address(f"a@{one}", rules=ALL).identity == (
        parse_address(f"a@{other}", rules=ALL).identity
    )
    assert (first.identity == second.identity) is same_domain
    assert len(Envelope(None, texts, rules=ALL).recipients) == (1 if same_domain else 2)
    try:
        bare = parse_address(f"{content}@{one}")
    except InvalidAddress:
        assert first.on_the_wire.startswith('"') or one.startswith("[")
    else:
        assert bare.identity == first.identity


ascii_texts = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)


@given(ascii_texts | st.from_regex(r"[a-z.=?!-]{1,12}", fullmatch=True) | contents)
def test_local_parts_are_those_of_email_validator(local: str) -> None:
    text = f"{local}@example.com"
    try:
        validate_email(text, check_deliverability=False)
        theirs = True
    except EmailNotValidError:
        theirs = False
    try:
        parse_address(text)
        ours = True
    except InvalidAddress as error:
        ours = False
        stricter = ("encoded word", "only looks like", "form NFC")
        if theirs and any(word in error.what for word in stricter):
            return
    assert ours is theirs


@given(
    st.lists(st.sampled_from(["a@x.org", "A@x.org", "a@X.org", "b@x.org", "c@Y.org"]), min_size=1)
)
def test_an_envelope_names_each_mailbox_once(recipients: list[str]) -> None:
    envelope = Envelope(None, recipients)
    identities = [address.identity for address in envelope.recipient_addresses]
    assert len(set(identities)) == len(identities)
    assert set(identities) == {parse_address(text).identity for text in recipients}
    assert Envelope(None, envelope.recipients) == envelope


@given(anything, anything)
def test_user_and_password_survive_a_url(username: str, secret: str) -> None:
    assume(username and secret)
    try:
        encoded = f"{quote(username, safe='')}:{quote(secret, safe='')}"
    except UnicodeEncodeError:  # a lone surrogate has no URL
        return
    try:
        profile = SmtpProfile.from_url(f"smtps://{encoded}@smtp.example.org")
    except ConfigurationError:
        assert not username.isprintable() or any(ord(c) < 32 or 127 <= ord(c) < 160 for c in secret)
        return
    assert profile.username == username
    assert profile.credentials == Password(secret)


@given(st.text())
def test_any_url_is_read_or_refused(url: str) -> None:
    for text in (url, f"smtps://{url}", f"smtps://smtp.example.org?{url}"):
        refusal = ""
        try:
            SmtpProfile.from_url(text)
        except ConfigurationError as error:
            refusal = str(error)
        assert refusal.isprintable()


secrets = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=20)


@given(secrets, secrets)
def test_passwords_are_equal_if_their_secrets_are(one: str, other: str) -> None:
    a, b = Password(one), Password(other)
    assert (a == b) is (one == other)
    assert a == Password(one)
    assert hash(a) == hash(b)
    assert repr(a) == repr(b)
