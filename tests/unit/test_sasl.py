"""SASL mechanisms against the examples of their RFCs."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from mailsend.sasl import PASSWORD_MECHANISMS, CramMd5, Login, Mechanism, Plain, choose


def test_plain_is_the_example_of_rfc_4616() -> None:
    # RFC 4616 §4, first example: no authorization identity, as a submission client has none.
    assert Plain("tim", "tanstaaftanstaaf").initial_response() == b"\0tim\0tanstaaftanstaaf"
    # Second example, less its authorization identity.
    assert Plain("Kurt", "xipj3plmq").initial_response() == b"\0Kurt\0xipj3plmq"


def test_cram_md5_is_the_example_of_rfc_2195() -> None:
    mechanism = CramMd5("tim", "tanstaaftanstaaf")
    challenge = base64.b64decode("PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+")
    assert challenge == b"<1896.697170952@postoffice.reston.mci.net>"
    answer = mechanism.respond(challenge)
    assert answer == b"tim b913a602c7eda7a495b4e6e7334d3890"
    assert base64.b64encode(answer) == b"dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"


def test_cram_md5_with_a_secret_longer_than_a_block() -> None:
    # RFC 2202 §2, test case 6: an 80-octet key is hashed first.
    answer = CramMd5("u", "\x7f" * 80).respond(b"Test Using Larger Than Block-Size Key")
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
    mechanism = Login("ada", "s3cret")
    assert [mechanism.respond(prompt) for prompt in prompts] == [b"ada", b"s3cret"]
    assert mechanism.respond(b"and the other one?") is None


def test_plain_answers_an_empty_challenge_if_it_said_nothing_yet() -> None:
    mechanism = Plain("ada", "s3cret")
    assert mechanism.respond(b"") == b"\0ada\0s3cret"
    assert mechanism.respond(b"") is None


def test_plain_answers_no_other_challenge() -> None:
    assert Plain("ada", "s3cret").respond(b"Password:") is None
    mechanism = Plain("ada", "s3cret")
    assert mechanism.initial_response() == b"\0ada\0s3cret"
    assert mechanism.respond(b"") is None


def test_cram_md5_answers_once() -> None:
    mechanism = CramMd5("ada", "s3cret")
    assert mechanism.respond(b"<1@h>") is not None
    assert mechanism.respond(b"<2@h>") is None


@pytest.mark.parametrize("make", [*PASSWORD_MECHANISMS.values()])
def test_names_and_passwords_travel_in_utf8(make: Callable[[str, str], Mechanism]) -> None:
    mechanism = make("jörg", "pässwörd")
    said = [mechanism.initial_response(), mechanism.respond(b""), mechanism.respond(b"")]
    assert "jörg".encode() in b"".join(filter(None, said))


@pytest.mark.parametrize("name", ["LOGIN", "CRAM-MD5"])
def test_the_server_speaks_first(name: str) -> None:
    assert PASSWORD_MECHANISMS[name]("ada", "s3cret").initial_response() is None


@pytest.mark.parametrize("name", [*PASSWORD_MECHANISMS])
def test_a_mechanism_knows_its_name(name: str) -> None:
    assert PASSWORD_MECHANISMS[name]("u", "s").name == name


@pytest.mark.parametrize(
    ("offered", "allowed", "chosen"),
    [
        (["PLAIN", "LOGIN", "CRAM-MD5"], [], "PLAIN"),
        (["CRAM-MD5", "LOGIN", "PLAIN"], [], "PLAIN"),
        (["CRAM-MD5", "LOGIN"], [], "LOGIN"),
        (["CRAM-MD5"], [], "CRAM-MD5"),
        (["plain"], [], "PLAIN"),
        (["DIGEST-MD5", "SCRAM-SHA-256", "XOAUTH2"], [], None),
        ([], [], None),
        (["PLAIN", "LOGIN"], ["LOGIN", "PLAIN"], "LOGIN"),
        (["PLAIN", "LOGIN"], ["login"], "LOGIN"),
        (["PLAIN"], ["LOGIN"], None),
        (["PLAIN", "NTLM"], ["NTLM"], None),
        (["PLAIN", "CRAM-MD5"], ["CRAM-MD5", "PLAIN"], "CRAM-MD5"),
    ],
)
def test_which_mechanism_is_chosen(
    offered: list[str], allowed: list[str], chosen: str | None
) -> None:
    assert choose(offered, allowed) == chosen
    assert choose(iter(offered), iter(allowed)) == chosen
