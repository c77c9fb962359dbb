"""``mailsend demo``: the main job on this machine, with no account."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from mailsend.cli.exit_codes import ExitCode
from mailsend.composition.attachment import Attachment
from mailsend.composition.compose import compose
from mailsend.endpoint import Security
from mailsend.profile.smtp_profile import SmtpProfile
from mailsend.transport import open_transport

_USER = "ada@example.org"
_SECRET = "correct horse battery staple"  # noqa: S105 - of a server that lives for a second
_TEXT = (
    "Hello Bob,\n\nthe minutes are attached.\n.\nA line of one dot arrives as a line of one dot.\n"
)
_HTML = "<p>Hello Bob,</p><p>the minutes are <em>attached</em>.</p>"
_MINUTES = bytes(range(256)) * 16


def add_command(commands: Any) -> None:
    """Add ``demo`` to the parser."""
    parser = commands.add_parser(
        "demo",
        help="send a message to a server started for it, over TLS, and read it back",
        description="Start a mail server on this machine, send it a message with text, HTML and "
        "an attachment over STARTTLS and over implicit TLS, and read it back. Needs no account.",
    )
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Run the demonstration.

    Returns:
        0 only if what the server stored is what was sent, on both ways.
    """
    try:
        from mailsend.testing import Authority, SmtpServer  # noqa: PLC0415 - an extra

        Authority.shared()
    except ImportError as error:
        print(f"mailsend: {error}", file=sys.stderr)
        return ExitCode.UNAVAILABLE
    intact = True
    for security in (Security.STARTTLS, Security.IMPLICIT_TLS):
        with SmtpServer(security=security, users={_USER: _SECRET}) as server:
            intact = _one_way(server.profile(), server) and intact
    print("Both messages arrived as they were sent." if intact else "A message came out changed.")
    return ExitCode.OK if intact else ExitCode.UNAVAILABLE


def _one_way(profile: SmtpProfile, server: Any) -> bool:
    print(f"== {profile.security.name} to {profile.endpoint}, as {profile.username}\n")
    message = compose(
        sender=f"Ada <{_USER}>",
        to=["Bob <bob@example.org>"],
        bcc=["archive@example.org"],
        subject="Minutes of the meeting – März",
        text=_TEXT,
        html=_HTML,
        attachments=[Attachment(_MINUTES, "minutes.bin")],
    )
    with open_transport(profile) as transport:
        report = transport.send(message)
        for line in transport.transcript:
            print(f"   {line}")
    print("\n   The report:")
    for outcome in report.outcomes:
        print(f"   {outcome.outcome.value:<9} {outcome.address}  {outcome.reply}")
    print(f"   queue id  {report.queue_id}")
    return _read_back(server)


def _read_back(server: Any) -> bool:
    stored = server.messages[0]
    received = stored.message()
    attachment = next(received.iter_attachments())
    text = received.get_body(("plain",)).get_content().replace("\r\n", "\n")
    checks = {
        f"over {stored.tls}, authenticated as {stored.authenticated_as}": stored.tls is not None
        and stored.authenticated_as == _USER,
        f"subject: {received['Subject']}": received["Subject"] == "Minutes of the meeting – März",
        f"text of {len(text)} characters": text == _TEXT,
        "HTML": _HTML in received.get_body(("html",)).get_content(),
        f"attachment {attachment.get_filename()} of {len(_MINUTES)} octets": (
            attachment.get_content() == _MINUTES
        ),
        "no trace of Bcc in what Bob can see": b"archive@" not in stored.content,
    }
    print("\n   Read back from the server:")
    for what, right in checks.items():
        print(f"   {'ok' if right else 'WRONG':<9} {what}")
    print()
    return all(checks.values())
