"""What the wall clock is worth. Pure: facts and `now` in, a state out.

What the network says in CONNECT (Q.931, 4.5.15) is the time of the exchange to a minute, of no named zone and
at times of another branch: it is held against the clock, and never sets it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Literal

Source = Literal["ptp", "ntp", "rtc", "unknown"]

BUILT = 1_700_000_000.0                           # nothing of ours is older: a clock before it was never set
RTC_AGREES_S = 5.0
LINE_AGREES_S = 120.0                             # it has minutes, and is told when the call is connected
STEP_S = 2.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What can be known now. `now` is monotonic, `at` the wall clock, both in seconds."""

    now: float
    at: float
    synchronised: bool
    error_s: float
    offset_s: float
    ptp: bool                                     # is configured
    rtc_offset_s: float | None


@dataclass(frozen=True, slots=True)
class ClockFacts:
    source: Source = "unknown"
    since: float = 0.0                            # of the wall clock: so long from this source
    error_s: float | None = None                  # at most; None: nobody knows
    offset_s: float = 0.0                         # being slewed away
    rtc_offset_s: float | None = None
    steps: int = 0                                # since the start: how often it jumped
    step_s: float = 0.0                           # the last jump
    line_offset_s: float | None = None            # the exchange's time less ours; None: it never said

    @property
    def sentence(self) -> str:
        """"": in order."""
        if self.line_offset_s is not None and abs(self.line_offset_s) > LINE_AGREES_S and (
                self.source in ("rtc", "unknown")):
            return (f"the telephone exchange's clock is {self.line_offset_s:+.0f} s from the box's, which "
                    "nothing better sets: set the time, or name an NTP server")
        if self.source == "unknown":
            return "nothing is known to set the clock: set the time, or name an NTP server"
        if self.source == "rtc":
            return "no NTP or PTP server is heard: the clock runs on from its battery's"
        return ""


class WallClock:
    """Follows the facts, told every few seconds."""

    def __init__(self) -> None:
        self.state = ClockFacts()
        self._last: tuple[float, float] | None = None

    def look(self, facts: Facts) -> ClockFacts:
        source = _source(facts)
        since = self.state.since if source == self.state.source and self._last is not None else facts.at
        steps, step_s = self.state.steps, self.state.step_s
        if self._last is not None:
            jump_s = (facts.at - self._last[1]) - (facts.now - self._last[0])
            if abs(jump_s) >= STEP_S:
                steps, step_s = steps + 1, jump_s
                since = since + jump_s if source == self.state.source else since
        self._last = facts.now, facts.at
        known = source in ("ptp", "ntp")
        self.state = replace(
            self.state, source=source, since=since, error_s=facts.error_s if known else None,
            offset_s=facts.offset_s, rtc_offset_s=facts.rtc_offset_s, steps=steps, step_s=step_s)
        return self.state

    def heard_of_line(self, told: str, at: float, zone: tzinfo | None = None) -> None:
        """The exchange's local time, YY-MM-DD hh:mm, of `zone` or the box's; what is no date is not heard."""
        try:
            time = datetime.strptime(told, "%y-%m-%d %H:%M").replace(second=30, tzinfo=zone)
        except ValueError:
            return
        self.state = replace(self.state, line_offset_s=time.timestamp() - at)


def _source(facts: Facts) -> Source:
    if facts.at < BUILT:
        return "unknown"
    if facts.synchronised:
        return "ptp" if facts.ptp else "ntp"
    return "rtc" if facts.rtc_offset_s is not None and abs(facts.rtc_offset_s) <= RTC_AGREES_S else "unknown"
