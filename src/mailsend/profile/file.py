"""Profiles written down in a TOML file.

Nothing here may show a secret, so no error shows a password, and no frame that raises holds one.
"""

from __future__ import annotations

import os
import stat
import tomllib
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from mailsend.credentials import Password
from mailsend.errors import ConfigurationError
from mailsend.options import Limits, TlsOptions
from mailsend.profile.settings import (
    CREDENTIALS,
    LIMITS,
    PLAIN,
    TIMEOUTS,
    TLS,
    NotUsable,
    add_credentials,
    boolean_of,
    fallbacks_of,
    require_known,
    security_of,
    timeouts_of,
    unknown_among,
)
from mailsend.user_files import configuration_file

FILE_KEYS: Final = (
    "provider",
    "region",
    "host",
    "port",
    "security",
    "username",
    "password",
    *CREDENTIALS,
    *PLAIN,
    "fallbacks",
    "allow_plaintext_credentials",
    "timeout",
    "timeouts",
    "tls",
    "limits",
)
"""Keys of a profile's table in a TOML file."""


def default_file(environ: Mapping[str, str] = os.environ) -> Path:
    """The file that :meth:`SmtpProfile.load` reads if none is named.

    Raises:
        ConfigurationError: Nothing names one, and this user has no home.
    """
    file = configuration_file("config.toml", "MAILSEND_CONFIG", environ)
    if file is None:
        raise ConfigurationError(
            "there is no place for a profile file, because this user has no home folder",
            advice="Name the file in MAILSEND_CONFIG, or its folder in XDG_CONFIG_HOME",
        )
    return file


def read_file(name: str, path: str | os.PathLike[str] | None) -> dict[str, Any]:
    """Settings from a TOML file; see :meth:`SmtpProfile.load`."""
    file = default_file() if path is None else Path(path)
    problem = None
    table: dict[str, Any] = {}
    password: Password | None = None
    try:
        table, password = _parse_file(file, name)
    except NotUsable as error:
        problem = str(error)
    if problem is not None:
        raise ConfigurationError(
            f"the profile file {file} {problem}",
            advice=None
            if "unknown" in problem
            else "It is a TOML file with a table [profiles.NAME] for each profile; its place is "
            "that of MAILSEND_CONFIG, or ~/.config/mailsend/config.toml",
        )
    settings = {"name": name, **_from_table(table, f"profile {name}")}
    if password is not None:
        if "credentials" in settings:
            raise ConfigurationError(f"profile {name} has a password and names another one")
        settings["credentials"] = password
    return settings


def _parse_file(file: Path, name: str) -> tuple[dict[str, Any], Password | None]:
    """A profile's table, without a password that stands in it, and that password."""
    try:
        with file.open("rb") as stream:
            document = tomllib.load(stream)
            mode = os.fstat(stream.fileno()).st_mode
    except OSError as error:
        raise NotUsable(f"cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # tomllib's own tells only positions
        where = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "no readable text"
        raise NotUsable(f"is not TOML: {where}") from error
    profiles = document.get("profiles", {})
    if not isinstance(profiles, dict) or not isinstance(profiles.get(name, {}), dict):
        raise NotUsable("has no tables of the form [profiles.NAME]")
    table = dict(profiles.get(name, {}))
    for unknown in (
        unknown_among(document, ("profiles",), "table"),
        unknown_among([name], profiles, "profile"),
        unknown_among(table, FILE_KEYS, f"key in profile {name}:"),
    ):
        if unknown is not None:
            raise NotUsable(f"has an {unknown[0]}. {unknown[1]}")
    if "password" not in table:
        return table, None
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        warnings.warn(
            f"{file} holds a password and can be read by others: chmod 600 {file}",
            UserWarning,
            stacklevel=4,
        )
    try:
        return table, Password(table.pop("password"))
    except ConfigurationError as error:
        raise NotUsable(f"has a problem with profile {name}: {error.what}") from error


def _from_table(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    names = ("provider", "region", "host", "port", "username", *PLAIN)
    settings = {key: table[key] for key in names if key in table}
    if not {"host", "provider"} & set(settings):
        raise ConfigurationError(
            f"{where} has no host and no provider",
            advice='Add host = "smtp.example.org", or provider = "gmail"',
        )
    if "region" in settings and "provider" not in settings:
        raise ConfigurationError(
            f"{where} has a region and no provider", advice='Add provider = "amazon-ses"'
        )
    if "security" in table:
        settings["security"] = security_of(table["security"], f"security of {where}")
    add_credentials(settings, table)
    if "allow_plaintext_credentials" in table:
        settings["allow_plaintext_credentials"] = boolean_of(table, "allow_plaintext_credentials")
    if "fallbacks" in table:
        settings["fallbacks"] = fallbacks_of(table["fallbacks"])
    stages = _table(table, "timeouts", TIMEOUTS, where)
    if stages or "timeout" in table:
        settings["timeouts"] = timeouts_of(table.get("timeout"), stages)
    tls = _table(table, "tls", TLS, where)
    if tls:
        settings["tls"] = TlsOptions(**tls)
    limits = _table(table, "limits", LIMITS, where)
    if limits:
        settings["limits"] = Limits(**limits)
    return settings


def _table(table: Mapping[str, Any], key: str, known: Iterable[str], where: str) -> dict[str, Any]:
    inner = table.get(key, {})
    if not isinstance(inner, dict):
        raise ConfigurationError(f"{key} of {where} has to be a table")
    require_known(inner, known, f"key in {key} of {where}:")
    return inner
