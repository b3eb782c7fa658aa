"""A box's vault with recordings in it, for tests."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from appliance.recording.catalogue.rows import Finished, add
from appliance.recording.catalogue.schema import open_catalogue
from appliance.recording.parts import Parts
from appliance.recording.prompts.drafts import Drafts
from appliance.recording.store import Store
from appliance.recording.vault.chain import Chain
from appliance.recording.vault.keys import Keys

NOON = 1_790_000_000.0


@dataclass
class Box:
    parts: Parts
    clock: list[float]
    warnings: dict[str, str] = field(default_factory=dict)

    def record(self, number: int, octets: bytes) -> str:
        """A finished recording with this for its audio, as finishing leaves it."""
        name, parts = f"{number:032x}", self.parts
        path, seal = parts.store.write(name, self.clock[0], {"format": "wav"}, [octets])
        with parts.database.write() as connection:
            add(connection, Finished(
                recording=name, began_at=self.clock[0], ended_at=self.clock[0] + 1, duration_ticks=100,
                gap_ticks=0, first_tick=0, format="wav", octets=seal.octets, file_octets=seal.file_octets,
                sha256=seal.sha256.hex(), path=path, peaks=b"", silences=b""))
            parts.chain.append(connection, self.clock[0], "recorded", name, "", {"sha256": seal.sha256.hex()})
        return name

    def say(self, kind: str, recording: str = "", by: str = "li", **data: Any) -> None:
        with self.parts.database.write() as connection:
            self.parts.chain.append(connection, self.clock[0], kind, recording, by, data)


def make_box(folder: Path) -> Box:
    folder.mkdir(exist_ok=True)
    clock, warnings = [NOON], dict[str, str]()
    keys = Keys(folder / "keys")
    ours = {"folder": folder, "now": lambda: clock[0], "database": open_catalogue(folder),
            "warn": warnings.__setitem__, "keys": keys, "chain": Chain(keys), "store": Store(folder, keys),
            "prompts": Drafts()}
    others: dict[str, Any] = {one.name: None for one in fields(Parts)}   # the vault does not use them
    return Box(Parts(**others | ours), clock, warnings)
