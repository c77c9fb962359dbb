"""SASL mechanisms for AUTH: challenge in, response out, no I/O (RFC 4422, RFC 4954 §4)."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from typing import Final, Protocol, TypeAlias, get_args

from attrs import field, frozen

from mailsend.cause import Cause
from mailsend.credentials import ClientCertificate, Password
from mailsend.errors import ConfigurationError
from mailsend.secret import Secret
from mailsend.tokens import OAuth2

_NAME: Final = re.compile(r"[A-Z0-9_-]{1,20}", re.ASCII)

Credentials: TypeAlias = Password | OAuth2 | ClientCertificate
"""What a profile may prove its user's identity with."""


class SaslError(Exception):
    """A challenge that the mechanism cannot go on with.

    Args:
        what: what is wrong with it, without secrets.
        cause: what that means.
    """

    def __init__(self, what: str, *, cause: Cause = Cause.OUT_OF_STEP) -> None:
        super().__init__(what)
        self.cause = cause


@frozen
class Claim:
    """Who to be, and how to prove it: what an exchange is made from.

    Attributes:
        username: the name, or None where the mechanism needs none.
        secret: password or access token; None for a proof that TLS has brought already.
        host: name of the server that is talked to.
        port: its port.
    """

    username: str | None = field(repr=False)  # with some providers it is the secret itself
    secret: Secret | None
    host: str
    port: int

    @property
    def name(self) -> bytes:
        """The user name in UTF-8; empty where there is none."""
        return (self.username or "").encode()

    @property
    def proof(self) -> bytes:
        """The secret in UTF-8; empty where there is none."""
        return b"" if self.secret is None else self.secret.reveal().encode()


class Exchange(Protocol):
    """One authentication exchange. Used once.

    What a mechanism of one's own has to define; see :class:`SaslMechanism`.
    """

    @property
    def is_complete(self) -> bool:
        """Whether the server may now report success: it has proved what it has to prove."""
        ...

    def initial_response(self) -> bytes | None:
        """What is sent with the AUTH command, or None where the server speaks first."""
        ...

    def respond(self, challenge: bytes) -> bytes | None:
        """The answer to a challenge, or None if the mechanism expects no more of them.

        Raises:
            SaslError: The exchange cannot go on; the connection is given up.
        """
        ...


def _name(value: str) -> str:
    # Of what is not ASCII, some becomes ASCII in upper case.
    usable = isinstance(value, str) and value.isascii() and _NAME.fullmatch(value.upper())
    if not usable:
        raise ConfigurationError(
            f"{ascii(value)[:40]} is no name of a SASL mechanism",
            advice="Write it as in EHLO: at most 20 of A to Z, 0 to 9, - and _ (RFC 4422 §3.1)",
        )
    return value.upper()


def _start(value: Callable[[Claim], Exchange]) -> Callable[[Claim], Exchange]:
    if not callable(value):
        raise ConfigurationError(
            f"start has to make an exchange from a Claim, and a {type(value).__name__} cannot"
        )
    return value


def _presents(value: type[Credentials]) -> type[Credentials]:
    kinds = get_args(Credentials)
    if not (isinstance(value, type) and issubclass(value, kinds)):
        names = ", ".join(kind.__name__ for kind in kinds)
        raise ConfigurationError(
            f"presents has to be one of the classes {names}, not {ascii(value)[:80]}"
        )
    return value


@frozen
class SaslMechanism:
    """A SASL mechanism: its name, what it presents, and how an exchange begins.

    Those below are built in. One of one's own is passed in the profile's `mechanisms`, and is then
    used like these: ``SmtpProfile(..., mechanisms=[SaslMechanism("X-CORP", start), "PLAIN"])``.

    Attributes:
        name: as the server offers it in the reply to EHLO, in upper case.
        start: makes an exchange.
        presents: the kind of credentials it takes: :class:`~mailsend.Password`,
            :class:`~mailsend.OAuth2` or :class:`~mailsend.ClientCertificate`.

    Raises:
        ConfigurationError: The name is none of a mechanism, `start` cannot be called, or `presents`
            is no kind of credentials.
    """

    name: str = field(converter=_name)
    start: Callable[[Claim], Exchange] = field(converter=_start)
    presents: type[Credentials] = field(default=Password, converter=_presents)


class Plain:
    """PLAIN (RFC 4616 §2): one message with name and password in UTF-8."""

    is_complete = True

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
        self._sent = False

    def initial_response(self) -> bytes:
        self._sent = True
        return b"\0" + self._claim.name + b"\0" + self._claim.proof

    def respond(self, challenge: bytes) -> bytes | None:
        # An empty challenge asks for the initial response (RFC 4954 §4).
        if challenge or self._sent:
            return None
        return self.initial_response()


class Login:
    """LOGIN: name, then password. Never standardised; offered by nearly every server.

    The prompts differ from server to server and are not read: order is all there is.
    """

    is_complete = True

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
        self._answers = ["proof", "name"]

    def initial_response(self) -> None:
        return None

    def respond(self, challenge: bytes) -> bytes | None:  # noqa: ARG002 - see the class
        if not self._answers:
            return None
        return self._claim.name if self._answers.pop() == "name" else self._claim.proof


class CramMd5:
    """CRAM-MD5 (RFC 2195 §2): a keyed hash of the server's challenge."""

    is_complete = True

    def __init__(self, claim: Claim) -> None:
        self._claim: Claim | None = claim

    def initial_response(self) -> None:
        return None

    def respond(self, challenge: bytes) -> bytes | None:
        claim, self._claim = self._claim, None
        if claim is None:
            return None
        digest = hmac.new(claim.proof, challenge, "md5").hexdigest()
        return claim.name + b" " + digest.encode()


class External:
    """EXTERNAL (RFC 4422 appendix A): the proof has come with TLS; the name may be left out."""

    is_complete = True

    def __init__(self, claim: Claim) -> None:
        self._identity = claim.name
        self._sent = False

    def initial_response(self) -> bytes:
        self._sent = True
        return self._identity

    def respond(self, challenge: bytes) -> bytes | None:
        return None if challenge or self._sent else self.initial_response()
