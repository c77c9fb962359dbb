"""What each cause means in general: the table ``data/causes.toml``, read when first needed."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from mailsend.cause import Cause, Retry, Scope

# Words that only one provider uses come before those that many servers use.
REPLY_FILES: Final = ("providers", "gmail", "microsoft", "servers", "standard")


@frozen
class Meaning:
    """What is true of a cause unless a rule knows better.

    Attributes:
        cause: which.
        meaning: one clause, for tables and tickets.
        advice: one or two sentences: what to do.
        scope: what it concerns, or None if that depends on the stage.
        retry: when to try again, whatever the first digit says, or None if the digit tells.
        transient_retry: when to try again after a 4yz reply, or None for some minutes.
    """

    cause: Cause
    meaning: str
    advice: str
    scope: Scope | None = None
    retry: Retry | None = None
    transient_retry: Retry | None = None


_TABLES: Final = (
    "causes.toml",
    "failures.toml",
    "providers.toml",
    *(f"replies/{name}.toml" for name in REPLY_FILES),
)


@functools.cache
def read_text(name: str) -> str:
    """A file of the package's ``data`` folder."""
    from importlib import resources  # noqa: PLC0415 - needed by the first connection, not before

    return resources.files("mailsend").joinpath("data", name).read_text(encoding="utf-8")


def read_ahead() -> None:
    """Take the tables' text into memory, while files can be opened.

    A connection fails for want of file descriptors too, and has to be explained without one.
    """
    for name in _TABLES:
        read_text(name)


def read_table(name: str) -> dict[str, Any]:
    """A TOML file of the package's ``data`` folder."""
    return tomllib.loads(read_text(name))


@functools.cache
def _meanings() -> Mapping[Cause, Meaning]:
    table = read_table("causes.toml")
    return {cause: _meaning(cause, table[cause.value]) for cause in Cause}


def _meaning(cause: Cause, row: Mapping[str, str]) -> Meaning:
    return Meaning(
        cause,
        row["meaning"],
        row["advice"],
        Scope(row["scope"]) if "scope" in row else None,
        Retry(row["retry"]) if "retry" in row else None,
        Retry(row["transient_retry"]) if "transient_retry" in row else None,
    )


def meaning_of(cause: Cause) -> Meaning:
    """What is true of a cause in general."""
    return _meanings()[cause]
