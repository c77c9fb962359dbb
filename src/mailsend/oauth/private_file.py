"""Files that only their owner can read, written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mailsend.errors import ConfigurationError
from mailsend.secret import Hidden

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)
_CLOSED: Final = getattr(os, "O_CLOEXEC", 0)
_AT_ONCE: Final = getattr(os, "O_NONBLOCK", 0)  # a named pipe must not make us wait
_LARGEST: Final = 100_000


def prepare_folder(folder: Path) -> None:
    """Make the folder, with mode 0700, or see that nobody else can write into it.

    Raises:
        ConfigurationError: It cannot be made, or others own it or can write into it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except OSError as error:
        raise ConfigurationError(
            f"the folder {folder} cannot be used: {error.strerror}",
            advice="Name another one in the variable MAILSEND_SIGN_INS",
        ) from error
    if os.name == "posix":
        _see_owner(folder, status)
        if status.st_mode & 0o077:
            raise ConfigurationError(
                f"the folder {folder} is open to other users", advice=f"chmod 700 {folder}"
            )


def _see_owner(path: Path, status: os.stat_result) -> None:
    if status.st_uid != os.geteuid():
        raise ConfigurationError(
            f"{path} belongs to another user",
            advice="Run this as the user who signed in, or sign in as this one",
        )


def read(path: Path) -> Hidden[str] | None:
    """The text of a private file, or None if there is none.

    Raises:
        ConfigurationError: It is a link or no regular file, others own or can read it, it is too
            large, or it cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_LINK | _CLOSED | _AT_ONCE)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(_unreadable(path, error)) from error
    try:
        _see_private(path, os.fstat(descriptor))
        octets = Hidden(os.read(descriptor, _LARGEST + 1))
    except OSError as error:
        raise ConfigurationError(_unreadable(path, error)) from error
    finally:
        os.close(descriptor)
    if len(octets.value) > _LARGEST:
        raise ConfigurationError(f"{path} has more than {_LARGEST:,} octets")
    return Hidden(octets.value.decode("utf-8", "replace"))


def _see_private(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigurationError(f"{path} is no regular file")
    if os.name == "posix":
        _see_owner(path, status)
        if status.st_mode & 0o077:
            raise ConfigurationError(
                f"{path} holds secrets, and other users may read or write it",
                advice=f"chmod 600 {path}; if it was readable for long, sign in again",
            )


def _unreadable(path: Path, error: OSError) -> str:
    if path.is_symlink():
        return f"{path} is a symbolic link, which is not followed"
    return f"{path} cannot be read: {error.strerror}"


def write(path: Path, text: Hidden[str]) -> None:
    """Put a file in the place of an older one at once; it is on the disk when this returns.

    It has mode 0600 from its first moment. What goes wrong leaves the older file as it was.

    Raises:
        ConfigurationError: It cannot be written.
    """
    other = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(
            other, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK | _CLOSED, 0o600
        )
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(text.value.encode())
                stream.flush()
                os.fsync(descriptor)
            other.replace(path)
        except BaseException:
            other.unlink(missing_ok=True)
            raise
        _flush_folder(path.parent)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error


def _flush_folder(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY | _CLOSED)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that no other thread or process holds meanwhile; wait for it if need be.

    The kernel drops it when the process ends, however it ends. The file itself stays.

    Raises:
        ConfigurationError: The file cannot be opened or made, or is a link.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _NO_LINK | _CLOSED | _AT_ONCE, 0o600)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be opened for locking: {error.strerror}",
            advice="A sign-in is kept where it can be replaced, because providers replace refresh "
            "tokens; name a folder that can be written to in MAILSEND_SIGN_INS",
        ) from error
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)  # which drops the lock


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
            except OSError:
                continue  # it gives up after ten seconds
            return
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
