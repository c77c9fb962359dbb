"""``mailsend login``, ``logout`` and ``token``: the sign-in of a user at Microsoft or Google."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mailsend.cli.exit_codes import ExitCode
from mailsend.cli.output import hanging, put, warnings_shown
from mailsend.errors import ConfigurationError, TokenError

if TYPE_CHECKING:
    from mailsend.oauth import SignIn, SignInStore
    from mailsend.oauth.google_sign_in import ConsentPage
    from mailsend.oauth.microsoft import DeviceCode

_DESCRIPTION = """\
Let a user sign in at Microsoft or Google, and keep what gets access tokens from
then on under a name. In code: OAuth2(token=SignedIn("work")).

mailsend brings no client id: register an application of your own, as
docs/how-to/oauth2.md says, and do not use that of another program.
"""
_MICROSOFT: Final = """\
Sign in with a code that is entered on any machine. Needs mailsend[microsoft].
"""
_GOOGLE: Final = """\
Sign in in a browser on this machine. Needs mailsend[google]. From another
machine: ssh -L 8400:127.0.0.1:8400 HOST, and --port 8400.
"""
_EPILOG: Final = """\
exit status:
   0  done
  64  the command line is wrong
  69  there is no such sign-in
  75  the provider does not answer; trying again later may help
  77  the provider refused, or nobody signed in
  78  a setting cannot be used
 130  interrupted
"""


def add_command(commands: Any) -> None:
    """Add ``login``, ``logout`` and ``token`` to the parser."""
    login = _add(commands, "login", "sign in at Microsoft or Google", _DESCRIPTION)
    providers = login.add_subparsers(dest="provider", metavar="PROVIDER", required=True)
    microsoft = _add(providers, "microsoft", "Microsoft 365 and Outlook.com", _MICROSOFT)
    microsoft.add_argument("name", metavar="PROFILE", help="the name to keep it under")
    microsoft.add_argument(
        "--client-id", required=True, metavar="ID", help="Application ID of your app registration"
    )
    microsoft.add_argument(
        "--tenant",
        default="common",
        help="directory ID or domain; consumers for Outlook.com; default: common",
    )
    microsoft.add_argument("--authority", metavar="HOST", help="of a national cloud")
    microsoft.add_argument("--scope", help="of a national cloud")
    google = _add(providers, "google", "Gmail and Google Workspace", _GOOGLE)
    google.add_argument("name", metavar="PROFILE", help="the name to keep it under")
    google.add_argument(
        "--client-secrets",
        required=True,
        metavar="FILE",
        help="the JSON file of your OAuth client of the type Desktop app",
    )
    google.add_argument("--account", metavar="ADDRESS", help="whose account, to spare the choice")
    google.add_argument("--port", type=int, default=0, help="to wait on; default: any free one")
    for parser in (microsoft, google):
        parser.add_argument(
            "--store",
            choices=("file", "keyring"),
            default="file",
            help="where the refresh token is kept; default: file",
        )
        parser.add_argument("--browser", action="store_true", help="open the page in a browser")
        parser.add_argument(
            "--ca-file", metavar="FILE", help="authorities to trust instead of the usual ones"
        )
        parser.set_defaults(run=run_login)
    logout = _add(commands, "logout", "forget a sign-in", "Forget what login has kept.")
    logout.add_argument("name", metavar="PROFILE")
    logout.set_defaults(run=run_logout)
    token = _add(
        commands,
        "token",
        "tell of a sign-in",
        "Tell whose a sign-in is and what it allows. Tokens are never printed.",
    )
    token.add_argument("name", metavar="PROFILE")
    token.add_argument("--check", action="store_true", help="get an access token too")
    token.add_argument("--json", action="store_true", help="print it as JSON")
    token.set_defaults(run=run_token)


def _add(commands: Any, name: str, summary: str, description: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    return parser


def run_login(arguments: argparse.Namespace) -> int:
    """Sign in, and keep it."""
    store = _store()
    store.prepare(arguments.name, arguments.store)
    try:
        with warnings_shown():
            sign_in = (_microsoft if arguments.provider == "microsoft" else _google)(arguments)
    except TokenError as error:
        error.stage = None  # no mail server has been talked to
        raise
    with store.locked(arguments.name):
        store.save(sign_in, arguments.store)
    put(f"Signed in{f' as {sign_in.account}' if sign_in.account else ''}.")
    put(f'In code: OAuth2(token=SignedIn("{sign_in.name}"))')
    return ExitCode.OK


def _microsoft(arguments: argparse.Namespace) -> SignIn:
    from mailsend.oauth import microsoft  # noqa: PLC0415 - no other command needs it

    def tell(device: DeviceCode) -> None:
        put(f"Open {device.url}")
        put(f"and enter {device.code}")
        put(f"by {_clock(device.expires_at)}.")
        _open(device.url, arguments)

    return microsoft.sign_in(
        arguments.name,
        client_id=arguments.client_id,
        tell=tell,
        tenant=arguments.tenant,
        authority=arguments.authority or microsoft.AUTHORITY,
        scope=arguments.scope or microsoft.USER_SCOPE,
        ca_file=_ca_file(arguments),
    )


def _google(arguments: argparse.Namespace) -> SignIn:
    from mailsend.oauth import google_sign_in  # noqa: PLC0415 - no other command needs it

    def tell(page: ConsentPage) -> None:
        put("Open this page in a browser on this machine:")
        put(page.url)
        put(f"It comes back to port {page.port}. Waiting until {_clock(page.expires_at)}.")
        _open(page.url, arguments)

    if not 0 <= arguments.port <= 65535:
        raise ConfigurationError(f"--port {arguments.port} is none")
    return google_sign_in.sign_in(
        arguments.name,
        client=google_sign_in.DesktopClient.from_file(arguments.client_secrets),
        tell=tell,
        port=arguments.port,
        login_hint=arguments.account,
        ca_file=_ca_file(arguments),
    )


def run_logout(arguments: argparse.Namespace) -> int:
    """Forget a sign-in."""
    store = _store()
    with store.locked(arguments.name):
        there_was = store.remove(arguments.name)
    if not there_was:
        print(f"mailsend: nobody has signed in as {arguments.name}", file=sys.stderr)
        return ExitCode.UNAVAILABLE
    put(
        f"Forgot {arguments.name}. The provider still knows that it was agreed to: withdraw that "
        "in the account's own settings"
    )
    return ExitCode.OK


def run_token(arguments: argparse.Namespace) -> int:
    """Tell of a sign-in, and try it."""
    from mailsend.oauth import SignedIn  # noqa: PLC0415 - no other command needs it

    store = _store()
    if arguments.name not in store.names():
        print(f"mailsend: nobody has signed in as {arguments.name}", file=sys.stderr)
        return ExitCode.UNAVAILABLE
    sign_in = store.load(arguments.name)
    facts = {**sign_in.facts(), "kept_in": store.kept_in(arguments.name)}
    if arguments.check:
        with warnings_shown():
            token = SignedIn(arguments.name)()
        ends = token.expires_at
        facts["expires_at"] = None if ends is None else ends.isoformat(timespec="seconds")
    if arguments.json:
        put(json.dumps(facts, indent=2))
        return ExitCode.OK
    for label, value in (
        ("Account", sign_in.account or "not told"),
        ("Provider", sign_in.provider),
        ("Scopes", " ".join(sign_in.scopes)),
        ("Client", sign_in.client_id),
        ("Tokens from", sign_in.authority),
        ("Signed in", facts["signed_in_at"]),
        ("Kept in", facts["kept_in"]),
        *([("Token until", facts["expires_at"] or "not told")] if arguments.check else []),
    ):
        put("\n".join(hanging(label, str(value))))
    return ExitCode.OK


def _store() -> SignInStore:
    from mailsend.oauth import SignInStore  # noqa: PLC0415 - no other command needs it

    return SignInStore()


def _ca_file(arguments: argparse.Namespace) -> Path | None:
    return None if arguments.ca_file is None else Path(arguments.ca_file)


def _clock(instant: dt.datetime) -> str:
    return f"{instant.astimezone():%H:%M:%S}"


def _open(url: str, arguments: argparse.Namespace) -> None:
    if arguments.browser and not webbrowser.open(url):
        print("mailsend: no browser could be opened; open the page yourself", file=sys.stderr)
