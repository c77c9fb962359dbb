"""Writing a message: its octets, by the standard library's generator, watched at each field."""

from __future__ import annotations

import copy
import re
from email.generator import BytesGenerator
from email.header import Header
from email.policy import Compat32, EmailPolicy, Policy
from io import BytesIO
from typing import Any, Final

from mailsend.content import with_crlf
from mailsend.errors import CapabilityError, InvalidMessage
from mailsend.message.header_section import read_header_section
from mailsend.message.reading import BLIND, AnyMessage, ParsedMessage
from mailsend.message.transfer import fit
from mailsend.message.verification import not_as_asked, verify

_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_FIELD: Final = re.compile(rb"([!-9;-~]+):((?:[^\r\n]++|\r\n[ \t])*+)\r\n")
_MAX_DEPTH: Final = 100  # of parts in parts


def render(parsed: ParsedMessage, *, eight_bit: bool, utf8: bool) -> bytes:
    """The message's octets, without Bcc, verified against what the message says.

    Octets that the caller gave stay as they are: their line ends are CRLF, and the fields Bcc and
    Resent-Bcc are cut out, nothing else.

    Args:
        parsed: the message.
        eight_bit: leave eight-bit parts as they are; else they are encoded for a seven-bit path.
        utf8: write header fields in UTF-8 (RFC 6532) instead of encoded words.

    Raises:
        InvalidMessage: It cannot be written, or what was written says something else.
        CapabilityError: It needs an eight-bit path, and has a part that must not be encoded.
    """
    if isinstance(parsed.message, bytes):
        return _without_blind(parsed.message, eight_bit=eight_bit)
    output = BytesIO()
    try:
        bare = _apart(parsed.message)
        _leave_out_blind(bare)
        fit(bare, eight_bit=eight_bit)
        policy = wire_policy(bare.policy, eight_bit=eight_bit, utf8=utf8)
        _CheckedGenerator(output, mangle_from_=False, policy=policy).flatten(bare)
        content = with_crlf(output.getvalue())
        verify(content, bare, parsed)
    except (InvalidMessage, CapabilityError):
        raise
    except Exception as error:
        # Charsets, surrogates, header values: the generator has no error class of its own.
        raise InvalidMessage(
            f"the message cannot be written as octets: {type(error).__name__}: {ascii(error)[:120]}"
        ) from error
    return content


def _without_blind(octets: bytes, *, eight_bit: bool) -> bytes:
    kept = []
    position = 0
    for one in read_header_section(octets).fields:
        if one.name.lower() in BLIND:
            kept.append(octets[position : one.start])
            position = one.end
    content = b"".join([*kept, octets[position:]]) if kept else octets
    if not eight_bit and not content.isascii():
        raise CapabilityError(
            "the octets of the message are eight-bit, and the server does not offer 8BITMIME",
            advice="Encode its parts as quoted-printable or base64; send() does so by itself only "
            "for an email.message object, because it changes no octets that it is given",
        )
    return content


class _CheckedGenerator(BytesGenerator):
    """Refuses to write a header field, of the message or of any part, that is not exactly one."""

    def _write_headers(self, msg: AnyMessage) -> None:
        policy: Any = self.policy  # set by flatten()
        output: Any = self._fp  # type: ignore[attr-defined]  # the base class's own output
        for name, value in msg.raw_items():
            output.write(field_octets(name, value, policy))
        output.write(b"\r\n")

    def _write_lines(self, lines: str) -> None:
        # Line by line, as the base class does it, a large attachment takes several times as long.
        output: Any = self._fp  # type: ignore[attr-defined]  # the base class's own output
        output.write(with_crlf(lines.encode("ascii", "surrogateescape")))


def field_octets(name: str, value: Any, policy: Policy[Any]) -> bytes:
    """A header field as a policy writes it, seen to be exactly one.

    Raises:
        InvalidMessage: It is more or less than that, or has a control character.
    """
    folded = policy.fold_binary(name, value)
    match = _FIELD.fullmatch(folded)
    if match is None or match[1] != name.encode("ascii", "replace"):
        raise not_as_asked(f"more or less than the one field {ascii(name)[:40]}")
    if _CONTROL.search(folded):
        raise not_as_asked(f"a control character in the field {ascii(name)[:40]}")
    return folded


def _apart(message: AnyMessage, depth: int = 0) -> AnyMessage:
    """A copy that shares texts but no part: the generator gives parts their boundaries."""
    if depth > _MAX_DEPTH:
        raise InvalidMessage(f"the message has parts in parts, more than {_MAX_DEPTH} deep")
    copied = copy.copy(message)
    if message.is_multipart():
        parts: Any = message.get_payload()
        copied.set_payload([_apart(part, depth + 1) for part in parts])
    return copied


def _leave_out_blind(bare: AnyMessage) -> None:
    """Take Bcc out of a copy, and make text of octets that a parser found in its fields."""
    fields = list(bare.raw_items())
    for name in {name for name, _ in fields}:
        del bare[name]
    for name, value in fields:
        if name.lower() not in BLIND:
            bare.set_raw(name, _as_text(name, value, bare.policy))


def _as_text(name: str, value: Any, policy: Policy[Any]) -> Any:
    if not isinstance(value, str) or value.isascii() or hasattr(value, "name"):
        return value
    try:
        text = value.encode("utf-8", "surrogateescape").decode("utf-8")
    except UnicodeError as error:
        raise InvalidMessage(f"the field {name} is not UTF-8 (RFC 6532 §3.2)") from error
    if isinstance(policy, EmailPolicy):
        return policy.header_factory(name, "".join(text.splitlines()))
    return Header(text, "utf-8", header_name=name) if isinstance(policy, Compat32) else value


def wire_policy(policy: Policy[Any], *, eight_bit: bool, utf8: bool) -> Policy[Any]:
    """A message's policy as it is on the wire: line ends, transfer encodings, no needless folds."""
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
