"""Several sessions with one server, shared by the threads of a process."""

from __future__ import annotations

import copy
import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from mailsend.capabilities import Capabilities
from mailsend.cause import Cause, Retry
from mailsend.envelope import Envelope
from mailsend.errors import (
    AuthenticationError,
    ConfigurationError,
    MailsendError,
    SessionTimeout,
)
from mailsend.profile.smtp_profile import SmtpProfile
from mailsend.providers import providers
from mailsend.report import DeliveryReport
from mailsend.stage import Stage
from mailsend.timeouts import Deadline, Watch
from mailsend.transport import pool_rules as rules
from mailsend.transport.kept_session import ContentFor, Course, KeptSession, Route
from mailsend.transport.pool_rules import Fate, Life, PoolLimits, is_for_want_of_room
from mailsend.transport.submission import SubmissionTransport

_LOG: Final = logging.getLogger("mailsend.pool")
_T = TypeVar("_T")

# Who gives a place back wakes the next one. Only an interrupt in the middle of that loses the
# word, and then the next one looks for itself.
_LOOK_AGAIN_SECONDS: Final = 1.0


class _Claim:
    """Somebody who waits for a session, or has one.

    Attributes:
        held: locked as long as the claim holds. A lock, because nothing comes between the end of
            its `with` and its release: whatever interrupts its owner, no place stays taken.
        thread: whose it is.
        stopped: why it is no use to wait any longer.
        refusal: why it has to wait although there was a place: the server has no room.
    """

    def __init__(self) -> None:
        self.held = threading.Lock()
        self.thread = threading.get_ident()
        self.stopped: MailsendError | None = None
        self.refusal: MailsendError | None = None
        self._word: queue.SimpleQueue[None] = queue.SimpleQueue()

    @property
    def is_held(self) -> bool:
        return self.held.locked()

    def wake(self) -> None:
        self._word.put(None)

    def wait(self, seconds: float) -> None:
        try:
            self._word.get(timeout=seconds)
        except queue.Empty:
            return


_Place = rules.Place[KeptSession, _Claim]
_Turns = rules.Turns[KeptSession, _Claim]


class PooledTransport(SubmissionTransport):
    """Hands messages over up to `size` sessions at once, for threads that share it.

    Each message has a session for itself. Sessions are opened when they are needed, the most
    recently used goes first, and whoever finds none free waits for one, first come first served.
    Nothing runs in the background: sessions over their time are closed by the next uses, or by
    `close`. Each thread's `send_many` sends one message after the other.

    Where the server says that it has no room for one more session, or takes no more logins, the
    pool makes do with those it has and tries again after a minute. Where it refuses the
    credentials, everybody who waits is told that at once. After a fork the child opens sessions
    of its own once it has called `close`, which says nothing on those of its parent.

    `close` ends the sessions that are idle and waits for each message that is being handed over.
    Called from within a sending, such as by a signal handler, it gives that session up. Messages
    that wait for a session at that moment get new ones.

    Args:
        profile: settings, of any security.
        size: most sessions at a time. More than a few help only where the server takes longer over
            a message than its octets need, and many providers allow one user no more.
        idle_seconds: a session unused for so long is replaced. The default is well below the five
            minutes for which servers should wait (RFC 5321 §4.5.3.2.7), and below what firewalls
            remember. Where it is raised, a session that was idle for a minute has to answer a RSET
            first.
        max_age_seconds: a session takes no message any more when it is so old, so that a server
            can be moved or changed, and does not have to give up its sessions by force.
        messages_per_session: it takes no message any more after so many.
        wait_seconds: longest time that a message waits for a session to become free; never longer
            than the profile's ``timeouts.total`` leaves.

    What is known of the profile's provider, or of the one that the host belongs to, bounds `size`
    and `messages_per_session`; :attr:`limits` has what came of it.

    Raises:
        ConfigurationError: A number is not above 0, or a count above 10,000.
    """

    def __init__(
        self,
        profile: SmtpProfile,
        *,
        size: int = rules.SIZE,
        idle_seconds: float = rules.IDLE_SECONDS,
        max_age_seconds: float = rules.MAX_AGE_SECONDS,
        messages_per_session: int = rules.MESSAGES_PER_SESSION,
        wait_seconds: float = rules.WAIT_SECONDS,
    ) -> None:
        if not isinstance(profile, SmtpProfile):
            raise ConfigurationError(
                f"expected an SmtpProfile, not {type(profile).__name__}",
                advice="Write SmtpProfile(...), or SmtpProfile.from_url(...) for a URL",
            )
        super().__init__(profile)
        wanted = PoolLimits(
            size=size,
            idle_seconds=idle_seconds,
            max_age_seconds=max_age_seconds,
            messages_per_session=messages_per_session,
            wait_seconds=wait_seconds,
        )
        provider = profile.provider or providers.for_host(profile.host)
        self.limits = wanted if provider is None else wanted.within(provider.limits)
        """What holds: the arguments, as far as the provider goes along."""
        self._clock = time.monotonic
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._process = os.getpid()
        # Reentrant, so that a signal handler that closes does not wait for itself.
        self._lock = threading.RLock()
        route = self._route = Route()
        self._turns: _Turns = rules.Turns(
            self.limits, lambda: KeptSession(self.profile, route, self._now)
        )

    def _now(self) -> float:
        return self._clock()

    def __repr__(self) -> str:
        alive = sum(place.kept.is_alive for place in self._turns.places)
        state = f"{alive} of {self.limits.size} open" if alive else "closed"
        return f"<{type(self).__name__} {self.profile.endpoint} {state}>"

    # -- using a session

    def _submit(
        self, envelope: Envelope, content_for: ContentFor, course: Course
    ) -> DeliveryReport:
        def run(kept: KeptSession, watch: Watch) -> DeliveryReport:
            return kept.submit(envelope, content_for, course, watch)

        return self._use(run)

    def open(self) -> None:
        if self._one_at_work() is None:
            self._use(lambda kept, watch: kept.ready(watch))

    @property
    def capabilities(self) -> Capabilities:
        at_work = self._one_at_work()
        if at_work is not None:
            return at_work
        return self._use(lambda kept, watch: kept.ready(watch).capabilities)

    def _one_at_work(self) -> Capabilities | None:
        """What a session can do that somebody uses right now; None if there is none."""
        self._require_own_process()
        for place in self._turns.places:
            session = place.kept.session
            if session is not None and session.is_alive and not place.is_free:
                return session.capabilities
        return None

    def _require_own_process(self) -> None:
        if self._process != os.getpid():
            if any(place.kept.session is not None for place in self._turns.places):
                raise self._forked()
            self._begin_anew()

    def _use(self, action: Callable[[KeptSession, Watch], _T]) -> _T:
        """Run an action on a session that nobody else uses meanwhile.

        An action that failed before it had a session may be run once more.
        """
        # Checked before the lock, which a thread of the parent may hold in the child for ever.
        self._require_own_process()
        watch = Watch(self.profile.timeouts)
        deadline = watch.deadline(Stage.CONNECT, self.limits.wait_seconds)
        claim = _Claim()
        try:
            with claim.held:
                try:
                    return self._in_turn(claim, action, watch, deadline)
                except MailsendError:
                    raise
                except BaseException:
                    self._abandon_what_is_of(claim)
                    raise
        finally:
            self._wake()

    def _in_turn(
        self,
        claim: _Claim,
        action: Callable[[KeptSession, Watch], _T],
        watch: Watch,
        deadline: Deadline,
    ) -> _T:
        with self._lock:
            if any(other.thread == claim.thread for other in self._holders()):
                raise ConfigurationError(
                    "this transport is used again from within its own sending",
                    advice="A signal handler or callback needs a transport of its own",
                )
            self._turns.join(claim)
        while True:
            place, fate = self._take(claim, deadline)
            try:
                _prepare(place.kept, fate)
                result = action(place.kept, watch)
            except MailsendError as error:
                if self._waits_for_another(claim, place, error):
                    continue
                self._settle(place)
                if isinstance(error, AuthenticationError):
                    self._stop_waiting(error)
                raise
            self._settle(place)
            self._close_a_spare(claim)
            return result

    def _waits_for_another(self, claim: _Claim, place: _Place, error: MailsendError) -> bool:
        """Whether there was no room for one more session, and others are there: once for each."""
        if claim.refusal is not None or not is_for_want_of_room(error):
            return False
        with self._lock:
            if not self._turns.refused(place, self._now()):
                return False
            self._turns.join(claim, first=True)
        claim.refusal = error
        _LOG.info("%s Going on with the sessions that are there", error)
        return True

    def _holders(self) -> list[_Claim]:
        of_places = (place.claim for place in self._turns.places if not place.is_free)
        return [*self._turns.waiting(), *filter(None, of_places)]

    def _take(self, claim: _Claim, deadline: Deadline) -> tuple[_Place, Fate]:
        while True:
            if claim.stopped is not None:
                error = claim.stopped
                raise error from error.__cause__
            with self._lock:
                taken = self._turns.take(claim, self._now())
            if taken is not None:
                return taken
            left = deadline.at - time.monotonic()
            if left <= 0:
                raise self._no_turn(deadline) from claim.refusal
            claim.wait(min(left, _LOOK_AGAIN_SECONDS))

    def _no_turn(self, deadline: Deadline) -> SessionTimeout:
        with self._lock:
            busy = sum(not place.is_free for place in self._turns.places)
            waiting = sum(1 for _ in self._turns.waiting())
        return SessionTimeout(
            f"no session of the pool became free within {deadline.seconds:g} seconds: {busy} are "
            f"in use, and {waiting} messages wait",
            stage=Stage.CONNECT,
            cause=Cause.TIMED_OUT,
            retry=Retry.NOW,
            endpoint=str(self.profile.endpoint),
            advice="Send from fewer threads, raise wait_seconds, or raise size where the server "
            "takes more sessions",
        )

    def _settle(self, place: _Place) -> None:
        """Leave a place as it should be, behind what was done on its session."""
        kept = place.kept
        if self._turns.is_outdated(place):
            kept.let_go(quietly=False)
        session, life = kept.session, None
        if session is not None and session.is_alive:
            life = Life(kept.opened, self._now(), session.transactions)
        with self._lock:
            self._turns.settle(place, life)

    def _close_a_spare(self, claim: _Claim) -> bool:
        """Close one session that is over its time; whether there was one.

        One for each message keeps up with them, and delays none for long.
        """
        with self._lock:
            taken = self._turns.take_spare(claim, self._now())
        if taken is None:
            return False
        place, fate = taken
        place.kept.let_go(quietly=fate is Fate.ABANDON)
        with self._lock:
            self._turns.settle(place, None)
        return True

    def _abandon_what_is_of(self, claim: _Claim) -> None:
        # Interrupted anywhere, as between reading octets and understanding them: nobody knows any
        # more what the session is at.
        for place in self._turns.places:
            if place.claim is claim:
                place.kept.abandon()

    def _stop_waiting(self, error: AuthenticationError) -> None:
        """Tell everybody who waits what the server said of the credentials they have in common."""
        with self._lock:
            waiting = list(self._turns.waiting())
            for claim in waiting:
                told = copy.copy(error)
                told.report = None
                claim.stopped = told
                claim.wake()

    def _wake(self) -> None:
        with self._lock:
            for claim in self._turns.next_in_turn(self._now()):
                claim.wake()

    # -- closing

    def close(self) -> None:
        if self._process != os.getpid():
            for place in self._turns.places:  # the parent's: nothing may be said on them
                place.kept.let_go(quietly=True)
            self._begin_anew()
            return
        busy = self._outdate()
        self._close_spares()
        for other in busy:
            with other.held:  # until it is done; it closes its session itself
                pass
            self._wake()
        if busy:  # one may have been done just before it could know
            self._close_spares()

    def _outdate(self) -> list[_Claim]:
        """Have no session used any more; who of other threads is still at it."""
        others = []
        with self._lock:
            self._turns.begin_anew()
            self._route.reached = None
            for place in self._turns.places:
                holder = None if place.is_free else place.claim
                if holder is None:
                    continue
                if holder.thread != threading.get_ident():
                    others.append(holder)
                else:  # in the middle of a message, of which a QUIT would become a part
                    place.kept.let_go(quietly=True)
        return others

    def _close_spares(self) -> None:
        claim = _Claim()
        try:
            with claim.held:
                try:
                    while self._close_a_spare(claim):
                        pass
                except BaseException:
                    self._abandon_all_that_is_free(claim)
                    raise
        finally:
            self._wake()

    def _abandon_all_that_is_free(self, claim: _Claim) -> None:
        with self._lock:
            for place in self._turns.places:
                if place.is_free or place.claim is claim:
                    place.kept.let_go(quietly=True)


def _prepare(kept: KeptSession, fate: Fate) -> None:
    """Do with the session what was decided, before it is used."""
    session = kept.session
    if session is None:
        return
    if fate is Fate.ASK_FIRST:
        session.ask_first()
    elif fate is not Fate.KEEP:
        kept.let_go(quietly=fate is Fate.ABANDON)
