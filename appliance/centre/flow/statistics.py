"""Per node of a flow: how many came, how they left, how many hung up there. Out of the event log alone."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from appliance.centre import events
from appliance.centre.events import decode
from appliance.store.events import Entry


@dataclass(slots=True)
class NodeFigures:
    """`left`: by the way that they took (next, digit 1, error, ...). entered = left + hung up + there now."""

    entered: int = 0
    left: Counter[str] = field(default_factory=Counter)
    hung_up: int = 0                              # by the caller, or the line
    stay_s: float = 0.0                           # of those who are not there any more, together


@dataclass(slots=True)
class FlowStatistics:
    """Fed the log in order, from a contact's beginning on. By flow and node."""

    nodes: dict[tuple[str, str], NodeFigures] = field(default_factory=dict)
    _there: dict[str, tuple[str, str, float]] = field(default_factory=dict)   # contact -> flow, node, since

    def add(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if entry.kind in _KINDS:
                self._add(entry)

    def _add(self, entry: Entry) -> None:
        match decode(entry):
            case events.NodeEntered(flow=flow, node=node, by=by):
                self._leave(entry, by or "next")
                self.nodes.setdefault((flow, node), NodeFigures()).entered += 1
                self._there[entry.contact] = flow, node, entry.at
            case events.Talked() | events.TakenOver():
                self._leave(entry, "talk")
            case events.Ended(outcome=outcome, ended_by=ended_by):
                self._leave(entry, "" if ended_by in ("caller", "line") else f"ended: {outcome}")

    def _leave(self, entry: Entry, by: str) -> None:
        """By "": it hung up."""
        flow, node, since = self._there.pop(entry.contact, ("", "", 0.0))
        if node:
            figures = self.nodes[flow, node]
            figures.stay_s += max(0.0, entry.at - since)
            if by:
                figures.left[by] += 1
            else:
                figures.hung_up += 1


_KINDS = frozenset(kind.__name__ for kind in (
    events.NodeEntered, events.Talked, events.TakenOver, events.Ended))
