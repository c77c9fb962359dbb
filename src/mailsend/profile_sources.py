"""Profiles written down: URLs, environment variables and TOML files, read into settings.

Each reader returns keyword arguments of :class:`~mailsend.profile.SmtpProfile`; it is the profile
that checks values. Nothing here may show a secret, so no error shows a URL or a value of a
password, and no frame that raises holds one.
"""

from __future__ import annotations

import difflib
import os
import re
import stat
import tomllib
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from attrs import fields

from mailsend.credentials import Password
from mailsend.endpoint import SCHEMES, Endpoint, Security
from mailsend.errors import ConfigurationError
from mailsend.options import Limits, TlsOptions
from mailsend.secret import Hidden
from mailsend.timeouts import Timeouts

_TIMEOUTS: Final = tuple(f.name for f in fields(Timeouts))
_TLS: Final = tuple(f.name for f in fields(TlsOptions))
_LIMITS: Final = tuple(f.name for f in fields(Limits))
_PASSWORD: Final[dict[str, Callable[[Any], Password]]] = {
    "password_env": Password.from_env,
    "password_file": Password.from_file,
    "password_command": Password.from_command,
}
_PLAIN: Final = ("client_name", "mechanisms", "disabled_extensions", "name")

OPTIONS: Final = (
    "timeout",
    *(f"timeout.{name}" for name in _TIMEOUTS),
    *_TLS,
    *_LIMITS,
    *_PLAIN,
    "fallbacks",
    "allow_plaintext_credentials",
    *_PASSWORD,
)
"""Options of a URL's query. ``timeout`` sets all stages, ``timeout.data`` and so on single ones."""

FILE_KEYS: Final = (
    "host",
    "port",
    "security",
    "username",
    "password",
    *_PASSWORD,
    *_PLAIN,
    "fallbacks",
    "allow_plaintext_credentials",
    "timeout",
    "timeouts",
    "tls",
    "limits",
)
"""Keys of a profile's table in a TOML file."""

_NEVER_SUGGESTED: Final = frozenset({"allow_plaintext_credentials", "relaxed_x509"})
_URL: Final = re.compile(
    r"(?P<scheme>[^:/?#@]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)"
    r"(?:\?(?P<query>[^#]*))?(?P<fragment>#.*)?"
)
_AUTHORITY: Final = re.compile(
    r"(?:(?P<user>[^:@]*)(?P<colon>:(?P<secret>[^@]*))?@)?"
    r"(?P<host>\[[^\]@]*\]|[^:@\[\]]*)(?::(?P<port>[^@]*))?"
)
_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


class _NotUsable(Exception):
    """What is wrong with something that may hold a secret, in words that do not quote it.

    Caught and raised again as an error of ours in a frame that does not hold the thing, so that no
    traceback leads to one that does.
    """


def read_url(url: Hidden[str]) -> dict[str, Any]:
    """Settings from a URL; see :meth:`SmtpProfile.from_url`.

    Raises:
        ConfigurationError: Never showing the URL, which may hold a password.
    """
    problem = None
    settings: dict[str, Any] = {}
    options: dict[str, str] = {}
    try:
        settings, options = _parse_url(url.value)
    except _NotUsable as error:
        problem = str(error)
    if problem is not None:
        raise ConfigurationError(
            f"the URL of the SMTP server {problem}",
            advice=None
            if "unknown" in problem
            else "Write smtps://user@smtp.example.org?password_env=VARIABLE, with characters such "
            "as @ : / # % in the user name percent-encoded (@ is %40)",
        )
    given = _settings_of_options(options)
    if "credentials" in given and "credentials" in settings:
        raise ConfigurationError("the URL has a password, and an option that names another one")
    return {**settings, **given}


def _parse_url(url: str) -> tuple[dict[str, Any], dict[str, str]]:
    if not isinstance(url, str):
        raise _NotUsable(f"has to be a string, not {type(url).__name__}")
    if not url.isprintable() or " " in url:
        raise _NotUsable("contains a space or a control character")
    match = _URL.fullmatch(url)
    if match is None:
        raise _NotUsable("has no scheme such as smtps://")
    scheme = match["scheme"].lower()
    if scheme not in SCHEMES:
        raise _NotUsable(f"has a scheme that is not one of {', '.join(SCHEMES)}")
    if match["path"] not in {"", "/"}:
        raise _NotUsable("has a path after the server, where none belongs")
    if match["fragment"] is not None:
        raise _NotUsable("contains #, which has to be percent-encoded as %23")
    settings = {"security": SCHEMES[scheme], **_parse_authority(match["authority"])}
    options = _parse_query(match["query"] or "")
    unknown = _unknown(options, OPTIONS, "option")
    if unknown is not None:
        raise _NotUsable(f"has an {unknown[0]}. {unknown[1]}")
    return settings, options


def _parse_authority(authority: str) -> dict[str, Any]:
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise _NotUsable("has more than one @ or : in its server part")
    settings: dict[str, Any] = {"host": match["host"]}
    port = match["port"]
    if port:
        if not (port.isascii() and port.isdigit() and len(port) <= 5):
            raise _NotUsable("has a port that is no number from 1 to 65535")
        settings["port"] = int(port)
    if match["user"]:
        settings["username"] = _decoded(match["user"])
    if match["secret"]:
        try:
            settings["credentials"] = Password(_decoded(match["secret"]))
        except ConfigurationError as error:
            raise _NotUsable(f"has a problem: {error.what}") from error
    return settings


def _parse_query(query: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for pair in filter(None, query.split("&")):
        key, _, value = pair.partition("=")
        name = _decoded(key)
        if name in options:
            raise _NotUsable("gives an option twice")
        options[name] = _decoded(value)
    return options


def _decoded(text: str) -> str:
    if _PERCENT.search(text):
        raise _NotUsable("has a % that begins no percent-encoded character; % itself is %25")
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError as error:
        raise _NotUsable("has percent-encoded octets that are not UTF-8") from error


def _settings_of_options(options: Mapping[str, str]) -> dict[str, Any]:
    settings: dict[str, Any] = {key: options[key] for key in _PLAIN if key in options}
    for key in _PASSWORD:
        if key in options:
            _add_password(settings, key, options[key])
    if "allow_plaintext_credentials" in options:
        settings["allow_plaintext_credentials"] = _boolean(options, "allow_plaintext_credentials")
    if "fallbacks" in options:
        settings["fallbacks"] = _fallbacks(options["fallbacks"].split(","))
    stages = {n: _number(options, f"timeout.{n}") for n in _TIMEOUTS if f"timeout.{n}" in options}
    uniform = _number(options, "timeout") if "timeout" in options else None
    if stages or uniform is not None:
        settings["timeouts"] = _timeouts(uniform, stages)
    tls: dict[str, Any] = {name: options[name] for name in _TLS if name in options}
    if "relaxed_x509" in tls:
        tls["relaxed_x509"] = _boolean(options, "relaxed_x509")
    if "pinned_sha256" in tls:
        tls["pinned_sha256"] = tls["pinned_sha256"].split(",")
    if tls:
        settings["tls"] = TlsOptions(**tls)
    limits = {name: _whole_number(options, name) for name in _LIMITS if name in options}
    if limits:
        settings["limits"] = Limits(**limits)
    return settings


def read_environment(environ: Hidden[Mapping[str, str]]) -> dict[str, Any]:
    """Settings from environment variables; see :meth:`SmtpProfile.from_env`."""
    url = Hidden(environ.value.get("MAILSEND_URL", ""))
    if url.value:
        return read_url(url)
    open_names = ("SMTP_HOST", "SMTP_PORT", "SMTP_SECURITY", "SMTP_USERNAME")
    values = {name: environ.value[name] for name in open_names if environ.value.get(name)}
    if "SMTP_HOST" not in values:
        raise ConfigurationError(
            "neither MAILSEND_URL nor SMTP_HOST is set",
            advice="Set MAILSEND_URL, such as "
            "smtps://ada%40example.org@smtp.example.org?password_env=MY_PASSWORD, or SMTP_HOST, "
            "SMTP_PORT, SMTP_SECURITY, SMTP_USERNAME and SMTP_PASSWORD",
        )
    settings: dict[str, Any] = {"host": values["SMTP_HOST"]}
    if "SMTP_PORT" in values:
        settings["port"] = _whole_number(values, "SMTP_PORT")
    if "SMTP_SECURITY" in values:
        settings["security"] = _security(values["SMTP_SECURITY"], "SMTP_SECURITY")
    if "SMTP_USERNAME" in values:
        settings["username"] = values["SMTP_USERNAME"]
    if environ.value.get("SMTP_PASSWORD"):
        # By reference for the process's own environment, so that the profile can be pickled.
        settings["credentials"] = (
            Password.from_env("SMTP_PASSWORD")
            if environ.value is os.environ
            else Password(environ.value["SMTP_PASSWORD"])
        )
    return settings


def default_file(environ: Mapping[str, str] = os.environ) -> Path:
    """The file that :meth:`SmtpProfile.load` reads if none is named."""
    if environ.get("MAILSEND_CONFIG"):
        return Path(environ["MAILSEND_CONFIG"]).expanduser()
    base = environ.get("XDG_CONFIG_HOME")
    folder = Path(base) if base else Path("~/.config").expanduser()
    return folder / "mailsend" / "config.toml"


def read_file(name: str, path: str | os.PathLike[str] | None) -> dict[str, Any]:
    """Settings from a TOML file; see :meth:`SmtpProfile.load`."""
    file = default_file() if path is None else Path(path)
    problem = None
    table: dict[str, Any] = {}
    password: Password | None = None
    try:
        table, password = _parse_file(file, name)
    except _NotUsable as error:
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
        raise _NotUsable(f"cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # tomllib's own tells only positions
        where = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "no readable text"
        raise _NotUsable(f"is not TOML: {where}") from error
    profiles = document.get("profiles", {})
    if not isinstance(profiles, dict) or not isinstance(profiles.get(name, {}), dict):
        raise _NotUsable("has no tables of the form [profiles.NAME]")
    table = dict(profiles.get(name, {}))
    for unknown in (
        _unknown(document, ("profiles",), "table"),
        _unknown([name], profiles, "profile"),
        _unknown(table, FILE_KEYS, f"key in profile {name}:"),
    ):
        if unknown is not None:
            raise _NotUsable(f"has an {unknown[0]}. {unknown[1]}")
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
        raise _NotUsable(f"has a problem with profile {name}: {error.what}") from error


def _from_table(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    settings = {k: table[k] for k in ("host", "port", "username", *_PLAIN) if k in table}
    if "host" not in settings:
        raise ConfigurationError(f"{where} has no host", advice='Add host = "smtp.example.org"')
    if "security" in table:
        settings["security"] = _security(table["security"], f"security of {where}")
    for key in _PASSWORD:
        if key in table:
            _add_password(settings, key, table[key])
    if "allow_plaintext_credentials" in table:
        settings["allow_plaintext_credentials"] = _boolean(table, "allow_plaintext_credentials")
    if "fallbacks" in table:
        settings["fallbacks"] = _fallbacks(table["fallbacks"])
    stages = _table(table, "timeouts", _TIMEOUTS, where)
    if stages or "timeout" in table:
        settings["timeouts"] = _timeouts(table.get("timeout"), stages)
    tls = _table(table, "tls", _TLS, where)
    if tls:
        settings["tls"] = TlsOptions(**tls)
    limits = _table(table, "limits", _LIMITS, where)
    if limits:
        settings["limits"] = Limits(**limits)
    return settings


def _table(table: Mapping[str, Any], key: str, known: Iterable[str], where: str) -> dict[str, Any]:
    inner = table.get(key, {})
    if not isinstance(inner, dict):
        raise ConfigurationError(f"{key} of {where} has to be a table")
    require_known(inner, known, f"key in {key} of {where}:")
    return inner


def _add_password(settings: dict[str, Any], key: str, value: Any) -> None:
    if "credentials" in settings:
        raise ConfigurationError(
            f"{key} is given besides another password",
            advice=f"Keep one of {', '.join(_PASSWORD)}",
        )
    settings["credentials"] = _PASSWORD[key](value)


def _fallbacks(urls: Any) -> tuple[Endpoint, ...]:
    if not isinstance(urls, list):
        raise ConfigurationError(
            "fallbacks has to be a list", advice='Write fallbacks = ["smtps://smtp.example.org"]'
        )
    return tuple(map(Endpoint.from_url, urls))


def _timeouts(uniform: Any, stages: Mapping[str, Any]) -> Timeouts:
    if uniform is None:
        return Timeouts(**stages)
    base = Timeouts.uniform(uniform)
    return Timeouts(**{name: stages.get(name, getattr(base, name)) for name in _TIMEOUTS})


def _security(value: Any, where: str) -> Security:
    modes = {mode.value: mode for mode in Security}
    text = str(value).lower().replace("-", "_")
    if text not in modes:
        raise ConfigurationError(
            f"{where} is {ascii(value)[:40]}, which is not known",
            advice=f"Use one of {', '.join(modes)}",
        )
    return modes[text]


def _boolean(values: Mapping[str, Any], key: str) -> bool:
    truth = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    value = values[key]
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in truth:
        return truth[value.lower()]
    raise ConfigurationError(f"{key} has to be true or false, not {ascii(value)[:40]}")


def _number(values: Mapping[str, str], key: str) -> float:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", values[key], re.ASCII):
        raise ConfigurationError(
            f"{key} is {ascii(values[key])[:40]}, which is no number of seconds"
        )
    return float(values[key])


def _whole_number(values: Mapping[str, str], key: str) -> int:
    text = values[key]
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ConfigurationError(f"{key} is {ascii(text)[:40]}, which is no whole number")
    return int(text)


def require_known(given: Iterable[str], known: Iterable[str], what: str) -> None:
    """Raise for the first name that is not known, with the nearest one that is.

    Raises:
        ConfigurationError: `given` has a name that `known` has not.
    """
    unknown = _unknown(given, known, what)
    if unknown is not None:
        raise ConfigurationError(unknown[0], advice=unknown[1])


def _unknown(given: Iterable[str], known: Iterable[str], what: str) -> tuple[str, str] | None:
    """What is wrong, and what to do, for the first name of `given` that is not in `known`."""
    names = list(known)
    for name in given:
        if name not in names:
            # A guess must not lead anybody to a switch that weakens something.
            safe = [known for known in names if known not in _NEVER_SUGGESTED]
            near = difflib.get_close_matches(str(name), safe, n=1, cutoff=0.6)
            advice = f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(names)}"
            return f"unknown {what} {ascii(name)[:60]}", advice
    return None
