"""What flows give notice of, from the board into the notices: once each, whatever dies in between.

acdd has it in its log before it says so, and says it for as long as it holds; the store has one of each
source.
"""

import logging
import sqlite3
import threading
import time
from pathlib import Path

from appliance.bus.messages import FlowNotice
from webui.mirror import Mirror
from webui.notices.audience import Audience
from webui.notices.store import OF_FLOWS, URGENCIES, Notices

LOOK_S = 60.0
AGAIN_S = 5.0                                     # after the disk has refused

log = logging.getLogger(__name__)


class OfFlows:
    """A thread of its own from start() to stop(); the mirror is closed before it is stopped."""

    def __init__(self, notices: Notices, mirror: Mirror) -> None:
        self._notices, self._mirror = notices, mirror
        self._taken: frozenset[str] = frozenset()
        self._thread = threading.Thread(target=self._run, name="notices of flows", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._thread.join()

    def take(self, given: list[FlowNotice], now: float) -> bool:
        """Keep those that are new; whether there were any. sqlite3.Error: the disk refuses."""
        fresh = [one for one in given if one.notice not in self._taken and one.until > now]
        for one in fresh:
            urgency = one.urgency if one.urgency in URGENCIES else URGENCIES[0]
            flow, _, node = one.node.rpartition(" ")
            self._notices.add(
                f"{Path(flow).stem} · {node}", one.text, urgency, self._notices.looks()[urgency],
                Audience(everybody=not one.group, groups=(one.group,) if one.group else ()),
                min(one.at, now), one.until, now, f"{OF_FLOWS}{one.notice}")
        self._taken = frozenset(one.notice for one in given)
        return bool(fresh)

    def _run(self) -> None:
        while not self._mirror.closed.is_set():
            seen, wait_s = self._mirror.floor, LOOK_S
            try:
                if seen.board is not None and self.take(seen.board.notices, time.time()):
                    self._mirror.wake()           # open pages look at their notices
            except sqlite3.Error as error:
                log.error("notices of flows wait: %s", error)
                wait_s = AGAIN_S
            self._mirror.wait(seen, wait_s, numbers=False)
