"""branchline recordings: find them, hear them, see what was done with them, and whether all are there."""

import getpass
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast, get_args

import click

from appliance.bus.client import Bus
from appliance.bus.messages import (
    CheckFinding,
    CheckRecordings,
    DescribeRecording,
    ExportTo,
    Form,
    GetRecording,
    GetRecordingChecks,
    OpenRecording,
    ReadRecording,
    RecordingCheck,
    RecordingDescribed,
    RecordingRow,
    SearchRecordings,
)
from appliance.bus.messages.catalogue import MOST_ROWS, MOST_TOTAL, Preset, State, Way
from appliance.launch.asking import PATH, RUN_DIR, below, beside, columns, leave, on_bus
from appliance.launch.moments import Moment
from appliance.launch.retention import COMMANDS as OF_RETENTION
from appliance.launch.tracing import Duration
from appliance.launch.trust import chain, key, rotate_key, verify_chain

READ_OCTETS = 1 << 18
ASK_S = 10.0
COUNT_S = 300.0                                   # a week of a busy box
EXPORT_S = 600.0
DAY_S = 86400.0
FOR_EVER = 250_000_000_000.0                      # later than that: no rule deletes it
FORMS: dict[str, tuple[Form, str]] = {            # of a file's name: what is asked for, what it has to be
    ".wav": ("wav", "audio/wav"), ".opus": ("stored", "audio/ogg"), ".flac": ("stored", "audio/flac")}

ID = click.argument("recording", metavar="ID")
BY = click.option("--by", default=getpass.getuser, show_default="who you are to the system",
                  help="Who takes it: kept in the chain.")


@click.group()
def recordings() -> None:
    """Recordings of a running box."""


for _command in (chain, verify_chain, key, rotate_key, *OF_RETENTION):
    recordings.add_command(_command)


@recordings.command("list")
@click.option("--preset", type=click.Choice([one for one in get_args(Preset) if one]))
@click.option("--from", "since", type=Moment(), help="E.g. 08:00, 2026-10-01.")
@click.option("--to", "until", type=Moment())
@click.option("--way", type=click.Choice([one for one in get_args(Way) if one]))
@click.option("--number", default="", help="Part of one, 3 digits at least; ^ in front: its beginning.")
@click.option("--agent", default="")
@click.option("--queue", default="")
@click.option("--trunk", default="")
@click.option("--longer-than", "least_s", type=Duration(), default=0.0, help="E.g. 10m.")
@click.option("--shorter-than", "most_s", type=Duration(), default=0.0)
@click.option("--tag", default="")
@click.option("--score-from", "least_score", type=float)
@click.option("--score-to", "most_score", type=float)
@click.option("--disposition", default="")
@click.option("--text", default="", help="Words in note, disposition or tags, Chinese or English.")
@click.option("--held", is_flag=True, help="Only those that the law holds.")
@click.option("--state", type=click.Choice([one for one in get_args(State) if one]))
@click.option("--most", type=click.IntRange(1), default=50, show_default=True, help="Lines.")
@RUN_DIR
def list_command(preset: str | None, since: datetime | None, until: datetime | None, way: str | None,
                 state: str | None, held: bool, most: int, run_dir: Path, number: str, agent: str, queue: str,
                 trunk: str, least_s: float, most_s: float, tag: str, least_score: float | None,
                 most_score: float | None, disposition: str, text: str) -> None:
    """Those that are as you say, newest first."""
    if since is not None and until is not None and since >= until:
        raise click.UsageError(f"--from {since}: is not before --to {until}")
    if most_s and least_s > most_s:
        raise click.UsageError("--longer-than: is more than --shorter-than")
    if least_score is not None and most_score is not None and least_score > most_score:
        raise click.UsageError("--score-from: is more than --score-to")

    def asked(after: int, limit: int) -> SearchRecordings:
        return SearchRecordings(
            preset=cast(Preset, preset or ""), way=cast(Way, way or ""), state=cast(State, state or ""),
            since=since.timestamp() if since else 0.0, until=until.timestamp() if until else 0.0,
            held=True if held else None, number=number, agent=agent, queue=queue, trunk=trunk,
            least_s=least_s, most_s=most_s, tag=tag, least_score=least_score, most_score=most_score,
            disposition=disposition, text=text, after=after, limit=limit)

    async def ask(bus: Bus) -> list[str]:
        rows: list[RecordingRow] = []
        after, more, total = 0, True, 0
        while more and len(rows) < most:
            found = await bus.ask(asked(after, min(MOST_ROWS, most - len(rows))), ASK_S)
            rows += found.rows
            after, more, total = found.after, bool(found.after), found.total
        return [*map(line, rows), f"{len(rows)} of " + (
            f"more than {MOST_TOTAL:,}" if total > MOST_TOTAL else f"{total:,}")]

    click.echo("\n".join(on_bus(run_dir, ask, name="boxd")))


@recordings.command()
@ID
@RUN_DIR
def show(recording: str, run_dir: Path) -> None:
    """All that is known of one, and what was done with it."""
    async def ask(bus: Bus) -> RecordingDescribed:
        return await bus.ask(DescribeRecording(recording=recording), ASK_S)
    click.echo("\n".join(_described(on_bus(run_dir, ask, name="boxd"))))


@recordings.command("play-file")
@ID
@click.option("--to", "path", type=PATH, required=True, help="FILE.wav; as it is kept: FILE.opus, FILE.flac.")
@BY
@RUN_DIR
def play_file(recording: str, path: Path, by: str, run_dir: Path) -> None:
    """Write one as a file that players open. Who took it is in the chain."""
    if path.suffix not in FORMS:
        raise click.UsageError(f"--to {path}: a name that ends in {', '.join(FORMS)}")
    if path.exists():
        leave(f"{path}: is there already: give another name", os.EX_CANTCREAT)
    with _new(path) as file:
        on_bus(run_dir, lambda bus: _fetch(bus, recording, path, by, file), name="boxd")
    click.echo(f"{path}: {path.stat().st_size:,} octets")


@contextmanager
def _new(path: Path) -> Iterator[BinaryIO]:
    """A file for the one who took what people said; it has its name when it is whole."""
    part = path.with_name(path.name + ".part")
    try:
        part.unlink(missing_ok=True)              # of a command that was killed, or a stranger's
        with open(part, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            yield file
        part.rename(path)
    except OSError as error:
        leave(f"{path}: cannot be written: {error.strerror}", os.EX_CANTCREAT)
    finally:
        part.unlink(missing_ok=True)


async def _fetch(bus: Bus, recording: str, path: Path, by: str, file: BinaryIO) -> None:
    form, wanted = FORMS[path.suffix]
    if form == "stored":                          # before the chain says that it was taken
        kept = (await bus.ask(GetRecording(recording=recording), ASK_S)).format
        if kept and kept != path.suffix[1:]:
            leave(f"{path}: it is kept as {kept}: take {path.with_suffix('.wav')} or "
                  f"{path.with_suffix('.' + kept)}", os.EX_USAGE)
    opened = await bus.ask(OpenRecording(recording=recording, by=by, purpose="download", form=form), ASK_S)
    if not opened.media_type.startswith(wanted):
        leave(f"{path}: it is kept as {opened.info.format}: take {path.with_suffix('.wav')} or "
              f"{path.with_suffix('.' + opened.info.format)}", os.EX_USAGE)
    with click.progressbar(length=opened.octets, label=path.name, file=sys.stderr) as shown:
        at = 0
        while at < opened.octets:
            part = await bus.ask(ReadRecording(ticket=opened.ticket, at=at, most_octets=READ_OCTETS), ASK_S)
            if not part.octets:
                leave(f"{path}: it ended after {at} of {opened.octets} octets: see the box's log", 1)
            file.write(part.octets)
            at += len(part.octets)
            shown.update(len(part.octets))


@recordings.command()
@click.option("--from", "since", type=Moment(), help="[24 hours ago]")
@click.option("--to", "until", type=Moment(), help="[now]")
@click.option("--kept", is_flag=True, help="What was found when it was counted last; do not count now.")
@RUN_DIR
def check(since: datetime | None, until: datetime | None, kept: bool, run_dir: Path) -> None:
    """Is there a recording of every call that was to be recorded? Ends with 1 when there is not."""
    now = time.time()
    begin = since.timestamp() if since else now - DAY_S
    end = until.timestamp() if until else now

    async def ask(bus: Bus) -> list[RecordingCheck]:
        if kept:
            return (await bus.ask(GetRecordingChecks(since=begin, until=end), ASK_S)).checks
        return (await bus.ask(CheckRecordings(since=begin, until=end), COUNT_S)).checks

    checks = on_bus(run_dir, ask, name="boxd")
    click.echo("\n".join(_checked(checks)))
    sys.exit(1 if any(one.missing or one.orphans or one.differing or one.altered for one in checks) else 0)


@recordings.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.option("--why", required=True, help="E.g. the court's reference: kept in the chain and the bundle.")
@click.option("--to", "path", default="", help="A file that is not there yet. [named by the box]")
@click.option("--passphrase", envvar="BRANCHLINE_PASSPHRASE", default="",
              help="Seal the bundle; better in the environment as BRANCHLINE_PASSPHRASE.")
@BY
@RUN_DIR
def export(ids: tuple[str, ...], why: str, path: str, passphrase: str, by: str, run_dir: Path) -> None:
    """A signed bundle of these, with facts and chain, that `branchline verify` checks on any machine."""
    exported = on_bus(run_dir, lambda bus: bus.ask(ExportTo(
        recordings=list(ids), by=by, why=why, to_path=path, passphrase=passphrase), EXPORT_S), name="boxd")
    click.echo(f"{exported.path}: {exported.octets:,} octets, SHA-256 {exported.sha256}")


def line(row: RecordingRow) -> str:
    """One recording of a list."""
    score = "" if row.score is None else f"score {row.score:g}"
    state = "" if row.state == "kept" else row.state
    notes = [row.queue, row.disposition, *row.tags, score, "held" if row.held else "", state, row.note]
    way = "missed" if row.missed else row.direction or "-"
    return below(f"{row.recording}  {_at(row.began_at)}  {_length(row.duration_s):>8}  {way:<8}",
                 f"{row.calling or '-':>14} > {row.called or '-':<14}  {row.agent or '-':<12}  "
                 f"{', '.join(filter(None, notes))}", columns())


def _described(told: RecordingDescribed) -> Iterator[str]:
    row = told.row
    facts = {
        "recording": row.recording, "contact": row.contact or "none names it", "began": _at(row.began_at),
        "length": _length(row.duration_s) + (f", of it {row.gap_s:.2f} s missing" if row.gap_s else ""),
        "from, to": f"{row.calling or '-'}{' (withheld)' if row.withheld else ''}, {row.called or '-'}",
        "way": f"{row.direction}{', missed' if row.missed else ''}, {row.kind}", "trunk": row.trunk,
        "queue": row.queue, "agent": row.agent, "flow node": row.node, "grade": row.grade,
        "outcome": row.outcome, "disposition": row.disposition, "note": row.note, "tags": ", ".join(row.tags),
        "score": "" if row.score is None else f"{row.score:g}", "policy": told.why,
        "rule": told.rule, "kept as": f"{row.format}, {row.file_octets:,} octets on the disk",
        "SHA-256": told.sha256,
        "facts": {None: "", True: "as described in the chain", False: "ALTERED"}[told.as_described],
        "state": row.state + (f": {row.erased_why}" if row.erased_why else ""),
        "held": "yes" if row.held else "no", "kept until": _until(row.delete_after),
        "survey": ", ".join(f"{one.question}: {one.answer}" for one in told.answers)}
    for name, text in facts.items():
        if text:
            yield beside(f"{name:<18}", text, columns())
    for mark in told.marks:
        yield (f"{_length(mark.at - row.began_at):>12}      {mark.kind} {mark.detail}"
               f"{' by ' + mark.by if mark.by else ''}").rstrip()
    for pause in told.pauses:
        found = {True: "silent, as it should be", False: "NOT SILENT", None: "its audio cannot be read"}
        yield (f"{pause.from_s:>11.2f}s to {pause.to_s:.2f}s paused by {pause.by or 'the command line'}: "
               f"{found[pause.silent]}")
    for entry in told.entries:
        yield below(f"{_at(entry.at)}  {entry.kind:<12}{entry.by or 'the box':<16}".rstrip(), entry.data,
                    columns())


def _checked(checks: list[RecordingCheck]) -> Iterator[str]:
    yield _row("hour", "expected", "there", "explained", "missing", "orphans", "differ", "altered")
    for one in sorted(checks, key=lambda one: one.began_at):
        if one.expected or one.orphans or one.altered:
            yield _row(_at(one.began_at)[:16], one.expected, one.found, one.explained, one.missing,
                       one.orphans, one.differing, one.altered)
        yield from map(_finding, one.findings)
    expected, found, explained, missing = (
        sum(getattr(one, name) for one in checks) for name in ("expected", "found", "explained", "missing"))
    yield f"{expected} to be recorded = {found} there + {explained} explained + {missing} missing"


def _row(hour: str, *figures: object) -> str:
    return f"{hour:<18}" + "".join(f"{figure:>10}" for figure in figures)


def _finding(one: CheckFinding) -> str:
    lengths = {"missing": "", "lost": ", its file is gone"}.get(one.kind, f", {one.found_s:.2f} s")
    if one.kind == "altered":
        return below(f"  altered    {one.recording}  {_at(one.began_at)}",
                     "its facts are not as the chain says: keep the disk as it is and call the auditor",
                     columns(), " " * 13)
    kind = "explained" if one.kind == "missing" and one.why else one.kind
    return below(f"  {kind:<9}  {one.recording}  {_at(one.began_at)}",
                 f"contact {one.contact or 'none'}, talk {one.expected_s:.2f} s{lengths}"
                 f"{': ' + one.why if one.why else ''}", columns(), " " * 13)


def _until(delete_after: float) -> str:
    if delete_after > FOR_EVER:
        return "for ever"
    return _at(delete_after) if delete_after else "not decided yet"


def _at(at: float) -> str:
    return f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M:%S}"


def _length(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
