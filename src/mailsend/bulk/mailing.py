"""A mailing: what all its messages share is made once, what differs for each receiver."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from functools import lru_cache
from time import time
from typing import Any, Final

from attrs import evolve, field, frozen

from mailsend.address import DEFAULT_RULES, AddressRules, parse_address
from mailsend.bulk.rows import BadRow, Columns, Row, mailbox_of
from mailsend.bulk.skeleton import Skeleton
from mailsend.bulk.syntax import Syntax
from mailsend.bulk.texts import BODIES, Texts, further, gap, uris
from mailsend.composition.attachment import FileSource, as_attachment
from mailsend.composition.compose import AttachmentSource, MailboxSource, compose, read_attachments
from mailsend.composition.header_fields import MailboxesField
from mailsend.composition.list_unsubscribe import ListUnsubscribe
from mailsend.composition.mailbox import Mailbox
from mailsend.composition.message_fields import AutoSubmitted, Priority, checked_date, chosen
from mailsend.composition.message_fields import message_id as message_id_field
from mailsend.envelope import Envelope, Submission
from mailsend.envelope_options import EnvelopeOptions
from mailsend.errors import CapabilityError, ConfigurationError, InvalidAddress, InvalidMessage
from mailsend.message import parse, render
from mailsend.templates import Template

_SOMEBODY: Final = "somebody@example.org"


def _syntax(value: Syntax | str) -> Syntax:
    return chosen(Syntax, "syntax", value)


def _several(value: MailboxSource | Iterable[MailboxSource]) -> Any:
    """What can be read any number of times; what it is, compose() judges."""
    if isinstance(value, str | bytes | Mailbox | Mapping) or not isinstance(value, Iterable):
        return value
    return tuple(value)


def _images(value: Mapping[str, FileSource] | None) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {content_id: as_attachment(source) for content_id, source in value.items()}


def _date(value: datetime | None) -> datetime | None:
    return None if value is None else checked_date(value)


@lru_cache(maxsize=8)
def _date_field(second: int) -> bytes:
    return b"Date: %b\r\n" % format_datetime(datetime.fromtimestamp(second, UTC)).encode("ascii")


@frozen(kw_only=True, eq=False)
class Mailing:
    """One message for many receivers, each of whom gets one of their own.

    What :meth:`render` makes is what :func:`~mailsend.compose` and ``send()`` make of the same
    texts, octet for octet but for boundaries, many times as fast: everything that is the same for
    all receivers is written once. The octets have seven bits, so that they need no 8BITMIME,
    unless a forwarded message that is signed has others.

    Places for values stand in subject, texts, the values of `headers` and the URIs of
    `list_unsubscribe`. A value that is missing or None is an error. In the HTML values are
    escaped. No value can add a line, a header field or a recipient: each is written by the encoder
    of its field.

    It can be used by several threads.

    Attributes:
        sender: as of :func:`~mailsend.compose`; no place for values.
        subject: one line. Not beside `template`.
        text: the plain text. Not beside `template`.
        html: the HTML. Not beside `template`.
        template: a :class:`~mailsend.Template`, which has subject and texts itself.
        syntax: how places for values are written: ``"jinja"`` as ``{{ name }}``, ``"dollar"`` as
            ``$name``, or ``"verbatim"``, not at all. Jinja needs the extra
            ``mailsend[templates]``, unless no text has places.
        authors: as of :func:`~mailsend.compose`; no place for values.
        reply_to: as `authors`.
        inline: as of :func:`~mailsend.compose`; read now.
        attachments: as of :func:`~mailsend.compose`; read now.
        priority: as of :func:`~mailsend.compose`.
        auto_submitted: as of :func:`~mailsend.compose`.
        list_unsubscribe: a :class:`~mailsend.ListUnsubscribe`; or one URI or several with places
            for values. A value that is not percent-encoded yet is to be written as
            ``{{ token|urlencode }}``.
        one_click: as of :class:`~mailsend.ListUnsubscribe`, where `list_unsubscribe` is URIs.
        headers: as of :func:`~mailsend.compose`; values have places for values.
        date: of every message; None is when each is made.
        bounces_to: the reverse path of every message; None is the sender's address.
        options: what to ask of the server for every message.
        rules: which rare forms of addresses are taken.

    Raises:
        ConfigurationError: Jinja2 is needed and not installed.
        InvalidAddress: An address cannot be used.
        InvalidMessage: Another argument cannot be used; the text names it.
    """

    sender: MailboxSource
    subject: str | None = None
    text: str | None = field(default=None, repr=False)
    html: str | None = field(default=None, repr=False)
    template: Template | None = None
    syntax: Syntax = field(default=Syntax.JINJA, converter=_syntax)
    authors: MailboxSource | Iterable[MailboxSource] = field(default=(), converter=_several)
    reply_to: MailboxSource | Iterable[MailboxSource] = field(default=(), converter=_several)
    inline: Mapping[str, FileSource] | None = field(default=None, converter=_images, repr=False)
    attachments: Iterable[AttachmentSource] = field(
        default=(), converter=read_attachments, repr=False
    )
    priority: Priority | str | None = None
    auto_submitted: AutoSubmitted | str | None = None
    list_unsubscribe: ListUnsubscribe | tuple[str, ...] | None = field(default=None, converter=uris)
    one_click: bool = False
    headers: Mapping[str, str] = field(default=None, converter=further, repr=False)
    date: datetime | None = field(default=None, converter=_date)
    bounces_to: str | None = None
    options: EnvelopeOptions | None = None
    rules: AddressRules = field(default=DEFAULT_RULES, repr=False)
    _envelope: Envelope = field(init=False, repr=False)
    _sender: Mailbox = field(init=False, repr=False)
    _constant: dict[str, Any] = field(init=False, factory=dict, repr=False)
    _texts: Texts = field(init=False, repr=False)
    _utf8: bool = field(init=False, default=False, repr=False)
    _skeletons: dict[bool, Skeleton] = field(init=False, factory=dict, repr=False)

    def __attrs_post_init__(self) -> None:
        sender = self.sender
        if not isinstance(sender, Mailbox):
            sender = Mailbox.parse(sender, field="sender", rules=self.rules)
        object.__setattr__(self, "_sender", sender)
        texts = Texts.of(
            self.syntax,
            self.template,
            {"subject": self.subject, "text": self.text, "html": self.html},
            self.headers,
            self.list_unsubscribe,
            one_click=self.one_click,
        )
        object.__setattr__(self, "_texts", texts)
        self._constant.update({
            **texts.constant,
            "sender": sender, "authors": self.authors, "reply_to": self.reply_to,
            "inline": self.inline, "attachments": self.attachments, "priority": self.priority,
            "auto_submitted": self.auto_submitted, "rules": self.rules,
        })  # fmt: skip
        reverse_path = sender.address if self.bounces_to is None else self.bounces_to
        envelope = Envelope(reverse_path, (_SOMEBODY,), rules=self.rules)
        if self.options is not None:
            envelope = evolve(envelope, options=self.options)
        object.__setattr__(self, "_envelope", envelope)
        message = self._message(_SOMEBODY, texts.sample().arguments)
        texts.check_once(message)
        object.__setattr__(self, "_utf8", parse(message, self.rules).needs_smtputf8)
        self._skeleton(utf8=self._utf8)

    def render(
        self,
        to: MailboxSource,
        values: Mapping[str, Any] | None = None,
        *,
        key: Hashable = None,
        message_id: str | None = None,
    ) -> Submission:
        """Make the message of one receiver.

        Args:
            to: whom it is for: ``"ada@example.org"``, ``"Ada <ada@example.org>"`` or a
                :class:`~mailsend.Mailbox`, which takes any name as it is to be read.
            values: variable to value.
            key: the caller's own name for it.
            message_id: ``<left@right>``; None makes a new one in the sender's domain.

        Returns:
            It, for ``send_many()``, with the one receiver in its envelope.

        Raises:
            InvalidAddress: The address cannot be used.
            InvalidMessage: A value is missing, or cannot stand where it is to stand.
        """
        mailbox = to
        if not isinstance(mailbox, Mailbox):
            mailbox = Mailbox.parse(mailbox, field="to", rules=self.rules)
        if not isinstance(values, Mapping | None):
            raise InvalidMessage(f"values has to be a mapping, not {type(values).__name__}")
        # An address that other rules took has to pass by these too.
        if mailbox.rules != self.rules:
            parse_address(mailbox.address, field="recipient", rules=self.rules)
        content = self._content(mailbox, values or {}, message_id)
        return Submission(self._envelope.to_one(mailbox.parts), content, key)

    def messages(
        self,
        rows: Iterable[Mapping[str, Any] | Row],
        *,
        address: str = "address",
        name: str | None = "name",
        key: str | None = None,
        on_error: Callable[[BadRow], object] | None = None,
    ) -> Iterator[Submission]:
        """Make the message of each receiver, when it is asked for; none is kept.

        Args:
            rows: mappings, whose entries are the values; or :class:`Row` objects.
            address: which entry of a mapping is the bare address.
            name: which entry is the display name, if it is there and not None; None is none.
            key: which entry is the caller's own name for it; None is none.
            on_error: gets each row for which no message can be made, and the next row follows,
                unless it raises. None raises the error.

        Yields:
            One submission for each row, in order, but for those that `on_error` got.

        Raises:
            ConfigurationError: `rows` cannot be iterated over, or `on_error` not be called.
            InvalidMessage: No message can be made of a row. The text has its number, the first
                being 1, and what is wrong; the cause is the error of that.
        """
        if not isinstance(rows, Iterable) or isinstance(rows, str | bytes | Mapping):
            raise ConfigurationError(
                f"rows has to be a list of mappings or Row objects, not {type(rows).__name__}"
            )
        if on_error is not None and not callable(on_error):
            raise ConfigurationError("on_error has to be a function, such as the append of a list")
        return self._messages(rows, Columns(address, name, key), on_error)

    def _messages(
        self,
        rows: Iterable[Mapping[str, Any] | Row],
        columns: Columns,
        on_error: Callable[[BadRow], object] | None,
    ) -> Iterator[Submission]:
        for number, given in enumerate(rows, 1):
            try:
                row = columns.row(given)
                to = mailbox_of(row, self.rules)
                submission = self.render(to, row.values, key=row.key)
            except (InvalidMessage, InvalidAddress) as error:
                told = InvalidMessage(f"row {number}: {error.what}", advice=error.advice)
                if on_error is None:
                    raise told from error
                told.__cause__ = error
                on_error(BadRow(number, given, told))
                continue
            yield submission

    def _content(self, to: Mailbox, values: Mapping[str, Any], message_id: str | None) -> bytes:
        filled = self._texts.filled(values)
        skeleton = self._skeleton(utf8=self._utf8 or to.parts.needs_smtputf8)
        now = int(time())
        if message_id is None:
            # Of characters that are known, so that it needs no look.
            message_id = make_msgid(domain=self._sender.parts.domain)
            identity = b"Message-ID: %b\r\n" % message_id.encode("ascii")
        else:
            identity = skeleton.field(message_id_field(message_id))
        made = {
            "To": skeleton.receiver(MailboxesField.of("To", (to,))),
            "Date": _date_field(now),
            "Message-ID": identity,
        }
        for value in self._texts.fields(filled):
            made[value.name] = skeleton.field(value)
        for name in BODIES:
            if name in filled:
                octets = skeleton.text(name, filled[name])
                if octets is None:  # it has the boundary of all the others in it
                    date = self.date or datetime.fromtimestamp(now, UTC)
                    message = self._message(to, {**filled, "date": date, "message_id": message_id})
                    return self._octets(message)
                made[gap(name)] = octets
        return skeleton.filled(made)

    def _message(self, to: MailboxSource, differing: Mapping[str, Any]) -> EmailMessage:
        return compose(**{"date": self.date, **self._constant, **differing}, to=to)

    def _octets(self, message: EmailMessage, *, utf8: bool = False) -> bytes:
        parsed = parse(message, self.rules)
        utf8 = utf8 or parsed.needs_smtputf8
        try:
            return render(parsed, eight_bit=False, utf8=utf8)
        except CapabilityError:
            return render(parsed, eight_bit=True, utf8=utf8)

    def _skeleton(self, *, utf8: bool) -> Skeleton:
        skeleton = self._skeletons.get(utf8)
        if skeleton is None:
            sample = self._texts.sample()
            fields = {**sample.fields, "to": "To", "message-id": "Message-ID"}
            if self.date is None:
                fields["date"] = "Date"
            octets = self._octets(self._message(_SOMEBODY, sample.arguments), utf8=utf8)
            skeleton = Skeleton.of(octets, fields, sample.marks, utf8=utf8)
            self._skeletons[utf8] = skeleton
        return skeleton
