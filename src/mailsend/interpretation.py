"""What a reply or another failure means: its cause, when to try again, and what to do."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from attrs import frozen

from mailsend.cause import Cause, Retry, Scope
from mailsend.errors import MailsendError
from mailsend.meanings import meaning_of
from mailsend.providers.provider import Provider
from mailsend.reply import Reply
from mailsend.rules import Confidence, Evidence, Rule, RuleBook, reply_rules
from mailsend.stage import Stage

_Error = TypeVar("_Error", bound=MailsendError)

_SCOPE_OF_STAGE: Final = {
    Stage.AUTH: Scope.ACCOUNT,
    Stage.MAIL: Scope.SENDER,
    Stage.RCPT: Scope.RECIPIENT,
    Stage.DATA: Scope.MESSAGE,
    Stage.END_OF_DATA: Scope.MESSAGE,
}


@frozen
class Interpretation:
    """What a failure means, and how that is known.

    Attributes:
        cause: what really happened; ``UNKNOWN`` if nothing tells.
        scope: what it concerns.
        retry: when the same submission, unchanged, may succeed.
        advice: one or two sentences: what to do.
        source: which evidence decided, and where its meaning is known from.
        words: the server's own words, or what was seen where there is no reply.
        link: where to read on, or None.
        rule: the id of the rule that decided, or None if none did.
        confidence: how well the rule is founded, or None if none decided.
    """

    cause: Cause
    scope: Scope
    retry: Retry
    advice: str
    source: str
    words: str
    link: str | None = None
    rule: str | None = None
    confidence: Confidence | None = None

    @property
    def retryable(self) -> bool:
        """Whether the same submission, unchanged, may succeed later."""
        return self.retry is not Retry.NEVER


def interpret(
    reply: Reply,
    stage: Stage,
    provider: str | Provider | None = None,
    *,
    rules: RuleBook = reply_rules,
) -> Interpretation:
    """Say what a reply means. Pure: the same question always gets the same answer.

    The evidence is used in this order: the stage, the server's words where they name a cause that
    the codes do not, the enhanced status code, the reply code, its first digit.

    Args:
        reply: what the server said.
        stage: what it answered to.
        provider: who said it, if known: a :class:`~mailsend.Provider`, whose own rules are asked
            first, or a key such as ``gmail``. Either brings in the rules that hold only there.
        rules: what to go by.

    Returns:
        ``UNKNOWN`` where no rule fits, with the server's words; never a guess.
    """
    if provider is None or isinstance(provider, str):
        rule = rules.find(reply, stage, provider)
    else:
        own = RuleBook(provider.reply_rules).find(reply, stage, provider.key)
        rule = own or rules.find(reply, stage, provider.key)
    cause = rule.cause if rule is not None else Cause.UNKNOWN
    meaning = meaning_of(cause)
    scope = (rule and rule.scope) or meaning.scope or _SCOPE_OF_STAGE.get(stage, Scope.CONNECTION)
    words = str(reply.shortened())
    if rule is None:
        return Interpretation(cause, scope, _retry(reply, None, None), _unknown(reply),
                              "no rule fits: the first digit of the code alone", words)  # fmt: skip
    return Interpretation(
        cause,
        scope,
        rule.retry or _retry(reply, meaning.retry, meaning.transient_retry),
        rule.advice or meaning.advice,
        f"{_evidence(rule)} ({rule.source})",
        words,
        rule.link,
        rule.id,
        rule.confidence,
    )


def _retry(reply: Reply, always: Retry | None, if_transient: Retry | None) -> Retry:
    if always is Retry.NOW and reply.code == 421:
        return Retry.NEW_CONNECTION  # it ends this one
    if always is not None:
        return always
    # RFC 5321 §4.2.1: 4yz invites to try again, 5yz forbids it.
    return (if_transient or Retry.MINUTES) if reply.is_transient else Retry.NEVER


def _unknown(reply: Reply) -> str:
    if reply.code < 400:
        return "This reply reports no failure"
    return meaning_of(Cause.UNKNOWN).advice


def _evidence(rule: Rule) -> str:
    codes = sorted(rule.codes)
    named = [
        f"words /{rule.words.pattern}/" if rule.words is not None else "",
        f"enhanced status code x.{'/x.'.join(sorted(rule.enhanced))}" if rule.enhanced else "",
        f"code {f'{codes[0] // 100}yz' if len(codes) >= 100 else '/'.join(map(str, codes))}"
        if codes
        else "",
        "the stage" if rule.evidence is Evidence.STAGE else "",
    ]
    return f"rule {rule.id}: {' with '.join(filter(None, named))}"


def explained(kind: type[_Error], what: str, meaning: Interpretation, **known: Any) -> _Error:
    """An error that carries an interpretation.

    Args:
        kind: its class.
        what: what happened.
        meaning: what that means.
        **known: what else :class:`~mailsend.MailsendError` takes.
    """
    # "Too many recipients" invites to send to the rest at once; an error is about all of them.
    retry = Retry.MINUTES if meaning.retry is Retry.NOW else meaning.retry
    return kind(
        what,
        cause=meaning.cause,
        scope=meaning.scope,
        retry=retry,
        advice=meaning.advice,
        link=meaning.link,
        rule=meaning.rule,
        **known,
    )
