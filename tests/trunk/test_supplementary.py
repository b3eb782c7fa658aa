"""Supplementary services over the bus: charges arrive, calls leave by the trunk they came in on and free
their channels. The far ends are real."""
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.bus.client import Refused
from appliance.bus.messages import Alert as AlertLeg
from appliance.bus.messages import Answer as AnswerLeg
from appliance.bus.messages import (
    CallAnswered,
    CallCharged,
    CallDeflected,
    CallIncoming,
    CallParty,
    CallReleased,
    CallsJoined,
    Charge,
    Deflect,
    DeflectionWanted,
    Dial,
    GrantDeflection,
    GrantJoin,
    JoinOutside,
    JoinWanted,
    MaliciousCallReported,
    MaliciousCallTraced,
    TraceMalicious,
)
from appliance.config.schema import Config
from appliance.isdn import events as isdn
from appliance.isdn.q931 import MessageType
from appliance.isdn.supplementary.events import (
    DeflectionAsked,
    DeflectionDone,
    MaliciousCallNoted,
    TransferAsked,
    TransferDone,
    TransferRefused,
)
from tests.trunk.far_end import FarEnd
from tests.trunk.trunkd import Trunkd, running

CONFIG = Config.model_validate({
    "spans": [{"name": name, "url": f"virtual:/{name}/a", "side": side, "trunk": name, "audit_s": 0.0}
              for name, side in (("telco", "user"), ("pbx", "network"))],
    "trunks": [{"name": "telco"}, {"name": "pbx"}]})


def ask(far: FarEnd, act: Callable[[float], object]) -> None:
    act(far.now())
    far.poke()


async def called_by(trunkd: Trunkd, far: FarEnd, key: str, *, answered: bool = True) -> str:
    """The far end calls us: our leg."""
    ask(far, lambda now: far.signalling.setup(key, "5001", now, calling="13800138000"))
    leg = (await trunkd.said.wait_for(CallIncoming)).leg
    await trunkd.service.answer(AlertLeg(leg=leg))
    if answered:
        await trunkd.service.answer(AnswerLeg(leg=leg))
        await trunkd.said.wait_for(CallAnswered, leg=leg)
    return leg


async def calls(trunkd: Trunkd, far: FarEnd, trunk: str, leg: str, *, answered: bool = True) -> str:
    """We call the far end: its key."""
    await trunkd.service.answer(Dial(leg=leg, trunk=trunk, called="6001"))
    key = (await far.wait_for(isdn.Incoming)).key
    ask(far, lambda now: far.signalling.alert(key, now))
    if answered:
        ask(far, lambda now: far.signalling.answer(key, now))
        await far.wait_for(isdn.Answered)
        await trunkd.said.wait_for(CallAnswered, leg=leg)
    return key


@pytest.mark.parametrize("granted", [True, False])
async def test_a_call_that_leaves_by_the_trunk_it_came_in_on_frees_both_channels(tmp_path: Path,
                                                                                granted: bool) -> None:
    async with running(tmp_path, CONFIG) as trunkd:
        far = trunkd.far[0]
        leg = await called_by(trunkd, far, "caller")
        key = await calls(trunkd, far, "telco", "out")
        await trunkd.service.answer(JoinOutside(leg_a=leg, leg_b="out"))
        asked = await far.wait_for(TransferAsked)
        assert {asked.key, asked.other} == {"caller", key}
        ask(far, lambda now: far.signalling.answer_transfer(asked.key, granted, now))
        joined = await trunkd.said.wait_for(CallsJoined)
        assert (joined.leg_a, joined.leg_b, joined.done) == (leg, "out", granted)
        if granted:
            ask(far, lambda now: far.signalling.hang_up("caller", 16, now))
            ask(far, lambda now: far.signalling.hang_up(key, 16, now))
            for _ in range(2):
                await trunkd.said.wait_for(CallReleased)
            assert trunkd.service.spans["telco"].signalling.channels.idle() == 30
        else:
            assert joined.why == "not available"
            assert {call.state for call in (await trunkd.calls()).values()} == {"answered"}


async def test_calls_of_two_spans_cannot_be_joined_outside(tmp_path: Path) -> None:
    async with running(tmp_path, CONFIG) as trunkd:
        leg = await called_by(trunkd, trunkd.far[0], "caller")
        await calls(trunkd, trunkd.far[1], "pbx", "out")
        with pytest.raises(Refused, match="not on one span"):
            await trunkd.service.answer(JoinOutside(leg_a=leg, leg_b="out"))
        with pytest.raises(Refused, match="no leg gone"):
            await trunkd.service.answer(JoinOutside(leg_a=leg, leg_b="gone"))
        with pytest.raises(Refused, match="not one that came in"):
            await trunkd.service.answer(Deflect(leg="out", to="1"))


@pytest.mark.parametrize("granted", [True, False])
async def test_a_pbx_hands_two_calls_back(tmp_path: Path, granted: bool) -> None:
    async with running(tmp_path, CONFIG) as trunkd:
        far = trunkd.far[1]
        leg = await called_by(trunkd, far, "from pbx")
        key = await calls(trunkd, far, "pbx", "to pbx")
        ask(far, lambda now: far.signalling.transfer("from pbx", key, now))
        wanted = await trunkd.said.wait_for(JoinWanted)
        assert {wanted.leg_a, wanted.leg_b} == {leg, "to pbx"}
        await trunkd.service.answer(GrantJoin(leg=wanted.leg_a, granted=granted))
        if granted:
            assert await far.wait_for(TransferDone) == TransferDone("from pbx", key)
            for _ in range(2):
                assert (await trunkd.said.wait_for(CallReleased)).by == "near"
        else:
            await far.wait_for(TransferRefused)
            assert len(await trunkd.calls()) == 2
        with pytest.raises(Refused, match=r"waits for no answer|it ended"):
            await trunkd.service.answer(GrantJoin(leg=wanted.leg_a, granted=True))


async def test_a_call_is_deflected(tmp_path: Path) -> None:
    async with running(tmp_path, CONFIG) as trunkd:
        far = trunkd.far[0]
        leg = await called_by(trunkd, far, "caller", answered=False)
        await trunkd.service.answer(Deflect(leg=leg, to="6002"))
        assert (await far.wait_for(DeflectionAsked)).to.digits == "6002"
        ask(far, lambda now: far.signalling.answer_deflection("caller", True, now))
        ask(far, lambda now: far.signalling.hang_up("caller", 31, now))
        assert (await trunkd.said.wait_for(CallDeflected, leg=leg)).done
        await trunkd.said.wait_for(CallReleased, leg=leg)


async def test_a_pbx_sends_a_call_elsewhere(tmp_path: Path) -> None:
    async with running(tmp_path, CONFIG) as trunkd:
        far = trunkd.far[1]
        key = await calls(trunkd, far, "pbx", "to pbx", answered=False)
        ask(far, lambda now: far.signalling.deflect(key, "6002", now))
        assert (await trunkd.said.wait_for(DeflectionWanted)).to == "6002"
        await trunkd.service.answer(GrantDeflection(leg="to pbx", granted=True))
        assert (await far.wait_for(DeflectionDone)).key == key
        assert (await trunkd.said.wait_for(CallReleased)).leg == "to pbx"


async def test_malicious_calls_are_traced_and_reported(tmp_path: Path) -> None:
    async with running(tmp_path, CONFIG) as trunkd:
        leg = await called_by(trunkd, trunkd.far[0], "caller")
        await trunkd.service.answer(TraceMalicious(leg=leg))
        assert (await trunkd.said.wait_for(MaliciousCallTraced, leg=leg)).done
        key = await calls(trunkd, trunkd.far[1], "pbx", "to pbx")
        ask(trunkd.far[1], lambda now: trunkd.far[1].signalling.trace_malicious(key, now))
        assert (await trunkd.said.wait_for(MaliciousCallReported)).leg == "to pbx"
        await trunkd.far[1].wait_for(MaliciousCallNoted)


async def test_charges_are_said_and_kept(tmp_path: Path) -> None:
    async with running(tmp_path, CONFIG) as trunkd:
        far = trunkd.far[0]
        key = await calls(trunkd, far, "telco", "out")
        advice = far.signalling.services.inform("unitsSoFar", ("specific", {
            "recordedUnitsList": [{"number": ("units", 3)}], "typeOfChargingInfo": "total"}))
        ask(far, lambda now: far.signalling.tell(key, MessageType.FACILITY, (advice,), now))
        charge = Charge(units=3)
        assert (await trunkd.said.wait_for(CallCharged, leg="out")).charge == charge
        assert (await trunkd.calls())["out"].charge == charge
        final = far.signalling.services.inform("charge", ("info", {"charge": ("freeOfCharge", None)}))
        ask(far, lambda now: far.signalling.hang_up(key, 16, now, elements=(final,)))
        assert (await trunkd.said.wait_for(CallCharged, leg="out")).charge == Charge(free=True, final=True)
        await trunkd.said.wait_for(CallReleased, leg="out")
        assert trunkd.service.calls.released()[-1].charge == Charge(free=True, final=True)


async def test_somebody_else_is_at_the_far_end(tmp_path: Path) -> None:
    async with running(tmp_path, CONFIG) as trunkd:
        far = trunkd.far[0]
        key = await calls(trunkd, far, "telco", "out")
        inform = far.signalling.services.inform("transferInform", {
            "status": "active", "redirectionNumber": ("allowed", ("unknown", "6009"))})
        ask(far, lambda now: far.signalling.tell(key, MessageType.FACILITY, (inform,), now))
        assert await trunkd.said.wait_for(CallParty) == CallParty(leg="out", why="transferred", number="6009")
