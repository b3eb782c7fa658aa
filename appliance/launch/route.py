"""branchline route: which entry rule takes a call, and why; branchline calendar: open or closed."""

import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import click

from appliance.bus.client import Bus
from appliance.bus.messages import CalendarInfo, ForceCalendar, GetCalendars
from appliance.bus.runner import EX_CONFIG
from appliance.centre.dialplan import DialPlan
from appliance.centre.entry.calendar import Forced
from appliance.centre.entry.explain import explain
from appliance.centre.entry.load import box_zone, load_entrance
from appliance.centre.entry.rules import Arrival
from appliance.config.emergency import emergency
from appliance.config.load import load
from appliance.config.schema import Config
from appliance.launch.asking import CONFIG, RUN_DIR, leave, on_bus, or_exit
from appliance.launch.moments import Moment, ahead


@click.command()
@click.argument("called")
@click.option("--from", "calling", default="", metavar="CALLER", help="Who calls. [no number]")
@click.option("--at", "moment", type=Moment(), help="When, e.g. 20:00 or \"2026-10-01 20:00\". [now]")
@click.option("--trunk", help="Where the call comes in. [the one that has CALLED, else the first]")
@click.option("--withheld", is_flag=True, help="The caller does not want to be shown.")
@click.option("--live", is_flag=True, help="With calendars as a supervisor of the running box forced them.")
@CONFIG
@RUN_DIR
def route(called: str, calling: str, moment: datetime | None, trunk: str | None, withheld: bool, live: bool,
          config: Path, run_dir: Path) -> None:
    """Which rule takes a call to CALLED, and why the others do not."""
    found = or_exit(lambda: load(config))
    zone = or_exit(box_zone)
    entrance = or_exit(lambda: load_entrance(found, zone))
    trunks = sorted({span.trunk for span in found.spans})
    if trunk is not None and trunk not in trunks:
        leave(f"{config}: no span has trunk {trunk!r}, they have {', '.join(trunks)}", EX_CONFIG)
    plan = DialPlan(found.centre, emergency(found))
    forced = on_bus(run_dir, _forced, name="boxd") if live else {}
    at = time.time() if moment is None else moment.replace(tzinfo=moment.tzinfo or zone).timestamp()
    trunk = trunk or _trunk(found, called)
    when = datetime.fromtimestamp(at, zone)
    click.echo(f"{called} from {calling or 'an unknown number'} by trunk {trunk}, {when:%a %Y-%m-%d %H:%M}")
    for sentence in explain(plan, entrance, Arrival(trunk, called, calling, withheld, at), forced):
        click.echo(f"  {sentence}")


def _trunk(config: Config, called: str) -> str:
    """Which way such a call comes in."""
    inbound = config.centre.inbound
    named = next((rule.trunks[0] for rule in config.centre.entry if rule.trunks and rule.called), None)
    return next((one.trunk for one in inbound if one.called == called),
                inbound[0].trunk if inbound else named or config.spans[0].trunk)


async def _forced(bus: Bus) -> Mapping[str, Forced]:
    return {one.name: Forced(one.forced, one.forced_until, one.forced_by)
            for one in (await bus.ask(GetCalendars())).calendars if one.forced is not None}


@click.command()
@click.argument("name", required=False, metavar="[CALENDAR]")
@click.option("--open", "state", flag_value="open", help="Whatever its hours say.")
@click.option("--closed", "state", flag_value="closed", help="Likewise.")
@click.option("--by-hours", "state", flag_value="by-hours", help="As it would be.")
@click.option("--until", type=Moment(), help="Then its hours hold again. [until it is called off]")
@RUN_DIR
def calendar(name: str | None, state: str | None, until: datetime | None, run_dir: Path) -> None:
    """Which calendars of a running box are open, and why; open or close CALENDAR by hand."""
    if state is None:
        if until is not None:
            raise click.UsageError("--until goes with --open or --closed")
        found = on_bus(run_dir, lambda bus: bus.ask(GetCalendars()), name="boxd").calendars
        names = [one.name for one in found]
        if name is not None and name not in names:
            leave(f"no calendar is called {name!r}, there are {', '.join(names) or 'none'}", 1)
    else:
        if name is None or (until is not None and state == "by-hours"):
            raise click.UsageError("name a CALENDAR; --until goes with --open or --closed")
        end = 0.0 if until is None else ahead(until, datetime.now(until.tzinfo)).timestamp()
        is_open = None if state == "by-hours" else state == "open"
        request = ForceCalendar(calendar=name, open=is_open, until=end)
        found = on_bus(run_dir, lambda bus: bus.ask(request), name="boxd").calendars
    lines = [_line(one) for one in found if name in (None, one.name)]
    click.echo("\n".join(lines) or "no calendars: centre.calendars has none")


def _line(calendar: CalendarInfo) -> str:
    until = (f", until {datetime.fromtimestamp(calendar.until):%a %Y-%m-%d %H:%M}"
             if calendar.until is not None and calendar.forced is None else "")
    return f"{calendar.name:<16}{'open' if calendar.open else 'closed':<8}{calendar.why}{until}"
