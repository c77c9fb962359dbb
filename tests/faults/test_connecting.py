"""C: names, addresses, and servers that are none."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager

import pytest

from mailsend import (
    Cause,
    ConfigurationError,
    ConnectError,
    MailsendError,
    ProtocolViolation,
    ServiceUnavailable,
    SessionLost,
    SessionTimeout,
    SmtpProfile,
    Stage,
    Timeouts,
    TlsError,
)
from mailsend.smtp.dial import Resolver, SocketAddress
from mailsend.smtp.opening import open_session
from mailsend.testing import Answer, Close, Garbage, Hang, Reset

from .matrix import (
    BUDGET,
    ENCRYPTED,
    HANGING,
    MODES,
    WHOLE,
    Bench,
    Case,
    On,
    table,
)

on_each_transport = pytest.mark.parametrize("mode", MODES)


def nowhere(mode: str, port: int = 25, connect: float = BUDGET) -> SmtpProfile:
    """A profile for a host of which only the resolver of the test knows something."""
    timeouts = Timeouts(connect=connect)
    return SmtpProfile(host="mx.example.org", port=port, security=mode, timeouts=timeouts)


def leading_to(*hosts: str) -> Resolver:
    def resolver(_: str, port: int) -> Sequence[SocketAddress]:
        return [SocketAddress(socket.AF_INET, (host, port)) for host in hosts]

    return resolver


@contextmanager
def refusing() -> Iterator[int]:
    """A port that is taken, and on which nobody listens."""
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        yield unused.getsockname()[1]


@contextmanager
def silent(host: str, port: int = 0) -> Iterator[int]:
    """A port that neither takes nor refuses connections: its queue of them is full."""
    with closing(socket.socket()) as listener, ExitStack() as fillers:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(0)
        for _ in range(4):
            filler = fillers.enter_context(closing(socket.socket()))
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def failure(profile: SmtpProfile, resolver: Resolver) -> MailsendError:
    """The error of a session that cannot begin."""
    started = time.monotonic()
    with pytest.raises(MailsendError) as caught:
        open_session(profile, resolver=resolver)
    assert time.monotonic() - started < BUDGET + HANGING
    assert caught.value.stage is Stage.CONNECT
    assert caught.value.safe_to_retry
    return caught.value


@on_each_transport
def test_c1_connection_refused(mode: str) -> None:
    with refusing() as port:
        error = failure(nowhere(mode, port), leading_to("127.0.0.1", "127.0.0.3"))
    assert type(error) is ConnectError
    assert error.cause is Cause.CONNECTION_REFUSED
    assert error.retryable
    assert "127.0.0.1" in str(error)
    assert "127.0.0.3" in str(error)


@on_each_transport
@pytest.mark.parametrize(
    ("code", "retryable"),
    [(socket.EAI_NONAME, False), (socket.EAI_NODATA, False), (socket.EAI_AGAIN, True)],
    ids=["no name", "no address", "not now"],
)
def test_c2_a_name_that_is_not_resolved(mode: str, code: int, retryable: bool) -> None:
    def resolver(_: str, __: int) -> Sequence[SocketAddress]:
        raise socket.gaierror(code, "words of the system")

    error = failure(nowhere(mode), resolver)
    assert type(error) is ConnectError
    assert error.cause is Cause.NAME_NOT_RESOLVED
    assert error.retryable is retryable
    assert isinstance(error.__cause__, OSError)


@on_each_transport
def test_c2_a_name_without_addresses(mode: str) -> None:
    error = failure(nowhere(mode), leading_to())
    assert type(error) is ConnectError
    assert error.cause is Cause.NAME_NOT_RESOLVED


@on_each_transport
def test_c3_a_resolver_that_hangs(mode: str) -> None:
    release = threading.Event()

    def resolver(_: str, __: int) -> Sequence[SocketAddress]:
        release.wait(30)
        return []

    try:
        error = failure(nowhere(mode), resolver)
    finally:
        release.set()
    assert type(error) is SessionTimeout
    assert error.cause is Cause.TIMED_OUT
    assert error.retryable


@on_each_transport
@pytest.mark.parametrize(
    "host",
    [
        "",
        " ",
        "mx.example.org ",
        "mx.example.org\r\nRCPT TO:<x@example.org>",
        "mx\0.example.org",
        "mx\u2028.example.org",
        f"{'x' * 70}.example.org",
        "mx..example.org",
        "mx.example.org.",
        "mx.example.org:587",
        "[::1]:587",
        "[mx.example.org]",
        "smtp://mx.example.org",
        "user@mx.example.org",
    ],
)
def test_c4_hosts_that_are_none_are_found_before_any_socket(mode: str, host: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SmtpProfile(host=host, port=587, security=mode)
    assert caught.value.stage is None
    assert not caught.value.retryable


@on_each_transport
@pytest.mark.parametrize("dead", ["refusing", "silent"])
def test_c5_a_dead_address_is_passed_over(bench: Bench, mode: str, dead: str) -> None:
    server = bench.serve(mode)
    profile = bench.profile(server, mode)
    with ExitStack() as stack:
        if dead == "silent":
            stack.enter_context(silent("127.0.0.4", server.port))
        started = time.monotonic()
        session = open_session(profile, resolver=leading_to("127.0.0.4", "127.0.0.1"))
        assert time.monotonic() - started < HANGING
        session.quit()
    assert server.connections == 1


@on_each_transport
def test_c5_silence_of_all_addresses_ends_in_the_budget(mode: str) -> None:
    with silent("127.0.0.4") as port, silent("127.0.0.5", port):
        error = failure(nowhere(mode, port), leading_to("127.0.0.4", "127.0.0.5"))
    assert type(error) is SessionTimeout
    assert error.cause is Cause.TIMED_OUT
    assert error.retryable


# Under TLS, what a server does before the handshake is the handshake's failure.
@table([
    Case("C6 end at once", On("CONNECT", Close()), SessionLost, stage=Stage.GREETING,
         cause=Cause.CONNECTION_LOST, modes=("starttls", "insecure_plaintext")),
    Case("C6 end at once", On("CONNECT", Close()), TlsError, stage=Stage.TLS,
         modes=("implicit_tls",)),
    # It may come before this side has noticed that it is connected.
    Case("C6 reset at once", On("CONNECT", Reset()), (SessionLost, ConnectError, TlsError),
         stage=(Stage.CONNECT, Stage.TLS, Stage.GREETING)),
    Case("C6 silence at once", On("CONNECT", Hang()), SessionTimeout, stage=Stage.GREETING,
         cause=Cause.TIMED_OUT, retryable=True, budget="greeting", deliveries=WHOLE,
         modes=("starttls", "insecure_plaintext")),
    Case("C6 silence at once", On("CONNECT", Hang()), SessionTimeout, stage=Stage.TLS,
         cause=Cause.TIMED_OUT, retryable=True, budget="tls", deliveries=WHOLE,
         modes=("implicit_tls",)),
])  # fmt: skip
def test_a_server_that_says_nothing(bench: Bench, case: Case, mode: str, delivery: str) -> None:
    server = bench.play(case, mode, delivery)
    assert server.commands == ()


@table(
    Case(f"C7 {name}", On("GREETING", Answer(*reply)), ServiceUnavailable, stage=Stage.GREETING,
         code=int(reply[0][:3]), retryable=retryable, unsent=(b"EHLO", b"AUTH"))
    for name, reply, retryable in [
        ("554", ["554 No service"], False),
        ("550", ["550-Not", "550 you"], False),
        ("521", ["521 Does not accept mail"], False),
        ("421", ["421 Busy"], True),
        ("421 in lines", ["421-Too", "421 busy"], True),
        ("451", ["451 Later"], True),
        ("450 in lines", ["450-Later", "450-and", "450 later"], True),
    ]
)  # fmt: skip
def test_a_refusing_greeting(bench: Bench, case: Case, mode: str, delivery: str) -> None:
    bench.play(case, mode, delivery)


@table(
    Case(f"C8 {name}", On("GREETING", Answer(octets), Hang()), ProtocolViolation,
         stage=Stage.GREETING, cause=cause, retryable=False, unsent=(b"EHLO",))
    for cause, name, octets in [
        (Cause.NOT_SMTP, "SSH", b"SSH-2.0-OpenSSH_9.2\r\n"),
        (Cause.NOT_SMTP, "HTTP", b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
        (Cause.NOT_SMTP, "POP3", b"+OK ready\r\n"),
        (Cause.NOT_SMTP, "IMAP", b"* OK ready\r\n"),
        (Cause.NOT_SMTP, "FTP", b"120 Ready in some minutes\r\n"),
        (Cause.NOT_SMTP, "blank", b"\r\n"),
        (Cause.WRONG_SECURITY_MODE, "TLS", b"\x15\x03\x01\x00\x02\x02\n"),
        (Cause.NOT_SMTP, "a positive reply", b"250 hello\r\n"),
        (Cause.NOT_SMTP, "a question", b"354 go on\r\n"),
        (Cause.NOT_SMTP, "a goodbye", b"221 bye\r\n"),
    ]
)  # fmt: skip
def test_a_greeting_that_is_no_smtp(bench: Bench, case: Case, mode: str, delivery: str) -> None:
    bench.play(case, mode, delivery)


@on_each_transport
def test_c8_noise_before_everything(bench: Bench, mode: str) -> None:
    server = bench.serve(mode)
    server.on("CONNECT", Garbage(), Hang())
    attempt = bench.submit(bench.profile(server, mode), b"x\r\n")
    bench.inspect(server, attempt)
    assert type(attempt.error) is (TlsError if mode == "implicit_tls" else ProtocolViolation)


# C9: the port speaks TLS and the client does not, or the other way about.


def test_c9_a_client_that_waits_for_a_greeting_where_tls_is_due_is_told(bench: Bench) -> None:
    server = bench.serve("implicit_tls")
    for mode in ("starttls", "insecure_plaintext"):
        attempt = bench.submit(bench.profile(server, mode, budget="greeting"), b"x\r\n")
        bench.inspect(server, attempt)
        assert type(attempt.error) is SessionTimeout
        assert attempt.error.stage is Stage.GREETING
        # Silence alone proves nothing, so the cause claims no more.
        assert attempt.error.cause is Cause.TIMED_OUT
        assert "implicit" in (attempt.error.advice or "").lower()
    assert b"".join(server.raw) == b""


@pytest.mark.parametrize("mode", ["starttls", "insecure_plaintext"])
@pytest.mark.parametrize("delivery", ["whole", "lines", "bytes"])
def test_c9_a_client_that_begins_with_tls_where_it_is_not_due_is_told(
    bench: Bench, mode: str, delivery: str
) -> None:
    server = bench.serve(mode, delivery)
    # Whose certificate is trusted makes no difference, as none is seen.
    profile = bench.profile(
        server, "implicit_tls", tls=bench.profile(bench.serve(ENCRYPTED[0]), ENCRYPTED[0]).tls
    )
    attempt = bench.submit(profile, b"x\r\n")
    bench.inspect(server, attempt)
    assert type(attempt.error) is TlsError
    assert attempt.error.cause is Cause.WRONG_SECURITY_MODE
    assert attempt.error.stage is Stage.TLS
    assert not attempt.error.retryable
