"""One span's D-channel as a socket: AF_UNIX SOCK_SEQPACKET, a packet is one LAPD frame without FCS."""

import contextlib
import errno
import os
import socket
from dataclasses import dataclass
from pathlib import Path

MIN_OCTETS = 3                                    # address and control, Q.921 2.1
MAX_OCTETS = 264                                  # N201 of 260 octets after address and control, Q.921 5.9.3
_FRAMES_AT_ONCE = 32                              # the other spans wait meanwhile


@dataclass(slots=True)
class DChannelCounters:
    dchannel_dropped_in: int = 0                  # frames of the line that nobody took from the socket
    dchannel_dropped_out: int = 0                 # frames of the client that the line had no room for
    dchannel_bad_packets: int = 0                 # of the client, no LAPD frame by their size


class DChannel:
    """One client at a time, a new one replaces the old. Nothing here waits."""

    def __init__(self, path: Path) -> None:
        """OSError when the socket cannot be made."""
        self.counters = DChannelCounters()
        self.client: socket.socket | None = None
        self.path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)              # of a daemon that was killed
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
        try:
            os.fchmod(self.listener.fileno(), 0o600)                 # bind() makes the file with this mode
            self.listener.bind(str(path))
            path.chmod(0o660)                     # the folder's group is trunkd's, where it is another user
            self.listener.listen(4)
        except OSError:
            self.listener.close()
            raise

    def accept(self) -> bool:
        """Take the next client; True when there is a new one in `client`, the old one closed."""
        try:
            client, _ = self.listener.accept()
        except OSError:                           # gone again, or no descriptor left
            return False
        self.hang_up()
        client.setblocking(False)
        self.client = client
        return True

    def deliver(self, frames: list[bytes]) -> None:
        """Frames of the line, to the client if it is there and has room."""
        for frame in frames:
            try:
                if self.client is None:
                    raise BlockingIOError
                self.client.send(frame)
            except OSError as error:
                self.counters.dchannel_dropped_in += 1
                if error.errno in (errno.EPIPE, errno.ECONNRESET):
                    self.hang_up()

    def take(self) -> list[bytes]:
        """Frames that the client wants on the line."""
        frames: list[bytes] = []
        while self.client is not None and len(frames) < _FRAMES_AT_ONCE:
            try:
                frame = self.client.recv(MAX_OCTETS + 1)
            except BlockingIOError:
                break
            except OSError:
                frame = b""
            if not frame:
                self.hang_up()
            elif MIN_OCTETS <= len(frame) <= MAX_OCTETS:
                frames.append(frame)
            else:
                self.counters.dchannel_bad_packets += 1
        return frames

    def hang_up(self) -> None:
        """Closing takes the descriptor out of every epoll."""
        if self.client is not None:
            self.client.close()
            self.client = None

    def close(self) -> None:
        self.hang_up()
        self.listener.close()
        with contextlib.suppress(OSError):
            self.path.unlink()
