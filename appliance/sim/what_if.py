"""What if: a branch with something else about it, from words such as agents=+2 or calls=+10%. Pure."""

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import count

from appliance.config.schema import AgentConfig, CentreConfig, QueueConfig
from appliance.errors import ConfigError
from appliance.sim.branch import Branch
from appliance.sim.scenario import Shift

MOST_EXTRA = 1000                                 # agents
EXAMPLES = ("agents=+2", "agents.QUEUE=-1", "calls=+10%", "handling=-5%", "patience=+20%", "wrap-up=10",
            "wrap-up.QUEUE=10", "no-answer=5%")

_CHANGE = re.compile(r"([a-z-]+)(?:\.([a-z][a-z0-9-]*))?=(.+)")
_COUNT = re.compile(r"[+-][0-9]{1,4}")
_MORE = re.compile(r"([+-][0-9]{1,4}(?:\.[0-9]+)?)%")
_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]+)?)%")
_SECONDS = re.compile(r"[0-9]{1,4}(?:\.[0-9]+)?")


def vary(branch: Branch, text: str) -> Branch:
    """With every change of "agents.sales=+1,calls=+10%". ConfigError: one cannot be read or done."""
    for part in (part.strip() for part in text.split(",")):
        match = _CHANGE.fullmatch(part)
        if match is None or match[1] not in CHANGES:
            raise ConfigError(f"{part!r}: write one of {', '.join(EXAMPLES)}")
        queues = [queue.name for queue in branch.config.centre.queues]
        if match[2] and (match[1] not in OF_A_QUEUE or match[2] not in queues):
            raise ConfigError(f"{part!r}: {match[2]}: only {' and '.join(OF_A_QUEUE)} can be of a queue, "
                             f"and there are {', '.join(queues)}")
        try:
            branch = CHANGES[match[1]](branch, match[2] or "", match[3])
        except ValueError as error:
            raise ConfigError(f"{part!r}: {error}") from None
    return branch


def _agents(branch: Branch, queue: str, value: str) -> Branch:
    """More or fewer who do what those of the queue (of all queues) do, evenly of all who are there."""
    if not _COUNT.fullmatch(value) or abs(int(value)) > MOST_EXTRA:
        raise ValueError(f"write how many more or fewer, +2 or -1, at most {MOST_EXTRA}")
    members = [agent for agent in branch.config.centre.agents
               if not queue or _serves(agent, branch.config.centre, queue)]
    if not members:
        raise ValueError("there is no agent to be like")
    more = int(value)
    if len(members) <= -more:
        raise ValueError(f"there are {len(members)}")
    for agent in [members[place * len(members) // more % len(members)] for place in range(more)]:
        branch = _with_one_like(branch, agent)
    for agent in [members[-1 - place * len(members) // -more] for place in range(-more)]:
        branch = _without(branch, agent)
    return branch


def _serves(agent: AgentConfig, centre: CentreConfig, queue: str) -> bool:
    config = next(one for one in centre.queues if one.name == queue)
    return (not config.agents or agent.name in config.agents) and all(
        agent.skills.get(skill, 0) >= level for skill, level in config.skills.items())


def _with_one_like(branch: Branch, agent: AgentConfig) -> Branch:
    centre = branch.config.centre
    names = {one.name for one in centre.agents}
    extensions = {one.extension for one in centre.agents}
    new = agent.model_copy(update={
        "name": next(name for number in count(1) if (name := f"extra-{number}") not in names),
        "extension": agent.extension and next(
            one for number in count(90000) if (one := str(number)) not in extensions)})
    queues = [_renamed(queue, lambda names: [*names, new.name] if agent.name in names else names)
              for queue in centre.queues]
    shifts = [shift.model_copy(update={"agents": [*shift.agents, new.name]})
              if agent.name in shift.agents else shift for shift in branch.scenario.shifts]
    agents = [*centre.agents, new]
    return _changed(branch, centre.model_copy(update={"agents": agents, "queues": queues}), shifts)


def _renamed(queue: QueueConfig, of: Callable[[list[str]], list[str]]) -> QueueConfig:
    """With other agents wherever it names some."""
    reserve = queue.reserve
    if reserve is not None:
        held = of(reserve.agents)
        reserve = reserve.model_copy(update={"agents": held}) if held else None
    rings = [ring.model_copy(update={"agents": of(ring.agents)}) for ring in queue.rings]
    return queue.model_copy(update={"agents": of(queue.agents), "rings": rings, "reserve": reserve})


def _without(branch: Branch, agent: AgentConfig) -> Branch:
    centre = branch.config.centre
    queues = [_renamed(queue, lambda names: [name for name in names if name != agent.name])
              for queue in centre.queues]
    empty = [queue.name for was, queue in zip(centre.queues, queues, strict=True)
             if (was.agents and not queue.agents) or agent.name in was.shares]
    if empty:
        raise ValueError(f"{', '.join(empty)} cannot be without {agent.name}")
    shifts = [shift.model_copy(update={"agents": kept}) for shift in branch.scenario.shifts
              if (kept := [name for name in shift.agents if name != agent.name])]
    agents = [one for one in centre.agents if one.name != agent.name]
    return _changed(branch, centre.model_copy(update={"agents": agents, "queues": queues}), shifts)


def _changed(branch: Branch, centre: CentreConfig, shifts: list[Shift]) -> Branch:
    return replace(branch, config=branch.config.model_copy(update={"centre": centre}),
                   scenario=branch.scenario.model_copy(update={"shifts": shifts}))


def _calls(branch: Branch, queue: str, value: str) -> Branch:
    return replace(branch, calls_times=branch.calls_times * _times(value))


def _handling(branch: Branch, queue: str, value: str) -> Branch:
    return replace(branch, handling_times=branch.handling_times * _times(value))


def _patience(branch: Branch, queue: str, value: str) -> Branch:
    return replace(branch, patience_times=branch.patience_times * _times(value))


def _times(value: str) -> float:
    match = _MORE.fullmatch(value)
    if match is None or float(match[1]) <= -100:
        raise ValueError("write by how much, +10% or -5%")
    return 1 + float(match[1]) / 100


def _wrap_up(branch: Branch, queue: str, value: str) -> Branch:
    """The timer, to its end."""
    if not _SECONDS.fullmatch(value) or float(value) > 3600:
        raise ValueError("write seconds, at most 3600")
    wanted = [queue] if queue else [one.name for one in branch.config.centre.queues]
    queues = [one.model_copy(update={"wrap_up_s": float(value)}) if one.name in wanted else one
              for one in branch.config.centre.queues]
    served = {name: one.model_copy(update={"wrap_up": None}) if name in wanted else one
              for name, one in branch.scenario.queues.items()}
    scenario = branch.scenario.model_copy(update={"queues": served})
    centre = branch.config.centre.model_copy(update={"queues": queues})
    return _changed(replace(branch, scenario=scenario), centre, scenario.shifts)


def _no_answer(branch: Branch, queue: str, value: str) -> Branch:
    match = _SHARE.fullmatch(value)
    if match is None or float(match[1]) > 100:
        raise ValueError("write a share of the rings, 5%")
    habits = branch.scenario.agents.model_copy(update={"no_answer": float(match[1]) / 100})
    return replace(branch, scenario=branch.scenario.model_copy(update={"agents": habits}))


CHANGES: dict[str, Callable[[Branch, str, str], Branch]] = {
    "agents": _agents,
    "calls": _calls,
    "handling": _handling,
    "patience": _patience,
    "wrap-up": _wrap_up,
    "no-answer": _no_answer,
}
OF_A_QUEUE = ("agents", "wrap-up")
