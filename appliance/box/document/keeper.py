"""What follows what: edits, commits, confirmations and ways back. No clock of its own: `now` is an argument.

One act at a time; who calls sees to that. An act that is refused has changed nothing.
"""

import asyncio
import difflib
from collections.abc import Sequence
from typing import Protocol

import msgspec

from appliance.box.document import showing
from appliance.box.document.book import Book, Waiting, digest
from appliance.box.document.moment import Deadline, Moment
from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    DocumentCandidate,
    DocumentChecked,
    DocumentDifference,
    DocumentMistake,
    DocumentState,
    DocumentVersion,
    KeySet,
    VersionKind,
)
from appliance.errors import ConfigError

MOST_TEXT_OCTETS = 512 * 1024                     # of a candidate
MOST_COMMENT = 500                                # characters
MOST_SETS = 20_000                                # keys of one act
MOST_NAMED = 10                                   # keys in a sentence
SHORTEST_S, LONGEST_S = 10.0, 24 * 3600.0         # of a time to confirm in
NEXT_START = "it takes effect at the next start of the box"


class Ground(Protocol):
    """The box below: the file, and the daemons that read it."""

    def read(self) -> str:
        """The file as it is. ConfigError: it cannot be read."""

    def keys(self, old: str, new: str) -> list[str]:
        """That differ. ConfigError: `new` is wrong; `old` is as good as empty when it is."""

    async def write(self, text: str) -> None:
        """The file has this text, on the disk, or the one that it had. Refused: it cannot be written."""

    async def check(self, text: str) -> tuple[list[DocumentMistake], list[str]]:
        """Mistakes and warnings that the box's own start would find."""

    async def try_out(self, text: str) -> None:
        """Refused: a daemon cannot take it over while it runs. BusError: one does not answer."""

    def all_started_since(self, at: float) -> bool:
        """Whether every daemon of the box has, and so has read the file as it has been since then."""

    async def take_over(self) -> None:
        """All daemons read the file. Refused, BusError: one did not."""


class Keeper:
    def __init__(self, book: Book, ground: Ground) -> None:
        self._book, self._ground = book, ground
        self.wrong = ""                           # the file was edited and is wrong

    # --- what is there

    def state(self, now: Moment) -> DocumentState:
        waiting, candidate = self._book.waiting(), self._book.candidate()
        applying = self._book.applying()
        if waiting is not None and applying is not None and waiting.number == applying.number:
            waiting = None                        # it is not even the document
        state = DocumentState(
            at=now.at, head=self._book.head(), wrong=self.wrong,
            candidate=candidate[0] if candidate else None)
        return state if waiting is None else msgspec.structs.replace(
            state, waiting=waiting.number, back_to=waiting.back_to,
            until=now.at + waiting.deadline.left_s(now))

    def version(self, number: int) -> tuple[DocumentVersion, str]:
        """0: the newest. Refused: there is none."""
        found = self._book.version(number) if number else self._book.head()
        if found is None:
            raise Refused(f"there is no version {number}" if number else "there is no version yet: "
                          f"{self.wrong or 'the document cannot be read'}")
        return found, self._book.text(found.sha256)

    def history(self, before: int, most: int) -> list[DocumentVersion]:
        return self._book.history(before, most)

    def candidate(self) -> tuple[DocumentCandidate, str]:
        if (found := self._book.candidate()) is None:
            raise Refused("there is no candidate: edit or set something first")
        return found

    def compare(self, old: int, new: int, secrets: bool) -> DocumentDifference:
        before, after = self.version(old)[1], self.version(new)[1] if new else self.candidate()[1]
        names = f"version {old}", f"version {new}" if new else "candidate"
        shown = [showing.shown(text, secrets) for text in (before, after)]
        lines = [one.text.splitlines() for one in shown]
        unified = "\n".join(difflib.unified_diff(lines[0], lines[1], names[0], names[1], lineterm=""))
        return DocumentDifference(
            old=shown[0].text, new=shown[1].text, unified=unified, hidden=any(one.hidden for one in shown),
            keys=showing.changes(before, after, secrets))

    # --- the file

    def notice(self, now: Moment, by: str = "") -> None:
        """Whoever edits the file makes a version, too."""
        try:
            text, head = self._ground.read(), self._book.head()
            self.wrong = ""
            if head is not None and head.sha256 == digest(text):
                return
            before = self._book.text(head.sha256) if head else ""
            keys = self._ground.keys(before, text) if head else []
            if not head:
                self._ground.keys("", text)       # ConfigError
        except ConfigError as error:
            self.wrong = str(error)
            return
        self._book.add(DocumentVersion(
            number=self._next(), at=now.at, by=by, comment="", kind="edited" if head else "found",
            keys=keys, sha256=digest(text), parent=head.number if head else 0, in_force=not head), text)

    # --- the candidate

    def edit(self, now: Moment, by: str, text: str, base: int = 0) -> None:
        head = self._head()
        self._refuse_others(by)
        _refuse_what_is_none(text)
        if base and base != head.number and self._book.version(base) is None:
            raise Refused(f"there is no version {base}")
        self._book.put_candidate(by, base or head.number, now.at, text)

    def set_key(self, now: Moment, by: str, key: str, value: str | None) -> None:
        """ConfigError: there is no such key, or the value is no YAML."""
        from appliance.box.document import editing  # with ruamel: only where somebody edits
        head = self._head()
        self._refuse_others(by)
        found = self._book.candidate()
        base, text = (found[0].base, found[1]) if found else (head.number, self._book.text(head.sha256))
        self.edit(now, by, editing.changed(text, key, value), base)

    def discard(self, by: str, anybodys: bool) -> None:
        if not anybodys:
            self._refuse_others(by)
        self._book.drop_candidate()

    async def check(self) -> DocumentChecked:
        return await self._checked(self.candidate()[1])

    async def try_text(self, text: str) -> DocumentChecked:
        """What would be said of the newest version with this text, and the keys that would differ."""
        before = self.version(0)[1]
        found = await self._checked(text)
        keys = await asyncio.to_thread(showing.changes, before, text, secrets=False)
        return msgspec.structs.replace(found, keys=keys)

    def with_keys(self, sets: Sequence[KeySet], head: int = 0) -> str:
        """The newest version's text with these keys. ConfigError: one cannot be set.

        Refused: since version `head` somebody has changed one of them, or what it is in.
        """
        from appliance.box.document import editing
        if not 0 < len(sets) <= MOST_SETS:
            raise Refused(f"{len(sets)} keys: from 1 to {MOST_SETS} are set at once")
        newest, text = self.version(0)
        if head and head != newest.number:
            changed = self._ground.keys(self.version(head)[1], text)
            wanted = [editing.place_of(one.key, one.value) for one in sets]
            if both := sorted({one for one in changed if any(_meet(one, other) for other in wanted)}):
                raise Refused(f"{_in_words(newest)} has changed {', '.join(both[:MOST_NAMED])} meanwhile: "
                              "look again")
        found = editing.changed_all(text, [(one.key, one.value) for one in sets])
        _refuse_what_is_none(found)
        return found

    async def _checked(self, text: str) -> DocumentChecked:
        mistakes, warnings = await self._ground.check(text)
        refusals: list[str] = []
        if not mistakes:
            try:
                await self._ground.try_out(text)
            except BusError as error:
                refusals = str(error).splitlines()
        return DocumentChecked(mistakes=mistakes, warnings=warnings, refusals=refusals)

    # --- what changes the document

    async def commit(self, now: Moment, by: str, comment: str, within_s: float,
                     next_start: bool) -> DocumentVersion:
        head = self._head()
        candidate, text = self.candidate()
        self._refuse_others(by)
        if candidate.base != head.number:
            raise Refused(f"the candidate was made from version {candidate.base}, and meanwhile there is "
                          f"{_in_words(head)}: compare, and edit it again from there")
        if not comment.strip():
            raise Refused("a commit needs a comment: say why")
        self._refuse_a_wrong_file()
        return await self._replace(now, "commit", text, by, comment, within_s, next_start)

    async def change(self, now: Moment, by: str, text: str, comment: str, within_s: float,
                     next_start: bool) -> DocumentVersion:
        """`text`, of with_keys(), becomes the document. A candidate stays, made from an older version now."""
        self._refuse_a_wrong_file()
        return await self._replace(now, "commit", text, by, comment, within_s, next_start)

    async def roll_back(self, now: Moment, by: str, to: int, comment: str, within_s: float,
                        next_start: bool) -> DocumentVersion:
        self._head()
        _, text = self.version(to)
        return await self._replace(now, "rollback", text, by, comment, within_s, next_start, to)

    def confirm(self, now: Moment, by: str, number: int) -> None:
        waiting = self._waits(number)
        if waiting.deadline.left_s(now) <= 0:
            raise Refused(f"version {number}: its time is over, it goes back to version {waiting.back_to}")
        self._book.confirm(number)

    async def revert(self, now: Moment, by: str, number: int) -> DocumentVersion:
        self._waits(number)
        return await self._go_back(now, by, "reverted")

    # --- by time, and after a start

    async def start(self, now: Moment) -> None:
        """After a start, whatever was cut off where."""
        self.mend()
        if (waiting := self._book.waiting()) is not None:
            self._book.wait(Waiting(waiting.number, waiting.back_to, waiting.deadline.seen(now)))
        self.notice(now)

    def mend(self) -> None:
        """An act that was cut off, by a disk or a kill: to its end, or as if it had never been."""
        if (version := self._book.applying()) is None:
            return
        if self._written(version):
            self._book.came_true(version.number, False, "it was cut off")
        else:
            self._book.never_was(version.number)

    def untold(self) -> bool:
        """Whether the newest is to be offered to the daemons again by and by."""
        head = self._book.head()
        return head is not None and not head.in_force and head.why_not != NEXT_START and not self.wrong

    def left_s(self, now: Moment) -> float | None:
        """Until due() has something to do; None: nothing will be."""
        waiting = self._book.waiting()
        return None if waiting is None else waiting.deadline.left_s(now)

    async def due(self, now: Moment) -> None:
        """A version whose time is over goes back. Refused: the disk does not let it, ask again later."""
        waiting = self._book.waiting()
        if waiting is not None and waiting.deadline.left_s(now) <= 0:
            await self._go_back(now, "", "expired")

    async def tell_daemons(self) -> None:
        """What is not in force yet, as after a start, is offered to the daemons again."""
        head = self._book.head()
        if head is None or head.in_force:
            return
        if self._ground.all_started_since(head.at):
            in_force, why = True, ""
        elif head.why_not == NEXT_START or self.wrong:
            return
        else:
            in_force, why = await self._taken_over(self._book.text(head.sha256))
        if (in_force, why) != (head.in_force, head.why_not):
            self._book.force(head.number, in_force, why)

    # ---

    async def _replace(self, now: Moment, kind: VersionKind, text: str, by: str, comment: str,
                       within_s: float, next_start: bool, of: int = 0) -> DocumentVersion:
        """The document is `text`, or as it was. Refused: it is as it was, and why."""
        head = self._head()
        if (waiting := self._book.waiting()) is not None:
            raise Refused(f"version {waiting.number} waits to be confirmed: confirm it, or go back, first")
        if within_s and not SHORTEST_S <= within_s <= LONGEST_S:
            raise Refused(f"a time to confirm in is from {SHORTEST_S:g} s to {LONGEST_S / 3600:g} h")
        if digest(text) == head.sha256 and not self.wrong:
            raise Refused(f"nothing differs from version {head.number}, which is the document")
        mistakes, _ = await self._ground.check(text)
        if mistakes:
            raise Refused("\n".join(_of_line(one) for one in mistakes))
        if not next_start:
            await self._ground.try_out(text)
        self.notice(now)
        if self._head().number != head.number:
            raise Refused("the file was edited on the box just now: look at what it says, and try again")
        version = DocumentVersion(
            number=self._next(), at=now.at, by=by, comment=" ".join(comment.split())[:MOST_COMMENT],
            kind=kind, of=of, keys=self._keys(head, text), sha256=digest(text),
            parent=head.number, state="applying")
        deadline = Deadline.after(now, within_s)
        await self._put(version, text, Waiting(version.number, head.number, deadline) if within_s else None)
        if not next_start:
            try:
                await self._ground.take_over()
            except (BusError, ConfigError, OSError) as error:
                await self._take_away(version, head)
                raise Refused(str(error)) from None
        self._book.came_true(version.number, not next_start, NEXT_START if next_start else "")
        return self.version(version.number)[0]

    async def _go_back(self, now: Moment, by: str, kind: VersionKind) -> DocumentVersion:
        """To what was before the version that waits: always, whatever daemons say."""
        waiting, head = self._book.waiting(), self._head()
        if waiting is None:
            raise Refused("no version waits to be confirmed")
        _, text = self.version(waiting.back_to)
        await self._put(DocumentVersion(
            number=self._next(), at=now.at, by=by, comment="", kind=kind, of=waiting.back_to,
            keys=self._keys(head, text), sha256=digest(text), parent=head.number,
            state="applying"), text, None)
        number = head.number + 1
        self._book.came_true(number, *await self._taken_over(text))
        return self.version(number)[0]

    async def _put(self, version: DocumentVersion, text: str, waiting: Waiting | None) -> None:
        """Into the book, then into the file; neither when the file refuses."""
        self._book.add(version, text, waiting)
        try:
            await self._write(version, text)
        except BusError:
            self._book.never_was(version.number)
            raise

    async def _write(self, version: DocumentVersion, text: str) -> None:
        """Refused: the file is another one. One that was written, and only then refused, is this version."""
        try:
            await self._ground.write(text)
        except BusError:
            if not self._written(version):
                raise

    def _written(self, version: DocumentVersion) -> bool:
        """Whether the file is this version."""
        try:
            return digest(self._ground.read()) == version.sha256
        except ConfigError:
            return False

    async def _take_away(self, version: DocumentVersion, head: DocumentVersion) -> None:
        """A daemon changed its mind: those that took the version over take the one before again."""
        await self._write(head, self._book.text(head.sha256))
        self._book.never_was(version.number)
        in_force, why = await self._taken_over(self._book.text(head.sha256))
        if not in_force:
            self._book.force(head.number, in_force, why)

    async def _taken_over(self, text: str) -> tuple[bool, str]:
        """Whether the daemons did, and why not."""
        try:
            await self._ground.try_out(text)
            await self._ground.take_over()
        except (BusError, ConfigError, OSError) as error:
            return False, str(error)
        return True, ""

    def _keys(self, head: DocumentVersion, text: str) -> list[str]:
        try:
            return self._ground.keys(self._book.text(head.sha256), text)
        except ConfigError:                       # of a version of the box that had other keys
            return []

    def _next(self) -> int:
        head = self._book.head()
        return head.number + 1 if head else 1

    def _head(self) -> DocumentVersion:
        if (head := self._book.head()) is None:
            raise Refused(f"there is no version yet: {self.wrong or 'the document cannot be read'}")
        return head

    def _refuse_a_wrong_file(self) -> None:
        if self.wrong:
            raise Refused("the file was edited on the box and is wrong: mend it, or roll back:\n"
                          f"{self.wrong}")

    def _waits(self, number: int) -> Waiting:
        waiting = self._book.waiting()
        if waiting is None or waiting.number != number:
            raise Refused(f"version {number} does not wait to be confirmed")
        return waiting

    def _refuse_others(self, by: str) -> None:
        found = self._book.candidate()
        if found is not None and found[0].by != by:
            raise Refused(f"{found[0].by} has a candidate, made from version {found[0].base}: "
                          "wait for it, or discard it")


def _in_words(version: DocumentVersion) -> str:
    return f"version {version.number} by {version.by or 'the box'} ({version.comment or version.kind})"


def _meet(one: str, other: str) -> bool:
    """One of two keys is the other, or in it."""
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")


def _refuse_what_is_none(text: str) -> None:
    if len(text.encode()) > MOST_TEXT_OCTETS:
        raise Refused(f"larger than {MOST_TEXT_OCTETS} octets, this cannot be it")
    if (wrong := next((one for one in text if not one.isprintable() and one not in "\n\t"), "")):
        raise Refused(f"{wrong!r} is no character of a text")


def _of_line(mistake: DocumentMistake) -> str:
    return f"line {mistake.line}: {mistake.text}" if mistake.line else mistake.text
