"""The B-channels of one span: who has them, whether they serve, which way, which is next. Glare: calls.py.

Ref: ITU-T Q.931 (05/98), 5.1.2 and 5.2.3.
"""
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from appliance.isdn.events import ChannelState

MAX_REFUSALS = 3                                  # refused or not answered so often in a row: restart it


class Direction(Enum):
    """Of the calls that a channel is for."""

    BOTH = "both"
    IN = "in"                                     # the far end's calls only
    OUT = "out"                                   # ours only


class Hunt(Enum):
    """Which of the idle channels is next."""

    UP = "up"                                     # the lowest timeslot
    DOWN = "down"
    LONGEST_IDLE = "longest-idle"
    ROUND_ROBIN = "round-robin"                   # the one above the last that was taken


@dataclass(slots=True)
class Channel:
    """What is known of one channel; `state` is the sum of it."""

    timeslot: int
    key: str = ""                                 # the call that has it
    direction: Direction = Direction.BOTH
    blocked: bool = False                         # by people here
    withdrawn: bool = False                       # by the far end's SERVICE
    restart: ChannelState = ChannelState.IDLE     # RESTARTING or OUT_OF_SERVICE while ours is under way
    refusals: int = 0                             # causes 6, 44 and 82, or T303, in a row
    freed: int = 0                                # counts up: the least one is idle longest
    told: tuple[ChannelState, str] = (ChannelState.IDLE, "")    # state and key that were said last

    @property
    def state(self) -> ChannelState:
        if self.key:
            return ChannelState.BUSY
        if self.blocked or self.withdrawn:
            return ChannelState.BLOCKED
        return self.restart


class Channels:
    """`changed` is called with each channel whose state or holder changed."""

    def __init__(self, timeslots: Iterable[int], hunt: str, changed: Callable[[Channel], None]) -> None:
        self.hunt = Hunt(hunt)
        self._channels = {timeslot: Channel(timeslot) for timeslot in sorted(timeslots)}
        self._changed = changed
        self._clock = 0                           # counts what was freed
        self._last = 0                            # timeslot that was taken last

    def __contains__(self, timeslot: object) -> bool:
        return timeslot in self._channels

    def __len__(self) -> int:
        return len(self._channels)

    def __getitem__(self, timeslot: int) -> Channel:
        return self._channels[timeslot]

    def all(self) -> list[Channel]:
        """Every channel by timeslot."""
        return list(self._channels.values())

    @property
    def timeslots(self) -> tuple[int, ...]:
        return tuple(self._channels)

    # --- which

    def is_idle(self, timeslot: int) -> bool:
        return timeslot in self and self._channels[timeslot].state is ChannelState.IDLE

    def idle(self, direction: Direction = Direction.OUT) -> int:
        """How many calls of that direction could be placed now."""
        return sum(1 for _ in self._idle(direction))

    def next_idle(self, direction: Direction = Direction.OUT) -> int | None:
        """The next channel in hunting order; one that failed lately comes last."""
        idle = list(self._idle(direction))
        return min(idle, key=self._rank).timeslot if idle else None

    def in_order(self, direction: Direction = Direction.OUT) -> list[int]:
        """Idle timeslots for a call of that direction in hunting order."""
        return [channel.timeslot for channel in sorted(self._idle(direction), key=self._rank)]

    def least_refused(self, direction: Direction) -> list[int]:
        """Those of them that the far end refused least."""
        idle = list(self._idle(direction))
        fewest = min((channel.refusals for channel in idle), default=0)
        return [channel.timeslot for channel in idle if channel.refusals == fewest]

    def _idle(self, direction: Direction) -> Iterable[Channel]:
        return (channel for channel in self._channels.values()
                if channel.state is ChannelState.IDLE and channel.direction in (direction, Direction.BOTH))

    def _rank(self, channel: Channel) -> tuple[int, int]:
        match self.hunt:
            case Hunt.UP:
                place = channel.timeslot
            case Hunt.DOWN:
                place = -channel.timeslot
            case Hunt.LONGEST_IDLE:
                place = channel.freed
            case Hunt.ROUND_ROBIN:
                place = (channel.timeslot - self._last - 1) % 32
        return channel.refusals, place

    def usable_by_peer(self, timeslot: int) -> bool:
        """True when a call that the far end offers can have it: the offer proves it to be in service."""
        if timeslot not in self:
            return False
        channel = self._channels[timeslot]
        return (not channel.key and not channel.blocked
                and channel.restart in (ChannelState.IDLE, ChannelState.OUT_OF_SERVICE))

    def admits_peer(self, timeslot: int) -> bool:
        """usable_by_peer, and it is not for our calls only."""
        return self.usable_by_peer(timeslot) and self._channels[timeslot].direction is not Direction.OUT

    # --- what happens to them

    def take(self, timeslot: int, key: str) -> None:
        """Call `key` has the channel now, whoever had it before."""
        self._last = timeslot
        self._channels[timeslot].key = key
        self._tell(timeslot)

    def free(self, timeslot: int) -> None:
        """Its call is over."""
        self._clock += 1
        self._channels[timeslot].key, self._channels[timeslot].freed = "", self._clock
        self._tell(timeslot)

    def set_restart(self, timeslot: int, state: ChannelState) -> None:
        """RESTARTING or OUT_OF_SERVICE; IDLE: it is restarted."""
        self._channels[timeslot].restart = state
        self._tell(timeslot)

    def block(self, timeslot: int, blocked: bool) -> None:
        """By people: no call may come onto it; one that is there goes on."""
        self._channels[timeslot].blocked = blocked
        self._tell(timeslot)

    def withdraw(self, timeslot: int, withdrawn: bool) -> None:
        """By the far end, to the same effect."""
        self._channels[timeslot].withdrawn = withdrawn
        self._tell(timeslot)

    def reserve(self, directions: Mapping[int, Direction]) -> None:
        """Channels that are not named are for both directions."""
        for channel in self._channels.values():
            channel.direction = directions.get(channel.timeslot, Direction.BOTH)

    def refused(self, timeslot: int) -> bool:
        """The far end refused this idle channel, or did not respond to a SETUP for it; True when it did so
        MAX_REFUSALS times more. It comes last until a call has it, restarted or not: people at the far end
        may have blocked it."""
        channel = self._channels[timeslot]
        channel.refusals += 1
        return channel.refusals % MAX_REFUSALS == 0

    def trusted(self, timeslot: int) -> None:
        """The far end agreed on this channel."""
        self._channels[timeslot].refusals = 0

    def _tell(self, timeslot: int) -> None:
        channel = self._channels[timeslot]
        if channel.told != (channel.state, channel.key):
            channel.told = (channel.state, channel.key)
            self._changed(channel)
