"""What Chromium shows of a preview, and what a hostile message gets it to do: nothing."""

from __future__ import annotations

import re
import socket
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pytest

from mailsend import Attachment, compose
from mailsend.preview import preview

from .browser import document, screenshot, share

GREEN, BLUE, PEACH = (10, 125, 79), (191, 214, 255), (255, 200, 160)
ORANGE, NIGHT = (214, 110, 20), (16, 21, 60)
GROUND, DARK_GROUND = (0xF4, 0xF5, 0xF7), (0x14, 0x18, 0x1F)


def css(colour: tuple[int, int, int]) -> str:
    return f"rgb{colour}"


HTML: Final = f"""<!doctype html><html><head><meta name="color-scheme" content="light dark"><style>
body {{ margin: 0; background: #fff }}
.bar {{ background: {css(GREEN)}; height: 60px }}
.columns {{ background: {css(BLUE)}; height: 100px }}
@media (max-width: 480px) {{ .columns {{ background: {css(PEACH)} }} }}
@media (prefers-color-scheme: dark) {{ body {{ background: {css(NIGHT)} }} }}
</style></head><body><div class="bar"></div><div class="columns"></div>
<img src="cid:block" alt="" width="200" height="80"></body></html>"""


def png(colour: tuple[int, int, int]) -> bytes:
    """One pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    size = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" + bytes(colour))
    head = b"\x89PNG\r\n\x1a\n"
    return head + chunk(b"IHDR", size) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def page() -> str:
    message = compose(
        sender="Shop <news@shop.example>",
        to="ada@example.org",
        subject="A subject that is rather long, and that breaks into several lines where it must",
        text="Plain words.\n" + "x" * 400,
        html=HTML,
        inline={"block": Attachment(png(ORANGE), "block.png")},
        attachments=[Attachment(b"%PDF", "a-name-without-any-space-" * 6 + ".pdf")],
    )
    return preview(message)


def chosen(text: str, *choices: str) -> str:
    """The page as it is after a click on these, for a browser that cannot click."""
    for choice in choices:
        group = "v-" if choice.startswith("v-") else "s-"
        text = re.sub(rf'(id="{group}[a-z]+") checked', r"\1", text)
        text = text.replace(f'id="{choice}"', f'id="{choice}" checked')
    return text


def written(folder: Path, text: str) -> Path:
    file = folder / "page.html"
    file.write_text(text, encoding="utf-8")
    return file


def test_light_at_desktop_width(tmp_path: Path) -> None:
    image = screenshot(written(tmp_path, page()), 1100, 1300)
    area = image.width * image.height
    assert share(image, GREEN, 2) == pytest.approx(900 * 60 / area, rel=0.05)
    assert share(image, BLUE, 2) == pytest.approx(900 * 100 / area, rel=0.05)
    assert share(image, ORANGE, 2) == pytest.approx(200 * 80 / area, rel=0.05)
    assert share(image, PEACH, 2) == 0
    assert image.getpixel((3, 1290)) == GROUND


def test_dark_at_telephone_width(tmp_path: Path) -> None:
    text = chosen(page(), "v-phone", "s-dark")
    image = screenshot(written(tmp_path, text), 1100, 1300, dark=True)
    area = image.width * image.height
    assert share(image, GREEN, 2) == pytest.approx(375 * 60 / area, rel=0.1)
    assert share(image, PEACH, 2) == pytest.approx(375 * 100 / area, rel=0.1)
    assert share(image, BLUE, 2) == 0
    assert share(image, NIGHT, 2) > 0.05
    assert image.getpixel((3, 1290)) == DARK_GROUND
    assert share(image, (255, 255, 255), 2) < 0.01


def test_a_narrow_window_cuts_nothing_off(tmp_path: Path) -> None:
    image = screenshot(written(tmp_path, chosen(page(), "v-text")), 500, 1000)
    edge = image.crop((image.width - 6, 0, image.width, image.height))
    assert share(edge, GROUND, 1) == 1
    assert share(image, GREEN, 2) == 0  # the HTML is not what was chosen
    assert share(image, (255, 255, 255), 2) > 0.3


class Canary:
    """A listener that notes each connection: a page that loads nothing makes none."""

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.seen: list[bytes] = []
        self._last = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()
        return self

    def _listen(self) -> None:
        while not self._last.is_set():
            connection, _ = self._listener.accept()
            with connection:
                connection.settimeout(2)
                try:
                    octets = connection.recv(200)
                except OSError:
                    octets = b"nothing"
                if octets == b"last":
                    self._last.set()
                else:
                    self.seen.append(octets.partition(b"\r")[0])

    def connections(self) -> list[bytes]:
        """All that came before this call."""
        if not self._last.is_set():
            with socket.create_connection(("127.0.0.1", self.port)) as last:
                last.sendall(b"last")
            self._thread.join()
        return self.seen

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.connections()
        self._listener.close()


@pytest.fixture
def canary() -> Iterator[Canary]:
    with Canary() as listening:
        yield listening


def attack(url: str) -> str:
    """HTML that tries all that is known to load, run, lead away or break out."""
    return f"""
<link rel=preconnect href="{url}/preconnect"><link rel=dns-prefetch href="{url}">
<link rel=stylesheet href="{url}/css"><link rel=preload as=image href="{url}/preload">
<link rel=prefetch href="{url}/prefetch"><link rel=icon href="{url}/icon">
<meta http-equiv=refresh content="0;url={url}/refresh"><base href="{url}/base/">
<script>document.title = parent.document.title = "RUN"; fetch("{url}/fetch");
top.location = "{url}/top"</script><script src="{url}/script"></script>
<script type=speculationrules>{{"prefetch":[{{"source":"list","urls":["{url}/rules"]}}]}}</script>
<img src="{url}/image" onerror="document.title='RUN'"><img src=x onerror="fetch('{url}/error')">
<img srcset="{url}/srcset 1x"><picture><source srcset="{url}/source"><img src=""></picture>
<svg onload="fetch('{url}/svg')"><image href="{url}/svg-image"/><style>@import "{url}/svg-css";
</style><script>top.document.title = "RUN"</script></svg>
<iframe src="{url}/frame"></iframe>
<iframe srcdoc="<script>top.document.title='RUN'</script><img src='{url}/srcdoc'>"></iframe>
<object data="{url}/object"></object><embed src="{url}/embed">
<video src="{url}/video" poster="{url}/poster" autoplay></video><audio src="{url}/audio" autoplay>
</audio><body background="{url}/background" onload="document.title='RUN'">
<table background="{url}/table"><tr><td background="{url}/cell">x</table>
<style>@import url({url}/import); @import "{url}/import2"; b {{ background: u\\72l({url}/escape) }}
body {{ background: url({url}/body) }} p {{ list-style-image: url('{url}/list') }}
@font-face {{ font-family: z; src: url({url}/font) }} p {{ font-family: z }}</style >
<style><!-- </style/><img src="{url}/style-end"> --></style><b>b</b><p style='background:
url({url}/inline)'>p</p><form action="{url}/form"><input autofocus onfocus="fetch('{url}/focus')">
<input type=image src="{url}/input"></form><a href="{url}/link" ping="{url}/ping">link</a>
<details ontoggle="fetch('{url}/toggle')" open>x</details><title><img src="{url}/title"></title>
<noscript><img src="{url}/noscript"></noscript><!--><img src="{url}/comment">-->
<img alt="`><img src={url}/backtick>" src="cid:nothing"><x y='"></iframe><img src={url}/attr>'>
"></iframe><script>document.title = "OUT"</script><img src="{url}/out">
&quot;&gt;&lt;/iframe&gt;&lt;img src={url}/decoded&gt;<plaintext><img src="{url}/plaintext">"""


def hostile(url: str) -> bytes:
    """A message that attacks in each of its parts."""
    own = f'</title></pre></bdi>"\'><script>document.title="OUT"</script><img src={url}/page>'
    lines = [
        f"From: {own} <a@example.org>",
        f"Subject: {own}",
        "To: =?utf-8?q?=3Cscript=3Edocument.title=3D=22OUT=22=3C/script=3E?= <b@example.org>",
        f"X-Own: {own}",
        "MIME-Version: 1.0",
        "Content-Type: multipart/mixed; boundary=b",
        *("", "--b", "Content-Type: text/plain", "", own),
        *("", "--b", "Content-Type: text/html; charset=utf-8", "", attack(url)),
        *("", "--b", f"Content-Type: image/png; name*=utf-8''%3Cimg%20src%3D{url}/name%3E"),
        f'Content-ID: <x"><img src={url}/id>>',
        *("Content-Disposition: inline", "", "x", "--b--", ""),
    ]
    return "\r\n".join(lines).encode()


def test_a_hostile_message_does_nothing(tmp_path: Path, canary: Canary) -> None:
    dom = document(written(tmp_path, preview(hostile(canary.url))).as_uri())
    assert canary.connections() == []
    title = re.search(r"<title>(.*?)</title>", dom, re.DOTALL)
    assert title is not None
    assert title[1].endswith("preview")
    assert dom.count("<iframe") == 1
    assert "<script" not in dom
    assert "<img" not in dom


def test_the_canary_hears_an_unguarded_page(tmp_path: Path, canary: Canary) -> None:
    """Without this, the canary might be deaf and the test before it worth nothing."""
    unguarded = f'<title>x</title><img src="{canary.url}/i"><script>document.title = "RUN"</script>'
    dom = document(written(tmp_path, unguarded).as_uri())
    assert canary.connections() == [b"GET /i HTTP/1.1"]
    assert "<title>RUN</title>" in dom
