"""Debian's victoria-metrics: takes InfluxDB's writes, tells every sample that it has."""

import contextlib
import http.client
import json
import socket
import subprocess
import tempfile
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import free_port

READY_S = 20.0


class Victoria:
    """start() and kill() as often as one likes: what it took in stays, on the same port."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.port = folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["victoria-metrics", f"-storageDataPath={self._folder}", f"-httpListenAddr=127.0.0.1:{self.port}",
             "-retentionPeriod=100y", "-search.latencyOffset=0s", "-memory.allowedBytes=64MB",
             "-search.disableCache", "-dedup.minScrapeInterval=1ms", "-loggerLevel=ERROR"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + READY_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0):
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("victoria-metrics did not start")
            time.sleep(0.02)

    def stop(self) -> None:
        """In order: what it answered for is on its disk."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def query(self, path: str, **parts: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", f"{path}?{urllib.parse.urlencode(parts)}")
            return connection.getresponse().read().decode()

    def counts(self, at: float, over_s: float) -> Counter[tuple[tuple[str, str], ...]]:
        """How many points each series has from `over_s` before `at` on; the same point twice is one."""
        self.query("/internal/force_flush")
        found = json.loads(self.query(
            "/api/v1/query", time=str(at), query=(
                f'count_over_time({{__name__=~"branchline_.*"}}[{int(over_s)}s]) keep_metric_names')))
        return Counter({tuple(sorted(one["metric"].items())): int(one["value"][1])
                        for one in found["data"]["result"]})


@contextlib.contextmanager
def victoria() -> Iterator[Victoria]:
    with tempfile.TemporaryDirectory() as folder:
        server = Victoria(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
