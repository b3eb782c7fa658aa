"""branchline recordings chain, verify-chain, key, rotate-key: what an auditor asks of a box."""

import getpass
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

import click

from appliance.bus.client import Bus
from appliance.bus.messages import (
    BoxKey,
    ChainChecked,
    ChainPage,
    GetBoxKey,
    GetChain,
    LinkedEntry,
    RotateKeys,
    VerifyChain,
)
from appliance.launch.asking import RUN_DIR, below, columns, leave, on_bus
from appliance.launch.moments import Moment

ASK_S = 10.0
CHECK_S = 120.0                                   # of a chain of many millions


@click.command()
@click.option("--recording", default="", metavar="ID", help="Only what was done with this one.")
@click.option("--kind", "kinds", multiple=True, help="E.g. listened, exported, deleted; repeatable.")
@click.option("--by", default="", help="Only what this person did.")
@click.option("--from", "since", type=Moment(), help="E.g. 08:00, 2026-10-01.")
@click.option("--to", "until", type=Moment())
@click.option("--most", type=click.IntRange(1, 1000), default=50, show_default=True, help="Lines.")
@click.option("--before", type=click.IntRange(1), metavar="NUMBER", help="Entries before this one: go on.")
@RUN_DIR
def chain(recording: str, kinds: tuple[str, ...], by: str, since: datetime | None, until: datetime | None,
          most: int, before: int | None, run_dir: Path) -> None:
    """What was done with recordings, by whom, newest first."""
    async def ask(bus: Bus) -> ChainPage:
        return await bus.ask(GetChain(
            recording=recording, kinds=list(kinds), by=by, from_at=since.timestamp() if since else None,
            until_at=until.timestamp() if until else None, before_seq=before, most=most), ASK_S)
    entries = on_bus(run_dir, ask, name="boxd").entries
    click.echo("\n".join(map(_line, entries)) if entries else "nothing of the kind was done")


@click.command("verify-chain")
@RUN_DIR
def verify_chain(run_dir: Path) -> None:
    """Check the whole chain of what was done now. Ends with 1 when it does not hold."""
    async def ask(bus: Bus) -> ChainChecked:
        return await bus.ask(VerifyChain(), CHECK_S)
    told = on_bus(run_dir, ask, name="boxd")
    if told.broken_seq is not None:
        leave(f"entry {told.broken_seq} does not hold: {told.why}: keep the disk as it is", 1)
    signed = (f"entry {told.head_seq} was signed {datetime.fromtimestamp(told.head_at):%Y-%m-%d %H:%M:%S}"
              if told.head_seq else "none is signed yet")
    click.echo(f"all {told.entries} entries hold; {signed}\nlink of the last one: {told.link}")


@click.command()
@RUN_DIR
def key(run_dir: Path) -> None:
    """The box's fingerprint, which bundles are verified with, and the keys that seal its recordings."""
    click.echo(_box_key(on_bus(run_dir, _asking(GetBoxKey()), name="boxd")))


@click.command("rotate-key")
@click.option("--why", required=True, help="Kept in the chain.")
@click.option("--by", default=getpass.getuser, show_default="who you are to the system")
@RUN_DIR
def rotate_key(why: str, by: str, run_dir: Path) -> None:
    """Seal with a new key from now on, take all recordings over to it, then destroy the older one."""
    click.echo(_box_key(on_bus(run_dir, _asking(RotateKeys(by=by, why=why)), name="boxd")))


def _asking(request: GetBoxKey | RotateKeys) -> Callable[[Bus], Awaitable[BoxKey]]:
    async def ask(bus: Bus) -> BoxKey:
        return await bus.ask(request, ASK_S)
    return ask


def _box_key(told: BoxKey) -> str:
    *older, current = told.ring
    rest = [f"older key      {one}: until all recordings are taken over" for one in older]
    return "\n".join([f"fingerprint    {told.fingerprint}", f"sealing key    {current}", *rest,
                            told.public_key.strip()])


def _line(entry: LinkedEntry) -> str:
    at = datetime.fromtimestamp(entry.at)
    return below(f"{entry.seq:>8}  {at:%Y-%m-%d %H:%M:%S}  {entry.kind:<14}  {entry.by or 'the box':<12}",
                 f"{entry.recording or '-':<32}  {entry.data}", columns(), " " * 10)
