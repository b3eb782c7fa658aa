"""branchline channels, busy-out, bring-back: what each B-channel does, and whether it may."""

import time
from itertools import groupby
from pathlib import Path

import click

from appliance.bus.client import Bus
from appliance.bus.messages import (
    BringBack,
    BusyOut,
    CallInfo,
    ChannelInfo,
    ChannelStates,
    GetCalls,
    GetChannels,
)
from appliance.config.timeslots import in_words, timeslots
from appliance.errors import ConfigError
from appliance.launch.asking import RUN_DIR, on_bus, or_exit

WORDS = {"out-of-service": "no answer to RESTART", "blocked": "out of use"}
ONLY = {"in": "incoming only", "out": "outgoing only", "both": ""}
ALL = "all"                                       # in place of a span


@click.command("channels")
@RUN_DIR
def channels(run_dir: Path) -> None:
    """What each B-channel of a running box does."""
    click.echo("\n".join(on_bus(run_dir, table)))


@click.command("busy-out")
@click.argument("where", metavar="SPAN[:TIMESLOTS]")
@click.option("--now", is_flag=True,
              help="End the calls on them, but emergency calls; else all go on to their end.")
@RUN_DIR
def busy_out_command(where: str, now: bool, run_dir: Path) -> None:
    """Take channels out of use: of SPAN, of SPAN:1-5,17, or all. They stay so until bring-back."""
    span, chosen = or_exit(lambda: place(where))
    on_bus(run_dir, lambda bus: busy_out(bus, span, chosen, now), name="boxd")
    click.echo(f"{where}: out of use until bring-back, calls there "
               f"{'were ended, but emergency calls' if now else 'go on to their end'}")


@click.command("bring-back")
@click.argument("where", metavar="SPAN[:TIMESLOTS]")
@RUN_DIR
def bring_back_command(where: str, run_dir: Path) -> None:
    """Bring channels back into use that were busied out."""
    span, chosen = or_exit(lambda: place(where))
    on_bus(run_dir, lambda bus: bring_back(bus, span, chosen), name="boxd")
    click.echo(f"{where}: in use")


def place(text: str) -> tuple[str, list[int]]:
    """The span and timeslots of SPAN, SPAN:1-5,17 or all. ConfigError: no timeslots."""
    span, colon, part = text.partition(":")
    try:
        chosen = list(timeslots(part))
    except ValueError as error:
        raise ConfigError(f"{text}: {error}") from None
    if (colon and not chosen) or (span == ALL and colon):
        raise ConfigError(f"{text}: write SPAN, SPAN:1-5,17 or {ALL}")
    return "" if span == ALL else span, chosen


async def busy_out(bus: Bus, span: str, chosen: list[int], now: bool) -> None:
    await bus.ask(BusyOut(span=span, timeslots=chosen, now=now))


async def bring_back(bus: Bus, span: str, chosen: list[int]) -> None:
    await bus.ask(BringBack(span=span, timeslots=chosen))


async def table(bus: Bus) -> list[str]:
    """A paragraph for each span; neighbours that do the same are one line."""
    spans, calls = (await bus.ask(GetChannels())).spans, (await bus.ask(GetCalls())).calls
    now = time.time()
    return [line for span in spans for line in _span(span, {call.leg: call for call in calls}, now)]


def _span(span: ChannelStates, calls: dict[str, CallInfo], now: float) -> list[str]:
    counts = {state: len(list(group)) for state, group in groupby(sorted(
        WORDS.get(channel.state, channel.state) for channel in span.channels))}
    summary = ", ".join(f"{count} {state}" for state, count in counts.items())
    lines = [f"{span.span}: trunk {span.trunk}, D-channel {'up' if span.link_up else 'down'}: {summary}"]
    for text, group in groupby(span.channels, key=lambda channel: _channel(channel, calls, now)):
        lines.append(f"  {in_words([channel.timeslot for channel in group]):<12}{text}".rstrip())
    return lines


def _channel(channel: ChannelInfo, calls: dict[str, CallInfo], now: float) -> str:
    state = WORDS.get(channel.state, channel.state)
    if channel.blocked and channel.state != "blocked":
        state += ", then out of use"
    call = calls.get(channel.leg)
    what = _call(call, now) if call is not None else ONLY[channel.direction]
    return f"{state:<24}{what}"


def _call(call: CallInfo, now: float) -> str:
    seconds = max(0, int(now - call.since))
    way = "in " if call.inbound else "out"
    urgent = " emergency" if call.emergency else ""
    return (f"{way} {call.calling or '-'} -> {call.called}{urgent}, {call.state} "
            f"for {seconds // 60}:{seconds % 60:02d}")
