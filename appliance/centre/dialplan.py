"""Where a called number leads, digit by digit if it comes so. Pure; a number is judged, nothing is done."""

import re
from dataclasses import dataclass

from appliance.config.emergency import Emergency, instead
from appliance.config.entrance import CalledPattern, concerns, dials_out
from appliance.config.pattern import NUMBER, DialPattern
from appliance.config.schema import CentreConfig, InboundRoute, OutboundRoute

UNALLOCATED = 1                                   # Q.850: unallocated (unassigned) number
INCOMPLETE = 28                                   # Q.850: invalid number format (address incomplete)


@dataclass(frozen=True, slots=True)
class Wait:
    """More digits may make it a number, or another one."""


@dataclass(frozen=True, slots=True)
class Reject:
    cause: int                                    # Q.850


@dataclass(frozen=True, slots=True)
class ToEntry:
    """A number of the box: the entry rules decide. `route`: its own, for whom none of them takes."""

    route: InboundRoute | None


@dataclass(frozen=True, slots=True)
class ToTrunk:
    route: OutboundRoute
    digits: str                                   # that go out


Verdict = Wait | Reject | ToEntry | ToTrunk


class DialPlan:
    """An inbound number is exact and goes before those of entry rules, these before the outbound patterns, of
    which the first that matches counts.

    An emergency number goes before both, unless something of the box has exactly this number; and it waits
    for no digit that could only make it another number of the public network, where none begins with it.
    """

    def __init__(self, config: CentreConfig, emergency: Emergency | None = None) -> None:
        self.emergency = emergency or Emergency()
        self._config = config
        self._inbound = config.inbound
        self._entry: dict[str, list[CalledPattern]] = {}         # of rules for a trunk, found when it calls
        self._outbound = [
            (route, re.compile(route.called), DialPattern(route.called)) for route in config.outbound]

    def direction(self, trunk: str) -> str:
        """What a call from this trunk is as long as its number is not known."""
        return "out" if dials_out(self._config, trunk) else "in"

    def judge(self, trunk: str, called: str, complete: bool) -> Verdict:
        """complete: no digit can follow. What is no number leads nowhere, whatever the patterns say."""
        if not NUMBER.fullmatch(called):
            return Reject(INCOMPLETE)
        found = self._match(trunk, called)
        if (urgent := self._emergency(trunk, called, found)) is not None:
            return urgent if complete or not self._may_grow(trunk, called, urgent.digits) else Wait()
        may_grow = self._may_grow(trunk, called)
        if found is not None and (complete or not may_grow):
            return found
        if complete:
            return Reject(INCOMPLETE if may_grow else UNALLOCATED)
        return Wait() if may_grow else Reject(UNALLOCATED)

    def _match(self, trunk: str, called: str) -> Verdict | None:
        for inbound in self._inbound:
            if (inbound.trunk, inbound.called) == (trunk, called):
                return ToEntry(inbound)
        if any(pattern.matches(called) for pattern in self._of_rules(trunk)):
            return ToEntry(None)
        for outbound, pattern, _ in self._outbound:
            if outbound.trunk == trunk and (match := pattern.fullmatch(called)):
                return ToTrunk(outbound, match[1] or "")
        return None

    def _of_rules(self, trunk: str) -> list[CalledPattern]:
        if trunk not in self._entry:
            self._entry[trunk] = [CalledPattern(called) for rule in self._config.entry
                                  if concerns(self._config, rule, trunk) for called in rule.called]
        return self._entry[trunk]

    def _emergency(self, trunk: str, called: str, found: Verdict | None) -> ToTrunk | None:
        """By the rule that matches when it leads where the number is known, else by the box's own way."""
        if isinstance(found, ToTrunk) and self._knows(found.route.to, found.digits):
            return found
        to = self.emergency.ways.get(trunk, {}).get(called)
        if to is None or instead(self._config, self.emergency, trunk, called):
            return None
        calling = next((route.calling for route, _, _ in self._outbound
                        if (route.trunk, route.to) == (trunk, to) and route.calling), None)
        rule = OutboundRoute(trunk=trunk, called=f"({re.escape(called)})", to=to, calling=calling)
        return ToTrunk(rule, called)

    def _knows(self, trunk: str, number: str) -> bool:
        return number in self.emergency.numbers.get(trunk, ())

    def _may_grow(self, trunk: str, called: str, emergency: str = "") -> bool:
        """`emergency`: not into other numbers of trunks where this is an emergency number."""
        return any(
            one != called and one.startswith(called) for one in (
                *(route.called for route in self._inbound if route.trunk == trunk),
                *self.emergency.ways.get(trunk, ()))
        ) or any(
            pattern.may_grow(called) for pattern in self._of_rules(trunk) if pattern.exact or not emergency
        ) or any(route.trunk == trunk and not self._knows(route.to, emergency) and dialled.may_grow(called)
                 for route, _, dialled in self._outbound)
