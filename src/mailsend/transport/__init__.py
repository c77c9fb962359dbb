"""Transports: where a message is handed over."""

from __future__ import annotations

from mailsend.transport.contract import Transport
from mailsend.transport.memory import MemoryTransport
from mailsend.transport.smtp import (
    ImplicitTlsTransport,
    InsecurePlaintextTransport,
    StartTlsTransport,
    open_transport,
)

__all__ = [
    "ImplicitTlsTransport",
    "InsecurePlaintextTransport",
    "MemoryTransport",
    "StartTlsTransport",
    "Transport",
    "open_transport",
]
