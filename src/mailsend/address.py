"""Addresses: the mailbox of an envelope, checked and never repaired (RFC 5321 §4.1.2)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from attrs import Attribute, field, frozen

from mailsend.domain import (
    MAX_DOMAIN_OCTETS,
    Refusal,
    check_domain,
    check_literal,
    refuse_characters,
    refuse_lookalikes,
    same_for_all_spellings,
)
from mailsend.errors import ConfigurationError, InvalidAddress

MAX_LOCAL_PART_OCTETS: Final = 64  # RFC 5321 §4.5.3.1.1
MAX_ADDRESS_OCTETS: Final = 254  # a path of 256 with its angle brackets, RFC 5321 §4.5.3.1.3

# atext as RFC 6531 §3.3 extends it: printable, and none of the specials.
_ATOM: Final = r'[^\x00-\x20"(),.:;<>@\[\\\]\x7f]++'
_DOT_STRING: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*+")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\[ -~])*+)"@(.*)')
_CHARACTER: Final = re.compile(r"\\?(.)")  # of a quoted string, with or without its backslash
_TO_QUOTE: Final = re.compile(r'["\\]')
_ENCODED_WORD: Final = re.compile(r"=\?[^?]*\?[BbQq]\?[^?]*\?=")  # RFC 2047 §2
_SHOWN: Final = 80

_CORRECT: Final = "Correct the address; mailsend never guesses which one was meant"
_BARE: Final = "Write the bare address, such as ada@example.org"
_ONE: Final = "Give several addresses as a list of strings, with one in each"
# What a text is that is more than one bare address, or less: the first that fits.
_FORMS: Final = tuple(
    (re.compile(form), Refusal(what, advice))
    for form, what, advice in (
        (r"\Z", "it is empty", _BARE),
        (
            r"<>\Z",
            "it is the null reverse path, which stands for no address",
            "Pass None for it, and as the reverse path only",
        ),
        (
            r"@[^:,]*+[:,]|[^<]*+<@",
            "it has a source route",
            "Leave the route out, up to and with the colon",
        ),
        (r"(?i:mailto:)", "it is a URL", _BARE),
        (r"[^<>]*+[<>]", "it contains angle brackets or a display name", _BARE),
        (r"[^()]*+[()]", "it has a comment in parentheses", "Leave the comment out"),
        (r"[^:]*+:[^;]*+;", "it is a group", _ONE),
        (r"[^,;]*+[,;]", "it seems to be several addresses", _ONE),
        (r"[^ ]*+ ", "it contains a space", _CORRECT),
    )
)


def _check_switch(_: object, attribute: Attribute[bool], value: object) -> None:
    if not isinstance(value, bool):
        raise ConfigurationError(
            f"{attribute.name} has to be True or False, not {ascii(value)[:80]}"
        )


@frozen(kw_only=True)
class AddressRules:
    """Which rare forms of addresses are taken. All are off unless they are named.

    They are valid, and few servers and fewer programs know them: a relay that misreads one may
    send the mail elsewhere. Allow a form where it is known to be in use.

    Attributes:
        quoted_local_parts: ``"ada lovelace"@example.org`` (RFC 5321 §4.1.2), whatever stands
            between the quotation marks: spaces, ``@`` and ``>`` too.
        address_literals: ``ada@[192.0.2.1]`` and ``ada@[IPv6:2001:db8::1]`` (RFC 5321 §4.1.3).

    Raises:
        ConfigurationError: One of them is neither True nor False.
    """

    quoted_local_parts: bool = field(default=False, validator=_check_switch)
    address_literals: bool = field(default=False, validator=_check_switch)

    def with_those_of(self, other: AddressRules) -> AddressRules:
        """The rules that take whatever one of the two takes."""
        if other in (self, DEFAULT_RULES):
            return self
        return AddressRules(
            quoted_local_parts=self.quoted_local_parts or other.quoted_local_parts,
            address_literals=self.address_literals or other.address_literals,
        )


DEFAULT_RULES: Final = AddressRules()


def check_rules(rules: object) -> None:
    """See that a value is of that kind.

    Raises:
        ConfigurationError: It is not.
    """
    if not isinstance(rules, AddressRules):
        raise ConfigurationError(f"rules have to be AddressRules, not {type(rules).__name__}")


@frozen
class Address:
    """A mailbox that can stand in an envelope. Made by :func:`parse_address`.

    Attributes:
        text: as the caller wrote it.
        local_part: as the caller wrote it, but without the quotation marks and backslashes of a
            quoted local part.
        domain: with A-labels where the caller wrote U-labels (RFC 5890 §2.3.2.1): never
            Unicode, so that an internationalised domain alone does not need SMTPUTF8. An address
            literal has its brackets.
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
        """The form that stands between the angle brackets of a command.

        A local part has quotation marks only if it needs them, and backslashes only before
        quotation marks and backslashes: the least of both, as RFC 5321 §4.1.2 asks for.
        """
        return f"{_written(self.local_part)}@{self.domain}"

    @property
    def identity(self) -> tuple[str, str]:
        """Equal for two spellings of one mailbox.

        The case of a domain means nothing (RFC 5321 §2.4), the case of a local part may. All
        quoted forms of a local part are one, and so is the unquoted form (RFC 5321 §4.1.2).
        """
        return (self.local_part, same_for_all_spellings(self.domain))


def parse_address(
    text: str, *, field: str = "address", rules: AddressRules = DEFAULT_RULES
) -> Address:
    """Check one bare address such as ``ada@example.org``; nothing is stripped or mended.

    Any domain is taken that can be written in a command, ``localhost`` and names without a dot
    included: whether it can be delivered to is the server's knowledge, and nothing is looked up.
    Its U-labels have to be valid by IDNA 2008, and its A-labels have to decode. Refused are
    display names, comments, routes, groups and lists; characters that cannot be seen or that
    change the direction of text; characters that stand for others, such as full-width ones, and
    what is not in Unicode normalization form NFC; encoded words (RFC 2047 §5). Letters of several
    scripts side by side are taken: they make another address, and A-labels show it.

    The time is linear in the length, and what is too long is refused unread. Domains that have
    been checked are remembered, so that a list of addresses costs little more than its local parts.

    Args:
        text: the address.
        field: what to call it in an error.
        rules: which rare forms are taken.

    Raises:
        InvalidAddress: It is none, or too long for RFC 5321; `advice` says what to do.
        ConfigurationError: `rules` are no :class:`AddressRules`.
    """
    if not isinstance(text, str):
        raise InvalidAddress(f"{field} has to be a string, not {type(text).__name__}")
    check_rules(rules)
    text = str.__str__(text)  # what was checked, whatever methods a subclass has
    if len(text) <= MAX_ADDRESS_OCTETS:
        # What nearly all addresses are. Everything else is read once more, for its reason.
        local, _, domain = text.rpartition("@")
        if _DOT_STRING.fullmatch(local):
            usual = local.isascii() and "=?" not in local
            octets = len(local) if usual else _octets_if_taken(local)
            if octets <= MAX_LOCAL_PART_OCTETS:
                checked = check_domain(domain)
                if type(checked) is str and octets + len(checked) < MAX_ADDRESS_OCTETS:
                    return Address(text, local, checked)
    result = _read(text, rules)
    if isinstance(result, Refusal):
        raise _invalid(field, text, result)
    return result


def domain_to_ascii(domain: str, *, field: str) -> str:
    """A domain name with A-labels, by IDNA 2008; as :func:`parse_address` takes it.

    Raises:
        InvalidAddress: It is no domain name.
    """
    if len(domain) > MAX_DOMAIN_OCTETS:
        raise _invalid(field, domain, _too_long("domain", len(domain), MAX_DOMAIN_OCTETS))
    checked = check_domain(domain)
    if isinstance(checked, str) and len(checked) > MAX_DOMAIN_OCTETS:
        checked = _too_long("domain", len(checked), MAX_DOMAIN_OCTETS)
    if isinstance(checked, Refusal):
        raise _invalid(field, domain, checked)
    return checked


def _octets_if_taken(local: str) -> int:
    """The length of a dot-string as a local part; more than is allowed if it is refused."""
    taken = local.isprintable() and _refuse_content(local) is None
    return len(local.encode()) if taken else MAX_LOCAL_PART_OCTETS + 1


def _read(text: str, rules: AddressRules) -> Address | Refusal:
    if len(text) > MAX_ADDRESS_OCTETS:  # before anything that costs time
        return Refusal(
            f"it has {len(text)} characters, and {MAX_ADDRESS_OCTETS} octets are the limit of "
            "RFC 5321",
            _CORRECT,
        )
    quoted = _QUOTED.fullmatch(text)
    refusal = refuse_characters(text) or _refuse_form(quoted[2] if quoted else text)
    if refusal is not None:
        return refusal
    if quoted:
        local, domain = "".join(_CHARACTER.findall(quoted[1])), quoted[2]
        refusal = _refuse_quoted(local, rules)
    else:
        local, _, domain = text.rpartition("@")
        refusal = _refuse_unquoted(local)
    octets = len(_written(local).encode())
    if refusal is None and octets > MAX_LOCAL_PART_OCTETS:
        refusal = _too_long("local part", octets, MAX_LOCAL_PART_OCTETS)
    refusal = refusal or _refuse_content(local)
    if refusal is not None:
        return refusal
    checked = _check_literal(domain, rules) if domain.startswith("[") else check_domain(domain)
    if isinstance(checked, Refusal):
        return checked
    if octets + 1 + len(checked) > MAX_ADDRESS_OCTETS:
        return _too_long("address", octets + 1 + len(checked), MAX_ADDRESS_OCTETS)
    return Address(text, local, checked)


def _refuse_form(text: str) -> Refusal | None:
    """Say of a text that is more, or less, than one bare address which of the known forms it has.

    Args:
        text: the address, or its domain alone if the local part is quoted.
    """
    return next((refusal for form, refusal in _FORMS if form.match(text)), None)


def _refuse_unquoted(local: str) -> Refusal | None:
    if _DOT_STRING.fullmatch(local):
        return None
    if not local:
        return Refusal("it is not of the form local-part@domain", _BARE)
    if "@" in local:
        return Refusal("it has more than one @", _CORRECT)
    if '"' in local:
        return Refusal(
            "it has a quotation mark out of place",
            "Quotation marks stand around the whole local part, or nowhere",
        )
    if local.startswith(".") or local.endswith(".") or ".." in local:
        return Refusal("its local part has a dot too many", _CORRECT)
    return Refusal(f"{local!a} cannot stand before the @", _CORRECT)


def _refuse_quoted(local: str, rules: AddressRules) -> Refusal | None:
    if not rules.quoted_local_parts:
        return Refusal(
            "its local part is quoted",
            "Write it without quotation marks, or allow them by "
            "AddressRules(quoted_local_parts=True)",
        )
    if not local:
        # In the grammar, and to some servers the null reverse path.
        return Refusal("its local part is empty", _CORRECT)
    return None


def _refuse_content(local: str) -> Refusal | None:
    """Why a local part cannot be what it is, quoted or not."""
    if "=?" in local and _ENCODED_WORD.search(local):
        return Refusal(
            "its local part is an encoded word, which no address may have (RFC 2047 §5)",
            "Write the characters themselves",
        )
    if local.isascii():
        return None
    if unicodedata.category(local[0]).startswith("M"):
        return Refusal("its local part begins with a mark that belongs to a letter", _CORRECT)
    return refuse_lookalikes(local)


def _check_literal(domain: str, rules: AddressRules) -> str | Refusal:
    if rules.address_literals:
        return check_literal(domain)
    return Refusal(
        "its domain is an address literal",
        "Write a domain name, or allow literals by AddressRules(address_literals=True)",
    )


def _written(local: str) -> str:
    """A local part as it stands in a command, quoted if it has to be."""
    if _DOT_STRING.fullmatch(local):
        return local
    escaped = _TO_QUOTE.sub(r"\\\g<0>", local)
    return f'"{escaped}"'


def _too_long(part: str, octets: int, limit: int) -> Refusal:
    return Refusal(
        f"its {part} has {octets} octets, and {limit} is the limit of RFC 5321", _CORRECT
    )


def _invalid(field: str, text: str, refusal: Refusal) -> InvalidAddress:
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return InvalidAddress(f"{field} {shown!a} is not usable: {refusal.what}", advice=refusal.advice)
