"""Files for one user alone."""

import os
from pathlib import Path


def make_private(path: Path) -> None:
    """The file, there if it was not, for us alone: a backup may have come back readable for others."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
