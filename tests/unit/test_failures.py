"""interpret_failure(): what it means when there is no reply."""

from __future__ import annotations

import datetime as dt
import string
from typing import Any

import pytest

from mailsend import Cause, Endpoint, Retry, Security, Stage, Symptom, interpret_failure
from mailsend.failures import symptom_of_greeting, symptom_of_silence
from mailsend.hosts import in_words, other_endpoints
from mailsend.meanings import read_table

ROWS = {row["symptom"]: row for row in read_table("failures.toml")["failure"]}
PLACEHOLDERS = {"host", "port", "seconds", "detail", "names", "dates", "clock", "alternatives"}
IMPLICIT, STARTTLS = Security.IMPLICIT_TLS, Security.STARTTLS
PLAIN = Security.INSECURE_PLAINTEXT
HERE = Endpoint("mail.example.org", 587, STARTTLS)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_each_symptom_has_one_row() -> None:
    rows = read_table("failures.toml")["failure"]
    assert sorted(row["symptom"] for row in rows) == sorted(s.value for s in Symptom)


@pytest.mark.parametrize("symptom", Symptom)
def test_a_row_is_complete(symptom: Symptom) -> None:
    row = ROWS[symptom.value]
    assert set(row) <= {
        "symptom", "what", "cause", "retry", "advice", "link", "source", "checked", "confidence",
    }  # fmt: skip
    assert row["source"]
    assert row["checked"] >= dt.date(2026, 1, 1)
    assert placeholders(row["what"] + row.get("advice", "")) <= PLACEHOLDERS


@pytest.mark.parametrize("symptom", Symptom)
def test_a_failure_says_what_it_is_and_what_to_do(symptom: Symptom) -> None:
    meaning = interpret_failure(symptom, HERE, detail="{odd}", seconds=3)
    assert meaning.rule == symptom.value
    assert meaning.advice
    assert not meaning.advice.endswith(".")
    assert meaning.words
    assert "None" not in meaning.words + meaning.advice


@pytest.mark.parametrize(
    ("symptom", "cause", "retry", "told"),
    [
        (Symptom.NAME_NOT_FOUND, Cause.NAME_NOT_RESOLVED, Retry.NEVER, "spelling"),
        (Symptom.NAME_LOOKUP_FAILED, Cause.NAME_NOT_RESOLVED, Retry.MINUTES, "DNS"),
        (Symptom.NAME_LOOKUP_SILENT, Cause.TIMED_OUT, Retry.MINUTES, "DNS"),
        (Symptom.CONNECTION_REFUSED, Cause.CONNECTION_REFUSED, Retry.MINUTES, "nothing listens"),
        (Symptom.NO_ROUTE, Cause.UNREACHABLE, Retry.MINUTES, "network"),
        (Symptom.SILENCE_ON_A_MAIL_PORT, Cause.PORT_BLOCKED, Retry.MINUTES, "port 465"),
        (Symptom.SILENCE_ON_ANOTHER_PORT, Cause.TIMED_OUT, Retry.MINUTES, "firewall"),
        (Symptom.TLS_IN_THE_CLEAR, Cause.WRONG_SECURITY_MODE, Retry.NEVER, "IMPLICIT_TLS"),
        (Symptom.PLAIN_SERVER_ON_A_TLS_PORT, Cause.WRONG_SECURITY_MODE, Retry.NEVER, "STARTTLS"),
        (Symptom.NO_GREETING_ON_A_TLS_PORT, Cause.WRONG_SECURITY_MODE, Retry.NEVER, "IMPLICIT_TLS"),
        (Symptom.NO_GREETING, Cause.TIMED_OUT, Retry.MINUTES, "IMPLICIT_TLS"),
        (Symptom.HTTP_SERVER, Cause.NOT_SMTP, Retry.NEVER, "proxy"),
        (Symptom.IMAP_SERVER, Cause.NOT_SMTP, Retry.NEVER, "SMTP host"),
        (Symptom.TLS_TOO_OLD, Cause.TLS_TOO_OLD, Retry.NEVER, "1.2"),
        (Symptom.CERTIFICATE_EXPIRED, Cause.CERTIFICATE_EXPIRED, Retry.NEVER, "clock"),
        (Symptom.CERTIFICATE_NOT_YET_VALID, Cause.CERTIFICATE_NOT_YET_VALID, Retry.NEVER, "clock"),
        (Symptom.CERTIFICATE_UNTRUSTED, Cause.CERTIFICATE_UNTRUSTED, Retry.NEVER, "ca_file"),
        (Symptom.CERTIFICATE_NOT_STRICT, Cause.CERTIFICATE_NOT_STRICT, Retry.NEVER, "relaxed_x509"),
        (Symptom.STARTTLS_INJECTION, Cause.STARTTLS_INJECTION, Retry.NEVER, "inserting"),
    ],
)  # fmt: skip
def test_what_a_failure_means(symptom: Symptom, cause: Cause, retry: Retry, told: str) -> None:
    meaning = interpret_failure(symptom, HERE)
    assert (meaning.cause, meaning.retry) == (cause, retry)
    assert told in meaning.advice


def test_the_names_of_the_certificate_are_told() -> None:
    def words(*names: str) -> str:
        symptom = Symptom.CERTIFICATE_FOR_ANOTHER_HOST
        return interpret_failure(symptom, HERE, names=names).words

    assert "for mx1.example.org, mx2.example.org, not for mail.example.org" in words(
        "mx1.example.org", "mx2.example.org"
    )
    assert "for another name, not for mail.example.org" in words()
    assert "n4 and others" in words(*(f"n{i}" for i in range(300)))


def test_the_clock_is_told_beside_the_dates_of_the_certificate() -> None:
    meaning = interpret_failure(
        Symptom.CERTIFICATE_NOT_YET_VALID,
        HERE,
        validity="valid from 2026-11-01 00:00 to 2027-11-01 00:00 UTC",
        now=dt.datetime(1970, 1, 1, 12, 30, tzinfo=dt.UTC),
    )
    assert "valid from 2026-11-01" in meaning.words
    assert "1970-01-01 12:30 UTC" in meaning.advice


@pytest.mark.parametrize(
    ("endpoint", "stage", "writing", "symptom"),
    [
        (Endpoint("h", 25, PLAIN), Stage.CONNECT, False, Symptom.SILENCE_ON_A_MAIL_PORT),
        (Endpoint("h", 465, IMPLICIT), Stage.CONNECT, False, Symptom.SILENCE_ON_A_MAIL_PORT),
        (Endpoint("h", 587, STARTTLS), Stage.CONNECT, False, Symptom.SILENCE_ON_A_MAIL_PORT),
        (Endpoint("h", 8025, STARTTLS), Stage.CONNECT, False, Symptom.SILENCE_ON_ANOTHER_PORT),
        (Endpoint("h", 465, STARTTLS), Stage.GREETING, False, Symptom.NO_GREETING_ON_A_TLS_PORT),
        (Endpoint("h", 465, IMPLICIT), Stage.GREETING, False, Symptom.NO_GREETING),
        (Endpoint("h", 587, STARTTLS), Stage.GREETING, False, Symptom.NO_GREETING),
        (HERE, Stage.TLS, False, Symptom.HANDSHAKE_SILENCE),
        (HERE, Stage.AUTH, False, Symptom.NO_REPLY_TO_AUTH),
        (HERE, Stage.RCPT, False, Symptom.NO_REPLY),
        (HERE, Stage.MAIL, True, Symptom.COMMAND_NOT_TAKEN),
        (HERE, Stage.DATA, True, Symptom.CONTENT_NOT_TAKEN),
        (HERE, Stage.END_OF_DATA, False, Symptom.NO_REPLY_TO_CONTENT),
    ],
)
def test_silence(endpoint: Endpoint, stage: Stage, writing: bool, symptom: Symptom) -> None:
    assert symptom_of_silence(endpoint, stage, writing=writing) is symptom


@pytest.mark.parametrize(
    ("octets", "symptom"),
    [
        (b"SSH-2.0-OpenSSH_9.2p1", Symptom.SSH_SERVER),
        (b"HTTP/1.1 400 Bad Request", Symptom.HTTP_SERVER),
        (b"<!DOCTYPE html>", Symptom.HTTP_SERVER),
        (b"* OK [CAPABILITY IMAP4rev1] ready", Symptom.IMAP_SERVER),
        (b"+OK POP3 ready", Symptom.POP_SERVER),
        (b"\x15\x03\x01\x00\x02\x02\x46", Symptom.TLS_IN_THE_CLEAR),
        (b"\x16\x03\x03\x00\x7a", Symptom.TLS_IN_THE_CLEAR),
        (b"OK whatever", Symptom.OTHER_SERVER),
        (b"", Symptom.OTHER_SERVER),
    ],
)
def test_what_answers_in_the_place_of_a_server(octets: bytes, symptom: Symptom) -> None:
    assert symptom_of_greeting(octets) is symptom


@pytest.mark.parametrize(
    ("endpoint", "tried", "told"),
    [
        (HERE, (), "port 465 with implicit TLS"),
        (Endpoint("mail.example.org", 465, IMPLICIT), (), "port 587 with STARTTLS"),
        (Endpoint("mail.example.org", 25, STARTTLS), (),
         "port 465 with implicit TLS or port 587 with STARTTLS"),
        (HERE, (Endpoint("mail.example.org", 465, IMPLICIT),), "another port of the provider"),
        # Outlook.com has one port, and 465 is not it.
        (Endpoint("smtp-mail.outlook.com", 587, STARTTLS), (), "another port of the provider"),
        (Endpoint("SMTP.gmail.com", 587, STARTTLS), (), "port 465 with implicit TLS"),
        (Endpoint("smtp.sendgrid.net", 587, STARTTLS), (),
         "port 465 with implicit TLS or port 2525 with STARTTLS"),
    ],
)  # fmt: skip
def test_the_ports_that_are_left(endpoint: Endpoint, tried: Any, told: str) -> None:
    assert in_words(other_endpoints(endpoint, tried)) == told
    meaning = interpret_failure(Symptom.SILENCE_ON_A_MAIL_PORT, endpoint, tried=tried)
    assert told in meaning.advice
