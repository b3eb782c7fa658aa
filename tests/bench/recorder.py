"""recordd with every channel of 16 spans recorded: CPU, memory, and what it writes for what was said."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from appliance.bus.messages import DaemonUp, Heartbeat
from appliance.media.plan import ID_OCTETS
from appliance.media.ring import TICK_NS, Ring
from e1_driver import BLOCK
from tests.bench.figures import Kind, Say, Theme
from tests.conftest import bus_server_at
from tests.e2e.observer import Observer

CHANNELS = 480
SECONDS = 60
WARM_S = 5
CONFIG = "spans: [{name: e1, url: 'virtual:/tmp/none/a', side: user, trunk: telco}]\n"

CPU, MEMORY, AMPLIFIED, WRITTEN, SLOWEST, LAST_MS = (
    "CPU of recordd, 480 channels", "memory of recordd (RSS), 480 channels",
    "octets of the journal for an octet of audio", "octets the kernel was given for an octet of audio",
    "slowest batch, its fdatasync included", "lost audio")


def once(say: Say) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "box.yaml").write_text(CONFIG)
        (folder / "run").mkdir()
        ring = Ring.create(folder / "run" / "ring", CHANNELS)
        with bus_server_at(folder / "run") as run_dir, Observer(run_dir) as bus:
            recordd = subprocess.Popen([
                sys.executable, "-m", "appliance.recording.daemon", "--config", str(folder / "box.yaml"),
                "--state-dir", str(folder / "state"), "--run-dir", str(run_dir)], stderr=subprocess.DEVNULL)
            try:
                bus.wait_event(DaemonUp, lambda up: up.daemon == "recordd", 20.0)
                say(f"{CHANNELS} recordings for {SECONDS} s")
                return _measure(ring, recordd.pid, bus)
            finally:
                recordd.terminate()
                recordd.wait(20)


def _measure(ring: Ring, pid: int, bus: Observer) -> dict[str, float]:
    ids = np.random.default_rng(1).integers(1, 256, (CHANNELS, ID_OCTETS), np.uint8)
    noise = np.random.default_rng(2).integers(0, 256, (100, CHANNELS, 2, BLOCK), np.uint8)
    begun_ns, first = time.monotonic_ns(), ring.resume(time.monotonic_ns())
    cpu_s = written = 0.0
    slowest_ms = 0.0
    for count in range((WARM_S + SECONDS) * 100):
        ring.write(first + count, ids, noise[count % 100], time.monotonic_ns(), time.time_ns())
        if count == WARM_S * 100:
            cpu_s, written = _cpu_s(pid), _written(pid)
        time.sleep(max(0.0, (begun_ns + (count + 1) * TICK_NS - time.monotonic_ns()) / 1e9))
    cpu_s, written = _cpu_s(pid) - cpu_s, _written(pid) - written
    beats = [beat for beat in bus.said(Heartbeat) if beat.daemon == "recordd" and "batch_ms" in beat.facts]
    slowest_ms = max(beat.facts["batch_ms"] for beat in beats)
    last = beats[-1]
    return {CPU: 100 * cpu_s / SECONDS, MEMORY: last.rss_octets / 2 ** 20,
            AMPLIFIED: last.facts["journal_octets"] / last.facts["taken_octets"],
            WRITTEN: written / (SECONDS * 100 * CHANNELS * 2 * BLOCK),
            SLOWEST: slowest_ms, LAST_MS: last.facts["lost_s"]}


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _written(pid: int) -> float:
    """Octets that the process had the kernel send to the disk."""
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("write_bytes")))


RECORDER = Theme(
    "recorder", "recordd and a ring that is written as spand does, 480 rows of noise, in real time for a "
    "minute; all recordings run all the time. The box is otherwise idle. CPU is of one core.",
    (Kind(CPU, "%", "15"), Kind(MEMORY, "MB", "120"), Kind(AMPLIFIED, "", "1.1"), Kind(WRITTEN, "", "1.1"),
     Kind(SLOWEST, "ms"), Kind(LAST_MS, "s", "0")), once)
