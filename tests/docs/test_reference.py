"""The pages of the reference that are made from data."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from mailsend import Cause, Symptom
from mailsend.meanings import read_table
from mailsend.rules import built_in_rules

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "replies.md"
PROVIDERS = (ROOT / "docs" / "reference" / "providers.md").read_text(encoding="utf-8")


def test_the_pages_are_up_to_date() -> None:
    script = str(ROOT / "docs" / "generate.py")
    checked = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, f"{checked.stdout}{checked.stderr}: run docs/generate.py"


def test_every_rule_every_failure_and_every_cause_has_its_row() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    heads = 7  # one for each table
    assert len(rows) == len(built_in_rules()) + len(Symptom) + len(Cause) + heads
    for rule in built_in_rules():
        example = f"`{rule.example}`".replace("|", "\\|")
        assert any(row.startswith(f"| {example} |") for row in rows), rule.id


def test_no_cell_breaks_its_row() -> None:
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| "):
            assert line.replace("\\|", "").count("|") in {6, 7}, line[:80]


def test_every_provider_has_its_row() -> None:
    rows = [line for line in PROVIDERS.splitlines() if line.startswith("| ")]
    named = [re.match(r"\| \[?`([^`]+)`", row) for row in rows]
    keys = [found[1] for found in named if found is not None]
    assert sorted(keys) == sorted(row["key"] for row in read_table("providers.toml")["provider"])
    assert len({row.replace("\\|", "").count("|") for row in rows}) == 1


def test_links_within_the_page_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.*)$", PROVIDERS, re.MULTILINE)
    anchors = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
    assert len(set(anchors)) == len(anchors)
    assert set(re.findall(r"\(#([^)]*)\)", PROVIDERS)) <= set(anchors)
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)\)", PROVIDERS):
        assert (ROOT / "docs" / "reference" / target).exists(), target
