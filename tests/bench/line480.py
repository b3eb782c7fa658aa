"""The whole box's audio: 16 virtual spans, every channel bridged, recorded on both sides and listened to for
DTMF; spand and recordd as they are, the far ends in a process of their own.

python -m tests.bench.line480 [--channels 480] [--seconds 600] prints one case.
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml

from appliance.bus import server
from appliance.bus.client import Bus
from appliance.bus.messages import (
    BindLeg,
    Bridge,
    Event,
    GetMedia,
    Heartbeat,
    Media,
    SpanState,
    StartRecording,
)
from e1_driver import BEARERS, BLOCK, IDLE, TIMESLOTS
from tests.bench.figures import Kind, Say, Theme
from tests.bench.office import BenchError
from tests.bench.processes import MEGA, cpu_s, memory
from tests.conftest import free_port
from tests.e2e.rig import MODULES

CASES = (30, 120, 480)
GOALS_MS = {30: 0.6, 120: 0.45, 480: 0.40}
SECONDS = 20.0
SETTLE_S, READY_S, STOP_S = 3.0, 30.0, 10.0
DAEMONS = ("spand", "recordd")
RECORDED_OCTETS_PER_S = 2 * 8000                  # both sides of each
SHARED_MEMORY = Path("/dev/shm")
TICK_S = 0.01
EMPTY_TICKS = 500


class _Talked(NamedTuple):
    before: Media
    after: Media
    spent_s: dict[str, float]                     # CPU time of each daemon
    took_s: float
    taken_octets: float                           # of recordings, by recordd, so far


def once(say: Say) -> dict[str, float]:
    figures = _empty_tick()
    for channels in CASES:
        say(f"  {channels} channels for {SECONDS:g} s")
        figures |= case(channels, SECONDS)
    return figures


def _empty_tick() -> dict[str, float]:
    """The least that Python pays for a tick here: it is woken, takes a span's block from a socket, copies its
    rows, sends it on, and sleeps; and what the same costs when it does not sleep.
    """
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    block, rows = np.full((TIMESLOTS, BLOCK), IDLE, np.uint8), np.arange(TIMESLOTS)
    sent = np.empty_like(block)
    figures: dict[str, float] = {}
    with near, far:
        for name, tick_s in (("an empty tick", TICK_S), ("an empty tick, without sleep between", 0.0)):
            far.send(block.data)
            began_at, began_s = time.monotonic(), time.thread_time()
            for number in range(EMPTY_TICKS):
                time.sleep(max(0.0, began_at + number * tick_s - time.monotonic()) if tick_s else 0.0)
                near.recv_into(block.data)
                block.take(rows, 0, sent, "clip")
                far.send(sent.data)
            figures[name] = 1e6 * (time.thread_time() - began_s) / EMPTY_TICKS
    return figures


def case(channels: int, seconds: float) -> dict[str, float]:
    """What `channels` calls cost, and how well they keep time."""
    count = max(2, channels // len(BEARERS))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        run_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(
            prefix="bench-", dir=SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None)))
        config = _lay_out(folder, count)
        port = free_port()
        _spawn(stack, folder, "bus", [server.program(), "-c", str(server.write(run_dir, port))])
        server.wait_until_serving(port, READY_S)
        far = _spawn(stack, folder, "far", [
            sys.executable, "-m", "tests.bench.far_spans", str(folder), str(count)])
        pids = {name: _spawn(stack, folder, name, [
            sys.executable, "-m", MODULES[name], "--config", str(config),
            "--state-dir", str(folder / "state"), "--run-dir", str(run_dir)]).pid for name in DAEMONS}
        talked = asyncio.run(_talk(run_dir, channels, count, seconds, far, pids))
        rss = {name: memory(pid).rss_octets / MEGA for name, pid in pids.items()}
        delays_ms = 1000 * np.array(json.loads(far.communicate(timeout=STOP_S)[0]))
    before, after, spent_s, took_s, taken_octets = talked
    if taken_octets < channels * RECORDED_OCTETS_PER_S * seconds:
        raise BenchError(f"{taken_octets:.0f} octets recorded of {channels} channels in {seconds:g} s")
    if len(delays_ms) < 90 * seconds:
        raise BenchError(f"{len(delays_ms)} blocks heard at the far ends in {seconds:g} s")
    call_ms = 1000 / (channels * took_s)
    slips = [sum(one["slips"] for one in media.spans.values()) for media in (before, after)]
    return {
        f"CPU, {channels} channels": sum(spent_s.values()) * call_ms,
        **{f"CPU, {channels} channels: {name}": spent_s[name] * call_ms for name in DAEMONS},
        f"work of a tick, {channels} channels, p99.9": after.box["tick_ms_p999"],
        f"lateness of a tick, {channels} channels, p99.9": after.box["late_ms_p999"],
        f"ticks over 10 ms late, {channels} channels": after.box["late_ticks"] - before.box["late_ticks"],
        f"slips, {channels} channels": slips[1] - slips[0],
        f"audio delay E1 to E1, {channels} channels, p50": float(np.median(delays_ms)),
        f"audio delay E1 to E1, {channels} channels, p99": float(np.percentile(delays_ms, 99)),
        **{f"RSS, {channels} channels: {name}": rss[name] for name in DAEMONS},
    }


async def _talk(
    run_dir: Path, channels: int, count: int, seconds: float, far: "subprocess.Popen[bytes]",
    pids: dict[str, int],
) -> _Talked:
    """Set up, let them talk for so long."""
    taken_octets = 0.0

    async def hear(event: Event) -> None:
        nonlocal taken_octets
        if isinstance(event, Heartbeat):
            taken_octets = event.facts.get("taken_octets", 0.0)

    bus = await Bus.connect(run_dir, "acdd")
    try:
        await bus.hear("recordd", hear)
        await _until_up(bus, count)
        legs = [(f"{index}.{timeslot}", f"span{index}", timeslot)
                for timeslot in BEARERS for index in range(count)][:channels]
        for name, span, timeslot in legs:
            await bus.ask(BindLeg(leg=name, span=span, timeslot=timeslot))
        for (one, *_), (other, *_) in zip(legs[::2], legs[1::2], strict=True):
            await bus.ask(Bridge(leg_a=one, leg_b=other))
        for number, (name, *_) in enumerate(legs):
            await bus.ask(StartRecording(
                recording=f"{number + 1:032x}", caller_leg=name, agent_leg=legs[number ^ 1][0]))
        await asyncio.sleep(SETTLE_S)
        before = await bus.ask(GetMedia())
        assert far.stdin is not None
        far.stdin.write(b"measure\n")
        far.stdin.flush()
        began_at, began = time.monotonic(), {name: cpu_s(pid) for name, pid in pids.items()}
        await asyncio.sleep(seconds)
        spent = {name: cpu_s(pid) - began[name] for name, pid in pids.items()}
        return _Talked(before, await bus.ask(GetMedia()), spent, time.monotonic() - began_at, taken_octets)
    finally:
        await bus.close()


async def _until_up(bus: Bus, count: int) -> None:
    """So many lines are. TimeoutError."""
    up: set[str] = set()
    all_up = asyncio.Event()

    async def hear(event: Event) -> None:
        if isinstance(event, SpanState) and event.up:
            up.add(event.span)
            if len(up) == count:
                all_up.set()

    await bus.hear("spand", hear)
    async with asyncio.timeout(READY_S):
        await all_up.wait()


def _lay_out(folder: Path, count: int) -> Path:
    (folder / "prompts").mkdir()
    path = folder / "branchline.yaml"
    path.write_text(yaml.safe_dump({
        "spans": [{"name": f"span{index}", "url": f"virtual:{folder}/{index}/b", "side": "user",
                   "trunk": "telco"} for index in range(count)],
        "media": {"prompts": str(folder / "prompts"), "country": "cn"}}), encoding="utf-8")
    return path


def _spawn(stack: ExitStack, folder: Path, name: str, command: list[str]) -> "subprocess.Popen[bytes]":
    output = stack.enter_context((folder / f"{name}.log").open("wb"))
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", *command], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if name == "far" else output, stderr=output,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
    stack.callback(_stop, process, folder / f"{name}.log")
    return process


def _stop(process: "subprocess.Popen[bytes]", log: Path) -> None:
    """BenchError when it had ended by itself with an error."""
    early = process.poll()
    process.terminate()
    process.communicate(timeout=STOP_S)
    if early:
        raise BenchError(f"{log.stem} ended with {early}:\n{log.read_text(errors='replace')[-2000:]}")


def _kinds() -> tuple[Kind, ...]:
    kinds = [Kind("an empty tick", "µs", f"30 channels may cost {GOALS_MS[30] * 30 * 1000 * TICK_S:g}"),
             Kind("an empty tick, without sleep between", "µs")]
    for channels in CASES:
        kinds += [
            Kind(f"CPU, {channels} channels", "CPU-ms/call-s", f"at most {GOALS_MS[channels]:g}"),
            *(Kind(f"CPU, {channels} channels: {name}", "CPU-ms/call-s") for name in DAEMONS),
            Kind(f"work of a tick, {channels} channels, p99.9", "ms", "under 6"),
            Kind(f"lateness of a tick, {channels} channels, p99.9", "ms"),
            Kind(f"ticks over 10 ms late, {channels} channels", "ticks", "0"),
            Kind(f"slips, {channels} channels", "blocks", "0"),
            Kind(f"audio delay E1 to E1, {channels} channels, p50", "ms", "at most 25"),
            Kind(f"audio delay E1 to E1, {channels} channels, p99", "ms", "at most 25"),
            Kind(f"RSS, {channels} channels: spand", "MB", "under 150"),
            Kind(f"RSS, {channels} channels: recordd", "MB")]
    return tuple(kinds)


LINE480 = Theme(
    "line480", "Channels of virtual spans, each bridged to another and recorded on both sides into a file of "
    f"its own, DTMF listened for on all, for {SECONDS:g} s: spand with the spans' input and output, and "
    "recordd with its disk; nothing else of the box runs. A channel is a call: a call-second is a second of "
    "one of them. Work and lateness are of all ticks since spand began, calls being set up among them. The "
    "delay is as in talk, both ways together. `python -m tests.bench.line480 --seconds 600` is one case for "
    "ten minutes. An empty tick is CPU time of a thread that is woken every 10 ms, takes a block from a "
    "socket, copies it and sends it on: what the goals leave for all the rest.",
    _kinds(), once, runs=3)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.line480")
    parser.add_argument("--channels", type=int, default=CASES[-1])
    parser.add_argument("--seconds", type=float, default=SECONDS)
    arguments = parser.parse_args()
    for name, value in case(arguments.channels, arguments.seconds).items():
        print(f"{name:60}{value:10.3f}")
