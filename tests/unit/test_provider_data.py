"""The built-in providers, and the script that checks them."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Any

import pytest

import mailsend
from mailsend.endpoint import Endpoint, Security
from mailsend.meanings import read_text
from mailsend.providers.catalogue import Catalogue
from mailsend.providers.provider import Category, FromRule, Provider, Status, UsernameRule
from mailsend.providers.reading import providers_of, read_providers
from mailsend.rules import Confidence
from scripts import check_providers
from scripts.check_providers import check, main

PATH = Path(mailsend.__file__).parent / "data" / "providers.toml"
PROVIDERS = read_providers(PATH)
BY_KEY = {provider.key: provider for provider in PROVIDERS}
TODAY = dt.date(2026, 11, 23)

# Those that have to be complete. The pages that were read on two of them state no limits.
TWELVE = (
    "outlook.com", "microsoft365", "gmail", "yahoo", "icloud", "fastmail", "zoho", "amazon-ses",
    "sendgrid", "mailgun", "postmark", "brevo",
)  # fmt: skip
WITHOUT_LIMITS = {"brevo", "fastmail"}
RECOMMENDS_587 = {"sendgrid", "emailit", "n-able-mail-assure"}


def everywhere(provider: Provider) -> list[Endpoint]:
    return list(provider.everywhere)


# -- the data as a whole


def test_the_script_finds_nothing_in_the_built_in_data() -> None:
    found = check(PATH.read_text(encoding="utf-8"), TODAY)
    assert found.problems == []
    assert found.warnings == []


def test_there_are_many_of_every_kind() -> None:
    assert len(PROVIDERS) >= 150
    assert {provider.category for provider in PROVIDERS} == set(Category)
    assert sum(len(provider.domains) for provider in PROVIDERS) > 700
    assert len({end for provider in PROVIDERS for end in provider.mx_suffixes}) > 30


def test_the_version_is_a_date() -> None:
    version = tomllib.loads(read_text("providers.toml"))["version"]
    assert dt.date(*map(int, version.split("."))) >= TODAY


def test_the_index_that_is_read_line_by_line_is_that_of_the_values() -> None:
    text = read_text("providers.toml")
    scanned, exact = Catalogue.scan(text), Catalogue.of(PROVIDERS)
    assert list(scanned) == list(exact) == list(BY_KEY)
    for index in ("names", "domains", "mx_suffixes", "hosts"):
        assert getattr(scanned, index) == getattr(exact, index)
    assert all(scanned.load(key) == BY_KEY[key] for key in BY_KEY)


def test_rows_stand_by_category_and_then_by_key() -> None:
    categories = [provider.category for provider in PROVIDERS]
    order = list(dict.fromkeys(categories))
    places = [(order.index(p.category), p.key) for p in PROVIDERS]
    assert places == sorted(places)


def test_a_host_of_several_rows_leads_to_the_one_that_runs_it() -> None:
    assert Catalogue.of(PROVIDERS).hosts["smtp.mail.yahoo.com"] == "yahoo"


# -- each row


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.key)
def test_a_row_is_sourced(provider: Provider) -> None:
    assert provider.confidence in {Confidence.DOCUMENTED, Confidence.REPORTED}
    assert provider.sources
    assert provider.checked is not None
    assert dt.date(2026, 1, 1) <= provider.checked <= dt.datetime.now(dt.UTC).date()
    for policy in provider.policies:
        assert policy.confidence in {Confidence.DOCUMENTED, Confidence.REPORTED}
        assert not policy.event.endswith(".")
    assert provider.limits.confidence is not Confidence.UNVERIFIED


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.key)
def test_there_is_tls_everywhere_but_on_this_machine(provider: Provider) -> None:
    for endpoint in everywhere(provider):
        if endpoint.security is Security.INSECURE_PLAINTEXT:
            assert provider.category is Category.TESTING
            assert endpoint.is_loopback


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.key)
def test_implicit_tls_comes_first(provider: Provider) -> None:
    for endpoints in (provider.endpoints, *provider.regions.values()):
        modes = [endpoint.security for endpoint in endpoints]
        if Security.IMPLICIT_TLS in modes and provider.key not in RECOMMENDS_587:
            assert modes[0] is Security.IMPLICIT_TLS
        elif provider.key in RECOMMENDS_587:
            assert endpoints[0].port == 587
            assert "recommends port 587" in (provider.note or "")


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.key)
def test_without_smtp_the_note_says_what_there_is(provider: Provider) -> None:
    if provider.status is Status.NO_SMTP:
        assert not everywhere(provider)
        assert provider.note is not None
        assert "mail is" in provider.note
    else:
        assert everywhere(provider)
        assert provider.username is not None


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.key)
def test_tokens_have_a_mechanism_that_is_listed(provider: Provider) -> None:
    if provider.oauth is not None:
        assert provider.oauth.scopes
        assert provider.oauth.mechanisms
        assert not provider.auth or set(provider.oauth.mechanisms) <= set(provider.auth)


# -- the twelve


@pytest.mark.parametrize("key", TWELVE)
def test_the_twelve_are_complete(key: str) -> None:
    provider = BY_KEY[key]
    assert everywhere(provider)
    assert provider.username is not None
    assert provider.auth
    assert provider.password is not None
    assert provider.password_note is not None
    assert provider.from_rule is not None
    assert (provider.limits.confidence is None) == (key in WITHOUT_LIMITS)
    assert (provider.docs or "").startswith("https://")
    assert provider.checked is not None
    assert provider.confidence is Confidence.DOCUMENTED
    assert provider.sources


@pytest.mark.parametrize(
    ("key", "endpoints"),
    [
        ("outlook.com", ["smtp://smtp-mail.outlook.com:587"]),
        ("microsoft365", ["smtp://smtp.office365.com:587", "smtp://smtp.office365.com:25"]),
        ("gmail", ["smtps://smtp.gmail.com:465", "smtp://smtp.gmail.com:587"]),
        ("yahoo", ["smtps://smtp.mail.yahoo.com:465", "smtp://smtp.mail.yahoo.com:587"]),
        ("icloud", ["smtp://smtp.mail.me.com:587"]),
        ("fastmail", ["smtps://smtp.fastmail.com:465", "smtp://smtp.fastmail.com:587"]),
    ],
)
def test_endpoints_of_the_mailboxes(key: str, endpoints: list[str]) -> None:
    assert BY_KEY[key].endpoints == tuple(map(Endpoint.from_url, endpoints))


@pytest.mark.parametrize(
    ("key", "host", "port"),
    [
        ("sendgrid", "smtp.sendgrid.net", 587),
        ("mailgun", "smtp.mailgun.org", 465),
        ("postmark", "smtp.postmarkapp.com", 587),
        ("brevo", "smtp-relay.brevo.com", 465),
    ],
)
def test_first_endpoints_of_the_services(key: str, host: str, port: int) -> None:
    first = BY_KEY[key].endpoints[0]
    assert (first.host, first.port) == (host, port)
    assert {endpoint.host for endpoint in BY_KEY[key].endpoints} == {host}


def test_amazon_has_its_regions() -> None:
    ses = BY_KEY["amazon-ses"]
    assert not ses.endpoints
    assert {"us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2"} <= {
        *ses.regions
    }
    for region, endpoints in ses.regions.items():
        assert {e.host for e in endpoints} == {f"email-smtp.{region}.amazonaws.com"}
        assert [e.port for e in endpoints] == [465, 2465, 587, 2587, 25]
    # No SMTP there, says AWS.
    assert not {"af-south-1", "ap-southeast-3", "il-central-1", "me-south-1"} & {*ses.regions}


def test_zoho_has_a_host_for_each_data_centre_and_plan() -> None:
    zoho = BY_KEY["zoho"]
    assert not zoho.endpoints
    assert {"us", "eu", "in", "au", "jp"} <= {*zoho.regions}
    for region, endpoints in zoho.regions.items():
        (host,) = {endpoint.host for endpoint in endpoints}
        assert host.startswith("smtppro." if region.endswith("-paid") else "smtp.")
        assert region.removesuffix("-paid") in zoho.regions
        assert region.removesuffix("-paid") + "-paid" in zoho.regions


def test_user_names_that_are_always_the_same() -> None:
    literal = {p.key: p.username_literal for p in PROVIDERS if p.username is UsernameRule.LITERAL}
    assert literal["sendgrid"] == "apikey"
    assert literal["resend"] == "resend"
    assert literal["sparkpost"] == "SMTP_Injection"


def test_microsoft_time_lines() -> None:
    (announced, ended) = BY_KEY["outlook.com"].policies
    assert (announced.date, ended.date) == (dt.date(2024, 6, 11), dt.date(2024, 9, 16))
    coming = [policy.date for policy in BY_KEY["microsoft365"].policies if policy.date > TODAY]
    assert coming == [dt.date(2026, 12, 31), dt.date(2027, 1, 1), dt.date(2027, 7, 1)]
    assert BY_KEY["microsoft365"].from_rule is FromRule.ACCOUNT_OR_SEND_AS


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("hotmail.com", "outlook.com"),
        ("gmail.com", "gmail"),
        ("me.com", "icloud"),
        ("verizon.net", "aol"),
        ("cox.net", "cox"),
        ("tutanota.com", "tuta"),
        ("proton.me", "proton-bridge"),
    ],
)
def test_domains_lead_to_their_provider(name: str, key: str) -> None:
    assert Catalogue.of(PROVIDERS).domains[name] == key


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("aspmx.l.google.com", "gmail"),
        ("contoso-com.mail.protection.outlook.com", "microsoft365"),
        ("outlook-com.olc.protection.outlook.com", "outlook.com"),
        ("in1-smtp.messagingengine.com", "fastmail"),
        ("mx-aol.mail.gm0.yahoodns.net", "aol"),
        ("mta5.am0.yahoodns.net", "yahoo"),
        ("mx.zoho.eu", "zoho"),
        # The same for Amazon WorkMail and for mail that Amazon SES receives.
        ("inbound-smtp.us-east-1.amazonaws.com", None),
    ],
)
def test_mail_exchangers_lead_to_their_provider(host: str, key: str | None) -> None:
    assert Catalogue.of(PROVIDERS).by_mx(host) == key


# -- the script


def row(**changes: Any) -> str:
    values: dict[str, Any] = {
        "key": '"acme"',
        "name": '"Acme"',
        "category": '"mailbox"',
        "endpoints": '["smtps://smtp.acme.example:465"]',
        "username": '"email"',
        "checked": "2026-11-01",
        "confidence": '"documented"',
        "sources": '["https://acme.example/help"]',
        **changes,
    }
    lines = [f"{key} = {value}" for key, value in values.items() if value is not None]
    return "\n".join(["[[provider]]", *lines, ""])


HEAD = 'schema = 1\nversion = "2026.11.23"\n'
LATER = """
[[provider.policies]]
date = 2026-02-01
event = "later"
source = "https://acme.example/later"
confidence = "documented"
"""
EARLIER = LATER.replace("2026-02-01", "2026-01-01")
OTHER = {"key": '"other"', "name": '"Other"'}


def test_a_good_file_has_no_problems() -> None:
    found = check(HEAD + row() + LATER, TODAY)
    assert found.problems == []
    assert found.warnings == []


@pytest.mark.parametrize("missing", ["name", "category", "username", "checked", "confidence"])
def test_a_field_is_missing(missing: str) -> None:
    assert f"acme: {missing} is missing" in check(HEAD + row(**{missing: None}), TODAY).problems


def test_without_key_a_row_goes_by_its_number() -> None:
    assert "row 2: key is missing" in check(HEAD + row() + row(key=None), TODAY).problems


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"sources": "[]"}, "sources is missing"),
        ({"colour": '"red"'}, "the key 'colour' is unknown"),
        ({"category": '"castle"'}, "castle"),
        ({"confidence": '"unverified"'}, "something in it is unverified"),
        ({"key": '"acme"', "aliases": '["Acme Mail"]'}, "aliases of a provider is 'Acme Mail'"),
        ({"endpoints": '["https://smtp.acme.example"]'}, "not of the form smtps://"),
        ({"endpoints": '["smtps://smtp acme:465"]'}, "no host name"),
        ({"endpoints": '["smtps://mail:465"]'}, "no host name in small letters"),
        ({"endpoints": '["smtps://SMTP.acme.example:465"]'}, "no host name in small letters"),
        ({"endpoints": '["smtps://192.0.2.1:465"]'}, "no host name in small letters"),
        ({"endpoints": "[]"}, "has no endpoint"),
        ({"endpoints": '["smtps://a.example", "smtps://a.example:465"]'}, "an endpoint twice"),
        ({"endpoints": "[]", "regions": "{ eu = [] }"}, "has no endpoint"),
        ({"regions": "{ eu = [] }"}, "eu is empty"),
        ({"endpoints": '["smtp+insecure://smtp.acme.example:25"]'}, "has no encryption"),
        ({"endpoints": '["smtp+insecure://127.0.0.1:25"]'}, "has no encryption"),
        (
            {"category": '"testing"', "endpoints": '["smtp+insecure://smtp.acme.example:25"]'},
            "has no encryption",
        ),
        ({"endpoints": '["smtp://127.0.0.1:587"]'}, "is on this machine"),
        ({"endpoints": '["smtp://a.example", "smtps://a.example"]'}, "STARTTLS before implicit"),
        ({"domains": '["Acme.example"]'}, "domains has 'Acme.example'"),
        ({"domains": '["grüße.example"]'}, "domains has 'grüße.example'"),
        ({"mx_suffixes": '[".acme.example"]'}, "mx_suffixes has '.acme.example'"),
        ({"domains": '["a.example", "a.example"]'}, "the domain a.example is claimed by acme"),
        ({"checked": "2026-11-24"}, "checked is in the future: 2026-11-24"),
        ({"checked": '"2026-11-01"'}, "checked is not a date"),
        ({"docs": '"http://acme.example"'}, "docs has 'http://acme.example'"),
        ({"sources": '["acme.example"]'}, "sources has 'acme.example'"),
        ({"sources": '["https://a.example", "https://a.example"]'}, "sources has a page twice"),
        ({"note": '"no stop"'}, "note is not a sentence"),
        ({"password_note": '" A blank."'}, "password_note is not a sentence"),
        ({"limits": "{ messages_per_day = 5 }"}, "limits have no source"),
        ({"limits": "{ octets = 5 }"}, "octets"),
        ({"username": '"literal"'}, "username_literal goes with"),
        ({"status": '"no_smtp"', "username": None}, "has no SMTP, and endpoints"),
        ({"status": '"no_smtp"', "username": None, "endpoints": "[]"}, "note is missing"),
        (
            {"oauth": '{authorization_url = "a", token_url = "https://b.example", scopes = []}'},
            "oauth has 'a'",
        ),
    ],
)
def test_a_problem_is_named_with_its_row(changes: dict[str, str], problem: str) -> None:
    problems = check(HEAD + row(**OTHER) + row(**changes), TODAY).problems
    assert any(line.startswith("acme: ") and problem in line for line in problems), problems
    assert not any(line.startswith("other: ") for line in problems)


@pytest.mark.parametrize(
    ("mine", "theirs", "problem"),
    [
        ({}, {}, "other: the name other is claimed by acme already"),
        (
            {"domains": '["a.example"]'},
            {"domains": '["a.example"]'},
            "other: the domain a.example is claimed by acme already",
        ),
        (
            {"mx_suffixes": '["mx.example"]'},
            {"mx_suffixes": '["mx.example"]'},
            "other: the MX suffix mx.example is claimed by acme already",
        ),
        (
            {"mx_suffixes": '["mx.example"]'},
            {"domains": '["mail.mx.example"]'},
            "other: the domain mail.mx.example is within the MX suffix mx.example of acme, whose",
        ),
    ],
)
def test_each_name_may_be_claimed_once(
    mine: dict[str, str], theirs: dict[str, str], problem: str
) -> None:
    mine = mine or {"aliases": '["other"]'}
    (found,) = check(HEAD + row(**mine) + row(**OTHER, **theirs), TODAY).problems
    assert found.startswith(problem)


def test_a_note_explains_a_domain_within_the_mx_suffix_of_another() -> None:
    mine = row(mx_suffixes='["mx.example"]', note='"For addresses at mx.example use Other."')
    assert check(HEAD + mine + row(**OTHER, domains='["mx.example"]'), TODAY).problems == []


def test_a_provider_may_recommend_another_order() -> None:
    endpoints = '["smtp://a.example:587", "smtps://a.example:465"]'
    text = row(endpoints=endpoints, note='"Acme recommends port 587."')
    assert check(HEAD + text, TODAY).problems == []


@pytest.mark.parametrize(
    ("policies", "problem"),
    [
        (LATER + EARLIER, "acme: the policies are not in the order of their dates"),
        (LATER.replace("2026-02-01", '"soon"'), "acme: a policy has no date"),
        (LATER.replace('"documented"', '"unverified"'), "acme: something in it is unverified"),
        (LATER.replace("https:", "ftp:"), "acme: policies has 'ftp://acme.example/later'"),
        (LATER.replace('event = "later"', ""), "event"),
    ],
)
def test_policies_are_checked(policies: str, problem: str) -> None:
    problems = check(HEAD + row() + policies, TODAY).problems
    assert any(problem in line for line in problems), problems


def test_a_row_that_is_older_than_a_year_is_warned_of() -> None:
    found = check(HEAD + row(checked="2025-11-22"), TODAY)
    assert found.problems == []
    assert found.warnings == ["acme: last checked on 2025-11-22"]
    assert check(HEAD + row(checked="2025-11-23"), TODAY).warnings == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("schema = [", "the file is not TOML"),
        (HEAD.replace("1", "2", 1) + row(), "the file is of schema 2, and not 1"),
        (row(), "the file is of schema None, and not 1"),
        ("schema = 1\n" + row(), "the version of the file is not of the form"),
        (HEAD, "the file has no providers"),
        (HEAD + "provider = [1]", "no tables of the form [[provider]]"),
        (HEAD + "colour = 1\n" + row(), "the file has the unknown key colour"),
    ],
)
def test_what_is_wrong_with_the_file_itself(text: str, problem: str) -> None:
    assert any(problem in line for line in check(text, TODAY).problems)


def test_the_exit_status_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(HEAD + row(checked="2025-01-01"), encoding="utf-8")
    bad.write_text(HEAD + row(docs='"x"'), encoding="utf-8")
    assert main([str(good)]) == 0
    said = capsys.readouterr().out
    assert said == (
        "warning: acme: last checked on 2025-01-01\ngood.toml: nothing is wrong with it\n"
    )
    assert main([str(bad)]) == 1
    assert capsys.readouterr().out == "acme: docs has 'x', which is no https URL\n"
    assert main([str(tmp_path / "none.toml")]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_without_a_name_the_built_in_data_is_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "nothing is wrong with it" in capsys.readouterr().out
    built_in = check_providers.BUILT_IN.read_text(encoding="utf-8")
    assert built_in == read_text("providers.toml")


def test_the_script_and_the_reader_agree_on_a_good_row() -> None:
    (provider,) = providers_of(HEAD + row(), "a test")
    assert provider.key == "acme"
