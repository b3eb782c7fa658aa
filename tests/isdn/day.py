"""A day of random traffic on the spans of a box, in virtual time, with everything that fails. In the end no
channel is stuck and the books of both ends agree.

`python -m tests.isdn.day`: 16 spans, 100,000 calls, 24 hours.
"""
import argparse
import logging
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from appliance.isdn.causes import (
    CHANNEL_NOT_AVAILABLE,
    CHANNEL_UNACCEPTABLE,
    NO_ANSWER,
    NO_CHANNEL,
    TIMER_EXPIRY,
)
from appliance.isdn.events import By
from appliance.isdn.lapd import Side
from tests.isdn.traffic import Call, Entry, Plan, SpanDay

SPANS, CALLS, HOURS, FAULTS = 16, 100_000, 24.0, 3
CROSSING_S = 0.1                                  # messages of both ends on their way at once
APART_S = 1.0                                     # an end after the other one, when nothing failed
MOST_APART = 0.005                                # seconds of both ends' books, of all
MOST_DIFFERENT = 0.25                             # of disturbed calls
NO_CHANNEL_CAUSES = (NO_CHANNEL, CHANNEL_UNACCEPTABLE, CHANNEL_NOT_AVAILABLE)


@dataclass
class Day:
    """What is left of a span's day, by the end that placed the calls."""

    span: int
    cpu_s: float
    frames: int
    channel_s: dict[Side, float]
    troubles: Counter[str]
    figures: Counter[str]
    placed: Counter[str] = field(default_factory=Counter)    # what became of calls, by the caller's book
    taken: Counter[str] = field(default_factory=Counter)     # of those that were offered, by the other
    talk_s: dict[Side, float] = field(default_factory=lambda: dict.fromkeys(Side, 0.0))
    disturbed: int = 0
    apart: Counter[str] = field(default_factory=Counter)     # disturbed calls of which the books differ
    wrong: list[str] = field(default_factory=list)           # others


def spend(number: int, plan: Plan) -> Day:
    """AssertionError: something is stuck."""
    began = time.process_time()
    span = SpanDay(number, plan).run()
    day = Day(number, 0.0, span.line.frames, span.channel_s, span.troubles, span.figures)
    for call in span.calls.values():
        _compare(day, call)
    day.cpu_s = time.process_time() - began
    return day


def _compare(day: Day, call: Call) -> None:
    near, far = call.book[call.caller], call.book.get(call.caller.peer)
    day.disturbed += call.disturbed
    day.placed["placed"] += 1
    for side, entry in call.book.items():
        day.talk_s[side] += entry.talk_s
    if far is None:
        day.placed[f"never offered, cause {near.cause}"] += 1
    else:
        for book, entry in ((day.placed, near), (day.taken, far)):
            book["offered"] += 1
            book["answered"] += entry.answered_at is not None
            book[f"ended, cause {entry.cause}"] += 1
    if (differs := _difference(near, far)) and call.disturbed:
        day.apart[differs] += 1
    elif differs:
        day.wrong.append(f"span {day.span}, {differs}: {call}")


def _difference(near: Entry, far: Entry | None) -> str:
    """What an undisturbed call never has; "" if the books agree."""
    if far is None:
        changed_his_mind = near.by is By.NEAR and near.lasted_s < CROSSING_S
        expected = changed_his_mind or near.cause in NO_CHANNEL_CAUSES
        return "" if expected else f"not offered, cause {near.cause}"
    assert near.over_at is not None and far.over_at is not None
    apart_s = abs(near.over_at - far.over_at)
    crossed = By.FAR not in (near.by, far.by) and apart_s < CROSSING_S
    causes = (near.cause, far.cause)
    if near.cause != far.cause and not crossed and causes != (NO_ANSWER, TIMER_EXPIRY):
        return f"causes {near.cause} and {far.cause}"
    answered = (near.answered_at is None) == (far.answered_at is None)
    if not answered and max(near.talk_s, far.talk_s) > CROSSING_S:
        return "one end knows of no answer"
    if apart_s > APART_S:
        return "one end hears late of the end"
    return ""


# --- the whole box


def report(days: Sequence[Day]) -> str:
    """A table, both ends' books side by side."""
    placed, taken = _sum(day.placed for day in days), _sum(day.taken for day in days)
    rows: list[tuple[str, str, str]] = [("", "who placed it", "who was called")]
    rows += [(name, f"{placed[name]:,}", f"{taken[name]:,}" if name in taken else "")
             for name in sorted(placed.keys() | taken.keys(), key=_order)]
    rows.append(("", "user", "network"))
    for name, seconds in (("talk, s", [day.talk_s for day in days]),
                          ("channels taken, s", [day.channel_s for day in days])):
        totals = [sum(by_side[side] for by_side in seconds) for side in (Side.USER, Side.NETWORK)]
        rows.append((name, f"{totals[0]:,.0f}", f"{totals[1]:,.0f}"))
    lines = [f"{name:34}{near:>16}{far:>16}" for name, near, far in rows]
    for title, counts in (("troubles", _sum(day.troubles for day in days)),
                          ("counted", _sum(day.figures for day in days)),
                          (f"{sum(day.disturbed for day in days):,} calls disturbed; books differ",
                           _sum(day.apart for day in days))):
        lines.append(f"{title}: " + ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())))
    return "\n".join(lines)


def disagreements(days: Sequence[Day]) -> list[str]:
    """Whatever must not be; empty after a good day."""
    found = [wrong for day in days for wrong in day.wrong]
    placed, taken = _sum(day.placed for day in days), _sum(day.taken for day in days)
    never = sum(count for name, count in placed.items() if name.startswith("never offered"))
    ended = {sum(count for name, count in book.items() if name.startswith("ended"))
             for book in (placed, taken)}
    if placed["placed"] != never + placed["offered"] or ended | {placed["offered"]} != {taken["offered"]}:
        found.append(f"{placed} and {taken} do not add up")
    for name, by_end in (("talk", [day.talk_s for day in days]),
                         ("channels", [day.channel_s for day in days])):
        user, network = (sum(seconds[side] for seconds in by_end) for side in (Side.USER, Side.NETWORK))
        if abs(user - network) > MOST_APART * max(user, network):
            found.append(f"{name}: {user:,.0f} s at the user's, {network:,.0f} s at the network's end")
    apart, disturbed = sum(day.apart.total() for day in days), sum(day.disturbed for day in days)
    if apart > MOST_DIFFERENT * disturbed:
        found.append(f"{apart:,} of {disturbed:,} disturbed calls are not the same in both books")
    return found


def _sum(counters: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for counter in counters:
        total.update(counter)
    return total


def _order(name: str) -> tuple[int, str, int]:
    words = ("placed", "never offered", "offered", "answered", "ended")
    head, _, tail = name.partition(", cause ")
    return words.index(head), head, int(tail or 0)


def day_of_traffic(spans: int, calls: int, hours: float, faults: int, seed: int,
                   jobs: int) -> Iterator[Day]:
    """As each span's is over."""
    plans = [Plan(calls // spans + (number < calls % spans), hours, faults, seed) for number in range(spans)]
    if jobs == 1:
        yield from (spend(number, plan) for number, plan in enumerate(plans))
        return
    with multiprocessing.get_context("spawn").Pool(jobs, logging.disable) as pool:
        yield from pool.imap_unordered(_spend, list(enumerate(plans)))


def _spend(work: tuple[int, Plan]) -> Day:
    return spend(*work)


def main(argv: list[str] | None = None) -> int:
    """0; 1 when the books differ. What is stuck ends it."""
    parser = argparse.ArgumentParser(prog="python -m tests.isdn.day", description=(
        "A day of random traffic in virtual time, with faults. No channel is stuck, the books of both ends "
        "agree, or it fails."))
    parser.add_argument("--spans", type=int, default=SPANS, metavar="N")
    parser.add_argument("--calls", type=int, default=CALLS, metavar="N", help="of all spans")
    parser.add_argument("--hours", type=float, default=HOURS, metavar="H")
    parser.add_argument("--faults", type=int, default=FAULTS, metavar="N", help="of each kind, on each span")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes")
    parser.add_argument("--seed", type=int, help="chosen and printed if not given")
    args = parser.parse_args(argv)
    seed = args.seed if args.seed is not None else int.from_bytes(os.urandom(3), "big")
    print(f"seed {seed}")
    began, days = time.monotonic(), []
    for day in day_of_traffic(args.spans, args.calls, args.hours, args.faults, seed, args.jobs):
        days.append(day)
        print(f"span {day.span}: {day.placed['placed']:,} calls, {day.frames:,} frames, "
              f"{day.cpu_s:.1f} s of a processor", flush=True)
    print(report(days))
    print(f"{time.monotonic() - began:.0f} s, {sum(day.cpu_s for day in days):.0f} s of a processor")
    wrong = disagreements(days)
    for line in wrong:
        print(f"wrong: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    logging.disable()
    sys.exit(main())
