"""What the configuration says of people: groups of agents, who is which agent. Read anew when it changes."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from appliance.config.quality import QualityConfig
from appliance.config.schema import Config
from appliance.errors import ConfigError

log = logging.getLogger(__name__)


class Crew:
    """Any thread. A document that is wrong at this moment changes nothing."""

    def __init__(self, quality: QualityConfig, path: Path | None = None,
                 read: Callable[[], Config] | None = None) -> None:
        """`path`: the document; `read` reads it. Without them it is as it is."""
        self._quality, self._path, self._read = quality, path, read
        self._lock = threading.Lock()
        self._stamp = self._stamped()

    def groups(self) -> dict[str, frozenset[str]]:
        return {group.name: frozenset(group.agents) for group in self._now().groups}

    def agent_of(self, person: str) -> str:
        """Which agent somebody is when he serves callers: of the same name, if nothing else is said."""
        return next((one.agent for one in self._now().people if one.name == person and one.agent), person)

    def _now(self) -> QualityConfig:
        stamp = self._stamped()
        if stamp != self._stamp and self._read is not None:
            with self._lock:
                try:
                    self._quality = self._read().quality
                except ConfigError as error:
                    log.warning("groups stay as they were: %s", error)
                self._stamp = stamp
        return self._quality

    def _stamped(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat() if self._path else None
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_ino) if found else None
