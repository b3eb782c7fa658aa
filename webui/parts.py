"""What the blueprints of one application share. create_app() makes it, parts() finds it."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from flask import current_app

from appliance.config.mail import MailConfig
from appliance.config.quality import QualityConfig
from appliance.config.webhooks import WebhooksConfig
from webui.access.audit import Audit
from webui.access.crew import Crew
from webui.access.factors import Factors
from webui.access.halves import ASKED_S, HALF_S, HALVES, Half, Waiting
from webui.access.sight import Narrowed
from webui.alerts.store import Alerts
from webui.api.tokens import Tokens
from webui.certificate import Certificates
from webui.exchange import Exchange
from webui.notices.store import Notices
from webui.onlookers import Onlookers
from webui.opened import Opened
from webui.rendered import Rendered
from webui.seen import Seen
from webui.throttle import AtHome, Throttle
from webui.uploads import Uploads
from webui.users import SetupCode, Users

LANGUAGES = {"zh": "中文", "en": "English"}
LANGUAGE_COOKIE, YEAR_S = "language", 365 * 86400          # what a reader chose, and for how long
STREAMS = 100                                     # pages that may be live at once


@dataclass(frozen=True, slots=True)
class Settings:
    exports: Path                                 # bundles of recordings, which who made one may fetch
    state: Path                                   # the box's state folder
    session_key: bytes
    setup_code: SetupCode
    language: str = "zh"                          # until a person chooses
    secure_cookies: bool = False
    certificates: Certificates | None = None      # None: no TLS of our own
    second_factor: str = "offered"                # off, offered, required
    audit_days: float = 730.0                     # that the log of what people did is kept
    mail: MailConfig | None = None                # None: nothing is sent
    webhooks: WebhooksConfig = field(default_factory=WebhooksConfig)
    crew: Crew = field(default_factory=lambda: Crew(QualityConfig()))
    release: Path = Path("/etc/branchline/release")                  # what an image says of itself

    @property
    def support(self) -> Path:
        """Where boxd leaves the diagnostics bundle."""
        return self.state / "support"


@dataclass(frozen=True, slots=True)
class Parts:
    exchange: Exchange
    users: Users
    settings: Settings
    seen: Seen
    audit: Audit
    uploads: Uploads
    factors: Factors
    notices: Notices
    tokens: Tokens
    alerts: Alerts
    onlookers: Onlookers
    by_address: Throttle = field(default_factory=lambda: Throttle(longest_s=900.0))
    # For strangers: one who guesses must not lock out who has signed in from the same place before.
    by_name: Throttle = field(default_factory=lambda: Throttle(longest_s=60.0))
    at_home: AtHome = field(default_factory=AtHome)
    # Of codes and keys after the password: only who knows the password makes others wait.
    by_second: Throttle = field(default_factory=lambda: Throttle(longest_s=900.0))
    halves: Waiting[Half] = field(default_factory=lambda: Waiting(HALF_S, HALVES))
    asked: Waiting[bytes] = field(default_factory=lambda: Waiting(ASKED_S, HALVES))
    rendered: Rendered = field(default_factory=Rendered)
    narrowed: Narrowed = field(default_factory=Narrowed)
    opened: Opened = field(default_factory=Opened)
    streams: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(STREAMS))

    @property
    def crew(self) -> Crew:
        return self.settings.crew


def parts() -> Parts:
    return cast(Parts, current_app.extensions["branchline"])
