"""What a certificate says of itself, in words."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from collections.abc import Mapping
from typing import Any, Final

from mailsend.failures import Symptom
from mailsend.reply import printable

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def names(certificate: Mapping[str, Any]) -> tuple[str, ...]:
    """The hosts and addresses it is for, of a dictionary of :meth:`ssl.SSLSocket.getpeercert`."""
    return tuple(
        printable(str(value).encode())
        for kind, value in certificate.get("subjectAltName", ())
        if kind in {"DNS", "IP Address"}
    )


def validity(certificate: Mapping[str, Any]) -> str:
    """From when until when it is valid; empty if that is not known or not legible."""
    period = _period(certificate)
    return "" if period is None else f"valid from {_shown(period[0])} to {_shown(period[1])} UTC"


def confirms(certificate: Mapping[str, Any], symptom: Symptom, host: str, now: dt.datetime) -> bool:
    """Whether what a certificate says is a reason for the symptom."""
    if symptom is Symptom.CERTIFICATE_FOR_ANOTHER_HOST:
        listed = names(certificate)
        return bool(listed) and not any(_covers(name.lower(), host.lower()) for name in listed)
    period = _period(certificate)
    if period is None:
        return False
    return now > period[1] if symptom is Symptom.CERTIFICATE_EXPIRED else now < period[0]


def _covers(name: str, host: str) -> bool:
    # RFC 9525 §6.3: a wildcard is the whole first label. Only for telling whether to quote the
    # name: what is trusted is OpenSSL's decision.
    if name.startswith("*."):
        return host.partition(".")[2] == name[2:]
    try:
        return ipaddress.ip_address(name) == ipaddress.ip_address(host)
    except ValueError:
        return name == host


def _period(certificate: Mapping[str, Any]) -> tuple[dt.datetime, dt.datetime] | None:
    try:
        begin, end = (
            _EPOCH + dt.timedelta(seconds=ssl.cert_time_to_seconds(certificate[key]))
            for key in ("notBefore", "notAfter")
        )
    except (KeyError, ValueError, OverflowError):
        return None
    return begin, end


def _shown(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
