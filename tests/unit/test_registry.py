"""The registry: the right provider, or none, for a name, an address, a host."""

from __future__ import annotations

import datetime as dt
import logging
import pickle
import pwd
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import attrs
import pytest

from mailsend import (
    Endpoint,
    InvalidAddress,
    OAuthSettings,
    Policy,
    Provider,
    ProviderLimits,
    ProviderRegistry,
    Security,
    UnknownProvider,
    providers,
)
from mailsend.errors import ConfigurationError
from mailsend.meanings import read_table, read_text
from mailsend.providers.catalogue import Catalogue
from mailsend.providers.reading import provider_of
from mailsend.providers.sources import built_in, data_version, of_packages, of_user, user_file

TLS = Security.IMPLICIT_TLS
ROWS = read_table("providers.toml")["provider"]
BUILT_IN = ProviderRegistry([built_in])


def acme(key: str = "acme", **more: object) -> Provider:
    settings: dict[str, object] = {
        "name": "Acme Corp",
        "endpoints": [Endpoint(f"smtp.{key}.test", 465, TLS)],
        "domains": [f"{key}.test"],
        **more,
    }
    return Provider(key=key, **settings)  # type: ignore[arg-type] # a table


# -- the built-in data


def test_the_index_finds_what_reading_all_of_it_finds() -> None:
    whole = Catalogue.of(map(provider_of, ROWS))
    scanned = Catalogue.scan(read_text("providers.toml"))
    assert dict(scanned.names) == dict(whole.names)
    assert dict(scanned.domains) == dict(whole.domains)
    assert dict(scanned.mx_suffixes) == dict(whole.mx_suffixes)
    assert dict(scanned.hosts) == dict(whole.hosts)
    assert list(scanned) == list(whole)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["key"])
def test_a_provider_is_found_by_everything_it_claims(row: dict[str, object]) -> None:
    provider = provider_of(row)
    for name in (provider.key, provider.key.upper(), *provider.aliases):
        assert BUILT_IN.get(name) == provider
    for domain in provider.domains:
        for address in (f"ada@{domain}", f"ada@{domain.upper()}"):
            assert BUILT_IN.for_address(address) == provider
        assert BUILT_IN.for_domain(f"not{domain}") != provider
        assert BUILT_IN.for_domain(f"{domain}.example") is None
    for suffix in provider.mx_suffixes:
        assert BUILT_IN.for_mx(f"mx1.{suffix}.") == provider
        assert BUILT_IN.for_mx(f"evil-{suffix}") != provider or suffix.count(".") == 0
        assert BUILT_IN.for_mx(f"{suffix}.example") is None
    for endpoint in provider.endpoints:
        assert BUILT_IN.for_host(endpoint.host) is not None


def test_the_data_has_a_version_of_its_own() -> None:
    assert data_version() == read_table("providers.toml")["version"]


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("x@hotmail.co.uk", "outlook.com"),
        ("x@OUTLOOK.com", "outlook.com"),
        ("x@googlemail.com", "gmail"),
        ("x@notoutlook.com", None),
        ("x@sub.outlook.com", None),
        ("x@outlook.com.example", None),
        ("x@bücher.example", None),
    ],
)
def test_addresses(address: str, key: str | None) -> None:
    found = BUILT_IN.for_address(address)
    assert (found and found.key) == key


def test_mail_exchangers() -> None:
    found = BUILT_IN.for_mx("acme-test.mail.protection.outlook.com")
    assert found is not None
    assert found.key == "microsoft365"
    # The longer end counts: this is where personal accounts are.
    personal = BUILT_IN.for_mx("x.olc.protection.outlook.com")
    assert personal is None or personal.key == "outlook.com"
    assert BUILT_IN.for_mx("mail.protection.outlook.com.evil.example") is None


def test_one_look_up_reads_one_row() -> None:
    code = (
        "import time; from mailsend import providers; start = time.perf_counter(); "
        "assert providers.get('gmail').key == 'gmail'; print(time.perf_counter() - start)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 2  # seconds; to see that it ends. How fast it is, a benchmark says


# -- a registry of one's own


def test_names_idn_and_labels() -> None:
    registry = ProviderRegistry()
    registry.register(acme(domains=["acme.test", "bücher.example"], aliases=["acme-mail"]))
    for address in ("a@acme.test", "a@ACME.test", "a@bücher.example", "a@xn--bcher-kva.example"):
        assert registry.for_address(address) is not None, address
    assert registry.get("ACME-Mail").key == "acme"
    assert registry.for_domain("sub.acme.test") is None
    assert registry.for_domain("no domain") is None
    assert "acme" in registry
    assert "other" not in registry
    assert 5 not in registry
    with pytest.raises(InvalidAddress):
        registry.for_address("nobody")


def test_an_unknown_name_gives_those_that_are_near() -> None:
    with pytest.raises(UnknownProvider, match="gmail") as caught:
        BUILT_IN.get("gmial")
    assert isinstance(caught.value, ConfigurationError)
    assert isinstance(caught.value, LookupError)
    with pytest.raises(UnknownProvider, match="register"):
        ProviderRegistry().get("x")


def test_what_is_registered_comes_first() -> None:
    registry = ProviderRegistry([built_in])
    mine = acme(domains=["gmail.com"], mx_suffixes=["google.com"])
    registry.register(mine)
    assert registry.for_address("a@gmail.com") == mine
    assert next(iter(registry)) == mine
    registry.unregister("acme")
    found = registry.for_address("a@gmail.com")
    assert found is not None
    assert found.key == "gmail"


def test_a_taken_name_is_overridden_on_purpose_only() -> None:
    registry = ProviderRegistry([built_in])
    mine = acme("gmail", domains=[])
    with pytest.raises(ConfigurationError, match="override"):
        registry.register(mine)
    with pytest.raises(ConfigurationError, match="yahoo"):
        registry.register(acme(aliases=["yahoo"]))
    registry.override(mine)
    assert registry.get("gmail") == mine
    assert sum(provider.key == "gmail" for provider in registry) == 1


LOOK_UPS: list[Callable[[ProviderRegistry], Provider | None]] = [
    lambda registry: registry.find("google"),
    lambda registry: registry.for_address("a@gmail.com"),
    lambda registry: registry.for_domain("gmail.com"),
    lambda registry: registry.for_mx("aspmx.l.google.com"),
    lambda registry: registry.for_host("smtp.gmail.com"),
]


@pytest.mark.parametrize("look_up", LOOK_UPS)
@pytest.mark.parametrize("above", ["registered", "another source"])
def test_of_what_was_overridden_nothing_is_found(
    look_up: Callable[[ProviderRegistry], Provider | None], above: str
) -> None:
    mine = acme("gmail", domains=[])
    if above == "registered":
        registry = ProviderRegistry([built_in])
        found = look_up(registry)
        assert found is not None
        assert found.key == "gmail"
        registry.override(mine)
    else:
        registry = ProviderRegistry([lambda: Catalogue.of([mine]), built_in])
    assert look_up(registry) is None
    assert registry.get("gmail") == mine
    with pytest.raises(UnknownProvider) as caught:
        registry.get("googlemail")
    assert "googlemail" not in str(caught.value.advice)


def test_what_is_taken_out_is_gone_until_it_is_put_back() -> None:
    registry = ProviderRegistry([built_in])
    registry.unregister("gmail")
    assert registry.find("gmail") is None
    assert registry.for_address("a@gmail.com") is None
    assert all(provider.key != "gmail" for provider in registry)
    with pytest.raises(UnknownProvider):
        registry.unregister("gmail")
    registry.override(acme("gmail"))
    assert registry.get("gmail").name == "Acme Corp"
    assert BUILT_IN.get("gmail").name != "Acme Corp"  # another registry


def test_what_is_no_provider_is_refused() -> None:
    for thing in (None, "acme", {"key": "acme"}):
        with pytest.raises(ConfigurationError, match="Provider"):
            ProviderRegistry().register(thing)  # type: ignore[arg-type]


def test_two_that_claim_the_same_domain_are_refused() -> None:
    registry = ProviderRegistry()
    registry.register(acme())
    with pytest.raises(ConfigurationError, match=r"acme\.test"):
        registry.register(acme("other", domains=["acme.test"]))
    assert [provider.key for provider in registry] == ["acme"]


def test_threads_register_and_look_up() -> None:
    registry = ProviderRegistry([built_in])
    problems: list[Exception] = []

    def work(number: int) -> None:
        try:
            for turn in range(20):
                registry.register(acme(f"acme-{number}-{turn}"))
                assert registry.get(f"acme-{number}-{turn}").name == "Acme Corp"
                registry.for_address("a@gmail.com")
        except Exception as error:  # noqa: BLE001 - handed to the test
            problems.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert sum(provider.key.startswith("acme-") for provider in registry) == 80


def test_a_provider_travels() -> None:
    provider = BUILT_IN.get("amazon-ses")
    assert pickle.loads(pickle.dumps(provider)) == provider
    assert len({provider, BUILT_IN.get("ses"), BUILT_IN.get("gmail")}) == 2


# -- the user's file and packages

FILE = """
schema = 1

[[provider]]
key = "acme"
name = "Acme Corp"
endpoints = ["smtps://smtp.acme.test"]
domains = ["acme.test"]
"""


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"MAILSEND_PROVIDERS": "/x/p.toml"}, "/x/p.toml"),
        ({"XDG_CONFIG_HOME": "/c"}, "/c/mailsend/providers.toml"),
    ],
)
def test_where_the_users_file_is(environ: dict[str, str], path: str) -> None:
    assert user_file(environ) == Path(path)


def test_the_users_file_comes_before_ours(tmp_path: Path) -> None:
    file = tmp_path / "providers.toml"
    file.write_text(FILE.replace("acme.test", "gmail.com"))
    registry = ProviderRegistry([lambda: of_user(file), built_in])
    found = registry.for_address("a@gmail.com")
    assert found is not None
    assert found.key == "acme"
    assert list(of_user(tmp_path / "none.toml")) == []


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("[[provider\n", "not TOML"),
        (FILE + FILE.partition("[[provider]]")[1] + FILE.partition("[[provider]]")[2], "claimed"),
        (FILE.replace("name =", "nmae ="), "nmae"),
        (FILE.replace("smtps://", "smtp+insecure://"), "no encryption"),
        (FILE.replace("smtps://smtp.acme.test", "smtps://ada:x@h"), "form"),
        (FILE.replace('["smtps://smtp.acme.test"]', "[]"), "no endpoint"),
        (FILE.replace('"acme"', '"Acme Mail"'), "key"),
        (FILE.replace("schema = 1", "schema = 9"), "schema"),
        (FILE.replace("[[provider]]", "[[providers]]"), "providers"),
        (FILE + 'username = "whatever"\n', "whatever"),
        (FILE + "limits = { speed = 5 }\n", "speed"),
        (FILE + "policies = [{ date = 2026-01-01 }]\n", "acme"),
        (FILE + "domains2 = []\n", "domains2"),
        ("provider = 5\n", r"[[provider]]"),
        (FILE + 'checked = "2026-01-01"\n', "checked"),
        (FILE + "limits = { connections = 'many' }\n", "connections"),
        ("x = " + "[" * 5000, "recursion"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_passed_over(
    tmp_path: Path, text: str, culprit: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "providers.toml"
    file.write_text(text)
    registry = ProviderRegistry([lambda: of_user(file), built_in])
    with caplog.at_level(logging.WARNING, "mailsend.providers"):
        assert registry.get("gmail").key == "gmail"
    assert str(file) in caplog.text
    assert culprit in caplog.text


def test_a_source_that_cannot_be_read_now_is_asked_again() -> None:
    tries = iter([True, False])

    def source() -> Catalogue:
        if next(tries):
            raise OSError("too many open files")
        return Catalogue.of([acme()])

    registry = ProviderRegistry([source, built_in])
    assert registry.find("acme") is None
    assert registry.get("acme").name == "Acme Corp"
    assert registry.get("acme") is registry.get("acme")


@pytest.mark.parametrize("kind", [RuntimeError, ValueError, RecursionError])
def test_a_source_that_fails_does_not_take_the_others_along(
    kind: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    def source() -> Catalogue:
        raise kind("broken")

    assert ProviderRegistry([source, built_in]).get("gmail").key == "gmail"
    assert f"{kind.__name__}: broken" in caplog.text


def test_a_source_may_look_providers_up(caplog: pytest.LogCaptureFixture) -> None:
    def source() -> Catalogue:
        gmail = registry.get("gmail")
        return Catalogue.of([attrs.evolve(gmail, name="Ours")])

    registry = ProviderRegistry([source, built_in])
    assert registry.get("gmail").name == "Ours"
    assert caplog.records == []


def test_no_thread_waits_for_an_import_that_waits_for_it() -> None:
    importing, entered = threading.RLock(), threading.Event()

    def source() -> Catalogue:
        entered.set()
        with importing:  # as the import of a package does
            return Catalogue.of([])

    registry = ProviderRegistry([source, built_in])
    with importing:
        other = threading.Thread(target=registry.get, args=("gmail",), daemon=True)
        other.start()
        assert entered.wait(10)
        mine = threading.Thread(target=registry.override, args=(acme(),), daemon=True)
        mine.start()
        mine.join(10)
        assert not mine.is_alive()
    other.join(10)
    assert not other.is_alive()
    assert registry.get("acme").name == "Acme Corp"


def test_without_a_home_there_is_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_entry(_: int) -> NoReturn:
        raise KeyError

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", no_entry)
    assert user_file({}) is None
    assert list(of_user(user_file({}))) == []


def test_hosts_are_found_whatever_the_case() -> None:
    registry = ProviderRegistry()
    registry.register(acme(endpoints=[Endpoint("SMTP.Acme.test", 465, Security.IMPLICIT_TLS)]))
    assert registry.for_host("smtp.acme.TEST") == registry.get("acme")


@pytest.mark.parametrize("nothing", [None, 5, ""])
def test_nothing_is_found_by_what_is_no_name(nothing: Any) -> None:
    for look_up in (BUILT_IN.find, BUILT_IN.for_domain, BUILT_IN.for_mx, BUILT_IN.for_host):
        assert look_up(nothing) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", 5), ("name", ""), ("endpoints", 5), ("endpoints", ["x"]), ("aliases", "acme2"),
        ("category", "bla"), ("status", "foo"), ("status", None), ("regions", [1]),
        ("regions", {"eu": 5}), ("username", "whoever"), ("password", 5), ("from_rule", "x"),
        ("auth", 5), ("auth", [5]), ("oauth", "x"), ("limits", None), ("domains", [5]),
        ("domains", "acme.test"), ("domains", ["a b"]), ("mx_suffixes", 5), ("policies", ["x"]),
        ("reply_rules", 5), ("note", 5), ("docs", 5), ("checked", "2026-01-01"),
        ("checked", dt.datetime(2026, 1, 1, tzinfo=dt.UTC)), ("confidence", "sure"),
        ("sources", [None]), ("username_literal", 5), ("password_note", ""), ("key", None),
    ],
)  # fmt: skip
def test_a_field_that_cannot_be_used_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{field}|endpoints|list|domains"):
        acme(**{field: value}) if field != "key" else acme(value)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (ProviderLimits, {"recipients_per_message": "many"}),
        (ProviderLimits, {"recipients_per_message": 0}),
        (ProviderLimits, {"message_octets": True}),
        (ProviderLimits, {"messages_per_second": 0}),
        (ProviderLimits, {"messages_per_second": float("nan")}),
        (Policy, {"date": "2026-01-01", "event": "e", "source": "s", "confidence": "reported"}),
        (Policy, {"date": dt.date(2026, 1, 1), "event": 5, "source": "s",
                  "confidence": "reported"}),
        (OAuthSettings, {"authorization_url": 5, "token_url": "u", "scopes": []}),
        (OAuthSettings, {"authorization_url": "u", "token_url": "u", "scopes": "mail"}),
    ],
)  # fmt: skip
def test_a_part_that_cannot_be_used_is_refused(kind: Any, values: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        kind(**values)


def test_installed_packages_are_asked() -> None:
    assert of_packages() is not None
    assert providers.get("gmail").key == "gmail"
