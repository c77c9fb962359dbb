"""A mailing's messages: Mailing beside compose() and render(), in one run.

    python benchmarks/mailing.py [--messages 200] [--rounds 7] [--profile] [--json FILE]

The message is a notification of about 3 KB, text and HTML, to one personal receiver; once without
places for values, once with `$name`, once with Jinja2, each without and with an attachment of
50 KB. The other side fills in the same templates, calls compose() with the result, and writes that
as send() does. First both have to give the same octets but for boundaries. Then they take turns. A
row gives the median over the rounds of each time, and of the ratio of the two times of a round,
with its extremes. `--profile` shows where the time of Mailing goes.
"""

from __future__ import annotations

import argparse
import cProfile
import html
import json
import platform
import pstats
import re
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from string import Template as DollarTemplate
from typing import Any

from mailsend import Attachment, Template, compose
from mailsend.bulk import Mailing
from mailsend.message import parse, render

SENDER = "Acme News <news@example.org>"
DATE = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
NAMES = ("name", "order", "city")
LINE = "Your order is on its way, and will be with you within two or three working days."
SUBJECT = "Hello {name}, your order {order}"
TEXT = "Dear {name},\n\n" + f"{LINE}\n" * 14 + "\nIt goes to {city}: {order}.\n"
HTML = (
    "<html><body><p>Dear {name},</p>\n"
    + f"<p>{LINE}</p>\n" * 16
    + "<p>It goes to <b>{city}</b>: {order}.</p></body></html>\n"
)

Values = dict[str, str]
Filler = Callable[[Values], Any]


def written(form: str) -> Any:
    """Subject and texts, with places written in this form."""
    places = {name: form.replace("NAME", name) for name in NAMES}
    return {
        "subject": SUBJECT.format(**places),
        "text": TEXT.format(**places),
        "html": HTML.format(**places),
    }


def fillers() -> dict[str, tuple[Any, Filler]]:
    """For each syntax the texts, and how somebody without Mailing fills them in."""
    plain, dollar, jinja = written("all of you"), written("${NAME}"), written("{{ NAME }}")
    dollars = {kind: DollarTemplate(text) for kind, text in dollar.items()}
    template = Template.from_string(**jinja)

    def by_dollar(values: Values) -> dict[str, str]:
        escaped = {name: html.escape(value) for name, value in values.items()}
        return {
            kind: one.substitute(escaped if kind == "html" else values)
            for kind, one in dollars.items()
        }

    return {
        "verbatim": (plain, lambda _: plain),
        "dollar": (dollar, by_dollar),
        "jinja": (jinja, lambda values: {**template.render(values)}),
    }


def receivers(count: int) -> list[Values]:
    return [
        {
            "address": f"customer{number}@mail{number % 50}.example.com",
            "name": f"Ada Lovelace {number}",
            "order": f"A-{number:06}",
            "city": "London & Paris",
        }
        for number in range(count)
    ]


def composed(fill: Filler, row: Values, files: list[Attachment], **more: Any) -> bytes:
    to = f"{row['name']} <{row['address']}>"
    message = compose(sender=SENDER, to=to, **fill(row), attachments=files, **more)
    return render(parse(message), eight_bit=False, utf8=False)


def bare(octets: bytes) -> bytes:
    """The octets with boundaries called alike."""
    found = list(dict.fromkeys(re.findall(rb'boundary="([^"]+)"', octets)))
    for number, boundary in enumerate(found):
        octets = octets.replace(boundary, b"boundary %d" % number)
    return octets


def check_agreement(syntax: str, texts: Any, fill: Filler, files: Any) -> int:
    """See that both give the same octets, and give their number."""
    mailing = Mailing(sender=SENDER, syntax=syntax, attachments=files, date=DATE, **texts)
    odd = {"address": "b@example.org", "name": "Jörg", "order": "日本", "city": "<Köln>" * 300}
    for row in [*receivers(20), odd]:
        message_id = f"<{abs(hash(row['address']))}@example.org>"
        to = f"{row['name']} <{row['address']}>"
        ours = mailing.render(to, row, message_id=message_id).content
        theirs = composed(fill, row, files, date=DATE, message_id=message_id)
        if bare(ours) != bare(theirs):
            raise RuntimeError(f"{syntax}: other octets for {row['address']}")
    return len(mailing.render("Ada <customer@example.com>", receivers(1)[0]).content)


def seconds(work: Callable[[], object]) -> float:
    # Of this process alone: on a shared machine other time says nothing.
    started = time.process_time()
    work()
    return time.process_time() - started


def measure(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> Any:
    ours(), theirs()
    pairs = []
    for number in range(rounds):
        # Who goes first changes from round to round.
        if number % 2:
            first = seconds(ours)
            pairs.append((first, seconds(theirs)))
        else:
            first = seconds(theirs)
            pairs.append((seconds(ours), first))
    ratios = [b / a for a, b in pairs]
    return {
        "mailing_us": statistics.median(a for a, _ in pairs),
        "compose_us": statistics.median(b for _, b in pairs),
        "ratio": statistics.median(ratios),
        "least": min(ratios),
        "most": max(ratios),
    }


def profile(work: Callable[[], object], title: str) -> None:
    profiler = cProfile.Profile()
    profiler.runcall(work)
    print(f"\n{title}")
    pstats.Stats(profiler).strip_dirs().sort_stats("cumtime").print_stats(25)


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the messages of a mailing.")
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = receivers(options.messages)
    attachment = Attachment(bytes(range(256)) * 200, "terms.pdf")
    print(
        f"Python {platform.python_version()}, Jinja2 {version('Jinja2')}, {options.rounds} rounds "
        f"of {options.messages} messages; microseconds of processor time for one\n"
    )
    print(f"{'':28} {'octets':>7} {'Mailing':>8} {'compose':>8} {'ratio':>7}  range")
    results = {}
    for syntax, (texts, fill) in fillers().items():
        for files in ([], [attachment]):
            size = check_agreement(syntax, texts, fill, files)
            mailing = Mailing(sender=SENDER, syntax=syntax, attachments=files, **texts)

            def ours(mailing: Mailing = mailing) -> None:
                for _ in mailing.messages(rows):
                    pass

            def theirs(fill: Filler = fill, files: list[Attachment] = files) -> None:
                for row in rows:
                    composed(fill, row, files)

            name = f"{syntax}{', attachment' if files else ''}"
            row = measure(ours, theirs, options.rounds)
            for key in ("mailing_us", "compose_us"):
                row[key] *= 1e6 / options.messages
            results[name] = {"octets": size, **row}
            print(
                f"{name:28} {size:7} {row['mailing_us']:8.1f} {row['compose_us']:8.1f} "
                f"{row['ratio']:6.1f}x  {row['least']:.1f} to {row['most']:.1f}"
            )
            if options.profile and not files:
                profile(ours, name)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
