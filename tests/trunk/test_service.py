"""The service and its table in this process, without a bus."""
import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

import pytest

from appliance.bus.client import BusError
from appliance.bus.messages import (
    BindLeg,
    CallIncoming,
    CallInfo,
    CallProceeding,
    CallReleased,
    Dial,
    Done,
    Event,
    Request,
    UnbindLeg,
)
from appliance.config.schema import SpanConfig
from appliance.isdn import events as isdn
from appliance.isdn.dss1 import Signalling
from appliance.isdn.events import ChannelState, LinkChanged
from appliance.isdn.lapd import Side
from appliance.trunk.binding import Bindings
from appliance.trunk.groups import Unavailable, choose
from appliance.trunk.legs import RELEASED_KEPT, Leg, LegTable
from appliance.trunk.service import TrunkService
from tests.trunk.far_end import FarEnd

E = TypeVar("E", bound=Event)
SPANS = [SpanConfig(name=name, url=f"virtual:/{name}/a", side="user", trunk="telco")
         for name in ("one", "two")]


class Said:
    """What goes to the bus."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[Event] = asyncio.Queue()

    def __call__(self, event: Event) -> None:
        self._events.put_nowait(event)

    async def wait_for(self, kind: type[E]) -> E:
        async with asyncio.timeout(10.0):
            while True:
                if isinstance(event := await self._events.get(), kind):
                    return event


class Trunkd:
    def __init__(self, folder: Path) -> None:
        self.said = Said()
        self.table = LegTable(folder / "trunkd.sqlite")
        self.far = [FarEnd(folder / f"{span.name}.sock", Side.NETWORK) for span in SPANS]
        self.service = TrunkService(
            SPANS, folder, self.table, Bindings(self._bind), self.said, claim_within_s=0.3)

    async def _bind(self, request: Request[Done]) -> Done:
        return Done()


@pytest.fixture
async def trunkd(tmp_path: Path) -> AsyncIterator[Trunkd]:
    trunkd = Trunkd(tmp_path)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(trunkd.table.close)
        for far in trunkd.far:
            await stack.enter_async_context(far)
        trunkd.service.restore()
        running = [asyncio.create_task(span.run()) for span in trunkd.service.spans.values()]
        for far in trunkd.far:
            await far.wait_for(LinkChanged)
        yield trunkd
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@pytest.mark.need(1)
async def test_an_offered_call_that_nobody_takes_ends_with_cause_41(trunkd: Trunkd) -> None:
    [far, _] = trunkd.far
    far.signalling.setup("far", "5001", far.now())
    far.poke()
    incoming = await trunkd.said.wait_for(CallIncoming)
    released = await trunkd.said.wait_for(CallReleased)
    assert (released.leg, released.cause, released.by) == (incoming.leg, 41, "near")
    assert (await far.wait_for(isdn.Released)).cause == 41


async def test_a_channel_that_the_far_end_refuses_is_tried_elsewhere(trunkd: Trunkd) -> None:
    for far in trunkd.far:                        # it thinks them busy; our SETUP insists on one at a time
        far.signalling.channels.set(1, ChannelState.BUSY, "stale")
        far.signalling.channels.set(2, ChannelState.BUSY, "stale")
    for span in trunkd.service.spans.values():
        span.signalling.exclusive = True
    await trunkd.service.answer(Dial(leg="out", trunk="telco", called="5001"))
    await trunkd.said.wait_for(CallProceeding)
    incoming = await trunkd.far[0].wait_for(isdn.Incoming)
    assert incoming.timeslot == 3


async def test_calls_spread_over_the_spans_of_a_trunk(trunkd: Trunkd) -> None:
    for number in range(4):
        await trunkd.service.answer(Dial(leg=f"out{number}", trunk="telco", called="5001"))
    idle = [span.signalling.channels.idle() for span in trunkd.service.spans.values()]
    assert idle == [28, 28]


def test_a_trunk_without_link_is_unavailable() -> None:
    for side, cause in ((Side.USER, 38), (Side.NETWORK, 27)):
        with pytest.raises(Unavailable) as caught:
            choose([Signalling(side, str)])
        assert caught.value.cause == cause


# --- the table


def call(leg: str, state: str = "answered") -> Leg:
    return Leg(CallInfo(
        leg=leg, trunk="telco", span="one", timeslot=1, inbound=True, state=state, called="1", calling="",
        calling_name="", complete=True, since=1.0), call_ref=7, claimed=True)


def test_the_table_is_there_for_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "trunkd.sqlite"
    with contextlib.closing(LegTable(path)) as table:
        assert table.fresh
        table.save(call("a"))
        table.save(call("b"))
        table.release(call("b", "released").info)
        with contextlib.closing(LegTable(path)) as other:        # nothing was closed, as after kill -9
            assert not other.fresh
            assert other.load() == [call("a")]
            assert [info.leg for info in other.released()] == ["b"]


def test_the_table_keeps_the_last_thousand_that_ended(tmp_path: Path) -> None:
    with contextlib.closing(LegTable(tmp_path / "trunkd.sqlite")) as table:
        for number in range(RELEASED_KEPT + 5):
            table.release(call(str(number), "released").info)
        released = table.released()
    assert (len(released), released[0].leg, released[-1].leg) == (RELEASED_KEPT, "5", str(RELEASED_KEPT + 4))


@pytest.mark.parametrize("damage", ["not a database at all" * 100, "an info"])
def test_a_damaged_table_is_set_aside(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "trunkd.sqlite"
    if damage == "an info":
        with contextlib.closing(LegTable(path)) as table:
            table.save(call("a"))
        with contextlib.closing(sqlite3.connect(path)) as database, database:
            database.execute("UPDATE call SET info = x'7b7d'")
    else:
        path.write_text(damage)
    with contextlib.closing(LegTable(path)) as table:
        assert table.fresh and table.load() == []
        table.save(call("a"))
    assert path.with_suffix(".bad").exists()


# --- bindings


async def test_bindings_go_in_order_and_all_again_to_a_new_spand() -> None:
    asked: asyncio.Queue[Request[Done]] = asyncio.Queue()
    there = True

    async def ask(request: Request[Done]) -> Done:
        asked.put_nowait(request)
        if not there:
            raise BusError("spand is not there")
        return Done()

    bindings = Bindings(ask)
    running = asyncio.create_task(bindings.run())
    bindings.bind("a", "one", 1)
    bindings.unbind("a")
    bindings.bind("b", "one", 1)
    said = [await asyncio.wait_for(asked.get(), 5.0) for _ in range(3)]
    assert said == [BindLeg(leg="a", span="one", timeslot=1), UnbindLeg(leg="a"),
                    BindLeg(leg="b", span="one", timeslot=1)]
    there = False
    bindings.bind("c", "one", 2)
    await asyncio.wait_for(asked.get(), 5.0)
    there = True
    bindings.again()
    again = [await asyncio.wait_for(asked.get(), 5.0) for _ in range(2)]
    assert again == [BindLeg(leg="b", span="one", timeslot=1), BindLeg(leg="c", span="one", timeslot=2)]
    running.cancel()
