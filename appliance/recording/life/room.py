"""The disk of the recordings: how full it is, who is told, and what goes when a quota is exceeded."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, func, select

from appliance.bus.messages import PurgeReport, PurgeRow, SpaceInfo
from appliance.recording.catalogue.rows import remember, remembered
from appliance.recording.catalogue.schema import recordings
from appliance.recording.life.purging import keep_report
from appliance.recording.life.removing import Reason, drop_local, erase
from appliance.recording.life.rules import Kept, to_free
from appliance.recording.life.space import Disk, Level, level, over, quota_octets
from appliance.recording.life.state import IN_THE_BOX, IS_ARCHIVED, kept, reading
from appliance.recording.life.tables import pushes
from appliance.recording.parts import Parts

LEG_OCTETS_S = 16_000                             # both sides of a call, A-law
QUOTA = "quota"

log = logging.getLogger(__name__)

_LEVEL = "space.level"
_SAYS = {
    Level.OK: "",
    Level.LOW: "room for recordings gets short",
    Level.URGENT: "urgent: room for recordings is nearly used up",
    Level.FULL: "the disk of the recordings is full: finished ones wait in the journal, calls go on",
}


def disk_of(parts: Parts) -> Disk:
    """OSError: the folder is not there."""
    found = os.statvfs(parts.folder)
    channels = sum(len(span.timeslots or range(30)) for span in parts.config.spans)
    return Disk(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize, channels * LEG_OCTETS_S)


def watch(parts: Parts, now: float, disk: Disk) -> Level:
    """The level of now, told of when it is another one; what has to go by the quota goes."""
    config = parts.config.retention
    with parts.database.read() as connection:
        before = Level(int(remembered(connection, _LEVEL) or 0))
        used = _used(connection)
    found = level(disk, config.low_space, before)
    parts.warn("low-space", _SAYS[found] and
               f"{_SAYS[found]}: {_gib(disk.free)} of {_gib(disk.total)} are free. Archive recordings, keep "
               "them for a shorter time, set a quota, or take a larger disk")
    if found > before > Level.OK:
        log.warning("low-space: %s", _SAYS[found])
    if found != before:
        with parts.database.write() as connection:
            remember(connection, _LEVEL, str(int(found)))
    octets = over(disk, used, config.quota, config.low_space, found)
    parts.warn(QUOTA, _free(parts, octets, now) if octets else "")
    return found


def _free(parts: Parts, octets: int, now: float) -> str:
    """Delete the oldest that may go; a warning when that is not enough."""
    config, archives = parts.config.retention, parts.config.archive.configured
    with parts.database.read() as connection:
        may_go = [recordings.c.state == "kept", recordings.c.holds == 0, *([IS_ARCHIVED] if archives else [])]
        seconds: dict[int, tuple[float, float]] = {}

        def oldest_first() -> Iterator[Kept]:
            for row in connection.execute(reading(*may_go).execution_options(yield_per=500)):
                seconds[row.number] = row.began_at, row.ended_at
                yield kept(row)
        going = to_free(config, oldest_first(), octets, now, needs_archive=archives)
    if going:
        began = [seconds[one.number][0] for one in going]
        keep_report(parts, PurgeReport(at=now, cause=QUOTA, by="recordd", dry=False, rows=[PurgeRow(
            rule=QUOTA, recordings=len(going), octets=sum(one.octets for one in going),
            seconds=sum(seconds[one.number][1] - seconds[one.number][0] for one in going),
            oldest=min(began), newest=max(began))]))
        reason = Reason("room", "retention.quota: the oldest make room", "recordd")
        (drop_local if archives else erase)(parts, [one.number for one in going], reason, now)
    short = octets - sum(one.octets for one in going)
    if short <= 0:
        return ""
    kept_by = "held, younger than retention.least_days" + (", or not in the archive yet" if archives else "")
    return (f"recordings take {_gib(short)} more than retention.quota lets them, and nothing more may go: "
            f"the rest is {kept_by}. Nothing is lost: see to the archive, the holds or the disk")


def space(parts: Parts) -> SpaceInfo:
    disk = disk_of(parts)
    with parts.database.read() as connection:
        octets = func.coalesce(func.sum(recordings.c.file_octets), 0)
        held: int = connection.execute(select(octets).where(recordings.c.holds > 0)).scalar_one()
        waiting, waiting_octets = 0, 0
        if parts.config.archive.configured:
            waiting, waiting_octets = connection.execute(
                select(func.count(), octets).where(recordings.c.state == "kept", ~IS_ARCHIVED)).one()
        elsewhere: int = connection.execute(
            select(func.count()).where(recordings.c.state == "archived")).scalar_one()
        error = connection.execute(
            select(pushes.c.error).where(pushes.c.error != "").order_by(pushes.c.number).limit(1)).scalar()
        found = Level(int(remembered(connection, _LEVEL) or 0))
        return SpaceInfo(
            level=found.name.lower(), total=disk.total, free=disk.free, recordings=_used(connection),
            journal=_octets_below(parts.folder / "journal"), outbox=_octets_below(parts.folder / "outbox"),
            quota=quota_octets(parts.config.retention.quota, disk.total) or 0, held=held,
            unarchived_recordings=waiting, unarchived=waiting_octets, archived_recordings=elsewhere,
            archive_error=error or "")


def _used(connection: Connection) -> int:
    """What finished recordings take on the disk."""
    used: int = connection.execute(select(func.coalesce(func.sum(recordings.c.file_octets), 0))
                                   .where(IN_THE_BOX)).scalar_one()
    return used


def _octets_below(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue                              # it was finished, or fetched, meanwhile
    return total


def _gib(octets: int) -> str:
    return f"{octets / 2 ** 30:.1f} GiB"
