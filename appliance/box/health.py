"""Which daemons live, from their heartbeats. No clock and no bus: `now` is the caller's monotonic time."""

from dataclasses import dataclass, field

from appliance.bus.messages import DAEMONS, DaemonHealth, Heartbeat

LATE_S, DOWN_S = 3.0, 10.0

UP, LATE, DOWN, NEVER = "up", "late", "down", "never"


@dataclass(slots=True)
class _Heard:
    beat: Heartbeat
    at: float                                     # of `now`
    starts: int


@dataclass(slots=True)
class Watch:
    """What was heard of every daemon. Names that no daemon of ours has are not kept."""

    _heard: dict[str, _Heard] = field(default_factory=dict)

    def hear(self, beat: Heartbeat, now: float) -> None:
        """A heartbeat; one of another process than the last counts as a start."""
        if beat.daemon not in DAEMONS:
            return
        last = self._heard.get(beat.daemon)
        if last is None:
            self._heard[beat.daemon] = _Heard(beat, now, 1)
        else:
            again = (beat.pid, beat.started_at) != (last.beat.pid, last.beat.started_at)
            self._heard[beat.daemon] = _Heard(beat, now, last.starts + again)

    def health(self, now: float) -> list[DaemonHealth]:
        """All daemons of the box, in the order of DAEMONS."""
        return [self._of(daemon, now) for daemon in DAEMONS]

    def next_deadline(self, now: float) -> float | None:
        """When silence alone changes a state next; None: it does not."""
        return min((heard.at + limit_s for heard in self._heard.values() for limit_s in (LATE_S, DOWN_S)
                    if heard.at + limit_s > now), default=None)

    def _of(self, daemon: str, now: float) -> DaemonHealth:
        heard = self._heard.get(daemon)
        if heard is None:
            return DaemonHealth(daemon=daemon, state=NEVER)
        beat = heard.beat
        return DaemonHealth(
            daemon=daemon, state=_state(heard.at, now), pid=beat.pid, started_at=beat.started_at,
            starts=heard.starts, rss_octets=beat.rss_octets, cpu_s=beat.cpu_s, facts=beat.facts)


def _state(heard_at: float, now: float) -> str:
    if now >= heard_at + DOWN_S:
        return DOWN
    return LATE if now >= heard_at + LATE_S else UP
