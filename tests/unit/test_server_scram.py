"""SCRAM of the embedded server, message by message, without a socket."""

from __future__ import annotations

import pytest
from attrs import frozen

from mailsend.testing import Exchange, MalformedResponse, SaslContext, scram


@frozen
class Example:
    salt: bytes
    nonce: str
    client_first: bytes
    server_first: bytes
    client_final: bytes
    server_final: bytes


# RFC 5802 §5 and RFC 7677 §3; the password is "pencil".
EXAMPLES = {
    "SCRAM-SHA-1": Example(
        salt=b"\x41\x25\xc2\x47\xe4\x3a\xb1\xe9\x3c\x6d\xff\x76",
        nonce="3rfcNHYJY1ZVvWVs7j",
        client_first=b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
        server_first=b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        client_final=b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
        b"p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        server_final=b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    ),
    "SCRAM-SHA-256": Example(
        salt=b"\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b\x14\x12\x36\xfa\x81",
        nonce="%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        client_first=b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
        server_first=b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        b"s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        client_final=b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        server_final=b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ),
}
EXAMPLE = EXAMPLES["SCRAM-SHA-256"]
FIRST, FINAL = EXAMPLE.client_first, EXAMPLE.client_final


def started(name: str = "SCRAM-SHA-256", *, user: str = "user", secret: str = "pencil") -> Exchange:
    example = EXAMPLES[name]
    mechanism = scram(name, salt=example.salt, nonce=example.nonce)
    exchange = mechanism.start(SaslContext(users={user: secret}))
    assert next(exchange) == b""
    return exchange


def outcome(exchange: Exchange, response: bytes) -> str | None:
    """What the exchange ends with, after its last response."""
    with pytest.raises(StopIteration) as end:
        exchange.send(response)
    result = end.value.value
    assert result is None or isinstance(result, str)
    return result


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_the_standards(name: str) -> None:
    exchange, example = started(name), EXAMPLES[name]
    assert exchange.send(example.client_first) == example.server_first
    assert exchange.send(example.client_final) == example.server_final
    assert outcome(exchange, b"") == "user"


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize(
    ("user", "secret"), [("user", "pencils"), ("user", ""), ("other", "pencil")]
)
def test_a_wrong_password_and_an_unknown_user_look_alike(name: str, user: str, secret: str) -> None:
    exchange, example = started(name, user=user, secret=secret), EXAMPLES[name]
    assert exchange.send(example.client_first) == example.server_first
    assert outcome(exchange, example.client_final) is None


@pytest.mark.parametrize(
    "first",
    [
        b"p=tls-exporter,,n=user,r=x",  # no channel binding is offered (RFC 5802 §6)
        b"n,a=root,n=user,r=x",
    ],
)
def test_refused_at_once(first: bytes) -> None:
    assert outcome(started(), first) is None


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"n=user,r=x",
        b"n,,n=user",
        b"n,,n=,r=x",
        b"n,,n=user,r=",
        b"n,,n=us=er,r=x",
        b"n,,n=user,r=a b",
        b"n,,m=extension,n=user,r=x",  # RFC 5802 §5.1: not understood, so it fails
        b"n,,n=\xff,r=x",
        b"x,,n=user,r=x",
    ],
)
def test_a_malformed_first_message(first: bytes) -> None:
    with pytest.raises(MalformedResponse):
        started().send(first)


@pytest.mark.parametrize(
    ("final", "malformed"),
    [
        (FINAL.replace(b"c=biws", b"c=eSws"), False),  # "y,,", which was not said
        (FINAL.replace(b"r=rOpr", b"r=rOpR"), False),
        (FINAL.replace(b"p=dHzb", b"p=dHzB"), False),
        (FINAL.replace(b"AndVQ=", b"AnQ==="), True),
        (FINAL.replace(b"p=dHzb", b"p="), False),
        (FINAL.partition(b",p=")[0], True),
        (FINAL.replace(b"c=biws,", b""), True),
        (b"", True),
    ],
)
def test_a_wrong_final_message(final: bytes, malformed: bool) -> None:
    exchange = started()
    exchange.send(FIRST)
    if malformed:
        with pytest.raises(MalformedResponse):
            exchange.send(final)
    else:
        assert outcome(exchange, final) is None


def test_the_signature_has_an_empty_answer() -> None:
    exchange = started()
    exchange.send(FIRST)
    exchange.send(FINAL)
    with pytest.raises(MalformedResponse):
        exchange.send(b"thanks")


def test_names_are_decoded_and_normalised() -> None:
    context = SaslContext(users={"a,b=c\u2167": "pencil"})  # ROMAN NUMERAL EIGHT
    exchange = scram().start(context)
    next(exchange)
    exchange.send(b"n,a=a=2Cb=3DcVIII,n=a=2Cb=3DcVIII,r=x")
    assert context.claimed == "a,b=cVIII"


def test_nothing_is_computed_before_the_proof() -> None:
    exchange = scram(iterations=2**40).start(SaslContext(users={"user": "pencil"}))
    next(exchange)
    assert exchange.send(FIRST).endswith(b",i=1099511627776")


def test_salt_and_nonce_are_new_each_time() -> None:
    challenges: set[bytes] = set()
    for _ in range(2):
        exchange = scram().start(SaslContext(users={}))
        next(exchange)
        nonce, salt, _ = exchange.send(FIRST).split(b",")
        challenges |= {nonce, salt}
    assert len(challenges) == 4


@pytest.mark.parametrize(
    "arguments",
    [{"name": "SCRAM-MD5"}, {"iterations": 0}, {"nonce": "a,b"}, {"nonce": "é"}, {"nonce": ""}],
)
def test_settings_without_a_meaning(arguments: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"not|has to be"):
        scram(**arguments)  # type: ignore[arg-type]  # that is the point
