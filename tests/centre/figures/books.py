"""Figures of an office's day: its log in a real event log, asked as acdd is asked."""

import itertools
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.centre.figures.counting import FigureCounting
from appliance.centre.figures.definitions import Ratio
from appliance.centre.figures.report import Aims, Row, Wanted, behind, rows_and_whole
from appliance.centre.projector import ContactProjector
from appliance.config.schema import CentreConfig
from appliance.config.targets import TargetsConfig
from appliance.store.counts import Count
from appliance.store.events import Entry, EventLog
from tests.centre.office import CENTRE, Office

DAY_S = 86400.0
START = 900_000.0                                 # of an office's day: a quarter of an hour begins


@contextmanager
def event_log(entries: Iterable[Entry], batch: int = 500, path: Path | None = None) -> Iterator[EventLog]:
    """With these entries, appended so many at a time."""
    with tempfile.TemporaryDirectory() as folder:
        log = EventLog((path or Path(folder)) / "acd.sqlite", ContactProjector(), FigureCounting())
        try:
            given = iter(entries)
            while some := list(itertools.islice(given, batch)):
                log.append(some)
            yield log
        finally:
            log.close()


def aims(centre: CentreConfig = CENTRE, targets: TargetsConfig | None = None,
         channels: dict[str, int] | None = None) -> Aims:
    return Aims(targets or TargetsConfig(), {queue.name: queue for queue in centre.queues}, channels or {})


class Books:
    """Of a log, at the time `now`; times are counted from `start`."""

    def __init__(self, log: EventLog, now: float, aims: Aims, start: float = 0.0) -> None:
        self.log, self.now, self.aims, self.start = log, now, aims, start

    def rows(self, of: str, since: float = 0.0, until: float = DAY_S, interval_s: float = 0.0) -> list[Row]:
        with self.log.ledger() as ledger:
            wanted = Wanted(of, self.start + since, self.start + until, interval_s=interval_s)
            return rows_and_whole(ledger, wanted, self.aims, self.now)[0]

    def ratio(self, of: str, name: str, figure: str) -> Ratio:
        row = next((row for row in self.rows(of) if row.name == name), None)
        return Ratio(None, 0.0, 0.0) if row is None else row.ratios[figure]

    def value(self, of: str, name: str, figure: str) -> float | None:
        return self.ratio(of, name, figure).value

    def behind(self, of: str, name: str, figure: str, since: float = 0.0,
               until: float = DAY_S) -> tuple[list[Count], list[Count]]:
        with self.log.ledger() as ledger:
            wanted = Wanted(of, self.start + since, self.start + until)
            return behind(ledger, wanted, name, figure, self.aims, self.now)[1:]


@contextmanager
def books(office: Office, aims_: Aims | None = None) -> Iterator[Books]:
    with event_log(office.log) as log:
        yield Books(log, office.now, aims_ or aims(), START)
