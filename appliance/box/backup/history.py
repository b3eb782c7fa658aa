"""What became of the backups, newest first, in a file of the state folder's `backup`."""

import logging
from pathlib import Path

import msgspec

from appliance.box.backup.durable import write_file
from appliance.bus.messages import BackupInfo

FILE = "history.json"
MOST = 500

log = logging.getLogger(__name__)


class History:
    """One that cannot be read is set aside: it begins anew, and a backup is due."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self.backups: list[BackupInfo] = []       # replaced as a whole: other threads read it
        try:
            self.backups = msgspec.json.decode(self._path.read_bytes(), type=list[BackupInfo])
        except FileNotFoundError:
            pass
        except (OSError, msgspec.MsgspecError) as error:
            log.error("%s: %s: begun anew", self._path, error)
            if self._path.exists():
                self._path.replace(self._path.with_suffix(".bad"))

    def add(self, one: BackupInfo) -> None:
        """One that fails as the last one did takes its place: an hour later again, for weeks perhaps."""
        last = self.backups[:1]
        again = one.error and [(one.kind, one.error)] == [(before.kind, before.error) for before in last]
        self._keep([one, *self.backups[1 if again else 0:]])

    def change(self, path: str, to: BackupInfo) -> None:
        """The one of this file."""
        self._keep([to if one.path == path else one for one in self.backups])

    def gone(self, paths: set[str]) -> None:
        """These files were removed."""
        self._keep([msgspec.structs.replace(one, gone=True) if one.path in paths else one
                    for one in self.backups])

    def _keep(self, backups: list[BackupInfo]) -> None:
        self.backups = backups[:MOST]
        try:
            write_file(self._path, msgspec.json.format(msgspec.json.encode(self.backups), indent=1))
        except OSError as error:                  # a full disk: the backup is there all the same
            log.error("%s: %s: it is known until boxd ends", self._path, error.strerror)
