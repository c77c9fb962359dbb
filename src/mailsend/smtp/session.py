"""One conversation with one server: from the greeting to QUIT, a transaction at a time."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

from mailsend.capabilities import Capabilities
from mailsend.content import END_OF_DATA, Content, dot_stuff
from mailsend.endpoint import Endpoint
from mailsend.envelope import Envelope
from mailsend.errors import (
    DeliveryUncertain,
    MailsendError,
    MessageRefused,
    ProtocolViolation,
    RecipientsRefused,
    ReplyError,
    SenderRefused,
    ServiceUnavailable,
    SessionError,
)
from mailsend.profile.smtp_profile import SmtpProfile
from mailsend.reply import Reply
from mailsend.report import DeliveryReport
from mailsend.smtp.wire import Wire
from mailsend.stage import Stage
from mailsend.timeouts import Watch
from mailsend.transaction import Command, Payload, Transaction, mail_parameters
from mailsend.transcript import MAX_LINES

_LOG: Final = logging.getLogger("mailsend.session")
_TLS_RECORD: Final = 16384  # octets, RFC 9846 §5.1
_REFUSALS: Final[dict[Stage, type[ReplyError]]] = {
    Stage.MAIL: SenderRefused,
    Stage.RCPT: RecipientsRefused,
    Stage.DATA: MessageRefused,
    Stage.END_OF_DATA: MessageRefused,
}
_REFUSAL_WORDS: Final = {
    Stage.MAIL: "the server refused the sender {sender}",
    Stage.RCPT: "the server refused every recipient: {recipients}",
    Stage.DATA: "the server refused the message before its content",
    Stage.END_OF_DATA: "the server refused the message",
}
_NAMED: Final = 3  # recipients that an error names; its report has all of them


class Session:
    """An open, and where the profile has credentials authenticated, session. One owner at a time.

    Made by :func:`mailsend.smtp.opening.open_session`.

    Args:
        profile: settings.
        wire: the connection, behind EHLO and AUTH.
        capabilities: of the last EHLO, less what the profile switches off.
    """

    def __init__(
        self,
        profile: SmtpProfile,
        wire: Wire,
        capabilities: Capabilities,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.capabilities = capabilities
        self._profile = profile
        self._wire = wire
        self._clock = clock
        self._process = os.getpid()
        self._needs_reset = False
        self.transactions = 0
        self.content_begun = False
        """Whether octets of the latest message's content have been written."""

    @property
    def is_alive(self) -> bool:
        """Whether the session can still be used, as far as is known without I/O."""
        return self._wire.is_open

    @property
    def endpoint(self) -> Endpoint:
        """Where the server is: the profile's first endpoint, or one of its fallbacks."""
        return self._wire.endpoint

    @property
    def is_foreign(self) -> bool:
        """Whether the session was opened before a fork, by another process.

        Two processes on one TLS connection destroy it for both.
        """
        return self._process != os.getpid()

    @property
    def transcript(self) -> tuple[str, ...]:
        """The last lines of the conversation, secrets left out."""
        return self._wire.transcript.tail(MAX_LINES)

    def is_stale(self) -> bool:
        """Whether the server ended the session while nothing was asked of it. Does not wait.

        To be asked right before :meth:`submit`.

        Servers close idle sessions, mostly with a 421 first; a session in that state takes no
        message, which is no fault of the message.
        """
        try:
            waiting = self._wire.unasked(Stage.MAIL)
        except SessionError as error:
            _LOG.info("session to %s ended while idle: %s", self._wire.endpoint, error.what)
            return True
        if waiting is not None:
            _LOG.info("session to %s ended while idle: %s", self._wire.endpoint, waiting)
            self.abandon()
        return waiting is not None

    def ask_first(self) -> None:
        """Begin the next transaction with RSET, as after one that was left open.

        For a session that was idle for long: one that is lost without a trace gives no answer to
        it within the budget of a reset, and has taken nothing.
        """
        self._needs_reset = True

    def submit(
        self,
        envelope: Envelope,
        content: Content,
        watch: Watch,
        on_begin: Callable[[Transaction], object] | None = None,
    ) -> DeliveryReport:
        """Run one mail transaction (RFC 5321 §3.3).

        Args:
            envelope: who it is from and for.
            content: the message.
            watch: of the call that this is part of.
            on_begin: given the transaction before anything is written, for who wants to know at
                any moment how far it is.

        Returns:
            One outcome for each recipient. A refused recipient beside an accepted one is in the
            report.

        Raises:
            CapabilityError: The server lacks what the message needs. Nothing was written.
            SenderRefused: At MAIL. The session stays usable after this and the next two.
            RecipientsRefused: None of them was accepted.
            MessageRefused: At DATA or after the content.
            DeliveryUncertain: Lost after the last octet of the content, before the reply.
            SessionError: Lost earlier: nothing was accepted.
        """
        parameters = mail_parameters(
            envelope,
            content,
            self.capabilities,
            self._profile.limits.message_octets,
            encrypted=self._wire.is_encrypted,
        )
        transaction = Transaction(
            envelope, content, self.capabilities, parameters, reset=self._needs_reset
        )
        if on_begin is not None:
            on_begin(transaction)
        self.transactions += 1
        self.content_begun = False
        try:
            while (step := transaction.next_step()) is not None:
                if isinstance(step, Payload):
                    self._hand_over(step, transaction, watch)
                else:
                    self._exchange(step, transaction, watch)
        except BaseException:
            # Whatever it was, the server may be waiting in the middle of the content, where a
            # QUIT or a RSET would become part of the message.
            self.abandon()
            raise
        self._needs_reset = transaction.is_open_on_the_server
        report = self._report(transaction)
        self._leave_if_out_of_step()
        if transaction.deciding is not None:
            stage, reply = transaction.deciding
            what = _REFUSAL_WORDS[stage].format(
                sender=envelope.reverse_path or "<>", recipients=_some(envelope.recipients)
            )
            raise self._wire.witness.refusal(_REFUSALS[stage], what, stage, reply, report)
        return report

    def _exchange(self, group: tuple[Command, ...], transaction: Transaction, watch: Watch) -> None:
        stage = group[0].stage
        try:
            # Before the first group is_stale() has looked.
            if transaction.has_begun:
                waiting = self._wire.unasked(stage)
                if waiting is not None:
                    self._out_of_turn(waiting, stage, transaction)
            for command in group:
                self._wire.transcript.sent(command.line[:-2])
            try:
                octets = b"".join([command.line for command in group])
                deadline = watch.deadline(stage, watch.timeouts.command)
                self._wire.write(octets, deadline, replies_due=len(group))
            except SessionError as error:
                # Other replies answer single commands, and say nothing about the loss.
                self._last_words(error, stage, transaction, codes=range(421, 422))
                raise
            for command in group:
                stage = command.stage
                reply = self._wire.read(watch.deadline(stage))
                self._check(command, reply, transaction)
                transaction.receive(command, reply)
        except SessionError as error:
            if isinstance(error, ProtocolViolation):
                # Which reply belonged to which recipient is no longer known.
                error.report = DeliveryReport.nothing_sent(
                    transaction.envelope.recipients, error.reply, str(self._wire.endpoint)
                )
            elif error.report is None:
                error.report = self._report(transaction)
            raise

    def _check(self, command: Command, reply: Reply, transaction: Transaction) -> None:
        if reply.code == 421:
            self._unavailable(reply, command.stage, transaction)
        expected = reply.is_intermediate if command.stage is Stage.DATA else reply.is_positive
        refused = reply.code >= 400 and command.stage is not Stage.RSET
        if not (expected or refused):
            raise self._wire.witness.violation(
                f"{reply.code} is no answer to {command.stage.value.upper()}",
                command.stage,
                reply,
            )

    def _hand_over(self, payload: Payload, transaction: Transaction, watch: Watch) -> None:
        """Write the content, and take the reply to it."""
        wire = self._wire
        deadline = watch.deadline(Stage.DATA, watch.timeouts.data)
        wire.transcript.note(f"content of {len(payload.data)} octets")
        try:
            octets = dot_stuff(payload.data)
            # The end goes in one record and one packet with what stands before it.
            last = max(0, len(octets) + len(END_OF_DATA) - _TLS_RECORD)
            self.content_begun = True
            try:
                wire.write(memoryview(octets)[:last], deadline)
                # A reply that is here before the end of data can only belong to something else: a
                # positive one would be taken for the answer to this message.
                waiting = wire.unasked(Stage.DATA)
                if waiting is None:
                    transaction.end_begun = True
                    wire.write(octets[last:] + END_OF_DATA, deadline)
            except SessionError as error:
                self._last_words(error, Stage.DATA, transaction, codes=range(400, 600))
                raise
            if waiting is not None:
                self._out_of_turn(waiting, Stage.DATA, transaction)
        except SessionError as error:
            if error.report is None:
                error.report = self._report(transaction)
            raise
        # What was read while the last octets were on their way was sent before they arrived.
        early = self._wire.has_unread
        self._conclude(transaction, watch, someone=bool(payload.data), early=early)

    def _conclude(
        self, transaction: Transaction, watch: Watch, *, someone: bool, early: bool
    ) -> None:
        """Wait for the reply to the content. From here on a loss is not a failure."""
        try:
            reply = self._wire.read(watch.deadline(Stage.END_OF_DATA))
            if reply.is_intermediate or (early and reply.is_positive):
                raise self._wire.witness.violation(
                    f"{reply.code} is no answer to the content", Stage.END_OF_DATA, reply
                )
        except SessionError as error:
            if not someone:  # an empty content for nobody: its loss concerns nobody
                error.report = self._report(transaction)
                raise
            uncertain = DeliveryUncertain(
                f"the message was handed over, but no usable reply came: {error.what}",
                stage=Stage.END_OF_DATA,
                reply=error.reply,
                cause=error.cause,
                advice="The server may have it: ask its log or the recipient before sending again, "
                "or send again with the same Message-ID and accept a possible duplicate",
                report=transaction.report(uncertain=True, endpoint=str(self._wire.endpoint)),
                endpoint=str(self._wire.endpoint),
                transcript=self._wire.transcript.tail(),
            )
            raise uncertain from error
        transaction.receive_final(reply)
        if reply.code == 421:
            self._unavailable(reply, Stage.END_OF_DATA, transaction)

    def _report(self, transaction: Transaction, reply: Reply | None = None) -> DeliveryReport:
        return transaction.report(reply=reply, endpoint=str(self._wire.endpoint))

    def _unavailable(self, reply: Reply, stage: Stage, transaction: Transaction) -> NoReturn:
        raise self._wire.witness.refusal(
            ServiceUnavailable, "the server ends the session", stage, reply,
            self._report(transaction, reply),
        )  # fmt: skip

    def _out_of_turn(self, reply: Reply, stage: Stage, transaction: Transaction) -> NoReturn:
        """A reply is there that nothing was asked for."""
        if reply.code == 421:
            self._unavailable(reply, stage, transaction)
        report = self._report(transaction, reply)
        if reply.code >= 400:
            self.abandon()
            raise self._wire.witness.refusal(
                MessageRefused, "the server refused the message early", stage, reply, report
            )
        raise self._wire.witness.violation(
            f"the server answered {reply.code} before it was asked",
            stage,
            reply,
            advice="Nothing was sent; replies and messages can no longer be matched to each other",
            report=report,
        )

    def _last_words(
        self, error: SessionError, stage: Stage, transaction: Transaction, *, codes: range
    ) -> None:
        """If the server said why it broke off, with one of these codes, that is the error."""
        reply = self._wire.last_words(stage)
        if reply is None or reply.code not in codes:
            return  # the loss speaks for itself
        report = self._report(transaction, reply)
        kind: type[MailsendError] = ServiceUnavailable if reply.code == 421 else MessageRefused
        raise self._wire.witness.refusal(
            kind, "the server refused the message and broke off", stage, reply, report
        ) from error

    def _leave_if_out_of_step(self) -> None:
        # A surplus reply would be taken for the answer to the next command. What this message got
        # stays as it is: trouble after a reply never undoes it.
        if self._wire.has_unread:
            _LOG.warning("%s sent more than was asked for; session closed", self._wire.endpoint)
            self.abandon()

    def quit(self) -> None:
        """Say goodbye and close. Best effort within its own short budget; never raises."""
        try:
            if self._wire.is_open and not self.is_foreign:
                watch = Watch(self._profile.timeouts, self._clock)
                deadline = watch.deadline(Stage.QUIT)
                with contextlib.suppress(SessionError):  # in the transcript; all is done
                    self._wire.transcript.sent(b"QUIT")
                    self._wire.write(b"QUIT\r\n", deadline)
                    self._wire.read(deadline)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Close the connection without a word."""
        self._wire.drop()


def _some(recipients: Sequence[str]) -> str:
    more = len(recipients) - _NAMED
    return ", ".join(recipients[:_NAMED]) + (f" and {more} more" if more > 0 else "")
