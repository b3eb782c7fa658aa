"""What a page shows of the signalling: calls and their rungs in the order of time. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from appliance.bus.messages import CallTrace, ContactLeg, SpanTrace
from appliance.isdn.ladder import Fold, Rung, describe, ladder

NEWEST_ROWS = 120                                 # of a span's page
FIRST_ROWS, LAST_ROWS = 100, 300                  # of a contact's: a call without rest has thousands
RELEASED = "released"
PARTIES = ("Calling party number", "Called party number")       # elements, Q.931 table 4-3


@dataclass(frozen=True, slots=True)
class CallView:
    """One call of a contact: a column of its ladder, together with those on the same side of the box."""

    party: str                                    # caller, agent, called
    agent: str
    left: bool                                    # its far end stands left of the box
    trace: CallTrace

    @property
    def over(self) -> bool:
        return self.trace.call.state == RELEASED


@dataclass(frozen=True, slots=True)
class Row:
    """One frame, or so many of a link's upkeep. `to_right`: the arrow's direction on the page."""

    at: float
    after_s: float                                # since the ladder's first row
    call: int                                     # place in `calls`
    left: bool                                    # between the far end at the left and the box
    to_right: bool
    rung: Rung | None = None
    upkeep: int = 0
    whose: str = ""                               # the numbers of its call, on a span's page: for the filter

    @property
    def layer(self) -> int:
        """0: upkeep."""
        return 0 if self.rung is None else 3 if self.rung.message else 2


@dataclass(frozen=True, slots=True)
class LadderView:
    calls: tuple[CallView, ...]
    rows: tuple[Row, ...]
    left_out: int = 0                             # rows in the middle: the file has them

    @property
    def both_sides(self) -> bool:
        return any(not call.left for call in self.calls)

    @property
    def over(self) -> bool:
        """Nothing more will be said."""
        return all(call.over for call in self.calls)


def contact_ladder(legs: Iterable[tuple[ContactLeg, Sequence[CallTrace]]]) -> LadderView:
    """Of a contact's legs: the one that arrived at the left of the box, the others at its right."""
    calls = tuple(CallView(leg.party, leg.agent, place == 0, trace)
                  for place, (leg, traces) in enumerate(legs) for trace in traces)
    found = sorted(((frame, place) for place, call in enumerate(calls) for frame in call.trace.frames),
                   key=lambda one: one[0].at)
    began = found[0][0].at if found else 0.0
    left_out = max(0, len(found) - FIRST_ROWS - LAST_ROWS)
    if left_out:
        found[FIRST_ROWS:-LAST_ROWS] = []
    rows = tuple(Row(
        frame.at, frame.at - began, place, calls[place].left, frame.sent is not calls[place].left,
        describe(frame.octets, frame.sent, calls[place].trace.network_side, frame.again))
        for frame, place in found)
    return LadderView(calls, rows, left_out)


def span_rows(trace: SpanTrace) -> tuple[Row, ...]:
    """The newest of a D-channel, oldest first, the box at the left; seconds are since the row before."""
    rows: list[Row] = []
    before = trace.frames[0].at if trace.frames else 0.0
    frames = ((frame.at, frame.sent, frame.octets) for frame in trace.frames)
    calls: dict[tuple[int, bool], str] = {}       # by call reference and who chose it
    for step in ladder(frames, trace.network_side):
        if isinstance(step, Fold):
            rows.append(Row(step.at, step.at - before, 0, False, True, upkeep=step.count))
        else:
            rows.append(Row(step.at, step.at - before, 0, False, step.rung.sent, step.rung,
                            whose=_whose(calls, step.rung)))
        before = step.at
    return tuple(rows[-NEWEST_ROWS:])


def _whose(calls: dict[tuple[int, bool], str], rung: Rung) -> str:
    """The numbers of the call that a message is of; `calls` remembers them from its SETUP on."""
    if rung.call_ref is None or rung.ours is None:
        return ""
    key = rung.call_ref, rung.ours
    if rung.message == "SETUP":
        numbers = {part.name: part.short.partition(" ")[2] for part in rung.parts if part.name in PARTIES}
        calls[key] = " → ".join(filter(None, (numbers.get(name, "") for name in PARTIES)))
    return calls.get(key, "")
