"""T: certificates, handshakes and STARTTLS that are not right. No credential leaves."""

from __future__ import annotations

import ssl
import sys

import pytest

from mailsend import (
    Cause,
    Outcome,
    ProtocolViolation,
    SessionTimeout,
    Stage,
    TlsError,
    TlsOptions,
    open_transport,
)
from mailsend.testing import Answer, Close, Garbage, Hang, PartialHandshake, Reset, SmtpServer

from .certificates import HandMade
from .matrix import DELIVERIES, ENCRYPTED, WHOLE, Bench, Case, On, content, everywhere, table

NOTHING = (b"AUTH", b"MAIL")
STARTTLS = ("starttls",)


def nothing_left(server: SmtpServer) -> bool:
    """Whether the server has seen neither AUTH nor MAIL, on any connection."""
    octets = b"".join(server.raw)
    return not any(verb in octets for verb in NOTHING)


# -- T1, T2, T3: whom to trust


def untrusted(name: str, cause: Cause, **server: object) -> Case:
    return Case(name, (), TlsError, stage=Stage.TLS, cause=cause, retryable=False,
                modes=ENCRYPTED, server=server, unsent=NOTHING)  # fmt: skip


def by_default(case: Case) -> Case:
    """T2: the same with no options at all, where not even the authority is trusted."""
    return Case(f"T2 {case.id[3:]}", (), TlsError, stage=Stage.TLS,
                cause=(Cause.CERTIFICATE_UNTRUSTED, *case.cause), retryable=False,
                modes=ENCRYPTED, server=case.server, profile={"tls": TlsOptions()},
                unsent=NOTHING)  # fmt: skip


T1 = [
    untrusted("T1 self-signed", Cause.CERTIFICATE_UNTRUSTED, certificate="self_signed"),
    untrusted("T1 unknown authority", Cause.CERTIFICATE_UNTRUSTED, certificate="untrusted"),
    untrusted("T1 expired", Cause.CERTIFICATE_EXPIRED, certificate="expired"),
    untrusted("T1 not yet valid", Cause.CERTIFICATE_NOT_YET_VALID, certificate="not_yet_valid"),
    untrusted("T1 wrong host", Cause.CERTIFICATE_HOSTNAME_MISMATCH, certificate="wrong_host"),
]


@table([
    *T1,
    *map(by_default, T1),
    by_default(untrusted("T1 valid", Cause.CERTIFICATE_UNTRUSTED)),
    untrusted("T3 TLS 1.0", Cause.TLS_TOO_OLD, tls_maximum=ssl.TLSVersion.TLSv1),
    untrusted("T3 TLS 1.1", Cause.TLS_TOO_OLD, tls_maximum=ssl.TLSVersion.TLSv1_1),
    untrusted("T3 TLS 1.0 and 1.1", Cause.TLS_TOO_OLD, tls_minimum=ssl.TLSVersion.TLSv1,
              tls_maximum=ssl.TLSVersion.TLSv1_1),
])  # fmt: skip
def test_a_server_that_cannot_be_trusted(
    bench: Bench, case: Case, mode: str, delivery: str
) -> None:
    server = bench.play(case, mode, delivery)
    assert nothing_left(server)


@everywhere(ENCRYPTED)
def test_t1_a_common_name_alone_names_no_host(bench: Bench, mode: str, delivery: str) -> None:
    server = bench.serve(mode, delivery, authority=HandMade(alternative_names=False))
    attempt = bench.submit(bench.profile(server, mode), content())
    bench.inspect(server, attempt)
    assert type(attempt.error) is TlsError
    assert attempt.error.cause is Cause.CERTIFICATE_HOSTNAME_MISMATCH
    assert nothing_left(server)


@everywhere(ENCRYPTED)
@pytest.mark.parametrize("relaxed", [False, True], ids=["strict", "relaxed"])
def test_t11_an_old_authority_is_refused_where_python_is_strict(
    bench: Bench, mode: str, delivery: str, relaxed: bool
) -> None:
    server = bench.serve(mode, delivery, authority=HandMade(key_identifiers=False))
    options = TlsOptions(ca_file=server.ca_file, relaxed_x509=relaxed)
    attempt = bench.submit(bench.profile(server, mode, tls=options), content())
    bench.inspect(server, attempt)
    if relaxed or sys.version_info < (3, 13):
        assert attempt.ends == (Outcome.ACCEPTED, Outcome.ACCEPTED)
    else:
        assert type(attempt.error) is TlsError
        assert attempt.error.cause in {Cause.CERTIFICATE_UNTRUSTED, Cause.CERTIFICATE_NOT_STRICT}
        assert attempt.error.advice
        assert nothing_left(server)


@everywhere(ENCRYPTED)
def test_t11_without_a_store_nobody_is_trusted(
    bench: Bench, mode: str, delivery: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
    server = bench.serve(mode, delivery)
    attempt = bench.submit(bench.profile(server, mode, tls=TlsOptions()), content())
    bench.inspect(server, attempt)
    assert type(attempt.error) is TlsError
    assert attempt.error.cause is Cause.CERTIFICATE_UNTRUSTED
    assert attempt.error.advice
    assert nothing_left(server)


# -- T4 to T8: STARTTLS refused, stripped, injected into, and cut handshakes

EHLO_WITHOUT = b"250-localhost\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN\r\n"
IN_THE_CLEAR = {"auth_without_tls": True}  # what a client would use that goes on without TLS


@table([
    *(
        Case(f"T4 {reply[0][:3]}", On("STARTTLS", Answer(*reply)), TlsError,
             stage=Stage.STARTTLS, cause=Cause.STARTTLS_UNAVAILABLE, code=int(reply[0][:3]),
             retryable=retryable, modes=STARTTLS, server=IN_THE_CLEAR, unsent=NOTHING)
        for reply, retryable in [
            (["454 TLS not available"], True),
            (["454-TLS", "454 not available"], True),
            (["501 What?"], False),
            (["502 Not here"], False),
            (["550 Never"], False),
        ]
    ),
    *(
        Case(f"T4 {reply[:3]}", On("STARTTLS", Answer(reply)), ProtocolViolation,
             stage=Stage.STARTTLS, cause=Cause.OUT_OF_STEP, modes=STARTTLS, server=IN_THE_CLEAR,
             unsent=NOTHING)
        for reply in ["250 fine", "221 bye", "354 go on"]
    ),
    Case("T5 stripped", On("EHLO", Answer(EHLO_WITHOUT), times=None), TlsError,
         stage=Stage.STARTTLS, cause=Cause.STARTTLS_UNAVAILABLE, retryable=False, modes=STARTTLS,
         server=IN_THE_CLEAR, unsent=(*NOTHING, b"STARTTLS")),
    Case("T6 stripped, by default", On("EHLO", Answer(EHLO_WITHOUT), times=None), TlsError,
         stage=Stage.STARTTLS, cause=Cause.STARTTLS_UNAVAILABLE, retryable=False, modes=STARTTLS,
         server=IN_THE_CLEAR, profile={"tls": TlsOptions()}, unsent=(*NOTHING, b"STARTTLS")),
    Case("T5 renamed", On("EHLO", Answer(b"250-localhost\r\n250-XXXXXXXA\r\n250 AUTH PLAIN\r\n")),
         TlsError, stage=Stage.STARTTLS, cause=Cause.STARTTLS_UNAVAILABLE, modes=STARTTLS,
         server=IN_THE_CLEAR, unsent=(*NOTHING, b"STARTTLS")),
    # In one piece it is seen before the handshake; else it spoils the handshake.
    *(
        Case(f"T7 {name}", On("STARTTLS", Answer(b"220 Ready\r\n" + octets)),
             ProtocolViolation if delivery == "whole" else (ProtocolViolation, TlsError),
             stage=Stage.STARTTLS if delivery == "whole" else (Stage.STARTTLS, Stage.TLS),
             cause=Cause.STARTTLS_INJECTION if delivery == "whole" else None,
             modes=STARTTLS, deliveries=(delivery,), server=IN_THE_CLEAR, unsent=NOTHING)
        for delivery in DELIVERIES
        for name, octets in [
            ("a reply", b"250 evil\r\n"),
            ("a reply to EHLO", b"250-evil\r\n250 AUTH PLAIN\r\n"),
            ("part of a line", b"250 evil"),
            ("one octet", b"2"),
            ("a blank line", b"\r\n"),
            ("another 220", b"220 again\r\n"),
        ]
    ),
    Case("T8 injected later", On("TLS", Answer(b"250-evil\r\n250 AUTH PLAIN\r\n")), TlsError,
         stage=Stage.TLS, modes=ENCRYPTED, unsent=NOTHING),
    Case("T8 noise", On("TLS", Garbage()), TlsError, stage=Stage.TLS, modes=ENCRYPTED,
         unsent=NOTHING),
    Case("T8 end", On("TLS", Close()), TlsError, stage=Stage.TLS, cause=Cause.TLS_FAILED,
         modes=ENCRYPTED, unsent=NOTHING),
    Case("T8 reset", On("TLS", Reset()), TlsError, stage=Stage.TLS, cause=Cause.TLS_FAILED,
         modes=ENCRYPTED, unsent=NOTHING),
    Case("T8 silence", On("TLS", Hang()), SessionTimeout, stage=Stage.TLS, cause=Cause.TIMED_OUT,
         retryable=True, modes=ENCRYPTED, deliveries=WHOLE, budget="tls", unsent=NOTHING),
    Case("T8 half a handshake, then the end", On("TLS", PartialHandshake(), Close()), TlsError,
         stage=Stage.TLS, cause=Cause.TLS_FAILED, modes=ENCRYPTED, unsent=NOTHING),
    Case("T8 half a handshake, then silence", On("TLS", PartialHandshake(), Hang()),
         SessionTimeout, stage=Stage.TLS, cause=Cause.TIMED_OUT, modes=ENCRYPTED,
         deliveries=WHOLE, budget="tls", unsent=NOTHING),
])  # fmt: skip
def test_encryption_that_does_not_come_about(
    bench: Bench, case: Case, mode: str, delivery: str
) -> None:
    server = bench.play(case, mode, delivery)
    assert nothing_left(server)


# -- T9, T10: after the handshake

BEFORE = (b"250-localhost\r\n250-STARTTLS\r\n250-SMTPUTF8\r\n250-PIPELINING\r\n250-SIZE 1\r\n"
          b"250 AUTH CRAM-MD5\r\n")  # fmt: skip


@everywhere(STARTTLS)
def test_t9_what_was_offered_before_tls_counts_for_nothing(
    bench: Bench, mode: str, delivery: str
) -> None:
    server = bench.serve(mode, delivery, extensions=("8BITMIME",), mechanisms=["PLAIN"])
    server.on("EHLO", Answer(BEFORE))
    with open_transport(bench.profile(server, mode)) as transport:
        capabilities = transport.capabilities
        attempt = bench.attempt(transport, content())
    bench.inspect(server, attempt)
    assert attempt.ends == (Outcome.ACCEPTED, Outcome.ACCEPTED)  # although SIZE 1 was said
    assert not any(keyword in capabilities for keyword in ("SMTPUTF8", "PIPELINING", "SIZE"))
    assert capabilities.auth_mechanisms == ("PLAIN",)
    assert server.violations == ()


@everywhere(ENCRYPTED)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_t10_tickets_between_commands_are_no_reply(
    bench: Bench, mode: str, delivery: str, version: ssl.TLSVersion
) -> None:
    server = bench.serve(mode, delivery, tls_minimum=version, tls_maximum=version)
    with open_transport(bench.profile(server, mode)) as transport:
        attempts = [bench.attempt(transport, content(number, lines=3)) for number in range(30)]
    bench.inspect(server, *attempts)
    assert all(attempt.error is None for attempt in attempts)
    assert server.connections == 1
