"""What all sessions of a server have in common."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Final

from attrs import frozen

from mailsend.endpoint import Security
from mailsend.testing.channel import Delivery
from mailsend.testing.sasl import ServerMechanism

DEFAULT_EXTENSIONS: Final = (
    "PIPELINING",
    "SIZE 10485760",
    "8BITMIME",
    "SMTPUTF8",
    "ENHANCEDSTATUSCODES",
)


@frozen(kw_only=True)
class Settings:
    """The arguments of :class:`mailsend.testing.SmtpServer`, which explains them."""

    security: Security
    tls: ssl.SSLContext | None
    users: Mapping[str, str]
    mechanisms: tuple[ServerMechanism, ...]
    authenticates: bool  # AUTH is offered
    require_auth: bool
    auth_without_tls: bool
    extensions: tuple[str, ...]
    delivery: Delivery
    discard_refused_chunks: bool
