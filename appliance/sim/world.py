"""A day of a branch in virtual time, built from its parts. Pure."""

from itertools import count
from random import Random

from appliance.centre.engine import Engine
from appliance.sim.branch import Branch
from appliance.sim.callers import callers
from appliance.sim.day import Day
from appliance.sim.lines import Lines
from appliance.sim.loop import Keep, Loop
from appliance.sim.people import People
from appliance.sim.roster import Roster

DRAIN_S = 4 * 3600.0                              # after the day; who is still there then is cut off


def simulate(branch: Branch, replication: int = 1, keep: Keep | None = None) -> Day:
    """`replication` is the day's chance: the same number, the same day. `keep` gets the event log."""
    seed, names = f"{branch.scenario.seed}/{replication}", count(1)
    day = Day.of(branch)
    loop = Loop(Engine(branch.setup(lambda: f"{next(names):032x}")), day, keep)
    random = Random(f"{seed}/agents")
    lines = Lines(loop, branch.channels(), branch.scenario, random)
    people = People(loop, lines, branch, callers(branch.sources(), branch.scenario, seed, branch.calls_times),
                    random)
    roster = Roster(loop, branch, random)
    loop.run(day.ends + DRAIN_S, lambda: people.calling or loop.now < day.ends)
    roster.close()
    return day
