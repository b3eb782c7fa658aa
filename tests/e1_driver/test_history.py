"""Histories on disk: kept over kill, restart, damage and a full disk."""

import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e1_driver.watch.bins import DAY_S, Bin, History
from e1_driver.watch.history import SAVE_EVERY_S, HistoryError, Store, read
from e1_driver.watch.performance import Second
from tests.e1_driver.lines import line
from tests.e1_driver.test_bins import MIDNIGHT, NOON, kept, long_runs

DAY_LATER = MIDNIGHT + DAY_S


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


def bins(history: History) -> list[Bin]:
    return history.quarters(DAY_LATER - 1) + history.days(DAY_LATER - 1)


def observe(store: Store, span: str, seconds: list[Second]) -> None:
    for second in seconds:
        store.observe(span, second, "t")


def as_after_a_kill(path: Path) -> Path:
    """What a process that is killed now leaves on disk, under another name."""
    left = path.parent.with_name(path.parent.name + "+")
    shutil.copytree(path.parent, left)
    return left / path.name


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(long_runs(), st.sampled_from(["go on", "save", "close", "kill", "save, kill"])),
                min_size=1, max_size=6), st.integers(0, 200))
def test_restarts_anywhere_change_nothing(tmp_path_factory: pytest.TempPathFactory,
                                          parts: list[tuple[str, str]], before: int) -> None:
    """The same seconds through one history in memory and through a store that is opened again and again."""
    path = tmp_path_factory.mktemp("store") / "history.sqlite"
    store, at, whole = Store(path), MIDNIGHT - before, History()
    for letters, then in parts:
        for second in line(at, letters):
            store.observe("a", second, "t")
            whole.observe(second, "t")
        at += len(letters)
        if "save" in then:
            assert store.save()
        if "kill" in then:
            path, killed = as_after_a_kill(path), store
            killed.close()
            store = Store(path)
        elif then == "close":
            store.close()
            store = Store(path)
    with store:
        assert bins(store.history("a")) == bins(whole)
        assert store.history("a").standing == whole.standing
        assert store.notice is None is store.trouble


def test_spans_are_apart_and_one_may_be_forgotten(path: Path) -> None:
    with Store(path) as store:
        observe(store, "telco", line(NOON, "ss"))
        observe(store, "pbx", line(NOON, "."))
    with Store(path) as store:
        assert store.spans() == ["pbx", "telco"]
        assert bins(store.history("telco")) == bins(kept(line(NOON, "ss")))
        store.forget("telco")
        assert store.history("telco").newest == -1
    with Store(path) as store:
        assert bins(store.history("pbx")) == bins(kept(line(NOON, ".")))
        assert bins(store.history("telco")) == []


def test_old_rows_leave_the_file(path: Path) -> None:
    with Store(path) as store:
        for day in range(40):
            store.observe("a", Second(at=MIDNIGHT + day * DAY_S), None)
            assert store.save()
    with Store(path) as store, closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM bins WHERE length_s = 86400").fetchone() == (31,)
        assert len(store.history("a").days(MIDNIGHT + 39 * DAY_S)) == 31


CHILD = """
import sys
from pathlib import Path
from e1_driver.watch.history import Store
from tests.e1_driver.lines import line
store = Store(Path(sys.argv[1]))
for number, second in enumerate(line(int(sys.argv[2]), "e" * 1000)):
    store.observe("a", second, None)
    if number % 300 == 299:
        store.save()
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.need(11)
def test_kill_9_loses_nothing(path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", CHILD, path, str(NOON)], stdout=subprocess.PIPE,
                          stdin=subprocess.PIPE) as child:
        assert child.stdout and child.stdout.readline() == b"ready\n"
        with pytest.raises(HistoryError, match="another process keeps histories there"):
            Store(path)
        alive = read(path)["a"]
        child.send_signal(signal.SIGKILL)
    seconds = line(NOON, "e" * 1000)
    with Store(path) as store:
        assert bins(store.history("a"))[0].near == bins(kept(seconds))[0].near == bins(alive)[0].near
        assert store.history("a").newest == alive.newest == NOON + 999


def test_a_power_cut_leaves_what_was_saved_and_whole_lines_of_what_was_not(path: Path) -> None:
    store = Store(path)
    observe(store, "a", line(NOON, "e" * 10))
    store.save()
    observe(store, "a", line(NOON + 10, "e" * 10))
    left = as_after_a_kill(path)
    store.close()
    (seconds,) = left.parent.glob("*.seconds-*")
    for size in (0, 1, 200, seconds.stat().st_size - 1):
        shutil.copytree(left.parent, cut := left.parent.with_name(f"cut{size}"))
        with (cut / seconds.name).open("r+b") as file:
            file.truncate(size)
            file.seek(0, 2)
            file.write(bytes(100))                # as a file system may fill it
        with Store(cut / path.name) as store:
            assert store.notice is None
            whole = seconds.read_bytes()[:size].count(b"\n")
            assert store.history("a").newest == NOON + 9 + whole


def scribble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:8192] = b"\xa5" * 4096
    path.write_bytes(data)


def sql(statement: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with closing(sqlite3.connect(path)) as db:
            db.execute(statement)
            db.commit()
    return damage


@pytest.mark.parametrize("damage", [
    scribble,
    lambda path: path.write_bytes(b"hello" * 1000),
    lambda path: path.write_bytes(path.read_bytes()[:path.stat().st_size // 2]),
    sql("""UPDATE bins SET data = '{"at": 5}'"""),
    sql("UPDATE bins SET data = replace(data, '900', '901')"),
    sql("DROP TABLE saves"),
    sql("DELETE FROM saves"),
    sql("PRAGMA user_version = 99"),
    sql("PRAGMA user_version = 0"),
])
def test_a_damaged_file_is_kept_aside_with_a_word_and_a_new_one_begun(
        path: Path, damage: Callable[[Path], object]) -> None:
    with Store(path) as store:
        observe(store, "a", line(NOON, "e" * 10))
    damage(path)
    damaged = path.read_bytes()
    with pytest.raises(HistoryError, match=r"history\.sqlite: (is damaged|is of version)"):
        read(path)
    with Store(path) as store:
        assert store.notice is not None
        assert str(path) in store.notice and "history.sqlite.damaged" in store.notice
        assert store.spans() == []
        observe(store, "a", line(NOON + 10, "e" * 10))
    assert path.with_name("history.sqlite.damaged").read_bytes() == damaged
    with Store(path) as store:
        assert store.notice is None
        assert store.history("a").quarters(NOON)[0].measured_s == 10


def test_what_was_not_saved_yet_outlives_the_damage_of_the_rest(path: Path) -> None:
    store = Store(path)
    observe(store, "a", line(NOON, "e" * 10))
    store.save()
    observe(store, "a", line(NOON + 10, "e" * 5))
    left = as_after_a_kill(path)
    store.close()
    left.write_bytes(b"hello")
    with Store(left) as store:
        assert store.notice
        assert store.history("a").quarters(NOON)[0].measured_s == 5


@contextmanager
def full_disk() -> Iterator[None]:
    """No file grows: writes fail as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_said_and_costs_nothing_once_there_is_room(path: Path) -> None:
    seconds = line(NOON, "e" * 30 + "s" * 30)
    store = Store(path)
    observe(store, "a", seconds[:10])
    with full_disk():
        observe(store, "a", seconds[10:20])
        saved, trouble = store.save(), store.trouble
        observe(store, "a", seconds[20:40])
        saved_again = store.save()
    assert (saved, saved_again) == (False, False)
    assert trouble is not None and str(path) in trouble and "is the disk full" in trouble
    observe(store, "a", seconds[40:])
    assert store.save()
    assert store.trouble is None
    left = as_after_a_kill(path)
    store.close()
    with Store(left) as store:
        assert bins(store.history("a")) == bins(kept(seconds))


@pytest.mark.parametrize("where", ["no/such/folder/history.sqlite", "."])
def test_a_place_that_cannot_be_is_refused(tmp_path: Path, where: str) -> None:
    with pytest.raises(HistoryError, match="cannot be"):
        Store(tmp_path / where)
    with pytest.raises(HistoryError, match="cannot be"):
        read(tmp_path / where)


def test_reading_what_is_not_there_makes_no_file(path: Path) -> None:
    with pytest.raises(HistoryError, match=r"history\.sqlite: cannot be opened"):
        read(path)
    assert list(path.parent.iterdir()) == []


def test_due_at_the_end_of_a_bin_and_every_half_minute_with_something_new(path: Path) -> None:
    with Store(path) as store:
        assert not store.due(1000.0)
        observe(store, "a", line(NOON, "."))
        assert store.due(1000.0)                  # the first second begins a bin
        store.save()
        assert not store.due(1001.0)
        observe(store, "a", line(NOON + 1, "."))
        assert not store.due(1002.0)
        assert not store.due(1002.0 + SAVE_EVERY_S - 0.1)
        assert store.due(1002.0 + SAVE_EVERY_S)
        store.save()
        observe(store, "a", line(NOON + 899, ".."))
        assert store.due(1040.0)


def test_saving_in_a_thread_loses_nothing_of_what_comes_meanwhile(path: Path) -> None:
    store, stop, seconds = Store(path), threading.Event(), line(NOON, "e" * 3000)

    def save() -> None:
        while not stop.is_set():
            store.save()

    thread = threading.Thread(target=save)
    thread.start()
    try:
        observe(store, "a", seconds)
    finally:
        stop.set()
        thread.join()
    store.close()
    with Store(path) as store:
        assert bins(store.history("a")) == bins(kept(seconds))


def test_a_store_leaves_no_file_behind_but_its_own(path: Path) -> None:
    with Store(path) as store:
        observe(store, "a", line(NOON, "e" * 10))
        store.save()
        observe(store, "a", line(NOON + 10, "e" * 10))
        assert len(list(path.parent.glob("*.seconds-*"))) == 1
    assert sorted(each.name for each in path.parent.iterdir()) == ["history.sqlite", "history.sqlite.lock"]


def test_a_day_of_one_span_is_seconds_of_work(path: Path) -> None:
    """86,400 seconds with a save every 30: CPU time, and generous, for the machine may be busy."""
    day = line(MIDNIGHT, "." * DAY_S)
    with Store(path) as store:
        began_s = time.process_time()
        for number, second in enumerate(day):
            store.observe("a", second, "t")
            if number % 30 == 29:
                store.save()
        assert time.process_time() - began_s < 20
        assert store.history("a").days(MIDNIGHT)[0].measured_s == DAY_S
