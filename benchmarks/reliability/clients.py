"""The clients, each used as its documentation shows and a careful caller would.

What a client says of a recipient is what such a caller learns: from what the sending call returns,
or from the exception in its place. An exception from the end of the ``with`` block does not take
back what the call returned; it is counted apart. After an exception a caller of smtplib or
aiosmtplib takes a new connection for the next message.
"""

from __future__ import annotations

import asyncio
import platform
import smtplib
import ssl
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Final, Protocol

import aiosmtplib
from attrs import Factory, define, field, frozen

import mailsend
from benchmarks.reliability.scenario import (
    IMPLICIT_TLS,
    PLAINTEXT,
    SENDER,
    STARTTLS,
    USER,
    Message,
    Scenario,
)
from mailsend import Envelope, MailsendError, Password, Timeouts, open_transport
from mailsend.testing import SmtpServer

_CLIENT_NAME: Final = "localhost"  # the name of the machine may take seconds to look up


class Said(StrEnum):
    """What a caller is told about a recipient. The last three all mean: will not get it."""

    ACCEPTED = "accepted"
    UNCERTAIN = "uncertain"
    REFUSED = "refused"
    NOT_SENT = "not_sent"
    FAILED = "failed"


@define
class Verdict:
    """What a client says in the course of a scenario.

    Attributes:
        scenario: which.
        said: by recipient.
        raised: exceptions, in order.
        afterthoughts: those of `raised` that came after every message had its result.
    """

    scenario: Scenario
    said: dict[str, Said] = field(factory=dict)
    raised: list[Exception] = field(factory=list)
    afterthoughts: list[Exception] = field(factory=list)
    _left: deque[Message] = field(
        init=False, default=Factory(lambda self: deque(self.scenario.messages), takes_self=True)
    )
    _current: Message | None = field(init=False, default=None)
    _has_result: bool = field(init=False, default=False)

    @property
    def wants_a_session(self) -> bool:
        """Whether messages are left."""
        return bool(self._left)

    def messages(self, server: SmtpServer) -> Iterator[Message]:
        """What is left, for one session; what has to happen between two messages does."""
        first = True
        while self._left:
            if not first:
                self.scenario.be_idle(server)
            first = False
            self._current, self._has_result = self._left.popleft(), False
            yield self._current

    def returned(self, outcomes: Mapping[str, Said]) -> None:
        """The sending call came back, or raised an error that tells as much."""
        self.said.update(outcomes)
        self._has_result = True

    def failed(
        self, error: Exception, said: Said = Said.FAILED, refused: Iterable[str] = ()
    ) -> None:
        """An exception is all that is known of the message; of the next one, before the first.

        Args:
            error: the exception.
            said: what it means for the recipients.
            refused: those whom it names as refused.
        """
        self.raised.append(error)
        message, self._current = self._current, None
        if self._has_result or (message is None and not self._left):
            self._has_result = False  # the next exception may be that of another session
            self.afterthoughts.append(error)
            return
        recipients = (message or self._left.popleft()).recipients
        self.said.update(dict.fromkeys(recipients, said) | dict.fromkeys(refused, Said.REFUSED))


def _but(refused: Iterable[str], recipients: Iterable[str]) -> dict[str, Said]:
    """Accepted, but for those that were refused."""
    return dict.fromkeys(recipients, Said.ACCEPTED) | dict.fromkeys(refused, Said.REFUSED)


class Client(Protocol):
    """A library, as it is used."""

    @property
    def name(self) -> str:
        """For tables."""
        ...

    @property
    def version(self) -> str:
        """Of the library."""
        ...

    @property
    def family(self) -> type[Exception]:
        """The base of the exceptions that the library calls its own."""
        ...

    def plays(self, scenario: Scenario) -> bool:
        """Whether the scenario says something about this way of using the library."""
        ...

    def submit(self, server: SmtpServer, scenario: Scenario, budget: float) -> Verdict:
        """Submit the scenario's messages.

        Args:
            server: who listens, or has stopped if the scenario says so.
            scenario: what to submit, and how to connect.
            budget: seconds, for everything that the library lets a caller bound.
        """
        ...


@frozen
class Mailsend:
    """`open_transport` and `send_raw`."""

    name: str = "mailsend"
    version: str = mailsend.__version__
    family: type[Exception] = MailsendError

    def plays(self, scenario: Scenario) -> bool:  # noqa: ARG002 - all of them
        return True

    def submit(self, server: SmtpServer, scenario: Scenario, budget: float) -> Verdict:
        verdict = Verdict(scenario)
        profile = server.profile(
            host=server.host,
            security=scenario.security,
            username=USER if scenario.login else None,
            credentials=Password(scenario.secret) if scenario.login else None,
            allow_plaintext_credentials=scenario.login and scenario.security is PLAINTEXT,
            timeouts=Timeouts.uniform(budget),
        )
        while verdict.wants_a_session:
            try:
                with open_transport(profile) as transport:
                    for message in verdict.messages(server):
                        envelope = Envelope(SENDER, message.recipients)
                        try:
                            report = transport.send_raw(envelope, message.content)
                        except MailsendError as error:  # the transport can be used on
                            verdict.failed(error)
                            if error.report is None:
                                continue
                            report = error.report
                        outcomes = {o.address: Said(o.outcome.value) for o in report.outcomes}
                        verdict.returned(outcomes)
            except MailsendError as error:  # no session
                verdict.failed(error, Said.NOT_SENT)
            except Exception as error:  # noqa: BLE001 - is judged
                verdict.failed(error)
        return verdict


@frozen
class Smtplib:
    """`SMTP` or `SMTP_SSL` with a context that verifies, `starttls`, `login`, `sendmail`.

    Args:
        name: for tables.
        verifies: False passes no context, which is the default.
    """

    name: str = "smtplib"
    verifies: bool = True
    version: str = platform.python_version()
    family: type[Exception] = smtplib.SMTPException

    def plays(self, scenario: Scenario) -> bool:
        return self.verifies or scenario.id.startswith("tls:")

    def submit(self, server: SmtpServer, scenario: Scenario, budget: float) -> Verdict:
        verdict = Verdict(scenario)
        while verdict.wants_a_session:
            try:
                with self._session(server, scenario, budget) as client:
                    for message in verdict.messages(server):
                        to = list(message.recipients)
                        refused = client.sendmail(SENDER, to, message.content)
                        verdict.returned(_but(refused, to))
            except smtplib.SMTPRecipientsRefused as error:
                verdict.failed(error, refused=error.recipients)
            except Exception as error:  # noqa: BLE001 - is judged
                verdict.failed(error)
        return verdict

    @contextmanager
    def _session(
        self, server: SmtpServer, scenario: Scenario, budget: float
    ) -> Iterator[smtplib.SMTP]:
        context = None
        if self.verifies and scenario.security is not PLAINTEXT:
            context = ssl.create_default_context(cafile=str(server.ca_file))
        client: smtplib.SMTP
        if scenario.security is IMPLICIT_TLS:
            client = smtplib.SMTP_SSL(
                server.host, server.port, _CLIENT_NAME, timeout=budget, context=context
            )
        else:
            client = smtplib.SMTP(server.host, server.port, _CLIENT_NAME, timeout=budget)
        with client:
            if scenario.security is STARTTLS:
                client.starttls(context=context)
            if scenario.login:
                client.login(USER, scenario.secret)
            yield client


@frozen
class Aiosmtplib:
    """`SMTP` as a context manager, and `sendmail`.

    Args:
        name: for tables.
        insists: False leaves ``start_tls`` as it is by default: only if the server offers it.
    """

    name: str = "aiosmtplib"
    insists: bool = True
    version: str = aiosmtplib.__version__
    family: type[Exception] = aiosmtplib.SMTPException

    def plays(self, scenario: Scenario) -> bool:
        return self.insists or (scenario.id.startswith("tls:") and scenario.security is STARTTLS)

    def submit(self, server: SmtpServer, scenario: Scenario, budget: float) -> Verdict:
        verdict = Verdict(scenario)
        while verdict.wants_a_session:
            try:
                asyncio.run(self._session(server, scenario, budget, verdict))
            except aiosmtplib.SMTPRecipientsRefused as error:
                verdict.failed(error, refused=[r.recipient for r in error.recipients])
            except Exception as error:  # noqa: BLE001 - is judged
                verdict.failed(error)
        return verdict

    async def _session(
        self, server: SmtpServer, scenario: Scenario, budget: float, verdict: Verdict
    ) -> None:
        encrypted = scenario.security is not PLAINTEXT
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            local_hostname=_CLIENT_NAME,
            timeout=budget,
            use_tls=scenario.security is IMPLICIT_TLS,
            start_tls=scenario.security is STARTTLS if self.insists else None,
            validate_certs=True,
            cert_bundle=str(server.ca_file) if encrypted else None,
            username=USER if scenario.login else None,
            password=scenario.secret if scenario.login else None,
        )
        async with client:
            for message in verdict.messages(server):
                to = list(message.recipients)
                refused, _ = await client.sendmail(SENDER, to, message.content)
                verdict.returned(_but(refused, to))


CLIENTS: Final[tuple[Client, ...]] = (
    Mailsend(),
    Smtplib(),
    Aiosmtplib(),
    Smtplib("smtplib default", verifies=False),
    Aiosmtplib("aiosmtplib default", insists=False),
)
