"""Tests of lines on the bus: what goes wrong with one is its own, and the box bears only so many."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from appliance.box.line_tests import running
from appliance.box.line_tests.area import MOST_AT_ONCE, LineTesting
from appliance.box.line_tests.running import Loan, Running
from appliance.bus.client import Refused
from appliance.bus.messages import (
    BeginLineTest,
    Done,
    Event,
    LineTest,
    LineTestOrder,
    LineTestState,
    Request,
    SpanState,
    SteerLineTest,
    TakeSpanBack,
)
from appliance.bus.runner import Context
from appliance.config.load import load

NAMES = [f"telco{number}" for number in range(MOST_AT_ONCE + 1)]
DOCUMENT = "spans:\n" + "".join(
    f'  - {{name: {name}, url: "virtual:/{name}/b", side: user, trunk: telco}}\n' for name in NAMES)
BERT = LineTestOrder(kind="bert", for_s=60.0)
SOON_S = 10.0


class Spand:
    """The bus, and spand at its other end: it lends what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[Request[Any]] = []
        self.said: asyncio.Queue[Event] = asyncio.Queue()

    async def say(self, event: Event) -> None:
        await self.said.put(event)

    async def ask(self, request: Request[Any], timeout_s: float = 2.0) -> Done:
        self.asked.append(request)
        return Done()


class Rig:
    def __init__(self, folder: Path) -> None:
        (folder / "box.yaml").write_text(DOCUMENT)
        self.spand = Spand()
        self.context = Context("boxd", load(folder / "box.yaml"), folder, folder, cast(Any, self.spand),
                               asyncio.Event(), config_path=folder / "box.yaml")
        self.area = LineTesting(self.context)

    async def begin(self, span: str) -> str:
        asked = BeginLineTest(span=span, order=BERT, by="li")
        return cast(str, cast(Any, await self.area.answers[BeginLineTest](asked)).test.test)

    async def lent(self, span: str) -> None:
        await self.area.hear(SpanState(span=span, up=False, alarms=[], counters={}, at=0.0, lent=True))

    async def ended(self) -> LineTest:
        async with asyncio.timeout(SOON_S):
            while True:
                said = await self.spand.said.get()
                if isinstance(said, LineTestState) and said.test.state == "ended":
                    return said.test


@contextlib.asynccontextmanager
async def boxd(folder: Path) -> AsyncIterator[Rig]:
    rig = Rig(folder)
    task = asyncio.create_task(rig.area.run(rig.context.stop))
    try:
        yield rig
    finally:
        rig.context.stop.set()
        await asyncio.wait_for(task, SOON_S)


@pytest.mark.parametrize(("steered", "why"), [
    (["/nonexistent"], "FileNotFoundError: "), (["sh", "-c", "echo 3"], "TypeError: "),
    (["sh", "-c", """echo '{"progress": {"odd": 1}}'"""], "TypeError: "),
    (["sh", "-c", """echo '{"facts": {"odd": 1}}'"""], "KeyError: "),
])
async def test_what_nobody_thought_of_ends_the_test_and_not_boxd(
        steered: list[str], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "STEERED", steered)
    async with boxd(tmp_path) as rig:
        for _ in range(2):                        # the line is free again, too
            name = await rig.begin(NAMES[0])
            await rig.lent(NAMES[0])
            test = await rig.ended()
            assert (test.test, test.outcome) == (name, "failed") and test.trouble.startswith(why)
            assert isinstance(rig.spand.asked[-1], TakeSpanBack)
        assert rig.context.failure is None and not rig.context.stop.is_set()


async def test_one_more_than_the_box_bears_is_refused_until_another_ends(tmp_path: Path) -> None:
    async with boxd(tmp_path) as rig:
        *names, last = NAMES
        tests = [await rig.begin(name) for name in names]
        asked = len(rig.spand.asked)
        with pytest.raises(Refused, match=f"{MOST_AT_ONCE} lines are under test: wait until one has ended"):
            await rig.begin(last)
        assert len(rig.spand.asked) == asked      # nor was the line borrowed
        await rig.area.answers[SteerLineTest](SteerLineTest(test=tests[0], word="stop"))
        await rig.lent(names[0])
        assert (await rig.ended()).outcome == "stopped"
        await rig.begin(last)


async def test_stop_reaches_a_process_that_is_only_being_made(monkeypatch: pytest.MonkeyPatch) -> None:
    make = asyncio.create_subprocess_exec

    async def made(*words: Any, **more: Any) -> asyncio.subprocess.Process:
        test.steer("stop")
        return await make(*words, **more)
    monkeypatch.setattr(asyncio, "create_subprocess_exec", made)
    monkeypatch.setattr(running, "STEERED", ["sh", "-c", 'read -r word; echo "[\\"$word\\"]"'])
    heard: list[object] = []

    async def hear(said: object) -> None:
        heard.append(said)
    spand = Spand()
    loan = Loan(cast(Any, spand), NAMES[0])
    loan.given.set()
    test = Running(loan, {}, hear)
    async with asyncio.timeout(SOON_S):
        await test.run()
    assert heard == [["stop"]] and isinstance(spand.asked[-1], TakeSpanBack)
