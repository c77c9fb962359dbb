"""Capabilities: what real EHLO replies offer."""

from __future__ import annotations

import pytest

from mailsend.capabilities import Capabilities
from mailsend.reply import Reply


def ehlo(*lines: str) -> Capabilities:
    marks = ["-"] * (len(lines) - 1) + [" "]
    return Capabilities.from_ehlo(
        Reply.parse("\r\n".join(f"250{m}{x}" for m, x in zip(marks, lines, strict=True)))
    )


POSTFIX = ehlo(
    "mx.example.test",
    "PIPELINING",
    "SIZE 1048576",
    "VRFY",
    "ETRN",
    "AUTH PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256 XOAUTH2 OAUTHBEARER",
    "ENHANCEDSTATUSCODES",
    "8BITMIME",
    "DSN",
    "SMTPUTF8",
    "CHUNKING",
)
EXIM = ehlo(
    "exim.example.test Hello client.example.test [127.0.0.1]",
    "SIZE 1048576",
    "8BITMIME",
    "PIPELINING",
    "PIPECONNECT",
    "AUTH PLAIN LOGIN CRAM-MD5",
    "CHUNKING",
    "PRDR",
    "SMTPUTF8",
    "HELP",
)
COURIER = ehlo(
    "courier.example.test Ok.",
    "AUTH PLAIN LOGIN CRAM-MD5",
    "XVERP=Courier",
    "XEXDATA",
    "XSECURITY=NONE,STARTTLS",
    "PIPELINING",
    "8BITMIME",
    "SMTPUTF8",
    "SIZE",
    "DSN",
)


def test_postfix() -> None:
    assert POSTFIX.identity == "mx.example.test"
    assert POSTFIX.size_limit == 1048576
    assert POSTFIX.auth_mechanisms[:3] == ("PLAIN", "LOGIN", "CRAM-MD5")
    for keyword in ("PIPELINING", "8BITMIME", "SMTPUTF8", "CHUNKING", "pipelining"):
        assert keyword in POSTFIX
    assert "STARTTLS" not in POSTFIX


def test_exim_and_extensions_that_nobody_knows() -> None:
    assert EXIM.identity.startswith("exim.example.test Hello")
    assert "PIPECONNECT" in EXIM
    assert "PRDR" in EXIM


def test_courier_offers_no_starttls_inside_another_word_and_no_size() -> None:
    assert "STARTTLS" not in COURIER
    assert "SIZE" in COURIER
    assert COURIER.size_limit is None


def test_dovecot_after_auth_has_an_empty_mechanism_list() -> None:
    capabilities = ehlo("dovecot.example.test", "AUTH", "BURL imap imap://x", "SIZE 1047552")
    assert "AUTH" in capabilities
    assert capabilities.auth_mechanisms == ()
    assert capabilities.extensions["BURL"] == ("imap", "imap://x")


@pytest.mark.parametrize(
    ("lines", "mechanisms"),
    [
        (["AUTH=LOGIN PLAIN"], ("LOGIN", "PLAIN")),
        (["AUTH=LOGIN PLAIN", "AUTH PLAIN XOAUTH2"], ("LOGIN", "PLAIN", "XOAUTH2")),
        (["AUTH PLAIN LOGIN", "AUTH=PLAIN LOGIN"], ("PLAIN", "LOGIN")),
        (["auth plain"], ("PLAIN",)),
        (["AUTH="], ()),
        (["AUTH   PLAIN  LOGIN "], ("PLAIN", "LOGIN")),
    ],
)
def test_mechanisms_in_old_and_odd_forms(lines: list[str], mechanisms: tuple[str, ...]) -> None:
    assert ehlo("h", *lines).auth_mechanisms == mechanisms


@pytest.mark.parametrize(
    ("line", "limit"),
    [
        ("SIZE 35882577", 35882577),
        ("size 1", 1),
        ("SIZE", None),
        ("SIZE 0", None),
        ("SIZE -1", None),
        ("SIZE 10M", None),
        ("SIZE +10", None),
        ("SIZE 1_0", None),
        ("SIZE " + "9" * 20, int("9" * 20)),
        ("SIZE " + "9" * 21, None),
        ("SIZE ١٠", None),
        ("8BITMIME", None),
    ],
)
def test_size(line: str, limit: int | None) -> None:
    assert ehlo("h", line).size_limit == limit


def test_lines_that_are_no_keyword_are_passed_over() -> None:
    # An empty last line is how Postfix's smtp-sink ends its reply.
    assert dict(ehlo("h", "", "=X", "-A", "X=Y", "ÄÖ", "8BITMIME", "").extensions) == {
        "8BITMIME": ()
    }


def test_a_helo_reply_offers_nothing() -> None:
    capabilities = ehlo("mx.example.test")
    assert capabilities.identity == "mx.example.test"
    assert not capabilities.extensions


def test_without_switches_off_and_never_on() -> None:
    less = POSTFIX.without(["pipelining", "CHUNKING", "NOSUCH"])
    assert "PIPELINING" not in less
    assert "CHUNKING" not in less
    assert "NOSUCH" not in less
    assert less.size_limit == 1048576
    assert "PIPELINING" in POSTFIX


def test_offering_is_written_by_hand() -> None:
    capabilities = Capabilities.offering("SIZE 1000", "8bitmime", "AUTH PLAIN")
    assert capabilities.size_limit == 1000
    assert "8BITMIME" in capabilities
    assert capabilities.auth_mechanisms == ("PLAIN",)
    assert Capabilities() == Capabilities("", {})
