"""What an envelope may ask of a server beyond its addresses, by extensions of SMTP.

Whether the server can do it is found out when the message is sent: see
:mod:`mailsend.envelope_parameters`.
"""

from __future__ import annotations

import datetime as dt
from enum import Flag, StrEnum
from typing import Final

from attrs import Attribute, field, frozen

from mailsend.address import DEFAULT_RULES, Address, AddressRules, parse_address
from mailsend.errors import InvalidMessage
from mailsend.xtext import encode_xtext

MAX_ENVELOPE_ID: Final = 100  # characters as xtext, RFC 3461 §4.4
MAX_SECONDS: Final = 999_999_999  # nine digits, RFC 2852 and RFC 4865


class Notify(Flag):
    """When the server is to send a delivery status notification (RFC 3461 §4.1).

    ``SUCCESS``, ``FAILURE`` and ``DELAY`` can be combined with ``|``; what is not named is not to
    be notified of. ``NEVER`` stands alone: not even a failure is told.
    """

    NEVER = 1
    SUCCESS = 2
    FAILURE = 4
    DELAY = 8


class ReturnContent(StrEnum):
    """What of the message a notification of failure brings back (RFC 3461 §4.3).

    ``FULL``: all of it. ``HEADERS``: its header section.
    """

    FULL = "full"
    HEADERS = "headers"


class DeliverByMode(StrEnum):
    """What the server does with a message that is late (RFC 2852).

    ``RETURN``: it gives up, and returns the message. ``NOTIFY``: it sends a notification of the
    delay, and tries on.
    """

    RETURN = "return"
    NOTIFY = "notify"


def _has_to_be(attribute: str, what: str, value: object) -> InvalidMessage:
    return InvalidMessage(f"{attribute} has to be {what}, not {ascii(value)[:80]}")


def _check_switch(_: object, attribute: Attribute[bool], value: object) -> None:
    if not isinstance(value, bool):
        raise _has_to_be(attribute.name, "True or False", value)


def _check_integer(name: str, value: object, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise _has_to_be(name, f"a whole number from {least} to {most}", value)


def _check_notify(_: object, attribute: Attribute[Notify | None], value: object) -> None:
    if value is None:
        return
    if not isinstance(value, Notify) or not value:
        raise _has_to_be(attribute.name, "such as Notify.SUCCESS | Notify.FAILURE", value)
    if Notify.NEVER in value and value is not Notify.NEVER:
        raise InvalidMessage(
            "Notify.NEVER cannot be combined with others (RFC 3461 §4.1)",
            advice="Leave it out, or let it stand alone",
        )


@frozen
class DeliverBy:
    """A time within which a message has to be delivered (DELIVERBY, RFC 2852).

    Attributes:
        seconds: from the submission on, -999999999 to 999999999; positive where the mode is
            RETURN. Zero or less asks for a notification at once that the message is late.
        mode: what to do when that time is over.
        trace: have every server on the way send a notification as it hands the message on.

    Raises:
        InvalidMessage: One of them cannot be asked for.
    """

    seconds: int
    mode: DeliverByMode
    trace: bool = field(default=False, validator=_check_switch)

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.mode, DeliverByMode):
            raise _has_to_be("mode", "DeliverByMode.RETURN or DeliverByMode.NOTIFY", self.mode)
        least = 1 if self.mode is DeliverByMode.RETURN else -MAX_SECONDS
        _check_integer("seconds", self.seconds, least, MAX_SECONDS)


def _moment(value: dt.datetime | None) -> dt.datetime | None:
    """In UTC and in whole seconds, the next one rather than the last."""
    if value is None:
        return None
    if not isinstance(value, dt.datetime) or value.utcoffset() is None:
        raise _has_to_be("hold_until", "a datetime with a time zone", value)
    try:
        utc = value.astimezone(dt.UTC)
        return (utc + dt.timedelta(microseconds=-utc.microsecond % 1_000_000)).replace(fold=0)
    except OverflowError as error:
        raise _has_to_be("hold_until", "a moment that UTC has", value) from error


@frozen(kw_only=True)
class EnvelopeOptions:
    """What to ask of the server for a message. Nothing of it is left out silently.

    A server that does not offer the extension gets nothing of the message: sending it raises
    :class:`~mailsend.errors.CapabilityError`.

    Attributes:
        notify: when to send delivery status notifications, for each recipient that says nothing
            of its own in a :class:`Recipient`; None leaves it to the server, which then tells of
            failures, and of delays perhaps.
        return_content: what of the message a notification of failure brings back; None leaves
            it to the server.
        envelope_id: the sender's own name for this sending, which every notification repeats
            (RFC 3461 §4.4): printable ASCII, of at most 100 characters as xtext, in which a
            space, "+" and "=" count as three.
        dsn_if_offered: leave out `notify`, `return_content`, `envelope_id` and what single
            recipients ask for, where the server does not offer DSN.
        require_tls: every server on the way has to use verified TLS, or return the message
            (REQUIRETLS, RFC 8689). The session itself has to be encrypted.
        priority: -9 to 9, higher is more urgent and 0 usual (MT-PRIORITY, RFC 6710).
        deliver_by: when it has to be there (DELIVERBY, RFC 2852).
        hold_for: seconds that the server is to keep the message before it sends it on, 1 to
            999999999 (FUTURERELEASE, RFC 4865).
        hold_until: a moment until which it is to, with a time zone; instead of `hold_for`. Kept
            in UTC and whole seconds, rounded up.

    Raises:
        InvalidMessage: One of them cannot be asked for.
    """

    notify: Notify | None = field(default=None, validator=_check_notify)
    return_content: ReturnContent | None = field(default=None)
    envelope_id: str | None = field(default=None)
    dsn_if_offered: bool = field(default=False, validator=_check_switch)
    require_tls: bool = field(default=False, validator=_check_switch)
    priority: int | None = field(default=None)
    deliver_by: DeliverBy | None = field(default=None)
    hold_for: int | None = field(default=None)
    hold_until: dt.datetime | None = field(default=None, converter=_moment)

    def __attrs_post_init__(self) -> None:
        if self.return_content is not None and not isinstance(self.return_content, ReturnContent):
            what = "ReturnContent.FULL or ReturnContent.HEADERS"
            raise _has_to_be("return_content", what, self.return_content)
        if self.envelope_id is not None:
            _check_envelope_id(self.envelope_id)
        if self.priority is not None:
            _check_integer("priority", self.priority, -9, 9)
        if self.deliver_by is not None and not isinstance(self.deliver_by, DeliverBy):
            raise _has_to_be("deliver_by", "a DeliverBy", self.deliver_by)
        if self.hold_for is not None:
            _check_integer("hold_for", self.hold_for, 1, MAX_SECONDS)
            if self.hold_until is not None:
                raise InvalidMessage(
                    "hold_for and hold_until are both given", advice="Choose one of them"
                )

    @property
    def asks_for_dsn(self) -> bool:
        """Whether something here needs the extension DSN."""
        return any(
            asked is not None for asked in (self.notify, self.return_content, self.envelope_id)
        )


def _check_envelope_id(value: object) -> None:
    if not isinstance(value, str):
        raise _has_to_be("envelope_id", "a string", value)
    if not (value and value.isascii() and value.isprintable()):
        raise _has_to_be("envelope_id", "printable ASCII characters (RFC 3461 §4.4)", value)
    if (length := len(encode_xtext(value.encode("ascii")))) > MAX_ENVELOPE_ID:
        raise InvalidMessage(
            f"envelope_id has {length} characters as xtext, and {MAX_ENVELOPE_ID} is the limit of "
            "RFC 3461 §4.4",
            advice="Choose a shorter one; a space, + and = count as three characters each",
        )


@frozen
class Recipient:
    """A recipient of an envelope, with what is asked for it alone (DSN, RFC 3461).

    Attributes:
        address: the bare address.
        notify: when to send delivery status notifications about it; None: as the envelope's
            options say.
        original: the address that notifications are to name as the original recipient. Whoever
            submits a message names the recipient's own address here, or nothing (RFC 3461 §4.2);
            whoever hands on what was addressed to somebody else names that.
        rules: which rare forms of addresses are taken.

    Raises:
        InvalidAddress: An address cannot be used.
        InvalidMessage: `notify` cannot be asked for.
    """

    address: str
    notify: Notify | None = field(default=None, validator=_check_notify)
    original: str | None = None
    rules: AddressRules = field(default=DEFAULT_RULES, kw_only=True, eq=False, repr=False)
    mailbox: Address = field(init=False, eq=False, repr=False)
    original_mailbox: Address | None = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        mailbox = parse_address(self.address, field="recipient", rules=self.rules)
        original = None
        if self.original is not None:
            original = parse_address(self.original, field="original recipient", rules=self.rules)
        object.__setattr__(self, "address", mailbox.text)
        object.__setattr__(self, "original", original and original.text)
        object.__setattr__(self, "mailbox", mailbox)
        object.__setattr__(self, "original_mailbox", original)

    @property
    def asks(self) -> bool:
        """Whether it asks for something of its own."""
        return self.notify is not None or self.original is not None
