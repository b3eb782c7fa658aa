"""Recordings for the telephone: lent to it as a file for a time, and spoken prompts out of recordings.

What is lent lies unsealed in run/lent, which is memory and gone after a boot; a file's time of change is when
it goes, its name begins with the recording's. Who asked is in the chain before the audio leaves the vault.
"""

import contextlib
import io
import os
import secrets
import wave
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from appliance.bus.messages import Done, KeepAsPrompt, LendRecording, LentRecording
from appliance.errors import StateError
from appliance.media import g711, voice
from appliance.media.prompts import LENT, MAX_OCTETS, SUFFIX, wav
from appliance.recording.audio import Format, decode
from appliance.recording.catalogue import rows
from appliance.recording.parts import Answers, Parts
from appliance.recording.prompts import shelf
from appliance.recording.wav import TICK_OCTETS, TICKS_PER_S

LOOK_S = 30.0                                     # between two looks at what is lent
LONGEST_S = 3600.0                                # that a recording is lent for
MOST_LENT_OCTETS = 4 * MAX_OCTETS                 # of memory, by all: what ends first goes for what comes
MOST_S = MAX_OCTETS // 8000                       # of a play
PROMPT_MOST_S = 600.0

_QUIET = 200.0                                    # linear steps: nobody said anything


def both_sides(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Interleaved A-law -> A-law in which both are heard."""
    for block in blocks:
        sides = g711.decode(np.frombuffer(block, np.uint8).reshape(-1, 2)).astype(np.int32)
        yield g711.encode(sides.sum(axis=1).clip(-32767, 32767).astype(np.int16)).tobytes()


def spoken(blocks: Iterable[bytes]) -> g711.Octets:
    """The caller's side as a prompt: without the silence at its ends, at a prompt's level.

    StateError: nothing was said.
    """
    left = np.frombuffer(b"".join(blocks), np.uint8)[::2]
    linear = g711.decode(left)
    if not left.size or np.abs(linear.astype(np.int32)).max() < _QUIET:
        raise StateError("nothing was said: record it again")
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(linear.astype("<i2").tobytes())
    return voice.recording(file.getvalue())


def tend(parts: Parts, now: float) -> float:
    """What was lent for long enough goes; when to look again."""
    with contextlib.suppress(FileNotFoundError):
        for path in list((parts.run_dir / LENT).iterdir()):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime <= now:
                    path.unlink()
    return now + LOOK_S


def take_back(parts: Parts, recording: str) -> None:
    """Nobody hears it any more, but for what of it is being played."""
    for path in (parts.run_dir / LENT).glob(f"{recording}*"):
        path.unlink(missing_ok=True)


def _make_room(folder: Path, octets: int) -> None:
    lent = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in folder.glob(f"*{SUFFIX}"))
    total = sum(size for _, size, _ in lent)
    for _, size, path in lent:
        if total + octets > MOST_LENT_OCTETS:
            path.unlink(missing_ok=True)
            total -= size


def _lend(parts: Parts, asked: LendRecording) -> LentRecording:
    if not asked.by:
        raise StateError("by: who hears it?")
    if not 1 <= asked.for_s <= LONGEST_S:
        raise StateError(f"for_s: {asked.for_s:g}: write 1 to {LONGEST_S:g}")
    ticks, blocks = _audio(parts, asked.recording)
    if ticks > MOST_S * TICKS_PER_S:
        raise StateError(f"{asked.recording}: is longer than {MOST_S} s: hear it in the browser")
    with parts.database.write() as connection:
        parts.chain.append(connection, parts.now(), "listened", asked.recording, asked.by,
                           {"purpose": "replay"})
    octets = np.frombuffer(b"".join(both_sides(blocks)), np.uint8)
    name, now, folder = asked.recording + secrets.token_hex(16), parts.now(), parts.run_dir / LENT
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    _make_room(folder, octets.size)
    new, place = folder / f".{name}", folder / f"{name}{SUFFIX}"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
    with os.fdopen(descriptor, "wb") as file:
        file.write(wav(octets))
    os.utime(new, (now, now + asked.for_s))
    new.rename(place)
    with parts.database.read() as connection:
        row = rows.get(connection, asked.recording)
    if row is not None and row.state == "erased":
        place.unlink(missing_ok=True)             # meanwhile
        raise StateError(f"{asked.recording}: was erased: {row.erased_why}")
    return LentRecording(fragment=f"{LENT}:{name}", duration_s=octets.size / 8000)


def _keep(parts: Parts, asked: KeepAsPrompt) -> Done:
    shelf.refuse_name(asked.name)
    if not asked.by:
        raise StateError("by: whose prompt is it?")
    ticks, blocks = _audio(parts, asked.recording)
    if ticks > PROMPT_MOST_S * TICKS_PER_S:
        raise StateError(f"{asked.recording}: is longer than {PROMPT_MOST_S:g} s: record a shorter one")
    shelf.put(parts, asked.name, wav(spoken(blocks)), "put", asked.by, "spoken", also=lambda connection:
              parts.chain.append(connection, parts.now(), "prompt", asked.recording, asked.by,
                                 {"name": asked.name}))
    return Done()


def _audio(parts: Parts, recording: str) -> tuple[int, Iterator[bytes]]:
    """Ticks, and blocks of both sides. StateError: it is not there, or no more."""
    with parts.database.read() as connection:
        row = rows.get(connection, recording)
    if row is not None and row.state != "erased":
        return row.duration_ticks, _stored(parts, row)
    if row is not None:
        raise StateError(f"{recording}: was erased: {row.erased_why}")
    try:
        of = parts.taker.timeline(recording)
    except ValueError:
        raise StateError(f"{recording}: there is no such recording") from None
    return of.ticks, parts.taker.audio(recording, of)


def _stored(parts: Parts, row: rows.Recording) -> Iterator[bytes]:
    try:
        with parts.store.open(row.path) as reader:
            for block in decode(Format(row.format), reader.stream()):
                yield block[:len(block) // TICK_OCTETS * TICK_OCTETS]
    except FileNotFoundError:
        raise StateError(f"{row.recording}: its file is not on this box") from None


ANSWERS: Answers = {LendRecording: _lend, KeepAsPrompt: _keep}
