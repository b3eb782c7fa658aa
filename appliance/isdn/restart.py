"""RESTART of our channels: sent until answered, so that no channel stays stuck. What the far end restarts is
global_reference.py's.

Ref: ITU-T Q.931 (05/98), 5.5.1. One RESTART at a time waits for its answer; it is sent again at once whenever
the data link was set up anew, since it or its answer may be lost. N316 unanswered RESTARTs take the channel
out of service; we go on sending one every T316, since nobody comes to a branch to do it by hand.

A far end need not know RESTART. The restart of the interface after a cold start holds all channels for
cold_restart_s at most, and a channel that is restarted only to prove it idle waits no longer either: an
exchange that does RESTART answers at once, and one that does not must not keep the branch from calling. For
the same reason a channel of a far end that is known to do no RESTART is used again after N316 of them.
"""
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from appliance.isdn.call.states import Timers
from appliance.isdn.causes import INVALID_CALL_REFERENCE
from appliance.isdn.channels import Channels
from appliance.isdn.elements import CHANNEL_DOES_NOT_EXIST
from appliance.isdn.events import ChannelState

INTERFACE = 0                                     # in place of a timeslot
NOT_KNOWN = (INVALID_CALL_REFERENCE, *range(95, 101), 111)    # protocol errors: it takes no such RESTART

log = logging.getLogger(__name__)


class Restarts:
    """`send` sends one RESTART, for a timeslot or the INTERFACE; called only while the link is up. `done` is
    told each channel that the far end restarted."""

    def __init__(self, name: str, channels: Channels, timers: Timers, counts: Counter[str],
                 send: Callable[[int, float], None], done: Callable[[int, float], None]) -> None:
        self.timers = timers
        self.answers: bool | None = None          # the far end does RESTART; None: nobody knows
        self._name, self._channels, self._counts = name, channels, counts
        self._send, self._done = send, done
        self._sent: dict[int, int] = {}           # timeslots without an answer: RESTARTs since the link is up
        self._stuck: set[int] = set()             # of them: something is wrong with the channel
        self._proved: set[int] = set()            # of them: nothing is wrong, as far as we know
        self._interface = False                   # the whole interface has no answer
        self._waits_for: int | None = None        # the one that was sent
        self._deadline: float | None = None       # of its answer
        self._link_up = False

    @property
    def waits(self) -> bool:
        """The Restart request state (REST 1)."""
        return self._waits_for is not None

    @property
    def busy(self) -> bool:
        """It waits, and not for a channel that is out of service anyhow: that one gives way to others."""
        if not self._waits_for:
            return self._waits_for == INTERFACE
        return self._channels[self._waits_for].restart is not ChannelState.OUT_OF_SERVICE

    def is_under_way(self, timeslot: int) -> bool:
        return self._interface or timeslot in self._sent

    def begin_interface(self) -> None:
        """Restart all channels, before the link is up."""
        self._interface = True
        for timeslot in self._channels.timeslots:
            self._channels.set_restart(timeslot, ChannelState.RESTARTING)

    def begin_each(self) -> None:
        """The same one by one; a far end that does no RESTART has them all back after cold_restart_s."""
        for timeslot in self._channels.timeslots:
            self._sent[timeslot] = 0
            self._proved.add(timeslot)
            self._channels.set_restart(timeslot, ChannelState.RESTARTING)

    def begin(self, timeslot: int, now: float, stuck: str = "", *, proves: bool = False) -> None:
        """Restart a channel without a call. `stuck` says what is wrong with it. `proves`: nothing that we
        know, it is to be proved idle."""
        if stuck and timeslot not in self._stuck:
            self._stuck.add(timeslot)
            self._counts["channels_stuck"] += 1
            log.warning("%s: timeslot %d is stuck: %s; it is restarted", self._name, timeslot, stuck)
        if not proves:
            self._proved.discard(timeslot)
        elif timeslot not in self._sent:
            self._proved.add(timeslot)
        if timeslot not in self._sent:
            self._sent[timeslot] = 0
            self._channels.set_restart(timeslot, ChannelState.RESTARTING)
            if not self.busy:
                self._go_on(now)

    def acknowledged(self, timeslots: Sequence[int], now: float) -> None:
        """RESTART ACKNOWLEDGE. One that names no channel answers the RESTART that was sent; one that names a
        part of the interface leaves the others to be restarted one by one."""
        self.answers = True
        if self._waits_for == INTERFACE:
            self._end_interface(timeslots, now)
            self._go_on(now)
        else:
            self.used(timeslots or (self._sent.keys() & {self._waits_for}), now)

    def used(self, timeslots: Iterable[int], now: float) -> None:
        """The far end restarted them, or showed by using them that they are in service."""
        for timeslot in timeslots:
            if self._sent.pop(timeslot, None) is not None:
                self._free(timeslot, now)
        if self._waits_for != INTERFACE and self._waits_for not in self._sent:
            self._go_on(now)

    def refused(self, cause: int, now: float) -> None:
        """STATUS in answer to the RESTART that was sent."""
        if self._waits_for is None:
            return
        if cause == CHANNEL_DOES_NOT_EXIST and self._waits_for != INTERFACE:
            self._does_not_exist(self._waits_for, now)
        elif cause in NOT_KNOWN or cause == CHANNEL_DOES_NOT_EXIST:
            self._give_up(f"cause {cause} is the answer to RESTART", now)
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
        if self._deadline is None or now < self._deadline or self._waits_for is None:
            return
        if self._waits_for == INTERFACE or self._proves(self._waits_for):
            self._give_up(f"no answer in {self.timers.cold_restart_s:g} s to RESTART", now)
        elif self._sent[self._waits_for] >= self.timers.n316 and self.answers is False:
            self._give_up(f"no answer to {self.timers.n316} RESTARTs", now)
        elif self._sent[self._waits_for] >= self.timers.n316:
            if self._channels[self._waits_for].restart is ChannelState.RESTARTING:
                log.warning("%s: timeslot %d: no answer to %d RESTARTs: out of service, tried every %g s",
                            self._name, self._waits_for, self.timers.n316, self.timers.t316_s)
                self._counts["channels_out_of_service"] += 1
            self._channels.set_restart(self._waits_for, ChannelState.OUT_OF_SERVICE)
        self._go_on(now)

    def _proves(self, timeslot: int) -> bool:
        """Nothing is wrong with it, and nobody knows whether the far end does RESTART."""
        return timeslot in self._proved and not self.answers

    def _go_on(self, now: float) -> None:
        """The interface first, then the channel that was asked for least often."""
        self._waits_for = self._deadline = None
        if not self._link_up:
            return
        if self._interface:
            self._waits_for = INTERFACE
        elif self._sent:
            self._waits_for = min(self._sent, key=self._sent.__getitem__)
            self._sent[self._waits_for] += 1
        else:
            return
        short = self._waits_for == INTERFACE or self._proves(self._waits_for)
        self._deadline = now + (self.timers.cold_restart_s if short else self.timers.t316_s)
        self._send(self._waits_for, now)

    def _does_not_exist(self, timeslot: int, now: float) -> None:
        """The far end does RESTART, but has no such channel: the others need not wait, and its next turn is
        after T316, however often that is the answer."""
        if self._channels[timeslot].restart is ChannelState.RESTARTING:
            log.warning("%s: timeslot %d does not exist at the far end: out of service", self._name, timeslot)
        self.answers = True
        self._channels.set_restart(timeslot, ChannelState.OUT_OF_SERVICE)
        self._sent[timeslot] = max(self._sent[timeslot], self.timers.n316)
        if min(self._sent.values()) < self.timers.n316:
            self._go_on(now)
        else:
            self._deadline = now + self.timers.t316_s

    def _give_up(self, reason: str, now: float) -> None:
        """The channels are used even so: the far end seems not to do RESTART."""
        if self._waits_for == INTERFACE:
            log.warning("%s: %s of the interface: its channels are used even so", self._name, reason)
            self._end_interface((), now)
        elif self._waits_for is not None:
            log.warning("%s: %s of timeslot %d: it is used even so", self._name, reason, self._waits_for)
            self.answers = False
            self._proved.add(self._waits_for)
            self._stuck.discard(self._waits_for)
            for timeslot in self._proved & self._sent.keys():
                del self._sent[timeslot]
                self._channels.set_restart(timeslot, ChannelState.IDLE)

    def _end_interface(self, named: Sequence[int], now: float) -> None:
        """`named` are restarted; none named: all."""
        self._interface = False
        for timeslot in self._channels.timeslots:
            if named and timeslot not in named:
                self._sent.setdefault(timeslot, 0)
            elif timeslot not in self._sent:
                self._free(timeslot, now)

    def _free(self, timeslot: int, now: float) -> None:
        if timeslot in self._stuck:
            self._stuck.remove(timeslot)
            self._counts["channels_cleared"] += 1
            log.info("%s: timeslot %d is in service again", self._name, timeslot)
        self._channels.set_restart(timeslot, ChannelState.IDLE)
        self._done(timeslot, now)
