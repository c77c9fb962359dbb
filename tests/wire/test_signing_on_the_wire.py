"""Signers between the session and the wire: once for each message, on what is sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mailsend import (
    Attachment,
    CapabilityError,
    ConfigurationError,
    InvalidMessage,
    SmtpProfile,
    compose,
    open_transport,
)
from mailsend.testing import Close, SmtpServer

Serve = Callable[..., SmtpServer]
ProfileFor = Callable[..., SmtpProfile]

FIRST = b"From: a@example.org\r\nTo: b@example.org\r\n\r\n.first\r\n"


class Counting:
    """A signer whose every signature is another one."""

    def __init__(self) -> None:
        self.given: list[bytes] = []

    def __call__(self, content: bytes) -> bytes:
        self.given.append(content)
        return b"X-Signature: %d\r\n" % len(self.given) + content


@pytest.mark.parametrize("eight_bit_at_first", [True, False])
def test_a_message_is_signed_once_though_its_session_is_replaced(
    serve: Serve, profile_for: ProfileFor, eight_bit_at_first: bool
) -> None:
    server = serve("implicit_tls", extensions=("8BITMIME",) if eight_bit_at_first else ())
    server.on("MAIL", Close(), skip=1, times=1)
    message = compose(
        sender="a@example.org", to=["b@example.org"], text="größer", html="<p>größer",
        attachments=[Attachment(b"x", "x.png")],
    )  # fmt: skip
    signer = Counting()
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        transport.send(FIRST)
        transport.send(message, signers=[signer])
    assert server.connections == 2
    assert len(signer.given) == 1
    content = server.messages[-1].content
    assert content == b"X-Signature: 1\r\n" + signer.given[0]
    assert content.isascii()


@pytest.mark.parametrize("signers", [[5], [lambda _: None]])
def test_what_cannot_be_signed_is_never_begun(
    serve: Serve, profile_for: ProfileFor, signers: list[object]
) -> None:
    server = serve("implicit_tls")
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        with pytest.raises((InvalidMessage, ConfigurationError)):
            transport.send(FIRST, signers=signers)  # type: ignore[arg-type]  # what it is about
        assert transport.send(FIRST).all_accepted
    assert [m.content for m in server.messages] == [FIRST]
    assert server.connections == 1


def test_a_signer_that_sends_by_the_same_transport(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls")
    with open_transport(profile_for(server, "implicit_tls")) as transport:

        def signer(content: bytes) -> bytes:
            transport.send(content)
            return content

        with pytest.raises(InvalidMessage, match="signer raised ConfigurationError"):
            transport.send(FIRST, signers=[signer])
        assert transport.send(FIRST).all_accepted
    assert len(server.messages) == 1


def test_octets_that_the_server_does_not_take_are_refused_before_mail(
    serve: Serve, profile_for: ProfileFor
) -> None:
    server = serve("implicit_tls", extensions=("SIZE 100",))
    eight = FIRST.replace(b"first", "größer".encode())
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        for octets, words in ((eight, "8BITMIME"), (FIRST + b"x" * 90, "at most 100")):
            with pytest.raises(CapabilityError, match=words):
                transport.send(octets)
        assert transport.send(FIRST).all_accepted
    assert [m.content for m in server.messages] == [FIRST]


@pytest.mark.parametrize(("text", "body"), [("größer", "BODY=8BITMIME"), ("greater", "")])
def test_eight_bits_are_declared_only_where_there_are_any(
    serve: Serve, profile_for: ProfileFor, text: str, body: str
) -> None:
    server = serve("implicit_tls", extensions=("8BITMIME", "SIZE"))
    octets = FIRST.replace(b"first", text.encode())
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        transport.send(octets)
        line = next(line for line in transport.transcript if "MAIL FROM" in line)
    assert f"SIZE={len(octets)}" in line
    assert ("BODY=" in line) is bool(body)
    assert body in line
