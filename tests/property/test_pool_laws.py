"""Whatever threads, servers, interrupts and the clock do: the laws of a pool's places."""

from __future__ import annotations

from collections import deque

from attrs import define
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mailsend.transport.pool_rules import Fate, Life, Place, PoolLimits, Turns


@define(eq=False)
class Claim:
    number: int
    is_held: bool = True


class PoolMachine(RuleBasedStateMachine):
    """Plays threads against the rules, and keeps its own account of the queue and the sessions."""

    @initialize(size=st.integers(1, 4), per_session=st.integers(1, 3))
    def begin(self, size: int, per_session: int) -> None:
        self.limits = PoolLimits(size=size, idle_seconds=100, messages_per_session=per_session)
        self.pool: Turns[None, Claim] = Turns(self.limits, lambda: None)
        self.now = 0.0
        self.count = 0
        self.queue: deque[Claim] = deque()
        self.users: dict[Place[None, Claim], Claim] = {}
        self.sessions: dict[Place[None, Claim], tuple[Life, int]] = {}
        self.epoch = 0

    @rule(seconds=st.sampled_from([0.0, 1.0, 50.0, 61.0, 400.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def arrive(self) -> None:
        self.count += 1
        claim = Claim(self.count)
        self.queue.append(claim)
        self.pool.join(claim)

    @precondition(lambda self: self.queue)
    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        claim = data.draw(st.sampled_from(sorted(self.queue, key=lambda c: c.number)))
        may = claim in self.pool.next_in_turn(self.now)
        taken = self.pool.take(claim, self.now)
        assert may is (taken is not None)
        # Nobody who came earlier is overtaken, unless there is a place for each of them too.
        if taken is None:
            return
        place, fate = taken
        assert place not in self.users
        ahead = list(self.queue).index(claim)
        assert ahead < self.limits.size - len(self.users)
        had = self.sessions.get(place)
        if fate in {Fate.KEEP, Fate.ASK_FIRST}:
            assert had is not None
            life, epoch = had
            assert epoch == self.epoch
            assert self.now - life.used < self.limits.idle_seconds
            assert self.now - life.opened < self.limits.max_age_seconds
            assert life.messages < self.limits.messages_per_session
        else:
            self.sessions.pop(place, None)
        self.queue.remove(claim)
        self.users[place] = claim

    @precondition(lambda self: self.users)
    @rule(data=st.data(), lives=st.booleans())
    def finish(self, data: st.DataObject, lives: bool) -> None:
        place, claim = self._user(data)
        old = self.sessions.pop(place, None)
        if lives and not self.pool.is_outdated(place):
            opened, messages = (self.now, 0) if old is None else (old[0].opened, old[0].messages)
            life = Life(opened, self.now, messages + 1)
            self.sessions[place] = (life, self.epoch)
            self.pool.settle(place, life)
        else:
            self.pool.settle(place, None)
        claim.is_held = False
        del self.users[place]

    @precondition(lambda self: self.users)
    @rule(data=st.data())
    def interrupt(self, data: st.DataObject) -> None:
        place, claim = self._user(data)
        claim.is_held = False  # and nothing else is done for it
        del self.users[place]
        self.sessions.pop(place, None)

    @precondition(lambda self: self.queue)
    @rule(data=st.data())
    def give_up_waiting(self, data: st.DataObject) -> None:
        claim = data.draw(st.sampled_from(sorted(self.queue, key=lambda c: c.number)))
        claim.is_held = False
        self.queue.remove(claim)

    @precondition(lambda self: self.users)
    @rule(data=st.data())
    def server_refuses(self, data: st.DataObject) -> None:
        place, claim = self._user(data)
        others = len({*self.users, *self.sessions} - {place})
        if self.pool.refused(place, self.now):
            assert others > 0
            self.pool.join(claim, first=True)
            self.queue.appendleft(claim)
            assert self.pool.room(self.now) <= max(1, others)
            del self.users[place]
            self.sessions.pop(place, None)

    @rule()
    def close(self) -> None:
        self.pool.begin_anew()
        self.epoch += 1
        closing = Claim(0)
        while (taken := self.pool.take_spare(closing, self.now)) is not None:
            self.pool.settle(taken[0], None)
            self.sessions.pop(taken[0], None)
        closing.is_held = False
        assert not self.sessions.keys() - self.users.keys()

    def _user(self, data: st.DataObject) -> tuple[Place[None, Claim], Claim]:
        places = [place for place in self.pool.places if place in self.users]
        place = data.draw(st.sampled_from(places))
        return place, self.users[place]

    @invariant()
    def nobody_is_forgotten(self) -> None:
        if not hasattr(self, "pool"):
            return
        assert list(self.pool.waiting()) == list(self.queue)
        assert {p: p.claim for p in self.pool.places if not p.is_free} == self.users

    @invariant()
    def no_place_is_lost(self) -> None:
        if not hasattr(self, "pool"):
            return
        room = self.pool.room(self.now)
        assert 1 <= room <= self.limits.size
        free = max(0, room - len(self.users))
        assert len(self.pool.next_in_turn(self.now)) == min(free, len(self.queue))


PoolMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25)
TestPool = PoolMachine.TestCase
