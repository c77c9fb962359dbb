"""compose(): a message from its parts, as the standard library's ``EmailMessage``."""

from __future__ import annotations

import mimetypes
import os
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Final

from attrs import field, frozen

from mailsend.address import DEFAULT_RULES, AddressRules, parse_address
from mailsend.errors import InvalidMessage

_FIELD_NAME: Final = re.compile(r"[!-9;-~]+")
_CONTENT_TYPE: Final = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")
_CONTENT_ID: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.@-]+")
# compose() sets these from its own arguments; given again, they could contradict the envelope.
_OWN_FIELDS: Final = frozenset({
    "from", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id", "sender",
    "mime-version", "content-type", "content-transfer-encoding", "content-disposition",
})  # fmt: skip
_MAILBOX: Final = re.compile(r"(?P<name>[^<>]*?)\s*<(?P<address>[^<>]*)>")
_MAX_MAILBOX: Final = 998  # a line of the header section, RFC 5322 §2.1.1
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')


def _content_type(value: str | None) -> str | None:
    if value is not None and not (isinstance(value, str) and _CONTENT_TYPE.fullmatch(value)):
        raise InvalidMessage(f"{ascii(value)[:80]} is no content type such as image/png")
    return None if value is None else value.lower()


def _octets(value: bytes) -> bytes:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise InvalidMessage(
            f"the content of an attachment has to be bytes, not {type(value).__name__}"
        )
    return bytes(value)


def _file_name(value: str) -> str:
    _check_line("the name of an attachment", value)
    name = value.replace("\\", "/").rpartition("/")[2]
    if not name:
        raise InvalidMessage(f"{ascii(value)[:80]} is no file name for an attachment")
    if "=?" in name:
        # The standard library decodes an encoded word here, line ends in it included.
        raise InvalidMessage(
            f"the name of an attachment contains =?, which begins an encoded word: "
            f"{ascii(name)[:80]}",
            advice="Give the name itself; it is encoded as needed",
        )
    return name


@frozen
class Attachment:
    """Octets to send along.

    Attributes:
        content: the octets.
        filename: what the receiver sees; folders before it are cut off.
        content_type: such as ``application/pdf``; None guesses from the name.

    Raises:
        InvalidMessage: A name has control characters, or a type is none.
    """

    content: bytes = field(repr=False, converter=_octets)
    filename: str = field(converter=_file_name)
    content_type: str | None = field(default=None, converter=_content_type)

    @classmethod
    def from_path(cls, path: str | os.PathLike[str]) -> Attachment:
        """Read a file now.

        Raises:
            InvalidMessage: It cannot be read; the operating system's reason is the cause.
        """
        text = os.fspath(path) if isinstance(path, str | os.PathLike) else path
        _check_line("the path of an attachment", text)
        try:
            return cls(Path(text).read_bytes(), Path(text).name)
        except OSError as error:
            raise InvalidMessage(
                f"the attachment {text} cannot be read: {error.strerror}",
                advice="Check its path, and that this user may read it",
            ) from error

    @property
    def media_type(self) -> tuple[str, str]:
        """Main type and subtype."""
        guessed, encoding = mimetypes.guess_type(self.filename)
        kind = self.content_type or (None if encoding else guessed) or "application/octet-stream"
        main, _, sub = kind.partition("/")
        # A message or multipart type may not be base64-encoded (RFC 2046 §5), so it stays opaque.
        return (
            (main, sub) if main not in {"message", "multipart"} else ("application", "octet-stream")
        )


AttachmentSource = str | os.PathLike[str] | Attachment


def compose(
    *,
    sender: str,
    to: str | Iterable[str] = (),
    cc: str | Iterable[str] = (),
    bcc: str | Iterable[str] = (),
    subject: str = "",
    text: str | None = None,
    html: str | None = None,
    attachments: Iterable[AttachmentSource] = (),
    inline: Mapping[str, AttachmentSource] | None = None,
    reply_to: str | Iterable[str] = (),
    headers: Mapping[str, str] | None = None,
    rules: AddressRules = DEFAULT_RULES,
) -> EmailMessage:
    """Build a message with Date and a new Message-ID in the sender's domain.

    Args:
        sender: ``"ada@example.org"`` or ``"Ada <ada@example.org>"``.
        to: recipients, each written like `sender`; one string is one recipient.
        cc: recipients of a copy.
        bcc: recipients that nobody sees: they reach the envelope, never the octets.
        subject: one line.
        text: the plain text. With `html`, the alternative for those who do not show HTML.
        html: the HTML text.
        attachments: paths of files, read now, or :class:`Attachment` objects.
        inline: content id to image; ``<img src="cid:logo">`` in `html` shows the one under
            ``"logo"``. Needs `html`.
        reply_to: where answers go.
        headers: further header fields. Those that the other arguments set are refused.
        rules: which rare forms of addresses are taken; ``send()`` has to be given the same.

    Raises:
        InvalidAddress: An address cannot be used.
        InvalidMessage: There is no recipient, a field has a line end or another control
            character, or a file cannot be read.
    """
    message = EmailMessage(policy=SMTP)
    author = _mailbox("sender", sender, rules)
    fields = {
        "To": _mailboxes("to", to, rules),
        "Cc": _mailboxes("cc", cc, rules),
        "Bcc": _mailboxes("bcc", bcc, rules),
        "Reply-To": _mailboxes("reply_to", reply_to, rules),
    }
    if not (fields["To"] or fields["Cc"] or fields["Bcc"]):
        raise InvalidMessage(
            "the message has no recipient", advice="Name at least one in to, cc or bcc"
        )
    _check_line("subject", subject)
    message["From"] = author
    for name, mailboxes in fields.items():
        if mailboxes:
            message[name] = mailboxes
    message["Subject"] = subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=author.domain)
    if not isinstance(headers, Mapping | None) or not isinstance(inline, Mapping | None):
        raise InvalidMessage("headers and inline have to be mappings")
    if not isinstance(attachments, Iterable) or isinstance(attachments, str | bytes):
        raise InvalidMessage("attachments has to be a list of paths and Attachment objects")
    for name, value in (headers or {}).items():
        _add_header(message, name, value)
    _add_bodies(message, text, html, inline or {})
    for source in attachments:
        attachment = _as_attachment(source)
        main, sub = attachment.media_type
        message.add_attachment(
            attachment.content, maintype=main, subtype=sub, filename=attachment.filename
        )
    return message


def _add_bodies(
    message: EmailMessage,
    text: str | None,
    html: str | None,
    inline: Mapping[str, AttachmentSource],
) -> None:
    for name, body in (("text", text), ("html", html)):
        if body is not None and not isinstance(body, str):
            raise InvalidMessage(f"{name} has to be a string, not {type(body).__name__}")
        if body is not None and ("\0" in body or any(0xD800 <= ord(c) < 0xE000 for c in body)):
            raise InvalidMessage(f"{name} contains a NUL or a lone surrogate")
    if inline and html is None:
        raise InvalidMessage("inline images are given without html to show them in")
    if html is None:
        message.set_content(text or "")
    elif text is None:
        message.set_content(html, subtype="html")
        _add_images(message, inline)
    else:
        message.set_content(text)
        message.add_alternative(html, subtype="html")
        alternatives = list(message.iter_parts())
        html_part = alternatives[-1]
        assert isinstance(html_part, EmailMessage)  # noqa: S101 - add_alternative() makes one
        _add_images(html_part, inline)


def _add_images(part: EmailMessage, inline: Mapping[str, AttachmentSource]) -> None:
    for content_id, source in inline.items():
        usable = isinstance(content_id, str) and _CONTENT_ID.fullmatch(content_id)
        if not usable or "=?" in content_id:
            raise InvalidMessage(
                f"{ascii(content_id)[:80]} cannot be the content id of an inline image"
            )
        image = _as_attachment(source)
        main, sub = image.media_type
        part.add_related(
            image.content,
            maintype=main,
            subtype=sub,
            cid=f"<{content_id}>",
            filename=image.filename,
            disposition="inline",
        )


def _add_header(message: EmailMessage, name: str, value: str) -> None:
    if not isinstance(name, str) or not _FIELD_NAME.fullmatch(name):
        raise InvalidMessage(f"{ascii(name)[:80]} is no name of a header field")
    if name.lower() in _OWN_FIELDS or name.lower().startswith("resent-"):
        raise InvalidMessage(f"the header field {name} is not set through `headers`")
    _check_line(f"the header field {name}", value)
    message[name] = value


def _as_attachment(source: AttachmentSource) -> Attachment:
    return source if isinstance(source, Attachment) else Attachment.from_path(source)


def _mailboxes(
    name: str, given: str | Iterable[str], rules: AddressRules
) -> tuple[HeaderAddress, ...]:
    if not isinstance(given, Iterable):
        raise InvalidMessage(f"{name} has to be an address or a list, not {type(given).__name__}")
    listed = (given,) if isinstance(given, str) else given
    return tuple(_mailbox(name, one, rules) for one in listed)


def _mailbox(name: str, text: str, rules: AddressRules) -> HeaderAddress:
    """Read ``ada@example.org`` or ``Ada <ada@example.org>``; exactly one, nothing guessed."""
    _check_line(name, text)
    if len(text) > _MAX_MAILBOX:
        raise InvalidMessage(f"{name} has more than {_MAX_MAILBOX} characters")
    match = _MAILBOX.fullmatch(text)
    display, bare = (match["name"].strip(), match["address"]) if match else ("", text)
    if display.startswith('"'):
        quoted = _QUOTED.fullmatch(display)
        if quoted is None:
            raise InvalidMessage(f"{name} has a display name with odd quotes: {ascii(text)[:80]}")
        display = re.sub(r"\\(.)", r"\1", quoted[1])
    elif any(c in display for c in '",;:@()[]\\'):
        raise InvalidMessage(
            f"{name} has a display name that needs quotes, or several addresses in one string: "
            f"{ascii(text)[:80]}",
            advice='Write "Lovelace, Ada" <ada@example.org>, and several addresses as a list',
        )
    address = parse_address(bare, field=name, rules=rules)
    # With A-labels the message needs no SMTPUTF8 for the sake of a domain alone.
    return HeaderAddress(display, address.local_part, address.domain)


def _check_line(name: str, text: object) -> None:
    if not isinstance(text, str):
        raise InvalidMessage(f"{name} has to be a string, not {type(text).__name__}")
    # Controls, line and paragraph separators, bidi overrides and lone surrogates; not the soft
    # hyphen, joiners and the like, which are part of how languages are written.
    for c in text:
        code = ord(c)
        if (
            code < 32
            or 127 <= code < 160
            or 0x2028 <= code <= 0x202E
            or 0x2066 <= code <= 0x2069
            or 0xD800 <= code < 0xE000
        ):
            raise InvalidMessage(
                f"{name} contains the character U+{code:04X}",
                advice="Take out line ends and other control characters",
            )
