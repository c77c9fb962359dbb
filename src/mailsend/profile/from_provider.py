"""From a provider to the settings of a profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

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
from mailsend.sasl.exchange import Credentials
from mailsend.sasl.mechanisms import BUILT_IN, usable


def settings_for(
    provider: Provider,
    username: str | None,
    credentials: Credentials | None,
    region: str | None,
    given: Mapping[str, Any],
) -> dict[str, Any]:
    """Arguments of :class:`~mailsend.SmtpProfile`, as far as a provider determines them.

    Whoever names host, port or security means that endpoint, and gets no others besides: a
    password meant for one server must not go to another.

    Args:
        provider: what is known.
        username: name to authenticate with.
        credentials: what belongs to it.
        region: where the provider has servers by region.
        given: settings that come before the provider's.

    Raises:
        ConfigurationError: The provider takes no mail, or not with these credentials, or needs to
            know a region or another user name.
    """
    limits = provider.limits
    return {
        **_place(_endpoints(provider, region), given),
        "username": _username(provider, username, credentials),
        "credentials": credentials,
        "mechanisms": _mechanisms(provider, credentials),
        "limits": Limits(
            recipients=limits.recipients_per_message, message_octets=limits.message_octets
        ),
        "provider": provider,
        **given,
    }


def _mechanisms(provider: Provider, credentials: Credentials | None) -> tuple[str, ...]:
    known = tuple(name for name in provider.auth if name in BUILT_IN)
    if credentials is None or not known:
        return known
    # Where none is known for such credentials, it is left to what the server says.
    return tuple(mechanism.name for mechanism in usable(known, credentials))


def _place(endpoints: tuple[Endpoint, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    first, *others = endpoints
    named = {key: given[key] for key in ("host", "port", "security") if key in given}
    if not named:
        return {**_as_settings(first), "fallbacks": tuple(dict.fromkeys(others))}
    fitting = [e for e in endpoints if all(getattr(e, k) == v for k, v in named.items())]
    # Where none of the provider's fits, what is not named follows from what is.
    return _as_settings(fitting[0]) if fitting else {"host": first.host}


def _as_settings(endpoint: Endpoint) -> dict[str, Any]:
    return {"host": endpoint.host, "port": endpoint.port, "security": endpoint.security}


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


def check_credentials(provider: Provider, credentials: Credentials | None) -> None:
    """Refuse what the provider never takes.

    Raises:
        ConfigurationError: It is a password, and the provider takes OAuth2 alone.
    """
    if provider.password is PasswordPolicy.OAUTH_ONLY and isinstance(credentials, Password):
        since = provider.latest_policy
        reason = f" ({since.event}, {since.date}: {since.source})" if since is not None else ""
        raise ConfigurationError(
            f"{provider.name} takes no password from mail programs, only OAuth2{reason}",
            advice="Get a token by OAuth2"
            + (f" from {provider.oauth.token_url}" if provider.oauth else "")
            + (f". See {provider.docs}" if provider.docs else ""),
        )


_NAMES: Final = {
    UsernameRule.TOKEN: "the token itself, which is the password too",
    UsernameRule.API_KEY: "the key itself, whose secret is the password",
    UsernameRule.SMTP_CREDENTIAL: "the one made at the provider for SMTP, with its own password",
    UsernameRule.ACCOUNT: "the name of the account",
}


def username_from(provider: Provider, address: str) -> str | None:
    """The user name of who gives only an address; None where it does not follow from that."""
    return None if provider.username in {*_NAMES, UsernameRule.LITERAL} else address


def _username(
    provider: Provider, username: str | None, credentials: Credentials | None
) -> str | None:
    rule = provider.username
    if rule is UsernameRule.LITERAL and credentials is not None:
        if username not in {None, provider.username_literal}:
            raise ConfigurationError(
                f"the user name at {provider.name} is always {provider.username_literal}",
                advice="Leave username out; the key or token is the password",
            )
        return provider.username_literal
    if username is None:
        if credentials is not None and rule is not None and rule in _NAMES:
            raise ConfigurationError(
                f"{provider.name} needs a user name: {_NAMES[rule]}",
                advice="Pass username=..." + (f". See {provider.docs}" if provider.docs else ""),
            )
        return None
    if rule is UsernameRule.EMAIL and "@" not in username:
        raise ConfigurationError(
            f"the user name at {provider.name} is the whole address, and {username!a} is none",
            advice="Write it as ada@example.org",
        )
    if rule is UsernameRule.LOCAL_PART and "@" in username:
        return username.partition("@")[0]
    return username
