"""Recordings of before, FOLDER/YYYY/MM/DD/<id>.wav, into the store: octet for octet, one at a time.

A kill at any point leaves the old file, or both; then it is done again, or what is left of it.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from appliance.bus.client import BusError
from appliance.bus.messages import GetRecordingFacts, RecordedFacts
from appliance.errors import StateError
from appliance.recording.audio import Format, Peaks, Silences, decode, encode, looked_at
from appliance.recording.catalogue import rows
from appliance.recording.catalogue.learning import AWAY_S
from appliance.recording.folders import sync_folder
from appliance.recording.parts import Parts
from appliance.recording.wav import HEAD_OCTETS, TICK_OCTETS, TICKS_PER_S, Header, ticks_in

WARNING = "import"
AGAIN_S = 3600.0

_BLOCK_OCTETS = TICKS_PER_S * TICK_OCTETS
_PLACES = "[0-9][0-9][0-9][0-9]/[0-9][0-9]/[0-9][0-9]/*.wav"


def tend(parts: Parts, now: float) -> float:
    """Take in all there are; when to look again. What cannot be taken stays, and is told."""
    failed = ""
    for path in sorted(parts.folder.glob(_PLACES)):
        if parts.stopping.is_set():
            break
        try:
            import_old(parts, path)
        except (StateError, OSError) as error:
            failed = failed or f"an older recording is left where it is: {error}"
        except BusError:
            return now + AWAY_S                   # acdd knows when it began
    parts.warn(WARNING, failed)
    return now + AGAIN_S


def import_old(parts: Parts, path: Path) -> None:
    """Into store, catalogue and chain, then compared, then the old file goes.

    StateError, OSError: it stays, being no recording of ours, or not whole in the store. BusError: no acdd.
    """
    with path.open("rb") as file:
        header = _header(path, file)
        with parts.database.read() as connection:
            row = rows.get(connection, header.recording)
        if row is None:
            _put(parts, path, header, file)
            with parts.database.read() as connection:
                row = rows.get(connection, header.recording)
        if row is not None and row.state == "kept":
            with parts.store.open(row.path) as sealed:
                kept = _digest(decode(Format(row.format), sealed.stream()))
            if kept != _digest(_audio(file, header)):
                raise StateError(f"{path}: is not the same as what is kept as {row.path}: compare them")
    path.unlink()
    sync_folder(path.parent)


def _header(path: Path, file: BinaryIO) -> Header:
    """As far as there is audio."""
    try:
        header = Header.read(file.read(HEAD_OCTETS))
    except ValueError as error:
        raise StateError(f"{path}: {error}: move it away") from None
    if header.recording != path.stem:
        raise StateError(f"{path}: holds recording {header.recording}: give it its name back")
    ticks = ticks_in(path.stat().st_size)
    return header if ticks == header.ticks else header.with_ticks(ticks)


def _put(parts: Parts, path: Path, header: Header, file: BinaryIO) -> None:
    told: RecordedFacts = parts.ask(GetRecordingFacts(recordings=[header.recording]))
    began_at = told.facts[0].began_at or path.stat().st_mtime - header.duration_s
    peaks, silences = Peaks(), Silences()
    about = {"recording": header.recording, "began_at": began_at, "ticks": header.ticks,
             "gap_ticks": header.gap_ticks, "format": Format.FLAC.value}
    place, seal = parts.store.write(
        header.recording, began_at, about,
        encode(Format.FLAC, looked_at(_audio(file, header), peaks, silences), header.ticks))
    finished = rows.Finished(
        recording=header.recording, began_at=began_at, ended_at=began_at + header.duration_s,
        duration_ticks=header.ticks, gap_ticks=header.gap_ticks, first_tick=header.first_tick,
        format=Format.FLAC.value, octets=seal.octets, file_octets=seal.file_octets,
        sha256=seal.sha256.hex(), path=place, peaks=peaks.write(), silences=silences.write())
    with parts.database.write() as connection:
        rows.add(connection, finished)
        parts.chain.append(connection, parts.now(), "recorded", header.recording, "", {
            "sha256": finished.sha256, "octets": seal.octets, "format": finished.format,
            "ticks": header.ticks, "gap_ticks": header.gap_ticks, "began_at": began_at,
            "imported": path.relative_to(parts.folder).as_posix()})


def _audio(file: BinaryIO, header: Header) -> Iterator[bytes]:
    file.seek(HEAD_OCTETS)
    left = header.ticks * TICK_OCTETS
    while left and (block := file.read(min(left, _BLOCK_OCTETS))):
        left -= len(block)
        yield block


def _digest(blocks: Iterable[bytes]) -> bytes:
    digest = hashlib.sha256()
    for block in blocks:
        digest.update(block)
    return digest.digest()
