"""Other endpoints, tried while the ones before them cannot be reached."""

from __future__ import annotations

import logging
import pickle
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from typing import Any

import pytest

from mailsend import (
    AuthenticationError,
    Cause,
    ConnectError,
    Endpoint,
    Envelope,
    MailsendError,
    Password,
    Retry,
    Security,
    SessionTimeout,
    SmtpProfile,
    Timeouts,
    TlsError,
    TlsOptions,
    open_transport,
)
from mailsend.testing import Action, Answer, Close, Garbage, Hang, Reset, SmtpServer

Serve = Callable[..., SmtpServer]
Silent = Callable[..., AbstractContextManager[int]]

USER, SECRET = "ada@example.org", "s3cret-Pässwörd"
ENVELOPE = Envelope("ada@example.org", ["bob@example.org"])
CONTENT = b"Subject: x\r\n\r\nx\r\n"


def at(server: SmtpServer, security: str) -> Endpoint:
    return Endpoint("localhost", server.port, Security(security))


def profile(first: Endpoint, *fallbacks: Endpoint, trust: SmtpServer, **more: Any) -> SmtpProfile:
    more.setdefault("timeouts", Timeouts.uniform(5))
    return SmtpProfile(
        host=first.host,
        port=first.port,
        security=first.security,
        fallbacks=fallbacks,
        username=USER,
        credentials=Password(SECRET),
        tls=TlsOptions(ca_file=trust.ca_file),
        **more,
    )


@pytest.fixture
def closed_port() -> Any:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        yield unused.getsockname()[1]


def test_the_next_endpoint_is_used_and_named(
    serve: Serve, closed_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve("implicit_tls")
    first = Endpoint("localhost", closed_port, Security.STARTTLS)
    with (
        caplog.at_level(logging.WARNING, "mailsend.session"),
        open_transport(profile(first, at(server, "implicit_tls"), trust=server)) as transport,
    ):
        report = transport.send_raw(ENVELOPE, CONTENT)
    assert report.all_accepted
    assert report.endpoint == f"localhost:{server.port}"
    assert f"localhost:{closed_port}" in caplog.text
    assert f"Trying localhost:{server.port}" in caplog.text
    assert SECRET not in caplog.text


def test_the_first_is_enough_where_it_answers(serve: Serve) -> None:
    first, second = serve("implicit_tls"), serve("starttls")
    settings = profile(at(first, "implicit_tls"), at(second, "starttls"), trust=first)
    with open_transport(settings) as transport:
        assert transport.send_raw(ENVELOPE, CONTENT).endpoint == f"localhost:{first.port}"
    assert second.connections == 0


@pytest.mark.parametrize(
    ("stage", "action"),
    [
        ("GREETING", Close()),
        ("GREETING", Hang()),
        ("GREETING", Answer("554 5.3.2 No SMTP service here")),
        ("GREETING", Answer("421 4.3.2 Too busy")),
        ("GREETING", Answer(b"SSH-2.0-OpenSSH_9.2\r\n")),
        ("EHLO", Close()),
        ("EHLO", Hang()),
        ("EHLO", Answer("250 no extensions")),  # STARTTLS is gone
        ("STARTTLS", Answer("454 4.7.0 TLS not available")),
        ("STARTTLS", Hang()),
        ("TLS", Close()),
        ("TLS", Reset()),
        ("TLS", Hang()),
        ("TLS", Garbage()),
    ],
)
def test_whatever_comes_before_authentication_leads_on(
    serve: Serve, stage: Any, action: Action
) -> None:
    first, second = serve("starttls"), serve("implicit_tls")
    first.on(stage, action, times=None)
    settings = profile(
        at(first, "starttls"), at(second, "implicit_tls"), trust=first,
        timeouts=Timeouts(greeting=1, tls=1, command=1),
    )  # fmt: skip
    with open_transport(settings) as transport:
        assert transport.send_raw(ENVELOPE, CONTENT).endpoint == f"localhost:{second.port}"
    assert not any(command.startswith(b"AUTH") for command in first.commands)


@pytest.mark.parametrize("fault", ["expired", "wrong_host", "self_signed"])
def test_a_server_that_cannot_be_trusted_ends_it(serve: Serve, fault: str) -> None:
    first = serve("implicit_tls", certificate=fault)
    second = serve("implicit_tls")
    with pytest.raises(TlsError) as caught:
        open_transport(profile(at(first, "implicit_tls"), at(second, "implicit_tls"), trust=second))
    assert caught.value.endpoint == f"localhost:{first.port}"
    assert second.connections == 0


def test_refused_credentials_are_not_tried_elsewhere(serve: Serve, closed_port: int) -> None:
    first, second = serve("implicit_tls"), serve("implicit_tls")
    first.on("AUTH", Answer("535 5.7.8 Wrong"))
    unreachable = Endpoint("localhost", closed_port, Security.IMPLICIT_TLS)
    settings = profile(
        unreachable, at(first, "implicit_tls"), at(second, "implicit_tls"), trust=first
    )
    with pytest.raises(AuthenticationError) as caught:
        open_transport(settings)
    assert caught.value.endpoint == f"localhost:{first.port}"
    assert [error.cause for error in caught.value.also_failed] == [Cause.CONNECTION_REFUSED]
    assert second.connections == 0
    assert sum(command.startswith(b"AUTH") for command in first.commands) == 1


def test_a_connection_that_breaks_at_auth_is_not_tried_elsewhere(serve: Serve) -> None:
    first, second = serve("implicit_tls"), serve("implicit_tls")
    first.on("AUTH", Close())
    settings = profile(at(first, "implicit_tls"), at(second, "implicit_tls"), trust=first)
    with pytest.raises(MailsendError):
        open_transport(settings)
    assert second.connections == 0


def test_the_error_names_all_that_failed(serve: Serve, closed_port: int) -> None:
    busy = serve("starttls")
    busy.on("GREETING", Answer("421 4.3.2 Too busy"), times=None)
    refused = Endpoint("localhost", closed_port, Security.IMPLICIT_TLS)
    unknown = Endpoint("no-such-host.invalid", 465, Security.IMPLICIT_TLS)
    settings = profile(refused, at(busy, "starttls"), unknown, trust=busy)
    with pytest.raises(ConnectError) as caught:
        open_transport(settings)
    error = caught.value
    assert error.cause is Cause.CONNECTION_REFUSED
    assert error.endpoint == f"localhost:{closed_port}"
    assert [other.cause for other in error.also_failed] == [
        Cause.SERVICE_UNAVAILABLE,
        Cause.NAME_NOT_RESOLVED,
    ]
    for endpoint in (f"localhost:{closed_port}", f"localhost:{busy.port}", str(unknown)):
        assert endpoint in str(error)
    assert [row["endpoint"] for row in error.facts()["also_failed"]] == [
        f"localhost:{busy.port}",
        str(unknown),
    ]
    there = pickle.loads(pickle.dumps(error))
    assert str(there) == str(error)


def test_the_most_hopeful_failure_decides_on_a_retry(serve: Serve) -> None:
    busy = serve("starttls")
    busy.on("GREETING", Answer("421 4.3.2 Too busy"), times=None)
    unknown = Endpoint("no-such-host.invalid", 465, Security.IMPLICIT_TLS)
    with pytest.raises(MailsendError) as caught:
        open_transport(profile(unknown, at(busy, "starttls"), trust=busy))
    assert caught.value.retry is Retry.MINUTES


def test_a_blocked_port_does_not_use_up_the_budget(serve: Serve, silent: Silent) -> None:
    server = serve("implicit_tls")
    with silent("127.0.0.1") as port:
        blocked = Endpoint("127.0.0.1", port, Security.STARTTLS)
        # A total that the blocked port alone could use up.
        settings = profile(
            blocked, at(server, "implicit_tls"), trust=server, timeouts=Timeouts(total=2)
        )
        with open_transport(settings) as transport:
            assert "SIZE" in transport.capabilities


def test_all_of_them_share_one_budget(serve: Serve, silent: Silent) -> None:
    trust = serve("implicit_tls")
    with silent("127.0.0.1") as one, silent("127.0.0.3") as two, silent("127.0.0.4") as three:
        settings = profile(
            *(
                Endpoint(host, port, Security.IMPLICIT_TLS)
                for host, port in (("127.0.0.1", one), ("127.0.0.3", two), ("127.0.0.4", three))
            ),
            trust=trust,
            timeouts=Timeouts(connect=1.5),
        )
        started = time.monotonic()
        with pytest.raises(SessionTimeout) as caught:
            open_transport(settings)
        assert time.monotonic() - started < 4  # 4.5 s, were each to have a budget of its own
    assert len(caught.value.also_failed) == 2


def test_what_was_reached_once_is_tried_first_the_next_time(
    serve: Serve, closed_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve("implicit_tls")
    server.on("MAIL", Close(), skip=1)  # the second message needs a new session
    blocked = Endpoint("localhost", closed_port, Security.STARTTLS)
    settings = profile(blocked, at(server, "implicit_tls"), trust=server)
    with (
        caplog.at_level(logging.WARNING, "mailsend.session"),
        open_transport(settings) as transport,
    ):
        transport.send_raw(ENVELOPE, CONTENT)
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
        assert server.connections == 2
        assert caplog.text.count("Trying") == 1
        transport.close()
        # A transport that was closed begins again at the first.
        assert transport.send_raw(ENVELOPE, CONTENT).all_accepted
        assert caplog.text.count("Trying") == 2
