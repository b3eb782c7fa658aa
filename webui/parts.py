"""What the blueprints of one application share. create_app() makes it, parts() finds it."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from flask import current_app

from webui.acts import Acts
from webui.exchange import Exchange
from webui.opened import Opened
from webui.rendered import Rendered
from webui.seen import Seen
from webui.throttle import AtHome, Throttle
from webui.uploads import Uploads
from webui.users import SetupCode, Users

LANGUAGES = {"zh": "中文", "en": "English"}
STREAMS = 100                                     # pages that may be live at once


@dataclass(frozen=True, slots=True)
class Settings:
    exports: Path                                 # bundles of recordings, which who made one may fetch
    state: Path                                   # the box's state folder
    session_key: bytes
    setup_code: SetupCode
    language: str = "zh"                          # until a person chooses
    secure_cookies: bool = False
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
    acts: Acts
    uploads: Uploads
    by_address: Throttle = field(default_factory=lambda: Throttle(longest_s=900.0))
    # For strangers: one who guesses must not lock out who has signed in from the same place before.
    by_name: Throttle = field(default_factory=lambda: Throttle(longest_s=60.0))
    at_home: AtHome = field(default_factory=AtHome)
    rendered: Rendered = field(default_factory=Rendered)
    opened: Opened = field(default_factory=Opened)
    streams: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(STREAMS))


def parts() -> Parts:
    return cast(Parts, current_app.extensions["branchline"])
