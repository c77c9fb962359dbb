"""AUTH of the embedded server (RFC 4954)."""

from __future__ import annotations

import base64
import hmac
import smtplib
from contextlib import closing

import pytest

from mailsend.testing import Answer, SmtpServer

USERS = {"ada": "s3cret", "jörg": "paßwort"}


def b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def connected(server: SmtpServer) -> closing[smtplib.SMTP]:
    client = smtplib.SMTP(server.host, server.port, "client.example", timeout=5)
    client.ehlo()
    return closing(client)


def serving(*mechanisms: str) -> SmtpServer:
    return SmtpServer(
        security="insecure_plaintext",
        users=USERS,
        auth_without_tls=True,
        mechanisms=mechanisms or ("PLAIN", "LOGIN", "CRAM-MD5"),
    )


def finish(server: SmtpServer, client: smtplib.SMTP, user: str) -> None:
    assert client.docmd("AUTH PLAIN")[0] == 503
    client.sendmail("a@example.org", "b@example.org", b"x")
    assert server.messages[-1].authenticated_as == user


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_mechanisms_with_smtplib(mechanism: str) -> None:
    with serving(mechanism) as server, connected(server) as client:
        assert client.esmtp_features["auth"].strip() == mechanism
        with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
            client.login("ada", "wrong")
        assert caught.value.smtp_code == 535
        assert caught.value.smtp_error == b"5.7.8 Authentication credentials invalid"
        client.login("ada", "s3cret")
        finish(server, client, "ada")


@pytest.mark.parametrize("initial", [True, False])
def test_plain_with_and_without_initial_response(initial: bool) -> None:
    response = b64("\0jörg\0paßwort".encode())
    with serving() as server, connected(server) as client:
        if initial:
            answer = client.docmd(f"AUTH PLAIN {response}")
        else:
            assert client.docmd("AUTH PLAIN") == (334, b"")
            answer = client.docmd(response)
        assert answer == (235, b"2.7.0 Authentication successful")
        finish(server, client, "jörg")


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (b"ada\0ada\0s3cret", 235),
        (b"root\0ada\0s3cret", 535),
        (b"\0eve\0s3cret", 535),
        (b"\0ada\0", 535),
        (b"\0\xff\0s3cret", 535),
        (b"ada\0s3cret", 501),
        (b"\0ada\0s3cret\0", 501),
    ],
)
def test_plain_responses(response: bytes, code: int) -> None:
    with serving() as server, connected(server) as client:
        assert client.docmd(f"AUTH PLAIN {b64(response)}")[0] == code


def test_login_with_initial_response_and_utf8() -> None:
    with serving() as server, connected(server) as client:
        assert client.docmd("AUTH LOGIN") == (334, b64(b"Username:").encode())
        assert client.docmd("*") == (501, b"5.7.0 Authentication cancelled")
        assert client.docmd(f"auth login {b64('jörg'.encode())}") == (
            334,
            b64(b"Password:").encode(),
        )
        assert client.docmd(b64("paßwort".encode()))[0] == 235
        finish(server, client, "jörg")


def test_cram_md5() -> None:
    with serving() as server, connected(server) as client:
        assert client.docmd(f"AUTH CRAM-MD5 {b64(b'ada')}")[0] == 501
        code, challenge = client.docmd("AUTH CRAM-MD5")
        assert code == 334
        digest = hmac.new("paßwort".encode(), base64.b64decode(challenge), "md5").hexdigest()
        assert client.docmd(b64(f"jörg {digest}".encode()))[0] == 235
        finish(server, client, "jörg")


def test_cram_md5_challenges_differ() -> None:
    with serving() as server, connected(server) as client:
        challenges: set[bytes] = set()
        for _ in range(2):
            challenges.add(client.docmd("AUTH CRAM-MD5")[1])
            client.docmd("*")
        assert len(challenges) == 2


@pytest.mark.parametrize(
    ("mechanism", "right", "wrong"),
    [
        (
            "XOAUTH2",
            b"user=ada\x01auth=Bearer s3cret\x01\x01",
            b"user=ada\x01auth=Bearer old\x01\x01",
        ),
        (
            "OAUTHBEARER",
            b"n,a=ada,\x01auth=Bearer s3cret\x01\x01",
            b"n,a=ada,\x01auth=Bearer old\x01\x01",
        ),
    ],
)
def test_bearer_tokens(mechanism: str, right: bytes, wrong: bytes) -> None:
    with serving(mechanism) as server, connected(server) as client:
        assert client.docmd(f"AUTH {mechanism} {b64(b'nonsense')}")[0] == 501
        code, text = client.docmd(f"AUTH {mechanism} {b64(wrong)}")
        assert code == 334
        assert b'"status"' in base64.b64decode(text)
        assert client.docmd("")[0] == 535
        assert client.docmd(f"AUTH {mechanism} {b64(right)}")[0] == 235
        finish(server, client, "ada")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("AUTH", 501),
        ("AUTH PLAIN a b", 501),
        ("AUTH GSSAPI", 504),
        ("AUTH PLAIN not-base64!", 501),
        ("AUTH PLAIN =", 501),
    ],
)
def test_refused_forms_of_the_command(line: str, code: int) -> None:
    with serving() as server, connected(server) as client:
        assert client.docmd(line)[0] == code
        assert client.docmd("MAIL FROM:<a@example.org>") == (530, b"5.7.0 Authentication required")


def test_auth_is_not_offered_without_tls() -> None:
    with (
        SmtpServer(security="insecure_plaintext", users=USERS) as server,
        connected(server) as client,
    ):
        assert not client.has_extn("auth")
        assert client.docmd("AUTH PLAIN")[0] == 538
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        assert client.docmd("AUTH PLAIN")[0] == 502


def test_auth_may_be_left_out() -> None:
    with (
        SmtpServer(security="insecure_plaintext", users=USERS, require_auth=False) as server,
        connected(server) as client,
    ):
        client.sendmail("a@example.org", "b@example.org", b"x")
    assert server.messages[0].authenticated_as is None


def test_not_during_a_transaction() -> None:
    with (
        SmtpServer(
            security="insecure_plaintext", users=USERS, require_auth=False, auth_without_tls=True
        ) as server,
        connected(server) as client,
    ):
        client.mail("a@example.org")
        assert client.docmd("AUTH PLAIN")[0] == 503


def test_commands_behind_a_response() -> None:
    with serving() as server, connected(server) as client:
        client.docmd("AUTH PLAIN")
        client.send(b64(b"\0ada\0s3cret") + "\r\nRSET\r\n")
        assert client.getreply()[0] == 554
    assert len(server.violations) == 1


def test_endless_challenges() -> None:
    with serving() as server, connected(server) as client:
        server.on("AUTH", Answer("334 "))
        server.on("AUTH_RESPONSE", Answer("334 bm90aGluZw=="), times=None)
        assert client.docmd("AUTH PLAIN")[0] == 334
        for _ in range(20):
            assert client.docmd("")[0] == 334


def test_scripted_answers_decide() -> None:
    with serving() as server, connected(server) as client:
        server.on("AUTH", Answer("454 4.7.0 Later"))
        server.on("AUTH_RESPONSE", Answer("235 2.7.0 Come in"), match=b64(b"\0eve\0x").encode())
        assert client.docmd("AUTH PLAIN " + b64(b"\0ada\0s3cret"))[0] == 454
        assert client.docmd("MAIL FROM:<a@example.org>")[0] == 530
        client.docmd("AUTH PLAIN")
        assert client.docmd(b64(b"\0eve\0x"))[0] == 235
        client.sendmail("a@example.org", "b@example.org", b"x")
    assert server.messages[0].authenticated_as == ""
