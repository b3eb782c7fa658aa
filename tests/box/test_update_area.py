"""What people ask boxd about updates over the bus, and what it says of them by itself."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from appliance.box.update import area
from appliance.box.update.area import Updates
from appliance.bus.client import Bus, Refused
from appliance.bus.messages import (
    CancelUpdate,
    ConfirmUpdate,
    Event,
    GetUpdate,
    GoBack,
    HurryUpdate,
    InstallUpdate,
    ReloadUpdate,
    UpdateState,
)
from appliance.bus.runner import Context
from appliance.config.load import load
from tests.box.updating import Box

SPANS = [{"name": "one", "url": "virtual:x/a", "side": "user", "trunk": "telco"}]


@dataclass
class Rig:
    asks: Bus
    said: "asyncio.Queue[Event]"
    document: Path

    async def state(self, phase: str) -> UpdateState:
        """What boxd says as soon as it is in that phase."""
        async with asyncio.timeout(10):
            while True:
                event = await self.said.get()
                if isinstance(event, UpdateState) and event.phase == phase:
                    return event


def hour(ahead: int) -> str:
    return time.strftime("%H:00", time.localtime(time.time() + ahead * 3600))


@pytest.fixture
async def rig(bus_server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    document = tmp_path / "box.yaml"
    document.write_text(yaml.safe_dump(
        {"spans": SPANS, "update": {"quiet": {"begins": hour(2), "ends": hour(3)}}}))
    (tmp_path / "cmdline").write_text("rauc.slot=A")
    hands = Box(tmp_path / "slots")
    monkeypatch.setattr(area, "COMMAND_LINE", tmp_path / "cmdline")
    monkeypatch.setattr(area, "STATE", tmp_path / "update")
    monkeypatch.setattr(area, "BoxHands", lambda run_dir, state_dir: hands)
    boxd, webui = await Bus.connect(bus_server, "boxd"), await Bus.connect(bus_server, "webui")
    context = Context("boxd", load(document), tmp_path, bus_server, boxd, asyncio.Event(),
                      config_path=document)
    updates = Updates(context)
    said: asyncio.Queue[Event] = asyncio.Queue()
    await webui.hear("boxd", said.put)

    async def answer(request: object) -> object:
        return await updates.answers[type(request)](request)          # type: ignore[index]

    await boxd.answer(answer)                     # type: ignore[arg-type]
    running = asyncio.create_task(updates.run(context.stop))
    rig = Rig(webui, said, document)
    await rig.state("idle")
    yield rig
    context.stop.set()
    await asyncio.wait_for(running, 10)
    await boxd.close()
    await webui.close()


@pytest.mark.need(19)
async def test_an_update_waits_for_its_hour_is_hurried_and_called_off(rig: Rig) -> None:
    await rig.asks.ask(InstallUpdate(source="v2.raucb", begin="quiet", by="noc"))
    waits = await rig.state("waiting")
    if not waits.next_at:
        waits = await rig.state("waiting")
    assert time.strftime("%H:%M", time.localtime(waits.next_at)) == hour(2)
    with pytest.raises(Refused, match="is waiting already"):
        await rig.asks.ask(InstallUpdate(source="v2.raucb"))
    await rig.asks.ask(HurryUpdate(by="noc"))
    drains = await rig.state("draining")
    assert (drains.version_to, drains.slot, drains.confirmed) == ("2.0", "A", "A")
    await rig.asks.ask(CancelUpdate(by="noc"))
    await rig.state("idle")
    reply = await rig.asks.ask(GetUpdate())
    assert [(one.outcome, one.why) for one in reply.history] == [("cancelled", "by noc")]
    with pytest.raises(Refused, match="no update goes on"):
        await rig.asks.ask(CancelUpdate())


@pytest.mark.need(19)
async def test_a_refused_bundle_is_said_with_why(rig: Rig) -> None:
    await rig.asks.ask(InstallUpdate(source="foreign.raucb"))
    await rig.state("idle")
    reply = await rig.asks.ask(GetUpdate())
    assert [(one.outcome, one.why) for one in reply.history] == [("failed", "signature verification failed")]
    await rig.asks.ask(InstallUpdate(source="changed.raucb"))
    assert (await rig.state("idle")).unusable == ["B"]
    with pytest.raises(Refused, match="holds nothing that can be started"):
        await rig.asks.ask(GoBack())
    with pytest.raises(Refused, match="is confirmed already"):
        await rig.asks.ask(ConfirmUpdate())


async def test_settings_are_read_again(rig: Rig) -> None:
    document = yaml.safe_load(rig.document.read_text())
    document["update"]["gate_s"] = 60
    rig.document.write_text(yaml.safe_dump(document))
    boxd = await Bus.connect(rig.document.parent / "run", "boxd")
    try:
        assert (await boxd.ask(ReloadUpdate(check=True))).changed == ["update.gate_s"]
        assert (await boxd.ask(ReloadUpdate())).changed == ["update.gate_s"]
        assert (await boxd.ask(ReloadUpdate())).changed == []
    finally:
        await boxd.close()
