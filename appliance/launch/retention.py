"""branchline recordings hold, release, holds, retention, space, purge, erase: how long recordings live."""

import getpass
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import click

from appliance.bus.messages import (
    CaseInfo,
    CaseReply,
    EraseRecording,
    GetHolds,
    GetPurgeReports,
    GetRetention,
    GetSpace,
    HoldRecordings,
    Purge,
    PurgeReport,
    ReleaseHold,
    Reply,
    Request,
    RetentionInfo,
    SpaceInfo,
)
from appliance.launch.asking import RUN_DIR, below, columns, on_bus
from appliance.launch.moments import Moment

ASK_S = 300.0                                     # as long as a million recordings take
WIDTHS = (6, 7, 8, 11, 11, 6, 6, 6, 8)             # of a report's figures
R = TypeVar("R", bound=Reply)

CASE = click.argument("case")
WHY = click.option("--why", required=True, help="Kept in the chain; one line.")
BY = click.option("--by", default=getpass.getuser, show_default="who you are to the system",
                  help="Who wants it: kept in the chain.")


def _ask(run_dir: Path, request: Request[R]) -> R:
    return on_bus(run_dir, lambda bus: bus.ask(request, ASK_S), name="boxd")


@click.command()
@CASE
@click.argument("ids", metavar="[ID...]", nargs=-1)
@WHY
@BY
@click.option("--contact", default="")
@click.option("--number", default="", help="Of the other party, all of it.")
@click.option("--queue", default="")
@click.option("--agent", default="")
@click.option("--tag", default="")
@click.option("--from", "since", type=Moment(), help="Began then or later.")
@click.option("--to", "before", type=Moment(), help="Began before.")
@click.option("--later-until", type=Moment(), help="Those of NUMBER or CONTACT that come until then, too.")
@RUN_DIR
def hold(case: str, ids: tuple[str, ...], why: str, by: str, contact: str, number: str, queue: str,
         agent: str, tag: str, since: datetime | None, before: datetime | None, later_until: datetime | None,
         run_dir: Path) -> None:
    """Nothing deletes these recordings until CASE is released: those named, and those that are as you say."""
    reply = _ask(run_dir, HoldRecordings(
        case=case, by=by, why=why, recordings=list(ids), contact=contact, number=number, queue=queue,
        agent=agent, tag=tag, since=_at(since), before=_at(before), until=_at(later_until)))
    click.echo(_changed("held", reply))


@click.command()
@CASE
@click.argument("ids", metavar="[ID...]", nargs=-1)
@WHY
@BY
@RUN_DIR
def release(case: str, ids: tuple[str, ...], why: str, by: str, run_dir: Path) -> None:
    """CASE lets go of these, or of all and is over. Other cases go on holding what they hold."""
    reply = _ask(run_dir, ReleaseHold(case=case, by=by, why=why, recordings=list(ids)))
    click.echo(_changed("let go", reply))


@click.command()
@click.option("--all", "every", is_flag=True, help="Also cases that are over.")
@click.option("--recording", default="", metavar="ID", help="Which cases hold this one.")
@RUN_DIR
def holds(every: bool, recording: str, run_dir: Path) -> None:
    """Cases that hold recordings, oldest first."""
    cases = _ask(run_dir, GetHolds(every=every, recording=recording)).cases
    click.echo("\n".join(map(_case, cases)) or "nothing is held")


@click.command()
@click.argument("recording", metavar="[ID]", default="")
@RUN_DIR
def retention(recording: str, run_dir: Path) -> None:
    """How long recordings are kept, by rule; until when ID is, and why."""
    click.echo("\n".join(_rules(_ask(run_dir, GetRetention(recording=recording)))))


@click.command()
@RUN_DIR
def space(run_dir: Path) -> None:
    """Room for recordings, and how the archive does. Ends with 1 when the disk is in need."""
    found = _ask(run_dir, GetSpace())
    click.echo("\n".join(_space(found)))
    sys.exit(1 if found.level in ("urgent", "full") or found.archive_error else 0)


@click.command()
@click.option("--dry-run/--yes", "dry", default=True, help="Say what would go [so it is], or delete it.")
@click.option("--reports", type=click.IntRange(1, 400), help="So many reports of before, instead.")
@BY
@RUN_DIR
def purge(dry: bool, reports: int | None, by: str, run_dir: Path) -> None:
    """Delete recordings whose time is over, as the daily run does."""
    if reports is not None:
        found = _ask(run_dir, GetPurgeReports(most=reports)).reports
        click.echo("\n\n".join("\n".join(_report(one)) for one in found) or "none so far")
    else:
        click.echo("\n".join(_report(_ask(run_dir, Purge(by=by, dry=dry)))))


@click.command()
@click.argument("recording", metavar="ID")
@WHY
@BY
@click.confirmation_option("--yes", prompt="Its audio cannot be brought back. Erase it?")
@RUN_DIR
def erase(recording: str, why: str, by: str, run_dir: Path) -> None:
    """Erase the audio of one recording for good, e.g. because a customer has the right to that."""
    reply = _ask(run_dir, EraseRecording(recording=recording, by=by, why=why))
    click.echo(f"{recording}: erased")
    if reply.archive_object:
        click.echo(f"the archive has a copy: erase {reply.archive_object} there")


COMMANDS = (hold, release, holds, retention, space, purge, erase)


def _changed(what: str, reply: CaseReply) -> str:
    none = "" if reply.changed else ": there is none like that now"
    return f"{reply.changed} {what}{none}\n{_case(reply.case)}"


def _case(one: CaseInfo) -> str:
    later = f", and later ones of {one.number or one.contact} until {_day(one.until)}" if one.until else ""
    over = (f"; over since {_day(one.released_at)}, {one.released_by}: {one.released_why}"
            if one.released_at else "")
    return below(f"{one.case}  since {_day(one.at)}, {one.by}: {one.why}",
                 f"holds {one.recordings}, {_mib(one.octets)}{later}{over}", columns())


def _rules(found: RetentionInfo) -> Iterator[str]:
    if found.says:
        yield found.says
        return
    yield f"{'rule':<20}{'keeps':>12}{'recordings':>12}{'MiB':>12}  takes"
    for one in found.rules:
        keeps = "for ever" if one.keep_days is None else f"{one.keep_days:g} days"
        yield f"{one.rule or '-':<20}{keeps:>12}{one.recordings:>12}{one.octets / 2**20:>12.1f}  {one.takes}"
    yield f"nothing goes before {found.least_days:g} days; next run {_day(found.next_run_at)}"
    if found.grace_until:
        yield f"rules became shorter: what only they let go stays until {_day(found.grace_until)}"


def _space(found: SpaceInfo) -> Iterator[str]:
    yield f"{'level':<18}{found.level}"
    for name in ("total", "free", "recordings", "held", "journal", "outbox"):
        yield f"{name:<18}{_mib(getattr(found, name))}"
    if found.quota:
        yield f"{'quota':<18}{_mib(found.quota)}"
    yield f"{'not archived':<18}{found.unarchived_recordings}, {_mib(found.unarchived)}"
    yield f"{'archive only':<18}{found.archived_recordings}"
    if found.archive_error:
        yield f"{'archive':<18}{found.archive_error}"


def _report(report: PurgeReport) -> Iterator[str]:
    yield f"{_day(report.at)}  {report.cause}, {report.by}: " + (
        "dry run, nothing is deleted" if report.dry else "deleted") + (
        f" ({report.remains})" if report.remains else "")
    if report.rows:
        yield _row("rule", "goes", "hours", "MiB", "oldest", "newest", "held", "young", "waits", "unknown")
    for one in report.rows:
        yield _row(one.rule or "-", one.recordings, f"{one.seconds / 3600:.1f}", f"{one.octets / 2**20:.1f}",
                   _day(one.oldest)[:10], _day(one.newest)[:10],
                   one.held, one.young, one.unarchived, one.unknown)
    if not report.rows:
        yield "nothing's time is over"


def _row(rule: str, *figures: object) -> str:
    return f"{rule:<11} " + "".join(
        f"{figure:>{width}}" for figure, width in zip(figures, WIDTHS, strict=True))


def _at(moment: datetime | None) -> float:
    return 0.0 if moment is None else moment.timestamp()


def _day(at: float) -> str:
    return f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M}" if at else "-"


def _mib(octets: int) -> str:
    return f"{octets / 2**20:,.1f} MiB"
