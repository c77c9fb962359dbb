"""Where the parts of a template are read from, and how they are named there."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from attrs import frozen

from mailsend.errors import ConfigurationError, InvalidMessage

MAX_SOURCE: Final = 1_000_000
"""The most octets that a file of a template may have."""

_SUFFIXES: Final = {"subject": ".subject.txt", "text": ".txt", "html": ".html"}
_KINDS: Final = {".txt": "text", ".html": "html", ".htm": "html"}
_SUBJECT: Final = re.compile(r"subject:[ \t]*([^\r\n]*)\r?\n(?:[ \t]*\r?\n)?", re.IGNORECASE)
_NAME: Final = re.compile(r"[^/\\\0.][^/\\\0]*")


@frozen
class Source:
    """The parts of one template, not yet compiled.

    Attributes:
        name: what errors call the template.
        parts: ``subject``, ``text`` and ``html``, as far as there are any: the name of each, and
            its source.
        include: reads another file by its name in the same folder, or gives None.
    """

    name: str
    parts: Mapping[str, tuple[str, str]]
    include: Callable[[str], str | None]


def from_strings(name: str, given: Mapping[str, str | None]) -> Source:
    parts = {}
    for kind, source in given.items():
        if source is None:
            continue
        if not isinstance(source, str):
            raise InvalidMessage(
                f"the {kind} of a template has to be a string, not {type(source).__name__}"
            )
        parts[kind] = (f"{name}, {kind}", source)
    return _source(name, parts, lambda _: None, f"the template {name} has no part")


def from_folder(folder: str | os.PathLike[str], name: str) -> Source:
    root = Path(folder)
    return _from_tree(root, name, where=str(root / name))


def from_package(package: str, name: str) -> Source:
    try:
        root = files(package)
    except (ImportError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f"there is no package {ascii(package)[:80]} to take templates from",
            advice="Name it as an import does, such as shop.letters",
        ) from error
    return _from_tree(root, name, where=f"{package}:{name}")


def from_file(path: str | os.PathLike[str]) -> Source:
    file = Path(path)
    kind = _KINDS.get(file.suffix.lower())
    if kind is None:
        raise InvalidMessage(
            f"the template {file} is neither .html nor .txt",
            advice="Name it by what it holds; Markdown has to be made HTML before",
        )
    text = _read(file, str(file))
    if text is None:
        raise _missing(str(file))
    parts = {}
    subject = _SUBJECT.match(text)
    if subject is not None:
        parts["subject"] = (f"{file.name}, Subject", subject[1])
        # Lines keep the numbers that they have in the file.
        text = "{#" + "\n" * subject[0].count("\n") + "#}" + text[subject.end() :]
    parts[kind] = (file.name, text)
    return _source(str(file), parts, lambda other: _included(file.parent, other), "")


def _from_tree(root: Traversable, name: str, *, where: str) -> Source:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidMessage(
            f"{ascii(name)[:80]} cannot be the name of a template",
            advice="Name the folder and, apart from it, what stands before .subject.txt, .txt and "
            ".html there",
        )
    parts = {}
    for kind, suffix in _SUFFIXES.items():
        text = _read(root / f"{name}{suffix}", f"{where}{suffix}")
        if text is not None:
            parts[kind] = (f"{name}{suffix}", text)
    return _source(
        where,
        parts,
        lambda other: _included(root, other),
        f"there is no template {where}: none of {where}.subject.txt, .txt and .html exists",
    )


def _source(
    name: str,
    parts: Mapping[str, tuple[str, str]],
    include: Callable[[str], str | None],
    otherwise: str,
) -> Source:
    if not parts:
        raise InvalidMessage(otherwise, advice="Give it at least a text or an HTML part")
    return Source(name, parts, include)


def _included(root: Traversable, name: str) -> str | None:
    """A file beside the template. Names cannot lead out of the folder."""
    file = root
    for step in name.split("/"):
        if not _NAME.fullmatch(step):
            return None
        file /= step
    return _read(file, name)


def _read(file: Traversable, where: str) -> str | None:
    """The text of a file, or None where there is none."""
    try:
        with file.open("rb") as stream:
            octets = stream.read(MAX_SOURCE + 1)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InvalidMessage(
            f"the template {where} cannot be read: {reason}",
            advice="Check its path, and that this user may read it",
        ) from error
    if len(octets) > MAX_SOURCE:
        raise InvalidMessage(f"the template {where} has more than {MAX_SOURCE:,} octets")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidMessage(
            f"the template {where} is not UTF-8 at octet {error.start}", advice="Convert it"
        ) from error


def _missing(where: str) -> InvalidMessage:
    return InvalidMessage(f"there is no template {where}", advice="Check its path")
