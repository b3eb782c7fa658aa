"""How the box is as a whole: ok, degraded or unfit, and why. Messages and `now` in, a verdict out.

A reason counts when what is wrong was so for the rule's hold time, and until it was right for its clear time:
a daemon that is started anew moves no relay. `now` is the caller's monotonic time.
"""

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from appliance.box.fitness_rules import POWER_OFF, RULES, Rule, State
from appliance.box.health import DOWN, NEVER, UP
from appliance.bus.messages import (
    CardState,
    ClockState,
    DaemonHealth,
    Hardware,
    Health,
    LinkState,
    Reading,
    SpanState,
    WallClock,
)

CALL_DAEMONS = ("spand", "trunkd", "acdd")        # without which no new call is served
HEALTH_S = 10.0                                   # Health comes every 2 s
RESTARTS, RESTARTS_S = 3, 600.0                   # so many starts within: again and again
CALL_RESTARTS, CALL_RESTARTS_S = 6, 300.0
LATE_SHARE = 0.01                                 # of a minute's ticks
LATE_TICKS_S = 60.0
ROOM_SHARE, ROOM_MARGIN = 0.05, 0.02              # of the disk
COOLER_CELSIUS = 3.0                              # below its limit: no more warm
RTC_S, EXCHANGE_S = 10.0, 120.0                   # that clocks may differ
ROUND = "check-"                                  # before the item: a reason of the box's own rounds


@dataclass(frozen=True, slots=True)
class Reason:
    code: str
    about: str                                    # a daemon, a span, a sensor; "": the box
    since: float                                  # of `now`
    detail: str

    @property
    def rule(self) -> Rule:
        return RULES[self.code]


@dataclass(frozen=True, slots=True)
class Verdict:
    state: State
    since: float                                  # of `now`
    reasons: tuple[Reason, ...]                   # worst first, then the oldest

    @property
    def fit(self) -> bool:
        """The telephone line is the box's; else the relay joins it to the PBX."""
        return self.state is not State.UNFIT

    @property
    def power_off(self) -> bool:
        """The box is to stop in order, now."""
        return any(reason.code in POWER_OFF for reason in self.reasons)


@dataclass(slots=True)
class _Watched:
    """One thing that may be wrong."""

    rule: Rule
    wrong: bool = False
    changed: float = 0.0                          # wrong or right since
    began: float = 0.0                            # wrong since, as far as it stands
    stands: bool = False
    detail: str = ""

    def settle(self, now: float) -> None:
        if (due := self.due()) is not None and now >= due:
            self.stands = self.wrong

    def due(self) -> float | None:
        """When `stands` changes if nothing else does."""
        if self.wrong == self.stands:
            return None
        return self.changed + (self.rule.hold_s if self.wrong else self.rule.clear_s)

    def see(self, wrong: bool, detail: str, now: float) -> None:
        self.settle(now)
        if wrong != self.wrong:
            self.wrong, self.changed = wrong, now
            if wrong and not self.stands:
                self.began = now
        if wrong:
            self.detail = detail
        self.settle(now)


@dataclass(slots=True)
class _Starts:
    """Of one daemon, as boxd counts them."""

    count: int = 0
    at: deque[float] = field(default_factory=lambda: deque(maxlen=CALL_RESTARTS))

    def see(self, count: int, now: float) -> None:
        if self.count:                            # the first is boxd's own beginning to watch
            self.at.extend([now] * min(count - self.count, CALL_RESTARTS))
        self.count = count

    def within(self, span_s: float, now: float) -> int:
        return sum(at > now - span_s for at in self.at)


class Fitness:
    """Is told what goes on, says how the box is. Unfit until every daemon that calls need was up once."""

    def __init__(self, now: float) -> None:
        self._watched: dict[tuple[str, str], _Watched] = {}
        self._starts: dict[str, _Starts] = {}
        self._spans: dict[str, SpanState] = {}
        self._links: dict[str, bool] = {}
        self._ticks: deque[tuple[float, float, float]] = deque()     # now, ticks, late ones
        self._up_once: set[str] = set()
        self._health_at = now
        self._verdict = Verdict(State.UNFIT, now, ())
        self._see("starting", CALL_DAEMONS[0], True, now)

    # What it is told.

    def health(self, health: Health, now: float) -> None:
        self._health_at = now
        for one in health.daemons:
            if one.state == UP:
                self._up_once.add(one.daemon)
            self._daemon(one, now)
            if one.daemon == "spand" and one.state == UP:
                self._audio(one.facts, now)
        missing = [daemon for daemon in CALL_DAEMONS if daemon not in self._up_once]
        self._only("starting", missing, now)

    def span(self, state: SpanState, now: float) -> None:
        self._spans[state.span] = state
        self._judge_spans(now)

    def link(self, state: LinkState, now: float) -> None:
        self._links[state.span] = state.up
        self._judge_spans(now)

    def clock(self, clock: ClockState, now: float) -> None:
        """Of the lines."""
        followed = any(span.clock == "line" for span in self._spans.values())
        self._see("hold-over", "", clock.source is None and followed, now, clock.why)

    def disk(self, error: str, free_share: float | None, now: float) -> None:
        """What came of writing to it; None: its room cannot be told."""
        self._see("disk", "", bool(error), now, error)
        if free_share is not None:
            limit = ROOM_SHARE + (ROOM_MARGIN if self._is_wrong("disk-room", "") else 0.0)
            self._see("disk-room", "", free_share < limit, now, f"{free_share:.1%} free")

    def hardware(self, hardware: Hardware, now: float) -> None:
        inputs = hardware.inputs
        self._see("on-battery", "", inputs.get("on_battery", False), now)
        self._see("battery-low", "", inputs.get("battery_low", False), now)
        self._see("power-fail", "", inputs.get("power_fail", False), now)
        self._relay("board", not inputs.get("relay", True), "", now)
        self._only("hardware", hardware.trouble, now)
        for reading in hardware.readings:
            if reading.unit == "celsius":
                self._temperature(reading, now)
            elif reading.unit == "rpm":
                self._see("fan", reading.name, reading.value < (reading.low or 0), now,
                          f"{reading.value:.0f} a minute")
    def card(self, card: CardState, now: float) -> None:
        wrong = [card.trouble] if card.trouble else [f"{one} out of order" for one in card.troubles]
        self._see("card", card.card, bool(wrong), now, ", ".join(wrong))
        joined = card.relay is not None and card.relay.sense == "joined"
        self._relay(card.card, joined, "because people want it so" if card.bypass else "", now)

    def time_of_day(self, clock: WallClock, now: float) -> None:
        """A clock that only its battery keeps is worse than the telephone exchange's."""
        never = clock.source == "unknown"
        off_s = clock.line_offset_s or 0.0 if clock.source == "rtc" else 0.0
        self._see("time", "", never or abs(off_s) > EXCHANGE_S, now, clock.sentence)
        rtc_off_s = clock.rtc_offset_s or 0.0 if clock.source in ("ntp", "ptp") else 0.0
        self._see("rtc", "", abs(rtc_off_s) > RTC_S, now, f"off by {rtc_off_s:+.0f} s")

    def rounds(self, failed: Collection[str], now: float) -> None:
        """Items of the box's own rounds: of which the last look failed."""
        for code in RULES:
            if code.startswith(ROUND):
                self._see(code, "", code.removeprefix(ROUND) in failed, now)

    # What it says.

    def verdict(self, now: float) -> Verdict:
        self._see("bus", "", now >= self._health_at + HEALTH_S, now)
        standing = []
        for (code, about), watched in self._watched.items():
            watched.settle(now)
            if watched.stands:
                standing.append(Reason(code, about, watched.began, watched.detail))
        standing.sort(key=lambda reason: (-reason.rule.state, reason.since, reason.code, reason.about))
        state = standing[0].rule.state if standing else State.OK
        since = self._verdict.since if state is self._verdict.state else now
        self._verdict = Verdict(state, since, tuple(standing))
        return self._verdict

    def next_deadline(self, now: float) -> float | None:
        """When time alone changes the verdict next."""
        due = [at for watched in self._watched.values() if (at := watched.due()) is not None]
        if self._health_at + HEALTH_S > now:
            due.append(self._health_at + HEALTH_S)
        return min(due, default=None)

    # How it judges.

    def _see(self, code: str, about: str, wrong: bool, now: float, detail: str = "") -> None:
        key = code, about
        if wrong and key not in self._watched:
            self._watched[key] = _Watched(RULES[code])
        if (watched := self._watched.get(key)) is not None:
            watched.see(wrong, detail, now)
            if not watched.wrong and not watched.stands:
                del self._watched[key]            # spans and sensors come and go: nothing grows

    def _only(self, code: str, abouts: Mapping[str, str] | list[str], now: float) -> None:
        """Wrong are these and no others."""
        details = abouts if isinstance(abouts, Mapping) else dict.fromkeys(abouts, "")
        for other in [about for known, about in self._watched if known == code and about not in details]:
            self._see(code, other, False, now)
        for about, detail in details.items():
            self._see(code, about, True, now, detail)

    def _temperature(self, reading: Reading, now: float) -> None:
        """Warm, and hot, from their limits on until it is COOLER_CELSIUS below."""
        for code, limit in (("warm", reading.low), ("hot", reading.high)):
            if limit is not None:
                margin = COOLER_CELSIUS if self._is_wrong(code, reading.name) else 0.0
                self._see(code, reading.name, reading.value >= limit - margin, now,
                          f"{reading.value:.1f} °C, the limit is {limit:g}")

    def _relay(self, whose: str, joined: bool, why: str, now: float) -> None:
        """While the box is unfit it is to be joined."""
        self._see("relay", whose, joined and self._verdict.fit, now, why)

    def _is_wrong(self, code: str, about: str) -> bool:
        watched = self._watched.get((code, about))
        return watched is not None and watched.wrong

    def _daemon(self, one: DaemonHealth, now: float) -> None:
        starts = self._starts.setdefault(one.daemon, _Starts())
        starts.see(one.starts, now)
        needed = one.daemon in CALL_DAEMONS
        gone = one.state == DOWN or (one.state == NEVER and one.daemon in self._up_once)
        self._see("call-daemon" if needed else "daemon", one.daemon, gone, now)
        again = starts.within(RESTARTS_S, now)
        self._see("daemon-restarts", one.daemon, again >= RESTARTS, now, f"{again} times")
        if needed:
            self._see("call-daemon-restarts", one.daemon,
                      starts.within(CALL_RESTARTS_S, now) >= CALL_RESTARTS, now)

    def _audio(self, facts: Mapping[str, float], now: float) -> None:
        """Late ticks of the last minute; counters that begin anew are another spand's."""
        ticks, late = facts.get("ticks"), facts.get("late_ticks")
        if ticks is None or late is None:
            return
        if self._ticks and ticks < self._ticks[-1][1]:
            self._ticks.clear()
        self._ticks.append((now, ticks, late))
        while len(self._ticks) > 2 and self._ticks[1][0] <= now - LATE_TICKS_S:
            self._ticks.popleft()
        began, ticks_then, late_then = self._ticks[0]
        if now - began >= LATE_TICKS_S and ticks > ticks_then:
            share = (late - late_then) / (ticks - ticks_then)
            self._see("late-audio", "", share > LATE_SHARE, now, f"{share:.1%} of the last minute")

    def _judge_spans(self, now: float) -> None:
        spans = [span for span in self._spans.values() if not span.lent]
        away = {span.span: span.trouble for span in spans if span.trouble}
        dark = {span.span: ", ".join(span.alarms).upper() for span in spans
                if not span.up and not span.trouble}
        silent = [span.span for span in spans if span.up and self._links.get(span.span) is False]
        self._see("span-devices", "", bool(spans) and len(away) == len(spans), now)
        self._only("span-device", away, now)
        self._only("line", dark, now)
        self._only("d-channel", silent, now)
