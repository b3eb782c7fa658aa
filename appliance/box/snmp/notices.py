"""Which notifications are due: of what has changed, and stayed so for a while. Pure.

Ref: RFC 2863 (linkDown, linkUp), RFC 4805 (dsx1LineStatusChange), RFC 3418 (coldStart), BRANCHLINE-MIB.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.box.snmp import ds1, interfaces, own
from appliance.box.snmp.steady import Change, Steady
from appliance.box.snmp.tree import Oid, named
from appliance.box.telemetry.seen import Seen

COLD_START: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 5, 1)
_UP, _DOWN = interfaces.UP, interfaces.DOWN
_Key = tuple[str, str]                            # subject, name


@dataclass(frozen=True, slots=True)
class Notice:
    """`objects`: names of rows that go along, as they are when it is sent."""

    kind: Oid
    words: str                                    # for the log
    objects: tuple[Oid, ...] = ()


class Notices:
    """`spans`: name -> index. `lines`: what is known of each, (ifOperStatus, dsx1LineStatus)."""

    def __init__(self, hold_s: float, own_rows: own.Own, spans: Mapping[str, int]) -> None:
        self._own, self._spans = own_rows, spans
        self._steady = Steady[_Key, int](hold_s)

    def look(self, seen: Seen, lines: Mapping[str, tuple[int, int]], now: float) -> list[Notice]:
        """What is to be sent now. `now` is any steady clock, seconds."""
        see, unknown = self._steady.see, self._steady.unknown
        for span, (oper, status) in lines.items():
            if oper in (_UP, _DOWN):
                see(("interface", span), oper, _UP, now)
                see(("line", span), status, ds1.NO_ALARM, now)
            else:                                 # being tested or not heard of: no news of the line
                unknown(("interface", span))
                unknown(("line", span))
        if seen.fitness is not None:
            see(("fitness", ""), own.FITNESS_NUMBER[seen.fitness.state], 1, now)
        for daemon in seen.health.daemons if seen.health is not None else ():
            if daemon.state != "never":
                see(("daemon", daemon.daemon), daemon.state != "down", True, now)
        for span in self._spans:
            if span in seen.channels and seen.lives("trunkd"):
                see(("data link", span), seen.channels[span].link_up, True, now)
            else:
                unknown(("data link", span))
        return [self._notice(change) for change in self._steady.due(now)]

    def next_deadline(self) -> float | None:
        return self._steady.next_deadline()

    def _notice(self, change: Change[_Key, int]) -> Notice:
        subject, name = change.key
        if subject == "interface":
            index, up = self._spans[name], change.now == _UP
            return Notice(interfaces.LINK_UP if up else interfaces.LINK_DOWN,
                          f"link {'up' if up else 'down'}: {name}",
                          ((*interfaces.IF_INDEX, index), (*interfaces.IF_ADMIN, index),
                           (*interfaces.IF_OPER, index)))
        if subject == "line":
            index = self._spans[name]
            return Notice(ds1.STATUS_CHANGE, f"line status {change.now}: {name}",
                          ((*ds1.STATUS, index), (*ds1.STATUS_CHANGED, index)))
        if subject == "fitness":
            return self._of_own(own.FITNESS_CHANGE, f"fitness {change.now}", own.FITNESS, own.REASONS)
        if subject == "daemon":
            kind, word = (own.DAEMON_UP, "up") if change.now else (own.DAEMON_DOWN, "down")
            return self._of_own(kind, f"{name} {word}", (*own.DAEMON_STATE, *named(name)))
        index = self._spans[name]
        return self._of_own(own.DATA_LINK_CHANGE, f"data link {'up' if change.now else 'down'}: {name}",
                            (*own.SPAN_NAME, index), (*own.SPAN_LINK, index))

    def _of_own(self, kind: int, words: str, *objects: Oid) -> Notice:
        return Notice((*self._own.notifications, kind), words,
                      tuple((*self._own.objects, *name) for name in objects))
