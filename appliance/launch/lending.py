"""`branchline e1ctl`: a line of the running box under test, given back whatever happens."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence

from appliance.bus.client import Bus, BusError
from appliance.bus.messages import Event, LendSpan, SpanState, TakeSpanBack
from appliance.errors import Unavailable

LOAN_S, RENEW_S = 30.0, 10.0                      # a loan ends by itself when this program is killed
GIVEN_S = 5.0


async def test(bus: Bus, span: str, url: str, command: Sequence[str]) -> int:
    """Run e1ctl's sub-command `command[0]`, options after it, on `span`, which has `url`; its exit code.

    Refused: no such span, or it carries calls. Ctrl-C is e1ctl's to handle.
    """
    await _borrow(bus, span)
    loop = asyncio.get_running_loop()
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "e1_driver.ctl", command[0], url, *command[1:])
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    loop.add_signal_handler(signal.SIGTERM, child.terminate)
    renewing, running = asyncio.create_task(_renew(bus, span)), asyncio.create_task(child.wait())
    try:
        await asyncio.wait((renewing, running), return_when=asyncio.FIRST_COMPLETED)
        if not running.done():                    # spand wants the line back, or is gone
            child.terminate()
            await running
            renewing.result()
        return running.result()
    finally:
        renewing.cancel()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        with contextlib.suppress(BusError):       # the loan ends by itself
            await bus.ask(TakeSpanBack(span=span))


async def _borrow(bus: Bus, span: str) -> None:
    given = asyncio.Event()

    async def hear(event: Event) -> None:
        if isinstance(event, SpanState) and event.span == span and event.lent:
            given.set()

    await bus.hear("spand", hear)
    await bus.ask(LendSpan(span=span, for_s=LOAN_S))
    try:
        async with asyncio.timeout(GIVEN_S):
            await given.wait()
    except TimeoutError:
        await bus.ask(TakeSpanBack(span=span))
        raise Unavailable(f"span {span}: spand does not give it away") from None


async def _renew(bus: Bus, span: str) -> None:
    while True:
        await asyncio.sleep(RENEW_S)
        await bus.ask(LendSpan(span=span, for_s=LOAN_S))
