from __future__ import annotations

import hashlib
import os
import select
import socket
import ssl
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailsend import (
    Cause,
    ConfigurationError,
    Endpoint,
    Envelope,
    Limits,
    ProtocolViolation,
    Security,
    SessionError,
    SessionLost,
    SessionTimeout,
    SmtpProfile,
    Stage,
    Timeouts,
    TlsError,
    TlsOptions,
    open_transport,
)
from mailsend.smtp.tls import client_context, context_for_looking_only
from mailsend.smtp.wire import Wire
from mailsend.smtp.witness import Witness
from mailsend.testing import Action, Answer, Close, Hang, Reset, SmtpServer
from mailsend.timeouts import Watch
from mailsend.transcript import Transcript

Serve = Callable[..., SmtpServer]
ProfileFor = Callable[..., SmtpProfile]
ENCRYPTED = ("implicit_tls", "starttls")


def nothing_secret_left(server: SmtpServer) -> bool:
    """Whether the server has seen neither AUTH nor a message, on any connection."""
    octets = b"".join(server.raw)
    return b"AUTH" not in octets and b"MAIL" not in octets and server.messages == ()


def fingerprint(server: SmtpServer) -> str:
    pem = ssl.get_server_certificate((server.host, server.port))
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


@pytest.mark.parametrize("mode", ENCRYPTED)
@pytest.mark.parametrize(
    ("certificate", "cause", "words"),
    [
        ("wrong_host", Cause.CERTIFICATE_HOSTNAME_MISMATCH, "localhost"),
        ("self_signed", Cause.CERTIFICATE_UNTRUSTED, "self"),
        ("untrusted", Cause.CERTIFICATE_UNTRUSTED, "issuer"),
        ("expired", Cause.CERTIFICATE_EXPIRED, "expired"),
        ("not_yet_valid", Cause.CERTIFICATE_NOT_YET_VALID, "not valid yet"),
    ],
)
def test_a_wrong_certificate_gets_no_credential(
    serve: Serve, profile_for: ProfileFor, mode: str, certificate: str, cause: Cause, words: str
) -> None:
    server = serve(mode, certificate=certificate)
    with pytest.raises(TlsError, match=words) as caught:
        open_transport(profile_for(server, mode))
    assert caught.value.cause is cause
    assert caught.value.stage is Stage.TLS
    assert not caught.value.retryable
    assert caught.value.advice
    assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
    assert nothing_secret_left(server)


@pytest.mark.parametrize("mode", ENCRYPTED)
@pytest.mark.parametrize(
    ("certificate", "told"),
    [
        ("wrong_host", "it is for wrong.example, not for localhost"),
        ("expired", "it has expired (valid from 2"),
        ("not_yet_valid", "it is not valid yet (valid from 2"),
    ],
)
def test_what_the_certificate_says_is_told(
    serve: Serve, profile_for: ProfileFor, mode: str, certificate: str, told: str
) -> None:
    server = serve(mode, certificate=certificate)
    with pytest.raises(TlsError) as caught:
        open_transport(profile_for(server, mode))
    assert told in str(caught.value)
    # It was read over a connection of its own, on which nothing else was said.
    server.wait_until(lambda: server.connections == 2)
    before_tls = [line.split()[0] for line in server.raw[1].split(b"\r\n") if line]
    assert before_tls == ([b"EHLO", b"STARTTLS"] if mode == "starttls" else [])


@pytest.mark.parametrize("mode", ENCRYPTED)
@pytest.mark.parametrize("action", [Close(), Hang(), Reset(), Answer("554 no")])
def test_a_certificate_that_cannot_be_read_again_is_refused_all_the_same(
    serve: Serve, profile_for: ProfileFor, mode: str, action: Action
) -> None:
    server = serve(mode, certificate="wrong_host")
    server.on("GREETING" if mode == "starttls" else "TLS", action, skip=1, times=None)
    with pytest.raises(TlsError) as caught:
        open_transport(profile_for(server, mode, timeouts=Timeouts(tls=1)))
    assert caught.value.cause is Cause.CERTIFICATE_HOSTNAME_MISMATCH
    assert "localhost" in str(caught.value)


@pytest.mark.parametrize("mode", ENCRYPTED)
def test_a_stranger_is_not_asked_for_names(
    serve: Serve, profile_for: ProfileFor, mode: str
) -> None:
    server = serve(mode, certificate="untrusted")
    with pytest.raises(TlsError):
        open_transport(profile_for(server, mode))
    assert server.connections == 1


def test_the_context_for_looking_verifies_who_signed() -> None:
    context = context_for_looking_only(TlsOptions())
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert not context.check_hostname
    # And the one that is used for sending is none the worse for it.
    assert client_context(TlsOptions()).check_hostname


@pytest.mark.parametrize("mode", ENCRYPTED)
def test_without_the_private_authority_the_server_is_not_trusted(
    serve: Serve, profile_for: ProfileFor, mode: str
) -> None:
    server = serve(mode)
    with pytest.raises(TlsError) as caught:
        open_transport(profile_for(server, mode, tls=TlsOptions()))
    assert caught.value.cause is Cause.CERTIFICATE_UNTRUSTED
    assert nothing_secret_left(server)


@pytest.mark.parametrize("mode", ENCRYPTED)
def test_an_authority_in_the_system_store_is_trusted(
    serve: Serve, profile_for: ProfileFor, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(mode)
    monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
    with open_transport(profile_for(server, mode, tls=TlsOptions())) as transport:
        assert transport.capabilities.size_limit


def test_public_and_private_authorities_are_trusted_together(
    monkeypatch: pytest.MonkeyPatch, serve: Serve
) -> None:
    server = serve("implicit_tls")
    monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
    monkeypatch.setenv("SSL_CERT_DIR", os.devnull)
    subjects = [str(ca["subject"]) for ca in client_context(TlsOptions()).get_ca_certs()]
    assert any("ISRG Root X1" in subject for subject in subjects)  # certifi's
    assert len(subjects) > 50
    assert any("trustme" in subject for subject in subjects)  # the system's


def test_contexts_verify_and_are_shared() -> None:
    context = client_context(TlsOptions())
    assert context is client_context(TlsOptions())
    assert context is not client_context(TlsOptions(minimum_version="1.3"))
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_a_changed_file_gives_a_new_context(serve: Serve, tmp_path: Path) -> None:
    server = serve("implicit_tls")
    copy = tmp_path / "ca.pem"
    copy.write_bytes(server.ca_file.read_bytes())
    before = client_context(TlsOptions(ca_file=copy))
    os.utime(copy, ns=(1, 1))
    assert client_context(TlsOptions(ca_file=copy)) is not before


@pytest.mark.parametrize("mode", ENCRYPTED)
def test_old_versions_of_tls_are_refused(serve: Serve, profile_for: ProfileFor, mode: str) -> None:
    server = serve(mode, tls_minimum=ssl.TLSVersion.TLSv1, tls_maximum=ssl.TLSVersion.TLSv1_1)
    with pytest.raises(TlsError) as caught:
        open_transport(profile_for(server, mode))
    assert caught.value.cause is Cause.TLS_TOO_OLD
    assert nothing_secret_left(server)


@pytest.mark.parametrize("mode", ENCRYPTED)
def test_the_minimum_version_is_kept(serve: Serve, profile_for: ProfileFor, mode: str) -> None:
    server = serve(mode, tls_maximum=ssl.TLSVersion.TLSv1_2)
    options = TlsOptions(ca_file=server.ca_file, minimum_version="1.3")
    with pytest.raises(TlsError) as caught:
        open_transport(profile_for(server, mode, tls=options))
    assert caught.value.cause is Cause.TLS_TOO_OLD


@pytest.mark.parametrize("mode", ENCRYPTED)
def test_pins(serve: Serve, profile_for: ProfileFor, mode: str) -> None:
    server = serve(mode)
    right = fingerprint(serve("implicit_tls"))  # one certificate serves the whole process
    with_colons = ":".join(right[i : i + 2] for i in range(0, 64, 2)).upper()
    pinned = TlsOptions(ca_file=server.ca_file, pinned_sha256=("0" * 64, with_colons))
    with open_transport(profile_for(server, mode, tls=pinned)):
        assert any(command.startswith(b"AUTH") for command in server.commands)
    other = serve(mode)
    wrong = TlsOptions(ca_file=server.ca_file, pinned_sha256="0" * 64)
    with pytest.raises(TlsError) as caught:
        open_transport(profile_for(other, mode, tls=wrong))
    assert caught.value.cause is Cause.CERTIFICATE_PIN_MISMATCH
    assert nothing_secret_left(other)


@pytest.mark.parametrize("mode", ENCRYPTED)
def test_client_certificates(serve: Serve, profile_for: ProfileFor, mode: str) -> None:
    server = serve(mode, require_client_certificate=True)
    certificate, key = server.client_certificate
    options = TlsOptions(ca_file=server.ca_file, client_cert=certificate, client_key=key)
    with open_transport(profile_for(server, mode, tls=options)) as transport:
        assert transport.send_raw(Envelope("a@example.org", ["b@example.org"]), b"x").all_accepted
    other = serve(mode, require_client_certificate=True)
    # With TLS 1.3 the handshake is over before the server looks: the alert comes as first reply.
    with pytest.raises(SessionError) as caught:
        open_transport(profile_for(other, mode))
    assert isinstance(caught.value, TlsError | SessionLost)
    assert nothing_secret_left(other)


@pytest.mark.parametrize("mode", ENCRYPTED)
def test_ip_addresses_are_verified_as_such(
    serve: Serve, profile_for: ProfileFor, mode: str
) -> None:
    server = serve(mode)
    with open_transport(profile_for(server, mode, host="127.0.0.1")):
        pass
    with pytest.raises(TlsError) as caught:
        open_transport(profile_for(serve(mode, host="127.0.0.2"), mode))
    assert caught.value.cause is Cause.CERTIFICATE_HOSTNAME_MISMATCH


# -- STARTTLS stripped, refused, injected


def test_stripped_starttls_ends_the_session(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("insecure_plaintext")  # offers AUTH in the clear, and no STARTTLS
    profile = profile_for(server, "starttls", tls=TlsOptions())
    with pytest.raises(TlsError) as caught:
        open_transport(profile)
    assert caught.value.cause is Cause.STARTTLS_UNAVAILABLE
    assert caught.value.stage is Stage.STARTTLS
    assert nothing_secret_left(server)
    assert server.commands == (b"EHLO [127.0.0.1]",)


@pytest.mark.parametrize("reply", ["454 4.7.0 Not now", "501 No", "550 5.7.0 Never"])
def test_refused_starttls_ends_the_session(
    serve: Serve, profile_for: ProfileFor, reply: str
) -> None:
    server = serve("starttls", auth_without_tls=True)
    server.on("STARTTLS", Answer(reply))
    with pytest.raises(TlsError) as caught:
        open_transport(profile_for(server))
    assert caught.value.cause is Cause.STARTTLS_UNAVAILABLE
    assert str(caught.value.reply).startswith(reply[:3])
    assert caught.value.retryable is reply.startswith("4")
    assert nothing_secret_left(server)


def test_250_is_no_answer_to_starttls(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("starttls", auth_without_tls=True)
    server.on("STARTTLS", Answer("250 2.0.0 fine"))
    with pytest.raises(ProtocolViolation):
        open_transport(profile_for(server))
    assert nothing_secret_left(server)


@pytest.mark.parametrize(
    "injected",
    [b"250-evil\r\n250 AUTH PLAIN\r\n", b"250 evil", b"2", b"\r\n", b"220 again\r\n"],
)
def test_plaintext_behind_starttls_is_refused(
    serve: Serve, profile_for: ProfileFor, injected: bytes
) -> None:
    server = serve("starttls", auth_without_tls=True)
    server.on("STARTTLS", Answer(b"220 2.0.0 Ready\r\n" + injected))
    with pytest.raises(ProtocolViolation) as caught:
        open_transport(profile_for(server))
    assert caught.value.cause is Cause.STARTTLS_INJECTION
    assert nothing_secret_left(server)


def test_what_was_offered_before_tls_counts_for_nothing(
    serve: Serve, profile_for: ProfileFor
) -> None:
    server = serve("starttls", extensions=("8BITMIME",))
    server.on(
        "EHLO", Answer(b"250-localhost\r\n250-SMTPUTF8\r\n250-PIPELINING\r\n250 STARTTLS\r\n")
    )
    with open_transport(profile_for(server)) as transport:
        assert "SMTPUTF8" not in transport.capabilities
        assert "PIPELINING" not in transport.capabilities
        assert "8BITMIME" in transport.capabilities


# -- the wrong mode for the port


def test_implicit_tls_to_a_server_that_begins_in_the_clear(
    serve: Serve, profile_for: ProfileFor
) -> None:
    server = serve("starttls")
    with pytest.raises(TlsError, match="STARTTLS") as caught:
        open_transport(profile_for(server, "implicit_tls"))
    assert caught.value.cause is Cause.WRONG_SECURITY_MODE


def test_starttls_to_a_server_that_waits_for_tls(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls")
    with pytest.raises(SessionTimeout, match="IMPLICIT_TLS") as caught:
        open_transport(profile_for(server, "starttls", timeouts=Timeouts(greeting=0.3)))
    assert caught.value.stage is Stage.GREETING


# -- files


@pytest.mark.parametrize(
    ("field", "content"),
    [
        ("ca_file", None),
        ("ca_file", b"no certificate"),
        ("client_cert", b""),
        ("client_cert", None),
    ],
)
def test_unusable_files_are_found_before_connecting(
    serve: Serve, profile_for: ProfileFor, tmp_path: Path, field: str, content: bytes | None
) -> None:
    server = serve("implicit_tls")
    file = tmp_path / "file.pem"
    if content is not None:
        file.write_bytes(content)
    options: dict[str, Any] = {"ca_file": server.ca_file, field: file}
    with pytest.raises(ConfigurationError, match=r"file\.pem"):
        open_transport(profile_for(server, "implicit_tls", tls=TlsOptions(**options)))
    assert server.connections == 0


def test_plaintext_credentials_do_not_leave_the_machine(
    serve: Serve, profile_for: ProfileFor
) -> None:
    # The profile refuses other names and addresses; "localhost" could still lead elsewhere.
    with pytest.raises(ConfigurationError, match="loopback"):
        profile_for(serve("insecure_plaintext"), "insecure_plaintext", host="192.0.2.1")
    with pytest.raises(ConfigurationError, match="without encryption"):
        profile_for(
            serve("insecure_plaintext"), "insecure_plaintext", allow_plaintext_credentials=False
        )
    assert Security.INSECURE_PLAINTEXT.value == "insecure_plaintext"


class _LateContext(ssl.SSLContext):
    """Wraps a socket only when the connection has been reset."""

    peer: socket.socket

    def wrap_socket(self, sock: socket.socket, *args: Any, **options: Any) -> ssl.SSLSocket:
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.peer.close()
        select.select([sock], [], [], 5)
        return super().wrap_socket(sock, *args, **options)


def test_a_reset_just_before_the_handshake_leaves_no_socket_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = Endpoint("127.0.0.1", listener.getsockname()[1], Security.STARTTLS)
        watch = Watch(Timeouts.uniform(5))
        wire = Wire(Witness(endpoint, Transcript()), Limits(), clock=time.monotonic)
        wire.open(watch, None, ())
        context = _LateContext(ssl.PROTOCOL_TLS_CLIENT)
        context.peer, _ = listener.accept()
        descriptor = wire.sock.fileno() if wire.sock is not None else -1
        with pytest.raises(TlsError) as caught:
            wire.shake_hands(context, (), watch.deadline(Stage.TLS))
        assert not wire.is_open
        with pytest.raises(OSError, match=r"[Bb]ad file descriptor"):
            os.fstat(descriptor)
        assert caught.value.__cause__ is not None
