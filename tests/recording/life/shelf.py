"""Recordings as recordd keeps them: real files, keys, catalogue and chain; the clock is the test's."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from sqlalchemy import select

from appliance.bus.messages import RecordingFacts
from appliance.config.archive import ArchiveConfig
from appliance.config.retention import RetentionConfig
from appliance.config.schema import Config
from appliance.recording.catalogue import rows
from appliance.recording.catalogue.schema import open_catalogue, recordings
from appliance.recording.life.rules import DAY_S
from appliance.recording.parts import Parts
from appliance.recording.store import Store
from appliance.recording.vault.chain import Chain, of_recording, verify
from appliance.recording.vault.keys import Keys

NOW = 1_790_000_000.0


@dataclass
class Shelf:
    folder: Path
    now: float = NOW
    warnings: dict[str, str] = field(default_factory=dict)
    parts: Parts = field(init=False)
    _added: int = 0

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """As recordd starts, also after a cut."""
        self.folder.mkdir(exist_ok=True)
        keys = Keys(self.folder / "keys")
        config = getattr(self, "parts", None) and self.parts.config
        values: dict[str, Any] = {
            "folder": self.folder, "run_dir": self.folder.parent / "run",
            "now": lambda: self.now, "warn": self._warn,
            "keys": keys, "chain": Chain(keys), "database": open_catalogue(self.folder),
            "store": Store(self.folder, keys),
            "config": config or Config.model_validate(
                {"spans": [{"name": "span1", "url": "virtual:x/b", "side": "user", "trunk": "telco"}]})}
        made = {name: values.get(name) for name in Parts.__dataclass_fields__
                if name not in ("stopping", "tickets")}
        self.parts = Parts(**cast(Any, made))

    def restart(self) -> None:
        self.parts.database.close()
        self.start()

    def configure(self, retention: RetentionConfig | None = None,
                  archive: ArchiveConfig | None = None) -> None:
        changed = {"retention": retention, "archive": archive}
        self.parts.config = self.parts.config.model_copy(
            update={key: value for key, value in changed.items() if value is not None})

    def add(self, days_ago: float, octets: int = 1000, **facts: Any) -> str:
        """A finished recording of which acdd has told."""
        self._added += 1
        name = f"{self._added:032x}"
        began_at = self.now - days_ago * DAY_S
        audio = bytes([self._added % 251]) * octets
        path, seal = self.parts.store.write(name, began_at, {"format": "opus"}, [audio])
        with self.parts.database.write() as connection:
            rows.add(connection, rows.Finished(
                recording=name, began_at=began_at, ended_at=began_at + 10, duration_ticks=1000, gap_ticks=0,
                first_tick=0, format="opus", octets=seal.octets, file_octets=seal.file_octets,
                sha256=seal.sha256.hex(), path=path, peaks=b"\1", silences=b""))
        self.tell(name, **{"contact": f"c{self._added}", "kind": "talk"} | facts)
        return name

    def tell(self, name: str, **facts: Any) -> None:
        with self.parts.database.write() as connection:
            rows.update_facts(connection, RecordingFacts(recording=name, **facts), 1, self.now, True)

    def row(self, name: str) -> rows.Recording:
        with self.parts.database.read() as connection:
            row = rows.get(connection, name)
        assert row is not None
        return row

    def states(self) -> dict[str, str]:
        with self.parts.database.read() as connection:
            return {name: state for name, state in connection.execute(
                select(recordings.c.recording, recordings.c.state).order_by(recordings.c.number))}

    def has_file(self, name: str) -> bool:
        return (self.folder / self.row(name).path).exists()

    def said(self, name: str) -> list[str]:
        """Kinds of its chain entries; the chain holds."""
        with self.parts.database.read() as connection:
            assert verify(connection) is None
            return [entry.kind for entry in of_recording(connection, name)]

    def _warn(self, kind: str, text: str) -> None:
        if text:
            self.warnings[kind] = text
        else:
            self.warnings.pop(kind, None)


def shelves(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path / "recordings")
    yield made
    made.parts.database.close()
