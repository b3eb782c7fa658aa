"""The model check: two ends of a span, whatever hypothesis can think of done to them and to the line.

`python -m tests.isdn.model` does it a hundred thousand times.
"""
import argparse
import logging
import multiprocessing
import os
import sys
import time
import traceback
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from appliance.isdn.lapd import Side
from appliance.isdn.profile import PROFILES
from tests.isdn.world import CLEAN, LOSSY, MUTE, REQUESTS, STORM, World

RUNS = 100_000
RUNS_AT_ONCE = 500                                # of one seed, in one process
STEPS = 40
AUDIT_S = 60.0

sides = st.sampled_from(Side)
numbers = st.integers(0, 5)
timeslots = st.integers(1, 3)
habits: dict[str, st.SearchStrategy[Any]] = {
    "hunt": st.sampled_from(["up", "down", "longest-idle", "round-robin"]),
    "selection": st.sampled_from(["preferred", "exclusive", "any", "none"]),
    "overlap": st.booleans(), "auto_proceed": st.booleans()}
ends = st.fixed_dictionaries(habits | {"slow_clearing": st.booleans()})
# frames on their way are a few ms old; then by and by each timer's time
spans_s = st.sampled_from([0.001, 0.004, 0.006, 0.02, 0.3, 1.1, 4.5, 11.0, 31.0, 95.0])


class Model(RuleBasedStateMachine):
    """What may happen; what must hold is the World's."""

    storms = True                                 # the line may bend frames and their order

    def __init__(self) -> None:
        super().__init__()
        self.world: World

    @initialize(number=st.integers(0, 2 ** 16), profile=st.sampled_from(sorted(PROFILES)), user=ends,
                network=ends, maintenance=st.booleans(), behaviours=st.tuples(*[st.sampled_from(
                    ["wait", "answer", "ring and answer", "refuse"])] * 2))
    def begin(self, number: int, profile: str, user: dict[str, Any], network: dict[str, Any],
              maintenance: bool, behaviours: tuple[str, str]) -> None:
        if maintenance and not self.storms:       # nothing says a SERVICE again that came bent
            changed = replace(PROFILES[profile], service_messages=True)
        else:
            changed = PROFILES[profile]
        # a message that came bent or never, and was acknowledged, is found by the audit only
        self.world = World(seed=number, profile=changed, audit_s=AUDIT_S if self.storms else 0.0, user=user,
                           network=network)
        for side, behaviour in zip(Side, behaviours, strict=True):
            self.world.behave(side, behaviour)

    @rule(side=sides, timeslot=st.none() | timeslots, exclusive=st.none() | st.booleans(),
          complete=st.booleans(), run_s=spans_s)
    def place(self, side: Side, timeslot: int | None, exclusive: bool | None, complete: bool,
              run_s: float) -> None:
        self.world.place(side, timeslot=timeslot, exclusive=exclusive, complete=complete, run_s=run_s)

    @rule(timeslot=st.none() | timeslots, run_s=spans_s)
    def place_from_both_ends(self, timeslot: int | None, run_s: float) -> None:
        for side in Side:
            self.world.place(side, timeslot=timeslot)
        self.world.run(run_s)

    @rule(side=sides, number=numbers, what=st.sampled_from(REQUESTS), cause=st.sampled_from([16, 17]))
    def ask(self, side: Side, number: int, what: str, cause: int) -> None:
        self.world.ask(side, number, what, cause)

    @rule(side=sides, behaviour=st.sampled_from(["wait", "answer", "ring and answer", "refuse"]))
    def behave(self, side: Side, behaviour: str) -> None:
        self.world.behave(side, behaviour)

    @rule(for_s=spans_s)
    def wait(self, for_s: float) -> None:
        self.world.run(for_s)

    @rule(for_s=st.floats(0.0, 0.05))
    def wait_a_little(self, for_s: float) -> None:
        self.world.run(for_s)

    @rule(side=sides)
    def let_go(self, side: Side) -> None:
        self.world.let_go(side)

    @rule(side=sides, timeslot=timeslots)
    def restart(self, side: Side, timeslot: int) -> None:
        self.world.restart(side, timeslot)

    @rule(side=sides, timeslot=timeslots, blocked=st.booleans())
    def block(self, side: Side, timeslot: int, blocked: bool) -> None:
        self.world.block(side, timeslot, blocked)

    @rule(side=sides, directions=st.dictionaries(timeslots, st.sampled_from(["in", "out", "both"])))
    def reserve(self, side: Side, directions: dict[int, str]) -> None:
        self.world.reserve(side, directions)

    @rule(side=sides, settings=st.fixed_dictionaries(habits))
    def change(self, side: Side, settings: dict[str, Any]) -> None:
        self.world.change(side, settings)

    @rule(side=sides, one=numbers, other=numbers)
    def transfer(self, side: Side, one: int, other: int) -> None:
        self.world.transfer(side, one, other)

    @rule(faults=st.sampled_from([CLEAN, LOSSY, MUTE]))
    def suffer(self, faults: Any) -> None:
        self.world.suffer(faults)

    @precondition(lambda self: self.storms)
    @rule()
    def storm(self) -> None:
        self.world.suffer(STORM)

    @rule(deaf=st.booleans())
    def turn_deaf(self, deaf: bool) -> None:
        self.world.line.deaf = deaf

    @rule(side=sides, up=st.booleans())
    def connect(self, side: Side, up: bool) -> None:
        self.world.connect(side, up)

    @rule(side=sides, number=numbers, what=st.sampled_from(REQUESTS))
    def reset(self, side: Side, number: int, what: str) -> None:
        self.world.reset(side, number, what)

    @rule()
    def cut(self) -> None:
        self.world.cut()

    @rule()
    def mend(self) -> None:
        self.world.mend()

    @rule(side=sides, first_call_ref=st.sampled_from([1, 1, 2, 300, 0x7FFF]),
          request_before=st.none() | st.tuples(numbers, st.sampled_from(REQUESTS)))
    def kill(self, side: Side, first_call_ref: int, request_before: tuple[int, str] | None) -> None:
        self.world.kill(side, first_call_ref, request_before)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.settle()


class InOrder(Model):
    """What layer 2 promises, it holds: both ends agree exactly, without an audit."""

    storms = False


MODELS = {"in order": InOrder, "storm": Model}


def check(model: type[Model], runs: int, number: int | None = None, *, shrink: bool = True) -> None:
    """`number` None: the same runs every time. Raises what hypothesis found, told in steps."""
    phases = (Phase.generate, Phase.shrink) if shrink else (Phase.generate,)
    profile = settings(max_examples=runs, stateful_step_count=STEPS, deadline=None, database=None,
                       derandomize=number is None, phases=phases, print_blob=False,
                       suppress_health_check=list(HealthCheck))
    chosen = model if number is None else seed(number)(model)
    run_state_machine_as_test(chosen, settings=profile)


def _chunk(work: tuple[str, int, int]) -> tuple[str, int, int, str]:
    """Runs, the seed, and what was found or nothing."""
    name, runs, number = work
    logging.disable()
    try:
        check(MODELS[name], runs, number)
    except BaseException:                         # whatever it is: that is the question
        return name, runs, number, traceback.format_exc()
    return name, runs, number, ""


def main(argv: list[str] | None = None) -> int:
    """0; 1 when a run failed: its shortest story is printed."""
    parser = argparse.ArgumentParser(prog="python -m tests.isdn.model", description=main.__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, metavar="N", help="of each model; usually 100,000")
    parser.add_argument("--only", choices=MODELS, help="one of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes")
    parser.add_argument("--seed", type=int, help="chosen and printed if not given")
    args = parser.parse_args(argv)
    first = args.seed if args.seed is not None else int.from_bytes(os.urandom(3), "big")
    print(f"seed {first}")
    counts = [min(RUNS_AT_ONCE, args.runs - begun) for begun in range(0, args.runs, RUNS_AT_ONCE)]
    work = [(name, runs, first + number) for number, runs in enumerate(counts) for name in MODELS
            if args.only in (None, name)]
    began, done, failed = time.monotonic(), 0, 0
    with multiprocessing.get_context("spawn").Pool(args.jobs, maxtasksperchild=10) as pool:
        for name, runs, number, found in pool.imap_unordered(_chunk, work):
            done += runs
            if found:
                failed += 1
                print(f"{name}, seed {number}:\n{found}")
            print(f"{done:,} runs in {time.monotonic() - began:.0f} s, {failed} of {len(work)} parts failed",
                  flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
