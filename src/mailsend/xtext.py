"""How free text stands in a parameter: xtext (RFC 3461 §4), and the form of RFC 6533 §3."""

from __future__ import annotations

import re
from typing import Final

# RFC 3461 §4: "!" to "~" but for "+" and "=" stand for themselves.
_NO_XCHAR: Final = re.compile(rb"[^!-*,-<>-~]")
_XTEXT: Final = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_HEXCHAR: Final = re.compile(rb"\+([0-9A-F]{2})")
# RFC 6533 §3: a backslash does not either.
_NO_QCHAR: Final = re.compile(r"[^!-*,-<>-\[\]-~]")
_NO_QUCHAR: Final = re.compile(r"[^!-*,-<>-\[\]-~\u0080-\U0010ffff]")


def encode_xtext(octets: bytes) -> str:
    """Octets as xtext: printable ASCII without space, and as short as it can be."""
    return _NO_XCHAR.sub(lambda found: b"+%02X" % found[0][0], octets).decode("ascii")


def decode_xtext(text: str) -> bytes:
    """The octets that an xtext stands for.

    Raises:
        ValueError: It is none; hexadecimal digits in lower case are not allowed either.
    """
    if not _XTEXT.fullmatch(text):
        raise ValueError(f"{ascii(text)[:80]} is no xtext (RFC 3461 §4)")
    return _HEXCHAR.sub(lambda found: bytes.fromhex(found[1].decode()), text.encode("ascii"))


def encode_utf8_address(address: str, *, seven_bit: bool) -> str:
    r"""An internationalised address as the address type ``utf-8`` has it (RFC 6533 §3).

    Args:
        address: local part and domain.
        seven_bit: write characters outside ASCII as ``\x{3B4}``, as there has to be for a server
            without SMTPUTF8; else they stand as they are.
    """
    pattern = _NO_QCHAR if seven_bit else _NO_QUCHAR
    return pattern.sub(lambda found: f"\\x{{{ord(found[0]):02X}}}", address)
