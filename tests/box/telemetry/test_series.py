"""An hour without the server, in virtual time, and back: what it has is what was kept, each point once."""

import gzip
import logging
import random
import re
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.box.telemetry import client
from appliance.box.telemetry.client import Refused, WriteError
from appliance.box.telemetry.measures import MEASURES
from appliance.box.telemetry.points import sample
from appliance.box.telemetry.seen import OwnCounts
from appliance.box.telemetry.series import Series
from appliance.box.telemetry.spool import Spool
from tests.box.telemetry.a_box import AT, a_box

MIB = 1 << 20


class Server:
    """As InfluxDB: a point of the same measurement, tags and time is the same point."""

    def __init__(self) -> None:
        self.points: Counter[str] = Counter()     # how often each came
        self.away: Callable[[], bool] = lambda: False
        self.forgets_to_answer: Callable[[], bool] = lambda: False
        self.hates = ""
        self.takes_from = self.asked = 0          # nanoseconds; how many writes
        self.most = 1 << 30                       # octets of one that comes in time

    def write(self, octets: bytes) -> None:
        self.asked += 1
        if self.away() or len(octets) > self.most:
            raise WriteError("cut off")
        lines = gzip.decompress(octets).decode().splitlines()
        if self.hates and any(self.hates in line for line in lines):
            raise Refused("400 no")
        if any(int(line.rpartition(" ")[2]) < self.takes_from for line in lines):
            raise Refused("422 partial write: points beyond retention policy")
        for line in lines:
            head, _, at = line.rpartition(" ")
            self.points[f"{head.split(' ')[0]} {at}"] += 1
        if self.forgets_to_answer():
            raise WriteError("timed out")


def series(folder: Path, mebibytes: float = 4, days: float = 1) -> Series:
    spool = Spool(folder, int(mebibytes * MIB), days * 86_400)
    return Series(spool, {"box": "b1"}, client.point(), OwnCounts())


def turn(one: Series, server: Server, number: int) -> int:
    """A sample, and all is written that the server takes; how many points it kept."""
    found = sample(MEASURES, a_box(spans=2, queues=2, agents=3, turn=number))
    one.keep(found, AT + 30 * number)
    while one.send(server.write):
        pass
    return len(found)


def test_an_hour_cut_off_and_back_no_point_is_lost_or_doubled(tmp_path: Path) -> None:
    one, server, kept = series(tmp_path), Server(), 0
    for number in range(240):                     # two hours, the second half hour to the third without it
        server.away = lambda number=number: 60 <= number < 180      # type: ignore[misc]
        kept += turn(one, server, number)
        if number == 179:
            assert one.counts.spooled_points > 0 and one.counts.away and one.counts.failures == 120
    assert len(server.points) == kept == one.counts.sent_points
    assert set(server.points.values()) == {1}
    assert (one.counts.spooled_points, one.counts.dropped_points, one.counts.away) == (0, 0, False)


def test_answers_that_are_lost_and_new_starts_double_nothing(tmp_path: Path) -> None:
    server, kept, chance = Server(), 0, random.Random(3)
    server.away = lambda: chance.random() < 0.3
    server.forgets_to_answer = lambda: chance.random() < 0.3
    one = series(tmp_path)
    for number in range(120):
        kept += turn(one, server, number)
        if chance.random() < 0.1:
            one.close()
            one = series(tmp_path)
    server.away = server.forgets_to_answer = lambda: False
    kept += turn(one, server, 120)
    assert len(server.points) == kept             # each is there ...
    assert max(server.points.values()) > 1        # ... though some came again, as the same point
    assert one.counts.spooled_points == 0


def test_for_longer_than_the_spool_is_large_the_oldest_are_dropped_and_counted(tmp_path: Path) -> None:
    one, server, kept = series(tmp_path, mebibytes=0.125), Server(), 0
    server.away = lambda: True
    for number in range(250):
        kept += turn(one, server, number)
    assert one.counts.dropped_points > 0
    server.away = lambda: False
    kept += turn(one, server, 250)
    assert len(server.points) + one.counts.dropped_points == kept
    times = sorted({int(point.rpartition(" ")[2]) for point in server.points})
    assert times[-1] // 10**9 == AT + 30 * 250 and len(times) == (times[-1] - times[0]) // (30 * 10**9) + 1


def test_older_than_allowed_is_dropped_and_counted(tmp_path: Path) -> None:
    one, server, kept = series(tmp_path, days=600 / 86_400), Server(), 0
    server.away = lambda: True
    for number in range(40):
        kept += turn(one, server, number)
    server.away = lambda: False
    kept += turn(one, server, 40)
    assert 20 <= len({point.rpartition(" ")[2] for point in server.points}) <= 24     # of 10 minutes
    assert len(server.points) + one.counts.dropped_points == kept


def test_what_is_never_taken_is_given_up_alone_and_said(
        tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one, server, kept = series(tmp_path), Server(), 0
    server.away = lambda: True
    for number in range(10):
        kept += turn(one, server, number)
    server.away, server.hates = lambda: False, f" {int(AT + 90) * 1000}"         # the fourth
    kept += turn(one, server, 10)
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [
        "telemetry: points that the server refuses alone are given up: 400 no",
        f"telemetry: {kept // 11} points are given up: the server refused them alone"]
    assert len(server.points) + one.counts.dropped_points == kept
    assert one.counts.dropped_points == kept // 11
    assert one.counts.spooled_points == 0


def test_all_that_is_older_than_the_server_takes_is_given_up_and_no_more(tmp_path: Path) -> None:
    """Points beyond the bucket's retention are 422."""
    one, server, kept = series(tmp_path), Server(), 0
    server.away = lambda: True
    for number in range(300):                     # more than a batch has, and all of the first ones too old
        kept += turn(one, server, number)
    first = AT + 30 * 280
    server.away, server.takes_from = lambda: False, int(first) * 10**9
    kept += turn(one, server, 300)
    times = {int(point.rpartition(" ")[2]) // 10**9 for point in server.points}
    assert times == set(range(int(first), int(first) + 21 * 30, 30))
    assert (one.counts.spooled_points, one.counts.dropped_points) == (0, kept // 301 * 280)


def test_a_server_that_refuses_everything_loses_nothing_and_is_not_asked_for_long(tmp_path: Path) -> None:
    """An organisation that is missing is 400, too."""
    one, server, kept = series(tmp_path), Server(), 0
    server.away = lambda: True
    for number in range(100):
        kept += turn(one, server, number)
    server.away, server.hates, server.asked = lambda: False, "branchline", 0
    for number in range(100, 105):
        kept += turn(one, server, number)
    assert server.asked <= 2 * 5                  # of each: one sample, and the newest
    assert (one.counts.spooled_points, one.counts.dropped_points, one.counts.away) == (kept, 0, True)
    server.hates = ""
    kept += turn(one, server, 105)
    assert len(server.points) == kept and one.counts.spooled_points == 0


def test_on_a_line_that_is_too_slow_for_many_points_fewer_are_written(tmp_path: Path) -> None:
    one, server, kept = series(tmp_path), Server(), 0
    server.away = lambda: True
    for number in range(200):
        kept += turn(one, server, number)
    server.away, server.most = lambda: False, 6000            # octets that there is time for
    for number in range(200, 260):
        kept += turn(one, server, number)
    assert len(server.points) == kept and one.counts.spooled_points == 0


def test_what_is_closed_while_it_writes_leaves_the_next_one_alone(tmp_path: Path) -> None:
    one, server = series(tmp_path), Server()
    one.keep(sample(MEASURES, a_box(spans=1)), AT)

    def write(octets: bytes) -> None:
        one.close()
        other = series(tmp_path)
        other.keep(sample(MEASURES, a_box(spans=1, turn=1)), AT + 30)
        other.close()
        server.write(octets)

    assert one.send(write)
    one.keep(sample(MEASURES, a_box(spans=1, turn=2)), AT + 60)
    assert not one.send(server.write)
    again = series(tmp_path)
    while again.send(server.write):
        pass
    assert sorted(set(server.points.values())) == [1, 2]      # the first came twice, as the same points
    assert len({point.rpartition(" ")[2] for point in server.points}) == 2


def test_each_write_is_one_gzip_member(tmp_path: Path) -> None:
    """InfluxDB 3 takes the first one, and forgets the others in silence."""
    one, found = series(tmp_path), list[bytes]()
    for number in range(5):
        one.keep({("m", ()): {"f": float(number), "not-a-number": float("nan")}}, AT + number)
    assert not one.send(found.append)
    (octets,) = found
    whole = zlib.decompressobj(wbits=31)
    text = whole.decompress(octets)
    assert whole.eof and not whole.unused_data
    assert re.findall(rb"^m,box=b1 f=(\d) \d+$", text, re.M) == [b"0", b"1", b"2", b"3", b"4"]


def test_the_newest_that_is_refused_waits_for_one_that_is_taken(tmp_path: Path) -> None:
    one, server, kept = series(tmp_path), Server(), 0
    server.hates = f" {int(AT + 60) * 1000}"      # the third
    for number in range(3):
        kept += turn(one, server, number)
    assert one.counts.spooled_points == kept // 3 and one.counts.dropped_points == 0
    kept += turn(one, server, 3)
    assert (one.counts.spooled_points, one.counts.dropped_points) == (0, kept // 4)
    assert len(server.points) == kept - kept // 4 == one.counts.sent_points


def test_a_clock_that_was_never_set_makes_no_points(tmp_path: Path) -> None:
    one = series(tmp_path)
    one.keep(sample(MEASURES, a_box(spans=1)), 3600.0)
    assert one.counts.spooled_points == 0


def test_an_outage_is_said_once_and_its_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one, server = series(tmp_path), Server()
    with caplog.at_level(logging.INFO):
        for number in range(20):
            server.away = lambda number=number: 5 <= number < 15     # type: ignore[misc]
            turn(one, server, number)
    waited = one.counts.sent_points // 20 * 10    # of the eleven samples one is written first
    assert [record.message for record in caplog.records] == [
        "telemetry: cut off: points are kept and written later",
        f"telemetry: written again, {waited} points wait"]


def test_a_full_disk_is_counted_and_the_rest_goes_on(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, server, kept = series(tmp_path), Server(), 0
    kept += turn(one, server, 0)

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Spool, "append", full)
        lost = turn(one, server, 1)
    kept += turn(one, server, 2)
    assert (len(server.points), one.counts.dropped_points) == (kept, lost)
