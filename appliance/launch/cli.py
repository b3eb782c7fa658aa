"""The branchline command."""

import contextlib
import sys
from importlib import import_module
from pathlib import Path

import click

from appliance.bus.client import Bus
from appliance.bus.messages import GetHealth, HealthReply
from appliance.launch import channels as channel_table
from appliance.launch import listening, malicious, media, tracing
from appliance.launch.asking import PATH, RUN_DIR, beside, columns, on_bus, or_exit

# Commands with rooms of their own, read when they are asked for: others need not wait for what they import.
ELSEWHERE = {
    "abandoned": "callbacks:abandoned",
    "agents": "agents:agents",
    "archive": "archive:archive",
    "backup": "backup:backup",
    "board": "hardware:board",
    "calendar": "route:calendar",
    "callbacks": "callbacks:callbacks",
    "card": "card:card",
    "check": "configured:check",
    "clock": "own_box:clock",
    "config": "config:config",
    "console": "own_box:console",
    "control": "control:control",
    "e1ctl": "configured:e1ctl",
    "factory-reset": "own_box:factory_reset",
    "figures": "figures:figures",
    "fleet": "fleet:fleet",
    "flow": "flow:flow",
    "grafana": "grafana:grafana",
    "hardware": "hardware:hardware",
    "health": "hardware:health",
    "maintenance": "maintenance:maintenance",
    "prompts": "configured:prompts",
    "provision": "own_box:provision",
    "quality": "quality:quality",
    "queues": "queues:queues",
    "rebuild": "records:rebuild",
    "recorded": "recorded:recorded",
    "recordings": "recordings:recordings",
    "reload": "configured:reload",
    "route": "route:route",
    "sim": "sim:sim",
    "ssh-password": "ssh_password:ssh_password",
    "support": "own_box:support",
    "survey": "callbacks:survey",
    "test-call": "update:test_call",
    "up": "configured:up",
    "update": "update:update",
    "verify": "verify:verify",
    "voicemail": "callbacks:voicemail",
}


class Commands(click.Group):
    def list_commands(self, context: click.Context) -> list[str]:
        return sorted([*super().list_commands(context), *ELSEWHERE])

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in ELSEWHERE:
            return super().get_command(context, name)
        room, _, what = ELSEWHERE[name].partition(":")
        command: click.Command = getattr(import_module(f"appliance.launch.{room}"), what)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="branchline")
def main() -> None:
    """Branchline: a branch office's E1/PRI lines turned into a complete call centre."""


@main.command()
@RUN_DIR
def status(run_dir: Path) -> None:
    """How the daemons of a running box are."""
    async def ask(bus: Bus) -> HealthReply:
        return await bus.ask(GetHealth())
    health = on_bus(run_dir, ask).health
    click.echo(f"{'daemon':<9}{'state':<7}{'pid':>8}{'starts':>8}{'MB':>8}{'CPU s':>10}  figures")
    for one in health.daemons:
        figures = ", ".join(
            f"{name}\N{NO-BREAK SPACE}{figure:g}" for name, figure in sorted(one.facts.items()))
        head = (f"{one.daemon:<9}{one.state:<7}{one.pid:>8}{one.starts:>8}"
                f"{one.rss_octets / 1e6:>8.1f}{one.cpu_s:>10.1f}  ")
        click.echo(beside(head, figures, columns()))
    sys.exit(0 if all(one.state == "up" for one in health.daemons) else 1)


@main.command()
@click.argument("span", required=False)
@click.option("--call", metavar="CALL", help="A contact's or a leg's name, a telephone number, or: last.")
@click.option("--last", "last_s", type=tracing.Duration(), help="Of SPAN: how far back, e.g. 90s or 5m. [5m]")
@click.option("--follow", is_flag=True, help="Of SPAN: as it comes, until Ctrl-C.")
@click.option("--pcap", "--out", type=PATH, help="Write this file instead, for Wireshark or tshark.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--details", is_flag=True, help="Everything that the elements and layer 2 say.")
@click.option("--upkeep", is_flag=True, help="Of SPAN: each RR, too.")
@RUN_DIR
def trace(span: str | None, call: str | None, last_s: float | None, follow: bool, pcap: Path | None,
          as_json: bool, details: bool, upkeep: bool, run_dir: Path) -> None:
    """What was said on the D-channel of SPAN, or of one call on all of its D-channels, as a ladder.

    Ten minutes of each span are there, and every call of the last months.
    """
    if (span is None) == (call is None):
        raise click.UsageError("name one of them: SPAN, or --call CALL")
    if call is not None and (follow or upkeep or last_s is not None):
        raise click.UsageError("--last, --follow and --upkeep go with SPAN, not with --call")
    if pcap and (as_json or follow):
        raise click.UsageError("--pcap writes a file: without --json and --follow")
    view = tracing.View(as_json, details, pcap)
    if call is not None:
        on_bus(run_dir, lambda bus: tracing.of_call(bus, call, view))
    elif span is not None:
        if pcap and last_s is None:
            on_bus(run_dir, lambda bus: tracing.whole_span(bus, span, pcap))
        elif follow:
            with contextlib.suppress(KeyboardInterrupt):
                on_bus(run_dir, lambda bus: tracing.follow(bus, span, last_s or 0.0, view, upkeep))
        else:
            reach_s = tracing.LAST_S if last_s is None else last_s
            on_bus(run_dir, lambda bus: tracing.of_span(bus, span, reach_s, view, upkeep))


@main.command("media")
@RUN_DIR
def media_command(run_dir: Path) -> None:
    """How well the audio of a running box keeps time: late ticks, slips, jitter, concealed frames."""
    click.echo("\n".join(on_bus(run_dir, media.table)))


@main.command()
@click.option("--leg", help="A leg's name, as the contact's page has it in its address.")
@click.option("--span", help="With --timeslot: whatever is there, call or none.")
@click.option("--timeslot", type=click.IntRange(1, 31))
@click.option("--for", "for_s", type=tracing.Duration(), help="E.g. 90s or 5m, then end. [until Ctrl-C]")
@click.option("-o", "--out", type=PATH, help="A WAV file: left what comes in, right what goes out. -: stdout")
@RUN_DIR
def listen(leg: str | None, span: str | None, timeslot: int | None, for_s: float | None, out: Path | None,
           run_dir: Path) -> None:
    """Hear a leg or a timeslot of a running box live: its levels, and its audio as a file that grows.

    Who listened to what is in the box's log.
    """
    if (leg is None) == (span is None) or (span is None) != (timeslot is None):
        raise click.UsageError("name one of them: --leg LEG, or --span SPAN --timeslot N")
    wanted = listening.Wanted(leg or "", span or "", timeslot or 0)
    with contextlib.suppress(KeyboardInterrupt):
        on_bus(run_dir, lambda bus: listening.listen(bus, run_dir, wanted, for_s, out), name="boxd")


@main.command("trace-malicious")
@click.argument("name", metavar="CONTACT|LEG")
@RUN_DIR
def trace_malicious(name: str, run_dir: Path) -> None:
    """Have the telephone company register who calls, while the call goes on (MCID)."""
    click.echo(on_bus(run_dir, lambda bus: malicious.trace_caller(bus, name)))


@main.command()
@RUN_DIR
def channels(run_dir: Path) -> None:
    """What each B-channel of a running box does."""
    click.echo("\n".join(on_bus(run_dir, channel_table.table)))


@main.command("busy-out")
@click.argument("where", metavar="SPAN[:TIMESLOTS]")
@click.option("--now", is_flag=True, help="End the calls on them; else they go on to their end.")
@RUN_DIR
def busy_out(where: str, now: bool, run_dir: Path) -> None:
    """Take channels out of use: of SPAN, of SPAN:1-5,17, or all. They stay so until bring-back."""
    span, chosen = or_exit(lambda: channel_table.place(where))
    on_bus(run_dir, lambda bus: channel_table.busy_out(bus, span, chosen, now), name="boxd")
    click.echo(f"{where}: out of use until bring-back, calls there "
               f"{'were ended' if now else 'go on to their end'}")


@main.command("bring-back")
@click.argument("where", metavar="SPAN[:TIMESLOTS]")
@RUN_DIR
def bring_back(where: str, run_dir: Path) -> None:
    """Bring channels back into use that were busied out."""
    span, chosen = or_exit(lambda: channel_table.place(where))
    on_bus(run_dir, lambda bus: channel_table.bring_back(bus, span, chosen), name="boxd")
    click.echo(f"{where}: in use")
