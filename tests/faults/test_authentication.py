"""A: AUTH that is not offered, refused, endless, or quotes what it was given."""

from __future__ import annotations

import logging
import traceback

import pytest

from mailsend import (
    AuthenticationError,
    Cause,
    ConfigurationError,
    MailsendError,
    MessageRefused,
    Outcome,
    Password,
    ProtocolViolation,
    RecipientsRefused,
    Scope,
    SenderRefused,
    ServiceUnavailable,
    SmtpProfile,
    Stage,
    open_transport,
)
from mailsend.testing import Answer, Close, Hang
from mailsend.testing import Stage as ScriptStage

from .matrix import (
    ENVELOPE,
    FORMS,
    MODES,
    SECRET,
    SERIAL,
    USER,
    WHOLE,
    Bench,
    Case,
    On,
    content,
    everything,
    everywhere,
    shows_secret,
    table,
)

MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5")
each_mechanism = pytest.mark.parametrize("mechanism", MECHANISMS)


def refusal(name: str, cause: Cause, *reply: str, retryable: bool = False, end: bool = False,
            mechanism: str = "PLAIN") -> Case:  # fmt: skip
    actions = (Answer(*reply), Close()) if end else (Answer(*reply),)
    return Case(name, On("AUTH", *actions, times=None), AuthenticationError, stage=Stage.AUTH,
                cause=cause, code=int(reply[0][:3]), retryable=retryable, unsent=(b"MAIL",),
                server={"mechanisms": [mechanism]})  # fmt: skip


@table([
    refusal("A3 535", Cause.BAD_CREDENTIALS, "535 Wrong"),
    refusal("A3 535 5.7.8", Cause.BAD_CREDENTIALS, "535-5.7.8 Username and password",
            "535 5.7.8 not accepted"),
    refusal("A4 535, then the end", Cause.BAD_CREDENTIALS, "535 Wrong", end=True),
    refusal("A4 535 in lines, then the end", Cause.BAD_CREDENTIALS, "535-Wrong", "535 again",
            end=True),
    refusal("A5 454", Cause.AUTHENTICATION_TEMPORARY, "454 Not now", retryable=True),
    refusal("A5 454, then the end", Cause.AUTHENTICATION_TEMPORARY, "454 Not now",
            retryable=True, end=True),
    refusal("A6 503", Cause.AUTHENTICATION_UNAVAILABLE, "503 AUTH used when not advertised"),
    refusal("A6 503 already", Cause.COMMAND_REJECTED, "503 Already authenticated"),
    refusal("A6 504", Cause.AUTHENTICATION_UNAVAILABLE, "504 Unknown mechanism"),
    refusal("A6 538", Cause.TLS_REQUIRED, "538 Encryption required"),
    *(
        Case(f"A6 {code} is no success", On("AUTH", Answer(f"{code} ok")), ProtocolViolation,
             stage=Stage.AUTH, cause=Cause.OUT_OF_STEP, unsent=(b"MAIL",),
             server={"mechanisms": ["PLAIN"]})
        for code in (220, 221, 250, 354)
    ),
    Case("A3 421", On("AUTH", Answer("421 Too many attempts"), Close()), ServiceUnavailable,
         stage=Stage.AUTH, code=421, retryable=True, unsent=(b"MAIL",)),
    *(
        Case(f"A7 endless 334 to {mechanism}",
             (On("AUTH", Answer("334 "), times=None),
              On("AUTH_RESPONSE", Answer("334 "), times=None)),
             ProtocolViolation, stage=Stage.AUTH, cause=Cause.OUT_OF_STEP, unsent=(b"MAIL",),
             server={"mechanisms": [mechanism]})
        for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5")
    ),
    *(
        Case(f"A7 334 {name}", On("AUTH", Answer(reply), Hang()), ProtocolViolation,
             stage=Stage.AUTH, cause=Cause.OUT_OF_STEP, unsent=(b"MAIL",),
             server={"mechanisms": [mechanism]})
        for mechanism in ("LOGIN", "CRAM-MD5")
        for name, reply in [
            (f"no base64 to {mechanism}", b"334 !!!\r\n"),
            (f"half base64 to {mechanism}", b"334 abc\r\n"),
            (f"not ASCII to {mechanism}", b"334 \xc3\xbc\xff\r\n"),
            (f"two lines to {mechanism}", b"334-!\r\n334 VXNlcg=\r\n"),
        ]
    ),
])  # fmt: skip
def test_authentication_fails(bench: Bench, case: Case, mode: str, delivery: str) -> None:
    server = bench.play(case, mode, delivery)
    assert server.messages == ()
    assert len([c for c in server.commands if c.startswith(b"AUTH")]) == 1


@everywhere()
@each_mechanism
def test_a3_wrong_credentials_are_tried_once(
    bench: Bench, mode: str, delivery: str, mechanism: str
) -> None:
    server = bench.serve(mode, delivery, users={USER: "another"}, mechanisms=MECHANISMS)
    attempt = bench.submit(bench.profile(server, mode, mechanisms=[mechanism]), content())
    bench.inspect(server, attempt)
    error = attempt.error
    assert type(error) is AuthenticationError
    assert (error.cause, error.scope) == (Cause.BAD_CREDENTIALS, Scope.ACCOUNT)
    assert not error.retryable
    assert error.reply is not None
    assert error.reply.code == 535
    tried = [command for command in server.commands if command.startswith(b"AUTH")]
    assert [command.split(b" ")[1] for command in tried] == [mechanism.encode()]


@everywhere()
@each_mechanism
def test_a1_and_a9_the_right_credentials_in_utf_8_are_accepted(
    bench: Bench, mode: str, delivery: str, mechanism: str
) -> None:
    name, secret = "ädä@exämple.org", "pässwörd 日本語 🔑"
    server = bench.serve(mode, delivery, users={name: secret}, mechanisms=[mechanism])
    profile = bench.profile(server, mode, username=name, credentials=Password(secret))
    attempt = bench.submit(profile, content())
    bench.inspect(server, attempt)
    assert attempt.ends == (Outcome.ACCEPTED, Outcome.ACCEPTED)
    assert server.messages[0].authenticated_as == name
    verbs = [command.split(b" ")[0] for command in server.commands]
    # A1: what is offered only after TLS is used only after TLS.
    opening = [b"EHLO", b"STARTTLS", b"EHLO"] if mode == "starttls" else [b"EHLO"]
    assert verbs[: len(opening) + 1] == [*opening, b"AUTH"]


@table([
    Case("A2 not offered", (), AuthenticationError, stage=Stage.AUTH,
         cause=Cause.AUTHENTICATION_UNAVAILABLE, retryable=False, server={"users": {}},
         unsent=(b"AUTH", b"MAIL")),
    Case("A2 not ours", (), AuthenticationError, stage=Stage.AUTH,
         cause=Cause.AUTHENTICATION_UNAVAILABLE, retryable=False,
         server={"mechanisms": ["XOAUTH2"]}, profile={"mechanisms": ["PLAIN"]},
         unsent=(b"AUTH", b"MAIL")),
    Case("A2 offered before TLS alone",
         On("EHLO", Answer(b"250-localhost\r\n250 8BITMIME\r\n"), skip=1), AuthenticationError,
         stage=Stage.AUTH, cause=Cause.AUTHENTICATION_UNAVAILABLE, modes=("starttls",),
         server={"auth_without_tls": True}, unsent=(b"AUTH", b"MAIL")),
])  # fmt: skip
def test_authentication_is_not_offered(bench: Bench, case: Case, mode: str, delivery: str) -> None:
    bench.play(case, mode, delivery)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["ada\0@example.org", "ada\r\n", "", "ada\u2028"])
def test_a9_names_that_cannot_be_sent(mode: str, name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SmtpProfile(host="localhost", port=587, security=mode, username=name,
                    credentials=Password(SECRET), allow_plaintext_credentials=True)  # fmt: skip
    assert not shows_secret(everything(caught.value))


@pytest.mark.parametrize("secret", [f"{SECRET}\0", f"{SECRET}\r\n", "", f"{SECRET}\x7f"])
def test_a9_passwords_that_cannot_be_sent(secret: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Password(secret)
    assert not shows_secret(everything(caught.value))


# -- A10: the server sends the secret back, and nothing shows it

QUOTING: list[tuple[ScriptStage, int, type[MailsendError]]] = [
    ("AUTH", 535, AuthenticationError),
    ("AUTH", 421, ServiceUnavailable),
    ("AUTH", 250, ProtocolViolation),
    ("MAIL", 550, SenderRefused),
    ("RCPT", 550, RecipientsRefused),
    ("DATA", 451, MessageRefused),
    ("END_OF_DATA", 554, MessageRefused),
    ("END_OF_DATA", 421, ServiceUnavailable),
]


@table(
    Case(f"A10 {form_name} in {code} to {stage}",
         On(stage, Answer(f"{code} you said {form}"), times=None), error,
         ends=(Outcome.REFUSED if stage in {"DATA", "END_OF_DATA"} or error is RecipientsRefused
               else Outcome.NOT_SENT),
         server={"mechanisms": ["PLAIN"], "extensions": SERIAL}, deliveries=WHOLE)
    for stage, code, error in QUOTING
    for form_name, form in zip(("password", "base64", "SASL", "SASL in base64"), FORMS, strict=True)
    if "\0" not in form
)  # fmt: skip
def test_what_a_server_quotes_is_shown_nowhere(
    bench: Bench, case: Case, mode: str, delivery: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        bench.play(case, mode, delivery)
    assert not shows_secret(caplog.text)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("stage", ["AUTH", "MAIL", "END_OF_DATA"])
@pytest.mark.parametrize(
    "actions", [(Close(),), (Answer("535 No"), Close()), (Answer("nonsense"), Close())],
    ids=["end", "refusal", "nonsense"],
)  # fmt: skip
def test_a10_local_variables_of_a_traceback_do_not_show_it(
    bench: Bench, mode: str, stage: ScriptStage, actions: tuple[Answer | Close, ...]
) -> None:
    server = bench.serve(mode)
    server.on(stage, *actions)
    with pytest.raises(MailsendError) as caught:
        with open_transport(bench.profile(server, mode)) as transport:
            transport.send_raw(ENVELOPE, content())
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    text = "".join(shown.format())
    assert f"stage = '{stage}'" in text  # they are there
    assert not shows_secret(text)
