"""What follows what: drafts and their steps, versions, publishing and ways back. `at` is an argument.

One act at a time; who calls sees to that. An act that is refused has changed nothing.
"""

import asyncio
import difflib
from collections.abc import Sequence
from typing import Literal, Protocol

import yaml

from appliance.box.flows.book import Book, digest
from appliance.box.flows.folder import MOST_TEXT_OCTETS, Used, outline
from appliance.bus.client import BusError, Refused
from appliance.bus.messages.flows import (
    FlowDifference,
    FlowDraft,
    FlowEdit,
    FlowFile,
    FlowPicture,
    FlowVersion,
)
from appliance.config.load import values_of
from appliance.errors import ConfigError

MOST_COMMENT = 500                                # characters
MOST_SAID = 20                                    # mistakes, in a refusal


class Ground(Protocol):
    """The box below: the files, who uses them, what knows flows, and acdd."""

    def files(self) -> list[str]:
        """That are flows, on the disk."""

    def read(self, file: str) -> str | None:
        """None: it is not there. ConfigError: it cannot be read. Refused: no name of a flow file."""

    def used(self) -> Used:
        """ConfigError: the configuration cannot be read."""

    async def write(self, file: str, text: str) -> None:
        """The file has this text, on the disk, or the one that it had. Refused: it cannot be written."""

    async def draw(self, file: str, text: str, called: bool) -> FlowPicture:
        """Refused: it cannot be looked at."""

    async def edit(self, file: str, text: str, edits: Sequence[FlowEdit]) -> str:
        """Refused: an edit makes no sense."""

    async def tell(self) -> None:
        """acdd reads all flows. Refused: it goes on with those that it has. BusError: nobody knows."""


class Keeper:
    def __init__(self, book: Book, ground: Ground) -> None:
        self._book, self._ground = book, ground
        self.changed: set[str] = set()            # files to be spoken of; who speaks of them empties it

    # --- what is there

    def files(self) -> list[FlowFile]:
        used = self._used()
        names = {*self._ground.files(), *self._book.files(), *used.by}
        return [self.file(name, used) for name in sorted(names)]

    def file(self, file: str, used: Used | None = None) -> FlowFile:
        """Refused: no name of a flow file."""
        head, draft = self._book.head(file), self._book.draft(file)
        wrong, nodes = "", 0
        try:
            text = self._ground.read(file)
            if text is None:
                wrong = "" if head is None else "the file is not there any more"
            elif (found := outline(text)) is None:
                wrong = "it cannot be read as a flow"
            else:
                nodes = len(found)
        except ConfigError as error:
            wrong = str(error)
        except Refused as error:
            if head is None:
                raise
            wrong = str(error)                    # it was one
        by = (used or self._used()).by.get(file, [])
        if head is None and by and not wrong:
            wrong = "the file is not there"
        return FlowFile(file=file, head=head, draft=draft[0] if draft else None, used_by=by, nodes=nodes,
                        wrong=wrong)

    def version(self, file: str, number: int) -> tuple[FlowVersion, str]:
        """0: the newest. Refused: there is none."""
        found = self._book.version(file, number) if number else self._book.head(file)
        if found is None:
            raise Refused(f"{file}: there is no version {number}" if number else
                          f"{file}: there is no version yet")
        return found, self._book.text(found.sha256)

    def history(self, file: str, most: int) -> list[FlowVersion]:
        return self._book.history(file, most)

    def draft(self, file: str) -> tuple[FlowDraft, str]:
        if (found := self._book.draft(file)) is None:
            raise Refused(f"{file}: there is no draft")
        return found

    async def draw(self, file: str, text: str) -> FlowPicture:
        used = await asyncio.to_thread(self._used)
        return await self._ground.draw(file, text, file in used.called)

    def compare(self, file: str, old: int, new: int) -> FlowDifference:
        before, after = self.version(file, old)[1], \
            self.version(file, new)[1] if new else self.draft(file)[1]
        names = f"version {old}", f"version {new}" if new else "draft"
        unified = "\n".join(difflib.unified_diff(
            before.splitlines(), after.splitlines(), *names, lineterm=""))
        left, right = _nodes(before), _nodes(after)
        return FlowDifference(
            old=before, new=after, unified=unified, added=[name for name in right if name not in left],
            gone=[name for name in left if name not in right],
            changed=[name for name in right if name in left and left[name] != right[name]])

    # --- the files

    def notice(self, at: float, only: str = "") -> None:
        """Whoever edits a file by hand makes a version, too."""
        names = [only] if only else [*self._ground.files(), *self._book.files()]
        for file in dict.fromkeys(names):
            try:
                text, head = self._ground.read(file), self._book.head(file)
            except (ConfigError, Refused):
                continue                          # said by file()
            if text is None or (head is not None and head.sha256 == digest(text)):
                continue
            if head is None and outline(text) is None:
                continue
            self._book.add(file, FlowVersion(
                number=head.number + 1 if head else 1, at=at, by="", kind="edited" if head else "found",
                sha256=digest(text)), text, applying=False)
            self.changed.add(file)

    # --- drafts

    async def edit(self, at: float, by: str, file: str, edits: Sequence[FlowEdit], sha256: str,
                   take: bool) -> None:
        found = self._mine(file, by, take)
        text = self.version(file, 0)[1] if found is None else found[1]
        _refuse_another(file, digest(text), sha256)
        after = await self._ground.edit(file, text, edits) if edits else text
        self._step(at, by, file, after)

    def write(self, at: float, by: str, file: str, text: str, sha256: str, take: bool) -> None:
        found, head = self._mine(file, by, take), self._book.head(file)
        _refuse_another(file, found[0].sha256 if found else head.sha256 if head else "", sha256)
        if (wrong := next((one for one in text if not one.isprintable() and one not in "\n\t"), "")):
            raise Refused(f"{wrong!r} is no character of a text")
        if len(text.encode()) > MOST_TEXT_OCTETS:
            raise Refused(f"larger than {MOST_TEXT_OCTETS} octets, this cannot be it")
        try:
            values = values_of(text)
        except yaml.MarkedYAMLError as error:
            line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
            raise Refused(f"{line}{error.problem}") from None
        except yaml.YAMLError as error:
            raise Refused(" ".join(str(error).split())) from None
        if not isinstance(values, dict):
            raise Refused("a flow has keys: start, nodes")
        there = self._ground.read(file)
        if found is None and there is not None and head is None:
            raise Refused(f"{file}: is there already, and is no flow")
        self._step(at, by, file, text)

    def step(self, at: float, by: str, file: str, steps: int) -> None:
        self._mine(file, by, False)
        draft, _ = self.draft(file)
        if not -draft.redo <= steps <= draft.undo:
            raise Refused(f"{file}: {draft.undo} changes can be taken back, {draft.redo} made again")
        self._book.go(file, by, at, steps)
        self.changed.add(file)

    def discard(self, by: str, file: str, take: bool) -> None:
        self.draft(file)
        self._mine(file, by, take)
        self._book.drop(file)
        self.changed.add(file)

    # --- what changes a file

    async def publish(self, at: float, by: str, file: str, comment: str, base: int,
                      sha256: str) -> FlowVersion:
        draft, text = self.draft(file)
        self._mine(file, by, False)
        _refuse_another(file, draft.sha256, sha256)
        head = self._book.head(file)
        newest = head.number if head else 0
        if newest != (base or draft.base):
            raise Refused(f"{file}: meanwhile there is {_in_words(head)}: compare, and publish beside it")
        return await self._replace(at, "published", file, text, by, comment)

    async def roll_back(self, at: float, by: str, file: str, to: int, comment: str) -> FlowVersion:
        _, text = self.version(file, to)
        return await self._replace(at, "rollback", file, text, by, comment, to)

    # --- after a start

    def mend(self) -> None:
        """An act that was cut off, by a disk or a kill: to its end, or as if it had never been."""
        for file, version in self._book.applying():
            if self._written(file, version):
                before = self._book.head(file)
                self._book.came_true(file, version.number, before.number if before else 0)
            else:
                self._book.never_was(file, version.number)
            self.changed.add(file)

    def untold(self) -> bool:
        return bool(self._book.untold())

    async def tell(self, at: float) -> None:
        """acdd hears of what was cut off; what it refuses is as it was before. BusError: ask again later."""
        for one in self._book.untold():
            version = self._book.version(one.file, one.number)
            if version is None or not self._written(one.file, version):
                self._book.told(one.file)         # edited since: whoever did that tells acdd
                continue
            used = await asyncio.to_thread(self._ground.used)        # ConfigError: told when that is mended
            try:
                if used.live(one.file):
                    await self._ground.tell()
            except Refused as error:
                head = self._book.head(one.file)
                if one.back_to and head is not None:
                    _, text = self.version(one.file, one.back_to)
                    await self._put(one.file, FlowVersion(
                        number=head.number + 1, at=at, by="", kind="rollback", of=one.back_to,
                        comment=_short(str(error)), sha256=digest(text)), text)
                    self._book.came_true(one.file, head.number + 1)
                    self.changed.add(one.file)
            self._book.told(one.file)

    # ---

    async def _replace(self, at: float, kind: Literal["published", "rollback"], file: str, text: str,
                       by: str, comment: str, of: int = 0) -> FlowVersion:
        head = self._book.head(file)
        if self._ground.read(file) == text:
            raise Refused(f"{file}: nothing differs from {_in_words(head)}, which is the file")
        try:
            used = await asyncio.to_thread(self._ground.used)
        except ConfigError as error:
            raise Refused(f"the configuration is wrong, mend it first: {error}") from None
        found = await self._ground.draw(file, text, file in used.called)
        if found.mistakes:
            raise Refused("\n".join(f"line {one.line}: {one.text}" if one.line else one.text
                                    for one in found.mistakes[:MOST_SAID]))
        self.notice(at, file)
        if self._book.head(file) != head:
            raise Refused(f"{file}: was edited on the box just now: look at what it says, and try again")
        version = FlowVersion(
            number=head.number + 1 if head else 1, at=at, by=by, comment=_short(comment), kind=kind, of=of,
            sha256=digest(text))
        await self._put(file, version, text)
        if head is not None and used.live(file):
            try:
                await self._ground.tell()
            except (BusError, ConfigError) as error:
                await self._take_away(file, version, head)
                raise Refused(str(error)) from None
        self._book.came_true(file, version.number)
        self.changed.add(file)
        return version

    async def _put(self, file: str, version: FlowVersion, text: str) -> None:
        """Into the book, then into the file; neither when the file refuses."""
        self._book.add(file, version, text, applying=True)
        try:
            await self._ground.write(file, text)
        except BusError:
            if not self._written(file, version):
                self._book.never_was(file, version.number)
                raise

    async def _take_away(self, file: str, version: FlowVersion, head: FlowVersion) -> None:
        """acdd does not want it: the file is as it was. Refused: the disk does not let it; mend() goes on."""
        await self._ground.write(file, self._book.text(head.sha256))
        self._book.never_was(file, version.number)
        try:
            await self._ground.tell()             # it may have taken it, and only its answer was lost
        except (BusError, ConfigError):
            return

    def _step(self, at: float, by: str, file: str, text: str) -> None:
        found = self._book.draft(file)
        if found is None:
            head = self._book.head(file)
            self._book.begin(file, by, head.number if head else 0, at,
                             self._book.text(head.sha256) if head else text)
            found = self._book.draft(file)
        if found is not None and found[1] != text:
            self._book.step(file, by, at, text)
        elif found is not None and found[0].by != by:
            self._book.give(file, by)
        self.changed.add(file)

    def _mine(self, file: str, by: str, take: bool) -> tuple[FlowDraft, str] | None:
        """The draft, None: there is none. Refused: it is another person's."""
        self._ground.read(file)                   # Refused: no name of a file
        found = self._book.draft(file)
        if found is not None and found[0].by != by and not take:
            raise Refused(f"{file}: {found[0].by} has a draft: wait for it, or take it over")
        return found

    def _used(self) -> Used:
        try:
            return self._ground.used()
        except ConfigError:
            return Used()

    def _written(self, file: str, version: FlowVersion) -> bool:
        """Whether the file is this version."""
        try:
            text = self._ground.read(file)
        except (ConfigError, Refused):
            return False
        return text is not None and digest(text) == version.sha256


def _refuse_another(file: str, now: str, seen: str) -> None:
    """`seen`: what an act was made for; "": any."""
    if seen and now != seen:
        raise Refused(f"{file}: the draft has changed since: look at it again")


def _nodes(text: str) -> dict[str, object]:
    try:
        found = values_of(text)
    except yaml.YAMLError:
        return {}
    nodes = found.get("nodes") if isinstance(found, dict) else None
    return {str(name): node for name, node in nodes.items()} if isinstance(nodes, dict) else {}


def _in_words(version: FlowVersion | None) -> str:
    if version is None:
        return "no version"
    return f"version {version.number} by {version.by or 'the box'} ({version.comment or version.kind})"


def _short(comment: str) -> str:
    return " ".join(comment.split())[:MOST_COMMENT]
