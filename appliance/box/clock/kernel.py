"""What the kernel says of the wall clock, asking nobody else; and the battery's clock, set.

Ref: adjtimex(2); struct timex of linux/timex.h on 64-bit machines; rtc(4). The battery's clock keeps UTC.
"""

import ctypes
import fcntl
import os
import struct
import time
from dataclasses import dataclass
from pathlib import Path

STA_UNSYNC, STA_NANO = 0x0040, 0x2000
TIME_ERROR = 5

RTC = Path("/sys/class/rtc/rtc0/since_epoch")
RTC_DEVICE = Path("/dev/rtc0")

_RTC_SET_TIME = 0x4024700A


class _Timex(ctypes.Structure):
    _fields_ = (
        ("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long), ("esterror", ctypes.c_long), ("status", ctypes.c_int),
        ("constant", ctypes.c_long), ("precision", ctypes.c_long), ("tolerance", ctypes.c_long),
        ("time", ctypes.c_long * 2), ("tick", ctypes.c_long), ("ppsfreq", ctypes.c_long),
        ("jitter", ctypes.c_long), ("shift", ctypes.c_int), ("stabil", ctypes.c_long),
        ("jitcnt", ctypes.c_long), ("calcnt", ctypes.c_long), ("errcnt", ctypes.c_long),
        ("stbcnt", ctypes.c_long), ("tai", ctypes.c_int), ("reserved", ctypes.c_int * 11))


@dataclass(frozen=True, slots=True)
class Kernel:
    synchronised: bool
    offset_s: float                               # what is still being slewed away
    error_s: float                                # at most so far off, while synchronised
    drift_ppm: float                              # of the crystal, as it is corrected


def look() -> Kernel:
    """OSError: the kernel does not say."""
    found = _Timex()                              # modes 0: only read
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(found))
    if state < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    unit = 1e-9 if found.status & STA_NANO else 1e-6
    return Kernel(state != TIME_ERROR and not found.status & STA_UNSYNC, found.offset * unit,
                  found.maxerror * 1e-6, found.freq / 65536)


def set_rtc(at: float, device: Path = RTC_DEVICE) -> None:
    """Nothing where there is none. OSError: only root may."""
    when = time.gmtime(at)
    octets = struct.pack("9i", when.tm_sec, when.tm_min, when.tm_hour, when.tm_mday, when.tm_mon - 1,
                         when.tm_year - 1900, 0, 0, 0)
    if device.exists():
        with device.open("rb", buffering=0) as file:
            fcntl.ioctl(file, _RTC_SET_TIME, octets)


def rtc_offset_s(path: Path = RTC) -> float | None:
    """How far the battery's clock is ahead of the wall clock, to a second. None: there is none."""
    try:
        return int(path.read_text()) + 0.5 - time.time()
    except (OSError, ValueError):
        return None
