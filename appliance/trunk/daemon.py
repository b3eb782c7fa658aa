"""trunkd: Q.921 and Q.931 on every span, trunk groups, the table of trunk calls."""
import asyncio
import contextlib
import gc
import sys

from appliance.bus.messages import DaemonUp, Done, Event, Request, SpanState
from appliance.bus.runner import Context
from appliance.bus.runner import main as run
from appliance.isdn.profile import Transfer
from appliance.isdn.supplementary import codec
from appliance.store import TRACES_FILE
from appliance.trunk.binding import Bindings
from appliance.trunk.busy_out import FILE as BUSY_OUT
from appliance.trunk.busy_out import BusyOutFile
from appliance.trunk.legs import LegTable
from appliance.trunk.service import TrunkService
from appliance.trunk.trace_journal import Journal
from appliance.trunk.trace_store import TraceStore

CHANNELS_EVERY_S = 0.2                            # at most so often a span's channels are said: people look
FACTS_EVERY_S = 1.0
SWITCH_INTERVAL_S = 0.001                         # what calls may wait while traces go to the disk


async def serve(context: Context) -> None:
    """Run until stop is set. Calls are left as they are: the next trunkd goes on with them."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    outbox: asyncio.Queue[Event] = asyncio.Queue()

    async def ask(request: Request[Done]) -> Done:
        return await context.bus.ask(request)

    async def hear(event: Event) -> None:
        match event:
            case DaemonUp():
                bindings.again()
            case SpanState(span=span, up=up) if span in service.spans:
                service.spans[span].line_state(up)

    async def back() -> None:
        service.repeat_states()
        bindings.again()                          # spand may have come up unheard

    async def make_ready() -> None:
        """What no call shall wait for later: the first Facility, garbage looked for in all of the program."""
        profiles = [span.signalling.profile for span in service.spans.values()]
        if any(profile.transfer is not Transfer.NONE for profile in profiles):
            await asyncio.to_thread(codec.load)
        gc.collect()
        gc.freeze()

    async def say() -> None:
        while True:
            await context.bus.say(await outbox.get())

    async def say_channels() -> None:
        while True:
            await service.changed.wait()
            for states in service.take_channel_states():
                outbox.put_nowait(states)
            await asyncio.sleep(CHANNELS_EVERY_S)

    async def state_facts() -> None:
        while True:
            context.facts.update(service.facts())
            await asyncio.sleep(FACTS_EVERY_S)

    bindings = Bindings(ask)
    with contextlib.closing(LegTable(context.run_dir / "trunkd.sqlite")) as table:
        service = TrunkService(context.config, context.run_dir / "dchan", table,
                               BusyOutFile(context.state_dir / BUSY_OUT), bindings, outbox.put_nowait,
                               read=context.read, document=context.config_path,
                               trace_store=TraceStore(context.state_dir / TRACES_FILE),
                               journal=Journal(context.run_dir / "trunkd.traces"))
        service.restore()
        await context.bus.hear("spand", hear)
        await context.bus.answer(service.answer)
        context.bus.on_back(back)
        await context.up()
        async with asyncio.TaskGroup() as parts:
            running = [parts.create_task(part) for part in (
                make_ready(), say(), say_channels(), state_facts(), bindings.run(), service.traces.run(),
                service.run())]
            await context.stop.wait()
            for part in running:
                part.cancel()
        service.traces.close()


def main(argv: list[str] | None = None) -> int:
    return run("trunkd", serve, argv)


if __name__ == "__main__":
    sys.exit(main())
