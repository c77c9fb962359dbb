"""Waiting for a browser that comes back to this machine: RFC 8252 §7.3."""

from __future__ import annotations

import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlsplit

from mailsend.cause import Retry
from mailsend.errors import ConfigurationError, TokenError
from mailsend.secret import Hidden
from mailsend.stage import Stage

_ADDRESS: Final = "127.0.0.1"  # not localhost, which may be something else: RFC 8252 §8.3
_DONE: Final = b"You have signed in. You may close this page, and go back to the terminal.\n"
_NOT_DONE: Final = b"The sign-in did not succeed. The terminal says why.\n"


class Loopback:
    """Listens on 127.0.0.1 for the redirect that ends a sign-in in a browser.

    Whatever does not carry the state of this sign-in is answered with 404 and ignored, so that
    neither another page nor a browser that looks for an icon can end it.

    Args:
        state: the state that the redirect has to carry, RFC 6749 §10.12.
        port: where to listen; 0 for any that is free.

    Raises:
        ConfigurationError: The port is in use.
    """

    def __init__(self, state: Hidden[str], port: int = 0) -> None:
        self._found: queue.SimpleQueue[Hidden[str]] = queue.SimpleQueue()
        found = self._found

        class Handler(BaseHTTPRequestHandler):
            timeout = 10.0  # browsers open connections that they may never use

            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                ours = query.get("state") == [state.value]
                self.send_response(200 if ours else 404)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Connection", "close")
                self.send_header("Referrer-Policy", "no-referrer")
                self.end_headers()
                self.wfile.write((_DONE if "code" in query else _NOT_DONE) if ours else b"")
                if ours:
                    found.put(Hidden(self.path))

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Write nothing: the path has the code in it."""

        try:
            self._server = _Server((_ADDRESS, port), Handler)
        except (OSError, OverflowError) as error:
            raise ConfigurationError(
                f"port {port} of {_ADDRESS} cannot be listened on: "
                f"{getattr(error, 'strerror', None) or error}",
                advice="Give another --port, or none for any that is free",
            ) from error
        self.url = f"http://{_ADDRESS}:{self._server.server_port}/"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="mailsend-loopback", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait(self, seconds: float) -> Hidden[str]:
        """The URL that the browser came back with.

        Raises:
            TokenError: It did not come back in time.
        """
        try:
            path = self._found.get(timeout=seconds)
        except queue.Empty:
            path = None
        if path is None:
            raise TokenError(
                f"nobody signed in within {seconds:g} seconds",
                stage=Stage.AUTH,
                retry=Retry.NEVER,
                advice="Open the page in a browser on this machine, or reach it with "
                "ssh -L and --port from another one",
            )
        return Hidden(self.url.rstrip("/") + path.value)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = False  # nobody else may listen here too

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Write nothing: a browser may break off, and the path has the code in it."""
