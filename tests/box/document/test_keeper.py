"""Any order of edits, commits, confirmations, times, kills and ways back, on a box that is only made up.

The file, the book's database and the daemons are what outlives a kill; the keeper is made anew after each.
"""

import asyncio
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from appliance.box.document.book import Book, digest, open_book
from appliance.box.document.keeper import NEXT_START, Keeper
from appliance.box.document.moment import Moment
from appliance.bus.client import BusError, Refused
from appliance.bus.messages import DocumentMistake, KeySet
from appliance.errors import ConfigError

T = TypeVar("T")

DAEMONS = ("trunkd", "acdd", "recordd")
MINUTE = 60.0


class Killed(BaseException):
    """boxd, or all of the box, is no more."""


@dataclass
class World:
    """What a kill leaves. Texts are words; one with "wrong" is wrong, "new" in it needs a new start."""

    file: str = "text 0"
    running: dict[str, str] = field(default_factory=lambda: dict.fromkeys(DAEMONS, "text 0"))
    started_at: float = 0.0
    away: set[str] = field(default_factory=set)   # daemons that do not answer
    disk_full: bool = False
    kill_after: int | None = None                 # steps

    def step(self) -> None:
        if self.kill_after is not None:
            self.kill_after -= 1
            if self.kill_after < 0:
                raise Killed

    def boot(self, at: float) -> None:
        self.running = dict.fromkeys(DAEMONS, self.file)
        self.away.clear()
        self.started_at = at


class Stage:
    """Ground of a World."""

    def __init__(self, world: World) -> None:
        self.world = world

    def read(self) -> str:
        return self.world.file

    def keys(self, old: str, new: str) -> list[str]:
        if "wrong" in new:
            raise ConfigError(f"box.yaml:1: {new}")
        return [] if old == new else ["text"]

    async def write(self, text: str) -> None:
        self.world.step()
        if self.world.disk_full:
            raise Refused("no space left")
        self.world.file = text
        self.world.step()

    async def check(self, text: str) -> tuple[list[DocumentMistake], list[str]]:
        self.world.step()
        return [DocumentMistake(1, text)] if "wrong" in text else [], []

    async def try_out(self, text: str) -> None:
        for daemon in DAEMONS:
            self.world.step()
            if daemon in self.world.away:
                raise BusError(f"{daemon} is not there")
            if ("new" in text) != ("new" in self.world.running[daemon]):
                raise Refused("new: needs a new start")

    async def take_over(self) -> None:
        for daemon in DAEMONS:
            self.world.step()
            if daemon in self.world.away:
                raise BusError(f"{daemon} is not there")
            self.world.running[daemon] = self.world.file

    def all_started_since(self, at: float) -> bool:
        return self.world.started_at > at


class Bench:
    def __init__(self, path: Path, world: World | None = None) -> None:
        self.path, self.world = path, world or World()
        self.at, self.up_s, self.boot = 1000.0, 10.0, "boot 1"
        self.start()

    @property
    def now(self) -> Moment:
        return Moment(self.at, self.boot, self.up_s)

    def start(self) -> None:
        self.book = Book(self.path)
        self.keeper = Keeper(self.book, Stage(self.world))
        self.do(self.keeper.start(self.now))
        self.do(self.keeper.tell_daemons())

    def kill(self) -> None:
        """boxd, which starts anew."""
        self.world.kill_after = None
        self.book.close()
        self.start()

    def power_cut(self, off_s: float = 5.0) -> None:
        """All of the box, which starts anew from the file."""
        self.world.kill_after = None
        self.book.close()
        self.at, self.up_s, self.boot = self.at + off_s, 10.0, f"{self.boot}+"
        self.world.boot(self.at)
        self.start()

    def later(self, seconds: float) -> None:
        self.at, self.up_s = self.at + seconds, self.up_s + seconds
        try:
            self.do(self.keeper.due(self.now))
        except Refused:
            assert self.world.disk_full
        self.do(self.keeper.tell_daemons())

    def do(self, act: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await act
        return asyncio.run(awaited())

    def commit(self, text: str, within_s: float = 0.0, next_start: bool = False, by: str = "li") -> int:
        self.keeper.edit(self.now, by, text)
        return self.do(self.keeper.commit(self.now, by, "because", within_s, next_start)).number

    def told(self) -> list[tuple[int, str, str, str]]:
        return [(one.number, one.kind, one.state, self.book.text(one.sha256))
                for one in reversed(self.keeper.history(0, 100))]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "configuration.sqlite")


def test_the_document_that_is_there_is_version_1_and_an_edit_of_it_another(bench: Bench) -> None:
    bench.world.file = "text by hand"
    bench.keeper.notice(bench.now, "root")
    bench.keeper.notice(bench.now, "root")        # it is known by now
    assert bench.told() == [(1, "found", "committed", "text 0"), (2, "edited", "committed", "text by hand")]
    assert not bench.keeper.version(2)[0].in_force
    bench.do(bench.keeper.tell_daemons())
    assert bench.keeper.version(2)[0].in_force and set(bench.world.running.values()) == {"text by hand"}


def test_a_wrong_edit_is_said_and_only_a_way_back_overwrites_it(bench: Bench) -> None:
    bench.world.file = "wrong"
    bench.keeper.notice(bench.now)
    assert bench.keeper.wrong == "box.yaml:1: wrong"
    with pytest.raises(Refused, match="is wrong: mend it, or roll back"):
        bench.commit("text 1")
    bench.do(bench.keeper.roll_back(bench.now, "li", 1, "", 0.0, False))
    bench.keeper.notice(bench.now)
    assert (bench.world.file, bench.keeper.wrong) == ("text 0", "")


@pytest.mark.need(16)
def test_what_is_confirmed_stays_and_what_is_not_goes_back(bench: Bench) -> None:
    assert bench.commit("text 1", MINUTE) == 2
    assert set(bench.world.running.values()) == {"text 1"}
    bench.keeper.confirm(bench.now, "li", 2)
    bench.later(2 * MINUTE)
    assert bench.commit("text 2", MINUTE) == 3
    bench.later(MINUTE - 1)
    assert bench.keeper.state(bench.now).until == pytest.approx(bench.at + 1)
    with pytest.raises(Refused, match="version 3 waits to be confirmed"):
        bench.commit("text 3")
    bench.later(1)
    assert bench.told() == [
        (1, "found", "committed", "text 0"), (2, "commit", "confirmed", "text 1"),
        (3, "commit", "rolled-back", "text 2"), (4, "expired", "committed", "text 1")]
    assert bench.world.file == "text 1" and set(bench.world.running.values()) == {"text 1"}
    with pytest.raises(Refused, match="version 3 does not wait"):
        bench.keeper.confirm(bench.now, "li", 3)


@pytest.mark.parametrize("end", [Bench.kill, Bench.power_cut])
def test_a_new_start_does_not_stop_the_time(bench: Bench, end: Callable[[Bench], None]) -> None:
    bench.commit("text 1", 10 * MINUTE)
    bench.later(4 * MINUTE)
    end(bench)
    left_s = bench.keeper.left_s(bench.now)
    assert left_s is not None and 5 * MINUTE <= left_s <= 6 * MINUTE
    bench.later(6 * MINUTE)
    assert bench.world.file == "text 0"


def test_a_box_that_was_off_for_longer_goes_back_at_once(bench: Bench) -> None:
    bench.commit("text 1", 10 * MINUTE)
    bench.power_cut(off_s=3600.0)
    bench.later(0)
    assert bench.world.file == "text 0" and set(bench.world.running.values()) == {"text 0"}


def test_a_clock_that_is_set_neither_shortens_nor_stretches_the_time(bench: Bench) -> None:
    bench.commit("text 1", 10 * MINUTE)
    bench.at += 86_400.0                          # time servers are there at last
    assert bench.keeper.left_s(bench.now) == pytest.approx(10 * MINUTE)
    bench.at = 5.0                                # and after the power cut they are not: it is 1970
    bench.power_cut()
    left_s = bench.keeper.left_s(bench.now)
    assert left_s is not None and left_s <= 10 * MINUTE
    bench.later(10 * MINUTE)
    assert bench.world.file == "text 0"


def test_an_old_base_and_another_persons_candidate_are_refused(bench: Bench) -> None:
    bench.keeper.edit(bench.now, "li", "text 1")
    with pytest.raises(Refused, match="li has a candidate, made from version 1"):
        bench.keeper.edit(bench.now, "zhang", "text 2")
    with pytest.raises(Refused, match="li has a candidate"):
        bench.keeper.discard("zhang", False)
    bench.world.file = "text by hand"
    bench.keeper.notice(bench.now, "wang")
    with pytest.raises(Refused, match=r"from version 1, and meanwhile there is version 2 by wang \(edited\)"):
        bench.do(bench.keeper.commit(bench.now, "li", "because", 0.0, False))
    bench.keeper.edit(bench.now, "li", "text 1")
    assert bench.do(bench.keeper.commit(bench.now, "li", "because", 0.0, False)).parent == 2
    with pytest.raises(Refused, match="there is no candidate"):
        bench.keeper.candidate()


def test_what_cannot_be_is_refused_and_changes_nothing(bench: Bench) -> None:
    for text, comment, within_s, why in (
            ("text 0", "c", 0.0, "nothing differs from version 1"), ("wrong", "c", 0.0, "line 1: wrong"),
            ("new", "c", 0.0, "needs a new start"), ("text 1", " ", 0.0, "needs a comment"),
            ("text 1", "c", 5.0, "a time to confirm in is from 10 s to 24 h")):
        bench.keeper.edit(bench.now, "li", text)
        with pytest.raises(Refused, match=why):
            bench.do(bench.keeper.commit(bench.now, "li", comment, within_s, False))
    with pytest.raises(Refused, match="larger than"):
        bench.keeper.edit(bench.now, "li", "x" * 600_000)
    with pytest.raises(Refused, match="is no character of a text"):
        bench.keeper.edit(bench.now, "li", "a\x1b[2J")
    bench.world.away = {"acdd"}
    with pytest.raises(BusError, match="acdd is not there"):
        bench.commit("text 1")
    bench.world.away, bench.world.disk_full = set(), True
    with pytest.raises(Refused, match="no space left"):
        bench.commit("text 1", MINUTE)
    assert bench.told() == [(1, "found", "committed", "text 0")] and bench.keeper.left_s(bench.now) is None


@pytest.mark.parametrize("text", ["new", "text 1"])
def test_what_is_for_the_next_start_waits_for_it(text: str, bench: Bench) -> None:
    bench.commit(text, next_start=True)
    assert bench.keeper.version(2)[0].why_not == NEXT_START
    bench.kill()
    assert bench.world.file == text and set(bench.world.running.values()) == {"text 0"}
    bench.power_cut()
    assert bench.keeper.version(2)[0].in_force and set(bench.world.running.values()) == {text}


def test_a_way_back_that_daemons_or_the_disk_refuse_is_made_all_the_same(bench: Bench) -> None:
    bench.commit("text 1", MINUTE)
    bench.world.away = {"acdd"}
    bench.world.disk_full = True
    bench.later(MINUTE)
    assert bench.world.file == "text 1"           # it is said, and tried again
    bench.world.disk_full = False
    bench.later(10)
    assert bench.world.file == "text 0" and "acdd is not there" in bench.keeper.version(3)[0].why_not
    bench.world.away = set()
    bench.later(1)
    assert bench.keeper.version(3)[0].in_force and set(bench.world.running.values()) == {"text 0"}


@pytest.mark.parametrize("what", ["commit", "timed", "expire"])
def test_what_the_book_could_not_end_is_brought_to_its_end(
        what: str, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        monkeypatch.undo()                        # once
        raise sqlite3.OperationalError("database or disk is full")
    if what == "expire":
        bench.commit("text 1", MINUTE)
    monkeypatch.setattr(bench.book, "came_true", refuse)
    with pytest.raises(sqlite3.Error):
        if what == "expire":
            bench.later(MINUTE)
        bench.commit("text 1", MINUTE if what == "timed" else 0.0)
    bench.keeper.mend()
    bench.keeper.notice(bench.now)                # nobody edited it
    told = {"commit": [(2, "commit", "committed", "text 1")], "timed": [(2, "commit", "waiting", "text 1")],
            "expire": [(2, "commit", "rolled-back", "text 1"), (3, "expired", "committed", "text 0")]}
    assert bench.told()[1:] == told[what] and bench.book.candidate() is None
    assert (bench.keeper.left_s(bench.now) == MINUTE) == (what == "timed")
    bench.later(MINUTE)
    file = "text 1" if what == "commit" else "text 0"
    assert bench.world.file == file and set(bench.world.running.values()) == {file}


def test_a_file_that_was_written_though_it_is_refused_keeps_its_version_and_deadline(bench: Bench) -> None:
    class Grumbling(Stage):
        async def write(self, text: str) -> None:
            await super().write(text)
            raise Refused("the copy of it cannot be written")
    bench.keeper = Keeper(bench.book, Grumbling(bench.world))
    assert bench.commit("text 1", MINUTE) == 2
    state = bench.keeper.state(bench.now)
    assert (state.waiting, state.back_to, state.until) == (2, 1, bench.at + MINUTE)
    bench.later(MINUTE)
    assert bench.told()[1:] == [
        (2, "commit", "rolled-back", "text 1"), (3, "expired", "committed", "text 0")]
    assert bench.world.file == "text 0" and set(bench.world.running.values()) == {"text 0"}


class Fickle(Stage):
    """trunkd takes the first new text over, then another daemon refuses it."""

    async def take_over(self) -> None:
        self.world.running["trunkd"] = self.world.file
        if self.world.file == "text 1":
            raise Refused("a caller has just come in")
        await super().take_over()


def test_what_is_undone_for_all_is_so_though_the_file_is_refused(bench: Bench) -> None:
    class Deaf(Fickle):
        async def write(self, text: str) -> None:
            await super().write(text)
            if text == "text 0":
                raise Refused("the copy of it cannot be written")
    bench.keeper = Keeper(bench.book, Deaf(bench.world))
    with pytest.raises(Refused, match="a caller has just come in"):
        bench.commit("text 1", MINUTE)
    assert bench.world.file == "text 0" and set(bench.world.running.values()) == {"text 0"}
    assert bench.told() == [(1, "found", "committed", "text 0")]


def test_only_what_daemons_refused_is_to_be_offered_again(bench: Bench) -> None:
    bench.commit("text 1", MINUTE)
    assert not bench.keeper.untold()
    bench.world.away = {"acdd"}
    bench.later(MINUTE)
    assert bench.keeper.untold()
    bench.world.away = set()
    bench.later(1)
    assert not bench.keeper.untold()
    bench.commit("new", next_start=True)
    assert not bench.keeper.untold()              # that is what the next start is for


def _world_of(text: str) -> World:
    return World(text, dict.fromkeys(DAEMONS, text))


class Keys(Stage):
    """The words of a text are its keys: "a1 b1" is {a: 1, b: 1}; a number below 0 is wrong."""

    def keys(self, old: str, new: str) -> list[str]:
        before, after = yaml.safe_load(old), yaml.safe_load(new)
        return [key for key in {**before, **after} if before.get(key) != after.get(key)]


LETTERS = st.sampled_from("abc")
ACTS = st.lists(st.one_of(
    st.tuples(st.just("change"), LETTERS, st.integers(0, 3), st.booleans(), st.integers(0, 8)),
    st.tuples(st.just("edit"), LETTERS, st.integers(0, 3), st.booleans(), st.just(0)),
    st.tuples(st.just("kill"), LETTERS, st.just(0), st.booleans(), st.integers(0, 8))), max_size=12)


@settings(max_examples=60, deadline=None)
@given(ACTS)
def test_keys_are_changed_over_a_candidate_that_stays_and_never_over_somebody_elses_change(
        acts: list[tuple[str, str, int, bool, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder) / "configuration.sqlite", _world_of("a: 0\nb: 0  # kept\nc: 0\n"))
        bench.keeper = Keeper(bench.book, Keys(bench.world))
        candidate: str | None = None
        for what, letter, number, newest, steps in acts:
            head, before = bench.keeper.version(0)
            if what == "edit":
                candidate = f"a: {number}\nb: 9\nc: 9\n"
                bench.keeper.edit(bench.now, "wang", candidate)
            looked_at = head.number if newest else 1
            since = Keys(bench.world).keys(bench.keeper.version(looked_at)[1], before)
            sets = [KeySet(key=letter, value=str(number))]
            bench.world.kill_after = steps if what == "kill" else None
            try:
                text = bench.keeper.with_keys(sets, looked_at)
                bench.do(bench.keeper.change(bench.now, "li", text, "", 0.0, False))
                assert letter not in since and yaml.safe_load(text)[letter] == number
            except Refused as error:
                meanwhile = letter in since
                assert ("has changed" in str(error)) == meanwhile
                assert meanwhile or "nothing differs" in str(error)
            except Killed:
                bench.kill()
                bench.keeper = Keeper(bench.book, Keys(bench.world))
                assert bench.world.file in (before, text)
            bench.world.kill_after = None
            assert bench.keeper.version(0)[1] == bench.world.file and "# kept" in bench.world.file
            assert set(bench.world.running.values()) == {bench.world.file}
            found = bench.book.candidate()
            assert (found[1] if found else None) == candidate
        bench.book.close()


def test_keys_that_cannot_be_changed_are_refused_and_tried_without_a_change(bench: Bench) -> None:
    bench.world.file = "a: 0\n"
    bench.start()
    for sets, why in (([], "0 keys"), ([KeySet(key="a..b", value="1")], "write keys like"),
                      ([KeySet(key="b", value=None)], "b: is not there")):
        with pytest.raises((Refused, ConfigError), match=why):
            bench.keeper.with_keys(sets)
    told = bench.do(bench.keeper.try_text(bench.keeper.with_keys([KeySet(key="a", value="wrong")])))
    assert [one.text for one in told.mistakes] == ["a: wrong\n"]
    told = bench.do(bench.keeper.try_text(bench.keeper.with_keys([KeySet(key="a", value="new")])))
    assert told.mistakes == [] and told.refusals == ["new: needs a new start"]
    assert bench.world.file == "a: 0\n" and bench.book.candidate() is None
    bench.world.file = "wrong"
    bench.keeper.notice(bench.now)
    with pytest.raises(Refused, match="is wrong: mend it"):
        bench.do(bench.keeper.change(bench.now, "li", "a: 1\n", "", 0.0, False))


def test_a_daemon_that_changes_its_mind_undoes_it_for_all(bench: Bench) -> None:
    bench.keeper = Keeper(bench.book, Fickle(bench.world))
    with pytest.raises(Refused, match="a caller has just come in"):
        bench.commit("text 1", MINUTE)
    assert bench.world.file == "text 0" and set(bench.world.running.values()) == {"text 0"}
    assert bench.told() == [(1, "found", "committed", "text 0")]

    class Leaving(Fickle):
        async def take_over(self) -> None:
            self.world.away = {"recordd"}
            await super().take_over()
    bench.keeper = Keeper(bench.book, Leaving(bench.world))
    with pytest.raises(Refused, match="a caller has just come in"):
        bench.commit("text 1", MINUTE)
    assert bench.world.file == "text 0" and not bench.keeper.version(1)[0].in_force   # trunkd has the other
    bench.world.away, bench.keeper = set(), Keeper(bench.book, Stage(bench.world))
    bench.later(1)
    assert bench.keeper.version(1)[0].in_force and set(bench.world.running.values()) == {"text 0"}


@pytest.mark.parametrize("end", [Bench.kill, Bench.power_cut])
@pytest.mark.parametrize("what", ["commit", "change", "roll back", "expire", "revert"])
def test_a_kill_at_any_step_leaves_one_of_both_whole(
        what: str, end: Callable[[Bench], None], tmp_path: Path) -> None:
    for steps in range(40):
        bench = Bench(tmp_path / f"{steps}.sqlite")
        bench.commit("text 1", MINUTE if what in ("expire", "revert") else 0.0)
        before, after = "text 1", "text 2" if what in ("commit", "change") else "text 0"
        if what == "commit":
            bench.keeper.edit(bench.now, "li", after)
        bench.world.kill_after = steps
        try:
            match what:
                case "commit":
                    bench.do(bench.keeper.commit(bench.now, "li", "because", MINUTE, False))
                case "change":
                    bench.do(bench.keeper.change(bench.now, "li", after, "", MINUTE, False))
                case "roll back":
                    bench.do(bench.keeper.roll_back(bench.now, "li", 1, "", 0.0, False))
                case "expire":
                    bench.later(MINUTE)
                case "revert":
                    bench.do(bench.keeper.revert(bench.now, "li", 2))
            assert steps > 3
            return
        except Killed:
            end(bench)
        assert bench.world.file in (before, after)
        head, text = bench.keeper.version(0)
        assert text == bench.world.file and head.sha256 == digest(text) and head.in_force
        assert set(bench.world.running.values()) == {text}
        if what in ("expire", "revert") and text == before:
            assert bench.keeper.state(bench.now).waiting == 2        # as if nobody had begun
        if what in ("commit", "change"):
            assert (bench.keeper.state(bench.now).waiting == 3) == (text == after)
        if what == "commit":
            assert (bench.book.candidate() is None) == (text == after)
        bench.later(2 * MINUTE)
        assert bench.world.file == ("text 0" if what in ("expire", "revert") else
                                    before if what == "commit" else bench.world.file)
        bench.book.close()
    pytest.fail("it has no end")


def test_a_damaged_book_is_said(tmp_path: Path) -> None:
    path = tmp_path / "configuration.sqlite"
    path.write_bytes(b"not a database, but long enough to look like one" * 40)
    with pytest.raises(Exception, match=r"cannot be used \(file is not a database\): restore it"):
        Book(path)
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA application_id = 7")
    with pytest.raises(Exception, match="another program's database"):
        Book(path)
    book = open_book(tmp_path)                    # set aside: boxd has to start
    assert book.head() is None and path.with_name("configuration.sqlite.damaged").exists()
    book.close()


TEXTS = st.sampled_from(["text 0", "text 1", "text 2", "new 1", "wrong"])
PEOPLE = st.sampled_from(["li", "zhang"])
TIMES = st.sampled_from([0.0, 30.0, 300.0])


class AnyOrder(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.bench = Bench(Path(self.folder.name) / "book.sqlite")

    def teardown(self) -> None:
        self.bench.book.close()
        self.folder.cleanup()

    def guarded(self, act: Callable[[], object], steps: int | None, cut: bool) -> None:
        self.bench.world.kill_after = steps
        try:
            act()
        except BusError:
            pass
        except Killed:
            self.bench.power_cut() if cut else self.bench.kill()
        finally:
            self.bench.world.kill_after = None
        self.bench.keeper.notice(self.bench.now)

    @rule(by=PEOPLE, text=TEXTS)
    def edit(self, by: str, text: str) -> None:
        self.guarded(lambda: self.bench.keeper.edit(self.bench.now, by, text), None, False)

    @rule(by=PEOPLE, within_s=TIMES, next_start=st.booleans(), steps=st.none() | st.integers(0, 12),
          cut=st.booleans())
    def commit(self, by: str, within_s: float, next_start: bool, steps: int | None, cut: bool) -> None:
        self.guarded(lambda: self.bench.do(self.bench.keeper.commit(
            self.bench.now, by, "because", within_s, next_start)), steps, cut)

    @rule(back=st.integers(1, 4), within_s=TIMES, steps=st.none() | st.integers(0, 12), cut=st.booleans())
    def roll_back(self, back: int, within_s: float, steps: int | None, cut: bool) -> None:
        to = max(1, self.bench.keeper.version(0)[0].number - back)
        self.guarded(lambda: self.bench.do(self.bench.keeper.roll_back(
            self.bench.now, "li", to, "", within_s, False)), steps, cut)

    @rule()
    def confirm(self) -> None:
        waiting = self.bench.keeper.state(self.bench.now).waiting
        self.guarded(lambda: self.bench.keeper.confirm(self.bench.now, "li", waiting), None, False)

    @rule(steps=st.none() | st.integers(0, 12), cut=st.booleans())
    def revert(self, steps: int | None, cut: bool) -> None:
        waiting = self.bench.keeper.state(self.bench.now).waiting
        self.guarded(lambda: self.bench.do(
            self.bench.keeper.revert(self.bench.now, "li", waiting)), steps, cut)

    @rule(seconds=st.sampled_from([1.0, 29.0, 31.0, 400.0]), steps=st.none() | st.integers(0, 12),
          cut=st.booleans())
    def later(self, seconds: float, steps: int | None, cut: bool) -> None:
        self.guarded(lambda: self.bench.later(seconds), steps, cut)

    @rule(text=TEXTS)
    def by_hand(self, text: str) -> None:
        self.bench.world.file = text
        self.bench.keeper.notice(self.bench.now)

    @precondition(lambda self: "wrong" not in self.bench.world.file)
    @rule()
    def power_cut(self) -> None:
        self.bench.power_cut()

    @rule(daemon=st.sampled_from(DAEMONS))
    def away(self, daemon: str) -> None:
        self.bench.world.away ^= {daemon}

    @invariant()
    def the_file_is_the_newest_version(self) -> None:
        if not hasattr(self, "bench"):
            return
        _, text = self.bench.keeper.version(0)
        if not self.bench.keeper.wrong:
            assert text == self.bench.world.file
        else:
            assert "wrong" in self.bench.world.file

    @invariant()
    def the_history_is_true(self) -> None:
        if not hasattr(self, "bench"):
            return
        versions = self.bench.keeper.history(0, 1000)
        assert [one.number for one in versions] == list(range(len(versions), 0, -1))
        assert [one.parent for one in versions] == list(range(len(versions) - 1, -1, -1))
        assert self.bench.book.applying() is None
        waiting = self.bench.keeper.state(self.bench.now).waiting
        assert [one.number for one in versions if one.state == "waiting"] == ([waiting] if waiting else [])
        for one in versions:
            if one.kind in ("rollback", "expired", "reverted"):
                assert one.sha256 == self.bench.keeper.version(one.of)[0].sha256

    @invariant()
    def what_is_said_to_be_in_force_is(self) -> None:
        if not hasattr(self, "bench"):
            return
        head, text = self.bench.keeper.version(0)
        if head.in_force and not self.bench.keeper.wrong:
            assert set(self.bench.world.running.values()) == {text}


AnyOrder.TestCase.settings = settings(
    max_examples=80, stateful_step_count=30, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
TestAnyOrder = AnyOrder.TestCase
