"""What the libraries of the providers speak HTTPS with, and nothing but HTTPS."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from mailsend.errors import ConfigurationError, TokenError
from mailsend.stage import Stage

if TYPE_CHECKING:
    import requests

SECONDS: Final = (10.0, 30.0)  # to connect, and for each read of an answer
_LONGEST: Final = 1_000_000  # octets of an answer; real ones have some thousand


class Unavailable(Exception):
    """The authorization server gave no answer that can be read. No secret in it."""


class Refusal(Exception):
    """The authorization server refused something by an OAuth2 error response (RFC 6749 §5.2).

    Attributes:
        answer: the error response.
    """

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__("the authorization server refused")
        self.answer = answer


class HttpsClient:
    """Sends requests over verified TLS, follows no redirect, and reads JSON objects alone.

    A redirect would carry a secret to another host, and of an answer that is no JSON, libraries
    write the whole text to their logs. Proxies of the environment are used.

    Args:
        ca_file: certificate authorities to trust instead of the usual ones, in PEM.
        extra: the extra of mailsend that brings what is needed.

    Raises:
        ConfigurationError: The extra is not installed, or `ca_file` cannot be used.
    """

    def __init__(self, ca_file: Path | None, extra: str) -> None:
        try:
            import requests  # noqa: PLC0415 - an extra, and slow to import
            from requests.adapters import HTTPAdapter  # noqa: PLC0415
        except ImportError as error:
            raise missing(extra, "requests") from error
        if ca_file is not None:
            _check(ca_file)
        self._verify = True if ca_file is None else str(ca_file)
        self._session = requests.Session()
        self._session.adapters.clear()  # without the one for http://
        self._session.mount("https://", HTTPAdapter())
        self._session.auth = _as_it_is  # else ~/.netrc may put a password into the request

    def get(self, url: str, **settings: Any) -> requests.Response:
        """Send a GET request; see :meth:`request`."""
        answer = self.request("GET", url, **settings)
        if answer.status_code != 200:
            raise Refusal(answer.json())
        return answer

    def post(self, url: str, **settings: Any) -> requests.Response:
        """Send a POST request; see :meth:`request`."""
        return self.request("POST", url, **settings)

    def request(
        self,
        method: str,
        url: str,
        *,
        data: Mapping[str, str] | str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        **_: object,
    ) -> requests.Response:
        """Send a request.

        Returns:
            An answer that is a JSON object, of a success or a refusal.

        Raises:
            Unavailable: There is none.
        """
        import requests  # noqa: PLC0415 - found by __init__

        trouble = ""
        try:
            answer = self._session.request(
                method,
                url,
                data=data,
                headers=headers,
                params=params,
                timeout=SECONDS,
                allow_redirects=False,
                verify=self._verify,
                stream=True,
            )
            with answer:
                trouble = _trouble_of(answer)
                if not trouble:
                    return answer
        except requests.RequestException as error:
            trouble = _reason(error)
        # Not within the except: what requests raises holds the request, and with it the secret.
        raise Unavailable(f"{_host(url)} {trouble}")

    def close(self) -> None:
        """Close what connections are left."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def missing(extra: str, package: str) -> ConfigurationError:
    """The error that says which extra to install."""
    return ConfigurationError(
        f"the package {package} is not installed, which gets access tokens",
        advice=f"Install mailsend with its extra: mailsend[{extra}]",
    )


def unavailable(provider: str, trouble: Unavailable) -> TokenError:
    """The error for a provider that does not answer: worth another try, in minutes."""
    return TokenError(
        f"{provider} gave no access token: {trouble}",
        stage=Stage.AUTH,
        advice="Nothing was sent. Look whether this machine reaches the provider over HTTPS, "
        "through the proxy in HTTPS_PROXY if there is one",
    )


def _as_it_is(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    return prepared


def _check(ca_file: Path) -> None:
    try:
        ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ValueError) as error:  # SSLError is an OSError
        raise ConfigurationError(
            f"the ca_file {ca_file} cannot be used",
            advice="It has to be a PEM file, beginning with -----BEGIN CERTIFICATE-----",
        ) from error


def _trouble_of(answer: requests.Response) -> str:
    octets = answer.raw.read(_LONGEST + 1, decode_content=True)
    if len(octets) > _LONGEST:
        return f"answered with more than {_LONGEST:,} octets"
    answer._content = octets  # noqa: SLF001 - what reading `content` does, but with a bound
    answer._content_consumed = True  # noqa: SLF001
    status = answer.status_code
    if status >= 500 or status == 429:
        return f"answered with status {status}"
    if 300 <= status < 400:
        return f"answered with status {status}, a redirect, which is not followed"
    try:
        read = json.loads(octets)
    except ValueError:
        read = None
    if not isinstance(read, dict):
        return f"answered with status {status} and no JSON object"
    return ""


def _reason(error: Exception) -> str:
    """What went wrong, in the words of the innermost error that has some."""
    innermost: BaseException = error
    seen = {id(innermost)}
    while True:
        inner = _within(innermost)
        if inner is None or id(inner) in seen:
            break
        seen.add(id(inner))
        innermost = inner
    if isinstance(innermost, ssl.SSLCertVerificationError):
        return f"has a certificate that is not trusted: {innermost.verify_message.rstrip('.')}"
    words = getattr(innermost, "strerror", None)
    return f"cannot be reached: {words or type(innermost).__name__}"


def _within(error: BaseException) -> BaseException | None:
    reason = getattr(error, "reason", None)
    for inner in (reason, *error.args, error.__cause__, error.__context__):
        if isinstance(inner, BaseException):
            return inner
    return None


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]
