"""A whole box on the bench: each daemon a process of its own, a software exchange at the end of each line.

The telephone company (`telco`, the network) is at span telco1, the office's PBX (`pbx`, the user) with the
agents' telephones at span pbx1. Every prompt is a tone, so that its pitch tells what a caller hears.
"""

import contextlib
import copy
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from appliance.bus import server
from appliance.bus.messages import DAEMONS, DaemonUp, GetChannels, Heartbeat
from hil_tests.instruments import audio
from hil_tests.instruments.exchange import SoftwareExchange
from hil_tests.instruments.line import keep_time
from tests.conftest import free_port
from tests.e2e.observer import NotSaid, Observer

MODULES = {
    "spand": "appliance.span", "trunkd": "appliance.trunk.daemon", "acdd": "appliance.centre.daemon",
    "recordd": "appliance.recording.daemon", "boxd": "appliance.box.daemon", "webui": "webui.daemon"}
STOP_ORDER = ("webui", "boxd", "acdd", "trunkd", "spand", "recordd")
STOP_S = 10.0
READY_S = 20.0
LOOK_S = 0.5                                      # between two looks whether a daemon has died
LOG_TAIL_LINES = 60

PROMPT_HZ = {"greeting": 500, "menu": 620, "queue": 740, "invalid": 860, "busy": 980}
MUSIC_HZ = 1100
ANNOUNCEMENT_HZ = 1300
NUMBER_HZ = {number: 1460 + 60 * index for index, number in enumerate((*range(1, 20), *range(20, 100, 10)))}
PROMPT_DBM0 = -12.0
PROMPT_S = 0.5

CONFIG: dict[str, Any] = {
    "spans": [
        {"name": "telco1", "url": "virtual:LINES/telco/b", "side": "user", "trunk": "telco", "overlap": True,
         "channels": "up"},
        {"name": "pbx1", "url": "virtual:LINES/pbx/b", "side": "network", "trunk": "pbx", "overlap": True,
         "channels": "down"},
    ],
    "media": {"prompts": "prompts", "country": "cn"},
    "recording": {"format": "original"},  # octet for octet
    "centre": {
        "inbound": [{"trunk": "telco", "called": "5001", "flow": "main.yaml"}],
        "outbound": [{"trunk": "pbx", "called": "9([0-9]{3,})", "to": "telco", "calling": "5001"}],
        "queues": [
            {"name": "sales", "agents": ["zhang", "li"], "position_every_s": 0.0, "ring_s": 4.0,
             "wrap_up_s": 0.5, "unavailable_s": 2.0},
            {"name": "service", "agents": ["wang"], "position_every_s": 2.0, "ring_s": 4.0,
             "wrap_up_s": 0.5, "unavailable_s": 2.0},
        ],
        "agents": [
            {"name": "zhang", "extension": "801", "trunk": "pbx"},
            {"name": "li", "extension": "802", "trunk": "pbx"},
            {"name": "wang", "extension": "803", "trunk": "pbx"},
        ],
    },
    "web": {"port": 0},
}
FLOW: dict[str, Any] = {
    "language": "en", "start": "greeting",
    "nodes": {
        "greeting": {"kind": "play", "prompt": "greeting", "next": "menu"},
        "menu": {"kind": "menu", "prompt": "menu", "digits": {"1": "to-sales", "2": "to-service"},
                 "invalid": "invalid", "timeout_s": 3.0, "retries": 1, "default": "to-sales"},
        "to-sales": {"kind": "play", "prompt": "queue", "next": "sales"},
        "to-service": {"kind": "play", "prompt": "queue", "next": "service"},
        "sales": {"kind": "queue", "queue": "sales", "overflow_s": 60.0, "next": "busy"},
        "service": {"kind": "queue", "queue": "service", "overflow_s": 60.0, "next": "busy"},
        "busy": {"kind": "play", "prompt": "busy", "next": "end"},
        "end": {"kind": "hangup"},
    },
}


@dataclass(slots=True)
class Process:
    popen: "subprocess.Popen[bytes]"
    log: Path
    killed: bool = False


class RigError(AssertionError):
    """The box did not start or did not stop as it should."""


class Rig:
    """Use as a context manager: everything runs and both data links are up inside the block.

    `config` and `flow` replace CONFIG and FLOW; LINES in a span's URL is the folder of the lines. `exchange`:
    options of both exchanges, `line`: of the URLs of their ends. `files`: texts of others beside the
    document. `prompts`: the pitch in Hz of more of them, by their names, in both languages
    """

    def __init__(self, config: Mapping[str, Any] = CONFIG, flow: Mapping[str, Any] = FLOW,
                 exchange: Mapping[str, Any] | None = None, line: str = "",
                 files: Mapping[str, str] | None = None, prompts: Mapping[str, int] | None = None) -> None:
        self._config, self._flow = copy.deepcopy(dict(config)), flow
        self._exchange, self._line, self._files = dict(exchange or {}), line, files or {}
        self._prompts = {**PROMPT_HZ, **(prompts or {})}
        self._processes: dict[str, Process] = {}
        self._exits = ExitStack()
        self.telco: SoftwareExchange
        self.pbx: SoftwareExchange
        self.bus: Observer

    def __enter__(self) -> "Rig":
        with self._exits:
            self._start()
            self._exits = self._exits.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def _start(self) -> None:
        keep_time()
        self._exits.callback(os.sched_setscheduler, 0, os.SCHED_OTHER, os.sched_param(0))
        # pytest's own folders have paths too long for a socket
        self.folder = Path(self._exits.enter_context(tempfile.TemporaryDirectory(prefix="rig-")))
        self.run_dir, self.state_dir = self.folder / "run", self.folder / "state"
        self.config_path = self.folder / "box" / "branchline.yaml"
        self._lay_out()
        self._exits.callback(self._stop_all)
        self._observing = self._exits.enter_context(ExitStack())
        self.telco = self._open_exchange("telco", side="network", hunt="down")
        self.pbx = self._open_exchange("pbx", side="user", hunt="up")
        self.start_everything()

    def _open_exchange(self, name: str, **options: Any) -> SoftwareExchange:
        return self._exits.enter_context(SoftwareExchange(
            self.far_url(name), name=name, overlap=True,
            capture=self.folder / f"{name}.pcap", **options, **self._exchange))

    def far_url(self, name: str) -> str:
        """The exchange's end of a line."""
        return f"virtual:{self.folder}/lines/{name}/a{self._line}"

    def replace_telco(self) -> None:
        """The exchange dies in the middle of its calls, and another comes that knows of none."""
        self.telco.close()
        self.telco = self._open_exchange("telco", side="network", hunt="down")

    def _lay_out(self) -> None:
        for folder in (self.run_dir, self.state_dir, self.config_path.parent):
            folder.mkdir(parents=True)
        for span in self._config["spans"]:
            span["url"] = span["url"].replace("LINES", f"{self.folder}/lines")
        self.config_path.write_text(yaml.safe_dump(self._config), encoding="utf-8")
        (self.config_path.parent / "main.yaml").write_text(yaml.safe_dump(dict(self._flow)), encoding="utf-8")
        for name, text in self._files.items():
            path = self.config_path.parent / name
            path.touch(0o600)                     # it may be a secret, which the box takes from no other
            path.write_text(text, encoding="utf-8")
        write_prompts(self.config_path.parent / self._config["media"]["prompts"], self._prompts)

    # --- processes --------------------------------------------------------------------------------------

    def start(self, daemon: str, wait: bool = True) -> None:
        """Start a daemon that does not run; `wait`: until it can be asked."""
        mark = self.bus.mark()
        self._spawn(daemon, [
            sys.executable, "-m", MODULES[daemon], "--config", str(self.config_path),
            "--state-dir", str(self.state_dir), "--run-dir", str(self.run_dir)])
        if wait:
            self._wait_daemon(daemon, mark, READY_S)

    def start_bus(self) -> None:
        """nats-server, with new passwords when it was never started."""
        config = self.run_dir / "bus" / "nats-server.json"
        if not config.exists():
            self._port = free_port()
            server.write(self.run_dir, self._port)
        self._spawn("bus", [server.program(), "-c", str(config)])
        server.wait_until_serving(self._port, within_s=10.0)

    def start_everything(self) -> None:
        """What does not run: all of it. `bus` is a new observer, which has heard nothing yet."""
        self._observing.close()
        self.start_bus()
        self.bus = self._observing.enter_context(Observer(self.run_dir))
        for daemon in DAEMONS:
            self.start(daemon, wait=False)
        for daemon in DAEMONS:
            self._wait_daemon(daemon, 0, READY_S)
        self.wait_links_up()

    def kill_everything(self, power_cut: bool = False) -> None:
        """SIGKILL to all; a power cut takes the run folder along."""
        for name in [*STOP_ORDER, "bus"]:
            self.kill(name)
        if power_cut:
            shutil.rmtree(self.run_dir)
            self.run_dir.mkdir()

    def kill(self, name: str) -> float:
        """SIGKILL to a daemon or to "bus"; returns time.monotonic() when it was gone."""
        process = self._processes[name]
        process.killed = True
        process.popen.kill()
        process.popen.wait(STOP_S)
        return time.monotonic()

    def pid(self, name: str) -> int:
        return self._processes[name].popen.pid

    def log(self, name: str) -> str:
        """All that a daemon, or "bus", wrote, over its restarts."""
        path = self.folder / f"{name}.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def complaints(self) -> list[str]:
        """What the daemons wrote of errors."""
        return [f"{name}: {line}" for name in MODULES for line in self.log(name).splitlines()
                if line.startswith(("ERROR", "CRITICAL", "Traceback"))]

    def dump(self) -> str:
        """The ends of all logs, for whoever looks at a failed test."""
        facts = {beat.daemon: beat.facts for beat in self.bus.said(Heartbeat)}
        parts = []
        for name in self._processes:
            tail = "\n".join(self.log(name).splitlines()[-LOG_TAIL_LINES:])
            parts.append(f"--- {name}: {facts.get(name, {})}\n{tail}")
        for exchange in (self.telco, self.pbx):
            words = "\n".join(f"{at:.3f} {text}" for at, text in list(exchange.log)[-LOG_TAIL_LINES:])
            parts.append(f"--- {exchange.name}: {exchange.statistics}\n{words}")
        return "\n".join(parts)

    def keep(self, folder: Path) -> None:
        """Copy logs and captures of a failed test."""
        folder.mkdir(parents=True, exist_ok=True)
        for path in [*self.folder.glob("*.log"), *self.folder.glob("*.pcap")]:
            shutil.copy(path, folder)

    def wait_links_up(self, within_s: float = READY_S) -> None:
        """Layer 2 of both spans, at both ends; the RESTART of a cold start is answered."""
        self.telco.wait_up(within_s)
        self.pbx.wait_up(within_s)
        self.bus.ask_until(GetChannels(), lambda reply: all(
            span.link_up and all(channel.state != "restarting" for channel in span.channels)
            for span in reply.spans), within_s)

    def _wait_daemon(self, daemon: str, since: int, within_s: float) -> None:
        process = self._processes[daemon].popen
        deadline = time.monotonic() + within_s
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(NotSaid):
                self.bus.wait_event(DaemonUp, lambda up: up.pid == process.pid, LOOK_S, since)
                return
        raise RigError(f"{daemon} is not up (exit code {process.poll()}):\n{self.log(daemon)}")

    def _spawn(self, name: str, command: list[str]) -> None:
        running = self._processes.get(name)
        if running and running.popen.poll() is None:
            raise RigError(f"{name} runs already")
        log = self.folder / f"{name}.log"
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "OPENBLAS_NUM_THREADS": "1"}
        with log.open("ab") as output:
            popen = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command], stdout=output, stderr=output,
                stdin=subprocess.DEVNULL, env=environment, start_new_session=True)
        self._processes[name] = Process(popen, log)

    def _stop_all(self) -> None:
        """SIGTERM in order. RigError when a daemon was dead already, does not end, or ends with a code."""
        wrong = []
        for name in [*STOP_ORDER, "bus"]:
            process = self._processes.get(name)
            if process is None or process.killed:
                continue
            popen = process.popen
            early = popen.poll()
            popen.terminate()
            try:
                code = popen.wait(STOP_S)
            except subprocess.TimeoutExpired:
                popen.kill()
                popen.wait()
                wrong.append(f"{name} does not stop on SIGTERM")
            else:
                if early is not None:
                    wrong.append(f"{name} had ended by itself with {early}")
                elif code and name != "bus":      # nats-server says 1 to SIGTERM
                    wrong.append(f"{name} ended with {code}")
        if wrong:
            raise RigError("; ".join(wrong) + "\n" + self.dump())


def write_prompts(folder: Path, prompts: Mapping[str, int] = PROMPT_HZ) -> None:
    """Every prompt that flow, queue and announcements may ask for, in both languages."""
    for language in ("zh", "en"):
        for name, hz in prompts.items():
            _write_tone(folder / language / f"{name}.wav", hz, PROMPT_S)
        for name in ("position", "position-end"):
            _write_tone(folder / language / f"{name}.wav", ANNOUNCEMENT_HZ, 0.2)
        for number, hz in NUMBER_HZ.items():
            _write_tone(folder / language / "number" / f"{number}.wav", hz, 0.2)
    _write_tone(folder / "music" / "default.wav", MUSIC_HZ, 1.0)


def _write_tone(path: Path, hz: int, seconds: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    audio.write_wav(path, audio.tone(hz, PROMPT_DBM0, seconds))
