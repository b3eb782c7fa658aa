"""What the catalogue does by time, beside learning and checking."""

from appliance.recording.catalogue import rows
from appliance.recording.parts import Parts

FORGET_PAGES = 500                                # of the search's index, in one write
FORGET_S = 1.0                                    # between two of them: others want to write, too
LOOK_S = 600.0


def forget(parts: Parts, now: float) -> float:
    """Take what was deleted out of the search's own pages and of the database's log. When to come again."""
    with parts.database.write() as connection:
        done = rows.forget(connection, FORGET_PAGES)
    return now + (LOOK_S if done and parts.database.empty_log() else FORGET_S)
