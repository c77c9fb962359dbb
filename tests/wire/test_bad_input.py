"""What a user hands in never reaches a socket unless it may stand there."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage, Message
from email.mime.text import MIMEText
from typing import Any

import pytest

from mailsend import (
    Envelope,
    ImplicitTlsTransport,
    MailsendError,
    SmtpProfile,
    Submission,
    Transport,
    compose,
    open_transport,
)
from mailsend.testing import SmtpServer

Serve = Callable[..., SmtpServer]
ProfileFor = Callable[..., SmtpProfile]

EVIL = [
    "a@x.org\r\nRCPT TO:<evil@example.org>",
    "a@x.org\nevil",
    "a@x.org\revil",
    "a\0@x.org",
    "a@x.org> ORCPT=rfc822;evil@example.org",
    "<a@x.org> NOTIFY=NEVER",
    "a@x.org\x0b",
    "a@x.org\x85",
    "a@x.org\u2028",
    "a\u202e@x.org",
    "a@x.org evil@example.org",
    "a@x.org,evil@example.org",
    "@relay.example:a@x.org",
    "group: a@x.org;",
    "a(comment)@x.org",
    "a@-x.org",
    "a@x..org",
    ".a@x.org",
    "a@x.org.",
    "a@" + "x" * 64 + ".org",
    "a" * 65 + "@x.org",
    "a@" + "x." * 130 + "org",
    "\ud800@x.org",
    "",
    "<>",
    "a",
    "@",
]


def message(**fields: str) -> Message[Any, Any]:
    """A message of the old kind, whose setters check nothing."""
    made = MIMEText("text")
    for name, value in {"From": "a@example.org", "To": "b@example.org", **fields}.items():
        del made[name]
        made[name.replace("_", "-")] = value
    return made


ATTEMPTS: dict[str, Callable[[Transport, str], object]] = {
    "reverse path": lambda t, evil: t.send_raw(Envelope(evil, ["b@example.org"]), b"x"),
    "recipient": lambda t, evil: t.send_raw(Envelope("a@example.org", [evil]), b"x"),
    "later recipient": lambda t, evil: t.send_raw(
        Envelope("a@example.org", ["b@example.org", evil]), b"x"
    ),
    "sender of compose": lambda t, evil: t.send(compose(sender=evil, to="b@example.org")),
    "to of compose": lambda t, evil: t.send(compose(sender="a@example.org", to=[evil])),
    "bcc of compose": lambda t, evil: t.send(
        compose(sender="a@example.org", to="b@example.org", bcc=[evil])
    ),
    "reply_to of compose": lambda t, evil: t.send(
        compose(sender="a@example.org", to="b@example.org", reply_to=[evil])
    ),
}


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_addresses(serve: Serve, profile_for: ProfileFor, attempt: str, evil: str) -> None:
    server = serve("implicit_tls")
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        before = server.raw
        with pytest.raises(MailsendError) as caught:
            ATTEMPTS[attempt](transport, evil)
        assert server.raw == before
        assert caught.value.safe_to_retry
        field = attempt.split(" of ", maxsplit=1)[0].replace("later ", "")
        assert field in str(caught.value)


@pytest.mark.parametrize("evil", ["x\r\nBcc: evil@example.org", "x\n\nbody", "x\rX: y", "x\0y"])
@pytest.mark.parametrize("field", ["Subject", "To", "From", "X_Custom", "Message_ID"])
def test_headers_of_old_messages(
    serve: Serve, profile_for: ProfileFor, field: str, evil: str
) -> None:
    server = serve("implicit_tls")
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        before = server.raw
        with pytest.raises(MailsendError):
            transport.send(message(**{field: evil}))
        assert server.raw == before


@pytest.mark.parametrize("name", ["X\r\nBcc", "X: y\r\nBcc", "X Y", "", "Ü", "X\0"])
def test_header_names(serve: Serve, profile_for: ProfileFor, name: str) -> None:
    server = serve("implicit_tls")
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        before = server.raw
        for made in (message(), compose(sender="a@example.org", to="b@example.org")):
            made[name] = "evil@example.org"
            with pytest.raises(MailsendError):
                transport.send(made)
        assert server.raw == before


@pytest.mark.parametrize(
    "content",
    [b"a\0b", b"Subject: x\r\n\r\n" + b"x" * 999, "text", None, 7],
    ids=["nul", "long line", "str", "none", "int"],
)
def test_contents(serve: Serve, profile_for: ProfileFor, content: Any) -> None:
    server = serve("implicit_tls")
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        before = server.raw
        with pytest.raises(MailsendError, match="content"):
            transport.send_raw(Envelope("a@example.org", ["b@example.org"]), content)
        assert server.raw == before


@pytest.mark.parametrize(
    ("content", "arrives"),
    [
        (b"a\r\n.\r\nMAIL FROM:<evil@x.org>\r\n", b"a\r\n.\r\nMAIL FROM:<evil@x.org>\r\n"),
        (b"a\n.\nMAIL FROM:<evil@x.org>\n", b"a\r\n.\r\nMAIL FROM:<evil@x.org>\r\n"),
        (b"a\r.\rMAIL FROM:<evil@x.org>\r", b"a\r\n.\r\nMAIL FROM:<evil@x.org>\r\n"),
        (b"a\n.\r\nQUIT", b"a\r\n.\r\nQUIT\r\n"),
        (b"a\r\n.\nQUIT", b"a\r\n.\r\nQUIT\r\n"),
        (b"a\r\r\n.\r\r\nQUIT", b"a\r\n\r\n.\r\n\r\nQUIT\r\n"),
        (b".", b".\r\n"),
        (b"", b"\r\n"),
    ],
)
def test_no_content_ends_early(
    serve: Serve, profile_for: ProfileFor, content: bytes, arrives: bytes
) -> None:
    server = serve("implicit_tls")
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        transport.send_raw(Envelope("a@example.org", ["b@example.org"]), content)
    assert [m.content for m in server.messages] == [arrives]
    assert server.violations == ()


@pytest.mark.parametrize("made", [None, "text", b"bytes", 7, object(), EmailMessage])
def test_things_that_are_no_message(serve: Serve, profile_for: ProfileFor, made: Any) -> None:
    server = serve("implicit_tls")
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        before = server.raw
        with pytest.raises(MailsendError):
            transport.send(made)
        with pytest.raises(MailsendError):
            transport.send_raw(made, b"x")
        report = next(transport.send_many([made]))
        assert report.error is not None
        assert server.raw == before


@pytest.mark.parametrize("evil", ["a\x1b[2Jb", "a\x07", "a\x0b", "a\x7f"])
def test_control_characters_in_fields_of_a_message(
    serve: Serve, profile_for: ProfileFor, evil: str
) -> None:
    server = serve("implicit_tls")
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "a@example.org", "b@example.org", evil
    made.set_content("x")
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        before = server.raw
        with pytest.raises(MailsendError, match="control character"):
            transport.send(made)
        assert server.raw == before


@pytest.mark.parametrize("wrong", ["x", None, 5, ("a", "b")])
def test_things_that_are_no_envelope(serve: Serve, profile_for: ProfileFor, wrong: Any) -> None:
    server = serve("implicit_tls")
    made = compose(sender="a@example.org", to="b@example.org", text="x")
    with pytest.raises(MailsendError, match="Envelope"):
        Submission(wrong, b"x")
    with pytest.raises(MailsendError, match="bytes"):
        Submission(Envelope("a@example.org", ["b@example.org"]), wrong)
    transport = ImplicitTlsTransport(profile_for(server, "implicit_tls"))
    if wrong is not None:
        with pytest.raises(MailsendError, match="Envelope"):
            transport.send(made, envelope=wrong)
    assert server.connections == 0
