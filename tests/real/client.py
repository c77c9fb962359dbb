"""What the tests send, and the library's side of a real server."""

from __future__ import annotations

import time
import traceback
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from mailsend import (
    Attachment,
    ImplicitTlsTransport,
    InsecurePlaintextTransport,
    MailsendError,
    Password,
    Security,
    SmtpProfile,
    StartTlsTransport,
    Timeouts,
    TlsOptions,
    compose,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import EmailMessage

    from mailsend.transport.smtp import SmtpTransport

    from .real_server import Credentials, RealServer

ALICE: Final = "alice@example.test"
BOB: Final = "bob@example.test"
CAROL: Final = "carol@example.test"
NOBODY: Final = "nosuch@example.test"
FOREIGNER: Final = "someone@elsewhere.invalid"
UNICODE: Final = "δοκιμή@example.test"

TLS_WAYS: Final = [Security.STARTTLS, Security.IMPLICIT_TLS]
_VARIANTS: Final[dict[Security, type[SmtpTransport]]] = {
    Security.STARTTLS: StartTlsTransport,
    Security.IMPLICIT_TLS: ImplicitTlsTransport,
    Security.INSECURE_PLAINTEXT: InsecurePlaintextTransport,
}

# Lines that begin with dots, one of a dot alone, and characters outside ASCII.
TEXT: Final = ".\n..\n.dot\nGrüße, 5 €\n\n.\nend\n"
HTML: Final = "<p>Grüße</p>\n.<b>dot</b>\n"
OCTETS: Final = bytes(range(256)) * 40


def client(
    server: RealServer,
    security: Security = Security.STARTTLS,
    *,
    port: int | None = None,
    user: Credentials | None = None,
    tls: TlsOptions | None = None,
    **settings: Any,
) -> SmtpTransport:
    """A transport that trusts the server; without `port` to where messages are submitted."""
    if port is None:
        implicit = security is Security.IMPLICIT_TLS
        port = server.ports.implicit_tls if implicit else server.ports.submission
    if user is not None:
        settings.update(username=user.username, credentials=Password(user.password))
    profile = SmtpProfile(
        host=server.host,
        port=port,
        security=security,
        tls=tls or TlsOptions(ca_file=server.ca_file),
        timeouts=Timeouts.uniform(20),
        **settings,
    )
    return _VARIANTS[security](profile)


def submitting(server: RealServer, security: Security = Security.STARTTLS) -> SmtpTransport:
    """To the submission listener, as Alice."""
    return client(server, security, user=server.alice)


def relaying(server: RealServer) -> SmtpTransport:
    """To the listener that refuses, which knows nobody."""
    return client(server, port=server.ports.refusing)


def new_token() -> str:
    """What one message has and no other."""
    return uuid4().hex


def letter(token: str, *, body: bytes = b"Hello\r\n", subject: str = "hello") -> bytes:
    return (
        b"Date: Mon, 1 Jan 2024 00:00:00 +0000\r\n"
        b"From: alice@example.test\r\n"
        b"To: bob@example.test\r\n"
        b"Message-ID: <%b@example.test>\r\n"
        b"Subject: %b\r\n\r\n%b" % (token.encode(), subject.encode(), body)
    )


def composed(token: str, *, to: str = BOB, bcc: tuple[str, ...] = ()) -> EmailMessage:
    """Text, HTML and an attachment, rendered to the same octets every time."""
    message = compose(
        sender=f"Alice <{ALICE}>",
        to=to,
        bcc=bcc,
        subject=f"Grüße {token}",
        text=TEXT,
        html=HTML,
        attachments=[Attachment(OCTETS, "octets.bin")],
        headers={"X-Token": token},
    )
    for number, part in enumerate(message.walk()):
        if part.is_multipart():
            part.set_boundary(f"=={token}=={number}")
    return message


def commands(transcript: tuple[str, ...], verb: str) -> int:
    """How often we said it."""
    return sum(line.startswith(f"C: {verb}") for line in transcript)


def assert_hidden(user: Credentials, *texts: str) -> None:
    """Fail if a text shows the password, as it is or as AUTH encodes it."""
    secret = user.password
    plain = f"\0{user.username}\0{secret}"
    forms = [secret, *(b64encode(form.encode()).decode() for form in (secret, plain))]
    shown = [form for form in forms if any(form in text for text in texts)]
    assert not shown


def everything_shown_of(error: MailsendError) -> tuple[str, ...]:
    """Whatever a log or a terminal may get to see of it."""
    return (
        str(error),
        repr(error),
        str(error.facts()),
        "\n".join(error.transcript),
        "".join(traceback.format_exception(error)),
    )


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 15) -> None:
    """For what another process does, and tells nobody about."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)
