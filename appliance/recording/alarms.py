"""What somebody has to see to, one text a kind. Any thread."""

import logging
import threading
from collections.abc import Callable

from appliance.bus.messages import RecorderState, RecorderWarning

log = logging.getLogger(__name__)


class Warnings:
    """`changed` is called, from whatever thread, when there is something new to say."""

    def __init__(self, now: Callable[[], float], changed: Callable[[], None]) -> None:
        self._now, self._changed = now, changed
        self._lock = threading.Lock()
        self._said: dict[str, RecorderWarning] = {}

    def __call__(self, kind: str, text: str) -> None:
        """`text` "": it is over. The same again is not said again."""
        with self._lock:
            before = self._said.get(kind)
            if text == (before.text if before is not None else ""):
                return
            if text:
                since = self._now() if before is None else before.since
                self._said[kind] = RecorderWarning(kind=kind, text=text, since=since)
            else:
                del self._said[kind]
        if before is None or not text:
            log.log(logging.WARNING if text else logging.INFO, "%s: %s", kind, text or "is over")
        self._changed()

    def state(self) -> RecorderState:
        with self._lock:
            return RecorderState(warnings=sorted(self._said.values(), key=lambda one: one.since))
