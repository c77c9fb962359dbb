"""A profile in environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from mailsend.credentials import Password
from mailsend.errors import ConfigurationError
from mailsend.profile.settings import security_of, whole_number_of
from mailsend.profile.url import read_url
from mailsend.secret import Hidden


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
        settings["port"] = whole_number_of(values, "SMTP_PORT")
    if "SMTP_SECURITY" in values:
        settings["security"] = security_of(values["SMTP_SECURITY"], "SMTP_SECURITY")
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
