"""People who use the box by themselves, at a humane rate: callers from outside, agents at a PBX's telephones.

Seeded: the same seed makes the same people; when they ring depends on the clock.
"""

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hil_tests.instruments import audio, speech
from hil_tests.instruments.answering import Answering
from hil_tests.instruments.call import Call, NotSeen
from hil_tests.instruments.exchange import SoftwareExchange
from hil_tests.instruments.line import InstrumentError

log = logging.getLogger(__name__)

NAMES = ("Li Lei", "Han Meimei", "Wang Wei", "Zhang Min", "Chen Jie", "John Smith", "Anna Brown", "")
ANSWER_WITHIN_S = 30.0
PATIENCE_S = (4.0, 9.0)                           # of a caller who gives up
LATER, LATER_S = 0.25, (8.0, 14.0)                # the share who press Callers.later, and when
RATING_S = (3.0, 5.0)                             # from one answer to the next
BUSY, NO_ANSWER = 17, None


@dataclass(frozen=True, slots=True)
class Callers:
    """What the people outside do."""

    called: tuple[str, ...]                       # one of them each time
    per_minute: float = 12.0
    at_most: int = 8                              # calls at once
    keys: str = "12"                              # one of them, pressed after the answer
    key_after_s: tuple[float, float] = (3.0, 7.0)
    talk_s: tuple[float, float] = (15.0, 40.0)    # after the key
    give_up: float = 0.12                         # share of callers who hang up early
    later: str = ""                               # a key that some press when they have waited for long
    rates: str = ""                               # keys, two of them pressed at the end: a survey's answers
    calls: int = 0                                # end after so many; 0: go on


@dataclass(frozen=True, slots=True)
class Agents:
    """What the people behind the PBX do."""

    ring_s: tuple[float, float] = (2.0, 4.0)
    talk_s: tuple[float, float] = (12.0, 40.0)    # then the agent hangs up, if the caller has not
    busy: float = 0.06                            # shares of calls
    no_answer: float = 0.06
    extensions: tuple[str, ...] = ()              # all there are; none: any number is one
    outbound_per_minute: float = 0.0
    prefix: str = "9"
    number_digits: int = 8                        # after the prefix
    hold_s: tuple[float, float] = (8.0, 20.0)     # outbound talk


class People:
    """Voices, and a dice of their own for each call."""

    def __init__(self, exchange: SoftwareExchange, seed: int, stop: threading.Event,
                 cache: Path = speech.CACHE) -> None:
        self._exchange, self._stop, self._cache = exchange, stop, cache
        self._dice = random.Random(seed)
        self._sounds: dict[str, list[audio.Octets]] = {}

    def prepare(self, *who: str) -> None:
        """Make the speech now, not while a call waits for it. InstrumentError when that is not possible."""
        for one in who:
            self._sounds[one] = [speech.said(text, self._cache) for text in speech.texts(one)]

    def call_in(self, callers: Callers) -> None:
        """Callers ring until stopped, or `callers.calls` of them have; returns when the last one hung up."""
        threads: list[threading.Thread] = []
        placed = 0
        while not self._stop.is_set() and (not callers.calls or placed < callers.calls):
            threads = [thread for thread in threads if thread.is_alive()]
            if self._exchange.up and len(threads) < callers.at_most:
                threads.append(self._start(self._caller, callers, random.Random(self._dice.random())))
                placed += 1
            if callers.calls and placed == callers.calls:
                break
            self._stop.wait(self._dice.expovariate(callers.per_minute / 60))
        for thread in threads:
            thread.join()

    def answer_outside(self) -> None:
        """People outside whom the box calls: they let it ring a little, and speak."""
        def choose(call: Call) -> Answering | None:
            dice = random.Random(self._dice.random())
            log.info("%s: somebody outside is called at %s", self._exchange.name, call.called)
            return Answering(
                dice.uniform(2, 5), says=self._voice("answerer", dice), hang_up_after_s=dice.uniform(15, 40))
        self._exchange.answering(choose)

    def answer_inside(self, agents: Agents) -> None:
        """The agents' telephones."""
        def choose(call: Call) -> Answering | None:
            return self._telephone(agents, call, random.Random(self._dice.random()))
        self._exchange.answering(choose)

    def call_out(self, agents: Agents) -> None:
        """Agents dial out now and then, until stopped."""
        threads: list[threading.Thread] = []
        while not self._stop.is_set():
            if not agents.extensions or not agents.outbound_per_minute:
                self._stop.wait()
                break
            self._stop.wait(self._dice.expovariate(agents.outbound_per_minute / 60))
            idle = [extension for extension in agents.extensions if not self._in_use(extension)]
            if idle and self._exchange.up and not self._stop.is_set():
                dice = random.Random(self._dice.random())
                threads.append(self._start(self._agent_calls, agents, dice.choice(idle), dice))
        for thread in threads:
            thread.join()

    # --- one person each --------------------------------------------------------------------------------

    def _caller(self, callers: Callers, dice: random.Random) -> None:
        number = f"13{dice.randrange(10**9):09d}"
        call = self._exchange.place_call(dice.choice(callers.called), number, dice.choice(NAMES))
        log.info("%s: %s calls %s on timeslot %d", self._exchange.name, number, call.called, call.timeslot)
        call.play(self._voice("caller", dice), repeat=True)
        if dice.random() < callers.give_up:
            call.wait_over(dice.uniform(*PATIENCE_S), self._stop)
        else:
            self._wait_connected(call)
            call.wait_over(dice.uniform(*callers.key_after_s), self._stop)
            self._press(call, dice.choice(callers.keys))
            if callers.later and dice.random() < LATER:
                call.wait_over(dice.uniform(*LATER_S), self._stop)
                self._press(call, callers.later)
            call.wait_over(dice.uniform(*callers.talk_s), self._stop)
            for _ in range(2 if callers.rates else 0):
                self._press(call, dice.choice(callers.rates))
                call.wait_over(dice.uniform(*RATING_S), self._stop)
        self._end(call)

    @staticmethod
    def _press(call: Call, key: str) -> None:
        if call.state == "connected":
            call.dtmf(key)

    def _agent_calls(self, agents: Agents, extension: str, dice: random.Random) -> None:
        number = f"{agents.prefix}{dice.randrange(10**agents.number_digits):0{agents.number_digits}d}"
        call = self._exchange.place_call(number, extension)
        log.info("%s: extension %s dials %s", self._exchange.name, extension, number)
        call.play(self._voice("agent", dice), repeat=True)
        self._wait_connected(call)
        call.wait_over(dice.uniform(*agents.hold_s), self._stop)
        self._end(call)

    def _telephone(self, agents: Agents, call: Call, dice: random.Random) -> Answering:
        if agents.extensions and call.called not in agents.extensions:
            return Answering(refuse_cause=1)
        chance = dice.random()
        if chance < agents.busy or self._in_use(call.called, but=call):
            log.info("%s: extension %s is busy", self._exchange.name, call.called)
            return Answering(refuse_cause=BUSY)
        if chance < agents.busy + agents.no_answer:
            log.info("%s: extension %s does not answer", self._exchange.name, call.called)
            return Answering(answer_after_s=NO_ANSWER)
        log.info("%s: extension %s rings for %s", self._exchange.name, call.called, call.calling or "?")
        return Answering(
            dice.uniform(*agents.ring_s), says=self._voice("agent", dice),
            hang_up_after_s=dice.uniform(*agents.talk_s))

    def _in_use(self, extension: str, but: Call | None = None) -> bool:
        return any(call is not but and extension == (call.called if call.incoming else call.calling)
                   for call in list(self._exchange.calls))

    def _voice(self, who: str, dice: random.Random) -> audio.Octets:
        return dice.choice(self._sounds[who])

    def _wait_connected(self, call: Call) -> None:
        with self._exchange.condition:
            self._exchange.condition.wait_for(
                lambda: (call.state in ("connected", "released") or self._stop.is_set()
                         or self._exchange.broken), ANSWER_WITHIN_S)

    def _end(self, call: Call) -> None:
        call.hang_up()
        call.wait_for("RELEASED")
        log.info("%s: the call of %s is over, cause %s%s", self._exchange.name, call.calling, call.released,
                 "" if call.event("CONNECT") else ", never answered")

    def _start(self, person: Callable[..., None], *args: object) -> threading.Thread:
        def live() -> None:
            try:
                person(*args)
            except (NotSeen, InstrumentError) as error:               # no idle timeslot, a line gone: life
                log.info("%s: %s", self._exchange.name, error)
        thread = threading.Thread(target=live, daemon=True)
        thread.start()
        return thread
