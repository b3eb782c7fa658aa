"""What life does by time: removals that a cut left, what is due when, room each minute, the daily purge."""

from datetime import datetime, timedelta

from sqlalchemy import select

from appliance.recording.catalogue.schema import recordings
from appliance.recording.life.ballast import with_ballast
from appliance.recording.life.deciding import decide
from appliance.recording.life.purging import DAILY, forget_facts, purge
from appliance.recording.life.removing import Reason, drop_local, finish
from appliance.recording.life.room import disk_of, watch
from appliance.recording.life.rules import DAY_S
from appliance.recording.life.state import ran
from appliance.recording.life.tables import archived
from appliance.recording.parts import Parts

EVERY_S = 60.0
# The run before this one has told what goes now, if it was not longer ago: else a clock that jumped ahead, or
# a box that was off for a year, would delete what nobody could see.
ANNOUNCED_S = 2 * DAY_S
AGAIN_S = 1.0                                     # while there is more to decide


def tend(parts: Parts, now: float) -> float:
    """Whatever is due; when to come again. Also good at any moment before, when the disk is found full."""
    return with_ballast(parts.folder, lambda: _tend(parts, now))


def _tend(parts: Parts, now: float) -> float:
    finish(parts)
    done = decide(parts, now)
    watch(parts, now, disk_of(parts))
    if not done:
        return now + AGAIN_S
    _drop_archived(parts, now)
    with parts.database.read() as connection:
        last = ran(connection, DAILY)
    if due(parts.config.retention.at, last, now):
        _daily(parts, now, last)
    return now + EVERY_S


def due(at: str, last: float, now: float) -> bool:
    """The daily run's time has come since it ran last, or the clock was set back since."""
    return last < scheduled(at, now) - DAY_S / 2 or last > now + DAY_S


def scheduled(at: str, now: float) -> float:
    """The run's last time until `now`, in local time."""
    moment = datetime.fromtimestamp(now)
    hour, minute = map(int, at.split(":"))
    today = moment.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return (today if today <= moment else today - timedelta(days=1)).timestamp()


def _daily(parts: Parts, now: float, last: float) -> None:
    remains = ""
    if not parts.config.retention.automatic:
        remains = "retention.automatic is false: people purge"
    elif not now - ANNOUNCED_S <= last <= now:
        remains = "no run of the last two days could tell of it first: it goes with the next run"
    report = purge(parts, now, DAILY, "recordd", dry=bool(remains), remains=remains)
    forget_facts(parts, now)
    held_up = sum(row.unarchived for row in report.rows)
    parts.warn("retention", f"{held_up} recordings whose time is over wait for the archive: see to it with "
               "`branchline recordings space`, or set archive.wait_for_archive: false" if held_up else "")


def _drop_archived(parts: Parts, now: float) -> None:
    days = parts.config.archive.keep_local_days
    if days is None:
        return
    with parts.database.read() as connection:
        numbers = connection.execute(
            select(recordings.c.number).join(archived, archived.c.number == recordings.c.number)
            .where(recordings.c.state == "kept", recordings.c.holds == 0,
                   archived.c.at <= now - days * DAY_S).limit(1000)).scalars().all()
    drop_local(parts, numbers, Reason("local", "archive.keep_local_days: the archive has it", "recordd"), now)
