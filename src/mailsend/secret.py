"""Secret text: something that can be used and never shown."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from mailsend.errors import ConfigurationError

MAX_SECRET_CHARACTERS: Final = 4096

T = TypeVar("T")


class Hidden(Generic[T]):
    """Something with a secret in it, on its way through functions of ours.

    Tracebacks that show local variables show only this object. It has none of the protection that
    a :class:`Secret` has where it is stored, copied or compared.
    """

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value


class Secret:
    """Text that shows nowhere but where :meth:`reveal` is called.

    No representation, comparison, hash or copy of it shows it: ``repr`` and ``str`` are the same
    for all, ``attrs.asdict`` and :mod:`copy` keep the object itself, two are compared in constant
    time, and the hash does not depend on the text.

    Args:
        text: the secret.
        allow_plaintext_pickling: let :mod:`pickle` store the text as it is. Without it, pickling
            raises TypeError, because pickles are stored, sent and shown.
        what: what errors call it.
        longest: characters that it may have.
        lines: let it have line ends and tabs, as a key in PEM has.

    Raises:
        ConfigurationError: It is empty, too long, or has control characters or lone surrogates.
    """

    __slots__ = ("_picklable", "_text")

    def __init__(
        self,
        text: str,
        *,
        allow_plaintext_pickling: bool = False,
        what: str = "the secret",
        longest: int = MAX_SECRET_CHARACTERS,
        lines: bool = False,
    ) -> None:
        problem = _problem_of(text, longest, "\r\n\t" if lines else "")
        if problem is not None:
            del text  # no traceback that shows local variables may show it
            raise ConfigurationError(f"{what} {problem}")
        self._text = text
        self._picklable = allow_plaintext_pickling

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return "<Secret>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        # Not of the text: a hash of it could be compared with hashes of guesses.
        return hash(Secret)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce__(self) -> tuple[Callable[[str], Secret], tuple[str]]:
        if not self._picklable:
            raise TypeError(
                "a secret given as text is not pickled, because pickles are stored and shown; "
                "refer to it with from_env, from_file, from_command or from_keyring, which pickle "
                "as references, or pass allow_plaintext_pickling=True"
            )
        return (_unpickled, (self._text,))


def _unpickled(text: str) -> Secret:
    return Secret(text, allow_plaintext_pickling=True)


def _problem_of(text: object, longest: int, allowed: str) -> str | None:
    if not isinstance(text, str):
        return f"has to be a string, not {type(text).__name__}"
    if not text:
        return "is empty"
    if len(text) > longest:
        return f"has more than {longest} characters"
    if any(_is_control(ord(c)) and c not in allowed for c in text):
        return "contains a control character; was a line end read with it?"
    return None


def _is_control(code: int) -> bool:
    return code < 32 or 127 <= code < 160 or 0xD800 <= code < 0xE000
