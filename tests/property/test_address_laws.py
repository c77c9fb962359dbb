"""Laws of addresses and of the URL and password that carry them."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import assume, given
from hypothesis import strategies as st

from mailsend import ConfigurationError, Envelope, InvalidAddress, Password, SmtpProfile
from mailsend.address import parse_address

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
