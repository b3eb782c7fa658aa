"""Many more steps of the machine of test_interleavings.py: `python -m tests.centre.interleavings STEPS`."""

import argparse
import sys
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import seed as seeded
from hypothesis.stateful import run_state_machine_as_test

from tests.centre.test_interleavings import Branch

STEPS_OF_ONE = 50                                 # at most, from the opening to the end
MOST_EXAMPLES = 500                               # between two words of progress


def main(argv: list[str] | None = None) -> int:
    """0 when nothing was found; otherwise the shortest way to it is raised."""
    parser = argparse.ArgumentParser(prog="python -m tests.centre.interleavings", description=(
        "Callers, agents, timers, failures and restarts in any order, until so many steps are done."))
    parser.add_argument("steps", type=int)
    parser.add_argument("--seed", type=int, default=1, help="another one goes other ways; default 1")
    args = parser.parse_args(argv)
    done, round_ = 0, 0
    while done < args.steps:
        done += _explore(args.seed * 1_000_000 + round_, args.steps - done)
        round_ += 1
        print(f"{done:,} of {args.steps:,} steps", file=sys.stderr, flush=True)
    return 0


def _explore(seed: int, steps: int) -> int:
    """How many steps were done."""
    done = 0

    class Counted(Branch):
        def check_invariants(self, *args: Any, **options: Any) -> None:
            nonlocal done
            done += 1
            super().check_invariants(*args, **options)

    examples = max(1, min(MOST_EXAMPLES, steps // STEPS_OF_ONE))
    run_state_machine_as_test(seeded(seed)(Counted), settings=settings(
        max_examples=examples, stateful_step_count=STEPS_OF_ONE, deadline=None, database=None,
        suppress_health_check=list(HealthCheck)))
    return done


if __name__ == "__main__":
    sys.exit(main())
