"""Sockets that systemd has opened for the console, for which boxd needs no rights.

Ref: sd_listen_fds(3).
"""

import os
import socket

GIVEN = "console"                                 # their name, sd_listen_fds_with_names(3)
FIRST_GIVEN = 3


def given() -> list[socket.socket]:
    """Those of this process, once: what it starts does not have them."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):      # not for what boxd starts
        os.environ.pop(name, None)
    found = [socket.socket(fileno=FIRST_GIVEN + at) for at, name in enumerate(names) if name == GIVEN]
    for one in found:
        one.set_inheritable(False)
        one.setblocking(False)
    return found
