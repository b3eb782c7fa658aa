"""When the disk is full, from what was used day by day. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

DAY_S = 86_400.0
LEAST_DAYS, MOST_DAYS = 3, 28                     # that are looked at: weeks are not alike within
FARTHEST_DAYS = 3650                              # further on nobody can tell


@dataclass(frozen=True, slots=True)
class Forecast:
    growth_octets_day: float
    days: int                                     # looked at
    full_at: float                                # 0: it does not fill up within FARTHEST_DAYS


def forecast(seen: Sequence[tuple[float, int, int]], now: float) -> Forecast | None:
    """Of (unix time, total, free). None: too few days of this disk. The line through the points with the
    least squares of distances is what it grows by."""
    since = now - MOST_DAYS * DAY_S
    total = max(seen)[1] if seen else 0
    points = [(at, total - free) for at, whole, free in sorted(seen) if at >= since and whole == total]
    if not points or (days := (points[-1][0] - points[0][0]) / DAY_S) < LEAST_DAYS - 0.5:
        return None
    mean_at = sum(at for at, _ in points) / len(points)
    mean_used = sum(used for _, used in points) / len(points)
    wide = sum((at - mean_at) ** 2 for at, _ in points)
    slope = sum((at - mean_at) * (used - mean_used) for at, used in points) / wide
    free = total - points[-1][1]
    days_left = free / (slope * DAY_S) if slope > 0 else FARTHEST_DAYS + 1
    full_at = points[-1][0] + days_left * DAY_S if days_left <= FARTHEST_DAYS else 0.0
    return Forecast(slope * DAY_S, round(days), full_at)
