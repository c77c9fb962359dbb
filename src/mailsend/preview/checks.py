"""What is odd about a message, as its readers will get it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final
from urllib.parse import urlsplit

from mailsend.content import prepare
from mailsend.errors import InvalidMessage
from mailsend.findings import Finding, Severity
from mailsend.preview.frame import IMAGE_TYPES, Framed, Link
from mailsend.preview.reading import Letter

GMAIL_CLIPS: Final = 102 * 1024
"""Octets of HTML above which Gmail hides the rest behind a link.

Google says nothing of it. Senders agree on 102 KB; measured at 102 to 105 KB, by the HTML after
decoding: https://www.spamresource.com/2022/01/what-is-gmail-clipping-and-what-to-do.html.
"""

LONG_SUBJECT: Final = 70
"""Characters of a subject that lists of messages show on a wide screen; telephones show 30 to 50.

From https://www.emailtooltester.com/en/blog/email-subject-lines-character-limit/ and others that
measured it, 60 to 77 on desktops.
"""

_MOST_NAMED: Final = 20
_UNFILLED: Final = re.compile(r"\{\{[^{}\n]{1,80}\}\}|\{%[^{}\n]{1,80}%\}")
_SHOWN_HOST: Final = re.compile(
    r"(?:https?://|www\.)([a-z0-9.-]+)(?:[/:?#]\S*)?|([a-z0-9-]+(?:\.[a-z0-9-]+)*\."
    r"(?:com|org|net|edu|gov|info))(?:[/:?#]\S*)?",
    re.IGNORECASE,
)


def findings_of(letter: Letter, shown: Framed | None) -> Iterator[Finding]:
    """Everything that is worth a second look.

    Args:
        letter: the message.
        shown: its HTML as it is shown, if it has any.
    """
    yield from _of_content(letter)
    yield from _of_subject(letter.first("subject"))
    for name, body in (("text", letter.text), ("html", letter.html)):
        unfilled = _UNFILLED.search(body or "")
        if unfilled is not None:
            yield _warning(
                name,
                f"the {name} part has {unfilled[0]!a}, which looks like a template",
                "Give the values, or leave it so if it is meant",
            )
    if letter.text is None:
        what = "no text part" if letter.html is not None else "neither a text nor an HTML part"
        yield _warning(
            "text",
            f"the message has {what}",
            "Add one, for readers without HTML and for filters that expect it",
        )
    if shown is not None:
        yield from _of_size(letter.html or "")
        yield from _of_images(letter, shown)
        yield from _of_html(shown)


def _of_content(letter: Letter) -> Iterator[Finding]:
    try:
        prepare(letter.content)
    except InvalidMessage as error:
        yield Finding(
            Severity.PROBLEM, "content", error.what, error.advice or "Encode the part it is in"
        )


def _of_subject(subject: str) -> Iterator[Finding]:
    if not subject.strip():
        yield _warning("subject", "the message has no subject", "Give it one")
    elif len(subject) > LONG_SUBJECT:
        yield _warning(
            "subject",
            f"the subject has {len(subject)} characters, and lists of messages show about "
            f"{LONG_SUBJECT}, on a telephone 40",
            "Begin with what matters, or shorten it",
        )


def _of_size(html: str) -> Iterator[Finding]:
    size = len(html.encode("utf-8", "replace"))
    if size > GMAIL_CLIPS:
        yield _warning(
            "html",
            f"the HTML has {size:,} octets, and Gmail hides what comes after some {GMAIL_CLIPS:,}",
            "Shorten it, styles too",
        )


def _of_images(letter: Letter, shown: Framed) -> Iterator[Finding]:
    for content_id in islice(shown.missing, _MOST_NAMED):
        yield Finding(
            Severity.PROBLEM,
            "html",
            f"the HTML shows cid:{content_id}, and no part has that content id",
            "Add the image under that name, or take the reference out",
        )
    for part in letter.parts:
        name = part.name or part.content_id
        if part.content_id and part.content_id not in shown.used and part.disposition == "inline":
            yield _warning(
                "inline",
                f"the image {name} is inline, and the HTML never shows it",
                f'Refer to it as <img src="cid:{part.content_id}">, or attach it',
            )
        elif part.content_id in shown.used and part.media_type not in IMAGE_TYPES:
            yield _warning(
                "inline",
                f"the image {name} is {part.media_type}, which mail clients do not show",
                "Use PNG, JPEG or GIF",
            )
    if shown.without_alt:
        yield _warning(
            "html",
            f"{shown.without_alt} of the images have no alt text",
            'Say what they show, or alt="" for decoration; many clients ask before they show any',
        )
    if shown.remote:
        named = ", ".join(islice(shown.remote, _MOST_NAMED))
        more = len(shown.remote) - _MOST_NAMED
        yield _warning(
            "html",
            f"the HTML would load {named}{f' and {more} more' if more > 0 else ''}; nothing was "
            "loaded here",
            "Many clients ask their reader first; send images along where they matter",
        )


def _of_html(shown: Framed) -> Iterator[Finding]:
    if shown.dropped:
        yield _warning(
            "html",
            f"the HTML has {', '.join(sorted(shown.dropped))}, which mail clients drop",
            "Do without",
        )
    for link in _misleading(shown.links)[:_MOST_NAMED]:
        yield _warning(
            "html",
            f"a link shows {link.text} and leads to {link.target}",
            "Show where it leads, or words; filters take the difference for fraud",
        )
    if shown.cut:
        yield _warning(
            "preview", "HTML or images are too large to be shown here in full", "Shorten them"
        )


def _misleading(links: list[Link]) -> list[Link]:
    """Links whose text is the address of another host; subdomains of each other are not others."""
    found = []
    for link in links:
        text = _SHOWN_HOST.fullmatch(link.text)
        if text is None:
            continue
        shown, real = _bare(text[1] or text[2]), _bare(_host_of(link.target))
        if (
            shown != real
            and not f".{real}".endswith(f".{shown}")
            and (not real or not f".{shown}".endswith(f".{real}"))
        ):
            found.append(link)
    return found


def _host_of(target: str) -> str:
    try:
        return urlsplit(target).hostname or ""
    except ValueError:
        return ""


def _bare(host: str) -> str:
    return host.lower().rstrip(".").removeprefix("www.")


def _warning(field: str, message: str, advice: str) -> Finding:
    return Finding(Severity.WARNING, field, message, advice)
