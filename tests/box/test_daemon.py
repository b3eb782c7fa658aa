"""boxd on a real bus, in this process: what it hears of others and itself becomes Health."""

import asyncio
import time
from pathlib import Path

import pytest

from appliance.box import daemon
from appliance.bus.client import Bus, BusError
from appliance.bus.messages import Event, GetHealth, Health, Heartbeat
from appliance.bus.runner import Context
from appliance.config.schema import Config, SpanConfig

CONFIG = Config(spans=[SpanConfig(name="e1", url="virtual:/tmp/none/a", side="user", trunk="telco")])


def beat(name: str, pid: int) -> Heartbeat:
    return Heartbeat(daemon=name, pid=pid, started_at=1.0, at=time.time(), rss_octets=1, cpu_s=0.1,
                     facts={"gap_s": 0.25})


async def test_health_follows_the_heartbeats(bus_server: Path, tmp_path: Path) -> None:
    boxd, spand, webui = [await Bus.connect(bus_server, name) for name in ("boxd", "spand", "webui")]
    said: asyncio.Queue[Event] = asyncio.Queue()
    await webui.hear("boxd", said.put)
    context = Context("boxd", CONFIG, tmp_path, bus_server, boxd, asyncio.Event())
    serving = asyncio.create_task(daemon.serve(context))

    async def health_with(name: str, state: str, starts: int) -> Health:
        async with asyncio.timeout(10):
            while True:
                event = await said.get()
                if isinstance(event, Health) and (state, starts) in [
                        (one.state, one.starts) for one in event.daemons if one.daemon == name]:
                    return event

    await health_with("spand", "never", 0)
    await spand.say(beat("spand", 11))
    await health_with("spand", "up", 1)
    await spand.say(beat("spand", 12))            # restarted
    await health_with("spand", "up", 2)
    await boxd.say(beat("boxd", 1))               # its own comes back to it
    await health_with("boxd", "up", 1)
    reply = await webui.ask(GetHealth())
    (of_spand,) = [one for one in reply.health.daemons if one.daemon == "spand"]
    assert (of_spand.pid, of_spand.facts) == (12, {"gap_s": 0.25})
    await health_with("spand", "late", 2)
    context.stop.set()
    await asyncio.wait_for(serving, 10.0)
    await boxd.close()
    with pytest.raises(BusError, match="boxd is not there"):
        await webui.ask(GetHealth())
    await spand.close()
    await webui.close()
