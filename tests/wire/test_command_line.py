from __future__ import annotations

import io
import json
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mailsend.cli import build_parser, main
from mailsend.cli.exit_codes import MEANINGS, ExitCode
from mailsend.testing import Answer, Close, Hang, SmtpServer

Serve = Callable[..., SmtpServer]
Out = pytest.CaptureFixture[str]

USER, SECRET = "ada@example.org", "s3cret-Pässwörd"


@pytest.fixture
def server(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> SmtpServer:
    """A server that the environment's profile leads to."""
    server = serve("implicit_tls")
    monkeypatch.setenv("MAILSEND_URL", url_for(server))
    monkeypatch.setenv("THE_PASSWORD", SECRET)
    return server


def url_for(server: SmtpServer) -> str:
    user = USER.replace("@", "%40")
    options = f"password_env=THE_PASSWORD&ca_file={server.ca_file}"
    return f"smtps://{user}@localhost:{server.port}?{options}"


def send(*arguments: str) -> int:
    return main(["send", "--to", "bob@example.org", "--subject", "x", *arguments])


def test_demo(capsys: Out) -> None:
    assert main(["demo"]) == ExitCode.OK
    output = capsys.readouterr().out
    assert output.count("AUTH PLAIN <secret>") == 2
    assert output.count("accepted  bob@example.org") == 2
    assert "WRONG" not in output
    assert "correct horse" not in output


def test_demo_without_the_extra(capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)
    monkeypatch.setattr("mailsend.testing.authority._shared", None)
    assert main(["demo"]) == ExitCode.UNAVAILABLE
    assert "mailsend[testing]" in capsys.readouterr().err


def test_a_message_with_everything(server: SmtpServer, tmp_path: Path, capsys: Out) -> None:
    (tmp_path / "page.html").write_text("<p>Grüße</p>", encoding="utf-8")
    (tmp_path / "text.txt").write_text("Grüße\n", encoding="utf-8")
    (tmp_path / "data.bin").write_bytes(bytes(range(256)))
    code = send(
        *("--from", "Ada <ada@example.org>", "--cc", "eve@example.org"),
        *("--bcc", "kim@example.org", "--reply-to", "desk@example.org"),
        *("--text-file", str(tmp_path / "text.txt"), "--html-file", str(tmp_path / "page.html")),
        *("--attach", str(tmp_path / "data.bin"), "-v"),
    )
    shown = capsys.readouterr()
    assert code == ExitCode.OK
    assert shown.out.splitlines() == [
        f"accepted  {name}@example.org  250 2.0.0 Ok: queued as 00000001"
        for name in ("bob", "eve", "kim")
    ]
    assert "C: AUTH PLAIN <secret>" in shown.err
    assert SECRET not in shown.out + shown.err
    (message,) = server.messages
    parsed = message.message()
    assert parsed["Reply-To"] == "desk@example.org"
    assert [part.get_filename() for part in parsed.iter_attachments()] == ["data.bin"]


def test_the_text_comes_from_the_input(server: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("Grüße".encode())))
    assert send() == ExitCode.OK
    assert server.messages[0].message()["From"] == USER
    assert server.messages[0].message().get_content().strip() == "Grüße"


def test_profiles_of_a_file(server: SmtpServer, tmp_path: Path, capsys: Out) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        f'[profiles.work]\nhost = "localhost"\nport = {server.port}\nsecurity = "implicit_tls"\n'
        f'username = "{USER}"\npassword_env = "THE_PASSWORD"\n'
        f'tls = {{ ca_file = "{server.ca_file}" }}\n',
        encoding="utf-8",
    )
    arguments = ["--text", "x", "--config", str(config), "--profile"]
    assert send(*arguments, "work") == ExitCode.OK
    assert send(*arguments, "wrk") == ExitCode.CONFIGURATION
    assert "work" in capsys.readouterr().err


def test_a_dry_run_connects_to_nothing(server: SmtpServer, capsys: Out) -> None:
    assert send("--text", "Hello.", "--dry-run") == ExitCode.OK
    output = capsys.readouterr().out
    assert f"-- server: localhost:{server.port}, implicit_tls as {USER}" in output
    assert "Hello." in output
    assert server.connections == 0


def test_findings_are_told(server: SmtpServer, capsys: Out) -> None:
    assert send("--text", "x", "--url", url_for(server) + "&timeout=5") == ExitCode.OK
    assert "warning: 5 s may be over before a busy server" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("stage", "answer", "code"),
    [
        ("RCPT", Answer("550 5.1.1 Unknown"), ExitCode.NO_USER),
        ("RCPT", Answer("450 4.2.0 Later"), ExitCode.TEMPORARY),
        ("MAIL", Answer("550 5.7.1 Not you"), ExitCode.UNAVAILABLE),
        ("END_OF_DATA", Answer("554 5.7.1 Spam"), ExitCode.UNAVAILABLE),
        ("END_OF_DATA", Answer("451 4.3.0 Later"), ExitCode.TEMPORARY),
        ("END_OF_DATA", Close(), ExitCode.IO_ERROR),
        ("AUTH", Answer("535 5.7.8 Wrong"), ExitCode.NO_PERMISSION),
        ("AUTH", Answer("454 4.7.0 Later"), ExitCode.TEMPORARY),
        ("GREETING", Answer("554 5.3.2 No"), ExitCode.UNAVAILABLE),
        ("GREETING", Answer("SSH-2.0-nothing"), ExitCode.PROTOCOL),
        ("TLS", Close(), ExitCode.TEMPORARY),
    ],
)
@pytest.mark.parametrize("as_json", [True, False])
def test_exit_statuses(
    server: SmtpServer, capsys: Out, stage: str, answer: Answer, code: ExitCode, as_json: bool
) -> None:
    server.on(stage, answer)  # type: ignore[arg-type]  # of the table
    assert send("--text", "x", *(["--json"] if as_json else []), "-v") == code
    shown = capsys.readouterr()
    assert shown.err.splitlines()[-1].startswith("mailsend: ")
    if as_json:
        report = json.loads(shown.out)
        listed = [
            *report["accepted"],
            *report["refused"],
            *report["uncertain"],
            *report["not_sent"],
        ]
        assert listed == ["bob@example.org"]
    else:
        assert shown.out.split()[1] == "bob@example.org"


def test_one_of_two_refused(server: SmtpServer, capsys: Out) -> None:
    server.on("RCPT", Answer("450 4.2.0 Later"), match=b"<eve@")
    # Not TEMPORARY: repeating the command would send a second copy to the one who was accepted.
    assert send("--to", "eve@example.org", "--text", "x") == ExitCode.NO_USER
    assert "refused   eve@example.org  450 4.2.0 Later" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["send", "--no-such"], ExitCode.USAGE, "no-such"),
        (["send", "--text", "x"], ExitCode.DATA, "no recipient"),
        (["send", "--to", "b", "--text", "x"], ExitCode.DATA, "local-part@domain"),
        (["send", "--to", "b@x.org", "--text-file", "/nonexistent"], ExitCode.DATA, "nonexistent"),
        (["send", "--to", "b@x.org", "--text", "x", "--attach", "/none"], ExitCode.DATA, "/none"),
        (["send", "--config", "x", "--text", "x"], ExitCode.CONFIGURATION, "--profile"),
        (["send", "--url", "smtps://a:b@h", "--text", "x"], ExitCode.CONFIGURATION, "password"),
        (["send", "--url", "http://h", "--text", "x"], ExitCode.CONFIGURATION, "scheme"),
        (["send", "--url", "smtps://h", "--to", "b@x.org", "--text", "x"], 78, "--from"),
        ([], ExitCode.USAGE, "COMMAND"),
        (["nothing"], ExitCode.USAGE, "nothing"),
    ],
)
def test_bad_command_lines(
    server: SmtpServer, capsys: Out, arguments: list[str], code: int, words: str
) -> None:
    try:
        status = main(arguments)
    except SystemExit as leaving:  # what argparse finds wrong by itself
        status = int(leaving.code or 0)
    assert status == code
    assert words in capsys.readouterr().err
    assert server.connections == 0


@pytest.mark.usefixtures("server")
def test_text_that_is_not_utf_8(tmp_path: Path, capsys: Out) -> None:
    (tmp_path / "text").write_bytes(b"ab\xff")
    assert send("--text-file", str(tmp_path / "text")) == ExitCode.DATA
    assert "octet 2" in capsys.readouterr().err


def test_without_any_profile(capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAILSEND_URL", "SMTP_HOST"):
        monkeypatch.delenv(name, raising=False)
    assert send("--text", "x") == ExitCode.CONFIGURATION
    assert "MAILSEND_URL" in capsys.readouterr().err


def test_interrupted(server: SmtpServer, capsys: Out) -> None:
    server.on("END_OF_DATA", Hang(), store=True)
    main_thread = threading.get_ident()

    def interrupt() -> None:
        server.wait_until(lambda: bool(server.messages))
        signal.pthread_kill(main_thread, signal.SIGINT)

    other = threading.Thread(target=interrupt)
    other.start()
    try:
        assert send("--text", "x") == ExitCode.INTERRUPTED
    finally:
        other.join()
    assert "uncertain: bob@example.org" in capsys.readouterr().err


def test_version(capsys: Out) -> None:
    assert main(["--version"]) == ExitCode.OK
    assert capsys.readouterr().out.startswith("mailsend 0.")


def test_help_tells_every_status() -> None:
    text = build_parser().format_help()
    assert set(MEANINGS) == set(ExitCode)
    for code, meaning in MEANINGS.items():
        assert f"{code.value:>3}  {meaning}" in text


def test_json_tells_of_settings_and_messages_too(
    capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MAILSEND_URL", "SMTP_HOST"):
        monkeypatch.delenv(name, raising=False)
    assert send("--text", "x", "--json") == ExitCode.CONFIGURATION
    told = json.loads(capsys.readouterr().out)
    assert told["error"]["cause"] == "bad_configuration"
    assert told["error"]["advice"]
    assert told["accepted"] == []
