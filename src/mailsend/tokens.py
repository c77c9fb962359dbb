"""OAuth2 access tokens: where they come from, and when a new one is needed (RFC 6749, 6750)."""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
import functools
import inspect
import itertools
import logging
import os
import re
import threading
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Protocol

from attrs import field, frozen

from mailsend import secret_reference
from mailsend.cause import Cause, Retry
from mailsend.errors import ConfigurationError, MailsendError, TokenError
from mailsend.patience import NotInTime, within
from mailsend.secret import Hidden, Secret
from mailsend.secret_reference import SecretReference
from mailsend.stage import Stage

# With a user name of the greatest length it still fits into a line of AUTH, RFC 4954 §4.
MAX_TOKEN_CHARACTERS: Final = 8000

_LOG: Final = logging.getLogger("mailsend.tokens")
_TOKEN: Final = re.compile(r"[!-~]+")  # RFC 6749 §A.12, less the space that ends it in a header


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _as_token(value: str | Secret) -> Secret:
    held = Hidden(value)
    del value
    if not isinstance(held.value, Secret):
        held = Hidden(Secret(held.value, what="the access token", longest=MAX_TOKEN_CHARACTERS))
    assert isinstance(held.value, Secret)  # noqa: S101 - for the type checkers
    if not _TOKEN.fullmatch(held.value.reveal()):
        raise ConfigurationError("the access token has a space or a character outside ASCII")
    return held.value


def _as_instant(value: dt.datetime | None) -> dt.datetime | None:
    if value is not None and not (isinstance(value, dt.datetime) and value.tzinfo is not None):
        raise ConfigurationError(
            "expires_at has to be a datetime with a time zone, or None",
            advice="Write datetime.now(UTC) + timedelta(seconds=expires_in)",
        )
    return value


@frozen
class AccessToken:
    """An access token, and until when it is good.

    Attributes:
        value: the token: printable ASCII without spaces, at most 8,000 characters.
        expires_at: an instant with a time zone, or None where that is not known.

    Raises:
        ConfigurationError: The value cannot be a token, or the instant has no time zone.
    """

    value: Secret = field(converter=_as_token)
    expires_at: dt.datetime | None = field(default=None, converter=_as_instant)

    def is_good_until(self, instant: dt.datetime) -> bool:
        """Whether it lasts beyond an instant, as far as is known."""
        return self.expires_at is None or self.expires_at > instant


class TokenSource(Protocol):
    """What :class:`OAuth2` takes: something to call for a token.

    A function without parameters does. One with the keyword parameter `refused` is told which
    token the server did not take, so that it can leave out its own cache; it is None at first.
    """

    def __call__(self, *, refused: AccessToken | None = None) -> AccessToken | str: ...


class CachedToken:
    """Keeps a token, and fetches a new one before the old one ends.

    One thread fetches at a time; the others use the old token while it is good, and wait for the
    new one when it is not. While the old one is good, a fetch that fails is logged, and that it
    takes long matters to nobody else.

    Args:
        fetch: gets a new token; called without arguments, never twice at the same time.
        early: seconds before the end of a token from which on a new one is fetched; 0 or more.
        clock: tells the time, with a time zone.

    Raises:
        ConfigurationError: `fetch` is not callable, or `early` is no such number.
    """

    def __init__(
        self,
        fetch: Callable[[], AccessToken | str],
        *,
        early: float = 300.0,
        clock: Callable[[], dt.datetime] = _now,
    ) -> None:
        if not callable(fetch):
            raise ConfigurationError(f"fetch has to be callable, not {type(fetch).__name__}")
        if isinstance(early, bool) or not isinstance(early, int | float) or not 0 <= early < 1e9:
            raise ConfigurationError(
                f"early has to be a number of seconds from 0 on, not {ascii(early)[:40]}"
            )
        self._fetch = fetch
        self._early = dt.timedelta(seconds=early)
        self._clock = clock
        self._lock = threading.Lock()
        self._token: AccessToken | None = None
        self._fetches = 0
        self._failure: Exception | None = None

    def __repr__(self) -> str:
        return f"<CachedToken of {_name_of(self._fetch)}>"

    def __call__(self, *, refused: AccessToken | None = None) -> AccessToken:
        """The token to use now.

        Args:
            refused: a token that a server did not take. Unless it has been replaced since, a new
                one is fetched.

        Raises:
            Exception: Whatever `fetch` raised, where no good token is left; those who waited for
                it get the same.
        """
        token, seen = self._token, self._fetches
        if token is not None and self._is_good(token, refused, self._early):
            return token
        with self._turn(token, refused) as is_ours:
            if not is_ours:
                assert token is not None  # noqa: S101 - it is good
                return token
            if self._fetches == seen:  # else another thread has fetched while this one waited
                self._renew()
            token, failure = self._token, self._failure
            if failure is not None and (
                token is None or not self._is_good(token, refused, dt.timedelta())
            ):
                raise copy.copy(failure) if isinstance(failure, MailsendError) else failure
            assert token is not None  # noqa: S101 - a fetch leaves a token or a failure
            return token

    @contextlib.contextmanager
    def _turn(self, token: AccessToken | None, refused: AccessToken | None) -> Iterator[bool]:
        """Fetch while nobody else does; not if another thread does, and the token will do."""
        if token is None or not self._is_good(token, refused, dt.timedelta()):
            with self._lock:
                yield True
            return
        is_ours = self._lock.acquire(blocking=False)
        try:
            yield is_ours
        finally:
            if is_ours:
                self._lock.release()

    def _is_good(
        self, token: AccessToken, refused: AccessToken | None, early: dt.timedelta
    ) -> bool:
        new = refused is None or refused.value != token.value
        return new and token.is_good_until(self._clock() + early)

    def _renew(self) -> None:
        try:
            self._token, self._failure = _as_access_token(self._fetch(), self), None
        except Exception as error:  # noqa: BLE001 - it is raised by whoever needs the token
            self._failure = error
            kind = type(error).__name__
            _LOG.warning("no new access token: %s raised %s", _name_of(self._fetch), kind)
        # When it is over: whoever came meanwhile shares what it came to, a failure too.
        self._fetches += 1


class OAuth2:
    """An access token instead of a password, for the mechanisms OAUTHBEARER and XOAUTH2.

    A token that the server refuses is replaced once, and the login tried once more; see
    :func:`mailsend.open_transport`.

    Args:
        token: called for a token at each authentication; see :class:`TokenSource`. It may take as
            long as the profile's ``timeouts.auth`` allows. Wrap it in :class:`CachedToken` unless
            it keeps tokens itself.

    Raises:
        ConfigurationError: It is not callable.
    """

    __slots__ = ("_source", "_tells_refused")

    def __init__(self, token: TokenSource | Callable[[], AccessToken | str]) -> None:
        if not (callable(token) or isinstance(token, _Referred)):
            raise ConfigurationError(
                f"token has to be something to call for a token, not {type(token).__name__}",
                advice="Write OAuth2(token=get_token), or OAuth2.from_env('ACCESS_TOKEN') for a "
                "token that something else keeps fresh",
            )
        self._source: Any = token
        self._tells_refused = callable(token) and _takes(token, "refused")

    @classmethod
    def _from(cls, source: SecretReference) -> OAuth2:
        referred: Any = _Referred(source)
        return cls(referred)

    @classmethod
    def from_env(cls, variable: str) -> OAuth2:
        """Read the token from an environment variable at each authentication.

        Raises:
            ConfigurationError: The name cannot be one of a variable.
        """
        return cls._from(secret_reference.in_environment(variable, "access token"))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> OAuth2:
        """Read the token from a file at each authentication, such as one of a token helper's.

        Raises:
            ConfigurationError: The path cannot be one.
        """
        return cls._from(secret_reference.in_file(path, "access token"))

    @classmethod
    def from_command(cls, command: str | Sequence[str]) -> OAuth2:
        """Run a command at each authentication; the first line that it prints is the token.

        Args:
            command: words, or one string that is split as a shell splits it. No shell runs.

        Raises:
            ConfigurationError: There is no command, or its quotes do not close.
        """
        return cls._from(secret_reference.from_command(command, "access token"))

    def look_up(self, seconds: float, refused: AccessToken | None = None) -> AccessToken:
        """Get a token.

        Args:
            seconds: how long that may take.
            refused: a token that the server did not take, or None.

        Raises:
            TokenError: None could be had in that time; what the callable raised is the cause.
            MailsendError: The callable raised one.
        """
        name = _name_of(self._source)
        try:
            found = within(seconds, lambda: Hidden(self._call(refused, seconds)))
        except NotInTime as error:
            raise TokenError(
                f"{name} gave no access token within {seconds:g} seconds",
                stage=Stage.AUTH,
                advice="Look why it waits, or give it more time with Timeouts(auth=...)",
            ) from error
        except MailsendError:
            raise
        except Exception as error:
            raise TokenError(
                f"{name} raised {type(error).__name__} when it was asked for an access token",
                stage=Stage.AUTH,
                advice="What it raised is the __cause__ of this error",
            ) from error
        return _as_access_token(found.value, self._source)

    def _call(self, refused: AccessToken | None, seconds: float) -> object:
        if isinstance(self._source, _Referred):
            return self._source.reference.look_up(seconds).value
        return self._source(refused=refused) if self._tells_refused else self._source()

    def __repr__(self) -> str:
        if not hasattr(self, "_source"):
            return "<OAuth2>"  # its construction failed, and a traceback shows it
        return f"<OAuth2 token from {_name_of(self._source)}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OAuth2):
            return NotImplemented
        return _alike(self._source, other._source)

    def __hash__(self) -> int:
        return hash(OAuth2)  # what is called for tokens need not have a hash

    def __copy__(self) -> OAuth2:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> OAuth2:
        return self

    def __reduce__(self) -> tuple[type[OAuth2], tuple[Any]]:
        return (OAuth2, (self._source,))


@frozen
class _Referred:
    """A token that something else keeps fresh, where it is kept."""

    reference: SecretReference


def _as_access_token(value: object, source: object) -> AccessToken:
    held = Hidden(value)
    del value
    if isinstance(held.value, AccessToken):
        return held.value
    problem = f"returned {type(held.value).__name__}"
    if isinstance(held.value, str):
        try:
            return AccessToken(held.value)
        except ConfigurationError as error:
            problem = f"gave no usable access token: {error.what}"
    raise TokenError(
        f"{_name_of(source)} {problem}",
        stage=Stage.AUTH,
        cause=Cause.TOKEN_UNAVAILABLE,
        retry=Retry.NEVER,
        advice="It has to return an AccessToken, or the token as a string",
    )


def _alike(one: Any, other: Any, depth: int = 8) -> bool:
    """Whether two sources are one, or made anew by the same code of the same things.

    As where an application writes ``OAuth2(token=lambda: ...)`` for each request.
    """
    if one is other:
        return True
    if type(one) is not type(other) or depth == 0:  # a function may have itself in its closure
        return False
    try:
        mine, yours = _made_of(one), _made_of(other)
        if mine is None or yours is None:
            return bool(one == other)
        return len(mine) == len(yours) and all(
            _alike(a, b, depth - 1) for a, b in zip(mine, yours, strict=True)
        )
    except Exception:  # noqa: BLE001 - whatever a comparison of somebody else's raises
        return False


def _made_of(thing: Any) -> tuple[Any, ...] | None:
    """What a function, a partial or a cache is made of; None for anything else."""
    if isinstance(thing, CachedToken):
        return (thing._fetch,)  # noqa: SLF001 - a neighbour
    if isinstance(thing, functools.partial):
        return (thing.func, *thing.args, *itertools.chain(*sorted(thing.keywords.items())))
    if isinstance(thing, types.FunctionType):
        closure = tuple(cell.cell_contents for cell in thing.__closure__ or ())
        return (thing.__code__, thing.__defaults__, thing.__kwdefaults__, *closure)
    return None


def _takes(call: Callable[..., object], name: str) -> bool:
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return False  # a callable of C code, which has none that can be read
    return any(p.name == name or p.kind is p.VAR_KEYWORD for p in parameters)


def _name_of(source: object) -> str:
    """What to call something that is called for tokens; its arguments may be secret."""
    if isinstance(source, _Referred):
        return f"the {source.reference.kind} {source.reference.words[0]!r}"
    inner = getattr(source, "func", source)  # of a functools.partial
    name = getattr(inner, "__qualname__", None) or type(inner).__qualname__
    return f"the token source {name}"
