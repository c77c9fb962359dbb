"""Whatever an authorization server says, there is an error to read, and no secret in it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mailsend.oauth.refusals import MEANINGS, refused
from mailsend.secret import Hidden

WORDS = st.text(max_size=120) | st.sampled_from(
    ["AADSTS7000215: Invalid", "AADSTS50076", "invalid_grant", "Token has been revoked", "{x}"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
KEYS = ("error", "error_description", "error_codes", "error_subtype", "error_uri", "suberror")
ANSWERS = st.dictionaries(st.sampled_from(KEYS), JSON)
PROVIDERS = st.sampled_from(["Microsoft", "Google"])


@given(PROVIDERS, ANSWERS, st.none() | st.just("mailsend login google work"))
def test_any_answer_makes_a_readable_error(
    provider: str, answer: dict[str, Any], sign_in: str | None
) -> None:
    error = refused(provider, answer, sign_in=sign_in)
    assert error.what.isprintable()
    assert len(error.what) < 500
    assert error.what.startswith(f"{provider} gave no access token: ")
    assert error.advice
    assert "{sign_in}" not in error.advice
    assert (error.link or "").startswith("https://")
    assert error.safe_to_retry


@given(
    PROVIDERS,
    st.sampled_from(sorted({code for meaning in MEANINGS for code in meaning.errors})),
    st.text("abcdefghjkmnpqrstuvwxyzABCDEFGH0123456789~.-_", min_size=12, max_size=60),
    st.text(max_size=30),
    st.text(max_size=30),
)
def test_a_secret_never_shows(
    provider: str, code: str, secret: str, before: str, after: str
) -> None:
    answer = {"error": code, "error_description": f"{before}{secret}{after}"}
    error = refused(provider, answer, secrets=[Hidden(secret)])
    assert secret not in f"{error} {error!r} {error.facts()}"
