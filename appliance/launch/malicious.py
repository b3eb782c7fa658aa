"""branchline trace-malicious: have the telephone company register who calls."""

import asyncio
from pathlib import Path

import click

from appliance.bus.client import Bus
from appliance.bus.messages import GetContactFacts, TraceCaller
from appliance.errors import BranchlineError
from appliance.launch.asking import RUN_DIR, on_bus

WAIT_S = 6.0                                      # networks answer at once, and are given up after 4 s
LOOK_EVERY_S = 0.2


class NotTraced(BranchlineError):
    """The network does not do it. Says why."""


@click.command("trace-malicious")
@click.argument("name", metavar="CONTACT|LEG")
@RUN_DIR
def trace_malicious(name: str, run_dir: Path) -> None:
    """Have the telephone company register who calls, while the call goes on (MCID)."""
    click.echo(on_bus(run_dir, lambda bus: trace_caller(bus, name)))


async def trace_caller(bus: Bus, name: str, wait_s: float = WAIT_S) -> str:
    """What came of it, in words; `name` is a contact's or a leg's. NotTraced; Refused: it cannot be asked."""
    contact = (await bus.ask(TraceCaller(name=name))).contact
    for _ in range(max(1, round(wait_s / LOOK_EVERY_S))):
        trace = (await bus.ask(GetContactFacts(contact=contact))).traces[-1]
        if trace.done:
            return f"contact {contact}: the network has registered the caller"
        if trace.done is not None:
            raise NotTraced(f"contact {contact}: the caller is not registered: {trace.why}")
        await asyncio.sleep(LOOK_EVERY_S)
    return f"contact {contact}: the network was asked and has not answered yet; the contact's page will tell"
