"""Jinja2 as mail needs it: nothing is missing in silence, and what is made has a bound."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from functools import wraps
from typing import Any, Final

from jinja2 import (
    BaseLoader,
    Environment,
    StrictUndefined,
    TemplateNotFound,
    nodes,
    pass_context,
    pass_eval_context,
)
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

FILE_NAME: Final = "mail template "
"""How the file names of compiled templates begin, for errors to be found in tracebacks."""

_MAX_BITS: Final = 10_000  # of a whole number that a template calculates
_TURN: Final = 10  # characters that a turn of a loop, or a call of a macro, counts as
# The filters that _Metering adds. A template can name them only for map(), and gains nothing.
_SPEND, _BOUNDED, _SHOWN = "mailsend spend", "mailsend bounded", "mailsend shown"
_ON_THE_WAY: Final = 16  # times what a rendering may make, of what is made on the way to it
# Filters that make no text of the lists they get.
_OF_LISTS: Final = frozenset({
    "attr", "batch", "count", "d", "default", "dictsort", "first", "groupby", "items", "join",
    "last", "length", "list", "map", "max", "min", "random", "reject", "rejectattr", "reverse",
    "select", "selectattr", "slice", "sort", "sum", "unique",
})  # fmt: skip
_WIDE_PRINTF: Final = re.compile(r"%[^a-zA-Z%]*(?:\*|[0-9]{5})")
_WIDE_FORMAT: Final = re.compile(r":[^{}]*(?:\{|[0-9]{5})")


class TooMuch(Exception):
    """A template makes more than it may."""


class Nothing(Exception):
    """A template would write None."""


class Budget:
    """What one rendering may still make, in characters; a turn of a loop counts as some, too."""

    def __init__(self, characters: int) -> None:
        self.characters = characters
        self.left = characters
        self.on_the_way = characters * _ON_THE_WAY

    def spend(self, characters: int) -> None:
        self.left -= characters
        if self.left < 0:
            raise TooMuch

    def spend_on_the_way(self, characters: int) -> None:
        self.on_the_way -= characters
        if self.on_the_way < 0:
            raise TooMuch


budget_of_this: Final[ContextVar[Budget | None]] = ContextVar("mailsend_template", default=None)


def _spend(characters: int) -> str:
    budget = budget_of_this.get()
    if budget is not None:
        budget.spend(characters)
    return ""


def _limit() -> int:
    budget = budget_of_this.get()
    return 0 if budget is None else budget.characters


def _bounded(value: Any) -> Any:
    if isinstance(value, str | bytes | list | tuple):
        budget = budget_of_this.get()
        if len(value) > (0 if budget is None else budget.characters):
            raise TooMuch
        if budget is not None:
            budget.spend_on_the_way(len(value))
    return value


def _shown_size(value: Any) -> int:
    """About how many characters str() would make of it, where that is not more than allowed.

    A list can hold one text many times, at no cost until it is shown.
    """
    most, size, waiting = _limit(), 0, [value]
    while waiting:
        one = waiting.pop()
        size += 1
        if isinstance(one, str | bytes):
            size += len(one)
        elif isinstance(one, Mapping):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple | set | frozenset):
            waiting += one
        if size > most + 1:
            raise TooMuch
    return size


def _shown(value: Any) -> Any:
    if not isinstance(value, str):
        _shown_size(value)
    return value


def _written(value: Any) -> str:
    """What ``{{ value }}`` writes. While Jinja2 compiles, constants pass through too."""
    if value is None:
        raise Nothing
    if isinstance(value, str):
        text = value
    elif hasattr(value, "__html__"):
        text = Markup(value.__html__())  # noqa: S704 - it says so itself
    else:
        text = str(_shown(value))
    _spend(len(text))
    return text


class _Metering(NodeTransformer):
    """Adds what counts to whatever can run more than once, and to what joins texts."""

    def _metered(self, node: Any) -> Any:
        self.generic_visit(node)
        cost = _TURN + sum(len(data.data) for data in _own_data(node.body))
        spend = nodes.ExprStmt(_filtered(nodes.Const(cost), _SPEND))
        node.body.insert(0, spend.set_lineno(node.lineno))
        return node

    visit_Template = visit_Block = visit_For = visit_Macro = visit_CallBlock = _metered  # noqa: N815

    def visit_Concat(self, node: Any) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.nodes = [_filtered(one, _SHOWN).set_lineno(node.lineno) for one in node.nodes]
        return _filtered(node, _BOUNDED).set_lineno(node.lineno)


def _filtered(node: nodes.Node, name: str) -> nodes.Filter:
    # A filter is called straight away; a call would go through the sandbox, many times as slow.
    return nodes.Filter(node, name, [], [], None, None)


def _own_data(body: Iterable[nodes.Node]) -> Iterable[nodes.TemplateData]:
    """The texts that one run through a body can write, without those that count themselves."""
    for node in body:
        if isinstance(node, nodes.TemplateData):
            yield node
        elif not isinstance(node, nodes.Block | nodes.For | nodes.Macro | nodes.CallBlock):
            yield from _own_data(node.iter_child_nodes())


class _Loader(BaseLoader):
    def __init__(self, read: Callable[[str], str | None]) -> None:
        self._read = read

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        del environment  # each has a loader of its own
        source = self._read(template)
        if source is None:
            raise TemplateNotFound(template)
        return source, FILE_NAME + template, lambda: True


class _Mailing(Environment):
    """What both environments have in common."""

    def __init__(self, read: Callable[[str], str | None], *, html: bool) -> None:
        super().__init__(
            loader=_Loader(read),
            autoescape=html,
            undefined=StrictUndefined,
            finalize=_written,
            keep_trailing_newline=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.globals.pop("lipsum")
        # With the context Jinja2 leaves them for the run instead of working them out beforehand.
        self.filters[_SPEND] = pass_context(lambda _, cost: _spend(max(cost, 0)))
        self.filters[_BOUNDED] = pass_context(lambda _, value: _bounded(value))
        self.filters[_SHOWN] = pass_context(lambda _, value: _shown(value))

    def compile(self, source: Any, *args: Any, **options: Any) -> Any:
        if isinstance(source, str):
            source = _Metering().visit(self.parse(source, *args[:2]))
        return super().compile(source, *args, **options)


class OpenEnvironment(_Mailing):
    """For templates that may do what Python may."""


class SandboxedEnvironment(_Mailing, ImmutableSandboxedEnvironment):
    """For templates that may only write: no way to Python's own attributes, nor to huge values."""

    intercepted_binops = frozenset({"*", "**", "%", "+"})

    def __init__(self, read: Callable[[str], str | None], *, html: bool) -> None:
        super().__init__(read, html=html)
        for name in ("center", "indent", "wordwrap", "batch", "slice", "tojson"):
            self.filters[name] = _with_small_numbers(self.filters[name])
        for name, check in (("format", _check_printf), ("replace", _check_replace)):
            self.filters[name] = _checked(self.filters[name], check)
        self.filters["join"] = _bounded_join(self.filters["join"])
        for name in self.filters.keys() - {_SPEND, _BOUNDED, _SHOWN}:
            self.filters[name] = _counted(self.filters[name], shows=name not in _OF_LISTS)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if isinstance(left, int) and isinstance(right, int):
            bits, more = left.bit_length(), right.bit_length()
            if (operator == "*" and bits + more > _MAX_BITS) or (
                operator == "**" and bits > 1 and bits * abs(right) > _MAX_BITS
            ):
                raise TooMuch
        elif operator == "*":
            for many, times in ((left, right), (right, left)):
                sized = isinstance(many, str | bytes | list | tuple)
                if sized and isinstance(times, int) and len(many) * times > _limit():
                    raise TooMuch
        elif operator == "%" and isinstance(left, str):
            if isinstance(right, Mapping):
                values = tuple(right.values())
            else:
                values = right if isinstance(right, tuple) else (right,)
            _check_printf(left, *values)
        return _bounded(super().call_binop(context, operator, left, right))

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        method = getattr(obj, "__wrapped__", obj)  # the sandbox wraps str.format
        owner, name = getattr(method, "__self__", None), getattr(method, "__name__", "")
        if isinstance(owner, str | bytes | int | float):
            _check_method(owner, name, [*args, *kwargs.values()])
        return _bounded(super().call(context, obj, *args, **kwargs))


def _check_method(owner: Any, name: str, given: list[Any]) -> None:
    if name in {"format", "format_map"}:
        if _WIDE_FORMAT.search(owner):
            raise TooMuch
        _check_filled(owner, "{", given)
        return
    _check_numbers(given)
    if name == "translate":
        raise TooMuch
    if name == "replace":
        _check_replace(owner, *given)
    if name == "join" and given:
        _join_size(given[0], owner)
    if name == "expandtabs":
        _check_replace(owner, "\t", " " * given[0] if given else " " * 8)


def _check_numbers(given: Iterable[Any]) -> None:
    if any(isinstance(value, int) and abs(value) > _limit() for value in given):
        raise TooMuch


def _check_printf(text: Any, *values: Any) -> None:
    if _WIDE_PRINTF.search(str(text)):
        raise TooMuch
    _check_filled(str(text), "%", values)


def _check_filled(text: str, mark: str, values: Iterable[Any]) -> None:
    """See that a text is not too long with the longest of the values in each place."""
    longest = max(map(_shown_size, values), default=0)
    if len(text) + text.count(mark) * longest > _limit():
        raise TooMuch


def _check_replace(text: Any, old: Any = "", new: Any = "", *_: Any) -> None:
    if str(text).count(str(old)) * len(str(new)) > _limit():
        raise TooMuch


def _join_size(items: Iterable[Any], between: Any) -> list[Any]:
    listed = list(items)
    size = sum(len(item) if isinstance(item, str) else _shown_size(item) for item in listed)
    if size + len(str(between)) * len(listed) > _limit():
        raise TooMuch
    return listed


def _with_small_numbers(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        _check_numbers([*args[1:], *kwargs.values()])
        return _bounded(function(*args, **kwargs))

    return checked


def _checked(function: Callable[..., Any], check: Callable[..., None]) -> Callable[..., Any]:
    @wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        given = [value for value in args if not isinstance(value, EvalContext)]
        check(*given, *kwargs.values())
        return _bounded(function(*args, **kwargs))

    return checked


def _counted(function: Callable[..., Any], *, shows: bool) -> Callable[..., Any]:
    @wraps(function)
    def counted(*args: Any, **kwargs: Any) -> Any:
        if shows:
            for value in (*args, *kwargs.values()):
                if isinstance(value, list | tuple | set | frozenset | Mapping):
                    _shown_size(value)
        return _bounded(function(*args, **kwargs))

    return counted


def _bounded_join(function: Callable[..., Any]) -> Callable[..., Any]:
    @pass_eval_context
    def checked(context: Any, value: Any, d: Any = "", attribute: Any = None) -> Any:
        return function(context, _join_size(value, d), d, attribute)

    return checked
