"""The B-channel audit: whatever this side believes of a channel is proved against the far end now and then.

An idle channel is proved by a call that began and ended in order on it, or else by RESTART, once a period and
only while nothing is being set up: a RESTART that crosses a SETUP on its channel would end that call. One
channel is left for calls. A far end that answers no RESTART is left alone. A call that talks is proved by
STATUS ENQUIRY, half as often: no timer runs on it, since a far end may know no STATUS ENQUIRY; but one that
says that it knows no such call ends it, and its channel is restarted.

Ref: ITU-T Q.931 (05/98), 5.5, 5.8.10, 5.8.11.
"""
import math
from collections import Counter
from collections.abc import Callable

from appliance.isdn.channels import Channels
from appliance.isdn.events import ChannelState
from appliance.isdn.restart import Restarts

QUIET_S = 5.0                                     # without a call being set up: the moment for a RESTART
TALK_PERIODS = 2                                  # from one STATUS ENQUIRY of a call to the next


class Audit:
    """`enquire` sends STATUS ENQUIRY of the call that has the key; False: there is none. `period_s` 0:
    nothing is proved."""

    def __init__(self, channels: Channels, restarts: Restarts, period_s: float, counts: Counter[str],
                 enquire: Callable[[str, float], bool]) -> None:
        self.period_s = period_s
        self._channels, self._restarts, self._counts, self._enquire = channels, restarts, counts, enquire
        self._proved_at: dict[int, float] = {}
        self._asked: dict[int, str] = {}          # timeslots that were asked about; "" or the call's key
        self._set_up_at = -math.inf               # the last call began
        self._next_at: float | None = None        # None: the link is down

    def set_up(self, now: float) -> None:
        """A call begins."""
        self._set_up_at = now

    def proved(self, timeslot: int, now: float) -> None:
        """Both sides agree on what is on the channel, if anything."""
        self._proved_at[timeslot] = now
        if self._asked.pop(timeslot, None) is not None:
            self._counts["audits"] += 1

    def asked(self, timeslot: int, key: str) -> bool:
        """An enquiry about that call on that channel has no answer yet."""
        return self._asked.get(timeslot) == key

    def link_established(self, now: float) -> None:
        for timeslot in self._channels.timeslots:
            self._proved_at.setdefault(timeslot, now)
        if self._next_at is None:
            self._next_at = now + self._step_s

    def link_lost(self) -> None:
        self._next_at = None
        self._asked.clear()

    def next_deadline(self) -> float | None:
        return self._next_at if self.period_s else None

    def expire(self, now: float) -> None:
        if not self.period_s or self._next_at is None or now < self._next_at:
            return
        self._next_at = now + self._step_s
        oldest = sorted(self._channels.all(), key=lambda channel: self._proved_at[channel.timeslot])
        talking = [channel for channel in oldest if channel.key]
        idle = [channel.timeslot for channel in oldest if channel.state is ChannelState.IDLE]
        if talking and self._due(talking[0].timeslot, TALK_PERIODS, now):
            self._prove_talk(talking[0].timeslot, talking[0].key, now)
        if len(idle) > 1 and self._due(idle[0], 1, now) and self._restarts.answers is not False:
            self._prove_idle(idle[0], now)

    def _prove_talk(self, timeslot: int, key: str, now: float) -> None:
        self._proved_at[timeslot] = now           # the next one's turn, answered or not
        self._asked[timeslot] = key
        if not self._enquire(key, now):
            self._channels.free(timeslot)
            self._restarts.begin(timeslot, now, f"it is taken by {key}, which is no call")

    def _prove_idle(self, timeslot: int, now: float) -> None:
        quiet_at = self._set_up_at + QUIET_S
        if now < quiet_at:
            self._next_at = quiet_at
        elif not self._restarts.busy:
            self._proved_at[timeslot] = now
            self._asked[timeslot] = ""
            self._restarts.begin(timeslot, now, proves=True)

    @property
    def _step_s(self) -> float:
        return self.period_s / max(len(self._channels), 1)

    def _due(self, timeslot: int, periods: int, now: float) -> bool:
        return now - self._proved_at[timeslot] >= periods * self.period_s
