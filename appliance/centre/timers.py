"""When something of an agent or a contact is due by time alone: kept in step with the state, in order."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from typing import NamedTuple

from appliance.centre.state import Agent, Contact, State

FIRST_REST_S, LONGEST_REST_S = 1.0, 300.0


class Timer(NamedTuple):
    at: float
    which: str                                    # due.py says what comes of it
    whose: str                                    # an agent or a contact


class Rest(NamedTuple):
    """Of a timer of which nothing could come."""

    until: float
    next_s: float                                 # if it fails again


class Timers:
    def __init__(self) -> None:
        self._all: list[Timer] = []               # sorted
        self._of: dict[str, tuple[Timer, ...]] = {}
        self._rests: dict[Timer, Rest] = {}       # of those that failed

    def put(self, whose: str, timers: tuple[Timer, ...]) -> None:
        """All that there are of this one."""
        known = self._of.get(whose, ())
        if timers == known:
            return
        for timer in known:
            del self._all[bisect_left(self._all, timer)]
            self._rests.pop(timer, None)
        for timer in timers:
            insort(self._all, timer)
        if timers:
            self._of[whose] = timers
        else:
            del self._of[whose]

    def failed(self, timer: Timer, now: float) -> bool:
        """It rests, each time twice as long; the others go on. True: for the first time."""
        rest_s = self._rests[timer].next_s if timer in self._rests else FIRST_REST_S
        first = timer not in self._rests
        if self.runs(timer):
            self._rests[timer] = Rest(now + rest_s, min(2 * rest_s, LONGEST_REST_S))
        return first

    def next(self) -> float | None:
        """When something is to be tried."""
        earliest: float | None = None
        for timer in self._all:
            rest = self._rests.get(timer)
            at = timer.at if rest is None else rest.until
            earliest = at if earliest is None else min(earliest, at)
            if rest is None:
                break
        return earliest

    def due(self, now: float) -> list[Timer]:
        """In their order, without those that rest."""
        found = self._all[:bisect_right(self._all, now, key=lambda timer: timer.at)]
        return [timer for timer in found if timer not in self._rests or self._rests[timer].until <= now]

    def runs(self, timer: Timer) -> bool:
        """Nothing that came meanwhile has stopped it or put it off."""
        return timer in self._of.get(timer.whose, ())


def timers_of(state: State) -> Timers:
    """As they are now."""
    timers = Timers()
    for agent in state.agents.values():
        timers.put(agent.name, of_agent(agent))
    for name, contact in state.contacts.items():
        timers.put(name, of_contact(contact))
    return timers


def of_agent(agent: Agent) -> tuple[Timer, ...]:
    times = (("agent", agent.until), ("not ready", agent.limit_at),
             ("assigned", agent.assigned.until if agent.assigned is not None else 0.0))
    return tuple(Timer(at, which, agent.name) for which, at in times if at)


def of_contact(contact: Contact) -> tuple[Timer, ...]:
    return tuple(Timer(at, which, contact.record.contact) for which, at in _times(contact) if at)


def _times(contact: Contact) -> Iterator[tuple[str, float]]:
    """0: not by time."""
    state = contact.record.state
    if state in ("flow", "survey"):
        yield "digit", contact.digit_until
    if state == "flow":
        yield "limit", contact.limit_at
    elif state == "queue":
        yield "overflow", contact.overflow_at
    elif state == "dialling" and contact.forward is not None:
        yield "forward", contact.forward.until
    yield "order", contact.order_until
    yield "position", contact.announce_at
    yield "parked", contact.slot_until
    yield "paused", contact.paused_until
    if (callback := contact.pending) is None:
        return
    if callback.try_until:
        yield "callback", callback.try_until
    elif state == "callback" or (state == "queue" and contact.virtual):
        yield "callback", callback.keep_until
        if state == "callback":
            yield "callback", callback.due_at
