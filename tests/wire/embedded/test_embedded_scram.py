"""SCRAM of the embedded server on the wire, against a client of the standard library alone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from mailsend.testing import Answer, ServerMechanism, SmtpServer, scram

USERS = {"ada": "s3cret", "jörg": "paßwort"}
NAMES = ("SCRAM-SHA-1", "SCRAM-SHA-256")
DIGESTS = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}


@contextmanager
def talking(*mechanisms: str | ServerMechanism) -> Iterator[tuple[SmtpServer, smtplib.SMTP]]:
    with (
        SmtpServer(
            security="insecure_plaintext",
            users=USERS,
            auth_without_tls=True,
            mechanisms=mechanisms or NAMES,
        ) as server,
        smtplib.SMTP(server.host, server.port, "client.example", timeout=5) as client,
    ):
        client.ehlo()
        yield server, client


def b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


class Scram:
    """RFC 5802 §3 and §5, as short as it goes. It believes whatever the server says."""

    def __init__(self, client: smtplib.SMTP, name: str, user: str, password: str) -> None:
        self.client, self.name, self.user, self.password = client, name, user, password
        self.digest = DIGESTS[name]
        self.bare = f"n={user},r={secrets.token_hex(12)}".encode()

    def begin(self, *, initial: bool = True) -> tuple[int, bytes]:
        first = b64(b"n,," + self.bare)
        if initial:
            return self.client.docmd("AUTH", f"{self.name} {first}")
        assert self.client.docmd("AUTH", self.name) == (334, b"")
        return self.client.docmd(first)

    def prove(self, challenge: bytes) -> tuple[int, bytes]:
        fields = dict(field.split(b"=", 1) for field in challenge.split(b","))
        salt, count = base64.b64decode(fields[b"s"]), int(fields[b"i"])
        salted = hashlib.pbkdf2_hmac(self.digest, self.password.encode(), salt, count)
        key = hmac.digest(salted, b"Client Key", self.digest)
        stored = hashlib.new(self.digest, key).digest()
        without = b"c=biws,r=" + fields[b"r"]
        said = b",".join((self.bare, challenge, without))
        signature = hmac.digest(stored, said, self.digest)
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        server_key = hmac.digest(salted, b"Server Key", self.digest)
        self.expected = b"v=" + base64.b64encode(hmac.digest(server_key, said, self.digest))
        return self.client.docmd(b64(without + b",p=" + base64.b64encode(proof)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("initial", [True, False])
@pytest.mark.parametrize("user", USERS)
def test_a_right_password(name: str, initial: bool, user: str) -> None:
    with talking() as (server, client):
        assert client.esmtp_features["auth"].split() == list(NAMES)
        exchange = Scram(client, name, user, USERS[user])
        code, challenge = exchange.begin(initial=initial)
        assert code == 334
        code, signature = exchange.prove(base64.b64decode(challenge))
        assert code == 334
        assert base64.b64decode(signature) == exchange.expected
        assert client.docmd("") == (235, b"2.7.0 Authentication successful")
        client.sendmail("a@example.org", "b@example.org", b"x")
    assert server.messages[0].authenticated_as == user
    assert [(a.mechanism, a.user, a.reply_code) for a in server.authentications] == [
        (name, user, 235)
    ]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("user", "password"), [("ada", "wrong"), ("eve", "s3cret")])
def test_a_wrong_password(name: str, user: str, password: str) -> None:
    with talking() as (server, client):
        exchange = Scram(client, name, user, password)
        code, challenge = exchange.begin()
        assert code == 334
        code, text = exchange.prove(base64.b64decode(challenge))
        assert (code, text) == (535, b"5.7.8 Authentication credentials invalid")
    assert [(a.user, a.reply_code) for a in server.authentications] == [(user, 535)]


def amended(change: Callable[[bytes], bytes]) -> ServerMechanism:
    return scram(amend=change)


@pytest.mark.parametrize(
    ("mechanism", "shown"),
    [
        (scram(iterations=1), b",i=1"),
        (amended(lambda m: m.replace(b"r=", b"r=changed")), b"r=changed"),
        (amended(lambda m: m.replace(b"r=", b"m=new,r=")), b"m=new,"),
    ],
)
def test_a_client_that_believes_everything_gets_in(
    mechanism: ServerMechanism, shown: bytes
) -> None:
    """So a client that stops there has noticed by itself, and not because the server refused."""
    with talking(mechanism) as (_, client):
        exchange = Scram(client, "SCRAM-SHA-256", "ada", "s3cret")
        challenge = base64.b64decode(exchange.begin()[1])
        assert shown in challenge
        assert exchange.prove(challenge)[0] == 334
        assert client.docmd("")[0] == 235


@pytest.mark.parametrize("said", [b"v=AAAA", b"e=other-error", b"nonsense", b""])
def test_the_last_message_is_what_the_test_wants(said: bytes) -> None:
    change = amended(lambda m: said if m.startswith(b"v=") else m)
    with talking(change) as (server, client):
        exchange = Scram(client, "SCRAM-SHA-256", "ada", "s3cret")
        code, text = exchange.prove(base64.b64decode(exchange.begin()[1]))
        assert (code, base64.b64decode(text)) == (334, said)
        assert client.docmd("*") == (501, b"5.7.0 Authentication cancelled")
    assert [a.reply_code for a in server.authentications] == [501]


def test_a_server_that_proves_nothing() -> None:
    with talking("SCRAM-SHA-256") as (server, client):
        server.on("AUTH_RESPONSE", Answer("235 2.7.0 Come in"))
        exchange = Scram(client, "SCRAM-SHA-256", "ada", "s3cret")
        assert exchange.prove(base64.b64decode(exchange.begin()[1]))[0] == 235


def test_malformed_messages() -> None:
    with talking() as (_, client):
        assert client.docmd("AUTH", f"SCRAM-SHA-256 {b64(b'user')}")[0] == 501
        assert client.docmd("AUTH", "SCRAM-SHA-256 =")[0] == 501
        Scram(client, "SCRAM-SHA-1", "ada", "s3cret").begin()
        assert client.docmd(b64(b"c=biws,r=x"))[0] == 501
