"""Errors that know where something happened and how the conversation went."""

from __future__ import annotations

from typing import Any, TypeVar

from attrs import frozen

from mailsend.cause import Cause
from mailsend.endpoint import Endpoint
from mailsend.errors import MailsendError, ProtocolViolation
from mailsend.failures import Symptom, interpret_failure
from mailsend.interpretation import Interpretation, explained, interpret
from mailsend.meanings import meaning_of
from mailsend.providers import Provider, providers
from mailsend.reply import Reply
from mailsend.report import DeliveryReport
from mailsend.stage import Stage
from mailsend.transcript import Transcript

_Error = TypeVar("_Error", bound=MailsendError)


@frozen
class Witness:
    """Makes the errors of one connection.

    Attributes:
        endpoint: where it goes.
        transcript: what was said.
        tried: other endpoints of the profile, which advice need not name.
        provider: whose server it is; None asks the registry by the host.
    """

    endpoint: Endpoint
    transcript: Transcript
    tried: tuple[Endpoint, ...] = ()
    provider: Provider | None = None

    def failure(self, kind: type[_Error], symptom: Symptom, stage: Stage, **seen: Any) -> _Error:
        """An error for something that is no reply.

        Args:
            kind: its class.
            symptom: what was seen.
            stage: when.
            **seen: details, as :func:`~mailsend.interpret_failure` takes them.
        """
        meaning = interpret_failure(symptom, self.endpoint, tried=self.tried, **seen)
        return self._explained(kind, meaning.words, meaning, stage=stage)

    def refusal(
        self,
        kind: type[_Error],
        what: str,
        stage: Stage,
        reply: Reply,
        report: DeliveryReport | None = None,
    ) -> _Error:
        """An error for a reply that says no."""
        provider = self.provider or providers.for_host(self.endpoint.host)
        meaning = interpret(reply, stage, provider)
        return self._explained(kind, what, meaning, stage=stage, reply=reply, report=report)

    def violation(
        self,
        what: str,
        stage: Stage,
        reply: Reply,
        *,
        cause: Cause = Cause.OUT_OF_STEP,
        advice: str | None = None,
        report: DeliveryReport | None = None,
    ) -> ProtocolViolation:
        """An error for a reply that is well-formed and does not belong where it came."""
        return self.error(
            ProtocolViolation, what, stage, reply=reply, cause=cause, advice=advice, report=report
        )

    def error(
        self, kind: type[_Error], what: str, stage: Stage, *, cause: Cause,
        advice: str | None = None, **known: Any,
    ) -> _Error:  # fmt: skip
        """An error whose cause is known without interpreting anything."""
        meaning = meaning_of(cause)
        known.setdefault("retry", meaning.retry)
        return kind(
            what,
            stage=stage,
            cause=cause,
            advice=advice or meaning.advice,
            **known,
            **self._where,
        )

    def _explained(
        self, kind: type[_Error], what: str, meaning: Interpretation, **known: Any
    ) -> _Error:
        return explained(kind, what, meaning, **known, **self._where)

    @property
    def _where(self) -> dict[str, Any]:
        return {"endpoint": str(self.endpoint), "transcript": self.transcript.tail()}
