"""What the fields of a provider may hold: a value that cannot be used never gets into one."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NoReturn, TypeVar

from attrs import Attribute

from mailsend.address import domain_to_ascii
from mailsend.endpoint import Endpoint
from mailsend.errors import ConfigurationError, InvalidAddress
from mailsend.rules import Rule

_KEY: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")

_Member = TypeVar("_Member", bound=StrEnum)
_Item = TypeVar("_Item")
_Validator = Callable[[object, "Attribute[Any]", Any], None]


def _refuse(setting: str, value: object, advice: str) -> NoReturn:
    raise ConfigurationError(f"{setting} of a provider is {ascii(value)[:60]}", advice=advice)


def member(kind: type[_Member], setting: str, value: object) -> _Member:
    """The member of an enumeration that a text names.

    Raises:
        ConfigurationError: It names none.
    """
    if isinstance(value, str) and value in set(kind):
        return kind(value)
    _refuse(setting, value, f"Use one of {', '.join(kind)}")


def all_of(kind: type[_Item], value: object, setting: str, advice: str) -> tuple[_Item, ...]:
    """Any number of instances of one class.

    Raises:
        ConfigurationError: There is something else among them, or it is no list at all.
    """
    if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
        _refuse(setting, value, advice)
    items = tuple(value)
    for item in items:
        if not isinstance(item, kind):
            _refuse(setting, item, advice)
    return items


def texts(value: Iterable[str]) -> tuple[str, ...]:
    """A list of texts, and not one text.

    Raises:
        ConfigurationError: It is something else.
    """
    return all_of(str, value, "a list", "Write a list of texts, as in ['PLAIN']")


def endpoints(value: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    """Endpoints in their order.

    Raises:
        ConfigurationError: There is something else among them.
    """
    advice = "Write [Endpoint('smtp.example.org', 465, Security.IMPLICIT_TLS)]"
    return all_of(Endpoint, value, "endpoints", advice)


def regions(value: Mapping[str, Iterable[Endpoint]]) -> Mapping[str, tuple[Endpoint, ...]]:
    """Endpoints by the name of a region.

    Raises:
        ConfigurationError: It is no mapping of that kind.
    """
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        _refuse("regions", value, "Write {'eu': [Endpoint(...)]}")
    return MappingProxyType({name: endpoints(listed) for name, listed in value.items()})


def rules(value: Iterable[Rule]) -> tuple[Rule, ...]:
    """Rules that read replies.

    Raises:
        ConfigurationError: There is something else among them.
    """
    return all_of(Rule, value, "reply_rules", "Write [Rule(id=..., cause=..., source=...)]")


def domains(value: Iterable[str]) -> tuple[str, ...]:
    """Domains as A-labels in small letters.

    Raises:
        ConfigurationError: One is no domain.
    """
    listed = all_of(str, value, "domains", "Write a list of domains, as in ['example.org']")
    try:
        return tuple(domain_to_ascii(domain, field="domain").lower() for domain in listed)
    except InvalidAddress as error:
        raise ConfigurationError(f"domains of a provider: {error.what}") from error


def check_key(_: object, attribute: Attribute[str], value: object) -> None:
    """An attrs validator: a name by which a provider is found."""
    if not isinstance(value, str) or not _KEY.fullmatch(value):
        _refuse(
            attribute.name,
            value,
            "Write small letters, digits, dots and hyphens, as in 'acme-mail'",
        )


def check_keys(owner: object, attribute: Attribute[tuple[str, ...]], value: Iterable[str]) -> None:
    """An attrs validator: each is such a name."""
    for key in value:
        check_key(owner, attribute, key)  # type: ignore[arg-type]  # only its name is read


def check_text(_: object, attribute: Attribute[Any], value: object) -> None:
    """An attrs validator: a text that says something."""
    if not isinstance(value, str) or not value.strip():
        _refuse(attribute.name, value, "Write a text")


def check_date(_: object, attribute: Attribute[Any], value: object) -> None:
    """An attrs validator: a day; a point in time cannot be compared with one."""
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        _refuse(attribute.name, value, "Write a day: in TOML 2026-01-31, without quotes")


def check_count(_: object, attribute: Attribute[Any], value: object) -> None:
    """An attrs validator: a whole number from 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        _refuse(attribute.name, value, "Write a whole number from 1, or leave it out")


def check_rate(_: object, attribute: Attribute[Any], value: object) -> None:
    """An attrs validator: a number above 0."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < value < float("inf"):  # type: ignore[operator]  # a number by now
        _refuse(attribute.name, value, "Write a number above 0, or leave it out")


def check_is(kind: type) -> _Validator:
    """An attrs validator: an instance of this class."""

    def check(_: object, attribute: Attribute[Any], value: object) -> None:
        if not isinstance(value, kind):
            _refuse(attribute.name, value, f"Give a {kind.__name__}")

    return check


def or_none(check: _Validator) -> _Validator:
    """The same validator, that lets None pass."""

    def check_if_given(owner: object, attribute: Attribute[Any], value: object) -> None:
        if value is not None:
            check(owner, attribute, value)

    return check_if_given
