from __future__ import annotations

from collections.abc import Callable, Iterator
from email.message import EmailMessage

import pytest

from mailsend import (
    Attachment,
    CapabilityError,
    Cause,
    Envelope,
    InvalidMessage,
    Limits,
    MailsendError,
    MessageRefused,
    ProtocolViolation,
    RecipientsRefused,
    Scope,
    SenderRefused,
    ServiceUnavailable,
    SmtpProfile,
    Stage,
    Submission,
    compose,
    open_transport,
)
from mailsend.testing import Answer, Close, Normal, SmtpServer

Serve = Callable[..., SmtpServer]
ProfileFor = Callable[..., SmtpProfile]

ALL = ("PIPELINING", "SIZE 100000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")
ENVELOPE = Envelope("ada@example.org", ["a@example.org", "b@example.org", "c@example.org"])
CONTENT = b"Subject: hello\r\n\r\nHello.\r\n"

pipelining = pytest.mark.parametrize("offered", [ALL, ALL[1:]], ids=["pipelining", "serial"])
delivered = pytest.mark.parametrize("delivery", ["whole", "lines", "bytes"])


@pytest.mark.parametrize("mode", ["implicit_tls", "starttls", "insecure_plaintext"])
@pipelining
@delivered
def test_a_message_arrives_as_it_was_handed_over(
    serve: Serve, profile_for: ProfileFor, mode: str, offered: tuple[str, ...], delivery: str
) -> None:
    server = serve(mode, extensions=offered, delivery=delivery)
    octets = bytes(range(256)) * 40
    message = compose(
        sender="Ada <ada@example.org>",
        to=["Bob <bob@example.org>"],
        bcc=["eve@example.org"],
        subject="Grüße",
        text=".\n..\nGrüße\n.",
        html="<p>Grüße</p>",
        attachments=[Attachment(octets, "Übung.bin")],
    )
    with open_transport(profile_for(server, mode)) as transport:
        report = transport.send(message)
        again = transport.send(message)
    assert report.accepted == again.accepted == ("bob@example.org", "eve@example.org")
    assert report.queue_id
    assert report.endpoint == f"localhost:{server.port}"
    first, second = server.messages
    assert first.content == second.content or mode  # boundaries differ from one to the next
    assert first.recipients == ("bob@example.org", "eve@example.org")
    assert first.authenticated_as == "ada@example.org"
    assert (first.tls is None) is (mode == "insecure_plaintext")
    parsed = first.message()
    assert parsed["Subject"] == "Grüße"
    assert parsed["Bcc"] is None
    body = parsed.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == ".\n..\nGrüße\n.\n"
    attachment = next(parsed.iter_attachments())
    assert isinstance(attachment, EmailMessage)
    assert attachment.get_content() == octets
    assert attachment.get_filename() == "Übung.bin"
    assert server.violations == ()


def test_the_commands_are_those_that_are_needed(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("starttls", extensions=ALL)
    with open_transport(profile_for(server)) as transport:
        transport.send_raw(ENVELOPE, CONTENT)
        transport.send_raw(Envelope(None, ["a@example.org"]), CONTENT)
    verbs = [command.split(b" ")[0].split(b":")[0] for command in server.commands]
    assert verbs == [
        *(b"EHLO", b"STARTTLS", b"EHLO", b"AUTH"),
        *(b"MAIL", b"RCPT", b"RCPT", b"RCPT", b"DATA"),
        *(b"MAIL", b"RCPT", b"DATA", b"QUIT"),
    ]
    assert b"MAIL FROM:<> SIZE=26" in server.commands


@pipelining
@delivered
def test_refused_recipients_are_reported_beside_accepted_ones(
    serve: Serve, profile_for: ProfileFor, offered: tuple[str, ...], delivery: str
) -> None:
    server = serve("implicit_tls", extensions=offered, delivery=delivery)
    server.on("RCPT", Answer("550-5.1.1 No such", "550 5.1.1 user"), match=b"<b@")
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        report = transport.send_raw(ENVELOPE, CONTENT)
    assert report.accepted == ("a@example.org", "c@example.org")
    assert list(report.refused) == ["b@example.org"]
    assert str(report.refused["b@example.org"]) == "550 5.1.1 No such user"
    assert not report.all_accepted
    assert server.messages[0].recipients == ("a@example.org", "c@example.org")


@pipelining
def test_when_all_recipients_are_refused_the_next_message_is_not_hurt(
    serve: Serve, profile_for: ProfileFor, offered: tuple[str, ...]
) -> None:
    server = serve("implicit_tls", extensions=offered)
    server.on("RCPT", Answer("550 5.1.1 No such user"), times=2)
    server.on("RCPT", Answer("450 4.2.0 Later"), times=1)
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        with pytest.raises(RecipientsRefused) as caught:
            transport.send_raw(ENVELOPE, CONTENT)
        second = transport.send_raw(Envelope("second@example.org", ["d@example.org"]), CONTENT)
    error = caught.value
    assert error.report is not None
    assert [reply.code for reply in error.report.refused.values()] == [550, 550, 450]
    assert error.retryable  # one of them may be accepted later
    assert second.all_accepted
    assert [m.reverse_path for m in server.messages] == ["second@example.org"]
    assert server.connections == 1
    assert server.violations == ()


def test_all_refused_and_yet_354_gets_an_empty_content(
    serve: Serve, profile_for: ProfileFor
) -> None:
    server = serve("implicit_tls", extensions=ALL)
    server.on("RCPT", Answer("550 5.1.1 No such user"), times=3)
    server.on("DATA", Answer("354 go on all the same"))
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        with pytest.raises(RecipientsRefused) as caught:
            transport.send_raw(ENVELOPE, CONTENT)
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
    assert caught.value.report is not None
    assert len(caught.value.report.refused) == 3
    assert b"Hello" not in b"".join(server.raw).split(b"RSET")[0].split(b"DATA\r\n")[1][:20]


@pipelining
@pytest.mark.parametrize("answer", ["550 5.7.1 Not you", "451 4.3.0 Later"])
def test_a_refused_sender_outranks_what_follows(
    serve: Serve, profile_for: ProfileFor, offered: tuple[str, ...], answer: str
) -> None:
    server = serve("implicit_tls", extensions=offered)
    server.on("MAIL", Answer(answer))
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        with pytest.raises(SenderRefused) as caught:
            transport.send_raw(ENVELOPE, CONTENT)
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
    error = caught.value
    assert str(error.reply) == answer
    assert error.stage is Stage.MAIL
    assert error.retryable is answer.startswith("4")
    assert error.report is not None
    assert error.report.not_sent == ENVELOPE.recipients
    assert server.connections == 1


@pipelining
@pytest.mark.parametrize("stage", ["DATA", "END_OF_DATA"])
def test_a_refused_message_is_refused_for_all(
    serve: Serve, profile_for: ProfileFor, offered: tuple[str, ...], stage: str
) -> None:
    server = serve("implicit_tls", extensions=offered)
    server.on("RCPT", Answer("550 5.1.1 No"), match=b"<b@")
    server.on(stage, Answer("554 5.7.1 Spam"))  # type: ignore[arg-type]  # of the table
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        with pytest.raises(MessageRefused) as caught:
            transport.send_raw(ENVELOPE, CONTENT)
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
    assert caught.value.report is not None
    codes = {address: reply.code for address, reply in caught.value.report.refused.items()}
    assert codes == {"a@example.org": 554, "b@example.org": 550, "c@example.org": 554}


@pytest.mark.parametrize("code", [200, 250, 251, 252])
def test_every_2yz_is_acceptance(serve: Serve, profile_for: ProfileFor, code: int) -> None:
    server = serve("implicit_tls", extensions=ALL)
    for stage in ("MAIL", "RCPT", "END_OF_DATA"):
        server.on(stage, Answer(f"{code} fine"), times=None)
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted


# -- what the server lacks is found before MAIL


@pytest.mark.parametrize(
    ("lacking", "envelope", "content", "cause"),
    [
        ("8BITMIME", ENVELOPE, "Subject: x\r\n\r\nü".encode(), Cause.EXTENSION_MISSING),
        ("SMTPUTF8", ENVELOPE, "Subject: ü\r\n\r\nx".encode(), Cause.EXTENSION_MISSING),
        ("SMTPUTF8", Envelope("a@x.org", ["δοκιμή@x.org"]), CONTENT, Cause.EXTENSION_MISSING),
        ("SMTPUTF8", Envelope("δοκιμή@x.org", ["a@x.org"]), CONTENT, Cause.EXTENSION_MISSING),
        ("", ENVELOPE, CONTENT + b"x\r\n" * 40_000, Cause.MESSAGE_TOO_LARGE),
    ],
)
def test_a_message_that_the_server_cannot_take(
    serve: Serve, profile_for: ProfileFor, lacking: str, envelope: Envelope, content: bytes,
    cause: Cause,
) -> None:  # fmt: skip
    server = serve("implicit_tls", extensions=[e for e in ALL if e != lacking])
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        with pytest.raises(CapabilityError) as caught:
            transport.send_raw(envelope, content)
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
    assert caught.value.cause is cause
    assert caught.value.report is not None
    assert caught.value.report.not_sent == envelope.recipients
    assert len([c for c in server.commands if c.startswith(b"MAIL")]) == 1


def test_what_the_message_uses_is_declared(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls", extensions=ALL)
    message = compose(sender="a@x.org", to="δοκιμή@bücher.example", subject="ü", text="ü")
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        transport.send(message)
        transport.send_raw(Envelope("a@x.org", ["b@bücher.example"]), CONTENT)
    first, second = server.messages
    size = len(first.content)
    assert first.mail_parameters == (f"SIZE={size}", "BODY=8BITMIME", "SMTPUTF8")
    assert first.recipients == ("δοκιμή@xn--bcher-kva.example",)
    assert second.mail_parameters == (f"SIZE={len(CONTENT)}",)
    assert second.recipients == ("b@xn--bcher-kva.example",)
    assert server.violations == ()


def test_without_8bitmime_a_message_is_encoded(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls", extensions=["SIZE"])
    message = compose(sender="a@x.org", to="b@x.org", subject="ü", text="Grüße", html="<p>ü</p>")
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        transport.send(message)
    assert server.messages[0].content.isascii()
    body = server.messages[0].message().get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == "Grüße"


def test_extensions_and_limits_of_the_profile(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls", extensions=ALL)
    profile = profile_for(
        server,
        "implicit_tls",
        disabled_extensions=["pipelining", "size"],
        limits=Limits(message_octets=100, recipients=3),
    )
    with open_transport(profile) as transport:
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
        with pytest.raises(CapabilityError, match="100"):
            transport.send_raw(ENVELOPE, CONTENT + b"x" * 100)
        with pytest.raises(CapabilityError, match="4 recipients"):
            transport.send_raw(Envelope("a@x.org", [f"{n}@x.org" for n in range(4)]), CONTENT)
    assert server.messages[0].mail_parameters == ()


def test_a_server_from_before_ehlo(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls", users={}, extensions=())
    server.on("EHLO", Answer("502 5.5.1 Unknown"))
    profile = profile_for(server, "implicit_tls", username=None, credentials=None)
    with open_transport(profile) as transport:
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
    assert not server.messages[0].extended


@pytest.mark.parametrize("answer", ["550 5.7.1 Go away", "451 4.3.0 Later", "501 5.5.4 Bad name"])
def test_other_refusals_of_ehlo_are_refusals(
    serve: Serve, profile_for: ProfileFor, answer: str
) -> None:
    server = serve("implicit_tls")
    server.on("EHLO", Answer(answer), times=None)
    server.on("HELO", Answer(answer), times=None)
    with pytest.raises(ServiceUnavailable) as caught:
        open_transport(profile_for(server, "implicit_tls"))
    assert caught.value.stage is Stage.EHLO
    assert str(caught.value.reply) == answer


@pytest.mark.parametrize("answer", ["554 5.3.2 No service", "421 4.3.2 Busy", "451 Later"])
def test_refusing_greetings(serve: Serve, profile_for: ProfileFor, answer: str) -> None:
    server = serve("implicit_tls")
    server.on("GREETING", Answer(answer))
    with pytest.raises(ServiceUnavailable) as caught:
        open_transport(profile_for(server, "implicit_tls"))
    assert caught.value.stage is Stage.GREETING
    assert caught.value.retryable is not answer.startswith("5")


@pytest.mark.parametrize("name", ["host.example.org", "[192.0.2.1]", "[IPv6:2001:db8::1]"])
def test_the_client_name_is_the_profiles(serve: Serve, profile_for: ProfileFor, name: str) -> None:
    server = serve("implicit_tls")
    with open_transport(profile_for(server, "implicit_tls", client_name=name)):
        pass
    assert server.commands[0] == b"EHLO " + name.encode()


def test_many_recipients_do_not_deadlock(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("insecure_plaintext", extensions=["PIPELINING"])
    text = "250 2.1.5 " + "a long reply to every recipient " * 10
    server.on("RCPT", Answer(text), times=None)
    recipients = [f"recipient-{n:05}-{'x' * 40}@example.org" for n in range(10_000)]
    with open_transport(profile_for(server, "insecure_plaintext")) as transport:
        report = transport.send_raw(Envelope("a@example.org", recipients), CONTENT)
    assert report.accepted == tuple(recipients)


# -- send_many


def test_send_many_goes_on_after_trouble_with_one_message(
    serve: Serve, profile_for: ProfileFor
) -> None:
    server = serve("implicit_tls", extensions=ALL)
    server.on("MAIL", Answer("550 5.7.1 Not you"), match=b"<refused@")
    server.on("END_OF_DATA", Close(), match=b"uncertain")
    server.on("DATA", Answer("421 4.3.2 Closing"), Close(), skip=5)

    def submissions() -> Iterator[Submission | EmailMessage]:
        for key in ("one", "uncertain", "three", "refused", "five"):
            yield Submission(
                Envelope(f"{key}@example.org", ["a@example.org"]),
                f"Subject: {key}\r\n\r\nx\r\n".encode(),
                key=key,
            )
        yield EmailMessage()
        yield Submission(Envelope("a@example.org", ["b@example.org"]), b"x", key="cut")
        yield compose(sender="a@example.org", to="b@example.org", subject="last", text="x")

    with open_transport(profile_for(server, "implicit_tls")) as transport:
        reports = list(transport.send_many(submissions()))
    assert [report.key for report in reports] == [
        *("one", "uncertain", "three", "refused", "five", None, "cut", None)
    ]
    ends = [
        "accepted" if r.accepted else "uncertain" if r.uncertain else "not sent" for r in reports
    ]
    assert ends == [
        *("accepted", "uncertain", "accepted", "not sent", "accepted", "not sent", "not sent"),
        "accepted",
    ]
    kinds = [type(report.error) for report in reports]
    assert kinds[3] is SenderRefused
    assert kinds[5] is InvalidMessage
    assert kinds[6] is ServiceUnavailable
    assert len(server.messages) == 5


def test_send_many_stops_when_no_session_can_be_had(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls")
    server.on("END_OF_DATA", Normal(), Close())
    server.on("GREETING", Answer("554 5.3.2 No service any more"), skip=1, times=None)
    taken: list[int] = []

    def submissions() -> Iterator[Submission]:
        for number in range(100):
            taken.append(number)
            yield Submission(ENVELOPE, CONTENT, key=number)

    with open_transport(profile_for(server, "implicit_tls")) as transport:
        reports = transport.send_many(submissions())
        assert next(reports).all_accepted
        with pytest.raises(MailsendError) as caught:
            list(reports)
    assert isinstance(caught.value, ServiceUnavailable)
    assert caught.value.scope is Scope.CONNECTION
    assert taken == [0, 1]
    assert caught.value.report is not None
    assert caught.value.report.key == 1
    assert caught.value.report.not_sent == ENVELOPE.recipients


# -- odd beginnings


@pytest.mark.parametrize("greeting", ["250 hello", "354 go on", "221 bye"])
def test_greetings_that_are_none(serve: Serve, profile_for: ProfileFor, greeting: str) -> None:
    server = serve("implicit_tls")
    server.on("GREETING", Answer(greeting))
    with pytest.raises(ProtocolViolation) as caught:
        open_transport(profile_for(server, "implicit_tls"))
    assert caught.value.cause is Cause.NOT_SMTP


@pytest.mark.parametrize(
    ("surplus", "kind"),
    [("554 5.3.2 On second thoughts", ServiceUnavailable), ("220 again", ProtocolViolation)],
)
def test_more_than_a_greeting(
    serve: Serve, profile_for: ProfileFor, surplus: str, kind: type[MailsendError]
) -> None:
    server = serve("implicit_tls")
    server.on("GREETING", Answer("220 hello", surplus))
    with pytest.raises(kind):
        open_transport(profile_for(server, "implicit_tls"))
    assert server.commands == ()


def test_354_is_no_answer_to_ehlo(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls")
    server.on("EHLO", Answer("354 go on"))
    with pytest.raises(ProtocolViolation):
        open_transport(profile_for(server, "implicit_tls"))


def test_a_message_that_never_got_anywhere_is_not_all_accepted(
    serve: Serve, profile_for: ProfileFor
) -> None:
    server = serve("implicit_tls")
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        (report,) = transport.send_many([EmailMessage()])
    assert not report.all_accepted
    assert isinstance(report.error, InvalidMessage)


def test_sending_does_not_change_the_message(serve: Serve, profile_for: ProfileFor) -> None:
    message = compose(
        sender="a@x.org", to="b@x.org", bcc="c@x.org", text="x", html="y",
        attachments=[Attachment(b"0", "a.bin")],
    )  # fmt: skip
    before = [(part.get_boundary(), part.items()) for part in message.walk()]
    server = serve("implicit_tls")
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        transport.send(message)
    assert [(part.get_boundary(), part.items()) for part in message.walk()] == before


def test_what_a_server_says_is_bounded_in_an_error(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls")
    server.on("MAIL", Answer(*[f"550-{'STARTTLS ' * 450}"] * 100, "550 end"))
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        with pytest.raises(SenderRefused) as caught:
            transport.send_raw(ENVELOPE, CONTENT)
    assert len(str(caught.value)) < 3000
    assert len(str(caught.value.reply)) < 25_000
