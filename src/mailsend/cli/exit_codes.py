"""Exit statuses, those of BSD's sysexits.h, which mail programs have always used."""

from __future__ import annotations

from enum import IntEnum

from mailsend.cause import Cause
from mailsend.errors import (
    AuthenticationError,
    ConfigurationError,
    DeliveryUncertain,
    InvalidAddress,
    InvalidMessage,
    MailsendError,
    ProtocolViolation,
    RecipientsRefused,
    TlsError,
)


class ExitCode(IntEnum):
    """What an exit status means; in words: :data:`MEANINGS`."""

    OK = 0
    USAGE = 64
    DATA = 65
    NO_USER = 67
    NO_HOST = 68
    UNAVAILABLE = 69
    IO_ERROR = 74
    TEMPORARY = 75
    PROTOCOL = 76
    NO_PERMISSION = 77
    CONFIGURATION = 78
    INTERRUPTED = 130


MEANINGS = {
    ExitCode.OK: "every recipient was accepted",
    ExitCode.USAGE: "the command line is wrong",
    ExitCode.DATA: "the message or an address cannot be sent as it is",
    ExitCode.NO_USER: "recipients were refused; the others, if any, were accepted",
    ExitCode.NO_HOST: "the server's name cannot be resolved",
    ExitCode.UNAVAILABLE: "refused for good",
    ExitCode.IO_ERROR: "uncertain: it may have been delivered, so do not just repeat it",
    ExitCode.TEMPORARY: "nothing was accepted; trying again later may help",
    ExitCode.PROTOCOL: "no trustworthy encryption, or no SMTP",
    ExitCode.NO_PERMISSION: "the credentials were refused",
    ExitCode.CONFIGURATION: "a setting cannot be used",
    ExitCode.INTERRUPTED: "interrupted",
}


def epilog() -> str:
    """The table for ``--help``."""
    rows = "\n".join(f"  {code.value:>3}  {meaning}" for code, meaning in MEANINGS.items())
    return f"exit status:\n{rows}"


def code_for(error: MailsendError) -> ExitCode:
    """The status that tells a script what it may do next.

    ``TEMPORARY`` promises that repeating the whole command makes no duplicate.
    """
    if isinstance(error, DeliveryUncertain):
        return ExitCode.IO_ERROR
    if error.retryable and error.safe_to_retry:
        return ExitCode.TEMPORARY
    if error.cause is Cause.NAME_NOT_RESOLVED:
        return ExitCode.NO_HOST
    for kind, code in (
        (ConfigurationError, ExitCode.CONFIGURATION),
        (InvalidMessage, ExitCode.DATA),
        (InvalidAddress, ExitCode.DATA),
        (AuthenticationError, ExitCode.NO_PERMISSION),
        (TlsError, ExitCode.PROTOCOL),
        (ProtocolViolation, ExitCode.PROTOCOL),
        (RecipientsRefused, ExitCode.NO_USER),
    ):
        if isinstance(error, kind):
            return code
    return ExitCode.UNAVAILABLE
