"""Transfer encodings: what a path cannot take is encoded, and nothing under a signature."""

from __future__ import annotations

import base64
import email
import quopri
from collections.abc import Callable
from email import policy
from email.message import EmailMessage, Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from typing import Any

import octets_reader as independent
import pytest

from mailsend import CapabilityError, InvalidMessage, MemoryTransport
from mailsend.capabilities import Capabilities
from mailsend.content import prepare
from mailsend.message import parse, render


def written(message: Any, *, eight_bit: bool = False) -> bytes:
    return prepare(render(parse(message), eight_bit=eight_bit, utf8=False)).data


def addressed(message: Any) -> Any:
    message["From"], message["To"] = "a@x.org", "b@x.org"
    return message


def leaf(payload: str, kind: str = "text/plain", encoding: str | None = None) -> Any:
    part: Message[Any, Any] = Message()
    part["Content-Type"] = kind
    if encoding is not None:
        part["Content-Transfer-Encoding"] = encoding
    part.set_payload(payload)
    return addressed(part)


def raw(octets: bytes) -> str:
    return octets.decode("ascii", "surrogateescape")


EIGHT = raw("größer\n".encode())
LONG = "x" * 2000 + "\n"


def undone(octets: bytes) -> tuple[str, bytes]:
    read = independent.read(octets)
    (encoding,) = read.all("content-transfer-encoding") or ["none"]
    undo: dict[str, Callable[[bytes], bytes]] = {
        "base64": base64.b64decode,
        "quoted-printable": quopri.decodestring,
    }
    return encoding, undo.get(encoding, bytes)(read.body)


@pytest.mark.parametrize(
    ("payload", "kind", "given", "eight_bit", "encoding"),
    [
        ("plain\n", "text/plain", None, False, "none"),
        ("plain\n", "text/plain", "7bit", False, "7bit"),
        (EIGHT, "text/plain", "8bit", True, "8bit"),
        (EIGHT, "text/plain", "7bit", True, "8bit"),
        (EIGHT, "text/plain", None, True, "8bit"),
        (EIGHT, "text/plain", "8bit", False, "quoted-printable"),
        (EIGHT, "text/plain", None, False, "quoted-printable"),
        (raw("日本語\n".encode() * 9), "text/plain", "8bit", False, "base64"),
        (EIGHT, "image/png", "8bit", False, "base64"),
        (LONG, "text/plain", None, True, "quoted-printable"),
        (LONG, "text/html", "7bit", False, "quoted-printable"),
        (LONG, "application/json", "7bit", True, "base64"),
        ("a\0b\n", "text/plain", None, True, "base64"),
        ("a\0b\n", "application/pdf", None, True, "base64"),
        ("a\rb\n", "application/pdf", "7bit", True, "base64"),
        ("a\nb\n", "application/pdf", "binary", True, "base64"),
        ("a\nb\n", "text/plain", "binary", True, "binary"),
        (" trailing \t \n.\nFrom x\n" + EIGHT, "text/plain", "8bit", False, "quoted-printable"),
        (LONG[:998] + "\n", "text/plain", "7bit", False, "7bit"),
        (LONG[:999] + "\n", "text/plain", "7bit", False, "quoted-printable"),
        (LONG[:999], "text/plain", "7bit", False, "quoted-printable"),
    ],
)
def test_what_a_path_cannot_take_is_encoded(
    payload: str, kind: str, given: str | None, eight_bit: bool, encoding: str
) -> None:
    message = leaf(payload, kind, given)
    before = list(message.raw_items())
    octets = written(message, eight_bit=eight_bit)
    chosen, there = undone(octets)
    assert chosen == encoding
    asked = payload.encode("ascii", "surrogateescape")
    if kind.startswith("text/"):
        there, asked = there.replace(b"\r\n", b"\n"), asked.replace(b"\r\n", b"\n")
    if not asked.endswith(b"\n") and encoding != "base64":
        asked += b"\n"  # the content ends with a line end, and so does text that is its last part
    assert there == asked
    assert eight_bit or octets.isascii()
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    assert list(message.raw_items()) == before
    if encoding not in {given, "none"}:
        assert independent.read(octets).names.count("mime-version") == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("eight_bit", [True, False])
def test_line_ends_of_text_are_normalised_once(end: str, eight_bit: bool) -> None:
    octets = written(leaf(f"a{end}{end}ö{end}".replace("ö", raw("ö".encode())), encoding="8bit"),
                     eight_bit=eight_bit)  # fmt: skip
    assert undone(octets)[1].replace(b"\r\n", b"|").replace(b"\n", b"|") == "a||ö|".encode()
    assert octets.count(b"\r\n") == octets.count(b"\n") == octets.count(b"\r")


@pytest.mark.parametrize(
    ("payload", "encoding"),
    [
        (base64.b64encode(b"\xff" * 3000).decode(), "base64"),
        ("words, words: gr=C3=B6=C3=9Fer, " * 40, "quoted-printable"),
    ],
)
def test_encoded_text_in_one_long_line_is_broken(payload: str, encoding: str) -> None:
    chosen, there = undone(written(leaf(payload, encoding=encoding)))
    assert chosen == encoding
    asked = b"\xff" * 3000 if encoding == "base64" else "words, words: größer, ".encode() * 40
    assert there.removesuffix(b"\r\n") == asked


@pytest.mark.parametrize(
    ("payload", "kind", "encoding", "words"),
    [
        ("*" * 2000, "text/plain", "base64", "base64"),
        (raw(b"\xff"), "text/plain", "base64", "base64"),
        (raw(b"\xff"), "text/plain", "quoted-printable", "quoted-printable"),
        (LONG, "text/plain", "x-uuencode", "x-uuencode"),
        ("x", "multipart/mixed", "base64", "can have none"),
        ("x", "message/rfc822", "quoted-printable", "can have none"),
    ],
)
def test_what_cannot_be_encoded_again(payload: str, kind: str, encoding: str, words: str) -> None:
    with pytest.raises(InvalidMessage, match=words):
        written(leaf(payload, kind, encoding))


def forwarded(*, legacy: bool) -> Any:
    inner = email.message_from_bytes(
        "From: c@x.org\nSubject: inner\nContent-Type: text/plain; charset=utf-8\n"
        "Content-Transfer-Encoding: 8bit\n\ngrößer\n".encode(),
        policy=policy.compat32 if legacy else policy.default,
    )
    if legacy:
        outer = MIMEMultipart()
        part = MIMEBase("message", "rfc822")
        part["Content-Transfer-Encoding"] = "8bit"
        part.set_payload([inner])
        outer.attach(part)
        return addressed(outer)
    message = EmailMessage()
    message.set_content("outer")
    message.add_attachment(inner)
    return addressed(message)


@pytest.mark.parametrize("legacy", [True, False])
def test_a_message_in_a_message_is_encoded_inside(legacy: bool) -> None:
    message = forwarded(legacy=legacy)
    octets = written(message)
    assert octets.isascii()
    outer = independent.read(octets)
    boundary = (
        message.get_boundary() or octets.partition(b'boundary="')[2].partition(b'"')[0].decode()
    )
    part = independent.read(independent.parts(outer.body, boundary)[-1])
    assert part.all("content-type")[0].startswith("message/rfc822")
    assert part.all("content-transfer-encoding") == ["7bit"]
    inner = independent.read(part.body)
    assert inner.all("subject") == ["inner"]
    assert quopri.decodestring(inner.body).strip() == "größer".encode()
    eight = written(forwarded(legacy=legacy), eight_bit=True)
    assert "größer".encode() in eight
    assert b"Content-Transfer-Encoding: 8bit" in eight


def test_the_delivery_status_of_a_report_is_read_block_by_block() -> None:
    text = (
        b"From: m@x.org\nTo: a@x.org\nMIME-Version: 1.0\n"
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=B\n\n"
        b"--B\n\ntext\n--B\nContent-Type: message/delivery-status\n\n"
        b"Reporting-MTA: dns; x.org\nArrival-Date: x\n\nFinal-Recipient: rfc822; b@x.org\n"
        b"Action: failed\n\n--B--\n"
    )
    octets = written(email.message_from_bytes(text, policy=policy.default))
    status = independent.parts(independent.read(octets).body, "B")[1]
    assert b"\r\n\r\nFinal-Recipient: rfc822; b@x.org\r\nAction: failed" in status
    message: Any = email.message_from_bytes(text, policy=policy.compat32)
    message.get_payload(1).get_payload(0)["X"] = "1\nEvil: 1"
    with pytest.raises(InvalidMessage):
        written(message)


def test_raw_octets_in_a_header_field_are_words_or_refused() -> None:
    head = "From: a@x.org\nTo: Jörg <b@x.org>\nSubject: größer\n\nx\n".encode()
    octets = written(email.message_from_bytes(head, policy=policy.default), eight_bit=True)
    read = independent.read(octets)
    assert octets.isascii()
    assert independent.decoded(read.all("subject")[0]) == "größer"
    assert independent.addresses(read.all("to")[0]) == ["b@x.org"]
    for rules in (policy.default, policy.compat32):
        bad = email.message_from_bytes(head.replace("ß".encode(), b"\xdf"), policy=rules)
        with pytest.raises(InvalidMessage, match="Subject is not UTF-8"):
            written(bad)


def test_a_field_too_long_for_a_line_is_named() -> None:
    message = addressed(MIMEText("x"))
    message["X-Long"] = "x" * 1200
    with pytest.raises(InvalidMessage, match="X-Long has a line of more than 998"):
        written(message)


def test_parts_in_parts_end_somewhere() -> None:
    message: Any = MIMEText("x")
    for _ in range(150):
        outer = MIMEMultipart()
        outer.attach(message)
        message = outer
    with pytest.raises(InvalidMessage, match="deep"):
        written(addressed(message))


@pytest.mark.parametrize("offered", ["SIZE", "8BITMIME"])
def test_the_transport_asks_for_what_the_server_takes(offered: str) -> None:
    transport = MemoryTransport(capabilities=Capabilities.offering(offered))
    message = EmailMessage()
    message.set_content("größer\n", cte="8bit")
    transport.send(addressed(message))
    assert transport.submissions[0].content.isascii() is (offered == "SIZE")


SIGNED = (
    'MIME-Version: 1.0\nContent-Type: multipart/signed; protocol="application/pgp-signature";\n'
    " micalg=pgp-sha256; boundary=S\n\npreamble\n--S\n{part}\n--S\n"
    "Content-Type: application/pgp-signature\n\n-----BEGIN PGP SIGNATURE-----\n--S--\n"
)  # fmt: skip
PART = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}"
INNER = (
    'Content-Type: multipart/mixed; boundary="I"\n\n--I\nContent-Type: text/plain\n\n a \n'
    "--I\nContent-Type: image/png;\n name=x\nContent-Transfer-Encoding: base64\n\nAA\n=\n--I--\n"
)


def signed(part: str, rules: Any) -> Any:
    return email.message_from_bytes(
        ("From: a@x.org\nTo: b@x.org\n" + SIGNED.format(part=part)).encode(), policy=rules
    )


@pytest.mark.parametrize("rules", [policy.default, policy.compat32, policy.SMTP])
@pytest.mark.parametrize(
    "part",
    [
        PART.format(text="text\n"),
        PART.format(text=" trailing \n\n.\nFrom x\n--\n\n"),
        PART.format(text="no line end"),
        PART.format(text="größer\n"),
        INNER,
        "\nno fields\n",
        "X-Odd:  a   b \nContent-Type: text/plain\n\nx".replace(":  ", ": "),
        "Content-Type: text/plain\nSubject: folded\n\there\n\nx",
    ],
)
def test_a_signed_part_is_written_octet_by_octet(part: str, rules: Any) -> None:
    octets = written(signed(part, rules), eight_bit=True)
    assert (
        independent.parts(independent.read(octets).body, "S")[0]
        == part.replace("\n", "\r\n").encode()
    )


@pytest.mark.parametrize("rules", [policy.default, policy.compat32])
def test_a_signed_part_is_never_encoded(rules: Any) -> None:
    eight = signed(PART.format(text="größer\n"), rules)
    with pytest.raises(CapabilityError, match="signed part has eight-bit"):
        written(eight)
    for text, words in (("x" * 999, "998"), ("a\0b", "NUL")):
        with pytest.raises(InvalidMessage, match=words) as caught:
            written(signed(PART.format(text=text), rules), eight_bit=True)
        assert "as bytes" in str(caught.value)


@pytest.mark.parametrize("rules", [policy.default, policy.compat32])
def test_neither_is_a_body_under_a_signature_in_the_header(rules: Any) -> None:
    head = "From: a@x.org\nTo: b@x.org\nDKIM-Signature: v=1\n"
    message = email.message_from_bytes((head + PART.format(text="größer\n")).encode(), policy=rules)
    assert "größer".encode() in written(message, eight_bit=True)
    with pytest.raises(CapabilityError, match="signature"):
        written(message)


def built(*, long: bool = False, boundary: str | None = "I") -> Any:
    outer = MIMEMultipart("signed", protocol="application/pkcs7-signature", boundary="S")
    inner: Any = MIMEMultipart(boundary=boundary)
    inner.attach(MIMEText("text"))
    if long:
        inner["X-Long"] = "words " * 30
    outer.attach(inner)
    outer.attach(MIMEBase("application", "pkcs7-signature"))
    return addressed(outer)


def test_a_signed_part_that_was_built_is_what_it_is_by_itself() -> None:
    message = built()
    by_itself = message.get_payload(0).as_bytes(policy=policy.compat32.clone(linesep="\r\n"))
    pieces = independent.parts(independent.read(written(message)).body, "S")
    assert pieces[0] == by_itself


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: built(long=True), "more than one way"),
        (lambda: built(boundary=None), "without a boundary"),
    ],
)
def test_a_signed_part_of_which_nobody_knows_the_octets(
    made: Callable[[], Any], words: str
) -> None:
    with pytest.raises(InvalidMessage, match=words) as caught:
        written(made())
    assert "as bytes" in str(caught.value)
