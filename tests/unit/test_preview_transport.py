"""The transport that writes pages instead of sending."""

from __future__ import annotations

import stat
import webbrowser
from email import message_from_bytes
from pathlib import Path

import pytest

from mailsend import (
    Capabilities,
    CapabilityError,
    ConfigurationError,
    Envelope,
    EnvelopeOptions,
    InvalidMessage,
    PreviewTransport,
    SessionError,
    compose,
)
from mailsend.testing import check_transport


def test_it_keeps_the_contract(tmp_path: Path) -> None:
    made: list[PreviewTransport] = []

    def factory() -> PreviewTransport:
        made.append(PreviewTransport(tmp_path / "new" / "folder"))
        return made[-1]

    check_transport(factory)
    written = [page for transport in made for page in transport.pages]
    assert len(set(written)) == len(written) > 30
    assert sorted(written) == sorted((tmp_path / "new" / "folder").glob("*.html"))


def test_what_is_written_and_reported(tmp_path: Path) -> None:
    message = compose(
        sender="ada@example.org",
        to=["bob@example.org"],
        bcc="eve@example.org",
        subject="Grüße: ../../<b> & \u65e5 Welcome",
        html="<p>x</p>",
    )
    with PreviewTransport(tmp_path) as transport:
        report = transport.send(message)
    assert report.accepted == ("bob@example.org", "eve@example.org")
    (page,) = transport.pages
    assert report.reply is not None
    assert report.reply.text == f"OK: a preview in {page.name}, not sent"
    assert page.name.endswith("-gr-e-b-welcome.html")
    assert page.parent == tmp_path
    octets = page.with_suffix(".eml").read_bytes()
    assert b"eve@" not in octets
    assert message_from_bytes(octets)["To"] == "bob@example.org"
    assert "ada@example.org → bob@example.org, eve@example.org" in page.read_text("utf-8")
    for file in (page, page.with_suffix(".eml")):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_no_file_is_written_over_or_through_a_link(tmp_path: Path) -> None:
    transport = PreviewTransport(tmp_path)
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "a.eml").write_text("mine")
    (tmp_path / "a-2.html").symlink_to(victim)
    written = transport._write("a", b"content", b"page")
    assert written.name == "a-3.html"
    assert victim.read_text() == "mine"
    assert (tmp_path / "a.eml").read_text() == "mine"
    assert not (tmp_path / "a-2.eml").exists()


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ConfigurationError, match="cannot be used"):
        PreviewTransport(file / "inside").open()
    with pytest.raises(ConfigurationError, match="folder has to be a path"):
        PreviewTransport(1)  # type: ignore[arg-type]


def test_what_cannot_be_written_is_not_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = PreviewTransport(tmp_path)
    monkeypatch.setattr("mailsend.preview.transport._stem", lambda _: "x" * 300)
    with pytest.raises(SessionError, match="cannot be written: File name too long"):
        transport.send_raw(Envelope("a@example.org", ["b@example.org"]), b"Subject: x\r\n\r\nx")
    assert transport.pages == ()
    assert list(tmp_path.iterdir()) == []


def test_messages_are_checked_as_before_a_server(tmp_path: Path) -> None:
    with PreviewTransport(tmp_path) as transport, pytest.raises(InvalidMessage):
        transport.send_raw(Envelope("a@example.org", ["b@example.org"]), b"x" * 999)
    assert list(tmp_path.iterdir()) == []


def test_a_browser_opens_only_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    message = compose(sender="a@example.org", to="b@example.org", text="x")
    PreviewTransport(tmp_path).send(message)
    assert opened == []
    transport = PreviewTransport(tmp_path, open_browser=True)
    transport.send(message)
    assert opened == [transport.pages[0].as_uri()]


def test_it_offers_what_it_is_told_to(tmp_path: Path) -> None:
    message = compose(sender="ada@example.org", to="bob@example.org", subject="x", text="x")
    options = EnvelopeOptions(require_tls=True)
    with pytest.raises(CapabilityError, match="REQUIRETLS"):
        PreviewTransport(tmp_path).send(message, options=options)
    offering = PreviewTransport(tmp_path, capabilities=Capabilities.offering("REQUIRETLS"))
    assert offering.send(message, options=options).all_accepted
    assert len(offering.pages) == 1
