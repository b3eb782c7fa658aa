"""Those whom an alert is for are told: a banner on their pages, mail, a webhook. What could not be sent is
tried again; what was sent is written down afterwards: a kill between the two sends it twice, never not.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from functools import partial
from smtplib import SMTPException
from urllib.parse import urlsplit

import msgspec
from flask import Flask
from flask_babel import force_locale, gettext

from appliance.config.mail import MailConfig
from appliance.config.webhooks import WebhooksConfig
from webui.alerts.rules import SEVERITIES, TEST_S
from webui.alerts.store import Alert, Alerts, Sending
from webui.alerts.webhook import Forbidden, Late, Unreachable, post
from webui.mail import send
from webui.notices.store import TEXT_MOST, Notices
from webui.reports.sending import LONGEST_S, retry_at

FIRST_S = 5.0                                     # until it is tried again: twice as long each time
MOST_TRIES = 32                                   # about a day
BANNER_S = 86400.0                                # a banner stands no longer, whatever else
LOOK_S = 60.0                                     # clocks may be set: so long is slept at most
SERVERS = ("mail", "webhook")                     # ways that may be slow: each has a thread of its own

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
    """banners() belongs to the thread that judges, work() to one of each way."""

    def __init__(self, app: Flask, alerts: Alerts, notices: Notices, mail: MailConfig | None,
                 webhooks: WebhooksConfig) -> None:
        self._app, self._alerts, self._notices = app, alerts, notices
        self._mail, self._webhooks = mail, webhooks
        self._send: Callable[[MailConfig, EmailMessage], None] = send
        self._woken, self._stopping = {way: threading.Event() for way in SERVERS}, threading.Event()
        self._threads: list[threading.Thread] = []

    def banners(self, now: float) -> bool:
        """Whether anybody was told anything."""
        told = [self._try(one, self._banner, now) for one in self._alerts.waiting("banner") if _due(one, now)]
        return any(told)

    def work(self, now: float, *ways: str) -> float:
        """All that is due by these ways (none: by all servers); when there is something to do again.
        sqlite3.Error: the disk refuses."""
        lost: dict[str, OSError] = {}
        for one in self._alerts.waiting(*(ways or SERVERS)):
            if _due(one, now) and not self._stopping.is_set():
                self._try(one, partial(self._reach, lost), now)
        return min((one.next_at for one in self._alerts.waiting(*(ways or SERVERS))), default=now + LOOK_S)

    def _try(self, sending: Sending, tell: Callable[[Sending, Alert, float], None], now: float) -> bool:
        """Whether it was told."""
        try:
            alert = self._alerts.alert(sending.alert)
            if alert is None:
                return False
            tell(sending, alert, now)
            self._alerts.done(sending)
            return True
        except sqlite3.Error:
            raise
        except Exception as error:                # whatever one does, the others go on
            tries = sending.tries + 1
            over = tries >= MOST_TRIES or isinstance(error, Forbidden)
            log.warning("alert %d by %s: %s", sending.alert, sending.way, error)
            self._alerts.failed(sending, f"{error}" or type(error).__name__, retry_at(tries, now, FIRST_S),
                                over)
            return False

    def _reach(self, lost: dict[str, OSError], sending: Sending, alert: Alert, now: float) -> None:
        """Not tried where nobody was reached in this pass, `lost`: the others need not wait for it, too."""
        mails, url = sending.way == "mail", alert.definition.webhook
        server, url = ("", "") if mails else (urlsplit(url).netloc.lower(), url)
        for place in (server, url):
            if place in lost:
                raise lost[place]
        try:
            (self._mailed if mails else self._posted)(sending, alert, now)
        except (Unreachable, Late) as error:      # who is late at one address may answer at another
            lost[server if isinstance(error, Unreachable) else url] = error
            raise
        except OSError as error:
            if mails and not isinstance(error, SMTPException):   # no connection; else it is of this mail
                lost[server] = error
            raise

    def _banner(self, sending: Sending, alert: Alert, now: float) -> None:
        """A notice: one of each alert, and none when it is over."""
        source = f"{self._alerts.box}-{alert.number}"
        if sending.phase == "cleared":
            self._notices.drop(source)
        elif alert.cleared_at is None or alert.test:
            kept, urgency = self._alerts.rule(alert.rule), SEVERITIES[alert.severity]
            since = min(alert.raised_at, now)     # the clock was set back
            until = since + (TEST_S if alert.test else BANNER_S)
            if until > now:
                self._notices.add(kept.by if kept else alert.name, alert.text[:TEXT_MOST], urgency,
                                  self._notices.looks()[urgency], alert.definition.audience, since, until,
                                  now, source)

    def _mailed(self, sending: Sending, alert: Alert, now: float) -> None:
        if self._mail is None:
            raise Forbidden("web.mail is not configured: there is no server to send it by")
        at = alert.raised_at if sending.phase == "raised" else alert.cleared_at or now
        with self._app.app_context(), force_locale(alert.language):
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
        rule = alert.definition
        body = msgspec.json.encode(Said(
            id=self._id(sending), state="test" if alert.test else sending.phase, alert=alert.number,
            rule=alert.name, severity=alert.severity, what=rule.what, which=(*rule.which, *rule.groups),
            value=alert.value, threshold=rule.threshold, text=alert.text, raised_at=alert.raised_at,
            cleared_at=alert.cleared_at if sending.phase == "cleared" else None))
        post(rule.webhook, body, alert.secret, self._id(sending), self._webhooks)

    def _id(self, sending: Sending) -> str:
        return f"{self._alerts.box}-{sending.alert}-{sending.phase}"

    # --- as a thread of webui

    def start(self) -> None:
        self._threads = [threading.Thread(target=self._run, args=(way,), name=f"alerts: {way}", daemon=True)
                         for way in SERVERS]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        for woken in self._woken.values():
            woken.set()

    def stop(self, patience_s: float = 5.0) -> None:
        """What is going on is broken off when it takes longer: it is taken again at the next start."""
        self._stopping.set()
        self.wake()
        until = time.monotonic() + patience_s
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0.0))

    def _run(self, way: str) -> None:
        woken = self._woken[way]
        while not self._stopping.is_set():
            woken.clear()
            now = time.time()
            try:
                next_at = self.work(now, way)
            except sqlite3.Error as error:
                log.error("alerts: %s", error)
                next_at = now + LOOK_S
            except Exception:                     # nothing ends the thread
                log.exception("alerts: not told by %s", way)
                next_at = now + LOOK_S
            woken.wait(min(max(next_at - time.time(), 0.05), LOOK_S))


def _due(sending: Sending, now: float) -> bool:
    return sending.next_at <= now or sending.next_at > now + LONGEST_S       # the clock was set back
