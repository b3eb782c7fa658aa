"""What recordd does with calls, without its clock: the program whose system calls are looked at.

python -m tests.recording.power.subject FOLDER ROWS TICKS BATCHES; it writes what is safe to FOLDER/said.
"""

import os
import sys
from pathlib import Path
from typing import Any

from appliance.bus.messages import GetRecordingFacts, RecordedFacts, RecordingFacts, Request
from appliance.config.schema import Config
from appliance.recording.catalogue import rows
from appliance.recording.catalogue.schema import open_catalogue
from appliance.recording.finishing import ended_tick, finish
from appliance.recording.journal.journal import Journal
from appliance.recording.journal.taker import Taker
from appliance.recording.parts import Parts
from appliance.recording.store import Store
from appliance.recording.vault.chain import Chain
from appliance.recording.vault.keys import Keys
from tests.recording.rings import Feeder

BEGIN_TICK = 1000
SEGMENT_OCTETS = 1024 * 1024


def recording(row: int, turn: int) -> str:
    return f"{row + 1:016x}{turn:016x}"


def running(batch: int, rows_: int) -> list[str]:
    """Who is recorded in that batch: each row has a call of two to five batches, then a pause of four."""
    found = []
    for row in range(rows_):
        period = 6 + row % 4
        turn, into = divmod(batch + row * 3, period)
        if into < period - 4:
            found.append(recording(row, turn))
    return found


def ask(request: Request[Any], timeout_s: float = 2.0) -> Any:
    """acdd's part: every recording is of a contact that has ended."""
    assert isinstance(request, GetRecordingFacts)
    return RecordedFacts(seq=1, changed=[], changed_to=1, facts=[
        RecordingFacts(recording=one, contact=f"c{one}", final=True, began_at=1.0, ended_at=2.0,
                       format="original") for one in request.recordings])


def build(state: Path, config: Config) -> Parts:
    """recordd's parts as its daemon has them."""
    folder = state / "recordings"
    folder.mkdir(parents=True, exist_ok=True)
    keys = Keys(folder / "keys")
    database = open_catalogue(folder)

    def until(name: str) -> int | None:
        with database.read() as connection:
            row = rows.get(connection, name)
        return None if row is None else ended_tick(row)

    taker = Taker(Journal(folder / "journal", keys, lambda: 0, SEGMENT_OCTETS), until)
    return Parts(folder=folder, run_dir=state, config=config, now=lambda: 1.7e9, ask=ask, database=database,
                 warn=lambda kind, text: None, keys=keys, chain=Chain(keys), store=Store(folder, keys),
                 taker=taker)


def main(folder: Path, rows_: int, ticks: int, batches: int) -> None:
    config = Config.model_validate({"spans": [{"name": "a", "url": "virtual:/tmp/a", "side": "user",
                                               "trunk": "a"}]})
    feeder = Feeder(folder / "ring", rows=rows_)
    parts = build(folder / "state", config)
    said = os.open(folder / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    feeder.tick = BEGIN_TICK
    for batch in range(batches):
        feeder.write(ticks, *running(batch, rows_))
        ended = parts.taker.batch(feeder.ring)
        parts.taker.refill()
        os.write(said, f"taken {feeder.tick}\n".encode())
        for name in ended:
            if finish(parts, name, 0.0) is not None:
                os.write(said, f"finished {name}\n".encode())
    # Not closed: what is safe is so already.
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:5]))
