"""1,000 small messages on one kept connection: mailsend beside smtplib, in one run.

    python benchmarks/kept_connection.py [--messages 1000] [--rounds 7] [--json FILE]
    MAILSEND_URL=... python benchmarks/kept_connection.py --from-env

Without --from-env the server is `mailsend.testing.SmtpServer` with TLS and AUTH in a process of
its own, so that client and server do not share an interpreter. What varies: whether messages
are octets made beforehand or an EmailMessage composed and serialised for each sending, and whether
the server offers PIPELINING. The two clients take turns within each round; a row gives the median
over the rounds of each time, and of the ratio of the two times of a round, with its extremes.
After every run the server is asked how many messages it took.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import smtplib
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from multiprocessing.connection import Connection
from pathlib import Path

from mailsend import (
    Envelope,
    Password,
    Security,
    SmtpProfile,
    Submission,
    TlsOptions,
    compose,
    open_transport,
)
from mailsend.smtp.tls import client_context

USER, SECRET = "alice@example.test", "s3cret"
RECIPIENT = "bob@example.test"
TEXT = "A notification of some lines.\n" * 20
HTML = "<p>A notification of some lines.</p>\n" * 40
EXTENSIONS = ("PIPELINING", "SIZE 10485760", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")

Run = Callable[[SmtpProfile, int], float]


def make(number: int) -> EmailMessage:
    return compose(
        sender=USER, to=[RECIPIENT], subject=f"Notification {number}", text=TEXT, html=HTML
    )


@contextmanager
def connected_smtplib(profile: SmtpProfile) -> Iterator[smtplib.SMTP]:
    context = client_context(profile.tls)
    if profile.security is Security.IMPLICIT_TLS:
        client: smtplib.SMTP = smtplib.SMTP_SSL(profile.host, profile.port, "[127.0.0.1]",
                                                context=context, timeout=60)  # fmt: skip
    else:
        client = smtplib.SMTP(profile.host, profile.port, "[127.0.0.1]", timeout=60)
    with client:
        if profile.security is Security.STARTTLS:
            client.starttls(context=context)
        if profile.username and isinstance(profile.credentials, Password):
            client.login(profile.username, profile.credentials.reveal())
        yield client


def smtplib_ready(profile: SmtpProfile, count: int) -> float:
    content = make(0).as_bytes()
    with connected_smtplib(profile) as client:
        started = time.perf_counter()
        for _ in range(count):
            client.sendmail(USER, [RECIPIENT], content)
        return time.perf_counter() - started


def mailsend_ready(profile: SmtpProfile, count: int) -> float:
    content = make(0).as_bytes()
    envelope = Envelope(USER, [RECIPIENT])
    submissions = (Submission(envelope, content) for _ in range(count))
    with open_transport(profile) as transport:
        started = time.perf_counter()
        accepted = sum(report.all_accepted for report in transport.send_many(submissions))
        elapsed = time.perf_counter() - started
    if accepted != count:
        raise RuntimeError(f"{accepted} of {count} were accepted")
    return elapsed


def smtplib_composed(profile: SmtpProfile, count: int) -> float:
    with connected_smtplib(profile) as client:
        started = time.perf_counter()
        for number in range(count):
            client.send_message(make(number))
        return time.perf_counter() - started


def mailsend_composed(profile: SmtpProfile, count: int) -> float:
    with open_transport(profile) as transport:
        started = time.perf_counter()
        for number in range(count):
            transport.send(make(number))
        return time.perf_counter() - started


WORKLOADS: dict[str, tuple[Run, Run]] = {
    "octets": (mailsend_ready, smtplib_ready),
    "EmailMessage": (mailsend_composed, smtplib_composed),
}


def serve(pipe: Connection, extensions: tuple[str, ...]) -> None:
    from mailsend.testing import SmtpServer  # noqa: PLC0415 - only in the server's process

    with SmtpServer(security="implicit_tls", users={USER: SECRET}, extensions=extensions) as server:
        pipe.send((server.port, str(server.ca_file)))
        while pipe.recv() is not None:
            pipe.send(len(server.messages))


@contextmanager
def embedded(extensions: tuple[str, ...]) -> Iterator[tuple[SmtpProfile, Callable[[], int]]]:
    """A server in a process of its own: a profile for it, and its count of messages."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, extensions))
    process.start()
    try:
        port, ca_file = ours.recv()

        def count() -> int:
            ours.send("count")
            return int(ours.recv())

        profile = SmtpProfile(
            host="localhost",
            port=port,
            security=Security.IMPLICIT_TLS,
            username=USER,
            credentials=Password(SECRET),
            tls=TlsOptions(ca_file=ca_file),
        )
        yield profile, count
    finally:
        ours.send(None)
        process.join(30)


def measure(
    name: str, profile: SmtpProfile, messages: int, rounds: int, counted: Callable[[], int] | None
) -> dict[str, object]:
    ours, theirs = WORKLOADS[name]
    pairs: list[tuple[float, float]] = []
    before = counted() if counted else 0
    for round_number in range(rounds + 1):
        # Who goes first changes from round to round; the first round only warms up.
        if round_number % 2:
            a, b = ours(profile, messages), theirs(profile, messages)
        else:
            b, a = theirs(profile, messages), ours(profile, messages)
        if round_number:
            pairs.append((a, b))
    if counted:
        expected = 2 * messages * (rounds + 1)
        if counted() - before != expected:
            raise RuntimeError(f"the server took {counted() - before} messages, not {expected}")
    ratios = [b / a for a, b in pairs]
    return {
        "workload": name,
        "mailsend_ms": statistics.median(a for a, _ in pairs) / messages * 1000,
        "smtplib_ms": statistics.median(b for _, b in pairs) / messages * 1000,
        "times_faster": statistics.median(ratios),
        "lowest": min(ratios),
        "highest": max(ratios),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--from-env",
        action="store_true",
        help="use the server of MAILSEND_URL or SMTP_HOST...; it has to take mail from "
        f"{USER} to {RECIPIENT}",
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    arguments = parser.parse_args()
    rows: list[dict[str, object]] = []
    print(f"Python {platform.python_version()}, {arguments.messages} messages a run, ms a message")
    print(f"{'server':<22}{'messages':<14}{'mailsend':>9}{'smtplib':>9}{'faster':>8}  (range)")
    servers: dict[str, tuple[str, ...] | None] = {
        "embedded, PIPELINING": EXTENSIONS,
        "embedded, serial": EXTENSIONS[1:],
    }
    if arguments.from_env:
        servers = {str(SmtpProfile.from_env().endpoint): None}
    for label, extensions in servers.items():
        for workload in WORKLOADS:
            if extensions is None:
                profile = SmtpProfile.from_env()
                row = measure(workload, profile, arguments.messages, arguments.rounds, None)
            else:
                with embedded(extensions) as (profile, counted):
                    row = measure(workload, profile, arguments.messages, arguments.rounds, counted)
            rows.append({"server": label, **row})
            print(
                f"{label:<22}{workload:<14}{row['mailsend_ms']:>9.3f}{row['smtplib_ms']:>9.3f}"
                f"{row['times_faster']:>7.2f}x  ({row['lowest']:.2f} to {row['highest']:.2f})",
                flush=True,
            )
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
