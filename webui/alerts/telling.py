"""Those whom an alert is for are told: a banner on their pages, mail, a webhook. What could not be sent is
tried again; what was sent is written down afterwards: a kill between the two sends it twice, never not.
"""

import http.client
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

import msgspec
from flask import Flask
from flask_babel import force_locale, gettext

from appliance.config.mail import MailConfig
from appliance.config.webhooks import WebhooksConfig
from webui.alerts.rules import SEVERITIES, TEST_S
from webui.alerts.store import Alert, Alerts, Sending
from webui.alerts.webhook import Forbidden, post
from webui.mail import send
from webui.notices.store import TEXT_MOST, Notices
from webui.reports.sending import retry_at

FIRST_S = 5.0                                     # until it is tried again: twice as long each time
MOST_TRIES = 32                                   # about a day
BANNER_S = 86400.0                                # a banner stands no longer, whatever else
LOOK_S = 60.0                                     # clocks may be set: so long is slept at most

log = logging.getLogger(__name__)


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a webhook. `id`: of this telling; one that comes twice has the same."""

    id: str
    state: str                                    # raised, cleared, test
    alert: int
    rule: str
    severity: str                                 # info, warning, critical
    what: str
    which: tuple[str, ...]
    value: float
    threshold: float
    text: str
    raised_at: float
    cleared_at: float | None


class Telling:
    """banners() belongs to the thread that judges, work() to one of its own: servers may be slow."""

    def __init__(self, app: Flask, alerts: Alerts, notices: Notices, mail: MailConfig | None,
                 webhooks: WebhooksConfig) -> None:
        self._app, self._alerts, self._notices = app, alerts, notices
        self._mail, self._webhooks = mail, webhooks
        self._send: Callable[[MailConfig, EmailMessage], None] = send
        self._woken, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def banners(self, now: float) -> bool:
        """Whether any changed."""
        waiting = self._alerts.waiting("banner")
        for one in waiting:
            if one.next_at <= now:
                self._try(one, self._banner, now)
        return bool(waiting)

    def work(self, now: float) -> float:
        """All that is due; when there is something to do again. sqlite3.Error: the disk refuses."""
        for one in self._alerts.waiting("mail", "webhook"):
            if one.next_at <= now and not self._stopping.is_set():
                self._try(one, self._mailed if one.way == "mail" else self._posted, now)
        return min((one.next_at for one in self._alerts.waiting("mail", "webhook")), default=now + LOOK_S)

    def _try(self, sending: Sending, tell: Callable[[Sending, Alert, float], None], now: float) -> None:
        alert = self._alerts.alert(sending.alert)
        if alert is None:
            return
        try:
            tell(sending, alert, now)
            self._alerts.done(sending)
        except sqlite3.Error:
            raise
        except Exception as error:                # whatever one does, the others go on
            tries = sending.tries + 1
            over = tries >= MOST_TRIES or isinstance(error, Forbidden)
            log.warning("alert %d by %s: %s", alert.number, sending.way, error)
            self._alerts.failed(sending, f"{error}" or type(error).__name__, retry_at(tries, now, FIRST_S),
                                over)

    def _banner(self, sending: Sending, alert: Alert, now: float) -> None:
        """A notice; the one of this alert is known by its moment and text, so there is one."""
        kept, text = self._alerts.rule(alert.rule), alert.text[:TEXT_MOST]
        by = kept.by if kept else alert.name
        there = next((one for one in self._notices.newest()
                      if one.since == alert.raised_at and one.text == text), None)
        if sending.phase == "cleared":
            if there is not None:
                self._notices.withdraw(there.number, there.by, now)
        elif there is None and (alert.cleared_at is None or alert.test):
            urgency = SEVERITIES[alert.severity]
            until = alert.raised_at + (TEST_S if alert.test else BANNER_S)
            if until <= now:
                return
            self._notices.add(by, text, urgency, self._notices.looks()[urgency], alert.definition.audience,
                              alert.raised_at, until, now)

    def _mailed(self, sending: Sending, alert: Alert, now: float) -> None:
        if self._mail is None:
            raise Forbidden("web.mail is not configured: there is no server to send it by")
        kept = self._alerts.rule(alert.rule)
        at = alert.raised_at if sending.phase == "raised" else alert.cleared_at or now
        with self._app.app_context(), force_locale(kept.language if kept else "zh"):
            subject = (alert.text if sending.phase == "raised"
                       else gettext("Over: %(text)s", text=alert.text))
            when = datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M:%S")
            text = gettext("%(time)s, alert %(number)d of the rule %(rule)s.", time=when, number=alert.number,
                           rule=alert.name)
        message = EmailMessage()
        message["From"], message["To"] = self._mail.sender, ", ".join(alert.definition.mail)
        message["Subject"] = subject.replace("=?", "= ?")
        message["Date"] = format_datetime(datetime.fromtimestamp(at).astimezone())
        message["Message-ID"] = f"<alert-{self._id(sending)}@{self._mail.sender.partition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(f"{subject}\n\n{text}\n")
        self._send(self._mail, message)

    def _posted(self, sending: Sending, alert: Alert, now: float) -> None:
        kept, rule = self._alerts.rule(alert.rule), alert.definition
        if kept is None:
            raise Forbidden("the rule was removed, and its secret with it")
        body = msgspec.json.encode(Said(
            id=self._id(sending), state="test" if alert.test else sending.phase, alert=alert.number,
            rule=alert.name, severity=alert.severity, what=rule.what, which=(*rule.which, *rule.groups),
            value=alert.value, threshold=rule.threshold, text=alert.text, raised_at=alert.raised_at,
            cleared_at=alert.cleared_at if sending.phase == "cleared" else None))
        post(rule.webhook, body, kept.secret, self._id(sending), self._webhooks, now)

    def _id(self, sending: Sending) -> str:
        return f"{self._alerts.box}-{sending.alert}-{sending.phase}"

    # --- as a thread of webui

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="alerts: telling", daemon=True)
        self._thread.start()

    def wake(self) -> None:
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
            except (sqlite3.Error, http.client.HTTPException) as error:
                log.error("alerts: %s", error)
                next_at = now + LOOK_S
            self._woken.wait(min(max(next_at - time.time(), 0.05), LOOK_S))
