"""Every field against every kind of bad value: an error of our own, which names the field."""

# ruff: noqa: E501 - a table is read by its rows
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mailsend import (
    Attachment,
    DeliverBy,
    DeliverByMode,
    Endpoint,
    Envelope,
    EnvelopeOptions,
    Limits,
    MailsendError,
    Notify,
    Password,
    Recipient,
    Security,
    SmtpProfile,
    Timeouts,
    TlsOptions,
    compose,
)

PASSWORD = Password("s3cret")
FILE = Attachment(b"x", "x.png")

CONTROL = ["a\rb", "a\nb", "a\r\nb", "a\0b", "a\x0bb", "a\x1bb", "a\x7fb", "a\x85b", "a\u2028b"]
SURROGATE = ["a\ud800b"]
LONG = ["x" * 100_000]
EMPTY = [""]
SPACE = ["a b"]
FOREIGN = ["é"]
NOT_TEXT: list[object] = [5, 2.5, True, b"x", ["x"], {"x": 1}, object()]
NONE: list[object] = [None]
NOT_MANY: list[object] = [5, 2.5, True, object()]
NOT_SECONDS: list[object] = [0, -1, float("nan"), float("inf"), True, "5", b"5", [5], 10**400]
NOT_COUNT: list[object] = [0, -1, 2.5, True, "5", float("inf"), [5]]
NOT_BOOL: list[object] = ["false", "", "no", 0, 1, None, [], b"x"]
NOT_ASKED: list[object] = ["success", "NEVER", 1, 0, True, [], b"x", Notify(0)]
TEXT: list[object] = [*CONTROL, *SURROGATE, *EMPTY, *LONG, *NOT_TEXT]


def profile(**settings: Any) -> SmtpProfile:
    return SmtpProfile(**{"host": "h.example", **settings})


def endpoint(**settings: Any) -> Endpoint:
    return Endpoint(**{"host": "h", "port": 25, "security": Security.STARTTLS, **settings})


def envelope(**settings: Any) -> Envelope:
    return Envelope(**{"reverse_path": None, "recipients": ["b@x.org"], **settings})


def attachment(**settings: Any) -> Attachment:
    return Attachment(**{"content": b"x", "filename": "x.txt", **settings})


def message(**settings: Any) -> object:
    return compose(**{"sender": "a@x.org", "to": "b@x.org", **settings})


Row = tuple[Callable[..., object], str, str, list[object]]

TABLE: list[Row] = [
    (profile, "host", "host", [*TEXT, *NONE, *SPACE, "h:25", "smtp://h", "h.", ".h", "a..b", "é.."]),
    (profile, "port", "port", [-1, 65536, 2.5, True, False, "465", None, b"465", [465], 10**30]),
    (profile, "security", "security", ["tls", "", "a\nb", 5, b"x", [1], "STARTTLS "]),
    (lambda username: profile(username=username, credentials=PASSWORD), "username", "username", TEXT),
    (lambda credentials: profile(username="a", credentials=credentials), "credentials", "credentials",
     ["secret", b"x", 5, ["x"], object()]),
    (profile, "client_name", "client_name", [*TEXT, *SPACE, *FOREIGN, "a_b..c", "[::1", "::1", "h:1",
     "[IPv6:::1%x SIZE=1]", "[]", "[h.example]x", "[IPv6:]"]),
    (profile, "name", "name", TEXT),
    (profile, "timeouts", "timeouts", [5, "5", None, {"connect": 5}]),
    (profile, "tls", "tls", [True, "x", None, {}]),
    (profile, "limits", "limits", [5, None, {}]),
    (profile, "mechanisms", "mechanism", ["a\nb", "NTLM", "é", b"PLAIN", *NOT_MANY, [5], [None]]),
    (profile, "disabled_extensions", "extension", ["a\0b", "é", "A=B", *NOT_MANY, [5], [None]]),
    (profile, "allow_plaintext_credentials", "allow_plaintext_credentials", NOT_BOOL),
    (endpoint, "host", "host", [*TEXT, *NONE, *SPACE]),
    (endpoint, "port", "port", [0, -1, 65536, 2.5, True, "465", None, [465]]),
    (endpoint, "security", "security", ["tls", "", None, 5, [1]]),
    *(
        (Timeouts, name, name, NOT_SECONDS)
        for name in ("connect", "greeting", "tls", "auth", "command", "data", "end_of_data", "quit",
                     "total")
    ),
    *(
        (TlsOptions, name, name, [*CONTROL, *SURROGATE, *EMPTY, 5, True, b"x", ["x"], object()])
        for name in ("ca_file", "client_cert")
    ),
    (lambda client_key: TlsOptions(client_cert="c.pem", client_key=client_key), "client_key",
     "client_key", [*CONTROL, *EMPTY, 5, b"x"]),
    (TlsOptions, "minimum_version", "minimum_version", ["1.1", "TLSv1.2", "", 771.5, None, [1], "a\nb"]),
    (TlsOptions, "pinned_sha256", "pinned_sha256",
     ["", "ab", "g" * 64, "a" * 65, "é" * 64, "a\nb", *NOT_MANY, [5], None]),
    (TlsOptions, "relaxed_x509", "relaxed_x509", NOT_BOOL),
    *(
        (Limits, name, name, NOT_COUNT)
        for name in ("reply_line_octets", "reply_lines", "message_octets", "recipients")
    ),
    (Password, "secret", "password", [*(x for x in TEXT if x != "a\u2028b"), *NONE]),
    (envelope, "reverse_path", "reverse path", [*TEXT, *SPACE]),
    (lambda recipients: envelope(recipients=[recipients]), "recipients", "recipient",
     [*TEXT, *NONE, *SPACE]),
    (envelope, "recipients", "recipient", [*NOT_MANY, None, "b@x.org", b"b@x.org", []]),
    (envelope, "options", "options", ["x", *NOT_MANY, None, {}]),
    (envelope, "requests", "requests", ["x", *NOT_MANY, None, ["b@x.org"]]),
    (Recipient, "address", "recipient", [*TEXT, *NONE, *SPACE]),
    (lambda notify: Recipient("b@x.org", notify=notify), "notify", "notify", NOT_ASKED),
    (lambda original: Recipient("b@x.org", original=original), "original", "original recipient",
     [*TEXT, *SPACE, "b@x.org> NOTIFY=NEVER"]),
    (EnvelopeOptions, "notify", "notify", NOT_ASKED),
    (EnvelopeOptions, "return_content", "return_content", ["full", "", 0, True, b"x", []]),
    (EnvelopeOptions, "envelope_id", "envelope_id", [*TEXT, *FOREIGN]),
    (EnvelopeOptions, "priority", "priority", [-10, 10, 1.0, True, "1", [1]]),
    (EnvelopeOptions, "deliver_by", "deliver_by", [60, "60;R", {}]),
    (EnvelopeOptions, "hold_for", "hold_for", [0, -1, 10**9, 60.0, True, "60", "60\r\nx"]),
    *(
        (EnvelopeOptions, name, name, NOT_BOOL)
        for name in ("require_tls", "dsn_if_offered")
    ),
    (lambda mode: DeliverBy(60, mode), "mode", "mode", ["return", "R", "R\r\nx", 1, None]),
    (lambda trace: DeliverBy(60, DeliverByMode.RETURN, trace), "trace", "trace", NOT_BOOL),
    (attachment, "filename", "name of an attachment",
     [*CONTROL, *SURROGATE, "a\u202eb", *NOT_TEXT, *NONE]),
    (attachment, "filename", "file name", ["", "a/", "/", "\\"]),
    (attachment, "content", "content", ["text", 5, None, ["x"], object()]),
    (attachment, "content_type", "content type",
     [*CONTROL, "", "image", "image/", "/png", "image/png; name=x", "é/x", "x/" + "y" * 200,
      "message/rfc822", "multipart/mixed", *NOT_TEXT]),
    (message, "sender", "sender", [*TEXT, *NONE]),
    *(
        (message, name, name, [*CONTROL, *SURROGATE, *LONG, *EMPTY, 5, True, object(), [5], [None]])
        for name in ("to", "cc", "bcc", "reply_to")
    ),
    (message, "subject", "subject", [*CONTROL, *SURROGATE, *NOT_TEXT, *NONE]),
    (message, "text", "text", ["a\0b", *SURROGATE, *NOT_TEXT]),
    (message, "html", "html", ["a\0b", *SURROGATE, *NOT_TEXT]),
    (message, "attachments", "attachment",
     [["a\nb"], ["a\0b"], [""], [5], [None], [b"x"], "minutes.pdf", *NOT_MANY]),
    (lambda inline: message(html="x", inline={inline: FILE}), "inline", "content id",
     [*CONTROL, *EMPTY, *FOREIGN, *SPACE, "<a>", 5, None, b"x"]),
    (lambda inline: message(html="x", inline={"logo": inline}), "inline", "attachment",
     ["a\nb", 5, None, b"x"]),
    (lambda inline: message(html="x", inline=inline), "inline", "inline", ["logo", 5, [FILE]]),
    (lambda headers: message(headers={headers: "x"}), "headers", "header",
     [*CONTROL, *EMPTY, *FOREIGN, *SPACE, "A:", "To", "bcc", "Resent-To", "Content-Type", 5, None]),
    (lambda headers: message(headers={"X-Test": headers}), "headers", "X-Test",
     [*CONTROL, *SURROGATE, *NOT_TEXT, *NONE]),
    (message, "headers", "headers", ["X: y", 5, [("X", "y")]]),
]  # fmt: skip


def shown(value: object) -> str:
    return "object" if type(value) is object else ascii(value)[:24]


ROWS = [
    pytest.param(make, field, word, value, id=f"{i}-{field}-{shown(value)}")
    for i, (make, field, word, values) in enumerate(TABLE)
    for value in values
]


@pytest.mark.parametrize(("make", "field", "word", "value"), ROWS)
def test_a_bad_value_is_named(
    make: Callable[..., object], field: str, word: str, value: object
) -> None:
    with pytest.raises(MailsendError) as caught:
        make(**{field: value})
    assert isinstance(caught.value, ValueError)
    assert word in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000


def test_a_key_without_its_certificate() -> None:
    with pytest.raises(MailsendError, match="client_key is given without client_cert"):
        TlsOptions(client_key="k.pem")


@pytest.mark.parametrize(
    ("host", "kept"),
    [
        ("smtp.example.org", "smtp.example.org"),
        ("SMTP.Example.org", "SMTP.Example.org"),
        ("mail_1.internal", "mail_1.internal"),
        ("localhost", "localhost"),
        ("192.0.2.1", "192.0.2.1"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("x" * 63 + ".example", "x" * 63 + ".example"),
    ],
)
def test_hosts_that_can_be_connected_to(host: str, kept: str) -> None:
    assert endpoint(host=host).host == kept


@pytest.mark.parametrize(
    "host",
    ["[::1]:465", "h.example:465", "[h]", "[127.0.0.1]", "-h.example", "h-", "x" * 64 + ".org",
     "x." * 127 + "xx", "a/b", "a@b", "1::2::3", "::1%eth0\n", "fe80::1%a\r\nRCPT TO:<e@evil.org>",
     "::1%\0", "::1%a b", "::1%", "smtp.example.org\t"],
)  # fmt: skip
def test_hosts_that_cannot(host: str) -> None:
    with pytest.raises(MailsendError, match="host"):
        endpoint(host=host)


@pytest.mark.parametrize(
    ("host", "text", "loopback"),
    [
        ("h.example", "h.example:25", False),
        ("::1", "[::1]:25", True),
        ("127.8.9.1", "127.8.9.1:25", True),
        ("LOCALHOST", "LOCALHOST:25", True),
        ("localhost.example", "localhost.example:25", False),
        ("10.0.0.1", "10.0.0.1:25", False),
        ("127.0.0.1.example", "127.0.0.1.example:25", False),
    ],
)
def test_endpoints_know_their_name_and_whether_they_are_here(
    host: str, text: str, loopback: bool
) -> None:
    assert str(endpoint(host=host)) == text
    assert endpoint(host=host).is_loopback is loopback
