"""TLS and AUTH: whom the client trusts with the password, and how often it tries it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Final, get_args

from benchmarks.reliability.scenario import (
    EVERYBODY,
    IMPLICIT_TLS,
    PLAINTEXT,
    SECRET,
    STARTTLS,
    Course,
    Do,
    Scenario,
)
from mailsend.testing import (
    Action,
    Answer,
    Certificate,
    Close,
    Garbage,
    Hang,
    PartialHandshake,
    Reset,
    Stage,
)

_TLS_MODES: Final = (STARTTLS, IMPLICIT_TLS)
_IN_CLEAR: Final = {"auth_without_tls": True}
_HANDSHAKES: Final[dict[str, tuple[Action, ...]]] = {
    "close": (Close(),),
    "reset": (Reset(),),
    "hang": (Hang(),),
    "garbage": (Garbage(),),
    "partial": (PartialHandshake(),),
    "partial-hang": (PartialHandshake(), Hang()),
}
_LINES_BEHIND_220: Final = {
    "line": b"250 AUTH PLAIN LOGIN\r\n",
    "reply": b"250-localhost\r\n250 AUTH PLAIN LOGIN\r\n",
    "part-of-line": b"250-localhost",
}
_AUTH_REFUSALS: Final = {
    "454": ("454 4.7.0 Temporary authentication failure",),
    "503": ("503 5.5.1 Not now",),
    "534": ("534 5.7.9 Application-specific password required",),
    "535-lines": ("535-5.7.8 Username and password", "535 5.7.8 not accepted"),
    "538": ("538 5.7.11 Encryption required",),
}


def trust() -> Iterator[Scenario]:
    """Scenarios about certificates, about STARTTLS, and about AUTH."""
    yield from _certificates()
    yield from _handshakes()
    yield from _starttls()
    yield from _wrong_port()
    yield from _auth()


def _certificates() -> Iterator[Scenario]:
    for security in _TLS_MODES:
        for kind in get_args(Certificate):
            if kind != "valid":
                yield Scenario(
                    id=f"tls:{kind}-{security.value}",
                    what=f"the certificate is {kind.replace('_', ' ')}",
                    course=Course.BREAKS,
                    security=security,
                    server={"certificate": kind},
                    trusted=False,
                )
        for name, version in [("1.0", ssl.TLSVersion.TLSv1), ("1.1", ssl.TLSVersion.TLSv1_1)]:
            yield Scenario(
                id=f"tls:only-{name}-{security.value}",
                what=f"the server speaks nothing newer than TLS {name}",
                course=Course.BREAKS,
                security=security,
                server={"tls_maximum": version},
                trusted=False,
            )


def _handshakes() -> Iterator[Scenario]:
    for security in _TLS_MODES:
        for name, actions in _HANDSHAKES.items():
            yield Scenario(
                id=f"tls:handshake-{name}-{security.value}",
                what=f"the handshake: {name}",
                course=Course.BREAKS,
                script=(Do("TLS", *actions),),
                security=security,
            )
        cuts: tuple[tuple[Stage, Course], ...] = (
            ("MAIL", Course.BREAKS),
            ("END_OF_DATA", Course.UNKNOWABLE),
            ("QUIT", Course.DELIVERS),
        )
        for stage, course in cuts:
            yield Scenario(
                id=f"tls:truncated-{stage.lower().replace('_', '-')}-{security.value}",
                what=f"TLS is cut off without close_notify at {stage}",
                course=course,
                script=(Do(stage, Close(close_notify=False)),),
                security=security,
            )
    yield Scenario(
        id="tls:reset-on-accept",
        what="the connection is reset as soon as it is accepted",
        course=Course.BREAKS,
        script=(Do("CONNECT", Reset()),),
        security=IMPLICIT_TLS,
    )


def _starttls() -> Iterator[Scenario]:
    yield Scenario(
        id="tls:starttls-stripped",
        what="the server offers AUTH and no STARTTLS",
        course=Course.BREAKS,
        security=STARTTLS,
        server={"security": PLAINTEXT, **_IN_CLEAR},
        trusted=False,
    )
    for code in (250, 454, 502, 550):
        yield Scenario(
            id=f"tls:starttls-{code}",
            what=f"STARTTLS is offered and answered {code}; AUTH is offered in the clear",
            course=Course.BREAKS,
            script=(Do("STARTTLS", Answer(f"{code} No TLS for you"), times=None),),
            security=STARTTLS,
            server=_IN_CLEAR,
            trusted=False,
        )
    for name, octets in _LINES_BEHIND_220.items():
        yield Scenario(
            id=f"tls:injected-{name}",
            what=f"octets in the clear behind the 220 to STARTTLS: a {name.replace('-', ' ')}",
            course=Course.BREAKS,
            script=(Do("STARTTLS", Answer(b"220 Go ahead\r\n" + octets)),),
            security=STARTTLS,
        )
    yield Scenario(
        id="tls:auth-only-before",
        what="AUTH is offered before TLS and not after it",
        course=Course.BREAKS,
        script=(Do("EHLO", Answer("250-localhost", "250 SIZE 10485760"), skip=1, times=None),),
        security=STARTTLS,
        server=_IN_CLEAR,
    )
    yield Scenario(
        id="tls:auth-only-after",
        what="AUTH is offered after TLS and not before it, as is usual",
        course=Course.DELIVERS,
        security=STARTTLS,
    )


def _wrong_port() -> Iterator[Scenario]:
    for client, server in [
        (PLAINTEXT, IMPLICIT_TLS),
        (STARTTLS, IMPLICIT_TLS),
        (IMPLICIT_TLS, STARTTLS),
        (IMPLICIT_TLS, PLAINTEXT),
    ]:
        yield Scenario(
            id=f"tls:{client.value}-client-{server.value}-port",
            what=f"the client speaks {client.value}, the port {server.value}",
            course=Course.BREAKS,
            security=client,
            server={"security": server, "auth_without_tls": server is PLAINTEXT},
            trusted=client is not IMPLICIT_TLS,
        )


def _auth() -> Iterator[Scenario]:
    for mechanisms in [("PLAIN",), ("LOGIN",), ("PLAIN", "LOGIN"), ("PLAIN", "LOGIN", "CRAM-MD5")]:
        name = "-".join(mechanisms).lower()
        for right in (True, False):
            yield Scenario(
                id=f"auth:{'good' if right else 'bad'}-{name}",
                what=f"{'right' if right else 'wrong'} password, {', '.join(mechanisms)} offered",
                course=Course.DELIVERS if right else Course.BREAKS,
                security=IMPLICIT_TLS,
                server={"mechanisms": mechanisms},
                secret=SECRET if right else "a wrong password",
            )
    for name, lines in _AUTH_REFUSALS.items():
        yield _at_auth(name, f"AUTH is answered {name}", Answer(*lines))
    yield _at_auth(
        "535-close", "535, and the connection is closed", Answer("535 5.7.8 No"), Close()
    )
    yield _at_auth("334-not-base64", "a challenge that is not base64", Answer("334 ***"))
    yield _at_auth("334-close", "a challenge, then the connection is closed",
                   Answer("334 "), Close())  # fmt: skip
    yield Scenario(
        id="auth:334-for-ever",
        what="every answer is challenged again",
        course=Course.BREAKS,
        script=(
            Do("AUTH", Answer("334 UGFzc3dvcmQ6"), times=None),
            Do("AUTH_RESPONSE", Answer("334 UGFzc3dvcmQ6"), times=None),
        ),
    )
    yield Scenario(
        id="auth:not-offered",
        what="AUTH is not offered, and the server takes nothing without it",
        course=Course.BREAKS,
        server={"auth_without_tls": False},
    )
    yield Scenario(
        id="auth:unknown-mechanism",
        what="AUTH offers only mechanisms that nobody knows",
        course=Course.BREAKS,
        script=(Do("EHLO", Answer("250-localhost", "250 AUTH GSSAPI NTLM"), times=None),),
    )
    yield Scenario(
        id="auth:accepted-then-530",
        what="AUTH succeeds, and MAIL is answered 530 all the same",
        course=Course.BREAKS,
        script=(Do("MAIL", Answer("530 5.7.0 Authentication required")),),
        refused=frozenset(EVERYBODY),
    )
    yield _at_auth("235-twice", "235 twice", Answer("235 2.7.0 In", "235 2.7.0 Again"))


def _at_auth(name: str, what: str, *actions: Action) -> Scenario:
    return Scenario(
        id=f"auth:{name}",
        what=what,
        course=Course.BREAKS,
        script=(Do("AUTH", *actions, times=None),),
        security=IMPLICIT_TLS,
    )
