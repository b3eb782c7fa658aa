"""When a backup is due: by the week, by the month, after a failure, after the box was off."""

import time
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from appliance.box.backup.due import due, next_at, overdue, trial_due
from appliance.bus.messages import BackupInfo
from appliance.config.backup import BackupConfig, MonthlyConfig, WeeklyConfig

WEEKLY = BackupConfig(path="/b", weekly=WeeklyConfig(day="sunday", at="02:30"))
BOTH = BackupConfig(path="/b", weekly=WeeklyConfig(), monthly=MonthlyConfig(day=31, at="02:30"))
DAY_S = 86_400.0


@pytest.fixture(autouse=True)
def shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Shanghai")
        time.tzset()
        yield
    time.tzset()


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()


def made(kind: str, when: str, error: str = "", **facts: float) -> BackupInfo:
    return BackupInfo(kind=kind, at=at(when), error=error, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(("config", "done", "now", "wanted"), [
    (WEEKLY, [], "2026-11-20 12:00", "weekly"),                      # never yet
    (WEEKLY, [made("weekly", "2026-11-15 02:30")], "2026-11-22 02:29", None),        # the 22nd is a Sunday
    (WEEKLY, [made("weekly", "2026-11-15 02:30")], "2026-11-22 02:30", "weekly"),
    (WEEKLY, [made("weekly", "2026-11-15 02:30")], "2026-12-30 09:00", "weekly"),    # it was off: one only
    (WEEKLY, [made("now", "2026-11-22 02:00")], "2026-11-22 02:31", "weekly"),       # people's are their own
    (WEEKLY, [made("weekly", "2027-03-01 00:00")], "2026-11-22 02:31", "weekly"),    # the clock was set back
    (WEEKLY, [made("weekly", "2026-11-22 02:30", "full"), made("weekly", "2026-11-15 02:30")],
     "2026-11-22 03:29", None),
    (WEEKLY, [made("weekly", "2026-11-22 02:30", "full"), made("weekly", "2026-11-15 02:30")],
     "2026-11-22 03:30", "weekly"),
    (BOTH, [made("monthly", "2026-10-31 02:30"), made("weekly", "2026-11-22 02:30")], "2026-11-29 03:00",
     "weekly"),
    (BOTH, [made("monthly", "2026-10-31 02:30"), made("weekly", "2026-11-29 02:30")], "2026-11-30 02:30",
     "monthly"),                                                     # November has no 31st
    (BOTH, [made("weekly", "2026-05-24 02:30"), made("monthly", "2026-04-30 02:30")], "2026-05-31 02:30",
     "monthly"),                                                     # a Sunday: it does for both
    (BOTH, [made("monthly", "2026-05-31 02:30")], "2026-05-31 02:31", None),
    (BackupConfig(path="/b"), [], "2026-11-22 02:31", None),
])
def test_what_is_due(config: BackupConfig, done: list[BackupInfo], now: str, wanted: str | None) -> None:
    assert due(config, done, at(now)) == wanted
    if wanted is None and config.weekly:
        assert next_at(config, done, at(now)) > at(now)
    elif wanted:
        assert next_at(config, done, at(now)) == at(now)


def test_one_that_is_not_made_for_a_day_is_overdue() -> None:
    done = [made("weekly", "2026-11-22 09:00", "full"), made("weekly", "2026-11-15 02:30")]
    assert not overdue(WEEKLY, done, at("2026-11-23 02:30"))
    assert overdue(WEEKLY, done, at("2026-11-23 02:31"))
    assert not overdue(WEEKLY, [made("weekly", "2026-11-23 01:00"), *done], at("2026-11-23 02:31"))


def test_a_restore_is_tried_out_every_four_weeks_until_it_holds() -> None:
    tried, failed = at("2026-11-01 03:00"), at("2026-11-29 03:00")
    done = [made("weekly", "2026-11-01 02:30", tried_at=tried)]
    assert trial_due([], tried) and not trial_due(done, tried + 27 * DAY_S)
    assert trial_due(done, failed)
    again = made("weekly", "2026-11-29 02:30", tried_at=failed)
    assert not trial_due([again, *done], failed + DAY_S)
    bad = BackupInfo(kind="weekly", at=failed, tried_at=failed, trial_error="does not hold")
    assert trial_due([bad, *done], failed + DAY_S)
