"""A profile written as a URL.

Nothing here may show a secret, so no error shows the URL, and no frame that raises holds it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from mailsend.credentials import Password
from mailsend.endpoint import SCHEMES
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
    number_of,
    timeouts_of,
    unknown_among,
    whole_number_of,
)
from mailsend.secret import Hidden

OPTIONS: Final = (
    "timeout",
    *(f"timeout.{name}" for name in TIMEOUTS),
    *TLS,
    *LIMITS,
    *PLAIN,
    "fallbacks",
    "allow_plaintext_credentials",
    *CREDENTIALS,
)
"""Options of a URL's query. ``timeout`` sets all stages, ``timeout.data`` and so on single ones."""

_URL: Final = re.compile(
    r"(?P<scheme>[^:/?#@]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)"
    r"(?:\?(?P<query>[^#]*))?(?P<fragment>#.*)?"
)
_AUTHORITY: Final = re.compile(
    r"(?:(?P<user>[^:@]*)(?P<colon>:(?P<secret>[^@]*))?@)?"
    r"(?P<host>\[[^\]@]*\]|[^:@\[\]]*)(?::(?P<port>[^@]*))?"
)
_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


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
    except NotUsable as error:
        problem = str(error)
    if problem is not None:
        raise ConfigurationError(
            f"the URL of the SMTP server {problem}",
            advice=None
            if "unknown" in problem
            else "Write smtps://user@smtp.example.org?password_env=VARIABLE, with characters such "
            "as @ : / # % in the user name percent-encoded (@ is %40)",
        )
    if "credentials" in settings and any(key in options for key in CREDENTIALS):
        raise ConfigurationError("the URL has a password, and an option that names another one")
    add_credentials(settings, options)
    return {**settings, **_settings_of_options(options)}


def _parse_url(url: str) -> tuple[dict[str, Any], dict[str, str]]:
    if not isinstance(url, str):
        raise NotUsable(f"has to be a string, not {type(url).__name__}")
    if not url.isprintable() or " " in url:
        raise NotUsable("contains a space or a control character")
    match = _URL.fullmatch(url)
    if match is None:
        raise NotUsable("has no scheme such as smtps://")
    scheme = match["scheme"].lower()
    if scheme not in SCHEMES:
        raise NotUsable(f"has a scheme that is not one of {', '.join(SCHEMES)}")
    if match["path"] not in {"", "/"}:
        raise NotUsable("has a path after the server, where none belongs")
    if match["fragment"] is not None:
        raise NotUsable("contains #, which has to be percent-encoded as %23")
    settings = {"security": SCHEMES[scheme], **_parse_authority(match["authority"])}
    options = _parse_query(match["query"] or "")
    unknown = unknown_among(options, OPTIONS, "option")
    if unknown is not None:
        raise NotUsable(f"has an {unknown[0]}. {unknown[1]}")
    return settings, options


def _parse_authority(authority: str) -> dict[str, Any]:
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise NotUsable("has more than one @ or : in its server part")
    settings: dict[str, Any] = {"host": match["host"]}
    port = match["port"]
    if port:
        if not (port.isascii() and port.isdigit() and len(port) <= 5):
            raise NotUsable("has a port that is no number from 1 to 65535")
        settings["port"] = int(port)
    if match["user"]:
        settings["username"] = _decoded(match["user"])
    if match["secret"]:
        try:
            settings["credentials"] = Password(_decoded(match["secret"]))
        except ConfigurationError as error:
            raise NotUsable(f"has a problem: {error.what}") from error
    return settings


def _parse_query(query: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for pair in filter(None, query.split("&")):
        key, _, value = pair.partition("=")
        name = _decoded(key)
        if name in options:
            raise NotUsable("gives an option twice")
        options[name] = _decoded(value)
    return options


def _decoded(text: str) -> str:
    if _PERCENT.search(text):
        raise NotUsable("has a % that begins no percent-encoded character; % itself is %25")
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError as error:
        raise NotUsable("has percent-encoded octets that are not UTF-8") from error


def _settings_of_options(options: Mapping[str, str]) -> dict[str, Any]:
    settings: dict[str, Any] = {key: options[key] for key in PLAIN if key in options}
    if "allow_plaintext_credentials" in options:
        settings["allow_plaintext_credentials"] = boolean_of(options, "allow_plaintext_credentials")
    if "fallbacks" in options:
        settings["fallbacks"] = fallbacks_of(options["fallbacks"].split(","))
    stages = {n: number_of(options, f"timeout.{n}") for n in TIMEOUTS if f"timeout.{n}" in options}
    uniform = number_of(options, "timeout") if "timeout" in options else None
    if stages or uniform is not None:
        settings["timeouts"] = timeouts_of(uniform, stages)
    tls: dict[str, Any] = {name: options[name] for name in TLS if name in options}
    if "relaxed_x509" in tls:
        tls["relaxed_x509"] = boolean_of(options, "relaxed_x509")
    if "pinned_sha256" in tls:
        tls["pinned_sha256"] = tls["pinned_sha256"].split(",")
    if tls:
        settings["tls"] = TlsOptions(**tls)
    limits = {name: whole_number_of(options, name) for name in LIMITS if name in options}
    if limits:
        settings["limits"] = Limits(**limits)
    return settings
