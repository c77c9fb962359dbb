"""A mailbox with the name of whom it belongs to, as address fields have it (RFC 5322 §3.4)."""

from __future__ import annotations

import re
from typing import Final

from attrs import field, frozen

from mailsend.address import DEFAULT_RULES, Address, AddressRules, parse_address
from mailsend.composition.one_line import check_line
from mailsend.errors import InvalidMessage

_MAX_TEXT: Final = 998  # a line of the header section, RFC 5322 §2.1.1
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ANGLED: Final = re.compile(
    r'(?P<name>"(?:[^"\\]|\\.)*"|[^<>"]*)[ ]*<(?P<address>"(?:[^"\\]|\\.)*"@[^<>]*|[^<>]*)>'
)
ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


def _display_name(value: str) -> str:
    return _short("the display name of a mailbox", value)


@frozen
class Mailbox:
    """An address and a display name.

    Attributes:
        address: such as ``ada@example.org``.
        name: any line of text, such as ``Lovelace, Ada``, as it is to be read: no quotes are
            needed, and none are taken off. Empty where there is none.
        rules: which rare forms of addresses are taken.

    Raises:
        InvalidAddress: The address cannot be used.
        InvalidMessage: The name has a control character, or more than 998 characters.
    """

    address: str
    name: str = field(default="", converter=_display_name)
    rules: AddressRules = field(default=DEFAULT_RULES, kw_only=True, repr=False, eq=False)
    _parts: Address = field(init=False, repr=False, eq=False)

    @classmethod
    def parse(
        cls, text: str, *, field: str = "mailbox", rules: AddressRules = DEFAULT_RULES
    ) -> Mailbox:
        """Read ``ada@example.org`` or ``Ada <ada@example.org>``: exactly one, nothing guessed.

        A name with characters of another meaning in address fields stands in quotes:
        ``"Lovelace, Ada" <ada@example.org>``.

        Args:
            text: what to read.
            field: what to call it in an error.
            rules: which rare forms of addresses are taken.

        Raises:
            InvalidAddress: The address cannot be used.
            InvalidMessage: It is not one mailbox.
        """
        text = _short(field, text)
        match = _ANGLED.fullmatch(text)
        if match is None and text.endswith(">"):
            raise InvalidMessage(
                f"{field} is not one mailbox: {ascii(text)[:80]}",
                advice='Write "Lovelace, Ada" <ada@example.org>, and several mailboxes as a list',
            )
        name, bare = (match["name"].strip(" "), match["address"]) if match else ("", text)
        quoted = _QUOTED.fullmatch(name)
        if quoted is not None:
            name = re.sub(r"\\(.)", r"\1", quoted[1])
        elif "=?" in name:
            # What email.utils.formataddr() gives; shown as it stands it would be meant by nobody.
            raise InvalidMessage(
                f"{field} has a display name with an encoded word: {ascii(text)[:80]}",
                advice="Give the name itself, which is encoded as needed, or put it in quotes",
            )
        elif any(c in name for c in ",;:@()[]\\"):
            raise InvalidMessage(
                f"{field} has a display name that needs quotes, or several addresses in one "
                f"string: {ascii(text)[:80]}",
                advice='Write "Lovelace, Ada" <ada@example.org>, and several addresses as a list',
            )
        parse_address(bare, field=field, rules=rules)
        return cls(bare, name, rules=rules)

    def __attrs_post_init__(self) -> None:
        parts = parse_address(self.address, field="the address", rules=self.rules)
        object.__setattr__(self, "address", parts.text)
        object.__setattr__(self, "_parts", parts)

    @property
    def parts(self) -> Address:
        """The address with its domain in A-labels."""
        return self._parts

    def __str__(self) -> str:
        if not self.name:
            return self.address
        plain = ATOMS.fullmatch(self.name) and "=?" not in self.name
        name = self.name if plain else quoted_string(self.name)
        return f"{name} <{self.address}>"


def quoted_string(text: str) -> str:
    """The text in quotes, with those inside it escaped (RFC 5322 §3.2.4)."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _short(name: str, text: str) -> str:
    line = check_line(name, text)
    if len(line) > _MAX_TEXT:
        raise InvalidMessage(f"{name} has more than {_MAX_TEXT} characters")
    return line
