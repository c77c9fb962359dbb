"""A refused login is not repeated by anybody who has the same credentials."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mailsend import (
    AuthenticationError,
    Cause,
    ClientCertificate,
    MailsendError,
    Password,
    SessionTimeout,
    SmtpProfile,
    Timeouts,
    TlsOptions,
    open_transport,
)
from mailsend.logins import HOLD_SECONDS, logins
from mailsend.testing import Answer, Hang, SmtpServer

Serve = Callable[..., SmtpServer]
ProfileFor = Callable[..., SmtpProfile]


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of the table of logins, to be moved on."""
    moment = [1000.0]
    monkeypatch.setattr(logins, "_clock", lambda: moment[0])
    return moment


def refused(profile: SmtpProfile) -> AuthenticationError:
    with pytest.raises(AuthenticationError) as caught:
        open_transport(profile)
    return caught.value


def test_a_thousand_sendings_are_one_wrong_login(
    serve: Serve, profile_for: ProfileFor, now: list[float]
) -> None:
    server = serve("implicit_tls")
    first = refused(profile_for(server, "implicit_tls", credentials=Password("wrong")))
    for _ in range(1000):
        # Made anew each time, as by an application that reads its settings for each request.
        profile = profile_for(server, "implicit_tls", credentials=Password("wrong"))
        held = refused(profile)
    assert len(server.authentications) == len(server.raw) == 1
    assert held.reply == first.reply
    assert (held.cause, held.advice, held.retry) == (first.cause, first.advice, first.retry)
    assert "is not asked again before" in str(held)
    assert "unless the credentials change" in str(held)
    now[0] += HOLD_SECONDS[first.retry] - 1
    refused(profile)
    assert len(server.authentications) == 1
    now[0] += 1
    refused(profile)
    assert len(server.authentications) == 2


def test_other_credentials_are_asked_at_once(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls")
    refused(profile_for(server, "implicit_tls", credentials=Password("wrong")))
    refused(profile_for(server, "implicit_tls", credentials=Password("wrong too")))
    refused(profile_for(server, "implicit_tls", username="eve", credentials=Password("wrong")))
    with open_transport(profile_for(server, "implicit_tls")):
        pass
    assert len(server.authentications) == 4


def test_a_name_in_other_letters_is_the_same_server(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls")
    for host in ("localhost", "LocalHost"):
        refused(profile_for(server, "implicit_tls", host=host, credentials=Password("wrong")))
    assert len(server.authentications) == 1


def test_other_mechanisms_are_tried_at_once(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls", mechanisms=["CRAM-MD5", "PLAIN"])
    server.on("AUTH", Answer("535 5.7.8 No"))
    profile = profile_for(server, "implicit_tls", mechanisms=("CRAM-MD5",))
    assert "mechanisms=('PLAIN',) sends it as it is" in str(refused(profile))
    refused(profile)
    with open_transport(profile_for(server, "implicit_tls", mechanisms=("PLAIN",))):
        pass
    assert [a.reply_code for a in server.authentications] == [535, 235]


def test_another_client_certificate_is_tried_at_once(serve: Serve, tmp_path: Path) -> None:
    server = serve("implicit_tls", mechanisms=["EXTERNAL"])
    file, key = tmp_path / "client.pem", tmp_path / "client.key"
    tls = TlsOptions(ca_file=server.ca_file, client_cert=file, client_key=key)
    profile = server.profile(username="ada@example.org", credentials=ClientCertificate(), tls=tls)

    def issue(name: str) -> None:  # as who renews a certificate, in the place of the old one
        for path, source in zip(
            (file, key), server.authority.client_certificate_for(name), strict=True
        ):
            path.write_bytes(Path(source).read_bytes())

    issue("eve@example.org")
    error = refused(profile)
    assert "See that the server knows the profile's client certificate" in str(error)
    assert "password" not in str(error)
    refused(profile)
    issue("ada@example.org")
    with open_transport(profile):
        pass
    assert [a.reply_code for a in server.authentications] == [535, 235]


def test_a_certificate_without_a_name(serve: Serve) -> None:
    server = serve("implicit_tls", mechanisms=["EXTERNAL"])
    server.on("AUTH", Answer("535 5.7.8 No"))
    certificate, key = server.authority.client_certificate_for("ada@example.org")
    tls = TlsOptions(ca_file=server.ca_file, client_cert=certificate, client_key=key)
    error = refused(server.profile(username=None, credentials=ClientCertificate(), tls=tls))
    assert error.what == "the server refused to authenticate the client certificate by EXTERNAL"


def test_a_reference_that_leads_to_a_new_password(
    serve: Serve, profile_for: ProfileFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve("implicit_tls", users={"ada@example.org": "right"})
    monkeypatch.setenv("SMTP_PASSWORD_OF_TEST", "wrong")
    profile = profile_for(
        server, "implicit_tls", credentials=Password.from_env("SMTP_PASSWORD_OF_TEST")
    )
    refused(profile)
    refused(profile)
    monkeypatch.setenv("SMTP_PASSWORD_OF_TEST", "right")
    with open_transport(profile):
        pass
    assert [attempt.reply_code for attempt in server.authentications] == [535, 235]


@pytest.mark.parametrize(
    ("reply", "cause", "repeats"),
    [
        ("454 4.7.0 Temporary authentication failure", Cause.AUTHENTICATION_TEMPORARY, True),
        ("454 4.7.0 Too many login attempts, please try again later", Cause.TOO_MANY_LOGINS, False),
        ("535 5.7.8 Authentication failed", Cause.BAD_CREDENTIALS, False),
        ("534 5.7.9 Application-specific password required", Cause.APP_PASSWORD_REQUIRED, False),
    ],
)
def test_what_holds_and_what_does_not(
    serve: Serve, profile_for: ProfileFor, reply: str, cause: Cause, repeats: bool
) -> None:
    server = serve("implicit_tls")
    server.on("AUTH", Answer(reply), times=None)
    profile = profile_for(server, "implicit_tls")
    assert refused(profile).cause is cause
    assert refused(profile).cause is cause
    assert len(server.authentications) == (2 if repeats else 1)


def test_a_server_that_cannot_be_reached_is_none_that_refused(
    serve: Serve, profile_for: ProfileFor
) -> None:
    server = serve("implicit_tls", mechanisms=["XOAUTH2"])
    profile = profile_for(server, "implicit_tls")
    for _ in range(2):
        assert refused(profile).cause is Cause.AUTHENTICATION_UNAVAILABLE
    assert len(server.raw) == 2


def test_threads_that_begin_at_once_are_one_wrong_login(
    serve: Serve, profile_for: ProfileFor
) -> None:
    server = serve("implicit_tls")
    profile = profile_for(server, "implicit_tls", credentials=Password("wrong"))
    errors: list[MailsendError] = []

    def send() -> None:
        errors.append(refused(profile))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(errors) == 8
    assert len(server.authentications) == 1
    assert sum("is not asked again before" in str(error) for error in errors) == 7


def test_threads_with_good_credentials_all_get_in(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls")
    profile = profile_for(server, "implicit_tls")
    failures: list[BaseException] = []

    def send() -> None:
        try:
            with open_transport(profile):
                pass
        except MailsendError as error:
            failures.append(error)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert [attempt.reply_code for attempt in server.authentications] == [235] * 8


def test_waiting_for_another_login_has_an_end(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls")
    server.on("AUTH", Hang())
    slow = profile_for(server, "implicit_tls")

    def wait() -> None:
        with pytest.raises(MailsendError):
            open_transport(slow)

    thread = threading.Thread(target=wait)
    thread.start()
    server.wait_until(lambda: any(command.startswith(b"AUTH") for command in server.commands))
    quick = profile_for(server, "implicit_tls", timeouts=Timeouts.uniform(5, total=0.5))
    with pytest.raises(SessionTimeout, match="Another login with the same credentials"):
        open_transport(quick)
    server.stop()
    thread.join(30)
