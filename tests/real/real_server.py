"""What a test knows about a running server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .mailbox import Mailbox
from .servers.certificates import HOST
from .servers.recipes import PostfixPorts, ServerName
from .tokens import TokenIssuer

if TYPE_CHECKING:
    from pathlib import Path

    from .servers.capsule import Capsule
    from .servers.certificates import Certificates
    from .servers.recipes import Ports


@dataclass(frozen=True)
class Credentials:
    username: str
    password: str


ALICE = Credentials("alice@example.test", "s3cret-Pa55")
BOB = Credentials("bob@example.test", "pässwörd €")
CAROL = Credentials("carol@example.test", "c0rrect-h0rse")
DAVE = Credentials("dave@example.test", "s0lt3d-and-hashed")


@dataclass(frozen=True)
class Replies:
    """Codes in which the servers differ. The addresses of `Ports.refusing` have no such choice."""

    unknown_recipient: int
    relay_denied: int
    too_many_recipients: int
    too_long: int


REPLIES: dict[ServerName, Replies] = {
    "postfix": Replies(
        unknown_recipient=550, relay_denied=554, too_many_recipients=452, too_long=552
    ),
    "exim": Replies(unknown_recipient=550, relay_denied=550, too_many_recipients=452, too_long=552),
    "opensmtpd": Replies(
        unknown_recipient=524, relay_denied=550, too_many_recipients=451, too_long=554
    ),
}

MAX_RECIPIENTS = 20
MAX_SIZE = 1024 * 1024


@dataclass(frozen=True)
class RealServer:
    """A running server.

    Everyone at example.test has a mailbox named like the local part: alice, bob, carol. The
    addresses many0 to many29 share the mailbox `many`; every other domain ends in `sink`.
    """

    name: ServerName
    ports: Ports
    replies: Replies
    certificates: Certificates
    data: Path
    host: str = HOST
    alice: Credentials = ALICE
    bob: Credentials = BOB

    @property
    def ca_file(self) -> Path:
        """The authority a client has to trust."""
        return self.certificates.ca

    def mailbox(self, user: str) -> Mailbox:
        return Mailbox(self.name, self.data / "boxes" / user)


@dataclass(frozen=True)
class PostfixServer(RealServer):
    """Postfix, with the listeners and the users only it has.

    Attributes:
        scram_only: whose password is stored as SCRAM-SHA-256 keys.
        hashed: whose password is stored as a bcrypt hash.
    """

    ports: PostfixPorts
    scram_only: Credentials = CAROL
    hashed: Credentials = DAVE

    @property
    def tokens(self) -> TokenIssuer:
        """Where access tokens come from."""
        return TokenIssuer(self.data / "tokens")


def real_server(capsule: Capsule) -> RealServer:
    recipe = capsule.recipe
    replies = REPLIES[recipe.name]
    if isinstance(recipe.ports, PostfixPorts):
        return PostfixServer(recipe.name, recipe.ports, replies, capsule.certificates, capsule.data)
    return RealServer(recipe.name, recipe.ports, replies, capsule.certificates, capsule.data)
