"""``mailsend providers``: what is known of providers, and whose file adds to it."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import shutil
import sys
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any, Final

from mailsend.cli.exit_codes import ExitCode
from mailsend.cli.output import WIDTH, hanging, put, warnings_shown
from mailsend.cli.provider_words import (
    CATEGORIES,
    CONFIDENCE,
    FROM,
    PASSWORD,
    STATUS,
    facts_of,
    limits_of,
    matches,
    regions_of,
    server_of,
    servers,
    username_of,
)
from mailsend.providers import (
    PasswordPolicy,
    Provider,
    Status,
    UsernameRule,
    data_version,
    providers,
    read_providers,
    user_file,
)
from mailsend.rules import reply_rules

_DESCRIPTION = """\
List the providers that are known, with the endpoint that each prefers; or show
all that is known of one: `mailsend providers show gmail`. Nothing is connected
to. Your own providers stand in a file of yours (see --where), and come first.
"""
_EPILOG = """\
exit status:
   0  done
  64  the command line is wrong
  69  no provider fits --search
  78  there is no such provider, or --where found a file that cannot be used
"""
_MOST: Final = 10  # domains that are shown; --json has them all
_UNKNOWN: Final = "not known"


def add_command(commands: Any) -> None:
    """Add ``providers`` to the parser."""
    parser = commands.add_parser(
        "providers",
        help="list the providers that are known, or show one",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--search", metavar="TEXT", help="only those with it in key, aliases, name or domains"
    )
    which.add_argument(
        "--where",
        action="store_true",
        help="name the file of your own providers, and the version of the built-in data",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, named as in the file")
    parser.set_defaults(run=run, show=None, refuse=parser.error)
    shows = parser.add_subparsers(metavar="show")
    show = shows.add_parser(
        "show",
        help="show all that is known of one provider",
        description="Show all that is known of one provider.",
        allow_abbrev=False,
    )
    show.add_argument("show", metavar="KEY", help="its key, or another name of it")
    # Not False: that would take back what was given before the word show.
    show.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="print JSON instead"
    )


def run(arguments: argparse.Namespace) -> int:
    """List, show, or name the file."""
    with warnings_shown():
        if arguments.show is not None:
            if arguments.where or arguments.search is not None:
                arguments.refuse("show takes neither --search nor --where")
            return _show(arguments.show, as_json=arguments.json)
        if arguments.where:
            return _where(as_json=arguments.json)
        return _list(arguments.search, as_json=arguments.json)


def _list(text: str | None, *, as_json: bool) -> ExitCode:
    found = [p for p in providers if text is None or matches(p, text)]
    if as_json:
        put(json.dumps(facts_of(tuple(found)), indent=2))
    elif found:
        # Whoever writes it to a file or searches it wants whole names.
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        put("\n".join(listed(found, width)))
    if not found:
        print(f"mailsend: no provider fits {text}", file=sys.stderr)
        return ExitCode.UNAVAILABLE
    return ExitCode.OK


def listed(found: Iterable[Provider], width: int | None = WIDTH) -> Iterator[str]:
    """Lines of a list of providers, by category.

    Args:
        found: what to list.
        width: columns that names are cut to; None cuts nothing. Keys and hosts are never cut.
    """
    found = sorted(found, key=lambda provider: provider.key)
    first = True
    for category, heading in CATEGORIES.items():
        rows = [(p.key, server_of(p), p.name) for p in found if p.category is category]
        if not rows:
            continue
        if not first:
            yield ""
        first = False
        yield f"{heading} ({len(rows)})"
        # One that is long must not take the room of all names.
        keys = min(max(len(row[0]) for row in rows), 20)
        hosts = min(max(len(row[1]) for row in rows), 37)
        for key, server, name in rows:
            left = f"{f'  {key:<{keys}}  {server}':<{keys + hosts + 4}}  "
            yield (left + _cut(name, None if width is None else width - len(left))).rstrip()


def _cut(text: str, width: int | None) -> str:
    if width is None or len(text) <= width:
        return text
    return f"{text[: width - 1].rstrip()}…" if width > 1 else ""


def _where(*, as_json: bool) -> ExitCode:
    file = user_file()
    exists = file is not None and file.exists()
    number = len(read_providers(file)) if file is not None and exists else 0
    if as_json:
        facts = {
            "file": file and str(file),
            "exists": exists,
            "providers": number,
            "data_version": data_version(),
        }
        put(json.dumps(facts, indent=2))
        return ExitCode.OK
    state = f"{number} provider{'' if number == 1 else 's'}" if exists else "it does not exist"
    own = "nowhere; set MAILSEND_PROVIDERS" if file is None else f"{file} ({state})"
    put(f"Your own:  {own}\nBuilt in:  version {data_version()}")
    return ExitCode.OK


def _show(name: str, *, as_json: bool) -> ExitCode:
    provider = providers.get(name)
    if as_json:
        put(json.dumps(facts_of(provider), indent=2))
    else:
        put("\n".join(shown(provider, dt.datetime.now(dt.UTC).date())))
    return ExitCode.OK


def shown(provider: Provider, today: dt.date) -> Iterator[str]:
    """Lines of all that is known of a provider.

    Args:
        provider: to show.
        today: policies after this day are marked.
    """
    yield f"{provider.name} ({provider.key})"
    yield ""
    for label, values in _parts(provider, today):
        for number, value in enumerate(values):
            yield from hanging("" if number else label, value)


def _parts(provider: Provider, today: dt.date) -> Iterator[tuple[str, list[str]]]:
    """What stands beside each label, the most needed first; nothing for what has no value."""
    if provider.status is not Status.ACTIVE:
        yield "Status", [STATUS[provider.status]]
    yield "Server", list(servers(provider.endpoints))
    yield "Regions", list(regions_of(provider))
    if provider.status is not Status.NO_SMTP:
        yield from _signing_in(provider)
        yield "From", [FROM[provider.from_rule] if provider.from_rule else _UNKNOWN]
        yield "Limits", _limits(provider)
    yield "Note", _given(provider.note)
    yield "Dates", list(_dates(provider, today))
    yield "Reply rules", _given(_rules(provider))
    yield "Other names", _given(", ".join(provider.aliases))
    yield "Addresses", _given(_some([f"@{domain}" for domain in provider.domains]))
    yield "MX", _given(", ".join(provider.mx_suffixes))
    yield "In code", _given(_call(provider))
    yield "Read on", _given(provider.docs)
    yield "Checked", [str(provider.checked or _UNKNOWN)]
    if provider.confidence is not None:
        yield "Founded", [f"{provider.confidence}: {CONFIDENCE[provider.confidence]}"]
    yield "Sources", list(provider.sources)


def _given(text: str | None) -> list[str]:
    return [text] if text else []


def _signing_in(provider: Provider) -> Iterator[tuple[str, list[str]]]:
    yield "User name", [username_of(provider) or _UNKNOWN]
    policy = PASSWORD[provider.password] if provider.password else _UNKNOWN
    yield "Password", [policy, *_given(provider.password_note)]
    yield "Mechanisms", _given(", ".join(provider.auth))
    if provider.oauth is not None:
        yield (
            "OAuth2",
            [
                f"{', '.join(provider.oauth.mechanisms)}, scope {' '.join(provider.oauth.scopes)}",
                f"agree at {provider.oauth.authorization_url}",
                f"tokens from {provider.oauth.token_url}",
                *_given(provider.oauth.note),
            ],
        )


def _dates(provider: Provider, today: dt.date) -> Iterator[str]:
    policies = provider.policies
    # A source is named once, behind the last of those in a row that are from it.
    for policy, following in zip_longest(policies, policies[1:]):
        upcoming = ", upcoming" if policy.date > today else ""
        yield f"{policy.date}{upcoming}: {policy.event} ({policy.confidence})"
        if following is None or following.source != policy.source:
            yield policy.source


def _some(names: list[str]) -> str:
    left = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f"{', '.join(names[:_MOST])}{left}"


def _limits(provider: Provider) -> list[str]:
    limits = provider.limits
    founded = f" ({limits.confidence})" if limits.confidence else ""
    return [
        *_given(limits_of(limits)),
        *_given(limits.note),
        *_given(f"{limits.source}{founded}" if limits.source else None),
    ] or [_UNKNOWN]


def _rules(provider: Provider) -> str | None:
    """How many rules read its replies alone: its own, and those of the table."""
    number = len(provider.reply_rules) + sum(r.provider == provider.key for r in reply_rules)
    return f"{number} for its replies alone" if number else None


def _call(provider: Provider) -> str | None:
    """The line of Python that makes a profile, or None if there is none that works."""
    if provider.status is Status.NO_SMTP or provider.password is PasswordPolicy.OAUTH_ONLY:
        return None
    words = [f'"{provider.key}"']
    if provider.username not in {UsernameRule.LITERAL, UsernameRule.NONE}:
        words.append('username="..."')
    if provider.username is not UsernameRule.NONE:
        words.append('credentials=Password.from_env("SMTP_PASSWORD")')
    if not provider.endpoints:
        words.append(f'region="{next(iter(provider.regions))}"')
    return f"SmtpProfile.for_provider({', '.join(words)})"
