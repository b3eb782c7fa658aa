"""`branchline listen`: what a leg or a timeslot of a running box says and hears, as levels and as a file."""

import asyncio
import contextlib
import os
import secrets
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import click
import numpy as np

from appliance.bus.client import Bus, BusError, Refused
from appliance.bus.messages import Listen, StopListening
from appliance.errors import BranchlineError, Unavailable
from appliance.launch.asking import PATH, RUN_DIR, on_bus, person
from appliance.launch.tracing import Duration
from appliance.media import g711, levels
from appliance.media.ring import Octets, Ring
from e1_driver import BLOCK, IDLE

LEASE_S, RENEW_S = 10.0, 1.0                      # it ends by itself when this program is killed
LOOK_S = 0.1
SILENT_S = 10.0                                   # a spand that starts anew is there again before
AGAIN_S = 3.0                                     # ... and has its legs again
TICKS_PER_S, SAMPLES_PER_S = 100, 8000
STDOUT = Path("-")
MOST_SILENCE = 60 * TICKS_PER_S                   # in place of what was never carried

_ALAW = 0x0006
_HEAD = struct.Struct("<4sI4s" "4sIHHIIHHH" "4sII" "4sI")            # RIFF, fmt, fact, data
_ENDLESS = 0xFFFFFFFF                             # the length in a head that cannot be written again


@dataclass(frozen=True, slots=True)
class Wanted:
    """A leg, or a timeslot of a span."""

    leg: str = ""
    span: str = ""
    timeslot: int = 0

    def __str__(self) -> str:
        return f"leg {self.leg}" if self.leg else f"timeslot {self.timeslot} of {self.span}"


@click.command("listen")
@click.option("--leg", help="A leg's name, as the contact's page has it in its address.")
@click.option("--span", help="With --timeslot: whatever is there, call or none.")
@click.option("--timeslot", type=click.IntRange(1, 31))
@click.option("--for", "for_s", type=Duration(), help="E.g. 90s or 5m, then end. [until Ctrl-C]")
@click.option("-o", "--out", type=PATH, help="A WAV file: left what comes in, right what goes out. -: stdout")
@RUN_DIR
def listen_command(leg: str | None, span: str | None, timeslot: int | None, for_s: float | None,
                   out: Path | None, run_dir: Path) -> None:
    """Hear a leg or a timeslot of a running box live: its levels, and its audio as a file that grows.

    Who listened to what is in the box's log.
    """
    if (leg is None) == (span is None) or (span is None) != (timeslot is None):
        raise click.UsageError("name one of them: --leg LEG, or --span SPAN --timeslot N")
    wanted = Wanted(leg or "", span or "", timeslot or 0)
    with contextlib.suppress(KeyboardInterrupt):
        on_bus(run_dir, lambda bus: listen(bus, run_dir, wanted, for_s, out), name="boxd")


class Sink:
    """A WAV file of A-law with two channels, whose head is right at any moment; a pipe; or nothing (None)."""

    def __init__(self, out: Path | None) -> None:
        """BranchlineError: the file cannot be made, or it is a terminal."""
        self._ticks = 0
        self._file: BinaryIO | None = None
        self._out = out
        if out is not None:
            try:
                self._file = sys.stdout.buffer if out == STDOUT else open(out, "wb", opener=_private)
                if self._file.isatty():
                    raise BranchlineError(f"{out}: a terminal cannot show audio: give a file or a pipe")
                self._endless = out == STDOUT or not self._file.seekable()
                self._file.write(self._head())
                self._file.flush()
            except OSError as error:
                raise BranchlineError(f"{out}: {error.strerror}") from None

    def write(self, audio: Octets) -> None:
        """uint8[ticks, 2, BLOCK]. BranchlineError, and BrokenPipeError when nobody reads any more."""
        if self._file is None or not len(audio):
            return
        self._ticks += len(audio)
        try:
            self._file.write(audio.transpose(0, 2, 1).tobytes())
            if not self._endless:
                self._file.seek(0)
                self._file.write(self._head())
                self._file.seek(0, 2)
            self._file.flush()
        except BrokenPipeError:
            if self._out == STDOUT:               # or Python complains, too
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._file.fileno())
            raise
        except OSError as error:
            raise BranchlineError(f"{self._out}: {error.strerror}") from None

    def __enter__(self) -> "Sink":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._file is not None and self._out != STDOUT:
            with contextlib.suppress(BrokenPipeError):           # what nobody read is in it still
                self._file.close()

    def _head(self) -> bytes:
        samples = self._ticks * BLOCK
        octets = _ENDLESS if self._endless else min(2 * samples, _ENDLESS)
        return _HEAD.pack(
            b"RIFF", min(octets + _HEAD.size - 8, _ENDLESS), b"WAVE", b"fmt ", 18, _ALAW, 2, SAMPLES_PER_S,
            2 * SAMPLES_PER_S, 2, 8, 0, b"fact", 4, min(samples, _ENDLESS), b"data", octets)


def _private(path: str, flags: int) -> int:
    """As recordings are: what people say is not for everybody."""
    return os.open(path, flags, 0o640)


class Tapped:
    """One row of the listening ring from its first tick on; silence where ticks are missing."""

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, np.frombuffer(bytes.fromhex(name), np.uint8)
        self._ring: Ring | None = None
        self._next: int | None = None             # the tick after the last one given; None: not begun

    def read(self) -> Octets:
        """What is new, uint8[ticks, 2, BLOCK]. Unavailable: it may not be read, or is none of ours."""
        ring = self._open()
        newest = None if ring is None else ring.newest
        if ring is None or newest is None or (self._next is not None and newest < self._next):
            return _silence(0)
        first = newest - ring.ticks + 1 if self._next is None else max(self._next, newest - ring.ticks + 1)
        ticks, ids, audio = ring.read_many(first, newest + 1)
        ours = (ids == self._name).all(axis=2)    # [tick, row]
        at, rows = ours.nonzero()
        if not len(at):
            return _silence(0)
        found = np.array(ticks)[at]
        begin = int(found[0]) if self._next is None else self._next
        given = _silence(min(int(found[-1]) + 1 - begin, MOST_SILENCE))
        places = found - (found[-1] + 1 - len(given))
        given[places[places >= 0]] = audio[at, rows][places >= 0]
        self._next = int(found[-1]) + 1
        return given

    def _open(self) -> Ring | None:
        if self._ring is None or self._ring.replaced():
            try:
                self._ring = Ring.open(self._path)
            except FileNotFoundError:
                self._ring = None                 # spand makes it
            except (OSError, ValueError) as error:
                raise Unavailable(f"{self._path}: {getattr(error, 'strerror', error)}") from None
        return self._ring


def _silence(ticks: int) -> Octets:
    return np.full((ticks, 2, BLOCK), IDLE, np.uint8)


class Progress:
    """Seconds and levels on a terminal, one line that changes; elsewhere nothing until the end."""

    def __init__(self, wanted: Wanted, live: bool) -> None:
        self._wanted, self._live = wanted, live
        self._meters, self._over = levels.Meters(2), np.full(2, TICKS_PER_S)
        self.ticks = 0

    def feed(self, audio: Octets) -> None:
        for block in audio:
            self.ticks += 1
            measured = list(self._meters.feed(g711.decode(block), self._over))
            if measured and self._live:
                said = "   ".join(f"{side} {_level(rms)} (peak {_level(peak)})"
                                  for side, (_, rms, peak) in zip(("in", "out"), measured, strict=True))
                click.echo(f"\r\x1b[K{self._clock()}   {said}", nl=False, err=True)

    def end(self, why: str) -> None:
        click.echo(f"{chr(13)}\x1b[K" * self._live + f"{self._wanted}: {self._clock()} heard{why}", err=True)

    def _clock(self) -> str:
        seconds = self.ticks / TICKS_PER_S
        return f"{int(seconds) // 60:02d}:{seconds % 60:04.1f}"


def _level(dbm0: float) -> str:
    return "  silent" if dbm0 <= levels.SILENT_DBM0 else f"{dbm0:5.1f} dBm0"


async def listen(
    bus: Bus, run_dir: Path, wanted: Wanted, for_s: float | None, out: Path | None,
    terminal: Callable[[], bool] = sys.stderr.isatty,
) -> None:
    """Until `for_s` of audio were heard, the leg has ended, or it is cancelled.

    Refused: no such leg or timeslot, or too many listen. Unavailable: nothing comes.
    """
    listener, progress, why = secrets.token_hex(16), Progress(wanted, terminal()), ""
    lease = Listen(listener=listener, who=person(), for_s=LEASE_S, leg=wanted.leg, span=wanted.span,
                   timeslot=wanted.timeslot)
    await bus.ask(lease)
    try:
        with Sink(out) as sink:
            try:
                tapped = Tapped(run_dir / "listening", listener)
                why = await _follow(bus, lease, tapped, sink, progress, for_s)
            except BrokenPipeError:
                why = ", then nobody read it any more"
            finally:
                progress.end(why)
    finally:
        with contextlib.suppress(BusError):       # the lease ends by itself
            await bus.ask(StopListening(listener=listener))


async def _follow(
    bus: Bus, lease: Listen, tapped: Tapped, sink: Sink, progress: Progress, for_s: float | None,
) -> str:
    """Why it ended, in words that follow "heard"."""
    loop = asyncio.get_running_loop()
    most = None if for_s is None else round(for_s * TICKS_PER_S)
    heard_at = held_at = loop.time()              # held: when the lease was last renewed
    renew_at = held_at + RENEW_S
    while most is None or progress.ticks < most:
        await asyncio.sleep(LOOK_S)
        audio = tapped.read()
        if most is not None:
            audio = audio[:most - progress.ticks]
        sink.write(audio)
        progress.feed(audio)
        if len(audio):
            heard_at = loop.time()
        elif loop.time() > heard_at + SILENT_S:
            raise Unavailable(f"{progress.ticks / TICKS_PER_S:g} s heard, then no audio for {SILENT_S:g} s: "
                              "look whether spand runs, and at the memory of its run folder")
        if loop.time() >= renew_at:
            renew_at = loop.time() + RENEW_S
            try:
                await bus.ask(lease)
                held_at = loop.time()
            except Refused as error:              # the leg has ended, or spand has just begun
                if loop.time() > held_at + AGAIN_S:
                    return f", then: {error}"
            except BusError:                      # spand starts anew
                held_at = loop.time()
    return ""
