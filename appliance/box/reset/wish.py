"""A factory reset that somebody wishes, on the data partition. The next boot erases; see erasing.py."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from appliance.box.backup.durable import write_file

DATA = "data"                                     # below the root folder
FLAG = "factory-reset"                            # in DATA; the last thing that an erasure removes
AUDIT = "reset-log"                               # in DATA; what outlives it, when it is wished


@dataclass(frozen=True, slots=True)
class Wish:
    source: str                                   # console, web, command, button
    at: float
    audit: bool = True                            # a line about it stays on the box


def ask(wish: Wish, data: Path) -> None:
    """Durable on return: a boot after this erases, however it comes. OSError: the disk."""
    write_file(data / FLAG, json.dumps(asdict(wish)).encode())


def asked(data: Path) -> Wish | None:
    """A flag that cannot be read is a wish all the same: an erasure may have begun."""
    try:
        return Wish(**json.loads((data / FLAG).read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError):
        return Wish("unknown", 0.0)
