"""boxd's backups: begun by time or by people, one at a time, behind everything else that the box does."""

import asyncio
import logging
import os
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import msgspec

from appliance.box.backup import passphrase
from appliance.box.backup.contents import RESTORING, SCRATCH, TRIAL
from appliance.box.backup.due import due, made_at, next_at, overdue, trial_due
from appliance.box.backup.format import BackupError, file_name
from appliance.box.backup.history import History
from appliance.box.backup.making import Order, clear, make, utc
from appliance.box.backup.opening import opened
from appliance.box.backup.place import opened as opened_place
from appliance.bus.messages import BackupInfo, BackupKind, BackupReply
from appliance.config.backup import BackupConfig
from appliance.store.sealed import DerivedWrapper

FOLDER = "backup"                                 # in the state folder
EVERY_S = 30.0                                    # looked at what is due
NICE = 19
FIGURES = ("backup_failed", "backup_overdue", "backup_age_s")
WAIT_S = 0.2                                      # between two looks whether a child has ended
MOST_WORDS = 500                                  # of an error in the history

log = logging.getLogger(__name__)


class Stopped(BaseException):
    """boxd ends: what was begun is thrown away, and due at the next start."""


class Backups:
    """`tend` is for one thread, `run` and `begin` are for the loop's."""

    def __init__(self, state_dir: Path, document: Path, config: BackupConfig) -> None:
        self.config = config                      # replaced as a whole at a reload
        self._state_dir, self._document = state_dir, document
        self._folder = state_dir / FOLDER
        self._history = History(self._folder)
        self._wanted, self._stopping, self._woken = threading.Event(), threading.Event(), asyncio.Event()
        self._turned = asyncio.Event()            # set for a moment: what was to be done at that time is done
        self._running = self._to_try = ""
        # Of a kill or a power cut; a restore that is not over lets no box start.
        for left in (self._folder / SCRATCH, self._folder / TRIAL, state_dir / RESTORING,
                     state_dir / "recordings" / RESTORING):
            with suppress(OSError):
                clear(left)

    async def run(self, stop: asyncio.Event, facts: dict[str, float]) -> None:
        """Until `stop`; keeps the heartbeat's figures, also while a medium does not answer."""
        loop, ends = asyncio.get_running_loop(), asyncio.create_task(stop.wait())
        ends.add_done_callback(lambda _: self._stopping.set())
        with ThreadPoolExecutor(1, "backup", _step_behind) as pool:
            while not stop.is_set():
                work = loop.run_in_executor(pool, self._tend)
                while not work.done():
                    self._tell(facts)
                    await asyncio.wait([work], timeout=EVERY_S)
                await work
                self._turned.set()
                self._turned.clear()
                self._tell(facts)
                wish = asyncio.create_task(self._woken.wait())
                await asyncio.wait([ends, wish], timeout=EVERY_S, return_when=asyncio.FIRST_COMPLETED)
                wish.cancel()
                self._woken.clear()

    def begin(self) -> None:
        """Have one made now. BackupError: it cannot be begun."""
        if self._running:
            raise BackupError(f"{self._running}: wait until that is over")
        self._ready()
        self._wanted.set()
        self._woken.set()

    def seal(self, words: str) -> None:
        """Seal later backups with a key made from the passphrase `words`; takes most of a second.

        BackupError: it is too short, or the disk refuses the key.
        """
        passphrase.keep(self._folder, words)

    def try_out(self, path: str) -> None:
        """Have a restore of one that was made tried out. BackupError: it cannot be begun."""
        if self._running or self._wanted.is_set() or self._to_try:
            raise BackupError(f"{self._running or 'a backup'}: wait until that is over")
        if not any(one.path == path and not one.error and not one.gone for one in self._history.backups):
            raise BackupError(f"{path[:200]!r}: no such backup was made, or it is gone")
        self._ready()
        self._to_try = path
        self._woken.set()

    async def tried(self) -> BackupInfo | None:
        """Have the newest tried out when nothing else is done, and wait for what comes of it; None: there is
        none. BackupError: it cannot be begun, or was not."""
        while self._busy():
            await self._turned.wait()
        before = next((one for one in self._history.backups if not one.error and not one.gone), None)
        if before is None:
            return None
        self.try_out(before.path)
        while self._busy():
            await self._turned.wait()
        after = next((one for one in self._history.backups if one.path == before.path), before)
        if after.tried_at == before.tried_at:
            raise BackupError(f"{before.path}: was not tried out")
        return after

    def _busy(self) -> bool:
        return bool(self._running or self._to_try or self._wanted.is_set())

    def reply(self, now: float) -> BackupReply:
        return BackupReply(
            path=self.config.path, passphrase=(self._folder / passphrase.FILE).exists(),
            running=self._running or ("about to begin" if self._wanted.is_set() or self._to_try else ""),
            overdue=overdue(self.config, self._history.backups, now),
            next_at=next_at(self.config, self._history.backups, now), backups=self._history.backups)

    def figures(self, now: float) -> dict[str, float]:
        """For the heartbeat. backup_failed: the last was not made, does not hold, or is not at the hub."""
        if not self.config.path:
            return {}
        done = self._history.backups
        tried = next((one for one in done if one.tried_at), None)
        failed = bool(done) and bool(done[0].error or done[0].hub_error)
        found = {"backup_failed": int(failed or bool(tried and tried.trial_error)),
                 "backup_overdue": int(overdue(self.config, done, now))}
        last = made_at(done)
        return {**found, **({"backup_age_s": max(0.0, round(now - last))} if last else {})}

    def tend(self, now: float) -> None:
        """Make the one that is wanted or due, if any. Stopped: boxd ends."""
        if self._to_try:
            self._try(now)
            return
        kind: BackupKind | None = "now" if self._wanted.is_set() else due(
            self.config, self._history.backups, now)
        if kind is None:
            return
        self._running = f"a backup ({kind}) is being made"
        self._wanted.clear()
        try:
            made = self._made(kind, now)
            self._history.add(made)
            if made.error:
                log.error("backup (%s): %s", kind, made.error)
                return
            log.info("backup (%s): %s, %d octets, read back", kind, made.path, made.octets)
            if self.config.hub:
                made = self._sent(made)
                self._history.change(made.path, made)
            if kind != "now" and trial_due(self._history.backups, now):
                self._running = f"a restore of {Path(made.path).name} is being tried out"
                self._history.change(made.path, self._tried(made, now))
        finally:
            self._running = ""

    def _try(self, now: float) -> None:
        """The one that people want tried out, if it is still there."""
        path = self._to_try
        self._running, self._to_try = f"a restore of {Path(path).name} is being tried out", ""
        try:
            for one in self._history.backups:
                if one.path == path and not one.gone:
                    self._history.change(path, self._tried(one, now))
                    return
        finally:
            self._running = ""

    def _tend(self) -> None:
        with suppress(Stopped):
            self.tend(time.time())

    def _tell(self, facts: dict[str, float]) -> None:
        for name in FIGURES:
            facts.pop(name, None)
        facts.update(self.figures(time.time()))

    def _ready(self) -> DerivedWrapper:
        if not self.config.path:
            raise BackupError("backup.path: is not set: name the folder that backups are written to")
        if (sealing := passphrase.kept(self._folder)) is None:
            raise BackupError("there is no passphrase: set one with `branchline backup passphrase`")
        return sealing

    def _made(self, kind: BackupKind, now: float) -> BackupInfo:
        began, path, found = time.monotonic(), Path(self.config.path), BackupInfo(kind=kind, at=now)
        try:
            path, octets = self._make(kind, now)
            found = msgspec.structs.replace(found, path=str(path), octets=octets, verified=True)
        except BackupError as error:
            found = msgspec.structs.replace(found, error=str(error)[:MOST_WORDS])
        except OSError as error:
            found = msgspec.structs.replace(
                found, error=f"{error.filename or path}: {error.strerror}: earlier backups are as they were")
        except Exception as error:                # the health of the box is watched on
            log.exception("backup (%s)", kind)
            found = msgspec.structs.replace(found, error=f"a fault of the box's own: {error!r}"[:MOST_WORDS])
        return msgspec.structs.replace(found, took_s=round(time.monotonic() - began, 1))

    def _make(self, kind: BackupKind, now: float) -> tuple[Path, int]:
        config, sealing = self.config, self._ready()
        box = config.box or name_of_machine()
        name = file_name(box, utc(now), kind)
        order = Order(box, kind, now, version("branchline"), self._state_dir, self._document,
                      config.recordings)
        breathe = _Pace(config.most_mebibytes_s, self._stopping).take
        with opened_place(Path(config.path), box, config.mounted, self._state_dir) as place:
            place.tidy()
            with place.writing(name) as file:
                seal = make(order, file, sealing, breathe)
            path = place.path / name
            try:
                with place.reading(name) as file, opened(file, sealing, str(path)) as backup:
                    backup.prove(breathe)
            except (BackupError, OSError):
                place.put_out(name)
                raise
            keep = {one: plan.keep for one, plan in (("weekly", config.weekly), ("monthly", config.monthly))
                    if plan is not None}
            self._history.gone({str(place.path / one) for one in place.prune(keep, name)})
        return path, seal.file_octets

    def _tried(self, made: BackupInfo, now: float) -> BackupInfo:
        wrong = self._run("verify", made.path, "--state-dir", str(self._state_dir))
        if wrong:
            log.error("backup: %s does not hold: %s", made.path, wrong)
        else:
            log.info("backup: a restore of %s was tried out: it holds", made.path)
        return msgspec.structs.replace(made, tried_at=now, trial_error=wrong)

    def _sent(self, made: BackupInfo) -> BackupInfo:
        self._running = f"{Path(made.path).name} is being sent to the hub"
        wrong = self._run("send", made.path, "--config", str(self._document))
        if wrong:
            log.error("backup: %s is not at the hub: %s", made.path, wrong)
        return msgspec.structs.replace(made, hub="" if wrong else "sent", hub_error=wrong)

    def _run(self, *command: str) -> str:
        """What people run, too, as a process of its own, which takes its memory along. Why it failed; ""."""
        return asyncio.run(self._ended(sys.executable, "-m", "appliance.launch", "backup", *command))

    async def _ended(self, *command: str) -> str:
        child = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE)
        talk = asyncio.create_task(child.communicate())
        while not (await asyncio.wait([talk], timeout=WAIT_S))[0]:
            if self._stopping.is_set():
                child.kill()
                await talk
                raise Stopped
        said = (await talk)[1].decode(errors="replace").strip()
        return "" if child.returncode == 0 else (said or f"it ended with {child.returncode}")[-MOST_WORDS:]


class _Pace:
    """So many octets a second at most, in small pieces: calls go first."""

    def __init__(self, mebibytes_s: float, stopping: threading.Event) -> None:
        self._octets_s, self._stopping = mebibytes_s * 2 ** 20, stopping
        self._free_at = time.monotonic()

    def take(self, octets: int) -> None:
        """Stopped: boxd ends."""
        now = time.monotonic()
        self._free_at = max(now, self._free_at) + octets / self._octets_s
        if self._stopping.wait(max(0.0, self._free_at - now)):
            raise Stopped


def _step_behind() -> None:
    """The thread and what it starts; the disk serves it last, too, where its scheduler knows of nice."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


def name_of_machine() -> str:
    name = "".join(one if one.isalnum() and one.isascii() else "-" for one in socket.gethostname().lower())
    return name.strip("-")[:32] or "box"
