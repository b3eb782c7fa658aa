"""Calls are drained: none comes in but to emergency numbers, those that talk go on; it ends by itself."""
import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.bus.messages import (
    BusyOut,
    CallAnswered,
    CallIncoming,
    CallReleased,
    Dial,
    Drained,
    DrainTrunks,
)
from appliance.config.schema import CentreConfig, Config, OutboundRoute, SpanConfig
from appliance.isdn import events as isdn
from appliance.trunk.draining import LONGEST_S, Draining
from tests.trunk.trunkd import Trunkd, running

CONFIG = Config(
    spans=[SpanConfig(name="telco1", url="virtual:/one/a", side="user", trunk="telco"),
           SpanConfig(name="pbx1", url="virtual:/two/a", side="network", trunk="pbx")],
    centre=CentreConfig(outbound=[OutboundRoute(trunk="pbx", called="0([0-9]{3,})", to="telco")]))


@pytest.fixture
async def trunkd(tmp_path: Path) -> AsyncIterator[Trunkd]:
    async with running(tmp_path, CONFIG) as trunkd:
        yield trunkd


async def drain(trunkd: Trunkd, for_s: float = 20.0, *, end: bool = False) -> tuple[int, int]:
    reply = await trunkd.service.answer(DrainTrunks(for_s=for_s, cause=42, end=end))
    assert isinstance(reply, Drained)
    return reply.calls, reply.emergency


def call(trunkd: Trunkd, far: int, key: str, called: str) -> None:
    end = trunkd.far[far]
    end.signalling.setup(key, called, end.now())
    end.poke()


@pytest.mark.need(19)
async def test_a_new_call_is_sent_another_way_and_one_that_is_there_goes_on(trunkd: Trunkd) -> None:
    call(trunkd, 0, "first", "5000")
    first = await trunkd.said.wait_for(CallIncoming)
    assert await drain(trunkd) == (1, 0)
    call(trunkd, 0, "second", "5000")
    assert (await trunkd.far[0].wait_for(isdn.Released)).cause == 42
    assert list(await trunkd.calls()) == [first.leg]
    await drain(trunkd, 0.0)
    call(trunkd, 0, "third", "5000")
    third = await trunkd.said.wait_for(CallIncoming)
    assert third.leg in await trunkd.calls()


@pytest.mark.need(19)
async def test_emergency_calls_come_in_go_out_and_are_ended_by_nobody(trunkd: Trunkd) -> None:
    call(trunkd, 0, "ordinary", "5000")
    ordinary = await trunkd.said.wait_for(CallIncoming)
    await drain(trunkd)
    call(trunkd, 1, "help", "110")
    extension = await trunkd.said.wait_for(CallIncoming, called="110")
    await trunkd.service.answer(Dial(leg="out", trunk="telco", called="110"))
    offered = await trunkd.far[0].wait_for(isdn.Incoming)
    trunkd.far[0].signalling.answer(offered.key, trunkd.far[0].now())
    trunkd.far[0].poke()
    await trunkd.said.wait_for(CallAnswered, leg="out")
    assert await drain(trunkd, end=True) == (3, 2)
    ended = await trunkd.said.wait_for(CallReleased)
    assert (ended.leg, ended.cause) == (ordinary.leg, 41)
    assert set(await trunkd.calls()) == {extension.leg, "out"}


@pytest.mark.need(19)
async def test_channels_taken_out_of_use_at_once_keep_their_emergency_calls(trunkd: Trunkd) -> None:
    call(trunkd, 0, "ordinary", "5000")
    ordinary = await trunkd.said.wait_for(CallIncoming)
    call(trunkd, 1, "help", "110")
    help_ = await trunkd.said.wait_for(CallIncoming, called="110")
    await trunkd.service.answer(BusyOut(now=True))
    ended = await trunkd.said.wait_for(CallReleased)
    assert (ended.leg, ended.cause) == (ordinary.leg, 41)
    assert list(await trunkd.calls()) == [help_.leg]


@pytest.mark.need(19)
async def test_nobody_who_asks_again_and_calls_are_taken_again(trunkd: Trunkd) -> None:
    await drain(trunkd, 0.05)
    call(trunkd, 0, "early", "5000")
    assert (await trunkd.far[0].wait_for(isdn.Released)).cause == 42
    lease = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.1, lease.set_result, None)
    await lease
    call(trunkd, 0, "later", "5000")
    await trunkd.said.wait_for(CallIncoming)


@pytest.mark.need(19)
@pytest.mark.parametrize(("trunk", "called", "complete", "admitted"), [
    ("telco", "5000", True, False), ("telco", "50", False, False), ("pbx", "110", True, True),
    ("pbx", "0110", True, True), ("pbx", "0111", True, False), ("pbx", "11", False, True),
    ("pbx", "01", False, True), ("pbx", "8", False, False), ("telco", "0110", True, False),
])
def test_what_may_become_an_emergency_call_is_let_through(trunk: str, called: str, complete: bool,
                                                          admitted: bool) -> None:
    draining = Draining(CONFIG)
    draining.ask(100.0, 20.0, 42)
    assert draining.admits(101.0, trunk, called, complete=complete) is admitted
    assert draining.admits(120.0, trunk, called, complete=complete), "it is over"


def test_no_lease_is_long() -> None:
    draining = Draining(CONFIG)
    draining.ask(0.0, 1e9, 42)
    assert draining.on(LONGEST_S - 1) and not draining.on(LONGEST_S)
