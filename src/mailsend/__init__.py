"""Typed SMTP submission: verified TLS, a report for every recipient, errors that say what to do."""

from __future__ import annotations

import logging

from mailsend.alternative import Alternative, CalendarInvitation
from mailsend.attachment import Attachment
from mailsend.capabilities import Capabilities
from mailsend.cause import Cause, Retry, Scope
from mailsend.compose import compose
from mailsend.credentials import Password
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
from mailsend.forwarded_message import ForwardedMessage
from mailsend.interpretation import Interpretation, interpret
from mailsend.list_unsubscribe import ListUnsubscribe
from mailsend.mailbox import Mailbox
from mailsend.message_fields import AutoSubmitted, Priority
from mailsend.options import Limits, TlsOptions
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
    "Alternative",
    "Attachment",
    "AuthenticationError",
    "AutoSubmitted",
    "CalendarInvitation",
    "Capabilities",
    "CapabilityError",
    "Category",
    "Cause",
    "Confidence",
    "ConfigurationError",
    "ConnectError",
    "DeliveryReport",
    "DeliveryUncertain",
    "Endpoint",
    "EnhancedStatus",
    "Envelope",
    "Finding",
    "ForwardedMessage",
    "FromRule",
    "ImplicitTlsTransport",
    "InsecurePlaintextTransport",
    "Interpretation",
    "InvalidAddress",
    "InvalidMessage",
    "Limits",
    "ListUnsubscribe",
    "Mailbox",
    "MailsendError",
    "MemoryTransport",
    "MessageRefused",
    "OAuthSettings",
    "Outcome",
    "Password",
    "PasswordPolicy",
    "Policy",
    "Priority",
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
