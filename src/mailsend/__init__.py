"""Typed SMTP submission: verified TLS, a report for every recipient, errors that say what to do."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from mailsend.address import Address, AddressRules, parse_address
from mailsend.capabilities import Capabilities
from mailsend.cause import Cause, Retry, Scope
from mailsend.composition.alternative import Alternative, CalendarInvitation
from mailsend.composition.attachment import Attachment
from mailsend.composition.compose import compose
from mailsend.composition.forwarded_message import ForwardedMessage
from mailsend.composition.list_unsubscribe import ListUnsubscribe
from mailsend.composition.mailbox import Mailbox
from mailsend.composition.message_fields import AutoSubmitted, Priority
from mailsend.credentials import ClientCertificate, Password
from mailsend.endpoint import Endpoint, Security
from mailsend.envelope import Envelope, Submission
from mailsend.envelope_options import (
    DeliverBy,
    DeliverByMode,
    EnvelopeOptions,
    Notify,
    Recipient,
    ReturnContent,
)
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
    TokenError,
)
from mailsend.failures import Symptom, interpret_failure
from mailsend.findings import Finding, Severity
from mailsend.interpretation import Interpretation, interpret
from mailsend.options import Limits, TlsOptions
from mailsend.profile.smtp_profile import SmtpProfile
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
from mailsend.sasl.exchange import Claim, Exchange, SaslError, SaslMechanism
from mailsend.secret import Secret
from mailsend.signing.dkim import DkimSigner
from mailsend.signing.private_key import PrivateKey
from mailsend.stage import Stage
from mailsend.timeouts import Timeouts
from mailsend.tokens import AccessToken, CachedToken, OAuth2
from mailsend.transport import (
    ImplicitTlsTransport,
    InsecurePlaintextTransport,
    MemoryTransport,
    PooledTransport,
    StartTlsTransport,
    Transport,
    open_transport,
)

if TYPE_CHECKING:
    from mailsend.css import inline_css
    from mailsend.preview import PreviewTransport
    from mailsend.templates import Rendered, Template

__all__ = [
    "AccessToken",
    "Address",
    "AddressRules",
    "Alternative",
    "Attachment",
    "AuthenticationError",
    "AutoSubmitted",
    "CachedToken",
    "CalendarInvitation",
    "Capabilities",
    "CapabilityError",
    "Category",
    "Cause",
    "Claim",
    "ClientCertificate",
    "Confidence",
    "ConfigurationError",
    "ConnectError",
    "DeliverBy",
    "DeliverByMode",
    "DeliveryReport",
    "DeliveryUncertain",
    "DkimSigner",
    "Endpoint",
    "EnhancedStatus",
    "Envelope",
    "EnvelopeOptions",
    "Exchange",
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
    "Notify",
    "OAuth2",
    "OAuthSettings",
    "Outcome",
    "Password",
    "PasswordPolicy",
    "Policy",
    "PooledTransport",
    "PreviewTransport",
    "Priority",
    "PrivateKey",
    "ProtocolViolation",
    "Provider",
    "ProviderLimits",
    "ProviderRegistry",
    "Recipient",
    "RecipientOutcome",
    "RecipientsRefused",
    "Rendered",
    "Reply",
    "ReplyError",
    "Retry",
    "ReturnContent",
    "Rule",
    "RuleBook",
    "SaslError",
    "SaslMechanism",
    "Scope",
    "Secret",
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
    "Template",
    "Timeouts",
    "TlsError",
    "TlsOptions",
    "TokenError",
    "Transport",
    "UnknownProvider",
    "UsernameRule",
    "compose",
    "inline_css",
    "interpret",
    "interpret_failure",
    "open_transport",
    "parse_address",
    "providers",
    "reply_rules",
    "report_of",
]

logging.getLogger("mailsend").addHandler(logging.NullHandler())
del logging

# Imported when asked for: few programs need them, and all would pay for them.
_LATER: Final = {
    "PreviewTransport": "mailsend.preview",
    "Rendered": "mailsend.templates",
    "Template": "mailsend.templates",
    "inline_css": "mailsend.css",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        # Read when asked for: importlib.metadata costs more than the rest of the package.
        from importlib.metadata import version  # noqa: PLC0415

        return version("mailsend")
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
