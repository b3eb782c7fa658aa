"""Compute the contact records and what figures are counted from again out of the event log."""

from pathlib import Path

from appliance.centre.figures.counting import FigureCounting
from appliance.centre.projector import ContactProjector
from appliance.errors import ConfigError
from appliance.store.events import FILE, EventLog


def rebuild(state_dir: Path) -> dict[str, int]:
    """Rows of each table afterwards. ConfigError: there is no log, it is damaged, or acdd is running."""
    path = state_dir / FILE
    if not path.exists():
        raise ConfigError(f"{path}: there is no event log: is this the state folder?")
    log = EventLog(path, ContactProjector(), FigureCounting())
    try:
        log.rebuild()
        return log.counts()
    finally:
        log.close()
