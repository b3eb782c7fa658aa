"""A backup is made beside a working box, whole or not at all, and the earlier ones stay."""

import asyncio
import os
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.box.backup import passphrase, tending
from appliance.box.backup.format import BackupError
from appliance.box.backup.history import History
from appliance.box.backup.opening import opened
from appliance.box.backup.snapshot import integrity, snapshot
from appliance.store.sealed import PassphraseWrapper, SealedReader
from tests.box.backed_up import PASSPHRASE, BackedUp, another_disk, die_at, open_backup, refused


@pytest.fixture
def box(tmp_path: Path) -> BackedUp:
    return BackedUp.make(tmp_path)


def names(box: BackedUp) -> list[str]:
    return sorted(path.name for path in box.stick.iterdir())


def test_what_is_in_it_and_that_nobody_reads_it(box: BackedUp) -> None:
    made = box.back_up()
    assert (made.error, made.verified) == ("", True)
    manifest = open_backup(Path(made.path)).manifest
    keys = sorted(path.name for path in (box.state_dir / "recordings" / "keys").iterdir())
    assert sorted(one.name for one in manifest.files) == sorted([
        "config/branchline.yaml", "config/tables/regions.csv", "state/acd.sqlite", "state/backup/key",
        "state/flows/1.json", "state/recordings/recordings.sqlite", "state/session-key",
        *(f"state/recordings/keys/{name}" for name in keys)])
    rows = {one.name: one.rows for one in manifest.files if one.rows}
    assert rows["state/acd.sqlite"]["events"] == 50
    assert rows["state/recordings/recordings.sqlite"]["recordings"] == 1
    assert (manifest.audio.count, manifest.document, manifest.left_out) == (0, "branchline.yaml", [])
    octets = Path(made.path).read_bytes()
    assert b"Shanghai" not in octets and b"a secret of the box's" not in octets
    assert Path(made.path).stat().st_mode & 0o777 == 0o600


def test_versions_of_prompts_come_along_that_the_catalogue_names(box: BackedUp) -> None:
    kept = box.state_dir / "recordings/prompts/kept"
    kept.mkdir(parents=True)
    (kept / f"{'a' * 64}.wav").write_bytes(b"RIFF of a version before")
    (kept.parent / "brought").mkdir()
    (kept.parent / "brought" / ("b" * 32)).write_bytes(b"on its way here")
    found = {one.name for one in open_backup(Path(box.back_up().path)).manifest.files}
    assert {name for name in found if "prompts" in name} == {
        f"state/recordings/prompts/kept/{'a' * 64}.wav"}


def test_recordings_come_along_as_they_are_when_wished(box: BackedUp) -> None:
    manifest = open_backup(Path(box.back_up(recordings=True).path)).manifest
    [audio] = (box.state_dir / "recordings").glob("*/*/*/*.blr")
    assert (manifest.audio.count, manifest.audio.octets) == (1, audio.stat().st_size)


def test_the_passphrase_opens_it_anywhere_and_is_kept_nowhere(box: BackedUp) -> None:
    passphrase.keep(box.state_dir / "backup", PASSPHRASE + " 2")
    with open(box.back_up().path, "rb") as file:
        SealedReader(file, PassphraseWrapper(PASSPHRASE + " 2"))
        with pytest.raises(Exception, match="the passphrase does not open it"):
            SealedReader(file, PassphraseWrapper(PASSPHRASE))
    key = box.state_dir / "backup" / passphrase.FILE
    assert key.stat().st_mode & 0o777 == 0o600
    assert not any(PASSPHRASE.encode() in path.read_bytes()
                   for path in box.state_dir.rglob("*") if path.is_file())
    with pytest.raises(BackupError, match="12 characters"):
        passphrase.keep(box.state_dir / "backup", "short")


def test_a_copy_is_of_one_moment_while_others_write(tmp_path: Path) -> None:
    """Each breath of the copy another commit: it neither waits for the copy nor gets into it."""
    path, at = tmp_path / "a.sqlite", 4000
    with sqlite3.connect(path, isolation_level=None) as base:
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("CREATE TABLE t (n INTEGER, octets BLOB)")
        base.execute("BEGIN")
        base.executemany("INSERT INTO t VALUES (?, randomblob(400))", ((n,) for n in range(at)))
        base.execute("COMMIT")
        breaths: list[int] = []

        def breathe(octets: int) -> None:
            breaths.append(octets)
            base.execute("UPDATE t SET n = n + 1 WHERE n >= ?", (at - 1,))
            base.execute("INSERT INTO t VALUES (?, randomblob(4000))", (at,))
        assert snapshot(path, tmp_path / "b.sqlite", breathe) == {"t": at}
    octets = (tmp_path / "b.sqlite").stat().st_size
    assert len(breaths) > 3 and sum(breaths) < 2 * octets            # it was not begun anew
    assert integrity(tmp_path / "b.sqlite") == ""
    with sqlite3.connect(tmp_path / "b.sqlite") as copy:
        assert copy.execute("SELECT max(n) FROM t").fetchone() == (at - 1,)
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_newest_of_each_kind_stay_and_those_of_people(box: BackedUp) -> None:
    (box.stick / "x").mkdir(parents=True)
    foreign = box.stick / "branchline-other-20200101T000000Z-weekly.backup"
    foreign.write_text("another box's")
    kinds = ("monthly", "weekly", "now", "weekly", "weekly")
    made = [box.back_up(kind) for kind in kinds]                     # type: ignore[arg-type]
    assert names(box) == sorted([*(Path(one.path).name for one in (*made[:1], *made[2:])), foreign.name, "x"])
    assert [one.gone for one in reversed(History(box.state_dir / "backup").backups)] == [
        False, True, False, False, False]


def test_by_itself_it_backs_up_tries_out_a_restore_and_says_how_old_it_is(box: BackedUp) -> None:
    backups = box.backups()
    assert backups.figures(box.now) == {"backup_failed": 0, "backup_overdue": 0}
    backups.tend(box.now)
    [made] = backups.reply(box.now).backups
    assert (made.kind, made.verified, made.tried_at, made.trial_error) == ("monthly", True, box.now, "")
    backups.tend(box.now + 60)                    # nothing is due
    assert backups.reply(box.now).backups == [made]
    assert backups.figures(box.now + 60) == {"backup_failed": 0, "backup_overdue": 0, "backup_age_s": 60}
    box.document.write_text("spans: []")          # by somebody who has not reloaded yet
    week_s = 8 * 86_400
    for hours in (0, 0.5, 2):
        backups.tend(box.now + week_s + hours * 3600)
    [failed, first] = box.backups().reply(box.now).backups           # of two alike the last one
    assert first == made and "the configuration is wrong" in failed.error
    assert failed.at == box.now + week_s + 2 * 3600
    assert backups.figures(box.now + week_s + 86_400) == {
        "backup_failed": 1, "backup_overdue": 1, "backup_age_s": 9 * 86_400}


def test_one_that_does_not_reach_the_hub_is_there_and_a_warning(box: BackedUp) -> None:
    backups = box.backups(hub=True, weekly=None, monthly=None)
    backups.begin()
    backups.tend(box.now)
    [made] = backups.reply(box.now).backups
    assert made.verified and "archive: has no s3 and no sftp" in made.hub_error
    assert backups.figures(box.now)["backup_failed"] == 1
    assert names(box) == [Path(made.path).name]


def test_people_have_one_tried_out_and_no_other_file(box: BackedUp) -> None:
    backups = box.backups(weekly=None, monthly=None)
    backups.begin()
    with pytest.raises(BackupError, match="wait until that is over"):
        backups.try_out("x")
    backups.tend(box.now)
    [made] = backups.reply(box.now).backups
    for path in ("/etc/shadow", "", made.path + "x"):
        with pytest.raises(BackupError, match="no such backup"):
            backups.try_out(path)
    backups.try_out(made.path)
    assert backups.reply(box.now).running == "about to begin"
    backups.tend(box.now + 60)
    [tried] = backups.reply(box.now).backups
    assert (tried.tried_at, tried.trial_error, backups.reply(box.now).running) == (box.now + 60, "", "")


async def test_boxd_may_end_in_the_middle_of_one(box: BackedUp, monkeypatch: pytest.MonkeyPatch) -> None:
    loop, stop, facts = asyncio.get_running_loop(), asyncio.Event(), dict[str, float]()
    take = tending._Pace.take

    def stopped(pace: tending._Pace, octets: int) -> None:
        assert any(name.endswith(".part") for name in names(box))
        loop.call_soon_threadsafe(stop.set)
        pace._stopping.wait(10.0)
        take(pace, octets)
    monkeypatch.setattr(tending._Pace, "take", stopped)
    backups = box.backups()
    await asyncio.wait_for(backups.run(stop, facts), 20.0)
    assert backups.reply(box.now).backups == [] and names(box) == []
    assert not (box.state_dir / "backup" / "scratch").exists()
    assert facts == {"backup_failed": 0, "backup_overdue": 0}        # it is due at the next start


def test_a_running_box_takes_another_passphrase(box: BackedUp) -> None:
    backups = box.backups()
    backups.seal(PASSPHRASE + " 2")
    backups.begin()
    made = Path(backups._made("now", box.now).path)
    with made.open("rb") as file, opened(file, PassphraseWrapper(PASSPHRASE + " 2"), made.name) as backup:
        backup.prove()
    with pytest.raises(BackupError, match="at least"):
        backups.seal("short")
    assert passphrase.kept(box.state_dir / "backup")


def test_without_a_passphrase_nothing_is_written(box: BackedUp) -> None:
    (box.state_dir / "backup" / passphrase.FILE).unlink()
    assert "branchline backup passphrase" in box.back_up().error
    assert not box.stick.exists()
    with pytest.raises(BackupError, match="branchline backup passphrase"):
        box.backups().begin()


def test_files_that_the_configuration_names(box: BackedUp) -> None:
    """Sub-flows, tables, forms and prompts come along; those of other folders by their whole path."""
    folder = box.document.parent
    (folder.parent / "shared.csv").write_text("prefix,region\n")
    (folder / "flows" / "sub").mkdir(parents=True)
    (folder / "flows" / "main.yaml").write_text("nodes: {a: {kind: flow, file: sub/night.yaml}}")
    (folder / "flows" / "sub" / "night.yaml").write_text("nodes: {b: {kind: flow, file: ../main.yaml}}")
    for name in ("prompts/zh/hello.wav", "prompts/zh/hello.txt", "forms/sales.yaml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    box.document.write_text("""\
spans: [{name: telco1, url: "virtual:run/telco/b", side: user, trunk: telco}]
centre:
  inbound: [{trunk: telco, called: "5001", flow: flows/main.yaml}]
  regions: {tables: [../shared.csv, tables/none.csv]}
""")
    manifest = open_backup(Path(box.back_up().path)).manifest
    assert [one.name for one in manifest.files if not one.name.startswith("state/")] == [
        "config/branchline.yaml", "config/flows/main.yaml", "config/flows/sub/night.yaml",
        f"elsewhere{folder.parent}/shared.csv", "config/prompts/zh/hello.wav", "config/forms/sales.yaml"]
    assert manifest.left_out == [f"{folder}/tables/none.csv: the configuration names it, and it is not there"]


def test_a_place_that_is_not_mounted_takes_nothing(box: BackedUp) -> None:
    made = box.back_up(mounted=True)
    assert "nothing is mounted there" in made.error
    assert not box.stick.exists()
    with another_disk(box.state_dir) as mount:
        box.stick = mount / "backups"
        assert box.back_up(mounted=True).error == ""
        assert len(names(box)) == 1


@contextmanager
def disk_that_takes(octets: int) -> Iterator[None]:
    """No file may become larger: as on a full disk, a write fails in its middle."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_at_any_octet_costs_only_this_backup(box: BackedUp) -> None:
    first = box.back_up()
    octets = Path(first.path).read_bytes()
    for most in (1, 1000, 1536, 20_000, 70_000, 100_000, len(octets) - 1):
        backups = box.backups()
        with disk_that_takes(most):
            made = backups._made("weekly", box.now)
        assert made.error and not made.verified, most
        assert names(box) == [Path(first.path).name]
        assert Path(first.path).read_bytes() == octets
        assert not (box.state_dir / "backup" / "scratch").exists()
    assert box.back_up("weekly").verified


def test_killed_at_any_moment_it_leaves_the_earlier_ones_and_the_next_tidies_up(
        box: BackedUp, monkeypatch: pytest.MonkeyPatch) -> None:
    first = box.back_up()
    octets = Path(first.path).read_bytes()

    def run(tick: object) -> None:
        monkeypatch.setattr(tending._Pace, "take", lambda _, octets: tick())     # type: ignore[operator]
        assert not box.back_up("weekly").error
    killed = 0
    while die_at(killed, run):
        killed += 3
        assert Path(first.path).read_bytes() == octets
        whole = [name for name in names(box) if name.endswith(".backup")]
        assert len(whole) in (1, 2)
        for name in whole:
            open_backup(box.stick / name)
    assert killed > 10
    box.back_up("weekly")
    assert all(name.endswith(".backup") for name in names(box))
    assert not (box.state_dir / "backup" / "scratch").exists()


def test_a_stick_that_is_pulled_out_takes_no_write_to_the_disk_below(
        box: BackedUp, monkeypatch: pytest.MonkeyPatch) -> None:
    """As seen from the path: the folder goes, an empty one is in its place."""
    def pulled(_: object, octets: int) -> None:
        if box.stick.exists():
            box.stick.rename(box.stick.with_name("pulled"))
            box.stick.mkdir()
    box.stick.mkdir()
    monkeypatch.setattr(tending._Pace, "take", pulled)
    box.back_up()
    assert names(box) == []


def test_a_file_that_is_no_good_backup_is_refused_with_a_sentence(box: BackedUp, tmp_path: Path) -> None:
    octets = Path(box.back_up().path).read_bytes()
    path = tmp_path / "bent.backup"

    def bent(content: bytes) -> str:
        path.write_bytes(content)
        return refused(path)
    for at in (0, 20, 600, *range(1600, len(octets), 9973), len(octets) - 1):
        words = bent(octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1:])
        assert words.startswith("bent.backup: ") and "\n" not in words
    for length in (0, 100, 1536, 1600, 65_536 + 1536, len(octets) - 1):
        assert "cut off" in bent(octets[:length]) or "not a sealed file" in bent(octets[:length])
    assert "not a sealed file" in bent(os.urandom(5000))
    assert "damaged" in bent(octets + b"x")
