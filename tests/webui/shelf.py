"""recordd's own answers behind the pages of a test: real catalogue, chain, keys and files; no daemon."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from appliance.bus.client import Refused
from appliance.bus.messages import (
    ChainEntry,
    DescribeRecording,
    GetRecorder,
    GetRecordingFacts,
    RecordedFacts,
    RecorderState,
    RecorderWarning,
    RecordingDescribed,
    RecordingFacts,
    RecordingMark,
    Reply,
    Request,
)
from appliance.config.load import load
from appliance.errors import BranchlineError
from appliance.media import g711
from appliance.media.ring import Ring
from appliance.recording.audio import Format, Peaks, Silences, encode
from appliance.recording.catalogue import rows, schema
from appliance.recording.daemon import ANSWERS
from appliance.recording.finishing import finish
from appliance.recording.journal.journal import Journal
from appliance.recording.journal.taker import Taker
from appliance.recording.parts import Parts
from appliance.recording.store import Store
from appliance.recording.vault.chain import Chain
from appliance.recording.vault.keys import Keys
from appliance.recording.wav import SAMPLES_PER_S, TICK_OCTETS, TICKS_PER_S
from e1_driver import BLOCK

CONFIG = """\
spans: [{name: telco, url: "virtual:x/a", side: user, trunk: telco}]
"""


def talk(duration_s: float) -> bytes:
    """Caller (left) 440 Hz in the first half, agent (right) 880 Hz in the second; A-law, interleaved."""
    at_s = np.arange(round(duration_s * SAMPLES_PER_S)) / SAMPLES_PER_S
    first = at_s < duration_s / 2
    caller = 12000 * np.sin(2 * np.pi * 440 * at_s) * first * (0.4 + 0.6 * np.abs(np.sin(5 * at_s)))
    agent = 6000 * np.sin(2 * np.pi * 880 * at_s) * ~first * (0.4 + 0.6 * np.abs(np.sin(3 * at_s)))
    return g711.encode(np.stack([caller, agent], axis=1).astype(np.int16)).tobytes()


class Shelf:
    """Recordings as recordd has them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "recordings"
        self.folder.mkdir(parents=True)
        (folder / "box.yaml").write_text(CONFIG)
        keys = Keys(self.folder / "keys")
        self.ring = Ring.create(folder / "ring", 4, 3000)
        self._tick = 1000
        self.warnings: dict[str, RecorderWarning] = {}
        self.parts = Parts(
            folder=self.folder, run_dir=folder, config=load(folder / "box.yaml"), now=time.time, ask=_acdd,
            database=schema.open_catalogue(self.folder), warn=self.warn, keys=keys, chain=Chain(keys),
            store=Store(self.folder, keys),
            taker=Taker(Journal(self.folder / "journal", keys, time.time_ns, 512 * 1024), lambda _: None))

    def warn(self, kind: str, text: str) -> None:
        self.warnings.pop(kind, None)
        if text:
            self.warnings[kind] = RecorderWarning(kind=kind, text=text, since=time.time())

    def answer(self, request: Request[Any]) -> Reply:
        """recordd's; Refused as it would."""
        if isinstance(request, GetRecorder):
            return RecorderState(warnings=list(self.warnings.values()))
        try:
            return ANSWERS[type(request)](self.parts, request)
        except BranchlineError as error:
            raise Refused(str(error)) from None

    def finish(self, recording: str, audio: bytes, format: Format = Format.OPUS, ago_s: float = 60.0,
               marks: tuple[tuple[str, float, str], ...] = (), **facts: Any) -> None:
        """As recordd does at its end; `marks`: kind, seconds from its begin, detail."""
        ticks, began_at = len(audio) // TICK_OCTETS, time.time() - ago_s
        path, seal = self.parts.store.write(recording, began_at, {}, encode(format, [audio], ticks))
        peaks, silences = Peaks(), Silences()
        peaks.add(audio)
        silences.add(audio)
        with self.parts.database.write() as connection:
            rows.add(connection, rows.Finished(
                recording=recording, began_at=began_at, ended_at=began_at + ticks / TICKS_PER_S,
                duration_ticks=ticks, gap_ticks=0, first_tick=0, format=format.value, octets=seal.octets,
                file_octets=seal.file_octets, sha256=seal.sha256.hex(), path=path, peaks=peaks.write(),
                silences=silences.write()))
            self.parts.chain.append(connection, time.time(), "recorded", recording, "recordd", {})
            fields: dict[str, Any] = {
                "contact": "e1", "direction": "in", "calling": "13800138000", "called": "5001",
                "queue": "sales", "agent": "anna", "kind": "talk", "trunk": "telco"} | facts
            rows.update_facts(connection, RecordingFacts(
                recording=recording, final=True, began_at=began_at, ended_at=began_at + ticks / TICKS_PER_S,
                marks=[RecordingMark(kind=kind, at=began_at + at_s, detail=detail)
                       for kind, at_s, detail in marks], **fields), 1, time.time(), True)

    def grow(self, recording: str, seconds: float) -> None:
        """So much more of one that is being made is in the journal."""
        audio = np.frombuffer(talk(seconds), np.uint8).reshape(-1, BLOCK, 2).transpose(0, 2, 1).copy()
        row = np.array([list(bytes.fromhex(recording))], np.uint8)
        for block in audio:
            self.ring.write(self._tick, row, block[None])
            self._tick += 1
        self.parts.taker.batch(self.ring)

    def end(self, recording: str) -> None:
        """One that was being made is finished."""
        assert finish(self.parts, recording, 10.0) is not None

    def entries(self, recording: str) -> list[ChainEntry]:
        """What was done with it, but for its making."""
        described = self.answer(DescribeRecording(recording=recording))
        assert isinstance(described, RecordingDescribed)
        return described.entries[1:]

    def close(self) -> None:
        self.parts.tickets.close()
        self.parts.taker.close()
        self.parts.database.close()


@contextmanager
def shelf_in(folder: Path) -> Iterator[Shelf]:
    shelf = Shelf(folder)
    try:
        yield shelf
    finally:
        shelf.close()


def _acdd(request: Request[Any], timeout_s: float = 2.0) -> Any:
    assert isinstance(request, GetRecordingFacts), f"nobody is asked {request}"
    now = time.time()
    facts = [RecordingFacts(recording=name, final=True, contact="e1", began_at=now - 9.0, ended_at=now)
             for name in request.recordings]
    return RecordedFacts(facts=facts, seq=1, changed=[], changed_to=1)
