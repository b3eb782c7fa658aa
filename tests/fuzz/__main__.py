"""make fuzz: every decoder over a million bent inputs."""

import argparse
import os
import sys
import time
import traceback
import warnings
from pathlib import Path

from tests.fuzz.run import run
from tests.fuzz.targets import TARGETS, load

FOLDER = Path(__file__).resolve().parents[2] / "build" / "fuzz"
INPUTS = 1_000_000


def main(argv: list[str] | None = None, folder: Path = FOLDER) -> int:
    """0; 1 when a decoder failed: its input is printed, kept in `folder` and the first of the next run."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(
        "Give every decoder valid, bent and random octets. It fails when it raises what it must not, breaks "
        "its promise, or does not come to an end."))
    parser.add_argument("--only", action="append", choices=TARGETS, metavar="NAME",
                        help=f"of {', '.join(TARGETS)}; may be given several times")
    parser.add_argument("--inputs", type=int, default=INPUTS, metavar="N", help="each; usually a million")
    parser.add_argument("--seed", type=int, help="of the inputs; chosen and printed if not given")
    args = parser.parse_args(argv)
    seed = args.seed if args.seed is not None else int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")
    failed = []
    for name in args.only or TARGETS:
        target, began = load(name), time.monotonic()
        count = round(args.inputs * target.share)

        def tell(done: int, what: str = f"{name}: {{:,}} of {count:,}, {{:,.0f}} a second",
                 began: float = began) -> None:
            if sys.stderr.isatty():
                print(what.format(done, done / (time.monotonic() - began)), end="\r", file=sys.stderr)

        failure = run(target, count, seed, folder, tell)
        if failure is None:
            print(f"{name}: {count:,} inputs in {time.monotonic() - began:.0f} s", flush=True)
            continue
        failed.append(name)
        traceback.print_exception(failure.error)
        print(f"{name}: failed on {len(failure.data)} octets, kept in {failure.kept}:\n{failure.data.hex()}",
              flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    warnings.simplefilter("error")
    sys.exit(main())
