"""SmtpProfile: defaults, what follows from what, contradictions, findings."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from mailsend import (
    Capabilities,
    ConfigurationError,
    Endpoint,
    Limits,
    Password,
    Security,
    Severity,
    SmtpProfile,
    Timeouts,
    TlsOptions,
)

TLS, STARTTLS, PLAIN = Security.IMPLICIT_TLS, Security.STARTTLS, Security.INSECURE_PLAINTEXT
LOGIN: dict[str, Any] = {"username": "ada", "credentials": Password("s3cret")}


def test_a_host_is_enough() -> None:
    profile = SmtpProfile(host="smtp.example.org")
    assert profile.endpoint == Endpoint("smtp.example.org", 465, TLS)
    assert profile.username is None
    assert profile.credentials is None
    assert profile.client_name is None
    assert profile.timeouts == Timeouts()
    assert profile.tls == TlsOptions()
    assert profile.limits == Limits()
    assert profile.mechanisms == ()
    assert profile.disabled_extensions == ()
    assert profile.allow_plaintext_credentials is False
    assert profile.check() == ()


@pytest.mark.parametrize(
    ("settings", "port", "security"),
    [
        ({}, 465, TLS),
        ({"port": 0}, 465, TLS),
        ({"port": 465}, 465, TLS),
        ({"port": 587}, 587, STARTTLS),
        ({"port": 25}, 25, STARTTLS),
        ({"port": 2525}, 2525, STARTTLS),
        ({"port": 2587}, 2587, STARTTLS),
        ({"security": TLS}, 465, TLS),
        ({"security": STARTTLS}, 587, STARTTLS),
        ({"security": PLAIN}, 25, PLAIN),
        ({"security": "starttls"}, 587, STARTTLS),
        ({"security": TLS, "port": 10465}, 10465, TLS),
        ({"security": STARTTLS, "port": 465}, 465, STARTTLS),
        ({"security": TLS, "port": 587}, 587, TLS),
    ],
)
def test_port_and_security_follow_from_each_other(
    settings: dict[str, Any], port: int, security: Security
) -> None:
    profile = SmtpProfile(host="h.example", **settings)
    assert (profile.port, profile.security) == (port, security)


@pytest.mark.parametrize("port", [1, 26, 80, 466, 1025, 8025, 65535])
def test_a_port_without_one_meaning_needs_security(port: int) -> None:
    with pytest.raises(ConfigurationError, match=f"port {port} "):
        SmtpProfile(host="h.example", port=port)
    assert SmtpProfile(host="h.example", port=port, security=TLS).port == port


def test_no_port_ever_implies_plaintext() -> None:
    for port in (0, 25, 465, 587, 2525, 2587):
        assert SmtpProfile(host="h.example", port=port).security is not PLAIN


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"username": "ada"}, "username is given without credentials"),
        ({"credentials": Password("x")}, "credentials is given without username"),
        ({**LOGIN, "security": PLAIN}, "without encryption"),
        ({**LOGIN, "security": PLAIN, "host": "127.0.0.1"}, "without encryption"),
        (
            {**LOGIN, "security": PLAIN, "allow_plaintext_credentials": True},
            "never sent without encryption to h.example",
        ),
        (
            {**LOGIN, "security": PLAIN, "allow_plaintext_credentials": True, "host": "10.0.0.1"},
            "not a loopback address",
        ),
        ({"disabled_extensions": ["STARTTLS"]}, "cannot be switched off"),
        ({"disabled_extensions": ["auth"]}, "cannot be switched off"),
        ({"mechanisms": ["NTLM"]}, "NTLM"),
    ],
)
def test_contradictions(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        SmtpProfile(**{"host": "h.example", **settings})


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"])
def test_plaintext_credentials_reach_this_machine_only(host: str) -> None:
    profile = SmtpProfile(host=host, security=PLAIN, allow_plaintext_credentials=True, **LOGIN)
    assert profile.endpoint.is_loopback


def test_names_come_in_any_case_and_as_words() -> None:
    profile = SmtpProfile(
        host="h.example", mechanisms="login, plain", disabled_extensions=["Pipelining", "8bitmime"]
    )
    assert profile.mechanisms == ("LOGIN", "PLAIN")
    assert profile.disabled_extensions == ("PIPELINING", "8BITMIME")


def test_usable_leaves_out_what_is_disabled() -> None:
    offered = Capabilities.offering("PIPELINING", "8BITMIME", "SIZE 10")
    profile = SmtpProfile(host="h.example", disabled_extensions="pipelining")
    assert "PIPELINING" not in profile.usable(offered)
    assert "8BITMIME" in profile.usable(offered)


@pytest.mark.parametrize(
    "name", ["host.example.org", "localhost", "[192.0.2.1]", "[IPv6:2001:db8::1]", "192.0.2.1"]
)
def test_client_names(name: str) -> None:
    assert SmtpProfile(host="h.example", client_name=name).client_name == name


@pytest.mark.parametrize(
    ("settings", "findings"),
    [
        ({"port": 465, "security": STARTTLS}, [(Severity.PROBLEM, "security")]),
        ({"port": 587, "security": TLS}, [(Severity.PROBLEM, "security")]),
        ({"port": 25, "security": TLS}, [(Severity.PROBLEM, "security")]),
        ({"port": 25, **LOGIN}, [(Severity.WARNING, "port")]),
        ({"port": 25}, []),
        ({"port": 587, **LOGIN}, []),
        ({"port": 2465, "security": TLS}, []),
        ({"security": PLAIN}, [(Severity.WARNING, "security")]),
        ({"security": PLAIN, "port": 465},
         [(Severity.PROBLEM, "security"), (Severity.WARNING, "security")]),
        ({"security": PLAIN, "host": "localhost"}, []),
        ({"client_name": "laptop"}, [(Severity.WARNING, "client_name")]),
        ({"client_name": "laptop.example.org"}, []),
        ({"client_name": "[192.0.2.1]"}, []),
        ({"client_name": "[IPv6:2001:db8::1]"}, []),
        ({"timeouts": Timeouts.uniform(10)}, [(Severity.WARNING, "timeouts.end_of_data")]),
        ({"timeouts": Timeouts(connect=1)}, []),
    ],
)  # fmt: skip
def test_check_finds_what_is_odd(
    settings: dict[str, Any], findings: list[tuple[Severity, str]]
) -> None:
    found = SmtpProfile(**{"host": "h.example", **settings}).check()
    assert [(finding.severity, finding.field) for finding in found] == findings
    for finding in found:
        assert str(finding) == f"{finding.severity.value}: {finding.message}. {finding.advice}."


def test_profiles_are_values() -> None:
    one = SmtpProfile(host="h.example", **LOGIN)
    assert one == SmtpProfile(host="h.example", username="ada", credentials=Password("s3cret"))
    assert one != attrs.evolve(one, username="eve")
    assert hash(one) == hash(attrs.evolve(one))
    assert attrs.evolve(one, port=587, security=STARTTLS).endpoint.port == 587
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        one.host = "evil.example"  # type: ignore[misc]


def test_tls_options_have_several_spellings() -> None:
    options = TlsOptions(minimum_version="1.3", pinned_sha256="AB:" * 31 + "AB", ca_file="~/ca.pem")
    assert options.minimum_version.name == "TLSv1_3"
    assert options.pinned_sha256 == ("ab" * 32,)
    assert options.ca_file is not None
    assert "~" not in str(options.ca_file)
    assert TlsOptions(pinned_sha256=["ab" * 32, "cd" * 32]).pinned_sha256 == ("ab" * 32, "cd" * 32)


def elsewhere(port: int = 465, security: Security = Security.IMPLICIT_TLS) -> Endpoint:
    return Endpoint("smtp.example.org", port, security)


def test_fallbacks_follow_the_first_endpoint() -> None:
    profile = SmtpProfile(host="smtp.example.org", port=587, fallbacks=[elsewhere()])
    assert profile.fallbacks == (elsewhere(),)
    assert profile.endpoints == (elsewhere(587, Security.STARTTLS), elsewhere())


@pytest.mark.parametrize(
    ("fallbacks", "words"),
    [
        ([elsewhere(25, Security.INSECURE_PLAINTEXT)], "no encryption"),
        ([elsewhere(), elsewhere()], "twice"),
        ([elsewhere(587, Security.STARTTLS)], "twice"),
        (["smtps://smtp.example.org"], "endpoints"),
        (5, "endpoints"),
    ],
)
def test_a_fallback_that_cannot_be_is_refused(fallbacks: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        SmtpProfile(host="smtp.example.org", port=587, fallbacks=fallbacks)


def test_a_password_goes_to_no_remote_fallback_in_the_clear() -> None:
    with pytest.raises(ConfigurationError, match="loopback"):
        SmtpProfile(
            host="localhost",
            security=Security.INSECURE_PLAINTEXT,
            fallbacks=[elsewhere(25, Security.INSECURE_PLAINTEXT)],
            username="ada",
            credentials=Password("s3cret"),
            allow_plaintext_credentials=True,
        )


def test_a_fallback_is_looked_at_too() -> None:
    profile = SmtpProfile(
        host="smtp.example.org", port=587, fallbacks=[elsewhere(465, Security.STARTTLS)]
    )
    assert [finding.field for finding in profile.check()] == ["fallbacks"]
