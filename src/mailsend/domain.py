"""Domains: what may stand behind the @ of an address (RFC 5321 §4.1.2 and §4.1.3).

The rules of internationalised names are those of email-validator, which is asked here and nowhere
else, once for each name.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from functools import lru_cache
from typing import Final

from attrs import frozen

MAX_DOMAIN_OCTETS: Final = 255  # RFC 5321 §4.5.3.1.2
MAX_LABEL_OCTETS: Final = 63  # RFC 1035 §2.3.4
KEPT_DOMAINS: Final = 4096
"""How many results of :func:`check_domain` are remembered, of names of at most 255 characters."""

_LABEL: Final = r"(?![Xx][Nn]--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PLAIN: Final = re.compile(rf"(?![0-9]+(?:\.[0-9]+){{3}}\Z){_LABEL}(?:\.{_LABEL})*")
_DOTTED_QUAD: Final = re.compile(r"[0-9]+(?:\.[0-9]+){3}")
_NOT_IN_A_LABEL: Final = re.compile(r"[\x00-,/:-@\[-`{-\x7f]")
_IDEOGRAPHIC_STOP: Final = "\u3002"  # which IDNA mapping turns into a full stop
_JOINERS: Final = "\u200c\u200d"
_MARKS: Final = "\u061c\u200e\u200f"
# email-validator refuses the special names of RFC 6761 and single labels, which a company's relay
# may well know, and counts the octets of U-labels, which are not on the wire. So it is asked about
# one label at a time, as part of a public name.
_PUBLIC: Final = ".com"
_PUBLIC_RIGHT_TO_LEFT: Final = ".\u05d0.com"


@frozen
class Refusal:
    """Why something is not taken.

    Attributes:
        what: one clause, of which "it" is the address and "its domain" the domain.
        advice: what to do.
    """

    what: str
    advice: str


@lru_cache(maxsize=KEPT_DOMAINS)
def check_domain(domain: str) -> str | Refusal:
    """A domain name with A-labels, or why it is none. Makes no look-up; the result is remembered.

    Names in ASCII are kept as they are, `localhost` and names without a dot among them. U-labels
    (RFC 5890 §2.3.2.1) become A-labels by IDNA 2008; beyond upper case, nothing is mapped. A-labels
    are kept if they decode to characters that this module would take; what else a registry may
    object to, an emoji for one, is the server's knowledge.

    Args:
        domain: at most 255 characters, which the caller has to see to.
    """
    if _PLAIN.fullmatch(domain):
        return domain
    return (
        refuse_characters(domain)
        or _refuse_labels(domain)
        or (_refuse_a_labels(domain) or domain if domain.isascii() else _to_a_labels(domain))
    )


def check_literal(literal: str) -> str | Refusal:
    """An address literal as it is, if it is one of IPv4 or IPv6 (RFC 5321 §4.1.3).

    Args:
        literal: with its brackets.
    """
    if _ip_address(literal) is not None:
        return literal
    return Refusal(
        f"{literal!a} is no address literal",
        "Write it as [192.0.2.1] or [IPv6:2001:db8::1], without a zone",
    )


def same_for_all_spellings(domain: str) -> str:
    """Equal for two spellings of one domain or address literal, each as it was accepted.

    The case of a domain means nothing (RFC 5321 §2.4).
    """
    address = _ip_address(domain) if domain.startswith("[") else None
    return domain.lower() if address is None else f"[{address}]"


def _ip_address(literal: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    inner = literal[1:-1] if literal.startswith("[") and literal.endswith("]") else ""
    try:
        if inner[:5].lower() != "ipv6:":
            return ipaddress.IPv4Address(inner)
        address = ipaddress.IPv6Address(inner[5:])
    except ValueError:
        return None
    # There is no zone in the grammar, and "::" stands for two groups at least.
    groups = sum(2 if "." in group else 1 for group in inner[5:].split(":") if group)
    return None if "%" in inner or ("::" in inner and groups > 6) else address


def refuse_characters(text: str) -> Refusal | None:
    """Why a text cannot be part of an address, if a character that cannot be seen is in it."""
    # isprintable() is false for every control, format and bidi character, for U+0085, U+2028 and
    # U+2029, for lone surrogates, for all spaces but U+0020, and for what the Unicode tables of
    # this interpreter do not know.
    if text.isprintable():
        return None
    odd = next(c for c in text if not c.isprintable())
    return Refusal(
        f"it contains the character U+{ord(odd):04X}, {_kind_of(odd)}",
        "Write the domain with A-labels (xn--...), in which it does no harm"
        if odd in _JOINERS
        else "Take it out, and ask where it came from: it may be there to deceive",
    )


def _kind_of(odd: str) -> str:
    category = unicodedata.category(odd)
    if category == "Cc":
        return "a control character"
    if category.startswith("Z"):
        return "a space or line separator"
    # Embeddings, overrides and isolates all have a class of their own, of three letters.
    if odd in _MARKS or (len(unicodedata.bidirectional(odd)) == 3 and category == "Cf"):
        return "which changes the direction of text"
    if category == "Cf":
        return "which cannot be seen"
    return "which is no character of any script"


def refuse_lookalikes(text: str) -> Refusal | None:
    """Why a text cannot be part of an address, if other software may read it as another text."""
    if not unicodedata.is_normalized("NFC", text):
        return Refusal(
            "it is not in Unicode normalization form NFC",
            "Pass unicodedata.normalize('NFC', address), if that is the address that was meant",
        )
    if unicodedata.is_normalized("NFKC", text) and _IDEOGRAPHIC_STOP not in text:
        return None
    for c in text:
        plain = unicodedata.normalize("NFKC", c)
        if not c.isascii() and (_IDEOGRAPHIC_STOP in {c, plain} or any(d.isascii() for d in plain)):
            return Refusal(
                f"it contains the character U+{ord(c):04X}, which only looks like others",
                "Write the address with the letters and signs of its own script, or of ASCII",
            )
    return None


def _refuse_labels(domain: str) -> Refusal | None:
    """What is wrong with a domain name, whatever its script."""
    if not domain:
        return Refusal("its domain is empty", "Write it as ada@example.org")
    if domain.endswith("."):
        return Refusal("its domain ends with a dot", "Leave out the dot: mail domains have none")
    if _DOTTED_QUAD.fullmatch(domain):
        return Refusal(
            f"{domain} is an IP address and no domain name",
            f"If it is meant, write [{domain}] and allow it by AddressRules(address_literals=True)",
        )
    for label in domain.split("."):
        odd = _NOT_IN_A_LABEL.search(label)
        if not label:
            what = "has a dot too many"
        elif odd:
            what = f"contains {odd[0]!a}"
        elif label[0] == "-" or label[-1] == "-":
            what = "has a hyphen at the beginning or end of a label"
        elif len(label) > MAX_LABEL_OCTETS:
            what = f"has a label of {len(label)} characters, and {MAX_LABEL_OCTETS} is the limit"
        else:
            continue
        return Refusal(
            f"its domain {what}",
            "Write it as labels of letters, digits and hyphens, with one dot between them",
        )
    return None


def _refuse_a_labels(domain: str) -> Refusal | None:
    for label in domain.lower().split("."):
        if label.startswith("xn--") and not _is_a_label(label):
            return Refusal(
                f"{label!a} is no A-label",
                "Correct the domain, or write it with the letters of its own script",
            )
    return None


def _is_a_label(label: str) -> bool:
    try:
        decoded = label[4:].encode().decode("punycode")
        again = decoded.encode("punycode").decode()
    except (UnicodeError, ValueError, OverflowError):
        return False
    visible = "".join(c for c in decoded if c not in _JOINERS)
    return (
        not visible.isascii()
        and again == label[4:]  # one name, one spelling
        and decoded == decoded.lower()
        and visible.isprintable()
        and refuse_lookalikes(decoded) is None
    )


def _to_a_labels(domain: str) -> str | Refusal:
    lookalike = refuse_lookalikes(domain)
    if lookalike is not None:
        return lookalike
    # Where one label runs from right to left, RFC 5893 §2 has rules for all the others too.
    right_to_left = any(unicodedata.bidirectional(c) in {"R", "AL", "AN"} for c in domain)
    labels: list[str] = []
    for label in domain.split("."):
        checked: str | Refusal = label
        if right_to_left or not label.isascii():
            checked = _to_a_label(label, _PUBLIC_RIGHT_TO_LEFT if right_to_left else _PUBLIC)
        refusal = checked if isinstance(checked, Refusal) else _refuse_a_labels(checked)
        if refusal is not None:
            return refusal
        labels.append(label if label.isascii() else str(checked))
    return ".".join(labels)


def _to_a_label(label: str, parent: str) -> str | Refusal:
    # Imported here: it brings IDNA tables, which a name in ASCII does not need.
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415

    try:
        # Each option is given, because an application may have set others for all of its own.
        valid = validate_email(
            f"x@{label}{parent}",
            allow_smtputf8=True,
            allow_quoted_local=False,
            allow_domain_literal=False,
            allow_display_name=False,
            check_deliverability=False,
            test_environment=False,
            globally_deliverable=True,
        )
    except EmailNotValidError as error:
        reason = str(error).rstrip(".").replace("The part after the @-sign", "it")
        return Refusal(
            f"the label {label!a} of its domain is none by IDNA 2008: {reason}",
            "Correct the domain, or write it with A-labels (xn--...)",
        )
    a_label = valid.ascii_domain.partition(".")[0]
    if label.lower() not in {a_label, valid.domain.removesuffix(parent)}:
        return Refusal(
            f"the label {label!a} of its domain would be mapped to another one",
            "Write it in lower case and with plain letters, as it is registered",
        )
    return a_label
