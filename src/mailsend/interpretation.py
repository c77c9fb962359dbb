"""What a reply means: the cause behind a code, whether a retry may help, and what to do.

The evidence is used in this order: the stage, the server's words where they name a cause that the
codes do not, the enhanced status code, the reply code, its first digit.
"""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from mailsend.cause import Cause, Scope
from mailsend.reply import Reply
from mailsend.stage import Stage


@frozen
class Interpretation:
    """What a reply means.

    Attributes:
        cause: what really happened; ``UNKNOWN`` if nothing tells.
        scope: what it concerns.
        retryable: whether the same submission, unchanged, may succeed later.
        advice: what to do, or None where there is nothing better than the server's own words.
        source: which evidence decided, in words.
    """

    cause: Cause
    scope: Scope
    retryable: bool
    advice: str | None
    source: str


_READ: Final = 1000  # characters of a reply; patterns with a gap take quadratic time


@frozen
class _Rule:
    """A row of the table: it applies if everything that it names fits."""

    cause: Cause
    scope: Scope
    stages: frozenset[Stage]
    codes: frozenset[int] = frozenset()
    enhanced: str = ""  # subject.detail, such as "7.8"
    words: str = ""
    retryable: bool | None = None  # None: by the first digit

    def fits(self, reply: Reply, stage: Stage) -> bool:
        status = reply.enhanced
        return (
            stage in self.stages
            and (not self.codes or reply.code in self.codes)
            and (
                not self.enhanced
                or (status is not None and f"{status.subject}.{status.detail}" == self.enhanced)
            )
            and (
                not self.words
                or re.search(self.words, reply.text[:_READ], re.IGNORECASE) is not None
            )
        )

    @property
    def source(self) -> str:
        parts = [
            f"words /{self.words}/" if self.words else "",
            f"enhanced status code x.{self.enhanced}" if self.enhanced else "",
            f"code {'/'.join(map(str, sorted(self.codes)))}" if self.codes else "",
        ]
        return " with ".join(filter(None, parts)) or "the stage"


def _at(*stages: Stage) -> frozenset[Stage]:
    return frozenset(stages)


_ANY: Final = frozenset(Stage)
_AUTH: Final = _at(Stage.AUTH)
_MAIL: Final = _at(Stage.MAIL)
_RCPT: Final = _at(Stage.RCPT)
_END: Final = _at(Stage.DATA, Stage.END_OF_DATA)
_TRANSACTION: Final = _at(Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.END_OF_DATA)

# Sources: RFC 5321 §4.2.2 and §4.2.3, RFC 4954 §6, RFC 3463 §3, RFC 1870 §6, RFC 6531 §3.5, and
# replies recorded from Postfix 3.7, Exim 4.96 and OpenSMTPD 7.4.
_RULES: Final[tuple[_Rule, ...]] = (
    _Rule(Cause.TLS_REQUIRED, Scope.CONNECTION, _ANY, words=r"\bSTARTTLS\b.*\bfirst\b", retryable=False),
    _Rule(Cause.TLS_REQUIRED, Scope.CONNECTION, _AUTH, codes=frozenset({538})),
    _Rule(Cause.TLS_REQUIRED, Scope.CONNECTION, _AUTH, enhanced="7.11"),
    _Rule(Cause.CLIENT_CERTIFICATE_REQUIRED, Scope.CONNECTION, _ANY, words=r"\bclient certificate\b", retryable=False),
    _Rule(Cause.TOO_MANY_CONNECTIONS, Scope.ACCOUNT, _ANY, words=r"too many (concurrent )?(smtp )?connections|number of connections\b.*\bexceeded", retryable=True),
    _Rule(Cause.SERVICE_UNAVAILABLE, Scope.CONNECTION, _ANY, codes=frozenset({421}), retryable=True),
    _Rule(Cause.AUTHENTICATION_UNAVAILABLE, Scope.ACCOUNT, _AUTH, codes=frozenset({500, 502, 503, 504})),
    _Rule(Cause.AUTHENTICATION_TEMPORARY, Scope.ACCOUNT, _AUTH, codes=frozenset(range(400, 500))),
    _Rule(Cause.BAD_CREDENTIALS, Scope.ACCOUNT, _AUTH),
    _Rule(Cause.BAD_CREDENTIALS, Scope.ACCOUNT, _MAIL, words=r"\bauthentication failed\b"),
    _Rule(Cause.MAILBOX_UNKNOWN, Scope.RECIPIENT, _RCPT, words=r"\b(user|mailbox|recipient)( <[^<>]*>)? unknown\b|\b(unknown|no such) (user|mailbox|recipient)\b"),
    _Rule(Cause.RELAY_DENIED, Scope.RECIPIENT, _RCPT, words=r"\brelay"),
    _Rule(Cause.AUTHENTICATION_REQUIRED, Scope.ACCOUNT, _TRANSACTION, words=r"authentication (is )?required|not authenticated|must authenticate"),
    _Rule(Cause.AUTHENTICATION_REQUIRED, Scope.ACCOUNT, _TRANSACTION, codes=frozenset({530})),
    _Rule(Cause.TOO_MANY_MESSAGES, Scope.CONNECTION, _MAIL, words=r"\btoo many messages\b", retryable=True),
    _Rule(Cause.RATE_LIMITED, Scope.ACCOUNT, _TRANSACTION, words=r"\btoo much mail from\b|\btoo many recipients from\b", retryable=True),
    _Rule(Cause.EXTENSION_MISSING, Scope.MESSAGE, _TRANSACTION, enhanced="6.7"),
    _Rule(Cause.TOO_MANY_RECIPIENTS, Scope.RECIPIENT, _RCPT, enhanced="5.3", retryable=True),
    _Rule(Cause.TOO_MANY_RECIPIENTS, Scope.RECIPIENT, _RCPT, words=r"\btoo many recipients\b", retryable=True),
    _Rule(Cause.SENDER_NOT_ALLOWED, Scope.SENDER, _RCPT, words=r"\bsender address rejected\b"),
    _Rule(Cause.GREYLISTED, Scope.RECIPIENT, _RCPT, words=r"\bgr[ae]y-?list"),
    _Rule(Cause.MAILBOX_UNKNOWN, Scope.RECIPIENT, _RCPT, enhanced="1.1"),
    _Rule(Cause.MAILBOX_UNKNOWN, Scope.RECIPIENT, _RCPT, enhanced="1.10"),
    _Rule(Cause.MAILBOX_FULL, Scope.RECIPIENT, _RCPT, enhanced="2.2"),
    _Rule(Cause.MAILBOX_FULL, Scope.RECIPIENT, _RCPT, words=r"\bmailbox (is )?full\b|\bover quota\b"),
    _Rule(Cause.MAILBOX_UNAVAILABLE, Scope.RECIPIENT, _RCPT, enhanced="2.1"),
    _Rule(Cause.MAILBOX_UNAVAILABLE, Scope.RECIPIENT, _RCPT, enhanced="1.6"),
    _Rule(Cause.MESSAGE_TOO_LARGE, Scope.MESSAGE, _TRANSACTION, enhanced="3.4"),
    _Rule(Cause.MESSAGE_TOO_LARGE, Scope.MESSAGE, _TRANSACTION, enhanced="2.3"),
    _Rule(Cause.MESSAGE_TOO_LARGE, Scope.MESSAGE, _MAIL | _END, words=r"\bmessage (is )?too (big|large)\b|\bmessage (length|size)\b.*\bexceeds\b"),
    _Rule(Cause.CONTENT_REJECTED, Scope.MESSAGE, _END, words=r"\bcontent (was )?(refused|rejected)\b"),
    _Rule(Cause.MESSAGE_TOO_LARGE, Scope.MESSAGE, _MAIL | _END, codes=frozenset({552})),
    _Rule(Cause.SERVER_STORAGE_FULL, Scope.CONNECTION, _TRANSACTION, enhanced="3.1", retryable=True),
    # RFC 5321 §4.5.3.1.10: this is what 452 means here.
    _Rule(Cause.TOO_MANY_RECIPIENTS, Scope.RECIPIENT, _RCPT, codes=frozenset({452}), retryable=True),
    _Rule(Cause.SERVER_STORAGE_FULL, Scope.CONNECTION, _TRANSACTION, codes=frozenset({452}), retryable=True),
    _Rule(Cause.SENDER_INVALID, Scope.SENDER, _MAIL, enhanced="1.0"),
    _Rule(Cause.SENDER_INVALID, Scope.SENDER, _MAIL, enhanced="1.7"),
    _Rule(Cause.SENDER_INVALID, Scope.SENDER, _MAIL, enhanced="1.8"),
    _Rule(Cause.SENDER_NOT_ALLOWED, Scope.SENDER, _MAIL, enhanced="7.1"),
    _Rule(Cause.SENDER_NOT_ALLOWED, Scope.SENDER, _MAIL, words=r"\bsender\b"),
    _Rule(Cause.COMMAND_REJECTED, Scope.RECIPIENT, _RCPT, codes=frozenset({501, 555})),
    _Rule(Cause.COMMAND_REJECTED, Scope.CONNECTION, _ANY, codes=frozenset({500, 501, 502, 503, 504, 555})),
    _Rule(Cause.CONTENT_REJECTED, Scope.MESSAGE, _at(Stage.END_OF_DATA), enhanced="7.1"),
    _Rule(Cause.CONTENT_REJECTED, Scope.MESSAGE, _at(Stage.END_OF_DATA), enhanced="6.0"),
    _Rule(Cause.POLICY_REFUSED, Scope.RECIPIENT, _RCPT, enhanced="7.1"),
    _Rule(Cause.TEMPORARY_FAILURE, Scope.RECIPIENT, _RCPT, codes=frozenset(range(400, 500))),
    _Rule(Cause.TEMPORARY_FAILURE, Scope.MESSAGE, _TRANSACTION, codes=frozenset(range(400, 500))),
    _Rule(Cause.TEMPORARY_FAILURE, Scope.CONNECTION, _ANY, codes=frozenset(range(400, 500))),
)  # fmt: skip

_ADVICE: Final[dict[Cause, str]] = {
    Cause.TLS_REQUIRED: "The server wants encryption first: use Security.STARTTLS, or implicit TLS on port 465",
    Cause.AUTHENTICATION_UNAVAILABLE: "The server does not take this way of authenticating: set `mechanisms`, or ask which it wants",
    Cause.AUTHENTICATION_TEMPORARY: "The server cannot check credentials now: wait some minutes before trying again",
    Cause.BAD_CREDENTIALS: "Check user name and password; many providers want an app password, or OAuth2, instead of the account's password",
    Cause.AUTHENTICATION_REQUIRED: "Set username and credentials in the profile",
    Cause.TOO_MANY_CONNECTIONS: "Use fewer connections at a time, and keep one open for several messages",
    Cause.TOO_MANY_MESSAGES: "The server takes no more messages in this session: go on over a new one",
    Cause.RATE_LIMITED: "Send more slowly, and try again in some minutes",
    Cause.CLIENT_CERTIFICATE_REQUIRED: "Give TlsOptions(client_cert=..., client_key=...)",
    Cause.SERVICE_UNAVAILABLE: "Try again in some minutes, over a new connection",
    Cause.TOO_MANY_RECIPIENTS: "Send to the rest of the recipients in a second message",
    Cause.RELAY_DENIED: "The server sends to other domains only for senders it knows: authenticate, or use your own provider's server",
    Cause.GREYLISTED: "Try again in some minutes; the server takes it from senders who come back",
    Cause.MAILBOX_UNKNOWN: "Check the address, and stop sending to it",
    Cause.MAILBOX_FULL: "Try again in some hours, or tell the recipient by other means",
    Cause.MESSAGE_TOO_LARGE: "Send less: smaller attachments, or a link",
    Cause.SERVER_STORAGE_FULL: "The server is short of space: try again in some minutes",
    Cause.SENDER_INVALID: "Check the sender's address and that its domain exists",
    Cause.SENDER_NOT_ALLOWED: "Send from an address that belongs to the account you authenticate with",
    Cause.CONTENT_REJECTED: "The server judged the content: read its words, and change the message",
    Cause.TEMPORARY_FAILURE: "Try again in some minutes",
}  # fmt: skip


def interpret(reply: Reply, stage: Stage) -> Interpretation:
    """Say what a reply means.

    Args:
        reply: what the server said.
        stage: what it answered to.
    """
    rule = next((rule for rule in _RULES if rule.fits(reply, stage)), None)
    if rule is None:
        scope = _SCOPE_OF_STAGE.get(stage, Scope.CONNECTION)
        return Interpretation(
            Cause.UNKNOWN, scope, reply.is_transient, None, "the first digit of the code"
        )
    retryable = reply.is_transient if rule.retryable is None else rule.retryable
    return Interpretation(rule.cause, rule.scope, retryable, _ADVICE.get(rule.cause), rule.source)


_SCOPE_OF_STAGE: Final = {
    Stage.AUTH: Scope.ACCOUNT,
    Stage.MAIL: Scope.SENDER,
    Stage.RCPT: Scope.RECIPIENT,
    Stage.DATA: Scope.MESSAGE,
    Stage.END_OF_DATA: Scope.MESSAGE,
}
