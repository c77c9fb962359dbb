"""The command line."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from typing import NoReturn

from mailsend.cli import demo, discover, login, preview, providers, send
from mailsend.cli.exit_codes import ExitCode, code_for, epilog
from mailsend.errors import MailsendError


class _Parser(argparse.ArgumentParser):
    """Leaves with the status of sysexits.h instead of 2."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(ExitCode.USAGE, f"{self.prog}: {message}\n")


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = _Parser(
        prog="mailsend",
        description="Hand mail to an SMTP server, and say what became of every recipient.",
        epilog=epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for module in (demo, send, preview, providers, discover, login):
        module.add_command(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: arguments without the program's name; None takes the process's own.

    Returns:
        The exit status; see :class:`~mailsend.cli.exit_codes.ExitCode`.
    """
    parser = build_parser()
    arguments = parser.parse_args(argv)
    if arguments.version:
        from mailsend import __version__  # noqa: PLC0415 - read only when asked for

        print(f"mailsend {__version__}")
        return ExitCode.OK
    if arguments.command is None:
        parser.print_help(sys.stderr)
        return ExitCode.USAGE
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What a server says must not fail for the terminal's sake after the mail has gone.
            stream.reconfigure(errors="backslashreplace")
    try:
        return int(arguments.run(arguments))
    except MailsendError as error:
        print(f"mailsend: {error}", file=sys.stderr)
        return code_for(error)
    except KeyboardInterrupt as interrupt:
        # The transport leaves word of what became of the message; else it was not on its way, or
        # a report has been printed.
        told = getattr(interrupt, "__notes__", [])
        print(*told or ["mailsend: interrupted"], sep="\n", file=sys.stderr)
        return ExitCode.INTERRUPTED
