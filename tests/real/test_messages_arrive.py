"""What reaches a mailbox on a real server is what was asked, to the octet."""

from __future__ import annotations

import re
import subprocess
from base64 import b64decode, b64encode
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any, Final

import dkim_verifier
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from mailsend import (
    Alternative,
    Attachment,
    CalendarInvitation,
    CapabilityError,
    DkimSigner,
    Envelope,
    ForwardedMessage,
    Mailbox,
    PrivateKey,
    Security,
    compose,
)
from mailsend.content import prepare
from mailsend.message import parse, render

from .client import ALICE, BOB, TEXT, client, commands, letter, new_token, submitting
from .reader import Entity, perl
from .requests_to_compose import canonical, file_check, parts_check, text_check
from .servers.recipes import PostfixPorts, RoomyPorts

if TYPE_CHECKING:
    from mailsend.transport.smtp import SmtpTransport

    from .reader import MessageReader
    from .real_server import PostfixServer, RealServer
    from .servers.capsule import Installation

POSTMASTER: Final = "postmaster@example.test"
LONGEST: Final = "x" * 998
DOTS: Final = ".\n..\n...three\n.\n\n.dot at the end."
BODIES: Final = {
    "dots": DOTS,
    "eight bits": "Grüße, 5 €\n.é\n日本\n",
    "longest lines": f"{LONGEST}\n.{LONGEST[1:]}\né\n",
    "longer lines": f"{LONGEST}x\n{'é' * 499}x\n{'日' * 600}\n",
    "line ends of another kind": "a\r\nb\rc\n\nFrom d\n",
}


def seven_bit(server: RealServer) -> SmtpTransport:
    """To where 8BITMIME is not offered: on Postfix a listener, elsewhere we look away."""
    if isinstance(server.ports, PostfixPorts):
        port = server.ports.no_extensions
        return client(server, Security.INSECURE_PLAINTEXT, port=port)
    return client(server, port=server.ports.mx, disabled_extensions=("8BITMIME",))


def eight_bit_message(token: str, body: str) -> EmailMessage:
    """Not by compose(), which makes seven-bit texts in any case."""
    message = EmailMessage()
    message["From"], message["To"] = ALICE, BOB
    message["Subject"] = token
    message["Date"] = "Mon, 1 Jan 2024 00:00:00 +0000"
    message["Message-ID"] = f"<{token}@example.test>"
    message["MIME-Version"] = "1.0"
    message["Content-Type"] = 'text/plain; charset="utf-8"'
    message["Content-Transfer-Encoding"] = "8bit"
    message.set_payload(body.encode().decode("ascii", "surrogateescape"))
    return message


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("eight_bit", [True, False], ids=["8BITMIME", "seven-bit path"])
def test_a_text_arrives(
    server: RealServer, reader: MessageReader, body: str, eight_bit: bool
) -> None:
    composed_token, written_token = new_token(), new_token()
    composed = compose(sender=ALICE, to=BOB, subject=composed_token, text=body)
    written = eight_bit_message(written_token, body)
    with submitting(server) if eight_bit else seven_bit(server) as transport:
        transport.send(composed)
        transport.send(written)
        declared = [line for line in transport.transcript if "BODY=8BITMIME" in line]
    short = max(map(len, re.split(rb"\r\n|\r|\n", body.encode()))) < 999
    as_it_is = short and (eight_bit or body.isascii())
    assert bool(declared) is (as_it_is and not body.isascii())
    for message, token in ((composed, composed_token), (written, written_token)):
        stored = server.mailbox("bob").wait_for_content(token)
        assert stored == prepare(render(parse(message), eight_bit=eight_bit, utf8=False)).data
        assert max(map(len, stored.split(b"\r\n"))) <= 998
        read = reader.read(stored)
        assert read.octets == canonical(body)
        encoding = read.field("Content-Transfer-Encoding")
        assert message is composed or (encoding == "8bit") is as_it_is


def test_everything_at_once_arrives(server: RealServer, reader: MessageReader) -> None:
    octets = bytes(range(256)) * 300
    ics = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:Grüße\r\nEND:VCALENDAR\r\n"
    forwarded = (
        b"From: carol@example.test\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        b".\r\nGr\xc3\xbc\xc3\x9fe\r\n.."
    )
    token, html = new_token(), f"<p>{'é' * 1200}</p>\n.\n"
    message = compose(
        sender=Mailbox(ALICE, 'Älice, "A." <x@y>'),
        to=[Mailbox(BOB, "Bob; evil@example.test,"), "Anna <anna@bücher.example>"],
        subject=f"{token} =?utf-8?q?x?= Grüße ",
        text=TEXT + LONGEST + "x\n",
        html=html,
        inline={"logo": Attachment(octets, "Logo €.png", "image/png")},
        alternatives=[Alternative(DOTS, "text/markdown")],
        calendar=CalendarInvitation(ics, filename="invité.ics"),
        attachments=[
            Attachment(octets, '"; filename=evil.exe', "application/pdf"),
            Attachment(b"", "日本語" * 30 + ".txt", "text/plain"),
            ForwardedMessage(forwarded, filename="old.eml"),
        ],
    )
    for part in message.walk():
        if part.get_content_maintype() == "multipart":
            part.set_boundary(f"=={new_token()}==")
    with submitting(server) as transport:
        assert transport.send(message).all_accepted
    images = file_check(octets, "image/png", "inline", "Logo €.png", "logo")
    check = parts_check(
        "mixed",
        [
            parts_check(
                "alternative",
                [
                    text_check(TEXT + LONGEST + "x\n", "text/plain"),
                    parts_check(
                        "related", [text_check(html, "text/html"), images], type="text/html"
                    ),
                    text_check(DOTS, "text/markdown"),
                    text_check(ics, "text/calendar", method="REQUEST"),
                ],
            ),
            file_check(octets, "application/pdf", "attachment", '"; filename=evil.exe'),
            file_check(b"", "text/plain", "attachment", "日本語" * 30 + ".txt"),
            file_check(forwarded, "message/rfc822", "attachment", "old.eml"),
            file_check(ics.encode(), "application/ics", "attachment", "invité.ics"),
        ],
    )
    for box in ("bob", "sink"):
        stored = server.mailbox(box).wait_for_content(token)
        assert stored == render(parse(message), eight_bit=True, utf8=False)
        read = reader.read(stored)
        check(read)
        assert read.warnings == ()
        assert read.field("Subject") == f"{token} =?utf-8?q?x?= Grüße "
        assert read.mailboxes == {
            "from": (('Älice, "A." <x@y>', ALICE),),
            "to": (("Bob; evil@example.test,", BOB), ("Anna", "anna@xn--bcher-kva.example")),
        }


def test_a_domain_of_other_letters_travels_in_a_labels(server: RealServer) -> None:
    token = new_token()
    message = compose(sender=ALICE, to="anna@bücher.example", subject=token, text="x")
    with submitting(server) as transport:
        assert transport.send(message).accepted == ("anna@xn--bcher-kva.example",)
        assert commands(transport.transcript, "RCPT TO:<anna@xn--bcher-kva.example>") == 1
        assert not any("SMTPUTF8" in line for line in transport.transcript if "C: MAIL" in line)
    head = server.mailbox("sink").wait_for(token).partition(b"\n\n")[0]
    assert b"anna@xn--bcher-kva.example\n" in head
    assert b"To: anna@xn--bcher-kva.example\n" in head
    assert head.isascii()


@pytest.mark.parametrize("name", ["postfix", "exim"])
@pytest.mark.parametrize(
    ("to", "box", "on_the_wire"),
    [
        ("δοκιμή@example.test", "unicode", "δοκιμή@example.test"),
        ("用户@例え.jp", "sink", "用户@xn--r8jz45g.jp"),
    ],
)
def test_a_mailbox_of_other_letters(
    name: str,
    to: str,
    box: str,
    on_the_wire: str,
    reader: MessageReader,
    request: pytest.FixtureRequest,
) -> None:
    server: RealServer = request.getfixturevalue(name)
    token = new_token()
    message = compose(
        sender=Mailbox(ALICE, "Älice"), to=Mailbox(to, "Δ, 用"), subject=f"日本 {token}", text=DOTS
    )
    with submitting(server) as transport:
        assert transport.send(message).accepted == (on_the_wire,)
        (mail,) = [line for line in transport.transcript if "C: MAIL" in line]
        assert "SMTPUTF8" in mail
    stored = server.mailbox(box).wait_for_content(token)
    assert stored == render(parse(message), eight_bit=True, utf8=True)
    read = reader.read(stored)
    assert read.mailboxes == {"from": (("Älice", ALICE),), "to": (("Δ, 用", on_the_wire),)}
    assert read.field("Subject") == f"日本 {token}"
    assert read.octets == canonical(DOTS)


@pytest.mark.parametrize("name", ["postfix", "exim"])
def test_an_attachment_of_25_megabytes(name: str, request: pytest.FixtureRequest) -> None:
    server: RealServer = request.getfixturevalue(name)
    assert isinstance(server.ports, RoomyPorts)
    token = new_token()
    octets = (bytes(range(256)) + b"odd") * (25 * 2**20 // 259 + 1)
    # A mailbox that no other test waits for a message in.
    message = compose(
        sender=ALICE, to=POSTMASTER, subject=token, attachments=[Attachment(octets, "large.bin")]
    )
    message.set_boundary(f"=={token}==")
    with client(server, port=server.ports.large, user=server.alice) as transport:
        assert transport.send(message).accepted == (POSTMASTER,)
    stored = server.mailbox("postmaster").wait_for_content(token, 60)
    # Compared apart from the assertion, which would print both.
    as_rendered = stored == render(parse(message), eight_bit=True, utf8=False)
    assert as_rendered
    found = re.search(rb'filename="large\.bin"\r\n\r\n([A-Za-z0-9+/=\r\n]+)\r\n--', stored)
    assert found is not None
    as_attached = b64decode(found[1]) == octets
    assert as_attached


def test_an_eight_bit_message_of_octets_is_not_encoded(postfix: PostfixServer) -> None:
    token = new_token()
    content = letter(token, body="Grüße\r\n".encode())
    with seven_bit(postfix) as transport:
        with pytest.raises(CapabilityError):
            transport.send(content)
        with pytest.raises(CapabilityError):
            transport.send_raw(Envelope(ALICE, [BOB]), content)
        assert commands(transport.transcript, "MAIL") == 0
    assert postfix.mailbox("bob").stored_with(token) == []


KEYS: Final[dict[str, Any]] = {
    "rsa": generate_private_key(65537, 2048),
    "ed25519": Ed25519PrivateKey.generate(),
}


@pytest.mark.parametrize("eight_bit", [True, False], ids=["8BITMIME", "seven-bit path"])
def test_signatures_verify_behind_the_server(
    server: RealServer, readers: Installation, eight_bit: bool
) -> None:
    signers = [
        DkimSigner(
            "example.test",
            "s1",
            PrivateKey(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            ),
        )
        for key in KEYS.values()
    ]
    for name, signer in zip(KEYS, signers, strict=True):
        token = new_token()
        message = eight_bit_message(token, f"{DOTS}\nGrüße  \t \n\n\n{LONGEST}\n\n\n")
        with submitting(server) if eight_bit else seven_bit(server) as transport:
            transport.send(message, signers=[signer])
        stored = server.mailbox("bob").wait_for_content(token)
        key = KEYS[name].public_key()
        assert dkim_verifier.verify(stored, key)["d"] == "example.test"
        changed = stored.replace(b"...three", b"...there")
        assert changed != stored
        with pytest.raises((AssertionError, InvalidSignature)):
            dkim_verifier.verify(changed, key)
        if name == "rsa":  # Mail::DKIM knows no other yet
            assert verdict(readers, stored, key) == "pass"
            assert verdict(readers, changed, key).startswith("fail")


def verdict(readers: Installation, message: bytes, key: Any) -> str:
    """What Perl's Mail::DKIM says of a signature."""
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    record = f"v=DKIM1; k=rsa; p={b64encode(der).decode()}"
    ran = subprocess.run(
        [*perl(readers, "verify_dkim.pl"), record],
        input=message,
        stdout=subprocess.PIPE,
        timeout=20,
        check=True,
    )
    return ran.stdout.decode().strip()


def test_the_reader_sees_a_recipient_that_was_slipped_in(reader: MessageReader) -> None:
    read = reader.read(b"To: a@x.org,\r\n evil@x.org\r\nBcc: b@x.org\r\n\r\nx\r\n")
    assert isinstance(read, Entity)
    assert read.mailboxes == {
        "to": (("", "a@x.org"), ("", "evil@x.org")),
        "bcc": (("", "b@x.org"),),
    }
