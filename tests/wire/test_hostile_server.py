"""Whatever octets a server sends: a true answer, in time, and in little memory."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Literal, Self, TypeAlias

import pytest
from attrs import evolve, frozen
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mailsend import (
    DeliveryReport,
    Envelope,
    ImplicitTlsTransport,
    InsecurePlaintextTransport,
    MailsendError,
    Password,
    SmtpProfile,
    StartTlsTransport,
    Timeouts,
    TlsOptions,
    report_of,
)
from mailsend.reply import MAX_LINE_OCTETS, MAX_LINES
from mailsend.testing import (
    Answer,
    Authority,
    Close,
    Hang,
    Normal,
    Reset,
    SmtpServer,
)
from mailsend.transport.smtp import SmtpTransport

BOB, EVE = "bob@example.org", "eve@example.org"
ENVELOPE: Final = Envelope("ada@example.org", [BOB, EVE])
CONTENT: Final = b"Subject: hostile\r\n\r\n.x\r\n"
END_OF_CONTENT: Final = b"\r\n.\r\n"
TIMEOUTS: Final = Timeouts(
    **{
        **dict.fromkeys(
            ("connect", "greeting", "tls", "auth", "command", "data", "end_of_data", "quit"), 0.1
        ),
        "connect": 1.0,
        "total": 1.5,
    }
)
MARGIN: Final = 5.0  # for a machine that has other things to do
MEMORY: Final = 4 * 1024 * 1024

VARIANTS: Final[dict[str, type[SmtpTransport]]] = {
    "implicit_tls": ImplicitTlsTransport,
    "starttls": StartTlsTransport,
    "insecure_plaintext": InsecurePlaintextTransport,
}
End: TypeAlias = Literal["hang", "close", "reset"]
ENDS: Final[tuple[End, ...]] = ("close", "reset", "close", "hang")  # which has to be waited for


@frozen
class Flooding:
    """The same octets again and again, until the other side has gone."""

    octets: bytes

    def to(self, client: socket.socket) -> None:
        batch = self.octets * max(1, 16384 // len(self.octets))
        for _ in range(0, 64 * 1024 * 1024, len(batch)):
            client.sendall(batch)


class Reciter:
    """Says one piece when it is connected to, and the next whenever the client has said a line.

    It knows nothing of SMTP but where content ends. One connection after the other; a second one
    gets the rest.

    Args:
        pieces: what to say.
        end: what to do behind the last piece.
    """

    def __init__(self, pieces: Sequence[bytes | Flooding], end: End) -> None:
        self._pieces = list(pieces)
        self._end = end
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._clients: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run)
        self.received = bytearray()
        self.said_behind_content = b""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # What a test that fails leaves open would be listened to for ever.
        for open_socket in (self._listener, *self._clients):
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)  # wakes accept() and recv()
        self._thread.join()
        self._listener.close()

    def profile(self, mode: str = "insecure_plaintext", *, auth: bool) -> SmtpProfile:
        """How a client reaches it, with a password or without."""
        settings: dict[str, Any] = {"security": mode, "timeouts": TIMEOUTS}
        if mode != "insecure_plaintext":
            settings["tls"] = TlsOptions(ca_file=Authority.shared().ca_file)
        if auth:
            settings |= {"username": "ada", "credentials": Password("s3cret")}
            settings["allow_plaintext_credentials"] = mode == "insecure_plaintext"
        return SmtpProfile(host="127.0.0.1", port=self.port, **settings)

    def _run(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._clients.append(client)
            with client, contextlib.suppress(OSError):
                self._recite(client)

    def _recite(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while self._pieces:
            piece = self._pieces.pop(0)
            if isinstance(piece, Flooding):
                piece.to(client)
                break
            if END_OF_CONTENT in self.received:
                self.said_behind_content += piece
            client.sendall(piece)
            if not self._listen(client):
                return
        if self._end == "reset":
            linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        elif self._end == "hang":
            while self._listen(client):
                pass

    def _listen(self, client: socket.socket) -> bool:
        """Wait for something; whether there was something."""
        octets = client.recv(65536)
        self.received += octets
        return bool(octets)


def outcome_of(send: Callable[[], DeliveryReport]) -> tuple[DeliveryReport, MailsendError | None]:
    """What a transport's user learns; anything but a report or an error of ours fails the test."""
    started = time.monotonic()
    error: MailsendError | None = None
    try:
        report = send()
    except MailsendError as caught:
        error = caught
        report = report_of(caught) or DeliveryReport.nothing_sent(ENVELOPE.recipients)
    assert TIMEOUTS.total is not None
    assert time.monotonic() - started < TIMEOUTS.total + MARGIN
    assert str(error).isprintable()
    buckets = [*report.accepted, *report.refused, *report.uncertain, *report.not_sent]
    assert sorted(buckets) == [BOB, EVE]
    return report, error


# -- what a server may say

VALID: Final[dict[str, bytes]] = {
    "greeting": b"220 mx.example.org ESMTP\r\n",
    "starttls": b"220 go ahead\r\n",
    "auth": b"235 2.7.0 welcome\r\n",
    "mail": b"250 2.1.0 ok\r\n",
    "rcpt": b"250 2.1.5 ok\r\n",
    "data": b"354 go\r\n",
    "final": b"250 2.0.0 queued as X\r\n",
    "quit": b"221 bye\r\n",
}
TLS_ALERT: Final = b"\x15\x03\x03\x00\x02\x02\x28"
TLS_HANDSHAKE: Final = b"\x16\x03\x03\x00\x31\x02\x00\x00\x2d\x03\x03" + b"r" * 34


def ehlo(mode: str, *, pipelining: bool, auth: bool) -> bytes:
    lines = ["mx.example.org"]
    lines += ["STARTTLS"] if mode == "starttls" else []
    lines += ["PIPELINING"] if pipelining else []
    lines += ["AUTH PLAIN LOGIN"] if auth else []
    return "".join(
        f"250{' ' if i == len(lines) - 1 else '-'}{line}\r\n" for i, line in enumerate(lines)
    ).encode()


@st.composite
def mutations(draw: st.DrawFn, octets: bytes) -> bytes:
    """Octets with a few of them changed, put in or left out."""
    changed = bytearray(octets)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(changed) - 1)))
        new = draw(
            st.sampled_from([b"", b"\r", b"\n", b"-", b" ", b"\0", b"4", b"5", b"\xff", b"2"])
        )
        changed[at : at + draw(st.integers(0, 2))] = new
    return bytes(changed)


codes = (
    st.sampled_from([200, 220, 221, 235, 250, 251, 252, 299])
    | st.sampled_from([300, 334, 354, 399])
    | st.sampled_from([400, 421, 450, 451, 452, 454])
    | st.sampled_from([500, 501, 502, 503, 504, 530, 535, 550, 552, 554, 599])
)
texts = st.sampled_from(
    [b"", b" ", b" ok", b" 2.0.0 ok", b" 5.7.1 no", b" cGFzcw==", b" =", b" \xff"]
)
replies = st.builds(lambda code, text: b"%d%s\r\n" % (code, text), codes, texts)
challenges = texts.map(lambda text: b"334%s\r\n" % text)
oddities = st.sampled_from([
    b"\r\n", b"\n", b"250", b"250-", b"250-more\r\n", b"250 " + b"x" * 200_000,
    b"250 " + b"x" * 9000 + b"\r\n", b"250-more\r\n" * 500, b"250-a\r\n251 b\r\n", b"334 \r\n" * 50,
    b"\0" * 3000, b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n", b"600 ok\r\n",
    b"199 ok\r\n", b"2\xb25 ok\r\n", b"+250 ok\r\n", TLS_ALERT, TLS_HANDSHAKE,
])  # fmt: skip


def piece(normal: bytes, strange_in: int) -> st.SearchStrategy[bytes]:
    """What is normal here, or once in so many times anything else."""
    strange = (
        replies
        | mutations(normal)
        | st.binary(min_size=1, max_size=60)
        | oddities
        | st.builds(bytes.__add__, st.just(normal), replies | oddities)
    )
    choices = [st.just(normal)] * (strange_in - 1) + [strange]
    return st.sampled_from(choices).flatmap(lambda chosen: chosen)


@st.composite
def recitals(draw: st.DrawFn) -> tuple[str, bool, list[bytes], End]:
    mode = draw(st.sampled_from(["insecure_plaintext"] * 4 + ["implicit_tls", "starttls"]))
    pipelining, auth = draw(st.booleans()), draw(st.sampled_from([False, False, True]))
    normal = [VALID["greeting"], ehlo(mode, pipelining=pipelining, auth=auth)]
    normal += [VALID["starttls"], TLS_HANDSHAKE] if mode == "starttls" else []
    normal += [VALID["auth"]] if auth else []
    course = [VALID["mail"], VALID["rcpt"], VALID["rcpt"], VALID["data"]]
    normal += [b"".join(course)] if pipelining else course
    # Mostly what lets the conversation go on, so that its end is reached.
    pieces = [draw(piece(octets, 16)) for octets in normal]
    if auth and draw(st.booleans()):
        pieces[2:2] = draw(st.lists(challenges, min_size=1, max_size=8))
    pieces += [draw(piece(VALID["final"], 2)), draw(piece(VALID["quit"], 4))]
    if draw(st.sampled_from([False, False, False, True])):
        pieces = pieces[: draw(st.integers(0, len(pieces)))]
    return mode, auth, pieces, draw(st.sampled_from(ENDS))


BOUNDED: Final = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=300,
    # Examples open connections, some wait for a budget to be over, and the servers of a test are
    # shared by its examples on purpose.
    suppress_health_check=list(HealthCheck),
)
ONE_LINE: Final = re.compile(rb"([2-5])[0-9][0-9](?:[ \r\n]|$)")


def says_yes(octets: bytes) -> bool:
    return bool((reply := ONE_LINE.match(octets)) and reply[1] == b"2")


def says_no(octets: bytes) -> bool:
    return bool((reply := ONE_LINE.match(octets)) and reply[1] in b"45")


@BOUNDED
@given(recitals())
def test_any_recital_ends_in_a_true_report(recital: tuple[str, bool, list[bytes], End]) -> None:
    mode, auth, pieces, end = recital
    with Reciter(pieces, end) as server:
        transport = VARIANTS[mode](server.profile(mode, auth=auth))
        report, _ = outcome_of(lambda: transport.send_raw(ENVELOPE, CONTENT))
        transport.close()
    got_all = END_OF_CONTENT in server.received
    if report.accepted:
        assert got_all
        assert says_yes(server.said_behind_content)
    if got_all and not says_no(server.said_behind_content):
        # It may have taken the message for all whom it had not refused.
        assert not report.not_sent
        assert report.accepted or report.uncertain
    if report.uncertain:
        assert got_all or end == "reset"


# -- the same under TLS, by a server that otherwise keeps to the rules

Place: TypeAlias = Literal[
    "GREETING", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "CONTENT", "END_OF_DATA", "QUIT"
]
PLACES: Final[tuple[Place, ...]] = (
    "GREETING", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "CONTENT", "END_OF_DATA", "QUIT",
)  # fmt: skip


@pytest.mark.parametrize("mode", ["implicit_tls", "starttls"])
@BOUNDED
@given(
    place=st.sampled_from([*PLACES, "RCPT", "RCPT", "END_OF_DATA", "END_OF_DATA"]),
    octets=replies | oddities | mutations(VALID["final"]) | st.binary(min_size=1, max_size=60),
    end=st.sampled_from([(), (), (Close(),), (Reset(),), (Normal(),), (Hang(),)]),
)
def test_any_octets_under_tls_end_in_a_true_report(
    mode: str, place: Place, octets: bytes, end: tuple[Any, ...]
) -> None:
    if place == "CONTENT":
        # A server that answers in the middle, and then does otherwise, lies to the client.
        assume(not says_yes(octets))
        end = (Close(),) if says_no(octets) else end
    users = {"ada": "s3cret"}
    with SmtpServer(security=mode, users=users, extensions=["PIPELINING"]) as server:
        server.on(place, Answer(octets), *end)
        transport = VARIANTS[mode](server.profile(timeouts=TIMEOUTS))
        report, _ = outcome_of(lambda: transport.send_raw(ENVELOPE, CONTENT))
        transport.close()
        server.wait_closed()
        stored = {r for message in server.messages for r in message.recipients}
    assert set(report.accepted) <= stored
    assert stored <= {*report.accepted, *report.uncertain}


# -- memory

FLOODS: Final[dict[str, bytes]] = {
    "one line": b"250 " + b"x" * 65536,
    "lines of one reply": b"250-and another line\r\n",
    "replies": b"250 ok\r\n",
    "long lines": b"250-" + b"x" * 4000 + b"\r\n",
    "long lines that print longer": b"250-" + b"\xff" * 4000 + b"\r\n",
    "challenges": b"334 \r\n",
    "no replies": b"\0\xff",
}


@contextlib.contextmanager
def at_most(octets: int) -> Iterator[None]:
    """Fails if at any moment more was allocated than at the beginning, by so many octets."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < octets, f"{(peak - before) / 1024 / 1024:.1f} MiB"


@pytest.mark.parametrize("place", ["greeting", "ehlo", "auth", "mail", "data", "content", "final"])
@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_fills_no_memory(place: str, flood: str) -> None:
    course = {
        "greeting": VALID["greeting"],
        "ehlo": ehlo("insecure_plaintext", pipelining=False, auth=True),
        "auth": VALID["auth"], "mail": VALID["mail"], "rcpt": VALID["rcpt"] * 2,
        "data": VALID["data"],
    }  # fmt: skip
    said = list(course.values())[: [*course, "final"].index(place.replace("content", "final"))]
    # More than every buffer on the way takes, so that there is a flood while it is being written.
    content = CONTENT + (b"x" * 998 + b"\r\n") * (8000 if place == "content" else 0)
    flooding = Flooding(FLOODS[flood])
    with Reciter([*said, flooding], "hang") as server:
        transport = InsecurePlaintextTransport(server.profile(auth=True))
        with at_most(MEMORY):
            _, error = outcome_of(lambda: transport.send_raw(ENVELOPE, content))
            transport.close()
    assert error is not None or place == "final"


# The first is shown escaped, at four characters for an octet; one emoji makes all characters of a
# text take four octets each.
@pytest.mark.parametrize("odd", [b"\xff", b"\xf0\x9f\x93\xa7"], ids=["no text", "emoji"])
@pytest.mark.parametrize("place", ["greeting", "ehlo", "mail", "final"])
def test_the_largest_reply_that_is_taken_fills_no_memory(place: str, odd: bytes) -> None:
    course = {
        "greeting": VALID["greeting"],
        "ehlo": ehlo("insecure_plaintext", pipelining=False, auth=False),
        "mail": VALID["mail"], "rcpt": VALID["rcpt"], "eve": VALID["rcpt"], "data": VALID["data"],
        "final": VALID["final"],
    }  # fmt: skip
    code = course[place][:3]
    room = MAX_LINE_OCTETS - len(b"250-\r\n")
    text = odd * room if len(odd) == 1 else odd + b"x" * (room - len(odd))
    longest = (code + b"-" + text + b"\r\n") * (MAX_LINES - 1)
    course[place] = longest + course[place].replace(b"-", b" ")
    with Reciter(list(course.values()), "hang") as server:
        # Counting memory is slow, and it is not time that is at stake here.
        profile = evolve(server.profile(auth=False), timeouts=Timeouts(quit=0.1))
        transport = InsecurePlaintextTransport(profile)
        with at_most(MEMORY):
            report = transport.send_raw(ENVELOPE, CONTENT)
            transport.close()
    assert report.accepted == (BOB, EVE)
