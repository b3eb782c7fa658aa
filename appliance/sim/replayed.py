"""Days played again as they were and with something else about them: both side by side, as data. Pure."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from appliance.sim.branch import Branch
from appliance.sim.chart import clock
from appliance.sim.figures import ALL, METRICS, Figures
from appliance.sim.study import Estimate, Study, study

OF_ALL = ("calls", "blocked", "offered", "answered", "abandoned", "overflowed", "service_level",
          "abandonment", "asa_s", "wait_90_s", "aht_s", "occupancy")
OF_AN_INTERVAL = ("offered", "answered", "service_level", "abandonment", "asa_s", "occupancy")
OF_THE_BOX = ("calls", "blocked", "occupancy")    # not of a queue alone

Said = Callable[[int], None]                      # plays that are done


def play(days: Sequence[tuple[Branch, Branch]], said: Said = lambda done: None) -> dict[str, Any]:
    """Of each day: as it was, and changed."""
    base: list[Figures] = []
    changed: list[Figures] = []
    done = 0
    for was, is_ in days:
        for number in range(was.scenario.replications):
            for branch, into in ((was, base), (is_, changed)):
                into += _one(branch, number)
                done += 1
                said(done)
    first = days[0][0]
    return data(Study("base", first, tuple(base)), Study("changed", days[0][1], tuple(changed)))


def plays(days: Sequence[tuple[Branch, Branch]]) -> int:
    return sum(2 * was.scenario.replications for was, _ in days)


def _one(branch: Branch, number: int) -> tuple[Figures, ...]:
    """The day once, by the chance of this number."""
    scenario = branch.scenario.model_copy(update={
        "replications": 1, "seed": branch.scenario.seed + number})
    return study("", replace(branch, scenario=scenario)).days


def data(base: Study, changed: Study) -> dict[str, Any]:
    """Each figure as [mean, half of what is sure of it], None: nobody can say."""
    queues: dict[str, Any] = {}
    for queue in (ALL, *(name for name in base.days[0].of if name != ALL)):
        if queue not in changed.days[0].of:
            continue
        names = [name for name in OF_ALL if queue == ALL or name not in OF_THE_BOX]
        inner = [name for name in OF_AN_INTERVAL if queue == ALL or name not in OF_THE_BOX]
        queues[queue] = {
            "figures": {name: {
                "base": _pair(base.estimate(name, queue)), "changed": _pair(changed.estimate(name, queue)),
                "change": _pair(changed.change(name, base, queue))} for name in names},
            "intervals": [{
                "at": clock(base, number),
                **{title: {name: _pair(one.estimate(name, queue, number)) for name in inner}
                   for title, one in (("base", base), ("changed", changed))}}
                for number in base.days[0].intervals[queue]],
            "target": _target(base, queue)}
    return {"metrics": {name: {"formula": METRICS[name].formula, "share": METRICS[name].share,
                               "unit": METRICS[name].unit} for name in OF_ALL},
            "queues": queues, "plays": len(base.days)}


def _target(one: Study, queue: str) -> float | None:
    levels = {config.service_level.percent for config in one.branch.config.centre.queues
              if queue in (ALL, config.name)}
    return levels.pop() / 100 if len(levels) == 1 else None


def _pair(found: Estimate) -> list[float | None]:
    return [_known(found.mean), _known(found.half)]


def _known(value: float) -> float | None:
    return round(value, 5) if math.isfinite(value) else None


def added(days: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of all days together."""
    found: dict[str, float] = {}
    for one in days:
        for name, count in one.items():
            found[name] = found.get(name, 0) + count
    return found
