"""Replies of real servers and providers, each with what a person who reads it says it means.

The judgement is made by hand, from the words, from what the server is known to do and from the
providers' own pages; nothing here is taken from the rules that it tests. A reply is verbatim,
without the line end of its last line. Names and addresses in it are those of examples.

The last two lists are by somebody who set out to find replies that the rules read wrongly. Where
that person found more than one reading fair, the one that the rules have now is kept.

``provider`` is given where the words alone would mean something else, or nothing.
"""

# ruff: noqa: E501 - a table is read by its rows
from __future__ import annotations

from typing import Final, NamedTuple

from mailsend.cause import Cause, Retry, Scope
from mailsend.stage import Stage


class Sample(NamedTuple):
    """A reply, where in the conversation it came, and what it means."""

    stage: Stage
    reply: str
    cause: Cause
    scope: Scope
    retry: Retry
    provider: str | None = None


GREETING, EHLO, STARTTLS, AUTH = Stage.GREETING, Stage.EHLO, Stage.STARTTLS, Stage.AUTH
MAIL, RCPT, DATA, END = Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.END_OF_DATA

CONN, ACCT, SENDER, MSG = Scope.CONNECTION, Scope.ACCOUNT, Scope.SENDER, Scope.MESSAGE
RCPNT = Scope.RECIPIENT

NOW, NEWCONN, MINUTES = Retry.NOW, Retry.NEW_CONNECTION, Retry.MINUTES
HOURS, NEVER = Retry.HOURS, Retry.NEVER

_LONG: Final = "x" * 65 + "@example.test"

# fmt: off

ENCRYPTION: Final[list[Sample]] = [
    # Postfix 3.7, recorded
    Sample(MAIL, "530 5.7.0 Must issue a STARTTLS command first", Cause.TLS_REQUIRED, CONN, NEVER),
    Sample(AUTH, "530 5.7.0 Must issue a STARTTLS command first", Cause.TLS_REQUIRED, CONN, NEVER),
    # The handshake of TLS 1.3 succeeds without the certificate: the first reply after it refuses.
    Sample(EHLO, "421 4.7.1 mx.example.test Error: No client certificate presented", Cause.CLIENT_CERTIFICATE_REQUIRED, CONN, NEVER),
    # ... with every EHLO keyword discarded
    Sample(STARTTLS, "502 5.5.1 Error: command not implemented", Cause.STARTTLS_UNAVAILABLE, CONN, NEVER),
    # Exim 4.96, recorded
    Sample(MAIL, "550 5.7.0 Must issue a STARTTLS command first", Cause.TLS_REQUIRED, CONN, NEVER),
    Sample(STARTTLS, "503 STARTTLS command used when not advertised", Cause.STARTTLS_UNAVAILABLE, CONN, NEVER),
    # OpenSMTPD 7.4, recorded
    Sample(MAIL, "530 5.5.1 Invalid command: Must issue a STARTTLS command first", Cause.TLS_REQUIRED, CONN, NEVER),
    # Sendmail 8.17, recorded
    Sample(STARTTLS, "454 4.3.3 TLS not available after start", Cause.STARTTLS_UNAVAILABLE, CONN, MINUTES),
    # Courier 1.0, recorded. The code says "later", and no waiting encrypts a connection.
    Sample(MAIL, "400 STARTTLS is required first.", Cause.TLS_REQUIRED, CONN, NEVER),
    Sample(AUTH, "400 STARTTLS is required first.", Cause.TLS_REQUIRED, CONN, NEVER),
    Sample(STARTTLS, "540 TLS not available.", Cause.STARTTLS_UNAVAILABLE, CONN, NEVER),
    # qpsmtpd 0.94, recorded: the port of implicit TLS, to a client that speaks in the clear
    Sample(GREETING, "550 Cannot establish SSL session", Cause.WRONG_SECURITY_MODE, CONN, NEVER),
    Sample(STARTTLS, "500 Unrecognized command", Cause.STARTTLS_UNAVAILABLE, CONN, NEVER),
    # smtp-server 3.21, maildev 3.0 and aiosmtpd 1.4, recorded
    Sample(AUTH, "538 Error: Must issue a STARTTLS command first", Cause.TLS_REQUIRED, CONN, NEVER),
    Sample(STARTTLS, "500 Error: command not recognized", Cause.STARTTLS_UNAVAILABLE, CONN, NEVER),
    Sample(MAIL, "530 Must issue a STARTTLS command first", Cause.TLS_REQUIRED, CONN, NEVER),
    Sample(AUTH, "530 Must issue a STARTTLS command first", Cause.TLS_REQUIRED, CONN, NEVER),
    Sample(AUTH, "538 5.7.11 Encryption required for requested authentication mechanism", Cause.TLS_REQUIRED, CONN, NEVER),
    # RFC 3207 §4, and what our own faulty server says
    Sample(STARTTLS, "454 TLS not available due to temporary reason", Cause.STARTTLS_UNAVAILABLE, CONN, MINUTES),
    Sample(STARTTLS, "454 4.7.0 TLS not available due to local problem", Cause.STARTTLS_UNAVAILABLE, CONN, MINUTES),
    # reliability notes: Zoho and others
    Sample(MAIL, "530 Must issue a STARTTLS command first.", Cause.TLS_REQUIRED, CONN, NEVER),
]

ACCOUNT: Final[list[Sample]] = [
    # Postfix 3.7 with Dovecot's and with Cyrus's SASL, recorded
    Sample(AUTH, "535 5.7.8 Error: authentication failed: (reason unavailable)", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    Sample(AUTH, "535 5.7.8 Error: authentication failed: authentication failure", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    # The code of a wrong password, and words that name the mechanism.
    Sample(AUTH, "535 5.7.8 Error: authentication failed: Invalid authentication mechanism", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    Sample(AUTH, "535 5.7.8 Error: authentication failed: no mechanism available", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    Sample(AUTH, "503 5.5.1 Error: authentication not enabled", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    Sample(AUTH, "454 4.7.0 Temporary authentication failure: Connection lost to authentication server", Cause.AUTHENTICATION_TEMPORARY, ACCT, MINUTES),
    # What a submission port answers to a client that has not authenticated; it names the client.
    Sample(RCPT, "554 5.7.1 <unknown[127.0.0.1]>: Client host rejected: Access denied", Cause.AUTHENTICATION_REQUIRED, ACCT, NEVER),
    # Exim 4.96, recorded
    Sample(AUTH, "535 Incorrect authentication data", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    Sample(AUTH, "503 AUTH command used when not advertised", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    Sample(AUTH, "504 FOOMECH authentication mechanism not supported", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    Sample(AUTH, "504 XOAUTH2 authentication mechanism not supported", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    Sample(AUTH, "504 OAUTHBEARER authentication mechanism not supported", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    Sample(AUTH, "500 unrecognized command", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    Sample(MAIL, "550 5.7.0 Authentication required", Cause.AUTHENTICATION_REQUIRED, ACCT, NEVER),
    # OpenSMTPD 7.4, recorded
    Sample(AUTH, "535 Authentication failed", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    Sample(AUTH, "503 5.5.1 Invalid command: Command not supported", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    Sample(AUTH, '504 5.7.4 Security features not supported: AUTH method "CRAM-MD5" not supported', Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    Sample(AUTH, '504 5.7.4 Security features not supported: AUTH method "XOAUTH2" not supported', Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    Sample(MAIL, "530 5.5.1 Invalid command: Must issue an AUTH command first", Cause.AUTHENTICATION_REQUIRED, ACCT, NEVER),
    # Dovecot 2.3 submission, recorded
    Sample(AUTH, "535 5.7.8 Authentication failed.", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    Sample(AUTH, "504 5.5.4 Unsupported authentication mechanism.", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    Sample(MAIL, "530 5.7.0 Authentication required.", Cause.AUTHENTICATION_REQUIRED, ACCT, NEVER),
    Sample(RCPT, "530 5.7.0 Authentication required.", Cause.AUTHENTICATION_REQUIRED, ACCT, NEVER),
    Sample(DATA, "530 5.7.0 Authentication required.", Cause.AUTHENTICATION_REQUIRED, ACCT, NEVER),
    # Sendmail 8.17, recorded
    Sample(AUTH, "535 5.7.0 authentication failed", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    Sample(AUTH, "504 5.3.3 AUTH mechanism PLAIN not available", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    Sample(AUTH, "503 5.3.3 AUTH not available", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    Sample(MAIL, "530 5.7.0 Authentication required", Cause.AUTHENTICATION_REQUIRED, ACCT, NEVER),
    # Courier 1.0, recorded
    Sample(AUTH, "535 Authentication failed.", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    Sample(AUTH, "535 Authentication rejected", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    Sample(AUTH, "502 ESMTP command error", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    # The code of a wrong password, but nobody gave one.
    Sample(MAIL, "535 Authentication required.", Cause.AUTHENTICATION_REQUIRED, ACCT, NEVER),
    Sample(RCPT, "535 Authentication required.", Cause.AUTHENTICATION_REQUIRED, ACCT, NEVER),
    # qpsmtpd 0.94, recorded
    Sample(AUTH, "535 PLAIN authentication failed for alice@example.test - auth_flat_file - wrong password", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    Sample(AUTH, "535 LOGIN authentication failed for alice@example.test - auth_flat_file - wrong password", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    Sample(AUTH, "535 PLAIN authentication failed for nosuch@example.test", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    Sample(AUTH, "504 Unimplemented authentification mechanism: xoauth2", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    # Haraka 3.3, recorded
    Sample(AUTH, "535 5.7.8 Authentication failed", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    Sample(AUTH, "500 Unrecognized command", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    Sample(MAIL, "550 5.7.1 Authentication required", Cause.AUTHENTICATION_REQUIRED, ACCT, NEVER),
    # smtp-server 3.21 and maildev 3.0, recorded
    Sample(AUTH, "535 5.7.8 Error: authentication failed", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    Sample(AUTH, "535 Error: Username and Password not accepted", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    Sample(AUTH, "535 Invalid username or password", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    Sample(AUTH, "500 Error: command not recognized", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    Sample(AUTH, "504 Error: Unrecognized authentication type", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    Sample(MAIL, "530 Error: authentication Required", Cause.AUTHENTICATION_REQUIRED, ACCT, NEVER),
    Sample(RCPT, "530 Error: authentication Required", Cause.AUTHENTICATION_REQUIRED, ACCT, NEVER),
    # aiosmtpd 1.4, recorded
    Sample(AUTH, "535 5.7.8 Authentication credentials invalid", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    Sample(AUTH, "504 5.5.4 Unrecognized authentication type", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    Sample(RCPT, "530 5.7.0 Authentication required", Cause.AUTHENTICATION_REQUIRED, ACCT, NEVER),
    # Said with a code that says nothing, by servers that check the password late
    Sample(AUTH, "550 Authentication Failed", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    Sample(MAIL, "550 Authentication Failed", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    # OpenSMTPD 7.4, Dovecot 2.3 and aiosmtpd 1.4, recorded: a response of 20000 octets, as that
    # of a long token. What the server cannot read it cannot check.
    Sample(AUTH, "500 5.0.0 Command line too long", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    Sample(AUTH, "500 5.5.2 Line too long", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    Sample(AUTH, "500 Command line too long", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    # RFC 4954 §6
    Sample(AUTH, "534 5.7.9 Authentication mechanism is too weak", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    Sample(AUTH, "454 4.7.0 Temporary authentication failure", Cause.AUTHENTICATION_TEMPORARY, ACCT, MINUTES),
    # A provider's documentation (Cyberimpact). The digit lies: the page says to wait a few minutes.
    Sample(AUTH, "535 5.7.8 Authentication blocked due to too many failed attempts", Cause.TOO_MANY_LOGINS, ACCT, MINUTES),
    Sample(AUTH, "535 5.7.8 SMTP relay is not enabled for this account", Cause.SMTP_AUTH_DISABLED, ACCT, NEVER),
]

LOAD: Final[list[Sample]] = [
    # Postfix 3.7 and its postscreen, recorded
    Sample(GREETING, "421 4.7.0 mx.example.test Error: too many connections from 127.0.0.1", Cause.TOO_MANY_CONNECTIONS, ACCT, MINUTES),
    Sample(MAIL, "450 4.7.1 Error: too much mail from 127.0.0.1", Cause.RATE_LIMITED, ACCT, MINUTES),
    # Not the recipients of one message, but those of the last minute.
    Sample(RCPT, "450 4.7.1 Error: too many recipients from 127.0.0.1", Cause.RATE_LIMITED, ACCT, MINUTES),
    Sample(RCPT, "421 4.3.2 <hold421@example.test>: Recipient address rejected: Service shutting down", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    Sample(DATA, "421 4.4.2 mx.example.test Error: timeout exceeded", Cause.IDLE_TOO_LONG, CONN, NEWCONN),
    # Unknown recipients count as errors too: nothing says that a command was wrong.
    Sample(RCPT, "421 4.7.0 mx.example.test Error: too many errors", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    # Exim 4.96, recorded
    Sample(GREETING, "421 Too many concurrent SMTP connections; please try again later.", Cause.TOO_MANY_CONNECTIONS, ACCT, MINUTES),
    Sample(MAIL, "421 too many messages in this connection", Cause.TOO_MANY_MESSAGES, CONN, NEWCONN),
    Sample(MAIL, "421 exim.example.test: SMTP command timeout - closing connection", Cause.IDLE_TOO_LONG, CONN, NEWCONN),
    # Said with 550, and so to be taken as said: a shutdown that ends for good.
    # A 421 that Exim made permanent: a server that stops now is there again later.
    Sample(RCPT, "550 Service shutting down", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    # OpenSMTPD 7.4, recorded: it has one code and one set of words for both limits.
    Sample(MAIL, "452 4.5.3 Too many recipients: Too many messages sent", Cause.TOO_MANY_MESSAGES, CONN, NEWCONN),
    # Dovecot 2.3 submission, recorded
    Sample(AUTH, "421 4.7.0 Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)", Cause.TOO_MANY_CONNECTIONS, ACCT, MINUTES),
    Sample(RCPT, "421-4.3.2 dovecot.example.test Lost connection to relay server:\r\n421 4.3.2 Recipient address rejected: Service shutting down (connection lost)", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    # Sendmail 8.17 and others, recorded
    Sample(RCPT, "421 4.3.2 Service shutting down", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    Sample(AUTH, "421 4.3.2 Service shutting down", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    # ... with greet_pause, to a client that spoke first: all it says is that it takes no messages
    Sample(GREETING, "554 sendmail.example.test ESMTP not accepting messages", Cause.SERVICE_UNAVAILABLE, CONN, NEVER),
    # qpsmtpd 0.94 and Haraka 3.3, recorded
    Sample(RCPT, "421 Service shutting down", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    Sample(RCPT, "450 Service shutting down", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    Sample(MAIL, "421 timeout", Cause.IDLE_TOO_LONG, CONN, NEWCONN),
    # smtp-server 3.21 and maildev 3.0, recorded
    Sample(GREETING, "421 node.example.test Too many connected clients, try again in a moment", Cause.TOO_MANY_CONNECTIONS, ACCT, MINUTES),
    Sample(MAIL, "421 Timeout - closing connection", Cause.IDLE_TOO_LONG, CONN, NEWCONN),
    Sample(MAIL, "421 Server shutting down", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    # smtp-sink and our own faulty server, recorded
    Sample(RCPT, "421 4.0.0 Server closing connection", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    Sample(END, "421 4.0.0 Server closing connection", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    Sample(GREETING, "421 4.3.2 mx Too busy, try later", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    Sample(GREETING, "554 5.3.2 mx No SMTP service here", Cause.SERVICE_UNAVAILABLE, CONN, NEVER),
    Sample(MAIL, "421 4.3.2 mx Service shutting down", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    Sample(END, "421 4.3.0 mx lost my mind", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    Sample(END, "452 4.3.1 Insufficient system storage", Cause.SERVER_STORAGE_FULL, CONN, MINUTES),
    Sample(MAIL, "452 4.3.1 Insufficient system storage", Cause.SERVER_STORAGE_FULL, CONN, MINUTES),
    # reliability notes: a 421 at any stage whose words say nothing
    Sample(GREETING, "421 Come back some other time", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    Sample(EHLO, "421 4.0.0 xyzzy", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    Sample(STARTTLS, "421 xyzzy", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    Sample(AUTH, "421 xyzzy", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    Sample(RCPT, "421 4.0.0 xyzzy", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    Sample(DATA, "421", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    # reliability notes: a hosting company's relay, and the policy service of another
    Sample(END, "450 4.7.1 too many requests per time unit", Cause.RATE_LIMITED, ACCT, MINUTES),
    Sample(RCPT, "450 4.7.1 <alice@example.test>: Sender address rejected: Deferring: Too many messages from sender in last 60", Cause.RATE_LIMITED, ACCT, MINUTES),
    # Providers' documentation: Exchange, Cyberimpact, StartMail, Yandex, Comail
    Sample(GREETING, "421 4.3.2 The maximum number of concurrent connections has exceeded a limit, closing transmission channel", Cause.TOO_MANY_CONNECTIONS, ACCT, MINUTES),
    Sample(AUTH, "454 4.7.0 Too many active sessions for user", Cause.TOO_MANY_CONNECTIONS, ACCT, MINUTES),
    # The status of a full mailbox, at a stage where no mailbox has been named.
    Sample(MAIL, "452 4.2.2 Quota exceeded for the current period", Cause.QUOTA_EXCEEDED, ACCT, HOURS),
    # The digit lies: the page says to wait an hour.
    Sample(END, "550 5.7.1 Your mail limit has been reached.", Cause.QUOTA_EXCEEDED, ACCT, HOURS),
    # The limit is the recipient's: other recipients' mail goes through.
    Sample(END, "451 4.5.1 The recipient <bob@example.test> has exceeded their message rate limit. Try again later.", Cause.RATE_LIMITED, RCPNT, MINUTES),
    Sample(MAIL, "451 4.7.1 Warming tier rate limit", Cause.RATE_LIMITED, ACCT, MINUTES),
    # RFC 5321 §4.2.3
    Sample(MAIL, "421 mx.example.test Service not available, closing transmission channel", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    Sample(END, "452 Requested action not taken: insufficient system storage", Cause.SERVER_STORAGE_FULL, CONN, MINUTES),
]

CLIENT: Final[list[Sample]] = [
    # The name that EHLO gave; Postfix 3.7, Exim 4.96, OpenSMTPD 7.4, Dovecot 2.3, Sendmail 8.17,
    # qpsmtpd 0.94, Haraka 3.3 and smtp-server 3.21, recorded. mailsend always gives a name, so a
    # server that misses one did not take it for one.
    Sample(EHLO, "501 Syntax: EHLO hostname", Cause.CLIENT_NAME_REFUSED, CONN, NEVER),
    Sample(EHLO, "501 Syntactically invalid EHLO argument(s)", Cause.CLIENT_NAME_REFUSED, CONN, NEVER),
    Sample(EHLO, "501 5.5.1 Invalid command: EHLO requires domain name", Cause.CLIENT_NAME_REFUSED, CONN, NEVER),
    Sample(EHLO, "501 Missing hostname", Cause.CLIENT_NAME_REFUSED, CONN, NEVER),
    Sample(EHLO, "501 5.0.0 EHLO requires domain address", Cause.CLIENT_NAME_REFUSED, CONN, NEVER),
    Sample(EHLO, "501 5.0.0 Invalid domain name", Cause.CLIENT_NAME_REFUSED, CONN, NEVER),
    Sample(EHLO, "501 ehlo requires domain/address - see RFC-2821 4.1.1.1", Cause.CLIENT_NAME_REFUSED, CONN, NEVER),
    Sample(EHLO, "501 EHLO requires domain/address - see RFC-2821 4.1.1.1", Cause.CLIENT_NAME_REFUSED, CONN, NEVER),
    Sample(EHLO, "501 Error: syntax: EHLO hostname", Cause.CLIENT_NAME_REFUSED, CONN, NEVER),
    # Postfix's documentation: refusals are delayed until RCPT, and name what they refuse.
    Sample(RCPT, "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname", Cause.CLIENT_NAME_REFUSED, CONN, NEVER),
    Sample(RCPT, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.1", Cause.CLIENT_ADDRESS_REFUSED, CONN, NEVER),
    # Published bounces
    Sample(GREETING, "554 5.7.1 You are not allowed to connect.", Cause.CLIENT_ADDRESS_REFUSED, CONN, NEVER),
]

SENDERS: Final[list[Sample]] = [
    # Postfix 3.7, recorded. It refuses the sender when the recipient is named.
    Sample(RCPT, "550 5.7.1 <badsender@example.test>: Sender address rejected: Sender refused by policy", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    # ... with reject instead of delay
    Sample(MAIL, "554 5.7.1 <alice@example.test>: Sender address rejected: Access denied", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(MAIL, "501 5.1.7 Bad sender address syntax", Cause.SENDER_INVALID, SENDER, NEVER),
    # ... its documentation
    Sample(MAIL, "553 5.1.8 <x@n.invalid>: Sender address rejected: Domain not found", Cause.SENDER_INVALID, SENDER, NEVER),
    Sample(RCPT, "553 5.7.1 <carol@example.test>: Sender address rejected: not owned by user alice@example.test", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    # Exim 4.96, recorded
    Sample(MAIL, "550 5.7.1 Sender refused by policy", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(MAIL, '501 <alice: "@" or "." expected after "alice"', Cause.SENDER_INVALID, SENDER, NEVER),
    Sample(MAIL, '501 <a b@example.test>: "@" or "." expected after "a"', Cause.SENDER_INVALID, SENDER, NEVER),
    # OpenSMTPD 7.4, recorded
    Sample(MAIL, "553 5.1.0 Sender address syntax error", Cause.SENDER_INVALID, SENDER, NEVER),
    # Dovecot 2.3 submission, recorded. It names the recipient first, and means the sender.
    Sample(RCPT, "550 5.7.1 <bob@example.test> <badsender@example.test>: Sender address rejected: Sender refused by policy", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(MAIL, "501 5.5.4 Invalid FROM: Missing domain", Cause.SENDER_INVALID, SENDER, NEVER),
    Sample(MAIL, "501 5.5.4 Invalid FROM: Invalid character in localpart", Cause.SENDER_INVALID, SENDER, NEVER),
    # Sendmail 8.17, recorded
    Sample(MAIL, "550 5.7.1 <badsender@example.test>... Sender refused by policy", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(MAIL, "553 5.0.0 <alice... Unbalanced '<'", Cause.SENDER_INVALID, SENDER, NEVER),
    # Courier 1.0 and qpsmtpd 0.94, recorded
    Sample(MAIL, "517 Sender rejected: badsender@example.test", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(MAIL, "550 Your envelope sender is in my badmailfrom list", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    # Haraka 3.3 and smtp-server 3.21, recorded
    Sample(MAIL, '501 Invalid MAIL FROM address <alice: Invalid RFC-5321 address at position 6: expected "@"', Cause.SENDER_INVALID, SENDER, NEVER),
    Sample(MAIL, "501 Error: Bad sender address syntax", Cause.SENDER_INVALID, SENDER, NEVER),
    # reliability notes: x.7.1 at MAIL can only mean the sender
    Sample(MAIL, "550 5.7.1 No", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    # Providers' documentation: Comail, SparkPost (which looks at the From field, after the dot)
    Sample(MAIL, "550 5.1.0 From address not allowed", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(END, "550 5.7.1 Unconfigured Sending Domain", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
]

RECIPIENTS: Final[list[Sample]] = [
    # Postfix 3.7, recorded
    Sample(RCPT, "550 5.1.1 <nosuch@example.test>: Recipient address rejected: User unknown in virtual mailbox table", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    # ... with soft_bounce: every 5 has become a 4, because the table of users may be wrong
    Sample(RCPT, "450 4.1.1 <nosuch@example.test>: Recipient address rejected: User unknown in virtual mailbox table", Cause.MAILBOX_UNKNOWN, RCPNT, HOURS),
    Sample(RCPT, "454 4.7.1 <x@elsewhere.invalid>: Relay access denied", Cause.RELAY_DENIED, RCPNT, NEVER),
    Sample(RCPT, "554 5.7.1 <x@elsewhere.invalid>: Relay access denied", Cause.RELAY_DENIED, RCPNT, NEVER),
    Sample(RCPT, "554 5.7.1 <bob>: Relay access denied", Cause.RELAY_DENIED, RCPNT, NEVER),
    Sample(RCPT, "554 5.7.1 <bob@bücher.invalid>: Relay access denied", Cause.RELAY_DENIED, RCPNT, NEVER),
    Sample(RCPT, "501 5.1.3 Bad recipient address syntax", Cause.INVALID_ADDRESS, RCPNT, NEVER),
    Sample(RCPT, "450 4.7.1 <greylist@example.test>: Recipient address rejected: Greylisted, please try again in 60 seconds", Cause.GREYLISTED, RCPNT, MINUTES),
    Sample(RCPT, "450 4.7.1 <g@example.test>: Recipient address rejected: Greylisted, please try again", Cause.GREYLISTED, RCPNT, MINUTES),
    Sample(RCPT, "451 4.3.0 <tempfail@example.test>: Recipient address rejected: Temporary lookup failure", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    Sample(RCPT, "451 4.3.0 <t@example.test>: Recipient address rejected: Temporary lookup failure", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    Sample(RCPT, "554 5.7.1 <blocked@example.test>: Recipient address rejected: Blocked by policy", Cause.POLICY_REFUSED, RCPNT, NEVER),
    Sample(RCPT, "552 5.2.2 <full@example.test>: Recipient address rejected: Mailbox is full", Cause.MAILBOX_FULL, RCPNT, NEVER),
    Sample(RCPT, "551 5.1.6 <moved@example.test>: Recipient address rejected: User not local; please try <bob@example.test>", Cause.MAILBOX_MOVED, RCPNT, NEVER),
    Sample(RCPT, "452 4.5.3 Error: too many recipients", Cause.TOO_MANY_RECIPIENTS, RCPNT, NOW),
    # ... its documentation
    Sample(RCPT, "450 4.1.2 <bob@nowhere.invalid>: Recipient address rejected: Domain not found", Cause.DOMAIN_UNKNOWN, RCPNT, HOURS),
    # Exim 4.96, recorded
    Sample(RCPT, "550 Unrouteable address", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 Administrative prohibition", Cause.POLICY_REFUSED, RCPNT, NEVER),
    Sample(RCPT, "501 <>: missing or malformed local part", Cause.INVALID_ADDRESS, RCPNT, NEVER),
    Sample(RCPT, "501 <bob>: recipient address must contain a domain", Cause.INVALID_ADDRESS, RCPNT, NEVER),
    Sample(RCPT, "451 4.7.1 Greylisted, please try again in 60 seconds", Cause.GREYLISTED, RCPNT, MINUTES),
    Sample(RCPT, "451 Temporary local problem - please try later", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    Sample(RCPT, "550 5.7.1 Blocked by policy", Cause.POLICY_REFUSED, RCPNT, NEVER),
    Sample(RCPT, "552 5.2.2 Mailbox is full", Cause.MAILBOX_FULL, RCPNT, NEVER),
    Sample(RCPT, "551 5.1.6 User not local; please try <bob@example.test>", Cause.MAILBOX_MOVED, RCPNT, NEVER),
    Sample(RCPT, "452 too many recipients", Cause.TOO_MANY_RECIPIENTS, RCPNT, NOW),
    # OpenSMTPD 7.4, recorded
    Sample(RCPT, "524 5.2.4 Mailing list expansion problem: <nosuch@example.test>", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, f"524 5.2.4 Mailing list expansion problem: <{_LONG}>", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 Invalid recipient: <x@elsewhere.invalid>", Cause.RELAY_DENIED, RCPNT, NEVER),
    Sample(RCPT, "501 5.1.3 Recipient address syntax error", Cause.INVALID_ADDRESS, RCPNT, NEVER),
    Sample(RCPT, "450 4.7.1 Greylisted, please try again in 60 seconds", Cause.GREYLISTED, RCPNT, MINUTES),
    Sample(RCPT, "451 4.3.0 Temporary lookup failure", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    Sample(RCPT, "554 5.7.1 Blocked by policy", Cause.POLICY_REFUSED, RCPNT, NEVER),
    Sample(RCPT, "451 4.5.3 Too many recipients: Too many recipients", Cause.TOO_MANY_RECIPIENTS, RCPNT, NOW),
    # Dovecot 2.3 submission, recorded: the relay's words behind the address
    Sample(RCPT, "550 5.1.1 <nosuch@example.test> <nosuch@example.test>: Recipient address rejected: User unknown in virtual mailbox table", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "450 4.7.1 <greylist@example.test> <greylist@example.test>: Recipient address rejected: Greylisted, please try again in 60 seconds", Cause.GREYLISTED, RCPNT, MINUTES),
    Sample(RCPT, "451 4.3.0 <tempfail@example.test> <tempfail@example.test>: Recipient address rejected: Temporary lookup failure", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    Sample(RCPT, "554 5.7.1 <blocked@example.test> <blocked@example.test>: Recipient address rejected: Blocked by policy", Cause.POLICY_REFUSED, RCPNT, NEVER),
    Sample(RCPT, "552 5.2.2 <full@example.test> <full@example.test>: Recipient address rejected: Mailbox is full", Cause.MAILBOX_FULL, RCPNT, NEVER),
    Sample(RCPT, "551 5.1.6 <moved@example.test> <moved@example.test>: Recipient address rejected: User not local; please try <bob@example.test>", Cause.MAILBOX_MOVED, RCPNT, NEVER),
    Sample(RCPT, "501 5.5.4 Invalid TO: Null path not allowed", Cause.INVALID_ADDRESS, RCPNT, NEVER),
    Sample(RCPT, "501 5.5.4 Invalid TO: Missing domain", Cause.INVALID_ADDRESS, RCPNT, NEVER),
    Sample(RCPT, "501 5.5.4 Invalid TO: Missing domain after '@'", Cause.INVALID_ADDRESS, RCPNT, NEVER),
    Sample(RCPT, "501 5.5.4 Invalid TO: Invalid character in localpart", Cause.INVALID_ADDRESS, RCPNT, NEVER),
    Sample(RCPT, "451 4.5.3 Too many recipients", Cause.TOO_MANY_RECIPIENTS, RCPNT, NOW),
    # Sendmail 8.17, recorded
    Sample(RCPT, "550 5.1.1 <nosuch@example.test>... User unknown", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    # δοκιμή, as it reads without the eighth bits
    Sample(RCPT, "550 5.1.1 <N4N?N:N9N<N.@example.test>... User unknown", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "553 5.0.0 <>... User address required", Cause.INVALID_ADDRESS, RCPNT, NEVER),
    Sample(RCPT, "553 5.1.3 <bob@>... Hostname required", Cause.INVALID_ADDRESS, RCPNT, NEVER),
    Sample(RCPT, "550 5.7.1 <x@elsewhere.invalid>... Relaying denied. Proper authentication required.", Cause.RELAY_DENIED, RCPNT, NEVER),
    # It says that this is temporary: a name server that answers changes it.
    Sample(RCPT, "450 4.4.0 <x@elsewhere.invalid>... Relaying temporarily denied. Cannot resolve PTR record for 127.0.0.2", Cause.RELAY_DENIED, RCPNT, MINUTES),
    Sample(RCPT, "450 4.7.1 <greylist@example.test>... Greylisted, please try again in 60 seconds", Cause.GREYLISTED, RCPNT, MINUTES),
    Sample(RCPT, "452 4.5.3 Too many recipients", Cause.TOO_MANY_RECIPIENTS, RCPNT, NOW),
    # Courier 1.0, recorded
    Sample(RCPT, "550 User <nosuch@example.test> unknown", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 User <δοκιμή@example.test> unknown", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    # The mailbox's name is in the reply, and says nothing about the reason.
    Sample(RCPT, "550 User <full@example.test> unknown", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 User <greylist@example.test> unknown", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "513 Relaying denied.", Cause.RELAY_DENIED, RCPNT, NEVER),
    Sample(RCPT, "513 Syntax error.", Cause.INVALID_ADDRESS, RCPNT, NEVER),
    Sample(RCPT, "500 Invalid address", Cause.INVALID_ADDRESS, RCPNT, NEVER),
    # Permanent by its digit, yet the rest of the list goes in a second transaction as well.
    Sample(RCPT, "531 Too many recipients.", Cause.TOO_MANY_RECIPIENTS, RCPNT, NOW),
    # qpsmtpd 0.94, recorded
    Sample(RCPT, "550 mail to nosuch@example.test not accepted here, no such user", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 Relaying denied (#5.7.1)", Cause.RELAY_DENIED, RCPNT, NEVER),
    Sample(RCPT, "501 could not parse recipient", Cause.INVALID_ADDRESS, RCPNT, NEVER),
    Sample(RCPT, "450 Greylisted, please try again in 60 seconds", Cause.GREYLISTED, RCPNT, MINUTES),
    Sample(RCPT, "450 Temporary lookup failure", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    Sample(RCPT, "550 Blocked by policy", Cause.POLICY_REFUSED, RCPNT, NEVER),
    Sample(RCPT, "550 Mailbox is full", Cause.MAILBOX_FULL, RCPNT, NEVER),
    Sample(RCPT, "450 Too many recipients", Cause.TOO_MANY_RECIPIENTS, RCPNT, NOW),
    # Haraka 3.3, recorded: "can not" means a local domain's unknown user, "cannot" a foreign domain
    Sample(RCPT, "550 5.1.1 I can not deliver mail for <nosuch@example.test>", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 I cannot deliver mail for <x@elsewhere.invalid>", Cause.RELAY_DENIED, RCPNT, NEVER),
    Sample(RCPT, '501 Invalid RCPT TO address <bob>: Invalid RFC-5321 address at position 4: expected "@"', Cause.INVALID_ADDRESS, RCPNT, NEVER),
    Sample(RCPT, "501 Invalid RCPT TO address <bob@>: Invalid RFC-5321 address at position 5: expected sub-domain", Cause.INVALID_ADDRESS, RCPNT, NEVER),
    Sample(RCPT, f"501 Invalid RCPT TO address <{_LONG}>: RFC-5321 local-part exceeds 64 octets", Cause.INVALID_ADDRESS, RCPNT, NEVER),
    # smtp-server 3.21 and aiosmtpd 1.4, recorded
    Sample(RCPT, "550 5.1.1 User unknown", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "554 5.7.1 Relay access denied", Cause.RELAY_DENIED, RCPNT, NEVER),
    Sample(RCPT, "501 Error: Bad recipient address syntax", Cause.INVALID_ADDRESS, RCPNT, NEVER),
    Sample(RCPT, "553 5.1.3 Error: malformed address", Cause.INVALID_ADDRESS, RCPNT, NEVER),
    # smtp-sink, recorded
    Sample(RCPT, "450 4.3.0 Error: command failed", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    # Providers' documentation: Mimecast, MailChannels, IBM z/OS, Zoho
    Sample(RCPT, "550 Open relay not allowed", Cause.RELAY_DENIED, RCPNT, NEVER),
    # This recipient's rules differ from the first one's: it is taken in a message of its own.
    Sample(RCPT, "452 4.5.3 Recipient policy mismatch", Cause.TOO_MANY_RECIPIENTS, RCPNT, NOW),
    # RFC 5321 §4.5.3.1.10: 552 at RCPT means what 452 means
    Sample(RCPT, "552 Too many recipients", Cause.TOO_MANY_RECIPIENTS, RCPNT, NOW),
    Sample(RCPT, "550 5.1.1 <bob@example.test> User unknown", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    # RFC 5321 §4.2.3
    Sample(RCPT, "450 Requested mail action not taken: mailbox unavailable", Cause.MAILBOX_UNAVAILABLE, RCPNT, HOURS),
    Sample(RCPT, "550 Requested action not taken: mailbox unavailable", Cause.MAILBOX_UNAVAILABLE, RCPNT, NEVER),
    Sample(RCPT, "552 Requested mail action aborted: exceeded storage allocation", Cause.MAILBOX_FULL, RCPNT, NEVER),
    Sample(RCPT, "553 Requested action not taken: mailbox name not allowed", Cause.INVALID_ADDRESS, RCPNT, NEVER),
]

CONTENT: Final[list[Sample]] = [
    # Size. Postfix 3.7, Exim 4.96, OpenSMTPD 7.4, Dovecot 2.3, Sendmail 8.17, recorded
    Sample(MAIL, "552 5.3.4 Message size exceeds fixed limit", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    Sample(MAIL, "552 5.3.4 Message size exceeds file system imposed limit", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    Sample(END, "552 5.3.4 Error: message file too big", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    Sample(MAIL, "552 Message size exceeds maximum permitted", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    Sample(END, "552 Message size exceeds maximum permitted", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    Sample(END, "554 5.3.4 Message too big for system: Transaction failed, message too big", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    Sample(MAIL, "552 5.2.3 Message size exceeds administrative limit", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    Sample(END, "552 5.2.3 Message size exceeds administrative limit", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    Sample(MAIL, "552 5.2.3 Message size exceeds fixed maximum message size (1048576)", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    Sample(MAIL, "552 5.2.3 Message size exceeds maximum value", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    Sample(END, "552 5.2.3 Message exceeds maximum fixed size (1048576)", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    # Courier 1.0, qpsmtpd 0.94, Haraka 3.3, smtp-server 3.21, maildev 3.0, aiosmtpd 1.4, recorded
    Sample(MAIL, "534 SIZE=Message too big.", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    Sample(END, "523 Message length (1048649 bytes) exceeds administrative limit(1048576).", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    # One line of 200000 octets brought this about, but the words are about a size.
    Sample(END, "534 Message header size exceeds policy limit.", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    Sample(END, "552 Message too big!", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    Sample(MAIL, "550 Message too big!", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    Sample(END, "550 Message too big!", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    Sample(MAIL, "552 Error: message exceeds fixed maximum message size 1048576", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    Sample(END, "552 5.3.4 Error: message exceeds fixed maximum message size", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    Sample(END, "552 Message exceeds maximum allowed size", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    Sample(MAIL, "552 Error: message size exceeds fixed maximum message size", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    Sample(END, "552 Error: Too much mail data", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    # Judged. Seven servers alike, and qpsmtpd 0.94 with the code of a size, recorded
    Sample(END, "550 5.7.1 content refused by policy", Cause.CONTENT_REJECTED, MSG, NEVER),
    Sample(END, "552 content refused by policy", Cause.CONTENT_REJECTED, MSG, NEVER),
    # Providers' documentation and published bounces
    Sample(END, "552 5.7.1 virus Win.Test.EICAR_HDB-1 detected by Zoho Mail.", Cause.CONTENT_REJECTED, MSG, NEVER),
    Sample(END, "550 5.7.1 Message rejected", Cause.CONTENT_REJECTED, MSG, NEVER),
    Sample(END, "550 5.7.1 [IB_FEB] Your message could not be delivered because it contained an attachment type that is not allowed", Cause.CONTENT_REJECTED, MSG, NEVER),
    # reliability notes: x.7.1 at the dot, with a word that settles it
    Sample(END, "554 5.7.1 Message rejected as spam", Cause.CONTENT_REJECTED, MSG, NEVER),
    # Malformed. Postfix 3.7 with smtpd_forbid_bare_newline=reject, recorded
    Sample(END, "550 5.5.2 mx.example.test Error: bare <LF> received", Cause.CONTENT_MALFORMED, MSG, NEVER),
    # OpenSMTPD 7.4 and aiosmtpd 1.4, recorded
    Sample(END, "500 5.0.0 Line too long", Cause.CONTENT_MALFORMED, MSG, NEVER),
    Sample(END, "500 Line too long (see RFC5321 4.5.3.1.6)", Cause.CONTENT_MALFORMED, MSG, NEVER),
    # Sendmail 8.17, recorded. The digit lies: the same octets are refused every time.
    Sample(END, "421 4.5.0 Bare linefeed (LF) not allowed", Cause.CONTENT_MALFORMED, MSG, NEVER),
    Sample(END, "421 4.5.0 Bare carriage return (CR) not allowed", Cause.CONTENT_MALFORMED, MSG, NEVER),
    Sample(END, "554 5.6.1 NUL byte not allowed", Cause.CONTENT_MALFORMED, MSG, NEVER),
    # qpsmtpd 0.94 and Haraka 3.3, recorded. Likewise; one says why only in the page's name.
    Sample(END, "421 See http://smtpd.develooper.com/barelf.html", Cause.CONTENT_MALFORMED, MSG, NEVER),
    Sample(END, "451 Bare line-feed; see https://haraka.github.io/barelf/", Cause.CONTENT_MALFORMED, MSG, NEVER),
    # RFC 5321 §4.2.3
    Sample(END, "451 Requested action aborted: local error in processing", Cause.TEMPORARY_FAILURE, MSG, MINUTES),
]

EXTENSIONS: Final[list[Sample]] = [
    # BODY=, SMTPUTF8 and other parameters of MAIL and RCPT, recorded:
    # Postfix 3.7
    Sample(MAIL, "555 5.5.4 Unsupported option: BODY=BINARYMIME", Cause.EXTENSION_MISSING, MSG, NEVER),
    Sample(MAIL, "555 5.5.4 Unsupported option: FOO=BAR", Cause.EXTENSION_MISSING, MSG, NEVER),
    # Exim 4.96: the value is one of RFC 3030, which it lacks
    Sample(MAIL, "501 invalid data for BODY", Cause.EXTENSION_MISSING, MSG, NEVER),
    # OpenSMTPD 7.4: the code of a wrong sequence, and the words of a missing extension
    Sample(MAIL, "503 5.5.4 Invalid command arguments: Unsupported option BODY=BINARYMIME", Cause.EXTENSION_MISSING, MSG, NEVER),
    Sample(MAIL, "503 5.5.4 Invalid command arguments: Unsupported option SMTPUTF8", Cause.EXTENSION_MISSING, MSG, NEVER),
    Sample(RCPT, "503 Unsupported option FOO=BAR", Cause.EXTENSION_MISSING, MSG, NEVER),
    # Dovecot 2.3 submission
    Sample(MAIL, "555 5.5.4 Unsupported parameters", Cause.EXTENSION_MISSING, MSG, NEVER),
    Sample(RCPT, "555 5.5.4 Unsupported parameters", Cause.EXTENSION_MISSING, MSG, NEVER),
    Sample(MAIL, "555 5.5.4 Unsupported mail BODY type", Cause.EXTENSION_MISSING, MSG, NEVER),
    # Sendmail 8.17
    Sample(MAIL, "555 5.5.4 SMTPUTF8 parameter unrecognized", Cause.EXTENSION_MISSING, MSG, NEVER),
    Sample(MAIL, "501 5.5.4 Unknown BODY type BINARYMIME", Cause.EXTENSION_MISSING, MSG, NEVER),
    # smtp-server 3.21 and aiosmtpd 1.4
    Sample(MAIL, "501 Invalid BODY parameter value. Must be 7BIT or 8BITMIME", Cause.EXTENSION_MISSING, MSG, NEVER),
    Sample(MAIL, "501 Error: BODY can only be one of 7BIT, 8BITMIME", Cause.EXTENSION_MISSING, MSG, NEVER),
    Sample(MAIL, "555 MAIL FROM parameters not recognized or not implemented", Cause.EXTENSION_MISSING, MSG, NEVER),
    Sample(RCPT, "555 RCPT TO parameters not recognized or not implemented", Cause.EXTENSION_MISSING, MSG, NEVER),
    # NOTIFY= is known, its value is not: what was said is wrong, not what the server lacks
    Sample(RCPT, "501 5.5.4 Error: Bad NOTIFY parameter syntax", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(RCPT, "501 Invalid value for NOTIFY parameter", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(RCPT, "553 NOTIFY option NEVER cannot be combined with other options", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(RCPT, "501 5.5.4 Invalid NOTIFY= parameter value", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(RCPT, "555 5.5.4 Invalid NOTIFY= parameter value", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(RCPT, '501 5.5.4 Bad argument "BOGUS"  to NOTIFY', Cause.COMMAND_REJECTED, CONN, NEVER),
]

PROTOCOL: Final[list[Sample]] = [
    # Postfix 3.7 and its postscreen, recorded
    Sample(EHLO, "500 5.5.2 Error: command not recognized", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "503 5.5.1 Error: send HELO/EHLO first", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "501 5.5.4 Syntax: MAIL FROM:<address>", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "503 5.5.1 Error: nested MAIL command", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(RCPT, "503 5.5.1 Error: need MAIL command", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(DATA, "503 5.5.1 Error: need RCPT command", Cause.COMMAND_REJECTED, CONN, NEVER),
    # DATA, where every recipient was refused before: a wrong sequence, as x.5.1 says.
    Sample(DATA, "554 5.5.1 Error: no valid recipients", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(DATA, "503 5.5.0 <DATA>: Data command rejected: Improper use of SMTP command pipelining", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "554 5.5.0 Error: SMTP protocol synchronization", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(GREETING, "521 5.5.1 Protocol error", Cause.COMMAND_REJECTED, CONN, NEVER),
    # Exim 4.96, recorded
    Sample(MAIL, "503 HELO or EHLO required", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "503 sender already given", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "500 unrecognized command", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(RCPT, "503 sender not yet given", Cause.COMMAND_REJECTED, CONN, NEVER),
    # 501 at RCPT, and yet not about the address.
    Sample(RCPT, "501 Too many syntax or protocol errors", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(DATA, "503 valid RCPT command must precede DATA", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(DATA, "503 Valid RCPT command must precede DATA", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(DATA, "503-All RCPT commands were rejected with this error:\r\n503-503 sender not yet given\r\n503 valid RCPT command must precede DATA", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(DATA, "554 SMTP synchronization error", Cause.COMMAND_REJECTED, CONN, NEVER),
    # OpenSMTPD 7.4, recorded
    Sample(EHLO, "503 5.5.1 Invalid command: Already identified", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "500 5.5.1 Invalid command: Pipelining not supported", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "500 5.5.1 Invalid command: Command unrecognized", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(RCPT, "500 5.5.1 Invalid command: Pipelining not supported", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(RCPT, "503 5.5.1 Invalid command: Command not allowed at this point.", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(DATA, "503 5.5.4 Invalid command arguments: No recipient specified", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(RCPT, "500 5.0.0 Command line too long", Cause.COMMAND_REJECTED, CONN, NEVER),
    # Dovecot 2.3 submission, recorded
    Sample(MAIL, "503 5.5.0 MAIL already given", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "501 5.5.4 Invalid parameters", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(RCPT, "503 5.5.0 MAIL needed first", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(RCPT, "500 5.5.2 Line too long", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(DATA, "554 5.5.0 No valid recipients", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "421 4.7.0 dovecot.example.test Too many invalid commands.", Cause.COMMAND_REJECTED, CONN, MINUTES),
    # Sendmail 8.17, recorded
    Sample(EHLO, "554 5.5.0 SMTP protocol error", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(DATA, "554 5.5.0 SMTP protocol error", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "550 5.0.0 Command rejected", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(RCPT, "550 5.0.0 Command rejected", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "503 5.5.0 Sender already specified", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, '501 5.5.2 Syntax error in parameters scanning "FROM"', Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(RCPT, "503 5.0.0 Need MAIL before RCPT", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(DATA, "503 5.0.0 Need MAIL command", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(DATA, "503 5.0.0 Need RCPT (recipient)", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "421 4.7.0 sendmail.example.test Too many bad commands; closing connection", Cause.COMMAND_REJECTED, CONN, MINUTES),
    Sample(RCPT, "421 4.7.0 sendmail.example.test Command too long, possible attack localhost [127.0.0.1]", Cause.COMMAND_REJECTED, CONN, MINUTES),
    # Courier 1.0, recorded: the same words for everything
    Sample(EHLO, "502 ESMTP command error", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "502 ESMTP command error", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "502 Polite people say HELO first", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "554 Syntax error - your mail software violates RFC 821.", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(RCPT, "502 ESMTP command error", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(DATA, "502 ESMTP command error", Cause.COMMAND_REJECTED, CONN, NEVER),
    # qpsmtpd 0.94, recorded
    Sample(GREETING, "550 Connecting host started transmitting before SMTP greeting", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(EHLO, "503 but you already said HELO ...", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "503 please say hello first ...", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "501 Syntax error in command", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "501 could not parse your mail from command", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(RCPT, "503 Use MAIL before RCPT", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(DATA, "503 MAIL first", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(DATA, "503 RCPT first", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "521 Closing connection, 10 unrecognized commands. Perhaps you should read RFC 2821?", Cause.COMMAND_REJECTED, CONN, NEVER),
    # Haraka 3.3, recorded
    Sample(MAIL, "503 Use EHLO/HELO before MAIL", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "501 Error: Invalid format of mail command: missing FROM: prefix", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(DATA, "503 MAIL required first", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(DATA, "503 RCPT required first", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(AUTH, "521 Command line too long", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    # smtp-server 3.21, maildev 3.0 and aiosmtpd 1.4, recorded
    Sample(GREETING, "421 node.example.test You talk too soon", Cause.COMMAND_REJECTED, CONN, MINUTES),
    Sample(EHLO, "500 Error: command not recognized", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "503 Error: send HELO/EHLO first", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "503 Error: nested MAIL command", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "421 Error: too many unrecognized commands", Cause.COMMAND_REJECTED, CONN, MINUTES),
    Sample(MAIL, "503 Error: send HELO first", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "501 Syntax: MAIL FROM: <address> [SP <mail-parameters>]", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(RCPT, "503 Error: need MAIL command", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(DATA, "503 Error: need RCPT command", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "502 5.5.1 Too many unrecognized commands, goodbye.", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(AUTH, "421 Error: Command line too long", Cause.AUTHENTICATION_UNAVAILABLE, ACCT, NEVER),
    # smtp-sink, recorded
    Sample(RCPT, "500 5.3.0 Error: command failed", Cause.COMMAND_REJECTED, CONN, NEVER),
    # AUTH with what is no Base64: Exim 4.96, Dovecot 2.3, Sendmail 8.17, aiosmtpd 1.4, recorded.
    # The command was wrong, whatever the password is.
    Sample(AUTH, "501 Invalid base64 data", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(AUTH, "501 5.5.2 Invalid base64 data in initial response", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(AUTH, "501 5.5.4 cannot BASE64 decode '!!!notbase64'", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(AUTH, "501 5.5.2 Can't decode base64", Cause.COMMAND_REJECTED, CONN, NEVER),
    # RFC 5321 §4.2.3
    Sample(EHLO, "500 Syntax error, command unrecognized", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(EHLO, "502 Command not implemented", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(MAIL, "501 Syntax error in parameters or arguments", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(DATA, "503 Bad sequence of commands", Cause.COMMAND_REJECTED, CONN, NEVER),
]

GMAIL: Final[list[Sample]] = [
    # reliability notes: published sessions
    Sample(AUTH, "535-5.7.8 Username and Password not accepted. For more information, go to\r\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials abc123-20020a05600c0000b.4 - gsmtp", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    Sample(AUTH, "534-5.7.9 Application-specific password required. For more information, go to\r\n534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor abc123-20020a05600c0000b.4 - gsmtp", Cause.APP_PASSWORD_REQUIRED, ACCT, NEVER),
    Sample(MAIL, "530-5.7.0 Authentication Required. For more information, go to\r\n530 5.7.0  https://support.google.com/mail/?p=WantAuthError abc123-20020a05600c0000b.4 - gsmtp", Cause.AUTHENTICATION_REQUIRED, ACCT, NEVER),
    Sample(AUTH, "454 4.7.0 Too many login attempts, please try again later. abc123-20020a05600c0000b.4 - gsmtp", Cause.TOO_MANY_LOGINS, ACCT, MINUTES),
    Sample(AUTH, "454-4.7.0 Too many login attempts, please try again later. For more information,\r\n454 4.7.0  go to https://support.google.com/mail/answer/7126229 abc123-20020a05600c0000b.4 - gsmtp", Cause.TOO_MANY_LOGINS, ACCT, MINUTES),
    # The digit lies: a day's allowance comes back within the day.
    Sample(END, "550-5.4.5 Daily user sending limit exceeded. For more information on Gmail\r\n550-5.4.5 sending limits go to\r\n550 5.4.5  https://support.google.com/a/answer/166852 abc123-20020a05600c0000b.4 - gsmtp", Cause.QUOTA_EXCEEDED, ACCT, HOURS),
    Sample(DATA, "550-5.7.1 Daily SMTP relay limit exceeded for customer. For more information on\r\n550-5.7.1 SMTP relay sending limits please contact your administrator or visit\r\n550 5.7.1  https://support.google.com/a/answer/6140680#dailylimit abc123-20020a05600c0000b.4 - gsmtp", Cause.QUOTA_EXCEEDED, ACCT, HOURS),
    Sample(RCPT, "550-5.1.1 The email account that you tried to reach does not exist. Please try\r\n550 5.1.1 double-checking the recipient's email address. - gsmtp", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    # reliability notes: Gmail's list of SMTP errors, and copies of it
    Sample(AUTH, "454 4.7.0 Cannot authenticate due to temporary system problem. Try again later.", Cause.AUTHENTICATION_TEMPORARY, ACCT, MINUTES),
    Sample(END, "550 5.4.5 Daily sending quota exceeded.", Cause.QUOTA_EXCEEDED, ACCT, HOURS),
    # The words ask for a visit to the web site, which unblocks.
    Sample(AUTH, "534 5.7.14 Please log in through your web browser and then try again.", Cause.ACCOUNT_BLOCKED, ACCT, NEVER),
    # The page says: "usually indicates a Denial of Service (DoS) for the SMTP relay at the HELO
    # stage", that is, too much from here. The words alone say no more than a 421 does.
    Sample(EHLO, "421 4.7.0 Try again later, closing connection.", Cause.RATE_LIMITED, CONN, MINUTES, "gmail"),
    Sample(EHLO, "421 4.7.0 Try again later, closing connection.", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    Sample(MAIL, "421-4.7.0 Our system has detected an unusual rate of unsolicited mail originating\r\n421-4.7.0 from your IP address. To protect our users from spam, mail sent from your\r\n421 4.7.0 IP address has been temporarily blocked.", Cause.POOR_REPUTATION, ACCT, HOURS),
    # Two that say 421 and are settled by nothing but a change of settings.
    Sample(RCPT, "421 4.7.0 IP not in whitelist for RCPT domain, closing connection.", Cause.CLIENT_ADDRESS_REFUSED, RCPNT, NEVER),
    Sample(RCPT, "421 4.7.0 TLS required for RCPT domain, closing connection.", Cause.TLS_REQUIRED, RCPNT, NEVER),
    Sample(MAIL, "421 4.3.0 Temporary System Problem. Try again later", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    Sample(MAIL, "421 4.4.5 Server busy, try again later.", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    # The first is about one mailbox, the second about the sending organisation.
    Sample(RCPT, "450 4.2.1 The user you are trying to contact is receiving mail too quickly. Please resend your message at a later time.", Cause.RATE_LIMITED, RCPNT, MINUTES),
    Sample(MAIL, "450 4.2.1 Peak SMTP relay limit exceeded for customer. This is a temporary error.", Cause.RATE_LIMITED, ACCT, MINUTES),
    Sample(END, "451 4.3.0 Mail server temporarily rejected message.", Cause.TEMPORARY_FAILURE, MSG, MINUTES),
    Sample(MAIL, "451 4.4.2 Timeout - closing connection.", Cause.IDLE_TOO_LONG, CONN, NEWCONN),
    Sample(MAIL, "451 4.5.0 SMTP protocol violation, see RFC 2821.", Cause.COMMAND_REJECTED, CONN, MINUTES),
    Sample(RCPT, "452 4.2.2 The email account that you tried to reach is over quota.", Cause.MAILBOX_FULL, RCPNT, HOURS),
    Sample(RCPT, "452 4.5.3 Your message has too many recipients. For more information regarding Google's sending limits, review this article.", Cause.TOO_MANY_RECIPIENTS, RCPNT, NOW),
    # Another transaction is what it asks for, and so the rest goes at once.
    Sample(RCPT, "452 4.5.3 Domain policy size per transaction exceeded, please try this recipient in a separate transaction.", Cause.TOO_MANY_RECIPIENTS, RCPNT, NOW),
    Sample(END, "550 5.7.1 This message violates example.com email policy. - gcdp abc123 - gsmtp", Cause.CONTENT_REJECTED, MSG, NEVER),
    Sample(RCPT, "550 5.2.1 The email account that you tried to reach is disabled.", Cause.MAILBOX_UNAVAILABLE, RCPNT, NEVER),
    Sample(END, "552 5.3.4 Your message exceeded Google's message size limits.", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    Sample(END, "554 5.6.0 Mail message is malformed. Not accepted.", Cause.CONTENT_MALFORMED, MSG, NEVER),
    # Published sessions. 555 would be a parameter; the words and the status mean the syntax.
    Sample(MAIL, "555 5.5.2 Syntax error, goodbye. abc123-20020a05600c0000b.4 - gsmtp", Cause.COMMAND_REJECTED, CONN, NEVER),
    Sample(END, "550-5.7.1 [192.0.2.1      12] Our system has detected that this message is\r\n550-5.7.1 likely unsolicited mail. To reduce the amount of spam sent to Gmail,\r\n550 5.7.1 this message has been blocked. abc123 - gsmtp", Cause.CONTENT_REJECTED, MSG, NEVER),
]

MICROSOFT: Final[list[Sample]] = [
    # reliability notes: published sessions and Microsoft's documentation
    Sample(AUTH, "535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [BM1P287CA0015.INDP287.PROD.OUTLOOK.COM]", Cause.OAUTH_REQUIRED, ACCT, NEVER),
    Sample(AUTH, "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information. [MN2PR05CA0004.namprd05.prod.outlook.com 2023-09-12T20:59:57.214Z 08DBB276B7E699C4]", Cause.SMTP_AUTH_DISABLED, ACCT, NEVER),
    Sample(AUTH, "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled for more information.", Cause.SMTP_AUTH_DISABLED, ACCT, NEVER),
    Sample(AUTH, "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. Contact your administrator.", Cause.SMTP_AUTH_DISABLED, ACCT, NEVER),
    Sample(AUTH, "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully. Contact your administrator.", Cause.SMTP_AUTH_DISABLED, ACCT, NEVER),
    # The same status once more, for no more than a wrong password.
    Sample(AUTH, "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    Sample(AUTH, "535 5.7.3 Authentication unsuccessful [SN4PR0601CA0002.namprd06.prod.outlook.com]", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    Sample(AUTH, "535 5.7.3 Authentication unsuccessful", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    Sample(AUTH, "550 5.7.30 Basic authentication is not supported for Client Submission.", Cause.OAUTH_REQUIRED, ACCT, NEVER),
    Sample(MAIL, "530 5.7.57 Client not authenticated to send mail.", Cause.AUTHENTICATION_REQUIRED, ACCT, NEVER),
    Sample(MAIL, "530 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM [AM6PR0732BE0065.eurprd07.prod.outlook.com]", Cause.AUTHENTICATION_REQUIRED, ACCT, NEVER),
    # The From field is looked at after the dot: the content's stage, the sender's fault.
    Sample(END, "550 5.7.60 SMTP; Client does not have permissions to send as this sender", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(END, "550 5.7.1 Client does not have permissions to send as this sender", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(END, "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process message due to a permanent exception with message Cannot submit message.", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(END, "554 5.2.252 SendAsDenied; alice@example.test not allowed to send as carol@example.test; STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process message due to a permanent exception with message [BeginDiagnosticData]Cannot submit message.", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(DATA, "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information. [Hostname=OS0PR01MB6099.jpnprd01.prod.outlook.com]", Cause.TOO_MANY_CONNECTIONS, ACCT, MINUTES),
    Sample(END, "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information. [Hostname=OS0PR01MB6099.jpnprd01.prod.outlook.com]", Cause.TOO_MANY_CONNECTIONS, ACCT, MINUTES),
    Sample(END, "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded [Hostname=DM5SPR00MB2471.namprd08.prod.outlook.com]", Cause.TOO_MANY_CONNECTIONS, ACCT, MINUTES),
    # One word differs: this one is about a mailbox that gets too much at a time.
    Sample(END, "432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded", Cause.RATE_LIMITED, RCPNT, MINUTES),
    Sample(EHLO, "501 5.5.4 Invalid domain name", Cause.CLIENT_NAME_REFUSED, CONN, NEVER),
    Sample(RCPT, "550 5.1.10 RESOLVER.ADR.RecipientNotFound", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    # Microsoft's documentation. The digit lies in both: the allowance is one of 24 hours.
    Sample(END, "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException", Cause.QUOTA_EXCEEDED, ACCT, HOURS),
    Sample(END, "550 5.7.233 - Your message can't be sent because your tenant has exceeded its daily limit for sending email to external recipients (tenant external recipient rate limit).", Cause.QUOTA_EXCEEDED, ACCT, HOURS),
    # "Bad sender" there means an account that was restricted for sending spam.
    Sample(END, "550 5.1.8 Access denied, bad outbound sender AS(42004)", Cause.ACCOUNT_BLOCKED, ACCT, NEVER, "microsoft365"),
    # Outlook.com: since September 2024 the only answer to any password
    Sample(AUTH, "535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [PN0PR01CA0024.INDPRD01.PROD.OUTLOOK.COM 2025-01-26T18:54:30.055Z 08DD3DD7D75D7743]", Cause.OAUTH_REQUIRED, ACCT, NEVER, "outlook.com"),
]

SES: Final[list[Sample]] = [
    # reliability notes: Amazon SES documentation
    Sample(GREETING, "421 Too many concurrent SMTP connections", Cause.TOO_MANY_CONNECTIONS, ACCT, MINUTES),
    Sample(END, "451 Temporary service failure", Cause.TEMPORARY_FAILURE, MSG, MINUTES),
    # "The amount of time between requests to the SMTP server exceeded, so the server closed"
    Sample(DATA, "451 Timeout waiting for data from client", Cause.IDLE_TOO_LONG, CONN, NEWCONN),
    Sample(END, "454 Throttling failure: Maximum sending rate exceeded", Cause.RATE_LIMITED, ACCT, MINUTES),
    # Said with the code of a passing trouble, and lasts for the rest of the 24 hours.
    Sample(END, "454 Throttling failure: Daily message quota exceeded", Cause.QUOTA_EXCEEDED, ACCT, HOURS),
    Sample(MAIL, "530 Authentication required", Cause.AUTHENTICATION_REQUIRED, ACCT, NEVER),
    Sample(AUTH, "535 Authentication Credentials Invalid", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    Sample(END, "554 Access denied: User `arn:aws:iam::123456789012:user/alice' is not authorized to perform `ses:SendRawEmail' on resource `arn:aws:ses:us-east-1:123456789012:identity/example.test'", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    # In the sandbox it may be the recipient; as a rule it is the sender.
    Sample(END, "554 Message rejected: Email address is not verified. The following identities failed the check in region US-WEST-2: alice@example.test", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(END, "554 Message rejected: Sending paused for this account.", Cause.ACCOUNT_BLOCKED, ACCT, NEVER),
]

SENDGRID: Final[list[Sample]] = [
    # reliability notes: Twilio SendGrid documentation. None of the first three digits helps:
    # an address is verified by somebody, credits come with the day or the plan, an hour passes.
    Sample(MAIL, "403 You are not authorized to send from that email address", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(AUTH, "451 Authentication failed: Maximum credits exceeded", Cause.QUOTA_EXCEEDED, ACCT, HOURS),
    # Not too many for one message: too many since the hour began.
    Sample(RCPT, "452 Too many recipients received this hour (throttled)", Cause.RATE_LIMITED, ACCT, HOURS),
    # How often, not how many at a time.
    Sample(MAIL, "450 too frequent connects from 198.37.147.135, please try again later.", Cause.RATE_LIMITED, ACCT, MINUTES),
    # Published sessions
    Sample(END, "550 The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved.", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
]

ZOHO: Final[list[Sample]] = [
    # reliability notes: Zoho Mail's and ZeptoMail's documentation, Zoho's forum
    Sample(AUTH, "535 Authentication Failed", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    Sample(AUTH, "535 Authentication Failed.", Cause.BAD_CREDENTIALS, ACCT, NEVER),
    # "as": it is the sender's address that Zoho relays nothing for.
    Sample(END, "553 Relaying disallowed as alice@example.test", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(END, "552 Relaying disallowed as <alice@example.test>.", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    # Without it, only who knows Zoho can tell; at RCPT, from anybody else, it means the recipient.
    Sample(END, "553 Relaying disallowed", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER, "zoho"),
    Sample(RCPT, "553 Relaying disallowed", Cause.RELAY_DENIED, RCPNT, NEVER),
    # Zoho's forum: the user has to unblock the account at the web site; no waiting helps.
    Sample(END, "550 5.4.6 Unusual sending activity detected.", Cause.ACCOUNT_BLOCKED, ACCT, NEVER, "zoho"),
    # The status of a sender's domain, at a stage where no sender has been named.
    Sample(AUTH, "554 5.1.8 Sender Address Blocked", Cause.ACCOUNT_BLOCKED, ACCT, NEVER, "zoho"),
    Sample(AUTH, "554 5.1.8 Email Outgoing Blocked", Cause.ACCOUNT_BLOCKED, ACCT, NEVER),
]

OTHER_PROVIDERS: Final[list[Sample]] = [
    # reliability notes: Yahoo, published sessions. The first try already says this, where the
    # account's own password was given.
    Sample(AUTH, "535 5.7.0 (#AUTH005) Too many bad auth attempts.", Cause.APP_PASSWORD_REQUIRED, ACCT, NEVER, "yahoo"),
    Sample(MAIL, "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes", Cause.POOR_REPUTATION, ACCT, HOURS),
    # IONOS's documentation. The first line is RFC 5321's for any 450; the allowance is an hour's.
    Sample(END, "450-Requested mail action not taken: mailbox unavailable\r\n450 Mail send limit exceeded.", Cause.QUOTA_EXCEEDED, ACCT, HOURS),
    Sample(MAIL, "450 Mail send limit exceeded.", Cause.QUOTA_EXCEEDED, ACCT, HOURS),
    # MailerSend's documentation: what its API would refuse, in the API's words, is refused with
    # 450, and for good.
    Sample(END, "450 The given data was invalid. You must provide one of html, text or template_id.", Cause.CONTENT_MALFORMED, MSG, NEVER, "mailersend"),
    Sample(END, "450 The from.email domain must be verified in your account to send emails. #MS42207", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER, "mailersend"),
    # Emailit's documentation: both at MAIL, where 4.5.3 cannot mean a message's recipients
    Sample(MAIL, "452 4.4.5 Messages per second limit exceeded", Cause.RATE_LIMITED, ACCT, MINUTES),
    Sample(MAIL, "452 4.5.3 Daily message limit exceeded", Cause.QUOTA_EXCEEDED, ACCT, HOURS),
    # ... and its status with words of ours: elsewhere x.4.5 means a busy system
    Sample(MAIL, "452 4.4.5 Limit exceeded", Cause.RATE_LIMITED, ACCT, MINUTES, "emailit"),
    Sample(RCPT, "452 4.5.3 Too many recipients", Cause.TOO_MANY_RECIPIENTS, RCPNT, NOW, "emailit"),
]

UNEXPLAINED: Final[list[Sample]] = [
    # Words that say no more than that it failed
    Sample(MAIL, "550 Requested action not taken", Cause.UNKNOWN, SENDER, NEVER),
    Sample(RCPT, "550 Requested action not taken", Cause.UNKNOWN, RCPNT, NEVER),
    Sample(END, "550 Requested action not taken", Cause.UNKNOWN, MSG, NEVER),
    Sample(END, "554 Transaction failed", Cause.UNKNOWN, MSG, NEVER),
    Sample(DATA, "554 Transaction failed", Cause.UNKNOWN, MSG, NEVER),
    Sample(MAIL, "550 5.0.0", Cause.UNKNOWN, SENDER, NEVER),
    Sample(RCPT, "550 5.0.0", Cause.UNKNOWN, RCPNT, NEVER),
    Sample(END, "451 4.0.0 hiccup", Cause.TEMPORARY_FAILURE, MSG, MINUTES),
    Sample(DATA, "451 4.0.0 hiccup", Cause.TEMPORARY_FAILURE, MSG, MINUTES),
    # Made up, in no language or in one that no rule reads
    Sample(GREETING, "550 xyzzy", Cause.UNKNOWN, CONN, NEVER),
    Sample(GREETING, "450 Nej tack", Cause.TEMPORARY_FAILURE, CONN, MINUTES),
    Sample(EHLO, "550 plugh", Cause.UNKNOWN, CONN, NEVER),
    Sample(EHLO, "451 Qapla'", Cause.TEMPORARY_FAILURE, CONN, MINUTES),
    Sample(AUTH, "550 xyzzy", Cause.UNKNOWN, ACCT, NEVER),
    Sample(AUTH, "451 plugh", Cause.AUTHENTICATION_TEMPORARY, ACCT, MINUTES),
    Sample(MAIL, "451 Dol guldur", Cause.TEMPORARY_FAILURE, MSG, MINUTES),
    Sample(RCPT, "550 xyzzy", Cause.UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 Ĉi tio ne eblas", Cause.UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "450 4.0.0 受け付けできません", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    Sample(END, "554 Computer says no", Cause.UNKNOWN, MSG, NEVER),
    # smtp-sink, recorded: said to anything, and so about nothing
    Sample(END, "550 This violates SMTP", Cause.UNKNOWN, MSG, NEVER),
]

FOUND: Final[list[Sample]] = [
    # Quoted in logs, issues and collections of bounces; each was read wrongly once
    Sample(RCPT, "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered. For more information, please visit https://support.google.com/mail/?p=ReceivingRatePerm", Cause.RATE_LIMITED, RCPNT, HOURS),
    Sample(MAIL, "421 4.7.1 [TSS11] All messages from 192.0.2.25 will be permanently deferred; Retrying will NOT succeed. See https://postmaster.yahooinc.com/error-codes", Cause.CLIENT_ADDRESS_REFUSED, CONN, NEVER),
    Sample(MAIL, "421 4.7.1 [TS03] All messages from 192.0.2.25 will be permanently deferred; Retrying will NOT succeed. See http://postmaster.yahoo.com/421-ts03.html", Cause.CLIENT_ADDRESS_REFUSED, CONN, NEVER),
    Sample(RCPT, "550 5.1.1 <kijitora@example.com> - 198.51.100.225 has sent to too many recipients this hour. IB607 <http://x.co/rlbounce>", Cause.QUOTA_EXCEEDED, ACCT, HOURS),
    Sample(RCPT, "452 4.4.5 Insufficient disk space; try again later", Cause.SERVER_STORAGE_FULL, CONN, MINUTES),
    Sample(RCPT, "552 User has too many messages on the server", Cause.MAILBOX_FULL, RCPNT, NEVER),
    Sample(RCPT, "552 5.7.0 Our system detected an illegal attachment on your message. Please visit http://mail.google.com/support/bin/answer.py?answer=6590", Cause.CONTENT_REJECTED, MSG, NEVER),
    Sample(RCPT, "552 <bob@example.org> quota violation for user", Cause.MAILBOX_FULL, RCPNT, NEVER),
    Sample(RCPT, "552 The recipient mailbox has exceeded its disk space limit", Cause.MAILBOX_FULL, RCPNT, NEVER),
    Sample(RCPT, "552 Account is exceeding their quota", Cause.MAILBOX_FULL, RCPNT, NEVER),
    Sample(RCPT, "452 <example@zoho.com> Mailbox delivery restricted by policy error", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    Sample(RCPT, "452 temporary domain failure <example@example.com>", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    Sample(MAIL, "553 5.7.2 [TSS09] All messages from 192.0.2.25 will be permanently deferred; Retrying will NOT succeed. See https://postmaster.yahooinc.com/error-codes", Cause.CLIENT_ADDRESS_REFUSED, CONN, NEVER),
    Sample(RCPT, "450 4.7.1 Service unavailable; client [192.0.2.1] blocked using zen.spamhaus.org", Cause.CLIENT_ADDRESS_REFUSED, CONN, HOURS),
    Sample(RCPT, "450 4.7.1 Client host rejected: cannot find your hostname, [192.0.2.1]", Cause.CLIENT_ADDRESS_REFUSED, CONN, HOURS),
    Sample(RCPT, "450 4.7.1 <host.local>: Helo command rejected: Host not found", Cause.CLIENT_NAME_REFUSED, CONN, HOURS),
    Sample(RCPT, "450 4.7.1 Service unavailable; client [192.0.2.1] blocked using grey.rbl; Greylisting in action, please try again later", Cause.GREYLISTED, RCPNT, MINUTES),
    Sample(GREETING, "421 4.7.1 Service unavailable; Client host [192.0.2.1] blocked using grey.rbl - Rechazo temporal, intentelo mas tarde por favor...Greylisting in action, please try again later", Cause.GREYLISTED, RCPNT, MINUTES),
    Sample(RCPT, "450 4.1.1 <bob@example.org>: Recipient address rejected: User unknown in relay recipient table", Cause.MAILBOX_UNKNOWN, RCPNT, HOURS),
    Sample(RCPT, "450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]", Cause.CLIENT_ADDRESS_REFUSED, CONN, HOURS),
    Sample(MAIL, "454 4.7.1 Service unavailable; Client host [192.0.2.1] blocked using dnsbl.sorbs.net; Currently Sending Spam", Cause.CLIENT_ADDRESS_REFUSED, CONN, HOURS),
    Sample(END, "550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized", Cause.POLICY_REFUSED, RCPNT, NEVER),
    Sample(RCPT, "550 5.7.129 RESOLVER.RST.RestrictedToRecipientsPermission; not authorized", Cause.POLICY_REFUSED, RCPNT, NEVER),
    Sample(END, "554 delivery error: dd Sorry your message to kijitora@example.co.jp cannot be delivered. This account has been disabled or discontinued [#102]. - mta222.mail.neko.example.co.jp", Cause.MAILBOX_UNAVAILABLE, RCPNT, NEVER),
    Sample(RCPT, "550 5.7.23 <bob@example.com>: Recipient address rejected: Message rejected due to: SPF fail - not authorized. Please see http://www.openspf.net/Why?s=mfrom;id=ada@example.org;ip=192.0.2.1;r=bob", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(RCPT, "550-The mail server could not deliver mail to bob@example.com.  The\r\n550-account or domain may not exist, they may be blacklisted, or missing the\r\n550 proper dns entries.", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 5.5.4 ETP208 Your IP 1.2.3.4 is listed by Invaluement. Please see http://www.invaluement.com/research/", Cause.CLIENT_ADDRESS_REFUSED, CONN, NEVER),
    Sample(END, "550 5.7.1 Your email was rejected due to having a domain present in the Spamhaus DBL -- see https://www.spamhaus.org/dbl/", Cause.CONTENT_REJECTED, MSG, NEVER),
    Sample(RCPT, "551 Server access mta.example.org forbidden by invalid RDNS record of your mail server (203.0.113.2).", Cause.CLIENT_ADDRESS_REFUSED, CONN, NEVER),
    Sample(MAIL, "551 Server access mta.example.org forbidden by invalid RDNS record of your mail server (203.0.113.2).", Cause.CLIENT_ADDRESS_REFUSED, CONN, NEVER),
    Sample(MAIL, "554 5.7.1 Reverse DNS failed.", Cause.CLIENT_ADDRESS_REFUSED, CONN, NEVER),
    Sample(END, "550 5.7.1 Blacklisted URL in message. (5). Please visit http://lookup.uribl.com/?domain=example.com", Cause.CONTENT_REJECTED, MSG, NEVER),
    Sample(GREETING, "554 5.7.1 [C14] Missing reverse DNS for 203.0.113.2", Cause.CLIENT_ADDRESS_REFUSED, CONN, NEVER),
    Sample(END, "550 5.7.23 The message was rejected because of Sender Policy Framework violation", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(END, "552 5.7.0 Our system detected an illegal attachment on your message. Please visit http://mail.google.com/support/bin/answer.py?answer=6590 to review our attachment guidelines.", Cause.CONTENT_REJECTED, MSG, NEVER),
    Sample(END, "421 4.7.32 This mail has been rate limited because there is no DMARC alignment", Cause.SENDER_NOT_ALLOWED, SENDER, MINUTES),
    Sample(RCPT, "550 5.7.1 <bob@example.com>: Recipient address rejected: Please see http://www.openspf.net/Why?s=mfrom;id=ada%40example.org;ip=192.0.2.1;r=mx", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(END, "421 4.7.0 [192.0.2.1] Our system has detected that this message is suspicious due to the very low reputation of the sending domain. To best protect our users from spam, the message has been blocked.", Cause.POOR_REPUTATION, ACCT, HOURS),
    Sample(RCPT, "552 5.1.1 Boite du destinataire pleine. Recipient overquota. OFR_417 [417]", Cause.MAILBOX_FULL, RCPNT, NEVER),
    Sample(RCPT, "552 5.1.1 <example@comcast.net> recipient rejected - extended quota violation", Cause.MAILBOX_FULL, RCPNT, NEVER),
    Sample(END, "552 5.2.2 <bob@example.org> Quota exceeded (mailbox for user is full)", Cause.MAILBOX_FULL, RCPNT, NEVER),
    Sample(END, "552 5.2.2 <neko@nyaaan.example.org> Quota exceeded (mailbox for user is full)", Cause.MAILBOX_FULL, RCPNT, NEVER),
    Sample(RCPT, "450 4.7.3 Organization queue quota exceeded. [outlook.com]", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    Sample(RCPT, "553 Message filtered. Refer to the Troubleshooting page at http://www.symanteccloud.com/troubleshooting for more information. (#5.7.1)", Cause.UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 5.7.134 RESOLVER.RST.SenderNotAuthenticatedForMailbox; authentication required", Cause.POLICY_REFUSED, RCPNT, NEVER),
    Sample(RCPT, "550 5.7.1 RESOLVER.RST.AuthRequired; authentication required", Cause.POLICY_REFUSED, RCPNT, NEVER),
    Sample(RCPT, "554 5.7.1 Service unavailable; Sender address [user@example.com] blocked using dbl.spamhaus.org; https://www.spamhaus.org/query/domain/example.com", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(RCPT, "554 5.7.1 <bob@example.com>: Recipient address rejected: Policy Rejection- Quota exceeded", Cause.QUOTA_EXCEEDED, ACCT, HOURS),
    Sample(RCPT, "450 4.7.1 <name@example.com>: Recipient address rejected: Policy Rejection- Quota Exceeded.", Cause.QUOTA_EXCEEDED, ACCT, HOURS),
    Sample(RCPT, "421 4.1.1 <email@example.com>: Recipient address rejected: unverified address: Address verification in progress", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    Sample(RCPT, "553 sorry, your envelope recipient is in my badrcptto list (#5.7.1)", Cause.POLICY_REFUSED, RCPNT, NEVER),
    Sample(GREETING, "554 mx.example.com Your access to this mail system has been rejected due to the sending MTA's poor reputation.", Cause.POOR_REPUTATION, ACCT, NEVER),
    Sample(RCPT, "550-Verification failed for <ada@example.org>\r\n550-The mail server could not deliver mail to ada@example.org.  The account or domain may not exist, they may be blacklisted, or missing the proper dns entries.\r\n550 Sender verify failed", Cause.SENDER_INVALID, SENDER, NEVER),
    Sample(RCPT, "504 5.5.2 <bob>: Recipient address rejected: need fully-qualified address", Cause.INVALID_ADDRESS, RCPNT, NEVER),
    Sample(RCPT, "501 <bob@[192.0.2.9]>: domain literals not allowed", Cause.INVALID_ADDRESS, RCPNT, NEVER),
    Sample(RCPT, "550 5.2.1 <example@prodigy.net>... blank mailhost - invalid address, relay=[192.0.2.1]", Cause.INVALID_ADDRESS, RCPNT, NEVER),
    Sample(RCPT, "550 5.2.1 <EXAMPLE@PRODIGY.NET>... Addressee unknown, relay=[192.0.2.1]", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 5.1.1 <poldi@example.org>: Recipient address rejected: User unknown in relay recipient table", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", Cause.RELAY_DENIED, RCPNT, NEVER),
    Sample(RCPT, "550 5.1.8 Domain of sender address does not exist", Cause.SENDER_INVALID, SENDER, NEVER),
    Sample(END, "550 <ada@example.org>: Reject due to SPF policy. The originating IP of the message is not permitted by the domain owner", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(END, "550 Message was not accepted -- invalid mailbox. Local mailbox example@mail.ru is unavailable: account is disabled", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(END, "550 5.2.1 The email account that you tried to reach is disabled. Learn more at https://support.google.com/mail/?p=DisabledUser - gsmtp", Cause.MAILBOX_UNAVAILABLE, RCPNT, NEVER),
    Sample(END, "552 5.2.2 user quota exceeded (UserSearch)", Cause.MAILBOX_FULL, RCPNT, NEVER),
    Sample(END, "550 <bob@example.com>: Requested mail action aborted: exceeded storage allocation, Quota exceeded", Cause.MAILBOX_FULL, RCPNT, NEVER),
    Sample(RCPT, "554 5.7.1 <bob@example.com>: Recipient address rejected: Email Sending Quota Exceeded", Cause.QUOTA_EXCEEDED, ACCT, HOURS),
    Sample(RCPT, "452 4.7.1 Message count quota exceeded", Cause.QUOTA_EXCEEDED, ACCT, HOURS),
    Sample(RCPT, "450 4.1.1 <bob@example.com>: Recipient address rejected: unverified address: connect to mx.example.com[192.0.2.5]:25: Connection refused", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    Sample(END, "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required", Cause.POLICY_REFUSED, RCPNT, NEVER),
    Sample(RCPT, "550 5.7.1 Service unavailable, MailFrom domain is listed in Spamhaus. To request removal from this list see https://www.spamhaus.org/query/lookup/ (S8002)", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(RCPT, "551 not our customer", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(MAIL, "550 5.7.1 Connections not accepted from servers without a valid sender domain. Fix reverse DNS for 203.0.113.2", Cause.CLIENT_ADDRESS_REFUSED, CONN, NEVER),
    Sample(RCPT, "450 4.7.1 <user@example.com>: Sender address rejected: sorry, max 2 requests per hour.", Cause.RATE_LIMITED, ACCT, MINUTES),
    Sample(RCPT, "553 5.1.8 <ada@nowhere.example>... Domain of sender address ada@nowhere.example does not exist", Cause.SENDER_INVALID, SENDER, NEVER),
    Sample(END, "450 4.1.8 <ada@example.org>: Sender address rejected: Domain not found", Cause.SENDER_INVALID, SENDER, MINUTES),
    Sample(RCPT, "551 5.3.0 Unknown error", Cause.UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "450 4.7.1 <bob@example.org>: Recipient address rejected: Too many recent unknown recipients from 192.0.2.1", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    Sample(RCPT, "551 not our user", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "554 5.5.4 Your IP 192.0.2.1 address has a bad reputation. To unblock visit http://cloud-security.net/unblock", Cause.POOR_REPUTATION, ACCT, NEVER),
    Sample(AUTH, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", Cause.CLIENT_ADDRESS_REFUSED, CONN, NEVER),
    Sample(DATA, "550 5.7.1 message content rejected", Cause.CONTENT_REJECTED, MSG, NEVER),
    Sample(END, "554 rejecting banned content", Cause.CONTENT_REJECTED, MSG, NEVER),
    Sample(END, "554 email rejected due to security policies - MCSpamSignature.sa.2.2", Cause.CONTENT_REJECTED, MSG, NEVER),
    Sample(MAIL, "550 Bad SPF records for [example.org:192.0.2.2], see http://spf.pobox.com/", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(GREETING, "550 192.0.2.222 blocked by ldap:ou=nekochan,dc=example,dc=net Error - Blocked for abuse. See http://example.net/nyaan", Cause.CLIENT_ADDRESS_REFUSED, CONN, NEVER),
    Sample(DATA, "550 5.1.1 <bob@example.org>... User unknown", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(MAIL, "550 Unroutable sender address", Cause.SENDER_INVALID, SENDER, NEVER),
    Sample(DATA, "550 <this-user@kddi.example>: User unknown", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(END, "550 Unknown user kijitora@example.net", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(END, "550 <bob@example.jp>: User unknown", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "553 Invalid recipient kijitora@example.org (Mode: normal)", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 Invalid recipient <email@example.com> (#5.1.1)", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 <kijitora-nyaan@example.co.jp>... User not exist", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 'kijitora@nyaan.example.com' is not a registered gateway user", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "554 delivery error: dd Not a valid recipient - atlas315.free.mail.ne1.yahoo.com", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "554 delivery error: dd example@example.com is no longer valid. [-20] - example.yahoo.com", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 5.5.0 Adresse destinataire invalide. Invalid recipient. LPN007_416", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 5.5.0 Le compte du destinataire est bloque. The recipient account is blocked. LPN007_426", Cause.MAILBOX_UNAVAILABLE, RCPNT, NEVER),
    Sample(RCPT, "550 Mailbox is frozen. See http://mail.i.ua/err/3/", Cause.MAILBOX_UNAVAILABLE, RCPNT, NEVER),
    Sample(RCPT, "550 5.2.0 <example@comcast.net> - Recipient unavailable", Cause.MAILBOX_UNAVAILABLE, RCPNT, NEVER),
    Sample(RCPT, "550 <bob@example.org>: account expired", Cause.MAILBOX_UNAVAILABLE, RCPNT, NEVER),
    Sample(RCPT, "554 Blocked - see https://ipcheck.proofpoint.com/?ip=1.2.3.4", Cause.CLIENT_ADDRESS_REFUSED, CONN, NEVER),
    Sample(RCPT, "550 5.7.0 Blocked - see https://ipcheck.proofpoint.com/?ip=1.2.3.4", Cause.CLIENT_ADDRESS_REFUSED, CONN, NEVER),
    Sample(RCPT, "554 resimta-po-11v.sys.comcast.net 1.2.3.4 found on one or more DNSBLs, see http://postmaster.comcast.net/smtp-error-codes.php#BL000010", Cause.CLIENT_ADDRESS_REFUSED, CONN, NEVER),
    Sample(RCPT, "550 csi.mimecast.org Poor Reputation Sender. - https://community.mimecast.com/docs/DOC-1369#550", Cause.POOR_REPUTATION, ACCT, NEVER),
    Sample(RCPT, "550 SPF-check failed: 550 example.com doesn't allow sending mails from 192.0.2.1", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(RCPT, "550 <example@example.com>: Invalid DNS MX or A/AAAA resource record", Cause.SENDER_INVALID, SENDER, NEVER),
    Sample(RCPT, "550 Denied by policy", Cause.POLICY_REFUSED, RCPNT, NEVER),
    Sample(RCPT, "550 Mail is rejected by recipients", Cause.POLICY_REFUSED, RCPNT, NEVER),
    Sample(RCPT, "550 Host unknown", Cause.DOMAIN_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 5.4.4 Invalid domain", Cause.DOMAIN_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 Host does not accept mail", Cause.DOMAIN_UNKNOWN, RCPNT, NEVER),
    Sample(MAIL, "550-Requested action not taken: mailbox unavailable\r\n550 invalid DNS MX or A/AAAA resource record", Cause.SENDER_INVALID, SENDER, NEVER),
]

TRAPS: Final[list[Sample]] = [
    # Made up in the form that servers use: words that mean something else where they stand
    Sample(RCPT, "554 5.7.1 Daily limit: too many recipients today, try again tomorrow", Cause.QUOTA_EXCEEDED, ACCT, HOURS),
    Sample(AUTH, "454 4.7.0 Temporary authentication failure: timeout waiting for authentication server", Cause.AUTHENTICATION_TEMPORARY, ACCT, MINUTES),
    Sample(END, "554 5.4.7 Delivery timeout exceeded", Cause.UNKNOWN, MSG, NEVER),
    Sample(END, "451 4.3.0 Content filter timeout exceeded, please try again later", Cause.TEMPORARY_FAILURE, MSG, MINUTES),
    Sample(RCPT, "451 4.4.1 <bob@example.org>: Recipient address rejected: unverified address: conversation timeout waiting for mx.example.org", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    Sample(RCPT, "550 5.1.1 <throttle@example.org>: Recipient address rejected: User unknown in virtual mailbox table", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 5.1.1 <ratelimit@example.org>: Recipient address rejected: User unknown in virtual mailbox table", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 5.1.1 <bob@throttle.example>: User unknown", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "552 Message size exceeds fixed maximum message size", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    Sample(RCPT, "552 #5.3.4 message size exceeds limit", Cause.MESSAGE_TOO_LARGE, MSG, NEVER),
    Sample(MAIL, "550 Too many messages sent today", Cause.QUOTA_EXCEEDED, ACCT, HOURS),
    Sample(MAIL, "550 5.7.1 Too many messages sent by this account", Cause.QUOTA_EXCEEDED, ACCT, HOURS),
    Sample(RCPT, "451 4.2.1 too many messages to this recipient, try later", Cause.RATE_LIMITED, RCPNT, MINUTES),
    Sample(AUTH, "550 5.7.1 Too many authentication failures, IP permanently banned", Cause.CLIENT_ADDRESS_REFUSED, CONN, NEVER),
    Sample(AUTH, "535 5.7.8 Too many failed login attempts, account locked. Contact support", Cause.ACCOUNT_BLOCKED, ACCT, NEVER),
    Sample(RCPT, "450 4.2.1 <bob@example.org> has too many messages, try again later", Cause.MAILBOX_FULL, RCPNT, HOURS),
    Sample(RCPT, "450 too many messages, slow down", Cause.RATE_LIMITED, ACCT, MINUTES),
    Sample(RCPT, "552 <bob@example.org>: Postfach voll", Cause.MAILBOX_FULL, RCPNT, NEVER),
    Sample(RCPT, "552 sorry, this recipient has insufficient disk space (#5.2.2)", Cause.MAILBOX_FULL, RCPNT, NEVER),
    Sample(RCPT, "552 Mailbox limit exeeded for this email address", Cause.MAILBOX_FULL, RCPNT, NEVER),
    Sample(RCPT, "552 user has exceeded his mail storage limit", Cause.MAILBOX_FULL, RCPNT, NEVER),
    Sample(RCPT, "552 5.2.0 Mail rejected: quota", Cause.MAILBOX_FULL, RCPNT, NEVER),
    Sample(RCPT, "452 Postfach ist voll", Cause.MAILBOX_FULL, RCPNT, HOURS),
    Sample(RCPT, "452 4.2.0 Account temporarily unavailable, try again", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    Sample(RCPT, "452 Too many invalid recipients, closing", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    Sample(RCPT, "452 4.3.0 Please try again later", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    Sample(RCPT, "452 4.7.1 Sender temporarily blocked", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    Sample(RCPT, "552 Boite du destinataire pleine. Recipient overquota.", Cause.MAILBOX_FULL, RCPNT, NEVER),
    Sample(AUTH, "535 5.7.8 Too many login attempts, please try again later.", Cause.TOO_MANY_LOGINS, ACCT, MINUTES, "gmail"),
    Sample(END, "451 4.7.24 Message not authenticated: SPF temporary error, try again later", Cause.SENDER_NOT_ALLOWED, SENDER, MINUTES),
    Sample(END, "451 4.3.0 malformed response from content scanner, try again", Cause.TEMPORARY_FAILURE, MSG, MINUTES),
    Sample(END, "421 4.3.0 malformed reply from milter", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    Sample(GREETING, "450 4.3.2 PTR lookup failed temporarily, PTR record could not be queried", Cause.CLIENT_ADDRESS_REFUSED, CONN, HOURS),
    Sample(MAIL, "451 4.7.1 Your message rate exceeds the permitted limit, slow down", Cause.RATE_LIMITED, ACCT, MINUTES),
    Sample(AUTH, "535 5.7.8 Error: authentication failed: Connection lost to authentication server", Cause.AUTHENTICATION_TEMPORARY, ACCT, MINUTES),
    Sample(RCPT, "450 4.2.1 The mailbox has moved to another server, try again shortly", Cause.MAILBOX_UNAVAILABLE, RCPNT, HOURS),
    Sample(RCPT, "451 4.3.0 <bob@example.org>: user not local at present; try again later", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    Sample(RCPT, "421 relay.example.com closing connection", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    Sample(RCPT, "450 4.2.0 smtp-relay.example.net: Try again later", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    Sample(RCPT, "451 4.4.0 Relay attempt failed: connection to next hop timed out", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    Sample(RCPT, "451 Temporary local problem - cannot reach relay host", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    Sample(RCPT, "451 4.7.1 relay-3.mail.example.net: Greylisted, please try again later", Cause.GREYLISTED, RCPNT, MINUTES),
    Sample(RCPT, "451 4.3.0 <bob@relay.example.org>: Temporary lookup failure", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    Sample(RCPT, "421 4.7.0 relay.example.com: Error: too many errors", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    Sample(GREETING, "421 4.7.1 Your IP is temporarily blacklisted, try again in 30 minutes", Cause.CLIENT_ADDRESS_REFUSED, CONN, HOURS),
    Sample(RCPT, "451 4.7.1 Temporarily blacklisted, please try again later", Cause.TEMPORARY_FAILURE, RCPNT, MINUTES),
    Sample(RCPT, "451 4.7.1 Could not query DNSBL, try again later", Cause.CLIENT_ADDRESS_REFUSED, CONN, HOURS),
    Sample(END, "451 4.7.1 Message rate exceeds limit, try again later", Cause.RATE_LIMITED, ACCT, MINUTES),
    Sample(END, "421 4.7.0 Message not authenticated; deferred", Cause.SERVICE_UNAVAILABLE, CONN, MINUTES),
    Sample(END, "451 4.7.5 DKIM key malformed or not available, try again later", Cause.SENDER_NOT_ALLOWED, SENDER, MINUTES),
    Sample(AUTH, "535 Authentication temporarily unavailable", Cause.AUTHENTICATION_TEMPORARY, ACCT, MINUTES),
    Sample(RCPT, "451 4.1.8 Possibly forged hostname; cannot resolve PTR, try later", Cause.CLIENT_ADDRESS_REFUSED, CONN, HOURS),
    Sample(AUTH, "535 5.7.0 Temporary authentication failure, please try again later", Cause.AUTHENTICATION_TEMPORARY, ACCT, MINUTES),
    Sample(END, "452 4.2.2 Message would exceed recipient quota limit", Cause.MAILBOX_FULL, RCPNT, HOURS),
    Sample(RCPT, "550 5.1.1 <smtputf8@example.org>: not here", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(AUTH, "535 5.7.8 Error: authentication failed: account is disabled", Cause.ACCOUNT_BLOCKED, ACCT, NEVER),
    Sample(RCPT, "550 5.7.1 Sender is on the recipient's blacklist", Cause.POLICY_REFUSED, RCPNT, NEVER),
    Sample(RCPT, "553 5.1.2 <bob@exmaple>: Invalid domain name", Cause.DOMAIN_UNKNOWN, RCPNT, NEVER),
    Sample(END, "550 5.7.1 Domain example.org: host 192.0.2.1 is not allowed to send mail (SPF)", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(RCPT, "550 5.1.1 <relay@example.org>: unknown user", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 relay.example.com: user unknown", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 5.1.1 <bob@relay-test.example>: User unknown", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 5.1.1 <dmarc@example.org>: Recipient address rejected: User unknown in virtual mailbox table", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 5.1.1 <dmarc-reports@example.org>... User unknown", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 5.1.1 <blacklist@example.org>: Recipient address rejected: User unknown", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 5.1.1 <bob@spamhaus.example>: User unknown", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 Invalid recipient <notify@example.org> (#5.1.1)", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(END, "550 5.1.1 <spam@example.org>: user unknown", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(END, "550 5.1.1 <policy-team@example.org> unknown", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "450 4.2.2 <greylist@example.org>: mailbox full", Cause.MAILBOX_FULL, RCPNT, HOURS),
    Sample(END, "554 5.4.6 message exceeds maximum hop count", Cause.UNKNOWN, MSG, NEVER),
    Sample(RCPT, "550 5.1.1 Invalid recipient <notify@example.org>", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 Your IP address does not have a valid reverse DNS", Cause.CLIENT_ADDRESS_REFUSED, CONN, NEVER),
    Sample(RCPT, "550 Sender domain does not have an MX record", Cause.SENDER_INVALID, SENDER, NEVER),
    Sample(RCPT, "550 5.7.1 Your domain does not have a SPF record", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(END, "550 5.7.1 Message rejected: SPF check failed (policy -all)", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(RCPT, "550 5.7.1 Sending quota exceeded for user ada@example.org", Cause.QUOTA_EXCEEDED, ACCT, HOURS),
    Sample(END, "554 5.7.1 Message contains a URL listed on a blacklist (multi.surbl.org)", Cause.CONTENT_REJECTED, MSG, NEVER),
    Sample(MAIL, "550 5.7.1 SPF authentication failed", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(MAIL, "550 Sender authentication failure (SPF)", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(RCPT, "501 5.1.3 <bob@>: missing hostname", Cause.INVALID_ADDRESS, RCPNT, NEVER),
    Sample(AUTH, "535 5.7.139 Authentication unsuccessful, the user account is locked", Cause.ACCOUNT_BLOCKED, ACCT, NEVER),
    Sample(AUTH, "535 Authentication failed. Account suspended", Cause.ACCOUNT_BLOCKED, ACCT, NEVER),
    Sample(RCPT, "550 5.7.1 The domain example.org says that 192.0.2.1 is not allowed to send mail on its behalf", Cause.SENDER_NOT_ALLOWED, SENDER, NEVER),
    Sample(RCPT, "550 5.7.1 Too many unknown users from your host", Cause.POLICY_REFUSED, RCPNT, NEVER),
    Sample(AUTH, "535 5.7.8 Authentication failed: SMTP is not enabled for this user", Cause.SMTP_AUTH_DISABLED, ACCT, NEVER),
    Sample(RCPT, "550 5.7.1 Sender address blocked by the recipient", Cause.POLICY_REFUSED, RCPNT, NEVER),
    Sample(RCPT, "554 5.7.1 The server sending your mail [192.0.2.1] does not have a reverse DNS entry. Connection Rejected", Cause.CLIENT_ADDRESS_REFUSED, CONN, NEVER),
    Sample(AUTH, "535 Authentication failed: account locked", Cause.ACCOUNT_BLOCKED, ACCT, NEVER, "zoho"),
    Sample(AUTH, "554 5.7.0 Too many failed logins", Cause.TOO_MANY_LOGINS, ACCT, MINUTES),
    Sample(RCPT, "550 Address unknown", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 Invalid mailbox", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 <bob@example.org> is not a valid mailbox", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 Benutzer unbekannt", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 Empfänger unbekannt", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 Utilisateur inconnu", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 Usuario desconocido", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 Utente sconosciuto", Cause.MAILBOX_UNKNOWN, RCPNT, NEVER),
    Sample(RCPT, "550 account has been suspended", Cause.MAILBOX_UNAVAILABLE, RCPNT, NEVER),
]

# fmt: on

SAMPLES: Final[dict[str, list[Sample]]] = {
    "encryption": ENCRYPTION,
    "account": ACCOUNT,
    "load": LOAD,
    "client": CLIENT,
    "sender": SENDERS,
    "recipient": RECIPIENTS,
    "content": CONTENT,
    "extensions": EXTENSIONS,
    "protocol": PROTOCOL,
    "Gmail": GMAIL,
    "Microsoft": MICROSOFT,
    "Amazon SES": SES,
    "SendGrid": SENDGRID,
    "Zoho": ZOHO,
    "other providers": OTHER_PROVIDERS,
    "unexplained": UNEXPLAINED,
    "found in logs": FOUND,
    "traps": TRAPS,
}
