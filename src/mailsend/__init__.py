"""Typed SMTP submission: verified TLS, a report for every recipient, errors that say what to do."""

from __future__ import annotations

import logging

from mailsend.capabilities import Capabilities
from mailsend.cause import Cause, Retry, Scope
from mailsend.compose import Attachment, compose
from mailsend.credentials import Password
from mailsend.dkim import DkimSigner
from mailsend.endpoint import Endpoint, Security
from mailsend.envelope import Envelope, Submission
from mailsend.errors import (
    AuthenticationError,
    CapabilityError,
    ConfigurationError,
    ConnectError,
    DeliveryUncertain,
    InvalidAddress,
    InvalidMessage,
    MailsendError,
    MessageRefused,
    ProtocolViolation,
    RecipientsRefused,
    ReplyError,
    SenderRefused,
    ServiceUnavailable,
    SessionError,
    SessionLost,
    SessionTimeout,
    TlsError,
)
from mailsend.failures import Symptom, interpret_failure
from mailsend.findings import Finding, Severity
from mailsend.interpretation import Interpretation, interpret
from mailsend.options import Limits, TlsOptions
from mailsend.private_key import PrivateKey
from mailsend.profile import SmtpProfile
from mailsend.providers import (
    Category,
    FromRule,
    OAuthSettings,
    PasswordPolicy,
    Policy,
    Provider,
    ProviderLimits,
    ProviderRegistry,
    Status,
    UnknownProvider,
    UsernameRule,
    providers,
)
from mailsend.reply import EnhancedStatus, Reply
from mailsend.report import DeliveryReport, Outcome, RecipientOutcome, report_of
from mailsend.rules import Confidence, Rule, RuleBook, reply_rules
from mailsend.stage import Stage
from mailsend.timeouts import Timeouts
from mailsend.transport import (
    ImplicitTlsTransport,
    InsecurePlaintextTransport,
    MemoryTransport,
    StartTlsTransport,
    Transport,
    open_transport,
)

__all__ = [
    "Attachment",
    "AuthenticationError",
    "Capabilities",
    "CapabilityError",
    "Category",
    "Cause",
    "Confidence",
    "ConfigurationError",
    "ConnectError",
    "DeliveryReport",
    "DeliveryUncertain",
    "DkimSigner",
    "Endpoint",
    "EnhancedStatus",
    "Envelope",
    "Finding",
    "FromRule",
    "ImplicitTlsTransport",
    "InsecurePlaintextTransport",
    "Interpretation",
    "InvalidAddress",
    "InvalidMessage",
    "Limits",
    "MailsendError",
    "MemoryTransport",
    "MessageRefused",
    "OAuthSettings",
    "Outcome",
    "Password",
    "PasswordPolicy",
    "Policy",
    "PrivateKey",
    "ProtocolViolation",
    "Provider",
    "ProviderLimits",
    "ProviderRegistry",
    "RecipientOutcome",
    "RecipientsRefused",
    "Reply",
    "ReplyError",
    "Retry",
    "Rule",
    "RuleBook",
    "Scope",
    "Security",
    "SenderRefused",
    "ServiceUnavailable",
    "SessionError",
    "SessionLost",
    "SessionTimeout",
    "Severity",
    "SmtpProfile",
    "Stage",
    "StartTlsTransport",
    "Status",
    "Submission",
    "Symptom",
    "Timeouts",
    "TlsError",
    "TlsOptions",
    "Transport",
    "UnknownProvider",
    "UsernameRule",
    "compose",
    "interpret",
    "interpret_failure",
    "open_transport",
    "providers",
    "reply_rules",
    "report_of",
]

logging.getLogger("mailsend").addHandler(logging.NullHandler())
del logging


def __getattr__(name: str) -> str:
    if name == "__version__":
        # Read when asked for: importlib.metadata costs more than the rest of the package.
        from importlib.metadata import version  # noqa: PLC0415

        return version("mailsend")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
