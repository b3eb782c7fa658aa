"""osmo-e1d's control socket and timeslots as observed on version 0.7.2, with two lines joined to each other.

Written from the protocol alone, in a thread: it shares no message code with the client. Interfaces 0 and 1
have one line each, the two ends of the pair. The clock runs in steps of 5 ms.
"""

import os
import selectors
import socket
import struct
import threading
import time
from pathlib import Path

from e1_driver.framing.hdlc import Decoder, Encoder

TICK_S, TICK_OCTETS = 0.005, 40
RAW, HDLC = 0x10, 0x11
HDLC_OCTETS = 262                                 # longer frames vanish


class OpenTimeslot:
    """One timeslot in use: our end of its socket pair and the octets in both directions."""

    def __init__(self, mode: int, read_octets: int) -> None:
        kind = socket.SOCK_STREAM if mode == RAW else socket.SOCK_SEQPACKET
        self.socket, self.client = socket.socketpair(socket.AF_UNIX, kind)
        self.socket.setblocking(False)
        self.mode, self.read_octets = mode, read_octets
        self.closed = self.started = False        # started: the client has written
        self.to_line, self.to_client = bytearray(), bytearray()
        self.encoder, self.decoder = Encoder(), Decoder()

    def is_late(self) -> bool:
        """Whether its client has written, and now nothing is left for a tick."""
        self._fill()
        return self.started and not self.closed and len(self.to_line) < TICK_OCTETS

    def _fill(self) -> None:
        if self.mode == RAW and not self.closed and len(self.to_line) < TICK_OCTETS:
            self.to_line += self._receive(4096)
            self.started |= bool(self.to_line)

    def pull(self, n_octets: int) -> bytes:
        if self.mode == HDLC:
            frame = self._receive(4096)
            if frame and len(frame) <= HDLC_OCTETS:
                self.encoder.send(frame)
            return self.encoder.pull(n_octets)
        self._fill()
        octets = bytes(self.to_line[:n_octets])
        del self.to_line[:n_octets]
        return octets.ljust(n_octets, b"\xff")

    def push(self, octets: bytes) -> None:
        if self.mode == HDLC:
            for frame in self.decoder.feed(octets):
                self._send(frame)
            return
        self.to_client += octets
        while len(self.to_client) >= self.read_octets:
            self._send(bytes(self.to_client[:self.read_octets]))
            del self.to_client[:self.read_octets]

    def close(self) -> None:
        self.closed = True
        self.socket.close()

    def _receive(self, n_octets: int) -> bytes:
        try:
            octets = self.socket.recv(n_octets)
        except BlockingIOError:
            return b""
        except ConnectionResetError:
            octets = b""
        if not octets:
            self.close()
        return octets

    def _send(self, octets: bytes) -> None:
        try:
            self.socket.send(octets)
        except BlockingIOError:
            pass                                  # the newest are lost
        except OSError:
            self.close()


class E1dServer:
    """Context manager. Holding `lock` stops the clock, which is made up for afterwards.

    While `patient` the clock waits for a late client, and a busy machine spoils no test; the daemon itself
    fills in ones.
    """

    def __init__(self, path: Path, line_mode: int = 0x20) -> None:
        self.path, self.line_mode = path, line_mode
        self.timeslots: dict[tuple[int, int], OpenTimeslot] = {}      # (interface, timeslot)
        self.silent: set[int] = set()             # timeslots of which nothing is handed to any client
        self.patient = True
        self.lock = threading.Lock()
        self._connections: list[socket.socket] = []
        self._selector = selectors.DefaultSelector()
        self._stop, self._stopped = os.pipe()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._run, name="osmo-e1d")

    def __enter__(self) -> "E1dServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._stopped, b"!")
        self._thread.join()
        for timeslot in self.timeslots.values():
            timeslot.close()
        for connection in (*self._connections, self._listener):
            connection.close()
        self._selector.close()
        os.close(self._stop)
        os.close(self._stopped)

    def event(self, kind: int, intf: int) -> None:
        """Tell every client, as the daemon does."""
        for connection in list(self._connections):
            connection.send(struct.pack("=HHBBBB", 0x01E1, 8, kind, intf, 0, 0))

    def hand_over(self, intf: int, timeslot: int) -> None:
        """What FORCE by another client does to the owner."""
        with self.lock:
            self.timeslots.pop((intf, timeslot)).close()

    def _run(self) -> None:
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._stop, selectors.EVENT_READ)
        next_tick = time.monotonic()
        while True:
            for key, _ in self._selector.select(max(0.0, next_tick - time.monotonic())):
                if key.fileobj == self._stop:
                    return
                if key.fileobj is self._listener:
                    connection, _ = self._listener.accept()
                    self._connections.append(connection)
                    self._selector.register(connection, selectors.EVENT_READ)
                else:
                    assert isinstance(key.fileobj, socket.socket)
                    self._answer(key.fileobj)
            while time.monotonic() >= next_tick:
                with self.lock:
                    if self.patient and any(timeslot.is_late() for timeslot in self.timeslots.values()):
                        next_tick = time.monotonic()
                    else:
                        self._tick()
                next_tick += TICK_S

    def _tick(self) -> None:
        for place in [place for place, timeslot in self.timeslots.items() if timeslot.closed]:
            del self.timeslots[place]
        for number in range(1, 32):
            ends = self.timeslots.get((0, number)), self.timeslots.get((1, number))
            unused = b"\xff" * TICK_OCTETS
            octets = [end.pull(TICK_OCTETS) if end and not end.closed else unused for end in ends]
            for end, sent in zip(ends, reversed(octets), strict=True):
                if end and not end.closed and number not in self.silent:
                    end.push(sent)

    def _answer(self, connection: socket.socket) -> None:
        try:
            request = connection.recv(4096)
        except ConnectionResetError:              # gone, with an answer unread
            request = b""
        refused = not request
        payload = b""
        descriptors: list[int] = []
        if request:
            magic, length, kind, intf, line, timeslot = struct.unpack_from("=HHBBBB", request)
            refused = (magic, length) != (0x01E1, len(request))
            if kind == 0x00:
                refused |= (line, timeslot, length) != (0xFF, 0xFF, 8)
                payload = bytes((0, 1, 1, 1))
            elif kind == 0x01:
                refused |= (timeslot, length) != (0xFF, 8)
                payload = bytes((0, self.line_mode, 0)) if intf in (0, 1) else b""
            elif kind == 0x04:
                refused |= length != 12
                if not refused:
                    payload, descriptors = self._open(intf, line, timeslot, request[8:])
            else:
                refused = True
        if refused:
            self._selector.unregister(connection)
            self._connections.remove(connection)
            connection.close()
            return
        head = struct.pack("=HHBBBB", 0x01E1, 8 + len(payload), kind | 0x80, 0, 0, 0)
        socket.send_fds(connection, [head + payload], descriptors)
        for descriptor in descriptors:
            os.close(descriptor)

    def _open(self, intf: int, line: int, timeslot: int, payload: bytes) -> tuple[bytes, list[int]]:
        mode, flags, read_octets = struct.unpack("=BBH", payload)
        place = intf, timeslot
        with self.lock:
            exists = intf in (0, 1) and line == 0 and 1 <= timeslot <= 31
            if not exists or place in self.timeslots or mode not in (RAW, HDLC) or not read_octets or flags:
                return b"", []
            self.timeslots[place] = opened = OpenTimeslot(mode, read_octets)
        return struct.pack("=BBBHB", timeslot, mode, 0, 0, 0xA5), [opened.client.detach()]
