"""Acme's mail servers, for mailsend."""

from __future__ import annotations

import datetime as dt
from typing import Final

from mailsend import (
    Category,
    Cause,
    Confidence,
    Endpoint,
    FromRule,
    PasswordPolicy,
    Policy,
    Provider,
    ProviderLimits,
    Retry,
    Rule,
    Security,
    Stage,
    UsernameRule,
)

__all__ = ["PROVIDER"]

_HELP: Final = "https://acme.example/help/smtp"

# With provider="acme" a rule reads no other server's replies, wherever it is added.
_RULES: Final = (
    Rule(
        id="acme-newsletter-window",
        provider="acme",
        stages=[Stage.MAIL, Stage.END_OF_DATA],
        words="newsletter window closed",
        cause=Cause.QUOTA_EXCEEDED,
        retry=Retry.HOURS,
        advice="Send newsletters between 20:00 and 6:00",
        source=_HELP,
        confidence=Confidence.DOCUMENTED,
        example="451 4.7.1 Newsletter window closed",
    ),
    Rule(
        id="acme-unpaid",
        provider="acme",
        stages=[Stage.AUTH],
        codes=[535],
        words="see your account",
        cause=Cause.ACCOUNT_BLOCKED,
        advice="Pay Acme's last invoice",
        source=_HELP,
        confidence=Confidence.DOCUMENTED,
        example="535 5.7.0 Please see your account",
    ),
)

PROVIDER: Final = Provider(
    key="acme",
    name="Acme Corp",
    category=Category.HOSTING,
    endpoints=[
        Endpoint("smtp.acme.example", 465, Security.IMPLICIT_TLS),
        Endpoint("smtp.acme.example", 587, Security.STARTTLS),
    ],
    username=UsernameRule.EMAIL,
    password=PasswordPolicy.APP_PASSWORD,
    password_note="Make one at https://account.acme.example/passwords.",  # noqa: S106 - no password
    from_rule=FromRule.ACCOUNT_OR_ALIAS,
    limits=ProviderLimits(recipients_per_message=50, source=_HELP, confidence="documented"),
    domains=["acme.example"],
    mx_suffixes=["mx.acme.example"],
    policies=[
        Policy(
            date=dt.date(2030, 1, 1),
            event="passwords are no longer accepted: OAuth2 only",
            source="https://acme.example/news/oauth2",
            confidence=Confidence.DOCUMENTED,
        )
    ],
    reply_rules=_RULES,
    docs=_HELP,
    checked=dt.date(2026, 11, 1),
    confidence=Confidence.DOCUMENTED,
    sources=[_HELP],
)
