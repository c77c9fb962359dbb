"""Signing in at Google, in a browser that comes back to this machine."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from attrs import frozen

from mailsend.errors import ConfigurationError
from mailsend.oauth.answers import ask, first_refresh_token, see_scope
from mailsend.oauth.google import SCOPE, google_module, json_file
from mailsend.oauth.https import HttpsClient, missing
from mailsend.oauth.loopback import Loopback
from mailsend.oauth.settings import as_path
from mailsend.oauth.sign_in import SignIn, https_url
from mailsend.secret import Hidden, Secret

_NAME: Final = "Google"
_VERIFIER: Final = 64  # characters, of 43 to 128: RFC 7636 §4.1


@frozen
class ConsentPage:
    """What a user has to do to sign in.

    Attributes:
        url: the page to open in a browser that reaches this machine's loopback interface.
        port: where this machine waits for the browser to come back.
        expires_at: until when.
    """

    url: str
    port: int
    expires_at: dt.datetime


@frozen
class DesktopClient:
    """An OAuth client of the type Desktop app, from the JSON file that Google makes for it.

    Attributes:
        client_id: its id.
        client_secret: its secret; for desktop applications Google does not take it for one, but
            asks for it.
        consent_url: where users agree.
        token_url: where tokens come from.
    """

    client_id: str
    client_secret: Secret
    consent_url: str
    token_url: str

    @classmethod
    def from_file(cls, path: str | Path) -> DesktopClient:
        """Read the file.

        Raises:
            ConfigurationError: It cannot be read, or is of another type.
        """
        document = json_file(as_path(path), f"the client secrets file {path}")
        client = Hidden(document.value.get("installed"))
        if not isinstance(client.value, dict):
            raise ConfigurationError(
                f"{path} is no client of the type Desktop app",
                advice="Make an OAuth client ID of that type in the Google Cloud console, and "
                "download its JSON",
            )
        return cls(
            str(client.value.get("client_id") or ""),
            Secret(client.value.get("client_secret") or "", what="the client secret"),
            https_url(client.value.get("auth_uri"), "auth_uri"),
            https_url(client.value.get("token_uri"), "token_uri"),
        )


def sign_in(
    name: str,
    *,
    client: DesktopClient,
    tell: Callable[[ConsentPage], None],
    port: int = 0,
    login_hint: str | None = None,
    seconds: float = 600.0,
    ca_file: Path | None = None,
) -> SignIn:
    """Let a user sign in in a browser, by a code with proof of who asked (RFC 8252, RFC 7636).

    Google's grant for devices does not allow the scope for mail.

    Args:
        name: what to keep the sign-in under.
        client: the application to agree to.
        tell: called once with what the user has to do.
        port: where to listen for the browser on 127.0.0.1; 0 for any that is free.
        login_hint: the address of the account, to spare the choice.
        seconds: how long to wait for the user.
        ca_file: certificate authorities to trust instead of the usual ones.

    Raises:
        TokenError: The user did not sign in, or may not.
        ConfigurationError: A value cannot be one, or the extra is not installed.
    """
    try:
        from oauthlib.oauth2 import WebApplicationClient  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise missing("google", "oauthlib") from error
    google_module("auth.jwt")  # what refreshes needs it; nobody is to sign in for nothing
    flow = WebApplicationClient(client.client_id)
    state = Hidden(secrets.token_urlsafe(32))
    verifier = Hidden(flow.create_code_verifier(_VERIFIER))
    sent = [Hidden(client.client_secret.reveal()), verifier]
    with HttpsClient(ca_file, "google") as http:
        with Loopback(state, port) as browser:
            until = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
            url = flow.prepare_request_uri(
                client.consent_url,
                redirect_uri=browser.url,
                scope=[SCOPE, "openid", "email"],  # the latter two tell whose account it is
                state=state.value,
                code_challenge=flow.create_code_challenge(verifier.value, "S256"),
                code_challenge_method="S256",
                access_type="offline",
                prompt="consent",  # without it a second sign-in gives no refresh token
                **({"login_hint": login_hint} if login_hint else {}),
            )
            tell(ConsentPage(url, urlsplit(browser.url).port or 0, until))
            came_back = browser.wait(seconds)

        def exchange() -> dict[str, Any]:
            query = Hidden(dict(parse_qsl(urlsplit(came_back.value).query)))
            if "code" not in query.value:
                return {"error": query.value.get("error") or "access_denied"}
            sent.append(Hidden(query.value["code"]))
            body = Hidden(
                flow.prepare_request_body(
                    code=query.value["code"],
                    redirect_uri=browser.url,
                    code_verifier=verifier.value,
                    client_secret=client.client_secret.reveal(),
                )
            )
            return _posted(http, client.token_url, body)

        answer = ask(_NAME, exchange, sign_in=f"mailsend login google {name}", secrets=sent)
    return SignIn(
        name=name,
        provider="google",
        client_id=client.client_id,
        refresh_token=first_refresh_token(_NAME, answer),
        client_secret=client.client_secret,
        account=_account(answer),
        scopes=see_scope(_NAME, answer, SCOPE),
        authority=client.token_url,
        ca_file=ca_file,
        signed_in_at=dt.datetime.now(dt.UTC),
    )


def _posted(http: HttpsClient, url: str, body: Hidden[str]) -> dict[str, Any]:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    found: dict[str, Any] = http.post(url, data=body.value, headers=kind).json()
    return found


def _account(answer: Hidden[dict[str, Any]]) -> str:
    """The address in the ID token, which came straight from Google over TLS."""
    token = Hidden(answer.value.get("id_token"))
    if not isinstance(token.value, str):
        return ""
    try:
        claims: Mapping[str, Any] = google_module("auth.jwt").decode(token.value, verify=False)
    except Exception:  # noqa: BLE001 - it is for show; tokens do not depend on it
        return ""
    return str(claims.get("email") or "")
