"""What is around acdd, in virtual time: channels, calls on them, what they hear, sources of data. Pure."""

from collections.abc import Callable
from functools import partial
from random import Random

from appliance.bus.messages import (
    Bridge,
    CallAlerting,
    CallAnswered,
    CallIncoming,
    CallReleased,
    Dial,
    Hangup,
    Play,
    PlayEnded,
)
from appliance.centre.effects import EffectDone, Lookup, Say
from appliance.sim.callers import Caller
from appliance.sim.day import Blocked
from appliance.sim.loop import Loop
from appliance.sim.scenario import Scenario

NORMAL, NO_CHANNEL = 16, 34                       # Q.850
SPOKEN = "silence:500"                            # in place of speech


class Leg:
    """A call on one of the channels. `caller`: who called, None where we did."""

    __slots__ = ("caller", "going", "name", "play", "talks", "trunk", "waits")

    def __init__(self, name: str, trunk: str, caller: Caller | None) -> None:
        self.name, self.trunk, self.caller = name, trunk, caller
        self.play = ""                            # what it hears
        self.waits = self.talks = self.going = False


class Lines:
    """Channels of each trunk, and the legs that take them. Signalling itself takes no time."""

    def __init__(self, loop: Loop, channels: dict[str, int], scenario: Scenario, random: Random) -> None:
        self.legs: dict[str, Leg] = {}
        self._loop, self._scenario, self._random = loop, scenario, random
        self._channels, self._free = channels, dict(channels)
        loop.done[Dial].append(self._dial)
        loop.done[Hangup].append(self._hang_up)
        loop.done[Play].append(self._play)
        loop.done[Bridge].append(self._bridge)
        loop.done[Lookup].append(self._look_up)
        loop.done[Say].append(self._say)

    def call(self, name: str, caller: Caller) -> Leg | None:
        """To the box; None: no channel is free, and the box never hears of it."""
        leg = self._seize(name, caller.trunk, caller)
        if leg is None:
            self._loop.day.blocked.append(Blocked(self._loop.now, caller.trunk, caller.called))
            return None
        self._loop.give(CallIncoming(
            leg=name, trunk=caller.trunk, called=caller.called, calling=caller.calling, calling_name="",
            complete=True, at=self._loop.now))
        return leg

    def hang_up(self, leg: Leg) -> None:
        """The far end does."""
        if not leg.going:
            self._release(leg, NORMAL, "far")

    def _seize(self, name: str, trunk: str, caller: Caller | None) -> Leg | None:
        if not self._free.get(trunk, 0):
            return None
        self._free[trunk] -= 1
        busiest = self._loop.day.busiest
        busiest[trunk] = max(busiest.get(trunk, 0), self._channels[trunk] - self._free[trunk])
        leg = self.legs[name] = Leg(name, trunk, caller)
        return leg

    def _release(self, leg: Leg, cause: int, by: str) -> None:
        if self.legs.pop(leg.name, None) is not None:
            leg.going = True
            self._free[leg.trunk] += 1
            self._loop.give(CallReleased(leg=leg.name, cause=cause, by=by, at=self._loop.now))

    def _dial(self, action: Dial) -> None:
        leg = self._seize(action.leg, action.trunk, None)
        if leg is None:
            self._soon(partial(self._loop.give, CallReleased(
                leg=action.leg, cause=NO_CHANNEL, by="line", at=self._loop.now)))
            return
        self._soon(partial(self._if_there, leg, CallAlerting(leg=leg.name)))
        habits = self._scenario.agents
        if self._random.random() >= habits.no_answer:
            at = self._loop.now + habits.answer.quantile_s(self._random.random())
            self._loop.at(at, partial(self._if_there, leg, CallAnswered(leg=leg.name, at=at)))

    def _hang_up(self, action: Hangup) -> None:
        leg = self.legs.get(action.leg)
        if leg is not None and not leg.going:
            leg.going = True
            self._soon(partial(self._release, leg, action.cause, "near"))

    def _play(self, action: Play) -> None:
        if (leg := self.legs.get(action.leg)) is not None:
            leg.play = action.play
            if not action.repeat:
                self._loop.at(self._loop.now + self._scenario.menus.prompt_s,
                              partial(self._play_over, leg, action.play))

    def _play_over(self, leg: Leg, play: str) -> None:
        if leg.play == play:
            self._if_there(leg, PlayEnded(leg=leg.name, play=play, finished=True))

    def _bridge(self, action: Bridge) -> None:
        for name in (action.leg_a, action.leg_b):
            if name in self.legs:
                self.legs[name].play = ""

    def _look_up(self, effect: Lookup) -> None:
        answer = self._scenario.lookups.get(effect.source)
        self._soon(partial(self._loop.give, EffectDone(order=effect.order, answer=answer)))

    def _say(self, effect: Say) -> None:
        self._soon(partial(self._loop.give, EffectDone(order=effect.order, fragment=SPOKEN)))

    def _if_there(self, leg: Leg, event: object) -> None:
        if not leg.going:
            self._loop.give(event)

    def _soon(self, act: Callable[[], None]) -> None:
        self._loop.at(self._loop.now, act)
