"""From an ``email.message`` object to an envelope and octets, with proof that they agree.

The standard library's generator has turned one recipient into two and one header into several in
each version mailsend runs on, so its output is read back before anything is sent.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Iterable
from email.errors import MessageDefect, NonASCIILocalPartDefect, ObsoleteHeaderDefect
from email.generator import BytesGenerator
from email.message import Message
from email.policy import Compat32, EmailPolicy, Policy
from email.policy import default as default_policy
from io import BytesIO
from typing import Any, Final, TypeAlias

from attrs import frozen

from mailsend.address import DEFAULT_RULES, AddressRules, parse_address
from mailsend.envelope import Envelope
from mailsend.errors import InvalidMessage

AnyMessage: TypeAlias = "Message[Any, Any]"

_ADDRESS_FIELDS: Final = frozenset({
    "from", "sender", "reply-to", "to", "cc", "bcc",
    "resent-from", "resent-sender", "resent-to", "resent-cc", "resent-bcc",
})  # fmt: skip
_BLIND: Final = frozenset({"bcc", "resent-bcc"})
# The generator sets these anew where it has to re-encode a part for a seven-bit path.
_REWRITTEN: Final = frozenset({"content-type", "content-transfer-encoding", "mime-version"})
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_FOLD: Final = re.compile(r"\r?\n(?=[ \t])")
_ROUTE: Final = re.compile(r"<\s*@")
_FIELD: Final = re.compile(rb"([!-9;-~]+):((?:[^\r\n]|\r\n[ \t])*)\r\n")


@frozen
class ParsedMessage:
    """A message with its address fields read once. Made by :func:`parse`.

    Attributes:
        message: the caller's object, untouched.
        fields: field name in lower case, and the bare addresses it names, for each address field
            in order.
        rules: which rare forms of addresses were taken.
    """

    message: AnyMessage
    fields: tuple[tuple[str, tuple[str, ...]], ...]
    rules: AddressRules = DEFAULT_RULES

    def addresses(self, *names: str) -> tuple[str, ...]:
        """The addresses of these fields, in the message's order."""
        return tuple(a for name, found in self.fields if name in names for a in found)

    @property
    def needs_smtputf8(self) -> bool:
        """Whether a visible address has characters that only RFC 6532 header fields can carry."""
        return any(not a.isascii() for name, f in self.fields for a in f if name not in _BLIND)


def parse(message: AnyMessage, rules: AddressRules = DEFAULT_RULES) -> ParsedMessage:
    """Read the address fields of a message.

    Args:
        message: the message.
        rules: which rare forms of addresses are taken.

    Raises:
        InvalidMessage: It is no message, or an address field cannot be read without a guess.
    """
    if not isinstance(message, Message):
        raise InvalidMessage(
            f"expected an email.message.EmailMessage, not {type(message).__name__}",
            advice="Build one with compose(), or use send_raw(envelope, content) for bytes",
        )
    return ParsedMessage(
        message,
        tuple(
            (name.lower(), _addresses_in(name, value, rules))
            for name, value in message.raw_items()
            if name.lower() in _ADDRESS_FIELDS
        ),
        rules,
    )


def _addresses_in(name: str, value: Any, rules: AddressRules) -> tuple[str, ...]:
    text = value if isinstance(value, str) else str(value)
    try:
        header: Any = default_policy.header_fetch_parse(name, text)  # an AddressHeader
        defects = [d for d in header.defects if not _is_harmless(d)]
        found = tuple(address.addr_spec for address in header.addresses)
        unfolded = _FOLD.sub("", text)
    except Exception as error:
        # The parser of the standard library fails in many ways on input made to hurt it.
        raise InvalidMessage(f"the field {name} cannot be read: {ascii(text)[:80]}") from error
    # What does not stand there letter by letter was put together from an obsolete form.
    literal = not _ROUTE.search(unfolded) and all(address in unfolded for address in found)
    if defects or not literal or any(ord(c) < 32 for c in unfolded.replace("\t", " ")):
        raise InvalidMessage(
            f"the field {name} has no clear meaning: {ascii(text)[:80]}",
            advice='Write each address as ada@example.org or "Ada" <ada@example.org>, with commas '
            "between them",
        ) from (defects[0] if defects else None)
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

    The sender is Sender, or From if there is no Sender; recipients are To, Cc and Bcc. Where the
    message has been resent, the Resent- fields stand in their place (RFC 5322 §3.6.6).

    Raises:
        InvalidMessage: Sender or recipients are missing, or cannot be told.
    """
    prefix = "resent-" if any(name.startswith("resent-") for name, _ in parsed.fields) else ""
    names = [name for name, _ in parsed.fields]
    if names.count(f"{prefix}from") > 1 or names.count(f"{prefix}sender") > 1:
        raise InvalidMessage(
            f"the message has more than one {prefix}from or {prefix}sender field",
            advice="Pass an envelope of your own: send(message, envelope=Envelope(...))",
        )
    senders = parsed.addresses(f"{prefix}sender") or parsed.addresses(f"{prefix}from")
    if len(senders) != 1:
        raise InvalidMessage(
            "the message has no From address"
            if not senders
            else "the message is from several people, and no Sender field says who sends it",
            advice="Set From, and Sender if From names several",
        )
    recipients = parsed.addresses(f"{prefix}to", f"{prefix}cc", f"{prefix}bcc")
    return Envelope(senders[0], recipients, rules=parsed.rules)


def render(parsed: ParsedMessage, *, eight_bit: bool, utf8: bool) -> bytes:
    """The message's octets, without Bcc, checked against what the message says.

    Args:
        parsed: the message.
        eight_bit: leave eight-bit parts as they are; else they are encoded for a seven-bit path.
        utf8: write header fields in UTF-8 (RFC 6532) instead of encoded words.

    Raises:
        InvalidMessage: It cannot be written, or what was written says something else.
    """
    bare = _apart(parsed.message)
    del bare["Bcc"]
    del bare["Resent-Bcc"]
    output = BytesIO()
    try:
        policy = _wire_policy(bare.policy, eight_bit=eight_bit, utf8=utf8)
        _CheckedGenerator(output, mangle_from_=False, policy=policy).flatten(bare)
    except InvalidMessage:
        raise
    except Exception as error:
        # Charsets, surrogates, header values: the generator has no error class of its own.
        raise InvalidMessage(
            f"the message cannot be written as octets: {type(error).__name__}: {ascii(error)[:120]}"
        ) from error
    content = output.getvalue()
    _check_header_section(content, bare, parsed)
    _check_boundaries(content, parsed.message)
    return content


class _CheckedGenerator(BytesGenerator):
    """Refuses to write a header field, of the message or of any part, that is not exactly one."""

    def _write_headers(self, msg: AnyMessage) -> None:
        policy: Any = self.policy  # set by flatten()
        output: Any = self._fp  # type: ignore[attr-defined]  # the base class's own output
        for name, value in msg.raw_items():
            folded = policy.fold_binary(name, value)
            match = _FIELD.fullmatch(folded)
            if match is None or match[1] != name.encode("ascii", "replace"):
                raise _not_as_asked(f"more or less than the one field {ascii(name)[:40]}")
            if _CONTROL.search(folded):
                raise _not_as_asked(f"a control character in the field {ascii(name)[:40]}")
            output.write(folded)
        output.write(b"\r\n")


def _apart(message: AnyMessage) -> AnyMessage:
    """A copy that shares texts but no part: the generator gives parts their boundaries."""
    copied = copy.copy(message)
    if message.is_multipart():
        parts: Any = message.get_payload()
        copied.set_payload([_apart(part) for part in parts])
    return copied


def _wire_policy(policy: Policy[Any], *, eight_bit: bool, utf8: bool) -> Policy[Any]:
    settings: dict[str, Any] = {"linesep": "\r\n", "cte_type": "8bit" if eight_bit else "7bit"}
    if isinstance(policy, EmailPolicy):
        # Folding is where the generator loses quotes and encodes identifiers (gh-80222), so lines
        # are folded only where RFC 5322 §2.1.1 demands it.
        return policy.clone(**settings, utf8=utf8, max_line_length=998)
    if utf8:
        raise InvalidMessage(
            "an internationalised address cannot be written by the policy of this message",
            advice="Build it as email.message.EmailMessage, or with compose()",
        )
    if isinstance(policy, Compat32):
        return policy.clone(**settings)
    return policy.clone(linesep="\r\n")


def _check_boundaries(content: bytes, message: AnyMessage) -> None:
    """See that no text has a line which, by a boundary that was set by hand, ends its part.

    Args:
        content: what was written.
        message: the caller's own object, in which the generator has set no boundary.
    """
    for part in message.walk():
        boundary = part.get_boundary() if part.is_multipart() else None
        if boundary is None:
            continue  # no multipart, or one whose boundary the generator chose
        delimiter = b"\r\n--" + boundary.encode("ascii", "replace")
        parts = part.get_payload()
        if content.count(delimiter) > len(parts) + 1:
            line = re.compile(re.escape(delimiter) + rb"(?:--)?[ \t]*(?=\r\n|\Z)")
            if len(line.findall(content)) > len(parts) + 1:
                raise _not_as_asked(f"a part with the boundary {ascii(boundary)[:40]} in its text")


def _check_header_section(content: bytes, bare: AnyMessage, parsed: ParsedMessage) -> None:
    end = content.find(b"\r\n\r\n")
    section = content[: end + 2] if end >= 0 else content
    written = []
    position = 0
    while position < len(section):
        match = _FIELD.match(section, position)
        if match is None:
            raise _not_as_asked("a line that is no header field")
        written.append((match[1].decode("ascii").lower(), match[2].replace(b"\r\n", b"").strip()))
        position = match.end()
    asked = [name.lower() for name in bare.keys()]  # noqa: SIM118 - not a dict
    if _countable(asked) != _countable(name for name, _ in written):
        raise _not_as_asked("other fields than the message")
    texts = [
        (name.lower(), value) for name, value in bare.raw_items() if name.lower() in _ADDRESS_FIELDS
    ]
    intended = [found for name, found in parsed.fields if name not in _BLIND]
    octets = [(name, value) for name, value in written if name in _ADDRESS_FIELDS]
    for (name, source), found, (_, value) in zip(texts, intended, octets, strict=True):
        text = value.decode("utf-8", "replace")
        # What reads the same as it was given, and was understood then, needs no second reading.
        if (text != source or "=?" in text) and _addresses_in(name, text, parsed.rules) != found:
            raise _not_as_asked(f"other addresses in {name} than the message has")


def _countable(names: Iterable[str]) -> Counter[str]:
    return Counter(name for name in names if name not in _REWRITTEN)


def _not_as_asked(what: str) -> InvalidMessage:
    return InvalidMessage(
        f"written as octets, the header section has {what}",
        advice="A header field holds a line end or an address list that the standard library "
        "writes wrongly; build the message with compose(), or shorten the display names",
    )
