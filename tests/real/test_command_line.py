"""`mailsend send` as a process of its own, before real servers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote

import pytest

from mailsend import Security

from .client import (
    ALICE,
    BOB,
    CAROL,
    HTML,
    NOBODY,
    OCTETS,
    TEXT,
    TLS_WAYS,
    assert_hidden,
    new_token,
)
from .real_server import Credentials

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .mailbox import Mailbox
    from .real_server import PostfixServer, RealServer

Done: TypeAlias = "subprocess.CompletedProcess[str]"
Source: TypeAlias = tuple[list[str], dict[str, str]]
"""The arguments and the variables that name the server."""

PASSWORD_ENV = "TEST_PASSWORD"  # the variable's name
SCHEMES = {Security.STARTTLS: "smtp", Security.IMPLICIT_TLS: "smtps"}


def run(arguments: list[str], variables: dict[str, str], *, text: str = "from the input\n") -> Done:
    ours = ("SMTP_", "MAILSEND_URL", "MAILSEND_CONFIG", "SSL_CERT_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        [sys.executable, "-m", "mailsend", "send", *arguments],
        env={**kept, "PYTHONIOENCODING": "utf-8", **variables},
        input=text,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def port_of(server: RealServer, way: Security) -> int:
    implicit = way is Security.IMPLICIT_TLS
    return server.ports.implicit_tls if implicit else server.ports.submission


def url(
    server: RealServer,
    way: Security,
    user: Credentials | None,
    *,
    port: int | None = None,
    options: str = "",
    with_password: bool = False,
) -> str:
    who = ""
    if user is not None:
        secret = f":{quote(user.password, safe='')}" if with_password else ""
        who = f"{quote(user.username, safe='')}{secret}@"
    target = f"{SCHEMES[way]}://{who}{server.host}:{port or port_of(server, way)}"
    return f"{target}?ca_file={quote(str(server.ca_file))}{options}"


def by_url_variable(server: RealServer, way: Security, user: Credentials, _: Path) -> Source:
    return [], {"MAILSEND_URL": url(server, way, user, with_password=True)}


def by_variables(server: RealServer, way: Security, user: Credentials, _: Path) -> Source:
    return [], {
        "SMTP_HOST": server.host,
        "SMTP_PORT": str(port_of(server, way)),
        "SMTP_SECURITY": way.value,
        "SMTP_USERNAME": user.username,
        "SMTP_PASSWORD": user.password,
        "SSL_CERT_FILE": str(server.ca_file),
    }


def by_url(server: RealServer, way: Security, user: Credentials, _: Path) -> Source:
    address = url(server, way, user, options=f"&password_env={PASSWORD_ENV}")
    return ["--url", address], {PASSWORD_ENV: user.password}


def by_profile(server: RealServer, way: Security, user: Credentials, folder: Path) -> Source:
    config = folder / "profiles.toml"
    config.write_text(
        f"""
        [profiles.work]
        host = "{server.host}"
        port = {port_of(server, way)}
        security = "{way.value}"
        username = "{user.username}"
        password_env = "{PASSWORD_ENV}"
        [profiles.work.tls]
        ca_file = "{server.ca_file}"
        """
    )
    return ["--profile", "work", "--config", str(config)], {PASSWORD_ENV: user.password}


sources = pytest.mark.parametrize("source", [by_url_variable, by_variables, by_url, by_profile])
ways = pytest.mark.parametrize("way", TLS_WAYS)


def read(box: Mailbox, token: str) -> EmailMessage:
    return message_from_bytes(box.wait_for_content(token), EmailMessage, policy=policy.default)


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    text = part.get_content()
    assert isinstance(text, str)
    return text.replace("\r\n", "\n")


@ways
@sources
@pytest.mark.parametrize("user", ["alice", "bob"])
def test_text_html_and_an_attachment_arrive(
    postfix: PostfixServer,
    way: Security,
    source: Callable[..., Source],
    user: str,
    tmp_path: Path,
) -> None:
    account: Credentials = getattr(postfix, user)
    arguments, variables = source(postfix, way, account, tmp_path)
    (tmp_path / "letter.txt").write_text(TEXT)
    (tmp_path / "letter.html").write_text(HTML)
    (tmp_path / "octets.bin").write_bytes(OCTETS)
    token = new_token()
    done = run(
        [
            *arguments,
            *("--to", f"Carol <{CAROL}>", "--bcc", BOB, "--subject", f"Grüße {token}"),
            *("--text-file", str(tmp_path / "letter.txt")),
            *("--html-file", str(tmp_path / "letter.html")),
            *("--attach", str(tmp_path / "octets.bin"), "-v"),
        ],
        variables,
    )
    assert done.returncode == 0, done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["accepted", CAROL],
        ["accepted", BOB],
    ]
    assert "S: 235 2.7.0 Authentication successful" in done.stderr
    assert_hidden(account, done.stdout, done.stderr)
    for box in ("carol", "bob"):
        message = read(postfix.mailbox(box), token)
        assert message["From"] == account.username  # there was no --from
        assert message["Subject"] == f"Grüße {token}"
        assert message["Bcc"] is None
        assert body(message, "plain") == TEXT
        assert body(message, "html") == HTML
        (attachment,) = message.iter_attachments()
        assert attachment.get_filename() == "octets.bin"
        assert attachment.get_content() == OCTETS


@pytest.mark.parametrize("arguments", [[], ["--text-file", "-"]])
def test_the_text_comes_from_the_input(server: RealServer, arguments: list[str]) -> None:
    token = new_token()
    source = url(server, Security.STARTTLS, server.alice, with_password=True)
    done = run([*arguments, "--to", BOB, "--subject", token], {"MAILSEND_URL": source}, text=TEXT)
    assert done.returncode == 0, done.stderr
    assert body(read(server.mailbox("bob"), token), "plain") == TEXT


def test_a_report_in_json(server: RealServer) -> None:
    token = new_token()
    source = url(server, Security.STARTTLS, server.alice, with_password=True)
    done = run(
        ["--to", BOB, "--to", NOBODY, "--subject", token, "--text", "x", "--json"],
        {"MAILSEND_URL": source},
    )
    assert done.returncode == 67, done.stderr
    facts = json.loads(done.stdout)
    assert facts["accepted"] == [BOB]
    assert list(facts["refused"]) == [NOBODY]
    assert facts["refused"][NOBODY].startswith(str(server.replies.unknown_recipient))
    assert facts["endpoint"] == f"{server.host}:{server.ports.submission}"
    assert f"id {facts['queue_id']}".encode() in server.mailbox("bob").wait_for(token)


def test_a_report_in_json_where_no_session_could_be_opened(postfix: PostfixServer) -> None:
    wrong = Credentials(ALICE, "wr0ng-hunter2-Pa55")
    source = url(postfix, Security.STARTTLS, wrong, with_password=True)
    done = run(["--to", BOB, "--text", "x", "--json"], {"MAILSEND_URL": source})
    assert done.returncode == 77, done.stderr
    assert json.loads(done.stdout)["not_sent"] == [BOB]


@ways
@sources
def test_a_wrong_password(
    postfix: PostfixServer, way: Security, source: Callable[..., Source], tmp_path: Path
) -> None:
    wrong, token = Credentials(ALICE, "wr0ng-hunter2-Pa55"), new_token()
    arguments, variables = source(postfix, way, wrong, tmp_path)
    done = run([*arguments, "--to", BOB, "--text", token, "-v"], variables)
    assert done.returncode == 77, done.stderr
    assert done.stderr.count("C: AUTH") == 1
    assert "535 5.7.8" in done.stderr
    assert "Traceback" not in done.stderr
    assert_hidden(wrong, done.stdout, done.stderr)
    assert postfix.mailbox("bob").stored_with(token) == []


@pytest.mark.parametrize(
    ("recipients", "status", "accepted"),
    [
        ([BOB], 0, [BOB]),
        ([NOBODY, BOB], 67, [BOB]),
        ([NOBODY], 67, []),
        (["greylist@example.test"], 75, []),
        (["greylist@example.test", "tempfail@example.test"], 75, []),
        (["hold421@example.test"], 75, []),
        (["bob"], 65, []),
    ],
)
def test_the_exit_status_tells_what_became_of_the_recipients(
    server: RealServer, recipients: list[str], status: int, accepted: list[str]
) -> None:
    token = new_token()
    source = url(server, Security.STARTTLS, None, port=server.ports.refusing)
    to = [word for recipient in recipients for word in ("--to", recipient)]
    done = run(
        ["--url", source, "--from", ALICE, *to, "--subject", token, "--text", "x", "--json"], {}
    )
    assert done.returncode == status, done.stderr
    assert json.loads(done.stdout)["accepted"] == accepted
    if accepted:
        server.mailbox("bob").wait_for(token)


@pytest.mark.parametrize(
    ("listener", "status", "words"),
    [
        ("expired", 76, "it has expired (valid from "),
        ("wrong_host", 76, "it is for "),
        ("self_signed", 76, "self-signed certificate"),
        ("auth_without_tls", 76, "does not offer STARTTLS"),
        ("mx", 77, "offers no authentication"),
    ],
)
def test_no_password_for_a_server_that_may_not_have_it(
    postfix: PostfixServer, listener: str, status: int, words: str
) -> None:
    port = getattr(postfix.ports, listener)
    source = url(postfix, Security.STARTTLS, postfix.alice, port=port, with_password=True)
    done = run(["--to", BOB, "--text", "x", "-v"], {"MAILSEND_URL": source})
    assert done.returncode == status, done.stderr
    assert words in done.stderr
    assert "C: AUTH" not in done.stderr
    assert_hidden(postfix.alice, done.stdout, done.stderr)


def test_a_host_that_is_none() -> None:
    done = run(["--url", "smtps://nosuch.invalid", "--from", ALICE, "--to", BOB], {})
    assert done.returncode == 68, done.stderr
    assert "nosuch.invalid" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_password_on_the_command_line_is_refused(postfix: PostfixServer) -> None:
    source = url(postfix, Security.STARTTLS, postfix.alice, with_password=True)
    done = run(["--url", source, "--to", BOB], {})
    assert done.returncode == 78
    assert_hidden(postfix.alice, done.stdout, done.stderr)


@ways
def test_a_dry_run_connects_to_nothing(way: Security, tmp_path: Path) -> None:
    (tmp_path / "octets.bin").write_bytes(OCTETS)
    with socket.create_server(("localhost", 0)) as listener:
        target = f"localhost:{listener.getsockname()[1]}"
        done = run(
            [
                *("--to", BOB, "--bcc", CAROL, "--subject", "draft", "--dry-run"),
                *("--attach", str(tmp_path / "octets.bin")),
            ],
            {"MAILSEND_URL": f"{SCHEMES[way]}://alice%40example.test:dry-s3cret@{target}"},
        )
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert done.returncode == 0, done.stderr
    assert f"-- server: {target}, {way.value} as {ALICE}" in done.stdout
    assert f"-- to: {BOB}, {CAROL}" in done.stdout
    assert "Subject: draft" in done.stdout
    assert "from the input" in done.stdout
    assert_hidden(Credentials(ALICE, "dry-s3cret"), done.stdout, done.stderr)
