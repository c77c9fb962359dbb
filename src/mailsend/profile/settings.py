"""What the ways of writing a profile down have in common: names of settings, and their values.

Nothing here may show a secret, so no error shows a value of a password, and no frame that raises
holds one.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from attrs import fields

from mailsend.credentials import ClientCertificate, Password
from mailsend.endpoint import Endpoint, Security
from mailsend.errors import ConfigurationError
from mailsend.options import Limits, TlsOptions
from mailsend.timeouts import Timeouts
from mailsend.tokens import OAuth2

TIMEOUTS: Final = tuple(f.name for f in fields(Timeouts))
TLS: Final = tuple(f.name for f in fields(TlsOptions))
LIMITS: Final = tuple(f.name for f in fields(Limits))
PLAIN: Final = ("client_name", "mechanisms", "disabled_extensions", "name")


def _signed_in(name: str) -> OAuth2:
    from mailsend.oauth import SignedIn  # noqa: PLC0415 - for those who have signed in

    return OAuth2(token=SignedIn(name))


_REFERENCES: Final[dict[str, Callable[[Any], Password | OAuth2]]] = {
    "password_env": Password.from_env,
    "password_file": Password.from_file,
    "password_command": Password.from_command,
    "token_env": OAuth2.from_env,
    "token_file": OAuth2.from_file,
    "token_command": OAuth2.from_command,
    "sign_in": _signed_in,
}
_KEYRING: Final = "password_keyring"
_CERTIFICATE: Final = "client_certificate"
CREDENTIALS: Final = (*_REFERENCES, _KEYRING, _CERTIFICATE)
"""Keys that tell where the proof is: of a password, of an access token, or in TLS.

``sign_in`` names what ``mailsend login`` has kept; ``client_certificate`` is true or false.
"""

_NEVER_SUGGESTED: Final = frozenset({"allow_plaintext_credentials", "relaxed_x509"})


class NotUsable(Exception):
    """What is wrong with something that may hold a secret, in words that do not quote it.

    Caught and raised again as an error of ours in a frame that does not hold the thing, so that no
    traceback leads to one that does.
    """


def add_credentials(settings: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Put the credentials that a key refers to among the settings of a profile.

    Args:
        settings: as far as they are known, the user name among them.
        given: may have keys of :data:`CREDENTIALS`.

    Raises:
        ConfigurationError: Two keys refer to a secret, or one cannot be a reference.
    """
    keys = [key for key in CREDENTIALS if key in given]
    if len(keys) > 1:
        raise ConfigurationError(f"{keys[1]} is given besides {keys[0]}", advice="Keep one of them")
    for key in keys:
        if key in _REFERENCES:
            settings["credentials"] = _REFERENCES[key](given[key])
        elif key == _CERTIFICATE:
            if boolean_of(given, key):
                settings["credentials"] = ClientCertificate()
        elif "username" in settings:
            settings["credentials"] = Password.from_keyring(given[key], settings["username"])
        else:
            raise ConfigurationError(
                f"{key} is given without a user name",
                advice="Give the user name whose entry it is in the keyring",
            )


def fallbacks_of(urls: Any) -> tuple[Endpoint, ...]:
    if not isinstance(urls, list):
        raise ConfigurationError(
            "fallbacks has to be a list", advice='Write fallbacks = ["smtps://smtp.example.org"]'
        )
    return tuple(map(Endpoint.from_url, urls))


def timeouts_of(uniform: Any, stages: Mapping[str, Any]) -> Timeouts:
    if uniform is None:
        return Timeouts(**stages)
    base = Timeouts.uniform(uniform)
    return Timeouts(**{name: stages.get(name, getattr(base, name)) for name in TIMEOUTS})


def security_of(value: Any, where: str) -> Security:
    modes = {mode.value: mode for mode in Security}
    text = str(value).lower().replace("-", "_")
    if text not in modes:
        raise ConfigurationError(
            f"{where} is {ascii(value)[:40]}, which is not known",
            advice=f"Use one of {', '.join(modes)}",
        )
    return modes[text]


def boolean_of(values: Mapping[str, Any], key: str) -> bool:
    truth = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    value = values[key]
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in truth:
        return truth[value.lower()]
    raise ConfigurationError(f"{key} has to be true or false, not {ascii(value)[:40]}")


def number_of(values: Mapping[str, str], key: str) -> float:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", values[key], re.ASCII):
        raise ConfigurationError(
            f"{key} is {ascii(values[key])[:40]}, which is no number of seconds"
        )
    return float(values[key])


def whole_number_of(values: Mapping[str, str], key: str) -> int:
    text = values[key]
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ConfigurationError(f"{key} is {ascii(text)[:40]}, which is no whole number")
    return int(text)


def require_known(given: Iterable[str], known: Iterable[str], what: str) -> None:
    """Raise for the first name that is not known, with the nearest one that is.

    Raises:
        ConfigurationError: `given` has a name that `known` has not.
    """
    unknown = unknown_among(given, known, what)
    if unknown is not None:
        raise ConfigurationError(unknown[0], advice=unknown[1])


def unknown_among(given: Iterable[str], known: Iterable[str], what: str) -> tuple[str, str] | None:
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
