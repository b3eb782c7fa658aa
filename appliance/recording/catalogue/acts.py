"""What people did to a recording while it ran: into the chain, once each, and held against the audio.

A tick in the chain is counted from the recording's first.
"""

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection

from appliance.bus.messages import PauseChecked, RecordingAct, RecordingFacts
from appliance.errors import BranchlineError
from appliance.recording.audio import Format, decode
from appliance.recording.audio.waveform import QUIET_PEAK, tick_peaks
from appliance.recording.catalogue.rows import Recording
from appliance.recording.parts import Parts
from appliance.recording.vault.chain import of_recording
from appliance.recording.vault.links import Entry
from appliance.recording.wav import TICK_OCTETS, TICKS_PER_S

EDGE_TICKS = 5                                    # at both ends of a pause a codec smears what is beside it


def chain_acts(parts: Parts, connection: Connection, row: Recording, facts: RecordingFacts) -> None:
    """Those that the chain does not have, in the caller's transaction.

    One whose tick spand has yet to tell waits, and those behind it, while the contact goes on.
    """
    if not facts.acts:
        return
    there = {(entry.kind, entry.facts.get("at")) for entry in of_recording(connection, row.recording)}
    for act in facts.acts:
        tick = _tick(act, row, facts)
        if tick is None and act.kind in ("paused", "resumed") and not facts.final:
            return
        if (act.kind, act.at) not in there:
            parts.chain.append(connection, parts.now(), act.kind, row.recording, act.by,
                               {"at": act.at} if tick is None else {"at": act.at, "tick": tick})


def check_pauses(parts: Parts, row: Recording, entries: Iterable[Entry]) -> list[PauseChecked]:
    """Is there silence where the chain says so? Of pauses whose beginning is known."""
    return [PauseChecked(from_s=first / TICKS_PER_S, to_s=end / TICKS_PER_S, by=by,
                         silent=_silent(parts, row, first, end))
            for first, end, by in _paused(entries, row.duration_ticks)]


def _tick(act: RecordingAct, row: Recording, facts: RecordingFacts) -> int | None:
    """None: it is not known, or not in this recording."""
    if act.kind == "paused" and act.at <= facts.began_at:
        return 0                                  # it began so
    tick = act.tick - row.first_tick
    return tick if act.tick and 0 <= tick <= row.duration_ticks else None


def _paused(entries: Iterable[Entry], ticks: int) -> Iterator[tuple[int, int, str]]:
    """From tick to tick, by whom."""
    since: tuple[int, str] | None = None
    for entry in entries:
        if entry.kind not in ("paused", "resumed"):
            continue
        tick = entry.facts.get("tick")
        if since is not None and entry.kind == "resumed" and tick is not None:
            yield since[0], tick, since[1]
        since = (tick, entry.by) if entry.kind == "paused" and tick is not None else None
    if since is not None:
        yield since[0], ticks, since[1]


def _silent(parts: Parts, row: Recording, first: int, end: int) -> bool | None:
    first, end = first + EDGE_TICKS, end - EDGE_TICKS
    if row.state != "kept":
        return None
    try:
        with parts.store.open(row.path) as reader:
            return all(_quiet(block) for block in _between(
                decode(Format(row.format), reader.stream(), first), end - first))
    except (OSError, BranchlineError, ValueError):
        return None


def _between(blocks: Iterator[bytes], ticks: int) -> Iterator[bytes]:
    left = ticks * TICK_OCTETS
    while left > 0 and (block := next(blocks, b"")):
        yield block[:left]
        left -= len(block)


def _quiet(block: bytes) -> bool:
    return bool((tick_peaks(block[:len(block) // TICK_OCTETS * TICK_OCTETS]) <= QUIET_PEAK).all())
