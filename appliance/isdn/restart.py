"""RESTART of our channels: sent until answered, so that no channel stays stuck.

Ref: ITU-T Q.931 (05/98), 5.5.1. N316 unanswered RESTARTs take the channel out of service; we go on sending
one every T316, since nobody comes to a branch to do it by hand.
"""
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from appliance.isdn.channels import Channels
from appliance.isdn.events import ChannelState
from appliance.isdn.states import Timers


@dataclass(slots=True)
class _Restart:
    sent: int = 0
    deadline: float | None = None                 # None: the link is down


class Restarts:
    """`send` sends one RESTART for a timeslot; it is called only between link_back() and link_lost()."""

    def __init__(self, channels: Channels, timers: Timers, send: Callable[[int, float], None]) -> None:
        self._channels, self._timers, self._send = channels, timers, send
        self._waiting: dict[int, _Restart] = {}
        self._link_up = False

    def __contains__(self, timeslot: object) -> bool:
        """True while a RESTART of this timeslot has no answer."""
        return timeslot in self._waiting

    def begin(self, timeslot: int, now: float) -> None:
        """Restart an idle channel."""
        if timeslot not in self._waiting:
            restart = self._waiting[timeslot] = _Restart()
            self._channels.set(timeslot, ChannelState.RESTARTING)
            if self._link_up:
                self._say(timeslot, restart, now)

    def acknowledged(self, timeslots: Iterable[int]) -> None:
        """The far end restarted them, or showed by using one that it did."""
        for timeslot in timeslots:
            if self._waiting.pop(timeslot, None) and self._channels[timeslot].state is not ChannelState.BUSY:
                self._channels.trusted(timeslot)
                self._channels.free(timeslot)

    def link_back(self, now: float) -> None:
        self._link_up = True
        for timeslot, restart in self._waiting.items():
            restart.sent = 0
            self._say(timeslot, restart, now)

    def link_lost(self) -> None:
        self._link_up = False
        for restart in self._waiting.values():
            restart.deadline = None

    def next_deadline(self) -> float | None:
        return min((restart.deadline for restart in self._waiting.values() if restart.deadline is not None),
                   default=None)

    def expire(self, now: float) -> None:
        for timeslot, restart in self._waiting.items():
            if restart.deadline is not None and restart.deadline <= now:
                if restart.sent >= self._timers.n316:
                    self._channels.set(timeslot, ChannelState.OUT_OF_SERVICE)
                self._say(timeslot, restart, now)

    def _say(self, timeslot: int, restart: _Restart, now: float) -> None:
        restart.sent += 1
        restart.deadline = now + self._timers.t316_s
        self._send(timeslot, now)
