"""What a backup takes: all of the state folder but what can be made again, and the configuration's files."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from appliance.box.backup.format import AUDIO, CONFIG, ELSEWHERE, STATE
from appliance.config import entrance
from appliance.config.load import read
from appliance.config.schema import Config
from appliance.errors import ConfigError
from appliance.store import TRACES_FILE

SCRATCH, TRIAL, OUTGOING = "scratch", "trial", "outgoing"            # in the state folder's `backup`
NO_ROOM = "MiB are free, the trial needs"         # why a restore was not tried out: not the backup's fault
RESTORING = "restoring"                           # in the state folder: a restore that is under way
RESTORE, RESTORED = "restore", "restored.json"    # likewise: one that is wished for, what came of the last
REPLACED = "replaced-"                            # beginning of the folders with what a restore put aside
STAMPED = rf"{REPLACED}[0-9]{{8}}-[0-9]{{6}}"     # their whole name
MAX_TRACES_OCTETS = 64 * 1024 * 1024

# Below the state folder. Spoken texts and the demonstration are made again; of recordings the catalogue, the
# keys and the versions of prompts come along, and the audio where it is wished: the journal and exports live
# for days at most.
_NOT = re.compile(
    rf"(said|saved|demo|support|uploads|logs|lost\+found|{RESTORING}|{RESTORE}|{RESTORED}|{REPLACED}[^/]*"
    rf"|backup/({SCRATCH}|{TRIAL}|{OUTGOING}))(/.*)?"
    r"|recordings/(?!recordings\.sqlite$|keys(/|$)|prompts/kept(/|$)|[0-9]{4}(/|$)).*"
    r"|(.*/)?(lock|\..*|.*\.(lock|new|part|damaged|bad)|.*-(wal|shm|journal))")
# Below the configuration's folder: of root, and of restores. None of it is a configuration's.
_NOT_CONFIG = re.compile(
    rf"(defaults|board|release|provision-key\.pem|\.branchline-[^/]*|{STAMPED})(/.*)?")
_KEYS = "recordings/keys"
_VERSIONS = "recordings/prompts/kept"
_OF_FOLDERS = (".wav", ".yaml")                   # prompts, forms
_FIRST = ("acd.sqlite", "recordings/recordings.sqlite")


class _Nodes(BaseModel):
    """Of a flow, so much as it takes to find the files that it goes through."""

    nodes: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Source:
    name: str                                     # in the backup
    path: Path

    @property
    def database(self) -> bool:
        """By its name: SQLite's locks on a file end when somebody else of this process closes it."""
        return self.path.suffix == ".sqlite"


def state_files(folder: Path, audio: bool, left_out: list[str]) -> Iterator[Source]:
    """In an order that holds while the box works on: adds to `left_out` what it leaves out and why.

    The catalogue is taken after the event log, which then names no recording that it lacks. Keys come first
    and again at the end: what the box sealed or sealed anew meanwhile opens. So do versions of prompts: what
    the catalogue names is there, though it was put, or went, meanwhile.
    """
    for name in (_KEYS, _VERSIONS):
        yield from _below(folder, folder / name, left_out)
    first = [folder / name for name in _FIRST if (folder / name).is_file()]
    yield from (Source(f"{STATE}/{path.relative_to(folder)}", path) for path in first)
    for path in sorted(folder.iterdir()):
        if path.name != "recordings":
            yield from (one for one in _below(folder, path, left_out) if one.path not in first)
    if audio:
        for year in sorted((folder / "recordings").glob("[0-9][0-9][0-9][0-9]")):
            yield from (one for one in _below(folder, year, left_out) if AUDIO.fullmatch(one.name))
    for name in (_KEYS, _VERSIONS):
        yield from _below(folder, folder / name, left_out)


def strange(name: str) -> bool:
    """No backup of ours holds it: who made this one would have root write what only root may decide."""
    part, _, below = name.partition("/")
    return bool((_NOT if part == STATE else _NOT_CONFIG).fullmatch(below)) and part != ELSEWHERE


def _below(folder: Path, path: Path, left_out: list[str]) -> Iterator[Source]:
    name = str(path.relative_to(folder))
    if _NOT.fullmatch(name):
        return
    if path.is_dir() and not path.is_symlink():
        for inner in sorted(path.iterdir()):
            yield from _below(folder, inner, left_out)
    elif name == TRACES_FILE and path.stat().st_size > MAX_TRACES_OCTETS:
        left_out.append(f"{STATE}/{name}: larger than {MAX_TRACES_OCTETS >> 20} MiB: what calls said on "
                        "their D-channels is for finding faults")
    elif path.is_file() and not path.is_symlink():
        yield Source(f"{STATE}/{name}", path)
    elif path.exists() or path.is_symlink():
        left_out.append(f"{STATE}/{name}: is no file")


def config_files(document: Path, config: Config, left_out: list[str]) -> Iterator[Source]:
    """The document and every file that it names, as load() placed them."""
    base = document.resolve().parent
    for path in dict.fromkeys([document.resolve(), *_named(config)]):
        if path.is_dir():
            for inner in sorted(path.rglob("*")):
                if inner.is_file() and inner.suffix in _OF_FOLDERS:
                    yield _placed(base, inner)
        elif path.is_file():
            yield _placed(base, path)
        else:
            left_out.append(f"{path}: the configuration names it, and it is not there")


def _placed(base: Path, path: Path) -> Source:
    path = Path(os.path.normpath(path))           # ../x of the document is elsewhere
    if path.is_relative_to(base):
        return Source(f"{CONFIG}/{path.relative_to(base)}", path)
    return Source(f"{ELSEWHERE}{path}", path)


def _named(config: Config) -> Iterator[Path]:
    centre, archive = config.centre, config.archive
    for flow in entrance.flows(centre):
        yield from _with_subflows(Path(flow), set())
    names = [*(one.file for one in centre.lists), *centre.regions.tables,
             *(one.table for one in centre.sources), archive.key_file,
             *((archive.s3.ca_file, archive.s3.credentials_file) if archive.s3 else ()),
             *((archive.sftp.key_file,) if archive.sftp else ()),
             *config.snmp.files(), *config.syslog.files()]
    yield from (Path(name) for name in names if name)
    for folder in (config.media.prompts, config.quality.forms):
        if Path(folder).exists():                 # a box may have none
            yield Path(folder)


def _with_subflows(path: Path, seen: set[Path]) -> Iterator[Path]:
    """The flow's file and those it goes through; one that cannot be read names none."""
    if path in seen:
        return
    seen.add(path)
    yield path
    try:
        nodes = read(path, _Nodes).nodes
    except ConfigError:
        return
    for node in nodes.values():
        if isinstance(node.get("file"), str):
            yield from _with_subflows(Path(os.path.normpath(path.parent / node["file"])), seen)
