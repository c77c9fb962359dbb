"""TLS of the embedded server: both ways in, good and bad certificates, handshakes that fail."""

from __future__ import annotations

import smtplib
import socket
import ssl
import subprocess
import sys
import warnings
from contextlib import closing
from pathlib import Path

import pytest

from mailsend.testing import (
    Answer,
    Authority,
    Certificate,
    Close,
    Garbage,
    PartialHandshake,
    Reset,
    SmtpServer,
)


def trusting(server: SmtpServer) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.ca_file)


def connected(server: SmtpServer) -> closing[smtplib.SMTP]:
    return closing(smtplib.SMTP("localhost", server.port, "client.example", timeout=5))


def handshaken(
    server: SmtpServer, context: ssl.SSLContext, name: str = "localhost"
) -> ssl.SSLSocket:
    plain = socket.create_connection((server.host, server.port), timeout=5)
    try:
        return context.wrap_socket(plain, server_hostname=name)
    except BaseException:
        plain.close()
        raise


def test_starttls() -> None:
    with SmtpServer() as server, connected(server) as client:
        client.ehlo()
        assert client.has_extn("starttls")
        assert client.docmd("MAIL FROM:<a@example.org>") == (
            530,
            b"5.7.0 Must issue a STARTTLS command first",
        )
        assert client.docmd("STARTTLS now")[0] == 501
        client.starttls(context=trusting(server))
        # RFC 3207 §4.2: what was said before does not count.
        assert client.docmd("MAIL FROM:<a@example.org>")[0] == 503
        client.ehlo()
        assert not client.has_extn("starttls")
        assert client.docmd("STARTTLS")[0] == 503
        client.sendmail("a@example.org", "b@example.org", b"x")
    assert server.messages[0].tls == "TLSv1.3"
    assert b"MAIL FROM" in server.raw[0].upper()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_implicit_tls(name: str) -> None:
    with (
        SmtpServer(security="implicit_tls") as server,
        closing(smtplib.SMTP_SSL(name, server.port, context=trusting(server), timeout=5)) as client,
    ):
        client.sendmail("a@example.org", "b@example.org", b"x")
    assert server.messages[0].tls == "TLSv1.3"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("expired", 10),  # X509_V_ERR_CERT_HAS_EXPIRED and so on
        ("not_yet_valid", 9),
        ("wrong_host", 62),
        ("self_signed", 18),
        ("untrusted", 20),
    ],
)
def test_bad_certificates(kind: Certificate, code: int) -> None:
    with SmtpServer(security="implicit_tls", certificate=kind) as server:
        context = trusting(server)
        with pytest.raises(ssl.SSLCertVerificationError) as caught:
            handshaken(server, context)
        assert caught.value.verify_code == code
        server.wait_closed()
    assert server.raw == (b"",)


def test_bad_certificate_after_starttls() -> None:
    with SmtpServer(certificate="expired") as server, connected(server) as client:
        context = trusting(server)
        with pytest.raises(ssl.SSLCertVerificationError):
            client.starttls(context=context)
    assert server.commands == (b"ehlo client.example", b"STARTTLS")


@pytest.mark.parametrize(
    ("version", "name"), [(ssl.TLSVersion.TLSv1_1, "TLSv1.1"), (ssl.TLSVersion.TLSv1_2, "TLSv1.2")]
)
def test_old_protocol_versions(version: ssl.TLSVersion, name: str) -> None:
    with SmtpServer(security="implicit_tls", tls_maximum=version) as server:
        context = trusting(server)
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = version
        with handshaken(server, context) as client:
            assert client.version() == name
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        with pytest.raises(ssl.SSLError, match=r"(?i)version"):
            handshaken(server, context)


def test_minimum_version() -> None:
    with SmtpServer(security="implicit_tls", tls_minimum=ssl.TLSVersion.TLSv1_3) as server:
        context = trusting(server)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(ssl.SSLError, match=r"(?i)version"):
            handshaken(server, context)


def test_client_certificate() -> None:
    with SmtpServer(security="implicit_tls", require_client_certificate=True) as server:
        context = trusting(server)
        with (
            handshaken(server, context) as client,
            # Under TLS 1.3 the client learns of the refusal with its first read.
            pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"),
        ):
            client.recv(100)
        context.load_cert_chain(*server.client_certificate)
        with handshaken(server, context) as client:
            assert client.recv(100).startswith(b"220 ")


def test_plaintext_behind_the_reply_to_starttls() -> None:
    with SmtpServer() as server, connected(server) as client:
        server.on("STARTTLS", Answer(b"220 2.0.0 Go\r\n250 injected\r\n"))
        client.ehlo()
        client.send("STARTTLS\r\n")
        assert client.sock is not None
        assert client.sock.recv(100) == b"220 2.0.0 Go\r\n250 injected\r\n"
        with trusting(server).wrap_socket(client.sock, server_hostname="localhost") as secure:
            secure.sendall(b"EHLO client.example\r\n")
            assert secure.recv(1000).startswith(b"250-localhost greets")


def test_plaintext_behind_the_starttls_command_is_not_obeyed() -> None:
    with SmtpServer() as server, connected(server) as client:
        client.ehlo()
        client.send("STARTTLS\r\nMAIL FROM:<a@example.org>\r\n")
        assert client.getreply()[0] == 554
    assert server.commands[-1] == b"STARTTLS"
    assert len(server.violations) == 1


@pytest.mark.parametrize("code", [250, 454, 550])
def test_starttls_refused(code: int) -> None:
    with SmtpServer() as server, connected(server) as client:
        server.on("STARTTLS", Answer(f"{code} 5.7.0 No"))
        client.ehlo()
        assert client.docmd("STARTTLS")[0] == code
        assert client.noop()[0] == 250


def test_garbage_instead_of_the_handshake() -> None:
    with SmtpServer() as server, connected(server) as client:
        server.on("TLS", Garbage(b"500 What is this?\r\n"))
        with pytest.raises(ssl.SSLError, match="WRONG_VERSION_NUMBER"):
            client.starttls(context=trusting(server))


def test_end_of_the_connection_instead_of_the_handshake() -> None:
    with SmtpServer(security="implicit_tls") as server:
        server.on("TLS", Close())
        server.on("TLS", Reset())
        with pytest.raises(ssl.SSLEOFError):
            handshaken(server, trusting(server))
        with pytest.raises(ConnectionResetError):
            handshaken(server, trusting(server))
        handshaken(server, trusting(server)).close()


@pytest.mark.parametrize("octets", [1, 60, 200])
def test_partial_handshake(octets: int) -> None:
    with SmtpServer(security="implicit_tls") as server:
        server.on("TLS", PartialHandshake(octets), Close())
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = trusting(server).wrap_bio(incoming, outgoing, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        with socket.create_connection((server.host, server.port), timeout=5) as client:
            client.sendall(outgoing.read())
            with client.makefile("rb") as answer:
                assert len(answer.read()) == octets


@pytest.mark.parametrize("close_notify", [True, False])
def test_end_of_the_connection_under_tls(close_notify: bool) -> None:
    with SmtpServer(security="implicit_tls") as server:
        server.on("GREETING", Close(close_notify=close_notify))
        context = trusting(server)
        with (
            socket.create_connection((server.host, server.port), timeout=5) as plain,
            context.wrap_socket(
                plain, server_hostname="localhost", suppress_ragged_eofs=False
            ) as client,
        ):
            if close_notify:
                assert client.recv(1) == b""
            else:
                with pytest.raises(ssl.SSLEOFError):
                    client.recv(1)


def test_commands_that_come_with_the_end_of_the_handshake() -> None:
    with SmtpServer(security="implicit_tls") as server:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = trusting(server).wrap_bio(incoming, outgoing, server_hostname="localhost")
        with socket.create_connection((server.host, server.port), timeout=5) as client:
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    client.sendall(outgoing.read())
                    incoming.write(client.recv(65536))
            tls.write(b"EHLO client.example\r\n")
            client.sendall(outgoing.read())
            server.wait_until(lambda: bool(server.violations))
    assert "before the greeting" in server.violations[0]


def test_an_authority_of_its_own() -> None:
    with SmtpServer(security="implicit_tls", authority=Authority()) as server:
        assert server.ca_file != Authority.shared().ca_file
        handshaken(server, trusting(server)).close()
        with pytest.raises(ssl.SSLCertVerificationError):
            handshaken(server, ssl.create_default_context(cafile=Authority.shared().ca_file))


def test_unknown_certificate() -> None:
    with pytest.raises(ValueError, match="golden"):
        SmtpServer(certificate="golden")  # type: ignore[arg-type]


def test_without_trustme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)
    with pytest.raises(ImportError, match=r'pip install "mailsend\[testing\]"'):
        Authority()
    with SmtpServer(security="insecure_plaintext") as server, connected(server) as client:
        assert client.noop()[0] == 250


def test_importing_does_not_import_trustme_and_files_are_removed_at_exit() -> None:
    program = (
        "import sys, mailsend.testing; assert 'trustme' not in sys.modules; "
        "print(mailsend.testing.Authority.shared().ca_file.parent)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stderr == ""
    assert not Path(done.stdout.strip()).exists()
