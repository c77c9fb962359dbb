"""What is known of a provider, as values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from attrs import field, frozen

from mailsend.endpoint import Endpoint, Security
from mailsend.errors import ConfigurationError
from mailsend.providers import fields as check
from mailsend.rules import Confidence, Rule


class Category(StrEnum):
    """What kind of provider it is."""

    MAILBOX = "mailbox"
    SERVICE = "service"
    HOSTING = "hosting"
    ISP = "isp"
    RELAY = "relay"
    TESTING = "testing"


class Status(StrEnum):
    """Whether mail can be submitted there.

    ``NO_SMTP``: the provider offers none; ``note`` says what there is instead. ``SUNSET``: it ends,
    see the policies. ``INTERNAL_ONLY``: to recipients within the organisation alone.
    """

    ACTIVE = "active"
    NO_SMTP = "no_smtp"
    SUNSET = "sunset"
    INTERNAL_ONLY = "internal_only"


class UsernameRule(StrEnum):
    """What the user name is.

    ``EMAIL``: the whole address. ``LOCAL_PART``: what stands before the @. ``LITERAL``: always the
    same, see ``username_literal``. ``API_KEY``: the key itself. ``TOKEN``: one token is user name
    and password. ``SMTP_CREDENTIAL``: made at the provider for this purpose. ``ACCOUNT``: the name
    of the account. ``ANY``: whatever is given. ``NONE``: there is no authentication.
    """

    EMAIL = "email"
    LOCAL_PART = "local_part"
    LITERAL = "literal"
    API_KEY = "api_key"
    TOKEN = "token"  # noqa: S105 - a rule, not a token
    SMTP_CREDENTIAL = "smtp_credential"
    ACCOUNT = "account"
    ANY = "any"
    NONE = "none"


class PasswordPolicy(StrEnum):
    """What the provider takes for a password.

    ``APP_PASSWORD_IF_2FA``: the account's own, or with two-factor authentication an app password.
    ``OAUTH_ONLY``: none at all. ``OAUTH_OR_ENABLED``: none, unless an administrator allows it.
    """

    ACCOUNT = "account"
    APP_PASSWORD = "app_password"  # noqa: S105 - a policy, not a password
    APP_PASSWORD_IF_2FA = "app_password_if_2fa"  # noqa: S105
    API_KEY = "api_key"
    SMTP_CREDENTIAL = "smtp_credential"
    OAUTH_ONLY = "oauth_only"
    OAUTH_OR_ENABLED = "oauth_or_enabled"
    NONE = "none"


class FromRule(StrEnum):
    """Which addresses may stand in From."""

    ACCOUNT = "account"
    ACCOUNT_OR_ALIAS = "account_or_alias"
    ACCOUNT_OR_SEND_AS = "account_or_send_as"
    ACCOUNT_DOMAIN = "account_domain"
    VERIFIED_DOMAIN = "verified_domain"
    APPROVED_SENDER = "approved_sender"
    REWRITTEN = "rewritten"
    ANY = "any"


# A function for each, because type checkers read a converter's type only from a named function.
def _category(value: Category | str | None) -> Category | None:
    return None if value is None else check.member(Category, "category", value)


def _status(value: Status | str) -> Status:
    return check.member(Status, "status", value)


def _username(value: UsernameRule | str | None) -> UsernameRule | None:
    return None if value is None else check.member(UsernameRule, "username", value)


def _password(value: PasswordPolicy | str | None) -> PasswordPolicy | None:
    return None if value is None else check.member(PasswordPolicy, "password", value)


def _from_rule(value: FromRule | str | None) -> FromRule | None:
    return None if value is None else check.member(FromRule, "from_rule", value)


def _confidence(value: Confidence | str | None) -> Confidence | None:
    return None if value is None else check.member(Confidence, "confidence", value)


def _founded(value: Confidence | str) -> Confidence:
    return check.member(Confidence, "confidence", value)


_text = check.or_none(check.check_text)
_count = check.or_none(check.check_count)
_rate = check.or_none(check.check_rate)


@frozen(kw_only=True)
class OAuthSettings:
    """Where tokens come from.

    Attributes:
        authorization_url: where the user agrees.
        token_url: where tokens are issued.
        scopes: to ask for.
        mechanisms: SASL mechanisms that take the token, the best first.
        client_credentials_scope: for an application of its own, where the provider has that.
        note: what else has to be known.
    """

    authorization_url: str = field(validator=check.check_text)
    token_url: str = field(validator=check.check_text)
    scopes: tuple[str, ...] = field(converter=check.texts)
    mechanisms: tuple[str, ...] = field(default=("XOAUTH2",), converter=check.texts)
    client_credentials_scope: str | None = field(default=None, validator=_text)
    note: str | None = field(default=None, validator=_text)


@frozen(kw_only=True)
class ProviderLimits:
    """What the provider takes; None where that is not known.

    Attributes:
        message_octets: of one message.
        recipients_per_message: in one envelope.
        messages_per_connection: before it has to be opened anew.
        connections: at the same time.
        messages_per_second: messages.
        messages_per_minute: messages.
        messages_per_hour: messages.
        messages_per_day: messages.
        recipients_per_day: recipients, each counted for each message.
        note: what else has to be known: plans, warm-up, what the figures count.
        source: where they are known from.
        confidence: how well.
    """

    message_octets: int | None = field(default=None, validator=_count)
    recipients_per_message: int | None = field(default=None, validator=_count)
    messages_per_connection: int | None = field(default=None, validator=_count)
    connections: int | None = field(default=None, validator=_count)
    messages_per_second: float | None = field(default=None, validator=_rate)
    messages_per_minute: int | None = field(default=None, validator=_count)
    messages_per_hour: int | None = field(default=None, validator=_count)
    messages_per_day: int | None = field(default=None, validator=_count)
    recipients_per_day: int | None = field(default=None, validator=_count)
    note: str | None = field(default=None, validator=_text)
    source: str | None = field(default=None, validator=_text)
    confidence: Confidence | None = field(default=None, converter=_confidence)


@frozen(kw_only=True)
class Policy:
    """Something that changed, or will.

    Attributes:
        date: when.
        event: what.
        source: who says so.
        confidence: how well that is founded.
    """

    date: dt.date = field(validator=check.check_date)
    event: str = field(validator=check.check_text)
    source: str = field(validator=check.check_text)
    confidence: Confidence = field(converter=_founded)


def _policies(value: Iterable[Policy]) -> tuple[Policy, ...]:
    policies = check.all_of(Policy, value, "policies", "Write [Policy(date=..., event=...)]")
    return tuple(sorted(policies, key=lambda policy: policy.date))


@frozen(kw_only=True)
class Provider:
    """What is known of a provider: where it takes submissions, and what it asks for.

    What is not known is None or empty; nothing is filled in because it is usual.

    Attributes:
        key: its name in the registry.
        name: for people.
        endpoints: in order of preference; empty where a region has to be named, and where there
            is no SMTP. Every one has TLS, but those of testing servers on this machine.
        aliases: other keys.
        category: what kind it is, or None.
        status: whether mail can be submitted there.
        regions: endpoints by the name of the region, where these differ.
        username: what the user name is, or None.
        username_literal: the user name, where it is always the same.
        auth: SASL mechanisms in order of preference; empty leaves it to what the server offers.
        password: what is taken for a password, or None.
        password_note: how to get one.
        oauth: where tokens come from, or None.
        from_rule: which addresses may stand in From, or None.
        limits: what it takes.
        domains: of its users' addresses, as A-labels; subdomains are not among them.
        mx_suffixes: ends of the names of its mail exchangers, cut at label borders.
        policies: what changed or will, the oldest first.
        reply_rules: how to read its replies.
        note: what else has to be known.
        docs: its page on SMTP.
        checked: when somebody last compared this with its sources.
        confidence: how well it is founded.
        sources: addresses of the pages it is known from.

    Raises:
        ConfigurationError: A value cannot be used.
    """

    key: str = field(validator=check.check_key)
    name: str = field(validator=check.check_text)
    endpoints: tuple[Endpoint, ...] = field(default=(), converter=check.endpoints)
    aliases: tuple[str, ...] = field(default=(), converter=check.texts, validator=check.check_keys)
    category: Category | None = field(default=None, converter=_category)
    status: Status = field(default=Status.ACTIVE, converter=_status)
    regions: Mapping[str, tuple[Endpoint, ...]] = field(
        factory=dict, converter=check.regions, hash=False
    )
    username: UsernameRule | None = field(default=None, converter=_username)
    username_literal: str | None = field(default=None, validator=_text)
    auth: tuple[str, ...] = field(default=(), converter=check.texts)
    password: PasswordPolicy | None = field(default=None, converter=_password)
    password_note: str | None = field(default=None, validator=_text)
    oauth: OAuthSettings | None = field(
        default=None, validator=check.or_none(check.check_is(OAuthSettings))
    )
    from_rule: FromRule | None = field(default=None, converter=_from_rule)
    limits: ProviderLimits = field(factory=ProviderLimits, validator=check.check_is(ProviderLimits))
    domains: tuple[str, ...] = field(default=(), converter=check.domains)
    mx_suffixes: tuple[str, ...] = field(default=(), converter=check.domains)
    policies: tuple[Policy, ...] = field(default=(), converter=_policies)
    reply_rules: tuple[Rule, ...] = field(default=(), converter=check.rules)
    note: str | None = field(default=None, validator=_text)
    docs: str | None = field(default=None, validator=_text)
    checked: dt.date | None = field(default=None, validator=check.or_none(check.check_date))
    confidence: Confidence | None = field(default=None, converter=_confidence)
    sources: tuple[str, ...] = field(default=(), converter=check.texts)

    def __attrs_post_init__(self) -> None:
        everywhere = self.everywhere
        if self.status is Status.NO_SMTP and everywhere:
            raise ConfigurationError(f"provider {self.key} has no SMTP, and endpoints all the same")
        if self.status is not Status.NO_SMTP and not everywhere:
            raise ConfigurationError(
                f"provider {self.key} has no endpoint",
                advice="Give endpoints=[Endpoint(host, port, Security.IMPLICIT_TLS)], or "
                "status='no_smtp'",
            )
        for endpoint in everywhere:
            plain = endpoint.security is Security.INSECURE_PLAINTEXT
            if plain and not (self.category is Category.TESTING and endpoint.is_loopback):
                raise ConfigurationError(
                    f"provider {self.key}: {endpoint} has no encryption",
                    advice="Only testing servers on a loopback address may be without it",
                )
        if (self.username is UsernameRule.LITERAL) != (self.username_literal is not None):
            raise ConfigurationError(
                f"provider {self.key}: username_literal goes with username='literal', and only "
                "with that"
            )

    @property
    def latest_policy(self) -> Policy | None:
        """What changed last, or is to change last."""
        return self.policies[-1] if self.policies else None

    @property
    def everywhere(self) -> tuple[Endpoint, ...]:
        """All its endpoints, whatever the region."""
        return (*self.endpoints, *(e for some in self.regions.values() for e in some))

    def __reduce__(self) -> tuple[Any, ...]:
        # A mapping that cannot be changed cannot be pickled either.
        from attrs import fields  # noqa: PLC0415 - for this rare use

        state = {f.name: getattr(self, f.name) for f in fields(type(self))}
        return (_rebuild, (type(self), {**state, "regions": dict(self.regions)}))


def _rebuild(kind: type[Provider], state: dict[str, Any]) -> Provider:
    return kind(**state)
