"""How sessions with real servers begin, are kept, end and are replaced."""

from __future__ import annotations

import select
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from mailsend import (
    AuthenticationError,
    CapabilityError,
    Cause,
    ConfigurationError,
    Envelope,
    Outcome,
    Security,
    ServiceUnavailable,
    Stage,
    Submission,
    TlsError,
    TlsOptions,
)
from mailsend.message import parse, render

from .client import (
    ALICE,
    BOB,
    CAROL,
    FOREIGNER,
    TLS_WAYS,
    assert_hidden,
    client,
    commands,
    composed,
    everything_shown_of,
    letter,
    new_token,
    submitting,
    wait_until,
)
from .real_server import ALICE as ALICE_ACCOUNT
from .real_server import BOB as BOB_ACCOUNT
from .real_server import Credentials

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mailsend.transport.smtp import SmtpTransport

    from .real_server import PostfixServer, RealServer
    from .servers.recipes import ServerName

ways = pytest.mark.parametrize("way", TLS_WAYS)

# -- who we are


def failed_logins(server: RealServer, username: str) -> int:
    """How often the server itself saw a wrong password of this user."""
    log: dict[ServerName, tuple[Path, str]] = {
        "postfix": (server.data / "dovecot.log", "Password mismatch"),
        "exim": (server.data / "log" / "mainlog", "535 Incorrect authentication data"),
        "opensmtpd": (server.data.parent / "run.log", "result=permfail"),
    }
    path, words = log[server.name]
    lines = path.read_text(errors="replace").splitlines()
    return sum(username in line and words in line for line in lines)


@ways
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_wrong_password(server: RealServer, way: Security, mechanism: str) -> None:
    before = failed_logins(server, ALICE)
    wrong, token = Credentials(ALICE, "wr0ng-hunter2-Pa55"), new_token()
    transport = client(server, way, user=wrong, mechanisms=(mechanism,))
    with pytest.raises(AuthenticationError) as refused:
        transport.send_raw(Envelope(ALICE, [BOB]), letter(token))
    error = refused.value
    assert error.cause is Cause.BAD_CREDENTIALS
    assert error.stage is Stage.AUTH
    assert not error.retryable
    assert error.reply is not None
    assert error.reply.code == 535
    assert error.report is not None
    assert error.report.not_sent == (BOB,)
    assert_hidden(wrong, *everything_shown_of(error), repr(transport), repr(transport.profile))
    assert commands(error.transcript, "AUTH") == 1
    assert commands(error.transcript, "MAIL") == 0
    wait_until(lambda: failed_logins(server, ALICE) > before, "the log tells of a wrong password")
    with submitting(server, way) as another:
        another.send_raw(Envelope(ALICE, [CAROL]), letter(token))
    server.mailbox("carol").wait_for(token)
    assert failed_logins(server, ALICE) == before + 1
    assert server.mailbox("bob").stored_with(token) == []


@ways
@pytest.mark.parametrize("user", [ALICE_ACCOUNT, BOB_ACCOUNT], ids=["ascii", "utf-8"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_mechanisms(server: RealServer, way: Security, user: Credentials, mechanism: str) -> None:
    transport = client(server, way, user=user, mechanisms=(mechanism,))
    if mechanism == "CRAM-MD5" and server.name == "opensmtpd":
        with pytest.raises(AuthenticationError) as refused:
            transport.open()
        assert refused.value.cause is Cause.AUTHENTICATION_UNAVAILABLE
        assert commands(refused.value.transcript, "AUTH") == 0
        return
    token = new_token()
    with transport:
        transport.send_raw(Envelope(ALICE, [FOREIGNER]), letter(token))
        assert commands(transport.transcript, f"AUTH {mechanism}") == 1
        assert_hidden(user, *transport.transcript)
    assert server.mailbox("sink").wait_for_content(token) == letter(token)


def test_a_server_that_offers_no_authentication(server: RealServer) -> None:
    transport = client(server, port=server.ports.mx, user=server.alice)
    with pytest.raises(AuthenticationError) as refused:
        transport.open()
    assert refused.value.cause is Cause.AUTHENTICATION_UNAVAILABLE
    assert commands(refused.value.transcript, "AUTH") == 0


# -- no encryption, or none to be trusted


@pytest.mark.parametrize(
    ("listener", "cause"),
    [
        ("expired", Cause.CERTIFICATE_EXPIRED),
        ("wrong_host", Cause.CERTIFICATE_HOSTNAME_MISMATCH),
        ("self_signed", Cause.CERTIFICATE_UNTRUSTED),
    ],
)
def test_certificates_not_to_be_trusted(
    postfix: PostfixServer, listener: str, cause: Cause
) -> None:
    transport = client(postfix, port=getattr(postfix.ports, listener), user=postfix.alice)
    assert_nothing_is_sent(transport, postfix, cause)


@ways
def test_an_authority_that_is_not_trusted(server: RealServer, way: Security) -> None:
    other = TlsOptions(ca_file=server.certificates.other_ca)
    transport = client(server, way, user=server.alice, tls=other)
    assert_nothing_is_sent(transport, server, Cause.CERTIFICATE_UNTRUSTED)


@pytest.mark.parametrize("listener", ["auth_without_tls", "no_extensions"])
def test_a_listener_that_offers_no_starttls(postfix: PostfixServer, listener: str) -> None:
    transport = client(postfix, port=getattr(postfix.ports, listener), user=postfix.alice)
    assert_nothing_is_sent(transport, postfix, Cause.STARTTLS_UNAVAILABLE)


def assert_nothing_is_sent(transport: SmtpTransport, server: RealServer, cause: Cause) -> None:
    token = new_token()
    with pytest.raises(TlsError) as refused:
        transport.send(composed(token))
    assert refused.value.cause is cause
    assert not refused.value.retryable
    for verb in ("AUTH", "MAIL"):
        assert commands(refused.value.transcript, verb) == 0
    assert_hidden(server.alice, *everything_shown_of(refused.value))
    with pytest.raises(TlsError) as refused:
        transport.send_raw(Envelope(ALICE, [BOB]), letter(token))
    assert refused.value.report is not None
    assert refused.value.report.not_sent == (BOB,)
    assert server.mailbox("bob").stored_with(token) == []


def test_implicit_tls_on_a_port_of_starttls(server: RealServer) -> None:
    transport = client(server, Security.IMPLICIT_TLS, port=server.ports.submission)
    with pytest.raises(TlsError) as refused:
        transport.open()
    assert refused.value.cause is Cause.WRONG_SECURITY_MODE


def test_a_password_in_clear_text_only_where_it_was_asked_for(postfix: PostfixServer) -> None:
    token = new_token()
    port = postfix.ports.auth_without_tls
    with pytest.raises(ConfigurationError):
        client(postfix, Security.INSECURE_PLAINTEXT, port=port, user=postfix.alice)
    with client(
        postfix,
        Security.INSECURE_PLAINTEXT,
        port=port,
        user=postfix.alice,
        allow_plaintext_credentials=True,
    ) as transport:
        transport.send_raw(Envelope(ALICE, [FOREIGNER]), letter(token))
        assert_hidden(postfix.alice, *transport.transcript)
    assert postfix.mailbox("sink").wait_for_content(token) == letter(token)


def test_a_client_certificate_is_shown(postfix: PostfixServer) -> None:
    token = new_token()
    tls = TlsOptions(ca_file=postfix.ca_file, client_cert=postfix.certificates.client)
    with client(postfix, port=postfix.ports.client_certificate, tls=tls) as transport:
        report = transport.send_raw(Envelope(ALICE, [FOREIGNER]), letter(token))
    assert report.accepted == (FOREIGNER,)
    assert postfix.mailbox("sink").wait_for_content(token) == letter(token)


@pytest.mark.parametrize(
    ("shown", "words"),
    [(None, "No client certificate presented"), ("other_client", "not trusted")],
)
def test_without_its_client_certificate(
    postfix: PostfixServer, shown: str | None, words: str
) -> None:
    token = new_token()
    certificate = None if shown is None else getattr(postfix.certificates, shown)
    tls = TlsOptions(ca_file=postfix.ca_file, client_cert=certificate)
    transport = client(postfix, port=postfix.ports.client_certificate, tls=tls)
    # In TLS 1.3 the handshake is over before the server looks: what it thinks answers the EHLO.
    with pytest.raises(ServiceUnavailable, match=words) as refused:
        transport.send_raw(Envelope(ALICE, [FOREIGNER]), letter(token))
    assert refused.value.stage is Stage.EHLO
    assert refused.value.report is not None
    assert refused.value.report.not_sent == (FOREIGNER,)
    assert postfix.mailbox("sink").stored_with(token) == []


# -- what a server without extensions gets


def test_a_server_without_extensions(postfix: PostfixServer) -> None:
    token = new_token()
    message = composed(token)
    plain = client(postfix, Security.INSECURE_PLAINTEXT, port=postfix.ports.no_extensions)
    with plain as transport:
        assert transport.send(message).accepted == (BOB,)
        assert f"C: MAIL FROM:<{ALICE}>" in transport.transcript
        with pytest.raises(CapabilityError) as refused:
            transport.send_raw(Envelope(ALICE, [BOB]), letter(new_token(), body=b"\xc3\xbc\r\n"))
        assert refused.value.cause is Cause.EXTENSION_MISSING
    content = postfix.mailbox("bob").wait_for_content(token)
    assert content == render(parse(message), eight_bit=False, utf8=False)
    assert content.isascii()


def test_a_server_whose_extensions_are_switched_off(server: RealServer) -> None:
    token = new_token()
    off = ("PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "CHUNKING", "DSN", "ENHANCEDSTATUSCODES")
    with client(server, user=server.alice, disabled_extensions=off) as transport:
        report = transport.send_raw(Envelope(ALICE, ["nosuch@example.test", BOB]), letter(token))
        assert f"C: MAIL FROM:<{ALICE}>" in transport.transcript
    assert [o.outcome for o in report.outcomes] == [Outcome.REFUSED, Outcome.ACCEPTED]
    assert server.mailbox("bob").wait_for_content(token) == letter(token)


# -- sessions that are kept, and those that end


def test_a_session_that_ended_while_it_was_idle(postfix: PostfixServer) -> None:
    first, second = new_token(), new_token()
    with client(postfix, port=postfix.ports.short_idle) as transport:
        transport.send_raw(Envelope(ALICE, [BOB]), letter(first))
        session = transport._kept.session
        assert session is not None
        assert session._wire.sock is not None
        # Postfix says 421 after three seconds.
        assert select.select([session._wire.sock], [], [], 15)[0]
        assert transport.send_raw(Envelope(ALICE, [BOB]), letter(second)).all_accepted
        assert transport._kept.session is not session
        assert commands(transport.transcript, "MAIL") == 1
    for token in (first, second):
        assert postfix.mailbox("bob").wait_for_content(token) == letter(token)


@pytest.mark.parametrize(
    ("name", "count", "in_the_last_session"),
    [
        ("exim", 40, 10),  # it takes 15 in a session, then says 421 to MAIL
        ("opensmtpd", 130, 30),  # it takes 100, then says 452 to every MAIL
    ],
)
def test_more_messages_than_the_server_takes_in_a_session(
    name: ServerName, count: int, in_the_last_session: int, request: pytest.FixtureRequest
) -> None:
    server: RealServer = request.getfixturevalue(name)
    token = new_token()
    with submitting(server) as transport:
        reports = list(transport.send_many(letters(token, count)))
        assert transport._kept.session is not None
        said = transport._kept.session.transactions
    assert [report.error for report in reports] == [None] * count
    assert [report.key for report in reports] == list(range(count))
    assert len({report.queue_id for report in reports}) == count
    assert said == in_the_last_session
    assert_each_arrived_once(server, token, count)


@ways
def test_a_thousand_messages_in_one_session(postfix: PostfixServer, way: Security) -> None:
    token = new_token()
    log = postfix.data / "postfix.log"
    length = log.stat().st_size
    begun = time.monotonic()
    with submitting(postfix, way) as transport:
        reports = list(transport.send_many(letters(token, 1000)))
    assert time.monotonic() - begun < 60
    assert all(report.all_accepted for report in reports)
    # Postfix uses its short queue ids again, within a second at times.
    assert all(report.queue_id for report in reports)
    # Postfix sums each session up when it ends.
    wait_until(
        lambda: b" mail=1000 rcpt=1000 data=1000 " in log.read_bytes()[length:],
        "the log tells of one session with all messages",
    )
    assert_each_arrived_once(postfix, token, 1000)


def letters(token: str, count: int) -> Iterator[Submission]:
    for number in range(count):
        address = f"many{number % 30}@example.test"
        content = letter(token, body=b"number %d\r\n" % number)
        yield Submission(Envelope(ALICE, [address]), content, key=number)


def assert_each_arrived_once(server: RealServer, token: str, count: int) -> None:
    arrived = Counter(server.mailbox("many").wait_for_all(token, count))
    assert arrived == Counter(submission.content for submission in letters(token, count))
