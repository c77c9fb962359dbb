"""Taking a secret out of what a server says: some quote the line that they refuse."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Final

from mailsend.reply import Reply
from mailsend.secret import Hidden

WITHHELD: Final = "<the server's words are withheld, because they quote a secret>"
_RUN: Final = 8  # characters in a row that are no accident
_CHALLENGE: Final = 334
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
        before = f"\0{username}\0".encode()
        plain = _encoded(before + octets)
        whole = {
            secret.value,
            octets.decode("latin-1"),
            secret.value.encode("unicode_escape").decode(),
            _encoded(octets),
            plain,
            # Without the name, which is no secret: a server's challenge may well name it.
            plain[-(-len(before) * 4 // 3) :],
        }
        usable = {_squeezed([form]) for form in whole if len(form) >= _SHORTEST}
        self._whole = Hidden(usable)
        self._runs = Hidden({run for f in usable - {_squeezed([plain])} for run in _runs(f)})
        self.presenting = False
        """Whether AUTH is under way."""
        self.presented = False
        """Whether this session has been told the secret."""

    def begin(self) -> None:
        """AUTH begins."""
        self.presenting = self.presented = True

    def end(self) -> None:
        """AUTH is over."""
        self.presenting = False

    def may_quote(self, octets: str) -> bool:
        """Whether something that is no reply, and may be cut anywhere, has to be kept back.

        After AUTH everything has: what looks like noise may be the secret.
        """
        text = _squeezed([octets])
        return self.presented or any(run in text for run in self._runs.value)

    def scrub(self, reply: Reply) -> Reply:
        """The reply, or one with its codes alone if its words quote the secret."""
        if reply.code == _CHALLENGE:
            return reply  # the mechanism needs it, and whoever records it leaves it out
        text = _squeezed(reply.lines)
        forms = self._runs.value if self.presenting else self._whole.value
        if any(form in text for form in forms):
            return Reply(reply.code, reply.enhanced, (WITHHELD,))
        return reply


def _encoded(octets: bytes) -> str:
    return base64.b64encode(octets).decode().rstrip("=")


def _squeezed(lines: Iterable[str]) -> str:
    return "".join("".join(lines).split()).casefold()


def _runs(form: str) -> Iterable[str]:
    return (form[i : i + _RUN] for i in range(max(1, len(form) - _RUN + 1)))
