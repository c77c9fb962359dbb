"""Access tokens of Google, for Gmail and Google Workspace. Needs ``mailsend[google]``.

https://developers.google.com/gmail/imap/xoauth2-protocol
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from mailsend.errors import ConfigurationError
from mailsend.oauth.answers import (
    Answer,
    ask,
    new_refresh_token,
    token_from,
)
from mailsend.oauth.https import HttpsClient, Refusal, missing
from mailsend.oauth.settings import Proof, as_path, as_proof, checked_text, optional_path, reveal
from mailsend.oauth.sign_in import SignIn, https_url
from mailsend.secret import Hidden
from mailsend.secret_reference import warn_if_readable_by_all
from mailsend.tokens import AccessToken, CachedToken

SCOPE: Final = "https://mail.google.com/"
TOKEN_URL: Final = "https://oauth2.googleapis.com/token"  # noqa: S105 - where tokens come from

_NAME: Final = "Google"


def _as_token_url(url: str) -> str:
    return https_url(url, "token_url")


@frozen(kw_only=True)
class ServiceAccount:
    """Tokens of a service account that acts for a user of its organisation: ``OAuth2(token=...)``.

    An administrator has to allow the account's client ID the scope, under domain-wide delegation.
    Tokens are kept until five minutes before their end, in this object.

    Attributes:
        key_file: the JSON file of the account's key, which is read each time.
        subject: the address of the user to act for, which is the profile's user name too.
        scope: what to ask for.
        ca_file: certificate authorities to trust instead of the usual ones, in PEM.

    Raises:
        ConfigurationError: A value cannot be one.
    """

    key_file: Path = field(converter=as_path)
    subject: str = field(validator=checked_text)
    scope: str = field(default=SCOPE, validator=checked_text)
    ca_file: Path | None = field(default=None, converter=optional_path)
    _tokens: CachedToken = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_tokens", CachedToken(self._fetch))

    def __call__(self, *, refused: AccessToken | None = None) -> AccessToken:
        """The token to use now; a new one if the server did not take `refused`.

        Raises:
            TokenError: None was given.
            ConfigurationError: The key cannot be read.
        """
        return self._tokens(refused=refused)

    def __reduce__(self) -> tuple[Callable[..., ServiceAccount], tuple[dict[str, Any]]]:
        names = ("key_file", "subject", "scope", "ca_file")
        return (_service_account, ({name: getattr(self, name) for name in names},))

    def _fetch(self) -> AccessToken:
        what = f"the service account key {self.key_file}"
        key = json_file(self.key_file, what)
        if key.value.get("type") != "service_account":
            raise ConfigurationError(
                f"{self.key_file} is no key of a service account",
                advice="It has to be the JSON file that Google made for the key",
            )
        https_url(key.value.get("token_uri"), "token_uri of the service account key")
        return token_from(_NAME, ask(_NAME, lambda: self._ask(key)))

    def _ask(self, key: Hidden[dict[str, Any]]) -> dict[str, Any]:
        service_account = google_module("oauth2.service_account")
        try:
            credentials = service_account.Credentials.from_service_account_info(
                key.value, scopes=[self.scope], subject=self.subject
            )
        except (ValueError, TypeError):  # the error of google-auth may quote the key
            credentials = None
        if credentials is None:
            raise ConfigurationError(
                f"the service account key {self.key_file} cannot be used",
                advice="Make a new key for the account, and keep its JSON file as it is",
            )
        return _refreshed(credentials, self.ca_file)


def _service_account(settings: dict[str, Any]) -> ServiceAccount:
    return ServiceAccount(**settings)


@frozen(kw_only=True)
class RefreshToken:
    """Tokens for a user who agreed elsewhere, by a refresh token: ``OAuth2(token=...)``.

    Whoever signs in with ``mailsend login google`` needs :class:`~mailsend.oauth.SignedIn` instead.
    Tokens are kept until five minutes before their end, in this object.

    Attributes:
        client_id: of the OAuth client that the user agreed to.
        client_secret: of that client. As text it refuses to be pickled; given as
            :class:`~mailsend.Password`, such as ``Password.from_env("CLIENT_SECRET")``, it is
            looked up each time.
        refresh_token: what the user's agreement gave; given as `client_secret` is.
        token_url: where tokens come from.
        ca_file: certificate authorities to trust instead of the usual ones, in PEM.

    Raises:
        ConfigurationError: A value cannot be one.
    """

    client_id: str = field(validator=checked_text)
    client_secret: Proof = field(converter=as_proof)
    refresh_token: Proof = field(converter=as_proof)
    token_url: str = field(default=TOKEN_URL, converter=_as_token_url)
    ca_file: Path | None = field(default=None, converter=optional_path)
    _tokens: CachedToken = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_tokens", CachedToken(self._fetch))

    def __call__(self, *, refused: AccessToken | None = None) -> AccessToken:
        """The token to use now; a new one if the server did not take `refused`.

        Raises:
            TokenError: None was given.
            ConfigurationError: A secret cannot be looked up.
        """
        return self._tokens(refused=refused)

    def __reduce__(self) -> tuple[Callable[..., RefreshToken], tuple[dict[str, Any]]]:
        names = ("client_id", "client_secret", "refresh_token", "token_url", "ca_file")
        return (_refresh_token, ({name: getattr(self, name) for name in names},))

    def _fetch(self) -> AccessToken:
        answer = _refresh(
            self.client_id,
            reveal(self.client_secret),
            reveal(self.refresh_token),
            token_url=self.token_url,
            ca_file=self.ca_file,
        )
        return token_from(_NAME, answer)


def _refresh_token(settings: dict[str, Any]) -> RefreshToken:
    return RefreshToken(**settings)


def refresh(sign_in: SignIn) -> Answer:
    """A new access token for somebody who has signed in.

    Raises:
        TokenError: None was given.
    """
    answer = _refresh(
        sign_in.client_id,
        Hidden("" if sign_in.client_secret is None else sign_in.client_secret.reveal()),
        Hidden(sign_in.refresh_token.reveal()),
        token_url=sign_in.authority,
        ca_file=sign_in.ca_file,
        command=sign_in.command,
    )
    return Answer(token_from(_NAME, answer), new_refresh_token(answer))


def _refresh(
    client_id: str,
    client_secret: Hidden[str],
    refresh_token: Hidden[str],
    *,
    token_url: str,
    ca_file: Path | None,
    command: str | None = None,
) -> Hidden[dict[str, Any]]:
    def call() -> dict[str, Any]:
        credentials = google_module("oauth2.credentials").Credentials(
            None,
            refresh_token=refresh_token.value,
            client_id=client_id,
            client_secret=client_secret.value,
            token_uri=token_url,
        )
        return _refreshed(credentials, ca_file)

    return ask(_NAME, call, sign_in=command, secrets=[client_secret, refresh_token])


def _refreshed(credentials: Any, ca_file: Path | None) -> dict[str, Any]:
    """What refreshing gave, as the response that google-auth read."""
    client = HttpsClient(ca_file, "google")

    def request(
        url: str, method: str = "GET", body: bytes | None = None,
        headers: Mapping[str, str] | None = None, **_: object,
    ) -> _Response:  # fmt: skip
        answer = client.request(method, url, data=body, headers=headers)
        if answer.status_code != 200:  # google-auth would wait and ask again, beyond our time
            raise Refusal(answer.json())
        return _Response(answer.status_code, answer.headers, answer.content)

    with client:
        credentials.refresh(request)
    expiry = credentials.expiry  # without a time zone, in UTC
    lasts = None if expiry is None else expiry.replace(tzinfo=dt.UTC) - dt.datetime.now(dt.UTC)
    return {
        "access_token": credentials.token,
        "refresh_token": getattr(credentials, "refresh_token", None),
        "expires_in": None if lasts is None else lasts.total_seconds(),
    }


@frozen
class _Response:
    """What google-auth takes for a response of its transports."""

    status: int
    headers: Mapping[str, str]
    data: bytes


def google_module(module: str) -> Any:
    """A module of google-auth, which is slow to import."""
    try:
        return importlib.import_module(f"google.{module}")
    except ImportError as error:
        raise missing("google", "google-auth") from error


def json_file(path: Path, what: str) -> Hidden[dict[str, Any]]:
    """The object in a JSON file.

    Raises:
        ConfigurationError: It cannot be read, or holds none.
    """
    try:
        with path.open("rb") as stream:
            octets = Hidden(stream.read())
            warn_if_readable_by_all(path, path.stat().st_mode, "key")
    except OSError as error:
        raise ConfigurationError(
            f"{what} cannot be read: {error.strerror}",
            advice="Check its path, and that this user may read it",
        ) from error
    try:
        document = Hidden(json.loads(octets.value))
    except ValueError:
        document = Hidden(None)
    if not isinstance(document.value, dict):
        raise ConfigurationError(f"{what} holds no JSON object")
    return Hidden(document.value)
