"""Octets as messages: read strictly, and never written anew."""

from __future__ import annotations

import pytest

from mailsend import (
    Capabilities,
    CapabilityError,
    Envelope,
    InvalidAddress,
    InvalidMessage,
    MemoryTransport,
)
from mailsend.message import envelope_of, parse, render

HEAD = "From: Ada <ada@x.org>\r\nTo: b@x.org\r\n"


SIGNED = (
    b"From: ada@x.org\r\nTo: b@x.org\r\nContent-Type: multipart/signed; boundary=B\r\n\r\n"
    b"--B  \r\nContent-Type:text/plain\r\n\r\nx \r\n--B\r\n\r\ny\r\n--B--"
)


def sent(
    octets: bytes, *, envelope: Envelope | None = None, offering: str = "8BITMIME"
) -> tuple[Envelope, bytes]:
    transport = MemoryTransport(capabilities=Capabilities.offering(*offering.split()))
    transport.send(octets, envelope=envelope)
    (submission,) = transport.submissions
    return submission.envelope, submission.content


@pytest.mark.parametrize(
    "octets",
    [
        b"From: ada@x.org\r\nTo: b@x.org\r\n\r\nhi\r\n",
        b"From:ada@x.org\r\nTO  :b@x.org\r\n".replace(b"  :", b":\t  ") + b"\r\nhi\r\n",
        b"From: ada@x.org\r\nTo: b@x.org\r\n",
        b"From: ada@x.org\r\nTo: b@x.org\r\n\r\n",
        b"From: ada@x.org\r\nTo:\r\n b@x.org\r\nX-Odd:  a \t b  \r\n\tc\r\n\r\n\r\n\r\nFrom x\r\n",
        b"From: ada@x.org\r\nTo: b@x.org\r\nDKIM-Signature: v=1;\r\n\tb="
        + b"A" * 900
        + b"\r\n\r\n",
        b"From: ada@x.org\r\nTo: b@x.org\r\nSubject: =?x?q?=ff?= =?utf-8?q?=0A?=\r\n\r\n.\r\n..",
        SIGNED,
        b"From: ada@x.org\r\nTo: b@x.org\r\n\r\nBcc: not@a.field\r\n",
        b"From: ada@x.org\r\nTo: b@x.org\r\n\r\n\xff\xfe\r\n",
    ],
)
def test_octets_stay_as_they_are(octets: bytes) -> None:
    _, content = sent(octets)
    assert content == octets + (b"" if octets.endswith(b"\r\n") else b"\r\n")
    assert sent(octets.replace(b"\r\n", b"\n"))[1] == content


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_blind_copies_are_cut_out_and_nothing_else(end: str) -> None:
    lines = ["X-First:  1", "Bcc: c@x.org,", " d@x.org", "From: ada@x.org", "BCC:", "\te@x.org",
             "To: b@x.org", "X-Bcc: x@x.org", "Bcc: ", "bcc: f@x.org", "Resent-Bcc: g@x.org", "",
             "Bcc: h@x.org"]  # fmt: skip
    envelope = Envelope("a@x.org", ["b@x.org"])
    _, content = sent(end.join(lines).encode(), envelope=envelope)
    kept = [lines[0], lines[3], lines[6], lines[7], "", lines[12], ""]
    assert content == "\r\n".join(kept).encode()


def test_blind_copies_reach_the_envelope() -> None:
    envelope, content = sent((HEAD + "Bcc: c@x.org,\r\n d@x.org\r\nbcc: e@x.org\r\n\r\nx").encode())
    assert envelope.recipients == ("b@x.org", "c@x.org", "d@x.org", "e@x.org")
    assert content == (HEAD + "\r\nx\r\n").encode()


@pytest.mark.parametrize(
    "section",
    [
        "Subject: x\rBcc: e@evil.org\r\n",
        "Subject: x\nBcc: e@evil.org\r\n",
        "Subject: x\r\r\nBcc: e@evil.org\r\n",
        "Subject: x\n\nBcc: e@evil.org\r\n",
        "Subject: x\r\rBcc: e@evil.org\r\n",
    ],
)
def test_mixed_line_ends_are_no_header_section(section: str) -> None:
    with pytest.raises(InvalidMessage, match="line end"):
        parse((HEAD + section + "\r\nx").encode())


@pytest.mark.parametrize(
    "line",
    [
        "no colon", "Subject : x", ": x", " x", "Sübject: x", "From ada@x.org Tue Dec 1 2026",
        "Subject: x\r\n \r\n y", "Subject: a\0b", "Subject: a\x0bb", "Subject: a\x7fb",
        "--B",
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["first", "last"])
def test_lines_that_are_no_field(line: str, place: str) -> None:
    text = f"{line}\r\n{HEAD}\r\nx" if place == "first" else f"{HEAD}{line}\r\n\r\nx"
    if line == " x" and place == "last":
        return  # a folded line
    with pytest.raises(InvalidMessage, match=r"header section|control character|blanks only"):
        parse(text.encode())


@pytest.mark.parametrize("name", ["To", "Subject"])
def test_header_fields_are_ascii_or_utf8(name: str) -> None:
    envelope = Envelope("a@x.org", ["b@x.org"])
    octets = f"X-A: 1\r\n{name}: Jörg <b@x.org>\r\n\r\nx\r\n".encode()
    assert sent(octets, envelope=envelope, offering="8BITMIME SMTPUTF8")[1] == octets
    with pytest.raises(CapabilityError, match="SMTPUTF8"):
        sent(octets, envelope=envelope)
    with pytest.raises(InvalidMessage, match=f"{name} is not UTF-8"):
        sent(octets.replace("ö".encode(), b"\xf6"), envelope=envelope, offering="8BITMIME SMTPUTF8")


def test_eight_bit_octets_are_not_encoded_but_refused() -> None:
    with pytest.raises(CapabilityError, match="8BITMIME") as caught:
        sent((HEAD + "\r\nö").encode(), offering="SIZE")
    assert "changes no octets" in str(caught.value)
    assert caught.value.report is not None


@pytest.mark.parametrize(("body", "words"), [("a\0b", "NUL"), ("x" * 999, "998")])
def test_what_no_path_takes(body: str, words: str) -> None:
    with pytest.raises(InvalidMessage, match=words):
        sent((HEAD + "\r\n" + body).encode())


def test_an_address_that_is_none() -> None:
    with pytest.raises(InvalidAddress):
        parse(b"From: a@x.org\r\nTo: b@x..org\r\n\r\n")


NEW = "Resent-From: r2@x.org\r\nResent-Date: x\r\nResent-To: s2@x.org\r\n"
OLD = "Resent-Date: x\r\nResent-From: r1@x.org\r\nResent-To: s1@x.org\r\nResent-Bcc: t1@x.org\r\n"
TRACE = "Received: x\r\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (OLD + HEAD, ("r1@x.org", ["s1@x.org", "t1@x.org"])),
        (HEAD + OLD, ("r1@x.org", ["s1@x.org", "t1@x.org"])),
        (
            "Resent-To: s1@x.org\r\n" + HEAD + "Resent-From: r1@x.org\r\n",
            ("r1@x.org", ["s1@x.org"]),
        ),
        # The most recent set stands first (RFC 5322 §3.6.6).
        (NEW + TRACE + OLD + HEAD, ("r2@x.org", ["s2@x.org"])),
        (NEW + OLD + HEAD, ("r2@x.org", ["s2@x.org"])),
        (NEW + HEAD + OLD, ("r2@x.org", ["s2@x.org"])),
        # Which one it is cannot be told where something else stands before it.
        (TRACE + NEW + TRACE + OLD + HEAD, None),
        (HEAD + NEW + OLD, None),
        (HEAD + NEW + "X-A: 1\r\n" + OLD, None),
        # The most recent set names nobody.
        ("Resent-Date: x\r\n" + TRACE + NEW + TRACE + OLD + HEAD, None),
        # A message that was resent to nobody.
        ("Resent-From: r1@x.org\r\n" + HEAD, "no recipient"),
        ("Resent-To: s1@x.org\r\n" + HEAD, "no Resent-From address"),
    ],
)
def test_resent_messages(text: str, expected: object) -> None:
    octets = (text + "\r\nx\r\n").encode()
    if isinstance(expected, tuple):
        assert sent(octets)[0] == Envelope(*expected)
    else:
        with pytest.raises(
            InvalidMessage, match=expected if isinstance(expected, str) else "resent more"
        ):
            sent(octets)
    # With an envelope of one's own nothing has to be told.
    _, content = sent(octets, envelope=Envelope("a@x.org", ["b@x.org"]))
    assert content == octets.replace(b"Resent-Bcc: t1@x.org\r\n", b"")


def test_several_to_fields_all_count() -> None:
    octets = (HEAD + "To: c@x.org\r\nCc: d@x.org\r\ncc: e@x.org\r\n\r\n").encode()
    assert sent(octets)[0].recipients == ("b@x.org", "c@x.org", "d@x.org", "e@x.org")


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_other_kinds_of_octets(kind: type) -> None:
    parsed = parse(kind((HEAD + "\r\nx\r\n").encode()))
    assert envelope_of(parsed).recipients == ("b@x.org",)
    assert render(parsed, eight_bit=False, utf8=False) == (HEAD + "\r\nx\r\n").encode()


@pytest.mark.parametrize("octets", [b"From: a@x.org\nTo: b@x.org", b"From: a@x.org\r\nTo: b@x.org"])
def test_the_last_field_may_have_no_line_end(octets: bytes) -> None:
    envelope, content = sent(octets)
    assert envelope.recipients == ("b@x.org",)
    assert content == b"From: a@x.org\r\nTo: b@x.org\r\n"


@pytest.mark.parametrize("octets", [b"", b"\n", b"\r\n", b"\r\nx\r\n"])
def test_octets_without_a_header_field_are_no_message(octets: bytes) -> None:
    with pytest.raises(InvalidMessage, match="no header fields"):
        sent(octets, envelope=Envelope("a@x.org", ["b@x.org"]))


@pytest.mark.parametrize("field", ["From: bü@x.org", "Cc: bü@x.org", "Reply-To: b@bücher.example"])
def test_an_internationalised_address_is_refused_before_anything_is_written(field: str) -> None:
    octets = f"{field}\r\nTo: b@x.org\r\n\r\n".encode()
    envelope = Envelope("a@x.org", ["b@x.org"])
    with pytest.raises(CapabilityError, match="A-labels"):
        sent(octets, envelope=envelope)
    assert sent(octets, envelope=envelope, offering="8BITMIME SMTPUTF8")[1] == octets
