"""What the server has seen, readable from the threads of the tests."""

from __future__ import annotations

import email
import email.policy
import threading
from collections.abc import Callable
from email.message import EmailMessage

from attrs import frozen

from mailsend.envelope import Envelope


@frozen(kw_only=True)
class ReceivedMessage:
    """One message, with the envelope and the session it came by.

    Attributes:
        reverse_path: the address of MAIL FROM without angle brackets; empty for ``<>``.
        recipients: the accepted addresses of RCPT TO, in order.
        content: header section and body with the line ends that came, without dot-stuffing.
        mail_parameters: such as ``SIZE=120``, as they were written.
        rcpt_parameters: one tuple for each of `recipients`.
        authenticated_as: the name that AUTH established.
        tls: the protocol version, such as ``TLSv1.3``; None in the clear.
        client_name: the argument of EHLO or HELO.
        extended: whether it was EHLO.
        connection: the index of the connection in :attr:`SmtpServer.raw`.
        reply_code: of the answer to its content; 0 if that was none, such as a lost connection.
    """

    reverse_path: str
    recipients: tuple[str, ...]
    content: bytes
    mail_parameters: tuple[str, ...] = ()
    rcpt_parameters: tuple[tuple[str, ...], ...] = ()
    authenticated_as: str | None = None
    tls: str | None = None
    client_name: str = ""
    extended: bool = True
    connection: int = 0
    reply_code: int = 0

    @property
    def envelope(self) -> Envelope:
        """The same envelope as mailsend's own type has it; None stands for ``<>`` there."""
        return Envelope(self.reverse_path or None, self.recipients)

    def message(self) -> EmailMessage:
        """The content, parsed with :data:`email.policy.default`."""
        return email.message_from_bytes(self.content, policy=email.policy.default)


@frozen(kw_only=True)
class Authentication:
    """One AUTH command and what became of it.

    Attributes:
        mechanism: its name in upper case, as the client wrote it; empty without one.
        user: whom the client claimed to be, as far as it came to that.
        reply_code: of the last reply, such as 235 or 535; of the last challenge, 334, where the
            connection was lost in the middle; 0 if the script sent none.
        tls: the protocol version, such as ``TLSv1.3``; None in the clear.
        connection: the index of the connection in :attr:`SmtpServer.raw`.
    """

    mechanism: str
    user: str
    reply_code: int
    tls: str | None = None
    connection: int = 0


class Journal:
    """Grows in the server's thread; every change wakes the waiting threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._messages: list[ReceivedMessage] = []
        self._commands: list[bytes] = []
        self._authentications: list[Authentication] = []
        self._violations: list[str] = []
        self._raw: list[bytearray] = []
        self._closed: set[int] = set()

    def connected(self) -> int:
        """Count a connection; its index."""
        with self._changed:
            self._raw.append(bytearray())
            self._changed.notify_all()
            return len(self._raw) - 1

    def received(self, connection: int, data: bytes) -> None:
        with self._changed:
            self._raw[connection] += data
            self._changed.notify_all()

    def commanded(self, line: bytes) -> None:
        with self._changed:
            self._commands.append(line)
            self._changed.notify_all()

    def authenticated(self, attempt: Authentication) -> None:
        with self._changed:
            self._authentications.append(attempt)
            self._changed.notify_all()

    def violated(self, text: str) -> None:
        with self._changed:
            self._violations.append(text)
            self._changed.notify_all()

    def stored(self, message: ReceivedMessage) -> None:
        with self._changed:
            self._messages.append(message)
            self._changed.notify_all()

    def closed(self, connection: int) -> None:
        with self._changed:
            self._closed.add(connection)
            self._changed.notify_all()

    @property
    def messages(self) -> tuple[ReceivedMessage, ...]:
        with self._changed:
            return tuple(self._messages)

    @property
    def commands(self) -> tuple[bytes, ...]:
        with self._changed:
            return tuple(self._commands)

    @property
    def authentications(self) -> tuple[Authentication, ...]:
        with self._changed:
            return tuple(self._authentications)

    @property
    def violations(self) -> tuple[str, ...]:
        with self._changed:
            return tuple(self._violations)

    @property
    def raw(self) -> tuple[bytes, ...]:
        with self._changed:
            return tuple(bytes(octets) for octets in self._raw)

    @property
    def connections(self) -> int:
        with self._changed:
            return len(self._raw)

    def is_closed(self, connection: int | None) -> bool:
        with self._changed:
            if connection is None:
                return len(self._closed) == len(self._raw)
            return connection in self._closed

    def wait_until(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Wait for `condition`, asked again after every change; False after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(condition, timeout)
