"""The stages of a conversation at which a reply is due before the content."""

from __future__ import annotations

from typing import Any

from attrs import evolve, field, frozen

from mailsend import Stage
from mailsend.testing import Stage as ScriptStage

from .matrix import MODES, SERIAL


@frozen
class Place:
    """Where a reply goes wrong: the script's stage, and what the client calls it."""

    name: str
    script: ScriptStage
    stage: Stage
    budget: str
    skip: int = 0
    modes: tuple[str, ...] = MODES
    server: dict[str, Any] = field(factory=dict)


OPENING = [
    Place("greeting", "GREETING", Stage.GREETING, "greeting"),
    Place("ehlo", "EHLO", Stage.EHLO, "command"),
    Place("starttls", "STARTTLS", Stage.STARTTLS, "command", modes=("starttls",)),
    Place("ehlo again", "EHLO", Stage.EHLO, "command", skip=1, modes=("starttls",)),
    Place("auth", "AUTH", Stage.AUTH, "auth"),
    Place("challenge", "AUTH_RESPONSE", Stage.AUTH, "auth", server={"mechanisms": ["LOGIN"]}),
]
TRANSACTION = [
    Place("mail", "MAIL", Stage.MAIL, "command"),
    Place("rcpt 1", "RCPT", Stage.RCPT, "command"),
    Place("rcpt 2", "RCPT", Stage.RCPT, "command", skip=1),
    Place("data", "DATA", Stage.DATA, "command"),
]
ONE_BY_ONE = [
    evolve(place, name=f"{place.name} unpipelined", server={"extensions": SERIAL})
    for place in TRANSACTION
]
