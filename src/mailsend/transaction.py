"""One mail transaction as a pure state machine: octets out, replies in (RFC 5321 §3.3).

The machine hands out groups of commands. A group holds one command, or, where the server offers
PIPELINING (RFC 2920 §3.1), all that may be written before a reply is needed. It decides what each
reply means for each recipient; it never touches a socket, so the same rules serve one message, a
stream of them, and the tests.
"""

from __future__ import annotations

from typing import Final

from attrs import field, frozen

from mailsend.capabilities import Capabilities
from mailsend.cause import Cause
from mailsend.content import Content
from mailsend.envelope import Envelope
from mailsend.envelope_parameters import option_parameters, recipient_parameters
from mailsend.errors import CapabilityError
from mailsend.reply import Reply
from mailsend.report import DeliveryReport, Outcome, RecipientOutcome
from mailsend.stage import Stage


@frozen
class Command:
    """One command.

    Attributes:
        stage: which; a reply to it belongs to this stage.
        line: its octets, line end included.
        recipient: the address of a RCPT.
    """

    stage: Stage
    line: bytes
    recipient: str | None = None


@frozen
class Payload:
    """The content, or nothing at all where nobody is left to get it.

    Attributes:
        data: canonical octets, not dot-stuffed.
    """

    data: bytes = field(repr=False)


Step = tuple[Command, ...] | Payload | None


def mail_parameters(
    envelope: Envelope,
    content: Content,
    capabilities: Capabilities,
    message_octets: int | None,
    *,
    encrypted: bool = False,
) -> str:
    """The parameters of MAIL that this message needs from this server.

    Args:
        envelope: with what it asks for.
        content: the message.
        capabilities: of the session.
        message_octets: the profile's own limit.
        encrypted: whether the session has verified TLS.

    Raises:
        CapabilityError: The server lacks an extension that the message cannot do without, or
            takes no message of this size. Nothing has been written.
    """
    limits = [limit for limit in (capabilities.size_limit, message_octets) if limit is not None]
    if limits and content.size > min(limits):
        raise CapabilityError(
            f"the message has {content.size} octets, and at most {min(limits)} can be sent",
            stage=Stage.MAIL,
            cause=Cause.MESSAGE_TOO_LARGE,
            advice="Send less: smaller attachments, or a link",
        )
    parameters: list[str] = []
    if "SIZE" in capabilities:
        parameters.append(f"SIZE={content.size}")  # RFC 1870 §6
    if content.eight_bit:
        if "8BITMIME" not in capabilities:
            raise CapabilityError(
                "the content has eight-bit octets, and the server does not offer 8BITMIME",
                stage=Stage.MAIL,
                advice="Encode the content as quoted-printable or base64; send() does so by itself",
            )
        parameters.append("BODY=8BITMIME")  # RFC 6152 §3
    if envelope.needs_smtputf8 or content.eight_bit_header:
        if "SMTPUTF8" not in capabilities:
            raise CapabilityError(
                "an address or header field is internationalised, and the server does not offer "
                "SMTPUTF8",
                stage=Stage.MAIL,
                advice="Use addresses in ASCII, or a server that offers SMTPUTF8 (RFC 6531)",
            )
        parameters.append("SMTPUTF8")
    parameters += option_parameters(envelope, capabilities, encrypted=encrypted)
    return "".join(f" {parameter}" for parameter in parameters)


class Transaction:
    """The course of one message.

    Drive it so::

        while (step := transaction.next_step()) is not None:
            ...  # write the step; if it is a group, read one reply for each of its commands
            transaction.receive(command, reply)

    After a :class:`Payload` exactly one reply is due, passed to :meth:`receive_final`.

    Args:
        envelope: sender and recipients.
        content: the message.
        capabilities: what may be used.
        parameters: of :func:`mail_parameters`.
        reset: begin with RSET, because an earlier transaction may still be open.
    """

    def __init__(
        self,
        envelope: Envelope,
        content: Content,
        capabilities: Capabilities,
        parameters: str = "",
        *,
        reset: bool = False,
    ) -> None:
        self.envelope = envelope
        self._content = content
        self._pipelining = "PIPELINING" in capabilities
        self._pending = self._plan(
            parameters, recipient_parameters(envelope, capabilities), reset=reset
        )
        self._mail: Reply | None = None
        self._rcpt: dict[str, Reply] = {}
        self._data: Reply | None = None
        self._final: Reply | None = None
        self._asked_for_data = False
        self._begun = False
        self._someone_accepted = False
        self.is_over = False
        """Whether nothing is left to write, and every reply has come."""
        self.end_begun = False
        """Whether the last octet of the content may have been written.

        Set by the driver before it writes that, so that it is true at whatever point something
        from outside interrupts the writing.
        """

    def _plan(self, parameters: str, of_recipients: list[str], *, reset: bool) -> list[Command]:
        sender = self.envelope.sender_address
        path = sender.on_the_wire if sender is not None else ""
        plan = [_RSET] if reset else []
        plan.append(Command(Stage.MAIL, f"MAIL FROM:<{path}>{parameters}\r\n".encode()))
        plan += [
            Command(Stage.RCPT, f"RCPT TO:<{a.on_the_wire}>{asked}\r\n".encode(), a.text)
            for a, asked in zip(self.envelope.recipient_addresses, of_recipients, strict=True)
        ]
        return plan

    @property
    def has_begun(self) -> bool:
        """Whether a reply to anything has come."""
        return self._begun

    @property
    def stage(self) -> Stage:
        """What the next reply belongs to; at the end, what the last one did."""
        if self.end_begun:
            return Stage.END_OF_DATA
        if self._mail is None:
            return Stage.MAIL
        unanswered = len(self._rcpt) < len(self.envelope.recipients)
        return Stage.RCPT if unanswered else Stage.DATA

    @property
    def is_open_on_the_server(self) -> bool:
        """Whether MAIL may still be in force there, so that the next one needs a RSET first.

        Servers differ in whether a refused recipient or DATA ends the transaction: Exim keeps it,
        and would take the next message under this sender.
        """
        return self._mail is not None and self._final is None

    def next_step(self) -> Step:
        """What to write next, or None when the transaction is over."""
        if self._pending:
            if self._pipelining:
                group = (*self._pending, _DATA)
                self._pending = []
                self._asked_for_data = True
            else:
                group = (self._pending.pop(0),)
            return group
        if not self._asked_for_data and self._someone_accepted:
            self._asked_for_data = True
            return (_DATA,)
        if self._data is None or not self._data.is_intermediate or self._final is not None:
            self.is_over = True
            return None
        # 354 although nobody was accepted: the server waits for content, so it gets none
        # (RFC 2920 §3.1).
        return Payload(self._content.data if self._someone_accepted else b"")

    def receive(self, command: Command, reply: Reply) -> None:
        """Take the reply to a command of the group."""
        self._begun = True
        if command.stage is Stage.MAIL:
            self._mail = reply
            if not reply.is_positive:
                self._pending = []
        elif command.stage is Stage.RCPT and command.recipient is not None:
            self._rcpt[command.recipient] = reply
            sender_accepted = self._mail is not None and self._mail.is_positive
            self._someone_accepted |= sender_accepted and reply.is_positive
        elif command.stage is Stage.DATA:
            self._data = reply

    def receive_final(self, reply: Reply) -> None:
        """Take the reply to the content."""
        self._final = reply

    @property
    def deciding(self) -> tuple[Stage, Reply] | None:
        """The refusal that ended it, with its stage, or None if somebody was accepted.

        A refused MAIL outranks the 503s that follow it in a group.
        """
        if self._mail is not None and not self._mail.is_positive:
            return (Stage.MAIL, self._mail)
        if not self._someone_accepted:
            refusals = [reply for reply in self._rcpt.values() if not reply.is_positive]
            # A recipient that may be accepted later speaks for all: it makes a retry worth while.
            refusals.sort(key=lambda reply: reply.is_permanent)
            return (Stage.RCPT, refusals[0]) if refusals else None
        if self._data is not None and self._data.code >= 400:
            return (Stage.DATA, self._data)
        if self._final is not None and not self._final.is_positive:
            return (Stage.END_OF_DATA, self._final)
        return None

    def report(
        self, *, uncertain: bool = False, reply: Reply | None = None, endpoint: str | None = None
    ) -> DeliveryReport:
        """How each recipient stands now.

        Args:
            uncertain: the connection was lost after the last octet of the content.
            reply: what ended the session, where that was not a reply to this transaction.
            endpoint: of the server.
        """
        refused_data = self._data is not None and self._data.code >= 400
        final = self._data if refused_data else self._final
        outcomes = tuple(
            self._outcome(address.text, final, uncertain=uncertain)
            for address in self.envelope.recipient_addresses
        )
        deciding = self.deciding
        decided = deciding[1] if deciding else self._final
        return DeliveryReport(outcomes, reply=reply or decided, endpoint=endpoint)

    def _outcome(self, address: str, final: Reply | None, *, uncertain: bool) -> RecipientOutcome:
        if self._mail is not None and not self._mail.is_positive:
            return RecipientOutcome(address, Outcome.NOT_SENT, self._mail)
        reply = self._rcpt.get(address)
        if reply is not None and not reply.is_positive:
            return RecipientOutcome(address, Outcome.REFUSED, reply)
        if reply is not None and final is not None and self._someone_accepted:
            outcome = Outcome.ACCEPTED if final.is_positive else Outcome.REFUSED
            return RecipientOutcome(address, outcome, final)
        if reply is not None and uncertain:
            return RecipientOutcome(address, Outcome.UNCERTAIN)
        return RecipientOutcome(address, Outcome.NOT_SENT)


_DATA: Final = Command(Stage.DATA, b"DATA\r\n")
_RSET: Final = Command(Stage.RSET, b"RSET\r\n")
