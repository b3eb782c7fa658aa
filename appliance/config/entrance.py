"""What entry rules of one document name: numbers that lead somewhere, flows, files; is all of it there."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from appliance.config.emergency import emergency
from appliance.config.entry import CONDITIONS, Destination, EntryRule, ForwardConfig
from appliance.config.pattern import DialPattern
from appliance.config.schema import CentreConfig, Config

LONGEST_EMERGENCY = 6                             # digits, of any country
D = TypeVar("D", bound=Destination)


class CalledPattern:
    """A number, with x for any digit, * at the end for any rest."""

    def __init__(self, text: str) -> None:
        digits = text.removesuffix("*") if len(text) > 1 else text.replace("*", "")
        self.text, self.exact = text, not re.search("[xX]", digits) and digits == text
        expression = re.sub("[xX]", "[0-9]", re.sub(r"[*+]", r"\\\g<0>", digits))
        expression += "" if digits == text else "[0-9*#]*"
        self._whole, self._growing = re.compile(expression), DialPattern(expression)

    def matches(self, called: str) -> bool:
        return self._whole.fullmatch(called) is not None

    def may_grow(self, called: str) -> bool:
        """True when at least one more digit can lead to a match."""
        return self._growing.may_grow(called)


def dials_out(centre: CentreConfig, trunk: str) -> bool:
    """Calls from there go out and nowhere else, so that rules without trunks are not meant for them."""
    return (any(route.trunk == trunk for route in centre.outbound)
            and not any(route.trunk == trunk for route in centre.inbound)
            and not any(trunk in rule.trunks and rule.called for rule in centre.entry))


def concerns(centre: CentreConfig, rule: EntryRule, trunk: str) -> bool:
    """The rule is meant for calls from this trunk."""
    return trunk in rule.trunks if rule.trunks else not dials_out(centre, trunk)


def destinations(centre: CentreConfig) -> Iterator[tuple[list[int | str], Destination]]:
    """All of them, with the keys that lead there."""
    for place, rule in enumerate(centre.entry):
        yield ["centre", "entry", place], rule
    for place, route in enumerate(centre.inbound):
        if route.closed is not None:
            yield ["centre", "inbound", place, "closed"], route.closed


def flows(centre: CentreConfig) -> list[str]:
    """The files of all flows that calls may enter, sorted."""
    found = {route.flow for route in centre.inbound}
    for _, destination in destinations(centre):
        forward = destination.forward
        found |= {one for one in (destination.flow, forward and forward.unanswered) if one}
    return sorted(found)


def placed(centre: CentreConfig, base: Path) -> CentreConfig:
    """The same with all files below the folder `base`."""
    inbound = [route.model_copy(update={
        "flow": str(base / route.flow),
        "closed": None if route.closed is None else _placed(route.closed, base)}) for route in centre.inbound]
    lists = [one.model_copy(update={"file": str(base / one.file)}) for one in centre.lists]
    tables = [str(base / table) for table in centre.regions.tables]
    return centre.model_copy(update={
        "inbound": inbound, "entry": [_placed(rule, base) for rule in centre.entry], "lists": lists,
        "regions": centre.regions.model_copy(update={"tables": tables})})


def _placed(destination: D, base: Path) -> D:
    forward = destination.forward
    if forward is not None and forward.unanswered is not None:
        forward = forward.model_copy(update={"unanswered": str(base / forward.unanswered)})
    flow = None if destination.flow is None else str(base / destination.flow)
    return destination.model_copy(update={"flow": flow, "forward": forward})


def mistakes(config: Config) -> Iterator[tuple[list[int | str], str]]:
    """Names that nobody has: the keys that lead there, a sentence."""
    centre = config.centre
    trunks = sorted({span.trunk for span in config.spans})
    calendars = [calendar.name for calendar in centre.calendars]
    lists = [one.name for one in centre.lists]
    boxes = [box.name for box in centre.voicemail]
    for where, names in (("calendars", calendars), ("lists", lists),
                         ("entry", [rule.name for rule in centre.entry])):
        for place, name in enumerate(names):
            if name in names[:place]:
                yield ["centre", where, place, "name"], f"{name!r} is there twice"
    for place, route in enumerate(centre.inbound):
        if route.calendar is not None and route.calendar not in calendars:
            yield ["centre", "inbound", place, "calendar"], _none("calendar", route.calendar, calendars)
    for place, rule in enumerate(centre.entry):
        at: list[int | str] = ["centre", "entry", place]
        for trunk in rule.trunks:
            if trunk not in trunks:
                yield [*at, "trunks"], f"no span has trunk {trunk!r}, they have {', '.join(trunks)}"
        for name in rule.lists:
            if name not in lists:
                yield [*at, "lists"], _none("list", name, lists)
        if rule.calendar is not None and rule.calendar not in calendars:
            yield [*at, "calendar"], _none("calendar", rule.calendar, calendars)
    for keys, destination in destinations(centre):
        if destination.voicemail is not None and destination.voicemail not in boxes:
            yield [*keys, "voicemail"], _none("voicemail box", destination.voicemail, boxes)
        forward = destination.forward
        if forward is not None and forward.trunk is not None and forward.trunk not in trunks:
            yield [*keys, "forward", "trunk"], (
                f"no span has trunk {forward.trunk!r}, they have {', '.join(trunks)}")
        if forward is not None and _is_emergency(config, forward):
            yield [*keys, "forward", "number"], (
                f"{forward.number} is an emergency number: nobody is forwarded there")


def shadowed(centre: CentreConfig) -> Iterator[str]:
    """Rules that no call comes to, because one before takes all that they would: a sentence each."""
    for place, rule in enumerate(centre.entry):
        for before in centre.entry[:place]:
            if before.given and all(
                    getattr(before, key) in (None, [], getattr(rule, key)) for key in CONDITIONS):
                yield (f"centre.entry: {rule.name}: no call comes to it: {before.name} before it takes them "
                       "all: change their order, or the conditions")
                break


def _is_emergency(config: Config, forward: ForwardConfig) -> bool:
    known = emergency(config).numbers if len(forward.number) <= LONGEST_EMERGENCY else {}
    return any(forward.number in numbers for trunk, numbers in known.items()
               if forward.trunk in (None, trunk))


def _none(kind: str, name: str, there: Sequence[str]) -> str:
    return f"no {kind} is called {name!r}, there are {', '.join(sorted(there)) or 'none'}"
