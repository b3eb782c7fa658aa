"""Saved reports at work: what is due is planned, made and sent, and tried again when it could not be."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, tzinfo
from email.message import EmailMessage
from email.utils import format_datetime

from flask import Flask
from flask_babel import force_locale, gettext

from appliance.config.mail import MailConfig
from webui.access import roles
from webui.mail import send
from webui.reports import exports, shown, tables
from webui.reports.choice import read_query, times
from webui.reports.saved import Run, SavedReport, SavedReports
from webui.users import Users

FIRST_S, LONGEST_S = 60.0, 3600.0                 # until a run is tried again: twice as long each time
MOST_TRIES = 30                                   # about a day
LOOK_S = 60.0                                     # clocks may be set: so long is slept at most

log = logging.getLogger(__name__)


class NoRight(Exception):
    """Of who saved a report."""


def retry_at(tries: int, now: float, first_s: float = FIRST_S) -> float:
    """After so many tries that failed."""
    return now + min(first_s * 2.0 ** min(tries - 1, 20), LONGEST_S)


class Sending:
    """work() does all there is to do at one time; run() does so whenever something is due."""

    def __init__(self, app: Flask, saved: SavedReports, users: Users, ask: tables.Asking,
                 mail: MailConfig | None, zone: tzinfo | None = None) -> None:
        self._app, self._saved, self._users, self._ask = app, saved, users, ask
        self._mail, self._zone = mail, zone
        self._send: Callable[[MailConfig, EmailMessage], None] = send
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def work(self, now: float) -> float:
        """When there is something to do again, at the latest. sqlite3.Error: the disk refuses."""
        reports = {one.id: one for one in self._saved.all()}
        for one in reports.values():
            since = min(one.planned_to, now)      # the clock was set back: nothing is planned twice
            self._saved.plan(one.id, one.schedule.missed(since, now, self._zone), now)
        for run in self._saved.waiting():
            if run.next_at <= now and not self._stopping.is_set():
                if one_of := reports.get(run.saved):             # else it was removed a moment ago
                    self._take(one_of, run, now)
        dues = [next(one.schedule.dues(now, self._zone), None) for one in reports.values()]
        return min([run.next_at for run in self._saved.waiting()] + [due for due in dues if due is not None],
                   default=now + LOOK_S)

    def _take(self, one: SavedReport, run: Run, now: float) -> None:
        """One run as far as it goes; why it does not is kept with it."""
        try:
            self._may(one)
            if not run.file:
                run = self._make(one, run)
            if one.addresses:
                self._send_it(one, run)
                self._saved.sent(run, now)
            self._saved.let_go(one)
        except sqlite3.Error:
            raise
        except Exception as error:                # whatever one report does, the others go on
            tries = run.tries + 1
            over = tries >= MOST_TRIES or isinstance(error, NoRight)
            log.warning("report %s (%s): %s", one.id, one.name, error)
            self._saved.failed(run, f"{error}" or type(error).__name__, retry_at(tries, now), over)

    def _may(self, one: SavedReport) -> None:
        """NoRight: who saved it may not see all figures any more."""
        person = self._users.person(one.by)
        if person is None or person.disabled or person.within.limited or not roles.may(
                person.role, "report", person.within):
            raise NoRight(f"{one.by} may not see this report any more")

    def _make(self, one: SavedReport, run: Run) -> Run:
        with self._app.app_context(), force_locale(one.language):
            choice = read_query(one.query)
            report = tables.make(choice, times(choice, run.due, self._zone), self._ask)
            octets = exports.FORMS[one.form](report)
            began = datetime.fromtimestamp(run.due, self._zone)
            name = f"{began:%Y%m%d-%H%M%S}-{exports.file_name(report, one.form)}"
        self._saved.keep_file(run, name, octets)
        self._saved.made(run, name, over=not one.addresses)
        return replace(run, file=name, tries=0)

    def _send_it(self, one: SavedReport, run: Run) -> None:
        """At least once: killed after the server took it, and before that is written, it sends it again."""
        if self._mail is None:
            raise ValueError("web.mail is not configured: there is no server to send it by")
        path = self._saved.folder_of(one.id) / run.file
        with self._app.app_context(), force_locale(one.language):
            choice = read_query(one.query)
            when = shown.when(times(choice, run.due, self._zone))
            text = gettext("%(name)s, %(time)s. The report is attached.", name=one.name, time=when)
        message = EmailMessage()
        message["From"], message["To"] = self._mail.sender, ", ".join(one.addresses)
        message["Subject"] = f"{one.name} {when}"
        message["Date"] = format_datetime(datetime.fromtimestamp(run.due).astimezone())
        message["Message-ID"] = f"<report-{one.id}-{run.due}@{self._mail.sender.partition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        kind, _, form = exports.MEDIA[one.form].partition("/")
        message.add_attachment(path.read_bytes(), maintype=kind, subtype=form, filename=run.file)
        self._send(self._mail, message)

    # --- as a thread of webui

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="reports", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """There is something new to do."""
        self._woken.set()

    def stop(self, patience_s: float = 5.0) -> None:
        """What is going on is broken off when it takes longer: it is taken again at the next start."""
        self._stopping.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(patience_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            now = time.time()
            try:
                next_at = self.work(now)
            except sqlite3.Error as error:
                log.error("saved reports: %s", error)
                next_at = now + LOOK_S
            self._woken.wait(min(max(next_at - time.time(), 0.05), LOOK_S))
