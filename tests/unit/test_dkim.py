"""DkimSigner: verified by a verifier of its own (tests/dkim_verifier.py)."""

from __future__ import annotations

import copy
import pickle
import secrets
import sys
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import attrs
import dkim_verifier
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from mailsend import (
    Attachment,
    Capabilities,
    ConfigurationError,
    DkimSigner,
    InvalidMessage,
    MemoryTransport,
    PrivateKey,
    compose,
)


def pem(key: Any, form: str = "PKCS8", password: bytes | None = None) -> bytes:
    encryption = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    octets: bytes = key.private_bytes(
        serialization.Encoding.PEM, getattr(serialization.PrivateFormat, form), encryption
    )
    return octets


RSA = rsa.generate_private_key(65537, 2048)
ED25519 = ed25519.Ed25519PrivateKey.generate()
KEYS: dict[str, Any] = {"rsa": RSA, "ed25519": ED25519}
SIGNERS = {
    name: DkimSigner("example.org", "s1", PrivateKey(pem(key))) for name, key in KEYS.items()
}


def message(**more: Any) -> EmailMessage:
    return compose(
        **{
            "sender": "Ada <ada@example.org>",
            "to": ["Bob <bob@x.org>"],
            "subject": "Größe  und   mehr",
            "text": "Größe \t \n\n two  blanks \n.\n\n\n",
            **more,
        }
    )


def sent(what: Any, *signers: DkimSigner, capabilities: Capabilities | None = None) -> bytes:
    transport = MemoryTransport(capabilities=capabilities)
    transport.send(what, signers=signers)
    return transport.submissions[0].content


MESSAGES: dict[str, Callable[[], EmailMessage | bytes]] = {
    "text": message,
    "html": lambda: message(html="<p>Größe</p>"),
    "attachment": lambda: message(attachments=[Attachment(b"\0\xff" * 5000, "x.png")]),
    "list": lambda: message(
        headers={
            "List-Unsubscribe": "<https://x.org/" + "u" * 200 + ">, <mailto:u@x.org>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "References": " ".join(f"<{n}@x.org>" for n in range(40)),
        }
    ),
    "no body": lambda: b"From: ada@example.org\r\nTo: b@x.org\r\n",
    "empty body": lambda: b"From: ada@example.org\r\nTo: b@x.org\r\n\r\n",
    "octets": lambda: b"From: ada@example.org\nTo: b@x.org\nBcc: c@x.org\n\n.a\r\n\n  \r\r",
}


@pytest.mark.parametrize("key", [*KEYS])
@pytest.mark.parametrize("kind", [*MESSAGES])
def test_a_signature_is_good(kind: str, key: str) -> None:
    octets = sent(MESSAGES[kind](), SIGNERS[key])
    tags = dkim_verifier.verify(octets, KEYS[key].public_key())
    assert (tags["d"], tags["s"]) == ("example.org", "s1")
    assert octets.startswith(b"DKIM-Signature: ")
    assert max(map(len, octets.split(b"\r\n\r\n")[0].split(b"\r\n"))) <= 998


@pytest.mark.parametrize("key", [*KEYS])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"two", b"tw0"),
        (b"Subject: ", b"Subject: Re: "),
        (b"From: ", b"From: Eve <eve@x.org>\r\nFrom: "),
        (b"\r\nSubject: ", b"\r\nTo: eve@x.org\r\nSubject: "),
        (b"\r\nSubject: ", b"\r\nReply-To: eve@x.org\r\nSubject: "),
        (b"\r\nSubject: ", b"\r\nCc: eve@x.org\r\nSubject: "),
        (b"\r\nSubject: ", b"\r\nSubject: other\r\nSubject: "),
        (b"\r\nContent-Type: ", b"\r\nContent-Type: text/html\r\nContent-Type: "),
    ],
)
def test_what_is_changed_on_the_way_is_found_out(key: str, old: bytes, new: bytes) -> None:
    octets = sent(message(), SIGNERS[key])
    changed = octets.replace(old, new, 1)
    assert changed != octets
    with pytest.raises((AssertionError, InvalidSignature)):
        dkim_verifier.verify(changed, KEYS[key].public_key())


def test_what_servers_do_on_the_way_breaks_nothing() -> None:
    octets = sent(message(), SIGNERS["rsa"])
    changed = (b"Received: from x\r\n by y\r\n" + octets).replace(b"\r\nTo:", b"\r\nTO: ", 1)
    changed = changed.replace(b"Subject: ", b"Subject:\r\n ", 1) + b"\r\n\r\n"
    dkim_verifier.verify(changed, RSA.public_key())


@pytest.mark.parametrize(
    ("more", "signed", "unsigned"),
    [
        ({}, "from from to to cc reply-to subject subject date date message-id", "sender"),
        ({}, "mime-version mime-version content-type content-transfer-encoding", "received"),
        ({"cc": ["c@x.org"]}, "cc cc", "list-unsubscribe"),
        ({"bcc": ["c@x.org"]}, "from from", "bcc"),
        ({"headers": {"List-Unsubscribe": "<https://x.org>"}}, "list-unsubscribe", "x-own"),
        ({"headers": {"X-Own": "1"}}, "x-own", "comments"),
    ],
)  # fmt: skip
def test_which_fields_are_signed(more: dict[str, Any], signed: str, unsigned: str) -> None:
    signer = DkimSigner("example.org", "s1", SIGNERS["rsa"].private_key, headers=["X-Own"])
    tags = dkim_verifier.verify(sent(message(**more), signer), RSA.public_key())
    names = tags["h"].split(":")
    for name in set(signed.split()):
        assert names.count(name) >= signed.split().count(name), name
    assert unsigned not in names


def test_what_is_signed_has_seven_bits_whatever_the_server_takes() -> None:
    # A relay further on that takes no eight-bit octets would else break the signature.
    eight_bit = message()
    eight_bit.set_content("Größe\n", cte="8bit")
    assert not sent(eight_bit).isascii()
    assert sent(eight_bit, SIGNERS["rsa"]).isascii()


def test_two_signatures_are_both_good() -> None:
    octets = sent(message(), SIGNERS["rsa"], SIGNERS["ed25519"])
    dkim_verifier.verify(octets, ED25519.public_key())
    dkim_verifier.verify(octets.partition(b"\r\nDKIM-")[2].join([b"DKIM-", b""]), RSA.public_key())


def test_without_from_there_is_nothing_to_sign() -> None:
    with pytest.raises(InvalidMessage, match="DkimSigner raised InvalidMessage") as caught:
        MemoryTransport().send(b"Sender: a@x.org\r\nTo: b@x.org\r\n\r\nx", signers=[SIGNERS["rsa"]])
    assert "no From field" in str(caught.value.__cause__)


# Keys


@pytest.mark.parametrize("form", ["PKCS8", "TraditionalOpenSSL"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_keys_in_all_their_forms(form: str, end: bytes, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(b"some words before" + end + pem(RSA, form).replace(b"\n", end))
    file.chmod(0o600)
    signer = DkimSigner("example.org", "s1", PrivateKey.from_file(file), "rsa-sha256")
    dkim_verifier.verify(sent(message(), signer), RSA.public_key())


def test_a_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DKIM_KEY", pem(ED25519).decode().replace("\n", "\\n"))
    signer = DkimSigner("example.org", "s1", PrivateKey.from_env("DKIM_KEY"))
    assert signer.algorithm == "ed25519-sha256"
    dkim_verifier.verify(sent(message(), signer), ED25519.public_key())


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (pem(RSA, password=b"secret"), "encrypted"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "neither an RSA nor an Ed25519"),
        (pem(RSA)[:200], "no private key in PEM"),
        (b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", "no private key"),
    ],
)
def test_keys_that_cannot_sign(key: bytes, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        DkimSigner("example.org", "s1", PrivateKey(key))


def prime(bits: int) -> int:
    while True:
        number = secrets.randbits(bits) | 3 << (bits - 2) | 1
        if all(pow(base, number - 1, number) == 1 for base in (2, 3, 5, 7, 11)):
            return number


def test_keys_that_nobody_would_believe() -> None:
    p, q, e = prime(384), prime(384), 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(e, p * q)
    weak = rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public
    ).private_key()
    with pytest.raises(ConfigurationError, match="768 bits"):
        DkimSigner("example.org", "s1", PrivateKey(pem(weak)))


@pytest.mark.parametrize(
    "settings",
    [
        {"domain": "example.org\r\nBcc: e@evil.org"},
        {"domain": "x y"},
        {"domain": ""},
        {"domain": 5},
        {"selector": "a b"},
        {"selector": "a;d=evil.org"},
        {"selector": ""},
        {"selector": "a..b"},
        {"selector": None},
        {"algorithm": "rsa-sha1"},
        {"algorithm": "ed25519-sha256"},
        {"algorithm": ""},
        {"headers": "Subject"},
        {"headers": ["Bcc"]},
        {"headers": ["received"]},
        {"headers": ["X Y"]},
        {"headers": ["X;Y"]},
        {"headers": [5]},
        {"headers": 5},
        {"private_key": "file.pem"},
        {"private_key": pem(RSA)},
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any]) -> None:
    good = {"domain": "example.org", "selector": "s1", "private_key": SIGNERS["rsa"].private_key}
    with pytest.raises(ConfigurationError):
        DkimSigner(**{**good, **settings})


def test_a_domain_of_other_letters_is_signed_for_as_the_dns_has_it() -> None:
    assert (
        DkimSigner("Bücher.example", "s1", PrivateKey(pem(RSA))).domain == "xn--bcher-kva.example"
    )


@pytest.fixture
def not_installed() -> Iterator[None]:
    before = {name: m for name, m in sys.modules.items() if name.split(".")[0] == "dkim"}
    for name in before:
        del sys.modules[name]
    sys.modules["dkim"] = None  # type: ignore[assignment]  # what import makes of a missing one
    yield
    del sys.modules["dkim"]
    sys.modules.update(before)


@pytest.mark.usefixtures("not_installed")
def test_a_missing_extra_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"mailsend\[dkim\]"):
        DkimSigner("example.org", "s1", PrivateKey(pem(RSA)))


# The key stays hidden


def test_the_key_is_shown_nowhere(tmp_path: Path) -> None:
    secret = pem(ED25519).decode().splitlines()[1]
    file = tmp_path / "key.pem"
    file.write_bytes(pem(ED25519))
    file.chmod(0o600)
    for signer in (SIGNERS["ed25519"], DkimSigner("x.org", "s1", PrivateKey.from_file(file))):
        for shown in (repr(signer), str(attrs.asdict(signer)), repr(copy.deepcopy(signer))):
            assert secret not in shown
            assert secret[20:-4] not in shown
    with pytest.raises(TypeError, match="from_file"):
        pickle.dumps(SIGNERS["ed25519"])


def test_a_signer_with_a_reference_travels_as_one(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(pem(ED25519))
    file.chmod(0o600)
    signer = DkimSigner("example.org", "s1", PrivateKey.from_file(file), headers=["X-Own"])
    octets = pickle.dumps(signer)
    assert str(file).encode() in octets
    raw = ED25519.private_bytes_raw()
    assert raw not in octets
    again = pickle.loads(octets)
    assert again == signer
    assert again.headers == ("x-own",)
    dkim_verifier.verify(sent(message(), again), ED25519.public_key())
    file.unlink()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        pickle.loads(octets)


@pytest.mark.parametrize("key", [*KEYS])
def test_an_error_of_signing_shows_no_key(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import dkim  # type: ignore[import-untyped]  # it has no types

    def fail(*_: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(dkim, "hash_headers", fail)
    with pytest.raises(InvalidMessage) as caught:
        SIGNERS[key](b"From: a@example.org\r\n\r\nx\r\n")
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert caught.value.__cause__.__traceback__ is None
