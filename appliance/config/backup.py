"""When the box backs up its databases and its configuration, where to, and how many backups stay."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from appliance.config.part import Name, Part

ORIGIN_FILE = "document"                          # in the run folder: the path of what people edit

_AT = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class WeeklyConfig(Part):
    day: Weekday = "sunday"
    at: _AT = "02:30"                             # local time
    keep: Annotated[int, Field(ge=1, le=1000)] = 5


class MonthlyConfig(Part):
    day: Annotated[int, Field(ge=1, le=31)] = 1   # in a shorter month: its last one
    at: _AT = "02:30"
    keep: Annotated[int, Field(ge=1, le=1000)] = 12


class BackupConfig(Part):
    path: Annotated[str, Field(max_length=1000)] = ""                # a folder; "": no backups are made
    mounted: bool = True                          # it must lie on another file system than the box's own
    box: Name | None = None                       # in the names of the files; None: the machine's name
    weekly: WeeklyConfig | None = None
    monthly: MonthlyConfig | None = None
    recordings: bool = False                      # finished recordings, too, sealed as they are
    hub: bool = False                             # a copy of each to the archive's place: S3 or SFTP
    most_mebibytes_s: Annotated[float, Field(ge=0.1, le=10_000)] = 20.0

    @model_validator(mode="after")
    def _somewhere(self) -> "BackupConfig":
        for name in ("weekly", "monthly", "hub"):
            if getattr(self, name) and not self.path:
                raise ValueError(f"{name}: needs path: the folder that backups are written to")
        if self.path and not self.path.startswith("/"):
            raise ValueError(f"path: {self.path!r}: write it from the root on, e.g. /media/usb/backups")
        return self


def origin(document: Path, run_dir: Path) -> Path:
    """The document that people edit, where daemons read a copy of it with the launcher's port."""
    try:
        return Path((run_dir / ORIGIN_FILE).read_text(encoding="utf-8"))
    except OSError:
        return document
