"""Fitting the parts of a message to the path: transfer encodings (RFC 2045 §6).

A part that the path cannot take as it is gets another transfer encoding. What stands under a
signature is never touched, and parts that hold others have no encoding of their own
(RFC 2045 §6.4): there, the inner parts are encoded.
"""

from __future__ import annotations

import base64
import binascii
import quopri
from email.message import Message
from typing import Any, Final

from mailsend.content import has_overlong_line, with_crlf
from mailsend.errors import CapabilityError, InvalidMessage

_IDENTITY: Final = frozenset({"7bit", "8bit", "binary"})
_SEND_OCTETS: Final = "Send the signed message as bytes, as its signer made it: send(octets)"


def fit(part: Message[Any, Any], *, eight_bit: bool) -> None:
    """Encode in place, all parts down to the last, what cannot go over the path.

    Args:
        part: a copy of the caller's message.
        eight_bit: whether the path takes octets above 127.

    Raises:
        InvalidMessage: A part has an encoding that it cannot have, or that cannot be undone; or a
            signed part would have to be encoded.
        CapabilityError: A signed part needs an eight-bit path.
    """
    signed = any(name.lower().endswith("-signature") for name in part.keys())  # noqa: SIM118
    _fit(part, eight_bit=eight_bit, sealed=signed, label=not signed, top=part)


def _fit(
    part: Message[Any, Any],
    *,
    eight_bit: bool,
    sealed: bool,
    label: bool,
    top: Message[Any, Any],
) -> None:
    """Fit one part, and those in it.

    Args:
        part: to be changed in place.
        eight_bit: whether the path takes octets above 127.
        sealed: whether it stands under a signature, and so must not be changed.
        label: whether a part that says nothing of its eight-bit octets is to say it: not one of a
            forwarded message, which stays as it came.
        top: the whole message.
    """
    encoding = str(part.get("Content-Transfer-Encoding", "7bit")).strip().lower() or "7bit"
    main = part.get_content_maintype()
    if main in {"multipart", "message"}:
        _check_composite(part, encoding)
        if encoding != "7bit" and not (eight_bit or sealed):
            _relabel(part, "7bit")
        sealed |= part.get_content_type() == "multipart/signed"
        label = label and not sealed and main != "message"
    if part.is_multipart():
        inner: Any = part.get_payload()
        for one in inner:
            _fit(one, eight_bit=eight_bit, sealed=sealed, label=label, top=top)
        return
    if main in {"multipart", "message"}:
        return  # written as it is
    octets = octets_of(part)
    problem = _problem_of(octets, encoding, main, eight_bit=eight_bit)
    if problem is None:
        if encoding == "7bit" and not octets.isascii() and label:
            _relabel(part, "8bit")
            _declare_mime(top)
        return
    if sealed:
        raise _sealed(problem, needs_eight_bit=problem == _EIGHT_BIT)
    _encode(part, _decoded(octets, encoding), text=main == "text")
    _declare_mime(top)


def octets_of(part: Message[Any, Any]) -> bytes:
    """The text of a part without parts, as the standard library keeps it: still encoded.

    Raises:
        UnicodeEncodeError: It is text that nobody has encoded.
        TypeError: It is no text.
    """
    # get_payload() would make characters of octets, by a guess where there is no charset.
    payload = vars(part)["_payload"]
    if not isinstance(payload, str | None):
        raise TypeError(f"the payload is {type(payload).__name__}")
    return (payload or "").encode("ascii", "surrogateescape")


_EIGHT_BIT: Final = "eight-bit octets"


def _problem_of(octets: bytes, encoding: str, main: str, *, eight_bit: bool) -> str | None:
    if b"\0" in octets:
        return "a NUL octet"
    if not octets.isascii() and not (eight_bit and encoding in _IDENTITY):
        return _EIGHT_BIT
    if main != "text" and encoding in _IDENTITY and not _is_lines(octets, encoding):
        return "octets that are no lines of text"
    if b"\r" in octets:
        octets = with_crlf(octets)
    overlong = has_overlong_line(octets, line_end=2 if b"\r" in octets else 1)
    return "a line of more than 998 octets" if overlong else None


def _is_lines(octets: bytes, encoding: str) -> bool:
    """Whether a path that keeps lines keeps these: elsewhere than in text a lone CR is content."""
    return encoding != "binary" and octets.count(b"\r") == octets.count(b"\r\n")


def _check_composite(part: Message[Any, Any], encoding: str) -> None:
    if encoding not in _IDENTITY:
        raise InvalidMessage(
            f"a part of type {part.get_content_type()} has the transfer encoding "
            f"{ascii(encoding)[1:41]}, and can have none (RFC 2045 §6.4)",
            advice="Encode the parts inside it instead",
        )


def _sealed(problem: str, *, needs_eight_bit: bool) -> InvalidMessage | CapabilityError:
    if needs_eight_bit:
        return CapabilityError(
            f"a signed part has {problem}, and cannot be encoded without breaking its signature",
            advice="Sign a seven-bit form (RFC 1847 §2.1), or use a server that offers 8BITMIME",
        )
    return InvalidMessage(
        f"a signed part has {problem}, and cannot be encoded without breaking its signature",
        advice=_SEND_OCTETS,
    )


def _decoded(octets: bytes, encoding: str) -> bytes:
    try:
        if encoding == "base64":
            return base64.b64decode(b"".join(octets.split()), validate=True)
        if encoding == "quoted-printable" and octets.isascii():
            return quopri.decodestring(octets)
        if encoding in _IDENTITY:
            return octets
    except binascii.Error as error:
        raise InvalidMessage("a part that says it is base64 is not") from error
    raise InvalidMessage(
        f"a part has the transfer encoding {ascii(encoding)[1:41]} and cannot be sent in it",
        advice="Use base64 or quoted-printable",
    )


def _encode(part: Message[Any, Any], octets: bytes, *, text: bool) -> None:
    if text:
        octets = with_crlf(octets)  # the canonical form, RFC 2049 §4
    if text and b"\0" not in octets:
        lines = quopri.encodestring(octets.replace(b"\r\n", b"\n"), quotetabs=False)
        if len(lines) <= len(octets) * 4 // 3 + len(octets) // 28 + 80:
            part.set_payload(lines.decode("ascii"))
            _relabel(part, "quoted-printable")
            return
    part.set_payload(base64.encodebytes(octets).decode("ascii"))
    _relabel(part, "base64")


def _relabel(part: Message[Any, Any], encoding: str) -> None:
    # Deleting gives the copy a list of fields of its own; replacing would change the caller's.
    del part["Content-Transfer-Encoding"]
    part["Content-Transfer-Encoding"] = encoding


def _declare_mime(top: Message[Any, Any]) -> None:
    if "MIME-Version" not in top:
        del top["MIME-Version"]
        top["MIME-Version"] = "1.0"
