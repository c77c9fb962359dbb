"""Reading a message: its address fields, and the envelope that they ask for."""

from __future__ import annotations

import re
from email.errors import MessageDefect, NonASCIILocalPartDefect, ObsoleteHeaderDefect
from email.message import Message
from typing import Any, Final, TypeAlias

from attrs import field, frozen

from mailsend.address import DEFAULT_RULES, AddressRules, parse_address
from mailsend.content import with_crlf
from mailsend.envelope import Envelope
from mailsend.errors import InvalidMessage
from mailsend.message.address_list import read_address_list
from mailsend.message.header_section import hides_line_end, read_header_section

AnyMessage: TypeAlias = "Message[Any, Any]"

ADDRESS_FIELDS: Final = frozenset({
    "from", "sender", "reply-to", "to", "cc", "bcc",
    "resent-from", "resent-sender", "resent-to", "resent-cc", "resent-bcc",
})  # fmt: skip
BLIND: Final = frozenset({"bcc", "resent-bcc"})

_RESENT: Final = "resent-"
_END_OF_SECTION: Final = re.compile(rb"(?:\A|\n)\r?\n")


@frozen
class AddressField:
    """An address field of a message.

    Attributes:
        name: in lower case.
        addresses: the bare addresses that it names.
        block: 0, or for a Resent- field which of the blocks of those it is in, from 1 at the top.
        text: the value that was read.
    """

    name: str
    addresses: tuple[str, ...]
    block: int = 0
    text: str = field(default="", repr=False)


@frozen
class ParsedMessage:
    """A message with its address fields read once. Made by :func:`parse`.

    Attributes:
        message: the caller's object, untouched; of octets, the same with every line end CRLF.
        fields: the address fields, in order.
        leads_with_resent: whether a Resent- field is the first of all fields.
        rules: which rare forms of addresses were taken.
    """

    message: AnyMessage | bytes
    fields: tuple[AddressField, ...]
    leads_with_resent: bool = False
    rules: AddressRules = DEFAULT_RULES

    @property
    def needs_smtputf8(self) -> bool:
        """Whether a visible address has characters that only RFC 6532 header fields can carry."""
        return any(not a.isascii() for f in self.fields for a in f.addresses if f.name not in BLIND)


def parse(message: AnyMessage | bytes, rules: AddressRules = DEFAULT_RULES) -> ParsedMessage:
    """Read the address fields of a message.

    Args:
        message: an ``email.message`` object, or the octets of a complete message, which are kept
            as they are. Their header section has to be one that may be generated today
            (RFC 5322 §3), with line ends of one kind: CRLF or LF.
        rules: which rare forms of addresses are taken.

    Raises:
        InvalidMessage: It is no message, or a field cannot be read without a guess.
        InvalidAddress: A field names something that is no address.
    """
    if isinstance(message, bytes | bytearray | memoryview):
        return _parse_octets(bytes(message), rules)
    if not isinstance(message, Message):
        raise InvalidMessage(
            f"expected an email.message.EmailMessage or bytes, not {type(message).__name__}",
            advice="Build one with compose(), or give the octets of a complete message",
        )
    return _parsed(message, list(message.raw_items()), rules)


def _parse_octets(given: bytes, rules: AddressRules) -> ParsedMessage:
    end = _END_OF_SECTION.search(given)
    section = given if end is None else given[: end.end()]
    _check_line_ends(section)
    octets = with_crlf(given)
    if end is None and not octets.endswith(b"\r\n"):
        octets += b"\r\n"  # as every line has one in the end
    items: list[tuple[str, Any]] = []
    for one in read_header_section(octets).fields:
        try:
            items.append((one.name, one.value.decode("utf-8")))
        except UnicodeDecodeError as error:
            raise InvalidMessage(f"the field {one.name} is not UTF-8 (RFC 6532 §3.2)") from error
    return _parsed(octets, items, rules)


def _check_line_ends(section: bytes) -> None:
    """Only a mixture lets two readers see different fields: none is guessed to be meant."""
    pairs = section.count(b"\r\n")
    if section.count(b"\r") != pairs or (pairs and section.count(b"\n") != pairs):
        raise InvalidMessage(
            "the header section mixes line ends, so that a field of one reader may be two of "
            "another",
            advice="Take CR and LF out of the values of header fields, and end all lines alike",
        )


def _parsed(
    message: AnyMessage | bytes, items: list[tuple[str, Any]], rules: AddressRules
) -> ParsedMessage:
    if not items:
        raise InvalidMessage(
            "the message has no header fields",
            advice="Build one with compose(), or give the octets of a complete message",
        )
    blocks = _resent_blocks([name.lower() for name, _ in items])
    fields = tuple(
        AddressField(name.lower(), addresses_in(name, value, rules), block, str(value))
        for (name, value), block in zip(items, blocks, strict=True)
        if name.lower() in ADDRESS_FIELDS
    )
    leads = bool(blocks and blocks[0])
    return ParsedMessage(message, fields, leads_with_resent=leads, rules=rules)


def _resent_blocks(names: list[str]) -> list[int]:
    """For each field its block of Resent- fields, or 0.

    The fields of one resending are grouped together (RFC 5322 §3.6.6), so where one comes again, a
    block ends with the first other field, or with the first that it has already.
    """
    resent = [name for name in names if name.startswith(_RESENT)]
    if len(set(resent)) == len(resent):
        return [int(name.startswith(_RESENT)) for name in names]
    block = 0
    current: set[str] = set()
    numbers = []
    for name in names:
        if not name.startswith(_RESENT):
            current.clear()
            numbers.append(0)
            continue
        if not current or name in current:
            block += 1
            current = set()
        current.add(name)
        numbers.append(block)
    return numbers


def addresses_in(name: str, value: Any, rules: AddressRules = DEFAULT_RULES) -> tuple[str, ...]:
    """The addresses that a field's value names.

    Args:
        name: of the field.
        value: text, or a header object of the standard library. Where that has parsed the value
            itself, both readings have to be the same.
        rules: which rare forms of addresses are taken.

    Raises:
        InvalidMessage: It has no single meaning.
        InvalidAddress: It names something that is no address.
    """
    defects = [d for d in getattr(value, "defects", ()) if not _is_harmless(d)]
    try:
        text = value if isinstance(value, str) else str(value)
        theirs = [address.addr_spec for address in getattr(value, "addresses", ())]
    except Exception as error:
        # What the standard library makes of input that was made to hurt it has no error class.
        raise InvalidMessage(f"the field {name} cannot be read") from error
    if defects:
        raise InvalidMessage(
            f"the field {name} has no clear meaning, {defects[0]}: {ascii(text)[:80]}",
            advice='Write each address as ada@example.org or "Ada" <ada@example.org>, with commas '
            "between them",
        ) from defects[0]
    if hides_line_end(text.encode("utf-8", "surrogatepass")):
        raise InvalidMessage(
            f"the field {name} has a line end in an encoded word: {ascii(text)[:80]}",
            advice="Take CR and LF out of display names",
        )
    found = read_address_list(text, name=name)
    if hasattr(value, "addresses") and list(found) != theirs:
        raise InvalidMessage(
            f"the field {name} names other addresses than email.message read: {ascii(text)[:80]}",
            advice="Build the message with compose(), or write the addresses without comments",
        )
    for address in found:
        parse_address(address, field=name, rules=rules)
    return found


def _is_harmless(defect: MessageDefect) -> bool:
    """Internationalised local parts (RFC 6532), and dots in display names (RFC 5322 §4.1).

    The parser has one class for all obsolete forms, of which the others change an address.
    """
    return isinstance(defect, NonASCIILocalPartDefect) or (
        isinstance(defect, ObsoleteHeaderDefect) and str(defect) == "period in 'phrase'"
    )


def envelope_of(parsed: ParsedMessage) -> Envelope:
    """The envelope that a message's own fields ask for.

    The sender is Sender, or From if there is no Sender; recipients are To, Cc and Bcc, of every
    such field. Where the message has been resent, the Resent- fields stand in their place. Of
    several resendings the most recent one counts, which stands first (RFC 5322 §3.6.6): that can
    be told only of octets that begin with it, since ``email.message`` adds fields at the end.

    Raises:
        InvalidMessage: Sender or recipients are missing, or cannot be told.
    """
    blocks = sorted({one.block for one in parsed.fields if one.block})
    by_order = parsed.leads_with_resent and isinstance(parsed.message, bytes)
    if len(blocks) > 1 and not (by_order and blocks[0] == 1):
        raise InvalidMessage(
            "the message has been resent more than once, and which Resent- fields are the last "
            "ones cannot be told",
            advice="Pass an envelope of your own: send(message, envelope=Envelope(...))",
        )
    prefix, block = (_RESENT, blocks[0]) if blocks else ("", 0)
    fields = [one for one in parsed.fields if one.block == block]
    names = [one.name for one in fields]
    if names.count(f"{prefix}from") > 1 or names.count(f"{prefix}sender") > 1:
        raise InvalidMessage(
            f"the message has more than one {prefix}from or {prefix}sender field",
            advice="Pass an envelope of your own: send(message, envelope=Envelope(...))",
        )
    senders = _named(fields, f"{prefix}sender") or _named(fields, f"{prefix}from")
    if len(senders) != 1:
        raise InvalidMessage(
            f"the message has no {prefix.title()}From address"
            if not senders
            else "the message is from several people, and no Sender field says who sends it",
            advice="Set From, and Sender if From names several",
        )
    recipients = _named(fields, f"{prefix}to", f"{prefix}cc", f"{prefix}bcc")
    return Envelope(senders[0], recipients, rules=parsed.rules)


def _named(fields: list[AddressField], *names: str) -> tuple[str, ...]:
    return tuple(a for one in fields if one.name in names for a in one.addresses)
