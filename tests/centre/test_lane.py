"""Actions on their way to an owner that dies."""

import asyncio
from typing import Any, cast

from appliance.bus.client import Bus
from appliance.bus.messages import Done, Request, StopPlay
from appliance.centre.lane import Lane


class DeadOwner:
    """The bus to an owner that was killed while it was asked: no answer comes."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[Request[Any]] = asyncio.Queue()
        self.dead = True

    async def ask(self, request: Request[Any]) -> Done:
        self.asked.put_nowait(request)
        if self.dead:
            await asyncio.Event().wait()
        return Done()


async def test_what_a_dead_owner_was_asked_does_not_hold_up_its_next_life() -> None:
    owner, lost = DeadOwner(), asyncio.Event()
    lane = Lane(cast(Bus, owner), refused=lambda _: None, lost=lost.set)
    lane.give_up()                                # nothing is asked yet
    running = asyncio.create_task(lane.run())
    first, second = StopPlay(leg="a"), StopPlay(leg="b")
    lane.put(first)
    assert await owner.asked.get() == first
    owner.dead = False
    lane.put(second)
    lane.give_up()
    lane.give_up()                                # the bus was away, too
    assert await asyncio.wait_for(owner.asked.get(), 5.0) == second
    await asyncio.wait_for(lane.idle(), 5.0)
    assert lost.is_set()
    running.cancel()
