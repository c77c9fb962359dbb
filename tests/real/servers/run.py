"""Manage the test servers by hand or from CI.

python tests/real/servers/run.py install|start|stop|status [postfix] [exim] [opensmtpd]
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Run as a script this file is not part of its package.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from real.servers.capsule import Capsule, ServerError, base_folder
from real.servers.recipes import RECIPES


def act(action: str, capsule: Capsule) -> str:
    begun = time.monotonic()
    match action:
        case "install":
            capsule.install()
            done = "installed"
        case "start":
            done = "started" if capsule.start() else "was running"
        case "stop":
            capsule.stop()
            done = "stopped"
        case _:
            return status(capsule)
    return f"{done} ({time.monotonic() - begun:.1f} s)"


def status(capsule: Capsule) -> str:
    if capsule.is_running():
        return f"running on {', '.join(map(str, sorted(capsule.recipe.ports.all())))}"
    return "installed" if capsule.is_installed() else "not installed"


def main() -> int:
    parser = argparse.ArgumentParser(description="Manage the mail servers of the tests.")
    parser.add_argument("action", choices=["install", "start", "stop", "status"])
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(RECIPES)}")
    options = parser.parse_args()
    if unknown := set(options.names) - set(RECIPES):
        parser.error(f"no such server: {', '.join(sorted(unknown))}")

    base = base_folder()
    failed = False
    with ThreadPoolExecutor() as pool:
        jobs = {
            name: pool.submit(act, options.action, Capsule(recipe, base))
            for name, recipe in RECIPES.items()
            if not options.names or name in options.names
        }
        for name, job in jobs.items():
            try:
                sys.stdout.write(f"{name}: {job.result()}\n")
            except ServerError as error:
                failed = True
                sys.stderr.write(f"{name}: FAILED: {error}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
