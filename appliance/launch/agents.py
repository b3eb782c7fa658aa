"""branchline agents: who is here and what each does; log in and out, ready and not."""

import time
from collections.abc import Callable
from pathlib import Path

import click

from appliance.bus.client import Bus
from appliance.bus.messages import (
    AgentInfo,
    AgentReply,
    ExtendWrapUp,
    GetBoard,
    LogIn,
    LogOut,
    Request,
    SetNotReady,
    SetReady,
)
from appliance.launch import sharing
from appliance.launch.asking import RUN_DIR, on_bus
from appliance.launch.tracing import Duration

NAME = click.argument("name", metavar="AGENT")


@click.group(invoke_without_command=True)
@RUN_DIR
@click.pass_context
def agents(context: click.Context, run_dir: Path) -> None:
    """What each agent of a running box does; log them in and out."""
    if context.invoked_subcommand is None:
        click.echo("\n".join(on_bus(run_dir, table, name="boxd")))


@agents.command("log-in")
@NAME
@click.option("--extension", default="", help="The telephone. [the agent's own]")
@click.option("--trunk", default="", help="Where it is reached. [the agent's own]")
@click.option("--ready", is_flag=True, help="At once; else after: agents ready.")
@RUN_DIR
def log_in(name: str, extension: str, trunk: str, ready: bool, run_dir: Path) -> None:
    """AGENT sits down at a telephone."""
    _ask(run_dir, lambda: LogIn(agent=name, extension=extension, trunk=trunk, ready=ready))


@agents.command("log-out")
@NAME
@RUN_DIR
def log_out(name: str, run_dir: Path) -> None:
    """AGENT goes home, after the talk if there is one."""
    _ask(run_dir, lambda: LogOut(agent=name))


@agents.command()
@NAME
@RUN_DIR
def ready(name: str, run_dir: Path) -> None:
    """AGENT takes the next call; wrap-up ends early."""
    _ask(run_dir, lambda: SetReady(agent=name))


@agents.command("not-ready")
@NAME
@click.option("--reason", default="", help="One of centre.not_ready.")
@RUN_DIR
def not_ready(name: str, reason: str, run_dir: Path) -> None:
    """AGENT takes no call, from the end of the talk on."""
    _ask(run_dir, lambda: SetNotReady(agent=name, reason=reason))


@agents.command("extend-wrap-up")
@NAME
@click.option("--for", "for_s", type=Duration(), required=True, help="So much longer, e.g. 30s or 2m.")
@RUN_DIR
def extend_wrap_up(name: str, for_s: float, run_dir: Path) -> None:
    """Give AGENT more time after a call."""
    _ask(run_dir, lambda: ExtendWrapUp(agent=name, for_s=for_s))


agents.add_command(sharing.crew)
agents.add_command(sharing.assign)


def _ask(run_dir: Path, request: Callable[[], Request[AgentReply]]) -> None:
    reply = on_bus(run_dir, lambda bus: bus.ask(request()), name="boxd")
    click.echo(_line(reply.agent, time.time()))


async def table(bus: Bus) -> list[str]:
    """A line for each agent."""
    board = (await bus.ask(GetBoard())).board
    return [_line(agent, board.at) for agent in board.agents] or ["no agents: centre.agents has none"]


def _line(agent: AgentInfo, now: float) -> str:
    minutes, seconds = divmod(max(0, round(now - agent.since)), 60)
    notes = [agent.reason, f"then {agent.wish} {agent.wish_reason}".rstrip() if agent.wish else "",
             "over the limit" if agent.overran else ""]
    return (f"{agent.name:<16}{agent.extension or '-':<10}{agent.state:<13}{minutes:>4}:{seconds:02}"
            f"{agent.calls:>5} calls  {', '.join(filter(None, notes))}").rstrip()
