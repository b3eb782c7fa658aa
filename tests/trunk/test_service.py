"""The service and its table in this process, without a bus."""
import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    BindLeg,
    BusyOut,
    CallIncoming,
    CallInfo,
    CallProceeding,
    CallReleased,
    Dial,
    Done,
    GetChannels,
    Hangup,
    Request,
    UnbindLeg,
)
from appliance.config.schema import Config, SpanConfig
from appliance.isdn import events as isdn
from appliance.isdn.call.call import Snapshot
from appliance.isdn.call.states import State
from appliance.trunk.binding import Bindings
from appliance.trunk.legs import RELEASED_KEPT, Leg, LegTable
from tests.trunk.trunkd import Trunkd, running

CONFIG = Config(spans=[SpanConfig(name=name, url=f"virtual:/{name}/a", side="user", trunk="telco")
                       for name in ("one", "two")])


@pytest.fixture
async def trunkd(tmp_path: Path) -> AsyncIterator[Trunkd]:
    async with running(tmp_path, CONFIG) as trunkd:
        yield trunkd


@pytest.mark.need(1)
async def test_an_offered_call_that_nobody_takes_ends_with_cause_41(trunkd: Trunkd) -> None:
    [far, _] = trunkd.far
    far.signalling.setup("far", "5001", far.now())
    far.poke()
    incoming = await trunkd.said.wait_for(CallIncoming)
    released = await trunkd.said.wait_for(CallReleased)
    assert (released.leg, released.cause, released.by) == (incoming.leg, 41, "near")
    assert (await far.wait_for(isdn.Released)).cause == 41


async def test_a_line_of_which_a_part_is_rented_has_those_channels_only(tmp_path: Path) -> None:
    config = Config(spans=[CONFIG.spans[0].model_copy(update={"timeslots": "1,17"})])
    async with running(tmp_path, config) as trunkd:
        [far] = trunkd.far
        reply = await trunkd.service.answer(GetChannels())
        assert [one.timeslot for one in reply.spans[0].channels] == [1, 17]      # type: ignore[attr-defined]
        with pytest.raises(Refused, match=r"timeslots \[2\]: the B-channels of one are 1,17"):
            await trunkd.service.answer(BusyOut(span="one", timeslots=[1, 2], now=False))
        far.signalling.setup("far", "5001", far.now(), timeslot=31)      # preferred: it gets another one
        far.poke()
        assert (await far.wait_for(isdn.ChannelChosen)).timeslot in (1, 17)
        for leg in ("a", "b"):
            await trunkd.service.answer(Dial(leg=leg, trunk="telco", called="5001"))
        assert (await trunkd.said.wait_for(CallReleased, leg="b")).cause == 34


async def test_a_call_that_was_being_cleared_ends_with_its_cause_and_spand_forgets_it(tmp_path: Path) -> None:
    with contextlib.closing(LegTable(tmp_path / "trunkd.sqlite")) as table:
        leg = call("a", "alerting")
        leg.change(state="clearing", cause=17, by="near")
        leg.snapshot = Snapshot("a", 7, False, 1, State.DISCONNECTING, 17)
        table.write([leg], [])
    trunkd = Trunkd(tmp_path, CONFIG)
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
        far.signalling.channels.take(1, "stale")
        far.signalling.channels.take(2, "stale")
    for span in trunkd.service.spans.values():
        span.signalling.change(selection="exclusive")
    await trunkd.service.answer(Dial(leg="out", trunk="telco", called="5001"))
    await trunkd.said.wait_for(CallProceeding)
    incoming = await trunkd.far[0].wait_for(isdn.Incoming)
    assert incoming.timeslot == 3


async def test_calls_spread_over_the_spans_of_a_trunk(trunkd: Trunkd) -> None:
    for number in range(4):
        await trunkd.service.answer(Dial(leg=f"out{number}", trunk="telco", called="5001"))
    idle = [span.signalling.channels.idle() for span in trunkd.service.spans.values()]
    assert idle == [28, 28]


# --- the table


def call(leg: str, state: str = "answered") -> Leg:
    return Leg(CallInfo(
        leg=leg, trunk="telco", span="one", timeslot=1, inbound=True, state=state, called="1", calling="",
        calling_name="", complete=True, since=1.0),
        snapshot=Snapshot(leg, 7, False, 1, State.ACTIVE), claimed=True)


def test_the_table_is_there_for_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "trunkd.sqlite"
    with contextlib.closing(LegTable(path)) as table:
        assert table.fresh
        table.write([call("a"), call("b")], [])
        table.write([], [call("b", "released").info])
        with contextlib.closing(LegTable(path)) as other:        # nothing was closed, as after kill -9
            assert not other.fresh
            [leg] = other.load()
            assert (leg.info, leg.snapshot, leg.claimed) == (call("a").info, call("a").snapshot, True)
            assert [info.leg for info in other.released()] == ["b"]


def test_the_table_keeps_the_last_thousand_that_ended(tmp_path: Path) -> None:
    with contextlib.closing(LegTable(tmp_path / "trunkd.sqlite")) as table:
        table.write([], [call(str(number), "released").info for number in range(RELEASED_KEPT + 5)])
        released = table.released()
    assert (len(released), released[0].leg, released[-1].leg) == (RELEASED_KEPT, "5", str(RELEASED_KEPT + 4))


@pytest.mark.parametrize("damage", ["not a database at all" * 100, "an info"])
def test_a_damaged_table_is_set_aside(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "trunkd.sqlite"
    if damage == "an info":
        with contextlib.closing(LegTable(path)) as table:
            table.write([call("a")], [])
        with contextlib.closing(sqlite3.connect(path)) as database, database:
            database.execute("UPDATE call SET info = x'7b7d'")
    else:
        path.write_text(damage)
    with contextlib.closing(LegTable(path)) as table:
        assert table.fresh and table.load() == []
        table.write([call("a")], [])
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
