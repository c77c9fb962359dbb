"""Write the pages of the reference that are made from the package's data.

python docs/generate.py           # writes them
python docs/generate.py --check   # exit status 1 if one is out of date
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from mailsend import Cause, Endpoint, Reply, Rule, Security, Stage, Symptom
from mailsend.failures import interpret_failure
from mailsend.interpretation import Interpretation, interpret
from mailsend.meanings import meaning_of, read_table
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


PAGES: Final = {"replies.md": replies_page}


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
