"""Signers: what they are given, and what they may do."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest

from mailsend import (
    Capabilities,
    ConfigurationError,
    Envelope,
    InvalidMessage,
    MemoryTransport,
    Submission,
    compose,
)
from mailsend.content import prepare
from mailsend.signing.signers import Signer, sign

CONTENT = b"From: a@x.org\r\nTo: b@x.org\r\n\r\n.body\r\n"
ENVELOPE = Envelope("a@x.org", ["b@x.org"])


def putting(octets: bytes) -> Signer:
    return lambda content: octets + content


def test_a_signer_gets_the_octets_that_are_sent() -> None:
    given: list[bytes] = []

    def signer(content: bytes) -> bytes:
        given.append(content)
        return b"X-Signature: 1\r\n" + content

    transport = MemoryTransport()
    transport.send(b"From: a@x.org\nTo: b@x.org\nBcc: c@x.org\n\n.body", signers=[signer])
    assert given == [CONTENT]
    assert transport.submissions[0].content == b"X-Signature: 1\r\n" + CONTENT
    assert transport.submissions[0].envelope.recipients == ("b@x.org", "c@x.org")


def test_signers_run_in_their_order_and_each_signs_what_the_last_one_made() -> None:
    signed = sign(
        prepare(CONTENT), [putting(b"A-Signature: 1\r\n"), putting(b"B-Signature: 1\r\n")]
    )
    assert signed.data == b"B-Signature: 1\r\nA-Signature: 1\r\n" + CONTENT


@pytest.mark.parametrize(
    "added",
    [
        b"",
        b"DKIM-Signature: v=1;\r\n b=x\r\n",
        b"ARC-Seal: i=1\r\nARC-Message-Signature: i=1\r\nARC-Authentication-Results: i=1; x\r\n",
        b"X-Google-DKIM-Signature: v=1\r\n",
        b"Authentication-Results: x; none\r\n",
        b"Received: from x by y; Tue, 1 Dec 2026 00:00:00 +0000\r\n",
    ],
)
def test_what_a_signer_may_add(added: bytes) -> None:
    assert sign(prepare(CONTENT), [putting(added)]).data == added + CONTENT


@pytest.mark.parametrize(
    ("signer", "words"),
    [
        (lambda _: None, "NoneType"),
        (lambda content: content.decode(), "str"),
        (lambda _: b"", "changed the message"),
        (lambda content: content[:-2], "changed the message"),
        (lambda content: content + b"\r\n", "changed the message"),
        (lambda content: content.replace(b"body", b"b0dy"), "changed the message"),
        (lambda content: content.replace(b"\r\n", b"\n"), "changed the message"),
        (lambda content: content.replace(b"\r\n\r\n", b"\r\nX-Signature: 1\r\n\r\n"), "changed"),
        (putting(b"X-Signature: 1"), "added the field|fields in front"),
        (putting(b"X-Signature: 1\r\n\r\n"), "whole header fields"),
        (putting(b"X-Signature: 1\r\n\r\nFrom: e@evil.org\r\n"), "whole header fields"),
        (putting(b"\r\n"), "whole header fields"),
        (putting(b"X-Signature: 1\r\n "), "cannot be read|whole"),
        (putting(b"X-Signature: 1\r\n \r\n"), "cannot be read"),
        (putting(b"X-Signature: a\nBcc: e@evil.org\r\n"), "cannot be read"),
        (putting(b"X-Signature: a\rb\r\n"), "cannot be read"),
        (putting(b"X-Signature: a\0b\r\n"), "cannot be read"),
        (putting(b"no field\r\n"), "cannot be read"),
        (putting(b"Bcc: e@evil.org\r\n"), "the field Bcc"),
        (putting(b"To: e@evil.org\r\n"), "the field To"),
        (putting(b"Subject: x\r\n"), "the field Subject"),
        (putting(b"Received-For: e@evil.org\r\n"), "the field Received-For"),
        (putting(b"X-Signature: 1\r\nReply-To: e@evil.org\r\n"), "the field Reply-To"),
        (putting("X-Signature: ü\r\n".encode()), "eight-bit"),
    ],
)
def test_what_a_signer_may_not_do(signer: Any, words: str) -> None:
    transport = MemoryTransport()
    with pytest.raises(InvalidMessage, match=words) as caught:
        transport.send(CONTENT, signers=[signer])
    assert caught.value.report is not None
    assert caught.value.report.not_sent == ("b@x.org",)
    assert transport.submissions == ()


def test_a_line_that_is_too_long_is_refused_there_too() -> None:
    with pytest.raises(InvalidMessage, match="998"):
        sign(prepare(CONTENT), [putting(b"X-Signature: " + b"x" * 998 + b"\r\n")])


def test_a_continued_field_of_the_message_is_none_of_the_signers() -> None:
    # A submission's content is not read before: its first line would become a part of the field.
    with pytest.raises(InvalidMessage, match="whole header fields"):
        sign(prepare(b" x\r\nFrom: a@x.org\r\n\r\n"), [putting(b"X-Signature: 1\r\n")])


@pytest.mark.parametrize("error", [ValueError("no"), ConfigurationError("no"), RecursionError()])
def test_a_signer_that_raises(error: Exception) -> None:
    def signer(_: bytes) -> bytes:
        raise error

    with pytest.raises(InvalidMessage, match="signer raised") as caught:
        MemoryTransport().send(CONTENT, signers=[signer])
    assert caught.value.__cause__ is error


def test_what_is_signed_has_seven_bits_if_it_may_be_encoded() -> None:
    # A relay further on may take no others, and would have to break the signature.
    message = EmailMessage()
    message["From"], message["To"] = "a@x.org", "b@x.org"
    message.set_content("é", cte="8bit")
    transport = MemoryTransport()
    transport.send(message, signers=[putting(b"X-Signature: 1\r\n")])
    assert transport.submissions[0].content.isascii()
    octets = message.as_bytes()
    transport.send(octets, signers=[putting(b"X-Signature: 1\r\n")])
    assert transport.submissions[1].content.endswith("\r\né\r\n".encode())


def test_an_interrupt_in_a_signer_is_one() -> None:
    def signer(_: bytes) -> bytes:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        MemoryTransport().send(CONTENT, signers=[signer])


@pytest.mark.parametrize("signers", [None, 5, "x", b"x", ["x"], [None], putting(b"")])
def test_what_is_no_list_of_signers(signers: Any) -> None:
    transport = MemoryTransport()
    with pytest.raises(ConfigurationError, match="signer"):
        transport.send(CONTENT, signers=signers)
    with pytest.raises(ConfigurationError, match="signer"):
        next(transport.send_many([CONTENT], signers=signers))


def test_many_messages_are_signed_whatever_they_are() -> None:
    transport = MemoryTransport()
    message = compose(sender="a@x.org", to=["b@x.org"], text="x")
    signers = iter([putting(b"X-Signature: 1\r\n")])  # one that can be read once only
    reports = list(
        transport.send_many([message, CONTENT, Submission(ENVELOPE, CONTENT, 7)], signers=signers)
    )
    assert [report.key for report in reports] == [None, None, 7]
    for submission in transport.submissions:
        assert submission.content.startswith(b"X-Signature: 1\r\n")
        assert submission.content.count(b"X-Signature") == 1


def test_one_that_cannot_be_signed_is_in_its_report() -> None:
    def signer(content: bytes) -> bytes:
        return b"" if b"odd" in content else content

    odd = CONTENT.replace(b"body", b"odd")
    transport = MemoryTransport()
    reports = list(
        transport.send_many([CONTENT, odd, Submission(ENVELOPE, odd), CONTENT], signers=[signer])
    )
    assert [type(r.error) for r in reports] == [type(None), InvalidMessage, InvalidMessage,
                                               type(None)]  # fmt: skip
    assert len(transport.submissions) == 2


def test_the_size_that_counts_is_that_of_what_is_signed() -> None:
    transport = MemoryTransport(capabilities=Capabilities.offering(f"SIZE {len(CONTENT) + 5}"))
    assert transport.send(CONTENT).all_accepted
    with pytest.raises(Exception, match=f"{len(CONTENT) + 16} octets"):
        transport.send(CONTENT, signers=[putting(b"X-Signature: 1\r\n")])
