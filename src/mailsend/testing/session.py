"""The state of one session, from its greeting or its STARTTLS to the next."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field

from mailsend.testing.syntax import Path


@define
class Transaction:
    """One mail transaction (RFC 5321 §3.3).

    Attributes:
        sender: the argument of MAIL.
        recipients: the accepted arguments of RCPT.
        chunks: the chunks of BDAT so far, None before the first.
        failed: a chunk was refused: only RSET helps (RFC 3030 §2).
    """

    sender: Path
    recipients: list[Path] = field(factory=list[Path])
    chunks: bytearray | None = None
    failed: bool = False

    def body_is(self, value: str) -> bool:
        """Whether MAIL had the parameter BODY with this value."""
        return (self.sender.value("BODY") or "").upper() == value


@define
class Session:
    """What the client has said and been told.

    Attributes:
        client_name: the argument of EHLO or HELO; empty before.
        extended: whether it was EHLO.
        offered: keyword to parameters of the EHLO reply as it was sent, be it by a script. It alone
            decides what the client may use.
        user: the authenticated name.
        transaction: the one going on.
    """

    client_name: str = ""
    extended: bool = False
    offered: Mapping[str, str] = field(factory=dict[str, str])
    user: str | None = None
    transaction: Transaction | None = None

    @property
    def size_limit(self) -> int:
        """In octets; 0 without a limit (RFC 1870 §3)."""
        size = self.offered.get("SIZE", "")
        return int(size) if size.isdigit() else 0

    @property
    def pipelining(self) -> bool:
        """Whether commands may follow each other without waiting (RFC 2920)."""
        return "PIPELINING" in self.offered
