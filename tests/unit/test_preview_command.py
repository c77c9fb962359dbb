"""``mailsend preview``."""

from __future__ import annotations

import io
import json
import webbrowser
from pathlib import Path

import pytest

from mailsend.cli import main
from mailsend.cli.exit_codes import ExitCode

Out = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "letter.html").write_text(
        "Subject: Hi {{ name }}\n\n<style>p{color:red}</style><p>Dear {{ name }}", "utf-8"
    )
    (tmp_path / "two.txt").write_text("Dear {{ name }}", "utf-8")
    (tmp_path / "two.html").write_text("<p>Dear {{ name }}", "utf-8")
    (tmp_path / "two").mkdir()
    (tmp_path / "row.json").write_text('\ufeff{"name": "<Ada>"}', "utf-8")
    (tmp_path / "m.eml").write_bytes(
        b"Subject: a\x1b[31m\r\nContent-Type: text/html\r\n\r\n<img src='cid:\x1b[31m'>\r\n"
    )
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_a_template_becomes_a_page(capsys: Out) -> None:
    assert main(["preview", "letter.html", "--data", "row.json"]) == ExitCode.OK
    out, err = capsys.readouterr()
    assert "<h1><bdi>Hi &lt;Ada&gt;</bdi></h1>" in out
    assert "Dear &amp;amp;lt;Ada&amp;amp;gt;" in out or "Dear &amp;lt;Ada&amp;gt;" in out
    assert out.endswith("</html>\n")
    assert err == "" or err.startswith("mailsend: warning: ")


def test_parts_of_a_folder_go_into_a_file(folder: Path, capsys: Out) -> None:
    arguments = ["--data", "row.json", "--subject", "S", "-o", "page.html"]
    assert main(["preview", "two", *arguments]) == ExitCode.OK
    assert capsys.readouterr() == ("", "")
    page = (folder / "page.html").read_text("utf-8")
    assert "<h1><bdi>S</bdi></h1>" in page
    assert "<bdi>Dear &lt;Ada&gt;\n</bdi>" in page


@pytest.mark.usefixtures("folder")
def test_styles_move_when_asked(capsys: Out) -> None:
    assert main(["preview", "letter.html", "--data", "row.json", "--inline-css"]) == ExitCode.OK
    assert "&lt;p style=&quot;color: red;&quot;&gt;" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
def test_a_message_cannot_steer_the_terminal(capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["preview", "m.eml", "-o", "page.html"]) == ExitCode.OK
    err = capsys.readouterr().err
    assert "shows cid:\\u001b[31m" in err
    assert "\x1b" not in err
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"Subject: x\r\n\r\nfrom input")))
    assert main(["preview", "-"]) == ExitCode.OK
    assert "from input" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
def test_the_browser(monkeypatch: pytest.MonkeyPatch, capsys: Out) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    assert main(["preview", "m.eml", "--open", "-o", "page.html"]) == ExitCode.OK
    assert opened == [Path("page.html").resolve().as_uri()]
    assert "page.html" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["letter.html"], ExitCode.DATA, "'name' is undefined"),
        (["letter.html", "--data", "none.json"], ExitCode.DATA, "none.json cannot be read"),
        (["letter.html", "--data", "letter.html"], ExitCode.DATA, "is no JSON"),
        (["letter.html", "--data", "list.json"], ExitCode.DATA, "holds no object"),
        (["letter.html", "--data", "deep.json"], ExitCode.DATA, "cannot be read as JSON"),
        (["letter.html", "--data", "latin.json"], ExitCode.DATA, "not UTF-8 at octet 10"),
        (["letter.html", "--data", "lines.json"], ExitCode.DATA, "U+000A, from the variable name"),
        (["none.html", "--data", "row.json"], ExitCode.DATA, "no template none.html"),
        (["none", "--data", "row.json"], ExitCode.DATA, "no template none"),
        (["none.eml"], ExitCode.DATA, "none.eml cannot be read: No such file"),
        (["letter.md"], ExitCode.DATA, "Markdown"),
        (["letter.html", "--data", "row.json", "--to", "x"], ExitCode.DATA, "to"),
        (["m.eml", "-o", "no/such"], ExitCode.IO_ERROR, "cannot be written"),
    ],
)
def test_what_goes_wrong(
    arguments: list[str], code: ExitCode, words: str, folder: Path, capsys: Out
) -> None:
    (folder / "list.json").write_text("[1]", "utf-8")
    (folder / "deep.json").write_text("[" * 200_000, "utf-8")
    (folder / "latin.json").write_bytes('{"name": "é"}'.encode("latin-1"))
    (folder / "lines.json").write_text(json.dumps({"name": "Ada\nBcc: x"}), "utf-8")
    (folder / "letter.md").write_text("x", "utf-8")
    assert main(["preview", *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["m.eml", "--data", "row.json"],
        ["m.eml", "--subject", "x"],
        ["m.eml", "--inline-css"],
        ["letter.html", "--data", "row.json", "--subject", "x"],
        [],
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_the_command_line_may_not_say(arguments: list[str], capsys: Out) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["preview", *arguments])
    assert caught.value.code == ExitCode.USAGE
    assert capsys.readouterr().err.startswith("usage: mailsend preview")
