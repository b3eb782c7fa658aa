"""No new calls for a while: what may come in all the same. Pure: `now` is steady seconds.

Whoever wants it has to ask for it again and again: it ends by itself when nobody does.
"""

import re

from appliance.config.emergency import Emergency, emergency
from appliance.config.pattern import DialPattern
from appliance.config.schema import Config

LONGEST_S = 60.0


class Draining:
    def __init__(self, config: Config) -> None:
        self.cause, self._until = 0, 0.0
        self.configure(config)

    def configure(self, config: Config) -> None:
        self._known: Emergency = emergency(config)
        self._numbers = frozenset[str]().union(*self._known.numbers.values())
        self._rules = [(rule.trunk, re.compile(rule.called), DialPattern(rule.called), rule.to)
                       for rule in config.centre.outbound]

    def ask(self, now: float, for_s: float, cause: int) -> None:
        """0 s: it is over."""
        self.cause, self._until = cause, now + min(max(for_s, 0.0), LONGEST_S)

    def on(self, now: float) -> bool:
        return now < self._until

    def admits(self, now: float, trunk: str, called: str, *, complete: bool) -> bool:
        """A call that comes in by `trunk`: all of them unless calls are drained, then those to emergency
        numbers. Not `complete`: as long as it may become one."""
        if not self.on(now) or self.is_emergency(trunk, called):
            return True
        return not complete and (
            any(number.startswith(called) for number in self._numbers)
            or any(grown.may_grow(called) for by, _, grown, _ in self._rules if by == trunk))

    def is_emergency(self, trunk: str, called: str) -> bool:
        """As an extension of `trunk` may dial an emergency number: itself, or after a rule's prefix."""
        return called in self._numbers or any(
            (match := pattern.fullmatch(called)) is not None and match[1] in self._known.numbers.get(to, ())
            for by, pattern, _, to in self._rules if by == trunk)
