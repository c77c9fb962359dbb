"""Sources of OAuth2 access tokens, for ``OAuth2(token=...)``.

Each gets tokens by itself and keeps them until they end. What a source needs is imported when it
is asked for its first token: ``mailsend[microsoft]`` or ``mailsend[google]``.
"""

from __future__ import annotations

from mailsend.oauth.google import RefreshToken, ServiceAccount
from mailsend.oauth.microsoft import ClientCredentials
from mailsend.oauth.sign_in import SignIn
from mailsend.oauth.signed_in import SignedIn
from mailsend.oauth.store import SignInStore

__all__ = [
    "ClientCredentials",
    "RefreshToken",
    "ServiceAccount",
    "SignIn",
    "SignInStore",
    "SignedIn",
]
