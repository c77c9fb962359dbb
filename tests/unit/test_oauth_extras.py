"""Nothing of the extras is needed, nor loaded, before a token is asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from mailsend import ConfigurationError
from mailsend.oauth import ClientCredentials, RefreshToken, google_sign_in, microsoft
from mailsend.oauth.google_sign_in import DesktopClient
from mailsend.secret import Secret

HEAVY = {"msal", "google", "requests", "oauthlib", "keyring", "http", "cryptography"}


def test_sources_are_made_without_them() -> None:
    program = (
        "import sys, json, mailsend; early = set(sys.modules); import mailsend.oauth as o\n"
        "o.ClientCredentials(tenant='t', client_id='c', secret='s'); o.SignedIn('work')\n"
        "print(json.dumps([sorted(early), sorted(sys.modules)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    early, late = json.loads(done.stdout)
    assert not {name for name in early if name.startswith("mailsend.oauth")}
    assert not (HEAVY - {"http"}) & set(late)


def no_user(_: Any) -> None:
    raise AssertionError("nobody may be asked to sign in for nothing")


@pytest.mark.parametrize(
    ("package", "extra"),
    [("msal", "microsoft"), ("requests", "microsoft"), ("google", "google"),
     ("requests", "google"), ("oauthlib", "google")],
)  # fmt: skip
def test_a_missing_one_is_named(monkeypatch: pytest.MonkeyPatch, package: str, extra: str) -> None:
    for name in list(sys.modules):
        if name.split(".")[0] == package:
            monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, package, None)
    tries: list[Any]
    if extra == "microsoft":
        tries = [
            ClientCredentials(tenant="t", client_id="c", secret="s"),
            lambda: microsoft.sign_in("work", client_id="c", tell=no_user),
        ]
    else:
        url = "https://oauth2.example/token"
        client = DesktopClient("c", Secret("s"), url, url)
        signing_in = lambda: google_sign_in.sign_in("work", client=client, tell=no_user)  # noqa: E731
        using = RefreshToken(client_id="c", client_secret="s", refresh_token="r", token_url=url)
        tries = [using] if package == "google" else [signing_in]
        tries += [using] if package == "requests" else []
    for attempt in tries:
        with pytest.raises(ConfigurationError, match=rf"mailsend\[{extra}\]") as caught:
            attempt()
        assert package in str(caught.value)
