"""A user's sign-in as a source of tokens."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from attrs import evolve, field, frozen

from mailsend.cause import Cause, Retry
from mailsend.errors import ConfigurationError, TokenError
from mailsend.oauth import google, microsoft
from mailsend.oauth.answers import Answer
from mailsend.oauth.settings import optional_path
from mailsend.oauth.sign_in import ProviderName, SignIn, checked_name
from mailsend.oauth.store import SignInStore
from mailsend.stage import Stage
from mailsend.tokens import AccessToken, CachedToken

_LOG: Final = logging.getLogger("mailsend.oauth")
_REFRESH: Final[dict[ProviderName, Callable[[SignIn], Answer]]] = {
    "microsoft": microsoft.refresh,
    "google": google.refresh,
}


@frozen
class SignedIn:
    """Tokens for a user who ran ``mailsend login``: ``OAuth2(token=SignedIn("work"))``.

    It pickles as the name. Tokens are kept until five minutes before their end, in this object;
    the refresh token stays in the store, and where the provider replaces it, the new one is there
    before the access token is used. Processes and threads that refresh at once wait for each other.

    Attributes:
        name: of the sign-in, as in ``mailsend login microsoft work``.
        folder: where sign-ins are kept; None for that of ``$MAILSEND_SIGN_INS``, else
            ``$XDG_STATE_HOME/mailsend/sign-ins``.

    Raises:
        ConfigurationError: It is no name of a sign-in.
    """

    name: str = field(converter=checked_name)
    folder: Path | None = field(default=None, converter=optional_path, repr=False)
    _tokens: CachedToken = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_tokens", CachedToken(self._fetch))

    def __call__(self, *, refused: AccessToken | None = None) -> AccessToken:
        """The token to use now; a new one if the server did not take `refused`.

        Raises:
            TokenError: Nobody has signed in, what is kept cannot be used, or the provider gave
                none.
        """
        return self._tokens(refused=refused)

    def __reduce__(self) -> tuple[Callable[..., SignedIn], tuple[str, Path | None]]:
        return (SignedIn, (self.name, self.folder))

    def _fetch(self) -> AccessToken:
        store = SignInStore(self.folder)
        try:
            with store.locked(self.name):
                sign_in = store.load(self.name)
                answer = _REFRESH[sign_in.provider](sign_in)
                new = answer.refresh_token
                if new is not None and new != sign_in.refresh_token:
                    _keep(store, evolve(sign_in, refresh_token=new))
                return answer.token
        except ConfigurationError as error:
            raise TokenError(
                error.what,
                stage=Stage.AUTH,
                cause=Cause.TOKEN_UNAVAILABLE,
                retry=Retry.NEVER,
                advice=error.advice,
            ) from error


def _keep(store: SignInStore, sign_in: SignIn) -> None:
    """Keep the new refresh token. The access token is good, whether that succeeds or not."""
    try:
        store.replace(sign_in)
    except ConfigurationError as error:
        _LOG.error("the new refresh token could not be kept, so sign in again soon: %s", error)
