"""DKIM signatures (RFC 6376, RFC 8463), by dkimpy: the extra ``mailsend[dkim]``.

A provider signs what is submitted to it, with the domain's key or its own. To sign oneself is for
who relays through a server that does not, or wants a signature of another domain beside it.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from attrs import field, frozen

from mailsend.address import domain_to_ascii
from mailsend.errors import ConfigurationError, InvalidAddress, InvalidMessage
from mailsend.message.header_section import read_header_section
from mailsend.secret import Hidden
from mailsend.signing.private_key import PrivateKey

ALGORITHMS: Final = ("rsa-sha256", "ed25519-sha256")
MIN_RSA_BITS: Final = 1024

_SELECTOR: Final = re.compile(r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*")
_FIELD_NAME: Final = re.compile(r"[!-9<-~]+")  # no semicolon, which ends a tag
# Signed once more than they are there, so that nobody can add one: what readers see first.
_SEALED: Final = ("from", "reply-to", "subject", "to", "cc")
# Signed where they are there, and sealed then too. A submission server may add those that are
# missing (RFC 6409 §8), which must not break the signature.
_SEALED_IF_PRESENT: Final = (
    "date", "message-id", "sender", "mime-version", "content-type", "content-transfer-encoding",
    "in-reply-to", "references", "list-unsubscribe", "list-unsubscribe-post",
)  # fmt: skip
_SIGNED_IF_PRESENT: Final = (
    "resent-date", "resent-from", "resent-sender", "resent-to", "resent-cc", "resent-message-id",
    "list-id", "list-help", "list-subscribe", "list-post", "list-owner", "list-archive",
)  # fmt: skip
_NEVER: Final = frozenset({
    "return-path", "received", "comments", "keywords", "bcc", "resent-bcc", "dkim-signature",
})  # fmt: skip


def _domain(value: str) -> str:
    if not isinstance(value, str):
        raise ConfigurationError(f"domain has to be a string, not {type(value).__name__}")
    try:
        return domain_to_ascii(value, field="domain").lower()
    except InvalidAddress as error:
        raise ConfigurationError(f"{ascii(value)[:80]} is no domain to sign for") from error


def _selector(value: str) -> str:
    if not isinstance(value, str) or not _SELECTOR.fullmatch(value):
        raise ConfigurationError(f"{ascii(value)[:80]} is no DKIM selector (RFC 6376 §3.1)")
    return value


def _private_key(value: PrivateKey) -> PrivateKey:
    if not isinstance(value, PrivateKey):
        kind = type(value).__name__
        del value  # perhaps the key itself
        raise ConfigurationError(
            f"private_key has to be a PrivateKey, not {kind}",
            advice="Write PrivateKey.from_file(path), or PrivateKey.from_env(variable)",
        )
    return value


def _field_names(value: Iterable[str]) -> tuple[str, ...]:
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise ConfigurationError(f"headers has to be a list, not {type(value).__name__}")
    names = tuple(value)
    for name in names:
        if not isinstance(name, str) or not _FIELD_NAME.fullmatch(name):
            raise ConfigurationError(f"{ascii(name)[:80]} is no name of a header field")
        if name.lower() in _NEVER:
            raise ConfigurationError(
                f"the field {name} is never signed (RFC 6376 §5.4.1)",
                advice="Leave it out: it is changed or taken out on the way",
            )
    return tuple(name.lower() for name in names)


@frozen
class DkimSigner:
    """Puts a DKIM-Signature before a message: ``transport.send(message, signers=[signer])``.

    The signature is relaxed/relaxed, of the whole body, without a length (``l=``). It covers the
    fields that RFC 6376 §5.4.1 recommends, as often as they are there, and From, Reply-To, Subject,
    To and Cc once more, so that none can be added. The key is read and checked when the signer is
    made, which is before any connection.

    Args:
        domain: to sign for; the ``d=`` tag. For DMARC it has to be that of From, or above it.
        selector: names the key: its public half is in the DNS at ``selector._domainkey.domain``.
        private_key: RSA of at least 1024 bits (2048 are usual), or Ed25519; in PEM, not encrypted.
        algorithm: ``rsa-sha256`` or ``ed25519-sha256``; None takes the one of the key. Many
            receivers do not know Ed25519 yet: sign with both keys then, by two signers.
        headers: names of further fields to sign where they are there.

    Raises:
        ConfigurationError: A value cannot be used, the key cannot be read or is of another kind, or
            the extra is not installed.
    """

    domain: str = field(converter=_domain)
    selector: str = field(converter=_selector)
    private_key: PrivateKey = field(converter=_private_key)
    algorithm: str | None = field(default=None)
    headers: tuple[str, ...] = field(default=(), converter=_field_names)
    _loaded: Hidden[bytes] = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if self.algorithm is not None and self.algorithm not in ALGORITHMS:
            raise ConfigurationError(
                f"the algorithm {ascii(self.algorithm)[:80]} is none of {', '.join(ALGORITHMS)}"
            )
        algorithm, key = _load(self.private_key)
        if self.algorithm not in {None, algorithm}:
            raise ConfigurationError(
                f"{self.private_key!r} is a key for {algorithm}, not for {self.algorithm}"
            )
        object.__setattr__(self, "algorithm", algorithm)
        object.__setattr__(self, "_loaded", key)

    def __call__(self, content: bytes) -> bytes:
        """The content with a signature in front.

        Args:
            content: every line end is CRLF.

        Raises:
            InvalidMessage: It has no From field, or could not be signed.
        """
        names = self._names(content)
        try:
            signature = (
                _dkimpy()
                .DKIM(content, signature_algorithm=str(self.algorithm).encode(), linesep=b"\r\n")
                .sign(
                    self.selector.encode(),
                    self.domain.encode(),
                    self._loaded.value,
                    canonicalize=(b"relaxed", b"relaxed"),
                    include_headers=names,
                )
            )
        except Exception as error:  # noqa: BLE001 - dkimpy has many, and none in common
            # The frames of dkimpy hold the key.
            raise InvalidMessage(
                f"the message could not be signed for {self.domain}: {type(error).__name__}"
            ) from error.with_traceback(None)
        return bytes(signature) + content

    def _names(self, content: bytes) -> list[bytes]:
        """Each field to sign, as often as it is signed (RFC 6376 §5.4.2)."""
        there = Counter(read_header_section(content).names)
        if not there["from"]:
            raise InvalidMessage("the message has no From field, which DKIM has to sign")
        names = []
        known = (*_SEALED, *_SEALED_IF_PRESENT, *_SIGNED_IF_PRESENT, *self.headers)
        for name in dict.fromkeys(known):
            once_more = name in _SEALED or (name in _SEALED_IF_PRESENT and there[name])
            names += [name.encode()] * (there[name] + int(once_more))
        return names

    def __reduce__(self) -> tuple[Callable[..., DkimSigner], tuple[Any, ...]]:
        # The loaded key stays behind: a reference to it is read again.
        return (
            DkimSigner,
            (self.domain, self.selector, self.private_key, self.algorithm, self.headers),
        )


@contextmanager
def _extra() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise ConfigurationError(
            f"DKIM signatures need packages that are not installed: {error.name}",
            advice='Install them with pip install "mailsend[dkim]"',
        ) from error


def _dkimpy() -> Any:
    # Imported here: an extra, which costs time that only signing is worth.
    with _extra():
        import dkim  # type: ignore[import-untyped]  # noqa: PLC0415 - it has no types
        import nacl.signing  # noqa: F401, PLC0415 - dkimpy goes on without it, and fails later

    return dkim


def _load(reference: PrivateKey) -> tuple[str, Hidden[bytes]]:
    """The algorithm, and the key as dkimpy takes it."""
    _dkimpy()
    with _extra():
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ed25519, rsa  # noqa: PLC0415
    pem = Hidden(reference.reveal())
    try:
        key = serialization.load_pem_private_key(pem.value, password=None)
    except TypeError as error:
        raise ConfigurationError(
            f"{reference!r} is encrypted",
            advice="Decrypt it, and keep it where only this program can read it",
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(f"{reference!r} is no private key in PEM") from error
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519-sha256", Hidden(base64.b64encode(key.private_bytes_raw()))
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ConfigurationError(f"{reference!r} is neither an RSA nor an Ed25519 key")
    if key.key_size < MIN_RSA_BITS:
        raise ConfigurationError(
            f"{reference!r} has {key.key_size} bits, and receivers take no RSA signature of less "
            f"than {MIN_RSA_BITS} (RFC 8301 §3.2)",
            advice="Make a key of 2048 bits",
        )
    encoded = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return "rsa-sha256", Hidden(encoded)
