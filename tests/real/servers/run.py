"""Manage the test servers by hand or from CI.

python tests/real/servers/run.py install|start|stop|status [postfix] [exim] [opensmtpd] [readers]

The readers are no server: to start them is to install them.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Run as a script this file is not part of its package.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from real.servers.capsule import Capsule, Installation, ServerError, base_folder
from real.servers.recipes import READERS, RECIPES, Packages, Recipe

ALL: dict[str, Packages] = {one.name: one for one in (*RECIPES.values(), READERS)}


def act(action: str, packages: Packages, base: Path) -> str:
    begun = time.monotonic()
    if not isinstance(packages, Recipe):
        readers = Installation(packages, base)
        if action in {"install", "start"}:
            readers.install()
        return "installed" if readers.is_installed() else "not installed"
    capsule = Capsule(packages, base)
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
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(ALL)}")
    options = parser.parse_args()
    if unknown := set(options.names) - set(ALL):
        parser.error(f"no such server: {', '.join(sorted(unknown))}")

    base = base_folder()
    failed = False
    with ThreadPoolExecutor() as pool:
        jobs = {
            name: pool.submit(act, options.action, packages, base)
            for name, packages in ALL.items()
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
