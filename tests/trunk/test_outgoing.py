"""Calls find their way: overflow, other ways when a network is congested, emergency calls; channels in and
out of use. The far ends are real."""
from pathlib import Path
from typing import Any

import pytest

from appliance.bus.client import Refused
from appliance.bus.messages import (
    BringBack,
    BusyOut,
    CallAnswered,
    CallClearing,
    CallIncoming,
    CallInfo,
    CallProceeding,
    CallProgress,
    CallReleased,
    CallTold,
    ChannelInfo,
    Dial,
    GetChannels,
    Hangup,
    LinkState,
    Notify,
    Proceed,
    Progress,
    UserData,
)
from appliance.config.schema import Config
from appliance.isdn import events as isdn
from appliance.isdn.elements import CallingNumber, ConnectedNumber, DateTime, ProgressIndicator, UserUser
from appliance.trunk.legs import Leg
from appliance.trunk.outgoing import victim_of
from tests.trunk.far_end import FarEnd
from tests.trunk.trunkd import Trunkd, running

PRE_EMPTION, CONGESTION, NO_CHANNEL = 8, 42, 34   # Q.850


def config(trunks: list[dict[str, Any]], **spans: dict[str, Any]) -> Config:
    """A span for each trunk: telco and other toward networks, pbx toward a PBX."""
    sides = {"telco": "user", "other": "user", "pbx": "network"}
    return Config.model_validate({
        "spans": [{"name": name, "url": f"virtual:/{name}/a", "side": side, "trunk": name, "audit_s": 0.0,
                   **spans.get(name, {})} for name, side in sides.items()],
        "trunks": trunks})


async def fill(trunkd: Trunkd, trunk: str, idle: int = 0) -> None:
    """Ordinary outgoing calls on all channels of the trunk but so many."""
    for number in range(30 - idle):
        await trunkd.service.answer(Dial(leg=f"{trunk}{number}", trunk=trunk, called="1"))
    for number in range(30 - idle):
        await trunkd.said.wait_for(CallProceeding, leg=f"{trunk}{number}")


async def offered(far: FarEnd, called: str) -> isdn.Incoming:
    while (event := await far.wait_for(isdn.Incoming)).called != called:
        pass
    return event


async def channels(trunkd: Trunkd, span: str) -> dict[int, ChannelInfo]:
    reply = await trunkd.service.answer(GetChannels())
    [found] = [one for one in reply.spans if one.span == span]       # type: ignore[attr-defined]
    return {channel.timeslot: channel for channel in found.channels}


async def test_a_full_or_congested_trunk_overflows_to_the_next(tmp_path: Path) -> None:
    async with running(tmp_path, config([{"name": "telco", "overflow": ["other"]}])) as trunkd:
        telco, other, _ = trunkd.far
        await trunkd.service.answer(Dial(leg="a", trunk="telco", called="5001"))
        call = await offered(telco, "5001")
        telco.signalling.hang_up(call.key, CONGESTION, telco.now())
        telco.poke()
        call = await offered(other, "5001")
        other.signalling.hang_up(call.key, CONGESTION, other.now())
        other.poke()
        released = await trunkd.said.wait_for(CallReleased)
        assert (released.leg, released.cause) == ("a", CONGESTION)   # of all ways tried, the last one's
        await fill(trunkd, "telco")
        await trunkd.service.answer(Dial(leg="b", trunk="telco", called="5002"))
        await offered(other, "5002")
        assert (await trunkd.calls())["b"].trunk == "other"
        await trunkd.service.answer(Dial(leg="c", trunk="other", called="5003"))
        call = await offered(other, "5003")
        other.signalling.hang_up(call.key, 17, other.now())          # busy is busy everywhere
        other.poke()
        assert (await trunkd.said.wait_for(CallReleased, leg="c")).cause == 17


@pytest.mark.need(24)
async def test_an_incoming_call_that_finds_only_reserved_channels_is_refused(tmp_path: Path) -> None:
    reserved = [{"name": "vip", "called": ["5009"], "channels": 30}]
    async with running(tmp_path, config([{"name": "telco", "reserved": reserved}])) as trunkd:
        far = trunkd.far[0]
        far.signalling.setup("any", "5001", far.now())
        far.signalling.setup("vip", "5009", far.now())
        far.poke()
        assert (await trunkd.said.wait_for(CallIncoming)).called == "5009"
        assert (await far.wait_for(isdn.Released)).cause == NO_CHANNEL
        assert trunkd.service.facts()["calls_refused_reserved"] == 1
        assert [call.called for call in (await trunkd.calls()).values()] == ["5009"]


@pytest.mark.need(24)
async def test_reservations_judge_a_number_that_comes_digit_by_digit_when_it_is_known(tmp_path: Path) -> None:
    reserved = [{"name": "vip", "called": ["5009"], "channels": 30}]
    document = config([{"name": "telco", "reserved": reserved}], telco={"overlap": True})
    async with running(tmp_path, document) as trunkd:
        far = trunkd.far[0]
        for key, last in (("vip", "9"), ("any", "1")):
            far.signalling.setup(key, "500", far.now(), complete=False)
            far.poke()
            assert (await trunkd.said.wait_for(CallIncoming)).called == "500"
            far.signalling.more_digits(key, last, far.now())
            far.poke()
        assert (await far.wait_for(isdn.Released)).cause == NO_CHANNEL
        assert (await trunkd.said.wait_for(CallReleased)).cause == NO_CHANNEL
        assert [call.called for call in (await trunkd.calls()).values()] == ["5009"]


# --- emergency calls


@pytest.mark.need(1)
async def test_an_emergency_call_heeds_no_reservation_direction_or_busy_out(tmp_path: Path) -> None:
    document = config(
        [{"name": "telco", "reserved": [{"name": "in", "direction": "in", "channels": 30}],
          "caller_id": {"withhold": "always"}}],
        telco={"incoming_only": "1"})
    async with running(tmp_path, document) as trunkd:
        far = trunkd.far[0]
        await trunkd.service.answer(BusyOut(span="telco", timeslots=[*range(2, 16), *range(17, 32)]))
        await trunkd.service.answer(BusyOut(span="other"))
        await trunkd.service.answer(Dial(leg="a", trunk="telco", called="110", calling="801"))
        call = await offered(far, "110")
        assert call.timeslot == 1
        assert CallingNumber("801", 0, 1, 0, 0) in call.elements
        await trunkd.service.answer(Dial(leg="b", trunk="telco", called="119", calling="一"))
        call = await offered(far, "119")                             # and without what cannot be said
        assert call.timeslot == 2
        states = await channels(trunkd, "telco")
        assert (states[2].state, states[2].blocked, states[3].state) == ("busy", True, "blocked")
        await trunkd.service.answer(Hangup(leg="b"))
        await far.wait_for(isdn.Released)
        assert (await channels(trunkd, "telco"))[2].state == "blocked"
        assert [call.emergency for call in (await trunkd.calls()).values()] == [True]
        await trunkd.service.answer(Dial(leg="c", trunk="telco", called="5001"))
        assert (await trunkd.said.wait_for(CallReleased, leg="c")).cause == NO_CHANNEL


@pytest.mark.need(1)
async def test_an_emergency_call_takes_the_channel_of_the_youngest_call_that_went_out(tmp_path: Path) -> None:
    async with running(tmp_path, config([])) as trunkd:
        telco, other, _ = trunkd.far
        telco.signalling.setup("in", "5001", telco.now())
        telco.poke()
        arrived = await trunkd.said.wait_for(CallIncoming)
        await trunkd.service.answer(Proceed(leg=arrived.leg))
        await fill(trunkd, "telco", idle=1)
        await fill(trunkd, "other")
        await trunkd.service.answer(Dial(leg="a", trunk="telco", called="120"))
        released = await trunkd.said.wait_for(CallReleased)
        assert (released.leg, released.cause) == ("other29", PRE_EMPTION)
        assert (await offered(other, "120")).timeslot == 31
        await trunkd.said.wait_for(CallProceeding, leg="a")
        calls = await trunkd.calls()
        assert (calls["a"].trunk, calls["a"].emergency) == ("other", True)
        assert arrived.leg in calls and len(calls) == 60


async def test_an_emergency_call_waits_for_a_link_and_extension_110_is_none(tmp_path: Path) -> None:
    async with running(tmp_path, config([])) as trunkd:
        _, other, pbx = trunkd.far
        for _ in trunkd.far:
            await trunkd.said.wait_for(LinkState, up=True)
        await trunkd.service.answer(Dial(leg="x", trunk="pbx", called="110"))
        assert (await offered(pbx, "110")).called == "110"
        assert not (await trunkd.calls())["x"].emergency
        for span in ("telco", "other"):
            trunkd.service.spans[span].line_state(False)
        for _ in ("telco", "other"):
            await trunkd.said.wait_for(LinkState, up=False)
        await trunkd.service.answer(Dial(leg="a", trunk="telco", called="110"))
        assert (await trunkd.calls())["a"].span == ""
        trunkd.service.spans["other"].line_state(True)
        await offered(other, "110")


# --- what calls say beside their numbers


async def test_progress_clearing_with_words_notify_and_user_data(tmp_path: Path) -> None:
    async with running(tmp_path, config([])) as trunkd:
        far = trunkd.far[0]
        await trunkd.service.answer(Dial(leg="a", trunk="telco", called="5001",
                                         user_data=UserData(protocol=4, data=b"hi")))
        call = await offered(far, "5001")
        assert UserUser(4, b"hi") in call.elements
        far.signalling.progress(call.key, far.now(), ProgressIndicator(8, 1))
        far.poke()
        assert (await trunkd.said.wait_for(CallProgress)).in_band
        far.signalling.hang_up(call.key, 17, far.now(), elements=(ProgressIndicator(8, 1),))
        far.poke()
        assert (await trunkd.said.wait_for(CallClearing)).cause == 17
        assert (await trunkd.calls())["a"].state == "disconnecting"
        await trunkd.service.answer(Hangup(leg="a", cause=16))       # it was heard
        assert (await trunkd.said.wait_for(CallReleased)).cause == 17
        far.signalling.setup("in", "5001", far.now(), elements=(CallingNumber("", 0, 0, 1, 3),))
        far.poke()
        arrived = await trunkd.said.wait_for(CallIncoming)
        assert (arrived.withheld, arrived.calling) == (True, "")
        await trunkd.service.answer(Progress(leg=arrived.leg))
        assert (await far.wait_for(isdn.Progress)).in_band
        await trunkd.service.answer(Dial(leg="b", trunk="telco", called="5002"))
        call = await offered(far, "5002")
        far.signalling.answer(call.key, far.now(), elements=(
            DateTime(31, 5, 24, 13, 7), ConnectedNumber("5003")))
        far.poke()
        answered = await trunkd.said.wait_for(CallAnswered)
        assert (answered.connected, answered.network_time) == ("5003", "31-05-24 13:07")
        await far.wait_for(isdn.Answered)
        await trunkd.service.answer(Notify(leg="b", notification=0))
        told = await far.wait_for(isdn.Told)
        assert told.key == call.key
        far.signalling.notify(call.key, 1, far.now())
        far.poke()
        assert (await trunkd.said.wait_for(CallTold)).notification == 1


# --- in and out of use


async def test_what_is_busied_out_drains_and_comes_back(tmp_path: Path) -> None:
    async with running(tmp_path, config([])) as trunkd:
        far = trunkd.far[0]
        await trunkd.service.answer(Dial(leg="a", trunk="telco", called="5001"))
        await trunkd.said.wait_for(CallProceeding)
        await trunkd.service.answer(BusyOut(span="telco", timeslots=[1, 2]))
        states = await channels(trunkd, "telco")
        assert [(states[at].state, states[at].blocked) for at in (1, 2, 3)] == [
            ("busy", True), ("blocked", True), ("idle", False)]
        far.signalling.setup("far", "5001", far.now(), timeslot=2, exclusive=True)
        far.poke()
        assert (await far.wait_for(isdn.Released)).cause == 44
        await trunkd.service.answer(Hangup(leg="a"))
        await trunkd.said.wait_for(CallReleased)
        assert (await channels(trunkd, "telco"))[1].state == "blocked"
        await trunkd.service.answer(Dial(leg="b", trunk="telco", called="5001"))
        await trunkd.said.wait_for(CallProceeding)
        await trunkd.service.answer(BusyOut(now=True))               # the box
        assert (await trunkd.said.wait_for(CallReleased)).cause == 41
        for span in ("telco", "other", "pbx"):
            assert {one.state for one in (await channels(trunkd, span)).values()} == {"blocked"}
        await trunkd.service.answer(BringBack())
        assert {one.state for one in (await channels(trunkd, "pbx")).values()} == {"idle"}
        with pytest.raises(Refused, match="no span 'x'"):
            await trunkd.service.answer(BusyOut(span="x"))
        with pytest.raises(Refused, match="B-channels"):
            await trunkd.service.answer(BringBack(timeslots=[16, 40]))


# --- a test call


@pytest.mark.need(1)
async def test_a_test_call_leaves_a_channel_free_and_does_not_overflow(tmp_path: Path) -> None:
    async with running(tmp_path, config([{"name": "telco", "overflow": ["other"]}])) as trunkd:
        await fill(trunkd, "telco", idle=1)
        await trunkd.service.answer(Dial(leg="t", trunk="telco", called="12117", spare=1))
        assert (await trunkd.said.wait_for(CallReleased, leg="t")).cause == NO_CHANNEL
        await trunkd.service.answer(Hangup(leg="telco0"))
        await trunkd.said.wait_for(CallReleased, leg="telco0")
        await trunkd.service.answer(Dial(leg="u", trunk="telco", called="12117", spare=1))
        await trunkd.said.wait_for(CallProceeding, leg="u")
        assert (await trunkd.calls())["u"].trunk == "telco"


@pytest.mark.need(1)
async def test_a_test_call_ends_when_others_need_what_it_leaves_free(tmp_path: Path) -> None:
    async with running(tmp_path, config([])) as trunkd:
        await fill(trunkd, "telco", idle=3)
        await trunkd.service.answer(Dial(leg="t", trunk="telco", called="12117", spare=1))
        await trunkd.said.wait_for(CallProceeding, leg="t")
        await trunkd.service.answer(Dial(leg="a", trunk="telco", called="1"))    # one is left
        await trunkd.said.wait_for(CallProceeding, leg="a")
        assert "t" in await trunkd.calls()
        await trunkd.service.answer(Dial(leg="b", trunk="telco", called="1"))
        released = await trunkd.said.wait_for(CallReleased)
        assert (released.leg, released.cause) == ("t", PRE_EMPTION)
        assert (await trunkd.calls())["b"].span == "telco"


@pytest.mark.need(1)
async def test_no_test_call_goes_out_during_an_emergency_call(tmp_path: Path) -> None:
    async with running(tmp_path, config([])) as trunkd:
        await trunkd.service.answer(Dial(leg="a", trunk="telco", called="120"))
        await trunkd.said.wait_for(CallProceeding, leg="a")
        await trunkd.service.answer(Dial(leg="v", trunk="telco", called="12117", spare=1))
        assert (await trunkd.said.wait_for(CallReleased, leg="v")).cause == NO_CHANNEL


def test_an_emergency_call_takes_the_channel_of_a_test_first() -> None:
    def leg(name: str, began_at: float, spare: int = 0) -> Leg:
        return Leg(CallInfo(
            leg=name, trunk="telco", span="telco", timeslot=1, inbound=False, state="answered", called="1",
            calling="", calling_name="", complete=True, since=0.0, began_at=began_at), spare=spare)
    test, young = leg("test", 1.0, spare=1), leg("young", 9.0)
    assert victim_of([young, test], {"telco"}) is test
    assert victim_of([young], {"telco"}) is young
