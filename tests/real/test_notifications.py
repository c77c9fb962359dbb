"""Delivery status notifications that real servers send for what the envelope asked."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from typing import Any

import pytest

from mailsend import (
    CapabilityError,
    DeliverBy,
    DeliverByMode,
    Envelope,
    EnvelopeOptions,
    Notify,
    Recipient,
    ReturnContent,
)
from mailsend.xtext import encode_xtext

from .client import ALICE, BOB, CAROL, UNICODE, commands, letter, new_token, submitting
from .real_server import RealServer
from .servers.recipes import ServerName

LIST = "carol+list@example.test"
WITH_FIELDS = pytest.mark.parametrize("name", ["postfix", "exim"])


def notification(server: RealServer, token: str) -> tuple[set[str], list[Message[Any, Any]]]:
    """The notification in Alice's mailbox: the types of its parts, and its groups of fields.

    The first group is about the message, each other one about a recipient (RFC 3464 §2.1).
    """
    stored = server.mailbox("alice").wait_for(token)
    read = message_from_bytes(stored, EmailMessage, policy=policy.default)
    types = {part.get_content_type() for part in read.walk()}
    (report,) = (p for p in read.walk() if p.get_content_type().endswith("delivery-status"))
    payload = report.get_payload()
    assert isinstance(payload, list)
    groups = [group for group in payload if isinstance(group, Message) and group.keys()]
    return types, groups


@WITH_FIELDS
def test_a_success_is_told_with_what_names_it(
    name: ServerName, request: pytest.FixtureRequest
) -> None:
    server: RealServer = request.getfixturevalue(name)
    token = new_token()
    envelope_id = f"order {token} +="
    options = EnvelopeOptions(
        notify=Notify.SUCCESS | Notify.FAILURE,
        envelope_id=envelope_id,
        return_content=ReturnContent.HEADERS,
    )
    recipients: list[str | Recipient] = [
        Recipient(BOB, notify=Notify.NEVER, original=BOB),
        Recipient(CAROL, original=LIST),
    ]
    with submitting(server) as transport:
        report = transport.send_raw(Envelope(ALICE, recipients, options), letter(token))
    assert report.accepted == (BOB, CAROL)
    types, (message, *told) = notification(server, token)
    assert types >= {"multipart/report", "message/delivery-status", "text/rfc822-headers"}
    # Exim hands on what it got, where the encoding should have been undone (RFC 3464 §2.2.1).
    decodes = name == "postfix"
    shown_id = envelope_id if decodes else encode_xtext(envelope_id.encode())
    assert message["Original-Envelope-Id"] == shown_id
    # Bob asked for none.
    (carol,) = told
    assert carol["Action"] == "delivered"
    assert carol["Status"].startswith("2.")
    assert carol["Final-Recipient"].replace(" ", "") == f"rfc822;{CAROL}"
    original = LIST if decodes else encode_xtext(LIST.encode())
    assert carol["Original-Recipient"] == f"rfc822;{original}"


@WITH_FIELDS
def test_an_original_recipient_outside_ascii(
    name: ServerName, request: pytest.FixtureRequest
) -> None:
    server: RealServer = request.getfixturevalue(name)
    for address in (UNICODE, CAROL):
        token = new_token()
        recipient = Recipient(address, notify=Notify.SUCCESS, original=UNICODE)
        with submitting(server) as transport:
            transport.send_raw(Envelope(ALICE, [recipient]), letter(token))
            declared = any("SMTPUTF8" in line for line in transport.transcript if "MAIL" in line)
        assert declared is (address == UNICODE)
        stored = server.mailbox("alice").wait_for(token)
        (field,) = (x for x in stored.splitlines() if x.lower().startswith(b"original-recipient:"))
        escaped = "".join(f"\\x{{{ord(c):X}}}" if ord(c) > 127 else c for c in UNICODE)
        # As it came, or turned into UTF-8 (RFC 6533 §4.1).
        assert field.decode().partition(";")[2] in {UNICODE, escaped}


def test_opensmtpd_tells_of_a_success(opensmtpd: RealServer) -> None:
    token = new_token()
    envelope = Envelope(ALICE, [Recipient(BOB, Notify.SUCCESS, LIST)])
    with submitting(opensmtpd) as transport:
        assert transport.send_raw(envelope, letter(token)).accepted == (BOB,)
    _, (_, bob) = notification(opensmtpd, token)
    assert (bob["Final-Recipient"], bob["Action"]) == (f"rfc822; {BOB}", "delivered")


def test_opensmtpd_adds_up_what_recipients_ask_for(opensmtpd: RealServer) -> None:
    # A defect of OpenSMTPD 7.4, which reports show for what it is: one recipient refused.
    recipients = [Recipient(BOB, notify=Notify.NEVER), Recipient(CAROL, notify=Notify.DELAY)]
    with submitting(opensmtpd) as transport:
        report = transport.send_raw(Envelope(ALICE, recipients), letter(new_token()))
    assert report.accepted == (BOB,)
    assert report.refused[CAROL].code == 553
    assert "NEVER" in report.refused[CAROL].text


@pytest.mark.parametrize(
    ("keyword", "options"),
    [
        ("REQUIRETLS", EnvelopeOptions(require_tls=True)),
        ("MT-PRIORITY", EnvelopeOptions(priority=1)),
        ("DELIVERBY", EnvelopeOptions(deliver_by=DeliverBy(60, DeliverByMode.NOTIFY))),
        ("FUTURERELEASE", EnvelopeOptions(hold_for=60)),
    ],
)
def test_what_they_do_not_offer_is_not_sent(
    server: RealServer, keyword: str, options: EnvelopeOptions
) -> None:
    with submitting(server) as transport:
        with pytest.raises(CapabilityError, match=keyword):
            transport.send_raw(Envelope(ALICE, [BOB], options), letter(new_token()))
        assert commands(transport.transcript, "MAIL") == 0
        assert transport.send_raw(Envelope(ALICE, [BOB]), letter(new_token())).all_accepted
