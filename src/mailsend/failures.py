"""Failures that are no reply: what was seen, and what it means, from ``data/failures.toml``."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

from mailsend.cause import Cause, Retry, Scope
from mailsend.endpoint import Endpoint, Security
from mailsend.hosts import in_words, other_endpoints
from mailsend.interpretation import Interpretation
from mailsend.meanings import meaning_of, read_table
from mailsend.rules import Confidence
from mailsend.stage import Stage

_MAX_NAMES: Final = 5
_MAIL_PORTS: Final = frozenset({25, 465, 587, 2465, 2525, 2587})
_TLS_PORTS: Final = frozenset({465, 2465})


class Symptom(StrEnum):
    """What was seen. Each has a row in ``data/failures.toml``."""

    NAME_NOT_FOUND = "name_not_found"
    NAME_LOOKUP_FAILED = "name_lookup_failed"
    NAME_LOOKUP_SILENT = "name_lookup_silent"

    CONNECTION_REFUSED = "connection_refused"
    CONNECTION_RESET = "connection_reset"
    NO_ROUTE = "no_route"
    CONNECTION_FAILED = "connection_failed"
    SILENCE_ON_A_MAIL_PORT = "silence_on_a_mail_port"
    SILENCE_ON_ANOTHER_PORT = "silence_on_another_port"

    NO_GREETING = "no_greeting"
    NO_GREETING_ON_A_TLS_PORT = "no_greeting_on_a_tls_port"
    CLOSED_BEFORE_GREETING = "closed_before_greeting"
    TLS_IN_THE_CLEAR = "tls_in_the_clear"
    SSH_SERVER = "ssh_server"
    HTTP_SERVER = "http_server"
    IMAP_SERVER = "imap_server"
    POP_SERVER = "pop_server"
    OTHER_SERVER = "other_server"

    PLAIN_SERVER_ON_A_TLS_PORT = "plain_server_on_a_tls_port"
    NO_TLS_AFTER_STARTTLS = "no_tls_after_starttls"
    HANDSHAKE_SILENCE = "handshake_silence"
    HANDSHAKE_CUT = "handshake_cut"
    HANDSHAKE_FAILED = "handshake_failed"
    TLS_TOO_OLD = "tls_too_old"
    CLIENT_CERTIFICATE_DEMANDED = "client_certificate_demanded"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_NOT_YET_VALID = "certificate_not_yet_valid"
    CERTIFICATE_FOR_ANOTHER_HOST = "certificate_for_another_host"
    CERTIFICATE_UNTRUSTED = "certificate_untrusted"
    CERTIFICATE_NOT_STRICT = "certificate_not_strict"
    CERTIFICATE_NOT_PINNED = "certificate_not_pinned"
    STARTTLS_NOT_OFFERED = "starttls_not_offered"
    STARTTLS_INJECTION = "starttls_injection"

    SERVER_CLOSED = "server_closed"
    CONNECTION_BROKE = "connection_broke"
    CLOSED_ON_THIS_SIDE = "closed_on_this_side"
    NO_REPLY = "no_reply"
    NO_REPLY_TO_AUTH = "no_reply_to_auth"
    NO_REPLY_TO_CONTENT = "no_reply_to_content"
    COMMAND_NOT_TAKEN = "command_not_taken"
    CONTENT_NOT_TAKEN = "content_not_taken"
    NOT_A_REPLY = "not_a_reply"
    SPOKE_OUT_OF_TURN = "spoke_out_of_turn"
    TALKS_WITHOUT_END = "talks_without_end"


@functools.cache
def _rows() -> Mapping[str, Mapping[str, Any]]:
    return {row["symptom"]: row for row in read_table("failures.toml")["failure"]}


def interpret_failure(
    symptom: Symptom,
    endpoint: Endpoint,
    *,
    detail: str = "",
    seconds: float = 0.0,
    names: Iterable[str] = (),
    validity: str = "",
    tried: Iterable[Endpoint] = (),
    now: dt.datetime | None = None,
) -> Interpretation:
    """Say what a failure means that is no reply. Pure, but for the clock where `now` is left out.

    Args:
        symptom: what was seen.
        endpoint: where.
        detail: what the operating system, TLS or the other side said.
        seconds: how long was waited.
        names: those that the server's certificate is for, where they could be read.
        validity: from when, or until when, the certificate is valid, where that could be read.
        tried: other endpoints, which the advice will not name.
        now: what this machine takes for the time.

    Returns:
        The meaning; its `words` say what happened.
    """
    row = _rows()[symptom.value]
    cause = Cause(row["cause"])
    meaning = meaning_of(cause)
    shown = list(names)
    facts = {
        "host": endpoint.host,
        "port": endpoint.port,
        "seconds": f"{seconds:g}",
        "detail": detail,
        "names": ", ".join(shown[:_MAX_NAMES]) + (" and others" if shown[_MAX_NAMES:] else "")
        or "another name",
        "dates": f" ({validity})" if validity else "",
        "alternatives": in_words(other_endpoints(endpoint, tried)),
        "clock": f"{now or dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC",
    }
    return Interpretation(
        cause,
        meaning.scope or Scope.CONNECTION,
        Retry(row.get("retry") or meaning.retry or meaning.transient_retry or Retry.MINUTES),
        row.get("advice", meaning.advice).format_map(facts),
        f"failure {symptom.value} ({row['source']})",
        row["what"].format_map(facts),
        row.get("link"),
        symptom.value,
        Confidence(row["confidence"]),
    )


def symptom_of_silence(endpoint: Endpoint, stage: Stage, *, writing: bool = False) -> Symptom:
    """What it is called that nothing came, or that nothing was taken, within a stage's budget."""
    if stage is Stage.CONNECT:
        mail = endpoint.port in _MAIL_PORTS
        return Symptom.SILENCE_ON_A_MAIL_PORT if mail else Symptom.SILENCE_ON_ANOTHER_PORT
    if stage is Stage.GREETING:
        tls = endpoint.port in _TLS_PORTS and endpoint.security is not Security.IMPLICIT_TLS
        return Symptom.NO_GREETING_ON_A_TLS_PORT if tls else Symptom.NO_GREETING
    if writing:
        return Symptom.CONTENT_NOT_TAKEN if stage is Stage.DATA else Symptom.COMMAND_NOT_TAKEN
    return _SILENCE.get(stage, Symptom.NO_REPLY)


_SILENCE: Final = {
    Stage.TLS: Symptom.HANDSHAKE_SILENCE,
    Stage.AUTH: Symptom.NO_REPLY_TO_AUTH,
    Stage.END_OF_DATA: Symptom.NO_REPLY_TO_CONTENT,
}

# What servers of other protocols say first; a record of TLS begins with its type and version.
_GREETINGS: Final = (
    (re.compile(rb"[\x14-\x17]\x03[\x00-\x04]"), Symptom.TLS_IN_THE_CLEAR),
    (re.compile(rb"SSH-"), Symptom.SSH_SERVER),
    (re.compile(rb"HTTP/|<!doctype|<html", re.IGNORECASE), Symptom.HTTP_SERVER),
    (re.compile(rb"\* (OK|BYE|PREAUTH)\b", re.IGNORECASE), Symptom.IMAP_SERVER),
    (re.compile(rb"\+OK\b|-ERR\b", re.IGNORECASE), Symptom.POP_SERVER),
)


def symptom_of_greeting(octets: bytes) -> Symptom:
    """What answers, judged by the first octets of something that is no SMTP greeting."""
    return next(
        (symptom for pattern, symptom in _GREETINGS if pattern.match(octets)),
        Symptom.OTHER_SERVER,
    )
