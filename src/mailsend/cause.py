"""What really happened, what it concerns, when to retry: what a reply code does not answer."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """What a failure concerns, and so what else it would hit.

    ``CONNECTION``: this session or server; ``ACCOUNT``: everything sent with these credentials;
    ``SENDER``: this reverse path; ``MESSAGE``: this content; ``RECIPIENT``: this address.
    """

    CONNECTION = "connection"
    ACCOUNT = "account"
    SENDER = "sender"
    MESSAGE = "message"
    RECIPIENT = "recipient"


class Retry(StrEnum):
    """When the same submission, unchanged, may succeed.

    ``NOW``: at once, on this session; of too many recipients the rest, in another message.
    ``NEW_CONNECTION``: at once, over a new one. ``MINUTES``,
    ``HOURS``: later, waiting longer each time. ``NEVER``: not before somebody changes something.
    """

    NOW = "now"
    NEW_CONNECTION = "new_connection"
    MINUTES = "minutes"
    HOURS = "hours"
    NEVER = "never"


class Cause(StrEnum):
    """What went wrong, as far as the evidence goes. ``UNKNOWN`` is an honest answer.

    Each is explained, with its advice, in ``data/causes.toml`` of this package.
    """

    UNKNOWN = "unknown"

    # the caller's own settings or message
    BAD_CONFIGURATION = "bad_configuration"
    INVALID_MESSAGE = "invalid_message"
    INVALID_ADDRESS = "invalid_address"

    # reaching the server
    NAME_NOT_RESOLVED = "name_not_resolved"
    CONNECTION_REFUSED = "connection_refused"
    UNREACHABLE = "unreachable"
    PORT_BLOCKED = "port_blocked"
    CONNECTION_LOST = "connection_lost"
    TIMED_OUT = "timed_out"
    FORKED = "forked"
    NOT_SMTP = "not_smtp"
    OUT_OF_STEP = "out_of_step"
    SERVICE_UNAVAILABLE = "service_unavailable"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    TOO_MANY_MESSAGES = "too_many_messages"
    IDLE_TOO_LONG = "idle_too_long"
    CLIENT_NAME_REFUSED = "client_name_refused"
    CLIENT_ADDRESS_REFUSED = "client_address_refused"

    # encryption
    TLS_REQUIRED = "tls_required"
    TLS_FAILED = "tls_failed"
    TLS_TOO_OLD = "tls_too_old"
    STARTTLS_UNAVAILABLE = "starttls_unavailable"
    STARTTLS_INJECTION = "starttls_injection"
    WRONG_SECURITY_MODE = "wrong_security_mode"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_NOT_YET_VALID = "certificate_not_yet_valid"
    CERTIFICATE_HOSTNAME_MISMATCH = "certificate_hostname_mismatch"
    CERTIFICATE_UNTRUSTED = "certificate_untrusted"
    CERTIFICATE_NOT_STRICT = "certificate_not_strict"
    CERTIFICATE_PIN_MISMATCH = "certificate_pin_mismatch"
    CLIENT_CERTIFICATE_REQUIRED = "client_certificate_required"

    # the account
    AUTHENTICATION_REQUIRED = "authentication_required"
    AUTHENTICATION_UNAVAILABLE = "authentication_unavailable"
    AUTHENTICATION_TEMPORARY = "authentication_temporary"
    BAD_CREDENTIALS = "bad_credentials"
    APP_PASSWORD_REQUIRED = "app_password_required"  # noqa: S105 - a cause, not a password
    OAUTH_REQUIRED = "oauth_required"
    SMTP_AUTH_DISABLED = "smtp_auth_disabled"
    TOKEN_REFUSED = "token_refused"  # noqa: S105
    TOKEN_UNAVAILABLE = "token_unavailable"  # noqa: S105
    SERVER_NOT_PROVED = "server_not_proved"
    TOO_MANY_LOGINS = "too_many_logins"
    ACCOUNT_BLOCKED = "account_blocked"
    POOR_REPUTATION = "poor_reputation"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXCEEDED = "quota_exceeded"

    # the message and its recipients
    SENDER_NOT_ALLOWED = "sender_not_allowed"
    SENDER_INVALID = "sender_invalid"
    RELAY_DENIED = "relay_denied"
    MAILBOX_UNKNOWN = "mailbox_unknown"
    MAILBOX_UNAVAILABLE = "mailbox_unavailable"
    MAILBOX_FULL = "mailbox_full"
    MAILBOX_MOVED = "mailbox_moved"
    DOMAIN_UNKNOWN = "domain_unknown"
    GREYLISTED = "greylisted"
    TOO_MANY_RECIPIENTS = "too_many_recipients"
    MESSAGE_TOO_LARGE = "message_too_large"
    CONTENT_REJECTED = "content_rejected"
    CONTENT_MALFORMED = "content_malformed"
    POLICY_REFUSED = "policy_refused"
    EXTENSION_MISSING = "extension_missing"
    SERVER_STORAGE_FULL = "server_storage_full"
    TEMPORARY_FAILURE = "temporary_failure"
    COMMAND_REJECTED = "command_rejected"
