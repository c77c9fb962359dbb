"""Checking addresses in bulk: parse_address() beside email-validator, in one run.

    python benchmarks/addresses.py [--addresses 10000] [--rounds 7] [--json FILE]

First both are asked about a corpus, and have to agree on what is an address but for the
differences that are listed with their reasons. Then they take turns on lists of addresses:
email-validator by `validate_email(address, check_deliverability=False)`, once for each address. No
DNS is asked by either. What mailsend remembers of domains is forgotten before each of its turns, so
that every turn is a first one. A row gives the median over the rounds of each time, and of the
ratio of the two times of a round, with its extremes.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from email_validator import EmailNotValidError, validate_email

from mailsend import InvalidAddress, parse_address
from mailsend.domain import check_domain

DOMAINS = 500
BOTH_TAKE = [
    "ada@example.com", "Ada.Lovelace+notes@Mail.Example.COM", "o'hara@example.com", "a@b.co",
    "1@2.com", "x_y-z@a-b.com", "!#$%&'*+/=^_`{|}~-@example.com", "a@xn--bcher-kva.com",
    "a@bücher.com", "a@BÜCHER.com", "a@straße.de", "a@faß.de", "a@xn--strae-oqa.de",
    "a@例え.みんな", "a@παράδειγμα.ελ", "a@почта.рф", "bü@example.com", "用户@例え.みんな",
    "a@אבג.com",
]  # fmt: skip
BOTH_REFUSE = [
    "", " ", "me", "@", "ada@", "@example.com", "ada@@example.com", "a@b@example.com",
    ".a@example.com", "a.@example.com", "a..b@example.com", "a@.com", "a@example..com",
    "a@example.com.", "a@-b.com", "a@b-.com", "a@b_c.com", "a@bü_cher.com", "<a@example.com>",
    "a@example.com,b@example.com", "a@example.com;b@example.com", "a@example.com>x",
    "(a)b@example.com", "b@example.com(a)", "@a:b@example.com", "g:a@example.com;",
    "mailto:a@example.com", '"a"@example.com', '"a b"@example.com', '"a"b@example.com',
    '"a\\"@example.com', '"Ada" <a@example.com>', "a@b <c@example.com>", "a\\@example.com",
    "a[b]@example.com", "a@[192.0.2.1]", "a@[IPv6:2001:db8::1]", "a@192.0.2.1", "a@☃.com",
    "a@xn--.com", "a@xn--abc.com", "a@xn--bcher-kvb.com", "a@x\u05d0y.com",
    " a@example.com", "a@example.com ", "a b@example.com", "a@exam ple.com", "a@example.com\n",
    "a@example.com\r\nRCPT TO:<b@example.com>", "a\0@example.com", "a\u2028@example.com",
    "a\u202e@example.com", "a\u200b@example.com", "a\u00a0b@example.com", "\u0301a@example.com",
    "a@" + "x" * 64 + ".com", "a@" + "x." * 130 + "com", "x" * 250 + "@example.com",
    "é" * 130 + "@example.com",
]  # fmt: skip
# Address, whether mailsend takes it where email-validator does not or the other way round, and why.
DIFFERENT = [
    ("root@localhost", True, "whether a local relay knows it is the server's knowledge"),
    ("ada@relay.test", True, "the same"),
    ("ada@printer.local", True, "the same"),
    ("ada@1.2", True, "the same"),
    ("ada@ab--cd.com", True, "the same"),
    ("ada@xn--i-7iq.ws", True, "registered before IDNA 2008, or without regard to it"),
    ("ada@xn--mgba3gch31f060k.com", True, "a joiner as Persian is written"),
    ("x" * 65 + "@example.com", False, "RFC 5321 §4.5.3.1.1"),
    ("=?utf-8?q?a?=@example.com", False, "an encoded word, RFC 2047 §5"),
    ("e\u0301@example.com", False, "not in NFC: one more spelling that looks the same"),
    ("a@bu\u0308cher.com", False, "the same"),
    ("\uff41@example.com", False, "a full-width letter, which only looks like another"),
    ("a@\ufb01le.com", False, "a ligature, mapped to file.com"),
    ("a@x\u3002com", False, "a full stop, mapped to x.com"),
    ("a@ΒΌΛΟΣ.com", False, "mapped to a domain that is not the one in lower case"),
]


def taken_by_both(address: str) -> tuple[bool, bool]:
    """Whether mailsend takes it, and whether email-validator does."""
    ours = theirs = True
    try:
        parse_address(address)
    except InvalidAddress:
        ours = False
    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        theirs = False
    return ours, theirs


def check_agreement() -> None:
    """See that both take the same addresses, but for the differences that are meant."""
    expected = [(address, (True, True)) for address in BOTH_TAKE]
    expected += [(address, (False, False)) for address in BOTH_REFUSE]
    expected += [(address, (ours, not ours)) for address, ours, _ in DIFFERENT]
    for address, taken in expected:
        if taken_by_both(address) != taken:
            raise RuntimeError(f"{address!a}: taken is {taken_by_both(address)}, not {taken}")
    print(f"Both take {len(BOTH_TAKE)} and refuse {len(BOTH_REFUSE)} texts. They differ on:")
    for address, ours, reason in DIFFERENT:
        who = "mailsend" if ours else "email-validator"
        print(f"  {ascii(address)[1:-1][:36]:36}  {who + ' alone takes it':30} {reason}")


def workloads(count: int) -> dict[str, list[str]]:
    """Lists of addresses by name; a tenth of the domains of `mixed` is international."""

    def address(number: int, domain: str) -> str:
        return f"customer{number}.name+list@{domain}"

    return {
        "a mailing list": [address(n, f"mail{n % DOMAINS}.example.com") for n in range(count)],
        "mixed": [
            address(n, f"{'bücher' if n % DOMAINS % 10 == 0 else 'mail'}{n % DOMAINS}.example.com")
            for n in range(count)
        ],
        "each its own domain": [address(n, f"mail{n}.example.com") for n in range(count)],
        "SMTPUTF8": [f"kündin{n}@mail{n % DOMAINS}.example.com" for n in range(count)],
        "each its own IDN": [address(n, f"bücher{n}.example.com") for n in range(count // 10)],
    }  # fmt: skip


def timed(check: Callable[[str], object], addresses: Sequence[str]) -> float:
    check_domain.cache_clear()
    started = time.perf_counter()
    for address in addresses:
        check(address)
    return time.perf_counter() - started


def measure(addresses: Sequence[str], rounds: int) -> dict[str, float]:
    def library(address: str) -> object:
        return validate_email(address, check_deliverability=False)

    pairs = []
    for number in range(rounds):
        # Who goes first changes from round to round.
        if number % 2:
            ours, theirs = timed(parse_address, addresses), timed(library, addresses)
        else:
            theirs, ours = timed(library, addresses), timed(parse_address, addresses)
        pairs.append((ours, theirs))
    ratios = [b / a for a, b in pairs]
    each = 1e6 / len(addresses)
    return {
        "addresses": len(addresses),
        "domains": len({address.rpartition("@")[2] for address in addresses}),
        "mailsend_us": statistics.median(a for a, _ in pairs) * each,
        "email_validator_us": statistics.median(b for _, b in pairs) * each,
        "ratio": statistics.median(ratios),
        "least": min(ratios),
        "most": max(ratios),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Check addresses in bulk.")
    parser.add_argument("--addresses", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    check_agreement()
    print(
        f"\nPython {platform.python_version()}, email-validator {version('email-validator')}, "
        f"{options.rounds} rounds; microseconds for one address\n"
    )
    print(f"{'':20} {'addresses':>9} {'domains':>8} {'mailsend':>9} {'e-v':>8} {'ratio':>7}  range")
    rows = {}
    for name, addresses in workloads(options.addresses).items():
        row = rows[name] = measure(addresses, options.rounds)
        print(
            f"{name:20} {row['addresses']:9} {row['domains']:8} {row['mailsend_us']:9.2f} "
            f"{row['email_validator_us']:8.1f} {row['ratio']:6.1f}x  "
            f"{row['least']:.1f} to {row['most']:.1f}"
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
