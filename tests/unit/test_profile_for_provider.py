"""Profiles made from what is known of a provider."""

from __future__ import annotations

import datetime as dt
import pickle
import re
from typing import Any

import attrs
import pytest

from mailsend import (
    ConfigurationError,
    Endpoint,
    Limits,
    Password,
    Policy,
    Provider,
    ProviderLimits,
    ProviderRegistry,
    Reply,
    Rule,
    Security,
    SmtpProfile,
    Stage,
    UnknownProvider,
    interpret,
    providers,
)

TLS, STARTTLS = Security.IMPLICIT_TLS, Security.STARTTLS
SECRET = Password("s3cret")
NOW = dt.date(2026, 11, 23)
ACME = Provider(
    key="acme",
    name="Acme Corp",
    endpoints=[Endpoint("smtp.acme.test", 465, TLS), Endpoint("smtp.acme.test", 587, STARTTLS)],
    username="email",
    auth=["XOAUTH2", "LOGIN", "PLAIN"],
    password="app_password",
    from_rule="account",
    limits=ProviderLimits(message_octets=1000, recipients_per_message=50),
    domains=["acme.test"],
    policies=[Policy(date=dt.date(2026, 12, 31), event="passwords end", source="https://acme.test",
                     confidence="documented")],
    docs="https://acme.test/smtp",
    checked=dt.date(2026, 11, 1),
    reply_rules=[Rule(id="acme-closed", words="closed for lunch", cause="rate_limited",
                      source="Acme's help desk", retry="hours")],
)  # fmt: skip


def make(provider: Provider = ACME, **settings: Any) -> SmtpProfile:
    return SmtpProfile.for_provider(provider, **settings)


def test_everything_known_is_filled_in() -> None:
    profile = make(username="ada@acme.test", credentials=SECRET)
    assert profile.endpoints == ACME.endpoints
    assert (profile.username, profile.credentials) == ("ada@acme.test", SECRET)
    assert profile.mechanisms == ("LOGIN", "PLAIN")
    assert profile.limits == Limits(message_octets=1000, recipients=50)
    assert profile.provider == ACME
    assert "provider='acme'" in repr(profile)
    travelled = make(username="ada@acme.test", credentials=Password.from_env("ACME"))
    assert pickle.loads(pickle.dumps(travelled)) == travelled


def test_settings_of_ones_own_come_first() -> None:
    profile = make(username="ada@acme.test", credentials=SECRET, port=587, security="starttls",
                   fallbacks=(), mechanisms=["PLAIN"], limits=Limits(recipients=5))  # fmt: skip
    assert profile.endpoints == (Endpoint("smtp.acme.test", 587, STARTTLS),)
    assert (profile.mechanisms, profile.limits.recipients) == (("PLAIN",), 5)


@pytest.mark.parametrize(
    ("given", "endpoints"),
    [
        ({"port": 587}, ["smtp.acme.test:587 starttls"]),
        ({"security": "starttls"}, ["smtp.acme.test:587 starttls"]),
        ({"port": 465}, ["smtp.acme.test:465 implicit_tls"]),
        ({"port": 2525}, ["smtp.acme.test:2525 starttls"]),
        ({"host": "mx.other.test"}, ["mx.other.test:465 implicit_tls"]),
        ({"host": "mx.other.test", "port": 587}, ["mx.other.test:587 starttls"]),
        ({"port": 587, "fallbacks": [Endpoint("x.test", 465, TLS)]},
         ["smtp.acme.test:587 starttls", "x.test:465 implicit_tls"]),
        ({"fallbacks": ()}, ["smtp.acme.test:465 implicit_tls"]),
    ],
)  # fmt: skip
def test_whoever_names_an_endpoint_gets_no_other(
    given: dict[str, Any], endpoints: list[str]
) -> None:
    assert [f"{e} {e.security.value}" for e in make(**given).endpoints] == endpoints


@pytest.mark.parametrize(
    ("rule", "literal", "given", "used"),
    [
        ("email", None, "ada@acme.test", "ada@acme.test"),
        ("local_part", None, "ada@acme.test", "ada"),
        ("local_part", None, "ada", "ada"),
        ("literal", "apikey", None, "apikey"),
        ("literal", "apikey", "apikey", "apikey"),
        ("smtp_credential", None, "AKIA123", "AKIA123"),
        (None, None, "ada", "ada"),
    ],
)
def test_the_rule_for_user_names_is_applied(
    rule: str | None, literal: str | None, given: str | None, used: str
) -> None:
    provider = attrs.evolve(ACME, username=rule, username_literal=literal)
    assert make(provider, username=given, credentials=SECRET).username == used


@pytest.mark.parametrize(
    ("changes", "settings", "words"),
    [
        ({"username": "email"}, {"username": "ada", "credentials": SECRET}, "whole address"),
        ({"username": "literal", "username_literal": "apikey"},
         {"username": "ada", "credentials": SECRET}, "always apikey"),
        ({"password": "oauth_only"}, {"username": "a@b.test", "credentials": SECRET},
         r"only OAuth2 \(passwords end, 2026-12-31.*acme\.test/smtp"),
        ({"status": "no_smtp", "endpoints": (), "note": "it has an API instead"}, {},
         "it has an API instead"),
        ({"username": "token"}, {"credentials": SECRET}, "the token itself, which is the password"),
        ({"username": "smtp_credential"}, {"credentials": SECRET}, "made at the provider"),
        ({}, {"region": "eu"}, "no region"),
        ({"endpoints": (), "regions": {"eu": [Endpoint("eu.acme.test", 465, TLS)]}}, {},
         "one of eu"),
    ],
)  # fmt: skip
def test_what_cannot_work_fails_before_any_socket(
    changes: dict[str, Any], settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        make(attrs.evolve(ACME, **changes), **settings)


def test_regions() -> None:
    provider = attrs.evolve(
        ACME, endpoints=(), regions={"eu": [Endpoint("eu.acme.test", 465, TLS)]}
    )
    assert make(provider, region="eu").host == "eu.acme.test"


def test_by_name_and_by_address() -> None:
    registry = ProviderRegistry()
    registry.register(ACME)
    assert SmtpProfile.for_provider("acme", registry=registry).host == "smtp.acme.test"
    profile = SmtpProfile.for_address("ada@ACME.test", credentials=SECRET, registry=registry)
    assert profile.username == "ada@ACME.test"
    assert SmtpProfile.for_address("ada@acme.test", registry=registry).username is None
    with pytest.raises(UnknownProvider, match="nowhere"):
        SmtpProfile.for_address("ada@nowhere.test", registry=registry)
    with pytest.raises(UnknownProvider, match="acme"):
        SmtpProfile.for_provider("acne", registry=registry)


@pytest.mark.parametrize(
    ("changes", "username"),
    [
        ({"username": None}, "ada@acme.test"),
        ({"username": "local_part"}, "ada"),
        ({"username": "literal", "username_literal": "apikey"}, "apikey"),
    ],
)
def test_an_address_is_the_user_name_where_that_is_the_rule(
    changes: dict[str, Any], username: str
) -> None:
    registry = ProviderRegistry()
    registry.register(attrs.evolve(ACME, **changes))
    profile = SmtpProfile.for_address("ada@acme.test", credentials=SECRET, registry=registry)
    assert profile.username == username
    registry.override(attrs.evolve(ACME, username="token"))
    with pytest.raises(ConfigurationError, match="the token itself"):
        SmtpProfile.for_address("ada@acme.test", credentials=SECRET, registry=registry)


def test_no_way_around_leads_a_password_to_who_takes_none() -> None:
    profile = make(attrs.evolve(ACME, password="oauth_only"))
    with pytest.raises(ConfigurationError, match="only OAuth2"):
        attrs.evolve(profile, username="ada@acme.test", credentials=SECRET)


def findings(profile: SmtpProfile, **how: Any) -> list[str]:
    return [f"{f.field}: {f.message}" for f in profile.check(today=NOW, **how)]


def test_check_tells_what_is_coming() -> None:
    assert findings(make()) == ["provider: Acme Corp changes on 2026-12-31: passwords end"]
    assert findings(make(attrs.evolve(ACME, policies=()))) == []
    later = make().check(today=dt.date(2027, 1, 1))
    assert later == ()


def test_check_tells_that_an_administrator_has_a_say() -> None:
    provider = attrs.evolve(ACME, policies=(), password="oauth_or_enabled")
    assert findings(make(provider)) == []
    told = findings(make(provider, username="a@acme.test", credentials=SECRET))
    assert "administrator" in " ".join(told)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"status": "internal_only"}, "own organisation alone"),
        ({"status": "sunset"}, "is being closed"),
        ({"status": "sunset", "policies": [attrs.evolve(ACME.policies[0], date=NOW)]},
         r"was closed: passwords end \(2026-11-23\)"),
        ({"password": "none"}, "no authentication"),
        ({"username": "none"}, "no authentication"),
    ],
)  # fmt: skip
def test_check_tells_what_the_provider_is_not_for(changes: dict[str, Any], told: str) -> None:
    provider = attrs.evolve(ACME, **{"policies": (), **changes})
    (found,) = findings(make(provider, username="ada@acme.test", credentials=SECRET))
    assert re.search(told, found)


@pytest.mark.parametrize("region", [None, "eu"])
@pytest.mark.parametrize(("port", "security"), [(25, STARTTLS), (587, TLS), (465, STARTTLS)])
def test_what_a_provider_documents_is_not_odd(
    port: int, security: Security, region: str | None
) -> None:
    odd = [Endpoint("smtp.acme.test", port, security)]
    provider = attrs.evolve(ACME, policies=(), endpoints=odd)
    if region is not None:
        provider = attrs.evolve(provider, endpoints=(), regions={region: odd})
    account: dict[str, Any] = {"username": "ada@acme.test", "credentials": SECRET}
    assert findings(make(provider, region=region, **account)) == []
    assert findings(SmtpProfile.for_provider(ACME, port=port, security=security, **account)) != []


def test_check_tells_what_is_old() -> None:
    old = attrs.evolve(ACME, policies=(), checked=dt.date(2025, 11, 1))
    assert findings(make(old)) == [
        "provider: what is known of Acme Corp was checked last on 2025-11-01"
    ]


@pytest.mark.parametrize(
    ("rule", "sender", "fits"),
    [
        ("account", "ada@acme.test", True),
        ("account", "ada@ACME.test", True),
        ("account", "eve@acme.test", False),
        ("account_domain", "eve@acme.test", True),
        ("account_domain", "eve@other.test", False),
        ("account_or_alias", "eve@other.test", True),
        ("any", "eve@other.test", True),
        ("rewritten", "ada@acme.test", False),
        (None, "eve@other.test", True),
    ],
)
def test_check_knows_who_may_stand_in_from(rule: str | None, sender: str, fits: bool) -> None:
    provider = attrs.evolve(ACME, policies=(), from_rule=rule)
    profile = make(provider, username="ada@acme.test", credentials=SECRET)
    assert (findings(profile, sender=sender) == []) is fits


def test_a_domain_is_one_in_either_script() -> None:
    provider = attrs.evolve(ACME, policies=(), from_rule="account_domain")
    profile = make(provider, username="ada@bücher.test", credentials=SECRET)
    assert findings(profile, sender="eve@xn--bcher-kva.test") == []
    assert findings(profile, sender="eve@xn--strae-oqa.test") != []


def test_the_providers_own_rules_read_its_replies() -> None:
    reply = Reply.parse("450 4.7.1 Closed for lunch")
    assert interpret(reply, Stage.MAIL, ACME).rule == "acme-closed"
    assert interpret(reply, Stage.MAIL).rule != "acme-closed"


def test_microsoft_365_is_changing() -> None:
    profile = SmtpProfile.for_provider("microsoft365")
    told = " ".join(findings(profile))
    assert "2026-12" in told


def test_outlook_takes_no_password() -> None:
    with pytest.raises(ConfigurationError, match=r"OAuth2.*2024-09-16"):
        SmtpProfile.for_address("ada@hotmail.com", credentials=SECRET)


@pytest.mark.parametrize("provider", list(providers), ids=lambda p: p.key)
def test_every_provider_makes_a_profile_or_says_why_not(provider: Provider) -> None:
    region = next(iter(provider.regions), None) if not provider.endpoints else None
    try:
        profile = SmtpProfile.for_provider(provider, region=region)
    except ConfigurationError as error:
        assert "no mail by SMTP" in str(error)  # noqa: PT017 - the other outcome is as good
    else:
        assert profile.provider == provider
        profile.check(today=NOW)
