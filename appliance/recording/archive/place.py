"""What every place of an archive does, S3 or SFTP."""

from collections.abc import Callable
from typing import Any, Protocol

from appliance.errors import BranchlineError
from appliance.recording.archive.objects import ArchiveObject
from appliance.recording.archive.pace import Pace

MORE = "the archive gives back more than was sent: look at the server"


class PlaceError(BranchlineError):
    """The place did not take it, or does not give it back: what happened, and what to do."""


class Place(Protocol):
    @property
    def name(self) -> str:
        """Tells it from others; no secret."""
        ...

    def push(self, sent: ArchiveObject, state: dict[str, Any], keep: Callable[[dict[str, Any]], None],
             pace: Pace) -> str:
        """SHA-256, in hex, of the object as the place gives it back. PlaceError, Stopped: go on another time.

        `state` is what `keep` was given last, {} at first: `keep` has made it durable when it returns.
        """
        ...
