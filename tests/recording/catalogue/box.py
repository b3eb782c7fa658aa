"""recordd's parts on a real disk, beside acdd's real log and engine."""

from collections.abc import Generator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from appliance.bus.client import BusError
from appliance.bus.messages import GetRecordingFacts, GetToBeRecorded, Reply, Request
from appliance.centre import recorded
from appliance.centre.projector import ContactProjector
from appliance.recording.audio import Format, Peaks, Silences, encode
from appliance.recording.catalogue import rows
from appliance.recording.catalogue.requests import ANSWERS
from appliance.recording.catalogue.schema import open_catalogue
from appliance.recording.journal.journal import Journal
from appliance.recording.journal.taker import Taker
from appliance.recording.parts import Parts
from appliance.recording.store import Store
from appliance.recording.vault.chain import Chain, of_recording
from appliance.recording.vault.keys import Keys
from appliance.recording.wav import TICK_OCTETS, TICKS_PER_S
from appliance.store.events import FILE, EventLog
from tests.centre.office import Office, in_queue, setup


@dataclass
class Box:
    """`clock` is what recordd's says; `away`: acdd does not answer."""

    parts: Parts
    log: EventLog
    office: Office
    clock: list[float]
    away: bool = False
    warnings: dict[str, str] = field(default_factory=dict)
    logged: int = 0

    def ask(self, request: Request[Any], timeout_s: float = 2.0) -> Any:
        """Of acdd."""
        if self.away:
            raise BusError("acdd is not there")
        assert isinstance(request, GetRecordingFacts | GetToBeRecorded)
        self.sync()
        return recorded.answer(self.log, request)

    def sync(self) -> None:
        """What the office decided is in the log."""
        self.log.append(self.office.log[self.logged:])
        self.logged = len(self.office.log)

    def answer(self, request: Request[Any]) -> Any:
        """recordd's."""
        reply: Reply = ANSWERS[type(request)](self.parts, request)
        return reply

    def talk(self, seconds: float = 60.0, leg: str = "c1") -> str:
        """A customer talks with ann; the contact, which goes on."""
        name = in_queue(self.office, leg)
        [ring] = self.office.ringing().values()
        self.office.answer(ring)
        self.office.pass_time(seconds)
        return name

    def named(self, contact: str) -> list[str]:
        """Recordings of a contact, in order."""
        found: list[str] = []
        for segment in self.office.records[contact].segments:
            if segment.recording and segment.recording not in found:
                found.append(segment.recording)
        return found

    def finish(self, recording: str, began_at: float, audio: bytes = b"\xd5" * (TICK_OCTETS * TICKS_PER_S),
               format: Format = Format.FLAC) -> int:
        """As recordd does at its end; its number."""
        ticks = len(audio) // TICK_OCTETS
        path, seal = self.parts.store.write(recording, began_at, {}, encode(format, [audio], ticks))
        peaks, silences = Peaks(), Silences()
        peaks.add(audio)
        silences.add(audio)
        with self.parts.database.write() as connection:
            return rows.add(connection, rows.Finished(
                recording=recording, began_at=began_at, ended_at=began_at + ticks / TICKS_PER_S,
                duration_ticks=ticks, gap_ticks=0, first_tick=0, format=format.value, octets=seal.octets,
                file_octets=seal.file_octets, sha256=seal.sha256.hex(), path=path, peaks=peaks.write(),
                silences=silences.write()))

    def row(self, recording: str) -> rows.Recording:
        with self.parts.database.read() as connection:
            found = rows.get(connection, recording)
        assert found is not None
        return found

    def chain(self, recording: str) -> list[tuple[str, str]]:
        with self.parts.database.read() as connection:
            return [(entry.kind, entry.by) for entry in of_recording(connection, recording)]


def boxes(folder: Path) -> Generator[Box]:
    office, clock, keys = Office(setup()), [1000.0], Keys(folder / "keys")
    shelf = folder / "recordings"
    shelf.mkdir()
    database = open_catalogue(shelf)
    log = EventLog(folder / FILE, ContactProjector())
    taker = Taker(Journal(shelf / "journal", keys, lambda: 0, 512 * 1024), lambda recording: None)
    others: dict[str, Any] = {one.name: None for one in fields(Parts)    # that the catalogue does not use
                              if one.name not in ("tickets", "stopping", "prompts")}
    parts = Parts(**others | {
        "folder": shelf, "now": lambda: clock[0], "database": database, "keys": keys, "chain": Chain(keys),
        "store": Store(shelf, keys), "taker": taker})
    box = Box(parts, log, office, clock)
    parts.ask, parts.warn = box.ask, box.warnings.__setitem__
    try:
        yield box
    finally:
        parts.tickets.close()
        taker.close()
        database.close()
        log.close()
