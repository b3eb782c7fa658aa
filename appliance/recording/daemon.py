"""recordd: the record ring into files, once a second. Never in the audio path."""

import asyncio
import contextlib
import logging
import sys
from typing import Any

from appliance.bus.client import Refused
from appliance.bus.messages import GetRecording, RecordingFinished, RecordingInfo, Reply, Request
from appliance.bus.runner import Context
from appliance.bus.runner import main as run
from appliance.recording.tap import Tap
from appliance.recording.writer import Writer

BATCH_S = 1.0

log = logging.getLogger(__name__)


async def serve(context: Context) -> None:
    """Take up what was cut off, then write until told to stop; live recordings stay as they are."""
    writer = Writer(context.state_dir / "recordings")
    tap = Tap(context.run_dir / "ring")
    await asyncio.to_thread(writer.recover)

    async def answer(request: Request[Any]) -> Reply:
        if isinstance(request, GetRecording):
            return await asyncio.to_thread(writer.info, request.recording)
        raise Refused(f"{type(request).__name__}: recordd does not do that")

    await context.bus.answer(answer)
    await context.up()
    try:
        await _write(context, writer, tap)
    finally:
        await asyncio.to_thread(writer.close)


async def _write(context: Context, writer: Writer, tap: Tap) -> None:
    loop = asyncio.get_running_loop()
    next_at, said = loop.time(), ""
    while True:
        stopping = context.stop.is_set()          # one batch more after it
        ended, problem = await asyncio.to_thread(_batch, writer, tap)
        if problem != said:
            log.info("record ring: %s", problem or "reading")
            said = problem
        context.facts.update(writer.figures())
        for info in ended:
            await context.bus.say(RecordingFinished(info=info))
        if stopping:
            return
        next_at = max(next_at + BATCH_S, loop.time())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(next_at):
                await context.stop.wait()


def _batch(writer: Writer, tap: Tap) -> tuple[list[RecordingInfo], str]:
    return [info for ring in tap.rings() for info in writer.batch(ring)], tap.problem


def main(argv: list[str] | None = None) -> int:
    return run("recordd", serve, argv)


if __name__ == "__main__":
    sys.exit(main())
