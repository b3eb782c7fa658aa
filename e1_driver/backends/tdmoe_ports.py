"""Where TDMoE frames come and go: an Ethernet interface, or a socket that stands for one."""

import contextlib
import errno
import os
import socket
import stat
import struct
from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import islice

from e1_driver import LineError
from e1_driver.backends.socket_filter import GIVE, IF_EQUAL, LOAD_HALF, LOAD_WORD, attach
from e1_driver.backends.tdmoe_wire import ETHERTYPE, FRAME_OCTETS, LENGTH_OCTETS, MAC_OCTETS, StreamReader

AT_ONCE_FRAMES, AT_ONCE_READS = 512, 8            # a flood keeps nobody longer
PATH_OCTETS = 107                                 # what sun_path holds

_RECEIVE_OCTETS = 2048
_STREAM_OCTETS = 65_536
_WITHOUT_INTERFACE = (errno.ENETDOWN, errno.ENXIO, errno.ENODEV)
_UNSENT_OCTETS = 100 * (LENGTH_OCTETS + FRAME_OCTETS)


class Port(ABC):
    @abstractmethod
    def send(self, frame: bytes) -> None:
        """A frame after its length. One that cannot leave now is lost: the far end counts it."""

    @abstractmethod
    def receive(self) -> Iterator[bytes]:
        """Frames that came, without their length. LineError: the port is gone for good."""

    @abstractmethod
    def close(self) -> None: ...


class InterfacePort(Port):
    """A packet socket that takes only frames of the far station with our subaddress: the kernel's filter."""

    def __init__(self, url: str, interface: str, far: bytes, subaddress: int) -> None:
        self._url, self._interface = url, interface
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        except PermissionError:
            raise LineError(f"{url}: no right to use {interface}: run as root or give CAP_NET_RAW") from None
        try:
            _attach_filter(self._socket, far, subaddress)
            self._socket.bind((interface, ETHERTYPE))
        except OSError as error:
            self._socket.close()
            raise LineError(f"{url}: interface {interface}: {error.strerror}: `ip link` names those there"
                            ) from None
        self.station: bytes = self._socket.getsockname()[4]
        if len(self.station) != MAC_OCTETS or not any(self.station):
            self._socket.close()
            raise LineError(f"{url}: {interface} is no Ethernet interface: `ip link` names those there")

    def send(self, frame: bytes) -> None:
        try:
            self._socket.send(frame[LENGTH_OCTETS:])
        except OSError as error:
            self._look_at(error)

    def receive(self) -> Iterator[bytes]:
        for _ in range(AT_ONCE_FRAMES):
            try:
                yield self._socket.recv(_RECEIVE_OCTETS)
            except OSError as error:
                self._look_at(error)
                return

    def close(self) -> None:
        self._socket.close()

    def _look_at(self, error: OSError) -> None:
        """An interface that is down may come back; a socket that has lost its interface is of no more use."""
        if error.errno in _WITHOUT_INTERFACE and not self._socket.getsockname()[0]:
            raise LineError(f"{self._url}: interface {self._interface} is gone: plug its adapter in, or see "
                            "`ip link`") from None


class StreamPort(Port):
    """A connected socket with QEMU's framing. `listen`: the far end connects; who hung up may come again."""

    def __init__(self, url: str, path: str, listen: bool) -> None:
        self._url, self._path = url, path
        if len(os.fsencode(path)) > PATH_OCTETS:
            raise LineError(f"{url}: a socket's path has at most {PATH_OCTETS} octets: shorten it")
        self._reader = StreamReader()
        self._unsent = b""
        self._listener: socket.socket | None = None
        self._far: socket.socket | None = None
        try:
            if listen:
                self._listener = _socket()
                _clear_stale(path)
                self._listener.bind(path)
                self._listener.listen(1)
            else:
                self._far = _connected(path)
        except OSError as error:
            if self._listener:
                self._listener.close()
                raise LineError(f"{url}: cannot listen at {path}: {error.strerror}: remove it, or stop who "
                                "listens there") from None
            raise LineError(f"{url}: nobody listens at {path} ({error.strerror}): start the far end first"
                            ) from None

    def send(self, frame: bytes) -> None:
        if not self._far:
            return
        octets = self._unsent
        if len(octets) < _UNSENT_OCTETS:
            octets += frame
        try:
            sent = self._far.send(octets)
        except BlockingIOError:
            sent = 0
        except OSError:                           # gone: receive() tells
            return
        self._unsent = octets[sent:]

    def receive(self) -> Iterator[bytes]:
        if not self._far:
            self._meet()
        left, octets = AT_ONCE_FRAMES, b""        # at first what the last turn left in the reader
        for _ in range(1 + AT_ONCE_READS):
            try:
                for frame in islice(self._reader.feed(octets), left):
                    left -= 1
                    yield frame
            except ValueError:                    # it speaks something else
                self._hang_up()
            if not self._far or not left:
                return
            try:
                octets = self._far.recv(_STREAM_OCTETS)
            except BlockingIOError:
                return
            except OSError:
                octets = b""
            if not octets:
                self._hang_up()
                return

    def _hang_up(self) -> None:
        if self._far:
            self._far.close()
            self._far = None

    def close(self) -> None:
        self._hang_up()
        if self._listener:
            self._listener.close()
            self._listener = None
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)

    def _meet(self) -> None:
        try:
            self._far = self._listener.accept()[0] if self._listener else _connected(self._path)
        except OSError:                           # nobody there, or gone again
            return
        self._far.setblocking(False)
        self._reader, self._unsent = StreamReader(), b""


def _socket() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)


def _clear_stale(path: str) -> None:
    """Remove a socket that a program left behind when it was killed."""
    if os.path.exists(path) and stat.S_ISSOCK(os.stat(path).st_mode):
        try:
            _connected(path).close()
        except ConnectionRefusedError:
            os.unlink(path)


def _connected(path: str) -> socket.socket:
    far = _socket()
    try:
        far.connect(path)
    except OSError:
        far.close()
        raise
    return far


def _attach_filter(to: socket.socket, source: bytes, subaddress: int) -> None:
    """Take frames of `source` with `subaddress` only."""
    head, tail = struct.unpack(">IH", source)
    attach(to, [
        (LOAD_WORD, 0, 0, MAC_OCTETS), (IF_EQUAL, 0, 5, head),
        (LOAD_HALF, 0, 0, MAC_OCTETS + 4), (IF_EQUAL, 0, 3, tail),
        (LOAD_HALF, 0, 0, 2 * MAC_OCTETS + 2), (IF_EQUAL, 0, 1, subaddress),
        (GIVE, 0, 0, _RECEIVE_OCTETS), (GIVE, 0, 0, 0),
    ])
