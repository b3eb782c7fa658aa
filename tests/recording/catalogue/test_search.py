"""Found, and found fast: the same as looking at every row, without looking at every row."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from appliance.bus.messages import RecordingFacts, SearchRecordings, Within
from appliance.errors import StateError
from appliance.recording.catalogue import rows, search
from appliance.recording.catalogue.presets import window
from appliance.recording.catalogue.schema import FILE, open_catalogue
from appliance.recording.wav import TICKS_PER_S
from appliance.store.sqlite import Database
from tests.recording.catalogue.shelf import MIX, NOW, fill

MOST = 300
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = open_catalogue(tmp_path_factory.mktemp("recordings"))
    fill(database, 4000)
    yield database
    database.close()


@pytest.fixture(scope="module")
def every(filled: Database) -> list[rows.Recording]:
    with filled.read() as connection:
        return [rows.Recording(**one._mapping) for one in connection.exec_driver_sql(
            "SELECT * FROM recordings ORDER BY number DESC")]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that there are more than are counted."""
    monkeypatch.setattr("appliance.recording.catalogue.search.MOST_TOTAL", MOST)


def row(number: int, at: float = NOW) -> rows.Finished:
    return rows.Finished(
        recording=f"{number:032x}", began_at=at, ended_at=at + 1, duration_ticks=100, gap_ticks=0,
        first_tick=0, format="opus", octets=1, file_octets=1, sha256="", path="x", peaks=b"", silences=b"")


def is_like(row: rows.Recording, asked: SearchRecordings) -> bool:
    """Read off the request, not off the search."""
    digits = asked.number.removeprefix("^")
    words = f"{row.tags}\n{row.disposition}\n{row.note}".lower()
    score = -1e9 if row.score is None else row.score
    return all((
        not asked.since or row.began_at >= asked.since, not asked.until or row.began_at < asked.until,
        asked.way in ("", "missed" if row.missed and asked.way == "missed" else row.direction),
        not digits or any(one.startswith(digits) if digits != asked.number else digits in one
                          for one in (row.calling, row.called)),
        asked.agent in ("", row.agent), asked.queue in ("", row.queue), asked.trunk in ("", row.trunk),
        row.duration_ticks >= asked.least_s * TICKS_PER_S,
        not asked.most_s or row.duration_ticks <= asked.most_s * TICKS_PER_S,
        not asked.tag or asked.tag in row.tags.split("\n"),
        asked.least_score is None or (row.score is not None and score >= asked.least_score),
        asked.most_score is None or (row.score is not None and score <= asked.most_score),
        asked.disposition in ("", row.disposition), all(word in words for word in asked.text.lower().split()),
        asked.held is None or asked.held == bool(row.holds), asked.state in ("", row.state),
        not asked.after or row.number < asked.after,
        asked.within is None or asked.within.holds(row.queue, row.agent, row.trunk)))


@pytest.mark.need(6)
@pytest.mark.parametrize("name", MIX)
def test_as_if_every_row_was_looked_at(filled: Database, every: list[rows.Recording], name: str) -> None:
    chance = random.Random(name)
    with filled.read() as connection:
        for _ in range(3):
            asked = MIX[name](chance)
            if asked.preset:
                since, until = window(asked.preset, NOW, UTC)
                asked = msgspec.structs.replace(asked, preset="", since=since, until=until)
            found = search.search(connection, asked, asked.since, asked.until)
            wanted = [one for one in every if is_like(one, asked)]
            assert [one.recording for one in found.rows] == [one.recording for one in wanted[:asked.limit]]
            assert found.after == (wanted[asked.limit - 1].number if len(wanted) > asked.limit else 0)
            if not asked.after:
                assert found.total == min(len(wanted), MOST + 1)


@pytest.mark.parametrize("name", [name for name in MIX if name not in ("one character", "within nobody")])
def test_no_search_looks_at_the_whole_table(filled: Database, name: str) -> None:
    """But the one with nothing to look for, which ends after a page of it, and the one that is false."""
    chance = random.Random(name)
    with filled.read() as connection:
        asked = MIX[name](chance)
        since, until = window(asked.preset, NOW, UTC) if asked.preset else (asked.since, asked.until)
        for query in search.plan(connection, asked, since, until):
            steps = [str(step.detail) for step in connection.exec_driver_sql(
                f"EXPLAIN QUERY PLAN {query.sql}", query.values)]
            assert not any(step.startswith("SCAN r") for step in steps), steps
            assert any(step.startswith(("SEARCH", "SCAN texts VIRTUAL TABLE INDEX")) for step in steps), steps


def test_pages_follow_one_another_without_a_gap(filled: Database) -> None:
    names: list[str] = []
    after, more = 0, True
    with filled.read() as connection:
        while more:
            asked = SearchRecordings(agent="agent00", limit=7, after=after)
            found = search.search(connection, asked, 0.0, 0.0)
            names += [one.recording for one in found.rows]
            after, more = found.after, bool(found.after)
        total = found.total
    assert len(names) == len(set(names)) == total


@pytest.mark.parametrize(("asked", "said"), [
    (SearchRecordings(limit=0), "limit: from 1 to 200, not 0"),
    (SearchRecordings(limit=201), "limit: from 1 to 200, not 201"),
    (SearchRecordings(number="12"), "number: '12' is no part of a number: give 3 to 32 digits"),
    (SearchRecordings(number='138" OR'), "is no part of a number"),
    (SearchRecordings(text="a " * 9), "text: at most 8 words and 100 characters"),
    (SearchRecordings(within=Within(agents=["a"] * 501)), "within: at most 500 names of a kind"),
    (SearchRecordings(text="x" * 101), "text: at most 8 words and 100 characters"),
])
def test_what_is_no_search_is_refused(filled: Database, asked: SearchRecordings, said: str) -> None:
    with filled.read() as connection, pytest.raises(StateError, match=said):
        search.search(connection, asked, 0.0, 0.0)


@pytest.mark.parametrize("asked", [
    SearchRecordings(least_s=1e300, most_s=1e300), SearchRecordings(least_s=-1.0),
    SearchRecordings(after=2**64 - 1), SearchRecordings(after=-5, most_score=1e308),
    SearchRecordings(since=-1e300, until=1e300)])
def test_numbers_that_nobody_means_find_what_they_say(filled: Database, every: list[rows.Recording],
                                                      asked: SearchRecordings) -> None:
    with filled.read() as connection:
        found = search.search(connection, asked, asked.since, asked.until)
    wanted = [one for one in every if asked.most_score is None or one.score is not None]
    assert found.total == (0 if asked.least_s > 1 else min(len(wanted), MOST + 1))


@pytest.mark.parametrize("text", ['"', "'", "*", "NEAR(", "%", "_", "|", "投", "\x00", "a OR b", "words:"])
def test_signs_of_the_query_language_are_text(filled: Database, text: str) -> None:
    with filled.read() as connection:
        for one in (text, text * 3, f"{text}款"):
            found = search.search(connection, SearchRecordings(text=one), 0.0, 0.0)
            assert all(is_like_text(row.note, row.disposition, row.tags, one) for row in found.rows)


def is_like_text(note: str, disposition: str, tags: list[str], text: str) -> bool:
    words = "\n".join((*tags, disposition, note)).lower()
    return all(word in words for word in text.lower().replace("\0", " ").split())


@pytest.mark.need(6)
@pytest.mark.parametrize(("zone", "now", "preset", "since", "until"), [
    (UTC, "2026-03-31T10:00", "today", "2026-03-31", "2026-04-01"),
    (UTC, "2026-03-31T00:00", "yesterday", "2026-03-30", "2026-03-31"),
    (UTC, "2026-03-31T23:59", "last-week", "2026-03-25", "2026-04-01"),
    (UTC, "2026-03-31T10:00", "last-month", "2026-02-28", "2026-04-01"),
    (SHANGHAI, "2026-01-01T00:00", "yesterday", "2025-12-31", "2026-01-01"),
    (SHANGHAI, "2026-01-15T07:30", "last-month", "2025-12-15", "2026-01-16"),
    (ZoneInfo("Europe/Berlin"), "2026-03-29T12:00", "today", "2026-03-29", "2026-03-30"),       # 23 hours
])
def test_presets_are_the_days_of_people(zone: tzinfo, now: str, preset: str, since: str, until: str) -> None:
    def at(text: str) -> float:
        return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()
    assert window(preset, at(now), zone) == (at(since), at(until))


def test_recordings_of_one_millisecond_have_their_own_numbers(tmp_path: Path) -> None:
    database = open_catalogue(tmp_path)
    with database.write() as connection:
        numbers = [rows.add(connection, row(number, NOW + number / 1e5)) for number in range(480)]
        assert len(set(numbers)) == 480
        assert [rows.get(connection, f"{number:032x}").began_at for number in range(480)] == [  # type: ignore[union-attr]
            NOW + number / 1e5 for number in range(480)]
    database.close()


@pytest.mark.parametrize("leave", [
    lambda connection: rows.erase(connection, f"{0:032x}", "its time was over", NOW),
    lambda connection: rows.update_facts(
        connection, RecordingFacts(recording=f"{0:032x}", contact="c", note="nothing to say"), 2, NOW, True)])
def test_what_was_deleted_is_nowhere_in_the_file(tmp_path: Path, leave: Callable[..., None]) -> None:
    secret, name = "秘密投诉内容", f"{0:032x}"
    database = open_catalogue(tmp_path)
    for number in range(3):
        with database.write() as connection:
            rows.add(connection, row(number, NOW + number))
            rows.update_facts(connection, RecordingFacts(
                recording=f"{number:032x}", contact="c", note=secret if number == 0 else "余额查询",
                calling="13812345678" if number == 0 else "1", tags=[f"标签{number}号"]), 1, NOW, True)
    with database.read() as connection:
        assert search.search(connection, SearchRecordings(text="密投"), 0.0, 0.0).total == 1
    with database.write() as connection:
        leave(connection)
    done = False
    while not done:
        with database.write() as connection:
            done = rows.forget(connection, 100)
    with database.read() as connection:
        assert search.search(connection, SearchRecordings(text="密投"), 0.0, 0.0).total == 0
        assert search.search(connection, SearchRecordings(number="2345678"), 0.0, 0.0).total == 0
        assert search.search(connection, SearchRecordings(text="余额查询"), 0.0, 0.0).total == 2
        kept = rows.get(connection, name)
        assert kept is not None and kept.contact == "c"
    database.close()
    octets = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for begin in range(len(secret) - 2):
        assert secret[begin:begin + 3].encode() not in octets
    assert b"13812345678" not in octets and "标签0".encode() not in octets
    assert (tmp_path / FILE).exists()


def test_what_is_held_is_not_erased(tmp_path: Path) -> None:
    database = open_catalogue(tmp_path)
    with database.write() as connection:
        rows.add(connection, row(1))
        connection.exec_driver_sql("UPDATE recordings SET holds = 1")
        with pytest.raises(StateError, match="is held: release it before"):
            rows.erase(connection, f"{1:032x}", "its time was over", NOW)
    database.close()
