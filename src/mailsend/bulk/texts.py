"""The texts of a mailing with places for values, and where each stands in a message."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from email.message import EmailMessage
from typing import Any, Final

from attrs import frozen

from mailsend.bulk.syntax import Fill, Parts, Syntax, compiled_line
from mailsend.composition.header_fields import HeaderField, TextField, VerbatimField
from mailsend.composition.list_unsubscribe import ListUnsubscribe
from mailsend.composition.message_fields import check_further_name, further_field
from mailsend.composition.one_line import check_line
from mailsend.errors import InvalidMessage
from mailsend.templates import Template

BODIES: Final = ("text", "html")


def further(value: Mapping[str, str] | None) -> dict[str, str]:
    """Header fields that no other argument stands for, read now."""
    if not isinstance(value, Mapping | None):
        raise InvalidMessage("headers has to be a mapping of names to values")
    return dict(value or {})


def uris(
    value: ListUnsubscribe | str | Iterable[str] | None,
) -> ListUnsubscribe | tuple[str, ...] | None:
    """What is given as list_unsubscribe, its URIs read now."""
    if value is None or isinstance(value, ListUnsubscribe):
        return value
    if not isinstance(value, Iterable) or isinstance(value, bytes | Mapping):
        raise InvalidMessage(
            "list_unsubscribe has to be a ListUnsubscribe, a URI or a list of URIs, not "
            f"{type(value).__name__}"
        )
    return (value,) if isinstance(value, str) else tuple(value)


def gap(name: str) -> str:
    """The name of the gap that a text stands in: with a blank, which no header field has."""
    return f"{name} part"


@frozen
class Sample:
    """What a message that stands for all is made of.

    Attributes:
        arguments: of compose().
        fields: its header fields that are gaps: the name in lower case, to that of the gap.
        marks: its texts that are gaps, to their names.
    """

    arguments: dict[str, Any]
    fields: dict[str, str]
    marks: dict[str, str]


@frozen
class Texts:
    """All texts of a mailing. Made by :meth:`of`.

    Attributes:
        constant: arguments of compose() that are the same for all receivers.
    """

    constant: dict[str, Any]
    _parts: Parts
    _further: dict[str, str | Fill]
    _uris: tuple[str | Fill, ...]
    _one_click: bool

    @classmethod
    def of(
        cls,
        syntax: Syntax,
        template: Template | None,
        texts: Mapping[str, str | None],
        headers: Mapping[str, str],
        list_unsubscribe: ListUnsubscribe | tuple[str, ...] | None,
        *,
        one_click: bool,
    ) -> Texts:
        """Read them. The arguments are those of a mailing.

        Raises:
            ConfigurationError: Jinja2 is needed and not installed.
            InvalidMessage: One cannot be used.
        """
        if not isinstance(template, Template | None):
            raise InvalidMessage(f"template has to be a Template, not {type(template).__name__}")
        given = {name: source for name, source in texts.items() if source is not None}
        if template is not None and given:
            raise InvalidMessage(f"{next(iter(given))} and template are both given")
        parts = Parts.of_texts(syntax, given) if template is None else Parts.of_template(template)
        constant: dict[str, Any] = {**parts.constant}
        others = {
            name: compiled_line(syntax, f"header field {check_further_name(name)}", value)
            for name, value in headers.items()
        }
        lines = _unsubscribing(syntax, list_unsubscribe, one_click=one_click)
        fixed = [line for line in lines if isinstance(line, str)]
        if not lines:
            constant["list_unsubscribe"] = list_unsubscribe
        elif len(fixed) == len(lines):
            constant["list_unsubscribe"] = ListUnsubscribe(fixed, one_click=one_click)
            lines = ()
        return cls(constant, parts, others, lines, one_click)

    def filled(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments of compose() that differ from receiver to receiver.

        Raises:
            InvalidMessage: A value is missing, or cannot be written.
        """
        made: dict[str, Any] = {**self._parts.fill(values)}
        made["headers"] = {
            name: text if isinstance(text, str) else text(values)
            for name, text in self._further.items()
        }
        if self._uris:
            lines = [uri if isinstance(uri, str) else uri(values) for uri in self._uris]
            made["list_unsubscribe"] = ListUnsubscribe(lines, one_click=self._one_click)
        return made

    def fields(self, filled: Mapping[str, Any]) -> Iterator[HeaderField]:
        """The header fields that differ from receiver to receiver, as compose() has them.

        Raises:
            InvalidMessage: One is more than a line, or not of its field's form.
        """
        if "subject" in filled:
            yield TextField(check_line("subject", filled["subject"]), name="Subject")
        for name, text in self._further.items():
            if not isinstance(text, str):
                yield further_field(name, filled["headers"][name])
        if self._uris:
            yield VerbatimField(str(filled["list_unsubscribe"]), name="List-Unsubscribe")

    def sample(self) -> Sample:
        """A message that stands for all."""
        sample = Sample({}, {}, {})
        for name in self._parts.differing:
            if name == "subject":
                sample.fields[name] = "Subject"
            else:
                mark = sample.arguments[name] = secrets.token_hex(16)
                sample.marks[mark] = gap(name)
        headers = sample.arguments["headers"] = {}
        for name, text in self._further.items():
            if isinstance(text, str):
                headers[name] = text
            else:
                # Under its own name it would have to have that one's form.
                stand_in = f"X-{secrets.token_hex(16)}"
                headers[stand_in] = "x"
                sample.fields[stand_in.lower()] = name
        if self._uris:
            sample.fields["list-unsubscribe"] = "List-Unsubscribe"
            sample.arguments["list_unsubscribe"] = ListUnsubscribe(
                "https://example.org", one_click=self._one_click
            )
        return sample

    def check_once(self, sample: EmailMessage) -> None:
        """See that no header field of :meth:`sample` would stand in a message twice.

        Raises:
            InvalidMessage: One would.
        """
        seen = set()
        for name, text in self._further.items():
            if name.lower() in seen or (name in sample and not isinstance(text, str)):
                raise InvalidMessage(
                    f"the header field {name} is given twice",
                    advice="Give it in `headers`, or by the argument of that name",
                )
            seen.add(name.lower())


def _unsubscribing(
    syntax: Syntax, given: ListUnsubscribe | tuple[str, ...] | None, *, one_click: bool
) -> tuple[str | Fill, ...]:
    if not isinstance(one_click, bool):
        raise InvalidMessage(f"one_click has to be a bool, not {type(one_click).__name__}")
    if isinstance(given, tuple):
        if not given:
            raise InvalidMessage("list_unsubscribe has no URI")
        return tuple(compiled_line(syntax, "list_unsubscribe", uri) for uri in given)
    if one_click:
        raise InvalidMessage(
            "one_click goes with URIs in list_unsubscribe",
            advice='Write ListUnsubscribe("https://…", one_click=True), or give the URI itself',
        )
    return ()
