"""What authorization servers say, and what is made of it."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from mailsend import Cause, Retry
from mailsend.oauth.refusals import MEANINGS, OTHERWISE, refused
from mailsend.secret import Hidden

# As the providers' pages and users' reports have them, shortened.
MICROSOFT = [
    ("invalid_client", "AADSTS7000215: Invalid client secret provided.", "secret is wrong"),
    ("invalid_client", "AADSTS7000222: The provided client secret keys are expired.", "expired"),
    ("invalid_client", "AADSTS700027: The certificate is not registered.", "the certificate"),
    ("invalid_client", "AADSTS700024: Client assertion is not within its time.", "of its time"),
    ("invalid_client", "AADSTS7000218: The request body must contain client_secret", "public"),
    ("unauthorized_client", "AADSTS700016: Application was not found", "no such application"),
    ("invalid_request", "AADSTS90002: Tenant 'x' not found.", "no such tenant"),
    ("invalid_tenant", "", "no such tenant"),
    ("invalid_grant", "AADSTS65001: The user or administrator has not consented", "consent is"),
    ("consent_required", "", "consent is missing"),
    ("access_denied", "AADSTS65004: User declined to consent.", "declined"),
    ("authorization_declined", "", "declined"),
    ("invalid_grant", "AADSTS50076: you must use multi-factor authentication", "second factor"),
    ("invalid_grant", "AADSTS50079: you must enroll in multi-factor", "second factor"),
    ("interaction_required", "AADSTS50158: External security challenge", "second factor"),
    ("invalid_grant", "AADSTS53003: Access has been blocked by Conditional Access", "policy"),
    ("invalid_grant", "AADSTS50057: The user account is disabled.", "disabled"),
    ("invalid_grant", "AADSTS50020: User account does not exist in tenant", "not belong"),
    ("invalid_request", "AADSTS50194: Application is not multi-tenant.", "of this kind"),
    ("invalid_request", "AADSTS9002346: for Microsoft Account users only.", "of this kind"),
    ("invalid_scope", "AADSTS70011: The provided value for scope is not valid.", "scope"),
    ("invalid_grant", "AADSTS700082: The refresh token has expired due to inactivity.", "ended"),
    ("invalid_grant", "AADSTS50173: The provided grant has expired as revoked", "ended"),
    ("invalid_grant", "", "ended, or asks for the user"),
    ("interaction_required", "", "asks for the user"),
    ("expired_token", "AADSTS70020: The code has expired", "not entered in time"),
    ("invalid_client", "", "client is not known"),
    ("unauthorized_client", "", "may not ask in this way"),
]
GOOGLE = [
    ("invalid_grant", "Token has been expired or revoked.", "ended or was withdrawn"),
    ("invalid_grant", "Bad Request", "ended or was withdrawn"),
    ("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes)", "its time"),
    ("invalid_grant", "Invalid JWT Signature.", "key is not known"),
    ("invalid_grant", "Invalid email or User ID", "no such user"),
    ("unauthorized_client", "Client is unauthorized to retrieve access tokens", "may not act for"),
    ("unauthorized_client", "", "may not ask in this way"),
    ("invalid_client", "The OAuth client was not found.", "client is not known"),
    ("deleted_client", "The OAuth client was deleted.", "client is not known"),
    ("access_denied", "", "declined"),
    ("admin_policy_enforced", "", "policy"),
    ("org_internal", "", "policy"),
    ("invalid_scope", "Some requested scopes were invalid.", "scope"),
]
BUSY = ["temporarily_unavailable", "server_error", "internal_failure", "slow_down"]


def answer(error: str, description: str) -> dict[str, Any]:
    return {"error": error, "error_description": description}


@pytest.mark.parametrize(
    ("provider", "error", "description", "meaning"),
    [("Microsoft", *row) for row in MICROSOFT] + [("Google", *row) for row in GOOGLE],
)
def test_what_lasts(provider: str, error: str, description: str, meaning: str) -> None:
    found = refused(provider, answer(error, description), sign_in="mailsend login x work")
    assert found.retry is Retry.NEVER
    assert found.cause is Cause.TOKEN_UNAVAILABLE
    assert error in found.what
    assert description.rstrip(".") in found.what
    assert meaning in found.what.replace(description.rstrip(".") or "-", "")
    assert found.advice
    assert "{" not in found.advice
    assert (found.link or "").startswith("https://")
    again = pickle.loads(pickle.dumps(found))
    assert str(again) == str(found)


@pytest.mark.parametrize("provider", ["Microsoft", "Google"])
@pytest.mark.parametrize("error", BUSY)
def test_what_passes(provider: str, error: str) -> None:
    assert refused(provider, answer(error, "")).retry is Retry.MINUTES


def test_a_number_alone_is_enough() -> None:
    by_list = refused("Microsoft", {"error": "invalid_client", "error_codes": [7000222]})
    assert "the client secret has expired" in by_list.what
    odd = refused("Microsoft", {"error": "invalid_client", "error_codes": ["7000222", None, {}]})
    assert "the client is not known" in odd.what


@pytest.mark.parametrize("sign_in", ["mailsend login google work", None])
def test_advice_names_the_command(sign_in: str | None) -> None:
    found = refused("Google", answer("invalid_grant", "revoked"), sign_in=sign_in)
    assert (sign_in or "mailsend login") in (found.advice or "")


@pytest.mark.parametrize("odd", [{}, {"error": None}, {"error": 5}, {"error": ["x"]}])
def test_what_is_not_known(odd: dict[str, Any]) -> None:
    found = refused("Microsoft", odd)
    assert OTHERWISE.meaning in found.what
    assert found.retry is Retry.NEVER


def test_every_row_is_reached() -> None:
    met = {
        refused(provider, answer(error, words)).what.partition(" token: ")[2].partition(" (")[0]
        for provider, rows in (("Microsoft", MICROSOFT), ("Google", GOOGLE))
        for error, words, _ in rows
    } | {"it is too busy", "the organisation asks its users to prove who they are again"}
    rows = {row.meaning.partition(" (")[0] for row in MEANINGS}
    assert rows <= met


@pytest.mark.parametrize("where", ["error", "error_description"])
def test_secrets_that_are_quoted_are_withheld(where: str) -> None:
    secret = "Xq8~s3cret-of-contoso"
    quoted = {"error": "invalid_client", where: f"AADSTS7000215: the secret {secret} is wrong"}
    found = refused("Microsoft", quoted, secrets=[Hidden("another"), Hidden(secret)])
    assert secret[:8] not in f"{found} {found!r} {found.facts()} {pickle.dumps(found)!r}"
    assert "withheld" in found.what


def test_what_looks_like_a_token_is_left_out() -> None:
    assertion = "eyJhbGciOiJSUzI1NiJ9." + "QUJD" * 30 + "." + "c2ln" * 30
    found = refused("Google", answer("invalid_grant", f"Invalid JWT {assertion} here"))
    assert "QUJD" not in str(found)
    assert "Invalid JWT … here" in found.what


def test_words_are_bounded_and_printable() -> None:
    found = refused("Google", answer("x" * 500, "a\r\nb\x1b[31m \u202e" + "word " * 500))
    assert found.what.isprintable()
    assert len(found.what) < 450


@pytest.mark.parametrize(
    ("uri", "taken"),
    [
        ("https://login.microsoftonline.com/error?code=7000215", True),
        ("http://login.microsoftonline.com/error", False),
        ("https://a b", False),
        ("https://x/" + "y" * 400, False),
        (5, False),
    ],
)
def test_the_page_that_the_provider_names(uri: object, taken: bool) -> None:
    found = refused("Microsoft", {**answer("invalid_client", ""), "error_uri": uri})
    assert (found.link == uri) is taken
