"""A restore that was wished for on the page, carried out before any daemon has a file of the box open.

`python -m appliance.launch.restore DOCUMENT STATE_DIR`: branchline-restore.service's, as root. On other
machines `branchline up` does the same. Ends with 1 when a restore is not over: then a plan is there, and no
daemon may start.
"""

import os
import sys
import time
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from appliance.box.backup import wishing
from appliance.box.backup.format import BackupError, Manifest
from appliance.bus.messages import RestoreOutcome
from appliance.bus.runner import UMASK
from appliance.errors import BranchlineError
from appliance.launch import place
from appliance.recording.catalogue.schema import FILE as CATALOGUE
from appliance.recording.catalogue.schema import open_catalogue
from appliance.recording.vault.chain import Chain
from appliance.recording.vault.keys import Keys
from appliance.store.sqlite import reason


def fulfil(state_dir: Path, document: Path) -> RestoreOutcome | None:
    """None: nobody wishes it. BackupError, CannotStart: no daemon may start."""
    return wishing.fulfil(state_dir, document, note, place.give_back)


def note(manifest: Manifest, folder: Path, by: str) -> None:
    """The chain says that it goes on from a backup: what was done since is not in it."""
    if not (folder / CATALOGUE).exists():
        return
    keys, database = Keys(folder / "keys"), open_catalogue(folder)
    try:
        with database.write() as connection:
            chain, now = Chain(keys), time.time()
            chain.append(connection, now, "restored", "", by, {
                "backup_at": round(manifest.at), "box": manifest.box})
            chain.sign(connection, now)
    except SQLAlchemyError as error:
        raise BackupError(f"{CATALOGUE}: is damaged in the backup ({reason(error)}): restore an earlier one"
                          ) from None
    finally:
        database.close()
    (folder / f"{CATALOGUE}.lock").unlink()


def main(argv: list[str]) -> int:
    os.umask(UMASK)
    document, state_dir = map(Path, argv)
    try:
        found = fulfil(state_dir, document)
    except BranchlineError as error:
        print(error, file=sys.stderr)
        return 1
    if found is not None:
        print(f"not restored: {found.error}" if found.error else f"{found.act}: done", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
