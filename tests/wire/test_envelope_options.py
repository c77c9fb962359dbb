"""What envelopes ask for, on a real socket: sent as asked, or nothing sent at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

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
    SmtpProfile,
    Submission,
    compose,
    open_transport,
)
from mailsend.testing import DEFAULT_EXTENSIONS, Answer, SmtpServer

Serve = Callable[..., SmtpServer]
ProfileFor = Callable[..., SmtpProfile]

ADA, BOB, EVE = "ada@example.org", "bob@example.org", "eve@example.org"
CONTENT = b"Subject: x\r\n\r\nx\r\n"
OFFERED = (
    "DSN", "REQUIRETLS", "MT-PRIORITY", "DELIVERBY 60", "FUTURERELEASE 3600 2031-01-01T00:00:00Z",
)  # fmt: skip
SERIAL = tuple(name for name in DEFAULT_EXTENSIONS if name != "PIPELINING")
ENCRYPTED = pytest.mark.parametrize("security", ["starttls", "implicit_tls"])

ASKED = EnvelopeOptions(
    notify=Notify.SUCCESS | Notify.FAILURE,
    return_content=ReturnContent.HEADERS,
    envelope_id="order 4711",
    require_tls=True,
    priority=-3,
    deliver_by=DeliverBy(600, DeliverByMode.RETURN),
    hold_until=dt.datetime(2030, 1, 1, tzinfo=dt.UTC),
)
NEEDS = {
    "DSN": EnvelopeOptions(notify=Notify.NEVER),
    "REQUIRETLS": EnvelopeOptions(require_tls=True),
    "MT-PRIORITY": EnvelopeOptions(priority=0),
    "DELIVERBY": EnvelopeOptions(deliver_by=DeliverBy(600, DeliverByMode.NOTIFY)),
    "FUTURERELEASE": EnvelopeOptions(hold_for=60),
}


@ENCRYPTED
@pytest.mark.parametrize("base", [SERIAL, DEFAULT_EXTENSIONS], ids=["serial", "pipelined"])
def test_the_server_is_asked_for_all_of_it(
    serve: Serve, profile_for: ProfileFor, security: str, base: tuple[str, ...]
) -> None:
    server = serve(security, extensions=(*base, *OFFERED))
    recipients: list[str | Recipient] = [
        BOB,
        Recipient(EVE, notify=Notify.NEVER, original="list+eve@example.org"),
    ]
    with open_transport(profile_for(server)) as transport:
        report = transport.send_raw(Envelope(ADA, recipients, ASKED), CONTENT)
    assert report.accepted == (BOB, EVE)
    (message,) = server.messages
    assert message.mail_parameters == (
        f"SIZE={len(CONTENT)}",
        "RET=HDRS",
        "ENVID=order+204711",
        "REQUIRETLS",
        "MT-PRIORITY=-3",
        "BY=600;R",
        "HOLDUNTIL=2030-01-01T00:00:00Z",
    )
    assert message.rcpt_parameters == (
        ("NOTIFY=SUCCESS,FAILURE",),
        ("NOTIFY=NEVER", "ORCPT=rfc822;list+2Beve@example.org"),
    )
    assert server.violations == ()


def test_a_message_without_an_envelope_can_ask_too(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls", extensions=(*DEFAULT_EXTENSIONS, "DSN"))
    message = compose(sender=ADA, to=[BOB], bcc=[EVE], subject="x", text="x")
    with open_transport(profile_for(server)) as transport:
        transport.send(message, options=EnvelopeOptions(notify=Notify.DELAY))
        transport.send(message)
        submission = Submission(Envelope(ADA, [Recipient(BOB, Notify.NEVER)]), CONTENT)
        assert all(report.all_accepted for report in transport.send_many([submission]))
    assert [m.rcpt_parameters for m in server.messages] == [
        (("NOTIFY=DELAY",), ("NOTIFY=DELAY",)), ((), ()), (("NOTIFY=NEVER",),),
    ]  # fmt: skip


@ENCRYPTED
@pytest.mark.parametrize("keyword", NEEDS)
def test_nothing_is_sent_where_it_is_not_offered(
    serve: Serve, profile_for: ProfileFor, security: str, keyword: str
) -> None:
    others = tuple(line for line in OFFERED if line.split()[0] != keyword)
    server = serve(security, extensions=(*DEFAULT_EXTENSIONS, *others))
    with open_transport(profile_for(server)) as transport:
        with pytest.raises(CapabilityError, match=keyword) as refused:
            transport.send_raw(Envelope(ADA, [BOB, EVE], NEEDS[keyword]), CONTENT)
        assert refused.value.report is not None
        assert refused.value.report.not_sent == (BOB, EVE)
        assert not any(line.startswith((b"MAIL", b"RSET")) for line in server.commands)
        # The session is as good as before.
        assert transport.send_raw(Envelope(ADA, [BOB]), CONTENT).all_accepted
    assert server.connections == 1
    assert len(server.messages) == 1


@pytest.mark.parametrize("keyword", NEEDS)
def test_what_the_profile_switches_off_is_not_offered(
    serve: Serve, profile_for: ProfileFor, keyword: str
) -> None:
    server = serve("implicit_tls", extensions=OFFERED)
    profile = profile_for(server, disabled_extensions=[keyword])
    with open_transport(profile) as transport:
        with pytest.raises(CapabilityError, match=keyword):
            transport.send_raw(Envelope(ADA, [BOB], NEEDS[keyword]), CONTENT)
    assert not any(line.startswith(b"MAIL") for line in server.commands)


@pytest.mark.parametrize("keyword", NEEDS)
def test_what_was_only_offered_before_tls_is_not_offered(
    serve: Serve, profile_for: ProfileFor, keyword: str
) -> None:
    server = serve("starttls", extensions=())
    forged = (f"250-{line}" for line in OFFERED)
    server.on("EHLO", Answer("250-localhost", *forged, "250 STARTTLS"))
    with open_transport(profile_for(server)) as transport:
        with pytest.raises(CapabilityError, match=keyword):
            transport.send_raw(Envelope(ADA, [BOB], NEEDS[keyword]), CONTENT)
    assert not any(line.startswith(b"MAIL") for line in server.commands)


def test_requiretls_is_not_believed_without_tls(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("insecure_plaintext")
    server.on("EHLO", Answer("250-localhost", "250-AUTH PLAIN", "250 REQUIRETLS"))
    with open_transport(profile_for(server, security="insecure_plaintext")) as transport:
        assert "REQUIRETLS" in transport.capabilities
        with pytest.raises(CapabilityError, match="this session has none"):
            transport.send_raw(Envelope(ADA, [BOB], NEEDS["REQUIRETLS"]), CONTENT)
    assert not any(line.startswith(b"MAIL") for line in server.commands)


def test_all_but_requiretls_can_be_had_without_tls(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("insecure_plaintext", extensions=OFFERED)
    with open_transport(profile_for(server, security="insecure_plaintext")) as transport:
        for keyword in NEEDS.keys() - {"REQUIRETLS"}:
            assert transport.send_raw(Envelope(ADA, [BOB], NEEDS[keyword]), CONTENT).all_accepted


@pytest.mark.parametrize(
    "options",
    [
        EnvelopeOptions(deliver_by=DeliverBy(59, DeliverByMode.RETURN)),
        EnvelopeOptions(hold_for=3601),
        EnvelopeOptions(hold_until=dt.datetime(2031, 1, 1, 0, 0, 1, tzinfo=dt.UTC)),
    ],
)
def test_limits_are_told_before_mail(
    serve: Serve, profile_for: ProfileFor, options: EnvelopeOptions
) -> None:
    server = serve("implicit_tls", extensions=OFFERED)
    with open_transport(profile_for(server)) as transport:
        with pytest.raises(CapabilityError):
            transport.send_raw(Envelope(ADA, [BOB], options), CONTENT)
        assert not any(line.startswith(b"MAIL") for line in server.commands)
        assert transport.send_raw(Envelope(ADA, [BOB]), CONTENT).all_accepted


@pytest.mark.parametrize(
    ("extensions", "parameters"),
    [((), ((), ((),))), (("DSN",), (("ENVID=x",), (("NOTIFY=SUCCESS",),)))],
)
def test_notifications_that_are_only_wished_for(
    serve: Serve, profile_for: ProfileFor, extensions: tuple[str, ...], parameters: object
) -> None:
    wish = EnvelopeOptions(notify=Notify.SUCCESS, envelope_id="x", dsn_if_offered=True)
    server = serve("implicit_tls", extensions=extensions)
    with open_transport(profile_for(server)) as transport:
        assert transport.send_raw(Envelope(ADA, [BOB], wish), CONTENT).all_accepted
    (message,) = server.messages
    assert (message.mail_parameters, message.rcpt_parameters) == parameters


def test_an_original_recipient_outside_ascii(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls", extensions=(*DEFAULT_EXTENSIONS, "DSN"))
    with open_transport(profile_for(server)) as transport:
        for address in (BOB, "δ@example.org"):
            envelope = Envelope(ADA, [Recipient(address, original="δ@example.org")])
            transport.send_raw(envelope, CONTENT)
    assert [m.rcpt_parameters for m in server.messages] == [
        ((r"ORCPT=utf-8;\x{3B4}@example.org",),), (("ORCPT=utf-8;δ@example.org",),),
    ]  # fmt: skip
