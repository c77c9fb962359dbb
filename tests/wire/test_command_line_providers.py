"""``mailsend providers`` and ``mailsend discover``."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mailsend import (
    Category,
    Confidence,
    ConnectError,
    Endpoint,
    FromRule,
    PasswordPolicy,
    Provider,
    Retry,
    Security,
    Status,
    UsernameRule,
    providers,
)
from mailsend.cli import main, provider_words
from mailsend.cli.discover import _METHODS
from mailsend.cli.exit_codes import ExitCode
from mailsend.cli.providers import listed, shown
from mailsend.discovery import Method, Proposal
from mailsend.providers import data_version, read_providers
from mailsend.providers.reading import provider_of

Out = pytest.CaptureFixture[str]

FILE = """
schema = 1

[[provider]]
key = "acme"
name = "Acme Corp"
category = "hosting"
endpoints = ["smtps://smtp.acme.test:465", "smtp://mail.smtp.acme.test:587"]
aliases = ["acme-mail"]
username = "email"
password = "app_password"
password_note = "Make one at https://account.acme.test/passwords."
auth = ["PLAIN"]
from_rule = "account_or_alias"
domains = ["acme.test", "acme.example"]
mx_suffixes = ["mx.acme.test"]
note = "Ask Ada."
docs = "https://acme.test/smtp"
checked = 2026-11-01
confidence = "documented"
sources = ["https://acme.test/smtp"]

[provider.limits]
message_octets = 20971520
recipients_per_message = 50
connections = 1
messages_per_day = 12000

[provider.oauth]
authorization_url = "https://acme.test/agree"
token_url = "https://acme.test/token"
scopes = ["mail"]

[[provider.policies]]
date = 2999-01-01
event = "passwords are no longer accepted"
source = "https://acme.test/news"
confidence = "documented"

[[provider.policies]]
date = 2001-01-01
event = "founded"
source = "https://acme.test/news"
confidence = "reported"

[[provider.reply_rules]]
id = "acme-window"
words = "window closed"
codes = [451]
cause = "quota_exceeded"
source = "https://acme.test/smtp"

[[provider]]
key = "acme-cloud"
name = "Acme Cloud"
username = "literal"
username_literal = "apikey"

[provider.regions]
eu = ["smtps://smtp.eu.acme.test"]
us = ["smtps://smtp.us.acme.test"]

[[provider]]
key = "acme-letters"
name = "Acme Letters"
status = "no_smtp"
note = "Paper only."
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "providers.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def mailsend(file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A new process, which reads the user's file anew."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "mailsend", *arguments],
        env={**os.environ, "MAILSEND_PROVIDERS": str(file)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def status_of(*arguments: str) -> int:
    try:
        return main(arguments)
    except SystemExit as leaving:
        return int(leaving.code or 0)


# -- with a file of one's own


def test_ones_own_are_listed_among_the_others(file: Path) -> None:
    done = mailsend(file, "providers")
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")
    lines = [line.split(maxsplit=3) for line in done.stdout.splitlines()]
    assert ["acme", "smtp.acme.test:465", "TLS", "Acme Corp"] in lines
    assert any(line[:1] == ["gmail"] for line in lines)


@pytest.mark.parametrize("text", ["acme-mai", "ACME CORP", "acme.exa", "bob@acme.test"])
def test_search(file: Path, text: str) -> None:
    done = mailsend(file, "providers", "--search", text)
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")
    assert done.stdout.splitlines() == ["Hosting (1)", "  acme  smtp.acme.test:465 TLS  Acme Corp"]


def test_search_as_json(file: Path) -> None:
    done = mailsend(file, "providers", "--search", "acme", "--json")
    found = json.loads(done.stdout)
    assert [provider["key"] for provider in found] == ["acme", "acme-cloud", "acme-letters"]


@pytest.mark.parametrize("as_json", [True, False])
def test_where(file: Path, as_json: bool) -> None:
    arguments = ["providers", "--where", *(["--json"] if as_json else [])]
    done = mailsend(file, *arguments)
    assert done.returncode == ExitCode.OK
    there = {"file": str(file), "exists": True, "providers": 3, "data_version": data_version()}
    if as_json:
        assert json.loads(done.stdout) == there
    else:
        own, built_in = done.stdout.splitlines()
        assert own == f"Your own:  {file} (3 providers)"
        assert built_in == f"Built in:  version {data_version()}"
    none = mailsend(file.with_name("none.toml"), *arguments)
    assert none.returncode == ExitCode.OK
    if as_json:
        assert json.loads(none.stdout)["exists"] is False
    else:
        assert "none.toml (it does not exist)" in none.stdout


def test_a_file_that_cannot_be_used_is_told(file: Path) -> None:
    file.write_text("[[provider]]\nkey = 5\n", encoding="utf-8")
    shown = mailsend(file, "providers", "show", "gmail")
    assert shown.returncode == ExitCode.OK
    assert shown.stderr.startswith("mailsend: warning: ")
    assert str(file) in shown.stderr
    where = mailsend(file, "providers", "--where")
    assert where.returncode == ExitCode.CONFIGURATION
    assert str(file) in where.stderr


SHOWN = """\
Acme Corp (acme)

Server        smtp.acme.test:465       TLS from the first octet
              mail.smtp.acme.test:587  STARTTLS, required
User name     the whole address
Password      an app password, not the account's own
              Make one at https://account.acme.test/passwords.
Mechanisms    PLAIN
OAuth2        XOAUTH2, scope mail
              agree at https://acme.test/agree
              tokens from https://acme.test/token
From          the account's own address, or an alias of it
Limits        20 MiB a message, 50 recipients a message, 1 connection at a time,
              12,000 messages a day
Note          Ask Ada.
Dates         2001-01-01: founded (reported)
              2999-01-01, upcoming: passwords are no longer accepted
              (documented)
              https://acme.test/news
Reply rules   1 for its replies alone
Other names   acme-mail
Addresses     @acme.test, @acme.example
MX            mx.acme.test
In code       SmtpProfile.for_provider("acme", username="...",
              credentials=Password.from_env("SMTP_PASSWORD"))
Read on       https://acme.test/smtp
Checked       2026-11-01
Founded       documented: the provider's own pages say so
Sources       https://acme.test/smtp
"""


@pytest.mark.parametrize("name", ["acme", "ACME-Mail"])
def test_show(file: Path, name: str) -> None:
    done = mailsend(file, "providers", "show", name)
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")
    assert done.stdout == SHOWN


@pytest.mark.parametrize(
    "arguments", [("show", "acme", "--json"), ("--json", "show", "acme")], ids=" ".join
)
def test_json_has_what_the_file_has(file: Path, arguments: tuple[str, ...]) -> None:
    done = mailsend(file, "providers", *arguments)
    facts = json.loads(done.stdout)
    assert facts["endpoints"] == ["smtps://smtp.acme.test:465", "smtp://mail.smtp.acme.test:587"]
    assert facts["limits"]["recipients_per_message"] == 50
    assert facts["policies"][1]["date"] == "2999-01-01"
    assert facts["reply_rules"][0]["words"] == "window closed"
    assert facts["checked"] == "2026-11-01"
    # It can be read back.
    assert provider_of(_row(facts)) == read_providers(file)[0]


def _row(facts: dict[str, Any]) -> dict[str, Any]:
    row = {name: value for name, value in facts.items() if value is not None}
    row["checked"] = dt.date.fromisoformat(row["checked"])
    for policy in row["policies"]:
        policy["date"] = dt.date.fromisoformat(policy["date"])
    return row


def test_discover_goes_by_the_file(file: Path) -> None:
    done = mailsend(file, "discover", "ada@acme.test")
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")
    assert done.stdout.splitlines() == [
        "Proposal 1    the provider of the address, by its domain",
        "Provider      Acme Corp (acme)",
        "Server        smtp.acme.test:465       TLS from the first octet",
        "              mail.smtp.acme.test:587  STARTTLS, required",
        "Trust         authenticated",
        "Why           Addresses at acme.test belong to Acme Corp.",
    ]


# -- forms


def test_regions_and_what_is_not_known(file: Path) -> None:
    lines = list(shown(read_providers(file)[1], dt.date(2026, 11, 23)))
    assert lines == [
        "Acme Cloud (acme-cloud)",
        "",
        "Regions       in each: 465 TLS",
        "              eu: smtp.eu.acme.test",
        "              us: smtp.us.acme.test",
        "User name     always apikey",
        "Password      not known",
        "From          not known",
        "Limits        not known",
        'In code       SmtpProfile.for_provider("acme-cloud",',
        '              credentials=Password.from_env("SMTP_PASSWORD"), region="eu")',
        "Checked       not known",
    ]


def test_regions_that_differ_tell_their_ports() -> None:
    regions = {
        "eu": [Endpoint("eu.acme.test", 465, Security.IMPLICIT_TLS)],
        "us": [Endpoint("us.acme.test", 587, Security.STARTTLS)],
    }
    acme = Provider(key="acme", name="Acme", regions=regions)
    assert list(provider_words.regions_of(acme)) == [
        "eu: eu.acme.test, 465 TLS",
        "us: us.acme.test, 587 STARTTLS",
    ]


def test_no_smtp(file: Path) -> None:
    text = "\n".join(shown(read_providers(file)[2], dt.date(2026, 11, 23)))
    assert "Status        takes no mail by SMTP" in text
    assert "Paper only." in text
    for label in ("Server", "User name", "Password", "In code"):
        assert label not in text


def test_a_narrow_terminal_cuts_names_and_nothing_else() -> None:
    known = list(providers)
    for width in (60, 80, 120):
        for line in listed(known, width):
            # Key and server alone may be longer than that.
            assert len(line) <= width or len(line.split()) <= 3, line
    whole = "\n".join(listed(known, None))
    for provider in known:
        assert f"  {provider.key} " in whole
        assert provider.name in whole
        assert not provider.endpoints or str(provider.endpoints[0]) in whole


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (provider_words.SECURITY, Security),
        (provider_words.SHORT_SECURITY, Security),
        (provider_words.STATUS, Status),
        (provider_words.PASSWORD, PasswordPolicy),
        (provider_words.FROM, FromRule),
        (provider_words.CONFIDENCE, Confidence),
        (provider_words.CATEGORIES, {*Category, None}),
        (provider_words.USERNAME, set(UsernameRule) - {UsernameRule.LITERAL}),
        (_METHODS, Method),
    ],
)
def test_there_are_words_for_everything(words: dict[object, str], kind: Any) -> None:
    assert set(words) == set(kind)


# -- the built-in data


@pytest.mark.parametrize("provider", list(providers), ids=lambda provider: provider.key)
def test_each_can_be_shown(provider: Provider, capsys: Out) -> None:
    assert main(["providers", "show", provider.key]) == ExitCode.OK
    output = capsys.readouterr().out
    assert output.startswith(f"{provider.name} ({provider.key})\n")
    for line in output.splitlines():
        # A URL stays in one piece, whatever its length.
        assert len(line) <= 80 or len(line[14:].split()) == 1, line
    assert main(["providers", "show", provider.key, "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["key"] == provider.key


def test_all_are_listed(capsys: Out) -> None:
    assert main(["providers", "--json"]) == ExitCode.OK
    keys = [provider["key"] for provider in json.loads(capsys.readouterr().out)]
    assert keys == [provider.key for provider in providers]
    assert main(["providers"]) == ExitCode.OK
    assert len(capsys.readouterr().out.splitlines()) > len(keys)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["show", "gmial"], ExitCode.CONFIGURATION, "Did you mean gmail"),
        (["show", "gmial", "--json"], ExitCode.CONFIGURATION, "Did you mean gmail"),
        (["show"], ExitCode.USAGE, "KEY"),
        (["shw"], ExitCode.USAGE, "shw"),
        (["--search", "no such thing"], ExitCode.UNAVAILABLE, "no provider fits no such thing"),
        (["--search", "x", "--where"], ExitCode.USAGE, "not allowed"),
        (["--where", "show", "gmail"], ExitCode.USAGE, "neither"),
        (["--search", "x", "show", "gmail"], ExitCode.USAGE, "neither"),
    ],
)
def test_what_cannot_be_shown(
    capsys: Out, arguments: list[str], code: ExitCode, words: str
) -> None:
    assert status_of("providers", *arguments) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert words in shown.err


def test_nothing_found_is_json_too(capsys: Out) -> None:
    assert main(["providers", "--search", "no such thing", "--json"]) == ExitCode.UNAVAILABLE
    assert json.loads(capsys.readouterr().out) == []


def test_a_reader_that_has_seen_enough() -> None:
    command = [sys.executable, "-m", "mailsend", "providers", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.read(1)
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == ExitCode.OK


# -- discovery; what it finds has tests of its own

SRV = Proposal(
    method=Method.SRV_SUBMISSIONS,
    endpoints=(Endpoint("mail.elsewhere.test", 465, Security.IMPLICIT_TLS),),
    authenticated=False,
    needs_confirmation=True,
    reason="The DNS of acme.test names it.",
)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Proposal]:
    proposals: list[Proposal] = []

    def discover(address: str, **options: object) -> tuple[Proposal, ...]:
        assert address == "ada@acme.test"
        assert options == {"seconds": 3.0, "thorough": True, "trust_ad": False}
        return tuple(proposals)

    monkeypatch.setattr("mailsend.discovery.discover", discover)
    return proposals


DISCOVER = ("discover", "ada@acme.test", "--seconds", "3", "--thorough")


def test_proposals_tell_what_to_confirm(found: list[Proposal], capsys: Out) -> None:
    zoho = providers.get("zoho")
    more = Proposal(
        method=Method.REGISTRY_MX,
        endpoints=(),
        provider=zoho,
        authenticated=False,
        needs_confirmation=False,
        reason="Mail goes there.",
    )
    found += [SRV, more]
    assert main(DISCOVER) == ExitCode.OK
    first, second = capsys.readouterr().out.split("\n\n")
    assert first.splitlines() == [
        "Proposal 1    a DNS record of the domain for submission over TLS",
        "Server        mail.elsewhere.test:465  TLS from the first octet",
        "Trust         not authenticated: needs confirmation",
        "Why           The DNS of acme.test names it.",
    ]
    assert second.startswith("Proposal 2    the provider that the domain's mail goes to\n")
    assert "Provider      Zoho Mail (zoho)\nRegions       " in second
    assert "Trust         not authenticated\n" in second
    assert main([*DISCOVER, "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)[0] == {
        "method": "srv_submissions",
        "endpoints": ["smtps://mail.elsewhere.test:465"],
        "provider": None,
        "authenticated": False,
        "needs_confirmation": True,
        "reason": "The DNS of acme.test names it.",
    }


@pytest.mark.usefixtures("found")
def test_nothing_is_discovered(capsys: Out) -> None:
    assert main(DISCOVER) == ExitCode.UNAVAILABLE
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "nothing was found for ada@acme.test" in shown.err
    assert main([*DISCOVER, "--json"]) == ExitCode.UNAVAILABLE
    assert json.loads(capsys.readouterr().out) == []


def test_a_provider_without_smtp_is_no_server(capsys: Out) -> None:
    assert main(["discover", "ada@hey.com"]) == ExitCode.UNAVAILABLE
    assert "Server        none" in capsys.readouterr().out


def test_dns_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, capsys: Out) -> None:
    def discover(*_: object, **__: object) -> None:
        raise ConnectError("DNS did not answer", retry=Retry.MINUTES)

    monkeypatch.setattr("mailsend.discovery.discover", discover)
    assert main(["discover", "ada@acme.test"]) == ExitCode.TEMPORARY
    assert capsys.readouterr().err == "mailsend: DNS did not answer.\n"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], ExitCode.USAGE),
        (["a@b.test", "--seconds", "soon"], ExitCode.USAGE),
        (["a@gmail.com", "--seconds", "0"], ExitCode.CONFIGURATION),
        (["nobody"], ExitCode.DATA),
    ],
)
def test_bad_questions(capsys: Out, arguments: list[str], code: ExitCode) -> None:
    assert status_of("discover", *arguments) == code
    assert capsys.readouterr().out == ""


def test_other_commands_do_not_wait_for_the_dns_library() -> None:
    code = "import sys, mailsend.cli; print(any(n.split('.')[0] == 'dns' for n in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
