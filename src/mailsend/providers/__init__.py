"""Providers: what is known of them, and the registry that finds the right one."""

from mailsend.providers.provider import (
    Category,
    FromRule,
    OAuthSettings,
    PasswordPolicy,
    Policy,
    Provider,
    ProviderLimits,
    Status,
    UsernameRule,
)
from mailsend.providers.reading import read_providers
from mailsend.providers.registry import ProviderRegistry, UnknownProvider, providers
from mailsend.providers.sources import data_version, user_file

__all__ = [
    "Category",
    "FromRule",
    "OAuthSettings",
    "PasswordPolicy",
    "Policy",
    "Provider",
    "ProviderLimits",
    "ProviderRegistry",
    "Status",
    "UnknownProvider",
    "UsernameRule",
    "data_version",
    "providers",
    "read_providers",
    "user_file",
]
