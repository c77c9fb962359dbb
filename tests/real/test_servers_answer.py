"""The servers are what the other tests of this folder take them for.

Only the standard library speaks here: when one of these fails, the ground is at fault and not
mailsend.
"""

from __future__ import annotations

import http.client
import smtplib
import socket
import ssl
from base64 import b64decode, b64encode
from contextlib import closing
from typing import TYPE_CHECKING, Literal, TypeAlias
from uuid import uuid4

import pytest

from .real_server import MAX_RECIPIENTS, MAX_SIZE

if TYPE_CHECKING:
    from pathlib import Path

    from .real_server import Credentials, PostfixServer, RealServer

Way: TypeAlias = Literal["starttls", "implicit tls"]
ways = pytest.mark.parametrize("way", ["starttls", "implicit tls"])

SENDER = "alice@example.test"
TIMEOUT = 15


def trusting(ca_file: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    # The default since Python 3.13.
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def plain(server: RealServer, port: int) -> smtplib.SMTP:
    client = smtplib.SMTP(server.host, port, timeout=TIMEOUT)
    client.ehlo()
    return client


def encrypted(server: RealServer, way: Way = "starttls") -> smtplib.SMTP:
    context = trusting(server.ca_file)
    if way == "implicit tls":
        port = server.ports.implicit_tls
        return smtplib.SMTP_SSL(server.host, port, context=context, timeout=TIMEOUT)
    client = plain(server, server.ports.submission)
    client.starttls(context=context)
    return client


def logged_in(server: RealServer, way: Way = "starttls") -> smtplib.SMTP:
    client = encrypted(server, way)
    client.login(server.alice.username, server.alice.password)
    return client


def auth_plain(client: smtplib.SMTP, user: Credentials) -> int:
    # smtplib's own login takes ASCII passwords only.
    secret = b64encode(f"\0{user.username}\0{user.password}".encode()).decode()
    client.ehlo()
    return client.docmd("AUTH", f"PLAIN {secret}")[0]


def message(token: str, body: bytes = b"Hello\r\n") -> bytes:
    return (
        b"Date: Mon, 1 Jan 2024 00:00:00 +0000\r\n"
        b"From: alice@example.test\r\n"
        b"To: bob@example.test\r\n"
        b"Message-ID: <%b@example.test>\r\n"
        b"Subject: %b\r\n\r\n%b" % (token.encode(), token.encode(), body)
    )


@ways
def test_a_message_arrives_byte_by_byte(server: RealServer, way: Way) -> None:
    token = uuid4().hex
    body = b".\r\n..\r\n.dot\r\n \r\n\tG\xc3\xbc\xc3\x9fe \r\n" + b"x" * 998 + b"\r\n\r\n\r\n"
    content = message(token, body)
    with logged_in(server, way) as client:
        assert client.sendmail(SENDER, ["bob@example.test"], content, ["BODY=8BITMIME"]) == {}
    assert server.mailbox("bob").wait_for_content(token) == content


def test_a_foreign_recipient_is_filed_and_never_sent(server: RealServer) -> None:
    token = uuid4().hex
    with logged_in(server) as client:
        client.sendmail(SENDER, ["someone@elsewhere.invalid"], message(token))
    assert server.mailbox("sink").wait_for_content(token) == message(token)


@ways
def test_passwords(server: RealServer, way: Way) -> None:
    with encrypted(server, way) as client:
        assert auth_plain(client, server.bob) == 235
    with (
        encrypted(server, way) as client,
        pytest.raises(smtplib.SMTPAuthenticationError) as refused,
    ):
        client.login(server.alice.username, "wrong-password")
    assert refused.value.smtp_code == 535


def test_submission_wants_tls_and_a_login(server: RealServer) -> None:
    with plain(server, server.ports.submission) as client:
        assert client.mail(SENDER)[0] == 530
    with encrypted(server) as client:
        client.ehlo()
        client.mail(SENDER)
        assert client.rcpt("bob@example.test")[0] >= 500


@pytest.mark.parametrize(
    ("local_part", "code"),
    [("greylist", 450), ("tempfail", 451), ("full", 552), ("blocked", 554), ("hold421", 421)],
)
def test_refused_recipients(server: RealServer, local_part: str, code: int) -> None:
    with plain(server, server.ports.refusing) as client:
        client.mail(SENDER)
        assert client.docmd("RCPT", f"TO:<{local_part}@example.test>")[0] == code


def test_a_refused_sender(server: RealServer) -> None:
    with plain(server, server.ports.refusing) as client:
        # Postfix keeps the answer back until it knows the recipient.
        code = client.docmd("MAIL", "FROM:<badsender@example.test>")[0]
        if code == 250:
            code = client.docmd("RCPT", "TO:<bob@example.test>")[0]
        assert code == 550


def test_content_refused_after_the_dot(server: RealServer) -> None:
    with plain(server, server.ports.refusing) as client:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail(SENDER, ["bob@example.test"], message("REJECTME"))
        assert refused.value.smtp_code == 550
        token = uuid4().hex
        client.sendmail(SENDER, ["bob@example.test"], message(token))
    server.mailbox("bob").wait_for(token)
    assert server.mailbox("bob").stored_with("REJECTME") == []


def test_codes_of_their_own(server: RealServer) -> None:
    with plain(server, server.ports.mx) as client:
        client.mail(SENDER)
        assert client.rcpt("nosuch@example.test")[0] == server.replies.unknown_recipient
        assert client.rcpt("someone@elsewhere.invalid")[0] == server.replies.relay_denied
    with plain(server, server.ports.mx) as client:
        # A transaction of its own: Exim counts refused recipients too.
        client.mail(SENDER)
        many = [client.rcpt(f"many{number}@example.test")[0] for number in range(21)]
        assert many == [250] * MAX_RECIPIENTS + [server.replies.too_many_recipients]
    with plain(server, server.ports.mx) as client:
        client.mail(SENDER)
        client.rcpt("bob@example.test")
        # Well above the limit: OpenSMTPD counts a line end as one byte.
        too_long = message("long", (b"x" * 70 + b"\r\n") * (MAX_SIZE // 64))
        assert client.data(too_long)[0] == server.replies.too_long


def test_exim_ends_the_session_after_fifteen_messages(exim: RealServer) -> None:
    with plain(exim, exim.ports.mx) as client:
        tokens = [uuid4().hex for _ in range(15)]
        for token in tokens:
            client.sendmail(SENDER, ["carol@example.test"], message(token))
        assert client.docmd("MAIL", f"FROM:<{SENDER}>")[0] == 421
    for token in tokens:
        exim.mailbox("carol").wait_for(token)


@pytest.mark.parametrize(
    ("listener", "reason"),
    [
        ("expired", "certificate has expired"),
        ("wrong_host", "Hostname mismatch"),
        ("self_signed", "self-signed certificate"),
    ],
)
def test_certificates_not_to_be_trusted(postfix: PostfixServer, listener: str, reason: str) -> None:
    with plain(postfix, getattr(postfix.ports, listener)) as client:
        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            client.starttls(context=trusting(postfix.ca_file))
        client.close()


def test_an_authority_that_is_not_trusted(server: RealServer) -> None:
    address = (server.host, server.ports.implicit_tls)
    context = trusting(server.certificates.other_ca)
    with (
        socket.create_connection(address, timeout=TIMEOUT) as connection,
        pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"),
    ):
        context.wrap_socket(connection, server_hostname=server.host)


def test_a_client_certificate_is_leave_to_relay(postfix: PostfixServer) -> None:
    token = uuid4().hex
    context = trusting(postfix.ca_file)
    context.load_cert_chain(postfix.certificates.client)
    with plain(postfix, postfix.ports.client_certificate) as client:
        client.starttls(context=context)
        client.sendmail(SENDER, ["someone@elsewhere.invalid"], message(token))
    postfix.mailbox("sink").wait_for(token)


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        (None, "No client certificate presented"),
        ("other_client", "Client certificate not trusted"),
    ],
)
def test_a_client_without_its_certificate_is_turned_away(
    postfix: PostfixServer, shown: str | None, reason: str
) -> None:
    context = trusting(postfix.ca_file)
    if shown is not None:
        context.load_cert_chain(getattr(postfix.certificates, shown))
    with plain(postfix, postfix.ports.client_certificate) as client:
        # The handshake itself succeeds: what Postfix thinks of the certificate answers the EHLO.
        client.starttls(context=context)
        assert client.ehlo() == (421, f"4.7.1 mx.example.test Error: {reason}".encode())


def test_a_listener_without_extensions(postfix: PostfixServer) -> None:
    with plain(postfix, postfix.ports.no_extensions) as client:
        assert client.esmtp_features == {}


def test_a_listener_with_auth_but_no_tls(postfix: PostfixServer) -> None:
    with plain(postfix, postfix.ports.auth_without_tls) as client:
        assert not client.has_extn("STARTTLS")
        assert auth_plain(client, postfix.alice) == 235


def test_a_listener_that_soon_gives_up(postfix: PostfixServer) -> None:
    with plain(postfix, postfix.ports.short_idle) as client:
        assert client.getreply()[0] == 421


def starttls(server: RealServer, port: int) -> smtplib.SMTP:
    client = plain(server, port)
    client.starttls(context=trusting(server.ca_file))
    client.ehlo()
    return client


def test_dovecot_hands_on_to_postfix(postfix: PostfixServer) -> None:
    token = uuid4().hex
    with plain(postfix, postfix.ports.dovecot) as client:
        assert client.has_extn("starttls")
        assert client.mail(SENDER)[0] == 530
    with starttls(postfix, postfix.ports.dovecot) as client:
        client.login(postfix.alice.username, postfix.alice.password)
        client.sendmail(SENDER, ["bob@example.test"], message(token))
    postfix.mailbox("bob").wait_for(token)


@pytest.mark.parametrize("listener", ["submission", "dovecot"])
def test_the_mechanisms_of_dovecot(postfix: PostfixServer, listener: str) -> None:
    with starttls(postfix, getattr(postfix.ports, listener)) as client:
        assert client.esmtp_features["auth"].split() == [
            "PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER",
        ]  # fmt: skip


def test_tokens_are_looked_up(postfix: PostfixServer) -> None:
    def auth_xoauth2(client: smtplib.SMTP, token: str) -> tuple[int, bytes]:
        response = f"user={SENDER}\x01auth=Bearer {token}\x01\x01"
        return client.docmd("AUTH", f"XOAUTH2 {b64encode(response.encode()).decode()}")

    token = postfix.tokens.mint(SENDER)
    with starttls(postfix, postfix.ports.submission) as client:
        assert auth_xoauth2(client, token)[0] == 235
    postfix.tokens.revoke(token)
    with starttls(postfix, postfix.ports.submission) as client:
        code, challenge = auth_xoauth2(client, token)
        assert code == 334
        assert b64decode(challenge) == b'{"status":"401","schemes":"bearer","scope":"mail"}'
        assert client.docmd("")[0] == 535


def test_the_introspection_endpoint(postfix: PostfixServer) -> None:
    def ask(method: str, form: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(
            postfix.host, postfix.ports.introspection, timeout=TIMEOUT
        )
        with closing(connection):
            connection.request(method, "/introspect", form)
            answer = connection.getresponse()
            return answer.status, answer.read()

    inactive = (200, b'{"active": false}')
    token = postfix.tokens.mint(SENDER)
    assert b'"active": true' in ask("POST", f"token={token}")[1]
    assert ask("POST", "token=unknown") == inactive
    assert ask("POST", "token=../users") == inactive
    assert ask("POST", f"token={postfix.tokens.mint(SENDER, lifetime=-1)}") == inactive
    assert ask("POST", f"token={postfix.tokens.mint(SENDER, audience='imap')}") == inactive
    assert ask("GET", "")[0] == 404


def test_how_passwords_are_stored_does_not_matter_for_plain(postfix: PostfixServer) -> None:
    for user in (postfix.scram_only, postfix.hashed):
        with plain(postfix, postfix.ports.auth_without_tls) as client:
            assert auth_plain(client, user) == 235
