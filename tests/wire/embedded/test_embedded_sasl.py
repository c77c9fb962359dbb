"""Tokens that change, client certificates, mechanisms of one's own, and what is recorded."""

from __future__ import annotations

import base64
import json
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailsend.testing import (
    Authentication,
    Authority,
    Exchange,
    MalformedResponse,
    SaslContext,
    ServerMechanism,
    SmtpServer,
    oauthbearer,
    xoauth2,
)


def b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


@contextmanager
def talking(*mechanisms: str | ServerMechanism) -> Iterator[tuple[SmtpServer, smtplib.SMTP]]:
    with (
        SmtpServer(
            security="insecure_plaintext",
            users={"ada": "token-1"},
            auth_without_tls=True,
            mechanisms=mechanisms,
        ) as server,
        smtplib.SMTP(server.host, server.port, "client.example", timeout=5) as client,
    ):
        client.ehlo()
        yield server, client


# Tokens


def bearing(mechanism: str, token: str) -> str:
    header = "user=ada\x01" if mechanism == "XOAUTH2" else "n,a=ada,\x01"
    response = f"{header}auth=Bearer {token}\x01\x01"
    return f"{mechanism} {b64(response.encode())}"


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_a_token_that_is_replaced(mechanism: str) -> None:
    with talking(mechanism) as (server, client):
        server.set_secret("ada", "token-2")
        assert client.docmd("AUTH", bearing(mechanism, "token-1"))[0] == 334
        assert client.docmd("")[0] == 535
        server.set_secret("ada", None)
        assert client.docmd("AUTH", bearing(mechanism, "token-2"))[0] == 334
        assert client.docmd("AQ==")[0] == 535
        server.set_secret("ada", "token-3")
        assert client.docmd("AUTH", bearing(mechanism, "token-3"))[0] == 235
    assert [(a.mechanism, a.user, a.reply_code) for a in server.authentications] == [
        (mechanism, "ada", 535),
        (mechanism, "ada", 535),
        (mechanism, "ada", 235),
    ]


def test_what_is_told_about_a_bad_token() -> None:
    google = {"status": "400", "schemes": "Bearer", "scope": "https://mail.google.com/"}
    other = {"status": "invalid_token", "openid-configuration": "https://id.example/"}
    said: list[tuple[ServerMechanism, Mapping[str, str]]] = [
        (xoauth2(error=google), google),
        (oauthbearer(error=other), other),
    ]
    for mechanism, error in said:
        with talking(mechanism) as (_, client):
            code, text = client.docmd("AUTH", bearing(mechanism.name, "old"))
            assert code == 334
            assert json.loads(base64.b64decode(text)) == error
            assert client.docmd(b64(b"excuse me"))[0] == 501


@pytest.mark.parametrize("mechanism", [xoauth2(error=None), oauthbearer(error=None)])
def test_nothing_is_told_about_a_bad_token(mechanism: ServerMechanism) -> None:
    with talking(mechanism) as (_, client):
        assert client.docmd("AUTH", bearing(mechanism.name, "old"))[0] == 535


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("n,a=ada,|host=localhost|port={port}|auth=Bearer token-1||", None),
        ("y,a=ada,|auth=bearer token-1|host=127.0.0.1|newkey=x||", None),
        ("n,a=ada,|auth=Basic token-1||", "invalid_token"),
        ("n,a=eve,|auth=Bearer token-1||", "invalid_token"),
        ("n,a=ada,|host=smtp.example|auth=Bearer token-1||", "invalid_request"),
        ("n,a=ada,|port=1|auth=Bearer token-1||", "invalid_request"),
        ("n,a=ada,|host=localhost|port=0{port}|auth=Bearer token-1||", "invalid_request"),
        ("n,a=ada,|host=localhost|port={port}||", "malformed"),
        ("n,a=ada,|auth=Bearer token-1|auth=Bearer token-1||", "malformed"),
        ("n,a=ada,|auth=Bearer token-1|", "malformed"),
        ("n,,|auth=Bearer token-1||", "malformed"),
        ("p=x,a=ada,|auth=Bearer token-1||", "malformed"),
        ("auth=Bearer token-1||", "malformed"),
        ("|", "malformed"),
    ],
)
def test_the_form_of_oauthbearer(response: str, answer: str | None) -> None:
    with talking("OAUTHBEARER") as (server, client):
        octets = response.format(port=server.port).replace("|", "\x01").encode()
        code, text = client.docmd("AUTH", f"OAUTHBEARER {b64(octets)}")
        if answer is None:
            assert code == 235
        elif answer == "malformed":
            assert code == 501
        else:
            assert code == 334
            assert json.loads(base64.b64decode(text))["status"] == answer
            assert client.docmd("AQ==")[0] == 535


# Client certificates


@contextmanager
def showing(
    certificate: tuple[Path, Path] | None,
) -> Iterator[tuple[SmtpServer, smtplib.SMTP]]:
    with SmtpServer(mechanisms=["EXTERNAL", "PLAIN"], users={"ada": "s3cret"}) as server:
        context = ssl.create_default_context(cafile=server.ca_file)
        if certificate is not None:
            context.load_cert_chain(*certificate)
        with smtplib.SMTP("localhost", server.port, "client.example", timeout=5) as client:
            client.starttls(context=context)
            client.ehlo()
            yield server, client


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ("=", 235),
        (b64(b"ada@example.org"), 235),
        (b64(b"eve@example.org"), 535),
        (b64(b"ada@example.org\0"), 501),
        (b64(b"\xff"), 501),
    ],
)
def test_external_with_a_certificate(argument: str, code: int) -> None:
    certificate = Authority.shared().client_certificate_for("ada@example.org")
    with showing(certificate) as (server, client):
        assert client.esmtp_features["auth"].split() == ["EXTERNAL", "PLAIN"]
        assert client.docmd("AUTH", f"EXTERNAL {argument}")[0] == code
        if code == 235:
            client.sendmail("a@example.org", "b@example.org", b"x")
            assert server.messages[0].authenticated_as == "ada@example.org"
    attempt = server.authentications[0]
    assert (attempt.mechanism, attempt.reply_code) == ("EXTERNAL", code)


def test_external_without_an_initial_response() -> None:
    with showing(Authority.shared().client_certificate) as (server, client):
        assert client.docmd("AUTH", "EXTERNAL") == (334, b"")
        assert client.docmd("")[0] == 235
    assert server.authentications == (
        Authentication(
            mechanism="EXTERNAL", user="client@localhost", reply_code=235, tls="TLSv1.3"
        ),
    )


def test_no_external_without_a_certificate() -> None:
    with showing(None) as (_, client):
        assert client.esmtp_features["auth"].split() == ["PLAIN"]
        assert client.docmd("AUTH", "EXTERNAL =")[0] == 504
        client.login("ada", "s3cret")


def test_external_needs_no_users() -> None:
    with SmtpServer(mechanisms=["external"]) as server:
        context = ssl.create_default_context(cafile=server.ca_file)
        context.load_cert_chain(*server.client_certificate)
        with smtplib.SMTP("localhost", server.port, "client.example", timeout=5) as client:
            client.starttls(context=context)
            client.ehlo()
            assert client.mail("a@example.org")[0] == 530
            assert client.docmd("AUTH", "EXTERNAL =")[0] == 235


# Mechanisms of one's own


def riddle(context: SaslContext) -> Exchange:
    context.claimed = "somebody"
    response = yield b"What has keys but opens no lock?"
    if not response:
        raise MalformedResponse("Say something")
    second = yield b"Sure?"
    return "pianist" if (response, second) == (b"piano", b"yes") else None


RIDDLE = ServerMechanism("x-riddle", riddle, client_first=False)


@pytest.mark.parametrize(
    ("responses", "code", "user"),
    [
        ([b"piano", b"yes"], 235, "pianist"),
        ([b"piano", b"no"], 535, "somebody"),
        ([b""], 501, "somebody"),
    ],
)
def test_a_mechanism_of_ones_own(responses: list[bytes], code: int, user: str) -> None:
    with talking("PLAIN", RIDDLE) as (server, client):
        assert client.esmtp_features["auth"].split() == ["PLAIN", "X-RIDDLE"]
        assert client.docmd("AUTH", "X-RIDDLE =")[0] == 501
        answer = client.docmd("AUTH", "x-riddle")
        for response in responses:
            assert answer[0] == 334
            answer = client.docmd(b64(response))
        assert answer[0] == code
    assert [(a.user, a.reply_code) for a in server.authentications][1:] == [(user, code)]


def test_a_standard_mechanism_done_differently() -> None:
    def plain(_: SaslContext) -> Exchange:
        yield b""
        return "anybody"

    with talking(ServerMechanism("PLAIN", plain)) as (_, client):
        client.login("nobody", "nothing")


def test_a_defect_in_a_mechanism_shows() -> None:
    def broken(_: SaslContext) -> Exchange:
        yield b""
        raise ZeroDivisionError

    with (
        pytest.raises(RuntimeError) as caught,
        talking(ServerMechanism("X-BROKEN", broken)) as (_, client),
    ):
        client.docmd("AUTH", "X-BROKEN =")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("name", ["", "X TEST", "X-" + "A" * 19, "X.TEST"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(ValueError, match="no name of a mechanism"):
        ServerMechanism(name, riddle)


def test_unknown_names() -> None:
    with pytest.raises(ValueError, match="'GSSAPI' is not one of PLAIN, LOGIN"):
        SmtpServer(mechanisms=["GSSAPI"])


# The record


def test_every_auth_command_is_recorded() -> None:
    with talking("PLAIN", "LOGIN") as (server, client):
        client.docmd("AUTH")
        client.docmd("AUTH", "cram-md5")
        client.docmd("AUTH", f"LOGIN {b64(b'ada')}")
        client.docmd("*")
        client.docmd("AUTH", "LOGIN")
        client.close()
        server.wait_closed()
    assert [(a.mechanism, a.user, a.reply_code) for a in server.authentications] == [
        ("", "", 501),
        ("CRAM-MD5", "", 504),
        ("LOGIN", "ada", 501),
        ("LOGIN", "", 334),
    ]
    assert {(a.connection, a.tls) for a in server.authentications} == {(0, None)}
