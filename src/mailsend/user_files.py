"""Where a user's own files for mailsend are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def configuration_file(
    name: str, variable: str, environ: Mapping[str, str] = os.environ
) -> Path | None:
    """A file of the user's configuration, which need not exist; None if there is no home.

    Args:
        name: of the file in ``$XDG_CONFIG_HOME/mailsend`` (``~/.config/mailsend`` if that is not
            set).
        variable: an environment variable that names the file instead.
        environ: where to look for both.
    """
    named, base = environ.get(variable), environ.get("XDG_CONFIG_HOME") or "~/.config"
    path = Path(named) if named else Path(base, "mailsend", name)
    try:
        return path.expanduser()
    except RuntimeError:  # as in a container whose user has no entry in the password database
        return None
