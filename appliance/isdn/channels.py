"""The B-channels of one span: their states, who has them, which is next. Glare is dss1's.

Ref: ITU-T Q.931 (05/98), 5.1.2 and 5.2.3.
"""
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from appliance.isdn.events import ChannelState

MAX_REFUSALS = 3                                  # refused by the far end so often in a row: restart it


@dataclass(slots=True)
class Channel:
    timeslot: int
    state: ChannelState = ChannelState.IDLE
    key: str = ""                                 # the call that has it
    refusals: int = 0                             # causes 6 and 44 in a row


class Channels:
    """`changed` is called with each channel whose state or holder changed."""

    def __init__(self, timeslots: Iterable[int], hunt: str, changed: Callable[[Channel], None]) -> None:
        if hunt not in ("up", "down"):
            raise ValueError(f"hunt {hunt!r}: up or down")
        self._channels = {
            timeslot: Channel(timeslot) for timeslot in sorted(timeslots, reverse=hunt == "down")}
        self._changed = changed

    def __contains__(self, timeslot: object) -> bool:
        return timeslot in self._channels

    def __len__(self) -> int:
        return len(self._channels)

    def __getitem__(self, timeslot: int) -> Channel:
        return self._channels[timeslot]

    def all(self) -> list[Channel]:
        """Every channel by timeslot."""
        return sorted(self._channels.values(), key=lambda channel: channel.timeslot)

    @property
    def timeslots(self) -> tuple[int, ...]:
        return tuple(sorted(self._channels))

    def is_idle(self, timeslot: int) -> bool:
        return timeslot in self and self._channels[timeslot].state is ChannelState.IDLE

    def is_out(self, timeslot: int) -> bool:
        return timeslot in self and self._channels[timeslot].state is ChannelState.OUT_OF_SERVICE

    def idle(self) -> int:
        """How many calls could be placed now."""
        return sum(channel.state is ChannelState.IDLE for channel in self._channels.values())

    def next_idle(self) -> int | None:
        """The next channel in hunting order; one that the far end refused lately comes last."""
        idle = [channel for channel in self._channels.values() if channel.state is ChannelState.IDLE]
        return min(idle, key=lambda channel: channel.refusals).timeslot if idle else None

    def usable_by_peer(self, timeslot: int) -> bool:
        """True when a call that the far end offers can have it: the offer proves it to be in service."""
        return self.is_idle(timeslot) or self.is_out(timeslot)

    def take(self, timeslot: int, key: str) -> None:
        """Call `key` has the channel now, whoever had it before."""
        self.set(timeslot, ChannelState.BUSY, key)

    def free(self, timeslot: int) -> None:
        self.set(timeslot, ChannelState.IDLE)

    def set(self, timeslot: int, state: ChannelState, key: str = "") -> None:
        channel = self._channels[timeslot]
        if (channel.state, channel.key) != (state, key):
            channel.state, channel.key = state, key
            self._changed(channel)

    def refused(self, timeslot: int) -> bool:
        """The far end refused this idle channel; True when it did so MAX_REFUSALS times in a row."""
        channel = self._channels[timeslot]
        channel.refusals += 1
        return channel.refusals >= MAX_REFUSALS

    def trusted(self, timeslot: int) -> None:
        """The far end agreed on this channel."""
        self._channels[timeslot].refusals = 0
