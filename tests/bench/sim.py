"""A day of a branch in virtual time: what the simulator takes of the machine."""

import time
from statistics import fmean, median

from appliance.centre.announce import MINUTE_S
from appliance.sim.figures import ALL, METRICS, Figures
from appliance.sim.world import simulate
from tests.bench.figures import Kind, Say, Theme
from tests.sim.reference import reference

CPU, TURNS = "24 h of a 30-channel branch simulated", "turns of the engine in virtual time"
CALLS, BUSIEST = "calls of that day", "most channels busy on that day"
WAITS = "mean wait of the answered on that day"
ERROR, ERROR_S, BIAS_S = ("EWT, median absolute error in line, of the wait", "EWT, median absolute error",
                          "EWT, mean error")
OF_MEAN = "EWT, median absolute error in line, of the mean wait there"
IN_MINUTE = "EWT in line, right to a minute"


def once(say: Say) -> dict[str, float]:
    branch = reference()
    began = time.process_time()
    day = simulate(branch)
    cpu_s = time.process_time() - began
    say(f"{len(day.records)} contacts, {day.turns} turns in {cpu_s:.1f} s")
    thresholds_s = {queue.name: queue.service_level.within_s for queue in branch.config.centre.queues}
    tally = Figures(day, thresholds_s, branch.scenario.short_abandon_s).of[ALL]
    found = {name: METRICS[name].of(tally) for name in (
        "calls", "asa_s", "ewt_error_in_line", "ewt_error_s", "ewt_bias_s")}
    off_s = [abs(told_s - waited_s) for told_s, waited_s in tally.told_in_line]
    mean_wait_s = fmean(waited_s for _, waited_s in tally.told_in_line)
    return {OF_MEAN: 100 * median(off_s) / mean_wait_s,
            IN_MINUTE: 100 * fmean(one <= MINUTE_S for one in off_s),
            CPU: cpu_s, TURNS: day.turns / cpu_s, CALLS: found["calls"], BUSIEST: day.busiest["telco"],
            WAITS: found["asa_s"], ERROR: 100 * found["ewt_error_in_line"], ERROR_S: found["ewt_error_s"],
            BIAS_S: found["ewt_bias_s"]}


SIM = Theme(
    "sim", "`branchline sim` on the reference day of tests/sim/reference.py: two queues behind a menu, 20 "
    "agents in shifts, lines as full as they can be; CPU time of one process with the box's own engine.",
    (Kind(CPU, "s", "under 20"), Kind(TURNS, "turns/s"), Kind(CALLS, "calls"), Kind(BUSIEST, "of 30"),
     Kind(WAITS, "s"), Kind(ERROR, "%", "under 20; at best 23, docs/simulator.md"), Kind(OF_MEAN, "%"),
     Kind(IN_MINUTE, "%"), Kind(ERROR_S, "s"), Kind(BIAS_S, "s")), once)
