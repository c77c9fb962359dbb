"""The judge: what a client says of a message, compared with what the server did with it."""

from __future__ import annotations

from functools import partial

from attrs import frozen

from mailsend import DeliveryReport, Envelope, MailsendError, Outcome
from mailsend.testing import SmtpServer


@frozen
class Attempt:
    """One message as its sender saw it end.

    Attributes:
        envelope: who it was from and for.
        content: its octets, by which the server's copies of it are found.
        report: what came of it; None if the session never began.
        error: what was raised, or None.
        seconds: how long it took.
    """

    envelope: Envelope
    content: bytes
    report: DeliveryReport | None
    error: MailsendError | None = None
    seconds: float = 0.0

    @property
    def ends(self) -> tuple[Outcome, ...]:
        """One outcome for each recipient, in the envelope's order."""
        if self.report is None:
            return tuple(Outcome.NOT_SENT for _ in self.envelope.recipients)
        named = {o.address: o.outcome for o in self.report.outcomes}
        assert len(named) == len(self.report.outcomes), "a recipient is reported twice"
        return tuple(named[address] for address in self.envelope.recipients)


def judge(server: SmtpServer, *attempts: Attempt, patience: float = 5.0) -> None:
    """Fail on a mis-report.

    An accepted recipient stands in exactly one stored message that was answered with 2yz, one that
    was refused or not sent to in none, and an uncertain one is uncertain only because all of the
    content had been handed over; the server has `patience` seconds to have read it.
    """
    for attempt in attempts:
        kept = [m for m in server.messages if m.content == attempt.content]
        for address, end in zip(attempt.envelope.recipients, attempt.ends, strict=True):
            taken = [m for m in kept if address in m.recipients and 200 <= m.reply_code < 300]
            if end is Outcome.ACCEPTED:
                assert len(taken) == 1, f"{address} is reported accepted, taken {len(taken)} times"
            elif end is Outcome.UNCERTAIN:
                assert len(taken) <= 1, f"{address} got the message {len(taken)} times"
                server.wait_until(partial(_has_all, server, attempt.content), patience)
            else:
                assert not taken, f"{address} is reported {end}, and the server took it"


def _has_all(server: SmtpServer, content: bytes) -> bool:
    stuffed = content.replace(b"\r\n.", b"\r\n..") + b".\r\n"
    return any(stuffed in octets for octets in server.raw)
