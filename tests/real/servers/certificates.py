"""The certificates the test servers show, and those a client may show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

HOST = "localhost"
HOSTS = (HOST, "mx.example.test", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Certificates:
    """A folder of PEM files. Those that identify someone begin with the private key."""

    folder: Path

    @property
    def ca(self) -> Path:
        """The authority behind every certificate but `self_signed` and `other_client`."""
        return self.folder / "ca.pem"

    @property
    def other_ca(self) -> Path:
        """An authority that issued nothing a server shows."""
        return self.folder / "other_ca.pem"

    @property
    def server(self) -> Path:
        return self.folder / "server.pem"

    @property
    def wrong_host(self) -> Path:
        return self.folder / "wrong_host.pem"

    @property
    def expired(self) -> Path:
        return self.folder / "expired.pem"

    @property
    def self_signed(self) -> Path:
        return self.folder / "self_signed.pem"

    @property
    def client(self) -> Path:
        """What the listener that demands a client certificate accepts."""
        return self.folder / "client.pem"

    @property
    def other_client(self) -> Path:
        """A client certificate of the authority that listener does not know."""
        return self.folder / "other_client.pem"

    @property
    def fingerprint(self) -> str:
        return sha256(self.ca.read_bytes()).hexdigest()

    def ensure(self) -> None:
        """Make the files, unless this version of this module has made them already."""
        marker = self.folder / "made-by"
        recipe = sha256(Path(__file__).read_bytes()).hexdigest()
        if marker.exists() and marker.read_text() == recipe:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        marker.unlink(missing_ok=True)

        ca, other_ca = trustme.CA(), trustme.CA()
        ca.cert_pem.write_to_path(self.ca)
        other_ca.cert_pem.write_to_path(self.other_ca)
        long_ago = datetime.now(UTC) - timedelta(days=30)
        _write(self.server, ca.issue_cert(*HOSTS))
        _write(self.wrong_host, ca.issue_cert("other.invalid"))
        _write(self.expired, ca.issue_cert(*HOSTS, not_after=long_ago))
        _write(self.client, ca.issue_cert("alice@example.test"))
        _write(self.other_client, other_ca.issue_cert("alice@example.test"))
        _write_self_signed(self.self_signed)

        marker.write_text(recipe)


def _write(path: Path, leaf: trustme.LeafCert) -> None:
    leaf.private_key_and_cert_chain_pem.write_to_path(path)


def _write_self_signed(path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, SHA256())
    )
    private_key = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private_key + certificate.public_bytes(Encoding.PEM))
