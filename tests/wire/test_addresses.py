"""Addresses as a server gets them, octet by octet."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mailsend import (
    AddressRules,
    CapabilityError,
    Envelope,
    SmtpProfile,
    Stage,
    compose,
    open_transport,
)
from mailsend.testing import SmtpServer

Serve = Callable[..., SmtpServer]
ProfileFor = Callable[..., SmtpProfile]

BOTH = AddressRules(quoted_local_parts=True, address_literals=True)
CONTENT = b"Subject: hello\r\n\r\nHello.\r\n"
WITHOUT = ("PIPELINING", "SIZE 100000", "8BITMIME", "ENHANCEDSTATUSCODES")
WITH = (*WITHOUT, "SMTPUTF8")


def commands(server: SmtpServer) -> list[bytes]:
    (connection,) = server.raw
    return [c for c in connection.split(b"\r\n") if c[:4].upper() in {b"MAIL", b"RCPT"}]


def test_quoted_local_parts_and_address_literals(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("insecure_plaintext", extensions=WITHOUT)
    envelope = Envelope(
        '"ada lovelace"@example.org',
        [
            '"b"@example.org',
            '"x\\"> NOTIFY=NEVER"@[IPv6:2001:db8::1]',
            "b@Example.org",
            "c@[192.0.2.1]",
        ],
        rules=BOTH,
    )
    with open_transport(profile_for(server, "insecure_plaintext")) as transport:
        report = transport.send_raw(envelope, CONTENT)
    assert report.all_accepted
    assert commands(server) == [
        b'MAIL FROM:<"ada lovelace"@example.org> SIZE=26',
        b"RCPT TO:<b@example.org>",
        b'RCPT TO:<"x\\"> NOTIFY=NEVER"@[IPv6:2001:db8::1]>',
        b"RCPT TO:<c@[192.0.2.1]>",
    ]
    (message,) = server.messages
    assert message.rcpt_parameters == ((), (), ())
    assert [a.on_the_wire for a in message.envelope.recipient_addresses] == [
        a.on_the_wire for a in envelope.recipient_addresses
    ]


@pytest.mark.parametrize("extensions", [WITHOUT, WITH], ids=["without", "with"])
def test_domains_need_no_smtputf8(
    serve: Serve, profile_for: ProfileFor, extensions: tuple[str, ...]
) -> None:
    server = serve("insecure_plaintext", extensions=extensions)
    message = compose(
        sender="ada@straße.example", to=["b@bücher.example", "b@XN--BCHER-KVA.example"], text="x"
    )
    with open_transport(profile_for(server, "insecure_plaintext")) as transport:
        report = transport.send(message)
    assert report.all_accepted
    mail, *rcpt = commands(server)
    assert mail.startswith(b"MAIL FROM:<ada@xn--strae-oqa.example> ")
    assert b"SMTPUTF8" not in mail
    assert rcpt == [b"RCPT TO:<b@xn--bcher-kva.example>"]
    assert server.messages[0].content.isascii()


@pytest.mark.parametrize(
    ("sender", "recipient"),
    [("ä@bücher.example", "b@x.org"), ("a@x.org", "b@x.org,ç@x.org"), (None, '"é x"@x.org')],
)
def test_local_parts_need_it(
    serve: Serve, profile_for: ProfileFor, sender: str | None, recipient: str
) -> None:
    envelope = Envelope(sender, recipient.split(","), rules=BOTH)
    server = serve("insecure_plaintext", extensions=WITHOUT)
    with open_transport(profile_for(server, "insecure_plaintext")) as transport:
        with pytest.raises(CapabilityError, match="SMTPUTF8") as caught:
            transport.send_raw(envelope, CONTENT)
        assert caught.value.stage is Stage.MAIL
        assert caught.value.report is not None
        assert set(caught.value.report.not_sent) == set(envelope.recipients)
        assert commands(server) == []
        # The session is as good as before.
        assert transport.send_raw(Envelope(None, ["b@x.org"]), CONTENT).all_accepted
    able = serve("insecure_plaintext", extensions=WITH)
    with open_transport(profile_for(able, "insecure_plaintext")) as transport:
        assert transport.send_raw(envelope, CONTENT).all_accepted
    mail, *rcpt = commands(able)
    path = envelope.sender_address.on_the_wire if envelope.sender_address else ""
    assert mail.decode() == f"MAIL FROM:<{path}> SIZE=26 SMTPUTF8"
    assert [line.decode() for line in rcpt] == [
        f"RCPT TO:<{a.on_the_wire}>" for a in envelope.recipient_addresses
    ]
