"""Every value can be pickled, copied and, where it can be equal, compared."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
import ssl

import pytest

from mailsend import (
    AddressRules,
    Attachment,
    Capabilities,
    DeliverBy,
    DeliverByMode,
    DeliveryReport,
    Endpoint,
    EnhancedStatus,
    Envelope,
    EnvelopeOptions,
    Finding,
    Limits,
    Notify,
    Outcome,
    Password,
    Recipient,
    RecipientOutcome,
    Reply,
    ReturnContent,
    Security,
    Severity,
    SmtpProfile,
    Stage,
    Submission,
    Timeouts,
    TlsOptions,
    interpret,
)
from mailsend.address import parse_address
from mailsend.content import prepare
from mailsend.errors import MessageRefused

REPLY = Reply(250, EnhancedStatus(2, 0, 0), ("Ok: queued as Q1",))
VALUES: list[object] = [
    REPLY,
    EnhancedStatus(5, 7, 139),
    Capabilities.offering("SIZE 10", "AUTH PLAIN"),
    parse_address("ada@bücher.example"),
    AddressRules(address_literals=True),
    Envelope(None, ["ada@[192.0.2.1]"], rules=AddressRules(address_literals=True)),
    Envelope("ada@example.org", ["bob@example.org", "eve@bücher.example"]),
    Envelope(None, ["bob@example.org"]),
    DeliverBy(60, DeliverByMode.RETURN, trace=True),
    EnvelopeOptions(
        notify=Notify.SUCCESS | Notify.DELAY,
        return_content=ReturnContent.HEADERS,
        hold_until=dt.datetime(2030, 1, 1, tzinfo=dt.UTC),
    ),
    Recipient("bob@example.org", Notify.NEVER, "eve@bücher.example"),
    Envelope(
        "ada@example.org",
        [Recipient("bob@example.org", Notify.SUCCESS)],
        EnvelopeOptions(require_tls=True),
    ),
    Submission(Envelope(None, ["bob@example.org"]), b"x\r\n", key=(1, "a")),
    RecipientOutcome("bob@example.org", Outcome.ACCEPTED, REPLY),
    DeliveryReport((RecipientOutcome("a@b.c", Outcome.NOT_SENT),), REPLY, key=3, endpoint="h:1"),
    Endpoint("smtp.example.org", 465, Security.IMPLICIT_TLS),
    Timeouts(connect=1, total=5),
    TlsOptions(ca_file="ca.pem", minimum_version=ssl.TLSVersion.TLSv1_3, pinned_sha256="ab" * 32),
    Limits(recipients=3),
    Finding(Severity.WARNING, "port", "odd", "change it"),
    interpret(REPLY, Stage.END_OF_DATA),
    prepare(b"a: b\r\n\r\nx"),
    Attachment(b"x", "minutes.pdf", "application/pdf"),
    Password.from_env("SMTP_PASSWORD"),
    Password.from_file("/etc/secret"),
    Password.from_command(["pass", "show", "smtp"]),
    SmtpProfile(host="h.example", username="ada", credentials=Password.from_env("SMTP_PASSWORD")),
    *Stage,
    *Security,
    *Outcome,
]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_pickle_gives_an_equal_value(value: object, protocol: int) -> None:
    there = pickle.loads(pickle.dumps(value, protocol))
    assert there == value
    assert type(there) is type(value)
    assert repr(there) == repr(value)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_copies_are_equal(value: object) -> None:
    assert copy.copy(value) == value
    assert copy.deepcopy(value) == value


def test_what_equality_passes_over_travels_as_well() -> None:
    envelope = Envelope("ada@bücher.example", ["bob@example.org"])
    there = pickle.loads(pickle.dumps(envelope))
    assert there.sender_address == envelope.sender_address
    assert there.recipient_addresses == envelope.recipient_addresses
    report = DeliveryReport((), error=MessageRefused("no", reply=REPLY))
    error = pickle.loads(pickle.dumps(report)).error
    assert error.reply == REPLY


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_cannot_be_changed(value: object) -> None:
    if isinstance(value, Password | Stage | Security | Outcome):
        return
    name = next(iter(getattr(type(value), "__attrs_attrs__"))).name  # noqa: B009
    with pytest.raises(AttributeError):
        setattr(value, name, None)
