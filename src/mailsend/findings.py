"""What is odd about a profile, found without any I/O."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from attrs import frozen

from mailsend.address import parse_address
from mailsend.credentials import Password
from mailsend.endpoint import Security
from mailsend.errors import InvalidAddress
from mailsend.providers import (
    FromRule,
    PasswordPolicy,
    Policy,
    Provider,
    Status,
    UsernameRule,
)

if TYPE_CHECKING:
    from mailsend.profile.smtp_profile import SmtpProfile

_STALE_AFTER: Final = dt.timedelta(days=365)
_SOON: Final = dt.timedelta(days=365)


class Severity(StrEnum):
    """How much a finding matters: ``PROBLEM`` will not work, ``WARNING`` may not."""

    PROBLEM = "problem"
    WARNING = "warning"


@frozen
class Finding:
    """Something about a profile or a message that is worth a second look.

    Attributes:
        severity: how much it matters.
        field: the setting, or the part of the message, that it concerns.
        message: what is odd.
        advice: what to change.
    """

    severity: Severity
    field: str
    message: str
    advice: str

    def __str__(self) -> str:
        return f"{self.severity.value}: {self.message}. {self.advice}."


def findings_of(profile: SmtpProfile, sender: str | None, today: dt.date) -> Iterator[Finding]:
    """Everything that is odd about a profile.

    Args:
        profile: to look at.
        sender: an address to send from, or None.
        today: what dates are compared with.
    """
    yield from _of_settings(profile)
    if profile.provider is not None:
        yield from _of_provider(profile, profile.provider, sender, today)


def _of_settings(profile: SmtpProfile) -> Iterable[Finding]:
    problem, warning = Severity.PROBLEM, Severity.WARNING
    for endpoint, setting in zip(
        profile.endpoints, ("security", *["fallbacks"] * len(profile.fallbacks)), strict=True
    ):
        # A provider may have reasons to do what nobody else does.
        documented = profile.provider is not None and endpoint in profile.provider.everywhere
        tls_at_once = endpoint.security is Security.IMPLICIT_TLS
        if endpoint.port == 465 and not tls_at_once and not documented:
            yield Finding(
                problem,
                setting,
                "port 465 speaks TLS from the first octet, so a client that waits for a greeting "
                "in the clear waits for ever",
                "Use security=Security.IMPLICIT_TLS, or port=587 with STARTTLS",
            )
        if endpoint.port in {25, 587} and tls_at_once and not documented:
            yield Finding(
                problem,
                setting,
                f"port {endpoint.port} begins in the clear and upgrades with STARTTLS",
                "Use security=Security.STARTTLS, or port=465 with implicit TLS",
            )
        if endpoint.port == 25 and profile.credentials is not None and not documented:
            yield Finding(
                warning,
                "port" if setting == "security" else setting,
                "port 25 is for relaying between servers; many networks block it and many servers "
                "offer no authentication there",
                "Use port 465 with implicit TLS or port 587 with STARTTLS (RFC 8314 §3.3)",
            )
        if endpoint.security is Security.INSECURE_PLAINTEXT and not endpoint.is_loopback:
            yield Finding(
                warning,
                setting,
                f"messages to {endpoint.host} cross the network where anybody can read and change "
                "them",
                "Use security=Security.IMPLICIT_TLS or Security.STARTTLS",
            )
    if profile.client_name is not None and not {".", "["} & set(profile.client_name):
        yield Finding(
            warning,
            "client_name",
            f"{profile.client_name} is no full domain name, and servers such as Microsoft's refuse "
            "that with 501 5.5.4",
            "Use this machine's full domain name, or leave client_name out",
        )
    if profile.timeouts.end_of_data < 60:
        yield Finding(
            warning,
            "timeouts.end_of_data",
            f"{profile.timeouts.end_of_data:g} s may be over before a busy server confirms a "
            "message, which then counts as uncertain",
            "Leave it at 600 s (RFC 5321 §4.5.3.2.6)",
        )


def _of_provider(
    profile: SmtpProfile, provider: Provider, sender: str | None, today: dt.date
) -> Iterator[Finding]:
    see = f"See {provider.docs}" if provider.docs else "Ask the provider"
    by_password = isinstance(profile.credentials, Password)
    if provider.password is PasswordPolicy.OAUTH_OR_ENABLED and by_password:
        yield Finding(
            Severity.WARNING,
            "credentials",
            f"{provider.name} takes a password only where an administrator has allowed it",
            f"Use OAuth2, or have SMTP AUTH enabled for the mailbox. {see}",
        )
    if profile.credentials is not None and (
        provider.password is PasswordPolicy.NONE or provider.username is UsernameRule.NONE
    ):
        yield Finding(
            Severity.WARNING,
            "credentials",
            f"{provider.name} asks for no authentication",
            f"Leave username and credentials out. {see}",
        )
    if provider.status is Status.INTERNAL_ONLY:
        yield Finding(
            Severity.WARNING,
            "provider",
            f"{provider.name} delivers to recipients within one's own organisation alone",
            f"Use another provider for everybody else. {see}",
        )
    for policy in provider.policies:
        if today < policy.date <= today + _SOON:
            yield Finding(
                Severity.WARNING,
                "provider",
                _coming(provider, policy),
                f"{see}; announced in {policy.source}",
            )
    if provider.status is Status.SUNSET:
        yield _ending(provider, today, see)
    if provider.checked is not None and today - provider.checked > _STALE_AFTER:
        yield Finding(
            Severity.WARNING,
            "provider",
            f"what is known of {provider.name} was checked last on {provider.checked}",
            f"Update mailsend, and compare with the provider's own page. {see}",
        )
    problem = None if sender is None else _from_problem(provider, profile.username, sender)
    if problem is not None:
        yield Finding(
            Severity.WARNING,
            "sender",
            problem,
            "Use the account's own address in From, or one that the provider allows for it",
        )


def _ending(provider: Provider, today: dt.date, see: str) -> Finding:
    last = provider.latest_policy
    if last is None:
        return Finding(Severity.WARNING, "provider", f"{provider.name} is being closed", see)
    over = last.date <= today
    return Finding(
        Severity.PROBLEM if over else Severity.WARNING,
        "provider",
        f"{provider.name} {'was' if over else 'is being'} closed: {last.event} ({last.date})",
        f"Use another provider. {see}",
    )


def _coming(provider: Provider, policy: Policy) -> str:
    return f"{provider.name} changes on {policy.date}: {policy.event}"


def _from_problem(provider: Provider, username: str | None, sender: str) -> str | None:
    """Why a sender's address does not fit the provider's rule for From, or None if it does."""
    if provider.from_rule is FromRule.REWRITTEN:
        return f"{provider.name} puts an address of its own choice in From, and not {sender}"
    if username is None or provider.from_rule not in {FromRule.ACCOUNT, FromRule.ACCOUNT_DOMAIN}:
        return None  # aliases and verified domains are known to the provider alone
    try:
        account, address = parse_address(username), parse_address(sender)
    except InvalidAddress:
        return None
    if provider.from_rule is FromRule.ACCOUNT:
        fits, whose = account.identity == address.identity, "the account's own address"
    else:
        fits = account.identity[1] == address.identity[1]
        whose = "addresses of the account's domain"
    return None if fits else f"{provider.name} sends from {whose}, and not from {sender}"
