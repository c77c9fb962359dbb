"""A reader of messages for tests, which shares nothing with mailsend or ``email``.

It knows lines, fields, boundaries and encoded words, and is as naive as a receiver may be: a line
end is whatever any reader takes for one.
"""

from __future__ import annotations

import base64
import re
from typing import NamedTuple


class Read(NamedTuple):
    fields: list[tuple[str, str]]  # name in lower case, and the unfolded value, encoded words left
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for one, value in self.fields if one == name]

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.fields]


def read(octets: bytes) -> Read:
    """Raises AssertionError where two readers could differ."""
    section, blank, body = octets.partition(b"\r\n\r\n")
    if octets.startswith(b"\r\n"):
        section, body = b"", octets[2:]
    assert blank or section == octets.removesuffix(b"\r\n") or not section
    section = section.removesuffix(b"\r\n")
    fields: list[tuple[str, str]] = []
    # Every reader's line ends: a field that one of them could end is ended here.
    for line in re.split(rb"\r\n|\r|\n", section) if section else []:
        if line[:1] in {b" ", b"\t"}:
            assert fields, line
            assert line.strip(), line
            fields[-1] = (fields[-1][0], fields[-1][1] + line.decode())
            continue
        match = re.fullmatch(rb"([\x21-\x39\x3b-\x7e]+):(.*)", line, re.DOTALL)
        assert match, line
        fields.append((match[1].decode().lower(), match[2].decode().strip(" \t")))
    assert b"\0" not in octets
    return Read(fields, body)


def parts(octets: bytes, boundary: str) -> list[bytes]:
    """What stands between the lines of a boundary."""
    line = re.compile(rb"(?:^|\r\n)--" + re.escape(boundary.encode()) + rb"(?:--)?[ \t]*(?=\r\n|$)")
    return [piece.removeprefix(b"\r\n") for piece in line.split(octets)[1:-1]]


def decoded(value: str) -> str:
    """A value with its encoded words decoded (RFC 2047 §2, §6.2)."""
    word = r"=\?([^?*]+)(?:\*[^?]*)?\?([bBqQ])\?([^? ]*)\?="
    value = re.sub(rf"({word})[ \t]+(?={word})", r"\1", value)
    runs: list[bytes | str] = []
    position = 0
    for match in re.finditer(word, value):
        if match.start() > position:
            runs.append(value[position : match.start()])
        assert match[1].lower() in {"utf-8", "us-ascii"}, match[1]
        octets = (
            base64.b64decode(match[3], validate=True)
            if match[2] in "bB"
            else re.sub(
                rb"=([0-9A-Fa-f]{2})",
                lambda m: bytes([int(m[1], 16)]),
                match[3].replace("_", " ").encode(),
            )
        )
        # Characters may be cut between two words by some; ours have to be whole together.
        if runs and isinstance(runs[-1], bytes):
            runs[-1] += octets
        else:
            runs.append(octets)
        position = match.end()
    runs.append(value[position:])
    return "".join(run if isinstance(run, str) else run.decode() for run in runs)


def addresses(value: str) -> list[str]:
    """The bare addresses of a list, by the shortest reading: quotes and comments taken out."""
    value = re.sub(r'"(?:[^"\\]|\\.)*"(?!@)', "Q", value)
    while (bare := re.sub(r"\((?:[^()\\]|\\.)*\)", "", value)) != value:
        value = bare
    value = re.sub(r"[^,;:<>@]+:([^;]*);", r"\1", value)
    found = []
    for one in value.split(","):
        if one.strip():
            angle = re.search(r"<([^<>]*)>", one)
            found.append((angle[1] if angle else one).strip())
    return found
