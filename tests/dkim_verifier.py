"""A DKIM verifier for tests, after RFC 6376 §3.7 and §6.1; it shares nothing with what signs.

The public key stands for the DNS. Only relaxed/relaxed is known, since nothing else is signed.
"""

from __future__ import annotations

import base64
import hashlib
import re

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey


def fields_of(message: bytes) -> tuple[list[tuple[str, bytes]], bytes]:
    section, _, body = message.partition(b"\r\n\r\n")
    fields = re.split(rb"\r\n(?![ \t])", section)
    return [(f.partition(b":")[0].decode().lower(), f) for f in fields], body


def tags_of(field: bytes) -> dict[str, str]:
    text = re.sub(r"\s+", "", field.partition(b":")[2].decode())
    pairs = [tag.partition("=")[::2] for tag in text.split(";") if tag]
    assert len({name for name, _ in pairs}) == len(pairs)
    return dict(pairs)


def relaxed_field(field: bytes) -> bytes:
    name, _, value = field.partition(b":")
    value = re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip(b" \t")
    return name.strip().lower() + b":" + value


def relaxed_body(body: bytes) -> bytes:
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    text = b"\r\n".join(lines).rstrip(b"\r\n")
    return text + b"\r\n" if text else b""


def verify(message: bytes, key: RSAPublicKey | Ed25519PublicKey) -> dict[str, str]:
    """The tags of the first DKIM-Signature, which is good; anything else raises."""
    fields, body = fields_of(message)
    position, signature = next(
        (n, field) for n, (name, field) in enumerate(fields) if name == "dkim-signature"
    )
    tags = tags_of(signature)
    assert (tags["v"], tags["c"]) == ("1", "relaxed/relaxed")
    assert "l" not in tags
    digest = base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode()
    assert tags["bh"] == digest, "the body is another one"
    rest = [pair for n, pair in enumerate(fields) if n != position]
    signed = b""
    for name in tags["h"].lower().split(":"):
        # From the bottom, each once; one that is not there counts as nothing (§5.4.2).
        found = next((n for n in reversed(range(len(rest))) if rest[n][0] == name), None)
        if found is not None:
            signed += relaxed_field(rest.pop(found)[1]) + b"\r\n"
    bare = re.sub(rb"(;[ \t\r\n]*b[ \t\r\n]*=)[^;]*", rb"\1", signature)
    signed += relaxed_field(bare)
    octets = base64.b64decode(tags["b"])
    if isinstance(key, RSAPublicKey):
        assert tags["a"] == "rsa-sha256"
        key.verify(octets, signed, padding.PKCS1v15(), hashes.SHA256())
    else:
        assert tags["a"] == "ed25519-sha256"
        key.verify(octets, hashlib.sha256(signed).digest())  # RFC 8463 §3
    return tags
