"""/prompts, for everybody, and /recordings by day: recordd has them, and writes down who takes one."""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import TypeVar

from appliance.box.commands.box import Box
from appliance.box.commands.table import Who
from appliance.box.ssh.files.tree import Entry, Failed, Names, NotThere, Place, Reader
from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    GetPromptAudio,
    GetPrompts,
    OpenRecording,
    PromptInfo,
    ReadRecording,
    RecordingRow,
    Reply,
    Request,
    SearchRecordings,
)

R = TypeVar("R", bound=Reply)

ASKED_S = 20.0                                    # a sealed recording is opened first
PART_OCTETS = 1 << 18
PAGE = 200
HEAD_OCTETS, TICK_OCTETS, TICKS_PER_S = 128, 160, 100                # of a recording as WAV
DAYS = 400                                        # that are looked at for /recordings

_WAV = ".wav"
_RECORDING = re.compile(r"[A-Za-z0-9._-]{1,80}")


class Prompts(Place):
    name = "prompts"

    def __init__(self, box: Box) -> None:
        self._box = box

    async def stat(self, names: Names) -> Entry:
        if not names:
            return Entry(self.name, folder=True)
        async for one in self.entries(names[:-1]):
            if one.name == names[-1]:
                return one
        raise NotThere(names[-1])

    async def entries(self, names: Names) -> AsyncIterator[Entry]:
        folders: set[str] = set()
        found = False
        for prompt in await self._all():
            parts = prompt.name.split("/")
            if tuple(parts[:len(names)]) != names or len(parts) <= len(names):
                continue
            found, name = True, parts[len(names)]
            if len(parts) == len(names) + 1:
                yield Entry(name + _WAV, octets=prompt.octets, at=prompt.at)
            elif name not in folders:
                folders.add(name)
                yield Entry(name, folder=True)
        if names and not found:
            raise NotThere(names[-1])

    async def open(self, names: Names) -> Reader:
        name = "/".join(names).removesuffix(_WAV)
        found = next((one for one in await self._all() if one.name == name), None)
        if found is None or not names[-1].endswith(_WAV):
            raise NotThere(names[-1])
        return _Prompt(self._box, name, found.octets)

    async def _all(self) -> list[PromptInfo]:
        prompts: list[PromptInfo] = []
        more, after = True, ""
        while more:
            found = await _asked(self._box, GetPrompts(after=after))
            prompts += found.prompts
            more, after = found.more, prompts[-1].name if prompts else ""
        return prompts


class _Prompt(Reader):
    def __init__(self, box: Box, name: str, octets: int) -> None:
        self._box, self._name, self.octets = box, name, octets

    async def read(self, at: int, most: int) -> bytes:
        if at >= self.octets:
            return b""
        return (await _asked(self._box, GetPromptAudio(name=self._name, at=at,
                                                       most_octets=min(most, PART_OCTETS)))).octets


class Recordings(Place):
    """Days of the box's time zone: /recordings/2026-11-23/ID.wav, A-law, both sides."""

    name = "recordings"

    def __init__(self, box: Box, who: Who) -> None:
        self._box, self._who = box, who

    async def stat(self, names: Names) -> Entry:
        if not names:
            return Entry(self.name, folder=True)
        since, _ = _day(names[0])
        if len(names) == 1:
            return Entry(names[0], folder=True, at=since)
        if len(names) > 2:
            raise NotThere(names[-1])
        async for one in self.entries(names[:1]):
            if one.name == names[1]:
                return one
        raise NotThere(names[1])

    async def entries(self, names: Names) -> AsyncIterator[Entry]:
        if len(names) > 1:
            raise NotThere(names[-1])
        if names:
            since, until = _day(names[0])
            async for row in self._rows(since, until):
                yield Entry(row.recording + _WAV, octets=_wav_octets(row), at=row.ended_at)
            return
        until = 0.0
        for _ in range(DAYS):                     # each step is the newest day before
            found = await _asked(self._box, SearchRecordings(until=until, state="kept", limit=1))
            if not found.rows:
                return
            day = datetime.fromtimestamp(found.rows[0].began_at).replace(hour=0, minute=0, second=0,
                                                                        microsecond=0)
            yield Entry(day.strftime("%Y-%m-%d"), folder=True, at=day.timestamp())
            until = day.timestamp()

    async def open(self, names: Names) -> Reader:
        if len(names) != 2 or not names[1].endswith(_WAV):
            raise NotThere(names[-1] if names else self.name)
        _day(names[0])
        recording = names[1].removesuffix(_WAV)
        if not _RECORDING.fullmatch(recording):
            raise NotThere(names[1])
        opened = await _asked(self._box, OpenRecording(
            recording=recording, by=self._who.name, purpose="download", why=self._who.origin))
        return _Recording(self._box, opened.ticket, opened.octets)

    async def _rows(self, since: float, until: float) -> AsyncIterator[RecordingRow]:
        after = 0
        while True:
            found = await _asked(self._box, SearchRecordings(
                since=since, until=until, state="kept", after=after, limit=PAGE))
            for row in found.rows:
                yield row
            if not (after := found.after):
                return


class _Recording(Reader):
    def __init__(self, box: Box, ticket: str, octets: int) -> None:
        self._box, self._ticket, self.octets = box, ticket, octets

    async def read(self, at: int, most: int) -> bytes:
        if at >= self.octets:
            return b""
        return (await _asked(self._box, ReadRecording(ticket=self._ticket, at=at,
                                                      most_octets=min(most, PART_OCTETS)))).octets


async def _asked(box: Box, request: Request[R]) -> R:
    try:
        return await box.ask(request, ASKED_S)
    except Refused as error:
        raise NotThere(str(error)) from None
    except BusError as error:
        raise Failed(str(error)) from None


def _day(name: str) -> tuple[float, float]:
    """When it begins and ends, in the box's time zone. NotThere: no day."""
    try:
        day = datetime.strptime(name, "%Y-%m-%d")
        if day.strftime("%Y-%m-%d") != name:
            raise ValueError(name)
        return day.timestamp(), (day + timedelta(days=1)).timestamp()
    except (ValueError, OverflowError, OSError):
        raise NotThere(name) from None


def _wav_octets(row: RecordingRow) -> int:
    """To the octet: clients fetch so many. What is opened is appliance.recording.wav's file."""
    return HEAD_OCTETS + round(row.duration_s * TICKS_PER_S) * TICK_OCTETS
