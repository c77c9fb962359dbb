"""Laws of what an envelope asks for: it is refused, or it is one parameter, read back the same."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mailsend import (
    Capabilities,
    DeliverBy,
    DeliverByMode,
    Envelope,
    EnvelopeOptions,
    InvalidAddress,
    InvalidMessage,
    Notify,
    Recipient,
    ReturnContent,
)
from mailsend.content import prepare
from mailsend.testing.syntax import parse_path
from mailsend.transaction import Command, Transaction, mail_parameters
from mailsend.xtext import decode_xtext, encode_utf8_address, encode_xtext

CONTENT = prepare(b"Subject: x\r\n\r\n\xe4\r\n")
EXTENSIONS = (
    "PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "DSN", "REQUIRETLS", "MT-PRIORITY", "DELIVERBY",
    "FUTURERELEASE",
)  # fmt: skip
ALL = Capabilities.offering(*EXTENSIONS)

nasty = st.sampled_from(
    [*' \t"\\,;:<>@()[]=?_.-%+&#/\r\n\0\x85\u2028é日ß\u202e', "=", "+2B", "\\x{"]
)
anything = st.lists(st.characters() | nasty, max_size=40).map("".join)
local_parts = st.lists(
    st.sampled_from([*"abc!#$%&'*+/=?^_`{|}~-", "é", "日", "δ"]), min_size=1, max_size=70
).map("".join)
domains = st.sampled_from(
    ["x.org", ".".join(["d" * 61] * 3), "bücher.example", ".".join(["e" * 63] * 3) + ".f"]
)
addresses = st.builds("{}@{}".format, local_parts, domains)
conditions = st.sampled_from([None, Notify.NEVER, *(Notify(bits) for bits in range(2, 15, 2))])
moments = st.datetimes(
    min_value=dt.datetime(1, 1, 2),  # noqa: DTZ001 - Hypothesis adds the time zone
    max_value=dt.datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=-11, minutes=-30))]),
)
deadlines = st.builds(
    DeliverBy, st.integers(1, 999_999_999), st.sampled_from(DeliverByMode), st.booleans()
) | st.builds(
    DeliverBy, st.integers(-999_999_999, 0), st.just(DeliverByMode.NOTIFY), st.booleans()
)  # fmt: skip
holds = st.fixed_dictionaries({"hold_for": st.integers(1, 999_999_999)}) | st.fixed_dictionaries(
    {"hold_until": moments}
)


@settings(max_examples=120)
@given(st.binary())
def test_xtext_gives_back_every_octet(octets: bytes) -> None:
    text = encode_xtext(octets)
    assert re.fullmatch(r"[!-*,-<>-~+]*", text)
    assert decode_xtext(text) == octets
    assert len(text) <= 3 * len(octets)


@settings(max_examples=120)
@given(anything)
def test_any_text_is_xtext_or_refused(text: str) -> None:
    try:
        octets = decode_xtext(text)
    except ValueError:
        return
    assert decode_xtext(encode_xtext(octets)) == octets
    assert text.isascii()
    assert text.isprintable()
    assert not set(text) & {" ", "="}


@settings(max_examples=120)
@given(anything, st.booleans())
def test_the_address_type_utf_8_is_one_value(text: str, seven_bit: bool) -> None:
    encoded = encode_utf8_address(text, seven_bit=seven_bit)
    assert not re.search(r"[\x00-\x20\x7f+=]", encoded)
    assert encoded.isascii() or not seven_bit
    decoded = re.sub(r"\\x\{([0-9A-F]{2,6})\}", lambda found: chr(int(found[1], 16)), encoded)
    assert decoded == text


@settings(max_examples=120)
@given(anything)
def test_no_envelope_id_says_more_than_itself(text: str) -> None:
    try:
        options = EnvelopeOptions(envelope_id=text)
    except InvalidMessage as error:
        refusal = str(error)
    else:
        refusal = ""
    assert refusal.isprintable()
    if refusal:
        return
    envelope = Envelope("a@x.org", ["b@x.org"], options)
    line = mail_parameters(envelope, prepare(b"x"), Capabilities.offering("DSN"), None)
    found = re.fullmatch(r" ENVID=([!-<>-~]{1,100})", line)
    assert found
    assert decode_xtext(found[1]).decode("ascii") == text
    assert text.isprintable()


@settings(max_examples=120)
@given(anything | anything.map("{}@x.org".format) | anything.map("b@x.org{}".format))
def test_no_original_recipient_says_more_than_itself(text: str) -> None:
    try:
        recipient = Recipient("b@x.org", original=text)
    except InvalidAddress:
        return
    (line,) = rcpt_lines(Envelope("a@x.org", [recipient]))
    assert re.fullmatch(r"RCPT TO:<b@x\.org> ORCPT=(?:rfc822|utf-8);[!-<>-~]{1,487}\r\n", line)


def lines(envelope: Envelope) -> list[Command]:
    parameters = mail_parameters(envelope, CONTENT, ALL, None, encrypted=True)
    step = Transaction(envelope, CONTENT, ALL, parameters).next_step()
    assert isinstance(step, tuple)
    return [command for command in step if command.line[:4] in {b"MAIL", b"RCPT"}]


def rcpt_lines(envelope: Envelope) -> list[str]:
    return [command.line.decode() for command in lines(envelope)[1:]]


@settings(max_examples=120)
@given(
    addresses,
    st.builds("x@{}".format, domains) | addresses,
    st.none() | addresses,
    conditions,
    conditions,
    st.none() | st.sampled_from(ReturnContent),
    st.none() | st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"]),
                        min_size=1, max_size=100),
    st.booleans(),
    st.none() | st.integers(-9, 9),
    st.none() | deadlines,
    holds | st.just({}),
)  # fmt: skip
def test_every_command_is_well_formed_and_no_longer_than_its_extensions_allow(
    sender: str,
    address: str,
    original: str | None,
    general: Notify | None,
    own: Notify | None,
    content: ReturnContent | None,
    envelope_id: str | None,
    require_tls: bool,
    priority: int | None,
    by: DeliverBy | None,
    hold: dict[str, Any],
) -> None:
    try:
        options = EnvelopeOptions(
            notify=general,
            return_content=content,
            envelope_id=envelope_id,
            require_tls=require_tls,
            priority=priority,
            deliver_by=by,
            **hold,
        )
        recipient = Recipient(address, notify=own, original=original)
        envelope = Envelope(sender, [recipient, "z@x.org"], options)
    except (InvalidAddress, InvalidMessage):
        return
    mail, *rcpts = [command.line for command in lines(envelope)]
    assert len(mail) <= 512 + 26 + 17 + 10  # RFC 5321 §4.5.3.1.4, RFC 1870 §3, RFC 6152, RFC 6531
    assert all(len(rcpt) <= 512 + 501 + 29 for rcpt in rcpts)  # RFC 3461 §4.2, §4.1
    for line in (mail, *rcpts):
        assert line.count(b"\r\n") == 1
        assert not re.search(rb"[\x00-\x1f\x7f]", line[:-2])
        # The embedded server reads as strictly as the grammar is.
        path = parse_path(line[:-2], dict.fromkeys(EXTENSIONS, ""))
        assert all(" " not in parameter for parameter in path.parameters)
    notify = parse_path(rcpts[0][:-2], {"DSN": "", "SMTPUTF8": ""}).value("NOTIFY")
    asked = general if own is None else own
    assert notify == (None if asked is None else ",".join(str(c.name) for c in asked))
