"""Which SASL mechanism is used: the strongest that profile, credentials and server share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from mailsend.credentials import ClientCertificate
from mailsend.errors import ConfigurationError
from mailsend.options import TlsOptions
from mailsend.sasl.bearer import oauthbearer, xoauth2
from mailsend.sasl.exchange import CramMd5, Credentials, External, Login, Plain, SaslMechanism
from mailsend.sasl.scram import scram_sha_1, scram_sha_256
from mailsend.tokens import OAuth2

BUILT_IN: Final = {
    mechanism.name: mechanism
    for mechanism in (
        SaslMechanism("EXTERNAL", External, ClientCertificate),
        SaslMechanism("OAUTHBEARER", oauthbearer, OAuth2),
        SaslMechanism("XOAUTH2", xoauth2, OAuth2),
        SaslMechanism("SCRAM-SHA-256", scram_sha_256),
        SaslMechanism("SCRAM-SHA-1", scram_sha_1),
        SaslMechanism("PLAIN", Plain),
        SaslMechanism("LOGIN", Login),
        # Last: it protects nothing that TLS does not, and servers that store hashes offer it
        # without being able to check it, so that a right password is refused.
        SaslMechanism("CRAM-MD5", CramMd5),
    )
}
"""Those that mailsend knows, the strongest first of those that present the same credentials."""


def choose(
    offered: Iterable[str],
    allowed: Sequence[str | SaslMechanism],
    credentials: Credentials,
) -> SaslMechanism | None:
    """The mechanism to use: the first that the server offers, of those that fit.

    Args:
        offered: names from the EHLO reply, in any case.
        allowed: the profile's own selection, in order of preference; empty for all built-in ones.
        credentials: what is to be presented.
    """
    known = {name.upper() for name in offered}
    return next((m for m in usable(allowed, credentials) if m.name in known), None)


def usable(
    allowed: Sequence[str | SaslMechanism], credentials: Credentials
) -> tuple[SaslMechanism, ...]:
    """The mechanisms of a selection that present such credentials, in its order.

    Args:
        allowed: names of built-in ones, and mechanisms; empty for all built-in ones.
        credentials: what is to be presented.
    """
    chosen = [m if isinstance(m, SaslMechanism) else BUILT_IN[m] for m in allowed]
    return tuple(m for m in chosen or BUILT_IN.values() if isinstance(credentials, m.presents))


def check_mechanisms(
    allowed: Sequence[str | SaslMechanism], credentials: Credentials | None
) -> None:
    """Refuse a selection that can never be used.

    Raises:
        ConfigurationError: A name is not known, or no mechanism presents such credentials.
    """
    for mechanism in allowed:
        if isinstance(mechanism, str) and mechanism not in BUILT_IN:
            raise ConfigurationError(
                f"the SASL mechanism {ascii(mechanism)[:80]} is not known",
                advice=f"Choose among {', '.join(BUILT_IN)}, or pass a SaslMechanism",
            )
    if credentials is not None and not usable(allowed, credentials):
        kind = type(credentials).__name__
        fitting = ", ".join(m.name for m in usable((), credentials))
        raise ConfigurationError(
            f"none of the mechanisms presents credentials of type {kind}",
            advice=f"Leave mechanisms out, or choose among {fitting}",
        )


def check_proof(username: str | None, credentials: object, tls: TlsOptions) -> None:
    """See that a user name and what proves it belong together.

    Raises:
        ConfigurationError: One is given without the other, or the proof is none.
    """
    if credentials is not None and not isinstance(credentials, Credentials):
        raise ConfigurationError(
            f"credentials has to be a Password, OAuth2 or ClientCertificate, not "
            f"{type(credentials).__name__}",
            advice="Write Password.from_env('SMTP_PASSWORD')",
        )
    if isinstance(credentials, ClientCertificate):
        if tls.client_cert is None:
            raise ConfigurationError(
                "credentials is ClientCertificate(), and tls has no client_cert",
                advice="Write tls=TlsOptions(client_cert='client.pem', client_key='client.key')",
            )
        return
    if (username is None) != (credentials is None):
        given, missing = (
            ("username", "credentials") if credentials is None else ("credentials", "username")
        )
        raise ConfigurationError(
            f"{given} is given without {missing}",
            advice="Give both, or neither for a server that asks for no authentication; a "
            "password is ?password_env=VARIABLE in a URL, password_env in a file, and "
            "SMTP_PASSWORD beside SMTP_USERNAME in the environment",
        )
