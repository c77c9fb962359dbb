"""The connection: octets in and out within budgets, and every failure as an error of ours.

The only module that knows smtplib. Of it are used the opening of a connection, with its audit
event, and the closing; every judgement it makes (reply parsing, AUTH, STARTTLS, sendmail, its
default TLS context, its debug output) is left alone.
"""

from __future__ import annotations

import ipaddress
import smtplib
import socket
import ssl
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from mailsend.errors import (
    ConnectError,
    MailsendError,
    ProtocolViolation,
    SessionLost,
    SessionTimeout,
    TlsError,
)
from mailsend.failures import Symptom, symptom_of_greeting, symptom_of_silence
from mailsend.options import Limits
from mailsend.reply import MalformedReply, Reply, ReplyParser, printable
from mailsend.scrub import Scrubber
from mailsend.smtp import dial, tls
from mailsend.smtp.readiness import READ, WRITE, Readiness, readiness_of
from mailsend.smtp.witness import Witness
from mailsend.stage import OPENING, Stage
from mailsend.timeouts import Deadline, Watch

_CHUNK: Final = 65536
_CLEAN: Final = 16
_REPLY_OCTETS: Final = 1024  # of one reply in a group, on average: RFC 5321 §4.5.3.1.5 allows 512
_CHALLENGE: Final = Reply(334, None, ("<challenge>",))
_CLOSED: Final = "the server closed the connection"
_BROKE: Final = "the connection broke"
_IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class Wire(smtplib.SMTP):
    """One connection to one server. Not thread-safe; its owner sees to that.

    The socket never blocks: every wait is a ``select`` with what is left of a budget, and what
    the server says while octets are being written is read, so neither side can wait for the other
    for ever.

    Args:
        witness: knows where to connect, records the conversation, makes the errors.
        limits: bounds on replies.
        resolver: finds the addresses of a name.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        witness: Witness,
        limits: Limits,
        *,
        resolver: dial.Resolver = dial.system_resolver,
        clock: Callable[[], float],
    ) -> None:
        # A name is given because smtplib would else ask the DNS for this machine's own.
        super().__init__(local_hostname="localhost")
        self._host = witness.endpoint.host
        self.endpoint = witness.endpoint
        self.transcript = witness.transcript
        self.witness = witness
        self._parser = ReplyParser(limits.reply_line_octets, limits.reply_lines)
        self._max_waiting = limits.reply_line_octets * limits.reply_lines
        self._resolver = resolver
        self._clock = clock
        self._readiness: Readiness | None = None
        self._watch: Watch | None = None
        self._context: ssl.SSLContext | None = None
        self._pins: tuple[str, ...] = ()
        self._own_address: _IpAddress | None = None
        self._peer_address: _IpAddress | None = None
        self.peer: dial.SocketAddress | None = None
        """The address that was reached."""
        # Replies that the parser gives again and again, known to quote nothing; by identity,
        # because a comparison costs more than the search that it saves.
        self._clean: dict[int, Reply] = {}
        self.scrubber: Scrubber | None = None
        """Goes over every reply before it is returned or recorded, where there is a secret."""

    # -- opening and closing

    def open(self, watch: Watch, context: ssl.SSLContext | None, pins: tuple[str, ...]) -> None:
        """Connect, and where `context` is given shake hands before anything else.

        Raises:
            ConnectError: The name or the host.
            SessionTimeout: A budget was over.
            TlsError: The server could not prove who it is.
        """
        self._watch, self._context, self._pins = watch, context, pins
        # smtplib's own connect() raises the audit event and calls _get_socket and getreply below.
        self.connect(self.endpoint.host, self.endpoint.port)

    def _get_socket(self, host: str, port: int, timeout: object) -> socket.socket:  # noqa: ARG002
        watch = self._watch
        assert watch is not None  # noqa: S101 - set by open(), the only caller
        deadline = watch.deadline(Stage.CONNECT)
        try:
            addresses = dial.resolve(host, port, deadline, self._clock, self._resolver)
            dial.connect(addresses, deadline, self._clock, self._adopt)
        except OSError as error:
            symptom, detail = dial.explain(error, self.endpoint)
            kind = SessionTimeout if isinstance(error, TimeoutError) else ConnectError
            raise self.witness.failure(
                kind, symptom, Stage.CONNECT, detail=detail, seconds=deadline.seconds
            ) from error
        connected = self._live(Stage.CONNECT)
        try:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._own_address = _address(connected.getsockname())
            peer = connected.getpeername()
            self._peer_address = _address(peer)
            self.peer = dial.SocketAddress(connected.family, peer)
        except OSError as error:  # reset since
            raise self._lost(Stage.CONNECT, error) from error
        self.transcript.note(f"connected to {self._peer_address} port {port}")
        if self._context is not None:
            self.shake_hands(self._context, self._pins, watch.deadline(Stage.TLS))
        return self._live(Stage.CONNECT)

    def _live(self, stage: Stage) -> socket.socket:
        """The socket; a signal handler may have closed it at any moment."""
        if self.sock is None:
            raise self.witness.failure(SessionLost, Symptom.CLOSED_ON_THIS_SIDE, stage)
        return self.sock

    def _adopt(self, sock: socket.socket) -> None:
        self.sock = sock
        self._readiness = readiness_of(sock.fileno())

    def close(self) -> None:
        """Close the socket. Nothing is written, not even a TLS goodbye."""
        self._readiness = None
        if self.sock is not None:
            # Before it is forgotten: an interrupt in between would leave it to nobody.
            self.sock.close()
        super().close()

    def drop(self) -> None:
        """Close the socket, and let go of what was read: nobody asks for last words any more."""
        self.close()
        self._parser = ReplyParser()

    @property
    def is_open(self) -> bool:
        return self.sock is not None

    @property
    def is_encrypted(self) -> bool:
        return isinstance(self.sock, ssl.SSLSocket)

    @property
    def peer_is_loopback(self) -> bool:
        """Whether the connection, whatever its name said, stays on this machine."""
        return self._peer_address is not None and self._peer_address.is_loopback

    @property
    def address_literal(self) -> str:
        """This end's address in the form EHLO takes without a name (RFC 5321 §4.1.3)."""
        own = self._own_address
        return f"[IPv6:{own}]" if isinstance(own, ipaddress.IPv6Address) else f"[{own}]"

    # -- TLS

    def shake_hands(
        self, context: ssl.SSLContext, pins: tuple[str, ...], deadline: Deadline
    ) -> None:
        """Encrypt the connection and verify the server.

        Raises:
            TlsError: The handshake or the verification failed; the connection is closed.
            SessionTimeout: The budget was over.
        """
        try:
            # Stored by the same statement: the plain socket has let go of the descriptor.
            self.sock = secured = context.wrap_socket(
                self._live(Stage.TLS),
                server_hostname=self.endpoint.host,
                do_handshake_on_connect=False,
            )
        except (OSError, ValueError) as error:
            tls.close_half_made(error)
            self.close()
            raise self._tls_error(error) from error
        self._adopt(secured)
        while True:
            try:
                secured.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._wait(READ, deadline)
            except ssl.SSLWantWriteError:
                self._wait(WRITE, deadline)
            except (OSError, ValueError) as error:
                self.close()
                raise self._tls_error(error) from error
        if pins and not tls.matches_pin(secured.getpeercert(binary_form=True) or b"", pins):
            self.close()
            raise self.witness.failure(TlsError, Symptom.CERTIFICATE_NOT_PINNED, Stage.TLS)
        self.transcript.note(f"TLS established: {secured.version()}")

    def _tls_error(self, error: Exception) -> MailsendError:
        symptom, detail = tls.explain(error, self.endpoint.security)
        return self.witness.failure(TlsError, symptom, Stage.TLS, detail=detail)

    @property
    def certificate(self) -> Mapping[str, Any]:
        """The server's certificate as :meth:`ssl.SSLSocket.getpeercert` gives it; empty if none."""
        return (self.sock.getpeercert() or {}) if isinstance(self.sock, ssl.SSLSocket) else {}

    # -- octets

    def write(self, data: bytes | memoryview, deadline: Deadline, *, replies_due: int = 0) -> None:
        """Hand over all octets, reading what arrives meanwhile.

        When this returns, the last octet has been handed to the operating system; when it raises,
        it provably has not.

        Args:
            data: the octets.
            deadline: by when they have to be handed over.
            replies_due: how many replies may arrive meanwhile; what is kept of them is bounded.

        Raises:
            SessionLost: The connection broke.
            SessionTimeout: The budget was over.
        """
        sys.audit("smtplib.send", self, data)
        most = self._max_waiting + replies_due * _REPLY_OCTETS
        view = memoryview(data)
        sock = self._live(deadline.stage)
        while view:
            try:
                # An SSLSocket writes one record at a time whatever it is given.
                view = view[sock.send(view) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._wait(READ | WRITE, deadline)
                self._receive_available(deadline.stage, most)
            except ssl.SSLWantReadError:
                self._wait(READ, deadline)
            except OSError as error:
                raise self._lost(deadline.stage, error) from error

    def read(self, deadline: Deadline) -> Reply:
        """Wait for one complete reply.

        Raises:
            SessionTimeout: It was not complete when the budget was over.
            SessionLost: The connection ended first.
            ProtocolViolation: What came is no reply. The connection is closed in all three cases.
        """
        while (reply := self._parsed(deadline.stage)) is None:
            if not self._has_decrypted():
                self._wait(READ, deadline)
            self._receive(deadline.stage)
        # A challenge belongs to the exchange of a secret: the mechanism gets all of it, and nobody
        # else gets any.
        if reply.code == _CHALLENGE.code:
            self.transcript.received(_CHALLENGE)
            return reply if deadline.stage is Stage.AUTH else _CHALLENGE
        if deadline.stage is not Stage.EHLO:
            reply = reply.shortened()
        self.transcript.received(reply)
        return reply

    def unasked(self, stage: Stage) -> Reply | None:
        """A reply that is there although none is due, or None. Does not wait.

        Raises:
            SessionLost: The server has closed the connection.
            ProtocolViolation: Something else than a reply is there.
        """
        lost = None
        try:
            # Octets that TLS has decrypted already no longer make the socket readable.
            if self._readiness is None or self._has_decrypted() or self._readiness.wait(READ, 0):
                self._receive_available(stage, self._max_waiting)
        except SessionLost as error:
            lost = error
        reply = self._parsed(stage)
        if reply is not None:
            if reply.code == _CHALLENGE.code:
                reply = _CHALLENGE
            self.transcript.received(reply)
        elif lost is not None:
            raise lost
        elif self._parser.has_leftover:
            raise self._violation(stage, Symptom.SPOKE_OUT_OF_TURN)
        return reply

    def last_words(self, stage: Stage) -> Reply | None:
        """What the server said last before the connection broke, or None. Never raises."""
        last = None
        try:
            while (reply := self._parsed(stage)) is not None:
                last = reply.shortened()
        except ProtocolViolation:
            pass  # behind what was a reply
        return last

    def forget_replies(self) -> None:
        """Let go of the octets that were read, in which a server may have quoted a secret."""
        self._parser.forget()
        self._clean.clear()

    @property
    def has_unread(self) -> bool:
        """Whether octets have been received that no reply has used up."""
        return self._parser.has_leftover

    def getreply(self) -> tuple[int, bytes]:
        """Called by connect() for the greeting, which the session reads itself."""
        return (220, b"")

    def _parsed(self, stage: Stage) -> Reply | None:
        try:
            reply = self._parser.next_reply()
        except MalformedReply as error:
            symptom, shown = Symptom.NOT_A_REPLY, str(error)
            if stage is Stage.GREETING:
                symptom = symptom_of_greeting(error.line)
                shown = repr(printable(error.line)) if error.line else shown
            if self.scrubber is None or not self.scrubber.may_quote(shown):
                raise self._violation(stage, symptom, shown) from error
            del shown
        else:
            if reply is None or self.scrubber is None or self._clean.get(id(reply)) is reply:
                return reply
            scrubbed = self.scrubber.scrub(reply)
            if scrubbed is not reply:
                self.forget_replies()
            elif len(self._clean) < _CLEAN and not self.scrubber.presenting:
                self._clean[id(reply)] = reply
            return scrubbed
        # The octets that were no reply may be our own secret, cut anywhere; so they, and the error
        # that quotes them, stay out.
        raise self._violation(stage, Symptom.NOT_A_REPLY, "withheld, as it may quote the secret")

    def _violation(self, stage: Stage, symptom: Symptom, detail: str = "") -> MailsendError:
        self.close()
        return self.witness.failure(ProtocolViolation, symptom, stage, detail=detail)

    def _has_decrypted(self) -> bool:
        return isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0

    def _receive(self, stage: Stage) -> bool:
        """Take what is there; False if nothing is."""
        try:
            data = self._live(stage).recv(_CHUNK)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError as error:
            raise self._lost(stage, error) from error
        if not data:
            raise self._lost(stage, None)
        self._parser.feed(data)
        return True

    def _receive_available(self, stage: Stage, most: int) -> None:
        while self._receive(stage):
            if self._parser.octets_waiting > most:
                raise self._violation(stage, Symptom.TALKS_WITHOUT_END)

    def _lost(self, stage: Stage, error: OSError | None) -> MailsendError:
        # Read first: a reply that outran the disconnect explains it.
        if error is not None:
            self._drain()
        self.close()
        self.transcript.note(_CLOSED if error is None else _BROKE)
        if stage is Stage.GREETING and self._spoke_tls:
            return self.witness.failure(ProtocolViolation, Symptom.TLS_IN_THE_CLEAR, stage)
        # With TLS 1.3 the server's verdict on a client certificate comes after the handshake.
        if (
            isinstance(error, ssl.SSLError)
            and not isinstance(error, ssl.SSLEOFError)
            and stage in OPENING
        ):
            symptom, detail = tls.explain(error, self.endpoint.security)
            return self.witness.failure(TlsError, symptom, stage, detail=detail)
        if error is not None:
            reason = error.strerror or str(error)
            return self.witness.failure(SessionLost, Symptom.CONNECTION_BROKE, stage, detail=reason)
        early = stage is Stage.GREETING
        symptom = Symptom.CLOSED_BEFORE_GREETING if early else Symptom.SERVER_CLOSED
        return self.witness.failure(SessionLost, symptom, stage)

    @property
    def _spoke_tls(self) -> bool:
        return symptom_of_greeting(self._parser.beginning) is Symptom.TLS_IN_THE_CLEAR

    def _drain(self) -> None:
        try:
            while self.sock is not None and (data := self.sock.recv(_CHUNK)):
                self._parser.feed(data)
                if self._parser.octets_waiting > self._max_waiting:
                    return
        except OSError:
            return  # the loss is already being reported

    def _wait(self, events: int, deadline: Deadline) -> None:
        readiness = self._readiness or readiness_of(self._live(deadline.stage).fileno())
        while not readiness.wait(events, deadline.at - self._clock()):
            if self._clock() >= deadline.at:
                self.close()
                self.transcript.note("timed out")
                raise self._silence(deadline, writing=events != READ)

    def _silence(self, deadline: Deadline, *, writing: bool) -> MailsendError:
        stage = deadline.stage
        if stage is Stage.GREETING and self._spoke_tls:
            return self.witness.failure(ProtocolViolation, Symptom.TLS_IN_THE_CLEAR, stage)
        symptom = symptom_of_silence(self.endpoint, stage, writing=writing)
        return self.witness.failure(SessionTimeout, symptom, stage, seconds=deadline.seconds)


def _address(name: tuple[Any, ...]) -> _IpAddress:
    # An IPv6 address of the link carries its zone, which is no part of the address.
    return ipaddress.ip_address(name[0].partition("%")[0])
