"""What a parser that is none of Python's reads in a message: Perl's Email::MIME."""

from __future__ import annotations

import json
import os
import subprocess
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .servers.capsule import Installation

PROGRAMS = Path(__file__).resolve().parent / "readers"


@dataclass(frozen=True)
class Entity:
    """A message or a part of one, as it is to be shown to its reader.

    Attributes:
        fields: name and value of each header field, encoded words decoded.
        mailboxes: display name and address of each, by the name of the field in lower case.
        content_type: type and subtype.
        parameters: of the content type.
        disposition: attachment, inline or none.
        disposition_parameters: the file name among them.
        octets: the decoded content of what has no parts.
        parts: the entities in it.
        warnings: what the parser said about it.
    """

    fields: tuple[tuple[str, str], ...]
    mailboxes: Mapping[str, tuple[tuple[str, str], ...]]
    content_type: str
    parameters: Mapping[str, str]
    disposition: str | None
    disposition_parameters: Mapping[str, str]
    octets: bytes | None
    parts: tuple[Entity, ...]
    warnings: tuple[str, ...]

    def field(self, name: str) -> str:
        """The value of the only field of that name."""
        (value,) = (value for there, value in self.fields if there.lower() == name.lower())
        return value


def _entity(read: Any) -> Entity:
    octets = read.get("octets")
    return Entity(
        fields=tuple((name, value) for name, value in read["fields"]),
        mailboxes={
            name: tuple((phrase, address) for phrase, address in listed)
            for name, listed in read["mailboxes"].items()
        },
        content_type=read["type"],
        parameters=read["parameters"],
        disposition=read["disposition"],
        disposition_parameters=read["disposition_parameters"],
        octets=None if octets is None else b64decode(octets),
        parts=tuple(map(_entity, read.get("parts", ()))),
        warnings=tuple(read.get("warnings", ())),
    )


def perl(installation: Installation, program: str) -> list[str]:
    """The command that runs a program of the folder `readers` with the modules installed for it."""
    root = installation.installed
    modules = [
        *root.glob("usr/share/perl5"),
        *root.glob("usr/lib/*/perl5/*"),
        *root.glob("usr/share/perl/*"),
        *root.glob("usr/lib/*/perl/*"),
    ]
    return ["perl", *(f"-I{folder}" for folder in modules), str(PROGRAMS / program)]


class MessageReader:
    """One process that reads any number of messages, each in a millisecond or two."""

    def __init__(self, installation: Installation) -> None:
        self._process = subprocess.Popen(
            perl(installation, "read_messages.pl"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        )

    def read(self, octets: bytes) -> Entity:
        self._input.write(b"%d\n%b" % (len(octets), octets))
        self._input.flush()
        line = self._output.readline()
        if not line:
            raise AssertionError(f"the reader ended with {self._process.wait()} at {octets!r}")
        return _entity(json.loads(line))

    def close(self) -> None:
        self._input.close()
        self._output.close()
        self._process.wait(timeout=10)

    @property
    def _input(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def _output(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout
