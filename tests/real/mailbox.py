"""Read back what a real server stored."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from .servers.recipes import ServerName

# The fields each server puts above the submitted content, in this order, each exactly once.
TRACE_FIELDS: dict[ServerName, tuple[bytes, ...]] = {
    "postfix": (b"Return-Path", b"X-Original-To", b"Delivered-To", b"Received"),
    "exim": (b"Return-path", b"Envelope-to", b"Delivery-date", b"Received"),
    "opensmtpd": (b"Return-Path", b"Delivered-To", b"Received"),
}


def as_submitted(stored: bytes, server: ServerName) -> bytes:
    """Return the content as the client submitted it, to be compared byte by byte.

    Takes away precisely the trace fields this server adds, and the server's line ends. A field of
    the same name that the client wrote stands below those and is kept. Content without the
    expected fields is not what the server stores, and fails the test.
    """
    rest = stored
    for name in TRACE_FIELDS[server]:
        field = re.match(re.escape(name) + rb":[^\n]*\n(?:[ \t][^\n]*\n)*", rest)
        if field is None:
            raise AssertionError(f"{server} did not add {name.decode()} where it should: {rest!r}")
        rest = rest[field.end() :]
    return rest.replace(b"\n", b"\r\n")


@dataclass(frozen=True)
class Mailbox:
    """The Maildir of one user on one server."""

    server: ServerName
    folder: Path

    def stored_with(self, token: str) -> list[bytes]:
        """Every message, as stored, that contains the token now."""
        contents = [path.read_bytes() for path in sorted(self.folder.glob("new/*"))]
        return [content for content in contents if token.encode() in content]

    def wait_for(self, token: str, seconds: float = 15) -> bytes:
        """Return the one message that contains the token, as stored, once it has arrived."""
        deadline = time.monotonic() + seconds
        # The server delivers in processes of its own: there is nothing to wait on but the folder.
        while not (found := self.stored_with(token)):
            if time.monotonic() > deadline:
                raise AssertionError(f"no message with {token} in {self.folder} for {seconds} s")
            time.sleep(0.02)
        if len(found) > 1:
            raise AssertionError(f"{len(found)} messages with {token} in {self.folder}")
        return found[0]

    def wait_for_content(self, token: str, seconds: float = 15) -> bytes:
        """Like `wait_for`, but as submitted: without trace fields, with CRLF."""
        return as_submitted(self.wait_for(token, seconds), self.server)

    def wait_for_all(self, token: str, count: int, seconds: float = 60) -> list[bytes]:
        """Return the messages that contain the token, as submitted, once there are `count`."""
        deadline = time.monotonic() + seconds
        while len(found := self.stored_with(token)) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(found)} of {count} messages after {seconds} s")
            time.sleep(0.2)  # every look reads the whole folder
        return [as_submitted(stored, self.server) for stored in found]
