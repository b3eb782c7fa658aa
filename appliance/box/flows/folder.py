"""The flow files below the folder of the configuration document, and who uses them."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from appliance.bus.client import Refused
from appliance.config import entrance
from appliance.config.load import load, refuse_extremes, text_of
from appliance.errors import ConfigError

MOST_TEXT_OCTETS = 256 * 1024
MOST_FILES = 300                                  # flows of one box
MOST_LOOKED_AT = 2000                             # entries of folders
DEEPEST = 4                                       # folders and the file itself

_PART = r"\w[\w.-]{0,63}"
_NAME = re.compile(rf"({_PART}/){{0,{DEEPEST - 1}}}{_PART}\.yaml")


@dataclass(frozen=True, slots=True)
class Used:
    """`called`: files where calls enter; `by`: file -> keys of the configuration and "FILE: nodes.NAME"."""

    called: frozenset[str] = frozenset()
    by: dict[str, list[str]] = field(default_factory=dict)

    def live(self, file: str) -> bool:
        """Calls go through it, as a sub-flow at least."""
        seen, ahead = set[str](), [file]
        while ahead:
            one = ahead.pop()
            if one in self.called:
                return True
            if one not in seen:
                seen.add(one)
                ahead += [user.partition(": nodes.")[0] for user in self.by.get(one, ())
                          if ": nodes." in user]
        return False


class Folder:
    def __init__(self, document: Path) -> None:
        self.document = document.resolve()
        self.folder = self.document.parent
        self._kept: dict[Path, tuple[tuple[int, ...], str]] = {}     # as they were read last
        self._names_of: tuple[tuple[int, ...], list[tuple[str, str]]] = (), []

    def path(self, file: str) -> Path:
        """Refused: no name of a flow file here, or it leads out of the folder."""
        if len(file) > 200 or not _NAME.fullmatch(file) or ".." in PurePosixPath(file).parts:
            raise Refused(f"{file!r}: a flow file is called like main.yaml or night/menu.yaml: letters, "
                          f"digits, _, . and -, at most {DEEPEST - 1} folders deep")
        path = self.folder / file
        try:
            found = path.resolve()
        except (RuntimeError, OSError):           # links in a ring
            raise Refused(f"{file}: is a link that leads nowhere") from None
        if not found.is_relative_to(self.folder):
            raise Refused(f"{file}: leads out of {self.folder}: copy the file there, do not link to it")
        if found == self.document:
            raise Refused(f"{file}: is the configuration itself")
        return path

    def text(self, file: str) -> str | None:
        """None: there is no such file. ConfigError: it cannot be read."""
        path = self.path(file)
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}") from None
        stamp = _stamp(found)
        kept = self._kept.get(path)
        if kept is None or kept[0] != stamp:
            if not path.is_file():
                raise ConfigError(f"{path}: is no file")
            if found.st_size > MOST_TEXT_OCTETS:
                raise ConfigError(f"{path}: larger than {MOST_TEXT_OCTETS} octets")
            kept = self._kept[path] = stamp, text_of(path)
        return kept[1]

    def files(self) -> list[str]:
        """Those that are flows, by what is in them."""
        found = []
        for file in self._names():
            try:
                if (text := self.text(file)) is not None and outline(text) is not None:
                    found.append(file)
            except (ConfigError, Refused):        # not ours
                continue
        return sorted(found)[:MOST_FILES]

    def used(self) -> Used:
        """ConfigError: the document cannot be read."""
        by: dict[str, list[str]] = {}
        called = set()
        for key, path in self._all_named():
            if (file := self._file(path)) is not None:
                called.add(file)
                by.setdefault(file, []).append(key)
        ahead, seen = sorted(called | set(self.files())), set[str]()
        while ahead:
            file = ahead.pop(0)
            if file in seen:
                continue
            seen.add(file)
            for node, below in self._below(file):
                by.setdefault(below, []).append(f"{file}: nodes.{node}")
                ahead.append(below)
        return Used(frozenset(called), by)

    def _all_named(self) -> list[tuple[str, str]]:
        """Read again only when the document has changed."""
        try:
            stamp = _stamp(self.document.stat())
        except OSError as error:
            raise ConfigError(f"{self.document}: {error.strerror}") from None
        if self._names_of[0] != stamp:
            self._names_of = stamp, list(self._named())
        return self._names_of[1]

    def _named(self) -> Iterator[tuple[str, str]]:
        centre = load(self.document).centre
        for place, route in enumerate(centre.inbound):
            yield f"centre.inbound[{place}].flow", route.flow
        for keys, destination in entrance.destinations(centre):
            name = getattr(destination, "name", "")
            key = f"centre.entry.{name}" if name else f"{keys[0]}.{keys[1]}[{keys[2]}].{keys[-1]}"
            if destination.flow:
                yield f"{key}.flow", destination.flow
            if destination.forward is not None and destination.forward.unanswered:
                yield f"{key}.forward.unanswered", destination.forward.unanswered

    def _below(self, file: str) -> Iterator[tuple[str, str]]:
        """The sub-flows that it goes through: node, file."""
        try:
            text = self.text(file)
        except (ConfigError, Refused):
            return
        for name, below in (outline(text or "") or {}).items():
            path = os.path.normpath(self.folder / Path(file).parent / below) if below else ""
            if path and (inner := self._file(path)) is not None:
                yield name, inner

    def _file(self, path: str) -> str | None:
        """How a path is called here; None: it is not in the folder."""
        try:
            file = Path(os.path.normpath(path)).relative_to(self.folder).as_posix()
            self.path(file)
        except (ValueError, Refused, OSError):
            return None
        return file

    def _names(self) -> Iterator[str]:
        left = MOST_LOOKED_AT
        ahead = [self.folder]
        while ahead:
            folder = ahead.pop(0)
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError:
                continue
            for entry in entries:
                if (left := left - 1) < 0:
                    return
                file = Path(entry.path).relative_to(self.folder).as_posix()
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if file.count("/") < DEEPEST - 2:
                        ahead.append(Path(entry.path))
                elif _NAME.fullmatch(file) and Path(entry.path) != self.document:
                    yield file


@lru_cache(maxsize=MOST_FILES)
def outline(text: str) -> Mapping[str, str] | None:
    """The names of a flow's nodes, each with the file that it goes through, "": none. None: it is no flow."""
    try:
        refuse_extremes(text)
        tree: Any = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return None
    found = _parts(tree)
    if "start" not in found or not isinstance(found.get("nodes"), yaml.MappingNode):
        return None
    nodes = {}
    for name, node in _parts(found["nodes"]).items():
        words = {key: value.value for key, value in _parts(node).items()
                 if isinstance(value, yaml.ScalarNode)}
        nodes[name] = words.get("file", "") if words.get("kind") == "flow" else ""
    return nodes


def _stamp(found: os.stat_result) -> tuple[int, ...]:
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size


def _parts(node: Any) -> dict[str, Any]:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return {key.value: value for key, value in pairs if isinstance(key, yaml.ScalarNode)}
