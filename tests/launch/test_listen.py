"""`branchline listen` as a person types it, at a real spand between two virtual lines."""

import asyncio
import itertools
import os
import pty
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import pytest_asyncio
from click.testing import CliRunner

from appliance.bus.client import Bus, BusError, Refused
from appliance.bus.messages import Listen, StopListening, UnbindLeg
from appliance.launch import listening
from appliance.launch.cli import main
from appliance.launch.listening import Sink, Tapped
from appliance.media.ring import Octets, Ring
from e1_driver import BLOCK, IDLE
from tests.recording.rings import channel, figures_of_ffprobe, figures_of_sox
from tests.span.far import AGENT, CALLER, WITHIN_S, Exchanges, Listener, a_call, speech

ID = "ab" * 16


@pytest_asyncio.fixture
async def box(bus_server: Path, tmp_path: Path) -> AsyncIterator[tuple[Path, Exchanges, Listener]]:
    """A caller and an agent who talk to each other."""
    async with a_call(tmp_path, bus_server) as (_, far, listener):
        yield bus_server, far, listener


async def branchline(run_dir: Path, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "appliance.launch", "listen", *arguments, "--run-dir", str(run_dir),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)


async def ended(process: asyncio.subprocess.Process, code: int) -> str:
    """What it said."""
    async with asyncio.timeout(WITHIN_S):
        _, errors = await process.communicate()
    assert process.returncode == code, errors.decode()
    return errors.decode()


async def begun(far: Exchanges, path: Path) -> None:
    await far.until(lambda: path.exists() and path.stat().st_size > 2000)


async def test_a_leg_is_heard_on_both_sides_and_the_file_is_good_at_any_moment(
        box: tuple[Path, Exchanges, Listener], tmp_path: Path) -> None:
    run_dir, far, _ = box
    whole, until_told = tmp_path / "whole.wav", tmp_path / "told.wav"
    timed = await branchline(run_dir, "--leg", "caller", "--for", "1.5s", "-o", str(whole))
    endless = await branchline(run_dir, "--span", "pbx", "--timeslot", "31", "-o", str(until_told))
    await begun(far, whole)
    await begun(far, until_told)
    far.say(CALLER, speech(1, 0.5))
    far.say(AGENT, speech(2, 0.5))
    await far.hear(AGENT, speech(1, 0.5))
    await far.hear(CALLER, speech(2, 0.5))
    assert figures_of_sox(until_told)[:3] == ("A-law", "2", "8000")              # it grows
    assert "leg caller: 00:01.5 heard" in await ended(timed, 0)
    endless.send_signal(signal.SIGINT)
    assert "timeslot 31 of pbx: 00:0" in await ended(endless, 0)
    for path, sides in ((whole, (1, 2)), (until_told, (2, 1))):
        for number, seed in enumerate(sides, start=1):
            assert speech(seed, 0.5) in channel(path, number)
    assert figures_of_ffprobe(whole)["duration"] == "1.500000"


async def test_it_ends_with_its_reader_or_with_the_leg_and_what_cannot_be_is_said(
        box: tuple[Path, Exchanges, Listener], tmp_path: Path) -> None:
    run_dir, far, listener = box
    path = tmp_path / "leg.wav"
    stream = await branchline(run_dir, "--leg", "agent", "-o", "-")
    with_leg = await branchline(run_dir, "--leg", "caller", "-o", str(path))
    assert stream.stdout is not None
    head = await stream.stdout.readexactly(58)
    assert head[:4] + head[8:16] + head[20:24] == b"RIFFWAVEfmt \x06\x00\x02\x00"
    far.say(AGENT, speech(3, 0.2))
    heard = b""
    async with asyncio.timeout(WITHIN_S):
        while speech(3, 0.2) not in heard[::2]:
            heard += await stream.stdout.readexactly(160)
    stream._transport.get_pipe_transport(1).close()              # type: ignore[attr-defined]
    assert "nobody read it any more" in await ended(stream, 0)
    await begun(far, path)
    counters = await asyncio.to_thread(CliRunner().invoke, main, ["media", "--run-dir", str(run_dir)])
    assert {"box:", "span telco:", "span pbx:"} <= set(counters.output.splitlines()), counters.output
    for figure in ("late_ticks", "tick_ms_p999", "slips", "underruns", "buffer_ms"):
        assert f"  {figure} " in counters.output, figure
    await listener.bus.ask(UnbindLeg(leg="caller"))
    assert "heard, then: leg" in await ended(with_leg, 0)
    assert path.stat().st_mode & 0o777 == 0o640
    for arguments, code, said in (
            (("--leg", "nobody"), 69, "nobody"),
            (("--span", "pbx", "--timeslot", "16"), 69, "timeslot 16"),
            (("--span", "pbx", "--timeslot", "1", "-o", f"{tmp_path}/none/x.wav"), 1, "No such file"),
            (("--span", "pbx"), 2, "--timeslot")):
        done = await asyncio.to_thread(
            CliRunner().invoke, main, ["listen", *arguments, "--run-dir", str(run_dir)])
        assert (done.exit_code, said in done.output) == (code, True), done.output


async def test_a_named_pipe_is_a_stream_and_a_terminal_gets_no_audio(
        box: tuple[Path, Exchanges, Listener], tmp_path: Path) -> None:
    run_dir, _, _ = box
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    process = await branchline(run_dir, "--leg", "caller", "--for", "0.5s", "-o", str(pipe))
    async with asyncio.timeout(WITHIN_S):
        octets = await asyncio.to_thread(pipe.read_bytes)
    assert "heard" in await ended(process, 0)
    assert (len(octets), octets[4:8]) == (58 + 50 * 2 * BLOCK, b"\xff" * 4)
    outer, inner = pty.openpty()
    try:
        process = await branchline(run_dir, "--leg", "caller", "-o", os.ttyname(inner))
        assert "a terminal cannot show audio" in await ended(process, 1)
    finally:
        os.close(outer)
        os.close(inner)


async def test_a_spand_that_starts_anew_is_listened_to_again(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It is away, then it knows no such leg yet."""
    monkeypatch.setattr(listening, "LOOK_S", 0.001)
    monkeypatch.setattr(listening, "RENEW_S", 0.001)
    answers = iter([None, BusError("spand is not there"), Refused("no such leg"), None, None, None])
    ring, ticks = Spoken(tmp_path / "listening"), itertools.count(100)

    class Anew:
        async def ask(self, request: Listen | StopListening) -> None:
            if isinstance(request, Listen):
                answer, tick = next(answers), next(ticks)
                ring.write(range(tick, tick + 1), name=request.listener)
                if answer is not None:
                    raise answer

    wanted = listening.Wanted(leg="caller")
    await listening.listen(cast(Bus, Anew()), tmp_path, wanted, 0.05, tmp_path / "x.wav", lambda: False)
    assert capsys.readouterr().err == "leg caller: 00:00.1 heard\n"
    assert figures_of_sox(tmp_path / "x.wav")[3] == 5 * BLOCK


class Spoken:
    """A listening ring in which `row` says its tick number."""

    def __init__(self, path: Path) -> None:
        self.ring = Ring.create(path, rows=2, ticks=50)

    def write(self, ticks: range, row: int = 1, name: str = ID) -> None:
        for tick in ticks:
            ids, audio = np.zeros((2, 16), np.uint8), np.full((2, 2, BLOCK), tick, np.uint8)
            ids[row] = list(bytes.fromhex(name))
            self.ring.write(tick, ids, audio)


def test_what_was_never_carried_is_silence_and_others_are_not_heard(tmp_path: Path) -> None:
    tapped = Tapped(tmp_path / "listening", ID)
    assert len(tapped.read()) == 0                # spand has not made it yet
    box = Spoken(tmp_path / "listening")
    box.write(range(100, 105), name="cd" * 16)
    assert len(tapped.read()) == 0
    box.write(range(105, 110))
    assert said(tapped.read()) == list(range(105, 110))
    box.write(range(113, 115), row=0)             # after a restart of spand, in another row
    assert said(tapped.read()) == [None, None, None, 113, 114]
    assert len(tapped.read()) == 0
    box.write(range(115, 205))                    # nobody looked for longer than the ring holds
    assert said(tapped.read()) == [None] * 40 + list(range(155, 205))


def said(audio: Octets) -> list[int | None]:
    assert (audio == audio[:, :1, :1]).all()
    return [None if value == IDLE else int(value) for value in audio[:, 0, 0]]


def test_the_head_of_the_file_is_right_after_every_piece(tmp_path: Path) -> None:
    path = tmp_path / "grows.wav"
    with Sink(path) as sink:
        for pieces in range(1, 4):
            sink.write(np.full((7, 2, BLOCK), pieces, np.uint8))
            assert figures_of_sox(path) == ("A-law", "2", "8000", 7 * BLOCK * pieces)
