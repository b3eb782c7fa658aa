"""What BRANCHLINE-MIB.txt beside this file describes: box, calls, spans, queues, agents, daemons. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping

from appliance.box.snmp.tree import Oid, Rising, Row, Value, counter32, gauge, integer, named, text, truth
from appliance.box.telemetry.seen import AWAY, Seen

OBJECTS, NOTIFICATIONS, PRODUCT = (1, 1), (1, 0), (2, 1)             # below the enterprise
FITNESS, REASONS = (1, 2, 0), (1, 3, 0)           # below OBJECTS
SPAN_NAME, SPAN_LINK = (3, 1, 2), (3, 1, 3)
DAEMON_STATE = (6, 1, 2)
FITNESS_CHANGE, DAEMON_DOWN, DAEMON_UP, DATA_LINK_CHANGE = 1, 2, 3, 4    # below NOTIFICATIONS

FITNESS_NUMBER = {"ok": 1, "degraded": 2, "unfit": 3}
DAEMON_NUMBER = {"up": 1, "late": 2, "down": 3, "never": 4}
_SOURCE_NUMBER = {"unknown": 1, "rtc": 2, "ntp": 3, "ptp": 4}
_AGENT_NUMBER = {"logged-out": 1, "not-ready": 2, "ready": 3, "reserved": 4, "ringing": 5, "talking": 6,
                 "held": 7, "consulting": 8, "wrap-up": 9, "unreachable": 10}
# Column of blSpanTable -> of e1_driver.Counters.
_COUNTED = {7: "slips", 8: "frames_in", 9: "frames_out", 10: "fcs_errors"}


def enterprise(number: int) -> Oid:
    return (1, 3, 6, 1, 4, 1, number)


class Own:
    """Below `number`, the enterprise's. Counters go on while the daemons that count begin anew."""

    def __init__(self, number: int, spans: Mapping[str, int]) -> None:
        self.objects: Oid = (*enterprise(number), *OBJECTS)
        self.notifications: Oid = (*enterprise(number), *NOTIFICATIONS)
        self._spans = spans                       # name -> index
        self._rising: dict[tuple[str, str], Rising] = {}             # of a span or daemon, which counter

    def rows(self, seen: Seen) -> Iterator[Row]:
        for name, value in self._below(seen):
            yield (*self.objects, *name), value

    def _below(self, seen: Seen) -> Iterator[Row]:
        yield from _box(seen)
        yield from _calls(seen)
        for name, index in self._spans.items():
            yield from self._span(seen, name, index)
        yield from _centre(seen)
        yield from self._daemons(seen)

    def _span(self, seen: Seen, name: str, index: int) -> Iterator[Row]:
        columns: dict[int, Value] = {2: text(name)}
        if (channels := seen.channels.get(name)) is not None and seen.lives("trunkd"):
            states = Counter(one.state for one in channels.channels)
            columns |= {3: truth(channels.link_up), 4: gauge(states["idle"]), 5: gauge(states["busy"]),
                        6: gauge(states.total() - states["idle"] - states["busy"])}
        if (state := seen.spans.get(name)) is not None:
            for column, count in _COUNTED.items():
                if count not in state.untold and count in state.counters:
                    columns[column] = self._rises(name, count, state.counters[count])
        yield from (((3, 1, column, index), value) for column, value in columns.items())

    def _daemons(self, seen: Seen) -> Iterator[Row]:
        for one in seen.health.daemons if seen.health is not None else ():
            index = named(one.daemon)
            yield (*DAEMON_STATE, *index), integer(DAEMON_NUMBER[one.state])
            yield (6, 1, 3, *index), counter32(one.starts)
            if one.state not in AWAY:
                yield (6, 1, 4, *index), gauge(one.rss_octets / 1024)
                yield (6, 1, 5, *index), self._rises(f"daemon {one.daemon}", "cpu", int(one.cpu_s * 100))

    def _rises(self, whose: str, counter: str, value: int) -> Value:
        return counter32(self._rising.setdefault((whose, counter), Rising()).see(value))


def _box(seen: Seen) -> Iterator[Row]:
    yield (1, 1, 0), text(seen.version)
    if (fitness := seen.fitness) is not None:
        yield (1, 2, 0), integer(FITNESS_NUMBER[fitness.state])
        yield (1, 3, 0), text(", ".join(
            f"{reason.code} {reason.about}".strip() for reason in fitness.reasons))
    if (clock := seen.wall_clock) is not None:
        yield (1, 4, 0), integer(_SOURCE_NUMBER[clock.source])
        if clock.error_s is not None:
            yield (1, 5, 0), gauge(clock.error_s * 1000)
    if seen.clock is not None and seen.lives("spand"):
        yield (1, 6, 0), text(seen.clock.source or "")


def _calls(seen: Seen) -> Iterator[Row]:
    if seen.lives("trunkd"):
        yield (2, 1, 0), gauge(sum(one.state == "busy" for span in seen.channels.values()
                                   for one in span.channels))
    yield (2, 2, 0), counter32(seen.calls_offered.total())
    yield (2, 3, 0), counter32(seen.calls_answered)
    yield (2, 4, 0), counter32(seen.calls_released.total())


def _centre(seen: Seen) -> Iterator[Row]:
    if seen.floor is None or not seen.lives("acdd"):
        return
    for queue in seen.floor.queues:
        waited_s = max(0.0, seen.at - queue.oldest_since) if queue.oldest_since else 0.0
        for column, figure in ((2, len(queue.waiting)), (3, waited_s), (4, queue.callbacks),
                               (5, len(queue.unreachable))):
            yield (4, 1, column, *named(queue.name)), gauge(figure)
    agents = Counter(agent.state for agent in seen.floor.agents)
    for state, number in _AGENT_NUMBER.items():
        yield (5, 1, 2, number), gauge(agents[state])
