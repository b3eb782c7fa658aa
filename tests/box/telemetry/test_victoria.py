"""Against a real server of InfluxDB's writes: away for an hour of virtual time, answers lost, back."""

import select
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.box.telemetry import client
from appliance.box.telemetry.client import Server
from appliance.box.telemetry.measures import MEASURES
from appliance.box.telemetry.points import Sample, sample
from appliance.box.telemetry.seen import OwnCounts
from appliance.box.telemetry.series import Series
from appliance.box.telemetry.spool import Spool
from tests.box.telemetry.a_box import AT, a_box
from tests.box.telemetry.victoria import Victoria, victoria

TURN_S = 30.0


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Victoria]:
    monkeypatch.setattr(client, "RETRY_S", 0.001)                    # virtual time does not wait
    with victoria() as running:
        yield running


def fields(found: Sample, tags: dict[str, str]) -> Iterator[tuple[tuple[str, str], ...]]:
    """What the server calls the series of these points."""
    for (measurement, own), inside in found.items():
        for field in inside:
            labels = {key: value for key, value in (*tags.items(), *own) if value}
            yield tuple(sorted({"__name__": f"{measurement}_{field}", **labels}.items()))


class Box:
    """Keeps count of what it keeps."""

    def __init__(self, folder: Path, url: str) -> None:
        self.tags = {"box": "shanghai, 2nd", "site": "a=b"}          # what has to be escaped
        self._folder, self.kept = folder, Counter[tuple[tuple[str, str], ...]]()
        self.write = client.writer(Server(url, "noc", "branchline", "a-token"))
        self.begin()

    def begin(self) -> None:
        self.series = Series(Spool(self._folder, 4 << 20, 86_400.0), self.tags, client.point(), OwnCounts())

    def turn(self, number: int) -> None:
        found = sample(MEASURES, a_box(spans=2, queues=2, agents=3, turn=number))
        self.series.keep(found, AT + TURN_S * number)
        self.kept.update(fields(found, self.tags))
        while self.series.send(self.write):
            pass


def test_cut_off_for_an_hour_of_virtual_time_and_back_counts_are_equal(
        server: Victoria, tmp_path: Path) -> None:
    box = Box(tmp_path, server.url)
    for number in range(10):
        box.turn(number)
    server.stop()
    for number in range(10, 130):
        box.turn(number)
        if number == 70:                          # boxd begins anew meanwhile
            box.series.close()
            box.begin()
    assert box.series.counts.away and box.series.counts.spooled_points > 120 * 50
    server.start()
    for number in range(130, 135):
        box.turn(number)
    assert box.series.counts.spooled_points == box.series.counts.dropped_points == 0
    counts = server.counts(AT + TURN_S * 135, TURN_S * 140)
    assert counts == box.kept
    assert set(counts.values()) == {135}


class Wire:
    """Between both: hands on what is sent, and when `deaf` the answer to it is lost."""

    def __init__(self, to: int) -> None:
        self.deaf, self._to = False, to
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                near, _ = self._socket.accept()
            except OSError:
                return
            with near, socket.create_connection(("127.0.0.1", self._to)) as far:
                self._join(near, far)

    def _join(self, near: socket.socket, far: socket.socket) -> None:
        """Until one of both ends, or an answer is lost."""
        other = {near: far, far: near}
        while True:
            for end in select.select([near, far], [], [])[0]:
                octets = end.recv(1 << 20)
                if not octets or (end is far and self.deaf):
                    return
                other[end].sendall(octets)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


def test_answers_that_are_lost_on_the_way_double_nothing(server: Victoria, tmp_path: Path) -> None:
    wire = Wire(server.port)
    box = Box(tmp_path, f"http://127.0.0.1:{wire.port}")
    for number in range(9):
        wire.deaf = number in (2, 3, 4)
        box.turn(number)
    assert (box.series.counts.failures, box.series.counts.spooled_points) == (3, 0)
    assert server.counts(AT + TURN_S * 9, TURN_S * 12) == box.kept
    wire.close()
