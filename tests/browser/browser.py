"""Chromium without a screen: what it makes of a page, and how that looks."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image

_FLAGS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--disable-dev-shm-usage",
)  # fmt: skip
_DARK: Final = "--blink-settings=preferredColorScheme=0"


def run(*arguments: str) -> str:
    program = shutil.which("chromium")
    assert program is not None, "no chromium: `.ci/run` installs it, with apt-get install chromium"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        done = subprocess.run(
            [program, *_FLAGS, f"--user-data-dir={profile}", *arguments],
            capture_output=True,
            timeout=60,
            check=True,
        )
    return done.stdout.decode()


def document(url: str) -> str:
    """The page's DOM, after its scripts, if it had any that could run."""
    return run("--dump-dom", url)


def screenshot(page: Path, width: int, height: int, *, dark: bool = False) -> Image.Image:
    file = page.with_suffix(".png")
    run(
        f"--window-size={width},{height}",
        f"--screenshot={file}",
        *([_DARK] if dark else []),
        page.as_uri(),
    )
    with Image.open(file) as image:
        return image.convert("RGB")


def share(image: Image.Image, colour: tuple[int, int, int], near: int = 8) -> float:
    """The part of an image, from 0 to 1, that has a colour or one close to it."""
    small = image.resize((image.width // 2, image.height // 2), Image.Resampling.NEAREST)
    counts = small.getcolors(small.width * small.height)
    assert counts is not None
    found = sum(
        count
        for count, other in counts
        if isinstance(other, tuple)
        and all(abs(a - b) <= near for a, b in zip(colour, other, strict=True))
    )
    return found / (small.width * small.height)
