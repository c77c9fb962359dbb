"""Each mechanism against the embedded server, on each transport, however replies are cut."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from mailsend import (
    AuthenticationError,
    Cause,
    Claim,
    ClientCertificate,
    ConfigurationError,
    OAuth2,
    Password,
    ProtocolViolation,
    SaslError,
    SaslMechanism,
    SmtpProfile,
    Stage,
    TlsOptions,
    open_transport,
)
from mailsend.testing import Answer, SmtpServer, scram

Serve = Callable[..., SmtpServer]
ProfileFor = Callable[..., SmtpProfile]

USER, SECRET = "ada@example.org", "s3cret-Pässwörd"
TOKEN = "ya29.s3cret-token"
MODES = ["implicit_tls", "starttls", "insecure_plaintext"]


def token() -> str:
    return TOKEN


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("delivery", ["whole", "lines", "bytes"])
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-1", "XOAUTH2", "OAUTHBEARER"])
def test_each_succeeds(
    serve: Serve, profile_for: ProfileFor, mode: str, mechanism: str, delivery: str
) -> None:
    bearer = "SCRAM" not in mechanism
    secret = TOKEN if bearer else SECRET
    server = serve(mode, mechanisms=[mechanism], delivery=delivery, users={USER: secret})
    credentials = OAuth2(token=token) if bearer else Password(SECRET)
    with open_transport(profile_for(server, mode, credentials=credentials)) as transport:
        shown = "\n".join(transport.transcript)
    assert [(a.mechanism, a.user, a.reply_code) for a in server.authentications] == [
        (mechanism, USER, 235)
    ]
    assert server.violations == ()
    assert secret not in shown
    assert base64.b64encode(secret.encode()).decode().rstrip("=")[:-1] not in shown


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-1"])
def test_a_wrong_password_is_refused(serve: Serve, profile_for: ProfileFor, mechanism: str) -> None:
    server = serve("implicit_tls", mechanisms=[mechanism])
    with pytest.raises(AuthenticationError, match=f"by {mechanism}") as caught:
        open_transport(profile_for(server, "implicit_tls", credentials=Password("wrong")))
    assert caught.value.cause is Cause.BAD_CREDENTIALS
    assert caught.value.reply is not None


def _without_signature(message: bytes) -> bytes:
    return b"v=" + base64.b64encode(bytes(32)) if message.startswith(b"v=") else message


@pytest.mark.parametrize(
    ("served", "words"),
    [
        (scram(amend=_without_signature), "did not prove that it knows the password"),
        (scram(iterations=1), "asks for 1 iterations"),
        (scram(iterations=2_000_000_000), "asks for 2000000000 iterations"),
        (scram(amend=lambda m: b"m=x," + m), "the challenge is none of SCRAM"),
        (scram(amend=lambda m: m.replace(b"r=", b"r=x")), "does not belong to this exchange"),
        (scram(amend=lambda _: b""), "none of SCRAM"),
    ],
    ids=["signature", "few", "many", "extension", "nonce", "empty"],
)
def test_a_server_that_does_not_keep_to_scram(
    serve: Serve, profile_for: ProfileFor, served: Any, words: str
) -> None:
    server = serve("implicit_tls", mechanisms=[served])
    with pytest.raises(ProtocolViolation, match=words) as caught:
        open_transport(profile_for(server, "implicit_tls"))
    assert caught.value.stage is Stage.AUTH
    assert not any(command.startswith(b"MAIL") for command in server.commands)


def test_a_server_that_succeeds_without_a_proof(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls", mechanisms=["SCRAM-SHA-256"])
    server.on("AUTH", Answer("235 2.7.0 Welcome"))
    with pytest.raises(ProtocolViolation, match="has not proved who it is") as caught:
        open_transport(profile_for(server, "implicit_tls"))
    assert caught.value.cause is Cause.SERVER_NOT_PROVED


def test_a_client_certificate(serve: Serve) -> None:
    server = serve("implicit_tls", mechanisms=["EXTERNAL", "PLAIN"])
    certificate, key = server.authority.client_certificate_for("ada@example.org")
    tls = TlsOptions(ca_file=server.ca_file, client_cert=certificate, client_key=key)
    for name in (None, "ada@example.org"):
        profile = server.profile(username=name, credentials=ClientCertificate(), tls=tls)
        with open_transport(profile):
            pass
    assert [(a.mechanism, a.reply_code) for a in server.authentications] == [("EXTERNAL", 235)] * 2
    profile = server.profile(username="eve", credentials=ClientCertificate(), tls=tls)
    with pytest.raises(AuthenticationError, match="by EXTERNAL"):
        open_transport(profile)


def test_a_certificate_that_the_server_does_not_want(serve: Serve) -> None:
    server = serve("implicit_tls", mechanisms=["PLAIN"])
    certificate, key = server.authority.client_certificate_for("ada@example.org")
    tls = TlsOptions(ca_file=server.ca_file, client_cert=certificate, client_key=key)
    with pytest.raises(
        AuthenticationError, match="The server offers PLAIN, and the profile can do EXTERNAL"
    ) as caught:
        open_transport(server.profile(credentials=ClientCertificate(), tls=tls))
    assert caught.value.cause is Cause.AUTHENTICATION_UNAVAILABLE


@pytest.mark.parametrize(
    ("offered", "credentials", "words"),
    [
        (["PLAIN", "LOGIN"], OAuth2(token=token), "offers PLAIN, LOGIN, and the profile can do OA"),
        (["XOAUTH2"], Password(SECRET), "offers XOAUTH2, and the profile can do SCRAM-SHA-256, SC"),
    ],
)
def test_nothing_in_common(
    serve: Serve, profile_for: ProfileFor, offered: list[str], credentials: Any, words: str
) -> None:
    server = serve("implicit_tls", mechanisms=offered)
    with pytest.raises(AuthenticationError, match=words):
        open_transport(profile_for(server, "implicit_tls", credentials=credentials))
    assert server.authentications == ()


# -- mechanisms of one's own


class Reversed:
    """Sends the password backwards."""

    is_complete = True

    def __init__(self, claim: Claim) -> None:
        self._claim = claim

    def initial_response(self) -> bytes | None:
        return None

    def respond(self, challenge: bytes) -> bytes | None:
        return self._claim.proof[::-1] if challenge == b"backwards, please" else None


def test_a_mechanism_of_ones_own(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls", mechanisms=["PLAIN"])
    asked = base64.b64encode(b"backwards, please").decode()
    server.on("EHLO", Answer(b"250-localhost\r\n250 AUTH X-BACK PLAIN\r\n"))
    server.on("AUTH", Answer(f"334 {asked}"))
    server.on("AUTH_RESPONSE", Answer("235 2.7.0 Welcome"))
    own = SaslMechanism("X-BACK", Reversed)
    with open_transport(profile_for(server, "implicit_tls", mechanisms=[own])) as transport:
        assert SECRET[::-1] not in "\n".join(transport.transcript)
    assert b"AUTH X-BACK" in server.commands
    assert base64.b64encode(SECRET.encode()[::-1]) in server.raw[0]


@pytest.mark.parametrize(
    ("breaks", "error", "words"),
    [
        ("start", ConfigurationError, "the SASL mechanism X-BAD raised ValueError"),
        ("initial_response", ConfigurationError, "the SASL mechanism X-BAD raised ValueError"),
        ("respond", ConfigurationError, "the SASL mechanism X-BAD raised ValueError"),
        ("text", ConfigurationError, "the SASL mechanism X-BAD said str, and not bytes"),
        ("sasl", ProtocolViolation, "X-BAD cannot go on: no such realm"),
    ],
)
def test_a_mechanism_of_ones_own_that_is_broken(
    serve: Serve, profile_for: ProfileFor, breaks: str, error: type[Exception], words: str
) -> None:
    class Broken:
        is_complete = True

        def __init__(self, claim: Claim) -> None:
            if breaks == "start":
                raise ValueError(claim.proof)

        def initial_response(self) -> bytes | None:
            if breaks == "initial_response":
                raise ValueError
            return None

        def respond(self, challenge: bytes) -> bytes | None:
            if breaks == "text":
                return "text"  # type: ignore[return-value]  # that is what is wrong with it
            raise SaslError("no such realm") if breaks == "sasl" else ValueError(challenge)

    server = serve("implicit_tls")
    server.on("EHLO", Answer(b"250-localhost\r\n250 AUTH X-BAD\r\n"))
    server.on("AUTH", Answer("334 "))
    with pytest.raises(error, match=words):
        open_transport(
            profile_for(server, "implicit_tls", mechanisms=[SaslMechanism("X-BAD", Broken)])
        )
