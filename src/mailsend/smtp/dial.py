"""From a host name to a connected socket, within one budget for all of its addresses."""

from __future__ import annotations

import errno
import ipaddress
import os
import queue
import selectors
import socket
import threading
from collections.abc import Callable, Sequence
from itertools import chain, zip_longest
from typing import Final

from attrs import frozen

from mailsend.endpoint import Endpoint
from mailsend.failures import Symptom, symptom_of_silence
from mailsend.stage import Stage
from mailsend.timeouts import Deadline

ATTEMPT_DELAY: Final = 0.25  # seconds; RFC 8305 §5 recommends 250 ms

# What the operating system says of a non-blocking connect that has begun.
_UNDER_WAY: Final = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY})


@frozen
class SocketAddress:
    """One address of a host, as ``getaddrinfo`` gives it."""

    family: int
    address: tuple[str | int | bytes, ...]

    def __str__(self) -> str:
        host, port = self.address[:2]
        return f"[{host!s}]:{port!s}" if ":" in str(host) else f"{host!s}:{port!s}"


Resolver = Callable[[str, int], Sequence[SocketAddress]]


# The failure that says most about the host, not the network, stands first.
_SYMPTOMS: Final = {
    errno.ECONNREFUSED: Symptom.CONNECTION_REFUSED,
    errno.ECONNRESET: Symptom.CONNECTION_RESET,
    errno.ENETUNREACH: Symptom.NO_ROUTE,
    errno.EHOSTUNREACH: Symptom.NO_ROUTE,
    errno.EADDRNOTAVAIL: Symptom.NO_ROUTE,
}
_NO_SUCH_NAME: Final = frozenset({socket.EAI_NONAME, socket.EAI_NODATA})


class NameNotResolved(OSError):
    """The name has no address, or the resolver did not answer."""


class ResolverTimeout(TimeoutError):
    """The resolver did not answer in time."""


class NoConnection(OSError):
    """No address took the connection.

    Args:
        failures: each address with the reason, in the order they were tried.
    """

    def __init__(self, failures: Sequence[tuple[SocketAddress, OSError]]) -> None:
        super().__init__("; ".join(f"{a}: {e.strerror or e}" for a, e in failures))
        self.failures = tuple(failures)


def system_resolver(host: str, port: int) -> Sequence[SocketAddress]:
    """The addresses that the operating system knows, in its order (RFC 6724).

    Raises:
        OSError: There is none, or the look-up failed.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # The third form of an address in the type stubs is for platforms built without IPv6.
    return [SocketAddress(family, tuple(address)) for family, _, _, _, address in found]


def resolve(host: str, port: int, deadline: Deadline, clock: Callable[[], float],
            resolver: Resolver) -> Sequence[SocketAddress]:  # fmt: skip
    """Look a name up, and give up when the budget is over.

    Raises:
        NameNotResolved: No address.
        ResolverTimeout: No answer in time; the look-up's thread ends by itself.
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return system_resolver(host, port)  # no look-up is made for an address
    answers: queue.SimpleQueue[Sequence[SocketAddress] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(resolver(host, port))
        except Exception as error:  # noqa: BLE001 - handed to the thread that waits
            answers.put(error)

    # getaddrinfo takes no time limit, so only a thread of its own can be given up.
    try:
        threading.Thread(target=look_up, name="mailsend-resolver", daemon=True).start()
    except RuntimeError:  # no thread can be had, as while the interpreter shuts down
        look_up()
    try:
        answer = answers.get(timeout=max(0.0, deadline.at - clock()))
    except queue.Empty:
        raise ResolverTimeout(f"the name {host} was not resolved") from None
    if isinstance(answer, Exception):
        reason = answer.strerror if isinstance(answer, OSError) else None
        raise NameNotResolved(getattr(answer, "errno", None), reason or str(answer)) from answer
    if not answer:
        raise NameNotResolved(None, "it has no address")
    return answer


def _interleaved(addresses: Sequence[SocketAddress]) -> list[SocketAddress]:
    """Alternate between address families, beginning with the first one's (RFC 8305 §4)."""
    first = [a for a in addresses if a.family == addresses[0].family]
    others = [a for a in addresses if a.family != addresses[0].family]
    mixed = chain.from_iterable(zip_longest(first, others))
    return list(dict.fromkeys(a for a in mixed if a is not None))


def connect(
    addresses: Sequence[SocketAddress],
    deadline: Deadline,
    clock: Callable[[], float],
    adopt: Callable[[socket.socket], object],
) -> None:
    """Connect to the first address that answers; a silent one costs the others 250 ms each.

    Args:
        addresses: of the host.
        deadline: by when.
        clock: seconds that only go forward.
        adopt: given the connected, non-blocking socket, to own it. On its way to the caller as a
            result, an interrupt would lose it open.

    Raises:
        NoConnection: All of them failed.
        TimeoutError: None had answered when the budget was over.
    """
    waiting = _interleaved(addresses)
    failures: list[tuple[SocketAddress, OSError]] = []
    pending: dict[socket.socket, SocketAddress] = {}
    with selectors.DefaultSelector() as selector:
        try:
            next_attempt = clock()
            while waiting or pending:
                now = clock()
                if now >= deadline.at:
                    silent = list(pending.values()) or waiting
                    raise TimeoutError(", ".join(map(str, silent)))
                if waiting and (now >= next_attempt or not pending):
                    address = waiting.pop(0)
                    attempt = _begin(address, pending, failures)
                    if attempt is not None:
                        selector.register(attempt, selectors.EVENT_WRITE)
                    next_attempt = now + ATTEMPT_DELAY
                    continue
                until = min(next_attempt, deadline.at) if waiting else deadline.at
                for key, _ in selector.select(max(0.0, until - now)):
                    attempt = key.fileobj  # type: ignore[assignment]  # only sockets are registered
                    assert isinstance(attempt, socket.socket)  # noqa: S101 - for the type checkers
                    selector.unregister(attempt)
                    code = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if code == 0:
                        adopt(attempt)
                        del pending[attempt]
                        return
                    attempt.close()
                    failures.append((pending.pop(attempt), OSError(code, os.strerror(code))))
                    next_attempt = clock()
        finally:
            for loser in pending:
                loser.close()
    raise NoConnection(failures)


def _begin(
    address: SocketAddress,
    pending: dict[socket.socket, SocketAddress],
    failures: list[tuple[SocketAddress, OSError]],
) -> socket.socket | None:
    """Begin to connect; `pending` owns what has begun."""
    attempt = None
    try:
        # One statement, because an interrupt between two would leave the socket without an owner.
        pending[attempt := socket.socket(address.family, socket.SOCK_STREAM)] = address
        attempt.setblocking(False)
        code = attempt.connect_ex(address.address)
    except OSError as error:  # no such family here, or no route
        failures.append((address, error))
    else:
        if code == 0 or code in _UNDER_WAY:
            return attempt
        failures.append((address, OSError(code, os.strerror(code))))
    if attempt is not None:
        attempt.close()
        del pending[attempt]
    return None


def explain(error: OSError, endpoint: Endpoint) -> tuple[Symptom, str]:
    """What was seen, and in which words, when :func:`resolve` or :func:`connect` raised."""
    if isinstance(error, NameNotResolved):
        unknown = error.errno in _NO_SUCH_NAME
        symptom = Symptom.NAME_NOT_FOUND if unknown else Symptom.NAME_LOOKUP_FAILED
        return symptom, error.strerror or str(error)
    if isinstance(error, ResolverTimeout):
        return Symptom.NAME_LOOKUP_SILENT, ""
    if isinstance(error, TimeoutError):
        return symptom_of_silence(endpoint, Stage.CONNECT), str(error)
    codes = {e.errno for _, e in getattr(error, "failures", ())} or {error.errno}
    symptom = next(
        (symptom for code, symptom in _SYMPTOMS.items() if code in codes),
        Symptom.CONNECTION_FAILED,
    )
    return symptom, str(error)
