"""The profile: every setting of a submission, checked before a socket opens."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import Factory, field, fields, frozen
from attrs.validators import instance_of, optional

from mailsend.address import MAX_ADDRESS_OCTETS
from mailsend.capabilities import Capabilities
from mailsend.credentials import ClientCertificate, Password
from mailsend.endpoint import STANDARD_PORTS, Endpoint, Security, as_security, check_host
from mailsend.errors import ConfigurationError
from mailsend.findings import Finding, findings_of
from mailsend.options import Limits, TlsOptions, check_switch
from mailsend.profile.environment import read_environment
from mailsend.profile.file import read_file
from mailsend.profile.from_provider import check_credentials, settings_for, username_from
from mailsend.profile.url import read_url
from mailsend.providers import (
    Provider,
    ProviderRegistry,
    UnknownProvider,
    UsernameRule,
    providers,
)
from mailsend.sasl.exchange import Credentials, SaslMechanism
from mailsend.sasl.mechanisms import check_mechanisms, check_proof
from mailsend.secret import Hidden
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


def _mechanisms(value: str | Iterable[str | SaslMechanism]) -> tuple[str | SaslMechanism, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        return _upper_words("mechanisms", value)
    given = list(value)
    names = iter(_upper_words("mechanisms", [m for m in given if not isinstance(m, SaslMechanism)]))
    return tuple(m if isinstance(m, SaslMechanism) else next(names) for m in given)


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


@frozen(kw_only=True, repr=False)
class SmtpProfile:
    """Which server to use, how to protect the connection, and who to be there.

    Attributes:
        host: name or IP address of the server.
        port: 1 to 65535; 0, the default, stands for the standard port of `security`.
        security: how the connection is protected. Left out, it follows from the port where the
            port has one meaning (465 or none: implicit TLS; 25, 587, 2525, 2587: STARTTLS).
        username: name to authenticate with, or None for a server that asks for none.
        credentials: the proof: a :class:`~mailsend.Password`, an :class:`~mailsend.OAuth2` token,
            or the :class:`~mailsend.ClientCertificate` of `tls`, which needs no user name.
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
        mechanisms: SASL mechanisms to use, in order of preference: names of built-in ones, and
            :class:`~mailsend.SaslMechanism` objects of one's own. Empty for the built-in ones, the
            strongest first: SCRAM-SHA-256, SCRAM-SHA-1, PLAIN, LOGIN, CRAM-MD5 for a password,
            OAUTHBEARER, XOAUTH2 for a token, EXTERNAL for a certificate. Only those that present
            the kind of `credentials` there is count. The first that the server offers is tried,
            once.
        disabled_extensions: EHLO keywords to treat as not offered, such as PIPELINING.
        allow_plaintext_credentials: send the password without encryption. Only possible with
            ``INSECURE_PLAINTEXT`` and a loopback address.
        name: what errors and logs call this profile.
        provider: whose server it is, where :meth:`for_provider` or :meth:`for_address` made the
            profile: its rules read the replies, and `check` knows its policies.

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
    credentials: Credentials | None = None
    client_name: str | None = None
    timeouts: Timeouts = field(factory=Timeouts)
    tls: TlsOptions = field(factory=TlsOptions)
    limits: Limits = field(factory=Limits)
    mechanisms: tuple[str | SaslMechanism, ...] = field(default=(), converter=_mechanisms)
    disabled_extensions: tuple[str, ...] = field(default=(), converter=_disabled_extensions)
    allow_plaintext_credentials: bool = field(default=False, validator=check_switch)
    name: str | None = None
    provider: Provider | None = field(
        default=None, validator=optional(instance_of(Provider)), eq=lambda p: p and p.key
    )

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
        credentials = self.credentials
        if self.provider is not None:
            check_credentials(self.provider, credentials)
        check_proof(self.username, credentials, self.tls)
        if credentials is None or self.security is not Security.INSECURE_PLAINTEXT:
            return
        if not self.allow_plaintext_credentials:
            raise ConfigurationError(
                "the credentials would cross the network without encryption",
                advice="Use Security.IMPLICIT_TLS or Security.STARTTLS; for a test server on this "
                "machine pass allow_plaintext_credentials=True",
            )
        if isinstance(credentials, ClientCertificate):
            raise ConfigurationError(
                "credentials is ClientCertificate(), and without TLS no certificate is shown",
                advice="Use Security.IMPLICIT_TLS or Security.STARTTLS",
            )
        for endpoint in self.endpoints:
            if endpoint.security is Security.INSECURE_PLAINTEXT and not endpoint.is_loopback:
                raise ConfigurationError(
                    f"credentials are never sent without encryption to {endpoint.host}, which is "
                    "not a loopback address",
                    advice="Use Security.IMPLICIT_TLS or Security.STARTTLS",
                )

    def _check_names(self) -> None:
        check_mechanisms(self.mechanisms, self.credentials)
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
        password = self.credentials
        same = isinstance(password, Password) and password.is_literally(self.username or "")
        rule = None if self.provider is None else self.provider.username
        return "<secret>" if same or rule is UsernameRule.TOKEN else str(self.username)

    def __repr__(self) -> str:
        values = {name.name: getattr(self, name.name) for name in fields(type(self))}
        if self.username is not None:
            values["username"] = self.shown_username
        if self.provider is not None:
            values["provider"] = self.provider.key
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

    def check(
        self, *, sender: str | None = None, today: dt.date | None = None
    ) -> tuple[Finding, ...]:
        """What is odd about the profile, found without any I/O. Empty if nothing is.

        Args:
            sender: an address that mail is to be sent from, to be held against the provider's rule.
            today: what the provider's dated policies are compared with; None is this day.
        """
        today = today or dt.datetime.now(dt.UTC).date()
        return tuple(findings_of(self, sender, today))

    @classmethod
    def for_provider(
        cls,
        provider: str | Provider,
        *,
        username: str | None = None,
        credentials: Credentials | None = None,
        region: str | None = None,
        registry: ProviderRegistry = providers,
        **settings: Any,
    ) -> SmtpProfile:
        """A profile with what is known of a provider filled in. Makes no connection.

        Its endpoints become the first and the fallbacks, its rule for user names is applied, its
        limits are kept.

        Args:
            provider: key or alias, such as ``gmail``, or a provider.
            username: name to authenticate with.
            credentials: what belongs to it.
            region: where the provider has servers by region.
            registry: where to look the provider up.
            **settings: of the profile, before what the provider says. With host, port or security
                there are no fallbacks but those given.

        Raises:
            UnknownProvider: There is none by that name.
            ConfigurationError: It takes no mail, or not with these credentials, or a setting
                cannot be used.
        """
        found = provider if isinstance(provider, Provider) else registry.get(provider)
        return cls(**settings_for(found, username, credentials, region, settings))

    @classmethod
    def for_address(
        cls,
        address: str,
        *,
        username: str | None = None,
        credentials: Credentials | None = None,
        region: str | None = None,
        registry: ProviderRegistry = providers,
        **settings: Any,
    ) -> SmtpProfile:
        """A profile for the provider of an address, by its domain alone; nothing is looked up.

        Args:
            address: of the account; it is the user name, if none is given with the credentials
                and the provider has no other rule.
            username: as :meth:`for_provider`, like all that follows.
            credentials: what belongs to it.
            region: where the provider has servers by region.
            registry: where to look the domain up.
            **settings: of the profile.

        Raises:
            InvalidAddress: It is no address.
            UnknownProvider: No provider is known by that domain.
            ConfigurationError: As :meth:`for_provider`.
        """
        provider = registry.for_address(address)
        if provider is None:
            raise UnknownProvider(
                f"no provider is known for {address}",
                advice="Name host, port and security as the provider documents them; "
                "mailsend.discovery.discover() asks the DNS for proposals",
            )
        if credentials is not None and username is None:
            username = username_from(provider, address)
        return cls.for_provider(
            provider, username=username, credentials=credentials, region=region, **settings
        )

    @classmethod
    def from_url(cls, url: str) -> SmtpProfile:
        """Read a profile from one line of text.

        ``smtps://`` is implicit TLS (port 465), ``smtp://`` is STARTTLS, required (port 587),
        ``smtp+insecure://`` is plaintext (port 25). User name and password are percent-encoded;
        options follow as a query, such as ``?timeout=20&client_name=host.example.org``: see
        :data:`mailsend.profile.url.OPTIONS`.

        Raises:
            ConfigurationError: It is no such URL, or has an unknown option.
        """
        held = Hidden(url)
        del url
        return cls(**read_url(held))

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
        return cls(**read_environment(held))

    @classmethod
    def load(cls, name: str, path: str | os.PathLike[str] | None = None) -> SmtpProfile:
        """Read the table ``[profiles.NAME]`` of a TOML file.

        With a key ``provider``, what is not said is filled in as :meth:`for_provider` does it.

        Args:
            name: the profile's name.
            path: the file. None takes ``$MAILSEND_CONFIG``, else
                ``$XDG_CONFIG_HOME/mailsend/config.toml`` (``~/.config`` if that is not set). The
                working directory is never searched: a profile may name a command to run.

        Raises:
            ConfigurationError: There is no such file or profile, or a key or value is wrong.
        """
        settings = read_file(name, path)
        provider = settings.pop("provider", None)
        return cls(**settings) if provider is None else cls.for_provider(provider, **settings)


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
