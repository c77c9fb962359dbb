"""The server's own replies."""

from __future__ import annotations

from attrs import frozen


@frozen
class Reply:
    """One reply (RFC 5321 §4.2).

    Attributes:
        code: three digits.
        enhanced: the status code of RFC 3463 §2, or empty where there is none.
        text: its lines, with LF between.
    """

    code: int
    enhanced: str
    text: str

    def encode(self, *, enhanced: bool) -> bytes:
        """The octets, with the enhanced status code if `enhanced` and if there is one."""
        status = f"{self.enhanced} " if enhanced and self.enhanced else ""
        *lines, last = self.text.split("\n")
        before = "".join(f"{self.code}-{status}{line}\r\n" for line in lines)
        return f"{before}{self.code} {status}{last}\r\n".encode()


class Refused(Exception):
    """The command is refused with `reply`."""

    def __init__(self, code: int, enhanced: str, text: str) -> None:
        super().__init__(f"{code} {enhanced} {text}")
        self.reply = Reply(code, enhanced, text)
