"""Who answers every call that comes in, as a program of its own: python -m tests.bench.stand_in RUN_DIR.

With --spand it says yes to whatever trunkd asks of spand, too.
"""
import argparse
import asyncio
from pathlib import Path

from appliance.bus.client import Bus
from appliance.bus.messages import Answer, CallIncoming, Done, Event, Reply, Request


async def run(run_dir: Path, spand: bool) -> None:
    """Until killed."""
    incoming: asyncio.Queue[str] = asyncio.Queue()

    async def hear(event: Event) -> None:
        if isinstance(event, CallIncoming):
            incoming.put_nowait(event.leg)

    async def agree(request: Request[Reply]) -> Reply:
        return Done()

    if spand:
        await (await Bus.connect(run_dir, "spand")).answer(agree)
    bus = await Bus.connect(run_dir, "acdd")
    await bus.hear("trunkd", hear)
    print("there", flush=True)
    while True:
        await bus.ask(Answer(leg=await incoming.get()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("--spand", action="store_true")
    args = parser.parse_args()
    asyncio.run(run(args.run_dir, args.spand))
