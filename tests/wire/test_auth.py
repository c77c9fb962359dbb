from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from mailsend import (
    AuthenticationError,
    Cause,
    ConfigurationError,
    MailsendError,
    Password,
    ProtocolViolation,
    Scope,
    ServiceUnavailable,
    SmtpProfile,
    Stage,
    open_transport,
)
from mailsend.testing import Answer, Close, SmtpServer
from mailsend.testing import Stage as ScriptStage

Serve = Callable[..., SmtpServer]
ProfileFor = Callable[..., SmtpProfile]

USER, SECRET = "ada@example.org", "s3cret-Pässwörd"
FORMS = [
    SECRET,
    base64.b64encode(SECRET.encode()).decode(),
    base64.b64encode(f"\0{USER}\0{SECRET}".encode()).decode(),
]


def auth_commands(server: SmtpServer) -> list[bytes]:
    return [command for command in server.commands if command.startswith(b"AUTH")]


def shows_secret(text: str) -> bool:
    return any(form in text for form in FORMS)


@pytest.mark.parametrize("mode", ["implicit_tls", "starttls", "insecure_plaintext"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
@pytest.mark.parametrize("delivery", ["whole", "lines", "bytes"])
def test_each_mechanism(
    serve: Serve, profile_for: ProfileFor, mode: str, mechanism: str, delivery: str
) -> None:
    server = serve(mode, mechanisms=[mechanism], delivery=delivery)
    with open_transport(profile_for(server, mode)) as transport:
        assert not shows_secret("\n".join(transport.transcript))
    assert len(auth_commands(server)) == 1
    assert server.violations == ()


@pytest.mark.parametrize(
    ("offered", "allowed", "used"),
    [
        (["CRAM-MD5", "LOGIN", "PLAIN"], (), b"AUTH PLAIN"),
        (["CRAM-MD5", "LOGIN"], (), b"AUTH LOGIN"),
        (["PLAIN", "LOGIN", "CRAM-MD5"], ("CRAM-MD5", "PLAIN"), b"AUTH CRAM-MD5"),
        (["PLAIN", "LOGIN"], ("login",), b"AUTH LOGIN"),
    ],
)
def test_the_mechanism_is_ours_by_preference(
    serve: Serve, profile_for: ProfileFor, offered: list[str], allowed: tuple[str, ...], used: bytes
) -> None:
    server = serve("implicit_tls", mechanisms=offered)
    with open_transport(profile_for(server, "implicit_tls", mechanisms=allowed)):
        pass
    assert auth_commands(server)[0].startswith(used)


def test_mechanisms_are_read_in_any_case_and_in_the_old_form(
    serve: Serve, profile_for: ProfileFor
) -> None:
    server = serve("implicit_tls")
    server.on("EHLO", Answer(b"250-localhost\r\n250 auth=plain login\r\n"))
    server.on("AUTH", Answer("235 2.7.0 Welcome"))
    with open_transport(profile_for(server, "implicit_tls")):
        assert len(auth_commands(server)) == 1


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
@pytest.mark.parametrize("mode", ["implicit_tls", "starttls", "insecure_plaintext"])
def test_a_wrong_password_is_tried_once(
    serve: Serve, profile_for: ProfileFor, mode: str, mechanism: str
) -> None:
    server = serve(mode, users={USER: "another"}, mechanisms=[mechanism, "X-OTHER"][:1])
    with pytest.raises(AuthenticationError) as caught:
        open_transport(profile_for(server, mode))
    error = caught.value
    assert len(auth_commands(server)) == 1
    assert (error.stage, error.cause, error.scope) == (
        Stage.AUTH,
        Cause.BAD_CREDENTIALS,
        Scope.ACCOUNT,
    )
    assert error.reply is not None
    assert error.reply.code == 535
    assert not error.retryable
    assert USER in str(error)
    assert not shows_secret(f"{error} {error!r} {error.transcript} {error.facts()}")


@pytest.mark.parametrize(
    ("answer", "cause", "retryable"),
    [
        ("535 5.7.8 Wrong", Cause.BAD_CREDENTIALS, False),
        ("550 Authentication Failed", Cause.BAD_CREDENTIALS, False),
        ("454 4.7.0 Not now", Cause.AUTHENTICATION_TEMPORARY, True),
        ("503 5.5.1 Already authenticated", Cause.COMMAND_REJECTED, False),
        ("504 5.5.4 Unknown mechanism", Cause.AUTHENTICATION_UNAVAILABLE, False),
        ("538 5.7.11 Encryption required", Cause.TLS_REQUIRED, False),
    ],
)
def test_refusals(
    serve: Serve, profile_for: ProfileFor, answer: str, cause: Cause, retryable: bool
) -> None:
    server = serve("implicit_tls")
    server.on("AUTH", Answer(answer), Close())  # the reply outlives the connection
    with pytest.raises(AuthenticationError) as caught:
        open_transport(profile_for(server, "implicit_tls"))
    assert (caught.value.cause, caught.value.retryable) == (cause, retryable)


@pytest.mark.parametrize("code", [250, 220, 334])
def test_only_235_is_success(serve: Serve, profile_for: ProfileFor, code: int) -> None:
    server = serve("implicit_tls", mechanisms=["PLAIN"])
    server.on("AUTH", Answer(f"{code} ok"))
    server.on("AUTH_RESPONSE", Answer(f"{code} ok"), times=None)
    with pytest.raises(ProtocolViolation) as caught:
        open_transport(profile_for(server, "implicit_tls"))
    assert caught.value.stage is Stage.AUTH


@pytest.mark.parametrize("challenge", ["334 !!!", "334 =x=", "334 \u00fc"])
def test_a_challenge_that_is_not_base64(
    serve: Serve, profile_for: ProfileFor, challenge: str
) -> None:
    server = serve("implicit_tls", mechanisms=["LOGIN"])
    server.on("AUTH", Answer(challenge))
    with pytest.raises(ProtocolViolation, match="base64"):
        open_transport(profile_for(server, "implicit_tls"))


def test_challenges_without_end(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls", mechanisms=["LOGIN"])
    server.on("AUTH", Answer("334 "))
    server.on("AUTH_RESPONSE", Answer("334 "), times=None)
    with pytest.raises(ProtocolViolation):
        open_transport(profile_for(server, "implicit_tls"))


def test_a_long_initial_response_waits_for_the_challenge(
    serve: Serve, profile_for: ProfileFor
) -> None:
    long_secret = "x" * 1000
    server = serve("implicit_tls", users={USER: long_secret}, mechanisms=["PLAIN"])
    profile = profile_for(server, "implicit_tls", credentials=Password(long_secret))
    with open_transport(profile):
        assert auth_commands(server) == [b"AUTH PLAIN"]


def test_auth_that_is_not_offered(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls", users={})
    with pytest.raises(AuthenticationError, match="no authentication") as caught:
        open_transport(profile_for(server, "implicit_tls"))
    assert caught.value.cause is Cause.AUTHENTICATION_UNAVAILABLE
    assert auth_commands(server) == []


def test_no_mechanism_in_common_names_both_sides(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls", mechanisms=["XOAUTH2", "LOGIN"])
    with pytest.raises(AuthenticationError, match=r"XOAUTH2.*PLAIN"):
        open_transport(profile_for(server, "implicit_tls", mechanisms=["PLAIN"]))
    assert auth_commands(server) == []


@pytest.mark.parametrize("stage", ["AUTH", "AUTH_RESPONSE"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", ["535 5.7.8 not %s\r\n", "%s\r\n", "535-%s\r\n999 x\r\n"])
def test_a_server_that_quotes_the_secret_does_not_make_it_show(
    serve: Serve, profile_for: ProfileFor, stage: ScriptStage, form: str, shape: str
) -> None:
    server = serve("implicit_tls", mechanisms=["LOGIN" if stage == "AUTH_RESPONSE" else "PLAIN"])
    server.on(stage, Answer((shape % form).encode()), skip=int(stage == "AUTH_RESPONSE"))
    with pytest.raises(MailsendError) as caught:
        open_transport(profile_for(server, "implicit_tls"))
    error = caught.value
    assert error.stage is Stage.AUTH
    shown = f"{error} {error!r} {error.reply!r} {error.transcript} {error.facts()}"
    assert not shows_secret(shown)
    chain: BaseException | None = error
    while chain is not None:
        assert not shows_secret(f"{chain} {chain!r}")
        chain = chain.__cause__ or chain.__context__


@pytest.mark.parametrize("kind", ["unset variable", "missing file", "failing command"])
def test_a_secret_that_cannot_be_found_stops_before_connecting(
    serve: Serve, profile_for: ProfileFor, tmp_path: Path, kind: str
) -> None:
    server = serve("implicit_tls")
    password = {
        "unset variable": Password.from_env("MAILSEND_TEST_NO_SUCH_VARIABLE"),
        "missing file": Password.from_file(tmp_path / "none"),
        "failing command": Password.from_command(["false"]),
    }[kind]
    with pytest.raises(ConfigurationError):
        open_transport(profile_for(server, "implicit_tls", credentials=password))
    assert server.connections == 0


def test_without_credentials_no_auth_is_tried(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls", require_auth=False)
    profile = profile_for(server, "implicit_tls", username=None, credentials=None)
    with open_transport(profile):
        assert auth_commands(server) == []


def test_a_server_that_leaves_before_auth_may_be_asked_again(
    serve: Serve, profile_for: ProfileFor
) -> None:
    server = serve("implicit_tls")
    leaving = b"250-localhost\r\n250 AUTH PLAIN\r\n421 4.3.2 Shutting down\r\n"
    server.on("EHLO", Answer(leaving))
    with pytest.raises(ServiceUnavailable, match="Shutting down") as caught:
        open_transport(profile_for(server, "implicit_tls"))
    assert caught.value.retryable
    assert auth_commands(server) == []
