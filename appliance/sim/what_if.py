"""What if: a branch with something else about it, from words such as agents=+2 or calls=+10%. Pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from pydantic import ValidationError

from appliance.config.schema import AgentConfig, CentreConfig, QueueConfig
from appliance.errors import ConfigError
from appliance.sim.branch import Branch
from appliance.sim.scenario import Pause, Shift, clock_s

MOST_EXTRA = 1000                                 # agents
EXAMPLES = ("agents=+2", "agents.QUEUE=-1", "staff=09:00-12:00:+2", "staff.QUEUE=14:00-18:00:-1",
            "calls=+10%", "handling=-5%", "patience=+20%", "wrap-up=10", "wrap-up.QUEUE=10", "no-answer=5%",
            "strategy.QUEUE=longest-idle", "overflow.QUEUE=60:OTHER", "serve.QUEUE=+AGENT",
            "skill.AGENT=NAME:5")

_CHANGE = re.compile(r"([a-z-]+)(?:\.([a-z][a-z0-9-]*))?=(.+)")
_COUNT = re.compile(r"[+-][0-9]{1,4}")
_MORE = re.compile(r"([+-][0-9]{1,4}(?:\.[0-9]+)?)%")
_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]+)?)%")
_SECONDS = re.compile(r"[0-9]{1,4}(?:\.[0-9]+)?")
_TIME = r"((?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)"
_STAFF = re.compile(rf"{_TIME}-{_TIME}:([+-][0-9]{{1,4}})")
_OVERFLOW = re.compile(r"([0-9]{1,4}(?:\.[0-9]+)?):([a-z][a-z0-9-]{0,31})")
_LEVEL = re.compile(r"([a-z][a-z0-9-]{0,31}):([0-9]{1,2})")


def vary(branch: Branch, text: str) -> Branch:
    """With every change of "agents.sales=+1,calls=+10%". ConfigError: one cannot be read or done."""
    for part in (part.strip() for part in text.split(",")):
        match = _CHANGE.fullmatch(part)
        if match is None or match[1] not in CHANGES:
            raise ConfigError(f"{part!r}: write one of {', '.join(EXAMPLES)}")
        queues = [queue.name for queue in branch.config.centre.queues]
        if match[1] in OF_AN_AGENT:
            agents = [agent.name for agent in branch.config.centre.agents]
            if match[2] not in agents:
                raise ConfigError(f"{part!r}: write of which agent, there are {', '.join(agents)}")
        elif match[2] and (match[1] not in OF_A_QUEUE or match[2] not in queues):
            raise ConfigError(f"{part!r}: {match[2]}: only {', '.join(OF_A_QUEUE[:-1])} and {OF_A_QUEUE[-1]} "
                             f"can be of a queue, and there are {', '.join(queues)}")
        elif match[1] in ALWAYS_OF_A_QUEUE and not match[2]:
            raise ConfigError(f"{part!r}: write of which queue, there are {', '.join(queues)}")
        try:
            branch = CHANGES[match[1]](branch, match[2] or "", match[3])
        except ValidationError as error:
            raise ConfigError(f"{part!r}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None
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
    members = _there(branch, members)
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


def _with_one_like(branch: Branch, agent: AgentConfig, own: Sequence[Shift] = ()) -> Branch:
    """In the shifts of the other, or in these."""
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
              if agent.name in shift.agents and not own else shift for shift in branch.scenario.shifts]
    shifts += [shift.model_copy(update={"agents": [new.name]}) for shift in own]
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


def _staff(branch: Branch, queue: str, value: str) -> Branch:
    """More or fewer from one time of day to another."""
    match = _STAFF.fullmatch(value)
    if match is None or abs(int(match[3])) > MOST_EXTRA:
        raise ValueError(f"write from when to when and how many, 09:00-12:00:+2, at most {MOST_EXTRA}")
    begins, ends, more = match[1], match[2], int(match[3])
    if clock_s(ends) <= clock_s(begins):
        raise ValueError(f"{ends} is not after {begins}")
    members = [agent for agent in branch.config.centre.agents
               if not queue or _serves(agent, branch.config.centre, queue)]
    if not members:
        raise ValueError("there is no agent to be like")
    like = _there(branch, members)
    for place in range(max(0, more)):
        branch = _with_one_like(branch, like[place * len(like) // more % len(like)],
                                [Shift(agents=["x"], begins=begins, ends=ends)])
    there = [agent for agent in members if _works(branch, agent.name, begins, ends)]
    if len(there) < -more:
        raise ValueError(f"{len(there)} are there then")
    for place in range(max(0, -more)):
        branch = _away(branch, there[-1 - place * len(there) // -more].name, begins, ends)
    return branch


def _there(branch: Branch, members: Sequence[AgentConfig]) -> list[AgentConfig]:
    """Those who are in some shift of the day; all, where nobody is."""
    scenario = branch.scenario
    return [one for one in members if _works(branch, one.name, scenario.begins, scenario.ends)] or [*members]


def _works(branch: Branch, agent: str, begins: str, ends: str) -> bool:
    """In a part of that time at least."""
    shifts = [shift for shift in branch.scenario.shifts if agent in shift.agents]
    return not shifts or any(clock_s(shift.begins) < clock_s(ends) and clock_s(begins) < clock_s(shift.ends)
                             for shift in shifts)


def _away(branch: Branch, agent: str, begins: str, ends: str) -> Branch:
    """In no shift from then to then."""
    shifts = branch.scenario.shifts
    own = [shift for shift in shifts if agent in shift.agents] or [
        Shift(agents=[agent], begins="00:00", ends="24:00")]
    kept = [shift.model_copy(update={"agents": others}) for shift in shifts
            if (others := [name for name in shift.agents if name != agent])]
    parts = [Shift(agents=[agent], begins=one, ends=two, breaks=[
        rest for rest in shift.breaks if one <= rest.begins and rest.ends <= two])
        for shift in own for one, two in ((shift.begins, min(begins, shift.ends)),
                                          (max(ends, shift.begins), shift.ends)) if one < two]
    return _changed(branch, branch.config.centre, [*kept, *(parts or [
        Shift(agents=[agent], begins=begins, ends=ends, breaks=[Pause(begins=begins, ends=ends)])])])


def _strategy(branch: Branch, queue: str, value: str) -> Branch:
    if value == "percentage":
        raise ValueError("percentage needs shares: write another document, box=FILE")
    return _of_queue(branch, queue, {"strategy": value, "shares": {}})


def _overflow(branch: Branch, queue: str, value: str) -> Branch:
    """After so long to another queue, in place of what the queue has; none: it has none any more."""
    if value == "none":
        return _of_queue(branch, queue, {"overflow": []})
    match = _OVERFLOW.fullmatch(value)
    others = [one.name for one in branch.config.centre.queues if one.name != queue]
    if match is None or match[2] not in others:
        raise ValueError("write seconds and where to, 60:OTHER, or none; others are "
                         f"{', '.join(others) or 'none'}")
    return _of_queue(branch, queue, {"overflow": [{"after_s": float(match[1]), "to": match[2]}]})


def _serve(branch: Branch, queue: str, value: str) -> Branch:
    """One more agent of the queue, or one fewer."""
    centre = branch.config.centre
    config = next(one for one in centre.queues if one.name == queue)
    sign, name = value[:1], value[1:]
    if sign not in ("+", "-") or name not in [agent.name for agent in centre.agents]:
        raise ValueError("write + or - and the agent, +anna")
    agents = config.agents or [agent.name for agent in centre.agents if _serves(agent, centre, queue)]
    agents = [*agents, name] if sign == "+" and name not in agents else [
        one for one in agents if sign == "+" or one != name]
    if not agents:
        raise ValueError(f"{queue} would have no agent")
    return _of_queue(branch, queue, {"agents": agents})


def _skill(branch: Branch, agent: str, value: str) -> Branch:
    """At this level; 0: he has it no more."""
    match = _LEVEL.fullmatch(value)
    if match is None or int(match[2]) > 10:
        raise ValueError("write the skill and its level from 0 to 10, en:5")
    centre = branch.config.centre
    config = next(one for one in centre.agents if one.name == agent)
    skills = {name: level for name, level in config.skills.items() if name != match[1]}
    if int(match[2]):
        skills[match[1]] = int(match[2])
    changed = AgentConfig.model_validate(config.model_dump() | {"skills": skills})
    agents = [changed if one.name == agent else one for one in centre.agents]
    return _changed(branch, centre.model_copy(update={"agents": agents}), branch.scenario.shifts)


def _of_queue(branch: Branch, queue: str, changes: dict[str, Any]) -> Branch:
    """ValueError: such a queue cannot be."""
    queues = [QueueConfig.model_validate(one.model_dump() | changes) if one.name == queue else one
              for one in branch.config.centre.queues]
    centre = branch.config.centre.model_copy(update={"queues": queues})
    return _changed(branch, centre, branch.scenario.shifts)


CHANGES: dict[str, Callable[[Branch, str, str], Branch]] = {
    "agents": _agents,
    "calls": _calls,
    "handling": _handling,
    "patience": _patience,
    "wrap-up": _wrap_up,
    "no-answer": _no_answer,
    "staff": _staff,
    "strategy": _strategy,
    "overflow": _overflow,
    "serve": _serve,
    "skill": _skill,
}
ALWAYS_OF_A_QUEUE = ("strategy", "overflow", "serve")
OF_A_QUEUE = ("agents", "staff", "wrap-up", *ALWAYS_OF_A_QUEUE)
OF_AN_AGENT = ("skill",)
