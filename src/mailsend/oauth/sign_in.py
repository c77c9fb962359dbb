"""A user's sign-in: what it takes to get access tokens for that user from then on."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

from attrs import field, frozen

from mailsend.errors import ConfigurationError
from mailsend.secret import Hidden, Secret

ProviderName: TypeAlias = Literal["microsoft", "google"]
LONGEST_REFRESH_TOKEN: Final = 8000
"""Characters; Microsoft's have about 1,800, and no provider states a bound."""

_FORMAT: Final = 1  # of the data; a later one may mean other things
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")


def checked_name(name: str) -> str:
    """The name of a sign-in, which is that of a file too.

    Raises:
        ConfigurationError: It cannot be one.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{ascii(name)[:80]} is no name of a sign-in",
            advice="Take up to 100 letters, digits, and . _ @ + -, beginning with a letter or "
            "digit, such as work or ada@example.org",
        )
    return name


def https_url(url: object, what: str) -> str:
    """An address of an authorization server, which only HTTPS may lead to.

    Raises:
        ConfigurationError: It is no such URL.
    """
    if (
        isinstance(url, str)
        and url.startswith("https://")
        and url.isprintable()
        and not set(url) & set(" @#\\")
    ):
        return url
    raise ConfigurationError(f"the {what} {ascii(url)[:80]} is no https:// URL")


@frozen
class SignIn:
    """What is kept of a sign-in.

    Attributes:
        name: what it is kept under, such as a profile's name.
        provider: ``microsoft`` or ``google``.
        client_id: the application that the user signed in to.
        refresh_token: what access tokens are asked for with. Providers may replace it each time.
        client_secret: of the application, or None; Google gives desktop applications one.
        account: the user's address as the provider tells it, or "".
        scopes: what the provider allowed.
        authority: ``https://`` URL that tokens come from: at Microsoft that of the tenant, at
            Google that of the token endpoint.
        ca_file: certificate authorities to trust for it instead of the usual ones, or None.
        signed_in_at: when.
    """

    name: str = field(converter=checked_name)
    provider: ProviderName
    client_id: str
    refresh_token: Secret
    client_secret: Secret | None
    account: str
    scopes: tuple[str, ...]
    authority: str
    ca_file: Path | None
    signed_in_at: dt.datetime

    @property
    def command(self) -> str:
        """The command that signs in again, without what it needs besides."""
        return f"mailsend login {self.provider} {self.name}"

    def facts(self) -> dict[str, Any]:
        """What is no secret, as data that :mod:`json` can write."""
        return {
            "format": _FORMAT,
            "name": self.name,
            "provider": self.provider,
            "client_id": self.client_id,
            "account": self.account,
            "scopes": list(self.scopes),
            "authority": self.authority,
            "ca_file": None if self.ca_file is None else str(self.ca_file),
            "signed_in_at": self.signed_in_at.isoformat(timespec="seconds"),
        }

    def secrets(self) -> Hidden[dict[str, str]]:
        """What is secret, as data that :mod:`json` can write."""
        found = Hidden({"refresh_token": self.refresh_token.reveal()})
        if self.client_secret is not None:
            found.value["client_secret"] = self.client_secret.reveal()
        return found


def sign_in_from(facts: Mapping[str, Any], secrets: Hidden[dict[str, str]]) -> SignIn:
    """The sign-in that :meth:`SignIn.facts` and :meth:`SignIn.secrets` told of.

    Raises:
        ConfigurationError: They tell of none.
    """
    if facts.get("format") != _FORMAT:
        raise ConfigurationError(
            f"it has the format {ascii(facts.get('format'))[:20]}, and this version reads {_FORMAT}"
        )
    if facts.get("provider") not in get_args(ProviderName):
        raise ConfigurationError(f"it names the provider {ascii(facts.get('provider'))[:40]}")
    ca_file, scopes = facts.get("ca_file"), facts.get("scopes")
    if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
        raise ConfigurationError("its scopes are no list of text")
    try:
        return SignIn(
            name=facts["name"],
            provider=facts["provider"],
            client_id=str(facts["client_id"]),
            refresh_token=refresh_token_from(secrets),
            client_secret=Secret(secrets.value["client_secret"])
            if "client_secret" in secrets.value
            else None,
            account=str(facts["account"]),
            scopes=tuple(scopes),
            authority=https_url(facts["authority"], "authority"),
            ca_file=None if ca_file is None else Path(ca_file),
            signed_in_at=dt.datetime.fromisoformat(facts["signed_in_at"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError("something is missing in it, or of another kind") from None


def refresh_token_from(answer: Hidden[dict[str, Any]] | Hidden[dict[str, str]]) -> Secret:
    """The refresh token of an answer, or of stored data."""
    return Secret(
        answer.value["refresh_token"], what="the refresh token", longest=LONGEST_REFRESH_TOKEN
    )
