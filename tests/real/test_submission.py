"""What real servers store of what is handed to them, and how their refusals come back."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from mailsend import (
    CapabilityError,
    Cause,
    Envelope,
    MailsendError,
    MessageRefused,
    Outcome,
    RecipientsRefused,
    Security,
    SenderRefused,
    ServiceUnavailable,
    Stage,
    compose,
)
from mailsend.message import parse, render
from mailsend.transport.smtp import SmtpTransport

from .client import (
    ALICE,
    BOB,
    CAROL,
    FOREIGNER,
    HTML,
    NOBODY,
    OCTETS,
    TEXT,
    TLS_WAYS,
    UNICODE,
    client,
    commands,
    composed,
    letter,
    new_token,
    relaying,
    submitting,
)
from .real_server import MAX_SIZE, RealServer
from .servers.recipes import ServerName

ways = pytest.mark.parametrize("way", TLS_WAYS)


@ways
@pytest.mark.parametrize("by_send_raw", [True, False], ids=["send_raw", "send"])
def test_a_message_is_stored_octet_for_octet(
    server: RealServer, way: Security, by_send_raw: bool
) -> None:
    token = new_token()
    message = composed(token)
    content = render(parse(message), eight_bit=True, utf8=False)
    with submitting(server, way) as transport:
        if by_send_raw:
            report = transport.send_raw(Envelope(ALICE, [BOB]), content)
        else:
            report = transport.send(message)
    assert report.accepted == (BOB,)
    assert report.all_accepted
    stored = server.mailbox("bob").wait_for(token)
    assert f"id {report.queue_id}".encode() in stored
    assert server.mailbox("bob").wait_for_content(token) == content
    read = message_from_bytes(content, EmailMessage, policy=policy.default)
    text, html = read.get_body(("plain",)), read.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == TEXT
    assert html.get_content().replace("\r\n", "\n") == HTML
    assert [part.get_content() for part in read.iter_attachments()] == [OCTETS]


@pytest.mark.parametrize(
    "body",
    [
        b".\r\n",
        b"..\r\n.\r\n.QUIT\r\n\r\n.\r\n",
        b"\r\n\r\n\r\n",
        b"G\xc3\xbc\xc3\x9fe \xff\xfe \r\n",
        b"x" * 998 + b"\r\n." + b"y" * 997 + b"\r\n",
    ],
    ids=["dot", "dots", "empty lines", "eight bits", "longest lines"],
)
def test_content_at_the_edge_is_stored_octet_for_octet(server: RealServer, body: bytes) -> None:
    token = new_token()
    content = letter(token, body=body)
    with submitting(server) as transport:
        transport.send_raw(Envelope(ALICE, [BOB]), content)
        assert commands(transport.transcript, "MAIL") == 1
        declared = any("BODY=8BITMIME" in line for line in transport.transcript)
    assert declared is not body.isascii()
    assert server.mailbox("bob").wait_for_content(token) == content


def test_bcc_is_delivered_and_not_stored(server: RealServer) -> None:
    token = new_token()
    message = composed(token, bcc=(CAROL,))
    with submitting(server) as transport:
        assert transport.send(message).accepted == (BOB, CAROL)
    contents = [server.mailbox(user).wait_for_content(token) for user in ("bob", "carol")]
    assert contents[0] == contents[1] == render(parse(message), eight_bit=True, utf8=False)
    assert b"bcc" not in contents[0].lower()
    assert CAROL.encode() not in contents[0]


@pytest.mark.parametrize("name", ["postfix", "exim"])
def test_an_internationalised_recipient(
    name: ServerName, request: pytest.FixtureRequest, unicode_message: tuple[str, EmailMessage]
) -> None:
    server: RealServer = request.getfixturevalue(name)
    token, message = unicode_message
    with submitting(server) as transport:
        assert transport.send(message).accepted == (UNICODE,)
        # Both would take it without being told.
        assert any("SMTPUTF8" in line for line in transport.transcript if "MAIL" in line)
    content = server.mailbox("unicode").wait_for_content(token)
    assert content == render(parse(message), eight_bit=True, utf8=True)
    assert f"To: {UNICODE}\r\n".encode() in content


def test_an_internationalised_recipient_where_the_server_has_no_smtputf8(
    opensmtpd: RealServer, unicode_message: tuple[str, EmailMessage]
) -> None:
    _, message = unicode_message
    with submitting(opensmtpd) as transport:
        with pytest.raises(CapabilityError) as refused:
            transport.send(message)
        assert refused.value.cause is Cause.EXTENSION_MISSING
        with pytest.raises(CapabilityError) as refused_raw:
            transport.send_raw(Envelope(ALICE, [UNICODE]), letter(new_token()))
        assert commands(transport.transcript, "MAIL") == 0
    for error in (refused.value, refused_raw.value):
        assert error.report is not None
        assert error.report.not_sent == (UNICODE,)


@pytest.fixture
def unicode_message() -> tuple[str, EmailMessage]:
    token = new_token()
    return token, compose(sender=ALICE, to=UNICODE, subject=f"δοκιμή {token}", text=token)


@ways
def test_an_unknown_recipient_beside_a_good_one(server: RealServer, way: Security) -> None:
    token = new_token()
    with submitting(server, way) as transport:
        report = transport.send_raw(Envelope(ALICE, [NOBODY, BOB]), letter(token))
    assert report.accepted == (BOB,)
    assert list(report.refused) == [NOBODY]
    assert report.refused[NOBODY].code == server.replies.unknown_recipient
    assert [o.outcome for o in report.outcomes] == [Outcome.REFUSED, Outcome.ACCEPTED]
    assert server.mailbox("bob").wait_for_content(token) == letter(token)


def test_every_recipient_unknown(server: RealServer) -> None:
    unknown = ("nosuch1@example.test", "nosuch2@example.test")
    with submitting(server) as transport:
        with pytest.raises(RecipientsRefused) as refused:
            transport.send_raw(Envelope(ALICE, unknown), letter(new_token()))
        assert refused.value.report is not None
        assert tuple(refused.value.report.refused) == unknown
        assert refused.value.stage is Stage.RCPT
        assert refused.value.cause is Cause.MAILBOX_UNKNOWN
        assert not refused.value.retryable
        assert_next_is_stored_under_its_own_sender(transport, server)
        assert commands(transport.transcript, "EHLO") == 2  # before and behind STARTTLS


def assert_next_is_stored_under_its_own_sender(
    transport: SmtpTransport, server: RealServer
) -> None:
    token = new_token()
    assert transport.send_raw(Envelope(CAROL, [BOB]), letter(token)).accepted == (BOB,)
    return_path = server.mailbox("bob").wait_for(token).splitlines()[0]
    assert return_path.lower() == b"return-path: <carol@example.test>"


def test_relaying_is_denied(server: RealServer) -> None:
    token = new_token()
    with client(server, port=server.ports.mx) as transport:
        with pytest.raises(RecipientsRefused) as refused:
            transport.send_raw(Envelope(ALICE, [FOREIGNER]), letter(token))
        assert refused.value.reply is not None
        assert refused.value.reply.code == server.replies.relay_denied
        assert refused.value.cause is Cause.RELAY_DENIED
        assert refused.value.safe_to_retry
        assert_next_is_stored_under_its_own_sender(transport, server)
    assert server.mailbox("sink").stored_with(token) == []


def too_large(token: str) -> bytes:
    return letter(token, body=(b"x" * 70 + b"\r\n") * (MAX_SIZE // 64))


def test_too_large_for_the_announced_size(server: RealServer) -> None:
    with submitting(server) as transport:
        with pytest.raises(CapabilityError) as refused:
            transport.send_raw(Envelope(ALICE, [BOB]), too_large(new_token()))
        assert refused.value.cause is Cause.MESSAGE_TOO_LARGE
        assert refused.value.report is not None
        assert refused.value.report.not_sent == (BOB,)
        assert commands(transport.transcript, "MAIL") == 0
        assert_next_is_stored_under_its_own_sender(transport, server)


@ways
def test_too_large_and_the_server_says_so(server: RealServer, way: Security) -> None:
    token = new_token()
    with client(server, way, user=server.alice, disabled_extensions=("SIZE",)) as transport:
        with pytest.raises(MessageRefused) as refused:
            transport.send_raw(Envelope(ALICE, [BOB]), too_large(token))
        assert refused.value.reply is not None
        assert refused.value.reply.code == server.replies.too_long
        assert refused.value.cause is Cause.MESSAGE_TOO_LARGE
        assert refused.value.stage is Stage.END_OF_DATA
        assert refused.value.report is not None
        assert list(refused.value.report.refused) == [BOB]
        assert_next_is_stored_under_its_own_sender(transport, server)
    assert server.mailbox("bob").stored_with(token) == []


@pytest.mark.parametrize(
    ("local_part", "cause", "retryable"),
    [
        ("greylist", Cause.GREYLISTED, True),
        ("tempfail", Cause.TEMPORARY_FAILURE, True),
        ("full", Cause.MAILBOX_FULL, False),
        ("blocked", Cause.POLICY_REFUSED, False),
    ],
)
def test_a_recipient_is_refused(
    server: RealServer, local_part: str, cause: Cause, retryable: bool
) -> None:
    refused_address, token = f"{local_part}@example.test", new_token()
    with relaying(server) as transport:
        with pytest.raises(RecipientsRefused) as refused:
            transport.send_raw(Envelope(ALICE, [refused_address]), letter(new_token()))
        assert refused.value.cause is cause
        assert refused.value.retryable is retryable
        assert refused.value.reply is not None
        assert refused.value.reply.is_transient is retryable
        report = transport.send_raw(Envelope(CAROL, [refused_address, BOB]), letter(token))
    assert report.refused == {refused_address: refused.value.reply}
    assert report.accepted == (BOB,)
    assert b"<carol@example.test>" in server.mailbox("bob").wait_for(token)


def test_a_refused_sender(server: RealServer) -> None:
    envelope = Envelope("badsender@example.test", [BOB])
    with relaying(server) as transport:
        # Postfix keeps the answer to MAIL back until it knows the recipient.
        kind = RecipientsRefused if server.name == "postfix" else SenderRefused
        with pytest.raises(kind) as refused:
            transport.send_raw(envelope, letter(new_token()))
        assert refused.value.cause is Cause.SENDER_NOT_ALLOWED
        assert not refused.value.retryable
        assert_next_is_stored_under_its_own_sender(transport, server)


def test_content_is_refused_after_the_last_octet(server: RealServer) -> None:
    token = new_token()
    with relaying(server) as transport:
        with pytest.raises(MessageRefused) as refused:
            transport.send_raw(
                Envelope(ALICE, [NOBODY, BOB, CAROL]), letter(token, subject="REJECTME now")
            )
        assert refused.value.stage is Stage.END_OF_DATA
        assert refused.value.cause is Cause.CONTENT_REJECTED
        assert refused.value.report is not None
        codes = {a: reply.code for a, reply in refused.value.report.refused.items()}
        assert codes == {NOBODY: server.replies.unknown_recipient, BOB: 550, CAROL: 550}
        assert_next_is_stored_under_its_own_sender(transport, server)
    assert server.mailbox("bob").stored_with(token) == []


def test_a_server_that_ends_the_session_at_a_recipient(server: RealServer) -> None:
    token = new_token()
    with relaying(server) as transport:
        with pytest.raises(ServiceUnavailable) as ended:
            transport.send_raw(Envelope(ALICE, [BOB, "hold421@example.test"]), letter(token))
        assert ended.value.stage is Stage.RCPT
        assert ended.value.retryable
        assert ended.value.safe_to_retry
        assert ended.value.reply is not None
        assert ended.value.reply.code == 421
        assert ended.value.report is not None
        assert ended.value.report.accepted == ()
        assert_next_is_stored_under_its_own_sender(transport, server)
        assert commands(transport.transcript, "MAIL") == 1
    assert server.mailbox("bob").stored_with(token) == []


def test_a_refusal_of_one_does_not_hold_up_the_others(server: RealServer) -> None:
    token = new_token()
    good = [composed(f"{token}-{number}", to=CAROL) for number in range(2)]
    with submitting(server) as transport:
        reports = list(transport.send_many([good[0], composed(token, to=NOBODY), good[1]]))
    assert [report.accepted for report in reports] == [(CAROL,), (), (CAROL,)]
    assert isinstance(reports[1].error, MailsendError)
    for number in range(2):
        server.mailbox("carol").wait_for(f"{token}-{number}")
