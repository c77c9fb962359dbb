"""What commands write with."""

from __future__ import annotations

import logging
import os
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

WIDTH: Final = 80
"""Columns of text for people; a word that is longer, such as a URL, stays in one piece."""

_COLUMN: Final = 14  # where values begin


def put(text: str) -> None:
    """Print, and be content if whoever reads has seen enough, as ``head`` has."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # Python would else try to write again when it ends.
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115


def hanging(label: str, text: str) -> list[str]:
    """Lines of a text that stands beside its label."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=f"{label:<{_COLUMN}}",
        subsequent_indent=" " * _COLUMN,
        break_long_words=False,
        break_on_hyphens=False,
    )


@contextmanager
def warnings_shown() -> Iterator[None]:
    """Print what the package warns of meanwhile, such as a provider file that cannot be used.

    The library itself only logs it, which nobody at a terminal would see.
    """
    logger = logging.getLogger("mailsend")
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("mailsend: warning: %(message)s"))
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
