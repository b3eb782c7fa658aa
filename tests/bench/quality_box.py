"""spand, recordd and a bus, with talkers on their lines and a network at their RTP legs."""

import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from appliance.bus.client import Bus
from appliance.bus.messages import BindLeg, Bridge, Event, OpenRtp, RtpSettings, SpanState
from appliance.recording.wav import HEAD_OCTETS, TICK_OCTETS, Header
from e1_driver import BEARERS, BLOCK, IDLE
from hil_tests.instruments import audio
from tests.bench.hearing import place
from tests.bench.office import BenchError
from tests.conftest import bus_server_at
from tests.recording.fetching import fetch
from tests.span.far import Channel, spand
from tests.span.talkers import Talkers
from tests.span.telephones import HOST, Address, Network

SPANS = ["telco1", "telco2", "pbx1", "pbx2"]
RTP_LEGS = 32
STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class Box:
    bus: Bus
    talkers: Talkers
    network: Network
    run_dir: Path
    folder: Path

    async def bind(self, leg: str, channel: Channel) -> None:
        await self.bus.ask(BindLeg(leg=leg, span=channel[0], timeslot=channel[1]))

    async def bridge(self, one: str, other: str) -> None:
        await self.bus.ask(Bridge(leg_a=one, leg_b=other))

    async def open(self, leg: str, settings: RtpSettings) -> Address:
        """Where packets to it go."""
        return HOST, (await self.bus.ask(OpenRtp(leg=leg, settings=settings))).local_port


def _up(span: str) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, SpanState) and event.up and event.span == span


def channels(side: str) -> list[Channel]:
    """All 60 of one side."""
    return [(name, timeslot) for name in SPANS if name.startswith(side) for timeslot in BEARERS]


@contextlib.asynccontextmanager
async def running(folder: Path, realtime: bool = True) -> AsyncIterator[Box]:
    config = folder / "box.yaml"
    (folder / "prompts").mkdir()
    config.write_text("spans:\n" + "".join(
        f'- {{name: {name}, url: "virtual:{folder}/{name}/b", side: user, trunk: {name[:-1]}}}\n'
        for name in SPANS) + f"media: {{prompts: prompts, country: cn, realtime: {str(realtime).lower()}, "
        f"rtp: {{legs: {RTP_LEGS}, address: {HOST}, first_port: 42000, last_port: 42999}}}}\n")
    with bus_server_at(folder / "run") as run_dir, contextlib.ExitStack() as stack:
        talkers = Talkers(folder, SPANS)
        stack.callback(talkers.close)
        network = Network()
        stack.callback(network.close)
        async with spand(config, run_dir) as (_, listener):
            for name in SPANS:
                await listener.until(_up(name))
            recordd = stack.enter_context(_recordd(config, run_dir, folder / "state"))
            yield Box(listener.bus, talkers, network, run_dir, folder)
            if recordd.poll() is not None:
                raise BenchError(f"recordd ended with {recordd.returncode}")


@contextlib.contextmanager
def _recordd(config: Path, run_dir: Path, state_dir: Path) -> "Iterator[subprocess.Popen[bytes]]":
    process = subprocess.Popen([
        sys.executable, "-m", "appliance.recording.daemon", "--config", str(config),
        "--run-dir", str(run_dir), "--state-dir", str(state_dir)], stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(STOP_S)


async def recorded(box: Box, name: str) -> bytes:
    """What recordd has of it, a WAV file."""
    bus = await Bus.connect(box.run_dir, "webui")
    try:
        return (await fetch(bus.ask, name, box.folder / f"{name}.wav")).read_bytes()
    finally:
        await bus.close()


def differing(wav: bytes, paused: range, *said: audio.Octets) -> int:
    """Octets of it that are not what was said by each side, silence while it was `paused`."""
    header, octets = Header.read(wav), np.frombuffer(wav, np.uint8)
    sides = octets[HEAD_OCTETS:][:header.ticks * TICK_OCTETS].reshape(-1, len(said)).T
    silent = slice((paused.start - header.first_tick) * BLOCK, (paused.stop - header.first_tick) * BLOCK)
    wrong = 0
    for side, words in zip(sides, said, strict=True):
        begin = place(audio.expand(words), audio.expand(side))
        expected = np.full(len(side), IDLE, np.uint8)
        expected[begin:begin + len(words)] = words[:len(side) - begin]
        expected[silent] = IDLE
        wrong += int((side != expected).sum())
    return wrong
