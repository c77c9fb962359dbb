"""Packages that add providers by an entry point: the example, and one that fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "acme-provider"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the example is installed into, without the index."""
    folder = tmp_path_factory.mktemp("packages")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", folder, EXAMPLE],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def python(code: str, *folders: Path, arguments: tuple[str, ...] = ()) -> tuple[str, str]:
    """What a new interpreter prints, with packages in these folders."""
    path = [*map(str, folders), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, *arguments, *(["-c", code] if code else [])],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path),
            "MAILSEND_PROVIDERS": str(folders[0] / "none.toml"),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def broken(folder: Path, module: str, entry: str = "bad_mail:PROVIDERS") -> Path:
    """A folder with an installed package whose entry point leads to this module."""
    (folder / "bad_mail.py").write_text(module, encoding="utf-8")
    info = folder / "bad_mail-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bad-mail\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[mailsend.providers]\nworst = {entry}\n")
    return folder


def test_the_example_adds_its_provider(installed: Path) -> None:
    out, err = python(
        "import logging; logging.basicConfig()\n"
        "from mailsend import SmtpProfile, providers\n"
        "acme = providers.get('acme')\n"
        "assert providers.for_address('ada@acme.example') == acme\n"
        "assert providers.for_mx('a.mx.acme.example') == acme\n"
        "assert providers.for_host('smtp.acme.example') == acme\n"
        "assert providers.get('gmail').key == 'gmail'\n"
        "print(SmtpProfile.for_address('ada@acme.example').endpoint)",
        installed,
    )
    assert out == "smtp.acme.example:465\n"
    assert err == ""


def test_the_example_reads_its_replies(installed: Path) -> None:
    out, _ = python(
        "from mailsend import Reply, Stage, interpret, providers\n"
        "acme = providers.get('acme')\n"
        "for rule in acme.reply_rules:\n"
        "    stage = next(s for s in Stage if s in rule.stages)\n"
        "    meaning = interpret(Reply.parse(rule.example), stage, acme)\n"
        "    assert (meaning.rule, meaning.cause) == (rule.id, rule.cause), meaning\n"
        "    assert meaning.advice == rule.advice\n"
        "    other = interpret(Reply.parse(rule.example), stage, providers.get('gmail'))\n"
        "    assert other.rule != rule.id\n"
        "    print(rule.id)",
        installed,
    )
    assert out.split() == ["acme-newsletter-window", "acme-unpaid"]


def test_the_command_line_shows_it(installed: Path) -> None:
    out, err = python("", installed, arguments=("-m", "mailsend", "providers", "show", "acme"))
    assert out.startswith("Acme Corp (acme)\n")
    assert "2 for its replies alone" in out
    assert err == ""


@pytest.mark.parametrize(
    ("module", "entry", "reason"),
    [
        ("raise RuntimeError('no luck')", "bad_mail:PROVIDERS", "RuntimeError: no luck"),
        ("def make():\n    return 1 / 0", "bad_mail:make", "ZeroDivisionError"),
        ("PROVIDERS = 'acme'", "bad_mail:PROVIDERS", "no Provider"),
        ("", "bad_mail:PROVIDERS", "AttributeError"),
        ("", "no_such_module:PROVIDERS", "ModuleNotFoundError"),
        ("from acme_mail import PROVIDER", "bad_mail:PROVIDER", "the name acme is claimed by"),
    ],
)
def test_a_package_that_fails_is_named_and_left_out(
    installed: Path, tmp_path: Path, module: str, entry: str, reason: str
) -> None:
    # Behind the example: of two that claim a name, the first is kept.
    folders = (installed, broken(tmp_path, module, entry))
    out, err = python(
        "import logging; logging.basicConfig()\n"
        "from mailsend import providers\n"
        "print(providers.get('acme').name, providers.get('gmail').key)",
        *folders,
    )
    assert out == "Acme Corp gmail\n"
    (warning,) = err.splitlines()
    assert warning.startswith("WARNING:mailsend.providers:")
    assert "the entry point worst of bad-mail" in warning
    assert reason in warning
    # Nobody sees a log at a terminal.
    out, err = python("", *folders, arguments=("-m", "mailsend", "providers", "show", "acme"))
    assert out.startswith("Acme Corp (acme)\n")
    assert err.startswith("mailsend: warning: the entry point worst of bad-mail")
