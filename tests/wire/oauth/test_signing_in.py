"""``mailsend login``, ``logout`` and ``token``."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keyring
import keyring.backend
import pytest

from mailsend import ConfigurationError, Retry, TokenError
from mailsend.cli import main
from mailsend.cli.exit_codes import ExitCode
from mailsend.oauth import SignedIn, google_sign_in, microsoft
from mailsend.oauth.google_sign_in import ConsentPage, DesktopClient
from mailsend.oauth.loopback import Loopback
from mailsend.oauth.microsoft import DeviceCode
from mailsend.oauth.store import SignInStore
from mailsend.secret import Hidden

from .authorization_server import (
    ACCOUNT,
    CLIENT,
    GOOGLE_SCOPE,
    TENANT,
    USER_SCOPE,
    AuthorizationServer,
    untrusting,
)
from .conftest import Keep

Out = pytest.CaptureFixture[str]


# -- Microsoft: by a code


def device(server: AuthorizationServer, ca_file: Path, **settings: Any) -> Any:
    waits: list[float] = []
    told: list[DeviceCode] = []
    defaults: dict[str, Any] = {
        "client_id": CLIENT,
        "tenant": TENANT,
        "authority": server.host,
        "ca_file": ca_file,
        "tell": told.append,
        "wait": waits.append,
    }
    return microsoft.sign_in("work", **{**defaults, **settings}), told, waits


@pytest.mark.filterwarnings("ignore:Attempted too soon")  # nothing is waited for here
def test_a_code_is_asked_for_until_it_is_entered(
    server: AuthorizationServer, ca_file: Path
) -> None:
    server.interval = 2
    server.waiting = ["authorization_pending", "slow_down", "authorization_pending"]
    sign_in, told, waits = device(server, ca_file)
    assert (sign_in.account, sign_in.client_id) == (ACCOUNT, CLIENT)
    assert USER_SCOPE in sign_in.scopes
    assert sign_in.refresh_token.reveal() in server.refresh_tokens
    (code,) = told
    assert (code.url, code.code) == ("https://microsoft.example/devicelogin", "ABCD-EFGH")
    left = code.expires_at - dt.datetime.now(dt.UTC)
    assert dt.timedelta(seconds=880) < left <= dt.timedelta(seconds=900)
    # RFC 8628 §3.5: five seconds more after slow_down, from then on.
    assert waits == [2, 2, 7, 7]


def test_trouble_in_between_does_not_end_it(server: AuthorizationServer, ca_file: Path) -> None:
    server.canned = [(503, {})]
    sign_in, _, waits = device(server, ca_file)
    assert sign_in.account == ACCOUNT
    assert waits == [0, 5.0]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("authorization_declined", "declined"),
        ("expired_token", "not entered in time"),
        ("bad_verification_code", "it refused"),
    ],
)
def test_a_code_that_is_not_entered(
    server: AuthorizationServer, ca_file: Path, error: str, said: str
) -> None:
    server.waiting = ["authorization_pending", error]
    with pytest.raises(TokenError, match=said) as caught:
        device(server, ca_file)
    assert caught.value.retry is Retry.NEVER


def test_what_was_granted_has_to_do(server: AuthorizationServer, ca_file: Path) -> None:
    server.grants_scope = "openid profile"
    with pytest.raises(TokenError, match="did not grant the scope"):
        device(server, ca_file)
    server.grants_scope, server.gives_refresh_token = None, False
    with pytest.raises(TokenError, match="no refresh token"):
        device(server, ca_file)
    with pytest.raises(TokenError, match="no such application"):
        device(server, ca_file, client_id="another")


def test_login_at_microsoft(
    server: AuthorizationServer, ca_file: Path, capsys: Out, folder: Path
) -> None:
    where = f"--tenant {TENANT} --authority {server.host} --ca-file {ca_file}"
    status = main(["login", "microsoft", "work", "--client-id", CLIENT, *where.split()])
    shown = capsys.readouterr()
    assert status == ExitCode.OK, shown.err
    lines = shown.out.splitlines()
    assert lines[0] == "Open https://microsoft.example/devicelogin"
    assert lines[1] == "and enter ABCD-EFGH"
    assert re.fullmatch(r"by \d\d:\d\d:\d\d\.", lines[2])
    assert lines[3:] == [
        f"Signed in as {ACCOUNT}.",
        'In code: OAuth2(token=SignedIn("work"))',
    ]
    assert SignedIn("work")().value.reveal() == server.access_tokens[1]
    assert sorted(file.name for file in folder.iterdir()) == ["work.json", "work.lock"]


def test_token_tells_of_a_sign_in(server: AuthorizationServer, keep: Keep, capsys: Out) -> None:
    keep()
    assert main(["token", "work"]) == ExitCode.OK
    assert not server.access_tokens
    assert ACCOUNT in capsys.readouterr().out
    assert main(["token", "work", "--check", "--json"]) == ExitCode.OK
    facts = json.loads(capsys.readouterr().out)
    assert (facts["account"], facts["kept_in"], facts["provider"]) == (ACCOUNT, "file", "microsoft")
    ends = dt.datetime.fromisoformat(facts["expires_at"])
    assert dt.timedelta(seconds=3500) < ends - dt.datetime.now(dt.UTC)
    assert main(["token", "work", "--check"]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "Token until" in shown
    assert not any(token in shown for token in server.access_tokens)
    server.refresh_tokens.clear()
    assert main(["token", "work", "--check"]) == ExitCode.NO_PERMISSION
    assert "mailsend login microsoft work" in capsys.readouterr().err
    server.canned = [(503, {})]
    assert main(["token", "work", "--check"]) == ExitCode.TEMPORARY


def test_logout(keep: Keep, capsys: Out) -> None:
    keep()
    assert main(["logout", "work"]) == ExitCode.OK
    assert "withdraw" in capsys.readouterr().out
    assert main(["logout", "work"]) == ExitCode.UNAVAILABLE
    assert main(["token", "work"]) == ExitCode.UNAVAILABLE
    assert capsys.readouterr().err.count("nobody has signed in as work") == 2


# -- Google: in a browser


def browse(url: str) -> str:
    """Agree, and come back, as a browser does."""
    try:
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=untrusting())
        )
        with opener.open(url, timeout=10) as page:
            return str(page.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return f"{error.code}"


def in_browser(
    client: DesktopClient, ca_file: Path, visit: Callable[[ConsentPage], None], **settings: Any
) -> Any:
    visitors: list[threading.Thread] = []

    def tell(page: ConsentPage) -> None:
        visitors.append(threading.Thread(target=visit, args=(page,)))
        visitors[0].start()

    defaults: dict[str, Any] = {"client": client, "tell": tell, "seconds": 20.0, "ca_file": ca_file}
    try:
        return google_sign_in.sign_in("work", **{**defaults, **settings})
    finally:
        for visitor in visitors:
            visitor.join()


def test_a_browser_comes_back(
    server: AuthorizationServer, client_secrets: Path, ca_file: Path
) -> None:
    client = DesktopClient.from_file(client_secrets)
    pages: list[str] = []

    def visit(page: ConsentPage) -> None:
        # What comes to that port besides does not end it.
        own = f"http://127.0.0.1:{page.port}"
        pages.extend(browse(f"{own}/{other}") for other in ("favicon.ico", "?code=x&state=other"))
        with socket.create_connection(("127.0.0.1", page.port)):  # opened in advance, not used
            pages.append(browse(page.url))

    sign_in = in_browser(client, ca_file, visit, login_hint=ACCOUNT)
    assert pages[:2] == ["404", "404"]
    assert "You have signed in" in pages[2]
    assert sign_in.account == ACCOUNT
    assert GOOGLE_SCOPE in sign_in.scopes
    assert sign_in.refresh_token.reveal() in server.refresh_tokens
    (asked,) = server.of("/o/oauth2/auth")
    assert (asked["prompt"], asked["login_hint"]) == ("consent", ACCOUNT)
    assert len(asked["state"]) >= 32


def test_two_sign_ins_share_nothing(
    server: AuthorizationServer, client_secrets: Path, ca_file: Path
) -> None:
    client = DesktopClient.from_file(client_secrets)
    pages: list[str] = []
    for _ in range(2):
        in_browser(client, ca_file, lambda page: pages.append(browse(page.url)))
    first, second = server.of("/o/oauth2/auth")
    assert first["state"] != second["state"]
    assert first["code_challenge"] != second["code_challenge"]
    one, two = server.of("/token")
    assert one["code_verifier"] != two["code_verifier"]


def test_another_verifier_is_refused(
    server: AuthorizationServer, client_secrets: Path, ca_file: Path
) -> None:
    def steal(page: ConsentPage) -> None:
        browse(page.url)

    def other() -> None:
        for form in server._codes.values():
            form["code_challenge"] = "0" * 43  # as if somebody else had asked

    server.before_token = other
    with pytest.raises(TokenError, match="Invalid code verifier"):
        in_browser(DesktopClient.from_file(client_secrets), ca_file, steal)


def test_no_at_the_consent_page(
    server: AuthorizationServer, client_secrets: Path, ca_file: Path
) -> None:
    server.denies = True
    pages: list[str] = []
    with pytest.raises(TokenError, match="consent was declined"):
        in_browser(
            DesktopClient.from_file(client_secrets), ca_file, lambda p: pages.append(browse(p.url))
        )
    assert "did not succeed" in pages[0]


def test_nobody_comes(client_secrets: Path, ca_file: Path) -> None:
    client = DesktopClient.from_file(client_secrets)
    with pytest.raises(TokenError, match="obody signed in within"):
        in_browser(client, ca_file, lambda _: None, seconds=0.05)


def test_the_port_is_taken_by_one() -> None:
    with Loopback(Hidden("state")) as one:
        port = int(one.url.rstrip("/").rpartition(":")[2])
        with pytest.raises(ConfigurationError, match="another --port"):
            Loopback(Hidden("state"), port)
        assert browse(f"{one.url}?state=state") == (
            "The sign-in did not succeed. The terminal says why.\n"
        )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"auth_uri": "http://accounts.example/"}, "auth_uri"),
        ({"token_uri": "http://accounts.example/"}, "token_uri"),
        ({"token_uri": 5}, "token_uri"),
        ({"client_secret": ""}, "client secret is empty"),
    ],
)
def test_files_that_are_no_client(client_secrets: Path, change: dict[str, Any], said: str) -> None:
    document = json.loads(client_secrets.read_text())
    client_secrets.write_text(json.dumps({"installed": {**document["installed"], **change}}))
    with pytest.raises(ConfigurationError, match=said):
        DesktopClient.from_file(client_secrets)
    client_secrets.write_text(json.dumps({"web": document["installed"]}))
    with pytest.raises(ConfigurationError, match="no client of the type Desktop app"):
        DesktopClient.from_file(client_secrets)


class _Ring(keyring.backend.KeyringBackend):
    priority = 1

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


def test_login_at_google_with_a_keyring(
    server: AuthorizationServer, client_secrets: Path, ca_file: Path, capsys: Out, folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    visitors: list[threading.Thread] = []

    def open_page(url: str) -> bool:
        visitors.append(threading.Thread(target=browse, args=(url,)))
        visitors[0].start()
        return True

    monkeypatch.setattr("webbrowser.open", open_page)
    before = keyring.get_keyring()
    keyring.set_keyring(_Ring())
    try:
        way = f"--client-secrets {client_secrets} --browser --store keyring --ca-file {ca_file}"
        status = main(["login", "google", "work", *way.split()])
        visitors[0].join()
        shown = capsys.readouterr()
        assert status == ExitCode.OK, shown.err
        assert f"{server.url}/o/oauth2/auth?" in shown.out
        assert f"Signed in as {ACCOUNT}." in shown.out
        kept = (folder / "work.json").read_text()
        assert not any(token in kept for token in server.refresh_tokens)
        assert SignedIn("work")().value.reveal() == server.access_tokens[1]
        assert not any(
            token in (folder / "work.json").read_text() for token in server.access_tokens
        )
        assert SignInStore().load("work").refresh_token.reveal() in server.refresh_tokens
    finally:
        keyring.set_keyring(before)


# -- the command line


@pytest.mark.parametrize(
    "arguments",
    [
        ["login"],
        ["login", "yahoo", "work"],
        ["login", "microsoft", "work"],
        ["login", "google", "work"],
        ["login", "microsoft", "--client-id", "x"],
        ["login", "microsoft", "work", "--client-id", "x", "--store", "moon"],
        ["logout"],
        ["token"],
    ],
)
def test_command_lines_that_are_none(arguments: list[str], capsys: Out) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(arguments)
    assert leaving.value.code == ExitCode.USAGE
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["login", "microsoft", "../x", "--client-id", "x"],
        ["login", "microsoft", "work", "--client-id", "x", "--tenant", "a b"],
        ["login", "microsoft", "work", "--client-id", "x", "--authority", "http://x"],
        ["login", "microsoft", "work", "--client-id", "x", "--ca-file", "/none/such.pem"],
        ["login", "google", "work", "--client-secrets", "/none/such.json"],
        ["login", "google", "work", "--client-secrets", "x", "--port", "99999"],
        ["logout", "../x"],
    ],
)
def test_settings_that_cannot_be_used(arguments: list[str], capsys: Out) -> None:
    assert main(arguments) == ExitCode.CONFIGURATION
    assert capsys.readouterr().err.startswith("mailsend: ")


def test_no_client_id_comes_with_it() -> None:
    from mailsend.cli import build_parser

    (commands,) = (
        action
        for action in build_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    assert "register an application of your own" in commands.choices["login"].description


@pytest.mark.parametrize("provider", ["microsoft", "google"])
def test_an_interrupt_ends_it_cleanly(
    server: AuthorizationServer, ca_file: Path, client_secrets: Path, folder: Path, provider: str
) -> None:
    server.interval = 30
    ways = {
        "microsoft": ["--client-id", CLIENT, "--tenant", TENANT, "--authority", server.host],
        "google": ["--client-secrets", str(client_secrets)],
    }
    command = [sys.executable, "-m", "mailsend", "login", provider, "work", *ways[provider]]
    with subprocess.Popen(
        [*command, "--ca-file", str(ca_file)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            if "by " in line or "Waiting" in line:
                break
        process.send_signal(signal.SIGINT)
        try:
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, errors) == (ExitCode.INTERRUPTED, "mailsend: interrupted\n")
    assert not list(folder.glob("*.json"))
