"""Some seconds of recordd, and what must have come of them in the end."""

from collections import Counter

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from appliance.errors import BranchlineError
from appliance.recording.catalogue.schema import recordings
from appliance.recording.finishing import finish
from appliance.recording.parts import Parts
from appliance.recording.vault.chain import page, verify
from tests.recording.power.subject import BEGIN_TICK, running
from tests.recording.power.test_power import heard, spoken
from tests.recording.rings import Feeder

ROWS, TICKS, BATCHES = 3, 100, 12
AFTER = 6                                         # batches until all that was said has ended and is finished
REFUSED = (OSError, ValueError, SQLAlchemyError, BranchlineError)    # as recordd's loops take them


def turn(parts: Parts, feeder: Feeder, *names: str) -> None:
    """A second of recordd."""
    feeder.write(TICKS, *names)
    for name in parts.taker.batch(feeder.ring):
        try:
            finish(parts, name, 0.0)
        except REFUSED:
            continue                              # with the next batch
    parts.taker.refill()


def examine(parts: Parts) -> None:
    """Everything is finished, once, with the audio that was said; nothing else is there."""
    said: dict[str, list[range]] = {}
    for batch in range(BATCHES):
        begin = BEGIN_TICK + batch * TICKS
        for name in running(batch, ROWS):
            said.setdefault(name, []).append(range(begin, begin + TICKS))
    with parts.database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        found = {row.recording: row.path for row in connection.execute(select(recordings))}
        assert Counter(one.recording for one in page(connection)) == Counter(said.keys()), "the chain"
        assert verify(connection) is None
    assert found.keys() == said.keys()
    for name, ticks in said.items():
        assert heard(parts, name) == spoken(name, tuple(ticks)), name
    on_disk = {str(path.relative_to(parts.folder)) for path in parts.folder.rglob("*.blr*")}
    assert on_disk == set(found.values())
