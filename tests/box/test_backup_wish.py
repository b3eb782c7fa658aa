"""A restore that is wished for on the page: looked at before, done before the daemons, taken back."""

import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import create_engine

from appliance.box.backup import durable, opening, passphrase, restoring, wishing
from appliance.box.backup.format import BackupError, Manifest
from appliance.box.backup.wishing import Wish, fulfil
from appliance.bus.messages import PreparedRestore, RestoreAct, RestoreOutcome
from appliance.launch import restore, restore_trial
from appliance.launch.place import CannotStart
from appliance.launch.restore_trial import Order, prepare
from appliance.recording.vault.keys import Keys
from appliance.store.schema import contacts
from tests.box.backed_up import PASSPHRASE, BackedUp, die_at, tree

AT = 1_900_000_000.0


@pytest.fixture
def box(tmp_path: Path) -> BackedUp:
    return BackedUp.make(tmp_path)


@pytest.fixture
def file(box: BackedUp) -> Path:
    return Path(box.back_up().path)


def looked_at(box: BackedUp, file: Path, words: str = "", source: str = "") -> PreparedRestore:
    return prepare(Order(source=source or str(file), path=str(file), document=str(box.document),
                         state_dir=str(box.state_dir), box="branch", passphrase=words))


def wish(state_dir: Path, act: RestoreAct = "restore", at: float = AT, config: bool = True) -> None:
    wishing.ask(state_dir, Wish(id=f"{act} {at}", act=act, at=at, by="chen", address="10.0.0.9",
                                why="a wrong import", box="branch", version="1", backup_at=1.0,
                                config=config))


def start(state_dir: Path, document: Path, note: wishing.Note = lambda *_: None) -> RestoreOutcome | None:
    """As before the daemons; the recordings' chain is another test's."""
    return fulfil(state_dir, document, note, lambda: None)


def standing(state_dir: Path) -> dict[str, bytes]:
    """The box, without what a restore keeps for itself."""
    return {name: octets for name, octets in tree(state_dir).items()
            if not name.startswith(("restore", "replaced-", "recordings/replaced-"))}


def secrets(state_dir: Path) -> list[str]:
    return sorted(path.name for path in (state_dir / "restore").iterdir() if path.name != restoring.UNDO)


def test_a_backup_is_looked_at_and_says_what_would_be_lost(box: BackedUp, file: Path) -> None:
    engine = create_engine(f"sqlite:///{box.state_dir / 'acd.sqlite'}")
    with engine.begin() as base:
        kinds = {one.name: one.type.python_type for one in contacts.columns}
        base.execute(contacts.insert().values({
            name: 2e9 if kind is float else kind(1) for name, kind in kinds.items()}))
    engine.dispose()
    box.document.write_text(box.document.read_text() + "web: {language: en}\n")
    before = standing(box.state_dir)
    found = looked_at(box, file)
    counts = {one.what: one for one in found.counts}
    assert (found.box, found.own, found.trial, found.refused) == ("branch", True, [], "")
    assert counts["contacts"].since == 1 and counts["contacts"].now == counts["contacts"].held + 1
    assert counts["recordings"].now == counts["recordings"].held == 1
    assert found.keys == ["web.language"]
    assert standing(box.state_dir) == before
    assert secrets(box.state_dir) == ["backup", "key", "prepared.json"]
    assert (box.state_dir / "restore" / "key").stat().st_mode & 0o777 == 0o600
    assert wishing.prepared(box.state_dir) == found


def test_one_of_another_box_opens_with_its_passphrase_which_is_kept_nowhere(
        box: BackedUp, file: Path, tmp_path: Path) -> None:
    (box.state_dir / "backup" / "key").unlink()
    with pytest.raises(BackupError, match="give the passphrase"):
        looked_at(box, file)
    found = looked_at(box, file, PASSPHRASE, "upload:x.backup")
    assert found.refused == "" and found.source == "upload:x.backup"
    for path in box.state_dir.rglob("*"):
        assert not path.is_file() or PASSPHRASE.encode() not in path.read_bytes()
    wish(box.state_dir)
    done = start(box.state_dir, box.document)
    assert done is not None and done.error == ""
    assert secrets(box.state_dir) == []
    assert passphrase.kept(box.state_dir / "restore") is None


@pytest.mark.parametrize(("spoil", "said"), [
    (lambda path: path.write_bytes(b"not a backup" * 999), "not"),
    (lambda path: path.write_bytes(b""), "."),
    (lambda path: path.write_bytes(path.read_bytes()[:-4000]), "."),
    (lambda path: path.write_bytes(path.read_bytes()[:9000] + b"x" + path.read_bytes()[9001:]), "."),
    (lambda path: path.unlink(), "No such file")], ids=["other", "empty", "cut", "changed", "gone"])
def test_what_is_no_whole_backup_is_refused_and_nothing_of_it_stays(
        box: BackedUp, file: Path, spoil: Callable[[Path], object], said: str) -> None:
    spoil(file)
    before = standing(box.state_dir)
    with pytest.raises(BackupError, match=said):
        looked_at(box, file, PASSPHRASE)
    assert secrets(box.state_dir) == [] and standing(box.state_dir) == before


def test_what_cannot_be_restored_is_refused_beforehand(
        box: BackedUp, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BackupError, match="the passphrase does not open it"):
        looked_at(box, file, "four other words here")
    monkeypatch.setattr(restore_trial, "MOST_OCTETS", 100)
    with pytest.raises(BackupError, match="at the console only"):
        looked_at(box, file)
    monkeypatch.undo()
    monkeypatch.setattr(restore_trial, "SPARE_OCTETS", 1 << 60)
    with pytest.raises(BackupError, match="free space"):
        looked_at(box, file)
    monkeypatch.undo()
    monkeypatch.setattr(restore_trial, "version", lambda _: "0.0.1")
    assert "update the box first" in looked_at(box, file).refused
    assert secrets(box.state_dir) == ["prepared.json"]
    monkeypatch.undo()
    box.document.rename(other := box.document.with_name("other.yaml"))
    box.document = other
    assert "its configuration is called branchline.yaml" in looked_at(box, file).refused
    link = file.with_name("link")
    link.symlink_to(file)
    with pytest.raises(BackupError):
        looked_at(box, link)


def test_the_box_becomes_the_backup_and_what_it_was_again(box: BackedUp, file: Path) -> None:
    state = box.state_dir
    (state / "session-key").write_text("another\n")
    (box.document.parent / "branchline.yaml").write_text(box.document.read_text() + "web: {language: en}\n")
    newer = Keys(state / "recordings" / "keys")
    newer.rotate()
    before = standing(state)
    looked_at(box, file)
    wish(state)
    said: list[str] = []

    def note(manifest: Manifest, folder: Path, by: str) -> None:
        said.append(by)
        restore.note(manifest, folder, by)
    done = start(state, box.document, note)
    assert done is not None and (done.error, done.by, said) == ("", "chen", ["chen"])
    assert not wishing.wished(state) and wishing.outcome(state) == done
    assert (state / "session-key").read_text() == "a secret of the box's\n"
    assert "language" not in box.document.read_text()
    assert Keys(state / "recordings" / "keys").ids == newer.ids
    later = Keys(state / "recordings" / "keys")
    later.rotate()
    (state / "acd.sqlite-wal").write_text("of the restored box")
    assert wishing.undo(state) is not None
    wish(state, "take-back", AT + 60)
    done = start(state, box.document)
    assert done is not None and done.error == ""
    assert Keys(state / "recordings" / "keys").ids == later.ids      # it opens what was sealed meanwhile
    now = standing(state)
    assert {name: octets for name, octets in now.items() if name in before} == before
    assert "language: en" in box.document.read_text()
    old_journal = state / "acd.sqlite-wal"
    assert not old_journal.exists() or old_journal.read_bytes() != b"of the restored box"
    wishing.forget(state)
    assert wishing.undo(state) is None
    wish(state, "take-back", AT + 120)
    done = start(state, box.document)
    assert done is not None and "is not kept any more" in done.error
    assert standing(state) == now


def test_the_configuration_may_be_left_alone(box: BackedUp, file: Path) -> None:
    box.document.write_text(box.document.read_text() + "web: {language: en}\n")
    looked_at(box, file)
    wish(box.state_dir, config=False)
    done = start(box.state_dir, box.document)
    assert done is not None and not done.error and "language: en" in box.document.read_text()


def test_a_wish_that_cannot_be_fulfilled_changes_nothing_and_says_why(
        box: BackedUp, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = box.state_dir
    before = standing(state)
    looked_at(box, file)
    (state / "restore" / "backup").write_bytes(file.read_bytes()[:-4000])
    wish(state)
    done = start(state, box.document)
    assert done is not None and done.error and standing(state) == before
    looked_at(box, file)
    monkeypatch.setattr(restoring, "SPARE_OCTETS", 1 << 60)
    wish(state)
    done = start(state, box.document)
    assert done is not None and "free space" in done.error and standing(state) == before
    assert not wishing.wished(state) and secrets(state) == []
    assert start(state, box.document) is None
    (state / "restore" / "wish").write_text("of a version to come")
    assert start(state, box.document) is None and not wishing.wished(state)


def _ticking(monkeypatch: pytest.MonkeyPatch, tick: Callable[[], None]) -> None:
    def before(act: Callable[..., object]) -> Callable[..., object]:
        def acted(*arguments: object, **named: object) -> object:
            tick()
            return act(*arguments, **named)
        return acted
    for where, name in ((opening, "_write"), (restoring, "move"), (restoring, "sync_folder"),
                        (restoring, "write_file"), (wishing, "write_file"), (wishing, "sync_folder"),
                        (wishing, "clear"), (durable, "move"), (durable, "sync_folder"), (shutil, "rmtree"),
                        (Path, "unlink")):
        monkeypatch.setattr(where, name, before(getattr(where, name)))


@pytest.mark.parametrize("act", ["restore", "take-back"])
def test_a_power_cut_at_any_moment_ends_in_the_wish_fulfilled(
        box: BackedUp, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: RestoreAct) -> None:
    """Killed before each write, rename, fsync and removal in turn; each start after it goes on. In between
    the box is the old one, the new one, or a plan says that no daemon may start."""
    state, document = box.state_dir, box.document
    (state / "session-key").write_text("another\n")
    document.write_text(document.read_text() + "web: {language: en}\n")
    looked_at(box, file)
    wish(state)
    if act == "take-back":
        start(state, document)
        wish(state, act, AT + 60)
    kept = tmp_path / "kept"
    shutil.copytree(state.parent, kept / state.parent.name, ignore=shutil.ignore_patterns("kept", "stick"))
    old = standing(state) | {"document": document.read_bytes()}

    def back_to_then() -> None:
        shutil.rmtree(state)
        shutil.rmtree(document.parent)
        shutil.copytree(kept / state.parent.name / state.name, state)
        shutil.copytree(kept / state.parent.name / document.parent.name, document.parent)

    def now() -> dict[str, bytes]:
        return standing(state) | {"document": document.read_bytes()}
    start(state, document)
    new = now()
    assert new != old
    cut, again = 0, True
    while again:
        back_to_then()

        def run(tick: Callable[[], None]) -> None:
            _ticking(monkeypatch, tick)
            start(state, document)
        again = die_at(cut, run)
        if not restoring.pending(state):
            found = {name: octets for name, octets in now().items() if not name.startswith("restoring/")}
            assert found in (old, new), cut
            assert wishing.wished(state) or found == new, cut
        start(state, document)
        assert now() == new, cut
        assert not wishing.wished(state) and secrets(state) == []
        done = wishing.outcome(state)
        assert done is not None and (done.act, done.error) == (act, "")
        assert wishing.undo(state) is not None
        cut += 1
    assert cut > 20


def test_what_a_daemon_laid_down_as_a_plan_is_none(
        box: BackedUp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any daemon may make files in the state folder: what root is to move must be root's own."""
    plan = box.state_dir / "restoring" / "plan.json"
    plan.parent.mkdir()
    plan.write_text('{"moves": [{"new": "/etc/passwd", "to": "/etc/shadow", "aside": "/x"}], '
                    '"cleared": [], "aside": []}')
    monkeypatch.setattr("os.geteuid", lambda: plan.stat().st_uid + 1 if plan.exists() else 0)
    assert start(box.state_dir, box.document) is None
    assert not plan.exists()


class Dies(BaseException):
    """As a process does that the kernel ends: nothing of it is caught."""


@pytest.mark.parametrize("wrong", [ValueError("of no kind that is known"), RecursionError()])
def test_whatever_goes_wrong_before_the_plan_leaves_the_box_as_it_was(
        box: BackedUp, file: Path, wrong: Exception) -> None:
    before = standing(box.state_dir)

    def note(*_: object) -> None:
        raise wrong
    looked_at(box, file)
    wish(box.state_dir)
    done = start(box.state_dir, box.document, note)
    assert done is not None and "nothing was changed" in done.error and type(wrong).__name__ in done.error
    assert standing(box.state_dir) == before and not wishing.wished(box.state_dir)
    assert secrets(box.state_dir) == [] and not (box.state_dir / "restoring").exists()


def test_what_brings_the_box_down_each_time_is_given_up(box: BackedUp, file: Path) -> None:
    def note(*_: object) -> None:
        raise Dies
    before = standing(box.state_dir)
    looked_at(box, file)
    wish(box.state_dir)
    for _ in range(wishing.MOST_BEGUN):
        with pytest.raises(Dies):
            start(box.state_dir, box.document, note)
    done = start(box.state_dir, box.document)
    assert done is not None and "begun 3 times" in done.error
    assert standing(box.state_dir) == before and secrets(box.state_dir) == []
    looked_at(box, file)
    wish(box.state_dir, at=AT + 60)               # of another wish nobody has counted
    done = start(box.state_dir, box.document)
    assert done is not None and done.error == ""


def test_files_that_cannot_be_given_back_keep_no_box_from_starting(box: BackedUp, file: Path) -> None:
    def give_back() -> None:
        given.append(restoring.pending(box.state_dir))
        raise CannotStart("systemd-tmpfiles: unsafe path transition")
    given: list[bool] = []
    looked_at(box, file)
    wish(box.state_dir)
    done = fulfil(box.state_dir, box.document, lambda *_: None, give_back)
    assert done is not None and done.error == "" and wishing.outcome(box.state_dir) == done
    assert given == [True]                        # a cut before it is over begins with them again


def test_a_disk_of_the_recordings_that_is_away_is_waited_for_by_people(box: BackedUp, file: Path) -> None:
    before = standing(box.state_dir)
    looked_at(box, file)
    wishing.ask(box.state_dir, Wish(id="1", act="restore", at=AT, by="chen", address="", why="x",
                                    box="branch", version="1", backup_at=1.0, apart=True))
    done = start(box.state_dir, box.document)
    assert done is not None and "recordings: its disk is not there" in done.error
    assert standing(box.state_dir) == before


def test_what_was_put_aside_leaves_no_empty_folders_when_it_is_taken_back(box: BackedUp, file: Path) -> None:
    looked_at(box, file)
    wish(box.state_dir)
    start(box.state_dir, box.document)
    wish(box.state_dir, "take-back", AT + 60)
    start(box.state_dir, box.document)
    found = {path.name for path in box.state_dir.parent.rglob("replaced-*")}
    assert len(found) == 1
    wishing.forget(box.state_dir)
    assert not list(box.state_dir.parent.rglob("replaced-*"))


def _refuse(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_take_back_that_was_cut_off_waits_for_what_it_moves_and_tidies_up(
        box: BackedUp, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = box.state_dir
    looked_at(box, file)
    wish(state)
    start(state, box.document)
    wish(state, "take-back", AT + 60)
    with monkeypatch.context() as patch:
        patch.setattr(restoring, "_carry_out", _refuse)
        with pytest.raises(BackupError, match="not over"):
            start(state, box.document)
    away = [state / "recordings", *state.glob("replaced-*"), *state.glob("recordings/replaced-*")]
    for folder in away:
        folder.rename(folder.with_name(f"away-{folder.name}"))
    with pytest.raises(BackupError, match="is not there, its disk may be missing"):
        start(state, box.document)
    assert restoring.pending(state) and wishing.wished(state)
    for folder in away:
        folder.with_name(f"away-{folder.name}").rename(folder)
    done = start(state, box.document)
    assert done is not None and (done.act, done.error) == ("take-back", "")
    assert len({path.name for path in state.parent.rglob("replaced-*")}) == 1


def test_files_that_are_called_as_what_was_put_aside_stop_nobody(box: BackedUp) -> None:
    names = ("replaced-number.json", "replaced-20260101-000000")
    for name in names:
        (box.state_dir / "flows" / name).write_text("of the backup")
    file = Path(box.back_up().path)
    for name in names:
        (box.state_dir / "flows" / name).write_text("of the box")
    looked_at(box, file)
    wish(box.state_dir)
    start(box.state_dir, box.document)
    stamped = time.strftime(wishing.STAMP, time.localtime(AT))
    last = wishing.undo(box.state_dir)
    assert last is not None
    assert {path.name for path in restoring.asides(last.plan)} == {f"replaced-{stamped}"}
    wish(box.state_dir, "take-back", AT + 60)
    done = start(box.state_dir, box.document)
    assert done is not None and done.error == ""
    for name in names:
        assert (box.state_dir / "flows" / name).read_text() == "of the box"
        [aside] = box.state_dir.glob(f"replaced-*/flows/{name}")
        assert aside.read_text() == "of the backup"


def test_a_wish_that_comes_to_nothing_leaves_the_way_back(
        box: BackedUp, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = box.state_dir
    looked_at(box, file)
    wish(state)
    start(state, box.document)
    last, before = wishing.undo(state), standing(state)
    assert last is not None
    acts: list[RestoreAct] = ["restore", "take-back"]
    for number, act in enumerate(acts, 1):
        looked_at(box, file)
        wish(state, act, AT + 60 * number)
        with monkeypatch.context() as patch:
            patch.setattr(restoring, "write_file", _refuse_plan)
            done = start(state, box.document)
        assert done is not None and "nothing was changed" in done.error
        assert wishing.undo(state) == last and standing(state) == before
    assert (last.id, last.box, last.version, last.backup_at, last.config) == (
        f"restore {AT}", "branch", "1", 1.0, True)


def _refuse_plan(path: Path, octets: bytes) -> None:
    if path.name == restoring.PLAN:
        raise OSError(28, "No space left on device", str(path))
    durable.write_file(path, octets)


def test_a_cut_after_a_plan_that_found_no_room_is_no_restore(
        box: BackedUp, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise Dies
    (box.state_dir / "session-key").write_text("another\n")
    looked_at(box, file)
    wish(box.state_dir)
    with monkeypatch.context() as patch:
        patch.setattr(restoring, "write_file", _refuse_plan)
        patch.setattr(wishing, "clear", die)
        with pytest.raises(Dies):
            start(box.state_dir, box.document)
    done = start(box.state_dir, box.document)
    assert done is not None and done.error == ""
    assert (box.state_dir / "session-key").read_text() == "a secret of the box's\n"


@pytest.mark.parametrize("name", ["wish", "undo.json", "prepared.json", "key", "backup"])
def test_what_no_file_is_stops_nobody(box: BackedUp, file: Path, name: str) -> None:
    """A daemon could put anything there; the box must start."""
    looked_at(box, file)
    wish(box.state_dir)
    (path := box.state_dir / "restore" / name).unlink(missing_ok=True)
    os.mkfifo(path)
    start(box.state_dir, box.document)
    assert not wishing.wished(box.state_dir)


def test_looking_at_another_users_database_makes_no_file_beside_it(
        box: BackedUp, monkeypatch: pytest.MonkeyPatch) -> None:
    path = box.state_dir / "users.sqlite"
    with closing(sqlite3.connect(path)) as base:
        base.executescript(
            "PRAGMA journal_mode = wal; CREATE TABLE users (name); INSERT INTO users VALUES (1)")
    monkeypatch.setattr("os.geteuid", lambda: path.stat().st_uid + 1)
    assert restore_trial._rows(path, "SELECT count(*) FROM users", "", 0.0) == (1, -1)
    assert [one.name for one in box.state_dir.glob("users.*")] == ["users.sqlite"]


def test_a_wish_is_no_part_of_a_backup(box: BackedUp, file: Path) -> None:
    looked_at(box, file)
    wish(box.state_dir)
    start(box.state_dir, box.document)
    looked_at(box, file)
    box.now = time.time()
    made = Path(box.back_up().path)
    found = looked_at(box, made)
    assert found.refused == "" and found.trial == []
    (box.state_dir / "restore" / "wish").unlink(missing_ok=True)


def clock_at(monkeypatch: pytest.MonkeyPatch, at: float) -> None:
    monkeypatch.setattr("appliance.box.backup.wishing.time.time", lambda: at)


def test_the_way_back_that_another_version_kept_is_one(
        box: BackedUp, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It said no more than the plan: what came of the wish says the rest, without that the file's time."""
    state, path = box.state_dir, box.state_dir / "restore" / "undo.json"
    looked_at(box, file)
    wish(state)
    clock_at(monkeypatch, AT + 30.0)
    start(state, box.document)
    known = wishing.undo(state)
    assert known is not None and known.done_at == AT + 30.0
    path.write_bytes(msgspec.json.encode({"id": known.id, "plan": known.plan}))
    os.utime(path, (AT + 40.0, AT + 40.0))
    assert wishing.undo(state) == known and wishing.aside_since(state) == AT + 30.0
    (state / "restored.json").unlink()
    without = wishing.undo(state)
    assert without is not None and without.done_at == AT + 40.0 == wishing.aside_since(state)
    wish(state, "take-back", AT + 60)
    done = start(state, box.document)
    assert done is not None and done.error == ""


@pytest.mark.parametrize("settled", [False, True])
def test_a_restore_was_done_when_all_had_its_place(
        box: BackedUp, file: Path, monkeypatch: pytest.MonkeyPatch, settled: bool) -> None:
    """Not when it was decided before a cut, and not when the box is started again after one."""
    def die(*_: object) -> None:
        raise Dies
    looked_at(box, file)
    wish(box.state_dir)
    clock_at(monkeypatch, AT + 30.0)
    with monkeypatch.context() as patch:
        patch.setattr(*(wishing, "clear") if settled else (restoring, "move"), die)
        with pytest.raises(Dies):
            start(box.state_dir, box.document)
    clock_at(monkeypatch, AT + 90_000.0)
    done, last = start(box.state_dir, box.document), wishing.undo(box.state_dir)
    assert done is not None and last is not None and done.error == ""
    assert done.done_at == last.done_at == AT + (30.0 if settled else 90_000.0)


def test_what_earlier_restores_put_aside_goes_with_the_last(box: BackedUp, file: Path) -> None:
    acts: list[RestoreAct] = ["restore", "restore", "take-back", "restore"]
    for number, act in enumerate(acts):
        looked_at(box, file)
        wish(box.state_dir, act, AT + 60 * number)
        done = start(box.state_dir, box.document)
        assert done is not None and done.error == ""
    there = {path.name for path in box.state_dir.parent.rglob("replaced-*")}
    assert len(there) == 3                        # one was taken back
    wishing.forget(box.state_dir)
    assert not list(box.state_dir.parent.rglob("replaced-*"))
    assert wishing.undo(box.state_dir) is None and wishing.aside_since(box.state_dir) == 0.0
