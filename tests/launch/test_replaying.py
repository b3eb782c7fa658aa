"""Days of the event log, read to be played again: a whole day or none, in the box's own time zone."""

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, create_engine, insert

from appliance.errors import ConfigError
from appliance.launch import replaying
from appliance.launch.replaying import _midnight, _read, _zone_name
from appliance.store.records import ContactRecord
from appliance.store.schema import contacts, events, metadata

DAY, ZONE = date(2026, 3, 2), ZoneInfo("Asia/Shanghai")
NOON = _midnight(DAY, ZONE) + 12 * 3600


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four calls came in that day, and nine went out."""
    monkeypatch.setattr(replaying, "MOST_CALLS", 4)
    monkeypatch.setattr(replaying, "MOST_MOVES", 3)
    path = tmp_path / "log.sqlite"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        metadata.create_all(connection)
        for number in range(9):
            called(connection, f"out{number}", "out")
        for number in range(4):
            called(connection, f"in{number}", "in")
        for number in range(3):
            joined(connection, number)
    engine.dispose()
    return path


def called(connection: Connection, name: str, direction: str) -> None:
    record = ContactRecord(contact=name, direction=direction, calling="139", called="5001", began_at=NOON,
                           state="ended")
    values = {column.name: getattr(record, column.name) for column in contacts.c}
    connection.execute(insert(contacts).values(values))


def joined(connection: Connection, number: int) -> None:
    connection.execute(insert(events).values(
        at=NOON + number, contact="", kind="AgentJoined", data='{"agent":"ann","state":"ready"}', v=1))


def add(log: Path, what: str) -> None:
    engine = create_engine(f"sqlite:///{log}")
    with engine.begin() as connection:
        if what == "call":
            called(connection, "in9", "in")
        else:
            joined(connection, 9)
    engine.dispose()


def test_calls_that_went_out_take_no_room_from_those_that_came(log: Path) -> None:
    records, moves = _read(log, DAY, ZONE)
    assert {one.contact for one in records} == {f"in{number}" for number in range(4)} and len(moves) == 3


@pytest.mark.parametrize(("what", "says"), [
    ("call", "more than 4 calls came in"), ("move", "agents changed more than 3 times")])
def test_a_day_that_is_too_much_is_not_played_in_part(log: Path, what: str, says: str) -> None:
    add(log, what)
    with pytest.raises(ConfigError, match=f"2026-03-02: {says}"):
        _read(log, DAY, ZONE)


def test_the_time_zone_is_told_or_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local = tmp_path / "localtime"
    monkeypatch.setattr(replaying, "LOCAL_ZONE", local)
    monkeypatch.delenv("TZ", raising=False)
    assert _zone_name() == "UTC"                  # none is set
    local.write_bytes(b"TZif2")
    with pytest.raises(ConfigError, match="localtime: set TZ"):
        _zone_name()
    monkeypatch.setenv("TZ", ":Europe/Berlin")
    assert _zone_name() == "Europe/Berlin"
    monkeypatch.setenv("TZ", "CET-1CEST")
    with pytest.raises(ConfigError, match="CET-1CEST: set TZ"):
        _zone_name()
    monkeypatch.delenv("TZ")
    (tmp_path / "zoneinfo/Asia").mkdir(parents=True)
    (tmp_path / "zoneinfo/Asia/Shanghai").write_bytes(b"TZif2")
    local.unlink()
    local.symlink_to(tmp_path / "zoneinfo/Asia/Shanghai")
    assert _zone_name() == "Asia/Shanghai"
