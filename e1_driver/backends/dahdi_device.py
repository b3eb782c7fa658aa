"""DAHDI's devices: the control device that knows the spans, and one open channel with its events."""

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from e1_driver import D_TIMESLOT, LineError
from e1_driver.backends import dahdi_wire as wire

DEVICES = Path("/dev/dahdi")
CONFIGURE = "write bchan=1-15,17-31 and dchan=16 (of this span's channels) to system.conf and run dahdi_cfg"

_FLAGS = os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC


class Control:
    """/dev/dahdi/ctl. LineError, with `url` in front, tells what is missing."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._fd = -1
        path = DEVICES / "ctl"
        try:
            self._fd = os.open(path, _FLAGS)
        except PermissionError:
            raise self.error(f"{path} is not ours to open: join its group, or run as root") from None
        except OSError as error:
            raise self.error(
                f"no DAHDI at {path} ({error.strerror}): load the card's driver (modprobe), "
                "then run dahdi_cfg") from None

    def error(self, text: str) -> LineError:
        return LineError(f"{self._url}: {text}")

    def span(self, number: int) -> wire.SpanInfo:
        """LineError: DAHDI has no such span; those that it has are named."""
        if (info := self._span(number)) is None:
            spans = [info for n in range(1, wire.MAX_SPANS) if n != number and (info := self._span(n))]
            there = ", ".join(f"{info.span} ({info.name})" for info in spans) or "none: run dahdi_cfg"
            raise self.error(f"DAHDI has no span {number}, it has {there}")
        return info

    def _span(self, number: int) -> wire.SpanInfo | None:
        octets = wire.SpanInfo.ask(number)
        try:
            fcntl.ioctl(self._fd, wire.SPANSTAT, octets)
        except OSError:
            return None
        return wire.SpanInfo.read(bytes(octets))

    def channels(self, span: int) -> dict[int, wire.Params]:
        """Position in the span -> channel: on an E1 the position is the timeslot."""
        found = {}
        for channel in range(1, wire.MAX_CHANNELS):
            octets = wire.Params.ask(channel)
            try:
                fcntl.ioctl(self._fd, wire.GET_PARAMS, octets)
            except OSError:
                continue
            if (params := wire.Params.read(bytes(octets))).span == span:
                found[params.position] = params
        return found

    def maintain(self, span: int, command: wire.Maint) -> bool:
        """Switch a loop of the card. False: its driver has none."""
        try:
            fcntl.ioctl(self._fd, wire.MAINT, wire.maintenance(span, command))
        except OSError as error:
            if error.errno in (errno.ENOSYS, errno.EINVAL, errno.ENODEV):
                return False
            raise self.error(f"maintenance command {command.name}: {error.strerror}") from None
        return True

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class Channel:
    """One channel, open: blocks of `octets` at most both ways, `buffers` of them each.

    While DAHDI holds an event back, neither reading nor writing goes on: `on_event` is given the channel's
    timeslot and the event, and then it does.
    """

    def __init__(self, control: Control, params: wire.Params, octets: int, buffers: int,
                 on_event: Callable[[int, int], None]) -> None:
        self.timeslot = params.position
        self._error = control.error
        self._where = f"channel {params.channel} (timeslot {params.position})"
        self._octets, self._on_event = octets, on_event
        self.fd = self._specify(params)
        try:
            if self.timeslot == D_TIMESLOT:
                if params.sig == wire.Sig.CLEAR:
                    self.set(wire.HDLCFCSMODE, 1)
            else:
                self.set(wire.AUDIOMODE, 1)       # idle is silence and not 0xFF; A-law goes through as it is
                self.set(wire.SETLAW, wire.LAW_ALAW)
            self._ioctl(wire.SET_BUFINFO, wire.buffers(buffers, octets))
        except LineError:
            self.close()
            raise

    def _specify(self, params: wire.Params) -> int:
        fd = -1
        try:
            fd = os.open(DEVICES / "channel", _FLAGS)
            fcntl.ioctl(fd, wire.SPECIFY, wire.integer(params.channel))
        except OSError as error:
            if fd >= 0:
                os.close(fd)
            if error.errno == errno.EBUSY:
                raise self._error(f"{self._where} is open in another program: stop it") from None
            if error.errno == errno.ENXIO:
                raise self._error(f"{self._where} is not configured: {CONFIGURE}") from None
            raise self._error(f"{self._where}: {error.strerror}") from None
        return fd

    def set(self, request: int, value: int) -> None:
        """An ioctl that takes an integer. LineError: refused."""
        self._ioctl(request, wire.integer(value))

    def _ioctl(self, request: int, argument: bytes) -> None:
        try:
            fcntl.ioctl(self.fd, request, argument)
        except OSError as error:
            raise self._error(f"{self._where}: ioctl {request:#x}: {error.strerror}") from None

    def read(self) -> bytes | None:
        """The next block or frame, None: none yet. LineError: the channel has gone."""
        while True:
            try:
                octets = os.read(self.fd, self._octets)
            except BlockingIOError:
                return None
            except OSError as error:
                self._trouble(error)
                continue
            if not octets:                        # no block or frame is empty, and the next would be too
                raise self._gone("it gives no octets")
            return octets

    def write(self, octets: bytes | memoryview) -> bool:
        """False: every buffer is full."""
        while True:
            try:
                os.write(self.fd, octets)
                return True
            except BlockingIOError:
                return False
            except OSError as error:
                self._trouble(error)

    def _trouble(self, error: OSError) -> None:
        if error.errno != wire.ELAST:
            raise self._gone(str(error.strerror))
        self._take_events()

    def _gone(self, why: str) -> LineError:
        return self._error(f"{self._where} has gone ({why}): is the card's driver still loaded?")

    def _take_events(self) -> None:
        octets = bytearray(wire.integer(0))
        while True:
            try:
                fcntl.ioctl(self.fd, wire.GETEVENT, octets)
            except OSError as error:
                raise self._gone(str(error.strerror)) from None
            if (event := wire.read_integer(bytes(octets))) == wire.Event.NONE:
                return
            if event == wire.Event.REMOVED:
                raise self._gone("removed")
            self._on_event(self.timeslot, event)

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
