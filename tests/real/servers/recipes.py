"""Which servers there are, what they are installed from and where they listen."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Literal, TypeAlias

ServerName: TypeAlias = Literal["postfix", "exim", "opensmtpd"]


@dataclass(frozen=True)
class Ports:
    """The listeners every server has. All are on 127.0.0.1."""

    mx: int
    """Opportunistic STARTTLS, no AUTH, only for example.test."""

    submission: int
    """STARTTLS required, then AUTH required."""

    implicit_tls: int
    """TLS from the first byte, AUTH required."""

    refusing: int
    """Like `mx`; greylist@example.test and the other refused addresses are refused here."""

    def all(self) -> frozenset[int]:
        return frozenset(astuple(self))


@dataclass(frozen=True)
class RoomyPorts(Ports):
    """OpenSMTPD has one limit for all its listeners; the others can lift it for one."""

    large: int
    """Like `submission`, for messages of 64 MiB."""


@dataclass(frozen=True)
class PostfixPorts(RoomyPorts):
    """Postfix has further listeners, each odd in one way."""

    short_idle: int
    """Three seconds without a command, or three errors, end the session with 421."""

    auth_without_tls: int
    """AUTH in clear text; STARTTLS is not offered."""

    no_extensions: int
    """EHLO is answered by a single line."""

    client_certificate: int
    """STARTTLS with a client certificate, which is also the leave to relay."""

    dovecot: int
    """Dovecot's own submission service in front of `mx`: STARTTLS offered, AUTH required."""

    introspection: int
    """Not SMTP: where Dovecot asks whether a token is good."""

    expired: int
    wrong_host: int
    self_signed: int


@dataclass(frozen=True)
class Packages:
    """Packages of the distribution, and what to call their installation."""

    name: str
    packages: tuple[str, ...]


@dataclass(frozen=True)
class Recipe(Packages):
    name: ServerName
    ports: Ports


POSTFIX_PORTS = PostfixPorts(
    mx=10025,
    submission=10587,
    implicit_tls=10465,
    refusing=10025,
    large=10036,
    short_idle=10029,
    auth_without_tls=10030,
    no_extensions=10031,
    client_certificate=10032,
    dovecot=10588,
    introspection=10580,
    expired=10033,
    wrong_host=10034,
    self_signed=10035,
)
EXIM_PORTS = RoomyPorts(mx=11025, submission=11587, implicit_tls=11465, refusing=11025, large=11588)
OPENSMTPD_PORTS = Ports(mx=12025, submission=12587, implicit_tls=12465, refusing=12026)

RECIPES: dict[ServerName, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe("postfix", ("postfix", "dovecot-core", "dovecot-submissiond"), POSTFIX_PORTS),
        Recipe("exim", ("exim4-daemon-heavy",), EXIM_PORTS),
        Recipe("opensmtpd", ("opensmtpd",), OPENSMTPD_PORTS),
    )
}

# Not a server: what reads messages and signatures without anything of Python's.
READERS = Packages("readers", ("libemail-mime-perl", "libmail-dkim-perl"))
