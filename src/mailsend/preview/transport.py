"""A transport for development: each message becomes a page to look at, and goes nowhere."""

from __future__ import annotations

import os
import re
import threading
import webbrowser
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from mailsend.capabilities import Capabilities
from mailsend.content import prepare
from mailsend.envelope import Envelope
from mailsend.errors import ConfigurationError, SessionError
from mailsend.preview.page import page_and_findings
from mailsend.preview.reading import Letter, read
from mailsend.reply import Reply
from mailsend.report import DeliveryReport, Outcome, RecipientOutcome
from mailsend.transaction import mail_parameters
from mailsend.transport import Transport
from mailsend.transport.contract import check_envelope

_ENDPOINT: Final = "preview"
_NOT_IN_A_NAME: Final = re.compile(r"[^a-z0-9]+")


class PreviewTransport(Transport):
    """Writes each message into a folder, as a page and as an ``.eml`` file. Nothing is sent.

    Every recipient is reported as accepted, with a reply that says that it was a preview. Messages
    are checked exactly as before an SMTP server. The files are readable by this user alone, where
    the system knows of that. A file that is there is never written over.

    Args:
        folder: where to write; made if it is missing.
        open_browser: show each page in the user's browser as it is written.
        capabilities: what messages may make use of; by default 8BITMIME and SMTPUTF8.

    Raises:
        ConfigurationError: `folder` is no path, or `open_browser` neither True nor False.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        open_browser: bool = False,
        capabilities: Capabilities | None = None,
    ) -> None:
        if not isinstance(folder, str | os.PathLike) or not isinstance(open_browser, bool):
            raise ConfigurationError("folder has to be a path, and open_browser True or False")
        self._folder = Path(folder)
        self._open_browser = open_browser
        self._capabilities = capabilities or Capabilities.offering("8BITMIME", "SMTPUTF8")
        self._lock = threading.Lock()
        self._pages: list[Path] = []

    @property
    def pages(self) -> tuple[Path, ...]:
        """The pages this transport has written, in order. Beside each is the ``.eml`` file."""
        with self._lock:
            return tuple(self._pages)

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    def open(self) -> None:
        """Make the folder, if it is missing.

        Raises:
            ConfigurationError: It cannot be made, or is none.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"the folder {self._folder} cannot be used: {error.strerror}",
                advice="Name one that this user may write to",
            ) from error

    def close(self) -> None:
        """Nothing to do; the files stay."""

    def send_raw(self, envelope: Envelope, content: bytes) -> DeliveryReport:
        """Write the message and its page.

        Raises:
            ConfigurationError: The folder cannot be made.
            InvalidMessage: As :meth:`Transport.send_raw`.
            SessionError: A file cannot be written; nothing of this message is left.
        """
        check_envelope(envelope)
        prepared = prepare(content)
        # Where nothing leaves the process, nothing has to be encrypted.
        mail_parameters(envelope, prepared, self._capabilities, None, encrypted=True)
        letter = read(prepared.data)
        page, _ = page_and_findings(letter, envelope)
        self.open()
        with self._lock:
            written = self._write(_stem(letter), prepared.data, page.encode())
            self._pages.append(written)
        reply = Reply(250, None, (f"OK: a preview in {_printable(written.name)}, not sent",))
        if self._open_browser:
            webbrowser.open(written.resolve().as_uri())
        outcomes = tuple(
            RecipientOutcome(address.text, Outcome.ACCEPTED, reply)
            for address in envelope.recipient_addresses
        )
        return DeliveryReport(outcomes, reply, endpoint=_ENDPOINT)

    def _write(self, stem: str, content: bytes, page: bytes) -> Path:
        number = 0
        while True:
            number += 1
            name = stem if number == 1 else f"{stem}-{number}"
            message = self._folder / f"{name}.eml"
            made: list[Path] = []
            try:
                for path, octets in ((message, content), (message.with_suffix(".html"), page)):
                    with open(path, "xb", opener=_private) as file:
                        made.append(path)
                        file.write(octets)
            except OSError as error:
                for path in made:
                    path.unlink(missing_ok=True)
                if isinstance(error, FileExistsError):
                    continue
                raise SessionError(
                    f"the preview {message} cannot be written: {error.strerror}",
                    advice="Look at the folder, and at the space on its disk",
                    endpoint=_ENDPOINT,
                ) from error
            return message.with_suffix(".html")


def _stem(letter: Letter) -> str:
    """The name of a message's files: when it was written, and what of its subject is harmless."""
    now = datetime.now(UTC)
    words = _NOT_IN_A_NAME.sub("-", letter.first("subject").lower()).strip("-")[:40]
    return f"{now:%Y%m%d-%H%M%S}-{now.microsecond:06}" + (f"-{words}" if words else "")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _printable(name: str) -> str:
    return ascii(name)[1:-1]
