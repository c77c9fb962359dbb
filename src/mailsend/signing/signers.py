"""Signing: the last thing done to a message, and proof that nothing else was done to it.

A signer gets the complete content as it will be sent: every line end CRLF, not dot-stuffed, all
transfer encodings chosen. It gives the same octets back with header fields of its own in front,
such as DKIM-Signature (RFC 6376 §3.5). What signs by wrapping the body, as S/MIME and OpenPGP do,
is no signer in this sense: it makes a new message, which is sent as bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from mailsend.content import Content, prepare
from mailsend.errors import ConfigurationError, InvalidMessage
from mailsend.message.header_section import read_header_section

Signer: TypeAlias = Callable[[bytes], bytes]
"""Gets a complete content and returns it with fields in front."""

# Signatures, seals and traces: what may be put before a message without being part of it.
_OF_A_SIGNER: Final = re.compile(
    r"(?:.+-)?signature|arc-.+|(?:.+-)?seal|authentication-results|received", re.IGNORECASE
)


def check_signers(signers: Iterable[Signer]) -> tuple[Signer, ...]:
    """The signers, if they are that.

    Raises:
        ConfigurationError: They are no list, or one cannot be called.
    """
    if not isinstance(signers, Iterable) or isinstance(signers, str | bytes):
        raise ConfigurationError(
            f"signers has to be a list, not {type(signers).__name__}",
            advice="Write signers=[DkimSigner(...)]",
        )
    checked = tuple(signers)
    for signer in checked:
        if not callable(signer):
            raise ConfigurationError(f"a signer has to be callable, not {type(signer).__name__}")
    return checked


def sign(content: Content, signers: Iterable[Signer]) -> Content:
    """The content with the fields of each signer in front; the last signer's are the first.

    Raises:
        InvalidMessage: A signer raised something, which is the cause, or changed the message, or
            put something else before it than fields of a signature, seal or trace.
    """
    for signer in signers:
        try:
            octets = signer(content.data)
        except Exception as error:
            raise InvalidMessage(
                f"the message could not be signed: {_name(signer)} raised {type(error).__name__}",
                advice="See the cause; the message was not sent",
            ) from error
        content = _verified(octets, content, _name(signer))
    return content


def _name(signer: Signer) -> str:
    return str(getattr(signer, "__qualname__", type(signer).__qualname__))[:80]


def _verified(octets: object, before: Content, name: str) -> Content:
    if not isinstance(octets, bytes | bytearray | memoryview):
        raise _refused(name, f"gave back {type(octets).__name__} instead of bytes")
    signed = bytes(octets)
    if not signed.endswith(before.data):
        raise _refused(name, "changed the message itself")
    added = signed[: len(signed) - len(before.data)]
    try:
        fields = read_header_section(signed).fields
    except InvalidMessage as error:
        raise _refused(name, "left a header section that cannot be read") from error
    theirs = [field for field in fields if field.start < len(added)]
    if (theirs[-1].end if theirs else 0) != len(added):
        raise _refused(name, "put something else than whole header fields in front")
    for field in theirs:
        if not _OF_A_SIGNER.fullmatch(field.name):
            raise _refused(name, f"added the field {field.name[:80]}")
    if not added.isascii() and not before.eight_bit_header:
        raise _refused(name, "added eight-bit octets to the header section")
    after = prepare(signed)
    if after.data != signed:
        raise _refused(name, "left a line end that is no CRLF")
    return after


def _refused(name: str, what: str) -> InvalidMessage:
    return InvalidMessage(
        f"the signer {name} {what}",
        advice="A signer returns the octets that it got, with fields such as DKIM-Signature in "
        "front; what wraps the body (S/MIME, OpenPGP) is done before, and its result sent as bytes",
    )
