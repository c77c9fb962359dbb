"""What a user sees: names, documentation, and how little an import loads."""

from __future__ import annotations

import inspect
import json
import logging
import subprocess
import sys
from typing import Any

import pytest

import mailsend
from mailsend import errors

# Names that users' programs rely on.
PROMISED = {
    "Address", "AddressRules", "Attachment", "AuthenticationError", "CapabilityError", "Cause",
    "ConfigurationError", "ConnectError", "DeliverBy", "DeliverByMode", "DeliveryReport",
    "DeliveryUncertain", "Endpoint", "EnhancedStatus", "Envelope", "EnvelopeOptions",
    "ImplicitTlsTransport", "InsecurePlaintextTransport", "Interpretation", "InvalidAddress",
    "InvalidMessage", "Limits", "MailsendError", "MemoryTransport", "MessageRefused", "Notify",
    "Password", "PooledTransport", "ProtocolViolation", "Recipient", "RecipientsRefused", "Reply",
    "ReplyError", "ReturnContent", "Scope", "Security",
    "SenderRefused", "ServiceUnavailable", "SessionError", "SessionLost", "SessionTimeout",
    "SmtpProfile", "StartTlsTransport", "Submission", "Timeouts", "TlsError", "TlsOptions",
    "Transport", "compose", "interpret", "open_transport", "parse_address",
    "report_of",
}  # fmt: skip

PUBLIC = [(name, getattr(mailsend, name)) for name in mailsend.__all__]


def test_all_is_sorted_and_says_the_truth() -> None:
    assert mailsend.__all__ == sorted(mailsend.__all__)
    assert len(set(mailsend.__all__)) == len(mailsend.__all__)
    assert set(mailsend.__all__) >= PROMISED
    visible = {
        name
        for name, value in vars(mailsend).items()
        if not name.startswith("_")
        and not inspect.ismodule(value)
        and name not in {"annotations", "TYPE_CHECKING", "Any", "Final", "import_module"}
    }
    assert visible | set(mailsend._LATER) == set(mailsend.__all__)
    assert not visible & set(mailsend._LATER)


def test_every_error_is_public() -> None:
    for name, value in vars(errors).items():
        if isinstance(value, type) and issubclass(value, mailsend.MailsendError):
            assert getattr(mailsend, name) is value


def own_members(cls: type) -> list[tuple[str, Any]]:
    return [
        (name, value)
        for name, value in vars(cls).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or isinstance(value, property | classmethod))
    ]


@pytest.mark.parametrize(("name", "value"), PUBLIC)
def test_everything_public_is_documented(name: str, value: Any) -> None:
    assert inspect.getdoc(value), name
    if isinstance(value, type):
        assert value.__doc__, name
        # attrs and the standard library write some that say nothing.
        assert not value.__doc__.startswith(f"{name}(")


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, v in PUBLIC if inspect.isfunction(v)])
def test_functions_say_what_they_raise_and_take(name: str, value: Any) -> None:
    text = inspect.getdoc(value) or ""
    for parameter in inspect.signature(value).parameters:
        assert parameter in text, f"{name}: {parameter}"


def test_the_fields_of_values_are_documented() -> None:
    for name, value in PUBLIC:
        for field in getattr(value, "__attrs_attrs__", ()):
            if field.init and not field.name.startswith("_"):
                assert f"{field.name}:" in (value.__doc__ or ""), f"{name}.{field.name}"


def test_the_version_is_known() -> None:
    # Run from a source tree that is not installed there may be none, which is no ImportError.
    assert isinstance(getattr(mailsend, "__version__", ""), str)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        mailsend.nonsense  # noqa: B018


def test_logging_is_silent_until_asked() -> None:
    handlers = logging.getLogger("mailsend").handlers
    assert any(isinstance(handler, logging.NullHandler) for handler in handlers)
    assert logging.getLogger("mailsend").level == logging.NOTSET


def loaded_by(code: str) -> set[str]:
    """Modules that a fresh interpreter has after some code and had not before."""
    program = (
        "import sys, json; before = set(sys.modules); "
        f"exec({code!r}); print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == ""
    return set(json.loads(done.stdout))


IMPORTED = loaded_by("import mailsend")
THIRD_PARTY = {"attr", "attrs", "mailsend"}
HEAVY = {
    "asyncio", "certifi", "cryptography", "css_inline", "dkim", "dns", "email_validator", "google",
    "idna", "importlib.metadata", "jinja2", "keyring", "mailsend.cli", "mailsend.css",
    "mailsend.oauth", "mailsend.preview", "mailsend.templates", "mailsend.testing", "msal",
    "multiprocessing", "nacl", "pytest", "requests", "sqlite3", "trustme", "typing_extensions",
    "unittest", "xml", "http", "argparse",
}  # fmt: skip


def test_an_import_loads_nothing_of_others_but_attrs() -> None:
    tops = {name.split(".")[0] for name in IMPORTED}
    foreign = {
        name for name in tops if name not in sys.stdlib_module_names and not name.startswith("__")
    }
    assert foreign == THIRD_PARTY


@pytest.mark.parametrize("name", sorted(HEAVY))
def test_an_import_loads_nothing_that_is_needed_later(name: str) -> None:
    assert name not in IMPORTED


def test_an_ascii_address_needs_no_tables() -> None:
    loaded = loaded_by("import mailsend; mailsend.Envelope('a@x.org', ['b@y.org'])")
    assert not loaded & {"email_validator", "idna", "dns"}


def test_an_international_address_loads_them() -> None:
    loaded = loaded_by("import mailsend; mailsend.Envelope('a@x.org', ['b@b\\xfccher.example'])")
    assert {"email_validator", "idna"} <= loaded
    # Whether a domain exists is never asked.
    assert "dns.resolver" not in loaded


def test_a_profile_needs_no_certificates() -> None:
    loaded = loaded_by(
        "import mailsend as m; m.ImplicitTlsTransport(m.SmtpProfile(host='h.example'))"
    )
    assert "certifi" not in loaded


def test_extras_are_loaded_by_what_uses_them() -> None:
    loaded = loaded_by(
        "from mailsend import PreviewTransport, Rendered, Template, inline_css; import mailsend.cli"
    )
    assert not loaded & {"jinja2", "markupsafe", "css_inline"}


def test_the_testing_tools_stay_out_of_the_way() -> None:
    loaded = loaded_by("import mailsend.cli")
    assert not {name for name in loaded if name.startswith(("mailsend.testing", "trustme"))}
