"""What a restore at the box's start did, in the log that the box has since: the wish is in the one before."""

import sqlite3
import time
from logging import getLogger
from pathlib import Path

import msgspec

from appliance.bus.messages import RestoreOutcome
from webui.access.audit import Asked, Audit, Did

FILE = "restored.json"                            # in the state folder: appliance.box.backup.wishing has it
ACTS = {"restore": "restored", "take-back": "taken-back"}

log = getLogger(__name__)


def note(audit: Audit, state: Path) -> None:
    """Once for each wish; that it cannot be written down keeps no page from being served."""
    try:
        found = msgspec.json.decode((state / FILE).read_bytes(), type=RestoreOutcome)
        act = ACTS[found.act]
        if audit.entries(Asked(acts=(act,), text=found.id), 1):
            return
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(found.backup_at))
        audit.note(Did(found.by, "", found.address, act, f"{found.box} {at} ({found.id})", found.why),
                   found.error, found.done_at)
    except FileNotFoundError:
        pass
    except (OSError, msgspec.MsgspecError, sqlite3.Error) as error:
        log.error("%s: what came of a restore is not in the log: %s", state / FILE, error)
