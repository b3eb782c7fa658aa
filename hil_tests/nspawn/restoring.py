"""A backup restored from the page of an installed box, and taken back: root's part, and whose a file is."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

from hil_tests.nspawn.container import Container
from hil_tests.nspawn.page import Page
from hil_tests.vm.debian import BenchError, run

STATE, CONFIG, BACKUPS = "/var/lib/branchline", "/etc/branchline", "/srv/backups"
NAME, PASSWORD, PASSPHRASE = "admin", "correct horse battery", "one safe of many words"
RESTORE = "/box/backup/restore/"
ACT_S = 60.0
DOCUMENT, TABLE = f"{CONFIG}/branchline.yaml", f"{CONFIG}/tables/regions.csv"
UNUSED = f"{CONFIG}/prompts/en"                   # by the example's flow
# What comes and goes by itself, and what a restore keeps for itself.
_PASSING = re.compile(r".*(-wal|-shm|-journal|\.new|\.part|\.seconds-[0-9]+)|"
                      r".*/(replaced-|restore/|restoring|uploads/|logs/|said/|recordings/journal/).*")


def lay(tree: Path, configuration: str) -> str:
    """The document with backups, and with a file in a folder that no package made; both are there."""
    for folder in (BACKUPS, f"{CONFIG}/tables"):
        (tree / folder[1:]).mkdir(mode=0o750)
    (tree / TABLE[1:]).write_text("prefix,region,place\n0210,上海,上海\n")
    (tree / TABLE[1:]).chmod(0o640)
    run("chroot", str(tree), "chown", "branchline-boxd:", BACKUPS)
    run("chroot", str(tree), "chgrp", "-R", "branchline", f"{CONFIG}/tables")
    return (configuration.replace("centre:\n", "centre:\n  regions: {tables: [tables/regions.csv]}\n")
            + f"\nbackup: {{path: {BACKUPS}, mounted: false}}\n")


def restores(box: Container, call: Callable[[], None], up: Callable[[], None]) -> None:
    """`call`: one is answered; `up`: wait until all daemons are. BenchError: what is not as it should be."""
    box.run("sh", "-c", f"echo {shlex.quote(PASSPHRASE)} | branchline backup passphrase --state-dir {STATE} "
            "--passphrase-file -")
    page = Page(box)
    code = box.run("cat", f"{STATE}/setup-code").strip()
    page.post("/setup", code=code, name=NAME, password=PASSWORD, again=PASSWORD)
    box.run("branchline", "backup", "now")
    then, calls = _whose(box), _contacts(box)

    call()                                        # it is lost with the restore, and back again after it
    box.run("rm", "-r", f"{CONFIG}/tables", UNUSED)
    box.run("sed", "-i", "-e", "s/^  country: cn/  country: de/", "-e", "/regions.csv/d", DOCUMENT)
    made, changed = _contacts(box), _whose(box)
    if made <= calls:
        raise BenchError(f"{made} contacts after a call, {calls} before it")

    source = page.find(RESTORE, r'<option value="([^"]+\.backup)"')
    page.post(f"{RESTORE}look", RESTORE, source=source)
    token = page.find(RESTORE, r'name="token" value="([^"]+)"', ACT_S)
    _anew(box, page, "begin", token=token, config="yes")
    up()
    page = Page(box)
    page.post("/login", name=NAME, password=PASSWORD)
    page.find(RESTORE, r"(This box was restored)")
    _same(then, box)
    if (now := _contacts(box)) != calls:
        raise BenchError(f"{now} contacts after the restore, {calls} are in the backup")
    if "country: cn" not in box.run("cat", DOCUMENT):
        raise BenchError("the configuration was not restored")
    call()
    print("a backup was restored from the page: every file is whose it was")

    _anew(box, page, "back")
    up()
    page = Page(box)
    page.post("/login", name=NAME, password=PASSWORD)
    page.find(RESTORE, r"(The last restore was taken back)")
    _same(changed, box)
    if (now := _contacts(box)) != made:
        raise BenchError(f"{now} contacts when it was taken back, {made} there were")
    if "country: de" not in box.run("cat", DOCUMENT):
        raise BenchError("the configuration was not taken back")
    page.post(f"{RESTORE}forget", RESTORE, sure="yes")     # by root: it is of all daemons
    if left := box.run("find", STATE, CONFIG, "-name", "replaced-*"):
        raise BenchError(f"let go, and still there: {left}")
    print("the restore was taken back")


def _anew(box: Container, page: Page, act: str, **fields: str) -> None:
    name = page.find(RESTORE, r'pattern="([^"]+)"')
    page.post(f"{RESTORE}{act}", RESTORE, name=name, password=PASSWORD, why="the bench", sure="yes",
              begin="now", **fields)
    box.starts_anew(ACT_S)


def _contacts(box: Container) -> int:
    """Of the running box."""
    ask = ("import sqlite3, sys; base = sqlite3.connect(f'file:{sys.argv[1]}?mode=ro', uri=True); "
           "print(base.execute('SELECT count(*) FROM contacts').fetchone()[0])")
    return int(box.run("python3.11", "-c", ask, f"{STATE}/acd.sqlite"))


def _whose(box: Container) -> dict[str, str]:
    """Owner, group and mode of each file and folder of the box."""
    said = box.run("find", STATE, CONFIG, "-printf", r"%p\t%y %u:%g %m\n")
    return {path: whose for path, _, whose in (line.partition("\t") for line in said.splitlines())
            if not _PASSING.fullmatch(path)}


def _same(then: dict[str, str], box: Container) -> None:
    """Whatever was there is there, and whose it was. BenchError names what is not."""
    now = _whose(box)
    wrong = [f"{path}: {was}, now {now.get(path, 'gone')}" for path, was in then.items()
             if now.get(path) != was]
    strange = [f"{path}: {whose}: of no daemon" for path, whose in now.items()
               if path not in then and path.startswith(f"{STATE}/") and " branchline-" not in whose]
    if wrong or strange:
        raise BenchError("\n".join([*wrong, *strange]))
