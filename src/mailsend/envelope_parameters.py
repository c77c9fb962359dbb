"""The parameters of MAIL and RCPT by which an envelope's options are asked for.

Nothing that the caller asked for is left out without the caller's word: where a server cannot do
it, nothing is sent. No line gets longer than its extensions allow, because each value is bounded:
``ENVID`` to 100 characters and ``ORCPT`` to 500 (RFC 3461 §4.2, §4.4), the others to their syntax.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from mailsend.address import Address
from mailsend.capabilities import Capabilities
from mailsend.envelope import Envelope
from mailsend.envelope_options import (
    DeliverBy,
    DeliverByMode,
    EnvelopeOptions,
    Notify,
    Recipient,
    ReturnContent,
)
from mailsend.errors import CapabilityError
from mailsend.stage import Stage
from mailsend.xtext import encode_utf8_address, encode_xtext

_RET: Final = {ReturnContent.FULL: "RET=FULL", ReturnContent.HEADERS: "RET=HDRS"}
_BY_MODE: Final = {DeliverByMode.RETURN: "R", DeliverByMode.NOTIFY: "N"}


def option_parameters(
    envelope: Envelope, capabilities: Capabilities, *, encrypted: bool
) -> list[str]:
    """The parameters of MAIL that the envelope's options need.

    Args:
        envelope: with its options.
        capabilities: of the session, learned under TLS where that has TLS.
        encrypted: whether the session has verified TLS.

    Raises:
        CapabilityError: The server cannot do what is asked for. Nothing has been written.
    """
    if not envelope.asks:
        return []
    options = envelope.options
    parameters: list[str] = []
    if envelope.asks_for_dsn:
        parameters += _dsn(options, capabilities)
    if options.require_tls:
        if not encrypted:
            raise _impossible(
                "the message requires TLS on its whole way (REQUIRETLS), and this session has none",
                "Use a profile with STARTTLS or implicit TLS",
            )
        _require("REQUIRETLS", "the message requires TLS on its whole way", capabilities)
        parameters.append("REQUIRETLS")  # RFC 8689 §2
    if options.priority is not None:
        _require("MT-PRIORITY", "the message has a priority", capabilities)
        parameters.append(f"MT-PRIORITY={options.priority}")  # RFC 6710
    if options.deliver_by is not None:
        parameters.append(_deliver_by(options.deliver_by, capabilities))
    if options.hold_for is not None or options.hold_until is not None:
        parameters.append(_hold(options.hold_for, options.hold_until, capabilities))
    return parameters


def recipient_parameters(envelope: Envelope, capabilities: Capabilities) -> list[str]:
    """What follows the path in each RCPT, in the order of ``envelope.recipient_addresses``.

    Each begins with a space, or is empty. To be asked after :func:`option_parameters`, which finds
    out whether the server can do it.
    """
    addresses = envelope.recipient_addresses
    if not (envelope.asks and envelope.asks_for_dsn) or "DSN" not in capabilities:
        return [""] * len(addresses)
    general = _notify(envelope.options.notify)
    requests = {request.mailbox.identity: request for request in envelope.requests}
    # Without SMTPUTF8 in MAIL no command of the transaction may have other characters than ASCII.
    seven_bit = not envelope.needs_smtputf8
    return [
        _of_recipient(requests[address.identity], general, seven_bit=seven_bit)
        if address.identity in requests
        else general
        for address in addresses
    ]


def _of_recipient(request: Recipient, general: str, *, seven_bit: bool) -> str:
    notify = general if request.notify is None else _notify(request.notify)
    if request.original_mailbox is None:
        return notify
    return f"{notify} ORCPT={_original(request.original_mailbox, seven_bit=seven_bit)}"


def _notify(notify: Notify | None) -> str:
    if notify is None:
        return ""
    return " NOTIFY=" + ",".join(str(condition.name) for condition in notify)  # RFC 3461 §4.1


def _original(address: Address, *, seven_bit: bool) -> str:
    # As in RCPT, which it has to agree with (RFC 3461 §4.2): a domain in A-labels needs no UTF-8.
    text = address.on_the_wire
    if text.isascii():
        return f"rfc822;{encode_xtext(text.encode('ascii'))}"
    return f"utf-8;{encode_utf8_address(text, seven_bit=seven_bit)}"


def _dsn(options: EnvelopeOptions, capabilities: Capabilities) -> list[str]:
    if "DSN" not in capabilities and options.dsn_if_offered:
        return []
    _require(
        "DSN",
        "delivery status notifications are asked for",
        capabilities,
        "Ask for none, or for what can be had: EnvelopeOptions(dsn_if_offered=True)",
    )
    parameters: list[str] = []
    if options.return_content is not None:
        parameters.append(_RET[options.return_content])
    if options.envelope_id is not None:
        parameters.append(f"ENVID={encode_xtext(options.envelope_id.encode('ascii'))}")
    return parameters


def _deliver_by(asked: DeliverBy, capabilities: Capabilities) -> str:
    _require("DELIVERBY", "the message has to be delivered in time", capabilities)
    least = capabilities.deliver_by_minimum
    # Sendmail, which has the extension, holds only this mode against its minimum.
    if asked.mode is DeliverByMode.RETURN and least is not None and asked.seconds < least:
        raise _impossible(
            f"the message has to be delivered within {asked.seconds} seconds, and the server "
            f"promises nothing below {least} (DELIVERBY)",
            "Give it more time, or choose DeliverByMode.NOTIFY",
        )
    trace = "T" if asked.trace else ""
    return f"BY={asked.seconds};{_BY_MODE[asked.mode]}{trace}"


def _hold(seconds: int | None, until: dt.datetime | None, capabilities: Capabilities) -> str:
    _require("FUTURERELEASE", "the message is to be held back", capabilities)
    if seconds is not None:
        most = capabilities.hold_for_limit
        if most is not None and seconds > most:
            raise _impossible(
                f"the message is to be held for {seconds} seconds, and the server holds none for "
                f"more than {most} (FUTURERELEASE)",
                "Choose an earlier time, or send it later",
            )
        return f"HOLDFOR={seconds}"
    assert until is not None  # noqa: S101 - the caller has one of them
    latest = capabilities.hold_until_limit
    if latest is not None and until > latest:
        raise _impossible(
            f"the message is to be held until {_rfc3339(until)}, and the server holds none beyond "
            f"{_rfc3339(latest)} (FUTURERELEASE)",
            "Choose an earlier time, or send it later",
        )
    return f"HOLDUNTIL={_rfc3339(until)}"


def _rfc3339(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _require(
    keyword: str, what: str, capabilities: Capabilities, advice: str | None = None
) -> None:
    if keyword not in capabilities:
        raise _impossible(
            f"{what}, and the server does not offer {keyword}",
            advice or "Do without it, or use a server that offers it",
        )


def _impossible(what: str, advice: str) -> CapabilityError:
    return CapabilityError(what, stage=Stage.MAIL, advice=advice)
