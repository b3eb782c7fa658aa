"""`e1ctl watch` and `e1ctl history`: a line's errors over 15 minutes and days, kept and shown."""

import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from threading import Thread
from typing import Self

from e1_driver import Clock
from e1_driver.ctl.runner import Line, Part
from e1_driver.ctl.status import Facts, Watcher, local, utc
from e1_driver.ctl.status import facts as status_facts
from e1_driver.ctl.status import table as status_table
from e1_driver.ctl.table import bar, columns, paragraph, spoken_s
from e1_driver.watch.bins import DAY_S, KEPT, QUARTER_S, Bin, History, slip_rates
from e1_driver.watch.history import HistoryError, Store, read
from e1_driver.watch.performance import Seconds

NOT_MEASURED, UNAVAILABLE = "·", "X"
DIRECTIONS = ("near", "far")
WIDE = 100                                        # columns of a terminal that shows all figures


def default_store() -> Path:
    """Below $XDG_STATE_HOME, else ~/.local/state."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "branchline" / "line-history.sqlite"


class Keeper(Part):
    """Counts a line's seconds into its history, under the URL as its name."""

    def __init__(self, line: Line, store: Store) -> None:
        self._line, self._store = line, store
        self._seconds = Seconds(line.span.abilities)

    def tick(self, now: float, unix_s: float) -> None:
        span = self._line.span
        self._seconds.abilities = span.abilities
        source = self._line.url if span.abilities.clock is Clock.LINE else None
        for second in self._seconds.observe(unix_s, span.seen(), span.counters()):
            self._store.observe(self._line.url, second, source)

    def note(self) -> str:
        """The running 15 minutes, in a few words."""
        bins = self._store.history(self._line.url).quarters(time.time())
        if not bins:
            return "not a second yet"
        near = bins[-1].near
        return f"these 15 min: ES {_figure(near.es)} SES {_figure(near.ses)} UAS {_figure(near.uas)}"


class Saver(Part):
    """Saves `store` when it is time to, beside the loop that carries the lines: the disk may take seconds.

    One save at a time. A context: at its end the last one has ended.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._saving: Thread | None = None

    def tick(self, now: float, unix_s: float) -> None:
        if not (self._saving and self._saving.is_alive()) and self._store.due(now):
            self._saving = Thread(target=self._store.save)
            self._saving.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._saving:
            self._saving.join()


def watch_facts(lines: Sequence[Line], watchers: Sequence[Watcher], store: Path) -> Facts:
    """The status of each line, and all that came and went."""
    return {"command": "watch", "at": utc(), "store": str(store),
            "lines": [{**status_facts(line, watcher), "events": watcher.events}
                      for line, watcher in zip(lines, watchers, strict=True)]}


def watch_table(facts: Facts, width: int) -> list[str]:
    each = [line for one in facts["lines"] for line in (*status_table(one, width), "")]
    return [*each, *paragraph("", f"history in {facts['store']}: e1ctl history URL", width, indent=0)]


def quarters(url: str, store: Path) -> list[Bin]:
    """Of a line that was watched; nothing when it never was."""
    try:
        found = read(store)
    except HistoryError:
        return []
    return found[url].quarters(time.time()) if url in found else []


def facts(name: str, store: Path, history: History, now_unix_s: float) -> Facts:
    """All bins with something measured, the running ones last."""
    days = history.days(now_unix_s)
    return {"command": "history", "url": name, "at": utc(now_unix_s), "store": str(store),
            "quarters": [_bin(one) for one in history.quarters(now_unix_s)],
            "days": [_bin(one) for one in days],
            "slip_rates": [{**asdict(rate), "per_day": round(rate.per_day, 3), "category": rate.category}
                           for rate in slip_rates(days)]}


def _bin(one: Bin) -> Facts:
    return {**asdict(one), "at": utc(one.at)}


def table(facts: Facts, width: int, every: bool = False) -> list[str]:
    """Two drawings and two tables; of 15-minute bins only those with something in them, unless `every`."""
    lines = [facts["url"], ""]
    lines += _drawn("15 minutes each", facts["quarters"], QUARTER_S, facts["at"], width)
    lines += [""]
    lines += _drawn("a day of UTC each", facts["days"], DAY_S, facts["at"], width)
    lines += ["", *paragraph("", "errored seconds: _ none, ▁▂▃▄▅▆▇█ few to all (logarithmic); "
                             f"{UNAVAILABLE} unavailable, {NOT_MEASURED} not measured", width, indent=0)]
    quarters = facts["quarters"] if every else [one for one in facts["quarters"] if _troubled(one)]
    if quarters:
        lines += ["", *_rows(quarters, width)]
    if len(quarters) < len(facts["quarters"]):
        clean = len(facts["quarters"]) - len(quarters)
        lines += ["", f"{clean} time{'s' * (clean > 1)} 15 minutes without an error: --all shows them"]
    lines += ["", *_rows(facts["days"], width)]
    if facts["slip_rates"]:
        rates = [(str(rate["slips"]), spoken_s(rate["measured_s"]), f"{rate['per_day']:.3g}",
                  rate["category"], rate["source"]) for rate in facts["slip_rates"]]
        lines += ["", *columns([("slips", "seen", "a day", "G.822", "with the clock from"), *rates],
                               right=(0, 1, 2), width=width)]
    lines += ["", *paragraph("", "- is what this interface cannot tell. Errored, severely errored and "
                             "unavailable seconds: G.826; docs/line.md explains them.", width, indent=0)]
    return lines


def _drawn(label: str, bins: Sequence[Facts], length_s: int, until: str, width: int) -> list[str]:
    """A character for each bin, the running one last; rows that fit, each with the time of its first."""
    count = KEPT[length_s]
    by_start = {_unix_s(one["at"]): one for one in bins}
    running = _unix_s(until) // length_s * length_s
    starts = [running - back * length_s for back in range(count, -1, -1)]
    room = count + 1 if width >= count + 20 else -(-(count + 1) // 3)
    lines = [f"errored seconds, {label}, until {local(until, '%Y-%m-%d %H:%M')}"]
    for at in range(0, len(starts), room):
        row = starts[at:at + room]
        label = local(utc(row[0]), "%H:%M") if length_s == QUARTER_S else utc(row[0])[5:10]
        lines.append(f"  {label} " + "".join(_mark(by_start.get(each)) for each in row))
    return lines


def _mark(one: Facts | None) -> str:
    if one is None or not one["measured_s"]:
        return NOT_MEASURED
    near = one["near"]
    return UNAVAILABLE if near["uas"] else bar(near["es"] or near["ses"] or 0, one["length_s"])


def _troubled(one: Facts) -> bool:
    counted = (one[direction][name] for direction in DIRECTIONS for name in ("es", "ses", "eb", "uas"))
    return any(counted) or any(one["slips"].values()) or any(one["alarm_s"].values())


def _rows(bins: Sequence[Facts], width: int) -> list[str]:
    """A row for each bin; days are of UTC, as the bins are, times of day of this place."""
    names = ["es", "ses", "bbe", "eb", "uas"] if width >= WIDE else ["es", "ses", "bbe", "uas"]
    heads = [("from", "seen", *(f"{'far ' * (direction == 'far' and name == 'es')}{name.upper()}"
                                for direction in DIRECTIONS for name in names), "slips", "alarms")]
    rows = [(one["at"][:10] if one["length_s"] == DAY_S else local(one["at"], "%m-%d %H:%M"),
             spoken_s(one["measured_s"]),
             *(_figure(one[direction][name]) for direction in DIRECTIONS for name in names),
             _figure(sum(one["slips"].values()) if one["slips"] else None),
             " ".join(f"{alarm.upper()} {spoken_s(stood_s)}" for alarm, stood_s in one["alarm_s"].items()
                      if stood_s)) for one in bins]
    return columns(heads + rows, right=range(1, 3 + 2 * len(names)), width=width)


def _figure(count: int | None) -> str:
    return "-" if count is None else str(count)


def _unix_s(rfc3339: str) -> int:
    return int(datetime.fromisoformat(rfc3339).timestamp())
