"""References to credentials in profile files and URLs."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from mailsend import ClientCertificate, ConfigurationError, OAuth2, Password, Security, SmtpProfile
from mailsend.oauth import SignedIn

SECRET = "Zx9-s3cret"


def load(tmp_path: Path, lines: str) -> SmtpProfile:
    file = tmp_path / "config.toml"
    file.write_text(f"[profiles.work]\n{lines}\n")
    return SmtpProfile.load("work", file)


@pytest.mark.parametrize(
    ("option", "credentials"),
    [
        ("password_env=P", Password.from_env("P")),
        ("password_file=%2Frun%2Fp", Password.from_file("/run/p")),
        ("password_command=pass%20show%20smtp", Password.from_command(["pass", "show", "smtp"])),
        ("password_keyring=smtp.example.org", Password.from_keyring("smtp.example.org", "ada")),
        ("token_env=T", OAuth2.from_env("T")),
        ("token_file=%2Frun%2Ft", OAuth2.from_file("/run/t")),
        ("token_command=oama%20access%20ada", OAuth2.from_command("oama access ada")),
        ("sign_in=work", OAuth2(token=SignedIn("work"))),
        ("client_certificate=true&client_cert=c.pem", ClientCertificate()),
    ],
)
def test_each_reference(tmp_path: Path, option: str, credentials: object) -> None:
    profile = SmtpProfile.from_url(f"smtps://ada@h.example?{option}")
    assert profile.credentials == credentials
    assert pickle.loads(pickle.dumps(profile)) == profile
    key, _, value = option.partition("&")[0].partition("=")
    written = value.replace("%2F", "/").replace("%20", " ")
    tls = 'tls = { client_cert = "c.pem" }' if "certificate" in key else ""
    written = written if key == "client_certificate" else f'"{written}"'
    lines = f'host = "h.example"\nusername = "ada"\n{key} = {written}\n{tls}'
    assert load(tmp_path, lines).credentials == credentials


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("smtps://ada@h.example?password_env=A&token_env=B", "token_env is given besides passw"),
        ("smtps://ada:x@h.example?token_env=B", "has a password, and an option"),
        ("smtps://h.example?password_keyring=smtp", "password_keyring is given without a user"),
        ("smtps://ada@h.example?password_keyring=", "is no service of a keyring entry"),
        ("smtps://ada@h.example?client_certificate=perhaps", "has to be true or false"),
        ("smtps://ada@h.example?client_certificate=true", "tls has no client_cert"),
        ("smtps://ada@h.example?sign_in=..%2Fetc", "is no name of a sign-in"),
        ("smtps://ada@h.example?token_env=", "the name of the access token's environment"),
        ("smtps://ada@h.example?token_file=", "is no usable path of the access token file"),
    ],
)
def test_references_that_are_none(url: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        SmtpProfile.from_url(url)


def test_a_file_may_name_a_provider(tmp_path: Path) -> None:
    profile = load(
        tmp_path, 'provider = "office365"\nusername = "ada@example.org"\ntoken_env = "T"'
    )
    assert profile.host == "smtp.office365.com"
    assert profile.security is Security.STARTTLS
    assert profile.mechanisms == ("XOAUTH2",)
    assert profile.provider is not None
    assert profile.name == "work"
    regional = 'provider = "amazon-ses"\nregion = "eu-west-1"\nusername = "AKIA"\n'
    assert "eu-west-1" in load(tmp_path, regional + 'password_env = "P"').host
    own = 'provider = "gmail"\nhost = "127.0.0.1"\nport = 465\nusername = "a@gmail.com"\n'
    assert load(tmp_path, own + 'password_env = "P"').fallbacks == ()


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('username = "ada"\npassword_env = "P"', "has no host and no provider"),
        ('host = "h.example"\nregion = "eu"', "has a region and no provider"),
        ('provider = "gmial"', "gmial"),
        ("provider = 7", "7"),
        ('provider = "outlook"\nusername = "a@outlook.com"\npassword_env = "P"', "only OAuth2"),
    ],
)
def test_providers_that_cannot_be_used(tmp_path: Path, lines: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        load(tmp_path, lines)
