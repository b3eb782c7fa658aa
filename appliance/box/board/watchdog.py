"""A watchdog of the kernel: who opened it feeds it in time, or the machine is reset.

Ref: Linux Documentation/watchdog/watchdog-api.rst.
"""

import fcntl
import os
import struct

WDIOC_KEEPALIVE = 0x80045705
WDIOC_SETTIMEOUT = 0xC0045706

_INT = struct.Struct("i")
_MAGIC = b"V"                                     # written before the close: nobody feeds it from now on


class Watchdog:
    """Runs from here on, also when our process dies."""

    def __init__(self, device: str, timeout_s: int) -> None:
        """OSError: not there, not ours, or another process has it."""
        self._fd = os.open(device, os.O_WRONLY | os.O_CLOEXEC)
        try:
            answer = fcntl.ioctl(self._fd, WDIOC_SETTIMEOUT, _INT.pack(timeout_s))
        except OSError:
            self.disarm()
            raise
        self.timeout_s: int = _INT.unpack(answer)[0]                 # what the device made of it

    def feed(self) -> None:
        """OSError."""
        fcntl.ioctl(self._fd, WDIOC_KEEPALIVE, _INT.pack(0))

    def disarm(self) -> None:
        """Stop it: the end is in order."""
        os.write(self._fd, _MAGIC)
        self.leave()

    def leave(self) -> None:
        """Close it as it is: who comes next feeds it in time, or the machine is reset."""
        os.close(self._fd)
