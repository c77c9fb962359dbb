"""The envelope: who sends and who receives, apart from what the headers say (RFC 5321 §2.3.1)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Final, cast

from attrs import field, frozen

from mailsend.address import DEFAULT_RULES, Address, AddressRules, check_rules, parse_address
from mailsend.envelope_options import EnvelopeOptions, Notify, Recipient
from mailsend.errors import InvalidMessage

_NO_OPTIONS: Final = EnvelopeOptions()


def _check_recipients(recipients: Iterable[str | Recipient]) -> tuple[str, ...]:
    if isinstance(recipients, str | bytes):
        raise InvalidMessage(
            "the recipients of an envelope are a list of addresses, not one string",
            advice="Write [address] for a single recipient",
        )
    if not isinstance(recipients, Iterable):
        raise InvalidMessage(f"the recipients are no list but {type(recipients).__name__}")
    # A Recipient becomes its address when the envelope has taken from it what it asks for.
    return cast("tuple[str, ...]", tuple(recipients))


def _check_requests(requests: Iterable[Recipient]) -> tuple[Recipient, ...]:
    if requests == ():  # of most envelopes
        return ()
    if not isinstance(requests, Iterable):
        raise InvalidMessage(f"the requests are no list but {type(requests).__name__}")
    found = tuple(requests)
    for request in found:
        if not isinstance(request, Recipient):
            raise InvalidMessage(f"the requests have a {type(request).__name__}, no Recipient")
    return found


@frozen
class Envelope:
    """One reverse path and at least one recipient, each checked.

    Attributes:
        reverse_path: address that bounces go to, or None for the null reverse path ``<>`` of
            notifications that must never bounce (RFC 5321 §4.5.5).
        recipients: addresses as given, in order; a mailbox that is named twice is kept once, in
            the spelling that came first. Two spellings are the same mailbox as
            :attr:`Address.identity` has it. A :class:`Recipient` may stand for an address; then
            its address stands here, and it itself in `requests`.
        options: what to ask of the server for the message.
        requests: the recipients that ask for something of their own, from `recipients`. Given
            here, it holds for those that are recipients, so that ``evolve`` may change these.
        rules: which rare forms of addresses are taken. Each :class:`Recipient` adds those that
            its own rules take, so that ``evolve`` reads its address again. Envelopes are equal
            or not by their addresses, whatever rules took them.

    Raises:
        InvalidAddress: One of them cannot be used.
        InvalidMessage: There is no recipient, one mailbox is asked for in two ways, or
            notifications are to be sent to the null reverse path.
    """

    reverse_path: str | None
    recipients: tuple[str, ...] = field(converter=_check_recipients)
    options: EnvelopeOptions = _NO_OPTIONS
    requests: tuple[Recipient, ...] = field(default=(), converter=_check_requests)
    rules: AddressRules = field(default=DEFAULT_RULES, kw_only=True, eq=False, repr=False)
    sender_address: Address | None = field(init=False, eq=False, repr=False)
    recipient_addresses: tuple[Address, ...] = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        sender = (
            None
            if self.reverse_path is None
            else parse_address(self.reverse_path, field="reverse path", rules=self.rules)
        )
        unique: dict[tuple[str, str], Address] = {}
        asking = list(self.requests)
        rules = self.rules
        check_rules(rules)
        for item in self.recipients:
            if isinstance(item, Recipient):
                address = item.mailbox
                asking.append(item)
                rules = rules.with_those_of(item.rules)
            else:
                address = parse_address(item, field="recipient", rules=self.rules)
            unique.setdefault(address.identity, address)
        if not unique:
            raise InvalidMessage(
                "the message has no recipient",
                advice="Name at least one address in to, cc or bcc, or in the envelope",
            )
        object.__setattr__(self, "rules", rules)
        object.__setattr__(self, "reverse_path", sender and sender.text)
        object.__setattr__(self, "sender_address", sender)
        object.__setattr__(self, "recipient_addresses", tuple(unique.values()))
        object.__setattr__(self, "recipients", tuple(a.text for a in unique.values()))
        object.__setattr__(self, "requests", _requests(asking, unique) if asking else ())
        if self.asks:
            _check_options(self)

    def to_one(self, recipient: Address) -> Envelope:
        """The same for another recipient, who asks for nothing of their own.

        Nothing is checked again, so that the envelopes of a mailing cost little.

        Args:
            recipient: by :func:`parse_address`, under the rules of this envelope.
        """
        made = object.__new__(type(self))
        for name, value in (
            ("reverse_path", self.reverse_path),
            ("recipients", (recipient.text,)),
            ("options", self.options),
            ("requests", ()),
            ("rules", self.rules),
            ("sender_address", self.sender_address),
            ("recipient_addresses", (recipient,)),
        ):
            object.__setattr__(made, name, value)
        return made

    @property
    def needs_smtputf8(self) -> bool:
        """Whether an address can only be sent with the SMTPUTF8 extension (RFC 6531 §3.2)."""
        sender = self.sender_address
        return (sender is not None and sender.needs_smtputf8) or any(
            address.needs_smtputf8 for address in self.recipient_addresses
        )

    @property
    def asks(self) -> bool:
        """Whether it may ask for anything: False at once for the many that do not."""
        return self.options is not _NO_OPTIONS or bool(self.requests)

    @property
    def asks_for_dsn(self) -> bool:
        """Whether something of it needs the extension DSN (RFC 3461)."""
        return bool(self.requests) or self.options.asks_for_dsn


def _requests(
    asking: Iterable[Recipient], mailboxes: Iterable[tuple[str, str]]
) -> tuple[Recipient, ...]:
    """What is asked for each mailbox, in the order of these."""
    found: dict[tuple[str, str], Recipient] = {}
    for recipient in asking:
        if not recipient.asks:
            continue
        first = found.setdefault(recipient.mailbox.identity, recipient)
        if (first.notify, first.original) != (recipient.notify, recipient.original):
            raise InvalidMessage(
                f"the recipient {recipient.address!a} is named twice and asks for different "
                "notifications",
                advice="Name each recipient once",
            )
    return tuple(found[mailbox] for mailbox in mailboxes if mailbox in found)


def _check_options(envelope: Envelope) -> None:
    if not isinstance(envelope.options, EnvelopeOptions):
        kind = type(envelope.options).__name__
        raise InvalidMessage(f"the options of an envelope are EnvelopeOptions, not {kind}")
    if envelope.reverse_path is None:
        asked = (envelope.options.notify, *(r.notify for r in envelope.requests))
        if any(notify not in {None, Notify.NEVER} for notify in asked):
            # RFC 3461 §5.2: for such a message no notification is ever sent.
            raise InvalidMessage(
                "notifications are asked for, and the null reverse path takes none",
                advice="Name the address that they go to as the reverse path, or ask for "
                "Notify.NEVER",
            )


@frozen
class Submission:
    """A message ready to be handed over.

    Raises:
        InvalidMessage: A part of it is of another type.

    Attributes:
        envelope: who it is from and for.
        content: the complete message, header section and body; line ends are CRLF and lines are
            not dot-stuffed.
        key: the caller's own name for it; its report carries the same.
    """

    envelope: Envelope
    content: bytes = field(repr=False)
    key: Hashable = None

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.envelope, Envelope):
            kind = type(self.envelope).__name__
            raise InvalidMessage(f"a submission needs an Envelope, not {kind}")
        if not isinstance(self.content, bytes | bytearray | memoryview):
            kind = type(self.content).__name__
            raise InvalidMessage(f"the content of a submission has to be bytes, not {kind}")
