"""A day of a branch in virtual time: what the simulator takes of the machine."""

import time

from appliance.sim.day import Day
from appliance.sim.world import simulate
from tests.bench.figures import Kind, Say, Theme
from tests.sim.reference import reference

CPU, CALLS, TURNS, BUSIEST = ("24 h of a 30-channel branch simulated", "calls of that day",
                              "turns of the engine in virtual time", "most channels busy on that day")


def once(say: Say) -> dict[str, float]:
    branch = reference()
    began = time.process_time()
    day = simulate(branch)
    cpu_s = time.process_time() - began
    say(f"{len(day.records)} contacts, {day.turns} turns in {cpu_s:.1f} s")
    return {CPU: cpu_s, CALLS: _calls(day), TURNS: day.turns / cpu_s, BUSIEST: day.busiest["telco"]}


def _calls(day: Day) -> int:
    return len(day.records) + len(day.blocked)


SIM = Theme(
    "sim", "`branchline sim` on the reference day of tests/sim/reference.py: two queues behind a menu, 20 "
    "agents in shifts, lines as full as they can be; CPU time of one process with the box's own engine.",
    (Kind(CPU, "s", "under 20"), Kind(CALLS, "calls"), Kind(TURNS, "turns/s"), Kind(BUSIEST, "of 30")), once)
