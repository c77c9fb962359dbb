"""Every block of the how-to pages does what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mailsend.providers import read_providers
from mailsend.providers.sources import ENTRY_POINTS

FOLDER = Path(__file__).parents[2] / "docs" / "how-to"
PAGES = sorted(FOLDER.glob("*.md"))


def blocks(language: str) -> list[object]:
    """Parameters of a test: each block of a language, under the name of its page."""
    return [
        pytest.param(block, id=f"{page.stem}-{number}")
        for page in PAGES
        for number, block in enumerate(
            re.findall(
                rf"^```{language}\n(.*?)^```$",
                page.read_text(encoding="utf-8"),
                re.DOTALL | re.MULTILINE,
            )
        )
    ]


@pytest.mark.parametrize("code", blocks("python"))
def test_python_runs_and_prints_what_the_comments_say(code: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "MAILSEND_PROVIDERS": str(tmp_path / "none.toml")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    promised = re.findall(r"^ *print\(.*\) +# (.*)$", code, re.MULTILINE)
    assert done.stdout.splitlines() == promised


@pytest.mark.parametrize("text", blocks("toml"))
def test_toml_is_read(text: str, tmp_path: Path) -> None:
    document = tomllib.loads(text)
    if "project" in document:  # a package's pyproject.toml
        (entry,) = document["project"]["entry-points"][ENTRY_POINTS].values()
        module, _, name = entry.partition(":")
        pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
        assert f"# {module}/__init__.py" in pages
        assert f"\n{name} = " in pages
        return
    file = tmp_path / "providers.toml"
    file.write_text(text, encoding="utf-8")
    assert [provider.key for provider in read_providers(file)] == [
        row["key"] for row in document["provider"]
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
