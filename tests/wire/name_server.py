"""A DNS server on loopback that tells what a test wants, and what it was asked."""

from __future__ import annotations

import contextlib
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset
import dns.zonefile

Query = dns.message.Message
Behaviour = Callable[[Query], bytes | None]
"""Octets to send for a query, or None for silence."""


def failing(rcode: dns.rcode.Rcode) -> Behaviour:
    def answer(query: Query) -> bytes:
        response = dns.message.make_response(query)
        response.set_rcode(rcode)
        return response.to_wire()

    return answer


def silent(_: Query) -> None:
    return None


def garbled(query: Query) -> bytes:
    """The header of an answer, so that it is taken for one, and nonsense behind it."""
    return struct.pack("!HHHHHH", query.id, 0x8180, 1, 1, 0, 0) + b"\xff" * 40


class NameServer(AbstractContextManager["NameServer"]):
    """Serves records over UDP and TCP on a port that was free.

    Args:
        records: lines of a zone file with absolute names; a name that is not there is NXDOMAIN.
        behaviours: what to do instead for a name, by its text without the last dot.
        authentic: set the AD bit for those who ask for it, as RFC 6840 §5.8 has it.
    """

    def __init__(
        self,
        records: str = "",
        *,
        behaviours: dict[str, Behaviour] | None = None,
        authentic: bool = False,
    ) -> None:
        self.rrsets = dns.zonefile.read_rrsets(
            records, origin=dns.name.root, relativize=False, default_ttl=60
        )
        self.behaviours = {name.lower(): do for name, do in (behaviours or {}).items()}
        self.authentic = authentic
        self.queries: list[tuple[str, str]] = []
        self.tcp_queries = 0
        self._udp, self._tcp = _bound(self)
        self.port: int = self._udp.server_address[1]
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
            for server in (self._udp, self._tcp)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for server, thread in zip((self._udp, self._tcp), self._threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()

    def resolver(self) -> dns.resolver.Resolver:
        """A resolver that asks this server alone."""
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = self.port
        return resolver

    def answer(self, wire: bytes, *, limit: int) -> bytes | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        self.queries.append((name, dns.rdatatype.to_text(question.rdtype)))
        self.tcp_queries += limit > 512
        if name in self.behaviours:
            return self.behaviours[name](query)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if self.authentic and query.flags & dns.flags.AD:
            response.flags |= dns.flags.AD
        response.answer.extend(self._chain(question.name, question.rdtype))
        if not response.answer and all(rrset.name != question.name for rrset in self.rrsets):
            response.set_rcode(dns.rcode.NXDOMAIN)
        octets = response.to_wire(max_size=65535)
        if len(octets) > limit:
            response.answer.clear()
            response.flags |= dns.flags.TC
            octets = response.to_wire()
        return octets

    def _chain(
        self, name: dns.name.Name, kind: dns.rdatatype.RdataType, links: int = 0
    ) -> Iterator[dns.rrset.RRset]:
        for rrset in self.rrsets:
            if rrset.name == name and rrset.rdtype == kind:
                yield rrset
            elif rrset.name == name and rrset.rdtype == dns.rdatatype.CNAME and links < 4:
                yield rrset
                yield from self._chain(rrset[0].target, kind, links + 1)


def _bound(
    server: NameServer,
) -> tuple[socketserver.UDPServer, socketserver.ThreadingTCPServer]:
    class OverUdp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, sock = self.request
            answer = server.answer(wire, limit=512)
            if answer is not None:
                sock.sendto(answer, self.client_address)

    class OverTcp(socketserver.StreamRequestHandler):
        timeout = 5

        def handle(self) -> None:
            (length,) = struct.unpack("!H", self.rfile.read(2))
            answer = server.answer(self.rfile.read(length), limit=65535)
            if answer is not None:
                self.wfile.write(struct.pack("!H", len(answer)) + answer)

    while True:
        udp = socketserver.UDPServer(("127.0.0.1", 0), OverUdp)
        # The port is free for UDP; somebody else may have it for TCP.
        with contextlib.suppress(OSError):
            return udp, socketserver.ThreadingTCPServer(udp.server_address, OverTcp)
        udp.server_close()
