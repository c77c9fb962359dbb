"""Taking a secret out of what a server says: some quote the line that they refuse."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Final

from mailsend.credentials import Hidden
from mailsend.reply import Reply

WITHHELD: Final = "<the server's words are withheld, because they quote a secret>"
_RUN: Final = 8  # characters in a row that are no accident
_SHORTEST: Final = 4  # of a whole secret; a shorter one is found in any text by chance


class Scrubber:
    """Finds a secret in replies, in the forms in which a server could send it back.

    While the secret is being presented, a run of eight characters of any form is enough, however
    the lines are cut and whatever the case. Afterwards only a whole form counts, so that it costs
    next to nothing for each reply. A server that takes the trouble to encode the secret otherwise
    is not found out.

    Args:
        username: the name that stands beside it in PLAIN.
        secret: the secret.
    """

    def __init__(self, username: str, secret: Hidden[str]) -> None:
        octets = secret.value.encode()
        plain = f"\0{username}\0".encode() + octets
        spellings = {
            secret.value,
            octets.decode("ascii", "backslashreplace"),
            octets.decode("latin-1"),
            secret.value.encode("unicode_escape").decode(),
            *(base64.b64encode(form).decode().rstrip("=") for form in (octets, plain)),
        }
        whole = {_squeezed([form]) for form in spellings if len(form) >= _SHORTEST}
        self._whole = Hidden(whole)
        self._runs = Hidden({run for form in whole for run in _runs(form)})
        self.presenting = True

    def also(self, response: Hidden[str]) -> None:
        """Add a response that was sent, in base64."""
        form = _squeezed([response.value.rstrip("=")])
        if len(form) >= _SHORTEST:
            self._whole.value.add(form)
            self._runs.value.update(_runs(form))

    def scrub(self, reply: Reply) -> Reply:
        """The reply, or one with its codes alone if its words quote the secret."""
        text = _squeezed(reply.lines)
        forms = self._runs.value if self.presenting else self._whole.value
        if any(form in text for form in forms):
            return Reply(reply.code, reply.enhanced, (WITHHELD,))
        return reply


def _squeezed(lines: Iterable[str]) -> str:
    return "".join("".join(lines).split()).casefold()


def _runs(form: str) -> Iterable[str]:
    return (form[i : i + _RUN] for i in range(max(1, len(form) - _RUN + 1)))
