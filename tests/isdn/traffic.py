"""A day of one span, in virtual time: calls from both ends, people who answer, are busy, give up or hang up
at the same moment, lines and processes that fail. Each end keeps its book.
"""
import contextlib
import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from appliance.errors import StateError
from appliance.isdn.dss1 import BEARERS, CALL_REFERENCES, Signalling
from appliance.isdn.elements import ProgressIndicator
from appliance.isdn.events import (
    Answered,
    By,
    ChannelChanged,
    ChannelState,
    Digits,
    Event,
    Incoming,
    Released,
)
from appliance.isdn.lapd import Side
from appliance.isdn.profile import PROFILES
from tests.isdn.line import CALLED, Faults, Line, not_idle

HOUR_S = 3600.0
PEAK = 1.6                                        # the busiest hour's share over the mean
TALK_S, LONGEST_S = 110.0, 2 * HOUR_S
ATTEMPTS = 3                                      # where another channel may do
END_S = 2.5 * HOUR_S                              # after the last call: the longest, all timers
AFTERMATH_S = 60.0                                # of a fault: link up again, enquiries, what was lost
Options = dict[str, Any]
# by span, round and round: profile, the user's options, the network's, both ends'
HABITS: tuple[tuple[str, Options, Options, Options], ...] = (
    ("etsi", {"hunt": "up"}, {"hunt": "down"}, {}),
    ("etsi", {"hunt": "up"}, {"hunt": "up"}, {"overlap": True}),     # much glare
    ("china", {"hunt": "longest-idle"}, {"hunt": "round-robin"}, {"selection": "exclusive"}),
    ("qsig", {"hunt": "up"}, {"hunt": "down"}, {"overlap": True}),
    ("etsi", {"selection": "any"}, {"selection": "none"}, {"hunt": "longest-idle"}),
    ("ecma", {"hunt": "round-robin"}, {"hunt": "round-robin"}, {}),
)


@dataclass(frozen=True)
class Plan:
    calls: int                                    # of one span
    hours: float
    faults: int                                   # of one span, of each kind
    seed: int


@dataclass(slots=True)
class Entry:
    """A call in the book of one end."""

    begun_at: float
    answered_at: float | None = None
    over_at: float | None = None
    cause: int = 0
    by: By = By.LINE

    @property
    def lasted_s(self) -> float:
        return math.inf if self.over_at is None else self.over_at - self.begun_at

    @property
    def talk_s(self) -> float:
        if self.answered_at is None or self.over_at is None:
            return 0.0
        return self.over_at - self.answered_at


@dataclass(slots=True)
class Call:
    """`fate`: what people will do with it."""

    number: int
    caller: Side
    fate: str
    book: dict[Side, Entry] = field(default_factory=dict)
    keys: dict[Side, str] = field(default_factory=dict)
    attempts: int = 0
    disturbed: bool = False                       # something failed while it was there


FATES = {                                         # shares
    "talks": 0.60,                                # one of them hangs up
    "talks, both hang up": 0.05,                  # at the same moment
    "busy": 0.10,
    "busy, with tones": 0.03,                     # in the channel
    "no such number": 0.03,
    "caller gives up": 0.10,                      # while it rings
    "never answered": 0.02,                       # T301
    "caller changes his mind": 0.05,              # at any moment of the set-up
    "answered at once": 0.02,
}


class SpanDay:
    """One span's day. `channel_s` is by end: how long its channels were taken, as it told."""

    def __init__(self, number: int, plan: Plan) -> None:
        self.number, self.plan, self.random = number, plan, Random(plan.seed * 1000 + number)
        profile, user, network, both = HABITS[number % len(HABITS)]
        self._options: dict[Side, dict[str, Any]] = {
            side: {"profile": PROFILES[profile], "audit_s": HOUR_S, **both, **options}
            for side, options in ((Side.USER, user), (Side.NETWORK, network))}
        self.line = Line(seed=number, up=False, user=self._options[Side.USER],
                         network=self._options[Side.NETWORK])
        self.calls: dict[int, Call] = {}
        self.channel_s = dict.fromkeys(Side, 0.0)
        self.troubles: Counter[str] = Counter()
        self.figures: Counter[str] = Counter()    # what the signalling of both ends counted, and we
        self._taken: dict[Side, dict[int, float]] = {side: {} for side in Side}
        self._by_key: dict[Side, dict[str, tuple[Call, Entry]]] = {side: {} for side in Side}
        self._blocked: dict[Side, set[int]] = {side: set() for side in Side}
        self._troubled_until = -math.inf
        for side in Side:
            self.line.on_event[side] = partial(self._told, side)

    def run(self) -> "SpanDay":
        """The whole day and what is left of it; then it is quiet."""
        self.line.connect()
        for at_s, number in zip(self._times(), range(self.plan.calls), strict=False):
            self.line.after(at_s, partial(self._place, number))
        self._plan_troubles()
        self.line.run(self.plan.hours * HOUR_S + END_S)
        self._check_quiet()
        return self

    # --- calls begin

    def _times(self) -> Iterable[float]:
        """Of a day with one busy hour in the middle."""
        day_s = self.plan.hours * HOUR_S
        times: list[float] = []
        while len(times) < self.plan.calls:
            at_s = self.random.uniform(0.0, day_s)
            if self.random.random() * PEAK < 1.0 - (PEAK - 1.0) * math.cos(math.tau * at_s / day_s):
                times.append(at_s)
        return sorted(times)

    def _place(self, number: int) -> None:
        caller = self.random.choice(list(Side))
        fate = self.random.choices(list(FATES), list(FATES.values()))[0]
        call = self.calls[number] = Call(number, caller, fate)
        call.book[caller] = Entry(self.line.now)
        self._attempt(call)
        if fate == "caller changes his mind":
            self._later(self.random.expovariate(2.0), self._hang_up, call, caller)

    def _attempt(self, call: Call) -> None:
        call.attempts += 1
        key = call.keys[call.caller] = f"{call.caller.value} {call.number}.{call.attempts}"
        self._begun(call.caller, key, call, call.book[call.caller])
        digit_by_digit = self._options[call.caller.peer].get("overlap", False) and self.random.random() < 0.5
        self._end(call.caller).setup(
            key, CALLED[:1] if digit_by_digit else CALLED, self.line.now,
            calling=f"{call.number:08}{call.attempts}", complete=not digit_by_digit)
        if digit_by_digit:
            for at, digit in enumerate(CALLED[1:], 1):
                self._later(at * self.random.uniform(0.1, 0.8), self._dial, call, digit)

    def _dial(self, call: Call, digit: str) -> None:
        self._ask(call, call.caller, partial(Signalling.more_digits, digits=digit))

    # --- what people do

    def _offered(self, call: Call) -> None:
        """The whole number is there."""
        called, random = call.caller.peer, self.random
        match call.fate:
            case "busy":
                self._later(random.uniform(0.0, 0.5), self._hang_up, call, called, 17)
            case "busy, with tones":
                self._later(random.uniform(0.0, 0.5), self._announce, call)
            case "no such number":
                self._later(random.uniform(0.0, 0.2), self._hang_up, call, called, 1)
            case "answered at once":
                self._answer(call)
            case _:
                self._later(random.uniform(0.1, 2.0), self._ring, call)

    def _ring(self, call: Call) -> None:
        called, random = call.caller.peer, self.random
        self._ask(call, called, partial(Signalling.alert, in_band=random.random() < 0.3))
        if call.fate == "caller gives up":
            self._later(random.uniform(5.0, 90.0), self._hang_up, call, call.caller)
        elif call.fate != "never answered":
            self._later(random.uniform(1.0, 25.0), self._answer, call)

    def _answer(self, call: Call) -> None:
        self._ask(call, call.caller.peer, Signalling.answer)

    def _talk(self, call: Call) -> None:
        """The caller hears the answer."""
        hold_s = min(self.random.expovariate(1 / TALK_S), LONGEST_S)
        first = self.random.choice(list(Side))
        self._later(hold_s, self._hang_up, call, first)
        if call.fate == "talks, both hang up":
            self._later(hold_s, self._hang_up, call, first.peer)

    def _announce(self, call: Call) -> None:
        """Busy tone for some seconds; who hears it hangs up or does not."""
        called = call.caller.peer
        tones = (ProgressIndicator(8),)
        self._ask(call, called, partial(Signalling.hang_up, cause=17, elements=tones))
        self._later(self.random.uniform(1.0, 60.0), self._hang_up, call, call.caller, 17)

    def _hang_up(self, call: Call, side: Side, cause: int = 16) -> None:
        self._ask(call, side, partial(Signalling.hang_up, cause=cause))

    def _ask(self, call: Call, side: Side, request: Callable[..., None]) -> None:
        """Of a call that may be over: then it is too late."""
        if side in call.keys:
            with contextlib.suppress(StateError):
                request(self._end(side), call.keys[side], now=self.line.now)

    # --- what each end is told, and writes in its book

    def _told(self, side: Side, event: Event) -> None:
        match event:
            case Incoming():
                call, attempt = self.calls[int(event.calling[:-1])], int(event.calling[-1])
                assert side is not call.caller, f"call {call.number} comes back"
                entry, call.keys[side] = Entry(self.line.now), event.key
                if attempt == call.attempts:      # the caller may have given this one up already
                    call.book[side] = entry
                self._begun(side, event.key, call, entry)
                if event.complete:
                    self._offered(call)
            case Digits() if len(event.called) == len(CALLED) and not event.complete:
                call = self._by_key[side][event.key][0]
                self._ask(call, side, Signalling.proceed)
                self._offered(call)
            case Answered():
                call, entry = self._by_key[side][event.key]
                assert entry.answered_at is None, f"call {call.number} is answered twice"
                entry.answered_at = self.line.now
                if side is call.caller:
                    self._talk(call)
            case Released():
                self._over(side, event)
            case ChannelChanged():
                self._channel(side, event)

    def _begun(self, side: Side, key: str, call: Call, entry: Entry) -> None:
        self._by_key[side][key] = call, entry
        call.disturbed = call.disturbed or self.line.now < self._troubled_until

    def _over(self, side: Side, event: Released) -> None:
        call, entry = self._by_key[side].pop(event.key)
        if event.channel_refused and call.attempts < ATTEMPTS:
            self.figures["tried on another channel"] += 1
            call.book.pop(side.peer, None)        # was offered that one in vain
            self._attempt(call)
            return
        entry.over_at, entry.cause, entry.by = self.line.now, event.cause, event.by

    def _channel(self, side: Side, event: ChannelChanged) -> None:
        taken = self._taken[side]
        if event.state is ChannelState.BUSY:
            taken.setdefault(event.timeslot, self.line.now)
        elif event.timeslot in taken:
            self.channel_s[side] += self.line.now - taken.pop(event.timeslot)

    # --- what fails

    def _plan_troubles(self) -> None:
        random, day_s = self.random, self.plan.hours * HOUR_S
        for trouble in (self._cut, self._deafen, self._lose, self._reset, self._block,
                        partial(self._kill, Side.USER), partial(self._kill, Side.NETWORK)):
            for _ in range(self.plan.faults):
                self.line.after(random.uniform(0.02, 0.98) * day_s, trouble)

    def _trouble(self, kind: str, for_s: float) -> None:
        """It touches the calls that are there, and those that begin until it is over and a little longer."""
        self.troubles[kind] += 1
        self._troubled_until = max(self._troubled_until, self.line.now + for_s + AFTERMATH_S)
        for side in Side:
            for call, _ in self._by_key[side].values():
                call.disturbed = True

    def _cut(self) -> None:
        """Longer than T309 at times."""
        for_s = self.random.choice([0.2, 3.0, 20.0, 120.0])
        self._trouble("line cut", for_s)
        self.line.connect(False)
        self._later(for_s, self.line.connect)

    def _deafen(self) -> None:
        for_s = self.random.uniform(1.0, 40.0)
        self._trouble("frames vanish", for_s)
        self.line.deaf = True
        self._later(for_s, setattr, self.line, "deaf", False)

    def _lose(self) -> None:
        for_s = self.random.uniform(60.0, 600.0)
        self._trouble("frames lost", for_s)
        self.line.faults = Faults(loss=self.random.uniform(0.01, 0.15), duplicate=0.02)
        self._later(for_s, setattr, self.line, "faults", Faults())

    def _reset(self) -> None:
        self._trouble("link reset", 0.0)
        self.line.reset()

    def _block(self) -> None:
        """By people, for an hour; it disturbs no call."""
        side = self.random.choice(list(Side))
        timeslots = self.random.sample(BEARERS, 10)
        self.troubles["channels blocked"] += 1
        self._end(side).block(timeslots, self.line.now)
        self._blocked[side] |= set(timeslots)
        self._later(HOUR_S, self._unblock, side, timeslots)

    def _unblock(self, side: Side, timeslots: list[int]) -> None:
        self._blocked[side] -= set(timeslots)
        self._end(side).unblock(timeslots, self.line.now)

    def _kill(self, side: Side) -> None:
        self._trouble(f"{side.value}'s process killed", 0.0)
        ended, taken = self._end(side), self._taken[side]
        self.figures.update(ended.figures())
        for timeslot in list(taken):
            self.channel_s[side] += self.line.now - taken.pop(timeslot)
        self._options[side]["first_call_ref"] = self.random.randrange(CALL_REFERENCES) + 1
        after = self.line.new_process(side, set(ended) - self._by_key[side].keys())
        after.block(self._blocked[side], self.line.now)

    # --- the end of the day

    def _check_quiet(self) -> None:
        """AssertionError: something is left."""
        for side in Side:
            end = self._end(side)
            self.figures.update(end.figures())
            assert end.link_up, f"span {self.number}: the link of the {side.value} is down"
            assert list(end) == [], f"span {self.number}: the {side.value} has calls"
            assert not_idle(end) == [], f"span {self.number}: the {side.value} has channels that are stuck"
            assert self._by_key[side] == {}, f"span {self.number}: calls did not end at the {side.value}"

    # --- small things

    def _end(self, side: Side) -> Signalling:
        return self.line.side(side)

    def _later(self, delay_s: float, act: Callable[..., None], *arguments: object) -> None:
        self.line.after(delay_s, partial(act, *arguments))
