"""Receivers of a mailing: what they are given as, and what is said of one that cannot be used."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from attrs import field, frozen

from mailsend.address import AddressRules
from mailsend.composition.mailbox import Mailbox
from mailsend.errors import InvalidMessage


@frozen
class Row:
    """One receiver. It is checked when its message is made, so that a bad one ends no list.

    Attributes:
        address: the bare address, such as ``ada@example.org``.
        values: variable to value.
        name: the display name, any line of text; None or an empty one is none.
        key: the caller's own name for it; submission and report carry the same.
    """

    address: str
    values: Mapping[str, Any] = field(factory=dict, repr=False)
    name: str | None = None
    key: Hashable = None


@frozen
class BadRow:
    """A receiver for whom no message could be made.

    Attributes:
        number: which of the rows it is; the first is 1.
        row: as it was given.
        error: what is wrong with it; its text has the number.
    """

    number: int
    row: object = field(repr=False)
    error: InvalidMessage


@frozen
class Columns:
    """What is what in a row that is a mapping.

    Attributes:
        address: the key of the address.
        name: the key of the display name, which may be missing; None if there is none.
        key: the key of the caller's own name for it; None if there is none.
    """

    address: str
    name: str | None
    key: str | None

    def row(self, given: object) -> Row:
        """The receiver that a row stands for. All of a mapping are values.

        Raises:
            InvalidMessage: It is no row, or has no address.
        """
        if isinstance(given, Row):
            return given
        if not isinstance(given, Mapping):
            raise InvalidMessage(
                f"it has to be a mapping or a Row, not {type(given).__name__}",
                advice='Give {"address": "ada@example.org", ...}, or mailsend.bulk.Row',
            )
        for column in (self.address, self.key):
            if column is not None and column not in given:
                raise InvalidMessage(
                    f"it has no {column!a}",
                    advice="Say by the arguments address=, name= and key= of messages() what "
                    "these are called in your rows",
                )
        name = None if self.name is None else given.get(self.name)
        key = None if self.key is None else given[self.key]
        return Row(given[self.address], given, name, key)


def mailbox_of(row: Row, rules: AddressRules) -> Mailbox:
    """Whom it is for.

    Raises:
        InvalidAddress: The address cannot be used.
        InvalidMessage: Neither can the display name.
    """
    return Mailbox(row.address, "" if row.name is None else row.name, rules=rules)
