"""make conformance: run every purpose, show the totals, write docs/conformance.md."""
import sys
import time

from tests.conformance.report import PAGE, judge, render, summary


def main() -> int:
    """0; 1 when a verdict is not the one that known.txt leads to expect."""
    began = time.monotonic()
    verdicts = judge()
    print(f"{'':68} purposes verdicts passed failed")
    for name, *numbers in summary(verdicts):
        print(f"{name[:68]:68} {numbers[0]:8} {numbers[1]:8} {numbers[2]:6} {numbers[3]:6}")
    PAGE.write_text(render(verdicts), encoding="utf-8")
    print(f"{time.monotonic() - began:.1f} s; docs/conformance.md is written")
    unexpected = [verdict for verdict in verdicts if not verdict.expected]
    for verdict in unexpected:
        passed = f"{verdict.purpose.id} ({verdict.side.value}) passes: take it out of known.txt"
        print("UNEXPECTED", verdict.failure or passed, file=sys.stderr)
    return 1 if unexpected else 0


if __name__ == "__main__":
    sys.exit(main())
