"""The envelope: who sends and who receives, apart from what the headers say (RFC 5321 §2.3.1)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from attrs import field, frozen

from mailsend.address import DEFAULT_RULES, Address, AddressRules, parse_address
from mailsend.errors import InvalidMessage


def _check_recipients(recipients: Iterable[str]) -> tuple[str, ...]:
    if isinstance(recipients, str | bytes):
        raise InvalidMessage(
            "the recipients of an envelope are a list of addresses, not one string",
            advice="Write [address] for a single recipient",
        )
    if not isinstance(recipients, Iterable):
        raise InvalidMessage(f"the recipients are no list but {type(recipients).__name__}")
    return tuple(recipients)


@frozen
class Envelope:
    """One reverse path and at least one recipient, each checked.

    Attributes:
        reverse_path: address that bounces go to, or None for the null reverse path ``<>`` of
            notifications that must never bounce (RFC 5321 §4.5.5).
        recipients: addresses as given, in order; a mailbox that is named twice is kept once, in
            the spelling that came first. Two spellings are the same mailbox as
            :attr:`Address.identity` has it.
        rules: which rare forms of addresses are taken. Envelopes are equal or not by their
            addresses alone.

    Raises:
        InvalidAddress: One of them cannot be used.
        InvalidMessage: There is no recipient.
    """

    reverse_path: str | None
    recipients: tuple[str, ...] = field(converter=_check_recipients)
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
        for text in self.recipients:
            address = parse_address(text, field="recipient", rules=self.rules)
            unique.setdefault(address.identity, address)
        if not unique:
            raise InvalidMessage(
                "the message has no recipient",
                advice="Name at least one address in to, cc or bcc, or in the envelope",
            )
        object.__setattr__(self, "sender_address", sender)
        object.__setattr__(self, "recipient_addresses", tuple(unique.values()))
        object.__setattr__(self, "recipients", tuple(a.text for a in unique.values()))

    @property
    def needs_smtputf8(self) -> bool:
        """Whether an address can only be sent with the SMTPUTF8 extension (RFC 6531 §3.2)."""
        sender = self.sender_address
        return (sender is not None and sender.needs_smtputf8) or any(
            address.needs_smtputf8 for address in self.recipient_addresses
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
