"""The parameters of MAIL and RCPT (RFC 5321 §4.1.2), read strictly, each by its extension."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from mailsend.capabilities import Capabilities, parse_date_time
from mailsend.testing.replies import Refused
from mailsend.xtext import decode_xtext

# Every character of a value is printable and no "=" (RFC 5321 §4.1.2, RFC 6531 §3.3).
_PARAMETER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(?:=[!-<>-~\u0080-\U0010ffff]+)?")

# Keyword to the extension that brings it.
_OF_MAIL: Final = {
    "SIZE": "SIZE",
    "BODY": "8BITMIME",
    "SMTPUTF8": "SMTPUTF8",
    "AUTH": "AUTH",
    "RET": "DSN",
    "ENVID": "DSN",
    "REQUIRETLS": "REQUIRETLS",
    "MT-PRIORITY": "MT-PRIORITY",
    "BY": "DELIVERBY",
    "HOLDFOR": "FUTURERELEASE",
    "HOLDUNTIL": "FUTURERELEASE",
}
_OF_RCPT: Final = {"NOTIFY": "DSN", "ORCPT": "DSN"}

_CONDITION: Final = "(?:SUCCESS|FAILURE|DELAY)"
_BY: Final = re.compile("([+-]?[0-9]{1,9});([NR])T?", re.IGNORECASE)  # RFC 2852
_VALUES: Final = {
    keyword: re.compile(pattern, re.IGNORECASE)
    for keyword, pattern in {
        "SIZE": "[0-9]{1,20}",  # RFC 1870 §3
        "SMTPUTF8": "",
        "RET": "FULL|HDRS",  # RFC 3461 §4.3
        "NOTIFY": f"NEVER|{_CONDITION}(?:,{_CONDITION})*",  # RFC 3461 §4.1
        "REQUIRETLS": "",  # RFC 8689 §2
        "MT-PRIORITY": "0|-?[1-9]",  # RFC 6710
        "BY": _BY.pattern,
        "HOLDFOR": "[1-9][0-9]{0,8}",  # RFC 4865
    }.items()
}
_ORCPT: Final = re.compile(r"([A-Za-z0-9!#$%&'*/?^_`{|}~-]+);(.+)")  # RFC 3461 §4.2
_UTF8_ADDRESS: Final = re.compile(  # RFC 6533 §3
    r"(?:[!-*,-<>-\[\]-~\u0080-\U0010ffff]|\\x\{[0-9A-F]{2,6}\})+"
)
_ENVID_CHARACTERS: Final = 100  # RFC 3461 §4.4
_ORCPT_CHARACTERS: Final = 500  # the keyword included, RFC 3461 §4.2


def check_parameters(
    parameters: tuple[str, ...], extensions: Mapping[str, str], *, of_mail: bool
) -> None:
    """Refuse what is not well-formed, and what belongs to an extension that was not offered.

    Args:
        parameters: as they were written.
        extensions: keyword, in upper case, to parameters of the EHLO reply.
        of_mail: whether they are those of MAIL, and not of RCPT.

    Raises:
        Refused: With what real servers answer.
    """
    known = _OF_MAIL if of_mail else _OF_RCPT
    values: dict[str, str] = {}
    for parameter in parameters:
        keyword, _, value = parameter.partition("=")
        keyword = keyword.upper()
        if not _PARAMETER.fullmatch(parameter) or keyword in values:
            raise Refused(501, "5.5.4", f"Bad parameter {parameter!a}")
        if known.get(keyword) not in extensions:
            raise Refused(555, "5.5.4", f"Parameter {keyword} is not supported")
        values[keyword] = value
    for keyword, value in values.items():
        if not _is_value(keyword, value, extensions):
            raise Refused(501, "5.5.4", f"Bad value of {keyword}")
    _check_limits(values, extensions)


def _is_value(keyword: str, value: str, extensions: Mapping[str, str]) -> bool:
    if keyword == "BODY":
        bodies = {"7BIT", "8BITMIME"} | ({"BINARYMIME"} & set(extensions))
        return value.upper() in bodies
    if keyword == "ENVID":
        return len(value) <= _ENVID_CHARACTERS and _is_printable_xtext(value)
    if keyword == "ORCPT":
        return _is_original_recipient(value, utf8="SMTPUTF8" in extensions)
    if keyword == "HOLDUNTIL":
        return parse_date_time(value) is not None
    pattern = _VALUES.get(keyword)
    return pattern is None or pattern.fullmatch(value) is not None


def _is_printable_xtext(value: str) -> bool:
    try:
        text = decode_xtext(value).decode("ascii")
    except ValueError:  # UnicodeDecodeError is one
        return False
    return bool(text) and text.isprintable()


def _is_original_recipient(value: str, *, utf8: bool) -> bool:
    found = _ORCPT.fullmatch(value)
    if found is None or len(f"ORCPT={value}") > _ORCPT_CHARACTERS:
        return False
    kind, address = found.groups()
    if kind.lower() != "utf-8":
        return _is_printable_xtext(address)
    return (utf8 or address.isascii()) and _UTF8_ADDRESS.fullmatch(address) is not None


def _check_limits(values: Mapping[str, str], extensions: Mapping[str, str]) -> None:
    limits = Capabilities.offering(*(f"{k} {v}" for k, v in extensions.items()))
    if found := _BY.fullmatch(values.get("BY", "")):
        seconds, returns = int(found[1]), found[2].upper() == "R"
        if returns and seconds <= 0:
            raise Refused(501, "5.5.4", "BY has to be positive with R")
        if returns and seconds < (limits.deliver_by_minimum or 0):
            raise Refused(555, "5.5.4", f"BY is less than {limits.deliver_by_minimum}")
    if "HOLDFOR" in values and "HOLDUNTIL" in values:
        raise Refused(501, "5.5.4", "HOLDFOR or HOLDUNTIL, not both")
    most = limits.hold_for_limit
    if most is not None and int(values.get("HOLDFOR", "0")) > most:
        raise Refused(501, "5.5.4", f"HOLDFOR is more than {most}")
    until, latest = parse_date_time(values.get("HOLDUNTIL", "")), limits.hold_until_limit
    if until is not None and latest is not None and until > latest:
        raise Refused(501, "5.5.4", f"HOLDUNTIL is after {latest.isoformat()}")
