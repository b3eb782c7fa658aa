"""Figures asked of a running acdd over the bus, and by the command."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from appliance.bus.client import Refused
from appliance.bus.messages import CallReleased, GetFigureCounts, GetFigures, Hangup
from appliance.config.schema import Config
from tests.centre.test_daemon import Player, acdd, talk
from tests.centre.test_daemon import config as config
from tests.launch.test_cli import branchline


async def test_figures_over_the_bus_and_by_the_command(
        bus_server: Path, tmp_path: Path, config: Config) -> None:
    async with Player.on(bus_server, "trunkd") as trunkd, Player.on(bus_server, "spand") as spand, \
            Player.on(bus_server, "webui") as webui, acdd(bus_server, tmp_path, config):
        before = time.time()
        agent_leg, _ = await talk(trunkd, spand, "c1")
        del trunkd.calls["c1"]
        await trunkd.say(CallReleased(leg="c1", cause=16, by="far", at=time.time()))
        assert (await trunkd.until_asked(Hangup)).leg == agent_leg
        since, until = before - 60.0, time.time() + 60.0
        found = await webui.bus.ask(GetFigures(of="queue", since=since, until=until))
        sales = dict(zip((one.name for one in found.definitions), found.rows[1].values, strict=True))
        assert [row.name for row in found.rows] == ["", "sales"]
        level = sales["service_level"]
        assert (sales["answered"].value, level.target, level.kept) == (1, 0.8, True)
        behind = await webui.bus.ask(GetFigureCounts(
            of="queue", name="sales", figure="service_level", since=since, until=until))
        assert (behind.tops, behind.bottoms, behind.top[0].other) == (1, 1, "ann")
        assert behind.definition.formula.startswith("answered in at most T / (answered + ")
        with pytest.raises(Refused, match="weather: there are figures of queue, agent, trunk, node"):
            await webui.bus.ask(GetFigures(of="weather", since=since, until=until))

        async def command(*arguments: str) -> str:
            done = await asyncio.to_thread(
                branchline, tmp_path, "figures", *arguments, "--run-dir", str(bus_server))
            assert done.returncode == 0, done.stderr
            return done.stdout

        lines = (await command("queue", "sales")).splitlines()
        assert lines[0].startswith("sales   ")
        assert any(line.split()[:4] == ["service_level", "100.0", "%", "1"] for line in lines), lines
        assert "answered" in await command("queue", "--interval", "15m")
        assert behind.top[0].contact in await command("queue", "sales", "--contacts", "answered_share")
        rows = json.loads(await command("agent", "--json"))["rows"]
        [ann] = [row for row in rows if row["name"] == "ann"]
        assert ["rung/answered", 1] in [one[:2] for one in ann["sums"]]
        assert "flow.yaml: menu" in await command("flow")
        assert "telco" in await command("trunk")
