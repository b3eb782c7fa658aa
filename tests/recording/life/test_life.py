"""Recordings are deleted by rule, for room, and on request; never when held; a cut leaves no lie behind."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError

from appliance.bus.messages import (
    EraseRecording,
    GetHolds,
    GetRetention,
    GetSpace,
    HoldRecordings,
    Purge,
    ReleaseHold,
)
from appliance.config.archive import ArchiveConfig, OutboxConfig
from appliance.config.retention import QuotaConfig, RetentionConfig, RetentionRule
from appliance.errors import StateError
from appliance.media.prompts import LENT
from appliance.recording.catalogue.described import describe, is_described
from appliance.recording.catalogue.tending import LOOK_S, forget
from appliance.recording.catalogue.tickets import Opened
from appliance.recording.life import ballast, deciding, removing, room, tending
from appliance.recording.life.purging import forget_facts, reports
from appliance.recording.life.removing import Reason, erase
from appliance.recording.life.requests import ANSWERS
from appliance.recording.life.rules import DAY_S
from appliance.recording.life.space import GIB, Disk
from appliance.recording.life.tables import archived, pushes, removals
from appliance.store.sqlite import Database
from tests.recording.life.shelf import Shelf

KEEP_30 = RetentionConfig(keep_days=30, grace_days=0)
ARCHIVE = ArchiveConfig(outbox=OutboxConfig(), key_file="archive.key")


def ask(shelf: Shelf, request: Any) -> Any:
    return ANSWERS[type(request)](shelf.parts, request)


def days(shelf: Shelf, number: int) -> None:
    """So many days pass, with recordd at work."""
    for _ in range(number):
        shelf.now += DAY_S
        tending.tend(shelf.parts, shelf.now)


def archive(shelf: Shelf, name: str) -> None:
    with shelf.parts.database.write() as connection:
        connection.execute(archived.insert().values(
            number=shelf.row(name).number, at=shelf.now, place="hub", object=f"site/{name}.blr", octets=1,
            sha256="00"))


@pytest.mark.need(18)
def test_the_daily_run_reports_first_and_deletes_the_next_day(shelf: Shelf) -> None:
    old, young = shelf.add(40), shelf.add(20)
    shelf.configure(KEEP_30)
    tending.tend(shelf.parts, shelf.now)
    assert shelf.states() == {old: "kept", young: "kept"}
    assert [(report.dry, report.rows[0].recordings) for report in reports(shelf.parts, 9)] == [(True, 1)]
    days(shelf, 1)
    assert shelf.states() == {old: "erased", young: "kept"}
    assert not shelf.has_file(old)
    assert shelf.row(old).erased_why == "its time is over: retention.keep_days"
    assert shelf.said(old) == ["deleted"]
    days(shelf, 11)
    assert shelf.states() == {old: "erased", young: "erased"}


@pytest.mark.need(18)
def test_a_rule_that_became_shorter_only_reports_until_its_grace_is_over(shelf: Shelf) -> None:
    name = shelf.add(40)
    shelf.configure(RetentionConfig(keep_days=50, grace_days=0))
    days(shelf, 1)
    shelf.configure(RetentionConfig(keep_days=30, grace_days=5))
    days(shelf, 5)
    assert shelf.states() == {name: "kept"}
    told = ask(shelf, GetRetention(recording=name))
    assert "is due" in told.says and told.grace_until >= shelf.now
    days(shelf, 2)
    assert shelf.states() == {name: "erased"}


@pytest.mark.need(18)
def test_the_rules_follow_what_becomes_known_of_a_recording(shelf: Shelf) -> None:
    name = shelf.add(40)
    shelf.configure(RetentionConfig(rules=[RetentionRule(name="legal", tags=["legal"], keep_days=None)],
                                    keep_days=30, grace_days=0))
    tending.tend(shelf.parts, shelf.now)
    shelf.tell(name, contact="c1", tags=["legal"])
    days(shelf, 3)
    assert shelf.states() == {name: "kept"}
    shelf.tell(name, contact="c1", tags=[])
    days(shelf, 1)
    assert shelf.states() == {name: "erased"}


@pytest.mark.need(18)
def test_a_clock_that_jumps_ahead_deletes_nothing_that_nobody_was_told_of(shelf: Shelf) -> None:
    name = shelf.add(0)
    shelf.configure(KEEP_30)
    days(shelf, 2)
    shelf.now += 3650 * DAY_S
    tending.tend(shelf.parts, shelf.now)
    assert shelf.states() == {name: "kept"}
    assert reports(shelf.parts, 1)[0].remains
    shelf.now -= 3650 * DAY_S                     # somebody has set it right
    days(shelf, 3)
    assert shelf.states() == {name: "kept"}


@pytest.mark.need(18)
def test_a_dry_run_deletes_nothing_and_says_what_would_go(shelf: Shelf) -> None:
    old, held, waiting, young = shelf.add(90), shelf.add(80), shelf.add(70), shelf.add(1)
    shelf.configure(KEEP_30, ARCHIVE)
    archive(shelf, old)
    deciding.decide(shelf.parts, shelf.now)
    ask(shelf, HoldRecordings(case="A-1", by="zhang", why="court", recordings=[held]))
    dry = ask(shelf, Purge(by="zhang"))
    assert dry.dry and set(shelf.states().values()) == {"kept"}
    row = dry.rows[0]
    assert (row.recordings, row.held, row.unarchived, row.octets) == (1, 1, 1, shelf.row(old).file_octets)
    assert row.oldest == row.newest == shelf.row(old).began_at
    done = ask(shelf, Purge(by="zhang", dry=False))
    assert done.rows == dry.rows
    assert shelf.states() == {old: "erased", held: "kept", waiting: "kept", young: "kept"}


@pytest.mark.need(18)
def test_a_held_recording_goes_by_no_way(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    name = shelf.add(90)
    ask(shelf, HoldRecordings(case="A-1", by="zhang", why="court", recordings=[name]))
    shelf.configure(RetentionConfig(keep_days=1, grace_days=0, quota=QuotaConfig(gib=1e-9)),
                    ARCHIVE.model_copy(update={"keep_local_days": 0.0}))
    archive(shelf, name)
    days(shelf, 3)                                # by rule, for room, from the box to the archive
    ask(shelf, Purge(by="zhang", dry=False))
    with pytest.raises(StateError, match=r"held by A-1"):
        ask(shelf, EraseRecording(recording=name, by="zhang", why="asked"))
    numbers, reason = [shelf.row(name).number], removing.Reason("asked", "race", "zhang")
    assert removing.erase(shelf.parts, numbers, reason, shelf.now) == []
    assert removing.drop_local(shelf.parts, numbers, reason, shelf.now) == []
    assert shelf.states() == {name: "kept"} and shelf.has_file(name)
    ask(shelf, ReleaseHold(case="A-1", by="li", why="closed"))
    assert shelf.said(name) == ["held", "released"]
    days(shelf, 1)
    assert shelf.states() == {name: "erased"}


@pytest.mark.need(18)
def test_two_cases_hold_apart_and_one_that_is_over_stays_known(shelf: Shelf) -> None:
    name, other = shelf.add(1, calling="13800138000"), shelf.add(1, calling="021")
    for case in ("A-1", "B-2"):
        reply = ask(shelf, HoldRecordings(case=case, by="zhang", why="court", number="13800138000"))
        assert (reply.changed, reply.case.recordings) == (1, 1)
    assert ask(shelf, HoldRecordings(case="A-1", by="li", why="again", number="13800138000")).changed == 0
    ask(shelf, ReleaseHold(case="A-1", by="li", why="closed"))
    assert (shelf.row(name).holds, shelf.row(other).holds) == (1, 0)
    assert [case.case for case in ask(shelf, GetHolds()).cases] == ["B-2"]
    assert [case.released_why for case in ask(shelf, GetHolds(every=True)).cases] == ["closed", ""]
    for request in (HoldRecordings(case="A-1", by="li", why="x", recordings=[name]),
                    HoldRecordings(case="C", by="li", why="x"),
                    HoldRecordings(case="C", by="li", why="x", recordings=["f" * 32]),
                    HoldRecordings(case="C", by="", why="x", recordings=[name]),
                    HoldRecordings(case="C", by="li", why="x", queue="a", until=shelf.now + 1),
                    ReleaseHold(case="B-2", by="li", why="x", recordings=[other]),
                    ReleaseHold(case="nobody", by="li", why="x")):
        with pytest.raises(StateError):
            ask(shelf, request)
    assert (shelf.row(name).holds, shelf.row(other).holds) == (1, 0)


@pytest.mark.need(18)
def test_a_case_takes_later_recordings_of_its_number(shelf: Shelf) -> None:
    until = shelf.now + 10 * DAY_S
    ask(shelf, HoldRecordings(case="A-1", by="zhang", why="court", number="139", until=until))
    shelf.now += 5 * DAY_S
    inside, other = shelf.add(0, calling="139"), shelf.add(0, called="138")
    tending.tend(shelf.parts, shelf.now)
    shelf.now += 6 * DAY_S
    after = shelf.add(0, called="139")
    tending.tend(shelf.parts, shelf.now)
    assert [shelf.row(name).holds for name in (inside, other, after)] == [1, 0, 0]
    assert shelf.said(inside) == ["held"]


@pytest.mark.need(18)
def test_quota_takes_the_oldest_and_nothing_younger_than_least_days(shelf: Shelf) -> None:
    names = [shelf.add(age, 40_000) for age in (9, 8, 7, 6, 1)]
    size = shelf.row(names[0]).file_octets
    shelf.configure(RetentionConfig(least_days=5, quota=QuotaConfig(gib=3 * size / GIB)))
    tending.tend(shelf.parts, shelf.now)
    assert list(shelf.states().values()) == ["erased", "erased", "kept", "kept", "kept"]
    assert "quota" not in shelf.warnings
    shelf.configure(RetentionConfig(least_days=5, quota=QuotaConfig(gib=0.5 * size / GIB)))
    tending.tend(shelf.parts, shelf.now)
    assert list(shelf.states().values()) == ["erased"] * 4 + ["kept"]
    assert "Nothing is lost" in shelf.warnings["quota"]
    assert reports(shelf.parts, 1)[0].cause in ("quota", "daily")


@pytest.mark.need(18)
def test_over_the_quota_before_the_archive_ran_nothing_is_dropped(shelf: Shelf) -> None:
    """A day begins with the quota exceeded; what is not archived stays, whatever the quota says."""
    names = [shelf.add(0.5 - 0.01 * number, 40_000) for number in range(5)]
    shelf.configure(RetentionConfig(quota=QuotaConfig(gib=1e-6)), ARCHIVE)
    tending.tend(shelf.parts, shelf.now)
    assert set(shelf.states().values()) == {"kept"}
    assert "not in the archive yet" in shelf.warnings["quota"]
    for name in names[1:]:
        archive(shelf, name)
    tending.tend(shelf.parts, shelf.now)
    assert shelf.states() == {names[0]: "kept", **dict.fromkeys(names[1:], "archived")}
    assert shelf.has_file(names[0]) and not shelf.has_file(names[1])
    assert shelf.said(names[1]) == ["deleted"]    # of the box alone


@pytest.mark.need(18)
def test_what_the_archive_has_leaves_the_box_after_its_days_and_is_erased_by_its_rule(shelf: Shelf) -> None:
    name, waiting = shelf.add(1), shelf.add(1)
    shelf.configure(KEEP_30, ARCHIVE.model_copy(update={"keep_local_days": 7.0}))
    archive(shelf, name)
    days(shelf, 6)
    assert shelf.states() == {name: "kept", waiting: "kept"}
    days(shelf, 2)
    assert shelf.states() == {name: "archived", waiting: "kept"}
    assert ask(shelf, GetSpace()).archived_recordings == 1
    days(shelf, 23)
    assert shelf.states() == {name: "erased", waiting: "kept"}
    assert "wait for the archive" in shelf.warnings["retention"]


@pytest.mark.need(18)
def test_nothing_of_what_was_erased_stays_in_the_box(shelf: Shelf) -> None:
    name = shelf.add(10, calling="13912345678", note="furious about fees", tags=["fraud"])
    parts, row = shelf.parts, shelf.row(name)
    audio, spare = ExitStack(), parts.run_dir / LENT / f"{name}{'ab' * 16}.wav"
    file = audio.enter_context(parts.store.open(row.path))
    ticket = parts.tickets.give(Opened(name, file.octets, file.read, audio), shelf.now)
    spare.parent.mkdir(parents=True)
    spare.write_bytes(b"lent to the telephone")
    with parts.database.write() as connection:
        connection.execute(pushes.insert().values(
            number=row.number, place="s3 https://hub b key 1", object="site/o.blr", front="AAAA", state="{}"))
    reply = ask(shelf, EraseRecording(recording=name, by="zhang", why="asked by the customer"))
    assert reply.archive_object == "site/o.blr"   # of which all may be there by now
    assert not spare.exists() and not shelf.has_file(name)
    with pytest.raises(StateError, match="no such ticket"):
        parts.tickets.take(ticket, shelf.now)
    while forget(parts, shelf.now) < shelf.now + LOOK_S:
        pass
    kept = b"".join(path.read_bytes() for path in parts.folder.glob("recordings.sqlite*"))
    for words in (b"13912345678", b"furious", b"fraud", b"site/o.blr"):
        assert words not in kept


@pytest.mark.need(18)
def test_a_person_has_a_recording_erased(shelf: Shelf) -> None:
    name, young = shelf.add(10, calling="139", note="angry"), shelf.add(1)
    shelf.configure(RetentionConfig(least_days=5, records_keep_days=30))
    archive(shelf, name)
    with pytest.raises(StateError, match=r"must be kept until"):
        ask(shelf, EraseRecording(recording=young, by="zhang", why="asked by the customer"))
    reply = ask(shelf, EraseRecording(recording=name, by="zhang", why="asked by the customer"))
    assert reply.archive_object == f"site/{name}.blr"
    assert not shelf.has_file(name)
    row = shelf.row(name)
    assert (row.erased_why, row.calling, row.note, row.contact) == ("asked by the customer", "", "", "c1")
    with pytest.raises(StateError, match=r"erased already"):
        ask(shelf, EraseRecording(recording=name, by="zhang", why="again"))
    days(shelf, 31)
    assert (shelf.row(name).contact, shelf.row(name).erased_why) == ("", "asked by the customer")


@pytest.mark.need(18)
def test_a_case_takes_what_becomes_known_late_of_its_number(shelf: Shelf) -> None:
    name = shelf.add(0.01)
    ask(shelf, HoldRecordings(case="A-1", by="zhang", why="court", number="139"))
    shelf.now += 60
    tending.tend(shelf.parts, shelf.now)
    assert shelf.row(name).holds == 0
    shelf.tell(name, contact="c1", calling="139")
    tending.tend(shelf.parts, shelf.now)
    later = shelf.add(0, calling="139")
    tending.tend(shelf.parts, shelf.now)
    assert (shelf.row(name).holds, shelf.row(later).holds) == (1, 0)
    assert ask(shelf, GetHolds()).cases[0].until == 0


class Cut(BaseException):
    """The power is gone."""


@contextmanager
def cut_at(step: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """At the step-th of: a transaction begins, it is durable, octets, syncs and names of the file."""
    steps = [0]

    def counted(inner: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            steps[0] += 1
            if steps[0] == step:
                raise Cut
            return inner(*args, **named)
        return call
    write = Database.write

    @contextmanager
    def counted_write(self: Database) -> Iterator[Connection]:
        counted(lambda: None)()
        with write(self) as connection:
            yield connection
        counted(lambda: None)()
    with monkeypatch.context() as patch:
        patch.setattr(Database, "write", counted_write)
        for name in ("pwrite", "fdatasync", "fsync"):
            patch.setattr(os, name, counted(getattr(os, name)))
        patch.setattr(Path, "unlink", counted(Path.unlink))
        yield steps


@pytest.mark.need(18)
@pytest.mark.need(5)
def test_a_power_cut_at_any_step_of_a_deletion_leaves_no_lie(
        shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    step, finished = 0, False
    while not finished:
        step += 1
        names = [shelf.add(40), shelf.add(39)]
        numbers = [shelf.row(name).number for name in names]
        with cut_at(step, monkeypatch):
            try:
                removing.erase(shelf.parts, numbers, removing.Reason("asked", "test", "zhang"), shelf.now)
                finished = True
            except Cut:
                pass
        shelf.restart()
        for name in names:                        # nobody has tended anything yet
            assert shelf.row(name).state == "erased" or shelf.has_file(name)
            assert shelf.said(name) == (["deleted"] if shelf.row(name).state == "erased" else [])
        tending.tend(shelf.parts, shelf.now)
        for name in names:
            assert shelf.has_file(name) == (shelf.row(name).state == "kept")
            assert len(shelf.said(name)) <= 1
        with shelf.parts.database.read() as connection:
            assert connection.execute(select(removals)).all() == []
    assert step > 10


@pytest.mark.need(5)
def test_a_file_that_cannot_be_deleted_is_an_alarm_and_tried_again(
        shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    name = shelf.add(40)
    def broken(path: Path) -> None:
        raise OSError(5, "Input/output error")
    with monkeypatch.context() as patch:
        patch.setattr(removing, "erase_file", broken)
        ask(shelf, EraseRecording(recording=name, by="zhang", why="asked"))
        assert shelf.states() == {name: "erased"} and shelf.has_file(name)
        assert "Input/output error" in shelf.warnings["erase"]
    tending.tend(shelf.parts, shelf.now)
    assert not shelf.has_file(name) and "erase" not in shelf.warnings


@pytest.mark.need(5)
def test_a_full_disk_warns_and_makes_room_by_the_quota_alone(
        shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [shelf.add(age) for age in (9, 8)]
    monkeypatch.setattr(room, "disk_of", lambda parts: Disk(100 * GIB, GIB, 1000))
    monkeypatch.setattr(tending, "disk_of", lambda parts: Disk(100 * GIB, GIB, 1000))
    tending.tend(shelf.parts, shelf.now)
    assert "urgent" in shelf.warnings["low-space"] and set(shelf.states().values()) == {"kept"}
    assert ask(shelf, GetSpace()).level == "urgent"
    shelf.configure(RetentionConfig(quota=QuotaConfig(gib=50)))
    tending.tend(shelf.parts, shelf.now)
    assert shelf.states() == dict.fromkeys(names, "erased")
    assert "Nothing is lost" in shelf.warnings["quota"]
    monkeypatch.setattr(tending, "disk_of", lambda parts: Disk(100 * GIB, 50 * GIB, 1000))
    tending.tend(shelf.parts, shelf.now)
    assert not {"low-space", "quota"} & set(shelf.warnings)


@pytest.mark.need(5)
def test_the_ballast_lets_a_full_disk_delete(shelf: Shelf) -> None:
    tending.tend(shelf.parts, shelf.now)
    path = shelf.folder / "ballast"
    assert path.stat().st_blocks * 512 >= ballast.OCTETS
    found = []

    def act() -> str:
        found.append(path.exists())
        if path.exists():
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise OperationalError("", {}, error)
        return "done"
    assert ballast.with_ballast(shelf.folder, act) == "done"
    assert found == [True, False]
    tending.tend(shelf.parts, shelf.now)
    assert path.exists()
    with pytest.raises(OSError, match="denied"):
        ballast.with_ballast(shelf.folder, lambda: (_ for _ in ()).throw(OSError(13, "denied")))
    assert path.exists()


def test_the_daily_time_comes_once_a_day() -> None:
    now = 1_790_000_000.0
    last = tending.scheduled("03:30", now)
    assert last <= now < last + DAY_S
    assert tending.due("03:30", 0.0, now) and not tending.due("03:30", last + 5, now)
    assert tending.due("03:30", last + 5, last + DAY_S)
    assert tending.due("03:30", now + 5 * DAY_S, now)               # the clock was set back


@pytest.mark.need(18)
def test_what_is_erased_is_described_as_what_is_left_and_stays_so(shelf: Shelf) -> None:
    shelf.configure(RetentionConfig(records_keep_days=30))
    name = shelf.add(1, calling="13800000000", agent="ann")
    number = shelf.row(name).number
    with shelf.parts.database.write() as connection:
        describe(connection, shelf.parts.chain, shelf.now, number, first=True)
        connection.exec_driver_sql("UPDATE recordings SET queue = 'x'")
    salt = shelf.row(name).salt
    erase(shelf.parts, [number], Reason("asked", "the customer wants it", "li"), shelf.now)
    assert shelf.said(name) == ["described", "altered", "deleted", "described"]
    assert shelf.row(name).salt not in ("", salt)                    # by which the number could be guessed
    forget_facts(shelf.parts, shelf.now + 31 * DAY_S)
    assert shelf.row(name).agent == "" and shelf.said(name)[4:] == ["described"]
    with shelf.parts.database.write() as connection:
        assert is_described(connection, number)
        connection.exec_driver_sql("UPDATE recordings SET erased_why = 'its time is over'")
        assert is_described(connection, number) is False
