"""The box's own settings by the bus: boxd, root's socket and verbs; and a machine that is no box."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appliance.box import daemon
from appliance.box.provision import kept
from appliance.box.reset.wish import FLAG
from appliance.bus.client import Bus, Refused
from appliance.bus.messages import (
    CardButton,
    ChangeProvision,
    ConfirmNetwork,
    Event,
    GetProvision,
    GetWallClock,
    Provide,
    Request,
    ResetBox,
    RevertNetwork,
    SetWallClock,
    TryNetwork,
    WallClock,
)
from appliance.bus.runner import Context
from appliance.config.schema import Config, SpanConfig
from appliance.launch import own_box
from tests.box.provision.rooted import Root
from tests.box.provision.test_applying import STATIC, Bench

CONFIG = Config(spans=[SpanConfig(name="e1", url="virtual:/tmp/none/a", side="user", trunk="telco")])


@pytest.fixture
async def boxd(bus_server: Path, tmp_path: Path) -> AsyncIterator[Bus]:
    """A command of a person; boxd serves in this process, and has said what the clock is worth."""
    own, person = [await Bus.connect(bus_server, "boxd") for _ in range(2)]
    up = asyncio.Event()

    async def heard(event: Event) -> None:
        if isinstance(event, WallClock):
            up.set()
    await person.hear("boxd", heard)
    context = Context("boxd", CONFIG, tmp_path / "state", bus_server, own, asyncio.Event())
    context.state_dir.mkdir()
    serving = asyncio.create_task(daemon.serve(context))
    await asyncio.wait_for(up.wait(), 30)
    yield person
    context.stop.set()
    await serving
    await own.close()
    await person.close()


async def test_a_laptop_is_no_installed_box(boxd: Bus) -> None:
    requests: list[Request[Any]] = [GetProvision(), RevertNetwork(), SetWallClock(to=1.9e9),
                                    ResetBox(name=kept.hostname(), by="command")]
    for request in requests:
        with pytest.raises(Refused, match="no installed box"):
            await boxd.ask(request)
    assert (await boxd.ask(GetWallClock())).clock.source in ("ptp", "ntp", "rtc", "unknown")


async def test_from_new_to_named_to_erased(
        boxd: Bus, bus_server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "WRONG_CODE_S", 0.0)
    bench = Bench(tmp_path / "root")
    bench.kept.boot()
    root = Root(bus_server, bench)
    flag = bench.kept.root / "data" / FLAG
    try:
        code = bench.kept.claim_code()
        assert not (await boxd.ask(GetProvision())).provisioned
        with pytest.raises(Refused, match="not the box's claim code"):
            await boxd.ask(Provide(document="{}", claim="AAAA", by="web"))
        with pytest.raises(Refused, match=r"branchline-provision\.yaml:1: hostname"):
            await boxd.ask(Provide(document="hostname: X", claim=code, by="web"))
        await boxd.ask(Provide(document="hostname: box-7", claim=code, by="web", check=True))
        assert not (await boxd.ask(GetProvision())).provisioned
        await boxd.ask(Provide(document="hostname: box-7", claim=code, by="web"))
        await boxd.ask(ChangeProvision(keys={"time_zone": "Asia/Shanghai"}, by="web"))
        await boxd.ask(TryNetwork(network=STATIC, by="web"))
        assert (await boxd.ask(GetProvision())).trial_left_s > 200
        with pytest.raises(Refused, match="new address"):
            await boxd.ask(ConfirmNetwork(through="198.51.100.1", by="web"))
        await boxd.ask(ConfirmNetwork(through="192.0.2.10", by="web"))
        found = await boxd.ask(GetProvision())
        assert (found.provisioned, found.source) == (True, "web")
        assert "Asia/Shanghai" in found.document and code not in str(found)
        monkeypatch.setattr(own_box, "Kept", lambda: bench.kept)
        shown = await asyncio.to_thread(
            CliRunner().invoke, own_box.provision, ["show", "--run-dir", str(bus_server)])
        assert f"claim code, for changes on the console: {code}\n" in shown.output
        with pytest.raises(Refused, match="nothing is erased"):
            await boxd.ask(ResetBox(name="box-8", by="web"))
        assert not flag.exists()
        await boxd.say(CardButton(at=time.time(), card="card1", asked="factory-reset"))
        while not root.reboots:
            await boxd.ask(GetProvision())
        assert flag.exists()
    finally:
        await asyncio.to_thread(root.close)
