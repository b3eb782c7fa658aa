"""boxd itself, on a real bus: its agent, its measures for webui, a configuration taken over live."""

import asyncio
import time
from pathlib import Path

import pytest
import yaml

from appliance.box import daemon
from appliance.bus.client import Bus, BusError
from appliance.bus.messages import GetExposition, Heartbeat, ReloadBackup, SpanState
from appliance.bus.runner import Context
from appliance.config.load import load
from tests.box.snmp.boxes import HOST, PORTS
from tests.box.snmp.test_agent import PHRASES, V3, ask

SPANS = [{"name": "telco1", "url": "virtual:/tmp/none/a", "side": "user", "trunk": "telco"}]


@pytest.mark.need(11)
async def test_what_boxd_hears_is_asked_for_and_a_change_is_taken_over(
        bus_server: Path, tmp_path: Path) -> None:
    for name, phrase in PHRASES.items():
        (tmp_path / name).write_text(phrase)
        (tmp_path / name).chmod(0o600)
    port, document = next(PORTS), tmp_path / "branchline.yaml"
    snmp = {"address": HOST, "port": port,
            "users": [{"name": "noc", "auth_file": "auth", "privacy_file": "privacy"}]}
    document.write_text(yaml.safe_dump({"spans": SPANS}))
    boxd, spand, webui = [await Bus.connect(bus_server, name) for name in ("boxd", "spand", "webui")]
    context = Context("boxd", load(document), tmp_path, bus_server, boxd, asyncio.Event(),
                      config_path=document)
    serving = asyncio.create_task(daemon.serve(context))
    try:
        async with asyncio.timeout(30):
            await _measures(webui, "branchline_box_info")
        assert not (tmp_path / "snmp.json").exists(), "off: nothing is made"
        document.write_text(yaml.safe_dump({"spans": SPANS, "snmp": snmp}))
        tried = await _changed(boxd, ReloadBackup(check=True))
        assert "snmp.address" in tried and not (tmp_path / "snmp.json").exists()
        assert await _changed(boxd, ReloadBackup()) == tried
        await spand.say(Heartbeat(daemon="spand", pid=7, started_at=1.0, at=time.time(), rss_octets=1,
                                  cpu_s=0.1))
        await spand.say(SpanState(span="telco1", up=True, alarms=[], counters={}, at=time.time()))
        said, error = await ask("snmpget", *V3, "-t", "0.3", "-r", "40", f"{HOST}:{port}",
                                "1.3.6.1.2.1.2.2.1.2.1001", "1.3.6.1.2.1.10.18.6.1.10.1001")
        assert '"E1 telco1"' in said and said.rstrip().endswith("INTEGER: 1"), error
        async with asyncio.timeout(30):
            assert 'branchline_span_up{span="telco1"} 1' in await _measures(webui, "branchline_span_up")
    finally:
        context.stop.set()
        await asyncio.wait_for(serving, 20.0)
        for bus in (boxd, spand, webui):
            await bus.close()


async def _changed(bus: Bus, request: ReloadBackup) -> list[str]:
    """As boxd does for a document that is committed."""
    return (await bus.ask(request, 10.0)).changed


async def _measures(bus: Bus, name: str) -> str:
    """Until this one is among them: boxd may still be beginning."""
    while True:
        try:
            text = (await bus.ask(GetExposition(), 10.0)).text
        except BusError:
            text = ""
        if name in text:
            return text
        await asyncio.sleep(0.1)
