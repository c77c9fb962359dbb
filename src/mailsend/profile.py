"""The profile: every setting of a submission, checked before a socket opens."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from attrs import Factory, field, fields, frozen

from mailsend import profile_sources
from mailsend.address import MAX_ADDRESS_OCTETS
from mailsend.capabilities import Capabilities
from mailsend.credentials import Hidden, Password
from mailsend.endpoint import STANDARD_PORTS, Endpoint, Security, as_security, check_host
from mailsend.errors import ConfigurationError
from mailsend.options import Limits, TlsOptions, check_switch
from mailsend.sasl import PASSWORD_MECHANISMS
from mailsend.timeouts import Timeouts

_STARTTLS_PORTS: Final = frozenset({25, 587, 2525, 2587})


def _security_for_port(profile: SmtpProfile) -> Security:
    if not isinstance(profile.port, int):
        return Security.IMPLICIT_TLS  # the endpoint will say what is wrong with the port
    if profile.port in {0, STANDARD_PORTS[Security.IMPLICIT_TLS]}:
        return Security.IMPLICIT_TLS
    if profile.port in _STARTTLS_PORTS:
        return Security.STARTTLS
    raise ConfigurationError(
        f"port {profile.port!r} does not tell how the server protects connections",
        advice="Pass security=Security.IMPLICIT_TLS or security=Security.STARTTLS; the provider's "
        "documentation calls the first SSL/TLS",
    )


def _upper_words(setting: str, value: str | Iterable[str]) -> tuple[str, ...]:
    words = value.replace(",", " ").split() if isinstance(value, str) else value
    names = tuple(words) if isinstance(words, Iterable) else (None,)
    if not all(isinstance(name, str) for name in names):
        raise ConfigurationError(f"{setting} has to be a list of names, not {ascii(value)[:80]}")
    return tuple(str(name).upper() for name in names)


def _mechanisms(value: str | Iterable[str]) -> tuple[str, ...]:
    return _upper_words("mechanisms", value)


def _disabled_extensions(value: str | Iterable[str]) -> tuple[str, ...]:
    return _upper_words("disabled_extensions", value)


def _endpoints(value: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    endpoints = tuple(value) if isinstance(value, Iterable) else (value,)
    for endpoint in endpoints:
        if not isinstance(endpoint, Endpoint):
            raise ConfigurationError(
                f"fallbacks has to be a list of endpoints, not of {type(endpoint).__name__}",
                advice="Write [Endpoint('smtp.example.org', 465, Security.IMPLICIT_TLS)]",
            )
    return endpoints


class Severity(StrEnum):
    """How much a finding matters: ``PROBLEM`` will not work, ``WARNING`` may not."""

    PROBLEM = "problem"
    WARNING = "warning"


@frozen
class Finding:
    """Something about a profile that is worth a second look.

    Attributes:
        severity: how much it matters.
        field: the setting it concerns.
        message: what is odd.
        advice: what to change.
    """

    severity: Severity
    field: str
    message: str
    advice: str

    def __str__(self) -> str:
        return f"{self.severity.value}: {self.message}. {self.advice}."


@frozen(kw_only=True, repr=False)
class SmtpProfile:
    """Which server to use, how to protect the connection, and who to be there.

    Attributes:
        host: name or IP address of the server.
        port: 1 to 65535; 0, the default, stands for the standard port of `security`.
        security: how the connection is protected. Left out, it follows from the port where the
            port has one meaning (465 or none: implicit TLS; 25, 587, 2525, 2587: STARTTLS).
        username: name to authenticate with, or None for a server that asks for none.
        credentials: the password that belongs to it.
        fallbacks: other endpoints, tried in this order where the earlier ones cannot be used:
            whatever goes wrong before authentication, such as a port that the network blocks or a
            server that is down. Not where the server cannot be trusted or does not want this
            client, and not where the credentials are refused. All endpoints share the budgets of
            `timeouts`. None may be less secure than the first; implicit TLS and STARTTLS count as
            equal, since both are required and verified. A transport that had to use one goes on
            with it until it is closed.
        client_name: what EHLO says: this machine's full domain name, or an address literal. None
            says the literal of the socket's own address; a look-up in the DNS is never made.
        timeouts: seconds for each stage.
        tls: whom to trust.
        limits: bounds on what is received and sent.
        mechanisms: SASL mechanisms to use, in order of preference; empty for PLAIN, LOGIN,
            CRAM-MD5. One of them is tried, once.
        disabled_extensions: EHLO keywords to treat as not offered, such as PIPELINING.
        allow_plaintext_credentials: send the password without encryption. Only possible with
            ``INSECURE_PLAINTEXT`` and a loopback address.
        name: what errors and logs call this profile.

    Raises:
        ConfigurationError: A setting cannot be used, or two contradict each other.
    """

    host: str = field(converter=check_host)
    port: int = 0
    security: Security = field(
        default=Factory(_security_for_port, takes_self=True), converter=as_security
    )
    fallbacks: tuple[Endpoint, ...] = field(default=(), converter=_endpoints)
    username: str | None = None
    credentials: Password | None = None
    client_name: str | None = None
    timeouts: Timeouts = field(factory=Timeouts)
    tls: TlsOptions = field(factory=TlsOptions)
    limits: Limits = field(factory=Limits)
    mechanisms: tuple[str, ...] = field(default=(), converter=_mechanisms)
    disabled_extensions: tuple[str, ...] = field(default=(), converter=_disabled_extensions)
    allow_plaintext_credentials: bool = field(default=False, validator=check_switch)
    name: str | None = None

    def __attrs_post_init__(self) -> None:
        if self.port == 0 and not isinstance(self.port, bool):
            object.__setattr__(self, "port", STANDARD_PORTS[self.security])
        Endpoint(self.host, self.port, self.security)
        for setting in ("username", "client_name", "name"):
            _check_text(setting, getattr(self, setting))
        if self.client_name is not None:
            _check_client_name(self.client_name)
        for setting, kind in (("timeouts", Timeouts), ("tls", TlsOptions), ("limits", Limits)):
            if not isinstance(getattr(self, setting), kind):
                raise ConfigurationError(f"{setting} has to be of type {kind.__name__}")
        self._check_fallbacks()
        self._check_credentials()
        self._check_names()

    def _check_fallbacks(self) -> None:
        for number, endpoint in enumerate(self.fallbacks):
            plain = endpoint.security is Security.INSECURE_PLAINTEXT
            if plain and self.security is not Security.INSECURE_PLAINTEXT:
                raise ConfigurationError(
                    f"the fallback {endpoint} has no encryption, and {self.endpoint} has",
                    advice="Give fallbacks with Security.IMPLICIT_TLS or Security.STARTTLS only",
                )
            if endpoint in self.endpoints[: number + 1]:
                raise ConfigurationError(
                    f"the endpoint {endpoint} stands twice", advice="Give each endpoint once"
                )

    def _check_credentials(self) -> None:
        if self.credentials is not None and not isinstance(self.credentials, Password):
            kind = type(self.credentials).__name__
            raise ConfigurationError(
                f"credentials has to be a Password, not {kind}",
                advice="Write Password.from_env('SMTP_PASSWORD')",
            )
        if (self.username is None) != (self.credentials is None):
            given, missing = (
                ("username", "credentials")
                if self.credentials is None
                else ("credentials", "username")
            )
            raise ConfigurationError(
                f"{given} is given without {missing}",
                advice="Give both, or neither for a server that asks for no authentication; a "
                "password is ?password_env=VARIABLE in a URL, password_env in a file, and "
                "SMTP_PASSWORD beside SMTP_USERNAME in the environment",
            )
        if self.credentials is None or self.security is not Security.INSECURE_PLAINTEXT:
            return
        if not self.allow_plaintext_credentials:
            raise ConfigurationError(
                "the password would cross the network without encryption",
                advice="Use Security.IMPLICIT_TLS or Security.STARTTLS; for a test server on this "
                "machine pass allow_plaintext_credentials=True",
            )
        for endpoint in self.endpoints:
            if endpoint.security is Security.INSECURE_PLAINTEXT and not endpoint.is_loopback:
                raise ConfigurationError(
                    f"credentials are never sent without encryption to {endpoint.host}, which is "
                    "not a loopback address",
                    advice="Use Security.IMPLICIT_TLS or Security.STARTTLS",
                )

    def _check_names(self) -> None:
        for mechanism in self.mechanisms:
            if mechanism not in PASSWORD_MECHANISMS:
                raise ConfigurationError(
                    f"the SASL mechanism {ascii(mechanism)[:80]} is not known",
                    advice=f"Choose among {', '.join(PASSWORD_MECHANISMS)}",
                )
        for keyword in self.disabled_extensions:
            if not keyword.isascii() or not keyword.replace("-", "").isalnum():
                raise ConfigurationError(f"{ascii(keyword)[:80]} is no keyword of an extension")
            if keyword in {"STARTTLS", "AUTH"}:
                raise ConfigurationError(
                    f"the extension {keyword} cannot be switched off",
                    advice="Choose `security`, and leave out `username` to send without AUTH",
                )

    @property
    def shown_username(self) -> str:
        """The user name to show; with some providers, name and password are the same token."""
        same = self.credentials is not None and self.credentials.is_literally(self.username or "")
        return "<secret>" if same else str(self.username)

    def __repr__(self) -> str:
        values = {name.name: getattr(self, name.name) for name in fields(type(self))}
        if self.username is not None:
            values["username"] = self.shown_username
        shown = ", ".join(f"{name}={value!r}" for name, value in values.items())
        return f"{type(self).__name__}({shown})"

    @property
    def endpoint(self) -> Endpoint:
        """Where to connect first."""
        return Endpoint(self.host, self.port, self.security)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where to connect, in order: the first one and the fallbacks."""
        return (self.endpoint, *self.fallbacks)

    def usable(self, capabilities: Capabilities) -> Capabilities:
        """What may be used of what a server offers."""
        return capabilities.without(self.disabled_extensions)

    def check(self) -> tuple[Finding, ...]:
        """What is odd about the profile, found without any I/O. Empty if nothing is."""
        return tuple(_findings(self))

    @classmethod
    def from_url(cls, url: str) -> SmtpProfile:
        """Read a profile from one line of text.

        ``smtps://`` is implicit TLS (port 465), ``smtp://`` is STARTTLS, required (port 587),
        ``smtp+insecure://`` is plaintext (port 25). User name and password are percent-encoded;
        options follow as a query, such as ``?timeout=20&client_name=host.example.org``: see
        :data:`mailsend.profile_sources.OPTIONS`.

        Raises:
            ConfigurationError: It is no such URL, or has an unknown option.
        """
        held = Hidden(url)
        del url
        return cls(**profile_sources.read_url(held))

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> SmtpProfile:
        """Read ``MAILSEND_URL``, or where that is not set a group of variables.

        They are ``SMTP_HOST``, ``SMTP_PORT``, ``SMTP_SECURITY``, ``SMTP_USERNAME`` and
        ``SMTP_PASSWORD``.

        Raises:
            ConfigurationError: Neither ``MAILSEND_URL`` nor ``SMTP_HOST`` is set, or a value
                cannot be used.
        """
        held = Hidden(environ)
        del environ
        return cls(**profile_sources.read_environment(held))

    @classmethod
    def load(cls, name: str, path: str | os.PathLike[str] | None = None) -> SmtpProfile:
        """Read the table ``[profiles.NAME]`` of a TOML file.

        Args:
            name: the profile's name.
            path: the file. None takes ``$MAILSEND_CONFIG``, else
                ``$XDG_CONFIG_HOME/mailsend/config.toml`` (``~/.config`` if that is not set). The
                working directory is never searched: a profile may name a command to run.

        Raises:
            ConfigurationError: There is no such file or profile, or a key or value is wrong.
        """
        settings = profile_sources.read_file(name, path)
        return cls(**settings)


def _check_text(setting: str, value: object) -> None:
    if value is None:
        return
    if not isinstance(value, str):
        raise ConfigurationError(f"{setting} has to be a string, not {type(value).__name__}")
    if not value:
        raise ConfigurationError(
            f"{setting} is empty", advice=f"Leave {setting} out, or fill it in"
        )
    if not value.isprintable():
        raise ConfigurationError(f"{setting} contains a control character: {value[:80]!a}")
    if len(value.encode()) > 4 * MAX_ADDRESS_OCTETS:
        raise ConfigurationError(f"{setting} has more than {4 * MAX_ADDRESS_OCTETS} octets")


def _check_client_name(name: str) -> None:
    if name.startswith("[") and name.endswith("]"):
        literal = name[1:-1]
        version_6 = literal.upper().startswith("IPV6:")
        try:
            ipaddress.IPv6Address(literal[5:]) if version_6 else ipaddress.IPv4Address(literal)
        except ValueError as error:
            raise ConfigurationError(
                f"client_name {ascii(name)[:80]} is no address literal"
            ) from error
        if "%" in literal:
            raise ConfigurationError(f"client_name {ascii(name)[:80]} has a zone")
    elif check_host(name, "client_name") != name or ":" in name:
        raise ConfigurationError(
            f"client_name {ascii(name)[:80]} is no domain name in ASCII and no address literal",
            advice="Write host.example.org, [192.0.2.1] or [IPv6:2001:db8::1] (RFC 5321 §4.1.4)",
        )


def _findings(profile: SmtpProfile) -> Iterable[Finding]:
    problem, warning = Severity.PROBLEM, Severity.WARNING
    for endpoint, setting in zip(
        profile.endpoints, ("security", *["fallbacks"] * len(profile.fallbacks)), strict=True
    ):
        if endpoint.port == 465 and endpoint.security is not Security.IMPLICIT_TLS:
            yield Finding(
                problem,
                setting,
                "port 465 speaks TLS from the first octet, so a client that waits for a greeting "
                "in the clear waits for ever",
                "Use security=Security.IMPLICIT_TLS, or port=587 with STARTTLS",
            )
        if endpoint.port in {25, 587} and endpoint.security is Security.IMPLICIT_TLS:
            yield Finding(
                problem,
                setting,
                f"port {endpoint.port} begins in the clear and upgrades with STARTTLS",
                "Use security=Security.STARTTLS, or port=465 with implicit TLS",
            )
        if endpoint.port == 25 and profile.credentials is not None:
            yield Finding(
                warning,
                "port" if setting == "security" else setting,
                "port 25 is for relaying between servers; many networks block it and many servers "
                "offer no authentication there",
                "Use port 465 with implicit TLS or port 587 with STARTTLS (RFC 8314 §3.3)",
            )
        if endpoint.security is Security.INSECURE_PLAINTEXT and not endpoint.is_loopback:
            yield Finding(
                warning,
                setting,
                f"messages to {endpoint.host} cross the network where anybody can read and change "
                "them",
                "Use security=Security.IMPLICIT_TLS or Security.STARTTLS",
            )
    if profile.client_name is not None and not {".", "["} & set(profile.client_name):
        yield Finding(
            warning,
            "client_name",
            f"{profile.client_name} is no full domain name, and servers such as Microsoft's refuse "
            "that with 501 5.5.4",
            "Use this machine's full domain name, or leave client_name out",
        )
    if profile.timeouts.end_of_data < 60:
        yield Finding(
            warning,
            "timeouts.end_of_data",
            f"{profile.timeouts.end_of_data:g} s may be over before a busy server confirms a "
            "message, which then counts as uncertain",
            "Leave it at 600 s (RFC 5321 §4.5.3.2.6)",
        )
