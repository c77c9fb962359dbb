"""From a provider to the settings of a profile."""

from __future__ import annotations

from typing import Any

from mailsend.credentials import Password
from mailsend.endpoint import Endpoint
from mailsend.errors import ConfigurationError
from mailsend.options import Limits
from mailsend.providers import (
    PasswordPolicy,
    Provider,
    Status,
    UsernameRule,
)
from mailsend.sasl import PASSWORD_MECHANISMS


def settings_for(
    provider: Provider,
    username: str | None,
    credentials: Password | None,
    region: str | None,
) -> dict[str, Any]:
    """Arguments of :class:`~mailsend.SmtpProfile`, as far as a provider determines them.

    Raises:
        ConfigurationError: The provider takes no mail, or not with these credentials, or needs to
            know a region or another user name.
    """
    first, *others = _endpoints(provider, region)
    _check_credentials(provider, credentials)
    limits = provider.limits
    return {
        "host": first.host,
        "port": first.port,
        "security": first.security,
        "fallbacks": tuple(dict.fromkeys(others)),
        "username": _username(provider, username, credentials),
        "credentials": credentials,
        "mechanisms": tuple(m for m in provider.auth if m in PASSWORD_MECHANISMS),
        "limits": Limits(
            recipients=limits.recipients_per_message, message_octets=limits.message_octets
        ),
        "provider": provider,
    }


def _endpoints(provider: Provider, region: str | None) -> tuple[Endpoint, ...]:
    if provider.status is Status.NO_SMTP:
        raise ConfigurationError(
            f"{provider.name} takes no mail by SMTP{f': {provider.note}' if provider.note else ''}",
            advice=f"See {provider.docs}" if provider.docs else "Use another provider to send",
        )
    names = ", ".join(provider.regions)
    if region is not None:
        if region not in provider.regions:
            raise ConfigurationError(
                f"{provider.name} has no region {ascii(region)[:40]}",
                advice=f"Its regions are {names}" if names else "Leave the region out",
            )
        return provider.regions[region]
    if not provider.endpoints:
        raise ConfigurationError(
            f"{provider.name} has a server for each region, and none is named",
            advice=f"Pass region=..., one of {names}",
        )
    return provider.endpoints


def _check_credentials(provider: Provider, credentials: Password | None) -> None:
    if provider.password is PasswordPolicy.OAUTH_ONLY and credentials is not None:
        since = max((p for p in provider.policies), key=lambda p: p.date, default=None)
        reason = f" ({since.event}, {since.date}: {since.source})" if since is not None else ""
        raise ConfigurationError(
            f"{provider.name} takes no password from mail programs, only OAuth2{reason}",
            advice="Get a token by OAuth2"
            + (f" from {provider.oauth.token_url}" if provider.oauth else "")
            + (f". See {provider.docs}" if provider.docs else ""),
        )


def _username(provider: Provider, username: str | None, credentials: Password | None) -> str | None:
    rule = provider.username
    if rule is UsernameRule.LITERAL and credentials is not None:
        if username not in {None, provider.username_literal}:
            raise ConfigurationError(
                f"the user name at {provider.name} is always {provider.username_literal}",
                advice="Leave username out; the key or token is the password",
            )
        return provider.username_literal
    if username is None:
        return None
    if rule is UsernameRule.EMAIL and "@" not in username:
        raise ConfigurationError(
            f"the user name at {provider.name} is the whole address, and {username!a} is none",
            advice="Write it as ada@example.org",
        )
    if rule is UsernameRule.LOCAL_PART and "@" in username:
        return username.partition("@")[0]
    return username
