"""Drafts, versions and publishing, with a disk, a box and an acdd that fail and are killed at any moment."""

import asyncio
import tempfile
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from appliance.box.flows import book as shelf
from appliance.box.flows.book import Book, digest, open_book
from appliance.box.flows.folder import Used
from appliance.box.flows.keeper import Keeper
from appliance.bus.client import BusError, Refused
from appliance.bus.messages.flows import FlowEdit, FlowMistake, FlowPicture

T = TypeVar("T")

FILE = "main.yaml"


def text(word: str) -> str:
    return f"# {word}\nstart: end\nnodes:\n  end: {{kind: hangup}}\n"


class Killed(BaseException):
    """boxd, or all of the box, is no more."""


@dataclass
class World:
    """What a kill leaves. A text with "wrong" in it is wrong; one with "refused" acdd does not take."""

    files: dict[str, str] = field(default_factory=lambda: {FILE: text("first")})
    running: dict[str, str] = field(default_factory=lambda: {FILE: text("first")})
    used: Used = field(default_factory=lambda: Used(frozenset([FILE]), {FILE: ["centre.inbound[0].flow"]}))
    away: bool = False
    full: bool = False
    kill_after: int | None = None

    def step(self) -> None:
        if self.kill_after is not None:
            self.kill_after -= 1
            if self.kill_after < 0:
                raise Killed


class Stage:
    """Ground of a World."""

    def __init__(self, world: World) -> None:
        self.world = world

    def files(self) -> list[str]:
        return sorted(self.world.files)

    def read(self, file: str) -> str | None:
        if file.startswith("/"):
            raise Refused("no name of a flow file")
        return self.world.files.get(file)

    def used(self) -> Used:
        return self.world.used

    async def write(self, file: str, new: str) -> None:
        self.world.step()
        if self.world.full:
            raise Refused("no space left")
        self.world.files[file] = new
        self.world.step()

    async def draw(self, file: str, new: str, called: bool) -> FlowPicture:
        wrong = [FlowMistake(line=3, keys=["nodes"], text="it is wrong")] if "wrong" in new else []
        return FlowPicture(start="", language="zh", nodes=[], mistakes=wrong)

    async def edit(self, file: str, new: str, edits: Sequence[FlowEdit]) -> str:
        return new + "".join(f"# {one.value}\n" for one in edits)

    async def tell(self) -> None:
        self.world.step()
        if self.world.away:
            raise BusError("acdd is not there")
        if "refused" in self.world.files.get(FILE, ""):
            raise Refused("acdd: its queue has gone")
        self.world.running = dict(self.world.files)
        self.world.step()


class Bench:
    def __init__(self, path: Path, world: World | None = None) -> None:
        self.path, self.world, self.at = path, world or World(), 1000.0
        self.start()

    def start(self) -> None:
        self.book = Book(self.path)
        self.keeper = Keeper(self.book, Stage(self.world))
        self.keeper.mend()
        self.keeper.notice(self.at)

    def tell(self) -> None:
        """What boxd does after its start, as soon as acdd is there."""
        self.do(self.keeper.tell(self.at))

    def kill(self) -> None:
        self.book.close()
        self.world.kill_after = None
        self.start()

    def do(self, act: Awaitable[T]) -> T:
        self.at += 1.0

        async def run() -> T:
            return await act
        return asyncio.run(run())

    def write(self, word: str, by: str = "ann") -> None:
        self.keeper.write(self.at, by, FILE, text(word), "", False)

    def publish(self, by: str = "ann", base: int = 0) -> int:
        return self.do(self.keeper.publish(self.at, by, FILE, "because", base, "")).number


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "flows.sqlite")


def test_what_is_there_is_the_first_version_and_an_edit_by_hand_the_next(bench: Bench) -> None:
    bench.world.files[FILE] = text("by hand")
    bench.keeper.notice(5.0)
    assert [(one.number, one.kind, one.at) for one in bench.keeper.history(FILE, 9)] == [
        (2, "edited", 5.0), (1, "found", 1000.0)]
    bench.world.files["other.yaml"] = "queues: []"
    bench.keeper.notice(6.0)
    assert bench.keeper.history("other.yaml", 9) == []


def test_a_draft_is_one_persons_and_its_steps_go_back_and_on(bench: Bench) -> None:
    bench.do(bench.keeper.edit(0.0, "ann", FILE, [FlowEdit(do="place", value="a")], "", False))
    bench.do(bench.keeper.edit(0.0, "ann", FILE, [FlowEdit(do="place", value="b")], "", False))
    with pytest.raises(Refused, match="ann has a draft"):
        bench.write("mine", by="li")
    with pytest.raises(Refused, match="has changed since"):
        bench.do(bench.keeper.edit(0.0, "ann", FILE, [], digest("other"), False))
    bench.keeper.step(0.0, "ann", FILE, 2)
    assert bench.keeper.draft(FILE)[1] == text("first")
    bench.keeper.step(0.0, "ann", FILE, -1)
    draft, now = bench.keeper.draft(FILE)
    assert (draft.undo, draft.redo, now) == (1, 1, text("first") + "# a\n")
    with pytest.raises(Refused, match="1 changes can be taken back, 1 made again"):
        bench.keeper.step(0.0, "ann", FILE, 2)
    bench.do(bench.keeper.edit(0.0, "li", FILE, [], "", True))
    assert bench.keeper.draft(FILE)[0].by == "li" and bench.keeper.draft(FILE)[0].redo == 1
    bench.write("other", by="li")
    assert bench.keeper.draft(FILE)[0].redo == 0
    with pytest.raises(Refused, match="li has a draft"):
        bench.keeper.discard("ann", FILE, False)
    bench.keeper.discard("ann", FILE, True)
    with pytest.raises(Refused, match="no draft"):
        bench.keeper.draft(FILE)


def test_the_book_has_bounds(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "MOST_STEPS", 3)
    monkeypatch.setattr(shelf, "MOST_DRAFTS", 2)
    monkeypatch.setattr(shelf, "MOST_VERSIONS", 3)
    for word in "abcdef":
        bench.write(word)
    assert bench.keeper.draft(FILE)[0].undo == 3
    bench.keeper.write(0.0, "ann", "two.yaml", text("two"), "", False)
    with pytest.raises(Refused, match="there are 2 drafts"):
        bench.keeper.write(0.0, "ann", "three.yaml", text("three"), "", False)
    for word in "uvwxyz":
        bench.world.files[FILE] = text(word)
        bench.keeper.notice(0.0)
    assert [one.number for one in bench.keeper.history(FILE, 9)] == [7, 6, 5]
    with pytest.raises(Refused, match="no version 1"):
        bench.keeper.version(FILE, 1)


@pytest.mark.parametrize(("bad", "why"), [
    ("x: [", "line 2"), ("a: *b", "aliases"), ("[" * 60, "nested"), ("3", "has keys"),
    ("a: 1\x00", "no character"),
    ("# " + "x" * 300_000, "larger than"), ("a: 1\na: 2", "there twice"),
    ("\ud800: 1", "no character"),
])
def test_what_is_no_flow_at_all_is_no_draft(bench: Bench, bad: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        bench.keeper.write(0.0, "ann", FILE, bad, "", False)
    with pytest.raises(Refused, match="no draft"):
        bench.keeper.draft(FILE)


def test_publishing_writes_tells_acdd_and_ends_the_draft(bench: Bench) -> None:
    bench.write("second")
    assert bench.publish() == 2 and bench.world.running[FILE] == text("second")
    assert bench.keeper.file(FILE).draft is None and bench.keeper.changed == {FILE}
    assert bench.do(bench.keeper.roll_back(0.0, "li", FILE, 1, "")).of == 1
    assert bench.world.running[FILE] == bench.world.files[FILE] == text("first")
    with pytest.raises(Refused, match="nothing differs from version 3"):
        bench.do(bench.keeper.roll_back(0.0, "li", FILE, 1, ""))


def test_what_acdd_refuses_is_as_it_was(bench: Bench) -> None:
    bench.write("refused")
    with pytest.raises(Refused, match="its queue has gone"):
        bench.publish()
    assert bench.world.files[FILE] == bench.world.running[FILE] == text("first")
    assert bench.keeper.history(FILE, 9)[0].number == 1 and bench.keeper.draft(FILE)[1] == text("refused")


@pytest.mark.parametrize("what", ["wrong", "full", "away"])
def test_a_flow_that_is_wrong_or_a_box_that_is_not_well_changes_nothing(bench: Bench, what: str) -> None:
    bench.write("wrong" if what == "wrong" else "second")
    bench.world.full, bench.world.away = what == "full", what == "away"
    with pytest.raises(BusError, match=r"line 3: it is wrong|no space left|acdd is not there"):
        bench.publish()
    assert bench.world.files[FILE] == text("first") and bench.book.applying() == []


def test_beside_a_newer_version_it_is_published_only_by_who_has_seen_that(bench: Bench) -> None:
    bench.write("second")
    bench.world.files[FILE] = text("by hand")
    bench.keeper.notice(0.0)
    with pytest.raises(Refused, match="meanwhile there is version 2 by the box"):
        bench.publish()
    with pytest.raises(Refused, match="meanwhile"):
        bench.publish(base=1)
    assert bench.publish(base=2) == 3


def test_a_text_is_written_and_a_draft_published_only_over_what_was_seen(bench: Bench) -> None:
    first = digest(text("first"))
    bench.keeper.write(0.0, "ann", FILE, text("second"), first, False)
    for seen in (first, digest("another")):
        with pytest.raises(Refused, match="the draft has changed since"):
            bench.keeper.write(0.0, "ann", FILE, text("third"), seen, False)
        with pytest.raises(Refused, match="the draft has changed since"):
            bench.do(bench.keeper.publish(0.0, "ann", FILE, "", 0, seen))
    with pytest.raises(Refused, match="the draft has changed since"):
        bench.keeper.write(0.0, "li", FILE, text("third"), first, True)
    with pytest.raises(Refused, match="the draft has changed since"):
        bench.keeper.write(0.0, "ann", "new.yaml", text("new"), first, False)
    assert bench.keeper.draft(FILE)[1] == text("second")
    assert bench.do(bench.keeper.publish(0.0, "ann", FILE, "", 0, digest(text("second")))).number == 2
    with pytest.raises(Refused, match="the draft has changed since"):        # there is a newer version
        bench.keeper.write(0.0, "ann", FILE, text("third"), first, False)


def test_a_flow_that_no_call_goes_through_is_only_written(bench: Bench) -> None:
    bench.world.used, bench.world.away = Used(), True
    bench.write("second")
    assert bench.publish() == 2 and bench.world.files[FILE] == text("second")
    bench.keeper.write(0.0, "ann", "new.yaml", text("new"), "", False)
    assert bench.do(bench.keeper.publish(0.0, "ann", "new.yaml", "", 0, "")).number == 1


def test_a_sub_flow_is_live_when_a_flow_that_is_called_goes_through_it() -> None:
    used = Used(frozenset(["a.yaml"]), {"a.yaml": ["centre.inbound[0].flow"], "b.yaml": ["a.yaml: nodes.x"],
                                        "c.yaml": ["b.yaml: nodes.y"], "d.yaml": ["e.yaml: nodes.z"],
                                        "e.yaml": ["d.yaml: nodes.z"]})
    assert [used.live(file) for file in ("a.yaml", "b.yaml", "c.yaml", "d.yaml", "z.yaml")] == [
        True, True, True, False, False]


def test_what_was_cut_off_is_told_to_acdd_and_goes_back_when_that_refuses(bench: Bench) -> None:
    bench.write("refused")
    bench.world.kill_after = 1                    # the file is written, acdd not told
    with pytest.raises(Killed):
        bench.publish()
    bench.kill()
    assert bench.keeper.version(FILE, 0)[0].number == 2 and bench.keeper.untold()
    bench.world.away = True
    with pytest.raises(BusError, match="not there"):
        bench.tell()
    bench.world.away = False
    bench.tell()
    head = bench.keeper.version(FILE, 0)[0]
    assert (head.number, head.kind, head.of, head.by) == (3, "rollback", 1, "")
    assert bench.world.files[FILE] == text("first") and not bench.keeper.untold()


def test_a_draft_and_two_versions_are_compared_by_lines_and_nodes(bench: Bench) -> None:
    after = text("x").replace("end", "bye").replace("nodes:", "nodes:\n  n: {a: 1}")
    bench.keeper.write(0.0, "ann", FILE, after, "", False)
    found = bench.keeper.compare(FILE, 1, 0)
    assert (found.added, found.gone, found.changed) == (["n", "bye"], ["end"], [])
    assert found.unified.startswith("--- version 1\n+++ draft\n")


def test_a_book_that_is_damaged_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / shelf.FILE).write_bytes(b"x" * 5000)
    assert open_book(tmp_path).files() == []
    assert (tmp_path / f"{shelf.FILE}.damaged").exists()


class Lives(RuleBasedStateMachine):
    """Whatever is done and wherever it is cut off: one whole text, and a book that says which."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.bench = Bench(Path(self.folder.name) / "flows.sqlite")
        self.ever = {text("first")}
        self.count = 0

    def teardown(self) -> None:
        self.bench.book.close()
        self.folder.cleanup()

    def attempt(self, kill_after: int | None, act: Awaitable[object]) -> None:
        self.bench.world.kill_after = kill_after
        try:
            self.bench.do(act)
        except BusError:
            pass
        except Killed:
            self.bench.kill()
        self.bench.world.kill_after = None

    @rule(kind=st.sampled_from(["fine", "wrong", "refused"]))
    def draft(self, kind: str) -> None:
        self.count += 1
        self.ever.add(text(f"{kind} {self.count}"))
        self.bench.write(f"{kind} {self.count}")

    @rule(kill_after=st.none() | st.integers(0, 6))
    def publish(self, kill_after: int | None) -> None:
        head = self.bench.book.head(FILE)
        self.attempt(kill_after, self.bench.keeper.publish(
            self.bench.at, "ann", FILE, "", head.number if head else 0, ""))

    @rule(kill_after=st.none() | st.integers(0, 6), to=st.integers(1, 8))
    def roll_back(self, kill_after: int | None, to: int) -> None:
        self.attempt(kill_after, self.bench.keeper.roll_back(self.bench.at, "li", FILE, to, ""))

    @rule(away=st.booleans(), full=st.booleans())
    def fare(self, away: bool, full: bool) -> None:
        self.bench.world.away, self.bench.world.full = away, full

    @rule()
    def by_hand(self) -> None:
        self.count += 1
        self.bench.world.files[FILE] = text(f"hand {self.count}")
        self.ever.add(text(f"hand {self.count}"))
        self.bench.keeper.notice(self.bench.at)

    @rule(kill_after=st.none() | st.integers(0, 4))
    def told(self, kill_after: int | None) -> None:
        self.attempt(kill_after, self.bench.keeper.tell(self.bench.at))

    @invariant()
    def the_book_says_what_the_file_is(self) -> None:
        self.bench.keeper.mend()
        found = self.bench.world.files[FILE]
        assert found in self.ever and "wrong" not in found
        assert self.bench.keeper.version(FILE, 0)[1] == found
        assert not self.bench.book.applying()

    @invariant()
    def once_acdd_was_told_it_goes_through_the_file_or_the_file_went_back(self) -> None:
        world = self.bench.world
        if not world.away and not world.full:
            self.bench.tell()
            assert "refused" not in world.files[FILE]
            assert world.running[FILE] == world.files[FILE] or self.bench.keeper.version(
                FILE, 0)[0].kind in ("edited", "rollback")


Lives.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None,
                                   suppress_health_check=[HealthCheck.too_slow])
TestLives = Lives.TestCase
