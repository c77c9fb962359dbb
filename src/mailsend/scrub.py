"""Taking a secret out of what a server says: some quote the line that they refuse."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from typing import Final

from mailsend.reply import Reply
from mailsend.secret import Hidden, Secret

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
        secret: password or token; None where there is none, and only what is sent counts.
    """

    def __init__(self, secret: Secret | None) -> None:
        self._whole: Hidden[set[str]] = Hidden(set())
        self._runs: Hidden[set[str]] = Hidden(set())
        if secret is not None:
            for form in _forms(secret):
                self._remember(form)
        self.presenting = False
        """Whether AUTH is under way."""
        self.presented = False
        """Whether this session has been told the secret."""

    def _remember(self, form: Hidden[str]) -> None:
        if len(form.value) >= _SHORTEST:
            squeezed = Hidden(_squeezed([form.value]))
            self._whole.value.add(squeezed.value)
            self._runs.value.update(_runs(squeezed.value))

    def add(self, line: Hidden[str]) -> None:
        """A line of AUTH, about to be sent: it may come back too. Only the whole of it counts.

        A run of it may be one of the user name's, which is no secret.
        """
        text = line.value.rstrip("=")
        if len(text) >= _RUN:
            self._whole.value.add(_squeezed([text]))

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
        return self.presented or self.quotes(octets)

    def quotes(self, text: str) -> bool:
        """Whether a text has a run of the secret in it, in any form."""
        squeezed = _squeezed([text])
        return any(run in squeezed for run in self._runs.value)

    def scrub(self, reply: Reply) -> Reply:
        """The reply, or one with its codes alone if its words quote the secret."""
        if reply.code == _CHALLENGE and self.presenting:
            return reply  # the mechanism needs it, and whoever records it leaves it out
        text = _squeezed(reply.lines)
        if any(form in text for form in self._whole.value) or (
            self.presenting and any(run in text for run in self._runs.value)
        ):
            return Reply(reply.code, reply.enhanced, (WITHHELD,))
        return reply


def _forms(secret: Secret) -> Iterator[Hidden[str]]:
    octets = Hidden(secret.reveal().encode())
    yield Hidden(secret.reveal())
    yield Hidden(octets.value.decode("latin-1"))
    yield Hidden(secret.reveal().encode("unicode_escape").decode())
    # In base64, whatever stands before it: three octets become four characters, so that there are
    # three ways in which it may lie. What it shares a character with at either end is left out.
    for before in range(3):
        encoded = Hidden(base64.b64encode(b"\0" * before + octets.value).decode().rstrip("="))
        begin = -(-before * 4 // 3)
        shared = (before + len(octets.value)) % 3 != 0
        yield Hidden(encoded.value[begin : -1 if shared else None])


def _squeezed(lines: Iterable[str]) -> str:
    return "".join("".join(lines).split()).casefold()


def _runs(form: str) -> Iterable[str]:
    return (form[i : i + _RUN] for i in range(max(1, len(form) - _RUN + 1)))
