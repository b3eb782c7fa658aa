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
    Hangup,
    Request,
    UnbindLeg,
)
from appliance.config.schema import SpanConfig
from appliance.isdn import events as isdn
from appliance.isdn.dss1 import Signalling
from appliance.isdn.events import ChannelState
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
        self.bindings = Bindings(self._bind)
        self.service = TrunkService(
            SPANS, folder, self.table, self.bindings, self.said, claim_within_s=0.3)

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
            await far.wait_idle()
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


async def test_a_call_that_was_being_cleared_ends_with_its_cause_and_spand_forgets_it(tmp_path: Path) -> None:
    with contextlib.closing(LegTable(tmp_path / "trunkd.sqlite")) as table:
        leg = call("a", "alerting")
        leg.change(state="clearing", cause=17, by="near")
        table.save(leg)
    trunkd = Trunkd(tmp_path)
    with contextlib.closing(trunkd.table):
        trunkd.service.restore()
        released = await trunkd.said.wait_for(CallReleased)
        assert (released.leg, released.cause, released.by) == ("a", 17, "near")
        assert trunkd.bindings.take(0.0) == UnbindLeg(leg="a")
        assert trunkd.table.load() == []


async def test_a_hang_up_is_in_the_table_with_its_cause(trunkd: Trunkd) -> None:
    await trunkd.service.answer(Dial(leg="out", trunk="telco", called="5001"))
    await trunkd.said.wait_for(CallProceeding)
    await trunkd.service.answer(Hangup(leg="out", cause=17))
    await trunkd.service.answer(Hangup(leg="out", cause=31))     # the first reason counts
    [leg] = trunkd.table.load()
    assert (leg.info.state, leg.info.cause, leg.info.by) == ("clearing", 17, "near")


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


def test_a_binding_is_asked_for_until_spand_says_yes_and_at_most_every_5_s() -> None:
    async def nobody(request: Request[Done]) -> Done:
        raise NotImplementedError

    bindings, now, asked_at = Bindings(nobody), 0.0, []
    bindings.bind("a", "one", 1)
    while now < 20.0:
        request = bindings.take(now)
        assert request is not None
        asked_at.append(now)
        bindings.failed(request, BusError("no answer in 2 s: the bus is away"), now)
        assert bindings.take(now) is None
        now = bindings.next_deadline() or now
    assert asked_at == [0.0, 0.25, 0.75, 1.75, 3.75, 7.75, 12.75, 17.75]
    request = bindings.take(now)
    assert request == BindLeg(leg="a", span="one", timeslot=1)
    bindings.done(request)
    assert (bindings.take(now), bindings.next_deadline()) == (None, None)


def test_a_binding_that_comes_too_late_is_not_asked_for_again() -> None:
    async def nobody(request: Request[Done]) -> Done:
        raise NotImplementedError

    bindings = Bindings(nobody)
    bindings.bind("a", "one", 1)
    bind = bindings.take(0.0)
    assert bind is not None
    bindings.unbind("a")                          # while spand is asked
    bindings.failed(bind, BusError("no answer"), 2.0)
    unbind = bindings.take(2.0)
    assert unbind == UnbindLeg(leg="a")
    bindings.done(bind)                           # of no importance any more
    bindings.done(unbind)
    bindings.unbind("never bound")
    assert bindings.next_deadline() is None


async def test_a_new_spand_is_told_at_once_though_the_one_that_died_was_asked() -> None:
    asked: asyncio.Queue[Request[Done]] = asyncio.Queue()
    dead = True

    async def ask(request: Request[Done]) -> Done:
        asked.put_nowait(request)
        if dead:
            await asyncio.Event().wait()          # what the bus does for 2 s
        return Done()

    bindings = Bindings(ask)
    running = asyncio.create_task(bindings.run())
    bindings.bind("a", "one", 1)
    bindings.bind("b", "one", 2)
    assert await asyncio.wait_for(asked.get(), 5.0) == BindLeg(leg="a", span="one", timeslot=1)
    dead = False
    bindings.again()
    bindings.again()                              # the bus was away, too
    assert [(await asyncio.wait_for(asked.get(), 5.0)) for _ in "ab"] == [
        BindLeg(leg="a", span="one", timeslot=1), BindLeg(leg="b", span="one", timeslot=2)]
    running.cancel()


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
    bind_a, bind_b, bind_c = (
        BindLeg(leg=leg, span="one", timeslot=timeslot) for leg, timeslot in (("a", 1), ("b", 1), ("c", 2)))

    async def asks(*expected: Request[Done]) -> None:
        assert [await asyncio.wait_for(asked.get(), 5.0) for _ in expected] == list(expected)

    bindings.bind("a", "one", 1)
    await asks(bind_a)
    bindings.unbind("a")
    bindings.bind("b", "one", 1)
    await asks(UnbindLeg(leg="a"), bind_b)
    there = False
    bindings.bind("c", "one", 2)
    await asks(bind_c)
    there = True
    await asks(bind_c)                            # by itself
    bindings.again()
    await asks(bind_b, bind_c)
    running.cancel()
