"""The arguments of MAIL and RCPT (RFC 5321 §4.1.2), read strictly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from attrs import frozen

from mailsend.testing.parameters import check_parameters
from mailsend.testing.replies import Refused

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_DOT_STRING: Final = rf"{_ATOM}(?:\.{_ATOM})*"
_QUOTED: Final = r'"(?:[ !#-\[\]-~\u0080-\U0010ffff]|\\[ -~])*"'
_ALNUM: Final = r"[A-Za-z0-9\u0080-\U0010ffff]"
_LABEL: Final = rf"{_ALNUM}(?:[A-Za-z0-9\u0080-\U0010ffff-]*{_ALNUM})?"
_DOMAIN: Final = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[!-Z^-~]+\])"
_PATH: Final = re.compile(
    rf"<(?:(?P<local>{_DOT_STRING}|{_QUOTED})@(?P<domain>{_DOMAIN})|(?P<other>[Pp]ostmaster|))>"
)


@frozen
class Path:
    """The parsed argument of MAIL or RCPT.

    Attributes:
        address: without angle brackets; empty for ``<>``.
        parameters: as they were written.
    """

    address: str
    parameters: tuple[str, ...] = ()

    def value(self, name: str) -> str | None:
        """The value of a parameter, empty if it has none; None if it was not given."""
        for parameter in self.parameters:
            keyword, _, value = parameter.partition("=")
            if keyword.upper() == name:
                return value
        return None


def parse_path(line: bytes, extensions: Mapping[str, str]) -> Path:
    """Read ``MAIL FROM:<...>`` or ``RCPT TO:<...>`` with parameters.

    Args:
        line: the command without its line end.
        extensions: keyword, in upper case, to parameters of the EHLO reply.

    Raises:
        Refused: It is not well-formed, or its parameters are not, or were not offered.
    """
    is_mail = line[:4].upper() == b"MAIL"
    prefix = b"MAIL FROM:" if is_mail else b"RCPT TO:"
    # RFC 3463 §3.2: bad syntax of the sender's or of the destination's address.
    bad_address = "5.1.7" if is_mail else "5.1.3"
    if line[: len(prefix)].upper() != prefix:
        raise Refused(501, "5.5.4", f"Write {prefix.decode()}<address>")
    try:
        argument = line[len(prefix) :].decode()
    except UnicodeDecodeError as error:
        raise Refused(501, bad_address, "The address is not UTF-8") from error
    found = _PATH.match(argument)
    if found is None or (not is_mail and found["other"] == "") or (is_mail and found["other"]):
        raise Refused(501, bad_address, "Bad address syntax")
    if len((found["local"] or "").encode()) > 64 or len((found["domain"] or "").encode()) > 255:
        raise Refused(501, bad_address, "The address is too long")  # RFC 5321 §4.5.3.1
    rest = argument[found.end() :]
    if rest and not rest.startswith(" "):
        raise Refused(501, bad_address, "Bad address syntax")
    parameters = tuple(rest[1:].split(" ")) if rest else ()
    check_parameters(parameters, extensions, of_mail=is_mail)
    return Path(found[0][1:-1], parameters)
