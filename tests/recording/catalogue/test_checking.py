"""count(to be recorded) = count(recordings): what is missing is named, what is explained is said."""

import msgspec
import pytest
from sqlalchemy import insert

from appliance.bus.messages import (
    CheckFinding,
    CheckRecordings,
    DaemonUp,
    GetRecordingChecks,
    Heartbeat,
    ToBeRecorded,
)
from appliance.errors import StateError
from appliance.recording.catalogue.checking import (
    HOUR_S,
    LOOKS_BACK_S,
    MOST_FINDINGS,
    SETTLES_S,
    WARNING,
    Found,
    Outage,
    compare,
    count_hours,
    due_hours,
    kept_checks,
)
from appliance.recording.catalogue.learning import UNNAMED_S, learn
from appliance.recording.catalogue.outages import KEEP_EVERY_S, SpandWatch, note
from appliance.recording.catalogue.schema import checks
from appliance.recording.wav import TICK_OCTETS
from tests.recording.catalogue.box import Box

pytestmark = pytest.mark.need(21)
ORPHAN = "f" * 32


def expected(number: int, length_s: float = 60.0, at: float = 5000.0, unwanted: bool = False) -> ToBeRecorded:
    return ToBeRecorded(recording=f"{number:032x}", contact=f"c{number}", began_at=at, ended_at=at + length_s,
                        kind="talk", unwanted=unwanted)


def there(number: int, length_s: float) -> dict[str, Found]:
    return {f"{number:032x}": Found(length_s, f"c{number}", 5000.0)}


@pytest.mark.parametrize(("one", "found", "unfinished", "outages", "finding"), [
    (expected(1), there(1, 60.0), [], [], None),
    (expected(1), there(1, 59.1), [], [], None),
    (expected(1), there(1, 58.9), [], [], ("differs", "")),
    (expected(1), there(1, 61.1), [], [], ("differs", "")),
    (expected(1), {}, [], [], ("missing", "")),
    (expected(1), there(2, 60.0), [], [], ("missing", "")),
    (expected(1), {}, [f"{1:032x}"], [], ("missing", "is being written")),
    (expected(1, 0.004), {}, [], [], ("missing", "the talk was shorter than a tick")),
    (expected(1, unwanted=True), {}, [], [], ("missing", "recorded on demand, and nobody kept it")),
    (expected(1), {}, [], [Outage(5010.0, 5020.0, "spand died")],
     ("missing", "the record ring was away: spand died")),
    (expected(1), there(1, 50.0), [], [Outage(4990.0, 5010.0, "spand died")],
     ("differs", "the record ring was away: spand died")),
    (expected(1), there(1, 70.0), [], [Outage(4990.0, 5010.0, "spand died")], ("differs", "")),
    (expected(1), {}, [], [Outage(5060.0, 5070.0, "afterwards")], ("missing", "")),
])
def test_what_is_not_as_it_should_be(one: ToBeRecorded, found: dict[str, Found], unfinished: list[str],
                                     outages: list[Outage], finding: tuple[str, str] | None) -> None:
    assert [(each.kind, each.why) for each in compare([one], found, {}, unfinished, outages)] == (
        [] if finding is None else [finding])


def test_hours_are_counted_when_their_recordings_are_files_and_none_is_left_out() -> None:
    at = 100 * HOUR_S
    assert due_hours(at + SETTLES_S, None, []) == [99 * HOUR_S]
    assert due_hours(at + SETTLES_S - 1, None, []) == [98 * HOUR_S]
    was_off = due_hours(at + SETTLES_S, 97 * HOUR_S, [])
    assert was_off == [97 * HOUR_S, 98 * HOUR_S, 99 * HOUR_S]
    assert due_hours(at + SETTLES_S, 100 * HOUR_S, [90 * HOUR_S]) == []            # not twice in an hour
    assert due_hours(at + SETTLES_S, 99 * HOUR_S, [90 * HOUR_S]) == [90 * HOUR_S, 99 * HOUR_S]
    long_off = due_hours(at + 10 * LOOKS_BACK_S, 90 * HOUR_S, [91 * HOUR_S])
    assert len(long_off) == LOOKS_BACK_S / HOUR_S - 1 and 91 * HOUR_S not in long_off


def test_an_hour_with_everything_there_and_one_without(box: Box) -> None:
    contacts = []
    for leg in ("c1", "c2"):
        contacts.append(box.talk(2.0, leg))
        box.office.hang_up(leg)
        box.office.clear()
        box.office.pass_time(60.0)
    [first], [second] = map(box.named, contacts)
    began = {name: box.office.records[name].segments[-1].began_at for name in contacts}
    box.finish(first, began[contacts[0]], b"\xd5" * (TICK_OCTETS * 200))
    now = HOUR_S + SETTLES_S
    assert count_hours(box.parts, now) == 2 * HOUR_S + SETTLES_S
    [check] = box.answer(GetRecordingChecks(since=0.0, until=HOUR_S)).checks
    assert (check.expected, check.found, check.missing, check.orphans, check.differing) == (2, 1, 1, 0, 0)
    assert [(one.kind, one.recording, one.contact) for one in check.findings] == [
        ("missing", second, contacts[1])]
    assert "1 missing" in box.warnings[WARNING]
    box.finish(second, began[contacts[1]], b"\xd5" * (TICK_OCTETS * 200))          # it came late
    count_hours(box.parts, now + HOUR_S)
    [check] = box.answer(GetRecordingChecks(since=0.0, until=HOUR_S)).checks
    assert (check.found, check.missing, check.findings) == (2, 0, [])
    assert box.warnings[WARNING] == ""
    [place] = box.parts.folder.glob(f"*/*/*/{second}.blr")
    place.unlink()                                # by whom it may be
    [check] = box.answer(CheckRecordings(since=0.0, until=HOUR_S)).checks
    assert (check.found, check.missing) == (1, 1)
    assert [(one.kind, one.recording) for one in check.findings] == [("lost", second)]


def test_a_recording_that_no_contact_names_and_one_that_is_too_short(box: Box) -> None:
    contact = box.talk(9.0)
    box.office.hang_up("c1")
    [name] = box.named(contact)
    began_at = box.office.records[contact].segments[-1].began_at
    box.finish(name, began_at)                    # one second
    box.finish(ORPHAN, 1500.0)
    box.clock[0] = now = 1600.0 + 2 * UNNAMED_S
    learn(box.parts, now)
    [check] = box.answer(CheckRecordings(since=0.0, until=now)).checks
    assert (check.expected, check.found, check.missing, check.orphans, check.differing) == (1, 1, 0, 1, 1)
    assert [(one.kind, one.recording) for one in check.findings] == [("differs", name), ("orphan", ORPHAN)]
    with box.parts.database.write() as connection:
        note(connection, Outage(began_at + 1.0, began_at + 9.0, "spand was started anew"))
    [check] = box.answer(CheckRecordings(since=0.0, until=now)).checks
    assert check.differing == 0 and any("started anew" in one.why for one in check.findings)


def test_it_is_not_counted_without_acdd(box: Box) -> None:
    box.away = True
    with pytest.raises(StateError, match="acdd, which knows what was to be recorded, does not answer"):
        box.answer(CheckRecordings(since=0.0, until=900.0))
    with pytest.raises(StateError, match="7 days at most"):
        box.clock[0] = 1e6
        box.answer(CheckRecordings(since=0.0, until=1e6))


def test_spand_that_was_away_is_noted_also_when_the_whole_box_was(box: Box) -> None:
    def outages() -> list[tuple[float, float]]:
        with box.parts.database.read() as connection:
            return [(one.began_at, one.ended_at)
                    for one in connection.exec_driver_sql("SELECT * FROM outages ORDER BY began_at")]

    def beat(watch: SpandWatch, started_at: float, now: float) -> None:
        beat = Heartbeat(daemon="spand", pid=1, started_at=started_at, at=now, rss_octets=1, cpu_s=0.0)
        watch.hear(beat, now)

    watch = SpandWatch(box.parts)
    beat(watch, 100.0, 200.0)
    beat(watch, 100.0, 201.0)
    watch.hear(DaemonUp(daemon="spand", pid=2, started_at=205.0), 205.5)
    assert outages() == [(201.0, 205.0)]
    for second in range(100):
        beat(watch, 205.0, 206.0 + second)
    last_kept = 205.5 + KEEP_EVERY_S
    beat(SpandWatch(box.parts), 205.0, 310.0)     # recordd alone was started anew: the ring went on
    assert outages() == [(201.0, 205.0)]
    watch = SpandWatch(box.parts)
    beat(watch, 900.0, 901.0)
    assert outages() == [(201.0, 205.0), (310.0, 900.0)] and last_kept < 310.0


def test_an_answer_about_days_without_recordings_is_bounded(box: Box) -> None:
    lost = [CheckFinding(kind="missing", recording=f"{number:032x}", contact="c", began_at=0.0,
                         expected_s=1.0, found_s=0.0) for number in range(MOST_FINDINGS)]
    with box.parts.database.write() as connection:
        for hour in range(30):
            connection.execute(insert(checks).values(
                began_at=hour * 3600, checked_at=0.0, expected=500, found=0, missing=500, orphans=0,
                differing=0, explained=0, findings=msgspec.json.encode(lost).decode()))
        found = kept_checks(connection, 0.0, 30 * 3600.0)
    assert [len(one.findings) for one in found] == [500] * 10 + [0] * 20
    assert {one.missing for one in found} == {500}
