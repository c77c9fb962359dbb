"""Settings of token sources: secrets given or referred to, names and paths."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, TypeAlias

from mailsend.credentials import Password
from mailsend.errors import ConfigurationError
from mailsend.secret import Hidden, Secret
from mailsend.secret_reference import SecretReference

Proof: TypeAlias = Secret | SecretReference | Password
"""A secret, or where to look one up each time that it is needed."""

_SECONDS: Final = 60.0  # for a command or a keyring, as with passwords


def as_proof(value: str | Proof) -> Proof:
    """A converter: text becomes a :class:`~mailsend.secret.Secret`.

    Raises:
        ConfigurationError: It cannot be a secret.
    """
    held = Hidden(value)
    del value  # no traceback that shows local variables may show it
    if isinstance(held.value, Secret | SecretReference | Password):
        return held.value
    return Secret(held.value)


def optional_proof(value: str | Proof | None) -> Proof | None:
    """A converter as :func:`as_proof`, which lets None stay None."""
    held = Hidden(value)
    del value
    return None if held.value is None else as_proof(held.value)


def reveal(proof: Proof) -> Hidden[str]:
    """The secret itself.

    Raises:
        ConfigurationError: It cannot be looked up, or what was found cannot be one.
    """
    if isinstance(proof, Secret):
        return Hidden(proof.reveal())
    if isinstance(proof, Password):
        return Hidden(proof.look_up(_SECONDS).reveal())
    found = proof.look_up(_SECONDS)
    return Hidden(Secret(found.value, what=f"the {proof.what} in {proof.place}").reveal())


def checked_text(_: object, attribute: Any, value: Any) -> None:
    """A validator: printable text of 1 to 300 characters.

    Raises:
        ConfigurationError: It is none.
    """
    if not isinstance(value, str) or not value or not value.isprintable() or len(value) > 300:
        raise ConfigurationError(f"{attribute.name} {ascii(value)[:80]} cannot be one")


def as_path(value: str | Path) -> Path:
    """A converter for paths; a leading ``~`` is the user's home.

    Raises:
        ConfigurationError: It cannot be one.
    """
    try:
        if str(value) and "\0" not in str(value):
            return Path(value).expanduser()
    except (TypeError, RuntimeError):  # a home that cannot be told is a RuntimeError
        pass
    raise ConfigurationError(f"{ascii(value)[:80]} is no usable path")


def optional_path(value: str | Path | None) -> Path | None:
    """A converter as :func:`as_path`, which lets None stay None."""
    return None if value is None else as_path(value)
