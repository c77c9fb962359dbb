"""Faults that belong to one place: envelopes, content, the point of no return, kept sessions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

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
from mailsend.testing import (
    Action,
    Answer,
    Close,
    Garbage,
    Hang,
    Reset,
    Stage,
    StopReading,
)

_MODES: Final = (PLAINTEXT, STARTTLS, IMPLICIT_TLS)
_ALL: Final = frozenset(EVERYBODY)
_UNKNOWN: Final = Answer("550 5.1.1 No such user")
_FIVE: Final = tuple(f"user{number}@example.org" for number in range(5))
_LARGE: Final = 8_000  # lines: more than all buffers between two processes take
_HUGE: Final = 16_000  # lines: more than even a growing send buffer takes

_GREETINGS: Final = {
    "http": "HTTP/1.1 400 Bad Request",
    "ssh": "SSH-2.0-OpenSSH_9.9",
    "imap": "* OK IMAP4rev1",
    "554": "554 5.7.1 No service",
    "521": "521 Does not accept mail",
    "250": "250 Already greeted",
}
_BEHIND_THE_CONTENT: Final[dict[str, tuple[str, tuple[Action, ...]]]] = {
    "354-again": ("354 once more", (Answer("354 Go on"),)),
    "100": ("a code of the first digit 1", (Answer("150 Working"),)),
    "600": ("a code of the first digit 6", (Answer("600 Fine"),)),
    "cut-lines": ("a reply cut between two lines", (Answer("250-2.0.0 Ok"), Close())),
    "cut-code": ("a reply cut within its code", (Answer(b"25"), Close())),
    "plus": ("+25 for a code", (Answer("+25 Ok"),)),
    "blank-then-250": ("a blank line before the reply", (Answer(b"\r\n250 2.0.0 Ok\r\n"),)),
    "space-before": ("a space before the code", (Answer(" 250 2.0.0 Ok"),)),
    "250-then-reset": ("the first octets, then a reset", (Answer(b"250 2.0"), Reset())),
}


def specials() -> Iterator[Scenario]:
    """Scenarios that are not a fault at a stage."""
    yield from _plain_sailing()
    yield from _opening()
    yield from _envelopes()
    yield from _content()
    yield from _final()
    yield from _kept()


def _plain_sailing() -> Iterator[Scenario]:
    for security in _MODES:
        for delivery in ("whole", "lines", "bytes"):
            yield Scenario(
                id=f"well:{delivery}-{security.value}",
                what=f"nothing goes wrong; replies are delivered by {delivery}",
                course=Course.DELIVERS,
                security=security,
                server={"delivery": delivery},
            )
    yield Scenario(
        id="well:five-messages",
        what="five messages over one session of TLS 1.3, with its tickets",
        course=Course.DELIVERS,
        security=IMPLICIT_TLS,
        messages=tuple(Message(recipients=(recipient,)) for recipient in _FIVE),
    )
    yield Scenario(
        id="well:large",
        what="a content of 8 MB",
        course=Course.DELIVERS,
        security=IMPLICIT_TLS,
        messages=(Message(lines=_LARGE),),
    )


def _opening() -> Iterator[Scenario]:
    yield Scenario(
        id="open:refused",
        what="nothing listens on the port",
        course=Course.BREAKS,
        listening=False,
    )
    for name, line in _GREETINGS.items():
        yield Scenario(
            id=f"greeting:{name}",
            what=f"the greeting is {line}",
            course=Course.BREAKS,
            script=(Do("GREETING", Answer(line)),),
        )
    yield Scenario(
        id="greeting:lines",
        what="a greeting of several lines",
        course=Course.DELIVERS,
        script=(Do("GREETING", Answer("220-localhost ESMTP", "220-No spam", "220 please")),),
    )
    for code in (500, 502):
        yield Scenario(
            id=f"ehlo:{code}-helo",
            what=f"EHLO is answered {code}, and HELO would do",
            course=Course.DELIVERS,
            script=(Do("EHLO", Answer(f"{code} 5.5.1 Unknown command"), times=None),),
            server={"users": {}, "mechanisms": ()},
            login=False,
        )
    yield Scenario(
        id="ehlo:bare-lf",
        what="the lines of the EHLO reply end with LF alone",
        course=Course.DELIVERS,
        script=(Do("EHLO", Answer(b"250-localhost\n250-SIZE 10485760\n250 AUTH PLAIN LOGIN\n")),),
    )
    yield Scenario(
        id="ehlo:lower-case",
        what="keywords of the EHLO reply in lower case",
        course=Course.DELIVERS,
        script=(Do("EHLO", Answer("250-localhost", "250-size 10485760", "250 auth PLAIN LOGIN")),),
    )


def _envelopes() -> Iterator[Scenario]:
    for code in (251, 252, 200):
        yield Scenario(
            id=f"mail:{code}",
            what=f"MAIL is answered {code}",
            course=Course.DELIVERS,
            script=(Do("MAIL", Answer(f"{code} 2.1.0 Sender ok")),),
        )
        for name, times in [("one", 1), ("both", 2)]:
            yield Scenario(
                id=f"rcpt:{code}-{name}",
                what=f"RCPT is answered {code} for {name}",
                course=Course.DELIVERS,
                script=(Do("RCPT", Answer(f"{code} 2.1.5 Will take it"), times=times),),
            )
    for security in _MODES:
        yield Scenario(
            id=f"rcpt:partly-{security.value}",
            what="one recipient is refused for good, one for now, one is taken",
            course=Course.DELIVERS,
            script=(
                Do("RCPT", _UNKNOWN, match=b"<bob@"),
                Do("RCPT", Answer("450 4.2.1 Later"), match=b"<eve@"),
            ),
            security=security,
            messages=(Message(recipients=(BOB, EVE, CAROL)),),
            refused=_ALL,
        )
    yield Scenario(
        id="rcpt:all-refused",
        what="every recipient is refused",
        course=Course.BREAKS,
        script=(Do("RCPT", _UNKNOWN, times=None),),
        refused=_ALL,
    )
    for name, final in [("data-refused", None), ("data-taken", Answer("250 2.0.0 Ok"))]:
        go_on = (Do("DATA", Answer("354 Go on")), Do("END_OF_DATA", final)) if final else ()
        refuse = Do("RCPT", _UNKNOWN, times=None)
        for kind, recipients in [("all", EVERYBODY), ("twice", (BOB, BOB))]:
            yield Scenario(
                id=f"rcpt:{kind}-refused-{name}",
                what=f"every recipient is refused, {kind}; {name.replace('-', ' is ')}",
                course=Course.BREAKS,
                script=(refuse, *go_on),
                messages=(Message(recipients=recipients),),
                refused=frozenset(recipients),
            )
    yield Scenario(
        id="rcpt:452-after-two",
        what="452 for every recipient after the second",
        course=Course.DELIVERS,
        script=(Do("RCPT", Answer("452 4.5.3 Too many recipients"), skip=2, times=None),),
        messages=(Message(recipients=_FIVE),),
        refused=frozenset(_FIVE[2:]),
    )
    yield Scenario(
        id="rcpt:surplus-then-refused",
        what="a surplus reply at the first recipient; the second is refused",
        course=Course.BREAKS,
        script=(
            Do("RCPT", Answer("250 2.1.5 Fine", "250 2.1.5 Surplus"), match=b"<bob@"),
            Do("RCPT", _UNKNOWN, match=b"<eve@", times=None),
        ),
        refused=frozenset({EVE}),
    )
    yield Scenario(
        id="data:250",
        what="DATA is answered 250",
        course=Course.BREAKS,
        script=(Do("DATA", Answer("250 2.0.0 Ok")),),
    )


def _content() -> Iterator[Scenario]:
    for security in _MODES:
        yield Scenario(
            id=f"content:552-close-{security.value}",
            what="552 in the middle of the content, and the connection is closed",
            course=Course.UNKNOWABLE,
            script=(Do("CONTENT", Answer("552 5.3.4 Too big"), Close(), after=20_000),),
            security=security,
            messages=(Message(lines=_LARGE),),
            refused=_ALL,
        )
    ends: tuple[tuple[str, Action], ...] = (
        ("close", Close()),
        ("reset", Reset()),
        ("hang", Hang()),
    )
    for number, (name, end) in enumerate(ends):
        for size in (0, _LARGE):
            yield Scenario(
                id=f"content:{name}-{'large' if size else 'small'}",
                what=f"in the middle of the content: {name}",
                course=Course.UNKNOWABLE,
                script=(Do("CONTENT", end, after=100),),
                security=_MODES[number],
                messages=(Message(lines=size),),
            )
        yield Scenario(
            id=f"content:not-read-{_MODES[number].value}",
            what="the server stops reading the content",
            course=Course.BREAKS,
            script=(Do("CONTENT", StopReading(), after=1000),),
            security=_MODES[number],
            server={"extensions": ("PIPELINING", "8BITMIME")},
            messages=(Message(lines=_HUGE),),
        )
    yield Scenario(
        id="content:over-size",
        what="the message is larger than SIZE says",
        course=Course.BREAKS,
        server={"extensions": ("PIPELINING", "SIZE 2000")},
        messages=(Message(lines=3),),
        refused=_ALL,
    )


def _final() -> Iterator[Scenario]:
    for code in (200, 251, 252):
        yield _after_content(f"{code}", f"the content is answered {code}", Course.DELIVERS, True,
                             Answer(f"{code} 2.0.0 Ok"))  # fmt: skip
    for name, (what, actions) in _BEHIND_THE_CONTENT.items():
        yield _after_content(name, what, Course.UNKNOWABLE, True, *actions)
    dropped: tuple[tuple[str, Action], ...] = (
        ("close", Close()),
        ("reset", Reset()),
        ("hang", Hang()),
        ("garbage", Garbage()),
        ("250-then-550", Answer("250-2.0.0 Ok", "550 5.7.1 No")),
    )
    for name, action in dropped:
        yield _after_content(f"{name}-dropped", f"{name}, and the message is not kept",
                             Course.UNKNOWABLE, False, action)  # fmt: skip
    for security in _MODES:
        yield Scenario(
            id=f"final:early-250-{security.value}",
            what="250 before the content has come, 550 when it has",
            course=Course.UNKNOWABLE,  # a client may read it only after the last octet
            script=(
                Do("DATA", Answer(b"354 Go ahead\r\n250 2.0.0 Ok: queued as EARLY\r\n")),
                Do("END_OF_DATA", Answer("550 5.7.1 No")),
            ),
            security=security,
            refused=_ALL,
        )


def _after_content(
    name: str, what: str, course: Course, kept: bool, *actions: Action
) -> Scenario:  # fmt: skip
    return Scenario(
        id=f"final:{name}",
        what=what,
        course=course,
        script=(Do("END_OF_DATA", *actions, store=kept),),
    )


def _kept() -> Iterator[Scenario]:
    idle: dict[str, tuple[Action, ...]] = {
        "421-close": (Answer("421 4.4.2 Idle for too long"), Close()),
        "close": (Close(),),
        "reset": (Reset(),),
        "surplus": (Answer("250 2.0.0 Surplus"),),
        "garbage": (Garbage(),),
    }
    two = (Message(recipients=(BOB,)), Message(recipients=(EVE,)))
    for security in (PLAINTEXT, IMPLICIT_TLS):
        for name, actions in idle.items():
            yield Scenario(
                id=f"kept:{name}-{security.value}",
                what=f"between two messages: {name}",
                course=Course.BREAKS,
                security=security,
                messages=two,
                idle=actions,
            )
    cuts: tuple[tuple[Stage, Course], ...] = (
        ("MAIL", Course.BREAKS),
        ("END_OF_DATA", Course.UNKNOWABLE),
    )
    for stage, course in cuts:
        yield Scenario(
            id=f"kept:second-{stage.lower().replace('_', '-')}-close",
            what=f"the connection is closed at {stage} of the second message",
            course=course,
            script=(Do(stage, Close(), skip=1),),
            messages=two,
        )
    yield Scenario(
        id="kept:surplus-then-refused",
        what="a surplus reply ends the first message; a recipient of the second is refused",
        course=Course.BREAKS,
        script=(
            Do("END_OF_DATA", Answer("250 2.0.0 Fine", "250 2.0.0 Surplus")),
            Do("RCPT", _UNKNOWN, match=b"<eve@", times=None),
        ),
        messages=(Message(recipients=(BOB,)), Message(recipients=(EVE, CAROL))),
        refused=frozenset({EVE}),
    )
