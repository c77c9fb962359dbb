"""A template, and what it becomes with the values of one message."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from mailsend.composition.one_line import odd_character
from mailsend.errors import ConfigurationError, InvalidMessage, MailsendError
from mailsend.templates.sources import Source, from_file, from_folder, from_package, from_strings

if TYPE_CHECKING:  # an extra
    import jinja2

MAX_CHARACTERS: Final = 1_000_000
"""The most that a template makes, unless it is given another bound."""

_PARTS: Final = ("subject", "text", "html")


@frozen
class Rendered:
    """The parts of one message, ready for :func:`~mailsend.compose`.

    It unpacks: ``compose(sender=..., to=..., **template.render(row))``. A part that the template
    does not have is None, and left out then.

    Attributes:
        subject: one line, or None.
        text: the plain text, or None.
        html: the HTML, or None.
    """

    subject: str | None = None
    text: str | None = None
    html: str | None = None

    def keys(self) -> tuple[str, ...]:
        """The parts there are."""
        return tuple(name for name in _PARTS if getattr(self, name) is not None)

    def __getitem__(self, name: str) -> Any:
        if name not in self.keys():
            raise KeyError(name)
        return getattr(self, name)


def _bound(value: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigurationError(
            f"max_characters has to be a number above 0, not {ascii(value)[:80]}"
        )
    return value


@frozen
class Template:
    """Subject, text and HTML of messages, with places for values. Made by the ``from_`` methods.

    The language is Jinja2's. Where that leaves a choice, mail decides it:

    - A variable that is missing is an error, and so is None where it would be written. What may be
      missing is written as ``{{ name|default("you") }}``, and ``{{ name or "you" }}``.
    - Values are escaped in HTML, and are not in text and subject.
    - A subject is one line. A value with a line end in it is refused, not folded.
    - Templates run in Jinja2's sandbox, which bars the way from a value to the rest of the process
      and lets nothing be changed.
    - Texts, loops and numbers are bounded by `max_characters`. In the sandbox nothing larger is
      made on the way either, and 16 times as much in all. A template can still waste some time,
      so that those of strangers belong into a process that can be ended.
    - Values are the caller's: objects with methods that do harm have no place among them.

    Attributes:
        name: what errors call it.
        max_characters: the most characters that one rendering may make, parts, turns of loops and
            what is only kept in variables together.

    Raises:
        ConfigurationError: Jinja2 is not installed, or `max_characters` is no bound.
        InvalidMessage: A part cannot be read, or is no template; the text has file and line.
    """

    name: str
    max_characters: int = field(converter=_bound)
    _parts: Mapping[str, jinja2.Template] = field(repr=False, eq=False)
    _variables: Mapping[str, frozenset[str]] = field(repr=False, eq=False)

    @classmethod
    def from_string(
        cls,
        *,
        subject: str | None = None,
        text: str | None = None,
        html: str | None = None,
        name: str = "from_string",
        max_characters: int = MAX_CHARACTERS,
        allow_arbitrary_code: bool = False,
    ) -> Template:
        """Take the parts as they are given. They can include nothing.

        Args:
            subject: one line.
            text: the plain text.
            html: the HTML.
            name: what errors call it.
            max_characters: see the class.
            allow_arbitrary_code: lift the sandbox, so that the template can do all that this
                process can. Only for templates that are as trusted as the program.
        """
        given = {"subject": subject, "text": text, "html": html}
        return cls._of(from_strings(name, given), max_characters, allow_arbitrary_code)

    @classmethod
    def from_folder(
        cls,
        folder: str | os.PathLike[str],
        name: str,
        *,
        max_characters: int = MAX_CHARACTERS,
        allow_arbitrary_code: bool = False,
    ) -> Template:
        """Read ``name.subject.txt``, ``name.txt`` and ``name.html``, as far as there are any.

        They can include and extend other files of the folder, and none outside it; a symbolic link
        in it is followed.

        Args:
            folder: where the templates stand.
            name: what the file names begin with, such as ``welcome``.
            max_characters: see the class.
            allow_arbitrary_code: see :meth:`from_string`.
        """
        return cls._of(from_folder(folder, name), max_characters, allow_arbitrary_code)

    @classmethod
    def from_package(
        cls,
        package: str,
        name: str,
        *,
        max_characters: int = MAX_CHARACTERS,
        allow_arbitrary_code: bool = False,
    ) -> Template:
        """The same in an installed package.

        Args:
            package: whose folder the templates stand in, such as ``shop.letters``.
            name: what the file names begin with.
            max_characters: see the class.
            allow_arbitrary_code: see :meth:`from_string`.

        Raises:
            ConfigurationError: There is no such package.
        """
        return cls._of(from_package(package, name), max_characters, allow_arbitrary_code)

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        *,
        max_characters: int = MAX_CHARACTERS,
        allow_arbitrary_code: bool = False,
    ) -> Template:
        """Read one file, ``.html`` or ``.txt``. Its first line may be ``Subject: ...``.

        An empty line after that one belongs to neither part. The file can include others as those
        of :meth:`from_folder` can.

        Args:
            path: of the file.
            max_characters: see the class.
            allow_arbitrary_code: see :meth:`from_string`.
        """
        return cls._of(from_file(path), max_characters, allow_arbitrary_code)

    @classmethod
    def _of(cls, source: Source, max_characters: int, allow_arbitrary_code: bool) -> Template:
        jinja = _jinja()
        environment = jinja.OpenEnvironment if allow_arbitrary_code else jinja.SandboxedEnvironment
        texts = dict(source.parts.values())

        def read(name: str) -> str | None:
            return texts[name] if name in texts else source.include(name)

        # An HTML part escapes in whatever it includes.
        environments = {html: environment(read, html=html) for html in (False, True)}
        parts, variables = {}, {}
        for kind, (name, text) in source.parts.items():
            if kind == "subject":
                texts[name] = _one_line(name, text)
            try:
                parts[kind] = environments[kind == "html"].get_template(name)
                variables[kind] = _variables_of(environments[False], texts[name])
            except Exception as error:
                raise _failure(error, name) from error
        return cls(source.name, max_characters, parts, variables)

    @property
    def parts(self) -> tuple[str, ...]:
        """Which of subject, text and html it has."""
        return tuple(name for name in _PARTS if name in self._parts)

    @property
    def variables(self) -> frozenset[str]:
        """What the parts themselves name and do not set; what they include is not looked at."""
        return frozenset().union(*self._variables.values())

    def render(self, values: Mapping[str, Any] | None = None, /, **more: Any) -> Rendered:
        """Put values in.

        Args:
            values: name to value.
            more: further ones; they come before those of `values`.

        Raises:
            InvalidMessage: A variable is missing, the subject would have a line end or another
                control character, the template makes too much or fails. The text has the name
                of the template, the line, and the variable.
        """
        if values is not None and not isinstance(values, Mapping):
            raise InvalidMessage(f"values has to be a mapping, not {type(values).__name__}")
        given = {**(values or {}), **more}
        if not all(isinstance(name, str) for name in given):
            raise InvalidMessage("the names of values have to be strings")
        jinja = _jinja()
        token = jinja.budget_of_this.set(jinja.Budget(self.max_characters))
        try:
            made = {kind: self._render(part, given) for kind, part in self._parts.items()}
        finally:
            jinja.budget_of_this.reset(token)
        if "subject" in made:
            made["subject"] = self._subject(made["subject"], given)
        return Rendered(**made)

    def _render(self, part: jinja2.Template, values: Mapping[str, Any]) -> str:
        pieces, size = [], 0
        try:
            for piece in part.generate(values):
                pieces.append(piece)
                size += len(piece)
                if size > self.max_characters:
                    raise _jinja().TooMuch  # noqa: TRY301 - told like the others
        except MailsendError:
            raise
        except Exception as error:
            # A template calls what the values are made of, which can fail in any way.
            raise _failure(error, part.name or self.name, self.max_characters) from error
        return "".join(pieces)

    def _subject(self, text: str, values: Mapping[str, Any]) -> str:
        odd = odd_character(text)
        if odd is None:
            return text.strip()
        guilty = [
            name
            for name in sorted(self._variables["subject"])
            if odd_character(str(values.get(name, ""))) is not None
        ]
        source = f", from the variable {' and '.join(guilty)}" if guilty else ""
        raise InvalidMessage(
            f"the template {self._parts['subject'].name}: the subject would contain the character "
            f"{odd}{source}",
            advice="Take out line ends and other control characters; a subject is one line",
        )


def _jinja() -> Any:
    try:
        from mailsend.templates import environment  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ConfigurationError(
            "templates need the package Jinja2", advice='Run pip install "mailsend[templates]"'
        ) from error
    return environment


def _one_line(name: str, text: str) -> str:
    line = text.strip()
    odd = odd_character(line)
    if odd is not None:
        raise InvalidMessage(
            f"the template {name} contains the character {odd}",
            advice="A subject is one line",
        )
    return line


def _variables_of(environment: jinja2.Environment, text: str) -> frozenset[str]:
    from jinja2 import meta  # noqa: PLC0415 - an extra

    return frozenset(meta.find_undeclared_variables(environment.parse(text)))


def _failure(error: Exception, name: str, bound: int = 0) -> InvalidMessage:
    from jinja2 import exceptions  # noqa: PLC0415 - an extra

    jinja = _jinja()
    what, advice = f"{type(error).__name__}: {ascii(str(error))[1:-1][:200]}", None
    line: int | None = None
    if isinstance(error, exceptions.TemplateSyntaxError):
        what, line, name = str(error.message), error.lineno, error.name or name
    else:
        for name, line in _places(error, jinja.FILE_NAME):  # noqa: B007 - the innermost
            pass
    if isinstance(error, exceptions.SecurityError):
        what = f"not open to a template: {error.message}"
        advice = (
            "Only a template that may do all this program may is made with allow_arbitrary_code"
        )
    elif isinstance(error, exceptions.UndefinedError):
        what = str(error.message)
        advice = "Give the value, or write {{ ...|default('') }} where it may be missing"
    elif isinstance(error, exceptions.TemplateNotFound):
        what = f"there is no {ascii(str(error.name))[:80]} beside it"
    elif isinstance(error, jinja.Nothing):
        what = "a value is None"
        advice = "Give the value, or write {{ ... or '' }} where it may be missing"
    elif isinstance(error, jinja.TooMuch):
        what = f"it makes more than {bound:,} characters"
        advice = "Shorten what it repeats, or raise max_characters"
    elif isinstance(error, RecursionError):
        what = "it calls itself without an end"
    where = name if line is None else f"{name}, line {line}"
    return InvalidMessage(f"the template {where}: {what}", advice=advice)


def _places(error: Exception, prefix: str) -> Iterator[tuple[str, int]]:
    for frame, line in walk_tb(error.__traceback__):
        file = frame.f_code.co_filename
        if file.startswith(prefix):
            yield file.removeprefix(prefix), line
