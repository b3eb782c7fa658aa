"""Search over a million recordings: what people look for, in CPU."""

import random
import statistics
import tempfile
import time
from datetime import UTC
from pathlib import Path

from appliance.recording.catalogue.presets import window
from appliance.recording.catalogue.schema import FILE, open_catalogue
from appliance.recording.catalogue.search import search
from tests.bench.figures import Kind, Say, Theme
from tests.recording.catalogue.shelf import MIX, NOW, fill

RECORDINGS = 1_000_000
EACH = 20                                         # of every kind of search, with other names and numbers

P95, MEDIAN, SLOWEST, SIZE = ("search, p95", "search, median", "slowest kind of search, median",
                              "catalogue on the disk, a recording")


def once(say: Say) -> dict[str, float]:
    chance = random.Random(11)
    with tempfile.TemporaryDirectory() as folder:
        database = open_catalogue(Path(folder))
        try:
            began = time.monotonic()
            fill(database, RECORDINGS)
            say(f"{RECORDINGS} recordings made in {time.monotonic() - began:.0f} s")
            took_ms: dict[str, list[float]] = {name: [] for name in MIX}
            for _ in range(EACH):
                for name, make in MIX.items():
                    asked = make(chance)
                    since, until = asked.since, asked.until
                    if asked.preset:
                        since, until = window(asked.preset, NOW, UTC)
                    began_cpu = time.thread_time()
                    with database.read() as connection:
                        search(connection, asked, since, until)
                    took_ms[name].append((time.thread_time() - began_cpu) * 1000)
            slowest = max(MIX, key=lambda name: statistics.median(took_ms[name]))
            for name in sorted(MIX, key=lambda name: -statistics.median(took_ms[name])):
                say(f"{statistics.median(took_ms[name]):8.1f} ms, at most {max(took_ms[name]):.1f}  {name}")
            every = [ms for some in took_ms.values() for ms in some]
            return {P95: statistics.quantiles(every, n=20)[-1], MEDIAN: statistics.median(every),
                    SLOWEST: statistics.median(took_ms[slowest]),
                    SIZE: (Path(folder) / FILE).stat().st_size / RECORDINGS}
        finally:
            database.close()


RECORDING_SEARCH = Theme(
    "recording_search",
    f"{len(MIX)} kinds of search (presets, numbers and parts of them, agents, queues, durations, tags, "
    f"scores, Chinese and English text, pages far down) over {RECORDINGS:,} recordings of half a year, "
    f"{EACH} times each with other names and numbers. CPU of the thread that answers, with the total as far "
    "as it is counted. On the disk: rows, indexes and full text, without waveforms.",
    (Kind(P95, "ms", "at most 150"), Kind(MEDIAN, "ms"), Kind(SLOWEST, "ms"), Kind(SIZE, "octets")),
    once, runs=1)
