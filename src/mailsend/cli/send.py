"""``mailsend send``: one message from the command line."""

from __future__ import annotations

import argparse
import functools
import json
import operator
import os
import sys
import warnings
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from mailsend.address import AddressRules, parse_address
from mailsend.cli.exit_codes import ExitCode, code_for, epilog
from mailsend.composition.compose import compose
from mailsend.envelope_options import EnvelopeOptions, Notify, ReturnContent
from mailsend.errors import ConfigurationError, InvalidAddress, InvalidMessage, MailsendError
from mailsend.message import ParsedMessage, envelope_of, parse, render
from mailsend.profile.smtp_profile import SmtpProfile
from mailsend.report import DeliveryReport
from mailsend.transport import open_transport

_DESCRIPTION = """\
Send one message. The server comes from --profile, --url, or the environment (MAILSEND_URL, or
SMTP_HOST, SMTP_PORT, SMTP_SECURITY, SMTP_USERNAME and SMTP_PASSWORD). A password is never an
argument, because every user of the machine can read those: use the environment, or the URL's
options password_env, password_file and password_command.

Without --text, --text-file and --html-file, the text is read from the standard input.
"""


def add_command(commands: Any) -> None:
    """Add ``send`` to the parser."""
    parser = commands.add_parser(
        "send",
        help="send one message",
        description=_DESCRIPTION,
        epilog=epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--profile", metavar="NAME", help="a profile of the configuration file")
    source.add_argument("--url", help="such as smtps://user@host?password_env=VARIABLE")
    parser.add_argument("--config", metavar="FILE", help="the configuration file for --profile")
    parser.add_argument("--from", dest="sender", metavar="ADDRESS", help="default: the user name")
    parser.add_argument("--to", action="append", default=[], metavar="ADDRESS", help="repeatable")
    parser.add_argument("--cc", action="append", default=[], metavar="ADDRESS", help="repeatable")
    parser.add_argument("--bcc", action="append", default=[], metavar="ADDRESS", help="repeatable")
    parser.add_argument("--reply-to", action="append", default=[], metavar="ADDRESS")
    parser.add_argument("--subject", default="")
    body = parser.add_mutually_exclusive_group()
    body.add_argument("--text", help="the text itself")
    body.add_argument("--text-file", metavar="FILE", help="a file with the text; - is the input")
    parser.add_argument("--html-file", metavar="FILE", help="a file with the HTML version")
    parser.add_argument(
        "--attach", action="append", default=[], metavar="FILE", help="a file; repeatable"
    )
    parser.add_argument(
        "--quoted-local-parts", action="store_true", help='take "ada lovelace"@example.org'
    )
    parser.add_argument("--address-literals", action="store_true", help="take ada@[192.0.2.1]")
    _add_options(parser)
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would be sent; connect to nothing"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="show the conversation, without secrets"
    )
    parser.set_defaults(run=run)


def _add_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "asked of the server", "what it does not offer is refused before anything is sent"
    )
    group.add_argument(
        "--notify",
        metavar="WHEN",
        help="notifications of delivery: never, or any of success,failure,delay",
    )
    group.add_argument(
        "--return",
        dest="return_content",
        choices=[str(choice) for choice in ReturnContent],
        help="what of the message a notification of failure brings back",
    )
    group.add_argument("--envelope-id", metavar="ID", help="a name that notifications repeat")
    group.add_argument(
        "--require-tls", action="store_true", help="no server on the way may do without TLS"
    )
    group.add_argument(
        "--hold-for", type=int, metavar="SECONDS", help="keep the message before sending it on"
    )


def _options(arguments: argparse.Namespace) -> EnvelopeOptions:
    content = arguments.return_content
    return EnvelopeOptions(
        notify=None if arguments.notify is None else _notify(arguments.notify),
        return_content=None if content is None else ReturnContent(content),
        envelope_id=arguments.envelope_id,
        require_tls=arguments.require_tls,
        hold_for=arguments.hold_for,
    )


def _rules(arguments: argparse.Namespace) -> AddressRules:
    return AddressRules(
        quoted_local_parts=arguments.quoted_local_parts,
        address_literals=arguments.address_literals,
    )


def _notify(text: str) -> Notify:
    names = [name.strip().upper() for name in text.split(",")]
    unknown = [name for name in names if name not in Notify.__members__]
    if unknown:
        raise InvalidMessage(
            f"--notify has {text!a}",
            advice="Write never, or any of success,failure,delay with commas between them",
        )
    return functools.reduce(operator.or_, (Notify[name] for name in names))


def run(arguments: argparse.Namespace) -> int:
    """Send, and print what became of it."""
    try:
        profile = _profile(arguments)
        options, rules = _options(arguments), _rules(arguments)
        message = _message(arguments, profile, rules)
    except MailsendError as error:
        return _failed(error, arguments)
    for finding in profile.check():
        print(f"mailsend: {finding}", file=sys.stderr)
    if arguments.dry_run:
        _show(profile, parse(message, rules), options)
        return ExitCode.OK
    try:
        transport = open_transport(profile)
    except MailsendError as error:
        error.report = DeliveryReport.nothing_sent(envelope_of(parse(message, rules)).recipients)
        return _failed(error, arguments)
    # Told before the session is closed: nothing that goes wrong from then on changes it.
    with transport:
        try:
            report = transport.send(message, options=options, rules=rules)
        except MailsendError as error:
            return _failed(error, arguments)
        if arguments.verbose:
            _print_lines(transport.transcript)
        _print_report(report, as_json=arguments.json)
    return ExitCode.OK if report.all_accepted else ExitCode.NO_USER


def _failed(error: MailsendError, arguments: argparse.Namespace) -> ExitCode:
    if arguments.verbose:
        _print_lines(error.transcript)
    if error.report is not None or arguments.json:
        _print_report(error.report or DeliveryReport(()), as_json=arguments.json, error=error)
    print(f"mailsend: {error}", file=sys.stderr)
    return code_for(error)


def _profile(arguments: argparse.Namespace) -> SmtpProfile:
    if arguments.config is not None and arguments.profile is None:
        raise ConfigurationError("--config is given without --profile")
    if arguments.profile is not None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            profile = SmtpProfile.load(arguments.profile, arguments.config)
        for warning in caught:
            print(f"mailsend: warning: {warning.message}", file=sys.stderr)
        return profile
    if arguments.url is None:
        return SmtpProfile.from_env()
    authority = arguments.url.partition("://")[2].partition("/")[0].partition("?")[0]
    if ":" in authority.rpartition("@")[0]:
        raise ConfigurationError(
            "the URL on the command line holds a password, which every user of this machine can "
            "read there",
            advice="Put the URL into MAILSEND_URL, or leave the password out of it and add "
            "?password_env=VARIABLE; and change that password",
        )
    return SmtpProfile.from_url(arguments.url)


def _message(
    arguments: argparse.Namespace, profile: SmtpProfile, rules: AddressRules
) -> EmailMessage:
    text = arguments.text
    html = None if arguments.html_file is None else _read(arguments.html_file)
    if arguments.text_file is not None:
        text = _read(arguments.text_file)
    elif text is None and html is None:
        text = _read("-")
    return compose(
        sender=arguments.sender or _own_address(profile, rules),
        to=arguments.to,
        cc=arguments.cc,
        bcc=arguments.bcc,
        reply_to=arguments.reply_to,
        subject=arguments.subject,
        text=text,
        html=html,
        attachments=arguments.attach,
        rules=rules,
    )


def _own_address(profile: SmtpProfile, rules: AddressRules) -> str:
    try:
        return parse_address(profile.username or "", rules=rules).text
    except InvalidAddress as error:
        raise ConfigurationError(
            "there is no --from, and the profile's user name is no address", advice="Add --from"
        ) from error


def _read(name: str) -> str:
    if name == "-" and sys.stdin.isatty():
        print("mailsend: type the text, and end it with Ctrl-D", file=sys.stderr)
    try:
        octets = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return octets.decode()
    except OSError as error:
        raise InvalidMessage(
            f"the file {name} cannot be read: {error.strerror}",
            advice="Check its path, and that this user may read it",
        ) from error
    except UnicodeDecodeError as error:
        where = "the standard input" if name == "-" else f"the file {name}"
        raise InvalidMessage(
            f"{where} is not UTF-8 at octet {error.start}", advice="Convert it, or attach it"
        ) from error


def _show(profile: SmtpProfile, parsed: ParsedMessage, options: EnvelopeOptions) -> None:
    envelope = envelope_of(parsed)
    content = render(parsed, eight_bit=True, utf8=parsed.needs_smtputf8)
    who = f" as {profile.shown_username}" if profile.username else ""
    print(f"-- server: {profile.endpoint}, {profile.security.value}{who}")
    print(f"-- from: {envelope.reverse_path}")
    print(f"-- to: {', '.join(envelope.recipients)}")
    if options != EnvelopeOptions():
        print(f"-- asked of the server: {_asked(options)}")
    print(f"-- {len(content)} octets; nothing was sent")
    print(content.decode("utf-8", "backslashreplace").replace("\r\n", "\n"), end="")


def _asked(options: EnvelopeOptions) -> str:
    notify = options.notify
    asked = {
        "notify": notify and ",".join(str(condition.name).lower() for condition in notify),
        "return": options.return_content,
        "envelope-id": options.envelope_id,
        "require-tls": options.require_tls or None,
        "hold-for": options.hold_for,
    }
    return ", ".join(f"{name} {value}" for name, value in asked.items() if value is not None)


def _print_report(
    report: DeliveryReport, *, as_json: bool, error: MailsendError | None = None
) -> None:
    lines = [
        f"{o.outcome.value:<9} {o.address}{f'  {o.reply}' if o.reply is not None else ''}"
        for o in report.outcomes
    ]
    try:
        facts = {**report.facts(), "error": None if error is None else _facts(error)}
        print(json.dumps(facts) if as_json else "\n".join(lines), flush=True)
    except BrokenPipeError:
        # Whoever read has gone, and the mail has been sent: its status is what is left to tell.
        # Python would else try to write again when it ends.
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115


def _facts(error: MailsendError) -> dict[str, Any]:
    return {name: value for name, value in error.facts().items() if name != "report"}


def _print_lines(lines: tuple[str, ...]) -> None:
    for line in lines:
        print(line, file=sys.stderr)
