"""SCRAM: the examples of its RFCs, and servers that do not keep to it."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from mailsend import ConfigurationError, Secret
from mailsend.sasl.exchange import Claim, SaslError
from mailsend.sasl.saslprep import NotPreparable, saslprep
from mailsend.sasl.scram import LEAST_ITERATIONS, MOST_ITERATIONS, Scram, scram_sha_256

NONCE = "rOprNGfwEbeRWgbNEkqO"
# RFC 7677 §3.
FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def claim(name: str = "user", password: str = "pencil") -> Claim:
    return Claim(name, Secret(password), "h.example", 465)


def begun() -> Scram:
    exchange = Scram(claim(), "sha256", NONCE)
    assert exchange.initial_response() == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    return exchange


def test_the_example_of_rfc_7677() -> None:
    exchange = begun()
    assert exchange.respond(FIRST) == (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    assert not exchange.is_complete
    assert exchange.respond(FINAL) == b""
    assert exchange.is_complete
    assert exchange.respond(b"") is None


def test_the_example_of_rfc_5802() -> None:
    exchange = Scram(claim(), "sha1", "fyko+d2lbbFgONRv9qkxdawL")
    assert exchange.respond(b"") == b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"
    nonce = b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j"
    answer = exchange.respond(nonce + b",s=QSXCR+Q6sek8bf92,i=4096")
    assert answer == b"c=biws," + nonce + b",p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
    assert exchange.respond(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=") == b""
    assert exchange.is_complete


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (b"", "none of SCRAM"),
        (b"nonsense", "none of SCRAM"),
        (b"m=ext," + FIRST, "none of SCRAM"),  # a mandatory extension, RFC 5802 §5.1
        (FIRST.replace(b"r=rO", b"r=xx"), "does not belong to this exchange"),
        (b"r=" + NONCE.encode() + b",s=W22Z,i=4096", "does not belong to this exchange"),
        (FIRST.replace(b"4096", b"4095"), "asks for 4095 iterations"),
        (FIRST.replace(b"4096", b"1"), "asks for 1 iterations"),
        (FIRST.replace(b"4096", b"1000001"), "asks for 1000001 iterations"),
        (FIRST.replace(b"4096", b"9999999999"), "asks for 9999999999 iterations"),
        (FIRST.replace(b"4096", b"99999999999"), "none of SCRAM"),
        (FIRST.replace(b"4096", b"-4096"), "none of SCRAM"),
        (FIRST.replace(b"4096", b"04096"), "none of SCRAM"),
        (FIRST.replace(b"W22ZaJ0SNY7soEsUEjb6gQ==", b"W22Za"), "not base64"),
        (FIRST.replace(b"s=", b"s=\n"), "none of SCRAM"),
    ],
)
def test_first_messages_that_are_not_gone_along_with(first: bytes, reason: str) -> None:
    exchange = begun()
    with pytest.raises(SaslError, match=reason):
        exchange.respond(first)
    assert not exchange.is_complete


@pytest.mark.parametrize(
    ("final", "reason"),
    [
        (b"", "none of SCRAM"),
        (b"v=", "none of SCRAM"),
        (b"v=AAAA", "did not prove"),
        (b"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "did not prove"),
        (b"v=AAAAA", "not base64"),
    ],
)
def test_a_server_that_does_not_know_the_password(final: bytes, reason: str) -> None:
    exchange = begun()
    exchange.respond(FIRST)
    with pytest.raises(SaslError, match=reason):
        exchange.respond(final)
    assert not exchange.is_complete


def test_a_server_that_says_why_it_refuses() -> None:
    exchange = begun()
    exchange.respond(FIRST)
    assert exchange.respond(b"e=invalid-proof\x07") == b""
    assert exchange.explanation is not None
    assert exchange.explanation.value == "invalid-proof\\x07"
    assert not exchange.is_complete
    assert exchange.respond(FINAL) is None


def test_extensions_at_the_end_are_passed_over() -> None:
    exchange = begun()
    assert exchange.respond(FIRST + b",x=y") is not None  # another message, another signature
    with pytest.raises(SaslError, match="did not prove"):
        exchange.respond(FINAL)


@pytest.mark.parametrize("count", [LEAST_ITERATIONS, 10_000])
def test_iterations_within_the_bounds(count: int) -> None:
    assert count < MOST_ITERATIONS
    assert begun().respond(FIRST.replace(b"4096", str(count).encode())) is not None


def test_each_exchange_has_a_nonce_of_its_own() -> None:
    said = {scram_sha_256(claim()).initial_response() for _ in range(20)}
    assert len(said) == 20
    assert all(len(message) > len(b"n,,n=user,r=") + 20 for message in said)


@pytest.mark.parametrize(
    ("name", "on_the_wire"),
    [("a=b,c", b"a=3Db=2Cc"), ("I\u00adX", b"IX"), ("\u2168", b"IX"), ("jörg", "jörg".encode())],
)
def test_user_names_are_prepared_and_quoted(name: str, on_the_wire: bytes) -> None:
    said = Scram(claim(name), "sha256", "x").initial_response()
    assert said == b"n,,n=" + on_the_wire + b",r=x"


@pytest.mark.parametrize("name", ["\u0627\u0031x", "\u2060", "\ue000"])
def test_user_names_that_cannot_be_prepared(name: str) -> None:
    with pytest.raises(ConfigurationError, match="user name"):
        Scram(claim(name), "sha256", "x")


@pytest.mark.parametrize(
    ("password", "hashed"),
    [
        ("p\u00e4ss", "p\u00e4ss".encode()),
        ("pa\u0308ss", "p\u00e4ss".encode()),
        ("\u00bd", "1\u20442".encode()),
        ("a\u00a0b", b"a b"),
        ("\U0001f511", "\U0001f511".encode()),  # unknown to Unicode 3.2, and used as it is
    ],
)
def test_passwords_are_prepared(password: str, hashed: bytes) -> None:
    exchange = Scram(claim(password=password), "sha256", NONCE)
    exchange.initial_response()
    answer = exchange.respond(FIRST)
    assert answer is not None
    salted = hashlib.pbkdf2_hmac(
        "sha256", hashed, base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096
    )
    message = b"n=user,r=" + NONCE.encode() + b"," + FIRST + b"," + answer.rpartition(b",p=")[0]
    server = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), message, "sha256")
    assert exchange.respond(b"v=" + base64.b64encode(server)) == b""


@pytest.mark.parametrize(
    ("text", "prepared"),
    [  # RFC 4013 §3
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u200bb", "a b"),
    ],
)
def test_saslprep_is_the_examples_of_rfc_4013(text: str, prepared: str) -> None:
    assert saslprep(text) == prepared


@pytest.mark.parametrize(
    "text", ["\u0007", "\u06271", "a\u0627b", "\u0221", "\U000e0001", "\ud800"]
)
def test_what_saslprep_prohibits(text: str) -> None:
    with pytest.raises(NotPreparable):
        saslprep(text)


def test_a_query_may_have_code_points_that_are_not_assigned() -> None:
    assert saslprep("\u0221", unassigned=True) == "\u0221"
