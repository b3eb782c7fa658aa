"""What telemetry takes of a core on a box of four spans: hearing, reading, keeping, writing."""

import tempfile
import time
from pathlib import Path

from appliance.box.telemetry import client
from appliance.box.telemetry.client import Server
from appliance.box.telemetry.measures import MEASURES
from appliance.box.telemetry.points import sample
from appliance.box.telemetry.seen import OwnCounts
from appliance.box.telemetry.series import Series
from appliance.box.telemetry.spool import Spool
from appliance.bus.messages import CallAnswered, CallIncoming, CallReleased, Event
from tests.bench.figures import Kind, Say, Theme
from tests.box.telemetry.a_box import AT, a_box
from tests.box.telemetry.victoria import victoria

SPANS, CALLS_PER_S, BOARDS_PER_S = 4, 10, 10      # acdd says its board at most every 100 ms
TURNS = 60
SHARE, LEAST, BACKLOG, HOUR = (
    "% of a core, a point every 30 s", "% of a core, a point every 5 s", "points/s after an outage",
    "spool of an hour cut off")


def _second(number: int) -> list[Event]:
    """What the box says in one second at ten calls a second, as boxd hears it."""
    whole = a_box(spans=SPANS, turn=number)
    states, channels, floor = list(whole.spans.values()), list(whole.channels.values()), whole.floor
    events: list[Event] = [*states]
    for call in range(CALLS_PER_S):
        leg = f"l{number}-{call}"
        events += [
            CallIncoming(leg=leg, trunk="telco", called="1", calling="2", calling_name="", complete=True,
                         at=AT),
            CallAnswered(leg=leg, at=AT), CallReleased(leg=leg, cause=16, by="far", at=AT),
            *channels[call % SPANS:call % SPANS + 1] * 2]
    return events + [floor] * BOARDS_PER_S if floor is not None else events


def _cpu_s(interval_s: float, url: str, folder: Path) -> float:
    """CPU time of one interval: all threads of this process, the server is another one."""
    seen = a_box(spans=SPANS)
    seen.own = OwnCounts()
    series = Series(Spool(folder, 64 << 20, 7 * 86_400.0), {"box": "b1"}, client.point(), seen.own)
    write = client.writer(Server(url, "noc", "branchline", "token"))
    events = [_second(number) for number in range(10)]
    began = time.process_time()
    for second in events:
        for event in second:
            seen.hear(event)
    heard_s = (time.process_time() - began) / len(events)
    began = time.process_time()
    for turn in range(TURNS):
        series.keep(sample(MEASURES, seen), AT + interval_s * turn)
        while series.send(write):
            pass
    told_s = (time.process_time() - began) / TURNS
    if seen.own.spooled_points or seen.own.failures or seen.own.dropped_points:
        raise AssertionError(f"not all was written: {seen.own}")
    series.close()
    return heard_s * interval_s + told_s


def once(say: Say) -> dict[str, float]:
    client.point()                                # imports are of the start
    with victoria() as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shares = {kind: 100 * _cpu_s(interval_s, server.url, folder / kind[-4:]) / interval_s
                  for kind, interval_s in ((SHARE, 30.0), (LEAST, 5.0))}
        seen, counts = a_box(spans=SPANS), OwnCounts()
        series = Series(Spool(folder / "hour", 64 << 20, 7 * 86_400.0), {"box": "b2"}, client.point(), counts)
        for turn in range(120):
            series.keep(sample(MEASURES, seen), AT + 30 * turn)
        octets, points, began = counts.spooled_octets, counts.spooled_points, time.perf_counter()
        write = client.writer(Server(server.url, "noc", "branchline", "token"))
        while series.send(write):
            pass
        took_s = time.perf_counter() - began
        if counts.sent_points != points:
            raise AssertionError(f"not all was written: {counts}")
        series.close()
    return {**shares, BACKLOG: points / took_s, HOUR: octets / 1e3}


TELEMETRY = Theme(
    "telemetry", "Telemetry of a box with four spans, six queues, 60 agents and two cards at ten calls a "
    "second: what boxd's threads take to hear the events, read all measures, compress and keep the points "
    "on the disk (fdatasync) and write them with influxdb-client to victoria-metrics. Decoding the events is "
    "not in it: boxd does that anyway.",
    (Kind(SHARE, "%", "under 2"), Kind(LEAST, "%", "under 2"), Kind(BACKLOG, "/s"), Kind(HOUR, "kB")), once)
