"""Which mechanism is used."""

from __future__ import annotations

from typing import Any

import pytest

from mailsend import (
    ClientCertificate,
    ConfigurationError,
    OAuth2,
    Password,
    SaslMechanism,
    Security,
    SmtpProfile,
    TlsOptions,
)
from mailsend.sasl.exchange import Credentials, Plain
from mailsend.sasl.mechanisms import BUILT_IN, choose

PASSWORD = Password("s3cret")
TOKEN = OAuth2(token=lambda: "t")
CERTIFICATE = ClientCertificate()
EVERYTHING = ["LOGIN", "PLAIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER", "EXTERNAL", "GSSAPI",
              "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "ANONYMOUS"]  # fmt: skip


@pytest.mark.parametrize(
    ("offered", "allowed", "credentials", "chosen"),
    [
        (EVERYTHING, [], PASSWORD, "SCRAM-SHA-256"),
        (EVERYTHING, [], TOKEN, "OAUTHBEARER"),
        (EVERYTHING, [], CERTIFICATE, "EXTERNAL"),
        (["SCRAM-SHA-1", "PLAIN"], [], PASSWORD, "SCRAM-SHA-1"),
        (["PLAIN", "LOGIN", "CRAM-MD5"], [], PASSWORD, "PLAIN"),
        (["CRAM-MD5", "LOGIN", "PLAIN"], [], PASSWORD, "PLAIN"),
        (["CRAM-MD5", "LOGIN"], [], PASSWORD, "LOGIN"),
        (["CRAM-MD5"], [], PASSWORD, "CRAM-MD5"),
        (["plain"], [], PASSWORD, "PLAIN"),
        (["XOAUTH2", "PLAIN"], [], TOKEN, "XOAUTH2"),
        (["DIGEST-MD5", "SCRAM-SHA-256-PLUS", "XOAUTH2"], [], PASSWORD, None),
        (["PLAIN", "LOGIN"], [], TOKEN, None),
        (["PLAIN", "XOAUTH2"], [], CERTIFICATE, None),
        ([], [], PASSWORD, None),
        (["PLAIN", "LOGIN"], ["LOGIN", "PLAIN"], PASSWORD, "LOGIN"),
        (["PLAIN"], ["LOGIN"], PASSWORD, None),
        (["PLAIN", "CRAM-MD5"], ["CRAM-MD5", "PLAIN"], PASSWORD, "CRAM-MD5"),
        (["XOAUTH2", "PLAIN"], ["XOAUTH2", "PLAIN"], PASSWORD, "PLAIN"),
        (["XOAUTH2", "PLAIN"], ["PLAIN", "XOAUTH2"], TOKEN, "XOAUTH2"),
    ],
)
def test_the_first_that_all_three_share(
    offered: list[str], allowed: list[str], credentials: Credentials, chosen: str | None
) -> None:
    found = choose(iter(offered), allowed, credentials)
    assert (found and found.name) == chosen


def test_one_of_ones_own_takes_its_place_in_the_order() -> None:
    own = SaslMechanism("X-CORP", Plain)
    for_tokens = SaslMechanism("X-TOKEN", Plain, presents=OAuth2)
    offered = ["PLAIN", "X-CORP", "X-TOKEN"]
    assert choose(offered, [own, "PLAIN"], PASSWORD) is own
    assert choose(offered, ["PLAIN", own], PASSWORD) is BUILT_IN["PLAIN"]
    assert choose(offered, [own, for_tokens], TOKEN) is for_tokens
    assert choose(["PLAIN"], [own], PASSWORD) is None
    profile = SmtpProfile(
        host="h.example", username="ada", credentials=PASSWORD, mechanisms=["plain", own]
    )
    assert profile.mechanisms == ("PLAIN", own)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mechanisms": ["NTLM"]}, "the SASL mechanism 'NTLM' is not known"),
        ({"mechanisms": ["XOAUTH2"]}, "none of the mechanisms presents credentials of type Passw"),
        ({"mechanisms": [7]}, "mechanisms has to be a list of names"),
        ({"mechanisms": 7}, "mechanisms has to be a list of names"),
        ({"credentials": TOKEN, "mechanisms": ["PLAIN"]}, "credentials of type OAuth2"),
        ({"credentials": "s3cret"}, "credentials has to be a Password, OAuth2 or"),
        ({"credentials": CERTIFICATE}, "tls has no client_cert"),
        ({"credentials": TOKEN, "username": None}, "credentials is given without username"),
        ({"credentials": None}, "username is given without credentials"),
        (
            {"credentials": TOKEN, "security": "insecure_plaintext"},
            "the credentials would cross the network without encryption",
        ),
    ],
)
def test_what_does_not_fit_together(settings: dict[str, object], message: str) -> None:
    given = {"host": "h.example", "username": "ada", "credentials": PASSWORD, **settings}
    with pytest.raises(ConfigurationError, match=message):
        SmtpProfile(**given)  # type: ignore[arg-type]  # that is the question


@pytest.mark.parametrize("presents", [None, "Password", str, PASSWORD, (Password, OAuth2)])
def test_what_a_mechanism_presents_is_a_kind_of_credentials(presents: Any) -> None:
    with pytest.raises(ConfigurationError, match="presents has to be one of the classes Password"):
        SaslMechanism("X", Plain, presents)


@pytest.mark.parametrize("name", ["pla\u0131n", "\u017fcram", "\xdf"])
def test_letters_that_only_become_ascii_are_no_name(name: str) -> None:
    with pytest.raises(ConfigurationError, match="is no name of a SASL mechanism"):
        SaslMechanism(name, Plain)


def test_no_certificate_is_shown_without_tls() -> None:
    tls = TlsOptions(client_cert="client.pem")
    with pytest.raises(ConfigurationError, match="without TLS no certificate is shown"):
        SmtpProfile(
            host="127.0.0.1",
            security=Security.INSECURE_PLAINTEXT,
            allow_plaintext_credentials=True,
            credentials=CERTIFICATE,
            tls=tls,
        )


def test_a_client_certificate_needs_no_name() -> None:
    tls = TlsOptions(client_cert="client.pem")
    for name in (None, "ada"):
        profile = SmtpProfile(host="h.example", username=name, credentials=CERTIFICATE, tls=tls)
        assert profile.credentials == ClientCertificate()
