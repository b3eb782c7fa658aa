"""The calls of one span: their references and keys, the channels that they get, and who wins a channel that
both sides want.

Ref: ITU-T Q.931 (05/98), 4.3, 5.1.2, 5.2.3, 5.7, Annex D.3; bare clause numbers are Q.931's.
"""
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from typing import Protocol

from appliance.errors import StateError
from appliance.isdn.audit import Audit
from appliance.isdn.call import table
from appliance.isdn.call.call import Call, ChannelRefused, Snapshot
from appliance.isdn.call.snapshot import restore
from appliance.isdn.call.states import On, State, Timers
from appliance.isdn.causes import (
    CHANNEL_NOT_AVAILABLE,
    DESTINATION_OUT_OF_ORDER,
    INVALID_CALL_REFERENCE,
    NO_CHANNEL,
    TEMPORARY_FAILURE,
)
from appliance.isdn.channels import Channels, Direction
from appliance.isdn.elements import CHANNEL_DOES_NOT_EXIST, CallState, Cause, ChannelId, Element
from appliance.isdn.events import By, Event, Released
from appliance.isdn.lapd import Side
from appliance.isdn.maintenance import Maintenance
from appliance.isdn.profile import Profile
from appliance.isdn.q931 import Message, MessageError, MessageType
from appliance.isdn.restart import Restarts

CALL_REFERENCES = 0x7FFF
ACTED_ON_ANYHOW = (MessageType.SETUP, MessageType.DISCONNECT, MessageType.RELEASE,
                   MessageType.RELEASE_COMPLETE)
ANSWERS = (MessageType.STATUS, MessageType.RELEASE, MessageType.RELEASE_COMPLETE)    # to STATUS ENQUIRY
AWARDED = (State.PRESENT, State.OVERLAP_RECEIVING, State.PROCEEDING_IN)      # a call that was just offered


class Selection(Enum):
    """What our SETUP says of its channel (5.1.2)."""

    PREFERRED = "preferred"                       # this one, or another
    EXCLUSIVE = "exclusive"                       # this one
    ANY = "any"                                   # the far end chooses
    NONE = "none"                                 # the same, by saying nothing


class Around(Protocol):
    """What is done around call control: the supplementary services (call_services.py)."""

    def before(self, call: Call, message: Message, now: float) -> None: ...

    def after(self, call: Call, message: Message, now: float) -> None: ...

    def tell(self, event: Event) -> None: ...


class Calls:
    """All calls of a span; what each needs of its span (call.Owner)."""

    def __init__(self, side: Side, profile: Profile, timers: Timers, *, overlap: bool, auto_proceed: bool,
                 selection: Selection, channels: Channels, restarts: Restarts, maintenance: Maintenance,
                 counts: Counter[str], new_key: Callable[[], str], first_call_ref: int,
                 send: Callable[[Message, float], None], services: Around) -> None:
        self.side, self.profile, self.timers = side, profile, timers
        self.overlap, self.auto_proceed, self.selection = overlap, auto_proceed, selection
        self.link_up = False
        self.send, self.tell, self.services = send, services.tell, services
        self.audit: Audit
        self._channels, self._restarts, self._maintenance = channels, restarts, maintenance
        self._counts, self._new_key, self._next_ref = counts, new_key, first_call_ref
        self._calls: dict[tuple[int, bool], Call] = {}          # (call reference, ours)
        self._keys: dict[str, Call] = {}
        self._due = math.inf                      # no timer of a call runs out before

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(list(self._calls.values()))

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __getitem__(self, key: str) -> Call:
        """StateError: no such call."""
        if key not in self._keys:
            raise StateError(f"no call {key}")
        return self._keys[key]

    # --- what happens

    def place(self, key: str, setup: tuple[Element, ...], now: float, *, timeslot: int | None,
              exclusive: bool | None) -> None:
        """A call of ours; without link or channel it is Released at once."""
        if key in self._keys:
            raise StateError(f"call {key} is there already")
        if not self.link_up:
            self.tell(Released(key, DESTINATION_OUT_OF_ORDER, By.LINE))
            return
        chosen = self._channels.next_idle() if timeslot is None else timeslot
        if chosen is None or not self._channels.is_idle(chosen):
            self.tell(Released(key, NO_CHANNEL, By.LINE))
            return
        wanted, kept = self._wanted(chosen, timeslot is not None, exclusive)
        call = Call(self, key, self._new_reference(), ours=True, setup=setup, timeslot=kept, wanted=wanted)
        self._add(call)
        if kept is not None:
            self._channels.take(kept, key)
        self.audit.set_up(now)
        self.fire(call, On.DIAL, now)

    def _wanted(self, chosen: int, named: bool,
                exclusive: bool | None) -> tuple[ChannelId | None, int | None]:
        """What SETUP says of the channel, and the channel that is kept for the call until it is settled."""
        selection = self.selection
        if exclusive is not None:
            selection = Selection.EXCLUSIVE if exclusive else Selection.PREFERRED
        elif named and selection in (Selection.ANY, Selection.NONE):
            selection = Selection.PREFERRED
        elif selection is Selection.NONE and self.side is Side.NETWORK and not self.profile.symmetric:
            selection = Selection.ANY             # a network must say something (table 3-15)
        match selection:
            case Selection.ANY:
                return ChannelId(None, exclusive=False, any_channel=True), None
            case Selection.NONE:
                return None, None
            case _:
                return ChannelId(chosen, selection is Selection.EXCLUSIVE), chosen

    def fire(self, call: Call, on: On, now: float, *elements: Element) -> None:
        table.fire(call, on, now, *elements)
        self.touched(call)

    def fire_all(self, on: On, now: float) -> None:
        for call in self:
            self.fire(call, on, now)

    def touched(self, call: Call) -> None:
        """Something was done to it: its timers may be others."""
        self._due = min(self._due, call.next_deadline() or math.inf)

    def next_deadline(self) -> float | None:
        """Not after the next timer runs out."""
        return None if self._due == math.inf else self._due

    def expire(self, now: float) -> None:
        if now < self._due:
            return
        for call in self:
            table.expire(call, now)
        self._due = min((at for call in self if (at := call.next_deadline()) is not None), default=math.inf)

    def receive(self, message: Message, now: float, fault: MessageError | None = None) -> None:
        """A message of a call. `fault`: what it lacks; it is acted on even so (5.8.6)."""
        call = self._call_of(message)
        timeslot = call.timeslot                  # gone when the call ends
        asked = None
        if message.type in ANSWERS and timeslot is not None and self.audit.asked(timeslot, call.key):
            asked = timeslot
        if message.type is MessageType.SETUP:
            self.audit.set_up(now)
        self.services.before(call, message, now)
        table.receive(call, message, now, fault)
        self.services.after(call, message, now)
        self.touched(call)
        if asked is not None:
            self._answered(call, message, asked, now)

    def _answered(self, call: Call, message: Message, timeslot: int, now: float) -> None:
        """The audit asked for the call, and something like an answer is there."""
        state, cause = message.first(CallState), message.first(Cause)
        unknown = state is not None and not state.value
        unknown = unknown or (cause is not None and cause.value == INVALID_CALL_REFERENCE)
        self.audit.proved(timeslot, now)
        if unknown and not self._channels[timeslot].key:
            self._restarts.begin(timeslot, now, f"the far end knows nothing of the call {call.key} on it")

    def refuse(self, error: MessageError, now: float) -> None:
        """A faulty message of a call (5.8.4, 5.8.6.1)."""
        if error.type in ACTED_ON_ANYHOW:
            message = Message(MessageType(error.type), error.call_ref, error.to_originator, error.elements)
            self.receive(message, now, error)
        else:
            call = self._calls.get((error.call_ref, error.to_originator))
            call = call or Call(self, "", error.call_ref, error.to_originator)
            table.refuse(call, error, now)

    def enquire(self, key: str, now: float) -> bool:
        """STATUS ENQUIRY without T322: no answer is no reason to clear. False: there is no such call."""
        if key not in self._keys:
            return False
        self._keys[key].say(MessageType.STATUS_ENQUIRY, now)
        return True

    def restarted(self, timeslots: Sequence[int], now: float) -> dict[str, int]:
        """The far end restarts these channels (5.5.2): keys and timeslots of the calls that end by it."""
        ended = {call.key: call.timeslot for call in self if call.timeslot in timeslots}
        for key in ended:
            self.fire(self._keys[key], On.RESTARTED, now)
        return {key: timeslot for key, timeslot in ended.items() if timeslot is not None}

    def restore(self, snapshots: Iterable[Snapshot], now: float) -> None:
        """Calls of the process before this one, before the line is up."""
        for snapshot in snapshots:
            call = Call(self, snapshot.key, snapshot.call_ref, snapshot.ours)
            if not 0 < call.call_ref <= CALL_REFERENCES or (call.call_ref, call.ours) in self._calls:
                self.tell(Released(call.key, TEMPORARY_FAILURE, By.LINE))
                continue
            self._add(call)
            timeslot = snapshot.timeslot
            if timeslot is not None and (timeslot not in self._channels or self._channels[timeslot].key):
                timeslot = None
            restore(call, snapshot, timeslot, now)
            if call.timeslot is not None:
                self._channels.take(call.timeslot, call.key)
            self.touched(call)

    # --- what calls need of us (call.Owner)

    def offer(self, call: Call, wanted: ChannelId | None, now: float) -> int:
        timeslot = self._choose(wanted)
        self._restarts.used([timeslot], now)
        self._add(call)
        self._channels.take(timeslot, call.key)
        return timeslot

    def move(self, call: Call, timeslot: int, now: float) -> bool:
        if timeslot not in self._channels:
            return False
        rival = self._keys.get(self._channels[timeslot].key)
        if rival is not None and self._loses(rival):
            self._counts["glare"] += 1
            rival.yield_channel()
            if not rival.ours:
                rival.because(CHANNEL_NOT_AVAILABLE, By.LINE)
                rival.disconnect(now, CHANNEL_NOT_AVAILABLE)
                self.touched(rival)
        elif not self._channels.usable_by_peer(timeslot):
            return False
        self._restarts.used([timeslot], now)
        self.leave(call)
        call.timeslot = timeslot
        self._channels.take(timeslot, call.key)
        return True

    def leave(self, call: Call) -> None:
        if call.timeslot is not None:
            self._channels.free(call.timeslot)
            call.timeslot = None

    def forget(self, call: Call, now: float, *, unanswered: bool) -> None:
        del self._calls[call.call_ref, call.ours]
        del self._keys[call.key]
        timeslot = call.timeslot
        self.leave(call)
        if timeslot is None:
            return
        self._maintenance.update([timeslot], now)
        stuck = "its RELEASE had no answer" if unanswered else ""
        if call.channel_refused or call.award_refused:
            if self._channels.refused(timeslot):
                stuck = "the far end refuses it again and again"
        elif call.unheard:                        # maybe on all channels: then none of them is stuck
            if self._channels.refused(timeslot):
                self._restarts.begin(timeslot, now, proves=True)
        elif call.settled and not unanswered:
            self._channels.trusted(timeslot)
            self.audit.proved(timeslot, now)
        if stuck:
            self._restarts.begin(timeslot, now, stuck)

    # --- whose channel

    def _choose(self, wanted: ChannelId | None) -> int:
        """5.1.2, 5.2.3. A taken channel that is preferred is answered with another one, else refused."""
        if wanted is not None and wanted.timeslot is not None:
            timeslot = wanted.timeslot
            if timeslot not in self._channels:
                refusal = CHANNEL_DOES_NOT_EXIST
            elif self._channels.admits_peer(timeslot):
                return timeslot
            else:
                refusal = CHANNEL_NOT_AVAILABLE
                rival = self._keys.get(self._channels[timeslot].key)
                if rival is not None and rival.ours and rival.state is State.INITIATED:
                    self._counts["glare"] += 1
                    if self._gives_way(rival, wanted):
                        rival.yield_channel()
                        return timeslot
                    refusal = NO_CHANNEL if self.profile.symmetric else CHANNEL_NOT_AVAILABLE
            if wanted.exclusive:
                raise ChannelRefused(refusal)
            another = self._channels.next_idle(Direction.IN)
        else:                                     # both sides may award one at a time: from opposite ends
            idle = self._channels.least_refused(Direction.IN)
            another = max(idle, default=None) if self.side is Side.USER else min(idle, default=None)
        if another is None:
            raise ChannelRefused(NO_CHANNEL)
        return another

    def _loses(self, rival: Call) -> bool:
        """The far end names the channel of `rival` in its first response to another call of ours. Either our
        SETUP for it is still on the way. Or we awarded it to a call of the far end while it awarded it to
        ours: then the network side's call has it; the user side, which cannot move, clears its own."""
        if rival.ours:
            return rival.state is State.INITIATED
        return self.side is Side.NETWORK and rival.state in AWARDED

    def _gives_way(self, ours: Call, theirs: ChannelId) -> bool:
        """Glare: both sides sent SETUP for one channel. The network side has priority (5.7). Between equals a
        call that insists on the channel wins over one that prefers it, and only then the side counts (Annex
        D.3). So does a user's that insists against a network's that does not: the network's can be answered
        with another channel, ours will not take one."""
        insists = ours.wanted is not None and ours.wanted.exclusive
        if theirs.exclusive != insists and (self.profile.symmetric or self.side is Side.USER):
            return theirs.exclusive
        return self.side is Side.USER

    # --- references

    def _call_of(self, message: Message) -> Call:
        """Its call, or one in the null state that takes part in the world only when it is admitted."""
        ours = message.to_originator
        call = self._calls.get((message.call_ref, ours))
        if call is None:
            key = self._new_key() if message.type is MessageType.SETUP else ""
            call = Call(self, key, message.call_ref, ours)
        return call

    def _add(self, call: Call) -> None:
        self._calls[call.call_ref, call.ours] = call
        self._keys[call.key] = call

    def _new_reference(self) -> int:
        while (self._next_ref, True) in self._calls:
            self._next_ref = self._next_ref % CALL_REFERENCES + 1
        reference, self._next_ref = self._next_ref, self._next_ref % CALL_REFERENCES + 1
        return reference
