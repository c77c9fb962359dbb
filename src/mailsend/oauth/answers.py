"""Asking an authorization server through a provider's library, and reading what it answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any, Final

from attrs import frozen

from mailsend.cause import Cause, Retry
from mailsend.errors import ConfigurationError, TokenError
from mailsend.oauth.https import Refusal, Unavailable, unavailable
from mailsend.oauth.refusals import refused
from mailsend.oauth.sign_in import refresh_token_from
from mailsend.secret import Hidden, Secret
from mailsend.stage import Stage
from mailsend.tokens import AccessToken

_LONGEST_LIFE: Final = 10 * 365 * 86_400  # seconds; more than that is no number to believe


@frozen
class Answer:
    """What a refresh gave.

    Attributes:
        token: the access token.
        refresh_token: what to use the next time, or None for the same one.
    """

    token: AccessToken
    refresh_token: Secret | None = None


def ask(
    provider: str,
    call: Callable[[], dict[str, Any]],
    *,
    sign_in: str | None = None,
    secrets: Iterable[Hidden[str]] = (),
) -> Hidden[dict[str, Any]]:
    """Call a provider's library, and turn whatever it raises into an error of ours.

    What the library raises is no ``__cause__`` of that: its frames hold the secrets, and its words
    may quote them.

    Args:
        provider: "Microsoft" or "Google".
        call: calls the library, and returns the response, of a success or an error.
        sign_in: the command that signs in again, where a user has signed in.
        secrets: what was sent, to be kept out of the provider's words.

    Returns:
        The response, which is no error.

    Raises:
        TokenError: The provider refused, or did not answer.
        ConfigurationError: `call` raised one.
    """
    trouble: Unavailable | None = None
    raised = ""
    found: Hidden[dict[str, Any]] = Hidden({})
    try:
        found = Hidden(call())
    except Unavailable as error:
        trouble = error
    except Refusal as refusal:
        found = Hidden(refusal.answer)
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever its library raises
        raised = type(error).__name__
    if trouble is not None:
        raise unavailable(provider, trouble)
    if raised:
        raise TokenError(
            f"{provider}'s library raised {raised} when it asked for a token",
            stage=Stage.AUTH,
            retry=Retry.NEVER,
            advice="Check the client id, the secret or key, and the names of tenant and authority",
        )
    if "error" in found.value:
        raise refused(provider, found.value, sign_in=sign_in, secrets=secrets)
    return found


def token_from(provider: str, answer: Hidden[dict[str, Any]]) -> AccessToken:
    """The access token of a response (RFC 6749 §5.1).

    Raises:
        TokenError: There is none in it that can be used.
    """
    problem = "its answer has no access token"
    try:
        lasts = min(float(answer.value.get("expires_in") or 0), _LONGEST_LIFE)
        expires_at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=lasts) if lasts > 0 else None
        return AccessToken(answer.value["access_token"], expires_at)
    except ConfigurationError as error:
        problem = error.what
    except (KeyError, TypeError, ValueError):
        pass
    raise TokenError(
        f"{provider} gave no access token that can be used: {problem}",
        stage=Stage.AUTH,
        cause=Cause.TOKEN_UNAVAILABLE,
        retry=Retry.NEVER,
    )


def new_refresh_token(answer: Hidden[dict[str, Any]]) -> Secret | None:
    """The refresh token that takes the place of the one that was used, if there is one."""
    return refresh_token_from(answer) if answer.value.get("refresh_token") else None


def first_refresh_token(provider: str, answer: Hidden[dict[str, Any]]) -> Secret:
    """The refresh token of a sign-in.

    Raises:
        TokenError: There is none.
    """
    found = new_refresh_token(answer)
    if found is None:
        raise TokenError(
            f"{provider} gave no refresh token, so that the sign-in would last an hour",
            stage=Stage.AUTH,
            retry=Retry.NEVER,
            advice="Agree to keep access when you sign in; at Google, remove the application from "
            "the account's connections first, and sign in again",
        )
    return found


def see_scope(provider: str, answer: Hidden[dict[str, Any]], scope: str) -> tuple[str, ...]:
    """The scopes that were granted.

    Raises:
        TokenError: The one that sends mail is not among them.
    """
    granted = tuple(str(answer.value.get("scope") or scope).split())
    if scope.casefold() not in {one.casefold() for one in granted}:
        raise TokenError(
            f"{provider} did not grant the scope {scope}, but {' '.join(granted)[:300]}",
            stage=Stage.AUTH,
            retry=Retry.NEVER,
            advice="Sign in again and tick the box for mail; see that the app registration may "
            "ask for it",
        )
    return granted
