"""What ended becomes a file: journal -> its format -> sealed -> its place, durably -> catalogue and chain.

Only then may the journal let it go: a power cut at any point leaves it in the journal, and it is done anew.
A recording that comes back after its end is written again, with what is new behind it.
"""

import itertools
import json
import logging
from collections.abc import Iterable, Iterator
from threading import Event

from appliance.bus.client import BusError
from appliance.bus.messages import GetRecordingFacts, RecordingFacts, RecordingInfo
from appliance.errors import StateError
from appliance.recording.audio import Format, Peaks, Silences, decode, encode, looked_at
from appliance.recording.catalogue import described, rows
from appliance.recording.catalogue.rows import Recording
from appliance.recording.journal.timeline import MAX_HOLE_TICKS, Timeline, goes_on
from appliance.recording.parts import Parts
from appliance.recording.vault.chain import of_recording
from appliance.recording.wav import SILENCE, TICK_OCTETS, TICKS_PER_S

FORMATS = {"small": Format.OPUS, "original": Format.FLAC}            # as the policy names them
PATIENCE_S = 60.0                                 # with acdd, which knows what it is and whether it goes on

log = logging.getLogger(__name__)


def finish(parts: Parts, recording: str, waited_s: float) -> RecordingInfo | None:
    """Write it; None: ask again, for acdd is away or says that it goes on. `waited_s`: since it ended.

    OSError, BranchlineError, sqlalchemy's: it stays in the journal.
    """
    try:
        of = parts.taker.timeline(recording)
    except ValueError:                            # finished, and forgotten since we were told of it
        return None
    with parts.database.read() as connection:
        before = rows.get(connection, recording)
    if before is not None and _has_all(before, of):
        parts.taker.release(recording, of.end_tick)       # finished, and not forgotten yet
        return None
    if before is not None and before.state == "archived":
        raise StateError(f"{recording}: came back, and what was before is in the archive only: "
                         "have it brought back first")
    facts = _facts(parts, recording)
    if waited_s < PATIENCE_S and (facts is None or (facts.contact and not facts.ended_at)):
        return None
    if facts is not None and facts.unwanted and not facts.final:
        return None                               # somebody may still keep it
    if (facts is not None and facts.unwanted) or (before is not None and before.state == "erased"):
        return _discard(parts, recording, of, before)
    # Without a word from acdd nothing is thrown away of how it sounds.
    format = Format.FLAC if facts is None else FORMATS.get(
        facts.format, FORMATS[parts.config.recording.format])
    return _write(parts, recording, of, format, before)


def ended_tick(row: Recording) -> int:
    """The tick of the ring after its last."""
    return row.first_tick + row.duration_ticks


def _facts(parts: Parts, recording: str) -> RecordingFacts | None:
    try:
        found = parts.ask(GetRecordingFacts(recordings=[recording])).facts
    except BusError as error:
        log.debug("%s: finished later: %s", recording, error)
        return None
    return next((one for one in found if one.recording == recording), None)


def _has_all(before: Recording, of: Timeline) -> bool:
    return of.end_tick <= ended_tick(before) and goes_on(ended_tick(before), of.end_tick)


def _write(parts: Parts, recording: str, of: Timeline, format: Format,
           before: Recording | None) -> RecordingInfo:
    began_at, first, gap_ticks = parts.taker.began_at(recording), 0, of.gap_ticks
    earlier: Iterable[bytes] = ()
    ticks = of.ticks
    if before is not None:
        began_at, format = before.began_at, Format(before.format)
    # The journal may have all of it still: then it is not coded a second time.
    if before is not None and not (of.first_tick <= before.first_tick
                                   and goes_on(ended_tick(before), of.end_tick)):
        hole = of.first_tick - ended_tick(before) if goes_on(ended_tick(before), of.first_tick) else 0
        first = min(of.ticks, max(0, -hole))      # that it has already
        silent = hole if 0 < hole <= MAX_HOLE_TICKS else 0
        gap_ticks += before.gap_ticks + max(0, hole)
        ticks += before.duration_ticks + silent - first
        earlier = itertools.chain(_stored(parts, before), (SILENCE * (silent * TICK_OCTETS),))
    peaks, silences = Peaks(), Silences()
    audio = _until(parts.stopping, itertools.chain(earlier, parts.taker.audio(recording, of, first)))
    path, seal = parts.store.write(
        recording, began_at,
        {"recording": recording, "began_at": began_at, "ticks": ticks, "gap_ticks": gap_ticks,
         "format": format.value},
        encode(format, looked_at(audio, peaks, silences), ticks))
    finished = rows.Finished(
        recording=recording, began_at=began_at, ended_at=began_at + ticks / TICKS_PER_S,
        duration_ticks=ticks, gap_ticks=gap_ticks, first_tick=of.end_tick - ticks, format=format.value,
        octets=seal.octets, file_octets=seal.file_octets, sha256=seal.sha256.hex(), path=path,
        peaks=peaks.write(), silences=silences.write())
    with parts.database.write() as connection:
        row = rows.get(connection, recording)
        if row is not None and row.state != "kept":
            parts.store.erase(recording, began_at)
            raise StateError(f"{recording}: was erased while it was written anew")     # next time: discarded
        if row is not None:
            described.tell_altered(connection, parts.chain, parts.now(), row.number)
        (rows.add if before is None else rows.replace)(connection, finished)
        parts.chain.append(connection, parts.now(), "recorded", recording, "", {
            "sha256": finished.sha256, "octets": seal.octets, "format": format.value,
            "ticks": ticks, "gap_ticks": gap_ticks, "began_at": began_at})
        if row is not None:
            described.describe(connection, parts.chain, parts.now(), row.number)
    parts.taker.release(recording, of.end_tick)
    log.info("%s: finished, %.2f s, gaps %.2f s, %d octets of %s", recording, ticks / TICKS_PER_S,
             gap_ticks / TICKS_PER_S, seal.file_octets, format)
    return RecordingInfo(
        recording=recording, known=True, finished=True, duration_s=ticks / TICKS_PER_S,
        gap_s=gap_ticks / TICKS_PER_S, format=format.value, octets=seal.octets)


def _discard(parts: Parts, recording: str, of: Timeline, before: Recording | None) -> RecordingInfo:
    """Nobody kept what was recorded on demand; or it was erased, and then came back."""
    why = "nobody kept it" if before is None else before.erased_why
    if before is None:                            # written, perhaps, when the catalogue could not be
        parts.store.erase(recording, parts.taker.began_at(recording))
    with parts.database.write() as connection:
        # A journal that was not cut since has it again at the next start.
        known = any(entry.kind == "discarded" and json.loads(entry.data)["ticks"] == of.ticks
                    for entry in of_recording(connection, recording))
        if not known:
            parts.chain.append(connection, parts.now(), "discarded", recording, "", {
                "why": why, "ticks": of.ticks})
    parts.taker.release(recording, of.end_tick)
    if not known:
        log.info("%s: %.2f s not kept: %s", recording, of.ticks / TICKS_PER_S, why)
    return RecordingInfo(recording=recording, known=True, finished=True, erased=why)


def _stored(parts: Parts, row: Recording) -> Iterator[bytes]:
    """What the row tells of: the file may be longer, when the catalogue could not be written after it."""
    left = row.duration_ticks * TICK_OCTETS
    with parts.store.open(row.path) as reader:
        for block in decode(Format(row.format), reader.stream()):
            yield block[:left]
            left -= len(block)
            if left <= 0:
                return


def _until(stopping: Event, blocks: Iterable[bytes]) -> Iterator[bytes]:
    for block in blocks:
        if stopping.is_set():
            raise StateError("recordd stops: it is finished at its next start")
        yield block
