"""What becomes of a message when the server goes wrong: mailsend, smtplib and aiosmtplib.

    python -m benchmarks.reliability [--only ID]... [--client NAME]... [--json FILE]

from the checkout, with the development dependencies installed. Every scenario is a server of
`mailsend.testing` that goes wrong in one way, in the clear, with STARTTLS or with implicit TLS, all
on the loopback interface. Every client plays every scenario, each with a server of its own, and is
then held against the journal of that server, never against its own word.

Mis-reported failed: the server has the message and has said nothing against it, and the client
says that it failed. Where a library has no word for "the server may have it", an exception is the
claim that nothing was delivered, because that is how its callers have to take it: those that send
again deliver twice. In some scenarios the server has lost such a message, and there the same
exception is right. Mis-reported ok: the client says accepted, and the server has no message for
that recipient. A client that calls too much uncertain, or gives up where every reply was
favourable, is counted too (a code that a client does not expect is to be taken by its first digit,
RFC 5321 section 4.2.1).

A foreign exception is one that is not of the family the library calls its own: `MailsendError`,
`smtplib.SMTPException`, `aiosmtplib.SMTPException`. An exception after the result is one from the
end of the `with` block, when the sending call had returned; it takes nothing back, so it is no
mis-report, but a caller who does not know takes it for a failure.

Budget: each client gets 1 second, as `Timeouts.uniform(1)` or `timeout=1`. One stage of a
scenario goes wrong. A client may use its second up there, and again at RSET and at QUIT, with which
it may clean up; one more is for everything that is no waiting. Over budget is what takes longer
than these 4 seconds for each message.

The clients are used with verified TLS that is insisted on (`create_default_context`, `starttls`;
`validate_certs`, `start_tls=True`). "smtplib default" passes no context, and "aiosmtplib default"
leaves `start_tls` alone, as neither has to be given; they play only the scenarios about TLS.
The peer is unverified if its certificate is not good for the host, and unencrypted if TLS was
asked for and there is none; the password counts as sent if its octets were, as PLAIN and LOGIN
encode them.

The first table has the scenarios in which clients differ or do something wrong: what the server
has, what each client says, and in brackets the letters of the second table, which counts
scenarios. `lost` stands for everything that means that the recipient will not get the message.

Left out: a 250 that a server sends while it is still reading the content, followed by its true
answer 550. All of the clients, mailsend too, have written everything by then and say accepted:
the first reply behind the content is the answer to it. Also left out is what needs a name server.

Where the server resets a connection as it greets, chance decides whether
the client is still connecting, so that the number of foreign exceptions may differ by one between
two runs. A run takes about a minute and a half, mostly waiting.

The exit status is 1 if mailsend did anything wrong.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.reliability.clients import CLIENTS, Client
from benchmarks.reliability.judge import Result
from benchmarks.reliability.run import BUDGET, play_all
from benchmarks.reliability.scenario import Scenario
from benchmarks.reliability.scenarios import SCENARIOS
from benchmarks.reliability.table import data, rows, summary


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reliability",
        description=(__doc__ or "").partition("\n")[0],
    )
    parser.add_argument(
        "--only", action="append", metavar="ID", help="only this scenario; may have * and ?"
    )
    parser.add_argument("--client", action="append", choices=[client.name for client in CLIENTS])
    parser.add_argument("--json", type=Path, help="write machine, versions and all rows here too")
    options = parser.parse_args(arguments)
    scenarios = [s for s in SCENARIOS if _is_wanted(s, options.only)]
    if not scenarios:
        parser.error(f"no scenario is called {' or '.join(options.only)}")
    clients = [c for c in CLIENTS if options.client is None or c.name in options.client]
    results = {client.name: _play(client, scenarios) for client in clients}
    versions = ", ".join(f"{client.name} {client.version}" for client in clients)
    print(f"{versions}; {BUDGET:g} s for each stage", end="\n\n")
    print(*rows(scenarios, results), "", *summary(results), sep="\n")
    if options.json is not None:
        text = json.dumps(data(clients, scenarios, results, BUDGET), indent=1)
        options.json.write_text(text + "\n", encoding="utf-8")
    return int(any(result.judgement.faults for result in results.get("mailsend", {}).values()))


def _is_wanted(scenario: Scenario, patterns: Sequence[str] | None) -> bool:
    return patterns is None or any(fnmatch.fnmatchcase(scenario.id, p) for p in patterns)


def _play(client: Client, scenarios: Sequence[Scenario]) -> dict[str, Result]:
    results: dict[str, Result] = {}
    for result in play_all(client, scenarios):
        results[result.scenario] = result
        if sys.stderr.isatty():
            print(f"\r{client.name}: {len(results)}", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return results


if __name__ == "__main__":
    sys.exit(main())
