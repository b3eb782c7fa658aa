"""RESTART of our channels: sent until answered, so that no channel stays stuck.

Ref: ITU-T Q.931 (05/98), 5.5.1. One RESTART at a time waits for its answer; it is sent again at once whenever
the data link was set up anew, since it or its answer may be lost. N316 unanswered RESTARTs take the channel
out of service; we go on sending one every T316, since nobody comes to a branch to do it by hand.

The restart of the interface after a cold start holds all channels for cold_restart_s at most: an exchange
that does RESTART answers at once, and one that does not know it must not keep the branch from calling.
"""
import logging
from collections.abc import Callable, Iterable

from appliance.isdn.call.states import Timers
from appliance.isdn.channels import Channels
from appliance.isdn.events import ChannelState

INTERFACE = 0                                     # in place of a timeslot

log = logging.getLogger(__name__)


class Restarts:
    """`send` sends one RESTART, for a timeslot or the INTERFACE; called only while the link is up."""

    def __init__(self, name: str, channels: Channels, timers: Timers,
                 send: Callable[[int, float], None]) -> None:
        self._name, self._channels, self._timers, self._send = name, channels, timers, send
        self._sent: dict[int, int] = {}           # timeslots without an answer: RESTARTs since the link is up
        self._interface = False                   # the whole interface has no answer
        self._waits_for: int | None = None        # the one that was sent
        self._deadline: float | None = None       # of its answer
        self._link_up = False

    def begin_interface(self) -> None:
        """Restart all channels, before the link is up."""
        self._interface = True
        for timeslot in self._channels.timeslots:
            self._channels.set(timeslot, ChannelState.RESTARTING)

    def begin(self, timeslot: int, now: float) -> None:
        """Restart an idle channel."""
        if timeslot not in self._sent:
            self._sent[timeslot] = 0
            self._channels.set(timeslot, ChannelState.RESTARTING)
            if self._waits_for is None:
                self._go_on(now)

    def acknowledged(self, timeslots: Iterable[int], now: float) -> None:
        """RESTART ACKNOWLEDGE. One that names no channel answers the RESTART that was sent."""
        if self._waits_for == INTERFACE:
            self._end_interface()
            self._go_on(now)
        else:
            named = tuple(timeslots)
            self.used(named or (self._sent.keys() & {self._waits_for}), now)

    def used(self, timeslots: Iterable[int], now: float) -> None:
        """The far end restarted them, or showed by using them that they are in service."""
        for timeslot in timeslots:
            if self._sent.pop(timeslot, None) is not None:
                self._free(timeslot)
        if self._waits_for != INTERFACE and self._waits_for not in self._sent:
            self._go_on(now)

    def link_established(self, now: float) -> None:
        """For the first time or once more: what was sent is sent again."""
        if not self._link_up:
            self._link_up = True
            self._sent = dict.fromkeys(self._sent, 0)
        elif self._waits_for:
            self._sent[self._waits_for] -= 1      # that one does not count
        self._go_on(now)

    def link_lost(self) -> None:
        self._link_up = False
        self._waits_for = self._deadline = None

    def next_deadline(self) -> float | None:
        return self._deadline

    def expire(self, now: float) -> None:
        if self._deadline is None or now < self._deadline:
            return
        if self._waits_for == INTERFACE:
            log.warning("%s: no answer to RESTART of the interface in %g s: its channels are used even so",
                        self._name, self._timers.cold_restart_s)
            self._end_interface()
        elif self._waits_for is not None and self._sent[self._waits_for] >= self._timers.n316:
            self._channels.set(self._waits_for, ChannelState.OUT_OF_SERVICE)
        self._go_on(now)

    def _go_on(self, now: float) -> None:
        """The interface first, then the channel that was asked for least often."""
        self._waits_for = self._deadline = None
        if not self._link_up:
            return
        if self._interface:
            self._waits_for, self._deadline = INTERFACE, now + self._timers.cold_restart_s
        elif self._sent:
            self._waits_for = min(self._sent, key=self._sent.__getitem__)
            self._sent[self._waits_for] += 1
            self._deadline = now + self._timers.t316_s
        else:
            return
        self._send(self._waits_for, now)

    def _end_interface(self) -> None:
        self._interface = False
        for timeslot in self._channels.timeslots:
            if timeslot not in self._sent:
                self._free(timeslot)

    def _free(self, timeslot: int) -> None:
        if self._channels[timeslot].state is not ChannelState.BUSY:
            self._channels.trusted(timeslot)
            self._channels.free(timeslot)
