"""What a server makes of the secret does not make it show."""

from __future__ import annotations

import base64
import logging
import pickle
from collections.abc import Callable

import attrs
import pytest

from mailsend import (
    Endpoint,
    Envelope,
    MailsendError,
    Password,
    Security,
    SmtpProfile,
    open_transport,
)
from mailsend.testing import Answer, SmtpServer
from mailsend.testing import Stage as ScriptStage

Serve = Callable[..., SmtpServer]
ProfileFor = Callable[..., SmtpProfile]

USER, SECRET = "ada@example.org", "s3cret-Pässwörd"
B64 = base64.b64encode(SECRET.encode()).decode()
PLAIN = base64.b64encode(f"\0{USER}\0{SECRET}".encode()).decode()
ENVELOPE = Envelope("ada@example.org", ["bob@example.org"])


def shows(text: str) -> bool:
    squeezed = "".join(text.split()).casefold()
    return any(form[:-2].casefold() in squeezed for form in (SECRET, B64, PLAIN.rstrip("=")))


def everything(error: MailsendError) -> str:
    chain: list[object] = []
    link: BaseException | None = error
    while link is not None:
        chain += [str(link), repr(link), link.args]
        link = link.__cause__ or link.__context__
    pickled = pickle.dumps(error).decode("latin-1").encode("latin-1").decode("utf-8", "replace")
    return f"{chain} {error.facts()} {error.transcript} {error.reply!r} {error.report!r} {pickled}"


@pytest.mark.parametrize(
    "answer",
    [
        f"550 {SECRET} may not send",
        f"550 5.7.1 what does {B64} mean",
        f"550 {PLAIN}",
        f"421 4.7.0 bye {SECRET}",
    ],
)
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "END_OF_DATA"])
def test_quoted_after_auth(
    serve: Serve, profile_for: ProfileFor, stage: ScriptStage, answer: str
) -> None:
    server = serve("implicit_tls", extensions=["8BITMIME"])
    server.on(stage, Answer(answer))
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        with pytest.raises(MailsendError) as caught:
            transport.send_raw(ENVELOPE, b"x")
        assert not shows("\n".join(transport.transcript))
    assert caught.value.reply is not None
    assert caught.value.reply.code == int(answer[:3])
    assert not shows(everything(caught.value))


def test_quoted_on_success(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls")
    server.on("END_OF_DATA", Answer(f"250 2.0.0 taken from {SECRET}"))
    with open_transport(profile_for(server, "implicit_tls")) as transport:
        report = transport.send_raw(ENVELOPE, b"x")
        assert report.all_accepted
        assert not shows(f"{report!r} {report.facts()} {transport.transcript}")


@pytest.mark.parametrize(
    "answer",
    [
        b"535-5.7.8 " + SECRET[:8].encode() + b"\r\n535 5.7.8 " + SECRET[8:].encode() + b"\r\n",
        b"535 " + PLAIN[:20].encode() + b" " + PLAIN[20:].encode() + b"\r\n",
        b"535 " + PLAIN[:-2].encode() + b"\r\n",
        b"535 " + SECRET[:-2].encode() + b"\r\n",
        b"535 " + SECRET.upper().encode() + b"\r\n",
        b"535 " + SECRET.encode("latin-1") + b"\r\n",
        b"535 " + B64.lower().encode() + b"\r\n",
        b"421 " + PLAIN.encode() + b"\r\n",
        b"AUTH PLAIN " + PLAIN.encode() + b"\r\n",
    ],
)
def test_quoted_at_auth_in_other_shapes(
    serve: Serve, profile_for: ProfileFor, answer: bytes
) -> None:
    server = serve("implicit_tls", mechanisms=["PLAIN"])
    server.on("AUTH", Answer(answer))
    with pytest.raises(MailsendError) as caught:
        open_transport(profile_for(server, "implicit_tls"))
    assert not shows(everything(caught.value))


def test_other_words_of_a_refusal_stay(serve: Serve, profile_for: ProfileFor) -> None:
    server = serve("implicit_tls")
    server.on("AUTH", Answer("535 5.7.8 Username and password not accepted, secretly"))
    with pytest.raises(MailsendError, match="Username and password not accepted, secretly"):
        open_transport(profile_for(server, "implicit_tls"))


@pytest.mark.parametrize("surplus", [f"535 you said {SECRET}", f"AUTH PLAIN {PLAIN}"])
def test_quoted_while_idle_is_not_logged(
    serve: Serve, profile_for: ProfileFor, surplus: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve("implicit_tls")
    with (
        caplog.at_level(logging.DEBUG),
        open_transport(profile_for(server, "implicit_tls")) as transport,
    ):
        server.interrupt(Answer(surplus))
        transport.send_raw(ENVELOPE, b"x")
    assert "ended while idle" in caplog.text
    assert not shows(caplog.text)


def test_a_token_for_name_and_password(serve: Serve, profile_for: ProfileFor) -> None:
    token = "0f1e2d3c-token"
    server = serve("implicit_tls", users={token: "another"})
    profile = profile_for(server, "implicit_tls", username=token, credentials=Password(token))
    with pytest.raises(MailsendError) as caught:
        open_transport(profile)
    assert token not in f"{profile!r} {caught.value} {caught.value.facts()}"
    assert "<secret>" in repr(profile)


@pytest.mark.parametrize("stage", ["GREETING", "EHLO"])
@pytest.mark.parametrize("answer", [f"421 4.3.0 bye {SECRET}", f"554 {PLAIN}", f"what {SECRET}?"])
def test_quoted_before_auth_of_a_later_session(
    serve: Serve, profile_for: ProfileFor, caplog: pytest.LogCaptureFixture,
    stage: ScriptStage, answer: str,
) -> None:  # fmt: skip
    server, other = serve("implicit_tls"), serve("implicit_tls")
    server.on(stage, Answer(answer), skip=1, times=None)
    profile = profile_for(
        server,
        "implicit_tls",
        fallbacks=[Endpoint("localhost", other.port, Security.IMPLICIT_TLS)],
    )
    with caplog.at_level(logging.DEBUG, "mailsend"), open_transport(profile) as transport:
        transport.close()
        transport.open()  # over the fallback, after a warning with what the first one said
    assert "Trying" in caplog.text
    assert not shows(caplog.text)
    server.on(stage, Answer(answer), times=None)
    with pytest.raises(MailsendError) as caught:
        open_transport(attrs.evolve(profile, fallbacks=()))
    assert not shows(everything(caught.value))
