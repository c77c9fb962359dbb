"""The stages of a submission, as errors, timeouts and transcripts name them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Stage(StrEnum):
    """Where in the conversation something happened.

    ``END_OF_DATA`` begins when the last octet of the content was handed to the socket: the point
    after which a lost connection leaves the delivery uncertain (RFC 5321 §4.5.3.2.6).
    """

    CONNECT = "connect"
    TLS = "tls"
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    END_OF_DATA = "end_of_data"
    RSET = "rset"
    QUIT = "quit"

    @property
    def in_words(self) -> str:
        """When that is, for a sentence: "at AUTH"."""
        return _WORDS.get(self, f"at {self.value.upper()}")


_WORDS: Final = {
    Stage.CONNECT: "while connecting",
    Stage.TLS: "in the TLS handshake",
    Stage.GREETING: "waiting for the greeting",
    Stage.END_OF_DATA: "after the content",
}

OPENING: Final = frozenset({
    Stage.CONNECT, Stage.TLS, Stage.GREETING, Stage.EHLO, Stage.STARTTLS, Stage.AUTH,
})  # fmt: skip
"""The stages before a session is ready for its first message."""
