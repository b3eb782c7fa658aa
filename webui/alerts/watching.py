"""Every rule judged whenever the floor changes or a deadline comes, in a thread of webui."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from datetime import tzinfo

from flask import Flask
from flask_babel import force_locale

from webui.access import roles
from webui.access.crew import Crew
from webui.access.ranges import Range
from webui.access.sight import narrowed
from webui.alerts import words
from webui.alerts.asking import Sources
from webui.alerts.calendars import Calendars
from webui.alerts.judging import Reading, Standing, judge
from webui.alerts.measuring import UNKNOWN, View, limits, read
from webui.alerts.rules import within_hours
from webui.alerts.store import Alert, Alerts, Kept
from webui.alerts.telling import Telling
from webui.exchange import Exchange
from webui.mirror import Floor
from webui.users import Person, Users

GAP_S = 0.2                                       # changes within it are looked at together
LOOK_S = 60.0                                     # clocks may be set: so long is slept at most
OWNERS_S = 10.0                                   # how long it is believed what an owner may

log = logging.getLogger(__name__)


def lawful(owner: Person | None, kept: Kept, groups: Mapping[str, frozenset[str]]) -> bool:
    """Whether the owner may still watch and notify, within the range that the rule has."""
    return owner is not None and not owner.disabled and all(
        roles.may(owner.role, right, owner.within) for right in ("watch", "notify")) and (
        owner.within.resolved(groups).covers(kept.within.resolved(groups)))


class Watching:
    """work() judges all rules once; run() does so whenever something may have changed."""

    def __init__(self, app: Flask, alerts: Alerts, exchange: Exchange, users: Users, crew: Crew,
                 telling: Telling, certificate_until: Callable[[], float | None],
                 zone: tzinfo | None = None) -> None:
        self._app, self._alerts, self._exchange = app, alerts, exchange
        self._users, self._crew, self._telling = users, crew, telling
        self._certificate_until, self._zone = certificate_until, zone
        self._sources, self._calendars = Sources(exchange), Calendars(exchange)
        self._standings: dict[int, tuple[float, Standing]] = {}      # with when the rule was changed
        self._owners: dict[str, tuple[float, Person | None]] = {}
        self._broken: set[tuple[int, float]] = set()                 # rules that were said not to be judged
        self._shown: tuple[tuple[Alert, ...], ...] = ()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def work(self, now: float) -> float:
        """When to look again at the latest. sqlite3.Error: the disk refuses."""
        floor, figures = self._exchange.mirror.floor, self._sources.figures(now)
        groups, until = self._crew.groups(), self._certificate_until()
        seen: dict[Range, Floor] = {}
        deadlines = [now + LOOK_S]
        self._calendars.begin()

        def look(kept: Kept) -> None:
            force, next_at = within_hours(kept.rule, now, self._zone)
            if next_at is not None:
                deadlines.append(next_at)
            force = force and kept.on and lawful(self._owner(kept.by, now), kept, groups)
            if force and kept.rule.calendar:
                calendar = self._calendars.standing(kept.rule.calendar, now)
                if not calendar:                  # nobody knows whether the rule is in force
                    deadlines.extend(self._judge(kept, UNKNOWN, now))
                    return
                force = calendar == kept.rule.calendar_when
            if not force:
                self._standings.pop(kept.number, None)
                if self._alerts.raised_of(kept.number):
                    self._alerts.clear(kept.number, now)
                return
            within = kept.within.resolved(groups)
            if within not in seen:
                seen[within] = narrowed(floor, within)
            reading = read(kept.rule, View(seen[within], groups, self._sources.crew, figures, until), now)
            deadlines.extend(self._judge(kept, reading, now))
        for kept in self._alerts.rules:
            try:
                look(kept)
            except sqlite3.Error:
                raise
            except Exception:                     # one rule that cannot be judged must not end all of them
                if (kept.number, kept.changed_at) not in self._broken:
                    self._broken.add((kept.number, kept.changed_at))
                    log.exception("alerts: rule %d (%s) is not judged", kept.number, kept.rule.name)
        deadlines += [at for at in (self._sources.next_at(), self._calendars.next_at()) if at is not None]
        told, shown = self._telling.banners(now), (self._alerts.raised, self._alerts.tried)
        if told or [*map(id, shown)] != [*map(id, self._shown)]:
            self._shown = shown
            self._telling.wake()
            self._exchange.mirror.wake()          # pages show it
        return min(deadlines)

    def _judge(self, kept: Kept, reading: Reading, now: float) -> list[float]:
        """Its deadlines."""
        raised = self._alerts.raised_of(kept.number)
        changed_at, standing = self._standings.get(kept.number, (kept.changed_at, Standing()))
        if changed_at != kept.changed_at or standing.raised != (raised is not None):
            standing = Standing(raised is not None)
        judged = judge(limits(kept.rule), standing, reading, now)
        muted = now < kept.muted_until
        if judged.change == "raised":
            with self._app.app_context(), force_locale(kept.language):
                text = words.told(kept.rule, reading, now)
            self._alerts.rise(kept, text, reading.at(now) or 0.0, now, told=not muted)
        elif judged.change == "cleared":
            self._alerts.clear(kept.number, now)
        elif raised is not None and not raised.told and not muted:
            self._alerts.tell(raised, now)
        self._standings[kept.number] = kept.changed_at, judged.standing
        return [at for at in (judged.next_at, kept.muted_until if muted else None) if at is not None]

    def _owner(self, name: str, now: float) -> Person | None:
        until, person = self._owners.get(name, (0.0, None))
        if not now < until <= now + OWNERS_S:
            person = self._users.person(name)
            self._owners[name] = now + OWNERS_S, person
        return person

    # --- as a thread of webui

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="alerts: watching", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """After the mirror was closed; returns when the thread has ended."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(5.0)

    def _run(self) -> None:
        mirror = self._exchange.mirror
        while not self._stopping.is_set() and not mirror.closed.is_set():
            floor = mirror.floor
            now = time.time()
            try:
                next_at = self.work(now)
            except sqlite3.Error as error:
                log.error("alerts: %s", error)
                next_at = now + LOOK_S
            except Exception:                     # nothing ends the thread
                log.exception("alerts: not judged")
                next_at = now + LOOK_S
            mirror.wait(floor, min(max(next_at - time.time(), GAP_S), LOOK_S))
            mirror.closed.wait(GAP_S)
