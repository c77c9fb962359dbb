"""One connection of the server: octets in and out, in the clear or under TLS.

Sockets and :class:`ssl.MemoryBIO` rather than asyncio's streams: a stream reads ahead by itself
(so that a server that "stops reading" does not), hands plaintext that came before a STARTTLS
handshake on as if TLS had protected it, and cannot send an unfinished handshake.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias

_CHUNK: Final = 65536
_LINGER: Final = "hh" if sys.platform == "win32" else "ii"

Delivery: TypeAlias = Literal["whole", "lines", "bytes"]
"""How a reply is written: at once, line by line, or octet by octet."""


class Disconnected(Exception):
    """The client has closed or aborted the connection."""


class Channel:
    """Reads and writes of one accepted socket, from one task at a time.

    Args:
        connection: the accepted socket, non-blocking; owned by the channel from here on.
        received: told all application octets, after decryption.

    Every method that reads or writes raises Disconnected once the client is gone.
    """

    def __init__(self, connection: socket.socket, received: Callable[[bytes], None]) -> None:
        self._socket = connection
        self._received = received
        self._loop = asyncio.get_running_loop()
        self._input = bytearray()
        self._tls: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._ended = False
        self._handshaking = False  # what comes in the clear is no application data
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def tls_version(self) -> str | None:
        """Such as ``TLSv1.3``, or None in the clear."""
        return self._tls.version() if self._tls else None

    @property
    def certificate_names(self) -> tuple[str, ...]:
        """Whom the client's certificate names: e-mail addresses, then the subject's common name."""
        certificate = self._tls.getpeercert() if self._tls else None
        return _names(certificate) if certificate else ()

    @property
    def address(self) -> tuple[str, int]:
        """The IP address and port that the client has connected to."""
        host, port, *_ = self._socket.getsockname()
        return host, port

    @property
    def has_input(self) -> bool:
        """Whether octets of the client have arrived that were not taken yet."""
        with contextlib.suppress(BlockingIOError, OSError):
            self._accept(self._socket.recv(_CHUNK))
        return bool(self._input)

    @property
    def ended(self) -> bool:
        """Whether the client has ended its side. Octets from before may be there to read."""
        return self._ended

    async def wait_for_input(self, wake: asyncio.Event) -> None:
        """Return when the socket can be read, the client has ended, or `wake` is set."""
        if self._input or self._ended or wake.is_set():
            return
        self._loop.add_reader(self._socket, wake.set)
        try:
            await wake.wait()
        finally:
            self._loop.remove_reader(self._socket)

    async def read_until(self, end: bytes, limit: int) -> bytes | None:
        """Take everything up to and including `end`; None if `limit` octets do not have it."""
        start = 0
        while (at := self._input.find(end, start)) < 0:
            if len(self._input) >= limit:
                return None
            start = max(0, len(self._input) - len(end) + 1)
            await self._fill()
        return self._take(at + len(end)) if at < limit else None

    async def read_some(self, limit: int) -> bytes:
        """Take at least one octet and at most `limit`."""
        while not self._input:
            await self._fill()
        return self._take(limit)

    def put_back(self, data: bytes) -> None:
        """Undo the taking of the last octets taken."""
        self._input[:0] = data

    async def discard_all(self) -> None:
        """Read until the client leaves."""
        with contextlib.suppress(Disconnected):
            while not self._ended:
                self._input.clear()
                await self._fill()
            # The end of TLS is not yet that of the connection.
            while await self._receive():
                pass

    async def write(self, data: bytes) -> None:
        """Return when the system has taken all of it."""
        if self._tls is None:
            await self._send(data)
        else:
            try:
                self._tls.write(data)
            except ssl.SSLError as error:
                raise Disconnected from error
            await self._flush()

    async def deliver(self, reply: bytes, delivery: Delivery) -> None:
        """Write a reply cut into pieces, each in a TCP segment and TLS record of its own."""
        for piece in _pieces(reply, delivery):
            await self.write(piece)

    async def wait_for_client_hello(self) -> None:
        """Return when the client has begun its handshake. What is buffered counts as part of it."""
        self._handshaking = True
        if self._input:
            self._incoming.write(self._take(len(self._input)))
        else:
            await self._fill_handshake()

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Do the handshake, after `wait_for_client_hello`."""
        tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill_handshake()
            except ssl.SSLError as error:
                await self._flush()  # the alert that tells the client why
                raise Disconnected from error
        await self._flush()
        self._tls = tls
        self._decrypt()  # the first command may have come with the end of the handshake

    async def start_partial_tls(self, context: ssl.SSLContext, octets: int) -> None:
        """Send the first `octets` of the handshake, after `wait_for_client_hello`."""
        tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        while not self._outgoing.pending:
            with contextlib.suppress(ssl.SSLWantReadError):
                tls.do_handshake()
            if not self._outgoing.pending:
                await self._fill_handshake()
        await self._send(self._outgoing.read()[:octets])

    async def shut_down(self, *, close_notify: bool = True) -> None:
        """Send FIN. Reading goes on."""
        with contextlib.suppress(Disconnected, OSError):
            if self._tls is not None and close_notify:
                with contextlib.suppress(ssl.SSLError):  # "want read": the client's is not awaited
                    self._tls.unwrap()
                await self._flush()
            self._socket.shutdown(socket.SHUT_WR)

    def abort(self) -> None:
        """Send RST: closing with a linger time of zero does."""
        with contextlib.suppress(OSError):
            linger = struct.pack(_LINGER, 1, 0)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._socket.close()

    def stop_reading(self) -> None:
        """Leave little room for what the client sends from here on."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)

    def close(self) -> None:
        self._socket.close()

    def _take(self, count: int) -> bytes:
        data = bytes(self._input[:count])
        del self._input[:count]
        return data

    async def _fill(self) -> None:
        before = len(self._input)
        while len(self._input) == before:  # a TLS record need not carry application data
            if self._ended:
                raise Disconnected
            self._accept(await self._receive())
            if self._outgoing.pending:
                await self._flush()

    def _accept(self, data: bytes) -> None:
        """Decrypt what came from the socket, and buffer it."""
        if self._tls is not None:
            if data:
                self._incoming.write(data)
            else:
                self._incoming.write_eof()
            self._decrypt()
        elif not data:
            self._ended = True
        elif not self._handshaking:
            self._buffer(data)

    def _decrypt(self) -> None:
        if self._tls is None:
            return
        try:
            while plain := self._tls.read(_CHUNK):
                self._buffer(plain)
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError:
            pass  # cut off, or an alert such as "unknown ca"
        self._ended = True

    def _buffer(self, data: bytes) -> None:
        self._input += data
        self._received(data)

    async def _fill_handshake(self) -> None:
        data = await self._receive()
        if not data:
            raise Disconnected
        self._incoming.write(data)

    async def _flush(self) -> None:
        if data := self._outgoing.read():
            await self._send(data)

    async def _send(self, data: bytes) -> None:
        try:
            await self._loop.sock_sendall(self._socket, data)
        except OSError as error:
            raise Disconnected from error

    async def _receive(self) -> bytes:
        await asyncio.sleep(0)  # sock_recv does not pause while there is something to read
        try:
            return await self._loop.sock_recv(self._socket, _CHUNK)
        except OSError as error:
            raise Disconnected from error


def _names(certificate: Mapping[str, Any]) -> tuple[str, ...]:
    """What :meth:`ssl.SSLObject.getpeercert` gives, read for names of persons."""
    found = [name for kind, name in certificate.get("subjectAltName", ()) if kind == "email"]
    subject = [pair for relative in certificate.get("subject", ()) for pair in relative]
    for wanted in ("emailAddress", "commonName"):
        found += [name for kind, name in subject if kind == wanted]
    return tuple(dict.fromkeys(found))


def _pieces(reply: bytes, delivery: Delivery) -> Iterator[bytes]:
    if delivery == "whole":
        yield reply
    elif delivery == "lines":
        yield from reply.splitlines(keepends=True)
    else:
        yield from (reply[i : i + 1] for i in range(len(reply)))
