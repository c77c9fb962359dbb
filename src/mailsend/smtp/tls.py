"""TLS contexts that always verify, and what a failed handshake means."""

from __future__ import annotations

import functools
import hashlib
import os
import ssl
from pathlib import Path
from typing import Final, NoReturn

from mailsend.cause import Cause
from mailsend.endpoint import Endpoint
from mailsend.errors import ConfigurationError
from mailsend.options import TlsOptions


def client_context(options: TlsOptions) -> ssl.SSLContext:
    """A context for these options: certificates required, host names checked, TLS 1.2 or later.

    Building one reads the whole trust store, so each is built once per process, and anew only
    when one of the files it came from has changed.

    Raises:
        ConfigurationError: A file cannot be read, or holds no certificate or no matching key.
    """
    files = (options.ca_file, options.client_cert, options.client_key)
    # OpenSSL's own variables name the system store, so a change of them is a change of trust.
    environment = tuple(os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
    return _build(options, tuple(map(_modified, files)), environment)


def _modified(file: Path | None) -> int | None:
    if file is None:
        return None
    try:
        return file.stat().st_mtime_ns
    except OSError as error:
        raise ConfigurationError(f"the TLS file {file} cannot be read: {error.strerror}") from error


@functools.lru_cache(maxsize=32)
def _build(
    options: TlsOptions,
    modified: tuple[int | None, ...],  # noqa: ARG001 - part of the cache's key
    environment: tuple[str | None, ...],  # noqa: ARG001 - part of the cache's key
) -> ssl.SSLContext:
    try:
        context = _trusting(options)
    except (OSError, ValueError) as error:  # SSLError is an OSError
        named = "ca_file" if options.ca_file is not None else "system's trust store"
        log = os.environ.get("SSLKEYLOGFILE")
        raise ConfigurationError(
            f"no TLS context can be made from the {named} {options.ca_file or ''}".rstrip(),
            advice="SSLKEYLOGFILE is set to a file that cannot be written; unset it"
            if log and not os.access(log, os.W_OK)
            else "It has to be a PEM file, beginning with -----BEGIN CERTIFICATE-----",
        ) from error
    context.minimum_version = options.minimum_version
    if options.relaxed_x509:
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if options.client_cert is not None:
        try:
            # Without the callback OpenSSL would ask for a passphrase on the terminal and wait.
            context.load_cert_chain(
                options.client_cert, options.client_key, password=_refuse_passphrase
            )
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"the client certificate {options.client_cert} cannot be used with its key",
                advice="Give PEM files that belong together; the key must not be encrypted",
            ) from error
    return context


def _trusting(options: TlsOptions) -> ssl.SSLContext:
    if options.ca_file is not None:
        return ssl.create_default_context(cafile=str(options.ca_file))
    import certifi  # noqa: PLC0415 - needed by the first encrypted session, not before

    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return context


def _refuse_passphrase() -> NoReturn:
    raise ValueError("the key is encrypted")


def matches_pin(certificate: bytes, pins: tuple[str, ...]) -> bool:
    """Whether a certificate (DER) has one of these SHA-256 fingerprints."""
    return hashlib.sha256(certificate).hexdigest() in pins


# OpenSSL's X509_V_ERR_ numbers, which have been stable since 1.0.
_VERIFY_CAUSES: Final = {
    9: Cause.CERTIFICATE_NOT_YET_VALID,
    10: Cause.CERTIFICATE_EXPIRED,
    62: Cause.CERTIFICATE_HOSTNAME_MISMATCH,
    64: Cause.CERTIFICATE_HOSTNAME_MISMATCH,  # an IP address
}
_REASON_CAUSES: Final = {
    "WRONG_VERSION_NUMBER": Cause.WRONG_SECURITY_MODE,
    "HTTP_REQUEST": Cause.WRONG_SECURITY_MODE,
    "PACKET_LENGTH_TOO_LONG": Cause.WRONG_SECURITY_MODE,
    "RECORD_LAYER_FAILURE": Cause.WRONG_SECURITY_MODE,
    "UNSUPPORTED_PROTOCOL": Cause.TLS_TOO_OLD,
    "TLSV1_ALERT_PROTOCOL_VERSION": Cause.TLS_TOO_OLD,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": Cause.CLIENT_CERTIFICATE_REQUIRED,
}


def explain(error: ssl.SSLError, endpoint: Endpoint) -> tuple[Cause, str, str | None]:
    """The cause of a failed handshake, a sentence about it, and what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        cause = _VERIFY_CAUSES.get(error.verify_code, Cause.CERTIFICATE_UNTRUSTED)
        what = f"the server's certificate was not accepted: {error.verify_message.rstrip('.')}"
        return cause, what, _CERTIFICATE_ADVICE[cause].format(host=endpoint.host)
    reason = error.reason or type(error).__name__
    cause = _REASON_CAUSES.get(reason, Cause.TLS_FAILED)
    return cause, _TLS_WORDS[cause].format(reason=reason), _TLS_ADVICE.get(cause)


_CERTIFICATE_ADVICE: Final = {
    Cause.CERTIFICATE_NOT_YET_VALID: "Check this machine's clock; else the server's administrator "
    "has to install a certificate that is valid now",
    Cause.CERTIFICATE_EXPIRED: "The server's administrator has to renew it; check this machine's "
    "clock too",
    Cause.CERTIFICATE_HOSTNAME_MISMATCH: "Use the host name that the certificate is for instead of "
    "{host}; somebody may also be answering in the server's place",
    Cause.CERTIFICATE_UNTRUSTED: "If {host} has a company's own certificate authority, give its "
    "file as TlsOptions(ca_file=...) or install it on this machine; else do not trust this "
    "connection",
}
_TLS_WORDS: Final = {
    Cause.WRONG_SECURITY_MODE: "the server does not speak TLS at this point ({reason})",
    Cause.TLS_TOO_OLD: "the server offers no version of TLS that is still safe ({reason})",
    Cause.CLIENT_CERTIFICATE_REQUIRED: "the server demands a client certificate ({reason})",
    Cause.TLS_FAILED: "the TLS handshake failed ({reason})",
}
_TLS_ADVICE: Final = {
    Cause.WRONG_SECURITY_MODE: "Use Security.STARTTLS if the port begins in the clear, as 587 and "
    "25 do; implicit TLS is usual on 465",
    Cause.TLS_TOO_OLD: "The server has to be updated to TLS 1.2 or later",
    Cause.CLIENT_CERTIFICATE_REQUIRED: "Give TlsOptions(client_cert=..., client_key=...)",
}
