"""When no file can be opened any more: errors are ours all the same, and explained."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from mailsend.testing import Answer, SmtpServer

Serve = Callable[..., SmtpServer]

BEGIN = """
import os, resource, sys
from mailsend import Envelope, MailsendError, Security, SmtpProfile, open_transport

def no_more_files():
    # The lowest number that is free is the first that is forbidden.
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))

profile = SmtpProfile(host="127.0.0.1", port=int(sys.argv[1]), security="insecure_plaintext")
def show(action):
    try:
        action()
    except MailsendError as error:
        print(type(error).__name__, error.cause.value, error.advice is not None)
"""
FIRST = """
no_more_files()
show(lambda: open_transport(profile))
"""
LATER = """
open_transport(profile).close()
no_more_files()
show(lambda: open_transport(profile))
"""
REFUSED = """
with open_transport(profile) as transport:
    no_more_files()
    show(lambda: transport.send_raw(Envelope("a@x.org", ["b@x.org"]), b"Subject: x\\r\\n\\r\\n"))
"""


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (FIRST, "ConnectError unreachable True"),
        (LATER, "ConnectError unreachable True"),
        (REFUSED, "RecipientsRefused mailbox_unknown True"),
    ],
    ids=["at the first connection", "at a later one", "when a reply has to be read"],
)
def test_without_a_file_descriptor(serve: Serve, script: str, told: str) -> None:
    server = serve("insecure_plaintext", users={})
    server.on("RCPT", Answer("550 5.1.1 User unknown"))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", BEGIN + script, str(server.port)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.strip() == told, done.stderr
