"""Everything mailsend raises.

A class says what to do next: whether anything was written (:class:`ConfigurationError`,
:class:`InvalidMessage`), whether the session lives (:class:`ReplyError`) or not
(:class:`SessionError`), and whether the server may already have acted
(:class:`DeliveryUncertain`). The attributes say why.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any, ClassVar, Final

from mailsend.cause import Cause, Retry, Scope

if TYPE_CHECKING:
    from mailsend.reply import Reply
    from mailsend.report import DeliveryReport
    from mailsend.stage import Stage


_MAX_WORDS: Final = 1000  # characters of a server's words in a sentence of ours


class MailsendError(Exception):
    """Base of all errors. Not raised itself.

    Args:
        what: one clause: what happened. No secret.
        stage: where in the conversation, or None before any I/O.
        reply: the server's reply that decided, if one did.
        cause: what really happened, as far as the evidence goes.
        scope: what the failure concerns; bulk senders decide by it.
        advice: one or two sentences: what to do next.
        retry: when the same submission, unchanged, may succeed.
        link: a page to read on, or None.
        rule: the id of the rule that read the reply or the failure, or None.
        report: how each recipient of the message ended, where a message was being submitted.
        endpoint: ``host:port`` of the server.
        transcript: the last lines of the conversation, secrets left out.
        also_failed: the errors of the other endpoints of the profile, where those were tried too.
    """

    default_cause: ClassVar[Cause] = Cause.UNKNOWN
    default_scope: ClassVar[Scope] = Scope.CONNECTION
    default_retry: ClassVar[Retry] = Retry.NEVER
    safe_to_retry: bool = True
    """True where provably nothing was accepted, so that sending again cannot make a duplicate."""

    def __init__(
        self,
        what: str,
        *,
        stage: Stage | None = None,
        reply: Reply | None = None,
        cause: Cause | None = None,
        scope: Scope | None = None,
        advice: str | None = None,
        retry: Retry | None = None,
        link: str | None = None,
        rule: str | None = None,
        report: DeliveryReport | None = None,
        endpoint: str | None = None,
        transcript: tuple[str, ...] = (),
        also_failed: tuple[MailsendError, ...] = (),
    ) -> None:
        super().__init__(what)
        # An OSError among the bases takes its arguments in __new__, and __reduce__ skips that.
        self.args = (what,)
        self.what = what
        self.stage = stage
        self.reply = reply
        self.cause = cause if cause is not None else self.default_cause
        self.scope = scope if scope is not None else self.default_scope
        self.advice = advice
        self.retry = retry if retry is not None else self.default_retry
        self.link = link
        self.rule = rule
        self.report = report
        self.endpoint = endpoint
        self.transcript = transcript
        self.also_failed = also_failed

    @property
    def retryable(self) -> bool:
        """Whether the same submission, unchanged, may succeed later; `retry` says when."""
        return self.retry is not Retry.NEVER

    def __str__(self) -> str:
        what = self._what_and_where()
        # Where a setting is at fault it stands first, spelled as it is in code.
        if not isinstance(self, ValueError):
            what = what[:1].upper() + what[1:]
        parts = [_sentence(what)]
        if self.reply is not None:
            parts.append(_sentence(f"The server said: {str(self.reply)[:_MAX_WORDS]}"))
        if self.also_failed:
            others = "; ".join(error._what_and_where() for error in self.also_failed)  # noqa: SLF001
            parts.append(_sentence(f"Other endpoints failed too: {others[:_MAX_WORDS]}"))
        if self.advice:
            parts.append(_sentence(self.advice))
        if self.link:
            parts.append(f"See {self.link}")
        return " ".join(parts)

    def _what_and_where(self) -> str:
        where = " ".join(filter(None, [self.endpoint, self.stage and self.stage.in_words]))
        return f"{self.what} ({where})" if where else self.what

    def facts(self) -> dict[str, Any]:
        """The error as data that :mod:`json` can write, for logs. No secret."""
        return {
            "error": type(self).__name__,
            "what": self.what,
            "stage": self.stage.value if self.stage else None,
            "endpoint": self.endpoint,
            "reply": str(self.reply) if self.reply else None,
            "code": self.reply.code if self.reply else None,
            "enhanced": str(self.reply.enhanced) if self.reply and self.reply.enhanced else None,
            "cause": self.cause.value,
            "scope": self.scope.value,
            "retry": self.retry.value,
            "retryable": self.retryable,
            "safe_to_retry": self.safe_to_retry,
            "advice": self.advice,
            "link": self.link,
            "rule": self.rule,
            "also_failed": [
                {"endpoint": e.endpoint, "what": e.what, "cause": e.cause.value}
                for e in self.also_failed
            ],
            "report": self.report.facts() if self.report else None,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        # The standard reduction calls the class with `args` alone and drops the chain.
        return (_rebuild, (type(self), dict(self.__dict__), _picklable(self.__cause__)))


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else text + "."


def _picklable(error: BaseException | None) -> BaseException | None:
    if error is None or isinstance(error, MailsendError):
        return error  # its own reduction sees to its cause
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes of a moment ago
    except Exception:  # noqa: BLE001 - a foreign cause may fail in any way; then it stays behind
        return None
    return error


def _rebuild(
    cls: type[MailsendError], state: dict[str, Any], cause: BaseException | None
) -> MailsendError:
    error = cls.__new__(cls, state["what"])
    error.args = (state["what"],)
    error.__dict__.update(state)
    if cause is not None:  # setting it, even to None, hides the context
        error.__cause__ = cause
    return error


class ConfigurationError(MailsendError, ValueError):
    """A setting, or a combination of settings, that cannot work. Raised before any I/O."""

    default_cause = Cause.BAD_CONFIGURATION
    default_scope = Scope.ACCOUNT


class InvalidMessage(MailsendError, ValueError):
    """A message that must not be sent as it is. Nothing was written."""

    default_cause = Cause.INVALID_MESSAGE
    default_scope = Scope.MESSAGE


class InvalidAddress(MailsendError, ValueError):
    """Text that is no address, or not one that can be sent to. Nothing was written."""

    default_cause = Cause.INVALID_ADDRESS
    default_scope = Scope.RECIPIENT


class CapabilityError(MailsendError):
    """The server lacks what the message needs. Nothing was sent; the session is usable."""

    default_cause = Cause.EXTENSION_MISSING
    default_scope = Scope.MESSAGE


class SessionError(MailsendError):
    """The session is over. Unless it is a :class:`DeliveryUncertain`, nothing was accepted."""

    default_retry = Retry.MINUTES


class ConnectError(SessionError):
    """No connection: the name, the network or the host."""


class TlsError(SessionError):
    """No encryption that can be trusted. No credential was sent without it."""

    default_cause = Cause.TLS_FAILED
    default_retry = Retry.NEVER


class SessionTimeout(SessionError, TimeoutError):
    """The server did not do its part within the stage's budget."""

    default_cause = Cause.TIMED_OUT


class SessionLost(SessionError, ConnectionError):
    """The connection broke or the server closed it."""

    default_cause = Cause.CONNECTION_LOST


class ServiceUnavailable(SessionError):
    """The server said that it will not go on: 421 at any stage, or a refusing greeting."""

    default_cause = Cause.SERVICE_UNAVAILABLE


class ProtocolViolation(SessionError):
    """What the server sent is not SMTP, or not an answer to what was asked."""

    default_cause = Cause.OUT_OF_STEP
    default_retry = Retry.NEVER


class ReplyError(MailsendError):
    """The server said no. The session is usable, unless it broke off as it said so."""


class AuthenticationError(ReplyError):
    """The server did not accept the credentials, or offers no way to present them."""

    default_cause = Cause.BAD_CREDENTIALS
    default_scope = Scope.ACCOUNT


class TokenError(AuthenticationError):
    """No access token could be had to authenticate with. Nothing was sent to the server."""

    default_cause = Cause.TOKEN_UNAVAILABLE
    default_retry = Retry.MINUTES


class SenderRefused(ReplyError):
    """The server refused the reverse path. Nothing was sent."""

    default_scope = Scope.SENDER


class RecipientsRefused(ReplyError):
    """The server refused every recipient. Nothing was sent; ``report`` has each reply."""

    default_scope = Scope.RECIPIENT


class MessageRefused(ReplyError):
    """The server refused the message, before or after its content. Nobody will get it."""

    default_scope = Scope.MESSAGE


class DeliveryUncertain(MailsendError):
    """The connection was lost between the last octet of the content and the server's reply.

    The server may have the message. Sending again may deliver it twice, not sending again may
    lose it: ``report.uncertain`` lists whom it concerns, and the caller decides.
    """

    default_cause = Cause.CONNECTION_LOST
    default_scope = Scope.MESSAGE
    safe_to_retry = False
