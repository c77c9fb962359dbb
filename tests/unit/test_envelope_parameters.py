"""The lines that an envelope's options become, and the servers that they cannot be sent to."""

from __future__ import annotations

import datetime as dt

import pytest

from mailsend import (
    Capabilities,
    CapabilityError,
    Cause,
    DeliverBy,
    DeliverByMode,
    Envelope,
    EnvelopeOptions,
    InvalidMessage,
    MemoryTransport,
    Notify,
    Recipient,
    ReturnContent,
    Stage,
    compose,
)
from mailsend.content import prepare
from mailsend.transaction import Transaction, mail_parameters

CONTENT = prepare(b"Subject: x\r\n\r\nbody\r\n")
ALL = Capabilities.offering(
    "DSN", "REQUIRETLS", "MT-PRIORITY STANAG4406", "DELIVERBY", "FUTURERELEASE", "SMTPUTF8"
)
ADA, BOB = "ada@example.org", "bob@example.org"
RETURN, NOTIFY = DeliverByMode.RETURN, DeliverByMode.NOTIFY
NEW_YEAR = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)


def mail(options: EnvelopeOptions, offered: Capabilities = ALL, *, encrypted: bool = True) -> str:
    envelope = Envelope(ADA, [BOB], options)
    return mail_parameters(envelope, CONTENT, offered, None, encrypted=encrypted)


MAIL_LINES = [
    (EnvelopeOptions(), ""),
    (EnvelopeOptions(return_content=ReturnContent.FULL), " RET=FULL"),
    (EnvelopeOptions(return_content=ReturnContent.HEADERS), " RET=HDRS"),
    (EnvelopeOptions(envelope_id="order 4711+=x"), " ENVID=order+204711+2B+3Dx"),
    (EnvelopeOptions(require_tls=True), " REQUIRETLS"),
    (EnvelopeOptions(priority=-9), " MT-PRIORITY=-9"),
    (EnvelopeOptions(priority=0), " MT-PRIORITY=0"),
    (EnvelopeOptions(priority=9), " MT-PRIORITY=9"),
    (EnvelopeOptions(deliver_by=DeliverBy(600, RETURN)), " BY=600;R"),
    (EnvelopeOptions(deliver_by=DeliverBy(600, RETURN, trace=True)), " BY=600;RT"),
    (EnvelopeOptions(deliver_by=DeliverBy(-5, NOTIFY)), " BY=-5;N"),
    (EnvelopeOptions(deliver_by=DeliverBy(0, NOTIFY, trace=True)), " BY=0;NT"),
    (EnvelopeOptions(hold_for=3600), " HOLDFOR=3600"),
    (EnvelopeOptions(hold_until=NEW_YEAR), " HOLDUNTIL=2030-01-01T00:00:00Z"),
    (EnvelopeOptions(notify=Notify.SUCCESS), ""),
    (
        EnvelopeOptions(
            return_content=ReturnContent.HEADERS,
            envelope_id="x",
            require_tls=True,
            priority=1,
            deliver_by=DeliverBy(1, RETURN),
            hold_for=1,
        ),
        " RET=HDRS ENVID=x REQUIRETLS MT-PRIORITY=1 BY=1;R HOLDFOR=1",
    ),
]


@pytest.mark.parametrize(("options", "line"), MAIL_LINES)
def test_mail(options: EnvelopeOptions, line: str) -> None:
    assert mail(options) == line


SUCCESS, NEVER = Notify.SUCCESS, Notify.NEVER
RCPT_LINES = [
    (Recipient(BOB), None, ""),
    (Recipient(BOB), NEVER, " NOTIFY=NEVER"),
    (Recipient(BOB), Notify.DELAY | SUCCESS, " NOTIFY=SUCCESS,DELAY"),
    (Recipient(BOB, notify=NEVER), SUCCESS, " NOTIFY=NEVER"),
    (Recipient(BOB, notify=Notify(14)), None, " NOTIFY=SUCCESS,FAILURE,DELAY"),
    (Recipient(BOB, original=BOB), None, f" ORCPT=rfc822;{BOB}"),
    (Recipient(BOB, original=BOB), SUCCESS, f" NOTIFY=SUCCESS ORCPT=rfc822;{BOB}"),
    (Recipient(BOB, original="b+c=d@x.org"), None, " ORCPT=rfc822;b+2Bc+3Dd@x.org"),
    # What stands in RCPT, too, which a domain in A-labels does.
    (
        Recipient(BOB, original="bob@bücher.example"),
        None,
        " ORCPT=rfc822;bob@xn--bcher-kva.example",
    ),
    # RCPT does not need SMTPUTF8, so MAIL did not ask for it.
    (Recipient(BOB, original="δ@x.org"), None, r" ORCPT=utf-8;\x{3B4}@x.org"),
    (Recipient("δ@x.org", original="δ+@x.org"), None, " ORCPT=utf-8;δ\\x{2B}@x.org"),
]


@pytest.mark.parametrize(("recipient", "general", "line"), RCPT_LINES)
def test_rcpt(recipient: Recipient, general: Notify | None, line: str) -> None:
    envelope = Envelope(ADA, [recipient], EnvelopeOptions(notify=general))
    assert rcpt_lines(envelope, "DSN") == [f"RCPT TO:<{recipient.mailbox.on_the_wire}>{line}\r\n"]


def rcpt_lines(envelope: Envelope, *offered: str) -> list[str]:
    step = Transaction(envelope, CONTENT, Capabilities.offering("PIPELINING", *offered)).next_step()
    assert isinstance(step, tuple)
    return [c.line.decode() for c in step if c.stage is Stage.RCPT]


def test_each_recipient_gets_its_own() -> None:
    envelope = Envelope(
        ADA,
        ["a@x.org", Recipient("b@x.org", notify=NEVER), "c@x.org", Recipient("d@x.org", SUCCESS)],
        EnvelopeOptions(notify=Notify.FAILURE),
    )
    assert rcpt_lines(envelope, "DSN") == [
        "RCPT TO:<a@x.org> NOTIFY=FAILURE\r\n",
        "RCPT TO:<b@x.org> NOTIFY=NEVER\r\n",
        "RCPT TO:<c@x.org> NOTIFY=FAILURE\r\n",
        "RCPT TO:<d@x.org> NOTIFY=SUCCESS\r\n",
    ]


NEEDS = {
    "notify": ("DSN", EnvelopeOptions(notify=SUCCESS)),
    "never": ("DSN", EnvelopeOptions(notify=NEVER)),
    "return_content": ("DSN", EnvelopeOptions(return_content=ReturnContent.FULL)),
    "envelope_id": ("DSN", EnvelopeOptions(envelope_id="x")),
    "require_tls": ("REQUIRETLS", EnvelopeOptions(require_tls=True)),
    "priority": ("MT-PRIORITY", EnvelopeOptions(priority=0)),
    "deliver_by": ("DELIVERBY", EnvelopeOptions(deliver_by=DeliverBy(0, NOTIFY))),
    "hold_for": ("FUTURERELEASE", EnvelopeOptions(hold_for=1)),
    "hold_until": ("FUTURERELEASE", EnvelopeOptions(hold_until=NEW_YEAR)),
}


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("offered", [False, True])
@pytest.mark.parametrize("name", NEEDS)
def test_what_each_needs(name: str, offered: bool, encrypted: bool) -> None:
    keyword, options = NEEDS[name]
    capabilities = Capabilities.offering(keyword) if offered else ALL.without([keyword])
    if offered and (encrypted or name != "require_tls"):
        mail(options, capabilities, encrypted=encrypted)
        return
    with pytest.raises(CapabilityError, match=keyword) as refused:
        mail(options, capabilities, encrypted=encrypted)
    assert refused.value.stage is Stage.MAIL
    assert refused.value.cause is Cause.EXTENSION_MISSING
    assert refused.value.advice


def test_what_a_recipient_needs() -> None:
    for recipient in (Recipient(BOB, notify=NEVER), Recipient(BOB, original=BOB)):
        with pytest.raises(CapabilityError, match="DSN"):
            mail_parameters(Envelope(ADA, [recipient]), CONTENT, ALL.without(["DSN"]), None)


def test_notifications_can_be_a_mere_wish_and_nothing_else_can() -> None:
    wish = EnvelopeOptions(
        notify=SUCCESS, return_content=ReturnContent.FULL, envelope_id="x", dsn_if_offered=True
    )
    recipient = Recipient(BOB, notify=NEVER, original=BOB)
    envelope = Envelope(ADA, [recipient, "eve@x.org"], wish)
    assert mail_parameters(envelope, CONTENT, ALL.without(["DSN"]), None) == ""
    assert rcpt_lines(envelope) == [f"RCPT TO:<{BOB}>\r\n", "RCPT TO:<eve@x.org>\r\n"]
    assert mail_parameters(envelope, CONTENT, ALL, None) == " RET=FULL ENVID=x"
    assert "NOTIFY=NEVER ORCPT" in rcpt_lines(envelope, "DSN")[0]
    with pytest.raises(CapabilityError, match="REQUIRETLS"):
        mail(EnvelopeOptions(require_tls=True, dsn_if_offered=True), ALL.without(["REQUIRETLS"]))


@pytest.mark.parametrize(
    ("keyword", "options", "possible"),
    [
        ("DELIVERBY", EnvelopeOptions(deliver_by=DeliverBy(1, RETURN)), True),
        ("DELIVERBY 60", EnvelopeOptions(deliver_by=DeliverBy(60, RETURN)), True),
        ("DELIVERBY 60", EnvelopeOptions(deliver_by=DeliverBy(59, RETURN)), False),
        ("DELIVERBY 60,other", EnvelopeOptions(deliver_by=DeliverBy(59, RETURN)), False),
        ("DELIVERBY ,other", EnvelopeOptions(deliver_by=DeliverBy(1, RETURN)), True),
        ("DELIVERBY 60", EnvelopeOptions(deliver_by=DeliverBy(59, NOTIFY)), True),
        ("DELIVERBY nonsense", EnvelopeOptions(deliver_by=DeliverBy(1, RETURN)), True),
        ("FUTURERELEASE", EnvelopeOptions(hold_for=999_999_999), True),
        ("FUTURERELEASE 60 2030-01-01T00:00:00Z", EnvelopeOptions(hold_for=60), True),
        ("FUTURERELEASE 60 2030-01-01T00:00:00Z", EnvelopeOptions(hold_for=61), False),
        ("FUTURERELEASE 60 2030-01-01T00:00:00Z", EnvelopeOptions(hold_until=NEW_YEAR), True),
        ("FUTURERELEASE 60 2029-12-31T23:59:59Z", EnvelopeOptions(hold_until=NEW_YEAR), False),
        ("FUTURERELEASE 60 2030-01-01t01:00:00+01:00", EnvelopeOptions(hold_until=NEW_YEAR), True),
        ("FUTURERELEASE 60 2030-01-01T00:59:00+01:00", EnvelopeOptions(hold_until=NEW_YEAR), False),
        # Limits that cannot be read are the server's to apply.
        ("FUTURERELEASE x 1900000000", EnvelopeOptions(hold_until=NEW_YEAR), True),
        ("FUTURERELEASE 60 2030-13-01T00:00:00Z", EnvelopeOptions(hold_until=NEW_YEAR), True),
        ("FUTURERELEASE 60 20300101", EnvelopeOptions(hold_until=NEW_YEAR), True),
        ("FUTURERELEASE 9999999999999 2030-01-01T00:00:00Z", EnvelopeOptions(hold_for=61), True),
    ],
)
def test_the_limits_of_a_server(keyword: str, options: EnvelopeOptions, possible: bool) -> None:
    if possible:
        assert mail(options, Capabilities.offering(keyword))
        return
    with pytest.raises(CapabilityError, match=keyword.split(maxsplit=1)[0]) as refused:
        mail(options, Capabilities.offering(keyword))
    assert refused.value.advice


def test_a_memory_transport_keeps_what_is_asked_for() -> None:
    options = EnvelopeOptions(notify=SUCCESS, require_tls=True)
    transport = MemoryTransport(capabilities=Capabilities.offering("DSN", "REQUIRETLS"))
    message = compose(sender=ADA, to=[BOB], subject="x", text="x")
    transport.send(message, options=options)
    transport.send_raw(Envelope(ADA, [Recipient(BOB, notify=NEVER)]), b"x\r\n")
    assert [s.envelope for s in transport.submissions] == [
        Envelope(ADA, [BOB], options),
        Envelope(ADA, [Recipient(BOB, notify=NEVER)]),
    ]
    with pytest.raises(CapabilityError, match="DSN") as refused:
        MemoryTransport().send(message, options=EnvelopeOptions(notify=SUCCESS))
    assert refused.value.report is not None
    assert refused.value.report.not_sent == (BOB,)


def test_an_envelope_has_its_own_options() -> None:
    message = compose(sender=ADA, to=[BOB], subject="x", text="x")
    with pytest.raises(InvalidMessage, match="both given"):
        MemoryTransport().send(message, envelope=Envelope(ADA, [BOB]), options=EnvelopeOptions())
