"""A transport that keeps what it is given: for tests, and for a dry run of an application."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage

from attrs import evolve

from mailsend.address import Address, AddressRules, parse_address
from mailsend.capabilities import Capabilities
from mailsend.content import prepare
from mailsend.envelope import Envelope, Submission
from mailsend.errors import ConfigurationError, RecipientsRefused
from mailsend.interpretation import explained, interpret
from mailsend.reply import Reply
from mailsend.report import DeliveryReport, Outcome, RecipientOutcome
from mailsend.stage import Stage
from mailsend.transaction import mail_parameters
from mailsend.transport.contract import Transport, check_envelope

_ACCEPTED = Reply(250, None, ("OK: kept in memory",))
_ENDPOINT = "memory"
_ANY = AddressRules(quoted_local_parts=True, address_literals=True)


class MemoryTransport(Transport):
    """Accepts every message and keeps it. Nothing leaves the process.

    Messages are checked exactly as before an SMTP server, so that what fails here would fail
    there.

    Args:
        refuse: recipients that get this reply instead of being accepted.
        capabilities: what messages may make use of; by default 8BITMIME and SMTPUTF8.

    Raises:
        ConfigurationError: `refuse` has something that is no refusal.
        InvalidAddress: It has something that is no address.
    """

    def __init__(
        self,
        refuse: Mapping[str, Reply] | None = None,
        capabilities: Capabilities | None = None,
    ) -> None:
        self._refuse = {
            parse_address(address, field="refuse", rules=_ANY).identity: _refusal(reply)
            for address, reply in (refuse or {}).items()
        }
        self._capabilities = capabilities or Capabilities.offering("8BITMIME", "SMTPUTF8")
        self._lock = threading.Lock()
        self._submissions: list[Submission] = []

    @property
    def submissions(self) -> tuple[Submission, ...]:
        """What was accepted, in order: envelopes have only the accepted recipients."""
        with self._lock:
            return tuple(self._submissions)

    @property
    def messages(self) -> tuple[EmailMessage, ...]:
        """The same, parsed."""
        return tuple(
            message_from_bytes(submission.content, EmailMessage, policy=policy.default)
            for submission in self.submissions
        )

    def clear(self) -> None:
        """Forget what was accepted."""
        with self._lock:
            self._submissions.clear()

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    def open(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do; what was accepted stays."""

    def send_raw(self, envelope: Envelope, content: bytes) -> DeliveryReport:
        check_envelope(envelope)
        prepared = prepare(content)
        # Where nothing leaves the process, nothing has to be encrypted.
        mail_parameters(envelope, prepared, self._capabilities, None, encrypted=True)
        outcomes = tuple(self._outcome(address) for address in envelope.recipient_addresses)
        accepted = [o.address for o in outcomes if o.outcome is Outcome.ACCEPTED]
        if not accepted:
            reply = self._refuse[envelope.recipient_addresses[-1].identity]
            raise explained(
                RecipientsRefused,
                "every recipient was refused",
                interpret(reply, Stage.RCPT),
                stage=Stage.RCPT,
                reply=reply,
                report=DeliveryReport(outcomes, reply, endpoint=_ENDPOINT),
                endpoint=_ENDPOINT,
            )
        with self._lock:
            self._submissions.append(
                Submission(evolve(envelope, recipients=accepted), prepared.data)
            )
        return DeliveryReport(outcomes, _ACCEPTED, endpoint=_ENDPOINT)

    def _outcome(self, address: Address) -> RecipientOutcome:
        refusal = self._refuse.get(address.identity)
        if refusal is not None:
            return RecipientOutcome(address.text, Outcome.REFUSED, refusal)
        return RecipientOutcome(address.text, Outcome.ACCEPTED, _ACCEPTED)


def _refusal(reply: Reply) -> Reply:
    if not isinstance(reply, Reply) or reply.code < 400:
        raise ConfigurationError(
            f"refuse has {ascii(reply)[:80]}, which is no refusing reply",
            advice="Write Reply.parse('550 5.1.1 User unknown')",
        )
    return reply
