"""interpret(): what real replies mean, judged by reading them.

The replies are verbatim from Postfix 3.7, Exim 4.96, OpenSMTPD 7.4, Dovecot 2.3, Sendmail 8.17,
Courier 1.0, qpsmtpd 0.94, Haraka 3.3 and smtp-server 3.21, a few from large providers.
"""

# ruff: noqa: E501 - a table is read by its rows
from __future__ import annotations

import pytest

from mailsend import Cause, Reply, Scope, Stage, interpret

C, A, S, M, R = (
    Scope.CONNECTION,
    Scope.ACCOUNT,
    Scope.SENDER,
    Scope.MESSAGE,
    Scope.RECIPIENT,
)
MAIL, RCPT, DATA, END = Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.END_OF_DATA
AUTH, EHLO, GREETING = Stage.AUTH, Stage.EHLO, Stage.GREETING
NOW, NEVER = True, False  # whether the same submission may succeed later

Row = tuple[Stage, str, Cause, Scope, bool]

ENCRYPTION: list[Row] = [
    (MAIL, "530 5.7.0 Must issue a STARTTLS command first", Cause.TLS_REQUIRED, C, NEVER),
    (MAIL, "530 Must issue a STARTTLS command first", Cause.TLS_REQUIRED, C, NEVER),
    (AUTH, "530 5.7.0 Must issue a STARTTLS command first", Cause.TLS_REQUIRED, C, NEVER),
    (AUTH, "538 Error: Must issue a STARTTLS command first", Cause.TLS_REQUIRED, C, NEVER),
    (AUTH, "538 5.7.11 Encryption required for requested authentication mechanism",
     Cause.TLS_REQUIRED, C, NEVER),
    # Courier's code says "later", and no waiting encrypts a connection.
    (MAIL, "400 STARTTLS is required first.", Cause.TLS_REQUIRED, C, NEVER),
    (AUTH, "400 STARTTLS is required first.", Cause.TLS_REQUIRED, C, NEVER),
]  # fmt: skip

ACCOUNT: list[Row] = [
    (AUTH, "535 5.7.8 Error: authentication failed: (reason unavailable)",
     Cause.BAD_CREDENTIALS, A, NEVER),
    (AUTH, "535 Incorrect authentication data", Cause.BAD_CREDENTIALS, A, NEVER),
    (AUTH, "535 Authentication failed", Cause.BAD_CREDENTIALS, A, NEVER),
    (AUTH, "535 5.7.0 authentication failed", Cause.BAD_CREDENTIALS, A, NEVER),
    (AUTH, "535 5.7.3 Authentication unsuccessful", Cause.BAD_CREDENTIALS, A, NEVER),
    (AUTH, "535 PLAIN authentication failed for alice@example.test - auth_flat_file - wrong password",
     Cause.BAD_CREDENTIALS, A, NEVER),
    (AUTH, '504 5.7.4 Security features not supported: AUTH method "CRAM-MD5" not supported',
     Cause.AUTHENTICATION_UNAVAILABLE, A, NEVER),
    (AUTH, "504 5.3.3 AUTH mechanism PLAIN not available", Cause.AUTHENTICATION_UNAVAILABLE, A, NEVER),
    (AUTH, "503 5.5.1 Error: authentication not enabled", Cause.AUTHENTICATION_UNAVAILABLE, A, NEVER),
    (AUTH, "503 AUTH command used when not advertised", Cause.AUTHENTICATION_UNAVAILABLE, A, NEVER),
    (AUTH, "500 Unrecognized command", Cause.AUTHENTICATION_UNAVAILABLE, A, NEVER),
    (AUTH, "502 ESMTP command error", Cause.AUTHENTICATION_UNAVAILABLE, A, NEVER),
    (AUTH, "454 4.7.0 Temporary authentication failure: Connection lost to authentication server",
     Cause.AUTHENTICATION_TEMPORARY, A, NOW),
    (AUTH, "421 4.7.0 Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)",
     Cause.TOO_MANY_CONNECTIONS, A, NOW),
    (AUTH, "421 4.3.2 Service shutting down", Cause.SERVICE_UNAVAILABLE, C, NOW),
    (MAIL, "530 5.7.0 Authentication required.", Cause.AUTHENTICATION_REQUIRED, A, NEVER),
    (MAIL, "550 5.7.0 Authentication required", Cause.AUTHENTICATION_REQUIRED, A, NEVER),
    (MAIL, "550 5.7.1 Authentication required", Cause.AUTHENTICATION_REQUIRED, A, NEVER),
    (MAIL, "530 5.5.1 Invalid command: Must issue an AUTH command first",
     Cause.AUTHENTICATION_REQUIRED, A, NEVER),
    (MAIL, "535 Authentication required.", Cause.AUTHENTICATION_REQUIRED, A, NEVER),
    (MAIL, "530 Error: authentication Required", Cause.AUTHENTICATION_REQUIRED, A, NEVER),
    (MAIL, "530 5.7.57 Client not authenticated to send mail.", Cause.AUTHENTICATION_REQUIRED, A, NEVER),
    (RCPT, "530 5.7.0 Authentication required.", Cause.AUTHENTICATION_REQUIRED, A, NEVER),
]  # fmt: skip

LOAD: list[Row] = [
    (GREETING, "421 4.3.2 mx Too busy, try later", Cause.SERVICE_UNAVAILABLE, C, NOW),
    (GREETING, "421 4.7.0 mx.example.test Error: too many connections from 127.0.0.1",
     Cause.TOO_MANY_CONNECTIONS, A, NOW),
    (GREETING, "421 Too many concurrent SMTP connections", Cause.TOO_MANY_CONNECTIONS, A, NOW),
    (GREETING, "554 5.3.2 mx No SMTP service here", Cause.UNKNOWN, C, NEVER),
    (MAIL, "421 too many messages in this connection", Cause.SERVICE_UNAVAILABLE, C, NOW),
    (MAIL, "450 4.7.1 Error: too much mail from 127.0.0.1", Cause.RATE_LIMITED, A, NOW),
    (RCPT, "450 4.7.1 Error: too many recipients from 127.0.0.1", Cause.RATE_LIMITED, A, NOW),
    (RCPT, "421 4.3.2 Service shutting down", Cause.SERVICE_UNAVAILABLE, C, NOW),
    (RCPT, ("421-4.3.2 dovecot.example.test Lost connection to relay server:\r\n"
     "421 4.3.2 Recipient address rejected: Service shutting down (connection lost)"),
     Cause.SERVICE_UNAVAILABLE, C, NOW),
    (END, "452 4.3.1 Insufficient system storage", Cause.SERVER_STORAGE_FULL, C, NOW),
    (END, "421 4.5.0 Bare linefeed (LF) not allowed", Cause.SERVICE_UNAVAILABLE, C, NOW),
]  # fmt: skip

SENDER: list[Row] = [
    (MAIL, "550 5.7.1 Sender refused by policy", Cause.SENDER_NOT_ALLOWED, S, NEVER),
    (MAIL, "550 5.7.1 <badsender@example.test>... Sender refused by policy",
     Cause.SENDER_NOT_ALLOWED, S, NEVER),
    (MAIL, "517 Sender rejected: badsender@example.test", Cause.SENDER_NOT_ALLOWED, S, NEVER),
    (MAIL, "550 Your envelope sender is in my badmailfrom list", Cause.SENDER_NOT_ALLOWED, S, NEVER),
    # Postfix and Dovecot refuse the sender when the recipient is named.
    (RCPT, "550 5.7.1 <badsender@example.test>: Sender address rejected: Sender refused by policy",
     Cause.SENDER_NOT_ALLOWED, S, NEVER),
    (MAIL, "501 5.1.7 Bad sender address syntax", Cause.SENDER_INVALID, S, NEVER),
    (MAIL, "553 5.1.8 <x@n.invalid>: Sender address rejected: Domain not found",
     Cause.SENDER_INVALID, S, NEVER),
    (MAIL, "553 5.1.0 Sender address syntax error", Cause.SENDER_INVALID, S, NEVER),
]  # fmt: skip

RECIPIENT: list[Row] = [
    (RCPT, ("550 5.1.1 <nosuch@example.test>: Recipient address rejected: "
     "User unknown in virtual mailbox table"), Cause.MAILBOX_UNKNOWN, R, NEVER),
    (RCPT, "550 5.1.1 <nosuch@example.test>... User unknown", Cause.MAILBOX_UNKNOWN, R, NEVER),
    (RCPT, "550 5.1.1 I can not deliver mail for <nosuch@example.test>", Cause.MAILBOX_UNKNOWN, R, NEVER),
    (RCPT, "550 User <nosuch@example.test> unknown", Cause.MAILBOX_UNKNOWN, R, NEVER),
    (RCPT, "550 mail to nosuch@example.test not accepted here, no such user",
     Cause.MAILBOX_UNKNOWN, R, NEVER),
    (RCPT, ("550-5.1.1 The email account that you tried to reach does not exist. Please try\r\n"
     "550 5.1.1 double-checking the recipient's email address. - gsmtp"),
     Cause.MAILBOX_UNKNOWN, R, NEVER),
    (RCPT, "550 5.1.10 RESOLVER.ADR.RecipientNotFound", Cause.MAILBOX_UNKNOWN, R, NEVER),
    # These words fit an unknown mailbox, a forbidden domain and a policy alike.
    (RCPT, "550 Unrouteable address", Cause.UNKNOWN, R, NEVER),
    (RCPT, "550 Administrative prohibition", Cause.UNKNOWN, R, NEVER),
    (RCPT, "550 Invalid recipient: <x@elsewhere.invalid>", Cause.UNKNOWN, R, NEVER),
    (RCPT, "550 I cannot deliver mail for <x@elsewhere.invalid>", Cause.UNKNOWN, R, NEVER),
    (RCPT, "524 5.2.4 Mailing list expansion problem: <nosuch@example.test>", Cause.UNKNOWN, R, NEVER),
    (RCPT, "550 Service shutting down", Cause.UNKNOWN, R, NEVER),
    (RCPT, "552 5.2.2 <full@example.test>: Recipient address rejected: Mailbox is full",
     Cause.MAILBOX_FULL, R, NEVER),
    (RCPT, "550 Mailbox is full", Cause.MAILBOX_FULL, R, NEVER),
    (RCPT, "452 4.2.2 The email account that you tried to reach is over quota.",
     Cause.MAILBOX_FULL, R, NOW),
    (RCPT, "551 5.1.6 User not local; please try <bob@example.test>", Cause.MAILBOX_UNAVAILABLE, R, NEVER),
    (RCPT, "450 4.7.1 <g@example.test>: Recipient address rejected: Greylisted, please try again",
     Cause.GREYLISTED, R, NOW),
    (RCPT, "451 4.7.1 Greylisted, please try again in 60 seconds", Cause.GREYLISTED, R, NOW),
    (RCPT, "450 Greylisted, please try again in 60 seconds", Cause.GREYLISTED, R, NOW),
    (RCPT, "451 4.3.0 <t@example.test>: Recipient address rejected: Temporary lookup failure",
     Cause.TEMPORARY_FAILURE, R, NOW),
    (RCPT, "451 Temporary local problem - please try later", Cause.TEMPORARY_FAILURE, R, NOW),
    (RCPT, "450 Service shutting down", Cause.TEMPORARY_FAILURE, R, NOW),
    (RCPT, "554 5.7.1 <x@elsewhere.invalid>: Relay access denied", Cause.RELAY_DENIED, R, NEVER),
    (RCPT, "550 5.7.1 <x@elsewhere.invalid>... Relaying denied. Proper authentication required.",
     Cause.RELAY_DENIED, R, NEVER),
    (RCPT, "513 Relaying denied.", Cause.RELAY_DENIED, R, NEVER),
    (RCPT, "550 Relaying denied (#5.7.1)", Cause.RELAY_DENIED, R, NEVER),
    (RCPT, "454 4.7.1 <x@elsewhere.invalid>: Relay access denied", Cause.RELAY_DENIED, R, NOW),
    (RCPT, "554 5.7.1 <unknown[127.0.0.1]>: Client host rejected: Access denied",
     Cause.POLICY_REFUSED, R, NEVER),
    (RCPT, "554 5.7.1 <blocked@example.test>: Recipient address rejected: Blocked by policy",
     Cause.POLICY_REFUSED, R, NEVER),
    (RCPT, "452 4.5.3 Error: too many recipients", Cause.TOO_MANY_RECIPIENTS, R, NOW),
    (RCPT, "452 too many recipients", Cause.TOO_MANY_RECIPIENTS, R, NOW),
    (RCPT, "451 4.5.3 Too many recipients: Too many recipients", Cause.TOO_MANY_RECIPIENTS, R, NOW),
    (RCPT, "450 Too many recipients", Cause.TOO_MANY_RECIPIENTS, R, NOW),
    # Permanent by its digit, yet the rest of the list goes in a second transaction as well.
    (RCPT, "531 Too many recipients.", Cause.TOO_MANY_RECIPIENTS, R, NOW),
    # One bad address says nothing about the connection.
    (RCPT, "501 5.1.3 Bad recipient address syntax", Cause.COMMAND_REJECTED, R, NEVER),
    (RCPT, "501 <bob>: recipient address must contain a domain", Cause.COMMAND_REJECTED, R, NEVER),
    (RCPT, "553 5.1.3 <bob@>... Hostname required", Cause.UNKNOWN, R, NEVER),
]  # fmt: skip

MESSAGE: list[Row] = [
    (MAIL, "552 5.3.4 Message size exceeds fixed limit", Cause.MESSAGE_TOO_LARGE, M, NEVER),
    (MAIL, "552 Message size exceeds maximum permitted", Cause.MESSAGE_TOO_LARGE, M, NEVER),
    (MAIL, "552 5.2.3 Message size exceeds administrative limit", Cause.MESSAGE_TOO_LARGE, M, NEVER),
    (MAIL, "534 SIZE=Message too big.", Cause.MESSAGE_TOO_LARGE, M, NEVER),
    (MAIL, "550 Message too big!", Cause.MESSAGE_TOO_LARGE, M, NEVER),
    (END, "552 5.3.4 Error: message file too big", Cause.MESSAGE_TOO_LARGE, M, NEVER),
    (END, "554 5.3.4 Message too big for system: Transaction failed, message too big",
     Cause.MESSAGE_TOO_LARGE, M, NEVER),
    (END, "552 5.2.3 Message exceeds maximum fixed size (1048576)", Cause.MESSAGE_TOO_LARGE, M, NEVER),
    (END, "552 Error: Too much mail data", Cause.MESSAGE_TOO_LARGE, M, NEVER),
    (END, "550 Message too big!", Cause.MESSAGE_TOO_LARGE, M, NEVER),
    (END, "523 Message length (1048649 bytes) exceeds administrative limit(1048576).",
     Cause.MESSAGE_TOO_LARGE, M, NEVER),
    (END, "550 5.7.1 content refused by policy", Cause.CONTENT_REJECTED, M, NEVER),
    # The code of a size, and the words of a judgement (qpsmtpd).
    (END, "552 content refused by policy", Cause.CONTENT_REJECTED, M, NEVER),
    (END, "554 5.6.1 NUL byte not allowed", Cause.UNKNOWN, M, NEVER),
    (END, "451 Bare line-feed; see https://haraka.github.io/barelf/", Cause.TEMPORARY_FAILURE, M, NOW),
    (DATA, "554 5.5.1 Error: no valid recipients", Cause.UNKNOWN, M, NEVER),
    (DATA, "554 5.5.0 SMTP protocol error", Cause.UNKNOWN, M, NEVER),
]  # fmt: skip

COMMANDS: list[Row] = [
    (EHLO, "501 Syntactically invalid EHLO argument(s)", Cause.COMMAND_REJECTED, C, NEVER),
    (EHLO, "501 5.5.4 Invalid domain name", Cause.COMMAND_REJECTED, C, NEVER),
    (EHLO, "502 ESMTP command error", Cause.COMMAND_REJECTED, C, NEVER),
    (MAIL, "555 5.5.4 Unsupported option: FOO=BAR", Cause.COMMAND_REJECTED, C, NEVER),
    (MAIL, "503 5.5.1 Error: nested MAIL command", Cause.COMMAND_REJECTED, C, NEVER),
    (DATA, "503 5.5.0 <DATA>: Data command rejected: Improper use of SMTP command pipelining",
     Cause.COMMAND_REJECTED, C, NEVER),
]  # fmt: skip


@pytest.mark.parametrize(
    ("stage", "reply", "cause", "scope", "retryable"),
    [*ENCRYPTION, *ACCOUNT, *LOAD, *SENDER, *RECIPIENT, *MESSAGE, *COMMANDS],
)
def test_what_a_reply_means(
    stage: Stage, reply: str, cause: Cause, scope: Scope, retryable: bool
) -> None:
    meaning = interpret(Reply.parse(reply), stage)
    assert (meaning.cause, meaning.scope, meaning.retryable) == (cause, scope, retryable)
    assert meaning.source


@pytest.mark.parametrize("stage", [*Stage])
def test_every_refusal_has_a_meaning_at_every_stage(stage: Stage) -> None:
    for code in range(400, 600):
        # Without words and status only the code speaks, and its first digit decides.
        assert interpret(Reply(code), stage).retryable is (code < 500), code


@pytest.mark.parametrize("stage", [Stage.MAIL, Stage.DATA, Stage.END_OF_DATA, Stage.AUTH])
def test_only_a_recipient_is_a_recipients_matter(stage: Stage) -> None:
    for code in range(400, 600):
        assert interpret(Reply(code), stage).scope is not Scope.RECIPIENT


def test_where_nothing_tells_the_answer_is_unknown_and_no_advice() -> None:
    meaning = interpret(Reply.parse("550 xyzzy"), Stage.RCPT)
    assert meaning.cause is Cause.UNKNOWN
    assert meaning.advice is None
