"""The settings of a profile that come in groups: TLS, and bounds."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Final, TypeAlias

from attrs import Attribute, field, frozen

from mailsend.errors import ConfigurationError
from mailsend.reply import MAX_LINE_OCTETS, MAX_LINES

_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")


def check_switch(_: object, attribute: Attribute[bool], value: object) -> None:
    """An attrs validator: text such as "no" is true for Python, and so is refused."""
    if not isinstance(value, bool):
        raise ConfigurationError(
            f"{attribute.name} has to be True or False, not {ascii(value)[:80]}"
        )


_PathLike: TypeAlias = str | os.PathLike[str]


def _path(setting: str, value: _PathLike | None) -> Path | None:
    if value is None:
        return None
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str) or not text or not text.isprintable():
        raise ConfigurationError(f"{setting} {ascii(value)[:80]} is no usable path of a file")
    return Path(text).expanduser()


# A function for each, because type checkers read a converter's type only from a named function.
def _ca_file(value: _PathLike | None) -> Path | None:
    return _path("ca_file", value)


def _client_cert(value: _PathLike | None) -> Path | None:
    return _path("client_cert", value)


def _client_key(value: _PathLike | None) -> Path | None:
    return _path("client_key", value)


def _fingerprints(value: str | Iterable[str]) -> tuple[str, ...]:
    if not isinstance(value, Iterable):
        raise ConfigurationError(f"pinned_sha256 has to be a list, not {type(value).__name__}")
    texts = (value,) if isinstance(value, str) else tuple(value)
    pins = tuple(str(text).replace(":", "").lower() for text in texts)
    for pin, text in zip(pins, texts, strict=True):
        if not _FINGERPRINT.fullmatch(pin):
            raise ConfigurationError(
                f"pinned_sha256 {ascii(text)[:80]} is not a SHA-256 fingerprint",
                advice="Give 64 hexadecimal digits, as `openssl x509 -noout -fingerprint -sha256` "
                "prints them",
            )
    return pins


def _version(value: object) -> ssl.TLSVersion:
    names = {
        "1.2": ssl.TLSVersion.TLSv1_2,
        "1.3": ssl.TLSVersion.TLSv1_3,
    }
    version = names.get(value) if isinstance(value, str) else value
    if not isinstance(version, ssl.TLSVersion) or version not in names.values():
        raise ConfigurationError(
            f"minimum_version {value!r} is not possible",
            advice="Use TLS 1.2 or TLS 1.3; older versions are broken (RFC 8996)",
        )
    return version


@frozen(kw_only=True)
class TlsOptions:
    """How to decide whom to trust. The certificate and the host name are always verified.

    Attributes:
        ca_file: PEM file of the only authorities to trust. None trusts certifi's bundle and the
            system store together, so that a company's authority installed on the machine works.
        client_cert: PEM file of the certificate (chain) to present, if the server asks for one.
        client_key: PEM file of its key, not encrypted; None if `client_cert` holds it too.
        minimum_version: TLS 1.2 or 1.3; also ``"1.2"`` and ``"1.3"``.
        pinned_sha256: SHA-256 fingerprints of the server's own certificate, one of which has to
            match besides the verification. Empty: no pin.
        relaxed_x509: accept certificates that break RFC 5280 in form, as old company authorities
            make them. Python 3.13 refuses those otherwise; earlier versions never did.

    Raises:
        ConfigurationError: A value cannot be used, or a key is given without a certificate.
    """

    ca_file: Path | None = field(default=None, converter=_ca_file)
    client_cert: Path | None = field(default=None, converter=_client_cert)
    client_key: Path | None = field(default=None, converter=_client_key)
    minimum_version: ssl.TLSVersion = field(default=ssl.TLSVersion.TLSv1_2, converter=_version)
    pinned_sha256: tuple[str, ...] = field(default=(), converter=_fingerprints)
    relaxed_x509: bool = field(default=False, validator=check_switch)

    def __attrs_post_init__(self) -> None:
        if self.client_key is not None and self.client_cert is None:
            raise ConfigurationError(
                "client_key is given without client_cert", advice="Name the certificate's file too"
            )


def _count(_: object, attribute: Attribute[int], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(f"{attribute.name} has to be a whole number from 1, not {value!r}")


def _count_or_none(owner: object, attribute: Attribute[int | None], value: object) -> None:
    if value is not None:
        _count(owner, attribute, value)  # type: ignore[arg-type]  # only its name is read


@frozen(kw_only=True)
class Limits:
    """Bounds on what is received and sent.

    Attributes:
        reply_line_octets: longest reply line to accept.
        reply_lines: most lines of one reply to accept. The two bound what a hostile server can
            make the process hold: by default 512 KiB, and five times that as text at the worst.
        message_octets: largest message to send, besides what the server says; None: no bound.
        recipients: most recipients of one message; None: no bound.

    Raises:
        ConfigurationError: A value is not a positive whole number.
    """

    reply_line_octets: int = field(default=MAX_LINE_OCTETS, validator=_count)
    reply_lines: int = field(default=MAX_LINES, validator=_count)
    message_octets: int | None = field(default=None, validator=_count_or_none)
    recipients: int | None = field(default=None, validator=_count_or_none)
