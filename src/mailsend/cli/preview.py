"""``mailsend preview``: how a message will look, as a page that loads and runs nothing."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from mailsend.cli.exit_codes import ExitCode
from mailsend.cli.output import put
from mailsend.composition.compose import compose
from mailsend.errors import InvalidMessage
from mailsend.templates import Template

_DESCRIPTION = """\
Show a message as one HTML page: headers, HTML at desktop and telephone width,
light and dark, text, attachments, source, and what is odd about it. The page
has no script, and nothing of the message is loaded or run, whatever it says.

FILE is a message (.eml, or - for the input), or a template: a file .html or
.txt, whose first line may be `Subject: ...`, or the name that a .subject.txt,
a .txt and a .html share, without its ending. Templates need mailsend[templates]
and take their values from --data. Findings are printed to the error output.
"""
_EPILOG = """\
exit status:
   0  the page was made
  64  the command line is wrong
  65  the message, the template or the values cannot be used
  74  the page cannot be written
  78  an extra is missing
"""
_MAX_MESSAGE: Final = 200_000_000
_MAX_DATA: Final = 10_000_000
_TEMPLATES: Final = frozenset({".html", ".htm", ".txt", ".md"})


def add_command(commands: Any) -> None:
    """Add ``preview`` to the parser."""
    parser = commands.add_parser(
        "preview",
        help="show a message or a template as a page",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("file", metavar="FILE", help="a message or a template")
    parser.add_argument("--data", metavar="FILE", help="a JSON object with the template's values")
    parser.add_argument("--from", dest="sender", metavar="ADDRESS", default="from@example.org")
    parser.add_argument("--to", metavar="ADDRESS", default="to@example.org")
    parser.add_argument("--subject", help="for a template that has none")
    parser.add_argument(
        "--inline-css", action="store_true", help="move styles into elements (mailsend[html])"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="the page; default: the output")
    parser.add_argument("--open", action="store_true", help="show it in the browser")
    parser.set_defaults(run=run, refuse=parser.error)


def run(arguments: argparse.Namespace) -> int:
    """Make the page."""
    from mailsend.preview.page import letter_of, page_and_findings  # noqa: PLC0415 - others do not

    page, findings = page_and_findings(*letter_of(_message(arguments), None, None))
    for finding in findings:
        print(f"mailsend: {_printable(str(finding))}", file=sys.stderr)
    if arguments.output is None and not arguments.open:
        put(page.rstrip("\n"))
        return ExitCode.OK
    try:
        written = _write(page, arguments.output)
    except OSError as error:
        print(f"mailsend: the page cannot be written: {error}", file=sys.stderr)
        return ExitCode.IO_ERROR
    if arguments.open:
        import webbrowser  # noqa: PLC0415 - only where it is asked for

        webbrowser.open(written.resolve().as_uri())
        print(f"mailsend: the page is {_printable(str(written))}", file=sys.stderr)
    return ExitCode.OK


def _message(arguments: argparse.Namespace) -> Any:
    path = Path(arguments.file)
    is_template = arguments.file != "-" and (
        path.suffix.lower() in _TEMPLATES or (not path.is_file() and path.suffix != ".eml")
    )
    if not is_template:
        for option, value in (("--data", arguments.data), ("--subject", arguments.subject)):
            if value is not None:
                arguments.refuse(f"{option} is for templates, and {arguments.file} is a message")
        if arguments.inline_css:
            arguments.refuse(f"--inline-css is for templates, and {arguments.file} is a message")
        return _octets(arguments.file, _MAX_MESSAGE)
    template = (
        Template.from_file(path)
        if path.suffix.lower() in _TEMPLATES
        else Template.from_folder(path.parent, path.name)
    )
    parts = dict(template.render(_values(arguments.data)))
    if arguments.subject is not None:
        if "subject" in parts:
            arguments.refuse("--subject is given, and the template has a subject of its own")
        parts["subject"] = arguments.subject
    if arguments.inline_css and "html" in parts:
        from mailsend.css import inline_css  # noqa: PLC0415 - an extra

        parts["html"] = inline_css(parts["html"])
    return compose(sender=arguments.sender, to=arguments.to, **parts)


def _values(name: str | None) -> dict[str, Any]:
    if name is None:
        return {}
    where = "the standard input" if name == "-" else f"the file {name}"
    try:
        values = json.loads(_octets(name, _MAX_DATA).decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidMessage(
            f"{where} is not UTF-8 at octet {error.start}", advice="Convert it"
        ) from error
    except json.JSONDecodeError as error:
        raise InvalidMessage(
            f"{where} is no JSON: {error.msg} in line {error.lineno}, column {error.colno}",
            advice='Write an object such as {"name": "Ada"}',
        ) from error
    except (RecursionError, ValueError) as error:
        raise InvalidMessage(f"{where} cannot be read as JSON: {str(error)[:100]}") from error
    if not isinstance(values, dict):
        raise InvalidMessage(
            f"{where} holds no object, and the values of one message are one",
            advice='Write an object such as {"name": "Ada"}',
        )
    return values


def _octets(name: str, most: int) -> bytes:
    where = "the standard input" if name == "-" else f"the file {name}"
    try:
        if name == "-":
            octets = sys.stdin.buffer.read(most + 1)
        else:
            with Path(name).open("rb") as file:
                octets = file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InvalidMessage(
            f"{where} cannot be read: {reason}",
            advice="Check its path, and that this user may read it",
        ) from error
    if len(octets) > most:
        raise InvalidMessage(f"{where} has more than {most:,} octets")
    return octets


def _write(page: str, output: str | None) -> Path:
    if output is not None:
        path = Path(output)
        path.write_text(page, encoding="utf-8")
        return path
    descriptor, name = tempfile.mkstemp(prefix="mailsend-preview-", suffix=".html")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(page)
    return Path(name)


def _printable(text: str) -> str:
    """What a message says must not steer the terminal."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
