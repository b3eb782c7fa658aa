"""branchline agents crew, assign: who serves what, and agents moved by hand, with the effect told before."""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from appliance.bus.client import Bus
from appliance.bus.messages import (
    AssignAgents,
    Assigning,
    CrewEffect,
    CrewReply,
    GetCrew,
    TryAssignment,
)
from appliance.launch.asking import RUN_DIR, on_bus
from appliance.launch.moments import Moment, ahead

WAITS = "nobody there"


class Skill(click.ParamType[tuple[str, int]]):
    """sales=5; a level of 0 takes it away."""

    name = "skill=level"

    def convert(self, value: object, param: click.Parameter | None,
                ctx: click.Context | None) -> tuple[str, int]:
        found = re.fullmatch(r"(\S+)=([0-9]{1,2})", str(value))
        if not found:
            self.fail(f"{value!r}: give a skill and its level, e.g. sales=5; 0 takes it away", param, ctx)
        return found[1], int(found[2])


@click.command("crew")
@RUN_DIR
def crew(run_dir: Path) -> None:
    """Who serves which queue, and from which of its rings on."""
    click.echo("\n".join(_table(on_bus(run_dir, lambda bus: bus.ask(GetCrew()), name="boxd"))))


@click.command("assign")
@click.argument("names", metavar="AGENT...", nargs=-1, required=True)
@click.option("--also", multiple=True, metavar="QUEUE", help="Serves it, too, whatever it asks for.")
@click.option("--without", multiple=True, metavar="QUEUE", help="Does not serve it.")
@click.option("--skill", "skills", multiple=True, type=Skill(), help="At this level; 0 takes it away.")
@click.option("--until", type=Moment(), help="e.g. 18:00. [until the log-out]")
@click.option("--until-taken-back", "stays", is_flag=True, help="Not only until the log-out.")
@click.option("--as-configured", is_flag=True, help="Nothing by hand any more.")
@click.option("--dry-run", is_flag=True, help="Only say what it would do.")
@RUN_DIR
def assign(names: Sequence[str], also: Sequence[str], without: Sequence[str],
           skills: Sequence[tuple[str, int]], until: datetime | None, stays: bool, as_configured: bool,
           dry_run: bool, run_dir: Path) -> None:
    """AGENT... serve other queues, or by other skills, beside the configuration: at once, for a time.

    In place of what was assigned to them before. Calls that go on are not touched.
    """
    if as_configured == bool(also or without or skills):
        raise click.UsageError("give --also, --without or --skill, or --as-configured alone")
    until_s = 0.0 if until is None else ahead(until, datetime.now()).timestamp()

    async def ask(bus: Bus) -> list[str]:
        configured = {one.agent.name: one.configured for one in (await bus.ask(GetCrew())).agents}
        wanted = [Assigning(agent=name) if as_configured else Assigning(
            agent=name, also=list(also), without=list(without), until=until_s,
            skills=_with(configured.get(name, {}), skills) if skills else None,
            until_log_out=until is None and not stays) for name in names]
        effect = _effect(await bus.ask(TryAssignment(assignments=wanted)))
        if not dry_run:
            await bus.ask(AssignAgents(assignments=wanted))
        return effect

    click.echo("\n".join(on_bus(run_dir, ask, name="boxd")))


def _with(configured: dict[str, int], skills: Sequence[tuple[str, int]]) -> dict[str, int]:
    return {skill: level for skill, level in (configured | dict(skills)).items() if level}


def _table(reply: CrewReply) -> list[str]:
    if not reply.agents or not reply.queues:
        return ["no agents, or no queues: see centre.agents, centre.queues"]
    wide = max(8, *(len(queue.name) for queue in reply.queues)) + 2
    lines = [f"{'':<16}" + "".join(f"{queue.name:<{wide}}" for queue in reply.queues)]
    for one in reply.agents:
        by = f"by {one.agent.assigned.by or 'the box'}" if one.agent.assigned else ""
        rings = "".join(f"{_ring(one.serves.get(queue.name)):<{wide}}" for queue in reply.queues)
        lines.append(f"{one.agent.name:<16}{rings}{by}".rstrip())
    return lines


def _ring(ring: int | None) -> str:
    return "-" if ring is None else "yes" if ring == 0 else f"ring {ring}"


def _effect(effect: CrewEffect) -> list[str]:
    return [f"{one.queue:<16}agents {one.able} -> {one.able_then}, logged in {one.present} -> "
            f"{one.present_then}, wait {_wait(one.wait_s)} -> {_wait(one.wait_then_s)}, "
            f"{one.waiting} waiting, with nobody there {one.stranded} -> {one.stranded_then}"
            for one in effect.queues]


def _wait(seconds: float | None) -> str:
    return WAITS if seconds is None else f"{seconds:.0f} s"
