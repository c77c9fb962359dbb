"""A whole message that is sent along with another (RFC 2046 §5.2.1)."""

from __future__ import annotations

import email
import re
from email.generator import BytesGenerator
from email.message import EmailMessage, Message
from email.policy import SMTP, EmailPolicy, Policy
from io import BytesIO
from typing import Any, Final

from attrs import field, frozen

from mailsend.composition.attachment import optional_file_name
from mailsend.composition.header_fields import ParametersField, SourceField
from mailsend.composition.mime_parts import part
from mailsend.content import prepare
from mailsend.errors import InvalidMessage

_FIELD: Final = re.compile(rb"[!-9;-~]+[ \t]*:")
_SOURCE_FIELD: Final = re.compile(r"([!-9;-~]+):((?:[ -~\t]|\r\n[ \t])*)\r\n")
_ODD: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\A[^:]*\s")
_BLIND: Final = re.compile(rb"^(?:resent-)?bcc[ \t]*:", re.IGNORECASE | re.MULTILINE)


def _message_octets(value: bytes | Message[Any, Any]) -> bytes:
    octets = _written(value) if isinstance(value, Message) else value
    if not isinstance(octets, bytes | bytearray | memoryview):
        raise InvalidMessage(
            f"a forwarded message has to be bytes or an email.message.EmailMessage, "
            f"not {type(octets).__name__}"
        )
    given = bytes(octets)
    checked = prepare(given)
    if not _FIELD.match(checked.data):
        raise InvalidMessage("the forwarded message does not begin with a header field")
    if checked.eight_bit_header:
        raise InvalidMessage(
            "the forwarded message has eight-bit octets in its header section, which "
            "message/rfc822 may not have (RFC 2046 §5.2.1)",
            advice='Attach it as a file: Attachment(octets, "message.eml")',
        )
    header, _, _ = checked.data.partition(b"\r\n\r\n")
    if _BLIND.search(header):
        raise InvalidMessage(
            "the forwarded message has a Bcc field, which would show who got a blind copy",
            advice="Take the field out before you forward the message",
        )
    # The CRLF before the next boundary is the boundary's (RFC 2046 §5.1.1), so no line end is due.
    return checked.data if given.endswith((b"\n", b"\r")) else checked.data[:-2]


def _written(message: Message[Any, Any]) -> bytes:
    policy: Policy[Any] = message.policy
    if isinstance(policy, EmailPolicy):
        # What it was read from stays as it is.
        policy = policy.clone(refold_source="none", max_line_length=998)
    output = BytesIO()
    try:
        BytesGenerator(
            output, mangle_from_=False, policy=policy.clone(linesep="\r\n", cte_type="8bit")
        ).flatten(message)
    except InvalidMessage:
        raise
    except Exception as error:
        # The generator has no error class of its own.
        raise InvalidMessage(
            f"the forwarded message cannot be written as octets: {type(error).__name__}"
        ) from error
    return output.getvalue()


@frozen
class ForwardedMessage:
    """A whole message to send along, as message/rfc822: its octets reach the receiver unchanged.

    Nothing but line ends is brought into the form they have in mail, CRLF. Such an entity may not
    be encoded (RFC 2046 §5.2.1). If it has eight-bit octets, they are unchanged where the server
    takes them (8BITMIME, RFC 6152), and elsewhere the texts inside it are encoded, as RFC 6152 §3
    asks for.

    Attributes:
        content: the message's octets, or an ``email.message.Message``, which is written now.
        filename: what the receiver sees as a file name; None gives none.

    Raises:
        InvalidMessage: It has a Bcc field, eight-bit octets in its header section, or lines of
            more than 998 octets, contains a NUL, or is no message; or it has eight-bit octets and
            a form that the standard library would change in writing it.
    """

    content: bytes = field(repr=False, converter=_message_octets)
    filename: str | None = field(default=None, converter=optional_file_name)

    def __attrs_post_init__(self) -> None:
        if not self.content.isascii():
            self.as_part()

    def as_part(self) -> EmailMessage:
        """A MIME entity of it, without a disposition."""
        kind = ParametersField.of("Content-Type", "message/rfc822")
        if self.content.isascii():
            # As text it is written letter by letter.
            entity = _Enclosed(policy=SMTP)
            entity["Content-Type"] = kind
            entity["Content-Transfer-Encoding"] = "7bit"
            entity.set_payload(self.content.decode("ascii"))
            return entity
        inner = email.message_from_bytes(self.content, policy=SMTP)
        if _written(inner) != self.content:
            inner = _with_source_fields(inner, self.content)
        if _written(inner) != self.content or _has_odd_fields(inner):
            raise InvalidMessage(
                "the forwarded message has eight-bit octets and an unusual form, so that it "
                "cannot be forwarded unchanged",
                advice='Attach it as a file: Attachment(octets, "message.eml")',
            )
        return part(kind, "8bit", [inner])


def _has_odd_fields(message: EmailMessage) -> bool:
    return any(
        _ODD.search(f"{name}:{value}") for one in message.walk() for name, value in one.raw_items()
    )


def _with_source_fields(message: EmailMessage, octets: bytes) -> EmailMessage:
    """The message with header fields that write themselves as they were, ``Subject:x`` included."""
    header, _, _ = octets.partition(b"\r\n\r\n")
    fields = _SOURCE_FIELD.findall(header.decode("ascii") + "\r\n")
    for name in set(message):
        del message[name]
    for name, value in fields:
        message[name] = SourceField(value, name=name)
    return message


class _Enclosed(EmailMessage):
    """An entity of a message as text, of which the message can be had as of any other."""

    # Its overloads say no more than Any does.
    def get_payload(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, i: Any = None, decode: Any = False
    ) -> Any:
        whole: Any = super().get_payload(None, decode)
        return email.message_from_string(whole, policy=SMTP) if i == 0 and not decode else whole
