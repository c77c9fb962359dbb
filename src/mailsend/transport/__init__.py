"""Transports: where a message is handed over."""

from __future__ import annotations

from mailsend.transport.contract import Transport
from mailsend.transport.memory import MemoryTransport
from mailsend.transport.pool import PooledTransport
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
    "PooledTransport",
    "StartTlsTransport",
    "Transport",
    "open_transport",
]
