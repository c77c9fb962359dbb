"""SmtpProfile.from_url()."""

# ruff: noqa: E501 - a table is read by its rows
from __future__ import annotations

import ssl
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

TLS, STARTTLS, PLAIN = Security.IMPLICIT_TLS, Security.STARTTLS, Security.INSECURE_PLAINTEXT


@pytest.mark.parametrize(
    ("url", "settings"),
    [
        ("smtps://smtp.example.org", {"port": 465, "security": TLS}),
        ("smtps://smtp.example.org/", {"port": 465, "security": TLS}),
        ("SMTPS://smtp.example.org:", {"port": 465, "security": TLS}),
        ("smtp://smtp.example.org", {"port": 587, "security": STARTTLS}),
        ("smtp://smtp.example.org:25", {"port": 25, "security": STARTTLS}),
        ("smtp+insecure://smtp.example.org", {"port": 25, "security": PLAIN}),
        ("smtps://smtp.example.org:10465", {"port": 10465, "security": TLS}),
        ("smtps://[2001:db8::1]:465", {"host": "2001:db8::1", "port": 465}),
        ("smtps://[::1]", {"host": "::1"}),
        ("smtps://bücher.example", {"host": "xn--bcher-kva.example"}),
        ("smtps://@smtp.example.org", {"username": None, "credentials": None}),
        (
            "smtps://ada%40example.org:s3cret@smtp.example.org:465",
            {"username": "ada@example.org", "credentials": Password("s3cret")},
        ),
        (
            "smtps://ada:p%40ss%3A%2Fw%23%3F%25%26%2B%20x@smtp.example.org",
            {"credentials": Password("p@ss:/w#?%&+ x")},
        ),
        ("smtps://ada:a:b@smtp.example.org", {"credentials": Password("a:b")}),
        ("smtps://ada:a+b@smtp.example.org", {"credentials": Password("a+b")}),
        ("smtps://ada:gr%C3%BC%C3%9F@smtp.example.org", {"credentials": Password("grüß")}),
        (
            "smtps://ada@smtp.example.org?password_env=MY_PASSWORD",
            {"credentials": Password.from_env("MY_PASSWORD")},
        ),
        (
            "smtps://ada@smtp.example.org?password_file=%2Frun%2Fsecrets%2Fsmtp",
            {"credentials": Password.from_file("/run/secrets/smtp")},
        ),
        (
            "smtps://ada@smtp.example.org?password_command=pass%20show%20smtp",
            {"credentials": Password.from_command(["pass", "show", "smtp"])},
        ),
        ("smtps://smtp.example.org?timeout=20", {"timeouts": Timeouts.uniform(20)}),
        ("smtps://smtp.example.org?timeout.data=5", {"timeouts": Timeouts(data=5)}),
        (
            "smtps://smtp.example.org?timeout=20&timeout.end_of_data=600&timeout.total=900",
            {
                "timeouts": Timeouts(
                    connect=20, greeting=20, tls=20, auth=20, command=20, data=20, total=900
                )
            },
        ),
        ("smtps://smtp.example.org?client_name=host.example.org", {"client_name": "host.example.org"}),
        ("smtps://smtp.example.org?mechanisms=LOGIN,plain", {"mechanisms": ("LOGIN", "PLAIN")}),
        ("smtps://smtp.example.org?disabled_extensions=CHUNKING", {"disabled_extensions": ("CHUNKING",)}),
        ("smtps://smtp.example.org?name=work&", {"name": "work"}),
        (
            "smtps://smtp.example.org?ca_file=/ca.pem&minimum_version=1.3&relaxed_x509=true",
            {
                "tls": TlsOptions(
                    ca_file=Path("/ca.pem"),
                    minimum_version=ssl.TLSVersion.TLSv1_3,
                    relaxed_x509=True,
                )
            },
        ),
        (
            "smtp://smtp.example.org?fallbacks=smtps://smtp.example.org,smtp://mx2.example.org:2525",
            {
                "fallbacks": (
                    Endpoint("smtp.example.org", 465, TLS),
                    Endpoint("mx2.example.org", 2525, STARTTLS),
                )
            },
        ),
        ("smtps://[::1]?fallbacks=smtp://[::1]", {"fallbacks": (Endpoint("::1", 587, STARTTLS),)}),
        ("smtps://smtp.example.org?relaxed_x509=no", {"tls": TlsOptions()}),
        (
            f"smtps://smtp.example.org?pinned_sha256={'ab' * 32},{'cd' * 32}",
            {"tls": TlsOptions(pinned_sha256=("ab" * 32, "cd" * 32))},
        ),
        (
            "smtps://smtp.example.org?reply_lines=10&recipients=50",
            {"limits": Limits(reply_lines=10, recipients=50)},
        ),
        (
            "smtp+insecure://ada:x@localhost:2525?allow_plaintext_credentials=yes",
            {"allow_plaintext_credentials": True, "port": 2525},
        ),
    ],
)  # fmt: skip
def test_valid_urls(url: str, settings: dict[str, Any]) -> None:
    profile = SmtpProfile.from_url(url)
    for name, value in settings.items():
        assert getattr(profile, name) == value, name


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "no scheme"),
        ("smtp.example.org", "no scheme"),
        ("smtp.example.org:465", "no scheme"),
        ("smtps:smtp.example.org", "no scheme"),
        ("ada:s3cret@smtp.example.org", "no scheme"),
        ("://smtp.example.org", "scheme"),
        ("http://smtp.example.org", "scheme that is not one of smtps, smtp"),
        ("smtp+tls://smtp.example.org", "scheme"),
        ("smtp+ssl://smtp.example.org", "scheme"),
        ("submission://smtp.example.org", "scheme"),
        ("smtps://", "host"),
        ("smtps://ada:x@", "host"),
        ("smtps://:465", "host"),
        ("smtps://smtp.example.org:0465x", "port"),
        ("smtps://smtp.example.org:٤٦٥", "port"),
        ("smtps://smtp.example.org:-1", "port"),
        ("smtps://smtp.example.org:99999", "port"),
        ("smtps://smtp.example.org:465465", "port"),
        ("smtps://smtp.example.org/inbox", "path"),
        ("smtps://smtp.example.org#x", "%23"),
        ("smtps://ada:s#cret@smtp.example.org", "%23"),
        ("smtps://ada:s/cret@smtp.example.org", "path|port"),
        ("smtps://ada:s?cret@smtp.example.org", "port|option"),
        ("smtps://ada:s@cret@smtp.example.org", "more than one @"),
        ("smtps://2001:db8::1", "more than one @ or :|port"),
        ("smtps://[2001:db8::1", "more than one @ or :"),
        ("smtps://[smtp.example.org]", "host"),
        ("smtps://smtp example.org", "space or a control"),
        ("smtps://smtp.example.org\n", "space or a control"),
        ("smtps://smtp.example.org\0", "space or a control"),
        ("smtps://ada:100%@smtp.example.org", "% that begins no"),
        ("smtps://ada:%zz@smtp.example.org", "% that begins no"),
        ("smtps://ada:%ff@smtp.example.org", "not UTF-8"),
        ("smtps://ada:a%0Ab@smtp.example.org", "control character"),
        ("smtps://a%0Ada:x@smtp.example.org", "username contains a control"),
        ("smtps://ada@smtp.example.org", "without credentials"),
        ("smtps://ada:@smtp.example.org", "without credentials"),
        ("smtps://:x@smtp.example.org", "without username"),
        ("smtp+insecure://ada:x@smtp.example.org", "without encryption"),
        (
            "smtp+insecure://ada:x@smtp.example.org?allow_plaintext_credentials=1",
            "not a loopback address",
        ),
        ("smtps://ada:x@smtp.example.org?password_env=Y", "another one"),
        (
            "smtps://ada@smtp.example.org?password_env=Y&password_file=Z",
            "password_file is given besides password_env",
        ),
        ("smtps://smtp.example.org?fallbacks=smtp+insecure://smtp.example.org", "no encryption"),
        ("smtps://smtp.example.org?fallbacks=smtp.example.org:587", "of the form smtps"),
        ("smtps://smtp.example.org?fallbacks=smtps://ada:x@smtp.example.org", "of the form smtps"),
        ("smtps://smtp.example.org?fallbacks=smtps://h.example:99999", "65535"),
        ("smtps://smtp.example.org?fallbacks=", "of the form smtps"),
        ("smtps://smtp.example.org?timeot=5", "Did you mean timeout"),
        ("smtps://smtp.example.org?client-name=x", "Did you mean client_name"),
        ("smtps://smtp.example.org?verify=false", "unknown option 'verify'"),
        ("smtps://smtp.example.org?tls=false", "unknown option 'tls'"),
        ("smtps://smtp.example.org?password=x", "unknown option 'password'"),
        ("smtps://smtp.example.org?timeout=1&timeout=2", "twice"),
        ("smtps://smtp.example.org?timeout=1&time%6Fut=2", "twice"),
        ("smtps://smtp.example.org?timeout=", "timeout"),
        ("smtps://smtp.example.org?timeout=abc", "timeout"),
        ("smtps://smtp.example.org?timeout=-1", "number of seconds"),
        ("smtps://smtp.example.org?timeout=nan", "number of seconds"),
        ("smtps://smtp.example.org?timeout.data=inf", "number of seconds"),
        ("smtps://smtp.example.org?timeout=1_0", "no number"),
        ("smtps://smtp.example.org?recipients=1.5", "recipients"),
        ("smtps://smtp.example.org?recipients=0", "recipients"),
        ("smtps://smtp.example.org?relaxed_x509=maybe", "true or false"),
        ("smtps://smtp.example.org?relaxed_x509", "true or false"),
        ("smtps://smtp.example.org?minimum_version=1.0", "minimum_version"),
        ("smtps://smtp.example.org?pinned_sha256=ab", "pinned_sha256"),
        ("smtps://smtp.example.org?client_name=", "client_name is empty"),
        ("smtps://smtp.example.org?client_name=a%0D%0Ab", "client_name"),
        ("smtps://smtp.example.org?mechanisms=NTLM", "NTLM"),
    ],
)
def test_invalid_urls(url: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        SmtpProfile.from_url(url)


@pytest.mark.parametrize("url", [None, 5, b"smtps://smtp.example.org", ["smtps://h"]])
def test_a_url_is_a_string(url: object) -> None:
    with pytest.raises(ConfigurationError, match="URL of the SMTP server has to be a string"):
        SmtpProfile.from_url(url)  # type: ignore[arg-type]


def test_options_name_only_what_exists() -> None:
    from mailsend.profile.url import OPTIONS, read_url
    from mailsend.secret import Hidden

    assert "password" not in OPTIONS
    for option in OPTIONS:
        # Known: whatever is wrong with the value, it is not the name.
        refusal = ""
        try:
            read_url(Hidden(f"smtps://h.example?{option}=1"))
        except ConfigurationError as error:
            refusal = str(error)
        assert "unknown" not in refusal, option
