"""branchline queues: who waits, why, and for whom; branchline queues priority: who goes first."""

import time
from pathlib import Path

import click

from appliance.bus.client import Bus
from appliance.bus.messages import (
    AgentExplained,
    ContactExplained,
    ContactInfo,
    ExplainAgent,
    ExplainContact,
    GetBoard,
    SetPriority,
)
from appliance.launch.asking import RUN_DIR, on_bus

NOBODY = "  no agent may serve it: change its queue's agents or skills"


@click.group(invoke_without_command=True)
@RUN_DIR
@click.pass_context
def queues(context: click.Context, run_dir: Path) -> None:
    """Who waits in each queue of a running box, and why."""
    if context.invoked_subcommand is None:
        click.echo("\n".join(on_bus(run_dir, table, name="boxd")))


@queues.command()
@click.argument("name", metavar="CONTACT|AGENT")
@RUN_DIR
def explain(name: str, run_dir: Path) -> None:
    """Why CONTACT waits and which agents may serve it; whom AGENT may serve."""
    click.echo("\n".join(on_bus(run_dir, lambda bus: _explained(bus, name), name="boxd")))


@queues.command()
@click.argument("contact")
@click.argument("priority", type=click.IntRange(0, 100))
@RUN_DIR
def priority(contact: str, priority: int, run_dir: Path) -> None:
    """Give CONTACT, in line, another PRIORITY (0 to 100)."""
    reply = on_bus(run_dir, lambda bus: bus.ask(SetPriority(contact=contact, priority=priority)), name="boxd")
    click.echo("\n".join(of_contact(reply, time.time())))


async def table(bus: Bus) -> list[str]:
    """A line for each queue, and below it one for each who waits."""
    board = (await bus.ask(GetBoard())).board
    of = {contact.contact: contact for contact in board.contacts}
    lines: list[str] = []
    for queue in board.queues:
        oldest = f", the first for {round(board.at - queue.oldest_since)} s" if queue.waiting else ""
        lines.append(f"{queue.name}: {len(queue.waiting)} waiting{oldest}")
        lines += [f"  {place:>3}  {name}  {_customer(of[name])}{NOBODY if name in queue.unreachable else ''}"
                  for place, name in enumerate(queue.waiting, 1) if name in of]
    return lines or ["no queues: centre.queues has none"]


def _customer(contact: ContactInfo) -> str:
    return contact.called if contact.direction == "out" else contact.calling or "withheld"


async def _explained(bus: Bus, name: str) -> list[str]:
    board = (await bus.ask(GetBoard())).board
    if any(agent.name == name for agent in board.agents):
        return of_agent(await bus.ask(ExplainAgent(agent=name)))
    return of_contact(await bus.ask(ExplainContact(contact=name)), board.at)


def of_agent(told: AgentExplained) -> list[str]:
    lines = [f"{told.agent} {told.words}", f"  serves {', '.join(told.queues) or 'no queue'}"]
    if told.contacts:
        lines.append(f"  next: {', '.join(told.contacts)}" + (
            f" and {told.waiting - len(told.contacts)} more" if told.waiting > len(told.contacts) else ""))
    return lines


def of_contact(told: ContactExplained, now: float) -> list[str]:
    wait = "unknown: nobody is there" if told.estimate_s is None else f"{told.estimate_s:.0f} s more"
    ring = f"ring {told.ring} of {told.rings - 1}" if told.rings > 1 else ""
    widens = f", the next in {max(0.0, told.widens_at - now):.0f} s" if told.widens_at is not None else ""
    return [f"{told.contact} {told.words}",
            f"  {told.queue}: number {told.position}, priority {told.priority}, {told.before} are served "
            f"before it; wait {wait}", *([f"  {ring}{widens}"] if ring else []),
            *(f"  {'*' if one.now else ' '} {one.agent:<16}{one.words}" for one in told.agents)]
