"""Sources of tokens, against an authorization server that checks what it is asked."""

from __future__ import annotations

import datetime as dt
import json
import pickle
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailsend import (
    AccessToken,
    ConfigurationError,
    OAuth2,
    Password,
    Retry,
    Secret,
    TokenError,
)
from mailsend.oauth import ClientCredentials, RefreshToken, ServiceAccount, SignedIn
from mailsend.oauth.https import HttpsClient, Unavailable
from mailsend.oauth.store import SignInStore
from mailsend.testing.authority import Authority

from .authorization_server import ACCOUNT, CLIENT, SECRET, TENANT, AuthorizationServer
from .conftest import Keep, MakePem

Source = Callable[..., AccessToken]
Make = Callable[..., Any]


@pytest.fixture
def application(server: AuthorizationServer, ca_file: Path) -> Make:
    def make(**changes: Any) -> ClientCredentials:
        settings: dict[str, Any] = {
            "tenant": TENANT,
            "client_id": CLIENT,
            "secret": SECRET,
            "authority": server.host,
            "ca_file": ca_file,
        }
        return ClientCredentials(**{**settings, **changes})

    return make


@pytest.fixture(
    params=["secret", "certificate", "service account", "refresh token", "ms", "google"]
)
def source(
    request: pytest.FixtureRequest, server: AuthorizationServer, application: Make,
    certificate: MakePem, key_file: Path, keep: Keep, ca_file: Path,
) -> Source:  # fmt: skip
    """Each kind of source, working."""
    kind = request.param
    if kind == "secret":
        return application()  # type: ignore[no-any-return]
    if kind == "certificate":
        return application(secret=None, certificate=certificate())  # type: ignore[no-any-return]
    if kind == "service account":
        return ServiceAccount(key_file=key_file, subject=ACCOUNT, ca_file=ca_file)
    if kind == "refresh token":
        return RefreshToken(
            client_id=CLIENT,
            client_secret=SECRET,
            refresh_token=server.new_refresh_token(),
            token_url=f"{server.url}/token",
            ca_file=ca_file,
        )
    keep("work", "microsoft" if kind == "ms" else "google")
    return SignedIn("work")


def test_a_token_is_kept_until_it_is_refused(server: AuthorizationServer, source: Source) -> None:
    credentials = OAuth2(token=source)
    token = credentials.look_up(20.0)
    assert token.value == Secret(server.access_tokens[0])
    assert token.expires_at is not None
    left = token.expires_at - dt.datetime.now(dt.UTC)
    assert dt.timedelta(seconds=3500) < left <= dt.timedelta(seconds=3600)
    assert credentials.look_up(20.0) == token
    assert len(server.access_tokens) == 1
    if isinstance(source, RefreshToken):
        server.refresh_tokens |= server.used_refresh_tokens  # its owner cannot take a new one
        server.used_refresh_tokens.clear()
    new = credentials.look_up(20.0, refused=token)
    assert new.value == Secret(server.access_tokens[1])


def test_a_token_that_ends_soon_is_replaced(server: AuthorizationServer, application: Make) -> None:
    server.expires_in = 299
    source = application()
    assert source() != source()
    server.expires_in = 310
    assert source() == source()


@pytest.mark.parametrize(
    "answer",
    [
        (500, b"<html>oops</html>"),
        (429, {}),
        (200, b"<html>sign in to the hotel's network</html>"),
        (200, b'["access_token"]'),
        (400, {"error": "temporarily_unavailable"}),
    ],
)
@pytest.mark.parametrize("provider", ["microsoft", "google"])
def test_trouble_of_the_server(
    server: AuthorizationServer, keep: Keep, provider: str, answer: Any
) -> None:
    keep("work", provider)
    server.canned = [answer]
    with pytest.raises(TokenError) as caught:
        SignedIn("work")()
    assert caught.value.retry is Retry.MINUTES
    assert not server.canned


def test_trouble_is_worth_another_try(server: AuthorizationServer, source: Source) -> None:
    server.canned = [(503, {"error": "server_error", "error_description": "AADSTS90033: busy"})]
    with pytest.raises(TokenError, match="answered with status 503") as caught:
        source()
    assert caught.value.retry is Retry.MINUTES
    assert caught.value.safe_to_retry
    assert source().value == Secret(server.access_tokens[0])


@pytest.mark.parametrize("provider", ["microsoft", "google"])
def test_a_redirect_is_not_followed(server: AuthorizationServer, keep: Keep, provider: str) -> None:
    keep("work", provider)
    server.canned = [(307, {})]
    with pytest.raises(TokenError, match="redirect, which is not followed"):
        SignedIn("work")()
    assert not server.of("/elsewhere")


def test_a_token_endpoint_without_tls_is_not_asked(
    server: AuthorizationServer, application: Make
) -> None:
    server.token_scheme = "http"
    with pytest.raises(TokenError):
        application()()
    assert not server.of("/token")
    with pytest.raises(Unavailable, match="cannot be reached: InvalidSchema"):
        HttpsClient(None, "google").post(f"http://{server.host}/token", data={"a": "b"})


def test_a_server_that_is_not_there(ca_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    source = ClientCredentials(
        tenant=TENANT, client_id=CLIENT, secret=SECRET, authority=f"localhost:{port}",
        ca_file=ca_file,
    )  # fmt: skip
    with pytest.raises(TokenError, match=f"localhost:{port} cannot be reached") as caught:
        source()
    assert caught.value.retry is Retry.MINUTES


@pytest.mark.parametrize("certificate_kind", ["untrusted", "expired", "wrong_host", "self_signed"])
def test_a_certificate_that_cannot_be_trusted(ca_file: Path, certificate_kind: str) -> None:
    server = AuthorizationServer()
    with server.running(Authority.shared(), certificate_kind):
        microsoft = ClientCredentials(
            tenant=TENANT, client_id=CLIENT, secret=SECRET, authority=server.host, ca_file=ca_file
        )
        google = RefreshToken(
            client_id=CLIENT, client_secret=SECRET, refresh_token="r3fresh",
            token_url=f"{server.url}/token", ca_file=ca_file,
        )  # fmt: skip
        for source in (microsoft, google):
            with pytest.raises(TokenError, match="certificate that is not trusted"):
                source()
        assert not server.asked


def test_the_usual_authorities_do_not_trust_the_one_of_a_test(
    server: AuthorizationServer, application: Make
) -> None:
    with pytest.raises(TokenError, match="not trusted"):
        application(ca_file=None)()
    assert not server.asked


@pytest.mark.parametrize(
    ("changes", "said", "advice"),
    [
        ({"secret": "an0ther-secret"}, "the client secret is wrong", "secret's value"),
        ({"tenant": "fabrikam.example"}, "there is no such tenant", "Check tenant"),
        ({"client_id": "another"}, "no such application", "Check client_id"),
        ({"scope": "https://graph.example/.default"}, "scope cannot be asked", "SMTP.SendAsApp"),
    ],
)
def test_refusals_of_microsoft(
    application: Make, changes: dict[str, str], said: str, advice: str
) -> None:
    with pytest.raises(TokenError, match=said) as caught:
        application(**changes)()
    assert caught.value.retry is Retry.NEVER
    assert advice in (caught.value.advice or "")
    assert (caught.value.link or "").startswith("https://learn.microsoft.com/")


def test_a_certificate_in_any_order_with_a_passphrase(
    server: AuthorizationServer, application: Make, certificate: MakePem
) -> None:
    path = certificate("pässphrase", key_first=False)
    source = application(secret=None, certificate=path, passphrase="pässphrase")
    assert source().value == Secret(server.access_tokens[0])
    (form,) = server.of("/oauth2/v2.0/token")
    assert "client_secret" not in form
    with pytest.raises(TokenError, match="raised"):
        application(secret=None, certificate=path, passphrase="wrong")()
    path.write_text("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")
    with pytest.raises(ConfigurationError, match="no private key or no certificate"):
        application(secret=None, certificate=path)()
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        application(secret=None, certificate=path.with_name("none.pem"))()


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": None},
        {"certificate": "both.pem"},
        {"passphrase": "alone"},
        {"tenant": "common"},
        {"tenant": "a/b"},
        {"tenant": ""},
        {"client_id": ""},
        {"client_id": "a\nb"},
        {"authority": "https://login.microsoftonline.com"},
        {"authority": "user@login.example"},
        {"authority": "login.example/x"},
        {"secret": "with a line end\n"},
    ],
)
def test_settings_that_cannot_work(application: Make, changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        application(**changes)


def test_a_secret_is_looked_up_each_time(
    server: AuthorizationServer, application: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = application(secret=Password.from_env("MAILSEND_TEST_SECRET"))
    monkeypatch.delenv("MAILSEND_TEST_SECRET", raising=False)
    with pytest.raises(ConfigurationError, match="MAILSEND_TEST_SECRET"):
        source()
    monkeypatch.setenv("MAILSEND_TEST_SECRET", SECRET)
    assert source().value == Secret(server.access_tokens[0])


def test_google_by_service_account_is_told_what_is_wrong(
    server: AuthorizationServer, key_file: Path, ca_file: Path
) -> None:
    def source(**changes: Any) -> ServiceAccount:
        settings = {"key_file": key_file, "subject": ACCOUNT, "ca_file": ca_file}
        return ServiceAccount(**{**settings, **changes})

    with pytest.raises(TokenError, match="no such user") as caught:
        source(subject="bob@contoso.example")()
    assert caught.value.retry is Retry.NEVER
    with pytest.raises(TokenError, match="may not act for users with this scope"):
        source(scope="https://www.googleapis.com/auth/drive")()
    server.public_keys.clear()
    with pytest.raises(TokenError, match="key is not known any more"):
        source()()
    document = json.loads(key_file.read_text())
    for change, said in (
        ({"token_uri": "http://localhost/token"}, "no https:// URL"),
        ({"private_key": "x"}, "cannot be used"),
        ({"type": "authorized_user"}, "no key of a service account"),
    ):
        key_file.write_text(json.dumps({**document, **change}))
        with pytest.raises(ConfigurationError, match=said):
            source()()
    key_file.write_text("[]")
    with pytest.raises(ConfigurationError, match="no JSON object"):
        source()()


def test_google_wants_the_user_again(server: AuthorizationServer, keep: Keep) -> None:
    keep("work", "google")
    server.canned = [
        (400, {"error": "invalid_grant", "error_subtype": "invalid_rapt"}),
        (
            400,
            {"error": "invalid_grant", "error_description": "Token has been expired or revoked."},
        ),
    ]
    with pytest.raises(TokenError, match="prove who they are again"):
        SignedIn("work")()
    with pytest.raises(TokenError, match="ended or was withdrawn") as caught:
        SignedIn("work")()
    assert "mailsend login google work" in str(caught.value)
    assert "In production" in str(caught.value)


# -- sign-ins


@pytest.mark.parametrize("provider", ["microsoft", "google"])
def test_a_new_refresh_token_takes_the_place_of_the_old_one(
    server: AuthorizationServer, keep: Keep, provider: str, folder: Path
) -> None:
    first = keep("work", provider)
    SignedIn("work")()
    second = SignInStore().load("work")
    assert second.refresh_token != first.refresh_token
    assert second.refresh_token.reveal() in server.refresh_tokens
    SignedIn("work")()
    assert len(server.access_tokens) == 2
    assert (folder / "work.json").stat().st_mode & 0o777 == 0o600


def test_without_a_new_one_the_old_one_stays(server: AuthorizationServer, keep: Keep) -> None:
    first = keep()
    server.gives_refresh_token = False
    SignedIn("work")()
    assert SignInStore().load("work") == first


def test_those_who_refresh_at_once_wait_for_each_other(
    server: AuthorizationServer, keep: Keep
) -> None:
    # A refresh token that is used twice is refused, and each source has a cache of its own, as
    # processes have: whoever read before another wrote would fail.
    keep()
    tokens: list[AccessToken] = []
    failures: list[Exception] = []
    together = threading.Barrier(6)

    def run() -> None:
        together.wait()
        try:
            tokens.append(SignedIn("work")())
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(tokens) == len({token.value.reveal() for token in tokens}) == 6
    assert SignInStore().load("work").refresh_token.reveal() in server.refresh_tokens


def test_a_sign_in_that_has_ended(server: AuthorizationServer, keep: Keep) -> None:
    keep()
    server.refresh_tokens.clear()
    with pytest.raises(TokenError, match="the sign-in has ended") as caught:
        SignedIn("work")()
    assert caught.value.retry is Retry.NEVER
    assert "mailsend login microsoft work" in (caught.value.advice or "")


def test_nobody_has_signed_in() -> None:
    with pytest.raises(TokenError, match="obody has signed in as work") as caught:
        SignedIn("work")()
    assert caught.value.retry is Retry.NEVER
    assert isinstance(caught.value.__cause__, ConfigurationError)
    assert "mailsend login" in (caught.value.advice or "")


def test_a_refresh_token_that_cannot_be_kept_is_told(
    server: AuthorizationServer, keep: Keep, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = keep()
    server.before_token = lambda: folder.chmod(0o500)
    try:
        if not _can_write(folder):
            token = SignedIn("work")()
            assert token.value == Secret(server.access_tokens[0])
            assert "could not be kept" in caplog.text
            folder.chmod(0o700)
            assert SignInStore().load("work") == first
    finally:
        folder.chmod(0o700)


def _can_write(folder: Path) -> bool:
    """Whether modes do not keep this user out, as they do not keep root out."""
    folder.chmod(0o500)
    try:
        (folder / "try").touch()
        (folder / "try").unlink()
    except OSError:
        return False
    finally:
        folder.chmod(0o700)
    return True


# -- values


def test_sources_pickle_without_secrets(
    application: Make, keep: Keep, key_file: Path, ca_file: Path, server: AuthorizationServer
) -> None:
    keep()
    referring: list[Any] = [
        SignedIn("work"),
        application(secret=Password.from_env("NAME")),
        ServiceAccount(key_file=key_file, subject=ACCOUNT, ca_file=ca_file),
    ]
    referring[0]()
    for source in referring:
        octets = pickle.dumps(OAuth2(token=source))
        assert b"refresh-token" not in octets
        assert b"access-token" not in octets
        again = pickle.loads(octets)
        assert again == OAuth2(token=source)
    assert pickle.loads(pickle.dumps(referring[0]))().value == Secret(server.access_tokens[1])
    literal = application()
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(literal)
    assert SECRET not in repr(literal)
    assert literal == application()
    with pytest.raises(AttributeError):
        literal.tenant = "other"
