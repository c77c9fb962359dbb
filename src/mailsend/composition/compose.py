"""compose(): a message from its parts, as the standard library's ``EmailMessage``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.message import EmailMessage, Message
from email.policy import SMTP
from email.utils import make_msgid
from typing import Final, TypeAlias, TypeVar

from mailsend.address import DEFAULT_RULES, AddressRules
from mailsend.composition.alternative import Alternative, CalendarInvitation
from mailsend.composition.attachment import Attachment, BinaryFile, FileSource, as_attachment
from mailsend.composition.forwarded_message import ForwardedMessage
from mailsend.composition.header_fields import HeaderField, MailboxesField, TextField, VerbatimField
from mailsend.composition.html_text import text_of_html
from mailsend.composition.list_unsubscribe import ListUnsubscribe
from mailsend.composition.mailbox import Mailbox
from mailsend.composition.message_fields import (
    AutoSubmitted,
    Priority,
    checked_date,
    chosen,
    further_field,
)
from mailsend.composition.message_fields import identifiers as identifiers_field
from mailsend.composition.message_fields import message_id as message_id_field
from mailsend.composition.mime_parts import (
    add_field,
    checked_text,
    disposed,
    identified,
    multipart,
    standard_field,
    text_part,
)
from mailsend.composition.one_line import check_line
from mailsend.errors import InvalidMessage

_CONTENT_ID: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.@-]{1,900}")

MailboxSource: TypeAlias = str | Mailbox
AttachmentSource: TypeAlias = FileSource | ForwardedMessage | EmailMessage
_Value = TypeVar("_Value")


def compose(
    *,
    sender: MailboxSource,
    authors: MailboxSource | Iterable[MailboxSource] = (),
    to: MailboxSource | Iterable[MailboxSource] = (),
    cc: MailboxSource | Iterable[MailboxSource] = (),
    bcc: MailboxSource | Iterable[MailboxSource] = (),
    reply_to: MailboxSource | Iterable[MailboxSource] = (),
    subject: str = "",
    text: str | None = None,
    html: str | None = None,
    text_from_html: bool = False,
    inline: Mapping[str, FileSource] | None = None,
    alternatives: Iterable[Alternative] = (),
    calendar: CalendarInvitation | None = None,
    attachments: Iterable[AttachmentSource] = (),
    in_reply_to: str | Iterable[str] = (),
    references: str | Iterable[str] = (),
    priority: Priority | str | None = None,
    auto_submitted: AutoSubmitted | str | None = None,
    list_unsubscribe: ListUnsubscribe | None = None,
    message_id: str | None = None,
    date: datetime | None = None,
    headers: Mapping[str, str] | None = None,
    rules: AddressRules = DEFAULT_RULES,
) -> EmailMessage:
    """Build a message that holds exactly what is given.

    What cannot stand in a message is refused; nothing is dropped or mended. Line ends of texts are
    the one exception: they become those of mail. The octets are ASCII with lines that every server
    takes, whatever it offers, unless a local part or a forwarded message has other octets.

    Args:
        sender: who sends it: ``"ada@example.org"``, ``"Ada <ada@example.org>"`` or a
            :class:`Mailbox`. It is the message's From, unless `authors` are given.
        authors: who wrote it, where that is not the sender alone: they are its From, and the
            sender is its Sender (RFC 5322 §3.6.2).
        to: recipients, each written like `sender`; one string is one recipient.
        cc: recipients of a copy.
        bcc: recipients that nobody sees: they reach the envelope, never the octets.
        reply_to: where answers go.
        subject: one line.
        text: the plain text. With `html`, the alternative for those who do not show HTML.
        html: the HTML text.
        text_from_html: make `text` from `html`; needs the extra ``mailsend[html-text]``.
        inline: content id to image; ``<img src="cid:logo">`` in `html` shows the one under
            ``"logo"``. Needs `html`.
        alternatives: further forms of the text, the best one last.
        calendar: an invitation, which comes last of all forms.
        attachments: paths of files and open files, read now; :class:`Attachment` objects; and
            whole messages, as ``EmailMessage`` or :class:`ForwardedMessage`.
        in_reply_to: the Message-ID of the message that this one answers, or several.
        references: the ids of the messages before it, the oldest first (RFC 5322 §3.6.4).
        priority: writes Importance and X-Priority.
        auto_submitted: whether a program sends it by itself; such mail is not to be answered.
        list_unsubscribe: how receivers get off the list it is sent to.
        message_id: ``<left@right>``; None makes a new one in the sender's domain.
        date: when it was written, with a time zone; None is now.
        headers: further header fields. Those that the other arguments set are refused.
        rules: which rare forms of addresses are taken; ``send()`` has to be given the same.

    Returns:
        The message; its header fields and parts can be read, and added to, as usual.

    Raises:
        ConfigurationError: `text_from_html` is set and its extra is not installed.
        InvalidAddress: An address cannot be used.
        InvalidMessage: There is no recipient, a field has a line end or another control
            character, a file cannot be read, or an argument has another form than stated; the
            error names it.
    """
    sent_by = _mailbox("sender", sender, rules)
    text = None if text is None else checked_text("text", text)
    html = None if html is None else checked_text("html", html)
    message = EmailMessage(policy=SMTP)
    mailboxes = {
        **_origin(sent_by, _mailboxes("authors", authors, rules)),
        "Reply-To": _mailboxes("reply_to", reply_to, rules),
        "To": _mailboxes("to", to, rules),
        "Cc": _mailboxes("cc", cc, rules),
        "Bcc": _mailboxes("bcc", bcc, rules),
    }
    if not (mailboxes["To"] or mailboxes["Cc"] or mailboxes["Bcc"]):
        raise InvalidMessage(
            "the message has no recipient", advice="Name at least one in to, cc or bcc"
        )
    for name, listed in mailboxes.items():
        if listed:
            add_field(message, MailboxesField.of(name, listed))
    add_field(message, TextField(check_line("subject", subject), name="Subject"))
    message["Date"] = datetime.now(UTC) if date is None else checked_date(date)
    fields = [
        message_id_field(
            make_msgid(domain=sent_by.parts.domain) if message_id is None else message_id
        ),
        *identifiers_field("in_reply_to", "In-Reply-To", in_reply_to),
        *identifiers_field("references", "References", references),
        *_marks(priority, auto_submitted),
        *_unsubscribing(list_unsubscribe),
    ]
    for field in fields:
        add_field(message, field)
    _add_further(message, headers)
    if not isinstance(inline, Mapping | None):
        raise InvalidMessage("inline has to be a mapping of content ids to images")
    if not isinstance(calendar, CalendarInvitation | None):
        raise InvalidMessage(
            f"calendar has to be a CalendarInvitation, not {type(calendar).__name__}"
        )
    body = _body(
        _plain_text(text, html, from_html=text_from_html),
        html,
        inline or {},
        _listed("alternatives", alternatives, Alternative),
        calendar,
    )
    files = [
        disposed(file.as_part(), "attachment", file.filename)
        for file in read_attachments(attachments)
    ]
    if calendar is not None and (invitation := calendar.as_file()) is not None:
        files.append(invitation)
    _fill(message, multipart("mixed", [body, *files]) if files else body)
    return message


def _origin(sender: Mailbox, authors: tuple[Mailbox, ...]) -> dict[str, tuple[Mailbox, ...]]:
    """From, and Sender where that would say more than From does (RFC 5322 §3.6.2)."""
    if not authors:
        return {"From": (sender,)}
    alone = len(authors) == 1 and authors[0].parts.identity == sender.parts.identity
    return {"From": authors, "Sender": () if alone else (sender,)}


def _add_further(message: EmailMessage, headers: Mapping[str, str] | None) -> None:
    if not isinstance(headers, Mapping | None):
        raise InvalidMessage("headers has to be a mapping of names to values")
    for name, value in (headers or {}).items():
        field = further_field(name, value)
        if name in message:
            raise InvalidMessage(
                f"the header field {name} is given twice",
                advice="Give it in `headers`, or by the argument of that name",
            )
        add_field(message, field)


def _fill(message: EmailMessage, content: EmailMessage) -> None:
    add_field(message, standard_field("MIME-Version", "1.0"))
    for _, field in content.raw_items():
        add_field(message, field)
    message.set_payload(content.get_payload())


def _marks(
    priority: Priority | str | None, auto_submitted: AutoSubmitted | str | None
) -> Iterable[HeaderField]:
    if priority is not None:
        chosen_priority = chosen(Priority, "priority", priority)
        yield VerbatimField(chosen_priority.value, name="Importance")
        yield VerbatimField(chosen_priority.x_priority, name="X-Priority")
    if auto_submitted is not None:
        kind = chosen(AutoSubmitted, "auto_submitted", auto_submitted)
        yield VerbatimField(kind.value, name="Auto-Submitted")


def _unsubscribing(value: ListUnsubscribe | None) -> Iterable[HeaderField]:
    if value is None:
        return
    if not isinstance(value, ListUnsubscribe):
        raise InvalidMessage(
            f"list_unsubscribe has to be a ListUnsubscribe, not {type(value).__name__}",
            advice='Write ListUnsubscribe("https://…", one_click=True)',
        )
    yield VerbatimField(str(value), name="List-Unsubscribe")
    if value.one_click:
        yield VerbatimField("List-Unsubscribe=One-Click", name="List-Unsubscribe-Post")


def _plain_text(text: str | None, html: str | None, *, from_html: bool) -> str | None:
    if not isinstance(from_html, bool):
        raise InvalidMessage(f"text_from_html has to be a bool, not {type(from_html).__name__}")
    if not from_html:
        return text
    if html is None or text is not None:
        raise InvalidMessage("text_from_html needs html, and no text beside it")
    return text_of_html(html)


def _body(
    text: str | None,
    html: str | None,
    inline: Mapping[str, FileSource],
    alternatives: tuple[Alternative, ...],
    calendar: CalendarInvitation | None,
) -> EmailMessage:
    if inline and html is None:
        raise InvalidMessage("inline images are given without html to show them in")
    forms = []
    if text is not None:
        forms.append(text_part(text, "text/plain"))
    if html is not None:
        forms.append(_with_images(text_part(html, "text/html"), inline))
    forms.extend(one.as_part() for one in alternatives)
    if calendar is not None:
        forms.append(calendar.as_part())
    if not forms:
        return text_part("", "text/plain")
    # Readers show the last one they know (RFC 2046 §5.1.4).
    return forms[0] if len(forms) == 1 else multipart("alternative", forms)


def _with_images(html: EmailMessage, inline: Mapping[str, FileSource]) -> EmailMessage:
    images = []
    for content_id, source in inline.items():
        usable = isinstance(content_id, str) and _CONTENT_ID.fullmatch(content_id)
        if not usable or "=?" in content_id:
            raise InvalidMessage(
                f"{ascii(content_id)[:80]} cannot be the content id of an inline image"
            )
        image = as_attachment(source)
        part = disposed(image.as_part(), "inline", image.filename)
        images.append(identified(part, content_id))
    # The type of the first part has to be said (RFC 2387 §3.1).
    return multipart("related", [html, *images], type="text/html") if images else html


def read_attachments(
    attachments: Iterable[AttachmentSource],
) -> tuple[Attachment | ForwardedMessage, ...]:
    """Read now what is to be attached to messages.

    Raises:
        InvalidMessage: It is no list, or one of them cannot be read.
    """
    # A message is iterable, by the lines of its fields; a file by its lines.
    single = isinstance(attachments, str | bytes | Mapping | Message | BinaryFile)
    if not isinstance(attachments, Iterable) or single:
        raise InvalidMessage("attachments has to be a list of paths, files and Attachment objects")
    return tuple(_read(source) for source in attachments)


def _read(source: AttachmentSource) -> Attachment | ForwardedMessage:
    if isinstance(source, Message):
        return ForwardedMessage(source)
    return source if isinstance(source, ForwardedMessage) else as_attachment(source)


def _listed(name: str, given: Iterable[_Value], kind: type[_Value]) -> tuple[_Value, ...]:
    if not isinstance(given, Iterable) or isinstance(given, str | bytes | Mapping):
        raise InvalidMessage(f"{name} has to be a list of {kind.__name__} objects")
    listed = tuple(given)
    for one in listed:
        if not isinstance(one, kind):
            raise InvalidMessage(
                f"{name} has to be a list of {kind.__name__} objects, not of {type(one).__name__}"
            )
    return listed


def _mailboxes(
    name: str, given: MailboxSource | Iterable[MailboxSource], rules: AddressRules
) -> tuple[Mailbox, ...]:
    if isinstance(given, str | Mailbox):
        return (_mailbox(name, given, rules),)
    if not isinstance(given, Iterable) or isinstance(given, bytes | bytearray | Mapping):
        raise InvalidMessage(f"{name} has to be an address or a list, not {type(given).__name__}")
    return tuple(_mailbox(name, one, rules) for one in given)


def _mailbox(name: str, given: MailboxSource, rules: AddressRules) -> Mailbox:
    return given if isinstance(given, Mailbox) else Mailbox.parse(given, field=name, rules=rules)
