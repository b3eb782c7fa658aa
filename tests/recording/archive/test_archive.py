"""Recordings in an archive: sealed for the hub, sent on after any cut, proved."""

import asyncio
import contextlib
import hashlib
import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import asyncssh
import pytest
from sqlalchemy import select

from appliance.config.archive import ArchiveConfig, OutboxConfig, S3Config, SftpConfig
from appliance.errors import ConfigError
from appliance.recording.archive import s3 as s3_place
from appliance.recording.archive import sftp as sftp_place
from appliance.recording.archive import tending
from appliance.recording.archive.key import SharedKey, new_key
from appliance.recording.archive.objects import open_object
from appliance.recording.archive.pace import Pace, Stopped, opens_at
from appliance.recording.archive.pushing import WARNING
from appliance.recording.catalogue.rows import erase
from appliance.recording.life.room import space
from appliance.recording.life.tables import archived, pushes
from appliance.recording.vault.chain import of_recording
from appliance.store.sealed import KeyGone, Tampered
from tests.recording.archive.conftest import client_of
from tests.recording.life.shelf import Shelf


def tend(shelf: Shelf) -> float:
    return tending.tend(shelf.parts, shelf.now)


def in_archive(shelf: Shelf) -> list[str]:
    """Names of objects, as the box knows them, in order."""
    with shelf.parts.database.read() as connection:
        return list(connection.execute(select(archived.c.object).order_by(archived.c.number)).scalars())


def opened(config: ArchiveConfig, path: Path) -> tuple[dict[str, Any], bytes]:
    to = path.with_name("opened")
    to.unlink(missing_ok=True)
    metadata = open_object(path, SharedKey.read(Path(config.key_file)), to)
    return metadata, to.read_bytes()


class Cuts:
    """Cuts the line to the server at each n-th block that goes through the pace."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.blocks, self.at, self.taken = 0, 0, 0
        take = Pace.take

        def counted(pace: Pace, octets: int) -> None:
            self.blocks += 1
            self.taken += octets
            if self.blocks == self.at:
                raise Stopped
            take(pace, octets)
        monkeypatch.setattr(Pace, "take", counted)


@pytest.mark.need(18)
def test_s3_has_what_the_hub_can_open_and_nobody_else(
        shelf: Shelf, archive: ArchiveConfig, s3: S3Config, tmp_path: Path) -> None:
    names = [shelf.add(2, 70_000, calling="13800138000", queue="sales"), shelf.add(1)]
    shelf.configure(archive=archive.model_copy(update={"s3": s3}))
    assert space(shelf.parts).unarchived_recordings == 2
    tend(shelf)
    assert in_archive(shelf) == [f"shanghai/2026/09/{day}/{name}.blr"
                                 for name, day in zip(names, ("19", "20"), strict=True)]
    assert space(shelf.parts).unarchived_recordings == 0
    body = client_of(s3.endpoint).get_object(Bucket=s3.bucket, Key=in_archive(shelf)[0])["Body"].read()
    (tmp_path / "object").write_bytes(body)
    metadata, audio = opened(archive, tmp_path / "object")
    assert audio == bytes([1]) * 70_000
    assert (metadata["recording"], metadata["queue"], metadata["site"]) == (names[0], "sales", "shanghai")
    assert b"13800138000" not in body and b"sales" not in body
    new_key(tmp_path / "other.key")
    with pytest.raises(KeyGone):
        open_object(tmp_path / "object", SharedKey.read(tmp_path / "other.key"), tmp_path / "other")
    for damage in (body[:-1], body[:40_000], body[:5000] + b"?" + body[5001:], body[:100], b"", body + b"?"):
        (tmp_path / "object").write_bytes(damage)
        with pytest.raises(Tampered):
            opened(archive, tmp_path / "object")
        assert not (tmp_path / "opened").exists()
    with shelf.parts.database.read() as connection:
        entry = of_recording(connection, names[0])[0]
    assert (entry.kind, entry.facts["sha256"]) == ("archived", hashlib.sha256(body).hexdigest())


@pytest.mark.need(18)
def test_s3_goes_on_after_a_cut_anywhere_and_sends_no_part_twice(
        shelf: Shelf, archive: ArchiveConfig, s3: S3Config, monkeypatch: pytest.MonkeyPatch) -> None:
    parts_sent: list[int] = []
    part = s3_place._Paced

    def counted(octets: bytes, pace: Pace) -> Any:
        parts_sent.append(len(octets))
        return part(octets, pace)
    monkeypatch.setattr(s3_place, "_Paced", counted)
    shelf.add(2, 11 * 2 ** 20)                    # three parts
    shelf.configure(archive=archive.model_copy(update={"s3": s3}))
    cuts = Cuts(monkeypatch)
    tend(shelf)
    sending = cuts.blocks - 11 * 16               # read back by 64 KiB
    assert len(in_archive(shelf)) == 1 and len(parts_sent) == 3
    parts_sent.clear()
    name = shelf.add(1, 11 * 2 ** 20)
    # In the first part; in the second, the first sent anew; in the third; while it is read back.
    for at in (0.2 * sending, 0.7 * sending, 0.5 * sending, 0.2 * sending + 40):
        cuts.at, cuts.blocks = int(at), 0
        tend(shelf)
        assert len(in_archive(shelf)) == 1 and shelf.has_file(name)
        shelf.restart()
    cuts.at = 0
    tend(shelf)
    assert len(in_archive(shelf)) == 2
    whole = [octets for octets in parts_sent if octets == s3_place.PART_OCTETS]
    assert len(whole) == 4, "the first two were each cut once; a part that is there is not sent again"
    with shelf.parts.database.read() as connection:
        assert connection.execute(select(pushes)).all() == []


@pytest.mark.need(18)
def test_what_the_bucket_gives_back_otherwise_is_not_archived(
        shelf: Shelf, archive: ArchiveConfig, s3: S3Config, monkeypatch: pytest.MonkeyPatch) -> None:
    name = shelf.add(1)
    shelf.configure(archive=archive.model_copy(update={"s3": s3}))
    with monkeypatch.context() as patch:
        patch.setattr(s3_place, "_Paced", lambda octets, pace: b"?" + octets[1:])
        again = tend(shelf)
    assert in_archive(shelf) == [] and shelf.states() == {name: "kept"}
    assert "gives back something else" in shelf.warnings["unarchived"]
    shelf.now = again
    tend(shelf)
    assert len(in_archive(shelf)) == 1 and "unarchived" not in shelf.warnings


@pytest.mark.need(18)
def test_a_server_that_is_away_is_a_warning_and_asked_again_later_and_later(
        shelf: Shelf, archive: ArchiveConfig, s3: S3Config) -> None:
    shelf.add(1)
    away = s3.model_copy(update={"endpoint": "http://127.0.0.1:1"})
    shelf.configure(archive=archive.model_copy(update={"s3": away}))
    pauses = []
    for _ in range(3):
        again = tend(shelf)
        pauses.append(again - shelf.now)
        shelf.now = again
    assert pauses == [15.0, 30.0, 60.0]
    assert "cannot be reached" in shelf.warnings["unarchived"]
    assert "secret" not in shelf.warnings["unarchived"]
    assert "cannot be reached" in space(shelf.parts).archive_error
    shelf.configure(archive=archive.model_copy(update={"s3": s3.model_copy(update={"bucket": "not-there"})}))
    tend(shelf)
    assert "NoSuchBucket" in shelf.warnings["unarchived"]
    shelf.configure(archive=archive.model_copy(update={"s3": s3}))
    tend(shelf)
    assert len(in_archive(shelf)) == 1


@pytest.mark.need(18)
def test_a_damaged_recording_does_not_become_the_archives_copy(
        shelf: Shelf, archive: ArchiveConfig, s3: S3Config) -> None:
    bad, good = shelf.add(2), shelf.add(1)
    path = shelf.folder / shelf.row(bad).path
    octets = bytearray(path.read_bytes())
    octets[-1] ^= 1
    path.write_bytes(octets)
    shelf.configure(archive=archive.model_copy(update={"s3": s3}))
    tend(shelf)
    assert [Path(name).stem for name in in_archive(shelf)] == [good]
    tend(shelf)
    assert bad in shelf.warnings["unreadable"]


@pytest.mark.need(18)
def test_sftp_goes_on_where_the_servers_file_ends(
        shelf: Shelf, archive: ArchiveConfig, sftp: SftpConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    name = shelf.add(1, 600_000)
    shelf.configure(archive=archive.model_copy(update={"sftp": sftp}))
    cuts = Cuts(monkeypatch)
    for at in (2, 4, 5, 10):                      # sending, and reading back
        cuts.at, cuts.blocks = at, 0
        tend(shelf)
        assert in_archive(shelf) == []
        shelf.restart()
    cuts.at = 0
    tend(shelf)
    path = Path(sftp.folder) / in_archive(shelf)[0]
    assert cuts.taken < 3.5 * path.stat().st_size                   # sent once; read back twice, once in part
    assert opened(archive, path)[1] == bytes([1]) * 600_000
    assert sorted(file.name for file in path.parent.iterdir()) == [f"{name}.blr", "opened"]


@pytest.mark.need(18)
def test_sftp_trusts_no_other_host_key_and_says_who_is_not_let_in(
        shelf: Shelf, archive: ArchiveConfig, sftp: SftpConfig, tmp_path: Path) -> None:
    shelf.add(1)
    kind, key = (tmp_path / "ssh/user.pub").read_text().split()[:2]
    other = sftp.model_copy(update={"host_key": f"{kind} {key}"})
    shelf.configure(archive=archive.model_copy(update={"sftp": other}))
    tend(shelf)
    assert "another host key" in shelf.warnings["unarchived"]
    (tmp_path / "ssh/authorized").write_text("")
    shelf.configure(archive=archive.model_copy(update={"sftp": sftp}))
    tend(shelf)
    assert "does not let" in shelf.warnings["unarchived"]
    assert not Path(sftp.folder).exists()


@pytest.mark.parametrize(("answers", "says"), [(b"x" * 65536, "gives back more than was sent"),
                                               (None, "Connection closed")])
def test_a_server_that_never_ends_or_never_answers_is_left(
        shelf: Shelf, archive: ArchiveConfig, sftp: SftpConfig, monkeypatch: pytest.MonkeyPatch,
        answers: bytes | None, says: str) -> None:
    name = shelf.add(1, 70_000)
    monkeypatch.setattr(sftp_place, "STALL_S", 1.0)
    with rogue(Path(sftp.key_file), answers) as port:
        wrong = sftp.model_copy(update={"port": port, "folder": "."})
        shelf.configure(archive=archive.model_copy(update={"sftp": wrong}))
        tend(shelf)
    assert says in shelf.warnings[WARNING]
    assert shelf.said(name) == []


@contextlib.contextmanager
def rogue(key: Path, answers: bytes | None) -> Iterator[int]:
    """An SFTP server that takes everything; whoever reads gets `answers` each time, None: nothing, ever."""
    class Files(asyncssh.SFTPServer):
        def format_longname(self, name: Any) -> None: ...
        def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
            raise asyncssh.SFTPNoSuchFile("none")

        def mkdir(self, path: bytes, attrs: Any) -> None: ...
        def posix_rename(self, oldpath: bytes, newpath: bytes) -> None: ...
        def open(self, path: bytes, pflags: int, attrs: Any) -> object:
            return object()

        def write(self, file: object, offset: int, data: bytes) -> int:
            return len(data)

        def fstat(self, file: object) -> asyncssh.SFTPAttrs:
            return asyncssh.SFTPAttrs(size=2 ** 40)

        def fsync(self, file: object) -> None: ...
        def close(self, file: object) -> None: ...
        async def read(self, file: object, offset: int, size: int) -> bytes:
            if answers is None:
                await asyncio.Event().wait()
            return (answers or b"")[:size]

    told = Queue[tuple[int, Callable[[], object]]]()

    async def serve() -> None:
        host, loop, over = str(key.with_name("host")), asyncio.get_running_loop(), asyncio.Event()
        async with asyncssh.listen("127.0.0.1", 0, server_host_keys=[host], sftp_factory=Files,
                                   authorized_client_keys=str(key.with_suffix(".pub"))) as server:
            told.put((server.get_port(), lambda: loop.call_soon_threadsafe(over.set)))
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    port, end = told.get(timeout=20)
    try:
        yield port
    finally:
        end()
        thread.join(20)


@pytest.mark.need(18)
def test_the_outbox_keeps_an_object_until_its_receipt_fits(
        shelf: Shelf, archive: ArchiveConfig, tmp_path: Path) -> None:
    names = [shelf.add(3), shelf.add(2), shelf.add(1)]
    shelf.configure(archive=archive.model_copy(update={"outbox": OutboxConfig()}))
    tend(shelf)
    files = sorted((shelf.folder / "outbox").rglob("*.blr"))
    assert [file.stem for file in files] == names and in_archive(shelf) == []
    receipt = [file.with_name(file.name + ".receipt") for file in files]
    receipt[0].write_text(hashlib.sha256(files[0].read_bytes()).hexdigest() + "  -\n")
    receipt[1].write_text("0" * 64)
    os.mkfifo(receipt[2])                         # a stranger's pipe stops nobody
    shelf.restart()
    tend(shelf)
    assert [Path(name).stem for name in in_archive(shelf)] == names[:1]
    assert not files[0].exists() and not receipt[0].exists() and files[1].exists()
    assert "another checksum" in shelf.warnings["unarchived"]
    assert opened(archive, files[1])[1] == bytes([2]) * 1000
    with shelf.parts.database.write() as connection:
        erase(connection, names[1], "asked", shelf.now)
    tend(shelf)
    assert not files[1].exists(), "a copy of what is erased stayed in the box"


def test_a_noc_fetches_by_openssh_goes_on_after_a_cut_and_leaves_a_receipt(
        shelf: Shelf, archive: ArchiveConfig, sftp: SftpConfig, tmp_path: Path) -> None:
    name = shelf.add(1, 300_000)
    shelf.configure(archive=archive.model_copy(update={"outbox": OutboxConfig()}))
    tend(shelf)
    [there] = (shelf.folder / "outbox").rglob("*.blr")
    known, mine = tmp_path / "known_hosts", tmp_path / "noc" / there.name
    known.write_text(f"[{sftp.host}]:{sftp.port} {sftp.host_key}\n")
    mine.parent.mkdir()
    mine.write_bytes(there.read_bytes()[:100_001])       # the line broke here

    def ask(commands: str) -> None:
        subprocess.run([
            "sftp", "-q", "-b", "-", "-P", str(sftp.port), "-i", sftp.key_file, "-o", "IdentitiesOnly=yes",
            "-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes",
            f"{sftp.user}@{sftp.host}"], input=commands, text=True, check=True, capture_output=True)

    ask(f"reget {there} {mine}\n")
    assert mine.read_bytes() == there.read_bytes()
    receipt = tmp_path / "receipt"
    receipt.write_text(hashlib.sha256(mine.read_bytes()).hexdigest() + "  -\n")
    ask(f"put {receipt} {there}.receipt\n")
    tend(shelf)
    assert [Path(one).stem for one in in_archive(shelf)] == [name]
    assert not there.exists()
    assert opened(archive, mine)[1] == bytes([1]) * 300_000


def test_links_in_the_outbox_lead_nowhere(shelf: Shelf, archive: ArchiveConfig) -> None:
    name = shelf.add(1)
    kept = (shelf.folder / shelf.row(name).path).read_bytes()
    shelf.configure(archive=archive.model_copy(update={"outbox": OutboxConfig()}))
    (shelf.folder / "outbox").mkdir()
    link = shelf.folder / "outbox" / "shanghai"   # an object's name below it is a recording's
    link.symlink_to(shelf.folder)
    with pytest.raises(OSError, match="shanghai"):
        tend(shelf)
    assert (shelf.folder / shelf.row(name).path).read_bytes() == kept
    link.unlink()
    tend(shelf)
    [there] = (shelf.folder / "outbox").rglob("*.blr")
    there.rename(there.with_suffix(".away"))
    there.symlink_to("nowhere")                   # counted as what it is
    shelf.add(0.5)
    tend(shelf)
    assert (shelf.folder / shelf.row(name).path).read_bytes() == kept


def test_the_outbox_is_bounded(shelf: Shelf, archive: ArchiveConfig) -> None:
    for _ in range(3):
        shelf.add(1, 7 * 2 ** 20)
    shelf.configure(archive=archive.model_copy(update={"outbox": OutboxConfig(mebibytes=16)}))
    for _ in range(3):
        tend(shelf)
        assert len(list((shelf.folder / "outbox").rglob("*.blr"))) == 2


def test_what_nobody_fetched_goes_to_another_place_that_is_configured_since(
        shelf: Shelf, archive: ArchiveConfig, s3: S3Config) -> None:
    shelf.add(1)
    shelf.configure(archive=archive.model_copy(update={"outbox": OutboxConfig()}))
    tend(shelf)
    assert in_archive(shelf) == []
    shelf.configure(archive=archive.model_copy(update={"s3": s3}))
    tend(shelf)
    assert len(in_archive(shelf)) == 1


@pytest.mark.parametrize(("wrong", "says"), [
    ("missing", "cannot be read"), ("open", "others may read it"), ("short", "no key")])
def test_a_key_that_is_none_or_everybodys_is_refused(
        shelf: Shelf, archive: ArchiveConfig, wrong: str, says: str) -> None:
    path = Path(archive.key_file)
    if wrong == "missing":
        path.unlink()
    elif wrong == "open":
        path.chmod(0o644)
    else:
        path.write_bytes(b"secret" * 3)
    shelf.add(1)
    shelf.configure(archive=archive.model_copy(update={"outbox": OutboxConfig()}))
    tend(shelf)
    assert says in shelf.warnings["unarchived"] and "secret" not in shelf.warnings["unarchived"]
    with pytest.raises(ConfigError):
        SharedKey.read(path)
    if wrong != "missing":
        with pytest.raises(ConfigError, match="exists"):
            new_key(path)


def test_pace_and_hours() -> None:
    clock = [0.0]
    pace = Pace(80, threading.Event(), lambda: clock[0])            # 10,000 octets a second
    assert [pace.wait_s(5000), pace.wait_s(5000), pace.wait_s(5000)] == [0.0, 0.5, 1.0]
    clock[0] = 10.0
    assert pace.wait_s(5000) == 0.0
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(Stopped):
        Pace(None, stopping).take(1)
    now = 1_790_000_000.0
    assert opens_at(None, now) == now
    night = [opens_at("20:00-06:00", now + hour * 3600) - (now + hour * 3600) for hour in range(24)]
    assert sum(wait == 0 for wait in night) == 10 and max(night) <= 14 * 3600
    day = [opens_at("06:00-20:00", now + hour * 3600) - (now + hour * 3600) for hour in range(24)]
    assert [wait == 0 for wait in day] == [wait != 0 for wait in night]


@pytest.mark.parametrize(("document", "says"), [
    ({"outbox": {}}, "key_file"), ({"keep_local_days": 1}, "needs s3"),
    ({"outbox": {}, "sftp": {"host": "h", "user": "u", "key_file": "k", "host_key": "ssh-ed25519 AAAA"},
      "key_file": "k"}, "one place"),
    ({"s3": {"endpoint": "https://me:secret@s3.example", "bucket": "abc"}, "key_file": "k"}, "endpoint"),
    ({"hours": "25:00-26:00"}, "hours")])
def test_an_archive_that_cannot_be_is_refused(document: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ArchiveConfig.model_validate(json.loads(json.dumps(document)))


def test_sftp_key_files_are_looked_at_before_anything_is_sent(sftp: SftpConfig) -> None:
    Path(sftp.key_file).chmod(0o644)
    with pytest.raises(ConfigError, match="others may read it"):
        sftp_place.Sftp(sftp)
