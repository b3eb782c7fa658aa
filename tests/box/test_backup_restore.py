"""A box is made from a backup: all of it or nothing, whenever the power is cut; what was there goes aside."""

import hashlib
import io
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import cast

import msgspec
import pytest
from click.testing import CliRunner

from appliance.box.backup import durable, opening, restoring
from appliance.box.backup.contents import strange
from appliance.box.backup.format import KIND, BackupError
from appliance.box.backup.opening import opened
from appliance.box.backup.tending import Backups
from appliance.centre.projector import ContactProjector
from appliance.config.backup import BackupConfig
from appliance.launch.cli import main
from appliance.recording.vault.keys import Keys
from appliance.store.events import EventLog
from appliance.store.sealed import DerivedWrapper, SealedWriter
from tests.box.backed_up import PASSPHRASE, SEALING, BackedUp, another_disk, die_at, refused, tree

STAMP = "20261122-183000"
NEVER = ("said", "lock", "acd.sqlite.lock", "new.new")


@pytest.fixture
def box(tmp_path: Path) -> BackedUp:
    return BackedUp.make(tmp_path)


@pytest.fixture
def file(box: BackedUp) -> Path:
    return Path(box.back_up().path)


def restore(file: Path, to: Path, config: Path | None = None, replace: bool = False) -> list[str]:
    with file.open("rb") as octets, opened(octets, SEALING, file.name) as backup:
        return restoring.restore(backup, to, config, STAMP, replace)


def test_the_new_box_has_what_the_old_one_had(box: BackedUp, file: Path, tmp_path: Path) -> None:
    wanted = {name: octets for name, octets in tree(box.state_dir).items() if not name.startswith((
        *NEVER, "recordings/journal", "recordings/2", "recordings/recordings.sqlite.lock", "backup/history"))}
    state, config = tmp_path / "new" / "state", tmp_path / "new" / "box"
    assert restore(file, state, config) == []
    assert tree(state) == wanted
    assert sorted(tree(config)) == ["branchline.yaml", "tables/regions.csv"]
    assert (state / "session-key").stat().st_mode & 0o777 == 0o600
    for path in (state / "recordings" / "keys").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in state.iterdir()) == [
        "acd.sqlite", "backup", "flows", "recordings", "session-key"]


def test_what_is_there_is_refused_or_put_aside_and_its_audio_and_keys_stay(
        box: BackedUp, file: Path, tmp_path: Path) -> None:
    state = box.state_dir
    newer = Keys(state / "recordings" / "keys")
    newer.rotate()
    (state / "session-key").write_text("another\n")
    (state / "acd.sqlite-wal").write_text("an old journal must meet no new database")
    before = {name: path.read_bytes() for path in state.rglob("*")
              if path.is_file() and not (name := str(path.relative_to(state))).endswith(".sqlite")}
    with pytest.raises(BackupError, match="is there already"):
        restore(file, state)
    assert not (state / "restoring").exists()
    [aside] = restore(file, state, replace=True)
    assert (state / "session-key").read_text() == "a secret of the box's\n"
    assert not (state / "acd.sqlite-wal").exists()
    assert (Path(aside) / "acd.sqlite-wal").read_bytes() == before["acd.sqlite-wal"]
    assert (Path(aside) / "session-key").read_text() == "another\n"
    assert len(list((state / "recordings").glob("*/*/*/*.blr"))) == 1
    assert Keys(state / "recordings" / "keys").ids == newer.ids
    assert (state / "said" / "words.wav").exists()


def test_a_power_cut_at_any_moment_leaves_the_old_box_or_the_new_one(
        box: BackedUp, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file written, a name changed, a folder made durable: killed before each of them in turn."""
    (box.state_dir / "session-key").write_text("another\n")
    restored, config = tmp_path / "restored", tmp_path / "config"
    shutil.copytree(box.state_dir, restored)
    restore(file, restored, replace=True)
    shutil.rmtree(restored / f"replaced-{STAMP}")
    old, new = tree(box.state_dir), tree(restored)

    def before(tick: Callable[[], None], act: Callable[..., object]) -> Callable[..., object]:
        def acted(*arguments: object, **named: object) -> object:
            tick()
            return act(*arguments, **named)
        return acted

    def run(tick: Callable[[], None]) -> None:
        for where, name in ((opening, "_write"), (restoring, "move"), (restoring, "sync_folder"),
                            (durable, "move"), (durable, "sync_folder"), (shutil, "rmtree")):
            monkeypatch.setattr(where, name, before(tick, getattr(where, name)))
        restore(file, state, config, replace=True)
    seen, cut, again = set(), 0, True
    while again:
        state = tmp_path / f"cut-{cut}"
        shutil.copytree(box.state_dir, state)
        shutil.rmtree(config, ignore_errors=True)
        again = die_at(cut, run)
        if decided := restoring.pending(state):
            restoring.finish(state)
        Backups(state, box.document, BackupConfig())                 # as boxd starts: it tidies up
        assert not (state / "restoring").exists()
        aside = state / f"replaced-{STAMP}"
        if aside.exists():
            assert (aside / "session-key").read_text() == "another\n"
            shutil.rmtree(aside)
        found = tree(state)
        assert found in (old, new), cut
        assert found == new or not decided
        if found == new:
            assert sorted(name for name in tree(config) if not name.startswith(".")) == [
                "branchline.yaml", "tables/regions.csv"]
        seen.add((decided, found == new))
        shutil.rmtree(state)
        cut += 1
    assert cut > 20 and seen == {(False, False), (True, True), (False, True)}


def test_a_backup_cannot_say_what_root_does_next(box: BackedUp, tmp_path: Path) -> None:
    """Who makes one chooses its names: no plan of a restore is among them, nor what root reads at a start."""
    evil = {"state/restore/undo.json", "state/restore/wish", "state/restoring/plan.json",
            "state/restored.json", "config/defaults", "config/board", "config/.branchline-restoring/x",
            "config/provision-key.pem"}
    made = {name: b"evil" for name in evil} | {"state/good": b"good", "config/good": b"good"}
    manifest = {"format": 1, "version": "1", "box": "b", "kind": "now", "at": 1.0, "document": "d", "files": [
        {"name": name, "octets": len(octets), "sha256": hashlib.sha256(octets).hexdigest(), "mode": 384}
        for name, octets in made.items()]}
    path = sealed(tmp_path / "made.backup", {**made, "manifest.json": msgspec.json.encode(manifest)})
    restore(path, box.state_dir, box.document.parent, replace=True)
    for folder in (box.state_dir, box.document.parent):
        found = tree(folder)
        assert b"evil" not in found.values() and found["good"] == b"good"


def test_root_goes_through_no_link_of_another_user(
        box: BackedUp, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    (box.state_dir / "flows").rename(elsewhere)
    (box.state_dir / "flows").symlink_to(elsewhere)
    before = tree(elsewhere)
    owner = elsewhere.stat().st_uid + 1000        # of the link, by what lstat says
    real = Path.lstat
    monkeypatch.setattr(Path, "lstat", lambda path: os.stat_result(
        [*real(path)[:4], owner, *real(path)[5:10]]))
    with pytest.raises(BackupError, match="flows: is a link that another user made"):
        restore(file, box.state_dir, replace=True)
    assert tree(elsewhere) == before and not (box.state_dir / "restoring").exists()


def test_what_root_unpacks_belongs_to_whom_it_did_or_to_whom_the_folder_does(
        box: BackedUp, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, given = box.document.parent, dict[str, tuple[int, int]]()
    shutil.rmtree(config / "tables")
    config.chmod(0o2750)
    kept = box.state_dir / "recordings" / "keys"
    kept.chmod(0o711)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("os.chown", lambda path, user, group, follow_symlinks: given.update(
        {Path(path).name: (user, group)}))
    restore(file, box.state_dir, config, replace=True)
    assert (config / "tables").stat().st_mode & 0o7777 == 0o2750
    assert kept.stat().st_mode & 0o7777 == 0o711
    me = (config.stat().st_uid, config.stat().st_gid)
    assert given.keys() >= {"tables", "regions.csv", "branchline.yaml", "keys", "acd.sqlite", "session-key"}
    assert set(given.values()) == {me}


def test_recordings_may_lie_on_a_disk_of_their_own(box: BackedUp, file: Path, tmp_path: Path) -> None:
    """Names do not change from one file system to another: what goes there is unpacked there."""
    with another_disk(tmp_path) as disk:
        state = tmp_path / "new"
        state.mkdir()
        (state / "recordings").symlink_to(disk)
        assert restore(file, state) == []
        assert sorted(tree(disk)) == sorted(
            name.removeprefix("recordings/") for name in tree(box.state_dir)
            if name.startswith(("recordings/keys", "recordings/recordings.sqlite")) and name[-5:] != ".lock")
        (disk / "keys" / "signing.key").write_bytes(b"another's")
        assert restore(file, state, replace=True) == [str(state / "recordings" / f"replaced-{STAMP}"),
                                                      str(state / f"replaced-{STAMP}")]
        assert (disk / f"replaced-{STAMP}" / "keys" / "signing.key").read_bytes() == b"another's"
        assert (state / "acd.sqlite").stat().st_dev != disk.stat().st_dev


@pytest.mark.parametrize("gone", ["symlink", "empty"])
def test_a_restore_that_was_cut_off_waits_for_the_disk_of_the_recordings(
        box: BackedUp, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: str) -> None:
    """Its folder may be away, or be there with what lay under the disk."""
    with another_disk(tmp_path) as disk:
        state = tmp_path / "new"
        state.mkdir()
        (state / "recordings").symlink_to(disk)
        (disk / "keys").mkdir()
        (disk / "keys" / "signing.key").write_bytes(b"another's")
        with monkeypatch.context() as patch:
            patch.setattr(restoring, "_carry_out", _refuse)
            with pytest.raises(BackupError, match="not over"):
                restore(file, state, replace=True)
        (state / "recordings").unlink()
        if gone == "empty":
            (state / "recordings" / "keys").mkdir(parents=True)
            (state / "recordings" / "recordings.sqlite").touch()
        with pytest.raises(BackupError, match="recordings/restoring: is not there, its disk may be missing"):
            restoring.finish(state)
        assert restoring.pending(state) and not (state / "acd.sqlite").exists()
        shutil.rmtree(state / "recordings", ignore_errors=True)
        (state / "recordings").symlink_to(disk)
        restoring.finish(state)
        assert not restoring.pending(state) and (state / "acd.sqlite").exists()
        assert (disk / "recordings.sqlite").exists()
        assert (disk / "keys" / "signing.key").read_bytes() != b"another's"


def test_only_folders_of_a_restore_are_none_of_the_configuration() -> None:
    assert not strange("config/replaced-menu.yaml") and not strange("config/replaced-20260101/a.yaml")
    assert strange(f"config/replaced-{STAMP}/branchline.yaml") and strange(f"config/replaced-{STAMP}")


def test_a_full_or_refusing_disk_changes_nothing(
        box: BackedUp, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tree(box.state_dir)
    monkeypatch.setattr(restoring, "SPARE_OCTETS", 1 << 60)
    with pytest.raises(BackupError, match=r"MiB are free, .* free space"):
        restore(file, box.state_dir, replace=True)
    monkeypatch.undo()
    monkeypatch.setattr(opening, "_write", _refuse)
    with pytest.raises(BackupError, match="No space left on device: nothing was changed"):
        restore(file, box.state_dir, replace=True)
    assert tree(box.state_dir) == before


def _refuse(*_: object) -> str:
    raise OSError(28, "No space left on device")


def sealed(path: Path, members: dict[str, bytes], kind: str = KIND) -> Path:
    """What somebody who knows the passphrase made."""
    with path.open("wb") as file:
        writer = SealedWriter(file, SEALING, bytes(16), {"kind": kind})
        with tarfile.open(fileobj=cast(io.BytesIO, writer), mode="w|") as tar:
            for name, octets in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(octets)
                tar.addfile(info, io.BytesIO(octets))
        writer.close()
    return path


def test_what_is_sealed_well_and_is_no_backup_that_we_read(tmp_path: Path) -> None:
    path = tmp_path / "made.backup"
    manifest = {"format": 1, "version": "1", "box": "b", "kind": "now", "at": 1.0, "document": "d",
                "files": [{"name": "state/a", "octets": 1, "sha256": "00", "mode": 384}]}

    def said(members: dict[str, bytes], **changes: object) -> str:
        changed = msgspec.json.encode({**manifest, **changes})
        return refused(sealed(path, {**members, "manifest.json": changed}))
    assert "in format 2, made by Branchline 9: this one reads format 1" in said({}, format=2, version="9")
    assert "no manifest" in said({}, files=1)
    assert "state/a: is missing" in said({})
    assert "state/a: is not what its manifest says" in said({"state/a": b"x"})
    assert "state/b: is not in its manifest" in said({"state/b": b"x"})
    for name in ("../a", "/etc/passwd", "state/../../a", "a", "state//a"):
        assert "no backup holds such a thing" in said({name: b"x"})
    assert "no backup" in refused(sealed(path, {}, kind="recording"))
    assert "another passphrase" in refused_by_other(sealed(path, {}))


def refused_by_other(path: Path) -> str:
    with path.open("rb") as file, pytest.raises(BackupError) as error:
        opened(file, DerivedWrapper(SEALING.head, bytes(32)), "x").__enter__()
    return str(error.value)


def command(*words: object, said: str = PASSPHRASE) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["backup", *map(str, words)], input=said + "\n")
    return done.exit_code, done.output


def test_the_commands_say_what_holds_and_what_does_not(
        box: BackedUp, file: Path, tmp_path: Path) -> None:
    code, said = command("verify", file, "--state-dir", box.state_dir)
    assert (code, "BAD" in said) == (0, False), said
    for words in ("50 events", "chain: holds: 1 entries", "configuration: in order", "all holds"):
        assert words in said
    assert not list((box.state_dir / "backup" / "trial").iterdir())
    code, said = command("verify", file, said="a wrong passphrase")
    assert code == 1 and "the passphrase does not open it" in said
    code, said = command("restore", file, "--to", tmp_path / "new", said="a wrong passphrase")
    assert code == 1 and list((tmp_path / "new").iterdir()) == [tmp_path / "new" / "lock"]
    code, said = command("restore", file, "--to", tmp_path / "new", "--config-to", tmp_path / "new-box")
    assert code == 0 and "box branch, " in said and "50 rows" not in said, said
    code, said = command("restore", file, "--to", tmp_path / "new")
    assert code == 1 and "is there already" in said
    code, said = command("verify", tmp_path / "none")
    assert code == 66 and "No such file" in said


def test_a_trial_finds_a_chain_that_was_changed_and_a_configuration_that_is_wrong(box: BackedUp) -> None:
    with sqlite3.connect(box.state_dir / "recordings" / "recordings.sqlite") as base:
        base.execute("DROP TRIGGER chain_no_update")
        base.execute("UPDATE chain SET data = '{}'")
    (box.document.parent / "tables" / "regions.csv").write_text("not, a table\n")
    code, said = command("verify", box.back_up().path, "--state-dir", box.state_dir)
    assert code == 1
    assert "BAD  chain: does not hold at entry 1" in said and "BAD  configuration: " in said


def test_no_box_starts_before_a_restore_that_was_cut_off_is_over(
        box: BackedUp, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / "new"
    with monkeypatch.context() as patch:
        patch.setattr(restoring, "_carry_out", _refuse)
        with pytest.raises(BackupError, match="the restore is not over, and no box starts before it is"):
            restore(file, state)
    with tempfile.TemporaryDirectory() as run:    # a socket's path is short
        started = CliRunner().invoke(main, ["up", "--config", str(box.document), "--state-dir", str(state),
                                            "--run-dir", run])
    assert started.exit_code == 78 and "a restore was cut off there" in started.output
    code, said = command("restore", file, "--to", state)
    assert code == 0 and "the restore that was cut off is over" in said
    assert not restoring.pending(state) and (state / "acd.sqlite").exists()


def test_no_box_may_have_the_folder_open(box: BackedUp, file: Path) -> None:
    database = EventLog(box.state_dir / "acd.sqlite", ContactProjector())
    try:
        code, said = command("restore", file, "--to", box.state_dir, "--replace")
        assert code == 69 and "acd.sqlite: a box has it open: stop it first" in said
    finally:
        database.close()



@pytest.mark.timeout(30)
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("nothing", path)])
def test_what_a_daemon_leaves_in_place_of_a_file_stops_no_restore(
        box: BackedUp, file: Path, make: Callable[[Path], None]) -> None:
    """At a FIFO root would wait for who writes, at every start."""
    state, plans = box.state_dir, list[restoring.Plan]()
    keys = state / "recordings" / "keys"
    make(state / "x.sqlite.lock")
    make(state / "recordings" / "x.sqlite.lock")
    with restoring.idle(state):
        pass
    make(keys / "9.key")
    (keys / "77.key").write_bytes(b"made since")
    with file.open("rb") as octets, opened(octets, SEALING, file.name) as backup:
        restoring.restore(backup, state, None, STAMP, True, decide=plans.append)
    assert (keys / "77.key").read_bytes() == b"made since" and not os.path.lexists(keys / "9.key")
    make(keys / "8.key")
    (keys / "88.key").write_bytes(b"made later")
    restoring.take_back(restoring.back(plans[0], "20261122-190000"), state)
    assert (keys / "88.key").read_bytes() == b"made later" and not os.path.lexists(keys / "8.key")
