"""What is quoted of a certificate that was refused, and when."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from mailsend import Symptom
from mailsend.smtp.certificate import confirms, names, validity

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
OTHER, EXPIRED = Symptom.CERTIFICATE_FOR_ANOTHER_HOST, Symptom.CERTIFICATE_EXPIRED
EARLY = Symptom.CERTIFICATE_NOT_YET_VALID


def certificate(*listed: str, begin: str = "Jan  1 00:00:00 2026 GMT",
                end: str = "Jan  1 00:00:00 2027 GMT") -> dict[str, Any]:  # fmt: skip
    kinds = [("IP Address" if name[0].isdigit() else "DNS", name) for name in listed]
    return {"subjectAltName": tuple(kinds), "notBefore": begin, "notAfter": end}


def test_names_and_dates() -> None:
    seen = certificate("a.example", "192.0.2.1")
    assert names({**seen, "subjectAltName": (*seen["subjectAltName"], ("URI", "x"))}) == (
        "a.example",
        "192.0.2.1",
    )
    assert validity(seen) == "valid from 2026-01-01 00:00 to 2027-01-01 00:00 UTC"
    assert names({}) == ()


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("Dec 31 23:59:59 9999 GMT", "valid from 2026-01-01 00:00 to 9999-12-31 23:59 UTC"),
        ("Jan  1 00:00:00 1950 GMT", "valid from 2026-01-01 00:00 to 1950-01-01 00:00 UTC"),
        ("nonsense", ""),
        ("Bad time value", ""),
    ],
)
def test_odd_dates_are_no_reason_to_fail(end: str, told: str) -> None:
    assert validity(certificate(end=end)) == told


@pytest.mark.parametrize(
    ("listed", "host", "told"),
    [
        (["other.example"], "mail.example.org", True),
        (["mail.example.org"], "mail.example.org", False),
        (["MAIL.example.org"], "mail.example.org", False),
        (["*.example.org"], "mail.example.org", False),
        (["*.example.org"], "a.mail.example.org", True),
        (["*.example.org"], "example.org", True),
        (["192.0.2.1"], "192.0.2.1", False),
        ([], "mail.example.org", False),
    ],
)
def test_names_are_told_where_they_are_the_reason(listed: list[str], host: str, told: bool) -> None:
    assert confirms(certificate(*listed), OTHER, host, NOW) is told


@pytest.mark.parametrize(
    ("begin", "end", "expired", "early"),
    [
        ("Jan  1 00:00:00 2026 GMT", "Jan  1 00:00:00 2027 GMT", False, False),
        ("Jan  1 00:00:00 2025 GMT", "Jan  1 00:00:00 2026 GMT", True, False),
        ("Jan  1 00:00:00 2027 GMT", "Jan  1 00:00:00 2028 GMT", False, True),
        ("nonsense", "nonsense", False, False),
    ],
)
def test_dates_are_told_where_they_are_the_reason(
    begin: str, end: str, expired: bool, early: bool
) -> None:
    seen = certificate("x.example", begin=begin, end=end)
    assert confirms(seen, EXPIRED, "x.example", NOW) is expired
    assert confirms(seen, EARLY, "x.example", NOW) is early
