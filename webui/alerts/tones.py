"""What of the alerts is heard on the pages of somebody who has switched it on: static/alerts.js plays it.
A wall, which has no banners, shows it."""

import json
import time

from flask import render_template

from webui.alerts.rules import TEST_S
from webui.alerts.store import Alert
from webui.notices.bar import reader
from webui.parts import parts
from webui.rendered import Fragment


class Tones:
    """Of one page: rendered when other alerts are to be heard."""

    def __init__(self) -> None:
        self._reader, self._html = reader(), ""
        self._shown: list[Alert] | None = None

    def __call__(self) -> Fragment:
        now, alerts = time.time(), parts().alerts
        shown = [one for one in (*alerts.raised, *alerts.tried) if self._for_me(one, now)]
        if shown != self._shown:
            heard = [(one.number, one.severity, one.seen_at is not None or one.test) for one in shown
                     if one.definition.sound]
            self._shown = shown
            self._html = render_template("alerts/tones.html", heard=json.dumps(heard), shown=shown)
        return "alert-tones", self._html

    def _for_me(self, one: Alert, now: float) -> bool:
        return (one.told and one.definition.audience.holds(self._reader)
                and (not one.test or now < one.raised_at + TEST_S))
