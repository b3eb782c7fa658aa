"""make fuzz: every decoder over a million bent inputs."""

import argparse
import os
import sys
from pathlib import Path

from tests.fuzz.parts import quiet, run_parts
from tests.fuzz.targets import TARGETS, load

FOLDER = Path(__file__).resolve().parents[2] / "build" / "fuzz"
INPUTS = 1_000_000
INPUTS_AT_ONCE = 100_000                          # of one seed, in one process


def main(argv: list[str] | None = None, folder: Path = FOLDER) -> int:
    """0; 1 when a decoder failed: its input is printed, kept in `folder` and the first of the next run."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(
        "Give every decoder valid, bent and random octets. It fails when it raises what it must not, breaks "
        "its promise, or does not come to an end."))
    parser.add_argument("--only", action="append", choices=TARGETS, metavar="NAME",
                        help=f"of {', '.join(TARGETS)}; may be given several times")
    parser.add_argument("--inputs", type=int, default=INPUTS, metavar="N", help="each; usually a million")
    parser.add_argument("--seed", type=int, help="of the inputs; chosen and printed if not given")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes")
    args = parser.parse_args(argv)
    seed = args.seed if args.seed is not None else int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")
    names = args.only or list(TARGETS)
    counts = {name: round(args.inputs * load(name).share) for name in names}
    parts = [(name, min(INPUTS_AT_ONCE, counts[name] - begun), seed + number, folder) for name in names
             for number, begun in enumerate(range(0, counts[name], INPUTS_AT_ONCE))]
    done, took_s, failed = dict.fromkeys(names, 0), dict.fromkeys(names, 0.0), []
    for name, count, part_s, found in run_parts(parts, args.jobs):
        done[name] += count
        took_s[name] += part_s
        if found and name not in failed:
            failed.append(name)
            print(found, flush=True)
        elif done[name] == counts[name] and name not in failed:
            print(f"{name}: {done[name]:,} inputs in {took_s[name]:.0f} s", flush=True)
        if sys.stderr.isatty():
            print(f"{name}: {done[name]:,} of {counts[name]:,}", end="\r", file=sys.stderr)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    quiet()
    sys.exit(main())
