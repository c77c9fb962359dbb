"""Every stage of a submission, gone wrong in every way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from attrs import evolve, frozen

from benchmarks.reliability.scenario import (
    BOB,
    CAROL,
    EVE,
    EVERYBODY,
    IMPLICIT_TLS,
    PLAINTEXT,
    STARTTLS,
    Course,
    Do,
    Message,
    Scenario,
)
from mailsend import Security
from mailsend.testing import (
    DEFAULT_EXTENSIONS,
    Action,
    Answer,
    Close,
    Drip,
    Flood,
    Garbage,
    Hang,
    Normal,
    Reset,
    Stage,
)

_MODES: Final = (PLAINTEXT, STARTTLS, IMPLICIT_TLS)
_SERIAL: Final = tuple(e for e in DEFAULT_EXTENSIONS if e != "PIPELINING")


@frozen
class _Place:
    """A stage, and the code that goes well there.

    Attributes:
        name: in identifiers.
        stage: of the script.
        code: of a reply that lets the client go on.
        skip: how many occurrences of the stage go by first.
        only: the one mode that has this stage, or None.
    """

    name: str
    stage: Stage
    code: int
    skip: int = 0
    only: Security | None = None


@frozen
class _Fault:
    """A way to go wrong.

    Attributes:
        name: in identifiers.
        what: half a sentence.
        actions: of the script at a place.
        legible: whether the client gets the stage's own reply, in a form that has to be understood.
        refusal: whether it is a legible refusal.
    """

    name: str
    what: str
    actions: Callable[[_Place], tuple[Action, ...]]
    legible: bool = False
    refusal: bool = False


def _surplus(place: _Place) -> tuple[Action, ...]:
    more = "250 2.0.0 Surplus"
    if place.stage == "EHLO":  # whose own reply is not known here
        return (Normal(), Answer(more))
    return (Answer(f"{place.code} 2.0.0 Fine", more),)  # at once, so that chance has no part in it


PLACES: Final = (
    _Place("greeting", "GREETING", 220),
    _Place("ehlo", "EHLO", 250),
    _Place("starttls", "STARTTLS", 220, only=STARTTLS),
    _Place("ehlo-again", "EHLO", 250, skip=1, only=STARTTLS),
    _Place("auth", "AUTH", 235),
    _Place("mail", "MAIL", 250),
    _Place("rcpt", "RCPT", 250),
    _Place("rcpt-2", "RCPT", 250, skip=1),
    _Place("data", "DATA", 354),
    _Place("final", "END_OF_DATA", 250),
    _Place("rset", "RSET", 250),
    _Place("quit", "QUIT", 221),
)

FAULTS: Final = (
    _Fault("close", "the connection is closed", lambda _: (Close(),)),
    _Fault("reset", "the connection is reset", lambda _: (Reset(),)),
    _Fault("hang", "no reply comes", lambda _: (Hang(),)),
    _Fault(
        "drip",
        "a reply trickles in for eight seconds, never silent for long",
        lambda place: (Drip(f"{place.code}-{'slow ' * 16}".encode(), interval=0.1),),
    ),
    _Fault("garbage", "octets that are no reply", lambda _: (Garbage(),)),
    _Fault("blank", "a blank line", lambda _: (Answer(b"\r\n"),)),
    _Fault("odd-code", "2_2 for a code", lambda _: (Answer("2_2 ok"),)),
    _Fault("code-999", "999 for a code", lambda _: (Answer("999 ok"),)),
    _Fault(
        "two-codes",
        "two codes in one reply",
        lambda place: (Answer(f"{place.code}-one", f"{place.code + 1} two"),),
    ),
    _Fault(
        "long-line",
        "a reply line of 70,000 octets",
        lambda place: (Answer(f"{place.code} " + "x" * 70_000),),
    ),
    _Fault(
        "endless",
        "a reply that does not end within four megabytes",
        lambda place: (Flood(f"{place.code}-and more\r\n".encode(), limit=4_000_000),),
    ),
    _Fault(
        "cut",
        "the connection is closed within a reply",
        lambda place: (Answer(f"{place.code} 2.0".encode()), Close()),
    ),
    _Fault("421", "421", lambda _: (Answer("421 4.3.2 Closing"),), refusal=True),
    _Fault(
        "421-close",
        "421, and the connection is closed",
        lambda _: (Answer("421 4.3.2 Closing"), Close()),
        refusal=True,
    ),
    _Fault("451", "451", lambda _: (Answer("451 4.3.0 Later"),), refusal=True),
    _Fault("550", "550", lambda _: (Answer("550 5.7.1 No"),), refusal=True),
    _Fault(
        "550-close",
        "550, and the connection is closed",
        lambda _: (Answer("550 5.7.1 No"), Close()),
        refusal=True,
    ),
    _Fault("surplus", "the reply, and one more that nothing asked for", _surplus),
    _Fault(
        "eight-bit",
        "octets beyond ASCII, and a NUL, in the text of the reply",
        lambda place: (Answer(f"{place.code} ".encode() + b"caf\xe9 \0 \xf0\x9f\r\n"),),
        legible=True,
    ),
    _Fault(
        "bare-lf",
        "a reply ended by LF alone",
        lambda place: (Answer(f"{place.code} fine\n".encode()),),
        legible=True,
    ),
    _Fault(
        "code-only",
        "a reply of three digits and nothing else",
        lambda place: (Answer(f"{place.code}"),),
        legible=True,
    ),
)


def _course(place: _Place, fault: _Fault) -> Course:
    one_recipient = place.stage == "RCPT" and fault.name in {"451", "550"}
    if place.stage in {"QUIT", "RSET"} or fault.legible or one_recipient:
        return Course.DELIVERS
    if place.stage == "DATA" and fault.name == "surplus":
        return Course.UNKNOWABLE  # a client that writes fast may read it behind the last octet
    if place.stage == "END_OF_DATA" and not fault.refusal:
        # The surplus reply came after the right one.
        return Course.DELIVERS if fault.name == "surplus" else Course.UNKNOWABLE
    return Course.BREAKS


def _refused(place: _Place, fault: _Fault) -> frozenset[str]:
    if not fault.refusal:
        return frozenset()
    if place.stage == "RCPT":
        return frozenset({EVE if place.skip else BOB})
    return frozenset(EVERYBODY if place.stage in {"MAIL", "DATA", "END_OF_DATA"} else ())


def _make(place: _Place, fault: _Fault, number: int) -> Scenario:
    # A message whose reply is lost counts as taken: the server had all of it.
    course = _course(place, fault)
    taken = place.stage == "END_OF_DATA" and course is Course.UNKNOWABLE
    options = {"store": True} if taken else {}
    scenario = Scenario(
        id=f"{place.name}:{fault.name}",
        what=f"{place.name}: {fault.what}",
        course=course,
        script=(Do(place.stage, *fault.actions(place), skip=place.skip, **options),),
        # By turns, so that every place and every fault meets every mode.
        security=place.only or _MODES[number % 3],
        server={} if number % 2 else {"extensions": _SERIAL},
        refused=_refused(place, fault),
    )
    if place.stage != "RSET":
        return scenario
    # RSET is sent after a message that was refused, before the next or at once.
    refusals = Do("RCPT", Answer("550 5.1.1 Unknown"), times=2)
    return evolve(
        scenario,
        script=(refusals, *scenario.script),
        messages=(Message(), Message(recipients=(CAROL,))),
        refused=frozenset(EVERYBODY),
    )


def matrix() -> Iterator[Scenario]:
    """Each fault at each place, where it means something."""
    for row, place in enumerate(PLACES):
        for column, fault in enumerate(FAULTS):
            # Without its extensions an EHLO reply is a different fault, which has its own scenario.
            if not (place.stage == "EHLO" and fault.legible):
                yield _make(place, fault, row * 2 + column)
