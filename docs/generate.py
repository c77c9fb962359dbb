"""Write the pages of the reference that are made from the package's data.

python docs/generate.py           # writes them
python docs/generate.py --check   # exit status 1 if one is out of date
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from mailsend import Cause, Endpoint, Provider, Reply, Rule, Security, Stage, Status, Symptom
from mailsend.cli.provider_words import (
    CATEGORIES,
    FROM,
    PASSWORD,
    STATUS,
    limits_of,
    ports_of,
    regions_of,
    username_of,
)
from mailsend.failures import interpret_failure
from mailsend.interpretation import Interpretation, interpret
from mailsend.meanings import meaning_of, read_table, read_text
from mailsend.providers import data_version
from mailsend.providers.reading import providers_of
from mailsend.rules import rule_of

FOLDER: Final = Path(__file__).parent / "reference"
# The file of rules, and what to call it; the order in which people look.
SECTIONS: Final = (
    ("gmail", "Gmail and Google Workspace"),
    ("microsoft", "Microsoft 365, Outlook.com and Exchange"),
    ("providers", "Other providers"),
    ("servers", "Mail servers anybody may run"),
    ("standard", "What the standards say"),
)
RETRY: Final = {
    "now": "at once",
    "new_connection": "at once, over a new connection",
    "minutes": "in some minutes",
    "hours": "in some hours",
    "never": "no",
}
HEAD: Final = """\
# What replies and failures mean

This page is made from the data that `mailsend.interpret` and `mailsend.interpret_failure` go by:
`python docs/generate.py`.

The stage, and the provider that said it, narrow the choice of rules. Of those left the words of the
reply decide, else its enhanced status code, its code, the first digit of its code; for the same
kind of evidence a provider's own rule comes first. Addresses in a reply are no words. What no rule
fits is reported as `unknown`, with the server's own words.

*Try again* tells when the same submission, unchanged, may succeed. Every row names where it is
known from, and how well: `recorded` from the server itself, `standard` (an RFC or IANA registry),
`documented` by the provider, `reported` by users, `unverified`.
"""


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "\\<")


def code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    columns = list(head)
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def retry_of(meaning: Interpretation) -> str:
    return RETRY[meaning.retry.value]


def reply_row(rule: Rule) -> Iterator[str]:
    reply = Reply.parse(rule.example or "")
    stages = [stage for stage in Stage if stage in rule.stages]
    meaning = interpret(reply, stages[0] if stages else Stage.MAIL, rule.provider)
    yield code(rule.example or "")
    yield ", ".join(stage.value for stage in stages) or "any"
    yield code(rule.cause.value)
    yield retry_of(meaning)
    link = f" [Read on]({meaning.link})." if meaning.link else ""
    yield cell(meaning.advice) + "." + link
    only = f"Only from {rule.provider}. " if rule.provider else ""
    yield f"{only}{cell(rule.source)}; {rule.confidence.value} {rule.checked}"


def failure_row(row: dict[str, str]) -> Iterator[str]:
    here = Endpoint("smtp.example.org", 587, Security.STARTTLS)
    meaning = interpret_failure(Symptom(row["symptom"]), here, seconds=30, detail="…")
    yield cell(meaning.words)
    yield code(row["cause"])
    yield retry_of(meaning)
    yield cell(row.get("advice", meaning.advice).replace("{clock}", "…").format(
        host="the host", port="the port", alternatives="465 with implicit TLS or 587 with STARTTLS"
    )) + "."  # fmt: skip
    yield f"{cell(row['source'])}; {row['confidence']} {row['checked']}"


def cause_row(cause: Cause) -> Iterator[str]:
    meaning = meaning_of(cause)
    yield code(cause.value)
    yield cell(meaning.meaning)
    yield meaning.scope.value if meaning.scope else "by the stage"
    if meaning.retry is not None:
        yield RETRY[meaning.retry.value]
    else:
        later = meaning.transient_retry.value if meaning.transient_retry else "minutes"
        yield f"4yz: {RETRY[later]}; 5yz: no"
    yield cell(meaning.advice) + "."


RULE_COLUMNS: Final = (
    "Reply, as an example",
    "At",
    "Cause",
    "Try again",
    "What to do",
    "Known from",
)
FAILURE_COLUMNS: Final = ("What was seen", "Cause", "Try again", "What to do", "Known from")
CAUSE_COLUMNS: Final = ("Cause", "Meaning", "Concerns", "Try again", "What to do")


def replies_page() -> str:
    lines = [HEAD]
    for name, title in SECTIONS:
        rules = map(rule_of, read_table(f"replies/{name}.toml")["rule"])
        lines += [f"## {title}\n", *table(RULE_COLUMNS, map(reply_row, rules)), ""]
    failures = map(failure_row, read_table("failures.toml")["failure"])
    lines += ["## Failures without a reply\n", *table(FAILURE_COLUMNS, failures), ""]
    lines += ["## All causes\n", *table(CAUSE_COLUMNS, map(cause_row, Cause)), ""]
    return "\n".join(lines)


PROVIDERS_HEAD: Final = """\
# Providers

This page is made from the data that `mailsend.providers` looks things up in, version {version}:
`python docs/generate.py`. There are {number} of them. `mailsend providers show KEY` shows all that
is known of one, with its sources. [How to add your own](../how-to/add-your-provider.md).

`SmtpProfile.for_provider(KEY, ...)` takes a key of these tables. Servers stand in the order in
which they are tried; TLS means from the first octet, and STARTTLS is required. An empty cell is not
known: nothing stands here because it is usual. *Checked* tells when somebody last compared the row
with its sources, and how well it is founded: `documented` by the provider, `reported` by users and
registries.
"""
PROVIDER_COLUMNS: Final = (
    "Key",
    "Name",
    "Servers",
    "User name",
    "Password",
    "From",
    "Limits",
    "Checked",
    "Docs",
)


def anchor(heading: str) -> str:
    """What links to a heading end with, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def servers_cell(provider: Provider) -> str:
    if provider.status is Status.NO_SMTP:
        return "no SMTP"
    if not provider.endpoints:
        return f"by region, [see below](#{anchor(provider.key)})"
    hosts = dict.fromkeys(endpoint.host for endpoint in provider.endpoints)
    return "; ".join(
        f"{code(host)} {ports_of(e for e in provider.endpoints if e.host == host)}"
        for host in hosts
    )


def provider_row(provider: Provider) -> Iterator[str]:
    has_more = any(True for _ in remarks(provider))
    yield f"[{code(provider.key)}](#{anchor(provider.key)})" if has_more else code(provider.key)
    yield cell(provider.name)
    yield servers_cell(provider)
    yield cell(username_of(provider) or "")
    yield cell(PASSWORD[provider.password]) if provider.password else ""
    yield cell(FROM[provider.from_rule]) if provider.from_rule else ""
    yield limits_of(provider.limits)
    yield f"{provider.checked or ''} {provider.confidence or ''}".strip()
    yield f"[page]({provider.docs})" if provider.docs else ""


def remarks(provider: Provider) -> Iterator[str]:
    """What is worth knowing and has no place in a row of the table, as items of a list."""
    if provider.status is not Status.ACTIVE:
        yield f"It {STATUS[provider.status]}."
    if provider.note:
        yield cell(provider.note)
    if provider.password_note:
        yield f"Password: {cell(provider.password_note)}"
    if provider.limits.note:
        yield f"Limits: {cell(provider.limits.note)}"
    if provider.oauth:
        note = f" {cell(provider.oauth.note)}" if provider.oauth.note else ""
        scopes = " ".join(map(code, provider.oauth.scopes))
        yield f"OAuth2: {', '.join(provider.oauth.mechanisms)}, scope {scopes}.{note}"
    if provider.regions:
        yield f"Regions: {'; '.join(regions_of(provider))}"
    for policy in provider.policies:
        yield f"{policy.date}: {cell(policy.event)} ([{policy.confidence}]({policy.source}))"


def providers_page() -> str:
    known = sorted(
        providers_of(read_text("providers.toml"), "the built-in data"), key=lambda p: p.key
    )
    lines = [PROVIDERS_HEAD.format(version=data_version(), number=len(known))]
    for category, title in CATEGORIES.items():
        ours = [provider for provider in known if provider.category is category]
        if ours:
            lines += [f"## {title}\n", *table(PROVIDER_COLUMNS, map(provider_row, ours)), ""]
    lines.append("## More about some of them\n")
    for provider in known:
        items = [f"- {item}" for item in remarks(provider)]
        if items:
            lines += [f"### {provider.key}\n", *items, ""]
    return "\n".join(lines)


PAGES: Final = {"replies.md": replies_page, "providers.md": providers_page}


def main() -> int:
    check = sys.argv[1:] == ["--check"]
    stale = []
    for name, make in PAGES.items():
        page, text = FOLDER / name, make()
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                FOLDER.mkdir(exist_ok=True)
                page.write_text(text, encoding="utf-8")
    print(f"{'out of date' if check else 'written'}: {', '.join(stale) or 'none'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
