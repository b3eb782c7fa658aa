"""Failures: defects that last and are nobody else's consequence. What people are told, with the times of it.

Ref: ITU-T G.7710/Y.1701, fault cause correlation and persistency: declared after 2.5 s +-0.5 s, cleared after
10 s +-0.5 s, the times of ANSI T1.231 too. How soon a defect is seen (G.775, G.706) is the backend's.
"""

from collections.abc import Set
from dataclasses import dataclass

from e1_driver import Alarm

DECLARE_S = 2.5
CLEAR_S = 10.0
HIDES = {                                         # what follows from what: of no use to whoever repairs it
    Alarm.LOS: frozenset({Alarm.AIS, Alarm.LOF, Alarm.LOMF, Alarm.RAI}),
    Alarm.AIS: frozenset({Alarm.LOF, Alarm.LOMF, Alarm.RAI}),
    Alarm.LOF: frozenset({Alarm.LOMF, Alarm.RAI}),
    Alarm.LOMF: frozenset(),
    Alarm.RAI: frozenset(),
}


def causes(defects: Set[Alarm]) -> frozenset[Alarm]:
    """Those of `defects` that do not follow from another of them."""
    return frozenset(defects).difference(*(HIDES[alarm] for alarm in defects))


@dataclass(frozen=True, slots=True)
class FailureChange:
    """A failure is declared or cleared."""

    at: float                                     # the caller's `now`
    alarm: Alarm
    declared: bool                                # False: cleared
    since: float                                  # when the defect began, or ended


class Failures:
    """Tell it the defects whenever they change and at next_deadline(). `now` is any steady clock, seconds."""

    def __init__(self, declare_s: float = DECLARE_S, clear_s: float = CLEAR_S) -> None:
        self._declare_s, self._clear_s = declare_s, clear_s
        self._standing: set[Alarm] = set()
        self._since: dict[Alarm, float] = {}      # defects not declared yet, ends of defects not cleared yet

    @property
    def standing(self) -> frozenset[Alarm]:
        """The failures declared and not cleared."""
        return frozenset(self._standing)

    def update(self, now: float, defects: Set[Alarm]) -> list[FailureChange]:
        """What is declared and cleared at `now`. A failure clears those that follow from it at once."""
        here = causes(defects)
        for alarm in Alarm:
            if (alarm in here) == (alarm in self._standing):
                self._since.pop(alarm, None)
            else:
                self._since.setdefault(alarm, now)
        changes: list[FailureChange] = []
        for alarm, since in sorted(self._since.items()):
            declared = alarm not in self._standing
            if now >= since + (self._declare_s if declared else self._clear_s):
                changes.append(self._change(now, alarm, declared))
        hidden = frozenset[Alarm]().union(*(HIDES[above] for above in self._standing & here))
        for alarm in sorted(self._standing & hidden):
            changes.append(self._change(now, alarm, declared=False))
        return changes

    def next_deadline(self) -> float | None:
        """When update() may decide something with no defect coming or going."""
        return min((since + (self._clear_s if alarm in self._standing else self._declare_s)
                    for alarm, since in self._since.items()), default=None)

    def _change(self, now: float, alarm: Alarm, declared: bool) -> FailureChange:
        (self._standing.add if declared else self._standing.remove)(alarm)
        return FailureChange(now, alarm, declared, self._since.pop(alarm))
