"""A call through the real acdd, on the bus, and the page of its figures."""

import asyncio
import re
import time
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from appliance.bus.messages import CallReleased, Hangup
from appliance.config.schema import Config
from tests.centre.test_daemon import Player, acdd, talk
from tests.centre.test_daemon import config as config
from tests.webui.conftest import FakeExchange


@pytest.mark.need(4)
async def test_a_call_is_on_the_report_and_the_report_leads_to_it(
        bus_server: Path, tmp_path: Path, config: Config, client: FlaskClient, exchange: FakeExchange,
        monkeypatch: pytest.MonkeyPatch) -> None:
    async with Player.on(bus_server, "trunkd") as trunkd, Player.on(bus_server, "spand") as spand, \
            Player.on(bus_server, "webui") as webui, acdd(bus_server, tmp_path, config):
        agent_leg, _ = await talk(trunkd, spand, "c1")
        del trunkd.calls["c1"]
        await trunkd.say(CallReleased(leg="c1", cause=16, by="far", at=time.time()))
        assert (await trunkd.until_asked(Hangup)).leg == agent_leg
        loop = asyncio.get_running_loop()

        def ask(request: Any, timeout_s: float = 2.0) -> Any:
            asked = asyncio.run_coroutine_threadsafe(webui.bus.ask(request, timeout_s), loop)
            return asked.result(timeout_s + 1)
        monkeypatch.setattr(exchange, "ask", ask)

        async def page(address: str) -> str:
            answer = await asyncio.to_thread(client.get, address)
            assert answer.status_code == 200, answer.text
            return str(answer.text)

        table = await page("/reports/?kind=queue&period=today")
        [sales] = re.findall(r'<th scope="row">sales</th>(.*?)</tr>', table)
        assert re.findall(r">([^<]+)</a>", sales)[:2] == ["1", "1"]
        [answered] = [unescape(link) for link in re.findall(r'href="(behind[^"]*=answered)"', sales)]
        behind = await page(f"/reports/{answered}")
        [contact] = re.findall(r'href="(/contacts/[^"]+)"', behind)
        assert ">ann</td>" in behind
        assert "13" in await page(contact)
        for kind in ("agent", "trunk", "flow"):
            assert '<th scope="row">' in await page(f"/reports/?kind={kind}&period=today")
        csv = await page("/reports/report.csv?kind=agent&period=today&interval=hour&name=ann")
        assert ",1.0,1.0," in csv
