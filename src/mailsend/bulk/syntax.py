"""Texts with places for values, in the way of writing that the caller chose."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from string import Template as DollarTemplate
from typing import Any, Final, TypeAlias

from attrs import frozen

from mailsend.composition.one_line import check_line
from mailsend.errors import InvalidMessage
from mailsend.templates import Template

_JINJA: Final = re.compile(r"\{[{%#]")

Fill: TypeAlias = Callable[[Mapping[str, Any]], str]
"""Makes a text of values."""


class Syntax(StrEnum):
    """How the places for values are written in the texts of a mailing."""

    JINJA = "jinja"
    """``{{ name }}``, as :class:`mailsend.Template` has it; needs ``mailsend[templates]``."""
    DOLLAR = "dollar"
    """``$name`` and ``${name}``, and ``$$`` for the character itself; needs nothing."""
    VERBATIM = "verbatim"
    """Not at all: texts stay as they are."""


@frozen
class Parts:
    """Subject and texts of a mailing, compiled.

    Attributes:
        constant: those that are the same for all receivers.
        differing: the names of the others.
        fill: makes those others of values.
    """

    constant: Mapping[str, str]
    differing: tuple[str, ...]
    fill: Callable[[Mapping[str, Any]], dict[str, str]]

    @classmethod
    def of_template(cls, template: Template, constant: Mapping[str, str] | None = None) -> Parts:
        """Those of a template, which all count as differing."""
        names = template.parts

        def fill(values: Mapping[str, Any]) -> dict[str, str]:
            rendered = template.render(values)
            return {name: getattr(rendered, name) for name in names}

        return cls(constant or {}, names, fill)

    @classmethod
    def of_texts(cls, syntax: Syntax, sources: Mapping[str, str]) -> Parts:
        """Compile them: ``subject``, ``text`` and ``html``, as far as there are any.

        Whatever the syntax, a value that is missing or None is refused, and values are escaped in
        the HTML.

        Raises:
            ConfigurationError: Jinja2 is needed and not installed.
            InvalidMessage: One cannot be read.
        """
        for kind, source in sources.items():
            _check_source(kind, source, line=kind == "subject")
        if syntax is Syntax.JINJA:
            live = {kind: source for kind, source in sources.items() if _JINJA.search(source)}
            rest = {kind: source for kind, source in sources.items() if kind not in live}
            if "subject" in rest:
                rest["subject"] = rest["subject"].strip()
            if not live:
                return cls(rest, (), lambda _: {})
            template = Template.from_string(name="mailing", **live)  # type: ignore[arg-type]  # only those three
            return cls.of_template(template, rest)
        made = {kind: _compiled(syntax, kind, source) for kind, source in sources.items()}
        fills = {kind: fill for kind, fill in made.items() if not isinstance(fill, str)}
        return cls(
            {kind: text for kind, text in made.items() if isinstance(text, str)},
            tuple(fills),
            lambda values: {kind: fill(values) for kind, fill in fills.items()},
        )


def compiled_line(syntax: Syntax, what: str, source: str) -> str | Fill:
    """A line with places for values; the line itself where it has none.

    Args:
        syntax: how the places are written.
        what: what errors call it.
        source: the line.

    Raises:
        ConfigurationError: Jinja2 is needed and not installed.
        InvalidMessage: It cannot be read.
    """
    _check_source(what, source, line=True)
    if syntax is not Syntax.JINJA:
        return _compiled(syntax, what, source)
    if not _JINJA.search(source):
        return source
    template = Template.from_string(text=source, name=f"mailing, {what}")
    return lambda values: str(template.render(values).text)


def _check_source(what: str, source: object, *, line: bool) -> None:
    if not isinstance(source, str):
        raise InvalidMessage(
            f"the {what} of a mailing has to be a string, not {type(source).__name__}"
        )
    if line:
        check_line(f"the {what} of a mailing", source)


def _compiled(syntax: Syntax, kind: str, source: str) -> str | Fill:
    return source if syntax is Syntax.VERBATIM else _dollar(kind, source)


def _dollar(kind: str, source: str) -> str | Fill:
    template = DollarTemplate(source)
    if not template.is_valid():
        raise InvalidMessage(
            f"the {kind} of the mailing has a $ that begins no name",
            advice="Write $name or ${name}, and $$ for the character itself",
        )
    pieces = _pieces(template)
    if all(isinstance(piece, str) for piece in pieces):
        return template.substitute()

    def fill(values: Mapping[str, Any]) -> str:
        return "".join(
            [
                piece if isinstance(piece, str) else _written(kind, piece.name, values)
                for piece in pieces
            ]
        )

    return fill


@frozen
class _Place:
    name: str


def _pieces(template: DollarTemplate) -> list[str | _Place]:
    """The text cut at its places, so that it is read once and not for each receiver."""
    pieces: list[str | _Place] = []
    position = 0
    for match in template.pattern.finditer(template.template):
        name = match["named"] or match["braced"]
        pieces += [template.template[position : match.start()], _Place(name) if name else "$"]
        position = match.end()
    return [*pieces, template.template[position:]]


def _written(kind: str, name: str, values: Mapping[str, Any]) -> str:
    value = values.get(name)
    if value is None:
        state = "None" if name in values else "missing"
        raise InvalidMessage(
            f"the {kind} of the mailing has ${name}, and that value is {state}",
            advice="Give the value, an empty text where there is nothing to say",
        )
    try:
        if kind != "html":
            return value if type(value) is str else str(value)
        return str(value.__html__()) if hasattr(value, "__html__") else html.escape(str(value))
    except Exception as error:
        # A value is the caller's, and can fail in any way.
        raise InvalidMessage(
            f"the value ${name} in the {kind} of the mailing cannot be written: "
            f"{type(error).__name__}"
        ) from error
