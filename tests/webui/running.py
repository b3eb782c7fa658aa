"""webui as a process, on a real bus with a branch at work, for tests from outside."""

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import yaml

from appliance.bus.client import Bus
from appliance.bus.messages import DaemonUp, Event, Heartbeat, Reply, Request
from tests.conftest import ROOT
from tests.webui.facts import Branch

DAEMONS = ("spand", "trunkd", "acdd", "recordd", "boxd")
PATIENCE_S = 30.0                                 # of a busy machine


class BranchOnBus:
    """The other daemons of a box: they answer from `branch`, beat, and say what they are told to."""

    def __init__(self, branch: Branch, run_dir: Path) -> None:
        self.branch = branch
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._buses: dict[str, Bus] = self._do(self._connect(run_dir))
        self._beat = asyncio.run_coroutine_threadsafe(self._beats(), self._loop)

    def say(self, daemon: str, event: Event) -> None:
        self._do(self._buses[daemon].say(event))

    def close(self) -> None:
        """Silence. Again is harmless."""
        if self._loop.is_closed():
            return
        self._beat.cancel()
        self._do(self._disconnect())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    async def _connect(self, run_dir: Path) -> dict[str, Bus]:
        async def answer(request: Request[Any]) -> Reply:
            return self.branch.reply(request)
        buses = {name: await Bus.connect(run_dir, name) for name in DAEMONS}
        for name, bus in buses.items():
            await bus.answer(answer)
            await bus.say(DaemonUp(daemon=name, pid=1, started_at=time.time()))
        return buses

    async def _beats(self) -> None:
        while True:
            for name, bus in self._buses.items():
                await bus.say(Heartbeat(
                    daemon=name, pid=1, started_at=0.0, at=time.time(), rss_octets=0, cpu_s=0.0))
            await asyncio.sleep(0.5)

    async def _disconnect(self) -> None:
        for bus in self._buses.values():
            await bus.close()


@contextlib.contextmanager
def branch_on_bus(branch: Branch, run_dir: Path) -> Iterator[BranchOnBus]:
    running = BranchOnBus(branch, run_dir)
    try:
        yield running
    finally:
        running.close()


class WebUi:
    """The process and where it is. `web`: more settings of that name."""

    def __init__(self, run_dir: Path, port: int = 0, **web: str) -> None:
        self.run_dir, self.state_dir = run_dir, run_dir.parent / "state"
        self.log = run_dir / "webui.log"
        config = run_dir / "box.yaml"
        span = {"name": "telco", "url": f"virtual:{run_dir}/telco/a", "side": "user", "trunk": "telco"}
        config.write_text(yaml.safe_dump({
            "spans": [span],
            "web": {"port": port, "language": "en"} | web}))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "webui.daemon", "--config", config, "--state-dir", self.state_dir,
                 "--run-dir", run_dir],
                cwd=ROOT, stdout=log, stderr=log, env=os.environ | {"TZ": "Asia/Shanghai"})

    def wait_until_serving(self) -> str:
        """The URL."""
        file, ends_at = self.run_dir / "web.url", time.monotonic() + PATIENCE_S
        while not file.exists():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < ends_at, self.log.read_text()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.05)
        return file.read_text().strip()

    def setup_code(self) -> str:
        return (self.state_dir / "setup-code").read_text().strip()

    def end(self) -> int:
        """SIGTERM; the exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE_S)


@contextlib.contextmanager
def webui_at(run_dir: Path, **settings: str) -> Iterator[tuple[WebUi, str]]:
    """A running webui and its URL."""
    web = WebUi(run_dir, 0, **settings)
    try:
        yield web, web.wait_until_serving()
    finally:
        if web.process.poll() is None:
            web.process.kill()
        web.process.wait(PATIENCE_S)
