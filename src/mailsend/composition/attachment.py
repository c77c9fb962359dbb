"""Files that are sent along with a text."""

from __future__ import annotations

import mimetypes
import os
import re
from email.message import EmailMessage
from pathlib import Path
from typing import Final, Protocol, TypeAlias, runtime_checkable

from attrs import field, frozen

from mailsend.composition.mime_parts import octets_part
from mailsend.composition.one_line import check_line
from mailsend.errors import InvalidMessage

# The names of a type have 127 characters at most, RFC 6838 §4.2.
_CONTENT_TYPE: Final = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
)
_MAX_NAME: Final = 998
_LONGEST_SHOWN: Final = 200  # characters of a path in an error


@runtime_checkable
class BinaryFile(Protocol):
    """An open file, of which everything from its position on is read."""

    def read(self) -> bytes:
        """What is left of it."""
        ...


def checked_type(value: str) -> str:
    """See that a value is a content type without parameters, and not one made of messages.

    Returns:
        It, in lower case.

    Raises:
        InvalidMessage: It is none.
    """
    if not (isinstance(value, str) and _CONTENT_TYPE.fullmatch(value)):
        raise InvalidMessage(f"{ascii(value)[:80]} is no content type such as image/png")
    kind = value.lower()
    if kind.startswith(("message/", "multipart/")):
        # They may not be base64-encoded (RFC 2045 §6.4).
        raise InvalidMessage(
            f"{kind[:80]} is no content type for octets",
            advice="Attach a message as ForwardedMessage, and octets as application/octet-stream",
        )
    return kind


def _content_type(value: str | None) -> str | None:
    return None if value is None else checked_type(value)


def _octets(value: bytes) -> bytes:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise InvalidMessage(
            f"the content of an attachment has to be bytes, not {type(value).__name__}"
        )
    return bytes(value)


def checked_file_name(value: str) -> str:
    """See that a value is one line, and cut off the folders before it.

    Raises:
        InvalidMessage: Nothing is left, or it has a control character.
    """
    name = check_line("the name of an attachment", value).replace("\\", "/").rpartition("/")[2]
    if not name or len(name) > _MAX_NAME:
        raise InvalidMessage(f"{ascii(value)[:80]} is no file name for an attachment")
    return name


def optional_file_name(value: str | None) -> str | None:
    """As :func:`checked_file_name`, where there may be none."""
    return None if value is None else checked_file_name(value)


@frozen
class Attachment:
    """Octets to send along. It can be used for any number of messages.

    Attributes:
        content: the octets.
        filename: what the receiver sees; folders before it are cut off.
        content_type: such as ``application/pdf``; None guesses from the name, and takes
            ``application/octet-stream`` where that tells nothing.

    Raises:
        InvalidMessage: A name has control characters, or a type is none for octets.
    """

    content: bytes = field(repr=False, converter=_octets)
    filename: str = field(converter=checked_file_name)
    content_type: str | None = field(default=None, converter=_content_type)

    @classmethod
    def from_path(
        cls,
        path: str | os.PathLike[str],
        *,
        filename: str | None = None,
        content_type: str | None = None,
    ) -> Attachment:
        """Read a file now.

        Args:
            path: of the file.
            filename: what the receiver sees; None takes the file's own name.
            content_type: as of :class:`Attachment`.

        Raises:
            InvalidMessage: It cannot be read; the operating system's reason is the cause.
        """
        text = os.fspath(path) if isinstance(path, str | os.PathLike) else path
        check_line("the path of an attachment", text)
        try:
            octets = Path(text).read_bytes()
        except OSError as error:
            raise _unreadable(text, error) from error
        return cls(octets, Path(text).name if filename is None else filename, content_type)

    @classmethod
    def from_file(
        cls, file: BinaryFile, *, filename: str | None = None, content_type: str | None = None
    ) -> Attachment:
        """Read an open file now, from its position to its end; it is left open.

        Args:
            file: opened in binary mode.
            filename: what the receiver sees; None takes the name the file was opened by.
            content_type: as of :class:`Attachment`.

        Raises:
            InvalidMessage: It cannot be read, gives text, or has no name.
        """
        name = getattr(file, "name", None) if filename is None else filename
        if not isinstance(name, str | os.PathLike):
            raise InvalidMessage(
                "the file to attach has no name",
                advice='Use Attachment.from_file(file, filename="minutes.pdf")',
            )
        try:
            octets = file.read()
        except (OSError, ValueError) as error:
            raise _unreadable(os.fspath(name), error) from error
        if not isinstance(octets, bytes):
            raise InvalidMessage(
                f"the attachment {ascii(name)[:80]} was opened as text",
                advice='Open it in binary mode: open(path, "rb")',
            )
        return cls(octets, os.fspath(name), content_type)

    @property
    def media_type(self) -> tuple[str, str]:
        """Main type and subtype."""
        guessed, encoding = mimetypes.guess_type(self.filename)
        kind = self.content_type or (None if encoding else guessed) or "application/octet-stream"
        main, _, sub = kind.partition("/")
        # Guessed from .eml, a message type would promise more than octets in base64 may be.
        return (
            (main, sub) if main not in {"message", "multipart"} else ("application", "octet-stream")
        )

    def as_part(self) -> EmailMessage:
        """A MIME entity of it, without a disposition."""
        return octets_part(self.content, "/".join(self.media_type))


def _unreadable(name: str, error: Exception) -> InvalidMessage:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    path = name if name.isprintable() else ascii(name)[1:-1]
    # The end of a path tells more than its beginning.
    shown = path if len(path) <= _LONGEST_SHOWN else f"…{path[-_LONGEST_SHOWN:]}"
    return InvalidMessage(
        f"the attachment {shown} cannot be read: {reason}",
        advice="Check its path, and that this user may read it",
    )


FileSource: TypeAlias = str | os.PathLike[str] | BinaryFile | Attachment
"""What octets are taken from: a path or an open file, read now; or octets with a name."""


def as_attachment(source: FileSource) -> Attachment:
    """Read it, if it is not read yet.

    Raises:
        InvalidMessage: It cannot be read, or is nothing of that kind.
    """
    if isinstance(source, Attachment):
        return source
    if isinstance(source, BinaryFile) and not isinstance(source, os.PathLike):
        return Attachment.from_file(source)
    return Attachment.from_path(source)
