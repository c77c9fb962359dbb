"""TLS contexts that always verify, and what a failed handshake means."""

from __future__ import annotations

import functools
import hashlib
import os
import ssl
from pathlib import Path
from typing import Final, NoReturn

from mailsend.endpoint import Security
from mailsend.errors import ConfigurationError
from mailsend.failures import Symptom
from mailsend.options import TlsOptions

_NO_CHECK_TIME: Final = ssl.VerifyFlags(0x200000)  # OpenSSL's X509_V_FLAG_NO_CHECK_TIME


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
    # RFC 9525 §2: a common name is words for people, and no longer names a host.
    context.hostname_checks_common_name = False
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


def context_for_looking_only(options: TlsOptions) -> ssl.SSLContext:
    """A context that tells what a certificate is for, once :func:`client_context` refused it.

    The certificate has to come from an authority that is trusted; its host names and dates are not
    compared with anything, because they are what is asked for. Never to be sent anything over.
    """
    context = _trusting(options)
    context.check_hostname = False
    context.verify_flags |= _NO_CHECK_TIME
    context.minimum_version = options.minimum_version
    return context


def _refuse_passphrase() -> NoReturn:
    raise ValueError("the key is encrypted")


def close_half_made(error: BaseException) -> None:
    """Close the socket that ``wrap_socket`` was making when it raised.

    Where the connection has been reset it has taken the descriptor over by then, and leaves it to
    nobody; only the traceback still leads to it.
    """
    traceback = error.__traceback__
    while traceback is not None:
        maker = traceback.tb_frame.f_locals.get("self")
        if isinstance(maker, ssl.SSLSocket):
            maker.close()
        traceback = traceback.tb_next


def matches_pin(certificate: bytes, pins: tuple[str, ...]) -> bool:
    """Whether a certificate (DER) has one of these SHA-256 fingerprints."""
    return hashlib.sha256(certificate).hexdigest() in pins


# OpenSSL's X509_V_ERR_ numbers, which have been stable since 1.0.
_VERIFY_SYMPTOMS: Final = {
    9: Symptom.CERTIFICATE_NOT_YET_VALID,
    10: Symptom.CERTIFICATE_EXPIRED,
    62: Symptom.CERTIFICATE_FOR_ANOTHER_HOST,
    64: Symptom.CERTIFICATE_FOR_ANOTHER_HOST,  # an IP address
    # What only VERIFY_X509_STRICT objects to; new in OpenSSL 3.0.
    **dict.fromkeys(range(80, 95), Symptom.CERTIFICATE_NOT_STRICT),
}
_REASON_SYMPTOMS: Final = {
    "WRONG_VERSION_NUMBER": Symptom.PLAIN_SERVER_ON_A_TLS_PORT,
    "HTTP_REQUEST": Symptom.PLAIN_SERVER_ON_A_TLS_PORT,
    "PACKET_LENGTH_TOO_LONG": Symptom.PLAIN_SERVER_ON_A_TLS_PORT,
    "RECORD_LAYER_FAILURE": Symptom.PLAIN_SERVER_ON_A_TLS_PORT,
    "UNSUPPORTED_PROTOCOL": Symptom.TLS_TOO_OLD,
    "TLSV1_ALERT_PROTOCOL_VERSION": Symptom.TLS_TOO_OLD,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": Symptom.CLIENT_CERTIFICATE_DEMANDED,
}


def explain(error: Exception, security: Security) -> tuple[Symptom, str]:
    """What was seen, and in which words, when a handshake failed.

    Args:
        error: what it raised.
        security: when the handshake was due.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        symptom = _VERIFY_SYMPTOMS.get(error.verify_code, Symptom.CERTIFICATE_UNTRUSTED)
        return symptom, error.verify_message.rstrip(".")
    if not isinstance(error, ssl.SSLError) or isinstance(error, ssl.SSLEOFError):
        return Symptom.HANDSHAKE_CUT, ""
    reason = error.reason or type(error).__name__
    symptom = _REASON_SYMPTOMS.get(reason, Symptom.HANDSHAKE_FAILED)
    if symptom is Symptom.PLAIN_SERVER_ON_A_TLS_PORT and security is Security.STARTTLS:
        symptom = Symptom.NO_TLS_AFTER_STARTTLS
    return symptom, reason
