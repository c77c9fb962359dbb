"""Nothing of a secret shows, whatever an authorization server says."""

from __future__ import annotations

import base64
import json
import logging
import pickle
import re
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailsend import MailsendError, OAuth2
from mailsend.cli import main
from mailsend.oauth import ClientCredentials, RefreshToken, ServiceAccount, SignedIn

from .authorization_server import ACCOUNT, CLIENT, SECRET, TENANT, AuthorizationServer
from .conftest import Keep, MakePem
from .test_signing_in import browse

Source = Callable[..., Any]
TESTS = str(Path(__file__).parents[2])


class Logs(logging.Handler):
    """Everything that is logged, with what goes along with it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text += f"{record.getMessage()} {record.__dict__}\n"
        if record.exc_info:
            self.text += "".join(traceback.format_exception(*record.exc_info))


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("GOOGLE_SDK_PYTHON_LOGGING_SCOPE", "google")
    handler, root = Logs(), logging.getLogger()
    levels = {root: root.level}
    root.addHandler(handler)
    for name in (
        "",
        "mailsend",
        "msal",
        "google",
        "google.auth",
        "urllib3",
        "requests",
        "oauthlib",
    ):
        logger = logging.getLogger(name)
        levels[logger] = logger.level
        logger.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    for logger, level in levels.items():
        logger.setLevel(level)


def secrets_of(server: AuthorizationServer, more: list[str]) -> set[str]:
    """What has been exchanged and must not show, and pieces of it."""
    found = {SECRET, *server.refresh_tokens, *server.used_refresh_tokens, *server.access_tokens}
    for _, form in server.asked:
        for name in ("refresh_token", "client_secret", "assertion", "client_assertion",
                     "device_code", "code", "code_verifier"):  # fmt: skip
            found.add(form.get(name, SECRET))
    found |= set(more)
    pieces = {secret[i : i + 16] for secret in found for i in (0, len(secret) // 2)}
    return pieces | {base64.b64encode(secret.encode()).decode()[:16] for secret in found}


def shown_by(error: MailsendError) -> str:
    """All that an error shows: words, chain, pickle, and variables of frames but the tests'."""
    printed = traceback.TracebackException.from_exception(error, capture_locals=True)
    found = [f"{error} {error!r} {error.facts()} {vars(error)}", repr(pickle.dumps(error))]
    link: traceback.TracebackException | None = printed
    while link is not None:
        found.append(str(link))
        ours = [frame for frame in link.stack if not frame.filename.startswith(TESTS)]
        found.extend(f"{frame.name} {frame.locals}" for frame in ours)
        link = link.__cause__ or link.__context__
    assert error.__cause__ is None or isinstance(error.__cause__, MailsendError | OSError)
    return "\n".join(found)


def check(server: AuthorizationServer, text: str, *more: str) -> None:
    squeezed = re.sub(r"\s", "", text)
    for piece in secrets_of(server, [*more]):
        assert re.sub(r"\s", "", piece) not in squeezed, piece


@pytest.fixture(
    params=["secret", "certificate", "service account", "refresh token", "ms", "google"]
)
def source(
    request: pytest.FixtureRequest, server: AuthorizationServer, certificate: MakePem,
    key_file: Path, keep: Keep, ca_file: Path,
) -> tuple[Source, list[str]]:  # fmt: skip
    """Each kind of source, and what of it is secret besides what it sends."""
    where: dict[str, Any] = {"authority": server.host, "ca_file": ca_file}
    kind = request.param
    if kind == "secret":
        return ClientCredentials(tenant=TENANT, client_id=CLIENT, secret=SECRET, **where), []
    if kind == "certificate":
        path = certificate("pässphrase-of-the-key")
        key = "".join(path.read_text().splitlines()[1:9])
        return ClientCredentials(
            tenant=TENANT, client_id=CLIENT, certificate=path, passphrase="pässphrase-of-the-key",
            **where,
        ), [key, "pässphrase-of-the-key"]  # fmt: skip
    if kind == "service account":
        key = "".join(json.loads(key_file.read_text())["private_key"].splitlines()[1:9])
        return ServiceAccount(key_file=key_file, subject=ACCOUNT, ca_file=ca_file), [key]
    if kind == "refresh token":
        token = server.new_refresh_token()
        return RefreshToken(
            client_id=CLIENT, client_secret=SECRET, refresh_token=token,
            token_url=f"{server.url}/token", ca_file=ca_file,
        ), []  # fmt: skip
    keep("work", "microsoft" if kind == "ms" else "google")
    return SignedIn("work"), []


def test_success_shows_nothing(
    server: AuthorizationServer, source: tuple[Source, list[str]], logs: Logs, tmp_path: Path,
    folder: Path,
) -> None:  # fmt: skip
    call, more = source
    credentials = OAuth2(token=call)
    token = credentials.look_up(20.0)
    credentials.look_up(20.0, refused=token) if isinstance(call, SignedIn) else None
    check(
        server, f"{call!r} {credentials!r} {token!r} {vars(token) if 0 else ''} {logs.text}", *more
    )
    assert "POST" in logs.text  # that of urllib3, so that something has been looked at
    for file in tmp_path.rglob("*"):
        if file.is_file() and file.parent != folder and file.suffix not in {".pem", ".json"}:
            check(server, file.read_text(), *more)
    kept = "".join(file.read_text() for file in folder.glob("*") if file.is_file())
    assert not any(access in kept for access in server.access_tokens)


@pytest.mark.parametrize("words", ["AADSTS7000215", "Invalid JWT"])
def test_refusals_that_quote_show_nothing(
    server: AuthorizationServer, source: tuple[Source, list[str]], logs: Logs, words: str
) -> None:
    call, more = source
    server.echoes = words
    with pytest.raises(MailsendError) as caught:
        OAuth2(token=call).look_up(20.0)
    check(server, f"{shown_by(caught.value)} {logs.text}", *more)


@pytest.mark.parametrize(
    "answer",
    [
        (500, b"refresh"),
        (200, b"no JSON"),
        (200, {"access_token": "has a space", "expires_in": "x"}),
        (200, {"access_token": ["eyJ-in-a-list-of-one"], "expires_in": 5}),
        (200, {"token_type": "Bearer"}),
    ],
)
def test_odd_answers_show_nothing(
    server: AuthorizationServer, keep: Keep, logs: Logs, answer: Any
) -> None:
    for provider in ("microsoft", "google"):
        keep("work", provider)
        server.canned = [answer]
        with pytest.raises(MailsendError) as caught:
            SignedIn("work")()
        check(
            server, f"{shown_by(caught.value)} {logs.text}", "has a space", "eyJ-in-a-list-of-one"
        )


def test_an_answer_without_json_is_not_logged(
    server: AuthorizationServer, keep: Keep, logs: Logs
) -> None:
    # msal would write it to its log.
    keep()
    server.canned = [(200, b'{"access_token": "eyJ-cut-in-the-middle-of-it')]
    with pytest.raises(MailsendError):
        SignedIn("work")()
    assert "eyJ-cut" not in logs.text


def test_a_server_that_is_gone_shows_nothing(
    server: AuthorizationServer, keep: Keep, logs: Logs
) -> None:
    keep("work", "google")
    sign_in_again = SignedIn("work")
    server.before_token = lambda: 1 / 0  # type: ignore[assignment]
    with pytest.raises(MailsendError, match="cannot be reached") as caught:
        sign_in_again()
    check(server, f"{shown_by(caught.value)} {logs.text}")


@pytest.mark.parametrize("echoes", ["", "Bad Request"])
@pytest.mark.parametrize("provider", ["microsoft", "google"])
def test_signing_in_shows_nothing(
    server: AuthorizationServer, client_secrets: Path, ca_file: Path, logs: Logs, provider: str,
    echoes: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path,
) -> None:  # fmt: skip
    visitors: list[threading.Thread] = []

    def open_page(url: str) -> bool:
        if provider == "google":
            visitors.append(threading.Thread(target=browse, args=(url,)))
            visitors[0].start()
        return True

    monkeypatch.setattr("webbrowser.open", open_page)
    server.echoes = echoes
    way = {
        "microsoft": f"--client-id {CLIENT} --tenant {TENANT} --authority {server.host}",
        "google": f"--client-secrets {client_secrets}",
    }[provider]
    status = main(["login", provider, "work", "--browser", "--ca-file", str(ca_file), *way.split()])
    for visitor in visitors:
        visitor.join()
    shown = capsys.readouterr()
    assert status == (77 if echoes else 0), shown.err
    check(server, f"{shown.out} {shown.err} {logs.text}")
    if not echoes:
        assert main(["token", "work", "--check", "--json"]) == 0
        assert main(["token", "work"]) == 0
        shown = capsys.readouterr()
        check(server, f"{shown.out} {shown.err} {logs.text}")
        kept = "".join(file.read_text() for file in folder.glob("*"))
        assert not any(access in kept for access in server.access_tokens)
