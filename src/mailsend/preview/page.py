"""The page: one file without a script, in which nothing of the message is more than shown."""

from __future__ import annotations

import html
import re
from email.message import Message
from functools import cache
from importlib.resources import files
from typing import Final

from mailsend.address import DEFAULT_RULES, AddressRules
from mailsend.envelope import Envelope
from mailsend.errors import InvalidMessage
from mailsend.findings import Finding
from mailsend.message import AnyMessage, envelope_of, parse, render
from mailsend.preview.checks import findings_of
from mailsend.preview.frame import POLICY, Framed, framed
from mailsend.preview.reading import Letter, Part, read

MAX_SHOWN: Final = 500_000
"""Characters of text, and octets of source, that are shown."""

_MAIN_FIELDS: Final = ("From", "To", "Cc", "Reply-To", "Date")
# What would change a text's look without being seen: controls, and marks of direction.
_UNSEEN: Final = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)


def preview(
    message: AnyMessage | bytes,
    *,
    envelope: Envelope | None = None,
    rules: AddressRules | None = None,
) -> str:
    """Show a message as one HTML page that needs nothing else.

    Headers, HTML at desktop and telephone width, text, attachments, source, and what is odd. The
    page has no script, and loads nothing; what the HTML of the message would load or run is
    blocked, links lead nowhere. That holds for messages that were made to do harm.

    Args:
        message: what is to be sent, or the octets of any message.
        envelope: who it is really from and for; None takes it from a message that is to be sent,
            and shows none for octets.
        rules: which rare forms of addresses the message's fields may have, as for ``send()``.

    Returns:
        The page, to be written as UTF-8. Texts and source above 500,000 characters, HTML above
        two million and images above 20 MB are cut, and the page says so.

    Raises:
        InvalidMessage: The message could not be sent like this either; of octets only that their
            parts are nested too deep.
        InvalidAddress: Neither could it with its addresses.
    """
    return page_and_findings(*letter_of(message, envelope, rules))[0]


def findings_in(
    message: AnyMessage | bytes, *, rules: AddressRules | None = None
) -> tuple[Finding, ...]:
    """What the page says is odd about a message.

    Args:
        message: as for :func:`preview`.
        rules: as for :func:`preview`.

    Raises:
        InvalidMessage: As :func:`preview`.
        InvalidAddress: As :func:`preview`.
    """
    letter, _ = letter_of(message, None, rules)
    shown = None if letter.html is None else framed(letter.html, letter.parts)
    return tuple(findings_of(letter, shown))


def page_and_findings(letter: Letter, envelope: Envelope | None) -> tuple[str, tuple[Finding, ...]]:
    """The page of a message that has been read, and what it says is odd."""
    shown = None if letter.html is None else framed(letter.html, letter.parts)
    findings = tuple(findings_of(letter, shown))
    return _page(letter, shown, findings, envelope), findings


def letter_of(
    message: AnyMessage | bytes, envelope: Envelope | None, rules: AddressRules | None
) -> tuple[Letter, Envelope | None]:
    """The message as its reader sees it, and its envelope; arguments and errors of preview()."""
    if isinstance(message, bytes | bytearray | memoryview):
        return read(bytes(message)), envelope
    if not isinstance(message, Message):
        raise InvalidMessage(
            f"expected an email.message.EmailMessage or bytes, not {type(message).__name__}"
        )
    parsed = parse(message, rules or (DEFAULT_RULES if envelope is None else envelope.rules))
    sealed = envelope_of(parsed) if envelope is None else envelope
    return read(render(parsed, eight_bit=True, utf8=parsed.needs_smtputf8)), sealed


@cache
def _style() -> str:
    return (files("mailsend.preview") / "page.css").read_text(encoding="utf-8")


def _page(
    letter: Letter, shown: Framed | None, findings: tuple[Finding, ...], envelope: Envelope | None
) -> str:
    views = {
        "desktop": ("Desktop", None),
        "phone": ("Phone", None),
        "text": ("Text", _text_view(letter)),
        "headers": ("Headers", _headers_view(letter)),
        "source": ("Source", _source_view(letter.content)),
    }
    if shown is None:
        del views["desktop"], views["phone"]
    first = next(iter(views))
    radios = "".join(
        f'<input type="radio" name="view" id="v-{key}"{" checked" if key == first else ""}>'
        for key in views
    )
    labels = "".join(f'<label for="v-{key}">{name}</label>' for key, (name, _) in views.items())
    scheme_radios = scheme_labels = ""
    if shown is not None:
        scheme_radios = (
            '<input type="radio" name="scheme" id="s-light" checked>'
            '<input type="radio" name="scheme" id="s-dark">'
        )
        scheme_labels = (
            '<span class="scheme"><label for="s-light">Light</label>'
            '<label for="s-dark">Dark</label></span>'
        )
    panels = "".join(
        f'<section class="panel" id="p-{key}">{body}</section>'
        for key, (_, body) in views.items()
        if body is not None
    )
    subject = letter.first("subject")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_plain(subject) or 'No subject'} – preview</title>\n"
        f"<style>{_style()}</style></head>\n<body>\n"
        f"<header><p class='kind'>Preview – nothing was sent from this page</p>"
        f"<h1>{_seen(subject) or '<i>No subject</i>'}</h1>{_facts(letter, envelope)}</header>\n"
        f"{_findings(findings)}{_parts(letter.parts, shown)}\n"
        f"<main>{radios}{scheme_radios}<nav>{labels}{scheme_labels}</nav>"
        f"{_frame(shown)}{panels}</main>\n</body></html>\n"
    )


def _facts(letter: Letter, envelope: Envelope | None) -> str:
    rows = [
        (name, value)
        for name in _MAIN_FIELDS
        for other, value in letter.fields
        if other.lower() == name.lower()
    ]
    if envelope is not None:
        route = f"{envelope.reverse_path or '<>'} → {', '.join(envelope.recipients)}"
        rows.append(("Envelope", route))
    rows.append(("Size", _size(len(letter.content))))
    return f"<table class='facts'>{''.join(_row(name, value) for name, value in rows)}</table>"


def _row(name: str, value: str) -> str:
    return f"<tr><th>{_seen(name)}</th><td>{_seen(value)}</td></tr>"


def _findings(findings: tuple[Finding, ...]) -> str:
    if not findings:
        return "<p class='clean'>Nothing odd was found.</p>"
    rows = "".join(
        f"<li class='{finding.severity.value}'><b>{finding.severity.value.capitalize()}</b> "
        f"<span>{_seen(_sentence(finding.message))} <i>{_seen(_sentence(finding.advice))}</i>"
        "</span></li>"
        for finding in findings
    )
    return f"<ul class='findings'>{rows}</ul>"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


def _parts(parts: tuple[Part, ...], shown: Framed | None) -> str:
    if not parts:
        return ""
    rows = "".join(
        f"<tr><td>{_seen(part.name) or '<i>no name</i>'}</td><td>{_seen(part.media_type)}</td>"
        f"<td>{_size(len(part.content))}</td><td>{_use(part, shown)}</td></tr>"
        for part in parts
    )
    return (
        "<table class='parts'><thead><tr><th>Part</th><th>Type</th><th>Size</th><th>Use</th>"
        f"</tr></thead><tbody>{rows}</tbody></table>"
    )


def _use(part: Part, shown: Framed | None) -> str:
    if part.content_id and shown is not None and part.content_id in shown.used:
        return f"shown as cid:{_seen(part.content_id)}"
    return "attached" if part.disposition != "inline" else "inline"


def _frame(shown: Framed | None) -> str:
    if shown is None:
        return ""
    # No word in sandbox allows anything: no script, no origin, no forms, no way up or out.
    return (
        '<div class="stage"><div class="device"><iframe sandbox="" referrerpolicy="no-referrer" '
        f'title="The HTML of the message" srcdoc="{html.escape(shown.document)}"></iframe>'
        "</div></div>"
    )


def _text_view(letter: Letter) -> str:
    if letter.text is None:
        return "<p class='none'>The message has no text part.</p>"
    return f"<pre>{_seen(letter.text[:MAX_SHOWN])}</pre>{_cut(len(letter.text))}"


def _headers_view(letter: Letter) -> str:
    rows = "".join(_row(name, value) for name, value in letter.fields)
    raw = letter.content.partition(b"\r\n\r\n")[0].partition(b"\n\n")[0]
    return (
        f"<table class='fields'>{rows}</table><details><summary>As they are written</summary>"
        f"<pre>{_octets(raw)}</pre></details>"
    )


def _source_view(content: bytes) -> str:
    return f"<pre>{_octets(content)}</pre>{_cut(len(content))}"


def _octets(content: bytes) -> str:
    text = content[:MAX_SHOWN].decode("utf-8", "backslashreplace")
    return _seen(text.replace("\r\n", "\n"))


def _cut(size: int) -> str:
    if size <= MAX_SHOWN:
        return ""
    return f"<p class='none'>Only the first {MAX_SHOWN:,} of {size:,} are shown.</p>"


def _seen(text: str) -> str:
    """Text as text, with what could not be seen made visible, and its direction kept inside."""
    if not text:
        return ""
    marked = _UNSEEN.sub(_mark, html.escape(text))
    return f"<bdi>{marked}</bdi>"


def _mark(found: re.Match[str]) -> str:
    return f'<span class="unseen">U+{ord(found[0]):04X}</span>'


def _plain(text: str) -> str:
    """Text for a title, which has no markup."""
    return html.escape(_UNSEEN.sub("\ufffd", text))


def _size(octets: int) -> str:
    if octets < 1000:
        return f"{octets} octets"
    return f"{octets / 1000:.1f} kB" if octets < 1_000_000 else f"{octets / 1_000_000:.1f} MB"
