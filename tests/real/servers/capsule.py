"""Install, start and stop a mail server in its capsule (see capsule.sh)."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from .certificates import Certificates

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .recipes import Packages, Recipe

SETUP = Path(__file__).resolve().parent
DEFAULT_BASE = Path("/var/tmp/mailsend-test-mta")  # outlives the run, unlike most of /tmp

# With --kill-child an installation that takes too long ends with the process we started for it.
IN_NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child=SIGKILL")

INSTALL_SECONDS = 300
START_SECONDS = 30
STOP_SECONDS = 10


class ServerError(Exception):
    """A server could not be installed, started or stopped."""


def base_folder() -> Path:
    """Where all capsules live: `$MAILSEND_TEST_MTA`, or a folder kept between runs."""
    return Path(os.environ.get("MAILSEND_TEST_MTA") or DEFAULT_BASE).resolve()


@dataclass(frozen=True)
class Installation:
    """Packages installed beside the machine, in an overlay of it."""

    recipe: Packages
    base: Path

    @property
    def folder(self) -> Path:
        return self.base / self.recipe.name

    @property
    def installed(self) -> Path:
        """What the packages added to the machine, in folders as of the machine's root."""
        return self.folder / "installed"

    def is_installed(self) -> bool:
        return _holds(self._install_marker, self._install_key())

    def install(self) -> None:
        """Install the packages, unless this very list of packages is installed already."""
        with self._locked():
            self._install()

    @property
    def _install_marker(self) -> Path:
        return self.folder / "installed.key"

    def _install_key(self) -> str:
        """Changes when the installation would come out differently."""
        settings = SETUP / self.recipe.name
        inputs = [
            SETUP / "install_packages.sh",
            settings / "debconf.selections",
            settings / "use-backports",
        ]
        return _digest(self.recipe.packages, inputs)

    def _install(self) -> None:
        if self.is_installed():
            return
        _require_root()
        _require_real_file_system(self.folder)
        self._install_marker.unlink(missing_ok=True)
        command = [*IN_NAMESPACES, "bash", str(SETUP / "capsule.sh"), "install"]
        command += [str(self.folder), self.recipe.name, *self.recipe.packages]
        log_path = self.folder / "install.log"
        with log_path.open("wb") as log:
            try:
                subprocess.run(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    timeout=INSTALL_SECONDS,
                    check=True,
                )
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
                raise ServerError(
                    f"{self.recipe.name} could not be installed\n{_tail(log_path)}"
                ) from error
        self._install_marker.write_text(self._install_key())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with _locked(self.folder / "lock"):
            yield


@dataclass(frozen=True)
class Capsule(Installation):
    recipe: Recipe

    @property
    def certificates(self) -> Certificates:
        return Certificates(self.base / "certificates")

    @property
    def data(self) -> Path:
        """What the server stores and logs; emptied by every start."""
        return self.folder / "data"

    def is_running(self) -> bool:
        with self._process() as process:
            return process is not None

    def start(self) -> bool:
        """Return true if this call started the server, false if it was running.

        A server that runs with an older configuration is started anew.
        """
        with _locked(self.base / "certificates.lock"):
            self.certificates.ensure()
        with self._locked():
            key = self._run_key()
            if self.is_running() and self.is_installed() and _holds(self._run_marker, key):
                self._wait_for_ports()
                return False
            self._stop()
            self._install()
            self._launch()
            self._run_marker.write_text(key)
            return True

    def stop(self) -> None:
        with self._locked():
            self._stop()

    @property
    def _run_marker(self) -> Path:
        return self.folder / "running.key"

    @property
    def _pid_file(self) -> Path:
        """Written by the capsule once it has begun."""
        return self.folder / "pid"

    def _run_key(self) -> str:
        """Changes when the running server would have to be started anew."""
        inputs = [SETUP / "capsule.sh", *(SETUP / self.recipe.name).iterdir()]
        return _digest([self._install_key(), self.certificates.fingerprint], inputs)

    def _install(self) -> None:
        if not self.is_installed():
            self._stop()
            super()._install()

    def _launch(self) -> None:
        _require_root()
        for port in sorted(self.recipe.ports.all()):
            if _listens(port):
                raise ServerError(f"port {port} of {self.recipe.name} is in use by something else")
        # `setsid --fork` leaves at once, so the server is nobody's child and outlives this process.
        command = ["setsid", "--fork", *IN_NAMESPACES, "bash", str(SETUP / "capsule.sh"), "run"]
        command += [str(self.folder), self.recipe.name, str(self.certificates.folder)]
        with (self.folder / "run.log").open("wb") as log:
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=START_SECONDS,
                check=True,
            )
        try:
            self._wait_for_ports()
        except ServerError:
            self._stop()
            raise

    def _wait_for_ports(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        closed = set(self.recipe.ports.all())
        while True:
            # Asked first: the ports of a server that ends in between may still have been open.
            ended = self._pid_file.exists() and not self.is_running()
            closed = {port for port in closed if not _listens(port)}
            if ended:
                raise self._failure("ended while it was starting")
            if not closed:
                return
            if time.monotonic() > deadline:
                raise self._failure(f"does not listen on {sorted(closed)}")
            time.sleep(0.05)

    def _stop(self) -> None:
        with self._process() as process:
            if process is not None:
                signal.pidfd_send_signal(process, signal.SIGKILL)
                # Readable once the process is gone, and PID 1 of a namespace goes last.
                if not select.select([process], [], [], STOP_SECONDS)[0]:
                    raise self._failure("could not be ended")
        self._pid_file.unlink(missing_ok=True)

    @contextmanager
    def _process(self) -> Iterator[int | None]:
        """A descriptor of the capsule's PID 1, or none if it does not run.

        The descriptor stays with that process whatever becomes of the number, and the start time
        tells our process from a later one with the same number.
        """
        try:
            pid, started = map(int, self._pid_file.read_text().split())
            descriptor = os.pidfd_open(pid)
        except (FileNotFoundError, ProcessLookupError, ValueError):
            yield None
            return
        try:
            yield descriptor if _start_time(pid) == started else None
        finally:
            os.close(descriptor)

    def _failure(self, what: str) -> ServerError:
        logs = [self.folder / "run.log", *sorted(self.data.glob("**/*?log"))]
        return ServerError("\n".join([f"{self.recipe.name} {what}", *map(_tail, logs)]))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One at a time, across processes too: test runs may share a base folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _require_root() -> None:
    if os.geteuid() != 0:
        raise ServerError("the capsules of the test servers need root")


def _require_real_file_system(folder: Path) -> None:
    find_type = ["findmnt", "--noheadings", "--output", "FSTYPE", "--target", str(folder)]
    kind = subprocess.run(find_type, capture_output=True, text=True, timeout=10, check=True)
    if kind.stdout.strip() == "overlay":
        raise ServerError(
            f"{folder} lies on an overlay, which cannot carry another one: "
            "set MAILSEND_TEST_MTA to a folder on a real file system"
        )


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def _start_time(pid: int) -> int | None:
    """When the process began, in clock ticks since boot (field 22 of proc(5) stat)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    after_name = stat.rpartition(")")[2].split()
    return int(after_name[19])


def _tail(log: Path, lines: int = 15) -> str:
    text = log.read_text(errors="replace") if log.is_file() else ""
    return "\n".join([f"--- {log}", *text.splitlines()[-lines:]])


def _holds(marker: Path, key: str) -> bool:
    return marker.is_file() and marker.read_text() == key


def _digest(words: Iterable[str], files: Iterable[Path]) -> str:
    digest = sha256("\0".join(words).encode())
    for path in sorted(files):
        if path.is_file():
            digest.update(b"\0" + path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
