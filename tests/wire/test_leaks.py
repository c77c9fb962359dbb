"""Every way to succeed and to fail, with a known secret that appears nowhere afterwards.

Looked through are: what is returned or raised, with the variables of all frames but the test's,
pickles, representations, attrs.asdict, transcripts, the log at its lowest level, what the command
line prints, and all objects of the package that the collector knows of.
"""

from __future__ import annotations

import base64
import gc
import json
import logging
import pickle
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

from mailsend import (
    AccessToken,
    CachedToken,
    Envelope,
    MailsendError,
    OAuth2,
    Password,
    SmtpProfile,
    Timeouts,
    open_transport,
)
from mailsend.cli import main
from mailsend.secret import Hidden, Secret
from mailsend.testing import Action, Answer, Close, Hang, Reset, ServerMechanism, SmtpServer, scram
from mailsend.testing.bearer import xoauth2

Serve = Callable[..., SmtpServer]

USER: Final = "ada@example.org"
PASSWORD: Final = "Zx9-correct-horse-7Q"
# An attribute of a profile shows it, and so it must not be what other tests look for.
NAME_AND_SECRET: Final = "Kp4-battery-staple-2M"
TOKEN: Final = "ya29.Zx9-correct-horse-7Q"
SASL_MESSAGES: Final = (
    f"\0{USER}\0{PASSWORD}",
    f"user={USER}\x01auth=Bearer {TOKEN}\x01\x01",
    f"auth=Bearer {TOKEN}\x01\x01",
)
# Without its last characters, which depend on what follows, in base64 too.
FORMS: Final = tuple(
    form.casefold()
    for text in (PASSWORD, TOKEN)
    for form in (text[:-2], base64.b64encode(text.encode()).decode()[:-6])
) + tuple(base64.b64encode(m.encode()).decode()[-30:-8].casefold() for m in SASL_MESSAGES)
ENVELOPE: Final = Envelope(USER, ["bob@example.org"])
HERE: Final = str(Path(__file__).parent.parent)
PASSWORD_MECHANISMS: Final = ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"]
TOKEN_MECHANISMS: Final = ["XOAUTH2", "OAUTHBEARER"]


def shows(text: object) -> bool:
    squeezed = "".join(str(text).split()).casefold()
    return any(form in squeezed for form in FORMS)


def test_the_search_finds_what_it_looks_for() -> None:
    for text in (PASSWORD, TOKEN):
        assert shows(f"x{text}y")
        assert shows(base64.b64encode(text.encode()).decode())
        assert shows(Hidden(text).value)
    for message in SASL_MESSAGES:
        assert shows(base64.b64encode(message.encode()).decode())
    assert not shows(f"{USER} {base64.b64encode(USER.encode()).decode()}")
    held = [Hidden(PASSWORD)]
    assert list(exposed(held)) == []
    held.append(types.SimpleNamespace(inside=PASSWORD))  # type: ignore[arg-type]
    assert list(exposed(held)) == ["SimpleNamespace.inside"]


def frames_of(error: BaseException) -> Iterator[str]:
    """The variables of all frames but those of tests, along the whole chain."""
    link: BaseException | None = error
    while link is not None:
        for frame, _ in traceback.walk_tb(link.__traceback__):
            if not frame.f_code.co_filename.startswith(HERE):
                for name, value in frame.f_locals.items():
                    yield f"{frame.f_code.co_qualname}: {name} = {_representation(value)}"
        link = link.__cause__ or link.__context__


def _representation(value: object) -> str:
    try:
        return f"{value!r} {value}"
    except Exception:  # noqa: BLE001 - as of an object whose __init__ raised
        return ""


def told_by(error: BaseException) -> Iterator[str]:
    """Everything that an error says of itself."""
    link: BaseException | None = error
    while link is not None:
        yield f"{link} {link!r} {link.args}"
        if isinstance(link, MailsendError):
            yield json.dumps(link.facts())
            yield f"{link.transcript} {link.reply!r} {link.report!r} {vars(link)}"
        link = link.__cause__ or link.__context__
    yield pickle.dumps(error).decode("latin-1")


def exposed(objects: list[Any]) -> Iterator[str]:
    """Where a secret lies open in objects, and not behind a Secret or a Hidden."""
    for thing in objects:
        with suppress(ReferenceError):
            if isinstance(thing, Secret | Hidden | types.ModuleType | type):
                continue
            names = list(getattr(thing, "__dict__", {}))
            for kind in type(thing).__mro__:
                slots = kind.__dict__.get("__slots__", ())
                names += [slots] if isinstance(slots, str) else list(slots)
            for name in names:
                value = getattr(thing, name, None)
                if isinstance(value, bytes | bytearray):
                    value = value.decode("latin-1")
                if isinstance(value, str | list | tuple | dict | set) and shows(value):
                    yield f"{type(thing).__name__}.{name}"


def _is_ours(module: object) -> bool:
    if not isinstance(module, str):  # some types have a descriptor of that name
        return False
    return module.startswith("mailsend.") and not module.startswith("mailsend.testing")


def open_anywhere() -> list[str]:
    """Objects of the package, but not of its test server, in which a secret lies open."""
    ours = [thing for thing in gc.get_objects() if _is_ours(type(thing).__module__)]
    return list(exposed(ours))


def credentials_for(mechanism: str) -> Password | OAuth2:
    if mechanism in TOKEN_MECHANISMS:
        return OAuth2(token=CachedToken(lambda: AccessToken(TOKEN)))
    return Password(PASSWORD)


def run(profile: SmtpProfile, log: pytest.LogCaptureFixture) -> BaseException | None:
    """Send a message, and look through all that this leaves behind."""
    log.set_level(logging.DEBUG)
    raised: BaseException | None = None
    try:
        with open_transport(profile) as transport:
            report = transport.send_raw(ENVELOPE, b"Subject: x\r\n\r\nx\r\n")
            assert not shows(f"{report!r} {report.facts()} {attrs.asdict(report)}")
            assert not shows(f"{transport!r} {vars(transport)} {transport.transcript}")
            assert open_anywhere() == []
    except MailsendError as error:
        raised = error
    if raised is not None:
        assert [told for told in told_by(raised) if shows(told)] == []
        assert [told for told in frames_of(raised) if shows(told)] == []
    assert open_anywhere() == []
    assert not shows(f"{profile!r} {profile} {attrs.asdict(profile)} {attrs.astuple(profile)}")
    assert not shows(log.text)
    return raised


@pytest.mark.parametrize("mode", ["implicit_tls", "starttls"])
@pytest.mark.parametrize("mechanism", PASSWORD_MECHANISMS + TOKEN_MECHANISMS)
def test_success(serve: Serve, mechanism: str, mode: str, caplog: pytest.LogCaptureFixture) -> None:
    secret = TOKEN if mechanism in TOKEN_MECHANISMS else PASSWORD
    server = serve(mode, users={USER: secret}, mechanisms=[mechanism])
    profile = server.profile(username=USER, credentials=credentials_for(mechanism))
    assert run(profile, caplog) is None


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


FAILURES: Final[dict[str, tuple[str, tuple[Action, ...]]]] = {
    "refused": ("AUTH", (Answer("535 5.7.8 No"),)),
    "for now": ("AUTH", (Answer("454 4.7.0 Later"),)),
    "leaving": ("AUTH", (Answer("421 4.3.2 Bye"), Close())),
    "closed": ("AUTH", (Close(),)),
    "reset": ("AUTH", (Reset(),)),
    "silent": ("AUTH", (Hang(),)),
    "garbage": ("AUTH", (Answer(b"\xff\xfe garbage\r\n"),)),
    "no base64": ("AUTH", (Answer("334 !!!"),)),
    "asks for ever": ("AUTH", (Answer("334 "), Answer("334 "), Answer("334 "))),
    "unasked": ("AUTH", (Answer("235 2.7.0 ok"), Answer("235 2.7.0 ok"))),
    "quotes": ("AUTH", (Answer(f"535 5.7.8 {PASSWORD} {TOKEN} is wrong"),)),
    "quotes base64": ("AUTH", (Answer(f"535 {_base64(PASSWORD)} {_base64(TOKEN)}"),)),
    "challenges": ("AUTH", (Answer(f"334 {_base64(PASSWORD + TOKEN)}"), Answer("334 x"))),
    "challenges twice": (
        "AUTH",
        (Answer(f"334 e30=\r\n334 {_base64(PASSWORD)}\r\n334 {_base64(TOKEN)}\r\n".encode()),),
    ),
    "challenges the message": (
        "MAIL",
        (Answer(f"334 {_base64(PASSWORD)} {_base64(TOKEN)}"),),
    ),
    "quotes garbage": ("AUTH", (Answer(f"what is {PASSWORD} {TOKEN}?".encode() + b"\r\n"),)),
    "sender": ("MAIL", (Answer(f"550 5.7.1 {PASSWORD} {TOKEN}"),)),
    "recipient": ("RCPT", (Answer(f"550 5.7.1 {PASSWORD} {TOKEN}"),)),
    "content": ("END_OF_DATA", (Answer(f"554 5.7.1 {PASSWORD} {TOKEN}"),)),
    "lost": ("END_OF_DATA", (Close(),)),
    "greeting": ("GREETING", (Answer(f"554 {PASSWORD} {TOKEN}"),)),
    "EHLO": ("EHLO", (Answer(f"550 {PASSWORD} {TOKEN}"),)),
}


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER"])
@pytest.mark.parametrize("failure", [*FAILURES])
def test_failure(
    serve: Serve, failure: str, mechanism: str, caplog: pytest.LogCaptureFixture
) -> None:
    secret = TOKEN if mechanism in TOKEN_MECHANISMS else PASSWORD
    server = serve("implicit_tls", users={USER: secret}, mechanisms=[mechanism])
    stage, actions = FAILURES[failure]
    server.on(stage, *actions, times=None)  # type: ignore[arg-type]  # one of the stages' names
    profile = server.profile(
        username=USER,
        credentials=credentials_for(mechanism),
        timeouts=Timeouts(greeting=1, auth=0.2, command=1, data=1, end_of_data=1, quit=0.2),
    )
    assert run(profile, caplog) is not None


def test_a_user_name_that_is_the_secret(
    serve: Serve, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve("implicit_tls", users={USER: PASSWORD}, mechanisms=["PLAIN"])
    monkeypatch.setenv("THE_PASSWORD", NAME_AND_SECRET)
    caplog.set_level(logging.DEBUG)
    profile = server.profile(
        username=NAME_AND_SECRET, credentials=Password.from_env("THE_PASSWORD")
    )
    for _ in range(2):  # the second time it is told from memory
        with pytest.raises(MailsendError) as caught:
            open_transport(profile)
        assert [told for told in told_by(caught.value) if NAME_AND_SECRET in told] == []
    assert NAME_AND_SECRET not in caplog.text
    # Where the provider has it so, nobody has to look the password up to know.
    token = SmtpProfile.for_provider(
        "postmark", username=NAME_AND_SECRET, credentials=Password.from_env("THE_PASSWORD")
    )
    assert NAME_AND_SECRET not in repr(token)


@pytest.mark.parametrize(
    "served",
    [
        scram(amend=lambda m: m.replace(b"v=", b"v=AAAA") if m[:2] == b"v=" else m),
        scram(iterations=1),
        xoauth2(error={"status": TOKEN, "scope": base64.b64encode(TOKEN.encode()).decode()}),
    ],
)
def test_failures_within_a_mechanism(
    serve: Serve, served: ServerMechanism, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve("implicit_tls", users={USER: PASSWORD}, mechanisms=[served])
    profile = server.profile(username=USER, credentials=credentials_for(served.name))
    assert run(profile, caplog) is not None


@pytest.mark.parametrize("certificate", ["expired", "self_signed", "wrong_host"])
def test_no_trust(serve: Serve, certificate: str, caplog: pytest.LogCaptureFixture) -> None:
    server = serve("implicit_tls", users={USER: PASSWORD}, certificate=certificate)
    assert run(server.profile(), caplog) is not None
    assert not any(command.startswith(b"AUTH") for command in server.commands)


def test_nobody_there(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    server = serve("implicit_tls", users={USER: PASSWORD})
    server.stop()
    assert run(server.profile(), caplog) is not None


@pytest.mark.parametrize("returned", [f"{TOKEN} {TOKEN}", f"{TOKEN}\n", {"access_token": TOKEN}])
def test_tokens_that_are_none(
    serve: Serve, returned: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve("implicit_tls", users={USER: TOKEN}, mechanisms=["XOAUTH2"])
    profile = server.profile(username=USER, credentials=OAuth2(token=lambda: returned))
    assert run(profile, caplog) is not None


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("mechanism", PASSWORD_MECHANISMS)
def test_the_command_line(
    serve: Serve,
    mechanism: str,
    right: bool,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = serve("implicit_tls", users={USER: PASSWORD if right else "x"}, mechanisms=[mechanism])
    monkeypatch.setenv("THE_PASSWORD", PASSWORD)
    options = f"password_env=THE_PASSWORD&ca_file={server.ca_file}"
    url = f"smtps://{USER.replace('@', '%40')}@localhost:{server.port}?{options}"
    arguments = ["send", "--url", url, "--to", "bob@example.org", "--text", "x", "-vv"]
    for more in ([], ["--json"], ["--dry-run"]):
        main([*arguments, *more])
        out, err = capfd.readouterr()
        assert "AUTH" in err or more == ["--dry-run"]
        assert not shows(out + err)
    assert not shows(sys.argv)
