"""A throw-away certificate authority, and certificates that are right or wrong in one way."""

from __future__ import annotations

import atexit
import datetime as dt
import hashlib
import os
import shutil
import ssl
import tempfile
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    import trustme

Certificate: TypeAlias = Literal[
    "valid", "expired", "not_yet_valid", "wrong_host", "self_signed", "untrusted"
]
"""What a client that trusts :attr:`Authority.ca_file` and connects to ``localhost`` finds."""

NAMES: Final = ("localhost", "127.0.0.1", "::1")

_PAST: Final = dt.datetime(2001, 1, 1)  # noqa: DTZ001 - trustme takes naive UTC
_FUTURE: Final = dt.datetime(2900, 1, 1)  # noqa: DTZ001


_sharing: Final = threading.Lock()
_shared: Authority | None = None


class Authority:
    """Issues certificates for ``localhost``, ``127.0.0.1`` and ``::1`` into temporary files.

    The files are removed when the interpreter exits. Each certificate is made once.

    Raises:
        ImportError: The package trustme is not installed.
    """

    def __init__(self) -> None:
        self._ca = _new_ca()
        self._lock = threading.Lock()
        self._issued: dict[str, Path] = {}
        self._directory = Path(tempfile.mkdtemp(prefix="mailsend-testing-"))
        atexit.register(_remove, self._directory, os.getpid())
        self._ca_file = self._write("ca.pem", self._ca.cert_pem.bytes())

    @classmethod
    def shared(cls) -> Authority:
        """The one that all servers of this process use, made at the first call."""
        global _shared  # noqa: PLW0603 - one per process is the point
        with _sharing:
            if _shared is None:
                _shared = cls()
            return _shared

    @property
    def ca_file(self) -> Path:
        """The certificate to trust, in PEM."""
        return self._ca_file

    @property
    def client_certificate(self) -> tuple[Path, Path]:
        """That of ``client@localhost``; see :meth:`client_certificate_for`."""
        return self.client_certificate_for("client@localhost")

    def client_certificate_for(self, email: str) -> tuple[Path, Path]:
        """Certificate file and key file of a client, in PEM, signed by this authority.

        Args:
            email: whom it names, as a subject alternative name (RFC 5280 §4.2.1.6).
        """
        digest = hashlib.sha256(email.encode()).hexdigest()[:16]
        certificate, key = f"client-{digest}.pem", f"client-{digest}.key"

        def issue() -> bytes:
            leaf = self._ca.issue_cert(email)
            self._write(key, leaf.private_key_pem.bytes())
            return b"".join(blob.bytes() for blob in leaf.cert_chain_pems)

        path = self._once(certificate, issue)
        return path, path.with_name(key)

    def server_certificate(self, kind: Certificate = "valid") -> Path:
        """Key and certificate of a server in one PEM file.

        ``self_signed`` is the certificate of an authority of its own and names no host;
        ``wrong_host`` names ``wrong.example``; ``untrusted`` is right but for its issuer.
        """
        if kind not in get_args(Certificate):
            raise ValueError(f"There is no certificate {kind!r}: {get_args(Certificate)}")
        return self._once(f"{kind}.pem", lambda: self._server_pem(kind))

    def server_context(
        self,
        kind: Certificate = "valid",
        *,
        minimum: ssl.TLSVersion | None = None,
        maximum: ssl.TLSVersion | None = None,
        request_client_certificate: bool = False,
        require_client_certificate: bool = False,
    ) -> ssl.SSLContext:
        """A context that presents a certificate of this authority.

        Args:
            kind: which certificate.
            minimum: lowest protocol version spoken; None for Python's own choice.
            maximum: highest protocol version spoken; below TLS 1.2 the security level of the
                ciphers is lowered as well, since OpenSSL 3 refuses them otherwise.
            request_client_certificate: ask clients for a certificate of this authority; those
                without one are served too.
            require_client_certificate: refuse clients without a certificate of this authority.
        """
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        with warnings.catch_warnings():
            # Naming TLS 1.0 and 1.1 is deprecated; serving them is the point here.
            warnings.simplefilter("ignore", DeprecationWarning)
            if maximum is not None:
                if maximum < ssl.TLSVersion.TLSv1_2:
                    context.set_ciphers("ALL:@SECLEVEL=0")
                    context.minimum_version = maximum
                context.maximum_version = maximum
            if minimum is not None:
                context.minimum_version = minimum
        context.load_cert_chain(self.server_certificate(kind))
        if request_client_certificate or require_client_certificate:
            required = ssl.CERT_REQUIRED if require_client_certificate else ssl.CERT_OPTIONAL
            context.verify_mode = required
            context.load_verify_locations(self.ca_file)
        return context

    def _server_pem(self, kind: Certificate) -> bytes:
        if kind == "self_signed":
            alone = _new_ca()
            return alone.private_key_pem.bytes() + alone.cert_pem.bytes()
        if kind == "expired":
            leaf = self._ca.issue_cert(*NAMES, not_after=_PAST)
        elif kind == "not_yet_valid":
            leaf = self._ca.issue_cert(*NAMES, not_before=_FUTURE)
        elif kind == "wrong_host":
            leaf = self._ca.issue_cert("wrong.example")
        else:
            ca = self._ca if kind == "valid" else _new_ca()
            leaf = ca.issue_cert(*NAMES)
        return leaf.private_key_and_cert_chain_pem.bytes()

    def _once(self, name: str, issue: Callable[[], bytes]) -> Path:
        with self._lock:
            if name not in self._issued:
                self._issued[name] = self._write(name, issue())
            return self._issued[name]

    def _write(self, name: str, pem: bytes) -> Path:
        path = self._directory / name
        path.write_bytes(pem)
        return path


def _new_ca() -> trustme.CA:
    try:
        import trustme  # noqa: PLC0415 - only servers with TLS need it
    except ImportError as error:
        raise ImportError(
            'Certificates for tests need the package trustme: pip install "mailsend[testing]"',
            name="trustme",
        ) from error
    return trustme.CA()


def _remove(directory: Path, process: int) -> None:
    if os.getpid() == process:  # a forked child leaves its parent's files alone
        shutil.rmtree(directory, ignore_errors=True)
