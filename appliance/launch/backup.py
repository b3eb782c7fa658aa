"""branchline backup: one now, those that were made, what is in one, and a box made from one."""

import getpass
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, TypeVar

import click

from appliance.box.backup import passphrase as passphrases
from appliance.box.backup import restoring
from appliance.box.backup.contents import NO_ROOM, TRIAL
from appliance.box.backup.durable import make_folder
from appliance.box.backup.format import ELSEWHERE, BackupError, Manifest
from appliance.box.backup.opening import Backup, opened
from appliance.box.backup.tending import FOLDER
from appliance.bus.client import Bus
from appliance.bus.messages import BackUp, BackupInfo, BackupReply, GetBackups
from appliance.bus.runner import UMASK
from appliance.config.load import load
from appliance.config.schema import ArchiveConfig
from appliance.errors import BranchlineError, ConfigError
from appliance.launch import place
from appliance.launch.asking import CONFIG, PATH, RUN_DIR, STATE_DIR, beside, columns, leave, on_bus, or_exit
from appliance.launch.backup_trial import trial
from appliance.launch.restore import note
from appliance.store.sealed import HEADER_OCTETS, PassphraseWrapper, Wrapper

LOOK_S = 0.5
SPARE_OCTETS = 256 << 20                          # of the box's disk: recordings go on during a trial

T = TypeVar("T")

FILE = click.argument("path", metavar="FILE", type=PATH)
PASSPHRASE_FILE = click.option(
    "--passphrase-file", type=click.File("r", encoding="utf-8"), metavar="FILE",
    help="Its first line is the passphrase; - is standard input. [asked for]")


@click.group()
def backup() -> None:
    """Backups of the box's databases, keys and configuration."""


@backup.command("now")
@click.option("--no-wait", is_flag=True, help="Only begin it.")
@RUN_DIR
def now_command(no_wait: bool, run_dir: Path) -> None:
    """Back up a running box; calls go on."""
    async def begin(bus: Bus) -> None:
        await bus.ask(BackUp())
    began_at = time.time()
    on_bus(run_dir, begin, name="boxd")
    if no_wait:
        click.echo("begun: `branchline backup list` says what becomes of it")
        return
    while (reply := on_bus(run_dir, _ask, name="boxd")).running:
        time.sleep(LOOK_S)
    made = next((one for one in reply.backups if one.kind == "now" and one.at >= began_at - 1), None)
    if made is None:
        leave("boxd ended before it was made: look at its log, and try again", os.EX_TEMPFAIL)
    if made.error:
        leave(f"not made: {made.error}", os.EX_IOERR)
    click.echo(f"{made.path}: {made.octets:,} octets in {made.took_s:g} s, read back")
    if made.hub_error:
        leave(f"not at the hub: {made.hub_error}", os.EX_IOERR)


@backup.command("list")
@RUN_DIR
def list_command(run_dir: Path) -> None:
    """Backups of a running box, newest first. Ends with 1 when the last one failed or one is overdue."""
    reply = on_bus(run_dir, _ask, name="boxd")
    for one in reply.backups:
        click.echo(beside(f"{_time(one.at)}  {one.kind:<8}", _became(one), columns()))
    for line in _standing(reply):
        click.echo(line)
    sys.exit(1 if reply.overdue or (reply.backups and reply.backups[0].error) else 0)


@backup.command("passphrase")
@STATE_DIR
@PASSPHRASE_FILE
def passphrase_command(state_dir: Path, passphrase_file: IO[str] | None) -> None:
    """Set what later backups are sealed with. Write it down and keep it away from the box: without it nobody
    opens a backup. Earlier backups keep theirs.

    The box keeps a key that is made from it (0600), not the passphrase.
    """
    if not state_dir.is_dir():
        leave(f"{state_dir}: there is no such folder: name the box's with --state-dir", os.EX_USAGE)
    given = _read(passphrase_file) or click.prompt("Passphrase", hide_input=True, confirmation_prompt=True)
    _or_exit(lambda: passphrases.keep(state_dir / FOLDER, given))
    or_exit(place.give_back)
    click.echo("set: backups that are made from now on open with it")


@backup.command("verify")
@FILE
@click.option("--state-dir", type=PATH, help="Of the box that made it: its key opens it, its disk is used.")
@PASSPHRASE_FILE
def verify_command(path: Path, state_dir: Path | None, passphrase_file: IO[str] | None) -> None:
    """Try out a restore of FILE in a folder that goes again; the box may run. Ends with 0 when all holds."""
    key = _or_exit(lambda: None if state_dir is None else passphrases.kept(state_dir / FOLDER))
    wrapper = PassphraseWrapper(_read(passphrase_file)) if passphrase_file else key
    with _opened(path, wrapper) as found, _folder(state_dir, found.manifest) as folder:
        findings = _or_exit(lambda: trial(found, folder))
    for one in findings:
        click.echo(beside(f"{'good' if one.good else 'BAD':<5}{one.subject}: ", one.text, columns()))
    wrong = [f"{one.subject}: {one.text}" for one in findings if not one.good]
    if wrong:
        leave(f"{path}: does not hold: {'; '.join(wrong)}", 1)
    click.echo(f"{path}: all holds")


@backup.command("restore")
@FILE
@click.option("--to", "state_dir", type=PATH, required=True, help="The state folder, new or of a box.")
@click.option("--config-to", "config_dir", type=PATH, help="The configuration's folder. [it is left alone]")
@click.option("--replace", is_flag=True, help="Put aside what is there, under a name with the date.")
@PASSPHRASE_FILE
def restore_command(path: Path, state_dir: Path, config_dir: Path | None, replace: bool,
                    passphrase_file: IO[str] | None) -> None:
    """Make a box from FILE: all of it, or nothing is changed. The box must not run.

    Recordings that are in the folder stay. After a power cut run it again: it goes on.
    """
    os.umask(UMASK)
    state_dir = or_exit(lambda: place.make(state_dir, 0o750))
    with _locked(state_dir):
        if restoring.pending(state_dir):
            _end(_or_exit(lambda: restoring.finish(state_dir)))
            or_exit(place.give_back)
            click.echo("the restore that was cut off is over; to restore another backup run this again")
            return
        wrapper = PassphraseWrapper(_read(passphrase_file)) if passphrase_file else None
        with _opened(path, wrapper) as found:
            click.echo("\n".join(_contents(found.manifest)))
            asides = _or_exit(lambda: restoring.restore(
                found, state_dir, None if config_dir is None else config_dir.absolute(),
                time.strftime("%Y%m%d-%H%M%S"), replace,
                lambda folder: note(found.manifest, folder, getpass.getuser())))
        or_exit(place.give_back)
        _end(asides)
        if config_dir is not None and (config_dir / ELSEWHERE).exists():
            click.echo(f"{config_dir / ELSEWHERE}: files that the configuration names by their whole path: "
                       "move them there")
        click.echo(f"restored to {state_dir}" + (f" and {config_dir}" if config_dir else
                                                "; the configuration was left alone, see --config-to"))


@backup.command("send", hidden=True)
@FILE
@CONFIG
def send_command(path: Path, config: Path) -> None:
    """Copy FILE to the archive's place and compare what that gives back."""
    archive = or_exit(lambda: load(config)).archive
    click.echo(_or_exit(lambda: _send(path, archive)))


def _send(path: Path, archive: ArchiveConfig) -> str:
    from appliance.recording.archive.objects import ArchiveObject  # with libraries that no other needs
    from appliance.recording.archive.pace import Pace
    from appliance.recording.archive.place import Place
    place: Place
    if archive.s3 is not None:
        from appliance.recording.archive.s3 import S3
        place = S3(archive.s3)
    elif archive.sftp is not None:
        from appliance.recording.archive.sftp import Sftp
        place = Sftp(archive.sftp)
    else:
        raise ConfigError("archive: has no s3 and no sftp to send backups to")
    with path.open("rb") as file:
        sent = ArchiveObject(f"{archive.site}/backups/{path.name}", file.read(HEADER_OCTETS), path)
    digest = place.push(sent, {}, lambda _: None, Pace(archive.most_kbit_s, threading.Event()))
    if digest != sent.sha256():
        raise BackupError(f"{place.name} gives back something else than was sent: look at its disk")
    return f"{place.name}: {sent.name}"


async def _ask(bus: Bus) -> BackupReply:
    return await bus.ask(GetBackups())


def _or_exit(act: Callable[[], T]) -> T:
    """As or_exit; a file or disk that does not do what it should is an error like others."""
    def acted() -> T:
        try:
            return act()
        except OSError as error:
            raise BackupError(f"{error.filename or 'disk'}: {error.strerror}") from None
    return or_exit(acted)


@contextmanager
def _opened(path: Path, wrapper: Wrapper | None) -> Iterator[Backup]:
    """Its passphrase is asked for when there is no `wrapper`."""
    try:
        file = path.open("rb")
    except OSError as error:
        leave(f"{path}: {error.strerror}", os.EX_NOINPUT)
    with file, ExitStack() as stack:
        sealing = wrapper or PassphraseWrapper(click.prompt("Passphrase", hide_input=True))
        yield _or_exit(lambda: stack.enter_context(opened(file, sealing, str(path))))


@contextmanager
def _folder(state_dir: Path | None, manifest: Manifest) -> Iterator[Path]:
    """An empty one for the trial, gone at the end: on the box's disk, else where temporary files go."""
    above = None if state_dir is None else state_dir / FOLDER / TRIAL
    if above is not None:
        _or_exit(lambda: make_folder(above))
    with tempfile.TemporaryDirectory(prefix="branchline-trial-", dir=above) as name:
        needed = manifest.octets - manifest.audio.octets + (SPARE_OCTETS if above is not None else 0)
        if (free := shutil.disk_usage(name).free) < needed:
            leave(f"{name}: {free >> 20} {NO_ROOM} {needed >> 20}: free space, or name another folder with "
                  "TMPDIR", os.EX_IOERR)
        yield Path(name)


@contextmanager
def _locked(state_dir: Path) -> Iterator[None]:
    try:
        with place.lock(state_dir), restoring.idle(state_dir):
            yield
    except BranchlineError as error:
        leave(str(error), os.EX_UNAVAILABLE)


def _read(file: IO[str] | None) -> str:
    return "" if file is None else file.readline().rstrip("\r\n")


def _end(asides: list[str]) -> None:
    for aside in asides:
        click.echo(f"what was there is in {aside}: remove it when the box works")


def _contents(manifest: Manifest) -> Iterator[str]:
    yield (f"box {manifest.box}, {_time(manifest.at)}, Branchline {manifest.version}: "
           f"{len(manifest.files)} files, {manifest.octets:,} octets")
    for one in manifest.files:
        if one.rows:
            yield f"  {one.name}: {sum(one.rows.values()):,} rows"
    yield (f"  recordings: {manifest.audio.count:,}" if manifest.audio.count else
           "  recordings: none: copy YYYY/MM/DD from the archive or the old disk into recordings/")
    for text in manifest.left_out:
        yield f"  not in it: {text}"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M:%S")


def _became(one: BackupInfo) -> str:
    if one.error:
        return f"NOT MADE: {one.error}"
    parts = [f"{one.path}, {one.octets:,} octets, {one.took_s:g} s, read back"]
    if one.tried_at:
        parts.append(f"A TRIAL RESTORE FAILED: {one.trial_error}" if one.trial_error else
                     f"a restore was tried out {_time(one.tried_at)}")
    if one.hub or one.hub_error:
        parts.append(f"NOT AT THE HUB: {one.hub_error}" if one.hub_error else "at the hub, too")
    return ", ".join([*parts, *(["removed for newer ones"] if one.gone else [])])


def _standing(reply: BackupReply) -> Iterator[str]:
    if not reply.path:
        yield "backup.path is not set: no backups are made"
    if not reply.passphrase:
        yield "there is no passphrase: set one with `branchline backup passphrase`"
    if reply.running:
        yield reply.running
    if reply.overdue:
        yield "OVERDUE: one was to be made a day ago"
    if reply.next_at:
        yield f"the next one: {_time(reply.next_at)}"
