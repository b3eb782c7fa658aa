"""trunkd without the centre: libpri at the far end of every span, and every call is answered."""
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import yaml

from appliance.bus import server
from appliance.bus.messages import GetChannels, Heartbeat, SpanState
from hil_tests.instruments.exchange import SoftwareExchange
from hil_tests.instruments.line import keep_time
from tests.bench.office import BenchError
from tests.bench.socket_span import SocketSpan
from tests.conftest import free_port
from tests.e2e.observer import Observer
from tests.e2e.rig import MODULES

READY_S = 30.0
STOP_S = 10.0
NOT_CARRIED = ("dchannel_dropped_in", "dchannel_dropped_out", "fcs_errors", "aborts", "runts", "giants")


class TrunkBox:
    """Use as a context manager: all links are up inside. `lines` False: without spand, the exchanges sit at
    trunkd's D-channel sockets."""

    def __init__(self, spans: int, *, lines: bool = True) -> None:
        self._names = [f"telco{number}" for number in range(1, spans + 1)]
        self._lines = lines
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._exits = ExitStack()
        self.exchanges: list[SoftwareExchange] = []
        self.bus: Observer

    def __enter__(self) -> "TrunkBox":
        with self._exits:
            self._start()
            self._exits = self._exits.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def pid(self, name: str) -> int:
        return self._processes[name].pid

    def frames_not_carried(self) -> int:
        """Since the start: lost between line and trunkd, or damaged."""
        newest = {state.span: state.counters for state in self.bus.said(SpanState)}
        return self._trunkd("frames_not_taken") + sum(
            counters[name] for counters in newest.values() for name in NOT_CARRIED)

    def frames_sent_again(self) -> int:
        """By trunkd, since the start."""
        return self._trunkd("frames_retransmitted")

    def _trunkd(self, name: str) -> int:
        """Its newest figure of that name."""
        beat = self.bus.latest(Heartbeat, lambda beat: beat.daemon == "trunkd")
        return int(beat.facts.get(name, 0)) if beat is not None else 0

    def _start(self) -> None:
        keep_time()
        self._exits.callback(os.sched_setscheduler, 0, os.SCHED_OTHER, os.sched_param(0))
        self._folder = Path(self._exits.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        run_dir = self._lay_out()
        port = free_port()
        config = server.write(run_dir, port)
        self._spawn("bus", [server.program(), "-c", str(config)])
        server.wait_until_serving(port, READY_S)
        self.bus = self._exits.enter_context(Observer(run_dir))
        for number, name in enumerate(self._names):
            self.exchanges.append(self._exits.enter_context(SoftwareExchange(
                f"virtual:{self._folder}/{name}/a" if self._lines else SocketSpan(
                    run_dir / "dchan" / f"{name}.sock"),
                side="network", name=f"exchange {number}", hunt="down", keep_s=0.0)))
        stand_in = [sys.executable, "-m", "tests.bench.stand_in", str(run_dir)]
        self._spawn("stand-in", stand_in if self._lines else [*stand_in, "--spand"])
        for daemon in ("spand", "trunkd") if self._lines else ("trunkd",):
            self._spawn(daemon, [
                sys.executable, "-m", MODULES[daemon], "--config", str(self._folder / "branchline.yaml"),
                "--state-dir", str(self._folder / "state"), "--run-dir", str(run_dir)])
        for exchange in self.exchanges:
            exchange.wait_up(READY_S)
        self.bus.ask_until(GetChannels(), lambda reply: all(
            span.link_up and all(channel.state == "idle" for channel in span.channels)
            for span in reply.spans), READY_S)

    def _lay_out(self) -> Path:
        """The run folder."""
        run_dir = self._folder / "run"
        for name in ("run", "state", "prompts"):
            (self._folder / name).mkdir()
        (self._folder / "branchline.yaml").write_text(yaml.safe_dump({
            "spans": [{"name": name, "url": f"virtual:{self._folder}/{name}/b", "side": "user",
                       "trunk": "telco", "channels": "up"} for name in self._names],
            "media": {"prompts": str(self._folder / "prompts"), "country": "cn"},
        }), encoding="utf-8")
        return run_dir

    def _spawn(self, name: str, command: list[str]) -> None:
        with (self._folder / f"{name}.log").open("wb") as output:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command], stdout=output, stderr=output,
                stdin=subprocess.DEVNULL, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
        self._processes[name] = process
        self._exits.callback(self._stop, name, process)

    def _stop(self, name: str, process: "subprocess.Popen[bytes]") -> None:
        """BenchError when it had ended by itself."""
        early = process.poll()
        process.terminate()
        process.wait(STOP_S)
        if early is not None:
            log = (self._folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
            raise BenchError(f"{name} ended by itself with {early}:\n{log[-2000:]}")
