"""What an authorization server's refusal means: OAuth2 errors, and the codes of Microsoft Entra.

Sources: RFC 6749 §5.2 and §4.1.2.1, RFC 8628 §3.5; for the AADSTS numbers
https://learn.microsoft.com/entra/identity-platform/reference-error-codes; for Google
https://developers.google.com/identity/protocols/oauth2/service-account#error-codes and
https://developers.google.com/identity/protocols/oauth2/web-server#authorization-errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import field, frozen

from mailsend.cause import Cause, Retry
from mailsend.errors import ConfigurationError, TokenError
from mailsend.scrub import Scrubber
from mailsend.secret import Hidden, Secret
from mailsend.stage import Stage

_MOST: Final = 300  # characters of a provider's own words
_LONGEST: Final = 10_000  # of a secret
_OPAQUE: Final = re.compile(r"[\w.~+/=-]{60,}", re.ASCII)  # as tokens and assertions are
_NUMBER: Final = re.compile(r"AADSTS(\d{4,8})")
_WITHHELD: Final = "its words are withheld, because they quote a secret"

_ENTRA: Final = "https://learn.microsoft.com/entra/identity-platform/reference-error-codes"
_GOOGLE: Final = "https://developers.google.com/identity/protocols/oauth2"
_SERVICE_ACCOUNT: Final = _GOOGLE + "/service-account#error-codes"
_DOMAIN_WIDE: Final = "https://support.google.com/a/answer/162106"

_AGAIN: Final = "Sign in again: {sign_in}"
_AGREE: Final = "Sign in again and agree, or ask an administrator: {sign_in}"
_NOT_SOON: Final = "Try again later; nothing has to be changed"


def _as_errors(values: Iterable[str]) -> frozenset[str]:
    return frozenset(values)


def _as_numbers(values: Iterable[int]) -> frozenset[int]:
    return frozenset(values)


@frozen
class Meaning:
    """How to read a refusal; the first that fits counts.

    Attributes:
        meaning: what it says, in our words.
        advice: what to do; ``{sign_in}`` stands for the command that signs in again.
        errors: values of ``error``; with `numbers`, either is enough.
        numbers: AADSTS numbers.
        words: if not empty, has to occur in the description too, whatever the case.
        provider: whose alone, or "" for any.
        retry: when the same may succeed.
        link: a page to read on, or "" for the one that the provider names.
    """

    meaning: str
    advice: str
    errors: frozenset[str] = field(default=frozenset(), converter=_as_errors)
    numbers: frozenset[int] = field(default=frozenset(), converter=_as_numbers)
    words: str = ""
    provider: str = ""
    retry: Retry = Retry.NEVER
    link: str = ""

    def fits(self, provider: str, error: str, numbers: Iterable[int], description: str) -> bool:
        """Whether a refusal is one of these."""
        return (
            self.provider in {"", provider}
            and (error in self.errors or not self.numbers.isdisjoint(numbers))
            and self.words in description.casefold()
        )


MEANINGS: Final = (
    # -- Microsoft, by number: `error` is invalid_grant or invalid_client for many things
    Meaning(
        "the client secret is wrong",
        "Give the secret's value, not its id; make a new one under Certificates & secrets if "
        "the value is lost",
        numbers=[7000215],
    ),
    Meaning(
        "the client secret has expired",
        "Make a new secret under Certificates & secrets of the app registration, or use a "
        "certificate",
        numbers=[7000222],
    ),
    Meaning(
        "the app registration does not know the certificate, or it has expired",
        "Upload the certificate under Certificates & secrets, and check its dates",
        numbers=[700027, 7000272],
    ),
    Meaning(
        "the signed assertion is out of its time",
        "Set this machine's clock",
        numbers=[700024],
    ),
    Meaning(
        "there is no such application in this tenant",
        "Check client_id (the Application ID of the app registration) and tenant",
        numbers=[700016],
    ),
    Meaning(
        "there is no such tenant",
        "Check tenant: a directory ID or a domain; and the authority, for a national cloud",
        errors=["invalid_tenant"],
        numbers=[90002, 900023, 900021, 900382],
    ),
    Meaning(
        "consent is missing",
        "For a signed-in user, sign in and agree: {sign_in}. For an application, an administrator "
        "has to grant consent to its API permissions",
        errors=["consent_required"],
        numbers=[65001, 90094, 90095],
    ),
    Meaning(
        "consent was declined",
        _AGREE,
        numbers=[65004],
    ),
    Meaning(
        "a second factor is asked for",
        _AGAIN,
        numbers=[50072, 50074, 50076, 50078, 50079, 50158],
    ),
    Meaning(
        "a policy of the organisation forbids it (Conditional Access)",
        "Ask an administrator which policy applies to this account, application or machine",
        numbers=[53000, 53001, 53002, 53003, 53004, 50105, 50005, 530032, 530034, 530035],
    ),
    Meaning(
        "the account is disabled, locked or unknown",
        "Ask an administrator of the account",
        numbers=[50034, 50053, 50057, 50128, 51004],
    ),
    Meaning(
        "the account does not belong to this tenant",
        "Name the account's own tenant, or consumers for a personal one, and sign in again: "
        "{sign_in}",
        numbers=[50020, 90072],
    ),
    Meaning(
        "the app registration does not take accounts of this kind",
        "Name the tenant that it is for (consumers for personal accounts alone), or change its "
        "Supported account types",
        numbers=[50194, 9002331, 9002332, 9002346],
    ),
    Meaning(
        "the application is no public client",
        "Set Allow public client flows to Yes, under Authentication of the app registration",
        numbers=[7000218],
    ),
    Meaning(
        "the scope cannot be asked for",
        "For an application it ends in /.default; for a user it is the default of mailsend. Add "
        "the API permission to the app registration: SMTP.Send for users, SMTP.SendAsApp for "
        "applications",
        errors=["invalid_scope"],
        numbers=[70011, 1002012, 500011, 650053, 28002, 28003],
        provider="Microsoft",
    ),
    Meaning(
        "the sign-in has ended, because nobody used it for long, or its password was changed",
        _AGAIN,
        numbers=[50173, 70008, 70043, 700081, 700082, 700084, 50132, 50133, 70000],
    ),
    Meaning(
        "the code was not entered in time",
        _AGAIN,
        errors=["expired_token", "code_expired"],
        numbers=[70019, 70020],
    ),
    Meaning(
        "it is too busy",
        _NOT_SOON,
        errors=["temporarily_unavailable", "server_error", "internal_failure", "slow_down"],
        numbers=[90006, 90012, 90024, 90033, 90055, 50196],
        retry=Retry.MINUTES,
    ),
    # -- Google, where one error stands for several things
    Meaning(
        "the service account's assertion is out of its time",
        "Set this machine's clock",
        errors=["invalid_grant"],
        words="short-lived token",
        provider="Google",
        link=_SERVICE_ACCOUNT,
    ),
    Meaning(
        "there is no such user for the service account to act for",
        "Check subject: the address of a user of the organisation, no alias and no group",
        errors=["invalid_grant"],
        words="user id",
        provider="Google",
        link=_SERVICE_ACCOUNT,
    ),
    Meaning(
        "the service account's key is not known any more",
        "Make a new key for the service account, and check that it has not been deleted",
        errors=["invalid_grant"],
        words="jwt",
        provider="Google",
        link=_SERVICE_ACCOUNT,
    ),
    Meaning(
        "the organisation asks its users to prove who they are again",
        "Sign in again: {sign_in}. To end it, an administrator exempts the application from "
        "Google Cloud session control",
        errors=["invalid_rapt", "rapt_required"],
        provider="Google",
    ),
    Meaning(
        "the sign-in has ended or was withdrawn",
        "Sign in again: {sign_in}. If that is needed every week, the publishing status of the "
        "project is Testing: set it to In production",
        errors=["invalid_grant"],
        provider="Google",
        link=_GOOGLE + "#expiration",
    ),
    Meaning(
        "the service account may not act for users with this scope",
        "An administrator has to allow its client ID the scope https://mail.google.com/ under "
        "Domain-wide delegation, which may take a day",
        errors=["unauthorized_client", "access_denied"],
        words="client is unauthorized",
        provider="Google",
        link=_DOMAIN_WIDE,
    ),
    Meaning(
        "a policy of the organisation forbids it",
        "Ask an administrator to trust the application for Gmail",
        errors=["admin_policy_enforced", "org_internal", "policy_enforced"],
        provider="Google",
    ),
    # -- any provider: RFC 6749
    Meaning(
        "the sign-in has ended, or asks for the user",
        _AGAIN,
        errors=["invalid_grant", "interaction_required", "login_required"],
    ),
    Meaning(
        "consent was declined",
        _AGREE,
        errors=["access_denied", "authorization_declined"],
    ),
    Meaning(
        "the client is not known, or its secret has expired or is wrong",
        "Check the client id and secret of the app registration, and make a new secret if the old "
        "one has expired",
        errors=["invalid_client", "deleted_client", "disabled_client"],
    ),
    Meaning(
        "the client may not ask in this way",
        "Check the type of the app registration, and which grants and accounts it allows",
        errors=["unauthorized_client", "unsupported_grant_type", "unsupported_response_type"],
    ),
    Meaning(
        "the scope is not known, or may not be asked for",
        "Leave the scope at its default, and allow it to the app registration",
        errors=["invalid_scope"],
    ),
)
OTHERWISE: Final = Meaning("it refused", "Read what it says, and check the app registration")


def refused(
    provider: str,
    answer: Mapping[str, Any],
    *,
    sign_in: str | None = None,
    secrets: Iterable[Hidden[str]] = (),
) -> TokenError:
    """The error for a refusal.

    Args:
        provider: "Microsoft" or "Google".
        answer: the error response.
        sign_in: the command that signs in again, where a user has signed in.
        secrets: what was sent, to be kept out of the provider's words.
    """
    # At Google a subtype tells which kind of invalid_grant it is.
    error = str(answer.get("error_subtype") or answer.get("error") or "")[:80]
    description = " ".join(str(answer.get("error_description") or "").split())
    numbers = _numbers_of(answer, description)
    meaning = next(
        (m for m in MEANINGS if m.fits(provider, error, numbers, description)), OTHERWISE
    )
    advice = meaning.advice.format(sign_in=sign_in or "mailsend login")
    return TokenError(
        f"{provider} gave no access token: {meaning.meaning} "
        f"({_words(error, description, secrets) or 'it gave no reason'})",
        stage=Stage.AUTH,
        cause=Cause.TOKEN_UNAVAILABLE,
        retry=meaning.retry,
        advice=advice,
        link=meaning.link or _link_of(answer) or (_ENTRA if provider == "Microsoft" else _GOOGLE),
    )


def _numbers_of(answer: Mapping[str, Any], description: str) -> set[int]:
    listed = answer.get("error_codes")
    codes = {n for n in listed if isinstance(n, int)} if isinstance(listed, list) else set()
    # Not every answer has the list, and the description always begins with its number.
    return codes | {int(number) for number in _NUMBER.findall(description)}


def _words(error: str, description: str, secrets: Iterable[Hidden[str]]) -> str:
    said = ": ".join(filter(None, (error, description)))
    if any(_quotes(said, secret) for secret in secrets if secret.value):
        return _WITHHELD
    said = _OPAQUE.sub("…", said)
    printable = "".join(c if c.isprintable() else " " for c in said).rstrip(" .")
    return printable if len(printable) <= _MOST else printable[:_MOST] + "…"


def _quotes(said: str, secret: Hidden[str]) -> bool:
    try:
        return Scrubber(Secret(secret.value, longest=_LONGEST)).quotes(said)
    except ConfigurationError:
        return True  # what cannot be looked for is better kept back


def _link_of(answer: Mapping[str, Any]) -> str | None:
    uri = answer.get("error_uri")
    if isinstance(uri, str) and uri.startswith("https://") and uri.isprintable() and " " not in uri:
        return uri if len(uri) <= _MOST else None
    return None
