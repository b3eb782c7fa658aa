"""/configuration: the document as it is, as it was, and its candidate.

What is put there becomes the candidate and is checked; only a person commits it.
"""

from collections.abc import AsyncIterator

from appliance.box.commands.box import Box
from appliance.box.commands.table import Role, Who
from appliance.box.document.keeper import MOST_TEXT_OCTETS
from appliance.box.ssh.files.tree import (
    Entry,
    Failed,
    Names,
    NotAllowed,
    NotThere,
    Place,
    Reader,
    Whole,
    Writer,
)
from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    CheckDocument,
    DocumentState,
    EditDocument,
    GetDocument,
    GetDocumentHistory,
)

HEAD, CANDIDATE, CHECK, VERSIONS = "branchline.yaml", "candidate.yaml", "check.txt", "versions"
PUT = (HEAD, CANDIDATE)                           # names under which a document may be put
MOST_VERSIONS = 200
CHECK_S, EDIT_S = 90.0, 20.0                      # the check is a process of its own
MOST_SAID = 5                                     # mistakes in the answer to a put


class Configuration(Place):
    """Secrets are in the texts of who may put them back: role admin."""

    name = "configuration"

    def __init__(self, box: Box, who: Who) -> None:
        self._box, self._who = box, who
        self._base = 0                            # of what was fetched, and so what a put is made from
        self._texts: dict[int, Entry] = {}        # versions do not change: their sizes are asked once

    async def stat(self, names: Names) -> Entry:
        if names in ((), (VERSIONS,)):
            return Entry(names[-1] if names else self.name, folder=True, writable=not names)
        if len(names) == 1:
            found = {one.name: one for one in await self._top()}
            if names[0] not in found:
                raise NotThere(names[0])
            return found[names[0]]
        return await self._version(_number(names))

    async def entries(self, names: Names) -> AsyncIterator[Entry]:
        if names == ():
            for one in await self._top():
                yield one
            yield Entry(VERSIONS, folder=True)
        elif names == (VERSIONS,):
            found = await self._box.ask(GetDocumentHistory(most=MOST_VERSIONS))
            for version in found.versions:
                # The size would take the text of each: a file that is fetched has it.
                yield self._texts.get(version.number, Entry(f"{version.number}.yaml", at=version.at))
        else:
            raise NotThere(names[-1])

    async def open(self, names: Names) -> Reader:
        if names == (CHECK,) and self._who.role >= Role.ADMIN:       # mistakes quote what is wrong
            return Whole((await self._checked()).encode())
        if names == (CANDIDATE,):
            state = (await self._get(0, candidate=False))[1]
            if state.candidate is None:
                raise NotThere(CANDIDATE)
            self._base = state.candidate.base
            return Whole((await self._get(0, candidate=True))[0].encode())
        number = 0 if names == (HEAD,) else _number(names)
        text, state = await self._get(number, candidate=False)
        if state.head is not None and names == (HEAD,):
            self._base = state.head.number
        return Whole(text.encode())

    async def create(self, names: Names) -> Writer:
        if self._who.role < Role.ADMIN:
            raise NotAllowed("a configuration is put there by role admin")
        if len(names) != 1 or names[0] not in PUT:
            raise NotAllowed(f"put it as {' or '.join(PUT)}: it becomes the candidate")
        return _Put(self)

    async def put(self, octets: bytes) -> None:
        """The candidate. Failed: why it is none, or what is wrong with it; it stays for that."""
        try:
            text = octets.decode()
        except UnicodeDecodeError as error:
            raise Failed(f"octet {error.start} is no UTF-8: nothing was taken") from None
        try:
            await self._box.ask(EditDocument(by=self._who.name, text=text, base=self._base), EDIT_S)
            checked = await self._box.ask(CheckDocument(), CHECK_S)
        except BusError as error:
            raise Failed(str(error)) from None
        wrong = [f"line {one.line}: {one.text}" if one.line else one.text for one in checked.mistakes]
        wrong += checked.refusals
        if wrong:
            more = f"; {len(wrong) - MOST_SAID} more in {CHECK}" if len(wrong) > MOST_SAID else ""
            raise Failed(f"it is the candidate, and wrong: {'; '.join(wrong[:MOST_SAID])}{more}")

    async def _top(self) -> list[Entry]:
        text, state = await self._get(0, candidate=False)
        at = state.head.at if state.head else 0.0
        found = [Entry(HEAD, octets=len(text.encode()), at=at, writable=True)]
        if state.candidate is not None:
            text, _ = await self._get(0, candidate=True)
            found.append(Entry(CANDIDATE, octets=len(text.encode()), at=state.candidate.at, writable=True))
            if self._who.role >= Role.ADMIN:
                found.append(Entry(CHECK, at=state.candidate.at))
        return found

    async def _version(self, number: int) -> Entry:
        if number not in self._texts:
            text, _ = await self._get(number, candidate=False)
            self._texts[number] = Entry(f"{number}.yaml", octets=len(text.encode()))
        return self._texts[number]

    async def _get(self, number: int, candidate: bool) -> tuple[str, DocumentState]:
        secrets = self._who.role >= Role.ADMIN
        try:
            found = await self._box.ask(
                GetDocument(number=number, candidate=candidate, secrets=secrets), EDIT_S)
        except Refused as error:
            raise NotThere(str(error)) from None
        except BusError as error:
            raise Failed(str(error)) from None
        return found.text, found.state

    async def _checked(self) -> str:
        try:
            found = await self._box.ask(CheckDocument(), CHECK_S)
        except BusError as error:
            raise Failed(str(error)) from None
        lines = [f"line {one.line}: {one.text}" if one.line else one.text for one in found.mistakes]
        lines += [f"only at the next start: {one}" for one in found.refusals]
        lines += [f"warning: {one}" for one in found.warnings]
        return "".join(f"{line}\n" for line in lines) or "in order\n"


class _Put(Writer):
    def __init__(self, place: Configuration) -> None:
        self._place, self._octets, self._whole = place, bytearray(), True

    async def write(self, at: int, octets: bytes) -> None:
        if at + len(octets) > MOST_TEXT_OCTETS:
            self._whole = False
            raise Failed(f"larger than {MOST_TEXT_OCTETS} octets, this cannot be it")
        if at > len(self._octets):
            self._octets += bytes(at - len(self._octets))            # pieces may come in any order
        self._octets[at:at + len(octets)] = octets

    async def finish(self) -> None:
        if not self._whole:
            raise Failed(f"larger than {MOST_TEXT_OCTETS} octets: nothing was taken")
        await self._place.put(bytes(self._octets))

    def drop(self) -> None:
        self._octets.clear()


def _number(names: Names) -> int:
    stem, dot, kind = names[-1].partition(".")
    if len(names) != 2 or names[0] != VERSIONS or (dot, kind) != (".", "yaml") or not (
            stem.isascii() and stem.isdigit() and len(stem) <= 9 and stem[0] != "0"):
        raise NotThere(names[-1])
    return int(stem)
