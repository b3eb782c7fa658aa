"""All that the agent shows, out of what boxd has heard. Pure but for the kernel's network cards.

`now` is monotonic, `unix` the wall clock, both in seconds.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from functools import partial

from appliance.box.snmp import ds1, interfaces, own
from appliance.box.snmp.tree import Oid, Row, Section, Tree, integer, oid, text, ticks
from appliance.box.telemetry.seen import Seen
from appliance.bus.messages import SpanState
from e1_driver import Alarm
from e1_driver.watch.bins import Bin

SYSTEM: Oid = (1, 3, 6, 1, 2, 1, 1)
UP_TIME: Oid = (*SYSTEM, 3, 0)
_SERVICES = 1 + 64                                # sysServices: layers 1 and 7
_BROKEN = {Alarm.LOS, Alarm.LOF, Alarm.AIS}
LIVE_S, LINE_S, CARDS_S = 0.5, 0.5, 2.0

Quarter = Callable[[str, int], Bin | None]        # span, Unix second


@dataclass(frozen=True, slots=True)
class Facts:
    """Of the box; what does not change while the agent runs."""

    version: str
    hostname: str
    contact: str
    location: str
    urls: Mapping[str, str]                       # of spans, by name
    indices: Mapping[str, int]                    # likewise
    enterprise: int
    tells: bool                                   # notifications are sent


class _Since:
    """When things became what they are, seconds since the agent began; 0: when it first looked or before."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str | int], tuple[object, float]] = {}

    def see(self, what: str, whose: str | int, value: object, now_s: float) -> float:
        was, at_s = self._known.setdefault((what, whose), (value, 0.0))
        if value != was:
            at_s = now_s
            self._known[what, whose] = value, at_s
        return at_s

    def of(self, what: str, whose: str | int) -> float:
        """As of see(), which was the last to be told."""
        return self._known.get((what, whose), (None, 0.0))[1]

    def forget(self, what: str, but: Set[str | int]) -> None:
        """Those that are no more."""
        for key in [key for key in self._known if key[0] == what and key[1] not in but]:
            del self._known[key]


class View:
    def __init__(self, facts: Facts, seen: Seen, quarter: Quarter, now: Callable[[], float],
                 unix: Callable[[], float],
                 cards: Callable[[], Iterable[interfaces.Interface]] = interfaces.cards) -> None:
        self._facts, self._seen, self._quarter, self.now, self._unix = facts, seen, quarter, now, unix
        self._cards = cards
        self._began = now()
        self._since = _Since()
        spans = {name: facts.indices[name] for name in facts.urls}
        self.own = own.Own(facts.enterprise, spans)
        self.spans = spans
        self.tree = Tree([
            Section(SYSTEM, 0.0, self._system),
            Section(interfaces.INTERFACES, CARDS_S, lambda: interfaces.rows(self._all_interfaces())),
            Section(interfaces.EXTENDED, CARDS_S, self._extended),
            Section(ds1.CONFIG, LINE_S, self._config, deep=2),
            *(Section(below, LINE_S, self._current_below(below), deep=2)
              for below in (ds1.CURRENT, ds1.FAR_CURRENT)),
            *(Section(below, LINE_S, self._history(rows), deep=2)
              for below, rows in ((ds1.INTERVAL, ds1.near_intervals), (ds1.TOTAL, ds1.near_total),
                                  (ds1.FAR_INTERVAL, ds1.far_intervals), (ds1.FAR_TOTAL, ds1.far_total))),
            Section(self.own.objects, LIVE_S, self._own_rows)])

    def up_s(self) -> float:
        return self.now() - self._began

    def lines(self) -> dict[str, tuple[int, int]]:
        """ifOperStatus and dsx1LineStatus of each span; when they changed is kept."""
        found: dict[str, tuple[int, int]] = {}
        for span in self.spans:
            found[span] = self._oper(span), ds1.status(self._state(span), self._failures(span))
            self._line_since(span, found[span])
        return found

    def _line_since(self, span: str, line: tuple[int, int]) -> tuple[float, float]:
        """Of both; nobody knows of a line of which nothing is heard that it would have changed."""
        now_s, heard = self.up_s(), line[0] != interfaces.UNKNOWN
        return (self._since.see("interface", span, line[0], now_s),
                self._since.see("line", span, line[1], now_s) if heard else self._since.of("line", span))

    def _state(self, span: str) -> SpanState | None:
        return self._seen.spans.get(span) if self._seen.lives("spand") else None

    def _failures(self, span: str) -> set[str]:
        return {alarm for name, alarm in self._seen.failures if name == span}

    def _oper(self, span: str) -> int:
        state = self._state(span)
        if state is None:
            return interfaces.UNKNOWN
        if state.lent:
            return interfaces.TESTING
        if state.trouble:
            return interfaces.DOWN
        return interfaces.DOWN if _BROKEN & self._failures(span) else interfaces.UP

    def _system(self) -> Iterator[Row]:
        facts = self._facts
        for number, value in (
                (1, text(f"Branchline {facts.version}, a call centre on {len(self.spans)} E1")),
                (2, oid((*own.enterprise(facts.enterprise), *own.PRODUCT))), (3, ticks(self.up_s())),
                (4, text(facts.contact)), (5, text(facts.hostname)), (6, text(facts.location)),
                (7, integer(_SERVICES))):
            yield (*SYSTEM, number, 0), value

    def _all_interfaces(self) -> list[interfaces.Interface]:
        """A card changes when it is seen to have changed: nobody listens to the kernel for it."""
        taken, now_s = set(self.spans.values()), self.up_s()
        cards = [card for card in self._cards() if card.index not in taken]
        self._since.forget("card", {card.index for card in cards})
        return [*(replace(card, changed_s=self._since.see("card", card.index, card.oper, now_s))
                  for card in cards), *(
            interfaces.span(self.spans[span], span, self._facts.urls[span], line[0],
                            self._line_since(span, line)[0], self._facts.tells)
            for span, line in self.lines().items())]

    def _extended(self) -> Iterator[Row]:
        found = self._all_interfaces()
        changed_s = self._since.see("table", "", {one.index for one in found}, self.up_s())
        return interfaces.extended_rows(found, changed_s)

    def _config(self) -> Iterator[Row]:
        for span, line in self.lines().items():
            yield from ds1.config(
                self.spans[span], self._facts.urls[span], self._state(span), self._seen.clock,
                self._failures(span), self._line_since(span, line)[1], self._facts.tells, self._unix(),
                partial(self._quarter, span))

    def _current_below(self, below: Oid) -> Callable[[], Iterator[Row]]:
        def rows() -> Iterator[Row]:
            for span, index in self.spans.items():
                for row in ds1.current(index, self._unix(), partial(self._quarter, span)):
                    if row[0][:len(below)] == below:
                        yield row
        return rows

    def _history(self, of: Callable[[int, ds1.Ended], Iterable[Row]]) -> Callable[[], Iterable[Row]]:
        """Of a table: made anew for the spans whose quarters are others, 20 000 rows of 16 spans else."""
        kept: dict[str, tuple[object, list[Row]]] = {}
        whole: list[Row] = []

        def rows() -> Iterable[Row]:
            nonlocal whole
            others = False
            for span, index in self.spans.items():
                ended = ds1.ended(self._unix(), partial(self._quarter, span))
                sign = ds1.sign(ended)
                if span not in kept or kept[span][0] != sign:
                    kept[span], others = (sign, list(of(index, ended))), True
            if others:
                whole = [row for _, rows in kept.values() for row in rows]
            return whole
        return rows

    def _own_rows(self) -> Iterator[Row]:
        self._seen.at = self._unix()
        return self.own.rows(self._seen)
