"""Hours in which an update may begin by itself. Pure: local time comes in."""

from datetime import datetime, timedelta

from appliance.config.update import QuietConfig


def next_quiet(config: QuietConfig, now: datetime) -> datetime:
    """`now` when it is within them, else their next beginning."""
    begins, ends = _minutes(config.begins), _minutes(config.ends)
    minute = now.hour * 60 + now.minute
    inside = begins <= minute < ends if begins < ends else minute >= begins or minute < ends
    if inside:
        return now
    start = now.replace(hour=begins // 60, minute=begins % 60, second=0, microsecond=0)
    return start if start > now else start + timedelta(days=1)


def _minutes(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)
