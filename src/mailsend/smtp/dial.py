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

from mailsend.cause import Cause
from mailsend.endpoint import Endpoint
from mailsend.errors import ConnectError, MailsendError, SessionTimeout
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


_NO_ROUTE: Final = (Cause.UNREACHABLE, "Check this machine's network: there is no way to the host")
# The failure that says most about the host, not the network, stands first.
_FAILURES: Final = {
    errno.ECONNREFUSED: (
        Cause.CONNECTION_REFUSED,
        "Check host and port: no server listens there, or a firewall says so",
    ),
    errno.ECONNRESET: (
        Cause.CONNECTION_LOST,
        "The host ends connections at once: check host and port, or try again later",
    ),
    errno.ENETUNREACH: _NO_ROUTE,
    errno.EHOSTUNREACH: _NO_ROUTE,
    errno.EADDRNOTAVAIL: _NO_ROUTE,
}


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
    addresses: Sequence[SocketAddress], deadline: Deadline, clock: Callable[[], float]
) -> socket.socket:
    """Connect to the first address that answers; a silent one costs the others 250 ms each.

    Returns:
        A connected, non-blocking socket.

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
                    raise TimeoutError(f"no answer from {', '.join(map(str, pending.values()))}")
                if waiting and (now >= next_attempt or not pending):
                    address = waiting.pop(0)
                    attempt = _begin(address, failures)
                    if attempt is not None:
                        pending[attempt] = address
                        selector.register(attempt, selectors.EVENT_WRITE)
                    next_attempt = now + ATTEMPT_DELAY
                    continue
                until = min(next_attempt, deadline.at) if waiting else deadline.at
                for key, _ in selector.select(max(0.0, until - now)):
                    attempt = key.fileobj  # type: ignore[assignment]  # only sockets are registered
                    assert isinstance(attempt, socket.socket)  # noqa: S101 - for the type checkers
                    selector.unregister(attempt)
                    address = pending.pop(attempt)
                    code = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if code == 0:
                        return attempt
                    attempt.close()
                    failures.append((address, OSError(code, os.strerror(code))))
                    next_attempt = clock()
        finally:
            for loser in pending:
                loser.close()
    raise NoConnection(failures)


def _begin(
    address: SocketAddress, failures: list[tuple[SocketAddress, OSError]]
) -> socket.socket | None:
    attempt = None
    try:
        attempt = socket.socket(address.family, socket.SOCK_STREAM)
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
    return None


@frozen
class Failure:
    """What it means that no connection could be made; the parts of an error of ours."""

    kind: type[MailsendError]
    what: str
    cause: Cause | None
    advice: str
    retryable: bool = True


def explain(error: OSError, endpoint: Endpoint, seconds: float) -> Failure:
    """The meaning of what :func:`resolve` and :func:`connect` raise.

    Args:
        error: the exception.
        endpoint: where the connection was to go.
        seconds: the budget that it had.
    """
    if isinstance(error, NameNotResolved):
        return Failure(
            ConnectError,
            f"the name {endpoint.host} cannot be resolved: {error.strerror}",
            Cause.NAME_NOT_RESOLVED,
            "Check the host's spelling, and this machine's network and DNS",
            # Every other failure of a look-up may be over later.
            retryable=error.errno not in {socket.EAI_NONAME, socket.EAI_NODATA},
        )
    if isinstance(error, TimeoutError):
        return Failure(
            SessionTimeout,
            f"{error} within {seconds:g} s",
            Cause.TIMED_OUT if isinstance(error, ResolverTimeout) else Cause.PORT_BLOCKED,
            "Check this machine's DNS"
            if isinstance(error, ResolverTimeout)
            else f"Silence often means that a network blocks port {endpoint.port}: try the "
            "provider's other port (465 with implicit TLS, 587 with STARTTLS) or another network",
        )
    codes = {e.errno for _, e in getattr(error, "failures", ())} or {error.errno}
    cause, advice = next(
        (meaning for code, meaning in _FAILURES.items() if code in codes),
        (None, "Check this machine's network"),
    )
    return Failure(ConnectError, f"no connection: {error}", cause, advice)
