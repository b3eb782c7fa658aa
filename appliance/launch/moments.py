"""A moment as people give it on the command line."""

from datetime import datetime, timedelta

import click


class Moment(click.ParamType[datetime]):
    """2026-10-01 20:00, or 20:00 or 20:00:30 of today; without a zone, which is the reader's to add."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        text = str(value).strip()
        try:
            if len(text) <= len("20:00:30"):
                form = "%H:%M:%S" if text.count(":") == 2 else "%H:%M"
                return datetime.combine(datetime.now().date(), datetime.strptime(text, form).time())
            return datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"{text!r} is no time: give e.g. 20:00, or \"2026-10-01 20:00\"", param, ctx)


def ahead(moment: datetime, now: datetime) -> datetime:
    """A time of day that has passed today is tomorrow's."""
    passed = moment <= now and moment.date() == now.date()
    return moment + timedelta(days=1) if passed else moment
