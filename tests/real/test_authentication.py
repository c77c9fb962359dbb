"""Every way to authenticate, against servers that check for themselves."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from mailsend import (
    AuthenticationError,
    Cause,
    ClientCertificate,
    Envelope,
    OAuth2,
    Password,
    Security,
    TlsOptions,
)
from mailsend.stage import Stage

from .client import ALICE, BOB, assert_hidden, client, commands, everything_shown_of, letter
from .client import new_token as new_mark
from .real_server import Credentials

if TYPE_CHECKING:
    from mailsend import AccessToken
    from mailsend.transport.smtp import SmtpTransport

    from .real_server import PostfixServer, RealServer

LISTENERS = ["submission", "implicit_tls", "dovecot"]
listeners = pytest.mark.parametrize("listener", LISTENERS)
bearers = pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])

REFUSALS = {
    "submission": "Error: authentication failed: (reason unavailable)",
    "dovecot": "Authentication failed.",
}


def at(postfix: PostfixServer, listener: str, **settings: Any) -> SmtpTransport:
    security = Security.IMPLICIT_TLS if listener == "implicit_tls" else Security.STARTTLS
    return client(postfix, security, port=getattr(postfix.ports, listener), **settings)


def refused(transport: SmtpTransport) -> AuthenticationError:
    with pytest.raises(AuthenticationError) as caught:
        transport.open()
    return caught.value


def assert_refused(error: AuthenticationError, cause: Cause, listener: str) -> None:
    assert error.cause is cause
    assert error.stage is Stage.AUTH
    assert not error.retryable
    assert error.reply is not None
    assert (error.reply.code, str(error.reply.enhanced)) == (535, "5.7.8")
    assert error.reply.text == REFUSALS[listener]


# Passwords


@listeners
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-1"])
@pytest.mark.parametrize("account", ["alice", "bob"], ids=["ascii", "utf-8"])
def test_scram(postfix: PostfixServer, listener: str, mechanism: str, account: str) -> None:
    user: Credentials = getattr(postfix, account)
    mark = new_mark()
    with at(postfix, listener, user=user, mechanisms=(mechanism,)) as transport:
        transport.send_raw(Envelope(ALICE, [BOB]), letter(mark))
        assert commands(transport.transcript, f"AUTH {mechanism} <secret>") == 1
        assert_hidden(user, *transport.transcript)
    postfix.mailbox("bob").wait_for(mark)


@listeners
def test_the_strongest_mechanism_is_chosen(postfix: PostfixServer, listener: str) -> None:
    with at(postfix, listener, user=postfix.alice) as transport:
        assert commands(transport.transcript, "AUTH SCRAM-SHA-256") == 1


# The same for PLAIN and LOGIN: test_submission_sessions.
@pytest.mark.parametrize(
    ("listener", "mechanism"),
    [
        ("submission", "SCRAM-SHA-256"),
        ("submission", "SCRAM-SHA-1"),
        ("submission", "CRAM-MD5"),
        ("dovecot", "SCRAM-SHA-256"),
    ],
)
def test_a_wrong_password(postfix: PostfixServer, listener: str, mechanism: str) -> None:
    wrong = Credentials(ALICE, "wr0ng-hunter2-Pa55")
    transport = at(postfix, listener, user=wrong, mechanisms=(mechanism,))
    error = refused(transport)
    assert_refused(error, Cause.BAD_CREDENTIALS, listener)
    assert commands(error.transcript, "AUTH") == 1
    assert_hidden(wrong, *everything_shown_of(error), repr(transport))


# What is stored decides what can be checked: a hash is no password.
@pytest.mark.parametrize(
    ("account", "mechanism", "works"),
    [
        ("scram_only", "SCRAM-SHA-256", True),
        ("scram_only", "SCRAM-SHA-1", False),
        ("scram_only", "PLAIN", True),
        ("scram_only", "LOGIN", True),
        ("scram_only", "CRAM-MD5", False),
        ("hashed", "SCRAM-SHA-256", False),
        ("hashed", "SCRAM-SHA-1", False),
        ("hashed", "PLAIN", True),
        ("hashed", "LOGIN", True),
        ("hashed", "CRAM-MD5", False),
    ],
)
def test_what_a_stored_password_is_good_for(
    postfix: PostfixServer, account: str, mechanism: str, works: bool
) -> None:
    user: Credentials = getattr(postfix, account)
    transport = at(postfix, "submission", user=user, mechanisms=(mechanism,))
    if works:
        with transport:
            assert commands(transport.transcript, f"AUTH {mechanism}") == 1
    else:
        assert_refused(refused(transport), Cause.BAD_CREDENTIALS, "submission")


# Access tokens


class Tokens:
    """Hands out tokens, one after the other, and the last one again and again."""

    def __init__(self, *tokens: str) -> None:
        self._tokens = tokens
        self.calls: list[str | None] = []
        """Which token was said to be refused, for each call."""

    def __call__(self, *, refused: AccessToken | None = None) -> str:
        self.calls.append(None if refused is None else refused.value.reveal())
        return self._tokens[min(len(self.calls), len(self._tokens)) - 1]


def bearing(postfix: PostfixServer, listener: str, mechanism: str, tokens: Tokens) -> SmtpTransport:
    return at(
        postfix,
        listener,
        username=ALICE,
        credentials=OAuth2(token=tokens),
        mechanisms=(mechanism,),
    )


def assert_no_token_in(token: str, *texts: str) -> None:
    encoded = base64.b64encode(token.encode()).decode()
    assert not [text for text in texts if token in text or encoded[:-2] in text]


@listeners
@bearers
def test_a_good_token(postfix: PostfixServer, listener: str, mechanism: str) -> None:
    token, mark = postfix.tokens.mint(ALICE), new_mark()
    source = Tokens(token)
    with bearing(postfix, listener, mechanism, source) as transport:
        transport.send_raw(Envelope(ALICE, [BOB]), letter(mark))
        assert commands(transport.transcript, f"AUTH {mechanism} <secret>") == 1
        assert_no_token_in(token, *transport.transcript, repr(transport))
    postfix.mailbox("bob").wait_for(mark)
    assert source.calls == [None]


@bearers
def test_a_token_is_chosen_for_its_mechanism(postfix: PostfixServer, mechanism: str) -> None:
    credentials = OAuth2(token=Tokens(postfix.tokens.mint(ALICE)))
    disabled = {"XOAUTH2": ["XOAUTH2", "OAUTHBEARER"], "OAUTHBEARER": []}[mechanism]
    with at(
        postfix, "submission", username=ALICE, credentials=credentials, mechanisms=disabled
    ) as transport:
        assert commands(transport.transcript, f"AUTH {mechanism}") == 1


def bad_tokens(postfix: PostfixServer) -> dict[str, str]:
    mint = postfix.tokens.mint
    revoked = mint(ALICE)
    postfix.tokens.revoke(revoked)
    return {
        "expired": mint(ALICE, lifetime=-1),
        "of another audience": mint(ALICE, audience="imap"),
        "of another scope": mint(ALICE, scope="imap"),
        "of another user": mint(BOB),
        "revoked": revoked,
        "unknown": "neither.minted.nor-known",
        "a password": postfix.alice.password,
    }


@pytest.mark.parametrize("listener", ["submission", "dovecot"])
@bearers
def test_bad_tokens(postfix: PostfixServer, listener: str, mechanism: str) -> None:
    tokens = bad_tokens(postfix)
    sources = [Tokens(token) for token in tokens.values()]
    transports = [bearing(postfix, listener, mechanism, source) for source in sources]
    # At the same time, because Dovecot takes its time to refuse one.
    with ThreadPoolExecutor(len(tokens)) as pool:
        errors = list(pool.map(refused, transports))
    for error, token, source in zip(errors, tokens.values(), sources, strict=True):
        assert_refused(error, Cause.TOKEN_REFUSED, listener)
        # What the server said in its challenge.
        said = {"XOAUTH2": "status 401, scope mail", "OAUTHBEARER": "status invalid_token"}
        assert said[mechanism] in str(error)
        assert_no_token_in(token, *everything_shown_of(error))
        # There was no other one to try.
        assert commands(error.transcript, "AUTH") == 1
        assert source.calls == [None, token]


@bearers
def test_a_token_that_has_expired_is_replaced(postfix: PostfixServer, mechanism: str) -> None:
    old = postfix.tokens.mint(ALICE, lifetime=-1)
    source = Tokens(old, postfix.tokens.mint(ALICE))
    mark = new_mark()
    with bearing(postfix, "submission", mechanism, source) as transport:
        transport.send_raw(Envelope(ALICE, [BOB]), letter(mark))
    postfix.mailbox("bob").wait_for(mark)
    assert source.calls == [None, old]


def test_a_token_is_no_password(postfix: PostfixServer) -> None:
    token = Credentials(ALICE, postfix.tokens.mint(ALICE))
    error = refused(at(postfix, "submission", user=token, mechanisms=("PLAIN",)))
    assert_refused(error, Cause.BAD_CREDENTIALS, "submission")


# What a server does not offer


def assert_not_offered(transport: SmtpTransport) -> None:
    error = refused(transport)
    assert error.cause is Cause.AUTHENTICATION_UNAVAILABLE
    assert commands(error.transcript, "AUTH") == 0


@pytest.mark.parametrize("name", ["exim", "opensmtpd"])
def test_a_server_without_tokens(name: str, request: pytest.FixtureRequest) -> None:
    server: RealServer = request.getfixturevalue(name)
    assert_not_offered(client(server, username=ALICE, credentials=OAuth2(token=Tokens("secret"))))


@listeners
def test_a_server_without_external(postfix: PostfixServer, listener: str) -> None:
    tls = TlsOptions(ca_file=postfix.ca_file, client_cert=postfix.certificates.client)
    assert_not_offered(at(postfix, listener, tls=tls, credentials=ClientCertificate()))


def test_scram_at_a_server_without_it(opensmtpd: RealServer) -> None:
    transport = client(
        opensmtpd,
        username=ALICE,
        credentials=Password(opensmtpd.alice.password),
        mechanisms=("SCRAM-SHA-256", "SCRAM-SHA-1"),
    )
    assert_not_offered(transport)
