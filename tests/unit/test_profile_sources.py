"""Profiles from environment variables and TOML files."""

# ruff: noqa: E501 - a table is read by its rows
from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import pytest

from mailsend import (
    ConfigurationError,
    Endpoint,
    Limits,
    Password,
    Security,
    SmtpProfile,
    Timeouts,
    TlsOptions,
)
from mailsend.profile.file import default_file


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def load(config: Path, table: str, name: str = "work", mode: int = 0o600) -> SmtpProfile:
    config.write_text(table, encoding="utf-8")
    config.chmod(mode)
    return SmtpProfile.load(name, config)


def work(lines: str) -> str:
    return f'[profiles.work]\nhost = "smtp.example.org"\n{lines}\n'


@pytest.mark.parametrize(
    ("environ", "settings"),
    [
        ({"MAILSEND_URL": "smtps://h.example"}, {"host": "h.example", "port": 465}),
        ({"MAILSEND_URL": "smtp://h.example", "SMTP_HOST": "other.example"}, {"host": "h.example"}),
        ({"MAILSEND_URL": "", "SMTP_HOST": "other.example"}, {"host": "other.example"}),
        ({"SMTP_HOST": "h.example"}, {"port": 465, "security": Security.IMPLICIT_TLS}),
        ({"SMTP_HOST": "h.example", "SMTP_PORT": "587"}, {"security": Security.STARTTLS}),
        ({"SMTP_HOST": "h.example", "SMTP_SECURITY": "starttls"}, {"port": 587}),
        ({"SMTP_HOST": "h.example", "SMTP_SECURITY": "Implicit-TLS"}, {"port": 465}),
        (
            {"SMTP_HOST": "h.example", "SMTP_USERNAME": "ada", "SMTP_PASSWORD": "s3cret"},
            {"username": "ada", "credentials": Password("s3cret")},
        ),
        (
            {"SMTP_HOST": "h.example", "SMTP_USERNAME": "", "SMTP_PASSWORD": "", "SMTP_PORT": ""},
            {"username": None, "credentials": None, "port": 465},
        ),
    ],
)
def test_environment(environ: dict[str, str], settings: dict[str, Any]) -> None:
    profile = SmtpProfile.from_env(environ)
    for name, value in settings.items():
        assert getattr(profile, name) == value, name


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "neither MAILSEND_URL nor SMTP_HOST"),
        ({"EMAIL_URL": "smtps://h.example"}, "neither MAILSEND_URL nor SMTP_HOST"),
        ({"SMTP_HOST": "h.example", "SMTP_PORT": "x"}, "SMTP_PORT"),
        ({"SMTP_HOST": "h.example", "SMTP_PORT": "-1"}, "SMTP_PORT"),
        ({"SMTP_HOST": "h.example", "SMTP_PORT": "99999"}, "port"),
        ({"SMTP_HOST": "h.example", "SMTP_SECURITY": "tls"}, "SMTP_SECURITY"),
        ({"SMTP_HOST": "h.example", "SMTP_USERNAME": "ada"}, "without credentials"),
        ({"SMTP_HOST": "h.example", "SMTP_PASSWORD": "x"}, "without username"),
        ({"SMTP_HOST": "h\n.example"}, "host"),
    ],
)
def test_environments_that_will_not_do(environ: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        SmtpProfile.from_env(environ)


def test_the_process_environment_keeps_the_password_by_reference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("MAILSEND_URL", "SMTP_PORT", "SMTP_SECURITY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SMTP_HOST", "h.example")
    monkeypatch.setenv("SMTP_USERNAME", "ada")
    monkeypatch.setenv("SMTP_PASSWORD", "s3cret")
    profile = SmtpProfile.from_env()
    assert profile.credentials == Password.from_env("SMTP_PASSWORD")
    assert profile.credentials is not None
    assert isinstance(profile.credentials, Password)
    assert profile.credentials.reveal() == "s3cret"


@pytest.mark.parametrize(
    ("lines", "settings"),
    [
        ("", {"port": 465, "security": Security.IMPLICIT_TLS, "name": "work"}),
        ("port = 587", {"security": Security.STARTTLS}),
        ('security = "starttls"', {"port": 587}),
        ('security = "implicit-tls"', {"port": 465}),
        ('name = "other"', {"name": "other"}),
        ('username = "ada"\npassword = "s3cret"', {"credentials": Password("s3cret")}),
        ('username = "ada"\npassword_env = "P"', {"credentials": Password.from_env("P")}),
        ('username = "ada"\npassword_file = "/p"', {"credentials": Password.from_file("/p")}),
        (
            'username = "ada"\npassword_command = ["pass", "show smtp"]',
            {"credentials": Password.from_command(["pass", "show smtp"])},
        ),
        (
            'username = "ada"\npassword_command = "pass \'show smtp\'"',
            {"credentials": Password.from_command(["pass", "show smtp"])},
        ),
        ("timeout = 20", {"timeouts": Timeouts.uniform(20)}),
        ("timeouts = { data = 5, total = 50 }", {"timeouts": Timeouts(data=5, total=50)}),
        ('tls = { minimum_version = "1.2" }', {"tls": TlsOptions()}),
        (f'tls = {{ pinned_sha256 = ["{"ab" * 32}"] }}', {"tls": TlsOptions(pinned_sha256=("ab" * 32,))}),
        ("tls = { relaxed_x509 = true }", {"tls": TlsOptions(relaxed_x509=True)}),
        ("limits = { recipients = 50 }", {"limits": Limits(recipients=50)}),
        ('mechanisms = ["login"]', {"mechanisms": ("LOGIN",)}),
        ('disabled_extensions = "PIPELINING CHUNKING"',
         {"disabled_extensions": ("PIPELINING", "CHUNKING")}),
        (
            'fallbacks = ["smtp://smtp.example.org"]',
            {"fallbacks": (Endpoint("smtp.example.org", 587, Security.STARTTLS),)},
        ),
        ('client_name = "host.example.org"', {"client_name": "host.example.org"}),
    ],
)  # fmt: skip
def test_files(config: Path, lines: str, settings: dict[str, Any]) -> None:
    profile = load(config, work(lines))
    for name, value in settings.items():
        assert getattr(profile, name) == value, name


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("", "unknown profile 'work'"),
        ("[profiles.wrok]\nhost = 'h'", "Did you mean wrok"),
        ("[profiles.home]\nhost = 'h'", "Known are: home"),
        ("[profile.work]\nhost = 'h'", "Did you mean profiles"),
        ("profiles = 5", "no tables of the form"),
        ("[profiles]\nwork = 5", "no tables of the form"),
        ("[[profiles]]\nwork = 5", "no tables of the form"),
        ("[profiles.work]", "has no host"),
        ("[profiles.work]\nport = 465", "has no host"),
        ("[profiles.work", "is not TOML"),
        (work("host = 'x'"), "is not TOML"),
        (work("hots = 'x'"), "Did you mean host"),
        (work("user = 'x'"), "Did you mean username"),
        (work("passwrd = 'x'"), "Did you mean password"),
        (work("timeouts = { conect = 1 }"), "Did you mean connect"),
        (work("tls = { verify = false }"), "unknown key in tls"),
        (work("limits = { recipents = 1 }"), "Did you mean recipients"),
        (work("tls = true"), "tls of profile work has to be a table"),
        (work("timeouts = 5"), "timeouts of profile work has to be a table"),
        (work("timeout = 'x'"), "timeout"),
        (work("timeout = true"), "timeout"),
        (work("timeout = -1"), "timeout"),
        (work("port = '465'"), "port"),
        (work("port = 465.5"), "port"),
        (work("port = [465]"), "port"),
        (work("security = 'ssl'"), "security of profile work"),
        (work("security = 5"), "security of profile work"),
        (work("allow_plaintext_credentials = 'maybe'"), "true or false"),
        (work("allow_plaintext_credentials = 1"), "true or false"),
        (work("tls = { relaxed_x509 = 'false' }"), "relaxed_x509"),
        (work("username = 5\npassword = 'x'"), "username"),
        (work("username = 'ada'\npassword = 5"), "password has to be a string"),
        (work("username = 'ada'\npassword = ''"), "password is empty"),
        (work("username = 'ada'\npassword_env = 5"), "variable"),
        (work("username = 'ada'\npassword_file = 5"), "password"),
        (work("username = 'ada'\npassword_command = 5"), "password command"),
        (work("username = 'ada'\npassword_command = [5]"), "password command"),
        (work("username = 'ada'\npassword_command = ''"), "password command"),
        (work("username = 'ada'\npassword = 'x'\npassword_env = 'P'"), "names another one"),
        (work("mechanisms = 5"), "mechanism"),
        (work("disabled_extensions = 5"), "extension"),
        (work("client_name = 5"), "client_name"),
    ],
)
def test_files_that_will_not_do(config: Path, table: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        load(config, table)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        SmtpProfile.load("work", tmp_path / "missing.toml")
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        SmtpProfile.load("work", tmp_path)
    (tmp_path / "latin.toml").write_bytes(b'[profiles.work]\nhost = "\xff"')
    with pytest.raises(ConfigurationError, match="is not TOML"):
        SmtpProfile.load("work", tmp_path / "latin.toml")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o602])
def test_a_password_that_others_can_read_is_warned_about(config: Path, mode: int) -> None:
    with pytest.warns(UserWarning, match="chmod 600") as caught:
        load(config, work('username = "ada"\npassword = "s3cret"'), mode=mode)
    assert "s3cret" not in str(caught[0].message)
    assert caught[0].filename == __file__


def test_a_reference_may_be_read_by_others_and_a_password_by_its_owner(config: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(config, work('username = "ada"\npassword_env = "P"'), mode=0o644)
        load(config, work('username = "ada"\npassword = "s3cret"'), mode=0o600)


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"MAILSEND_CONFIG": "/a/b.toml", "XDG_CONFIG_HOME": "/x"}, "/a/b.toml"),
        ({"XDG_CONFIG_HOME": "/x"}, "/x/mailsend/config.toml"),
        ({"MAILSEND_CONFIG": "", "XDG_CONFIG_HOME": "/x"}, "/x/mailsend/config.toml"),
        ({}, os.path.expanduser("~/.config/mailsend/config.toml")),  # noqa: PTH111
    ],
)
def test_where_the_file_is(environ: dict[str, str], path: str) -> None:
    assert default_file(environ) == Path(path)


def test_the_working_directory_is_never_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_text(work(""))
    (tmp_path / "mailsend").mkdir()
    (tmp_path / "mailsend" / "config.toml").write_text(work(""))
    monkeypatch.delenv("MAILSEND_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(ConfigurationError, match="elsewhere"):
        SmtpProfile.load("work")


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home(_: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", no_home)
    for name in ("MAILSEND_CONFIG", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigurationError, match="this user has no home folder"):
        SmtpProfile.load("work")
