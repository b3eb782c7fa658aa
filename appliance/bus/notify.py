"""What a daemon tells the service manager that started it: ready, alive, ending, and a line of how it is.

Ref: sd_notify(3), systemd 252. Without a manager (a laptop, a test) nothing is told.
"""

import os
import socket
from collections.abc import Mapping


class Manager:
    """Datagrams to NOTIFY_SOCKET. A manager that does not listen is never an error of ours."""

    def __init__(self, environment: Mapping[str, str] = os.environ, pid: int | None = None) -> None:
        """`pid`: this process; what WATCHDOG_PID names is another's when it differs."""
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_s = _watchdog_s(environment, os.getpid() if pid is None else pid)

    def tell(self, **states: str) -> None:
        """E.g. tell(READY="1", STATUS="2 of 2 spans up"). A value is one line."""
        if not self._address:
            return
        lines = "\n".join(f"{name}={' '.join(value.split())}" for name, value in states.items())
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as line:
            try:
                line.sendto(lines.encode(), self._address)
            except OSError:                       # it is busy or gone: the next WATCHDOG=1 comes soon
                return


def _watchdog_s(environment: Mapping[str, str], pid: int) -> float:
    """Within which WATCHDOG=1 must come again and again; 0: the manager does not wait for it."""
    microseconds = environment.get("WATCHDOG_USEC", "")
    meant = environment.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or (meant and meant != str(pid)):
        return 0.0
    return int(microseconds) / 1e6
