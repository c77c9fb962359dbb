"""From a sign-in to a message that a server took."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from mailsend import Cause, Envelope, OAuth2, Retry, SmtpProfile, TokenError, open_transport
from mailsend.cli import main
from mailsend.oauth import ClientCredentials, SignedIn
from mailsend.testing import SmtpServer

from .authorization_server import ACCOUNT, CLIENT, SECRET, TENANT, AuthorizationServer
from .conftest import Keep

ENVELOPE = Envelope(ACCOUNT, ["bob@example.org"])


def profile(mail: SmtpServer, credentials: OAuth2) -> SmtpProfile:
    return mail.profile(username=ACCOUNT, credentials=credentials)


@pytest.mark.parametrize("provider", ["microsoft", "google"])
def test_a_sign_in_sends(server: AuthorizationServer, keep: Keep, provider: str) -> None:
    keep("work", provider)
    users = {ACCOUNT: server.access_token(2)}  # the first number is that of the refresh token
    with SmtpServer(security="implicit_tls", users=users, mechanisms=["XOAUTH2"]) as mail:
        sending = profile(mail, OAuth2(token=SignedIn("work")))
        with open_transport(sending) as transport:
            assert transport.send_raw(ENVELOPE, b"x").all_accepted
        again = pickle.loads(pickle.dumps(sending))
        assert again == sending
    assert len(server.access_tokens) == 1


def test_a_token_that_exchange_refuses_is_replaced_once(
    server: AuthorizationServer, ca_file: Path
) -> None:
    source = ClientCredentials(
        tenant=TENANT, client_id=CLIENT, secret=SECRET, authority=server.host, ca_file=ca_file
    )
    source()
    users = {ACCOUNT: server.access_token(2)}
    with SmtpServer(security="implicit_tls", users=users, mechanisms=["XOAUTH2"]) as mail:
        with open_transport(profile(mail, OAuth2(token=source))) as transport:
            assert transport.send_raw(ENVELOPE, b"x").all_accepted
        assert [one.reply_code for one in mail.authentications] == [535, 235]
    assert len(server.access_tokens) == 2


def test_an_ended_sign_in_says_what_to_do(server: AuthorizationServer, keep: Keep) -> None:
    keep()
    server.refresh_tokens.clear()
    with SmtpServer(security="implicit_tls", users={ACCOUNT: "x"}, mechanisms=["XOAUTH2"]) as mail:
        with pytest.raises(TokenError, match="mailsend login microsoft work") as caught:
            open_transport(profile(mail, OAuth2(token=SignedIn("work"))))
        assert mail.authentications == ()
    assert (caught.value.retry, caught.value.cause) == (Retry.NEVER, Cause.TOKEN_UNAVAILABLE)
    assert main(["token", "work", "--check"]) == 77
