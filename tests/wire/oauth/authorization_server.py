"""An authorization server on loopback, with TLS, that checks what it is asked.

It answers as Microsoft Entra under ``/TENANT/``, and as Google under ``/o/oauth2/auth`` and
``/token``.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt

from mailsend.testing.authority import Authority

TENANT = "contoso.example"
CLIENT = "00000000-0000-0000-0000-00000000c11e"
SECRET = "Xq8~cl13nt.s3cret_0f-contoso"
ACCOUNT = "ada@contoso.example"
APPLICATION_SCOPE = "https://outlook.office365.com/.default"
USER_SCOPE = "https://outlook.office.com/SMTP.Send"
GOOGLE_SCOPE = "https://mail.google.com/"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
JWT_CLIENT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

Answer = tuple[int, dict[str, Any] | bytes]
Form = dict[str, str]


class Refused(Exception):
    def __init__(self, error: str, description: str = "", status: int = 400) -> None:
        super().__init__(error)
        self.answer: Answer = (status, {"error": error, "error_description": description})


def need(ok: object, error: str, description: str = "") -> None:
    if not ok:
        raise Refused(error, description)


class AuthorizationServer:
    """Issues tokens to whom it knows.

    Attributes:
        canned: answers to give at token endpoints before all others.
        asked: path and form of every request so far.
        access_tokens: what has been issued.
        refresh_tokens: those that are good; each is good once.
        public_keys: those of service accounts and client certificates, by issuer.
        echoes: if not empty, what is asked for tokens is refused with these words and all of it.
        waiting: errors to answer device polls with, before the user has agreed.
    """

    def __init__(self) -> None:
        self.canned: list[Answer] = []
        self.asked: list[tuple[str, Form]] = []
        self.access_tokens: list[str] = []
        self.refresh_tokens: set[str] = set()
        self.used_refresh_tokens: set[str] = set()
        self.public_keys: dict[str, Any] = {}
        self.waiting: list[str] = []
        self.interval = 0
        self.expires_in = 3600
        self.grants_scope: str | None = None
        self.gives_refresh_token = True
        self.denies = False
        self.echoes = ""
        self.token_scheme = "https"
        self.before_token: Callable[[], None] = lambda: None
        self._codes: dict[str, Form] = {}
        self._lock = threading.Lock()
        self._count = 0

    @contextlib.contextmanager
    def running(self, authority: Authority, certificate: Any = "valid") -> Iterator[None]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one segment for an answer, not two that wait for each other
            timeout = 5.0

            def do_GET(self) -> None:
                split = urlsplit(self.path)
                server.answer(self, split.path, dict(parse_qsl(split.query)))

            def do_POST(self) -> None:
                octets = self.rfile.read(int(self.headers["Content-Length"]))
                kind = self.headers["Content-Type"]
                assert kind.startswith("application/x-www-form-urlencoded"), kind
                assert self.headers["Authorization"] is None
                assert "?" not in self.path
                form = dict(parse_qsl(octets.decode(), strict_parsing=True))
                server.answer(self, self.path, form)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_: Any) -> None:
                pass  # a client that does not trust us, or gives up

        context = authority.server_context(certificate)
        with Server(("127.0.0.1", 0), Handler) as listening:
            listening.socket = context.wrap_socket(listening.socket, server_side=True)
            self.port = listening.server_port
            thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            try:
                yield
            finally:
                listening.shutdown()
                thread.join()

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    @property
    def url(self) -> str:
        return f"https://{self.host}"

    def of(self, ending: str) -> list[Form]:
        """The forms of requests to a path."""
        return [form for path, form in self.asked if path.endswith(ending)]

    def answer(self, handler: BaseHTTPRequestHandler, path: str, form: Form) -> None:
        self.asked.append((path, form))
        location = None
        try:
            if path == "/o/oauth2/auth":
                location = self._consent(form)
                status, body = 302, b""
            else:
                status, found = self._route(handler.command, path, form)
                body = found if isinstance(found, bytes) else json.dumps(found).encode()
        except Refused as refused:
            status, found = refused.answer
            body = json.dumps(found).encode()
        with contextlib.suppress(OSError):
            handler.send_response(status)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(body)))
            if location is not None:
                handler.send_header("Location", location)
            elif status in {301, 307}:
                handler.send_header("Location", f"{self.url}/elsewhere")
            handler.end_headers()
            handler.wfile.write(body)

    def _route(self, method: str, path: str, form: Form) -> Answer:
        if method == "GET" and path.endswith("/v2.0/.well-known/openid-configuration"):
            tenant = path.split("/")[1]
            need(tenant in {TENANT, "common", "consumers"}, "invalid_tenant", "AADSTS90002: no")
            base = f"{self.url}/{tenant}"
            return 200, {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{self.token_scheme}{base[5:]}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            }
        assert method == "POST", path
        if path.endswith("/oauth2/v2.0/devicecode"):
            return self._device(form)
        assert path == "/token" or path.endswith("/oauth2/v2.0/token"), path
        with self._lock:
            if self.canned:
                return self.canned.pop(0)
            self.before_token()
            if self.echoes:
                words = " ".join(f"{name}={value}" for name, value in form.items())
                raise Refused("invalid_request", f"{self.echoes}: {words}")
            return 200, self._token(path, form)

    # -- tokens

    def _token(self, path: str, form: Form) -> dict[str, Any]:
        grant = form.get("grant_type")
        if grant == "client_credentials":
            self._authenticated(path, form)
            need(form["scope"] == APPLICATION_SCOPE, "invalid_scope", "AADSTS1002012")
            return self._issue(form["scope"], refreshable=False)
        if grant == DEVICE_GRANT:
            return self._of_device(form)
        if grant == "refresh_token":
            return self._refreshed(path, form)
        if grant == JWT_GRANT:
            return self._of_service_account(form)
        need(grant == "authorization_code", "unsupported_grant_type")
        return self._of_code(form)

    def _authenticated(self, path: str, form: Form) -> None:
        need(form.get("client_id") == CLIENT, "unauthorized_client", "AADSTS700016: unknown")
        if "client_assertion" not in form:
            need(form.get("client_secret") == SECRET, "invalid_client", "AADSTS7000215: Invalid")
            return
        need(form["client_assertion_type"] == JWT_CLIENT, "invalid_client")
        header = jwt.get_unverified_header(form["client_assertion"])
        claims = self._verified(
            form["client_assertion"], CLIENT, f"{self.url}{path}", [header["alg"]], "invalid_client"
        )
        need(header["alg"] in {"PS256", "RS256"}, "invalid_client")
        need(claims["sub"] == CLIENT, "invalid_client")
        thumbprint = header.get("x5t#S256", "").rstrip("=")
        need(thumbprint == self.public_keys["thumbprint"], "invalid_client", "AADSTS700027: key")

    def _verified(
        self, assertion: str, issuer: str, audience: str, algorithms: list[str], error: str
    ) -> dict[str, Any]:
        try:
            found: dict[str, Any] = jwt.decode(
                assertion,
                self.public_keys[issuer],
                algorithms=algorithms,
                audience=audience,
                issuer=issuer,
                options={"require": ["exp", "iss", "aud"]},
            )
        except (jwt.PyJWTError, KeyError) as wrong:
            words = f"Invalid JWT Signature. AADSTS700027: {type(wrong).__name__}"
            raise Refused(error, words[: 22 if error == "invalid_grant" else None]) from wrong
        return found

    def _refreshed(self, path: str, form: Form) -> dict[str, Any]:
        need(form.get("client_id") == CLIENT, "invalid_client")
        if path == "/token":
            need(form.get("client_secret") == SECRET, "invalid_client", "The secret is wrong.")
        else:
            need(USER_SCOPE in form["scope"].split(), "invalid_scope")
            need("client_secret" not in form, "invalid_client")
        token = form["refresh_token"]
        need(token not in self.used_refresh_tokens, "invalid_grant", "AADSTS70000: used twice")
        need(token in self.refresh_tokens, "invalid_grant", "AADSTS700082: expired or revoked")
        self.refresh_tokens.remove(token)
        self.used_refresh_tokens.add(token)
        return self._issue(GOOGLE_SCOPE if path == "/token" else USER_SCOPE, refreshable=True)

    def _of_service_account(self, form: Form) -> dict[str, Any]:
        issuer = "robot@project.example"
        claims = self._verified(
            form["assertion"],
            issuer,
            "https://oauth2.googleapis.com/token",  # wherever a test has its server
            ["RS256"],
            "invalid_grant",
        )
        need(claims["sub"] == ACCOUNT, "invalid_grant", "Invalid email or User ID")
        need(claims["scope"] == GOOGLE_SCOPE, "unauthorized_client", "Client is unauthorized to")
        return self._issue(claims["scope"], refreshable=False)

    def _issue(self, scope: str, *, refreshable: bool) -> dict[str, Any]:
        self._count += 1
        # One that the OAuth library's logs and our errors must never show.
        access = self.access_token(self._count)
        self.access_tokens.append(access)
        answer: dict[str, Any] = {
            "token_type": "Bearer",
            "access_token": access,
            "expires_in": self.expires_in,
            "scope": self.grants_scope or scope,
        }
        if refreshable and self.gives_refresh_token:
            refresh = f"0.refresh-token-number-{self._count}-{'r' * 40}"
            self.refresh_tokens.add(refresh)
            answer["refresh_token"] = refresh
        return answer

    def access_token(self, number: int) -> str:
        """The access token of a number; refresh tokens that are made apart count too."""
        return f"eyJ-access-token-number-{number}-{'a' * 40}"

    def new_refresh_token(self) -> str:
        self._count += 1
        token = f"0.first-refresh-token-{self._count}-{'f' * 40}"
        self.refresh_tokens.add(token)
        return token

    # -- sign-ins

    def _device(self, form: Form) -> Answer:
        need(form.get("client_id") == CLIENT, "unauthorized_client", "AADSTS700016: unknown")
        need({USER_SCOPE, "offline_access"} <= set(form["scope"].split()), "invalid_scope")
        return 200, {
            "device_code": f"device-code-{'d' * 40}",
            "user_code": "ABCD-EFGH",
            "verification_uri": "https://microsoft.example/devicelogin",
            "expires_in": 900,
            "interval": self.interval,
        }

    def _of_device(self, form: Form) -> dict[str, Any]:
        need(form["device_code"] == f"device-code-{'d' * 40}", "invalid_grant")
        need(not self.waiting, self.waiting.pop(0) if self.waiting else "")
        claims = {
            "aud": CLIENT,
            "iss": f"{self.url}/{TENANT}/v2.0",
            "sub": "ada",
            "iat": int(time.time()),
            "exp": int(time.time()) + 3600,
            "preferred_username": ACCOUNT,
        }
        return {
            **self._issue(f"{USER_SCOPE} openid profile", refreshable=True),
            "id_token": jwt.encode(claims, "k" * 32, algorithm="HS256"),
        }

    def _consent(self, form: Form) -> str:
        need(form["client_id"] == CLIENT, "invalid_client")
        need(form["response_type"] == "code", "unsupported_response_type")
        need(form["code_challenge_method"] == "S256", "invalid_request")
        need(GOOGLE_SCOPE in form["scope"].split(), "invalid_scope")
        need(form["access_type"] == "offline", "invalid_request")
        host = urlsplit(form["redirect_uri"]).hostname
        need(host == "127.0.0.1", "redirect_uri_mismatch")
        if self.denies:
            query = {"error": "access_denied", "state": form["state"]}
        else:
            code = f"4/code-{len(self._codes)}-{'c' * 40}"
            self._codes[code] = form
            query = {"code": code, "state": form["state"]}
        return f"{form['redirect_uri']}?{urlencode(query)}"

    def _of_code(self, form: Form) -> dict[str, Any]:
        asked = self._codes.pop(form["code"], None)
        if asked is None:
            raise Refused("invalid_grant", "Bad Request")
        need(form["client_id"] == CLIENT, "invalid_client")
        need(form["client_secret"] == SECRET, "invalid_client")
        need(form["redirect_uri"] == asked["redirect_uri"], "redirect_uri_mismatch")
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        need(challenge == asked["code_challenge"], "invalid_grant", "Invalid code verifier.")
        need(len(form["code_verifier"]) >= 43, "invalid_grant")
        scope = f"{GOOGLE_SCOPE} openid https://www.googleapis.com/auth/userinfo.email"
        claims = {"email": ACCOUNT, "iss": "https://accounts.google.com"}
        return {
            **self._issue(scope, refreshable=True),
            "id_token": jwt.encode(claims, "k" * 32, algorithm="HS256"),
        }


def untrusting() -> ssl.SSLContext:
    """For a test's own browser, which has to reach pages and no more."""
    return ssl.create_default_context(cafile=str(Authority.shared().ca_file))
