"""The table of entry rules: what becomes of a call that arrives, and why. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from appliance.centre.entry.calendar import Calendar, Forced, Opening, open_at
from appliance.centre.entry.lists import Beginnings, Listed, NumberList
from appliance.centre.entry.numbers import Numbers
from appliance.centre.entry.reason import Reason, together
from appliance.centre.entry.regions import Region, Regions
from appliance.config.entrance import CalledPattern, concerns
from appliance.config.entry import Destination, EntryRule, InboundRoute
from appliance.config.lines import NumbersConfig
from appliance.config.schema import CentreConfig

MOST_FORMS = 4096                                 # of numbers, remembered


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call with its whole number."""

    trunk: str
    called: str
    calling: str
    withheld: bool
    at: float


@dataclass(slots=True)
class Decision:
    """`destination` None: the number leads nowhere now. `rule`: its name, "" for a route of `inbound`."""

    destination: Destination | None = None
    rule: str = ""
    reasons: list[Reason] = field(
        default_factory=lambda: [Reason("no rule takes it, and centre.inbound has no such number")])
    priority: int | None = None
    grade: str = ""
    language: str = ""
    skills: dict[str, int] = field(default_factory=dict)
    region: str = ""                              # the caller's group, else region
    note: str = ""                                # of the list
    looked_at: list[Reason] = field(default_factory=list)            # a sentence for each rule

    @property
    def why(self) -> str:
        return ", ".join(self.reasons)


class Entrance:
    """Everything that decides where calls go. `plans`: how callers' numbers are written on each trunk."""

    def __init__(self, centre: CentreConfig, numbers: Numbers, calendars: Mapping[str, Calendar],
                 lists: Mapping[str, NumberList] | None = None, regions: Regions | None = None,
                 plans: Mapping[str, Numbers] | None = None) -> None:
        self.calendars = calendars
        self.centre, self._lists, self._regions = centre, lists or {}, regions or Regions()
        self._numbers, self._plans = numbers, plans or {}
        self._rules = [(rule, _Numbers(rule, numbers)) for rule in centre.entry]
        self._concerning: dict[str, list[bool]] = {}             # each rule, by trunk, found when it calls
        self.canonical = lru_cache(MOST_FORMS)(self._canonical)

    def decide(self, arrival: Arrival, route: InboundRoute | None, forced: Mapping[str, Forced]) -> Decision:
        """By the first rule with a destination whose conditions all hold, else by the number's own route.

        What rules on the way say of the call holds, too; of two that say the same thing, the first.
        """
        decision = Decision()
        number = self._plans.get(arrival.trunk, self._numbers).canonical(arrival.calling)
        call = _Call(arrival, number, self._regions.find(number))
        decision.region = self._regions.group(call.region) or str(call.region or "")
        for (rule, numbers), meant in zip(self._rules, self._meant(arrival.trunk), strict=True):
            if not meant:
                decision.looked_at.append(
                    Reason("{rule}: not for trunk {trunk}", rule=rule.name, trunk=arrival.trunk))
                continue
            said: list[Reason] = []
            for holds, words in self._conditions(rule, numbers, call, forced):
                said.append(words)
                if not holds:
                    decision.looked_at.append(Reason("{rule}: no: {why}", rule=rule.name, why=words))
                    break
            else:
                said = said or [Reason("for every call")]
                why = together(said)
                _note(decision, rule, call.listed if rule.lists else None)
                if rule.given:
                    decision.looked_at.append(Reason("{rule}: takes it: {why}", rule=rule.name, why=why))
                    decision.destination, decision.rule, decision.reasons = rule, rule.name, said
                    return decision
                decision.looked_at.append(Reason("{rule}: noted: {why}", rule=rule.name, why=why))
        if route is not None:
            self._by_route(decision, route, arrival.at, forced)
        return decision

    def _canonical(self, number: str, trunk: str = "") -> str:
        """A number as it is written on `trunk`, in one form."""
        return self._plans.get(trunk, self._numbers).canonical(number) if number else ""

    def unlike(self, other: "Entrance") -> list[str]:
        """What its tables and number plans have that those of `other` have not, or the other way round."""
        lists = [f"list {name}" for name, rows in self._lists.items() if rows != other._lists.get(name)]
        regions = ["regions"] if self._regions != other._regions else []
        return [*lists, *regions, *(["number plans"] if self._plans_used() != other._plans_used() else [])]

    def _plans_used(self) -> tuple[NumbersConfig, dict[str, NumbersConfig]]:
        return self._numbers.plan, {trunk: numbers.plan for trunk, numbers in self._plans.items()}

    def opening(self, calendar: str, at: float, forced: Mapping[str, Forced]) -> Opening:
        return open_at(self.calendars[calendar], at, forced.get(calendar))

    def _meant(self, trunk: str) -> list[bool]:
        if trunk not in self._concerning:
            self._concerning[trunk] = [concerns(self.centre, rule, trunk) for rule, _ in self._rules]
        return self._concerning[trunk]

    def _by_route(self, decision: Decision, route: InboundRoute, at: float,
                  forced: Mapping[str, Forced]) -> None:
        decision.destination = Destination(flow=route.flow)
        decision.reasons = [Reason("centre.inbound: {number} on trunk {trunk}", number=route.called,
                                   trunk=route.trunk)]
        if route.calendar is not None:
            opening = self.opening(route.calendar, at, forced)
            decision.reasons.append(_calendar(route.calendar, opening))
            if not opening.open:
                decision.destination = route.closed

    def _conditions(self, rule: EntryRule, numbers: "_Numbers", call: "_Call",
                    forced: Mapping[str, Forced]) -> Iterator[tuple[bool, Reason]]:
        """Does it hold, and in words; the costly ones last."""
        arrival = call.arrival
        if rule.trunks:
            yield True, Reason("trunk {trunk}", trunk=arrival.trunk)     # else it would not concern the call
        if rule.called:
            holds = any(one.matches(arrival.called) for one in numbers.called)
            yield holds, Reason(f"called {{number}} {_is(holds)} {{numbers}}", number=arrival.called,
                                numbers=", ".join(rule.called))
        if rule.withheld is not None:
            hidden = arrival.withheld or not arrival.calling
            yield hidden == rule.withheld, Reason(f"the caller shows {'no' if hidden else 'a'} number")
        if rule.callers:
            holds = numbers.have(call.number)
            yield holds, Reason(f"caller {{caller}} {_is(holds)} {{numbers}}", caller=call.name,
                                numbers=", ".join(rule.callers))
        if rule.regions:
            holds = any(self._regions.matches(call.region, wanted) for wanted in rule.regions)
            yield holds, Reason(f"caller {{caller}} {_is(holds)} in {{regions}}", caller=call.name,
                                regions=", ".join(rule.regions))
        if rule.lists:
            yield self._listed(rule, call)
        if rule.calendar is not None:
            opening = self.opening(rule.calendar, arrival.at, forced)
            yield opening.open == (rule.when == "open"), _calendar(rule.calendar, opening)

    def _listed(self, rule: EntryRule, call: "_Call") -> tuple[bool, Reason]:
        for name in rule.lists:
            rows = self._lists.get(name)          # none in a rehearsal without its files
            row = rows.find(call.number, call.arrival.at) if rows is not None and call.number else None
            if row is not None and (not rule.grades or row.grade in rule.grades):
                call.listed = row
                about = ", ".join(filter(None, (row.grade, row.note)))
                return True, Reason("caller {caller} is in list {list}{about}", caller=call.name, list=name,
                                    about=f" ({about})" if about else "")
        wanted = Reason(" with grade {grades}", grades=", ".join(rule.grades)) if rule.grades else ""
        return False, Reason("caller {caller} is not in list {lists}{wanted}", caller=call.name,
                             lists=", ".join(rule.lists), wanted=wanted)


@dataclass(slots=True)
class _Call:
    """What is known of a call. `number`: the caller's, canonical."""

    arrival: Arrival
    number: str
    region: Region | None
    listed: Listed | None = None                  # by the last rule with lists that holds

    @property
    def name(self) -> Reason:
        region = f" ({self.region})" if self.region else ""
        if not self.number:
            return Reason("without a number{region}", region=region)
        return Reason("{number}{region}", number=self.number, region=region)


class _Numbers:
    """Those in a rule."""

    def __init__(self, rule: EntryRule, numbers: Numbers) -> None:
        self.called = [CalledPattern(text) for text in rule.called]
        self._callers = {numbers.canonical(text) for text in rule.callers if not text.endswith("*")}
        self._beginnings: Beginnings[str] = Beginnings()
        for text in rule.callers:
            for beginning in numbers.beginnings(text[:-1]) if text.endswith("*") else ():
                self._beginnings.add(beginning, text)

    def have(self, caller: str) -> bool:
        return bool(caller) and (caller in self._callers or self._beginnings.find(caller) is not None)


def _note(decision: Decision, rule: EntryRule, listed: Listed | None) -> None:
    grade = rule.grade or (listed.grade if listed else "")
    decision.priority = rule.priority if decision.priority is None else decision.priority
    decision.grade = decision.grade or grade
    decision.language = decision.language or rule.language or ""
    decision.note = decision.note or (listed.note if listed else "")
    decision.skills = {**rule.skills, **decision.skills}


def _calendar(name: str, opening: Opening) -> Reason:
    return Reason(f"calendar {{calendar}} is {'open' if opening.open else 'closed'}: {{why}}",
                  calendar=name, why=opening.why)


def _is(holds: bool) -> str:
    return "is" if holds else "is not"
