"""Programs of the system that the box's own parts start: fixed words, no shell, a limit of time."""

import subprocess
from collections.abc import Callable, Sequence

from appliance.errors import Unavailable

RUN_S = 60.0

Run = Callable[..., str]                         # as run below


def run(command: Sequence[str], within_s: float = RUN_S) -> str:
    """What it prints. Unavailable: it is not there, says no, or does not end."""
    try:
        done = subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=within_s)
    except OSError as error:
        raise Unavailable(f"{command[0]}: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{command[0]}: has not ended in {within_s:g} s") from None
    except subprocess.CalledProcessError as error:
        why = " ".join(error.stderr.split()) or f"ends with {error.returncode}"
        raise Unavailable(f"{command[0]}: {why}") from None
    return done.stdout
