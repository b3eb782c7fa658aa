"""Who changes what a recording says in the database alone is found, and no number can be guessed from it."""

import json
from typing import cast

import pytest
from sqlalchemy import update

from appliance.bus.messages import CheckRecordings, DescribeRecording, TagContact
from appliance.recording.catalogue.checking import WARNING
from appliance.recording.catalogue.learning import AGAIN_S, DESCRIBED_S, learn
from appliance.recording.catalogue.schema import recordings
from appliance.recording.vault.chain import verify
from appliance.recording.vault.keys import Keys
from appliance.recording.vault.tending import CHECK_EVERY_S, Tending
from tests.recording.catalogue.box import Box

HASHES = "SELECT recording, data FROM chain WHERE kind = 'described'"


def one(box: Box) -> tuple[str, str]:
    """A recording that is described, and its contact."""
    contact = box.talk()
    box.office.hang_up("c1")
    [name] = box.named(contact)
    box.finish(name, 1000.0)
    learn(box.parts, 2000.0)
    box.clock[0] = 2000.0
    return name, contact


def does(box: Box, sql: str) -> None:
    with box.parts.database.write() as connection:
        connection.exec_driver_sql(sql)


def as_described(box: Box, name: str) -> bool | None:
    with box.parts.database.read() as connection:
        assert verify(connection) is None
    found: bool | None = box.answer(DescribeRecording(recording=name)).as_described
    return found


def kinds(box: Box, name: str) -> list[str]:
    return [kind for kind, _ in box.chain(name)]


def test_facts_are_described_once_when_they_are_final_and_once_for_each_change(box: Box) -> None:
    name, contact = one(box)
    assert kinds(box, name) == ["described"] and as_described(box, name)
    with box.parts.database.write() as connection:
        connection.exec_driver_sql("UPDATE recordings SET facts_final = 0, facts_at = 0")
    learn(box.parts, 2100.0)                      # read again, and the same
    assert kinds(box, name) == ["described"]
    salt = box.row(name).salt
    box.office.command(TagContact(contact=contact, tags=["vip"], by="ann"))
    learn(box.parts, 2200.0)
    assert kinds(box, name) == ["described", "described"] and as_described(box, name)
    assert box.row(name).salt != salt
    with box.parts.database.read() as connection:
        told = [json.loads(data) for _, data in connection.exec_driver_sql(HASHES)]
    assert [list(data) for data in told] == [["facts"], ["facts"]] and told[0] != told[1]


@pytest.mark.parametrize(("column", "value"), [
    ("agent", "bo"), ("calling", "1"), ("queue", ""), ("trunk", "x"), ("note", "x"), ("duration_ticks", 1),
    ("began_at", 1000.01), ("salt", ""), ("salt", "x"), ("state", "erased"), ("missed", True), ("tags", "x"),
    ("recording", "a" * 32), ("sha256", "x"), ("agent", b"ann\xff")])
def test_a_changed_row_is_found(box: Box, column: str, value: object) -> None:
    one(box)
    with box.parts.database.write() as connection:
        connection.execute(update(recordings).values({column: value}))
    [check] = box.answer(CheckRecordings(since=0.0, until=1900.0)).checks
    assert (check.altered, sum(found.kind == "altered" for found in check.findings)) == (1, 1)
    assert "1 altered" in box.warnings[WARNING]


def test_survey_and_marks_of_a_row_count_too(box: Box) -> None:
    name, _ = one(box)
    does(box, "UPDATE details SET data = '{}'")
    assert not box.answer(DescribeRecording(recording=name)).as_described


def test_what_was_altered_stays_in_the_chain_when_it_is_put_right(box: Box) -> None:
    name, _ = one(box)
    does(box, "UPDATE recordings SET agent = 'bo', facts_final = 0, facts_at = 0")
    learn(box.parts, 2100.0)
    assert box.row(name).agent == "ann"
    assert kinds(box, name) == ["described", "altered"] and as_described(box, name)


def test_the_whole_catalogue_is_looked_at_every_day_and_after_a_start(
        box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.recording.vault.tending.ROWS_AT_ONCE", 1)
    for number in range(3):
        box.finish(f"{number:032x}", 500.0)
    name, _ = one(box)
    tending = Tending(cast(Keys, box.parts.keys), box.parts.folder, set)

    def look(now: float) -> float:
        until = now + 60.0
        while now < until:
            now = tending.tend(box.parts, now)
        return tending.figures()["altered"]
    assert look(3000.0) == 0 and box.warnings["altered"] == ""
    does(box, "UPDATE recordings SET called = '1' WHERE contact != ''")
    assert look(4000.0) == 0                      # not yet
    assert look(3000.0 + CHECK_EVERY_S + 60.0) == 1 and name in box.warnings["altered"]


def test_rows_from_before_are_described_as_they_are_some_at_a_time(
        box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.recording.catalogue.learning.DESCRIBED_AT_ONCE", 2)
    names = [f"{number:032x}" for number in range(3)]
    for name in names:
        box.finish(name, 500.0)
    learn(box.parts, 600.0)
    does(box, "UPDATE recordings SET facts_final = 1, agent = 'cy'")
    assert {as_described(box, name) for name in names} == {None}
    assert learn(box.parts, 700.0) == 700.0 + DESCRIBED_S
    assert learn(box.parts, 701.0) == 701.0 + AGAIN_S
    assert {(as_described(box, name), box.row(name).agent) for name in names} == {(True, "cy")}
    does(box, "UPDATE recordings SET salt = '', agent = 'bo'")       # as if it had not been described
    learn(box.parts, 800.0)
    assert {as_described(box, name) for name in names} == {False}
