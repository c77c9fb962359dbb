"""Addresses: the mailbox of an envelope, checked and never repaired (RFC 5321 §4.1.2)."""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from mailsend.errors import InvalidAddress

MAX_LOCAL_PART_OCTETS: Final = 64  # RFC 5321 §4.5.3.1.1
MAX_DOMAIN_OCTETS: Final = 255  # RFC 5321 §4.5.3.1.2
MAX_ADDRESS_OCTETS: Final = 254  # a path of 256 with its angle brackets, RFC 5321 §4.5.3.1.3

_DOT_ATOM: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
)
_PUBLIC: Final = ".example.com"
# Full-width forms and the ideographic full stop, which IDNA mapping would turn into ASCII.
_LOOKALIKE: Final = re.compile("[\u3002\uff00-\uffef]")
_DOMAIN: Final = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)


@frozen
class Address:
    """A mailbox that can stand in an envelope. Made by :func:`parse_address`.

    Attributes:
        text: as the caller wrote it.
        local_part: as the caller wrote it.
        domain: with A-labels where the caller wrote U-labels (RFC 5890 §2.3.2.1): never
            Unicode, so that an internationalised domain alone does not need SMTPUTF8.
    """

    text: str
    local_part: str
    domain: str

    @property
    def needs_smtputf8(self) -> bool:
        """Whether the local part has characters that only RFC 6531 can carry."""
        return not self.local_part.isascii()

    @property
    def on_the_wire(self) -> str:
        """The form that stands between the angle brackets of a command."""
        return f"{self.local_part}@{self.domain}"

    @property
    def identity(self) -> tuple[str, str]:
        """Equal for two spellings of one mailbox.

        The case of a domain means nothing (RFC 5321 §2.4), the case of a local part may.
        """
        return (self.local_part, self.domain.lower())


def parse_address(text: str, *, field: str = "address") -> Address:
    """Check one bare address such as ``ada@example.org``; nothing is stripped or mended.

    Any domain is taken that can be written in a command, ``localhost`` and names without a dot
    included: whether it can be delivered to is the server's knowledge. Display names, comments,
    routes, quoted local parts and address literals are refused.

    Args:
        text: the address.
        field: what to call it in an error.

    Raises:
        InvalidAddress: It is none, or too long for RFC 5321.
    """
    if not isinstance(text, str):
        raise InvalidAddress(f"{field} has to be a string, not {type(text).__name__}")
    problem = _problem_of_characters(text)
    local, at, domain = text.rpartition("@")
    if problem is None and not text:
        problem = "it is empty"
    elif problem is None and (not at or not local or not domain):
        problem = "it is not of the form local-part@domain"
    if problem is not None:
        raise _invalid(field, text, problem)
    if not _DOT_ATOM.fullmatch(local):
        _check_local_part(local, field, text)
    ascii_domain = domain if _DOMAIN.fullmatch(domain) else _domain_to_ascii(domain, field, text)
    address = Address(text, local, ascii_domain)
    _check_lengths(address, field)
    return address


def domain_to_ascii(domain: str, *, field: str) -> str:
    """A domain name with A-labels, by IDNA 2008.

    Raises:
        InvalidAddress: It is no domain name.
    """
    problem = _problem_of_characters(domain)
    if problem is not None or not domain:
        raise _invalid(field, domain, problem or "it is empty")
    return domain if _DOMAIN.fullmatch(domain) else _domain_to_ascii(domain, field, domain)


def _problem_of_characters(text: str) -> str | None:
    # isprintable() is false for every control, format and bidi character, for U+0085, U+2028 and
    # U+2029, for lone surrogates and for all spaces but U+0020.
    if not text.isprintable():
        odd = next(c for c in text if not c.isprintable())
        return f"it contains the character U+{ord(odd):04X}"
    if "," in text or ";" in text:
        return "it seems to be several addresses; give them as a list"
    if " " in text:
        return "it contains a space"
    if "<" in text or ">" in text:
        return "it contains angle brackets; give the bare address, without a display name"
    return None


def _check_local_part(local: str, field: str, text: str) -> None:
    if local.isascii():
        if local.startswith('"'):
            raise _invalid(field, text, "quoted local parts are not supported")
        raise _invalid(field, text, f"{local!r} cannot stand before the @ unquoted")
    _email_validator_accepts(f"{local}@x{_PUBLIC}", field, text)


def _domain_to_ascii(domain: str, field: str, text: str) -> str:
    if domain.isascii():
        if domain.startswith("["):
            raise _invalid(field, text, "address literals are not supported")
        raise _invalid(field, text, f"{domain!r} is no domain name")
    if _LOOKALIKE.search(domain):
        raise _invalid(field, text, "its domain has characters that only look like others")
    # Below a public domain, because email-validator refuses the special ones of RFC 6761 and
    # single labels, which a company's relay may well know.
    return _email_validator_accepts(f"x@{domain}{_PUBLIC}", field, text).removesuffix(_PUBLIC)


def _email_validator_accepts(address: str, field: str, text: str) -> str:
    # Imported here: it brings DNS and IDNA tables, which an ASCII address does not need.
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415

    try:
        valid = validate_email(address, check_deliverability=False)
    except EmailNotValidError as error:
        raise _invalid(field, text, str(error).rstrip(".")) from error
    return valid.ascii_domain


def _check_lengths(address: Address, field: str) -> None:
    local = len(address.local_part.encode())
    if local > MAX_LOCAL_PART_OCTETS:
        raise _too_long(field, address, "local part", local, MAX_LOCAL_PART_OCTETS)
    if len(address.domain) > MAX_DOMAIN_OCTETS:
        raise _too_long(field, address, "domain", len(address.domain), MAX_DOMAIN_OCTETS)
    whole = local + 1 + len(address.domain)
    if whole > MAX_ADDRESS_OCTETS:
        raise _too_long(field, address, "address", whole, MAX_ADDRESS_OCTETS)


def _too_long(field: str, address: Address, part: str, octets: int, limit: int) -> InvalidAddress:
    problem = f"its {part} has {octets} octets, and {limit} is the limit of RFC 5321"
    return _invalid(field, address.text, problem)


def _invalid(field: str, text: str, problem: str) -> InvalidAddress:
    shown = text if len(text) <= 80 else text[:80] + "…"
    return InvalidAddress(
        f"{field} {shown!a} is not usable: {problem}",
        advice="Correct the address; mailsend never guesses which one was meant",
    )
