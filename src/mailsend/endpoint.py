"""Where a server listens and how the connection is protected."""

from __future__ import annotations

import ipaddress
import re
from enum import StrEnum
from typing import Final

from attrs import Attribute, field, frozen

from mailsend.address import domain_to_ascii
from mailsend.errors import ConfigurationError, InvalidAddress


class Security(StrEnum):
    """How a connection is protected. There is no mode that tries and then goes on without.

    ``IMPLICIT_TLS``: TLS from the first octet (RFC 8314 §3.3). ``STARTTLS``: the connection
    begins in the clear and is upgraded before anything else, or given up (RFC 3207).
    ``INSECURE_PLAINTEXT``: no protection at all.
    """

    IMPLICIT_TLS = "implicit_tls"
    STARTTLS = "starttls"
    INSECURE_PLAINTEXT = "insecure_plaintext"


STANDARD_PORTS: Final = {
    Security.IMPLICIT_TLS: 465,  # RFC 8314 §3.3
    Security.STARTTLS: 587,  # RFC 6409 §3.1
    Security.INSECURE_PLAINTEXT: 25,
}

SCHEMES: Final = {
    "smtps": Security.IMPLICIT_TLS,
    "smtp": Security.STARTTLS,
    "smtp+insecure": Security.INSECURE_PLAINTEXT,
}
"""Schemes of URLs, each with the protection it stands for."""

_URL: Final = re.compile(
    r"([a-z+]+)://(\[[^\]/@?#]*\]|[^:/@?#\[\]]*)(?::([0-9]{1,5}))?/?", re.ASCII
)
# With a zone of RFC 4007 §11, for which the ipaddress module takes anything at all.
_ZONED: Final = re.compile(r"[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.-]{1,32})?")
_HOST_NAME: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,253}[A-Za-z0-9_])?")


def check_host(host: object, name: str = "host") -> str:
    """A host name or IP address as it can be connected to; IDNs become A-labels.

    Raises:
        ConfigurationError: It is neither.
    """
    if not isinstance(host, str):
        raise ConfigurationError(f"{name} has to be a string, not {type(host).__name__}")
    if not host:
        raise ConfigurationError(f"{name} is empty", advice="Name the SMTP server to connect to")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if ":" in bare:
        try:
            return str(ipaddress.IPv6Address(bare if _ZONED.fullmatch(bare) else ""))
        except ValueError as error:
            raise ConfigurationError(
                f"{name} {host!a} is no host name and no IPv6 address",
                advice="Give the port as `port`, apart from the host",
            ) from error
    try:
        ascii_host = host if host.isascii() else domain_to_ascii(host, field=name)
    except InvalidAddress as error:
        raise ConfigurationError(error.what) from error
    labels = ascii_host.split(".")
    if not _HOST_NAME.fullmatch(ascii_host) or not all(1 <= len(part) <= 63 for part in labels):
        raise ConfigurationError(
            f"{name} {host[:80]!a} is no host name and no IP address",
            advice="Write it as smtp.example.org, 192.0.2.1 or 2001:db8::1, without spaces, "
            "scheme or trailing dot",
        )
    return ascii_host


def check_port(_: object, attribute: Attribute[int], port: object) -> None:
    """An attrs validator for TCP ports."""
    if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65535:
        raise ConfigurationError(
            f"{attribute.name} has to be a whole number from 1 to 65535, not {ascii(port)[:40]}"
        )


def as_security(value: object) -> Security:
    """A :class:`Security`, or its value as text.

    Raises:
        ConfigurationError: There is no such mode.
    """
    try:
        return Security(str(value))
    except ValueError as error:
        modes = ", ".join(mode.value for mode in Security)
        raise ConfigurationError(
            f"security {ascii(value)[:80]} is not known", advice=f"Use one of {modes}"
        ) from error


@frozen
class Endpoint:
    """A server's address and the protection to use there.

    Attributes:
        host: name or IP address; an IDN is kept as A-labels.
        port: 1 to 65535.
        security: the mode.

    Raises:
        ConfigurationError: One of them cannot be used.
    """

    host: str = field(converter=check_host)
    port: int = field(validator=check_port)
    security: Security = field(converter=as_security)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def from_url(cls, url: str) -> Endpoint:
        """Read ``smtps://smtp.example.org:465``; without a port, the scheme's standard one.

        Raises:
            ConfigurationError: It is no such URL, or has more in it than scheme, host and port.
        """
        match = _URL.fullmatch(url) if isinstance(url, str) else None
        if match is None or match[1] not in SCHEMES:
            raise ConfigurationError(
                "an endpoint is not of the form smtps://smtp.example.org:465",
                advice=f"Begin with one of {', '.join(SCHEMES)} and leave out user name, password "
                "and options: they are the profile's",
            )
        security = SCHEMES[match[1]]
        return cls(match[2], int(match[3]) if match[3] else STANDARD_PORTS[security], security)

    @property
    def is_loopback(self) -> bool:
        """Whether the host names this machine by itself: ``localhost`` or a loopback address."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False
