"""`branchline e1ctl`: a line of the running box under test, given back whatever happens."""

import asyncio
import contextlib
import secrets
import signal
import sys
from collections.abc import Sequence

from appliance.bus.client import Bus, BusError
from appliance.bus.messages import Event, LendSpan, SpanState, TakeSpanBack
from appliance.errors import Unavailable

LOAN_S, RENEW_S = 30.0, 10.0                      # a loan ends by itself when this program is killed
GIVEN_S = 5.0
E1CTL = (sys.executable, "-m", "e1_driver.ctl")


async def test(bus: Bus, span: str, command: Sequence[str]) -> int:
    """Run e1ctl with the arguments `command`, which open the line of `span`; its exit code.

    Refused: no such span, it carries calls, or it is lent already. Ctrl-C is e1ctl's to handle.
    """
    borrower = secrets.token_hex(8)
    await _borrow(bus, span, borrower)
    loop = asyncio.get_running_loop()
    child = await asyncio.create_subprocess_exec(*E1CTL, *command)
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    loop.add_signal_handler(signal.SIGTERM, child.terminate)
    renewing, running = asyncio.create_task(_renew(bus, span, borrower)), asyncio.create_task(child.wait())
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
            await bus.ask(TakeSpanBack(span=span, borrower=borrower))


async def _borrow(bus: Bus, span: str, borrower: str) -> None:
    given = asyncio.Event()

    async def hear(event: Event) -> None:
        if isinstance(event, SpanState) and event.span == span and event.lent:
            given.set()

    await bus.hear("spand", hear)
    await bus.ask(LendSpan(span=span, borrower=borrower, for_s=LOAN_S))
    try:
        async with asyncio.timeout(GIVEN_S):
            await given.wait()
    except TimeoutError:
        await bus.ask(TakeSpanBack(span=span, borrower=borrower))
        raise Unavailable(f"span {span}: spand does not give it away") from None


async def _renew(bus: Bus, span: str, borrower: str) -> None:
    while True:
        await asyncio.sleep(RENEW_S)
        await bus.ask(LendSpan(span=span, borrower=borrower, for_s=LOAN_S))
