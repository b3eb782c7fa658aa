"""One span between spand's socket and the signalling: its turns and its alarm."""
import asyncio
from pathlib import Path

import pytest

from appliance.bus.messages import CallReleased, Dial
from appliance.config.schema import Config, SpanConfig
from tests.trunk.trunkd import Trunkd, running


def config(**timers: float) -> Config:
    return Config(spans=[SpanConfig(
        name="one", url="virtual:/one/a", side="user", trunk="telco", timers=timers)])


async def test_the_timer_of_a_request_runs_out_with_nothing_happening_on_the_line(tmp_path: Path) -> None:
    async with running(tmp_path, config(t303_s=0.05, n303=0)) as trunkd:
        trunkd.far[0].signalling.receive = lambda info, now: None            # type: ignore[method-assign]
        await trunkd.service.answer(Dial(leg="out", trunk="telco", called="5001"))
        released = await trunkd.said.wait_for(CallReleased)
        assert (released.leg, released.cause, released.by) == ("out", 102, "line")


async def test_a_mistake_in_a_turn_ends_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def mistake(*_: object) -> None:
        raise KeyError("a mistake")

    trunkd = Trunkd(tmp_path, config())
    trunkd.service.restore()
    async with trunkd.far[0] as far:
        task = asyncio.create_task(trunkd.service.run())
        await far.wait_idle()
        monkeypatch.setattr(trunkd.service.spans["one"].signalling, "receive_frame", mistake)
        far.signalling.setup("far", "5001", far.now())
        far.poke()
        with pytest.raises(ExceptionGroup) as caught:
            await task
        assert caught.value.subgroup(KeyError)
    trunkd.table.close()
