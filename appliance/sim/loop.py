"""Virtual time: what is to come in one heap, the engine that is told it, and who does what it wants. Pure."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from appliance.bus.messages import Request
from appliance.centre import events
from appliance.centre.engine import Engine
from appliance.centre.projector import ContactProjector
from appliance.centre.state import Contact
from appliance.sim.day import Day
from appliance.store.events import Entry
from appliance.store.records import ContactRecord

BATCH = 1000                                      # entries that `keep` gets together

Keep = Callable[[Sequence[Entry]], None]


class Loop:
    """`told`: who hears a kind of log entry, and only makes plans then; `done`: who does a kind of action."""

    def __init__(self, engine: Engine, day: Day, keep: Keep | None = None) -> None:
        self.engine, self.day, self.now = engine, day, day.opens
        self.contacts: dict[str, Contact] = {}    # live ones
        self.told: dict[str, list[Callable[[Entry], None]]] = defaultdict(list)
        self.done: dict[type[Any], list[Callable[[Any], None]]] = defaultdict(list)
        self._plans: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count(1)
        self._keep, self._entries = keep, list[Entry]()
        self._projector = ContactProjector()

    def at(self, when: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._plans, (when, next(self._order), act))

    def give(self, event: object) -> None:
        """Tell the engine, and do what it wants."""
        self.engine.handle(event, self.now)
        self._settle()

    def ask(self, request: Request[Any]) -> None:
        """A command. StateError: it cannot be."""
        self.engine.command(request, self.now)
        self._settle()

    def run(self, until: float, open_: Callable[[], bool]) -> None:
        """To `until`, or as soon as it is not open any more and nobody is there."""
        self.engine.start(self.now)
        self._settle()
        while open_() or self.contacts:
            plan = self._plans[0][0] if self._plans else until
            deadline = self.engine.next_deadline()
            if deadline is not None and deadline <= plan:
                if deadline > until:
                    break
                self.now = max(self.now, deadline)
                self.engine.expire(self.now)
                self._settle()
            elif self._plans and plan <= until:
                self.now, _, act = heapq.heappop(self._plans)
                act()
            else:
                break
        self.now = max(self.now, self.day.ends)
        self.day.records += [contact.record for contact in self.contacts.values()]
        self._kept(least=1)

    def _settle(self) -> None:
        self.day.turns += 1
        entries, actions = self.engine.take()
        for entry in entries:
            if entry.kind == events.Began.__name__:
                self._began(entry, entries)
            for hear in self.told.get(entry.kind, ()):
                hear(entry)
            if entry.kind == events.Ended.__name__ and entry.contact in self.contacts:
                self.day.records.append(self.contacts.pop(entry.contact).record)
        for action in actions:
            for do in self.done.get(type(action), ()):
                do(action)
        if self._keep is not None:
            self._entries += entries
            self._kept(least=BATCH)

    def _began(self, entry: Entry, entries: list[Entry]) -> None:
        """The state's own record is the one that the box would keep; of one that is gone it is made here."""
        contact = self.engine.state.contacts.get(entry.contact)
        if contact is not None:
            self.contacts[entry.contact] = contact
            return
        record: ContactRecord | None = None
        for one in entries:
            if one.contact == entry.contact and one.kind in self._projector.kinds:
                record = self._projector.fold(record, one)
        if record is not None:
            self.day.records.append(record)

    def _kept(self, least: int) -> None:
        if self._keep is not None and len(self._entries) >= least:
            self._keep(self._entries)
            self._entries = []
