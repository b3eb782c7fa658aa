"""Who waits, in order: contacts of the same demand in the same ring are one row, served from its head.

The same agents may serve all of a row, so that a choice looks at the heads only.
"""

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from appliance.centre.choice.crew import Crew, Demand, Reach
from appliance.centre.choice.facts import Rules, Waiting
from appliance.centre.choice.order import place

Spot = tuple[float, int, str]                     # what it is sorted by, line, contact
Spots = list[Spot]
Widening = tuple[float, str, int]                 # when, contact, its next ring
SPARE = 1000                                      # forgotten ones that may lie about


@dataclass(frozen=True, slots=True)
class Row:
    """Never empty."""

    demand: Demand
    ring: int
    reach: Reach
    spots: Spots


@dataclass(slots=True)
class Place:
    """Of one contact. `ring`: where it stands in a row; the rings of one that rings somewhere rest."""

    waiting: Waiting
    demand: Demand
    reaches: tuple[Reach, ...]
    at: float                                     # among those of its queue
    ring: int = 0

    @property
    def spot(self) -> Spot:
        return self.at, self.waiting.line, self.waiting.contact

    @property
    def joined(self) -> Spot:
        return self.waiting.joined_at, self.waiting.line, self.waiting.contact

    @property
    def arrived(self) -> Spot:
        return self.waiting.since, self.waiting.line, self.waiting.contact

    def ring_at(self, ring: int) -> float:
        return self.waiting.joined_at + self.reaches[ring].after_s


class Lines:
    def __init__(self, rules: Rules, crew: Crew) -> None:
        self._rules, self._crew = rules, crew
        self.places: dict[str, Place] = {}
        self.rows: dict[tuple[Demand, int], Row] = {}
        self.queues: dict[str, Spots] = {name: [] for name in rules.queues}      # ringing ones as well
        self.joined: dict[str, Spots] = {name: [] for name in rules.queues}      # to a queue, by time
        self.arrived: dict[str, Spots] = {name: [] for name in rules.queues}     # by when they began to wait
        self._widening: list[Widening] = []

    def put(self, waiting: Waiting) -> None:
        """In line from now on, or with other facts than before."""
        self.drop(waiting.contact)
        demand = self._crew.demand(waiting)
        place_ = Place(waiting, demand, self._crew.reaches(demand), place(self._rules, waiting))
        self.places[waiting.contact] = place_
        insort(self.queues[waiting.queue], place_.spot)
        if not waiting.ringing:
            insort(self.joined[waiting.queue], place_.joined)
            insort(self.arrived[waiting.queue], place_.arrived)
            self._line_up(place_)

    def drop(self, contact: str) -> None:
        found = self.places.pop(contact, None)
        if found is not None:
            queue = found.waiting.queue
            _remove(self.queues[queue], found.spot)
            if not found.waiting.ringing:
                _remove(self.joined[queue], found.joined)
                _remove(self.arrived[queue], found.arrived)
                self._leave_row(found)

    def renew(self) -> None:
        """Agents have other skills: no row is left of before."""
        waiting = [found.waiting for found in self.places.values()]
        for one in waiting:
            self.drop(one.contact)
        for one in waiting:
            self.put(one)

    def widen(self, now: float) -> None:
        """Everybody into the ring of this moment."""
        while (entry := self._next_widening()) is not None and entry[0] <= now:
            heapq.heappop(self._widening)
            found = self.places[entry[1]]
            self._leave_row(found)
            found.ring += 1
            self._line_up(found)

    def next_widening(self) -> float | None:
        entry = self._next_widening()
        return None if entry is None else entry[0]

    def position(self, contact: str) -> int:
        found = self.places[contact]
        return bisect_left(self.queues[found.waiting.queue], found.spot) + 1

    def before(self, at: Spot, shifts: Mapping[str, float]) -> Iterator[tuple[Row, int]]:
        """Rows with the number of those in them that are served before `at`; its shift is in it already."""
        for row in self.rows.values():
            shift_s = shifts[row.demand.queue]
            if (row.spots[0][0] + shift_s, *row.spots[0][1:]) < at:
                yield row, bisect_left(row.spots, at, key=lambda spot: (spot[0] + shift_s, *spot[1:]))

    def _line_up(self, found: Place) -> None:
        name = found.demand, found.ring
        if (row := self.rows.get(name)) is None:
            row = self.rows[name] = Row(found.demand, found.ring, found.reaches[found.ring], [])
        insort(row.spots, found.spot)
        ring = found.ring + 1
        if ring < len(found.reaches):
            heapq.heappush(self._widening, (found.ring_at(ring), found.waiting.contact, ring))
            if len(self._widening) > SPARE + 2 * len(self.places):
                self._widening = sorted({entry for entry in self._widening if self._is_ahead(entry)})

    def _leave_row(self, found: Place) -> None:
        row = self.rows[found.demand, found.ring]
        _remove(row.spots, found.spot)
        if not row.spots:
            del self.rows[found.demand, found.ring]

    def _next_widening(self) -> Widening | None:
        """The earliest that is still to come true; what was forgotten meanwhile goes."""
        while self._widening and not self._is_ahead(self._widening[0]):
            heapq.heappop(self._widening)
        return self._widening[0] if self._widening else None

    def _is_ahead(self, entry: Widening) -> bool:
        at, contact, ring = entry
        found = self.places.get(contact)
        return (found is not None and not found.waiting.ringing and found.ring + 1 == ring
                and ring < len(found.reaches) and found.ring_at(ring) == at)


def _remove(spots: Spots, spot: Spot) -> None:
    del spots[bisect_left(spots, spot)]
