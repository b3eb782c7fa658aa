"""A disk that forgets what was not synced: a program's system calls, as strace saw them, up to any instant.

What fsync or fdatasync returned for is durable. Of the rest a power cut leaves any blocks of any writes, and
of the changes of names, which file systems journal in their order, any number from the first on.
Ref: fsync(2); Pillai et al., "All File Systems Are Not Created Equal" (OSDI 2014).
"""

import random
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

BLOCK_OCTETS = 4096
CALLS = ("openat,pwrite64,write,pwritev,writev,fsync,fdatasync,rename,unlink,unlinkat,rmdir,mkdir,ftruncate,"
         "fallocate")

_LINE = re.compile(r"^\d+ +(\w+)\((.*)\) += +(\d+)")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_FD = re.compile(r"^\d+<((?:\\x[0-9a-f]{2})*)>")
_OPENED = re.compile(r"= \d+<((?:\\x[0-9a-f]{2})*)>$")


class Call(NamedTuple):
    """`name` as strace has it; of a write the octets, of a rename the other path."""

    name: str
    path: str
    octets: bytes = b""
    at: int = -1                                  # -1: at the end of what was written there
    to: str = ""


def trace(command: list[str], log: Path) -> list[Call]:
    """Run it to its end; what it did to files."""
    subprocess.run(["strace", "-f", "-y", "-xx", "-s", "20000000", "-e", f"trace={CALLS}", "-o", str(log),
                    *command], check=True)
    with log.open() as lines:
        return [call for line in lines for call in _read(line)]


def _read(line: str) -> Iterator[Call]:
    match = _LINE.match(line)
    if match is None or "ENOENT" in line[-80:]:
        return
    name, arguments = match[1], match[2]
    strings = [_octets(one[1]) for one in _STRING.finditer(arguments)]
    of_fd = _FD.match(arguments)
    path = _octets(of_fd[1]).decode() if of_fd is not None else ""
    if name == "openat":
        opened = _OPENED.search(line.rstrip())
        if opened is not None and "O_CREAT" in arguments:
            yield Call("truncate" if "O_TRUNC" in arguments else "create", _octets(opened[1]).decode())
    elif name in ("write", "writev"):
        yield Call("write", path, b"".join(strings))
    elif name == "pwrite64":
        yield Call("write", path, strings[0], int(arguments.rsplit(", ", 1)[1]))
    elif name == "pwritev":
        yield Call("write", path, b"".join(strings), int(arguments.rsplit(", ", 1)[1]))
    elif name in ("fsync", "fdatasync"):
        yield Call("sync", path)
    elif name == "ftruncate":
        yield Call("size", path, at=int(arguments.rsplit(", ", 1)[1]))
    elif name == "fallocate":
        _, _, begin, octets = arguments.split(", ")
        yield Call("grow", path, at=int(begin) + int(octets))
    elif name == "rename":
        yield Call("rename", strings[0].decode(), to=strings[1].decode())
    elif name in ("unlink", "unlinkat", "rmdir"):
        yield Call("unlink", strings[0].decode())
    elif name == "mkdir":
        yield Call("mkdir", strings[0].decode())


def _octets(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


@dataclass(slots=True)
class _File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)     # None: it ends there
    end: int = 0                                  # of what was written without a place


class Disk:
    """What lies below `folder`, call by call."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._now: dict[str, _File | None] = {}   # path -> its file; None: a folder
        self._durable: dict[str, _File | None] = {}
        self._names: list[Call | tuple[str, _File | None]] = []      # changes of names that are not durable

    def do(self, call: Call) -> None:
        if not call.path.startswith(self._folder):
            return
        match call.name:
            case "create" | "truncate" | "mkdir":
                if call.path not in self._now:
                    file = None if call.name == "mkdir" else _File()
                    self._now[call.path] = file
                    self._names.append((call.path, file))
                elif call.name == "truncate":
                    self._file(call.path).pending.append((0, None))
                    self._file(call.path).end = 0
            case "write":
                file = self._file(call.path)
                at = file.end if call.at < 0 else call.at
                file.pending.append((at, call.octets))
                if call.at < 0:
                    file.end += len(call.octets)
            case "size":
                self._file(call.path).pending.append((call.at, None))
            case "grow":
                file = self._file(call.path)
                file.pending.append((call.at - 1, b"\0") if call.at > len(_as_if_all(file)) else (0, b""))
            case "sync":
                if self._now.get(call.path) is None:
                    self._sync_names(call.path)
                else:
                    file = self._file(call.path)
                    file.durable, file.pending = _as_if_all(file), []
            case "rename":
                self._now[call.to] = self._now.pop(call.path)
                self._names.append(call)
            case "unlink":
                del self._now[call.path]
                self._names.append(call)

    def cut(self, chance: random.Random, into: Path) -> None:
        """What is there after a power cut at this instant, below `into`."""
        share = chance.choice((0.0, 1.0, chance.random()))
        names = dict(self._durable)
        for change in self._names[:round(share * len(self._names))]:
            _apply(names, change)
        for path, file in sorted(names.items()):
            place = into / path[len(self._folder):].lstrip("/")
            if file is None:
                place.mkdir(parents=True, exist_ok=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(_torn(file, share, chance))
                place.chmod(0o600)

    def _file(self, path: str) -> _File:
        file = self._now[path]
        assert file is not None, path
        return file

    def _sync_names(self, folder: str) -> None:
        """All that changed in it, and what the journal has before that."""
        last = max((number for number, change in enumerate(self._names, 1)
                    if any(path.rpartition("/")[0] == folder for path in _paths(change))), default=0)
        for change in self._names[:last]:
            _apply(self._durable, change)
        del self._names[:last]


def _paths(change: Call | tuple[str, _File | None]) -> list[str]:
    return [change.path, change.to] if isinstance(change, Call) else [change[0]]


def _apply(names: dict[str, _File | None], change: Call | tuple[str, _File | None]) -> None:
    if not isinstance(change, Call):
        names[change[0]] = change[1]
    elif change.name == "rename":
        names[change.to] = names.pop(change.path)
    else:
        del names[change.path]


def _write(content: bytearray, at: int, octets: bytes | None) -> None:
    if octets is None:
        del content[at:]
        content.extend(bytes(at - len(content)))
        return
    if at > len(content):
        content.extend(bytes(at - len(content)))
    content[at:at + len(octets)] = octets


def _as_if_all(file: _File) -> bytearray:
    content = bytearray(file.durable)
    for at, octets in file.pending:
        _write(content, at, octets)
    return content


def _torn(file: _File, share: float, chance: random.Random) -> bytes:
    content = bytearray(file.durable)
    for at, octets in file.pending:
        if octets is None:
            if chance.random() < share:
                _write(content, at, None)
            continue
        begin = 0
        while begin < len(octets):
            end = min(len(octets), begin + BLOCK_OCTETS - (at + begin) % BLOCK_OCTETS)
            if chance.random() < share:
                _write(content, at + begin, octets[begin:end])
            begin = end
    return bytes(content)
