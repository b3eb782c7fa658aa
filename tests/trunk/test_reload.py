"""Settings that change live: taken over for new calls without dropping one, or refused with the key."""
from pathlib import Path
from typing import Any

import pytest

from appliance.bus.client import Refused
from appliance.bus.messages import (
    CallProceeding,
    CallReleased,
    ChannelStates,
    Dial,
    GetChannels,
    LinkState,
    Reloaded,
    ReloadTrunks,
)
from appliance.config.schema import Config
from appliance.isdn import events as isdn
from appliance.isdn.elements import CallingNumber
from appliance.isdn.lapd import Side
from tests.trunk.far_end import FarEnd
from tests.trunk.trunkd import Trunkd, running

SPAN: dict[str, Any] = {
    "name": "one", "url": "virtual:/one/a", "side": "user", "trunk": "telco", "audit_s": 0.0}
OTHER: dict[str, Any] = {**SPAN, "name": "two", "url": "virtual:/two/a"}


def document(*spans: dict[str, Any], **sections: Any) -> Config:
    return Config.model_validate({"spans": list(spans), **sections})


async def reload(trunkd: Trunkd, new: Config, check: bool = False) -> list[str]:
    trunkd.document = new
    reply = await trunkd.service.answer(ReloadTrunks(check=check))
    assert isinstance(reply, Reloaded)
    return reply.changed


@pytest.mark.need(16)
async def test_settings_of_trunks_and_spans_hold_from_the_next_call_on(tmp_path: Path) -> None:
    async with running(tmp_path, document(SPAN)) as trunkd:
        [far] = trunkd.far
        await trunkd.service.answer(Dial(leg="a", trunk="telco", called="5001", calling="801"))
        assert (await far.wait_for(isdn.Incoming)).timeslot == 1
        new = document(
            {**SPAN, "channels": "down", "profile": "china", "timers": {"t310_s": 90},
             "incoming_only": "31", "selection": "exclusive"},
            trunks=[{"name": "telco", "hunting": "descending",
                     "caller_id": {"default": "5001", "allowed": ["5001"]}}])
        changed = ["spans.one.channels", "spans.one.profile", "spans.one.timers.t310_s",
                   "spans.one.selection", "spans.one.incoming_only", "trunks.telco"]
        assert await reload(trunkd, new, check=True) == changed
        assert trunkd.service.spans["one"].config.channels == "up"
        assert await reload(trunkd, new) == changed
        assert await reload(trunkd, new) == []
        await trunkd.service.answer(Dial(leg="b", trunk="telco", called="5001", calling="801"))
        call = await far.wait_for(isdn.Incoming)
        assert (call.timeslot, CallingNumber("5001", 0, 1, 0, 0) in call.elements) == (30, True)
        assert set(await trunkd.calls()) == {"a", "b"}


@pytest.mark.need(16)
async def test_a_span_comes_when_spand_has_it_and_goes_when_it_has_no_call(tmp_path: Path) -> None:
    async with running(tmp_path, document(SPAN)) as trunkd:
        with pytest.raises(Refused, match=r"spans\.two: spand does not have it: start spand anew"):
            await reload(trunkd, document(SPAN, OTHER))
        async with FarEnd(tmp_path / "two.sock", Side.NETWORK) as far:
            assert await reload(trunkd, document(SPAN, OTHER)) == ["spans.two"]
            await far.wait_idle()
            for leg in ("a", "b"):
                await trunkd.service.answer(Dial(leg=leg, trunk="telco", called="5001"))
                await trunkd.said.wait_for(CallProceeding, leg=leg)
            with pytest.raises(Refused, match=r"spans\.two: calls are on it: branchline busy-out two"):
                await reload(trunkd, document(SPAN))
            far.signalling.hang_up("far1", 16, far.now())
            far.poke()
            await far.wait_for(isdn.Released)
            await trunkd.said.wait_for(CallReleased, leg="b")
            assert await reload(trunkd, document(SPAN)) == ["spans.two"]
            await trunkd.said.wait_for(LinkState, span="two", up=False)
            assert (await trunkd.said.wait_for(ChannelStates, span="two")).channels == []
        reply = await trunkd.service.answer(GetChannels())
        assert [span.span for span in reply.spans] == ["one"]    # type: ignore[attr-defined]
        assert set(await trunkd.calls()) == {"a"}


@pytest.mark.need(15)
async def test_another_side_or_other_channels_begin_the_link_anew_without_a_call(
        tmp_path: Path) -> None:
    async with running(tmp_path, document(SPAN)) as trunkd:
        [far] = trunkd.far
        await trunkd.service.answer(Dial(leg="a", trunk="telco", called="5001"))
        await trunkd.said.wait_for(CallProceeding, leg="a")
        for changed in ({"side": "network"}, {"timeslots": "1-15"}, {"url": "virtual:/else/a"}):
            with pytest.raises(Refused, match=rf"spans\.one\.{next(iter(changed))}: calls are on it"):
                await reload(trunkd, document({**SPAN, **changed}), check=True)
        far.signalling.hang_up("far1", 16, far.now())
        far.poke()
        await trunkd.said.wait_for(CallReleased, leg="a")
        new = document({**SPAN, "timeslots": "1-15"})
        assert await reload(trunkd, new) == ["spans.one.timeslots"]
        await trunkd.said.wait_for(LinkState, span="one", up=False)
        await trunkd.said.wait_for(LinkState, span="one", up=True)
        reply = await trunkd.service.answer(GetChannels())
        assert len(reply.spans[0].channels) == 15                    # type: ignore[attr-defined]
        assert await reload(trunkd, document({**SPAN, "side": "network"})) == [
            "spans.one.side", "spans.one.timeslots"]
        assert trunkd.service.spans["one"].signalling.side is Side.NETWORK


@pytest.mark.parametrize(("changed", "words"), [
    ({"clock": {"hold_off_s": 2.0}}, r"^clock\.hold_off_s: spand reads it when it starts: put it back"),
    ({"web": {"port": 1}}, r"^web\.port: webui reads it when it starts"),
])
async def test_what_needs_a_new_start_is_named_and_nothing_changes(
        tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    async with running(tmp_path, document(SPAN)) as trunkd:
        new = Config.model_validate({
            "spans": [SPAN], **changed, "trunks": [{"name": "telco", "hunting": "descending"}]})
        with pytest.raises(Refused, match=words):
            await reload(trunkd, new)
        assert trunkd.service.trunks["telco"].config.hunting == "balanced"
