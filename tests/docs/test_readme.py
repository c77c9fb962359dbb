"""Every example of the README runs; its two commands are those that CI runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailsend import AuthenticationError, Endpoint, Reply, Security, SmtpProfile, Stage
from mailsend.smtp.witness import Witness
from mailsend.testing import SmtpServer
from mailsend.transcript import Transcript

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
SECRET = "of the README's test"


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer(security="implicit_tls", users={"ada@fastmail.com": SECRET}) as running:
        yield running


def run(code: str, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=folder,
        env={**os.environ, "SMTP_PASSWORD": SECRET, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_python_examples_run(number: int, server: SmtpServer, tmp_path: Path) -> None:
    (tmp_path / "minutes.pdf").write_bytes(b"%PDF-1.7 minutes")
    code = BLOCKS[number]
    # The only change: the provider's place is taken by a server on this machine, whose authority
    # stands in the system's trust store.
    code = code.replace('"smtp.fastmail.com", port=465', f'"localhost", port={server.port}')
    output = run(code, tmp_path, SSL_CERT_FILE=str(server.ca_file))
    if "minutes.pdf" in code:
        assert output.startswith("('bob@example.org',) {} ")
        (message,) = server.messages
        attachment = next(message.message().iter_attachments())
        assert attachment.get_filename() == "minutes.pdf"
    for comment in re.findall(r"# (\S+@\S+ [2-5].*|\w+_\w+(?: \w+)?)$", code, re.MULTILINE):
        assert comment in output


def test_the_ten_lines_are_ten() -> None:
    assert len(BLOCKS[0].strip().splitlines()) <= 10


def test_the_shell_example_runs(server: SmtpServer, tmp_path: Path) -> None:
    (block,) = re.findall(
        r"^```console\nexport .*?\n(mailsend .*?)\n```$", README, re.DOTALL | re.MULTILINE
    )
    (tmp_path / "minutes.pdf").write_bytes(b"%PDF-1.7 minutes")
    url = f"smtps://ada%40fastmail.com@localhost:{server.port}?password_env=SMTP_PASSWORD"
    done = subprocess.run(
        block.replace("mailsend", f"{sys.executable} -m mailsend", 1),
        shell=True,
        cwd=tmp_path,
        env={
            **os.environ,
            "MAILSEND_URL": url,
            "SMTP_PASSWORD": SECRET,
            "SSL_CERT_FILE": str(server.ca_file),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "accepted  bob@example.org" in done.stdout


@pytest.mark.parametrize("name", ["demo", "tests"])
def test_the_commands_are_one_line_each(name: str) -> None:
    found = re.findall(rf"<!-- command: {name} -->\n```console\n(.*)\n```", README)
    assert len(found) == 1


def test_the_second_command_is_what_ci_runs() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "<!-- command: tests -->" in script  # read from the README, not written again


@pytest.mark.parametrize("file", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"])
def test_links_to_files_lead_somewhere(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (ROOT / target).exists(), target


def test_the_profile_file_can_be_read(tmp_path: Path) -> None:
    (block,) = re.findall(r"^```toml\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    file = tmp_path / "config.toml"
    file.write_text(block, encoding="utf-8")
    profile = SmtpProfile.load("work", file)
    assert profile.security is Security.STARTTLS
    assert profile.timeouts.total == 120
    assert profile.check() == ()


def test_the_error_that_is_shown_is_the_one_that_comes() -> None:
    endpoint = Endpoint("smtp-mail.outlook.com", 587, Security.STARTTLS)
    error = Witness(endpoint, Transcript()).refusal(
        AuthenticationError,
        "the server refused to authenticate ada@outlook.com by PLAIN",
        Stage.AUTH,
        Reply.parse("535 5.7.139 Authentication unsuccessful, basic authentication is disabled."),
    )
    assert str(error) in " ".join(README.split())
