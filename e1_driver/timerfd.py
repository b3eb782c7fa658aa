"""Linux timerfd: an instant of time.monotonic() as a descriptor. Python has it of its own from 3.13 on."""

import ctypes
import os

_MONOTONIC = 1                                    # CLOCK_MONOTONIC, what time.monotonic() reads
_ABSOLUTE = 1                                     # TFD_TIMER_ABSTIME

_libc = ctypes.CDLL(None, use_errno=True)


class _Timespec(ctypes.Structure):
    _fields_ = (("s", ctypes.c_long), ("ns", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class Timer:
    """Readable from the armed instant on until it is armed anew."""

    def __init__(self) -> None:
        self._fd: int = _libc.timerfd_create(_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._spec = _Itimerspec()

    def fileno(self) -> int:
        return self._fd

    def arm(self, at_s: float) -> None:
        """Become readable at `at_s` of time.monotonic(); at once when that is past."""
        at_ns = max(1, round(at_s * 1e9))         # zero would disarm
        self._spec.value.s, self._spec.value.ns = divmod(at_ns, 1_000_000_000)
        if _libc.timerfd_settime(self._fd, _ABSOLUTE, ctypes.byref(self._spec), None) < 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def close(self) -> None:
        os.close(self._fd)
