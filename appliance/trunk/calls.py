"""trunkd's live calls: what becomes of one is in the table before anybody hears of it.

Within one turn of a span changes only mark a call; settle() writes all of them at once, before frames are
sent and before the loop goes on to what was said.
"""
import time
from collections.abc import Callable, Iterator

from appliance.bus.messages import CallInfo, CallReleased, Event, UserData
from appliance.isdn.call.call import Snapshot
from appliance.trunk.binding import Bindings
from appliance.trunk.legs import Leg, LegTable
from appliance.trunk.traces import Traces


class Calls:
    """`say` takes the bus' events in order; `snapshot` asks a call's span for what a restart must know."""

    def __init__(self, table: LegTable, bindings: Bindings, traces: Traces,
                 say: Callable[[Event], None], snapshot: Callable[[Leg], Snapshot | None]) -> None:
        self.say = say
        self._table, self._bindings, self._traces, self._snapshot = table, bindings, traces, snapshot
        self._legs: dict[str, Leg] = {}
        self._changed: dict[str, Leg] = {}
        self._released: list[CallInfo] = []

    def __len__(self) -> int:
        return len(self._legs)

    def __iter__(self) -> Iterator[Leg]:
        return iter(self._legs.values())

    def get(self, name: str) -> Leg | None:
        return self._legs.get(name)

    def released(self) -> list[CallInfo]:
        """The last thousand that ended, oldest first."""
        return self._table.released()

    def load(self) -> list[Leg]:
        """Take over the calls of the last process."""
        self._legs = {leg.info.leg: leg for leg in self._table.load()}
        return list(self._legs.values())

    def add(self, leg: Leg) -> None:
        self._legs[leg.info.leg] = leg
        self.touch(leg)

    def forget(self, leg: Leg) -> None:
        """It could not even be asked for: nobody hears of it."""
        self._legs.pop(leg.info.leg, None)
        self._changed.pop(leg.info.leg, None)

    def touch(self, leg: Leg) -> None:
        """Something about it has changed."""
        self._changed[leg.info.leg] = leg

    def placed(self, leg: Leg) -> None:
        """It has a call reference, its first or another one."""
        leg.snapshot = self._snapshot(leg)
        self._traces.begin(leg.info, leg.call_ref)
        self.touch(leg)

    def enter(self, leg: Leg, state: str) -> None:
        if state != leg.info.state:
            leg.change(state=state, since=time.time())
        self.touch(leg)

    def place(self, leg: Leg, span: str, timeslot: int) -> None:
        """Its audio is there."""
        leg.change(span=span, timeslot=timeslot)
        self.touch(leg)
        self._bindings.bind(leg.info.leg, span, timeslot)

    def release(self, leg: Leg, cause: int, by: str, user_data: UserData | None = None) -> None:
        self.forget(leg)
        leg.change(state="released", since=time.time(), cause=cause, by=by)
        info = leg.info
        self._bindings.unbind(info.leg)
        self._released.append(info)
        self._traces.end(info)
        self.say(CallReleased(leg=info.leg, cause=cause, by=by, at=info.since, user_data=user_data))

    def settle(self) -> None:
        """Write what has changed."""
        if not self._changed and not self._released:
            return
        changed, released = self._changed, self._released
        self._changed, self._released = {}, []
        for leg in changed.values():
            leg.snapshot = self._snapshot(leg)
        self._table.write(changed.values(), released)
