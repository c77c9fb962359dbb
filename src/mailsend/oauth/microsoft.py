"""Access tokens of Microsoft Entra, for Microsoft 365 and Outlook.com.

Needs ``mailsend[microsoft]``. Scopes and permissions:
https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
"""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from mailsend.cause import Retry
from mailsend.errors import ConfigurationError, TokenError
from mailsend.oauth.answers import (
    Answer,
    ask,
    first_refresh_token,
    new_refresh_token,
    see_scope,
    token_from,
)
from mailsend.oauth.https import HttpsClient, Unavailable, missing
from mailsend.oauth.settings import Proof, checked_text, optional_path, optional_proof, reveal
from mailsend.oauth.sign_in import SignIn, https_url
from mailsend.secret import Hidden
from mailsend.secret_reference import warn_if_readable_by_all
from mailsend.stage import Stage
from mailsend.tokens import AccessToken, CachedToken

AUTHORITY: Final = "login.microsoftonline.com"
APPLICATION_SCOPE: Final = "https://outlook.office365.com/.default"
USER_SCOPE: Final = "https://outlook.office.com/SMTP.Send"

_NAME: Final = "Microsoft"
_TENANT: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?(?::[0-9]{1,5})?")
_SHARED: Final = frozenset({"common", "organizations", "consumers"})
_KEY: Final = re.compile(
    r"-----BEGIN (?P<kind>(?:[A-Z]+ )?PRIVATE KEY)-----.+?-----END (?P=kind)-----", re.DOTALL
)
_CERTIFICATE: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL
)
_BACK_OFF: Final = 5.0  # seconds, RFC 8628 §3.5


def authority_url(tenant: str, authority: str = AUTHORITY) -> str:
    """The URL of a tenant's authority.

    Args:
        tenant: a directory ID, a domain, or ``common``, ``organizations`` or ``consumers``.
        authority: the host, and a port where there is one; national clouds have their own.

    Raises:
        ConfigurationError: One of them cannot be that.
    """
    for name, value, pattern in (("tenant", tenant, _TENANT), ("authority", authority, _HOST)):
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ConfigurationError(
                f"{name} {ascii(value)[:80]} cannot be one",
                advice="tenant is a directory ID or a domain, authority a host without https://, "
                f"such as {AUTHORITY}",
            )
    return https_url(f"https://{authority}/{tenant}", "authority")


@frozen(kw_only=True)
class ClientCredentials:
    """Tokens of an application of its own right, without a user: ``OAuth2(token=...)``.

    The application needs the app role SMTP.SendAsApp, and the right to send as the mailbox that is
    the profile's user name. Tokens are kept until five minutes before their end, in this object.

    Attributes:
        tenant: directory ID or domain of the organisation.
        client_id: Application ID of the app registration.
        secret: its client secret; or give `certificate`. As text it refuses to be pickled; given
            as :class:`~mailsend.Password`, such as ``Password.from_env("CLIENT_SECRET")``, it is
            looked up each time.
        certificate: a PEM file with the private key and the certificate, which is read each time.
        passphrase: of the private key, where it has one; given as `secret` is.
        authority: host of a national cloud, such as ``login.microsoftonline.us``.
        scope: what to ask for; national clouds have another host in it.
        ca_file: certificate authorities to trust instead of the usual ones, in PEM.

    Raises:
        ConfigurationError: A value cannot be one, or there is not just one of `secret` and
            `certificate`.
    """

    tenant: str
    client_id: str = field(validator=checked_text)
    secret: Proof | None = field(default=None, converter=optional_proof)
    certificate: Path | None = field(default=None, converter=optional_path)
    passphrase: Proof | None = field(default=None, converter=optional_proof)
    authority: str = AUTHORITY
    scope: str = field(default=APPLICATION_SCOPE, validator=checked_text)
    ca_file: Path | None = field(default=None, converter=optional_path)
    _tokens: CachedToken = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        authority_url(self.tenant, self.authority)
        if self.tenant in _SHARED:
            raise ConfigurationError(
                f"tenant is {self.tenant}, and an application belongs to one organisation",
                advice="Give its directory ID or its domain",
            )
        if (self.secret is None) == (self.certificate is None):
            raise ConfigurationError("give either secret or certificate, and not both")
        if self.passphrase is not None and self.certificate is None:
            raise ConfigurationError("passphrase is given without certificate")
        object.__setattr__(self, "_tokens", CachedToken(self._fetch))

    def __call__(self, *, refused: AccessToken | None = None) -> AccessToken:
        """The token to use now; a new one if the server did not take `refused`.

        Raises:
            TokenError: None was given.
            ConfigurationError: The secret or the certificate cannot be read.
        """
        return self._tokens(refused=refused)

    def __reduce__(self) -> tuple[Callable[..., ClientCredentials], tuple[dict[str, Any]]]:
        names = ("tenant", "client_id", "secret", "certificate", "passphrase", "authority",
                 "scope", "ca_file")  # fmt: skip
        return (_client_credentials, ({name: getattr(self, name) for name in names},))

    def _fetch(self) -> AccessToken:
        proof, secrets = self._proof()
        url = authority_url(self.tenant, self.authority)

        def call() -> dict[str, Any]:
            with HttpsClient(self.ca_file, "microsoft") as http:
                application = _application(
                    "ConfidentialClientApplication",
                    self.client_id,
                    url,
                    http,
                    client_credential=proof.value,
                )
                answer: dict[str, Any] = application.acquire_token_for_client([self.scope])
                return answer

        return token_from(_NAME, ask(_NAME, call, secrets=secrets))

    def _proof(self) -> tuple[Hidden[Any], list[Hidden[str]]]:
        if self.secret is not None:
            secret = reveal(self.secret)
            return secret, [secret]
        assert self.certificate is not None  # noqa: S101 - for the type checkers
        key, certificates = _pem(self.certificate)
        proof = Hidden({"private_key": key.value, "public_certificate": certificates})
        if self.passphrase is None:
            return proof, []
        passphrase = reveal(self.passphrase)
        proof.value["passphrase"] = passphrase.value
        return proof, [passphrase]


def _client_credentials(settings: dict[str, Any]) -> ClientCredentials:
    return ClientCredentials(**settings)


def _pem(path: Path) -> tuple[Hidden[str], str]:
    """The private key and the certificates of a file."""
    try:
        with path.open(encoding="ascii", errors="replace") as stream:
            text = Hidden(stream.read())
            warn_if_readable_by_all(path, path.stat().st_mode, "private key")
    except OSError as error:
        raise ConfigurationError(
            f"the certificate file {path} cannot be read: {error.strerror}",
            advice="Check its path, and that this user may read it",
        ) from error
    key = Hidden(_KEY.search(text.value))
    certificates = "\n".join(_CERTIFICATE.findall(text.value))
    if key.value is None or not certificates:
        raise ConfigurationError(
            f"{path} has no private key or no certificate in it",
            advice="It has to be a PEM file with both; make one of a PFX file with openssl pkcs12",
        )
    return Hidden(key.value.group()), certificates


def _application(kind: str, client_id: str, url: str, http: HttpsClient, **settings: Any) -> Any:
    """An application of msal: the tenant's metadata is read when it is made."""
    try:
        import msal  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise missing("microsoft", "msal") from error

    class NoCache(msal.TokenCache):  # type: ignore[misc]  # msal has no types
        """Keeps nothing: a token that a server refused must not come again.

        And writes nothing to the log, where msal's own leaves device codes readable.
        """

        def add(self, event: object, now: object = None) -> None:
            pass

    return getattr(msal, kind)(
        client_id,
        authority=url,
        instance_discovery=False,  # the authority is what the user named, not to be looked up
        http_client=http,
        token_cache=NoCache(),
        **settings,
    )


@frozen
class DeviceCode:
    """What a user has to do to sign in.

    Attributes:
        url: the page to open, on any machine.
        code: what to enter there.
        expires_at: until when.
    """

    url: str
    code: str = field(repr=False)
    expires_at: dt.datetime


def sign_in(
    name: str,
    *,
    client_id: str,
    tell: Callable[[DeviceCode], None],
    tenant: str = "common",
    authority: str = AUTHORITY,
    scope: str = USER_SCOPE,
    ca_file: Path | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> SignIn:
    """Let a user sign in by the device authorization grant, RFC 8628.

    Args:
        name: what to keep the sign-in under.
        client_id: Application ID of an app registration that allows public client flows.
        tell: called once with what the user has to do.
        tenant: directory ID or domain; ``consumers`` for Outlook.com, ``common`` for any account.
        authority: host of a national cloud.
        scope: what to ask for, besides what a refresh token and the account's name need.
        ca_file: certificate authorities to trust instead of the usual ones.
        wait: waits for some seconds; to be replaced in tests.

    Raises:
        TokenError: The user did not sign in, or may not.
        ConfigurationError: A value cannot be one, or the extra is not installed.
    """
    url = authority_url(tenant, authority)
    with HttpsClient(ca_file, "microsoft") as http:
        answer = _by_device(client_id, url, http, scope, _Asking(name, tell, wait))
    granted = see_scope(_NAME, answer, scope)
    claims = answer.value.get("id_token_claims") or {}
    return SignIn(
        name=name,
        provider="microsoft",
        client_id=client_id,
        refresh_token=first_refresh_token(_NAME, answer),
        client_secret=None,
        account=str(claims.get("preferred_username") or claims.get("email") or ""),
        scopes=granted,
        authority=url,
        ca_file=ca_file,
        signed_in_at=dt.datetime.now(dt.UTC),
    )


@frozen
class _Asking:
    name: str
    tell: Callable[[DeviceCode], None]
    wait: Callable[[float], None]


def _by_device(
    client_id: str, url: str, http: HttpsClient, scope: str, asking: _Asking
) -> Hidden[dict[str, Any]]:
    started: list[Any] = []

    def start() -> dict[str, Any]:
        started.append(_application("PublicClientApplication", client_id, url, http))
        flow: dict[str, Any] = started[0].initiate_device_flow([scope])
        return flow if "device_code" in flow else {"error": "no device code", **flow}

    command = f"mailsend login microsoft {asking.name}"
    flow = ask(_NAME, start, sign_in=command)
    seconds = flow.value["expires_in"]
    asking.tell(
        DeviceCode(
            str(flow.value["verification_uri"]),
            str(flow.value["user_code"]),
            dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds),
        )
    )
    return ask(
        _NAME,
        lambda: _poll(started[0], flow, time.monotonic() + seconds, asking.wait),
        sign_in=command,
        secrets=[Hidden(str(flow.value["device_code"]))],
    )


def _poll(
    application: Any, flow: Hidden[dict[str, Any]], deadline: float, wait: Callable[[float], None]
) -> dict[str, Any]:
    while True:
        wait(flow.value["interval"])
        try:
            # msal asks once if the condition to end holds; its own loop cannot be given a clock.
            answer = Hidden(
                application.acquire_token_by_device_flow(flow.value, exit_condition=lambda _: True)
            )
        except Unavailable:
            flow.value["interval"] += _BACK_OFF
            if time.monotonic() > deadline:
                raise
            continue
        pending = answer.value.get("error") in {"authorization_pending", "slow_down"}
        if pending and time.monotonic() > deadline:
            return {"error": "expired_token", "error_description": "nobody entered the code"}
        if not pending:
            found: dict[str, Any] = answer.value
            return found


def refresh(sign_in: SignIn) -> Answer:
    """A new access token for somebody who has signed in.

    Raises:
        TokenError: None was given.
    """
    scopes = [scope for scope in sign_in.scopes if scope.startswith("https://")]
    if not scopes:
        raise TokenError(
            f"the sign-in {sign_in.name} has no scope for mail",
            stage=Stage.AUTH,
            retry=Retry.NEVER,
            advice=f"Sign in again: {sign_in.command}",
        )

    def call() -> dict[str, Any]:
        with HttpsClient(sign_in.ca_file, "microsoft") as http:
            application = _application(
                "PublicClientApplication", sign_in.client_id, sign_in.authority, http
            )
            answer: dict[str, Any] = application.acquire_token_by_refresh_token(
                sign_in.refresh_token.reveal(), scopes=scopes
            )
            return answer

    secrets = [Hidden(sign_in.refresh_token.reveal())]
    answer = ask(_NAME, call, sign_in=sign_in.command, secrets=secrets)
    return Answer(token_from(_NAME, answer), new_refresh_token(answer))
