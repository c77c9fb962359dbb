"""Access tokens for the server that asks servers/postfix/introspection.pl about them."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

AUDIENCE: Final = "submission"
SCOPE: Final = "smtp"


@dataclass(frozen=True)
class TokenIssuer:
    """Mints opaque tokens, each known by a file that the introspection endpoint reads."""

    folder: Path

    def mint(
        self, username: str, *, lifetime: int = 3600, audience: str = AUDIENCE, scope: str = SCOPE
    ) -> str:
        """A new token.

        Args:
            username: whom it lets in.
            lifetime: seconds; negative for a token that has expired.
            audience: whom it is for. Tokens for others are not good (RFC 7662 §4).
            scope: what it allows.
        """
        token = secrets.token_urlsafe(32)
        expires = int(time.time()) + lifetime
        answer = {"active": True, "username": username, "scope": scope, "exp": expires}
        unfinished = self.folder / f".{token}"
        unfinished.write_text(f"{expires}\n{audience}\n{json.dumps(answer)}\n")
        unfinished.rename(self.folder / token)
        return token

    def revoke(self, token: str) -> None:
        """From now on it is as unknown as one that was never minted."""
        (self.folder / token).unlink()
