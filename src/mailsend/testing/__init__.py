"""A real SMTP server for tests: on a loopback port, with TLS, AUTH and faults on demand."""

from mailsend.testing.actions import (
    Action,
    Answer,
    Close,
    Drip,
    Flood,
    Garbage,
    Hang,
    Normal,
    PartialHandshake,
    Reset,
    Stage,
    StopReading,
)
from mailsend.testing.authority import Authority, Certificate
from mailsend.testing.bearer import oauthbearer, xoauth2
from mailsend.testing.channel import Delivery
from mailsend.testing.conformance import check_transport
from mailsend.testing.journal import Authentication, ReceivedMessage
from mailsend.testing.sasl import Exchange, MalformedResponse, SaslContext, ServerMechanism
from mailsend.testing.scram import scram
from mailsend.testing.server import SmtpServer
from mailsend.testing.settings import DEFAULT_EXTENSIONS

__all__ = [
    "DEFAULT_EXTENSIONS",
    "Action",
    "Answer",
    "Authentication",
    "Authority",
    "Certificate",
    "Close",
    "Delivery",
    "Drip",
    "Exchange",
    "Flood",
    "Garbage",
    "Hang",
    "MalformedResponse",
    "Normal",
    "PartialHandshake",
    "ReceivedMessage",
    "Reset",
    "SaslContext",
    "ServerMechanism",
    "SmtpServer",
    "Stage",
    "StopReading",
    "check_transport",
    "oauthbearer",
    "scram",
    "xoauth2",
]
