"""What a certificate says of itself, in words."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Mapping
from typing import Any

from mailsend.reply import printable


def names(certificate: Mapping[str, Any]) -> tuple[str, ...]:
    """The hosts and addresses it is for, of a dictionary of :meth:`ssl.SSLSocket.getpeercert`."""
    return tuple(
        printable(str(value).encode())
        for kind, value in certificate.get("subjectAltName", ())
        if kind in {"DNS", "IP Address"}
    )


def validity(certificate: Mapping[str, Any]) -> str:
    """From when until when it is valid; empty if that is not known."""
    if "notBefore" not in certificate or "notAfter" not in certificate:
        return ""
    days = [
        dt.datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate[key]), dt.UTC).strftime(
            "%Y-%m-%d %H:%M"
        )
        for key in ("notBefore", "notAfter")
    ]
    return f"valid from {days[0]} to {days[1]} UTC"
