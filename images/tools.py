"""Programs that the build runs: one way to start them, one error."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


class BuildError(Exception):
    """The image cannot be made: what, and what to do."""


def run(command: Sequence[str | Path], *, given: str | None = None,
        extra: Mapping[str, str] | None = None) -> str:
    """Its standard output. BuildError: it is not there, or failed, with what it said."""
    environment = {**os.environ, "PATH": PATH, "LC_ALL": "C.UTF-8", "TZ": "UTC",
                   "DEBIAN_FRONTEND": "noninteractive", **(extra or {})}
    try:
        done = subprocess.run([str(word) for word in command], input=given, capture_output=True, text=True,
                              env=environment)
    except FileNotFoundError:
        raise BuildError(f"{command[0]} is missing: make image installs it") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-15:]
        raise BuildError(f"{' '.join(map(str, command[:4]))} ...: exit {done.returncode}\n" + "\n".join(said))
    return done.stdout
