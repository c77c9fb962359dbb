"""SASL mechanisms against the examples of their RFCs."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest

from mailsend import ConfigurationError, Secret
from mailsend.sasl.bearer import Bearer, oauthbearer, xoauth2
from mailsend.sasl.exchange import Claim, CramMd5, Exchange, External, Login, Plain, SaslMechanism
from mailsend.sasl.mechanisms import BUILT_IN


def claim(name: str | None, secret: str | None, host: str = "h.example", port: int = 465) -> Claim:
    return Claim(name, None if secret is None else Secret(secret), host, port)


ADA = claim("ada", "s3cret")


def test_plain_is_the_example_of_rfc_4616() -> None:
    # RFC 4616 §4, first example: no authorization identity, as a submission client has none.
    exchange = Plain(claim("tim", "tanstaaftanstaaf"))
    assert exchange.initial_response() == b"\0tim\0tanstaaftanstaaf"
    # Second example, less its authorization identity.
    assert Plain(claim("Kurt", "xipj3plmq")).initial_response() == b"\0Kurt\0xipj3plmq"


def test_cram_md5_is_the_example_of_rfc_2195() -> None:
    exchange = CramMd5(claim("tim", "tanstaaftanstaaf"))
    challenge = base64.b64decode("PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+")
    assert challenge == b"<1896.697170952@postoffice.reston.mci.net>"
    answer = exchange.respond(challenge)
    assert answer == b"tim b913a602c7eda7a495b4e6e7334d3890"
    assert base64.b64encode(answer) == b"dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"


def test_cram_md5_with_a_secret_longer_than_a_block() -> None:
    # RFC 2104 §2: a key longer than a block is hashed first.
    answer = CramMd5(claim("u", "k" * 80)).respond(b"Test Using Larger Than Block-Size Key")
    assert answer is not None
    assert len(answer) == len(b"u ") + 32


@pytest.mark.parametrize(
    "prompts",
    [
        (b"Username:", b"Password:"),
        (b"User Name\0", b"Password\0"),
        (b"", b""),
        (b"Password:", b"Username:"),
    ],
)
def test_login_answers_in_order_whatever_the_prompts_say(prompts: tuple[bytes, bytes]) -> None:
    exchange = Login(ADA)
    assert [exchange.respond(prompt) for prompt in prompts] == [b"ada", b"s3cret"]
    assert exchange.respond(b"and the other one?") is None


def test_plain_answers_an_empty_challenge_if_it_said_nothing_yet() -> None:
    exchange = Plain(ADA)
    assert exchange.respond(b"") == b"\0ada\0s3cret"
    assert exchange.respond(b"") is None


def test_plain_answers_no_other_challenge() -> None:
    assert Plain(ADA).respond(b"Password:") is None
    exchange = Plain(ADA)
    assert exchange.initial_response() == b"\0ada\0s3cret"
    assert exchange.respond(b"") is None


def test_cram_md5_answers_once() -> None:
    exchange = CramMd5(ADA)
    assert exchange.respond(b"<1@h>") is not None
    assert exchange.respond(b"<2@h>") is None


def test_external_names_an_identity_or_none() -> None:
    assert External(claim(None, None)).initial_response() == b""
    assert External(claim("fred@example.com", None)).initial_response() == b"fred@example.com"
    exchange = External(claim("jörg", None))
    assert exchange.respond(b"") == "jörg".encode()
    assert exchange.respond(b"") is None
    assert External(ADA).respond(b"who?") is None


def test_oauthbearer_is_the_example_of_rfc_7628() -> None:
    token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="
    exchange = oauthbearer(claim("user@example.com", token, "server.example.com", 587))
    # RFC 7628 §4.1, the one for SMTP.
    assert base64.b64encode(exchange.initial_response()) == (
        b"bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAX"
        b"BvcnQ9NTg3AWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJo"
        b"ZG1semRHRXVZMjl0Q2c9PQEB"
    )


def test_a_name_does_not_break_the_header_of_oauthbearer() -> None:
    said = oauthbearer(claim("a=b,c\u00e9", "t")).initial_response()
    assert said.split(b"\x01")[0] == "n,a=a=3Db=2Cc\u00e9,".encode()


def test_xoauth2_is_the_example_of_google() -> None:
    token = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"
    exchange = xoauth2(claim("someuser@example.com", token))
    # developers.google.com/gmail/imap/xoauth2-protocol
    assert base64.b64encode(exchange.initial_response()) == (
        b"dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQm"
        b"hkSFJoZG1semRHRXVZMjl0Q2cBAQ=="
    )


@pytest.mark.parametrize(
    ("start", "answer"), [(oauthbearer, b"\x01"), (xoauth2, b"")], ids=["OAUTHBEARER", "XOAUTH2"]
)
def test_the_servers_reason_is_kept_and_answered_once(
    start: Callable[[Claim], Bearer], answer: bytes
) -> None:
    exchange = start(ADA)
    exchange.initial_response()
    reason = {"status": "400", "schemes": "Bearer", "scope": "https://mail.google.com/", "x": 1}
    assert exchange.respond(json.dumps(reason).encode()) == answer
    assert exchange.explanation is not None
    assert (
        exchange.explanation.value == "status 400, scope https://mail.google.com/, schemes Bearer"
    )
    assert exchange.respond(b"{}") is None


@pytest.mark.parametrize(
    ("challenge", "explanation"),
    [
        (b"", None),
        (b"not JSON", None),
        (b"[1]", None),
        (b"{}", None),
        (b'{"status": ["x"]}', None),
        (b"[" * 100_000, None),
        (b"\xff\xfe", None),
        (b'{"status": "invalid_token\\r\\nX"}', "status invalid_token\\r\\nX"),
        (b'{"status": "\\ud800"}', "status \\xed\\xa0\\x80"),
        (b'{"status": "' + b"x" * 1000 + b'"}', "status " + "x" * 293),
    ],
)
def test_what_a_server_says_of_a_token_is_safe_to_show(
    challenge: bytes, explanation: str | None
) -> None:
    exchange = xoauth2(ADA)
    exchange.initial_response()
    assert exchange.respond(challenge) == b""
    shown = None if exchange.explanation is None else exchange.explanation.value
    assert shown is None or shown.isprintable()
    if explanation is None or "ud800" not in repr(challenge):
        assert shown == explanation


def test_a_token_waits_for_an_empty_challenge_where_the_line_was_too_long() -> None:
    exchange = xoauth2(ADA)
    assert exchange.respond(b"") == b"user=ada\x01auth=Bearer s3cret\x01\x01"
    assert exchange.explanation is None


@pytest.mark.parametrize("name", sorted(set(BUILT_IN) - {"CRAM-MD5"}))
def test_names_and_passwords_travel_in_utf8(name: str) -> None:
    exchange = BUILT_IN[name].start(claim("jörg", "pässwörd"))
    said = exchange.initial_response() or exchange.respond(b"") or b""
    assert "jörg".encode() in said


@pytest.mark.parametrize("name", ["LOGIN", "CRAM-MD5"])
def test_the_server_speaks_first(name: str) -> None:
    assert BUILT_IN[name].start(ADA).initial_response() is None


def test_a_claim_shows_neither_name_nor_secret() -> None:
    # With some providers one token is user name and password.
    assert "s3cret" not in repr(claim("s3cret", "s3cret"))


class Silent:
    is_complete = True

    def initial_response(self) -> bytes | None:
        return None

    def respond(self, challenge: bytes) -> bytes | None:
        return challenge


@pytest.mark.parametrize("name", ["", "A B", "PLAIN\r\nQUIT", "X" * 21, "ÄUTH", "A\0", 7, None])
def test_a_name_that_no_mechanism_can_have(name: str) -> None:
    def start(_: Claim) -> Exchange:
        return Silent()

    with pytest.raises(ConfigurationError, match="is no name of a SASL mechanism"):
        SaslMechanism(name, start)


def test_a_mechanism_has_to_make_exchanges() -> None:
    assert SaslMechanism("x-own", lambda _: Silent()).name == "X-OWN"
    with pytest.raises(ConfigurationError, match="start has to make an exchange"):
        SaslMechanism("X", Silent())  # type: ignore[arg-type]  # an exchange is no maker of them
