"""Names, addresses and the budget that they share."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing

import pytest

from mailsend import (
    Cause,
    ConfigurationError,
    ConnectError,
    MailsendError,
    Security,
    SessionTimeout,
    SmtpProfile,
    Stage,
    Timeouts,
)
from mailsend.smtp.dial import SocketAddress
from mailsend.smtp.opening import open_session
from mailsend.smtp.wire import Wire
from mailsend.testing import SmtpServer

Serve = Callable[..., SmtpServer]
Silent = Callable[..., AbstractContextManager[int]]


def profile(
    port: int, timeouts: Timeouts | None = None, host: str = "mx.example.org"
) -> SmtpProfile:
    return SmtpProfile(
        host=host,
        port=port,
        security=Security.INSECURE_PLAINTEXT,
        timeouts=timeouts or Timeouts(connect=5),
    )


def leading_to(*hosts: str) -> Callable[[str, int], Sequence[SocketAddress]]:
    def resolver(_: str, port: int) -> Sequence[SocketAddress]:
        return [
            SocketAddress(socket.AF_INET6 if ":" in host else socket.AF_INET, (host, port))
            for host in hosts
        ]

    return resolver


def test_a_dead_address_is_passed_over(serve: Serve) -> None:
    server = serve("insecure_plaintext", users={})
    resolver = leading_to("127.0.0.3", "127.0.0.1")  # nothing listens on the first
    session = open_session(profile(server.port), resolver=resolver)
    session.quit()
    assert server.connections == 1


def test_a_silent_address_does_not_use_up_the_budget(serve: Serve, silent: Silent) -> None:
    server = serve("insecure_plaintext", users={})
    with silent("127.0.0.4", server.port):
        started = time.monotonic()
        resolver = leading_to("127.0.0.4", "127.0.0.1")
        session = open_session(profile(server.port, Timeouts(connect=20)), resolver=resolver)
        assert time.monotonic() - started < 10
        session.quit()


def test_ipv6_and_ipv4_take_turns(serve: Serve) -> None:
    server = serve("insecure_plaintext", users={}, host="::1")
    resolver = leading_to("127.0.0.3", "127.0.0.4", "127.0.0.5", "::1")
    session = open_session(profile(server.port), resolver=resolver)
    session.quit()
    assert server.commands[0] == b"EHLO [IPv6:::1]"


def test_silence_everywhere_ends_in_the_budget(silent: Silent) -> None:
    with silent("127.0.0.4") as port:
        started = time.monotonic()
        with pytest.raises(SessionTimeout, match=r"within 0\.4 s") as caught:
            open_session(profile(port, Timeouts(connect=0.4)), resolver=leading_to("127.0.0.4"))
        assert time.monotonic() - started < 5
    assert caught.value.stage is Stage.CONNECT
    assert caught.value.cause is Cause.TIMED_OUT
    assert caught.value.retryable


def test_all_refused_names_every_address() -> None:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        port = unused.getsockname()[1]
        with pytest.raises(ConnectError, match=r"127\.0\.0\.1.*127\.0\.0\.3") as caught:
            open_session(profile(port), resolver=leading_to("127.0.0.1", "127.0.0.3"))
    assert caught.value.cause is Cause.CONNECTION_REFUSED
    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.parametrize(
    ("code", "retryable"), [(socket.EAI_NONAME, False), (socket.EAI_AGAIN, True)]
)
def test_a_name_that_cannot_be_resolved(code: int, retryable: bool) -> None:
    def resolver(_: str, __: int) -> Sequence[SocketAddress]:
        raise socket.gaierror(code, "no such name, or not now")

    with pytest.raises(ConnectError, match=r"mx\.example\.org") as caught:
        open_session(profile(25), resolver=resolver)
    assert caught.value.cause is Cause.NAME_NOT_RESOLVED
    assert caught.value.retryable is retryable


def test_a_resolver_that_fails_in_its_own_way() -> None:
    def resolver(_: str, __: int) -> Sequence[SocketAddress]:
        raise UnicodeError("label too long")

    with pytest.raises(ConnectError):
        open_session(profile(25), resolver=resolver)


def test_no_address_at_all() -> None:
    with pytest.raises(ConnectError):
        open_session(profile(25), resolver=leading_to())


def test_a_resolver_that_hangs_ends_in_the_budget() -> None:
    release = threading.Event()

    def resolver(_: str, __: int) -> Sequence[SocketAddress]:
        release.wait(30)
        return []

    started = time.monotonic()
    with pytest.raises(SessionTimeout, match="not resolved"):
        open_session(profile(25, Timeouts(connect=0.2)), resolver=resolver)
    assert time.monotonic() - started < 5
    release.set()


def test_names_of_the_system_are_resolved(serve: Serve) -> None:
    server = serve("insecure_plaintext", users={})
    open_session(profile(server.port, host="localhost")).quit()
    with pytest.raises(MailsendError) as caught:
        open_session(profile(25, host="does-not-exist.invalid"))
    assert caught.value.stage is Stage.CONNECT
    assert caught.value.cause is Cause.NAME_NOT_RESOLVED


def test_localhost_that_leads_elsewhere_gets_no_credentials(
    serve: Serve, profile_for: Callable[..., SmtpProfile], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only loopback addresses are used in tests, so the address of the peer is pretended.
    monkeypatch.setattr(Wire, "peer_is_loopback", property(lambda _: False))
    server = serve("insecure_plaintext")
    with pytest.raises(ConfigurationError, match="led to another machine"):
        open_session(profile_for(server, "insecure_plaintext"))
    assert not any(command.startswith(b"AUTH") for command in server.commands)
