"""The versions on the bus, over a disk, daemons and a clock that are not as they should be."""

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import pytest

from appliance.box.document import area, showing
from appliance.box.document.area import Document
from appliance.box.document.book import Book, digest, open_book
from appliance.box.document.ground import BoxGround
from appliance.box.document.moment import Moment
from appliance.box.document.place import NEW
from appliance.bus.client import Refused
from appliance.bus.messages import (
    DAEMONS,
    CommitDocument,
    CompareDocuments,
    DocumentMistake,
    DocumentState,
    DocumentVersion,
    EditDocument,
    GetDocument,
    KeySet,
    Reloaded,
    Request,
    RevertDocument,
    TryKeys,
)
from appliance.bus.runner import Context
from appliance.config.load import load

DOCUMENT = 'spans: [{name: telco1, url: "virtual:/x/b", side: user, trunk: telco}]\n'
CHANGED = DOCUMENT + "web: {port: 8081}\n"
MINUTE, MOMENT_S, SOON_S = 60.0, 0.001, 10.0


class Daemons:
    """All of them in one, and the bus to them: what they are told they refuse so many times."""

    def __init__(self) -> None:
        self.refusals = 0
        self._said: asyncio.Queue[DocumentState] = asyncio.Queue()

    async def say(self, event: DocumentState) -> None:
        await self._said.put(event)

    async def ask(self, request: Request[Any], timeout_s: float = 2.0) -> Reloaded:
        if self.refusals:
            self.refusals -= 1
            raise Refused("a caller has just come in")
        return Reloaded(document="", changed=[])

    async def hear(self, wanted: Callable[[DocumentState], object]) -> None:
        async with asyncio.timeout(SOON_S):
            while not wanted(await self._said.get()):
                pass


class Unchecked(BoxGround):
    async def check(self, text: str) -> tuple[list[DocumentMistake], list[str]]:
        return [], []


class Rig:
    def __init__(self, folder: Path) -> None:
        self.daemons, self.stop, self.up_s = Daemons(), asyncio.Event(), 10.0
        self.file = folder / "box.yaml"
        self.file.write_text(DOCUMENT)
        context = Context("boxd", load(self.file), folder, folder, cast(Any, self.daemons), self.stop,
                          config_path=self.file)
        self.area = Document(context, lambda: Moment(1000.0, "boot", self.up_s), Unchecked)

    async def ask(self, request: Request[Any]) -> Any:
        async with asyncio.timeout(SOON_S):
            return await self.area.answers[type(request)](request)


@contextlib.asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Rig]:
    rig = Rig(folder)
    task = asyncio.create_task(rig.area.run(rig.stop))
    try:
        yield rig
    finally:
        rig.stop.set()
        await asyncio.wait_for(task, SOON_S)
        rig.area.close()


def refuse(act: str, times: int, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """The disk does, when the book is to; set when it has."""
    real, left, refused = getattr(Book, act), iter(range(times)), asyncio.Event()

    def write(*given: Any) -> None:
        if next(left, None) is not None:
            refused.set()
            raise sqlite3.OperationalError("database or disk is full")
        real(*given)
    monkeypatch.setattr(Book, act, write)
    return refused


async def test_a_disk_that_refuses_at_the_start_is_tried_again(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse("add", 3, monkeypatch)
    monkeypatch.setattr(area, "RETRY_S", MOMENT_S)
    async with running(tmp_path) as rig:
        assert (await rig.ask(GetDocument())).version.number == 1


async def test_boxd_can_end_while_the_disk_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = refuse("add", 1, monkeypatch)
    monkeypatch.setattr(area, "RETRY_S", 3600.0)
    async with running(tmp_path):
        await asyncio.wait_for(refused.wait(), SOON_S)


async def test_what_the_book_could_not_end_is_mended_though_nobody_asks_and_goes_back_in_time(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = open_book(tmp_path)
    book.add(DocumentVersion(
        number=1, at=0.0, by="", comment="", kind="found", sha256=digest(DOCUMENT)), DOCUMENT)
    book.put_candidate("li", 1, 0.0, CHANGED)
    book.close()
    refuse("came_true", 1, monkeypatch)
    monkeypatch.setattr(area, "LOOK_S", MOMENT_S)
    async with running(tmp_path) as rig:
        with pytest.raises(Refused, match="the disk refuses: database or disk is full"):
            await rig.ask(CommitDocument(by="li", comment="because", confirm_within_s=MINUTE))
        await rig.daemons.hear(lambda state: state.waiting == 2)
        assert rig.file.read_text() == CHANGED
        rig.up_s += MINUTE
        await rig.daemons.hear(lambda state: state.head and state.head.kind == "expired")
        assert rig.file.read_text() == DOCUMENT


async def test_a_way_back_that_daemons_do_not_take_is_offered_until_they_do(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(area, "UNTOLD_S", MOMENT_S)
    async with running(tmp_path) as rig:
        await rig.ask(EditDocument(by="li", text=CHANGED))
        await rig.ask(CommitDocument(by="li", comment="because", confirm_within_s=MINUTE))
        rig.daemons.refusals = 4                  # at once, as soon as that is said, and by and by
        reply = await rig.ask(RevertDocument(by="li", number=2))
        assert (reply.version.in_force, reply.version.why_not) == (False, "a caller has just come in")
        await rig.daemons.hear(lambda state: state.head and state.head.number == 3 and state.head.in_force)
        assert rig.daemons.refusals == 0


async def test_secrets_are_looked_for_beside_the_loop(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, on_the_loop = (showing.shown, showing.changes), list[bool]()

    def noting(which: int) -> Callable[..., Any]:
        def noted(*given: Any, **more: Any) -> Any:
            on_the_loop.append(threading.current_thread() is threading.main_thread())
            return real[which](*given, **more)
        return noted
    async with running(tmp_path) as rig:
        monkeypatch.setattr(showing, "shown", noting(0))
        monkeypatch.setattr(showing, "changes", noting(1))
        await rig.ask(EditDocument(by="li", text=CHANGED))
        await rig.ask(GetDocument())
        await rig.ask(GetDocument(candidate=True))
        await rig.ask(CompareDocuments(old=1))
        await rig.ask(TryKeys(sets=[KeySet(key="web.port", value="8081")]))
    assert len(on_the_loop) == 7 and not any(on_the_loop)


def test_who_started_later_than_now_did_so_by_another_clock(tmp_path: Path) -> None:
    ground, now = BoxGround(cast(Any, None), tmp_path / "box.yaml", tmp_path, tmp_path), time.time()
    for daemon in DAEMONS:
        ground.started(daemon, now - 5.0)
    assert ground.all_started_since(now - 10.0) and not ground.all_started_since(now - 5.0)
    ground.started(DAEMONS[0], now + 3600.0)
    assert not ground.all_started_since(now - 10.0)


def test_what_an_act_that_was_cut_off_left_for_root_goes(tmp_path: Path) -> None:
    (tmp_path / NEW).write_text(CHANGED)
    BoxGround(cast(Any, None), tmp_path / "box.yaml", tmp_path, tmp_path)
    assert not (tmp_path / NEW).exists()
