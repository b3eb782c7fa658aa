"""Callers in virtual time: they call, press keys, lose patience, and talk as long as they need. Pure."""

from collections.abc import Iterator
from functools import partial
from itertools import count
from random import Random

from appliance.bus.messages import Digit, Play
from appliance.centre import events
from appliance.centre.events import decode
from appliance.sim.branch import Branch
from appliance.sim.callers import Caller
from appliance.sim.chances import LONGEST_S
from appliance.sim.lines import Leg, Lines
from appliance.sim.loop import Loop
from appliance.store.events import Entry


class People:
    """`calling`: somebody will still call."""

    def __init__(self, loop: Loop, lines: Lines, branch: Branch, callers: Iterator[Caller],
                 random: Random) -> None:
        self.calling = True
        self._loop, self._lines, self._branch, self._random = loop, lines, branch, random
        self._scenario, self._menus = branch.scenario, branch.scenario.menus
        self._callers, self._numbers = callers, count(1)
        self._with_keys: set[str] = set()         # legs that have not yet heard anything
        loop.told[events.Joined.__name__].append(self._joined)
        loop.told[events.Talked.__name__].append(self._talked)
        loop.done[Play].append(self._hears)
        self._next()

    def _next(self) -> None:
        caller = next(self._callers, None)
        self.calling = caller is not None
        if caller is not None:
            self._loop.at(self._loop.day.midnight + caller.at_s, partial(self._calls, caller))

    def _calls(self, caller: Caller) -> None:
        self._next()
        name = f"caller-{next(self._numbers)}"
        if caller.keys:
            self._with_keys.add(name)
        leg = self._lines.call(name, caller)
        if leg is not None:
            self._loop.at(self._loop.now + self._menus.patience_s, partial(self._looks, leg))

    def _tires(self, leg: Leg) -> None:
        """Of the line."""
        contact = self._loop.engine.state.contact_of(leg.name)
        if contact is not None and contact.waiting:
            self._lines.hang_up(leg)

    def _looks(self, leg: Leg) -> None:
        """Now and again: has nothing new happened for too long, neither in line nor in a talk?"""
        contact = self._loop.engine.state.contact_of(leg.name)
        if leg.going or contact is None:
            return
        segments, patience_s = contact.record.segments, self._menus.patience_s
        since = segments[-1].began_at if segments else contact.record.began_at
        if not contact.waiting and contact.record.state != "talking" and self._loop.now >= since + patience_s:
            self._lines.hang_up(leg)
        else:
            self._loop.at(max(self._loop.now, since) + patience_s, partial(self._looks, leg))

    def _hears(self, action: Play) -> None:
        """The first thing that is played: from now on keys are pressed."""
        if action.leg in self._with_keys and action.leg in self._lines.legs:
            self._with_keys.discard(action.leg)
            leg = self._lines.legs[action.leg]
            self._loop.at(self._loop.now + self._menus.key_s, partial(self._presses, leg, 0))

    def _presses(self, leg: Leg, place: int) -> None:
        if leg.going or leg.talks or leg.caller is None:
            return
        if place + 1 < len(leg.caller.keys):
            self._loop.at(self._loop.now + self._menus.key_s, partial(self._presses, leg, place + 1))
        self._loop.give(Digit(leg=leg.name, digit=leg.caller.keys[place], at=self._loop.now))

    def _joined(self, entry: Entry) -> None:
        """Patience runs from the first queue on."""
        match decode(entry):
            case events.Joined(estimate_s=float() as estimate_s):
                self._loop.day.told_s[entry.contact] = estimate_s
        leg, queue = self._customer(entry)
        if leg is None or leg.waits or leg.caller is None:
            return
        leg.waits = True
        patience_s = leg.caller.patience_s
        if patience_s is not None:
            patience_s *= self._branch.patience_times
        else:
            served = self._scenario.queues.get(queue)
            chance = served.patience if served and served.patience else self._scenario.patience
            drawn_s = leg.caller.waited_s + chance.quantile_s(leg.caller.patience)
            patience_s = self._branch.patience_times * drawn_s
        if patience_s < LONGEST_S:
            self._loop.at(self._loop.now + patience_s, partial(self._tires, leg))

    def _talked(self, entry: Entry) -> None:
        """Whoever is transferred talks no longer in all: the first agent's talk sets when it is over."""
        leg, queue = self._customer(entry)
        if leg is None or leg.talks:
            return
        leg.talks = True
        handling_s = leg.caller.handling_s if leg.caller else None
        if handling_s is not None:
            handling_s *= self._branch.handling_times
        else:
            served = self._scenario.queues.get(queue)
            chance = served.handling if served and served.handling else self._scenario.handling
            share = leg.caller.handling if leg.caller else self._random.random()
            handling_s = self._branch.handling_times * chance.quantile_s(share)
        self._loop.at(self._loop.now + min(handling_s, LONGEST_S), partial(self._lines.hang_up, leg))

    def _customer(self, entry: Entry) -> tuple[Leg | None, str]:
        """Of the entry's contact: the leg, and the queue."""
        contact = self._loop.contacts.get(entry.contact)
        if contact is None:
            return None, ""
        return self._lines.legs.get(contact.customer_leg), contact.record.queue
