"""What ``mailsend send`` can ask of a server."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mailsend.cli import main
from mailsend.cli.exit_codes import ExitCode
from mailsend.testing import DEFAULT_EXTENSIONS, SmtpServer

Serve = Callable[..., SmtpServer]
Out = pytest.CaptureFixture[str]

USER, SECRET = "ada@example.org", "s3cret-Pässwörd"
ALL = (
    *("--notify", "success,failure", "--return", "headers", "--envelope-id", "order 4711"),
    *("--require-tls", "--hold-for", "3600"),
)


@pytest.fixture
def server(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> SmtpServer:
    offered = (*DEFAULT_EXTENSIONS, "DSN", "REQUIRETLS", "FUTURERELEASE 3600 2030-01-01T00:00:00Z")
    server = serve("implicit_tls", extensions=offered)
    user = USER.replace("@", "%40")
    options = f"password_env=THE_PASSWORD&ca_file={server.ca_file}"
    monkeypatch.setenv("MAILSEND_URL", f"smtps://{user}@localhost:{server.port}?{options}")
    monkeypatch.setenv("THE_PASSWORD", SECRET)
    return server


def send(*arguments: str) -> int:
    return main(["send", "--to", "bob@example.org", "--subject", "x", "--text", "x", *arguments])


def test_all_is_asked_for(server: SmtpServer) -> None:
    assert send(*ALL) == ExitCode.OK
    (message,) = server.messages
    assert message.mail_parameters[1:] == (
        "RET=HDRS", "ENVID=order+204711", "REQUIRETLS", "HOLDFOR=3600",
    )  # fmt: skip
    assert message.rcpt_parameters == (("NOTIFY=SUCCESS,FAILURE",),)


def test_a_dry_run_tells_it(server: SmtpServer, capsys: Out) -> None:
    assert send(*ALL, "--dry-run") == ExitCode.OK
    assert (
        "-- asked of the server: notify success,failure, return headers, envelope-id order 4711, "
        "require-tls True, hold-for 3600\n"
    ) in capsys.readouterr().out
    assert send("--dry-run") == ExitCode.OK
    assert "asked of the server" not in capsys.readouterr().out
    assert server.connections == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--notify", "sometimes"], ExitCode.DATA, "success,failure,delay"),
        (["--notify", ""], ExitCode.DATA, "--notify"),
        (["--notify", "never,delay"], ExitCode.DATA, "Notify.NEVER"),
        (["--envelope-id", "ü"], ExitCode.DATA, "envelope_id"),
        (["--hold-for", "0"], ExitCode.DATA, "hold_for"),
        (["--hold-for", "3601"], ExitCode.UNAVAILABLE, "FUTURERELEASE"),
    ],
)
def test_what_cannot_be_asked_for(
    server: SmtpServer, capsys: Out, arguments: list[str], code: ExitCode, words: str
) -> None:
    assert send(*arguments) == code
    assert words in capsys.readouterr().err
    assert server.messages == ()


@pytest.mark.parametrize("arguments", [["--return", "body"], ["--hold-for", "soon"], ["--notify"]])
def test_the_usage(server: SmtpServer, capsys: Out, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        send(*arguments)
    assert left.value.code == ExitCode.USAGE
    assert arguments[0] in capsys.readouterr().err
    assert server.connections == 0


def test_rare_forms_of_addresses(server: SmtpServer, capsys: Out) -> None:
    rare = ("--to", '"ada lovelace"@example.org', "--cc", "eve@[192.0.2.1]")
    assert send(*rare) == ExitCode.DATA
    assert "quoted_local_parts" in capsys.readouterr().err
    named = (*rare, "--quoted-local-parts", "--address-literals")
    assert send(*named, "--dry-run") == ExitCode.OK
    assert send(*named) == ExitCode.OK
    (message,) = server.messages
    assert message.recipients[1:] == ('"ada lovelace"@example.org', "eve@[192.0.2.1]")
