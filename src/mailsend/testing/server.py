"""The life cycle of the embedded server."""

from __future__ import annotations

import asyncio
import concurrent.futures
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self, get_args

from mailsend.credentials import Password
from mailsend.endpoint import Security, as_security
from mailsend.logins import logins
from mailsend.options import TlsOptions
from mailsend.profile.smtp_profile import SmtpProfile
from mailsend.testing.actions import Action, Rule, Script, Stage
from mailsend.testing.authority import Authority, Certificate
from mailsend.testing.channel import Channel, Delivery
from mailsend.testing.dialogue import Dialogue
from mailsend.testing.journal import Authentication, Journal, ReceivedMessage
from mailsend.testing.mechanisms import as_mechanism
from mailsend.testing.responder import Responder
from mailsend.testing.sasl import ServerMechanism
from mailsend.testing.settings import DEFAULT_EXTENSIONS, Settings

_STOP_SECONDS: Final = 10.0
_BACKLOG: Final = 128
_MECHANISMS: Final = ("PLAIN", "LOGIN", "CRAM-MD5")


class SmtpServer:
    """An SMTP submission server on a loopback address, with TLS, AUTH and faults on demand.

    It accepts every well-formed message, keeps it in memory, and delivers nothing. It is strict
    where strictness shows a client's mistakes: see `violations`. ::

        with SmtpServer(users={"ada": "s3cret"}) as server:
            server.on("RCPT", Answer("451 4.3.0 Try later"), match=b"bob@")
            ...  # connect to server.host, server.port and trust server.ca_file
        assert server.messages[0].recipients == ("eve@example.org",)

    All connections are served by one asyncio loop in one daemon thread. All properties may be
    read from any thread, also after the server has stopped.

    Args:
        security: what clients have to do; with STARTTLS, mail is refused with 530 before it.
        users: password (for XOAUTH2 and OAUTHBEARER: access token) by name. Without users and
            without `mechanisms` AUTH is not offered. See `set_secret`.
        mechanisms: what AUTH offers: PLAIN, LOGIN, CRAM-MD5, SCRAM-SHA-1, SCRAM-SHA-256, XOAUTH2,
            OAUTHBEARER, EXTERNAL (to clients whose certificate names somebody), and any
            :class:`ServerMechanism`, such as :func:`scram` gives. None: the first three.
        require_auth: where AUTH is offered, refuse MAIL with 530 before it.
        auth_without_tls: offer AUTH in the clear too.
        extensions: lines of the EHLO reply as they are sent. STARTTLS and AUTH are added where
            they can be used, and REQUIRETLS stands there only under TLS. CHUNKING switches BDAT
            on; BINARYMIME, DSN, REQUIRETLS, ``MT-PRIORITY``, ``DELIVERBY 60`` (a minimum in
            seconds) and ``FUTURERELEASE 3600 2030-01-01T00:00:00Z`` (limits) their parameters.
        delivery: how replies are written to the socket: ``whole``, by ``lines`` or by ``bytes``.
        authority: who signs the certificates; None for the one of the process.
        certificate: what is wrong with the server's certificate, or ``valid``.
        host: the loopback address to listen on. The port is chosen by the system.
        tls_minimum: lowest TLS version; None for Python's own choice.
        tls_maximum: highest TLS version, down to TLS 1.0; None for Python's own choice.
        require_client_certificate: refuse clients without a certificate of the same authority.
        discard_refused_chunks: read the chunk of a refused BDAT and drop it, as RFC 3030 §2
            requires. False: take it for commands, as some servers do.

    Raises:
        ImportError: TLS is asked for and the package trustme is not installed.
        ValueError: An argument has no meaning.
    """

    def __init__(
        self,
        *,
        security: Security | str = Security.STARTTLS,
        users: Mapping[str, str] | None = None,
        mechanisms: Iterable[str | ServerMechanism] | None = None,
        require_auth: bool = True,
        auth_without_tls: bool = False,
        extensions: Iterable[str] = DEFAULT_EXTENSIONS,
        delivery: Delivery = "whole",
        certificate: Certificate = "valid",
        authority: Authority | None = None,
        host: str = "127.0.0.1",
        tls_minimum: ssl.TLSVersion | None = None,
        tls_maximum: ssl.TLSVersion | None = None,
        require_client_certificate: bool = False,
        discard_refused_chunks: bool = True,
    ) -> None:
        security = as_security(security)
        _check("delivery", delivery, get_args(Delivery))
        offered = tuple(map(as_mechanism, _MECHANISMS if mechanisms is None else mechanisms))
        self._users = dict(users or {})
        self._authority = authority
        context = None
        if security is not Security.INSECURE_PLAINTEXT:
            context = self.authority.server_context(
                certificate,
                minimum=tls_minimum,
                maximum=tls_maximum,
                request_client_certificate=any(m.needs_certificate for m in offered),
                require_client_certificate=require_client_certificate,
            )
        self._settings = Settings(
            security=security,
            tls=context,
            users=MappingProxyType(self._users),
            mechanisms=offered,
            authenticates=bool(self._users) or (mechanisms is not None and bool(offered)),
            require_auth=require_auth,
            auth_without_tls=auth_without_tls,
            extensions=tuple(extensions),
            delivery=delivery,
            discard_refused_chunks=discard_refused_chunks,
        )
        self._host = host
        self._script = Script()
        self._journal = Journal()
        self._port = 0
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._open: dict[int, Dialogue] = {}
        self._defects: list[Exception] = []

    # Life cycle

    def start(self) -> Self:
        """Listen and serve; return when connections are accepted.

        Raises:
            OSError: The address cannot be listened on.
            RuntimeError: The server was started before; make a new one.
        """
        if self._thread is not None:
            raise RuntimeError("A server is started once")
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.create_server((self._host, 0), family=family, backlog=_BACKLOG)
        listener.setblocking(False)
        self._port = int(listener.getsockname()[1])
        # What another server refused at this port is no word of this one.
        logins.forget(self._port)
        self._thread = threading.Thread(
            target=self._run, args=(listener,), name="mailsend-testing", daemon=True
        )
        self._thread.start()
        self._ready.wait()
        return self

    def stop(self) -> None:
        """End all connections and the thread. Stopping again does nothing.

        Raises:
            RuntimeError: The thread did not end within 10 seconds, or the server itself failed.
        """
        thread, loop, stop = self._thread, self._loop, self._stop
        if thread is not None and thread.is_alive() and loop is not None and stop is not None:
            loop.call_soon_threadsafe(stop.set)
            thread.join(_STOP_SECONDS)
            if thread.is_alive():
                raise RuntimeError(f"The server did not stop within {_STOP_SECONDS:g} seconds")
        if self._defects:
            defects, self._defects = self._defects, []
            raise RuntimeError("The embedded server itself failed") from defects[0]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self, listener: socket.socket) -> None:
        try:
            # Not the policy's loop: add_reader exists on selector loops only.
            with listener, asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(self._serve(listener))
        except Exception as error:  # noqa: BLE001 - raised by stop()
            self._defects.append(error)
        finally:
            self._ready.set()

    async def _serve(self, listener: socket.socket) -> None:
        loop = self._loop = asyncio.get_running_loop()
        stop = self._stop = asyncio.Event()
        tasks: set[asyncio.Task[None]] = set()

        def accept() -> None:
            # A callback, not loop.sock_accept: cancelling that can lose an accepted socket.
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # the client has gone already
            connection.setblocking(False)
            task = loop.create_task(self._converse(connection, self._journal.connected()))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        loop.add_reader(listener, accept)
        self._ready.set()
        await stop.wait()
        loop.remove_reader(listener)
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _converse(self, connection: socket.socket, index: int) -> None:
        with connection:
            try:
                channel = Channel(connection, lambda data: self._journal.received(index, data))
                dialogue = Dialogue(
                    Responder(self._settings, self._script, self._journal, channel, index)
                )
                self._open[index] = dialogue
                await dialogue.run()
            except Exception as error:  # noqa: BLE001 - raised by stop()
                self._defects.append(error)
            finally:
                self._open.pop(index, None)
                connection.close()
                self._journal.closed(index)

    def profile(self, **changes: Any) -> SmtpProfile:
        """A profile with which mailsend reaches this server, as its first user if it has any.

        Args:
            **changes: arguments of :class:`~mailsend.SmtpProfile` to use instead.

        Raises:
            ConfigurationError: The changes do not fit.
        """
        settings = self._settings
        given: dict[str, Any] = {
            "host": "localhost" if self._host == "127.0.0.1" else self._host,
            "port": self.port,
            "security": settings.security,
        }
        if settings.security is not Security.INSECURE_PLAINTEXT:
            given["tls"] = TlsOptions(ca_file=self.ca_file)
        for name, secret in tuple(settings.users.items()):
            given["username"] = name
            if "credentials" not in changes:  # a token may be longer than a password
                given["credentials"] = Password(secret)
            given["allow_plaintext_credentials"] = settings.security is Security.INSECURE_PLAINTEXT
            break
        return SmtpProfile(**{**given, **changes})

    def set_secret(self, user: str, secret: str | None) -> None:
        """Change a user's password or access token, such as when a token has expired.

        It counts for the AUTH commands that begin from now on; who is authenticated stays so.

        Args:
            user: the name; a new one becomes a user.
            secret: what is accepted from now on, and nothing else; None removes the user.
        """
        if secret is None:
            self._users.pop(user, None)
        else:
            self._users[user] = secret

    # The script

    def on(
        self,
        stage: Stage,
        *actions: Action,
        match: bytes | None = None,
        times: int | None = 1,
        skip: int = 0,
        after: int = 0,
        store: bool | None = None,
    ) -> None:
        """Register what happens instead of the normal answer at a stage.

        Stages: CONNECT (just accepted, nothing was exchanged), TLS (instead of the handshake,
        also that of STARTTLS, when the client has begun it), GREETING; the commands EHLO, HELO,
        STARTTLS, AUTH, MAIL, RCPT, DATA, BDAT, RSET, NOOP, QUIT; AUTH_RESPONSE (each line that
        answers a challenge), CONTENT (while the content flows), END_OF_DATA (all of it has
        arrived, by DATA or by BDAT LAST), and ``*`` (any command).

        Every rule counts every occurrence of its stage from its registration on; of the rules that
        want one, the first registered acts.

        Args:
            stage: where.
            *actions: what, in order.
            match: only where the command line (at END_OF_DATA: the content, at AUTH_RESPONSE: the
                line) contains this, without regard to case.
            times: how many occurrences are acted on; None for all.
            skip: how many occurrences go by first.
            after: at CONTENT, after how many octets, as sent, of the content; content that ends
                there or before is left alone.
            store: at END_OF_DATA and BDAT, whether the message counts as accepted. None: unless
                it is answered with 4yz or 5yz. So it does if the connection is lost instead.

        Raises:
            ValueError: The rule makes no sense.
        """
        self._script.add(Rule(stage, actions, match, times, skip, after, store))

    def interrupt(self, *actions: Action, connection: int = -1, timeout: float = 5.0) -> None:
        """Do something now on an open connection, between two commands.

        Such as the 421 to a client that has been idle: ``interrupt(Answer("421 Bye"), Close())``.
        Returns when it is done; after Close, Reset, Hang or StopReading the dialogue is over.

        Args:
            *actions: what, in order.
            connection: its index in `raw`; negative ones count from the last.
            timeout: seconds to wait for the end of what the connection is doing.

        Raises:
            LookupError: The connection is not open.
            TimeoutError: It did not come to that within `timeout`.
        """
        index = connection if connection >= 0 else self.connections + connection
        loop, dialogue = self._loop, self._open.get(index)
        if loop is None or dialogue is None:
            raise LookupError(f"Connection {connection} is not open")
        done = asyncio.run_coroutine_threadsafe(dialogue.interrupt(actions), loop)
        try:
            done.result(timeout)
        except TimeoutError:
            done.cancel()
            raise
        except concurrent.futures.CancelledError as error:
            raise LookupError(f"Connection {connection} has ended") from error

    # What is known

    @property
    def host(self) -> str:
        """The address that is listened on. Certificates name it, and ``localhost``."""
        return self._host

    @property
    def port(self) -> int:
        """The port that is listened on. Raises RuntimeError before the start."""
        if self._thread is None:
            raise RuntimeError("The server was not started")
        return self._port

    @property
    def authority(self) -> Authority:
        """Who signs the certificates."""
        if self._authority is None:
            self._authority = Authority.shared()
        return self._authority

    @property
    def ca_file(self) -> Path:
        """The certificate of the authority that the client has to trust, in PEM."""
        return self.authority.ca_file

    @property
    def client_certificate(self) -> tuple[Path, Path]:
        """Certificate file and key file for a client, in PEM, signed by the same authority.

        They name ``client@localhost``; see :meth:`Authority.client_certificate_for`.
        """
        return self.authority.client_certificate

    @property
    def messages(self) -> tuple[ReceivedMessage, ...]:
        """The accepted messages, in order. A message is here before its reply is sent."""
        return self._journal.messages

    @property
    def commands(self) -> tuple[bytes, ...]:
        """All command lines of all connections, in order, without line ends.

        Answers to the challenges of AUTH and content are not commands.
        """
        return self._journal.commands

    @property
    def authentications(self) -> tuple[Authentication, ...]:
        """All AUTH commands of all connections, in the order in which they ended.

        Each is here before its last reply is sent; one whose connection was lost in the middle,
        when the server has noticed (see `wait_closed`).
        """
        return self._journal.authentications

    @property
    def violations(self) -> tuple[str, ...]:
        """What clients did against the RFCs, one sentence each."""
        return self._journal.violations

    @property
    def raw(self) -> tuple[bytes, ...]:
        """All octets received, after decryption, by connection."""
        return self._journal.raw

    @property
    def connections(self) -> int:
        """How many connections were accepted."""
        return self._journal.connections

    # Waiting

    def wait_until(self, condition: Callable[[], bool], timeout: float = 5.0) -> None:
        """Wait until `condition` holds; it is asked again after every event of the server.

        Raises:
            TimeoutError: It did not hold within `timeout` seconds.
        """
        if not self._journal.wait_until(condition, timeout):
            raise TimeoutError(f"The condition did not hold within {timeout:g} seconds")

    def wait_closed(self, connection: int | None = None, timeout: float = 5.0) -> None:
        """Wait until the server has seen the end of a connection.

        Args:
            connection: its index in `raw`; None for all that were accepted.
            timeout: seconds.

        Raises:
            TimeoutError: It is still open.
        """
        if not self._journal.wait_until(lambda: self._journal.is_closed(connection), timeout):
            raise TimeoutError(f"Still open after {timeout:g} seconds")


def _check(name: str, value: str, allowed: Iterable[str]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} {value!r} is not one of {', '.join(allowed)}")
