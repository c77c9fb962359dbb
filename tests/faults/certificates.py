"""Certificates that real authorities make no longer, and that trustme cannot."""

from __future__ import annotations

import datetime as dt
import ipaddress
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mailsend.testing import Authority, Certificate

_NOW: Final = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
_LATER: Final = dt.datetime(2200, 1, 1, tzinfo=dt.UTC)


class HandMade(Authority):
    """An authority whose server certificate is for ``localhost`` in an old-fashioned way.

    Args:
        alternative_names: name the host as RFC 9525 wants it. False: in the common name alone.
        key_identifiers: say whose key is whose, as RFC 5280 §4.2.1.1 wants it.
    """

    def __init__(self, *, alternative_names: bool = True, key_identifiers: bool = True) -> None:
        super().__init__()
        self._alternative_names = alternative_names
        self._key_identifiers = key_identifiers
        self._key = ec.generate_private_key(ec.SECP256R1())
        issuer = _name("mailsend tests")
        builder = (
            _builder(issuer, issuer, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(ca=True), critical=True)
        )
        if key_identifiers:
            identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
            builder = builder.add_extension(identifier, critical=False)
        self._certificate = builder.sign(self._key, hashes.SHA256())
        pem = self._certificate.public_bytes(serialization.Encoding.PEM)
        self._ca_file = self._write("hand-made.pem", pem)

    def _server_pem(self, kind: Certificate) -> bytes:
        assert kind == "valid"
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name("localhost")
        builder = _builder(subject, self._certificate.subject, key.public_key())
        if self._alternative_names:
            names = [
                x509.DNSName("localhost"),
                x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            ]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if self._key_identifiers:
            for extension in (
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
            ):
                builder = builder.add_extension(extension, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        return key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ) + certificate.public_bytes(serialization.Encoding.PEM)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_NOW)
        .not_valid_after(_LATER)
    )


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
