"""``mailsend discover``: proposals for where an address submits its mail."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from mailsend.cli.exit_codes import ExitCode
from mailsend.cli.output import hanging, put, warnings_shown
from mailsend.cli.provider_words import facts_of, regions_of, servers

if TYPE_CHECKING:
    from mailsend.discovery import Proposal

_DESCRIPTION = """\
Propose where an address submits its mail: from the providers that are known,
from the SRV records of its domain, and from its mail exchangers. The domain is
all that is asked about, by DNS, and only if no provider is known for it. No
mail server is connected to, and nothing is guessed.

Check a proposal that needs confirmation before you trust it with a password:
without DNSSEC, whoever answers for the DNS can lead you anywhere.
"""
_EPILOG = """\
exit status:
   0  a server was found
  64  the command line is wrong
  65  the address is none
  69  none was found, or the provider takes no mail by SMTP
  75  the DNS did not answer; trying again later may help
"""
_METHODS: Final = {
    "registry_domain": "the provider of the address, by its domain",
    "srv_submissions": "a DNS record of the domain for submission over TLS",
    "srv_submission": "a DNS record of the domain for submission with STARTTLS",
    "registry_mx": "the provider that the domain's mail goes to",
}


def add_command(commands: Any) -> None:
    """Add ``discover`` to the parser."""
    parser = commands.add_parser(
        "discover",
        help="propose where an address submits its mail",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("address", metavar="ADDRESS")
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="for all look-ups together; default: 10"
    )
    parser.add_argument(
        "--thorough", action="store_true", help="ask the DNS even if the provider is known"
    )
    parser.add_argument(
        "--trust-ad",
        action="store_true",
        help="believe a resolver on this machine that says it validated; only if it does",
    )
    parser.add_argument("--json", action="store_true", help="print the proposals as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Look for proposals, and print them."""
    from mailsend.discovery import discover  # noqa: PLC0415 - no other command needs it

    with warnings_shown():
        found = discover(
            arguments.address,
            seconds=arguments.seconds,
            thorough=arguments.thorough,
            trust_ad=arguments.trust_ad,
        )
    if arguments.json:
        put(json.dumps([_facts(proposal) for proposal in found], indent=2))
    elif found:
        put("\n".join(line for n, proposal in enumerate(found, 1) for line in _lines(n, proposal)))
    if not found:
        print(
            f"mailsend: nothing was found for {arguments.address}: take host, port and security "
            "from the provider's own pages",
            file=sys.stderr,
        )
    usable = any(p.endpoints or (p.provider and p.provider.regions) for p in found)
    return ExitCode.OK if usable else ExitCode.UNAVAILABLE


def _lines(number: int, proposal: Proposal) -> Iterator[str]:
    if number > 1:
        yield ""
    yield from hanging(f"Proposal {number}", _METHODS[proposal.method])
    if proposal.provider is not None:
        yield from hanging("Provider", f"{proposal.provider.name} ({proposal.provider.key})")
    values = list(servers(proposal.endpoints))
    if not values and proposal.provider is not None:
        values = list(regions_of(proposal.provider))
    for line, value in enumerate(values or ["none"]):
        label = "Server" if proposal.endpoints or not values else "Regions"
        yield from hanging("" if line else label, value)
    trust = "authenticated" if proposal.authenticated else "not authenticated"
    asking = ": needs confirmation" if proposal.needs_confirmation else ""
    yield from hanging("Trust", f"{trust}{asking}")
    yield from hanging("Why", proposal.reason)


def _facts(proposal: Proposal) -> dict[str, Any]:
    return {
        "method": proposal.method.value,
        "endpoints": facts_of(proposal.endpoints),
        "provider": proposal.provider.key if proposal.provider is not None else None,
        "authenticated": proposal.authenticated,
        "needs_confirmation": proposal.needs_confirmation,
        "reason": proposal.reason,
    }
