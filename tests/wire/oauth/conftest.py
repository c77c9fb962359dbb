from __future__ import annotations

import datetime as dt
import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from mailsend import Secret
from mailsend.oauth.sign_in import SignIn
from mailsend.oauth.store import SignInStore
from mailsend.testing.authority import Authority

from .authorization_server import (
    ACCOUNT,
    CLIENT,
    GOOGLE_SCOPE,
    SECRET,
    TENANT,
    USER_SCOPE,
    AuthorizationServer,
)


@pytest.fixture(scope="session")
def ca_file() -> Path:
    return Authority.shared().ca_file


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    found = AuthorizationServer()
    with found.running(Authority.shared()):
        yield found


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where sign-ins are kept; nothing of the user's own is read or written."""
    path = tmp_path / "sign-ins"
    monkeypatch.setenv("MAILSEND_SIGN_INS", str(path))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    return path


Keep = Callable[..., SignIn]


@pytest.fixture
def keep(server: AuthorizationServer, ca_file: Path) -> Keep:
    """Keep a sign-in that the server knows, as if somebody had signed in."""

    def make(name: str = "work", provider: Any = "microsoft", **changes: Any) -> SignIn:
        google = provider == "google"
        settings: dict[str, Any] = {
            "client_id": CLIENT,
            "refresh_token": Secret(server.new_refresh_token()),
            "client_secret": Secret(SECRET) if google else None,
            "account": ACCOUNT,
            "scopes": (GOOGLE_SCOPE if google else USER_SCOPE, "openid"),
            "authority": f"{server.url}/token" if google else f"{server.url}/{TENANT}",
            "ca_file": ca_file,
            "signed_in_at": dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
        }
        sign_in = SignIn(name=name, provider=provider, **{**settings, **changes})
        SignInStore().save(sign_in)
        return sign_in

    return make


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def pem_of(key: rsa.RSAPrivateKey, passphrase: str | None = None) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase.encode())
        if passphrase
        else serialization.NoEncryption(),
    )


MakePem = Callable[..., Path]


@pytest.fixture
def certificate(server: AuthorizationServer, key: rsa.RSAPrivateKey, tmp_path: Path) -> MakePem:
    """A PEM file with key and certificate, which the server knows for that of the client."""

    def make(passphrase: str | None = None, *, key_first: bool = True) -> Path:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mailer")])
        found = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
            .not_valid_after(dt.datetime(2900, 1, 1, tzinfo=dt.UTC))
            .sign(key, hashes.SHA256())
        )
        digest = hashlib.sha256(found.public_bytes(serialization.Encoding.DER)).digest()
        server.public_keys[CLIENT] = key.public_key()
        server.public_keys["thumbprint"] = urlsafe_b64encode(digest).decode().rstrip("=")
        parts = [pem_of(key, passphrase), found.public_bytes(serialization.Encoding.PEM)]
        path = tmp_path / "client.pem"
        path.write_bytes(b"".join(parts if key_first else reversed(parts)))
        path.chmod(0o600)
        return path

    return make


@pytest.fixture
def key_file(server: AuthorizationServer, key: rsa.RSAPrivateKey, tmp_path: Path) -> Path:
    """The key of a service account, which the server knows."""
    server.public_keys["robot@project.example"] = key.public_key()
    path = tmp_path / "service-account.json"
    path.touch(mode=0o600)
    path.write_text(
        json.dumps(
            {
                "type": "service_account",
                "project_id": "project",
                "private_key_id": "1",
                "private_key": pem_of(key).decode(),
                "client_email": "robot@project.example",
                "client_id": "1",
                "token_uri": f"{server.url}/token",
            }
        )
    )
    return path


@pytest.fixture
def client_secrets(server: AuthorizationServer, tmp_path: Path) -> Path:
    """The file that Google makes for a client of the type Desktop app."""
    path = tmp_path / "client.json"
    path.touch(mode=0o600)
    path.write_text(
        json.dumps(
            {
                "installed": {
                    "client_id": CLIENT,
                    "client_secret": SECRET,
                    "auth_uri": f"{server.url}/o/oauth2/auth",
                    "token_uri": f"{server.url}/token",
                }
            }
        )
    )
    return path
