"""The contract of every transport: one primitive, and what is derived from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

from attrs import evolve

from mailsend.address import DEFAULT_RULES, AddressRules, check_rules
from mailsend.capabilities import Capabilities
from mailsend.cause import Cause
from mailsend.content import Content, prepare
from mailsend.envelope import Envelope, Submission
from mailsend.envelope_options import EnvelopeOptions
from mailsend.errors import (
    CapabilityError,
    DeliveryUncertain,
    InvalidAddress,
    InvalidMessage,
    MailsendError,
    ReplyError,
    SessionError,
)
from mailsend.message import AnyMessage, ParsedMessage, envelope_of, parse, render
from mailsend.report import DeliveryReport, leave_report, report_of
from mailsend.signing.signers import Signer, check_signers, sign
from mailsend.stage import OPENING


def _concerns_one_message(error: MailsendError) -> bool:
    """Whether the next message has a chance: not where no session can be had."""
    kinds = ReplyError | CapabilityError | InvalidMessage | InvalidAddress | DeliveryUncertain
    return (
        isinstance(error, kinds | SessionError)
        and error.stage not in OPENING
        and error.cause is not Cause.FORKED
    )


class Transport(ABC):
    """Hands messages over and reports what became of each recipient.

    An implementation defines :meth:`open`, :meth:`close`, :meth:`send_raw` and
    :attr:`capabilities`; :func:`mailsend.testing.check_transport` tells whether it keeps this
    contract. Everything public raises only :class:`~mailsend.errors.MailsendError`. A transport
    may be used by several threads, one message at a time.
    """

    @abstractmethod
    def open(self) -> None:
        """Get ready to send; does nothing if it is. A closed transport can be opened again.

        Raises:
            ConfigurationError: A setting turned out unusable, before anything was sent.
            SessionError: The server cannot be reached or trusted, or does not want to talk.
            AuthenticationError: It did not accept the credentials.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of everything; does nothing if that is done. Never raises.

        While another thread is sending, it waits until that message is done.
        """

    @abstractmethod
    def send_raw(self, envelope: Envelope, content: bytes) -> DeliveryReport:
        """Hand over one message that is ready; opens the transport if need be.

        Args:
            envelope: who it is from and for.
            content: the complete message, not dot-stuffed. Every line ends with CRLF; other line
                ends, and a missing one at the end, are brought to that.

        Returns:
            One outcome for each recipient. A refused recipient beside an accepted one is in the
            report, not raised.

        Raises:
            InvalidMessage: The content has a NUL or a line of more than 998 octets. Nothing was
                written.
            CapabilityError: The server lacks what the message needs. Nothing was written.
            ReplyError: The server refused sender, all recipients or message; `report` has each.
            DeliveryUncertain: Cut off after the last octet of the content, before the reply.
            SessionError: The session could not be opened, or ended before the last octet:
                nothing was accepted.
            BaseException: Something from outside came between, such as a KeyboardInterrupt or
                what a signal handler raised. The connection is closed without another word, and
                :func:`~mailsend.report_of` tells from the exception what became of the message.
        """

    @property
    @abstractmethod
    def capabilities(self) -> Capabilities:
        """What messages may make use of now. Opens the transport if need be; may raise as that."""

    def send(
        self,
        message: AnyMessage | bytes,
        *,
        envelope: Envelope | None = None,
        options: EnvelopeOptions | None = None,
        rules: AddressRules | None = None,
        signers: Iterable[Signer] = (),
    ) -> DeliveryReport:
        """Hand over a message; opens the transport if need be.

        Bcc is taken for the envelope and left out of the octets. Parts with eight-bit characters
        are encoded where the server does not take them as they are. What was written is read back
        and has to say what the message says.

        Octets are sent as they are, so that a signature on them stays valid: only line ends are
        brought to CRLF, and the fields Bcc and Resent-Bcc cut out, which no signature should
        cover.

        Args:
            message: an :class:`email.message.EmailMessage`, which is not changed, or the octets of
                a complete message.
            envelope: who it is really from and for. None takes it from the message's fields.
            options: what to ask of the server, where no envelope is given, which has its own.
            rules: which rare forms of addresses the message's fields may have. None goes by
                `envelope`, and takes none where there is none.
            signers: callables that get the content as it will be sent, bytes with CRLF, and return
                it with their fields in front, such as :class:`~mailsend.DkimSigner`. They run in
                this order, once, unless the server turns out to need other octets.

        Returns:
            As :meth:`send_raw`.

        Raises:
            InvalidMessage: The message cannot be sent as it is; there are an envelope and options;
                or a signer failed or did something else than sign. Nothing was written.
            InvalidAddress: Neither can one of its addresses.
            CapabilityError: The server takes no eight-bit octets, and these must not be changed:
                they were given as octets, or are signed.
            MailsendError: As :meth:`send_raw`.
        """
        given = None if envelope is None else check_envelope(envelope)
        if given is not None and options is not None:
            raise InvalidMessage(
                "an envelope and options are both given",
                advice="Write Envelope(reverse_path, recipients, options)",
            )
        parsed = parse(message, rules or (given.rules if given else DEFAULT_RULES))
        sealed = given or _sealed(parsed, options)
        return self._send_parsed(parsed, sealed, signers)

    def _send_parsed(
        self, parsed: ParsedMessage, envelope: Envelope, signers: Iterable[Signer]
    ) -> DeliveryReport:
        try:
            return self._deliver(envelope, _Octets(parsed, check_signers(signers)))
        except MailsendError as error:
            error.report = error.report or DeliveryReport.nothing_sent(envelope.recipients)
            raise

    def _deliver(
        self, envelope: Envelope, content_for: Callable[[Capabilities], Content]
    ) -> DeliveryReport:
        """Hand over content that depends on what it may make use of.

        A transport whose capabilities belong to a session overrides this, so that finding them out
        and sending are one piece.
        """
        return self.send_raw(envelope, content_for(self.capabilities).data)

    def send_many(
        self,
        messages: Iterable[AnyMessage | bytes | Submission],
        *,
        options: EnvelopeOptions | None = None,
        rules: AddressRules | None = None,
        signers: Iterable[Signer] = (),
    ) -> Iterator[DeliveryReport]:
        """Hand over messages one after the other, taking each when the last one is done.

        What goes wrong with one message is in the `error` of its report, and the next one is sent
        all the same; after a lost session over a new one.

        Args:
            messages: messages, or submissions whose `key` the report will carry.
            options: what to ask of the server for each message; a submission has its envelope's.
            rules: which rare forms of addresses the fields of messages may have.
            signers: as of :meth:`send`; they sign the content of a submission too.

        Yields:
            One report for each message, in order.

        Raises:
            ConfigurationError: `signers` or `rules` are none.
            MailsendError: No session could be opened, so that no further message has a chance.
                `report` is that of the message which was the next; none behind it was taken from
                `messages`.
        """
        checked = check_signers(signers)
        known = DEFAULT_RULES if rules is None else rules
        check_rules(known)
        for item in messages:
            yield self._send_one(item, options, known, checked)

    def _send_one(
        self,
        item: AnyMessage | bytes | Submission,
        options: EnvelopeOptions | None,
        rules: AddressRules,
        signers: tuple[Signer, ...],
    ) -> DeliveryReport:
        if isinstance(item, Submission):
            return self._reported(
                lambda: self._send_submission(item, signers), item.envelope, item.key
            )
        try:
            parsed = parse(item, rules)
            envelope = _sealed(parsed, options)
        except (InvalidMessage, InvalidAddress) as error:
            return DeliveryReport((), error=error)
        return self._reported(lambda: self._send_parsed(parsed, envelope, signers), envelope, None)

    def _send_submission(
        self, submission: Submission, signers: tuple[Signer, ...]
    ) -> DeliveryReport:
        content = submission.content
        if signers:
            content = sign(prepare(content), signers).data
        return self.send_raw(submission.envelope, content)

    def _reported(
        self, attempt: Callable[[], DeliveryReport], envelope: Envelope, key: Hashable
    ) -> DeliveryReport:
        """The report of one message, with its key; what concerns it alone is in it."""
        report: DeliveryReport | None = None
        try:
            try:
                report = attempt()
            except MailsendError as error:
                report = error.report or DeliveryReport.nothing_sent(envelope.recipients)
                if not _concerns_one_message(error):
                    error.report = evolve(report, key=key)
                    raise
                return evolve(report, key=key, error=error)
            return evolve(report, key=key)
        except MailsendError:
            raise
        except BaseException as interrupt:
            told = report_of(interrupt)
            # The same object may have ended an earlier sending.
            ours = told is not None and {o.address for o in told.outcomes} == {*envelope.recipients}
            report = report or (told if ours else None)
            if report is not None:
                leave_report(interrupt, evolve(report, key=key))
            raise

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _sealed(parsed: ParsedMessage, options: EnvelopeOptions | None) -> Envelope:
    envelope = envelope_of(parsed)
    return envelope if options is None else evolve(envelope, options=options)


def check_envelope(envelope: object) -> Envelope:
    """The envelope, if it is one.

    Raises:
        InvalidMessage: It is something else.
    """
    if isinstance(envelope, Envelope):
        return envelope
    raise InvalidMessage(
        f"expected an Envelope, not {type(envelope).__name__}",
        advice="Write Envelope('ada@example.org', ['bob@example.org'])",
    )


class _Octets:
    """The content of a message, for what it may make use of.

    The same octets are written and signed once, however often a session has to be replaced: a
    second signature, or another boundary, would make two messages of one submission.
    """

    def __init__(self, parsed: ParsedMessage, signers: tuple[Signer, ...]) -> None:
        self._parsed = parsed
        self._signers = signers
        self._written: dict[bool, bytes] = {}
        self._made: dict[bytes, Content] = {}

    def __call__(self, capabilities: Capabilities) -> Content:
        if self._parsed.needs_smtputf8 and "SMTPUTF8" not in capabilities:
            raise CapabilityError(
                "the message has an internationalised address, and the server does not offer "
                "SMTPUTF8",
                advice="Write domains as A-labels (xn--...) and use addresses in ASCII, or use a "
                "server that offers SMTPUTF8 (RFC 6531)",
            )
        octets = self._octets(eight_bit="8BITMIME" in capabilities)
        if octets not in self._made:
            self._made[octets] = sign(prepare(octets), self._signers)
        return self._made[octets]

    def _octets(self, *, eight_bit: bool) -> bytes:
        if self._signers and eight_bit and not isinstance(self._parsed.message, bytes):
            # A relay further on that takes seven bits only would break the signature, so what is
            # signed has seven bits from the start (RFC 6376 §5.3), if it may be encoded at all.
            with suppress(CapabilityError):
                return self._octets(eight_bit=False)
        if eight_bit not in self._written:
            utf8 = self._parsed.needs_smtputf8
            self._written[eight_bit] = render(self._parsed, eight_bit=eight_bit, utf8=utf8)
        return self._written[eight_bit]
