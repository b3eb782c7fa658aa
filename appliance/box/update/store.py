"""What is kept of updates, on the disk: what save() has returned from, no power cut takes back."""

import logging
from pathlib import Path

import msgspec

from appliance.box.backup.durable import write_file
from appliance.box.update.state import Book

FILE = "state.json"

log = logging.getLogger(__name__)


class BookFile:
    """In a folder of its own. One that cannot be read is set aside: nothing is known of updates then."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def load(self) -> Book:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Book)
        except FileNotFoundError:
            return Book()
        except (OSError, msgspec.MsgspecError) as error:
            log.error("%s: %s: set aside, the history of updates begins anew", self._path, error)
            if self._path.exists():
                self._path.replace(self._path.with_suffix(".bad"))
            return Book()

    def save(self, book: Book) -> None:
        """OSError: the file is as it was."""
        write_file(self._path, msgspec.json.encode(book))
