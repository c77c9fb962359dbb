"""Rules that read a reply, as data: the built-in ones, a provider's, and the user's own."""

from __future__ import annotations

import datetime as dt
import functools
import os
import re
import threading
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

from attrs import Attribute, field, fields, frozen

from mailsend.cause import Cause, Retry, Scope
from mailsend.errors import ConfigurationError
from mailsend.meanings import REPLY_FILES, read_table
from mailsend.reply import Reply
from mailsend.stage import Stage

_Member = TypeVar("_Member", bound=StrEnum)
_READ: Final = 1000  # characters of a reply; patterns with a gap take quadratic time
_ENHANCED: Final = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}")
_DIGITS: Final = {"4yz": frozenset(range(400, 500)), "5yz": frozenset(range(500, 600))}


class Confidence(StrEnum):
    """How well a rule is founded.

    ``RECORDED``: taken down from the server itself. ``STANDARD``: an RFC or an IANA registry says
    so. ``DOCUMENTED``: the provider's own documentation says so. ``REPORTED``: quoted by users or
    copied from the provider. ``UNVERIFIED``: none of these.
    """

    RECORDED = "recorded"
    STANDARD = "standard"
    DOCUMENTED = "documented"
    REPORTED = "reported"
    UNVERIFIED = "unverified"


class Evidence(IntEnum):
    """What a rule goes by, the strongest first; the stage is looked at before any of them."""

    WORDS = 0
    ENHANCED_CODE = 1
    REPLY_CODE = 2
    FIRST_DIGIT = 3
    STAGE = 4


# At most as long as an address may be, so that a long text costs no more than its length.
_ADDRESS: Final = re.compile(r"[^\s<>@()\[\]:;,\"]{1,64}@[^\s<>@()\[\]:;,\"]{1,255}")


def _codes(value: Iterable[int | str]) -> frozenset[int]:
    codes: set[int] = set()
    for item in value if isinstance(value, Iterable) and not isinstance(value, str) else [value]:
        if isinstance(item, str) and item in _DIGITS:
            codes |= _DIGITS[item]
        elif isinstance(item, int) and not isinstance(item, bool) and 400 <= item <= 599:
            codes.add(item)
        else:
            raise ConfigurationError(
                f"codes of a rule has {ascii(item)[:40]}, which is no code of a refusal",
                advice="Write numbers from 400 to 599, or '4yz' or '5yz' for all of a kind",
            )
    return frozenset(codes)


def _words(value: str | re.Pattern[str] | None) -> re.Pattern[str] | None:
    if value is None:
        return None
    pattern = value.pattern if isinstance(value, re.Pattern) else value
    if not isinstance(pattern, str) or not pattern:
        raise ConfigurationError(f"words of a rule has to be a text, not {ascii(pattern)[:40]}")
    try:
        return value if isinstance(value, re.Pattern) else re.compile(value, re.IGNORECASE)
    except re.error as error:
        raise ConfigurationError(
            f"words of a rule is no regular expression: {ascii(value)[:80]}: {error}"
        ) from error


def _stages(value: Iterable[Stage | str]) -> frozenset[Stage]:
    if isinstance(value, str):
        raise ConfigurationError("stages of a rule has to be a list of stages")
    return frozenset(_one_of(Stage, stage) for stage in value)


def _one_of(kind: type[_Member], value: object) -> _Member:
    try:
        return kind(str(value))
    except ValueError as error:
        raise ConfigurationError(
            f"a rule has {ascii(value)[:40]}, which is no {kind.__name__.lower()}",
            advice=f"Use one of {', '.join(kind)}",
        ) from error


def _cause(value: object) -> Cause:
    return _one_of(Cause, value)


def _scope(value: object) -> Scope | None:
    return None if value is None else _one_of(Scope, value)


def _retry(value: object) -> Retry | None:
    return None if value is None else _one_of(Retry, value)


def _confidence(value: object) -> Confidence:
    return _one_of(Confidence, value)


def _enhanced(value: Iterable[str]) -> frozenset[str]:
    if isinstance(value, str):
        raise ConfigurationError("enhanced of a rule has to be a list, as in ['7.8']")
    return frozenset(value)


def _check_enhanced(_: object, attribute: Attribute[frozenset[str]], value: frozenset[str]) -> None:
    for code in value:
        if not isinstance(code, str) or not _ENHANCED.fullmatch(code):
            raise ConfigurationError(
                f"{attribute.name} of a rule has {ascii(code)[:40]}",
                advice="Write subject and detail, as in '7.8': the class is left to the reply code",
            )


def _check_text(_: object, attribute: Attribute[str], value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{attribute.name} of a rule has to be a text, not {value!r}")


def _check_text_or_none(owner: object, attribute: Attribute[str | None], value: object) -> None:
    if value is not None:
        _check_text(owner, attribute, value)  # type: ignore[arg-type]  # only its name is read


@frozen(kw_only=True)
class Rule:
    """What a reply means if everything that the rule names fits.

    Attributes:
        id: its name, unique in a book: errors tell which rule decided.
        cause: what the reply means.
        source: where that is known from: an RFC's section, a server that was asked, a page.
        stages: what the reply answered to. Empty fits every stage.
        provider: the key of the provider whose replies alone it reads, or None for all.
        codes: reply codes, 400 to 599; as argument also ``4yz`` and ``5yz``. Empty fits all.
        enhanced: subject and detail of the enhanced status code, such as ``7.8``. Empty fits all.
        words: a regular expression looked for in the reply's text, whatever the case. None fits.
        scope: what it concerns, where that is not what the cause says.
        retry: when to try again, where that is neither what the cause nor the first digit says.
        advice: what to do, where there is something better than the cause's.
        link: where to read on: the provider's own page.
        checked: when somebody last compared the rule with its source.
        confidence: how well it is founded.
        example: a reply that this rule decides.

    Raises:
        ConfigurationError: A value has no meaning, or the rule fits everything.
    """

    id: str = field(validator=_check_text)
    cause: Cause = field(converter=_cause)
    source: str = field(validator=_check_text)
    stages: frozenset[Stage] = field(default=frozenset(), converter=_stages)
    provider: str | None = None
    codes: frozenset[int] = field(default=frozenset(), converter=_codes)
    enhanced: frozenset[str] = field(
        default=frozenset(), converter=_enhanced, validator=_check_enhanced
    )
    words: re.Pattern[str] | None = field(default=None, converter=_words)
    scope: Scope | None = field(default=None, converter=_scope)
    retry: Retry | None = field(default=None, converter=_retry)
    advice: str | None = field(default=None, validator=_check_text_or_none)
    link: str | None = field(default=None, validator=_check_text_or_none)
    checked: dt.date | None = None
    confidence: Confidence = field(default=Confidence.UNVERIFIED, converter=_confidence)
    example: str | None = None

    def __attrs_post_init__(self) -> None:
        if self.evidence is Evidence.STAGE and not self.stages:
            raise ConfigurationError(f"the rule {self.id} fits every reply")

    @property
    def evidence(self) -> Evidence:
        """The strongest evidence that it goes by."""
        if self.words is not None:
            return Evidence.WORDS
        if self.enhanced:
            return Evidence.ENHANCED_CODE
        if self.codes:
            return Evidence.FIRST_DIGIT if len(self.codes) >= 100 else Evidence.REPLY_CODE
        return Evidence.STAGE

    def fits(self, reply: Reply, stage: Stage, provider: str | None = None) -> bool:
        """Whether everything that the rule names is there."""
        return self.reads(searchable(reply), reply, stage, provider)

    def reads(self, text: str, reply: Reply, stage: Stage, provider: str | None) -> bool:
        """The same, for who has the :func:`searchable` text already."""
        if self.stages and stage not in self.stages:
            return False
        if self.provider is not None and self.provider != provider:
            return False
        if self.codes and reply.code not in self.codes:
            return False
        status = reply.enhanced
        if self.enhanced and (
            status is None or f"{status.subject}.{status.detail}" not in self.enhanced
        ):
            return False
        return self.words is None or self.words.search(text) is not None


def searchable(reply: Reply) -> str:
    """The text that words are looked for in: one line, without addresses.

    A server may break a text into lines anywhere, and a recipient may be called throttle.
    """
    return _ADDRESS.sub("x@x", " ".join(reply.lines)[:_READ])


_KEYS: Final = frozenset(f.name for f in fields(Rule))


def rule_of(row: Mapping[str, Any]) -> Rule:
    """A rule from a table of a TOML file.

    Raises:
        ConfigurationError: A key or a value is wrong.
    """
    name = row.get("id", "without id")
    unknown = sorted(set(row) - _KEYS)
    if unknown:
        raise ConfigurationError(
            f"the rule {name} has an unknown key {unknown[0]}",
            advice=f"Known are: {', '.join(sorted(_KEYS))}",
        )
    try:
        return Rule(**row)
    except TypeError as error:
        raise ConfigurationError(f"the rule {name}: {error}") from error
    except ValueError as error:
        reason = error.what if isinstance(error, ConfigurationError) else str(error)
        raise ConfigurationError(f"the rule {name}: {reason}") from error


def read_rules(path: str | os.PathLike[str]) -> tuple[Rule, ...]:
    """The rules of a TOML file: a table ``[[rule]]`` for each, with the attributes of `Rule`.

    Raises:
        ConfigurationError: The file cannot be read, or a rule in it is wrong.
    """
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"the rule file {path} cannot be read: {error.strerror}",
            advice="Check its path, and that this user may read it",
        ) from error
    except ValueError as error:
        raise ConfigurationError(f"the rule file {path} is not TOML: {error}") from error
    rows = table.get("rule")
    if set(table) - {"schema", "rule"} or table.get("schema", 1) != 1:
        raise ConfigurationError(
            f"the rule file {path} has more than schema = 1 and tables [[rule]]",
            advice="Check its keys; a newer schema needs a newer mailsend",
        )
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ConfigurationError(f"the rule file {path} has no tables of the form [[rule]]")
    return tuple(map(rule_of, rows))


def _rank(rule: Rule) -> tuple[Evidence, bool]:
    return (rule.evidence, rule.provider is None)


class RuleBook:
    """Rules in the order in which they are asked. May be used by several threads.

    Rules that were added are asked before those the book began with, the last added first. Among
    rules of one standing, the stronger :class:`Evidence` comes first, and for the same evidence a
    provider's own; the order in which they were given decides last.

    Args:
        rules: to begin with.

    Raises:
        ConfigurationError: Two rules have the same id.
    """

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        # For changes alone: a signal handler must not wait for the reading that it interrupted.
        self._lock = threading.RLock()
        given = _in_order(rules)
        self._rules: tuple[Rule, ...] | None = given or None

    @property
    def _all(self) -> tuple[Rule, ...]:
        rules = self._rules
        if rules is None:
            rules = _in_order(self._first())
            with self._lock:
                if self._rules is None:
                    self._rules = rules
                rules = self._rules
        return rules

    def _first(self) -> tuple[Rule, ...]:
        return ()

    def __iter__(self) -> Iterator[Rule]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def add(self, *rules: Rule) -> None:
        """Put rules in front of all others.

        Raises:
            ConfigurationError: The book has a rule of the same id; `remove` that first.
        """
        with self._lock:
            added = (*_in_order(rules), *self._all)
            _check_ids(added)
            self._rules = added

    def remove(self, rule_id: str) -> None:
        """Take a rule out.

        Raises:
            LookupError: The book has no such rule.
        """
        with self._lock:
            there = self._all
            left = tuple(rule for rule in there if rule.id != rule_id)
            if len(left) == len(there):
                raise LookupError(f"there is no rule {rule_id!r}")
            self._rules = left

    def load(self, path: str | os.PathLike[str]) -> tuple[Rule, ...]:
        """Add the rules of a TOML file; see :func:`read_rules`.

        Raises:
            ConfigurationError: The file or a rule cannot be used. Nothing was added.
        """
        rules = read_rules(path)
        self.add(*rules)
        return rules

    def find(self, reply: Reply, stage: Stage, provider: str | None = None) -> Rule | None:
        """The rule that decides, or None."""
        text = searchable(reply)
        return next((r for r in self._all if r.reads(text, reply, stage, provider)), None)


class _BuiltIn(RuleBook):
    """Reads its rules when they are first needed."""

    def _first(self) -> tuple[Rule, ...]:
        return built_in_rules()


def _in_order(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    ordered = tuple(sorted(rules, key=_rank))
    _check_ids(ordered)
    return ordered


def _check_ids(rules: Iterable[Rule]) -> None:
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise ConfigurationError(
                f"two rules have the id {rule.id!r}", advice="Give each a name of its own"
            )
        seen.add(rule.id)


@functools.cache
def built_in_rules() -> tuple[Rule, ...]:
    """The rules that come with the package, in the order of their files."""
    return tuple(
        rule_of(row) for name in REPLY_FILES for row in read_table(f"replies/{name}.toml")["rule"]
    )


reply_rules: Final[RuleBook] = _BuiltIn()
"""The rules that :func:`mailsend.interpret` asks; an application may add its own."""
