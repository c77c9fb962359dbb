"""What a TLS session that is resumed would save, and what it would no longer check.

    python benchmarks/tls_resumption.py [--rounds 150] [--json FILE]

Client and server shake hands in memory, so that octets and processor time are counted and no
network. What varies: the key of the certificate and the version of TLS. Full and resumed handshakes
take turns; a row gives the medians, and the ratio of the two times of the client in a round.

mailsend resumes no session. The last lines show one reason: OpenSSL checks the chain, the dates and
the host name while it reads a certificate, and a resumed handshake has none; the session of one
host is good for another, whatever the client asked for. A client can keep its sessions apart by
host, but not find out who else has the key of the server's tickets: that is all a server has to
know to resume, and the key of the certificate is not needed for it.
"""

from __future__ import annotations

import argparse
import json
import platform
import ssl
import statistics
import sys
import time
from pathlib import Path
from typing import NamedTuple

import trustme

HOST, OTHER = "smtp.example.test", "other.example.test"
VERSIONS = (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2)


class Handshake(NamedTuple):
    client: ssl.SSLObject
    octets_sent: int
    octets_received: int
    seconds: float


def shake_hands(
    client_context: ssl.SSLContext,
    server_context: ssl.SSLContext,
    host: str = HOST,
    session: ssl.SSLSession | None = None,
) -> Handshake:
    """One handshake and the first line of the server, behind which tickets come with TLS 1.3."""
    to_client, from_client, to_server, from_server = (ssl.MemoryBIO() for _ in range(4))
    client = client_context.wrap_bio(to_client, from_client, server_hostname=host, session=session)
    server = server_context.wrap_bio(to_server, from_server, server_side=True)
    sent = received = 0
    seconds = 0.0
    client_done = server_done = False
    while not (client_done and server_done):
        started = time.perf_counter()
        client_done = client_done or advance(client)
        seconds += time.perf_counter() - started
        sent += carry(from_client, to_server)
        server_done = server_done or advance(server)
        received += carry(from_server, to_client)
    server.write(b"220 ready\r\n")
    received += carry(from_server, to_client)
    client.read(100)
    return Handshake(client, sent, received, seconds)


def advance(side: ssl.SSLObject) -> bool:
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def carry(source: ssl.MemoryBIO, target: ssl.MemoryBIO) -> int:
    return target.write(source.read())


def contexts(
    authority: trustme.CA, kind: trustme.KeyType, version: ssl.TLSVersion
) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST, key_type=kind).configure_cert(server)
    server.maximum_version = version
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return client, server


def measure(client: ssl.SSLContext, server: ssl.SSLContext, rounds: int) -> dict[str, float]:
    full: list[Handshake] = []
    resumed: list[Handshake] = []
    shake_hands(client, server)
    for _ in range(rounds):
        full.append(shake_hands(client, server))
        again = shake_hands(client, server, session=full[-1].client.session)
        if not again.client.session_reused:
            raise RuntimeError("the session was not resumed")
        resumed.append(again)
    row: dict[str, float] = {}
    for name, shaken in (("full", full), ("resumed", resumed)):
        row[f"{name}_octets"] = statistics.median(s.octets_sent + s.octets_received for s in shaken)
        row[f"{name}_ms"] = statistics.median(s.seconds for s in shaken) * 1000
    ratios = [f.seconds / r.seconds for f, r in zip(full, resumed, strict=True)]
    return {**row, "times": statistics.median(ratios), "lowest": min(ratios),
            "highest": max(ratios)}  # fmt: skip


def is_taken_for_the_other_host(client: ssl.SSLContext, server: ssl.SSLContext) -> bool:
    """Whether a session of `HOST` is resumed where `OTHER` was asked for."""
    session = shake_hands(client, server).client.session
    try:
        shake_hands(client, server, OTHER)
    except ssl.SSLCertVerificationError:
        pass
    else:
        raise RuntimeError("the name was not checked in a full handshake")
    try:
        return bool(shake_hands(client, server, OTHER, session).client.session_reused)
    except ssl.SSLCertVerificationError:
        return False


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=150)
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    arguments = parser.parse_args()
    print(f"Python {platform.python_version()}, {ssl.OPENSSL_VERSION}; the client's milliseconds")
    print(
        f"{'key':<8}{'version':<10}{'octets':>8}{'resumed':>9}{'ms':>8}{'resumed':>9}{'ratio':>7}"
    )
    authority = trustme.CA()
    rows: list[dict[str, object]] = []
    for kind in (trustme.KeyType.ECDSA, trustme.KeyType.RSA):
        for version in VERSIONS:
            row = measure(*contexts(authority, kind, version), arguments.rounds)
            rows.append({"key": kind.name, "version": version.name, **row})
            print(
                f"{kind.name:<8}{version.name:<10}{row['full_octets']:>8.0f}"
                f"{row['resumed_octets']:>9.0f}{row['full_ms']:>8.3f}{row['resumed_ms']:>9.3f}"
                f"{row['times']:>7.2f}  ({row['lowest']:.2f} to {row['highest']:.2f})"
            )
    for version in VERSIONS:
        pair = contexts(authority, trustme.KeyType.ECDSA, version)
        taken = is_taken_for_the_other_host(*pair)
        rows.append({"version": version.name, "resumed_for_another_host": taken})
        print(f"{version.name}: a session resumed for another host, unnoticed: {taken}")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
