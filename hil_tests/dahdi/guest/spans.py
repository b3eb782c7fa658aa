"""The installer's part of DAHDI, done while our driver runs: a dynamic span goes and comes, a card is pulled.

Ref: include/dahdi/user.h of DAHDI 2.11.
"""

import fcntl
import struct
from collections.abc import Iterable
from pathlib import Path

from e1_driver import D_TIMESLOT
from e1_driver.backends.dahdi_wire import LAW_ALAW, Sig

_DYNAMIC_SPAN = struct.Struct("=20s40s3i")        # driver, address, channels, timing, span number
_CHANCONFIG = struct.Struct("=i40s4i16s")         # channel, name, sig, law, master, idle bits, network device
_DYNAMIC_CREATE, _DYNAMIC_DESTROY, _CHANCONFIG_REQUEST = 0xC048DA50, 0x4048DA51, 0x404CDA13
_DEVICES = Path("/sys/bus/dahdi_devices/devices")


def destroy(address: str) -> None:
    """A dynamic span of driver loc, such as `1:1`."""
    _control(_DYNAMIC_DESTROY, _DYNAMIC_SPAN.pack(b"loc", address.encode(), 0, 0, 0))


def create(address: str, channels: Iterable[int]) -> None:
    """Make it again and configure its channels as loc.conf does."""
    _control(_DYNAMIC_CREATE, _DYNAMIC_SPAN.pack(b"loc", address.encode(), 31, 0, 0))
    for timeslot, channel in enumerate(channels, 1):
        configure(channel, Sig.HDLCFCS if timeslot == D_TIMESLOT else Sig.CLEAR)


def configure(channel: int, sig: Sig) -> None:
    _control(_CHANCONFIG_REQUEST, _CHANCONFIG.pack(channel, b"", sig, LAW_ALAW, 0, 0, b""))


def _control(request: int, argument: bytes) -> None:
    with Path("/dev/dahdi/ctl").open("rb+", buffering=0) as control:
        fcntl.ioctl(control, request, argument)


def pull(span: int) -> Path:
    """Take a span from DAHDI while its channels are open, as a driver does when its card goes; its device."""
    device = next(path for path in _DEVICES.iterdir() if (path / f"span-{span}").exists())
    (device / "unassign_span").write_text("1")
    return device
