"""Which backup is due, and whether one is overdue. Pure: what was done and the time go in."""

import calendar
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import get_args

from appliance.bus.messages import BackupInfo, BackupKind
from appliance.config.backup import BackupConfig, MonthlyConfig, Weekday, WeeklyConfig

DAY_S = 86_400.0
AGAIN_S = 3_600.0                                 # after one that could not be made
OVERDUE_S = DAY_S                                 # since its time: the box was off, or the place is not there
TRIAL_EVERY_S = 28 * DAY_S

_DAYS: tuple[str, ...] = get_args(Weekday)


def due(config: BackupConfig, done: Sequence[BackupInfo], now: float) -> BackupKind | None:
    """The one to make now; after a failure again an hour later. `done`: newest first."""
    if done and done[0].error and 0 <= now - done[0].at < AGAIN_S:
        return None
    waiting = _waiting(config, done, now)
    return next(iter(waiting), None)


def overdue(config: BackupConfig, done: Sequence[BackupInfo], now: float) -> bool:
    """One was to be made a day ago, and there were some before."""
    return made_at(done) > 0 and any(now - at > OVERDUE_S for at in _waiting(config, done, now).values())


def next_at(config: BackupConfig, done: Sequence[BackupInfo], now: float) -> float:
    """When the next one is made; 0: never."""
    if _waiting(config, done, now):
        return max(now, done[0].at + AGAIN_S) if done and done[0].error else now
    coming = [scheduled(one, now, following=True) for one in (config.monthly, config.weekly) if one]
    return min(coming, default=0.0)


def trial_due(done: Sequence[BackupInfo], now: float) -> bool:
    """No restore was tried out with success for four weeks."""
    last = max((one.tried_at for one in done if not one.trial_error), default=0.0)
    return not 0 <= now - last < TRIAL_EVERY_S


def made_at(done: Sequence[BackupInfo], kinds: Sequence[str] = get_args(BackupKind)) -> float:
    """When the last one of these was begun that was made; 0: none was."""
    return max((one.at for one in done if not one.error and one.kind in kinds), default=0.0)


def scheduled(config: WeeklyConfig | MonthlyConfig, now: float, following: bool = False) -> float:
    """Its last time until `now`, in local time; `following`: its first one after that."""
    moment = datetime.fromtimestamp(now)
    hour, minute = map(int, config.at.split(":"))
    days = [moment.replace(hour=hour, minute=minute, second=0, microsecond=0) + timedelta(days=day)
            for day in range(-62, 63)]
    times = [day.timestamp() for day in days if _falls_on(config, day)]
    return min(at for at in times if at > now) if following else max(at for at in times if at <= now)


def _falls_on(config: WeeklyConfig | MonthlyConfig, day: datetime) -> bool:
    if isinstance(config, WeeklyConfig):
        return _DAYS[day.weekday()] == config.day
    return day.day == min(config.day, calendar.monthrange(day.year, day.month)[1])


def _waiting(config: BackupConfig, done: Sequence[BackupInfo], now: float) -> dict[BackupKind, float]:
    """Kinds whose time has come and since when; the monthly one first, which does for the weekly one, too."""
    found: dict[BackupKind, float] = {}
    done = [one for one in done if one.at <= now + DAY_S]            # the clock was set back since
    if config.monthly and made_at(done, ("monthly",)) < (at := scheduled(config.monthly, now)):
        found["monthly"] = at
    if config.weekly and made_at(done, ("weekly", "monthly")) < (at := scheduled(config.weekly, now)):
        found["weekly"] = at
    return found
