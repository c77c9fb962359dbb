"""No error, text, log line or frame of the library shows a secret.

Crash reporters print the local variables of every frame. The frames of the caller are the
caller's; those of the library must not hold a secret when an exception leaves it.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import mailsend
from mailsend import ConfigurationError, Password, SmtpProfile

SECRET = "Zx9-s3cret"
SOURCES = str(Path(mailsend.__file__).parent)


def shown(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - as of an object whose __init__ raised
        return "<no representation>"


def frames_that_show(error: BaseException) -> Iterator[str]:
    """The library's frames, in the whole chain of an error, whose variables show the secret."""
    link: BaseException | None = error
    while link is not None:
        for frame, _ in traceback.walk_tb(link.__traceback__):
            if frame.f_code.co_filename.startswith(SOURCES):
                for name, value in frame.f_locals.items():
                    if SECRET in shown(value):
                        yield f"{frame.f_code.co_name}: {name}"
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def words_of(error: BaseException) -> str:
    chain: list[str] = []
    link: BaseException | None = error
    while link is not None:
        chain += [str(link), repr(link), ascii(link.args)]
        if isinstance(link, ConfigurationError):
            chain.append(json.dumps(link.facts()))
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return "\n".join(chain)


def check(call: Callable[[], object]) -> None:
    with pytest.raises((ConfigurationError, TypeError)) as caught:
        call()
    assert SECRET not in words_of(caught.value)
    assert list(frames_that_show(caught.value)) == []


def test_the_search_itself_finds_what_it_looks_for() -> None:
    with pytest.raises(ConfigurationError) as caught:
        SmtpProfile(host=f"{SECRET} with spaces")
    assert list(frames_that_show(caught.value)) == ["check_host: host", "check_host: bare",
                                                    "check_host: ascii_host",
                                                    "check_host: labels"]  # fmt: skip
    assert SECRET in words_of(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        f"smtps://ada:{SECRET}@h.example:99999",
        f"smtps://ada:{SECRET}@h.example:x",
        f"http://ada:{SECRET}@h.example",
        f"ada:{SECRET}@h.example",
        f"smtps://ada:{SECRET}@",
        f"smtps://ada:{SECRET}@h example",
        f"smtps://ada:{SECRET}@h.example\n",
        f"smtps://ada:{SECRET}%zz@h.example",
        f"smtps://ada:{SECRET}%ff@h.example",
        f"smtps://ada:{SECRET}%0A@h.example",
        f"smtps://ada:{SECRET}{'x' * 5000}@h.example",
        f"smtps://a%0Ada:{SECRET}@h.example",
        f"smtps://:{SECRET}@h.example",
        f"smtps://ada:x@{SECRET}@h.example",
        f"smtps://ada:x/{SECRET}@h.example",
        f"smtps://ada:x?{SECRET}@h.example",
        f"smtps://ada:x#{SECRET}@h.example",
        f"smtps://ada@h.example:{SECRET}",
        f"smtps://ada:{SECRET}@[::1",
        f"smtps://ada:{SECRET}@h.example/path",
        f"smtps://ada:{SECRET}@h.example?no_such=1",
        f"smtps://ada:{SECRET}@h.example?timeout=1&timeout=2",
        f"smtps://ada:{SECRET}@h.example?timeout=-1",
        f"smtps://ada:{SECRET}@h.example?ca_file=%00",
        f"smtps://ada:{SECRET}@h.example?mechanisms=NTLM",
        f"smtps://ada:{SECRET}@h.example?password_env=P",
        f"smtps://ada@h.example?password={SECRET}",
        f"smtps://ada@h.example?timeout=x&password={SECRET}",
        f"smtp+insecure://ada:{SECRET}@h.example",
        f"smtp+insecure://ada:{SECRET}@h.example?allow_plaintext_credentials=1",
    ],
)
def test_urls(url: str) -> None:
    check(lambda: SmtpProfile.from_url(url))
    check(lambda: SmtpProfile.from_env({"MAILSEND_URL": url}))


@pytest.mark.parametrize(
    "settings",
    [
        {"SMTP_PORT": "x"},
        {"SMTP_PORT": "99999"},
        {"SMTP_SECURITY": "x"},
        {"SMTP_HOST": "h example"},
        {"SMTP_HOST": ""},
        {"SMTP_USERNAME": ""},
        {"SMTP_PASSWORD": SECRET + "\n"},
        {"SMTP_SECURITY": "insecure-plaintext"},
    ],
)
def test_environments(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {
        "SMTP_HOST": "h.example",
        "SMTP_USERNAME": "ada",
        "SMTP_PASSWORD": SECRET,
        **settings,
    }
    check(lambda: SmtpProfile.from_env(environ))
    if settings.get("SMTP_PASSWORD") is None:
        monkeypatch.delenv("MAILSEND_URL", raising=False)
        monkeypatch.delenv("SMTP_SECURITY", raising=False)
        monkeypatch.delenv("SMTP_PORT", raising=False)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        check(SmtpProfile.from_env)


def test_the_environment_is_not_shown_for_a_variable_that_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOME_OTHER_SECRET", SECRET)
    monkeypatch.delenv("MAILSEND_TEST_PASSWORD", raising=False)
    check(Password.from_env("MAILSEND_TEST_PASSWORD").reveal)


@pytest.mark.parametrize(
    "lines",
    [
        f'password = "{SECRET}\\n"',
        f'password = ["{SECRET}"]',
        f'password = "{SECRET}"\npassword_env = "P"',
        f'password = "{SECRET}"\nno_such = 1',
        f'passwort = "{SECRET}"',
        f'password = "{SECRET}"\nsecurity = "x"',
        f'password = "{SECRET}"\nport = 99999',
        f'password = "{SECRET}"\ntimeout = "x"',
        f'password = "{SECRET}"\ntimeouts = {{ data = -1 }}',
        f'password = "{SECRET}"\ntls = {{ minimum_version = "1.0" }}',
        f'password = "{SECRET}"\nlimits = 5',
        f'password = "{SECRET}"\nmechanisms = ["NTLM"]',
        f'password = "{SECRET}"\nhost = "twice.example"',
        f'password = "{SECRET}',
        f"password = {SECRET}",
    ],
)
def test_files(lines: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'[profiles.work]\nhost = "h.example"\nusername = "ada"\n{lines}\n')
    file.chmod(0o600)
    check(lambda: SmtpProfile.load("work", file))


def test_another_profile_of_the_file_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        f'[profiles.work]\nhost = "h.example"\npassword = "{SECRET}"\n[profiles.home]\nport = 1\n'
    )
    file.chmod(0o600)
    check(lambda: SmtpProfile.load("wrok", file))
    check(lambda: SmtpProfile.load("home", file))


def test_a_traceback_with_variables_can_be_printed() -> None:
    # Python 3.11 gives up where the representation of a variable raises.
    with pytest.raises(ConfigurationError) as caught:
        Password(SECRET + "\n")
    printed = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in printed.stack if frame.filename.startswith(SOURCES)]
    assert ours
    assert all(SECRET not in text for frame in ours for text in (frame.locals or {}).values())


@pytest.mark.parametrize("end", ["\n", "\0", "\x7f", "\ud800", "x" * 5000])
def test_passwords(end: str) -> None:
    check(lambda: Password(SECRET + end))


def test_passwords_of_another_type() -> None:
    check(lambda: Password(SECRET.encode()))  # type: ignore[arg-type]
    check(lambda: Password([SECRET]))  # type: ignore[arg-type]


@pytest.mark.parametrize("octets", [b"\n\n", b"\0", b"\xff", b"x" * 5000])
def test_password_files(octets: bytes, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes(SECRET.encode() + octets)
    file.chmod(0o600)
    check(Password.from_file(file).reveal)


@pytest.mark.parametrize(
    "action",
    [
        "raise SystemExit(3)",
        "sys.stdout.write(chr(9))",
        "sys.stdout.flush(); sys.stdout.buffer.write(bytes([255]))",
        "sys.stdout.write('x' * 5000)",
        "sys.stdout.flush(); import time; time.sleep(60)",
    ],
)
def test_password_commands(action: str) -> None:
    # The secret is what the command prints, and stands in no argument of it.
    halves = f"{SECRET[:4]!r} + {SECRET[4:]!r}"
    command = [sys.executable, "-c", f"import sys; sys.stdout.write({halves}); {action}"]
    check(lambda: Password.from_command(command).reveal(timeout=0.5))


def test_the_words_of_a_command_are_not_shown() -> None:
    for call in (
        Password.from_command(["/nonexistent/program", SECRET]).reveal,
        lambda: Password.from_command(f"echo '{SECRET}"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            call()
        assert SECRET not in words_of(caught.value)


def test_credentials_that_are_no_password() -> None:
    with pytest.raises(ConfigurationError) as caught:
        SmtpProfile(host="h.example", username="ada", credentials=SECRET)  # type: ignore[arg-type]
    assert SECRET not in words_of(caught.value)


def test_nothing_written_about_a_profile_shows_it() -> None:
    profile = SmtpProfile.from_url(f"smtp://ada:{SECRET}@h.example:465?client_name=laptop")
    assert SECRET not in repr(profile)
    assert SECRET not in " ".join(map(str, profile.check()))
    assert SECRET not in repr(profile.check())
