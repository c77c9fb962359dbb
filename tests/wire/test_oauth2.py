"""Access tokens over a real connection: refused ones are replaced once, and then that is it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from mailsend import (
    AccessToken,
    AuthenticationError,
    CachedToken,
    Cause,
    Envelope,
    MailsendError,
    OAuth2,
    Retry,
    SmtpProfile,
    Timeouts,
    TokenError,
    open_transport,
)
from mailsend.smtp.opening import open_session
from mailsend.testing import Answer, Close, SmtpServer
from mailsend.testing.bearer import oauthbearer, xoauth2

Serve = Callable[..., SmtpServer]
ProfileFor = Callable[..., SmtpProfile]

USER = "ada@example.org"
OLD, NEW = "old.s3cret-token", "new.s3cret-token"
ENVELOPE = Envelope(USER, ["bob@example.org"])


class Issuer:
    """Gives the tokens of a list, the last one again and again."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)
        self.asked: list[str | None] = []

    def __call__(self, *, refused: AccessToken | None = None) -> str:
        self.asked.append(None if refused is None else refused.value.reveal())
        return self.tokens.pop(0) if len(self.tokens) > 1 else self.tokens[0]


def codes(server: SmtpServer) -> list[int]:
    return [attempt.reply_code for attempt in server.authentications]


def profile(server: SmtpServer, token: Any, **changes: Any) -> SmtpProfile:
    return server.profile(
        username=USER, credentials=OAuth2(token=token), timeouts=Timeouts.uniform(5), **changes
    )


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_a_token_that_has_ended_is_replaced_once(serve: Serve, mechanism: str) -> None:
    server = serve("implicit_tls", users={USER: NEW}, mechanisms=[mechanism])
    issuer = Issuer(OLD, NEW)
    with open_transport(profile(server, issuer)) as transport:
        assert transport.send_raw(ENVELOPE, b"x").all_accepted
    assert issuer.asked == [None, OLD]
    assert codes(server) == [535, 235]
    assert server.violations == ()


def test_a_server_that_closes_after_the_refusal(serve: Serve) -> None:
    server = serve("implicit_tls", users={USER: NEW}, mechanisms=["XOAUTH2"])
    server.on("AUTH", Answer("535 5.7.3 Authentication unsuccessful"), Close())
    with open_transport(profile(server, Issuer(OLD, NEW))):
        pass
    assert codes(server)[-1] == 235


@pytest.mark.parametrize(
    ("served", "words"),
    [
        (xoauth2(error={"status": "400", "scope": "https://mail.google.com/"}), "mail.google.com/"),
        (oauthbearer(), "status invalid_token"),
        (xoauth2(error={"status": "401", "schemes": "bearer", "scope": "x"}), "status 401"),
        (xoauth2(error={"padding": "p" * 2000, "status": "402"}), "status 402"),
        (xoauth2(error=None), "by XOAUTH2"),
    ],
)
def test_two_refusals_are_enough(serve: Serve, served: Any, words: str) -> None:
    server = serve("implicit_tls", users={USER: "another"}, mechanisms=[served])
    issuer = Issuer("t1", "t2", "t3", "t4")
    with pytest.raises(AuthenticationError, match=words) as caught:
        open_transport(profile(server, issuer))
    error = caught.value
    assert (error.cause, error.retry) == (Cause.TOKEN_REFUSED, Retry.NEVER)
    assert error.reply is not None
    assert error.reply.code == 535
    assert codes(server) == [535, 535]
    assert len(issuer.asked) == 2
    # New tokens of the same source are no better, as far as anybody knows.
    with pytest.raises(AuthenticationError, match="is not asked again before") as again:
        open_transport(profile(server, issuer))
    assert codes(server) == [535, 535]
    assert again.value.cause is Cause.TOKEN_REFUSED


def test_the_same_token_again_is_not_presented_again(serve: Serve) -> None:
    server = serve("implicit_tls", users={USER: NEW}, mechanisms=["XOAUTH2"])
    with pytest.raises(AuthenticationError):
        open_transport(profile(server, lambda: OLD))
    assert codes(server) == [535]


def test_sources_made_anew_for_each_request_are_one_wrong_login(serve: Serve) -> None:
    server = serve("implicit_tls", users={USER: NEW}, mechanisms=["XOAUTH2"])
    issued = iter(f"bad{number}" for number in range(100))
    for _ in range(5):  # the same token, from things that nobody can tell to be the same
        with pytest.raises(AuthenticationError):
            open_transport(profile(server, Issuer(OLD)))
    assert codes(server) == [535]
    for _ in range(5):  # other tokens, of the same code
        with pytest.raises(AuthenticationError):
            open_transport(profile(server, lambda: next(issued)))
    assert codes(server) == [535] * 3


def test_no_time_for_a_second_try(serve: Serve) -> None:
    server = serve("implicit_tls", users={USER: NEW}, mechanisms=["XOAUTH2"])
    issuer = Issuer(OLD, NEW)
    settings = server.profile(
        username=USER, credentials=OAuth2(token=issuer), timeouts=Timeouts(total=5)
    )
    now = [0.0]

    def clock() -> float:
        now[0] += 10 * bool(server.authentications)  # since the refusal
        return now[0]

    with pytest.raises(MailsendError) as caught:
        open_session(settings, clock=clock)
    assert isinstance(caught.value, AuthenticationError)
    assert not isinstance(caught.value, TokenError)
    assert caught.value.reply is not None
    assert issuer.asked == [None]


def test_what_is_not_the_tokens_fault_gets_no_new_token(serve: Serve) -> None:
    server = serve("implicit_tls", users={USER: NEW}, mechanisms=["XOAUTH2"])
    server.on("AUTH", Answer("454 4.7.0 Temporary authentication failure"))
    issuer = Issuer(OLD, NEW)
    with pytest.raises(AuthenticationError) as caught:
        open_transport(profile(server, issuer))
    assert caught.value.cause is Cause.AUTHENTICATION_TEMPORARY
    assert issuer.asked == [None]


def test_no_token_for_the_second_try(serve: Serve) -> None:
    server = serve("implicit_tls", users={USER: NEW}, mechanisms=["XOAUTH2"])

    def source(*, refused: AccessToken | None = None) -> str:
        if refused is not None:
            raise TokenError("sign in again", retry=Retry.NEVER)
        return OLD

    with pytest.raises(TokenError, match="Sign in again") as caught:
        open_transport(profile(server, source))
    assert isinstance(caught.value.__context__, AuthenticationError)


def test_threads_with_one_token_are_refused_once_and_fetch_once(serve: Serve) -> None:
    server = serve("implicit_tls", users={USER: NEW}, mechanisms=["XOAUTH2"])
    fetched: list[str] = []

    def fetch() -> str:
        fetched.append(NEW if fetched else OLD)
        return fetched[-1]

    settings = profile(server, CachedToken(fetch))
    failures: list[BaseException] = []

    def send() -> None:
        try:
            with open_transport(settings):
                pass
        except MailsendError as error:
            failures.append(error)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert fetched == [OLD, NEW]
    assert sorted(codes(server)) == [235] * 8 + [535]


def test_a_source_that_blocks_takes_no_longer_than_authentication_may(serve: Serve) -> None:
    server = serve("implicit_tls", users={USER: NEW}, mechanisms=["XOAUTH2"])
    release = threading.Event()
    blocked = server.profile(
        username=USER,
        credentials=OAuth2(token=lambda: str(release.wait(30))),
        timeouts=Timeouts(auth=0.05),
    )
    with pytest.raises(TokenError, match="gave no access token within"):
        open_transport(blocked)
    release.set()
    assert server.raw == ()  # nothing was connected to


@pytest.mark.parametrize("name", ["a,b=c@example.org", "jörg@example.org", "x" * 1000])
@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_odd_names_and_long_tokens(serve: Serve, mechanism: str, name: str) -> None:
    token = "t" * 8000
    server = serve("implicit_tls", users={name: token}, mechanisms=[mechanism])
    settings = server.profile(username=name, credentials=OAuth2(token=lambda: token))
    with open_transport(settings):
        pass
    assert server.violations == ()
    assert server.authentications[0].user == name


@pytest.mark.parametrize(
    "reason", [{"status": f"the token {OLD} is bad"}, {"status": "4", "scope": OLD.upper()}]
)
def test_a_server_that_quotes_the_token_in_its_reason(
    serve: Serve, reason: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = serve("implicit_tls", users={USER: NEW}, mechanisms=[xoauth2(error=reason)])
    with pytest.raises(AuthenticationError) as caught:
        open_transport(profile(server, lambda: OLD))
    shown = f"{caught.value} {caught.value.facts()} {caught.value.transcript} {caplog.text}"
    assert OLD not in shown.lower()
